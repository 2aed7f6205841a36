/* SPDX-License-Identifier: Apache-2.0
 *
 * The workloads of the crash loop, and the moments at which they are cut.
 */
#include "tests/support/crashwork.h"
#include "tests/support/hush.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	GROUP_COMMITS_MAX = 5,
	STEPS_MIN = 10,
	STEPS_MAX = 24,
	SUBSETS_OF = 5, /* so many pending changes: every subset */
	RANDOM_IMAGES = 6,
	SECTOR_IMAGES = 4,	 /* with parts of writes */
	SECTOR_IMAGES_SYNC = 60, /* where a sync comes next */
	KILLED_EVERY = 4,
};

const char check_workload[] = "the workload meets no error but planned ones";

bool work_ok(const struct workload *work)
{
	return !work->context.complaint.check;
}

bool work_trouble(struct workload *work, const char *doing, enum wb_error error)
{
	return complain_of(&work->context.complaint, check_workload,
			   "%s: %s (%s)", doing, wb_error_text(error),
			   work->text.text);
}

/* ---- moments ---- */

static bool last_log(void *context, const char *path, uint64_t size)
{
	char *last = context;

	(void)size;
	if (strstr(path, ".log"))
		snprintf(last, 32, "%s", path);
	return true;
}

static bool newest_segment_empty(struct simdisk *disk)
{
	char last[32] = "";
	uint64_t first_frame = 0;

	simdisk_each(disk, last_log, last);
	if (!last[0])
		return false;
	simdisk_get(disk, last, &first_frame, sizeof(first_frame), 8192);
	return first_frame == 0;
}

static void cut(struct workload *work, const struct promise *promise,
		enum sim_keep keep, uint64_t seed)
{
	struct sim_crash crash = {keep, seed};

	if (!work_ok(work))
		return;
	(void)image_examine(&work->context, simdisk_crash(work->disk, crash),
			    promise, IMAGE_CUT);
}

static void cut_in_many_ways(struct workload *work,
			     const struct promise *promise, enum sim_op op)
{
	uint64_t sector_images =
		op == SIM_SYNC ? SECTOR_IMAGES_SYNC : SECTOR_IMAGES;
	enum nesting nesting = work->context.nesting;
	size_t pending = simdisk_pending(work->disk);
	struct rng *rng = &work->context.rng;
	uint64_t at;

	for (at = 0; at < UINT64_C(1) << SUBSETS_OF && pending <= SUBSETS_OF;
	     at++)
		if (at >> pending == 0)
			cut(work, promise, SIM_KEEP_MASK, at);
	if (pending > SUBSETS_OF) {
		for (at = 0; at <= pending; at++)
			cut(work, promise, SIM_KEEP_PREFIX, at);
		for (at = 0; at < RANDOM_IMAGES; at++)
			cut(work, promise, SIM_KEEP_RANDOM, rng_next(rng));
		cut(work, promise, SIM_KEEP_NAMES, 0);
		cut(work, promise, SIM_KEEP_DATA, 0);
	}
	/* What is torn is cut, which takes most steps. */
	if (op == SIM_SYNC)
		work->context.nesting = NEST_OFTEN;
	for (at = 0; at < sector_images && pending > 0; at++)
		cut(work, promise,
		    rng_chance(rng, 1, 2) ? SIM_KEEP_TORN : SIM_KEEP_SECTORS,
		    rng_next(rng));
	work->context.nesting = nesting;
}

static void kill_process(struct workload *work, const struct promise *promise)
{
	if (!work_ok(work))
		return;
	crash_count(&work->context, CRASH_KILLED);
	(void)image_examine(&work->context, simdisk_clone(work->disk), promise,
			    IMAGE_KILLED);
}

void workload_moment(struct workload *work, enum sim_op next)
{
	struct crash_context *context = &work->context;
	const struct promise promise = {
		.min = work->oracle.acked,
		.max = work->oracle.staged,
		.maybe_absent = !work->created,
	};

	if (!work_ok(work))
		return;
	crash_count(context, CRASH_MOMENTS);
	if (work->refused)
		crash_count(context, CRASH_REFUSED);
	if (newest_segment_empty(work->disk))
		crash_count(context, CRASH_ROTATED);
	if (work->watching == WATCH_ALL)
		cut_in_many_ways(work, &promise, next);
	if (work->watching == WATCH_CUT)
		cut(work, &promise, work->keep, rng_next(&context->rng));
	if (work->watching == WATCH_KILL ||
	    (work->watching == WATCH_ALL &&
	     rng_chance(&context->rng, 1, KILLED_EVERY)))
		kill_process(work, &promise);
}

