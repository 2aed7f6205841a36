/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/batch.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

/* More than a mutation takes on the wire besides its key and value: a tag and
 * a length for itself, and for each of its six fields. */
#define MUTATION_BYTES 64u

struct batch_item {
	size_t at; /* in the bytes: namespace, name, value */
	size_t value_size;
	uint64_t line;
	uint32_t kind;
	uint32_t ns_size, name_size;
	bool deleted;
};

void batch_release(struct batch *batch)
{
	free(batch->items);
	free(batch->bytes);
	*batch = (struct batch){.count = 0};
}

void batch_clear(struct batch *batch)
{
	batch->count = 0;
	batch->size = 0;
}

static size_t size_of(const struct store_change *change)
{
	return change->key.ns.size + change->key.name.size + change->value.size;
}

bool batch_has_room(const struct batch *batch,
		    const struct store_change *change)
{
	size_t bytes = batch->size + size_of(change) +
		       (batch->count + 1) * MUTATION_BYTES;

	return batch->count == 0 || (batch->count < WB_TXN_MUTATIONS_MAX &&
				     bytes <= WB_TXN_BYTES_MAX);
}

bool batch_fits_alone(const struct store_change *change)
{
	return size_of(change) + MUTATION_BYTES <= WB_TXN_BYTES_MAX;
}

static void keep(struct batch *batch, struct wb_bytes bytes)
{
	if (bytes.size > 0)
		memcpy(batch->bytes + batch->size, bytes.data, bytes.size);
	batch->size += bytes.size;
}

enum wb_error batch_add(struct batch *batch, const struct store_change *change,
			uint64_t line)
{
	const struct wb_key *key = &change->key;

	/* One byte more than none, so that a pointer is one. */
	if (!array_grow(&batch->items, &batch->capacity, batch->count + 1,
			sizeof(*batch->items)) ||
	    !array_grow(&batch->bytes, &batch->bytes_capacity,
			batch->size + size_of(change) + 1, 1))
		return WB_NO_MEMORY;
	batch->items[batch->count++] = (struct batch_item){
		.at = batch->size,
		.value_size = change->value.size,
		.line = line,
		.kind = key->kind,
		.ns_size = (uint32_t)key->ns.size,
		.name_size = (uint32_t)key->name.size,
		.deleted = change->deleted,
	};
	keep(batch, key->ns);
	keep(batch, key->name);
	keep(batch, change->value);
	return WB_OK;
}

struct store_change batch_change(const struct batch *batch, size_t at)
{
	const struct batch_item *item = &batch->items[at];
	const uint8_t *ns = batch->bytes + item->at;
	const uint8_t *name = ns + item->ns_size;

	return (struct store_change){
		.key = {item->kind,
			{ns, item->ns_size},
			{name, item->name_size}},
		.value = {name + item->name_size, item->value_size},
		.deleted = item->deleted,
	};
}

uint64_t batch_line(const struct batch *batch, size_t at)
{
	return batch->items[at].line;
}
