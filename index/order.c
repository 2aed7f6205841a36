/* SPDX-License-Identifier: Apache-2.0
 *
 * The invariant: blocks are not empty, records ascend by key within a block
 * and from block to block, and each directory entry knows its block's first
 * record.
 *
 * Two levels are enough: ten million names are 26,000 entries, and inserting
 * one moves at most 400 KiB once in 255 insertions. A B-tree would save that
 * and cost a level; a skip list costs a cache miss for every record of a
 * scan.
 *
 * Why two neighbours vouch for a place: every step of a binary search takes
 * the compared record as new lower or upper neighbour, and a damaged record
 * that sends the search the wrong way pulls all later steps against itself.
 * It ends as a neighbour of the place that is found.
 */
#include "index/order.h"

#include "index/heap.h"

#include <assert.h>
#include <string.h>

#define BUILD_FILL  384 /* of a block, leaving room for insertions */
#define MERGE_BELOW (ORDER_BLOCK_MAX / 2)

static bool entries_reserve(struct order *order, size_t count)
{
	size_t room = order->entry_room + order->entry_room / 2;
	const size_t each = sizeof(struct order_entry);
	struct order_entry *entries;

	if (count <= order->entry_room)
		return true;
	if (room < count)
		room = count;
	entries = heap_alloc(order->heap, room * each);
	if (!entries)
		return false;
	if (order->entry_count)
		memcpy(entries, order->entries, order->entry_count * each);
	heap_free(order->heap, order->entries, order->entry_room * each);
	order->entries = entries;
	order->entry_room = room;
	return true;
}

/* An empty block at place `at` of the directory; NULL: out of memory. */
static struct order_block *entry_insert(struct order *order, size_t at)
{
	struct order_block *block;

	if (!entries_reserve(order, order->entry_count + 1))
		return NULL;
	block = heap_alloc(order->heap, sizeof(*block));
	if (!block)
		return NULL;
	block->count = 0;
	memmove(&order->entries[at + 1], &order->entries[at],
		(order->entry_count - at) * sizeof(*order->entries));
	order->entries[at] = (struct order_entry){.block = block};
	order->entry_count++;
	return block;
}

static void entry_remove(struct order *order, size_t at)
{
	heap_free(order->heap, order->entries[at].block,
		  sizeof(struct order_block));
	order->entry_count--;
	memmove(&order->entries[at], &order->entries[at + 1],
		(order->entry_count - at) * sizeof(*order->entries));
}

static void entry_refresh(struct order *order, size_t at)
{
	order->entries[at].first = order->entries[at].block->records[0];
}

bool order_build(struct order *order, struct sort_item *items, size_t count)
{
	assert(!order->built);
	sort_by_key(items, count);
	for (size_t from = 0; from < count; from += BUILD_FILL) {
		size_t left = count - from;
		struct order_block *block =
			entry_insert(order, order->entry_count);

		if (!block) {
			order_drop(order);
			return false;
		}
		block->count = left < BUILD_FILL ? left : BUILD_FILL;
		for (size_t i = 0; i < block->count; i++)
			block->records[i] = items[from + i].record;
		entry_refresh(order, order->entry_count - 1);
	}
	order->built = true;
	return true;
}

void order_drop(struct order *order)
{
	while (order->entry_count)
		entry_remove(order, order->entry_count - 1);
	heap_free(order->heap, order->entries,
		  order->entry_room * sizeof(*order->entries));
	*order = (struct order){.heap = order->heap};
}

/* Is the record's key before `bound` (`after`: or equal to it)? Damaged
 * sizes are not followed; order_seek finds that record out. */
static bool is_before(const struct record *record, struct wb_bytes bound,
		      bool after)
{
	int order;

	if (!record_sizes_hold(record))
		return true;
	order = key_compare(record->bytes, record->key_bytes, bound.data,
			    bound.size);
	return after ? order <= 0 : order < 0;
}

/* Fetch what the next step may compare, whichever way this one goes. */
static void prefetch_record(const struct record *record)
{
	__builtin_prefetch(record);
	__builtin_prefetch(record->bytes + 32);
}

