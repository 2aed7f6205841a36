/* SPDX-License-Identifier: Apache-2.0 */
#include "index/index.h"
#include "tests/support/keys.h"

#include <pthread.h>
#include <stdatomic.h>

/* The index under test beside an array of keys, sorted. */
struct world {
	struct heap *heap;
	struct index *index;
	struct key *keys;
	uint64_t *revisions; /* by key; 0: absent */
	size_t key_count;
	uint64_t revision;
	size_t count;
};

static size_t value_bytes_of(uint64_t revision)
{
	return revision * 37 % 300;
}

static void world_begin(struct world *world, struct rng *rng, size_t keys)
{
	*world = (struct world){.heap = heap_new()};
	ck_assert_int_eq(index_new(world->heap, rng_next(rng), &world->index),
			 WB_OK);
	world->key_count = keys_make(rng, keys, 60, &world->keys);
	world->revisions = calloc(world->key_count, sizeof(uint64_t));
	ck_assert_ptr_nonnull(world->revisions);
}

static void world_end(struct world *world)
{
	index_release(world->index);
	ck_assert_uint_eq(heap_live_bytes(world->heap), 0);
	heap_release(world->heap);
	free(world->keys);
	free(world->revisions);
}

static uint64_t hash_of(const struct world *world, size_t i)
{
	return index_hash(world->index, world->keys[i].bytes,
			  world->keys[i].size);
}

/* A record of key `i` and the next revision, not yet put. */
static struct record *make(struct world *world, size_t i)
{
	uint64_t revision = ++world->revision;

	return record_make(world->heap, world->keys[i].bytes,
			   world->keys[i].size, value_bytes_of(revision),
			   revision);
}

static void put(struct world *world, uint64_t seed, size_t i)
{
	struct record *old;

	index_prefetch_record(world->index, hash_of(world, i));
	HOLDS(seed, index_put(world->index, hash_of(world, i), make(world, i),
			      &old) == WB_OK);
	HOLDS(seed, (old ? old->revision : 0) == world->revisions[i]);
	world->count += old == NULL;
	world->revisions[i] = world->revision;
	record_free(world->heap, old);
}

static void put_all(struct world *world)
{
	for (size_t i = 0; i < world->key_count; i++)
		put(world, 0, i);
}

static void take_out(struct world *world, uint64_t seed, size_t i)
{
	struct record *old = (struct record *)&world;

	index_remove(world->index, hash_of(world, i), world->keys[i].bytes,
		     world->keys[i].size, &old);
	HOLDS(seed, (old ? old->revision : 0) == world->revisions[i]);
	world->count -= old != NULL;
	world->revisions[i] = 0;
	record_free(world->heap, old);
}

static enum wb_error get(const struct world *world, size_t i,
			 uint64_t revision_max, uint8_t *buffer, size_t size,
			 struct record_info *ret_info)
{
	return index_get(world->index, hash_of(world, i), world->keys[i].bytes,
			 world->keys[i].size, revision_max, buffer, size,
			 ret_info);
}

static bool is_value(const uint8_t *value, uint64_t revision)
{
	for (size_t i = 0; i < value_bytes_of(revision); i++)
		if (value[i] != (revision & 0xff))
			return false;
	return true;
}

static void expect_get(const struct world *world, uint64_t seed, size_t i)
{
	uint64_t revision = world->revisions[i], known = UINT64_MAX;
	struct record_info info = {0};
	uint8_t value[300];
	enum wb_error error =
		get(world, i, UINT64_MAX, value, sizeof(value), &info);

	HOLDS(seed, error == (revision ? WB_OK : WB_NOT_FOUND));
	HOLDS(seed, info.revision == revision);
	HOLDS(seed, index_revision(world->index, hash_of(world, i),
				   world->keys[i].bytes, world->keys[i].size,
				   &known) == WB_OK);
	HOLDS(seed, known == revision);
	if (!revision)
		return;
	HOLDS(seed, info.time_ns == (int64_t)revision * 1000);
	HOLDS(seed, info.value_bytes == value_bytes_of(revision));
	HOLDS(seed, is_value(value, revision));
}

static bool begins_with(const struct key *key, struct wb_bytes prefix)
{
	return key->size >= prefix.size &&
	       (!prefix.size ||
		memcmp(key->bytes, prefix.data, prefix.size) == 0);
}

static bool is_record_of(const struct record *record, const struct key *key,
			 uint64_t revision)
{
	return record && record->revision == revision &&
	       record->key_bytes == key->size &&
	       memcmp(record->bytes, key->bytes, key->size) == 0 &&
	       is_value(record_value(record), revision) &&
	       record_verifies(record);
}

