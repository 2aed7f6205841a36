/* SPDX-License-Identifier: Apache-2.0
 *
 * Every version that ever was, newest first, from the log.
 */
#include "log/commit.h"
#include "log/format.h"
#include "store/state.h"
#include "tests/support/forge.h"
#include "tests/support/rng.h"
#include "tests/support/shelf.h"
#include "tests/support/volume.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>

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

/* Versions as words: "a@3<1=value" is revision 3 of a, after revision 1;
 * "a@4<3 deleted". */
struct words {
	char text[4096];
	size_t count, stop_at;
};

static bool add_word(void *context, const struct wb_version *version)
{
	struct words *words = context;
	const struct wb_record *record = &version->record;
	size_t used = strlen(words->text);

	snprintf(words->text + used, sizeof(words->text) - used,
		 "%s%.*s@%" PRIu64 "<%" PRIu64 "%s%.*s", used ? " " : "",
		 (int)record->key.name.size,
		 (const char *)record->key.name.data, record->revision,
		 version->previous_revision,
		 version->deleted ? " deleted" : "=", (int)record->value.size,
		 (const char *)record->value.data);
	return ++words->count != words->stop_at;
}

static struct words words;

static const char *history(const char *name, uint64_t before, size_t limit)
{
	struct wb_key key = named(name);

	words = (struct words){.stop_at = 0};
	ck_ok(wb_history(shelf.store, &key, before, limit, add_word, &words));
	return words.text;
}

static const char *log_of(uint32_t kind, const char *ns, uint64_t before,
			  size_t limit)
{
	struct wb_bytes bytes = text_of(ns ? ns : "");

	words = (struct words){.stop_at = 0};
	ck_ok(wb_log(shelf.store, kind, ns ? &bytes : NULL, before, limit,
		     add_word, &words));
	return words.text;
}

static void put_some(void)
{
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "2");
	shelf_put(&shelf, "a", "3");
	shelf_delete(&shelf, "a");
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "c", "5"));
	ck_ok(txn_put(txn, "a", "5"));
	ck_ok(txn_delete(txn, "b"));
	ck_ok(wb_txn_commit(txn, NULL));
}

/* ---- one name ---- */

START_TEST(a_names_versions_come_newest_first_deletions_too)
{
	put_some();
	for (unsigned open = 0; open < 3; open++) {
		ck_text(history("a", 0, 0),
			"a@5<0=5 a@4<3 deleted a@3<1=3 a@1<0=1");
		ck_text(history("b", 0, 0), "b@5<2 deleted b@2<0=2");
		ck_text(history("c", 0, 0), "c@5<0=5");
		ck_text(history("d", 0, 0), "");
		if (open == 0)
			ck_ok(shelf_close(&shelf));
		else
			shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
	}
}
END_TEST

START_TEST(before_and_limit_page_through_them)
{
	put_some();
	ck_text(history("a", 5, 0), "a@4<3 deleted a@3<1=3 a@1<0=1");
	ck_text(history("a", 4, 1), "a@3<1=3");
	ck_text(history("a", 3, 1), "a@1<0=1");
	ck_text(history("a", 1, 0), "");
	ck_text(history("a", 0, 2), "a@5<0=5 a@4<3 deleted");
	ck_text(history("a", 1000, 1), "a@5<0=5");
}
END_TEST

/* Page after page, each from the revision at which the one before ended. */
static void walk_pages(uint32_t kind, const char *ns, size_t limit)
{
	char all[sizeof(words.text)], pages[sizeof(words.text)] = "";
	const char *page;
	uint64_t before = 0;

	strcpy(all, log_of(kind, ns, 0, 0));
	while (*(page = log_of(kind, ns, before, limit))) {
		if (*pages)
			strcat(pages, " ");
		strcat(pages, page);
		before = strtoull(strrchr(page, '@') + 1, NULL, 10);
		if (before == 1)
			break;
	}
	ck_text(pages, all);
}

