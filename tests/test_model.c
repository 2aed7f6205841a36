/* SPDX-License-Identifier: Apache-2.0
 *
 * The store against SQLite, one step at a time.
 *
 * From a seed: Updates that are committed, only staged, or given up; flushes,
 * views held while others commit, look-ups, listings, history, operation ids
 * that are tried again; and a disk that fills up, fails and loses power, and
 * processes that are killed. After each step the store must say what the
 * ledger says, and what it says of errors must be true.
 *
 * One thread, and no luck: what other threads would do while a group is being
 * synced is done from inside of that sync (simdisk_observe). That is where
 * the order of index, overlay and rounds is put to the test.
 *
 * What is known at any time:
 *
 *	durable   revisions up to here are durable and published
 *	staged    and up to here they are on their way
 *	doubt     after a failed sync: up to here they may be found again
 *
 * WAYBILL_SEED=n runs that seed alone, and says what it does.
 */
#include "store/state.h"
#include "tests/support/ledger.h"
#include "tests/support/rng.h"
#include "tests/support/shelf.h"

#include <inttypes.h>
#include <stdarg.h>

enum {
	KEYS = 24,
	VIEWS = 4,
	TICKETS = 12,
	VALUE_BYTES_MAX = 6000,
	OPERATIONS = 40,
	STEPS = 1500,
#ifdef __SANITIZE_THREAD__
	SEEDS = 20, /* there is one thread to watch */
#else
	SEEDS = 200,
#endif
};

/* What was counted, and must have happened. */
/* clang-format off */
#define COUNT_LIST(X)                                                         \
	X(STEPS_DONE, "steps")                                                \
	X(COMMITTED, "transactions committed")                                \
	X(STAGED, "transactions staged")                                      \
	X(ABORTED, "transactions aborted")                                    \
	X(REFUSED, "preconditions that failed")                               \
	X(REPLAYED, "operations done before")                                 \
	X(CONFLICTS, "operation ids used twice")                              \
	X(MEANWHILE, "steps during a sync")                                   \
	X(GETS, "look-ups compared")                                          \
	X(LISTS, "listings compared")                                         \
	X(OLD_READS, "reads of old views")                                    \
	X(TOO_OLD, "views given up")                                          \
	X(HISTORIES, "histories compared")                                    \
	X(VOIDED, "rounds lost to a full disk or a failed write")             \
	X(UNKNOWN, "syncs that failed")                                       \
	X(STOPPED, "steps of a store that stopped")                                     \
	X(CLOSED, "closed and opened")                                        \
	X(KILLED, "killed and opened")                                        \
	X(CUTS, "power cut and opened")                                       \
	X(FOUND, "unacknowledged commits found again")                        \
	X(GONE, "unacknowledged commits gone")

enum count {
#define COUNT_ENUM(name, text) COUNT_##name,
	COUNT_LIST(COUNT_ENUM)
#undef COUNT_ENUM
	COUNTS,
};
/* clang-format on */

struct open_txn {
	struct wb_txn *txn; /* NULL: none is open */
	uint64_t revision;  /* that it will have */
	uint64_t seen;	    /* newest staged version that an answer told of */
	bool touched;	    /* it looked where something is staged */
	bool failed;	    /* a precondition */
	bool doomed;	    /* its round is over */
	enum wb_error doom;
	uint64_t doom_durable;
	unsigned count, puts;
	int operation; /* id, or -1 */
	uint32_t uid;
	uint64_t hash;
};

struct open_view {
	struct wb_view *view;
	uint64_t revision;
	bool too_old;
};

struct open_ticket {
	struct store_ticket ticket;
	bool decided;
	enum wb_error error;
};

struct model {
	uint64_t seed;
	unsigned step;
	bool verbose;
	struct rng rng;
	struct shelf shelf;
	struct ledger *ledger;
	uint64_t durable, staged, doubt, round;
	bool stopped;
	bool trouble; /* something was made to fail since the open */
	bool bounded; /* views may be given up */
	bool quiet;   /* nothing is done during a sync */
	bool meanwhile;
	struct open_txn txn;
	struct open_view views[VIEWS];
	struct open_ticket tickets[TICKETS];
	uint64_t counts[COUNTS];
};

static struct model model;
static struct wb_key keys[KEYS];
static struct ledger_key ledger_keys[KEYS];

/* ---- saying it ---- */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list arguments;

	if (!model.verbose)
		return;
	printf("%5u %s", model.step, model.meanwhile ? "  meanwhile " : "");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

#define AGREES(condition)                                                \
	ck_assert_msg(condition,                                         \
		      "seed %" PRIu64 ", step %u: %s (durable %" PRIu64  \
		      ", staged %" PRIu64 ", store %" PRIu64 ")",        \
		      model.seed, model.step, #condition, model.durable, \
		      model.staged, (uint64_t)model.shelf.store->published)

#define AGREES_ERROR(error, expected)                                       \
	ck_assert_msg((error) == (expected),                                \
		      "seed %" PRIu64 ", step %u: %s is %s, not %s",        \
		      model.seed, model.step, #error, wb_error_code(error), \
		      wb_error_code(expected))

static bool chance(uint64_t part, uint64_t whole)
{
	return rng_chance(&model.rng, part, whole);
}

static uint64_t below(uint64_t bound)
{
	return rng_below(&model.rng, bound);
}

/* ---- keys and values ---- */

