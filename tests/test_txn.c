/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates: what they see, what they refuse, and that no answer is given on
 * the strength of a commit that may still be lost.
 */
#include "tests/support/shelf.h"

static struct shelf shelf;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

static enum wb_error put_if(struct wb_txn *txn, const char *name,
			    enum wb_precondition_kind kind, uint64_t revision)
{
	struct wb_precondition precondition = {kind, revision};
	struct wb_key key = named(name);

	return wb_txn_put(txn, &key, text_of("new"), precondition);
}

static enum wb_error delete_if(struct wb_txn *txn, const char *name,
			       enum wb_precondition_kind kind,
			       uint64_t revision)
{
	struct wb_precondition precondition = {kind, revision};
	struct wb_key key = named(name);

	return wb_txn_delete(txn, &key, precondition);
}

/* ---- what it sees ---- */

START_TEST(an_update_sees_what_it_did_itself)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "old");
	shelf_put(&shelf, "b", "old");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "own"));
	ck_ok(txn_delete(txn, "b"));
	ck_ok(txn_put(txn, "c", "own"));
	ck_text(txn_text(txn, "a"), "own");
	ck_text(txn_text(txn, "b"), "");
	ck_text(txn_listing(txn, "", ""), "a=own c=own");
	/* And nobody else does, until it is committed. */
	ck_text(shelf_listing(&shelf), "a=old b=old");
	ck_text(shelf_text(&shelf, "c"), "");
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "a=own c=own");
}
END_TEST

START_TEST(an_update_sees_what_is_staged_and_a_view_does_not)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "durable");
	shelf_put(&shelf, "b", "durable");
	stage_put(&shelf, "a", "staged");
	stage_delete(&shelf, "b");
	stage_put(&shelf, "c", "first");
	stage_put(&shelf, "c", "second");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "d", "own"));
	ck_text(txn_listing(txn, "", ""), "a=staged c=second d=own");
	ck_text(txn_text(txn, "b"), "");
	ck_text(shelf_listing(&shelf), "a=durable b=durable");
	ck_ok(store_flush(shelf.store));
	ck_text(shelf_listing(&shelf), "a=staged c=second");
	/* What it saw has not changed by being published. */
	ck_text(txn_listing(txn, "", ""), "a=staged c=second d=own");
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "a=staged c=second d=own");
}
END_TEST

START_TEST(a_listing_keeps_to_prefix_and_after_in_every_layer)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "ab", "1");
	shelf_put(&shelf, "b", "1");
	stage_put(&shelf, "aa", "2");
	stage_put(&shelf, "ba", "2");
	stage_delete(&shelf, "b");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "ac", "3"));
	ck_ok(txn_put(txn, "bb", "3"));
	ck_ok(txn_delete(txn, "ab"));
	ck_text(txn_listing(txn, "", ""), "a=1 aa=2 ac=3 ba=2 bb=3");
	ck_text(txn_listing(txn, "a", ""), "a=1 aa=2 ac=3");
	ck_text(txn_listing(txn, "a", "a"), "aa=2 ac=3");
	ck_text(txn_listing(txn, "a", "aa"), "ac=3");
	ck_text(txn_listing(txn, "", "ab"), "ac=3 ba=2 bb=3");
	ck_text(txn_listing(txn, "b", "a"), "ba=2 bb=3");
	ck_text(txn_listing(txn, "c", ""), "");
	ck_text(txn_listing(txn, "", "bb"), "");
	ck_ok(wb_txn_abort(txn));
}
END_TEST

START_TEST(every_record_of_a_commit_has_its_time_and_revision)
{
	struct wb_key key = named("a");
	struct wb_record record;
	struct wb_outcome outcome;
	struct wb_txn *txn;
	char value[8];

	simenv_set_wall(&shelf.env, 1234567890);
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "1"));
	ck_assert_int_eq(wb_txn_time(txn), 1234567890);
	simenv_set_wall(&shelf.env, 2000000000);
	ck_ok(wb_txn_get(txn, &key, value, sizeof(value), &record));
	ck_assert_int_eq(record.time_ns, 1234567890);
	ck_ok(wb_txn_commit(txn, &outcome));
	ck_ok(wb_get(shelf.store, &key, value, sizeof(value), &record));
	ck_assert_int_eq(record.time_ns, 1234567890);
	ck_assert_uint_eq(record.revision, outcome.revision);
	ck_assert_uint_eq(outcome.revision, 1);
	ck_assert(!outcome.replayed);
}
END_TEST

