/* SPDX-License-Identifier: Apache-2.0
 *
 * Dumps and loads on real directories, whose system calls fail, once and for
 * ever; are interrupted; or fall short. The last two are no failures. A history
 * that is not loaded leaves no directory, also where memory is what lacks.
 */
#include "tests/support/allocations.h"
#include "tests/support/calls.h"
#include "tests/support/cargo.h"
#include "tests/support/hush.h"
#include "tests/support/paper.h"
#include "tests/support/tempdir.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>
#include <waybill/fsck.h>

static char *temp, *path; /* of the store */
static struct paper state, history, past, empty, written;
static const struct wb_open_options opening = {
	.size = sizeof(opening),
	.flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
	.segment_bytes = 16u << 10,
	.report = hush,
};
static const struct wb_open_options looking = {.size = sizeof(looking),
					       .flags = WB_OPEN_ANY_FILESYSTEM,
					       .report = hush};
static const struct wb_dump_options whole = {.size = sizeof(whole),
					     .history = true};
static const struct wb_dump_options then = {.size = sizeof(then),
					    .past = true,
					    .revision = 9};
static struct cargo cargo;
static struct wb_store *store;
static struct wb_text text;

static void set_up(void)
{
	temp = tempdir_make();
	path = strdup(tempdir_path(temp, "store"));
	cargo_make(&cargo, 7, 12);
	paper_dump(&state, cargo.shelf.store, NULL);
	paper_dump(&history, cargo.shelf.store, &whole);
	paper_dump(&past, cargo.shelf.store, &then);
	paper_text(&empty, "{\"format\":\"waybill-dump\",\"version\":1,"
			   "\"content\":\"state\"}\n");
	paper_end(&empty);
	/* Room for whatever is dumped. */
	paper_set(&written, history.bytes, history.size);
}

static void tear_down(void)
{
	cargo_release(&cargo);
	paper_release(&state);
	paper_release(&history);
	paper_release(&past);
	paper_release(&empty);
	paper_release(&written);
	free(path);
	tempdir_remove(temp);
}

static unsigned open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	unsigned count = 0;

	ck_assert_ptr_nonnull(files);
	while (readdir(files))
		count++;
	closedir(files);
	return count;
}

static bool exists(void)
{
	struct stat stat;

	return lstat(path, &stat) == 0;
}

static void remove_store(void)
{
	if (exists())
		tempdir_remove(strdup(path));
}

/* ---- four calls ---- */

static void open_store(void)
{
	ck_ok(wb_store_open(path, &opening, &store, &text));
}

static void close_store(void)
{
	(void)wb_store_close(store); /* a stopped one says so */
	store = NULL;
}

static bool store_holds(const struct paper *expected)
{
	const struct wb_dump_options *options =
		expected == &history ? &whole : NULL;

	paper_dump(&written, store, options);
	return paper_same(&written, expected);
}

static void check_fsck(void)
{
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = WB_FSCK_ANY_FILESYSTEM};
	struct wb_fsck_summary summary = {.size = sizeof(summary)};

	ck_ok(wb_fsck(path, &options, NULL, NULL, &summary, &text));
	ck_assert_uint_eq(summary.status, WB_FSCK_CLEAN);
}

static void begin_dump(void)
{
	if (!exists())
		ck_ok(wb_load_history(path, &opening, paper_read, &history,
				      NULL, NULL, &text));
	open_store();
}

static enum wb_error dump_past(void)
{
	written.size = 0;
	return wb_dump(store, &then, paper_write, &written, NULL, &text);
}

static enum wb_error dump_history(void)
{
	written.size = 0;
	return wb_dump(store, &whole, paper_write, &written, NULL, &text);
}

static void settle_dump(enum wb_error error, const struct paper *expected)
{
	if (error)
		ck_error(wb_dump_check(paper_read, &written, NULL, NULL),
			 WB_BAD_INPUT);
	else
		ck_assert(paper_same(&written, expected));
	close_store();
}

static void settle_past(enum wb_error error, bool lasting)
{
	(void)lasting;
	settle_dump(error, &past);
}

static void settle_dump_of_history(enum wb_error error, bool lasting)
{
	(void)lasting;
	settle_dump(error, &history);
}

static void begin_load(void)
{
	remove_store();
	open_store();
}

static enum wb_error load(void)
{
	return wb_load(store, paper_read, &state, NULL, NULL, &text);
}

static void settle_load(enum wb_error error, bool lasting)
{
	bool in_doubt = error == WB_OUTCOME_UNKNOWN;

	(void)lasting;
	ck_assert(store_holds(error ? &empty : &state));
	close_store();
	open_store();
	if (in_doubt && store_holds(&state))
		error = WB_OK;
	ck_assert(store_holds(error ? &empty : &state));
	if (error)
		ck_ok(load());
	ck_assert(store_holds(&state));
	ck_ok(wb_store_close(store));
	check_fsck();
}

static enum wb_error load_history(void)
{
	return wb_load_history(path, &opening, paper_read, &history, NULL, NULL,
			       &text);
}

