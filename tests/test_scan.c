/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking one segment that is built here frame by frame: where it ends, what
 * follows, what was durable, and which rules between frames are held.
 */
#include "log/scan.h"

#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"

#include <string.h>
#include <xxhash.h>

#define SALT	    77
#define IMAGE_BYTES (32u << 10)

static uint8_t bytes[IMAGE_BYTES];
static size_t at; /* where the next frame goes */
static struct segment_header header;
static struct chain *chain;
static uint8_t value[CHAIN_BYTES]; /* of the chain, behind the last commit */
static struct simenv env;
static struct scan scan;

static void set_up(void)
{
	memset(bytes, 0, sizeof(bytes));
	at = SEGMENT_FRAMES_AT;
	header = (struct segment_header){
		.kind = SEGMENT_LOG,
		.id = 3,
		.first_revision = 11,
		.last_revision = SEGMENT_OPEN_ENDED,
		.salt = SALT,
		.previous_revision = 10,
		.previous_chain = {42},
	};
	memcpy(value, header.previous_chain, sizeof(value));
	chain = chain_new();
	ck_assert_ptr_nonnull(chain);
	simenv_init(&env, 1);
}

static void tear_down(void)
{
	chain_free(chain);
	simenv_release(&env);
}

/* ---- building ---- */

static void put_frame(enum frame_type type, uint64_t revision,
		      const void *payload, uint32_t size,
		      uint64_t durable_revision, uint64_t durable_bytes)
{
	struct frame frame = {
		.type = (uint8_t)type,
		.frame_bytes = frame_size(size),
		.payload_bytes = size,
		.revision = revision,
		.durable_revision = durable_revision,
		.durable_bytes = durable_bytes,
	};

	ck_assert_uint_le(at + frame.frame_bytes, sizeof(bytes));
	if (size)
		memcpy(bytes + at + FRAME_HEADER_BYTES, payload, size);
	frame_seal(bytes + at, &frame, SALT, at);
	at += frame.frame_bytes;
}

/* The checksum of the frame at `offset`, of 56 bytes, over what is there. */
static void seal_again(uint64_t offset)
{
	struct writer writer = writer_of(bytes + offset, 8);

	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + offset + 8, 56 - 8,
				       SALT + offset * FRAME_SEED_STEP));
}

static void put_commit(uint64_t revision)
{
	uint8_t payload[256];
	struct writer writer = writer_of(payload, sizeof(payload));
	struct commit_head head = {
		.revision = revision,
		.time_ns = (int64_t)revision * 1000,
	};
	struct mutation mutation = {
		.key = {.kind = 1, .name = {"name", 4}},
		.value = {"value", 5},
	};

	commit_head_write(&writer, &head);
	mutation_write(&writer, &mutation);
	ck_ok(chain_next(chain, (struct wb_bytes){payload, writer.at}, value));
	put_frame(FRAME_COMMIT, revision, payload, (uint32_t)writer.at,
		  revision - 1, at);
}

static void put_footer(const struct footer *footer, uint64_t revision)
{
	const struct entries none = {.count = 0};
	uint8_t payload[FOOTER_HEAD_BYTES];

	ck_ok(footer_encode(footer, &none, payload));
	put_frame(FRAME_FOOTER, revision, payload, sizeof(payload), revision,
		  at);
}

static struct footer footer_of(uint64_t commits)
{
	struct footer footer = {
		.first_revision = commits ? 11 : 0,
		.last_revision = commits ? 10 + commits : 0,
		.commits = commits,
	};

	memcpy(footer.chain, value, CHAIN_BYTES);
	return footer;
}

static enum wb_error run(struct scan_options options)
{
	struct file_image image = {bytes, sizeof(bytes), sizeof(bytes)};

	options.name = "segment";
	options.diag = &env.diag;
	options.chain = chain;
	return scan_segment(&image, &header, &options, &scan);
}

static enum wb_error run_tail(void)
{
	return run((struct scan_options){.tail = true});
}

/* ---- where it ends ---- */

