/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions of a key are found newest first, from any revision down, a
 * bounded number of entries at a time, as looking at every entry would find
 * them.
 */
#include "log/entries.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>

static struct entries entries;
static struct log_entry *added; /* the same, plain */

static void tear_down(void)
{
	entries_release(&entries);
	free(added);
	added = NULL;
}

static void begin(uint64_t first_revision, size_t count)
{
	entries_begin(&entries, first_revision);
	added = calloc(count, sizeof(*added));
	ck_assert_ptr_nonnull(added);
}

static void add(const struct log_entry *entry)
{
	ck_ok(entries_reserve(&entries, 1));
	added[entries.count] = *entry;
	entries_add(&entries, entry, 1, 0);
}

/* What finding again and again gives, until there are no more. */
static void find_all(uint64_t seed, uint32_t hash, uint64_t before)
{
	struct places places = {.before = before};
	size_t at = entries.count;
	uint64_t last = before;

	do {
		entries_find(&entries, hash, places.before, &places);
		ck_assert_uint_le(places.count, PLACES_MAX);
		for (size_t place = 0; place < places.count; place++) {
			while (at > 0 && (added[at - 1].hash != hash ||
					  added[at - 1].revision >= last))
				at--;
			ck_assert_msg(at > 0, "seed %" PRIu64 ": one too many",
				      seed);
			last = added[at - 1].revision;
			ck_assert_msg(places.list[place].revision == last &&
					      places.list[place].offset ==
						      added[at - 1].offset &&
					      places.list[place].mutation ==
						      added[at - 1].mutation,
				      "seed %" PRIu64 ": another one", seed);
		}
	} while (places.before > entries.first_revision);
	while (at > 0 &&
	       (added[at - 1].hash != hash || added[at - 1].revision >= last))
		at--;
	ck_assert_msg(at == 0, "seed %" PRIu64 ": one is missing", seed);
}

/* ---- all of them ---- */

/* Commits of one to nine mutations; the hashes are few, so that keys share
 * them, also within a commit. */
static void add_random(struct rng *rng, size_t count, uint64_t first)
{
	struct log_entry entry = {.revision = first, .offset = 8192};

	while (entries.count < count) {
		unsigned mutations = 1 + (unsigned)rng_below(rng, 9);

		for (entry.mutation = 0; entry.mutation < mutations;
		     entry.mutation++) {
			entry.hash = (uint32_t)rng_below(rng, 3) +
				     64 * (uint32_t)rng_below(rng, 40);
			add(&entry);
		}
		entry.revision++;
		entry.offset += 8 * (1 + rng_below(rng, 100));
	}
}

START_TEST(versions_are_found_newest_first_below_any_revision)
{
	static const uint64_t firsts[] = {1, 1000, UINT64_C(1) << 40};

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct rng rng = rng_of(seed);
		uint64_t first = firsts[seed % 3], head;

		begin(first, 5010);
		add_random(&rng, 5000, first);
		head = added[entries.count - 1].revision;
		for (unsigned look = 0; look < 500; look++) {
			uint32_t hash = (uint32_t)rng_below(&rng, 3) +
					64 * (uint32_t)rng_below(&rng, 42);
			uint64_t before =
				first + rng_below(&rng, head - first + 3);

			find_all(seed, hash, before);
		}
		find_all(seed, 64, UINT64_MAX);
		find_all(seed, 64, 0);
		tear_down();
	}
}
END_TEST

START_TEST(without_entries_nothing_is_found)
{
	struct places places;

	entries_begin(&entries, 5);
	entries_find(&entries, 0, UINT64_MAX, &places);
	ck_assert_uint_eq(places.count, 0);
	ck_assert_uint_eq(places.before, 5);
	ck_ok(entries_reserve(&entries, 10));
	entries_find(&entries, 0, UINT64_MAX, &places);
	ck_assert_uint_eq(places.count, 0);
	ck_assert_uint_eq(places.before, 5);
}
END_TEST

