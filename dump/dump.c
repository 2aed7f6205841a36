/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines are gathered in memory and leave in pieces; the sum is taken of the
 * pieces. A state is listed kind by kind and namespace by namespace, which is
 * the order of the keys; a state that was is made in memory first and then
 * listed the same way.
 */
#include "base/array.h"
#include "base/diag.h"
#include "base/meter.h"
#include "base/sized.h"
#include "dump/entry.h"
#include "images/sentence.h"

#include <stdlib.h>
#include <string.h>
#include <waybill/dump.h>

#define PIECE_BYTES (256u << 10)
#define ASK_LINES   4096u

struct dumping {
	const struct wb_dump_options *options;
	wb_dump_write_fn *write;
	void *context;
	struct json_out out;
	struct sum *sum;
	struct wb_dump_result result;
	struct wb_stat stat; /* before anything was read */
	struct meter meter;
	uint64_t total;	       /* records of a state; 0: not known */
	struct wb_text misfit; /* what no load would take */
	enum wb_error error;
};

static struct wb_bytes bytes_or_none(const char *text)
{
	return (struct wb_bytes){text ? text : "", text ? strlen(text) : 0};
}

/* ---- pieces ---- */

static enum wb_error flush(struct dumping *dumping, bool summed)
{
	struct json_out *out = &dumping->out;
	enum wb_error error = WB_OK;

	if (out->out_of_memory)
		return WB_NO_MEMORY;
	if (summed)
		error = sum_add(dumping->sum, out->bytes, out->size);
	if (!error)
		error = dumping->write(dumping->context, out->bytes, out->size);
	dumping->result.bytes += out->size;
	out->size = 0;
	return error;
}

/* After each line between the first and the last. */
static enum wb_error line_done(struct dumping *dumping)
{
	const struct wb_dump_options *options = dumping->options;
	uint64_t done = ++dumping->result.count;

	if (!options->history)
		meter_at(&dumping->meter, done);
	if (options->stop && done % ASK_LINES == 0 &&
	    options->stop(options->stop_context))
		return WB_CANCELLED;
	if (dumping->out.size < PIECE_BYTES && !dumping->out.out_of_memory)
		return WB_OK;
	return flush(dumping, true);
}

static enum wb_error put_end(struct dumping *dumping)
{
	uint8_t sum[SUM_BYTES];
	enum wb_error error = flush(dumping, true);

	if (!error)
		error = sum_end(dumping->sum, sum);
	if (error)
		return error;
	entry_put_end(&dumping->out, dumping->result.count, sum);
	return flush(dumping, false);
}

/* ---- a state ---- */

static void tell_misfit(struct dumping *dumping, const struct wb_key *key)
{
	struct sentence sentence = {.size = 0};

	sentence_add(&sentence, "image ");
	sentence_quote(&sentence, key->name);
	sentence_add(&sentence, " of namespace ");
	sentence_quote(&sentence, key->ns);
	sentence_add(&sentence,
		     ": its value is no image, and no load would take it; it "
		     "can be removed, and --history dumps it");
	(void)sentence_answer(&sentence, &dumping->misfit, WB_CORRUPT);
}

/* What no load would take ends the dump of a state, which is there to be
 * loaded. */
static bool put_record(void *context, const struct wb_record *record)
{
	struct dumping *dumping = context;
	enum wb_error error =
		entry_put_record(&dumping->out, &record->key, record->value);

	if (error == WB_CORRUPT)
		tell_misfit(dumping, &record->key);
	dumping->error = error ? error : line_done(dumping);
	return !dumping->error;
}

static enum wb_error put_namespace(struct dumping *dumping,
				   struct wb_view *view, uint32_t kind,
				   struct wb_bytes ns)
{
	struct wb_bytes prefix = bytes_or_none(dumping->options->prefix);
	enum wb_error error;

	if (prefix.size > WB_NAME_BYTES_MAX)
		return WB_OK; /* no name begins so */
	error = wb_view_list(view, kind, ns, prefix, bytes_or_none(NULL),
			     put_record, dumping);
	return dumping->error ? dumping->error : error;
}

/* Copied, since a view must not be used while it is asked for them. */
struct namespaces {
	uint8_t *bytes; /* of each its size, then itself */
	size_t size, capacity;
	bool out_of_memory;
};

static bool take_namespace(void *context, struct wb_bytes ns)
{
	struct namespaces *all = context;

	all->out_of_memory = !array_grow(&all->bytes, &all->capacity,
					 all->size + 1 + ns.size, 1);
	if (all->out_of_memory)
		return false;
	all->bytes[all->size++] = (uint8_t)ns.size;
	if (ns.size > 0)
		memcpy(all->bytes + all->size, ns.data, ns.size);
	all->size += ns.size;
	return true;
}

static enum wb_error put_kind(struct dumping *dumping, struct wb_view *view,
			      uint32_t kind)
{
	struct namespaces all = {.size = 0};
	enum wb_error error = WB_OK;

	if (dumping->options->ns)
		return put_namespace(dumping, view, kind,
				     bytes_or_none(dumping->options->ns));
	error = wb_view_namespaces(view, kind, take_namespace, &all);
	if (all.out_of_memory)
		error = WB_NO_MEMORY;
	for (size_t at = 0; !error && at < all.size;
	     at += 1 + (size_t)all.bytes[at])
		error = put_namespace(dumping, view, kind,
				      (struct wb_bytes){all.bytes + at + 1,
							all.bytes[at]});
	free(all.bytes);
	return error;
}

