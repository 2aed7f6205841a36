/* SPDX-License-Identifier: Apache-2.0
 *
 * What benchmarks share: time, names, medians, memory, and the table that is
 * printed. A benchmark prints; it judges nothing.
 */
#ifndef WAYBILL_BENCH_MEASURE_H
#define WAYBILL_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS_MAX 15
#define BENCH_NAME_BYTES 96

/* Seconds, monotonic. */
double bench_now(void);

/* `count` names made ahead, so that making them is not what is measured.
 * Free with free(). */
struct bench_names {
	uint8_t bytes[BENCH_NAME_BYTES];
	size_t size;
};
struct bench_names *bench_names(size_t count, int missing);

/* The name of image number `at`, 40 to 70 bytes, as a registry has them:
 * shared prefixes, several tags a repository. Returns its length. */
size_t bench_name(uint64_t at, char name[BENCH_NAME_BYTES]);
/* A name that no number has. */
size_t bench_missing_name(uint64_t at, char name[BENCH_NAME_BYTES]);

/* Bytes like an encoded image, 150 to 200 of them. */
size_t bench_value(uint64_t at, uint8_t value[256]);

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t bench_random(uint64_t *state);

/* One line of the table: what Waybill and the raw loop did in each round. */
struct bench_row {
	const char *name;
	const char *unit;
	double ours[BENCH_ROUNDS_MAX];
	double limit[BENCH_ROUNDS_MAX];
	size_t rounds;
};
void bench_add(struct bench_row *row, double ours, double limit);
/* Medians, and the median of the rounds' ratios. */
void bench_print_head(void);
void bench_print(const struct bench_row *row);

/* RssAnon of this process, bytes. */
uint64_t bench_rss_anon(void);

/* Write to standard error and exit 1. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_die(
	const char *format, ...);

#endif
