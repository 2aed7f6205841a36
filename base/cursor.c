/* SPDX-License-Identifier: Apache-2.0
 *
 * With read_u8 in the header, the only place where an offset is added to
 * somebody else's bytes.
 *
 * Invariant: at <= size, always; so `size - at` never wraps and is the only
 * bound that is ever compared with. A call that fails moves nothing.
 */
#include "base/cursor.h"

#include <assert.h>
#include <string.h>

/* The next `size` bytes, now consumed; NULL (and failed) where they are not
 * there. `size` is not zero. */
static const uint8_t *reader_take(struct reader *reader, size_t size)
{
	const uint8_t *bytes;

	assert(reader->at <= reader->size);
	if (reader->failed || size > reader->size - reader->at) {
		reader->failed = true;
		return NULL;
	}
	bytes = reader->bytes + reader->at;
	reader->at += size;
	return bytes;
}

static uint64_t read_integer(struct reader *reader, size_t size)
{
	const uint8_t *bytes = reader_take(reader, size);
	uint64_t value = 0;

	if (!bytes)
		return 0;
	for (size_t i = size; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

uint16_t read_u16(struct reader *reader)
{
	return (uint16_t)read_integer(reader, 2);
}

uint32_t read_u32(struct reader *reader)
{
	return (uint32_t)read_integer(reader, 4);
}

uint64_t read_u64(struct reader *reader)
{
	return read_integer(reader, 8);
}

void read_bytes(struct reader *reader, void *to, size_t size)
{
	const uint8_t *bytes;

	if (size == 0)
		return;
	bytes = reader_take(reader, size);
	if (bytes)
		memcpy(to, bytes, size);
	else
		memset(to, 0, size);
}

const uint8_t *read_span(struct reader *reader, size_t size)
{
	static const uint8_t nothing[1];

	if (reader->failed)
		return NULL;
	return size ? reader_take(reader, size) : nothing;
}

bool read_zeros(struct reader *reader, size_t size)
{
	const uint8_t *bytes = read_span(reader, size);

	return bytes && bytes_are_zero(bytes, size);
}

void reader_seek(struct reader *reader, size_t at)
{
	if (reader->failed || at > reader->size)
		reader->failed = true;
	else
		reader->at = at;
}

static uint8_t *writer_take(struct writer *writer, size_t size)
{
	uint8_t *bytes;

	assert(writer->at <= writer->size);
	if (writer->failed || size > writer->size - writer->at) {
		writer->failed = true;
		return NULL;
	}
	bytes = writer->bytes + writer->at;
	writer->at += size;
	return bytes;
}

static void write_integer(struct writer *writer, uint64_t value, size_t size)
{
	uint8_t *bytes = writer_take(writer, size);

	for (size_t i = 0; bytes && i < size; i++, value >>= 8)
		bytes[i] = (uint8_t)value;
}

void write_u8(struct writer *writer, uint8_t value)
{
	write_integer(writer, value, 1);
}

void write_u16(struct writer *writer, uint16_t value)
{
	write_integer(writer, value, 2);
}

void write_u32(struct writer *writer, uint32_t value)
{
	write_integer(writer, value, 4);
}

void write_u64(struct writer *writer, uint64_t value)
{
	write_integer(writer, value, 8);
}

void write_bytes(struct writer *writer, const void *from, size_t size)
{
	uint8_t *bytes;

	if (size == 0)
		return;
	bytes = writer_take(writer, size);
	if (bytes)
		memcpy(bytes, from, size);
}

void write_zeros(struct writer *writer, size_t size)
{
	uint8_t *bytes;

	if (size == 0)
		return;
	bytes = writer_take(writer, size);
	if (bytes)
		memset(bytes, 0, size);
}

void writer_seek(struct writer *writer, size_t at)
{
	if (writer->failed || at > writer->size)
		writer->failed = true;
	else
		writer->at = at;
}

bool bytes_are_zero(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint64_t seen = 0;

	/* 64 bytes a step: recovery looks at whole segments with this. */
	for (; size >= 64 && seen == 0; size -= 64, at += 64) {
		uint64_t words[8];

		memcpy(words, at, sizeof(words));
		for (size_t i = 0; i < 8; i++)
			seen |= words[i];
	}
	for (; size > 0 && seen == 0; size--, at++)
		seen = *at;
	return seen == 0;
}
