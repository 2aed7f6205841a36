/* SPDX-License-Identifier: Apache-2.0
 *
 * Character classes. All named sets of ASCII are written as
 * ranges: then PCRE2 folds their case as RE2 does, and the negative ones can
 * stand inside of brackets.
 */
#include "images/regexp_private.h"
#include "images/unicode.h"

#include <string.h>

#define KELVIN_SIGN 0x212A /* folds to "k" */
#define LONG_S	    0x17F  /* folds to "s" */

static void add_range(struct pattern *to, uint32_t first, uint32_t last)
{
	/* Surrogates occur in no text, and PCRE2 wants none as an end. */
	if (first >= 0xD800 && first <= 0xDFFF)
		first = 0xE000;
	if (last >= 0xD800 && last <= 0xDFFF)
		last = 0xD7FF;
	if (first == last)
		pattern_add(to, "\\x{%x}", first);
	else if (first < last)
		pattern_add(to, "\\x{%x}-\\x{%x}", first, last);
}

/* ---- sets of ASCII ---- */

struct ascii_set {
	const char *name; /* "d" for \d, "digit" for [:digit:] */
	const char *ranges;
};

static const struct ascii_set perl_sets[] = {
	{"d", "09"},
	{"s", "\t\n\f\r  "},
	{"w", "09AZ__az"},
};

static const struct ascii_set posix_sets[] = {
	{"alnum", "09AZaz"},
	{"alpha", "AZaz"},
	{"ascii", "\001\177"},
	{"blank", "\t\t  "},
	{"cntrl", "\001\037\177\177"},
	{"digit", "09"},
	{"graph", "!~"},
	{"lower", "az"},
	{"print", " ~"},
	{"punct", "!/:@[`{~"},
	{"space", "\t\r  "},
	{"upper", "AZ"},
	{"word", "09AZ__az"},
	{"xdigit", "09AFaf"},
};

/* A string cannot say that zero is in a set; of those above it is in the two
 * that begin with 1. */
static bool set_has(const struct ascii_set *set, uint32_t character)
{
	const char *range = set->ranges;

	if (character == 0)
		return *range == 1;
	for (; *range; range += 2)
		if (character >= (uint8_t)range[0] &&
		    character <= (uint8_t)range[1])
			return true;
	return false;
}

static uint32_t other_case(uint32_t character)
{
	bool letter = (character >= 'A' && character <= 'Z') ||
		      (character >= 'a' && character <= 'z');

	return letter ? character ^ 0x20 : character;
}

static bool folded_set_has(const struct ascii_set *set, uint32_t character,
			   bool fold_case)
{
	if (character == LONG_S)
		return fold_case && folded_set_has(set, 's', true);
	if (character == KELVIN_SIGN)
		return fold_case && folded_set_has(set, 'k', true);
	if (character > 0x7F)
		return false;
	return set_has(set, character) ||
	       (fold_case && set_has(set, other_case(character)));
}

/* Ranges without brackets. */
static void add_set(struct pattern *to, const struct ascii_set *set,
		    bool negative, bool fold_case)
{
	/* Where membership may change. Beyond ASCII only the two change. */
	static const uint32_t beyond[] = {
		0x80,	     LONG_S,	      LONG_S + 1,
		KELVIN_SIGN, KELVIN_SIGN + 1, UNICODE_LAST + 1};
	size_t edges = 0x80 + sizeof(beyond) / sizeof(*beyond);
	uint32_t start = 0;
	bool inside = false;

	for (size_t i = 0; i < edges; i++) {
		uint32_t character = i < 0x80 ? (uint32_t)i : beyond[i - 0x80];
		bool has =
			character <= UNICODE_LAST &&
			folded_set_has(set, character, fold_case) != negative;

		if (has && !inside)
			start = character;
		if (!has && inside)
			add_range(to, start, character - 1);
		inside = has;
	}
}

static const struct ascii_set *find_set(const struct ascii_set *sets,
					size_t count, const uint8_t *name,
					size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(sets[i].name) == size &&
		    !memcmp(sets[i].name, name, size))
			return &sets[i];
	return NULL;
}

/* [:name:] or [:^name:], if that is what is next. */
static enum wb_error named_class(struct source *source, struct pattern *to,
				 bool *ret_found)
{
	const uint8_t *name = source->bytes + source->at + 2;
	size_t left = source->size - source->at;
	const uint8_t *end;
	const struct ascii_set *set;
	bool negative;

	*ret_found = false;
	if (left < 3 || source_look(source, 0) != '[' ||
	    source_look(source, 1) != ':')
		return WB_OK;
	end = memmem(name, left - 2, ":]", 2);
	if (!end)
		return WB_OK;
	source->at += (size_t)(end - name) + 4;
	negative = name < end && *name == '^';
	name += negative;
	set = find_set(posix_sets, sizeof(posix_sets) / sizeof(*posix_sets),
		       name, (size_t)(end - name));
	if (!set)
		return WB_BAD_INPUT;
	add_set(to, set, negative, source->fold_case);
	*ret_found = true;
	return WB_OK;
}

