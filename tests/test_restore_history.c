/* SPDX-License-Identifier: Apache-2.0
 *
 * A history becomes a store with the same past.
 */
#include "dump/restore.h"
#include "log/state.h"
#include "store/state.h"
#include "tests/support/cargo.h"
#include "tests/support/paper.h"
#include "tests/support/tempdir.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cargo cargo;
static struct shelf copy; /* what is made of it */
static struct paper paper, again;
static struct wb_load_options options;
static struct wb_load_result result;
static struct wb_text text;
static char *directory;

static const struct wb_dump_options whole = {.size = sizeof(whole),
					     .history = true};

static void set_up(void)
{
	options = (struct wb_load_options){.size = sizeof(options)};
	text = (struct wb_text){""};
	shelf_init(&copy, 77);
	directory = tempdir_make();
}

static void tear_down(void)
{
	shelf_release(&copy);
	paper_release(&paper);
	paper_release(&again);
	tempdir_remove(directory);
}

static void make_dump(uint64_t seed, unsigned commits)
{
	cargo_make(&cargo, seed, commits);
	paper_dump(&paper, cargo.shelf.store, &whole);
}

static enum wb_error restore(void)
{
	struct wb_dump_summary summary = {.size = sizeof(summary)};
	enum wb_error error =
		wb_dump_check(paper_read, &paper, &summary, &text);

	return error ? error
		     : restore_history_on(simdisk_dir(copy.disk), &copy.env.env,
					  &copy.options, paper_read, &paper,
					  &options, summary.commits, &text);
}

/* ---- the same past ---- */

static void compare_pasts(uint64_t revision)
{
	struct wb_dump_options past = {.size = sizeof(past),
				       .past = true,
				       .revision = revision};

	paper_dump(&paper, cargo.shelf.store, &past);
	paper_dump(&again, copy.store, &past);
	ck_assert_msg(paper_same(&paper, &again), "revision %" PRIu64,
		      revision);
}

START_TEST(a_history_that_was_loaded_is_dumped_the_same)
{
	uint64_t commits = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct wb_stat ours, theirs;

		make_dump(seed, 1 + (unsigned)(seed % 50));
		ck_ok(restore());
		ck_ok(shelf_open(&copy));
		paper_dump(&again, copy.store, &whole);
		ck_assert_msg(paper_same(&paper, &again), "seed %" PRIu64,
			      seed);
		ours = shelf_stat(&copy);
		theirs = shelf_stat(&cargo.shelf);
		ck_assert_uint_eq(ours.revision, theirs.revision);
		ck_assert_mem_eq(ours.uuid, theirs.uuid, 16);
		ck_assert_uint_ne(ours.epoch, theirs.epoch);
		ck_assert_mem_eq(copy.store->log->durable_chain,
				 cargo.shelf.store->log->durable_chain,
				 CHAIN_BYTES);
		commits += ours.revision;
		compare_pasts(ours.revision);
		compare_pasts(ours.revision / 2);
		cargo_release(&cargo);
		tear_down();
		set_up();
	}
	ck_assert_uint_gt(commits, 1000);
	printf("count: dump commits there and back %" PRIu64 "\n", commits);
}
END_TEST

START_TEST(what_was_loaded_is_a_store_like_any_other)
{
	make_dump(1, 30);
	ck_ok(restore());
	ck_ok(shelf_open(&copy));
	ck_assert_uint_eq(shelf_put(&copy, "a", "1"),
			  shelf_stat(&cargo.shelf).revision + 1);
	cargo_release(&cargo);
}
END_TEST

START_TEST(an_empty_history_makes_an_empty_store)
{
	make_dump(1, 0);
	ck_ok(restore());
	copy.options.flags = 0;
	ck_ok(shelf_open(&copy));
	ck_assert_uint_eq(shelf_stat(&copy).revision, 0);
	cargo_release(&cargo);
}
END_TEST

/* ---- what cannot have been ---- */

#define HEADER                                                    \
	"{\"format\":\"waybill-dump\",\"version\":1,\"content\":" \
	"\"history\",\"uuid\":\"00112233445566778899aabbccddeeff\"}\n"
#define COMMIT(revision, changes)                                          \
	"{\"type\":\"commit\",\"revision\":" revision                      \
	",\"time\":\"2026-01-01T00:00:00Z\",\"actor\":{\"uid\":1,\"gid\":" \
	"1,\"pid\":1},\"changes\":" changes "}\n"
