/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <jansson.h>

static void free_json(void *json)
{
	json_decref(json);
}

/* Names that are the same once they are normalised. */
static enum wb_error check_distinct(struct session *session,
				    const struct wb_image_mutation *mutations,
				    size_t count)
{
	json_t *seen = json_object();

	if (!scratch_adopt(&session->scratch, seen, free_json))
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		if (json_object_get(seen, mutations[i].remove))
			return fail(&session->text, WB_USAGE,
				    "%s is given twice", mutations[i].remove);
		if (json_object_set_new_nocheck(seen, mutations[i].remove,
						json_true()) != 0)
			return fail(&session->text, WB_NO_MEMORY,
				    "out of memory");
	}
	return WB_OK;
}

static enum wb_error read_names(struct session *session,
				const struct wb_condition *condition,
				struct wb_image_mutation **ret_mutations)
{
	size_t count = session->arguments.operand_count;
	struct wb_image_mutation *mutations =
		scratch_array(&session->scratch, count, sizeof(*mutations));

	if (!mutations)
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		enum wb_error error =
			session_name(session, session->arguments.operands[i],
				     &mutations[i].remove);

		if (error)
			return error;
		mutations[i].condition = *condition;
	}
	*ret_mutations = mutations;
	return check_distinct(session, mutations, count);
}

static void tell_removed(struct session *session,
			 const struct wb_image_mutation *mutations,
			 const struct wb_outcome *outcome)
{
	size_t count = session->arguments.operand_count;
	json_t *json;
	json_t *names;

	session->changed_revision = outcome->revision;
	if (session->json) {
		json = json_object();
		names = json_array();
		for (size_t i = 0; i < count; i++)
			json_item(&names, text_json(mutations[i].remove));
		json_field(&json, "revision", number_json(outcome->revision));
		json_field(&json, "replayed", json_boolean(outcome->replayed));
		json_field(&json, "removed", names);
		output_json(&session->output, json);
		return;
	}
	for (size_t i = 0; i < count && !session->quiet; i++) {
		output_plain(&session->output, mutations[i].remove);
		output_format(&session->output,
			      ": %sremoved at revision %llu\n",
			      outcome->replayed ? "already " : "",
			      (unsigned long long)outcome->revision);
	}
}

static enum wb_error run_rm(struct session *session)
{
	struct wb_call call;
	struct wb_condition condition;
	struct wb_outcome outcome;
	struct wb_image_mutation *mutations = NULL;
	struct wb_image *current = NULL;
	size_t failed = 0;
	enum wb_error error;

	error = session_condition(session, &condition);
	if (!error && condition.kind == WB_WHEN_ABSENT)
		error = fail(&session->text, WB_USAGE,
			     "--if-absent: what is absent cannot be removed");
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = read_names(session, &condition, &mutations);
	if (!error)
		error = session_open(session, ACCESS_CHANGE);
	if (error)
		return error;
	error = session->images->ops->apply(session->images, &call, mutations,
					    session->arguments.operand_count,
					    false, &outcome, &failed, &current,
					    &session->text);
	if (error)
		return session_wrote(session, error, &outcome, current, NULL,
				     NULL);
	tell_removed(session, mutations, &outcome);
	return WB_OK;
}

const struct command command_rm = {
	.name = "rm",
	.operands = "NAME…",
	.summary = "Remove names, all of them or none",
	.details = "One commit removes them all. A condition holds for each.",
	.operands_min = 1,
	.operands_max = SIZE_MAX,
	.writes = true,
	.run = run_rm,
};
