/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"
#include "tools/timepoint.h"
#include "tools/wording.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct option show_items[] = {
	{OPTION_AT, 0, "at", OPTION_IS_TEXT, "POINT",
	 "in place of @{POINT}; with --raw the only way"},
};

/* Which version is looked for: the `skip`th of those before `before`. */
struct search {
	struct session *session;
	uint64_t before;
	uint64_t skip;
	uint64_t seen;
	bool found;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Splits NAME@{POINT}. Without a point it is the newest version. */
static enum wb_error read_operand(struct session *session,
				  const char **ret_name,
				  struct timepoint *ret_point)
{
	const char *operand = session->arguments.operands[0];
	const char *point = session_option(session, OPTION_AT)->text;
	const char *at = session->raw ? NULL : timepoint_find(operand);

	if (at && point)
		return fail(&session->text, WB_USAGE,
			    "--at and @{…} exclude each other");
	if (at) {
		operand = scratch_copy(&session->scratch, operand,
				       (size_t)(at - operand));
		point = scratch_copy(&session->scratch, at + 2,
				     strlen(at + 2) - 1);
		if (!operand || !point)
			return fail(&session->text, WB_NO_MEMORY,
				    "out of memory");
	}
	*ret_point = (struct timepoint){.kind = TIMEPOINT_VERSIONS_BACK};
	if (point) {
		enum wb_error error =
			timepoint_parse(point, now_ns(), ret_point,
					&session->text);

		if (error)
			return error;
	}
	return session_name(session, operand, ret_name);
}

/* The revision that a point in time means, or the point is itself. */
static enum wb_error as_of(struct session *session,
			   const struct timepoint *point,
			   uint64_t *ret_revision)
{
	struct wb_images *images = session->images;
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error error;

	if (point->kind == TIMEPOINT_TIME)
		return images->ops->revision_at(images, point->time_ns,
						ret_revision, &session->text);
	error = images->ops->stat(images, &stat, &session->text);
	if (!error && point->number > stat.revision)
		error = fail(&session->text, WB_NOT_FOUND,
			     "revision %llu is not there yet; the newest is "
			     "%llu",
			     (unsigned long long)point->number,
			     (unsigned long long)stat.revision);
	if (!error)
		*ret_revision = point->number;
	return error;
}

static bool visit_version(void *context, const struct wb_image_version *version)
{
	struct search *search = context;
	struct session *session = search->session;
	struct output *output = &session->output;

	if (search->seen++ < search->skip)
		return true;
	search->found = true;
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

static enum wb_error not_found(struct session *session, const char *name,
			       const struct timepoint *point,
			       const struct search *search)
{
	if (point->kind != TIMEPOINT_VERSIONS_BACK)
		return fail(&session->text, WB_NOT_FOUND,
			    "image \"%s\": did not exist then", name);
	if (search->seen == 0)
		return fail(&session->text, WB_NOT_FOUND,
			    "image \"%s\": not found", name);
	return fail(
		&session->text, WB_NOT_FOUND,
		"image \"%s\": has %llu version%s, so the oldest is @{%llu}",
		name, (unsigned long long)search->seen,
		search->seen == 1 ? "" : "s",
		(unsigned long long)search->seen - 1);
}

static enum wb_error show(struct session *session, const struct wb_call *call,
			  const char *name, const struct timepoint *point)
{
	struct search search = {.session = session};
	uint64_t revision = 0;
	enum wb_error error = WB_OK;

	if (point->kind == TIMEPOINT_VERSIONS_BACK) {
		search.skip = point->number;
	} else {
		error = as_of(session, point, &revision);
		if (!error && revision == 0)
			error = not_found(session, name, point, &search);
		search.before = revision + 1;
	}
	if (error)
		return error;
	error = session->images->ops->history(
		session->images, call, name, search.before,
		search.skip < SIZE_MAX ? (size_t)search.skip + 1 : SIZE_MAX,
		visit_version, &search, &session->text);
	if (search.found)
		return session->answered_no ? WB_NOT_FOUND : WB_OK;
	return error ? error : not_found(session, name, point, &search);
}

static enum wb_error run_show(struct session *session)
{
	struct wb_call call;
	struct timepoint point;
	const char *name;
	enum wb_error error = read_operand(session, &name, &point);

	if (!error)
		error = session_call(session, &call);
	if (!error)
		error = session_open(session, ACCESS_READ);
	return error ? error : show(session, &call, name, &point);
}

const struct command command_show = {
	.name = "show",
	.operands = "NAME[@{POINT}]",
	.summary = "Print a version of a name, and who wrote it",
	.details =
		"POINT is one of\n"
		"  N                       N versions ago; 0 is the newest\n"
		"  rN                      as of revision N\n"
		"  2026-08-01T12:00:00Z    as of that time (RFC 3339)\n"
		"  2026-08-01              as of 00:00 UTC that day\n"
		"  yesterday, 3 days ago   24 hours ago, 72 hours ago; "
		"seconds, "
		"minutes,\n"
		"                          hours and weeks too\n\n"
		"Where that version is a deletion it is printed, and the exit "
		"status is 2.\n-q prints the digest only.",
	.operands_min = 1,
	.operands_max = 1,
	.options = {"Options of show", show_items, 1},
	.run = run_show,
};
