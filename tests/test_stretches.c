/* SPDX-License-Identifier: Apache-2.0
 *
 * A stretch begins at a commit, holds as many bytes as it may, and is found
 * by revision and by time as looking at every commit would find it.
 */
#include "log/stretches.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>

enum { COMMITS = 3000 };

struct commit_at {
	uint64_t offset;
	size_t bytes;
	int64_t time_ns;
};

static struct commit_at commits[COMMITS];
static struct stretches stretches;

static void tear_down(void)
{
	stretches_release(&stretches);
}

static size_t draw_size(struct rng *rng)
{
	if (rng_chance(rng, 1, 30))
		return STRETCH_BYTES - 16 + 8 * rng_below(rng, 5);
	if (rng_chance(rng, 1, 30))
		return 8 * rng_below(rng, 3 * STRETCH_BYTES / 8) + 64;
	return 8 * rng_below(rng, 100) + 64;
}

/* Between commits there may be other frames. */
static void fill(struct rng *rng)
{
	uint64_t offset = 8192;

	for (size_t at = 0; at < COMMITS; at++) {
		commits[at] = (struct commit_at){
			.offset = offset,
			.bytes = draw_size(rng),
			.time_ns = (int64_t)(1000 * at) +
				   (int64_t)rng_below(rng, 100000),
		};
		ck_ok(stretches_reserve(&stretches, 1));
		stretches_add(&stretches, offset, commits[at].bytes, at,
			      commits[at].time_ns);
		offset += commits[at].bytes;
		if (rng_chance(rng, 1, 10))
			offset += 48;
	}
}

/* The commits of a stretch, from the first up to and without the last. */
static void bounds_of(size_t number, size_t *ret_first, size_t *ret_end)
{
	*ret_first = stretches.list[number].revision;
	*ret_end = number + 1 < stretches.count
			   ? stretches.list[number + 1].revision
			   : COMMITS;
}

START_TEST(a_stretch_is_as_long_as_it_may_be)
{
	struct rng rng = rng_of((uint64_t)_i);
	size_t first, end;

	fill(&rng);
	ck_assert_uint_eq(stretches.list[0].revision, 0);
	for (size_t number = 0; number < stretches.count; number++) {
		uint64_t offset = stretches_offset(&stretches, number);
		int64_t least = INT64_MAX;

		bounds_of(number, &first, &end);
		ck_assert_uint_lt(first, end);
		ck_assert_uint_eq(offset, commits[first].offset);
		for (size_t at = first; at < end; at++) {
			ck_assert_uint_lt(commits[at].offset - offset,
					  STRETCH_BYTES);
			ck_assert(at == first ||
				  commits[at].bytes <= STRETCH_BYTES);
			if (commits[at].time_ns < least)
				least = commits[at].time_ns;
		}
		ck_assert_int_eq(stretches.list[number].time_min_ns, least);
		if (end < COMMITS)
			ck_assert(commits[end].offset - offset >=
					  STRETCH_BYTES ||
				  commits[end].bytes > STRETCH_BYTES);
	}
}
END_TEST

START_TEST(a_stretch_is_found_by_revision_and_by_time)
{
	struct rng rng = rng_of((uint64_t)_i);

	fill(&rng);
	for (unsigned look = 0; look < 2000; look++) {
		uint64_t before = rng_below(&rng, COMMITS + 10);
		int64_t until =
			look % 4 == 0
				? INT64_MAX
				: (int64_t)rng_below(&rng,
						     1000 * COMMITS + 100000);
		size_t expected = stretches.count, number = 0, first, end;
		bool found;

		while (expected > 0) {
			bool fits = false;

			bounds_of(expected - 1, &first, &end);
			for (size_t at = first; at < end; at++)
				fits = fits || commits[at].time_ns <= until;
			if (first < before && fits)
				break;
			expected--;
		}
		found = stretches_find(&stretches, before, until, &number);
		ck_assert_int_eq(found, expected > 0);
		if (found)
			ck_assert_uint_eq(number, expected - 1);
	}
}
END_TEST

START_TEST(without_commits_there_is_no_stretch)
{
	size_t number;

	ck_assert(!stretches_find(&stretches, UINT64_MAX, INT64_MAX, &number));
	ck_ok(stretches_reserve(&stretches, 5));
	ck_assert(!stretches_find(&stretches, UINT64_MAX, INT64_MAX, &number));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stretches");
	TCase *tests = tcase_create("stretches");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_loop_test(tests, a_stretch_is_as_long_as_it_may_be, 1, 5);
	tcase_add_loop_test(tests, a_stretch_is_found_by_revision_and_by_time,
			    1, 5);
	tcase_add_test(tests, without_commits_there_is_no_stretch);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
