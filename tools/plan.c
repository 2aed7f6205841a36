/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/plan.h"

#include "tools/json.h"
#include "tools/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct scratch *scratch;
	bool raw;
	const struct wb_condition *condition;
	struct plan plan;
	json_t *line_of_name; /* a name twice in one commit is ambiguous */
	size_t line;
	struct wb_text *text;
};

static void free_json(void *json)
{
	json_decref(json);
}

static enum wb_error read_condition(const struct reader *reader,
				    const json_t *object,
				    struct wb_condition *ret_condition)
{
	static const char *const known[] = {"absent", "present", "revision",
					    "digest", NULL};
	struct wb_condition condition = {.kind = WB_WHEN_ANY};
	const json_t *map;
	const json_t *value;
	enum wb_error error = field_object(object, "if", &map, reader->text);

	if (error || !map) {
		*ret_condition = *reader->condition;
		return error;
	}
	error = fields_known(map, known, reader->text);
	if (error)
		return error;
	if (json_object_size(map) != 1)
		return fail(reader->text, WB_BAD_INPUT,
			    "\"if\" must have exactly one field");
	if (json_is_true(json_object_get(map, "absent"))) {
		condition.kind = WB_WHEN_ABSENT;
	} else if (json_is_true(json_object_get(map, "present"))) {
		condition.kind = WB_WHEN_PRESENT;
	} else if ((value = json_object_get(map, "revision")) &&
		   json_is_integer(value) && json_integer_value(value) >= 0) {
		condition.kind = WB_WHEN_REVISION;
		condition.revision = (uint64_t)json_integer_value(value);
	} else if ((value = json_object_get(map, "digest")) &&
		   json_is_string(value)) {
		condition.kind = WB_WHEN_DIGEST;
		condition.digest = json_string_value(value);
	} else {
		return fail(reader->text, WB_BAD_INPUT,
			    "\"if\" must be {\"absent\":true}, "
			    "{\"present\":true}, {\"revision\":N} or "
			    "{\"digest\":\"…\"}");
	}
	*ret_condition = condition;
	return WB_OK;
}

static enum wb_error check_condition(const struct reader *reader,
				     const struct wb_condition *condition)
{
	const struct wb_image probe = {
		.name = "probe",
		.target = {.media_type = "probe",
			   .digest = condition->digest,
			   .size = 1},
	};
	enum wb_error error;

	if (condition->kind != WB_WHEN_DIGEST)
		return WB_OK;
	error = wb_image_validate(&probe, reader->text);
	return error ? fail_where(reader->text, error, "\"if\"") : WB_OK;
}

static enum wb_error read_name(const struct reader *reader,
			       const json_t *object, const char **ret_name)
{
	char *name;
	enum wb_error error =
		field_text(object, "name", ret_name, reader->text);

	if (error)
		return error;
	if (!*ret_name || !**ret_name)
		return fail(reader->text, WB_BAD_INPUT, "\"name\" is missing");
	if (reader->raw)
		return WB_OK;
	error = wb_reference_normalise(*ret_name, &name, reader->text);
	if (error)
		return error;
	if (!scratch_adopt(reader->scratch, name, free))
		return fail(reader->text, WB_NO_MEMORY, "out of memory");
	*ret_name = name;
	return WB_OK;
}

static enum wb_error read_put(const struct reader *reader, const json_t *object,
			      const char *name,
			      struct wb_image_mutation *mutation)
{
	static const char *const known[] = {"op",     "name", "target",
					    "labels", "if",   NULL};
	struct wb_image *image =
		scratch_array(reader->scratch, 1, sizeof(*image));
	const json_t *target;
	enum wb_error error;

	if (!image)
		return fail(reader->text, WB_NO_MEMORY, "out of memory");
	image->name = name;
	error = fields_known(object, known, reader->text);
	if (!error)
		error = field_object(object, "target", &target, reader->text);
	if (!error && !target)
		error = fail(reader->text, WB_BAD_INPUT,
			     "\"target\" is missing");
	if (!error)
		error = parse_descriptor(reader->scratch, target,
					 &image->target, reader->text);
	if (!error)
		error = field_labels(reader->scratch, object, "labels",
				     &image->labels, reader->text);
#ifndef WAYBILL_PLANT_PLAN /* a planted fault for the fuzzer */
	if (!error)
		error = wb_image_validate(image, reader->text);
#endif
	mutation->put = image;
	return error;
}

