/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/json.h"

#include "tools/nearest.h"
#include "tools/wording.h"

#include <string.h>

static void free_json(void *json)
{
	json_decref(json);
}

enum wb_error parse_object(struct scratch *scratch, const char *bytes,
			   size_t size, const json_t **ret_object,
			   struct wb_text *ret_text)
{
	json_error_t error;
	json_t *json =
		json_loadb(bytes, size,
			   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (!json && json_error_code(&error) == json_error_out_of_memory)
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	if (!json)
		return fail(ret_text, WB_BAD_INPUT,
			    "not JSON: line %d, column %d: %s", error.line,
			    error.column, error.text);
	if (!scratch_adopt(scratch, json, free_json))
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	if (!json_is_object(json))
		return fail(ret_text, WB_BAD_INPUT, "not a JSON object");
	*ret_object = json;
	return WB_OK;
}

static enum wb_error wrong_type(const char *key, const char *type,
				struct wb_text *ret_text)
{
	return fail(ret_text, WB_BAD_INPUT, "\"%s\" must be %s", key, type);
}

enum wb_error field_text(const json_t *object, const char *key,
			 const char **ret_text_value, struct wb_text *ret_text)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_string(value))
		return wrong_type(key, "a string", ret_text);
	*ret_text_value = value ? json_string_value(value) : NULL;
	return WB_OK;
}

enum wb_error field_object(const json_t *object, const char *key,
			   const json_t **ret_object, struct wb_text *ret_text)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_object(value))
		return wrong_type(key, "an object", ret_text);
	*ret_object = value;
	return WB_OK;
}

enum wb_error field_array(const json_t *object, const char *key,
			  const json_t **ret_array, struct wb_text *ret_text)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_array(value) && !json_is_null(value))
		return wrong_type(key, "an array", ret_text);
	*ret_array = json_is_null(value) ? NULL : value;
	return WB_OK;
}

enum wb_error field_labels(struct scratch *scratch, const json_t *object,
			   const char *key, struct wb_labels *ret_labels,
			   struct wb_text *ret_text)
{
	const json_t *map = json_object_get(object, key);
	const char *label;
	json_t *value;
	struct wb_label *items;
	size_t count = 0;

	if (map && !json_is_object(map) && !json_is_null(map))
		return wrong_type(key, "an object", ret_text);
	items = scratch_array(scratch, json_object_size(map), sizeof(*items));
	if (!items)
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	json_object_foreach((json_t *)(uintptr_t)map, label, value)
	{
		if (!json_is_string(value))
			return fail(ret_text, WB_BAD_INPUT,
				    "\"%s\": the value of \"%s\" must be a "
				    "string",
				    key, label);
		items[count].key = label;
		items[count++].value = json_string_value(value);
	}
	*ret_labels = (struct wb_labels){items, count};
	return WB_OK;
}

enum wb_error field_integer(const json_t *object, const char *key,
			    int64_t *ret_number, struct wb_text *ret_text)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return fail(ret_text, WB_BAD_INPUT, "\"%s\" is missing", key);
	if (!json_is_integer(value))
		return wrong_type(key, "a whole number", ret_text);
	*ret_number = json_integer_value(value);
	return WB_OK;
}

enum wb_error parse_descriptor(struct scratch *scratch, const json_t *object,
			       struct wb_descriptor *ret_descriptor,
			       struct wb_text *ret_text)
{
	struct wb_descriptor target = {0};
	enum wb_error error =
		field_text(object, "mediaType", &target.media_type, ret_text);

	if (!error)
		error = field_text(object, "digest", &target.digest, ret_text);
	if (!error && !target.media_type)
		error = fail(ret_text, WB_BAD_INPUT,
			     "\"mediaType\" is missing");
	if (!error && !target.digest)
		error = fail(ret_text, WB_BAD_INPUT, "\"digest\" is missing");
	if (!error)
		error = field_integer(object, "size", &target.size, ret_text);
	if (!error)
		error = field_labels(scratch, object, "annotations",
				     &target.annotations, ret_text);
	if (!error)
		*ret_descriptor = target;
	return error;
}

enum wb_error fields_known(const json_t *object, const char *const *known,
			   struct wb_text *ret_text)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		struct nearest nearest;
		bool found = false;

		nearest_begin(&nearest, key);
		for (size_t i = 0; known[i]; i++) {
			found = found || strcmp(known[i], key) == 0;
			nearest_offer(&nearest, known[i]);
		}
		if (!found && nearest.best)
			return fail(ret_text, WB_BAD_INPUT,
				    "unknown field \"%s\"; did you mean "
				    "\"%s\"?",
				    key, nearest.best);
		if (!found)
			return fail(ret_text, WB_BAD_INPUT,
				    "unknown field \"%s\"", key);
	}
	return WB_OK;
}
