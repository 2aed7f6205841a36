/* SPDX-License-Identifier: Apache-2.0
 *
 * A store on a real directory, each of whose system calls fails, once and for
 * ever, is interrupted or falls short: while it is made, opened, written to,
 * rotated, marked and closed. What was acknowledged stays, what was not is
 * there whole or not at all, and the next open is right.
 */
#include "tests/support/ashore.h"
#include "tests/support/hush.h"
#include "tests/support/shelf.h"
#include "tests/support/tempdir.h"
#include "tests/support/trial.h"
#include "tests/support/volume.h"

#include <dirent.h>
#include <inttypes.h>
#include <waybill/fsck.h>

enum { PAD_BYTES = 2000, COMMITS_BEFORE = 4, COMMITS = 9 };

static char *temp, *path; /* of the store */
/* On a simulated disk: closed, and as two crashes leave it. */
static struct simdisk *closed, *killed, *torn;
static struct shelf real; /* of which only `store` is in use */
static uint64_t acknowledged;
static bool in_doubt; /* one more may be there */
static const struct wb_open_options creating = {
	.size = sizeof(creating),
	.flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
	.segment_bytes = 16u << 10,
	.report = hush,
};
static const struct wb_open_options opening = {
	.size = sizeof(opening),
	.flags = WB_OPEN_ANY_FILESYSTEM,
	.segment_bytes = 16u << 10,
	.report = hush,
};
static const struct wb_open_options reading = {
	.size = sizeof(reading),
	.flags = WB_OPEN_READ_ONLY | WB_OPEN_ANY_FILESYSTEM,
	.report = hush,
};

/* ---- what is written ---- */

static const char *key_of(uint64_t revision)
{
	static char name[32];

	snprintf(name, sizeof(name), "k%" PRIu64, revision);
	return name;
}

/* Of a size that fills a segment in a few commits. */
static const char *pad_of(uint64_t revision)
{
	static char pad[PAD_BYTES + 1];

	memset(pad, (int)('a' + revision % 26), PAD_BYTES);
	return pad;
}

/* Revision n puts n under a key of its own and under "last", and a pad. */
static enum wb_error commit(struct shelf *shelf, uint64_t revision)
{
	struct wb_outcome outcome = {0};
	const char *name = key_of(revision);
	struct wb_txn *txn;
	enum wb_error error = wb_txn_begin(shelf->store, NULL, &txn, NULL);

	if (error)
		return error;
	error = txn_put(txn, name, name);
	if (!error)
		error = txn_put(txn, "last", name);
	if (!error)
		error = txn_put(txn, "pad", pad_of(revision));
	if (error) {
		(void)wb_txn_abort(txn);
		return error;
	}
	error = wb_txn_commit(txn, &outcome);
	ck_assert(error || outcome.revision == revision);
	return error;
}

static bool text_is(const char *name, const char *expected)
{
	return strcmp(shelf_text(&real, name), expected) == 0;
}

/* All up to that revision, and nothing behind it. */
static bool holds(uint64_t revision)
{
	bool same = shelf_stat(&real).revision == revision;

	for (uint64_t at = 1; at <= revision && same; at++)
		same = text_is(key_of(at), key_of(at));
	return same && text_is(key_of(revision + 1), "") &&
	       text_is("last", revision ? key_of(revision) : "") &&
	       text_is("pad", revision ? pad_of(revision) : "");
}

/* ---- stores to begin with ---- */

static void write_some(struct shelf *shelf)
{
	ck_ok(shelf_open(shelf));
	for (uint64_t at = 1; at <= COMMITS_BEFORE; at++)
		ck_ok(commit(shelf, at));
}

static void set_up(void)
{
	struct shelf shelf;

	temp = tempdir_make();
	path = strdup(tempdir_path(temp, "store"));
	shelf_init(&shelf, 1);
	write_some(&shelf);
	ck_assert(volume_exists(&shelf, 2) && !volume_exists(&shelf, 3));
	volume_settle(&shelf);
	killed = simdisk_clone(shelf.disk);
	torn = simdisk_clone(shelf.disk);
	simdisk_set(torn, volume_path(2), "torn", 4,
		    volume_frame(&shelf, 2, 1) + 100);
	ck_ok(shelf_open(&shelf));
	ck_ok(shelf_close(&shelf));
	closed = simdisk_clone(shelf.disk);
	shelf_release(&shelf);
}

static void tear_down(void)
{
	simdisk_free(closed);
	simdisk_free(killed);
	simdisk_free(torn);
	free(path);
	tempdir_remove(temp);
}

static void begin_with(struct simdisk *disk)
{
	ashore_lay(disk, path);
	acknowledged = COMMITS_BEFORE;
	in_doubt = false;
}

static void begin_nothing(void)
{
	ashore_remove(path);
	acknowledged = 0;
	in_doubt = false;
}

static void begin_closed(void)
{
	begin_with(closed);
}

static void begin_killed(void)
{
	begin_with(killed);
}

static void begin_torn(void)
{
	begin_with(torn);
}

static void begin_open(void)
{
	begin_with(closed);
	ck_ok(wb_store_open(path, &opening, &real.store, NULL));
	ck_ok(commit(&real, ++acknowledged));
}

/* ---- what is tried ---- */

static enum wb_error open_as(const struct wb_open_options *options,
			     struct wb_text *text)
{
	return wb_store_open(path, options, &real.store, text);
}

static enum wb_error create(struct wb_text *text)
{
	return open_as(&creating, text);
}

