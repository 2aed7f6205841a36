/* SPDX-License-Identifier: Apache-2.0
 *
 * What the index costs, beside loops that do the unavoidable and no more:
 * one hash, one slot and one record in huge pages, without lock, checksum,
 * damage or order. It prints and judges nothing.
 *
 *     index [RECORDS [ROUNDS]]
 *
 * Workloads take turns, and the best round of each is printed: what else the
 * machine does can only make a round slower.
 */
#include "index/index.h"
#include "bench/measure.h"
#include "index/heap.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define VALUE_BYTES 190
#define BATCH_BYTES ((size_t)256 << 10)
#define GROUP	    16u
#define GETS	    ((size_t)1000000)
#define LISTS	    ((size_t)10000)

#define XXH_INLINE_ALL
#include <xxhash.h>

static size_t record_count = 1000000;
static struct heap *heap;
static struct index *subject;
static struct record **sorted; /* all records; the limit of a scan */
static uint64_t *slots;	       /* the limit of a get: a bare table */
static size_t slot_mask;
static struct scan_batch batch = {.size = BATCH_BYTES};
static uint8_t sink[8192];
static uint64_t state = 1;

static void print(const char *what, size_t count, double seconds)
{
	printf("%-34s %8.2f M/s %8.1f ns\n", what,
	       (double)count / seconds * 1e-6, seconds * 1e9 / (double)count);
}

