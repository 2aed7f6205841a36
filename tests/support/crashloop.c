/* SPDX-License-Identifier: Apache-2.0
 *
 * The workloads of the crash loop, and the moments at which they are cut.
 */
#include "tests/support/crashloop.h"

#include "tests/support/crashimage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GROUP_COMMITS_MAX = 5,
	STEPS_MIN = 10,
	STEPS_MAX = 24,
	SUBSETS_OF = 5, /* so many pending changes: every subset */
	RANDOM_IMAGES = 6,
	SECTOR_IMAGES = 4,	 /* with parts of writes */
	SECTOR_IMAGES_SYNC = 60, /* where a sync comes next */
	KILLED_EVERY = 4,
	PROCESSES_MAX = 16,
};

const char check_workload[] = "the workload meets no error but planned ones";

struct workload {
	struct crash_context context;
	struct simdisk *disk;
	struct simenv env;
	struct oracle oracle;
	struct wb_store *store;
	struct rng rng;
	bool created;
	bool refused; /* the last group was, and nothing was synced since */
};

static bool failed(const struct workload *work)
{
	return work->context.complaint.check != NULL;
}

static bool trouble(struct workload *work, const char *doing,
		    enum wb_error error)
{
	return complain_of(&work->context.complaint, check_workload, "%s: %s",
			   doing, wb_error_text(error));
}

/* ---- moments ---- */

static void cut(struct workload *work, const struct promise *promise,
		enum sim_keep keep, uint64_t seed)
{
	struct sim_crash crash = {keep, seed};

	if (failed(work))
		return;
	(void)image_examine(&work->context, simdisk_crash(work->disk, crash),
			    promise, IMAGE_CUT);
}

static void cut_in_many_ways(struct workload *work,
			     const struct promise *promise, enum sim_op op)
{
	uint64_t sector_images =
		op == SIM_SYNC ? SECTOR_IMAGES_SYNC : SECTOR_IMAGES;
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
	for (at = 0; at < sector_images && pending > 0; at++)
		cut(work, promise,
		    rng_chance(rng, 1, 2) ? SIM_KEEP_TORN : SIM_KEEP_SECTORS,
		    rng_next(rng));
}

static bool newest_segment_empty(struct simdisk *disk);

static void moment(struct workload *work, enum sim_op next)
{
	struct crash_context *context = &work->context;
	const struct promise promise = {
		.min = work->oracle.acked,
		.max = work->oracle.staged,
		.maybe_absent = !work->created,
	};

	if (failed(work))
		return;
	crash_count(context, CRASH_MOMENTS);
	if (work->refused)
		crash_count(context, CRASH_REFUSED);
	if (newest_segment_empty(work->disk))
		crash_count(context, CRASH_ROTATED);
	cut_in_many_ways(work, &promise, next);
	if (!failed(work) && rng_chance(&context->rng, 1, KILLED_EVERY)) {
		crash_count(context, CRASH_KILLED);
		(void)image_examine(context, simdisk_clone(work->disk),
				    &promise, IMAGE_KILLED);
	}
}

static void moment_hook(void *context, enum sim_op op, const char *name)
{
	struct workload *work = context;

	(void)name;
	moment(work, op);
	if (op == SIM_SYNC)
		work->refused = false;
}

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

/* ---- steps ---- */

static void report_nothing(void *context, enum wb_severity severity,
			   const char *line)
{
	(void)context;
	(void)severity;
	(void)line;
}

static enum wb_error workload_open(struct workload *work, uint32_t flags)
{
	struct wb_open_options options = crash_open_options(flags);

	options.report = report_nothing;
	return store_open_on(simdisk_dir(work->disk), &work->env.env, &options,
			     &work->store, NULL);
}

/* Some creations meet a fault first. */
static void step_create(struct workload *work)
{
	enum wb_error error;

	if (rng_chance(&work->rng, 1, 3)) {
		simdisk_fault(work->disk,
			      (struct sim_fault){
				      .kind = SIM_ANY_CHANGE,
				      .nth = 1 + rng_below(&work->rng, 16),
				      .error = rng_chance(&work->rng, 1, 2)
						       ? WB_NO_SPACE
						       : WB_IO,
				      .partial = true,
			      });
		error = workload_open(work, WB_OPEN_CREATE);
		simdisk_faults_clear(work->disk);
		if (!error) { /* the fault was behind it, or not needed */
			work->created = true;
			return;
		}
	}
	error = workload_open(work, WB_OPEN_CREATE);
	if (error)
		(void)trouble(work, "creating", error);
	else
		work->created = true;
}

