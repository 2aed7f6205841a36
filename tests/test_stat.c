/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers about the store, each against what was done.
 */
#include "tests/support/shelf.h"

#include <pthread.h>
#include <stdatomic.h>

static struct shelf shelf;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

START_TEST(a_new_store_is_empty)
{
	struct wb_stat stat = shelf_stat(&shelf);

	ck_assert_uint_ne(stat.epoch, 0);
	ck_assert_uint_eq(stat.revision, 0);
	ck_assert_uint_eq(stat.oldest_revision, 0);
	ck_assert_uint_eq(stat.records, 0);
	ck_assert_uint_eq(stat.record_bytes, 0);
	ck_assert_uint_eq(stat.segments, 1);
	ck_assert_uint_eq(stat.torn_bytes, 0);
	ck_assert_uint_eq(stat.pinned_bytes, 0);
	ck_assert_uint_eq(stat.views, 0);
	ck_assert_uint_eq(stat.commits, 0);
	ck_assert_uint_eq(stat.groups, 0);
}
END_TEST

START_TEST(records_and_their_bytes_are_those_that_live)
{
	struct wb_stat stat;

	shelf_put(&shelf, "name", "12345"); /* kind, "n", 0, "name", "12345" */
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.records, 1);
	ck_assert_uint_eq(stat.record_bytes, 3 + 4 + 5);
	shelf_put(&shelf, "name", "1");
	shelf_put(&shelf, "b", "");
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.records, 2);
	ck_assert_uint_eq(stat.record_bytes, 3 + 4 + 1 + 3 + 1);
	shelf_delete(&shelf, "name");
	stage_put(&shelf, "staged", "1");
	for (unsigned open = 0; open < 2; open++) {
		stat = shelf_stat(&shelf);
		ck_assert_uint_eq(stat.records, 1);
		ck_assert_uint_eq(stat.record_bytes, 3 + 1);
		ck_assert_uint_eq(stat.revision, 4);
		ck_assert_uint_eq(stat.oldest_revision, 1);
		shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
	}
}
END_TEST

START_TEST(commits_and_groups_are_this_handles)
{
	struct wb_stat stat;

	shelf_put(&shelf, "a", "1");
	for (unsigned i = 0; i < 5; i++)
		stage_put(&shelf, "a", "1");
	ck_ok(store_flush(shelf.store));
	ck_ok(wb_store_mark(shelf.store));
	ck_ok(store_flush(shelf.store));
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.commits, 6);
	ck_assert_uint_eq(stat.groups, 2);
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.commits, 0);
	ck_assert_uint_eq(stat.groups, 0);
}
END_TEST

START_TEST(views_and_what_they_pin_are_counted)
{
	struct wb_view *first, *second;
	struct wb_stat stat;

	shelf_put(&shelf, "a", "0123456789");
	ck_ok(wb_view_begin(shelf.store, &first));
	ck_ok(wb_view_begin(shelf.store, &second));
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.views, 2);
	ck_assert_uint_eq(stat.pinned_bytes, 0);
	shelf_put(&shelf, "a", "1");
	ck_assert_uint_gt(shelf_stat(&shelf).pinned_bytes, 10);
	wb_view_end(first);
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.views, 1);
	ck_assert_uint_gt(stat.pinned_bytes, 10);
	wb_view_end(second);
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.views, 0);
	ck_assert_uint_eq(stat.pinned_bytes, 0);
}
END_TEST

/* ---- beside a publisher ---- */

enum { COMMITS = 3, PUTS = WB_TXN_MUTATIONS_MAX };

static atomic_bool done;

static void *commit_many(void *unused)
{
	char name[16];

	for (unsigned i = 0; i < COMMITS * PUTS; i += PUTS) {
		struct wb_txn *txn = shelf_begin(&shelf);

		for (unsigned at = i; at < i + PUTS; at++) {
			snprintf(name, sizeof(name), "%06u", at);
			ck_ok(txn_put(txn, name, "1"));
		}
		ck_ok(wb_txn_commit(txn, NULL));
		/* An acknowledged commit is in it. */
		ck_assert_uint_gt(shelf_stat(&shelf).commits, i / PUTS);
	}
	atomic_store(&done, true);
	return unused;
}

