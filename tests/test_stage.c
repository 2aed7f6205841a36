/* SPDX-License-Identifier: Apache-2.0
 *
 * Between staged and durable: what is lost together, what a ticket says,
 * and that an answer waits for what it depends on.
 */
#include "store/state.h"

#include "tests/support/shelf.h"

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

/* From now on a group meets a full disk, or a disk that cannot sync. */
static void spoil(enum sim_op kind, enum wb_error error)
{
	simdisk_fault(shelf.disk, (struct sim_fault){
					  .kind = kind,
					  .nth = 1,
					  .error = error,
					  .forever = true,
				  });
}

static void mend(void)
{
	ck_assert_uint_gt(simdisk_faults_fired(shelf.disk), 0);
	simdisk_faults_clear(shelf.disk);
}

static void flush_onto_a_full_disk(void)
{
	spoil(SIM_WRITE, WB_NO_SPACE);
	ck_error(store_flush(shelf.store), WB_NO_SPACE);
	mend();
}

/* "": not decided yet. */
static const char *said_of(struct store_ticket ticket)
{
	enum wb_error error;

	if (!store_poll(shelf.store, &ticket, &error))
		return "";
	return wb_error_code(error);
}

/* ---- in the middle of a group's sync, once ---- */

static struct {
	void (*run)(void);
	bool ran;
} meanwhile;

static void run_meanwhile(void *context, enum sim_op op, const char *name)
{
	void (*run)(void) = meanwhile.run;

	(void)context;
	(void)op;
	(void)name;
	if (!run)
		return;
	meanwhile.run = NULL;
	meanwhile.ran = true;
	run();
}

static void during_the_next(enum sim_op kind, void (*run)(void))
{
	meanwhile.run = run;
	meanwhile.ran = false;
	simdisk_observe(shelf.disk, kind, run_meanwhile, NULL);
}

/* ---- tickets ---- */

START_TEST(a_ticket_is_decided_when_its_group_is_durable)
{
	struct store_ticket first = stage_put(&shelf, "a", "1");
	struct store_ticket second = stage_put(&shelf, "b", "1");
	struct store_ticket third;

	ck_text(said_of(first), "");
	ck_ok(store_flush(shelf.store));
	third = stage_put(&shelf, "c", "1");
	ck_text(said_of(first), "ok");
	ck_text(said_of(second), "ok");
	ck_text(said_of(third), "");
	ck_ok(store_wait(shelf.store, &third));
	ck_text(said_of(third), "ok");
	ck_text(said_of((struct store_ticket){0}), "ok");
	ck_text(shelf_listing(&shelf), "a=1 b=1 c=1");
}
END_TEST

START_TEST(a_flush_of_nothing_writes_nothing)
{
	uint64_t changes = simdisk_count(shelf.disk, SIM_ANY_CHANGE);

	ck_ok(store_flush(shelf.store));
	ck_assert_uint_eq(simdisk_count(shelf.disk, SIM_ANY_CHANGE), changes);
	ck_assert_uint_eq(shelf_stat(&shelf).groups, 0);
}
END_TEST

static struct store_ticket late;

static void stage_late(void)
{
	/* The first group is written, and neither decided nor seen. */
	ck_text(shelf_listing(&shelf), "");
	late = stage_put(&shelf, "late", "1");
}

START_TEST(while_a_group_is_synced_the_next_one_gathers)
{
	struct store_ticket first = stage_put(&shelf, "first", "1");

	during_the_next(SIM_SYNC, stage_late);
	ck_ok(store_flush(shelf.store));
	ck_assert(meanwhile.ran);
	ck_text(said_of(first), "ok");
	ck_text(said_of(late), "");
	ck_text(shelf_listing(&shelf), "first=1");
	ck_ok(store_flush(shelf.store));
	ck_text(said_of(late), "ok");
	ck_text(shelf_listing(&shelf), "first=1 late=1");
	ck_assert_uint_eq(shelf_stat(&shelf).groups, 2);
}
END_TEST

/* ---- a group that cannot be written ---- */

