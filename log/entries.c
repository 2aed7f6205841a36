/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets and revisions are those of a footer: eighths, and counted from the
 * segment's first revision. They fit, for no segment is so long.
 */
#include "log/entries.h"

#include "log/format.h"

#include <assert.h>
#include <stdlib.h>

struct entry {
	uint32_t hash;
	uint32_t frame;
	uint32_t revision;
	uint32_t mutation;
};

void entries_begin(struct entries *entries, uint64_t first_revision)
{
	*entries = (struct entries){.first_revision = first_revision};
}

void entries_release(struct entries *entries)
{
	free(entries->list);
	entries->list = NULL;
	entries->count = entries->capacity = 0;
}

enum wb_error entries_reserve(struct entries *entries, size_t count)
{
	size_t needed = entries->count + count;
	size_t capacity = entries->capacity;
	struct entry *grown;

	if (needed <= capacity)
		return WB_OK;
	while (capacity < needed)
		capacity = capacity ? capacity + capacity / 2 : 64;
	grown = realloc(entries->list, capacity * sizeof(*grown));
	if (!grown)
		return WB_NO_MEMORY;
	entries->list = grown;
	entries->capacity = capacity;
	return WB_OK;
}

static void add_one(struct entries *entries, const struct log_entry *entry,
		    uint64_t offset)
{
	uint64_t revision = entry->revision - entries->first_revision;
	uint64_t frame = (offset + entry->offset) / FRAME_ALIGN;
	const struct entry *last = NULL;

	assert(entries->count < entries->capacity);
	assert(entries->count < UINT32_MAX);
	assert(revision <= UINT32_MAX);
	assert(frame <= UINT32_MAX);
	if (entries->count > 0)
		last = &entries->list[entries->count - 1];
	assert(!last || last->revision < revision ||
	       (last->revision == revision &&
		last->mutation < entry->mutation));
	entries->list[entries->count++] = (struct entry){
		.hash = entry->hash,
		.frame = (uint32_t)frame,
		.revision = (uint32_t)revision,
		.mutation = entry->mutation,
	};
}

void entries_add(struct entries *entries, const struct log_entry *list,
		 size_t count, uint64_t offset)
{
	size_t at;

	for (at = 0; at < count; at++)
		add_one(entries, &list[at], offset);
}

struct log_entry entries_get(const struct entries *entries, size_t at)
{
	const struct entry *entry = &entries->list[at];

	assert(at < entries->count);
	return (struct log_entry){
		.hash = entry->hash,
		.mutation = entry->mutation,
		.revision = entries->first_revision + entry->revision,
		.offset = (uint64_t)entry->frame * FRAME_ALIGN,
	};
}

size_t entries_bytes(const struct entries *entries)
{
	return entries->capacity * sizeof(*entries->list);
}

/* ---- finding ---- */

/* How many are of revisions below. */
static size_t count_below(const struct entries *entries, uint64_t before)
{
	size_t low = 0, high = entries->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (entries_get(entries, middle).revision < before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Two keys of one commit may share a hash. */
static void add_place(struct places *places, const struct log_entry *entry)
{
	if (places->count > 0 &&
	    places->list[places->count - 1].revision == entry->revision)
		return;
	places->list[places->count++] =
		(struct commit_place){entry->revision, entry->offset,
				      entry->mutation};
}

/* It ends between two revisions, so that going on below the last one misses
 * nothing. */
void entries_find(const struct entries *entries, uint32_t hash, uint64_t before,
		  struct places *ret_places)
{
	size_t at = count_below(entries, before);
	size_t least = at > ENTRIES_LOOK_MAX ? at - ENTRIES_LOOK_MAX : 0;
	uint64_t revision = before;

	ret_places->count = 0;
	for (; at > 0; at--) {
		struct log_entry entry = entries_get(entries, at - 1);

		if (entry.revision != revision &&
		    (at <= least || ret_places->count == PLACES_MAX))
			break;
		if (entry.hash == hash)
			add_place(ret_places, &entry);
		revision = entry.revision;
	}
	ret_places->before = at > 0 ? revision : entries->first_revision;
}

/* ---- in order ---- */

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void entries_sort(const struct entries *entries, uint64_t *ret_order)
{
	size_t at;

	for (at = 0; at < entries->count; at++)
		ret_order[at] = (uint64_t)entries->list[at].hash << 32 | at;
	if (entries->count > 1)
		qsort(ret_order, entries->count, sizeof(*ret_order), compare);
}
