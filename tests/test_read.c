/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading from memory that rots: the wrong bit is named, never served, and
 * nothing is committed on the strength of it.
 */
#include "store/state.h"

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

static struct record *staged_record(const char *name)
{
	struct wb_key key = named(name);
	struct record *record;
	struct key encoded;

	ck_ok(key_encode(&key, &encoded));
	pthread_mutex_lock(&shelf.store->staged);
	record = overlay_find(shelf.store,
			      index_hash(shelf.store->index, encoded.bytes,
					 encoded.size),
			      &encoded);
	pthread_mutex_unlock(&shelf.store->staged);
	ck_assert_ptr_nonnull(record);
	return record;
}

/* The one record of a key: staged, then the index's, then an old version. */
static struct record *stage_record(const char *name, const char *value)
{
	stage_put(&shelf, name, value);
	return staged_record(name);
}

static struct record *put_record(const char *name, const char *value)
{
	struct record *record = stage_record(name, value);

	ck_ok(store_flush(shelf.store));
	return record;
}

static void flip(struct record *record, size_t bit)
{
	((uint8_t *)record)[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static enum wb_error get(const char *name, struct wb_view *view,
			 struct wb_txn *txn)
{
	struct wb_key key = named(name);
	struct wb_record record;
	char value[64];

	if (view)
		return wb_view_get(view, &key, value, sizeof(value), &record);
	if (txn)
		return wb_txn_get(txn, &key, value, sizeof(value), &record);
	return wb_get(shelf.store, &key, value, sizeof(value), &record);
}

static bool count_one(void *context, const struct wb_record *record)
{
	(void)record;
	++*(size_t *)context;
	return true;
}

static enum wb_error list(struct wb_view *view, struct wb_txn *txn)
{
	struct wb_bytes none = {NULL, 0};
	size_t count = 0;

	return view ? wb_view_list(view, 64, text_of("n"), none, none,
				   count_one, &count)
		    : wb_txn_list(txn, 64, text_of("n"), none, none, count_one,
				  &count);
}

/* Whatever bit it is; and what was said names the victim. */
static void check_named(const char *name)
{
	char part[32];

	snprintf(part, sizeof(part), "namespace 'n', name '%s'", name);
	ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE, part));
	simenv_forget(&shelf.env);
}

START_TEST(a_flipped_bit_is_corrupt_to_every_reader_and_named)
{
	struct record *record;
	struct wb_view *view;
	struct wb_txn *txn;
	size_t bits;

	shelf_put(&shelf, "before", "1");
	record = put_record("rotten", "some value");
	shelf_put(&shelf, "then", "1");
	bits = 8 * record_size(record);
	ck_ok(wb_view_begin(shelf.store, &view));
	txn = shelf_begin(&shelf);
	for (size_t bit = 0; bit < bits; bit++) {
		flip(record, bit);
		ck_error(get("rotten", NULL, NULL), WB_CORRUPT);
		check_named("rotten");
		ck_error(get("rotten", view, NULL), WB_CORRUPT);
		check_named("rotten");
		ck_error(get("rotten", NULL, txn), WB_CORRUPT);
		check_named("rotten");
		ck_ok(get("before", NULL, NULL));
		ck_ok(get("then", view, NULL));
		flip(record, bit);
	}
	ck_ok(get("rotten", NULL, NULL));
	wb_view_end(view);
	ck_ok(wb_txn_abort(txn));
}
END_TEST

