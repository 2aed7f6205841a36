/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading the dump of a state: all of it, or nothing, or as it says how much.
 */
#include "images/image.h"
#include "tests/support/cargo.h"
#include "tests/support/paper.h"

#include <inttypes.h>
#include <unistd.h>

#define DIGEST                                       \
	"sha256:11111111111111111111111111111111111" \
	"11111111111111111111111111111"

static struct shelf shelf;
static struct paper paper, again;
static struct wb_load_options options;
static struct wb_load_result result;
static struct wb_text text;

static void set_up(void)
{
	options = (struct wb_load_options){.size = sizeof(options)};
	result = (struct wb_load_result){.size = sizeof(result)};
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
	paper_release(&paper);
	paper_release(&again);
}

static enum wb_error load(void)
{
	text = (struct wb_text){""};
	result = (struct wb_load_result){.size = sizeof(result),
					 .records = 4711};
	return wb_load(shelf.store, paper_read, &paper, &options, &result,
		       &text);
}

#define HEADER "{\"format\":\"waybill-dump\",\"version\":1,\"content\":"
#define HISTORY                                                             \
	HEADER "\"history\",\"uuid\":\"00112233445566778899aabbccddeeff\"}" \
	       "\n"
#define RECORD(name, value)                                              \
	"{\"type\":\"record\",\"kind\":64,\"namespace\":\"n\",\"name\":" \
	"\"" name "\",\"value\":\"" value "\"}\n"

/* a=1 b=2 c=3 */
static void three_records(void)
{
	paper_text(&paper, HEADER "\"state\"}\n" RECORD("a", "MQ==")
				   RECORD("b", "Mg==") RECORD("c", "Mw=="));
	paper_end(&paper);
}

static void check_result(uint64_t loaded, uint64_t skipped, uint64_t commits,
			 uint64_t revision)
{
	ck_assert_uint_eq(result.loaded, loaded);
	ck_assert_uint_eq(result.skipped, skipped);
	ck_assert_uint_eq(result.commits, commits);
	ck_assert_uint_eq(result.revision, revision);
}

/* ---- one commit ---- */

START_TEST(all_of_it_is_one_commit)
{
	shelf_put(&shelf, "z", "0");
	three_records();
	ck_ok(load());
	ck_assert_uint_eq(result.records, 3);
	check_result(3, 0, 1, 2);
	ck_text(shelf_listing(&shelf), "a=1 b=2 c=3 z=0");
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "a=1 b=2 c=3 z=0");
}
END_TEST

static bool check_commit(void *context, const struct wb_version *version)
{
	(void)context;
	ck_assert_uint_eq(version->actor.uid, 7);
	ck_assert_str_eq(version->actor.command, "load");
	ck_assert_mem_eq(version->reason.data, "because", 7);
	return true;
}

START_TEST(the_commit_says_who_and_why)
{
	static const struct wb_actor actor = {7, 8, 9, "load"};

	options.actor = &actor;
	options.reason = "because";
	three_records();
	ck_ok(load());
	ck_ok(wb_log(shelf.store, 0, NULL, 0, 0, check_commit, NULL));
}
END_TEST

START_TEST(the_times_of_an_image_are_those_of_the_dump)
{
	struct wb_images *images;
	struct wb_image *image;
	const struct wb_call call = {.size = sizeof(call), .ns = "n"};

	paper_text(&paper,
		   HEADER "\"state\"}\n"
			  "{\"type\":\"image\",\"namespace\":\"n\",\"name\":"
			  "\"a\",\"target\":{\"mediaType\":\"t\",\"digest\":"
			  "\"" DIGEST "\",\"size\":5},\"labels\":{\"k\":\"v\"},"
			  "\"created_at\":\"1970-01-01T00:00:00.000000007Z\","
			  "\"updated_at\":\"1970-01-01T00:00:00.000000009Z\"}"
			  "\n");
	paper_end(&paper);
	ck_ok(load());
	ck_ok(wb_images_local(shelf.store, &images));
	ck_ok(images->ops->get(images, &call, "a", &image, NULL));
	ck_assert_int_eq(image->created_at_ns, 7);
	ck_assert_int_eq(image->updated_at_ns, 9);
	ck_assert_str_eq(image->labels.items[0].value, "v");
	ck_assert_uint_eq(image->revision, 1);
	wb_image_free(image);
	images->ops->close(images);
}
END_TEST