START_TEST(a_small_buffer_is_told_how_much_is_needed)
{
	struct wb_key staged = named("staged"), own = named("own");
	struct wb_record record;
	struct wb_txn *txn;
	char value[4];

	stage_put(&shelf, "staged", "12345");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "own", "123456"));
	ck_error(wb_txn_get(txn, &staged, value, 4, &record), WB_BUFFER);
	ck_assert_uint_eq(record.value.size, 5);
	ck_error(wb_txn_get(txn, &own, value, 4, &record), WB_BUFFER);
	ck_assert_uint_eq(record.value.size, 6);
	ck_ok(wb_txn_commit(txn, NULL));
	ck_error(wb_get(shelf.store, &own, value, 4, &record), WB_BUFFER);
	ck_assert_uint_eq(record.value.size, 6);
	ck_error(wb_get(shelf.store, &own, NULL, 0, &record), WB_BUFFER);
}
END_TEST

/* ---- ends ---- */

static enum wb_error fail_with(void *context, struct wb_txn *txn)
{
	ck_ok(txn_put(txn, "a", "new"));
	return *(enum wb_error *)context;
}

START_TEST(an_error_from_the_callback_aborts)
{
	/* Any error; also one that a commit may return. */
	enum wb_error errors[] = {WB_NOT_FOUND, WB_EXISTS, WB_CANCELLED,
				  WB_OUTCOME_UNKNOWN, WB_NO_SPACE};
	struct wb_outcome outcome = {.revision = 77};

	shelf_put(&shelf, "a", "old");
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		ck_error(wb_update(shelf.store, NULL, fail_with, &errors[i],
				   &outcome),
			 errors[i]);
		ck_assert_uint_eq(outcome.revision, 77);
		ck_text(shelf_text(&shelf, "a"), "old");
	}
	/* It used no revision. */
	ck_assert_uint_eq(shelf_put(&shelf, "b", "1"), 2);
}
END_TEST

START_TEST(what_was_aborted_never_was)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(txn_put(txn, "a", "1"));
	ck_ok(wb_txn_abort(txn));
	ck_ok(wb_txn_abort(NULL));
	ck_text(shelf_listing(&shelf), "");
	txn = shelf_begin(&shelf);
	ck_text(txn_text(txn, "a"), "");
	ck_ok(wb_txn_abort(txn));
	ck_assert_uint_eq(shelf_stat(&shelf).commits, 0);
}
END_TEST

static enum wb_error do_nothing(void *context, struct wb_txn *txn)
{
	(void)context;
	(void)txn;
	return WB_OK;
}

START_TEST(an_empty_transaction_is_no_commit)
{
	uint64_t changes = simdisk_count(shelf.disk, SIM_ANY_CHANGE);
	struct wb_outcome outcome = {.revision = 77, .replayed = true};

	ck_ok(wb_txn_commit(shelf_begin(&shelf), &outcome));
	ck_assert_uint_eq(outcome.revision, 0);
	ck_assert(!outcome.replayed);
	outcome.revision = 77;
	ck_ok(wb_update(shelf.store, NULL, do_nothing, NULL, &outcome));
	ck_assert_uint_eq(outcome.revision, 0);
	ck_assert_uint_eq(simdisk_count(shelf.disk, SIM_ANY_CHANGE), changes);
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 0);
	ck_error(wb_txn_commit(NULL, NULL), WB_USAGE);
}
END_TEST

START_TEST(a_read_only_store_takes_no_update)
{
	struct wb_txn *txn = NULL;

	ck_ok(shelf_close(&shelf));
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_ok(shelf_open(&shelf));
	ck_error(wb_txn_begin(shelf.store, NULL, &txn, NULL), WB_READ_ONLY);
	ck_error(wb_store_mark(shelf.store), WB_READ_ONLY);
	ck_assert_ptr_null(txn);
}
END_TEST

/* ---- what it refuses ---- */

START_TEST(a_key_may_be_changed_once_in_a_transaction)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "b", "old");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "1"));
	ck_error(txn_put(txn, "a", "2"), WB_USAGE);
	ck_error(txn_delete(txn, "a"), WB_USAGE);
	ck_ok(txn_delete(txn, "b"));
	ck_error(txn_put(txn, "b", "2"), WB_USAGE);
	ck_error(txn_delete(txn, "b"), WB_USAGE);
	/* What was right about it still is. */
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