START_TEST(a_listing_across_damage_fails)
{
	struct record *record;
	struct wb_view *view;
	struct wb_txn *txn;
	size_t bits;

	shelf_put(&shelf, "a", "1");
	record = put_record("b", "some value");
	shelf_put(&shelf, "c", "1");
	bits = 8 * record_size(record);
	ck_ok(wb_view_begin(shelf.store, &view));
	txn = shelf_begin(&shelf);
	for (size_t bit = 0; bit < bits; bit++) {
		flip(record, bit);
		ck_error(list(view, NULL), WB_CORRUPT);
		ck_assert_uint_gt(simenv_count(&shelf.env, DIAG_DAMAGE), 0);
		simenv_forget(&shelf.env);
		ck_error(list(NULL, txn), WB_CORRUPT);
		ck_assert_uint_gt(simenv_count(&shelf.env, DIAG_DAMAGE), 0);
		simenv_forget(&shelf.env);
		flip(record, bit);
	}
	ck_ok(list(view, NULL));
	ck_ok(list(NULL, txn));
	wb_view_end(view);
	ck_ok(wb_txn_abort(txn));
}
END_TEST

START_TEST(an_old_version_rots_no_better)
{
	struct record *record;
	struct wb_view *view;
	size_t bits;

	shelf_put(&shelf, "a", "1");
	record = put_record("b", "old");
	ck_ok(wb_view_begin(shelf.store, &view));
	shelf_put(&shelf, "b", "new");
	bits = 8 * record_size(record);
	for (size_t bit = 0; bit < bits; bit++) {
		flip(record, bit);
		ck_error(get("b", view, NULL), WB_CORRUPT);
		check_named("b");
		ck_error(list(view, NULL), WB_CORRUPT);
		ck_assert_uint_gt(simenv_count(&shelf.env, DIAG_DAMAGE), 0);
		simenv_forget(&shelf.env);
		ck_text(shelf_text(&shelf, "b"), "new");
		flip(record, bit);
	}
	ck_text(view_listing(view, "", ""), "a=1 b=old");
	wb_view_end(view);
}
END_TEST

static void check_update_sees(struct record *record, struct wb_txn *txn)
{
	size_t bits = 8 * record_size(record);

	for (size_t bit = 0; bit < bits; bit++) {
		flip(record, bit);
		ck_error(get("b", NULL, txn), WB_CORRUPT);
		check_named("b");
		ck_error(list(NULL, txn), WB_CORRUPT);
		ck_assert_uint_gt(simenv_count(&shelf.env, DIAG_DAMAGE), 0);
		simenv_forget(&shelf.env);
		flip(record, bit);
	}
}

/* Neither it nor the version in the index that it stands in front of. */
START_TEST(a_staged_record_is_verified_before_an_update_sees_it)
{
	struct record *record;
	struct wb_txn *txn;

	shelf_put(&shelf, "b", "durable");
	record = stage_record("b", "staged");
	txn = shelf_begin(&shelf);
	check_update_sees(record, txn);
	ck_text(txn_listing(txn, "", ""), "b=staged");
	ck_ok(wb_txn_abort(txn));
}
END_TEST

static struct record *own_record(struct wb_txn *txn)
{
	ck_assert_uint_gt(txn->count, 0);
	return txn->records[txn->count - 1];
}

START_TEST(so_is_what_it_changed_itself)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "b", "durable");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "b", "own"));
	check_update_sees(own_record(txn), txn);
	ck_text(txn_listing(txn, "", ""), "b=own");
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "b=own");
}
END_TEST

/* ---- and nothing is made of it ---- */

/* What holds for a key of revision 1, and what does not. */
static const struct wb_precondition conditions[] = {
	{WB_IF_ANY, 0},	     {WB_IF_ABSENT, 0},	  {WB_IF_PRESENT, 0},
	{WB_IF_REVISION, 1}, {WB_IF_REVISION, 2}, {WB_IF_REVISION, 65},
};

static void check_refused(const char *name, bool deleted,
			  struct wb_precondition condition)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_key key = named(name);

	ck_ok(txn_put(txn, "innocent", "1"));
	ck_error(deleted ? wb_txn_delete(txn, &key, condition)
			 : wb_txn_put(txn, &key, text_of("new"), condition),
		 WB_CORRUPT);
	check_named(name);
	/* From here on it can only be aborted. */
	ck_error(txn_put(txn, "another", "1"), WB_CORRUPT);
	ck_error(wb_txn_commit(txn, NULL), WB_CORRUPT);
}

