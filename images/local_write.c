/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that change one image. Each is an Update of its own: look, judge,
 * put, in the one place where no other writer can come between. The store's
 * preconditions are not used: what they ask is known here already, and the
 * text of the answer needs more than they tell.
 *
 * No answer leaves before write_end: it waits until all that the Update saw
 * is durable, also where the answer is a refusal.
 */
#include "images/image.h"
#include "images/local.h"
#include "images/mask.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>

/* ---- one call ---- */

/* A call on its way: its arguments, and what it found and made. */
struct task {
	enum request_kind kind;
	struct wb_image image; /* canonical; of remove only the name */
	const struct wb_condition *condition;
	const char *const *paths;
	size_t path_count;
	const char *target_digest;
	const char *source; /* of copy */
	bool replace;	    /* likewise */

	struct wb_image *current;
	struct wb_image *stored;
};

static enum wb_error task_hash(const struct task *task,
			       const struct wb_call *call, uint64_t *ret_hash)
{
	struct request request;
	enum wb_error error;

	if (!call->operation_id || !*call->operation_id) {
		*ret_hash = 0;
		return WB_OK;
	}
	error = request_begin(&request, task->kind);
	if (error)
		return error;
	if (task->kind == REQUEST_REMOVE) {
		request_string(&request, task->image.name);
		request_string(&request, task->target_digest);
	} else if (task->kind == REQUEST_COPY) {
		/* Not what the source is: a retry must find the first time,
		 * also where that has changed since. */
		request_string(&request, task->image.name);
		request_string(&request, task->source);
		request_number(&request, task->replace);
	} else {
		request_image(&request, &task->image);
		request_number(&request, task->path_count);
		for (size_t i = 0; i < task->path_count; i++)
			request_string(&request, task->paths[i]);
	}
	request_condition(&request, task->condition);
	*ret_hash = request_end(&request);
	return WB_OK;
}

static enum wb_error do_update(struct write *write, struct task *task)
{
	struct wb_image merged;
	enum wb_error error;

	if (!task->current)
		return not_found(write->text, task->image.name);
	error = mask_apply(task->current, &task->image, task->paths,
			   task->path_count, &merged, write->text);
	if (error == WB_NO_MEMORY)
		return store_answer(write->text, error, task->image.name);
	if (error)
		return error;
	error = image_check(&merged, write->text);
	if (!error)
		error = write_image(write, &merged, task->current,
				    &task->stored);
	image_canonical_release(&merged);
	return error;
}

/* One that does not ask what it removes. It is the way to be rid of a value
 * that cannot be decoded. */
static bool is_plain_remove(const struct task *task)
{
	bool any = !task->condition || task->condition->kind == WB_WHEN_ANY;

	return task->kind == REQUEST_REMOVE && any &&
	       (!task->target_digest || !*task->target_digest);
}

static enum wb_error do_remove(struct write *write, const struct task *task)
{
	const char *name = task->image.name;

	if (!task->current)
		return not_found(write->text, name);
	if (task->target_digest && *task->target_digest &&
	    strcmp(task->target_digest, task->current->target.digest))
		return answer(write->text, WB_NOT_FOUND,
			      "image %q has target %s, not %s: not found", name,
			      task->current->target.digest,
			      task->target_digest);
	return write_delete(write, name);
}

static enum wb_error copy_from(struct write *write, struct task *task,
			       const struct wb_image *source)
{
	struct wb_image image = *source;
	enum wb_error error;

	image.name = task->image.name;
	error = image_check(&image, write->text);
	return error ? error
		     : write_image(write, &image, task->current, &task->stored);
}

static enum wb_error do_copy(struct write *write, struct task *task)
{
	struct wb_image *source = NULL;
	enum wb_error error = image_read(read_txn, write->txn, write->call->ns,
					 task->source, &source, write->text);

	if (error)
		return error;
	if (!source)
		return not_found(write->text, task->source);
	error = copy_from(write, task, source);
	wb_image_free(source);
	return error;
}

static enum wb_error do_task(struct write *write, struct task *task)
{
	const char *name = task->image.name;
	enum wb_error error = image_read(read_txn, write->txn, write->call->ns,
					 name, &task->current, NULL);