static enum wb_error read_delete(const struct reader *reader,
				 const json_t *object, const char *name,
				 struct wb_image_mutation *mutation)
{
	static const char *const known[] = {"op", "name", "if", NULL};
	enum wb_error error = fields_known(object, known, reader->text);

	if (!error && mutation->condition.kind == WB_WHEN_ABSENT)
		error = fail(reader->text, WB_BAD_INPUT,
			     "what is absent cannot be deleted");
	mutation->remove = name;
	return error;
}

static enum wb_error note_name(const struct reader *reader, const char *name)
{
	const json_t *before = json_object_get(reader->line_of_name, name);

	if (before)
		return fail(reader->text, WB_BAD_INPUT,
			    "line %lld changes %s too",
			    (long long)json_integer_value(before), name);
	/* Fails for a name that is not UTF-8; parsed JSON always is. */
	if (json_object_set_new(reader->line_of_name, name,
				json_integer((json_int_t)reader->line)) != 0)
		return fail(reader->text, WB_NO_MEMORY, "out of memory");
	return WB_OK;
}

static enum wb_error read_mutation(const struct reader *reader,
				   const json_t *object,
				   struct wb_image_mutation *mutation)
{
	const char *op;
	const char *name;
	enum wb_error error = field_text(object, "op", &op, reader->text);

	if (!error &&
	    (!op || (strcmp(op, "put") != 0 && strcmp(op, "delete") != 0)))
		error = fail(reader->text, WB_BAD_INPUT,
			     "\"op\" must be \"put\" or \"delete\"");
	if (!error)
		error = read_name(reader, object, &name);
	if (!error)
		error = read_condition(reader, object, &mutation->condition);
	if (!error)
		error = check_condition(reader, &mutation->condition);
	if (!error && strcmp(op, "put") == 0)
		error = read_put(reader, object, name, mutation);
	else if (!error)
		error = read_delete(reader, object, name, mutation);
	if (!error)
		error = note_name(reader, name);
	return error;
}

static bool is_blank(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!memchr(" \t\r", bytes[i], 3))
			return false;
	return true;
}

static enum wb_error read_line(struct reader *reader, const char *bytes,
			       size_t size)
{
	struct plan *plan = &reader->plan;
	const json_t *object;
	enum wb_error error;

	if (is_blank(bytes, size))
		return WB_OK;
	if (plan->count == WB_TXN_MUTATIONS_MAX)
		return fail(reader->text, WB_TOO_LARGE,
			    "more than %d changes in one plan",
			    WB_TXN_MUTATIONS_MAX);
	error = parse_object(reader->scratch, bytes, size, &object,
			     reader->text);
	if (!error)
		error = read_mutation(reader, object,
				      &plan->mutations[plan->count]);
	plan->lines[plan->count] = reader->line;
	plan->count += !error;
	return error;
}

enum wb_error plan_read(struct scratch *scratch, const char *bytes, size_t size,
			bool raw, const struct wb_condition *condition,
			struct plan *ret_plan, size_t *ret_line,
			struct wb_text *ret_text)
{
	struct wb_text inner = {""};
	struct reader reader = {.scratch = scratch,
				.raw = raw,
				.condition = condition,
				.line_of_name = json_object(),
				.text = &inner};
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	if (lines > WB_TXN_MUTATIONS_MAX)
		lines = WB_TXN_MUTATIONS_MAX;
	reader.plan.mutations =
		scratch_array(scratch, lines, sizeof(*reader.plan.mutations));
	reader.plan.lines =
		scratch_array(scratch, lines, sizeof(*reader.plan.lines));
	if (!scratch_adopt(scratch, reader.line_of_name, free_json) ||
	    !reader.plan.mutations || !reader.plan.lines)
		return fail(ret_text, WB_NO_MEMORY, "out of memory");

	for (size_t at = 0; at < size;) {
		const char *end = memchr(bytes + at, '\n', size - at);
		size_t length = end ? (size_t)(end - (bytes + at)) : size - at;
		enum wb_error error;

		reader.line++;
		error = read_line(&reader, bytes + at, length);
		if (error) {
			*ret_line = reader.line;
			return fail(ret_text, error, "line %zu: %s",
				    reader.line, inner.text);
		}
		at += length + 1;
	}
	*ret_plan = reader.plan;
	return WB_OK;
}

bool plan_fits_empty_store(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->mutations[i].remove ||
		    plan->mutations[i].condition.kind == WB_WHEN_PRESENT ||
		    plan->mutations[i].condition.kind == WB_WHEN_REVISION ||
		    plan->mutations[i].condition.kind == WB_WHEN_DIGEST)
			return false;
	return true;
}