START_TEST(an_empty_dump_makes_no_commit)
{
	paper_text(&paper, HEADER "\"state\"}\n");
	paper_end(&paper);
	ck_ok(load());
	ck_assert_uint_eq(result.records, 0);
	check_result(0, 0, 0, 0);
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 0);
}
END_TEST

/* ---- what exists ---- */

START_TEST(a_record_that_exists_is_in_the_way)
{
	shelf_put(&shelf, "b", "old");
	three_records();
	ck_error(load(), WB_EXISTS);
	ck_text(text.text, "line 3: a record of kind 64, \"b\" of namespace "
			   "\"n\": already exists");
	ck_text(shelf_listing(&shelf), "b=old");
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 1);
}
END_TEST

START_TEST(or_it_is_skipped)
{
	shelf_put(&shelf, "b", "old");
	three_records();
	options.skip_existing = true;
	ck_ok(load());
	check_result(2, 1, 1, 2);
	ck_text(shelf_listing(&shelf), "a=1 b=old c=3");
	/* And again: there is nothing left to do. */
	ck_ok(load());
	check_result(0, 3, 0, 0);
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 2);
}
END_TEST

START_TEST(what_was_deleted_may_come_back)
{
	shelf_put(&shelf, "b", "old");
	shelf_delete(&shelf, "b");
	three_records();
	ck_ok(load());
	ck_text(shelf_listing(&shelf), "a=1 b=2 c=3");
}
END_TEST

START_TEST(a_dry_run_says_what_would_be_and_writes_nothing)
{
	uint64_t before;

	shelf_put(&shelf, "b", "old");
	three_records();
	before = simdisk_hash(shelf.disk);
	options.dry_run = true;
	ck_error(load(), WB_EXISTS);
	options.skip_existing = true;
	ck_ok(load());
	ck_assert_uint_eq(result.records, 3);
	check_result(2, 1, 0, 0);
	ck_assert(simdisk_hash(shelf.disk) == before);
	ck_text(shelf_listing(&shelf), "b=old");
}
END_TEST

/* ---- what is refused ---- */

/* With every byte of the dump changed, and cut at every one. */
START_TEST(a_bad_dump_writes_nothing)
{
	uint64_t before;

	shelf_put(&shelf, "z", "0");
	before = simdisk_hash(shelf.disk);
	three_records();
	for (size_t at = 0; at < paper.size; at++) {
		size_t size = paper.size;

		paper.bytes[at] ^= 1;
		ck_assert(load() != WB_OK);
		paper.bytes[at] ^= 1;
		paper.size = at;
		ck_error(load(), WB_BAD_INPUT);
		paper.size = size;
	}
	ck_assert(simdisk_hash(shelf.disk) == before);
	ck_text(shelf_listing(&shelf), "z=0");
	ck_ok(load());
}
END_TEST

START_TEST(a_history_is_not_loaded_into_a_store)
{
	paper_text(&paper, HISTORY);
	paper_end(&paper);
	ck_error(load(), WB_BAD_INPUT);
	ck_text(text.text, "line 1: a history becomes a store of its own, and "
			   "is not loaded into one");
}
END_TEST

START_TEST(options_of_another_size_are_refused)
{
	three_records();
	options.size--;
	ck_error(load(), WB_USAGE);
	ck_assert_str_ne(text.text, "");
	/* Nor is anything loaded whose result could not be told. */
	options.size = sizeof(options);
	result.size = 7;
	ck_error(wb_load(shelf.store, paper_read, &paper, &options, &result,
			 &text),
		 WB_USAGE);
	ck_text(shelf_listing(&shelf), "");
	ck_ok(wb_load(shelf.store, paper_read, &paper, NULL, NULL, NULL));
	ck_text(shelf_listing(&shelf), "a=1 b=2 c=3");
}
END_TEST

START_TEST(a_store_that_is_read_only_stays_so)
{
	ck_ok(shelf_close(&shelf));
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_ok(shelf_open(&shelf));
	three_records();
	ck_error(load(), WB_READ_ONLY);
	options.dry_run = true;
	ck_ok(load());
	check_result(3, 0, 0, 0);
}
END_TEST

/* ---- several commits ---- */