START_TEST(deleting_what_is_not_there_is_said_and_harmless)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "gone", "1");
	shelf_delete(&shelf, "gone");
	shelf_put(&shelf, "going", "1");
	stage_delete(&shelf, "going");
	txn = shelf_begin(&shelf);
	ck_error(txn_delete(txn, "never"), WB_NOT_FOUND);
	ck_error(txn_delete(txn, "gone"), WB_NOT_FOUND);
	ck_error(txn_delete(txn, "going"), WB_NOT_FOUND);
	ck_ok(txn_put(txn, "never", "now"));
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "never=now");
}
END_TEST

static const struct {
	struct wb_key key;
	enum wb_error error;
} keys[] = {
	{{64, {"", 0}, {"a", 1}}, WB_OK},
	{{191, {"n", 1}, {"\0", 1}}, WB_OK},
	{{65, {"n", 1}, {"\xff\n", 2}}, WB_OK},
	{{64, {NULL, 0}, {"a", 1}}, WB_OK},
	{{1, {"n", 1}, {"a", 1}}, WB_BAD_INPUT},
	{{5, {"n", 1}, {"a", 1}}, WB_BAD_INPUT},
	{{63, {"n", 1}, {"a", 1}}, WB_BAD_INPUT},
	{{192, {"n", 1}, {"a", 1}}, WB_USAGE},
	{{255, {"n", 1}, {"a", 1}}, WB_USAGE},
	{{0, {"n", 1}, {"a", 1}}, WB_BAD_INPUT},
	{{256, {"n", 1}, {"a", 1}}, WB_BAD_INPUT},
	{{256 + 64, {"n", 1}, {"a", 1}}, WB_BAD_INPUT},
	{{64, {"n", 1}, {"", 0}}, WB_BAD_INPUT},
	{{64, {"n\0m", 3}, {"a", 1}}, WB_BAD_INPUT},
};

START_TEST(keys_have_bounds)
{
	struct wb_key key = keys[_i].key;
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_record record;
	char value[8];

	ck_error(wb_txn_put(txn, &key, text_of("1"), if_any), keys[_i].error);
	ck_error(wb_txn_delete(txn, &key, if_any),
		 keys[_i].error ? keys[_i].error : WB_USAGE);
	ck_ok(wb_txn_commit(txn, NULL));
	if (key.kind > 0 && key.kind < WB_KIND_EMBEDDER_FIRST)
		ck_error(wb_get(shelf.store, &key, value, 8, &record),
			 WB_NOT_FOUND);
	else if (keys[_i].error == WB_BAD_INPUT)
		ck_error(wb_get(shelf.store, &key, value, 8, &record),
			 WB_BAD_INPUT);
	else
		ck_error(wb_get(shelf.store, &key, value, 8, &record),
			 keys[_i].error ? WB_NOT_FOUND : WB_OK);
}
END_TEST

START_TEST(waybills_own_kinds_are_for_its_own_parts)
{
	struct wb_key key = {1, {"n", 1}, {"a", 1}};
	struct wb_record record;
	struct wb_txn *txn;
	char value[8];

	for (key.kind = 1; key.kind < WB_KIND_EMBEDDER_FIRST; key.kind++) {
		txn = shelf_begin(&shelf);
		ck_ok(store_txn_put(txn, &key, text_of("1"), if_any));
		ck_ok(wb_txn_commit(txn, NULL));
		ck_ok(wb_get(shelf.store, &key, value, 8, &record));
		txn = shelf_begin(&shelf);
		ck_error(wb_txn_delete(txn, &key, if_any), WB_BAD_INPUT);
		ck_ok(store_txn_delete(txn, &key, if_any));
		ck_ok(wb_txn_commit(txn, NULL));
	}
	txn = shelf_begin(&shelf);
	key.kind = 192;
	ck_error(store_txn_put(txn, &key, text_of("1"), if_any), WB_USAGE);
	ck_ok(wb_txn_abort(txn));
}
END_TEST

