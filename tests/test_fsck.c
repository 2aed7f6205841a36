/* SPDX-License-Identifier: Apache-2.0
 *
 * What fsck says of a store: the place of what is wrong, the revisions and the
 * names that it affects, and how well these are known.
 */
#include "audit/fsck.h"
#include "tests/support/forge.h"
#include "tests/support/volume.h"

#include <inttypes.h>

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

struct seen {
	struct fsck_summary summary;
	char words[1000]; /* "frame@2:big?" for each; "?": probably */
	uint64_t rules[AUDIT_RULE_COUNT];
	enum audit_remedy remedies[AUDIT_RULE_COUNT]; /* the last one's */
	char what[120];				      /* of FLOOR */
};

static void add(struct seen *seen, const char *word)
{
	size_t used = strlen(seen->words);

	snprintf(seen->words + used, sizeof(seen->words) - used, "%s%s",
		 used && word[0] != ' ' && seen->words[used - 1] != ' ' ? " "
									: "",
		 word);
}

static void take(void *context, const struct audit_finding *finding,
		 const struct wb_finding_name *names, size_t count,
		 uint64_t more)
{
	struct seen *seen = context;
	char word[200];

	seen->rules[finding->rule]++;
	seen->remedies[finding->rule] = finding->remedy;
	if (finding->rule == AUDIT_RULE_FLOOR)
		snprintf(seen->what, sizeof(seen->what), "%s", finding->what);
	if (finding->severity == AUDIT_NOTE)
		return;
	snprintf(word, sizeof(word), "%s", audit_rule_code(finding->rule));
	add(seen, word);
	for (size_t at = 0; at < count; at++) {
		snprintf(word, sizeof(word), "%" PRIu64 ":%.*s%s",
			 names[at].revision, (int)names[at].key.name.size,
			 (const char *)names[at].key.name.data,
			 names[at].exact ? "" : "?");
		add(seen, word);
	}
	if (more > 0)
		add(seen, "more");
}

static struct seen *check(void)
{
	static struct seen seen;
	struct fsck_visitor visitor = {.finding = take, .context = &seen};
	struct dir *dir = simdisk_dir(shelf.disk);

	seen = (struct seen){.words = ""};
	ck_ok(audit_fsck(dir, &visitor, &seen.summary));
	dir_close(dir);
	return &seen;
}

static void spoil_frame(uint64_t id, unsigned number, uint64_t at)
{
	volume_spoil(&shelf, volume_path(id),
		     volume_frame(&shelf, id, number) + at);
}

/* The name in a commit's payload, "big" or "large" of namespace "n". */
static uint64_t name_in(uint64_t id, unsigned number)
{
	uint64_t frame = volume_frame(&shelf, id, number);
	uint8_t bytes[200];

	simdisk_get(shelf.disk, volume_path(id), bytes, sizeof(bytes), frame);
	for (unsigned at = 48; at + 2 < sizeof(bytes); at++)
		if (bytes[at] == 'n' && bytes[at + 1] == 0x1a)
			return at + 3;
	ck_abort_msg("no name in the frame");
	return 0;
}

/* ---- sound stores ---- */

START_TEST(a_sound_store_has_no_findings)
{
	struct seen *seen;

	volume_make(&shelf);
	seen = check();
	ck_assert_str_eq(seen->words, "");
	ck_assert_uint_eq(seen->summary.revisions_lost, 0);
	ck_assert_int_eq(seen->summary.log.verdict, AUDIT_CLEAN);
}
END_TEST

START_TEST(files_aside_are_notes)
{
	struct seen *seen;

	volume_make(&shelf);
	simdisk_copy(shelf.disk, "torn/x", shelf.disk, "anchor");
	simdisk_copy(shelf.disk, "tmp/y", shelf.disk, "anchor");
	seen = check();
	ck_assert_str_eq(seen->words, "");
	ck_assert_uint_ge(seen->rules[AUDIT_RULE_KEPT], 1);
	ck_assert_uint_ge(seen->rules[AUDIT_RULE_TEMPORARY], 1);
}
END_TEST

