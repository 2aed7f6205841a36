/* SPDX-License-Identifier: Apache-2.0
 *
 * The index: encoded key -> record of its newest durable version.
 *
 * 256 shards by hash, each an open-addressing table of 8-byte slots (16 bits
 * of fingerprint, 48 bits of address) under its own reader/writer lock, each
 * resized alone, so that no reader ever waits for a whole-table rehash.
 * Beside them a name order, built at the first scan and kept up from then on.
 *
 * One thread at a time changes an index (the store's publisher); any number
 * read it meanwhile. A record handed out by index_put or index_remove is no
 * longer reachable by any reader when the call returns: the caller frees it.
 *
 * Lock order: name order, then shard.
 */
#ifndef WAYBILL_INDEX_INDEX_H
#define WAYBILL_INDEX_INDEX_H

#include "index/record.h"

struct index;

/* `seed` goes into every hash, so that names cannot be chosen to collide.
 * Release frees all records to `heap`. */
enum wb_error index_new(struct heap *heap, uint64_t seed,
			struct index **ret_index);
void index_release(struct index *index);

uint64_t index_hash(const struct index *index, const void *key,
		    size_t key_bytes);

/* Make room for `count` more keys, so that loading does not rehash.
 * WB_NO_MEMORY. It takes the hashes to spread evenly, as a seeded hash does.
 */
enum wb_error index_reserve(struct index *index, size_t count);

/* Make room for keys of exactly these hashes: after WB_OK, putting them
 * cannot fail. WB_NO_MEMORY. */
enum wb_error index_reserve_hashes(struct index *index, const uint64_t *hashes,
				   size_t count);

/* Bring the table's line of this hash towards the cache, for anybody who
 * looks up many keys; a while later, what that line says of its record, for
 * the changer alone. */
void index_prefetch(const struct index *index, uint64_t hash);
void index_prefetch_record(const struct index *index, uint64_t hash);

/* Insert or replace; `*ret_old` is the record replaced, or NULL. The index
 * owns `record` from here on. A version whose name was damaged is replaced as
 * well, where RECORD_REPLACES says that there is one. WB_NO_MEMORY: nothing
 * changed. */
enum wb_error index_put(struct index *index, uint64_t hash,
			struct record *record, struct record **ret_old);

/* index_put of a record that no longer verifies, of whatever kind it was. Its
 * key is the one that has `hash`: that is WB_CORRUPT to all who ask for it. */
enum wb_error index_put_damaged(struct index *index, uint64_t hash,
				struct record *record, struct record **ret_old);

/* index_put while nobody reads the index yet, and without its locks. */
enum wb_error index_load(struct index *index, uint64_t hash,
			 struct record *record, struct record **ret_old);

/* `*ret_old` is the record removed, or NULL where there was none; one whose
 * name was damaged is removed as well. */
void index_remove(struct index *index, uint64_t hash, const void *key,
		  size_t key_bytes, struct record **ret_old);

/* What is known of a record without its bytes. */
struct record_info {
	uint64_t revision;
	int64_t time_ns;
	uint32_t value_bytes;
};

/* Copy the value under the shard's lock, after its checksum verified.
 * WB_NOT_FOUND, WB_CORRUPT; WB_BUFFER: ret_info tells the size; a record
 * above `revision_max` is WB_AGAIN (ask the older versions), with ret_info
 * filled. */
enum wb_error index_get(struct index *index, uint64_t hash, const void *key,
			size_t key_bytes, uint64_t revision_max, void *buffer,
			size_t size, struct record_info *ret_info);

/* The revision of a key's record; 0 where there is none. WB_CORRUPT: the
 * record, or one that may be it, does not verify. */
enum wb_error index_revision(struct index *index, uint64_t hash,
			     const void *key, size_t key_bytes,
			     uint64_t *ret_revision);

/* Copies of whole records, in key order, packed at 8-byte boundaries. */
struct scan_batch {
	uint8_t *bytes; /* caller's; 8-byte aligned */
	size_t size;
	size_t used;
	size_t count;
	bool more;     /* there are records after the last one */
	size_t needed; /* after WB_BUFFER: bytes for the next record */
};

/* Fill `batch` with the records whose key starts with `prefix` and is
 * greater than `after` (size 0: no bound), as many as fit, checking the
 * checksum of each, and of its neighbours where the answer begins and ends:
 * a damaged key is an error and never a shorter answer. WB_BUFFER: not even
 * one fits. WB_CORRUPT: `batch` holds those before the bad one (none where
 * it is met while the name order is built). WB_NO_MEMORY: the name order
 * cannot be built. */
enum wb_error index_scan(struct index *index, struct wb_bytes prefix,
			 struct wb_bytes after, struct scan_batch *batch);

/* The first record of a batch at `*at` = 0, then the next ones; NULL at the
 * end. */
const struct record *scan_batch_next(const struct scan_batch *batch,
				     size_t *at);

size_t index_count(const struct index *index);
/* Of them, those of kind WB_KIND_GC_BLOCKED; where memory has rotted perhaps
 * more than there are, and never 0 where one verifies. */
size_t index_marks(const struct index *index);
/* Keys and values of all records, bytes. */
uint64_t index_record_bytes(const struct index *index);
/* Tables and name order, bytes. */
uint64_t index_table_bytes(struct index *index);

#endif
