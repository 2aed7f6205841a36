/* SPDX-License-Identifier: Apache-2.0
 *
 * What a dump holds, and that it comes back as it was.
 */
#include "dump/entry.h"
#include "store/import.h"
#include "tests/support/cargo.h"
#include "tests/support/paper.h"

#include <inttypes.h>
#include <jansson.h>
#include <unistd.h>

#define DIGEST                                       \
	"sha256:11111111111111111111111111111111111" \
	"11111111111111111111111111111"

static struct cargo cargo;
static struct shelf other;
static struct paper paper, again;

static void set_up(void)
{
	shelf_init(&other, 99);
	ck_ok(shelf_open(&other));
}

static void tear_down(void)
{
	shelf_release(&other);
	paper_release(&paper);
	paper_release(&again);
}

static void load(struct shelf *shelf, struct paper *from,
		 struct wb_load_result *ret_result)
{
	struct wb_text text = {""};
	enum wb_error error = wb_load(shelf->store, paper_read, from, NULL,
				      ret_result, &text);

	ck_assert_msg(!error, "%s: %s", wb_error_code(error), text.text);
}

/* ---- there and back ---- */

START_TEST(a_dump_that_was_loaded_is_dumped_the_same)
{
	uint64_t records = 0, images = 0, raw = 0;
	unsigned left = full_run() ? 5000 : 400;

	for (uint64_t seed = first_seed(); left-- > 0; seed++) {
		struct wb_load_result result = {.size = sizeof(result)};
		struct wb_dump_result dumped;
		const char *line;
		size_t size;

		cargo_make(&cargo, seed, 1 + (unsigned)(seed % 60));
		dumped = paper_dump(&paper, cargo.shelf.store, NULL);
		ck_assert_uint_eq(dumped.revision,
				  shelf_stat(&cargo.shelf).revision);
		ck_assert_uint_eq(dumped.count,
				  shelf_stat(&cargo.shelf).records);
		load(&other, &paper, &result);
		ck_assert_uint_eq(result.loaded, dumped.count);
		ck_assert_uint_eq(result.skipped, 0);
		paper_dump(&again, other.store, NULL);
		ck_assert_msg(paper_same(&paper, &again), "seed %" PRIu64,
			      seed);
		records += dumped.count;
		for (size_t at = 0; paper_next(&paper, &at, &line, &size);) {
			images += strncmp(line, "{\"type\":\"image\"", 15) == 0;
			raw += strncmp(line, "{\"type\":\"record\"", 16) == 0;
		}
		cargo_release(&cargo);
		shelf_release(&other);
		shelf_init(&other, 99);
		ck_ok(shelf_open(&other));
	}
	ck_assert_uint_eq(images + raw, records);
	ck_assert_uint_gt(images, 500);
	ck_assert_uint_gt(raw, 300);
	printf("count: dump records there and back %" PRIu64 "\n", records);
}
END_TEST

/* The same bytes, not only the same words. */
static bool check_value(void *context, const struct wb_record *record)
{
	static uint8_t value[1 << 16];
	struct wb_record there;

	ck_ok(wb_get(context, &record->key, value, sizeof(value), &there));
	ck_assert_uint_eq(there.value.size, record->value.size);
	if (there.value.size > 0)
		ck_assert_mem_eq(there.value.data, record->value.data,
				 there.value.size);
	return true;
}

START_TEST(every_value_is_the_same_to_the_byte)
{
	static const char *const spaces[] = {"", "default", "k8s.io", "moby",
					     "a-b_c.D"};
	struct wb_bytes none = {"", 0};
	struct wb_load_result result = {.size = sizeof(result)};
	struct wb_view *view;

	cargo_make(&cargo, 5, 200);
	paper_dump(&paper, cargo.shelf.store, NULL);
	load(&other, &paper, &result);
	ck_assert_uint_eq(shelf_stat(&other).records,
			  shelf_stat(&cargo.shelf).records);
	ck_ok(wb_view_begin(cargo.shelf.store, &view));
	for (uint32_t kind = 1; kind <= WB_KIND_EMBEDDER_LAST; kind++)
		for (unsigned at = 0; at < 5; at++)
			ck_ok(wb_view_list(view, kind, text_of(spaces[at]),
					   none, none, check_value,
					   other.store));
	wb_view_end(view);
	cargo_release(&cargo);
}
END_TEST