/* ---- names ---- */

START_TEST(a_footer_proves_the_name_in_a_damaged_frame)
{
	volume_make(&shelf);
	/* The value is hit, at its end, so that the name is legible. */
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	ck_assert_str_eq(check()->words, "frame 2:big");
	ck_assert_uint_eq(check()->summary.revisions_lost, 1);
	ck_assert_uint_eq(check()->summary.names_exact, 1);
}
END_TEST

START_TEST(a_later_change_proves_an_illegible_name)
{
	uint64_t start, end;

	volume_make(&shelf);
	start = volume_frame(&shelf, 1, 1);
	end = volume_frame(&shelf, 1, 2);
	/* All of it: revision 4 still says that it replaced revision 2. */
	for (uint64_t at = start; at < end; at++)
		volume_spoil(&shelf, volume_path(1), at);
	ck_assert_str_eq(check()->words, "frame 2:big");
}
END_TEST

START_TEST(a_name_that_was_hit_is_not_believed)
{
	volume_make(&shelf);
	spoil_frame(1, 1, name_in(1, 1));
	ck_assert_str_eq(check()->words, "frame 2:big");
}
END_TEST

START_TEST(without_a_footer_and_a_successor_a_name_is_probable)
{
	volume_make(&shelf);
	/* "b", in the newest segment, before the MARK. */
	spoil_frame(4, 1, 510);
	ck_assert_str_eq(check()->words, "floor 10:b?");
	ck_assert_uint_eq(check()->summary.names_probable, 1);
	ck_assert_uint_eq(check()->summary.names_exact, 0);
}
END_TEST

START_TEST(a_hash_alone_is_probable_or_counted)
{
	uint64_t end;

	shelf_put(&shelf, "only", "1");
	shelf_put(&shelf, "k", "1");
	shelf_delete(&shelf, "k");
	shelf_put(&shelf, "k", "2");
	volume_make(&shelf);
	end = volume_frame(&shelf, 1, 3);
	for (uint64_t at = 8192; at < end; at++)
		volume_spoil(&shelf, volume_path(1), at);
	/* Revision 4 has the hash of 2 and 3 and, as "k" was deleted, names
	 * neither; the key of revision 1 is nowhere else. */
	ck_assert_str_eq(check()->words, "frame 2:k? 3:k? more");
	ck_assert_uint_eq(check()->summary.revisions_lost, 3);
}
END_TEST

START_TEST(a_missing_segment_is_named_as_far_as_it_is_known)
{
	struct seen *seen;

	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(2));
	seen = check();
	ck_assert_msg(strncmp(seen->words, "gap ", 4) == 0, "%s", seen->words);
	ck_assert_uint_gt(seen->summary.names_exact, 0);
	ck_assert_uint_eq(seen->summary.names_probable, 0);
	ck_assert_uint_ge(seen->summary.revisions_lost,
			  seen->summary.names_exact);
}
END_TEST

START_TEST(a_missing_beginning_is_named_as_far_as_it_is_known)
{
	struct seen *seen;

	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(1));
	seen = check();
	/* Revision 4 says that it replaced revision 2. */
	ck_assert_msg(strncmp(seen->words, "beginning 2:big ", 16) == 0, "%s",
		      seen->words);
	ck_assert_uint_eq(seen->summary.revisions_lost, 3);
}
END_TEST

START_TEST(an_anchor_alone_tells_how_much_is_lost)
{
	struct seen *seen;

	volume_make(&shelf);
	for (uint64_t id = 1; id <= 4; id++)
		simdisk_delete(shelf.disk, volume_path(id));
	seen = check();
	ck_assert_str_eq(seen->words, "anchor-ahead");
	ck_assert_uint_eq(seen->summary.revisions_lost, 10);
	ck_assert_uint_eq(seen->summary.log.epoch,
			  seen->summary.log.anchor.epoch);
}
END_TEST

