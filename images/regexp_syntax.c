/* SPDX-License-Identifier: Apache-2.0
 *
 * Source of the grammar: https://pkg.go.dev/regexp/syntax (Go 1.19).
 *
 * One pass, no tree: for each thing that is read its twin is written. What
 * PCRE2 would do with a letter that RE2 gives no meaning never comes up,
 * because all characters but letters and digits are written as numbers.
 */
#include "images/regexp_syntax.h"
#include "images/unicode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	  250u
#define REPEAT_MAX	  1000u
#define PATTERN_BYTES_MAX (256u << 10)

void pattern_add(struct pattern *pattern, const char *format, ...)
{
	va_list arguments;
	char piece[128];
	int length;

	va_start(arguments, format);
	length = vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof(piece) ||
	    pattern->size + (size_t)length > PATTERN_BYTES_MAX) {
		if (!pattern->error)
			pattern->error = WB_TOO_LARGE;
		return;
	}
	if (pattern->size + (size_t)length > pattern->room) {
		size_t room = 2 * pattern->room + sizeof(piece);
		char *bytes = realloc(pattern->bytes, room);

		if (!bytes) {
			pattern->error = WB_NO_MEMORY;
			return;
		}
		pattern->bytes = bytes;
		pattern->room = room;
	}
	memcpy(pattern->bytes + pattern->size, piece, (size_t)length);
	pattern->size += (size_t)length;
}

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

static uint8_t look(const struct translator *translator, size_t ahead)
{
	const struct source *source = &translator->source;

	return source->size - source->at > ahead
		       ? source->bytes[source->at + ahead]
		       : 0;
}

/* The atom before is complete. */
static void end_atom(struct translator *translator)
{
	struct group *group = &translator->groups[translator->depth];

	if (translator->has_atom && translator->copies > group->copies)
		group->copies = translator->copies;
	translator->has_atom = false;
	translator->repeated = false;
	translator->stacked = false;
}

/* An atom comes next. */
static void begin_atom(struct translator *translator)
{
	end_atom(translator);
	if (translator->folding != translator->flags.fold_case) {
		translator->folding = translator->flags.fold_case;
		pattern_add(&translator->to,
			    translator->folding ? "(?i)" : "(?-i)");
	}
	translator->has_atom = true;
	translator->is_group = false;
	translator->start = translator->to.size;
	translator->copies = 1;
}

static void add_literal(struct translator *translator, uint32_t character)
{
	begin_atom(translator);
	if ((character >= '0' && character <= '9') ||
	    (character >= 'A' && character <= 'Z') ||
	    (character >= 'a' && character <= 'z'))
		pattern_add(&translator->to, "%c", (char)character);
	else if (character >= 0xD800 && character <= 0xDFFF)
		pattern_add(&translator->to, "[^\\x{0}-\\x{%x}]", UNICODE_LAST);
	else
		pattern_add(&translator->to, "\\x{%x}", character);
}

/* Something without width, in a form that can be repeated. */
static void add_assertion(struct translator *translator, const char *assertion)
{
	begin_atom(translator);
	pattern_add(&translator->to, "(?%s)", assertion);
}

/* ---- groups ---- */

static enum wb_error open_group(struct translator *translator)
{
	struct group *group;

	begin_atom(translator);
	pattern_add(&translator->to, "(?:");
	if (translator->depth == DEPTH_MAX)
		return WB_TOO_LARGE;
	group = &translator->groups[++translator->depth];
	group->flags_outside = translator->flags;
	group->folding_outside = translator->folding;
	group->start = translator->start;
	group->copies = 0;
	translator->has_atom = false;
	return WB_OK;
}

static enum wb_error close_group(struct translator *translator)
{
	struct group *group = &translator->groups[translator->depth];

	if (translator->depth == 0)
		return WB_BAD_INPUT;
	end_atom(translator);
	pattern_add(&translator->to, ")");
	translator->flags = group->flags_outside;
	translator->folding = group->folding_outside;
	translator->depth--;
	translator->has_atom = true;
	translator->is_group = true;
	translator->start = group->start;
	translator->copies = group->copies;
	return WB_OK;
}

