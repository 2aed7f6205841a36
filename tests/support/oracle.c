/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/oracle.h"

#include "tests/support/simpages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char check_holds_prefix[] = "the state is that after some commit";
const char check_history[] = "the history holds every version";
const char check_acknowledged[] = "what was acknowledged is there";
const char check_nothing_extra[] = "nothing is there that was refused";

bool complain_of(struct complaint *complaint, const char *check,
		 const char *format, ...)
{
	va_list arguments;

	if (complaint->check)
		return false;
	complaint->check = check;
	va_start(arguments, format);
	vsnprintf(complaint->text, sizeof(complaint->text), format, arguments);
	va_end(arguments);
	return false;
}

/* ---- keys and values ---- */

struct place {
	uint32_t kind;
	const char *ns;
	const char *name;
};

/* In the order of their encoded bytes. Prefixes of each other, an empty
 * namespace, the embedder's first and last kind. */
static const struct place places[ORACLE_KEYS] = {
	{1, "", "a"},
	{1, "default", "docker.io/library/busybox:1.36"},
	{1, "default", "docker.io/library/busybox:latest"},
	{1, "default", "docker.io/library/debian:12"},
	{1, "default", "docker.io/library/redis:7"},
	{1, "default", "docker.io/library/redis:7.2"},
	{1, "default", "ghcr.io/org/app@sha256:00"},
	{1, "default", "ghcr.io/org/app@sha256:01"},
	{1, "default", "localhost/x:1"},
	{1, "default", "\x80\xff"},
	{1, "k8s.io", "docker.io/library/busybox:latest"},
	{1, "k8s.io", "registry.k8s.io/pause:3.9"},
	{1, "moby", "a"},
	{2, "", "default"},
	{2, "", "k8s.io"},
	{2, "", "moby"},
	{64, "", "counter"},
	{64, "", "counter.old"},
	{64, "n", "1"},
	{64, "n", "10"},
	{64, "n", "2"},
	{191, "z", "a"},
	{191, "z", "aa"},
	{191, "z", "b"},
};

struct wb_key oracle_key(unsigned number)
{
	const struct place *place = &places[number];

	assert(number < ORACLE_KEYS);
	return (struct wb_key){
		.kind = place->kind,
		.ns = {place->ns, strlen(place->ns)},
		.name = {place->name, strlen(place->name)},
	};
}