/* All batches of a scan, from `after` on, against the array. */
static void expect_scan(const struct world *world, uint64_t seed,
			struct wb_bytes prefix, const struct key *after,
			size_t batch_bytes)
{
	uint64_t memory[8192];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = batch_bytes};
	struct key last = *after;
	size_t i = 0;

	do {
		struct wb_bytes bound = {last.bytes, last.size};
		const struct record *record;
		size_t at = 0, count = 0;

		HOLDS(seed,
		      index_scan(world->index, prefix, bound, &batch) == WB_OK);
		HOLDS(seed, batch.used <= batch.size);
		while ((record = scan_batch_next(&batch, &at))) {
			while (!world->revisions[i] ||
			       !begins_with(&world->keys[i], prefix) ||
			       (after->size &&
				key_order(&world->keys[i], after) <= 0))
				HOLDS(seed, ++i < world->key_count);
			HOLDS(seed, is_record_of(record, &world->keys[i],
						 world->revisions[i]));
			last = world->keys[i++];
			count++;
		}
		HOLDS(seed, count == batch.count);
		HOLDS(seed, count || !batch.more);
	} while (batch.more);
	for (; i < world->key_count; i++)
		HOLDS(seed, !world->revisions[i] ||
				    !begins_with(&world->keys[i], prefix) ||
				    (after->size &&
				     key_order(&world->keys[i], after) <= 0));
}

static void expect_random_scan(const struct world *world, uint64_t seed,
			       struct rng *rng)
{
	const struct key *some = &world->keys[rng_below(rng, world->key_count)];
	const struct key *other =
		&world->keys[rng_below(rng, world->key_count)];
	struct wb_bytes prefix = {some->bytes, rng_below(rng, some->size + 1)};
	struct key after = {0};

	if (rng_chance(rng, 1, 2))
		prefix.size = rng_below(rng, 3) % (some->size + 1);
	if (rng_chance(rng, 1, 2))
		after = *other;
	expect_scan(world, seed, prefix, &after, 512 + rng_below(rng, 65000));
}

static void expect_numbers(const struct world *world, uint64_t seed)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < world->key_count; i++)
		if (world->revisions[i])
			bytes += world->keys[i].size +
				 value_bytes_of(world->revisions[i]);
	HOLDS(seed, index_count(world->index) == world->count);
	HOLDS(seed, index_record_bytes(world->index) == bytes);
}

START_TEST(random_changes_agree_with_a_sorted_array)
{
	for (uint64_t seed = 1; seed <= rounds(2, 200); seed++) {
		struct rng rng = rng_of(seed);
		struct world world;

		world_begin(&world, &rng, 3000);
		for (unsigned step = 0; step < 15000; step++) {
			size_t i = rng_below(&rng, world.key_count);
			/* Grow, then shrink, and so on. */
			bool in = rng_chance(&rng, step / 3000 % 2 ? 2 : 8, 10);

			if (rng_chance(&rng, 1, 3))
				expect_get(&world, seed, i);
			else if (in)
				put(&world, seed, i);
			else
				take_out(&world, seed, i);
			if (step > 1500 && step % 300 == 0)
				expect_random_scan(&world, seed, &rng);
			if (step % 1000 == 0)
				expect_numbers(&world, seed);
		}
		for (size_t i = 0; i < world.key_count; i++)
			expect_get(&world, seed, i);
		world_end(&world);
	}
}
END_TEST

START_TEST(an_empty_index_has_nothing)
{
	struct rng rng = rng_of(1);
	struct key none = {0};
	struct world world;

	world_begin(&world, &rng, 10);
	for (size_t i = 0; i < world.key_count; i++)
		expect_get(&world, 1, i);
	expect_scan(&world, 1, (struct wb_bytes){0}, &none, 512);
	take_out(&world, 1, 3);
	expect_numbers(&world, 1);
	put(&world, 1, 3);
	take_out(&world, 1, 3);
	expect_scan(&world, 1, (struct wb_bytes){0}, &none, 512);
	index_release(NULL);
	world_end(&world);
}
END_TEST

