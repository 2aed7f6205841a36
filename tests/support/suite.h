/* SPDX-License-Identifier: Apache-2.0
 *
 * What every Check program repeats.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SUITE_H
#define WAYBILL_TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <waybill/error.h>

#define ck_ok(call) ck_error(call, WB_OK)
#define ck_error(call, expected) \
	ck_assert_str_eq(wb_error_code(call), wb_error_code(expected))

/* Run it; the exit status of main. */
static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Check cannot skip; the runner reads this line, and tests/skips.txt decides
 * whether the reason is good enough. The case then returns. */
static inline void suite_skip(const char *name, const char *reason)
{
	printf("skip: %s: %s\n", name, reason);
	fflush(stdout);
}

#endif
