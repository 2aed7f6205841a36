/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/limit.h"

#include "bench/measure.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xxhash.h>

#define THREADS_MAX 256

/* ---- durable puts ---- */

struct writer {
	int fd;
	pthread_mutex_t lock;
	uint8_t *buffers[2];
	size_t used[2];
	int gathering;
	uint64_t staged, offset;
	_Atomic uint64_t durable;
	_Atomic uint32_t leading, flushed;
	int each;
	size_t bytes;
};

static int open_zeroed(const char *directory, size_t bytes)
{
	static const uint8_t zeros[1 << 20];
	char path[4096];
	size_t done;
	int fd;

	snprintf(path, sizeof(path), "%s/raw", directory);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		bench_die("%s cannot be made", path);
	for (done = 0; done < bytes; done += sizeof(zeros))
		if (pwrite(fd, zeros, sizeof(zeros), (off_t)done) !=
		    (ssize_t)sizeof(zeros))
			bench_die("%s cannot be filled", path);
	if (fdatasync(fd))
		bench_die("%s cannot be synced", path);
	unlink(path);
	return fd;
}

static void flush_once(struct writer *writer)
{
	uint64_t upto;
	size_t size;
	int full;

	pthread_mutex_lock(&writer->lock);
	full = writer->gathering;
	writer->gathering = !full;
	upto = writer->staged;
	size = writer->used[full];
	writer->used[!full] = 0;
	pthread_mutex_unlock(&writer->lock);
	size = (size + 511) / 512 * 512;
	if (pwrite(writer->fd, writer->buffers[full], size,
		   (off_t)writer->offset) != (ssize_t)size ||
	    fdatasync(writer->fd))
		bench_die("the raw file cannot be written");
	writer->offset += size;
	writer->durable = upto;
}

static void put_one(struct writer *writer, const uint8_t *record)
{
	uint64_t mine;
	uint32_t seen, nobody;

	pthread_mutex_lock(&writer->lock);
	memcpy(writer->buffers[writer->gathering] +
		       writer->used[writer->gathering],
	       record, writer->bytes);
	writer->used[writer->gathering] += writer->bytes;
	mine = ++writer->staged;
	pthread_mutex_unlock(&writer->lock);
	for (;;) {
		seen = writer->flushed;
		if (writer->durable >= mine)
			return;
		nobody = 0;
		if (!atomic_compare_exchange_strong(&writer->leading, &nobody,
						    1)) {
			syscall(SYS_futex, &writer->flushed, FUTEX_WAIT_PRIVATE,
				seen, NULL, NULL, 0);
			continue;
		}
		if (writer->durable < mine)
			flush_once(writer);
		writer->leading = 0;
		writer->flushed++;
		syscall(SYS_futex, &writer->flushed, FUTEX_WAKE_PRIVATE,
			INT_MAX, NULL, NULL, 0);
	}
}

static void *put_many(void *context)
{
	struct writer *writer = context;
	uint8_t record[4096] = {1};
	int at;

	for (at = 0; at < writer->each; at++)
		put_one(writer, record);
	return NULL;
}

double limit_puts(const char *directory, int threads, int each, size_t bytes)
{
	struct writer writer = {.each = each, .bytes = bytes};
	size_t most = (size_t)threads * (size_t)each * 512 + (1 << 20);
	pthread_t thread[THREADS_MAX];
	double began, took;
	int at;

	writer.fd = open_zeroed(directory, most);
	pthread_mutex_init(&writer.lock, NULL);
	for (at = 0; at < 2; at++)
		writer.buffers[at] = calloc(1, (size_t)threads * bytes + 4096);
	began = bench_now();
	for (at = 0; at < threads; at++)
		pthread_create(&thread[at], NULL, put_many, &writer);
	for (at = 0; at < threads; at++)
		pthread_join(thread[at], NULL);
	took = bench_now() - began;
	free(writer.buffers[0]);
	free(writer.buffers[1]);
	close(writer.fd);
	return threads * each / took;
}

double limit_batches(const char *directory, size_t records, size_t batch,
		     size_t bytes)
{
	uint8_t *buffer = calloc(batch, bytes);
	uint8_t record[4096] = {1};
	size_t done, at;
	double began, took;
	int fd = open_zeroed(directory, 0);

	if (!buffer)
		bench_die("out of memory");
	began = bench_now();
	for (done = 0; done < records; done += batch) {
		for (at = 0; at < batch; at++)
			memcpy(buffer + at * bytes, record, bytes);
		if (pwrite(fd, buffer, batch * bytes, (off_t)(done * bytes)) !=
			    (ssize_t)(batch * bytes) ||
		    fdatasync(fd))
			bench_die("the raw file cannot be written");
	}
	took = bench_now() - began;
	close(fd);
	free(buffer);
	return (double)records / took;
}

