/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/label.h"

#include "tools/wording.h"

#include <string.h>

enum wb_error label_parse(struct scratch *scratch, const char *argument,
			  struct wb_label *ret_label, struct wb_text *ret_text)
{
	const char *equals = strchr(argument, '=');
	size_t size = strlen(argument);
	size_t key_size = equals ? (size_t)(equals - argument) : size - 1;
	char *key;

	if (!equals && (size == 0 || argument[size - 1] != '-'))
		return fail(ret_text, WB_BAD_INPUT,
			    "label \"%s\": neither KEY=VALUE nor KEY-",
			    argument);
	if (key_size == 0)
		return fail(ret_text, WB_BAD_INPUT,
			    "label \"%s\": the key is empty", argument);
	if (!utf8_valid(argument))
		return fail(ret_text, WB_BAD_INPUT, "label \"%s\": not UTF-8",
			    argument);
	key = scratch_copy(scratch, argument, key_size);
	if (!key)
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	ret_label->key = key;
	ret_label->value = equals && equals[1] ? equals + 1 : NULL;
	return WB_OK;
}

enum wb_error label_unique(const struct wb_labels *labels,
			   struct wb_text *ret_text)
{
	for (size_t i = 0; i < labels->count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(labels->items[i].key,
				   labels->items[j].key) == 0)
				return fail(ret_text, WB_BAD_INPUT,
					    "label \"%s\" is given twice",
					    labels->items[i].key);
	return WB_OK;
}
