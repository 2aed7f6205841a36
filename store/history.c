/* SPDX-License-Identifier: Apache-2.0
 *
 * History: the log read backwards, through the same look-ups that find one
 * name's versions and everybody's; and forwards, as a whole.
 *
 * The versions of one key are found by the indexes of segments, which an open
 * does not compare with the commits. But each version names the revision of the
 * one before it, and the newest one is in memory: where one is missing it is
 * missed, so an index that is wrong is an error and no shorter history. (All
 * from a first version to its deletion, missing together, are not missed.)
 */
#include "log/follow.h"
#include "log/lookup.h"
#include "store/state.h"

#include <string.h>

struct asked {
	const struct wb_key *key;  /* NULL: every key */
	const struct wb_bytes *ns; /* with key NULL; NULL: every namespace */
	uint32_t kind;		   /* with key NULL; 0: all but the store's */
	size_t limit, count;
	uint64_t last; /* the revision that was visited last */
	wb_version_fn *visit;
	void *context;
	/* Of a key: the version that must come next. */
	enum next { NEXT_ANY, NEXT_LIVE, NEXT_DELETED, NEXT_MISSED } next;
	uint64_t next_revision; /* of NEXT_LIVE */
	bool stopped;
};

/* The newest version up to `upto` is the current one, if nothing later
 * changed the index since. */
static void expect_newest(struct asked *asked, struct wb_store *store,
			  const struct key *key, uint64_t before, uint64_t upto)
{
	uint64_t hash = index_hash(store->index, key->bytes, key->size);
	bool all = before == 0 || before > upto;
	struct record_info info;
	enum wb_error error = index_get(store->index, hash, key->bytes,
					key->size, UINT64_MAX, NULL, 0, &info);

	if ((!error || error == WB_BUFFER) && info.revision <= upto &&
	    (all || info.revision < before)) {
		asked->next = NEXT_LIVE;
		asked->next_revision = info.revision;
	}
	if (error == WB_NOT_FOUND && all && store->publishing <= upto)
		asked->next = NEXT_DELETED;
}

/* A deletion follows a version that was live; behind a first version there is
 * a deletion or nothing. */
static bool follows(struct asked *asked, uint64_t revision,
		    const struct mutation *mutation)
{
	bool good = asked->next == NEXT_ANY ||
		    (asked->next == NEXT_DELETED && mutation->deleted) ||
		    (asked->next == NEXT_LIVE && !mutation->deleted &&
		     revision == asked->next_revision);

	asked->next_revision = mutation->previous_revision;
	asked->next = !good			    ? NEXT_MISSED
		      : mutation->previous_revision ? NEXT_LIVE
						    : NEXT_DELETED;
	return good;
}

static enum wb_error check_end(const struct wb_store *store,
			       const struct asked *asked)
{
	bool missed = asked->next == NEXT_MISSED ||
		      (asked->next == NEXT_LIVE && !asked->stopped);

	return missed ? key_damaged(store, "log",
				    "its indexes lack a version of", asked->key)
		      : WB_OK;
}

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

	/* A page ends between commits, for the next one begins at a revision.
	 */
	if (asked->limit && asked->count >= asked->limit &&
	    head->revision != asked->last)
		return false;
	if (!is_asked_for(asked, &mutation->key))
		return true;
	if (asked->key && !follows(asked, head->revision, mutation))
		return false;
	if (head->actor.command.size) {
		memcpy(command, head->actor.command.data,
		       head->actor.command.size);
		version.actor.command = command;
	}
	asked->count++;
	asked->last = head->revision;
	/* A key is in a commit once: nothing can follow, and need be read. */
	asked->stopped = !asked->visit(asked->context, &version) ||
			 (asked->key && asked->count == asked->limit);
	return !asked->stopped;
}

static enum wb_error ask(struct wb_store *store, struct asked *asked,
			 const struct key *key, uint64_t before)
{
	struct log_query query = {.before = before, .upto = store->published};
	enum wb_error error;

	if (query.upto == 0)
		return WB_OK;
	if (!key)
		return log_versions(store->log, &query, visit_version, asked);
	query.by_hash = true;
	query.hash = mutation_hash(asked->key);
	expect_newest(asked, store, key, before, query.upto);
	error = log_versions(store->log, &query, visit_version, asked);
	return error ? error : check_end(store, asked);
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
	bool damaged;

	if (store_check(store) || key_encode(key, &encoded))
		return true;
	pthread_mutex_lock(&store->staged);
	record = overlay_find(store,
			      index_hash(store->index, encoded.bytes,
					 encoded.size),
			      &encoded);
	damaged = record && !record_verifies(record);
	if (record && !damaged)
		staged = record->revision;
	if (staged > txn->seen && staged < txn->revision)
		txn->seen = staged;
	pthread_mutex_unlock(&store->staged);
	return damaged || staged > revision ||
	       log_may_have_changed(store->log, mutation_hash(key), revision);
}

/* ---- by time ---- */

/* The log knows commits that are durable and not visible yet. Those are not
 * asked: commits need not ascend by time, so that the newest visible one may be
 * too late where a later one is not. */
enum wb_error wb_revision_at(struct wb_store *store, int64_t time_ns,
			     uint64_t *ret_revision)
{
	enum wb_error error = store_check(store);
	uint64_t revision = 0, visible;

	if (error)
		return error;
	visible = store->published;
	if (visible)
		error = log_revision_at(store->log, time_ns, visible,
					&revision);
	if (!error)
		*ret_revision = revision;
	return error;
}

/* ---- forwards ---- */

static enum wb_error tell_commit(void *context, const struct commit *commit)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	const struct store_listener *listener = context;
	const struct commit_head *head = &commit->head;
	const struct store_commit told = {
		.revision = head->revision,
		.time_ns = head->time_ns,
		.uid = head->actor.uid,
		.gid = head->actor.gid,
		.pid = head->actor.pid,
		.command = head->actor.command,
		.reason = head->reason,
		.operation_ns = head->operation_ns,
		.operation_id = head->operation_id,
		.request_hash = head->request_hash,
		.changes = commit->mutation_count,
	};
	struct mutation mutation;
	enum wb_error error = listener->commit(listener->context, &told);

	while (!error && mutation_walk_next(&walk, &mutation)) {
		struct store_change change = {mutation.key, mutation.value,
					      mutation.deleted};

		error = listener->change(listener->context, &change);
	}
	return error;
}

enum wb_error store_follow(struct wb_store *store, uint64_t upto,
			   const struct store_listener *listener)
{
	enum wb_error error = store_check(store);

	if (!error && upto > store->published)
		error = WB_NOT_FOUND;
	return error ? error
		     : log_follow(store->log, upto, tell_commit,
				  (void *)(uintptr_t)listener);
}