START_TEST(a_full_disk_voids_all_that_is_staged)
{
	struct store_ticket before, lost, later;

	shelf_put(&shelf, "a", "durable");
	before = stage_put(&shelf, "b", "durable");
	ck_ok(store_flush(shelf.store));
	lost = stage_put(&shelf, "a", "lost");
	later = stage_put(&shelf, "c", "lost");
	flush_onto_a_full_disk();
	ck_text(said_of(before), "ok");
	ck_text(said_of(lost), "no_space");
	ck_text(said_of(later), "no_space");
	ck_text(shelf_listing(&shelf), "a=durable b=durable");
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "a=durable b=durable");
}
END_TEST

static void stage_on_top(void)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_text(txn_text(txn, "base"), "lost");
	ck_ok(txn_put(txn, "late", "on a base that is lost"));
	ck_ok(store_stage(txn, &late));
}

START_TEST(what_was_staged_on_top_meanwhile_is_void_too)
{
	struct store_ticket base = stage_put(&shelf, "base", "lost");

	during_the_next(SIM_WRITE, stage_on_top);
	flush_onto_a_full_disk();
	ck_assert(meanwhile.ran);
	ck_text(said_of(base), "no_space");
	ck_text(said_of(late), "no_space");
	ck_ok(store_flush(shelf.store));
	ck_text(shelf_listing(&shelf), "");
	ck_assert_uint_eq(shelf_put(&shelf, "a", "1"), base.revision);
}
END_TEST

START_TEST(a_revision_given_out_again_is_not_taken_for_the_lost_one)
{
	struct store_ticket lost = stage_put(&shelf, "a", "lost"), again;

	flush_onto_a_full_disk();
	again = stage_put(&shelf, "b", "kept");
	ck_assert_uint_eq(again.revision, lost.revision);
	ck_text(said_of(lost), "no_space");
	ck_text(said_of(again), "");
	ck_ok(store_flush(shelf.store));
	ck_text(said_of(lost), "no_space");
	ck_text(said_of(again), "ok");
	ck_text(shelf_listing(&shelf), "b=kept");
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "b=kept");
}
END_TEST

START_TEST(rounds_are_remembered_for_long_and_never_mistaken)
{
	struct store_ticket tickets[ROUNDS_KEPT + 2];

	for (unsigned round = 0; round < ROUNDS_KEPT + 2; round++) {
		tickets[round] = stage_put(&shelf, "a", "lost");
		flush_onto_a_full_disk();
	}
	shelf_put(&shelf, "b", "kept");
	for (unsigned round = 0; round < ROUNDS_KEPT + 2; round++)
		ck_text(said_of(tickets[round]),
			round < 2 ? "outcome_unknown" : "no_space");
}
END_TEST

START_TEST(an_update_open_while_its_base_is_lost_is_not_staged)
{
	struct store_ticket ticket = {0};
	struct wb_txn *txn;

	stage_put(&shelf, "base", "lost");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "1"));
	flush_onto_a_full_disk();
	ck_ok(txn_put(txn, "b", "1"));
	ck_error(store_stage(txn, &ticket), WB_NO_SPACE);
	ck_text(said_of(ticket), "ok"); /* it had read nothing of it */
	ck_ok(store_flush(shelf.store));
	ck_text(shelf_listing(&shelf), "");
	ck_assert_uint_eq(shelf_put(&shelf, "c", "1"), 1);
}
END_TEST

START_TEST(what_one_group_made_durable_stays_when_the_next_is_lost)
{
	struct store_ticket first = stage_put(&shelf, "a", "1"), second;

	ck_ok(store_flush(shelf.store));
	second = stage_put(&shelf, "b", "1");
	flush_onto_a_full_disk();
	ck_text(said_of(first), "ok");
	ck_text(said_of(second), "no_space");
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

/* ---- a sync that fails ---- */

START_TEST(after_a_failed_sync_nobody_can_say_and_nothing_is_taken)
{
	struct store_ticket durable, unknown;
	struct wb_txn *open_one, *none = NULL;
	struct store_ticket ticket = {0};

	durable = stage_put(&shelf, "a", "durable");
	ck_ok(store_flush(shelf.store));
	unknown = stage_put(&shelf, "a", "unknown");
	open_one = shelf_begin(&shelf);
	ck_ok(txn_put(open_one, "open", "1"));
	spoil(SIM_SYNC, WB_IO);
	ck_error(store_flush(shelf.store), WB_OUTCOME_UNKNOWN);
	mend();
	ck_text(said_of(durable), "ok");
	ck_text(said_of(unknown), "outcome_unknown");
	/* That one was not even staged. */
	ck_error(store_stage(open_one, &ticket), WB_STOPPED);
	ck_error(wb_txn_begin(shelf.store, NULL, &none, NULL), WB_STOPPED);
	ck_error(wb_store_mark(shelf.store), WB_STOPPED);
	ck_assert_ptr_null(none);
	/* Reading goes on, of what is known to be durable. */
	ck_text(shelf_listing(&shelf), "a=durable");
	ck_error(shelf_close(&shelf), WB_STOPPED);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "b", "again");
}
END_TEST

