/* SPDX-License-Identifier: Apache-2.0
 *
 * A list runs in one view, so that it is the state at one revision. Where
 * every filter asks for a name by `name==…`, the names are looked up instead
 * of walking all: clients do that for a single image.
 */
#include "base/sized.h"
#include "images/filter.h"
#include "images/image.h"
#include "images/labels.h"
#include "images/local.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 1000u

/* ---- fields of an image ---- */

static bool is_word(struct wb_bytes field, const char *word)
{
	return field.size == strlen(word) &&
	       !memcmp(field.data, word, field.size);
}

static bool string_value(const char *string, struct wb_bytes *ret_value)
{
	*ret_value = bytes_of(string);
	return *string;
}

/* The rest of a path, dots included, is one key. */
static bool label_value(const struct wb_labels *labels,
			const struct wb_bytes *path, size_t count,
			struct wb_bytes *ret_value)
{
	char key[FILTER_BYTES_MAX];
	size_t size = 0;
	const char *value;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			key[size++] = '.';
		assert(path[i].size < sizeof(key) - size);
		if (path[i].size > 0)
			memcpy(key + size, path[i].data, path[i].size);
		size += path[i].size;
	}
	value = labels_find(labels, (struct wb_bytes){key, size});
	if (!value)
		return false;
	*ret_value = bytes_of(value);
	return true;
}

static bool image_field(const void *object, const struct wb_bytes *path,
			size_t count, struct wb_bytes *ret_value)
{
	const struct wb_image *image = object;
	const struct wb_descriptor *target = &image->target;

	if (is_word(path[0], "name"))
		return string_value(image->name, ret_value);
	if (is_word(path[0], "labels"))
		return label_value(&image->labels, path + 1, count - 1,
				   ret_value);
	if (is_word(path[0], "annotations"))
		return label_value(&target->annotations, path + 1, count - 1,
				   ret_value);
	if (!is_word(path[0], "target") || count < 2)
		return false;
	if (is_word(path[1], "digest"))
		return string_value(target->digest, ret_value);
	if (is_word(path[1], "mediatype"))
		return string_value(target->media_type, ret_value);
	return false;
}

/* ---- a list on its way ---- */

struct listing {
	const char *ns;
	struct wb_bytes prefix;
	struct wb_bytes after;
	size_t limit;
	struct filters filters;
	wb_image_fn *visit;
	void *context;

	size_t visited;
	bool more;
	enum wb_error error;
	struct wb_text *text;
};

static bool fail(struct listing *listing, enum wb_error error,
		 struct wb_bytes name)
{
	struct sentence sentence = {.size = 0};

	sentence_add(&sentence, "image ");
	sentence_quote(&sentence, name);
	sentence_format(&sentence, ": %s", wb_error_text(error));
	listing->error = sentence_answer(&sentence, listing->text, error);
	return false;
}

/* Show one record, if it matches. Returns false where the list ends. */
static bool consider(void *context, const struct wb_record *record)
{
	struct listing *listing = context;
	struct wb_image *image;
	bool wanted;
	bool go_on = true;
	enum wb_error error = image_decode(record->key.name, record->value,
					   record->revision, &image);

	if (error)
		return fail(listing, error, record->key.name);
	error = filters_match(&listing->filters, image_field, image, &wanted);
	if (error == WB_TOO_LARGE) {
		listing->error = answer(listing->text, WB_BAD_INPUT,
					"filters: regular expression takes "
					"too long: invalid argument");
		go_on = false;
	} else if (error) {
		go_on = fail(listing, error, record->key.name);
	} else if (wanted && listing->visited == listing->limit) {
		listing->more = true;
		go_on = false;
	} else if (wanted) {
		listing->visited++;
		go_on = listing->visit(listing->context, image);
	}
	wb_image_free(image);
	return go_on;
}

/* ---- by name ---- */

static int bytes_order(const void *a, const void *b)
{
	const struct wb_bytes *left = a;
	const struct wb_bytes *right = b;
	size_t common = left->size < right->size ? left->size : right->size;
	int order = common ? memcmp(left->data, right->data, common) : 0;

	if (order != 0)
		return order;
	return left->size < right->size ? -1 : left->size > right->size;
}

