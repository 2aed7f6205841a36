/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/image_json.h"

#include "tools/bytes.h"
#include "tools/timepoint.h"
#include "tools/wording.h"

#include <string.h>

json_t *text_json(const char *text)
{
	size_t size = strlen(text);

	return utf8_valid(text) ? json_stringn(text, size)
				: bytes_json((struct wb_bytes){text, size});
}

json_t *number_json(uint64_t number)
{
	/* Above 2^63 no integer of jansson's holds it; no counter gets there.
	 */
	return number <= INT64_MAX ? json_integer((json_int_t)number)
				   : json_real((double)number);
}

json_t *time_json(int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];

	time_format(time_ns, false, text);
	return json_string(text);
}

void json_field(json_t **object, const char *key, json_t *value)
{
	if (!*object) {
		json_decref(value);
		return;
	}
	if (json_object_set_new(*object, key, value) != 0) {
		json_decref(*object);
		*object = NULL;
	}
}

void json_item(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) != 0) {
		json_decref(*array);
		*array = NULL;
	}
}

static json_t *labels_json(const struct wb_labels *labels)
{
	json_t *json = json_object();

	for (size_t i = 0; i < labels->count && json; i++)
		json_field(&json, labels->items[i].key,
			   text_json(labels->items[i].value));
	return json;
}

static json_t *descriptor_json(const struct wb_descriptor *target)
{
	json_t *json = json_object();

	json_field(&json, "mediaType", text_json(target->media_type));
	json_field(&json, "digest", text_json(target->digest));
	json_field(&json, "size", json_integer(target->size));
	if (target->annotations.count > 0)
		json_field(&json, "annotations",
			   labels_json(&target->annotations));
	return json;
}

json_t *image_json(const struct wb_image *image)
{
	json_t *json = json_object();

	json_field(&json, "name", text_json(image->name));
	json_field(&json, "target", descriptor_json(&image->target));
	json_field(&json, "labels", labels_json(&image->labels));
	json_field(&json, "created_at", time_json(image->created_at_ns));
	json_field(&json, "updated_at", time_json(image->updated_at_ns));
	json_field(&json, "revision", number_json(image->revision));
	return json;
}

json_t *actor_json(const struct wb_actor *actor)
{
	json_t *json = json_object();

	json_field(&json, "uid", json_integer(actor->uid));
	json_field(&json, "gid", json_integer(actor->gid));
	json_field(&json, "pid", json_integer(actor->pid));
	json_field(&json, "command",
		   text_json(actor->command ? actor->command : ""));
	return json;
}

json_t *version_json(const struct wb_image_version *version)
{
	json_t *json = json_object();

	json_field(&json, "name", text_json(version->name));
	json_field(&json, "revision", number_json(version->revision));
	json_field(&json, "previous_revision",
		   number_json(version->previous_revision));
	json_field(&json, "deleted", json_boolean(version->deleted));
	json_field(&json, "time", time_json(version->time_ns));
	json_field(&json, "actor", actor_json(&version->actor));
	json_field(&json, "reason", text_json(version->reason));
	json_field(&json, "operation_id", text_json(version->operation_id));
	json_field(&json, "image",
		   version->image ? image_json(version->image) : json_null());
	return json;
}

static int dump_piece(const char *bytes, size_t size, void *context)
{
	output_bytes(context, bytes, size);
	return 0;
}

void output_json_value(struct output *output, json_t *json)
{
	if (!json || json_dump_callback(json, dump_piece, output,
					JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		output->out_of_memory = true;
	json_decref(json);
}

void output_json(struct output *output, json_t *json)
{
	output_json_value(output, json);
	output_text(output, "\n");
}

void output_json_as(struct output *output, const char *kind, json_t *json)
{
	json_t *object = json_object();

	json_field(&object, kind, json);
	output_json(output, object);
}
