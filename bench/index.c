/* SPDX-License-Identifier: Apache-2.0
 *
 * What the index costs, beside loops that do the unavoidable and no more:
 * one read of a slot and one of a record where the answer is known to be, in
 * huge pages, without hash, lock, checksum or order. It prints and judges
 * nothing.
 *
 *     index [RECORDS]
 */
#include "index/heap.h"
#include "index/index.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define VALUE_BYTES 190
#define BATCH_BYTES ((size_t)256 << 10)
#define GROUP	    16u

static size_t record_count = 1000000;
static struct heap *heap;
static struct index *subject;
static struct record **known; /* the limit's table: slot n holds key n */
static uint8_t sink[8192];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void print(const char *what, size_t count, double seconds)
{
	printf("%-32s %9.2f M/s %8.1f ns\n", what,
	       (double)count / seconds * 1e-6, seconds * 1e9 / (double)count);
}

static size_t anonymous_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	size_t kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %zu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
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

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
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
	size_t before = anonymous_bytes(), used;
	double start = now(), made, put;
	struct record *old;
	uint8_t key[128];
	double bytes;

	for (size_t i = 0; i < record_count; i++)
		known[i] = record_new(heap, key, make_key(key, i, false), value,
				      i + 1, 0, 0);
	made = now();
	print("record_new", record_count, made - start);
	if (index_reserve(subject, record_count))
		abort();
	for (size_t i = 0; i < record_count; i += GROUP) {
		size_t n = record_count - i < GROUP ? record_count - i : GROUP;
		uint64_t hashes[GROUP];

		for (size_t j = 0; j < n; j++) {
			hashes[j] = index_hash(subject, known[i + j]->bytes,
					       known[i + j]->key_bytes);
			index_prefetch(subject, hashes[j]);
		}
		for (size_t j = 0; j < n; j++)
			if (index_put(subject, hashes[j], known[i + j], &old))
				abort();
	}
	put = now();
	print("reserve + put, 16 at a time", record_count, put - made);
	used = anonymous_bytes() - before - record_count * sizeof(*known);
	bytes = (double)index_record_bytes(subject);
	printf("memory: %.2f x key and value, %.1f bytes a record beyond\n",
	       (double)used / bytes,
	       ((double)used - bytes) / (double)record_count);
	printf("tables: %.1f bytes a record\n",
	       (double)index_table_bytes(subject) / (double)record_count);
}

static void get_known(size_t gets)
{
	uint64_t state = 1;
	double start = now();
	uint8_t key[128];

	for (size_t i = 0; i < gets; i++) {
		size_t n = draw(&state) % record_count;
		const struct record *record = known[n];
		size_t key_bytes = make_key(key, n, false);

		if (memcmp(record->bytes, key, key_bytes) != 0)
			abort();
		memcpy(sink, record_value(record), record->value_bytes);
	}
	print("limit: get", gets, now() - start);
}

static void get(size_t gets, uint64_t state, bool absent)
{
	struct record_info info;
	uint8_t key[128], value[512];

	for (size_t i = 0; i < gets; i++) {
		size_t n = draw(&state) % record_count;
		size_t key_bytes = make_key(key, n, absent);
		uint64_t hash = index_hash(subject, key, key_bytes);
		enum wb_error error =
			index_get(subject, hash, key, key_bytes, UINT64_MAX,
				  value, sizeof(value), &info);

		if (error != (absent ? WB_NOT_FOUND : WB_OK))
			abort();
	}
}

static void *get_in_thread(void *seed)
{
	get(2000000, *(uint64_t *)seed, false);
	return NULL;
}

static void get_in_two(void)
{
	uint64_t seeds[2] = {7, 8};
	pthread_t thread;
	double start = now();

	if (pthread_create(&thread, NULL, get_in_thread, &seeds[0]))
		abort();
	get_in_thread(&seeds[1]);
	pthread_join(thread, NULL);
	print("get, 2 threads", 4000000, now() - start);
}