START_TEST(what_gathered_behind_a_failed_sync_is_unknown_too)
{
	struct store_ticket first = stage_put(&shelf, "first", "1");

	during_the_next(SIM_SYNC, stage_late);
	spoil(SIM_SYNC, WB_IO);
	ck_error(store_flush(shelf.store), WB_OUTCOME_UNKNOWN);
	ck_assert(meanwhile.ran);
	ck_text(said_of(first), "outcome_unknown");
	ck_text(said_of(late), "outcome_unknown");
	ck_ok(store_flush(shelf.store));
	ck_text(shelf_listing(&shelf), "");
}
END_TEST

/* ---- answers that depend on what is staged ---- */

static enum wb_error end(struct wb_txn *txn, bool commit)
{
	return commit ? wb_txn_commit(txn, NULL) : wb_txn_abort(txn);
}

static enum wb_error get_value(bool commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_text(txn_text(txn, "here"), "staged");
	return end(txn, commit);
}

static enum wb_error get_nothing(bool commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_text(txn_text(txn, "gone"), "");
	return end(txn, commit);
}

static enum wb_error list_value(bool commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_text(txn_listing(txn, "h", ""), "here=staged");
	return end(txn, commit);
}

static enum wb_error list_nothing(bool commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_text(txn_listing(txn, "g", ""), "");
	return end(txn, commit);
}

static enum wb_error delete_nothing(bool commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_error(txn_delete(txn, "gone"), WB_NOT_FOUND);
	return end(txn, commit);
}

static enum wb_error fail_precondition(bool commit)
{
	const struct wb_precondition absent = {.kind = WB_IF_ABSENT};
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_key key = named("here");

	ck_error(wb_txn_put(txn, &key, text_of("x"), absent), WB_PRECONDITION);
	return end(txn, commit);
}

static enum wb_error give_up(bool commit)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	(void)commit;
	ck_ok(txn_put(txn, "here", "not after all"));
	return wb_txn_abort(txn);
}

static enum wb_error say_exists(void *context, struct wb_txn *txn)
{
	(void)context;
	ck_text(txn_text(txn, "here"), "staged");
	return WB_EXISTS;
}

static enum wb_error fail_callback(bool commit)
{
	(void)commit;
	return wb_update(shelf.store, NULL, say_exists, NULL, NULL);
}

static const struct wb_txn_options operation = {
	.size = sizeof(operation),
	.operation_id = {"op", 2},
	.request_hash = 7,
};

static enum wb_error repeat_operation(bool commit)
{
	struct wb_outcome replayed = {.revision = 77};
	struct wb_txn *txn = NULL;
	enum wb_error error =
		wb_txn_begin(shelf.store, &operation, &txn, &replayed);

	(void)commit;
	ck_assert_ptr_null(txn);
	ck_assert_uint_eq(replayed.revision, error ? 77 : 3);
	ck_assert_int_eq(replayed.replayed, !error);
	return error;
}

static enum wb_error misuse_operation(bool commit)
{
	struct wb_txn_options other = operation;
	struct wb_outcome replayed;
	struct wb_txn *txn = NULL;

	(void)commit;
	other.request_hash++;
	return wb_txn_begin(shelf.store, &other, &txn, &replayed);
}

/* What is asked of staged state; the answer by a commit's end and by an
 * abort's, once all is durable. */