/* (?P<name>, whose "(?P<" was seen. */
static enum wb_error named_group(struct translator *translator)
{
	struct source *source = &translator->source;
	size_t start = source->at += 4;
	uint8_t c;

	while ((c = look(translator, 0)) != '>') {
		bool word = (c >= '0' && c <= '9') || c == '_' ||
			    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		if (!word)
			return WB_BAD_INPUT;
		source->at++;
	}
	if (source->at == start)
		return WB_BAD_INPUT;
	source->at++;
	return open_group(translator);
}

/* (?flags) and (?flags:, whose "(?" was seen. */
static enum wb_error flags_or_group(struct translator *translator)
{
	struct flags flags = translator->flags;
	bool set = true;
	bool saw_flag = false;

	for (translator->source.at += 2;; translator->source.at++) {
		switch (look(translator, 0)) {
		case 'i':
			flags.fold_case = set;
			saw_flag = true;
			break;
		case 'm':
			flags.multi_line = set;
			saw_flag = true;
			break;
		case 's':
			flags.dot_all = set;
			saw_flag = true;
			break;
		case 'U':
			saw_flag = true;
			break;
		case '-':
			if (!set)
				return WB_BAD_INPUT;
			set = false;
			saw_flag = false;
			break;
		case ':':
		case ')':
			if (!set && !saw_flag)
				return WB_BAD_INPUT;
			goto end;
		default:
			return WB_BAD_INPUT;
		}
	}
end:
	if (translator->source.bytes[translator->source.at++] == ':') {
		enum wb_error error = open_group(translator);

		if (error)
			return error;
	}
	translator->flags = flags;
	return WB_OK;
}

static enum wb_error parenthesis(struct translator *translator)
{
	if (look(translator, 1) != '?') {
		translator->source.at++;
		return open_group(translator);
	}
	if (look(translator, 2) == 'P' && look(translator, 3) == '<')
		return named_group(translator);
	return flags_or_group(translator);
}

/* ---- repeats ---- */

#define NO_LIMIT UINT32_MAX

struct repeat {
	uint32_t min;
	uint32_t max; /* or NO_LIMIT */
};

/* A number without leading zeros; beyond all limits it stays there. */
static bool read_number(const struct translator *translator, size_t *ahead,
			uint32_t *ret_number)
{
	uint32_t number = 0;
	uint8_t first = look(translator, *ahead);
	uint8_t second = look(translator, *ahead + 1);

	if (first < '0' || first > '9')
		return false;
	if (first == '0' && second >= '0' && second <= '9')
		return false;
	while (look(translator, *ahead) >= '0' &&
	       look(translator, *ahead) <= '9') {
		number = number * 10 + look(translator, *ahead) - '0';
		if (number > REPEAT_MAX)
			number = REPEAT_MAX + 1;
		*ahead += 1;
	}
	*ret_number = number;
	return true;
}

/* {2}, {2,} or {2,3}; a brace that begins nothing of the kind is a brace. */
static bool read_braces(struct translator *translator, struct repeat *ret)
{
	size_t ahead = 1;

	if (!read_number(translator, &ahead, &ret->min))
		return false;
	ret->max = ret->min;
	if (look(translator, ahead) == ',') {
		ahead++;
		if (look(translator, ahead) == '}')
			ret->max = NO_LIMIT;
		else if (!read_number(translator, &ahead, &ret->max))
			return false;
	}
	if (look(translator, ahead) != '}')
		return false;
	translator->source.at += ahead + 1;
	return true;
}

static bool in_bounds(const struct repeat *repeat)
{
	return repeat->min <= REPEAT_MAX &&
	       (repeat->max == NO_LIMIT ||
		(repeat->max <= REPEAT_MAX && repeat->min <= repeat->max));
}

/* Make one group of all that was written since `start`. */
static void enclose(struct pattern *pattern, size_t start)
{
	size_t size = pattern->size - start;

	pattern_add(pattern, "(?:)");
	if (pattern->error)
		return;
	memmove(pattern->bytes + start + 3, pattern->bytes + start, size);
	memcpy(pattern->bytes + start, "(?:", 3);
}

