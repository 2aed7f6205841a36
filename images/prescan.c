/* SPDX-License-Identifier: Apache-2.0 */
#include "images/prescan.h"
#include "base/cursor.h"

#include <stdlib.h>

/* https://protobuf.dev/programming-guides/encoding/ */
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static uint64_t read_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = read_u8(reader);

		value |= (uint64_t)(byte & 0x7F) << shift;
		if (!(byte & 0x80))
			return value;
	}
	reader->failed = true;
	return 0;
}

/* The contents of a BYTES field; empty where its length is a lie. */
static struct wb_bytes read_contents(struct reader *reader)
{
	uint64_t size = read_varint(reader);

	if (size > reader_left(reader)) {
		reader->failed = true;
		return (struct wb_bytes){NULL, 0};
	}
	return (struct wb_bytes){read_span(reader, (size_t)size), (size_t)size};
}

static bool scan(const ProtobufCMessageDescriptor *descriptor,
		 struct wb_bytes bytes, unsigned depth, size_t *fields_left);

static bool scan_field(const ProtobufCMessageDescriptor *descriptor,
		       struct reader *reader, unsigned depth,
		       size_t *fields_left, uint64_t *seen)
{
	uint64_t tag = read_varint(reader);
	const ProtobufCFieldDescriptor *field;
	struct wb_bytes contents = {NULL, 0};

	if (reader->failed || tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
		return false;
	field = protobuf_c_message_descriptor_get_field(descriptor,
							(unsigned)(tag >> 3));
	switch (tag & 7) {
	case VARINT:
		read_varint(reader);
		break;
	case FIXED64:
		read_span(reader, 8);
		break;
	case BYTES:
		contents = read_contents(reader);
		break;
	case FIXED32:
		read_span(reader, 4);
		break;
	default:
		return false;
	}
	if (reader->failed)
		return false;
	if (!field)
		return true;
	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		/* Ours are few; more would need a wider set. */
		uint64_t bit = UINT64_C(1) << (field - descriptor->fields);

		if (*seen & bit)
			return false;
		*seen |= bit;
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	return (tag & 7) == BYTES &&
	       scan(field->descriptor, contents, depth + 1, fields_left);
}

static bool scan(const ProtobufCMessageDescriptor *descriptor,
		 struct wb_bytes bytes, unsigned depth, size_t *fields_left)
{
	struct reader reader = reader_of(bytes.data, bytes.size);
	uint64_t seen = 0;

	if (depth > PRESCAN_DEPTH_MAX || descriptor->n_fields > 64)
		return false;
	while (reader_left(&reader) > 0) {
		if (*fields_left == 0)
			return false;
		*fields_left -= 1;
		if (!scan_field(descriptor, &reader, depth, fields_left, &seen))
			return false;
	}
	return !reader.failed;
}

bool prescan(const ProtobufCMessageDescriptor *descriptor,
	     struct wb_bytes bytes, size_t fields_max)
{
	return scan(descriptor, bytes, 1, &fields_max);
}

/* ---- arena ---- */

struct arena_block {
	struct arena_block *next;
	_Alignas(16) uint8_t bytes[];
};

static void *arena_take(void *context, size_t size)
{
	struct arena *arena = context;
	struct arena_block *block;

	if (size > arena->budget)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	arena->budget -= size < arena->budget ? size : arena->budget;
	if (size <= sizeof(arena->near) - arena->used) {
		void *memory = arena->near + arena->used;

		arena->used += size;
		return memory;
	}
	block = malloc(sizeof(*block) + size);
	if (!block) {
		arena->out_of_memory = true;
		return NULL;
	}
	block->next = arena->far;
	arena->far = block;
	return block->bytes;
}

static void arena_give(void *context, void *memory)
{
	(void)context;
	(void)memory;
}

void arena_init(struct arena *arena, size_t budget)
{
	arena->allocator.alloc = arena_take;
	arena->allocator.free = arena_give;
	arena->allocator.allocator_data = arena;
	arena->used = 0;
	arena->budget = budget;
	arena->out_of_memory = false;
	arena->far = NULL;
}

void arena_release(struct arena *arena)
{
	while (arena->far) {
		struct arena_block *next = arena->far->next;

		free(arena->far);
		arena->far = next;
	}
}