/* ---- gets ---- */

struct entry {
	uint16_t name_bytes, value_bytes;
	uint8_t bytes[];
};

struct limit_table {
	size_t records, mask;
	uint8_t *arena;
	size_t arena_bytes;
	struct entry **slots;
	struct entry **order;
};

static void *huge(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_die("out of memory");
	madvise(memory, bytes, MADV_HUGEPAGE);
	return memory;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;
	size_t shorter =
		x->name_bytes < y->name_bytes ? x->name_bytes : y->name_bytes;
	int order = memcmp(x->bytes, y->bytes, shorter);

	return order ? order : (int)x->name_bytes - (int)y->name_bytes;
}

struct limit_table *limit_table_new(size_t records)
{
	struct limit_table *table = calloc(1, sizeof(*table));
	char name[BENCH_NAME_BYTES];
	uint8_t value[256];
	size_t at, used = 0, slot;

	if (!table)
		bench_die("out of memory");
	table->records = records;
	for (table->mask = 1; table->mask < 2 * records;)
		table->mask *= 2;
	table->arena_bytes = records * 320;
	table->arena = huge(table->arena_bytes);
	table->slots = huge(table->mask * sizeof(*table->slots));
	table->order = malloc(records * sizeof(*table->order));
	table->mask--;
	for (at = 0; at < records; at++) {
		struct entry *entry = (void *)(table->arena + used);

		entry->name_bytes = (uint16_t)bench_name(at, name);
		entry->value_bytes = (uint16_t)bench_value(at, value);
		memcpy(entry->bytes, name, entry->name_bytes);
		memcpy(entry->bytes + entry->name_bytes, value,
		       entry->value_bytes);
		used += (sizeof(*entry) + entry->name_bytes +
			 entry->value_bytes + 7u) &
			~(size_t)7;
		slot = XXH3_64bits(name, entry->name_bytes) & table->mask;
		while (table->slots[slot])
			slot = (slot + 1) & table->mask;
		table->slots[slot] = entry;
		table->order[at] = entry;
	}
	qsort(table->order, records, sizeof(*table->order), by_name);
	return table;
}

void limit_table_free(struct limit_table *table)
{
	munmap(table->arena, table->arena_bytes);
	munmap(table->slots, (table->mask + 1) * sizeof(*table->slots));
	free(table->order);
	free(table);
}

struct getter {
	struct limit_table *table;
	size_t each;
	uint64_t seed;
	const struct bench_names *names;
	size_t found;
};

static void *get_many(void *context)
{
	struct getter *getter = context;
	struct limit_table *table = getter->table;
	uint8_t value[256];
	size_t at, slot, bytes;

	for (at = 0; at < getter->each; at++) {
		const struct bench_names *name =
			&getter->names[bench_random(&getter->seed) %
				       table->records];

		bytes = name->size;
		slot = XXH3_64bits(name->bytes, bytes) & table->mask;
		for (; table->slots[slot]; slot = (slot + 1) & table->mask) {
			const struct entry *entry = table->slots[slot];

			if (entry->name_bytes != bytes ||
			    memcmp(entry->bytes, name->bytes, bytes) != 0)
				continue;
			memcpy(value, entry->bytes + bytes, entry->value_bytes);
			__asm__ volatile("" : : "r"(value) : "memory");
			getter->found++;
			break;
		}
	}
	return NULL;
}

double limit_gets(struct limit_table *table, int threads, size_t each,
		  const struct bench_names *names)
{
	struct getter getter[THREADS_MAX];
	pthread_t thread[THREADS_MAX];
	double began = bench_now();
	int at;

	for (at = 0; at < threads; at++) {
		getter[at] = (struct getter){table, each, (uint64_t)at + 1,
					     names, 0};
		pthread_create(&thread[at], NULL, get_many, &getter[at]);
	}
	for (at = 0; at < threads; at++)
		pthread_join(thread[at], NULL);
	return (double)threads * (double)each / (bench_now() - began);
}

