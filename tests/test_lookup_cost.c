/* SPDX-License-Identifier: Apache-2.0
 *
 * What looking back costs is what is told, not what there is: the bytes that
 * are read are counted, in a store of a hundred thousand versions and more.
 *
 *	a version	one read of 4096 bytes, or as long as its commit; with
 *			the gap before it, if that is not longer than a read
 *	a sealed segment	one page of its footer, 4096 bytes
 *	everybody's	stretches, each of 64 KiB at most or of one commit
 */
#include "log/pages.h"
#include "log/stretches.h"

#include "tests/support/rng.h"
#include "tests/support/shelf.h"

#include <inttypes.h>

enum {
	HOT = 10000,   /* versions of one name */
	FILLERS = 100, /* commits of other names between them */
	FILLER_MUTATIONS = 1000,
	GROUP = 25, /* commits that become durable together */
	LIMIT = 50,
	READ_BYTES = 4096,
	STRETCH_MAX = 2 * STRETCH_BYTES,
	/* One of FILLER_MUTATIONS. */
	COMMIT_BYTES_MAX = FILLER_MUTATIONS * 64,
};

static struct shelf shelf;
static uint64_t hot_revisions[HOT];

static void put_fillers(unsigned commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	char name[32];

	for (unsigned at = 0; at < FILLER_MUTATIONS; at++) {
		snprintf(name, sizeof(name), "filler-%05u",
			 (commit * FILLER_MUTATIONS + at) * 7 % 50000);
		ck_ok(txn_put(txn, name, "some value"));
	}
	ck_ok(wb_txn_commit(txn, NULL));
}

static void write_store(void)
{
	uint64_t revision = 0;

	shelf_init(&shelf, 1);
	shelf.options.segment_bytes = 1 << 20;
	ck_ok(shelf_open(&shelf));
	for (unsigned at = 0; at < HOT; at++) {
		simenv_advance(&shelf.env, 1000);
		if (at % (HOT / FILLERS) == 0) {
			put_fillers(at / (HOT / FILLERS));
			revision++;
		}
		stage_put(&shelf, "hot", "a value of some length");
		hot_revisions[at] = ++revision;
		if (at % GROUP == GROUP - 1)
			ck_ok(store_flush(shelf.store));
	}
	ck_assert_uint_eq(shelf_stat(&shelf).revision, HOT + FILLERS);
	ck_assert_uint_ge(shelf_stat(&shelf).segments, 5);
}

/* Once for all cases, each of which opens a copy. */
static struct simdisk *written;
static int64_t written_ns;

static void write_once(void)
{
	write_store();
	ck_ok(shelf_close(&shelf));
	written = simdisk_clone(shelf.disk);
	written_ns = shelf.env.wall_ns;
	shelf_release(&shelf);
}

static void forget(void)
{
	simdisk_free(written);
}

