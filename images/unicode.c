/* SPDX-License-Identifier: Apache-2.0 */
#include "images/unicode.h"

#include <string.h>

/* The shape of a character by its first byte: how many bytes follow, which
 * bits of the first one count, and the smallest value that needs this form.
 */
struct form {
	unsigned following;
	uint32_t mask;
	uint32_t smallest;
};

static bool form_of(uint8_t first, struct form *ret_form)
{
	if (first < 0x80)
		*ret_form = (struct form){0, 0x7F, 0};
	else if ((first & 0xE0) == 0xC0)
		*ret_form = (struct form){1, 0x1F, 0x80};
	else if ((first & 0xF0) == 0xE0)
		*ret_form = (struct form){2, 0x0F, 0x800};
	else if ((first & 0xF8) == 0xF0)
		*ret_form = (struct form){3, 0x07, 0x10000};
	else
		return false;
	return true;
}

static bool is_scalar(uint32_t character)
{
	return character <= UNICODE_LAST &&
	       (character < 0xD800 || character > 0xDFFF);
}

uint32_t unicode_next(const void *bytes, size_t size, size_t *at)
{
	const uint8_t *start = (const uint8_t *)bytes + *at;
	size_t left = size - *at;
	struct form form;
	uint32_t character;

	*at += 1;
	if (!form_of(start[0], &form) || form.following >= left)
		return UNICODE_BAD;
	character = start[0] & form.mask;
	for (unsigned i = 1; i <= form.following; i++) {
		if ((start[i] & 0xC0) != 0x80)
			return UNICODE_BAD;
		character = character << 6 | (start[i] & 0x3F);
	}
	if (character < form.smallest || !is_scalar(character))
		return UNICODE_BAD;
	*at += form.following;
	return character;
}

size_t unicode_put(uint32_t character, char *to)
{
	unsigned following;

	if (!is_scalar(character))
		character = UNICODE_REPLACEMENT;
	if (character < 0x80) {
		to[0] = (char)character;
		return 1;
	}
	following = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
	for (unsigned i = following; i > 0; i--) {
		to[i] = (char)(0x80 | (character & 0x3F));
		character >>= 6;
	}
	/* 110xxxxx, 1110xxxx, 11110xxx */
	to[0] = (char)((0xFF00u >> (following + 1) & 0xFF) | character);
	return 1 + following;
}

/* How many whole words of ASCII there are from `at` on, in bytes. Most text
 * is nothing else. */
static size_t ascii_words(const uint8_t *bytes, size_t size, size_t at)
{
	size_t end = at;
	uint64_t word;

	for (; size - end >= sizeof(word); end += sizeof(word)) {
		memcpy(&word, bytes + end, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	return end - at;
}

bool unicode_valid(const void *bytes, size_t size)
{
	size_t at = 0;

	while (at < size) {
		at += ascii_words(bytes, size, at);
		if (at < size && unicode_next(bytes, size, &at) == UNICODE_BAD)
			return false;
	}
	return true;
}

bool unicode_is_graphic(uint32_t character)
{
	size_t low = 0;
	size_t high = unicode_graphic_count;

	if (character < 0x80)
		return character >= 0x20 && character != 0x7F;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (character > unicode_graphic[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < unicode_graphic_count &&
	       character >= unicode_graphic[low].first;
}

bool unicode_is_space(uint32_t character)
{
	switch (character) {
	case 0x20:
	case 0x85:
	case 0xA0:
	case 0x1680:
	case 0x2028:
	case 0x2029:
	case 0x202F:
	case 0x205F:
	case 0x3000:
		return true;
	default:
		return (character >= 0x09 && character <= 0x0D) ||
		       (character >= 0x2000 && character <= 0x200A);
	}
}
