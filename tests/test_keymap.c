/* SPDX-License-Identifier: Apache-2.0
 *
 * The map from keys to records, against an array; hashes are drawn from few,
 * so that runs of slots grow long, meet and wrap around.
 */
#include "store/keymap.h"

#include "tests/support/keys.h"

#include <stdio.h>

static struct heap *heap;

static void set_up(void)
{
	heap = heap_new();
	ck_assert_ptr_nonnull(heap);
}

static void tear_down(void)
{
	heap_release(heap);
}

static struct record *record_of(unsigned number, uint64_t revision)
{
	char name[16];
	int size = snprintf(name, sizeof(name), "key %u", number);

	return record_make(heap, name, (size_t)size, 8, revision);
}

static struct record *find(const struct keymap *map, uint64_t hash,
			   const struct record *like)
{
	return keymap_find(map, hash, like->bytes, like->key_bytes);
}

START_TEST(an_empty_map_has_nothing_and_needs_nothing)
{
	struct keymap map = {0};

	ck_assert_ptr_null(keymap_find(&map, 1, "a", 1));
	keymap_remove(&map, 1, 1);
	keymap_clear(&map);
	ck_assert_ptr_null(map.slots);
	keymap_release(&map);
}
END_TEST

START_TEST(a_put_replaces_under_the_same_key_only)
{
	struct record *first = record_of(1, 1), *second = record_of(1, 2);
	struct record *other = record_of(2, 3);
	struct keymap map = {0};

	ck_assert_int_eq(keymap_reserve(&map, 3), WB_OK);
	keymap_put(&map, 7, first);
	keymap_put(&map, 7, other); /* the hash is the same, the key is not */
	keymap_put(&map, 7, second);
	ck_assert_uint_eq(map.count, 2);
	ck_assert_ptr_eq(find(&map, 7, first), second);
	ck_assert_ptr_eq(find(&map, 7, other), other);
	ck_assert_ptr_null(find(&map, 8, first));
	keymap_release(&map);
}
END_TEST

START_TEST(a_removal_names_hash_and_revision)
{
	struct record *record = record_of(1, 5);
	struct keymap map = {0};

	ck_assert_int_eq(keymap_reserve(&map, 1), WB_OK);
	keymap_put(&map, 7, record);
	keymap_remove(&map, 7, 4); /* replaced since: not that one */
	keymap_remove(&map, 8, 5);
	ck_assert_ptr_eq(find(&map, 7, record), record);
	keymap_remove(&map, 7, 5);
	ck_assert_ptr_null(find(&map, 7, record));
	ck_assert_uint_eq(map.count, 0);
	keymap_release(&map);
}
END_TEST

/* What a map says of an entry does not depend on the record's memory. */
START_TEST(a_damaged_record_is_found_kept_apart_and_removed)
{
	struct record *record = record_of(1, 5), *other = record_of(2, 6);
	struct record *probe = record_of(1, 0), *missing = record_of(3, 0);

	for (size_t bit = 0; bit < 8 * record_size(record); bit++) {
		uint8_t *byte = (uint8_t *)record + bit / 8;
		struct keymap map = {0};

		ck_assert_int_eq(keymap_reserve(&map, 2), WB_OK);
		keymap_put(&map, 7, record);
		keymap_put(&map, 7, other);
		*byte ^= (uint8_t)(1u << bit % 8);
		ck_assert_ptr_eq(find(&map, 7, probe), record);
		ck_assert_ptr_eq(find(&map, 7, missing), record);
		ck_assert_ptr_eq(find(&map, 7, other), other);
		ck_assert_ptr_null(find(&map, 8, probe));
		ck_assert_int_eq(keymap_reserve(&map, 1000), WB_OK);
		ck_assert_ptr_eq(find(&map, 7, probe), record);
		keymap_remove(&map, 7, 5);
		ck_assert_ptr_null(find(&map, 7, probe));
		ck_assert_uint_eq(map.count, 1);
		*byte ^= (uint8_t)(1u << bit % 8);
		keymap_release(&map);
	}
}
END_TEST

