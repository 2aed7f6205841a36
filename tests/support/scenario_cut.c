/* SPDX-License-Identifier: Apache-2.0
 *
 * Power cuts and kills, one kind at a time.
 */
#include "tests/support/stage.h"

#include "tests/support/simpages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A store's whole life in little: creation, rotations, a mark, a clean end, a
 * kill. */
static void live(struct workload *work)
{
	if (work_create(work) && stage_fill(work, 3) &&
	    wb_store_mark(work->store) == WB_OK && work_close(work) &&
	    work_commit(work, 3, 600) && work_kill(work) &&
	    work_commit(work, 2, 600))
		(void)stage_fill(work, 5);
	workload_moment(work, SIM_ANY);
}

static bool live_and_cut(struct complaint *complaint, enum sim_keep keep)
{
	struct workload *work = stage_begin(1);

	workload_watch(work, WATCH_CUT, keep);
	live(work);
	return stage_end(work, complaint);
}

bool fault_01_what_was_acknowledged_needs_nothing_unsynced(
	struct complaint *complaint)
{
	return live_and_cut(complaint, SIM_KEEP_NOTHING);
}

bool fault_08_contents_durable_name_not(struct complaint *complaint)
{
	return live_and_cut(complaint, SIM_KEEP_DATA);
}

bool fault_02_unsynced_changes_arrive_in_any_order(struct complaint *complaint)
{
	for (int at = 0; at < 4; at++)
		if (!live_and_cut(complaint, SIM_KEEP_NAMES) ||
		    !live_and_cut(complaint, SIM_KEEP_MASK) ||
		    !live_and_cut(complaint, SIM_KEEP_RANDOM) ||
		    !live_and_cut(complaint, SIM_KEEP_SECTORS))
			return false;
	return true;
}

bool fault_08_the_name_of_a_new_store(struct complaint *complaint)
{
	struct workload *work = stage_begin(1);

	if (work_create(work)) {
		workload_watch(work, WATCH_CUT, SIM_KEEP_NOTHING);
		workload_moment(work, SIM_ANY);
		(void)work_commit(work, 1, 100);
		workload_moment(work, SIM_ANY);
	}
	return stage_end(work, complaint);
}

bool fault_13_what_a_killed_process_left_is_made_durable(
	struct complaint *complaint)
{
	/* What the successor does before power is cut differs by the seed. */
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct workload *work = stage_begin(seed);

		workload_watch(work, WATCH_KILL, SIM_KEEP_ALL);
		live(work);
		if (!stage_end(work, complaint))
			return false;
	}
	return true;
}

bool fault_09_sealing_is_cut_anywhere(struct complaint *complaint)
{
	struct workload *work = stage_begin(1);

	if (work_create(work) && stage_fill(work, 2)) {
		workload_watch(work, WATCH_ALL, SIM_KEEP_ALL);
		(void)stage_fill(work, 3);
		workload_moment(work, SIM_ANY);
	}
	return stage_end(work, complaint);
}

/* ---- torn frames ---- */

/* Stage a group and write it; the disk as it is when its sync comes next. */
struct in_flight {
	struct workload *work;
	struct simdisk *disk; /* a copy, nothing of the group is synced */
	uint64_t at;	      /* where it begins */
};

static void take_at_sync(void *context, enum sim_op op, const char *name)
{
	struct in_flight *flight = context;

	(void)op;
	(void)name;
	if (!flight->disk)
		flight->disk = simdisk_clone(flight->work->disk);
}

/* Commits with at least so many bytes of values. */
static enum wb_error stage_bytes(struct workload *work, size_t commits,
				 size_t bytes)
{
	struct store_ticket ticket;
	enum wb_error error = WB_OK;
	size_t staged = 0, count = 0;

	while (!error && (count < commits || staged < bytes)) {
		struct oracle_commit plan =
			oracle_plan(&work->oracle, &work->rng, 1, 2000);

		staged += plan.changes[0].value_bytes;
		count++;
		error = oracle_stage(&work->oracle, work->store, &plan,
				     &ticket);
	}
	return error;
}

static bool group_in_flight(struct workload *work, size_t commits, size_t bytes,
			    struct in_flight *ret_flight)
{
	struct frame_place places[FRAMES_MAX];
	size_t count;

