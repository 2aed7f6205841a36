/* SPDX-License-Identifier: Apache-2.0
 *
 * A view is the durable state at one revision, whatever happens meanwhile;
 * or it says that it is too old.
 */
#include "store/state.h"

#include "tests/support/rng.h"
#include "tests/support/shelf.h"

#include <inttypes.h>
#include <pthread.h>

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

static struct wb_view *begin_view(void)
{
	struct wb_view *view = NULL;

	ck_ok(wb_view_begin(shelf.store, &view));
	return view;
}

static enum wb_error get_from(struct wb_view *view, const char *name)
{
	struct wb_key key = named(name);
	struct wb_record record;
	char value[64];

	return wb_view_get(view, &key, value, sizeof(value), &record);
}

/* ---- against Updates ---- */

static enum wb_error see_old(void *context, struct wb_view *view)
{
	ck_text(view_text(view, "a"), "old");
	ck_text(view_text(view, "b"), "");
	ck_text(view_listing(view, "", ""), "a=old");
	ck_assert_uint_eq(wb_view_revision(view), 1);
	*(bool *)context = true;
	return WB_CANCELLED;
}

static enum wb_error look_while_changing(void *context, struct wb_txn *txn)
{
	ck_ok(txn_put(txn, "a", "new"));
	ck_ok(txn_put(txn, "b", "new"));
	/* It returns what its callback returns. */
	ck_error(wb_view(shelf.store, see_old, context), WB_CANCELLED);
	return WB_OK;
}

START_TEST(a_view_inside_a_running_update_sees_the_old_state)
{
	bool looked = false;

	shelf_put(&shelf, "a", "old");
	ck_ok(wb_update(shelf.store, NULL, look_while_changing, &looked, NULL));
	ck_assert(looked);
	ck_text(shelf_listing(&shelf), "a=new b=new");
}
END_TEST

START_TEST(a_view_sees_what_is_durable_and_nothing_that_is_staged)
{
	struct wb_view *before, *between, *after;

	shelf_put(&shelf, "a", "1");
	before = begin_view();
	stage_put(&shelf, "a", "2");
	stage_put(&shelf, "b", "2");
	between = begin_view();
	ck_ok(store_flush(shelf.store));
	after = begin_view();
	ck_assert_uint_eq(wb_view_revision(before), 1);
	ck_assert_uint_eq(wb_view_revision(between), 1);
	ck_assert_uint_eq(wb_view_revision(after), 3);
	ck_text(view_listing(before, "", ""), "a=1");
	ck_text(view_listing(between, "", ""), "a=1");
	ck_text(view_listing(after, "", ""), "a=2 b=2");
	wb_view_end(between);
	ck_text(view_text(before, "a"), "1");
	ck_text(view_text(before, "b"), "");
	wb_view_end(before);
	ck_text(view_text(after, "a"), "2");
	wb_view_end(after);
	wb_view_end(NULL);
}
END_TEST

START_TEST(each_view_has_its_own_state)
{
	struct wb_view *views[5];

	views[0] = begin_view();
	shelf_put(&shelf, "a", "1");
	views[1] = begin_view();
	shelf_put(&shelf, "a", "2");
	views[2] = begin_view();
	shelf_delete(&shelf, "a");
	views[3] = begin_view();
	shelf_put(&shelf, "a", "4");
	views[4] = begin_view();
	for (unsigned round = 0; round < 2; round++) {
		ck_text(view_listing(views[0], "", ""), "");
		ck_text(view_listing(views[1], "", ""), "a=1");
		ck_text(view_listing(views[2], "", ""), "a=2");
		ck_text(view_listing(views[3], "", ""), "");
		ck_text(view_listing(views[4], "", ""), "a=4");
		ck_text(view_text(views[0], "a"), "");
		ck_text(view_text(views[1], "a"), "1");
		ck_text(view_text(views[2], "a"), "2");
		ck_text(view_text(views[3], "a"), "");
		ck_text(view_text(views[4], "a"), "4");
		shelf_put(&shelf, "a", "newer");
	}
	/* They end in any order, and the rest stays. */
	wb_view_end(views[2]);
	wb_view_end(views[0]);
	ck_text(view_text(views[1], "a"), "1");
	wb_view_end(views[1]);
	wb_view_end(views[4]);
	ck_text(view_text(views[3], "a"), "");
	wb_view_end(views[3]);
	ck_assert_uint_eq(shelf_stat(&shelf).pinned_bytes, 0);
}
END_TEST

