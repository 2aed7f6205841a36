/* SPDX-License-Identifier: Apache-2.0 */
#include "images/filter.h"

#include <string.h>

static enum wb_error parse_one(const char *expression,
			       struct filter **ret_filter,
			       struct wb_text *ret_text)
{
	struct sentence text = {.size = 0};
	enum wb_error error;

	if (strlen(expression) > FILTER_BYTES_MAX)
		return answer(ret_text, WB_BAD_INPUT,
			      "filters: greater than maximum size "
			      "(%d bytes): invalid argument",
			      (long long)FILTER_BYTES_MAX);
	error = filter_parse(bytes_of(expression), ret_filter, &text);
	if (error == WB_BAD_INPUT) {
		/* containerd wraps it twice. */
		sentence_add(&text, ": invalid argument: invalid argument");
		return sentence_answer(&text, ret_text, WB_BAD_INPUT);
	}
	if (error == WB_TOO_LARGE)
		return answer(ret_text, WB_BAD_INPUT,
			      "filters: regular expression too large: "
			      "invalid argument");
	if (error)
		return answer(ret_text, error, "%s", wb_error_text(error));
	return WB_OK;
}

enum wb_error filters_parse(const char *const *expressions, size_t count,
			    struct filters *ret_filters,
			    struct wb_text *ret_text)
{
	struct filters filters = {.count = 0};

	if (count > FILTERS_MAX)
		return answer(ret_text, WB_BAD_INPUT,
			      "filters: more than %d: invalid argument",
			      (long long)FILTERS_MAX);
	for (size_t i = 0; i < count; i++) {
		enum wb_error error =
			parse_one(expressions[i], &filters.items[i], ret_text);

		if (error) {
			filters_release(&filters);
			return error;
		}
		filters.count++;
	}
	*ret_filters = filters;
	return WB_OK;
}

void filters_release(struct filters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		filter_free(filters->items[i]);
	filters->count = 0;
}

enum wb_error filters_match(const struct filters *filters,
			    filter_field_fn *field, const void *object,
			    bool *ret_matches)
{
	bool matches = filters->count == 0;

	for (size_t i = 0; i < filters->count && !matches; i++) {
		enum wb_error error = filter_match(filters->items[i], field,
						   object, &matches);

		if (error)
			return error;
	}
	*ret_matches = matches;
	return WB_OK;
}
