/* SPDX-License-Identifier: Apache-2.0
 *
 * Who guards the guards: each step of base/control.h is switched off, and the
 * test named beside it must fail. A harness once looked perfect with a
 * directory's sync removed, until it was asked.
 *
 * Each runs in a process of its own, for a store with a step missing may do
 * anything. It must fail by its own complaint: a crash is no answer.
 */
#include "base/control.h"
#include "tests/support/crashloop.h"
#include "tests/support/scenario.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct row {
	enum control control;
	const char *scenario;
} rows[] = {
	{CONTROL_GROUP_SYNC,
	 "fault_01_what_was_acknowledged_needs_nothing_unsynced"},
	{CONTROL_ABORT_SYNC,
	 "fault_44_what_was_refused_for_space_does_not_come_back"},
	{CONTROL_HEADER_SYNC, "fault_02_unsynced_changes_arrive_in_any_order"},
	{CONTROL_SEGMENT_RENAME,
	 "fault_01_what_was_acknowledged_needs_nothing_unsynced"},
	{CONTROL_SEGMENT_DIR_SYNC, "fault_08_contents_durable_name_not"},
	{CONTROL_SEAL_SYNC, "fault_09_sealing_is_cut_anywhere"},
	{CONTROL_ANCHOR_SYNC,
	 "fault_01_what_was_acknowledged_needs_nothing_unsynced"},
	{CONTROL_ANCHOR_CREATE_SYNC,
	 "fault_01_what_was_acknowledged_needs_nothing_unsynced"},
	{CONTROL_ANCHOR_ROTATE,
	 "fault_01_what_was_acknowledged_needs_nothing_unsynced"},
	{CONTROL_ANCHOR_CATCH_UP,
	 "fault_12_recovery_with_a_bad_anchor_slot_is_cut_anywhere"},
	{CONTROL_ANCHOR_RENAME,
	 "fault_01_what_was_acknowledged_needs_nothing_unsynced"},
	{CONTROL_ANCHOR_DIR_SYNC, "fault_08_contents_durable_name_not"},
	{CONTROL_RECOVER_SYNC,
	 "fault_13_what_a_killed_process_left_is_made_durable"},
	{CONTROL_RECOVER_DROP_CACHE,
	 "fault_39_a_lying_page_cache_is_not_believed"},
	{CONTROL_RECOVER_DROP_CACHE,
	 "fault_39_a_lying_page_cache_behind_the_anchor"},
	{CONTROL_RECOVER_ANCHOR_SYNC,
	 "fault_13_what_a_killed_process_left_is_made_durable"},
	{CONTROL_RECOVER_ANCHOR_DROP_CACHE,
	 "fault_39_a_lying_page_cache_of_the_anchor"},
	{CONTROL_RECOVER_DIR_SYNC,
	 "fault_13_what_a_killed_process_left_is_made_durable"},
	{CONTROL_RECOVER_PARENT_SYNC,
	 "fault_13_what_a_killed_process_left_is_made_durable"},
	{CONTROL_RECOVER_FLOOR,
	 "fault_19_damage_before_the_durable_point_is_loud"},
	{CONTROL_RECOVER_FLOOR,
	 "fault_20_damage_to_the_last_commit_is_loud_once_marked"},
	{CONTROL_FLOOR_BYTES,
	 "fault_20_damage_to_a_mark_is_loud_where_no_anchor_tells"},
	{CONTROL_CUT_ORDER, "fault_12_recovery_is_cut_twice_anywhere"},
	{CONTROL_TORN_SYNC, "fault_12_recovery_is_cut_twice_anywhere"},
	{CONTROL_TORN_RENAME, "fault_12_recovery_is_cut_twice_anywhere"},
	{CONTROL_TORN_DIR_SYNC, "fault_12_recovery_is_cut_twice_anywhere"},
	{CONTROL_CREATE_DIR_SYNC, "fault_08_the_name_of_a_new_store"},
	{CONTROL_FRAME_VERIFY,
	 "fault_18_a_flipped_bit_in_a_sealed_segment_is_loud"},
	{CONTROL_PAGE_VERIFY,
	 "fault_18_a_footer_that_rots_after_the_open_is_loud"},
	{CONTROL_FRAME_SEED, "fault_25_a_frame_embedded_in_a_value_is_none"},
	{CONTROL_HEADER_VERIFY, "fault_33_one_bad_header_copy_loses_nothing"},
	{CONTROL_ANCHOR_VERIFY, "fault_33_one_bad_anchor_slot_loses_nothing"},
	{CONTROL_RECORD_VERIFY,
	 "fault_35_a_record_that_rots_in_memory_is_not_served"},
	{CONTROL_HEADER_COPIES, "a_header_copy_that_differs_is_loud"},
	{CONTROL_AUDIT_HEADER_VERIFY, "the_second_reader_verifies_headers"},
	{CONTROL_AUDIT_ANCHOR_VERIFY,
	 "the_second_reader_verifies_anchor_slots"},
	{CONTROL_AUDIT_FRAME_VERIFY, "the_second_reader_verifies_frames"},
	{CONTROL_AUDIT_HEADER_COPIES,
	 "the_second_reader_compares_header_copies"},
	{CONTROL_AUDIT_CHAIN_BEGINNING,
	 "the_second_reader_knows_the_first_chain_value"},
	{CONTROL_AUDIT_CHAIN_SUCCESSOR,
	 "the_second_reader_holds_the_chain_against_successors"},
	{CONTROL_AUDIT_CHAIN_FOOTER,
	 "the_second_reader_holds_the_chain_against_footers"},
	{CONTROL_AUDIT_CHAIN_ANCHOR,
	 "the_second_reader_holds_the_chain_against_the_anchor"},
	{CONTROL_AUDIT_FOOTER_INDEX,
	 "the_second_reader_holds_footers_against_commits"},
	{CONTROL_AUDIT_SET_UUID,
	 "the_second_reader_knows_another_stores_segments"},
	{CONTROL_AUDIT_EXPECTED, "an_edited_history_is_not_what_was_exported"},
	{CONTROL_DUMP_SUM, "a_dump_that_was_changed_is_not_loaded"},
	{CONTROL_DUMP_COUNT, "a_dump_with_another_count_is_not_loaded"},
	{CONTROL_CHAIN_SUCCESSOR,
	 "fault_75_history_edited_before_a_cut_is_loud"},
	{CONTROL_CHAIN_FOOTER,
	 "fault_75_history_edited_before_a_footer_is_loud"},
	{CONTROL_CHAIN_ANCHOR,
	 "fault_75_history_edited_before_the_anchor_is_loud"},
	{CONTROL_REVISION_DENSE, "a_gap_in_the_revisions_is_loud"},
	{CONTROL_SET_UUID, "fault_26_a_segment_of_another_store_is_loud"},
	{CONTROL_SET_BEGINNING, "fault_28_a_missing_segment_is_loud"},
	{CONTROL_SET_TILE,
	 "fault_18_a_flipped_bit_in_a_mark_before_a_cut_is_loud"},
	{CONTROL_SET_NEWEST, "fault_29_the_newest_segment_missing_is_loud"},
	{CONTROL_ANCHOR_OLD, "fault_27_an_older_anchor_put_back_is_loud"},
	{CONTROL_SALT_FRESH, "fault_27_every_segment_has_a_salt_of_its_own"},
	{CONTROL_PUBLISH_ORDER, "nothing_is_visible_before_it_is_durable"},
	{CONTROL_STAGED_WAIT, "an_abort_waits_for_what_it_has_seen"},
	{CONTROL_STAGED_WAIT, "a_refusal_waits_for_what_it_has_seen"},
	{CONTROL_POISON, "fault_38_nothing_is_written_after_a_failed_sync"},
	{CONTROL_REPAIR_HEADER_SYNC,
	 "fault_33_a_header_copy_that_was_repaired_stays_so"},
	{CONTROL_REPAIR_PROOF,
	 "fault_33_an_anchor_is_not_rebuilt_without_proof"},
	{CONTROL_REPAIR_DIR_SYNC,
	 "fault_13_a_repair_builds_on_names_that_are_durable"},
	{CONTROL_REPAIR_LOG_SYNC,
	 "fault_33_an_anchor_is_rebuilt_on_what_was_synced"},
	{CONTROL_REPAIR_LOG_DROP_CACHE,
	 "fault_39_an_anchor_is_not_rebuilt_on_a_lying_page_cache"},
	{CONTROL_IMPORT_VEIL, "a_salvage_that_is_cut_leaves_no_half_store"},
	{CONTROL_IMPORT_VEIL, "a_load_that_is_cut_leaves_no_half_store"},
	{CONTROL_SALVAGE_DROP_CACHE,
	 "fault_36_a_salvage_is_read_back_from_the_disk"},
	{CONTROL_SALVAGE_VERIFY,
	 "fault_36_a_salvage_is_read_back_from_the_disk"},
	{CONTROL_SALVAGE_LIST_SYNC,
	 "a_salvage_that_is_cut_leaves_no_half_store"},
	{CONTROL_SALVAGE_LIST_RENAME,
	 "a_salvaged_store_needs_nothing_unsynced"},
	{CONTROL_SALVAGE_LIST_DIR_SYNC,
	 "a_salvage_that_is_cut_leaves_no_half_store"},
	{CONTROL_IMPORT_RENAME, "a_salvaged_store_needs_nothing_unsynced"},
	{CONTROL_IMPORT_RENAME, "a_loaded_store_needs_nothing_unsynced"},
	{CONTROL_IMPORT_DIR_SYNC, "a_salvaged_store_needs_nothing_unsynced"},
	{CONTROL_IMPORT_DIR_SYNC, "a_loaded_store_needs_nothing_unsynced"},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* ---- in a process of its own ---- */

static void run_child(const struct scenario *scenario, enum control off, int to)
{
	struct complaint complaint = {.check = NULL};
	char line[600];
	int size = 0;

	control_switched_off = off;
	alarm(120);
	if (!scenario->run(&complaint))
		size = snprintf(line, sizeof(line), "%s: %s", complaint.check,
				complaint.text);
	if (size > 0 && write(to, line, (size_t)size) != size)
		_exit(2);
	_exit(0);
}

/* The complaint, empty if there was none. */
static void run_scenario(const struct scenario *scenario, enum control off,
			 char ret_line[600])
{
	int status, pipe_ends[2];
	ssize_t size;
	pid_t child;

	ck_assert_int_eq(pipe(pipe_ends), 0);
	fflush(NULL);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(pipe_ends[0]);
		run_child(scenario, off, pipe_ends[1]);
	}
	close(pipe_ends[1]);
	size = read(pipe_ends[0], ret_line, 599);
	close(pipe_ends[0]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "%s without %s died: status %d",
		      scenario->name,
		      off == CONTROL_COUNT ? "nothing" : control_name(off),
		      status);
	ret_line[size > 0 ? size : 0] = '\0';
}