START_TEST(pages_of_the_log_lose_nothing)
{
	put_some();
	ck_text(log_of(0, NULL, 0, 1), "c@5<0=5 a@5<0=5 b@5<2 deleted");
	ck_text(log_of(0, NULL, 0, 2), "c@5<0=5 a@5<0=5 b@5<2 deleted");
	ck_text(log_of(0, NULL, 0, 3), "c@5<0=5 a@5<0=5 b@5<2 deleted");
	ck_text(log_of(0, NULL, 0, 4),
		"c@5<0=5 a@5<0=5 b@5<2 deleted a@4<3 deleted");
	ck_text(log_of(0, NULL, 5, 1), "a@4<3 deleted");
	walk_pages(0, NULL, 1);
	/* With other names, kinds and namespaces in between. */
	for (unsigned at = 0; at < 6; at++) {
		struct wb_key key = named("x");
		struct wb_txn *txn = shelf_begin(&shelf);

		key.kind += at % 2;
		ck_ok(wb_txn_put(txn, &key, text_of("1"), if_any));
		key.ns = text_of("other");
		ck_ok(wb_txn_put(txn, &key, text_of("2"), if_any));
		ck_ok(txn_put(txn, "y", "3"));
		ck_ok(wb_txn_commit(txn, NULL));
	}
	for (size_t limit = 1; limit < 7; limit++) {
		walk_pages(0, NULL, limit);
		walk_pages(WB_KIND_EMBEDDER_FIRST, NULL, 1);
		walk_pages(WB_KIND_EMBEDDER_FIRST, "n", 2);
	}
}
END_TEST

START_TEST(a_visitor_stops_when_it_has_enough)
{
	struct wb_key key = named("a");

	put_some();
	words = (struct words){.stop_at = 2};
	ck_ok(wb_history(shelf.store, &key, 0, 0, add_word, &words));
	ck_text(words.text, "a@5<0=5 a@4<3 deleted");
	words = (struct words){.stop_at = 4};
	ck_ok(wb_log(shelf.store, 0, NULL, 0, 0, add_word, &words));
	ck_text(words.text, "c@5<0=5 a@5<0=5 b@5<2 deleted a@4<3 deleted");
}
END_TEST

START_TEST(what_is_staged_is_not_history_yet)
{
	struct wb_outcome outcome;
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "1");
	stage_put(&shelf, "a", "2");
	stage_delete(&shelf, "a");
	ck_text(history("a", 0, 0), "a@1<0=1");
	/* The next one knows what it follows all the same. */
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "4"));
	ck_ok(wb_txn_commit(txn, &outcome));
	ck_text(history("a", 0, 0), "a@4<0=4 a@3<2 deleted a@2<1=2 a@1<0=1");
}
END_TEST

START_TEST(a_key_must_be_one)
{
	struct wb_key none = {0, text_of("n"), text_of("a")};
	struct wb_key empty = {64, text_of("n"), text_of("")};

	ck_error(wb_history(shelf.store, &none, 0, 0, add_word, &words),
		 WB_BAD_INPUT);
	ck_error(wb_history(shelf.store, &empty, 0, 0, add_word, &words),
		 WB_BAD_INPUT);
}
END_TEST

/* ---- an index that lacks a version ---- */

/* The versions of "a" in a sealed segment, whose index is wrong about one of
 * them: it is under another hash, as if it were of another key. */
static uint64_t footer;

static void fill_and_seal(void)
{
	shelf_release(&shelf);
	shelf_init(&shelf, 1);
	shelf.options.segment_bytes = 16 << 10;
	ck_ok(shelf_open(&shelf));
	put_some();
	shelf_put(&shelf, "a", "6");
	shelf_put(&shelf, "d", "7");
	shelf_delete(&shelf, "d");
	volume_fill(&shelf, 2);
	volume_settle(&shelf);
	footer = volume_footer(&shelf, 1);
}

struct entry {
	uint32_t hash, frame, revision, mutation;
};

static int in_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->revision > y->revision) - (x->revision < y->revision);
}

