/* SPDX-License-Identifier: Apache-2.0
 *
 * The first byte says how long the value of the field `name` is; after the
 * value comes a filter, which is tried as a regular expression too. Errors
 * are told in UTF-8, and the two engines agree.
 */
#include "images/filter.h"
#include "images/regexp.h"
#include "images/unicode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool field_of(const void *object, const struct wb_bytes *path,
		     size_t count, struct wb_bytes *ret_value)
{
	size_t touched = 0;

	for (size_t i = 0; i < count; i++)
		touched += unicode_valid(path[i].data, path[i].size);
	if (touched != count || path[0].size != 4 ||
	    memcmp(path[0].data, "name", 4))
		return false;
	*ret_value = *(const struct wb_bytes *)object;
	return true;
}

static void try_filter(struct wb_bytes expression, struct wb_bytes value)
{
	struct sentence text = {.size = 0};
	struct filter *filter = NULL;
	enum wb_error error = filter_parse(expression, &filter, &text);
	bool matches;

	if (error == WB_BAD_INPUT &&
	    (strncmp(text.text, "filters: parse error: [", 23) ||
	     !unicode_valid(text.text, strlen(text.text))))
		abort();
	if (error)
		return;
	error = filter_match(filter, field_of, &value, &matches);
	if (error && error != WB_TOO_LARGE)
		abort();
	filter_free(filter);
}

static void try_regexp(struct wb_bytes expression, struct wb_bytes value)
{
	struct regexp *regexp;
	bool narrow;
	bool wide;

	if (regexp_compile(expression, &regexp))
		return;
	if (!regexp_match(regexp, value, &narrow) &&
	    !regexp_match_wide(regexp, value, &wide) && narrow != wide)
		abort();
	regexp_free(regexp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wb_bytes value;
	struct wb_bytes expression;

	if (size < 1 || data[0] >= size || size > FILTER_BYTES_MAX)
		return 0;
	value = (struct wb_bytes){data + 1, data[0]};
	expression = (struct wb_bytes){data + 1 + data[0], size - 1 - data[0]};
	if (!unicode_valid(value.data, value.size))
		return 0;
	try_filter(expression, value);
	try_regexp(expression, value);
	return 0;
}
