/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as the text of a store's lock. What is decoded is fit to be shown and
 * survives being written again.
 */
#include "base/posix_private.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char bytes[LOCK_TEXT_BYTES];
	struct lock_text text;
	struct lock_text again;

	if (!lock_text_decode(data, size, &text))
		return 0;
	if (text.pid <= 0 || text.pid > INT32_MAX)
		abort();
	for (const char *c = text.command; *c; c++)
		if (*c < ' ' || *c > '~')
			abort();
	lock_text_encode(&text, bytes);
	if (!lock_text_decode(bytes, sizeof(bytes), &again) ||
	    text.pid != again.pid || strcmp(text.boot_id, again.boot_id) != 0 ||
	    strcmp(text.command, again.command) != 0)
		abort();
	return 0;
}
