/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear probing, at most half full, removal by shifting back. The index's
 * own table is not used here: it locks, and it owns its records.
 */
#include "store/keymap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN  64u
#define CAPACITY_KEEP 4096u

void keymap_release(struct keymap *map)
{
	free(map->slots);
	*map = (struct keymap){0};
}

void keymap_clear(struct keymap *map)
{
	if (map->capacity > CAPACITY_KEEP)
		keymap_release(map);
	else if (map->count)
		memset(map->slots, 0, map->capacity * sizeof(*map->slots));
	map->count = 0;
}

static bool same_key(const struct record *record, const void *key,
		     size_t key_bytes)
{
	return record->key_bytes == key_bytes &&
	       memcmp(record->bytes, key, key_bytes) == 0;
}

/* The slot of the key, or the empty one where it would go. */
static size_t probe(const struct keymap *map, uint64_t hash, const void *key,
		    size_t key_bytes)
{
	size_t mask = map->capacity - 1;
	size_t at = hash & mask;

	while (map->slots[at].record &&
	       (map->slots[at].hash != hash ||
		!same_key(map->slots[at].record, key, key_bytes)))
		at = (at + 1) & mask;
	return at;
}

struct record *keymap_find(const struct keymap *map, uint64_t hash,
			   const void *key, size_t key_bytes)
{
	size_t mask = map->capacity - 1;
	struct record *record, *damaged = NULL;
	size_t at;

	if (map->count == 0)
		return NULL;
	for (at = hash & mask; (record = map->slots[at].record);
	     at = (at + 1) & mask) {
		if (map->slots[at].hash != hash)
			continue;
		if (same_key(record, key, key_bytes))
			return record;
		if (!record_verifies(record))
			damaged = record;
	}
	return damaged;
}

/* To a larger table; keys differ already, and no record is read. */
static void move_slots(const struct keymap *from, struct keymap *to)
{
	size_t mask = to->capacity - 1;
	size_t at, free_at;

	for (at = 0; at < from->capacity; at++) {
		if (!from->slots[at].record)
			continue;
		free_at = from->slots[at].hash & mask;
		while (to->slots[free_at].record)
			free_at = (free_at + 1) & mask;
		to->slots[free_at] = from->slots[at];
	}
	to->count = from->count;
}

enum wb_error keymap_reserve(struct keymap *map, size_t count)
{
	size_t capacity = map->capacity ? map->capacity : CAPACITY_MIN;
	struct keymap grown;

	while (capacity < 2 * (map->count + count))
		capacity *= 2;
	if (capacity == map->capacity)
		return WB_OK;
	grown = (struct keymap){
		.slots = calloc(capacity, sizeof(*grown.slots)),
		.capacity = capacity,
	};
	if (!grown.slots)
		return WB_NO_MEMORY;
	move_slots(map, &grown);
	free(map->slots);
	*map = grown;
	return WB_OK;
}

void keymap_put(struct keymap *map, uint64_t hash, struct record *record)
{
	size_t at;

	assert(2 * map->count < map->capacity);
	at = probe(map, hash, record->bytes, record->key_bytes);
	map->count += !map->slots[at].record;
	map->slots[at] = (struct keymap_slot){hash, record->revision, record};
}

void keymap_remove(struct keymap *map, uint64_t hash, uint64_t revision)
{
	size_t mask = map->capacity - 1;
	size_t hole, next, home;

	if (map->count == 0)
		return;
	for (hole = hash & mask; map->slots[hole].record;
	     hole = (hole + 1) & mask)
		if (map->slots[hole].hash == hash &&
		    map->slots[hole].revision == revision)
			break;
	if (!map->slots[hole].record)
		return;
	map->count--;
	for (next = (hole + 1) & mask; map->slots[next].record;
	     next = (next + 1) & mask) {
		home = map->slots[next].hash & mask;
		if (((next - home) & mask) >= ((next - hole) & mask)) {
			map->slots[hole] = map->slots[next];
			hole = next;
		}
	}
	map->slots[hole].record = NULL;
}
