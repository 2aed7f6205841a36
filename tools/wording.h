/* SPDX-License-Identifier: Apache-2.0
 *
 * Sentences for people, and what may stand in them.
 */
#ifndef WAYBILL_TOOLS_WORDING_H
#define WAYBILL_TOOLS_WORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

/* Fills `ret_text` (NULL is allowed) and returns `error`, so that
 * `return fail(text, WB_BAD_INPUT, "…")` is one line. What does not fit is
 * cut between two characters. */
__attribute__((format(printf, 3, 4))) enum wb_error fail(
	struct wb_text *ret_text, enum wb_error error, const char *format, ...);

/* Puts `where` and ": " before the sentence in `text`. Returns `error`. */
enum wb_error fail_where(struct wb_text *text, enum wb_error error,
			 const char *where);

/* Maps an errno to an error, with `what: strerror`. */
enum wb_error fail_errno(struct wb_text *ret_text, int error_number,
			 const char *what);

/* The bytes of the UTF-8 character at `text` (RFC 3629: no surrogates, no
 * long forms, at most U+10FFFF), or 0 where it is none or the end. */
size_t utf8_character(const char *text, uint32_t *ret_code_point);
bool utf8_valid(const char *text);

/* The digits of a decimal number, nothing before or after. */
bool parse_decimal(const char *text, uint64_t *ret_number);

#endif