START_TEST(room_that_was_reserved_is_enough)
{
	static const size_t counts[] = {1, 31, 32, 33, 1000};
	struct keymap map = {0};
	size_t capacity;

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		ck_assert_int_eq(keymap_reserve(&map, counts[i]), WB_OK);
		capacity = map.capacity;
		for (unsigned at = 0; at < counts[i]; at++)
			keymap_put(&map, at * UINT64_C(0x9E3779B97F4A7C15),
				   record_of(at, i));
		ck_assert_uint_eq(map.capacity, capacity);
		ck_assert_uint_ge(map.capacity, 2 * map.count);
	}
	keymap_release(&map);
}
END_TEST

START_TEST(a_cleared_map_gives_a_large_table_back)
{
	struct keymap map = {0};
	struct record *record = record_of(1, 1);

	ck_assert_int_eq(keymap_reserve(&map, 1), WB_OK);
	keymap_put(&map, 1, record);
	keymap_clear(&map);
	ck_assert_ptr_nonnull(map.slots);
	ck_assert_ptr_null(find(&map, 1, record));
	ck_assert_int_eq(keymap_reserve(&map, 100000), WB_OK);
	keymap_put(&map, 1, record);
	keymap_clear(&map);
	ck_assert_ptr_null(map.slots);
	ck_assert_uint_eq(map.count, 0);
	keymap_release(&map);
}
END_TEST

/* ---- against an array ---- */

enum { KEYS = 60 };

struct model {
	struct record *records[KEYS]; /* in the map, or NULL */
	uint64_t hashes[KEYS];
};

static void check(uint64_t seed, const struct keymap *map,
		  const struct model *model, struct record *const *probes)
{
	size_t count = 0;

	for (unsigned key = 0; key < KEYS; key++) {
		HOLDS(seed, find(map, model->hashes[key], probes[key]) ==
				    model->records[key]);
		count += model->records[key] != NULL;
	}
	HOLDS(seed, map->count == count);
}

START_TEST(it_holds_what_an_array_holds)
{
	uint64_t seed = (uint64_t)_i;
	struct rng rng = rng_of(seed);
	struct record *probes[KEYS];
	struct model model = {0};
	struct keymap map = {0};

	for (unsigned key = 0; key < KEYS; key++) {
		probes[key] = record_of(key, 0);
		/* Near the end of a table of 128, few at a time. */
		model.hashes[key] = 120 + rng_below(&rng, 12);
	}
	for (uint64_t step = 1; step <= rounds(2000, 50000); step++) {
		unsigned key = (unsigned)rng_below(&rng, KEYS);
		struct record **at = &model.records[key];

		if (rng_chance(&rng, 1, 400)) {
			keymap_clear(&map);
			memset(model.records, 0, sizeof(model.records));
		} else if (rng_chance(&rng, 1, 2)) {
			HOLDS(seed, !keymap_reserve(&map, 1));
			*at = record_of(key, step);
			keymap_put(&map, model.hashes[key], *at);
		} else if (*at) {
			keymap_remove(&map, model.hashes[key], (*at)->revision);
			*at = NULL;
		}
		check(seed, &map, &model, probes);
	}
	keymap_release(&map);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keymap");
	TCase *tcase = tcase_create("keymap");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_empty_map_has_nothing_and_needs_nothing);
	tcase_add_test(tcase, a_put_replaces_under_the_same_key_only);
	tcase_add_test(tcase, a_removal_names_hash_and_revision);
	tcase_add_test(tcase, a_damaged_record_is_found_kept_apart_and_removed);
	tcase_add_test(tcase, room_that_was_reserved_is_enough);
	tcase_add_test(tcase, a_cleared_map_gives_a_large_table_back);
	tcase_add_loop_test(tcase, it_holds_what_an_array_holds, 1, 9);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
