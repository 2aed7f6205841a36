/* SPDX-License-Identifier: Apache-2.0
 *
 * The store against SQLite, with real threads on a real directory.
 *
 * Each thread changes keys of its own and keys of all: it moves money between
 * accounts, counts, puts, deletes, tries again under an operation id. A
 * counter tells the order in which calls began and returned. Afterwards the
 * log, commit by commit in the order of revisions, goes into the ledger, and:
 *
 *  - it holds every acknowledged commit as it was made, and no other;
 *  - every version names the one before it;
 *  - the store holds what the ledger holds;
 *  - every read returned what was current at some moment between its
 *    beginning and its end (linearizability, key by key);
 *  - the money is all there, in every view as well.
 *
 * The store is closed, or left as by a kill, and opened again in between.
 */
#include "store/store.h"
#include "tests/support/ledger.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
	THREADS = 8,
	ACCOUNTS = 6,
	COUNTERS = 4,
	FREE = 6,
	OWN = 6,
	SHARED = ACCOUNTS + COUNTERS + FREE,
	KEYS = SHARED + THREADS * OWN,
	CHANGES_MAX = 4,
	OPENS = 3,
	MONEY = 1000, /* in each account, at first */
};

struct value {
	uint32_t thread, number; /* who wrote it, which of his commits */
	int64_t amount;
	uint8_t padding[240];
};

struct change {
	unsigned key;
	bool deleted;
	size_t size;
	struct value value;
};

/* A commit that was acknowledged. */
struct commit {
	uint64_t revision, began, ended;
	size_t count;
	struct change changes[CHANGES_MAX];
};

/* A read that was answered. `revision` 0: not found. */
struct reading {
	unsigned key;
	uint64_t revision, began, ended;
};

struct client {
	pthread_t thread;
	unsigned number;
	struct rng rng;
	struct commit *commits;
	size_t commit_count, commit_room;
	struct reading *readings;
	size_t reading_count, reading_room;
	/* Its own keys: the newest acknowledged revision, 0 where deleted. */
	uint64_t own[OWN];
	uint64_t seen[KEYS]; /* a later read never shows an older version */
	unsigned operations;
	struct commit doing;
	unsigned views, replays, refusals;
};

static struct wb_store *store;
static struct client clients[THREADS];
static _Atomic uint64_t now; /* orders beginnings and ends */
static uint64_t run_seed;
static const struct wb_precondition any = {.kind = WB_IF_ANY};

#define HOLDS(condition) \
	ck_assert_msg(condition, "seed %" PRIu64 ": %s", run_seed, #condition)

/* ---- keys ---- */

static char names[KEYS][12];

static void make_names(void)
{
	for (unsigned key = 0; key < KEYS; key++)
		snprintf(names[key], sizeof(names[0]), "%02u", key);
}

static struct wb_key key_of(unsigned key)
{
	return (struct wb_key){64, {"n", 1}, {names[key], strlen(names[key])}};
}

static unsigned own_key(const struct client *client, unsigned at)
{
	return SHARED + client->number * OWN + at;
}

static void *room_for(void *array, size_t *room, size_t count, size_t each)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 256;
	array = realloc(array, *room * each);
	ck_assert_ptr_nonnull(array);
	return array;
}

/* ---- changing ---- */

static void note_change(struct client *client, unsigned key, bool deleted,
			int64_t amount)
{
	struct change *change = &client->doing.changes[client->doing.count++];

	memset(change, 0, sizeof(*change));
	change->key = key;
	change->deleted = deleted;
	if (deleted)
		return;
	change->value.thread = client->number;
	change->value.number = (uint32_t)client->commit_count;
	change->value.amount = amount;
	change->size =
		offsetof(struct value, padding) +
		(size_t)rng_below(&client->rng, sizeof(change->value.padding));
	memset(change->value.padding, (int)client->commit_count & 0xff,
	       change->size - offsetof(struct value, padding));
}

static enum wb_error put_amount(struct client *client, struct wb_txn *txn,
				unsigned key, int64_t amount)
{
	struct wb_key at = key_of(key);
	const struct change *change;

	note_change(client, key, false, amount);
	change = &client->doing.changes[client->doing.count - 1];
	return wb_txn_put(txn, &at,
			  (struct wb_bytes){&change->value, change->size}, any);
}

