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

/* What stands before the payload. */
struct header {
	uint64_t checksum;
	uint32_t magic;
	uint8_t version;
	uint16_t zero;
	struct frame frame;
};

/* False where the fields make no sense, whatever the checksum says. */
static bool header_parse(struct reader *reader, struct header *header)
{
	struct frame *frame = &header->frame;

	*header = (struct header){.checksum = read_u64(reader)};
	header->magic = read_u32(reader);
	frame->type = read_u8(reader);
	header->version = read_u8(reader);
	header->zero = read_u16(reader);
	frame->frame_bytes = read_u32(reader);
	frame->payload_bytes = read_u32(reader);
	frame->revision = read_u64(reader);
	frame->durable_revision = read_u64(reader);
	frame->durable_bytes = read_u64(reader);
	return !reader->failed && header->magic == FRAME_MAGIC &&
	       sizes_fit(frame);
}

static bool frame_is_there(const uint8_t *bytes, const struct frame *frame,
			   size_t size)
{
#ifdef WAYBILL_PLANT_FRAME
	/* A planted fault for the fuzzer: looked at before it is there. */
	if (((const volatile uint8_t *)bytes)[frame->frame_bytes - 1] == 0xff)
		return false;
#endif
	(void)bytes;
	return frame->frame_bytes <= size;
}

enum wb_error frame_parse(const uint8_t *bytes, size_t size,
			  struct frame *ret_frame)
{
	struct reader reader = reader_of(bytes, size);
	struct header header;

	if (!header_parse(&reader, &header) ||
	    !frame_is_there(bytes, &header.frame, size))
		return WB_CORRUPT;
	header.frame.payload = read_span(&reader, header.frame.payload_bytes);
	*ret_frame = header.frame;
	return WB_OK;
}

enum wb_error frame_decode(const uint8_t *bytes, size_t size, uint64_t salt,
			   uint64_t offset, struct frame *ret_frame)
{
	struct reader reader = reader_of(bytes, size);
	struct frame *frame;
	struct header header;

	if (!header_parse(&reader, &header) ||
	    !frame_is_there(bytes, &header.frame, size))
		return WB_CORRUPT;
	frame = &header.frame;
	if (frame_checksum(bytes, frame->frame_bytes, salt, offset) !=
		    header.checksum &&
	    !control_off(CONTROL_FRAME_VERIFY))
		return WB_CORRUPT;
	if (header.version != FRAME_VERSION || frame->type > FRAME_RECORDS)
		return WB_UNSUPPORTED;
	frame->payload = read_span(&reader, frame->payload_bytes);
	if (frame->type == FRAME_NONE || header.zero != 0 ||
	    !read_zeros(&reader, frame->frame_bytes - FRAME_HEADER_BYTES -
					 frame->payload_bytes))
		return WB_CORRUPT;
	*ret_frame = *frame;
	return WB_OK;
}

bool frame_verifies(const uint8_t *bytes, size_t size, uint64_t salt,
		    uint64_t offset)
{
	struct reader reader = reader_of(bytes, size);
	struct header header;

	return header_parse(&reader, &header) &&
	       frame_is_there(bytes, &header.frame, size) &&
	       frame_checksum(bytes, header.frame.frame_bytes, salt, offset) ==
		       header.checksum;
}

bool frame_peek(const uint8_t *bytes, size_t size, struct frame *ret_frame)
{
	struct reader reader = reader_of(bytes, size);
	struct header header;

	if (!header_parse(&reader, &header))
		return false;
	*ret_frame = header.frame;
	return true;
}