/* The names that the filters leave to choose from; false: any. */
static bool names_required(const struct filters *filters,
			   struct wb_bytes *names)
{
	for (size_t i = 0; i < filters->count; i++)
		if (!filter_requires(filters->items[i], "name", &names[i]))
			return false;
	return filters->count > 0;
}

static bool in_range(const struct listing *listing, struct wb_bytes name)
{
	return name.size > 0 && name.size <= WB_NAME_BYTES_MAX &&
	       name.size >= listing->prefix.size &&
	       !memcmp(name.data, listing->prefix.data, listing->prefix.size) &&
	       bytes_order(&name, &listing->after) > 0;
}

static enum wb_error list_names(struct listing *listing, struct wb_view *view,
				struct wb_bytes *names)
{
	size_t count = listing->filters.count;
	struct room room = {.far = NULL};
	enum wb_error error = WB_OK;
	bool go_on = true;

	qsort(names, count, sizeof(*names), bytes_order);
	for (size_t i = 0; i < count && go_on && !error; i++) {
		struct wb_key key = {WB_KIND_IMAGE, bytes_of(listing->ns),
				     names[i]};
		struct wb_record record;

		if ((i > 0 && bytes_order(&names[i - 1], &names[i]) == 0) ||
		    !in_range(listing, names[i]))
			continue;
		error = room_read(&room, read_view, view, &key, &record);
		if (!error)
			go_on = consider(listing, &record);
		else if (error == WB_NOT_FOUND)
			error = WB_OK;
	}
	room_release(&room);
	return error;
}

/* ---- the operation ---- */

static enum wb_error list_view(struct listing *listing, struct wb_view *view)
{
	struct wb_bytes names[FILTERS_MAX];
	enum wb_error error;

	if (listing->prefix.size > WB_NAME_BYTES_MAX)
		return WB_OK;
	if (names_required(&listing->filters, names))
		error = list_names(listing, view, names);
	else
		error = wb_view_list(view, WB_KIND_IMAGE, bytes_of(listing->ns),
				     listing->prefix, listing->after, consider,
				     listing);
	if (!listing->error && error)
		return store_answer(listing->text, error, NULL);
	return listing->error;
}

static enum wb_error prepare(struct listing *listing,
			     const struct wb_call *call,
			     const struct wb_list_options *options,
			     struct wb_text *ret_text)
{
	struct wb_list_options mine = {.size = sizeof(mine)};
	struct wb_call my_call;
	enum wb_error error = call_take(call, &my_call, ret_text);

	if (error)
		return error;
	if (options)
		error = sized_take(&mine, sizeof(mine), options);
	if (error)
		return answer(ret_text, error, "struct wb_list_options %s",
			      sized_problem(error));
	listing->ns = my_call.ns;
	listing->prefix = bytes_of(mine.prefix ? mine.prefix : "");
	listing->after = bytes_of(mine.after ? mine.after : "");
	/* No name lies between these two. */
	if (listing->after.size > WB_NAME_BYTES_MAX)
		listing->after.size = WB_NAME_BYTES_MAX;
	listing->limit = mine.limit ? mine.limit : PAGE;
	listing->text = ret_text;
	return filters_parse(mine.filters, mine.filter_count, &listing->filters,
			     ret_text);
}

enum wb_error local_list(struct wb_images *images, const struct wb_call *call,
			 const struct wb_list_options *options,
			 wb_image_fn *visit, void *context,
			 struct wb_page *ret_page, struct wb_text *ret_text)
{
	struct listing listing = {.visit = visit, .context = context};
	struct wb_page page;
	struct wb_view *view;
	enum wb_error error = prepare(&listing, call, options, ret_text);

	if (error)
		return error;
	error = wb_view_begin(local_of(images)->store, &view);
	if (error) {
		filters_release(&listing.filters);
		return store_answer(ret_text, error, NULL);
	}
	error = list_view(&listing, view);
	page = (struct wb_page){wb_view_revision(view), listing.more};
	wb_view_end(view);
	filters_release(&listing.filters);
	if (!error && ret_page)
		*ret_page = page;
	return error;
}