/* Open again; what is found is what there is from now on. */
static void reopen(struct workload *work)
{
	struct oracle *oracle = &work->oracle;
	enum wb_error error;
	uint64_t revision;

	work->store = NULL;
	if (failed(work))
		return;
	error = workload_open(work, 0);
	if (error) {
		(void)trouble(work, "opening again", error);
		return;
	}
	if (oracle_revision(work->store, oracle->acked, oracle->staged,
			    &work->context.complaint, &revision))
		oracle_cut(oracle, revision);
}

static void step_kill(struct workload *work)
{
	store_abandon(work->store);
	reopen(work);
}

static void step_close(struct workload *work)
{
	enum wb_error error = wb_store_close(work->store);

	work->store = NULL;
	if (error)
		(void)trouble(work, "closing", error);
	reopen(work);
}

static enum wb_error stage_group(struct workload *work, size_t commits,
				 size_t value_bytes_max,
				 struct store_ticket *ret_ticket)
{
	enum wb_error error = WB_OK;

	while (commits-- > 0 && !error) {
		size_t changes =
			rng_chance(&work->rng, 1, 3) ? ORACLE_CHANGES_MAX : 2;
		struct oracle_commit plan =
			oracle_plan(&work->oracle, &work->rng, changes,
				    value_bytes_max);

		error = oracle_stage(&work->oracle, work->store, &plan,
				     ret_ticket);
	}
	return error;
}

/* Groups of commits; some meet a disk that takes only a part. */
static void step_commit(struct workload *work, size_t value_bytes_max)
{
	size_t commits = 1 + (size_t)rng_below(&work->rng, GROUP_COMMITS_MAX);
	bool faulty = rng_chance(&work->rng, 1, 6);
	struct store_ticket ticket = {0};
	enum wb_error error;

	error = stage_group(work, commits, value_bytes_max, &ticket);
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
		step_kill(work);
	} else if (error == WB_STOPPED) {
		/* The anchor behind an earlier group met the fault. */
		step_kill(work);
	} else {
		(void)trouble(work, "committing", error);
	}
}

static void step_mark(struct workload *work)
{
	enum wb_error error = wb_store_mark(work->store);

	if (error == WB_STOPPED)
		step_kill(work);
	else if (error)
		(void)trouble(work, "a mark", error);
}

/* What was staged and never flushed is gone with the process. */
static void step_stage_and_kill(struct workload *work)
{
	struct store_ticket ticket;
	enum wb_error error = stage_group(work, 2, 100, &ticket);

	if (error && error != WB_STOPPED)
		(void)trouble(work, "staging", error);
	step_kill(work);
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
		step_kill(work);
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
		step_close(work);
	else if (dice < 86)
		step_kill(work);
	else if (dice < 88)
		step_stage_and_kill(work);
	else if (dice < 94)
		step_retry(work);
	else
		simenv_advance(&work->env, INT64_C(700000000));
}

/* ---- one workload ---- */

static void workload_run(struct workload *work)
{
	uint64_t steps =
		STEPS_MIN + rng_below(&work->rng, STEPS_MAX - STEPS_MIN + 1);

	work->disk = simdisk_new();
	simenv_init(&work->env, work->context.seed);
	oracle_init(&work->oracle);
	work->context.oracle = &work->oracle;
	simdisk_observe(work->disk, SIM_ANY_CHANGE, moment_hook, work);
	step_create(work);
	while (steps-- > 0 && !failed(work) &&
	       !atomic_load(&work->context.shared->stop))
		step(work);
	if (work->store && !failed(work) && rng_chance(&work->rng, 1, 2)) {
		(void)wb_store_close(work->store);
		work->store = NULL;
	}
	store_abandon(work->store);
	moment(work, SIM_ANY);
	crash_count(&work->context, CRASH_WORKLOADS);
	simdisk_free(work->disk);
	simenv_release(&work->env);
	oracle_release(&work->oracle);
}

/* ---- many ---- */

