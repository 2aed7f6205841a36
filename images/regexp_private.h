/* SPDX-License-Identifier: Apache-2.0
 *
 * The translation of regular expressions, as its files share it.
 *
 *	regexp_syntax.c   one step after the other
 *	regexp_atom.c     what is written, atom by atom
 *	regexp_group.c    ( … ) and flags
 *	regexp_repeat.c   * + ? {n,m}
 *	regexp_class.c    [ … ] and sets with a letter, such as \d
 *	regexp_escape.c   escapes that stand for one character
 *	regexp_script.c   the names of scripts
 */
#ifndef WAYBILL_IMAGES_REGEXP_PRIVATE_H
#define WAYBILL_IMAGES_REGEXP_PRIVATE_H

#include "images/regexp_syntax.h"

#include <stddef.h>
#include <stdint.h>

#define DEPTH_MAX 250u

/* A buffer that grows, up to a bound. */
struct pattern {
	char *bytes;
	size_t size;
	size_t room;
	enum wb_error error; /* the first; from then on nothing is added */
};
void pattern_add(struct pattern *pattern, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Make one group of all that was written since `start`. */
void pattern_enclose(struct pattern *pattern, size_t start);

/* What is read: the expression, and how far. */
struct source {
	const uint8_t *bytes;
	size_t size;
	size_t at;
	bool fold_case; /* (?i) is in force */
};

static inline bool source_at_end(const struct source *source)
{
	return source->at >= source->size;
}

/* The byte `ahead` of the next one; 0 where there is none. */
static inline uint8_t source_look(const struct source *source, size_t ahead)
{
	return source->size - source->at > ahead
		       ? source->bytes[source->at + ahead]
		       : 0;
}

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

/* The flags of RE2 that change what matches. (U does not.) */
struct flags {
	bool fold_case;	 /* i */
	bool multi_line; /* m */
	bool dot_all;	 /* s */
};

/* `copies` is how often the innermost thing of an atom is repeated when all
 * repeats around it are taken together. */
struct group {
	struct flags flags_outside;
	bool folding_outside;
	size_t start;	 /* of what was written for it */
	unsigned copies; /* the most of any atom so far */
};

struct translator {
	struct source source;
	struct pattern to;
	struct flags flags;
	bool folding; /* what was written last: (?i) or (?-i) */
	struct group groups[DEPTH_MAX + 1];
	size_t depth;

	bool has_atom; /* there is something that can be repeated */
	bool is_group; /* and it is in parentheses */
	bool repeated; /* it was, and nothing else was read since */
	bool stacked;  /* it was, before something that left no trace */
	size_t start;  /* of what was written for it */
	unsigned copies;
};

static inline uint8_t translator_look(const struct translator *translator,
				      size_t ahead)
{
	return source_look(&translator->source, ahead);
}

/* The atom before is complete. */
void atom_end(struct translator *translator);
/* An atom comes next. */
void atom_begin(struct translator *translator);
/* The atom is this character. */
void atom_literal(struct translator *translator, uint32_t character);

/* Read what begins with "(", or the ")" that was read; a repeat, or a brace
 * that begins none. WB_BAD_INPUT, WB_TOO_LARGE. */
enum wb_error translate_group(struct translator *translator);
enum wb_error translate_group_end(struct translator *translator);
enum wb_error translate_repeat(struct translator *translator,
			       bool *ret_repeated);

#endif
