/* SPDX-License-Identifier: Apache-2.0
 *
 * Undo: two versions from the log, then an Update that puts the older one
 * over the newer.
 *
 * The log is read before the Update, which holds the turn and may not wait
 * for a disk. So the Update first asks whether the name may have changed
 * since. If so it is given up and the log read again; a newest version that
 * is another one now was somebody else's, and is theirs to keep.
 *
 * Turned down: a condition that the newest version be live at its revision,
 * or absent. A name that was made and deleted in between is absent too, and
 * undo would bring back what the wrong deletion removed.
 */
#include "images/image.h"
#include "images/local.h"
#include "images/sentence.h"
#include "images/validate.h"
#include "store/store.h"

#include <stdio.h>

/* Only other keys with the same hash, or segments that fill up, can make a
 * look stale without a change; that many times in a row they do not. */
enum { LOOKS_MAX = 16 };

struct undo {
	struct local *local;
	const struct wb_call *call;
	const char *name;
	const struct wb_condition *condition;
	struct wb_text *text;

	/* ---- what the log says ---- */
	uint64_t upto;		 /* the newest revision when it was read */
	uint64_t newest;	 /* of this name; 0: it has no version */
	uint64_t previous;	 /* what the newest one replaced; 0: nothing */
	bool deleted;		 /* the newest one is a deletion */
	struct wb_image *before; /* the version `previous` */
	enum wb_error error;

	/* ---- what is answered ---- */
	struct wb_outcome outcome;
	struct wb_image *image; /* stored, or the one that is in the way */
	bool stale;		/* the look was, so it is taken again */
};

/* ---- the look ---- */

static bool take_version(void *context, const struct wb_version *version)
{
	const struct wb_record *record = &version->record;
	struct undo *undo = context;

	if (undo->newest == 0) {
		undo->newest = record->revision;
		undo->previous = version->previous_revision;
		undo->deleted = version->deleted;
		return undo->previous != 0;
	}
	if (record->revision != undo->previous || version->deleted)
		undo->error = WB_CORRUPT;
	else
		undo->error = image_decode(record->key.name, record->value,
					   record->revision, &undo->before);
	return false;
}

static enum wb_error look(struct undo *undo)
{
	struct wb_store *store = undo->local->store;
	struct wb_key key = image_key(undo->call->ns, undo->name);
	enum wb_error error;

	wb_image_free(undo->before);
	undo->before = NULL;
	undo->newest = undo->previous = 0;
	undo->error = WB_OK;
	if (!name_is_storable(undo->name))
		return not_found(undo->text, undo->name);
	undo->upto = store_revision(store);
	error = wb_history(store, &key, 0, 2, take_version, undo);
	if (!error)
		error = undo->error;
	if (!error && undo->newest == 0)
		return not_found(undo->text, undo->name);
	if (!error && undo->previous != 0 && !undo->before)
		error = WB_CORRUPT;
	return error ? store_answer(undo->text, error, undo->name) : WB_OK;
}

/* ---- the Update ---- */

static enum wb_error check_condition(const struct undo *undo)
{
	const struct wb_condition *condition = undo->condition;

	if (!condition || condition->kind != WB_WHEN_REVISION || !undo->deleted)
		return condition_hold(condition, undo->name, undo->image,
				      undo->text);
	if (condition->revision == undo->newest)
		return WB_OK;
	return answer(undo->text, WB_PRECONDITION,
		      "image %q: was deleted at revision %d, not %d: "
		      "precondition failed",
		      undo->name, (long long)undo->newest,
		      (long long)condition->revision);
}

static enum wb_error put_back(struct write *write, struct undo *undo)
{
	const struct wb_image *current = undo->image;
	struct wb_image *stored = NULL;
	struct wb_image image;
	enum wb_error error = image_canonical(undo->before, &image);

	if (error)
		return store_answer(undo->text, error, undo->name);
	error = write_image(write, &image, current ? current : undo->before,
			    &stored);
	image_canonical_release(&image);
	if (!error) {
		wb_image_free(undo->image);
		undo->image = stored;
	}
	return error;
}

static enum wb_error change(struct write *write, struct undo *undo)
{
	struct wb_key key = image_key(undo->call->ns, undo->name);
	uint64_t live = undo->deleted ? 0 : undo->newest;
	enum wb_error error = image_read(read_txn, write->txn, undo->call->ns,
					 undo->name, &undo->image, undo->text);

