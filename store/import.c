/* SPDX-License-Identifier: Apache-2.0
 *
 * An import is an Update whose head is given. Discarded: appending payloads as
 * they are. A revision is part of the payload, and so is what each change
 * replaced, so behind a gap every commit has to be written anew; and one way
 * into the log is enough.
 */
#include "store/import.h"

#include "store/state.h"

#include <assert.h>
#include <string.h>

static_assert((int)WB_KIND_GC_BLOCKED == (int)STORE_KIND_GC_BLOCKED,
	      "one number, for users and in the format");

const struct wb_key store_gc_blocked_key = {
	.kind = WB_KIND_GC_BLOCKED,
	.name = {"salvage", 7},
};

enum wb_error store_import_open(struct dir *dir, const struct env *env,
				const struct wb_open_options *options,
				const uint8_t *uuid,
				struct wb_store **ret_store,
				struct wb_text *ret_text)
{
	struct wb_open_options creating = *options;

	creating.flags |= WB_OPEN_CREATE;
	return store_open_as(dir, env, &creating, uuid, ret_store, ret_text);
}

/* The bounds that a reader of the log holds a commit to. */
static enum wb_error check_bounds(const struct import_commit *commit)
{
	if (commit->count == 0)
		return WB_USAGE;
	if (commit->command.size > WB_COMMAND_BYTES_MAX ||
	    commit->reason.size > WB_REASON_BYTES_MAX ||
	    commit->operation_ns.size > WB_NAMESPACE_BYTES_MAX ||
	    commit->operation_id.size > WB_OPERATION_ID_BYTES_MAX)
		return WB_BAD_INPUT;
	return WB_OK;
}

static void take_head(struct wb_txn *txn, const struct import_commit *commit)
{
	struct commit_head *head = &txn->head;

	/* What the format allows, and a little more than an Update may. */
	txn->bytes_max = COMMIT_PAYLOAD_MAX;
	txn->time_ns = commit->time_ns;
	head->time_ns = commit->time_ns;
	head->actor = (struct commit_actor){commit->uid, commit->gid,
					    commit->pid, commit->command};
	head->reason = commit->reason;
	head->operation_ns = commit->operation_ns;
	head->operation_id = commit->operation_id;
	head->request_hash = commit->request_hash;
}

static enum wb_error add_changes(struct wb_txn *txn,
				 const struct import_commit *commit)
{
	enum wb_error error = WB_OK;

	for (size_t at = 0; at < commit->count && !error; at++) {
		const struct import_change *change = &commit->changes[at];
		struct mutation mutation = {.key = change->key,
					    .deleted = change->deleted};

		if (!change->deleted)
			mutation.value = change->value;
		error = txn_import(txn, &mutation);
	}
	return error;
}

enum wb_error store_import(struct wb_store *store,
			   const struct import_commit *commit,
			   struct store_ticket *ret_ticket)
{
	struct store_ticket ticket;
	struct wb_txn *txn;
	enum wb_error error = check_bounds(commit), aborted;

	if (!error)
		error = wb_txn_begin(store, NULL, &txn, NULL);
	if (error)
		return error;
	take_head(txn, commit);
	error = add_changes(txn, commit);
	if (error) {
		aborted = wb_txn_abort(txn);
		return aborted ? aborted : error;
	}
	error = store_stage(txn, &ticket);
	if (!error)
		*ret_ticket = ticket;
	return error;
}