#define PUT(name)                                                              \
	"{\"type\":\"record\",\"kind\":64,\"namespace\":\"\",\"name\":\"" name \
	"\",\"value\":\"\"}\n"
#define DELETION(name)                                                    \
	"{\"type\":\"deletion\",\"kind\":64,\"namespace\":\"\",\"name\":" \
	"\"" name "\"}\n"

static const struct {
	const char *lines, *says;
} impossible[] = {
	{HEADER COMMIT("1", "3") PUT("a") PUT("b") PUT("a"),
	 "line 5: the key is changed twice in one commit"},
	{HEADER COMMIT("1", "1") PUT("a") COMMIT("2", "2") PUT("a")
		 DELETION("a"),
	 "line 6: the key is changed twice in one commit"},
};

static void check_nothing_is_left(void)
{
	ck_assert_uint_eq(shelf_files(copy.disk), 0);
}

START_TEST(what_cannot_have_been_leaves_nothing)
{
	for (size_t at = 0; at < 2; at++) {
		paper_text(&paper, impossible[at].lines);
		paper_end(&paper);
		ck_error(restore(), WB_BAD_INPUT);
		ck_text(text.text, impossible[at].says);
		check_nothing_is_left();
	}
	/* And is no obstacle. */
	paper_text(&paper, HEADER COMMIT("1", "1") PUT("a"));
	paper_end(&paper);
	ck_ok(restore());
}
END_TEST

/* ---- a disk that fails ---- */

/* False: it was not reached. */
static bool fail_once(uint64_t nth, uint64_t *failures)
{
	enum wb_error error;
	bool fired;

	simdisk_fault(copy.disk, (struct sim_fault){.kind = SIM_ANY_CHANGE,
						    .nth = nth,
						    .error = WB_IO});
	error = restore();
	fired = simdisk_faults_fired(copy.disk) > 0;
	simdisk_faults_clear(copy.disk);
	*failures += error != WB_OK;
	copy.options.flags = 0;
	if (!error) {
		ck_ok(shelf_open(&copy));
		paper_dump(&again, copy.store, &whole);
		ck_assert(paper_same(&paper, &again));
	} else {
		ck_assert(*text.text);
		check_nothing_is_left();
		ck_error(shelf_open(&copy), WB_NOT_A_STORE);
		copy.options.flags = WB_OPEN_CREATE;
		ck_ok(restore());
	}
	return fired;
}

START_TEST(a_disk_that_fails_leaves_nothing_or_all)
{
	uint64_t nth = 1, failures = 0;
	bool more = true;

	make_dump(2, 60);
	for (; more; nth++) {
		more = fail_once(nth, &failures);
		shelf_release(&copy);
		shelf_init(&copy, 77 + nth);
	}
	ck_assert_uint_gt(failures, 10);
	cargo_release(&cargo);
}
END_TEST

/* More than one group, the first of which is lost: the next commit does not
 * follow it, and it is the disk that is told of. */
START_TEST(a_full_disk_is_told_as_such)
{
	static char value[1400001];
	char head[600];

	memset(value, 'A', sizeof(value) - 1);
	paper_text(&paper, HEADER);
	for (unsigned revision = 1; revision <= 50; revision++) {
		snprintf(head, sizeof(head),
			 COMMIT("%u", "1") "{\"type\":\"record\",\"kind\":64,"
					   "\"namespace\":\"\",\"name\":"
					   "\"a\",\"value\":\"",
			 revision);
		paper_write(&paper, head, strlen(head));
		paper_write(&paper, value, sizeof(value) - 1);
		paper_write(&paper, "\"}\n", 3);
	}
	paper_end(&paper);
	copy.options.segment_bytes = 64u << 20;
	simdisk_capacity(copy.disk, 8u << 20);
	ck_error(restore(), WB_NO_SPACE);
	ck_text(text.text, "no space left");
	check_nothing_is_left();
	simdisk_capacity(copy.disk, 0);
	ck_ok(restore());
}
END_TEST

