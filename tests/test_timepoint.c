/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/timepoint.h"

#include "tests/support/suite.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
/* 2026-08-01T12:00:00Z; `date -u -d @1785585600` says so too. */
#define NOW (INT64_C(1785585600) * SECOND)

static struct timepoint parse(const char *text)
{
	struct timepoint point = {0};
	struct wb_text why = {""};

	ck_assert_msg(timepoint_parse(text, NOW, &point, &why) == WB_OK,
		      "%s: %s", text, why.text);
	return point;
}

START_TEST(a_bare_number_counts_versions_back)
{
	static const struct {
		const char *text;
		uint64_t number;
	} table[] = {{"0", 0},
		     {"1", 1},
		     {"007", 7},
		     {"2026", 2026},
		     {"18446744073709551615", UINT64_MAX}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct timepoint point = parse(table[i].text);

		ck_assert_int_eq(point.kind, TIMEPOINT_VERSIONS_BACK);
		ck_assert_uint_eq(point.number, table[i].number);
	}
}
END_TEST

START_TEST(r_and_a_number_is_a_revision)
{
	ck_assert_int_eq(parse("r17").kind, TIMEPOINT_REVISION);
	ck_assert_uint_eq(parse("r17").number, 17);
	ck_assert_uint_eq(parse("r18446744073709551615").number, UINT64_MAX);
}
END_TEST

/* Seconds since 1970 of well-known moments, from outside this program:
 * RFC 3339 5.8 has the first of these in its examples, the others are what
 * `date -u -d TIME +%s` prints. */
START_TEST(rfc_3339_times_and_dates)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int64_t ns;
	} table[] = {
		{"1985-04-12T23:20:50.52Z", 482196050, 520000000},
		{"1996-12-19T16:39:57-08:00", 851042397, 0},
		{"1996-12-20T00:39:57Z", 851042397, 0},
		{"1990-12-31T23:59:60Z", 662688000, 0},
		{"1990-12-31T15:59:60-08:00", 662688000, 0},
		{"1937-01-01T12:00:27.87+00:20", -1041337173, 870000000},
		{"1970-01-01T00:00:00Z", 0, 0},
		{"1970-01-01", 0, 0},
		{"1969-12-31T23:59:59.999999999Z", -1, 999999999},
		{"2000-02-29", 951782400, 0},
		{"2000-03-01", 951868800, 0},
		{"2024-02-29t12:34:56z", 1709210096, 0},
		{"2038-01-19T03:14:08Z", INT64_C(2147483648), 0},
		{"2026-08-01T12:00:00.0000000019Z", 1785585600, 1},
		{"2026-08-01T12:00:00.9999999999999Z", 1785585600, 999999999},
		{"1678-01-01", -9214560000, 0},
		{"2261-12-31T23:59:59Z", INT64_C(9214646399), 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct timepoint point = parse(table[i].text);

		ck_assert_int_eq(point.kind, TIMEPOINT_TIME);
		ck_assert_msg(point.time_ns ==
				      table[i].seconds * SECOND + table[i].ns,
			      "%s: %lld", table[i].text,
			      (long long)point.time_ns);
	}
}
END_TEST