static const struct {
	uint32_t kind;
	const char *ns, *name;
} key_texts[KEYS] = {
	{1, "default", "a"},	 {1, "default", "a:1"},	 {1, "default", "a:2"},
	{1, "default", "ab"},	 {1, "default", "b"},	 {1, "default", "b/c"},
	{1, "default", "b/c/d"}, {1, "default", "\xff"}, {1, "k8s.io", "a"},
	{1, "k8s.io", "b"},	 {1, "", "a"},		 {2, "", "default"},
	{2, "", "k8s.io"},	 {64, "n", "1"},	 {64, "n", "10"},
	{64, "n", "100"},	 {64, "n", "2"},	 {64, "n", "20"},
	{64, "n\x01", "1"},	 {64, "nn", "1"},	 {64, "nn", "2"},
	{191, "z", "\x01"},	 {191, "z", "\x01\x01"}, {191, "z", "\x02"},
};

static void make_keys(void)
{
	for (unsigned i = 0; i < KEYS; i++) {
		keys[i] = (struct wb_key){key_texts[i].kind,
					  text_of(key_texts[i].ns),
					  text_of(key_texts[i].name)};
		ledger_keys[i] =
			ledger_key(keys[i].kind, keys[i].ns, keys[i].name);
		ledger_add_key(model.ledger, &ledger_keys[i]);
	}
}

/* Slices of one pool, so that a value is cheap to make. */
static struct wb_bytes draw_value(void)
{
	static uint8_t pool[2 * VALUE_BYTES_MAX];
	static bool filled;
	struct rng rng = rng_of(1);
	size_t size = (size_t)below(chance(1, 15) ? VALUE_BYTES_MAX : 120);

	if (!filled)
		rng_fill(&rng, pool, sizeof(pool));
	filled = true;
	return (struct wb_bytes){pool + below(VALUE_BYTES_MAX), size};
}

