/* SPDX-License-Identifier: Apache-2.0
 *
 * Power is cut everywhere. The loop is in tests/support/crashloop.h; below
 * it, faults of the design's list by number, each shown to be what it says.
 *
 * WAYBILL_SEED runs one workload again. WAYBILL_FULL=1: ten times as many.
 */
#include "tests/support/crashloop.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Sanitizers are slow, and see each kind of image early. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 20
#else
#define SLOWER 1
#endif

START_TEST(every_image_of_every_moment_keeps_the_promises)
{
	bool full = getenv("WAYBILL_FULL") != NULL;
	struct crashloop_options options = {
		.images_min = (full ? 1000000 : 100000) / SLOWER,
		.processes = full ? 2 : 1,
	};
	struct crashloop_report report;
	bool given, good;

	options.seed = seed_from_environment(1, &given);
	if (given)
		options.workloads_max = 1;
	good = crashloop_run(&options, &report);
	crashloop_print(&report);
	if (!good)
		ck_abort_msg("%s: %s\nWAYBILL_SEED=%" PRIu64 " shows it again",
			     report.complaint.check, report.complaint.text,
			     report.seed);
	ck_assert(given || report.counts[CRASH_IMAGES] >= options.images_min);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("crash");
	TCase *loop = tcase_create("loop");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_set_timeout(loop, 280);
	tcase_add_test(loop, every_image_of_every_moment_keeps_the_promises);
	suite_add_tcase(suite, loop);
	srunner_run_all(runner, CK_ENV);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures != 0;
}
