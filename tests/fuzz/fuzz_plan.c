/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a plan, the first of them a choice of raw names. Whatever is
 * accepted keeps the promises that `waybill apply` relies on.
 */
#include "tools/plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mutation(const struct wb_image_mutation *mutation)
{
	if (!mutation->put == !mutation->remove)
		abort();
	if (mutation->put && wb_image_validate(mutation->put, NULL) != WB_OK)
		abort();
	if (mutation->remove && mutation->condition.kind == WB_WHEN_ABSENT)
		abort();
	if (mutation->condition.kind == WB_WHEN_DIGEST &&
	    !mutation->condition.digest)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wb_condition any = {.kind = WB_WHEN_ANY};
	struct scratch scratch = {0};
	struct plan plan = {0};
	struct wb_text text = {""};
	size_t line = 0;
	char *bytes;
	enum wb_error error;

	if (size == 0)
		return 0;
	bytes = scratch_array(&scratch, size, 1);
	if (!bytes)
		return 0;
	/* As input_read() gives it, with a NUL behind. */
	memcpy(bytes, data + 1, size - 1);
	error = plan_read(&scratch, bytes, size - 1, data[0] & 1, &any, &plan,
			  &line, &text);
	if (error && (plan.count > 0 || !*text.text))
		abort();
	if (!error != !line && error != WB_NO_MEMORY)
		abort();
	for (size_t i = 0; i < plan.count; i++) {
		check_mutation(&plan.mutations[i]);
		if (i > 0 && plan.lines[i] <= plan.lines[i - 1])
			abort();
	}
	scratch_release(&scratch);
	return 0;
}