static bool bytes_equal(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* ---- what is known ---- */

static bool is_trouble(enum wb_error error)
{
	return error == WB_NO_SPACE || error == WB_IO ||
	       error == WB_OUTCOME_UNKNOWN || error == WB_STOPPED;
}

static void decide_tickets(uint64_t durable, enum wb_error rest)
{
	for (unsigned i = 0; i < TICKETS; i++) {
		struct open_ticket *at = &model.tickets[i];

		if (at->decided)
			continue;
		if (at->ticket.revision <= durable) {
			at->decided = true;
			at->error = WB_OK;
		} else if (rest) {
			at->decided = true;
			at->error = rest;
		}
	}
}

static void advance(uint64_t durable)
{
	AGREES(durable >= model.durable && durable <= model.staged);
	model.durable = durable;
	model.doubt = durable;
	decide_tickets(durable, WB_OK);
}

/* The round is over: all that is staged is lost, or in doubt up to `upper`. */
static void lose_round(uint64_t upper)
{
	struct wb_store *store = model.shelf.store;
	const struct round_end *end =
		&store->round_ends[model.round % ROUNDS_KEPT];

	AGREES(model.trouble);
	AGREES(store->round == model.round + 1);
	AGREES(is_trouble(end->error));
	AGREES(end->durable == model.durable);
	say("the round is lost: %s", wb_error_code(end->error));
	model.round++;
	if (end->error == WB_OUTCOME_UNKNOWN) {
		model.doubt = upper;
		model.counts[COUNT_UNKNOWN]++;
	} else {
		model.counts[COUNT_VOIDED]++;
	}
	model.stopped |=
		end->error == WB_OUTCOME_UNKNOWN || end->error == WB_STOPPED;
	model.staged = model.durable;
	ledger_cut(model.ledger, model.doubt);
	decide_tickets(model.durable, end->error);
	if (model.txn.txn && !model.txn.doomed) {
		model.txn.doomed = true;
		model.txn.doom = end->error;
		model.txn.doom_durable = model.durable;
	}
}

/* After a call that may have flushed all up to `upper`. */
static void look_at_flush(uint64_t upper)
{
	uint64_t published = model.shelf.store->published;

	AGREES(published == model.durable || published == upper);
	if (published > model.durable)
		advance(published);
	if (model.shelf.store->round != model.round)
		lose_round(upper);
}

/* Where a failure is nobody's answer it shows later. */
static bool learn_of_stop(enum wb_error error)
{
	if (error != WB_STOPPED)
		return false;
	AGREES(model.trouble);
	model.stopped = true;
	return true;
}

static void remember_ticket(struct store_ticket ticket,
			    const struct open_txn *txn)
{
	struct open_ticket *at = &model.tickets[below(TICKETS)];

	*at = (struct open_ticket){.ticket = ticket};
	if (ticket.round == model.round) {
		decide_tickets(model.durable, WB_OK);
		return;
	}
	AGREES(txn->doomed);
	at->decided = true;
	at->error = ticket.revision <= txn->doom_durable ? WB_OK : txn->doom;
}

/* ---- comparing ---- */

static uint8_t buffer[VALUE_BYTES_MAX];

static void compare_get(enum wb_error error, const struct wb_record *record,
			unsigned key, uint64_t revision)
{
	struct ledger_version version;
	bool there = ledger_find(model.ledger, &ledger_keys[key], revision,
				 &version) &&
		     !version.deleted;

	model.counts[COUNT_GETS]++;
	AGREES_ERROR(error, there ? WB_OK : WB_NOT_FOUND);
	if (!there)
		return;
	AGREES(record->revision == version.revision);
	AGREES(record->time_ns == version.time_ns);
	AGREES(bytes_equal(record->value, version.value));
}

static bool compare_listed(void *context, const struct wb_record *record)
{
	struct ledger_key key =
		ledger_key(record->key.kind, record->key.ns, record->key.name);
	struct ledger_version version = {0};
	size_t *left = context;

	AGREES(ledger_list_next(model.ledger, &version));
	AGREES(bytes_equal((struct wb_bytes){key.bytes, key.size},
			   version.key));
	AGREES(record->revision == version.revision);
	AGREES(record->time_ns == version.time_ns);
	AGREES(bytes_equal(record->value, version.value));
	return --*left > 0;
}

/* What a listing is asked for. */
struct request {
	uint32_t kind;
	struct wb_bytes ns, prefix, after;
	struct ledger_key ledger_prefix, ledger_after;
	size_t left;
};

static struct request draw_request(void)
{
	const struct wb_key *key = &keys[below(KEYS)];
	const struct wb_key *other = &keys[below(KEYS)];
	struct request request = {
		.kind = key->kind,
		.ns = key->ns,
		.prefix = {key->name.data, below(key->name.size + 1)},
		.after = {other->name.data,
			  chance(1, 2) ? 0 : other->name.size},
		.left = chance(1, 4) ? 1 + below(3) : SIZE_MAX,
	};

	request.ledger_prefix =
		ledger_key(request.kind, request.ns, request.prefix);
	if (request.after.size)
		request.ledger_after =
			ledger_key(request.kind, request.ns, request.after);
	return request;
}

static void compare_list(const struct request *request, struct wb_view *view,
			 struct wb_txn *txn, uint64_t revision,
			 enum wb_error expected)
{
	struct ledger_version version;
	size_t left = request->left;
	enum wb_error error;

	model.counts[COUNT_LISTS]++;
	ledger_list(model.ledger, revision, &request->ledger_prefix,
		    &request->ledger_after);
	if (view)
		error = wb_view_list(view, request->kind, request->ns,
				     request->prefix, request->after,
				     compare_listed, &left);
	else
		error = wb_txn_list(txn, request->kind, request->ns,
				    request->prefix, request->after,
				    compare_listed, &left);
	AGREES_ERROR(error, expected);
	if (!error && left)
		AGREES(!ledger_list_next(model.ledger, &version));
}

/* ---- views ---- */

static void begin_view(void)
{
	struct open_view *at = &model.views[below(VIEWS)];

	if (at->view)
		return;
	ck_ok(wb_view_begin(model.shelf.store, &at->view));
	at->revision = wb_view_revision(at->view);
	at->too_old = false;
	say("a view begins at %" PRIu64, at->revision);
	AGREES(at->revision == model.durable);
}

static void end_view(struct open_view *at)
{
	wb_view_end(at->view);
	at->view = NULL;
}

/* Once it is given up, it stays so; and only then. */
static bool is_given_up(struct open_view *at, enum wb_error error)
{
	if (error != WB_SNAPSHOT_TOO_OLD) {
		AGREES(!at->too_old);
		return false;
	}
	AGREES(model.bounded);
	AGREES(at->revision < model.durable);
	model.counts[COUNT_TOO_OLD] += !at->too_old;
	at->too_old = true;
	return true;
}

static void read_view(void)
{
	struct open_view *at = &model.views[below(VIEWS)];
	struct request request = draw_request();
	unsigned key = (unsigned)below(KEYS);
	struct wb_record record;
	enum wb_error error;

	if (!at->view)
		return;
	error = wb_view_get(at->view, &keys[key], buffer, sizeof(buffer),
			    &record);
	if (!is_given_up(at, error))
		compare_get(error, &record, key, at->revision);
	compare_list(&request, at->view, NULL, at->revision,
		     at->too_old ? WB_SNAPSHOT_TOO_OLD : WB_OK);
	model.counts[COUNT_OLD_READS] += at->revision < model.durable;
}

struct namespaces {
	struct wb_bytes seen[8];
	uint8_t bytes[8][8];
	size_t count;
};

static void add_namespace(struct namespaces *all, struct wb_bytes ns)
{
	AGREES(all->count < 8 && ns.size <= 8);
	all->seen[all->count] =
		(struct wb_bytes){all->bytes[all->count], ns.size};
	memcpy(all->bytes[all->count++], ns.size ? ns.data : "", ns.size);
}

static bool see_namespace(void *context, struct wb_bytes ns)
{
	add_namespace(context, ns);
	return true;
}

static void list_namespaces(void)
{
	struct open_view *at = &model.views[below(VIEWS)];
	struct ledger_key all = {.size = 1}, none = {.size = 0};
	struct namespaces seen = {.count = 0}, expected = {.count = 0};
	uint32_t kind = keys[below(KEYS)].kind;
	struct ledger_version version;
	struct wb_bytes ns;

	if (!at->view ||
	    is_given_up(at, wb_view_namespaces(at->view, kind, see_namespace,
					       &seen)))
		return;
	all.bytes[0] = (uint8_t)kind;
	ledger_list(model.ledger, at->revision, &all, &none);
	while (ledger_list_next(model.ledger, &version)) {
		ns.data = (const uint8_t *)version.key.data + 1;
		ns.size = strlen(ns.data);
		if (!expected.count ||
		    !bytes_equal(expected.seen[expected.count - 1], ns))
			add_namespace(&expected, ns);
	}
	AGREES(seen.count == expected.count);
	for (size_t i = 0; i < seen.count; i++)
		AGREES(bytes_equal(seen.seen[i], expected.seen[i]));
}

/* ---- reading what is durable ---- */

static void get_durable(void)
{
	unsigned key = (unsigned)below(KEYS);
	struct wb_record record;
	enum wb_error error = wb_get(model.shelf.store, &keys[key], buffer,
				     sizeof(buffer), &record);

	compare_get(error, &record, key, model.durable);
}

/* A page: so many versions, and the rest of the last one's commit. */
struct page {
	size_t left;
	uint64_t revision; /* that was visited last */
};

static bool compare_version(void *context, const struct wb_version *version)
{
	const struct wb_record *record = &version->record;
	struct ledger_key key =
		ledger_key(record->key.kind, record->key.ns, record->key.name);
	struct ledger_version expected = {0};
	struct page *page = context;

	AGREES(page->left || record->revision == page->revision);
	page->left -= page->left > 0;
	page->revision = record->revision;
	AGREES(ledger_history_next(model.ledger, &expected));
	AGREES(bytes_equal((struct wb_bytes){key.bytes, key.size},
			   expected.key));
	AGREES(record->revision == expected.revision);
	AGREES(record->time_ns == expected.time_ns);
	AGREES(version->previous_revision == expected.previous);
	AGREES(version->deleted == expected.deleted);
	AGREES(bytes_equal(record->value, expected.value));
	return true;
}

static void read_history(void)
{
	unsigned key = (unsigned)below(KEYS + 1);
	uint64_t before = chance(1, 2) ? 0 : below(model.durable + 3);
	size_t limit = key == KEYS || chance(1, 2) ? 1 + below(20) : 0;
	struct page page = {.left = limit ? limit : SIZE_MAX};
	struct ledger_version version;
	enum wb_error error;

	model.counts[COUNT_HISTORIES]++;
	ledger_history(model.ledger, model.durable,
		       key == KEYS ? NULL : &ledger_keys[key], before);
	if (key == KEYS)
		error = wb_log(model.shelf.store, 0, NULL, before, limit,
			       compare_version, &page);
	else
		error = wb_history(model.shelf.store, &keys[key], before, limit,
				   compare_version, &page);
	if (error == WB_IO && simdisk_is_cut(model.shelf.disk))
		return;
	AGREES_ERROR(error, WB_OK);
	if (ledger_history_next(model.ledger, &version))
		AGREES(!page.left && version.revision != page.revision);
}

static void read_time(void)
{
	int64_t time_ns =
		model.shelf.env.wall_ns - (int64_t)below(UINT64_C(2000000000));
	uint64_t revision = 0;
	enum wb_error error =
		wb_revision_at(model.shelf.store, time_ns, &revision);

	if (error == WB_IO && simdisk_is_cut(model.shelf.disk))
		return;
	AGREES_ERROR(error, WB_OK);
	AGREES(revision ==
	       ledger_revision_at(model.ledger, model.durable, time_ns));
}

static void poll_ticket(void)
{
	const struct open_ticket *at = &model.tickets[below(TICKETS)];
	enum wb_error error = WB_USAGE;
	bool decided = store_poll(model.shelf.store, &at->ticket, &error);

	if (at->ticket.revision == 0)
		return;
	AGREES(decided == at->decided);
	if (model.round - at->ticket.round > ROUNDS_KEPT)
		AGREES_ERROR(error, WB_OUTCOME_UNKNOWN);
	else if (decided)
		AGREES_ERROR(error, at->error);
}

/* ---- Updates: begin ---- */

/* Done before: what it saw of that must be durable when it says so. */
static void check_repeated(enum wb_error error, enum wb_error expected,
			   const struct wb_outcome *outcome, uint64_t done)
{
	if (is_trouble(error)) {
		AGREES(model.trouble);
		AGREES(model.durable < done);
		return;
	}
	AGREES_ERROR(error, expected);
	AGREES(model.durable >= done);
	if (error)
		return;
	AGREES(outcome->replayed);
	AGREES(outcome->revision == done);
}

static void opened(struct wb_txn *txn, int operation, uint32_t uid,
		   uint64_t hash)
{
	model.txn = (struct open_txn){
		.txn = txn,
		.revision = model.staged + 1,
		.operation = operation,
		.uid = uid,
		.hash = hash,
	};
	AGREES(txn->revision == model.txn.revision);
	AGREES(wb_txn_time(txn) == model.shelf.env.wall_ns);
}

/* Where it looks for room first, what comes in its way would wait for it. */
static enum wb_error begin_quietly(const struct wb_txn_options *options,
				   struct wb_txn **ret_txn,
				   struct wb_outcome *ret_outcome)
{
	enum wb_error error;

	model.quiet = !log_has_reserve(model.shelf.store->log);
	error = wb_txn_begin(model.shelf.store, options, ret_txn, ret_outcome);
	model.quiet = false;
	return error;
}

static void begin_operation(void)
{
	unsigned id = (unsigned)below(OPERATIONS);
	struct wb_actor actor = {.uid = (uint32_t)below(2)};
	uint64_t hash = chance(1, 6) ? 2 : 1, known_hash, done = 0;
	bool known = ledger_find_operation(model.ledger, actor.uid, id,
					   &known_hash, &done);
	struct wb_outcome outcome = {0};
	uint64_t upper = model.staged;
	struct wb_txn *txn = NULL;
	char text[8];
	struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = &actor,
		.operation_ns = text_of("ns"),
		.operation_id = {text, 8},
		.request_hash = hash,
	};
	enum wb_error error;

	/* It would wait for the sync that it is part of. */
	if (model.meanwhile && known && done > model.durable)
		return;
	snprintf(text, sizeof(text), "op %u", id);
	memset(text + 5, 0, 3);
	error = begin_quietly(&options, &txn, &outcome);
	say("operation %u begins: %s%s", id, wb_error_code(error),
	    outcome.replayed ? ", done before" : "");
	if (learn_of_stop(error))
		return;
	if (known) {
		bool same = known_hash == hash;

		AGREES(!txn);
		look_at_flush(upper);
		model.counts[same ? COUNT_REPLAYED : COUNT_CONFLICTS]++;
		check_repeated(error, same ? WB_OK : WB_CONFLICT, &outcome,
			       done);
		return;
	}
	AGREES_ERROR(error, WB_OK);
	opened(txn, (int)id, actor.uid, hash);
}