static void *huge(size_t size)
{
	const size_t page = (size_t)2 << 20;
	void *memory = aligned_alloc(page, (size + page - 1) & ~(page - 1));

	if (!memory)
		abort();
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static uint64_t draw(uint64_t *from)
{
	*from ^= *from << 13;
	*from ^= *from >> 7;
	*from ^= *from << 17;
	return *from;
}

/* Key n; `absent` makes one that is never put. Without printf, which would
 * cost more than the look-up. */
static size_t make_key(uint8_t *to, size_t n, bool absent)
{
	static const char head[] = "\1default\0docker.io/library/image-";
	static const char tail[] = "/component:v1.2.3-alpine3.18";
	uint64_t scattered = n * 0x9e3779b97f4a7c15u >> 24;
	uint8_t *at = mempcpy(to, head, sizeof(head) - 1);

	for (unsigned i = 0; i < 10; i++)
		*at++ = (uint8_t)("0123456789abcdef"[scattered >> (36 - 4 * i) &
						     15]);
	*at++ = absent ? 'x' : 'y';
	at = mempcpy(at, tail, sizeof(tail) - 1);
	return (size_t)(at - to);
}

static void load(void)
{
	struct wb_bytes value = {sink, VALUE_BYTES};
	uint64_t before = bench_rss_anon();
	double start = bench_now(), made;
	struct record *old;
	uint8_t key[128];

	for (size_t i = 0; i < record_count; i++)
		sorted[i] = record_new(heap, key, make_key(key, i, false),
				       value, i + 1, 0, 0);
	made = bench_now();
	print("record_new, with page faults", record_count, made - start);
	if (index_reserve(subject, record_count))
		abort();
	for (size_t i = 0; i < record_count; i += GROUP) {
		size_t n = record_count - i < GROUP ? record_count - i : GROUP;
		uint64_t hashes[GROUP];

		for (size_t j = 0; j < n; j++) {
			hashes[j] = index_hash(subject, sorted[i + j]->bytes,
					       sorted[i + j]->key_bytes);
			index_prefetch(subject, hashes[j]);
		}
		for (size_t j = 0; j < n; j++)
			if (index_put(subject, hashes[j], sorted[i + j], &old))
				abort();
	}
	print("index_reserve, index_put", record_count, bench_now() - made);
	printf("memory: %.1f bytes a record beyond its key and value\n",
	       ((double)(bench_rss_anon() - before) -
		(double)index_record_bytes(subject)) /
		       (double)record_count);
	printf("tables: %.1f bytes a record\n",
	       (double)index_table_bytes(subject) / (double)record_count);
}

/* ---- limits ---- */

static void make_limits(void)
{
	for (slot_mask = 1; slot_mask < 2 * record_count;)
		slot_mask *= 2;
	slots = huge(slot_mask * sizeof(*slots));
	memset(slots, 0, slot_mask * sizeof(*slots));
	slot_mask--;
	for (size_t i = 0; i < record_count; i++) {
		uint64_t hash =
			XXH3_64bits(sorted[i]->bytes, sorted[i]->key_bytes);
		size_t at = hash & slot_mask;

		while (slots[at])
			at = (at + 1) & slot_mask;
		slots[at] = (uintptr_t)sorted[i] | hash >> 48 << 48;
	}
}

static const struct record *bare_find(const uint8_t *key, size_t key_bytes)
{
	uint64_t hash = XXH3_64bits(key, key_bytes);

	for (size_t at = hash & slot_mask; slots[at];
	     at = (at + 1) & slot_mask) {
		const struct record *record =
			(const struct record *)(slots[at] << 16 >> 16);

		if (slots[at] >> 48 == hash >> 48 &&
		    memcmp(record->bytes, key, key_bytes) == 0)
			return record;
	}
	return NULL;
}

static size_t limit_get(void)
{
	uint8_t key[128];

	for (size_t i = 0; i < GETS; i++) {
		size_t n = draw(&state) % record_count;
		const struct record *record =
			bare_find(key, make_key(key, n, false));

		memcpy(sink, record_value(record), record->value_bytes);
	}
	return GETS;
}

static size_t limit_miss(void)
{
	uint8_t key[128];

	for (size_t i = 0; i < GETS; i++) {
		size_t n = draw(&state) % record_count;

		if (bare_find(key, make_key(key, n, true)))
			abort();
	}
	return GETS;
}

static int by_key(const void *a, const void *b)
{
	const struct record *x = *(struct record *const *)a;
	const struct record *y = *(struct record *const *)b;

	return key_compare(x->bytes, x->key_bytes, y->bytes, y->key_bytes);
}

static size_t limit_scan(void)
{
	size_t used = 0;

	for (size_t i = 0; i < record_count; i++) {
		if (i + GROUP < record_count)
			record_prefetch_early(sorted[i + GROUP]);
		if (used + 512 > BATCH_BYTES)
			used = 0;
		memcpy(batch.bytes + used, sorted[i], record_size(sorted[i]));
		used += (record_size(sorted[i]) + 7) & ~(size_t)7;
	}
	return record_count;
}

/* ---- the index ---- */

static void get(size_t gets, uint64_t seed, bool absent)
{
	struct record_info info;
	uint8_t key[128], value[512];

	for (size_t i = 0; i < gets; i++) {
		size_t n = draw(&seed) % record_count;
		size_t key_bytes = make_key(key, n, absent);
		uint64_t hash = index_hash(subject, key, key_bytes);
		enum wb_error error =
			index_get(subject, hash, key, key_bytes, UINT64_MAX,
				  value, sizeof(value), &info);

		if (error != (absent ? WB_NOT_FOUND : WB_OK))
			abort();
	}
}

static size_t get_present(void)
{
	get(GETS, draw(&state), false);
	return GETS;
}

static size_t get_absent(void)
{
	get(GETS, draw(&state), true);
	return GETS;
}

static void *get_in_thread(void *seed)
{
	get(GETS, *(uint64_t *)seed, false);
	return NULL;
}

static size_t get_in_two(void)
{
	uint64_t seeds[2] = {draw(&state), draw(&state)};
	pthread_t thread;

	if (pthread_create(&thread, NULL, get_in_thread, &seeds[0]))
		abort();
	get_in_thread(&seeds[1]);
	pthread_join(thread, NULL);
	return 2 * GETS;
}

static size_t get_many(void)
{
	struct record_info info;

	for (size_t i = 0; i < GETS; i += GROUP) {
		uint8_t keys[GROUP][128], value[512];
		uint64_t hashes[GROUP];
		size_t sizes[GROUP];

		for (size_t j = 0; j < GROUP; j++) {
			sizes[j] = make_key(keys[j],
					    draw(&state) % record_count, false);
			hashes[j] = index_hash(subject, keys[j], sizes[j]);
			index_prefetch(subject, hashes[j]);
		}
		for (size_t j = 0; j < GROUP; j++)
			index_prefetch_record(subject, hashes[j]);
		for (size_t j = 0; j < GROUP; j++)
			if (index_get(subject, hashes[j], keys[j], sizes[j],
				      UINT64_MAX, value, sizeof(value), &info))
				abort();
	}
	return GETS;
}

static size_t scan(void)
{
	struct key after = {0};
	size_t seen = 0;

	do {
		const struct record *record, *last = NULL;
		size_t at = 0;

		if (index_scan(subject, (struct wb_bytes){0},
			       (struct wb_bytes){after.bytes, after.size},
			       &batch))
			abort();
		while ((record = scan_batch_next(&batch, &at)))
			last = record;
		seen += batch.count;
		after.size = last->key_bytes;
		memcpy(after.bytes, last->bytes, after.size);
	} while (batch.more);
	if (seen != record_count)
		abort();
	return seen;
}

/* Prefixes of 16 to 256 names: the last digits are cut off. */
static size_t list(void)
{
	size_t cut = 0;
	uint8_t key[128];

	for (size_t n = record_count; n > 256; n /= 16)
		cut++;
	for (size_t i = 0; i < LISTS; i++) {
		make_key(key, draw(&state) % record_count, false);
		if (index_scan(subject, (struct wb_bytes){key, 33 + cut},
			       (struct wb_bytes){0}, &batch))
			abort();
	}
	return LISTS;
}

static size_t replace(void)
{
	struct wb_bytes value = {sink, VALUE_BYTES};
	uint8_t key[128];

	for (size_t i = 0; i < LISTS; i++) {
		size_t n = draw(&state) % record_count;
		size_t key_bytes = make_key(key, n, false);
		struct record *old;
		struct record *record =
			record_new(heap, key, key_bytes, value, n + 2, 0, 0);

		if (index_put(subject, index_hash(subject, key, key_bytes),
			      record, &old))
			abort();
		record_free(heap, old);
	}
	return LISTS;
}

static struct workload {
	const char *what;
	size_t (*run)(void);
	double seconds; /* of the best round */
} workloads[] = {
	{"limit: get", limit_get, 1e9},
	{"get", get_present, 1e9},
	{"get, 2 threads", get_in_two, 1e9},
	{"get, 16 at a time", get_many, 1e9},
	{"limit: absent key", limit_miss, 1e9},
	{"get of an absent key", get_absent, 1e9},
	{"limit: scan", limit_scan, 1e9},
	{"scan", scan, 1e9},
	{"list of a prefix", list, 1e9},
};
#define WORKLOADS (sizeof(workloads) / sizeof(*workloads))

static void run(struct workload *workload, bool is_last)
{
	double start = bench_now(), seconds;
	size_t count = workload->run();

	seconds = bench_now() - start;
	if (seconds < workload->seconds)
		workload->seconds = seconds;
	if (is_last)
		print(workload->what, count, workload->seconds);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 7;
	double start;

	if (argc > 1)
		record_count = strtoul(argv[1], NULL, 10);
	heap = heap_new();
	if (!heap || index_new(heap, 42, &subject))
		abort();
	sorted = huge(record_count * sizeof(*sorted));
	memset(sorted, 1, record_count * sizeof(*sorted));
	batch.bytes = huge(batch.size);
	load();
	make_limits();
	qsort(sorted, record_count, sizeof(*sorted), by_key);
	start = bench_now();
	scan();
	print("first scan, building the order", record_count,
	      bench_now() - start);
	for (size_t round = 1; round <= rounds; round++)
		for (size_t i = 0; i < WORKLOADS; i++)
			run(&workloads[i], round == rounds);
	run(&(struct workload){"replace, order built", replace, 1e9}, true);
	index_release(subject);
	heap_release(heap);
	free(sorted);
	free(slots);
	free(batch.bytes);
	return 0;
}