/* `count` records of `bytes`: n0000000, n0000001, … */
static void many_records(unsigned count, size_t bytes)
{
	char *line = malloc(bytes / 3 * 4 + 200), *at;

	ck_assert_ptr_nonnull(line);
	paper_text(&paper, HEADER "\"state\"}\n");
	for (unsigned number = 0; number < count; number++) {
		at = line + sprintf(line,
				    "{\"type\":\"record\",\"kind\":64,"
				    "\"namespace\":\"n\",\"name\":\"n%07u\","
				    "\"value\":\"",
				    number);
		memset(at, 'A', bytes / 3 * 4);
		strcpy(at + bytes / 3 * 4, "\"}\n");
		paper_write(&paper, line, strlen(line));
	}
	free(line);
	paper_end(&paper);
}

static void use_large_segments(void)
{
	tear_down();
	shelf_init(&shelf, 1);
	shelf.options.segment_bytes = 64u << 20;
	ck_ok(shelf_open(&shelf));
}

START_TEST(more_than_a_transaction_holds_takes_several)
{
	use_large_segments();
	many_records(WB_TXN_MUTATIONS_MAX + 10, 3);
	ck_ok(load());
	check_result(WB_TXN_MUTATIONS_MAX + 10, 0, 2, 2);
	many_records(40, 900000);
	ck_error(load(), WB_EXISTS);
	options.skip_existing = true;
	ck_ok(load());
	check_result(0, 40, 0, 0);
	ck_assert_uint_eq(shelf_stat(&shelf).records,
			  WB_TXN_MUTATIONS_MAX + 10);
	use_large_segments();
	many_records(40, 900000); /* 36 MB: 18 in each */
	ck_ok(load());
	check_result(40, 0, 3, 3);
}
END_TEST

/* How large a value of "z" may be, without a rest by three. */
static size_t largest_value(void)
{
	static char value[WB_TXN_BYTES_MAX];
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_key key = named("z");
	size_t size = sizeof(value);

	while (wb_txn_put(txn, &key, (struct wb_bytes){value, size}, if_any))
		size--;
	ck_ok(wb_txn_abort(txn));
	return size / 3 * 3;
}

/* The largest value that a store takes; then a larger one, because of which
 * nothing is loaded, not even the commit before it. */
START_TEST(a_record_that_is_too_large_is_refused_before_anything)
{
	static const char head[] =
		"{\"type\":\"record\",\"kind\":64,\"namespace\":\"n\","
		"\"name\":\"z\",\"value\":\"";
	size_t largest;
	char *digits;

	use_large_segments();
	largest = largest_value();
	digits = malloc(largest / 3 * 4 + 4);
	ck_assert_ptr_nonnull(digits);
	memset(digits, 'A', largest / 3 * 4 + 4);
	for (size_t more = 1; more < 2; more--) {
		many_records(WB_TXN_MUTATIONS_MAX + 10, 3);
		paper.size = paper_line(&paper, paper_lines(&paper));
		paper_write(&paper, head, strlen(head));
		paper_write(&paper, digits, (largest / 3 + more) * 4);
		paper_write(&paper, "\"}\n", 3);
		paper_end(&paper);
		ck_error(load(), more ? WB_TOO_LARGE : WB_OK);
		if (more)
			ck_text(text.text, "line 65548: larger than the limit");
		ck_assert_uint_eq(shelf_stat(&shelf).records,
				  more ? 0 : WB_TXN_MUTATIONS_MAX + 11);
	}
	free(digits);
}
END_TEST

/* The disk is full from the nth write on. False: it was not reached. */
static bool break_off(uint64_t nth, uint64_t *partial)
{
	enum wb_error error;
	uint64_t loaded;

	use_large_segments();
	simdisk_fault(shelf.disk, (struct sim_fault){.kind = SIM_WRITE,
						     .nth = nth,
						     .error = WB_NO_SPACE,
						     .forever = true});
	options.skip_existing = false;
	many_records(WB_TXN_MUTATIONS_MAX + 10, 3);
	error = load();
	simdisk_faults_clear(shelf.disk);
	if (!error)
		return false;
	ck_error(error, WB_NO_SPACE);
	loaded = result.loaded;
	ck_assert_uint_eq(result.records, WB_TXN_MUTATIONS_MAX + 10);
	ck_assert_uint_eq(shelf_stat(&shelf).records, loaded);
	ck_assert(loaded == 0 || loaded == WB_TXN_MUTATIONS_MAX);
	if (loaded > 0) {
		*partial += 1;
		ck_text(text.text,
			"no space left; 65536 of 65546 records are loaded, up "
			"to revision 1: skip those that exist to go on");
		ck_error(load(), WB_EXISTS);
	}
	options.skip_existing = true;
	ck_ok(load());
	ck_assert_uint_eq(result.skipped, loaded);
	paper_dump(&again, shelf.store, NULL);
	ck_assert_uint_eq(again.size, paper.size);
	ck_assert_int_eq(memcmp(again.bytes, paper.bytes, paper.size), 0);
	return true;
}