/* The names a, a0, aa, ab, b, \xff, \xff\xff, in one index. */
static const struct {
	const char *what;
	struct wb_bytes prefix, after;
	const char *expected;
} bounds[] = {
#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}
	{"everything", BYTES(""), BYTES(""), "0123456"},
	{"null bounds", {NULL, 0}, {NULL, 0}, "0123456"},
	{"a prefix that is a name", BYTES("a"), BYTES(""), "0123"},
	{"a prefix that is none", BYTES("aa"), BYTES(""), "2"},
	{"no name has it", BYTES("ac"), BYTES(""), ""},
	{"before all names", BYTES("0"), BYTES(""), ""},
	{"the greatest byte", BYTES("\xff"), BYTES(""), "56"},
	{"greater than all names", BYTES("\xff\xff\xff"), BYTES(""), ""},
	{"after a name", BYTES(""), BYTES("aa"), "3456"},
	{"after what is no name", BYTES(""), BYTES("a1"), "23456"},
	{"after the last", BYTES(""), BYTES("\xff\xff"), ""},
	{"after a zero byte's place", BYTES(""), BYTES("a\0"), "123456"},
	{"after, in the prefix", BYTES("a"), BYTES("a0"), "23"},
	{"after the prefix itself", BYTES("a"), BYTES("a"), "123"},
	{"after is before the prefix", BYTES("b"), BYTES("a"), "4"},
	{"after is a part of the prefix", BYTES("ab"), BYTES("a"), "3"},
	{"after is beyond the prefix", BYTES("a"), BYTES("b"), ""},
#undef BYTES
};

START_TEST(a_scan_keeps_to_its_bounds)
{
	static const char *const names[] = {"a", "a0",	 "aa",	    "ab",
					    "b", "\xff", "\xff\xff"};
	struct heap *heap = heap_new();
	uint64_t memory[1024];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};
	const struct record *record;
	struct index *index;
	char seen[16];
	size_t at = 0, n = 0;

	ck_assert_int_eq(index_new(heap, 1, &index), WB_OK);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t size = strlen(names[i]);
		struct record *old;

		ck_assert_int_eq(
			index_put(index, index_hash(index, names[i], size),
				  record_make(heap, names[i], size, 5, i),
				  &old),
			WB_OK);
	}
	ck_assert_int_eq(index_scan(index, bounds[_i].prefix, bounds[_i].after,
				    &batch),
			 WB_OK);
	ck_assert(!batch.more);
	while ((record = scan_batch_next(&batch, &at)))
		seen[n++] = (char)('0' + record->revision);
	seen[n] = 0;
	ck_assert_msg(strcmp(seen, bounds[_i].expected) == 0, "%s: %s",
		      bounds[_i].what, seen);
	index_release(index);
	heap_release(heap);
}
END_TEST

START_TEST(a_record_larger_than_the_batch_tells_what_it_needs)
{
	struct rng rng = rng_of(2);
	uint64_t memory[128];
	struct scan_batch batch = {.bytes = (uint8_t *)memory};
	struct world world;
	size_t size;

	world_begin(&world, &rng, 40);
	put_all(&world);
	size = 32 + world.keys[0].size + value_bytes_of(world.revisions[0]);
	size = (size + 7) / 8 * 8;
	for (batch.size = 0; batch.size < size; batch.size += 8) {
		ck_assert_int_eq(index_scan(world.index, (struct wb_bytes){0},
					    (struct wb_bytes){0}, &batch),
				 WB_BUFFER);
		ck_assert_uint_eq(batch.needed, size);
		ck_assert_uint_eq(batch.count, 0);
		ck_assert_uint_eq(batch.used, 0);
	}
	ck_assert_int_eq(index_scan(world.index, (struct wb_bytes){0},
				    (struct wb_bytes){0}, &batch),
			 WB_OK);
	ck_assert_uint_eq(batch.count, 1);
	ck_assert(batch.more);
	world_end(&world);
}
END_TEST

START_TEST(get_tells_why_it_gives_no_value)
{
	struct rng rng = rng_of(3);
	struct record_info info = {0};
	uint8_t value[300] = {0};
	struct world world;

	world_begin(&world, &rng, 10);
	world.revision = 7; /* 8 has a value of 296 bytes */
	put(&world, 3, 0);
	ck_assert_int_eq(get(&world, 0, 8, value, 295, &info), WB_BUFFER);
	ck_assert_uint_eq(info.value_bytes, 296);
	ck_assert_uint_eq(value[0], 0);
	info = (struct record_info){0};
	ck_assert_int_eq(get(&world, 0, 7, value, 300, &info), WB_AGAIN);
	ck_assert_uint_eq(info.revision, 8);
	ck_assert_uint_eq(value[0], 0);
	ck_assert_int_eq(get(&world, 0, 8, value, 296, &info), WB_OK);
	ck_assert(is_value(value, 8));
	info.revision = 99;
	ck_assert_int_eq(get(&world, 1, 8, value, 300, &info), WB_NOT_FOUND);
	ck_assert_uint_eq(info.revision, 99);
	ck_assert_int_eq(get(&world, 0, 8, NULL, 0, &info), WB_BUFFER);
	world_end(&world);
}
END_TEST

