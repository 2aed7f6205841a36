/* SPDX-License-Identifier: Apache-2.0
 *
 * Replay for audit: a thousand random histories. At every revision the state
 * that the second reader makes of the log's files alone is what `dump --at`
 * tells, and at the head what the live index tells.
 *
 * WAYBILL_SEED=N runs history N alone, WAYBILL_FULL=1 ten times as many.
 */
#include "audit/replay.h"
#include "dump/entry.h"
#include "tests/support/annals.h"
#include "tests/support/cargo.h"
#include "tests/support/crashloop.h"
#include "tests/support/paper.h"

#include <inttypes.h>

/* Sanitizers and builds without optimisation take ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!defined(__OPTIMIZE__)
enum { SLOWER = 5 };
#else
enum { SLOWER = 1 };
#endif

enum { HISTORIES = 1000 / SLOWER, FAULTS = 100 / SLOWER };

/* ---- what the second reader makes of the files ---- */

enum { REVISIONS_MAX = 300 };

struct witness {
	uint64_t seed;
	uint64_t misses; /* a revision, of which it loses the last change */
	struct replay *replay;
	struct audit_summary summary;
	struct paper states[REVISIONS_MAX]; /* by revision, as dumps */
	uint64_t records;
	char damage[200];
};

struct rendering {
	struct json_out out;
	uint64_t records;
};

static bool put_version(void *context, const struct replay_version *version)
{
	struct rendering *rendering = context;

	/* The store's own are not in a dump. */
	if (version->key.kind > WB_KIND_EMBEDDER_LAST)
		return true;
	ck_ok(entry_put_record(&rendering->out, &version->key, version->value));
	rendering->records++;
	return true;
}

static void render(struct witness *witness, uint64_t revision)
{
	struct paper *paper = &witness->states[revision];
	struct rendering rendering = {.records = 0};

	entry_put_header(&rendering.out, NULL);
	ck_ok(replay_each(witness->replay, put_version, &rendering));
	paper_set(paper, rendering.out.bytes, rendering.out.size);
	paper_end(paper);
	json_out_release(&rendering.out);
	witness->records += rendering.records;
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct witness *witness = context;
	struct audit_commit heard = *commit;
	size_t mutation = 0;
	enum wb_error error;

	ck_assert_msg(place->whole, "seed %" PRIu64, witness->seed);
	heard.mutation_count -= commit->revision == witness->misses;
	error = replay_apply(witness->replay, &heard, &mutation);
	ck_assert_msg(!error || witness->misses, "seed %" PRIu64 ": %s",
		      witness->seed, wb_error_text(error));
	ck_assert_uint_lt(commit->revision, REVISIONS_MAX);
	render(witness, commit->revision);
	return WB_OK;
}

static void take_finding(void *context, const struct audit_finding *finding)
{
	struct witness *witness = context;

	snprintf(witness->damage, sizeof(witness->damage), "%s: %s",
		 finding->file, audit_rule_code(finding->rule));
}

static void witness_read(struct witness *witness, struct simdisk *disk)
{
	struct audit_visitor visitor = {.commit = take_commit,
					.finding = take_finding,
					.context = witness};
	struct simdisk *still =
		simdisk_crash(disk, (struct sim_crash){SIM_KEEP_ALL, 0});
	struct dir *dir = simdisk_dir(still);

	witness->replay = replay_new();
	ck_assert_ptr_nonnull(witness->replay);
	render(witness, 0);
	ck_ok(audit_read(dir, 0, &visitor, &witness->summary));
	ck_assert_msg(witness->summary.findings[AUDIT_DAMAGE] == 0,
		      "seed %" PRIu64 ": %s", witness->seed, witness->damage);
	dir_close(dir);
	simdisk_free(still);
}

static void witness_release(struct witness *witness)
{
	replay_free(witness->replay);
	for (size_t at = 0; at < REVISIONS_MAX; at++)
		paper_release(&witness->states[at]);
}

/* ---- what the store tells ---- */

static struct paper paper;

static uint64_t states, records;
static unsigned compared; /* histories */

/* The first revision of which the store tells something else; UINT64_MAX:
 * there is none. */
static uint64_t first_difference(const struct shelf *shelf,
				 const struct witness *witness)
{
	for (uint64_t at = 0; at <= witness->summary.head; at++) {
		struct wb_dump_options options = {.size = sizeof(options),
						  .past = true,
						  .revision = at};

		paper_dump(&paper, shelf->store, &options);
		if (!paper_same(&paper, &witness->states[at]))
			return at;
		states++;
	}
	return UINT64_MAX;
}

