/* SPDX-License-Identifier: Apache-2.0
 *
 * Oldest first and without a limit, unlike log: it is read by machines, and by
 * people who ask what happened in the order in which it did; a trail that
 * silently leaves lines out is none.
 */
#include "images/image.h"
#include "tools/changes.h"
#include "tools/commands.h"
#include "tools/head.h"
#include "tools/image_json.h"
#include "tools/named_version.h"
#include "tools/print.h"
#include "tools/wording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option log_items[] = {
	{OPTION_ALL_NAMESPACES, 'A', "all-namespaces", OPTION_IS_FLAG, NULL,
	 "of every namespace"},
	{OPTION_UID, 0, "uid", OPTION_IS_NUMBER, "UID",
	 "only what this user did"},
	{OPTION_SINCE, 0, "since", OPTION_IS_TEXT, "TIME",
	 "only what was done at TIME or later"},
	{OPTION_UNTIL, 0, "until", OPTION_IS_TEXT, "TIME",
	 "only what was done at TIME or earlier"},
	{OPTION_FROM, 0, "from", OPTION_IS_NUMBER, "REVISION",
	 "only REVISION and what came after it"},
	{OPTION_TO, 0, "to", OPTION_IS_NUMBER, "REVISION",
	 "only REVISION and what came before it"},
};

/* A change with its values decoded and its strings ended. */
struct told {
	const struct wb_audit_change *change;
	char *ns;
	char *name;
	char *reason;
	char *operation_id;
	struct wb_image *before; /* NULL: not there, not known, no image */
	struct wb_image *after;
	bool opaque; /* its values are not images */
	bool failed; /* out of memory */
};

/* A copy of the bytes as a string, zero bytes as \x00; for free(). */
static char *string_of(struct wb_bytes bytes, bool *failed)
{
	const char *from = bytes.data;
	char *string = malloc(4 * bytes.size + 1);
	char *to = string;

	if (!string) {
		*failed = true;
		return NULL;
	}
	for (size_t at = 0; at < bytes.size; at++) {
		if (from[at])
			*to++ = from[at];
		else
			to = stpcpy(to, "\\x00");
	}
	*to = 0;
	return string;
}

static struct wb_image *decode(struct told *told, struct wb_bytes value,
			       uint64_t revision)
{
	struct wb_image *image = NULL;
	enum wb_error error =
		image_decode(told->change->version.record.key.name, value,
			     revision, &image);

	told->failed = told->failed || error == WB_NO_MEMORY;
	told->opaque = told->opaque || error == WB_CORRUPT;
	return image;
}

static void told_init(struct told *told, const struct wb_audit_change *change)
{
	const struct wb_version *version = &change->version;

	*told = (struct told){.change = change};
	told->ns = string_of(version->record.key.ns, &told->failed);
	told->name = string_of(version->record.key.name, &told->failed);
	told->reason = string_of(version->reason, &told->failed);
	told->operation_id = string_of(version->operation_id, &told->failed);
	told->opaque = version->record.key.kind != WB_KIND_IMAGE;
	if (told->opaque)
		return;
	if (!version->deleted)
		told->after = decode(told, version->record.value,
				     version->record.revision);
	if (change->before)
		told->before = decode(told, change->before->value,
				      change->before->revision);
}

static void told_release(struct told *told)
{
	free(told->ns);
	free(told->name);
	free(told->reason);
	free(told->operation_id);
	wb_image_free(told->before);
	wb_image_free(told->after);
}

static const char *what(const struct wb_version *version)
{
	return version->deleted		    ? "delete"
	       : version->previous_revision ? "replace"
					    : "create";
}

/* The value before is not told, though there was one. */
static bool is_hidden(const struct wb_audit_change *change)
{
	return change->version.previous_revision != 0 && !change->before;
}

/* ---- JSON ---- */

static json_t *value_json(const struct told *told, bool exists,
			  const struct wb_image *image, size_t bytes)
{
	json_t *json;

	if (!exists)
		return json_null();
	if (!told->opaque)
		return image_json(image);
	json = json_object();
	json_field(&json, "bytes", number_json(bytes));
	return json;
}

static void tell_json(struct output *output, const struct told *told)
{
	const struct wb_audit_change *change = told->change;
	const struct wb_version *version = &change->version;
	uint32_t kind = version->record.key.kind;
	json_t *json = json_object();

	json_field(&json, "revision", number_json(version->record.revision));
	json_field(&json, "time", time_json(version->record.time_ns));
	json_field(&json, "change", json_string(what(version)));
	json_field(&json, "kind",
		   kind == WB_KIND_IMAGE ? json_string("image")
					 : number_json(kind));
	json_field(&json, "namespace", text_json(told->ns));
	json_field(&json, "name", text_json(told->name));
	json_field(&json, "previous_revision",
		   number_json(version->previous_revision));
	json_field(&json, "actor", actor_json(&version->actor));
	json_field(&json, "reason", text_json(told->reason));
	json_field(&json, "operation_id", text_json(told->operation_id));
	json_field(&json, "before",
		   value_json(told, change->before, told->before,
			      change->before ? change->before->value.size : 0));
	json_field(&json, "after",
		   value_json(told, !version->deleted, told->after,
			      version->record.value.size));
	json_field(&json, "chain",
		   change->chain ? hex_json(change->chain, WB_CHAIN_BYTES)
				 : json_null());
	output_json(output, json);
}

