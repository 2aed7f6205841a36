/* SPDX-License-Identifier: Apache-2.0
 *
 * Commits from elsewhere: what they keep, and what they become.
 */
#include "store/import.h"

#include "audit/reader.h"
#include "tests/support/annals.h"

#include <inttypes.h>

static struct shelf shelf;

static void set_up(void)
{
	shelf_init(&shelf, 1);
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

static const uint8_t some_uuid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void open_new(const uint8_t *uuid)
{
	ck_ok(store_import_open(simdisk_dir(shelf.disk), &shelf.env.env,
				&shelf.options, uuid, &shelf.store, NULL));
}

static struct store_change put_of(const char *name, const char *value)
{
	return (struct store_change){.key = named(name),
				     .value = text_of(value)};
}

static struct store_ticket import(const struct store_commit *commit,
				  const struct store_change *changes)
{
	struct store_ticket ticket;
	size_t failed = 99;

	ck_ok(store_import(shelf.store, commit, changes, &ticket, &failed));
	ck_assert_uint_eq(failed, 99);
	return ticket;
}

/* ---- what it keeps ---- */

static bool check_version(void *context, const struct wb_version *version)
{
	unsigned *visits = context;

	++*visits;
	ck_assert_int_eq(version->record.time_ns, 123456789);
	ck_assert_uint_eq(version->record.revision, 1);
	ck_assert_uint_eq(version->actor.uid, 7);
	ck_assert_uint_eq(version->actor.gid, 8);
	ck_assert_int_eq(version->actor.pid, -9);
	ck_assert_str_eq(version->actor.command, "then");
	ck_assert_uint_eq(version->reason.size, 7);
	ck_assert_mem_eq(version->reason.data, "because", 7);
	ck_assert_mem_eq(version->operation_id.data, "id", 2);
	return true;
}

START_TEST(a_commit_keeps_its_head)
{
	const struct store_change change = put_of("a", "1");
	struct store_commit commit = {
		.time_ns = 123456789,
		.uid = 7,
		.gid = 8,
		.pid = -9,
		.command = text_of("then"),
		.reason = text_of("because"),
		.operation_ns = text_of("n"),
		.operation_id = text_of("id"),
		.request_hash = 10,
		.changes = 1,
	};
	struct wb_key key = named("a");
	struct store_ticket ticket;
	unsigned visits = 0;
	uint64_t revision;

	open_new(some_uuid);
	ticket = import(&commit, &change);
	ck_assert_uint_eq(ticket.revision, 1);
	ck_ok(store_wait(shelf.store, &ticket));
	ck_text(shelf_text(&shelf, "a"), "1");
	ck_ok(wb_history(shelf.store, &key, 0, 0, check_version, &visits));
	ck_assert_uint_eq(visits, 1);
	ck_ok(wb_revision_at(shelf.store, 123456789, &revision));
	ck_assert_uint_eq(revision, 1);
	ck_assert_mem_eq(shelf_stat(&shelf).uuid, some_uuid, 16);
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	ck_assert_mem_eq(shelf_stat(&shelf).uuid, some_uuid, 16);
	ck_ok(wb_history(shelf.store, &key, 0, 0, check_version, &visits));
	ck_assert_uint_eq(visits, 2);
}
END_TEST

START_TEST(uuid_and_epoch_are_drawn_unless_given)
{
	struct wb_stat one, two;

	open_new(NULL);
	one = shelf_stat(&shelf);
	ck_ok(shelf_close(&shelf));
	simdisk_free(shelf.disk);
	shelf.disk = simdisk_new();
	open_new(one.uuid);
	two = shelf_stat(&shelf);
	ck_assert_mem_eq(one.uuid, two.uuid, 16);
	ck_assert_uint_ne(one.epoch, two.epoch);
	ck_ok(shelf_close(&shelf));
	simdisk_free(shelf.disk);
	shelf.disk = simdisk_new();
	open_new(NULL);
	two = shelf_stat(&shelf);
	ck_assert_mem_ne(one.uuid, two.uuid, 16);
}
END_TEST

/* ---- whole histories ---- */

struct copying {
	struct wb_store *to;
};

static enum wb_error copy_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct copying *copying = context;
	struct store_change *changes =
		calloc(commit->mutation_count, sizeof(*changes));
	struct store_commit import_of = {
		.time_ns = commit->time_ns,
		.uid = commit->uid,
		.gid = commit->gid,
		.pid = commit->pid,
		.command = commit->command,
		.reason = commit->reason,
		.operation_ns = commit->operation_ns,
		.operation_id = commit->operation_id,
		.request_hash = commit->request_hash,
		.changes = commit->mutation_count,
	};
	struct store_ticket ticket;

	ck_assert(place->whole);
	for (size_t at = 0; at < commit->mutation_count; at++)
		changes[at] = (struct store_change){
			.key = commit->mutations[at].key,
			.value = commit->mutations[at].value,
			.deleted = commit->mutations[at].deleted,
		};
	ck_ok(store_import(copying->to, &import_of, changes, &ticket, NULL));
	ck_assert_uint_eq(ticket.revision, commit->revision);
	free(changes);
	return WB_OK;
}