	if (error == WB_CORRUPT && is_plain_remove(task))
		return write_delete(write, name);
	if (error)
		return store_answer(write->text, error, name);
	if (task->current && (task->kind == REQUEST_CREATE ||
			      (task->kind == REQUEST_COPY && !task->replace)))
		return store_answer(write->text, WB_EXISTS, name);
	error = condition_hold(task->condition, name, task->current,
			       write->text);
	if (error)
		return error;
	switch (task->kind) {
	case REQUEST_UPDATE:
		return do_update(write, task);
	case REQUEST_REMOVE:
		return do_remove(write, task);
	case REQUEST_COPY:
		return do_copy(write, task);
	default:
		return write_image(write, &task->image, task->current,
				   &task->stored);
	}
}

/* The first version of a search in the log, where it is the right one. */
struct replay {
	uint64_t revision; /* 0: whatever comes first */
	struct wb_image *image;
};

static bool replay_visit(void *context, const struct wb_version *version)
{
	struct replay *replay = context;
	const struct wb_record *record = &version->record;

	if (!version->deleted &&
	    (!replay->revision || record->revision == replay->revision) &&
	    image_decode(record->key.name, record->value, record->revision,
			 &replay->image))
		replay->image = NULL;
	return false;
}

struct wb_image *image_of_revision(struct wb_store *store, const char *ns,
				   const char *name, uint64_t revision)
{
	struct wb_key key = image_key(ns, name);
	struct replay replay = {.revision = revision};

	if (name_is_storable(name))
		wb_history(store, &key, revision + 1, 1, replay_visit, &replay);
	return replay.image;
}

/* The outcome of a replay is known, whether or not its image still is: it
 * stays NULL where the log does not reach back so far, or cannot be read. Of
 * a replayed remove it is what that took away. */
static void task_replay(const struct write *write, struct task *task)
{
	struct wb_key key = image_key(write->call->ns, task->image.name);
	uint64_t revision = write->outcome.revision;
	struct wb_store *store = write->local->store;
	struct replay replay = {.revision = 0};

	if (task->kind == REQUEST_REMOVE) {
		wb_history(store, &key, revision, 1, replay_visit, &replay);
		task->current = replay.image;
		return;
	}
	if (!image_read(read_store, store, write->call->ns, task->image.name,
			&task->stored, NULL) &&
	    task->stored && task->stored->revision == revision)
		return;
	wb_image_free(task->stored);
	task->stored = image_of_revision(store, write->call->ns,
					 task->image.name, revision);
}

static void give(struct wb_image **ret_image, struct wb_image **image)
{
	if (!ret_image)
		return;
	*ret_image = *image;
	*image = NULL;
}

/* Run `task`, whose arguments were checked, and hand out what it made. */
static enum wb_error run(struct wb_images *images, const struct wb_call *call,
			 struct task *task, struct wb_outcome *ret_outcome,
			 struct wb_image **ret_image, struct wb_text *ret_text)
{
	struct write write;
	uint64_t hash;
	enum wb_error error = task_hash(task, call, &hash);

	if (error)
		return store_answer(ret_text, error, task->image.name);
	error = write_begin(&write, local_of(images), call, hash, ret_text);
	if (error)
		return error;
	if (write.txn)
		error = write_end(&write, do_task(&write, task));
	else if (ret_image)
		task_replay(&write, task);
	if (!error && task->stored)
		task->stored->revision = write.outcome.revision;
	if (!error && ret_outcome)
		*ret_outcome = write.outcome;
	if (error == WB_PRECONDITION ||
	    (!error && task->kind == REQUEST_REMOVE))
		give(ret_image, &task->current);
	else if (!error)
		give(ret_image, &task->stored);
	wb_image_free(task->current);
	wb_image_free(task->stored);
	return error;
}

/* Call, condition, image: what can be said without looking. */
static enum wb_error check(const struct wb_call *call,
			   const struct wb_image *image, struct task *task,
			   struct wb_call *ret_call, struct wb_text *ret_text)
{
	enum wb_error error = call_take(call, ret_call, ret_text);