static int64_t amount_in_txn(struct wb_txn *txn, unsigned key)
{
	struct wb_key at = key_of(key);
	struct wb_record record;
	struct value value;

	ck_ok(wb_txn_get(txn, &at, &value, sizeof(value), &record));
	return value.amount;
}

static enum wb_error transfer(void *context, struct wb_txn *txn)
{
	struct client *client = context;
	unsigned from = (unsigned)rng_below(&client->rng, ACCOUNTS);
	unsigned to =
		(from + 1 + (unsigned)rng_below(&client->rng, ACCOUNTS - 1)) %
		ACCOUNTS;
	int64_t sum = 1 + (int64_t)rng_below(&client->rng, 50);
	int64_t had = amount_in_txn(txn, from);
	enum wb_error error;

	if (had < sum)
		return WB_CANCELLED;
	error = put_amount(client, txn, from, had - sum);
	return error ? error
		     : put_amount(client, txn, to,
				  amount_in_txn(txn, to) + sum);
}

static enum wb_error count_up(void *context, struct wb_txn *txn)
{
	struct client *client = context;
	unsigned key = ACCOUNTS + (unsigned)rng_below(&client->rng, COUNTERS);

	return put_amount(client, txn, key, amount_in_txn(txn, key) + 1);
}

static enum wb_error change_one(struct client *client, struct wb_txn *txn,
				unsigned key)
{
	struct wb_key at = key_of(key);
	enum wb_error error;

	if (rng_chance(&client->rng, 1, 3)) {
		error = wb_txn_delete(txn, &at, any);
		if (!error)
			note_change(client, key, true, 0);
		return error == WB_NOT_FOUND ? WB_OK : error;
	}
	return put_amount(client, txn, key, 0);
}

static enum wb_error change_own(void *context, struct wb_txn *txn)
{
	struct client *client = context;
	unsigned at = (unsigned)rng_below(&client->rng, OWN);
	uint64_t count = 1 + rng_below(&client->rng, CHANGES_MAX);
	enum wb_error error = WB_OK;

	for (; count && !error; count--, at++)
		error = change_one(client, txn, own_key(client, at % OWN));
	return error;
}

static enum wb_error change_free(void *context, struct wb_txn *txn)
{
	struct client *client = context;

	return change_one(client, txn,
			  ACCOUNTS + COUNTERS +
				  (unsigned)rng_below(&client->rng, FREE));
}

static enum wb_error give_up(void *context, struct wb_txn *txn)
{
	enum wb_error error = change_own(context, txn);

	return error ? error : WB_CANCELLED;
}

/* The other half of an acknowledgement: what this thread knows now. */
static void acknowledged(struct client *client, uint64_t revision,
			 uint64_t began)
{
	struct commit *commit;

	if (client->doing.count == 0) {
		HOLDS(revision == 0);
		return;
	}
	client->commits =
		room_for(client->commits, &client->commit_room,
			 client->commit_count, sizeof(*client->commits));
	commit = &client->commits[client->commit_count++];
	*commit = client->doing;
	commit->revision = revision;
	commit->began = began;
	commit->ended = ++now;
	for (size_t i = 0; i < commit->count; i++) {
		const struct change *change = &commit->changes[i];

		if (change->key >= SHARED)
			client->own[change->key - own_key(client, 0)] =
				change->deleted ? 0 : revision;
	}
}

static bool update(struct client *client,
		   enum wb_error (*callback)(void *, struct wb_txn *),
		   const struct wb_txn_options *options, uint64_t *ret_revision)
{
	struct wb_outcome outcome = {0};
	uint64_t began = ++now;
	enum wb_error error;

	client->doing.count = 0;
	error = wb_update(store, options, callback, client, &outcome);
	if (error == WB_CANCELLED)
		return false;
	ck_ok(error);
	HOLDS(!outcome.replayed);
	acknowledged(client, outcome.revision, began);
	*ret_revision = outcome.revision;
	return true;
}

