/* SPDX-License-Identifier: Apache-2.0
 *
 * Repairs, salvages and loads of histories, each step of them missed.
 */
#include "tests/support/scenario.h"

#include "base/lock.h"
#include "dump/restore.h"
#include "repair/check.h"
#include "repair/salvage.h"
#include "store/store.h"
#include "tests/support/hush.h"
#include "tests/support/paper.h"
#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char check_fixed[] = "what was said to be fixed is fixed";
static const char check_proof[] = "nothing is rebuilt that is not proven";
static const char check_half[] = "no half store looks whole";
static const char check_done[] = "a salvaged store is on the disk";
static const char check_load[] = "a loaded store is on the disk";
static const char check_dump[] = "a dump that was changed is refused";
static const char check_read[] = "what is salvaged is read back";

enum { VALUE_BYTES = 1200 };

struct place {
	struct simdisk *disk;
	struct simenv env;
	struct paper paper; /* a history, where one is loaded */
	struct complaint *complaint;
};

static void place_init(struct place *place, struct complaint *complaint)
{
	*complaint = (struct complaint){.check = NULL};
	*place = (struct place){.disk = simdisk_new(), .complaint = complaint};
	simenv_init(&place->env, 1);
}

static bool place_end(struct place *place)
{
	paper_release(&place->paper);
	simdisk_free(place->disk);
	simenv_release(&place->env);
	return !place->complaint->check;
}

static enum wb_error open_on(struct place *place, struct simdisk *disk,
			     uint32_t flags, struct wb_store **ret_store)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = flags,
					  .segment_bytes = 16u << 10,
					  .report = hush};

	return store_open_on(simdisk_dir(disk), &place->env.env, &options,
			     ret_store, NULL);
}

static enum wb_error put(struct wb_store *store, unsigned number)
{
	static const char value[VALUE_BYTES];
	char name[32];
	struct wb_key key = {64, {"n", 1}, {name, 0}};
	struct wb_txn *txn;
	enum wb_error error = wb_txn_begin(store, NULL, &txn, NULL);

	if (error)
		return error;
	key.name.size =
		(size_t)snprintf(name, sizeof(name), "name-%u", number % 7);
	error = wb_txn_put(txn, &key, (struct wb_bytes){value, sizeof(value)},
			   (struct wb_precondition){.kind = WB_IF_ANY});
	if (error) {
		(void)wb_txn_abort(txn);
		return error;
	}
	return wb_txn_commit(txn, NULL);
}

static bool trouble(struct place *place, const char *what, enum wb_error error)
{
	return complain_of(place->complaint, "the scenario works", "%s: %s",
			   what, wb_error_text(error));
}

/* A store with so many commits, left open. */
static struct wb_store *make(struct place *place, unsigned commits)
{
	struct wb_store *store;
	enum wb_error error =
		open_on(place, place->disk, WB_OPEN_CREATE, &store);

	for (unsigned at = 0; at < commits && !error; at++)
		error = put(store, at);
	if (!error)
		return store;
	trouble(place, "making a store", error);
	return NULL;
}

/* All that was written reaches the disk. */
static void settle(struct place *place)
{
	struct simdisk *image =
		simdisk_crash(place->disk, (struct sim_crash){SIM_KEEP_ALL, 0});

	simdisk_free(place->disk);
	place->disk = image;
}

static enum wb_error fsck(struct place *place, struct simdisk *disk,
			  uint32_t flags, struct wb_fsck_summary *ret_summary)
{
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = flags,
					  .report = hush};
	struct dir *dir = simdisk_dir(disk);
	enum wb_error error;

	*ret_summary = (struct wb_fsck_summary){.size = 0};
	error = check_directory(dir, &place->env.env, &options, NULL, NULL,
				ret_summary, NULL);
	dir_close(dir);
	return error;
}

/* After -p: where it says that all is well, it is, whatever was unsynced. */
static void repair_and_cut(struct place *place)
{
	struct wb_fsck_summary summary;
	struct wb_store *store;
	struct simdisk *image;
	enum wb_error error =
		fsck(place, place->disk, WB_FSCK_REPAIR, &summary);

	if (error)
		(void)trouble(place, "a repair", error);
	if (error || summary.left > 0)
		return;
	image = simdisk_crash(place->disk,
			      (struct sim_crash){SIM_KEEP_NOTHING, 0});
	error = fsck(place, image, 0, &summary);
	if (!error && summary.left > 0)
		error = WB_CORRUPT;
	if (!error)
		error = open_on(place, image, 0, &store);
	if (!error)
		store_abandon(store);
	simdisk_free(image);
	if (error)
		(void)complain_of(place->complaint, check_fixed,
				  "after a power cut it is not: %s",
				  wb_error_text(error));
}