START_TEST(frames_behind_a_bad_header_are_named)
{
	struct seen *seen;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), 40);
	volume_spoil(&shelf, volume_path(1), 4096 + 40);
	seen = check();
	ck_assert_str_eq(seen->words, "header gap 1:large 2:big 3:large");
}
END_TEST

/* ---- what an open does not see ---- */

START_TEST(a_change_that_follows_another_version_is_told)
{
	uint64_t frame;
	uint8_t bytes[512];
	unsigned at = 48;

	/* A put of "a" over revision 1, which says it was revision 0. */
	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "a", "2");
	volume_settle(&shelf);
	frame = volume_frame(&shelf, 1, 1);
	simdisk_get(shelf.disk, volume_path(1), bytes, sizeof(bytes), frame);
	/* previous_revision: field 6, a varint. */
	while (at < sizeof(bytes) - 1 &&
	       !(bytes[at] == (6 << 3) && bytes[at + 1] == 1))
		at++;
	bytes[at + 1] = 0;
	forge_frame(shelf.disk, volume_path(1), frame, at + 1, &bytes[at + 1],
		    1);
	ck_assert_uint_eq(check()->rules[AUDIT_RULE_PREVIOUS], 1);
}
END_TEST

static void commit_with_id(const char *id, const char *name)
{
	struct wb_txn_options options = {
		.size = sizeof(options),
		.operation_ns = text_of("n"),
		.operation_id = text_of(id),
		.request_hash = 7,
	};
	struct wb_outcome replayed;
	struct wb_txn *txn;

	ck_ok(wb_txn_begin(shelf.store, &options, &txn, &replayed));
	ck_assert_ptr_nonnull(txn);
	ck_ok(txn_put(txn, name, "1"));
	ck_ok(wb_txn_commit(txn, NULL));
}

START_TEST(an_operation_with_two_effects_is_told)
{
	uint64_t frame;
	uint8_t bytes[512];
	unsigned at = 48;

	commit_with_id("id-one", "a");
	commit_with_id("id-two", "b");
	volume_settle(&shelf);
	ck_assert_uint_eq(check()->rules[AUDIT_RULE_OPERATION], 0);
	frame = volume_frame(&shelf, 1, 1);
	simdisk_get(shelf.disk, volume_path(1), bytes, sizeof(bytes), frame);
	while (at < sizeof(bytes) - 6 && memcmp(bytes + at, "id-two", 6) != 0)
		at++;
	forge_frame(shelf.disk, volume_path(1), frame, at, "id-one", 6);
	ck_assert_uint_eq(check()->rules[AUDIT_RULE_OPERATION], 1);
}
END_TEST

START_TEST(a_forged_index_entry_is_told)
{
	const uint32_t hash = 77;

	volume_make(&shelf);
	forge_frame(shelf.disk, volume_path(1), volume_footer(&shelf, 1),
		    48 + 80, &hash, 4);
	ck_assert_str_eq(check()->words, "footer-index");
}
END_TEST

/* ---- itself ---- */

START_TEST(nothing_is_changed_by_checking)
{
	uint64_t hash;

	volume_make(&shelf);
	spoil_frame(1, 1, 100);
	hash = simdisk_hash(shelf.disk);
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_ANY_CHANGE, 1, WB_IO,
						     true, false, NULL});
	check();
	ck_assert_uint_eq(simdisk_faults_fired(shelf.disk), 0);
	ck_assert_uint_eq(simdisk_hash(shelf.disk), hash);
}
END_TEST

/* ---- a disk that does not read ---- */

static void fail_reads(enum sim_op op, uint64_t nth, bool forever,
		       const char *name)
{
	simdisk_faults_clear(shelf.disk);
	simdisk_fault(shelf.disk,
		      (struct sim_fault){op, nth, WB_IO, forever, false, name});
}

