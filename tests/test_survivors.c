/* SPDX-License-Identifier: Apache-2.0
 *
 * What survives of a ruined store: everything that verifies and counted, and
 * nothing that did not.
 *
 * WAYBILL_SEED chooses the first seed, WAYBILL_FULL=1 many more of them.
 */
#include "audit/survivors.h"

#include "audit/reader.h"
#include "tests/support/annals.h"
#include "tests/support/forge.h"
#include "tests/support/gauge.h"
#include "tests/support/ruin.h"
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

/* ---- the truth, and what is left of it ---- */

enum { REVISIONS_MAX = 2000 };

/* A number for each commit's payload; 0: there is none. */
struct past {
	uint64_t payloads[REVISIONS_MAX];
	uint64_t commits, head;
	/* Of survivors: */
	uint64_t lost;
	char words[400]; /* "1 2 -3 4 -5-9" */
	struct audit_survivors found;
};

static uint64_t hash_of(struct wb_bytes bytes)
{
	uint64_t hash = 77;

	for (size_t at = 0; at < bytes.size; at++)
		hash = (hash ^ ((const uint8_t *)bytes.data)[at]) *
		       UINT64_C(0x100000001b3);
	return hash;
}

static void say(struct past *past, const char *format, uint64_t first,
		uint64_t last)
{
	size_t used = strlen(past->words);

	if (used > 0 && used + 1 < sizeof(past->words))
		past->words[used++] = ' ';
	snprintf(past->words + used, sizeof(past->words) - used, format, first,
		 last);
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit)
{
	struct past *past = context;

	ck_assert_uint_lt(commit->revision, REVISIONS_MAX);
	ck_assert_uint_gt(commit->revision, past->head);
	past->head = commit->revision;
	past->commits++;
	past->payloads[commit->revision] = hash_of(commit->payload);
	say(past, "%" PRIu64, commit->revision, 0);
	return WB_OK;
}

static enum wb_error take_whole(void *context,
				const struct audit_commit *commit,
				const struct audit_place *place)
{
	return place->whole ? take_commit(context, commit) : WB_OK;
}

static enum wb_error take_lost(void *context, uint64_t first, uint64_t last)
{
	struct past *past = context;

	ck_assert_uint_eq(first, past->head + 1);
	ck_assert_uint_le(first, last);
	past->head = last;
	past->lost += last - first + 1;
	say(past, first == last ? "-%" PRIu64 : "-%" PRIu64 "-%" PRIu64, first,
	    last);
	return WB_OK;
}

/* What the second reader says of a sound store. */
static struct past *truth_of(struct simdisk *disk)
{
	struct past *past = calloc(1, sizeof(*past));
	struct audit_visitor visitor = {.commit = take_whole, .context = past};
	struct dir *dir = simdisk_dir(disk);
	struct audit_summary summary;

	ck_assert_ptr_nonnull(past);
	ck_ok(audit_read(dir, 0, &visitor, &summary));
	ck_assert_uint_eq(summary.findings[AUDIT_DAMAGE], 0);
	dir_close(dir);
	return past;
}

static struct past *survive(struct simdisk *disk)
{
	struct past *past = calloc(1, sizeof(*past));
	struct audit_survivors_visitor visitor = {.commit = take_commit,
						  .lost = take_lost,
						  .context = past};
	struct dir *dir = simdisk_dir(disk);

	ck_assert_ptr_nonnull(past);
	ck_ok(audit_survivors_read(dir, &visitor, &past->found));
	dir_close(dir);
	ck_assert_uint_eq(past->found.commits, past->commits);
	ck_assert_uint_eq(past->found.revisions_lost, past->lost);
	ck_assert_uint_eq(past->found.head, past->head);
	if (past->found.unknown_from) {
		ck_assert_uint_eq(past->found.unknown_from, past->head + 1);
		say(past, "?%" PRIu64, past->found.unknown_from, 0);
	}
	return past;
}

static void expect(const char *words)
{
	struct past *past = survive(shelf.disk);

	ck_assert_str_eq(past->words, words);
	free(past);
}

