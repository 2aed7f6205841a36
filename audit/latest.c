/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table with linear probing whose slots lie in the order of the hashes'
 * high bits: so a slot needs no more of a hash than those, and a table of
 * twice the size is filled from the first slot to the last.
 *
 * A table of millions of keys is not in the processor's caches, so each slot
 * is asked for some mutations before it is needed. Keys are compared in full:
 * two that share a hash are two.
 */
#include "audit/latest.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { BITS_FIRST = 8, BITS_MAX = 32, AHEAD = 16, KEY_ALIGN = 8 };

struct latest_slot {
	uint64_t revision; /* 0: it is deleted */
	uint32_t tag;	   /* the high half of the hash */
	uint32_t key;	   /* where, in units of KEY_ALIGN; 0: a free slot */
};

void latest_release(struct latest *latest)
{
	free(latest->slots);
	free(latest->keys);
	*latest = (struct latest){0};
}

static uint32_t tag_of(const struct audit_mutation *mutation)
{
	return (uint32_t)(mutation->key_hash >> 32);
}

static size_t first_place(const struct latest *latest, uint32_t tag)
{
	return tag >> (BITS_MAX - latest->bits);
}

static size_t next_place(const struct latest *latest, size_t at)
{
	return (at + 1) & (((size_t)1 << latest->bits) - 1);
}

/* Twice as many slots, as soon as half of them are used. */
static enum wb_error make_slots(struct latest *latest)
{
	struct latest grown = *latest;
	size_t count = latest->bits ? (size_t)1 << latest->bits : 0;

	if (latest->used < count / 2)
		return WB_OK;
	if (latest->bits == BITS_MAX)
		return WB_NO_MEMORY;
	grown.bits = latest->bits ? latest->bits + 1 : BITS_FIRST;
	grown.slots = calloc((size_t)1 << grown.bits, sizeof(*grown.slots));
	if (!grown.slots)
		return WB_NO_MEMORY;
	for (size_t at = 0; at < count; at++) {
		size_t to = first_place(&grown, latest->slots[at].tag);

		if (!latest->slots[at].key)
			continue;
		while (grown.slots[to].key)
			to = next_place(&grown, to);
		grown.slots[to] = latest->slots[at];
	}
	free(latest->slots);
	*latest = grown;
	return WB_OK;
}

/* Room for one more key, and for the end of the one before it. */
static enum wb_error make_key_room(struct latest *latest)
{
	size_t needed = latest->key_bytes + sizeof(uint16_t) +
			AUDIT_KEY_BYTES_MAX + KEY_ALIGN;

	if (latest->key_bytes / KEY_ALIGN >= UINT32_MAX)
		return WB_NO_MEMORY;
	return array_grow(&latest->keys, &latest->key_capacity, needed, 1)
		       ? WB_OK
		       : WB_NO_MEMORY;
}

/* The encoding at key_bytes, with its size in front; it is not counted yet. */
static uint16_t write_key(struct latest *latest, const struct wb_key *key)
{
	uint8_t *to = latest->keys + latest->key_bytes;
	uint16_t size = (uint16_t)audit_key_encode(key, to + sizeof(uint16_t));

	memcpy(to, &size, sizeof(size));
	return size;
}

static bool is_key(const struct latest *latest, const struct latest_slot *slot,
		   uint16_t size)
{
	const uint8_t *written = latest->keys + latest->key_bytes;
	const uint8_t *known = latest->keys + (size_t)slot->key * KEY_ALIGN;

	return memcmp(known, written, sizeof(uint16_t) + size) == 0;
}

/* `*ret_before`: what the change must name. A key that was deleted has no
 * version before. */
static enum wb_error take_mutation(struct latest *latest,
				   const struct audit_mutation *mutation,
				   uint64_t revision, uint64_t *ret_before)
{
	uint32_t tag = tag_of(mutation);
	struct latest_slot *slot;
	enum wb_error error = make_slots(latest);
	size_t at;
	uint16_t size;

	if (!error)
		error = make_key_room(latest);
	if (error)
		return error;
	size = write_key(latest, &mutation->key);
	at = first_place(latest, tag);
	slot = &latest->slots[at];
	while (slot->key && (slot->tag != tag || !is_key(latest, slot, size))) {
		at = next_place(latest, at);
		slot = &latest->slots[at];
	}
	if (!slot->key) {
		slot->tag = tag;
		slot->key = (uint32_t)(latest->key_bytes / KEY_ALIGN);
		latest->key_bytes += (sizeof(uint16_t) + size + KEY_ALIGN - 1) /
				     KEY_ALIGN * KEY_ALIGN;
		latest->used++;
	}
	*ret_before = slot->revision;
	slot->revision = mutation->deleted ? 0 : revision;
	return WB_OK;
}

enum wb_error latest_take(struct latest *latest,
			  const struct audit_commit *commit, size_t *ret_wrong)
{
	const struct audit_mutation *all = commit->mutations;
	size_t count = commit->mutation_count, wrong = count;

	/* 0 stands for a free slot. */
	if (latest->key_bytes == 0)
		latest->key_bytes = KEY_ALIGN;
	for (size_t at = 0; at < count; at++) {
		uint64_t before;
		enum wb_error error;

		if (latest->bits && at + AHEAD < count)
			__builtin_prefetch(&latest->slots[first_place(
				latest, tag_of(&all[at + AHEAD]))]);
		error = take_mutation(latest, &all[at], commit->revision,
				      &before);
		if (error)
			return error;
		if (before != all[at].previous_revision && wrong == count)
			wrong = at;
	}
	*ret_wrong = wrong;
	return WB_OK;
}
