/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks, repairs and salvages of real directories, each of whose system calls
 * fails, once and for ever, is interrupted or falls short. A check is never
 * content with what it could not read; a repair leaves what was there before or
 * what should be; a salvage leaves a whole store or none.
 */
#include "tests/support/ashore.h"
#include "tests/support/hush.h"
#include "tests/support/shelf.h"
#include "tests/support/tempdir.h"
#include "tests/support/trial.h"
#include "tests/support/volume.h"

#include <waybill/fsck.h>

static char *temp, *path, *target;
static struct shelf shelf, real; /* of `real` only `store` is in use */
static struct wb_fsck_summary summary;
static struct wb_salvage_summary salvaged;

/* ---- stores to begin with ---- */

static void make_sound(void)
{
	ck_ok(shelf_open(&shelf));
	ck_ok(shelf_close(&shelf));
}

static void make_damaged(void)
{
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
}

/* A copy of a header, a slot of the anchor, a torn tail, a file in tmp/. */
static void make_mendable(void)
{
	volume_tear(&shelf);
	volume_spoil(&shelf, "anchor", 40);
	volume_spoil(&shelf, volume_path(1), 40);
	simdisk_copy(shelf.disk, "tmp/segment", shelf.disk, "anchor");
}

static void make_without_anchor(void)
{
	simdisk_delete(shelf.disk, "anchor");
}

/* What an open says, and what it reads. */
struct state {
	enum wb_error error;
	uint64_t revision;
	char listing[8192];
};

static struct state look_at(const char *directory)
{
	struct wb_open_options options = {
		.size = sizeof(options),
		.flags = WB_OPEN_READ_ONLY | WB_OPEN_ANY_FILESYSTEM,
		.report = hush,
	};
	struct state state = {.revision = 0};

	state.error = wb_store_open(directory, &options, &real.store, NULL);
	if (state.error)
		return state;
	state.revision = shelf_stat(&real).revision;
	ck_assert_uint_lt(strlen(shelf_listing(&real)), sizeof(state.listing));
	strcpy(state.listing, shelf_listing(&real));
	ck_ok(wb_store_close(real.store));
	return state;
}

static bool same_state(const struct state *a, const struct state *b)
{
	return a->error == b->error && a->revision == b->revision &&
	       strcmp(a->listing, b->listing) == 0;
}

static enum wb_error fsck(const char *directory, uint32_t flags,
			  struct wb_text *text)
{
	struct wb_fsck_options options = {
		.size = sizeof(options),
		.flags = flags | WB_FSCK_ANY_FILESYSTEM,
		.report = hush,
	};

	summary = (struct wb_fsck_summary){.size = sizeof(summary)};
	return wb_fsck(directory, &options, NULL, NULL, &summary, text);
}

/* What is there at first, and when all went well. */
static struct state before, truth;
static struct wb_salvage_summary whole;

static void lay(void)
{
	ashore_lay(shelf.disk, path);
}

/* For what changes nothing. */
static void lay_once(void)
{
	if (!ashore_exists(path))
		lay();
}

/* ---- a check ---- */

static struct wb_fsck_summary all_read;

static enum wb_error check(struct wb_text *text)
{
	return fsck(path, 0, text);
}

/* What could not be read is said, unless the answer is the right one, to the
 * last count. */
static void settle_check(enum wb_error error, const struct trial_way *way)
{
	bool right = memcmp(&summary, &all_read, sizeof(summary)) == 0;

	ck_assert(error || right || summary.status & WB_FSCK_OPERATIONAL);
	ck_assert(right || way->error);
	ck_assert(ashore_is(shelf.disk, path));
}

/* ---- a repair ---- */

static enum wb_error repair(struct wb_text *text)
{
	return fsck(path, WB_FSCK_REPAIR, text);
}

static void settle_repair(enum wb_error error, const struct trial_way *way)
{
	bool content = !error &&
		       !(summary.status & (WB_FSCK_LEFT | WB_FSCK_OPERATIONAL));
	struct state now = look_at(path);

	ck_assert(content || way->error);
	ck_assert(same_state(&now, &truth) ||
		  (!content && same_state(&now, &before)));
	ck_ok(fsck(path, WB_FSCK_REPAIR, NULL));
	ck_assert_uint_eq(summary.left, 0);
	now = look_at(path);
	ck_assert(same_state(&now, &truth));
	ck_ok(fsck(path, 0, NULL));
	ck_assert_uint_eq(summary.status, WB_FSCK_CLEAN);
}