static bool bytes_equal(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* ORACLE_KEYS: none of ours. */
static unsigned key_number(const struct wb_key *key)
{
	unsigned at;

	for (at = 0; at < ORACLE_KEYS; at++) {
		struct wb_key ours = oracle_key(at);

		if (ours.kind == key->kind && bytes_equal(ours.ns, key->ns) &&
		    bytes_equal(ours.name, key->name))
			break;
	}
	return at;
}

static const uint8_t *value_pool(void)
{
	static uint8_t pool[2 * ORACLE_VALUE_BYTES_MAX];
	static bool filled;
	struct rng rng = rng_of(1);

	if (!filled)
		rng_fill(&rng, pool, sizeof(pool));
	filled = true;
	return pool;
}

struct wb_bytes oracle_value(const struct oracle_change *change)
{
	return (struct wb_bytes){value_pool() + change->value_at,
				 change->value_bytes};
}

/* ---- commits ---- */

void oracle_init(struct oracle *oracle)
{
	*oracle = (struct oracle){.room = 64};
	oracle->commits = sim_alloc(oracle->room * sizeof(*oracle->commits));
	(void)value_pool();
}

void oracle_release(struct oracle *oracle)
{
	free(oracle->commits);
}

/* The state before the first commit is that of a commit which is not there:
 * number 0, all zero. */
static const struct oracle_commit *commit_at(const struct oracle *oracle,
					     uint64_t revision)
{
	assert(revision < oracle->room);
	return &oracle->commits[revision];
}

bool oracle_has(const struct oracle *oracle, unsigned key, uint64_t revision)
{
	return commit_at(oracle, revision)->state[key] != 0;
}

static const struct oracle_change *find_change(
	const struct oracle_commit *commit, unsigned key)
{
	for (size_t at = 0; at < commit->change_count; at++)
		if (commit->changes[at].key == key)
			return &commit->changes[at];
	return NULL;
}

/* The newest version of a key that is there. */
static const struct oracle_change *current_change(const struct oracle *oracle,
						  unsigned key,
						  uint64_t revision)
{
	uint32_t writer = commit_at(oracle, revision)->state[key];

	return writer ? find_change(commit_at(oracle, writer), key) : NULL;
}

static size_t value_bytes(struct rng *rng, size_t max)
{
	/* Mostly small, a few large, sometimes none at all. */
	size_t small = max < 160 ? max : 160;

	if (rng_chance(rng, 1, 4))
		return (size_t)rng_below(rng, max + 1);
	return (size_t)rng_below(rng, small + 1);
}

struct oracle_commit oracle_plan(const struct oracle *oracle, struct rng *rng,
				 size_t changes_max, size_t value_bytes_max)
{
	struct oracle_commit plan = {.change_count = 0};
	size_t count = 1 + (size_t)rng_below(rng, changes_max);

	assert(changes_max <= ORACLE_CHANGES_MAX);
	assert(value_bytes_max <= ORACLE_VALUE_BYTES_MAX);
	while (plan.change_count < count) {
		unsigned key = (unsigned)rng_below(rng, ORACLE_KEYS);
		struct oracle_change *change = &plan.changes[plan.change_count];

		if (find_change(&plan, key))
			continue;
		change->key = key;
		change->deleted = oracle_has(oracle, key, oracle->staged) &&
				  rng_chance(rng, 1, 3);
		if (!change->deleted) {
			change->value_at =
				(size_t)rng_below(rng, ORACLE_VALUE_BYTES_MAX);
			change->value_bytes = value_bytes(rng, value_bytes_max);
		}
		plan.change_count++;
	}
	if (rng_chance(rng, 1, 4))
		snprintf(plan.operation_id, sizeof(plan.operation_id),
			 "%" PRIx32, (uint32_t)rng_next(rng));
	return plan;
}

static void oracle_add(struct oracle *oracle, const struct oracle_commit *plan,
		       int64_t time_ns)
{
	uint64_t revision = oracle->staged + 1;
	struct oracle_commit *commit;

	if (revision >= oracle->room) {
		size_t room = 2 * oracle->room;
		struct oracle_commit *grown = sim_alloc(room * sizeof(*grown));

		memcpy(grown, oracle->commits, oracle->room * sizeof(*grown));
		free(oracle->commits);
		oracle->commits = grown;
		oracle->room = room;
	}
	commit = &oracle->commits[revision];
	*commit = *plan;
	commit->revision = revision;
	commit->time_ns = time_ns;
	memcpy(commit->state, oracle->commits[revision - 1].state,
	       sizeof(commit->state));
	for (size_t at = 0; at < commit->change_count; at++) {
		struct oracle_change *change = &commit->changes[at];

		change->previous_revision = commit->state[change->key];
		commit->state[change->key] =
			change->deleted ? 0 : (uint32_t)revision;
	}
	oracle->staged = revision;
}

static enum wb_error apply(struct wb_txn *txn, const struct oracle_commit *plan)
{
	const struct wb_precondition any = {.kind = WB_IF_ANY};
	enum wb_error error = WB_OK;

	for (size_t at = 0; at < plan->change_count && !error; at++) {
		const struct oracle_change *change = &plan->changes[at];
		struct wb_key key = oracle_key(change->key);

		if (change->deleted)
			error = store_txn_delete(txn, &key, any);
		else
			error = store_txn_put(txn, &key, oracle_value(change),
					      any);
	}
	return error;
}

enum wb_error oracle_stage(struct oracle *oracle, struct wb_store *store,
			   const struct oracle_commit *plan,
			   struct store_ticket *ret_ticket)
{
	static const struct wb_actor actor = {1000, 100, 42, "oracle"};
	const struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = &actor,
		.operation_id = {plan->operation_id,
				 strlen(plan->operation_id)},
	};
	struct wb_outcome replayed;
	enum wb_error error;
	struct wb_txn *txn;
	int64_t time_ns;

	error = wb_txn_begin(store, &options, &txn, &replayed);
	if (error)
		return error;
	assert(txn);
	error = apply(txn, plan);
	if (error) {
		(void)wb_txn_abort(txn);
		return error;
	}
	time_ns = wb_txn_time(txn);
	error = store_stage(txn, ret_ticket);
	if (!error)
		oracle_add(oracle, plan, time_ns);
	return error;
}

