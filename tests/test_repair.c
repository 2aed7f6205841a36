/* SPDX-License-Identifier: Apache-2.0
 *
 * Repairs in place: each does what it should, and nothing that is provably
 * safe may ever make a store worse, wherever it is cut short or whatever
 * fails.
 */
#include "repair/repair.h"

#include "repair/check.h"
#include "tests/support/annals.h"
#include "tests/support/forge.h"
#include "tests/support/hush.h"
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

/* ---- fsck on a disk ---- */

struct seen {
	struct wb_fsck_summary summary;
	struct wb_text text;
	char words[400]; /* "torn! anchor-slot": what is left, !: fixed */
};

static void take(void *context, const struct wb_finding *finding)
{
	struct seen *seen = context;
	size_t used = strlen(seen->words);

	/* Notes have nothing to be fixed. */
	if (strcmp(finding->severity, "note") == 0)
		return;
	snprintf(seen->words + used, sizeof(seen->words) - used, "%s%s%s",
		 used ? " " : "", finding->code,
		 finding->state == WB_FINDING_FIXED ? "!" : "");
}

/* How often nobody stops it any more; negative: nobody ever does. */
static int calm = -1;

static bool is_stopped(void *context)
{
	(void)context;
	return calm >= 0 && calm-- == 0;
}

static enum wb_error fsck(struct simdisk *disk, uint32_t flags,
			  struct seen *ret_seen)
{
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = flags,
					  .report = hush,
					  .stop = is_stopped};
	struct dir *dir = simdisk_dir(disk);
	enum wb_error error;

	*ret_seen = (struct seen){.words = ""};
	error = check_directory(dir, &shelf.env.env, &options, take, ret_seen,
				&ret_seen->summary, &ret_seen->text);
	dir_close(dir);
	return error;
}

static void expect(uint32_t flags, const char *words, unsigned status)
{
	struct seen seen;

	ck_ok(fsck(shelf.disk, flags, &seen));
	ck_assert_str_eq(seen.words, words);
	ck_assert_uint_eq(seen.summary.status, status);
}

/* What an open for reading says: an error, or all that is there. */
struct state {
	enum wb_error error;
	uint64_t listing, revision;
};

static struct state state_of(struct simdisk *disk)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = WB_OPEN_READ_ONLY,
					  .report = hush};
	struct state state = {.error = WB_OK};
	struct wb_stat stat = {.size = sizeof(stat)};
	struct wb_store *store;

	state.error = store_open_on(simdisk_dir(disk), &shelf.env.env, &options,
				    &store, NULL);
	if (state.error)
		return state;
	state.listing = listing_of(store);
	ck_ok(wb_store_stat(store, &stat));
	state.revision = stat.revision;
	store_abandon(store);
	return state;
}

static bool same_state(struct state a, struct state b)
{
	return a.error == b.error && a.listing == b.listing &&
	       a.revision == b.revision;
}

/* ---- what can be repaired ---- */

static void spoil_copy(unsigned copy)
{
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(2), 4096 * copy + 104);
	/* Of the newest segment too. */
	volume_spoil(&shelf, volume_path(4), 4096 * (1 - copy) + 9);
}

static void header_copy_0(void)
{
	spoil_copy(0);
}

static void header_copy_1(void)
{
	spoil_copy(1);
}

static void close_it(void)
{
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "c", "1");
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	volume_settle(&shelf);
}

static void slot_0_of_a_closed_store(void)
{
	volume_make(&shelf);
	close_it();
	volume_spoil(&shelf, "anchor", 40);
}

static void slot_1_of_a_closed_store(void)
{
	volume_make(&shelf);
	close_it();
	volume_spoil(&shelf, "anchor", 4096 + 40);
}

static void slot_0_of_a_marked_store(void)
{
	volume_make(&shelf);
	volume_spoil(&shelf, "anchor", 40);
}

static void slot_1_of_a_marked_store(void)
{
	volume_make(&shelf);
	volume_spoil(&shelf, "anchor", 4096 + 40);
}

/* The slot that is left names the segment before the newest, which is legal
 * only beside a bad one. */
static void slot_that_is_one_segment_behind(void)
{
	uint8_t slots[2][8];

	volume_make(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "c", "1");
	volume_settle(&shelf);
	for (unsigned slot = 0; slot < 2; slot++)
		simdisk_get(shelf.disk, "anchor", slots[slot], 8,
			    slot * 4096 + 56);
	ck_assert_uint_ne(slots[0][0], slots[1][0]);
	volume_spoil(&shelf, "anchor",
		     slots[0][0] > slots[1][0] ? 40 : 4096 + 40);
}

