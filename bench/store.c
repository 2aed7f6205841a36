/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/store [--records N] [--rounds N] DIRECTORY
 *
 * The embedded store beside raw loops, in turns, in one run. It prints
 * medians and ratios and judges nothing. The directory must be on the disk
 * that is asked about; what the benchmark makes there it removes.
 */
#include "bench/limit.h"
#include "bench/stand.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH	 1000
#define PUT_SIZE 320 /* bytes of a one-image commit's frame */

static size_t records = 1000000;
static size_t rounds = 3;
static const char *directory;
static struct stand stand;

/* ---- puts ---- */

struct putter {
	uint64_t from, to;
};

static void *put_each(void *context)
{
	const struct putter *putter = context;
	uint64_t at;

	for (at = putter->from; at < putter->to; at++)
		stand_put(&stand, at, at + 1);
	return NULL;
}

static double puts_per_second(int threads, int each)
{
	struct putter putter[256];
	pthread_t thread[256];
	double began = bench_now();
	int at;

	for (at = 0; at < threads; at++) {
		putter[at].from = (uint64_t)at * (uint64_t)each;
		putter[at].to = putter[at].from + (uint64_t)each;
		pthread_create(&thread[at], NULL, put_each, &putter[at]);
	}
	for (at = 0; at < threads; at++)
		pthread_join(thread[at], NULL);
	return threads * each / (bench_now() - began);
}

static void bench_puts(int threads, int each, const char *name)
{
	struct bench_row row = {.name = name, .unit = "puts/s"};
	double limit;

	while (row.rounds < rounds) {
		limit = limit_puts(directory, threads, each, PUT_SIZE);
		stand_fresh(&stand);
		bench_add(&row, puts_per_second(threads, each), limit);
		stand_close(&stand);
	}
	bench_print(&row);
}

static void bench_batches(void)
{
	struct bench_row row = {.name = "durable batches of 1000, from empty",
				.unit = "records/s"};
	double limit, began;
	size_t at;

	while (row.rounds < rounds) {
		limit = limit_batches(directory, records, BATCH, 240);
		stand_fresh(&stand);
		began = bench_now();
		for (at = 0; at < records; at += BATCH)
			stand_put(&stand, at, at + BATCH);
		bench_add(&row, (double)records / (bench_now() - began), limit);
		if (row.rounds < rounds)
			stand_close(&stand);
	}
	bench_print(&row);
}

/* ---- reads ---- */

struct getter {
	size_t each;
	uint64_t seed;
	const struct bench_names *names;
	enum wb_error expected;
};

static void *get_each(void *context)
{
	struct getter *getter = context;
	struct wb_record record;
	uint8_t value[256];
	enum wb_error error;
	size_t at;

	for (at = 0; at < getter->each; at++) {
		const struct bench_names *name =
			&getter->names[bench_random(&getter->seed) % records];
		struct wb_key key = {STAND_KIND,
				     stand_ns,
				     {name->bytes, name->size}};

		error = wb_get(stand.store, &key, value, sizeof(value),
			       &record);
		if (error != getter->expected)
			stand_check(error ? error : WB_EXISTS, "get");
	}
	return NULL;
}

static double gets_per_second(int threads, const struct bench_names *names,
			      enum wb_error expected)
{
	struct getter getter[256];
	pthread_t thread[256];
	double began = bench_now();
	int at;

	for (at = 0; at < threads; at++) {
		getter[at] = (struct getter){records, (uint64_t)at + 1, names,
					     expected};
		pthread_create(&thread[at], NULL, get_each, &getter[at]);
	}
	for (at = 0; at < threads; at++)
		pthread_join(thread[at], NULL);
	return (double)threads * (double)records / (bench_now() - began);
}

static void bench_gets(struct limit_table *table, int threads, int missing,
		       const char *name)
{
	struct bench_row row = {.name = name, .unit = "gets/s"};
	struct bench_names *names = bench_names(records, missing);

	while (row.rounds < rounds) {
		double limit = limit_gets(table, threads, records, names);

		bench_add(&row,
			  gets_per_second(threads, names,
					  missing ? WB_NOT_FOUND : WB_OK),
			  limit);
	}
	bench_print(&row);
	free(names);
}

static bool count_record(void *context, const struct wb_record *record)
{
	size_t *count = context;

	*count += record->value.size > 0;
	return true;
}