START_TEST(a_load_that_breaks_off_says_how_far_and_can_go_on)
{
	uint64_t nth = 1, partial = 0;

	while (break_off(nth, &partial))
		nth++;
	ck_assert_uint_gt(nth, 2);
	ck_assert_uint_gt(partial, 0);
}
END_TEST

/* One commit is all or nothing, wherever the disk fails. */
START_TEST(one_commit_is_whole_or_absent)
{
	uint64_t nth = 1;
	enum wb_error error;

	three_records();
	do {
		uint64_t fired;

		tear_down();
		set_up();
		three_records();
		simdisk_fault(shelf.disk, (struct sim_fault){.kind = SIM_ANY,
							     .nth = nth++,
							     .error = WB_IO});
		error = load();
		fired = simdisk_faults_fired(shelf.disk);
		simdisk_faults_clear(shelf.disk);
		if (error)
			ck_assert(*text.text);
		shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
		if (!error)
			ck_text(shelf_listing(&shelf), "a=1 b=2 c=3");
		else if (*shelf_listing(&shelf))
			ck_error(error, WB_OUTCOME_UNKNOWN);
		if (!fired)
			break;
	} while (nth < 1000);
	ck_ok(error);
	ck_assert_uint_gt(nth, 3);
}
END_TEST

/* ---- what happens meanwhile ---- */

struct meddling {
	uint64_t at; /* which reading of the beginning of the dump */
	uint64_t seen;
	void (*run)(void);
};
static struct meddling meddling;

static enum wb_error read_and_meddle(void *context, void *buffer, size_t size,
				     uint64_t offset, size_t *ret_size)
{
	if (offset == 0 && ++meddling.seen == meddling.at)
		meddling.run();
	return paper_read(context, buffer, size, offset, ret_size);
}

static void change_dump(void)
{
	paper.bytes[paper_line(&paper, 3) + 70] ^= 1;
}

static void make_b(void)
{
	shelf_put(&shelf, "b", "meanwhile");
}

/* It is read a second time, and has changed. */
START_TEST(a_dump_that_changes_while_it_is_read_writes_nothing)
{
	three_records();
	meddling = (struct meddling){.at = 2, .run = change_dump};
	ck_error(wb_load(shelf.store, read_and_meddle, &paper, &options,
			 &result, &text),
		 WB_BAD_INPUT);
	ck_assert_uint_eq(meddling.seen, 2);
	ck_text(shelf_listing(&shelf), "");
}
END_TEST

static void make_history(void)
{
	paper_text(&paper, HISTORY);
	paper_end(&paper);
}

START_TEST(a_dump_that_becomes_a_history_meanwhile_is_refused)
{
	three_records();
	meddling = (struct meddling){.at = 2, .run = make_history};
	ck_error(wb_load(shelf.store, read_and_meddle, &paper, &options,
			 &result, &text),
		 WB_BAD_INPUT);
	ck_assert(strstr(text.text, "a history becomes a store of its own"));
	ck_text(shelf_listing(&shelf), "");
}
END_TEST

START_TEST(what_another_makes_meanwhile_is_in_the_way_too)
{
	for (unsigned skip = 0; skip < 2; skip++) {
		enum wb_error error;

		three_records();
		options.skip_existing = skip;
		meddling = (struct meddling){.at = 2, .run = make_b};
		error = wb_load(shelf.store, read_and_meddle, &paper, &options,
				&result, &text);
		ck_error(error, skip ? WB_OK : WB_EXISTS);
		ck_text(shelf_listing(&shelf),
			skip ? "a=1 b=meanwhile c=3" : "b=meanwhile");
		if (!skip)
			ck_assert(strstr(text.text, "line 3: "));
	}
}
END_TEST