static void hide(const char *name, uint64_t revision)
{
	enum { COUNT_AT = 48 + 72, ENTRIES_AT = 48 + 80, MAX = 64 };
	struct wb_key key = named(name);
	const char *path = volume_path(1);
	struct entry entries[MAX];
	uint64_t count, at = 0;

	simdisk_get(shelf.disk, path, &count, 8, footer + COUNT_AT);
	ck_assert_uint_le(count, MAX);
	simdisk_get(shelf.disk, path, entries, count * sizeof(*entries),
		    footer + ENTRIES_AT);
	/* Revisions count from the segment's first, which is 1. */
	while (at < count && (entries[at].hash != mutation_hash(&key) ||
			      entries[at].revision + 1 != revision))
		at++;
	ck_assert_uint_lt(at, count);
	entries[at].hash ^= 0x55555555;
	qsort(entries, count, sizeof(*entries), in_order);
	forge_frame(shelf.disk, path, footer, ENTRIES_AT, entries,
		    count * sizeof(*entries));
}

static enum wb_error ask_for(const char *name, uint64_t before, size_t limit)
{
	struct wb_key key = named(name);

	words = (struct words){.stop_at = 0};
	return wb_history(shelf.store, &key, before, limit, add_word, &words);
}

START_TEST(a_version_that_its_index_lacks_is_missed)
{
	static const struct {
		const char *name;
		uint64_t revision;
	} hidden[] = {
		{"a", 1}, {"a", 3}, {"a", 4}, {"a", 5}, {"a", 6},
		{"b", 2}, {"b", 5}, {"c", 5}, {"d", 7}, {"d", 8},
	};
	static const char *const asked[] = {"a", "b", "c", "d"};

	for (size_t at = 0; at < sizeof(hidden) / sizeof(*hidden); at++) {
		fill_and_seal();
		hide(hidden[at].name, hidden[at].revision);
		ck_ok(shelf_open(&shelf));
		for (size_t i = 0; i < 4; i++) {
			bool lacks = strcmp(asked[i], hidden[at].name) == 0;

			ck_assert_msg(ask_for(asked[i], 0, 0) ==
					      (lacks ? WB_CORRUPT : WB_OK),
				      "%s, without %s at %" PRIu64, asked[i],
				      hidden[at].name, hidden[at].revision);
		}
		ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE,
				      "lack a version of kind 64, namespace "
				      "'n', name"));
	}
}
END_TEST

/* A page ends where it ends; the next one does not know what it follows. */
START_TEST(what_is_not_gone_through_is_not_missed)
{
	fill_and_seal();
	hide("a", 1);
	ck_ok(shelf_open(&shelf));
	ck_ok(ask_for("a", 0, 2));
	ck_text(words.text, "a@6<5=6 a@5<0=5");
	ck_ok(ask_for("a", 4, 1));
	ck_text(words.text, "a@3<1=3");
	ck_error(ask_for("a", 4, 0), WB_CORRUPT);
	ck_ok(ask_for("a", 3, 0));
	ck_text(words.text, "");
}
END_TEST

/* ---- who, when, why ---- */

static bool check_context(void *context, const struct wb_version *version)
{
	++*(unsigned *)context;
	ck_assert_uint_eq(version->actor.uid, 7);
	ck_assert_uint_eq(version->actor.gid, 8);
	ck_assert_int_eq(version->actor.pid, -9);
	/* 64 bytes of it are kept. */
	ck_assert_uint_eq(strlen(version->actor.command), 64);
	ck_assert_uint_eq(version->reason.size, 7);
	ck_assert_mem_eq(version->reason.data, "because", 7);
	ck_assert_uint_eq(version->operation_id.size, 2);
	ck_assert_mem_eq(version->operation_id.data, "op", 2);
	ck_assert_int_eq(version->record.time_ns, 12345);
	return true;
}

