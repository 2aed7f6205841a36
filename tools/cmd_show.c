/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/named_version.h"
#include "tools/print.h"

static const struct option show_items[] = {
	{OPTION_AT, 0, "at", OPTION_IS_TEXT, "POINT",
	 "in place of @{POINT}; with --raw the only way"},
};

static bool show_version(void *context, const struct wb_image_version *version)
{
	struct session *session = context;
	struct output *output = &session->output;

	session->answered_no = version->deleted;
	if (session->json)
		output_json(output, version_json(version));
	else if (!session->quiet)
		print_version(output, version);
	else if (version->image)
		output_format(output, "%s%c", version->image->target.digest,
			      session->line_end);
	return false;
}

static enum wb_error run_show(struct session *session)
{
	struct wb_call call;
	struct named_version query;
	enum wb_error error =
		named_version_read(session, session->arguments.operands[0],
				   session_option(session, OPTION_AT)->text,
				   &query);

	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_READ);
	if (!error)
		error = named_version_find(session, &call, &query, show_version,
					   session);
	if (error)
		return error;
	return session->answered_no ? WB_NOT_FOUND : WB_OK;
}

const struct command command_show = {
	.name = "show",
	.operands = "NAME[@{POINT}]",
	.summary = "Print a version of a name, and who wrote it",
	.details = VERSION_POINTS
	"\nWhere that version is a deletion it is printed, and the exit "
	"status is 2.\n-q prints the digest only.",
	.operands_min = 1,
	.operands_max = 1,
	.options = {"Options of show", show_items, 1},
	.run = run_show,
};