static void put_image(struct wb_txn *txn, const char *ns, const char *name,
		      int64_t created_ns)
{
	struct entry entry = {
		.type = ENTRY_IMAGE,
		.image = {.name = name,
			  .target = {.media_type = "t",
				     .digest = DIGEST,
				     .size = 12},
			  .created_at_ns = created_ns,
			  .updated_at_ns = created_ns + 1},
	};
	struct wb_key key = {WB_KIND_IMAGE, text_of(ns), text_of(name)};
	struct wb_bytes value;
	void *owned;

	ck_ok(entry_value(&entry, &value, &owned));
	ck_ok(store_txn_put(txn, &key, value, if_any));
	free(owned);
}

/* More than one piece of everything, and several namespaces. */
START_TEST(twelve_thousand_images_come_back)
{
	struct wb_load_result result = {.size = sizeof(result)};
	struct wb_dump_result dumped;
	char name[64];

	cargo_make(&cargo, 6, 20);
	for (unsigned commit = 0; commit < 12; commit++) {
		struct wb_txn *txn = shelf_begin(&cargo.shelf);

		for (unsigned at = 0; at < 1000; at++) {
			snprintf(name, sizeof(name), "registry/%u/image-%u",
				 commit, at);
			put_image(txn, commit % 2 ? "odd" : "even", name,
				  commit * 1000 + at);
		}
		ck_ok(wb_txn_commit(txn, NULL));
	}
	dumped = paper_dump(&paper, cargo.shelf.store, NULL);
	ck_assert_uint_gt(dumped.count, 12000);
	ck_assert_uint_eq(paper_lines(&paper), dumped.count + 2);
	load(&other, &paper, &result);
	ck_assert_uint_eq(result.loaded, dumped.count);
	paper_dump(&again, other.store, NULL);
	ck_assert(paper_same(&paper, &again));
	cargo_release(&cargo);
}
END_TEST

/* ---- what it looks like ---- */

static void make_small(void)
{
	struct wb_key key = {64, text_of("n"), {"\xFF\0", 2}};
	struct wb_txn *txn = shelf_begin(&other);

	put_image(txn, "default", "a\"\n\x7F", 0);
	ck_ok(wb_txn_put(txn, &key, text_of("hello"), if_any));
	ck_ok(wb_txn_commit(txn, NULL));
	shelf_put(&other, "b", "");
	shelf_delete(&other, "b");
	shelf_put(&other, "a", "1");
}

#define HEADER "{\"format\":\"waybill-dump\",\"version\":1,\"content\":"
#define IMAGE                                                             \
	"{\"type\":\"image\",\"namespace\":\"default\",\"name\":"         \
	"\"a\\\"\\n\\u007f\",\"target\":{\"mediaType\":\"t\",\"digest\":" \
	"\"" DIGEST "\",\"size\":12},\"labels\":{},\"created_at\":"       \
	"\"1970-01-01T00:00:00Z\",\"updated_at\":"                        \
	"\"1970-01-01T00:00:00.000000001Z\"}\n"
#define BYTES                                                              \
	"{\"type\":\"record\",\"kind\":64,\"namespace\":\"n\",\"name64\":" \
	"\"/wA=\",\"value\":\"aGVsbG8=\"}\n"

START_TEST(a_state_has_a_line_for_each_record)
{
	make_small();
	paper_dump(&paper, other.store, NULL);
	paper_text(&again,
		   HEADER "\"state\"}\n" IMAGE
			  "{\"type\":\"record\",\"kind\":64,\"namespace\":"
			  "\"n\",\"name\":\"a\",\"value\":\"MQ==\"}\n" BYTES);
	paper_end(&again);
	ck_assert_int_eq((int)paper.size, (int)again.size);
	ck_assert_mem_eq(paper.bytes, again.bytes, again.size);
}
END_TEST