static bool check_no_context(void *context, const struct wb_version *version)
{
	++*(unsigned *)context;
	ck_assert_ptr_null(version->actor.command);
	ck_assert_uint_eq(version->reason.size, 0);
	ck_assert_uint_eq(version->operation_id.size, 0);
	return true;
}

START_TEST(a_version_tells_who_wrote_it_when_and_why)
{
	struct wb_actor actor = {7, 8, -9, NULL};
	struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = &actor,
		.reason = text_of("because"),
		.operation_id = text_of("op"),
	};
	struct wb_key a = named("a"), b = named("b");
	struct wb_outcome replayed;
	char command[100];
	struct wb_txn *txn;
	unsigned visits = 0;

	memset(command, 'c', sizeof(command) - 1);
	command[sizeof(command) - 1] = 0;
	actor.command = command;
	simenv_set_wall(&shelf.env, 12345);
	ck_ok(wb_txn_begin(shelf.store, &options, &txn, &replayed));
	/* All of it was copied. */
	memset(command, 0, sizeof(command));
	ck_ok(txn_put(txn, "a", "1"));
	ck_ok(wb_txn_commit(txn, NULL));
	shelf_put(&shelf, "b", "1");
	for (unsigned open = 0; open < 2; open++) {
		ck_ok(wb_history(shelf.store, &a, 0, 0, check_context,
				 &visits));
		ck_ok(wb_history(shelf.store, &b, 0, 0, check_no_context,
				 &visits));
		shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
	}
	ck_assert_uint_eq(visits, 4);
}
END_TEST

/* ---- everybody's ---- */

static void put_key(uint32_t kind, const char *ns, const char *name)
{
	struct wb_key key = {kind, text_of(ns), text_of(name)};
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(store_txn_put(txn, &key, text_of(""), if_any));
	ck_ok(wb_txn_commit(txn, NULL));
}

START_TEST(the_log_is_by_kind_and_namespace)
{
	put_key(1, "n", "a");
	put_key(1, "m", "b");
	put_key(64, "n", "c");
	put_key(64, "", "d");
	ck_text(log_of(0, NULL, 0, 0), "d@4<0= c@3<0= b@2<0= a@1<0=");
	ck_text(log_of(1, NULL, 0, 0), "b@2<0= a@1<0=");
	ck_text(log_of(64, NULL, 0, 0), "d@4<0= c@3<0=");
	ck_text(log_of(65, NULL, 0, 0), "");
	ck_text(log_of(0, "n", 0, 0), "c@3<0= a@1<0=");
	ck_text(log_of(0, "", 0, 0), "d@4<0=");
	ck_text(log_of(1, "n", 0, 0), "a@1<0=");
	ck_text(log_of(1, "n", 1, 0), "");
	ck_text(log_of(0, NULL, 4, 2), "c@3<0= b@2<0=");
}
END_TEST

/* ---- by time ---- */

static uint64_t revision_at(int64_t time_ns)
{
	uint64_t revision = 77;

	ck_ok(wb_revision_at(shelf.store, time_ns, &revision));
	return revision;
}

/* The highest revision whose time is not later: a clock that goes back does
 * not hide what came before. */
START_TEST(as_of_a_time_is_the_highest_revision_not_later)
{
	static const int64_t times[] = {100, 200, 150, 300};

	ck_assert_uint_eq(revision_at(0), 0);
	for (unsigned i = 0; i < 4; i++) {
		simenv_set_wall(&shelf.env, times[i]);
		shelf_put(&shelf, "a", "1");
	}
	for (unsigned open = 0; open < 2; open++) {
		ck_assert_uint_eq(revision_at(99), 0);
		ck_assert_uint_eq(revision_at(100), 1);
		ck_assert_uint_eq(revision_at(149), 1);
		ck_assert_uint_eq(revision_at(150), 3);
		ck_assert_uint_eq(revision_at(299), 3);
		ck_assert_uint_eq(revision_at(300), 4);
		ck_assert_uint_eq(revision_at(INT64_MAX), 4);
		ck_assert_uint_eq(revision_at(INT64_MIN), 0);
		ck_ok(shelf_close(&shelf));
		ck_ok(shelf_open(&shelf));
	}
}
END_TEST

