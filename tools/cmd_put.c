/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/input.h"
#include "tools/json.h"
#include "tools/label.h"
#include "tools/oci_layout.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <string.h>

/* Labels and annotations are at most 1 MiB; six bytes a character is the
 * most that JSON makes of it. */
#define DESCRIPTOR_BYTES_MAX (8u << 20)

static const struct option put_items[] = {
	{OPTION_MEDIA_TYPE, 0, "media-type", OPTION_IS_TEXT, "TYPE",
	 "of the content"},
	{OPTION_DIGEST, 0, "digest", OPTION_IS_TEXT, "DIGEST",
	 "of the content: sha256:…"},
	{OPTION_SIZE, 0, "size", OPTION_IS_TEXT, "BYTES", "of the content"},
	{OPTION_FROM, 0, "from", OPTION_IS_TEXT, "oci:DIR[:TAG]",
	 "take all three from an OCI image layout"},
	{OPTION_LABEL, 0, "label", OPTION_IS_LIST, "KEY=VALUE",
	 "a label of the image; may be given several times"},
};

static enum wb_error target_from_input(struct session *session,
				       struct wb_descriptor *ret_target)
{
	char *bytes;
	size_t size;
	const json_t *object;
	enum wb_error error =
		input_read(&session->scratch, "-", DESCRIPTOR_BYTES_MAX, &bytes,
			   &size, &session->text);

	if (error)
		return error;
	error = parse_object(&session->scratch, bytes, size, &object,
			     &session->text);
	if (!error)
		error = parse_descriptor(&session->scratch, object, ret_target,
					 &session->text);
	return error ? fail_where(&session->text, error,
				  "the descriptor on standard input")
		     : WB_OK;
}

static enum wb_error target_from_layout(struct session *session,
					struct wb_descriptor *ret_target)
{
	const char *from = session_option(session, OPTION_FROM)->text;

	if (strncmp(from, "oci:", 4) != 0 || !from[4])
		return fail(&session->text, WB_USAGE,
			    "--from %s: must be oci:DIR or oci:DIR:TAG", from);
	return oci_layout_find(&session->scratch, from + 4, ret_target,
			       &session->text);
}

static enum wb_error target_from_options(struct session *session,
					 struct wb_descriptor *ret_target)
{
	const char *size = session_option(session, OPTION_SIZE)->text;
	uint64_t number;

	for (size_t i = 0; i < 3; i++)
		if (!session_option(session, put_items[i].id)->given)
			return fail(&session->text, WB_USAGE,
				    "--%s is missing; --media-type, --digest "
				    "and --size go together",
				    put_items[i].name);
	if (!parse_decimal(size, &number) || number > INT64_MAX)
		return fail(&session->text, WB_BAD_INPUT,
			    "--size %s: not a size in bytes", size);
	ret_target->media_type =
		session_option(session, OPTION_MEDIA_TYPE)->text;
	ret_target->digest = session_option(session, OPTION_DIGEST)->text;
	ret_target->size = (int64_t)number;
	return WB_OK;
}

/* One of three places, and only one. */
static enum wb_error read_target(struct session *session,
				 struct wb_descriptor *ret_target)
{
	bool input = session->arguments.operand_count == 2;
	bool layout = session_option(session, OPTION_FROM)->given;
	bool options = session_option(session, OPTION_MEDIA_TYPE)->given ||
		       session_option(session, OPTION_DIGEST)->given ||
		       session_option(session, OPTION_SIZE)->given;

	if (input && strcmp(session->arguments.operands[1], "-") != 0)
		return fail(&session->text, WB_USAGE,
			    "unexpected argument %s: a descriptor is read from "
			    "standard input with -",
			    session->arguments.operands[1]);
	if (input + layout + options > 1)
		return fail(&session->text, WB_USAGE,
			    "-, --from, and --media-type with --digest and "
			    "--size exclude each other");
	if (input)
		return target_from_input(session, ret_target);
	if (layout)
		return target_from_layout(session, ret_target);
	if (options)
		return target_from_options(session, ret_target);
	return fail(&session->text, WB_USAGE,
		    "put what? Give -, --from, or --media-type with --digest "
		    "and --size");
}

static enum wb_error read_labels(struct session *session,
				 struct wb_labels *ret_labels)
{
	const struct option_value *given =
		session_option(session, OPTION_LABEL);
	struct wb_label *items =
		scratch_array(&session->scratch, given->count, sizeof(*items));

	if (!items)
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < given->count; i++) {
		enum wb_error error =
			label_parse(&session->scratch, given->list[i],
				    &items[i], &session->text);

		if (!error && !items[i].value)
			error = fail(&session->text, WB_BAD_INPUT,
				     "--label %s: not KEY=VALUE, with a value",
				     given->list[i]);
		if (error)
			return error;
	}
	*ret_labels = (struct wb_labels){items, given->count};
	return label_unique(ret_labels, &session->text);
}

static enum wb_error run_put(struct session *session)
{
	struct wb_image image = {0};
	struct wb_call call;
	struct wb_condition condition;
	struct wb_outcome outcome;
	struct wb_image *current = NULL;
	enum wb_error error;

	error = session_name(session, session->arguments.operands[0],
			     &image.name);
	if (!error)
		error = session_condition(session, &condition);
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = read_labels(session, &image.labels);
	if (!error)
		error = read_target(session, &image.target);
	if (!error)
		error = wb_image_validate(&image, &session->text);
	if (error)
		return error;
	error = session_open(session,
			     condition.kind == WB_WHEN_ANY ||
					     condition.kind == WB_WHEN_ABSENT
				     ? ACCESS_CREATE
				     : ACCESS_CHANGE);
	if (error)
		return error;
	error = session->images->ops->put(session->images, &call, &image,
					  &condition, &outcome, &current,
					  &session->text);
	return session_wrote(session, error, &outcome, current, image.name,
			     "put");
}

const struct command command_put = {
	.name = "put",
	.operands = "NAME -\n"
		    "NAME --media-type TYPE --digest DIGEST --size BYTES\n"
		    "NAME --from oci:DIR[:TAG]",
	.summary = "Create a name, or make it point elsewhere",
	.details =
		"With -, an OCI descriptor in JSON is read from standard "
		"input. "
		"Of it and of a\nlayout's, mediaType, digest, size and "
		"annotations are kept; urls, platform and\nthe rest are "
		"not.\n\n"
		"--from splits at the last colon unless DIR exists as a whole. "
		"Without TAG it\ntakes the only image in the layout, or the "
		"one tagged \"latest\". The blob is\nread and its size and "
		"digest are compared before the name is written.\n\n"
		"The image is replaced as a whole, its labels too; only its "
		"time of creation\nstays. A store that does not exist is "
		"made.",
	.operands_min = 1,
	.operands_max = 2,
	.options = {"Options of put", put_items,
		    sizeof(put_items) / sizeof(put_items[0])},
	.writes = true,
	.run = run_put,
};
