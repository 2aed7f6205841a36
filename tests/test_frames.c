/* SPDX-License-Identifier: Apache-2.0
 *
 * A file piece by piece: all of it is told, whatever it is, and what verifies
 * is told apart from what looks as if it did.
 */
#include "audit/frames.h"
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

enum { PIECES_MAX = 128 };

struct pieces {
	struct audit_frames_head head;
	size_t count;
	struct audit_piece pieces[PIECES_MAX]; /* without what they point at */
	char names[PIECES_MAX][16];	       /* of a commit's first change */
	char words[2000];		       /* "COMMIT COMMIT zeros" */
	size_t stop_after;
};

static const char *word_of(const struct audit_piece *piece)
{
	switch (piece->kind) {
	case AUDIT_PIECE_FRAME:
		return audit_frame_name(piece->frame.type);
	case AUDIT_PIECE_DAMAGED:
		return "damaged";
	case AUDIT_PIECE_GARBAGE:
		return "garbage";
	default:
		return "zeros";
	}
}

static bool take(void *context, const struct audit_piece *piece)
{
	struct pieces *pieces = context;
	size_t used = strlen(pieces->words);

	ck_assert_uint_lt(pieces->count, PIECES_MAX);
	snprintf(pieces->words + used, sizeof(pieces->words) - used, "%s%s",
		 used ? " " : "", word_of(piece));
	pieces->pieces[pieces->count] = *piece;
	if (piece->commit && piece->commit->mutation_count > 0)
		snprintf(pieces->names[pieces->count], sizeof(*pieces->names),
			 "%.*s", (int)piece->commit->mutations[0].key.name.size,
			 (const char *)piece->commit->mutations[0]
				 .key.name.data);
	pieces->count++;
	return pieces->count != pieces->stop_after;
}

static struct pieces *look(const char *path)
{
	static struct pieces pieces;
	struct dir *dir = simdisk_dir(shelf.disk);
	size_t stop_after = pieces.stop_after;

	pieces = (struct pieces){.stop_after = stop_after};
	ck_ok(audit_frames(dir, path, &pieces.head, take, &pieces));
	pieces.stop_after = 0;
	dir_close(dir);
	return &pieces;
}

/* From the first frame's place to the file's end, without a gap. */
static void check_whole(const struct pieces *pieces, uint64_t seed)
{
	uint64_t at = 8192;

	for (size_t i = 0; i < pieces->count; i++) {
		ck_assert_msg(pieces->pieces[i].offset == at,
			      "seed %" PRIu64 ": %s", seed, pieces->words);
		ck_assert_uint_gt(pieces->pieces[i].bytes, 0);
		at += pieces->pieces[i].bytes;
	}
	if (pieces->head.file_bytes > 8192)
		ck_assert_msg(at == pieces->head.file_bytes,
			      "seed %" PRIu64 ": %s", seed, pieces->words);
}

/* ---- sound files ---- */

START_TEST(each_frame_is_told)
{
	struct pieces *pieces;

	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "2");
	ck_ok(wb_store_mark(shelf.store));
	shelf_delete(&shelf, "a");
	ck_ok(shelf_close(&shelf));
	pieces = look(volume_path(1));
	ck_assert_str_eq(pieces->words,
			 "COMMIT COMMIT MARK COMMIT CLOSE zeros");
	check_whole(pieces, 0);
	ck_assert(pieces->head.has_header);
	ck_assert_int_eq(pieces->head.salt_from, AUDIT_SALT_HEADER);
	ck_assert_uint_eq(pieces->pieces[1].frame.revision, 2);
	ck_assert_uint_eq(pieces->pieces[1].frame.durable_revision, 1);
	ck_assert_str_eq(pieces->names[0], "a");
	ck_assert_str_eq(pieces->names[1], "b");
	for (unsigned at = 0; at < 5; at++) {
		ck_assert_int_eq(pieces->pieces[at].seen, AUDIT_HOLDS);
		ck_assert_uint_eq(pieces->pieces[at].frame.durable_bytes,
				  pieces->pieces[at].offset);
	}
}
END_TEST

START_TEST(a_sealed_segment_ends_with_its_footer)
{
	struct pieces *pieces;

	volume_make(&shelf);
	pieces = look(volume_path(1));
	ck_assert_str_eq(pieces->words, "COMMIT COMMIT COMMIT FOOTER");
	check_whole(pieces, 0);
}
END_TEST

START_TEST(telling_stops_where_the_visitor_says)
{
	struct pieces *pieces;

	volume_make(&shelf);
	pieces = look(volume_path(1));
	pieces->stop_after = 2;
	pieces = look(volume_path(1));
	ck_assert_uint_eq(pieces->count, 2);
}
END_TEST

START_TEST(what_is_no_segment_is_no_error)
{
	struct pieces *pieces;

	volume_make(&shelf);
	pieces = look("anchor");
	ck_assert_uint_eq(pieces->count, 0);
	ck_assert(!pieces->head.has_header);
	ck_assert_int_eq(pieces->head.salt_from, AUDIT_SALT_UNKNOWN);
}
END_TEST

/* ---- damaged files ---- */