/* ---- for people ---- */

static void tell_change(void *output, const struct change *change)
{
	print_change(output, change);
}

static void tell_values(struct output *output, const struct told *told)
{
	const struct wb_audit_change *change = told->change;
	char before[32] = "";
	char after[32] = "";

	if (is_hidden(change)) {
		print_field(output, "before", "not known: damage hides it");
		if (told->after)
			changes_between(NULL, told->after, tell_change, output);
		return;
	}
	if (!told->opaque) {
		changes_between(told->before, told->after, tell_change, output);
		return;
	}
	if (change->before)
		snprintf(before, sizeof(before), "%zu bytes",
			 change->before->value.size);
	snprintf(after, sizeof(after), "%zu bytes",
		 change->version.record.value.size);
	print_change(output,
		     &(struct change){.heading = "value",
				      .before = change->before ? before : NULL,
				      .after = change->version.deleted
						       ? NULL
						       : after});
}

static void tell_lines(struct output *output, const struct told *told)
{
	const struct wb_version *version = &told->change->version;
	char text[ACTOR_TEXT_BYTES];

	print_number(output, "revision", version->record.revision);
	print_time(output, "time", version->record.time_ns);
	actor_format(&version->actor, text);
	print_field(output, "by", text);
	if (*told->reason)
		print_field(output, "reason", told->reason);
	if (*told->operation_id)
		print_field(output, "operation", told->operation_id);
	print_field(output, what(version), told->name);
	print_field(output, "namespace", told->ns);
	if (version->record.key.kind != WB_KIND_IMAGE)
		print_number(output, "kind", version->record.key.kind);
	tell_values(output, told);
}

struct trail {
	struct session *session;
	bool begun;
	bool damage_told;
	bool visited;
};

static bool visit_change(void *context, const struct wb_audit_change *change)
{
	struct trail *trail = context;
	struct session *session = trail->session;
	struct output *output = &session->output;
	struct told told;

	trail->visited = true;
	if (!session->json && session->quiet) {
		output_format(output, "%llu%c",
			      (unsigned long long)
				      change->version.record.revision,
			      session->line_end);
		return output->error_number == 0;
	}
	told_init(&told, change);
	if (told.failed) {
		output->out_of_memory = true;
	} else if (session->json) {
		tell_json(output, &told);
	} else {
		output_text(output, trail->begun ? "\n" : "");
		trail->begun = true;
		tell_lines(output, &told);
	}
	told_release(&told);
	return output->error_number == 0 && !output->out_of_memory;
}

/* ---- what is wanted ---- */

/* Where the bounds that a filter points at live. */
struct bounds {
	struct wb_bytes ns, name;
	uint32_t uid;
	int64_t since_ns, until_ns;
};

static enum wb_error read_time(struct session *session, enum option_id id,
			       int64_t *bound, const int64_t **ret_bound)
{
	const char *text = session_option(session, id)->text;
	struct timepoint point;
	struct wb_text ignored;

	if (!text)
		return WB_OK;
	if (timepoint_out_of_range(text))
		return fail(&session->text, WB_BAD_INPUT, "--%s %s: %s",
			    id == OPTION_SINCE ? "since" : "until", text,
			    timepoint_range);
	if (timepoint_parse(text, now_ns(), &point, &ignored) ||
	    point.kind != TIMEPOINT_TIME)
		return fail(&session->text, WB_BAD_INPUT,
			    "--%s %s: neither a date, an RFC 3339 time, "
			    "now, yesterday, nor as in \"3 days ago\"",
			    id == OPTION_SINCE ? "since" : "until", text);
	*bound = point.time_ns;
	*ret_bound = bound;
	return WB_OK;
}

static enum wb_error read_name(struct session *session, struct bounds *bounds,
			       struct wb_audit_filter *filter)
{
	const char *name;
	enum wb_error error;

	if (!session_option(session, OPTION_ALL_NAMESPACES)->given) {
		bounds->ns =
			(struct wb_bytes){session->ns, strlen(session->ns)};
		filter->ns = &bounds->ns;
	} else if (session_option(session, OPTION_NAMESPACE)->given) {
		return fail(&session->text, WB_USAGE,
			    "-n and --all-namespaces exclude each other");
	}
	if (session->arguments.operand_count == 0)
		return WB_OK;
	error = session_name(session, session->arguments.operands[0], &name);
	if (error)
		return error;
	bounds->name = (struct wb_bytes){name, strlen(name)};
	filter->name = &bounds->name;
	filter->kind = WB_KIND_IMAGE;
	return WB_OK;
}

