/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/head.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"

static void tell_head(struct session *session,
		      const struct wb_audit_verified *verified)
{
	struct output *output = &session->output;
	char head[HEAD_TEXT_BYTES];

	head_format(verified->revision, verified->chain, head);
	if (session->json) {
		json_t *json = json_object();

		head_json(&json, verified);
		json_field(&json, "expect", json_string(head));
		output_json(output, json);
	} else if (session->quiet) {
		output_format(output, "%s%c", head, session->line_end);
	} else {
		head_print(output, verified);
		print_field(output, "expect", head);
	}
}

static enum wb_error run_audit_head(struct session *session)
{
	struct wb_audit_verified verified = {.size = sizeof(verified)};
	struct wb_audit_options options;
	struct wb_text inner = {""};
	const char *path;
	enum wb_error error = session_directory(session, &path, &options);

	if (error)
		return error;
	error = wb_audit_verify(path, &options, NULL, 0, &verified, &inner);
	if (!error && verified.damages > 0) {
		error = verified.unreadable ? WB_IO : WB_CORRUPT;
		inner = session->damage;
	}
	if (error)
		return session_explain(session, ACCESS_READ, error, &inner);
	tell_head(session, &verified);
	return WB_OK;
}

const struct command command_audit_head = {
	.name = "audit head",
	.operands = "",
	.summary = "Print the newest revision and the chain value there",
	.details = "The value stands for the whole history up to there. Kept "
		   "in another place it\nshows, by `waybill audit verify "
		   "--expect REVISION:CHAIN`, whether any of it was\nchanged "
		   "since. -q prints REVISION:CHAIN only.\n\nAll of the log is "
		   "read and its chain computed anew. Of a damaged store no "
		   "head\nis printed, and the exit status is 6; it is 74 where "
		   "the disk does not give a\npart of it.",
	.operands_min = 0,
	.operands_max = 0,
	.long_work = true,
	.without_names = true,
	.run = run_audit_head,
};
