/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/timepoint.h"

#include "tools/wording.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_SECOND	INT64_C(1000000000)
#define SECONDS_PER_DAY INT64_C(86400)

/* The next word of "3 days ago" or "3.days.ago". */
static size_t take_word(const char **text, const char **ret_word)
{
	size_t size;

	*text += strspn(*text, " .");
	size = strcspn(*text, " .");
	*ret_word = *text;
	*text += size;
	return size;
}

static bool parse_ago(const char *text, int64_t now_ns, int64_t *ret_time_ns)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"second", 1},
		     {"minute", 60},
		     {"hour", 3600},
		     {"day", SECONDS_PER_DAY},
		     {"week", 7 * SECONDS_PER_DAY}};
	int64_t number = 0;
	int64_t unit = 0;
	const char *word;
	size_t size = take_word(&text, &word);

	for (size_t i = 0; i < size; i++)
		if (word[i] < '0' || word[i] > '9' ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, word[i] - '0', &number))
			return false;
	if (size == 0)
		return false;
	size = take_word(&text, &word);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t name_size = strlen(units[i].name);

		if (strncmp(word, units[i].name, name_size) == 0 &&
		    (size == name_size ||
		     (size == name_size + 1 && word[name_size] == 's')))
			unit = units[i].seconds * NS_PER_SECOND;
	}
	size = take_word(&text, &word);
	if (unit == 0 || size != 3 || strncmp(word, "ago", 3) != 0 || *text)
		return false;
	return !__builtin_mul_overflow(number, unit, &number) &&
	       !__builtin_sub_overflow(now_ns, number, ret_time_ns);
}

const char timepoint_range[] =
	"out of range, which is 1677-09-22 to 2262-04-11";

/* The calendar repeats itself after 400 years, and there are so many in range
 * from 1700 on. */
bool timepoint_out_of_range(const char *text)
{
	char other[64];
	int64_t ignored;
	unsigned year = 0;

	if (strlen(text) >= sizeof(other) || time_parse(text, &ignored))
		return false;
	for (int i = 0; i < 4; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		year = year * 10 + (unsigned)(text[i] - '0');
	}
	snprintf(other, sizeof(other), "%04u%s", 1700 + (year + 300) % 400,
		 text + 4);
	return time_parse(other, &ignored);
}

const char *timepoint_find(const char *argument)
{
	size_t size = strlen(argument);
	const char *found = NULL;

	if (size == 0 || argument[size - 1] != '}')
		return NULL;
	for (const char *at = strstr(argument, "@{"); at;
	     at = strstr(at + 1, "@{"))
		found = at;
	return found;
}

enum wb_error timepoint_parse(const char *text, int64_t now_ns,
			      struct timepoint *ret_point,
			      struct wb_text *ret_text)
{
	struct timepoint point = {.kind = TIMEPOINT_TIME};

	if (parse_decimal(text, &point.number))
		point.kind = TIMEPOINT_VERSIONS_BACK;
	else if (text[0] == 'r' && parse_decimal(text + 1, &point.number))
		point.kind = TIMEPOINT_REVISION;
	else if (strcmp(text, "now") == 0)
		point.time_ns = now_ns;
	else if (strcmp(text, "yesterday") == 0)
		parse_ago("1 day ago", now_ns, &point.time_ns);
	else if (timepoint_out_of_range(text))
		return fail(ret_text, WB_BAD_INPUT, "@{%s}: %s", text,
			    timepoint_range);
	else if (!time_parse(text, &point.time_ns) &&
		 !parse_ago(text, now_ns, &point.time_ns))
		return fail(ret_text, WB_BAD_INPUT,
			    "@{%s}: neither a number of versions, nor rN, a "
			    "date, an RFC 3339 time, now, yesterday, or as in "
			    "\"3 days ago\"",
			    text);
	*ret_point = point;
	return WB_OK;
}
