/* SPDX-License-Identifier: Apache-2.0 */
#include "images/regexp_private.h"

static enum wb_error open_group(struct translator *translator)
{
	struct group *group;

	atom_begin(translator);
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

enum wb_error translate_group_end(struct translator *translator)
{
	struct group *group = &translator->groups[translator->depth];

	if (translator->depth == 0)
		return WB_BAD_INPUT;
	atom_end(translator);
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

	while ((c = translator_look(translator, 0)) != '>') {
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
		switch (translator_look(translator, 0)) {
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

enum wb_error translate_group(struct translator *translator)
{
	if (translator_look(translator, 1) != '?') {
		translator->source.at++;
		return open_group(translator);
	}
	if (translator_look(translator, 2) == 'P' &&
	    translator_look(translator, 3) == '<')
		return named_group(translator);
	return flags_or_group(translator);
}