static struct audit_summary summary_of(struct simdisk *disk,
				       const struct audit_visitor *visitor)
{
	struct dir *dir = simdisk_dir(disk);
	struct audit_summary summary;

	ck_ok(audit_read(dir, AUDIT_READ_ENTRIES, visitor, &summary));
	ck_assert_uint_eq(summary.findings[AUDIT_DAMAGE], 0);
	dir_close(dir);
	return summary;
}

START_TEST(a_history_that_is_brought_whole_is_the_same_to_the_byte)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		static const struct audit_visitor nobody;
		struct copying copying = {.to = NULL};
		struct audit_visitor visitor = {.commit = copy_commit,
						.context = &copying};
		struct annals annals;
		struct audit_summary from, to;
		struct simdisk *end;

		annals_make(&annals, seed, 30);
		end = annals_end(&annals);
		from = summary_of(end, &nobody);
		open_new(from.uuid);
		copying.to = shelf.store;
		(void)summary_of(end, &visitor);
		ck_ok(store_flush(shelf.store));
		to = summary_of(shelf.disk, &nobody);
		ck_assert_uint_eq(from.head, to.head);
		ck_assert_mem_eq(from.chain, to.chain, AUDIT_CHAIN_BYTES);
		simdisk_free(end);
		annals_release(&annals);
		tear_down();
		set_up();
	}
}
END_TEST

/* ---- what a store would refuse by itself ---- */

START_TEST(a_deletion_of_what_is_not_there_is_kept)
{
	struct store_change change = put_of("a", "");
	struct store_commit commit = {.changes = 1};
	static const struct audit_visitor nobody;
	struct store_ticket ticket;

	change.deleted = true;
	open_new(NULL);
	import(&commit, &change);
	change = put_of("b", "1");
	ticket = import(&commit, &change);
	ck_ok(store_wait(shelf.store, &ticket));
	ck_text(shelf_listing(&shelf), "b=1");
	ck_assert_uint_eq(summary_of(shelf.disk, &nobody).mutations, 2);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "b=1");
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 2);
}
END_TEST

START_TEST(an_operation_id_may_come_twice_and_the_newer_counts)
{
	struct wb_txn_options options = {
		.size = sizeof(options),
		.operation_ns = text_of("n"),
		.operation_id = text_of("id"),
		.request_hash = 2,
	};
	struct wb_actor actor = {.uid = 7};
	struct store_change change = put_of("a", "1");
	struct store_commit commit = {
		.time_ns = env_wall_ns(&shelf.env.env),
		.uid = 7,
		.operation_ns = text_of("n"),
		.operation_id = text_of("id"),
		.request_hash = 1,
		.changes = 1,
	};
	struct wb_outcome replayed;
	struct wb_txn *txn;

	open_new(NULL);
	import(&commit, &change);
	commit.request_hash = 2;
	import(&commit, &change);
	ck_ok(store_flush(shelf.store));
	options.actor = &actor;
	ck_ok(wb_txn_begin(shelf.store, &options, &txn, &replayed));
	ck_assert_ptr_null(txn);
	ck_assert(replayed.replayed);
	ck_assert_uint_eq(replayed.revision, 2);
}
END_TEST