void oracle_ack(struct oracle *oracle)
{
	oracle->acked = oracle->staged;
}

void oracle_void(struct oracle *oracle)
{
	oracle->staged = oracle->acked;
}

void oracle_cut(struct oracle *oracle, uint64_t revision)
{
	assert(revision <= oracle->staged);
	oracle->acked = oracle->staged = revision;
}

/* ---- comparing ---- */

struct comparison {
	const struct oracle *oracle;
	uint64_t revision;
	struct complaint *complaint;
	unsigned next; /* key that a listing must show next, or one after it */
	const struct oracle_commit *commit; /* whose versions the log shows */
	size_t left;			    /* how many of them */
	bool probed; /* one commit more, by oracle_probe, is still to come */
};

static bool is_current(const struct comparison *comparison, unsigned key,
		       const struct wb_record *record)
{
	const struct oracle *oracle = comparison->oracle;
	const struct oracle_change *change =
		current_change(oracle, key, comparison->revision);
	const struct oracle_commit *commit =
		commit_at(oracle,
			  commit_at(oracle, comparison->revision)->state[key]);

	if (!change)
		return complain_of(comparison->complaint, check_holds_prefix,
				   "key %u is there at revision %" PRIu64
				   " (of revision %" PRIu64
				   "), it should not be",
				   key, comparison->revision, record->revision);
	if (record->revision != commit->revision ||
	    record->time_ns != commit->time_ns ||
	    !bytes_equal(record->value, oracle_value(change)))
		return complain_of(comparison->complaint, check_holds_prefix,
				   "key %u at revision %" PRIu64
				   " is that of revision %" PRIu64
				   " (%zu bytes), not of %" PRIu64
				   " (%zu bytes)",
				   key, comparison->revision, record->revision,
				   record->value.size, commit->revision,
				   change->value_bytes);
	return true;
}

/* Keys from `next` up to `key` that are not shown must not be there. */
static bool skip_to(struct comparison *comparison, unsigned key)
{
	while (comparison->next < key) {
		if (oracle_has(comparison->oracle, comparison->next,
			       comparison->revision))
			return complain_of(comparison->complaint,
					   check_holds_prefix,
					   "key %u is missing at revision "
					   "%" PRIu64,
					   comparison->next,
					   comparison->revision);
		comparison->next++;
	}
	return true;
}

static bool see_record(void *context, const struct wb_record *record)
{
	struct comparison *comparison = context;
	unsigned key = key_number(&record->key);

	if (key == ORACLE_KEYS)
		return complain_of(comparison->complaint, check_holds_prefix,
				   "a key that nobody put: %.*s",
				   (int)record->key.name.size,
				   (const char *)record->key.name.data);
	if (key < comparison->next)
		return complain_of(comparison->complaint, check_holds_prefix,
				   "key %u is listed out of order", key);
	if (!skip_to(comparison, key))
		return false;
	comparison->next = key + 1;
	return is_current(comparison, key, record);
}

static enum wb_error list_all(void *context, struct wb_view *view)
{
	const struct wb_bytes none = {.size = 0};
	enum wb_error error = WB_OK;
	unsigned at;