/* What a salvage brings over may delete what it could not bring. */
START_TEST(a_deletion_of_what_is_not_there_is_kept)
{
	paper_text(&paper,
		   HEADER COMMIT("1", "1") DELETION("a") COMMIT("2", "1")
			   PUT("a") COMMIT("3", "1") DELETION("a")
				   COMMIT("4", "1") DELETION("a"));
	paper_end(&paper);
	ck_ok(restore());
	ck_ok(shelf_open(&copy));
	paper_dump(&again, copy.store, &whole);
	ck_assert(paper_same(&paper, &again));
}
END_TEST

/* What is on the disk then is no store, or all of it. */
static bool check_image(struct simdisk *image)
{
	struct shelf shelf;
	enum wb_error error;

	shelf_init(&shelf, 5);
	simdisk_free(shelf.disk);
	shelf.disk = image;
	shelf.options.flags = 0;
	error = shelf_open(&shelf);
	if (!error) {
		paper_dump(&again, shelf.store, &whole);
		ck_assert(paper_same(&paper, &again));
	} else {
		/* Of an unfinished creation, or segments without an anchor. */
		ck_assert(error == WB_NOT_A_STORE || error == WB_CORRUPT);
	}
	shelf_release(&shelf);
	return !error;
}

START_TEST(a_crash_leaves_no_store_or_all_of_it)
{
	uint64_t images = 0, stores = 0;

	make_dump(3, 60);
	for (uint64_t nth = 1;; nth++) {
		bool cut;

		simdisk_cut_at(copy.disk, SIM_ANY_CHANGE, nth);
		ck_assert((restore() == WB_OK) != simdisk_is_cut(copy.disk));
		cut = simdisk_is_cut(copy.disk);
		for (uint64_t at = 0; at < 4 * SIM_KEEP_COUNT; at++) {
			struct sim_crash crash = {(enum sim_keep)(
							  at % SIM_KEEP_COUNT),
						  at};
			bool is_store =
				check_image(simdisk_crash(copy.disk, crash));

			ck_assert(cut || is_store);
			stores += is_store;
			images++;
		}
		if (!cut)
			break;
		shelf_release(&copy);
		shelf_init(&copy, 77 + nth);
	}
	/* Some are of the moment after the last rename. */
	ck_assert_uint_gt(stores, 4 * SIM_KEEP_COUNT);
	ck_assert_uint_gt(images, 10 * stores);
	printf("count: dump loads cut %" PRIu64 "\n", images);
	cargo_release(&cargo);
}
END_TEST

/* ---- a real directory ---- */

static const struct wb_open_options open_options = {
	.size = sizeof(open_options), .flags = WB_OPEN_ANY_FILESYSTEM};

static enum wb_error load_at(const char *path)
{
	text = (struct wb_text){""};
	result = (struct wb_load_result){.size = sizeof(result)};
	return wb_load_history(path, &open_options, paper_read, &paper,
			       &options, &result, &text);
}

static bool exists(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0;
}

START_TEST(a_directory_is_made_and_filled)
{
	struct wb_store *store;
	char *path = strdup(tempdir_path(directory, "store"));

	make_dump(4, 40);
	ck_ok(load_at(path));
	ck_assert_uint_eq(result.commits, shelf_stat(&cargo.shelf).revision);
	ck_assert_uint_eq(result.revision, result.commits);
	ck_ok(wb_store_open(path, &open_options, &store, &text));
	paper_dump(&again, store, &whole);
	ck_assert(paper_same(&paper, &again));
	ck_ok(wb_store_close(store));
	/* It is not empty now. */
	ck_error(load_at(path), WB_EXISTS);
	ck_text(text.text, "a store is there");
	options.dry_run = true;
	ck_error(load_at(path), WB_EXISTS);
	free(path);
	cargo_release(&cargo);
}
END_TEST

START_TEST(an_empty_directory_will_do)
{
	make_dump(4, 4);
	options.dry_run = true;
	ck_ok(load_at(directory));
	ck_assert(!exists(tempdir_path(directory, "anchor")));
	options.dry_run = false;
	ck_ok(load_at(directory));
	ck_assert(exists(tempdir_path(directory, "anchor")));
	cargo_release(&cargo);
}
END_TEST