enum { NONE = 99 };

static void check_refused(const struct store_commit *commit,
			  const struct store_change *changes,
			  enum wb_error expected, size_t expected_change)
{
	struct store_ticket ticket = {77, 77};
	size_t failed = NONE;

	ck_error(store_import(shelf.store, commit, changes, &ticket, &failed),
		 expected);
	ck_assert_uint_eq(failed, expected_change);
	ck_assert_uint_eq(ticket.revision, 77);
}

START_TEST(what_no_reader_would_take_is_refused)
{
	static const char long_text[5000] = {1};
	struct store_change changes[2] = {put_of("a", "1"), put_of("a", "2")};
	struct store_commit commit = {.changes = 2};
	struct store_ticket ticket;

	open_new(NULL);
	check_refused(&commit, changes, WB_USAGE, 1); /* a key twice */
	changes[1].key.name.size = 0;
	check_refused(&commit, changes, WB_BAD_INPUT, 1);
	commit.changes = 0;
	check_refused(&commit, changes, WB_USAGE, NONE);
	commit.changes = 1;
	commit.command = (struct wb_bytes){long_text, 65};
	check_refused(&commit, changes, WB_BAD_INPUT, NONE);
	commit.command.size = 64;
	commit.reason = (struct wb_bytes){long_text, 4097};
	check_refused(&commit, changes, WB_BAD_INPUT, NONE);
	commit.reason.size = 4096;
	commit.operation_ns = (struct wb_bytes){long_text, 77};
	check_refused(&commit, changes, WB_BAD_INPUT, NONE);
	commit.operation_ns.size = 76;
	commit.operation_id = (struct wb_bytes){long_text, 129};
	check_refused(&commit, changes, WB_BAD_INPUT, NONE);
	commit.operation_id.size = 128;
	changes[0].key.name.size = 0;
	check_refused(&commit, changes, WB_BAD_INPUT, 0);
	changes[0] = put_of("a", "1");
	ticket = import(&commit, changes);
	ck_assert_uint_eq(ticket.revision, 1);
	ck_ok(store_wait(shelf.store, &ticket));
	/* All of it is read again. */
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

/* An Update takes 16 MiB; the format knows 64 KiB more. */
START_TEST(the_largest_commit_of_the_format_can_be_imported)
{
	static char value[(16 << 20) + 60000];
	struct store_change change = {
		.key = named("a"),
		.value = {value, sizeof(value)},
	};
	struct store_commit commit = {.changes = 1};
	static const struct audit_visitor nobody;
	struct store_ticket ticket;

	open_new(NULL);
	ticket = import(&commit, &change);
	ck_ok(store_wait(shelf.store, &ticket));
	ck_assert_uint_eq(summary_of(shelf.disk, &nobody).head, 1);
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).record_bytes, sizeof(value) + 4);
	change.value.size += 64 << 10;
	check_refused(&commit, &change, WB_TOO_LARGE, 0);
}
END_TEST

START_TEST(what_became_void_shows_in_the_next_ticket)
{
	struct store_change change = put_of("a", "1");
	struct store_commit commit = {.changes = 1};
	struct store_ticket first, second, last = {0};

	open_new(NULL);
	first = import(&commit, &change);
	ck_ok(store_import_follow(shelf.store, &last, &first));
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_WRITE, 1, WB_NO_SPACE,
						     true, false, NULL});
	ck_error(store_flush(shelf.store), WB_NO_SPACE);
	simdisk_faults_clear(shelf.disk);
	second = import(&commit, &change);
	ck_assert_uint_eq(second.revision, first.revision);
	ck_error(store_wait(shelf.store, &first), WB_NO_SPACE);
	ck_error(store_import_follow(shelf.store, &last, &second), WB_NO_SPACE);
	ck_assert_uint_eq(last.round, first.round);
}
END_TEST

