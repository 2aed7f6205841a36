/* SPDX-License-Identifier: Apache-2.0 */
#include "index/table.h"
#include "tests/support/keys.h"

#define KEY_COUNT 1500

struct world {
	struct heap *heap;
	struct table table;
	struct record *records[KEY_COUNT]; /* NULL: not in the table */
	uint64_t hashes[KEY_COUNT];
	size_t count;
};

/* Key n is the number itself. */
static struct record *record_of(struct heap *heap, uint32_t n)
{
	return record_make(heap, &n, sizeof(n), 8, n + 1u);
}

static uint64_t *find(const struct world *world, uint32_t n)
{
	bool damaged = false;
	uint64_t *slot = table_find(&world->table, world->hashes[n], &n,
				    sizeof(n), &damaged);

	ck_assert(!damaged);
	return slot;
}

static void insert(struct world *world, uint32_t n)
{
	struct table larger;

	if (!table_has_room(&world->table, world->count + 1)) {
		ck_assert(table_grow(&world->table, world->heap,
				     world->count + 1, &larger));
		table_release(&world->table, world->heap);
		world->table = larger;
	}
	world->records[n] = record_of(world->heap, n);
	table_insert(&world->table, world->hashes[n], world->records[n]);
	world->count++;
}

static void take_out(struct world *world, uint32_t n)
{
	table_remove(&world->table, world->hashes[n], find(world, n));
	record_free(world->heap, world->records[n]);
	world->records[n] = NULL;
	world->count--;
}

/* Of a hash 24 bits are kept, from bit 32 on. */
static void expect_candidates(const struct world *world, uint64_t seed,
			      uint64_t hash)
{
	bool seen[KEY_COUNT] = {false};
	struct table_cursor cursor = {0};
	uint64_t *slot;

	while ((slot = table_candidate(&world->table, hash, &cursor))) {
		const struct record *record = table_record(slot);
		uint32_t n = (uint32_t)record->revision - 1;

		HOLDS(seed, world->records[n] == record && !seen[n]);
		seen[n] = true;
	}
	for (uint32_t n = 0; n < KEY_COUNT; n++)
		HOLDS(seed,
		      seen[n] == (world->records[n] &&
				  (world->hashes[n] ^ hash) << 8 >> 40 == 0));
}

static void expect_all(const struct world *world, uint64_t seed)
{
	struct table_cursor cursor = {0};
	size_t seen = 0;

	for (uint32_t n = 0; n < KEY_COUNT; n += 50)
		expect_candidates(world, seed, world->hashes[n]);

	for (uint32_t n = 0; n < KEY_COUNT; n++) {
		const uint64_t *slot = find(world, n);

		HOLDS(seed, (slot != NULL) == (world->records[n] != NULL));
		HOLDS(seed, !slot || table_record(slot) == world->records[n]);
	}
	while (table_next(&world->table, &cursor))
		seen++;
	HOLDS(seed, seen == world->count);
	HOLDS(seed, world->table.count == world->count);
}

static void world_begin(struct world *world)
{
	*world = (struct world){.heap = heap_new()};
	ck_assert(table_init(&world->table, world->heap, 0));
}

static void world_end(struct world *world)
{
	for (uint32_t n = 0; n < KEY_COUNT; n++)
		record_free(world->heap, world->records[n]);
	table_release(&world->table, world->heap);
	ck_assert_uint_eq(heap_live_bytes(world->heap), 0);
	heap_release(world->heap);
}

/* How the hashes of the keys are spread. */
static const struct {
	const char *what;
	uint64_t keep, set;
} spreads[] = {
	{"as a hash does", UINT64_MAX, 0},
	{"two fingerprints", (uint64_t)0xff01ffff << 32 | UINT32_MAX, 0},
	{"four homes, all at the end", (uint64_t)0xff03ffff << 32,
	 (uint64_t)0xfc0000 << 32},
	{"sixteen hashes in all", (uint64_t)0xf << 44, 0},
	{"fingerprint 0, as an empty slot has", (uint64_t)0xff0000 << 32, 0},
};

START_TEST(random_changes_agree_with_an_array)
{
	for (uint64_t seed = 1; seed <= rounds(2, 200); seed++) {
		struct rng rng = rng_of(seed);
		struct world world;

		world_begin(&world);
		for (uint32_t n = 0; n < KEY_COUNT; n++)
			world.hashes[n] = (rng_next(&rng) & spreads[_i].keep) |
					  spreads[_i].set;
		for (unsigned phase = 0; phase < 6; phase++) {
			/* Grow, then shrink, and so on. */
			unsigned inserts = phase % 2 ? 2 : 8;

			for (unsigned step = 0; step < 1200; step++) {
				uint32_t n =
					(uint32_t)rng_below(&rng, KEY_COUNT);
				bool in = rng_chance(&rng, inserts, 10);

				if (in && !world.records[n])
					insert(&world, n);
				else if (!in && world.records[n])
					take_out(&world, n);
			}
			expect_all(&world, seed);
		}
		world_end(&world);
	}
}
END_TEST