static void begin_txn(void)
{
	struct wb_txn *txn = NULL;
	enum wb_error error;

	if (!model.txn.txn && !model.stopped && chance(1, 3)) {
		begin_operation();
		return;
	}
	error = begin_quietly(NULL, &txn, NULL);
	say("an Update begins: %s", wb_error_code(error));
	if (model.txn.txn) {
		AGREES_ERROR(error, WB_NESTED);
		return;
	}
	if (model.stopped)
		AGREES_ERROR(error, WB_STOPPED);
	if (learn_of_stop(error))
		return;
	AGREES_ERROR(error, WB_OK);
	opened(txn, -1, 0, 0);
}

/* ---- Updates: what they see and do ---- */

static void see_version(const struct ledger_version *version)
{
	struct open_txn *txn = &model.txn;

	if (version->revision <= model.durable ||
	    version->revision == txn->revision)
		return;
	txn->touched = true;
	if (version->revision > txn->seen)
		txn->seen = version->revision;
}

static void get_in_txn(void)
{
	struct open_txn *txn = &model.txn;
	unsigned key = (unsigned)below(KEYS);
	struct ledger_version version;
	struct wb_record record;
	enum wb_error error = wb_txn_get(txn->txn, &keys[key], buffer,
					 sizeof(buffer), &record);

	if (txn->doomed)
		return; /* its ground is gone, and it will be told */
	compare_get(error, &record, key, txn->revision);
	if (ledger_find(model.ledger, &ledger_keys[key], txn->revision,
			&version))
		see_version(&version);
}

