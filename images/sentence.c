/* SPDX-License-Identifier: Apache-2.0
 *
 * printf was discarded: it has no %q, and an attribute would have to lie
 * about it. Escapes follow https://pkg.go.dev/strconv#Quote.
 */
#include "images/sentence.h"
#include "base/diag.h"
#include "images/unicode.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void add_raw(struct sentence *sentence, const char *text, size_t size)
{
	size_t room = sizeof(sentence->text) - 1 - sentence->size;

	/* Whole characters only, and nothing after the first that did not
	 * fit. */
	if (size > room) {
		sentence->size = sizeof(sentence->text) - 1;
		return;
	}
	memcpy(sentence->text + sentence->size, text, size);
	sentence->size += size;
	sentence->text[sentence->size] = 0;
}

static bool is_full(const struct sentence *sentence)
{
	return sentence->size == sizeof(sentence->text) - 1;
}

static void add_character(struct sentence *sentence, uint32_t character)
{
	char text[4];

	add_raw(sentence, text, unicode_put(character, text));
}

void sentence_add_bytes(struct sentence *sentence, struct wb_bytes bytes)
{
	for (size_t at = 0; at < bytes.size && !is_full(sentence);) {
		uint32_t character = unicode_next(bytes.data, bytes.size, &at);

		add_character(sentence, character ? character : '?');
	}
}

void sentence_add(struct sentence *sentence, const char *words)
{
	sentence_add_bytes(sentence, bytes_of(words));
}

static void add_escaped(struct sentence *sentence, uint32_t character)
{
	static const char letters[] = "abtnvfr"; /* 0x07 to 0x0D */
	char text[12];

	if (character == '"' || character == '\\')
		snprintf(text, sizeof(text), "\\%c", (char)character);
	else if (unicode_is_graphic(character) &&
		 (character == ' ' || !unicode_is_space(character)))
		text[unicode_put(character, text)] = 0;
	else if (character >= 0x07 && character <= 0x0D)
		snprintf(text, sizeof(text), "\\%c", letters[character - 7]);
	else if (character < ' ' || character == 0x7F)
		snprintf(text, sizeof(text), "\\x%02x", character);
	else if (character < 0x10000)
		snprintf(text, sizeof(text), "\\u%04x", character);
	else
		snprintf(text, sizeof(text), "\\U%08x", character);
	add_raw(sentence, text, strlen(text));
}

void sentence_quote(struct sentence *sentence, struct wb_bytes bytes)
{
	const uint8_t *data = bytes.data;

	add_raw(sentence, "\"", 1);
	for (size_t at = 0; at < bytes.size && !is_full(sentence);) {
		size_t start = at;
		uint32_t character = unicode_next(data, bytes.size, &at);
		char text[8];

		if (character != UNICODE_BAD) {
			add_escaped(sentence, character);
			continue;
		}
		snprintf(text, sizeof(text), "\\x%02x", data[start]);
		add_raw(sentence, text, strlen(text));
	}
	add_raw(sentence, "\"", 1);
}

static void format_list(struct sentence *sentence, const char *format,
			va_list arguments)
{
	char number[24];

	while (*format) {
		size_t plain = strcspn(format, "%");

		sentence_add_bytes(sentence, (struct wb_bytes){format, plain});
		format += plain;
		if (!*format)
			break;
		switch (format[1]) {
		case 's':
			sentence_add(sentence, va_arg(arguments, const char *));
			break;
		case 'q':
			sentence_quote(sentence,
				       bytes_of(va_arg(arguments,
						       const char *)));
			break;
		case 'd':
			snprintf(number, sizeof(number), "%lld",
				 va_arg(arguments, long long));
			sentence_add(sentence, number);
			break;
		default:
			assert(format[1] == '%');
			sentence_add(sentence, "%");
		}
		format += 2;
	}
}

void sentence_format(struct sentence *sentence, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	format_list(sentence, format, arguments);
	va_end(arguments);
}

enum wb_error sentence_answer(const struct sentence *sentence,
			      struct wb_text *ret_text, enum wb_error error)
{
	return text_set(ret_text, error, "%s", sentence->text);
}

enum wb_error answer(struct wb_text *ret_text, enum wb_error error,
		     const char *format, ...)
{
	struct sentence sentence = {.size = 0};
	va_list arguments;

	if (!ret_text)
		return error;
	va_start(arguments, format);
	format_list(&sentence, format, arguments);
	va_end(arguments);
	return sentence_answer(&sentence, ret_text, error);
}
