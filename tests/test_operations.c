/* SPDX-License-Identifier: Apache-2.0
 *
 * Which operation ids are remembered, and for how long.
 */
#include "store/operations.h"

#include "tests/support/keys.h"

#include <stdio.h>

#define HOUR   OPERATIONS_TIME_KEPT_NS
#define WINDOW OPERATIONS_COMMITS_KEPT
#define NOON   INT64_C(1704110400000000000) /* 2024-01-01 12:00 UTC */

static struct operations *operations;

static void set_up(void)
{
	operations = operations_new();
	ck_assert_ptr_nonnull(operations);
}

static void tear_down(void)
{
	operations_release(operations);
}

static struct operation_key key_of(uint32_t uid, const char *ns, const char *id)
{
	return (struct operation_key){uid, {ns, strlen(ns)}, {id, strlen(id)}};
}

static void use(const char *id, uint64_t revision, int64_t time_ns)
{
	struct operation_key key = key_of(0, "n", id);
	struct operation operation = {revision + 1000000, revision};

	ck_assert_int_eq(operations_add(operations, &key, &operation, time_ns),
			 WB_OK);
}

/* The revision it is remembered with; 0: it is not. */
static uint64_t revision_of(const char *id)
{
	struct operation_key key = key_of(0, "n", id);
	struct operation operation = {0};

	if (!operations_find(operations, &key, &operation))
		return 0;
	ck_assert_uint_eq(operation.request_hash, operation.revision + 1000000);
	return operation.revision;
}

START_TEST(an_id_counts_within_user_and_namespace)
{
	static const struct {
		uint32_t uid;
		const char *ns, *id;
	} scopes[] = {{0, "n", "a"}, {1, "n", "a"}, {0, "m", "a"},
		      {0, "n", "b"}, {0, "", "na"}, {0, "na", ""},
		      {0, "n", "aa"}};
	enum { SCOPES = sizeof(scopes) / sizeof(*scopes) };
	struct operation operation = {0};

	for (unsigned i = 0; i < SCOPES; i++) {
		struct operation_key key =
			key_of(scopes[i].uid, scopes[i].ns, scopes[i].id);

		ck_assert(!operations_find(operations, &key, &operation));
		operation = (struct operation){i, i + 1};
		ck_assert(!operations_add(operations, &key, &operation, NOON));
	}
	for (unsigned i = 0; i < SCOPES; i++) {
		struct operation_key key =
			key_of(scopes[i].uid, scopes[i].ns, scopes[i].id);

		ck_assert(operations_find(operations, &key, &operation));
		ck_assert_uint_eq(operation.revision, i + 1);
		ck_assert_uint_eq(operation.request_hash, i);
	}
}
END_TEST

START_TEST(of_two_uses_the_newer_counts_and_then_the_older_again)
{
	use("a", 1, NOON);
	use("a", 5, NOON);
	ck_assert_uint_eq(revision_of("a"), 5);
	operations_cut(operations, 4);
	ck_assert_uint_eq(revision_of("a"), 1);
	operations_cut(operations, 0);
	ck_assert_uint_eq(revision_of("a"), 0);
	ck_assert_uint_eq(operations_count(operations), 0);
}
END_TEST

/* The window: commits passed since, time passed since, still known? */
static const struct {
	uint64_t commits;
	int64_t time_ns;
	bool known;
} window[] = {
	{0, 0, true},
	{WINDOW - 1, 0, true},
	{WINDOW, 0, true}, /* the hour is not over */
	{10 * WINDOW, HOUR, true},
	{0, 100 * HOUR, true}, /* few commits */
	{WINDOW - 1, 100 * HOUR, true},
	{WINDOW, HOUR, true},
	{WINDOW, HOUR + 1, false},
	{10 * WINDOW, 100 * HOUR, false},
};

