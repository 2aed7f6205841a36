/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"
#include "base/line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void line_format(char *line, size_t size, const char *format, va_list arguments)
{
	int length;

	assert(size >= 8);
	length = vsnprintf(line, size, format, arguments);
	if (length < 0) {
		strcpy(line, "?");
		return;
	}
	if ((size_t)length >= size) {
		size_t end = size - 4;

		while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80)
			end--;
		strcpy(line + end, "...");
	}
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?';
}

enum wb_error text_set(struct wb_text *text, enum wb_error error,
		       const char *format, ...)
{
	va_list arguments;

	if (!text)
		return error;
	va_start(arguments, format);
	line_format(text->text, sizeof(text->text), format, arguments);
	va_end(arguments);
	return error;
}
