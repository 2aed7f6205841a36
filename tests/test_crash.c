/* SPDX-License-Identifier: Apache-2.0
 *
 * Power is cut everywhere. The loop is in tests/support/crashloop.h; below
 * it, faults of the design's list by number, each shown to be what it says.
 *
 * WAYBILL_SEED runs one workload again. WAYBILL_FULL=1: ten times as many.
 */
#include "tests/support/crashloop.h"
#include "tests/support/scenario.h"
#include "tests/support/suite.h"

#include <inttypes.h>

/* Sanitizers are slow, and see each kind of image early. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 20u
#elif !defined(__OPTIMIZE__)
#define SLOWER 10u
#else
#define SLOWER 1u
#endif

START_TEST(every_image_of_every_moment_keeps_the_promises)
{
	bool full = getenv("WAYBILL_FULL") != NULL;
	struct crashloop_options options = {
		.images_min = (full ? 1000000u : 100000u) / SLOWER,
		.processes = full ? 2 : 1,
	};
	struct crashloop_report report;
	const char *never;
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
	/* A thing that never happened was not tested. */
	never = crashloop_never(&report);
	if (!given && SLOWER == 1)
		ck_assert_msg(!never, "never: %s", never);
}
END_TEST

#define SCENARIO_TEST(name)                                     \
	START_TEST(test_##name)                                 \
	{                                                       \
		struct complaint complaint;                     \
                                                                \
		if (!name(&complaint))                          \
			ck_abort_msg("%s: %s", complaint.check, \
				     complaint.text);           \
	}                                                       \
	END_TEST
SCENARIO_LIST(SCENARIO_TEST)

int main(void)
{
	Suite *suite = suite_create("crash");
	TCase *loop = tcase_create("loop");
	TCase *scenario = tcase_create("scenario");

	tcase_set_timeout(loop, 280);
	tcase_add_test(loop, every_image_of_every_moment_keeps_the_promises);
#define SCENARIO_ADD(name) tcase_add_test(scenario, test_##name);
	SCENARIO_LIST(SCENARIO_ADD)
	suite_add_tcase(suite, scenario);
	suite_add_tcase(suite, loop);
	return suite_run(suite);
}