static const struct {
	const char *what;
	enum wb_error (*ask)(bool commit);
	enum wb_error committed, aborted;
} questions[] = {
	{"the value of a staged key", get_value, WB_OK, WB_OK},
	{"the absence of a staged deletion", get_nothing, WB_OK, WB_OK},
	{"a listing with a staged key", list_value, WB_OK, WB_OK},
	{"a listing without a deleted key", list_nothing, WB_OK, WB_OK},
	{"not found, of a staged deletion", delete_nothing, WB_OK, WB_OK},
	{"a failed precondition", fail_precondition, WB_PRECONDITION, WB_OK},
	{"a change that is given up", give_up, WB_OK, WB_OK},
	{"a callback's error", fail_callback, WB_EXISTS, WB_EXISTS},
	{"a repeated operation id", repeat_operation, WB_OK, WB_OK},
	{"a misused operation id", misuse_operation, WB_CONFLICT, WB_CONFLICT},
};
enum { QUESTIONS = sizeof(questions) / sizeof(*questions) };

static void stage_what_is_asked_about(void)
{
	struct wb_outcome replayed;
	struct store_ticket ticket;
	struct wb_txn *txn;

	ck_assert_uint_eq(shelf_put(&shelf, "gone", "durable"), 1);
	stage_delete(&shelf, "gone");
	ck_ok(wb_txn_begin(shelf.store, &operation, &txn, &replayed));
	ck_ok(txn_put(txn, "here", "staged"));
	ck_ok(store_stage(txn, &ticket));
	ck_assert_uint_eq(ticket.revision, 3);
}

START_TEST(an_answer_is_given_when_what_it_depends_on_is_durable)
{
	bool commit = _i % 2;
	enum wb_error expected = commit ? questions[_i / 2].committed
					: questions[_i / 2].aborted;

	stage_what_is_asked_about();
	ck_assert_uint_eq(shelf_stat(&shelf).groups, 1);
	ck_error(questions[_i / 2].ask(commit), expected);
	ck_assert_uint_eq(shelf_stat(&shelf).groups, 2);
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "here=staged");
}
END_TEST

START_TEST(an_answer_is_withheld_when_the_sync_fails)
{
	stage_what_is_asked_about();
	spoil(SIM_SYNC, WB_IO);
	ck_error(questions[_i / 2].ask(_i % 2), WB_OUTCOME_UNKNOWN);
	mend();
}
END_TEST

START_TEST(an_answer_is_withheld_when_its_ground_is_void)
{
	struct wb_outcome replayed;
	struct wb_txn *txn = NULL;

	stage_what_is_asked_about();
	spoil(SIM_WRITE, WB_NO_SPACE);
	ck_error(questions[_i / 2].ask(_i % 2), WB_NO_SPACE);
	mend();
	/* Nothing of it was: the operation can be done. */
	ck_text(shelf_listing(&shelf), "gone=durable");
	ck_ok(wb_txn_begin(shelf.store, &operation, &txn, &replayed));
	ck_assert_ptr_nonnull(txn);
	ck_ok(wb_txn_abort(txn));
}
END_TEST

START_TEST(an_answer_about_durable_state_waits_for_nothing)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "1");
	stage_put(&shelf, "b", "1");
	spoil(SIM_SYNC, WB_IO);
	txn = shelf_begin(&shelf);
	ck_text(txn_text(txn, "a"), "1");
	ck_text(txn_text(txn, "nothing"), "");
	ck_text(txn_listing(txn, "a", ""), "a=1");
	ck_ok(wb_txn_commit(txn, NULL));
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "2"));
	ck_text(txn_text(txn, "a"), "2");
	ck_text(txn_listing(txn, "a", ""), "a=2");
	ck_ok(wb_txn_abort(txn));
	ck_assert_uint_eq(simdisk_faults_fired(shelf.disk), 0);
	simdisk_faults_clear(shelf.disk);
}
END_TEST

/* ---- operation ids ---- */

/* Put `value` under an id; the outcome. */
static enum wb_error operate(const struct wb_txn_options *options,
			     const char *value, struct wb_outcome *ret_outcome)
{
	struct wb_txn *txn = NULL;
	enum wb_error error =
		wb_txn_begin(shelf.store, options, &txn, ret_outcome);

	if (error || !txn)
		return error;
	ck_ok(txn_put(txn, "a", value));
	return wb_txn_commit(txn, ret_outcome);
}

static void check_replayed(uint64_t revision)
{
	struct wb_outcome outcome = {0};

	ck_ok(operate(&operation, "again", &outcome));
	ck_assert(outcome.replayed);
	ck_assert_uint_eq(outcome.revision, revision);
	ck_text(shelf_text(&shelf, "a"), "once");
}