START_TEST(a_small_buffer_is_told_how_much_an_old_version_needs)
{
	struct wb_key key = named("a");
	struct wb_record record;
	struct wb_view *view;
	char value[4];

	shelf_put(&shelf, "a", "12345");
	view = begin_view();
	shelf_put(&shelf, "a", "1");
	ck_error(wb_view_get(view, &key, value, 4, &record), WB_BUFFER);
	ck_assert_uint_eq(record.value.size, 5);
	ck_assert_uint_eq(record.revision, 1);
	wb_view_end(view);
}
END_TEST

START_TEST(a_listing_asks_for_what_can_be)
{
	struct wb_view *view = begin_view();
	static const char big[WB_NAME_BYTES_MAX + 1];
	struct wb_bytes none = {NULL, 0};
	struct wb_bytes long_one = {big, sizeof(big)};
	struct wb_bytes ns = {"n\0n", 3};

	ck_error(wb_view_list(view, 0, none, none, none, NULL, NULL),
		 WB_BAD_INPUT);
	ck_error(wb_view_list(view, 256, none, none, none, NULL, NULL),
		 WB_BAD_INPUT);
	ck_error(wb_view_list(view, 1, none, long_one, none, NULL, NULL),
		 WB_BAD_INPUT);
	ck_error(wb_view_list(view, 1, none, none, long_one, NULL, NULL),
		 WB_BAD_INPUT);
	ck_error(wb_view_list(view, 1, ns, none, none, NULL, NULL),
		 WB_BAD_INPUT);
	ck_error(wb_view_list(view, 1, long_one, none, none, NULL, NULL),
		 WB_BAD_INPUT);
	ck_error(wb_view_namespaces(view, 0, NULL, NULL), WB_BAD_INPUT);
	ck_error(wb_view_namespaces(view, 256, NULL, NULL), WB_BAD_INPUT);
	ck_ok(wb_view_list(view, 255, none, none, none, NULL, NULL));
	wb_view_end(view);
}
END_TEST

/* ---- for long ---- */

enum { KEYS = 300, VALUE_BYTES = 900 };

/* What a view saw when it began: a listing has several batches. */
struct sight {
	char name[KEYS][8];
	uint64_t revision[KEYS];
	size_t count;
};

static const char *key_name(unsigned number)
{
	static char names[4][12];
	static unsigned next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof(names[0]), "%03u", number);
	return name;
}

static bool see(void *context, const struct wb_record *record)
{
	struct sight *seen = context;

	ck_assert_uint_lt(seen->count, KEYS);
	ck_assert_uint_lt(record->key.name.size, sizeof(seen->name[0]));
	memcpy(seen->name[seen->count], record->key.name.data,
	       record->key.name.size);
	seen->revision[seen->count++] = record->revision;
	/* The value tells its revision, all over. */
	for (size_t at = 0; at + 8 <= record->value.size; at += 8)
		ck_assert_mem_eq((const char *)record->value.data + at,
				 &record->revision, 8);
	return true;
}

static struct sight look(struct wb_view *view, const char *prefix,
			 const char *after)
{
	struct sight seen = {.count = 0};

	ck_ok(wb_view_list(view, WB_KIND_EMBEDDER_FIRST, text_of("n"),
			   text_of(prefix), text_of(after), see, &seen));
	return seen;
}

