/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/interrupt.h"

#include "tools/exit_status.h"
#include "tools/leave.h"

#include <signal.h>
#include <stddef.h>
#include <waybill/fsck.h>

enum phase { CALM, HELD, DONE };

static volatile sig_atomic_t phase = CALM;
static volatile sig_atomic_t seen;

/* What is said, and the exit status, in each phase; TWICE: a second signal
 * while the store is held. */
enum ending { IN_CALM, IN_DONE, TWICE, ENDINGS };

struct words {
	const char *text, *json;
	int status;
};

static const struct words usual[ENDINGS] = {
	[IN_CALM] = {"waybill: interrupted, nothing was changed\n",
		     "{\"error\":{\"code\":\"cancelled\",\"message\":"
		     "\"interrupted, nothing was changed\",\"status\":130}}\n",
		     EXIT_INTERRUPTED},
	[IN_DONE] = {"waybill: warning: interrupted after the change was "
		     "made\n",
		     "{\"warning\":{\"message\":\"interrupted after the "
		     "change was made\"}}\n",
		     EXIT_OK},
	[TWICE] = {"waybill: interrupted twice while the store was open for "
		   "writing: it is not known whether the change was made\n",
		   "{\"error\":{\"code\":\"outcome_unknown\",\"message\":"
		   "\"interrupted twice while the store was open for "
		   "writing\",\"status\":5}}\n",
		   EXIT_OUTCOME_UNKNOWN},
};

static const struct words of_fsck[ENDINGS] = {
	[IN_CALM] = {"waybill: interrupted, nothing was changed\n",
		     "{\"error\":{\"code\":\"cancelled\",\"message\":"
		     "\"interrupted, nothing was changed\",\"status\":32}}\n",
		     WB_FSCK_CANCELLED},
	[IN_DONE] = {"waybill: interrupted when all was done\n",
		     "{\"error\":{\"code\":\"cancelled\",\"message\":"
		     "\"interrupted when all was done\",\"status\":32}}\n",
		     WB_FSCK_CANCELLED},
	[TWICE] = {"waybill: interrupted twice: fsck has more to do\n",
		   "{\"error\":{\"code\":\"cancelled\",\"message\":"
		   "\"interrupted twice: fsck has more to do\",\"status\":32}"
		   "}\n",
		   WB_FSCK_CANCELLED},
};

static const struct words *volatile words = usual;

static _Noreturn void end(enum ending ending)
{
	const struct words *chosen = &words[ending];

	leave(chosen->text, chosen->json, chosen->status);
}

static void on_signal(int number)
{
	(void)number;
	if (phase == CALM)
		end(IN_CALM);
	if (phase == DONE)
		end(IN_DONE);
	if (seen)
		end(TWICE);
	seen = 1;
}

void interrupt_as_fsck(void)
{
	words = of_fsck;
}

void interrupt_init(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	/* SA_RESTART: the library's system calls go on as if nothing had
	 * happened. */
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		sigaddset(&action.sa_mask, numbers[i]);
		if (sigaction(numbers[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	/* A reader that goes away is seen by write(). */
	signal(SIGPIPE, SIG_IGN);
	/* So is a file that has become as large as one may be. */
	signal(SIGXFSZ, SIG_IGN);
}

void interrupt_hold(void)
{
	seen = 0;
	phase = HELD;
}

void interrupt_release(bool changed)
{
	phase = changed ? DONE : CALM;
}

bool interrupt_seen(void)
{
	return seen;
}
