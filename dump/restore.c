/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading the dump of a state. It is read twice: once to check all of it, and
 * that nothing is in its way; then, checked once more line by line, in
 * batches. The second time sees to it that what is loaded is what was checked:
 * the last batch is committed when the sum was right again, so that a dump of
 * one batch is all or nothing whatever happens to its file meanwhile.
 *
 * Values go in as the store had them, times included, so not through the
 * images' own calls, which set them; what those check is checked.
 */
#include "dump/restore.h"

#include "base/diag.h"
#include "base/meter.h"
#include "base/posix.h"
#include "base/sized.h"
#include "dump/batch.h"
#include "dump/document.h"
#include "images/sentence.h"

#include <stdlib.h>
#include <string.h>

#define ASK_RECORDS 4096u

struct restoring {
	struct wb_store *store;
	const struct wb_load_options *options;
	wb_load_read_fn *read;
	void *context;
	struct wb_text *text;
	struct meter meter;
	struct batch batch;
	struct wb_load_result result;
	/* Of the batch at hand; they count once it is durable. */
	uint64_t loaded, skipped;
};

static enum wb_error plain(struct wb_text *ret_text, enum wb_error error)
{
	const char *why = posix_why(error); /* "… File too large" */

	return text_set(ret_text, error, "%s",
			error == WB_NO_SPACE && *why ? why
						     : wb_error_text(error));
}

/* Is it to go on? */
static enum wb_error ask(const struct restoring *restoring)
{
	const struct wb_load_options *options = restoring->options;

	if (!options->stop || !options->stop(options->stop_context))
		return WB_OK;
	return plain(restoring->text, WB_CANCELLED);
}

/* ---- what is there ---- */

static enum wb_error exists(struct wb_text *ret_text, uint64_t line,
			    const struct wb_key *key)
{
	struct sentence sentence = {.size = 0};

	sentence_format(&sentence, "line %d: ", (long long)line);
	if (key->kind == WB_KIND_IMAGE)
		sentence_add(&sentence, "image ");
	else
		sentence_format(&sentence, "a record of kind %d, ",
				(long long)key->kind);
	sentence_quote(&sentence, key->name);
	sentence_add(&sentence, " of namespace ");
	sentence_quote(&sentence, key->ns);
	sentence_add(&sentence, ": already exists");
	return sentence_answer(&sentence, ret_text, WB_EXISTS);
}

/* Of wb_get and wb_txn_get without room for the value: is it there? */
static enum wb_error found(enum wb_error error, bool *ret_found)
{
	*ret_found = !error || error == WB_BUFFER;
	return *ret_found || error == WB_NOT_FOUND ? WB_OK : error;
}

static enum wb_error try_put(void *context, struct wb_txn *txn)
{
	const struct wb_precondition any = {.kind = WB_IF_ANY};
	const struct store_change *change = context;
	enum wb_error error =
		store_txn_put(txn, &change->key, change->value, any);

	return error ? error : WB_CANCELLED; /* it was only tried */
}

/* A record that nearly fills a transaction, or more than that: the store says
 * which. Later, others may have been loaded before it. */
static enum wb_error check_size(struct restoring *restoring, uint64_t line,
				const struct entry *entry)
{
	struct store_change change = {.key = entry->key, .value = entry->value};
	enum wb_error error;

	if (entry->type == ENTRY_IMAGE || batch_fits_alone(&change))
		return WB_OK;
	error = wb_update(restoring->store, NULL, try_put, &change, NULL);
	if (error == WB_TOO_LARGE)
		return text_set(restoring->text, error, "line %llu: %s",
				(unsigned long long)line, wb_error_text(error));
	if (error == WB_NO_MEMORY) /* so it is not known */
		return plain(restoring->text, error);
	return WB_OK; /* what else is wrong is told where it is loaded */
}

