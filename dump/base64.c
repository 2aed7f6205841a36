/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/base64.h"

static const char digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *bytes, size_t size, char *to)
{
	size_t at = 0;

	for (; at + 2 < size; at += 3) {
		uint32_t three = (uint32_t)bytes[at] << 16 |
				 (uint32_t)bytes[at + 1] << 8 | bytes[at + 2];

		*to++ = digits[three >> 18];
		*to++ = digits[three >> 12 & 63];
		*to++ = digits[three >> 6 & 63];
		*to++ = digits[three & 63];
	}
	if (at < size) {
		uint32_t rest = (uint32_t)bytes[at] << 16;

		if (at + 1 < size)
			rest |= (uint32_t)bytes[at + 1] << 8;
		*to++ = digits[rest >> 18];
		*to++ = digits[rest >> 12 & 63];
		*to++ = at + 1 < size ? digits[rest >> 6 & 63] : '=';
		*to++ = '=';
	}
}

/* 64: none. */
static uint32_t digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0') + 52;
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool base64_decode(char *text, size_t size, size_t *ret_size)
{
	size_t padding = 0, to = 0;

	if (size % 4 != 0)
		return false;
	if (size > 0 && text[size - 1] == '=')
		padding = text[size - 2] == '=' ? 2 : 1;
	for (size_t at = 0; at < size; at += 4) {
		size_t missing = at + 4 == size ? padding : 0;
		uint32_t four = 0;

		for (size_t i = 0; i < 4; i++) {
			uint32_t digit =
				i + missing < 4 ? digit_of(text[at + i]) : 0;

			if (digit > 63)
				return false;
			four = four << 6 | digit;
		}
		/* The bits of the last digit that mean nothing are zero. */
		if (four & (missing == 2 ? 0xFFFFu : missing == 1 ? 0xFFu : 0))
			return false;
		text[to++] = (char)(four >> 16);
		if (missing < 2)
			text[to++] = (char)(four >> 8 & 0xFF);
		if (missing < 1)
			text[to++] = (char)(four & 0xFF);
	}
	*ret_size = to;
	return true;
}
