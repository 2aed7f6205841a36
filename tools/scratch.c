/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/scratch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scratch_item {
	struct scratch_item *next;
	void *pointer;
	scratch_free_fn *free_fn;
};

bool scratch_adopt(struct scratch *scratch, void *pointer,
		   scratch_free_fn *free_fn)
{
	struct scratch_item *item;

	if (!pointer)
		return false;
	item = malloc(sizeof(*item));
	if (!item) {
		free_fn(pointer);
		return false;
	}
	*item = (struct scratch_item){scratch->items, pointer, free_fn};
	scratch->items = item;
	return true;
}

void *scratch_array(struct scratch *scratch, size_t count, size_t size)
{
	void *array = calloc(count ? count : 1, size);

	return scratch_adopt(scratch, array, free) ? array : NULL;
}

char *scratch_copy(struct scratch *scratch, const char *text, size_t size)
{
	char *copy = strndup(text, size);

	return scratch_adopt(scratch, copy, free) ? copy : NULL;
}

char *scratch_format(struct scratch *scratch, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	return scratch_adopt(scratch, text, free) ? text : NULL;
}

void scratch_release(struct scratch *scratch)
{
	while (scratch->items) {
		struct scratch_item *item = scratch->items;

		scratch->items = item->next;
		item->free_fn(item->pointer);
		free(item);
	}
}
