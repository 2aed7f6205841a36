/* SPDX-License-Identifier: Apache-2.0
 *
 * containerd's filter language:
 *
 *	filter   = "" | selector {"," selector}
 *	selector = path [operator value]
 *	path     = field {"." field}
 *	field    = [A-Za-z0-9_]+ | '"'…'"'
 *	operator = "==" | "!=" | "~="
 *	value    = visible characters but "," | '"'…'"'
 *	           (for ~= also "/…/" and "|…|")
 *
 * with Go's escapes between quotes, and blanks before operators and values.
 * The empty filter matches everything. What it is matched against comes
 * through a function from paths to values: nothing here knows of images.
 *
 * `!=` holds where the field is absent; `~=` takes an absent field for the
 * empty string and searches anywhere in the value (regexp.h). Words of
 * errors: https://pkg.go.dev/github.com/containerd/containerd/filters, but
 * control characters are shown as "?".
 */
#ifndef WAYBILL_IMAGES_FILTER_H
#define WAYBILL_IMAGES_FILTER_H

#include "images/sentence.h"

#include <waybill/store.h>

#define FILTER_BYTES_MAX 4096u /* of one filter */
#define FILTERS_MAX	 32u   /* of one list */

struct filter;

/* Parse one filter. WB_BAD_INPUT adds `filters: parse error: […]: why` to
 * `error_text`; WB_TOO_LARGE: a regular expression is (regexp.h);
 * WB_NO_MEMORY. */
enum wb_error filter_parse(struct wb_bytes expression,
			   struct filter **ret_filter,
			   struct sentence *error_text);
void filter_free(struct filter *filter);

/* The fields of something: is `path` (of `count` >= 1 fields) present, and
 * what is its value? Absent: false, and `*ret_value` is left alone. */
typedef bool filter_field_fn(const void *object, const struct wb_bytes *path,
			     size_t count, struct wb_bytes *ret_value);

/* WB_TOO_LARGE: a regular expression did not come to an end (regexp.h). */
enum wb_error filter_match(struct filter *filter, filter_field_fn *field,
			   const void *object, bool *ret_matches);

/* The value that a match requires of the field `name`, where there is a
 * selector `name==value`; false where there is none. */
bool filter_requires(const struct filter *filter, const char *name,
		     struct wb_bytes *ret_value);

/* Several filters, of which one must match; none: everything does. */
struct filters {
	struct filter *items[FILTERS_MAX];
	size_t count;
};

/* WB_BAD_INPUT (for any fault of the filters), WB_NO_MEMORY. */
enum wb_error filters_parse(const char *const *expressions, size_t count,
			    struct filters *ret_filters,
			    struct wb_text *ret_text);
void filters_release(struct filters *filters);
enum wb_error filters_match(const struct filters *filters,
			    filter_field_fn *field, const void *object,
			    bool *ret_matches);

#endif
