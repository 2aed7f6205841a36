/* SPDX-License-Identifier: Apache-2.0
 *
 * The dump is checked before the store is opened: what is bad makes none.
 */
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/interrupt.h"
#include "tools/progress.h"
#include "tools/session.h"
#include "tools/spool.h"
#include "tools/wording.h"

#include <string.h>
#include <unistd.h>
#include <waybill/dump.h>

static const struct option load_items[] = {
	{OPTION_SKIP_EXISTING, 0, "skip-existing", OPTION_IS_FLAG, NULL,
	 "leave what exists as it is, and load the rest"},
	{OPTION_DRY_RUN, 0, "dry-run", OPTION_IS_FLAG, NULL,
	 "check everything, write nothing"},
	{OPTION_REASON, 0, "reason", OPTION_IS_TEXT, "TEXT",
	 "why; the log keeps it"},
};

struct loading {
	struct session *session;
	const char *name; /* of the input, for people */
	struct spool spool;
	struct wb_dump_summary summary;
	struct wb_load_options options;
	struct wb_load_result result;
};

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static bool is_about_a_line(const struct wb_text *text)
{
	return strncmp(text->text, "line ", 5) == 0;
}

/* ---- the answer ---- */

static void tell_json(const struct loading *loading)
{
	const struct wb_load_result *result = &loading->result;
	json_t *json = json_object();

	json_field(&json, "history", json_boolean(loading->summary.history));
	json_field(&json, "dry_run", json_boolean(loading->options.dry_run));
	json_field(&json, "records", number_json(loading->summary.records));
	json_field(&json, "loaded", number_json(result->loaded));
	json_field(&json, "skipped", number_json(result->skipped));
	json_field(&json, "commits", number_json(result->commits));
	json_field(&json, "revision",
		   result->revision ? number_json(result->revision)
				    : json_null());
	output_json(&loading->session->output, json);
}

static void tell_history(const struct loading *loading)
{
	uint64_t commits = loading->result.commits;

	output_format(&loading->session->output, "%llu commit%s %s\n",
		      (unsigned long long)commits, plural(commits),
		      loading->options.dry_run ? "would be loaded" : "loaded");
}

static void tell_state(const struct loading *loading)
{
	const struct wb_load_result *result = &loading->result;
	struct output *output = &loading->session->output;

	output_format(output, "%llu record%s %s",
		      (unsigned long long)result->loaded,
		      plural(result->loaded),
		      loading->options.dry_run ? "would be loaded" : "loaded");
	if (result->commits > 1)
		output_format(output, " in %llu commits, the last",
			      (unsigned long long)result->commits);
	if (result->commits > 0)
		output_format(output, " at revision %llu",
			      (unsigned long long)result->revision);
	if (result->skipped > 0)
		output_format(output, ", %llu skipped",
			      (unsigned long long)result->skipped);
	output_text(output, "\n");
}

static void tell(const struct loading *loading)
{
	if (loading->session->json)
		tell_json(loading);
	else if (loading->session->quiet)
		return;
	else if (loading->summary.history)
		tell_history(loading);
	else
		tell_state(loading);
}

/* ---- a state ---- */

/* Where there is no store yet, nothing is in the way. */
static enum wb_error load_nowhere(struct loading *loading)
{
	loading->session->text = (struct wb_text){""};
	loading->result.loaded = loading->summary.records;
	return WB_OK;
}

/* A store that was made for it stays. Removed again it might be under the
 * hands of somebody who has found it meanwhile. */
static enum wb_error cancelled(struct loading *loading, bool is_new)
{
	const struct wb_load_result *result = &loading->result;
	struct session *session = loading->session;

	if (result->commits > 0)
		return fail(&session->text, WB_CANCELLED,
			    "interrupted; %llu of %llu records are loaded, up "
			    "to revision %llu: --skip-existing goes on from "
			    "there",
			    (unsigned long long)result->loaded,
			    (unsigned long long)result->records,
			    (unsigned long long)result->revision);
	if (!is_new || session_can_create(session))
		return fail(&session->text, WB_CANCELLED,
			    "interrupted, nothing was changed");
	return fail(&session->text, WB_CANCELLED,
		    "interrupted, nothing was loaded; the store dir:%s was "
		    "made, and is empty",
		    session->address.path);
}

static enum wb_error load_state(struct loading *loading)
{
	bool dry_run = loading->options.dry_run;
	struct session *session = loading->session;
	bool is_new = !dry_run && session->address.kind == ADDRESS_DIRECTORY &&
		      session_can_create(session);
	enum wb_error error =
		session_open(session, dry_run ? ACCESS_READ : ACCESS_CREATE);

