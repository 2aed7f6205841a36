/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a slot of the anchor, filled up with zeros; the first one says
 * which slot it is and whether its checksum is made right. What decodes
 * encodes to the same bytes.
 */
#include "log/anchor.h"

#include "base/cursor.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_checksum(uint8_t *bytes, unsigned slot)
{
	struct writer writer = writer_of(bytes, 8);

	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + 8, ANCHOR_SLOT_BYTES - 8,
				       slot * ANCHOR_SLOT_BYTES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[ANCHOR_SLOT_BYTES] = {0};
	uint8_t again[ANCHOR_SLOT_BYTES];
	struct anchor anchor;
	unsigned slot;

	if (size < 1 || size > sizeof(bytes))
		return 0;
	slot = data[0] >> 1 & 1;
	memcpy(bytes, data + 1, size - 1);
	if (data[0] & 1)
		fix_checksum(bytes, slot);
	if (anchor_decode(bytes, slot, &anchor) != WB_OK)
		return 0;
	anchor_encode(&anchor, slot, again);
	if (memcmp(bytes, again, sizeof(bytes)) != 0)
		abort();
	return 0;
}
