/* SPDX-License-Identifier: Apache-2.0
 *
 * The protobuf wire format, for commits only. Replay decodes every commit of
 * a store, and bytes from a disk are hostile: protobuf-c's unpack allocates
 * for each sub-message, amplifies memory and knows no bound, while this reads
 * in place. tests/test_commit.c holds the two against each other.
 */
#include "log/wire.h"

#include <string.h>

static uint64_t long_varint(struct reader *reader)
{
	uint64_t value = 0;
	unsigned shift;
	uint8_t byte;

	for (shift = 0; shift < 70; shift += 7) {
		if (reader->failed || reader->at >= reader->size)
			break;
		byte = reader->bytes[reader->at++];
		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	reader->failed = true;
	return 0;
}

/* Most are one byte: keys of fields, lengths, small numbers. */
static inline uint64_t wire_varint(struct reader *reader)
{
	if (!reader->failed && reader->at < reader->size &&
	    reader->bytes[reader->at] < 0x80)
		return reader->bytes[reader->at++];
	return long_varint(reader);
}

bool wire_next(struct reader *reader, struct wire_field *ret_field)
{
	struct wire_field field = {0};
	uint64_t key;

	if (reader_left(reader) == 0)
		return false;
	key = wire_varint(reader);
	field.number = (uint32_t)(key >> 3);
	field.type = (enum wire_type)(key & 7);
	if (key >> 3 == 0 || key >> 3 >= UINT32_C(1) << 29)
		reader->failed = true;
	switch (field.type) {
	case WIRE_VARINT:
		field.value = wire_varint(reader);
		break;
	case WIRE_FIXED64:
		field.value = read_u64(reader);
		break;
	case WIRE_FIXED32:
		field.value = read_u32(reader);
		break;
	case WIRE_BYTES:
		field.value = wire_varint(reader);
		if (field.value > reader_left(reader))
			reader->failed = true;
		else
			field.bytes = (struct wb_bytes){
				read_span(reader, (size_t)field.value),
				(size_t)field.value};
		break;
	default:
		reader->failed = true;
	}
	if (reader->failed)
		return false;
	*ret_field = field;
	return true;
}

size_t wire_varint_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7)
		size++;
	return size;
}

static void put_varint(struct writer *writer, uint64_t value)
{
	uint8_t bytes[10];
	size_t size = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[size++] = (uint8_t)(value | 0x80);
	bytes[size++] = (uint8_t)value;
	write_bytes(writer, bytes, size);
}

static void put_key(struct writer *writer, uint32_t number, enum wire_type type)
{
	put_varint(writer, (uint64_t)number << 3 | type);
}

void wire_put_varint(struct writer *writer, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	put_key(writer, number, WIRE_VARINT);
	put_varint(writer, value);
}

void wire_put_fixed64(struct writer *writer, uint32_t number, uint64_t value)
{
	if (value == 0)
		return;
	put_key(writer, number, WIRE_FIXED64);
	write_u64(writer, value);
}

void wire_put_head(struct writer *writer, uint32_t number, size_t size)
{
	put_key(writer, number, WIRE_BYTES);
	put_varint(writer, size);
}

void wire_put_bytes(struct writer *writer, uint32_t number,
		    struct wb_bytes bytes)
{
	if (bytes.size == 0)
		return;
	wire_put_head(writer, number, bytes.size);
	write_bytes(writer, bytes.data, bytes.size);
}

size_t wire_varint_field_size(uint32_t number, uint64_t value)
{
	if (value == 0)
		return 0;
	return wire_varint_size((uint64_t)number << 3) +
	       wire_varint_size(value);
}

size_t wire_bytes_field_size(uint32_t number, size_t size)
{
	if (size == 0)
		return 0;
	return wire_varint_size((uint64_t)number << 3) +
	       wire_varint_size(size) + size;
}