static void *put_one(void *unused)
{
	shelf_put(&shelf, "a", "1");
	return unused;
}

/* A group that is durable, and whose publisher is held back: what it holds is
 * no answer yet, and what is one must be early enough itself. */
START_TEST(as_of_a_time_is_never_what_cannot_be_seen_yet)
{
	pthread_t publisher;

	simenv_set_wall(&shelf.env, 100);
	for (uint64_t visible = 0; visible <= 2; visible++) {
		pthread_mutex_lock(&shelf.store->views);
		ck_assert(!pthread_create(&publisher, NULL, put_one, NULL));
		while (log_durable_revision(shelf.store->log) == visible)
			sched_yield();
		/* Of 100, 300 and 200 there are as many as are visible. */
		ck_assert_uint_eq(revision_at(99), 0);
		ck_assert_uint_eq(revision_at(100), visible ? 1 : 0);
		ck_assert_uint_eq(revision_at(250), visible ? 1 : 0);
		ck_assert_uint_eq(revision_at(300), visible);
		pthread_mutex_unlock(&shelf.store->views);
		pthread_join(publisher, NULL);
		simenv_set_wall(&shelf.env, visible ? 200 : 300);
	}
	ck_assert_uint_eq(revision_at(250), 3);
	ck_assert_uint_eq(revision_at(199), 1);
}
END_TEST

/* ---- any history ---- */

enum { KEYS = 8, VERSIONS_MAX = 8192 };

static struct version {
	unsigned key;
	bool deleted;
	uint64_t revision, previous;
	int64_t time_ns;
} versions[VERSIONS_MAX];
static size_t version_count;

static const char *const names[KEYS] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void commit_some(struct rng *rng, uint64_t current[KEYS])
{
	struct wb_txn *txn = shelf_begin(&shelf);
	unsigned first = (unsigned)rng_below(rng, KEYS);
	unsigned count = 1 + (unsigned)rng_below(rng, 3);
	struct wb_outcome outcome = {0};
	size_t from = version_count;
	char value[300];

	memset(value, 'v', sizeof(value) - 1);
	value[rng_below(rng, sizeof(value))] = 0;
	value[sizeof(value) - 1] = 0;
	for (unsigned i = 0; i < count; i++) {
		unsigned key = (first + i) % KEYS;
		bool deleted = current[key] && rng_chance(rng, 1, 3);

		ck_assert_uint_lt(version_count, VERSIONS_MAX);
		ck_ok(deleted ? txn_delete(txn, names[key])
			      : txn_put(txn, names[key], value));
		versions[version_count++] = (struct version){
			.key = key,
			.deleted = deleted,
			.previous = current[key],
			.time_ns = wb_txn_time(txn),
		};
	}
	ck_ok(wb_txn_commit(txn, &outcome));
	for (size_t at = from; at < version_count; at++) {
		versions[at].revision = outcome.revision;
		current[versions[at].key] =
			versions[at].deleted ? 0 : outcome.revision;
	}
}

struct check {
	uint64_t seed, before, last;
	unsigned key; /* KEYS: all */
	size_t at;    /* one behind the next expected */
	size_t count;
};

/* Within a commit the order is the mutations'; between commits it is the
 * other way round. */
static bool check_version(void *context, const struct wb_version *version)
{
	struct check *check = context;
	const struct version *expected = NULL;

	for (size_t at = 0; at < version_count; at++) {
		const struct version *other = &versions[at];

		if (other->revision == version->record.revision &&
		    strncmp(names[other->key], version->record.key.name.data,
			    1) == 0)
			expected = other;
	}
	ck_assert_msg(
		expected && expected->deleted == version->deleted &&
			expected->previous == version->previous_revision &&
			expected->time_ns == version->record.time_ns &&
			(check->key == KEYS || check->key == expected->key),
		"seed %" PRIu64 ": a version that never was", check->seed);
	ck_assert_msg(version->record.revision <= check->last &&
			      (!check->before ||
			       version->record.revision < check->before),
		      "seed %" PRIu64 ": out of order", check->seed);
	check->last = version->record.revision;
	check->count++;
	return true;
}