	if (!work_create(work) || !work_commit(work, 1, 100))
		return false;
	*ret_flight = (struct in_flight){.work = work};
	count = stage_frames(work, 1, places);
	ret_flight->at =
		places[count - 1].at + places[count - 1].frame.frame_bytes;
	if (stage_bytes(work, commits, bytes))
		return work_trouble(work, "staging", WB_USAGE);
	simdisk_observe(work->disk, SIM_SYNC, take_at_sync, ret_flight);
	if (store_flush(work->store))
		return work_trouble(work, "flushing", WB_USAGE);
	workload_look_away(work);
	return true;
}

static struct promise in_flight_promise(const struct workload *work)
{
	return (struct promise){
		.min = work->oracle.acked,
		.max = work->oracle.staged,
	};
}

/* So many images with some sectors of the group, each opened, and cut again
 * while that goes on. */
static void tear(struct workload *work, const struct in_flight *flight,
		 int images)
{
	const struct promise promise = in_flight_promise(work);
	struct rng rng = rng_of(work->context.seed);

	while (images-- > 0 && work_ok(work)) {
		struct sim_crash crash = {SIM_KEEP_SECTORS, rng_next(&rng)};

		(void)image_examine(&work->context,
				    simdisk_crash(flight->disk, crash),
				    &promise, IMAGE_CUT);
	}
	if (work_ok(work) &&
	    atomic_load(&work->context.shared->counts[CRASH_TORN]) == 0)
		(void)work_trouble(work, "no image was torn", WB_OK);
}

bool fault_03_a_frame_torn_at_any_sector_is_cut_and_kept(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(3);
	struct in_flight flight = {0};

	if (group_in_flight(work, 1, 1500, &flight))
		tear(work, &flight, 40);
	simdisk_free(flight.disk);
	return stage_end(work, complaint);
}

/* The group's bytes from `size` on are zero. */
static struct simdisk *torn_behind(const struct in_flight *flight,
				   uint64_t size)
{
	const struct sim_crash all = {SIM_KEEP_ALL, 0};
	struct simdisk *image = simdisk_crash(flight->disk, all);
	uint64_t at = flight->at + size;
	uint64_t end = simdisk_size(image, stage_path(1));
	uint8_t *zeros = sim_alloc(end - at);

	simdisk_set(image, stage_path(1), zeros, end - at, at);
	free(zeros);
	return image;
}

bool fault_03_a_frame_torn_at_any_byte_is_cut(struct complaint *complaint)
{
	struct workload *work = stage_begin(2);
	struct frame_place places[FRAMES_MAX];
	struct in_flight flight = {0};
	struct promise promise;
	size_t frames, last;

	if (group_in_flight(work, 1, 1, &flight)) {
		frames = stage_frames(work, 1, places);
		/* Its last bytes are padding, which is zero anyway. */
		last = FRAME_HEADER_BYTES +
		       places[frames - 1].frame.payload_bytes - 1;
		promise = in_flight_promise(work);
		promise.max = promise.min;
		for (size_t size = 0; size < last && work_ok(work); size++)
			(void)image_examine(&work->context,
					    torn_behind(&flight, size),
					    &promise, IMAGE_CUT);
	}
	simdisk_free(flight.disk);
	return stage_end(work, complaint);
}

/* Later frames of the group verify; they say nothing of durability, so the
 * group is cut whole, and nobody is alarmed. */
bool fault_04_a_group_without_its_first_frame_is_absent(
	struct complaint *complaint)
{
	const struct sim_crash all = {SIM_KEEP_ALL, 0};
	const uint8_t zeros[GROUP_ALIGN] = {0};
	struct workload *work = stage_begin(4);
	struct in_flight flight = {0};
	struct promise promise;
	struct simdisk *image;

	if (group_in_flight(work, 5, 2000, &flight)) {
		image = simdisk_crash(flight.disk, all);
		simdisk_set(image, stage_path(1), zeros, sizeof(zeros),
			    flight.at);
		promise = in_flight_promise(work);
		promise.max = promise.min;
		(void)image_examine(&work->context, image, &promise, IMAGE_CUT);
	}
	simdisk_free(flight.disk);
	return stage_end(work, complaint);
}

