/* SPDX-License-Identifier: Apache-2.0
 *
 * Syncs that fail, and what others see while one is on its way.
 */
#include "tests/support/stage.h"

#include <inttypes.h>

static const char check_stopped[] = "after a failed sync nothing is written";
static const char check_order[] = "what is not durable is not told";

static const struct wb_key own_key = {64, {"", 0}, {"own", 3}};

static void fail_sync(struct workload *work, const char *name)
{
	simdisk_fault(work->disk, (struct sim_fault){.kind = SIM_SYNC,
						     .nth = 1,
						     .error = WB_IO,
						     .name = name});
}

/* A commit whose sync fails; what becomes of it is open. */
static bool commit_in_doubt(struct workload *work, const char *name)
{
	struct store_ticket ticket = {0};
	enum wb_error error;

	error = work_stage(work, 2, 400, &ticket);
	fail_sync(work, name);
	if (!error)
		error = store_wait(work->store, &ticket);
	simdisk_faults_clear(work->disk);
	return error == WB_OUTCOME_UNKNOWN ||
	       complain_of(&work->context.complaint, check_stopped,
			   "a commit whose sync failed: %s",
			   wb_error_text(error));
}

bool fault_38_nothing_is_written_after_a_failed_sync(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(38);
	struct complaint *own = &work->context.complaint;
	struct oracle_commit plan;
	struct store_ticket ticket;
	enum wb_error error;
	uint64_t changes;

	if (work_create(work) && work_commit(work, 3, 400) &&
	    commit_in_doubt(work, NULL)) {
		changes = simdisk_count(work->disk, SIM_ANY_CHANGE);
		/* Views go on, with what is durable. */
		(void)oracle_check(&work->oracle, work->store,
				   work->oracle.acked, false, &work->rng, own);
		plan = oracle_plan(&work->oracle, &work->rng, 2, 100);
		error = oracle_stage(&work->oracle, work->store, &plan,
				     &ticket);
		if (!error)
			error = store_wait(work->store, &ticket);
		if (error != WB_STOPPED)
			(void)complain_of(own, check_stopped,
					  "the next commit: %s",
					  wb_error_text(error));
		error = wb_store_mark(work->store);
		if (error != WB_STOPPED)
			(void)complain_of(own, check_stopped, "a mark: %s",
					  wb_error_text(error));
		(void)wb_store_close(work->store);
		work->store = NULL;
		if (simdisk_count(work->disk, SIM_ANY_CHANGE) > changes + 1)
			(void)complain_of(own, check_stopped,
					  "the disk was changed");
		/* What was on its way is there whole, or not at all. */
		(void)(work_reopen(work) && work_check(work) &&
		       work_commit(work, 1, 100) && work_check(work));
	}
	return stage_end(work, complaint);
}

/* The process ends, the next one reads what the page cache shows, builds on
 * it, is acknowledged; then power is cut. */
static bool doubt_then_cut(struct workload *work)
{
	const struct sim_crash nothing = {SIM_KEEP_NOTHING, 0};
	struct simdisk *image;

	stage_kill(work);
	if (!work_reopen(work) || !work_commit(work, 1, 100))
		return false;
	stage_kill(work);
	image = simdisk_crash(work->disk, nothing);
	simdisk_free(work->disk);
	work->disk = image;
	return stage_is_whole(work, "after the power cut");
}

bool fault_39_a_lying_page_cache_is_not_believed(struct complaint *complaint)
{
	struct workload *work = stage_begin(39);

	if (work_create(work) && work_commit(work, 3, 400) &&
	    commit_in_doubt(work, NULL))
		(void)doubt_then_cut(work);
	return stage_end(work, complaint);
}

/* What was synced before the anchor is read as the cache has it; what came
 * behind it, in the same page even, is not. */
bool fault_39_a_lying_page_cache_behind_the_anchor(struct complaint *complaint)
{
	struct workload *work = stage_begin(41);

	if (work_create(work) && work_commit(work, 3, 400) &&
	    wb_store_mark(work->store) == WB_OK && commit_in_doubt(work, NULL))
		(void)doubt_then_cut(work);
	return stage_end(work, complaint);
}