START_TEST(ago_counts_from_the_clock_that_is_passed_in)
{
	static const struct {
		const char *text;
		int64_t seconds_before;
	} table[] = {
		{"now", 0},
		{"yesterday", 86400},
		{"1 second ago", 1},
		{"90 seconds ago", 90},
		{"1 minute ago", 60},
		{"5 hours ago", 18000},
		{"3 days ago", 259200},
		{"3.days.ago", 259200},
		{"1 day ago", 86400},
		{"2 weeks ago", 1209600},
		{"0 days ago", 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		ck_assert_msg(parse(table[i].text).time_ns ==
				      NOW - table[i].seconds_before * SECOND,
			      "%s", table[i].text);
}
END_TEST

START_TEST(what_is_no_point_is_refused_with_a_sentence)
{
	static const char *const table[] = {
		"",
		" ",
		"-1",
		"+1",
		"1 ",
		"r",
		"r-1",
		"r1x",
		"R1",
		"18446744073709551616",
		"r18446744073709551616",
		"2026-08-01T12:00:00", /* whose midnight? */
		"2026-08-01 12:00:00Z",
		"2026-08-01T12:00Z",
		"2026-8-1",
		"2026-13-01",
		"2026-00-01",
		"2026-02-29",
		"2026-02-00",
		"1900-02-29",
		"2026-04-31",
		"2026-08-01T24:00:00Z",
		"2026-08-01T12:60:00Z",
		"2026-08-01T12:00:60Z",
		"2026-08-01T12:00:61Z",
		"2026-08-01T12:00:00.Z",
		"2026-08-01T12:00:00+2:00",
		"2026-08-01T12:00:00+24:00",
		"2026-08-01T12:00:00Zx",
		"2026-08-01x",
		"1677-01-01",
		"2263-01-01",
		"tomorrow",
		"Yesterday",
		"days ago",
		"3 days",
		"3 days ago ",
		"3 days ago now",
		"3 dayss ago",
		"3 months ago",
		"x days ago",
		"9223372036854775807 weeks ago",
		"99999999999999999999 days ago",
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct timepoint point = {.number = 4711};
		struct wb_text why = {""};

		ck_assert_msg(timepoint_parse(table[i], NOW, &point, &why) ==
				      WB_BAD_INPUT,
			      "accepted: %s", table[i]);
		ck_assert_uint_eq(point.number, 4711);
		ck_assert_ptr_nonnull(strstr(why.text, table[i]));
		ck_assert_int_eq(timepoint_parse(table[i], NOW, &point, NULL),
				 WB_BAD_INPUT);
	}
}
END_TEST

START_TEST(a_date_out_of_range_is_said_to_be_one)
{
	static const struct {
		const char *text;
		bool date;
	} table[] = {
		{"9999-12-31", true},
		{"0000-01-01", true},
		{"0000-02-29", true}, /* divisible by 400 */
		{"1500-02-29", false},
		{"1677-01-01", true},
		{"1677-09-21", true}, /* its noon is not */
		{"2262-04-12", true},
		{"2400-02-29", true},
		{"9999-12-31T23:59:59.5+02:00", true},
		{"9999-13-31", false},
		{"99999-12-31", false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct timepoint point;
		struct wb_text why = {""};

		ck_error(timepoint_parse(table[i].text, NOW, &point, &why),
			 WB_BAD_INPUT);
		ck_assert_msg(!strstr(why.text, "out of range") ==
				      !table[i].date,
			      "%s", why.text);
	}
}
END_TEST

START_TEST(the_last_brace_pair_at_the_end_is_the_point)
{
	static const struct {
		const char *argument;
		int at; /* -1: none */
	} table[] = {
		{"redis@{1}", 5},   {"redis@{}", 5},  {"a@{x}@{2}", 5},
		{"redis", -1},	    {"redis@{1", -1}, {"redis@{1}x", -1},
		{"", -1},	    {"}", -1},	      {"@{1}", 0},
		{"a@sha256:}", -1}, {"redis{1}", -1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *found = timepoint_find(table[i].argument);

		ck_assert_msg((found ? found - table[i].argument : -1) ==
				      table[i].at,
			      "%s", table[i].argument);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timepoint");
	TCase *cases = tcase_create("timepoint");

	tcase_add_test(cases, a_bare_number_counts_versions_back);
	tcase_add_test(cases, r_and_a_number_is_a_revision);
	tcase_add_test(cases, rfc_3339_times_and_dates);
	tcase_add_test(cases, ago_counts_from_the_clock_that_is_passed_in);
	tcase_add_test(cases, what_is_no_point_is_refused_with_a_sentence);
	tcase_add_test(cases, a_date_out_of_range_is_said_to_be_one);
	tcase_add_test(cases, the_last_brace_pair_at_the_end_is_the_point);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