/* ---- repairs ---- */

bool fault_33_a_header_copy_that_was_repaired_stays_so(
	struct complaint *complaint)
{
	struct wb_store *store;
	struct place place;

	place_init(&place, complaint);
	store = make(&place, 3);
	if (store && wb_store_close(store) == WB_OK) {
		settle(&place);
		simdisk_flip(place.disk, "0000000000000001.log", 8 * 40);
		repair_and_cut(&place);
	}
	return place_end(&place);
}

/* The process is killed while its MARK is being synced; the anchor is lost. */
static bool mark_in_flight(struct place *place, bool sync_fails)
{
	struct wb_store *store = make(place, 3);

	if (!store)
		return false;
	if (sync_fails)
		simdisk_fault(place->disk, (struct sim_fault){.kind = SIM_SYNC,
							      .nth = 1,
							      .error = WB_IO});
	else
		simdisk_cut_at(place->disk, SIM_SYNC, 1);
	(void)wb_store_mark(store);
	store_abandon(store);
	simdisk_faults_clear(place->disk);
	simdisk_revive(place->disk);
	simdisk_delete(place->disk, "anchor");
	return true;
}

static bool repair_after_mark(struct complaint *complaint, bool sync_fails)
{
	struct place place;

	place_init(&place, complaint);
	if (mark_in_flight(&place, sync_fails))
		repair_and_cut(&place);
	return place_end(&place);
}

bool fault_33_an_anchor_is_rebuilt_on_what_was_synced(
	struct complaint *complaint)
{
	return repair_after_mark(complaint, false);
}

bool fault_39_an_anchor_is_not_rebuilt_on_a_lying_page_cache(
	struct complaint *complaint)
{
	return repair_after_mark(complaint, true);
}

bool fault_33_an_anchor_is_not_rebuilt_without_proof(
	struct complaint *complaint)
{
	struct wb_fsck_summary summary;
	struct wb_store *store;
	struct place place;
	enum wb_error error;

	place_init(&place, complaint);
	store = make(&place, 3);
	if (store) {
		store_abandon(store);
		settle(&place);
		simdisk_delete(place.disk, "anchor");
		error = fsck(&place, place.disk, WB_FSCK_REPAIR, &summary);
		if (error)
			(void)trouble(&place, "a repair", error);
		else if (summary.fixed > 0)
			(void)complain_of(complaint, check_proof,
					  "the last commit's successors may "
					  "be gone");
	}
	return place_end(&place);
}

/* The process is killed between the name of a new segment and its sync. */
bool fault_13_a_repair_builds_on_names_that_are_durable(
	struct complaint *complaint)
{
	struct wb_store *store;
	struct place place;
	enum wb_error error = WB_OK;

	place_init(&place, complaint);
	store = make(&place, 3);
	if (store) {
		simdisk_fault(place.disk,
			      (struct sim_fault){.kind = SIM_DIR_SYNC,
						 .nth = 1,
						 .error = WB_IO,
						 .forever = true});
		for (unsigned at = 0; at < 40 && !error; at++)
			error = put(store, at);
		store_abandon(store);
		simdisk_faults_clear(place.disk);
		if (!simdisk_has(place.disk, "0000000000000002.log"))
			(void)trouble(&place, "no second segment", error);
		else
			repair_and_cut(&place);
	}
	return place_end(&place);
}

/* ---- stores that are made of others ---- */

/* `check` sees whether an image opens, and that it is whole if it does. */
struct way {
	bool (*prepare)(struct place *place);
	enum wb_error (*make)(struct place *place, struct simdisk *to);
	bool (*check)(struct place *place, struct simdisk *image,
		      const char *check, bool *ret_is_store);
	const char *check_done;
	const char *what;
};