static void get_many(size_t gets)
{
	struct record_info info;
	uint64_t state = 5;
	double start = now();

	for (size_t i = 0; i < gets; i += GROUP) {
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
	print("get, 16 at a time", gets, now() - start);
}

static int by_key(const void *a, const void *b)
{
	const struct record *x = *(struct record *const *)a;
	const struct record *y = *(struct record *const *)b;

	return key_compare(x->bytes, x->key_bytes, y->bytes, y->key_bytes);
}

static void scan_known(uint8_t *batch)
{
	size_t used = 0;
	double start;

	qsort(known, record_count, sizeof(*known), by_key);
	start = now();
	for (size_t i = 0; i < record_count; i++) {
		if (i + GROUP < record_count)
			record_prefetch(known[i + GROUP]);
		if (used + 512 > BATCH_BYTES)
			used = 0;
		memcpy(batch + used, known[i], record_size(known[i]));
		used += (record_size(known[i]) + 7) & ~(size_t)7;
	}
	print("limit: scan", record_count, now() - start);
}

static void scan(struct scan_batch *batch, const char *what)
{
	struct key after = {0};
	double start = now();
	size_t seen = 0;

	do {
		const struct record *record, *last = NULL;
		size_t at = 0;

		if (index_scan(subject, (struct wb_bytes){0},
			       (struct wb_bytes){after.bytes, after.size},
			       batch))
			abort();
		while ((record = scan_batch_next(batch, &at)))
			last = record;
		seen += batch->count;
		after.size = last->key_bytes;
		memcpy(after.bytes, last->bytes, after.size);
	} while (batch->more);
	if (seen != record_count)
		abort();
	print(what, seen, now() - start);
}

/* Prefixes of about a hundred names: the name's last digits cut off. */
static void list(struct scan_batch *batch)
{
	size_t seen = 0, lists = 20000, cut = 0;
	uint64_t state = 3;
	uint8_t key[128];
	double start;

	for (size_t n = record_count; n > 100; n /= 16)
		cut++;
	start = now();
	for (size_t i = 0; i < lists; i++) {
		make_key(key, draw(&state) % record_count, false);
		if (index_scan(subject, (struct wb_bytes){key, 33 + cut},
			       (struct wb_bytes){0}, batch))
			abort();
		seen += batch->count;
	}
	print("list of a prefix", lists, now() - start);
	printf("  of %.1f names each\n", (double)seen / (double)lists);
}

/* Replace every 7th record, with the order built. */
static void replace(void)
{
	struct wb_bytes value = {sink, VALUE_BYTES};
	size_t count = 0;
	double start = now();
	uint8_t key[128];

	for (size_t n = 0; n < record_count; n += 7, count++) {
		size_t key_bytes = make_key(key, n, false);
		struct record *old;
		struct record *record =
			record_new(heap, key, key_bytes, value, n + 2, 0, 0);

		if (index_put(subject, index_hash(subject, key, key_bytes),
			      record, &old))
			abort();
		record_free(heap, old);
	}
	print("replace, order built", count, now() - start);
}

int main(int argc, char **argv)
{
	struct scan_batch batch = {.size = BATCH_BYTES};
	size_t gets = 4000000;
	double start;

	if (argc > 1)
		record_count = strtoul(argv[1], NULL, 10);
	heap = heap_new();
	known = huge(record_count * sizeof(*known));
	batch.bytes = huge(batch.size);
	if (!heap || index_new(heap, 42, &subject))
		abort();
	memset(known, 1, record_count * sizeof(*known));
	memset(batch.bytes, 1, batch.size);
	load();
	for (int round = 0; round < 3; round++) {
		get_known(gets);
		start = now();
		get(gets, 9, false);
		print("get", gets, now() - start);
		get_in_two();
		get_many(gets);
		start = now();
		get(gets, 9, true);
		print("get of an absent key", gets, now() - start);
	}
	scan(&batch, "first scan, order being built");
	scan_known(batch.bytes);
	for (int round = 0; round < 3; round++) {
		scan(&batch, "scan");
		list(&batch);
	}
	replace();
	index_release(subject);
	heap_release(heap);
	free(known);
	free(batch.bytes);
	return 0;
}