/* x+ as xx*: for x+ PCRE2's second engine counts the x, and then has as many
 * alternatives as there are. */
static void add_twin(struct translator *translator)
{
	struct pattern *to = &translator->to;
	size_t stop = to->size;

	for (size_t i = translator->start; i < stop; i++)
		pattern_add(to, "%c", to->bytes[i]);
	pattern_add(to, "*");
}

static enum wb_error add_repeat(struct translator *translator,
				const struct repeat *repeat, bool braces)
{
	unsigned times = repeat->max == NO_LIMIT ? repeat->min : repeat->max;

	if (look(translator, 0) == '?') /* lazy: the same matches */
		translator->source.at++;
	if (translator->repeated || !translator->has_atom)
		return WB_BAD_INPUT;
	if (translator->stacked)
		enclose(&translator->to, translator->start);
	if (repeat->max == NO_LIMIT && repeat->min == 1 &&
	    !translator->is_group && !translator->stacked)
		add_twin(translator);
	else if (repeat->max == NO_LIMIT)
		pattern_add(&translator->to, "{%u,}", repeat->min);
	else
		pattern_add(&translator->to, "{%u,%u}", repeat->min,
			    repeat->max);
	if (!braces)
		return WB_OK;
	if (repeat->max == 0)
		translator->copies = 0;
	else if (times > 0)
		translator->copies *= times;
	if (times >= 2 && translator->copies > REPEAT_MAX)
		return WB_BAD_INPUT;
	return WB_OK;
}

static enum wb_error repeat(struct translator *translator, bool *ret_repeated)
{
	struct repeat repeat = {0, NO_LIMIT};
	bool braces = false;
	enum wb_error error;

	switch (look(translator, 0)) {
	case '*':
		break;
	case '+':
		repeat.min = 1;
		break;
	case '?':
		repeat.max = 1;
		break;
	default:
		braces = true;
	}
	if (!braces) {
		translator->source.at++;
	} else if (!read_braces(translator, &repeat)) {
		translator->source.at++;
		add_literal(translator, '{');
		return WB_OK;
	} else if (!in_bounds(&repeat)) {
		return WB_BAD_INPUT;
	}
	error = add_repeat(translator, &repeat, braces);
	*ret_repeated = true;
	return error;
}

/* ---- the rest ---- */

/* \Q…\E; unclosed it reaches to the end. */
static void quoted(struct translator *translator)
{
	struct source *source = &translator->source;
	const uint8_t *start = source->bytes + (source->at += 2);
	const uint8_t *end = memmem(start, source->size - source->at, "\\E", 2);
	size_t stop = end ? (size_t)(end - source->bytes) : source->size;

	while (source->at < stop)
		add_literal(translator,
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
	uint8_t letter = look(translator, 1);
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
		begin_atom(translator);
		return class_escape(source, &translator->to, false, &found);
	}
	error = character_escape(source, &character);
	if (error)
		return error;
	add_literal(translator, character);
	return WB_OK;
}

static enum wb_error other(struct translator *translator)
{
	struct source *source = &translator->source;

	switch (look(translator, 0)) {
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
		begin_atom(translator);
		pattern_add(&translator->to,
			    translator->flags.dot_all ? "(?s:.)" : "[^\\x{a}]");
		return WB_OK;
	case '[':
		source->fold_case = translator->flags.fold_case;
		begin_atom(translator);
		return class_translate(source, &translator->to);
	case '\\':
		return backslash(translator);
	case '|':
		source->at++;
		end_atom(translator);
		pattern_add(&translator->to, "|");
		return WB_OK;
	default:
		add_literal(translator,
			    unicode_next(source->bytes, source->size,
					 &source->at));
		return WB_OK;
	}
}

static enum wb_error step(struct translator *translator)
{
	bool repeated = false;
	enum wb_error error;

	switch (look(translator, 0)) {
	case '(':
		error = parenthesis(translator);
		break;
	case ')':
		translator->source.at++;
		error = close_group(translator);
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		error = repeat(translator, &repeated);
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
