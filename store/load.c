/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading is the cost of opening, and most of it is waiting for the table's
 * lines. So records pass through a short queue: a line is asked for when a
 * record enters and needed when it leaves.
 */
#include "store/load.h"

#include <assert.h>

static enum wb_error put_first(struct loader *loader)
{
	struct load_slot *slot = &loader->slots[loader->first];
	struct wb_store *store = loader->store;
	struct record *old = NULL;
	enum wb_error error;

	error = index_load(store->index, slot->hash, slot->record, &old);
	if (error)
		return error;
	if (old)
		record_free(store->heap, old);
	loader->first = (loader->first + 1) % LOAD_AHEAD;
	loader->count--;
	return WB_OK;
}

enum wb_error load_finish(struct loader *loader, enum wb_error error)
{
	while (!error && loader->count)
		error = put_first(loader);
	for (; loader->count; loader->count--) {
		record_free(loader->store->heap,
			    loader->slots[loader->first].record);
		loader->first = (loader->first + 1) % LOAD_AHEAD;
	}
	return error;
}

static enum wb_error load_put(struct loader *loader, uint64_t hash,
			      struct record *record)
{
	struct wb_store *store = loader->store;
	size_t at;

	if (loader->count == LOAD_AHEAD) {
		enum wb_error error = put_first(loader);

		if (error) {
			record_free(store->heap, record);
			return error;
		}
	}
	index_prefetch(store->index, hash);
	at = (loader->first + loader->count) % LOAD_AHEAD;
	loader->slots[at] = (struct load_slot){hash, record};
	loader->count++;
	/* Its line has arrived; now what that line points at. */
	at = (loader->first + loader->count / 2) % LOAD_AHEAD;
	index_prefetch_record(store->index, loader->slots[at].hash);
	return WB_OK;
}

static enum wb_error load_mutation(struct loader *loader,
				   const struct commit_head *head,
				   const struct mutation *mutation)
{
	struct wb_store *store = loader->store;
	struct record *record, *old = NULL;
	struct key key;
	uint64_t hash;
	enum wb_error error = key_encode(&mutation->key, &key);

	assert(!error); /* what was decoded is valid */
	hash = index_hash(store->index, key.bytes, key.size);
	if (!mutation->deleted) {
		uint8_t flags =
			mutation->previous_revision ? RECORD_REPLACES : 0;

		record = record_new(store->heap, key.bytes, key.size,
				    mutation->value, head->revision,
				    head->time_ns, flags);
		return record ? load_put(loader, hash, record) : WB_NO_MEMORY;
	}
	error = load_finish(loader, WB_OK);
	if (error)
		return error;
	index_remove(store->index, hash, key.bytes, key.size, &old);
	if (old)
		record_free(store->heap, old);
	return WB_OK;
}

enum wb_error load_commit(void *context, const struct commit *commit)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	const struct commit_head *head = &commit->head;
	struct loader *loader = context;
	struct operations *operations = loader->store->operations;
	struct operation_key key = {
		.uid = head->actor.uid,
		.ns = head->operation_ns,
		.id = head->operation_id,
	};
	struct operation operation = {head->request_hash, head->revision};
	struct mutation mutation;
	enum wb_error error = WB_OK;

	while (!error && mutation_walk_next(&walk, &mutation))
		error = load_mutation(loader, head, &mutation);
	if (!error && key.id.size)
		error = operations_add(operations, &key, &operation,
				       head->time_ns);
	operations_trim(operations, head->revision, head->time_ns);
	return error;
}
