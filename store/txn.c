/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates. A transaction encodes each mutation as it comes, so that staging
 * it is one copy; what it changed itself stands in a map of its own, in front
 * of the overlay, in front of the index.
 *
 * Whatever it learns from the overlay is not durable yet. `seen` remembers
 * the newest such revision, and no end of the transaction, not even an abort,
 * returns before that is decided: an answer is never given on the strength of
 * a commit that may still be lost.
 */
#include "base/sized.h"
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

#define GATHER_BYTES_MAX (32u << 20)

/* ---- begin ---- */

static enum wb_error check_options(const struct wb_txn_options *options)
{
	if (options->reason.size > WB_REASON_BYTES_MAX ||
	    options->operation_ns.size > WB_NAMESPACE_BYTES_MAX ||
	    options->operation_id.size > WB_OPERATION_ID_BYTES_MAX)
		return WB_BAD_INPUT;
	return WB_OK;
}

static struct wb_bytes keep(uint8_t **at, struct wb_bytes bytes)
{
	struct wb_bytes kept = {*at, bytes.size};

	if (bytes.size)
		memcpy(*at, bytes.data, bytes.size);
	*at += bytes.size;
	return kept;
}

static enum wb_error take_options(struct wb_txn *txn,
				  const struct wb_txn_options *options)
{
	const struct wb_actor *actor = options->actor;
	struct commit_head *head = &txn->head;
	uint8_t *at;

	actor = actor ? actor : &txn->store->opener;
	head->actor.uid = actor->uid;
	head->actor.gid = actor->gid;
	head->actor.pid = actor->pid;
	if (actor->command) {
		size_t size = strnlen(actor->command, WB_COMMAND_BYTES_MAX);

		memcpy(txn->command, actor->command, size);
		head->actor.command = (struct wb_bytes){txn->command, size};
	}
	txn->text = malloc(options->reason.size + options->operation_ns.size +
			   options->operation_id.size + 1);
	if (!txn->text)
		return WB_NO_MEMORY;
	at = txn->text;
	head->reason = keep(&at, options->reason);
	head->operation_ns = keep(&at, options->operation_ns);
	head->operation_id = keep(&at, options->operation_id);
	head->request_hash = options->request_hash;
	return WB_OK;
}

/* A group that grows faster than the disk takes it holds its writers back. */
static bool group_is_full(struct wb_store *store,
			  struct store_ticket *ret_ticket)
{
	bool full;

	pthread_mutex_lock(&store->staged);
	full = log_group_bytes(store->gathering) > GATHER_BYTES_MAX;
	if (full)
		*ret_ticket =
			(struct store_ticket){log_staged_revision(store->log),
					      store->round};
	pthread_mutex_unlock(&store->staged);
	return full;
}

/* Looked at in turn: whoever waits for it sees a group that others fill
 * meanwhile. So no group holds more than the bound and one commit, and
 * neither does a segment, which must be read whole at open.
 *
 * Where there is no room for the next segment it is looked for once, now and
 * not when the Update is staged: that takes its time, and the turn is given
 * away for it, so that deletes pass. */
static enum wb_error take_turn(struct wb_store *store)
{
	struct store_ticket ticket;
	bool looked = false;
	enum wb_error error;

	while (!(error = turn_take(store))) {
		if (group_is_full(store, &ticket)) {
			turn_give(store);
			(void)store_wait(store, &ticket);
		} else if (!looked && !log_has_reserve(store->log)) {
			turn_give(store);
			store_settle(store);
			looked = true;
		} else {
			break;
		}
	}
	return error;
}

/* Was this operation done before? The turn is held, so nobody is just doing
 * it. */
static enum wb_error find_operation(struct wb_txn *txn,
				    const struct wb_txn_options *options,
				    struct operation *ret_operation)
{
	struct wb_store *store = txn->store;
	struct operation_key key = {
		.uid = txn->head.actor.uid,
		.ns = txn->head.operation_ns,
		.id = txn->head.operation_id,
	};
	enum wb_error error = WB_OK;

	pthread_mutex_lock(&store->staged);
	if (operations_find(store->operations, &key, ret_operation)) {
		if (ret_operation->revision > store->published)
			txn->seen = ret_operation->revision;
		if (ret_operation->request_hash != options->request_hash)
			error = WB_CONFLICT;
	} else {
		*ret_operation = (struct operation){0};
		if (options->retry_since_ns &&
		    operations_may_have_forgotten(store->operations,
						  options->retry_since_ns))
			error = WB_OUTCOME_UNKNOWN;
	}
	pthread_mutex_unlock(&store->staged);
	return error;
}

