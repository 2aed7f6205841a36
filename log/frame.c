/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame codec. The checksum stands first, so that what it covers is one
 * run of bytes and one call of XXH3; its seed holds the segment's salt and
 * the frame's offset, so that a right frame in a wrong place is a wrong
 * frame. Sizes are bounded before the checksum is computed over them.
 */
#include "log/frame.h"

#include "base/control.h"
#include "base/cursor.h"

#include <assert.h>
#include <xxhash.h>

#define CHECKSUM_BYTES 8u

static uint64_t frame_checksum(const uint8_t *bytes, size_t frame_bytes,
			       uint64_t salt, uint64_t offset)
{
	uint64_t seed = salt + offset * FRAME_SEED_STEP;

	if (control_off(CONTROL_FRAME_SEED))
		seed = 0;
	return XXH3_64bits_withSeed(bytes + CHECKSUM_BYTES,
				    frame_bytes - CHECKSUM_BYTES, seed);
}

static uint32_t payload_bytes_max(uint8_t type)
{
	switch (type) {
	case FRAME_MARK:
	case FRAME_CLOSE:
		return 0;
	case FRAME_FOOTER:
		return FOOTER_PAYLOAD_MAX;
	default:
		return COMMIT_PAYLOAD_MAX;
	}
}

static bool sizes_fit(const struct frame *frame)
{
	uint64_t used = (uint64_t)FRAME_HEADER_BYTES + frame->payload_bytes;

	return frame->payload_bytes <= payload_bytes_max(frame->type) &&
	       frame->frame_bytes % FRAME_ALIGN == 0 &&
	       frame->frame_bytes >= used &&
	       frame->frame_bytes - used < FRAME_PADDING_MAX;
}

void frame_seal(uint8_t *at, const struct frame *frame, uint64_t salt,
		uint64_t offset)
{
	struct writer writer = writer_of(at, FRAME_HEADER_BYTES);

	assert(sizes_fit(frame));
	assert(offset % FRAME_ALIGN == 0);
	writer_seek(&writer, CHECKSUM_BYTES);
	write_u32(&writer, FRAME_MAGIC);
	write_u8(&writer, frame->type);
	write_u8(&writer, FRAME_VERSION);
	write_u16(&writer, 0);
	write_u32(&writer, frame->frame_bytes);
	write_u32(&writer, frame->payload_bytes);
	write_u64(&writer, frame->revision);
	write_u64(&writer, frame->durable_revision);
	write_u64(&writer, frame->durable_bytes);
	writer_seek(&writer, 0);
	write_u64(&writer,
		  frame_checksum(at, frame->frame_bytes, salt, offset));
	assert(!writer.failed);
}

/* Header fields and bounds; the checksum is the caller's to compare. */
static enum wb_error header_parse(struct reader *reader, struct frame *frame,
				  uint64_t *ret_checksum,
				  uint8_t *ret_version, uint16_t *ret_zero)
{
	uint32_t magic;

	*ret_checksum = read_u64(reader);
	magic = read_u32(reader);
	frame->type = read_u8(reader);
	*ret_version = read_u8(reader);
	*ret_zero = read_u16(reader);
	frame->frame_bytes = read_u32(reader);
	frame->payload_bytes = read_u32(reader);
	frame->revision = read_u64(reader);
	frame->durable_revision = read_u64(reader);
	frame->durable_bytes = read_u64(reader);
	if (reader->failed || magic != FRAME_MAGIC || !sizes_fit(frame))
		return WB_CORRUPT;
#ifdef WAYBILL_PLANT_FRAME
	/* A planted fault for the fuzzer: the bound is off by a little. */
	if (frame->frame_bytes > reader->size + 64)
		return WB_CORRUPT;
#else
	if (frame->frame_bytes > reader->size)
		return WB_CORRUPT;
#endif
	return WB_OK;
}

enum wb_error frame_parse(const uint8_t *bytes, size_t size,
			  struct frame *ret_frame)
{
	struct reader reader = reader_of(bytes, size);
	struct frame frame = {0};
	uint64_t checksum;
	uint16_t zero;
	uint8_t version;

	if (header_parse(&reader, &frame, &checksum, &version, &zero))
		return WB_CORRUPT;
	frame.payload = read_span(&reader, frame.payload_bytes);
	*ret_frame = frame;
	return WB_OK;
}

enum wb_error frame_decode(const uint8_t *bytes, size_t size, uint64_t salt,
			   uint64_t offset, struct frame *ret_frame)
{
	struct reader reader = reader_of(bytes, size);
	struct frame frame = {0};
	uint64_t checksum;
	uint16_t zero;
	uint8_t version;

	if (header_parse(&reader, &frame, &checksum, &version, &zero))
		return WB_CORRUPT;
	if (frame_checksum(bytes, frame.frame_bytes, salt, offset) !=
		    checksum &&
	    !control_off(CONTROL_FRAME_VERIFY))
		return WB_CORRUPT;
	if (version != FRAME_VERSION || frame.type > FRAME_RECORDS)
		return WB_UNSUPPORTED;
	frame.payload = read_span(&reader, frame.payload_bytes);
	if (frame.type == FRAME_NONE || zero != 0 ||
	    !read_zeros(&reader, frame.frame_bytes - FRAME_HEADER_BYTES -
					 frame.payload_bytes))
		return WB_CORRUPT;
	*ret_frame = frame;
	return WB_OK;
}