/* Collisions are made, not waited for: the index takes the caller's hash. */
START_TEST(keys_of_one_hash_are_told_apart)
{
	struct rng rng = rng_of(4);
	struct record_info info;
	struct world world;
	struct record *old;
	uint8_t value[300];

	world_begin(&world, &rng, 200);
	for (size_t i = 0; i < world.key_count; i++)
		ck_assert_int_eq(index_put(world.index, 77, make(&world, i),
					   &old),
				 WB_OK);
	for (size_t i = 0; i < world.key_count; i += 2) {
		index_remove(world.index, 77, world.keys[i].bytes,
			     world.keys[i].size, &old);
		ck_assert_uint_eq(old->revision, i + 1);
		record_free(world.heap, old);
	}
	for (size_t i = 0; i < world.key_count; i++) {
		enum wb_error error =
			index_get(world.index, 77, world.keys[i].bytes,
				  world.keys[i].size, UINT64_MAX, value,
				  sizeof(value), &info);

		ck_assert_int_eq(error, i % 2 ? WB_OK : WB_NOT_FOUND);
		ck_assert(error || info.revision == i + 1);
	}
	world_end(&world);
}
END_TEST

/* The record of key `i`, to be damaged. */
static uint8_t *reach(struct world *world, size_t i)
{
	struct record *record = make(world, i), *old;

	ck_assert_int_eq(index_put(world->index, hash_of(world, i), record,
				   &old),
			 WB_OK);
	record_free(world->heap, old);
	world->revisions[i] = world->revision;
	return (uint8_t *)record;
}

static void expect_corrupt(const struct world *world, size_t i, size_t bit)
{
	uint64_t memory[8192];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};
	struct wb_bytes key = {world->keys[i].bytes, world->keys[i].size};
	struct wb_bytes before = {world->keys[i - 20].bytes,
				  world->keys[i - 20].size};
	struct record_info info = {0};
	uint8_t value[300] = {0};
	uint64_t revision = 0;

	ck_assert_msg(get(world, i, UINT64_MAX, value, sizeof(value), &info) ==
			      WB_CORRUPT,
		      "get: bit %zu", bit);
	ck_assert_uint_eq(info.revision, 0);
	ck_assert_msg(index_revision(world->index, hash_of(world, i), key.data,
				     key.size, &revision) == WB_CORRUPT,
		      "revision: bit %zu", bit);
	ck_assert_uint_eq(revision, 0);
	ck_assert_msg(index_scan(world->index, key, (struct wb_bytes){0},
				 &batch) == WB_CORRUPT,
		      "list: bit %zu", bit);
	ck_assert_uint_eq(batch.count, 0);
	ck_assert_msg(index_scan(world->index, (struct wb_bytes){0}, before,
				 &batch) == WB_CORRUPT,
		      "scan: bit %zu", bit);
	ck_assert_uint_eq(batch.count, 19);
}

START_TEST(a_flipped_bit_is_found_by_get_revision_list_and_scan)
{
	struct rng rng = rng_of(5);
	struct key none = {0};
	struct world world;
	size_t size;
	uint8_t *bytes;

	world_begin(&world, &rng, 1000);
	put_all(&world);
	expect_scan(&world, 5, (struct wb_bytes){0}, &none, 65536);
	bytes = reach(&world, 500);
	size = record_size((struct record *)(void *)bytes);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		expect_corrupt(&world, 500, bit);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	expect_scan(&world, 5, (struct wb_bytes){0}, &none, 65536);
	world_end(&world);
}
END_TEST

START_TEST(a_first_scan_that_meets_damage_says_so)
{
	struct rng rng = rng_of(6);
	uint64_t memory[128];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};
	struct key none = {0};
	struct world world;
	uint8_t *bytes;

	world_begin(&world, &rng, 1000);
	put_all(&world);
	bytes = reach(&world, 700);
	bytes[32] ^= 1; /* its key would be sorted elsewhere */
	ck_assert_int_eq(index_scan(world.index, (struct wb_bytes){0},
				    (struct wb_bytes){0}, &batch),
			 WB_CORRUPT);
	ck_assert_uint_eq(batch.count, 0);
	bytes[32] ^= 1;
	expect_scan(&world, 6, (struct wb_bytes){0}, &none, 65536);
	world_end(&world);
}
END_TEST

START_TEST(a_put_beside_damage_keeps_later_scans_right)
{
	struct rng rng = rng_of(7);
	struct key none = {0};
	struct world world;
	uint8_t *bytes;

	world_begin(&world, &rng, 1000);
	put_all(&world);
	take_out(&world, 7, 501);
	expect_scan(&world, 7, (struct wb_bytes){0}, &none, 65536);
	bytes = reach(&world, 500);
	bytes[32] ^= 1;
	put(&world, 7, 501);
	bytes[32] ^= 1;
	expect_scan(&world, 7, (struct wb_bytes){0}, &none, 65536);
	world_end(&world);
}
END_TEST

