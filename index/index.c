/* SPDX-License-Identifier: Apache-2.0
 *
 * The shards, the name order, and who may touch what when.
 *
 * There is one changer at a time. It alone writes tables, so it reads them
 * without a lock, builds a larger one beside the old one while readers go on,
 * and takes the shard's write lock only to exchange two words. The name order
 * is built by whichever reader needs it first; its lock therefore comes first
 * and is taken by every change of what is in the tables, built or not.
 *
 *	order's lock	which records there are, and each one's life: a record
 *			that its holder sees cannot be freed, because whoever
 *			replaces it must first take this lock. A scan holds it
 *			and no shard's.
 *	shard's lock	where the table is and what its slots say. The order's
 *			does not cover that: a table grows under this one alone.
 *
 * So who walks the tables to build the order holds both, the shard's only as
 * long as it takes to copy one shard's addresses.
 *
 * Memory rots, and the log is the truth: a change that is durable is made here
 * whatever the records say. Where a name was damaged the hash still tells whose
 * it was, so that a key does not get a second record; where it does not tell,
 * two of one hash being damaged, both are WB_CORRUPT to whoever asks for them.
 */
#include "index/index.h"

#include "index/heap.h"
#include "index/order.h"
#include "index/table.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SHARD_COUNT 256u

/* A pair of cache lines each, so that neighbours do not share one. */
struct shard {
	pthread_rwlock_t lock;
	struct table table;
} __attribute__((aligned(128)));

struct index {
	struct heap *heap;
	uint64_t seed;
	uint64_t count; /* these three: written by the changer only */
	uint64_t record_bytes;
	uint64_t marks;
	pthread_rwlock_t order_lock;
	struct order order;
	struct shard shards[SHARD_COUNT];
};

/* ---- locks ---- */

static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(
		&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

static void lock_to_read(pthread_rwlock_t *lock)
{
	int failed = pthread_rwlock_rdlock(lock);

	assert(!failed);
}

static void lock_to_write(pthread_rwlock_t *lock)
{
	int failed = pthread_rwlock_wrlock(lock);

	assert(!failed);
}

static void unlock(pthread_rwlock_t *lock)
{
	pthread_rwlock_unlock(lock);
}

/* ---- begin and end ---- */

enum wb_error index_new(struct heap *heap, uint64_t seed,
			struct index **ret_index)
{
	struct index *index =
		aligned_alloc(_Alignof(struct index), sizeof(*index));

	if (!index)
		return WB_NO_MEMORY;
	memset(index, 0, sizeof(*index));
	index->heap = heap;
	index->order.heap = heap;
	index->seed = seed;
	lock_init(&index->order_lock);
	for (unsigned i = 0; i < SHARD_COUNT; i++)
		lock_init(&index->shards[i].lock);
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		if (!table_init(&index->shards[i].table, heap, 0)) {
			index_release(index);
			return WB_NO_MEMORY;
		}
	}
	*ret_index = index;
	return WB_OK;
}

static void shard_release(struct shard *shard, struct heap *heap)
{
	struct table_cursor cursor = {0};
	struct record *record;

	while ((record = table_next(&shard->table, &cursor)))
		record_free(heap, record);
	table_release(&shard->table, heap);
	pthread_rwlock_destroy(&shard->lock);
}

void index_release(struct index *index)
{
	if (!index)
		return;
	for (unsigned i = 0; i < SHARD_COUNT; i++)
		shard_release(&index->shards[i], index->heap);
	order_drop(&index->order);
	pthread_rwlock_destroy(&index->order_lock);
	free(index);
}

/* ---- tables ---- */

uint64_t index_hash(const struct index *index, const void *key,
		    size_t key_bytes)
{
	return XXH3_64bits_withSeed(key, key_bytes, index->seed);
}

static unsigned shard_number(uint64_t hash)
{
	return (unsigned)(hash >> 56);
}

static struct shard *shard_of(struct index *index, uint64_t hash)
{
	return &index->shards[shard_number(hash)];
}

/* Called by the changer: room for `more` more records. Readers go on in the
 * old table until the new one is complete. */
static enum wb_error shard_reserve(struct index *index, unsigned number,
				   size_t more)
{
	struct shard *shard = &index->shards[number];
	size_t count = shard->table.count + more;
	struct table table;

	if (table_has_room(&shard->table, count))
		return WB_OK;
	if (!table_grow(&shard->table, index->heap, count, &table))
		return WB_NO_MEMORY;
	lock_to_write(&shard->lock);
	table_exchange(&shard->table, &table);
	unlock(&shard->lock);
	table_release(&table, index->heap);
	return WB_OK;
}

/* The square root, rounded up: what a shard's share may deviate by. */
static size_t root(size_t n)
{
	size_t r = 0;

	while (r * r < n)
		r++;
	return r;
}