static enum wb_error check_entry(struct restoring *restoring, uint64_t line,
				 const struct entry *entry)
{
	const struct wb_key *key = &entry->key;
	struct wb_record record;
	uint64_t done;
	bool is_there;
	enum wb_error error =
		found(wb_get(restoring->store, key, NULL, 0, &record),
		      &is_there);

	if (error)
		return plain(restoring->text, error);
	if (is_there && !restoring->options->skip_existing)
		return exists(restoring->text, line, key);
	error = check_size(restoring, line, entry);
	if (error)
		return error;
	restoring->skipped += is_there;
	restoring->loaded += !is_there;
	done = restoring->loaded + restoring->skipped;
	meter_at(&restoring->meter, done);
	return done % ASK_RECORDS == 0 ? ask(restoring) : WB_OK;
}

/* ---- what is written ---- */

static enum wb_error put_one(struct restoring *restoring, struct wb_txn *txn,
			     size_t at)
{
	const struct wb_precondition absent = {.kind = WB_IF_ABSENT};
	struct store_change change = batch_change(&restoring->batch, at);
	uint64_t line = batch_line(&restoring->batch, at);
	struct wb_record record;
	bool is_there;
	enum wb_error error =
		found(wb_txn_get(txn, &change.key, NULL, 0, &record),
		      &is_there);

	if (error)
		return plain(restoring->text, error);
	if (is_there && !restoring->options->skip_existing)
		return exists(restoring->text, line, &change.key);
	if (is_there) {
		restoring->skipped++;
		return WB_OK;
	}
	restoring->loaded++;
	error = store_txn_put(txn, &change.key, change.value, absent);
	return error ? text_set(restoring->text, error, "line %llu: %s",
				(unsigned long long)line, wb_error_text(error))
		     : WB_OK;
}

static enum wb_error put_all(void *context, struct wb_txn *txn)
{
	struct restoring *restoring = context;
	enum wb_error error = WB_OK;

	for (size_t at = 0; !error && at < restoring->batch.count; at++)
		error = put_one(restoring, txn, at);
	return error;
}

static enum wb_error commit_batch(struct restoring *restoring)
{
	const struct wb_load_options *given = restoring->options;
	struct wb_txn_options options = {
		.size = sizeof(options),
		.actor = given->actor,
		.reason = {given->reason,
			   given->reason ? strlen(given->reason) : 0},
	};
	struct wb_load_result *result = &restoring->result;
	struct wb_outcome outcome = {.revision = 0};
	struct wb_text inner = {""};
	struct wb_text *text = restoring->text;
	enum wb_error error;

	restoring->loaded = restoring->skipped = 0;
	restoring->text = &inner;
	error = wb_update(restoring->store, &options, put_all, restoring,
			  &outcome);
	restoring->text = text;
	if (error && *inner.text)
		return text_set(text, error, "%s", inner.text);
	if (error)
		return plain(text, error);
	batch_clear(&restoring->batch);
	result->loaded += restoring->loaded;
	result->skipped += restoring->skipped;
	result->commits += outcome.revision != 0;
	if (outcome.revision)
		result->revision = outcome.revision;
	meter_at(&restoring->meter, result->loaded + result->skipped);
	return WB_OK;
}

static enum wb_error take_entry(struct restoring *restoring, uint64_t line,
				const struct entry *entry)
{
	struct store_change change = {.key = entry->key};
	enum wb_error error;
	void *owned;

	error = entry_value(entry, &change.value, &owned);
	if (error)
		return plain(restoring->text, error);
	if (!batch_has_room(&restoring->batch, &change)) {
		error = ask(restoring);
		if (!error)
			error = commit_batch(restoring);
	}
	if (!error && batch_add(&restoring->batch, &change, line))
		error = plain(restoring->text, WB_NO_MEMORY);
	free(owned);
	return error;
}

/* ---- once, and once more ---- */

typedef enum wb_error entry_fn(struct restoring *restoring, uint64_t line,
			       const struct entry *entry);

