/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting records by key.
 */
#ifndef WAYBILL_INDEX_SORT_H
#define WAYBILL_INDEX_SORT_H

#include "index/record.h"

struct sort_item {
	struct record *record;
	uint64_t word; /* the sort's own */
};

/* Order `items` by the keys of their records. Keys must be trusted
 * (record_verifies). No memory but the stack, bounded by log2(count). */
void sort_by_key(struct sort_item *items, size_t count);

#endif