/* Nothing that was never so. */
static void check_true(const struct past *past, const struct past *truth,
		       uint64_t seed, const char *what)
{
	for (uint64_t at = 1; at < REVISIONS_MAX; at++)
		ck_assert_msg(!past->payloads[at] ||
				      past->payloads[at] == truth->payloads[at],
			      "seed %" PRIu64 " %s: revision %" PRIu64
			      " is invented",
			      seed, what, at);
}

/* ---- sound stores ---- */

START_TEST(of_nothing_nothing_survives)
{
	struct past *past = survive(shelf.disk);

	ck_assert_uint_eq(past->head, 0);
	ck_assert(past->found.has_uuid);
	free(past);
}
END_TEST

START_TEST(all_of_a_sound_store_survives)
{
	uint64_t seed = first_seed(), commits = 0;

	for (unsigned left = (unsigned)rounds(40, 200); left > 0;
	     left--, seed++) {
		struct annals annals;
		struct simdisk *end;
		struct past *truth, *past;

		annals_make(&annals, seed, 10 + (unsigned)(seed % 60));
		end = annals_end(&annals);
		truth = truth_of(end);
		past = survive(end);
		check_true(past, truth, seed, "sound");
		ck_assert_msg(past->commits == truth->commits &&
				      past->lost == 0,
			      "seed %" PRIu64 ": %s", seed, past->words);
		commits += past->commits;
		free(truth);
		free(past);
		simdisk_free(end);
		annals_release(&annals);
	}
	printf("count: survivors, commits of sound stores %" PRIu64 "\n",
	       commits);
}
END_TEST

/* ---- one thing wrong: in the store of volume_make, with revisions 1 to 10:
 * segment 1 has 1 to 3, segment 2 has 4 to 6, segment 3 has 7 and 8, segment 4
 * has 9 and 10 ---- */

static void wipe(uint64_t id, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		volume_spoil(&shelf, volume_path(id), at);
}

START_TEST(a_damaged_frame_costs_its_commit)
{
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	expect("1 -2 3 4 5 6 7 8 9 10");
}
END_TEST

START_TEST(a_missing_segment_costs_its_commits)
{
	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(2));
	expect("1 2 3 -4-6 7 8 9 10");
}
END_TEST

START_TEST(the_newest_segment_missing_costs_what_the_anchor_tells)
{
	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(4));
	/* It told when it was written last. */
	expect("1 2 3 4 5 6 7 8 -9-10 ?11");
}
END_TEST

START_TEST(the_oldest_segment_missing_costs_its_commits)
{
	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(1));
	expect("-1-3 4 5 6 7 8 9 10");
}
END_TEST

START_TEST(frames_behind_a_bad_header_survive)
{
	volume_make(&shelf);
	for (uint64_t id = 1; id <= 4; id++) {
		volume_spoil(&shelf, volume_path(id), 40);
		volume_spoil(&shelf, volume_path(id), 4096 + 50);
	}
	expect("1 2 3 4 5 6 7 8 9 10");
	simdisk_delete(shelf.disk, "anchor");
	expect("1 2 3 4 5 6 7 8 9 10");
}
END_TEST

START_TEST(without_a_salt_nothing_is_believed)
{
	volume_make(&shelf);
	wipe(2, 104, 112);
	wipe(2, 4096 + 104, 4096 + 112);
	expect("1 2 3 -4-6 7 8 9 10");
}
END_TEST