/* At each change of the disk, and many images of each moment. */
static bool is_cut_anywhere(struct complaint *complaint, const struct way *way)
{
	struct place place;
	bool cut;

	place_init(&place, complaint);
	cut = way->prepare(&place);
	for (uint64_t nth = 1; cut && !complaint->check; nth++) {
		struct simdisk *to = simdisk_new();

		simdisk_cut_at(to, SIM_ANY_CHANGE, nth);
		(void)way->make(&place, to);
		cut = simdisk_is_cut(to);
		for (unsigned at = 0; at < 4 * SIM_KEEP_COUNT; at++) {
			struct sim_crash crash = {(enum sim_keep)(
							  at % SIM_KEEP_COUNT),
						  at};
			struct simdisk *image = simdisk_crash(to, crash);
			bool is_store;

			(void)way->check(&place, image, check_half, &is_store);
			simdisk_free(image);
		}
		simdisk_free(to);
	}
	return place_end(&place);
}

static bool needs_nothing_unsynced(struct complaint *complaint,
				   const struct way *way)
{
	struct simdisk *to = simdisk_new(), *image;
	struct place place;
	enum wb_error error;
	bool is_store;

	place_init(&place, complaint);
	if (way->prepare(&place)) {
		error = way->make(&place, to);
		if (error)
			(void)trouble(&place, way->what, error);
		image = simdisk_crash(to,
				      (struct sim_crash){SIM_KEEP_NOTHING, 0});
		if (way->check(&place, image, way->check_done, &is_store) &&
		    !is_store)
			(void)complain_of(complaint, way->check_done,
					  "it does not open");
		simdisk_free(image);
	}
	simdisk_free(to);
	return place_end(&place);
}

/* ---- salvages ---- */

static enum wb_error salvage(struct place *place, struct simdisk *to)
{
	static const struct wb_salvage_visitor nobody;
	struct wb_fsck_options options = {.size = sizeof(options),
					  .report = hush};
	struct dir *from_dir = simdisk_dir(place->disk);
	struct dir *to_dir = simdisk_dir(to);
	struct wb_salvage_summary summary;
	enum wb_error error = lock_take(to_dir, true, NULL);

	if (!error)
		error = salvage_run(from_dir, to_dir, &place->env.env, &options,
				    &nobody, &summary, NULL);
	dir_close(from_dir);
	dir_close(to_dir);
	return error;
}

/* A store of several segments in which one commit is damaged. */
static bool make_ruin(struct place *place)
{
	struct wb_store *store = make(place, 30);

	if (!store || wb_store_close(store))
		return trouble(place, "making a ruin", WB_USAGE);
	settle(place);
	simdisk_flip(place->disk, "0000000000000001.log", 8 * (8192 + 100));
	return true;
}

/* `*ret_is_store`: it opens. Then it must have all of it, and its list. */
static bool check_image(struct place *place, struct simdisk *image,
			const char *check, bool *ret_is_store)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	struct wb_store *store;
	enum wb_error error = open_on(place, image, 0, &store);
	char list[16] = "";

	*ret_is_store = !error;
	if (error)
		return true;
	error = wb_store_stat(store, &stat);
	store_abandon(store);
	/* 29 commits are left; the mark is one more. */
	if (error || stat.gc_blocked != 30 || stat.revision != 30)
		return complain_of(place->complaint, check,
				   "it has %" PRIu64 " commits", stat.revision);
	if (!simdisk_has(image, WB_SALVAGE_LIST))
		return complain_of(place->complaint, check,
				   "without the list of losses");
	simdisk_get(image, WB_SALVAGE_LIST, list, 10, 0);
	if (strncmp(list, "{\"salvage\"", 10) != 0)
		return complain_of(place->complaint, check,
				   "the list of losses is not written");
	return true;
}

static const struct way salvaging = {make_ruin, salvage, check_image,
				     check_done, "a salvage"};

bool a_salvage_that_is_cut_leaves_no_half_store(struct complaint *complaint)
{
	return is_cut_anywhere(complaint, &salvaging);
}

bool a_salvaged_store_needs_nothing_unsynced(struct complaint *complaint)
{
	return needs_nothing_unsynced(complaint, &salvaging);
}

struct rotting {
	struct simdisk *disk;
	bool done;
};

static void rot_at_sync(void *context, enum sim_op op, const char *name)
{
	struct rotting *rotting = context;

	(void)op;
	(void)name;
	if (rotting->done ||
	    !simdisk_has(rotting->disk, "0000000000000002.log"))
		return;
	rotting->done = true;
	simdisk_rot(rotting->disk, "0000000000000001.log", 8 * (8192 + 100));
}