#define COMMIT(revision, changes)                                   \
	"{\"type\":\"commit\",\"revision\":" #revision              \
	",\"time\":\"2024-01-01T00:00:00Z\",\"actor\":{\"uid\":%u," \
	"\"gid\":%u,\"pid\":%d},\"changes\":" #changes "}\n"
#define KEY(name) "\"kind\":64,\"namespace\":\"n\",\"name\":\"" name "\""

START_TEST(a_history_has_a_line_for_each_commit_and_change)
{
	static const struct wb_dump_options whole = {.size = sizeof(whole),
						     .history = true};
	struct wb_stat stat;
	unsigned uid = getuid(), gid = getgid();
	char text[4096], uuid[33];
	int pid = getpid();

	make_small();
	stat = shelf_stat(&other);
	for (unsigned at = 0; at < 16; at++)
		snprintf(uuid + 2 * at, 3, "%02x", stat.uuid[at]);
	paper_dump(&paper, other.store, &whole);
	snprintf(
		text, sizeof(text),
		HEADER "\"history\",\"uuid\":\"%s\"}\n" COMMIT(1, 2)
			IMAGE BYTES COMMIT(2, 1) "{\"type\":\"record\"," KEY("b") ",\"value\":\"\"}\n" COMMIT(
				3,
				1) "{\"type\":\"deletion\"," KEY("b") "}"
								      "\n" COMMIT(4, 1) "{\"type\":\"record\"," KEY(
									      "a") ",\"value\":\"MQ==\"}\n",
		uuid, uid, gid, pid, uid, gid, pid, uid, gid, pid, uid, gid,
		pid);
	paper_text(&again, text);
	paper_end(&again);
	ck_assert_int_eq((int)paper.size, (int)again.size);
	ck_assert_mem_eq(paper.bytes, again.bytes, again.size);
}
END_TEST

START_TEST(an_empty_store_makes_two_lines)
{
	static const struct wb_dump_options whole = {.size = sizeof(whole),
						     .history = true};

	paper_dump(&paper, other.store, NULL);
	paper_text(&again, HEADER "\"state\"}\n");
	paper_end(&again);
	ck_assert(paper_same(&paper, &again));
	paper_dump(&paper, other.store, &whole);
	ck_assert_uint_eq(paper_lines(&paper), 2);
}
END_TEST

/* Another reader of JSON, and a person with a terminal. */
START_TEST(every_line_is_json_that_moves_no_cursor)
{
	struct wb_dump_options options = {.size = sizeof(options)};

	for (unsigned history = 0; history < 2; history++) {
		const char *line;
		size_t size;

		cargo_make(&cargo, 7 + history, 150);
		options.history = history;
		paper_dump(&paper, cargo.shelf.store, &options);
		for (size_t at = 0; paper_next(&paper, &at, &line, &size);) {
			json_error_t error;
			json_t *json = json_loadb(line, size,
						  JSON_REJECT_DUPLICATES |
							  JSON_ALLOW_NUL,
						  &error);

			ck_assert_msg(json, "offset %zu: %s", at, error.text);
			ck_assert(json_is_object(json));
			json_decref(json);
		}
		for (size_t at = 0; at < paper.size; at++) {
			unsigned char c = (unsigned char)paper.bytes[at];

			if (c != '\n' && (c < 0x20 || c == 0x7F))
				ck_abort_msg("byte %u", c);
			if (c == 0xC2) /* U+0080 to U+00BF */
				ck_assert((unsigned char)paper.bytes[at + 1] >
					  0x9F);
		}
		cargo_release(&cargo);
	}
}
END_TEST

/* ---- which part ---- */