START_TEST(names_and_namespaces_end_at_their_limits)
{
	static char name[WB_NAME_BYTES_MAX + 1], ns[WB_NAMESPACE_BYTES_MAX + 1];
	struct wb_key largest = {64,
				 {ns, WB_NAMESPACE_BYTES_MAX},
				 {name, WB_NAME_BYTES_MAX}};
	struct wb_key key = largest;
	struct wb_record record;
	struct wb_txn *txn;
	char value[8];

	memset(name, 'x', sizeof(name));
	memset(ns, 'y', sizeof(ns));
	txn = shelf_begin(&shelf);
	ck_ok(wb_txn_put(txn, &largest, text_of("1"), if_any));
	key.name.size++;
	ck_error(wb_txn_put(txn, &key, text_of("1"), if_any), WB_BAD_INPUT);
	key = largest;
	key.ns.size++;
	ck_error(wb_txn_put(txn, &key, text_of("1"), if_any), WB_BAD_INPUT);
	ck_ok(wb_txn_commit(txn, NULL));
	ck_ok(wb_get(shelf.store, &largest, value, 8, &record));
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_ok(wb_get(shelf.store, &largest, value, 8, &record));
	ck_assert_uint_eq(shelf_stat(&shelf).records, 1);
}
END_TEST

START_TEST(a_transaction_has_65536_mutations_at_most)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	char name[8];

	for (unsigned i = 0; i < WB_TXN_MUTATIONS_MAX; i++) {
		snprintf(name, sizeof(name), "%05x", i);
		ck_ok(txn_put(txn, name, ""));
	}
	ck_error(txn_put(txn, "one more", ""), WB_TOO_LARGE);
	ck_ok(wb_txn_commit(txn, NULL));
	ck_assert_uint_eq(shelf_stat(&shelf).records, WB_TXN_MUTATIONS_MAX);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).records, WB_TXN_MUTATIONS_MAX);
}
END_TEST

START_TEST(a_transaction_has_16_mib_at_most)
{
	size_t size = WB_TXN_BYTES_MAX;
	char *value = calloc(1, size + 1);
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_key a = named("a"), b = named("b");
	enum wb_error error;

	ck_assert_ptr_nonnull(value);
	/* The limit is that of the encoding: a value alone leaves no room for
	 * its key. */
	ck_error(wb_txn_put(txn, &a, (struct wb_bytes){value, size + 1},
			    if_any),
		 WB_TOO_LARGE);
	ck_error(wb_txn_put(txn, &a, (struct wb_bytes){value, size}, if_any),
		 WB_TOO_LARGE);
	do
		error = wb_txn_put(txn, &a, (struct wb_bytes){value, --size},
				   if_any);
	while (error == WB_TOO_LARGE);
	ck_ok(error);
	ck_assert_uint_gt(size, WB_TXN_BYTES_MAX - 64);
	ck_error(wb_txn_put(txn, &b, (struct wb_bytes){value, 8}, if_any),
		 WB_TOO_LARGE);
	ck_ok(wb_txn_commit(txn, NULL));
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).record_bytes, size + 4);
	free(value);
}
END_TEST