static enum wb_error read_nothing(void *context, void *buffer, size_t size,
				  uint64_t offset, size_t *ret_size)
{
	(void)context;
	(void)buffer;
	(void)size;
	(void)offset;
	(void)ret_size;
	return WB_PERMISSION;
}

START_TEST(an_error_of_the_reader_is_what_is_returned)
{
	ck_error(wb_load(shelf.store, read_nothing, NULL, &options, &result,
			 &text),
		 WB_PERMISSION);
	ck_text(text.text, "reading the dump: permission denied");
}
END_TEST

struct heard {
	struct wb_progress last;
	uint64_t calls, phases;
};

static void hear(void *context, const struct wb_progress *progress)
{
	struct heard *heard = context;

	heard->phases += progress->done == 0;
	heard->last = *progress;
	heard->calls++;
}

/* After so many questions. */
static bool had_enough(void *context)
{
	return --*(unsigned *)context == 0;
}

START_TEST(progress_is_told)
{
	struct heard heard = {.calls = 0};

	use_large_segments();
	many_records(WB_TXN_MUTATIONS_MAX + 10, 3);
	options.progress = hear;
	options.progress_context = &heard;
	ck_ok(load());
	ck_assert_uint_eq(heard.phases, 2);
	ck_assert_uint_gt(heard.calls, 16);
	ck_assert_str_eq(heard.last.phase, "load");
	ck_assert_uint_eq(heard.last.total, WB_TXN_MUTATIONS_MAX + 10);
	ck_assert_uint_eq(heard.last.done, heard.last.total);
}
END_TEST

START_TEST(it_may_be_stopped_before_anything_is_written_or_between_commits)
{
	unsigned questions = 3;

	use_large_segments();
	many_records(2 * WB_TXN_MUTATIONS_MAX + 10, 3);
	options.stop = had_enough;
	options.stop_context = &questions;
	ck_error(load(), WB_CANCELLED);
	check_result(0, 0, 0, 0);
	ck_text(text.text, "cancelled");
	/* All of the check's, one before the first commit, one more. */
	questions = 2 * WB_TXN_MUTATIONS_MAX / 4096 + 2;
	ck_error(load(), WB_CANCELLED);
	ck_assert_uint_eq(result.loaded, WB_TXN_MUTATIONS_MAX);
	ck_assert_uint_eq(result.commits, 1);
	ck_assert(strstr(text.text, "65536 of 131082 records are loaded"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("restore");
	TCase *tcase = tcase_create("restore");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, all_of_it_is_one_commit);
	tcase_add_test(tcase, the_commit_says_who_and_why);
	tcase_add_test(tcase, the_times_of_an_image_are_those_of_the_dump);
	tcase_add_test(tcase, an_empty_dump_makes_no_commit);
	tcase_add_test(tcase, a_record_that_exists_is_in_the_way);
	tcase_add_test(tcase, or_it_is_skipped);
	tcase_add_test(tcase, what_was_deleted_may_come_back);
	tcase_add_test(tcase, a_dry_run_says_what_would_be_and_writes_nothing);
	tcase_add_test(tcase, a_bad_dump_writes_nothing);
	tcase_add_test(tcase, a_history_is_not_loaded_into_a_store);
	tcase_add_test(tcase, options_of_another_size_are_refused);
	tcase_add_test(tcase, a_store_that_is_read_only_stays_so);
	tcase_add_test(tcase, more_than_a_transaction_holds_takes_several);
	tcase_add_test(tcase,
		       a_record_that_is_too_large_is_refused_before_anything);
	tcase_add_test(tcase,
		       a_load_that_breaks_off_says_how_far_and_can_go_on);
	tcase_add_test(tcase, one_commit_is_whole_or_absent);
	tcase_add_test(tcase,
		       a_dump_that_changes_while_it_is_read_writes_nothing);
	tcase_add_test(tcase,
		       a_dump_that_becomes_a_history_meanwhile_is_refused);
	tcase_add_test(tcase, what_another_makes_meanwhile_is_in_the_way_too);
	tcase_add_test(tcase, an_error_of_the_reader_is_what_is_returned);
	tcase_add_test(tcase, progress_is_told);
	tcase_add_test(
		tcase,
		it_may_be_stopped_before_anything_is_written_or_between_commits);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