static void torn_tail(void)
{
	volume_make(&shelf);
	volume_tear(&shelf);
}

static void torn_and_slot_and_copy(void)
{
	torn_tail();
	volume_spoil(&shelf, "anchor", 40);
	volume_spoil(&shelf, volume_path(1), 40);
	simdisk_copy(shelf.disk, "tmp/segment", shelf.disk, "anchor");
}

static void anchor_missing(void)
{
	volume_make(&shelf);
	simdisk_delete(shelf.disk, "anchor");
}

static void anchor_missing_of_a_closed_store(void)
{
	volume_make(&shelf);
	close_it();
	simdisk_delete(shelf.disk, "anchor");
}

static void anchor_with_two_bad_slots(void)
{
	volume_make(&shelf);
	volume_spoil(&shelf, "anchor", 40);
	volume_spoil(&shelf, "anchor", 4096 + 40);
}

static void anchor_of_another_size(void)
{
	volume_make(&shelf);
	simdisk_resize(shelf.disk, "anchor", 8192 + 1);
}

static void anchor_cut_short(void)
{
	volume_make(&shelf);
	simdisk_resize(shelf.disk, "anchor", 1000);
	volume_spoil(&shelf, volume_path(3), 40);
}

/* Of before the last MARK. */
static void anchor_behind(void)
{
	struct simdisk *before;

	volume_make(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "c", "1");
	before = simdisk_clone(shelf.disk);
	ck_ok(wb_store_mark(shelf.store));
	volume_settle(&shelf);
	simdisk_copy(shelf.disk, "anchor", before, "anchor");
	simdisk_free(before);
}

static const struct wreck {
	const char *name;
	void (*make)(void);
	const char *found, *fixed;
} wrecks[] = {
	{"header copy 0", header_copy_0, "header-copy header-copy",
	 "header-copy! header-copy!"},
	{"header copy 1", header_copy_1, "header-copy header-copy",
	 "header-copy! header-copy!"},
	{"slot 0, closed", slot_0_of_a_closed_store, NULL, NULL},
	{"slot 1, closed", slot_1_of_a_closed_store, NULL, NULL},
	{"slot 0, marked", slot_0_of_a_marked_store, NULL, NULL},
	{"slot 1, marked", slot_1_of_a_marked_store, NULL, NULL},
	{"slot one behind", slot_that_is_one_segment_behind, NULL, NULL},
	{"torn", torn_tail, "torn", "torn!"},
	{"much", torn_and_slot_and_copy, NULL, NULL},
	{"anchor missing", anchor_missing, "anchor-missing", "anchor-missing!"},
	{"anchor missing, closed", anchor_missing_of_a_closed_store,
	 "anchor-missing", "anchor-missing!"},
	{"two bad slots", anchor_with_two_bad_slots, "anchor", "anchor!"},
	{"anchor too long", anchor_of_another_size, "anchor-size",
	 "anchor-size!"},
	{"anchor too short", anchor_cut_short, NULL, NULL},
	{"anchor behind", anchor_behind, "anchor-behind", "anchor-behind!"},
};

enum { WRECKS = sizeof(wrecks) / sizeof(wrecks[0]) };

/* Each wreck, and what is in it when it is whole. */
static struct state truth_of(void)
{
	struct simdisk *copy = simdisk_clone(shelf.disk);
	struct state state;
	struct seen seen;

	ck_ok(fsck(copy, WB_FSCK_REPAIR, &seen));
	state = state_of(copy);
	simdisk_free(copy);
	return state;
}

START_TEST(a_repair_mends_all_and_a_second_one_finds_nothing)
{
	const struct wreck *wreck = &wrecks[_i];
	struct state before, after;
	struct seen seen;

	wreck->make();
	before = state_of(shelf.disk);
	ck_ok(fsck(shelf.disk, 0, &seen));
	ck_assert_uint_eq(seen.summary.status, WB_FSCK_LEFT);
	ck_assert_uint_eq(seen.summary.fixed, 0);
	ck_assert_uint_gt(seen.summary.left, 0);
	if (wreck->found)
		ck_assert_str_eq(seen.words, wreck->found);
	ck_ok(fsck(shelf.disk, WB_FSCK_REPAIR, &seen));
	ck_assert_msg(seen.summary.status == WB_FSCK_CORRECTED, "%s: %s",
		      wreck->name, seen.words);
	ck_assert_uint_eq(seen.summary.left, 0);
	ck_assert_uint_eq(seen.summary.found, seen.summary.fixed);
	if (wreck->fixed)
		ck_assert_str_eq(seen.words, wreck->fixed);
	after = state_of(shelf.disk);
	ck_ok(after.error);
	ck_assert_uint_ge(after.revision, 10);
	if (!before.error)
		ck_assert(same_state(before, after));
	expect(WB_FSCK_REPAIR, "", WB_FSCK_CLEAN);
	expect(0, "", WB_FSCK_CLEAN);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "new", "1");
	ck_ok(shelf_close(&shelf));
	expect(0, "", WB_FSCK_CLEAN);
}
END_TEST

