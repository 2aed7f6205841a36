/* SPDX-License-Identifier: Apache-2.0
 *
 * History: the log read backwards, through the same look-ups that find one
 * name's versions and everybody's.
 */
#include "log/lookup.h"
#include "store/state.h"

#include <string.h>

struct asked {
	const struct wb_key *key;  /* NULL: every key */
	const struct wb_bytes *ns; /* with key NULL; NULL: every namespace */
	uint32_t kind;		   /* with key NULL; 0: all but the store's */
	size_t limit, count;
	wb_version_fn *visit;
	void *context;
};

static bool same(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool is_asked_for(const struct asked *asked, const struct wb_key *key)
{
	if (asked->key)
		return key->kind == asked->key->kind &&
		       same(key->ns, asked->key->ns) &&
		       same(key->name, asked->key->name);
	if (asked->ns && !same(key->ns, *asked->ns))
		return false;
	return asked->kind ? key->kind == asked->kind
			   : key->kind < STORE_KIND_FIRST;
}

static bool visit_version(void *context, const struct commit *commit,
			  const struct mutation *mutation)
{
	const struct commit_head *head = &commit->head;
	char command[WB_COMMAND_BYTES_MAX + 1] = "";
	struct asked *asked = context;
	struct wb_version version = {
		.record = {.key = mutation->key,
			   .value = mutation->value,
			   .revision = head->revision,
			   .time_ns = head->time_ns},
		.previous_revision = mutation->previous_revision,
		.deleted = mutation->deleted,
		.actor = {.uid = head->actor.uid,
			  .gid = head->actor.gid,
			  .pid = head->actor.pid},
		.reason = head->reason,
		.operation_id = head->operation_id,
	};

	if (!is_asked_for(asked, &mutation->key))
		return true;
	if (head->actor.command.size) {
		memcpy(command, head->actor.command.data,
		       head->actor.command.size);
		version.actor.command = command;
	}
	asked->count++;
	return asked->visit(asked->context, &version) &&
	       asked->count != asked->limit;
}

static enum wb_error ask(struct wb_store *store, struct asked *asked,
			 const struct key *key, uint64_t before)
{
	struct log_query query = {.before = before, .upto = store->published};

	if (query.upto == 0)
		return WB_OK;
	if (key) {
		query.by_hash = true;
		query.hash = mutation_hash(asked->key);
	}
	return log_versions(store->log, &query, visit_version, asked);
}

enum wb_error wb_history(struct wb_store *store, const struct wb_key *key,
			 uint64_t before, size_t limit, wb_version_fn *visit,
			 void *context)
{
	struct asked asked = {
		.key = key,
		.limit = limit,
		.visit = visit,
		.context = context,
	};
	enum wb_error error = store_check(store);
	struct key encoded;

	if (!error)
		error = key_encode(key, &encoded);
	return error ? error : ask(store, &asked, &encoded, before);
}

enum wb_error wb_log(struct wb_store *store, uint32_t kind,
		     const struct wb_bytes *ns, uint64_t before, size_t limit,
		     wb_version_fn *visit, void *context)
{
	struct asked asked = {
		.ns = ns,
		.kind = kind,
		.limit = limit,
		.visit = visit,
		.context = context,
	};
	enum wb_error error = store_check(store);

	return error ? error : ask(store, &asked, NULL, before);
}

uint64_t store_revision(struct wb_store *store)
{
	return store->published;
}

/* The overlay first: a version leaves it for the log, never the other way. */
bool store_changed_after(struct wb_txn *txn, const struct wb_key *key,
			 uint64_t revision)
{
	struct wb_store *store = txn->store;
	const struct record *record;
	struct key encoded;
	uint64_t staged = 0;

	if (store_check(store) || key_encode(key, &encoded))
		return true;
	pthread_mutex_lock(&store->staged);
	record = overlay_find(store,
			      index_hash(store->index, encoded.bytes,
					 encoded.size),
			      &encoded);
	if (record)
		staged = record->revision;
	if (staged > txn->seen && staged < txn->revision)
		txn->seen = staged;
	pthread_mutex_unlock(&store->staged);
	return staged > revision ||
	       log_may_have_changed(store->log, mutation_hash(key), revision);
}

/* ---- by time ---- */

struct not_later {
	int64_t time_ns;
	uint64_t revision; /* 0: none yet */
};

static bool is_later(void *context, const struct commit *commit,
		     const struct mutation *mutation)
{
	struct not_later *asked = context;

	(void)mutation;
	if (commit->head.time_ns <= asked->time_ns)
		asked->revision = commit->head.revision;
	return asked->revision == 0;
}

/* The log knows commits that are durable and not visible yet. Where one of
 * those is its answer, the visible ones are walked: they need not ascend by
 * time, so that the newest of them may be too late. */
enum wb_error wb_revision_at(struct wb_store *store, int64_t time_ns,
			     uint64_t *ret_revision)
{
	struct not_later asked = {.time_ns = time_ns};
	struct log_query query = {.before = 0};
	enum wb_error error = store_check(store);
	uint64_t revision = 0;

	if (!error)
		error = log_revision_at(store->log, time_ns, &revision);
	query.upto = store->published;
	if (!error && revision > query.upto) {
		if (query.upto)
			error = log_versions(store->log, &query, is_later,
					     &asked);
		revision = asked.revision;
	}
	if (!error)
		*ret_revision = revision;
	return error;
}