/* ---- changes of what is damaged ---- */

/* A record of key `i` and the next revision, and always of one size. */
static struct record *make_small(struct world *world, size_t i, uint8_t flags)
{
	struct record *record =
		record_new(world->heap, world->keys[i].bytes,
			   world->keys[i].size, (struct wb_bytes){"a value", 7},
			   ++world->revision, 1, flags);

	ck_assert_ptr_nonnull(record);
	return record;
}

static struct record *put_at(struct world *world, uint64_t hash,
			     struct record *record)
{
	struct record *old = record;

	ck_assert_int_eq(index_put(world->index, hash, record, &old), WB_OK);
	return old;
}

static struct record *remove_at(struct world *world, uint64_t hash, size_t i)
{
	struct record *old = (struct record *)&world;

	index_remove(world->index, hash, world->keys[i].bytes,
		     world->keys[i].size, &old);
	return old;
}

static void flip(struct record *record, size_t bit)
{
	((uint8_t *)record)[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static bool is_of_sizes(size_t bit)
{
	size_t at = bit / 8;

	return (at >= offsetof(struct record, value_bytes) &&
		at < offsetof(struct record, flags)) ||
	       at == offsetof(struct record, size_check);
}

/* How many there are in a scan of everything; or an error. */
static enum wb_error scan_all(const struct world *world, size_t *ret_count)
{
	static uint64_t memory[16384];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};
	enum wb_error error = index_scan(world->index, (struct wb_bytes){0},
					 (struct wb_bytes){0}, &batch);

	ck_assert(error || !batch.more);
	*ret_count = batch.count;
	return error;
}

/* At `hash` the key has this revision, 0: none; else WB_CORRUPT. */
static void expect_revision(const struct world *world, uint64_t hash, size_t i,
			    uint64_t revision)
{
	uint64_t known = UINT64_MAX;

	ck_assert_int_eq(index_revision(world->index, hash,
					world->keys[i].bytes,
					world->keys[i].size, &known),
			 revision == UINT64_MAX ? WB_CORRUPT : WB_OK);
	ck_assert_uint_eq(known, revision);
}

static void expect_whole(const struct world *world, size_t count, size_t bit)
{
	size_t seen;

	ck_assert_uint_eq(index_count(world->index), count);
	ck_assert_msg(scan_all(world, &seen) == WB_OK, "bit %zu", bit);
	ck_assert_uint_eq(seen, count);
}

static size_t bits_of_small(const struct world *world, size_t i)
{
	return 8 * (sizeof(struct record) + world->keys[i].size + 7);
}

/* Whichever bit it is, the damaged record is the one that is handed back, and
 * the key has one record or none. */
START_TEST(a_damaged_record_is_replaced_and_removed_like_any_other)
{
	struct rng rng = rng_of(14);
	struct world world;
	uint64_t hash;

	world_begin(&world, &rng, 100);
	put_all(&world);
	hash = hash_of(&world, 50);
	take_out(&world, 14, 50);
	for (size_t bit = 0; bit < bits_of_small(&world, 50); bit++) {
		struct record *record = make_small(&world, 50, 0);
		struct record *next = make_small(&world, 50, RECORD_REPLACES);
		uint64_t bytes;

		ck_assert_ptr_null(put_at(&world, hash, record));
		expect_whole(&world, world.key_count, bit);
		bytes = index_record_bytes(world.index);
		flip(record, bit);
		ck_assert_ptr_eq(put_at(&world, hash, next), record);
		flip(record, bit);
		record_free(world.heap, record);
		expect_revision(&world, hash, 50, world.revision);
		expect_whole(&world, world.key_count, bit);
		ck_assert(is_of_sizes(bit) ||
			  index_record_bytes(world.index) == bytes);
		flip(next, bit);
		ck_assert_ptr_eq(remove_at(&world, hash, 50), next);
		flip(next, bit);
		record_free(world.heap, next);
		expect_revision(&world, hash, 50, 0);
		expect_whole(&world, world.key_count - 1, bit);
	}
	world_end(&world);
}
END_TEST

/* Of one hash, with bits of their names flipped. */
START_TEST(what_cannot_be_told_apart_stays_damaged)
{
	struct rng rng = rng_of(15);
	struct record *first, *second;
	struct world world;

	world_begin(&world, &rng, 10);
	first = make_small(&world, 0, 0);
	put_at(&world, 77, first);
	first->bytes[0] ^= 1;
	/* A new key does not take the place of a damaged one. */
	ck_assert_ptr_null(put_at(&world, 77, make_small(&world, 1, 0)));
	expect_revision(&world, 77, 1, world.revision);
	expect_revision(&world, 77, 0, UINT64_MAX);
	/* Nor does one that was there, if there are two of them. */
	second = make_small(&world, 2, 0);
	ck_assert_ptr_null(put_at(&world, 77, second));
	second->bytes[0] ^= 1;
	ck_assert_ptr_null(
		put_at(&world, 77, make_small(&world, 2, RECORD_REPLACES)));
	expect_revision(&world, 77, 2, world.revision);
	ck_assert_ptr_null(remove_at(&world, 77, 0));
	expect_revision(&world, 77, 0, UINT64_MAX);
	ck_assert_uint_eq(index_count(world.index), 4);
	world_end(&world);
}
END_TEST

/* It stands in front of what the key had before, and hides nothing else. */
START_TEST(a_record_that_is_damaged_when_it_is_put_is_corrupt)
{
	struct rng rng = rng_of(16);
	struct world world;
	uint64_t hash;
	size_t seen;

	world_begin(&world, &rng, 100);
	put_all(&world);
	hash = hash_of(&world, 50);
	take_out(&world, 16, 50);
	for (size_t bit = 0; bit < bits_of_small(&world, 50); bit++) {
		struct record *old, *before = NULL;
		struct record *record = make_small(&world, 50, 0);

		if (bit % 2) {
			before = make_small(&world, 50, 0);
			put_at(&world, hash, before);
		}
		flip(record, bit);
		ck_assert_int_eq(index_put_damaged(world.index, hash, record,
						   &old),
				 WB_OK);
		ck_assert_ptr_eq(old, before);
		record_free(world.heap, old);
		expect_revision(&world, hash, 50, UINT64_MAX);
		ck_assert_int_eq(scan_all(&world, &seen), WB_CORRUPT);
		expect_get(&world, 16, 49);
		expect_get(&world, 16, 51);
		flip(record, bit);
		ck_assert_ptr_eq(remove_at(&world, hash, 50), record);
		record_free(world.heap, record);
		expect_whole(&world, world.key_count - 1, bit);
	}
	world_end(&world);
}
END_TEST

START_TEST(a_put_without_memory_changes_nothing)
{
	struct rng rng = rng_of(8);
	struct key none = {0};
	struct world world;
	size_t refused = 0;

	world_begin(&world, &rng, 3000);
	for (size_t i = 0; i < world.key_count; i++) {
		struct record *record = make(&world, i), *old = record;
		enum wb_error error;

		heap_limit(world.heap, heap_live_bytes(world.heap));
		error = index_put(world.index, hash_of(&world, i), record,
				  &old);
		heap_limit(world.heap, UINT64_MAX);
		if (error) {
			ck_assert_int_eq(error, WB_NO_MEMORY);
			ck_assert_ptr_eq(old, record);
			expect_get(&world, 8, i);
			expect_numbers(&world, 8);
			record_free(world.heap, record);
			refused++;
			put(&world, 8, i);
		} else {
			world.revisions[i] = world.revision;
			world.count++;
		}
	}
	ck_assert_uint_gt(refused, 256);
	for (size_t i = 0; i < world.key_count; i++)
		expect_get(&world, 8, i);
	expect_scan(&world, 8, (struct wb_bytes){0}, &none, 65536);
	world_end(&world);
}
END_TEST

START_TEST(what_was_reserved_needs_no_memory)
{
	struct rng rng = rng_of(9);
	uint64_t hashes[2000];
	struct record *records[2000], *old;
	struct world world;

	world_begin(&world, &rng, 3000);
	ck_assert_uint_ge(world.key_count, 2000);
	for (size_t i = 0; i < 2000; i++) {
		records[i] = make(&world, i);
		/* As unevenly as can be. */
		hashes[i] = i % 2 ? 5 : hash_of(&world, i);
	}
	heap_limit(world.heap, heap_live_bytes(world.heap));
	ck_assert_int_eq(index_reserve(world.index, 100000), WB_NO_MEMORY);
	ck_assert_int_eq(index_reserve_hashes(world.index, hashes, 2000),
			 WB_NO_MEMORY);
	heap_limit(world.heap, UINT64_MAX);
	ck_assert_int_eq(index_reserve_hashes(world.index, hashes, 2000),
			 WB_OK);
	heap_limit(world.heap, 0);
	for (size_t i = 0; i < 2000; i++)
		ck_assert_int_eq(index_put(world.index, hashes[i], records[i],
					   &old),
				 WB_OK);
	ck_assert_uint_eq(index_count(world.index), 2000);
	world_end(&world);
}
END_TEST

START_TEST(a_reserve_for_many_serves_them_all)
{
	struct rng rng = rng_of(10);
	struct world world;
	uint64_t before;

	world_begin(&world, &rng, 20000);
	ck_assert_int_eq(index_reserve(world.index, world.key_count), WB_OK);
	before = index_table_bytes(world.index);
	put_all(&world);
	ck_assert_uint_eq(index_table_bytes(world.index), before);
	world_end(&world);
}
END_TEST

START_TEST(an_order_that_cannot_grow_is_built_anew)
{
	struct rng rng = rng_of(11);
	uint64_t hashes[1000], memory[128];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};
	struct record *records[1000], *old;
	struct key none = {0};
	struct world world;

	world_begin(&world, &rng, 3000);
	ck_assert_uint_ge(world.key_count, 2000);
	for (size_t i = 1000; i < world.key_count; i++)
		put(&world, 11, i);
	expect_scan(&world, 11, (struct wb_bytes){0}, &none, 65536);
	for (size_t i = 0; i < 1000; i++) {
		records[i] = make(&world, i);
		hashes[i] = hash_of(&world, i);
		world.revisions[i] = world.revision;
	}
	ck_assert_int_eq(index_reserve_hashes(world.index, hashes, 1000),
			 WB_OK);
	/* All of them belong into one block, which cannot be split. */
	heap_limit(world.heap, heap_live_bytes(world.heap));
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(index_put(world.index, hashes[i], records[i],
					   &old),
				 WB_OK);
	heap_limit(world.heap, 0);
	ck_assert_int_eq(index_scan(world.index, (struct wb_bytes){0},
				    (struct wb_bytes){0}, &batch),
			 WB_NO_MEMORY);
	heap_limit(world.heap, UINT64_MAX);
	expect_scan(&world, 11, (struct wb_bytes){0}, &none, 65536);
	world_end(&world);
}
END_TEST

