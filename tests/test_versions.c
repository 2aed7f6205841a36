/* SPDX-License-Identifier: Apache-2.0
 *
 * Old versions, against a list that is searched from one end to the other.
 */
#include "store/versions.h"

#include "tests/support/keys.h"

static struct heap *heap;
static struct versions *versions;

static void set_up(void)
{
	heap = heap_new();
	versions = versions_new(heap);
	ck_assert_ptr_nonnull(versions);
}

/* Whatever was pinned goes with them, and nothing else is left. */
static void tear_down(void)
{
	versions_release(versions);
	ck_assert_uint_eq(heap_live_bytes(heap), 0);
	heap_release(heap);
}

static struct wb_bytes bytes(const char *text)
{
	return (struct wb_bytes){text, strlen(text)};
}

static struct record *pin(const char *key, uint64_t revision,
			  uint64_t superseded_at)
{
	struct record *record =
		record_make(heap, key, strlen(key), 20, revision);

	ck_assert(versions_pin(versions, record, superseded_at));
	return record;
}

static const struct record *find(const char *key, uint64_t revision)
{
	bool damaged = false;
	const struct record *record =
		versions_find(versions, key, strlen(key), revision, &damaged);

	ck_assert(!damaged);
	return record;
}

static const struct record *next(const char *prefix, const char *after,
				 uint64_t revision)
{
	bool damaged = false;
	const struct record *record =
		versions_next(versions, bytes(prefix), bytes(after), revision,
			      &damaged);

	ck_assert(!damaged);
	return record;
}

START_TEST(a_version_is_current_from_its_commit_to_the_next)
{
	struct record *second = pin("a", 2, 5);
	struct record *fifth = pin("a", 5, 9);

	ck_assert_ptr_null(find("a", 1));
	ck_assert_ptr_eq(find("a", 2), second);
	ck_assert_ptr_eq(find("a", 4), second);
	ck_assert_ptr_eq(find("a", 5), fifth);
	ck_assert_ptr_eq(find("a", 8), fifth);
	ck_assert_ptr_null(find("a", 9));
	ck_assert_ptr_null(find("b", 4));
	ck_assert_ptr_null(find("", 4));
}
END_TEST

/* A key that was deleted and put again leaves a gap. */
START_TEST(between_two_lives_a_key_is_not_there)
{
	struct record *first = pin("a", 1, 3);
	struct record *second = pin("a", 6, 7);

	ck_assert_ptr_eq(find("a", 2), first);
	ck_assert_ptr_null(find("a", 4));
	ck_assert_ptr_null(next("a", "", 4));
	ck_assert_ptr_eq(find("a", 6), second);
}
END_TEST

START_TEST(next_keeps_to_prefix_after_and_revision)
{
	struct record *a = pin("a", 1, 10);
	struct record *ab = pin("ab", 1, 10);
	struct record *abc = pin("abc", 4, 10);
	struct record *b = pin("b", 1, 10);

	ck_assert_ptr_eq(next("", "", 5), a);
	ck_assert_ptr_eq(next("", "a", 5), ab);
	ck_assert_ptr_eq(next("a", "a", 5), ab);
	ck_assert_ptr_eq(next("a", "ab", 5), abc);
	ck_assert_ptr_eq(next("", "ab", 3), b);
	ck_assert_ptr_null(next("a", "ab", 3));
	ck_assert_ptr_eq(next("ab", "a", 5), ab);
	ck_assert_ptr_eq(next("ab", "", 5), ab);
	ck_assert_ptr_null(next("ab", "b", 5));
	ck_assert_ptr_null(next("c", "", 5));
	ck_assert_ptr_null(next("", "b", 5));
	ck_assert_ptr_null(next("", "", 10));
}
END_TEST

START_TEST(reclaim_frees_what_the_oldest_view_cannot_see)
{
	struct record *kept;

	pin("a", 1, 4);
	pin("b", 2, 4);
	kept = pin("a", 4, 6);
	versions_reclaim(versions, 3);
	ck_assert_uint_eq(versions_count(versions), 3);
	versions_reclaim(versions, 4);
	ck_assert_uint_eq(versions_count(versions), 1);
	ck_assert_ptr_eq(find("a", 5), kept);
	versions_reclaim(versions, UINT64_MAX);
	ck_assert_uint_eq(versions_count(versions), 0);
	ck_assert_uint_eq(versions_bytes(versions), 0);
	ck_assert_ptr_null(find("a", 5));
}
END_TEST