/* The lines of `paper` of which `is_wanted`, as a dump of their own. */
static void keep_lines(bool (*is_wanted)(const char *line, const char *what),
		       const char *what)
{
	const char *line;
	size_t size;

	again.size = 0;
	for (size_t at = 0; paper_next(&paper, &at, &line, &size);) {
		char *copy = calloc(1, size + 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, line, size);
		if (line == paper.bytes ||
		    (at < paper.size && is_wanted(copy, what)))
			paper_write(&again, copy, size);
		free(copy);
	}
	paper_end(&again);
}

static bool has(const char *line, const char *what)
{
	return strstr(line, what) != NULL;
}

START_TEST(a_namespace_or_a_prefix_takes_a_part)
{
	struct wb_dump_options options = {.size = sizeof(options)};
	struct wb_dump_result result;

	cargo_make(&cargo, 9, 200);
	options.ns = "k8s.io";
	result = paper_dump(&paper, cargo.shelf.store, &options);
	ck_assert_uint_gt(result.count, 3);
	paper_dump(&paper, cargo.shelf.store, NULL);
	keep_lines(has, ",\"namespace\":\"k8s.io\",");
	paper_dump(&paper, cargo.shelf.store, &options);
	ck_assert(paper_same(&paper, &again));

	options = (struct wb_dump_options){.size = sizeof(options),
					   .prefix = "docker.io/"};
	paper_dump(&paper, cargo.shelf.store, NULL);
	keep_lines(has, ",\"name\":\"docker.io/");
	result = paper_dump(&paper, cargo.shelf.store, &options);
	ck_assert_uint_gt(result.count, 0);
	ck_assert(paper_same(&paper, &again));

	options.ns = "nobody";
	ck_assert_uint_eq(paper_dump(&paper, cargo.shelf.store, &options).count,
			  0);
	cargo_release(&cargo);
}
END_TEST

/* No name begins with more than a name can hold. */
START_TEST(a_prefix_may_be_too_long)
{
	static char prefix[WB_NAME_BYTES_MAX + 2];
	struct wb_dump_options options = {.size = sizeof(options),
					  .prefix = prefix};

	memset(prefix, 'x', sizeof(prefix) - 1);
	shelf_put(&other, "x", "1");
	ck_assert_uint_eq(paper_dump(&paper, other.store, &options).count, 0);
}
END_TEST

/* ---- the past ---- */

START_TEST(a_past_is_dumped_as_it_was)
{
	enum { COMMITS = 40 };
	static struct paper then[COMMITS + 1];
	struct wb_dump_options options = {.size = sizeof(options),
					  .past = true};
	uint64_t head = 0;

	cargo_make(&cargo, 11, 0);
	paper_dump(&then[0], cargo.shelf.store, NULL);
	for (unsigned at = 0; at < COMMITS; at++) {
		cargo_commit(&cargo);
		head = shelf_stat(&cargo.shelf).revision;
		paper_dump(&then[head], cargo.shelf.store, NULL);
	}
	for (uint64_t at = 0; at <= head; at++) {
		struct wb_dump_result result;

		options.revision = at;
		result = paper_dump(&paper, cargo.shelf.store, &options);
		ck_assert_uint_eq(result.revision, at);
		ck_assert_msg(paper_same(&paper, &then[at]),
			      "revision %" PRIu64, at);
		paper_release(&then[at]);
	}
	ck_assert_uint_gt(head, 30);
	cargo_release(&cargo);
}
END_TEST

/* ---- what goes wrong ---- */

static enum wb_error dump(const struct wb_dump_options *options,
			  struct wb_text *ret_text)
{
	paper.size = 0;
	return wb_dump(other.store, options, paper_write, &paper, NULL,
		       ret_text);
}