	if (error)
		return error;
	error = image_canonical(image, &task->image);
	if (error)
		return store_answer(ret_text, error, image->name);
	if (task->kind != REQUEST_UPDATE)
		error = image_check(&task->image, ret_text);
	else if (!*task->image.name)
		error = answer(ret_text, WB_BAD_INPUT, "Image.Name required");
	if (!error)
		error = condition_check(task->condition, ret_text);
	if (error)
		image_canonical_release(&task->image);
	return error;
}

static enum wb_error check_and_run(struct wb_images *images,
				   const struct wb_call *call,
				   const struct wb_image *image,
				   struct task *task,
				   struct wb_outcome *ret_outcome,
				   struct wb_image **ret_image,
				   struct wb_text *ret_text)
{
	struct wb_call mine;
	enum wb_error error = check(call, image, task, &mine, ret_text);

	if (error == WB_PRECONDITION && ret_image)
		*ret_image = NULL; /* there is no namespace */
	if (error)
		return error;
	error = run(images, &mine, task, ret_outcome, ret_image, ret_text);
	image_canonical_release(&task->image);
	return error;
}

enum wb_error local_put(struct wb_images *images, const struct wb_call *call,
			const struct wb_image *image,
			const struct wb_condition *condition,
			struct wb_outcome *ret_outcome,
			struct wb_image **ret_image, struct wb_text *ret_text)
{
	struct task task = {.kind = REQUEST_PUT, .condition = condition};

	return check_and_run(images, call, image, &task, ret_outcome, ret_image,
			     ret_text);
}

enum wb_error local_create(struct wb_images *images, const struct wb_call *call,
			   const struct wb_image *image,
			   struct wb_outcome *ret_outcome,
			   struct wb_image **ret_image,
			   struct wb_text *ret_text)
{
	struct task task = {.kind = REQUEST_CREATE};

	return check_and_run(images, call, image, &task, ret_outcome, ret_image,
			     ret_text);
}

enum wb_error local_update(struct wb_images *images, const struct wb_call *call,
			   const struct wb_image *image,
			   const char *const *paths, size_t path_count,
			   const struct wb_condition *condition,
			   struct wb_outcome *ret_outcome,
			   struct wb_image **ret_image,
			   struct wb_text *ret_text)
{
	struct task task = {.kind = REQUEST_UPDATE,
			    .paths = paths,
			    .path_count = path_count,
			    .condition = condition};

	return check_and_run(images, call, image, &task, ret_outcome, ret_image,
			     ret_text);
}

/* A task without an image of the caller's. */
static enum wb_error check_call_and_run(struct wb_images *images,
					const struct wb_call *call,
					struct task *task,
					struct wb_outcome *ret_outcome,
					struct wb_image **ret_image,
					struct wb_text *ret_text)
{
	struct wb_call mine;
	enum wb_error error = call_take(call, &mine, ret_text);

	if (!error)
		error = condition_check(task->condition, ret_text);
	if (error == WB_PRECONDITION && ret_image)
		*ret_image = NULL; /* there is no namespace */
	if (error)
		return error;
	return run(images, &mine, task, ret_outcome, ret_image, ret_text);
}

enum wb_error local_remove(struct wb_images *images, const struct wb_call *call,
			   const char *name, const char *target_digest,
			   const struct wb_condition *condition,
			   struct wb_outcome *ret_outcome,
			   struct wb_image **ret_image,
			   struct wb_text *ret_text)
{
	struct task task = {.kind = REQUEST_REMOVE,
			    .image.name = name,
			    .condition = condition,
			    .target_digest = target_digest};

	return check_call_and_run(images, call, &task, ret_outcome, ret_image,
				  ret_text);
}

enum wb_error local_copy(struct wb_images *images, const struct wb_call *call,
			 const char *source, const char *name, bool replace,
			 const struct wb_condition *condition,
			 struct wb_outcome *ret_outcome,
			 struct wb_image **ret_image, struct wb_text *ret_text)
{
	struct task task = {.kind = REQUEST_COPY,
			    .image.name = name,
			    .condition = condition,
			    .source = source,
			    .replace = replace};

	return check_call_and_run(images, call, &task, ret_outcome, ret_image,
				  ret_text);
}