START_TEST(without_an_anchor_all_that_verifies_survives)
{
	volume_make(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	expect("1 2 3 4 5 6 7 8 9 10");
}
END_TEST

/* What the anchor says of the newest segment, or the log itself. */
START_TEST(an_end_that_nothing_proves_is_unknown)
{
	static const char *const all = "1 2 3 4 5 6 7 8 9 10";
	const uint64_t three = 3;
	uint64_t commit;

	volume_make(&shelf);
	commit = volume_frame(&shelf, 4, 1);
	simdisk_copy(shelf.disk, "kept", shelf.disk, "anchor");
	/* The anchor is older, and the log ends with a MARK, */
	forge_anchor(shelf.disk, 56, &three, 8);
	expect(all);
	/* or there is none; */
	simdisk_delete(shelf.disk, "anchor");
	expect(all);
	/* but a piece of that segment was cut off; */
	simdisk_copy(shelf.disk, "torn/0000000000000004-0000002200", shelf.disk,
		     "kept");
	expect("1 2 3 4 5 6 7 8 9 10 ?11");
	simdisk_delete(shelf.disk, "torn/0000000000000004-0000002200");
	expect(all);
	/* bytes stand behind it; */
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 3) + 4000);
	expect("1 2 3 4 5 6 7 8 9 10 ?11");
	/* nothing does, not even zeros; */
	simdisk_resize(shelf.disk, volume_path(4), volume_frame(&shelf, 4, 3));
	expect("1 2 3 4 5 6 7 8 9 10 ?11");
	/* the MARK is gone, and the commit with it; */
	wipe(4, commit, volume_frame(&shelf, 4, 3));
	expect("1 2 3 4 5 6 7 8 9 ?10");
	simdisk_copy(shelf.disk, "anchor", shelf.disk, "kept");
	expect("1 2 3 4 5 6 7 8 9 -10");
	/* all of the segment; */
	simdisk_delete(shelf.disk, volume_path(4));
	expect("1 2 3 4 5 6 7 8 -9-10 ?11");
	simdisk_delete(shelf.disk, "anchor");
	expect("1 2 3 4 5 6 7 8 ?9");
	/* all segments. */
	for (uint64_t id = 1; id <= 3; id++)
		simdisk_delete(shelf.disk, volume_path(id));
	expect("?1");
}
END_TEST

START_TEST(damage_before_a_mark_does_not_hide_the_end)
{
	volume_make(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 1) + 60);
	expect("1 2 3 4 5 6 7 8 9 -10");
}
END_TEST

/* The anchor names the newest segment; that it is shorter, or that no frame of
 * it can be told from others, is the work of no torn write. */
START_TEST(an_anchor_knows_the_end_of_what_is_there)
{
	uint64_t at;

	volume_make(&shelf);
	at = volume_frame(&shelf, 4, 3);
	/* A torn write is none of the losses. */
	volume_spoil(&shelf, volume_path(4), at + 100);
	expect("1 2 3 4 5 6 7 8 9 10");
	simdisk_bad(shelf.disk, volume_path(4), (at + 4095) / 4096 * 4096, 512);
	expect("1 2 3 4 5 6 7 8 9 10 ?11");
	simdisk_faults_clear(shelf.disk);
	/* Of an anchor that was cut off the slot that knew may be gone. */
	simdisk_resize(shelf.disk, "anchor", 8191);
	expect("1 2 3 4 5 6 7 8 9 10 ?11");
	simdisk_resize(shelf.disk, "anchor", 8192);
	expect("1 2 3 4 5 6 7 8 9 10");
	simdisk_resize(shelf.disk, volume_path(4), at - 1);
	expect("1 2 3 4 5 6 7 8 9 10 ?11");
	wipe(4, 104, 112);
	wipe(4, 4096 + 104, 4096 + 112);
	expect("1 2 3 4 5 6 7 8 -9-10 ?11");
}
END_TEST

START_TEST(a_segment_under_another_name_survives)
{
	volume_make(&shelf);
	simdisk_copy(shelf.disk, volume_path(9), shelf.disk, volume_path(2));
	expect("1 2 3 4 5 6 7 8 9 10");
	simdisk_delete(shelf.disk, volume_path(2));
	expect("1 2 3 4 5 6 7 8 9 10");
	/* Of two, each has what the other has not. */
	simdisk_copy(shelf.disk, volume_path(2), shelf.disk, volume_path(9));
	volume_spoil(&shelf, volume_path(2), volume_frame(&shelf, 2, 1) - 1);
	volume_spoil(&shelf, volume_path(9), volume_frame(&shelf, 2, 2) - 1);
	expect("1 2 3 4 5 6 7 8 9 10");
}
END_TEST

