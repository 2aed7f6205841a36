/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct comparison {
	change_fn *visit;
	void *context;
	size_t count;
};

static void compare(struct comparison *comparison, struct change change)
{
	if (!change.before && !change.after)
		return;
	if (change.before && change.after &&
	    strcmp(change.before, change.after) == 0)
		return;
	comparison->count++;
	if (comparison->visit)
		comparison->visit(comparison->context, &change);
}

static void compare_sizes(struct comparison *comparison,
			  const struct wb_image *before,
			  const struct wb_image *after)
{
	char sizes[2][24];

	if (before)
		snprintf(sizes[0], sizeof(sizes[0]), "%" PRId64,
			 before->target.size);
	if (after)
		snprintf(sizes[1], sizeof(sizes[1]), "%" PRId64,
			 after->target.size);
	compare(comparison, (struct change){.field = "target.size",
					    .heading = "size",
					    .before = before ? sizes[0] : NULL,
					    .after = after ? sizes[1] : NULL,
					    .is_number = true});
}

/* Both are in the order of their keys. */
static void compare_labels(struct comparison *comparison, const char *field,
			   const char *heading, const struct wb_labels *before,
			   const struct wb_labels *after)
{
	size_t b = 0, a = 0;

	while (b < before->count || a < after->count) {
		struct change change = {.field = field, .heading = heading};
		int order = b == before->count	? 1
			    : a == after->count ? -1
						: strcmp(before->items[b].key,
							 after->items[a].key);

		if (order <= 0) {
			change.key = before->items[b].key;
			change.before = before->items[b++].value;
		}
		if (order >= 0) {
			change.key = after->items[a].key;
			change.after = after->items[a++].value;
		}
		compare(comparison, change);
	}
}

size_t changes_between(const struct wb_image *before,
		       const struct wb_image *after, change_fn *visit,
		       void *context)
{
	static const struct wb_labels none = {NULL, 0};
	struct comparison comparison = {.visit = visit, .context = context};

	compare(&comparison,
		(struct change){.field = "target.digest",
				.heading = "digest",
				.before = before ? before->target.digest : NULL,
				.after = after ? after->target.digest : NULL});
	compare(&comparison,
		(struct change){.field = "target.mediaType",
				.heading = "media type",
				.before = before ? before->target.media_type
						 : NULL,
				.after = after ? after->target.media_type
					       : NULL});
	compare_sizes(&comparison, before, after);
	compare_labels(&comparison, "target.annotations", "annotation",
		       before ? &before->target.annotations : &none,
		       after ? &after->target.annotations : &none);
	compare_labels(&comparison, "labels", "label",
		       before ? &before->labels : &none,
		       after ? &after->labels : &none);
	return comparison.count;
}