static void change_some(struct rng *rng)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	uint64_t revision = txn->revision, value[VALUE_BYTES / 8];
	unsigned changes = 1 + (unsigned)rng_below(rng, 5);

	for (unsigned at = 0; at < VALUE_BYTES / 8; at++)
		value[at] = revision;
	while (changes--) {
		struct wb_key key =
			named(key_name((unsigned)rng_below(rng, KEYS)));
		size_t size = 8 * (size_t)rng_below(rng, VALUE_BYTES / 8);
		enum wb_error error =
			rng_chance(rng, 1, 3)
				? wb_txn_delete(txn, &key, if_any)
				: wb_txn_put(txn, &key,
					     (struct wb_bytes){value, size},
					     if_any);

		ck_assert(!error || error == WB_NOT_FOUND || error == WB_USAGE);
	}
	ck_ok(wb_txn_commit(txn, NULL));
}

static void check_part(struct wb_view *view, const struct sight *whole,
		       const char *prefix, const char *after)
{
	struct sight part = look(view, prefix, after);
	size_t at = 0;

	for (size_t i = 0; i < whole->count; i++) {
		if (strncmp(whole->name[i], prefix, strlen(prefix)) != 0 ||
		    strcmp(whole->name[i], after) <= 0)
			continue;
		ck_assert_uint_lt(at, part.count);
		ck_assert_str_eq(part.name[at], whole->name[i]);
		ck_assert_uint_eq(part.revision[at], whole->revision[i]);
		at++;
	}
	ck_assert_uint_eq(at, part.count);
}

static void check_unchanged(struct wb_view *view, const struct sight *whole)
{
	struct sight now = look(view, "", "");
	size_t next = 0;

	ck_assert_mem_eq(&now, whole, sizeof(now));
	for (unsigned number = 0; number < KEYS; number++) {
		struct wb_key key = named(key_name(number));
		uint64_t value[VALUE_BYTES / 8];
		struct wb_record record;
		enum wb_error error =
			wb_view_get(view, &key, value, sizeof(value), &record);

		if (next < whole->count &&
		    strcmp(whole->name[next], key.name.data) == 0) {
			ck_ok(error);
			ck_assert_uint_eq(record.revision,
					  whole->revision[next++]);
		} else {
			ck_error(error, WB_NOT_FOUND);
		}
	}
	check_part(view, whole, "1", "");
	check_part(view, whole, "", "0777");
	check_part(view, whole, "12", "123");
	check_part(view, whole, "2", "1");
}

START_TEST(a_view_held_across_1000_commits_is_unchanged)
{
	struct rng rng = rng_of((uint64_t)_i);
	struct sight at_first, at_half;
	struct wb_view *first, *half;

	for (unsigned i = 0; i < 200; i++)
		change_some(&rng);
	first = begin_view();
	at_first = look(first, "", "");
	ck_assert_uint_gt(at_first.count, 50);
	for (unsigned i = 0; i < 500; i++)
		change_some(&rng);
	half = begin_view();
	at_half = look(half, "", "");
	for (unsigned i = 0; i < 500; i++) {
		change_some(&rng);
		if (i % 100 == 0)
			check_unchanged(first, &at_first);
	}
	check_unchanged(first, &at_first);
	check_unchanged(half, &at_half);
	wb_view_end(first);
	check_unchanged(half, &at_half);
	wb_view_end(half);
}
END_TEST

START_TEST(what_views_pinned_is_freed_when_they_end)
{
	struct heap *heap = shelf.store->heap;
	struct rng rng = rng_of(7);
	struct wb_view *views[20];
	uint64_t pinned;

	for (unsigned i = 0; i < 20; i++) {
		change_some(&rng);
		views[i] = begin_view();
		change_some(&rng);
	}
	ck_assert_uint_eq(shelf_stat(&shelf).views, 20);
	pinned = shelf_stat(&shelf).pinned_bytes;
	ck_assert_uint_gt(pinned, 0);
	for (unsigned i = 0; i < 20; i++)
		wb_view_end(views[(7 * i + 3) % 20]);
	ck_assert_uint_eq(shelf_stat(&shelf).views, 0);
	ck_assert_uint_eq(shelf_stat(&shelf).pinned_bytes, 0);
	/* And where nobody looks, nothing is pinned. */
	pinned = heap_live_bytes(heap);
	for (unsigned i = 0; i < 1000; i++) {
		shelf_put(&shelf, "a", "1");
		shelf_delete(&shelf, "a");
	}
	ck_assert_uint_eq(heap_live_bytes(heap), pinned);
}
END_TEST

