/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/input.h"
#include "tools/plan.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <stdio.h>
#include <string.h>

/* A transaction is at most 16 MiB encoded; as JSON it may be longer. */
#define PLAN_BYTES_MAX (128u << 20)

static const struct option apply_items[] = {
	{OPTION_DRY_RUN, 0, "dry-run", OPTION_IS_FLAG, NULL,
	 "check everything, write nothing"},
};

static void tell_applied(struct session *session, const struct plan *plan,
			 const struct wb_outcome *outcome)
{
	bool dry_run = session_option(session, OPTION_DRY_RUN)->given;
	struct output *output = &session->output;

	if (!dry_run)
		session->changed_revision = outcome->revision;
	if (session->json) {
		json_t *json = json_object();

		json_field(&json, "revision",
			   dry_run ? json_null()
				   : number_json(outcome->revision));
		json_field(&json, "replayed", json_boolean(outcome->replayed));
		json_field(&json, "dry_run", json_boolean(dry_run));
		json_field(&json, "changes", number_json(plan->count));
		output_json(output, json);
		return;
	}
	if (session->quiet)
		return;
	if (plan->count == 0)
		output_text(output, "the plan is empty: nothing to do\n");
	else if (dry_run)
		output_format(output, "%zu change%s would be applied\n",
			      plan->count, plan->count == 1 ? "" : "s");
	else
		output_format(output,
			      "%zu change%s %sapplied at revision %llu\n",
			      plan->count, plan->count == 1 ? "" : "s",
			      outcome->replayed ? "already " : "",
			      (unsigned long long)outcome->revision);
}

/* Where there is no store yet the plan is held against an empty one, which
 * plan_fits_empty_store has done; `*ret_absent` says so. */
static enum wb_error open_store(struct session *session,
				const struct plan *plan, bool *ret_absent)
{
	bool dry_run = session_option(session, OPTION_DRY_RUN)->given;
	bool fits = plan_fits_empty_store(plan);
	enum wb_error error =
		session_open(session,
			     fits && !dry_run ? ACCESS_CREATE : ACCESS_CHANGE);

	*ret_absent = error == WB_NOT_A_STORE && fits && dry_run &&
		      session_can_create(session);
	return *ret_absent ? WB_OK : error;
}

/* Which line an error is about, or that it is about all of them. */
static void explain(struct session *session, enum wb_error error,
		    const struct plan *plan, size_t failed, const char *path)
{
	char where[64];

	if (failed < plan->count) {
		session->failed_line = plan->lines[failed];
		snprintf(where, sizeof(where), "line %zu",
			 session->failed_line);
		fail_where(&session->text, error, where);
	} else if (error == WB_TOO_LARGE) {
		fail_where(&session->text, error, "the plan is too large");
	} else {
		return;
	}
	fail_where(&session->text, error, path);
}

static enum wb_error apply_plan(struct session *session,
				const struct wb_call *call,
				const struct plan *plan, const char *path)
{
	bool dry_run = session_option(session, OPTION_DRY_RUN)->given;
	struct wb_outcome outcome = {0};
	struct wb_image *current = NULL;
	size_t failed = SIZE_MAX;
	bool absent = plan->count == 0;
	enum wb_error error = WB_OK;

	if (plan->count > 0)
		error = open_store(session, plan, &absent);
	if (error)
		return error;
	if (!absent) {
		error = session->images->ops->apply(session->images, call,
						    plan->mutations,
						    plan->count, dry_run,
						    &outcome, &failed, &current,
						    &session->text);
		if (error) {
			explain(session, error, plan, failed, path);
			return session_wrote(session, error, &outcome, current,
					     NULL, NULL);
		}
	}
	tell_applied(session, plan, &outcome);
	return WB_OK;
}

static enum wb_error run_apply(struct session *session)
{
	const char *path = session->arguments.operands[0];
	const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
	struct wb_call call;
	struct wb_condition condition;
	struct plan plan;
	char *bytes;
	size_t size;
	enum wb_error error;

	error = session_condition(session, &condition);
	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = input_read(&session->scratch, path, PLAN_BYTES_MAX,
				   &bytes, &size, &session->text);
	if (error)
		return error;
	error = plan_read(&session->scratch, bytes, size, session->raw,
			  &condition, &plan, &session->failed_line,
			  &session->text);
	if (error)
		return fail_where(&session->text, error, name);
	return apply_plan(session, &call, &plan, name);
}

const struct command command_apply = {
	.name = "apply",
	.operands = "PLAN.jsonl|-",
	.summary = "Make many changes in one commit, all of them or none",
	.details = "A plan has one JSON object a line:\n"
		   "  {\"op\":\"put\",\"name\":N,\"target\":{OCI descriptor},"
		   "\"labels\":{…},\"if\":{…}}\n"
		   "  {\"op\":\"delete\",\"name\":N,\"if\":{…}}\n"
		   "where \"if\" is {\"absent\":true}, {\"present\":true}, "
		   "{\"revision\":N} or\n{\"digest\":\"…\"}, and an --if-… "
		   "option stands for lines that have none.",
	.operands_min = 1,
	.operands_max = 1,
	.options = {"Options of apply", apply_items, 1},
	.writes = true,
	.run = run_apply,
};