double limit_scan(struct limit_table *table)
{
	double began = bench_now();
	size_t at, bytes = 0;

	for (at = 0; at < table->records; at++) {
		if (at + 16 < table->records)
			__builtin_prefetch(table->order[at + 16]);
		bytes += table->order[at]->value_bytes;
	}
	__asm__ volatile("" : : "r"(bytes) : "memory");
	return (double)table->records / (bench_now() - began);
}

double limit_lists(struct limit_table *table, size_t lists)
{
	double began = bench_now();
	char name[BENCH_NAME_BYTES];
	uint8_t value[256];
	uint64_t seed = 7;
	size_t at;

	for (at = 0; at < lists; at++) {
		uint64_t which =
			bench_random(&seed) % (table->records / 100) * 100;
		size_t bytes = bench_name(which, name), low = 0;
		size_t high = table->records, middle, shorter;

		while (low < high) {
			middle = low + (high - low) / 2;
			shorter = table->order[middle]->name_bytes < bytes
					  ? table->order[middle]->name_bytes
					  : bytes;
			if (memcmp(table->order[middle]->bytes, name, shorter) <
			    0)
				low = middle + 1;
			else
				high = middle;
		}
		for (high = low; high < low + 100 && high < table->records;
		     high++)
			memcpy(value, table->order[high]->bytes,
			       table->order[high]->value_bytes);
		__asm__ volatile("" : : "r"(value) : "memory");
	}
	return (double)lists / (bench_now() - began);
}

/* ---- open ---- */

/* Visit each log file of the directory; seconds that it took. */
static double each_log(const char *directory,
		       void (*visit)(int fd, void *context), void *context)
{
	double began = bench_now();
	struct dirent *entry;
	DIR *dir = opendir(directory);
	char path[4096];

	if (!dir)
		bench_die("%s cannot be read", directory);
	while ((entry = readdir(dir))) {
		int fd;

		if (!strstr(entry->d_name, ".log"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			bench_die("%s cannot be read", path);
		visit(fd, context);
		close(fd);
	}
	closedir(dir);
	return bench_now() - began;
}

struct hashing {
	uint8_t bytes[1 << 20];
	uint64_t sum;
	bool chained;
};

static void hash_file(int fd, void *context)
{
	struct hashing *hashing = context;
	uint8_t chain[32] = {0};
	ssize_t got;

	while ((got = read(fd, hashing->bytes, sizeof(hashing->bytes))) > 0) {
		hashing->sum += XXH3_64bits(hashing->bytes, (size_t)got);
		for (ssize_t at = 0; hashing->chained && at < got; at += 512)
			SHA256(hashing->bytes + at,
			       got - at < 512 ? (size_t)(got - at) : 512,
			       chain);
	}
	hashing->sum += chain[0];
}

static double read_and_hash(const char *directory, bool chained)
{
	struct hashing *hashing = calloc(1, sizeof(*hashing));
	double seconds;

	if (!hashing)
		bench_die("no memory");
	hashing->chained = chained;
	seconds = each_log(directory, hash_file, hashing);
	__asm__ volatile("" : : "r"(hashing->sum) : "memory");
	free(hashing);
	return seconds;
}

double limit_read(const char *directory)
{
	return read_and_hash(directory, false);
}

double limit_read_chained(const char *directory)
{
	return read_and_hash(directory, true);
}

double limit_sha256(const void *bytes, size_t size)
{
	double began = bench_now();
	uint8_t digest[32];

	SHA256(bytes, size, digest);
	__asm__ volatile("" : : "r"(digest[0]) : "memory");
	return bench_now() - began;
}

struct reading {
	size_t reads, bytes;
	uint8_t buffer[4096];
};

static void count_files(int fd, void *context)
{
	(void)fd;
	++*(size_t *)context;
}

static void read_places(int fd, void *context)
{
	struct reading *reading = context;
	off_t size = lseek(fd, 0, SEEK_END);
	off_t step = size / (off_t)(reading->reads + 1) + 1;

	for (off_t at = 0; at < size; at += step)
		if (pread(fd, reading->buffer, reading->bytes, at) < 0)
			bench_die("pread failed");
}

double limit_preads(const char *directory, size_t reads, size_t bytes)
{
	struct reading reading = {.bytes = bytes};
	size_t files = 0;

	if (bytes > sizeof(reading.buffer))
		bench_die("a read of %zu bytes", bytes);
	each_log(directory, count_files, &files);
	reading.reads = files ? reads / files : reads;
	return each_log(directory, read_places, &reading);
}