static enum wb_error never(void *context, struct wb_txn *txn)
{
	(void)context;
	(void)txn;
	ck_abort_msg("an operation that was done is done again");
}

static void operate(struct client *client)
{
	struct wb_actor actor = {.uid = client->number};
	struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = &actor,
		.operation_id = {&client->operations,
				 sizeof(client->operations)},
	};
	struct wb_outcome outcome = {0};
	uint64_t revision;

	options.request_hash = ++client->operations;
	if (!update(client, count_up, &options, &revision))
		return;
	while (rng_chance(&client->rng, 1, 2)) {
		ck_ok(wb_update(store, &options, never, client, &outcome));
		HOLDS(outcome.replayed && outcome.revision == revision);
		client->replays++;
	}
}

/* Put if nobody else did since it was read. */
static void put_if_unchanged(struct client *client)
{
	unsigned number =
		ACCOUNTS + COUNTERS + (unsigned)rng_below(&client->rng, FREE);
	struct wb_precondition unchanged = {.kind = WB_IF_REVISION};
	struct wb_key key = key_of(number);
	struct wb_outcome outcome = {0};
	struct wb_record record;
	struct value value;
	struct wb_txn *txn;
	uint64_t began;
	enum wb_error error;

	if (wb_get(store, &key, &value, sizeof(value), &record))
		return;
	unchanged.revision = record.revision;
	began = ++now;
	ck_ok(wb_txn_begin(store, NULL, &txn, NULL));
	client->doing.count = 0;
	note_change(client, number, false, 0);
	error = wb_txn_put(txn, &key,
			   (struct wb_bytes){&client->doing.changes[0].value,
					     client->doing.changes[0].size},
			   unchanged);
	if (error == WB_PRECONDITION) {
		error = wb_txn_get(txn, &key, &value, sizeof(value), &record);
		HOLDS(error == WB_NOT_FOUND ||
		      record.revision > unchanged.revision);
		ck_error(wb_txn_commit(txn, &outcome), WB_PRECONDITION);
		client->refusals++;
		return;
	}
	ck_ok(error);
	ck_ok(wb_txn_commit(txn, &outcome));
	acknowledged(client, outcome.revision, began);
}

/* ---- reading ---- */

static void read_one(struct client *client)
{
	unsigned number = (unsigned)rng_below(&client->rng, KEYS);
	struct wb_key key = key_of(number);
	struct reading reading = {.key = number, .began = ++now};
	struct wb_record record;
	struct value value;
	enum wb_error error =
		wb_get(store, &key, &value, sizeof(value), &record);

	reading.ended = ++now;
	HOLDS(!error || error == WB_NOT_FOUND);
	reading.revision = error ? 0 : record.revision;
	if (!error) {
		HOLDS(record.revision >= client->seen[number]);
		client->seen[number] = record.revision;
	}
	/* Nobody else writes there. */
	if (number >= SHARED && (number - SHARED) / OWN == client->number)
		HOLDS(reading.revision ==
		      client->own[number - own_key(client, 0)]);
	client->readings =
		room_for(client->readings, &client->reading_room,
			 client->reading_count, sizeof(*client->readings));
	client->readings[client->reading_count++] = reading;
}

struct sight {
	uint64_t revisions[KEYS];
	int64_t money;
	size_t count;
	unsigned last;
};

static unsigned number_of(const struct wb_key *key)
{
	char text[3] = "";

	HOLDS(key->name.size == 2);
	memcpy(text, key->name.data, 2);
	return (unsigned)atoi(text);
}

static bool see(void *context, const struct wb_record *record)
{
	unsigned number = number_of(&record->key);
	struct sight *sight = context;
	struct value value = {0};

	HOLDS(number < KEYS && (!sight->count || number > sight->last));
	memcpy(&value, record->value.data, record->value.size);
	sight->revisions[number] = record->revision;
	sight->money += number < ACCOUNTS ? value.amount : 0;
	sight->last = number;
	sight->count++;
	return true;
}

static struct sight look(struct wb_view *view)
{
	const struct wb_bytes none = {NULL, 0};
	struct sight sight = {.count = 0};

