/* SPDX-License-Identifier: Apache-2.0
 *
 * Bounded, sticky byte cursors. All integers are little endian.
 *
 * A reader never leaves its bytes, a writer never leaves its buffer. What
 * does not fit sets `failed`; from then on every call is a no-op and reads
 * give zero, so that a decoder checks once, at its end. Bytes from outside
 * pass through here and nowhere else: no pointer arithmetic on them.
 */
#ifndef WAYBILL_BASE_CURSOR_H
#define WAYBILL_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *bytes;
	size_t size;
	size_t at;
	bool failed;
};

struct writer {
	uint8_t *bytes;
	size_t size;
	size_t at;
	bool failed;
};

static inline struct reader reader_of(const void *bytes, size_t size)
{
	return (struct reader){.bytes = bytes, .size = size};
}

static inline struct writer writer_of(void *bytes, size_t size)
{
	return (struct writer){.bytes = bytes, .size = size};
}

static inline size_t reader_left(const struct reader *reader)
{
	return reader->failed ? 0 : reader->size - reader->at;
}

/* Inline: who reads varints asks for each byte. */
static inline uint8_t read_u8(struct reader *reader)
{
	if (reader->failed || reader->at >= reader->size) {
		reader->failed = true;
		return 0;
	}
	return reader->bytes[reader->at++];
}

uint16_t read_u16(struct reader *reader);
uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);
/* Copies `size` bytes to `to`; zeros where they are not there. */
void read_bytes(struct reader *reader, void *to, size_t size);
/* The next `size` bytes in place; NULL where they are not there. */
const uint8_t *read_span(struct reader *reader, size_t size);
/* True where the next `size` bytes are there and all zero. */
bool read_zeros(struct reader *reader, size_t size);
void reader_seek(struct reader *reader, size_t at);

void write_u8(struct writer *writer, uint8_t value);
void write_u16(struct writer *writer, uint16_t value);
void write_u32(struct writer *writer, uint32_t value);
void write_u64(struct writer *writer, uint64_t value);
void write_bytes(struct writer *writer, const void *from, size_t size);
void write_zeros(struct writer *writer, size_t size);
void writer_seek(struct writer *writer, size_t at);

/* Are all `size` bytes zero? */
bool bytes_are_zero(const void *bytes, size_t size);

#endif
