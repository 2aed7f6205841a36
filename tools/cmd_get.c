/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"

static enum wb_error run_get(struct session *session)
{
	struct output *output = &session->output;
	struct wb_call call;
	struct wb_image *image = NULL;
	const char *name;
	enum wb_error error;

	error = session_name(session, session->arguments.operands[0], &name);
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_READ);
	if (!error)
		error = session->images->ops->get(session->images, &call, name,
						  &image, &session->text);
	if (error)
		return error;
	if (session->json)
		output_json(output, image_json(image));
	else if (session->quiet)
		output_format(output, "%s%c", image->target.digest,
			      session->line_end);
	else
		print_image(output, image);
	wb_image_free(image);
	return WB_OK;
}

const struct command command_get = {
	.name = "get",
	.operands = "NAME",
	.summary = "Print what a name points at",
	.details = "-q prints the digest only.",
	.operands_min = 1,
	.operands_max = 1,
	.run = run_get,
};