static void bench_scan(struct limit_table *table)
{
	struct bench_row row = {.name = "ordered scan of all",
				.unit = "records/s"};
	struct wb_bytes none = {NULL, 0};
	struct wb_view *view;
	double limit, began;

	while (row.rounds < rounds + 1) {
		size_t count = 0;

		limit = limit_scan(table);
		stand_check(wb_view_begin(stand.store, &view), "view");
		began = bench_now();
		stand_check(wb_view_list(view, STAND_KIND, stand_ns, none, none,
					 count_record, &count),
			    "list");
		if (row.rounds == 0)
			printf("%-34s %14.1f %14s  %5s  ms\n",
			       "first scan, which sorts the names",
			       (bench_now() - began) * 1e3, "", "");
		bench_add(&row, (double)count / (bench_now() - began), limit);
		wb_view_end(view);
	}
	bench_print(&row);
}

static void bench_lists(struct limit_table *table)
{
	struct bench_row row = {.name = "list of the 100 names of a prefix",
				.unit = "lists/s"};
	size_t lists = 20000, at, count = 0;
	char name[BENCH_NAME_BYTES];
	struct wb_view *view;
	uint64_t seed;
	double limit, began;

	while (row.rounds < rounds) {
		limit = limit_lists(table, lists);
		stand_check(wb_view_begin(stand.store, &view), "view");
		seed = 7;
		began = bench_now();
		for (at = 0; at < lists; at++) {
			uint64_t which =
				bench_random(&seed) % (records / 100) * 100;
			struct wb_bytes none = {NULL, 0}, prefix = {name, 0};

			bench_name(which, name);
			prefix.size = (size_t)(strchr(name, ':') - name);
			stand_check(wb_view_list(view, STAND_KIND, stand_ns,
						 prefix, none, count_record,
						 &count),
				    "list");
		}
		bench_add(&row, (double)lists / (bench_now() - began), limit);
		wb_view_end(view);
	}
	if (count < rounds * lists * 100)
		bench_die("lists were short: %zu", count);
	bench_print(&row);
}

/* ---- open and memory ---- */

static void bench_open(void)
{
	struct bench_row row = {.name = "open, warm, closed cleanly",
				.unit = "ms; limit: read and hash"};
	double limit, began;

	stand_close(&stand);
	while (row.rounds < rounds) {
		limit = limit_read(stand.path) * 1e3;
		began = bench_now();
		stand_open(&stand);
		bench_add(&row, (bench_now() - began) * 1e3, limit);
		stand_close(&stand);
	}
	bench_print(&row);
}

static void bench_memory(void)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	uint64_t before = bench_rss_anon(), after;

	stand_open(&stand);
	after = bench_rss_anon();
	stand_check(wb_store_stat(stand.store, &stat), "stat");
	printf("%-34s %14.1f %14.1f  %5.2f  bytes/record; limit: 1.5 x "
	       "encoded + 64\n",
	       "anonymous memory after open",
	       (double)(after - before) / (double)stat.records,
	       1.5 * (double)stat.record_bytes / (double)stat.records + 64,
	       (double)(after - before) / (1.5 * (double)stat.record_bytes +
					   64 * (double)stat.records));
	printf("%-34s %14.1f %14.1f  %5.2f  bytes/record; limit: encoded\n",
	       "log", (double)stat.log_bytes / (double)stat.records,
	       (double)stat.record_bytes / (double)stat.records,
	       (double)stat.log_bytes / (double)stat.record_bytes);
	stand_close(&stand);
}

int main(int count, char **arguments)
{
	struct limit_table *table;

	directory = stand_arguments(count, arguments, &records, &rounds);
	records -= records % BATCH;
	stand_init(&stand, directory);
	bench_print_head();
	bench_puts(1, 2000, "durable put, 1 thread");
	bench_puts(8, 1000, "durable put, 8 threads");
	bench_puts(64, 500, "durable put, 64 threads");
	bench_batches();
	table = limit_table_new(records);
	bench_gets(table, 1, 0, "random get, hit, 1 thread");
	bench_gets(table, 2, 0, "random get, hit, 2 threads");
	bench_gets(table, 1, 1, "random get, miss");
	bench_scan(table);
	bench_lists(table);
	limit_table_free(table);
	bench_open();
	bench_memory();
	stand_remove(&stand);
	return 0;
}
