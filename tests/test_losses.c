/* SPDX-License-Identifier: Apache-2.0
 *
 * What is lost, in revisions and names, and where the rest has gone.
 */
#include "repair/losses.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

static struct losses losses;

static void set_up(void)
{
	losses = (struct losses){.ranges = NULL};
}

static void tear_down(void)
{
	losses_release(&losses);
}

static struct wb_key key_of(const char *ns, const char *name)
{
	return (struct wb_key){64, {ns, strlen(ns)}, {name, strlen(name)}};
}

static void add(uint64_t revision, const char *name, bool exact)
{
	char copy[32];
	struct wb_key key;

	/* What is added is copied. */
	snprintf(copy, sizeof(copy), "%s", name);
	key = key_of("n", copy);
	ck_ok(losses_name(&losses, &key, revision, exact));
	memset(copy, '#', sizeof(copy));
}

static const char *words(void)
{
	static char text[400];
	size_t used = 0;

	text[0] = 0;
	for (size_t at = 0; at < losses.name_count; at++) {
		const struct wb_salvage_name *name = &losses.names[at];

		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%" PRIu64 ":%.*s%s ", name->revision,
					 (int)name->key.name.size,
					 (const char *)name->key.name.data,
					 name->exact ? "" : "?");
	}
	return text;
}

START_TEST(ranges_that_touch_are_one)
{
	ck_ok(losses_range(&losses, 3, 4));
	ck_ok(losses_range(&losses, 5, 5));
	ck_ok(losses_range(&losses, 9, 12));
	ck_assert_uint_eq(losses.range_count, 2);
	ck_assert_uint_eq(losses.ranges[0].first, 3);
	ck_assert_uint_eq(losses.ranges[0].last, 5);
	for (uint64_t at = 0; at < 20; at++)
		ck_assert_int_eq(losses_is_lost(&losses, at),
				 (at >= 3 && at <= 5) || (at >= 9 && at <= 12));
}
END_TEST

START_TEST(revisions_are_counted_and_moved)
{
	ck_assert_uint_eq(losses_below(&losses, UINT64_MAX), 0);
	ck_assert_uint_eq(losses_old_revision(&losses, 7), 7);
	ck_ok(losses_range(&losses, 3, 4));
	ck_ok(losses_range(&losses, 7, 7));
	ck_assert_uint_eq(losses_below(&losses, 3), 0);
	ck_assert_uint_eq(losses_below(&losses, 4), 1);
	ck_assert_uint_eq(losses_below(&losses, 5), 2);
	ck_assert_uint_eq(losses_below(&losses, 8), 3);
	ck_assert_uint_eq(losses_below(&losses, UINT64_MAX), 3);
	/* 1 2 - - 5 6 - 8 9 are 1 2 3 4 5 6. */
	static const uint64_t old[] = {1, 2, 5, 6, 8, 9};

	for (unsigned at = 0; at < 6; at++) {
		ck_assert_uint_eq(losses_old_revision(&losses, at + 1),
				  old[at]);
		ck_assert_uint_eq(old[at] - losses_below(&losses, old[at]),
				  at + 1);
	}
}
END_TEST

START_TEST(moves_are_the_runs_behind_a_gap)
{
	struct wb_salvage_move move;
	size_t at = 0;

	ck_assert(!losses_next_move(&losses, 9, &at, &move));
	ck_ok(losses_range(&losses, 3, 4));
	ck_ok(losses_range(&losses, 7, 7));
	ck_assert(losses_next_move(&losses, 9, &at, &move));
	ck_assert(move.first == 5 && move.last == 6 && move.to == 3);
	ck_assert(losses_next_move(&losses, 9, &at, &move));
	ck_assert(move.first == 8 && move.last == 9 && move.to == 5);
	ck_assert(!losses_next_move(&losses, 9, &at, &move));
	/* Nothing is behind the last gap. */
	ck_ok(losses_range(&losses, 10, 12));
	at = 2;
	ck_assert(!losses_next_move(&losses, 9, &at, &move));
}
END_TEST