START_TEST(an_id_is_known_for_65536_commits_or_one_hour_whichever_is_more)
{
	bool known = window[_i].known;

	use("a", 7, NOON);
	operations_trim(operations, 7 + window[_i].commits,
			NOON + window[_i].time_ns);
	ck_assert_int_eq(revision_of("a") == 7, known);
	ck_assert_uint_eq(operations_count(operations), known);
	ck_assert_int_eq(operations_may_have_forgotten(operations, NOON),
			 !known);
	ck_assert(!operations_may_have_forgotten(operations, NOON + 1));
}
END_TEST

START_TEST(what_leaves_leaves_in_order)
{
	for (uint64_t i = 1; i <= 10; i++) {
		char id[8];

		snprintf(id, sizeof(id), "%u", (unsigned)i);
		use(id, i, NOON + (int64_t)i);
	}
	operations_trim(operations, WINDOW + 6, NOON + HOUR + 5);
	ck_assert_uint_eq(operations_count(operations), 6);
	ck_assert_uint_eq(revision_of("4"), 0);
	ck_assert_uint_eq(revision_of("5"), 5);
	ck_assert(operations_may_have_forgotten(operations, NOON + 4));
	ck_assert(!operations_may_have_forgotten(operations, NOON + 5));
}
END_TEST

/* ---- clocks that jump ---- */

START_TEST(what_is_staged_stays_whatever_the_clock_does)
{
	use("staged", 2, NOON);
	operations_trim(operations, 1, NOON + 100 * HOUR);
	ck_assert_uint_eq(revision_of("staged"), 2);
	operations_trim(operations, 1, NOON - 100 * HOUR);
	operations_cut(operations, 1);
	ck_assert_uint_eq(revision_of("staged"), 0);
}
END_TEST

START_TEST(one_commit_from_the_future_does_not_keep_the_rest)
{
	int64_t future = NOON + 100000 * HOUR;

	use("before", 1, NOON);
	use("future", 2, future);
	use("after", 3, NOON);
	operations_trim(operations, WINDOW + 3, NOON + HOUR + 1);
	ck_assert_uint_eq(revision_of("before"), 0);
	ck_assert_uint_eq(revision_of("after"), 0);
	/* Its own hour has not even begun. */
	ck_assert_uint_eq(revision_of("future"), 2);
	ck_assert(!operations_may_have_forgotten(operations, NOON + 1));
	operations_trim(operations, WINDOW + 4, future + HOUR);
	ck_assert_uint_eq(revision_of("future"), 2);
	operations_trim(operations, WINDOW + 5, future + HOUR + 1);
	ck_assert_uint_eq(operations_count(operations), 0);
	ck_assert(operations_may_have_forgotten(operations, future));
}
END_TEST

START_TEST(fault_62_a_clock_that_is_set_back_for_a_while_forgets_nothing)
{
	use("a", 1, NOON);
	operations_trim(operations, WINDOW + 1, NOON - 54 * 365 * 24 * HOUR);
	ck_assert_uint_eq(revision_of("a"), 1);
	use("b", WINDOW + 2, NOON - HOUR);
	operations_trim(operations, WINDOW + 3, NOON + HOUR);
	ck_assert_uint_eq(revision_of("a"), 1);
	ck_assert_uint_eq(revision_of("b"), WINDOW + 2);
	operations_trim(operations, WINDOW + 4, NOON + HOUR + 1);
	ck_assert_uint_eq(revision_of("a"), 0);
}
END_TEST

START_TEST(the_ends_of_time_are_times)
{
	use("first", 1, INT64_MIN);
	operations_trim(operations, WINDOW + 1, INT64_MAX);
	ck_assert_uint_eq(revision_of("first"), 0);
	use("last", 2, INT64_MAX);
	operations_trim(operations, WINDOW + 2, INT64_MIN);
	ck_assert_uint_eq(revision_of("last"), 2);
	operations_trim(operations, WINDOW + 3, INT64_MAX);
	ck_assert_uint_eq(revision_of("last"), 2);
}
END_TEST

/* ---- any course of events ---- */

enum { USES_MAX = 3000 };

struct past {
	uint64_t revision;
	int64_t time_ns;
	bool may_go; /* was out of the window at some trim */
};

