/* SPDX-License-Identifier: Apache-2.0
 *
 * An import is an Update whose head is given. Discarded: appending payloads as
 * they are. A revision is part of the payload, and so is what each change
 * replaced, so behind a gap every commit has to be written anew; and one way
 * into the log is enough.
 */
#include "store/import.h"

#include "log/place.h"
#include "store/state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert((int)WB_KIND_GC_BLOCKED == (int)STORE_KIND_GC_BLOCKED,
	      "one number, for users and in the format");

const struct wb_key store_gc_blocked_key = {
	.kind = WB_KIND_GC_BLOCKED,
	.name = {"salvage", 7},
};

/* ---- a store in the making ---- */

enum wb_error store_import_check(struct dir *dir, struct wb_text *ret_text)
{
	struct place place;
	bool unfinished = false;
	enum wb_error error = place_look(dir, &place);

	if (!error)
		error = dir_has(dir, "", ANCHOR_UNFINISHED_NAME, &unfinished);
	if (error)
		return text_set(ret_text, error, "the directory: %s",
				wb_error_text(error));
	if (unfinished)
		return text_set(ret_text, WB_EXISTS,
				"a load or a salvage into it is in progress, "
				"or was not finished: then remove what it left "
				"(%s, segments, tmp)",
				ANCHOR_UNFINISHED_NAME);
	if (place.kind == PLACE_STORE)
		return text_set(ret_text, WB_EXISTS, "a store is there");
	if (place.kind == PLACE_TAKEN)
		return text_set(ret_text, WB_NOT_A_STORE,
				"no waybill store, and not empty (%s): a store "
				"is made in an empty or a new directory",
				place.other);
	return WB_OK;
}

enum wb_error store_import_unfinished(struct dir *dir, bool *ret_unfinished)
{
	bool unfinished, anchor;
	enum wb_error error =
		dir_has(dir, "", ANCHOR_UNFINISHED_NAME, &unfinished);

	if (!error)
		error = dir_has(dir, "", ANCHOR_NAME, &anchor);
	if (!error)
		*ret_unfinished = unfinished && !anchor;
	return error;
}

void store_import_veil(struct veil *veil, struct dir *dir)
{
	veil_init(veil, dir,
		  control_off(CONTROL_IMPORT_VEIL) ? NULL
						   : ANCHOR_UNFINISHED_NAME);
}

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

enum wb_error store_import_finish(struct dir *dir)
{
	enum wb_error error = WB_OK;

	if (!control_off(CONTROL_IMPORT_VEIL))
		error = dir_rename(dir, ANCHOR_UNFINISHED_NAME, ANCHOR_NAME,
				   CONTROL_IMPORT_RENAME);
	return error ? error : dir_sync(dir, "", CONTROL_IMPORT_DIR_SYNC);
}

enum wb_error store_import_without_doubt(enum wb_error error)
{
	return error == WB_OUTCOME_UNKNOWN || error == WB_STOPPED ? WB_IO
								  : error;
}

struct sweep {
	struct dir *dir;
	const char *folder;
};

static bool remove_in(void *context, const char *entry)
{
	struct sweep *sweep = context;
	char name[300];

	snprintf(name, sizeof(name), "%s/%s", sweep->folder, entry);
	(void)dir_remove(sweep->dir, name);
	return true;
}

/* The anchor first, without which there is no store; and last what says that
 * there is none yet. */
void store_import_remove(struct dir *dir)
{
	struct sweep sweeps[] = {{dir, "tmp"}, {dir, "torn"}};

	(void)dir_remove(dir, ANCHOR_NAME);
	(void)segments_remove(dir);
	for (unsigned at = 0; at < 2; at++)
		(void)dir_list(dir, sweeps[at].folder, remove_in, &sweeps[at]);
	(void)dir_remove(dir, ANCHOR_UNFINISHED_NAME);
}

/* ---- commits ---- */

/* The bounds that a reader of the log holds a commit to. */
static enum wb_error check_bounds(const struct store_commit *commit)
{
	if (commit->changes == 0)
		return WB_USAGE;
	if (commit->command.size > WB_COMMAND_BYTES_MAX ||
	    commit->reason.size > WB_REASON_BYTES_MAX ||
	    commit->operation_ns.size > WB_NAMESPACE_BYTES_MAX ||
	    commit->operation_id.size > WB_OPERATION_ID_BYTES_MAX)
		return WB_BAD_INPUT;
	return WB_OK;
}

static void take_head(struct wb_txn *txn, const struct store_commit *commit)
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
				 const struct store_change *changes,
				 size_t count, size_t *ret_change)
{
	enum wb_error error = WB_OK;

	for (size_t at = 0; at < count && !error; at++) {
		struct mutation mutation = {.key = changes[at].key,
					    .deleted = changes[at].deleted};

		if (!mutation.deleted)
			mutation.value = changes[at].value;
		error = txn_import(txn, &mutation);
		if (error && ret_change)
			*ret_change = at;
	}
	return error;
}

enum wb_error store_import(struct wb_store *store,
			   const struct store_commit *commit,
			   const struct store_change *changes,
			   struct store_ticket *ret_ticket, size_t *ret_change)
{
	struct store_ticket ticket;
	struct wb_txn *txn;
	enum wb_error error = check_bounds(commit), aborted;

	if (!error)
		error = wb_txn_begin(store, NULL, &txn, NULL);
	if (error)
		return error;
	take_head(txn, commit);
	error = add_changes(txn, changes, commit->changes, ret_change);
	if (error) {
		aborted = wb_txn_abort(txn);
		return aborted ? aborted : error;
	}
	error = store_stage(txn, &ticket);
	if (!error)
		*ret_ticket = ticket;
	return error;
}

enum wb_error store_import_follow(struct wb_store *store,
				  struct store_ticket *last,
				  const struct store_ticket *ticket)
{
	enum wb_error error;

	if (ticket->revision != last->revision + 1) {
		error = store_wait(store, last);
		return error ? error : WB_IO;
	}
	*last = *ticket;
	return WB_OK;
}
