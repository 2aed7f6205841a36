/* SPDX-License-Identifier: Apache-2.0 */
#include "images/labels.h"

#include <stdlib.h>
#include <string.h>

struct placed {
	struct wb_label label;
	size_t place;
};

static int by_key_then_place(const void *a, const void *b)
{
	const struct placed *left = a;
	const struct placed *right = b;
	int order = strcmp(left->label.key, right->label.key);

	if (order != 0)
		return order;
	return left->place < right->place ? -1 : left->place > right->place;
}

/* Copies what is sorted, the last of equal keys, and returns how many. */
static size_t take_last(const struct placed *sorted, size_t count,
			struct wb_label *to)
{
	size_t taken = 0;

	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count || strcmp(sorted[i].label.key,
						     sorted[i + 1].label.key);

		if (last)
			to[taken++] = sorted[i].label;
	}
	return taken;
}

enum wb_error labels_canonical(const struct wb_labels *from,
			       struct wb_labels *ret_labels)
{
	struct placed *placed;
	struct wb_label *items;

	if (from->count == 0) {
		*ret_labels = (struct wb_labels){NULL, 0};
		return WB_OK;
	}
	placed = calloc(from->count, sizeof(*placed));
	items = calloc(from->count, sizeof(*items));
	if (!placed || !items) {
		free(placed);
		free(items);
		return WB_NO_MEMORY;
	}
	for (size_t i = 0; i < from->count; i++) {
		const struct wb_label *label = &from->items[i];

		placed[i].label.key = label->key ? label->key : "";
		placed[i].label.value = label->value ? label->value : "";
		placed[i].place = i;
	}
	qsort(placed, from->count, sizeof(*placed), by_key_then_place);
	ret_labels->items = items;
	ret_labels->count = take_last(placed, from->count, items);
	free(placed);
	return WB_OK;
}

void labels_release(struct wb_labels *labels)
{
	free((void *)labels->items);
	*labels = (struct wb_labels){NULL, 0};
}

void labels_drop_empty(struct wb_labels *labels)
{
	/* The array is ours (labels_canonical made it), if it holds any. */
	struct wb_label *items = (struct wb_label *)labels->items;
	size_t kept = 0;

	for (size_t i = 0; i < labels->count; i++)
		if (*items[i].value)
			items[kept++] = items[i];
	labels->count = kept;
}

static int compare_key(struct wb_bytes key, const char *label)
{
	size_t size = strlen(label);
	size_t common = size < key.size ? size : key.size;
	int order = common ? memcmp(key.data, label, common) : 0;

	if (order != 0)
		return order;
	return key.size < size ? -1 : key.size > size;
}

const char *labels_find(const struct wb_labels *labels, struct wb_bytes key)
{
	size_t low = 0;
	size_t high = labels->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_key(key, labels->items[middle].key);

		if (order == 0)
			return labels->items[middle].value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