static struct past uses[USES_MAX];
static size_t use_count;

static void check_known(uint64_t seed)
{
	struct operation operation;
	char id[24];

	for (size_t i = 0; i < use_count; i++) {
		snprintf(id, sizeof(id), "%llu",
			 (unsigned long long)uses[i].revision);
		operation.revision = revision_of(id);
		HOLDS(seed,
		      operation.revision == uses[i].revision ||
			      (operation.revision == 0 && uses[i].may_go));
		if (operation.revision == 0)
			HOLDS(seed,
			      operations_may_have_forgotten(operations,
							    uses[i].time_ns));
	}
}

static void trim(uint64_t revision, int64_t now)
{
	operations_trim(operations, revision, now);
	for (size_t i = 0; i < use_count; i++)
		if (uses[i].revision + WINDOW <= revision &&
		    now - uses[i].time_ns > HOUR)
			uses[i].may_go = true;
}

/* Clocks jump by hours, commits come in bursts, the newest become void. */
START_TEST(nothing_is_forgotten_within_its_window)
{
	uint64_t seed = (uint64_t)_i;
	struct rng rng = rng_of(seed);
	uint64_t revision = 1, durable = 0;
	int64_t now = NOON;
	char id[24];

	use_count = 0;
	for (unsigned step = 0; step < 1500; step++) {
		revision += 1 + rng_below(&rng, 400);
		now += (int64_t)rng_below(&rng, (uint64_t)HOUR / 50);
		if (rng_chance(&rng, 1, 100))
			now += HOUR * (int64_t)rng_below(&rng, 9) - 4 * HOUR;
		snprintf(id, sizeof(id), "%llu", (unsigned long long)revision);
		use(id, revision, now);
		uses[use_count++] = (struct past){revision, now, false};
		if (rng_chance(&rng, 1, 10)) {
			operations_cut(operations, durable);
			while (use_count &&
			       uses[use_count - 1].revision > durable)
				use_count--;
			revision = durable + 1;
		} else if (rng_chance(&rng, 1, 3)) {
			durable = revision;
			trim(durable, now);
		}
		if (step % 50 == 0)
			check_known(seed);
	}
	check_known(seed);
	/* In the end, when all that was staged is durable or void, they go. */
	operations_trim(operations, revision + WINDOW, now + 100 * HOUR);
	HOLDS(seed, operations_count(operations) == 0);
}
END_TEST

START_TEST(many_are_found_as_well_as_few)
{
	char id[24];

	for (unsigned i = 1; i <= 100000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		use(id, i, NOON);
	}
	for (unsigned i = 1; i <= 100000; i += 7) {
		snprintf(id, sizeof(id), "%u", i);
		ck_assert_uint_eq(revision_of(id), i);
	}
	operations_trim(operations, 100000, NOON + HOUR + 1);
	ck_assert_uint_eq(operations_count(operations), WINDOW);
	ck_assert_uint_eq(revision_of("34464"), 0);
	ck_assert_uint_eq(revision_of("34465"), 34465);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("operations");
	TCase *tcase = tcase_create("operations");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_id_counts_within_user_and_namespace);
	tcase_add_test(tcase,
		       of_two_uses_the_newer_counts_and_then_the_older_again);
	tcase_add_loop_test(
		tcase,
		an_id_is_known_for_65536_commits_or_one_hour_whichever_is_more,
		0, sizeof(window) / sizeof(*window));
	tcase_add_test(tcase, what_leaves_leaves_in_order);
	tcase_add_test(tcase, what_is_staged_stays_whatever_the_clock_does);
	tcase_add_test(tcase,
		       one_commit_from_the_future_does_not_keep_the_rest);
	tcase_add_test(
		tcase,
		fault_62_a_clock_that_is_set_back_for_a_while_forgets_nothing);
	tcase_add_test(tcase, the_ends_of_time_are_times);
	tcase_add_loop_test(tcase, nothing_is_forgotten_within_its_window, 1,
			    9);
	tcase_add_test(tcase, many_are_found_as_well_as_few);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