enum wb_error index_reserve(struct index *index, size_t count)
{
	size_t share = count / SHARD_COUNT + 1;
	size_t room = share + 6 * root(share);
	enum wb_error error = WB_OK;

	for (unsigned i = 0; i < SHARD_COUNT && !error; i++)
		error = shard_reserve(index, i, room);
	return error;
}

enum wb_error index_reserve_hashes(struct index *index, const uint64_t *hashes,
				   size_t count)
{
	size_t counts[SHARD_COUNT] = {0};
	enum wb_error error = WB_OK;

	for (size_t i = 0; i < count; i++)
		counts[shard_number(hashes[i])]++;
	for (unsigned i = 0; i < SHARD_COUNT && !error; i++)
		if (counts[i])
			error = shard_reserve(index, i, counts[i]);
	return error;
}

void index_prefetch(const struct index *index, uint64_t hash)
{
	table_prefetch(&index->shards[shard_number(hash)].table, hash);
}

void index_prefetch_record(const struct index *index, uint64_t hash)
{
	table_prefetch_record(&index->shards[shard_number(hash)].table, hash);
}

/* ---- changes ---- */

/* Counters have one writer and are read at any time. */
static void counter_add(uint64_t *counter, uint64_t delta)
{
	__atomic_store_n(counter, *counter + delta, __ATOMIC_RELAXED);
}

/* Of damaged sizes nothing is known, and nothing is counted. */
static void count_record(struct index *index, const struct record *record,
			 bool added)
{
	uint64_t bytes =
		record_sizes_hold(record)
			? (uint64_t)record->key_bytes + record->value_bytes
			: 0;

	/* Nearly all records are told by their first byte. One that does not
	 * verify may only look like a mark. */
	if (record->bytes[0] == WB_KIND_GC_BLOCKED && record_verifies(record))
		counter_add(&index->marks, added ? 1 : -(uint64_t)1);
	counter_add(&index->count, added ? 1 : -(uint64_t)1);
	counter_add(&index->record_bytes, added ? bytes : -bytes);
}

static void order_change(struct order *order, const struct record *old,
			 struct record *record)
{
	bool done = true;

	if (!order->built)
		return;
	if (old && record)
		done = order_replace(order, old, record);
	else if (record)
		done = order_insert(order, record);
	else
		done = order_remove(order, old);
	if (!done)
		order_drop(order);
}

/* The slot of a key that is there, where it was not found by its name: then it
 * is the one of this hash that does not verify. NULL where there are two. */
static uint64_t *find_damaged(const struct table *table, uint64_t hash)
{
	struct table_cursor cursor = {0};
	uint64_t *slot, *found = NULL;

	while ((slot = table_candidate(table, hash, &cursor))) {
		if (record_verifies(table_record(slot)))
			continue;
		if (found)
			return NULL;
		found = slot;
	}
	return found;
}

/* The slot of the key that has this hash, all of it, whatever its name. */
static uint64_t *find_by_hash(const struct index *index,
			      const struct table *table, uint64_t hash)
{
	struct table_cursor cursor = {0};
	uint64_t *slot;

	while ((slot = table_candidate(table, hash, &cursor))) {
		const struct record *record = table_record(slot);

		if (record_verifies(record) &&
		    index_hash(index, record->bytes, record->key_bytes) == hash)
			break;
	}
	return slot;
}

static uint64_t *find_replaced(const struct table *table, uint64_t hash,
			       const struct record *record)
{
	bool damaged = false;
	uint64_t *slot = table_find(table, hash, record->bytes,
				    record->key_bytes, &damaged);

	if (!slot && damaged && record->flags & RECORD_REPLACES)
		slot = find_damaged(table, hash);
	return slot;
}

/* Into `slot`, NULL: a new one. */
static enum wb_error put_into(struct index *index, uint64_t hash,
			      uint64_t *slot, struct record *record,
			      struct record **ret_old)
{
	struct shard *shard = shard_of(index, hash);
	struct record *old = NULL;

	if (!slot && shard_reserve(index, shard_number(hash), 1))
		return WB_NO_MEMORY;
	if (slot)
		old = table_record(slot);
	lock_to_write(&index->order_lock);
	lock_to_write(&shard->lock);
	if (slot)
		table_replace(slot, record);
	else
		table_insert(&shard->table, hash, record);
	unlock(&shard->lock);
	order_change(&index->order, old, record);
	count_record(index, record, true);
	if (old)
		count_record(index, old, false);
	unlock(&index->order_lock);
	*ret_old = old;
	return WB_OK;
}

enum wb_error index_put(struct index *index, uint64_t hash,
			struct record *record, struct record **ret_old)
{
	uint64_t *slot =
		find_replaced(&shard_of(index, hash)->table, hash, record);

