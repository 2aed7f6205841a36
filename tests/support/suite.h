/* SPDX-License-Identifier: Apache-2.0
 *
 * What every Check program repeats.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SUITE_H
#define WAYBILL_TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stdint.h>
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

/* How often to repeat what is random: `full` times with WAYBILL_FULL=1, and
 * under a sanitizer, which is slow and sees each kind of mistake early, a
 * quarter of either. */
static inline uint64_t rounds(uint64_t usual, uint64_t full)
{
	const char *wish = getenv("WAYBILL_FULL");
	uint64_t count = wish && *wish == '1' ? full : usual;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	count = (count + 3) / 4;
#endif
	return count;
}

/* Check cannot skip; the runner reads this line, and tests/skips.txt decides
 * whether the reason is good enough. The case then returns. */
static inline void suite_skip(const char *name, const char *reason)
{
	printf("skip: %s: %s\n", name, reason);
	fflush(stdout);
}

#endif
