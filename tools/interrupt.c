/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/interrupt.h"

#include "tools/leave.h"

#include <signal.h>
#include <stddef.h>

enum phase { CALM, HELD, DONE };

static volatile sig_atomic_t phase = CALM;
static volatile sig_atomic_t seen;

static void on_signal(int number)
{
	(void)number;
	if (phase == CALM)
		leave("waybill: interrupted, nothing was changed\n",
		      "{\"error\":{\"code\":\"cancelled\",\"message\":"
		      "\"interrupted, nothing was changed\",\"status\":130}}\n",
		      EXIT_INTERRUPTED);
	if (phase == DONE)
		leave("waybill: warning: interrupted after the change was "
		      "made\n",
		      "{\"warning\":{\"message\":\"interrupted after the "
		      "change was made\"}}\n",
		      EXIT_OK);
	if (seen)
		leave("waybill: interrupted twice while the store was open "
		      "for writing: it is not known whether the change was "
		      "made\n",
		      "{\"error\":{\"code\":\"outcome_unknown\",\"message\":"
		      "\"interrupted twice while the store was open for "
		      "writing\",\"status\":5}}\n",
		      EXIT_OUTCOME_UNKNOWN);
	seen = 1;
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