START_TEST(revision_commits_and_records_are_of_one_moment)
{
	struct wb_stat stat;
	pthread_t thread;

	ck_assert(!pthread_create(&thread, NULL, commit_many, NULL));
	do {
		stat = shelf_stat(&shelf);
		ck_assert_uint_eq(stat.commits, stat.revision);
		ck_assert_uint_eq(stat.records, PUTS * stat.revision);
		/* Kind, "n", 0, six digits, "1". */
		ck_assert_uint_eq(stat.record_bytes, 10 * stat.records);
	} while (!atomic_load(&done));
	pthread_join(thread, NULL);
	ck_assert_uint_eq(shelf_stat(&shelf).revision, COMMITS);
}
END_TEST

/* ---- files ---- */

struct sums {
	uint64_t segments, bytes, file_bytes, last_revision;
	unsigned active;
};

static bool add_file(void *context, const struct wb_file_stat *file)
{
	struct sums *sums = context;

	ck_assert_uint_eq(file->file_bytes,
			  simdisk_size(shelf.disk, file->name));
	sums->file_bytes += file->file_bytes;
	if (strcmp(file->kind, "spare") == 0) {
		ck_text(file->state, "ready");
		return true;
	}
	ck_text(file->kind, "log");
	sums->segments++;
	ck_assert_uint_eq(file->id, sums->segments);
	ck_assert_uint_le(file->bytes, file->file_bytes);
	ck_assert_uint_eq(file->first_revision, sums->last_revision + 1);
	sums->bytes += file->bytes;
	sums->last_revision = file->last_revision;
	sums->active += strcmp(file->state, "active") == 0;
	return true;
}

static bool stop_at_once(void *context, const struct wb_file_stat *file)
{
	(void)file;
	++*(unsigned *)context;
	return false;
}

START_TEST(files_are_those_of_the_directory_and_add_up)
{
	struct sums sums = {0};
	unsigned visits = 0;
	struct wb_stat stat;

	while (shelf_stat(&shelf).segments < 4)
		shelf_put(&shelf, "a", "a value that takes some room in it");
	ck_ok(wb_store_files(shelf.store, add_file, &sums));
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(sums.segments, stat.segments);
	ck_assert_uint_eq(sums.bytes, stat.log_bytes);
	ck_assert_uint_eq(sums.file_bytes, stat.file_bytes);
	ck_assert_uint_eq(sums.last_revision, stat.revision);
	ck_assert_uint_eq(sums.active, 1);
	ck_ok(wb_store_files(shelf.store, stop_at_once, &visits));
	ck_assert_uint_eq(visits, 1);
}
END_TEST

START_TEST(a_stat_may_be_an_older_programs_or_a_newer_ones)
{
	struct {
		struct wb_stat known;
		uint64_t later;
	} stat;
	const struct wb_stat all = shelf_stat(&shelf);
	size_t short_of_views = offsetof(struct wb_stat, views);

	memset(&stat, 0xA5, sizeof(stat));
	stat.known.size = sizeof(stat);
	ck_ok(wb_store_stat(shelf.store, &stat.known));
	ck_assert_uint_eq(stat.known.size, sizeof(stat));
	ck_assert_uint_eq(stat.later, 0);
	stat.known.size = all.size;
	ck_assert_mem_eq(&stat.known, &all, sizeof(all));

	memset(&stat, 0xA5, sizeof(stat));
	stat.known.size = short_of_views;
	ck_ok(wb_store_stat(shelf.store, &stat.known));
	ck_assert_uint_eq(stat.known.size, short_of_views);
	ck_assert_uint_eq(stat.known.views, UINT64_C(0xA5A5A5A5A5A5A5A5));
	stat.known.size = all.size;
	ck_assert_mem_eq(&stat.known, &all, short_of_views);

	stat.known = (struct wb_stat){.size = sizeof(stat) - 1, .records = 77};
	ck_error(wb_store_stat(shelf.store, &stat.known), WB_USAGE);
	ck_assert_uint_eq(stat.known.records, 77);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stat");
	TCase *tcase = tcase_create("stat");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_new_store_is_empty);
	tcase_add_test(tcase, records_and_their_bytes_are_those_that_live);
	tcase_add_test(tcase, commits_and_groups_are_this_handles);
	tcase_add_test(tcase, views_and_what_they_pin_are_counted);
	tcase_add_test(tcase, revision_commits_and_records_are_of_one_moment);
	tcase_add_test(tcase, files_are_those_of_the_directory_and_add_up);
	tcase_add_test(tcase, a_stat_may_be_an_older_programs_or_a_newer_ones);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