bool fault_36_a_salvage_is_read_back_from_the_disk(struct complaint *complaint)
{
	struct rotting rotting = {.disk = simdisk_new()};
	struct wb_store *store;
	struct simdisk *image;
	struct place place;
	enum wb_error error = WB_CORRUPT;

	place_init(&place, complaint);
	store = make(&place, 1500);
	if (store && wb_store_close(store) == WB_OK) {
		settle(&place);
		simdisk_observe(rotting.disk, SIM_SYNC, rot_at_sync, &rotting);
		error = salvage(&place, rotting.disk);
		simdisk_observe(rotting.disk, SIM_SYNC, NULL, NULL);
		if (!rotting.done)
			(void)trouble(&place, "no rot", error);
	}
	if (!error) {
		image = simdisk_crash(rotting.disk,
				      (struct sim_crash){SIM_KEEP_ALL, 0});
		error = open_on(&place, image, 0, &store);
		if (!error)
			store_abandon(store);
		(void)complain_of(complaint, check_read,
				  "another bit is on the disk: %s",
				  wb_error_text(error));
		simdisk_free(image);
	}
	simdisk_free(rotting.disk);
	return place_end(&place);
}

/* ---- loads ---- */

enum { HISTORY_COMMITS = 30 };

static bool make_history(struct place *place)
{
	const struct wb_dump_options whole = {.size = sizeof(whole),
					      .history = true};
	struct wb_store *store = make(place, HISTORY_COMMITS);

	if (!store)
		return false;
	paper_dump(&place->paper, store, &whole);
	store_abandon(store);
	return true;
}

static enum wb_error load(struct place *place, struct simdisk *to)
{
	const struct wb_load_options usual = {.size = sizeof(usual)};
	const struct wb_open_options options = {.size = sizeof(options),
						.segment_bytes = 16u << 10,
						.report = hush};

	return restore_history_on(simdisk_dir(to), &place->env.env, &options,
				  paper_read, &place->paper, &usual,
				  HISTORY_COMMITS, NULL);
}

/* `*ret_is_store`: it opens. Then it must have all of it. */
static bool check_loaded(struct place *place, struct simdisk *image,
			 const char *check, bool *ret_is_store)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	struct wb_store *store;
	enum wb_error error = open_on(place, image, 0, &store);

	*ret_is_store = !error;
	if (error)
		return true;
	error = wb_store_stat(store, &stat);
	store_abandon(store);
	return (!error && stat.revision == HISTORY_COMMITS) ||
	       complain_of(place->complaint, check,
			   "it has %" PRIu64 " commits", stat.revision);
}

static const struct way loading = {make_history, load, check_loaded, check_load,
				   "a load"};

bool a_load_that_is_cut_leaves_no_half_store(struct complaint *complaint)
{
	return is_cut_anywhere(complaint, &loading);
}

bool a_loaded_store_needs_nothing_unsynced(struct complaint *complaint)
{
	return needs_nothing_unsynced(complaint, &loading);
}

/* ---- dumps that are not as they were written ---- */

/* In the bytes of a history, put `to` in place of the last `from`, which is as
 * long; no load may take it. */
static bool is_refused(struct complaint *complaint, const char *from,
		       const char *to)
{
	size_t size = strlen(from), at;
	struct simdisk *disk = simdisk_new();
	struct place place;
	enum wb_error error;

	place_init(&place, complaint);
	if (make_history(&place)) {
		at = place.paper.size - size;
		while (at > 0 &&
		       memcmp(place.paper.bytes + at, from, size) != 0)
			at--;
		memcpy(place.paper.bytes + at, to, size);
		error = load(&place, disk);
		if (at == 0)
			(void)trouble(&place, "nothing to change", error);
		else if (error != WB_BAD_INPUT)
			(void)complain_of(complaint, check_dump, "loading: %s",
					  wb_error_text(error));
	}
	simdisk_free(disk);
	return place_end(&place);
}

bool a_dump_that_was_changed_is_not_loaded(struct complaint *complaint)
{
	return is_refused(complaint, "AAAAAAAAAAAAAAAAAAAAAAAA",
			  "AAAAAAAABAAAAAAAAAAAAAAA");
}

/* The sum is that of the lines before the end, and does not cover it. */
bool a_dump_with_another_count_is_not_loaded(struct complaint *complaint)
{
	return is_refused(complaint, "\"end\",\"count\":6",
			  "\"end\",\"count\":7");
}