/* ---- a store in the making ---- */

/* Several segments, behind a veil; closed. */
static void make_behind(struct dir *dir)
{
	char value[6000] = {0};
	struct store_change change = put_of("a", "");
	struct store_commit commit = {.changes = 1};
	struct store_ticket ticket;
	struct veil veil;

	change.value = (struct wb_bytes){value, sizeof(value)};
	store_import_veil(&veil, dir);
	ck_ok(store_import_open(&veil.dir, &shelf.env.env, &shelf.options, NULL,
				&shelf.store, NULL));
	for (unsigned at = 0; at < 30; at++) {
		ticket = import(&commit, &change);
		ck_ok(store_wait(shelf.store, &ticket));
	}
	ck_assert_uint_gt(shelf_stat(&shelf).segments, 3);
	ck_ok(shelf_close(&shelf));
}

START_TEST(it_is_no_store_before_it_is_finished)
{
	struct dir *dir = simdisk_dir(shelf.disk);
	struct simdisk *cut;

	shelf.options.segment_bytes = 16u << 10;
	shelf.options.flags = 0;
	ck_ok(store_import_check(dir, &shelf.text));
	make_behind(dir);
	ck_error(shelf_open(&shelf), WB_CORRUPT);
	ck_error(store_import_check(dir, &shelf.text), WB_EXISTS);
	ck_assert_ptr_nonnull(strstr(shelf.text.text, "anchor.unfinished"));
	ck_ok(store_import_finish(dir));
	dir_close(dir);
	cut = simdisk_crash(shelf.disk,
			    (struct sim_crash){SIM_KEEP_NOTHING, 0});
	simdisk_free(shelf.disk);
	shelf.disk = cut;
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 30);
}
END_TEST

START_TEST(what_is_removed_is_gone_and_can_be_begun_again)
{
	struct dir *dir = simdisk_dir(shelf.disk);

	shelf.options.segment_bytes = 16u << 10;
	for (unsigned times = 0; times < 4; times++) {
		ck_ok(store_import_check(dir, &shelf.text));
		make_behind(dir);
		if (times % 2)
			ck_ok(store_import_finish(dir));
		ck_assert_uint_gt(shelf_files(shelf.disk), 3);
		store_import_remove(dir);
		ck_assert_uint_eq(shelf_files(shelf.disk), 0);
	}
	dir_close(dir);
	shelf.options.flags = 0;
	ck_error(shelf_open(&shelf), WB_NOT_A_STORE);
}
END_TEST

START_TEST(only_an_empty_directory_may_be_filled)
{
	struct dir *dir = simdisk_dir(shelf.disk);
	struct file *file;
	uint64_t before;

	ck_ok(shelf_open(&shelf));
	ck_ok(shelf_close(&shelf));
	before = simdisk_hash(shelf.disk);
	ck_error(store_import_check(dir, &shelf.text), WB_EXISTS);
	ck_text(shelf.text.text, "a store is there");
	ck_assert(simdisk_hash(shelf.disk) == before);
	store_import_remove(dir);
	ck_ok(store_import_check(dir, &shelf.text));
	ck_ok(dir_open(dir, "letters", FILE_CREATE, &file));
	file_close(file);
	ck_error(store_import_check(dir, &shelf.text), WB_NOT_A_STORE);
	ck_assert_ptr_nonnull(strstr(shelf.text.text, "(letters)"));
	dir_close(dir);
}
END_TEST

/* ---- the mark of a salvage ---- */