/* Every bit of it, whatever is asked. */
static void check_all_refused(struct record *record, const char *name)
{
	size_t count = sizeof(conditions) / sizeof(*conditions);

	for (size_t bit = 0; bit < 8 * record_size(record); bit++) {
		flip(record, bit);
		for (size_t i = 0; i < 2 * count; i++)
			check_refused(name, i % 2, conditions[i / 2]);
		flip(record, bit);
	}
}

START_TEST(a_damaged_key_is_neither_changed_nor_denied)
{
	struct record *record = put_record("rotten", "some value");

	check_all_refused(record, "rotten");
	ck_text(shelf_listing(&shelf), "rotten=some value");
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 1);
	/* Only as long as it is damaged. */
	ck_assert_uint_eq(shelf_put(&shelf, "rotten", "new"), 2);
}
END_TEST

START_TEST(a_damaged_key_that_is_staged_is_no_better)
{
	struct record *record;

	shelf_put(&shelf, "rotten", "durable");
	record = stage_record("rotten", "staged");
	check_all_refused(record, "rotten");
	ck_ok(store_flush(shelf.store));
	ck_text(shelf_listing(&shelf), "rotten=staged");
	ck_assert_uint_eq(shelf_put(&shelf, "rotten", "new"), 3);
}
END_TEST

START_TEST(a_damaged_key_that_is_staged_may_have_changed)
{
	struct wb_key key = named("rotten");
	struct record *record;
	struct wb_txn *txn;

	shelf_put(&shelf, "rotten", "durable");
	record = stage_record("rotten", "staged");
	txn = shelf_begin(&shelf);
	for (size_t bit = 0; bit < 8 * record_size(record); bit++) {
		flip(record, bit);
		ck_assert(store_changed_after(txn, &key, 1));
		flip(record, bit);
	}
	ck_assert(!store_changed_after(txn, &key, 2));
	ck_ok(wb_txn_abort(txn));
}
END_TEST

/* Neither twice in one commit, nor under another name than the log has. */
START_TEST(a_change_that_was_damaged_is_not_committed)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	size_t bit, bits;

	ck_ok(txn_put(txn, "rotten", "own"));
	bits = 8 * record_size(own_record(txn));
	ck_ok(wb_txn_abort(txn));
	for (bit = 0; bit < bits; bit++) {
		txn = shelf_begin(&shelf);
		ck_ok(txn_put(txn, "innocent", "1"));
		ck_ok(txn_put(txn, "rotten", "own"));
		flip(own_record(txn), bit);
		if (bit % 2) {
			ck_error(txn_put(txn, "rotten", "again"), WB_CORRUPT);
			check_named("rotten");
		}
		ck_error(wb_txn_commit(txn, NULL), WB_CORRUPT);
		ck_assert(bit % 2 || simenv_said(&shelf.env, DIAG_DAMAGE,
						 "not committed"));
		simenv_forget(&shelf.env);
	}
	ck_text(shelf_listing(&shelf), "");
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 0);
}
END_TEST

/* ---- what is durable is published, whatever became of memory ---- */

static void start_over(void)
{
	shelf_release(&shelf);
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

/* The log is the truth, and the next open tells it. */
static void check_reopened(const char *listing)
{
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), listing);
}

static const struct {
	bool existed, deleted;
} changes[] = {{false, false}, {true, false}, {true, true}};

/* Never the version before, which was the newest one until now. */
static void check_lost_until_reopened(bool existed, bool deleted)
{
	struct wb_view *view;

	ck_error(get("rotten", NULL, NULL), WB_CORRUPT);
	check_named("rotten");
	check_refused("rotten", false, if_any);
	check_refused("rotten", true, if_any);
	ck_ok(wb_view_begin(shelf.store, &view));
	ck_error(get("rotten", view, NULL), WB_CORRUPT);
	ck_error(list(view, NULL), WB_CORRUPT);
	wb_view_end(view);
	ck_text(shelf_text(&shelf, "then"), "1");
	ck_assert_uint_eq(shelf_put(&shelf, "later", "1"), 3 + existed);
	check_reopened(deleted ? "later=1 then=1"
			       : "later=1 rotten=new then=1");
}