START_TEST(without_memory_there_is_no_index)
{
	struct heap *heap = heap_new();
	struct index *index = NULL;

	for (uint64_t limit = 0; limit < 256 * 64; limit += 997) {
		heap_limit(heap, limit);
		ck_assert_int_eq(index_new(heap, 1, &index), WB_NO_MEMORY);
		ck_assert_ptr_null(index);
		ck_assert_uint_eq(heap_live_bytes(heap), 0);
	}
	heap_limit(heap, 256 * 64);
	ck_assert_int_eq(index_new(heap, 1, &index), WB_OK);
	index_release(index);
	heap_release(heap);
}
END_TEST

/* ---- readers beside the changer ---- */

/* Keys divisible by 3 are there from the start and only ever replaced; the
 * others come and go while readers read. */
struct reader {
	pthread_t thread;
	const struct world *world;
	const atomic_bool *stop;
	uint64_t seed;
	size_t answers;
};

static void read_stable(struct reader *reader, struct rng *rng)
{
	const struct world *world = reader->world;
	size_t i = rng_below(rng, world->key_count / 3) * 3;
	struct record_info info;
	uint8_t value[300];

	index_prefetch(world->index, hash_of(world, i));
	HOLDS(reader->seed,
	      get(world, i, UINT64_MAX, value, sizeof(value), &info) == WB_OK);
	HOLDS(reader->seed, info.value_bytes == value_bytes_of(info.revision));
	HOLDS(reader->seed, is_value(value, info.revision));
	HOLDS(reader->seed, index_count(world->index) <= world->key_count);
}