START_TEST(an_empty_segment_ends_behind_its_header)
{
	ck_ok(run_tail());
	ck_assert_uint_eq(scan.end, SEGMENT_FRAMES_AT);
	ck_assert_uint_eq(scan.head, 10);
	ck_assert_uint_eq(scan.frames, 0);
	ck_assert_int_eq(scan.last_type, FRAME_NONE);
	ck_assert_int_eq(scan.rest, SEEN_ZEROS);
	ck_assert_mem_eq(scan.chain, header.previous_chain, CHAIN_BYTES);
}
END_TEST

START_TEST(frames_are_walked_to_the_last_that_verifies)
{
	put_commit(11);
	put_commit(12);
	put_frame(FRAME_MARK, 12, NULL, 0, 12, at);
	put_commit(13);
	put_frame(FRAME_CLOSE, 13, NULL, 0, 13, at);
	ck_ok(run_tail());
	ck_assert_uint_eq(scan.end, at);
	ck_assert_uint_eq(scan.head, 13);
	ck_assert_uint_eq(scan.frames, 5);
	ck_assert_int_eq(scan.last_type, FRAME_CLOSE);
	ck_assert_uint_eq(scan.marked, at);
	ck_assert_int_eq(scan.rest, SEEN_ZEROS);
	ck_assert_uint_eq(scan.floor_revision, 13);
	ck_assert_mem_eq(scan.chain, value, CHAIN_BYTES);
}
END_TEST

START_TEST(frames_to_the_last_byte_leave_nothing)
{
	static uint8_t payload[IMAGE_BYTES];
	uint32_t size;

	put_commit(11);
	size = (uint32_t)(sizeof(bytes) - at - FRAME_HEADER_BYTES);
	put_frame(FRAME_COMMIT, 12, payload, size, 11, at);
	ck_ok(run_tail());
	ck_assert_uint_eq(scan.end, sizeof(bytes));
	ck_assert_int_eq(scan.rest, SEEN_NOTHING);
}
END_TEST

START_TEST(a_byte_anywhere_behind_the_end_is_debris)
{
	static const size_t far[] = {0,	   1,	 7,    511,   512,
				     4095, 4096, 9999, 20000, 0};

	put_commit(11);
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		size_t where = i + 1 < sizeof(far) / sizeof(far[0])
				       ? at + far[i]
				       : sizeof(bytes) - 1;

		bytes[where] = 1;
		ck_ok(run_tail());
		ck_assert_uint_eq(scan.end, at);
		ck_assert_int_eq(scan.rest, SEEN_DEBRIS);
		ck_assert_uint_eq(scan.debris_end, where + 1);
		bytes[where] = 0;
	}
	ck_ok(run_tail());
	ck_assert_int_eq(scan.rest, SEEN_ZEROS);
}
END_TEST

START_TEST(nothing_behind_a_cut_is_looked_at)
{
	uint64_t end;

	put_commit(11);
	end = at;
	put_commit(12);
	ck_ok(run((struct scan_options){.stop_at = end}));
	ck_assert_uint_eq(scan.end, end);
	ck_assert_uint_eq(scan.head, 11);
	ck_assert_int_eq(scan.rest, SEEN_DEBRIS);
	/* A cut inside a frame cannot be: it shows as another end. */
	ck_ok(run((struct scan_options){.stop_at = end + 8}));
	ck_assert_uint_eq(scan.end, at);
}
END_TEST

/* ---- what was durable ---- */

/* A frame that verifies behind a tear, wherever it stands, tells what was
 * durable when it was written. */
START_TEST(the_floor_is_raised_by_frames_behind_a_tear)
{
	uint64_t end;

	put_commit(11);
	end = at;
	for (size_t gap = 8; gap < 1024; gap += 8) {
		tear_down();
		set_up();
		put_commit(11);
		bytes[at] = 1;
		at += gap;
		put_frame(FRAME_COMMIT, 12, "x", 1, 11, end + 8);
		ck_ok(run_tail());
		ck_assert_uint_eq(scan.end, end);
		ck_assert_uint_eq(scan.floor_revision, 11);
		ck_assert_uint_eq(scan.floor_bytes, end + 8);
		ck_assert(!scan.floor_unknown);
		/* Only the newest segment can be torn. */
		ck_ok(run((struct scan_options){.compute_chain = true}));
		ck_assert_uint_eq(scan.floor_bytes, 0);
	}
}
END_TEST

/* ---- rules between frames ---- */

