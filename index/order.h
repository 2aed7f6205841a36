/* SPDX-License-Identifier: Apache-2.0
 *
 * The name order: every record of the index, sorted by key, in blocks of up
 * to ORDER_BLOCK_MAX addresses under one directory.
 *
 * It holds nothing that the tables do not. Whenever keeping it up fails, for
 * want of memory or because a record no longer verifies, it is dropped, and
 * the next scan builds it anew.
 *
 * No locks here, as in table.h.
 */
#ifndef WAYBILL_INDEX_ORDER_H
#define WAYBILL_INDEX_ORDER_H

#include "index/record.h"
#include "index/sort.h"

#define ORDER_BLOCK_MAX 511 /* with its count 4 KiB */

struct order_block {
	size_t count;
	struct record *records[ORDER_BLOCK_MAX];
};

struct order_entry {
	const struct record *first; /* of the block; saves a cache miss */
	struct order_block *block;
};

struct order {
	struct heap *heap; /* the rest begins as zeros */
	struct order_entry *entries;
	size_t entry_count;
	size_t entry_room;
	bool built;
};

/* Where a record is, or would be inserted. `at` may be the block's count. */
struct order_place {
	size_t entry;
	size_t at;
};

/* Sort `items` and hold them; the order must not be built. False: out of
 * memory, nothing changed. */
bool order_build(struct order *order, struct sort_item *items, size_t count);
/* Hold nothing; not built. */
void order_drop(struct order *order);

/* The first record whose key is `bound` or greater; with `after`, greater.
 * The search stands on its two neighbours there: false if one does not
 * verify, for then the place may be wrong. */
bool order_seek(const struct order *order, struct wb_bytes bound, bool after,
		struct order_place *ret_place);

/* The record at `place`, and go on; NULL at the end. */
struct record *order_next(const struct order *order, struct order_place *place);

/* False: it cannot be done; drop the order. */
bool order_insert(struct order *order, struct record *record);
bool order_replace(struct order *order, const struct record *old,
		   struct record *record);
bool order_remove(struct order *order, const struct record *old);

size_t order_bytes(const struct order *order);

#endif
