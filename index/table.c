/* SPDX-License-Identifier: Apache-2.0
 *
 * The invariant: a record lies in its home bucket or in one that follows it
 * (around the end), and every bucket from its home to the one before its own
 * counts it. A count that reaches 255 stays there until the table grows: it
 * makes a search go on for nothing and never end too early.
 *
 * Of a hash, the top 8 bits choose the shard (index.c), the next 24 are kept:
 * 8 in the bucket's head, 16 in the slot as fingerprint. Home is those 24
 * bits scaled to the number of buckets, which may thus be any number, and a
 * table can grow by half instead of doubling.
 *
 * Discarded: plain linear probing over slots (a miss at 75 % load reads two
 * lines instead of little more than one, and a removal must find the homes of
 * its followers, that is read their records), tombstones (they pile up).
 */
#include "index/table.h"

#include "index/heap.h"

#include <assert.h>
#include <string.h>

#define FILL_MAX    6 /* records a bucket, on average; 10.7 bytes each */
#define BUCKETS_MAX ((size_t)1 << 24)
#define GONE_MAX    255u
#define ADDRESS	    (((uint64_t)1 << 48) - 1)

static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");
static_assert(sizeof(void *) == 8, "an address is stored in 48 bits");

static uint32_t hash_bits(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & 0xffffff;
}

static uint32_t home_of(uint32_t bits, uint32_t bucket_count)
{
	return (uint32_t)((uint64_t)bits * bucket_count >> 24);
}

static uint64_t slot_of(uint32_t bits, const struct record *record)
{
	assert(((uintptr_t)record & ~ADDRESS) == 0);
	return (uint64_t)bits << 48 | (uintptr_t)record;
}

struct record *table_record(const uint64_t *slot)
{
	return (struct record *)(uintptr_t)(*slot & ADDRESS);
}

bool table_init(struct table *table, struct heap *heap, size_t count)
{
	size_t bucket_count = count / FILL_MAX + 1;
	size_t bytes = bucket_count * sizeof(struct bucket);
	struct bucket *buckets;

	if (count > BUCKETS_MAX)
		return false;
	buckets = heap_alloc(heap, bytes);
	if (!buckets)
		return false;
	memset(buckets, 0, bytes);
	*table = (struct table){
		.buckets = buckets,
		.bucket_count = (uint32_t)bucket_count,
	};
	return true;
}

void table_release(struct table *table, struct heap *heap)
{
	heap_free(heap, table->buckets, table_bytes(table));
}

bool table_has_room(const struct table *table, size_t count)
{
	return count <= (size_t)table->bucket_count * FILL_MAX;
}

static struct bucket *bucket_after(const struct table *table,
				   struct bucket *bucket)
{
	return ++bucket == table->buckets + table->bucket_count ? table->buckets
								: bucket;
}

static void insert_bits(struct table *table, uint32_t bits,
			struct record *record)
{
	struct bucket *bucket =
		&table->buckets[home_of(bits, table->bucket_count)];
	unsigned i;

	for (;;) {
		for (i = 0; i < BUCKET_SLOTS && bucket->slots[i]; i++)
			;
		if (i < BUCKET_SLOTS)
			break;
		if ((bucket->head & GONE_MAX) != GONE_MAX)
			bucket->head++;
		bucket = bucket_after(table, bucket);
	}
	bucket->slots[i] = slot_of(bits, record);
	bucket->head |= (uint64_t)(bits >> 16) << (8 + 8 * i);
	table->count++;
}

void table_insert(struct table *table, uint64_t hash, struct record *record)
{
	assert(table_has_room(table, table->count + 1u));
	insert_bits(table, hash_bits(hash), record);
}

/* What is kept of the hash of a slot. */
static uint32_t bits_of(const struct bucket *bucket, unsigned i)
{
	uint32_t high = bucket->head >> (8 + 8 * i) & 0xff;

	return high << 16 | (uint32_t)(bucket->slots[i] >> 48);
}

bool table_grow(const struct table *from, struct heap *heap, size_t count,
		struct table *ret_larger)
{
	size_t half_more = (size_t)from->bucket_count * FILL_MAX / 2 * 3;
	struct table larger;

	if (!table_init(&larger, heap, count > half_more ? count : half_more))
		return false;
	for (uint32_t b = 0; b < from->bucket_count; b++) {
		const struct bucket *bucket = &from->buckets[b];

		for (unsigned i = 0; i < BUCKET_SLOTS; i++) {
			const uint64_t *slot = &bucket->slots[i];

			if (*slot)
				insert_bits(&larger, bits_of(bucket, i),
					    table_record(slot));
		}
	}
	*ret_larger = larger;
	return true;
}

