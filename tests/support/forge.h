/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of a store's files changed so that every checksum still holds: what
 * no accident does, and a reader must find by its rules alone.
 */
#ifndef WAYBILL_TESTS_SUPPORT_FORGE_H
#define WAYBILL_TESTS_SUPPORT_FORGE_H

#include "tests/support/simdisk.h"

/* Change `size` bytes at `at` of both copies of a segment's header. */
void forge_header(struct simdisk *disk, const char *path, uint64_t at,
		  const void *bytes, size_t size);
/* Of both slots of the anchor. */
void forge_anchor(struct simdisk *disk, uint64_t at, const void *bytes,
		  size_t size);
/* Of one copy or slot, 0 or 1. */
void forge_copy(struct simdisk *disk, const char *path, unsigned copy,
		uint64_t at, const void *bytes, size_t size);
/* Of the frame at `frame` of a segment; `at` counts from the frame. */
void forge_frame(struct simdisk *disk, const char *path, uint64_t frame,
		 uint64_t at, const void *bytes, size_t size);
/* Where the frame behind the one at `frame` begins. */
uint64_t forge_next(struct simdisk *disk, const char *path, uint64_t frame);
/* A frame of any type at `at`, of at most 1024 bytes; its payload is zero. */
struct forged_frame {
	uint8_t type, version;
	uint32_t frame_bytes, payload_bytes;
	uint64_t revision, durable_revision, durable_bytes;
};
void forge_new_frame(struct simdisk *disk, const char *path, uint64_t at,
		     const struct forged_frame *frame);
/* Only its header, of any size, with a checksum that is wrong. */
void forge_fake_frame(struct simdisk *disk, const char *path, uint64_t at,
		      const struct forged_frame *frame);

#endif
