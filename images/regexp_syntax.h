/* SPDX-License-Identifier: Apache-2.0
 *
 * From RE2's syntax to PCRE2's.
 */
#ifndef WAYBILL_IMAGES_REGEXP_SYNTAX_H
#define WAYBILL_IMAGES_REGEXP_SYNTAX_H

#include <stdbool.h>
#include <waybill/store.h>

/* Options that the result must be compiled with: UTF, ALT_CIRCUMFLEX,
 * newline LF.
 *
 * WB_BAD_INPUT: not an expression of RE2. WB_TOO_LARGE: nests deeper than
 * 250, or becomes longer than 256 KiB. WB_NO_MEMORY. The caller frees
 * `ret_pattern->data`. */
enum wb_error regexp_translate(struct wb_bytes expression,
			       struct wb_bytes *ret_pattern);

/* A buffer that grows, up to a bound. */
struct pattern {
	char *bytes;
	size_t size;
	size_t room;
	enum wb_error error; /* the first; from then on nothing is added */
};
void pattern_add(struct pattern *pattern, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is read: the expression, and how far. */
struct source {
	const uint8_t *bytes;
	size_t size;
	size_t at;
	bool fold_case; /* (?i) is in force */
};

/* Read a bracket expression, whose "[" is next, and write it. The same for
 * one of \d \D \s \S \w \W \p \P, outside of brackets or inside; false where
 * none of these is next. WB_BAD_INPUT. */
enum wb_error class_translate(struct source *source, struct pattern *to);
enum wb_error class_escape(struct source *source, struct pattern *to,
			   bool inside, bool *ret_found);

/* Is this the name of a script ("Greek")? */
bool is_script(struct wb_bytes name);

/* Read an escape that stands for one character. WB_BAD_INPUT. */
enum wb_error character_escape(struct source *source, uint32_t *ret_character);

#endif
