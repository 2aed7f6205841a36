/* SPDX-License-Identifier: Apache-2.0
 *
 * Many workloads, in several processes.
 */
#include "tests/support/crashloop.h"

#include "tests/support/crashwork.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 16 };

struct loop {
	const struct crashloop_options *options;
	struct crash_shared *shared;
	/* One report a process: the complaint and its seed. */
	struct crashloop_report *reports;
};

static bool loop_goes_on(const struct loop *loop, uint64_t number)
{
	const struct crashloop_options *options = loop->options;
	uint64_t images = atomic_load(&loop->shared->counts[CRASH_IMAGES]);

	return !atomic_load(&loop->shared->stop) &&
	       (!options->workloads_max || number < options->workloads_max) &&
	       (!options->images_min || images < options->images_min);
}

static void loop_process(struct loop *loop, unsigned process)
{
	const struct crashloop_options *options = loop->options;
	struct crashloop_report *report = &loop->reports[process];
	struct workload *work = calloc(1, sizeof(*work));
	uint64_t number;

	if (!work)
		abort();
	for (number = process; loop_goes_on(loop, number);
	     number += options->processes) {
		uint64_t seed = options->seed + number;

		workload_begin(work, loop->shared, seed);
		workload_run(work);
		if (!work_ok(work)) {
			report->complaint = work->context.complaint;
			report->seed = seed;
			atomic_store(&loop->shared->stop, true);
		}
		workload_end(work);
	}
	free(work);
}

/* A child that dies takes its complaint with it; its end is one. */
static void loop_fork(struct loop *loop)
{
	pid_t children[PROCESSES_MAX];
	unsigned at;

	for (at = 0; at < loop->options->processes; at++) {
		children[at] = fork();
		if (children[at] < 0)
			abort();
		if (children[at] == 0) {
			loop_process(loop, at);
			_exit(0);
		}
	}
	for (at = 0; at < loop->options->processes; at++) {
		int status;

		while (waitpid(children[at], &status, 0) < 0)
			if (errno != EINTR)
				abort();
		if (status != 0) {
			atomic_store(&loop->shared->stop, true);
			(void)complain_of(&loop->reports[at].complaint,
					  check_workload,
					  "the process died: status %d",
					  status);
		}
	}
}

bool crashloop_run(const struct crashloop_options *options,
		   struct crashloop_report *ret_report)
{
	struct loop loop = {
		.options = options,
		.shared = crash_shared_new(
			options->images_min ? options->images_min : 1u << 18),
		.reports = mmap(NULL, PROCESSES_MAX * sizeof(*ret_report),
				PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};

	assert(loop.reports != MAP_FAILED);
	assert(options->processes > 0 && options->processes <= PROCESSES_MAX);
	/* Else each open begins by clearing 2 MiB. */
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (options->processes == 1)
		loop_process(&loop, 0);
	else
		loop_fork(&loop);
	*ret_report = (struct crashloop_report){.seed = options->seed};
	for (unsigned at = 0; at < options->processes; at++)
		if (loop.reports[at].complaint.check)
			*ret_report = loop.reports[at];
	for (int at = 0; at < CRASH_COUNT_COUNT; at++)
		ret_report->counts[at] = atomic_load(&loop.shared->counts[at]);
	munmap(loop.reports, PROCESSES_MAX * sizeof(*ret_report));
	crash_shared_free(loop.shared);
	return !ret_report->complaint.check;
}

static const char *const texts[] = {
#define CRASH_COUNT_TEXT(name, text) [CRASH_##name] = text,
	CRASH_COUNT_LIST(CRASH_COUNT_TEXT)
#undef CRASH_COUNT_TEXT
};

const char *crashloop_never(const struct crashloop_report *report)
{
	for (int at = 0; at < CRASH_COUNT_COUNT; at++)
		if (report->counts[at] == 0)
			return texts[at];
	return NULL;
}

void crashloop_print(const struct crashloop_report *report)
{
	for (int at = 0; at < CRASH_COUNT_COUNT; at++)
		printf("count: crash %s: %" PRIu64 "\n", texts[at],
		       report->counts[at]);
}

uint64_t seed_from_environment(uint64_t seed, bool *ret_given)
{
	const char *text = getenv("WAYBILL_SEED");

	*ret_given = text && *text;
	return *ret_given ? strtoull(text, NULL, 0) : seed;
}
