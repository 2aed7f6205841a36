/* SPDX-License-Identifier: Apache-2.0
 *
 * A history against chain values that were kept elsewhere: what was edited
 * since, cut off or put back shows, though the directory agrees with itself.
 *
 * The values that are kept come from tests/support/forge_history.c, which
 * computes them from the page alone.
 */
#include "audit/fsck.h"
#include "audit/verify.h"
#include "tests/support/forge.h"
#include "tests/support/forge_history.h"
#include "tests/support/tempdir.h"
#include "tests/support/volume.h"

#include <inttypes.h>

static struct shelf shelf;
static struct forged_chain kept;
static struct wb_audit_expected expected[FORGE_REVISIONS_MAX];
static struct wb_audit_verified verified;
static struct audit_summary summary;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

/* A commit of one key with a reason, which a forger may want to change. */
static void commit(const char *name, const char *value, const char *reason)
{
	struct wb_actor actor = {1000, 1000, 42, "painter"};
	struct wb_txn_options options = {.size = sizeof(options),
					 .actor = &actor,
					 .reason = text_of(reason)};
	struct wb_txn *txn;

	ck_ok(wb_txn_begin(shelf.store, &options, &txn, NULL));
	ck_ok(txn_put(txn, name, value));
	ck_ok(wb_txn_commit(txn, NULL));
}

enum { SEALED = 2, COMMITS = 40 };

/* Sealed segments, a cut one and the newest; 40 commits that say "yellow"
 * and "because". */
static void make_history(void)
{
	static char value[900];

	memset(value, 'x', sizeof(value) - 1);
	memcpy(value, "yellow", 6);
	for (unsigned at = 0; at < COMMITS; at++) {
		commit(at % 3 ? "wall" : "door", value, "because");
		simenv_advance(&shelf.env, 1000000000);
		if (at == COMMITS - 8) {
			shelf_kill(&shelf);
			ck_ok(shelf_open(&shelf));
		}
	}
	ck_ok(wb_store_mark(shelf.store));
	ck_assert_uint_gt(shelf_stat(&shelf).segments, SEALED + 1);
	volume_settle(&shelf);
	forge_chain(shelf.disk, &kept);
	ck_assert_uint_eq(kept.head, COMMITS);
}

/* All values that were kept, 0 to `head`. */
static size_t expect_all(uint64_t head)
{
	for (uint64_t at = 0; at <= head; at++) {
		expected[at].revision = at;
		memcpy(expected[at].chain, kept.at[at], WB_CHAIN_BYTES);
	}
	return head + 1;
}

static enum wb_error verify_disk(struct simdisk *disk, size_t count)
{
	struct audit_visitor findings = {.commit = NULL};
	struct dir *dir = simdisk_dir(disk);
	enum wb_error error = audit_verify(dir, 0, &findings, expected, count,
					   &summary, &verified);

	dir_close(dir);
	return error;
}

static void verify(size_t count)
{
	ck_ok(verify_disk(shelf.disk, count));
}

/* "hhdb?": one letter for each of the first `count` answers. */
static const char *answers(size_t count)
{
	static char letters[FORGE_REVISIONS_MAX + 1];

	for (size_t at = 0; at < count; at++)
		letters[at] = "?hdb"[expected[at].answer];
	letters[count] = 0;
	return letters;
}

static const char *times(char letter, size_t count)
{
	static char letters[2][FORGE_REVISIONS_MAX + 1];
	static unsigned next;
	char *to = letters[next++ % 2];

	memset(to, letter, count);
	to[count] = 0;
	return to;
}

static void expect_answers(size_t count, size_t hold, char rest)
{
	char line[FORGE_REVISIONS_MAX + 1];

	snprintf(line, sizeof(line), "%s%s", times('h', hold),
		 times(rest, count - hold));
	ck_assert_str_eq(answers(count), line);
}

static void expect_range(uint64_t first, uint64_t last)
{
	ck_assert_uint_eq(verified.differs_first, first);
	ck_assert_uint_eq(verified.differs_last, last);
}

/* ---- what was not touched ---- */

START_TEST(every_value_that_was_kept_holds)
{
	size_t count;

	make_history();
	count = expect_all(COMMITS);
	verify(count);
	expect_answers(count, count, 'd');
	expect_range(0, 0);
	ck_assert_uint_eq(verified.damages, 0);
	ck_assert_uint_eq(verified.commits, COMMITS);
	ck_assert_uint_eq(verified.revision, COMMITS);
	ck_assert_mem_eq(verified.chain, kept.at[COMMITS], WB_CHAIN_BYTES);
	ck_assert_uint_eq(verified.segments, summary.segments);
}
END_TEST