START_TEST(bytes_are_those_of_records_and_more)
{
	size_t size = record_size(pin("a", 1, 4));
	uint64_t one = versions_bytes(versions);

	ck_assert_uint_gt(one, size);
	pin("a", 4, 5);
	ck_assert_uint_gt(versions_bytes(versions), one + size);
	versions_reclaim(versions, 4);
	ck_assert_uint_gt(versions_bytes(versions), size);
}
END_TEST

/* ---- damage ---- */

/* Every bit of every byte of one record in the middle: whatever is asked, the
 * answer is right or it is "damaged". Then everything can still be freed. */
START_TEST(a_flipped_bit_is_found_or_harmless)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e"};
	struct record *records[5];
	unsigned found = 0, said = 0;
	uint8_t *victim;
	size_t size;

	for (unsigned i = 0; i < 5; i++)
		records[i] = pin(keys[i], 2, 9);
	victim = (uint8_t *)records[2];
	size = record_size(records[2]);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		victim[bit / 8] ^= (uint8_t)(1 << bit % 8);
		for (unsigned i = 0; i < 5; i++) {
			bool damaged = false;
			const struct record *record =
				versions_find(versions, keys[i], 1, 4,
					      &damaged);

			ck_assert_msg(damaged ? !record
					      : i != 2 && record == records[i],
				      "bit %zu, key %u", bit, i);
			said += damaged;
			found += !damaged;
			damaged = false;
			record = versions_next(versions, bytes(""),
					       bytes(i ? keys[i - 1] : ""), 4,
					       &damaged);
			ck_assert_msg(damaged ? !record
					      : i != 2 && record == records[i],
				      "next: bit %zu, key %u", bit, i);
		}
		victim[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_uint_ge(said, 8 * size);
	ck_assert_uint_gt(found, 8 * size);
}
END_TEST

START_TEST(a_damaged_key_does_not_keep_its_neighbours)
{
	struct record *record;

	pin("a", 1, 4);
	record = pin("b", 1, 5);
	pin("c", 1, 6);
	record->bytes[0] ^= 0x40;
	versions_reclaim(versions, 5);
	ck_assert_uint_eq(versions_count(versions), 1);
	ck_assert_ptr_nonnull(find("c", 2));
}
END_TEST

/* In a heap of its own, for a record of damaged sizes is lost to it. */
START_TEST(whatever_bit_is_damaged_all_can_be_freed)
{
	struct versions *versions_before = versions;
	struct heap *heap_before = heap;
	size_t bits = 1;

	heap = heap_new();
	ck_assert_ptr_nonnull(heap);
	for (size_t bit = 0; bit < bits; bit++) {
		struct record *record;

		versions = versions_new(heap);
		ck_assert_ptr_nonnull(versions);
		pin("a", 1, 4);
		pin("c", 1, 5);
		record = pin("b", 1, 6);
		bits = 8 * record_size(record);
		pin("ab", 1, 7);
		((uint8_t *)record)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		versions_reclaim(versions, 5);
		ck_assert_uint_eq(versions_count(versions), 2);
		versions_reclaim(versions, 6);
		ck_assert_uint_eq(versions_count(versions), 1);
		ck_assert_ptr_nonnull(find("ab", 2));
		versions_release(versions);
	}
	heap_release(heap);
	heap = heap_before;
	versions = versions_before;
}
END_TEST

/* ---- against a list ---- */

enum { KEYS = 12, PINNED_MAX = 4000 };

struct pinned {
	struct record *record;
	uint64_t superseded_at;
};

static struct key *keys;
static size_t key_count;
static struct pinned list[PINNED_MAX];
static size_t list_count;

static bool was_current(const struct pinned *pinned, uint64_t revision)
{
	return pinned->record->revision <= revision &&
	       revision < pinned->superseded_at;
}

static bool has_key(const struct record *record, const struct key *key)
{
	return record->key_bytes == key->size &&
	       memcmp(record->bytes, key->bytes, key->size) == 0;
}