	ck_ok(wb_view_list(view, 64, (struct wb_bytes){"n", 1}, none, none, see,
			   &sight));
	HOLDS(sight.money == ACCOUNTS * MONEY);
	return sight;
}

static void hold_view(struct client *client)
{
	struct sight before, after;
	struct wb_view *view;
	uint64_t revision;

	ck_ok(wb_view_begin(store, &view));
	before = look(view);
	while (rng_chance(&client->rng, 3, 4))
		update(client, transfer, NULL, &revision);
	for (unsigned number = 0; number < KEYS; number++) {
		struct wb_key key = key_of(number);
		struct wb_record record = {.revision = 0};
		struct value value;
		enum wb_error error =
			wb_view_get(view, &key, &value, sizeof(value), &record);

		HOLDS(error ==
		      (before.revisions[number] ? WB_OK : WB_NOT_FOUND));
		HOLDS(error || record.revision == before.revisions[number]);
		HOLDS(record.revision <= wb_view_revision(view));
	}
	after = look(view);
	HOLDS(memcmp(&before, &after, sizeof(after)) == 0);
	wb_view_end(view);
	client->views++;
}

static bool older(void *context, const struct wb_version *version)
{
	uint64_t *last = context;

	HOLDS(version->record.revision < *last);
	HOLDS(version->previous_revision < version->record.revision);
	*last = version->record.revision;
	return true;
}

static void read_history(struct client *client)
{
	struct wb_key key = key_of((unsigned)rng_below(&client->rng, KEYS));
	uint64_t last = UINT64_MAX;

	ck_ok(wb_history(store, &key, 0, 5, older, &last));
}

static void *work(void *context)
{
	struct client *client = context;
	const char *full = getenv("WAYBILL_FULL");
	unsigned steps = full && *full == '1' ? 6000 : 500;
	struct wb_stat stat = {.size = sizeof(stat)};
	uint64_t revision;

	for (unsigned step = 0; step < steps; step++) {
		switch (rng_below(&client->rng, 16)) {
		case 0:
		case 1:
			update(client, transfer, NULL, &revision);
			break;
		case 2:
			operate(client);
			break;
		case 3:
			update(client, change_free, NULL, &revision);
			break;
		case 4:
			put_if_unchanged(client);
			break;
		case 5:
			update(client, give_up, NULL, &revision);
			break;
		case 6:
			hold_view(client);
			break;
		case 7:
			read_history(client);
			break;
		case 8:
			update(client, change_own, NULL, &revision);
			break;
		case 9:
			ck_ok(wb_store_stat(store, &stat));
			HOLDS(stat.revision >= client->commits[0].revision);
			break;
		case 10:
			if (step % 8 == 0)
				ck_ok(wb_store_mark(store));
			break;
		default:
			read_one(client);
			break;
		}
	}
	return NULL;
}

/* ---- afterwards ---- */

static struct ledger *ledger;
static struct ledger_key ledger_keys[KEYS];

struct log_walk {
	uint64_t revision;
	uint32_t ordinal;
	uint64_t commits;
};

static bool take_version(void *context, const struct wb_version *version)
{
	unsigned number = number_of(&version->record.key);
	struct log_walk *walk = context;
	struct ledger_version row = {
		.revision = version->record.revision,
		.previous = version->previous_revision,
		.time_ns = version->record.time_ns,
		.value = version->record.value,
		.deleted = version->deleted,
	};

	/* Newest first, without a gap. */
	if (row.revision != walk->revision) {
		HOLDS(!walk->revision || row.revision == walk->revision - 1);
		walk->revision = row.revision;
		walk->ordinal = 0;
		walk->commits++;
	}
	row.ordinal = walk->ordinal++;
	ledger_add(ledger, &ledger_keys[number], &row);
	return true;
}

static bool follows(const struct ledger_version *version)
{
	struct ledger_key key = {.size = version->key.size};
	uint64_t previous = version->previous;
	struct ledger_version before;
	uint64_t revision = version->revision;

	memcpy(key.bytes, version->key.data, key.size);
	if (!ledger_find(ledger, &key, revision - 1, &before) || before.deleted)
		return previous == 0;
	return previous == before.revision;
}