	return put_into(index, hash, slot, record, ret_old);
}

enum wb_error index_put_damaged(struct index *index, uint64_t hash,
				struct record *record, struct record **ret_old)
{
	uint64_t *slot =
		find_by_hash(index, &shard_of(index, hash)->table, hash);

	return put_into(index, hash, slot, record, ret_old);
}

enum wb_error index_load(struct index *index, uint64_t hash,
			 struct record *record, struct record **ret_old)
{
	struct shard *shard = shard_of(index, hash);
	uint64_t *slot = find_replaced(&shard->table, hash, record);

	assert(!index->order.built);
	*ret_old = NULL;
	if (slot) {
		*ret_old = table_record(slot);
		count_record(index, *ret_old, false);
		table_replace(slot, record);
	} else if (shard_reserve(index, shard_number(hash), 1)) {
		return WB_NO_MEMORY;
	} else {
		table_insert(&shard->table, hash, record);
	}
	count_record(index, record, true);
	return WB_OK;
}

void index_remove(struct index *index, uint64_t hash, const void *key,
		  size_t key_bytes, struct record **ret_old)
{
	struct shard *shard = shard_of(index, hash);
	struct record *old = NULL;
	bool damaged = false;
	uint64_t *slot =
		table_find(&shard->table, hash, key, key_bytes, &damaged);

	if (!slot && damaged)
		slot = find_damaged(&shard->table, hash);
	if (slot) {
		old = table_record(slot);
		lock_to_write(&index->order_lock);
		lock_to_write(&shard->lock);
		table_remove(&shard->table, hash, slot);
		unlock(&shard->lock);
		order_change(&index->order, old, NULL);
		count_record(index, old, false);
		unlock(&index->order_lock);
	}
	*ret_old = old;
}

/* ---- one record ---- */

enum wb_error index_get(struct index *index, uint64_t hash, const void *key,
			size_t key_bytes, uint64_t revision_max, void *buffer,
			size_t size, struct record_info *ret_info)
{
	struct shard *shard = shard_of(index, hash);
	enum wb_error error = WB_OK;
	bool damaged = false;
	const struct record *record;
	const uint64_t *slot;

	table_prefetch(&shard->table, hash);
	lock_to_read(&shard->lock);
	slot = table_find(&shard->table, hash, key, key_bytes, &damaged);
	record = slot ? table_record(slot) : NULL;
	if (!record) {
		error = damaged ? WB_CORRUPT : WB_NOT_FOUND;
	} else if (!record_verifies(record)) {
		error = WB_CORRUPT;
	} else {
		*ret_info = (struct record_info){
			.revision = record->revision,
			.time_ns = record->time_ns,
			.value_bytes = record->value_bytes,
		};
		if (record->revision > revision_max)
			error = WB_AGAIN;
		else if (record->value_bytes > size)
			error = WB_BUFFER;
		else if (record->value_bytes)
			memcpy(buffer, record_value(record),
			       record->value_bytes);
	}
	unlock(&shard->lock);
	return error;
}

enum wb_error index_revision(struct index *index, uint64_t hash,
			     const void *key, size_t key_bytes,
			     uint64_t *ret_revision)
{
	struct shard *shard = shard_of(index, hash);
	enum wb_error error = WB_OK;
	bool damaged = false;
	const struct record *record;
	const uint64_t *slot;

	lock_to_read(&shard->lock);
	slot = table_find(&shard->table, hash, key, key_bytes, &damaged);
	record = slot ? table_record(slot) : NULL;
	if (record ? !record_verifies(record) : damaged)
		error = WB_CORRUPT;
	else
		*ret_revision = record ? record->revision : 0;
	unlock(&shard->lock);
	return error;
}

/* ---- many records ---- */

/* A pass over many records asks for each one twice, this long before it is
 * there: into the second cache, then into the first. */
#define AHEAD_EARLY 16u
#define AHEAD	    4u

/* All records, verified: what is sorted must be in its place. The order's
 * lock is held for writing, so that the records stay while their tables
 * grow. */
static enum wb_error collect(struct index *index, struct sort_item *items)
{
	size_t count = 0;

	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &index->shards[i];
		struct table_cursor cursor = {0};
		struct record *record;

		lock_to_read(&shard->lock);
		while ((record = table_next(&shard->table, &cursor)))
			items[count++].record = record;
		unlock(&shard->lock);
	}
	assert(count == index->count);
	for (size_t i = 0; i < count; i++) {
		if (i + AHEAD_EARLY < count)
			record_prefetch_early(items[i + AHEAD_EARLY].record);
		if (!record_verifies(items[i].record))
			return WB_CORRUPT;
	}
	return WB_OK;
}

static enum wb_error build_order(struct index *index)
{
	size_t bytes = index->count * sizeof(struct sort_item);
	struct sort_item *items = heap_alloc(index->heap, bytes);
	enum wb_error error;