START_TEST(options_that_exclude_each_other_are_refused)
{
	struct wb_dump_options options[] = {
		{.size = sizeof(options[0]), .history = true, .past = true},
		{.size = sizeof(options[0]), .history = true, .ns = "n"},
		{.size = sizeof(options[0]), .history = true, .prefix = ""},
		{.size = sizeof(options[0]) - 1},
	};

	for (size_t at = 0; at < 4; at++) {
		struct wb_text text = {""};

		ck_error(dump(&options[at], &text), WB_USAGE);
		ck_assert_str_ne(text.text, "");
		ck_assert_uint_eq(paper.size, 0);
	}
}
END_TEST

START_TEST(what_no_load_would_take_ends_the_dump_of_a_state)
{
	struct wb_dump_options history = {.size = sizeof(history),
					  .history = true};
	struct wb_key key = {WB_KIND_IMAGE, text_of("n"), text_of("a b")};
	struct wb_text text = {""};
	struct wb_txn *txn = shelf_begin(&other);

	ck_ok(store_txn_put(txn, &key, text_of("garbage"), if_any));
	ck_ok(wb_txn_commit(txn, NULL));
	ck_error(dump(NULL, &text), WB_CORRUPT);
	ck_assert_str_eq(text.text,
			 "image \"a b\" of namespace \"n\": its value is no "
			 "image, and no load would take it; it can be removed, "
			 "and --history dumps it");
	ck_ok(dump(&history, NULL));
}
END_TEST

START_TEST(a_revision_that_is_not_there_yet_is_not_found)
{
	struct wb_dump_options options = {.size = sizeof(options),
					  .past = true,
					  .revision = 9};
	struct wb_text text = {""};

	make_small();
	ck_error(dump(&options, &text), WB_NOT_FOUND);
	ck_text(text.text, "revision 9 is not there yet; the newest is 4");
	ck_assert_uint_eq(paper.size, 0);
}
END_TEST

/* Of the piece that it refuses it writes half. */
struct refusing {
	uint64_t pieces, refused_at;
	enum wb_error error;
};

static enum wb_error refuse(void *context, const void *bytes, size_t size)
{
	struct refusing *refusing = context;
	bool refused = ++refusing->pieces == refusing->refused_at;

	paper_write(&paper, bytes, refused ? size / 2 : size);
	return refused ? refusing->error : WB_OK;
}

static void fill_with_large_values(void)
{
	static char value[200000];

	for (unsigned at = 0; at < 10; at++) {
		struct wb_txn *txn = shelf_begin(&other);
		char name[16];
		struct wb_key key;

		snprintf(name, sizeof(name), "large%u", at);
		key = named(name);
		ck_ok(wb_txn_put(txn, &key,
				 (struct wb_bytes){value, sizeof(value)},
				 if_any));
		ck_ok(wb_txn_commit(txn, NULL));
	}
}

static enum wb_error dump_refusing(const struct wb_dump_options *options,
				   struct refusing *refusing)
{
	paper.size = 0;
	return wb_dump(other.store, options, refuse, refusing, NULL, NULL);
}

START_TEST(an_error_of_the_writer_ends_the_dump)
{
	static const enum wb_error errors[] = {WB_NO_SPACE, WB_IO};
	struct wb_dump_options options = {.size = sizeof(options)};

	fill_with_large_values();
	options.history = _i == 1;
	options.past = _i == 2;
	options.revision = 10;
	for (unsigned way = 0; way < 2; way++) {
		struct refusing all = {.refused_at = 0};

		ck_ok(dump_refusing(&options, &all));
		ck_ok(wb_dump_check(paper_read, &paper, NULL, NULL));
		ck_assert_uint_gt(all.pieces, 5);
		for (uint64_t at = 1; at <= all.pieces; at++) {
			struct refusing refusing = {.refused_at = at,
						    .error = errors[way]};

			ck_error(dump_refusing(&options, &refusing),
				 errors[way]);
			ck_assert_uint_eq(refusing.pieces, at);
			/* And nobody takes what there is for a dump. */
			ck_error(wb_dump_check(paper_read, &paper, NULL, NULL),
				 WB_BAD_INPUT);
		}
	}
}
END_TEST

struct heard {
	struct wb_progress last;
	uint64_t calls;
};

