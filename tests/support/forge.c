/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/forge.h"

#include "base/cursor.h"

#include <stdlib.h>
#include <xxhash.h>

enum {
	COPY_BYTES = 4096,
	FRAME_BYTES_AT = 16,
	FRAME_HEADER_BYTES = 48,
	SALT_AT = 104,
};

static void seal(uint8_t *bytes, size_t size, uint64_t seed)
{
	struct writer writer = writer_of(bytes, 8);

	write_u64(&writer, XXH3_64bits_withSeed(bytes + 8, size - 8, seed));
}

static uint64_t number(struct simdisk *disk, const char *path, uint64_t at,
		       size_t size)
{
	uint8_t bytes[8] = {0};
	struct reader reader = reader_of(bytes, sizeof(bytes));

	simdisk_get(disk, path, bytes, size, at);
	return read_u64(&reader);
}

void forge_copy(struct simdisk *disk, const char *path, unsigned copy,
		uint64_t at, const void *bytes, size_t size)
{
	uint8_t whole[COPY_BYTES];

	assert(at + size <= sizeof(whole));
	simdisk_get(disk, path, whole, sizeof(whole),
		    (uint64_t)copy * COPY_BYTES);
	memcpy(whole + at, bytes, size);
	seal(whole, sizeof(whole), (uint64_t)copy * COPY_BYTES);
	simdisk_set(disk, path, whole, sizeof(whole),
		    (uint64_t)copy * COPY_BYTES);
}

void forge_header(struct simdisk *disk, const char *path, uint64_t at,
		  const void *bytes, size_t size)
{
	forge_copy(disk, path, 0, at, bytes, size);
	forge_copy(disk, path, 1, at, bytes, size);
}

void forge_anchor(struct simdisk *disk, uint64_t at, const void *bytes,
		  size_t size)
{
	forge_header(disk, "anchor", at, bytes, size);
}

static void seal_frame(struct simdisk *disk, const char *path, uint64_t frame,
		       uint8_t *bytes, size_t size)
{
	seal(bytes, size,
	     number(disk, path, SALT_AT, 8) +
		     frame * UINT64_C(0x9E3779B97F4A7C15));
	simdisk_set(disk, path, bytes, size, frame);
}

void forge_frame(struct simdisk *disk, const char *path, uint64_t frame,
		 uint64_t at, const void *bytes, size_t size)
{
	size_t whole = (size_t)number(disk, path, frame + FRAME_BYTES_AT, 4);
	uint8_t *copy = malloc(whole);

	assert(copy && at + size <= whole);
	simdisk_get(disk, path, copy, whole, frame);
	memcpy(copy + at, bytes, size);
	seal_frame(disk, path, frame, copy, whole);
	free(copy);
}

uint64_t forge_next(struct simdisk *disk, const char *path, uint64_t frame)
{
	return frame + number(disk, path, frame + FRAME_BYTES_AT, 4);
}

static void write_header(uint8_t *bytes, const struct forged_frame *frame)
{
	struct writer writer = writer_of(bytes, FRAME_HEADER_BYTES);

	write_zeros(&writer, 8);
	write_bytes(&writer, "WBFR", 4);
	write_u8(&writer, frame->type);
	write_u8(&writer, frame->version);
	write_u16(&writer, 0);
	write_u32(&writer, frame->frame_bytes);
	write_u32(&writer, frame->payload_bytes);
	write_u64(&writer, frame->revision);
	write_u64(&writer, frame->durable_revision);
	write_u64(&writer, frame->durable_bytes);
	assert(!writer.failed);
}

void forge_new_frame(struct simdisk *disk, const char *path, uint64_t at,
		     const struct forged_frame *frame)
{
	uint8_t bytes[1024] = {0};

	assert(frame->frame_bytes <= sizeof(bytes));
	write_header(bytes, frame);
	seal_frame(disk, path, at, bytes, frame->frame_bytes);
}

void forge_fake_frame(struct simdisk *disk, const char *path, uint64_t at,
		      const struct forged_frame *frame)
{
	uint8_t bytes[FRAME_HEADER_BYTES];

	write_header(bytes, frame);
	simdisk_set(disk, path, bytes, sizeof(bytes), at);
}