START_TEST(names_of_what_is_not_lost_are_forgotten)
{
	add(5, "e", true);
	add(3, "c", true);
	add(4, "d", false);
	add(0, "z", false);
	ck_ok(losses_range(&losses, 3, 4));
	losses_settle(&losses);
	ck_assert_str_eq(words(), "0:z? 3:c 4:d? ");
}
END_TEST

START_TEST(a_name_is_told_once_and_as_well_as_it_is_known)
{
	ck_ok(losses_range(&losses, 3, 4));
	add(3, "b", false);
	add(3, "b", true);
	add(3, "a", false);
	add(4, "b", false);
	add(3, "a", false);
	losses_settle(&losses);
	ck_assert_str_eq(words(), "3:a? 3:b 4:b? ");
}
END_TEST

START_TEST(names_differ_by_kind_and_namespace_too)
{
	struct wb_key keys[] = {key_of("n", "a"), key_of("m", "a"),
				key_of("", "na"), key_of("n", "a")};

	ck_ok(losses_range(&losses, 3, 3));
	keys[3].kind = 65;
	for (unsigned at = 0; at < 4; at++)
		ck_ok(losses_name(&losses, &keys[at], 3, true));
	losses_settle(&losses);
	ck_assert_uint_eq(losses.name_count, 4);
	ck_assert_uint_eq(losses.names[0].key.ns.size, 0);
	ck_assert_mem_eq(losses.names[1].key.ns.data, "m", 1);
	ck_assert_uint_eq(losses.names[3].key.kind, 65);
}
END_TEST

START_TEST(revisions_without_any_name_are_counted)
{
	ck_ok(losses_range(&losses, 3, 5));
	ck_ok(losses_range(&losses, 8, 9));
	losses_settle(&losses);
	ck_assert_uint_eq(losses.revisions_nameless, 5);
	add(0, "z", false);
	add(4, "a", true);
	add(4, "b", false);
	add(7, "c", true);
	add(9, "d", false);
	losses_settle(&losses);
	ck_assert_uint_eq(losses.revisions_nameless, 3);
}
END_TEST

START_TEST(names_behind_an_unknown_end_are_kept_and_not_counted)
{
	ck_ok(losses_range(&losses, 3, 4));
	add(2, "a", false);
	add(5, "b", false);
	add(6, "c", false);
	losses.unknown_from = 6;
	losses_settle(&losses);
	ck_assert_str_eq(words(), "6:c? ");
	ck_assert_uint_eq(losses.revisions_nameless, 2);
}
END_TEST

START_TEST(unknown_names_count_where_something_is_lost)
{
	ck_ok(losses_range(&losses, 3, 4));
	ck_ok(losses_unknown(&losses, 4, 8, 10));
	ck_ok(losses_unknown(&losses, 5, 8, 200));
	ck_ok(losses_unknown(&losses, 1, UINT64_MAX, 3000));
	ck_ok(losses_unknown(&losses, 0, 0, 40000));
	losses_settle(&losses);
	ck_assert_uint_eq(losses.names_unknown, 3010);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("losses");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, ranges_that_touch_are_one);
	tcase_add_test(tcase, revisions_are_counted_and_moved);
	tcase_add_test(tcase, moves_are_the_runs_behind_a_gap);
	tcase_add_test(tcase, names_of_what_is_not_lost_are_forgotten);
	tcase_add_test(tcase, a_name_is_told_once_and_as_well_as_it_is_known);
	tcase_add_test(tcase, names_differ_by_kind_and_namespace_too);
	tcase_add_test(tcase, revisions_without_any_name_are_counted);
	tcase_add_test(tcase,
		       names_behind_an_unknown_end_are_kept_and_not_counted);
	tcase_add_test(tcase, unknown_names_count_where_something_is_lost);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