START_TEST(a_commit_that_breaks_a_rule_is_lost)
{
	const uint8_t wrong = 99;

	volume_make(&shelf);
	/* The revision in the payload is another one. */
	forge_frame(shelf.disk, volume_path(1), volume_frame(&shelf, 1, 1), 49,
		    &wrong, 1);
	expect("1 -2 3 4 5 6 7 8 9 10");
}
END_TEST

START_TEST(what_cannot_be_read_is_lost)
{
	volume_make(&shelf);
	simdisk_bad(shelf.disk, volume_path(1), 8192, 512);
	expect("-1-2 3 4 5 6 7 8 9 10");
	simdisk_faults_clear(shelf.disk);
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_OPEN, 1, WB_IO, true,
						     false, volume_path(2)});
	expect("1 2 3 -4-6 7 8 9 10");
}
END_TEST

/* ---- of elsewhere ---- */

START_TEST(fault_26_a_segment_of_another_store_is_not_taken)
{
	struct shelf other;

	volume_make(&shelf);
	shelf_init(&other, 2);
	ck_ok(shelf_open(&other));
	volume_make(&other);
	simdisk_copy(shelf.disk, volume_path(2), other.disk, volume_path(2));
	simdisk_copy(shelf.disk, volume_path(7), other.disk, volume_path(3));
	expect("1 2 3 -4-6 7 8 9 10");
	shelf_release(&other);
}
END_TEST

START_TEST(a_segment_of_another_uuid_or_epoch_is_not_taken)
{
	const uint64_t other = 4711;

	volume_make(&shelf);
	simdisk_copy(shelf.disk, "torn/2", shelf.disk, volume_path(2));
	forge_header(shelf.disk, volume_path(2), 40, &other, 8); /* uuid */
	expect("1 2 3 -4-6 7 8 9 10");
	simdisk_copy(shelf.disk, volume_path(2), shelf.disk, "torn/2");
	expect("1 2 3 4 5 6 7 8 9 10");
	forge_header(shelf.disk, volume_path(2), 56, &other, 8);
	expect("1 2 3 -4-6 7 8 9 10");
	/* Nor believed, where it is the anchor. */
	simdisk_copy(shelf.disk, volume_path(2), shelf.disk, volume_path(3));
	forge_anchor(shelf.disk, 48, &other, 8);
	expect("1 2 3 -4-6 7 8 9 10");
}
END_TEST

START_TEST(what_lies_behind_a_cut_is_not_taken)
{
	uint64_t end;

	volume_make(&shelf);
	end = volume_frame(&shelf, 3, 1);
	ck_assert_uint_lt(end, simdisk_size(shelf.disk, volume_path(3)));
	forge_header(shelf.disk, volume_path(4), 120, &end, 8);
	expect("1 2 3 4 5 6 7 -8 9 10");
}
END_TEST

START_TEST(of_two_commits_with_one_revision_the_newer_segments_counts)
{
	const uint8_t nine = 9;
	struct past *truth, *past;
	uint64_t frame;

	volume_make(&shelf);
	truth = truth_of(shelf.disk);
	frame = volume_frame(&shelf, 3, 1);
	forge_frame(shelf.disk, volume_path(3), frame, 24, &nine, 1);
	forge_frame(shelf.disk, volume_path(3), frame, 49, &nine, 1);
	past = survive(shelf.disk);
	ck_assert_str_eq(past->words, "1 2 3 4 5 6 7 -8 9 10");
	ck_assert_uint_eq(past->payloads[9], truth->payloads[9]);
	free(truth);
	free(past);
}
END_TEST

/* ---- what was never durable ---- */

static void take_at_sync(void *context, enum sim_op op, const char *name)
{
	struct simdisk **copy = context;

	(void)op;
	(void)name;
	if (!*copy)
		*copy = simdisk_clone(shelf.disk);
}

/* "a", then a group of "b", "c" and "d": power goes before its sync, all of it
 * reaches the disk but a byte of its first frame. Those behind it verify, and
 * do not count. */