/* How many of the directory's entries begin before the bound. */
static size_t entries_before(const struct order *order, struct wb_bytes bound,
			     bool after)
{
	size_t low = 0, high = order->entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t quarter = (high - low) / 4;

		prefetch_record(order->entries[middle - quarter].first);
		if (middle + quarter < high)
			prefetch_record(order->entries[middle + quarter].first);
		if (is_before(order->entries[middle].first, bound, after))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How many of the block's records are before the bound; the first one is. */
static size_t records_before(const struct order_block *block,
			     struct wb_bytes bound, bool after)
{
	size_t low = 1, high = block->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t quarter = (high - low) / 4;

		prefetch_record(block->records[middle - quarter]);
		if (middle + quarter < high)
			prefetch_record(block->records[middle + quarter]);
		if (is_before(block->records[middle], bound, after))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct order_place locate(const struct order *order,
				 struct wb_bytes bound, bool after)
{
	size_t before = entries_before(order, bound, after);
	struct order_place place = {0};

	if (before) {
		place.entry = before - 1;
		place.at = records_before(order->entries[before - 1].block,
					  bound, after);
	}
	return place;
}

/* What is not the first place of all has its lower neighbour in its block. */
bool order_seek(const struct order *order, struct wb_bytes bound, bool after,
		struct order_place *ret_place)
{
	struct order_place place = locate(order, bound, after);
	struct order_place next = place;
	const struct record *record = order_next(order, &next);

	if (record && !record_verifies(record))
		return false;
	if (place.at) {
		record = order->entries[place.entry]
				 .block->records[place.at - 1];
		if (!record_verifies(record))
			return false;
	}
	*ret_place = place;
	return true;
}

struct record *order_next(const struct order *order, struct order_place *place)
{
	const struct order_block *block;

	if (place->entry == order->entry_count)
		return NULL;
	block = order->entries[place->entry].block;
	if (place->at == block->count) {
		if (++place->entry == order->entry_count)
			return NULL;
		place->at = 0;
		block = order->entries[place->entry].block;
	}
	return block->records[place->at++];
}

/* Make room at `place`, which moves to the new block where it falls there.
 * Past the very end a block is begun, so that names that come in order leave
 * full blocks behind. */
static bool split(struct order *order, struct order_place *place)
{
	size_t entry = place->entry;
	bool at_end =
		entry + 1 == order->entry_count && place->at == ORDER_BLOCK_MAX;
	size_t keep = at_end ? ORDER_BLOCK_MAX : ORDER_BLOCK_MAX / 2;
	struct order_block *left = order->entries[entry].block;
	struct order_block *right = entry_insert(order, entry + 1);

	if (!right)
		return false;
	right->count = left->count - keep;
	memcpy(right->records, left->records + keep,
	       right->count * sizeof(*right->records));
	left->count = keep;
	if (right->count)
		entry_refresh(order, entry + 1);
	if (at_end || place->at > keep) {
		place->entry++;
		place->at -= keep;
	}
	return true;
}

bool order_insert(struct order *order, struct record *record)
{
	struct wb_bytes key = {record->bytes, record->key_bytes};
	struct order_place place;
	struct order_block *block;

	if (!record_verifies(record) || !order_seek(order, key, false, &place))
		return false;
	if (order->entry_count == 0 && !entry_insert(order, 0))
		return false;
	block = order->entries[place.entry].block;
	if (block->count == ORDER_BLOCK_MAX) {
		if (!split(order, &place))
			return false;
		block = order->entries[place.entry].block;
	}
	memmove(&block->records[place.at + 1], &block->records[place.at],
		(block->count - place.at) * sizeof(*block->records));
	block->records[place.at] = record;
	block->count++;
	entry_refresh(order, place.entry);
	return true;
}

/* Where exactly this record is. To find it there needs no further proof. */
static bool find(const struct order *order, const struct record *record,
		 struct order_place *ret_place)
{
	struct wb_bytes key = {record->bytes, record->key_bytes};
	struct order_place place;

	if (!record_sizes_hold(record))
		return false;
	place = locate(order, key, false);
	if (order_next(order, &place) != record)
		return false;
	place.at--;
	*ret_place = place;
	return true;
}

bool order_replace(struct order *order, const struct record *old,
		   struct record *record)
{
	struct order_place place;

	if (!find(order, old, &place))
		return false;
	order->entries[place.entry].block->records[place.at] = record;
	entry_refresh(order, place.entry);
	return true;
}

/* Join the block with the one after it where both are thin. */
static void merge(struct order *order, size_t entry)
{
	struct order_block *left, *right;

	if (entry + 1 >= order->entry_count)
		return;
	left = order->entries[entry].block;
	right = order->entries[entry + 1].block;
	if (left->count + right->count > MERGE_BELOW)
		return;
	memcpy(left->records + left->count, right->records,
	       right->count * sizeof(*right->records));
	left->count += right->count;
	entry_remove(order, entry + 1);
}

bool order_remove(struct order *order, const struct record *old)
{
	struct order_place place;
	struct order_block *block;

	if (!find(order, old, &place))
		return false;
	block = order->entries[place.entry].block;
	block->count--;
	memmove(&block->records[place.at], &block->records[place.at + 1],
		(block->count - place.at) * sizeof(*block->records));
	if (block->count == 0) {
		entry_remove(order, place.entry);
		return true;
	}
	entry_refresh(order, place.entry);
	merge(order, place.entry);
	if (place.entry)
		merge(order, place.entry - 1);
	return true;
}

size_t order_bytes(const struct order *order)
{
	return order->entry_room * sizeof(*order->entries) +
	       order->entry_count * sizeof(struct order_block);
}