static const struct record *slow_find(const struct key *key, uint64_t revision)
{
	for (size_t i = 0; i < list_count; i++)
		if (has_key(list[i].record, key) &&
		    was_current(&list[i], revision))
			return list[i].record;
	return NULL;
}

static const struct record *slow_next(struct wb_bytes prefix,
				      struct wb_bytes after, uint64_t revision)
{
	const struct record *best = NULL;

	for (size_t i = 0; i < list_count; i++) {
		const struct record *record = list[i].record;

		if (!was_current(&list[i], revision) ||
		    record->key_bytes < prefix.size ||
		    (prefix.size &&
		     memcmp(record->bytes, prefix.data, prefix.size) != 0) ||
		    (after.size && key_compare(record->bytes, record->key_bytes,
					       after.data, after.size) <= 0))
			continue;
		if (!best || key_compare(record->bytes, record->key_bytes,
					 best->bytes, best->key_bytes) < 0)
			best = record;
	}
	return best;
}

static void compare(uint64_t seed, struct rng *rng, uint64_t head)
{
	const struct key *key = &keys[rng_below(rng, key_count)];
	const struct key *other = &keys[rng_below(rng, key_count)];
	struct wb_bytes prefix = {key->bytes, rng_below(rng, key->size + 1)};
	struct wb_bytes after = {other->bytes,
				 rng_chance(rng, 1, 3) ? 0 : other->size};
	uint64_t revision = rng_below(rng, head + 2);
	bool damaged = false;

	HOLDS(seed, versions_find(versions, key->bytes, key->size, revision,
				  &damaged) == slow_find(key, revision));
	HOLDS(seed,
	      versions_next(versions, prefix, after, revision, &damaged) ==
		      slow_next(prefix, after, revision));
	HOLDS(seed, !damaged);
}

static void reclaim(uint64_t oldest)
{
	size_t kept = 0;

	versions_reclaim(versions, oldest);
	for (size_t i = 0; i < list_count; i++)
		if (list[i].superseded_at > oldest)
			list[kept++] = list[i];
	list_count = kept;
}

/* Commits replace or delete some keys each, as publishing does. */
START_TEST(it_answers_as_a_list_would)
{
	uint64_t seed = (uint64_t)_i;
	struct rng rng = rng_of(seed);
	struct record *current[KEYS] = {0};

	key_count = keys_make(&rng, KEYS, 12, &keys);
	list_count = 0;
	for (uint64_t head = 1; head <= rounds(400, 4000); head++) {
		size_t at = rng_below(&rng, key_count);

		if (current[at] && list_count < PINNED_MAX) {
			list[list_count++] = (struct pinned){current[at], head};
			HOLDS(seed, versions_pin(versions, current[at], head));
			current[at] = NULL;
		}
		if (!current[at] && rng_chance(&rng, 3, 4))
			current[at] =
				record_make(heap, keys[at].bytes, keys[at].size,
					    rng_below(&rng, 30), head);
		if (rng_chance(&rng, 1, 60))
			reclaim(rng_below(&rng, head + 1));
		for (unsigned i = 0; i < 4; i++)
			compare(seed, &rng, head);
		HOLDS(seed, versions_count(versions) == list_count);
	}
	for (size_t i = 0; i < key_count; i++)
		record_free(heap, current[i]);
	free(keys);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("versions");
	TCase *tcase = tcase_create("versions");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_version_is_current_from_its_commit_to_the_next);
	tcase_add_test(tcase, between_two_lives_a_key_is_not_there);
	tcase_add_test(tcase, next_keeps_to_prefix_after_and_revision);
	tcase_add_test(tcase, reclaim_frees_what_the_oldest_view_cannot_see);
	tcase_add_test(tcase, bytes_are_those_of_records_and_more);
	tcase_add_test(tcase, a_flipped_bit_is_found_or_harmless);
	tcase_add_test(tcase, a_damaged_key_does_not_keep_its_neighbours);
	tcase_add_test(tcase, whatever_bit_is_damaged_all_can_be_freed);
	tcase_add_loop_test(tcase, it_answers_as_a_list_would, 1, 9);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