	if (error == WB_NOT_A_STORE && dry_run && session_can_create(session))
		return load_nowhere(loading);
	if (error)
		return error == WB_CANCELLED ? cancelled(loading, is_new)
					     : error;
	error = wb_load(session->store, spool_read, &loading->spool,
			&loading->options, &loading->result, &session->text);
	session->changed_revision = loading->result.revision;
	return error == WB_CANCELLED ? cancelled(loading, is_new) : error;
}

/* ---- a history ---- */

static enum wb_error load_history(struct loading *loading)
{
	struct session *session = loading->session;
	struct wb_text inner = {""};
	struct wb_open_options open;
	const char *path;
	enum wb_error error;

	if (loading->options.skip_existing || loading->options.reason)
		return fail(&session->text, WB_USAGE,
			    "a history has its own reasons, and goes where "
			    "nothing exists: without --reason and "
			    "--skip-existing");
	loading->options.actor = NULL;
	/* Those above a default one would be made. */
	if (loading->options.dry_run && session->address.is_default &&
	    access(session->address.path, F_OK) != 0 &&
	    session_can_create(session)) {
		loading->result.commits = loading->summary.commits;
		return WB_OK;
	}
	error = session_place(session,
			      loading->options.dry_run ? ACCESS_READ
						       : ACCESS_CREATE,
			      &path, &open);
	if (error)
		return error;
	interrupt_hold();
	error = wb_load_history(path, &open, spool_read, &loading->spool,
				&loading->options, &loading->result, &inner);
	if (error && is_about_a_line(&inner))
		session->text = inner;
	else if (error)
		session_explain(session, ACCESS_CREATE, error, &inner);
	else if (!loading->options.dry_run)
		session->changed_revision = loading->result.revision;
	return error;
}

/* ---- the command ---- */

static enum wb_error load(struct loading *loading)
{
	struct session *session = loading->session;
	enum wb_error error = wb_dump_check(spool_read, &loading->spool,
					    &loading->summary, &session->text);

	if (!error)
		error = loading->summary.history ? load_history(loading)
						 : load_state(loading);
	if (error == WB_CANCELLED && loading->summary.history)
		return fail(&session->text, error,
			    "interrupted, nothing was loaded, and no store "
			    "made");
	if (error == WB_EXISTS && !loading->summary.history) {
		struct wb_text inner = session->text;

		fail(&session->text, error,
		     "%s; --skip-existing leaves such as they are", inner.text);
	}
	return error;
}

static bool is_interrupted(void *context)
{
	(void)context;
	return interrupt_seen();
}

static enum wb_error run_load(struct session *session)
{
	const char *path = session->arguments.operand_count > 0
				   ? session->arguments.operands[0]
				   : "-";
	struct loading loading = {
		.session = session,
		.name = strcmp(path, "-") == 0 ? "standard input" : path,
		.summary = {.size = sizeof(loading.summary)},
		.result = {.size = sizeof(loading.result)},
		.options =
			{.size = sizeof(loading.options),
			 .skip_existing =
				 session_option(session, OPTION_SKIP_EXISTING)
					 ->given,
			 .dry_run =
				 session_option(session, OPTION_DRY_RUN)->given,
			 .stop = is_interrupted,
			 .progress = progress_take},
	};
	struct wb_call call;
	enum wb_error error;

	if (session_option(session, OPTION_NAMESPACE)->given)
		return fail(&session->text, WB_USAGE,
			    "-n: the namespaces are those of the dump; take "
			    "one with `waybill dump -n`");
	error = session_call(session, &call);
	if (error)
		return error;
	loading.options.actor = call.actor;
	loading.options.reason = call.reason;
	error = spool_open(&loading.spool, path, &session->text);
	if (error)
		return error;
	error = load(&loading);
	spool_close(&loading.spool);
	if (!error)
		tell(&loading);
	else if (is_about_a_line(&session->text))
		fail_where(&session->text, error, loading.name);
	return error;
}

const struct command command_load = {
	.name = "load",
	.operands = "[FILE|-]",
	.summary = "Load what `waybill dump` wrote, checked whole first",
	.details = "The dump is checked whole before anything is written: one "
		   "that was cut short\nor changed is refused, and so is one "
		   "with a record that exists already, unless\n--skip-existing "
		   "is given. Up to 65,536 records or 16 MiB are one commit, "
		   "all or\nnothing. A longer dump takes several: where it is "
		   "interrupted between two, or\nthe disk is full, those that "
		   "were made stay, it is said how far it came, "
		   "and\n--skip-existing goes on from there.\n\nA dump made "
		   "with --history becomes a store in an empty directory, or "
		   "one that\nis made, with the revisions that it had: all of "
		   "it or nothing.",
	.operands_min = 0,
	.operands_max = 1,
	.options = {"Options of load", load_items,
		    sizeof(load_items) / sizeof(load_items[0])},
	.without_names = true,
	.run = run_load,
};
