/* SPDX-License-Identifier: Apache-2.0 */
#include "images/filter_scan.h"
#include "images/unicode.h"

#include <assert.h>
#include <string.h>

static void remember(struct filter_scanner *scanner, const char *problem)
{
	if (!scanner->problem)
		scanner->problem = problem;
}

static uint32_t next(struct filter_scanner *scanner)
{
	uint32_t character;

	if (scanner->start >= scanner->input.size)
		return PEEK_END;
	scanner->start = scanner->end;
	if (scanner->end >= scanner->input.size)
		return PEEK_END;
	character = unicode_next(scanner->input.data, scanner->input.size,
				 &scanner->end);
	/* The replacement character stands for a fault also where it was
	 * written as itself. */
	if (character == UNICODE_BAD || character == UNICODE_REPLACEMENT) {
		remember(scanner, "rune error");
		return PEEK_ILLEGAL;
	}
	if (character == 0) {
		remember(scanner, "unexpected null");
		return PEEK_ILLEGAL;
	}
	return character;
}

uint32_t filter_peek(struct filter_scanner *scanner)
{
	size_t start = scanner->start;
	size_t end = scanner->end;
	uint32_t character = next(scanner);

	scanner->start = start;
	scanner->end = end;
	return character;
}

static bool is_digit(uint32_t character)
{
	return character >= '0' && character <= '9';
}

static bool is_field_character(uint32_t character)
{
	return (character >= 'A' && character <= 'Z') ||
	       (character >= 'a' && character <= 'z') || is_digit(character) ||
	       character == '_';
}

static bool is_operator_character(uint32_t character)
{
	return character == '=' || character == '!' || character == '~';
}

static bool is_value_character(uint32_t character)
{
	return character <= UNICODE_LAST && character != ',' &&
	       unicode_is_graphic(character) && !unicode_is_space(character);
}

static void skip_while(struct filter_scanner *scanner,
		       bool (*wanted)(uint32_t character))
{
	while (wanted(filter_peek(scanner)))
		next(scanner);
}

/* ---- quotes ---- */

static unsigned digit_value(uint32_t character)
{
	if (is_digit(character))
		return (unsigned)(character - '0');
	if (character >= 'a' && character <= 'f')
		return (unsigned)(character - 'a' + 10);
	if (character >= 'A' && character <= 'F')
		return (unsigned)(character - 'A' + 10);
	return 16;
}

/* Escapes by number: their base, and how many digits they must have. */
static bool numeric_escape(uint32_t letter, unsigned *ret_base,
			   unsigned *ret_digits)
{
	switch (letter) {
	case 'x':
		*ret_digits = 2;
		break;
	case 'u':
		*ret_digits = 4;
		break;
	case 'U':
		*ret_digits = 8;
		break;
	default:
		if (letter < '0' || letter > '7')
			return false;
		*ret_base = 8;
		*ret_digits = 3; /* the letter is the first */
		return true;
	}
	*ret_base = 16;
	return true;
}

/* The character behind an escape whose backslash was read last. */
static uint32_t scan_escape(struct filter_scanner *scanner, uint32_t quote,
			    bool *legal)
{
	uint32_t character = next(scanner);
	unsigned base;
	unsigned digits;

	if (numeric_escape(character, &base, &digits)) {
		if (base == 16)
			character = next(scanner);
		while (digits > 0 && digit_value(character) < base) {
			character = next(scanner);
			digits--;
		}
		if (digits > 0) {
			remember(scanner, "illegal numeric escape sequence");
			*legal = false;
		}
		return character;
	}
	if (character == quote || character == '\\' ||
	    (character < 0x80 && character > 0 &&
	     strchr("abfnrtv", (int)character)))
		return next(scanner);
	remember(scanner, "illegal escape sequence");
	*legal = false;
	return character;
}

