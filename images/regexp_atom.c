/* SPDX-License-Identifier: Apache-2.0 */
#include "images/regexp_private.h"
#include "images/unicode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void pattern_enclose(struct pattern *pattern, size_t start)
{
	size_t size = pattern->size - start;

	pattern_add(pattern, "(?:)");
	if (pattern->error)
		return;
	memmove(pattern->bytes + start + 3, pattern->bytes + start, size);
	memcpy(pattern->bytes + start, "(?:", 3);
}

/* ---- atoms ---- */

void atom_end(struct translator *translator)
{
	struct group *group = &translator->groups[translator->depth];

	if (translator->has_atom && translator->copies > group->copies)
		group->copies = translator->copies;
	translator->has_atom = false;
	translator->repeated = false;
	translator->stacked = false;
}

void atom_begin(struct translator *translator)
{
	atom_end(translator);
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

void atom_literal(struct translator *translator, uint32_t character)
{
	atom_begin(translator);
	if ((character >= '0' && character <= '9') ||
	    (character >= 'A' && character <= 'Z') ||
	    (character >= 'a' && character <= 'z'))
		pattern_add(&translator->to, "%c", (char)character);
	else if (character >= 0xD800 && character <= 0xDFFF)
		pattern_add(&translator->to, "[^\\x{0}-\\x{%x}]", UNICODE_LAST);
	else
		pattern_add(&translator->to, "\\x{%x}", character);
}
