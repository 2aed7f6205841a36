/* SPDX-License-Identifier: Apache-2.0
 *
 * The Update around a call, and the two things that calls do in it.
 */
#include "images/image.h"
#include "images/labels.h"
#include "images/local.h"
#include "images/sentence.h"
#include "images/validate.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- the Update ---- */

static struct wb_bytes bytes_or_none(const char *string)
{
	return string ? bytes_of(string) : (struct wb_bytes){NULL, 0};
}

enum wb_error write_begin(struct write *write, struct local *local,
			  const struct wb_call *call, uint64_t hash,
			  struct wb_text *ret_text)
{
	struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = call->actor,
		.reason = bytes_or_none(call->reason),
		.operation_id = bytes_or_none(call->operation_id),
		.request_hash = hash,
		.retry_since_ns = call->retry_since_ns,
	};
	enum wb_error error;

	if (options.operation_id.size > 0)
		options.operation_ns = bytes_of(call->ns);
	*write = (struct write){local, call, ret_text, NULL, {0, false}};
	error = wb_txn_begin(local->store, &options, &write->txn,
			     &write->outcome);
	return error ? store_answer(ret_text, error, NULL) : WB_OK;
}

enum wb_error write_end(struct write *write, enum wb_error error)
{
	enum wb_error end;

	if (error)
		end = wb_txn_abort(write->txn);
	else
		end = wb_txn_commit(write->txn, &write->outcome);
	write->txn = NULL;
	return end ? store_answer(write->text, end, NULL) : error;
}

enum wb_error write_abort(struct write *write)
{
	enum wb_error end = wb_txn_abort(write->txn);

	write->txn = NULL;
	return end ? store_answer(write->text, end, NULL) : WB_OK;
}

static void set_times(struct wb_image *image, const struct wb_image *current,
		      int64_t now)
{
	image->created_at_ns = current ? current->created_at_ns : now;
	image->updated_at_ns = now;
	if (current && current->updated_at_ns >= now)
		image->updated_at_ns = current->updated_at_ns < INT64_MAX
					       ? current->updated_at_ns + 1
					       : INT64_MAX;
}

enum wb_error write_image(struct write *write, struct wb_image *image,
			  const struct wb_image *current,
			  struct wb_image **ret_image)
{
	struct wb_key key = image_key(write->call->ns, image->name);
	struct wb_image *stored = NULL;
	struct wb_bytes value;
	enum wb_error error;

	labels_drop_empty(&image->labels);
	labels_drop_empty(&image->target.annotations);
	set_times(image, current, wb_txn_time(write->txn));
	error = image_encode(image, &value);
	if (error)
		return store_answer(write->text, error, image->name);
	error = store_txn_put(write->txn, &key, value,
			      (struct wb_precondition){WB_IF_ANY, 0});
	/* What is read back is what was encoded, by construction. */
	if (!error && ret_image)
		error = image_decode(key.name, value, 0, &stored);
	free((void *)value.data);
	if (error)
		return store_answer(write->text, error, image->name);
	if (ret_image)
		*ret_image = stored;
	return WB_OK;
}

enum wb_error write_delete(struct write *write, const char *name)
{
	struct wb_key key = image_key(write->call->ns, name);
	enum wb_error error =
		store_txn_delete(write->txn, &key,
				 (struct wb_precondition){WB_IF_ANY, 0});

	return error ? store_answer(write->text, error, name) : WB_OK;
}

/* ---- conditions ---- */

enum wb_error condition_check(const struct wb_condition *condition,
			      struct wb_text *ret_text)
{
	const char *problem;

	if (!condition)
		return WB_OK;
	if ((unsigned)condition->kind > WB_WHEN_DIGEST)
		return answer(ret_text, WB_BAD_INPUT,
			      "condition of unknown kind %d: "
			      "invalid argument",
			      (long long)condition->kind);
	if (condition->kind != WB_WHEN_DIGEST)
		return WB_OK;
	problem = digest_problem(condition->digest ? condition->digest : "");
	if (problem)
		return answer(ret_text, WB_BAD_INPUT,
			      "condition: digest %q invalid: %s: "
			      "invalid argument",
			      condition->digest ? condition->digest : "",
			      problem);
	return WB_OK;
}

enum wb_error condition_hold(const struct wb_condition *condition,
			     const char *name, const struct wb_image *current,
			     struct wb_text *ret_text)
{
	enum wb_condition_kind kind = condition ? condition->kind : WB_WHEN_ANY;

	if (kind == WB_WHEN_ANY)
		return WB_OK;
	if (kind == WB_WHEN_ABSENT) {
		if (!current)
			return WB_OK;
		return answer(ret_text, WB_PRECONDITION,
			      "image %q: exists, at revision %d: "
			      "precondition failed",
			      name, (long long)current->revision);
	}
	if (!current)
		return answer(ret_text, WB_PRECONDITION,
			      "image %q: does not exist: precondition failed",
			      name);
	if (kind == WB_WHEN_REVISION &&
	    current->revision != condition->revision)
		return answer(ret_text, WB_PRECONDITION,
			      "image %q: is at revision %d, not %d: "
			      "precondition failed",
			      name, (long long)current->revision,
			      (long long)condition->revision);
	if (kind == WB_WHEN_DIGEST &&
	    strcmp(current->target.digest, condition->digest))
		return answer(ret_text, WB_PRECONDITION,
			      "image %q: has target %s, not %s: "
			      "precondition failed",
			      name, current->target.digest, condition->digest);
	return WB_OK;
}