static void set_up(void)
{
	shelf_init(&shelf, 2);
	shelf.options.segment_bytes = 1 << 20;
	simdisk_free(shelf.disk);
	shelf.disk = simdisk_clone(written);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

/* ---- counting ---- */

struct cost {
	size_t versions;
	uint64_t bytes, reads, opens;
	uint64_t newest, oldest; /* revisions that were told */
};

static bool count_version(void *context, const struct wb_version *version)
{
	struct cost *cost = context;

	if (cost->versions++ == 0)
		cost->newest = version->record.revision;
	cost->oldest = version->record.revision;
	return true;
}

static struct cost now(void)
{
	return (struct cost){
		.bytes = simdisk_bytes_read(shelf.disk),
		.reads = simdisk_count(shelf.disk, SIM_READ),
		.opens = simdisk_count(shelf.disk, SIM_OPEN),
	};
}

static struct cost since(struct cost before, struct cost cost)
{
	struct cost after = now();

	cost.bytes = after.bytes - before.bytes;
	cost.reads = after.reads - before.reads;
	cost.opens = after.opens - before.opens;
	return cost;
}

/* NULL: everybody's. */
static struct cost cost_of(const char *name, uint64_t before, size_t limit)
{
	struct wb_key key = named(name ? name : "");
	struct cost cost = {.versions = 0}, start = now();

	ck_ok(name ? wb_history(shelf.store, &key, before, limit, count_version,
				&cost)
		   : wb_log(shelf.store, 0, NULL, before, limit, count_version,
			    &cost));
	return since(start, cost);
}

/* Some versions, and a page of each of so many segments. */
static void check_history(struct cost cost, uint64_t segments)
{
	ck_assert_uint_le(cost.bytes, cost.versions * 2 * READ_BYTES +
					      segments * FOOTER_PAGE_BYTES);
	ck_assert_uint_le(cost.reads, cost.versions + segments);
	ck_assert_uint_le(cost.opens, segments + 1);
}

/* ---- one name ---- */

static void check_hot(void)
{
	for (unsigned at = 0; at <= HOT; at += 97) {
		uint64_t before = at < HOT ? hot_revisions[at] : 0;
		struct cost cost = cost_of("hot", before, LIMIT);
		size_t expected = at < LIMIT ? at : LIMIT;

		ck_assert_uint_eq(cost.versions, expected);
		if (expected == 0)
			continue;
		ck_assert_uint_eq(cost.newest, hot_revisions[at - 1]);
		ck_assert_uint_eq(cost.oldest, hot_revisions[at - expected]);
		/* They are in two segments at most, and in one of them on two
		 * pages at most. */
		check_history(cost, 3);
	}
}

START_TEST(a_page_of_a_long_history_costs_what_it_tells)
{
	check_hot();
}
END_TEST

START_TEST(so_it_does_in_a_store_that_was_not_opened_since)
{
	shelf_release(&shelf);
	write_store();
	check_hot();
}
END_TEST

START_TEST(a_whole_history_costs_what_it_tells)
{
	struct cost cost = cost_of("hot", 0, 0);

	ck_assert_uint_eq(cost.versions, HOT);
	/* A page for each 256 of them, besides one a segment. */
	check_history(cost, shelf_stat(&shelf).segments + HOT / 256 + 1);
	ck_assert_uint_le(cost.opens, shelf_stat(&shelf).segments);
}
END_TEST

START_TEST(a_name_without_versions_costs_a_page_of_each_segment)
{
	for (unsigned at = 0; at < 100; at++) {
		char name[32];
		struct cost cost;

		snprintf(name, sizeof(name), "absent-%u", at);
		cost = cost_of(name, 0, 0);
		ck_assert_uint_eq(cost.versions, 0);
		check_history(cost, shelf_stat(&shelf).segments - 1);
	}
}
END_TEST

/* Each was written twice, in commits of a thousand. */
START_TEST(a_short_history_costs_its_commits_and_a_page_of_each_segment)
{
	for (unsigned at = 0; at < 50000; at += 501) {
		char name[32];
		struct cost cost;

		snprintf(name, sizeof(name), "filler-%05u", at);
		cost = cost_of(name, 0, 0);
		ck_assert_uint_eq(cost.versions, 2);
		ck_assert_uint_le(cost.bytes,
				  2 * 2 * COMMIT_BYTES_MAX +
					  shelf_stat(&shelf).segments *
						  FOOTER_PAGE_BYTES);
	}
}
END_TEST

/* ---- everybody's ---- */

/* Below a version that has so many of its kind right before it, and before
 * those a commit of others, which is told whole. */
static size_t page_versions(size_t right_before)
{
	return right_before < LIMIT ? right_before + FILLER_MUTATIONS : LIMIT;
}

START_TEST(a_page_of_the_log_costs_a_few_stretches)
{
	for (unsigned at = 0; at < HOT; at += 97) {
		struct cost cost = cost_of(NULL, hot_revisions[at], LIMIT);

		/* Groups of 25 commits, 110 bytes each and 512 at most: one
		 * stretch or the end of one and the next, and one large
		 * commit. */
		ck_assert_uint_eq(cost.versions,
				  page_versions(at % (HOT / FILLERS)));
		ck_assert_uint_eq(cost.newest, hot_revisions[at] - 1);
		ck_assert_uint_le(cost.bytes,
				  2 * STRETCH_MAX + COMMIT_BYTES_MAX);
		ck_assert_uint_le(cost.reads, 3);
	}
}
END_TEST

/* Every frame once, and nothing else. */
START_TEST(the_whole_log_is_read_once)
{
	struct cost cost = cost_of(NULL, 0, 0);

	ck_assert_uint_eq(cost.versions, HOT + FILLERS * FILLER_MUTATIONS);
	ck_assert_uint_le(cost.bytes, shelf_stat(&shelf).log_bytes);
}
END_TEST

START_TEST(a_time_costs_a_stretch)
{
	int64_t begin = written_ns - (int64_t)HOT * 1000;

	for (unsigned at = 0; at < HOT; at += 331) {
		struct cost before = now(), cost = {.versions = 0};
		uint64_t revision;

		/* That of the version, and until the next one. */
		ck_ok(wb_revision_at(shelf.store,
				     begin + (int64_t)(at + 1) * 1000 + 999,
				     &revision));
		cost = since(before, cost);
		ck_assert_uint_eq(revision, hot_revisions[at]);
		ck_assert_uint_le(cost.bytes, STRETCH_MAX + COMMIT_BYTES_MAX);
		ck_assert_uint_le(cost.reads, 1);
	}
}
END_TEST

/* ---- after a kill ---- */

START_TEST(a_segment_that_was_cut_is_read_once_and_then_costs_the_same)
{
	uint64_t log_bytes;
	struct cost cost;

	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	log_bytes = shelf_stat(&shelf).log_bytes;
	ck_assert_uint_eq(cost_of(NULL, 0, LIMIT).versions, LIMIT);
	cost = cost_of("hot", 0, LIMIT);
	ck_assert_uint_eq(cost.versions, LIMIT);
	ck_assert_uint_le(cost.bytes,
			  shelf.options.segment_bytes + LIMIT * 2 * READ_BYTES);
	ck_assert_uint_lt(cost.bytes, log_bytes / 2);
	check_hot();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup_cost");
	TCase *tests = tcase_create("lookup_cost");

	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, write_once, forget);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_page_of_a_long_history_costs_what_it_tells);
	tcase_add_test(tests, so_it_does_in_a_store_that_was_not_opened_since);
	tcase_add_test(tests, a_whole_history_costs_what_it_tells);
	tcase_add_test(tests,
		       a_name_without_versions_costs_a_page_of_each_segment);
	tcase_add_test(
		tests,
		a_short_history_costs_its_commits_and_a_page_of_each_segment);
	tcase_add_test(tests, a_page_of_the_log_costs_a_few_stretches);
	tcase_add_test(tests, the_whole_log_is_read_once);
	tcase_add_test(tests, a_time_costs_a_stretch);
	tcase_add_test(
		tests,
		a_segment_that_was_cut_is_read_once_and_then_costs_the_same);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
