/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a footer's payload. What decodes has entries that can all be had,
 * and encodes to the same bytes.
 */
#include "log/segment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_entry *entries;
	struct footer footer;
	uint8_t *again;
	uint64_t at;

	if (footer_decode(data, size, &footer) != WB_OK)
		return 0;
	entries = calloc((size_t)footer.entry_count + 1, sizeof(*entries));
	again = malloc(size);
	if (entries && again) {
		/* Backwards: encoding has to sort them. */
		for (at = 0; at < footer.entry_count; at++)
			entries[footer.entry_count - 1 - at] =
				footer_entry(data, &footer, at);
		footer_encode(&footer, entries, again);
		if (memcmp(again, data, size) != 0)
			abort();
	}
	free(entries);
	free(again);
	return 0;
}
