/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a segment's header, filled up with zeros; the first one says which
 * copy it is and whether its checksum is made right. What decodes encodes to
 * the same bytes. The rest of the bytes is tried as a file's name.
 */
#include "log/segment.h"

#include "base/cursor.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_checksum(uint8_t *bytes, unsigned copy)
{
	struct writer writer = writer_of(bytes, 8);

	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + 8, SEGMENT_HEADER_BYTES - 8,
				       copy * SEGMENT_HEADER_BYTES));
}

static void try_name(const uint8_t *data, size_t size)
{
	char name[SEGMENT_NAME_SIZE], again[SEGMENT_NAME_SIZE];
	enum segment_kind kind;
	uint64_t id;

	if (size >= sizeof(name))
		size = sizeof(name) - 1;
	memcpy(name, data, size);
	name[size] = '\0';
	if (!segment_name_parse(name, &id, &kind))
		return;
	segment_name(id, kind, again);
	if (strcmp(name, again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bytes[SEGMENT_HEADER_BYTES] = {0};
	uint8_t again[SEGMENT_HEADER_BYTES];
	struct segment_header header;
	unsigned copy;

	if (size < 1 || size > sizeof(bytes))
		return 0;
	try_name(data, size);
	copy = data[0] >> 1 & 1;
	memcpy(bytes, data + 1, size - 1);
	if (data[0] & 1)
		fix_checksum(bytes, copy);
	if (segment_header_decode(bytes, copy, &header) != WB_OK)
		return 0;
	segment_header_encode(&header, copy, again);
	if (memcmp(bytes, again, sizeof(bytes)) != 0)
		abort();
	return 0;
}
