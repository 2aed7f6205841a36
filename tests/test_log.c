/* SPDX-License-Identifier: Apache-2.0
 *
 * The log as a whole: what was acknowledged is served again, whatever way
 * the handle before ended.
 */
#include "log/log.h"

#include "tests/support/lab.h"
#include "tests/support/suite.h"

static struct lab lab;

static void set_up(void)
{
	lab_init(&lab, 1);
	lab.options.create = true;
	ck_ok(lab_open(&lab));
}

static void tear_down(void)
{
	lab_release(&lab);
}

static void put_many(unsigned count, size_t value_bytes)
{
	for (unsigned at = 0; at < count; at++) {
		ck_ok(lab_put(&lab, value_bytes));
		simenv_advance(&lab.env, 1000);
		log_settle(lab.log);
	}
}

START_TEST(a_new_log_is_empty_and_opens_again)
{
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab_segments(&lab), 1);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab_segments(&lab), 1);
}
END_TEST

START_TEST(what_was_appended_is_there_after_close)
{
	put_many(10, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	put_many(3, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab_segments(&lab), 1);
	ck_assert_uint_eq(simenv_count(&lab.env, DIAG_WARNING), 0);
}
END_TEST

START_TEST(what_was_appended_is_there_after_a_kill)
{
	for (unsigned round = 0; round < 5; round++) {
		put_many(4, 100);
		lab_abandon(&lab);
		ck_ok(lab_reopen(&lab));
	}
	ck_assert_uint_eq(lab_segments(&lab), 6);
	ck_assert_uint_eq(simenv_count(&lab.env, DIAG_WARNING), 0);
}
END_TEST

START_TEST(full_segments_are_sealed_and_followed)
{
	put_many(200, 300);
	ck_assert_uint_gt(lab_segments(&lab), 5);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	put_many(100, 300);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_new_log_is_empty_and_opens_again);
	tcase_add_test(tests, what_was_appended_is_there_after_close);
	tcase_add_test(tests, what_was_appended_is_there_after_a_kill);
	tcase_add_test(tests, full_segments_are_sealed_and_followed);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
