/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/label.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <string.h>

struct change {
	struct wb_image image; /* its labels are those to set */
	const char **paths;    /* the mask: those to set and to remove */
	size_t path_count;
};

static enum wb_error read_change(struct session *session,
				 struct change *ret_change)
{
	size_t count = session->arguments.operand_count - 1;
	struct wb_label *given =
		scratch_array(&session->scratch, count, sizeof(*given));
	struct wb_label *set =
		scratch_array(&session->scratch, count, sizeof(*set));
	const char **paths =
		scratch_array(&session->scratch, count, sizeof(*paths));
	size_t set_count = 0;

	if (!given || !set || !paths)
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		enum wb_error error =
			label_parse(&session->scratch,
				    session->arguments.operands[i + 1],
				    &given[i], &session->text);

		if (error)
			return error;
		paths[i] = scratch_format(&session->scratch, "labels.%s",
					  given[i].key);
		if (!paths[i])
			return fail(&session->text, WB_NO_MEMORY,
				    "out of memory");
		if (given[i].value)
			set[set_count++] = given[i];
	}
	ret_change->image.labels = (struct wb_labels){set, set_count};
	ret_change->paths = paths;
	ret_change->path_count = count;
	return label_unique(&(struct wb_labels){given, count}, &session->text);
}

static enum wb_error run_label(struct session *session)
{
	struct wb_call call;
	struct wb_condition condition;
	struct wb_outcome outcome;
	struct change change = {0};
	struct wb_image *current = NULL;
	enum wb_error error;

	error = session_name(session, session->arguments.operands[0],
			     &change.image.name);
	if (!error)
		error = read_change(session, &change);
	if (!error)
		error = session_condition(session, &condition);
	if (!error && condition.kind == WB_WHEN_ABSENT)
		error = fail(&session->text, WB_USAGE,
			     "--if-absent: what is absent has no labels");
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_CHANGE);
	if (error)
		return error;
	error = session->images->ops->update(session->images, &call,
					     &change.image, change.paths,
					     change.path_count, &condition,
					     &outcome, &current,
					     &session->text);
	return session_wrote(session, error, &outcome, current,
			     change.image.name, "labelled");
}

const struct command command_label = {
	.name = "label",
	.operands = "NAME KEY=VALUE… KEY-…",
	.summary = "Set and remove labels of a name",
	.details = "KEY- and KEY= remove a label, where there is one. All "
		   "changes are one commit, a\nnew version also where nothing "
		   "changed; labels that are not named stay. A KEY\nthat "
		   "begins with a dash goes behind --.",
	.operands_min = 2,
	.operands_max = SIZE_MAX,
	.writes = true,
	.run = run_label,
};