static enum wb_error read_filter(struct session *session, struct bounds *bounds,
				 struct wb_audit_filter *filter)
{
	const struct option_value *uid = session_option(session, OPTION_UID);
	const struct option_value *from = session_option(session, OPTION_FROM);
	const struct option_value *to = session_option(session, OPTION_TO);
	enum wb_error error = read_name(session, bounds, filter);

	if (!error)
		error = read_time(session, OPTION_SINCE, &bounds->since_ns,
				  &filter->since_ns);
	if (!error)
		error = read_time(session, OPTION_UNTIL, &bounds->until_ns,
				  &filter->until_ns);
	if (error)
		return error;
	if (uid->number > UINT32_MAX)
		return fail(&session->text, WB_BAD_INPUT,
			    "--uid %llu: no user has this number",
			    (unsigned long long)uid->number);
	if (to->given && to->number == 0)
		return fail(&session->text, WB_BAD_INPUT,
			    "--to 0: the first revision is 1");
	if (to->given && to->number < from->number)
		return fail(&session->text, WB_USAGE,
			    "--from %llu --to %llu: the first is after the "
			    "last",
			    (unsigned long long)from->number,
			    (unsigned long long)to->number);
	bounds->uid = (uint32_t)uid->number;
	if (uid->given)
		filter->uid = &bounds->uid;
	filter->first_revision = from->number;
	filter->last_revision = to->number;
	return WB_OK;
}

static void report(void *context, enum wb_severity severity, const char *line)
{
	struct trail *trail = context;

	trail->damage_told |= severity == WB_DAMAGE;
	complain_report(&trail->session->complainer, severity, line);
}

/* Errors behind which the answer counts. */
static bool is_of_the_log(enum wb_error error)
{
	return error == WB_CORRUPT || error == WB_IO || error == WB_UNSUPPORTED;
}

static bool visit_any(void *visited, const struct wb_audit_change *change)
{
	(void)change;
	*(bool *)visited = true;
	return false;
}

static void hush(void *context, enum wb_severity severity, const char *line)
{
	(void)context;
	(void)severity;
	(void)line;
}

/* Nothing was told of a name: was there ever anything? */
static enum wb_error check_name(struct session *session, const char *path,
				const struct wb_audit_options *options,
				const struct wb_audit_filter *filter,
				struct wb_text *inner)
{
	struct wb_audit_filter all = {
		.size = sizeof(all),
		.ns = filter->ns,
		.name = filter->name,
		.kind = filter->kind,
	};
	bool visited = false;
	enum wb_error error =
		wb_audit_log(path, options, &all, visit_any, &visited, inner);

	if (error || visited)
		return error;
	return fail(&session->text, WB_NOT_FOUND, "image \"%s\": no history",
		    (const char *)filter->name->data);
}

static enum wb_error run_audit_log(struct session *session)
{
	struct wb_audit_filter filter = {.size = sizeof(filter)};
	struct trail trail = {.session = session};
	struct bounds bounds = {.uid = 0};
	struct wb_audit_options options;
	struct wb_text inner = {""};
	const char *path;
	enum wb_error error = read_filter(session, &bounds, &filter);

	if (!error)
		error = session_directory(session, &path, &options);
	if (error)
		return error;
	/* Each damage is told; no error follows that would say it again. */
	options.report = report;
	options.report_context = &trail;
	error = wb_audit_log(path, &options, &filter, visit_change, &trail,
			     &inner);
	session->answered_no = trail.damage_told && is_of_the_log(error);
	if (!error && filter.name && !trail.visited) {
		options.report = hush; /* it is said already */
		error = check_name(session, path, &options, &filter, &inner);
		if (error == WB_NOT_FOUND)
			return error;
	}
	return error ? session_explain(session, ACCESS_READ, error, &inner)
		     : WB_OK;
}

const struct command command_audit_log = {
	.name = "audit log",
	.operands = "[NAME]",
	.summary = "Print every change: who, when, why, before and after",
	.details = "Oldest first, and all of them, of NAME or of all names of "
		   "the namespace: who did\nit, when, from which process, why, "
		   "and what changed: - is what was there before,\n+ what is "
		   "there since. --json has the whole image before and after, "
		   "and the\nchain value of each commit.\n\nTIME is a date "
		   "(00:00 UTC), RFC 3339, \"now\", \"yesterday\" or as in "
		   "\"3 days ago\";\neach change has the time that the clock "
		   "showed "
		   "then.\n\nThe log is read by a reader that shares no code "
		   "with the store. It goes on\nbehind damage and tells what "
		   "is whole; what damage hides is said to be hidden,\nand the "
		   "exit status is 6; 74 where the disk does not give\na part, "
		   "1 where a newer version wrote one. -q prints revisions "
		   "only.",
	.operands_min = 0,
	.operands_max = 1,
	.options = {"Options of audit log", log_items,
		    sizeof(log_items) / sizeof(log_items[0])},
	.long_work = true,
	.run = run_audit_log,
};
