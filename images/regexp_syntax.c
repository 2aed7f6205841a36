/* SPDX-License-Identifier: Apache-2.0
 *
 * Source of the grammar: https://pkg.go.dev/regexp/syntax (Go 1.19).
 *
 * One pass, no tree: for each thing that is read its twin is written. What
 * PCRE2 would do with a letter that RE2 gives no meaning never comes up,
 * because all characters but letters and digits are written as numbers.
 */
#include "images/regexp_private.h"
#include "images/unicode.h"

#include <stdlib.h>
#include <string.h>

/* Something without width, in a form that can be repeated. */
static void add_assertion(struct translator *translator, const char *assertion)
{
	atom_begin(translator);
	pattern_add(&translator->to, "(?%s)", assertion);
}

/* \Q…\E; unclosed it reaches to the end. */
static void quoted(struct translator *translator)
{
	struct source *source = &translator->source;
	const uint8_t *start = source->bytes + (source->at += 2);
	const uint8_t *end = memmem(start, source->size - source->at, "\\E", 2);
	size_t stop = end ? (size_t)(end - source->bytes) : source->size;

	while (source->at < stop)
		atom_literal(translator,
			     unicode_next(source->bytes, stop, &source->at));
	if (end)
		source->at += 2;
}

static enum wb_error backslash(struct translator *translator)
{
	static const struct {
		char letter;
		const char *assertion;
	} assertions[] = {{'A', ":\\A"},
			  {'b', ":\\b"},
			  {'B', ":\\B"},
			  {'z', ":\\z"}};
	struct source *source = &translator->source;
	uint8_t letter = translator_look(translator, 1);
	uint32_t character;
	bool found;
	enum wb_error error;

	for (size_t i = 0; i < sizeof(assertions) / sizeof(*assertions); i++) {
		if (letter == assertions[i].letter) {
			source->at += 2;
			add_assertion(translator, assertions[i].assertion);
			return WB_OK;
		}
	}
	if (letter == 'Q') {
		quoted(translator);
		return WB_OK;
	}
	if (letter && strchr("dDsSwWpP", letter)) {
		source->fold_case = translator->flags.fold_case;
		atom_begin(translator);
		return class_escape(source, &translator->to, false, &found);
	}
	error = character_escape(source, &character);
	if (error)
		return error;
	atom_literal(translator, character);
	return WB_OK;
}

static enum wb_error other(struct translator *translator)
{
	struct source *source = &translator->source;

	switch (translator_look(translator, 0)) {
	case '^':
		source->at++;
		add_assertion(translator,
			      translator->flags.multi_line ? "m:^" : ":\\A");
		return WB_OK;
	case '$':
		source->at++;
		add_assertion(translator,
			      translator->flags.multi_line ? "m:$" : ":\\z");
		return WB_OK;
	case '.':
		source->at++;
		atom_begin(translator);
		pattern_add(&translator->to,
			    translator->flags.dot_all ? "(?s:.)" : "[^\\x{a}]");
		return WB_OK;
	case '[':
		source->fold_case = translator->flags.fold_case;
		atom_begin(translator);
		return class_translate(source, &translator->to);
	case '\\':
		return backslash(translator);
	case '|':
		source->at++;
		atom_end(translator);
		pattern_add(&translator->to, "|");
		return WB_OK;
	default:
		atom_literal(translator,
			     unicode_next(source->bytes, source->size,
					  &source->at));
		return WB_OK;
	}
}

static enum wb_error step(struct translator *translator)
{
	bool repeated = false;
	enum wb_error error;

	switch (translator_look(translator, 0)) {
	case '(':
		error = translate_group(translator);
		break;
	case ')':
		translator->source.at++;
		error = translate_group_end(translator);
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		error = translate_repeat(translator, &repeated);
		break;
	default:
		error = other(translator);
	}
	/* Flags alone, and \Q\E, make no atom: RE2 then repeats once more what
	 * is repeated already. */
	if (translator->repeated && !repeated)
		translator->stacked = true;
	translator->repeated = repeated;
	return error;
}

enum wb_error regexp_translate(struct wb_bytes expression,
			       struct wb_bytes *ret_pattern)
{
	struct translator *translator;
	enum wb_error error = WB_OK;

	if (!unicode_valid(expression.data, expression.size))
		return WB_BAD_INPUT;
	translator = calloc(1, sizeof(*translator));
	if (!translator)
		return WB_NO_MEMORY;
	translator->source.bytes = expression.data;
	translator->source.size = expression.size;
	pattern_add(&translator->to, "(?:");
	while (!error && translator->source.at < expression.size)
		error = step(translator);
	if (!error && translator->depth > 0)
		error = WB_BAD_INPUT;
	pattern_add(&translator->to, ")");
	if (!error)
		error = translator->to.error;
	if (error)
		free(translator->to.bytes);
	else
		*ret_pattern = (struct wb_bytes){translator->to.bytes,
						 translator->to.size};
	free(translator);
	return error;
}