START_TEST(what_is_refused_makes_no_directory)
{
	char *path = strdup(tempdir_path(directory, "store"));

	for (size_t at = 0; at < 2; at++) {
		paper_text(&paper, impossible[at].lines);
		paper_end(&paper);
		ck_error(load_at(path), WB_BAD_INPUT);
		ck_assert(!exists(path));
	}
	make_dump(4, 4);
	options.dry_run = true;
	ck_ok(load_at(path));
	ck_assert(!exists(path));
	options.dry_run = false;
	paper.bytes[paper.size / 2] ^= 1;
	ck_error(load_at(path), WB_BAD_INPUT);
	ck_assert(!exists(path));
	paper_dump(&paper, cargo.shelf.store, NULL);
	ck_error(load_at(path), WB_BAD_INPUT);
	ck_text(text.text, "line 1: not of a history");
	ck_assert(!exists(path));
	free(path);
	cargo_release(&cargo);
}
END_TEST

START_TEST(what_a_history_has_itself_cannot_be_given)
{
	static const struct wb_actor actor = {1, 1, 1, NULL};
	struct wb_load_options wrong[] = {
		{.size = sizeof(wrong[0]), .skip_existing = true},
		{.size = sizeof(wrong[0]), .reason = "why"},
		{.size = sizeof(wrong[0]), .actor = &actor},
		{.size = sizeof(wrong[0]) + 1},
	};
	char *path = strdup(tempdir_path(directory, "store"));

	make_dump(4, 4);
	for (size_t at = 0; at < 4; at++) {
		options = wrong[at];
		ck_error(load_at(path), WB_USAGE);
		ck_assert(*text.text);
		ck_assert(!exists(path));
	}
	ck_ok(wb_load_history(path, &open_options, paper_read, &paper, NULL,
			      NULL, NULL));
	free(path);
	cargo_release(&cargo);
}
END_TEST

static void hear(void *context, const struct wb_progress *progress)
{
	ck_assert_str_eq(progress->phase, "load");
	ck_assert_str_eq(progress->unit, "commits");
	ck_assert_uint_eq(progress->total, 1500);
	*(uint64_t *)context = progress->done;
}

static bool give_up(void *context)
{
	(void)context;
	return true;
}

START_TEST(it_may_be_stopped_and_nothing_is_left)
{
	char *path = strdup(tempdir_path(directory, "store"));
	uint64_t done = 0;

	paper_text(&paper, HEADER);
	for (unsigned revision = 1; revision <= 1500; revision++) {
		char line[300];

		snprintf(line, sizeof(line), COMMIT("%u", "1") PUT("a"),
			 revision);
		paper_write(&paper, line, strlen(line));
	}
	paper_end(&paper);
	options.progress = hear;
	options.progress_context = &done;
	options.stop = give_up;
	ck_error(load_at(path), WB_CANCELLED);
	ck_assert_uint_gt(done, 0);
	ck_assert(!exists(path));
	free(path);
}
END_TEST

START_TEST(a_history_of_few_large_commits_may_be_stopped_too)
{
	char *path = strdup(tempdir_path(directory, "store"));

	paper_text(&paper, HEADER COMMIT("1", "1024"));
	for (unsigned at = 0; at < 1024; at++) {
		char line[300];

		snprintf(line, sizeof(line), PUT("a%u"), at);
		paper_write(&paper, line, strlen(line));
	}
	paper_end(&paper);
	options.stop = give_up;
	ck_error(load_at(path), WB_CANCELLED);
	ck_assert(!exists(path));
	free(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restore_history");
	TCase *tcase = tcase_create("restore_history");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_history_that_was_loaded_is_dumped_the_same);
	tcase_add_test(tcase, what_was_loaded_is_a_store_like_any_other);
	tcase_add_test(tcase, an_empty_history_makes_an_empty_store);
	tcase_add_test(tcase, what_cannot_have_been_leaves_nothing);
	tcase_add_test(tcase, a_disk_that_fails_leaves_nothing_or_all);
	tcase_add_test(tcase, a_full_disk_is_told_as_such);
	tcase_add_test(tcase, a_deletion_of_what_is_not_there_is_kept);
	tcase_add_test(tcase, a_crash_leaves_no_store_or_all_of_it);
	tcase_add_test(tcase, a_directory_is_made_and_filled);
	tcase_add_test(tcase, an_empty_directory_will_do);
	tcase_add_test(tcase, what_is_refused_makes_no_directory);
	tcase_add_test(tcase, what_a_history_has_itself_cannot_be_given);
	tcase_add_test(tcase, it_may_be_stopped_and_nothing_is_left);
	tcase_add_test(tcase,
		       a_history_of_few_large_commits_may_be_stopped_too);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
