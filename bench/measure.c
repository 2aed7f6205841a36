/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t bench_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static size_t name_of(uint64_t at, const char *tag, char name[BENCH_NAME_BYTES])
{
	static const char *const places[] = {"docker.io/library/",
					     "docker.io/bitnamilegacy/",
					     "registry.k8s.io/e2e-test-images/",
					     "quay.io/prometheus/"};
	uint64_t state = at / 100;
	uint64_t repository = bench_random(&state);

	return (size_t)snprintf(name, BENCH_NAME_BYTES,
				"%s%s-%06llx:%s%llu.%llu-bookworm",
				places[repository % 4], "service",
				(unsigned long long)(at / 100), tag,
				(unsigned long long)(at % 100 / 10),
				(unsigned long long)(at % 10));
}

size_t bench_name(uint64_t at, char name[BENCH_NAME_BYTES])
{
	return name_of(at, "1.", name);
}

size_t bench_missing_name(uint64_t at, char name[BENCH_NAME_BYTES])
{
	return name_of(at, "none-", name);
}

struct bench_names *bench_names(size_t count, int missing)
{
	struct bench_names *names = malloc(count * sizeof(*names));
	char name[BENCH_NAME_BYTES];
	size_t at;

	if (!names)
		bench_die("out of memory");
	for (at = 0; at < count; at++) {
		names[at].size = missing ? bench_missing_name(at, name)
					 : bench_name(at, name);
		memcpy(names[at].bytes, name, names[at].size);
	}
	return names;
}

size_t bench_value(uint64_t at, uint8_t value[256])
{
	uint64_t state = at, word;
	size_t size = 150 + at % 51, done;

	for (done = 0; done < size; done += sizeof(word)) {
		word = bench_random(&state);
		memcpy(value + done, &word, sizeof(word));
	}
	return size;
}

void bench_add(struct bench_row *row, double ours, double limit)
{
	if (row->rounds == BENCH_ROUNDS_MAX)
		bench_die("too many rounds");
	row->ours[row->rounds] = ours;
	row->limit[row->rounds] = limit;
	row->rounds++;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const double *values, size_t count)
{
	double sorted[BENCH_ROUNDS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), by_value);
	return count % 2 ? sorted[count / 2]
			 : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

void bench_print_head(void)
{
	printf("%-34s %14s %14s  %s\n", "", "waybill", "raw loop", "ratio");
}

void bench_print(const struct bench_row *row)
{
	double ratio[BENCH_ROUNDS_MAX];
	size_t at;

	for (at = 0; at < row->rounds; at++)
		ratio[at] =
			row->limit[at] > 0 ? row->ours[at] / row->limit[at] : 0;
	printf("%-34s %14.1f %14.1f  %5.2f  %s\n", row->name,
	       median(row->ours, row->rounds), median(row->limit, row->rounds),
	       median(ratio, row->rounds), row->unit);
	fflush(stdout);
}

uint64_t bench_rss_anon(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	unsigned long long kib = 0;
	char line[256];

	if (!status)
		bench_die("/proc/self/status cannot be read");
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
			break;
	fclose(status);
	return kib * 1024;
}

void bench_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}