static enum wb_error begin_in_turn(struct wb_txn *txn,
				   const struct wb_txn_options *options,
				   struct operation *ret_operation)
{
	struct wb_store *store = txn->store;

	if (log_has_failed(store->log) && !control_off(CONTROL_POISON))
		return WB_STOPPED;
	pthread_mutex_lock(&store->staged);
	txn->round = store->round;
	txn->revision = log_staged_revision(store->log) + 1;
	pthread_mutex_unlock(&store->staged);
	txn->time_ns = env_wall_ns(&store->env);
	txn->head.revision = txn->revision;
	txn->head.time_ns = txn->time_ns;
	if (options->operation_id.size == 0)
		return WB_OK;
	return find_operation(txn, options, ret_operation);
}

static enum wb_error txn_new(struct wb_store *store,
			     const struct wb_txn_options *options,
			     struct wb_txn **ret_txn)
{
	struct wb_txn *txn = calloc(1, sizeof(*txn));
	enum wb_error error;

	if (!txn)
		return WB_NO_MEMORY;
	txn->store = store;
	txn->bytes_max = WB_TXN_BYTES_MAX;
	error = take_options(txn, options);
	if (error)
		txn_free(txn);
	else
		*ret_txn = txn;
	return error;
}

enum wb_error wb_txn_begin(struct wb_store *store,
			   const struct wb_txn_options *options,
			   struct wb_txn **ret_txn,
			   struct wb_outcome *ret_replayed)
{
	struct wb_txn_options mine = {.size = sizeof(mine)};
	struct operation operation = {0};
	struct wb_txn *txn = NULL;
	enum wb_error error = store_check(store);
	enum wb_error waited;

	if (!error && options)
		error = sized_take(&mine, sizeof(mine), options);
	if (!error)
		error = check_options(&mine);
	if (!error && mine.operation_id.size && !ret_replayed)
		error = WB_USAGE;
	if (!error && store->read_only)
		error = WB_READ_ONLY;
	if (!error)
		error = txn_new(store, &mine, &txn);
	if (error)
		return error;
	error = take_turn(store);
	if (error) {
		txn_free(txn);
		return error;
	}
	error = begin_in_turn(txn, &mine, &operation);
	if (!error && operation.revision == 0) {
		if (ret_replayed)
			*ret_replayed = (struct wb_outcome){0};
		*ret_txn = txn;
		return WB_OK;
	}
	waited = wb_txn_abort(txn);
	if (waited)
		return waited;
	if (!error) {
		*ret_replayed = (struct wb_outcome){operation.revision, true};
		*ret_txn = NULL;
	}
	return error;
}

/* ---- what it sees ---- */

static struct record *own_find(const struct wb_txn *txn, uint64_t hash,
			       const struct key *key)
{
	return keymap_find(&txn->own, hash, key->bytes, key->size);
}

static void depend_on(struct wb_txn *txn, uint64_t revision)
{
	if (revision > txn->seen && revision < txn->revision)
		txn->seen = revision;
}

enum wb_error wb_txn_get(struct wb_txn *txn, const struct wb_key *key,
			 void *buffer, size_t size,
			 struct wb_record *ret_record)
{
	struct wb_store *store = txn->store;
	struct record *record;
	struct key encoded;
	uint64_t hash;
	enum wb_error error = store_check(store);

	if (!error)
		error = key_encode(key, &encoded);
	if (error)
		return error;
	hash = index_hash(store->index, encoded.bytes, encoded.size);
	pthread_mutex_lock(&store->staged);
	record = own_find(txn, hash, &encoded);
	if (!record)
		record = overlay_find(store, hash, &encoded);
	if (record && !record_verifies(record)) {
		error = record_rotten(store, RECORD_ROTTEN, key);
	} else if (record) {
		depend_on(txn, record->revision);
		error = record->flags & RECORD_DELETED
				? WB_NOT_FOUND
				: record_copy(store, record, key, buffer, size,
					      ret_record);
	}
	pthread_mutex_unlock(&store->staged);
	if (record)
		return error;
	return index_copy(store, hash, &encoded, UINT64_MAX, key, buffer, size,
			  ret_record);
}

/* The revision of the newest version, staged or durable; 0: none. It goes into
 * the log, and so does what depends on it: WB_CORRUPT where it was damaged. */
