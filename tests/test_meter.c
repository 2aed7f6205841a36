/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"

#include "tests/support/suite.h"

#include <string.h>

enum { MIB = 1 << 20, TOLD_MAX = 64 };

static struct wb_progress told[TOLD_MAX];
static size_t count;

static void take(void *context, const struct wb_progress *progress)
{
	ck_assert_ptr_eq(context, told);
	ck_assert_uint_eq(progress->size, sizeof(*progress));
	ck_assert_uint_lt(count, TOLD_MAX);
	told[count++] = *progress;
}

static struct meter new_meter(void)
{
	count = 0;
	return (struct meter){.tell = take, .context = told};
}

START_TEST(a_phase_begins_with_nothing_and_ends_with_all)
{
	struct meter meter = new_meter();

	meter_begin(&meter, "check", "bytes", 5000);
	meter_at(&meter, 4999);
	meter_end(&meter);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(told[0].phase, "check");
	ck_assert_str_eq(told[0].unit, "bytes");
	ck_assert_uint_eq(told[0].done, 0);
	ck_assert_uint_eq(told[0].total, 5000);
	ck_assert_uint_eq(told[1].done, 5000);
	ck_assert_uint_eq(told[1].total, 5000);
}
END_TEST

START_TEST(each_mebibyte_is_told_and_each_thousand_of_anything_else)
{
	static const struct {
		const char *unit;
		uint64_t step;
	} units[] = {{"bytes", MIB}, {"commits", 1000}};

	for (size_t unit = 0; unit < 2; unit++) {
		uint64_t step = units[unit].step;
		struct meter meter = new_meter();

		meter_begin(&meter, "x", units[unit].unit, 10 * step);
		for (uint64_t done = 0; done < 10 * step; done += step / 100)
			meter_at(&meter, done);
		ck_assert_uint_ge(count, 9);
		for (size_t at = 1; at < count; at++) {
			uint64_t more = told[at].done - told[at - 1].done;

			ck_assert_uint_ge(more, step);
			ck_assert_uint_le(more, step + step / 100);
		}
	}
}
END_TEST

START_TEST(done_is_never_more_than_the_total_nor_less_than_it_was)
{
	struct meter meter = new_meter();

	meter_begin(&meter, "x", "bytes", 3 * MIB);
	meter_at(&meter, 2 * MIB);
	meter_at(&meter, MIB);
	meter_at(&meter, 9 * MIB);
	meter_at(&meter, 10 * MIB);
	meter_end(&meter);
	ck_assert_uint_eq(count, 4);
	ck_assert_uint_eq(told[1].done, 2 * MIB);
	ck_assert_uint_eq(told[2].done, 3 * MIB);
	ck_assert_uint_eq(told[3].done, 3 * MIB);
}
END_TEST

START_TEST(an_unknown_total_is_known_in_the_end)
{
	struct meter meter = new_meter();

	meter_begin(&meter, "x", "bytes", 0);
	meter_at(&meter, 7 * MIB);
	meter_end(&meter);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(told[1].done, 7 * MIB);
	ck_assert_uint_eq(told[1].total, 0);
	ck_assert_uint_eq(told[2].total, 7 * MIB);
}
END_TEST

START_TEST(a_new_phase_begins_anew)
{
	struct meter meter = new_meter();

	meter_begin(&meter, "x", "bytes", 9 * MIB);
	meter_at(&meter, 8 * MIB);
	meter_begin(&meter, "y", "bytes", 4 * MIB);
	meter_at(&meter, 2 * MIB);
	ck_assert_uint_eq(count, 4);
	ck_assert_str_eq(told[3].phase, "y");
	ck_assert_uint_eq(told[2].done, 0);
	ck_assert_uint_eq(told[3].done, 2 * MIB);
}
END_TEST

START_TEST(where_nobody_asks_nothing_happens)
{
	struct meter deaf = {.tell = NULL};
	struct meter *meters[] = {NULL, &deaf};

	for (size_t at = 0; at < 2; at++) {
		meter_begin(meters[at], "x", "bytes", 5);
		meter_at(meters[at], 5 * MIB);
		meter_end(meters[at]);
	}
	ck_assert_ptr_null(deaf.progress.phase);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("meter");
	TCase *cases = tcase_create("meter");

	tcase_add_test(cases, a_phase_begins_with_nothing_and_ends_with_all);
	tcase_add_test(
		cases,
		each_mebibyte_is_told_and_each_thousand_of_anything_else);
	tcase_add_test(cases,
		       done_is_never_more_than_the_total_nor_less_than_it_was);
	tcase_add_test(cases, an_unknown_total_is_known_in_the_end);
	tcase_add_test(cases, a_new_phase_begins_anew);
	tcase_add_test(cases, where_nobody_asks_nothing_happens);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