/* ---- changes during a listing ---- */

struct meddler {
	struct sight seen;
	struct rng rng;
	size_t stop_at;
};

static bool see_and_change(void *context, const struct wb_record *record)
{
	struct meddler *meddler = context;

	see(&meddler->seen, record);
	if (rng_chance(&meddler->rng, 1, 2))
		change_some(&meddler->rng);
	return meddler->seen.count != meddler->stop_at;
}

START_TEST(commits_from_inside_a_listing_do_not_disturb_it)
{
	struct meddler meddler = {.rng = rng_of((uint64_t)_i)};
	struct wb_view *view, *control;
	struct sight whole;

	for (unsigned i = 0; i < 300; i++)
		change_some(&meddler.rng);
	view = begin_view();
	control = begin_view();
	if (_i % 2)
		change_some(&meddler.rng);
	whole = look(control, "", "");
	ck_ok(wb_view_list(view, WB_KIND_EMBEDDER_FIRST, text_of("n"),
			   text_of(""), text_of(""), see_and_change, &meddler));
	ck_assert_mem_eq(&meddler.seen, &whole, sizeof(whole));
	/* And a visitor may stop it anywhere. */
	meddler.seen = (struct sight){.count = 0};
	meddler.stop_at = whole.count / 2;
	ck_ok(wb_view_list(view, WB_KIND_EMBEDDER_FIRST, text_of("n"),
			   text_of(""), text_of(""), see_and_change, &meddler));
	ck_assert_uint_eq(meddler.seen.count, whole.count / 2);
	wb_view_end(control);
	wb_view_end(view);
}
END_TEST

/* ---- namespaces ---- */

static void put_in(uint32_t kind, const char *ns, const char *name)
{
	struct wb_key key = {kind, text_of(ns), text_of(name)};
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(store_txn_put(txn, &key, text_of("1"), if_any));
	ck_ok(wb_txn_commit(txn, NULL));
}

static void delete_in(uint32_t kind, const char *ns, const char *name)
{
	struct wb_key key = {kind, text_of(ns), text_of(name)};
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(store_txn_delete(txn, &key, if_any));
	ck_ok(wb_txn_commit(txn, NULL));
}

static bool join(void *context, struct wb_bytes ns)
{
	char *text = context;

	snprintf(text + strlen(text), 100 - strlen(text), "[%.*s]",
		 (int)ns.size, (const char *)ns.data);
	return strlen(text) < 50;
}

static const char *namespaces(struct wb_view *view, uint32_t kind)
{
	static char text[100];

	text[0] = 0;
	ck_ok(wb_view_namespaces(view, kind, join, text));
	return text;
}

START_TEST(namespaces_are_those_that_hold_something)
{
	struct wb_view *view;

	put_in(64, "", "a");
	put_in(64, "a", "x");
	put_in(64, "a", "y");
	put_in(64, "a\x01", "x"); /* right behind "a" */
	put_in(64, "aa", "x");
	put_in(64, "\xff", "x");
	put_in(65, "other kind", "x");
	view = begin_view();
	ck_text(namespaces(view, 64), "[][a][a\x01][aa][\xff]");
	ck_text(namespaces(view, 65), "[other kind]");
	ck_text(namespaces(view, 63), "");
	ck_text(namespaces(view, 66), "");
	delete_in(64, "a", "x");
	delete_in(64, "aa", "x");
	delete_in(64, "", "a");
	put_in(64, "b", "x");
	ck_text(namespaces(view, 64), "[][a][a\x01][aa][\xff]");
	wb_view_end(view);
	view = begin_view();
	ck_text(namespaces(view, 64), "[a][a\x01][b][\xff]");
	wb_view_end(view);
}
END_TEST

