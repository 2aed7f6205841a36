/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/wording.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message that was cut in the middle of a character is no longer UTF-8,
 * and JSON could not carry it. */
static void drop_half_character(char *text)
{
	size_t size = strlen(text);
	size_t start = size;

	while (start > 0 && size - start < 4 &&
	       ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0x80)
		start--;
	if (start < size && utf8_character(text + start, NULL) != size - start)
		text[start] = '\0';
}

enum wb_error fail(struct wb_text *ret_text, enum wb_error error,
		   const char *format, ...)
{
	va_list arguments;
	int length;

	if (!ret_text)
		return error;
	va_start(arguments, format);
	length = vsnprintf(ret_text->text, sizeof(ret_text->text), format,
			   arguments);
	va_end(arguments);
	if (length >= (int)sizeof(ret_text->text))
		drop_half_character(ret_text->text);
	return error;
}

enum wb_error fail_where(struct wb_text *text, enum wb_error error,
			 const char *where)
{
	struct wb_text inner = *text;

	return fail(text, error, "%s: %s", where, inner.text);
}

enum wb_error fail_errno(struct wb_text *ret_text, int error_number,
			 const char *what)
{
	static const struct {
		int error_number;
		enum wb_error error;
	} table[] = {
		{ENOENT, WB_NOT_FOUND},	 {ENOTDIR, WB_NOT_FOUND},
		{EACCES, WB_PERMISSION}, {EPERM, WB_PERMISSION},
		{EROFS, WB_PERMISSION},	 {ENOSPC, WB_NO_SPACE},
		{EFBIG, WB_NO_SPACE},	 {EDQUOT, WB_NO_SPACE},
		{ENOMEM, WB_NO_MEMORY},	 {ENAMETOOLONG, WB_USAGE},
		{ELOOP, WB_USAGE},	 {EISDIR, WB_BAD_INPUT},
	};
	enum wb_error error = WB_IO;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].error_number == error_number)
			error = table[i].error;
	return fail(ret_text, error, "%s: %s", what, strerror(error_number));
}

size_t utf8_character(const char *text, uint32_t *ret_code_point)
{
	static const uint32_t smallest[] = {0, 1, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)text[0];
	size_t size = first < 0x80   ? 1
		      : first < 0xC0 ? 0
		      : first < 0xE0 ? 2
		      : first < 0xF0 ? 3
		      : first < 0xF8 ? 4
				     : 0;
	uint32_t code_point;

	if (first == 0 || size == 0)
		return 0;
	code_point = size == 1 ? first : first & (0x7Fu >> size);
	for (size_t i = 1; i < size; i++) {
		if (((unsigned char)text[i] & 0xC0) != 0x80)
			return 0;
		code_point = code_point << 6 | ((unsigned char)text[i] & 0x3F);
	}
	if (code_point < smallest[size] || code_point > 0x10FFFF ||
	    (code_point >= 0xD800 && code_point <= 0xDFFF))
		return 0;
	if (ret_code_point)
		*ret_code_point = code_point;
	return size;
}

bool utf8_valid(const char *text)
{
	while (*text) {
		size_t size = utf8_character(text, NULL);

		if (size == 0)
			return false;
		text += size;
	}
	return true;
}

bool parse_decimal(const char *text, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(number, 10u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'),
					   &number))
			return false;
	}
	*ret_number = number;
	return true;
}