/* ---- cut short ---- */

/* As it was, or mended; and what is left to do can be done. */
static void check_image(struct simdisk *image, const struct wreck *wreck,
			struct state before, struct state truth,
			const char *where, uint64_t nth)
{
	struct state now = state_of(image), after;
	struct seen seen;

	ck_assert_msg(same_state(now, before) || same_state(now, truth),
		      "%s, %s %" PRIu64 ": it says %s", wreck->name, where, nth,
		      wb_error_code(now.error));
	ck_ok(fsck(image, WB_FSCK_REPAIR, &seen));
	ck_assert_msg(seen.summary.left == 0, "%s, %s %" PRIu64 ": %s is left",
		      wreck->name, where, nth, seen.words);
	after = state_of(image);
	ck_assert_msg(same_state(after, truth),
		      "%s, %s %" PRIu64 ": it was mended otherwise",
		      wreck->name, where, nth);
	ck_ok(fsck(image, WB_FSCK_REPAIR, &seen));
	ck_assert_str_eq(seen.words, "");
}

START_TEST(a_repair_that_is_cut_anywhere_makes_nothing_worse)
{
	const struct wreck *wreck = &wrecks[_i];
	struct state before, truth;
	struct rng rng = rng_of(5);
	uint64_t nth = 1, images = 0;
	bool cut = true;

	wreck->make();
	before = state_of(shelf.disk);
	truth = truth_of();
	for (; cut; nth++) {
		struct simdisk *disk = simdisk_clone(shelf.disk);
		struct seen seen;

		simdisk_cut_at(disk, SIM_ANY_CHANGE, nth);
		(void)fsck(disk, WB_FSCK_REPAIR, &seen);
		cut = simdisk_is_cut(disk);
		for (unsigned at = 0; at < 12; at++) {
			struct sim_crash crash = {.keep = (enum sim_keep)(
							  at % SIM_KEEP_COUNT),
						  .seed = rng_next(&rng)};
			struct simdisk *image = simdisk_crash(disk, crash);

			check_image(image, wreck, before, truth, "cut", nth);
			simdisk_free(image);
			images++;
		}
		/* Killed: the page cache lives. */
		simdisk_revive(disk);
		check_image(disk, wreck, before, truth, "kill", nth);
		simdisk_free(disk);
	}
	ck_assert_uint_gt(nth, 2);
	printf("count: repair, crash images %" PRIu64 "\n", images);
}
END_TEST

/* When it has said that it is fixed, it is: nothing that was unsynced is
 * needed. */
