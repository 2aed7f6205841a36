/* SPDX-License-Identifier: Apache-2.0
 *
 * A map under change is a list in which the last of equal keys wins: to set
 * a key is to append it, and the canonical form is made once, at the end.
 */
#include "images/mask.h"
#include "images/labels.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct map {
	struct wb_label *items;
	size_t count;
	size_t room;
};

struct merge {
	const struct wb_image *request;
	struct wb_image image; /* but for its maps */
	struct map labels;
	struct map annotations;
};

static bool map_init(struct map *map, size_t room)
{
	map->items = calloc(room + 1, sizeof(*map->items));
	map->room = room;
	return map->items;
}

static void map_set_all(struct map *map, const struct wb_labels *labels)
{
	assert(labels->count <= map->room);
	if (labels->count > 0)
		memcpy(map->items, labels->items,
		       labels->count * sizeof(*map->items));
	map->count = labels->count;
}

static void map_set(struct map *map, const struct wb_labels *from,
		    const char *key)
{
	const char *value = labels_find(from, bytes_of(key));

	assert(map->count < map->room);
	map->items[map->count++] = (struct wb_label){key, value ? value : ""};
}

static void set_target(struct merge *merge)
{
	merge->image.target = merge->request->target;
	map_set_all(&merge->annotations, &merge->request->target.annotations);
}

/* Is `path` below `field`? Then what follows the dot is its key. */
static const char *key_below(const char *path, const char *field)
{
	size_t size = strlen(field);

	return strncmp(path, field, size) == 0 ? path + size : NULL;
}

static bool apply_path(struct merge *merge, const char *path)
{
	const struct wb_image *request = merge->request;
	const char *key = key_below(path, "labels.");

	if (key) {
		map_set(&merge->labels, &request->labels, key);
		return true;
	}
	key = key_below(path, "annotations.");
	if (key) {
		map_set(&merge->annotations, &request->target.annotations, key);
		return true;
	}
	if (!strcmp(path, "labels"))
		map_set_all(&merge->labels, &request->labels);
	else if (!strcmp(path, "annotations"))
		map_set_all(&merge->annotations, &request->target.annotations);
	else if (!strcmp(path, "target"))
		set_target(merge);
	else
		return false;
	return true;
}

static size_t room_for(const struct wb_labels *a, const struct wb_labels *b,
		       size_t paths)
{
	return (a->count > b->count ? a->count : b->count) + paths;
}

static enum wb_error merge_init(struct merge *merge,
				const struct wb_image *current,
				const struct wb_image *request, size_t paths)
{
	const struct wb_labels *annotations = &current->target.annotations;

	*merge = (struct merge){.request = request, .image = *current};
	if (!map_init(&merge->labels,
		      room_for(&current->labels, &request->labels, paths)))
		return WB_NO_MEMORY;
	if (!map_init(&merge->annotations,
		      room_for(annotations, &request->target.annotations,
			       paths)))
		return WB_NO_MEMORY;
	map_set_all(&merge->labels, &current->labels);
	map_set_all(&merge->annotations, annotations);
	return WB_OK;
}

static enum wb_error merge_end(struct merge *merge, struct wb_image *ret_image)
{
	merge->image.labels =
		(struct wb_labels){merge->labels.items, merge->labels.count};
	merge->image.target.annotations =
		(struct wb_labels){merge->annotations.items,
				   merge->annotations.count};
	return image_canonical(&merge->image, ret_image);
}

enum wb_error mask_apply(const struct wb_image *current,
			 const struct wb_image *request,
			 const char *const *paths, size_t path_count,
			 struct wb_image *ret_image, struct wb_text *ret_text)
{
	struct merge merge;
	enum wb_error error;

	if (path_count == 0)
		return image_canonical(request, ret_image);
	error = merge_init(&merge, current, request, path_count);
	for (size_t i = 0; i < path_count && !error; i++)
		if (!apply_path(&merge, paths[i]))
			error = answer(ret_text, WB_BAD_INPUT,
				       "cannot update %q field on image %q: "
				       "invalid argument",
				       paths[i], request->name);
	if (!error)
		error = merge_end(&merge, ret_image);
	free(merge.labels.items);
	free(merge.annotations.items);
	return error;
}