START_TEST(options_have_bounds)
{
	static const char long_text[WB_REASON_BYTES_MAX + 1];
	const struct wb_txn_options good = {
		.size = sizeof(good),
		.reason = {long_text, WB_REASON_BYTES_MAX},
		.operation_ns = {long_text, WB_NAMESPACE_BYTES_MAX},
		.operation_id = {long_text, WB_OPERATION_ID_BYTES_MAX},
	};
	struct wb_txn_options bad[4] = {good, good, good, good};
	struct wb_outcome replayed;
	struct wb_txn *txn = NULL;

	bad[0].reason.size++;
	bad[1].operation_ns.size++;
	bad[2].operation_id.size++;
	bad[3].size--;
	for (unsigned i = 0; i < 4; i++)
		ck_error(wb_txn_begin(shelf.store, &bad[i], &txn, &replayed),
			 i == 3 ? WB_USAGE : WB_BAD_INPUT);
	/* An id without a place for its outcome. */
	ck_error(wb_txn_begin(shelf.store, &good, &txn, NULL), WB_USAGE);
	ck_assert_ptr_null(txn);
	ck_ok(wb_txn_begin(shelf.store, &good, &txn, &replayed));
	ck_ok(txn_put(txn, "a", "1"));
	ck_ok(wb_txn_commit(txn, NULL));
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

/* Behind an older program's options lies an operation id, which would need a
 * place for its outcome. */
START_TEST(options_may_be_an_older_programs_or_a_newer_ones)
{
	struct {
		struct wb_txn_options known;
		uint64_t later;
	} options = {.known = {.reason = text_of("because"),
			       .operation_id = text_of("id")}};
	struct wb_outcome replayed;
	struct wb_txn *txn = NULL;

	options.known.size = offsetof(struct wb_txn_options, operation_ns);
	ck_ok(wb_txn_begin(shelf.store, &options.known, &txn, NULL));
	ck_ok(wb_txn_abort(txn));
	options.known.size = sizeof(options.known);
	ck_error(wb_txn_begin(shelf.store, &options.known, &txn, NULL),
		 WB_USAGE);
	options.known.size = sizeof(options);
	ck_ok(wb_txn_begin(shelf.store, &options.known, &txn, &replayed));
	ck_ok(wb_txn_abort(txn));
	txn = NULL;
	options.later = 1;
	ck_error(wb_txn_begin(shelf.store, &options.known, &txn, &replayed),
		 WB_UNSUPPORTED);
	ck_assert_ptr_null(txn);
}
END_TEST

/* ---- preconditions ---- */

/* Revisions of the keys in the table below. */
enum { DURABLE = 1, DELETED = 3, STAGED = 4, STAGED_OVER = 6 };

static void make_keys(void)
{
	ck_assert_uint_eq(shelf_put(&shelf, "durable", "1"), DURABLE);
	shelf_put(&shelf, "deleted", "1");
	ck_assert_uint_eq(shelf_delete(&shelf, "deleted"), DELETED);
	ck_assert_uint_eq(stage_put(&shelf, "staged", "1").revision, STAGED);
	stage_put(&shelf, "staged over", "1");
	ck_assert_uint_eq(stage_put(&shelf, "staged over", "2").revision,
			  STAGED_OVER);
	stage_put(&shelf, "staged away", "1");
	stage_delete(&shelf, "staged away");
}

static const struct {
	const char *name;
	enum wb_precondition_kind kind;
	uint64_t revision;
	bool holds;
} preconditions[] = {
	{"never", WB_IF_ANY, 0, true},
	{"never", WB_IF_ABSENT, 0, true},
	{"never", WB_IF_PRESENT, 0, false},
	{"never", WB_IF_REVISION, 1, false},
	{"durable", WB_IF_ANY, 0, true},
	{"durable", WB_IF_ABSENT, 0, false},
	{"durable", WB_IF_PRESENT, 0, true},
	{"durable", WB_IF_REVISION, DURABLE, true},
	{"durable", WB_IF_REVISION, DURABLE + 1, false},
	{"deleted", WB_IF_ABSENT, 0, true},
	{"deleted", WB_IF_PRESENT, 0, false},
	{"deleted", WB_IF_REVISION, DELETED, false},
	{"staged", WB_IF_ABSENT, 0, false},
	{"staged", WB_IF_PRESENT, 0, true},
	{"staged", WB_IF_REVISION, STAGED, true},
	{"staged", WB_IF_REVISION, STAGED - 1, false},
	{"staged over", WB_IF_REVISION, STAGED_OVER, true},
	{"staged over", WB_IF_REVISION, STAGED_OVER - 1, false},
	{"staged away", WB_IF_ANY, 0, true},
	{"staged away", WB_IF_ABSENT, 0, true},
	{"staged away", WB_IF_PRESENT, 0, false},
};

static bool is_there(const char *name)
{
	return strcmp(name, "durable") == 0 || strcmp(name, "staged") == 0 ||
	       strcmp(name, "staged over") == 0;
}

START_TEST(a_put_keeps_to_its_precondition)
{
	const char *name = preconditions[_i].name;
	enum wb_error expected =
		preconditions[_i].holds ? WB_OK : WB_PRECONDITION;
	struct wb_txn *txn;

	make_keys();
	txn = shelf_begin(&shelf);
	ck_error(put_if(txn, name, preconditions[_i].kind,
			preconditions[_i].revision),
		 expected);
	ck_error(wb_txn_commit(txn, NULL), expected);
	ck_assert_int_eq(strcmp(shelf_text(&shelf, name), "new") == 0,
			 preconditions[_i].holds);
}
END_TEST

START_TEST(a_delete_keeps_to_its_precondition)
{
	const char *name = preconditions[_i].name;
	bool holds = preconditions[_i].holds;
	struct wb_txn *txn;

	make_keys();
	txn = shelf_begin(&shelf);
	ck_error(delete_if(txn, name, preconditions[_i].kind,
			   preconditions[_i].revision),
		 !holds		  ? WB_PRECONDITION
		 : is_there(name) ? WB_OK
				  : WB_NOT_FOUND);
	ck_error(wb_txn_commit(txn, NULL), holds ? WB_OK : WB_PRECONDITION);
	ck_assert_int_eq(shelf_text(&shelf, name)[0] != 0,
			 is_there(name) && !holds);
}
END_TEST

START_TEST(a_failed_precondition_aborts_all_and_tells_the_current_record)
{
	struct wb_key key = named("a");
	struct wb_record record;
	struct wb_txn *txn;
	char value[8] = "";

	shelf_put(&shelf, "a", "one");
	stage_put(&shelf, "a", "two");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "before", "1"));
	ck_error(put_if(txn, "a", WB_IF_REVISION, 1), WB_PRECONDITION);
	ck_ok(wb_txn_get(txn, &key, value, sizeof(value), &record));
	ck_assert_uint_eq(record.revision, 2);
	ck_assert_mem_eq(value, "two", 3);
	/* From here on it can only be aborted. */
	ck_error(txn_put(txn, "after", "1"), WB_PRECONDITION);
	ck_error(txn_delete(txn, "a"), WB_PRECONDITION);
	ck_error(wb_txn_commit(txn, NULL), WB_PRECONDITION);
	ck_text(shelf_listing(&shelf), "a=two");
	ck_assert_uint_eq(shelf_put(&shelf, "b", "1"), 3);
}
END_TEST

