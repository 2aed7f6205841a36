/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read back from a segment is what was written, or an error that says
 * where; and what stands together is read together.
 */
#include "log/readback.h"

#include "log/frame.h"
#include "log/state.h"
#include "tests/support/lab.h"
#include "tests/support/suite.h"

#include <inttypes.h>

static struct lab lab;
static struct readback readback;
static struct places places;

static void set_up(void)
{
	lab_init(&lab, 1);
	lab.options.create = true;
	lab.options.segment_bytes = 1 << 20;
	ck_ok(lab_open(&lab));
	readback_init(&readback, lab.dir, &lab.env.diag);
}

static void tear_down(void)
{
	readback_release(&readback);
	lab_release(&lab);
}

static const struct log_segment *segment_at(size_t at)
{
	ck_assert_uint_lt(at, lab.log->count);
	return &lab.log->segments[at];
}

static struct spot spot_of(const struct log_segment *segment)
{
	return (struct spot){
		.id = segment->header.id,
		.salt = segment->header.salt,
		.end = segment->state == LOG_SEALED ? segment->footer_at
						    : segment->end,
		.footer_at = segment->footer_at,
	};
}

static void open_segment(size_t at)
{
	struct spot spot = spot_of(segment_at(at));

	ck_ok(readback_open(&readback, &spot));
}

/* The commits of the active segment at those numbers, from the newest back. */
static void choose(size_t step, size_t count)
{
	const struct entries *entries = &log_newest(lab.log)->entries;

	ck_assert_uint_le(step * count, entries->count);
	places.count = 0;
	while (places.count < count) {
		size_t back = 1 + step * places.count;
		struct log_entry entry =
			entries_get(entries, entries->count - back);

		places.list[places.count++] =
			(struct commit_place){entry.revision, entry.offset,
					      entry.mutation};
	}
}

static bool is_true(const struct commit *commit)
{
	const struct history_commit *expected =
		&lab.truth.commits[commit->head.revision - 1];

	return commit->payload.size == expected->size &&
	       memcmp(commit->payload.data, lab.truth.bytes + expected->at,
		      expected->size) == 0;
}

/* Reads them all; how many reads and bytes that took. */
static void read_chosen(uint64_t *ret_reads, uint64_t *ret_bytes)
{
	struct commit commit;

	*ret_reads = simdisk_count(lab.disk, SIM_READ);
	*ret_bytes = simdisk_bytes_read(lab.disk);
	for (size_t at = 0; at < places.count; at++) {
		ck_ok(readback_commit(&readback, &places, at, &commit));
		ck_assert_uint_eq(commit.head.revision,
				  places.list[at].revision);
		ck_assert(is_true(&commit));
	}
	*ret_reads = simdisk_count(lab.disk, SIM_READ) - *ret_reads;
	*ret_bytes = simdisk_bytes_read(lab.disk) - *ret_bytes;
}

/* ---- commits ---- */

/* Groups of one take 512 bytes each. */
START_TEST(commits_that_are_near_are_read_together)
{
	static const struct {
		size_t step;
		uint64_t reads, bytes_max;
	} rows[] = {
		/* From the first of them to 4096 behind the last. */
		{1, 1, 63 * 512 + 4096},
		/* 64 KiB at most: 60 more of them. */
		{2, 2, 60 * 1024 + 4096 + 2 * 1024 + 4096},
		/* As far apart as a read is long, 15 more of them. */
		{8, 4, 64 * 4096},
		{9, 64, 64 * 4096},
		{20, 64, 64 * 4096},
	};
	uint64_t reads, bytes;

	for (unsigned at = 0; at < 1500; at++)
		ck_ok(lab_put(&lab, 100));
	ck_assert_uint_eq(lab_segments(&lab), 1);
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		readback_release(&readback);
		readback_init(&readback, lab.dir, &lab.env.diag);
		open_segment(0);
		choose(rows[row].step, 64);
		read_chosen(&reads, &bytes);
		ck_assert_uint_le(reads, rows[row].reads);
		ck_assert_uint_le(bytes, rows[row].bytes_max);
	}
}
END_TEST