START_TEST(a_visitor_of_namespaces_may_stop)
{
	char ns[21] = "12345678901234567890";
	struct wb_view *view;

	for (char c = 'a'; c < 'g'; c++) {
		ns[0] = c;
		put_in(64, ns, "x");
	}
	view = begin_view();
	/* `join` has enough at 50 characters: the third. */
	ck_assert_uint_eq(strlen(namespaces(view, 64)), 66);
	wb_view_end(view);
}
END_TEST

/* ---- too old ---- */

static void reopen_bounded(uint64_t view_bytes_max)
{
	ck_ok(shelf_close(&shelf));
	shelf.options.view_bytes_max = view_bytes_max;
	ck_ok(shelf_open(&shelf));
}

START_TEST(a_view_given_up_says_so_and_never_answers_wrongly)
{
	struct wb_view *old, *young;

	reopen_bounded(1);
	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "1");
	old = begin_view();
	ck_text(view_text(old, "a"), "1");
	shelf_put(&shelf, "c", "1"); /* replaces nothing */
	ck_text(view_text(old, "c"), "");
	shelf_put(&shelf, "a", "2");
	young = begin_view();
	ck_error(get_from(old, "a"), WB_SNAPSHOT_TOO_OLD);
	ck_error(get_from(old, "b"), WB_SNAPSHOT_TOO_OLD);
	ck_error(get_from(old, "nothing"), WB_SNAPSHOT_TOO_OLD);
	ck_error(wb_view_list(old, 64, text_of("n"), text_of(""), text_of(""),
			      NULL, NULL),
		 WB_SNAPSHOT_TOO_OLD);
	ck_error(wb_view_namespaces(old, 64, NULL, NULL), WB_SNAPSHOT_TOO_OLD);
	ck_assert_uint_eq(wb_view_revision(old), 2);
	ck_text(view_listing(young, "", ""), "a=2 b=1 c=1");
	ck_assert_uint_eq(shelf_stat(&shelf).pinned_bytes, 0);
	ck_assert_uint_eq(shelf_stat(&shelf).views, 2);
	wb_view_end(old);
	ck_text(view_text(young, "a"), "2");
	wb_view_end(young);
	ck_assert_uint_eq(shelf_stat(&shelf).views, 0);
}
END_TEST

static void put_large(const char *name, size_t size)
{
	char *value = calloc(1, size);
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_key key = named(name);

	ck_assert_ptr_nonnull(value);
	ck_ok(wb_txn_put(txn, &key, (struct wb_bytes){value, size}, if_any));
	ck_ok(wb_txn_commit(txn, NULL));
	free(value);
}

START_TEST(only_as_many_views_are_given_up_as_must_be)
{
	struct wb_view *old, *young;

	reopen_bounded(3500);
	for (char name[2] = "a"; name[0] <= 'd'; name[0]++)
		put_large(name, 1000);
	old = begin_view();
	shelf_put(&shelf, "a", "2"); /* the old one needs it */
	young = begin_view();
	shelf_put(&shelf, "b", "2"); /* both need it */
	shelf_put(&shelf, "c", "2");
	ck_assert_uint_gt(shelf_stat(&shelf).pinned_bytes, 3000);
	ck_error(get_from(old, "a"), WB_BUFFER);
	shelf_put(&shelf, "d", "2");
	ck_error(get_from(old, "a"), WB_SNAPSHOT_TOO_OLD);
	ck_text(view_text(young, "a"), "2");
	ck_error(get_from(young, "b"), WB_BUFFER);
	ck_error(get_from(young, "d"), WB_BUFFER);
	ck_assert_uint_le(shelf_stat(&shelf).pinned_bytes, 3500);
	wb_view_end(young);
	wb_view_end(old);
}
END_TEST

/* Values of 1 MiB: so many live, so many old ones may be pinned. The second
 * case takes a gigabyte of memory. */
static const struct {
	unsigned live, bound;
} bounds[] = {{100, 64}, {320, 80}};