static enum wb_error current_revision(struct wb_txn *txn, uint64_t hash,
				      const struct key *encoded,
				      const struct wb_key *key,
				      uint64_t *ret_revision)
{
	struct wb_store *store = txn->store;
	enum wb_error error = WB_OK;
	struct record *record;

	pthread_mutex_lock(&store->staged);
	record = overlay_find(store, hash, encoded);
	if (record && !record_verifies(record)) {
		error = WB_CORRUPT;
	} else if (record) {
		bool deleted = record->flags & RECORD_DELETED;

		depend_on(txn, record->revision);
		*ret_revision = deleted ? 0 : record->revision;
	}
	pthread_mutex_unlock(&store->staged);
	if (!record)
		error = index_revision(store->index, hash, encoded->bytes,
				       encoded->size, ret_revision);
	return error ? record_rotten(store, RECORD_ROTTEN, key) : WB_OK;
}

int64_t wb_txn_time(const struct wb_txn *txn)
{
	return txn->time_ns;
}

/* ---- listing inside an Update ---- */

struct staged_copies {
	struct record **records; /* malloc'd copies, in key order */
	size_t count, capacity, at;
	uint64_t newest;
};

static int by_key(const void *a, const void *b)
{
	const struct record *x = *(struct record *const *)a;
	const struct record *y = *(struct record *const *)b;
	int order = key_compare(x->bytes, x->key_bytes, y->bytes, y->key_bytes);

	if (order)
		return order;
	return x->revision > y->revision ? -1 : x->revision < y->revision;
}

static enum wb_error copy_one(struct staged_copies *copies,
			      const struct record *record)
{
	struct record **grown;
	struct record *copy;

	if (copies->count == copies->capacity) {
		size_t capacity = copies->capacity ? 2 * copies->capacity : 16;

		grown = realloc(copies->records, capacity * sizeof(*grown));
		if (!grown)
			return WB_NO_MEMORY;
		copies->records = grown;
		copies->capacity = capacity;
	}
	copy = malloc(record_size(record));
	if (!copy)
		return WB_NO_MEMORY;
	memcpy(copy, record, record_size(record));
	copies->records[copies->count++] = copy;
	if (record->revision > copies->newest)
		copies->newest = record->revision;
	return WB_OK;
}

static enum wb_error copy_matching(struct staged_copies *copies,
				   const struct keymap *map,
				   const struct merge *merge)
{
	const struct key *prefix = &merge->prefix;
	enum wb_error error = WB_OK;
	size_t at;

	for (at = 0; at < map->capacity && !error; at++) {
		const struct record *record = map->slots[at].record;

		if (!record)
			continue;
		/* Before its key is looked at, which may be what is damaged. */
		if (!record_verifies(record))
			return merge_rotten(merge);
		if (record->key_bytes >= prefix->size &&
		    memcmp(record->bytes, prefix->bytes, prefix->size) == 0)
			error = copy_one(copies, record);
	}
	return error;
}

static enum wb_error next_staged(struct merge *merge, struct wb_bytes after,
				 const struct record **ret_record)
{
	struct staged_copies *copies = merge->context;
	const struct record *record = NULL;

	/* Of equal keys the newest comes first; the rest is behind `after`
	 * once that one was used. */
	for (; copies->at < copies->count; copies->at++) {
		record = copies->records[copies->at];
		if (after.size == 0 ||
		    key_compare(record->bytes, record->key_bytes, after.data,
				after.size) > 0)
			break;
	}
	*ret_record = copies->at < copies->count ? record : NULL;
	return WB_OK;
}

enum wb_error wb_txn_list(struct wb_txn *txn, uint32_t kind, struct wb_bytes ns,
			  struct wb_bytes prefix, struct wb_bytes after,
			  wb_record_fn *visit, void *context)
{
	struct wb_store *store = txn->store;
	struct staged_copies copies = {0};
	struct merge merge = {
		.store = store,
		.revision_max = UINT64_MAX,
		.extra_wins = true,
		.next_extra = next_staged,
		.context = &copies,
		.visit = visit,
		.visit_context = context,
	};
	enum wb_error error = store_check(store);

	if (!error)
		error = merge_bounds(&merge, kind, ns, prefix, after);
	if (error)
		return error;
	pthread_mutex_lock(&store->staged);
	error = copy_matching(&copies, &store->overlay, &merge);
	pthread_mutex_unlock(&store->staged);
	depend_on(txn, copies.newest);
	if (!error)
		error = copy_matching(&copies, &txn->own, &merge);
	if (copies.count > 1)
		qsort(copies.records, copies.count, sizeof(*copies.records),
		      by_key);
	if (!error)
		error = merge_run(&merge);
	while (copies.count)
		free(copies.records[--copies.count]);
	free(copies.records);
	return error;
}