static void list_in_txn(void)
{
	struct open_txn *txn = &model.txn;
	struct request request = draw_request();
	uint64_t newest;

	if (txn->doomed)
		return;
	compare_list(&request, NULL, txn->txn, txn->revision, WB_OK);
	/* It says so of all with the prefix; at least those it showed count. */
	newest = ledger_newest(model.ledger, model.staged, model.durable,
			       &request.ledger_prefix);
	txn->touched |= newest > 0;
	if (newest && !request.after.size && newest > txn->seen)
		txn->seen = newest;
}

static struct wb_precondition draw_precondition(uint64_t current)
{
	struct wb_precondition precondition = {.kind = WB_IF_ANY};

	switch (below(20)) {
	case 0:
		precondition.kind = WB_IF_ABSENT;
		break;
	case 1:
		precondition.kind = WB_IF_PRESENT;
		break;
	case 2:
		precondition.kind = WB_IF_REVISION;
		precondition.revision = current && chance(3, 4)
						? current
						: 1 + below(model.staged + 2);
		break;
	default:
		break;
	}
	return precondition;
}

static bool holds(struct wb_precondition precondition, uint64_t current)
{
	switch (precondition.kind) {
	case WB_IF_ABSENT:
		return current == 0;
	case WB_IF_PRESENT:
		return current != 0;
	case WB_IF_REVISION:
		return current == precondition.revision;
	default:
		return true;
	}
}

static enum wb_error expected_of_change(const struct ledger_version *current,
					struct wb_precondition precondition,
					bool deletes)
{
	struct open_txn *txn = &model.txn;

	if (txn->failed)
		return WB_PRECONDITION;
	if (current->revision == txn->revision)
		return WB_USAGE;
	see_version(current);
	if (!holds(precondition, current->deleted ? 0 : current->revision)) {
		txn->failed = true;
		model.counts[COUNT_REFUSED]++;
		return WB_PRECONDITION;
	}
	return deletes && current->deleted ? WB_NOT_FOUND : WB_OK;
}

static void change_in_txn(void)
{
	struct open_txn *txn = &model.txn;
	struct ledger_version current = {.deleted = true}, version;
	unsigned key = (unsigned)below(KEYS);
	bool deletes = chance(1, 3);
	struct wb_precondition precondition;
	enum wb_error error, expected;

	if (txn->doomed)
		return;
	ledger_find(model.ledger, &ledger_keys[key], txn->revision, &current);
	precondition =
		draw_precondition(current.deleted ? 0 : current.revision);
	version = (struct ledger_version){
		.revision = txn->revision,
		.previous = current.deleted ? 0 : current.revision,
		.ordinal = txn->count,
		.time_ns = wb_txn_time(txn->txn),
		.deleted = deletes,
	};
	expected = expected_of_change(&current, precondition, deletes);
	if (!deletes)
		version.value = draw_value();
	error = deletes ? store_txn_delete(txn->txn, &keys[key], precondition)
			: store_txn_put(txn->txn, &keys[key], version.value,
					precondition);
	say("%s key %u: %s", deletes ? "delete" : "put", key,
	    wb_error_code(error));
	AGREES_ERROR(error, expected);
	if (error)
		return;
	ledger_add(model.ledger, &ledger_keys[key], &version);
	txn->count++;
	txn->puts += !deletes;
}

/* ---- Updates: ends ---- */

/* What its own changes are worth when it ends. */
static enum wb_error expected_of_end(const struct open_txn *txn)
{
	if (txn->failed)
		return WB_PRECONDITION;
	if (!txn->count || !txn->doomed)
		return WB_OK;
	return txn->doom == WB_OUTCOME_UNKNOWN ? WB_STOPPED : txn->doom;
}