bool fault_05_zeros_behind_the_end_are_a_clean_end(struct complaint *complaint)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	struct workload *work = stage_begin(5);
	uint64_t size;

	if (work_create(work) && work_commit(work, 2, 300)) {
		stage_settle(work);
		size = simdisk_size(work->disk, stage_path(1));
		simdisk_resize(work->disk, stage_path(1), size + 100000);
		if (stage_is_whole(work, "100,000 zeros more") &&
		    (wb_store_stat(work->store, &stat) || stat.torn_bytes ||
		     simenv_count(&work->env, DIAG_WARNING)))
			(void)complain_of(&work->context.complaint, check_whole,
					  "%" PRIu64 " bytes were called torn",
					  stat.torn_bytes);
	}
	return stage_end(work, complaint);
}

/* ---- segments on their way ---- */

static bool in_tmp(void *context, const char *path, uint64_t size)
{
	bool *found = context;

	(void)size;
	*found |= strncmp(path, "tmp/", 4) == 0;
	return true;
}

bool fault_06_a_segment_not_yet_in_place_is_removed(struct complaint *complaint)
{
	const uint8_t garbage[5000] = {1, 2, 3};
	struct workload *work = stage_begin(6);
	bool found = false;

	if (work_create(work) && work_commit(work, 2, 300)) {
		stage_settle(work);
		/* Whatever a process can leave there. */
		simdisk_copy(work->disk, "tmp/segment", work->disk,
			     stage_path(1));
		simdisk_copy(work->disk, "tmp/spare", work->disk,
			     stage_path(1));
		simdisk_resize(work->disk, "tmp/spare", 0);
		simdisk_copy(work->disk, "tmp/torn", work->disk, stage_path(1));
		simdisk_set(work->disk, "tmp/torn", garbage, sizeof(garbage),
			    0);
		(void)stage_is_whole(work, "leftovers in tmp/");
		simdisk_each(work->disk, in_tmp, &found);
		if (found)
			(void)complain_of(&work->context.complaint, check_whole,
					  "tmp/ was not emptied");
	}
	return stage_end(work, complaint);
}

bool fault_07_a_name_without_contents_is_loud(struct complaint *complaint)
{
	const uint8_t zeros[SEGMENT_FRAMES_AT] = {0};
	struct workload *work = stage_begin(7);

	if (work_create(work) && stage_fill(work, 2)) {
		stage_settle(work);
		simdisk_set(work->disk, stage_path(2), zeros, sizeof(zeros), 0);
		(void)stage_is_loud(work, "a segment without its header");
		simdisk_resize(work->disk, stage_path(2), 0);
		(void)stage_is_loud(work, "an empty segment file");
	}
	return stage_end(work, complaint);
}

/* ---- recovery ---- */

bool fault_12_recovery_is_cut_twice_anywhere(struct complaint *complaint)
{
	struct workload *work = stage_begin(12);
	struct in_flight flight = {0};

	work->context.nesting = NEST_ALL;
	if (group_in_flight(work, 3, 2000, &flight))
		tear(work, &flight, 12);
	simdisk_free(flight.disk);
	return stage_end(work, complaint);
}

/* The slot that names the newest segment is bad, the other one names the one
 * before: that must not become two. */
bool fault_12_recovery_with_a_bad_anchor_slot_is_cut_anywhere(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(13);
	const uint64_t slot_bits = UINT64_C(4096) * 8;

	work->context.nesting = NEST_ALL;
	if (work_create(work) && stage_fill(work, 3)) {
		const struct promise promise = in_flight_promise(work);

		stage_settle(work);
		for (uint64_t slot = 0; slot < 2; slot++) {
			struct simdisk *image = simdisk_clone(work->disk);

			simdisk_flip(image, "anchor", slot * slot_bits + 1000);
			(void)image_examine(&work->context, image, &promise,
					    IMAGE_CUT);
		}
	}
	return stage_end(work, complaint);
}

/* ---- answers that were lost ---- */

static enum wb_error put_counter(void *context, struct wb_txn *txn)
{
	const struct wb_key key = {64, {"", 0}, {"retried", 7}};

