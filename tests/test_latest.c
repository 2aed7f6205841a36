/* SPDX-License-Identifier: Apache-2.0
 *
 * What the next change of a key must name: as a replay says, which remembers
 * all of it.
 *
 * WAYBILL_SEED chooses the first seed, WAYBILL_FULL=1 more of them.
 */
#include "audit/latest.h"
#include "audit/replay.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

enum { MUTATIONS_MAX = 40 };

static struct audit_mutation mutations[MUTATIONS_MAX];
static char names[MUTATIONS_MAX][32];
static struct audit_commit commit = {.mutations = mutations};

static void add(uint64_t number, uint64_t previous, bool deleted)
{
	size_t at = commit.mutation_count++;
	struct audit_mutation *mutation = &mutations[at];
	int size = snprintf(names[at], sizeof(names[at]), "%" PRIu64, number);

	*mutation = (struct audit_mutation){
		.key = {1 + (uint32_t)(number % 3),
			{"n", number % 2},
			{names[at], (size_t)size}},
		.deleted = deleted,
		.previous_revision = previous,
	};
	mutation->key_hash = audit_key_hash(&mutation->key);
}

static void begin(uint64_t revision)
{
	commit.revision = revision;
	commit.mutation_count = 0;
}

START_TEST(it_says_what_a_replay_says)
{
	uint64_t first = first_seed(), count = rounds(12, 400), wrongs = 0;

	for (uint64_t seed = first; seed < first + count; seed++) {
		struct rng rng = rng_of(seed);
		uint64_t keys = 1 + rng_below(&rng, 2000);
		struct replay *replay = replay_new();
		struct latest latest = {.slots = NULL};

		ck_assert_ptr_nonnull(replay);
		for (uint64_t revision = 1; revision <= 200; revision++) {
			uint64_t changes = 1 + rng_below(&rng, MUTATIONS_MAX);
			size_t theirs = 0, ours = 0;
			enum wb_error error;

			begin(revision);
			for (; changes > 0; changes--) {
				uint64_t key = rng_below(&rng, keys);
				const struct replay_version *version;
				uint64_t previous;

				add(key, 0, rng_chance(&rng, 1, 4));
				version = replay_find(
					replay,
					&mutations[commit.mutation_count - 1]
						 .key);
				previous = version && !version->deleted
						   ? version->revision
						   : 0;
				if (rng_chance(&rng, 1, 100))
					previous = rng_below(&rng, revision);
				mutations[commit.mutation_count - 1]
					.previous_revision = previous;
			}
			error = replay_apply(replay, &commit, &theirs);
			if (!error)
				theirs = commit.mutation_count;
			wrongs += error == WB_CORRUPT;
			ck_ok(latest_take(&latest, &commit, &ours));
			ck_assert_msg(ours == theirs,
				      "seed %" PRIu64 ", revision %" PRIu64
				      ": %zu, not %zu",
				      seed, revision, ours, theirs);
		}
		replay_free(replay);
		latest_release(&latest);
	}
	ck_assert_uint_gt(wrongs, 0);
}
END_TEST

static int by_size(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of so many some share the half of the hash that a slot has. */
START_TEST(keys_that_look_alike_are_two)
{
	enum { KEYS = 400000 };
	struct latest latest = {.slots = NULL};
	uint32_t *halves = calloc(KEYS, sizeof(*halves));
	uint64_t alike = 0, revision = 0, wrongs = 0;

	ck_assert_ptr_nonnull(halves);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (uint64_t key = 0; key < KEYS; key++) {
			size_t wrong = 0;

			begin(++revision);
			add(key, pass ? revision - KEYS : 0, false);
			halves[key] = (uint32_t)(mutations[0].key_hash >> 32);
			wrongs += latest_take(&latest, &commit, &wrong) ||
				  wrong != 1;
		}
	}
	ck_assert_uint_eq(wrongs, 0);
	ck_assert_uint_eq(latest.used, KEYS);
	qsort(halves, KEYS, sizeof(*halves), by_size);
	for (size_t at = 1; at < KEYS; at++)
		alike += halves[at - 1] == halves[at];
	ck_assert_uint_gt(alike, 0);
	latest_release(&latest);
	free(halves);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("latest");
	TCase *tcase = tcase_create("core");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, it_says_what_a_replay_says);
	tcase_add_test(tcase, keys_that_look_alike_are_two);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