static bool will_be_staged(const struct open_txn *txn)
{
	return txn->count && !txn->failed && !txn->doomed;
}

/* Without a reserve a put is refused before anything else is looked at. */
static bool may_be_refused(const struct open_txn *txn)
{
	return txn->puts && !txn->failed &&
	       !log_has_reserve(model.shelf.store->log);
}

/* Its rows are there already; from here on they count, unless taken back. */
static void take_as_staged(const struct open_txn *txn)
{
	model.staged = txn->revision;
	if (txn->operation >= 0)
		ledger_add_operation(model.ledger, txn->uid,
				     (unsigned)txn->operation, txn->hash,
				     txn->revision);
}

/* Those of a doomed one went with its round. */
static void take_back(const struct open_txn *txn)
{
	if (txn->doomed)
		return;
	ledger_cut(model.ledger, txn->revision - 1);
	model.staged = txn->revision - 1;
}

static void stage_txn(struct open_txn txn)
{
	bool staged = will_be_staged(&txn), refusable = may_be_refused(&txn);
	struct store_ticket ticket = {77, 77};
	enum wb_error error;

	error = store_stage(txn.txn, &ticket);
	say("stage revision %" PRIu64 ": %s", txn.revision,
	    wb_error_code(error));
	if (refusable && is_trouble(error)) {
		AGREES(model.trouble);
		staged = false;
	} else {
		AGREES_ERROR(error, expected_of_end(&txn));
	}
	if (staged) {
		AGREES(ticket.revision == txn.revision);
		take_as_staged(&txn);
		model.counts[COUNT_STAGED]++;
	} else {
		AGREES(ticket.revision >= txn.seen);
		take_back(&txn);
	}
	remember_ticket(ticket, &txn);
}

/* It waited for what it had seen. (The store may count more than we do: all of
 * a listing's namespace, say, and not only what was shown.) */
static void check_waited(const struct open_txn *txn, enum wb_error error,
			 enum wb_error expected)
{
	uint64_t durable = txn->doomed ? txn->doom_durable : model.durable;

	if (is_trouble(error) && error != expected)
		AGREES(model.trouble && txn->touched);
	else
		AGREES_ERROR(error, expected);
	if (!is_trouble(error))
		AGREES(txn->seen <= durable);
}

/* It commits nothing, and says why. */
static void commit_in_vain(struct open_txn txn)
{
	struct wb_outcome outcome = {.revision = 77};
	bool refusable = may_be_refused(&txn);
	enum wb_error error;
	uint64_t upper;

	take_back(&txn);
	upper = model.staged;
	error = wb_txn_commit(txn.txn, &outcome);
	say("commit of nothing: %s", wb_error_code(error));
	look_at_flush(upper);
	check_waited(&txn, error,
		     refusable && is_trouble(error) ? error
						    : expected_of_end(&txn));
	AGREES(outcome.revision == (error ? 77 : 0));
}

static void commit_txn(struct open_txn txn)
{
	bool refusable = may_be_refused(&txn);
	struct wb_outcome outcome = {.revision = 77};
	uint64_t round = model.round;
	enum wb_error error;

	if (!will_be_staged(&txn)) {
		commit_in_vain(txn);
		return;
	}
	take_as_staged(&txn);
	error = wb_txn_commit(txn.txn, &outcome);
	say("commit revision %" PRIu64 ": %s", txn.revision,
	    wb_error_code(error));
	AGREES(outcome.revision == (error ? 77 : txn.revision));
	if (error && model.shelf.store->round == round) {
		AGREES(refusable && is_trouble(error) && model.trouble);
		take_back(&txn);
		look_at_flush(model.staged);
		return;
	}
	look_at_flush(txn.revision);
	if (model.round != round) {
		AGREES(is_trouble(error));
		return;
	}
	AGREES_ERROR(error, WB_OK);
	AGREES(model.durable >= txn.revision);
	model.counts[COUNT_COMMITTED]++;
}

static void abort_txn(struct open_txn txn)
{
	uint64_t commits = model.shelf.store->commits, upper;
	enum wb_error error;

	take_back(&txn);
	upper = model.staged;
	error = wb_txn_abort(txn.txn);
	say("abort: %s", wb_error_code(error));
	look_at_flush(upper);
	check_waited(&txn, error, WB_OK);
	/* Who has seen nothing that is staged waits for nothing. */
	if (!txn.touched)
		AGREES(model.shelf.store->commits == commits);
	model.counts[COUNT_ABORTED]++;
}

static void end_txn(void)
{
	struct open_txn txn = model.txn;

	/* From here on, also during a sync, another one may begin. */
	model.txn.txn = NULL;
	/* During a sync nobody can wait for it in this thread. */
	if (model.meanwhile || chance(1, 2))
		stage_txn(txn);
	else if (chance(3, 4))
		commit_txn(txn);
	else
		abort_txn(txn);
}

static void step_in_txn(void)
{
	/* Little can be learnt from what can only be aborted. */
	switch (model.txn.failed && chance(1, 2) ? 2 : below(6)) {
	case 0:
		get_in_txn();
		break;
	case 1:
		list_in_txn();
		break;
	case 2:
		end_txn();
		break;
	default:
		change_in_txn();
		break;
	}
}

/* ---- the log ---- */

static void flush(void)
{
	uint64_t upper = model.staged, round = model.round;
	enum wb_error error = store_flush(model.shelf.store);

	say("flush up to %" PRIu64 ": %s", upper, wb_error_code(error));
	look_at_flush(upper);
	if (model.round != round)
		AGREES(is_trouble(error));
	else
		AGREES_ERROR(error, WB_OK);
}