/* In a whole scan each stable key comes once, and keys only ascend. */
static void scan_stable(struct reader *reader)
{
	const struct world *world = reader->world;
	uint64_t memory[4096];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};
	struct key last = {0};
	size_t i = 0;

	do {
		const struct record *record;
		size_t at = 0;

		HOLDS(reader->seed,
		      index_scan(world->index, (struct wb_bytes){0},
				 (struct wb_bytes){last.bytes, last.size},
				 &batch) == WB_OK);
		while ((record = scan_batch_next(&batch, &at))) {
			HOLDS(reader->seed,
			      key_compare(last.bytes, last.size, record->bytes,
					  record->key_bytes) < 0);
			last.size = record->key_bytes;
			memcpy(last.bytes, record->bytes, last.size);
			while (key_order(&world->keys[i], &last) != 0)
				HOLDS(reader->seed, i++ % 3 != 0);
			i++;
		}
	} while (batch.more);
	for (; i < world->key_count; i++)
		HOLDS(reader->seed, i % 3 != 0);
}

static void *reader_run(void *context)
{
	struct reader *reader = context;
	struct rng rng = rng_of(reader->seed);

	while (!atomic_load(reader->stop) || reader->answers < 100) {
		read_stable(reader, &rng);
		if (reader->answers++ % 2000 == 50 * reader->seed)
			scan_stable(reader);
	}
	return NULL;
}