START_TEST(gc_blocked_shows_in_stat_and_is_not_for_users)
{
	struct store_change change = {.key = store_gc_blocked_key,
				      .value = text_of("why")};
	struct store_commit commit = {.changes = 1};
	struct store_ticket ticket;
	struct wb_record record;
	struct wb_txn *txn;
	char value[8];

	open_new(NULL);
	shelf_put(&shelf, "a", "1");
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 0);
	ticket = import(&commit, &change);
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 0);
	ck_ok(store_wait(shelf.store, &ticket));
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 2);
	shelf_put(&shelf, "a", "2");
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 2);
	ck_ok(wb_get(shelf.store, &store_gc_blocked_key, value, sizeof(value),
		     &record));
	ck_assert_mem_eq(value, "why", 3);
	txn = shelf_begin(&shelf);
	ck_error(wb_txn_delete(txn, &store_gc_blocked_key, if_any), WB_USAGE);
	ck_ok(wb_txn_abort(txn));
}
END_TEST

static void import_mark(const char *ns, const char *name, bool deleted)
{
	struct store_change change = {
		.key = {WB_KIND_GC_BLOCKED, text_of(ns), text_of(name)},
		.value = text_of(deleted ? "" : "why"),
		.deleted = deleted,
	};
	struct store_commit commit = {.changes = 1};
	struct store_ticket ticket = import(&commit, &change);

	ck_ok(store_wait(shelf.store, &ticket));
}

START_TEST(any_mark_blocks_whatever_its_name)
{
	open_new(NULL);
	import_mark("", "other", false);
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 1);
	import_mark("", "salvage", false);
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 2);
	import_mark("n", "third", false);
	for (unsigned open = 0; open < 2; open++) {
		ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 3);
		shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
	}
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 3);
	ck_ok(shelf_close(&shelf));
}
END_TEST

/* More than a batch of them, and one that alone is larger. */
START_TEST(the_newest_of_many_marks_is_told)
{
	static char value[20000];
	struct store_change change = {
		.key = {WB_KIND_GC_BLOCKED, text_of(""), text_of("a")},
		.value = {value, sizeof(value)},
	};
	struct store_commit commit = {.changes = 1};
	struct store_ticket ticket;
	char name[32];

	open_new(NULL);
	for (unsigned at = 0; at < 100; at++) {
		snprintf(name, sizeof(name), "mark %u", (at * 37) % 100);
		import_mark("", name, false);
	}
	ticket = import(&commit, &change);
	ck_ok(store_wait(shelf.store, &ticket));
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 101);
	import_mark("", "a", true);
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 100);
	for (unsigned at = 0; at < 100; at++) {
		snprintf(name, sizeof(name), "mark %u", at);
		import_mark("", name, true);
	}
	ck_assert_uint_eq(shelf_stat(&shelf).gc_blocked, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("import");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_commit_keeps_its_head);
	tcase_add_test(tcase, uuid_and_epoch_are_drawn_unless_given);
	tcase_add_test(tcase,
		       a_history_that_is_brought_whole_is_the_same_to_the_byte);
	tcase_add_test(tcase, a_deletion_of_what_is_not_there_is_kept);
	tcase_add_test(tcase,
		       an_operation_id_may_come_twice_and_the_newer_counts);
	tcase_add_test(tcase, what_no_reader_would_take_is_refused);
	tcase_add_test(tcase, the_largest_commit_of_the_format_can_be_imported);
	tcase_add_test(tcase, what_became_void_shows_in_the_next_ticket);
	tcase_add_test(tcase, it_is_no_store_before_it_is_finished);
	tcase_add_test(tcase, what_is_removed_is_gone_and_can_be_begun_again);
	tcase_add_test(tcase, only_an_empty_directory_may_be_filled);
	tcase_add_test(tcase, any_mark_blocks_whatever_its_name);
	tcase_add_test(tcase, the_newest_of_many_marks_is_told);
	tcase_add_test(tcase, gc_blocked_shows_in_stat_and_is_not_for_users);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