static bool scan_quoted(struct filter_scanner *scanner, uint32_t quote)
{
	bool legal = true;
	uint32_t character = next(scanner);

	while (character != quote) {
		if (character == '\n' || character > UNICODE_LAST) {
			remember(scanner, "quoted literal not terminated");
			return false;
		}
		if (character == '\\')
			character = scan_escape(scanner, quote, &legal);
		else
			character = next(scanner);
	}
	return legal;
}

/* ---- words ---- */

static struct word word_from(const struct filter_scanner *scanner,
			     enum word_kind kind, size_t at)
{
	const uint8_t *input = scanner->input.data;

	return (struct word){kind, at, {input + at, scanner->end - at}};
}

struct word filter_scan(struct filter_scanner *scanner)
{
	uint32_t character = next(scanner);
	size_t at;

	while (unicode_is_space(character))
		character = next(scanner);
	at = scanner->start;
	if (character == PEEK_END)
		return (struct word){WORD_END, at, {NULL, 0}};
	if (character == PEEK_ILLEGAL)
		return (struct word){WORD_ILLEGAL, at, {NULL, 0}};
	switch (character) {
	case '"':
	case '/':
	case '|':
		if (!scan_quoted(scanner, character))
			return word_from(scanner, WORD_ILLEGAL, at);
		return word_from(scanner, WORD_QUOTED, at);
	case '.':
	case ',':
		scanner->after_operator = false;
		return word_from(scanner, WORD_SEPARATOR, at);
	default:
		break;
	}
	if (is_operator_character(character)) {
		skip_while(scanner, is_operator_character);
		scanner->after_operator = true;
		return word_from(scanner, WORD_OPERATOR, at);
	}
	if (scanner->after_operator) {
		skip_while(scanner, is_value_character);
		scanner->after_operator = false;
		return word_from(scanner, WORD_VALUE, at);
	}
	if (is_field_character(character)) {
		skip_while(scanner, is_field_character);
		return word_from(scanner, WORD_FIELD, at);
	}
	return (struct word){WORD_STRANGE, at, {NULL, 0}};
}

/* ---- unquoting ---- */

/* One escape, whose backslash is at `*at`, that the scanner let pass. */
static bool unescape(const uint8_t *text, size_t *at, uint8_t *to,
		     size_t *to_size)
{
	static const char letters[] = "abtnvfr"; /* 0x07 to 0x0D */
	uint8_t letter = text[*at + 1];
	const char *simple = strchr(letters, letter);
	unsigned base;
	unsigned digits;
	uint32_t value = 0;

	*at += 2;
	if (!numeric_escape(letter, &base, &digits)) {
		to[(*to_size)++] =
			simple ? (uint8_t)(simple - letters + 7) : letter;
		return true;
	}
	if (base == 8)
		*at -= 1;
	for (; digits > 0; digits--)
		value = value * base + digit_value(text[(*at)++]);
#ifdef WAYBILL_PLANT_FILTER
	if (base == 8 && value < 64)
		memset(to + *to_size, 'U', 4096); /* planted: beyond the end */
#endif
	/* containerd reads a signed number here and keeps its last byte. */
	if (value > INT32_MAX) {
		to[(*to_size)++] = (uint8_t)value;
		return true;
	}
	if (letter == 'u' || letter == 'U') {
		if (value > UNICODE_LAST)
			return false;
		*to_size += unicode_put(value, (char *)to + *to_size);
		return true;
	}
	if (value > 0xFF)
		return false;
	to[(*to_size)++] = (uint8_t)value;
	return true;
}

bool filter_unquote(struct wb_bytes quoted, uint8_t *to, size_t *ret_size)
{
	const uint8_t *text = quoted.data;
	size_t size = 0;

	assert(quoted.size >= 2);
	for (size_t at = 1; at < quoted.size - 1;) {
		if (text[at] != '\\')
			to[size++] = text[at++];
		else if (!unescape(text, &at, to, &size))
			return false;
	}
	*ret_size = size;
	return true;
}
