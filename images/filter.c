/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing and matching of filters. A parsed filter is one allocation (but
 * for its regular expressions): counting separators bounds how many fields
 * and selectors it can have, and no unquoted text is longer than it was in
 * quotes.
 */
#include "images/filter.h"
#include "images/filter_scan.h"
#include "images/regexp.h"
#include "images/unicode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum filter_operator { PRESENT, EQUAL, NOT_EQUAL, MATCHES };

struct selector {
	const struct wb_bytes *path;
	size_t path_count;
	enum filter_operator operator;
	struct wb_bytes value;
	struct regexp *regexp; /* of MATCHES */
};

struct filter {
	struct selector *selectors;
	size_t selector_count; /* 0: matches everything */
	struct wb_bytes *fields;
	size_t field_count;
	uint8_t *text;
	size_t text_size;
};

struct parser {
	struct filter_scanner scanner;
	struct filter *filter;
	struct sentence *error_text;
};

static enum wb_error parse_error(struct parser *parser, size_t at,
				 const char *problem)
{
	struct wb_bytes input = parser->scanner.input;
	struct sentence *text = parser->error_text;
	const uint8_t *bytes = input.data;

	sentence_add(text, "filters: parse error: [");
	if (at < input.size) {
		sentence_add_bytes(text, (struct wb_bytes){bytes, at});
		sentence_add(text, " >|");
		sentence_add_bytes(text, (struct wb_bytes){bytes + at, 1});
		sentence_add(text, "|< ");
		sentence_add_bytes(text,
				   (struct wb_bytes){bytes + at + 1,
						     input.size - at - 1});
	} else {
		sentence_add_bytes(text, input);
	}
	sentence_add(text, "]: ");
	sentence_add(text, problem);
	return WB_BAD_INPUT;
}

/* Keep the text of a word that is in quotes or not. */
static enum wb_error keep(struct parser *parser, const struct word *word,
			  bool other_quotes, struct wb_bytes *ret_text)
{
	struct filter *filter = parser->filter;
	uint8_t *to = filter->text + filter->text_size;
	size_t size = word->text.size;

	if (word->kind != WORD_QUOTED) {
		memcpy(to, word->text.data, size);
	} else if (!other_quotes && *(const char *)word->text.data != '"') {
		return parse_error(parser, word->at,
				   "invalid quote encountered");
	} else if (!filter_unquote(word->text, to, &size)) {
		return parse_error(parser, word->at,
				   "unquoting failed: quote syntax error");
	}
	filter->text_size += size;
	*ret_text = (struct wb_bytes){to, size};
	return WB_OK;
}

static enum wb_error parse_field(struct parser *parser)
{
	struct word word = filter_scan(&parser->scanner);
	struct filter *filter = parser->filter;
	enum wb_error error;

	if (word.kind == WORD_ILLEGAL)
		return parse_error(parser, word.at, parser->scanner.problem);
	if (word.kind != WORD_FIELD && word.kind != WORD_QUOTED)
		return parse_error(parser, word.at, "expected field or quoted");
	error = keep(parser, &word, false,
		     &filter->fields[filter->field_count]);
	if (!error)
		filter->field_count++;
	return error;
}

static enum wb_error parse_path(struct parser *parser,
				struct selector *selector)
{
	struct filter *filter = parser->filter;
	size_t first = filter->field_count;
	enum wb_error error = parse_field(parser);

	while (!error && filter_peek(&parser->scanner) == '.') {
		filter_scan(&parser->scanner);
		error = parse_field(parser);
	}
	selector->path = filter->fields + first;
	selector->path_count = filter->field_count - first;
	return error;
}

static enum wb_error parse_operator(struct parser *parser,
				    enum filter_operator *ret_operator)
{
	static const char *const operators[] = {
		[EQUAL] = "==", [NOT_EQUAL] = "!=", [MATCHES] = "~="};
	struct word word = filter_scan(&parser->scanner);
	struct sentence problem = {.size = 0};

	if (word.kind == WORD_ILLEGAL)
		return parse_error(parser, word.at, parser->scanner.problem);
	if (word.kind != WORD_OPERATOR)
		return parse_error(parser, word.at,
				   "expected an operator "
				   "(\"==\"|\"!=\"|\"~=\")");
	for (enum filter_operator i = EQUAL; i <= MATCHES; i++) {
		if (word.text.size == 2 &&
		    !memcmp(word.text.data, operators[i], 2)) {
			*ret_operator = i;
			return WB_OK;
		}
	}
	sentence_add(&problem, "unsupported operator ");
	sentence_quote(&problem, word.text);
	return parse_error(parser, word.at, problem.text);
}

static enum wb_error parse_value(struct parser *parser,
				 struct selector *selector)
{
	struct word word = filter_scan(&parser->scanner);

	if (word.kind == WORD_ILLEGAL)
		return parse_error(parser, word.at, parser->scanner.problem);
	if (word.kind != WORD_VALUE && word.kind != WORD_FIELD &&
	    word.kind != WORD_QUOTED)
		return parse_error(parser, word.at, "expected value or quoted");
	return keep(parser, &word, selector->operator== MATCHES,
		    &selector->value);
}

