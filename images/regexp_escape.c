/* SPDX-License-Identifier: Apache-2.0 */
#include "images/regexp_private.h"
#include "images/unicode.h"

#include <string.h>

static int hex_digit(uint32_t character)
{
	if (character >= '0' && character <= '9')
		return (int)(character - '0');
	if ((character | 0x20) >= 'a' && (character | 0x20) <= 'f')
		return (int)((character | 0x20) - 'a' + 10);
	return -1;
}

/* \x7F or \x{10FFFF}, behind the x. */
static enum wb_error hexadecimal(struct source *source, uint32_t *ret_character)
{
	uint32_t value = 0;
	size_t digits = 0;

	if (source_look(source, 0) != '{') {
		int high = hex_digit(source_look(source, 0));
		int low = high < 0 ? -1 : hex_digit(source_look(source, 1));

		if (low < 0)
			return WB_BAD_INPUT;
		source->at += 2;
		*ret_character = (uint32_t)(high * 16 + low);
		return WB_OK;
	}
	source->at++;
	while (hex_digit(source_look(source, 0)) >= 0) {
		value = value * 16 +
			(uint32_t)hex_digit(source_look(source, 0));
		if (value > UNICODE_LAST)
			return WB_BAD_INPUT;
		source->at++;
		digits++;
	}
	if (digits == 0 || source_look(source, 0) != '}')
		return WB_BAD_INPUT;
	source->at++;
	*ret_character = value;
	return WB_OK;
}

static bool is_octal(uint8_t byte)
{
	return byte >= '0' && byte <= '7';
}

/* Up to three digits, of which the first was read. */
static uint32_t octal(struct source *source, uint32_t first)
{
	uint32_t value = first - '0';

	for (int i = 1; i < 3 && is_octal(source_look(source, 0)); i++)
		value = value * 8 + (source->bytes[source->at++] - '0');
	return value;
}

enum wb_error character_escape(struct source *source, uint32_t *ret_character)
{
	static const char letters[] = "afnrtv";
	static const char values[] = "\a\f\n\r\t\v";
	const char *letter;
	uint32_t character;

	source->at++; /* the backslash */
	if (source_at_end(source))
		return WB_BAD_INPUT;
	character = unicode_next(source->bytes, source->size, &source->at);
	if (character == 'x')
		return hexadecimal(source, ret_character);
	if (character == '0' || (character >= '1' && character <= '7' &&
				 is_octal(source_look(source, 0)))) {
		*ret_character = octal(source, character);
		return WB_OK;
	}
	if (character > 0x7F)
		return WB_BAD_INPUT;
	letter = character ? strchr(letters, (int)character) : NULL;
	if (letter) {
		*ret_character = (uint32_t)values[letter - letters];
		return WB_OK;
	}
	if (hex_digit(character) >= 0 ||
	    ((character | 0x20) >= 'a' && (character | 0x20) <= 'z'))
		return WB_BAD_INPUT;
	*ret_character = character;
	return WB_OK;
}