START_TEST(a_thousand_records_of_one_hash_are_all_found_and_removed)
{
	struct world world;

	world_begin(&world);
	for (uint32_t n = 0; n < 1000; n++)
		insert(&world, n);
	expect_all(&world, 0);
	for (uint32_t n = 0; n < 1000; n += 2)
		take_out(&world, n);
	expect_all(&world, 0);
	for (uint32_t n = 1; n < 1000; n += 2)
		take_out(&world, n);
	expect_all(&world, 0);
	world_end(&world);
}
END_TEST

START_TEST(a_replaced_record_is_found_in_its_place)
{
	struct world world;
	struct record *old;

	world_begin(&world);
	world.hashes[7] = UINT64_MAX;
	insert(&world, 7);
	old = world.records[7];
	world.records[7] = record_of(world.heap, 7);
	table_replace(find(&world, 7), world.records[7]);
	record_free(world.heap, old);
	expect_all(&world, 0);
	world_end(&world);
}
END_TEST

START_TEST(slots_cost_sixteen_bytes_a_record_at_most)
{
	struct world world;

	world_begin(&world);
	for (uint32_t n = 0; n < KEY_COUNT; n++) {
		world.hashes[n] = (uint64_t)n * 0x9e3779b97f4a7c15;
		insert(&world, n);
		if (n >= 100)
			ck_assert_uint_le(table_bytes(&world.table),
					  16 * (n + 1) + 64);
	}
	expect_all(&world, 0);
	world_end(&world);
}
END_TEST

START_TEST(there_is_room_for_what_was_asked)
{
	struct heap *heap = heap_new();
	struct table table, larger;

	for (size_t count = 0; count < 200; count++) {
		ck_assert(table_init(&table, heap, count));
		ck_assert(table_has_room(&table, count));
		ck_assert(table_grow(&table, heap, 3 * count, &larger));
		ck_assert(table_has_room(&larger, 3 * count));
		ck_assert_uint_gt(larger.bucket_count, table.bucket_count);
		table_release(&table, heap);
		table_release(&larger, heap);
	}
	heap_release(heap);
}
END_TEST

START_TEST(without_memory_there_is_no_table)
{
	struct heap *heap = heap_new();
	struct table table = {0}, larger = {0};

	heap_limit(heap, 64);
	ck_assert(!table_init(&table, heap, 100));
	ck_assert(!table_init(&table, heap, SIZE_MAX));
	ck_assert_ptr_null(table.buckets);
	ck_assert(table_init(&table, heap, 1));
	ck_assert(!table_grow(&table, heap, 2, &larger));
	ck_assert_ptr_null(larger.buckets);
	table_release(&table, heap);
	heap_release(heap);
}
END_TEST

START_TEST(a_damaged_key_is_told_from_an_absent_one)
{
	uint32_t wanted = 5, absent = 6;
	bool damaged = false;
	struct world world;

	world_begin(&world);
	insert(&world, wanted);
	ck_assert_ptr_null(
		table_find(&world.table, 0, &absent, sizeof(absent), &damaged));
	ck_assert(!damaged);
	world.records[wanted]->bytes[0] ^= 1;
	ck_assert_ptr_null(
		table_find(&world.table, 0, &wanted, sizeof(wanted), &damaged));
	ck_assert(damaged);
	damaged = false;
	/* Another fingerprint: that record cannot be the wanted one. */
	ck_assert_ptr_null(table_find(&world.table, (uint64_t)1 << 32, &wanted,
				      sizeof(wanted), &damaged));
	ck_assert(!damaged);
	world_end(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *all = tcase_create("table");

	tcase_add_loop_test(all, random_changes_agree_with_an_array, 0,
			    sizeof(spreads) / sizeof(*spreads));
	tcase_add_test(
		all, a_thousand_records_of_one_hash_are_all_found_and_removed);
	tcase_add_test(all, a_replaced_record_is_found_in_its_place);
	tcase_add_test(all, slots_cost_sixteen_bytes_a_record_at_most);
	tcase_add_test(all, there_is_room_for_what_was_asked);
	tcase_add_test(all, without_memory_there_is_no_table);
	tcase_add_test(all, a_damaged_key_is_told_from_an_absent_one);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