/* Nothing, all of it, or what no open takes. */
static void settle_history(enum wb_error error, bool lasting)
{
	if (error && !lasting)
		ck_assert_msg(!exists(), "%s: %s", wb_error_code(error),
			      text.text);
	if (error && exists()) {
		enum wb_error opened =
			wb_store_open(path, &looking, &store, &text);

		ck_assert(!opened || opened == WB_NOT_A_STORE ||
			  opened == WB_CORRUPT);
		if (!opened) {
			ck_assert(store_holds(&history));
			close_store();
		}
		remove_store();
	}
	if (error)
		ck_ok(load_history());
	ck_ok(wb_store_open(path, &looking, &store, &text));
	ck_assert(store_holds(&history));
	ck_ok(wb_store_close(store));
	check_fsck();
}

static const struct job {
	const char *name;
	void (*begin)(void);
	enum wb_error (*run)(void);
	void (*settle)(enum wb_error error, bool lasting);
} jobs[] = {
	{"dump --at", begin_dump, dump_past, settle_past},
	{"dump --history", begin_dump, dump_history, settle_dump_of_history},
	{"load", begin_load, load, settle_load},
	{"load --history", remove_store, load_history, settle_history},
};

enum { JOBS = sizeof(jobs) / sizeof(jobs[0]) };

/* ---- in four ways, once and for ever ---- */

static const struct way {
	const char *name;
	enum calls_fault fault;
	int number;
	bool forever;
	enum wb_error error; /* WB_OK: it is no failure */
} ways[] = {
	{"EIO", CALLS_FAIL, EIO, false, WB_IO},
	{"EIO for ever", CALLS_FAIL, EIO, true, WB_IO},
	{"ENOSPC", CALLS_FAIL, ENOSPC, false, WB_NO_SPACE},
	{"ENOSPC for ever", CALLS_FAIL, ENOSPC, true, WB_NO_SPACE},
	{"EINTR", CALLS_INTERRUPT, 0, false, WB_OK},
	{"EINTR for ever", CALLS_INTERRUPT, 0, true, WB_OK},
	{"short calls", CALLS_SHORT, 0, false, WB_OK},
	{"short calls for ever", CALLS_SHORT, 0, true, WB_OK},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/* Of a sync that failed nobody knows what became of the commit; a store in the
 * making is gone then, and it is WB_IO. */
static bool is_expected(const struct job *job, const struct way *way,
			enum wb_error error)
{
	if (!error || !way->error)
		return !error;
	return error == way->error ||
	       error == (job->run == load_history ? WB_IO : WB_OUTCOME_UNKNOWN);
}

/* False: it was not reached. */
static bool run_once(const struct job *job, const struct way *way, uint64_t nth,
		     uint64_t *refused)
{
	unsigned files = open_files();
	enum wb_error error;
	bool reached;

	job->begin();
	text = (struct wb_text){""};
	calls_break(way->fault, nth, way->forever, way->number);
	error = job->run();
	reached = calls_mend() > 0;
	ck_assert_msg(is_expected(job, way, error) && (reached || !error),
		      "%s, %s, call %" PRIu64 ": %s: %s", job->name, way->name,
		      nth, wb_error_code(error), text.text);
	ck_assert(!error || *text.text);
	*refused += error != WB_OK;
	job->settle(error, way->forever);
	ck_assert_uint_eq(open_files(), files);
	return reached;
}

START_TEST(fault_38_to_52_every_call_of_a_dump_and_a_load_may_fail)
{
	const struct job *job = &jobs[_i / WAYS];
	const struct way *way = &ways[_i % WAYS];
	uint64_t nth = 1, refused = 0;

	while (run_once(job, way, nth, &refused))
		nth++;
	ck_assert_uint_gt(nth, 1);
	ck_assert_int_eq(refused > 0, way->error != WB_OK);
	printf("count: %s, calls with %s %" PRIu64 "\n", job->name, way->name,
	       nth - 1);
}
END_TEST

/* ---- no memory ---- */

START_TEST(fault_51_a_history_that_is_not_loaded_leaves_no_directory)
{
	uint64_t nth = 1, refused = 0;
	bool more = true;

	for (; more; nth++) {
		unsigned files = open_files();
		enum wb_error error;

		remove_store();
		/* Nothing of it is synced. */
		calls_break(CALLS_FAIL, 0, false, 0);
		allocations_fail(nth, _i == 1);
		error = load_history();
		more = allocations_stop() > 0;
		ck_assert_msg(!error || (error == WB_NO_MEMORY && more),
			      "allocation %" PRIu64 ": %s", nth,
			      wb_error_code(error));
		ck_assert(!error || *text.text);
		ck_assert_uint_eq(open_files(), files);
		refused += error == WB_NO_MEMORY;
		settle_history(error, false);
	}
	ck_assert_uint_gt(refused, 9);
	printf("count: load --history, directories refused for memory %" PRIu64
	       "\n",
	       refused);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump_calls");
	TCase *tcase = tcase_create("dump_calls");

	if (!allocations_begin())
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(
		tcase, fault_38_to_52_every_call_of_a_dump_and_a_load_may_fail,
		0, JOBS * WAYS);
	tcase_add_loop_test(
		tcase,
		fault_51_a_history_that_is_not_loaded_leaves_no_directory, 0,
		2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