static enum wb_error open_it(struct wb_text *text)
{
	return open_as(&opening, text);
}

static enum wb_error open_to_read(struct wb_text *text)
{
	return open_as(&reading, text);
}

static enum wb_error write_it(struct wb_text *text)
{
	enum wb_error first = WB_OK;

	(void)text;
	for (unsigned at = 0; at < COMMITS; at++) {
		enum wb_error error = commit(&real, acknowledged + 1);

		if (in_doubt)
			ck_error(error, WB_STOPPED);
		in_doubt = in_doubt || error == WB_OUTCOME_UNKNOWN;
		acknowledged += !error;
		first = first ? first : error;
	}
	return first;
}

static enum wb_error mark_it(struct wb_text *text)
{
	(void)text;
	return wb_store_mark(real.store);
}

static enum wb_error close_it(struct wb_text *text)
{
	enum wb_error error = wb_store_close(real.store);

	(void)text;
	real.store = NULL;
	return error;
}

/* ---- what must be so ---- */

static void check_fsck(void)
{
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = WB_FSCK_ANY_FILESYSTEM,
					  .report = hush};
	struct wb_fsck_summary summary = {.size = sizeof(summary)};

	ck_ok(wb_fsck(path, &options, NULL, NULL, &summary, NULL));
	ck_assert_uint_eq(summary.status, WB_FSCK_CLEAN);
	ck_assert_uint_eq(summary.revision, acknowledged);
}

static void check_next_open(const struct wb_open_options *options)
{
	ck_ok(open_as(options, NULL));
	if (in_doubt && holds(acknowledged + 1))
		acknowledged++;
	ck_assert(holds(acknowledged));
	ck_ok(commit(&real, ++acknowledged));
	ck_assert(holds(acknowledged));
	ck_ok(close_it(NULL));
	check_fsck();
}

/* What is open holds what was acknowledged; closed, or given up by a store
 * that stopped, it is there for the next one. */
static void settle_with(const struct wb_open_options *options)
{
	if (real.store) {
		ck_assert(holds(acknowledged));
		(void)close_it(NULL);
	}
	check_next_open(options);
}

static void settle(enum wb_error error, const struct trial_way *way)
{
	(void)way;
	ck_assert(!error || real.store || !in_doubt);
	settle_with(&opening);
}

/* Nothing, or an empty store, and either is gone on with. */
static void settle_create(enum wb_error error, const struct trial_way *way)
{
	enum wb_error opened;

	(void)way;
	if (error) {
		ck_assert_ptr_null(real.store);
		opened = ashore_exists(path) ? open_as(&reading, NULL)
					     : WB_NOT_A_STORE;
		if (opened)
			ck_error(opened, WB_NOT_A_STORE);
	}
	settle_with(&creating);
}

static void settle_read(enum wb_error error, const struct trial_way *way)
{
	ck_assert_int_eq(real.store == NULL, error != WB_OK);
	ck_assert(ashore_is(torn, path));
	settle(error, way);
}

static unsigned torn_files(void)
{
	DIR *files = opendir(tempdir_path(path, "torn"));
	unsigned count = 0;

	ck_assert_ptr_nonnull(files);
	for (struct dirent *entry; (entry = readdir(files));)
		count += entry->d_name[0] != '.';
	closedir(files);
	return count;
}

static void settle_torn(enum wb_error error, const struct trial_way *way)
{
	settle(error, way);
	ck_assert_uint_eq(torn_files(), 1);
}

/* One call that failed costs one commit at most, and when no more of them fail
 * all is well again; but for a sync. */
static void settle_write(enum wb_error error, const struct trial_way *way)
{
	if (!error) /* two are there, an open starts the third */
		ck_assert_uint_ge(shelf_stat(&real).segments, 5);
	if (!way->forever && !in_doubt)
		ck_assert_uint_ge(acknowledged, COMMITS_BEFORE + COMMITS);
	if (!in_doubt)
		ck_ok(commit(&real, ++acknowledged));
	settle(error, way);
}

/* A stopped store's close says so; else it is as if nothing had been. */
static const struct trial trials[] = {
	{"create", begin_nothing, create, settle_create, WB_IO, false, 30, 0},
	{"open", begin_closed, open_it, settle, WB_IO, false, 30, 0},
	{"open after a kill", begin_killed, open_it, settle, WB_IO, false, 30,
	 0},
	{"open a torn one", begin_torn, open_it, settle_torn, WB_IO, false, 30,
	 0},
	{"open to read", begin_torn, open_to_read, settle_read, WB_IO, false,
	 15, 0},
	{"commits and rotations", begin_open, write_it, settle_write,
	 WB_OUTCOME_UNKNOWN, true, 40, 0},
	{"mark", begin_open, mark_it, settle, WB_OUTCOME_UNKNOWN, true, 2, 0},
	{"close", begin_open, close_it, settle, WB_OUTCOME_UNKNOWN, true, 2, 0},
};

enum { TRIALS = sizeof(trials) / sizeof(trials[0]) };

START_TEST(fault_38_to_52_every_call_of_an_open_store_may_fail)
{
	trial_run(&trials[_i / TRIAL_WAYS], &trial_ways[_i % TRIAL_WAYS]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_calls");
	TCase *tcase = tcase_create("store_calls");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase,
			    fault_38_to_52_every_call_of_an_open_store_may_fail,
			    0, TRIALS * TRIAL_WAYS);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
