/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/session.h"

static enum wb_error run_undo(struct session *session)
{
	struct wb_call call;
	struct wb_condition condition;
	struct wb_outcome outcome;
	struct wb_image *image = NULL;
	const char *name;
	enum wb_error error;

	error = session_name(session, session->arguments.operands[0], &name);
	if (!error)
		error = session_condition(session, &condition);
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_CHANGE);
	if (error)
		return error;
	error = session->images->ops->undo(session->images, &call, name,
					   &condition, &outcome, &image,
					   &session->text);
	return session_wrote(session, error, &outcome, image, name,
			     image ? "put back" : "removed");
}

const struct command command_undo = {
	.name = "undo",
	.operands = "NAME",
	.summary = "Make the version before the newest one current again",
	.details =
		"Target, labels and annotations become what they were, as a "
		"new commit; undo of a\ndeletion brings the name back, undo of "
		"a creation removes it. The version before\nthe newest is "
		"@{1} of `waybill log NAME`. A second undo undoes the "
		"first.\n\n"
		"Where another writer changes NAME at the same moment, nothing "
		"is done and the\nexit status is 3. --if-revision N says which "
		"version is to be undone, deletions\nincluded. Without "
		"--reason "
		"it is \"undo of revision N\".",
	.operands_min = 1,
	.operands_max = 1,
	.writes = true,
	.run = run_undo,
};
