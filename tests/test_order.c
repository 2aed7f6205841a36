/* SPDX-License-Identifier: Apache-2.0 */
#include "index/order.h"
#include "tests/support/keys.h"

/* The order under test beside the keys it is made of, sorted. */
struct world {
	struct heap *heap;
	struct order order;
	struct key *keys;
	struct record **records; /* by key; NULL: not in the order */
	size_t key_count;
	uint64_t revision;
};

static void world_begin(struct world *world, struct rng *rng, size_t keys)
{
	*world = (struct world){.heap = heap_new()};
	world->order.heap = world->heap;
	world->key_count = keys_make(rng, keys, 40, &world->keys);
	world->records = calloc(world->key_count, sizeof(*world->records));
	ck_assert_ptr_nonnull(world->records);
}

static void world_end(struct world *world)
{
	order_drop(&world->order);
	for (size_t i = 0; i < world->key_count; i++)
		record_free(world->heap, world->records[i]);
	ck_assert_uint_eq(heap_live_bytes(world->heap), 0);
	heap_release(world->heap);
	free(world->keys);
	free(world->records);
}

static void add(struct world *world, size_t i)
{
	world->records[i] =
		record_make(world->heap, world->keys[i].bytes,
			    world->keys[i].size, 9, ++world->revision);
}

/* Build the order of one key in `part`. */
static void build(struct world *world, struct rng *rng, uint64_t part)
{
	struct sort_item *items = calloc(world->key_count, sizeof(*items));
	size_t count = 0;

	ck_assert_ptr_nonnull(items);
	for (size_t i = 0; i < world->key_count; i++) {
		if (!rng_chance(rng, 1, part))
			continue;
		add(world, i);
		items[count++].record = world->records[i];
	}
	ck_assert(order_build(&world->order, items, count));
	free(items);
}

static void expect_all(const struct world *world, uint64_t seed)
{
	struct order_place place = {0};

	for (size_t i = 0; i < world->key_count; i++)
		HOLDS(seed,
		      !world->records[i] || order_next(&world->order, &place) ==
						    world->records[i]);
	HOLDS(seed, order_next(&world->order, &place) == NULL);
}

static void expect_seek(const struct world *world, uint64_t seed, size_t key,
			bool after)
{
	struct wb_bytes bound = {world->keys[key].bytes, world->keys[key].size};
	struct order_place place;
	size_t i = after ? key + 1 : key;

	while (i < world->key_count && !world->records[i])
		i++;
	HOLDS(seed, order_seek(&world->order, bound, after, &place));
	HOLDS(seed, order_next(&world->order, &place) ==
			    (i < world->key_count ? world->records[i] : NULL));
}

static void change(struct world *world, struct rng *rng, uint64_t seed,
		   bool shrink)
{
	size_t i = rng_below(rng, world->key_count);
	struct record *old = world->records[i];

	if (!old && !shrink) {
		add(world, i);
		HOLDS(seed, order_insert(&world->order, world->records[i]));
	} else if (old && shrink) {
		world->records[i] = NULL;
		HOLDS(seed, order_remove(&world->order, old));
	} else if (old) {
		add(world, i);
		HOLDS(seed,
		      order_replace(&world->order, old, world->records[i]));
	}
	if (old)
		record_free(world->heap, old);
}

START_TEST(random_changes_agree_with_a_sorted_array)
{
	for (uint64_t seed = 1; seed <= rounds(4, 100); seed++) {
		struct rng rng = rng_of(seed);
		struct world world;

		world_begin(&world, &rng, 6000);
		build(&world, &rng, seed % 2 ? 3 : 1000);
		expect_all(&world, seed);
		for (unsigned phase = 0; phase < 6; phase++) {
			for (unsigned step = 0; step < 6000; step++)
				change(&world, &rng, seed,
				       rng_chance(&rng, phase % 2 ? 9 : 1, 10));
			expect_all(&world, seed);
			for (unsigned step = 0; step < 500; step++)
				expect_seek(&world, seed,
					    rng_below(&rng, world.key_count),
					    step % 2);
		}
		world_end(&world);
	}
}
END_TEST

