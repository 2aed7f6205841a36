/* SPDX-License-Identifier: Apache-2.0
 *
 * One version of one key, as it lives in memory: a header, the key's bytes,
 * the value's bytes, one checksum over all of it. Immutable once sealed.
 *
 * The memory comes from a heap of size classes in huge pages (heap.h), for
 * a record is looked up by address at random and a TLB miss costs as much as
 * the look-up.
 */
#ifndef WAYBILL_INDEX_RECORD_H
#define WAYBILL_INDEX_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/store.h>

struct heap;

/* Keys are ordered by their bytes: kind, namespace, a zero byte, name. */
#define KEY_BYTES_MAX (1 + WB_NAMESPACE_BYTES_MAX + 1 + WB_NAME_BYTES_MAX)

struct key {
	size_t size;
	uint8_t bytes[KEY_BYTES_MAX];
};

/* Check the bounds of `from` and encode it. WB_BAD_INPUT: kind 0 or above
 * 255, namespace too long or with a zero byte, name empty or too long. */
enum wb_error key_encode(const struct wb_key *from, struct key *ret_key);

/* The parts of an encoded key, pointing into it. WB_CORRUPT if it is none.
 */
enum wb_error key_decode(const void *bytes, size_t size,
			 struct wb_key *ret_key);

struct record {
	uint64_t checksum; /* XXH3-64 of all that follows */
	uint64_t revision;
	int64_t time_ns;
	uint32_t value_bytes;
	uint16_t key_bytes;
	uint8_t flags;
	uint8_t size_check; /* guards the two sizes alone */
	uint8_t bytes[];    /* key, value */
};

enum record_flags {
	RECORD_DELETED = 1,  /* a deletion; in overlays, never in the index */
	RECORD_REPLACES = 2, /* when it was made its key had a version */
};

static inline const uint8_t *record_value(const struct record *record)
{
	return record->bytes + record->key_bytes;
}

static inline size_t record_size(const struct record *record)
{
	return sizeof(*record) + record->key_bytes + record->value_bytes;
}

/* Start fetching a record of a common size: all of it to the first cache
 * where it is next, to the second where others come before it (that one
 * takes more requests at a time). Harmless wherever it points. */
#define RECORD_LINES 6
static inline void record_prefetch(const struct record *record)
{
	uintptr_t at = (uintptr_t)record; /* NULL too: no pointer arithmetic */

	for (size_t line = 0; line < RECORD_LINES; line++)
		__builtin_prefetch((const void *)(at + 64 * line), 0, 3);
}

static inline void record_prefetch_early(const struct record *record)
{
	uintptr_t at = (uintptr_t)record;

	for (size_t line = 0; line < RECORD_LINES; line++)
		__builtin_prefetch((const void *)(at + 64 * line), 0, 2);
}

/* The exclusive or of the sizes' bytes, inverted: one flipped bit shows. */
static inline uint8_t record_size_check(const struct record *record)
{
	uint32_t fold = record->value_bytes ^ record->key_bytes;

	fold ^= fold >> 16;
	fold ^= fold >> 8;
	return (uint8_t)~fold;
}

/* May the sizes be trusted to stay inside of the record's memory? */
static inline bool record_sizes_hold(const struct record *record)
{
	return record->size_check == record_size_check(record);
}

/* A sealed record of its own memory; NULL: out of memory. Free with
 * heap_free(heap, record, record_size(record)). */
struct record *record_new(struct heap *heap, const void *key, size_t key_bytes,
			  struct wb_bytes value, uint64_t revision,
			  int64_t time_ns, uint8_t flags);
void record_free(struct heap *heap, struct record *record);

/* Does the checksum hold? Reads no byte outside of the record, whichever bit
 * of it has flipped. (Control RECORD_VERIFY.) */
bool record_verifies(const struct record *record);

/* memcmp order of two keys, a shorter one before its extensions. */
int key_compare(const void *a, size_t a_bytes, const void *b, size_t b_bytes);

#endif