START_TEST(the_bound_is_64_mib_or_a_quarter_of_what_lives)
{
	unsigned bound = bounds[_i].bound;
	struct wb_view *view;

	ck_ok(shelf_close(&shelf));
	shelf.options.segment_bytes = 0;
	ck_ok(shelf_open(&shelf));
	for (unsigned at = 0; at < bounds[_i].live; at++)
		put_large(key_name(at), 1u << 20);
	view = begin_view();
	for (unsigned at = 0; at < bound; at++) {
		ck_error(get_from(view, key_name(0)), WB_BUFFER);
		put_large(key_name(at), 1u << 20);
	}
	/* One more than fits, since a version is more than its value. */
	ck_error(get_from(view, key_name(0)), WB_SNAPSHOT_TOO_OLD);
	wb_view_end(view);
}
END_TEST

/* The view may be given up in the middle: then what was visited is right as
 * far as it goes. */
START_TEST(a_listing_cut_short_says_so)
{
	struct meddler meddler = {.rng = rng_of((uint64_t)_i)};
	struct wb_view *view;
	struct sight whole;
	enum wb_error error;

	reopen_bounded(4000);
	for (unsigned i = 0; i < 300; i++)
		change_some(&meddler.rng);
	view = begin_view();
	whole = look(view, "", "");
	if (_i % 2)
		change_some(&meddler.rng);
	error = wb_view_list(view, WB_KIND_EMBEDDER_FIRST, text_of("n"),
			     text_of(""), text_of(""), see_and_change,
			     &meddler);
	ck_error(error, WB_SNAPSHOT_TOO_OLD);
	ck_assert_uint_gt(meddler.seen.count, 0);
	ck_assert_uint_lt(meddler.seen.count, whole.count);
	ck_assert_mem_eq(meddler.seen.name, whole.name,
			 meddler.seen.count * sizeof(whole.name[0]));
	ck_assert_mem_eq(meddler.seen.revision, whole.revision,
			 meddler.seen.count * sizeof(whole.revision[0]));
	wb_view_end(view);
}
END_TEST

/* ---- beside a publisher ---- */

/* Every commit puts the same number under two keys, deletes a third key or
 * puts it; readers look whether what they see was ever true. */
static atomic_bool stop;

static void *commit_pairs(void *unused)
{
	struct wb_txn *txn;
	char value[24];

	while (!atomic_load(&stop)) {
		txn = shelf_begin(&shelf);
		snprintf(value, sizeof(value), "%" PRIu64, txn->revision);
		ck_ok(txn_put(txn, "a", value));
		ck_ok(txn_put(txn, "b", value));
		if (txn->revision % 2)
			ck_ok(txn_put(txn, "odd", value));
		else if (txn->revision > 1)
			ck_ok(txn_delete(txn, "odd"));
		ck_ok(wb_txn_commit(txn, NULL));
	}
	return unused;
}

struct pair {
	char text[100];
	size_t used;
};

static bool add_to_pair(void *context, const struct wb_record *record)
{
	struct pair *pair = context;

	pair->used += (size_t)snprintf(pair->text + pair->used,
				       sizeof(pair->text) - pair->used,
				       "%.*s=%.*s ", (int)record->key.name.size,
				       (const char *)record->key.name.data,
				       (int)record->value.size,
				       (const char *)record->value.data);
	return true;
}

/* False: the view was given up, which the bound allows. */
static bool get_number(struct wb_view *view, const char *name,
		       uint64_t *ret_number)
{
	struct wb_key key = named(name);
	struct wb_record record;
	char value[24] = "";
	enum wb_error error =
		wb_view_get(view, &key, value, sizeof(value) - 1, &record);

	if (error == WB_SNAPSHOT_TOO_OLD && shelf.options.view_bytes_max)
		return false;
	ck_assert(!error || error == WB_NOT_FOUND);
	*ret_number = error ? 0 : strtoull(value, NULL, 10);
	return true;
}