static void expect_corrupt(const char *what)
{
	ck_error(run_tail(), WB_CORRUPT);
	ck_assert_msg(simenv_said(&env, DIAG_DAMAGE, what), "%s", what);
	simenv_forget(&env);
	/* The frame was the last one. */
	memset(bytes + SEGMENT_FRAMES_AT, 0, sizeof(bytes) - SEGMENT_FRAMES_AT);
	at = SEGMENT_FRAMES_AT;
	put_commit(11);
}

START_TEST(a_frame_that_verifies_must_follow_the_one_before)
{
	put_commit(11);
	put_commit(13);
	expect_corrupt("does not follow");
	put_commit(11);
	expect_corrupt("does not follow");
	put_frame(FRAME_MARK, 10, NULL, 0, 0, 0);
	expect_corrupt("does not follow");
	put_frame(FRAME_CLOSE, 12, NULL, 0, 0, 0);
	expect_corrupt("does not follow");
	put_frame(FRAME_MARK, 11, NULL, 0, 11, at + 8);
	expect_corrupt("bytes behind it");
	put_frame(FRAME_MARK, 11, NULL, 0, 12, at);
	expect_corrupt("later revision");
	put_frame(FRAME_RECORDS, 11, "x", 1, 11, at);
	expect_corrupt("records");
	ck_ok(run_tail());
}
END_TEST

START_TEST(a_frame_says_what_its_group_says)
{
	uint64_t group;

	put_commit(11);
	put_frame(FRAME_COMMIT, 12, "x", 1, 11, at - 8);
	expect_corrupt("its group");
	put_frame(FRAME_COMMIT, 12, "x", 1, 10, at);
	expect_corrupt("its group");
	/* A second commit of the group; a third that is not quite. */
	put_frame(FRAME_COMMIT, 12, "x", 1, 10, SEGMENT_FRAMES_AT);
	ck_ok(run_tail());
	put_frame(FRAME_COMMIT, 13, "x", 1, 11, SEGMENT_FRAMES_AT);
	expect_corrupt("its group");
	put_frame(FRAME_COMMIT, 12, "x", 1, 10, SEGMENT_FRAMES_AT);
	put_frame(FRAME_COMMIT, 13, "x", 1, 10, SEGMENT_FRAMES_AT + 8);
	expect_corrupt("its group");
	/* A mark, and what follows it, is a group of its own. */
	put_frame(FRAME_MARK, 11, NULL, 0, 10, SEGMENT_FRAMES_AT);
	expect_corrupt("its group");
	group = at;
	put_frame(FRAME_MARK, 11, NULL, 0, 11, at);
	put_frame(FRAME_COMMIT, 12, "x", 1, 11, group);
	expect_corrupt("its group");
	put_frame(FRAME_MARK, 11, NULL, 0, 11, at);
	put_frame(FRAME_CLOSE, 11, NULL, 0, 11, at);
	ck_ok(run_tail());
}
END_TEST

/* Somebody wrote it so: that is no torn write. */
START_TEST(a_checksum_that_holds_over_what_must_be_zero_is_corrupt)
{
	uint64_t frame;

	put_commit(11);
	frame = at;
	put_frame(FRAME_COMMIT, 12, "x", 1, 11, at);
	/* In the padding behind the payload; then bytes 14 and 15. */
	for (unsigned which = 0; which < 2; which++) {
		uint8_t *byte = bytes + frame + (which ? 14 : 50);

		*byte = 1;
		ck_ok(run_tail());
		ck_assert_int_eq(scan.rest, SEEN_DEBRIS);
		seal_again(frame);
		ck_error(run_tail(), WB_CORRUPT);
		ck_assert(simenv_said(&env, DIAG_DAMAGE, "must be zero"));
		simenv_forget(&env);
		*byte = 0;
		seal_again(frame);
		ck_ok(run_tail());
		ck_assert_uint_eq(scan.end, at);
	}
}
END_TEST

START_TEST(a_frame_of_a_later_version_refuses)
{
	put_commit(11);
	put_frame((enum frame_type)6, 11, "x", 1, 11, at);
	ck_error(run_tail(), WB_UNSUPPORTED);
}
END_TEST

/* ---- footers ---- */