static void mark(void)
{
	enum wb_error error = wb_store_mark(model.shelf.store);

	say("mark: %s", wb_error_code(error));
	if (is_trouble(error))
		AGREES(model.trouble);
	else
		AGREES_ERROR(error, WB_OK);
	model.stopped |= error == WB_OUTCOME_UNKNOWN;
	learn_of_stop(error);
}

static void advance_clock(void)
{
	if (chance(1, 40))
		simenv_set_wall(&model.shelf.env,
				model.shelf.env.wall_ns -
					(int64_t)below(UINT64_C(3000000000)));
	else
		simenv_advance(&model.shelf.env,
			       (int64_t)below(UINT64_C(100000000)));
}

/* ---- trouble ---- */

static void make_trouble(void)
{
	static const struct {
		enum sim_op kind;
		enum wb_error error;
	} faults[] = {
		{SIM_WRITE, WB_NO_SPACE}, {SIM_WRITE, WB_IO},
		{SIM_SYNC, WB_IO},	  {SIM_ALLOCATE, WB_NO_SPACE},
		{SIM_CREATE, WB_IO},	  {SIM_RENAME, WB_IO},
		{SIM_DIR_SYNC, WB_IO},
	};
	unsigned which = (unsigned)below(sizeof(faults) / sizeof(*faults));
	struct sim_fault fault = {
		.kind = faults[which].kind,
		.nth = 1 + below(4),
		.error = faults[which].error,
		.forever = chance(1, 4),
		.partial = chance(1, 2),
	};

	model.trouble = true;
	simdisk_faults_clear(model.shelf.disk);
	if (chance(1, 3)) {
		uint64_t room = below(40000);

		say("room for %" PRIu64 " bytes is left", room);
		simdisk_capacity(model.shelf.disk,
				 simdisk_used(model.shelf.disk) + room);
		return;
	}
	say("%s number %" PRIu64 " will fail%s: %s", sim_op_name(fault.kind),
	    fault.nth, fault.forever ? " for ever" : "",
	    wb_error_code(fault.error));
	simdisk_fault(model.shelf.disk, fault);
}

/* A store that stopped stays so; one that found no room goes on. */
static void end_trouble(void)
{
	simdisk_faults_clear(model.shelf.disk);
	simdisk_capacity(model.shelf.disk, 0);
	say("the disk is well again");
}

/* ---- ends of the handle ---- */

static void drop_handles(void)
{
	if (model.txn.txn) {
		/* As when the process ends: nobody waits. */
		take_back(&model.txn);
		txn_free(model.txn.txn);
		turn_give(model.shelf.store);
		model.txn.txn = NULL;
	}
	for (unsigned i = 0; i < VIEWS; i++)
		end_view(&model.views[i]);
}

static void cut_power(void)
{
	struct sim_crash crash = sim_crash_random(&model.rng);

	say("power is cut; kept: %s, seed %" PRIu64, sim_keep_name(crash.keep),
	    crash.seed);
	shelf_cut(&model.shelf, crash);
	model.counts[COUNT_CUTS]++;
}

static void do_meanwhile(void *context, enum sim_op op, const char *name);

static void check_recovered(void)
{
	uint64_t revision = model.shelf.store->published;

	simdisk_observe(model.shelf.disk, SIM_SYNC, do_meanwhile, NULL);
	say("opened at %" PRIu64 " (%" PRIu64 " to %" PRIu64 ")", revision,
	    model.durable, model.doubt);
	AGREES(revision >= model.durable);
	AGREES(revision <= model.doubt);
	model.counts[COUNT_FOUND] += revision - model.durable;
	model.counts[COUNT_GONE] += model.doubt - revision;
	ledger_cut(model.ledger, revision);
	model.durable = model.staged = model.doubt = revision;
	model.round = model.shelf.store->round;
	model.stopped = model.trouble = false;
	for (unsigned i = 0; i < TICKETS; i++)
		model.tickets[i] = (struct open_ticket){0};
}

static void check_everything(void);

static void open_again(void)
{
	model.quiet = true;
	while (chance(1, 8)) {
		simdisk_cut_at(model.shelf.disk, SIM_ANY, 1 + below(60));
		if (shelf_open(&model.shelf) ||
		    simdisk_is_cut(model.shelf.disk)) {
			say("power is cut during the open");
			cut_power();
		} else {
			shelf_kill(&model.shelf);
			simdisk_cut_at(model.shelf.disk, SIM_ANY, 0);
		}
	}
	end_trouble();
	AGREES_ERROR(shelf_open(&model.shelf), WB_OK);
	model.quiet = false;
	check_recovered();
	check_everything();
}

static void close_and_open(void)
{
	enum wb_error error;

	drop_handles();
	model.quiet = true;
	/* It may be that only the mark of a clean end did not fit. */
	model.doubt = model.stopped ? model.doubt : model.staged;
	error = shelf_close(&model.shelf);
	say("close: %s", wb_error_code(error));
	if (error)
		AGREES(is_trouble(error) && model.trouble);
	else
		model.durable = model.staged;
	model.counts[COUNT_CLOSED]++;
	open_again();
}

static void kill_and_open(void)
{
	drop_handles();
	say("kill");
	shelf_kill(&model.shelf);
	model.counts[COUNT_KILLED]++;
	open_again();
}

static void stage_something(void)
{
	if (model.txn.txn)
		return;
	begin_txn();
	for (unsigned i = 0; i < 4 && model.txn.txn; i++)
		change_in_txn();
	if (model.txn.txn) {
		struct open_txn txn = model.txn;

		model.txn.txn = NULL;
		stage_txn(txn);
	}
}