static void hear(void *context, const struct wb_progress *progress)
{
	struct heard *heard = context;

	ck_assert(heard->calls == 0 || progress->done > heard->last.done ||
		  progress->done == progress->total);
	heard->last = *progress;
	heard->calls++;
}

/* After so many questions. */
static bool had_enough(void *context)
{
	return --*(unsigned *)context == 0;
}

START_TEST(progress_is_told_and_it_may_be_stopped)
{
	struct heard heard = {.calls = 0};
	unsigned questions = 2;
	struct wb_dump_options options = {.size = sizeof(options),
					  .progress = hear,
					  .progress_context = &heard};
	struct wb_txn *txn = shelf_begin(&other);

	for (unsigned at = 0; at < 20000; at++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u", at);
		ck_ok(txn_put(txn, name, ""));
	}
	ck_ok(wb_txn_commit(txn, NULL));
	ck_ok(dump(&options, NULL));
	ck_assert_uint_gt(heard.calls, 10);
	ck_assert_str_eq(heard.last.phase, "dump");
	ck_assert_str_eq(heard.last.unit, "records");
	ck_assert_uint_eq(heard.last.total, 20000);
	ck_assert_uint_eq(heard.last.done, 20000);
	options.progress = NULL;
	options.stop = had_enough;
	options.stop_context = &questions;
	ck_error(dump(&options, NULL), WB_CANCELLED);
	ck_assert_uint_eq(questions, 0);
}
END_TEST

/* They are about the files of this store. */
START_TEST(the_stores_own_records_are_of_the_history_only)
{
	struct store_commit commit = {.revision = 1, .changes = 2};
	struct store_change changes[] = {{{194, text_of(""),
					   text_of("gc_blocked")},
					  text_of("x"),
					  false},
					 {named("a"), text_of("1"), false}};
	struct wb_dump_options options = {.size = sizeof(options)};
	struct store_ticket ticket;

	tear_down();
	shelf_init(&other, 3);
	ck_ok(store_import_open(simdisk_dir(other.disk), &other.env.env,
				&other.options,
				(const uint8_t *)"0123456789abcdef",
				&other.store, &other.text));
	ck_ok(store_import(other.store, &commit, changes, &ticket, NULL));
	ck_ok(store_wait(other.store, &ticket));
	ck_assert_uint_eq(paper_dump(&paper, other.store, &options).count, 1);
	options.history = true;
	ck_assert_uint_eq(paper_dump(&paper, other.store, &options).count, 3);
	keep_lines(has, "gc_blocked");
	ck_assert_uint_eq(paper_lines(&again), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump");
	TCase *tcase = tcase_create("dump");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_dump_that_was_loaded_is_dumped_the_same);
	tcase_add_test(tcase, every_value_is_the_same_to_the_byte);
	tcase_add_test(tcase, twelve_thousand_images_come_back);
	tcase_add_test(tcase, a_state_has_a_line_for_each_record);
	tcase_add_test(tcase, a_history_has_a_line_for_each_commit_and_change);
	tcase_add_test(tcase, an_empty_store_makes_two_lines);
	tcase_add_test(tcase, every_line_is_json_that_moves_no_cursor);
	tcase_add_test(tcase, a_namespace_or_a_prefix_takes_a_part);
	tcase_add_test(tcase, a_prefix_may_be_too_long);
	tcase_add_test(tcase, a_past_is_dumped_as_it_was);
	tcase_add_test(tcase, options_that_exclude_each_other_are_refused);
	tcase_add_test(tcase, a_revision_that_is_not_there_yet_is_not_found);
	tcase_add_test(tcase, what_no_load_would_take_ends_the_dump_of_a_state);
	tcase_add_loop_test(tcase, an_error_of_the_writer_ends_the_dump, 0, 3);
	tcase_add_test(tcase, progress_is_told_and_it_may_be_stopped);
	tcase_add_test(tcase, the_stores_own_records_are_of_the_history_only);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
