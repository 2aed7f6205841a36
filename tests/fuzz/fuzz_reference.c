/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a reference. What is made full is full: made full once more it is
 * the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <waybill/images.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *reference = malloc(size + 1);
	char *name = NULL;
	char *again = NULL;
	struct wb_text text;

	if (!reference)
		return 0;
	if (size > 0)
		memcpy(reference, data, size);
	reference[size] = 0;
	if (!wb_reference_normalise(reference, &name, &text)) {
		if (wb_reference_normalise(name, &again, &text) ||
		    strcmp(name, again))
			abort();
	}
	free(again);
	free(name);
	free(reference);
	return 0;
}