/* ---- mutations ---- */

static enum wb_error check_precondition(struct wb_precondition precondition,
					uint64_t current)
{
	bool holds = true;

	switch (precondition.kind) {
	case WB_IF_ANY:
		break;
	case WB_IF_ABSENT:
		holds = current == 0;
		break;
	case WB_IF_PRESENT:
		holds = current != 0;
		break;
	case WB_IF_REVISION:
		holds = current == precondition.revision;
		break;
	default:
		return WB_USAGE;
	}
	return holds ? WB_OK : WB_PRECONDITION;
}

static bool grow_lists(struct wb_txn *txn)
{
	size_t capacity = txn->capacity ? 2 * txn->capacity : 4;
	void *grown;

	if (txn->count < txn->capacity)
		return true;
	grown = realloc(txn->records, capacity * sizeof(*txn->records));
	if (!grown)
		return false;
	txn->records = grown;
	grown = realloc(txn->hashes, capacity * sizeof(*txn->hashes));
	if (!grown)
		return false;
	txn->hashes = grown;
	grown = realloc(txn->log_hashes, capacity * sizeof(*txn->log_hashes));
	if (!grown)
		return false;
	txn->log_hashes = grown;
	txn->capacity = capacity;
	return true;
}

static bool grow_wire(struct wb_txn *txn, size_t bytes)
{
	size_t needed = txn->wire_bytes + bytes;
	size_t capacity = txn->wire_capacity ? txn->wire_capacity : 512;
	uint8_t *grown;

	if (needed <= txn->wire_capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	grown = realloc(txn->wire, capacity);
	if (!grown)
		return false;
	txn->wire = grown;
	txn->wire_capacity = capacity;
	return true;
}

static enum wb_error add_mutation(struct wb_txn *txn,
				  const struct mutation *mutation,
				  const struct key *key, uint64_t hash)
{
	size_t size = mutation_size(mutation);
	struct record *record;
	struct writer writer;
	uint8_t flags = 0;

	if (txn->count == WB_TXN_MUTATIONS_MAX ||
	    size > txn->bytes_max - txn->wire_bytes)
		return WB_TOO_LARGE;
	if (!grow_lists(txn) || !grow_wire(txn, size) ||
	    keymap_reserve(&txn->own, 1))
		return WB_NO_MEMORY;
	if (mutation->deleted)
		flags |= RECORD_DELETED;
	if (mutation->previous_revision)
		flags |= RECORD_REPLACES;
	record =
		record_new(txn->store->heap, key->bytes, key->size,
			   mutation->value, txn->revision, txn->time_ns, flags);
	if (!record)
		return WB_NO_MEMORY;
	writer = writer_of(txn->wire + txn->wire_bytes, size);
	mutation_write(&writer, mutation);
	txn->wire_bytes += size;
	txn->records[txn->count] = record;
	txn->hashes[txn->count] = hash;
	txn->log_hashes[txn->count] = mutation_hash(&mutation->key);
	txn->count++;
	txn->puts += !mutation->deleted;
	keymap_put(&txn->own, hash, record);
	return WB_OK;
}

/* The key, its hash, and the revision that it has now. */
static enum wb_error look_up(struct wb_txn *txn,
			     const struct mutation *mutation, struct key *key,
			     uint64_t *ret_hash, uint64_t *ret_current)
{
	const struct record *own;

	if (mutation->value.size > txn->bytes_max)
		return WB_TOO_LARGE;
	*ret_hash = index_hash(txn->store->index, key->bytes, key->size);
	own = own_find(txn, *ret_hash, key);
	if (own && record_verifies(own))
		return WB_USAGE;
	return own ? record_rotten(txn->store, RECORD_ROTTEN, &mutation->key)
		   : current_revision(txn, *ret_hash, key, &mutation->key,
				      ret_current);
}

enum wb_error txn_import(struct wb_txn *txn, struct mutation *mutation)
{
	struct key key;
	uint64_t hash, current = 0;
	enum wb_error error = key_encode(&mutation->key, &key);

	if (!error)
		error = look_up(txn, mutation, &key, &hash, &current);
	mutation->previous_revision = current;
	return error ? error : add_mutation(txn, mutation, &key, hash);
}

/* `ours`: by a part of waybill, to which the kinds below the embedder's
 * belong. */
static enum wb_error change(struct wb_txn *txn, struct mutation *mutation,
			    struct wb_precondition precondition, bool ours)
{
	struct key key;
	uint64_t hash, current = 0;
	enum wb_error error = store_check(txn->store);

	if (error)
		return error;
	if (txn->failed)
		return txn->failed;
	error = key_encode(&mutation->key, &key);
	if (error)
		return error;
	if (mutation->key.kind >= STORE_KIND_FIRST)
		return WB_USAGE;
	if (mutation->key.kind < WB_KIND_EMBEDDER_FIRST && !ours)
		return WB_BAD_INPUT;
	error = look_up(txn, mutation, &key, &hash, &current);
	if (!error)
		error = check_precondition(precondition, current);
	if (error == WB_CORRUPT || error == WB_PRECONDITION)
		txn->failed = error;
	if (error)
		return error;
	if (mutation->deleted && current == 0)
		return WB_NOT_FOUND;
	mutation->previous_revision = current;
	return add_mutation(txn, mutation, &key, hash);
}

static enum wb_error put(struct wb_txn *txn, const struct wb_key *key,
			 struct wb_bytes value,
			 struct wb_precondition precondition, bool ours)
{
	struct mutation mutation = {.key = *key, .value = value};

	return change(txn, &mutation, precondition, ours);
}

static enum wb_error delete (struct wb_txn *txn, const struct wb_key *key,
			     struct wb_precondition precondition, bool ours) {
	struct mutation mutation = {.key = *key, .deleted = true};

	return change(txn, &mutation, precondition, ours);
}

enum wb_error wb_txn_put(struct wb_txn *txn, const struct wb_key *key,
			 struct wb_bytes value,
			 struct wb_precondition precondition)
{
	return put(txn, key, value, precondition, false);
}

enum wb_error wb_txn_delete(struct wb_txn *txn, const struct wb_key *key,
			    struct wb_precondition precondition)
{
	return delete (txn, key, precondition, false);
}

enum wb_error store_txn_put(struct wb_txn *txn, const struct wb_key *key,
			    struct wb_bytes value,
			    struct wb_precondition precondition)
{
	return put(txn, key, value, precondition, true);
}

enum wb_error store_txn_delete(struct wb_txn *txn, const struct wb_key *key,
			       struct wb_precondition precondition)
{
	return delete (txn, key, precondition, true);
}

/* ---- end ---- */

void txn_free(struct wb_txn *txn)
{
	size_t at;

	for (at = 0; at < txn->count; at++)
		record_free(txn->store->heap, txn->records[at]);
	keymap_release(&txn->own);
	free(txn->records);
	free(txn->hashes);
	free(txn->log_hashes);
	free(txn->wire);
	free(txn->text);
	free(txn);
}

enum wb_error wb_txn_commit(struct wb_txn *txn, struct wb_outcome *ret_outcome)
{
	struct wb_outcome outcome = {0};
	struct store_ticket ticket;
	struct wb_store *store;
	enum wb_error error, waited;

	if (!txn)
		return WB_USAGE;
	store = txn->store;
	error = store_check(store);
	if (error)
		return error;
	if (txn->count)
		outcome.revision = txn->revision;
	error = store_stage(txn, &ticket);
	waited = control_off(CONTROL_STAGED_WAIT) && error
			 ? WB_OK
			 : store_wait(store, &ticket);
	if (waited)
		return waited;
	if (!error && ret_outcome)
		*ret_outcome = outcome;
	return error;
}

enum wb_error wb_txn_abort(struct wb_txn *txn)
{
	struct store_ticket ticket;
	struct wb_store *store;
	enum wb_error error;

	if (!txn)
		return WB_OK;
	store = txn->store;
	error = store_check(store);
	if (error)
		return error;
	ticket = (struct store_ticket){txn->seen, txn->round};
	txn_free(txn);
	turn_give(store);
	if (control_off(CONTROL_STAGED_WAIT))
		return WB_OK;
	return store_wait(store, &ticket);
}

enum wb_error wb_update(struct wb_store *store,
			const struct wb_txn_options *options,
			enum wb_error (*callback)(void *context,
						  struct wb_txn *txn),
			void *context, struct wb_outcome *ret_outcome)
{
	struct wb_outcome outcome = {0};
	struct wb_txn *txn;
	enum wb_error error, aborted;

	error = wb_txn_begin(store, options, &txn, &outcome);
	if (!error && txn) {
		error = callback(context, txn);
		if (error) {
			aborted = wb_txn_abort(txn);
			return aborted ? aborted : error;
		}
		error = wb_txn_commit(txn, &outcome);
	}
	if (!error && ret_outcome)
		*ret_outcome = outcome;
	return error;
}