START_TEST(readers_are_undisturbed_by_growth_and_change)
{
	struct rng rng = rng_of(12);
	struct reader readers[3];
	atomic_bool stop = false;
	struct world world;

	world_begin(&world, &rng, 12000);
	for (size_t i = 0; i < world.key_count; i += 3)
		put(&world, 12, i);
	for (uint64_t i = 0; i < 3; i++) {
		readers[i] = (struct reader){.world = &world,
					     .stop = &stop,
					     .seed = i};
		ck_assert_int_eq(pthread_create(&readers[i].thread, NULL,
						reader_run, &readers[i]),
				 0);
	}
	for (uint64_t round = 0; round < rounds(2, 40); round++) {
		for (size_t i = 0; i < world.key_count; i++)
			put(&world, 12, i);
		for (size_t i = 0; i < world.key_count; i++)
			if (i % 3)
				take_out(&world, 12, i);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < 3; i++)
		pthread_join(readers[i].thread, NULL);
	world_end(&world);
}
END_TEST

/* With a damaged record the order is never built: every scan walks the tables
 * anew, which is what the first one does. */
struct walker {
	pthread_t thread;
	const struct world *world;
	const atomic_bool *stop;
	atomic_uint walks;
};

static void *walk_tables(void *context)
{
	struct walker *walker = context;
	uint64_t memory[128];
	struct scan_batch batch = {.bytes = (uint8_t *)memory,
				   .size = sizeof(memory)};

	do {
		HOLDS(13,
		      index_scan(walker->world->index, (struct wb_bytes){0},
				 (struct wb_bytes){0}, &batch) == WB_CORRUPT);
		atomic_fetch_add(&walker->walks, 1);
	} while (!atomic_load(walker->stop));
	return NULL;
}

/* Room for ever more keys, step by step, and some of those keys. */
static void grow(struct world *world)
{
	size_t next = world->key_count / 2;

	for (size_t room = 4000; room < 400000; room += room / 2) {
		ck_assert_int_eq(index_reserve(world->index, room), WB_OK);
		for (size_t i = 0; i < 100 && next < world->key_count; i++)
			put(world, 13, next++);
	}
}

START_TEST(a_first_scan_beside_growth_meets_every_record_once)
{
	for (uint64_t round = 1; round <= rounds(20, 200); round++) {
		struct rng rng = rng_of(round);
		atomic_bool stop = false;
		struct key none = {0};
		struct walker walker;
		struct world world;
		uint8_t *bytes;

		world_begin(&world, &rng, 2000);
		for (size_t i = 0; i < world.key_count / 2; i++)
			put(&world, 13, i);
		bytes = reach(&world, 300);
		bytes[32] ^= 1;
		walker = (struct walker){.world = &world, .stop = &stop};
		ck_assert_int_eq(pthread_create(&walker.thread, NULL,
						walk_tables, &walker),
				 0);
		while (!atomic_load(&walker.walks))
			sched_yield();
		grow(&world);
		atomic_store(&stop, true);
		pthread_join(walker.thread, NULL);
		bytes[32] ^= 1;
		expect_scan(&world, 13, (struct wb_bytes){0}, &none, 65536);
		world_end(&world);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("index");
	TCase *all = tcase_create("index");

	tcase_add_test(all, random_changes_agree_with_a_sorted_array);
	tcase_add_test(all, an_empty_index_has_nothing);
	tcase_add_loop_test(all, a_scan_keeps_to_its_bounds, 0,
			    sizeof(bounds) / sizeof(*bounds));
	tcase_add_test(all, a_record_larger_than_the_batch_tells_what_it_needs);
	tcase_add_test(all, get_tells_why_it_gives_no_value);
	tcase_add_test(all, keys_of_one_hash_are_told_apart);
	tcase_add_test(all,
		       a_flipped_bit_is_found_by_get_revision_list_and_scan);
	tcase_add_test(all, a_first_scan_that_meets_damage_says_so);
	tcase_add_test(all, a_put_beside_damage_keeps_later_scans_right);
	tcase_add_test(all,
		       a_damaged_record_is_replaced_and_removed_like_any_other);
	tcase_add_test(all, what_cannot_be_told_apart_stays_damaged);
	tcase_add_test(all, a_record_that_is_damaged_when_it_is_put_is_corrupt);
	tcase_add_test(all, a_put_without_memory_changes_nothing);
	tcase_add_test(all, what_was_reserved_needs_no_memory);
	tcase_add_test(all, a_reserve_for_many_serves_them_all);
	tcase_add_test(all, an_order_that_cannot_grow_is_built_anew);
	tcase_add_test(all, without_memory_there_is_no_index);
	tcase_add_test(all, readers_are_undisturbed_by_growth_and_change);
	tcase_add_test(all, a_first_scan_beside_growth_meets_every_record_once);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
