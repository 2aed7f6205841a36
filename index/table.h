/* SPDX-License-Identifier: Apache-2.0
 *
 * One shard's hash table: buckets of one cache line, each with seven slots
 * of 16 bits of fingerprint and 48 bits of a record's address.
 *
 * A bucket's head counts the records that did not find room in it and went
 * on to the next one. A search ends at the first bucket whose count is zero,
 * most often its first; a removal decrements the counts on its way and moves
 * nothing. The head also keeps eight more bits of each slot's hash, which
 * with the fingerprint tell its home in a table of any size: growing reads
 * the old table and no record.
 *
 * No locks here: whoever changes a table sees that nobody reads it.
 */
#ifndef WAYBILL_INDEX_TABLE_H
#define WAYBILL_INDEX_TABLE_H

#include "index/record.h"

#define BUCKET_SLOTS 7

struct bucket {
	uint64_t head; /* byte 0: gone on; byte 1 + i: hash of slot i */
	uint64_t slots[BUCKET_SLOTS];
} __attribute__((aligned(64)));

struct table {
	struct bucket *buckets;
	uint32_t bucket_count;
	uint32_t count;
};

/* An empty table with room for `count` records. False: out of memory. */
bool table_init(struct table *table, struct heap *heap, size_t count);
/* Frees the table to `heap`, not the records. */
void table_release(struct table *table, struct heap *heap);

/* Is there room for `count` records in all? */
bool table_has_room(const struct table *table, size_t count);

/* A copy of `from` with room for `count` records at least, and for half as
 * many again as `from` has. Reads `from` only. False: out of memory. */
bool table_grow(const struct table *from, struct heap *heap, size_t count,
		struct table *ret_larger);

/* Add a record whose key is not there; there must be room. */
void table_insert(struct table *table, uint64_t hash, struct record *record);

/* The slot of a key's record, or NULL. Where a record with the fingerprint
 * but another key does not verify, it may be the key that is damaged:
 * `*ret_damaged` is set, and else untouched. */
uint64_t *table_find(const struct table *table, uint64_t hash, const void *key,
		     size_t key_bytes, bool *ret_damaged);

/* All slots of this hash, as far as it is kept, whatever their keys, begun with
 * a cursor of zeros; NULL at the end. */
struct table_cursor {
	size_t at;
};
uint64_t *table_candidate(const struct table *table, uint64_t hash,
			  struct table_cursor *cursor);

struct record *table_record(const uint64_t *slot);
void table_replace(uint64_t *slot, struct record *record);
void table_remove(struct table *table, uint64_t hash, uint64_t *slot);

/* Exchange two tables' contents. The one thing that table_prefetch of `table`
 * may meet in another thread without a lock. */
void table_exchange(struct table *table, struct table *other);

/* Start fetching the first bucket of a hash; no lock is needed. */
void table_prefetch(const struct table *table, uint64_t hash);
/* Start fetching the records there whose fingerprint matches. */
void table_prefetch_record(const struct table *table, uint64_t hash);

/* The records in no order, likewise. */
struct record *table_next(const struct table *table,
			  struct table_cursor *cursor);

static inline size_t table_bytes(const struct table *table)
{
	return table->bucket_count * sizeof(struct bucket);
}

#endif