/* The hash four times in each commit, also where the list of places is
 * full: each commit is one place, that of its last one. */
START_TEST(a_commit_is_found_once)
{
	struct log_entry entry = {.revision = 1, .offset = 8192};
	struct places places = {.before = UINT64_MAX};
	uint64_t expected = 200;

	begin(1, 1000);
	for (entry.revision = 1; entry.revision <= 200; entry.revision++)
		for (entry.mutation = 0; entry.mutation < 4; entry.mutation++)
			add(&entry);
	do {
		entries_find(&entries, 0, places.before, &places);
		for (size_t at = 0; at < places.count; at++, expected--) {
			ck_assert_uint_eq(places.list[at].revision, expected);
			ck_assert_uint_eq(places.list[at].mutation, 3);
		}
	} while (places.before > 1);
	ck_assert_uint_eq(expected, 0);
}
END_TEST

/* A lock is held meanwhile. Of commits of three: the rest of one is looked at
 * besides. */
START_TEST(a_look_is_short)
{
	struct log_entry entry = {.revision = 1, .offset = 8192};
	struct places places = {.before = 20001};
	uint64_t before;
	unsigned looks = 0;

	begin(1, 3 * 20000);
	for (; entry.revision <= 20000; entry.revision++)
		for (entry.mutation = 0; entry.mutation < 3; entry.mutation++) {
			entry.hash = entry.revision > 1;
			add(&entry);
		}
	do {
		before = places.before;
		entries_find(&entries, 0, before, &places);
		ck_assert_uint_lt(places.before, before);
		ck_assert_uint_lt((before - places.before) * 3,
				  ENTRIES_LOOK_MAX + 3);
		looks++;
	} while (places.before > 1);
	ck_assert_uint_eq(places.count, 1);
	ck_assert_uint_eq(places.list[0].revision, 1);
	ck_assert_uint_ge(looks, 3 * 20000 / (ENTRIES_LOOK_MAX + 3));
}
END_TEST

/* ---- in the order of a footer ---- */

START_TEST(they_are_sorted_by_hash_and_stay_in_the_order_of_the_log)
{
	uint64_t *order = calloc(5010, sizeof(*order));

	ck_assert_ptr_nonnull(order);
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct rng rng = rng_of(seed);
		bool seen[5010] = {false};

		begin(1, 5010);
		add_random(&rng, 5000, 1);
		for (size_t at = 0; at < entries.count && seed % 2; at += 3)
			added[at].hash = (uint32_t)rng_next(&rng);
		entries_release(&entries);
		entries_begin(&entries, 1);
		for (size_t at = 0; at < 5000; at++)
			add(&added[at]);
		entries_sort(&entries, order);
		for (size_t at = 0; at < 5000; at++) {
			uint32_t one = (uint32_t)order[at];

			ck_assert_uint_lt(one, 5000);
			ck_assert_msg(!seen[one], "seed %" PRIu64, seed);
			seen[one] = true;
			ck_assert_uint_eq(entries_get(&entries, one).hash,
					  added[one].hash);
			if (at == 0)
				continue;
			ck_assert_uint_le(added[(uint32_t)order[at - 1]].hash,
					  added[one].hash);
			ck_assert(added[(uint32_t)order[at - 1]].hash !=
					  added[one].hash ||
				  (uint32_t)order[at - 1] < one);
		}
		tear_down();
	}
	free(order);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entries");
	TCase *tests = tcase_create("entries");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests,
		       versions_are_found_newest_first_below_any_revision);
	tcase_add_test(tests, without_entries_nothing_is_found);
	tcase_add_test(tests, a_commit_is_found_once);
	tcase_add_test(tests, a_look_is_short);
	tcase_add_test(
		tests,
		they_are_sorted_by_hash_and_stay_in_the_order_of_the_log);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