/* ---- the tests ---- */

START_TEST(every_control_has_a_test)
{
	for (int at = 0; at < CONTROL_COUNT; at++) {
		int row = 0;

		while (row < ROW_COUNT && (int)rows[row].control != at)
			row++;
		ck_assert_msg(row < ROW_COUNT, "nobody watches %s",
			      control_name((enum control)at));
	}
	for (int row = 0; row < ROW_COUNT; row++)
		ck_assert_msg(scenario_find(rows[row].scenario), "no test %s",
			      rows[row].scenario);
}
END_TEST

START_TEST(nothing_fails_with_all_steps_in_place)
{
	char line[600];

	for (const struct scenario *at = scenarios; at->name; at++) {
		run_scenario(at, CONTROL_COUNT, line);
		ck_assert_msg(!line[0], "%s: %s", at->name, line);
	}
}
END_TEST

START_TEST(a_missing_step_is_caught)
{
	const struct row *row = &rows[_i];
	char line[600];

	run_scenario(scenario_find(row->scenario), row->control, line);
	ck_assert_msg(line[0], "%s does not miss %s", row->scenario,
		      control_name(row->control));
	printf("%s, by %s: %s\n", control_name(row->control), row->scenario,
	       line);
}
END_TEST

/* The random loop must see each step of the power cut's kind too: it finds
 * what nobody thought of. */