static enum wb_error for_each_entry(struct restoring *restoring,
				    const char *phase, entry_fn *take,
				    uint64_t *ret_count)
{
	struct wb_text *text = restoring->text;
	struct document document;
	struct entry entry;
	bool ended = false;
	enum wb_error error = document_open(&document, restoring->read,
					    restoring->context, text);

	if (!error && document.history)
		error = text_set(text, WB_BAD_INPUT,
				 "line 1: a history becomes a store of its "
				 "own, and is not loaded into one");
	meter_begin(&restoring->meter, phase, "records",
		    restoring->result.records);
	while (!error) {
		error = document_next(&document, &entry, &ended, text);
		if (error || ended)
			break;
		error = take(restoring, document.lines.number, &entry);
	}
	*ret_count = document.count;
	document_release(&document);
	return error;
}

/* Nothing is changed. */
static enum wb_error check(struct restoring *restoring)
{
	enum wb_error error = for_each_entry(restoring, "check", check_entry,
					     &restoring->result.records);

	if (!error)
		meter_end(&restoring->meter);
	return error;
}

static enum wb_error load(struct restoring *restoring)
{
	uint64_t count;
	enum wb_error error =
		for_each_entry(restoring, "load", take_entry, &count);

	if (!error && restoring->batch.count > 0)
		error = ask(restoring);
	if (!error && restoring->batch.count > 0)
		error = commit_batch(restoring);
	if (!error)
		meter_end(&restoring->meter);
	return error;
}

/* ---- the call ---- */

enum wb_error restore_begin(const struct wb_load_options *options,
			    struct wb_load_options *ret_options,
			    struct wb_load_result *ret_result,
			    struct wb_text *ret_text)
{
	const struct wb_load_result nothing = {.size = sizeof(nothing)};
	struct wb_load_options mine = {.size = sizeof(mine)};
	enum wb_error error = WB_OK;

	if (options)
		error = sized_take(&mine, sizeof(mine), options);
	if (error)
		return text_set(ret_text, error, "struct wb_load_options %s",
				sized_problem(error));
	if (ret_result)
		error = sized_give(ret_result, &nothing, sizeof(nothing));
	if (error)
		return text_set(ret_text, error, "struct wb_load_result %s",
				sized_problem(error));
	*ret_options = mine;
	return WB_OK;
}

/* What was loaded stays; so it is said how much that is. */
static enum wb_error how_far(const struct restoring *restoring,
			     enum wb_error error)
{
	const struct wb_load_result *result = &restoring->result;
	struct wb_text inner;

	if (result->commits == 0 || !restoring->text)
		return error;
	inner = *restoring->text;
	return text_set(restoring->text, error,
			"%s; %llu of %llu records are loaded, up to revision "
			"%llu: skip those that exist to go on",
			inner.text, (unsigned long long)result->loaded,
			(unsigned long long)result->records,
			(unsigned long long)result->revision);
}

enum wb_error wb_load(struct wb_store *store, wb_load_read_fn *read,
		      void *context, const struct wb_load_options *options,
		      struct wb_load_result *ret_result,
		      struct wb_text *ret_text)
{
	struct wb_load_options mine;
	struct restoring restoring = {
		.store = store,
		.options = &mine,
		.read = read,
		.context = context,
		.text = ret_text,
		.result.size = sizeof(restoring.result),
	};
	enum wb_error error =
		restore_begin(options, &mine, ret_result, ret_text);

	if (error)
		return error;
	restoring.meter = (struct meter){.tell = mine.progress,
					 .context = mine.progress_context};
	error = check(&restoring);
	if (!error && restoring.options->dry_run) {
		restoring.result.loaded = restoring.loaded;
		restoring.result.skipped = restoring.skipped;
	} else if (!error) {
		error = load(&restoring);
	}
	batch_release(&restoring.batch);
	if (error)
		error = how_far(&restoring, error);
	if (ret_result)
		(void)sized_give(ret_result, &restoring.result,
				 sizeof(restoring.result));
	return error;
}