static bool live_differs(const struct shelf *shelf,
			 const struct witness *witness)
{
	paper_dump(&paper, shelf->store, NULL);
	return !paper_same(&paper, &witness->states[witness->summary.head]);
}

static void compare(struct shelf *shelf, uint64_t seed)
{
	static struct witness witness;
	uint64_t differs;

	witness = (struct witness){.seed = seed};
	witness_read(&witness, shelf->disk);
	ck_assert_msg(witness.summary.head == shelf_stat(shelf).revision,
		      "seed %" PRIu64 ": the head", seed);
	differs = first_difference(shelf, &witness);
	ck_assert_msg(differs == UINT64_MAX,
		      "seed %" PRIu64 ": revision %" PRIu64, seed, differs);
	ck_assert_msg(!live_differs(shelf, &witness),
		      "seed %" PRIu64 ": the live index", seed);
	ck_assert_msg(shelf_stat(shelf).records == replay_count(witness.replay),
		      "seed %" PRIu64 ": the number of records", seed);
	records += witness.records;
	compared++;
	witness_release(&witness);
}

static void each_history(unsigned count,
			 void (*visit)(struct shelf *shelf, uint64_t seed))
{
	bool given;
	uint64_t seed = seed_from_environment(1, &given);

	for (unsigned left = given ? 1 : count; left-- > 0; seed++) {
		unsigned commits = 5 + (unsigned)(seed % 16);
		struct annals annals;
		struct cargo cargo;

		if (seed % 2) {
			annals_make(&annals, seed, commits);
			visit(&annals.shelf, seed);
			annals_release(&annals);
		} else {
			cargo_make(&cargo, seed, commits);
			visit(&cargo.shelf, seed);
			cargo_release(&cargo);
		}
	}
	paper_release(&paper);
}

/* Values that are any bytes, groups, marks, kills and power cuts; and what
 * images look like. */
START_TEST(replay_from_the_files_is_what_the_store_tells)
{
	unsigned histories = full_run() ? 10 * HISTORIES : HISTORIES;

	each_history(histories, compare);
	/* They are of 5 to 20 commits, and one may be short of states. */
	ck_assert(compared == 1 || states > 10 * (uint64_t)compared);
	printf("count: replay histories %u\n", compared);
	printf("count: replay states compared %" PRIu64 "\n", states);
	printf("count: replay records compared %" PRIu64 "\n", records);
}
END_TEST

/* ---- a fault ---- */

static unsigned faults, seen, seen_alive;

/* Where one of the two loses a change, that is the revision they differ at,
 * unless the change made no difference to the state. */
static void lose_a_change(struct shelf *shelf, uint64_t seed)
{
	static struct witness whole, losing;
	uint64_t head = shelf_stat(shelf).revision, expected = UINT64_MAX;
	uint64_t misses = 1 + seed * 7 % head;
	bool alive;

	whole = (struct witness){.seed = seed};
	losing = (struct witness){.seed = seed, .misses = misses};
	witness_read(&whole, shelf->disk);
	witness_read(&losing, shelf->disk);
	if (!paper_same(&whole.states[misses], &losing.states[misses]))
		expected = misses;
	alive = !paper_same(&whole.states[head], &losing.states[head]);
	ck_assert_msg(first_difference(shelf, &losing) == expected,
		      "seed %" PRIu64 ": revision %" PRIu64 " is not it", seed,
		      misses);
	ck_assert_msg(live_differs(shelf, &losing) == alive,
		      "seed %" PRIu64 ": the live index", seed);
	faults++;
	seen += expected == misses;
	seen_alive += alive;
	witness_release(&whole);
	witness_release(&losing);
}

START_TEST(a_change_that_one_of_the_two_loses_is_seen)
{
	each_history(FAULTS, lose_a_change);
	ck_assert_uint_ge(seen, faults * 8 / 10);
	ck_assert_uint_ge(seen_alive, faults / 5);
	printf("count: replay faults planted and seen %u\n", seen);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("replay");
	TCase *tcase = tcase_create("replay");

	tcase_set_timeout(tcase, 290);
	tcase_add_test(tcase, replay_from_the_files_is_what_the_store_tells);
	tcase_add_test(tcase, a_change_that_one_of_the_two_loses_is_seen);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
