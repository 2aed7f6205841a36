/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a frame. The first one says whether the checksum is made right, so
 * that what lies behind it is reached. What decodes must encode again.
 */
#include "log/frame.h"

#include "base/cursor.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SALT   UINT64_C(0x0123456789abcdef)
#define OFFSET UINT64_C(8192)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The checksum of a frame that ends where it says, or with the bytes. */
static void fix_checksum(uint8_t *bytes, size_t size)
{
	struct writer writer = writer_of(bytes, size);
	uint64_t seed = SALT + OFFSET * FRAME_SEED_STEP;
	struct frame frame;

	if (!frame_peek(bytes, size, &frame) || frame.frame_bytes > size)
		return;
	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + 8, frame.frame_bytes - 8, seed));
}

static void check(const uint8_t *bytes, const struct frame *frame)
{
	uint8_t *again = calloc(1, frame->frame_bytes);
	struct frame parsed;

	if (!again)
		return;
	memcpy(again + FRAME_HEADER_BYTES, frame->payload,
	       frame->payload_bytes);
	frame_seal(again, frame, SALT, OFFSET);
	if (memcmp(again, bytes, frame->frame_bytes) != 0 ||
	    frame_parse(bytes, frame->frame_bytes, &parsed) != WB_OK ||
	    parsed.payload != frame->payload)
		abort();
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame frame;
	uint8_t *bytes;

	if (size < 1)
		return 0;
	/* Of exactly its size, so that one byte too many is seen. */
	bytes = malloc(size > 1 ? size - 1 : 1);
	if (!bytes)
		return 0;
	memcpy(bytes, data + 1, size - 1);
	if (data[0] & 1)
		fix_checksum(bytes, size - 1);
	if (frame_decode(bytes, size - 1, SALT, OFFSET, &frame) == WB_OK)
		check(bytes, &frame);
	free(bytes);
	return 0;
}
