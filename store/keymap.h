/* SPDX-License-Identifier: Apache-2.0
 *
 * A small hash map from an encoded key to a record that somebody else owns.
 * Not thread-safe. One is the overlay of staged state, one in each
 * transaction finds what it changed itself.
 */
#ifndef WAYBILL_STORE_KEYMAP_H
#define WAYBILL_STORE_KEYMAP_H

#include "index/record.h"

/* Its own hash and revision: what a record says may be damaged. */
struct keymap_slot {
	uint64_t hash;
	uint64_t revision;
	struct record *record; /* NULL: empty */
};

/* Begin zeroed; release with keymap_release. */
struct keymap {
	struct keymap_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

void keymap_release(struct keymap *map);
/* Empty it, and give a large table back. */
void keymap_clear(struct keymap *map);

/* The record of a key; NULL: none. Where the key is not found and a record of
 * its hash does not verify, that one, for it may be the key's own: so whoever
 * asks verifies what he gets. */
struct record *keymap_find(const struct keymap *map, uint64_t hash,
			   const void *key, size_t key_bytes);

/* Make room, so that the next `count` puts cannot fail. WB_NO_MEMORY. */
enum wb_error keymap_reserve(struct keymap *map, size_t count);

/* Insert or replace, under the record's own key. Needs room. */
void keymap_put(struct keymap *map, uint64_t hash, struct record *record);

/* Remove the entry with this hash that was put with this revision; nothing
 * where there is none. Reads no record. */
void keymap_remove(struct keymap *map, uint64_t hash, uint64_t revision);

#endif
