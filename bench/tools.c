/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/tools [--records N] [--rounds N] DIRECTORY
 *
 * What the tools for a bad day cost: verify, fsck, dump, load, and the history
 * of one name, on a log of 4,000,000 records (1 GB), warm; beside raw loops,
 * in turns. It prints medians and ratios and judges nothing.
 */
#include "bench/limit.h"
#include "bench/stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH	 1000
#define VERSIONS 10000 /* of one name, spread over the log */

static size_t records = 4000000;
static size_t rounds = 3;
static const char *directory;
static struct stand stand;
static double log_bytes;

static const char often[] = "docker.io/library/often:latest";

static void put_often(uint64_t at)
{
	struct wb_key key = {STAND_KIND, stand_ns, {often, sizeof(often) - 1}};
	uint8_t value[256];
	struct wb_bytes bytes = {value, bench_value(at, value)};
	struct wb_txn *txn;

	stand_check(wb_txn_begin(stand.store, NULL, &txn, NULL), "begin");
	stand_check(wb_txn_put(txn, &key, bytes, (struct wb_precondition){0}),
		    "put");
	stand_check(wb_txn_commit(txn, NULL), "commit");
}

static void fill(void)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	size_t often_each =
		records / BATCH > VERSIONS ? 1 : VERSIONS * BATCH / records;
	size_t made = 0;

	stand_fresh(&stand);
	for (size_t at = 0; at < records; at += BATCH) {
		stand_put(&stand, at, at + BATCH);
		for (size_t more = 0; more < often_each && made < VERSIONS;
		     more++)
			put_often(made++);
	}
	while (made < VERSIONS)
		put_often(made++);
	stand_check(wb_store_stat(stand.store, &stat), "stat");
	log_bytes = (double)stat.log_bytes;
	printf("%-34s %14.1f\n", "log, MB", log_bytes / 1e6);
}

/* ---- reading all ---- */

static void bench_verify(uint32_t threads, const char *name)
{
	struct bench_row row = {.name = name,
				.unit = "MB/s; limit: read, XXH3, SHA-256"};
	struct wb_audit_options options = {.size = sizeof(options),
					   .flags = WB_OPEN_ANY_FILESYSTEM,
					   .threads = threads};
	struct wb_audit_verified verified;
	struct wb_text text = {""};
	double limit, began;

	while (row.rounds < rounds) {
		limit = log_bytes / limit_read_chained(stand.path) / 1e6;
		verified = (struct wb_audit_verified){.size = sizeof(verified)};
		began = bench_now();
		if (wb_audit_verify(stand.path, &options, NULL, 0, &verified,
				    &text))
			bench_die("verify: %s", text.text);
		bench_add(&row, log_bytes / (bench_now() - began) / 1e6, limit);
		if (verified.damages)
			bench_die("verify found damage");
	}
	bench_print(&row);
}

static void ignore(void *context, const struct wb_finding *finding)
{
	(void)context;
	(void)finding;
}

static void bench_fsck(uint32_t threads, const char *name)
{
	struct bench_row row = {.name = name,
				.unit = "MB/s; limit: read, XXH3, SHA-256"};
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = WB_FSCK_ANY_FILESYSTEM,
					  .threads = threads};
	struct wb_fsck_summary summary;
	struct wb_text text = {""};
	double limit, began;

	while (row.rounds < rounds) {
		limit = log_bytes / limit_read_chained(stand.path) / 1e6;
		summary = (struct wb_fsck_summary){.size = sizeof(summary)};
		began = bench_now();
		if (wb_fsck(stand.path, &options, ignore, NULL, &summary,
			    &text))
			bench_die("fsck: %s", text.text);
		bench_add(&row, log_bytes / (bench_now() - began) / 1e6, limit);
		if (summary.found)
			bench_die("fsck found something");
	}
	bench_print(&row);
}

/* ---- dump and load ---- */

struct dumped {
	uint8_t *bytes;
	size_t size, capacity;
};

