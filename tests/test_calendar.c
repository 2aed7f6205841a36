/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading RFC 3339 is tested in test_timepoint, whose words contain it.
 */
#include "base/calendar.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
/* 2026-08-01T12:00:00Z; `date -u -d @1785585600` says so too. */
#define NOW (INT64_C(1785585600) * SECOND)

START_TEST(times_are_formatted_in_utc)
{
	static const struct {
		int64_t time_ns;
		bool whole_seconds;
		const char *text;
	} table[] = {
		{0, false, "1970-01-01T00:00:00Z"},
		{1, false, "1970-01-01T00:00:00.000000001Z"},
		{1, true, "1970-01-01T00:00:00Z"},
		{-1, false, "1969-12-31T23:59:59.999999999Z"},
		{-1, true, "1969-12-31T23:59:59Z"},
		{NOW, false, "2026-08-01T12:00:00Z"},
		{NOW + 500000000, false, "2026-08-01T12:00:00.500000000Z"},
		{951782400 * SECOND, false, "2000-02-29T00:00:00Z"},
		{INT64_MIN, false, "1677-09-21T00:12:43.145224192Z"},
		{INT64_MAX, false, "2262-04-11T23:47:16.854775807Z"},
	};

	setenv("TZ", "Asia/Kathmandu", 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char text[TIME_TEXT_BYTES];

		time_format(table[i].time_ns, table[i].whole_seconds, text);
		ck_assert_str_eq(text, table[i].text);
	}
}
END_TEST

/* Every day of the range, and a second that wanders through the day. */
START_TEST(each_day_reads_back_as_it_was_written)
{
	int64_t first = -106000;
	int64_t last = 106000;

	for (int64_t day = first; day <= last; day++) {
		int64_t seconds = day * 86400 + (day * 7919 % 86400);
		char text[TIME_TEXT_BYTES];
		int64_t time_ns = 0;

		time_format(seconds * SECOND, false, text);
		ck_assert_msg(time_parse(text, &time_ns), "%s", text);
		ck_assert_msg(time_ns == seconds * SECOND, "%s", text);
	}
}
END_TEST

/* libc has a calendar of its own. */
START_TEST(libc_says_the_same)
{
	struct rng rng = rng_of(1);

	for (unsigned times = 0; times < 20000; times++) {
		int64_t time_ns = (int64_t)rng_next(&rng);
		time_t seconds = time_ns / SECOND - (time_ns % SECOND < 0);
		char text[TIME_TEXT_BYTES], expected[64];
		struct tm parts;

		gmtime_r(&seconds, &parts);
		strftime(expected, 32, "%Y-%m-%dT%H:%M:%S", &parts);
		time_format(time_ns, true, text);
		ck_assert_uint_eq(strlen(text), strlen(expected) + 1);
		ck_assert_int_eq(memcmp(text, expected, strlen(expected)), 0);
	}
}
END_TEST

START_TEST(what_is_written_is_read_as_the_same_time)
{
	static const int64_t ends[] = {INT64_MIN, INT64_MAX, 0, SECOND,
				       -SECOND};
	struct rng rng = rng_of(2);

	for (unsigned times = 0; times < 20000; times++) {
		int64_t time_ns = (int64_t)rng_next(&rng), again = 4711;
		char text[TIME_TEXT_BYTES];

		if (times < 500)
			time_ns = (int64_t)((uint64_t)ends[times % 5] +
					    times / 5 - 50);
		time_format(time_ns, false, text);
		ck_assert_msg(time_parse(text, &again) && again == time_ns,
			      "%s", text);
	}
}
END_TEST

START_TEST(what_is_refused_is_left_untouched)
{
	static const char *const table[] = {
		"",
		"2026-02-29",
		"2026-08-01T12:00:00",
		"now",
		"2026-08-01T12:00:00Zx",
		"2263-01-01",
		"1677-01",
		"2262-04-11T23:47:16.854775808Z",
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int64_t time_ns = 4711;

		ck_assert_msg(!time_parse(table[i], &time_ns), "%s", table[i]);
		ck_assert_int_eq(time_ns, 4711);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("calendar");
	TCase *cases = tcase_create("calendar");

	tcase_add_test(cases, times_are_formatted_in_utc);
	tcase_add_test(cases, each_day_reads_back_as_it_was_written);
	tcase_add_test(cases, libc_says_the_same);
	tcase_add_test(cases, what_is_written_is_read_as_the_same_time);
	tcase_add_test(cases, what_is_refused_is_left_untouched);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
