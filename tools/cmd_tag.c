/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <string.h>

static const struct option tag_items[] = {
	{OPTION_FORCE, 'f', "force", OPTION_IS_FLAG, NULL,
	 "even if DST exists"},
};

/* Without --force it is --if-absent; every other condition says something
 * about an image that is to be replaced. */
static enum wb_error read_condition(struct session *session,
				    struct wb_condition *ret_condition)
{
	bool force = session_option(session, OPTION_FORCE)->given;
	enum wb_error error = session_condition(session, ret_condition);

	if (error)
		return error;
	if (force && ret_condition->kind == WB_WHEN_ABSENT)
		return fail(&session->text, WB_USAGE,
			    "--force and --if-absent exclude each other");
	if (!force && ret_condition->kind != WB_WHEN_ANY &&
	    ret_condition->kind != WB_WHEN_ABSENT)
		return fail(&session->text, WB_USAGE,
			    "a condition on an existing DST needs --force");
	return WB_OK;
}

static enum wb_error run_tag(struct session *session)
{
	struct wb_call call;
	struct wb_condition condition;
	struct wb_outcome outcome;
	const char *source;
	const char *name;
	struct wb_image *current = NULL;
	enum wb_error error;

	error = session_name(session, session->arguments.operands[0], &source);
	if (!error)
		error = session_name(session, session->arguments.operands[1],
				     &name);
	if (!error && strcmp(source, name) == 0)
		error = fail(&session->text, WB_USAGE,
			     "%s and %s are the same name",
			     session->arguments.operands[0],
			     session->arguments.operands[1]);
	if (!error)
		error = read_condition(session, &condition);
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_CHANGE);
	if (error)
		return error;
	/* What --if-absent would say is what is said without --force. */
	if (condition.kind == WB_WHEN_ABSENT)
		condition.kind = WB_WHEN_ANY;
	error = session->images->ops->copy(
		session->images, &call, source, name,
		session_option(session, OPTION_FORCE)->given, &condition,
		&outcome, &current, &session->text);
	return session_wrote(session, error, &outcome, current, name, "tagged");
}

const struct command command_tag = {
	.name = "tag",
	.operands = "SRC DST",
	.summary = "Make DST point where SRC points",
	.details = "Labels are copied too. A condition is about DST.",
	.operands_min = 2,
	.operands_max = 2,
	.options = {"Options of tag", tag_items, 1},
	.writes = true,
	.run = run_tag,
};