static enum wb_error keep(void *context, const void *bytes, size_t size)
{
	struct dumped *dumped = context;

	while (dumped->capacity - dumped->size < size) {
		dumped->capacity = dumped->capacity ? 2 * dumped->capacity
						    : (size_t)1 << 20;
		dumped->bytes = realloc(dumped->bytes, dumped->capacity);
		if (!dumped->bytes)
			bench_die("no memory for the dump");
	}
	memcpy(dumped->bytes + dumped->size, bytes, size);
	dumped->size += size;
	return WB_OK;
}

static void bench_dump(struct dumped *dumped)
{
	struct bench_row row = {.name = "dump of the state",
				.unit = "records/s; limit: SHA-256 of it"};
	struct wb_dump_result result;
	struct wb_text text = {""};
	double began, seconds;

	while (row.rounds < rounds) {
		dumped->size = 0;
		result = (struct wb_dump_result){.size = sizeof(result)};
		began = bench_now();
		if (wb_dump(stand.store, NULL, keep, dumped, &result, &text))
			bench_die("dump: %s", text.text);
		seconds = bench_now() - began;
		bench_add(&row, (double)result.count / seconds,
			  (double)result.count /
				  limit_sha256(dumped->bytes, dumped->size));
	}
	bench_print(&row);
}

static enum wb_error give(void *context, void *buffer, size_t size,
			  uint64_t offset, size_t *ret_size)
{
	const struct dumped *dumped = context;
	size_t left = dumped->size - (size_t)offset;

	*ret_size = size < left ? size : left;
	memcpy(buffer, dumped->bytes + offset, *ret_size);
	return WB_OK;
}

static void bench_load(struct dumped *dumped)
{
	struct bench_row row = {.name = "load of that",
				.unit = "records/s; limit: durable batches"};
	struct wb_load_result result;
	struct wb_text text = {""};
	double limit, began;

	while (row.rounds < rounds) {
		limit = limit_batches(directory, records, 50 * BATCH, 240);
		stand_fresh(&stand);
		result = (struct wb_load_result){.size = sizeof(result)};
		began = bench_now();
		if (wb_load(stand.store, give, dumped, NULL, &result, &text))
			bench_die("load: %s", text.text);
		bench_add(&row, (double)result.loaded / (bench_now() - began),
			  limit);
		stand_close(&stand);
	}
	bench_print(&row);
}

/* ---- history ---- */

static bool count_version(void *context, const struct wb_version *version)
{
	(void)version;
	++*(size_t *)context;
	return true;
}

static void bench_history(void)
{
	struct bench_row row = {.name = "10,000 versions of one name",
				.unit = "ms; limit: pread of as many places"};
	struct wb_key key = {STAND_KIND, stand_ns, {often, sizeof(often) - 1}};
	double limit, began;

	while (row.rounds < rounds) {
		size_t count = 0;

		limit = limit_preads(stand.path, VERSIONS, 512) * 1e3;
		began = bench_now();
		stand_check(wb_history(stand.store, &key, 0, 0, count_version,
				       &count),
			    "history");
		bench_add(&row, (bench_now() - began) * 1e3, limit);
		if (count != VERSIONS)
			bench_die("%zu versions", count);
	}
	bench_print(&row);
}

int main(int count, char **arguments)
{
	struct dumped dumped = {NULL, 0, 0};

	directory = stand_arguments(count, arguments, &records, &rounds);
	records -= records % BATCH;
	stand_init(&stand, directory);
	bench_print_head();
	fill();
	bench_history();
	bench_dump(&dumped);
	stand_close(&stand);
	bench_verify(1, "audit verify: frames and chain");
	bench_verify(2, "the same, two threads");
	bench_fsck(1, "fsck: and the index compared");
	bench_fsck(2, "the same, two threads");
	bench_load(&dumped);
	free(dumped.bytes);
	stand_remove(&stand);
	return 0;
}