static void check_all(uint64_t seed, struct rng *rng, uint64_t head)
{
	uint64_t before = rng_below(rng, head + 2);
	size_t expected[KEYS + 1] = {0};

	for (size_t at = 0; at < version_count; at++) {
		if (before && versions[at].revision >= before)
			continue;
		expected[versions[at].key]++;
		expected[KEYS]++;
	}
	for (unsigned key = 0; key <= KEYS; key++) {
		struct check check = {
			.seed = seed,
			.before = before,
			.last = UINT64_MAX,
			.key = key,
		};
		struct wb_key one = named(names[key % KEYS]);

		ck_ok(key == KEYS ? wb_log(shelf.store, 0, NULL, before, 0,
					   check_version, &check)
				  : wb_history(shelf.store, &one, before, 0,
					       check_version, &check));
		ck_assert_msg(check.count == expected[key],
			      "seed %" PRIu64 ": %zu versions of key %u, "
			      "not %zu",
			      seed, check.count, key, expected[key]);
	}
}

START_TEST(it_has_every_version_of_sealed_cut_and_active_segments)
{
	uint64_t seed = (uint64_t)_i, current[KEYS] = {0};
	struct rng rng = rng_of(seed);

	version_count = 0;
	for (unsigned step = 1; step <= 300; step++) {
		simenv_advance(&shelf.env, (int64_t)rng_below(&rng, 1000000));
		commit_some(&rng, current);
		if (rng_chance(&rng, 1, 100)) {
			shelf_kill(&shelf);
			ck_ok(shelf_open(&shelf));
		}
		if (rng_chance(&rng, 1, 100)) {
			ck_ok(shelf_close(&shelf));
			ck_ok(shelf_open(&shelf));
		}
		if (step % 50 == 0)
			check_all(seed, &rng, step);
	}
	ck_assert_uint_gt(shelf_stat(&shelf).segments, 3);
}
END_TEST

/* ---- what changed since it was read ---- */

static bool changed_after(const char *name, uint64_t revision)
{
	struct wb_key key = named(name);
	struct wb_txn *txn = shelf_begin(&shelf);
	bool changed = store_changed_after(txn, &key, revision);

	ck_ok(wb_txn_abort(txn));
	return changed;
}

START_TEST(a_key_changed_after_a_revision_also_by_a_deletion)
{
	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "1");
	shelf_put(&shelf, "a", "2");
	shelf_delete(&shelf, "a");
	for (uint64_t revision = 0; revision <= 5; revision++) {
		ck_assert(changed_after("a", revision) == (revision < 4));
		ck_assert(changed_after("b", revision) == (revision < 2));
		ck_assert(!changed_after("c", revision));
	}
	/* In memory again after an open. */
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "b", "2");
	ck_assert(changed_after("b", 4));
	ck_assert(!changed_after("a", 4));
}
END_TEST

/* And nobody has the answer before what it stands on is durable. */
START_TEST(what_is_only_staged_has_changed_too)
{
	struct wb_key key = named("a");
	struct wb_txn *txn;

	shelf_put(&shelf, "a", "1");
	shelf_delete(&shelf, "a");
	stage_put(&shelf, "a", "2");
	stage_delete(&shelf, "a");
	txn = shelf_begin(&shelf);
	ck_assert(store_changed_after(txn, &key, 2));
	ck_assert(!store_changed_after(txn, &key, 4));
	ck_text(txn_text(txn, "a"), "");
	ck_ok(wb_txn_abort(txn));
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 4);
	ck_text(history("a", 0, 1), "a@4<3 deleted");
}
END_TEST

/* ---- damage ---- */