START_TEST(an_order_that_loses_all_its_records_is_empty_and_usable)
{
	struct rng rng = rng_of(1);
	struct world world;

	world_begin(&world, &rng, 3000);
	build(&world, &rng, 1);
	for (size_t i = 0; i < world.key_count; i++) {
		ck_assert(order_remove(&world.order, world.records[i]));
		record_free(world.heap, world.records[i]);
		world.records[i] = NULL;
	}
	expect_all(&world, 1);
	ck_assert_uint_eq(world.order.entry_count, 0);
	expect_seek(&world, 1, 0, false);
	add(&world, 5);
	ck_assert(order_insert(&world.order, world.records[5]));
	expect_all(&world, 1);
	world_end(&world);
}
END_TEST

START_TEST(names_that_come_in_order_leave_full_blocks)
{
	struct rng rng = rng_of(1);
	struct world world;
	size_t count;

	world_begin(&world, &rng, 6000);
	world.order.built = true;
	for (size_t i = 0; i < world.key_count; i++) {
		add(&world, i);
		ck_assert(order_insert(&world.order, world.records[i]));
	}
	expect_all(&world, 1);
	count = (world.key_count + ORDER_BLOCK_MAX - 1) / ORDER_BLOCK_MAX;
	ck_assert_uint_eq(world.order.entry_count, count);
	world_end(&world);
}
END_TEST

START_TEST(thin_blocks_are_joined)
{
	struct rng rng = rng_of(2);
	struct world world;
	size_t left = 0;

	world_begin(&world, &rng, 6000);
	build(&world, &rng, 1);
	for (size_t i = 0; i < world.key_count; i++) {
		if (i % 50 == 0) {
			left++;
			continue;
		}
		ck_assert(order_remove(&world.order, world.records[i]));
		record_free(world.heap, world.records[i]);
		world.records[i] = NULL;
	}
	expect_all(&world, 2);
	/* Any two neighbours are more than half a block together. */
	ck_assert_uint_le(world.order.entry_count,
			  2 * (left / (ORDER_BLOCK_MAX / 2) + 1));
	world_end(&world);
}
END_TEST

/* Whatever bit flips, a search that could go wrong says so. */
START_TEST(a_search_that_a_damaged_record_misleads_fails)
{
	struct rng rng = rng_of(4);
	struct world world;

	world_begin(&world, &rng, 4000);
	build(&world, &rng, 1);
	for (unsigned step = 0; step < 20000; step++) {
		size_t victim = rng_below(&rng, world.key_count);
		size_t key = rng_chance(&rng, 1, 2)
				     ? victim
				     : rng_below(&rng, world.key_count);
		uint8_t *bytes = (uint8_t *)world.records[victim];
		size_t at = rng_below(&rng, record_size(world.records[victim]));
		uint8_t flip = (uint8_t)(1u << rng_below(&rng, 8));
		struct wb_bytes bound = {world.keys[key].bytes,
					 world.keys[key].size};
		struct order_place place;

		bytes[at] ^= flip;
		if (order_seek(&world.order, bound, false, &place)) {
			ck_assert_uint_ne(key, victim);
			ck_assert_ptr_eq(order_next(&world.order, &place),
					 world.records[key]);
		}
		bytes[at] ^= flip;
	}
	world_end(&world);
}
END_TEST

