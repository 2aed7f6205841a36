/* SPDX-License-Identifier: Apache-2.0
 *
 * Flushing: one group to the log, then to the index. While it is being
 * synced the next group gathers, so that one fdatasync serves all who came
 * meanwhile; no lock is held across it.
 *
 * Who flushes: the first of those who wait (the leader); the others sleep
 * until they find themselves durable or the place empty. Discarded: a
 * flusher thread, which costs two more wake-ups in each commit and which a
 * library should not have.
 */
#include "store/futex.h"
#include "store/state.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define GATHER_YIELDS_MAX 16

/* ---- publishing: the index after the log ---- */

/* The log has it, undamaged, and readers must not take the version before for
 * the newest. */
static enum wb_error publish_damaged(struct wb_store *store, uint64_t hash,
				     struct record *record,
				     struct record **ret_old)
{
	(void)record_rotten_alone(
		store,
		"cannot be read until the next open, for it was "
		"damaged while it was written:",
		record);
	return index_put_damaged(store->index, hash, record, ret_old);
}

/* A record that is put is the index's from then on; a deletion stays with
 * the commit and is freed with it. */
static void publish_record(struct wb_store *store, struct staged_commit *commit,
			   size_t at)
{
	struct record *record = commit->records[at];
	bool damaged = !record_verifies(record);
	uint64_t hash = commit->hashes[at];
	struct record *old = NULL;

	if (!damaged && record->flags & RECORD_DELETED) {
		index_remove(store->index, hash, record->bytes,
			     record->key_bytes, &old);
	} else {
		/* Room was reserved before the group was written. */
		enum wb_error error =
			damaged ? publish_damaged(store, hash, record, &old)
				: index_put(store->index, hash, record, &old);

		assert(!error);
		commit->records[at] = NULL;
	}
	if (old)
		views_superseded(store, old, commit->revision);
}

static void publish(struct wb_store *store, struct staged_list *list)
{
	struct staged_commit *commit;
	uint64_t revision = list->last->revision;
	uint64_t commits = 0;
	size_t at;

	/* A view that begins sees either all of the group or none of it, and
	 * in that case pins what the group replaces. So `published` is set
	 * before this lock is given away. */
	pthread_mutex_lock(&store->views);
	store->publishing = revision;
	for (commit = list->first; commit; commit = commit->next, commits++)
		for (at = 0; at < commit->count; at++)
			publish_record(store, commit, at);
	views_keep_bound(store);
	store->commits += commits;
	store->published = revision;
	pthread_mutex_unlock(&store->views);

	/* Index first, then the overlay: an Update looks in the overlay
	 * first, and so misses nothing. */
	pthread_mutex_lock(&store->staged);
	for (commit = list->first; commit; commit = commit->next)
		for (at = 0; at < commit->count; at++)
			keymap_remove(&store->overlay, commit->hashes[at],
				      commit->revision);
	if (store->overlay.count == 0)
		keymap_clear(&store->overlay);
	operations_trim(store->operations, revision, env_wall_ns(&store->env));
	pthread_mutex_unlock(&store->staged);
}

static void list_free(struct wb_store *store, struct staged_list *list)
{
	struct staged_commit *commit;

	while ((commit = list->first)) {
		list->first = commit->next;
		staged_commit_free(store, commit);
	}
}

/* ---- one group ---- */

/* After this, publishing the list cannot fail. */
static enum wb_error make_room(struct wb_store *store,
			       const struct staged_list *list)
{
	const struct staged_commit *commit;
	uint64_t *grown;
	size_t at = 0;

	if (list->mutations > store->hash_capacity) {
		grown = realloc(store->hashes,
				list->mutations * sizeof(*grown));
		if (!grown)
			return WB_NO_MEMORY;
		store->hashes = grown;
		store->hash_capacity = list->mutations;
	}
	for (commit = list->first; commit; commit = commit->next) {
		memcpy(store->hashes + at, commit->hashes,
		       commit->count * sizeof(*commit->hashes));
		at += commit->count;
	}
	return index_reserve_hashes(store->index, store->hashes, at);
}

