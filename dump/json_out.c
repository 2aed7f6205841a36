/* SPDX-License-Identifier: Apache-2.0
 *
 * A tree of values (jansson) was discarded: it takes an allocation for each,
 * and is most of the time of a dump.
 */
#include "dump/json_out.h"

#include "base/calendar.h"
#include "dump/base64.h"
#include "images/unicode.h"

#include <stdlib.h>
#include <string.h>

void json_out_release(struct json_out *out)
{
	free(out->bytes);
	*out = (struct json_out){.size = 0};
}

/* Room for `size` more bytes, which count as written; NULL: there is none. */
static char *extend(struct json_out *out, size_t size)
{
	size_t capacity = out->capacity ? out->capacity : 4096;
	char *to;

	while (capacity - out->size < size)
		capacity *= 2;
	if (capacity > out->capacity) {
		char *grown = realloc(out->bytes, capacity);

		if (!grown) {
			out->out_of_memory = true;
			return NULL;
		}
		out->bytes = grown;
		out->capacity = capacity;
	}
	to = out->bytes + out->size;
	out->size += size;
	return to;
}

void json_out_raw(struct json_out *out, const char *bytes, size_t size)
{
	char *to = extend(out, size);

	if (to && size > 0)
		memcpy(to, bytes, size);
}

/* ---- strings ---- */

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

static bool is_line_or_cursor(uint32_t character)
{
	return (character >= 0x7F && character <= 0x9F) ||
	       character == 0x2028 || character == 0x2029;
}

static void put_escape(struct json_out *out, uint32_t character)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[] = "btn\0fr"; /* U+0008 to U+000D */
	char text[6] = {'\\', 'u'};

	if (character == '"' || character == '\\') {
		text[1] = (char)character;
		json_out_raw(out, text, 2);
	} else if (character >= 8 && character <= 13 && character != 11) {
		text[1] = letters[character - 8];
		json_out_raw(out, text, 2);
	} else {
		for (unsigned i = 0; i < 4; i++)
			text[2 + i] = hex[character >> (12 - 4 * i) & 15];
		json_out_raw(out, text, 6);
	}
}

void json_out_string(struct json_out *out, struct wb_bytes utf8)
{
	const uint8_t *bytes = utf8.data;
	size_t from = 0, at = 0;

	json_out_literal(out, "\"");
	while (at < utf8.size) {
		size_t start = at;
		uint32_t character;

		if (is_plain(bytes[at])) {
			at++;
			continue;
		}
		character = unicode_next(bytes, utf8.size, &at);
		if (character >= 0x20 && character != '"' &&
		    character != '\\' && !is_line_or_cursor(character))
			continue;
		json_out_raw(out, (const char *)bytes + from, start - from);
		put_escape(out, character);
		from = at;
	}
	if (at > from)
		json_out_raw(out, (const char *)bytes + from, at - from);
	json_out_literal(out, "\"");
}

/* ---- the others ---- */

void json_out_number(struct json_out *out, int64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);
	uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (number < 0)
		digits[--at] = '-';
	json_out_raw(out, digits + at, sizeof(digits) - at);
}

void json_out_time(struct json_out *out, int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];

	time_format(time_ns, false, text);
	json_out_literal(out, "\"");
	json_out_raw(out, text, strlen(text));
	json_out_literal(out, "\"");
}

void json_out_base64(struct json_out *out, struct wb_bytes bytes)
{
	char *to;

	json_out_literal(out, "\"");
	to = extend(out, base64_size(bytes.size));
	if (to)
		base64_encode(bytes.data, bytes.size, to);
	json_out_literal(out, "\"");
}

void json_out_hex(struct json_out *out, const uint8_t *bytes, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	char *to;

	json_out_literal(out, "\"");
	to = extend(out, 2 * size);
	for (size_t at = 0; to && at < size; at++) {
		*to++ = hex[bytes[at] >> 4];
		*to++ = hex[bytes[at] & 15];
	}
	json_out_literal(out, "\"");
}
