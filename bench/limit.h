/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw loops: the unavoidable work of each workload and nothing else. No
 * checksums, no history, no index that survives; what a store costs is the
 * distance to these.
 */
#ifndef WAYBILL_BENCH_LIMIT_H
#define WAYBILL_BENCH_LIMIT_H

#include "bench/measure.h"

#include <stddef.h>
#include <stdint.h>

/* Durable puts a second: `threads` threads, `each` puts each, of `bytes`
 * bytes; those that come while a write is being synced go together into the
 * next one. A zero-filled file in `directory`. */
double limit_puts(const char *directory, int threads, int each, size_t bytes);

/* Records a second in batches of `batch`, each batch made durable alone. */
double limit_batches(const char *directory, size_t records, size_t batch,
		     size_t bytes);

/* A table of the first `records` names and values of measure.h in an arena
 * on huge pages: XXH3, linear probing, one copy. */
struct limit_table;
struct limit_table *limit_table_new(size_t records);
void limit_table_free(struct limit_table *table);
/* Random gets a second, in each of `threads` threads together. */
double limit_gets(struct limit_table *table, int threads, size_t each,
		  const struct bench_names *names);
/* Records a second over pointers in name order, touching each. */
double limit_scan(struct limit_table *table);
/* Lists a second of the 100 names that share a repository. */
double limit_lists(struct limit_table *table, size_t lists);

/* Seconds to read the files of `directory` and to hash their bytes. */
double limit_read(const char *directory);
/* The same, and their SHA-256 in pieces of 512 bytes as a chain has them. */
double limit_read_chained(const char *directory);
/* Seconds for the SHA-256 of so many bytes. */
double limit_sha256(const void *bytes, size_t size);
/* Seconds for so many reads of `bytes` each, spread over the files. */
double limit_preads(const char *directory, size_t reads, size_t bytes);

#endif