START_TEST(it_goes_on_holding_while_the_history_grows)
{
	size_t count;

	make_history();
	ck_ok(shelf_open(&shelf));
	for (unsigned at = 0; at < 30; at++)
		commit("roof", "red", "later");
	ck_ok(shelf_close(&shelf));
	count = expect_all(COMMITS);
	verify(count);
	expect_answers(count, count, 'd');
	ck_assert_uint_eq(verified.revision, COMMITS + 30);
}
END_TEST

START_TEST(the_head_names_the_store_and_its_epoch)
{
	struct wb_stat stat;

	make_history();
	ck_ok(shelf_open(&shelf));
	stat = shelf_stat(&shelf);
	ck_ok(shelf_close(&shelf));
	verify(0);
	ck_assert_mem_eq(verified.uuid, stat.uuid, sizeof(stat.uuid));
	ck_assert_uint_eq(verified.epoch, stat.epoch);
	ck_assert_uint_eq(verified.revision, stat.revision);
}
END_TEST

START_TEST(a_store_without_a_commit_has_a_head_too)
{
	volume_settle(&shelf);
	forge_chain(shelf.disk, &kept);
	verify(expect_all(0));
	ck_assert_str_eq(answers(1), "h");
	ck_assert_uint_eq(verified.revision, 0);
	ck_assert_mem_eq(verified.chain, kept.at[0], WB_CHAIN_BYTES);
	expected[0].chain[31] ^= 1;
	verify(1);
	ck_assert_str_eq(answers(1), "d");
}
END_TEST

START_TEST(one_bit_of_a_value_is_enough)
{
	make_history();
	for (uint64_t bit = 0; bit < 8 * WB_CHAIN_BYTES; bit++) {
		(void)expect_all(COMMITS);
		expected[17].chain[bit / 8] ^= (uint8_t)(1 << bit % 8);
		verify(18);
		expect_answers(18, 17, 'd');
		expect_range(17, 17);
	}
}
END_TEST

START_TEST(values_may_come_in_any_order_and_twice)
{
	static const uint64_t order[] = {9, 3, 40, 3, 0, 17, 50, 40};
	size_t count = sizeof(order) / sizeof(*order);

	make_history();
	for (size_t at = 0; at < count; at++) {
		expected[at].revision = order[at];
		memcpy(expected[at].chain,
		       kept.at[order[at] < COMMITS ? order[at] : COMMITS],
		       WB_CHAIN_BYTES);
	}
	expected[3].chain[0] ^= 1;
	verify(count);
	/* The second 3 lies before what holds: it is no edit, but a value of
	 * something else. */
	ck_assert_str_eq(answers(count), "hhhdhhbh");
	expect_range(0, 0);
}
END_TEST

/* ---- forgeries ---- */

static void count_finding(void *context, const struct audit_finding *finding,
			  const struct wb_finding_name *names, size_t count,
			  uint64_t more)
{
	(void)names;
	(void)count;
	(void)more;
	*(unsigned *)context += finding->severity > AUDIT_NOTE;
}

static unsigned fsck_findings(void)
{
	unsigned count = 0;
	struct fsck_visitor visitor = {.finding = count_finding,
				       .context = &count};
	struct dir *dir = simdisk_dir(shelf.disk);
	struct fsck_summary checked;

	ck_ok(audit_fsck(dir, &visitor, &checked));
	dir_close(dir);
	return count;
}

/* What a forger may want to change: a value, a reason, who it was. */
static const struct {
	const char *from, *to;
} edits[] = {
	{"yellow", "orange"},
	{"because", "perhaps"},
	{"painter", "printer"},
};

START_TEST(
	fault_75_a_history_edited_and_every_checksum_recomputed_is_caught_against_an_exported_head)
{
	uint64_t revision = (uint64_t)_i / 3 + 1;
	size_t count;

	make_history();
	ck_assert(forge_history(shelf.disk, revision, edits[_i % 3].from,
				edits[_i % 3].to));
	/* The directory alone does not show it: that is the limit. */
	verify(0);
	ck_assert_uint_eq(verified.damages, 0);
	ck_assert_uint_eq(verified.warnings, 0);
	expect_range(0, 0);
	ck_assert_uint_eq(fsck_findings(), 0);

	/* Each head that was exported before the edit holds, each one since
	 * then does not; together they say which commit it was. */
	count = expect_all(COMMITS);
	verify(count);
	expect_answers(count, revision, 'd');
	expect_range(revision, revision);
	/* One alone says that it was not later. */
	expected[0] = expected[COMMITS];
	verify(1);
	ck_assert_str_eq(answers(1), "d");
	expect_range(1, COMMITS);
	/* And it opens as if nothing had happened. */
	ck_ok(shelf_open(&shelf));
}
END_TEST

