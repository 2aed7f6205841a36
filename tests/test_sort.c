/* SPDX-License-Identifier: Apache-2.0 */
#include "index/sort.h"
#include "tests/support/keys.h"

#include <stdio.h>

/* Shuffles, sorts, and expects the order of `keys`, which is sorted. */
static void expect_sorted(struct rng *rng, uint64_t seed,
			  const struct key *keys, size_t count)
{
	struct heap *heap = heap_new();
	struct sort_item *items = calloc(count + 1, sizeof(*items));

	ck_assert_ptr_nonnull(items);
	for (size_t i = 0; i < count; i++)
		items[i].record =
			record_make(heap, keys[i].bytes, keys[i].size, 0, i);
	for (size_t i = count; i > 1; i--) {
		size_t other = rng_below(rng, i);
		struct sort_item kept = items[i - 1];

		items[i - 1] = items[other];
		items[other] = kept;
	}
	sort_by_key(items, count);
	for (size_t i = 0; i < count; i++)
		HOLDS(seed, items[i].record->revision == i);
	free(items);
	heap_release(heap);
}

START_TEST(random_keys_come_out_in_order)
{
	static const size_t sizes[] = {0, 1, 2, 12, 13, 100, 5000};

	for (uint64_t seed = 1; seed <= rounds(4, 400); seed++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			struct rng rng = rng_of(seed);
			size_t longest = 1 + rng_below(&rng, 60);
			struct key *keys;
			size_t count =
				keys_make(&rng, sizes[i], longest, &keys);

			expect_sorted(&rng, seed, keys, count);
			free(keys);
		}
	}
}
END_TEST

/* Each key is the beginning of all the longer ones: the sort meets the end
 * of a key at every depth. */
static void expect_beginnings_sorted(uint8_t byte)
{
	const size_t count = KEY_BYTES_MAX / 3;
	struct key *keys = calloc(count, sizeof(*keys));
	struct rng rng = rng_of(byte);

	ck_assert_ptr_nonnull(keys);
	for (size_t i = 0; i < count; i++) {
		memset(keys[i].bytes, byte, sizeof(keys[i].bytes));
		keys[i].size = i + 1;
	}
	expect_sorted(&rng, byte, keys, count);
	free(keys);
}

START_TEST(beginnings_come_before_what_they_begin)
{
	expect_beginnings_sorted(0);
	expect_beginnings_sorted('a');
	expect_beginnings_sorted(0xff);
}
END_TEST

START_TEST(long_common_beginnings_are_no_obstacle)
{
	const size_t count = 3000;
	struct key *keys = calloc(count, sizeof(*keys));
	struct rng rng = rng_of(3);

	ck_assert_ptr_nonnull(keys);
	for (size_t i = 0; i < count; i++)
		keys[i].size = (size_t)sprintf((char *)keys[i].bytes,
					       "docker.io/library/a-name-that-"
					       "goes-on/and-on:v%04zu-alpine",
					       i);
	expect_sorted(&rng, 3, keys, count);
	free(keys);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sort");
	TCase *all = tcase_create("sort");

	tcase_add_test(all, random_keys_come_out_in_order);
	tcase_add_test(all, beginnings_come_before_what_they_begin);
	tcase_add_test(all, long_common_beginnings_are_no_obstacle);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