static enum wb_error flush_group(struct wb_store *store,
				 struct log_group *group,
				 struct staged_list *list)
{
	enum wb_error error;

	error = make_room(store, list);
	if (!error && control_off(CONTROL_PUBLISH_ORDER)) {
		publish(store, list);
		return log_append(store->log, group);
	}
	if (!error)
		error = log_append(store->log, group);
	if (!error)
		publish(store, list);
	return error;
}

/* By the leader. */
static enum wb_error flush_once(struct wb_store *store)
{
	struct staged_list list;
	struct log_group *group;
	enum wb_error error;

	pthread_mutex_lock(&store->staged);
	store->last_group = log_group_commits(store->gathering);
	list = store->list;
	store->list = (struct staged_list){0};
	group = store->gathering;
	store->gathering = store->spare_group;
	pthread_mutex_unlock(&store->staged);

	error = list.first ? flush_group(store, group, &list) : WB_OK;
	log_group_clear(group);
	store->spare_group = group;
	if (error)
		staged_void(store, error);
	list_free(store, &list);
	return error;
}

/* ---- leader and followers ---- */

static bool try_lead(struct wb_store *store)
{
	uint32_t nobody = 0;

	return atomic_compare_exchange_strong(&store->leading, &nobody, 1);
}

/* Wake all who wait for a group, or for the place. */
static void announce(struct wb_store *store)
{
	store->flushed++;
	if (store->sleepers)
		futex_wake(&store->flushed, INT_MAX);
}

/* Sleep until the next announcement after the one numbered `seen`. */
static void await(struct wb_store *store, uint32_t seen)
{
	store->sleepers++;
	futex_wait(&store->flushed, seen);
	store->sleepers--;
}

void flush_lead(struct wb_store *store)
{
	uint32_t seen = store->flushed;

	while (!try_lead(store)) {
		await(store, seen);
		seen = store->flushed;
	}
}

void flush_release(struct wb_store *store)
{
	store->leading = 0;
	announce(store);
}

/* Those who were woken by the last group are about to stage again. As long
 * as they do, and there were several, let them: fewer, fuller groups. A lone
 * writer never waits. */
static void let_gather(struct wb_store *store)
{
	size_t before = 0, now;
	int yields;

	for (yields = 0; yields < GATHER_YIELDS_MAX; yields++) {
		pthread_mutex_lock(&store->staged);
		now = log_group_commits(store->gathering);
		pthread_mutex_unlock(&store->staged);
		if (now >= store->last_group || now == before)
			break;
		before = now;
		sched_yield();
	}
}

/* Followers first, then what can wait: the spare and the anchor are on
 * nobody's way to an acknowledgement but the next group's. */
static void lead_once(struct wb_store *store)
{
	let_gather(store);
	(void)flush_once(store); /* each ticket tells its owner */
	if (log_settle_is_due(store->log)) {
		announce(store);
		log_settle(store->log);
	}
}

enum wb_error store_flush(struct wb_store *store)
{
	enum wb_error error = store_check(store);

	if (error)
		return error;
	flush_lead(store);
	error = flush_once(store);
	flush_release(store);
	return error;
}

void store_settle(struct wb_store *store)
{
	if (store_check(store))
		return;
	flush_lead(store);
	log_settle(store->log);
	flush_release(store);
}

enum wb_error store_wait(struct wb_store *store,
			 const struct store_ticket *ticket)
{
	enum wb_error error = store_check(store);
	uint32_t seen = store->flushed;

	if (error)
		return error;
	while (!store_poll(store, ticket, &error)) {
		if (try_lead(store)) {
			if (!store_poll(store, ticket, &error))
				lead_once(store);
			flush_release(store);
		} else {
			await(store, seen);
		}
		seen = store->flushed;
	}
	return error;
}

enum wb_error wb_store_mark(struct wb_store *store)
{
	enum wb_error error = store_check(store);

	if (error)
		return error;
	if (store->read_only)
		return WB_READ_ONLY;
	flush_lead(store);
	error = log_mark(store->log);
	flush_release(store);
	return error;
}