static enum wb_error ignore_failure(void *context, struct wb_txn *txn)
{
	(void)context;
	ck_error(put_if(txn, "a", WB_IF_PRESENT, 0), WB_PRECONDITION);
	return WB_OK;
}

START_TEST(a_callback_cannot_overlook_a_failed_precondition)
{
	ck_error(wb_update(shelf.store, NULL, ignore_failure, NULL, NULL),
		 WB_PRECONDITION);
	ck_text(shelf_listing(&shelf), "");
}
END_TEST

START_TEST(an_unknown_precondition_is_refused)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_error(put_if(txn, "a", (enum wb_precondition_kind)4, 0), WB_USAGE);
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("txn");
	TCase *tcase = tcase_create("txn");
	int count = sizeof(preconditions) / sizeof(*preconditions);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_update_sees_what_it_did_itself);
	tcase_add_test(tcase,
		       an_update_sees_what_is_staged_and_a_view_does_not);
	tcase_add_test(tcase,
		       a_listing_keeps_to_prefix_and_after_in_every_layer);
	tcase_add_test(tcase,
		       every_record_of_a_commit_has_its_time_and_revision);
	tcase_add_test(tcase, a_small_buffer_is_told_how_much_is_needed);
	tcase_add_test(tcase, an_error_from_the_callback_aborts);
	tcase_add_test(tcase, what_was_aborted_never_was);
	tcase_add_test(tcase, an_empty_transaction_is_no_commit);
	tcase_add_test(tcase, a_read_only_store_takes_no_update);
	tcase_add_test(tcase, a_key_may_be_changed_once_in_a_transaction);
	tcase_add_test(tcase, deleting_what_is_not_there_is_said_and_harmless);
	tcase_add_loop_test(tcase, keys_have_bounds, 0,
			    sizeof(keys) / sizeof(*keys));
	tcase_add_test(tcase, waybills_own_kinds_are_for_its_own_parts);
	tcase_add_test(tcase, names_and_namespaces_end_at_their_limits);
	tcase_add_test(tcase, a_transaction_has_65536_mutations_at_most);
	tcase_add_test(tcase, a_transaction_has_16_mib_at_most);
	tcase_add_test(tcase, options_have_bounds);
	tcase_add_test(tcase, options_may_be_an_older_programs_or_a_newer_ones);
	tcase_add_loop_test(tcase, a_put_keeps_to_its_precondition, 0, count);
	tcase_add_loop_test(tcase, a_delete_keeps_to_its_precondition, 0,
			    count);
	tcase_add_test(
		tcase,
		a_failed_precondition_aborts_all_and_tells_the_current_record);
	tcase_add_test(tcase, a_callback_cannot_overlook_a_failed_precondition);
	tcase_add_test(tcase, an_unknown_precondition_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
