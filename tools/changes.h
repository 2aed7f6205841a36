/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between two images: target, labels and annotations. Names,
 * times and revisions do not count.
 */
#ifndef WAYBILL_TOOLS_CHANGES_H
#define WAYBILL_TOOLS_CHANGES_H

#include <stdbool.h>
#include <waybill/images.h>

/* A field that is not the same on both sides; NULL where one has none. */
struct change {
	const char *field; /* its path in the JSON of an image */
	const char *key;   /* of a label or annotation; else NULL */
	const char *heading;
	const char *before;
	const char *after;
	bool is_number;
};

typedef void change_fn(void *context, const struct change *change);

/* Visits each difference: the target's fields, annotations and labels in the
 * order of their keys. NULL is an image that is not there. Returns how many
 * there are; `visit` may be NULL. Pure. */
size_t changes_between(const struct wb_image *before,
		       const struct wb_image *after, change_fn *visit,
		       void *context);

#endif