static void tear_group(void)
{
	struct simdisk *copy = NULL;

	shelf_put(&shelf, "a", "1");
	(void)stage_put(&shelf, "b", "never");
	(void)stage_put(&shelf, "c", "never");
	(void)stage_put(&shelf, "d", "never");
	simdisk_observe(shelf.disk, SIM_SYNC, take_at_sync, &copy);
	ck_ok(store_flush(shelf.store));
	ck_assert_ptr_nonnull(copy);
	shelf_kill(&shelf);
	simdisk_free(shelf.disk);
	shelf.disk = simdisk_crash(copy, (struct sim_crash){SIM_KEEP_ALL, 0});
	simdisk_free(copy);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 1) + 60);
}

START_TEST(frames_behind_a_torn_write_are_not_taken)
{
	tear_group();
	expect("1");
	/* Nor where there is damage before it. */
	volume_spoil(&shelf, volume_path(1), 8192 + 60);
	expect("-1");
}
END_TEST

START_TEST(what_was_cut_off_does_not_come_back)
{
	tear_group();
	/* It can be neither kept nor cut off. */
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_CREATE, 1, WB_IO, true,
						     false, "tmp/torn"});
	ck_ok(shelf_open(&shelf));
	simdisk_faults_clear(shelf.disk);
	shelf_put(&shelf, "e", "1");
	shelf_put(&shelf, "f", "1");
	ck_ok(wb_store_mark(shelf.store));
	volume_settle(&shelf);
	ck_assert_uint_gt(simdisk_size(shelf.disk, volume_path(1)),
			  volume_frame(&shelf, 1, 3));
	expect("1 2 3");
	/* Without the commits that took the revisions over, */
	volume_spoil(&shelf, volume_path(2), volume_frame(&shelf, 2, 1) + 60);
	expect("1 2 -3");
	volume_spoil(&shelf, volume_path(2), volume_frame(&shelf, 2, 0) + 60);
	expect("1 -2-3");
	/* without the header that says where the cut is, */
	volume_spoil(&shelf, volume_path(2), 50);
	volume_spoil(&shelf, volume_path(2), 4096 + 50);
	expect("1 -2-3");
	/* and without all of that segment. */
	simdisk_delete(shelf.disk, volume_path(2));
	expect("1 -2-3 ?4");
}
END_TEST

/* ---- anything ---- */

START_TEST(how_far_it_is_grows_from_segment_to_segment)
{
	struct gauge gauge;
	struct meter meter = gauge_meter(&gauge);
	struct audit_survivors_visitor visitor = {.meter = &meter};
	struct audit_survivors found;
	struct dir *dir;

	for (unsigned at = 0; at < 2000; at++)
		shelf_put(&shelf, "small", "s");
	volume_fill_eight(&shelf);
	dir = simdisk_dir(shelf.disk);
	ck_ok(audit_survivors_read(dir, &visitor, &found));
	dir_close(dir);
	ck_assert_str_eq(gauge.words, "search/bytes copy/commits");
	ck_assert_uint_eq(gauge.last.done, 2008);
	ck_assert_uint_eq(gauge.last.total, 2008);
	ck_assert_uint_eq(gauge.told, 4); /* 0, 1000, 2000 and the end */
	ck_assert_uint_gt(gauge.step_max, 0);
	ck_assert_uint_le(gauge.step_max, 2 << 20);
}
END_TEST

START_TEST(nothing_is_invented)
{
	uint64_t seed = first_seed(), images = 0, commits = 0, lost = 0;

	for (unsigned left = (unsigned)rounds(40, 150); left > 0;
	     left--, seed++) {
		struct annals annals;
		struct simdisk *end;
		struct past *truth;

		annals_make(&annals, seed, 10 + (unsigned)(seed % 60));
		end = annals_end(&annals);
		truth = truth_of(end);
		for (unsigned i = (unsigned)rounds(30, 100); i > 0; i--) {
			struct simdisk *disk = simdisk_clone(end);
			const char *what = "";
			struct past *past;

			for (uint64_t many = rng_below(&annals.rng, 3) + 1;
			     many > 0; many--)
				what = ruin_some(disk, annals.earlier,
						 &annals.rng);
			past = survive(disk);
			check_true(past, truth, seed, what);
			images++;
			commits += past->commits;
			lost += past->lost;
			free(past);
			simdisk_free(disk);
		}
		free(truth);
		simdisk_free(end);
		annals_release(&annals);
	}
	ck_assert_uint_gt(lost, 0);
	printf("count: survivors, images %" PRIu64 "\n", images);
	printf("count: survivors, commits %" PRIu64 "\n", commits);
	printf("count: survivors, revisions lost %" PRIu64 "\n", lost);
}
END_TEST

