/* SPDX-License-Identifier: Apache-2.0
 *
 * A library (jansson) was discarded: it makes a tree of everything that it is
 * given, which takes most of the time of a load, and every program that links
 * libwaybill would link it too. The fuzzer holds the two together: both accept
 * the same texts and make the same strings of them.
 */
#include "dump/json_in.h"

#include "images/unicode.h"

#include <string.h>

static void fail(struct json_in *in, size_t at, const char *problem)
{
	if (in->problem)
		return;
	in->problem = problem;
	in->at = at;
}

/* The byte that is next; -1: a problem, or the end. */
static int peek(const struct json_in *in)
{
	return in->problem || in->at >= in->size
		       ? -1
		       : (unsigned char)in->text[in->at];
}

static void skip_space(struct json_in *in)
{
	int c;

	while ((c = peek(in)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		in->at++;
}

static bool take(struct json_in *in, char wanted)
{
	if (peek(in) != wanted)
		return false;
	in->at++;
	return true;
}

/* ---- objects ---- */

void json_in_object(struct json_in *in)
{
	skip_space(in);
	if (!take(in, '{'))
		fail(in, in->at, "an object is expected");
	in->fresh = true;
}

bool json_in_key(struct json_in *in, struct wb_bytes *ret_key)
{
	bool fresh = in->fresh;
	struct wb_bytes key;

	skip_space(in);
	in->fresh = false;
	if (take(in, '}'))
		return false;
	if (!fresh && !take(in, ','))
		fail(in, in->at, "a comma or } is expected");
	skip_space(in);
	if (peek(in) != '"')
		fail(in, in->at, "a key is expected");
	key = json_in_string(in);
	skip_space(in);
	if (!take(in, ':'))
		fail(in, in->at, "a colon is expected");
	if (in->problem)
		return false;
	*ret_key = key;
	return true;
}

void json_in_end(struct json_in *in)
{
	skip_space(in);
	if (!in->problem && in->at < in->size)
		fail(in, in->at, "something follows the object");
}

/* ---- strings ---- */

static bool read_hex(struct json_in *in, uint32_t *ret_unit)
{
	uint32_t unit = 0;

	for (unsigned i = 0; i < 4; i++, in->at++) {
		int c = peek(in);

		if (c >= '0' && c <= '9')
			unit = unit << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			unit = unit << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			unit = unit << 4 | (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*ret_unit = unit;
	return true;
}

/* Behind \u: one unit of UTF-16, or the two of a pair. */
static bool read_units(struct json_in *in, uint32_t *ret_character)
{
	uint32_t high, low;

	if (!read_hex(in, &high))
		return false;
	*ret_character = high;
	if (high < 0xD800 || high > 0xDFFF)
		return true;
	if (high > 0xDBFF || !take(in, '\\') || !take(in, 'u') ||
	    !read_hex(in, &low) || low < 0xDC00 || low > 0xDFFF)
		return false;
	*ret_character = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/* Behind a backslash. Writes what it means, which is never longer than the
 * escape, to `to`, and returns where that ends. */
static char *read_escape(struct json_in *in, char *to)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	int c = peek(in);
	const char *letter = c > 0 ? strchr(letters, c) : NULL;
	size_t at = in->at - 1;
	uint32_t character;

	if (letter) {
		in->at++;
		*to++ = meanings[letter - letters];
	} else if (take(in, 'u') && read_units(in, &character)) {
		to += unicode_put(character, to);
	} else {
		fail(in, at, "not an escape");
	}
	return to;
}

/* The bytes from here on that stand for themselves; mostly all of them. */
static size_t plain_run(const struct json_in *in)
{
	size_t end = in->at;

	while (end < in->size) {
		unsigned char c = (unsigned char)in->text[end];

		if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
			break;
		end++;
	}
	return end - in->at;
}

/* Move `size` bytes to where the string is up to. */
static char *take_bytes(struct json_in *in, char *to, size_t size)
{
	char *from = in->text + in->at;

	if (to != from)
		memmove(to, from, size);
	in->at += size;
	return to + size;
}

static char *take_character(struct json_in *in, char *to)
{
	size_t end = in->at;

	if (unicode_next(in->text, in->size, &end) == UNICODE_BAD) {
		fail(in, in->at, "not UTF-8");
		return to;
	}
	return take_bytes(in, to, end - in->at);
}

struct wb_bytes json_in_string(struct json_in *in)
{
	char *start, *to;

	skip_space(in);
	if (!take(in, '"'))
		fail(in, in->at, "a string is expected");
	if (in->problem)
		return (struct wb_bytes){"", 0};
	start = to = in->text + in->at;
	while (!in->problem && !take(in, '"')) {
		int c = peek(in);

		if (c < 0x20)
			fail(in, in->at,
			     c < 0 ? "a string without end"
				   : "a bare control character");
		else if (c >= 0x80)
			to = take_character(in, to);
		else if (take(in, '\\'))
			to = read_escape(in, to);
		else
			to = take_bytes(in, to, plain_run(in));
	}
	if (in->problem)
		return (struct wb_bytes){"", 0};
	*to = 0; /* over the quote, or before it */
#ifdef WAYBILL_PLANT_LOAD
	/* A planted fault for the fuzzer: one byte too many. */
	if (to - start > 3 && to[-1] == '}')
		in->text[in->size] = 0;
#endif
	return (struct wb_bytes){start, (size_t)(to - start)};
}

/* ---- numbers ---- */

static bool next_is_digit(const struct json_in *in)
{
	int c = peek(in);

	return c >= '0' && c <= '9';
}

int64_t json_in_number(struct json_in *in)
{
	bool negative, overflow = false;
	int64_t number = 0;
	size_t start;

	skip_space(in);
	start = in->at;
	negative = take(in, '-');
	if (!next_is_digit(in))
		fail(in, start, "a whole number is expected");
	if (take(in, '0') && next_is_digit(in))
		fail(in, start, "a number that begins with 0");
	while (next_is_digit(in)) {
		int digit = in->text[in->at++] - '0';

		/* Downwards: there is one more below zero than above. */
		overflow |= __builtin_mul_overflow(number, 10, &number) ||
			    __builtin_sub_overflow(number, digit, &number);
	}
	if (peek(in) == '.' || peek(in) == 'e' || peek(in) == 'E')
		fail(in, start, "a whole number is expected");
	if (overflow || (!negative && number == INT64_MIN))
		fail(in, start, "a number beyond 64 bits");
	if (in->problem)
		return 0;
	return negative ? number : -number;
}