/* Power goes at some operation of what is done next; or a moment after it. */
static void lose_power(void)
{
	while (chance(2, 3))
		stage_something();
	model.trouble = true;
	simdisk_cut_at(model.shelf.disk, SIM_ANY, 1 + below(12));
	switch (below(6)) {
	case 0:
		mark();
		break;
	case 1:
		store_settle(model.shelf.store);
		break;
	default:
		flush();
		break;
	}
	drop_handles();
	cut_power();
	open_again();
}

static void stop_and_start(void)
{
	switch (below(3)) {
	case 0:
		close_and_open();
		break;
	case 1:
		kill_and_open();
		break;
	default:
		lose_power();
		break;
	}
}

/* ---- steps ---- */

static void look_around(void)
{
	static void (*const looks[])(void) = {
		begin_view,  read_view,	   read_view, list_namespaces,
		get_durable, read_history, read_time, poll_ticket,
	};

	looks[below(sizeof(looks) / sizeof(*looks))]();
	if (chance(1, 6))
		end_view(&model.views[below(VIEWS)]);
}

/* What other threads do while this one syncs. */
static void do_meanwhile(void *context, enum sim_op op, const char *name)
{
	(void)context;
	(void)op;
	(void)name;
	if (model.quiet || model.meanwhile ||
	    simdisk_is_cut(model.shelf.disk) ||
	    !log_has_reserve(model.shelf.store->log))
		return;
	model.meanwhile = true;
	for (uint64_t steps = below(8); steps; steps--) {
		model.counts[COUNT_MEANWHILE]++;
		if (chance(1, 4))
			look_around();
		else if (model.txn.txn)
			step_in_txn();
		else
			begin_txn();
	}
	model.meanwhile = false;
}

static void check_view(struct wb_view *view, uint64_t revision)
{
	struct request all = {.left = SIZE_MAX};

	for (unsigned key = 0; key < KEYS; key++) {
		if (key && keys[key].kind == keys[key - 1].kind &&
		    bytes_equal(keys[key].ns, keys[key - 1].ns))
			continue;
		all.kind = keys[key].kind;
		all.ns = keys[key].ns;
		all.ledger_prefix = ledger_key(all.kind, all.ns, all.prefix);
		compare_list(&all, view, NULL, revision, WB_OK);
	}
}

static void check_everything(void)
{
	struct wb_view *view;

	ck_ok(wb_view_begin(model.shelf.store, &view));
	check_view(view, model.durable);
	wb_view_end(view);
	for (unsigned i = 0; i < VIEWS; i++)
		if (model.views[i].view && !model.bounded)
			check_view(model.views[i].view,
				   model.views[i].revision);
	read_history();
}

static void one_step(void)
{
	uint64_t dice = below(100);

	if (model.stopped && chance(1, 10))
		stop_and_start();
	else if (dice < 25)
		look_around();
	else if (dice < 85)
		model.txn.txn ? step_in_txn() : begin_txn();
	else if (dice < 92)
		flush();
	else if (dice < 94)
		mark();
	else if (dice < 95)
		store_settle(model.shelf.store);
	else if (dice < 97)
		advance_clock();
	else if (dice < 98)
		chance(1, 2) ? make_trouble() : end_trouble();
	else if (chance(1, 4))
		stop_and_start();
	if (model.stopped)
		model.counts[COUNT_STOPPED]++;
}

static void run_seed(uint64_t seed)
{
	static const uint64_t view_bounds[] = {0, 0, 3000, 20000};

	model.seed = seed;
	model.rng = rng_of(seed);
	ledger_clear(model.ledger);
	shelf_init(&model.shelf, seed);
	model.shelf.options.segment_bytes = UINT64_C(16384) << below(3);
	model.shelf.options.view_bytes_max = view_bounds[below(4)];
	model.bounded = model.shelf.options.view_bytes_max != 0;
	model.durable = model.staged = model.doubt = 0;
	model.step = 0;
	AGREES_ERROR(shelf_open(&model.shelf), WB_OK);
	check_recovered();
	for (; model.step < STEPS; model.step++) {
		one_step();
		model.counts[COUNT_STEPS_DONE]++;
		if (model.step % 250 == 0)
			check_everything();
	}
	drop_handles();
	shelf_release(&model.shelf);
}

/* ---- the test ---- */

START_TEST(the_store_says_what_the_ledger_says)
{
	const char *wish = getenv("WAYBILL_SEED");
	const char *full = getenv("WAYBILL_FULL");
	uint64_t seeds = full && *full == '1' ? 2000 : SEEDS;
	uint64_t first = wish && *wish ? strtoull(wish, NULL, 0) : 1;

	model.verbose = wish && *wish;
	model.ledger = ledger_open();
	make_keys();
	for (uint64_t seed = first; seed < first + seeds; seed++) {
		run_seed(seed);
		if (model.verbose)
			break;
	}
	ledger_close(model.ledger);
	for (unsigned i = 0; i < COUNTS && !model.verbose; i++) {
		static const char *const names[] = {
#define COUNT_NAME(name, text) text,
			COUNT_LIST(COUNT_NAME)
#undef COUNT_NAME
		};

		printf("count: model %s %" PRIu64 "\n", names[i],
		       model.counts[i]);
		/* A thing that never happened was not tested. */
		if (seeds >= 100)
			ck_assert_msg(model.counts[i] > 0, "never: %s",
				      names[i]);
	}
	fflush(stdout);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_store_says_what_the_ledger_says);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