	if (!items)
		return WB_NO_MEMORY;
	error = collect(index, items);
	if (!error && !order_build(&index->order, items, index->count))
		error = WB_NO_MEMORY;
	heap_free(index->heap, items, bytes);
	return error;
}

/* On WB_OK the order is built, and its lock is held for reading. */
static enum wb_error lock_order(struct index *index)
{
	enum wb_error error = WB_OK;

	lock_to_read(&index->order_lock);
	while (!index->order.built) {
		unlock(&index->order_lock);
		lock_to_write(&index->order_lock);
		if (!index->order.built)
			error = build_order(index);
		unlock(&index->order_lock);
		if (error)
			return error;
		lock_to_read(&index->order_lock);
	}
	return WB_OK;
}

/* The next records of the order, on their way into the cache. */
struct window {
	struct order_place place;
	const struct record *records[AHEAD_EARLY];
	unsigned at;
};

static const struct record *window_next(const struct order *order,
					struct window *window)
{
	unsigned at = window->at++ % AHEAD_EARLY;
	const struct record *record = window->records[at];
	const struct record *early = order_next(order, &window->place);

	window->records[at] = early;
	if (early)
		record_prefetch_early(early);
	record_prefetch(window->records[(at + AHEAD) % AHEAD_EARLY]);
	return record;
}

static void window_open(const struct order *order, struct order_place place,
			struct window *ret_window)
{
	struct window window = {.place = place};

	for (unsigned i = 0; i < AHEAD_EARLY; i++)
		window_next(order, &window);
	*ret_window = window;
}

static bool has_prefix(const struct record *record, struct wb_bytes prefix)
{
	return record->key_bytes >= prefix.size &&
	       (prefix.size == 0 ||
		memcmp(record->bytes, prefix.data, prefix.size) == 0);
}

static size_t batch_bytes(const struct record *record)
{
	return (record_size(record) + 7) & ~(size_t)7;
}

/* The order's lock is held. A record is verified before anything is made of
 * it, also of its being the first beyond the prefix. */
static enum wb_error scan(const struct order *order, struct order_place place,
			  struct wb_bytes prefix, struct scan_batch *batch)
{
	const struct record *record;
	struct window window;

	window_open(order, place, &window);
	while ((record = window_next(order, &window))) {
		size_t bytes;

		if (!record_verifies(record)) {
			batch->more = true;
			return WB_CORRUPT;
		}
		if (!has_prefix(record, prefix))
			break;
		bytes = batch_bytes(record);
		if (bytes > batch->size - batch->used) {
			batch->more = true;
			batch->needed = bytes;
			return batch->count ? WB_OK : WB_BUFFER;
		}
		memcpy(batch->bytes + batch->used, record, record_size(record));
		batch->used += bytes;
		batch->count++;
	}
	return WB_OK;
}

enum wb_error index_scan(struct index *index, struct wb_bytes prefix,
			 struct wb_bytes after, struct scan_batch *batch)
{
	bool from_after =
		after.size && key_compare(after.data, after.size, prefix.data,
					  prefix.size) >= 0;
	struct order_place place;
	enum wb_error error;

	batch->used = 0;
	batch->count = 0;
	batch->more = false;
	batch->needed = 0;
	error = lock_order(index);
	if (error)
		return error;
	if (order_seek(&index->order, from_after ? after : prefix, from_after,
		       &place))
		error = scan(&index->order, place, prefix, batch);
	else
		error = WB_CORRUPT;
	unlock(&index->order_lock);
	return error;
}

const struct record *scan_batch_next(const struct scan_batch *batch, size_t *at)
{
	const struct record *record;

	if (*at == batch->used)
		return NULL;
	record = (const struct record *)(const void *)(batch->bytes + *at);
	*at += batch_bytes(record);
	return record;
}

/* ---- numbers ---- */

size_t index_count(const struct index *index)
{
	return __atomic_load_n(&index->count, __ATOMIC_RELAXED);
}

size_t index_marks(const struct index *index)
{
	return __atomic_load_n(&index->marks, __ATOMIC_RELAXED);
}

uint64_t index_record_bytes(const struct index *index)
{
	return __atomic_load_n(&index->record_bytes, __ATOMIC_RELAXED);
}

uint64_t index_table_bytes(struct index *index)
{
	uint64_t bytes = sizeof(*index);

	lock_to_read(&index->order_lock);
	bytes += order_bytes(&index->order);
	unlock(&index->order_lock);
	for (unsigned i = 0; i < SHARD_COUNT; i++) {
		struct shard *shard = &index->shards[i];

		lock_to_read(&shard->lock);
		bytes += table_bytes(&shard->table);
		unlock(&shard->lock);
	}
	return bytes;
}