START_TEST(fault_34_a_file_that_cannot_be_read_is_told_and_the_rest_checked)
{
	struct seen *seen;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	fail_reads(SIM_READ, 1, true, volume_path(2));
	seen = check();
	ck_assert_uint_gt(seen->summary.unreadable, 0);
	ck_assert_int_eq(seen->summary.log.verdict, AUDIT_CORRUPT);
	ck_assert_msg(strncmp(seen->words, "frame 2:big ", 12) == 0, "%s",
		      seen->words);
	ck_assert_ptr_nonnull(strstr(seen->words, "unreadable"));
	/* Segments 3 and 4 were read. */
	ck_assert_uint_ge(seen->summary.log.head, 1);
	ck_assert_uint_eq(seen->summary.log.active_id, 4);
	ck_assert_uint_eq(seen->rules[AUDIT_RULE_FLOOR], 0);
}
END_TEST

START_TEST(fault_34_a_page_that_cannot_be_read_costs_its_frames_only)
{
	struct seen *seen;

	/* Segment 1: a header of two pages, then revisions 1, 2 and 3. */
	volume_make(&shelf);
	ck_assert_uint_lt(volume_frame(&shelf, 1, 1), 8192 + 4096);
	ck_assert_uint_gt(volume_frame(&shelf, 1, 2), 8192 + 4096);
	simdisk_bad(shelf.disk, volume_path(1), 8192, 512);
	seen = check();
	ck_assert_uint_eq(seen->rules[AUDIT_RULE_UNREADABLE], 1);
	ck_assert_uint_eq(seen->rules[AUDIT_RULE_FRAME], 1);
	ck_assert_uint_eq(seen->summary.revisions_lost, 2);
	ck_assert_uint_eq(seen->summary.unreadable, 1);
}
END_TEST

/* Once: it is read at the second try, said, and all of it is checked. For
 * ever: what could not be read is said. */
START_TEST(fault_34_no_read_fails_in_silence)
{
	static const enum sim_op ops[] = {SIM_READ, SIM_OPEN, SIM_SIZE};
	enum sim_op op = ops[_i / 2];
	bool forever = _i % 2;
	uint64_t nth = 1;

	volume_make(&shelf);
	for (;; nth++) {
		struct seen *seen;
		uint64_t fired;

		fail_reads(op, nth, forever, "*.log");
		seen = check();
		fired = simdisk_faults_fired(shelf.disk);
		ck_assert_msg((seen->summary.unreadable > 0) == (fired > 0),
			      "%s %" PRIu64 ": %s", sim_op_name(op), nth,
			      seen->words);
		if (op == SIM_READ && !forever && fired) {
			ck_assert_str_eq(seen->words, "unreadable");
			ck_assert_uint_eq(seen->summary.findings[AUDIT_WARNING],
					  1);
			ck_assert_int_eq(seen->summary.log.verdict,
					 AUDIT_CLEAN);
		}
		if (fired == 0)
			break;
	}
	ck_assert_uint_gt(nth, 4);
}
END_TEST

/* It is there, and another user can read it: nothing is lost. */
START_TEST(a_file_that_may_not_be_read_is_no_gap)
{
	static const char *const names[] = {"1", "2", "4", "anchor"};

	for (unsigned at = 0; at < 4; at++) {
		struct seen *seen;

		tear_down();
		set_up();
		volume_make(&shelf);
		simdisk_fault(shelf.disk,
			      (struct sim_fault){
				      SIM_OPEN, 1, WB_PERMISSION, true, false,
				      at == 3 ? names[3]
					      : volume_path((
							uint64_t)(names[at][0] -
								  '0'))});
		seen = check();
		ck_assert_str_eq(seen->words, "unreadable");
		ck_assert_int_eq(seen->remedies[AUDIT_RULE_UNREADABLE],
				 AUDIT_ACCESS);
		ck_assert_uint_eq(seen->summary.revisions_lost, 0);
	}
}
END_TEST

