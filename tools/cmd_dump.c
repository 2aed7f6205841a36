/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/named_version.h"
#include "tools/progress.h"
#include "tools/wording.h"

#include <waybill/dump.h>

static const struct option dump_items[] = {
	{OPTION_AT, 0, "at", OPTION_IS_TEXT, "REVISION|TIME",
	 "as of then: 17 or r17, both revision 17; a date (00:00\n"
	 "UTC), an RFC 3339 time, now, yesterday, 3 days ago"},
	{OPTION_HISTORY, 0, "history", OPTION_IS_FLAG, NULL,
	 "every commit, with who, when and why"},
	{OPTION_PREFIX, 0, "prefix", OPTION_IS_TEXT, "TEXT",
	 "only names that begin so"},
};

/* Versions back make no sense of a whole store: a number is a revision. */
static enum wb_error read_point(struct session *session,
				struct timepoint *ret_point)
{
	const char *at = session_option(session, OPTION_AT)->text;
	struct wb_text ignored; /* it speaks of a name's versions */

	if (timepoint_out_of_range(at))
		return fail(&session->text, WB_BAD_INPUT, "--at %s: %s", at,
			    timepoint_range);
	if (timepoint_parse(at, now_ns(), ret_point, &ignored))
		return fail(&session->text, WB_BAD_INPUT,
			    "--at %s: neither a revision, a date, an RFC 3339 "
			    "time, now, yesterday, nor as in \"3 days ago\"",
			    at);
	if (ret_point->kind == TIMEPOINT_VERSIONS_BACK)
		ret_point->kind = TIMEPOINT_REVISION;
	return WB_OK;
}

static enum wb_error read_options(struct session *session,
				  struct wb_dump_options *ret_options,
				  struct timepoint *ret_point)
{
	struct wb_dump_options options = {
		.size = sizeof(options),
		.ns = session_option(session, OPTION_NAMESPACE)->text,
		.prefix = session_option(session, OPTION_PREFIX)->text,
		.past = session_option(session, OPTION_AT)->given,
		.history = session_option(session, OPTION_HISTORY)->given,
		.progress = progress_take,
	};
	enum wb_error error = WB_OK;

	if (options.history && (options.ns || options.prefix || options.past))
		return fail(&session->text, WB_USAGE,
			    "--history is of the whole store: without --at, "
			    "--prefix and -n");
	if (options.past)
		error = read_point(session, ret_point);
	*ret_options = options;
	return error;
}

static enum wb_error write_piece(void *context, const void *bytes, size_t size)
{
	struct output *output = context;

	output_bytes(output, bytes, size);
	/* Nobody reads on, or nothing more fits: that is told at the end. */
	return output->error_number || output->out_of_memory ? WB_CANCELLED
							     : WB_OK;
}

static enum wb_error run_dump(struct session *session)
{
	struct output *output = &session->output;
	struct wb_dump_options options;
	struct timepoint point = {.number = 0};
	enum wb_error error = read_options(session, &options, &point);

	if (!error)
		error = session_open(session, ACCESS_READ);
	if (error)
		return error;
	options.revision = point.number;
	if (options.past && point.kind == TIMEPOINT_TIME)
		error = session->images->ops->revision_at(session->images,
							  point.time_ns,
							  &options.revision,
							  &session->text);
	if (!error)
		error = wb_dump(session->store, &options, write_piece, output,
				NULL, &session->text);
	return error == WB_CANCELLED ? WB_OK : error;
}

const struct command command_dump = {
	.name = "dump",
	.operands = "",
	.summary = "Write all that the store holds as JSON, one record a line",
	.details =
		"Of every namespace, whatever the environment says; -n "
		"takes one. The same\nrecords make the same bytes: there are "
		"no revisions in it, and nothing of the\nstore's own. The "
		"last line has the number of lines and their SHA-256; `load`\n"
		"refuses what lacks it.\n\nA whole store has no versions of "
		"its own, so a number after --at is a revision;\nto show --at "
		"it is how many versions ago.\n\nWith --history it is every "
		"commit that there was, for `load` to make a store of.",
	.operands_min = 0,
	.operands_max = 0,
	.options = {"Options of dump", dump_items,
		    sizeof(dump_items) / sizeof(dump_items[0])},
	.without_names = true,
	.run = run_dump,
};
