/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn or corrupt: every combination of what can be seen, against what
 * docs/FORMAT.md ("Opening", 5 to 7) says of each verdict by itself.
 */
#include "log/verdict.h"

#include "tests/support/suite.h"

#include <string.h>

static bool should_be_corrupt(const struct seen *seen)
{
	if (seen->below_floor)
		return true; /* something that was durable is gone */
	if (seen->floor_unknown)
		return true; /* or may be */
	if (seen->successor == SEEN_MISMATCH)
		return true; /* not all of it verified */
	return seen->end == SEEN_FOOTER && seen->rest == SEEN_DEBRIS;
}

/* "A footer followed by zeros only is sealed too." */
static bool should_be_sealed(const struct seen *seen)
{
	return !should_be_corrupt(seen) && seen->end == SEEN_FOOTER;
}

/* "They stand in for its footer." */
static bool should_be_cut(const struct seen *seen)
{
	return !seen->below_floor && !seen->floor_unknown &&
	       seen->successor == SEEN_MATCH &&
	       (seen->end == SEEN_OPEN || seen->end == SEEN_CLOSE);
}

/* "Nothing or zeros, a clean end; anything else, a torn write." */
static bool is_open_newest(const struct seen *seen)
{
	return !seen->below_floor && !seen->floor_unknown &&
	       seen->successor == SEEN_NO_SUCCESSOR && seen->end != SEEN_FOOTER;
}

static bool should_be_torn(const struct seen *seen)
{
	return is_open_newest(seen) && seen->rest == SEEN_DEBRIS;
}

static bool should_be_closed(const struct seen *seen)
{
	return is_open_newest(seen) && seen->end == SEEN_CLOSE &&
	       (seen->rest == SEEN_NOTHING || seen->rest == SEEN_ZEROS);
}

static bool should_be_clean(const struct seen *seen)
{
	return is_open_newest(seen) && seen->end == SEEN_OPEN &&
	       (seen->rest == SEEN_NOTHING || seen->rest == SEEN_ZEROS);
}

static const struct {
	enum verdict verdict;
	const char *text;
	bool (*should_be)(const struct seen *seen);
} verdicts[] = {
	{VERDICT_SEALED, "sealed", should_be_sealed},
	{VERDICT_CUT, "cut", should_be_cut},
	{VERDICT_CLOSED, "closed", should_be_closed},
	{VERDICT_CLEAN, "clean", should_be_clean},
	{VERDICT_TORN, "torn", should_be_torn},
	{VERDICT_CORRUPT, "corrupt", should_be_corrupt},
};

static void check(const struct seen *seen)
{
	enum verdict verdict = verdict_of(seen);
	unsigned held = 0;

	for (size_t at = 0; at < sizeof(verdicts) / sizeof(verdicts[0]); at++) {
		bool holds = verdicts[at].should_be(seen);

		held += holds;
		ck_assert_msg(holds == (verdict == verdicts[at].verdict),
			      "end %d rest %d successor %d below %d unknown "
			      "%d: %s",
			      seen->end, seen->rest, seen->successor,
			      seen->below_floor, seen->floor_unknown,
			      verdict_text(verdict));
	}
	ck_assert_uint_eq(held, 1);
}

START_TEST(every_combination_has_the_verdict_of_the_page)
{
	int all = SEEN_ENDS * SEEN_RESTS * SEEN_SUCCESSORS * 2 * 2;

	ck_assert_int_eq(all, 108);
	for (int number = 0; number < all; number++) {
		int left = number;
		struct seen seen;

		seen.end = (enum seen_end)(left % SEEN_ENDS);
		left /= SEEN_ENDS;
		seen.rest = (enum seen_rest)(left % SEEN_RESTS);
		left /= SEEN_RESTS;
		seen.successor = (enum seen_successor)(left % SEEN_SUCCESSORS);
		left /= SEEN_SUCCESSORS;
		seen.below_floor = left % 2;
		seen.floor_unknown = left / 2;
		check(&seen);
	}
}
END_TEST

START_TEST(verdicts_have_names)
{
	for (size_t at = 0; at < sizeof(verdicts) / sizeof(verdicts[0]); at++)
		ck_assert_str_eq(verdict_text(verdicts[at].verdict),
				 verdicts[at].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tests = tcase_create("verdict");

	tcase_add_test(tests, every_combination_has_the_verdict_of_the_page);
	tcase_add_test(tests, verdicts_have_names);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