static enum wb_error put_state(void *context, struct wb_view *view)
{
	struct dumping *dumping = context;
	enum wb_error error = WB_OK;

	dumping->result.revision = wb_view_revision(view);
	/* How many there are of a part, or were then, nobody has counted. */
	meter_begin(&dumping->meter, "dump", "records", dumping->total);
	entry_put_header(&dumping->out, NULL);
	for (uint32_t kind = 1; !error && kind <= WB_KIND_EMBEDDER_LAST; kind++)
		error = put_kind(dumping, view, kind);
	if (error)
		return error;
	meter_end(&dumping->meter);
	return put_end(dumping);
}

static enum wb_error dump_past(struct dumping *dumping, struct wb_store *store)
{
	struct wb_store *past;
	enum wb_error error =
		store_past(store, dumping->options->revision, &past);

	if (error)
		return error;
	error = wb_view(past, put_state, dumping);
	store_past_free(past);
	return error;
}

/* ---- a history ---- */

static enum wb_error put_commit(void *context,
				const struct store_commit *commit)
{
	struct dumping *dumping = context;

	entry_put_commit(&dumping->out, commit);
	meter_at(&dumping->meter, commit->revision);
	return line_done(dumping);
}

static enum wb_error put_change(void *context,
				const struct store_change *change)
{
	struct dumping *dumping = context;
	enum wb_error error = WB_OK;

	if (change->deleted)
		entry_put_deletion(&dumping->out, &change->key);
	else
		error = entry_put_record(&dumping->out, &change->key,
					 change->value);
	if (error == WB_CORRUPT) /* in the past anything may have been */
		error = WB_OK;
	return error ? error : line_done(dumping);
}

static enum wb_error dump_history(struct dumping *dumping,
				  struct wb_store *store)
{
	const struct store_listener listener = {put_commit, put_change,
						dumping};
	const struct wb_stat *stat = &dumping->stat;
	enum wb_error error;

	dumping->result.revision = stat->revision;
	meter_begin(&dumping->meter, "dump", "commits", stat->revision);
	entry_put_header(&dumping->out, stat->uuid);
	error = store_follow(store, stat->revision, &listener);
	if (error)
		return error;
	meter_end(&dumping->meter);
	return put_end(dumping);
}

/* ---- the call ---- */

static enum wb_error take_options(const struct wb_dump_options *options,
				  struct wb_dump_options *mine,
				  struct wb_text *ret_text)
{
	enum wb_error error = WB_OK;

	*mine = (struct wb_dump_options){.size = sizeof(*mine)};
	if (options)
		error = sized_take(mine, sizeof(*mine), options);
	if (error)
		return text_set(ret_text, error, "struct wb_dump_options %s",
				sized_problem(error));
	options = mine;
	if (options->history &&
	    (options->past || options->ns || options->prefix))
		return text_set(ret_text, WB_USAGE,
				"a history is dumped whole");
	return WB_OK;
}

static enum wb_error explain(const struct dumping *dumping, enum wb_error error,
			     struct wb_text *ret_text)
{
	if (error == WB_NOT_FOUND && dumping->options->past)
		return text_set(ret_text, error,
				"revision %llu is not there yet; the newest is "
				"%llu",
				(unsigned long long)dumping->options->revision,
				(unsigned long long)dumping->stat.revision);
	return text_set(ret_text, error, "%s",
			*dumping->misfit.text ? dumping->misfit.text
					      : wb_error_text(error));
}

enum wb_error wb_dump(struct wb_store *store,
		      const struct wb_dump_options *options,
		      wb_dump_write_fn *write, void *context,
		      struct wb_dump_result *ret_result,
		      struct wb_text *ret_text)
{
	struct wb_dump_options mine;
	struct dumping dumping = {
		.options = &mine,
		.write = write,
		.context = context,
		.result.size = sizeof(dumping.result),
		.stat.size = sizeof(dumping.stat),
	};
	enum wb_error error = take_options(options, &mine, ret_text);

	if (error)
		return error;
	dumping.meter = (struct meter){.tell = mine.progress,
				       .context = mine.progress_context};
	error = wb_store_stat(store, &dumping.stat);
	if (!mine.past && !mine.ns && !mine.prefix)
		dumping.total = dumping.stat.records;
	dumping.sum = sum_new();
	if (!error && !dumping.sum)
		error = WB_NO_MEMORY;
	if (!error && dumping.options->history)
		error = dump_history(&dumping, store);
	else if (!error && dumping.options->past)
		error = dump_past(&dumping, store);
	else if (!error)
		error = wb_view(store, put_state, &dumping);
	sum_free(dumping.sum);
	json_out_release(&dumping.out);
	if (error)
		return explain(&dumping, error, ret_text);
	return ret_result ? sized_give(ret_result, &dumping.result,
				       sizeof(dumping.result))
			  : WB_OK;
}