START_TEST(a_damaged_frame_still_says_its_name)
{
	struct pieces *pieces;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	pieces = look(volume_path(1));
	ck_assert_str_eq(pieces->words, "COMMIT damaged COMMIT FOOTER");
	check_whole(pieces, 0);
	ck_assert_int_eq(pieces->pieces[1].seen, AUDIT_FAILS);
	ck_assert_uint_eq(pieces->pieces[1].frame.revision, 2);
	ck_assert_str_eq(pieces->names[1], "big");
}
END_TEST

START_TEST(a_broken_length_hides_one_frame_only)
{
	struct pieces *pieces;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 1) + 18);
	pieces = look(volume_path(1));
	ck_assert_str_eq(pieces->words, "COMMIT garbage zeros COMMIT FOOTER");
	check_whole(pieces, 0);
}
END_TEST

START_TEST(a_zeroed_sector_is_told_as_zeros)
{
	uint8_t zeros[512] = {0};
	struct pieces *pieces;

	volume_make(&shelf);
	simdisk_set(shelf.disk, volume_path(4), zeros, sizeof(zeros), 8192);
	pieces = look(volume_path(4));
	ck_assert_str_eq(pieces->words, "zeros COMMIT MARK zeros");
	check_whole(pieces, 0);
}
END_TEST

START_TEST(a_salt_is_guessed_from_a_bad_header)
{
	struct pieces *pieces;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), 40);
	volume_spoil(&shelf, volume_path(1), 4096 + 40);
	pieces = look(volume_path(1));
	ck_assert(!pieces->head.has_header);
	ck_assert_int_eq(pieces->head.salt_from, AUDIT_SALT_GUESSED);
	ck_assert_str_eq(pieces->words, "COMMIT COMMIT COMMIT FOOTER");
}
END_TEST

START_TEST(without_a_salt_nothing_verifies)
{
	struct pieces *pieces;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), 104);
	volume_spoil(&shelf, volume_path(1), 4096 + 104);
	pieces = look(volume_path(1));
	ck_assert_int_eq(pieces->head.salt_from, AUDIT_SALT_UNKNOWN);
	ck_assert_str_eq(pieces->words, "damaged damaged damaged damaged");
	ck_assert_str_eq(pieces->names[0], "large");
	check_whole(pieces, 0);
}
END_TEST

/* FAULTS 37 of the design: what refuses to open can still be looked at. */
START_TEST(fault_37_a_newer_version_is_told)
{
	const uint64_t flag = 1;
	const uint8_t type = 9;
	struct pieces *pieces;

	volume_make(&shelf);
	forge_header(shelf.disk, volume_path(1), 24, &flag, 8);
	forge_frame(shelf.disk, volume_path(1), volume_frame(&shelf, 1, 1), 12,
		    &type, 1);
	pieces = look(volume_path(1));
	ck_assert_int_eq(pieces->head.copies[0], AUDIT_NEWER);
	ck_assert_int_eq(pieces->head.salt_from, AUDIT_SALT_HEADER);
	ck_assert_str_eq(pieces->words, "COMMIT unknown COMMIT FOOTER");
	ck_assert_int_eq(pieces->pieces[1].seen, AUDIT_NEWER);
}
END_TEST

START_TEST(a_commit_that_breaks_a_rule_says_which)
{
	const uint8_t tag = 1 << 3 | 3;
	struct pieces *pieces;

	volume_make(&shelf);
	forge_frame(shelf.disk, volume_path(4), 8192, 48, &tag, 1);
	pieces = look(volume_path(4));
	ck_assert_str_eq(pieces->words, "COMMIT COMMIT MARK zeros");
	ck_assert_str_eq(pieces->pieces[0].why, "a payload that is no Commit");
}
END_TEST

START_TEST(all_of_any_file_is_told)
{
	struct rng rng = rng_of(5);
	struct simdisk *sound;

	volume_make(&shelf);
	sound = shelf.disk;
	for (uint64_t seed = 0; seed < 300; seed++) {
		uint64_t id = 1 + rng_below(&rng, 4);
		uint64_t size = simdisk_size(sound, volume_path(id));

		shelf.disk = simdisk_clone(sound);
		for (uint64_t left = 1 + rng_below(&rng, 9); left > 0; left--)
			volume_spoil(&shelf, volume_path(id),
				     rng_below(&rng, size));
		if (rng_chance(&rng, 1, 3))
			simdisk_resize(shelf.disk, volume_path(id),
				       rng_below(&rng, size));
		check_whole(look(volume_path(id)), seed);
		simdisk_free(shelf.disk);
	}
	shelf.disk = sound;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frames");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, each_frame_is_told);
	tcase_add_test(tcase, a_sealed_segment_ends_with_its_footer);
	tcase_add_test(tcase, telling_stops_where_the_visitor_says);
	tcase_add_test(tcase, what_is_no_segment_is_no_error);
	tcase_add_test(tcase, a_damaged_frame_still_says_its_name);
	tcase_add_test(tcase, a_broken_length_hides_one_frame_only);
	tcase_add_test(tcase, a_zeroed_sector_is_told_as_zeros);
	tcase_add_test(tcase, a_salt_is_guessed_from_a_bad_header);
	tcase_add_test(tcase, without_a_salt_nothing_verifies);
	tcase_add_test(tcase, fault_37_a_newer_version_is_told);
	tcase_add_test(tcase, a_commit_that_breaks_a_rule_says_which);
	tcase_add_test(tcase, all_of_any_file_is_told);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