	if (error)
		return error;
	undo->stale = store_changed_after(write->txn, &key, undo->upto) ||
		      (undo->image ? undo->image->revision : 0) != live;
	if (undo->stale)
		return WB_AGAIN;
	error = check_condition(undo);
	if (error)
		return error;
	if (undo->before)
		return put_back(write, undo);
	error = write_delete(write, undo->name);
	if (!error) {
		wb_image_free(undo->image);
		undo->image = NULL;
	}
	return error;
}

static bool has_id(const struct undo *undo)
{
	return undo->call->operation_id && *undo->call->operation_id;
}

static enum wb_error hash_of(const struct undo *undo, uint64_t *ret_hash)
{
	struct request request;
	enum wb_error error;

	*ret_hash = 0;
	if (!has_id(undo))
		return WB_OK;
	error = request_begin(&request, REQUEST_UNDO);
	if (error)
		return store_answer(undo->text, error, undo->name);
	request_string(&request, undo->name);
	request_condition(&request, undo->condition);
	*ret_hash = request_end(&request);
	return WB_OK;
}

static enum wb_error begin(struct write *write, const struct undo *undo,
			   struct wb_call *call, struct wb_text *ret_text)
{
	uint64_t hash;
	enum wb_error error = hash_of(undo, &hash);

	return error ? error
		     : write_begin(write, undo->local, call, hash, ret_text);
}

static void answer_replay(struct undo *undo, const struct write *write)
{
	undo->outcome = write->outcome;
	undo->image = image_of_revision(undo->local->store, undo->call->ns,
					undo->name, write->outcome.revision);
}

static enum wb_error update(struct undo *undo)
{
	struct wb_call call = *undo->call;
	struct write write;
	char reason[64];
	enum wb_error error;

	snprintf(reason, sizeof(reason), "undo of revision %llu",
		 (unsigned long long)undo->newest);
	if (!call.reason || !*call.reason)
		call.reason = reason;
	error = begin(&write, undo, &call, undo->text);
	if (error)
		return error;
	if (!write.txn) {
		answer_replay(undo, &write);
		return WB_OK;
	}
	error = write_end(&write, change(&write, undo));
	undo->outcome = write.outcome;
	if (!error && undo->image)
		undo->image->revision = write.outcome.revision;
	return error;
}

/* The log could not be looked at, or says that there is nothing to undo. An
 * operation that was done before was done all the same. */
static enum wb_error without_look(struct undo *undo, enum wb_error looked)
{
	struct wb_call call = *undo->call;
	struct write write;
	enum wb_error error;

	if (!has_id(undo))
		return looked;
	error = begin(&write, undo, &call, NULL);
	if (error == WB_CONFLICT)
		return store_answer(undo->text, error, NULL);
	if (error)
		return looked;
	if (write.txn)
		return write_end(&write, looked);
	answer_replay(undo, &write);
	return WB_OK;
}

/* ---- both, until they fit ---- */

static enum wb_error changed_meanwhile(struct undo *undo)
{
	enum wb_error error =
		image_read(read_store, undo->local->store, undo->call->ns,
			   undo->name, &undo->image, undo->text);

	if (error)
		return error;
	return answer(undo->text, WB_PRECONDITION,
		      "image %q: was changed meanwhile, at revision %d: "
		      "precondition failed",
		      undo->name, (long long)undo->newest);
}

static enum wb_error run(struct undo *undo)
{
	uint64_t newest = 0;

	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		enum wb_error error = look(undo);

		if (error)
			return without_look(undo, error);
		if (looks > 0 && undo->newest != newest)
			return changed_meanwhile(undo);
		newest = undo->newest;
		undo->stale = false;
		error = update(undo);
		if (!undo->stale || error != WB_AGAIN)
			return error;
		wb_image_free(undo->image);
		undo->image = NULL;
	}
	return store_answer(undo->text, WB_AGAIN, undo->name);
}

enum wb_error local_undo(struct wb_images *images, const struct wb_call *call,
			 const char *name, const struct wb_condition *condition,
			 struct wb_outcome *ret_outcome,
			 struct wb_image **ret_image, struct wb_text *ret_text)
{
	struct wb_call mine;
	struct undo undo = {
		.local = local_of(images),
		.call = &mine,
		.name = name,
		.condition = condition,
		.text = ret_text,
	};
	enum wb_error error = call_take(call, &mine, ret_text);

	if (!error)
		error = condition_check(condition, ret_text);
	if (!error)
		error = run(&undo);
	if (!error && ret_outcome)
		*ret_outcome = undo.outcome;
	if (ret_image && (!error || error == WB_PRECONDITION)) {
		*ret_image = undo.image;
		undo.image = NULL;
	}
	wb_image_free(undo.before);
	wb_image_free(undo.image);
	return error;
}
