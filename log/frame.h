/* SPDX-License-Identifier: Apache-2.0
 *
 * One frame: docs/FORMAT.md, "Frame".
 */
#ifndef WAYBILL_LOG_FRAME_H
#define WAYBILL_LOG_FRAME_H

#include "log/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

struct frame {
	uint8_t type; /* enum frame_type */
	uint32_t frame_bytes;
	uint32_t payload_bytes;
	uint64_t revision;
	uint64_t durable_revision;
	uint64_t durable_bytes;
	const uint8_t *payload; /* into the decoded bytes */
};

/* Bytes of a frame with this payload, before a group's padding. */
static inline uint32_t frame_size(uint32_t payload_bytes)
{
	return (FRAME_HEADER_BYTES + payload_bytes + (FRAME_ALIGN - 1)) &
	       ~(FRAME_ALIGN - 1);
}

/* Write the header of a frame whose payload and zero padding stand at `at` +
 * FRAME_HEADER_BYTES already; `at` becomes `offset` in a segment of `salt`.
 * Asserts the bounds: they are the writer's own. */
void frame_seal(uint8_t *at, const struct frame *frame, uint64_t salt,
		uint64_t offset);

/* Decode the frame at `bytes`, of which `size` are there, that stands at
 * `offset` of a segment with `salt`. Silent: whether a frame that is not
 * there is damage is for the caller to know.
 * WB_CORRUPT: no frame verifies here. WB_UNSUPPORTED: one does, of a type or
 * version that this program does not know. */
enum wb_error frame_decode(const uint8_t *bytes, size_t size, uint64_t salt,
			   uint64_t offset, struct frame *ret_frame);

/* The same without the checksum, for bytes that were verified before. */
enum wb_error frame_parse(const uint8_t *bytes, size_t size,
			  struct frame *ret_frame);

/* Does the checksum hold of the frame at `bytes`, whatever else it is? Where
 * frame_decode says WB_CORRUPT this tells damage from what somebody wrote so.
 */
bool frame_verifies(const uint8_t *bytes, size_t size, uint64_t salt,
		    uint64_t offset);

/* What the header at `bytes` says, whether the rest of the frame is there or
 * not, and without the checksum; `ret_frame->payload` is NULL. False where it
 * does not even make sense. */
bool frame_peek(const uint8_t *bytes, size_t size, struct frame *ret_frame);

#endif