	/* Every kind and namespace once: where it differs from the last. */
	for (at = 0; at < ORACLE_KEYS && !error; at++) {
		struct wb_key key = oracle_key(at);
		struct wb_key before = oracle_key(at ? at - 1 : 0);

		if (at == 0 || key.kind != before.kind ||
		    !bytes_equal(key.ns, before.ns))
			error = wb_view_list(view, key.kind, key.ns, none, none,
					     see_record, context);
	}
	return error;
}

static enum wb_error compare_get(const struct comparison *comparison,
				 struct wb_store *store, unsigned number)
{
	static uint8_t buffer[ORACLE_VALUE_BYTES_MAX];
	struct wb_key key = oracle_key(number);
	struct wb_record record;
	enum wb_error error =
		wb_get(store, &key, buffer, sizeof(buffer), &record);

	if (!error)
		(void)is_current(comparison, number, &record);
	if (error == WB_NOT_FOUND &&
	    !oracle_has(comparison->oracle, number, comparison->revision))
		return WB_OK;
	return error;
}

/* ---- its history ---- */

static bool version_matches(const struct oracle_commit *commit,
			    const struct oracle_change *change,
			    const struct wb_version *version)
{
	struct wb_bytes id = {commit->operation_id,
			      strlen(commit->operation_id)};

	if (!change || change->deleted != version->deleted ||
	    change->previous_revision != version->previous_revision ||
	    commit->time_ns != version->record.time_ns ||
	    version->actor.uid != 1000 || version->actor.pid != 42 ||
	    !bytes_equal(id, version->operation_id))
		return false;
	return change->deleted ||
	       bytes_equal(oracle_value(change), version->record.value);
}

static bool see_version(void *context, const struct wb_version *version)
{
	struct comparison *comparison = context;
	const struct oracle_commit *commit = comparison->commit;
	const struct oracle_change *change;
	unsigned key = key_number(&version->record.key);

	if (comparison->probed) {
		comparison->probed = false;
		return version->record.revision == comparison->revision + 1 ||
		       complain_of(comparison->complaint, check_history,
				   "the newest commit is missing in the log");
	}
	if (comparison->left == 0 && commit->revision > 0) {
		commit--;
		comparison->commit = commit;
		comparison->left = commit->change_count;
	}
	change = key < ORACLE_KEYS ? find_change(commit, key) : NULL;
	if (version->record.revision != commit->revision ||
	    comparison->left == 0 || !version_matches(commit, change, version))
		return complain_of(comparison->complaint, check_history,
				   "key %u, revision %" PRIu64
				   ": not what was committed; "
				   "revision %" PRIu64 " was expected",
				   key, version->record.revision,
				   commit->revision);
	comparison->left--;
	return true;
}

static enum wb_error compare_log(struct comparison *comparison,
				 struct wb_store *store)
{
	const struct oracle *oracle = comparison->oracle;
	enum wb_error error;

	comparison->commit = commit_at(oracle, comparison->revision);
	comparison->left = comparison->commit->change_count;
	error = wb_log(store, 0, NULL, 0, 0, see_version, comparison);
	if (!error && !comparison->complaint->check &&
	    (comparison->left > 0 || comparison->commit->revision > 1 ||
	     comparison->probed))
		(void)complain_of(comparison->complaint, check_history,
				  "the log ends at revision %" PRIu64,
				  comparison->commit->revision);
	return error;
}

/* The versions of one key, which are found another way. */
struct key_history {
	const struct oracle *oracle;
	struct complaint *complaint;
	unsigned key;
	uint64_t revision; /* of the version before; down to 1 */
};

/* The commit before `revision` that changed the key; number 0: none. */
static const struct oracle_commit *previous_version(
	const struct key_history *history)
{
	uint64_t revision = history->revision - 1;

	while (revision > 0 &&
	       !find_change(commit_at(history->oracle, revision), history->key))
		revision--;
	return commit_at(history->oracle, revision);
}

