/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/json.h"

#include "tools/exit_status.h"
#include "tools/leave.h"
#include "tools/nearest.h"
#include "tools/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_json(void *json)
{
	json_decref(json);
}

/* jansson goes on where its string buffer could not grow, and then reads
 * behind its end; of other allocations that fail it says that the syntax is
 * wrong. So while it parses none fails: the program ends here instead. A
 * command reads what it is given before it opens a store. */
static void *must_malloc(size_t size)
{
	void *pointer = malloc(size);

	if (!pointer)
		leave("waybill: out of memory\n",
		      "{\"error\":{\"code\":\"no_memory\",\"message\":\"out of "
		      "memory\",\"status\":75}}\n",
		      EXIT_AGAIN);
	return pointer;
}

/* What jansson says of a duplicate key: `… near '"size"'`. */
static enum wb_error duplicate_key(const char *where, const char *said,
				   struct wb_text *ret_text)
{
	const char *from = strchr(said, '"');
	const char *to = strrchr(said, '"');

	if (!from || from == to)
		return fail(ret_text, WB_BAD_INPUT, "%sa key is there twice",
			    where);
	return fail(ret_text, WB_BAD_INPUT, "%sthe key %.*s is there twice",
		    where, (int)(to - from) + 1, from);
}

/* In our words, for jansson's are about its flags, and call "not JSON" what
 * is. The line is told where there are several. */
static enum wb_error bad_json(const json_error_t *error, bool several_lines,
			      struct wb_text *ret_text)
{
	static const struct {
		enum json_error_code code;
		const char *words;
	} table[] = {
		{json_error_null_character, "a zero character in a string"},
		{json_error_null_byte_in_key, "a zero character in a key"},
		{json_error_numeric_overflow, "a number is too large"},
		{json_error_stack_overflow, "nested too deeply"},
		{json_error_invalid_utf8, "not JSON: not UTF-8"},
		{json_error_premature_end_of_input,
		 "not JSON: it ends too early"},
		{json_error_end_of_input_expected,
		 "not JSON: something follows its end"},
	};
	enum json_error_code code = json_error_code(error);
	char where[64];

	snprintf(where, sizeof(where), "column %d: ", error->column);
	if (several_lines)
		snprintf(where, sizeof(where),
			 "line %d, column %d: ", error->line, error->column);
	if (code == json_error_premature_end_of_input)
		where[0] = '\0';
	if (code == json_error_duplicate_key)
		return duplicate_key(where, error->text, ret_text);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return fail(ret_text, WB_BAD_INPUT, "%s%s", where,
				    table[i].words);
	return fail(ret_text, WB_BAD_INPUT, "%snot JSON: %s", where,
		    error->text);
}

static bool is_empty(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!memchr(" \t\r\n", bytes[i], 4))
			return false;
	return true;
}

enum wb_error parse_object(struct scratch *scratch, const char *bytes,
			   size_t size, const json_t **ret_object,
			   struct wb_text *ret_text)
{
	const char *line_end = memchr(bytes, '\n', size);
	bool several_lines = line_end && line_end + 1 < bytes + size;
	json_error_t error;
	json_t *json;

	if (is_empty(bytes, size))
		return fail(ret_text, WB_BAD_INPUT,
			    "empty, and no JSON object");
	if (memchr(bytes, '\0', size))
		return fail(ret_text, WB_BAD_INPUT, "not JSON: a zero byte");
	json_set_alloc_funcs(must_malloc, free);
	json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
			  &error);
	json_set_alloc_funcs(malloc, free);
	if (!json)
		return bad_json(&error, several_lines, ret_text);
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