START_TEST(what_rots_on_its_way_to_the_index_is_corrupt_there)
{
	bool existed = changes[_i].existed, deleted = changes[_i].deleted;
	size_t bits = 1;

	for (size_t bit = 0; bit < bits; bit++) {
		struct record *record;

		start_over();
		shelf_put(&shelf, "then", "1");
		if (existed)
			shelf_put(&shelf, "rotten", "old");
		/* With and without a name order. */
		if (bit % 2)
			(void)shelf_listing(&shelf);
		if (deleted)
			stage_delete(&shelf, "rotten");
		else
			stage_put(&shelf, "rotten", "new");
		record = staged_record("rotten");
		bits = 8 * record_size(record);
		flip(record, bit);
		ck_ok(store_flush(shelf.store));
		ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE,
				      "until the next open"));
		simenv_forget(&shelf.env);
		check_lost_until_reopened(existed, deleted);
	}
}
END_TEST

static bool check_previous(void *context, const struct wb_version *version)
{
	uint64_t *revision = context;

	ck_assert_uint_eq(version->record.revision, *revision);
	*revision = version->previous_revision;
	return true;
}

START_TEST(what_rots_before_it_is_replaced_is_gone)
{
	bool deleted = _i;
	const char *listing = deleted ? "then=1" : "rotten=new then=1";
	struct wb_key key = named("rotten");
	uint64_t revision;
	size_t bits = 1;

	for (size_t bit = 0; bit < bits; bit++) {
		struct record *record;

		start_over();
		shelf_put(&shelf, "then", "1");
		record = put_record("rotten", "old");
		bits = 8 * record_size(record);
		if (bit % 2)
			(void)shelf_listing(&shelf);
		if (deleted)
			stage_delete(&shelf, "rotten");
		else
			stage_put(&shelf, "rotten", "new");
		flip(record, bit);
		ck_ok(store_flush(shelf.store));
		ck_text(shelf_text(&shelf, "rotten"), deleted ? "" : "new");
		ck_text(shelf_listing(&shelf), listing);
		ck_assert_uint_eq(shelf_stat(&shelf).records, 2 - deleted);
		revision = 3;
		ck_ok(wb_history(shelf.store, &key, 0, 0, check_previous,
				 &revision));
		ck_assert_uint_eq(revision, 0);
		check_reopened(listing);
	}
}
END_TEST

/* It was there when the view began, so it is not "not found". */
START_TEST(what_rots_before_it_is_replaced_gives_views_up)
{
	size_t bits = 1;

	for (size_t bit = 0; bit < bits; bit++) {
		struct wb_view *view, *after;
		struct record *record;

		start_over();
		shelf_put(&shelf, "then", "1");
		record = put_record("rotten", "old");
		bits = 8 * record_size(record);
		ck_ok(wb_view_begin(shelf.store, &view));
		if (bit % 2)
			stage_delete(&shelf, "rotten");
		else
			stage_put(&shelf, "rotten", "new");
		flip(record, bit);
		ck_error(get("rotten", view, NULL), WB_CORRUPT);
		simenv_forget(&shelf.env);
		ck_ok(store_flush(shelf.store));
		ck_error(get("rotten", view, NULL), WB_SNAPSHOT_TOO_OLD);
		ck_error(list(view, NULL), WB_SNAPSHOT_TOO_OLD);
		ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE,
				      "open views are given up"));
		ck_ok(wb_view_begin(shelf.store, &after));
		ck_text(view_listing(after, "", ""),
			bit % 2 ? "then=1" : "rotten=new then=1");
		wb_view_end(after);
		wb_view_end(view);
		ck_assert_uint_eq(shelf_stat(&shelf).pinned_bytes, 0);
	}
}
END_TEST