START_TEST(a_footer_ends_the_walk_and_gives_the_chain)
{
	struct footer footer;

	put_commit(11);
	put_commit(12);
	footer = footer_of(2);
	put_footer(&footer, 12);
	for (int chained = 0; chained < 2; chained++) {
		ck_ok(run((struct scan_options){.compute_chain = chained}));
		ck_assert_int_eq(scan.last_type, FRAME_FOOTER);
		ck_assert_uint_eq(scan.footer.commits, 2);
		ck_assert_uint_eq(scan.footer_at, at - 48 - 80);
		ck_assert_uint_eq(scan.end, at);
		ck_assert_int_eq(scan.rest, SEEN_ZEROS);
		ck_assert_mem_eq(scan.chain, value, CHAIN_BYTES);
	}
	/* A frame behind a footer is debris, whatever it is. */
	put_commit(13);
	ck_ok(run_tail());
	ck_assert_uint_eq(scan.head, 12);
	ck_assert_int_eq(scan.rest, SEEN_DEBRIS);
}
END_TEST

START_TEST(a_footer_must_tell_of_the_commits_before_it)
{
	struct footer footer;

	put_commit(11);
	footer = footer_of(2);
	put_footer(&footer, 11);
	expect_corrupt("footer contradicts");
	footer = footer_of(0);
	put_footer(&footer, 11);
	expect_corrupt("footer contradicts");
	footer = (struct footer){12, 12, 1, 0, 0, {0}, 0};
	put_footer(&footer, 11);
	expect_corrupt("footer contradicts");
	footer = (struct footer){12, 11, 1, 0, 0, {0}, 0};
	put_footer(&footer, 11);
	expect_corrupt("footer contradicts");
	footer = footer_of(1);
	footer.chain[0] ^= 1;
	put_footer(&footer, 11);
	expect_corrupt("chain");
	ck_ok(run_tail());
}
END_TEST

START_TEST(a_segment_without_commits_can_be_sealed)
{
	struct footer footer = footer_of(0);

	put_footer(&footer, 10);
	ck_ok(run_tail());
	ck_assert_uint_eq(scan.head, 10);
	ck_assert_int_eq(scan.last_type, FRAME_FOOTER);
}
END_TEST

/* ---- the chain ---- */

START_TEST(the_chain_is_computed_where_no_footer_gives_it)
{
	put_commit(11);
	put_commit(12);
	ck_ok(run((struct scan_options){.compute_chain = false}));
	ck_assert_mem_eq(scan.chain, value, CHAIN_BYTES);
}
END_TEST

START_TEST(the_chain_at_a_revision_is_reported)
{
	uint8_t values[3][CHAIN_BYTES];

	memcpy(values[0], value, CHAIN_BYTES);
	put_commit(11);
	memcpy(values[1], value, CHAIN_BYTES);
	put_commit(12);
	memcpy(values[2], value, CHAIN_BYTES);
	for (uint64_t revision = 9; revision <= 13; revision++) {
		bool inside = revision >= 10 && revision <= 12;

		ck_ok(run((struct scan_options){.tail = true,
						.chain_at = revision}));
		ck_assert_int_eq(scan.chain_at_seen, inside);
		if (inside)
			ck_assert_mem_eq(scan.chain_at_value,
					 values[revision - 10], CHAIN_BYTES);
	}
}
END_TEST

/* ---- commits ---- */

struct visits {
	uint64_t revisions[4];
	unsigned count;
	unsigned fail_at;
};

static enum wb_error visit(void *context, const struct commit *commit,
			   uint64_t offset)
{
	struct visits *visits = context;

	ck_assert_uint_ge(offset, SEGMENT_FRAMES_AT);
	visits->revisions[visits->count++] = commit->head.revision;
	return visits->count == visits->fail_at ? WB_NO_MEMORY : WB_OK;
}

static enum wb_error visit_all(struct visits *visits)
{
	struct file_image image = {bytes, sizeof(bytes), sizeof(bytes)};

	ck_ok(run_tail());
	return scan_commits(&image, &scan, "segment", &env.diag, visit, visits);
}

START_TEST(commits_are_visited_in_order)
{
	struct visits visits = {0};

	put_commit(11);
	put_frame(FRAME_MARK, 11, NULL, 0, 11, at);
	put_commit(12);
	ck_ok(visit_all(&visits));
	ck_assert_uint_eq(visits.count, 2);
	ck_assert_uint_eq(visits.revisions[0], 11);
	ck_assert_uint_eq(visits.revisions[1], 12);
	visits = (struct visits){.fail_at = 1};
	ck_error(visit_all(&visits), WB_NO_MEMORY);
	ck_assert_uint_eq(visits.count, 1);
}
END_TEST

