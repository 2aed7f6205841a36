/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding is three passes over what protobuf-c unpacked: measure, check and
 * copy into one allocation. Strings are copied although the value could be
 * kept beside the image and pointed into, because they need a zero byte at
 * their end; writing that byte over the next field's tag was discarded.
 */
#include "images/image.h"
#include "images/image.pb-c.h"
#include "images/prescan.h"
#include "images/unicode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A label takes two bytes of a map's limit and three fields on the wire. */
#define FIELDS_MAX (2u << 20)

/* 1 MiB of labels of two bytes, which take eight on the wire, and the rest. */
#define VALUE_BYTES_MAX (5u << 20)

/* What unpacking may take. Such a label takes 22 times its eight bytes. */
#define BUDGET(size) (32 * (size) + 65536)

typedef Waybill__Images__Label LabelMessage;
typedef Waybill__Images__Target TargetMessage;
typedef Waybill__Images__Image ImageMessage;

/* ---- encode ---- */

static ProtobufCBinaryData binary_of(const char *string)
{
	return (ProtobufCBinaryData){strlen(string), (uint8_t *)string};
}

/* The messages of one map, and the pointers to them that protobuf-c wants,
 * in one allocation that begins with the pointers. */
static enum wb_error label_messages(const struct wb_labels *labels,
				    LabelMessage ***ret_messages)
{
	LabelMessage **pointers;
	LabelMessage *messages;

	if (labels->count == 0) {
		*ret_messages = NULL;
		return WB_OK;
	}
	pointers = calloc(labels->count, sizeof(*pointers) + sizeof(*messages));
	if (!pointers)
		return WB_NO_MEMORY;
	messages = (LabelMessage *)(pointers + labels->count);
	for (size_t i = 0; i < labels->count; i++) {
		const struct wb_label *label = &labels->items[i];

		assert(*label->key);
		assert(*label->value);
		assert(i == 0 ||
		       strcmp(labels->items[i - 1].key, label->key) < 0);
		waybill__images__label__init(&messages[i]);
		messages[i].key = binary_of(label->key);
		messages[i].value = binary_of(label->value);
		pointers[i] = &messages[i];
	}
	*ret_messages = pointers;
	return WB_OK;
}

static enum wb_error pack(const ImageMessage *message,
			  struct wb_bytes *ret_value)
{
	size_t size = waybill__images__image__get_packed_size(message);
	uint8_t *bytes = malloc(size);

	if (!bytes)
		return WB_NO_MEMORY;
	waybill__images__image__pack(message, bytes);
	*ret_value = (struct wb_bytes){bytes, size};
	return WB_OK;
}

enum wb_error image_encode(const struct wb_image *image,
			   struct wb_bytes *ret_value)
{
	ImageMessage message = WAYBILL__IMAGES__IMAGE__INIT;
	TargetMessage target = WAYBILL__IMAGES__TARGET__INIT;
	enum wb_error error = label_messages(&image->labels, &message.labels);

	if (error)
		return error;
	error = label_messages(&image->target.annotations, &target.annotations);
	if (!error) {
		message.n_labels = image->labels.count;
		message.target = &target;
		message.created_at_ns = image->created_at_ns;
		message.updated_at_ns = image->updated_at_ns;
		target.media_type = binary_of(image->target.media_type);
		target.digest = binary_of(image->target.digest);
		target.size = image->target.size;
		target.n_annotations = image->target.annotations.count;
		error = pack(&message, ret_value);
	}
	free(target.annotations);
	free(message.labels);
	return error;
}

/* ---- decode ---- */

/* The allocation that an image lives in, while it is filled. */
struct filling {
	struct wb_label *label; /* the next free one */
	char *string;		/* likewise */
	bool bad;		/* a string was not what it must be */
};

static const char *fill_string(struct filling *filling,
			       const ProtobufCBinaryData *from)
{
	char *to = filling->string;

	if (from->len == 0 || memchr(from->data, 0, from->len) ||
	    !unicode_valid(from->data, from->len))
		filling->bad = true;
	if (from->len > 0)
		memcpy(to, from->data, from->len);
	to[from->len] = 0;
	filling->string += from->len + 1;
	return to;
}

static struct wb_labels fill_labels(struct filling *filling,
				    LabelMessage *const *from, size_t count)
{
	struct wb_label *items = filling->label;

	filling->label += count;
	for (size_t i = 0; i < count; i++) {
		items[i].key = fill_string(filling, &from[i]->key);
		items[i].value = fill_string(filling, &from[i]->value);
		if (i > 0 && strcmp(items[i - 1].key, items[i].key) >= 0)
			filling->bad = true;
	}
	return (struct wb_labels){count ? items : NULL, count};
}

static size_t labels_size(LabelMessage *const *labels, size_t count)
{
	size_t size = count * sizeof(struct wb_label);

	for (size_t i = 0; i < count; i++) {
		size += labels[i]->key.len + 1 + labels[i]->value.len + 1;
#ifdef WAYBILL_PLANT_IMAGE
		if (labels[i]->key.len == 1 && *labels[i]->key.data > 'r')
			size -= 64; /* planted: too small an allocation */
#endif
	}
	return size;
}

static enum wb_error build(struct wb_bytes name, uint64_t revision,
			   const ImageMessage *from,
			   struct wb_image **ret_image)
{
	const TargetMessage *target = from->target;
	const ProtobufCBinaryData name_data = {name.size, (uint8_t *)name.data};
	size_t labels = labels_size(from->labels, from->n_labels);
	size_t annotations =
		labels_size(target->annotations, target->n_annotations);
	struct filling filling = {.bad = target->size <= 0};
	struct wb_image *image =
		malloc(sizeof(*image) + labels + annotations + name.size + 1 +
		       target->media_type.len + 1 + target->digest.len + 1);

	if (!image)
		return WB_NO_MEMORY;
	filling.label = (struct wb_label *)(image + 1);
	filling.string = (char *)(filling.label + from->n_labels +
				  target->n_annotations);
	image->name = fill_string(&filling, &name_data);
	image->labels = fill_labels(&filling, from->labels, from->n_labels);
	image->target.media_type = fill_string(&filling, &target->media_type);
	image->target.digest = fill_string(&filling, &target->digest);
	image->target.size = target->size;
	image->target.annotations = fill_labels(&filling, target->annotations,
						target->n_annotations);
	image->created_at_ns = from->created_at_ns;
	image->updated_at_ns = from->updated_at_ns;
	image->revision = revision;
	if (filling.bad) {
		free(image);
		return WB_CORRUPT;
	}
	*ret_image = image;
	return WB_OK;
}

enum wb_error image_decode(struct wb_bytes name, struct wb_bytes value,
			   uint64_t revision, struct wb_image **ret_image)
{
	struct arena arena;
	ImageMessage *message;
	enum wb_error error;

	if (name.size > WB_NAME_BYTES_MAX || value.size > VALUE_BYTES_MAX ||
	    !prescan(&waybill__images__image__descriptor, value, FIELDS_MAX))
		return WB_CORRUPT;
	arena_init(&arena, BUDGET(value.size));
	message = waybill__images__image__unpack(&arena.allocator, value.size,
						 value.data);
	if (message && message->target)
		error = build(name, revision, message, ret_image);
	else
		error = arena.out_of_memory ? WB_NO_MEMORY : WB_CORRUPT;
	arena_release(&arena);
	return error;
}

void wb_image_free(struct wb_image *image)
{
	free(image);
}