/* ---- \p ---- */

/* Categories of two letters: the first, and which may follow. */
static bool is_category(const char *name, size_t size)
{
	static const char *const letters[] = {"Ccfos", "Llmotu",   "Mcen",
					      "Ndlo",  "Pcdefios", "Sckmo",
					      "Zlps"};

	if ((size != 1 && size != 2) || memchr(name, 0, size))
		return false;
	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (*letters[i] == name[0])
			return size == 1 || strchr(letters[i] + 1, name[1]);
	return false;
}

static enum wb_error add_property(struct pattern *to, const char *name,
				  size_t size, bool negative, bool inside)
{
	char letter = negative ? 'P' : 'p';

	if (size == 1 && *name == 'C') {
		/* RE2's holds no code points that are not assigned. */
		const char *items =
			negative ? "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cn}"
				 : "\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}";

		pattern_add(to, inside ? "%s" : "[%s]", items);
		return WB_OK;
	}
	if (size == 3 && !memcmp(name, "Any", 3))
		pattern_add(to, "\\%c{Any}", letter);
	else if (is_category(name, size))
		pattern_add(to, "\\%c{%.*s}", letter, (int)size, name);
	else if (is_script((struct wb_bytes){name, size}))
		pattern_add(to, "\\%c{sc:%.*s}", letter, (int)size, name);
	else
		return WB_BAD_INPUT;
	return WB_OK;
}

static enum wb_error property(struct source *source, struct pattern *to,
			      bool inside)
{
	bool negative = source_look(source, 1) == 'P';
	const char *name = (const char *)source->bytes + source->at + 2;
	size_t size;

	if (source_look(source, 2) == '{') {
		const char *end;

		source->at += 3;
		name++;
		end = memchr(name, '}', source->size - source->at);
		if (!end)
			return WB_BAD_INPUT;
		size = (size_t)(end - name);
		source->at += size + 1;
	} else {
		/* A letter; what has more bytes is no name. */
		if (source->size - source->at < 3)
			return WB_BAD_INPUT;
		size = 1;
		source->at += 3;
	}
	if (size > 0 && *name == '^') {
		negative = !negative;
		name++;
		size--;
	}
	return add_property(to, name, size, negative, inside);
}

enum wb_error class_escape(struct source *source, struct pattern *to,
			   bool inside, bool *ret_found)
{
	uint8_t letter = source_look(source, 1);
	uint8_t name = letter | 0x20;
	const struct ascii_set *set;

	*ret_found = false;
	if (source_look(source, 0) != '\\' || source->size - source->at < 2)
		return WB_OK;
	if (name == 'p') {
		*ret_found = true;
		return property(source, to, inside);
	}
	set = find_set(perl_sets, sizeof(perl_sets) / sizeof(*perl_sets), &name,
		       1);
	if (!set)
		return WB_OK;
	source->at += 2;
	if (!inside)
		pattern_add(to, "[");
	add_set(to, set, letter != name, source->fold_case);
	if (!inside)
		pattern_add(to, "]");
	*ret_found = true;
	return WB_OK;
}

/* ---- brackets ---- */

static enum wb_error class_character(struct source *source,
				     uint32_t *ret_character)
{
	if (source_at_end(source))
		return WB_BAD_INPUT;
	if (source_look(source, 0) == '\\')
		return character_escape(source, ret_character);
	*ret_character = unicode_next(source->bytes, source->size, &source->at);
	return WB_OK;
}

static enum wb_error class_range(struct source *source, struct pattern *to)
{
	uint32_t first;
	uint32_t last;
	enum wb_error error = class_character(source, &first);

	if (error)
		return error;
	last = first;
	if (source->size - source->at >= 2 && source_look(source, 0) == '-' &&
	    source_look(source, 1) != ']') {
		source->at++;
		error = class_character(source, &last);
		if (error)
			return error;
		if (last < first)
			return WB_BAD_INPUT;
	}
	add_range(to, first, last);
	return WB_OK;
}

static enum wb_error class_item(struct source *source, struct pattern *to)
{
	bool found;
	enum wb_error error = named_class(source, to, &found);

	if (!error && !found)
		error = class_escape(source, to, true, &found);
	if (!error && !found)
		error = class_range(source, to);
	return error;
}

enum wb_error class_translate(struct source *source, struct pattern *to)
{
	bool negative = source_look(source, 1) == '^';
	bool first = true;
	size_t start = to->size;
	size_t items;

	source->at += negative ? 2 : 1;
	pattern_add(to, negative ? "[^" : "[");
	items = to->size;
	while (first || source_at_end(source) ||
	       source_look(source, 0) != ']') {
		enum wb_error error = class_item(source, to);

		if (error)
			return error;
		first = false;
	}
	source->at++;
	if (to->size > items || to->error) {
		pattern_add(to, "]");
		return WB_OK;
	}
	/* Nothing but surrogates. PCRE2 has no empty brackets. */
	to->size = start;
	pattern_add(to, "[%s\\x{0}-\\x{%x}]", negative ? "" : "^",
		    UNICODE_LAST);
	return WB_OK;
}
