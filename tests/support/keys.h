/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and records for the tests of index/.
 *
 * Random keys are made to be hard to order: few letters, zero bytes among
 * them, and beginnings shared with the key before.
 */
#ifndef WAYBILL_TESTS_SUPPORT_KEYS_H
#define WAYBILL_TESTS_SUPPORT_KEYS_H

#include "index/heap.h"
#include "index/record.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A failure prints the seed. */
#define HOLDS(seed, condition)                                             \
	ck_assert_msg(condition, "seed %" PRIu64 ": %s", (uint64_t)(seed), \
		      #condition)

/* Change `key` into another one, of `bytes_max` bytes at most. */
static inline void key_draw(struct rng *rng, size_t bytes_max, struct key *key)
{
	size_t keep = key->size ? rng_below(rng, key->size) : 0;
	size_t more = 1 + rng_below(rng, rng_chance(rng, 1, 8) ? 40 : 6);

	if (keep + more > bytes_max)
		keep = 0;
	if (more > bytes_max)
		more = bytes_max;
	for (size_t i = 0; i < more; i++)
		key->bytes[keep + i] = (uint8_t)("\0ab\xff"[rng_below(rng, 4)]);
	key->size = keep + more;
}

/* A record of this key whose value tells its revision. */
static inline struct record *record_make(struct heap *heap, const void *key,
					 size_t key_bytes, size_t value_bytes,
					 uint64_t revision)
{
	uint8_t value[1024];
	struct record *record;

	ck_assert(value_bytes <= sizeof(value));
	memset(value, (int)(revision & 0xff), value_bytes);
	record = record_new(heap, key, key_bytes,
			    (struct wb_bytes){value, value_bytes}, revision,
			    (int64_t)revision * 1000, 0);
	ck_assert_ptr_nonnull(record);
	return record;
}

/* An array of distinct keys, in order; free it. Returns how many. */
static inline int key_order(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t common = x->size < y->size ? x->size : y->size;

	for (size_t i = 0; i < common; i++)
		if (x->bytes[i] != y->bytes[i])
			return x->bytes[i] < y->bytes[i] ? -1 : 1;
	return (x->size > y->size) - (x->size < y->size);
}

static inline size_t keys_make(struct rng *rng, size_t wanted, size_t bytes_max,
			       struct key **ret_keys)
{
	struct key *keys = calloc(wanted, sizeof(*keys));
	struct key key = {0};
	size_t count = 0;

	ck_assert_ptr_nonnull(keys);
	for (size_t i = 0; i < wanted; i++) {
		key_draw(rng, bytes_max, &key);
		keys[i] = key;
	}
	qsort(keys, wanted, sizeof(*keys), key_order);
	for (size_t i = 0; i < wanted; i++)
		if (!count || key_order(&keys[count - 1], &keys[i]) != 0)
			keys[count++] = keys[i];
	*ret_keys = keys;
	return count;
}

#endif