static bool take_first(void *context, const char *path, uint64_t size)
{
	char *name = context;

	(void)size;
	if (!strstr(path, ".log"))
		return true;
	snprintf(name, 64, "%s", path);
	return false;
}

/* Not what was recovered: what is read now, from a segment that was sealed
 * long ago. */
START_TEST(a_version_that_rotted_on_disk_is_corrupt_not_missing)
{
	struct wb_key key = named("a");
	char name[64] = "";

	shelf_put(&shelf, "a", "first");
	while (shelf_stat(&shelf).segments < 3)
		shelf_put(&shelf, "b", "another value that takes some room");
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_ALL, 0});
	ck_ok(shelf_open(&shelf));
	simdisk_each(shelf.disk, take_first, name);
	/* In the first commit. */
	simdisk_flip(shelf.disk, name,
		     8 * (SEGMENT_FRAMES_AT + FRAME_HEADER_BYTES));
	words = (struct words){.stop_at = 0};
	ck_error(wb_history(shelf.store, &key, 0, 0, add_word, &words),
		 WB_CORRUPT);
	ck_text(words.text, "");
	ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE, name));
	/* The newest version lives in memory. */
	ck_text(shelf_text(&shelf, "a"), "first");
}
END_TEST

/* ---- forwards ---- */

/* Commits as words: "1 +a=1 | 2 -a +b=2". */
struct telling {
	char text[2000];
	uint64_t stop_at_revision;
	uint64_t stop_at_change; /* counted from 1 */
	uint64_t changes;
};

static struct telling telling;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	size_t used = strlen(telling.text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(telling.text + used, sizeof(telling.text) - used, format,
		  arguments);
	va_end(arguments);
}

static enum wb_error hear_commit(void *context,
				 const struct store_commit *commit)
{
	ck_assert_ptr_eq(context, &telling);
	say("%s%" PRIu64, *telling.text ? " | " : "", commit->revision);
	return commit->revision == telling.stop_at_revision ? WB_CANCELLED
							    : WB_OK;
}

static enum wb_error hear_change(void *context,
				 const struct store_change *change)
{
	ck_assert_ptr_eq(context, &telling);
	say(" %s%.*s", change->deleted ? "-" : "+", (int)change->key.name.size,
	    (const char *)change->key.name.data);
	if (!change->deleted)
		say("=%.*s", (int)change->value.size,
		    (const char *)change->value.data);
	return ++telling.changes == telling.stop_at_change ? WB_ABORTED : WB_OK;
}

static const struct store_listener listener = {hear_commit, hear_change,
					       &telling};

static const char *told(uint64_t upto)
{
	telling = (struct telling){.changes = 0};
	ck_ok(store_follow(shelf.store, upto, &listener));
	return telling.text;
}

START_TEST(every_commit_is_told_from_the_first_on)
{
	put_some();
	for (unsigned open = 0; open < 2; open++) {
		ck_text(told(5), "1 +a=1 | 2 +b=2 | 3 +a=3 | 4 -a | "
				 "5 +c=5 +a=5 -b");
		ck_text(told(2), "1 +a=1 | 2 +b=2");
		ck_text(told(0), "");
		ck_error(store_follow(shelf.store, 6, &listener), WB_NOT_FOUND);
		shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
	}
	stage_put(&shelf, "d", "6");
	ck_error(store_follow(shelf.store, 6, &listener), WB_NOT_FOUND);
}
END_TEST

START_TEST(a_listener_may_end_the_telling)
{
	put_some();
	telling = (struct telling){.stop_at_revision = 2};
	ck_error(store_follow(shelf.store, 5, &listener), WB_CANCELLED);
	ck_text(telling.text, "1 +a=1 | 2");
	telling = (struct telling){.stop_at_change = 6};
	ck_error(store_follow(shelf.store, 5, &listener), WB_ABORTED);
	ck_text(telling.text, "1 +a=1 | 2 +b=2 | 3 +a=3 | 4 -a | 5 +c=5 +a=5");
}
END_TEST