static void moment_hook(void *context, enum sim_op op, const char *name)
{
	struct workload *work = context;

	(void)name;
	workload_moment(work, op);
	if (op == SIM_SYNC)
		work->refused = false;
}

/* ---- a store at work ---- */

void workload_begin(struct workload *work, struct crash_shared *shared,
		    uint64_t seed)
{
	*work = (struct workload){
		.context = {.shared = shared,
			    .seed = seed,
			    .rng = rng_of(~seed)},
		.disk = simdisk_new(),
		.rng = rng_of(seed),
	};
	simenv_init(&work->env, seed);
	oracle_init(&work->oracle);
	work->context.oracle = &work->oracle;
}

void workload_end(struct workload *work)
{
	store_abandon(work->store);
	simdisk_free(work->disk);
	simenv_release(&work->env);
	oracle_release(&work->oracle);
}

void workload_watch(struct workload *work, enum watching watching,
		    enum sim_keep keep)
{
	work->watching = watching;
	work->keep = keep;
	simdisk_observe(work->disk, SIM_ANY_CHANGE, moment_hook, work);
}

enum wb_error work_open(struct workload *work, uint32_t flags)
{
	struct wb_open_options options = crash_open_options(flags);

	options.report = hush;
	if (work->segment_bytes)
		options.segment_bytes = work->segment_bytes;
	work->text.text[0] = '\0';
	return store_open_on(simdisk_dir(work->disk), &work->env.env, &options,
			     &work->store, &work->text);
}

void workload_look_away(struct workload *work)
{
	simdisk_observe(work->disk, SIM_ANY_CHANGE, NULL, NULL);
}

bool work_create(struct workload *work)
{
	enum wb_error error = work_open(work, WB_OPEN_CREATE);

	work->created = !error;
	return !error || work_trouble(work, "creating", error);
}

bool work_reopen(struct workload *work)
{
	struct oracle *oracle = &work->oracle;
	enum wb_error error;
	uint64_t revision;

	if (!work_ok(work))
		return false;
	error = work_open(work, 0);
	if (error)
		return complain_of(&work->context.complaint, check_opens,
				   "opening again: %s (%s)",
				   wb_error_text(error), work->text.text);
	if (!oracle_revision(work->store, oracle->acked, oracle->staged,
			     &work->context.complaint, &revision))
		return false;
	oracle_cut(oracle, revision);
	return true;
}

bool work_kill(struct workload *work)
{
	store_abandon(work->store);
	work->store = NULL;
	return work_reopen(work);
}

bool work_close(struct workload *work)
{
	enum wb_error error = wb_store_close(work->store);

	work->store = NULL;
	if (error)
		return work_trouble(work, "closing", error);
	return work_reopen(work);
}

bool work_check(struct workload *work)
{
	uint64_t revision;

	return work_ok(work) &&
	       oracle_revision(work->store, work->oracle.acked,
			       work->oracle.acked, &work->context.complaint,
			       &revision) &&
	       oracle_check(&work->oracle, work->store, revision, false,
			    &work->rng, &work->context.complaint);
}

enum wb_error work_stage(struct workload *work, size_t commits,
			 size_t value_bytes_max,
			 struct store_ticket *ret_ticket)
{
	struct store_ticket ticket;
	enum wb_error error = WB_OK;

	while (commits-- > 0 && !error) {
		size_t changes =
			rng_chance(&work->rng, 1, 3) ? ORACLE_CHANGES_MAX : 2;
		struct oracle_commit plan =
			oracle_plan(&work->oracle, &work->rng, changes,
				    value_bytes_max);

		error = oracle_stage(&work->oracle, work->store, &plan,
				     &ticket);
		if (!error)
			*ret_ticket = ticket;
	}
	return error;
}

bool work_commit(struct workload *work, size_t commits, size_t value_bytes_max)
{
	struct store_ticket ticket = {0};
	enum wb_error error;

	if (!work_ok(work))
		return false;
	error = work_stage(work, commits, value_bytes_max, &ticket);
	if (!error)
		error = store_wait(work->store, &ticket);
	if (error)
		return work_trouble(work, "committing", error);
	oracle_ack(&work->oracle);
	return true;
}

/* ---- random steps ---- */

/* Some creations meet a fault first, which may also come after all that
 * creation does. */
static void step_create(struct workload *work)
{
	const struct sim_fault fault = {
		.kind = SIM_ANY_CHANGE,
		.nth = 1 + rng_below(&work->rng, 16),
		.error = rng_chance(&work->rng, 1, 2) ? WB_NO_SPACE : WB_IO,
		.partial = true,
	};

	if (rng_chance(&work->rng, 1, 3)) {
		simdisk_fault(work->disk, fault);
		work->created = work_open(work, WB_OPEN_CREATE) == WB_OK;
		simdisk_faults_clear(work->disk);
	}
	if (!work->created)
		(void)work_create(work);
}