/* A bit of the frames of segments that have a successor: the commit whose
 * frame it is in is lost, and no other one. */
START_TEST(a_bit_costs_its_own_commit_only)
{
	struct past *truth;
	struct rng rng = rng_of(3);

	volume_make(&shelf);
	truth = truth_of(shelf.disk);
	for (unsigned i = (unsigned)rounds(500, 5000); i > 0; i--) {
		uint64_t id = 1 + rng_below(&rng, 3), hit = 0;
		uint64_t size = simdisk_size(shelf.disk, volume_path(id));
		uint64_t bit = 8 * 8192 + rng_below(&rng, 8 * (size - 8192));
		struct past *past;
		uint64_t at = 8192;

		for (unsigned n = 0; at <= bit / 8 && at < size; n++) {
			simdisk_get(shelf.disk, volume_path(id), &hit, 8,
				    at + 24);
			at = forge_next(shelf.disk, volume_path(id), at);
		}
		simdisk_flip(shelf.disk, volume_path(id), bit);
		past = survive(shelf.disk);
		check_true(past, truth, i, "bit");
		for (uint64_t r = 1; r <= truth->head; r++)
			ck_assert_msg(past->payloads[r] || r == hit,
				      "bit %" PRIu64 " of %s costs %" PRIu64
				      ": %s",
				      bit, volume_path(id), r, past->words);
		simdisk_flip(shelf.disk, volume_path(id), bit);
		free(past);
	}
	free(truth);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("survivors");
	TCase *tcase = tcase_create("core");

	tcase_set_timeout(tcase, 280);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, of_nothing_nothing_survives);
	tcase_add_test(tcase, all_of_a_sound_store_survives);
	tcase_add_test(tcase, a_damaged_frame_costs_its_commit);
	tcase_add_test(tcase, a_missing_segment_costs_its_commits);
	tcase_add_test(tcase,
		       the_newest_segment_missing_costs_what_the_anchor_tells);
	tcase_add_test(tcase, the_oldest_segment_missing_costs_its_commits);
	tcase_add_test(tcase, frames_behind_a_bad_header_survive);
	tcase_add_test(tcase, without_a_salt_nothing_is_believed);
	tcase_add_test(tcase, without_an_anchor_all_that_verifies_survives);
	tcase_add_test(tcase, an_end_that_nothing_proves_is_unknown);
	tcase_add_test(tcase, damage_before_a_mark_does_not_hide_the_end);
	tcase_add_test(tcase, an_anchor_knows_the_end_of_what_is_there);
	tcase_add_test(tcase, a_segment_under_another_name_survives);
	tcase_add_test(tcase, a_commit_that_breaks_a_rule_is_lost);
	tcase_add_test(tcase, what_cannot_be_read_is_lost);
	tcase_add_test(tcase, fault_26_a_segment_of_another_store_is_not_taken);
	tcase_add_test(tcase, a_segment_of_another_uuid_or_epoch_is_not_taken);
	tcase_add_test(tcase, what_lies_behind_a_cut_is_not_taken);
	tcase_add_test(
		tcase,
		of_two_commits_with_one_revision_the_newer_segments_counts);
	tcase_add_test(tcase, frames_behind_a_torn_write_are_not_taken);
	tcase_add_test(tcase, what_was_cut_off_does_not_come_back);
	tcase_add_test(tcase, how_far_it_is_grows_from_segment_to_segment);
	tcase_add_test(tcase, nothing_is_invented);
	tcase_add_test(tcase, a_bit_costs_its_own_commit_only);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