START_TEST(heads_that_were_exported_now_and_then_enclose_the_edit)
{
	static const uint64_t heads[] = {8, 16, 24, 32, 40};

	make_history();
	ck_assert(forge_history(shelf.disk, 19, "yellow", "orange"));
	for (size_t at = 0; at < 5; at++) {
		expected[at].revision = heads[at];
		memcpy(expected[at].chain, kept.at[heads[at]], WB_CHAIN_BYTES);
	}
	verify(5);
	ck_assert_str_eq(answers(5), "hhddd");
	expect_range(17, 24);
}
END_TEST

START_TEST(a_directory_that_was_put_back_misses_its_later_commits)
{
	struct simdisk *earlier;
	size_t count;

	make_history();
	earlier = simdisk_clone(shelf.disk);
	ck_ok(shelf_open(&shelf));
	for (unsigned at = 0; at < 3; at++)
		commit("roof", "red", "later");
	ck_ok(shelf_close(&shelf));
	forge_chain(shelf.disk, &kept);
	count = expect_all(COMMITS + 3);
	verify(count);
	expect_answers(count, count, 'b');
	ck_ok(verify_disk(earlier, count));
	expect_answers(count, count - 3, 'b');
	expect_range(0, 0);
	ck_assert_uint_eq(verified.damages, 0);
	simdisk_free(earlier);
}
END_TEST

START_TEST(the_head_of_another_store_is_not_of_this_one)
{
	make_history();
	tear_down();
	shelf_init(&shelf, 2);
	ck_ok(shelf_open(&shelf));
	commit("wall", "yellow", "because");
	volume_settle(&shelf);
	verify(expect_all(1));
	ck_assert_str_eq(answers(2), "dd");
}
END_TEST

/* ---- forgeries that were not finished ---- */

static uint64_t last_sealed_revision(uint64_t id)
{
	uint64_t revision = 0;

	simdisk_get(shelf.disk, volume_path(id), &revision, 8,
		    volume_footer(&shelf, id) + 48 + 8);
	return revision;
}

START_TEST(an_edit_that_the_log_still_records_is_damage_and_enclosed)
{
	uint64_t end = 0, first, last;
	size_t count;

	make_history();
	first = last_sealed_revision(1) + 1;
	last = last_sealed_revision(2);
	ck_assert_uint_lt(first, last);
	ck_assert(forge_commit(shelf.disk, first + 1, "yellow", "orange"));
	verify(0);
	ck_assert_uint_gt(verified.damages, 0);
	expect_range(first, last);
	/* What was kept says it better, and both say it best. */
	count = expect_all(first + 4);
	verify(count);
	expect_answers(count, first + 1, 'd');
	expect_range(first + 1, first + 1);
	end = first + 4;
	expected[0] = expected[end];
	verify(1);
	expect_range(1, end);
}
END_TEST

START_TEST(a_record_that_is_wrong_is_no_edit_of_a_commit)
{
	uint8_t nonsense[WB_CHAIN_BYTES] = {1, 2, 3};
	uint64_t last;

	make_history();
	last = last_sealed_revision(1);
	forge_frame(shelf.disk, volume_path(1), volume_footer(&shelf, 1),
		    48 + 40, nonsense, sizeof(nonsense));
	verify(0);
	ck_assert_uint_eq(verified.damages, 1);
	/* By the log alone it cannot be told which of the two is wrong. */
	expect_range(1, last);
	/* By a value that holds it can. */
	(void)expect_all(COMMITS);
	expected[0] = expected[last];
	verify(1);
	ck_assert_str_eq(answers(1), "h");
	expect_range(0, 0);
	ck_assert_uint_eq(verified.damages, 1);
	/* And one from the middle clears what lies before it. */
	(void)expect_all(COMMITS);
	expected[0] = expected[2];
	verify(1);
	expect_range(3, last);
}
END_TEST

/* ---- damage ---- */

START_TEST(what_lies_behind_damage_is_not_known)
{
	uint64_t head;
	size_t count;

	make_history();
	volume_spoil(&shelf, volume_path(2), volume_frame(&shelf, 2, 1) + 60);
	head = last_sealed_revision(1) + 1;
	count = expect_all(COMMITS);
	verify(count);
	expect_answers(count, head + 1, '?');
	ck_assert_uint_gt(verified.damages, 0);
	ck_assert_uint_eq(verified.revision, head);
	expect_range(0, 0);
}
END_TEST