bool fault_39_a_lying_page_cache_of_the_anchor(struct complaint *complaint)
{
	struct workload *work = stage_begin(40);
	enum wb_error error = WB_OK;

	/* The first sync of the anchor after creation is that of the next
	 * segment's beginning. */
	if (work_create(work)) {
		fail_sync(work, "anchor");
		while (!error && simdisk_faults_fired(work->disk) == 0) {
			struct store_ticket ticket = {0};

			error = work_stage(work, 1, 1500, &ticket);
			if (!error)
				error = store_wait(work->store, &ticket);
			if (!error)
				oracle_ack(&work->oracle);
		}
		simdisk_faults_clear(work->disk);
		if (error != WB_OUTCOME_UNKNOWN)
			(void)work_trouble(work, "a rotation", error);
		else
			(void)doubt_then_cut(work);
	}
	return stage_end(work, complaint);
}

/* ---- while a sync is on its way ---- */

static enum wb_error put_own(void *context, struct wb_txn *txn)
{
	(void)context;
	return wb_txn_put(txn, &own_key, (struct wb_bytes){"v", 1},
			  (struct wb_precondition){.kind = WB_IF_ANY});
}

static void look_during_sync(void *context, enum sim_op op, const char *name)
{
	struct workload *work = context;
	struct wb_stat stat = {.size = sizeof(stat)};
	struct wb_record record;
	uint8_t buffer[16];
	enum wb_error error;

	(void)op;
	(void)name;
	error = wb_get(work->store, &own_key, buffer, sizeof(buffer), &record);
	if (error != WB_NOT_FOUND)
		(void)complain_of(&work->context.complaint, check_order,
				  "getting what is being synced: %s",
				  wb_error_text(error));
	if (wb_store_stat(work->store, &stat) || stat.revision != 0)
		(void)complain_of(&work->context.complaint, check_order,
				  "revision %" PRIu64 " is called durable",
				  stat.revision);
}

bool nothing_is_visible_before_it_is_durable(struct complaint *complaint)
{
	struct workload *work = stage_begin(41);

	if (work_create(work)) {
		simdisk_observe(work->disk, SIM_SYNC, look_during_sync, work);
		if (wb_update(work->store, NULL, put_own, NULL, NULL))
			(void)work_trouble(work, "a commit", WB_USAGE);
		simdisk_observe(work->disk, SIM_SYNC, NULL, NULL);
	}
	return stage_end(work, complaint);
}

/* ---- what was seen and is not durable ---- */

static bool stage_own(struct workload *work)
{
	struct store_ticket ticket;
	struct wb_txn *txn;

	if (wb_txn_begin(work->store, NULL, &txn, NULL) || put_own(NULL, txn) ||
	    store_stage(txn, &ticket))
		return work_trouble(work, "staging", WB_USAGE);
	return true;
}

bool an_abort_waits_for_what_it_has_seen(struct complaint *complaint)
{
	struct workload *work = stage_begin(42);
	struct wb_record record;
	uint8_t buffer[16];
	struct wb_txn *txn;
	enum wb_error error;

	if (!work_create(work) || !stage_own(work))
		return stage_end(work, complaint);
	error = wb_txn_begin(work->store, NULL, &txn, NULL);
	if (!error)
		error = wb_txn_get(txn, &own_key, buffer, sizeof(buffer),
				   &record);
	if (error) {
		(void)work_trouble(work, "seeing what is staged", error);
		return stage_end(work, complaint);
	}
	fail_sync(work, NULL);
	error = wb_txn_abort(txn);
	if (error != WB_OUTCOME_UNKNOWN)
		(void)complain_of(&work->context.complaint, check_order,
				  "an abort after seeing what was lost: %s",
				  wb_error_text(error));
	return stage_end(work, complaint);
}

bool a_refusal_waits_for_what_it_has_seen(struct complaint *complaint)
{
	const struct wb_precondition absent = {.kind = WB_IF_ABSENT};
	struct workload *work = stage_begin(43);
	struct wb_txn *txn;
	enum wb_error error;

	if (!work_create(work) || !stage_own(work))
		return stage_end(work, complaint);
	error = wb_txn_begin(work->store, NULL, &txn, NULL);
	if (!error)
		error = wb_txn_put(txn, &own_key, (struct wb_bytes){"w", 1},
				   absent);
	if (error != WB_PRECONDITION)
		(void)work_trouble(work, "a precondition", error);
	fail_sync(work, NULL);
	error = wb_txn_commit(txn, NULL);
	if (error != WB_OUTCOME_UNKNOWN)
		(void)complain_of(&work->context.complaint, check_order,
				  "a refusal because of what was lost: %s",
				  wb_error_text(error));
	return stage_end(work, complaint);
}