static bool list_pair(struct wb_view *view, struct pair *ret_pair)
{
	enum wb_error error = wb_view_list(view, 64, text_of("n"), text_of(""),
					   text_of(""), add_to_pair, ret_pair);

	if (error == WB_SNAPSHOT_TOO_OLD && shelf.options.view_bytes_max)
		return false;
	ck_ok(error);
	return true;
}

static void check_pair(struct wb_view *view, bool list_first)
{
	uint64_t revision = wb_view_revision(view), number = 0;
	struct pair pair = {.used = 0};
	char expected[100];

	snprintf(expected, sizeof(expected),
		 revision % 2 ? "a=%" PRIu64 " b=%" PRIu64 " odd=%" PRIu64 " "
			      : "a=%" PRIu64 " b=%" PRIu64 " ",
		 revision, revision, revision);
	if (list_first && list_pair(view, &pair))
		ck_assert_str_eq(pair.text, expected);
	if (get_number(view, "a", &number))
		ck_assert_uint_eq(number, revision);
	if (get_number(view, "b", &number))
		ck_assert_uint_eq(number, revision);
	if (get_number(view, "odd", &number))
		ck_assert_uint_eq(number, revision % 2 ? revision : 0);
}

static void *read_pairs(void *number)
{
	uint64_t views = *(uint64_t *)number;

	for (uint64_t i = 0; i < views; i++) {
		struct wb_view *view = begin_view();

		check_pair(view, i % 4 == 0);
		if (i % 8 == 0) {
			struct wb_view *second = begin_view();

			check_pair(view, true);
			check_pair(second, false);
			wb_view_end(second);
		}
		wb_view_end(view);
	}
	return NULL;
}

START_TEST(a_view_that_begins_beside_a_publisher_is_one_moment)
{
	const char *full = getenv("WAYBILL_FULL");
	uint64_t views = full && *full == '1' ? 500000 : 5000;
	pthread_t writer, readers[3];

	ck_ok(shelf_close(&shelf));
	shelf.options.segment_bytes = 0;
	/* Not bounded, as long as readers are quick; and always too much. */
	shelf.options.view_bytes_max = (uint64_t)_i;
	ck_ok(shelf_open(&shelf));
	ck_assert(!pthread_create(&writer, NULL, commit_pairs, NULL));
	while (shelf_stat(&shelf).revision < 2)
		sched_yield();
	for (int i = 0; i < 3; i++)
		ck_assert(
			!pthread_create(&readers[i], NULL, read_pairs, &views));
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
	ck_assert_uint_eq(shelf_stat(&shelf).pinned_bytes, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *tcase = tcase_create("view");
	const char *full = getenv("WAYBILL_FULL");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase,
		       a_view_inside_a_running_update_sees_the_old_state);
	tcase_add_test(tcase,
		       a_view_sees_what_is_durable_and_nothing_that_is_staged);
	tcase_add_test(tcase, each_view_has_its_own_state);
	tcase_add_test(tcase,
		       a_small_buffer_is_told_how_much_an_old_version_needs);
	tcase_add_test(tcase, a_listing_asks_for_what_can_be);
	tcase_add_loop_test(tcase, a_view_held_across_1000_commits_is_unchanged,
			    1, 5);
	tcase_add_test(tcase, what_views_pinned_is_freed_when_they_end);
	tcase_add_loop_test(tcase,
			    commits_from_inside_a_listing_do_not_disturb_it, 1,
			    9);
	tcase_add_test(tcase, namespaces_are_those_that_hold_something);
	tcase_add_test(tcase, a_visitor_of_namespaces_may_stop);
	tcase_add_test(tcase,
		       a_view_given_up_says_so_and_never_answers_wrongly);
	tcase_add_test(tcase, only_as_many_views_are_given_up_as_must_be);
	tcase_add_loop_test(tcase,
			    the_bound_is_64_mib_or_a_quarter_of_what_lives, 0,
			    full && *full == '1' ? 2 : 1);
	tcase_add_loop_test(tcase, a_listing_cut_short_says_so, 1, 9);
	tcase_add_loop_test(tcase,
			    a_view_that_begins_beside_a_publisher_is_one_moment,
			    0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
