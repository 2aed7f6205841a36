/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/grid.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"
#include "tools/timepoint.h"
#include "tools/wording.h"

#include <stdio.h>

#define LOG_LINES 50

static const struct option log_items[] = {
	{OPTION_LIMIT, 0, "limit", OPTION_IS_NUMBER, "N",
	 "stop after N lines, but not within a commit; 0: never;\n"
	 "by default 50"},
	{OPTION_BEFORE, 0, "before", OPTION_IS_NUMBER, "REVISION",
	 "only what is older than REVISION"},
};

static const struct grid_column columns_of_all[] = {
	{.heading = "REVISION", .right = true},
	{.heading = "TIME"},
	{.heading = "CHANGE"},
	{.heading = "NAME"},
	{.heading = "DIGEST"},
	{.heading = "BY"},
	{.heading = "REASON"},
	{.heading = NULL},
};
static const struct grid_column columns_of_name[] = {
	{.heading = "VERSION"}, {.heading = "REVISION", .right = true},
	{.heading = "TIME"},	{.heading = "CHANGE"},
	{.heading = "DIGEST"},	{.heading = "BY"},
	{.heading = "REASON"},	{.heading = NULL},
};

struct story {
	struct session *session;
	const char *name; /* NULL: all */
	struct grid grid;
	size_t count;
	size_t lines; /* how many were asked for; 0: all */
	uint64_t last;
	bool more;
};

static void print_row(struct story *story,
		      const struct wb_image_version *version)
{
	char number[32];
	char revision[24];
	char time[TIME_TEXT_BYTES];
	char actor[ACTOR_TEXT_BYTES];
	const char *change = version->deleted		  ? "delete"
			     : version->previous_revision ? "replace"
							  : "create";
	const char *digest =
		version->image ? version->image->target.digest : "-";
	const char *of_all[] = {revision, time,	 change,	 version->name,
				digest,	  actor, version->reason};
	const char *of_name[] = {number, revision, time,	   change,
				 digest, actor,	   version->reason};

	snprintf(number, sizeof(number), "@{%zu}", story->count);
	snprintf(revision, sizeof(revision), "%llu",
		 (unsigned long long)version->revision);
	time_format(version->time_ns, true, time);
	actor_format(&version->actor, actor);
	/* Counted from a later point, the version numbers would be wrong. */
	if (session_option(story->session, OPTION_BEFORE)->given)
		snprintf(number, sizeof(number), "@{r%s}", revision);
	grid_row(&story->grid, story->name ? of_name : of_all);
}

static bool visit_version(void *context, const struct wb_image_version *version)
{
	struct story *story = context;
	struct session *session = story->session;

	/* All are asked for, to know whether there is one more. */
	story->more = story->lines && story->count >= story->lines &&
		      version->revision != story->last;
	if (story->more)
		return false;
	story->last = version->revision;
	if (session->json)
		output_json(&session->output, version_json(version));
	else if (session->quiet)
		output_format(&session->output, "%llu%c",
			      (unsigned long long)version->revision,
			      session->line_end);
	else
		print_row(story, version);
	story->count++;
	return session->output.error_number == 0;
}

static enum wb_error tell_history(struct session *session,
				  const struct wb_call *call, const char *name)
{
	const struct option_value *limit =
		session_option(session, OPTION_LIMIT);
	struct story story = {
		.session = session,
		.name = name,
		.lines = limit->given ? (size_t)limit->number : LOG_LINES,
	};
	bool people = !session->json && !session->quiet;
	enum wb_error error;

	if (people)
		grid_begin(&story.grid, &session->output,
			   name ? columns_of_name : columns_of_all);
	error = session->images->ops->history(
		session->images, call, name,
		session_option(session, OPTION_BEFORE)->number, 0,
		visit_version, &story, &session->text);
	if (people)
		grid_end(&story.grid);
	if (!error && name && story.count == 0)
		return fail(&session->text, WB_NOT_FOUND,
			    "image \"%s\": no history", name);
	if (!error && people && story.more)
		complain(&session->complainer, WB_NOTE,
			 "more changes follow; continue with --before %llu",
			 (unsigned long long)story.last);
	return error;
}

static enum wb_error run_log(struct session *session)
{
	struct wb_call call;
	const char *name = NULL;
	enum wb_error error = session_call(session, &call);

	if (!error && session->arguments.operand_count > 0)
		error = session_name(session, session->arguments.operands[0],
				     &name);
	if (!error)
		error = session_open(session, ACCESS_READ);
	return error ? error : tell_history(session, &call, name);
}

const struct command command_log = {
	.name = "log",
	.operands = "[NAME]",
	.summary = "Print who changed what, when and why, newest first",
	.details = "Of NAME, or of all names of the namespace. -q prints "
		   "revisions only.",
	.operands_min = 0,
	.operands_max = 1,
	.options = {"Options of log", log_items,
		    sizeof(log_items) / sizeof(log_items[0])},
	.run = run_log,
};