static enum wb_error never_call(void *context, struct wb_txn *txn)
{
	(void)context;
	(void)txn;
	ck_abort_msg("an operation that was done is done again");
}

START_TEST(an_operation_done_twice_is_done_once)
{
	struct wb_outcome outcome;

	shelf_put(&shelf, "b", "1");
	ck_ok(operate(&operation, "once", &outcome));
	ck_assert(!outcome.replayed);
	ck_assert_uint_eq(outcome.revision, 2);
	check_replayed(2);
	outcome = (struct wb_outcome){0};
	ck_ok(wb_update(shelf.store, &operation, never_call, NULL, &outcome));
	ck_assert(outcome.replayed);
	ck_assert_uint_eq(outcome.revision, 2);
	ck_assert_uint_eq(shelf_stat(&shelf).commits, 2);
	ck_assert_uint_eq(shelf_put(&shelf, "c", "1"), 3);
}
END_TEST

START_TEST(an_id_used_for_another_request_is_a_conflict)
{
	struct wb_txn_options other = operation;
	struct wb_outcome outcome = {.revision = 77};

	ck_ok(operate(&operation, "once", &outcome));
	other.request_hash++;
	outcome.revision = 77;
	ck_error(operate(&other, "again", &outcome), WB_CONFLICT);
	ck_assert_uint_eq(outcome.revision, 77);
	ck_text(shelf_listing(&shelf), "a=once");
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	ck_error(operate(&other, "again", &outcome), WB_CONFLICT);
	ck_text(shelf_listing(&shelf), "a=once");
}
END_TEST

START_TEST(operation_ids_outlive_close_kill_and_power_cut)
{
	struct wb_outcome outcome;

	shelf_put(&shelf, "b", "1");
	ck_ok(operate(&operation, "once", &outcome));
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	check_replayed(2);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	check_replayed(2);
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	check_replayed(2);
}
END_TEST

START_TEST(an_id_is_one_users_in_one_namespace)
{
	struct wb_actor me = {1, 1, 1, NULL}, you = {2, 1, 1, NULL};
	struct wb_txn_options options[4] = {operation, operation, operation,
					    operation};
	struct wb_outcome outcome;

	for (unsigned i = 0; i < 4; i++) {
		options[i].actor = i % 2 ? &me : &you;
		options[i].operation_ns = text_of(i / 2 ? "n" : "m");
	}
	for (unsigned i = 0; i < 8; i++) {
		ck_ok(operate(&options[i % 4], "1", &outcome));
		ck_assert_uint_eq(outcome.revision, i % 4 + 1);
		ck_assert_int_eq(outcome.replayed, i >= 4);
	}
}
END_TEST

START_TEST(what_came_to_nothing_is_not_remembered)
{
	const struct wb_precondition present = {.kind = WB_IF_PRESENT};
	struct wb_key key = named("a");
	struct wb_outcome outcome;
	struct wb_txn *txn;

	/* Aborted; empty; refused; void. */
	ck_ok(wb_txn_begin(shelf.store, &operation, &txn, &outcome));
	ck_ok(txn_put(txn, "a", "1"));
	ck_ok(wb_txn_abort(txn));
	ck_ok(wb_txn_begin(shelf.store, &operation, &txn, &outcome));
	ck_ok(wb_txn_commit(txn, &outcome));
	ck_assert_uint_eq(outcome.revision, 0);
	ck_ok(wb_txn_begin(shelf.store, &operation, &txn, &outcome));
	ck_error(wb_txn_delete(txn, &key, present), WB_PRECONDITION);
	ck_error(wb_txn_commit(txn, &outcome), WB_PRECONDITION);
	spoil(SIM_WRITE, WB_NO_SPACE);
	ck_error(operate(&operation, "lost", &outcome), WB_NO_SPACE);
	mend();
	ck_ok(operate(&operation, "once", &outcome));
	ck_assert(!outcome.replayed);
	check_replayed(1);
}
END_TEST

/* ---- their window ---- */

#define HOUR OPERATIONS_TIME_KEPT_NS

static void commit_others(unsigned count)
{
	while (count--) {
		stage_put(&shelf, "b", "");
		if (count % 1000 == 0)
			ck_ok(store_flush(shelf.store));
	}
}

