/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch is one transaction: all of it is checked before any of it is
 * written, and the first fault ends it.
 */
#include "images/labels.h"
#include "images/local.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>

struct batch {
	struct wb_images *images;
	const struct wb_image_mutation *mutations;
	size_t count;
	size_t failed;		  /* which mutation the error is about */
	struct wb_image *current; /* of the one whose condition fails */
	struct wb_text *text;
};

static const char *name_of(const struct wb_image_mutation *mutation)
{
	const char *name =
		mutation->put ? mutation->put->name : mutation->remove;

	return name ? name : "";
}

static enum wb_error check_mutation(const struct wb_image_mutation *mutation,
				    struct wb_text *ret_text)
{
	enum wb_error error;

	if (!mutation->put == !mutation->remove)
		return answer(ret_text, WB_BAD_INPUT,
			      "a mutation either puts or deletes: "
			      "invalid argument");
	error = condition_check(&mutation->condition, ret_text);
	if (!error && mutation->put)
		error = wb_image_validate(mutation->put, ret_text);
	return error;
}

static int by_name_then_place(const void *a, const void *b, void *context)
{
	const struct wb_image_mutation *mutations = context;
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;
	int order =
		strcmp(name_of(&mutations[left]), name_of(&mutations[right]));

	if (order != 0)
		return order;
	return left < right ? -1 : left > right;
}

/* The first mutation that names what one before it names. */
static enum wb_error check_names(struct batch *batch)
{
	size_t *places = calloc(batch->count + 1, sizeof(*places));
	size_t first = SIZE_MAX;

	if (!places)
		return store_answer(batch->text, WB_NO_MEMORY, NULL);
	for (size_t i = 0; i < batch->count; i++)
		places[i] = i;
	qsort_r(places, batch->count, sizeof(*places), by_name_then_place,
		(void *)batch->mutations);
	for (size_t i = 1; i < batch->count; i++) {
		const char *name = name_of(&batch->mutations[places[i]]);

		if (!strcmp(name, name_of(&batch->mutations[places[i - 1]])) &&
		    places[i] < first)
			first = places[i];
	}
	free(places);
	if (first == SIZE_MAX)
		return WB_OK;
	batch->failed = first;
	return answer(batch->text, WB_BAD_INPUT,
		      "image %q: twice in one batch: invalid argument",
		      name_of(&batch->mutations[first]));
}

static enum wb_error batch_check(struct batch *batch)
{
	if (batch->count > WB_TXN_MUTATIONS_MAX)
		return answer(batch->text, WB_TOO_LARGE,
			      "more than %d mutations in one batch",
			      (long long)WB_TXN_MUTATIONS_MAX);
	for (size_t i = 0; i < batch->count; i++) {
		enum wb_error error =
			check_mutation(&batch->mutations[i], batch->text);

		if (error) {
			batch->failed = i;
			return error;
		}
	}
	return check_names(batch);
}

static enum wb_error batch_hash(const struct batch *batch,
				const struct wb_call *call, uint64_t *ret_hash)
{
	struct request request;
	enum wb_error error;

	*ret_hash = 0;
	if (!call->operation_id || !*call->operation_id)
		return WB_OK;
	error = request_begin(&request, REQUEST_APPLY);
	if (error)
		return error;
	request_number(&request, batch->count);
	for (size_t i = 0; i < batch->count && !error; i++) {
		const struct wb_image_mutation *mutation = &batch->mutations[i];
		struct wb_image image;

		request_string(&request, mutation->remove);
		request_condition(&request, &mutation->condition);
		if (!mutation->put)
			continue;
		error = image_canonical(mutation->put, &image);
		if (error)
			break;
		request_image(&request, &image);
		image_canonical_release(&image);
	}
	*ret_hash = request_end(&request);
	return error;
}

static enum wb_error put_one(struct write *write, const struct wb_image *put,
			     const struct wb_image *current)
{
	struct wb_image image;
	enum wb_error error = image_canonical(put, &image);

	if (error)
		return store_answer(write->text, error, put->name);
	error = write_image(write, &image, current, NULL);
	image_canonical_release(&image);
	return error;
}

static enum wb_error remove_one(struct write *write, const char *name,
				const struct wb_image *current)
{
	return current ? write_delete(write, name)
		       : not_found(write->text, name);
}

static enum wb_error mutate(struct write *write,
			    const struct wb_image_mutation *mutation,
			    struct wb_image **ret_current)
{
	const char *name = name_of(mutation);
	struct wb_image *current = NULL;
	enum wb_error error = image_read(read_txn, write->txn, write->call->ns,
					 name, &current, NULL);

	/* The way to be rid of a value that cannot be decoded. */
	if (error == WB_CORRUPT && mutation->remove &&
	    mutation->condition.kind == WB_WHEN_ANY)
		return write_delete(write, name);
	if (error)
		return store_answer(write->text, error, name);
	error = condition_hold(&mutation->condition, name, current,
			       write->text);
	if (error) {
		*ret_current = current;
		return error;
	}
	error = mutation->put ? put_one(write, mutation->put, current)
			      : remove_one(write, name, current);
	wb_image_free(current);
	return error;
}

static enum wb_error batch_run(struct batch *batch, struct write *write,
			       bool dry_run)
{
	enum wb_error error = WB_OK;

	for (size_t i = 0; i < batch->count && !error; i++) {
		error = mutate(write, &batch->mutations[i], &batch->current);
		if (error)
			batch->failed = i;
	}
	/* One image is never so large: it is about all of them. */
	if (error == WB_TOO_LARGE) {
		batch->failed = SIZE_MAX;
		answer(batch->text, error, "more than %d MiB in one commit",
		       (long long)WB_TXN_BYTES_MAX >> 20);
	}
	if (!error && dry_run)
		return write_abort(write);
	return write_end(write, error);
}

enum wb_error local_apply(struct wb_images *images, const struct wb_call *call,
			  const struct wb_image_mutation *mutations,
			  size_t count, bool dry_run,
			  struct wb_outcome *ret_outcome, size_t *ret_failed,
			  struct wb_image **ret_image, struct wb_text *ret_text)
{
	struct batch batch = {images,	mutations, count,
			      SIZE_MAX, NULL,	   ret_text};
	struct write write = {.outcome = {0, false}};
	uint64_t hash;
	struct wb_call mine;
	enum wb_error error = call_take(call, &mine, ret_text);

	if (!error)
		error = batch_check(&batch);
	if (!error) {
		error = batch_hash(&batch, &mine, &hash);
		if (error)
			store_answer(ret_text, error, NULL);
	}
	if (!error)
		error = write_begin(&write, local_of(images), &mine, hash,
				    ret_text);
	if (!error && write.txn)
		error = batch_run(&batch, &write, dry_run);
	if (error && ret_failed && batch.failed != SIZE_MAX)
		*ret_failed = batch.failed;
	if (!error && ret_outcome)
		*ret_outcome = write.outcome;
	if (ret_image && (!error || error == WB_PRECONDITION)) {
		*ret_image = batch.current;
		batch.current = NULL;
	}
	wb_image_free(batch.current);
	return error;
}