/* ---- a salvage ---- */

static void begin_salvage(void)
{
	lay_once();
	ashore_remove(target);
}

static enum wb_error salvage(struct wb_text *text)
{
	static const struct wb_salvage_visitor deaf = {.size = sizeof(deaf)};
	struct wb_fsck_options options = {
		.size = sizeof(options),
		.flags = WB_FSCK_ANY_FILESYSTEM,
		.report = hush,
	};

	salvaged = (struct wb_salvage_summary){.size = sizeof(salvaged)};
	return wb_salvage(path, target, &options, &deaf, &salvaged, text);
}

/* A store of what was told; all of it, unless less could be read. */
static void check_salvaged(const struct trial_way *way)
{
	struct state state = look_at(target);

	ck_ok(state.error);
	ck_assert_uint_eq(state.revision, salvaged.revision);
	ck_assert(ashore_exists(tempdir_path(target, WB_SALVAGE_LIST)));
	if (salvaged.revisions_lost == whole.revisions_lost || !way->error) {
		ck_assert(same_state(&state, &truth));
		ck_assert_uint_eq(salvaged.status &
					  ~(unsigned)WB_FSCK_OPERATIONAL,
				  whole.status &
					  ~(unsigned)WB_FSCK_OPERATIONAL);
		ck_assert_uint_eq(salvaged.commits, whole.commits);
	} else {
		ck_assert(salvaged.status & WB_FSCK_LEFT);
	}
	ck_assert_uint_le(salvaged.commits, whole.commits);
	ck_assert_uint_ge(salvaged.commits + salvaged.revisions_lost,
			  whole.commits + whole.revisions_lost);
	ck_ok(fsck(target, 0, NULL));
	ck_assert_uint_eq(summary.status, WB_FSCK_CLEAN);
}

static void settle_salvage(enum wb_error error, const struct trial_way *way)
{
	if (error && !way->forever)
		ck_assert(!ashore_exists(target));
	if (error && ashore_exists(target)) {
		struct state state = look_at(target);

		/* Where nothing can be removed either, it may be whole. */
		ck_assert_msg(state.error == WB_NOT_A_STORE ||
				      state.error == WB_CORRUPT ||
				      (!state.error &&
				       same_state(&state, &truth)),
			      "%s", wb_error_code(state.error));
	}
	if (error) {
		ashore_remove(target);
		ck_ok(salvage(NULL));
	}
	check_salvaged(way);
	ck_assert(ashore_is(shelf.disk, path));
}

/* ---- all of them ---- */

static const struct job {
	void (*make)(void);
	struct trial trial;
} jobs[] = {
	{make_sound,
	 {"fsck", lay_once, check, settle_check, WB_IO, false, 60, 0}},
	{make_damaged,
	 {"fsck of a damaged one", lay_once, check, settle_check, WB_IO, false,
	  60, 0}},
	{make_mendable,
	 {"fsck -p", lay, repair, settle_repair, WB_IO, false, 200, 4}},
	{make_without_anchor,
	 {"fsck -p without an anchor", lay, repair, settle_repair, WB_IO, false,
	  200, 4}},
	{make_damaged,
	 {"salvage", begin_salvage, salvage, settle_salvage, WB_IO, false, 200,
	  4}},
};

enum { JOBS = sizeof(jobs) / sizeof(jobs[0]) };

static void set_up(void)
{
	temp = tempdir_make();
	path = strdup(tempdir_path(temp, "store"));
	target = strdup(tempdir_path(temp, "salvaged"));
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
	volume_make(&shelf);
}

static void tear_down(void)
{
	shelf_release(&shelf);
	free(path);
	free(target);
	tempdir_remove(temp);
}

static void learn_the_truth(const struct job *job)
{
	job->make();
	lay();
	before = look_at(path);
	ck_ok(job->trial.run(NULL));
	all_read = summary;
	whole = salvaged;
	truth = look_at(job->trial.run == salvage ? target : path);
	ashore_remove(path);
}

START_TEST(fault_38_to_52_every_call_of_a_check_and_a_repair_may_fail)
{
	const struct job *job = &jobs[_i / TRIAL_WAYS];
	const struct trial_way *way = &trial_ways[_i % TRIAL_WAYS];

	learn_the_truth(job);
	trial_run(&job->trial, way);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_calls");
	TCase *tcase = tcase_create("repair_calls");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(
		tcase,
		fault_38_to_52_every_call_of_a_check_and_a_repair_may_fail, 0,
		JOBS * TRIAL_WAYS);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
