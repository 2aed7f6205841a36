/* SPDX-License-Identifier: Apache-2.0
 *
 * What a million records cost in memory: RssAnon of this process, as the
 * kernel counts it, after loading and after opening, against the bytes of
 * keys and values.
 *
 *	floor	1.5 times those bytes, and 64 a record
 *
 * A sanitizer's memory is its own: there only the loading is tested, with
 * fewer records.
 */
#include "store/store.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

enum {
#ifdef SANITIZED
	RECORDS = 20000,
	MEASURED = 0,
#else
	RECORDS = 1000000,
	MEASURED = 1,
#endif
	BATCH = 1000,
	VALUE_BYTES = 150,
	LOAD_SECONDS_MAX = 15,
};

static uint64_t anonymous_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	uint64_t kib = 0;
	char line[200];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %" SCNu64 " kB", &kib) == 1)
			break;
	fclose(file);
	ck_assert_uint_gt(kib, 0);
	return kib << 10;
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static struct wb_store *open_store(const char *path)
{
	const struct wb_open_options options = {
		.size = sizeof(options),
		.flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
	};
	struct wb_store *store = NULL;

	ck_ok(wb_store_open(path, &options, &store, NULL));
	return store;
}

/* Names as images have them; with its value a record is 200 to 300 bytes. */
static struct wb_key key_of(unsigned number, char name[80])
{
	int size = snprintf(name, 80,
			    "registry.example.org/team-%03u/project/image:%08x",
			    number % 1000, number * 2654435761u);

	return (struct wb_key){1, {"default", 7}, {name, (size_t)size}};
}

static struct wb_bytes value_of(unsigned number, uint8_t *bytes)
{
	struct rng rng = rng_of(number);
	size_t size = VALUE_BYTES + rng_below(&rng, 90);

	memset(bytes, (int)(number & 0xff), size);
	memcpy(bytes, &number, sizeof(number));
	return (struct wb_bytes){bytes, size};
}

static enum wb_error put_batch(void *context, struct wb_txn *txn)
{
	const struct wb_precondition absent = {.kind = WB_IF_ABSENT};
	unsigned from = *(unsigned *)context;
	uint8_t bytes[VALUE_BYTES + 90];
	enum wb_error error = WB_OK;
	char name[80];

	for (unsigned at = from; at < from + BATCH && !error; at++) {
		struct wb_key key = key_of(at, name);

		error = store_txn_put(txn, &key, value_of(at, bytes), absent);
	}
	return error;
}

static void check_some(struct wb_store *store)
{
	uint8_t bytes[VALUE_BYTES + 90], found[VALUE_BYTES + 90];
	struct wb_record record;
	char name[80];

	for (unsigned at = 0; at < RECORDS; at += 997) {
		struct wb_key key = key_of(at, name);
		struct wb_bytes value = value_of(at, bytes);

		ck_ok(wb_get(store, &key, found, sizeof(found), &record));
		ck_assert_uint_eq(record.value.size, value.size);
		ck_assert_mem_eq(found, bytes, value.size);
	}
}

static struct wb_stat stat_of(struct wb_store *store)
{
	struct wb_stat stat = {.size = sizeof(stat)};

	ck_ok(wb_store_stat(store, &stat));
	ck_assert_uint_eq(stat.records, RECORDS);
	return stat;
}

static void check_floor(const char *after, struct wb_store *store,
			uint64_t before)
{
	struct wb_stat stat = stat_of(store);
	uint64_t used = anonymous_bytes() - before;
	uint64_t floor = stat.record_bytes * 3 / 2 + 64 * stat.records;

	if (!MEASURED)
		return;
	ck_assert_uint_ge(stat.record_bytes, UINT64_C(200) * RECORDS);
	printf("count: memory RssAnon after %s %" PRIu64 "\n", after, used);
	fflush(stdout);
	ck_assert_uint_le(used, floor);
}

START_TEST(a_million_records_take_half_as_much_again_at_most)
{
	char *path = tempdir_make();
	struct wb_store *store = open_store(path);
	uint64_t before = anonymous_bytes();
	int64_t began = now_ns(CLOCK_MONOTONIC);
	int64_t began_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);

	for (unsigned from = 0; from < RECORDS; from += BATCH)
		ck_ok(wb_update(store, NULL, put_batch, &from, NULL));
	began = now_ns(CLOCK_MONOTONIC) - began;
	began_cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - began_cpu;
	printf("count: memory key and value bytes %" PRIu64 "\n",
	       stat_of(store).record_bytes);
	check_floor("load", store, before);
	check_some(store);
	ck_ok(wb_store_close(store));
	store = open_store(path);
	check_floor("open", store, before);
	check_some(store);
	ck_ok(wb_store_close(store));
	tempdir_remove(path);
	printf("count: memory load ms %" PRId64 "\n", began / 1000000);
	fflush(stdout);
	/* Of our own time: how busy the disk is with others is not ours. */
	ck_assert_int_lt(began_cpu, LOAD_SECONDS_MAX * INT64_C(1000000000));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("footprint");
	TCase *tcase = tcase_create("footprint");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase,
		       a_million_records_take_half_as_much_again_at_most);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