/* Groups of commits; some meet a disk that takes only a part. */
static void step_commit(struct workload *work, size_t value_bytes_max)
{
	size_t commits = 1 + (size_t)rng_below(&work->rng, GROUP_COMMITS_MAX);
	bool faulty = rng_chance(&work->rng, 1, 6);
	struct store_ticket ticket = {0};
	enum wb_error error;

	error = work_stage(work, commits, value_bytes_max, &ticket);
	if (!error && faulty)
		simdisk_fault(work->disk,
			      (struct sim_fault){
				      .kind = SIM_WRITE,
				      .nth = 1 + rng_below(&work->rng, 4),
				      .error = WB_NO_SPACE,
				      .partial = true,
			      });
	if (!error)
		error = store_wait(work->store, &ticket);
	simdisk_faults_clear(work->disk);
	if (!error) {
		oracle_ack(&work->oracle);
	} else if (faulty && error == WB_NO_SPACE) {
		oracle_void(&work->oracle);
		work->refused = true;
	} else if (faulty && error == WB_OUTCOME_UNKNOWN) {
		(void)work_kill(work);
	} else if (error == WB_STOPPED) {
		/* The anchor behind an earlier group met the fault. */
		(void)work_kill(work);
	} else {
		(void)work_trouble(work, "committing", error);
	}
}

static void step_mark(struct workload *work)
{
	enum wb_error error = wb_store_mark(work->store);

	if (error == WB_STOPPED)
		(void)work_kill(work);
	else if (error)
		(void)work_trouble(work, "a mark", error);
}

/* What was staged and never flushed is gone with the process. */
static void step_stage_and_kill(struct workload *work)
{
	struct store_ticket ticket;
	enum wb_error error = work_stage(work, 2, 100, &ticket);

	if (error && error != WB_STOPPED)
		(void)work_trouble(work, "staging", error);
	(void)work_kill(work);
}

static void step_retry(struct workload *work)
{
	static const struct wb_actor actor = {1000, 100, 42, "oracle"};
	const struct oracle *oracle = &work->oracle;
	uint64_t revision =
		oracle->acked ? 1 + rng_below(&work->rng, oracle->acked) : 0;
	const struct oracle_commit *commit = &oracle->commits[revision];
	struct wb_txn_options options = {.size = sizeof(options),
					 .actor = &actor};
	struct wb_outcome outcome = {0};
	struct wb_txn *txn = NULL;
	enum wb_error error;

	options.operation_id = (struct wb_bytes){commit->operation_id,
						 strlen(commit->operation_id)};
	if (options.operation_id.size == 0)
		return;
	error = wb_txn_begin(work->store, &options, &txn, &outcome);
	if (error == WB_STOPPED) {
		(void)work_kill(work);
		return;
	}
	if (error || txn || !outcome.replayed || outcome.revision != revision)
		(void)complain_of(&work->context.complaint, check_workload,
				  "the operation of revision %" PRIu64
				  " was done again: %s",
				  revision, wb_error_text(error));
	if (txn)
		(void)wb_txn_abort(txn);
}

static void step(struct workload *work)
{
	uint64_t dice = rng_below(&work->rng, 100);

	if (dice < 62)
		step_commit(work, rng_chance(&work->rng, 1, 2) ? 6000 : 600);
	else if (dice < 65)
		step_commit(work, ORACLE_VALUE_BYTES_MAX);
	else if (dice < 73)
		step_mark(work);
	else if (dice < 80)
		(void)work_close(work);
	else if (dice < 86)
		(void)work_kill(work);
	else if (dice < 88)
		step_stage_and_kill(work);
	else if (dice < 94)
		step_retry(work);
	else
		simenv_advance(&work->env, INT64_C(700000000));
}

/* ---- one workload ---- */

void workload_run(struct workload *work)
{
	uint64_t steps =
		STEPS_MIN + rng_below(&work->rng, STEPS_MAX - STEPS_MIN + 1);

	workload_watch(work, WATCH_ALL, SIM_KEEP_ALL);
	step_create(work);
	while (steps-- > 0 && work_ok(work) &&
	       !atomic_load(&work->context.shared->stop))
		step(work);
	if (work->store && work_ok(work) && rng_chance(&work->rng, 1, 2)) {
		enum wb_error error = wb_store_close(work->store);

		work->store = NULL;
		if (error && error != WB_STOPPED)
			(void)work_trouble(work, "closing", error);
	}
	workload_moment(work, SIM_ANY);
	crash_count(&work->context, CRASH_WORKLOADS);
}