/* The first read shows how long it is. */
START_TEST(a_commit_of_any_size_takes_two_reads)
{
	static const size_t sizes[] = {1,    3900,  4000,  4050,
				       4100, 70000, 300000};
	uint64_t reads, bytes;

	for (size_t at = 0; at < sizeof(sizes) / sizeof(*sizes); at++) {
		ck_ok(lab_put(&lab, sizes[at]));
		readback_release(&readback);
		readback_init(&readback, lab.dir, &lab.env.diag);
		open_segment(0);
		choose(1, 1);
		read_chosen(&reads, &bytes);
		ck_assert_uint_le(reads, 2);
		ck_assert_uint_le(bytes, sizes[at] + 512 + 2 * 4096);
	}
	choose(1, sizeof(sizes) / sizeof(*sizes));
	read_chosen(&reads, &bytes);
	ck_assert_uint_le(reads, 2 * sizeof(sizes) / sizeof(*sizes));
}
END_TEST

START_TEST(what_is_read_belongs_to_the_segment_that_is_open)
{
	struct commit commit;
	uint64_t opens;

	while (lab_segments(&lab) < 3)
		ck_ok(lab_put(&lab, 30000));
	ck_ok(lab_put(&lab, 30000));
	choose(1, 1);
	open_segment(2);
	ck_ok(readback_commit(&readback, &places, 0, &commit));
	/* The same place in another file. */
	open_segment(1);
	ck_error(readback_commit(&readback, &places, 0, &commit), WB_CORRUPT);
	open_segment(2);
	ck_ok(readback_commit(&readback, &places, 0, &commit));
	opens = simdisk_count(lab.disk, SIM_OPEN);
	open_segment(2);
	ck_assert_uint_eq(simdisk_count(lab.disk, SIM_OPEN), opens);
}
END_TEST

/* ---- damage ---- */

static void flipped(uint64_t byte, unsigned bit)
{
	simdisk_flip(lab.disk, readback.name, byte * 8 + bit);
}

/* Every bit of a frame, header and padding included. */
START_TEST(a_commit_that_does_not_verify_is_an_error_that_says_where)
{
	struct commit commit;
	uint64_t offset;
	char said[64];

	for (unsigned at = 0; at < 3; at++)
		ck_ok(lab_put(&lab, 20));
	choose(2, 1);
	offset = places.list[0].offset;
	open_segment(0);
	snprintf(said, sizeof(said), "offset %" PRIu64, offset);
	for (uint64_t byte = offset; byte < offset + 512; byte++) {
		flipped(byte, byte % 8);
		readback.size = 0;
		simenv_forget(&lab.env);
		ck_error(readback_commit(&readback, &places, 0, &commit),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, readback.name));
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, said));
		flipped(byte, byte % 8);
	}
	readback.size = 0;
	ck_ok(readback_commit(&readback, &places, 0, &commit));
}
END_TEST

/* A place that is none: between frames, at the end, far behind it; and a
 * commit that is another one. */
START_TEST(a_wrong_place_is_an_error)
{
	struct commit commit;

	for (unsigned at = 0; at < 3; at++)
		ck_ok(lab_put(&lab, 20));
	ck_ok(log_mark(lab.log));
	open_segment(0);
	for (unsigned wrong = 0; wrong < 5; wrong++) {
		choose(2, 1);
		if (wrong == 0)
			places.list[0].offset += 8;
		else if (wrong == 1)
			places.list[0].offset = readback.spot.end;
		else if (wrong == 2)
			places.list[0].offset = UINT64_C(1) << 34;
		else if (wrong == 3)
			places.list[0].revision++;
		else
			places.list[0].offset = readback.spot.end - 512;
		simenv_forget(&lab.env);
		ck_error(readback_commit(&readback, &places, 0, &commit),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, readback.name));
	}
}
END_TEST

/* ---- a stretch ---- */

static struct stretch_commits commits;