static enum wb_error check_facts(void *context,
				 const struct store_commit *commit)
{
	bool first = commit->revision == 1;

	++*(unsigned *)context;
	ck_assert_int_eq(commit->time_ns, 12345);
	ck_assert_uint_eq(commit->changes, first ? 2 : 1);
	if (!first) {
		ck_assert_uint_eq(commit->command.size, 0);
		ck_assert_uint_eq(commit->reason.size, 0);
		ck_assert_uint_eq(commit->operation_ns.size, 0);
		ck_assert_uint_eq(commit->operation_id.size, 0);
		ck_assert_uint_eq(commit->request_hash, 0);
		return WB_OK;
	}
	ck_assert_uint_eq(commit->uid, 7);
	ck_assert_uint_eq(commit->gid, 8);
	ck_assert_int_eq(commit->pid, -9);
	ck_assert_uint_eq(commit->command.size, 3);
	ck_assert_mem_eq(commit->command.data, "cmd", 3);
	ck_assert_mem_eq(commit->reason.data, "because", 7);
	ck_assert_mem_eq(commit->operation_ns.data, "space", 5);
	ck_assert_mem_eq(commit->operation_id.data, "op", 2);
	ck_assert_uint_eq(commit->request_hash, 99);
	return WB_OK;
}

static enum wb_error hear_nothing(void *context,
				  const struct store_change *change)
{
	(void)context;
	(void)change;
	return WB_OK;
}

START_TEST(a_commit_is_told_with_all_its_facts)
{
	struct wb_actor actor = {7, 8, -9, "cmd"};
	struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = &actor,
		.reason = text_of("because"),
		.operation_ns = text_of("space"),
		.operation_id = text_of("op"),
		.request_hash = 99,
	};
	unsigned heard = 0;
	struct store_listener facts = {check_facts, hear_nothing, &heard};
	struct wb_outcome replayed;
	struct wb_txn *txn;

	simenv_set_wall(&shelf.env, 12345);
	ck_ok(wb_txn_begin(shelf.store, &options, &txn, &replayed));
	ck_ok(txn_put(txn, "a", "1"));
	ck_ok(txn_put(txn, "b", "1"));
	ck_ok(wb_txn_commit(txn, NULL));
	shelf_put(&shelf, "c", "1");
	ck_ok(store_follow(shelf.store, 2, &facts));
	ck_assert_uint_eq(heard, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("history");
	TCase *tcase = tcase_create("history");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_names_versions_come_newest_first_deletions_too);
	tcase_add_test(tcase, before_and_limit_page_through_them);
	tcase_add_test(tcase, pages_of_the_log_lose_nothing);
	tcase_add_test(tcase, a_visitor_stops_when_it_has_enough);
	tcase_add_test(tcase, what_is_staged_is_not_history_yet);
	tcase_add_test(tcase, a_key_must_be_one);
	tcase_add_test(tcase, a_version_that_its_index_lacks_is_missed);
	tcase_add_test(tcase, what_is_not_gone_through_is_not_missed);
	tcase_add_test(tcase, a_version_tells_who_wrote_it_when_and_why);
	tcase_add_test(tcase, the_log_is_by_kind_and_namespace);
	tcase_add_test(tcase, as_of_a_time_is_the_highest_revision_not_later);
	tcase_add_test(tcase, as_of_a_time_is_never_what_cannot_be_seen_yet);
	tcase_add_loop_test(
		tcase, it_has_every_version_of_sealed_cut_and_active_segments,
		1, 9);
	tcase_add_test(tcase,
		       a_key_changed_after_a_revision_also_by_a_deletion);
	tcase_add_test(tcase, what_is_only_staged_has_changed_too);
	tcase_add_test(tcase,
		       a_version_that_rotted_on_disk_is_corrupt_not_missing);
	tcase_add_test(tcase, every_commit_is_told_from_the_first_on);
	tcase_add_test(tcase, a_listener_may_end_the_telling);
	tcase_add_test(tcase, a_commit_is_told_with_all_its_facts);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
