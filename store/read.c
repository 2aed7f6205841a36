/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading: one record, and listings. A listing goes through the index in
 * batches of copies, so that no lock is held and nothing can be freed while
 * the caller looks at a record.
 */
#include "store/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_BYTES (64u << 10)

void key_set(struct key *key, const void *bytes, size_t size)
{
	key->size = size;
	if (size)
		memcpy(key->bytes, bytes, size);
}

/* Names are any bytes; a report is one line of printable ones. */
static const char *spell(struct wb_bytes name, char *text, size_t size)
{
	const uint8_t *bytes = name.data;
	size_t at, count = name.size < size ? name.size : size - 1;

	for (at = 0; at < count; at++)
		text[at] = bytes[at] >= ' ' && bytes[at] <= '~'
				   ? (char)bytes[at]
				   : '?';
	text[count] = 0;
	return text;
}

enum wb_error key_damaged(const struct wb_store *store, const char *where,
			  const char *what, const struct wb_key *key)
{
	char ns[WB_NAMESPACE_BYTES_MAX + 1], name[200];

	return diag_corrupt(store->env.diag, where, 0,
			    "%s kind %u, namespace '%s', name '%s'", what,
			    (unsigned)key->kind, spell(key->ns, ns, sizeof(ns)),
			    spell(key->name, name, sizeof(name)));
}

enum wb_error record_rotten(const struct wb_store *store, const char *what,
			    const struct wb_key *key)
{
	return key_damaged(store, "memory", what, key);
}

enum wb_error record_rotten_alone(const struct wb_store *store,
				  const char *what, const struct record *record)
{
	struct wb_key key = {.kind = 0};

	if (record_sizes_hold(record))
		(void)key_decode(record->bytes, record->key_bytes, &key);
	return record_rotten(store, what, &key);
}

enum wb_error record_copy(const struct wb_store *store,
			  const struct record *record, const struct wb_key *key,
			  void *buffer, size_t size,
			  struct wb_record *ret_record)
{
	if (!record_verifies(record))
		return record_rotten(store, RECORD_ROTTEN, key);
	*ret_record = (struct wb_record){
		.key = *key,
		.value = {buffer, record->value_bytes},
		.revision = record->revision,
		.time_ns = record->time_ns,
	};
	if (record->value_bytes > size)
		return WB_BUFFER;
	if (record->value_bytes)
		memcpy(buffer, record_value(record), record->value_bytes);
	return WB_OK;
}

enum wb_error index_copy(struct wb_store *store, uint64_t hash,
			 const struct key *encoded, uint64_t revision_max,
			 const struct wb_key *key, void *buffer, size_t size,
			 struct wb_record *ret_record)
{
	struct record_info info;
	enum wb_error error =
		index_get(store->index, hash, encoded->bytes, encoded->size,
			  revision_max, buffer, size, &info);

	if (error == WB_CORRUPT)
		return record_rotten(store, RECORD_ROTTEN, key);
	if (!error || error == WB_BUFFER)
		*ret_record = (struct wb_record){
			.key = *key,
			.value = {buffer, info.value_bytes},
			.revision = info.revision,
			.time_ns = info.time_ns,
		};
	return error;
}

enum wb_error wb_get(struct wb_store *store, const struct wb_key *key,
		     void *buffer, size_t size, struct wb_record *ret_record)
{
	struct key encoded;
	enum wb_error error = store_check(store);

	if (!error)
		error = key_encode(key, &encoded);
	if (error)
		return error;
	return index_copy(store,
			  index_hash(store->index, encoded.bytes, encoded.size),
			  &encoded, UINT64_MAX, key, buffer, size, ret_record);
}

/* ---- listings ---- */

enum wb_error merge_bounds(struct merge *merge, uint32_t kind,
			   struct wb_bytes ns, struct wb_bytes prefix,
			   struct wb_bytes after)
{
	struct key *key = &merge->prefix;
	struct wb_key whole = {kind, ns, after};
	enum wb_error error;

	if (kind < 1 || kind > WB_KIND_LAST ||
	    ns.size > WB_NAMESPACE_BYTES_MAX ||
	    prefix.size > WB_NAME_BYTES_MAX ||
	    (ns.size && memchr(ns.data, 0, ns.size)))
		return WB_BAD_INPUT;
	key->size = 0;
	key->bytes[key->size++] = (uint8_t)kind;
	if (ns.size)
		memcpy(key->bytes + key->size, ns.data, ns.size);
	key->size += ns.size;
	key->bytes[key->size++] = 0;
	if (prefix.size)
		memcpy(key->bytes + key->size, prefix.data, prefix.size);
	key->size += prefix.size;
	merge->after.size = 0;
	error = after.size ? key_encode(&whole, &merge->after) : WB_OK;
	return error;
}

