/* SPDX-License-Identifier: Apache-2.0
 *
 * Staging: a transaction becomes bytes in the gathering group and records in
 * the overlay. From here on later Updates see it and nobody else does.
 *
 * If its group cannot be written, everything that was staged after it may
 * have been built on it, so all of that is void too: a round ends. Rounds are
 * numbered; a ticket names its round, so that a revision that is given out
 * again is not taken for the one that was lost.
 */
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

struct record *overlay_find(struct wb_store *store, uint64_t hash,
			    const struct key *key)
{
	return keymap_find(&store->overlay, hash, key->bytes, key->size);
}

void staged_commit_free(struct wb_store *store, struct staged_commit *commit)
{
	size_t at;

	for (at = 0; at < commit->count; at++)
		if (commit->records[at])
			record_free(store->heap, commit->records[at]);
	free(commit->records);
#ifndef WAYBILL_PLANT_LEAK /* a planted fault for the leak sanitizer */
	free(commit->hashes);
#endif
	free(commit);
}

void staged_void(struct wb_store *store, enum wb_error error)
{
	struct round_end *end;
	struct staged_commit *commit;

	pthread_mutex_lock(&store->staged);
	keymap_clear(&store->overlay);
	while ((commit = store->list.first)) {
		store->list.first = commit->next;
		staged_commit_free(store, commit);
	}
	store->list = (struct staged_list){0};
	log_group_clear(store->gathering);
	log_unstage(store->log);
	operations_cut(store->operations, log_durable_revision(store->log));
	end = &store->round_ends[store->round % ROUNDS_KEPT];
	end->durable = log_durable_revision(store->log);
	end->error = error;
	store->round++;
	pthread_mutex_unlock(&store->staged);
}

/* Its round is over: was it durable before? */
static enum wb_error outcome_of_round(struct wb_store *store,
				      const struct store_ticket *ticket)
{
	const struct round_end *end;
	enum wb_error error;

	pthread_mutex_lock(&store->staged);
	end = &store->round_ends[ticket->round % ROUNDS_KEPT];
	if (store->round - ticket->round > ROUNDS_KEPT)
		error = WB_OUTCOME_UNKNOWN;
	else
		error = ticket->revision <= end->durable ? WB_OK : end->error;
	pthread_mutex_unlock(&store->staged);
	return error;
}

/* Everybody who waits looks here after each group, so: no lock. The order
 * matters. What was published is read before the round; so where the round
 * is still the ticket's, it was published in it, and the revision is not one
 * that was given out again. */
bool store_poll(struct wb_store *store, const struct store_ticket *ticket,
		enum wb_error *ret_error)
{
	uint64_t published = store->published;
	uint64_t round = store->round;

	if (ticket->revision == 0)
		*ret_error = WB_OK;
	else if (round != ticket->round)
		*ret_error = outcome_of_round(store, ticket);
	else if (published >= ticket->revision)
		*ret_error = WB_OK;
	else
		return false;
	return true;
}

/* Of a transaction that began in a round which has ended since. Whatever it
 * saw, it was not staged: its own outcome is never unknown. */
static enum wb_error error_of_lost_round(const struct wb_store *store,
					 uint64_t round)
{
	enum wb_error error = store->round_ends[round % ROUNDS_KEPT].error;

	return error == WB_OUTCOME_UNKNOWN ? WB_STOPPED : error;
}

/* The staged lock is held. Nothing is changed where it fails. */
static enum wb_error stage_locked(struct wb_txn *txn,
				  struct staged_commit *commit)
{
	struct wb_store *store = txn->store;
	struct operation operation = {
		.request_hash = txn->head.request_hash,
		.revision = txn->revision,
	};
	struct operation_key key = {
		.uid = txn->head.actor.uid,
		.ns = txn->head.operation_ns,
		.id = txn->head.operation_id,
	};
	enum wb_error error;
	size_t at;

	if (txn->round != store->round)
		return error_of_lost_round(store, txn->round);
	error = keymap_reserve(&store->overlay, txn->count);
	if (!error && key.id.size)
		error = operations_add(store->operations, &key, &operation,
				       txn->time_ns);
	if (error)
		return error;
	error = log_stage(store->log, store->gathering, &txn->head,
			  (struct wb_bytes){txn->wire, txn->wire_bytes},
			  txn->log_hashes, (uint32_t)txn->count);
	if (error) {
		operations_cut(store->operations, txn->revision - 1);
		return error;
	}
	for (at = 0; at < txn->count; at++)
		keymap_put(&store->overlay, txn->hashes[at], txn->records[at]);
	*commit = (struct staged_commit){
		.revision = txn->revision,
		.count = txn->count,
		.records = txn->records,
		.hashes = txn->hashes,
	};
	txn->records = NULL;
	txn->hashes = NULL;
	txn->count = 0;
	if (store->list.last)
		store->list.last->next = commit;
	else
		store->list.first = commit;
	store->list.last = commit;
	store->list.mutations += commit->count;
	return WB_OK;
}

/* On a full disk only what frees space goes on. Room was looked for when the
 * Update began. */
static enum wb_error check_reserve(const struct wb_txn *txn)
{
	return txn->puts ? log_reserve_error(txn->store->log) : WB_OK;
}

/* What is staged is put into the overlay by the record's own key. */
static enum wb_error check_records(const struct wb_txn *txn)
{
	enum wb_error error = WB_OK;
	size_t at;

	for (at = 0; at < txn->count && !error; at++)
		if (!record_verifies(txn->records[at]))
			error = record_rotten_alone(
				txn->store,
				"not committed, for it was damaged since:",
				txn->records[at]);
	return error;
}

static enum wb_error stage(struct wb_txn *txn, struct store_ticket *ticket)
{
	struct wb_store *store = txn->store;
	struct staged_commit *commit;
	uint64_t revision = txn->revision;
	enum wb_error error;

	if (txn->failed)
		return txn->failed;
	if (txn->count == 0)
		return WB_OK;
	error = check_reserve(txn);
	if (!error)
		error = check_records(txn);
	if (error)
		return error;
	commit = malloc(sizeof(*commit));
	if (!commit)
		return WB_NO_MEMORY;
	pthread_mutex_lock(&store->staged);
	error = stage_locked(txn, commit);
	pthread_mutex_unlock(&store->staged);
	if (error)
		free(commit);
	else
		ticket->revision = revision;
	return error;
}

enum wb_error store_stage(struct wb_txn *txn, struct store_ticket *ret_ticket)
{
	struct store_ticket ticket = {txn->seen, txn->round};
	struct wb_store *store = txn->store;
	enum wb_error error = store_check(store);

	if (error)
		return error;
	error = stage(txn, &ticket);
	txn_free(txn);
	turn_give(store);
	*ret_ticket = ticket;
	return error;
}
