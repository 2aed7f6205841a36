/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as an encoded key. What decodes must encode to the same bytes.
 */
#include "index/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wb_key parts;
	struct key key;

	if (key_decode(data, size, &parts) != WB_OK)
		return 0;
	if (key_encode(&parts, &key) != WB_OK || key.size != size ||
	    memcmp(key.bytes, data, size) != 0)
		abort();
	return 0;
}