static void take_log(uint64_t expected_commits)
{
	struct log_walk walk = {0};
	struct ledger_version version;

	ledger_clear(ledger);
	ck_ok(wb_log(store, 0, NULL, 0, 0, take_version, &walk));
	HOLDS(walk.revision == 1);
	HOLDS(walk.commits == expected_commits);
	ledger_history(ledger, walk.commits, NULL, 0);
	while (ledger_history_next(ledger, &version))
		HOLDS(follows(&version));
}

static void check_commit(const struct commit *commit)
{
	struct ledger_version version;

	for (size_t i = 0; i < commit->count; i++) {
		const struct change *change = &commit->changes[i];

		HOLDS(ledger_find(ledger, &ledger_keys[change->key],
				  commit->revision, &version));
		HOLDS(version.revision == commit->revision);
		HOLDS(version.ordinal == i);
		HOLDS(version.deleted == change->deleted);
		HOLDS(version.value.size == change->size);
		HOLDS(change->deleted ||
		      memcmp(version.value.data, &change->value,
			     change->size) == 0);
	}
}

/* By revision: when its commit began and was acknowledged. */
static uint64_t *began_at, *ended_at;

static void check_reading(const struct reading *reading)
{
	const struct ledger_key *key = &ledger_keys[reading->key];
	uint64_t after = UINT64_MAX; /* the version that came next */
	struct ledger_version version;
	bool possible = false;

	/* From the newest: each was current from some moment in its commit
	 * until some moment in the next one's. */
	ledger_history(ledger, INT64_MAX, key, 0);
	while (!possible && ledger_history_next(ledger, &version)) {
		uint64_t shown = version.deleted ? 0 : version.revision;

		possible = shown == reading->revision &&
			   began_at[version.revision] < reading->ended &&
			   (after == UINT64_MAX ||
			    ended_at[after] > reading->began);
		after = version.revision;
	}
	if (!possible && reading->revision == 0)
		possible =
			after == UINT64_MAX || ended_at[after] > reading->began;
	ck_assert_msg(possible,
		      "seed %" PRIu64 ": key %u was read as of revision "
		      "%" PRIu64 ", which was not current then",
		      run_seed, reading->key, reading->revision);
}

static bool compare_listed(void *context, const struct wb_record *record)
{
	struct ledger_version version = {0};

	(void)context;
	HOLDS(ledger_list_next(ledger, &version));
	HOLDS(record->revision == version.revision);
	HOLDS(record->value.size == version.value.size);
	HOLDS(memcmp(record->value.data, version.value.data,
		     version.value.size) == 0);
	return true;
}

static enum wb_error compare_state(void *context, struct wb_view *view)
{
	struct ledger_key all = {.size = 0}, none = {.size = 0};
	const struct wb_bytes empty = {NULL, 0};
	struct ledger_version version;

	(void)context;
	ledger_list(ledger, wb_view_revision(view), &all, &none);
	ck_ok(wb_view_list(view, 64, (struct wb_bytes){"n", 1}, empty, empty,
			   compare_listed, NULL));
	HOLDS(!ledger_list_next(ledger, &version));
	look(view);
	return WB_OK;
}

static void check_all(void)
{
	uint64_t commits = 0, readings = 0;

	for (unsigned i = 0; i < THREADS; i++)
		commits += clients[i].commit_count;
	take_log(commits);
	began_at = calloc(commits + 1, sizeof(*began_at));
	ended_at = calloc(commits + 1, sizeof(*ended_at));
	ck_assert(began_at && ended_at);
	for (unsigned i = 0; i < THREADS; i++) {
		for (size_t at = 0; at < clients[i].commit_count; at++) {
			const struct commit *commit = &clients[i].commits[at];

			HOLDS(commit->revision <= commits);
			HOLDS(began_at[commit->revision] == 0);
			began_at[commit->revision] = commit->began;
			ended_at[commit->revision] = commit->ended;
			check_commit(commit);
		}
	}
	for (unsigned i = 0; i < THREADS; i++)
		for (size_t at = 0; at < clients[i].reading_count; at++)
			check_reading(&clients[i].readings[at]);
	for (unsigned i = 0; i < THREADS; i++)
		readings += clients[i].reading_count;
	HOLDS(readings > 0);
	ck_ok(wb_view(store, compare_state, NULL));
	free(began_at);
	free(ended_at);
}

