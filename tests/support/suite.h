/* SPDX-License-Identifier: Apache-2.0
 *
 * What every Check program repeats.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SUITE_H
#define WAYBILL_TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stdbool.h>
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

/* WAYBILL_SEED, or 1. */
static inline uint64_t first_seed(void)
{
	const char *wish = getenv("WAYBILL_SEED");

	return wish && *wish ? strtoull(wish, NULL, 0) : 1;
}

/* WAYBILL_FULL=1: longer loops are wanted. */
static inline bool full_run(void)
{
	const char *wish = getenv("WAYBILL_FULL");

	return wish && *wish == '1';
}

/* How often to repeat what is random: `full` times in a full run, and under a
 * sanitizer, which is slow and sees each kind of mistake early, a quarter of
 * either. */
static inline uint64_t rounds(uint64_t usual, uint64_t full)
{
	uint64_t count = full_run() ? full : usual;

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
