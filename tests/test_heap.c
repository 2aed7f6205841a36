/* SPDX-License-Identifier: Apache-2.0 */
#include "index/heap.h"
#include "tests/support/keys.h"

#include <pthread.h>

#define CHUNK_BYTES ((uint64_t)2 << 20)

struct block {
	uint8_t *at;
	size_t size;
	uint8_t mark;
};

static size_t draw_size(struct rng *rng)
{
	if (rng_chance(rng, 1, 64))
		return 1 + rng_below(rng, 100000);
	return 1 + rng_below(rng, rng_chance(rng, 1, 8) ? 9000 : 600);
}

static bool is_marked(const struct block *block)
{
	for (size_t i = 0; i < block->size; i++)
		if (block->at[i] != block->mark)
			return false;
	return true;
}

/* Random allocations and releases; each block keeps its marks until it is
 * freed, so no two overlap. */
static void work(struct heap *heap, uint64_t seed, size_t steps)
{
	struct rng rng = rng_of(seed);
	struct block blocks[400] = {0};

	for (size_t i = 0; i < steps + 400; i++) {
		struct block *block =
			&blocks[i < steps ? rng_below(&rng, 400) : i - steps];

		if (block->at) {
			HOLDS(seed, is_marked(block));
			heap_free(heap, block->at, block->size);
			block->at = NULL;
		} else if (i < steps) {
			block->size = draw_size(&rng);
			block->mark = (uint8_t)rng_next(&rng);
			block->at = heap_alloc(heap, block->size);
			HOLDS(seed, block->at);
			HOLDS(seed, (uintptr_t)block->at % 16 == 0);
			memset(block->at, block->mark, block->size);
		}
	}
}

START_TEST(blocks_never_overlap)
{
	for (uint64_t seed = 1; seed <= rounds(3, 200); seed++) {
		struct heap *heap = heap_new();

		work(heap, seed, 20000);
		ck_assert_uint_eq(heap_live_bytes(heap), 0);
		ck_assert_uint_le(heap_held_bytes(heap), CHUNK_BYTES);
		heap_release(heap);
	}
}
END_TEST

struct worker {
	pthread_t thread;
	struct heap *heap;
	uint64_t seed;
};

static void *worker_run(void *context)
{
	struct worker *worker = context;

	work(worker->heap, worker->seed, 10000);
	return NULL;
}

START_TEST(threads_share_a_heap)
{
	struct heap *heap = heap_new();
	struct worker workers[4];

	for (size_t i = 0; i < 4; i++) {
		workers[i] = (struct worker){.heap = heap, .seed = i + 1};
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
						worker_run, &workers[i]),
				 0);
	}
	for (size_t i = 0; i < 4; i++)
		pthread_join(workers[i].thread, NULL);
	ck_assert_uint_eq(heap_live_bytes(heap), 0);
	heap_release(heap);
}
END_TEST

/* Every size up to a little beyond the last class: what is asked for is
 * there, whole lines are aligned to lines, and the memory held is at most a
 * third more than asked for, beside what has only been begun. */
START_TEST(every_size_is_served_with_little_waste)
{
	const size_t bytes = (size_t)3 << 19;

	for (size_t size = 64; size <= 8300; size += size < 1100 ? 24 : 123) {
		struct heap *heap = heap_new();
		size_t count = bytes / size;
		uint8_t **blocks = calloc(count, sizeof(*blocks));

		ck_assert_ptr_nonnull(blocks);
		for (size_t i = 0; i < count; i++) {
			blocks[i] = heap_alloc(heap, size);
			ck_assert_ptr_nonnull(blocks[i]);
			blocks[i][0] = blocks[i][size - 1] = 1;
			if (size % 64 == 0)
				ck_assert_uint_eq((uintptr_t)blocks[i] % 64, 0);
		}
		ck_assert_uint_eq(heap_live_bytes(heap), count * size);
		ck_assert_uint_le(heap_held_bytes(heap), CHUNK_BYTES);
		for (size_t i = 0; i < count; i++)
			heap_free(heap, blocks[i], size);
		free(blocks);
		heap_release(heap);
	}
}
END_TEST