/* ---- the test ---- */

static void open_store(const char *path, uint32_t flags)
{
	struct wb_open_options options = {
		.size = sizeof(options),
		.flags = flags | WB_OPEN_ANY_FILESYSTEM,
		.segment_bytes = 128u << 10,
	};

	ck_ok(wb_store_open(path, &options, &store, NULL));
}

static enum wb_error begin_accounts(void *context, struct wb_txn *txn)
{
	struct client *client = context;
	enum wb_error error = WB_OK;
	unsigned from = client->operations;

	for (unsigned i = from; i < from + 2 && !error; i++)
		error = put_amount(client, txn, i, i < ACCOUNTS ? MONEY : 0);
	return error;
}

/* The first client puts what is always there. */
static void begin_clients(void)
{
	uint64_t revision;

	for (unsigned i = 0; i < THREADS; i++) {
		clients[i] = (struct client){.number = i};
		clients[i].rng = rng_of(run_seed * THREADS + i);
	}
	for (unsigned i = 0; i < ACCOUNTS + COUNTERS; i += 2) {
		clients[0].operations = i;
		update(&clients[0], begin_accounts, NULL, &revision);
	}
	/* Each has one commit to compare with. */
	for (unsigned i = 0; i < THREADS; i++)
		while (!clients[i].commit_count)
			update(&clients[i], change_own, NULL, &revision);
}

static void run_threads(void)
{
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert(!pthread_create(&clients[i].thread, NULL, work,
					  &clients[i]));
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(clients[i].thread, NULL);
}

static void print_counts(void)
{
	static const char *const things[] = {
		"commits",
		"reads checked",
		"views held",
		"operations done before",
		"preconditions that failed",
	};
	uint64_t counts[5] = {0};

	for (unsigned i = 0; i < THREADS; i++) {
		counts[0] += clients[i].commit_count;
		counts[1] += clients[i].reading_count;
		counts[2] += clients[i].views;
		counts[3] += clients[i].replays;
		counts[4] += clients[i].refusals;
	}
	for (unsigned i = 0; i < 5; i++)
		printf("count: threads %s %" PRIu64 "\n", things[i], counts[i]);
	fflush(stdout);
	/* A thing that never happened was not tested. */
	for (unsigned i = 0; i < 5; i++)
		ck_assert_msg(counts[i] > 0, "never: %s", things[i]);
}

START_TEST(eight_threads_and_the_ledger_agree)
{
	const char *wish = getenv("WAYBILL_SEED");
	struct wb_stat stat = {.size = sizeof(stat)};
	char *path = tempdir_make();
	uint64_t groups = 0, commits = 0;

	run_seed = wish && *wish ? strtoull(wish, NULL, 0) : 1;
	make_names();
	ledger = ledger_open();
	for (unsigned key = 0; key < KEYS; key++) {
		struct wb_key at = key_of(key);

		ledger_keys[key] = ledger_key(at.kind, at.ns, at.name);
		ledger_add_key(ledger, &ledger_keys[key]);
	}
	open_store(path, WB_OPEN_CREATE);
	begin_clients();
	for (unsigned open = 0; open < OPENS; open++) {
		run_threads();
		check_all();
		ck_ok(wb_store_stat(store, &stat));
		HOLDS(stat.views == 0 && stat.pinned_bytes == 0);
		groups += stat.groups;
		commits += stat.commits;
		if (open == 0)
			store_abandon(store);
		else
			ck_ok(wb_store_close(store));
		open_store(path, 0);
		check_all();
	}
	ck_ok(wb_store_close(store));
	/* Eight committers need fewer syncs than there are commits. */
	HOLDS(groups < commits);
	print_counts();
	for (unsigned i = 0; i < THREADS; i++) {
		free(clients[i].commits);
		free(clients[i].readings);
	}
	ledger_close(ledger);
	tempdir_remove(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model_threads");
	TCase *tcase = tcase_create("model_threads");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, eight_threads_and_the_ledger_agree);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