START_TEST(a_change_beside_a_damaged_record_is_refused)
{
	struct record *record, *other;
	struct rng rng = rng_of(5);
	struct world world;

	world_begin(&world, &rng, 2000);
	build(&world, &rng, 1);
	record = world.records[1000];
	ck_assert(order_remove(&world.order, record));
	world.records[999]->revision ^= 1;
	ck_assert(!order_insert(&world.order, record));
	world.records[999]->revision ^= 1;
	ck_assert(order_insert(&world.order, record));
	other = record_make(world.heap, record->bytes, record->key_bytes, 1, 1);
	record->value_bytes ^= 1;
	ck_assert(!order_replace(&world.order, record, other));
	ck_assert(!order_remove(&world.order, record));
	record->value_bytes ^= 1;
	/* Not in the order, though its key is. */
	ck_assert(!order_remove(&world.order, other));
	ck_assert(!order_replace(&world.order, other, record));
	record_free(world.heap, other);
	expect_all(&world, 5);
	world_end(&world);
}
END_TEST

START_TEST(without_memory_a_build_changes_nothing)
{
	struct rng rng = rng_of(6);
	struct sort_item items[1000];
	struct world world;

	world_begin(&world, &rng, 3000);
	ck_assert_uint_ge(world.key_count, 1000);
	for (size_t i = 0; i < 1000; i++) {
		add(&world, i);
		items[i].record = world.records[i];
	}
	/* Room for the first blocks only. */
	for (uint64_t more = 0; more <= 8192; more += 4096) {
		heap_limit(world.heap, heap_live_bytes(world.heap) + more);
		ck_assert(!order_build(&world.order, items, 1000));
		ck_assert(!world.order.built);
		ck_assert_uint_eq(order_bytes(&world.order), 0);
	}
	heap_limit(world.heap, UINT64_MAX);
	ck_assert(order_build(&world.order, items, 1000));
	expect_all(&world, 6);
	world_end(&world);
}
END_TEST

START_TEST(without_memory_an_insertion_into_a_full_block_is_refused)
{
	struct rng rng = rng_of(7);
	struct world world;
	size_t i;

	world_begin(&world, &rng, 3000);
	world.order.built = true;
	for (i = 0; i < ORDER_BLOCK_MAX; i++) {
		add(&world, 2 * i);
		ck_assert(order_insert(&world.order, world.records[2 * i]));
	}
	add(&world, 101);
	heap_limit(world.heap, heap_live_bytes(world.heap));
	ck_assert(!order_insert(&world.order, world.records[101]));
	heap_limit(world.heap, UINT64_MAX);
	ck_assert(order_insert(&world.order, world.records[101]));
	expect_all(&world, 7);
	world_end(&world);
}
END_TEST

/* Where it belongs cannot be told. */
START_TEST(a_damaged_record_is_not_inserted)
{
	struct rng rng = rng_of(8);
	struct world world;
	size_t size;

	world_begin(&world, &rng, 300);
	world.order.built = true;
	for (size_t i = 0; i < 100; i++) {
		add(&world, i);
		ck_assert(order_insert(&world.order, world.records[i]));
	}
	add(&world, 100);
	size = record_size(world.records[100]);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		uint8_t *byte = (uint8_t *)world.records[100] + bit / 8;

		*byte ^= (uint8_t)(1u << bit % 8);
		ck_assert(!order_insert(&world.order, world.records[100]));
		*byte ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert(order_insert(&world.order, world.records[100]));
	expect_all(&world, 8);
	world_end(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order");
	TCase *all = tcase_create("order");

	tcase_add_test(all, random_changes_agree_with_a_sorted_array);
	tcase_add_test(all,
		       an_order_that_loses_all_its_records_is_empty_and_usable);
	tcase_add_test(all, names_that_come_in_order_leave_full_blocks);
	tcase_add_test(all, thin_blocks_are_joined);
	tcase_add_test(all, a_search_that_a_damaged_record_misleads_fails);
	tcase_add_test(all, a_change_beside_a_damaged_record_is_refused);
	tcase_add_test(all, without_memory_a_build_changes_nothing);
	tcase_add_test(
		all, without_memory_an_insertion_into_a_full_block_is_refused);
	tcase_add_test(all, a_damaged_record_is_not_inserted);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