/* A MARK, with two commits behind it that are as they were. */
START_TEST(what_stands_behind_damage_is_not_called_gone)
{
	struct seen *seen;

	shelf_put(&shelf, "a", "1");
	ck_ok(wb_store_mark(shelf.store));
	shelf_put(&shelf, "b", "1");
	shelf_put(&shelf, "c", "1");
	ck_ok(wb_store_mark(shelf.store));
	volume_settle(&shelf);
	spoil_frame(1, 1, 8);
	seen = check();
	ck_assert_str_eq(seen->words, "floor 2:b 3:c");
	ck_assert_ptr_nonnull(strstr(seen->what, "2 commits behind it verify"));
	/* One of them is damaged, too. */
	spoil_frame(1, 2, 510);
	seen = check();
	ck_assert_str_eq(seen->words, "floor 2:b? 3:c");
	ck_assert_ptr_nonnull(
		strstr(seen->what, "1 commit behind it verifies"));
	/* Both are. */
	spoil_frame(1, 3, 510);
	seen = check();
	ck_assert_str_eq(seen->words, "floor 2:b? 3:c?");
	ck_assert_ptr_null(strstr(seen->what, "behind it"));
}
END_TEST

/* ---- what can be done ---- */

/* An open refuses, so it does not cut; and a repair leaves it, too. */
START_TEST(beside_damage_the_advice_is_what_helps_there)
{
	struct seen *seen;

	volume_make(&shelf);
	volume_spoil(&shelf, "anchor", 100);
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 3) + 100);
	seen = check();
	ck_assert_int_eq(seen->remedies[AUDIT_RULE_TORN], AUDIT_OPEN);
	ck_assert_int_eq(seen->remedies[AUDIT_RULE_ANCHOR_SLOT], AUDIT_REPAIR);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	seen = check();
	ck_assert_int_eq(seen->remedies[AUDIT_RULE_TORN], AUDIT_SALVAGE);
	ck_assert_int_eq(seen->remedies[AUDIT_RULE_ANCHOR_SLOT], AUDIT_SALVAGE);
}
END_TEST

START_TEST(what_cannot_be_listed_is_an_error)
{
	struct fsck_visitor visitor = {.context = NULL};
	struct fsck_summary summary = {.untold = 77};
	struct dir *dir;

	volume_make(&shelf);
	dir = simdisk_dir(shelf.disk);
	fail_reads(SIM_LIST, 1, false, NULL);
	ck_error(audit_fsck(dir, &visitor, &summary), WB_IO);
	ck_assert_uint_eq(summary.untold, 77);
	dir_close(dir);
}
END_TEST

/* ---- the anchor ---- */

START_TEST(an_anchor_that_the_log_proves_can_be_rebuilt)
{
	struct seen *seen;

	volume_make(&shelf); /* it ends with a MARK */
	simdisk_delete(shelf.disk, "anchor");
	seen = check();
	ck_assert_str_eq(seen->words, "anchor-missing");
	ck_assert_int_eq(seen->remedies[AUDIT_RULE_ANCHOR_MISSING],
			 AUDIT_REBUILD);
	/* Not where something else is wrong, */
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	ck_assert_int_eq(check()->remedies[AUDIT_RULE_ANCHOR_MISSING],
			 AUDIT_SALVAGE);
}
END_TEST

/* Any number of commits may be gone, and what is legible may be one of them or
 * of a write that nobody was told of. */