/* Freeing by a wrong size would give out memory that others use. */
START_TEST(what_replaces_a_record_of_damaged_size_harms_nobody)
{
	static const size_t bits[] = {
		8 * offsetof(struct record, value_bytes) + 6,
		8 * offsetof(struct record, key_bytes) + 5,
		8 * offsetof(struct record, size_check),
	};
	char name[8];

	for (unsigned i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		struct record *record = put_record("rotten", "old");

		stage_put(&shelf, "rotten", "new");
		flip(record, bits[i]);
		for (unsigned at = 0; at < 100; at++) {
			snprintf(name, sizeof(name), "%u", at);
			shelf_put(&shelf, name, "a value of some bytes");
		}
		for (unsigned at = 0; at < 100; at++) {
			snprintf(name, sizeof(name), "%u", at);
			ck_text(shelf_text(&shelf, name),
				"a value of some bytes");
		}
		ck_text(shelf_text(&shelf, "rotten"), "new");
	}
}
END_TEST

START_TEST(a_report_is_one_line_whatever_the_name)
{
	struct record *record = put_record("\n\x1b[31m\xff", "1");

	flip(record, 8 * record_size(record) - 1);
	ck_error(get("\n\x1b[31m\xff", NULL, NULL), WB_CORRUPT);
	ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE, "name '??[31m?'"));
}
END_TEST

START_TEST(a_get_is_one_copy_and_says_what_it_is)
{
	struct wb_key key = named("a");
	struct wb_record record = {.revision = 77};
	char value[8] = "xxxxxxx";

	ck_error(wb_get(shelf.store, &key, value, 8, &record), WB_NOT_FOUND);
	ck_assert_uint_eq(record.revision, 77);
	simenv_set_wall(&shelf.env, 5);
	shelf_put(&shelf, "a", "123");
	ck_ok(wb_get(shelf.store, &key, value, 8, &record));
	ck_assert_ptr_eq(record.value.data, value);
	ck_assert_uint_eq(record.value.size, 3);
	ck_assert_ptr_eq(record.key.name.data, key.name.data);
	ck_assert_uint_eq(record.revision, 1);
	ck_assert_int_eq(record.time_ns, 5);
	ck_assert_mem_eq(value, "123xxxx", 8);
	shelf_put(&shelf, "a", "");
	ck_ok(wb_get(shelf.store, &key, NULL, 0, &record));
	ck_assert_uint_eq(record.value.size, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("read");
	TCase *tcase = tcase_create("read");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase,
		       a_flipped_bit_is_corrupt_to_every_reader_and_named);
	tcase_add_test(tcase, a_listing_across_damage_fails);
	tcase_add_test(tcase, an_old_version_rots_no_better);
	tcase_add_test(tcase,
		       a_staged_record_is_verified_before_an_update_sees_it);
	tcase_add_test(tcase, so_is_what_it_changed_itself);
	tcase_add_test(tcase, a_damaged_key_is_neither_changed_nor_denied);
	tcase_add_test(tcase, a_damaged_key_that_is_staged_is_no_better);
	tcase_add_test(tcase, a_damaged_key_that_is_staged_may_have_changed);
	tcase_add_test(tcase, a_change_that_was_damaged_is_not_committed);
	tcase_add_loop_test(tcase,
			    what_rots_on_its_way_to_the_index_is_corrupt_there,
			    0, sizeof(changes) / sizeof(*changes));
	tcase_add_loop_test(tcase, what_rots_before_it_is_replaced_is_gone, 0,
			    2);
	tcase_add_test(tcase, what_rots_before_it_is_replaced_gives_views_up);
	tcase_add_test(tcase,
		       what_replaces_a_record_of_damaged_size_harms_nobody);
	tcase_add_test(tcase, a_report_is_one_line_whatever_the_name);
	tcase_add_test(tcase, a_get_is_one_copy_and_says_what_it_is);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
