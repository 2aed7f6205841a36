/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a filter.
 *
 * A character of meaning after an operator is a value, elsewhere a field;
 * quotes, separators and operators are the same everywhere. The first thing
 * that was wrong is remembered and told, whatever is wrong after it.
 */
#ifndef WAYBILL_IMAGES_FILTER_SCAN_H
#define WAYBILL_IMAGES_FILTER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/store.h>

enum word_kind {
	WORD_END,
	WORD_QUOTED, /* with its quotes */
	WORD_VALUE,
	WORD_FIELD,
	WORD_SEPARATOR, /* "." or "," */
	WORD_OPERATOR,	/* any run of "=", "!", "~" */
	WORD_ILLEGAL,	/* `problem` of the scanner says why */
	WORD_STRANGE,	/* a character that begins no word */
};

struct word {
	enum word_kind kind;
	size_t at; /* where errors point */
	struct wb_bytes text;
};

/* What filter_peek returns besides characters. */
#define PEEK_END     (UINT32_MAX - 1)
#define PEEK_ILLEGAL (UINT32_MAX - 2)

struct filter_scanner {
	struct wb_bytes input;
	size_t start; /* of the character read last */
	size_t end;   /* behind it */
	bool after_operator;
	const char *problem; /* the first one, or NULL */
};

struct word filter_scan(struct filter_scanner *scanner);

/* The next character, which stays unread. */
uint32_t filter_peek(struct filter_scanner *scanner);

/* What stands between the quotes of a WORD_QUOTED, its escapes resolved,
 * into `to` (as large as the word); false where an escape means nothing. */
bool filter_unquote(struct wb_bytes quoted, uint8_t *to, size_t *ret_size);

#endif