static bool hand_over(const struct merge *merge, const struct record *record)
{
	struct wb_record visible = {
		.value = {record_value(record), record->value_bytes},
		.revision = record->revision,
		.time_ns = record->time_ns,
	};
	enum wb_error error =
		key_decode(record->bytes, record->key_bytes, &visible.key);

	assert(!error); /* it was verified, and key_encode wrote it */
	return merge->visit(merge->visit_context, &visible);
}

/* One batch of the index, with what is laid over it. */
struct merge_step {
	struct scan_batch batch;
	size_t at;
	const struct record *record; /* the index's next; NULL: none left */
	const struct record *extra;  /* the other's next */
	bool stopped;
};

static int merge_order(const struct merge_step *step)
{
	if (!step->extra)
		return -1;
	if (!step->record)
		return 1;
	return key_compare(step->record->bytes, step->record->key_bytes,
			   step->extra->bytes, step->extra->key_bytes);
}

/* Visit the lesser of the two, or the right one of two with equal keys. */
static enum wb_error merge_one(struct merge *merge, struct merge_step *step)
{
	int order = merge_order(step);
	const struct record *chosen = order <= 0 ? step->record : step->extra;
	struct wb_bytes after;

	if (order == 0 &&
	    (merge->extra_wins || step->record->revision > merge->revision_max))
		chosen = step->extra;
	key_set(&merge->after, chosen->bytes, chosen->key_bytes);
	if (!(chosen->flags & RECORD_DELETED) &&
	    (chosen == step->extra || chosen->revision <= merge->revision_max))
		step->stopped = !hand_over(merge, chosen);
	if (order <= 0)
		step->record = scan_batch_next(&step->batch, &step->at);
	if (order < 0 || step->stopped)
		return WB_OK;
	after = (struct wb_bytes){merge->after.bytes, merge->after.size};
	return merge->next_extra(merge, after, &step->extra);
}

/* Which one cannot be told: where a key is damaged, its record has no name. */
enum wb_error merge_rotten(const struct merge *merge)
{
	struct wb_key key = {.kind = merge->prefix.bytes[0]};

	if (merge->after.size)
		(void)key_decode(merge->after.bytes, merge->after.size, &key);
	return record_rotten(
		merge->store,
		"a record no longer verifies without which nothing "
		"can be listed behind",
		&key);
}

static enum wb_error fill_batch(struct merge *merge, struct merge_step *step)
{
	struct wb_bytes prefix = {merge->prefix.bytes, merge->prefix.size};
	struct wb_bytes after = {merge->after.bytes, merge->after.size};
	struct scan_batch *batch = &step->batch;
	enum wb_error error;
	uint8_t *grown;

	while ((error = index_scan(merge->store->index, prefix, after,
				   batch)) == WB_BUFFER) {
		grown = realloc(batch->bytes, batch->needed);
		if (!grown)
			return WB_NO_MEMORY;
		batch->bytes = grown;
		batch->size = batch->needed;
	}
	if (error == WB_CORRUPT)
		error = merge_rotten(merge);
	step->at = 0;
	step->record = error ? NULL : scan_batch_next(batch, &step->at);
	if (!error)
		error = merge->next_extra(merge, after, &step->extra);
	return error;
}

/* While the index has more records, only those up to the end of the batch
 * are known, so what is laid over may be used up to there only. */
static bool batch_is_used_up(const struct merge_step *step)
{
	return !step->record && (step->batch.more || !step->extra);
}

enum wb_error merge_run(struct merge *merge)
{
	struct merge_step step = {.batch = {.size = BATCH_BYTES}};
	enum wb_error error;

	step.batch.bytes = malloc(step.batch.size);
	if (!step.batch.bytes)
		return WB_NO_MEMORY;
	do {
		error = fill_batch(merge, &step);
		while (!error && !step.stopped && !batch_is_used_up(&step))
			error = merge_one(merge, &step);
	} while (!error && !step.stopped && step.batch.more);
	free(step.batch.bytes);
	return error;
}