START_TEST(many_small_blocks_cost_a_twentieth_more_than_their_bytes)
{
	struct heap *heap = heap_new();

	for (size_t i = 0; i < 200000; i++)
		ck_assert_ptr_nonnull(heap_alloc(heap, 288));
	ck_assert_uint_le(heap_held_bytes(heap), 200000 * 288 / 20 * 21);
	heap_release(heap);
}
END_TEST

START_TEST(empty_chunks_go_back_to_the_system_but_one)
{
	struct heap *heap = heap_new();
	enum { COUNT = 20000, SIZE = 1000 };
	void **blocks = calloc(COUNT, sizeof(*blocks));
	uint64_t held;

	ck_assert_ptr_nonnull(blocks);
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT; i++)
			ck_assert_ptr_nonnull(blocks[i] =
						      heap_alloc(heap, SIZE));
		held = heap_held_bytes(heap);
		ck_assert_uint_ge(held, (uint64_t)COUNT * SIZE);
		/* Half of it, in order of address more or less. */
		for (size_t i = 0; i < COUNT / 2; i++)
			heap_free(heap, blocks[i], SIZE);
		ck_assert_uint_le(heap_held_bytes(heap),
				  held / 2 + 2 * CHUNK_BYTES);
		for (size_t i = COUNT / 2; i < COUNT; i++)
			heap_free(heap, blocks[i], SIZE);
		ck_assert_uint_eq(heap_held_bytes(heap), CHUNK_BYTES);
	}
	free(blocks);
	heap_release(heap);
}
END_TEST

START_TEST(release_frees_the_blocks_that_are_left)
{
	struct heap *heap = heap_new();

	/* asan's leak check sees the large ones. */
	for (size_t size = 1; size < 1000000; size *= 3)
		ck_assert_ptr_nonnull(heap_alloc(heap, size));
	heap_release(heap);
	heap_release(NULL);
}
END_TEST

START_TEST(the_limit_refuses_what_would_pass_it_and_nothing_else)
{
	struct heap *heap = heap_new();
	void *small, *large;

	heap_limit(heap, 20100);
	small = heap_alloc(heap, 100);
	ck_assert_ptr_nonnull(small);
	ck_assert_ptr_null(heap_alloc(heap, 20001));
	large = heap_alloc(heap, 20000);
	ck_assert_ptr_nonnull(large);
	ck_assert_ptr_null(heap_alloc(heap, 1));
	heap_free(heap, small, 100);
	ck_assert_ptr_null(heap_alloc(heap, 101));
	ck_assert_ptr_null(heap_alloc(heap, SIZE_MAX));
	small = heap_alloc(heap, 100);
	ck_assert_ptr_nonnull(small);
	heap_free(heap, NULL, 100);
	ck_assert_uint_eq(heap_live_bytes(heap), 20100);
	heap_release(heap);
}
END_TEST

START_TEST(what_no_machine_has_is_refused)
{
	struct heap *heap = heap_new();

	ck_assert_ptr_null(heap_alloc(heap, SIZE_MAX));
	ck_assert_uint_eq(heap_live_bytes(heap), 0);
	heap_release(heap);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap");
	TCase *all = tcase_create("heap");

	tcase_add_test(all, blocks_never_overlap);
	tcase_add_test(all, threads_share_a_heap);
	tcase_add_test(all, every_size_is_served_with_little_waste);
	tcase_add_test(
		all, many_small_blocks_cost_a_twentieth_more_than_their_bytes);
	tcase_add_test(all, empty_chunks_go_back_to_the_system_but_one);
	tcase_add_test(all, release_frees_the_blocks_that_are_left);
	tcase_add_test(all,
		       the_limit_refuses_what_would_pass_it_and_nothing_else);
	tcase_add_test(all, what_no_machine_has_is_refused);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
