/* SPDX-License-Identifier: Apache-2.0 */
#include "images/regexp_private.h"

#define REPEAT_MAX 1000u

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
	uint8_t first = translator_look(translator, *ahead);
	uint8_t second = translator_look(translator, *ahead + 1);

	if (first < '0' || first > '9')
		return false;
	if (first == '0' && second >= '0' && second <= '9')
		return false;
	while (translator_look(translator, *ahead) >= '0' &&
	       translator_look(translator, *ahead) <= '9') {
		number =
			number * 10 + translator_look(translator, *ahead) - '0';
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
	if (translator_look(translator, ahead) == ',') {
		ahead++;
		if (translator_look(translator, ahead) == '}')
			ret->max = NO_LIMIT;
		else if (!read_number(translator, &ahead, &ret->max))
			return false;
	}
	if (translator_look(translator, ahead) != '}')
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

	if (translator_look(translator, 0) == '?') /* lazy: the same matches */
		translator->source.at++;
	if (translator->repeated || !translator->has_atom)
		return WB_BAD_INPUT;
	if (translator->stacked)
		pattern_enclose(&translator->to, translator->start);
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

enum wb_error translate_repeat(struct translator *translator,
			       bool *ret_repeated)
{
	struct repeat repeat = {0, NO_LIMIT};
	bool braces = false;
	enum wb_error error;

	switch (translator_look(translator, 0)) {
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
		atom_literal(translator, '{');
		return WB_OK;
	} else if (!in_bounds(&repeat)) {
		return WB_BAD_INPUT;
	}
	error = add_repeat(translator, &repeat, braces);
	*ret_repeated = true;
	return error;
}