static bool see_key_version(void *context, const struct wb_version *version)
{
	struct key_history *history = context;
	const struct oracle_commit *commit = previous_version(history);

	if (version->record.revision != commit->revision ||
	    !version_matches(commit, find_change(commit, history->key),
			     version))
		return complain_of(history->complaint, check_history,
				   "key %u, version of revision %" PRIu64
				   ": that of revision %" PRIu64
				   " was expected",
				   history->key, version->record.revision,
				   commit->revision);
	history->revision = commit->revision;
	return true;
}

static enum wb_error compare_history(const struct comparison *comparison,
				     struct wb_store *store, unsigned number)
{
	struct key_history history = {
		.oracle = comparison->oracle,
		.complaint = comparison->complaint,
		.key = number,
		.revision = comparison->revision + 1,
	};
	struct wb_key key = oracle_key(number);
	enum wb_error error;

	error = wb_history(store, &key, 0, 0, see_key_version, &history);
	if (!error && !comparison->complaint->check &&
	    previous_version(&history)->revision != 0)
		(void)complain_of(comparison->complaint, check_history,
				  "the history of key %u ends at revision "
				  "%" PRIu64,
				  number, history.revision);
	return error;
}

/* ---- the whole ---- */

bool oracle_revision(struct wb_store *store, uint64_t min, uint64_t max,
		     struct complaint *complaint, uint64_t *ret_revision)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error error = wb_store_stat(store, &stat);

	if (error)
		return complain_of(complaint, check_acknowledged,
				   "asking for the revision: %s",
				   wb_error_text(error));
	if (stat.revision < min)
		return complain_of(complaint, check_acknowledged,
				   "revision %" PRIu64 " is the newest, "
				   "%" PRIu64 " was acknowledged",
				   stat.revision, min);
	if (stat.revision > max)
		return complain_of(complaint, check_nothing_extra,
				   "revision %" PRIu64 " is the newest, "
				   "%" PRIu64 " is the last that may be there",
				   stat.revision, max);
	*ret_revision = stat.revision;
	return true;
}

enum wb_error oracle_compare(const struct oracle *oracle,
			     struct wb_store *store, uint64_t revision,
			     bool probed, struct rng *rng,
			     struct complaint *complaint)
{
	struct comparison comparison = {
		.oracle = oracle,
		.revision = revision,
		.complaint = complaint,
		.probed = probed,
	};
	unsigned key = (unsigned)rng_below(rng, ORACLE_KEYS);
	enum wb_error error;

	assert(revision <= oracle->staged);
	error = wb_view(store, list_all, &comparison);
	if (!error && !complaint->check)
		(void)skip_to(&comparison, ORACLE_KEYS);
	if (!error)
		error = compare_get(&comparison, store, key);
	if (!error)
		error = compare_log(&comparison, store);
	if (!error)
		error = compare_history(&comparison, store, key);
	return error;
}

bool oracle_check(const struct oracle *oracle, struct wb_store *store,
		  uint64_t revision, bool probed, struct rng *rng,
		  struct complaint *complaint)
{
	enum wb_error error =
		oracle_compare(oracle, store, revision, probed, rng, complaint);

	if (error)
		return complain_of(complaint, check_holds_prefix,
				   "reading revision %" PRIu64 ": %s", revision,
				   wb_error_text(error));
	return !complaint->check;
}

/* ---- the probe ---- */

static const struct wb_key probe_key = {64, {"probe", 5}, {"p", 1}};

static enum wb_error put_probe(void *context, struct wb_txn *txn)
{
	(void)context;
	return wb_txn_put(txn, &probe_key, (struct wb_bytes){"probe", 5},
			  (struct wb_precondition){.kind = WB_IF_ANY});
}

enum wb_error oracle_probe(struct wb_store *store)
{
	return wb_update(store, NULL, put_probe, NULL, NULL);
}