START_TEST(an_end_that_nothing_proves_is_told)
{
	struct seen *seen;

	volume_make(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	/* Of "b" the value is hit, and the MARK behind it. */
	spoil_frame(4, 1, 510);
	spoil_frame(4, 2, 8);
	seen = check();
	ck_assert_str_eq(seen->words, "end 10:b? anchor-missing");
	ck_assert_int_eq(seen->remedies[AUDIT_RULE_END], AUDIT_SALVAGE);
	ck_assert_uint_eq(seen->rules[AUDIT_RULE_TORN], 0);
	ck_assert_uint_eq(seen->summary.revisions_lost, 0);
}
END_TEST

/* Of one group the first frame is hit, and the second one verifies. */
START_TEST(what_verifies_behind_an_unknown_end_is_probable)
{
	shelf_put(&shelf, "a", "1");
	(void)stage_put(&shelf, "b", "1");
	(void)stage_put(&shelf, "c", "1");
	ck_ok(store_flush(shelf.store));
	volume_settle(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	spoil_frame(1, 1,
		    volume_frame(&shelf, 1, 2) - volume_frame(&shelf, 1, 1) -
			    1);
	ck_assert_str_eq(check()->words, "end 2:b? 3:c? anchor-missing");
}
END_TEST

START_TEST(an_anchor_that_nothing_proves_is_not_rebuilt)
{
	uint64_t end;

	/* A commit is the last frame: later ones may have been lost. */
	volume_make(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "c", "1");
	volume_settle(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	ck_assert_int_eq(check()->remedies[AUDIT_RULE_ANCHOR_MISSING],
			 AUDIT_SALVAGE);
	/* A MARK with nothing behind it was cut: there was a successor. */
	simdisk_delete(shelf.disk, volume_path(5));
	end = volume_frame(&shelf, 4, 3);
	ck_assert_uint_eq(simdisk_size(shelf.disk, volume_path(4)), end);
	ck_assert_int_eq(check()->remedies[AUDIT_RULE_ANCHOR_MISSING],
			 AUDIT_SALVAGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fsck");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_sound_store_has_no_findings);
	tcase_add_test(tcase, files_aside_are_notes);
	tcase_add_test(tcase, a_footer_proves_the_name_in_a_damaged_frame);
	tcase_add_test(tcase, a_later_change_proves_an_illegible_name);
	tcase_add_test(tcase, a_name_that_was_hit_is_not_believed);
	tcase_add_test(tcase,
		       without_a_footer_and_a_successor_a_name_is_probable);
	tcase_add_test(tcase, a_hash_alone_is_probable_or_counted);
	tcase_add_test(tcase, a_missing_segment_is_named_as_far_as_it_is_known);
	tcase_add_test(tcase,
		       a_missing_beginning_is_named_as_far_as_it_is_known);
	tcase_add_test(tcase, an_anchor_alone_tells_how_much_is_lost);
	tcase_add_test(tcase, frames_behind_a_bad_header_are_named);
	tcase_add_test(tcase, a_change_that_follows_another_version_is_told);
	tcase_add_test(tcase, an_operation_with_two_effects_is_told);
	tcase_add_test(tcase, a_forged_index_entry_is_told);
	tcase_add_test(tcase, nothing_is_changed_by_checking);
	tcase_add_test(
		tcase,
		fault_34_a_file_that_cannot_be_read_is_told_and_the_rest_checked);
	tcase_add_test(
		tcase,
		fault_34_a_page_that_cannot_be_read_costs_its_frames_only);
	tcase_add_loop_test(tcase, fault_34_no_read_fails_in_silence, 0, 6);
	tcase_add_test(tcase, a_file_that_may_not_be_read_is_no_gap);
	tcase_add_test(tcase, what_stands_behind_damage_is_not_called_gone);
	tcase_add_test(tcase, beside_damage_the_advice_is_what_helps_there);
	tcase_add_test(tcase, what_cannot_be_listed_is_an_error);
	tcase_add_test(tcase, an_anchor_that_the_log_proves_can_be_rebuilt);
	tcase_add_test(tcase, an_end_that_nothing_proves_is_told);
	tcase_add_test(tcase, what_verifies_behind_an_unknown_end_is_probable);
	tcase_add_test(tcase, an_anchor_that_nothing_proves_is_not_rebuilt);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
