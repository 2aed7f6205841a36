/* SPDX-License-Identifier: Apache-2.0
 *
 * The log told from its beginning, from active, sealed and cut segments
 * alike.
 */
#include "log/follow.h"

#include "log/segment.h"
#include "tests/support/forge.h"
#include "tests/support/lab.h"
#include "tests/support/suite.h"

#include <inttypes.h>

static struct lab lab;
static struct history told;

static void set_up(void)
{
	lab_init(&lab, 1);
	lab.options.create = true;
	ck_ok(lab_open(&lab));
}

static void tear_down(void)
{
	history_release(&told);
	lab_release(&lab);
}

/* Sealed segments, a cut one, and an active one, in groups of one to three
 * commits of one to four mutations. */
static void fill(void)
{
	for (unsigned at = 0; at < 120; at++) {
		ck_ok(lab_stage(&lab, 1 + at % 4, 100 + at));
		if (at % 3 == 0)
			ck_ok(lab_append(&lab));
		if (at == 80) {
			ck_ok(lab_append(&lab));
			lab_abandon(&lab);
			ck_ok(lab_reopen(&lab));
		}
	}
	ck_ok(lab_append(&lab));
	ck_assert_uint_eq(lab.truth.count, 120);
	ck_assert_uint_gt(lab_segments(&lab), 3);
}

static enum wb_error follow(uint64_t upto)
{
	history_clear(&told);
	return log_follow(lab.log, upto, history_replay, &told);
}

static void check_all(void)
{
	for (uint64_t upto = 0; upto <= lab.truth.count; upto++) {
		ck_ok(follow(upto));
		ck_assert_uint_eq(told.count, upto);
		ck_assert_uint_eq(history_common(&told, &lab.truth), upto);
	}
}

START_TEST(every_commit_up_to_a_revision_comes_oldest_first)
{
	fill();
	check_all();
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	check_all();
}
END_TEST

START_TEST(an_empty_log_tells_nothing)
{
	ck_ok(follow(0));
	ck_assert_uint_eq(told.count, 0);
}
END_TEST

/* Around the sizes in which the file is read, and far beyond them. */
START_TEST(frames_of_every_size_are_told)
{
	static const size_t sizes[] = {1,      4000,	100000, 262000, 262144,
				       300000, 1000000, 3,	600000};

	lab_release(&lab);
	lab_init(&lab, 2);
	lab.options = (struct log_options){.create = true,
					   .segment_bytes = 64u << 20};
	ck_ok(lab_open(&lab));
	for (unsigned at = 0; at < 40; at++)
		ck_ok(lab_put(&lab, sizes[at % 9] + at));
	ck_ok(follow(40));
	ck_assert(history_equal(&told, &lab.truth));
}
END_TEST

struct limited {
	uint64_t limit, count;
};

static enum wb_error stop_at(void *context, const struct commit *commit)
{
	struct limited *limited = context;

	ck_assert_uint_eq(commit->head.revision, ++limited->count);
	return limited->count == limited->limit ? WB_CANCELLED : WB_OK;
}

START_TEST(an_error_of_the_visitor_ends_it)
{
	fill();
	for (uint64_t limit = 1; limit <= 120; limit++) {
		struct limited limited = {.limit = limit};

		ck_error(log_follow(lab.log, 120, stop_at, &limited),
			 WB_CANCELLED);
		ck_assert_uint_eq(limited.count, limit);
	}
}
END_TEST

START_TEST(every_frame_that_is_told_is_verified)
{
	uint64_t segments;

	fill();
	segments = lab_segments(&lab);
	for (uint64_t id = 1; id <= segments; id++) {
		const char *name = lab_segment(id);
		uint64_t bit = (SEGMENT_FRAMES_AT + 60) * 8;

		ck_ok(lab_sync_segment(&lab, name));
		simdisk_flip(lab.disk, name, bit);
		simenv_forget(&lab.env);
		ck_error(follow(120), WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, name));
		/* What came before it was told, and nothing wrong. */
		ck_assert_uint_lt(told.count, 120);
		ck_assert_uint_eq(history_common(&told, &lab.truth),
				  told.count);
		simdisk_flip(lab.disk, name, bit);
	}
	ck_ok(follow(120));
}
END_TEST

/* Every checksum holds, and yet it is not what was written. */
START_TEST(a_commit_of_another_revision_is_not_told)
{
	/* Behind the frame's header and the field's tag. */
	static const uint8_t revision = 2;

	fill();
	ck_ok(lab_sync_segment(&lab, lab_segment(1)));
	forge_frame(lab.disk, lab_segment(1), SEGMENT_FRAMES_AT,
		    FRAME_HEADER_BYTES + 1, &revision, 1);
	ck_error(follow(120), WB_CORRUPT);
	ck_assert_uint_eq(told.count, 0);
}
END_TEST

START_TEST(an_error_of_the_disk_is_one_of_the_telling)
{
	static const enum sim_op kinds[] = {SIM_OPEN, SIM_READ};

	fill();
	for (size_t kind = 0; kind < 2; kind++) {
		uint64_t before = simdisk_count(lab.disk, kinds[kind]);
		uint64_t count;

		ck_ok(follow(120));
		count = simdisk_count(lab.disk, kinds[kind]) - before;
		ck_assert_uint_gt(count, 3);
		for (uint64_t nth = 1; nth <= count; nth++) {
			simdisk_fault(lab.disk,
				      (struct sim_fault){.kind = kinds[kind],
							 .nth = nth,
							 .error = WB_IO});
			ck_error(follow(120), WB_IO);
			simdisk_faults_clear(lab.disk);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("follow");
	TCase *tests = tcase_create("follow");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, every_commit_up_to_a_revision_comes_oldest_first);
	tcase_add_test(tests, an_empty_log_tells_nothing);
	tcase_add_test(tests, frames_of_every_size_are_told);
	tcase_add_test(tests, an_error_of_the_visitor_ends_it);
	tcase_add_test(tests, every_frame_that_is_told_is_verified);
	tcase_add_test(tests, a_commit_of_another_revision_is_not_told);
	tcase_add_test(tests, an_error_of_the_disk_is_one_of_the_telling);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