	(void)context;
	return wb_txn_put(txn, &key, (struct wb_bytes){"once", 4},
			  (struct wb_precondition){.kind = WB_IF_ANY});
}

static bool count_version(void *context, const struct wb_version *version)
{
	size_t *count = context;

	*count += version->record.key.name.size == 7;
	return true;
}

/* The disk at some moment of the first try, the answer lost. */
static bool retry_once(struct workload *work, struct simdisk *disk,
		       const struct wb_txn_options *options)
{
	struct wb_open_options open = crash_open_options(0);
	struct wb_outcome outcome;
	struct wb_store *store;
	struct wb_text text;
	enum wb_error error;
	size_t versions = 0;

	error = store_open_on(simdisk_dir(disk), &work->env.env, &open, &store,
			      &text);
	if (error)
		return work_trouble(work, "opening", error);
	error = wb_update(store, options, put_counter, NULL, &outcome);
	if (!error)
		error = wb_log(store, 64, NULL, 0, 0, count_version, &versions);
	store_abandon(store);
	if (error)
		return work_trouble(work, "trying again", error);
	return versions == 1 ||
	       complain_of(&work->context.complaint, check_history,
			   "the operation was done %zu times", versions);
}

struct retries {
	struct workload *work;
	struct simdisk *disks[64];
	size_t count;
};

static void take_moment(void *context, enum sim_op op, const char *name)
{
	struct retries *retries = context;

	(void)op;
	(void)name;
	for (uint64_t at = 0; at < 8 && retries->count < 64; at++)
		retries->disks[retries->count++] =
			simdisk_crash(retries->work->disk,
				      (struct sim_crash){SIM_KEEP_MASK, at});
}

bool fault_16_a_retry_after_a_lost_answer_has_one_effect(
	struct complaint *complaint)
{
	static const struct wb_txn_options options = {
		.size = sizeof(options),
		.operation_id = {"op", 2},
		.request_hash = 7,
	};
	struct workload *work = stage_begin(16);
	struct retries retries = {.work = work};
	struct wb_outcome outcome;

	if (work_create(work)) {
		simdisk_observe(work->disk, SIM_ANY_CHANGE, take_moment,
				&retries);
		if (wb_update(work->store, &options, put_counter, NULL,
			      &outcome))
			(void)work_trouble(work, "trying", WB_USAGE);
		take_moment(&retries, SIM_ANY, "");
		workload_look_away(work);
		stage_kill(work);
	}
	for (size_t at = 0; at < retries.count; at++) {
		if (work_ok(work))
			(void)retry_once(work, retries.disks[at], &options);
		simdisk_free(retries.disks[at]);
	}
	return stage_end(work, complaint);
}

/* ---- no space ---- */

/* The frames that were written before the disk was full are intact, and
 * nobody was promised them: their authors were told that it failed. */
bool fault_44_what_was_refused_for_space_does_not_come_back(
	struct complaint *complaint)
{
	struct workload *work = stage_begin(44);
	struct store_ticket ticket = {0};
	enum wb_error error = WB_USAGE;
	struct promise promise;
	struct rng rng = rng_of(44);

	if (work_create(work) && work_commit(work, 2, 300))
		error = work_stage(work, 5, 600, &ticket);
	if (!error) {
		/* Not the zeros that are written ahead: those are second. */
		simdisk_fault(work->disk,
			      (struct sim_fault){.kind = SIM_WRITE,
						 .nth = 1,
						 .error = WB_NO_SPACE,
						 .partial = true,
						 .forever = true});
		error = store_wait(work->store, &ticket);
		simdisk_faults_clear(work->disk);
	}
	if (error != WB_NO_SPACE)
		(void)work_trouble(work, "a full disk", error);
	oracle_void(&work->oracle);
	promise = in_flight_promise(work);
	for (int at = 0; at < 64 && work_ok(work); at++) {
		struct sim_crash crash = {SIM_KEEP_RANDOM, rng_next(&rng)};

		(void)image_examine(&work->context,
				    simdisk_crash(work->disk, crash), &promise,
				    IMAGE_CUT);
	}
	return stage_end(work, complaint);
}