static enum wb_error parse_selector(struct parser *parser)
{
	struct filter *filter = parser->filter;
	struct selector *selector = &filter->selectors[filter->selector_count];
	enum wb_error error = parse_path(parser, selector);
	uint32_t follows;

	if (error)
		return error;
	filter->selector_count++;
	selector->operator= PRESENT;
	follows = filter_peek(&parser->scanner);
	if (follows == ',' || follows == PEEK_END)
		return WB_OK;
	error = parse_operator(parser, &selector->operator);
	if (!error)
		error = parse_value(parser, selector);
	return error;
}

static enum wb_error parse_selectors(struct parser *parser)
{
	struct sentence problem = {.size = 0};
	enum wb_error error = parse_selector(parser);
	uint32_t follows = PEEK_END;
	char character[4];

	while (!error) {
		follows = filter_peek(&parser->scanner);
		if (follows != ',')
			break;
		filter_scan(&parser->scanner);
		error = parse_selector(parser);
	}
	if (error || follows == PEEK_END)
		return error;
	sentence_add(&problem, "unexpected input: ");
	sentence_add_bytes(&problem,
			   (struct wb_bytes){character,
					     unicode_put(follows, character)});
	return parse_error(parser, parser->scanner.end, problem.text);
}

static enum wb_error compile(struct filter *filter)
{
	for (size_t i = 0; i < filter->selector_count; i++) {
		struct selector *selector = &filter->selectors[i];
		enum wb_error error = WB_OK;

		if (selector->operator== MATCHES)
			error = regexp_compile(selector->value,
					       &selector->regexp);
		if (error)
			return error;
	}
	return WB_OK;
}

static size_t count_bytes(struct wb_bytes bytes, char wanted)
{
	const char *text = bytes.data;
	size_t count = 0;

	for (size_t i = 0; i < bytes.size; i++)
		count += text[i] == wanted;
	return count;
}

static struct filter *filter_new(struct wb_bytes expression)
{
	size_t selectors = count_bytes(expression, ',') + 1;
	size_t fields = count_bytes(expression, '.') + selectors;
	size_t bytes = sizeof(struct filter) +
		       selectors * sizeof(struct selector) +
		       fields * sizeof(struct wb_bytes) + expression.size;
	struct filter *filter = calloc(1, bytes);

	if (!filter)
		return NULL;
	filter->selectors = (struct selector *)(filter + 1);
	filter->fields = (struct wb_bytes *)(filter->selectors + selectors);
	filter->text = (uint8_t *)(filter->fields + fields);
	return filter;
}

enum wb_error filter_parse(struct wb_bytes expression,
			   struct filter **ret_filter,
			   struct sentence *error_text)
{
	struct filter *filter = filter_new(expression);
	struct parser parser = {.scanner.input = expression,
				.filter = filter,
				.error_text = error_text};
	enum wb_error error = WB_OK;

	if (!filter)
		return WB_NO_MEMORY;
	if (expression.size > 0)
		error = parse_selectors(&parser);
	if (!error)
		error = compile(filter);
	if (error) {
		filter_free(filter);
		return error;
	}
	*ret_filter = filter;
	return WB_OK;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->selector_count; i++)
		regexp_free(filter->selectors[i].regexp);
	free(filter);
}

/* ---- matching ---- */

static bool equal(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static enum wb_error selector_match(struct selector *selector,
				    filter_field_fn *field, const void *object,
				    bool *ret_matches)
{
	struct wb_bytes value = {"", 0};
	bool present =
		field(object, selector->path, selector->path_count, &value);

	switch (selector->operator) {
	case PRESENT:
		*ret_matches = present;
		return WB_OK;
	case EQUAL:
		*ret_matches = present && equal(value, selector->value);
		return WB_OK;
	case NOT_EQUAL:
		*ret_matches = !equal(value, selector->value);
		return WB_OK;
	case MATCHES:
		break;
	}
	return regexp_match(selector->regexp, value, ret_matches);
}

enum wb_error filter_match(struct filter *filter, filter_field_fn *field,
			   const void *object, bool *ret_matches)
{
	bool matches = true;

	for (size_t i = 0; i < filter->selector_count && matches; i++) {
		enum wb_error error = selector_match(&filter->selectors[i],
						     field, object, &matches);

		if (error)
			return error;
	}
	*ret_matches = matches;
	return WB_OK;
}

bool filter_requires(const struct filter *filter, const char *name,
		     struct wb_bytes *ret_value)
{
	for (size_t i = 0; i < filter->selector_count; i++) {
		const struct selector *selector = &filter->selectors[i];

		if (selector->operator== EQUAL && selector->path_count == 1 &&
		    equal(selector->path[0], bytes_of(name))) {
			*ret_value = selector->value;
			return true;
		}
	}
	return false;
}