static const enum control seen_by_the_loop[] = {
	CONTROL_GROUP_SYNC,	     CONTROL_ABORT_SYNC,
	CONTROL_HEADER_SYNC,	     CONTROL_SEGMENT_RENAME,
	CONTROL_SEGMENT_DIR_SYNC,    CONTROL_SEAL_SYNC,
	CONTROL_ANCHOR_SYNC,	     CONTROL_ANCHOR_CREATE_SYNC,
	CONTROL_ANCHOR_ROTATE,	     CONTROL_ANCHOR_RENAME,
	CONTROL_ANCHOR_DIR_SYNC,     CONTROL_RECOVER_SYNC,
	CONTROL_RECOVER_ANCHOR_SYNC, CONTROL_RECOVER_DIR_SYNC,
	CONTROL_RECOVER_PARENT_SYNC, CONTROL_CUT_ORDER,
	CONTROL_TORN_SYNC,	     CONTROL_TORN_RENAME,
	CONTROL_TORN_DIR_SYNC,	     CONTROL_CREATE_DIR_SYNC,
};

enum { LOOP_COUNT = sizeof(seen_by_the_loop) / sizeof(seen_by_the_loop[0]) };

static bool short_loop(struct complaint *complaint)
{
	const struct crashloop_options options = {
		.seed = 1,
		.workloads_max = 12,
		.processes = 1,
	};
	struct crashloop_report report;
	bool good = crashloop_run(&options, &report);

	*complaint = report.complaint;
	return good;
}

START_TEST(a_missing_step_is_caught_by_the_crash_loop)
{
	static const struct scenario loop = {"the crash loop", short_loop};
	enum control control = seen_by_the_loop[_i];
	char line[600];

	run_scenario(&loop, control, line);
	ck_assert_msg(line[0], "the crash loop does not miss %s",
		      control_name(control));
	printf("%s, by the crash loop: %s\n", control_name(control), line);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("controls");
	TCase *tcase = tcase_create("controls");

	tcase_set_timeout(tcase, 130);
	tcase_add_test(tcase, every_control_has_a_test);
	tcase_add_test(tcase, nothing_fails_with_all_steps_in_place);
	tcase_add_loop_test(tcase, a_missing_step_is_caught, 0, ROW_COUNT);
	tcase_add_loop_test(tcase, a_missing_step_is_caught_by_the_crash_loop,
			    0, LOOP_COUNT);
	suite_add_tcase(suite, tcase);
	printf("count: controls %d\n", (int)CONTROL_COUNT);
	printf("count: controls, rows of the table %d\n",
	       (int)ROW_COUNT + (int)LOOP_COUNT);
	return suite_run(suite);
}