struct loop {
	const struct crashloop_options *options;
	struct crash_shared *shared;
	struct seen_set images;
	struct seen_set examined;
	/* One report a process: the complaint and its seed. */
	struct crashloop_report *reports;
};

static bool loop_goes_on(const struct loop *loop, uint64_t number)
{
	const struct crashloop_options *options = loop->options;
	uint64_t images = atomic_load(&loop->shared->counts[CRASH_IMAGES]);

	return !atomic_load(&loop->shared->stop) &&
	       (!options->workloads_max || number < options->workloads_max) &&
	       (!options->images_min || images < options->images_min);
}

static void loop_process(struct loop *loop, unsigned process)
{
	const struct crashloop_options *options = loop->options;
	struct crashloop_report *report = &loop->reports[process];
	struct workload *work = calloc(1, sizeof(*work));
	uint64_t number;

	if (!work)
		abort();
	for (number = process; loop_goes_on(loop, number);
	     number += options->processes) {
		uint64_t seed = options->seed + number;

		*work = (struct workload){
			.context = {.shared = loop->shared,
				    .images = &loop->images,
				    .examined = &loop->examined,
				    .seed = seed,
				    .rng = rng_of(~seed)},
			.rng = rng_of(seed),
		};
		workload_run(work);
		if (!failed(work))
			continue;
		report->complaint = work->context.complaint;
		report->seed = seed;
		atomic_store(&loop->shared->stop, true);
	}
	free(work);
}

/* A child that dies takes its complaint with it; its end is one. */
static void loop_fork(struct loop *loop)
{
	pid_t children[PROCESSES_MAX];
	unsigned at;

	for (at = 0; at < loop->options->processes; at++) {
		children[at] = fork();
		if (children[at] < 0)
			abort();
		if (children[at] == 0) {
			loop_process(loop, at);
			_exit(0);
		}
	}
	for (at = 0; at < loop->options->processes; at++) {
		int status;

		while (waitpid(children[at], &status, 0) < 0)
			if (errno != EINTR)
				abort();
		if (status != 0) {
			atomic_store(&loop->shared->stop, true);
			(void)complain_of(&loop->reports[at].complaint,
					  check_workload,
					  "the process died: status %d",
					  status);
		}
	}
}

static void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	return memory;
}

bool crashloop_run(const struct crashloop_options *options,
		   struct crashloop_report *ret_report)
{
	size_t reports_bytes = PROCESSES_MAX * sizeof(*ret_report);
	uint64_t images = options->images_min ? options->images_min : 1u << 18;
	struct loop loop = {
		.options = options,
		.shared = shared_memory(sizeof(*loop.shared)),
		.images = seen_set_new(images + images / 2),
		.examined = seen_set_new(6 * images),
		.reports = shared_memory(reports_bytes),
	};

	assert(options->processes > 0 && options->processes <= PROCESSES_MAX);
	/* Else each open begins by clearing 2 MiB. */
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (options->processes == 1)
		loop_process(&loop, 0);
	else
		loop_fork(&loop);
	*ret_report = (struct crashloop_report){.seed = options->seed};
	for (unsigned at = 0; at < options->processes; at++)
		if (loop.reports[at].complaint.check)
			*ret_report = loop.reports[at];
	for (int at = 0; at < CRASH_COUNT_COUNT; at++)
		ret_report->counts[at] = atomic_load(&loop.shared->counts[at]);
	munmap(loop.shared, sizeof(*loop.shared));
	munmap(loop.reports, reports_bytes);
	seen_set_free(&loop.images);
	seen_set_free(&loop.examined);
	return !ret_report->complaint.check;
}

void crashloop_print(const struct crashloop_report *report)
{
	static const char *const texts[] = {
#define CRASH_COUNT_TEXT(name, text) [CRASH_##name] = text,
		CRASH_COUNT_LIST(CRASH_COUNT_TEXT)
#undef CRASH_COUNT_TEXT
	};

	for (int at = 0; at < CRASH_COUNT_COUNT; at++)
		printf("count: crash %s: %" PRIu64 "\n", texts[at],
		       report->counts[at]);
}

uint64_t seed_from_environment(uint64_t seed, bool *ret_given)
{
	const char *text = getenv("WAYBILL_SEED");

	*ret_given = text && *text;
	return *ret_given ? strtoull(text, NULL, 0) : seed;
}