START_TEST(a_torn_end_is_a_warning_and_the_rest_holds)
{
	uint64_t end;
	uint8_t debris[100];
	size_t count;

	make_history();
	verify(0);
	end = summary.end;
	memset(debris, 0xee, sizeof(debris));
	simdisk_set(shelf.disk, volume_path(summary.active_id), debris,
		    sizeof(debris), end);
	count = expect_all(COMMITS);
	verify(count);
	expect_answers(count, count, 'd');
	ck_assert_uint_eq(verified.damages, 0);
	ck_assert_uint_eq(verified.warnings, 1);
}
END_TEST

/* ---- itself ---- */

START_TEST(what_the_disk_gives_at_the_second_try_is_no_damage)
{
	uint64_t nth = 1, fired;

	make_history();
	do {
		simdisk_fault(shelf.disk,
			      (struct sim_fault){SIM_READ, nth++, WB_IO, false,
						 false, NULL});
		verify(expect_all(COMMITS));
		fired = simdisk_faults_fired(shelf.disk);
		simdisk_faults_clear(shelf.disk);
		ck_assert_uint_eq(verified.unreadable, verified.damages);
		if (verified.damages == 0)
			expect_answers(COMMITS + 1, COMMITS + 1, 'd');
	} while (fired);
	ck_assert_uint_eq(verified.damages, 0);
	ck_assert_uint_gt(nth, 10);
}
END_TEST

START_TEST(behind_a_page_that_cannot_be_read_it_goes_on)
{
	make_history();
	simdisk_bad(shelf.disk, volume_path(1), volume_frame(&shelf, 1, 1), 1);
	verify(expect_all(COMMITS));
	ck_assert_uint_gt(verified.unreadable, 0);
	ck_assert_uint_gt(verified.segments, 1);
	ck_assert_uint_gt(verified.commits, 0);
	ck_assert_uint_eq(verified.revision, 0);
}
END_TEST

START_TEST(nothing_is_changed)
{
	uint64_t hash;

	make_history();
	hash = simdisk_hash(shelf.disk);
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_ANY_CHANGE, 1, WB_IO,
						     true, false, NULL});
	verify(expect_all(COMMITS));
	ck_assert_uint_eq(simdisk_faults_fired(shelf.disk), 0);
	ck_assert_uint_eq(simdisk_hash(shelf.disk), hash);
}
END_TEST

/* ---- on a real directory ---- */

static char *directory;
static char said[2000];

static void hear(void *context, enum wb_severity severity, const char *line)
{
	(void)context;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%d %s\n",
		 (int)severity, line);
}

static struct wb_text text;

static enum wb_error verify_directory(size_t count)
{
	struct wb_audit_options options = {.size = sizeof(options),
					   .flags = WB_OPEN_ANY_FILESYSTEM,
					   .report = hear};

	*said = 0;
	text.text[0] = 0;
	verified = (struct wb_audit_verified){.size = sizeof(verified)};
	return wb_audit_verify(directory, &options, expected, count, &verified,
			       &text);
}

static void set_up_directory(void)
{
	set_up();
	directory = tempdir_make();
	make_history();
}

static void tear_down_directory(void)
{
	tempdir_remove(directory);
	tear_down();
}

START_TEST(a_directory_is_verified_as_it_is)
{
	size_t count = expect_all(COMMITS);

	ck_assert(forge_history(shelf.disk, 40, "yellow", "orange"));
	simdisk_export(shelf.disk, directory);
	ck_ok(verify_directory(count));
	expect_answers(count, count - 1, 'd');
	expect_range(40, 40);
	ck_assert_uint_eq(verified.size, sizeof(verified));
	ck_assert_uint_eq(verified.revision, COMMITS);
	ck_assert(!strstr(said, "2 "));
}
END_TEST

START_TEST(damage_is_told_with_file_offset_and_revision)
{
	uint64_t frame = volume_frame(&shelf, 1, 2);
	char line[200];

	volume_spoil(&shelf, volume_path(1), frame + 60);
	simdisk_export(shelf.disk, directory);
	ck_ok(verify_directory(0));
	ck_assert_uint_eq(verified.damages, 1);
	snprintf(line, sizeof(line),
		 "2 0000000000000001.log: offset %" PRIu64
		 ": a frame that was durable does not verify: does not verify, "
		 "revision 3\n",
		 frame);
	ck_assert_str_eq(said, line);
}
END_TEST