START_TEST(a_stretch_has_all_its_commits)
{
	uint64_t end = 0;

	for (unsigned at = 0; at < 40; at++) {
		ck_ok(lab_put(&lab, 20));
		if (at % 5 == 0)
			ck_ok(log_mark(lab.log));
	}
	open_segment(0);
	end = readback.spot.end;
	ck_ok(readback_stretch(&readback, SEGMENT_FRAMES_AT, end, &commits));
	ck_assert_uint_eq(commits.count, 40);
	for (size_t at = 0; at < 40; at++) {
		struct commit commit;

		ck_ok(readback_stretch_commit(&readback, &commits, at, at + 1,
					      &commit));
		ck_assert(is_true(&commit));
		ck_error(readback_stretch_commit(&readback, &commits, at,
						 at + 2, &commit),
			 WB_CORRUPT);
	}
}
END_TEST

/* Every bit in it; and an end that is none. */
START_TEST(a_stretch_is_whole_or_an_error_that_says_where)
{
	const uint64_t from = SEGMENT_FRAMES_AT;
	uint64_t end;

	for (unsigned at = 0; at < 3; at++)
		ck_ok(lab_put(&lab, 20));
	ck_ok(log_mark(lab.log));
	open_segment(0);
	end = readback.spot.end;
	ck_assert_uint_eq(end, from + 4 * 512);
	for (uint64_t byte = from; byte < end; byte++) {
		char said[64];

		snprintf(said, sizeof(said), "offset %" PRIu64,
			 byte - byte % 512);
		flipped(byte, byte % 8);
		simenv_forget(&lab.env);
		ck_error(readback_stretch(&readback, from, end, &commits),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, said));
		flipped(byte, byte % 8);
	}
	for (uint64_t to = end - 511; to < end + 600; to += 8)
		ck_error(readback_stretch(&readback, from, to, &commits),
			 WB_CORRUPT);
	simdisk_resize(lab.disk, readback.name, end - 1);
	ck_error(readback_stretch(&readback, from, end, &commits), WB_CORRUPT);
}
END_TEST

/* ---- a page ---- */

START_TEST(a_page_is_what_it_was_or_an_error_that_says_where)
{
	const struct log_segment *sealed;
	const uint8_t *bytes;
	uint64_t at;
	size_t size;

	while (lab_segments(&lab) < 2)
		ck_ok(lab_put(&lab, 30000));
	sealed = segment_at(0);
	open_segment(0);
	ck_ok(lab_sync_segment(&lab, readback.name));
	size = pages_size(&sealed->pages, 0);
	at = sealed->footer_at + FRAME_HEADER_BYTES + FOOTER_HEAD_BYTES;
	ck_assert_uint_gt(size, 16 * 16);
	ck_ok(readback_page(&readback, &sealed->pages, 0, &bytes));
	for (uint64_t byte = at; byte < at + size; byte++) {
		flipped(byte, byte % 8);
		simenv_forget(&lab.env);
		ck_error(readback_page(&readback, &sealed->pages, 0, &bytes),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, readback.name));
		flipped(byte, byte % 8);
	}
	ck_ok(readback_page(&readback, &sealed->pages, 0, &bytes));
	simdisk_resize(lab.disk, readback.name, at + size - 1);
	ck_error(readback_page(&readback, &sealed->pages, 0, &bytes),
		 WB_CORRUPT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("readback");
	TCase *tests = tcase_create("readback");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, commits_that_are_near_are_read_together);
	tcase_add_test(tests, a_commit_of_any_size_takes_two_reads);
	tcase_add_test(tests, what_is_read_belongs_to_the_segment_that_is_open);
	tcase_add_test(
		tests,
		a_commit_that_does_not_verify_is_an_error_that_says_where);
	tcase_add_test(tests, a_wrong_place_is_an_error);
	tcase_add_test(tests, a_stretch_has_all_its_commits);
	tcase_add_test(tests, a_stretch_is_whole_or_an_error_that_says_where);
	tcase_add_test(tests,
		       a_page_is_what_it_was_or_an_error_that_says_where);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