/* One bit a slot with the fingerprint; empty ones may be among them. */
static unsigned matches(const struct bucket *bucket, uint32_t bits)
{
	uint64_t fingerprint = bits & 0xffff;
	unsigned mask = 0;

	for (unsigned i = 0; i < BUCKET_SLOTS; i++)
		mask |= (unsigned)(bucket->slots[i] >> 48 == fingerprint) << i;
	return mask;
}

uint64_t *table_find(const struct table *table, uint64_t hash, const void *key,
		     size_t key_bytes, bool *ret_damaged)
{
	uint32_t bits = hash_bits(hash);
	struct bucket *bucket =
		&table->buckets[home_of(bits, table->bucket_count)];

	for (uint32_t n = 0; n < table->bucket_count; n++) {
		unsigned mask = matches(bucket, bits);

		for (; mask; mask &= mask - 1) {
			uint64_t *slot = &bucket->slots[__builtin_ctz(mask)];
			const struct record *record = table_record(slot);

			if (!record)
				continue;
			record_prefetch(record);
			if (record->key_bytes == key_bytes &&
			    memcmp(record->bytes, key, key_bytes) == 0)
				return slot;
			if (!record_verifies(record))
				*ret_damaged = true;
		}
		if ((bucket->head & GONE_MAX) == 0)
			break;
		bucket = bucket_after(table, bucket);
	}
	return NULL;
}

uint64_t *table_candidate(const struct table *table, uint64_t hash,
			  struct table_cursor *cursor)
{
	uint32_t bits = hash_bits(hash);
	size_t home = home_of(bits, table->bucket_count);

	for (; cursor->at / BUCKET_SLOTS < table->bucket_count; cursor->at++) {
		size_t at = home + cursor->at / BUCKET_SLOTS;
		unsigned i = (unsigned)(cursor->at % BUCKET_SLOTS);
		struct bucket *bucket =
			&table->buckets[at % table->bucket_count];

		if (bucket->slots[i] && bits_of(bucket, i) == bits) {
			cursor->at++;
			return &bucket->slots[i];
		}
		if (i == BUCKET_SLOTS - 1 && (bucket->head & GONE_MAX) == 0)
			break;
	}
	return NULL;
}

void table_replace(uint64_t *slot, struct record *record)
{
	*slot = slot_of((uint32_t)(*slot >> 48), record);
}

void table_remove(struct table *table, uint64_t hash, uint64_t *slot)
{
	struct bucket *bucket =
		&table->buckets[home_of(hash_bits(hash), table->bucket_count)];
	struct bucket *end =
		&table->buckets[(size_t)((uint8_t *)slot -
					 (uint8_t *)table->buckets) /
				sizeof(*end)];

	for (; bucket != end; bucket = bucket_after(table, bucket))
		if ((bucket->head & GONE_MAX) != GONE_MAX)
			bucket->head--;
	*slot = 0;
	end->head &= ~((uint64_t)0xff << (8 + 8 * (slot - end->slots)));
	table->count--;
}

void table_exchange(struct table *table, struct table *other)
{
	struct table kept = *table;

	__atomic_store_n(&table->buckets, other->buckets, __ATOMIC_RELAXED);
	__atomic_store_n(&table->bucket_count, other->bucket_count,
			 __ATOMIC_RELAXED);
	table->count = other->count;
	*other = kept;
}

/* The two words may be of different tables, and the address may be any; a
 * prefetch of it does no harm. */
void table_prefetch(const struct table *table, uint64_t hash)
{
	uintptr_t buckets =
		(uintptr_t)__atomic_load_n(&table->buckets, __ATOMIC_RELAXED);
	uint32_t bucket_count =
		__atomic_load_n(&table->bucket_count, __ATOMIC_RELAXED);
	size_t home = home_of(hash_bits(hash), bucket_count);

	__builtin_prefetch((void *)(buckets + home * sizeof(struct bucket)));
}

void table_prefetch_record(const struct table *table, uint64_t hash)
{
	uint32_t bits = hash_bits(hash);
	const struct bucket *bucket =
		&table->buckets[home_of(bits, table->bucket_count)];

	for (unsigned mask = matches(bucket, bits); mask; mask &= mask - 1)
		record_prefetch(
			table_record(&bucket->slots[__builtin_ctz(mask)]));
}

struct record *table_next(const struct table *table,
			  struct table_cursor *cursor)
{
	size_t end = (size_t)table->bucket_count * BUCKET_SLOTS;

	while (cursor->at < end) {
		size_t at = cursor->at++;
		const uint64_t *slot = &table->buckets[at / BUCKET_SLOTS]
						.slots[at % BUCKET_SLOTS];

		if (*slot)
			return table_record(slot);
	}
	return NULL;
}