START_TEST(what_is_no_store_is_not_verified)
{
	ck_error(verify_directory(0), WB_NOT_A_STORE);
	ck_assert_str_eq(text.text, "no waybill store");
	ck_assert_uint_eq(verified.revision, 0);
	ck_error(wb_audit_verify("/nowhere/at/all", NULL, NULL, 0, &verified,
				 &text),
		 WB_NOT_A_STORE);
	ck_assert_str_eq(text.text, "no such directory");
}
END_TEST

START_TEST(a_store_that_is_written_is_locked)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = WB_OPEN_ANY_FILESYSTEM,
					  .report = hear};
	struct wb_store *store;

	simdisk_export(shelf.disk, directory);
	ck_ok(wb_store_open(directory, &options, &store, NULL));
	ck_error(verify_directory(0), WB_LOCKED);
	ck_assert_msg(strstr(text.text, "held by process "), "%s", text.text);
	ck_ok(wb_store_close(store));
	ck_ok(verify_directory(0));
	/* Readers do not mind. */
	options.flags |= WB_OPEN_READ_ONLY;
	ck_ok(wb_store_open(directory, &options, &store, NULL));
	ck_ok(verify_directory(0));
	ck_ok(wb_store_close(store));
}
END_TEST

START_TEST(what_a_newer_version_wrote_is_refused)
{
	const uint32_t version = 2;

	forge_header(shelf.disk, volume_path(1), 16, &version, 4);
	simdisk_export(shelf.disk, directory);
	ck_error(verify_directory(0), WB_UNSUPPORTED);
	ck_assert_msg(strstr(text.text, "a newer version wrote this segment"),
		      "%s", text.text);
}
END_TEST

START_TEST(a_struct_of_no_size_is_refused)
{
	struct wb_audit_options options = {.size = 1};

	simdisk_export(shelf.disk, directory);
	verified.size = sizeof(verified);
	ck_error(wb_audit_verify(directory, &options, NULL, 0, &verified, NULL),
		 WB_USAGE);
	verified.size = 1;
	ck_error(wb_audit_verify(directory, NULL, NULL, 0, &verified, NULL),
		 WB_USAGE);
}
END_TEST

static TCase *on_a_directory(void)
{
	TCase *tcase = tcase_create("directory");

	tcase_add_checked_fixture(tcase, set_up_directory, tear_down_directory);
	tcase_add_test(tcase, a_directory_is_verified_as_it_is);
	tcase_add_test(tcase, damage_is_told_with_file_offset_and_revision);
	tcase_add_test(tcase, what_is_no_store_is_not_verified);
	tcase_add_test(tcase, a_store_that_is_written_is_locked);
	tcase_add_test(tcase, what_a_newer_version_wrote_is_refused);
	tcase_add_test(tcase, a_struct_of_no_size_is_refused);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("verify");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, every_value_that_was_kept_holds);
	tcase_add_test(tcase, it_goes_on_holding_while_the_history_grows);
	tcase_add_test(tcase, the_head_names_the_store_and_its_epoch);
	tcase_add_test(tcase, a_store_without_a_commit_has_a_head_too);
	tcase_add_test(tcase, one_bit_of_a_value_is_enough);
	tcase_add_test(tcase, values_may_come_in_any_order_and_twice);
	tcase_add_loop_test(
		tcase,
		fault_75_a_history_edited_and_every_checksum_recomputed_is_caught_against_an_exported_head,
		0, 3 * COMMITS);
	tcase_add_test(tcase,
		       heads_that_were_exported_now_and_then_enclose_the_edit);
	tcase_add_test(tcase,
		       a_directory_that_was_put_back_misses_its_later_commits);
	tcase_add_test(tcase, the_head_of_another_store_is_not_of_this_one);
	tcase_add_test(
		tcase,
		an_edit_that_the_log_still_records_is_damage_and_enclosed);
	tcase_add_test(tcase, a_record_that_is_wrong_is_no_edit_of_a_commit);
	tcase_add_test(tcase, what_lies_behind_damage_is_not_known);
	tcase_add_test(tcase, a_torn_end_is_a_warning_and_the_rest_holds);
	tcase_add_test(tcase,
		       what_the_disk_gives_at_the_second_try_is_no_damage);
	tcase_add_test(tcase, behind_a_page_that_cannot_be_read_it_goes_on);
	tcase_add_test(tcase, nothing_is_changed);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, on_a_directory());
	return suite_run(suite);
}