static enum wb_error retry(int64_t since_ns, struct wb_outcome *ret_outcome)
{
	struct wb_txn_options options = operation;

	options.retry_since_ns = since_ns;
	return operate(&options, "again", ret_outcome);
}

START_TEST(outside_the_window_a_retry_is_told_that_nobody_knows)
{
	int64_t begin = shelf.env.wall_ns;
	struct wb_outcome outcome;

	ck_ok(shelf_close(&shelf));
	shelf.options.segment_bytes = 0;
	ck_ok(shelf_open(&shelf));
	ck_ok(operate(&operation, "once", &outcome));
	/* 65,535 commits and two hours later. */
	commit_others(OPERATIONS_COMMITS_KEPT - 2);
	simenv_advance(&shelf.env, 2 * HOUR);
	commit_others(1);
	check_replayed(1);
	ck_ok(retry(begin, &outcome));
	ck_assert(outcome.replayed);
	/* The same after recovery; and one more commit. */
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	check_replayed(1);
	commit_others(1);
	for (unsigned open = 0; open < 2; open++) {
		ck_error(retry(begin, &outcome), WB_OUTCOME_UNKNOWN);
		ck_text(shelf_text(&shelf, "a"), "once");
		ck_ok(shelf_close(&shelf));
		ck_ok(shelf_open(&shelf));
	}
	/* First tried since then: it cannot have been forgotten. */
	ck_ok(retry(begin + 1, &outcome));
	ck_assert(!outcome.replayed);
	ck_text(shelf_text(&shelf, "a"), "again");
}
END_TEST

START_TEST(within_the_hour_no_number_of_commits_forgets)
{
	struct wb_outcome outcome;

	ck_ok(shelf_close(&shelf));
	shelf.options.segment_bytes = 0;
	ck_ok(shelf_open(&shelf));
	ck_ok(operate(&operation, "once", &outcome));
	commit_others(OPERATIONS_COMMITS_KEPT + 1000);
	simenv_advance(&shelf.env, HOUR);
	commit_others(1);
	check_replayed(1);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	check_replayed(1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stage");
	TCase *tcase = tcase_create("stage");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_ticket_is_decided_when_its_group_is_durable);
	tcase_add_test(tcase, a_flush_of_nothing_writes_nothing);
	tcase_add_test(tcase, while_a_group_is_synced_the_next_one_gathers);
	tcase_add_test(tcase, a_full_disk_voids_all_that_is_staged);
	tcase_add_test(tcase, what_was_staged_on_top_meanwhile_is_void_too);
	tcase_add_test(
		tcase,
		a_revision_given_out_again_is_not_taken_for_the_lost_one);
	tcase_add_test(tcase,
		       rounds_are_remembered_for_long_and_never_mistaken);
	tcase_add_test(tcase,
		       an_update_open_while_its_base_is_lost_is_not_staged);
	tcase_add_test(tcase,
		       what_one_group_made_durable_stays_when_the_next_is_lost);
	tcase_add_test(tcase,
		       after_a_failed_sync_nobody_can_say_and_nothing_is_taken);
	tcase_add_test(tcase,
		       what_gathered_behind_a_failed_sync_is_unknown_too);
	tcase_add_loop_test(
		tcase, an_answer_is_given_when_what_it_depends_on_is_durable, 0,
		2 * QUESTIONS);
	tcase_add_loop_test(tcase, an_answer_is_withheld_when_the_sync_fails, 0,
			    2 * QUESTIONS);
	tcase_add_loop_test(tcase,
			    an_answer_is_withheld_when_its_ground_is_void, 0,
			    2 * QUESTIONS);
	tcase_add_test(tcase, an_answer_about_durable_state_waits_for_nothing);
	tcase_add_test(tcase, an_operation_done_twice_is_done_once);
	tcase_add_test(tcase, an_id_used_for_another_request_is_a_conflict);
	tcase_add_test(tcase, operation_ids_outlive_close_kill_and_power_cut);
	tcase_add_test(tcase, an_id_is_one_users_in_one_namespace);
	tcase_add_test(tcase, what_came_to_nothing_is_not_remembered);
	tcase_add_test(tcase,
		       outside_the_window_a_retry_is_told_that_nobody_knows);
	tcase_add_test(tcase, within_the_hour_no_number_of_commits_forgets);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