START_TEST(a_frame_must_hold_the_commit_it_says)
{
	struct visits visits = {0};
	size_t first;

	put_frame(FRAME_COMMIT, 11, "no commit", 9, 10, at);
	ck_error(visit_all(&visits), WB_CORRUPT);
	/* A whole commit, of another revision than its frame's. */
	at = SEGMENT_FRAMES_AT;
	put_commit(12);
	first = at - SEGMENT_FRAMES_AT;
	at = SEGMENT_FRAMES_AT;
	put_frame(FRAME_COMMIT, 11, bytes + at + FRAME_HEADER_BYTES,
		  (uint32_t)(first - FRAME_HEADER_BYTES), 10, at);
	ck_error(visit_all(&visits), WB_CORRUPT);
	ck_assert_uint_eq(visits.count, 0);
}
END_TEST

/* ---- files ---- */

START_TEST(an_image_is_read_from_the_disk_where_it_is_to_be_proven)
{
	struct simdisk *disk = simdisk_new();
	struct dir *dir = simdisk_dir(disk);
	struct file_image image = {0};
	struct file *file;

	ck_error(file_image_read(&image, dir, "x", &env.diag, 0), WB_NOT_FOUND);
	ck_ok(dir_open(dir, "x", FILE_CREATE, &file));
	ck_ok(file_write(file, "old", 3, 0));
	ck_ok(file_sync(file, CONTROL_GROUP_SYNC));
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_ok(file_write(file, "new!", 4, 0));
	ck_error(file_sync(file, CONTROL_GROUP_SYNC), WB_IO);
	file_close(file);
	ck_ok(file_image_read(&image, dir, "x", &env.diag, FILE_PROVEN));
	ck_assert_uint_eq(image.size, 4);
	ck_assert_mem_eq(image.bytes, "new!", 4);
	ck_ok(file_image_read(&image, dir, "x", &env.diag, 0));
	ck_assert_uint_eq(image.size, 3);
	ck_assert_mem_eq(image.bytes, "old", 3);
	simdisk_resize(disk, "x", 0);
	ck_ok(file_image_read(&image, dir, "x", &env.diag, 0));
	ck_assert_uint_eq(image.size, 0);
	simdisk_resize(disk, "x", FILE_IMAGE_BYTES_MAX + 1);
	ck_error(file_image_read(&image, dir, "x", &env.diag, 0), WB_CORRUPT);
	ck_assert_uint_eq(image.size, 0);
	file_image_release(&image);
	dir_close(dir);
	simdisk_free(disk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *tests = tcase_create("scan");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_empty_segment_ends_behind_its_header);
	tcase_add_test(tests, frames_are_walked_to_the_last_that_verifies);
	tcase_add_test(tests, frames_to_the_last_byte_leave_nothing);
	tcase_add_test(tests, a_byte_anywhere_behind_the_end_is_debris);
	tcase_add_test(tests, nothing_behind_a_cut_is_looked_at);
	tcase_add_test(tests, the_floor_is_raised_by_frames_behind_a_tear);
	tcase_add_test(tests, a_frame_that_verifies_must_follow_the_one_before);
	tcase_add_test(tests, a_frame_says_what_its_group_says);
	tcase_add_test(tests,
		       a_checksum_that_holds_over_what_must_be_zero_is_corrupt);
	tcase_add_test(tests, a_frame_of_a_later_version_refuses);
	tcase_add_test(tests, a_footer_ends_the_walk_and_gives_the_chain);
	tcase_add_test(tests, a_footer_must_tell_of_the_commits_before_it);
	tcase_add_test(tests, a_segment_without_commits_can_be_sealed);
	tcase_add_test(tests, the_chain_is_computed_where_no_footer_gives_it);
	tcase_add_test(tests, the_chain_at_a_revision_is_reported);
	tcase_add_test(tests, commits_are_visited_in_order);
	tcase_add_test(tests, a_frame_must_hold_the_commit_it_says);
	tcase_add_test(tests,
		       an_image_is_read_from_the_disk_where_it_is_to_be_proven);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