START_TEST(what_is_fixed_is_on_the_disk)
{
	const struct wreck *wreck = &wrecks[_i];
	struct simdisk *image;
	struct state truth;
	struct seen seen;

	wreck->make();
	ck_ok(fsck(shelf.disk, WB_FSCK_REPAIR, &seen));
	truth = state_of(shelf.disk);
	image = simdisk_crash(shelf.disk,
			      (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_assert(same_state(state_of(image), truth));
	ck_ok(fsck(image, 0, &seen));
	ck_assert_str_eq(seen.words, "");
	simdisk_free(image);
}
END_TEST

static void fail_each(const struct wreck *wreck, enum sim_op op,
		      enum wb_error failure, bool forever, struct state before,
		      struct state truth)
{
	uint64_t fired = 1;

	for (uint64_t nth = 1; fired > 0; nth++) {
		struct simdisk *disk = simdisk_clone(shelf.disk);
		struct seen seen;
		enum wb_error error;

		simdisk_fault(disk, (struct sim_fault){op, nth, failure,
						       forever, true, NULL});
		error = fsck(disk, WB_FSCK_REPAIR, &seen);
		fired = simdisk_faults_fired(disk);
		simdisk_faults_clear(disk);
		/* It is never said that all is well where it is not. */
		if (!error && !(seen.summary.status &
				(WB_FSCK_LEFT | WB_FSCK_OPERATIONAL)))
			ck_assert_msg(same_state(state_of(disk), truth),
				      "%s, %s %" PRIu64
				      ": said to be mended: %s",
				      wreck->name, sim_op_name(op), nth,
				      seen.words);
		check_image(disk, wreck, before, truth, sim_op_name(op), nth);
		simdisk_free(disk);
	}
}

START_TEST(whatever_fails_nothing_is_worse)
{
	static const enum sim_op ops[] = {
		SIM_READ,     SIM_WRITE,  SIM_SYNC,	SIM_TRUNCATE,
		SIM_ALLOCATE, SIM_OPEN,	  SIM_CREATE,	SIM_MAKE,
		SIM_RENAME,   SIM_REMOVE, SIM_DIR_SYNC,
	};
	const struct wreck *wreck = &wrecks[_i];
	struct state before, truth;

	wreck->make();
	before = state_of(shelf.disk);
	truth = truth_of();
	for (unsigned at = 0; at < sizeof(ops) / sizeof(*ops); at++) {
		fail_each(wreck, ops[at], WB_IO, false, before, truth);
		fail_each(wreck, ops[at], WB_NO_SPACE, true, before, truth);
	}
}
END_TEST

/* ---- stopped ---- */

/* At the nth time that it is asked for; then another one does the rest. */
START_TEST(a_repair_that_is_stopped_has_finished_what_it_began)
{
	const struct wreck *wreck = &wrecks[_i];
	enum wb_error error = WB_CANCELLED;
	struct state before, truth;
	int nth = 0, changed = 0;

	wreck->make();
	before = state_of(shelf.disk);
	truth = truth_of();
	for (; error; nth++) {
		struct simdisk *disk = simdisk_clone(shelf.disk);
		uint64_t hash;
		struct seen seen;

		ck_ok(fsck(disk, 0, &seen));
		hash = simdisk_hash(disk);
		calm = nth;
		error = fsck(disk, WB_FSCK_REPAIR, &seen);
		calm = -1;
		if (error)
			ck_error(error, WB_CANCELLED);
		/* Nothing is told by halves. */
		ck_assert(!error || !*seen.words);
		changed += error && simdisk_hash(disk) != hash;
		if (error && strstr(seen.text.text, "nothing was changed"))
			ck_assert_uint_eq(simdisk_hash(disk), hash);
		else if (error)
			ck_assert_ptr_nonnull(strstr(seen.text.text, "begun"));
		check_image(disk, wreck, before, truth, "stop", (uint64_t)nth);
		simdisk_free(disk);
	}
	/* Before the first check, before a step, before the second check. */
	ck_assert_int_ge(nth, 3);
	ck_assert_int_ge(changed, 1);
}
END_TEST

/* ---- what is not repaired ---- */

/* With -p as without: the same is left, and no byte is another one. */
static void expect_untouched(const char *words, unsigned status)
{
	uint64_t hash;
	struct seen seen;

	expect(0, words, status);
	/* The lock file is all that may be new. */
	ck_ok(fsck(shelf.disk, 0, &seen));
	hash = simdisk_hash(shelf.disk);
	expect(WB_FSCK_REPAIR, words, status);
	ck_assert_uint_eq(simdisk_hash(shelf.disk), hash);
}

START_TEST(damage_is_left_alone)
{
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	simdisk_copy(shelf.disk, "tmp/x", shelf.disk, "anchor");
	expect_untouched("frame", WB_FSCK_LEFT);
	/* It says nothing of the anchor, which may be right as it is. */
	volume_spoil(&shelf, "anchor", 40);
	expect_untouched("frame anchor-slot", WB_FSCK_LEFT);
}
END_TEST

START_TEST(a_header_beside_damage_is_mended_all_the_same)
{
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	volume_spoil(&shelf, volume_path(2), 40);
	expect(WB_FSCK_REPAIR, "frame header-copy!",
	       WB_FSCK_LEFT | WB_FSCK_CORRECTED);
	expect(0, "frame", WB_FSCK_LEFT);
}
END_TEST

START_TEST(a_header_of_elsewhere_is_left_alone)
{
	const uint64_t other = 4711;

	volume_make(&shelf);
	forge_header(shelf.disk, volume_path(2), 40, &other, 8);
	volume_spoil(&shelf, volume_path(2), 90);
	ck_assert_uint_gt(simdisk_size(shelf.disk, volume_path(2)), 0);
	expect_untouched("header-copy segment-store gap", WB_FSCK_LEFT);
}
END_TEST

START_TEST(fault_33_an_anchor_is_not_rebuilt_where_the_end_is_not_proven)
{
	/* A commit is the last frame. */
	volume_make(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "c", "1");
	volume_settle(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	expect_untouched("end anchor-missing", WB_FSCK_LEFT);
	/* That segment is gone: the one before ends with a MARK, and was cut
	 * there. */
	simdisk_delete(shelf.disk, volume_path(5));
	expect_untouched("end anchor-missing", WB_FSCK_LEFT);
}
END_TEST

START_TEST(an_anchor_is_not_rebuilt_on_what_was_cut)
{
	/* It goes on with zeros, for it could not be truncated: but what was
	 * cut off was kept. */
	volume_make(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	simdisk_set(shelf.disk, volume_path(4), "", 0, 0);
	simdisk_copy(shelf.disk, "torn/0000000000000004-0000002600", shelf.disk,
		     volume_path(1));
	expect_untouched("anchor-missing", WB_FSCK_LEFT);
}
END_TEST

START_TEST(a_newer_versions_store_is_left_alone)
{
	const uint32_t version = 2;

	volume_make(&shelf);
	forge_anchor(shelf.disk, 16, &version, 4);
	simdisk_copy(shelf.disk, "tmp/x", shelf.disk, volume_path(1));
	expect_untouched("anchor-newer", WB_FSCK_OPERATIONAL);
}
END_TEST

START_TEST(what_cannot_be_read_is_left_alone)
{
	struct seen seen;

	volume_make(&shelf);
	simdisk_bad(shelf.disk, volume_path(2), 100, 8);
	ck_ok(fsck(shelf.disk, WB_FSCK_REPAIR, &seen));
	ck_assert_uint_eq(seen.summary.status,
			  WB_FSCK_LEFT | WB_FSCK_OPERATIONAL);
	ck_assert_uint_eq(seen.summary.unreadable, 1);
	ck_assert_uint_eq(seen.summary.fixed, 0);
}
END_TEST

/* ---- tmp/ ---- */

START_TEST(files_in_the_making_are_removed_and_cost_no_status)
{
	volume_make(&shelf);
	simdisk_copy(shelf.disk, "tmp/x", shelf.disk, "anchor");
	simdisk_copy(shelf.disk, "torn/y", shelf.disk, "anchor");
	expect(0, "", WB_FSCK_CLEAN);
	ck_assert(simdisk_has(shelf.disk, "tmp/x"));
	expect(WB_FSCK_REPAIR, "", WB_FSCK_CLEAN);
	ck_assert(!simdisk_has(shelf.disk, "tmp/x"));
	ck_assert(simdisk_has(shelf.disk, "torn/y"));
}
END_TEST

START_TEST(what_is_torn_off_is_kept)
{
	torn_tail();
	expect(WB_FSCK_REPAIR, "torn!", WB_FSCK_CORRECTED);
	ck_assert(simdisk_has(shelf.disk, "torn/0000000000000005-0000002200"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase,
			    a_repair_mends_all_and_a_second_one_finds_nothing,
			    0, WRECKS);
	tcase_add_loop_test(tcase,
			    a_repair_that_is_cut_anywhere_makes_nothing_worse,
			    0, WRECKS);
	tcase_add_loop_test(tcase, what_is_fixed_is_on_the_disk, 0, WRECKS);
	tcase_add_loop_test(tcase, whatever_fails_nothing_is_worse, 0, WRECKS);
	tcase_add_test(tcase, damage_is_left_alone);
	tcase_add_test(tcase, a_header_beside_damage_is_mended_all_the_same);
	tcase_add_test(tcase, a_header_of_elsewhere_is_left_alone);
	tcase_add_test(
		tcase,
		fault_33_an_anchor_is_not_rebuilt_where_the_end_is_not_proven);
	tcase_add_test(tcase, an_anchor_is_not_rebuilt_on_what_was_cut);
	tcase_add_loop_test(tcase,
			    a_repair_that_is_stopped_has_finished_what_it_began,
			    0, WRECKS);
	tcase_add_test(tcase, a_newer_versions_store_is_left_alone);
	tcase_add_test(tcase, what_cannot_be_read_is_left_alone);
	tcase_add_test(tcase,
		       files_in_the_making_are_removed_and_cost_no_status);
	tcase_add_test(tcase, what_is_torn_off_is_kept);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
