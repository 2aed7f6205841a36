/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bytes.h"
#include "tools/commands.h"
#include "tools/head.h"
#include "tools/image_json.h"
#include "tools/interrupt.h"
#include "tools/progress.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <stdio.h>
#include <string.h>
#include <waybill/fsck.h>

static const struct option fsck_items[] = {
	{OPTION_REPAIR, 'p', "repair", OPTION_IS_FLAG, NULL,
	 "do what is provably safe: write a bad copy of a header\n"
	 "or anchor slot again, rebuild an anchor that the log\n"
	 "proves, cut an unfinished write (it is kept in torn/),\n"
	 "remove what was being made"},
	{OPTION_SALVAGE, 0, "salvage", OPTION_IS_TEXT, "NEWDIR",
	 "make a store in NEWDIR, which must be empty or not\n"
	 "exist, of all that verifies; list there what is lost"},
};

/* ---- as JSON: one object a line ---- */

static json_t *name_json(const struct wb_finding_name *name)
{
	json_t *json = json_object();

	json_field(&json, "kind", json_integer(name->key.kind));
	json_field(&json, "namespace", bytes_json(name->key.ns));
	json_field(&json, "name", bytes_json(name->key.name));
	json_field(&json, "revision", number_json(name->revision));
	json_field(&json, "exact", json_boolean(name->exact));
	return json;
}

static json_t *range_json(uint64_t first, uint64_t last)
{
	json_t *json = json_object();

	json_field(&json, "first", number_json(first));
	json_field(&json, "last",
		   last == UINT64_MAX ? json_null() : number_json(last));
	return json;
}

static const char *state_name(enum wb_finding_state state)
{
	static const char *const names[] = {
		[WB_FINDING_NOTED] = "noted",
		[WB_FINDING_LEFT] = "left",
		[WB_FINDING_FIXED] = "fixed",
	};

	return names[state];
}

static json_t *names_json(const struct wb_finding *finding)
{
	json_t *json = json_array();

	for (size_t at = 0; at < finding->name_count; at++)
		json_item(&json, name_json(&finding->names[at]));
	return json;
}

static void finding_json(struct session *session,
			 const struct wb_finding *finding)
{
	json_t *json = json_object();

	json_field(&json, "code", json_string(finding->code));
	json_field(&json, "severity", json_string(finding->severity));
	json_field(&json, "state", json_string(state_name(finding->state)));
	json_field(&json, "file", text_json(finding->file));
	json_field(&json, "offset", number_json(finding->offset));
	json_field(&json, "bytes", number_json(finding->bytes));
	json_field(&json, "revisions",
		   finding->revision_first ? range_json(finding->revision_first,
							finding->revision_last)
					   : json_null());
	json_field(&json, "text", json_string(finding->text));
	json_field(&json, "what", text_json(finding->what));
	json_field(&json, "remedy", json_string(finding->remedy));
	json_field(&json, "advice", json_string(finding->advice));
	json_field(&json, "names", names_json(finding));
	json_field(&json, "more_names", number_json(finding->more_names));
	output_json_as(&session->output, "finding", json);
}

static void summary_json(struct session *session,
			 const struct wb_fsck_summary *summary)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"found", summary->found},
		{"fixed", summary->fixed},
		{"left", summary->left},
		{"notes", summary->notes},
		{"unreadable", summary->unreadable},
		{"untold", summary->untold},
		{"revisions_affected", summary->revisions_affected},
		{"names_exact", summary->names_exact},
		{"names_probable", summary->names_probable},
		{"segments", summary->segments},
		{"commits", summary->commits},
		{"mutations", summary->mutations},
		{"file_bytes", summary->file_bytes},
		{"revision", summary->revision},
	};
	json_t *json = json_object();

	json_field(&json, "status", json_integer(summary->status));
	json_field(&json, "uuid",
		   hex_json(summary->uuid, sizeof(summary->uuid)));
	json_field(&json, "epoch", word_json(summary->epoch));
	for (size_t at = 0; at < sizeof(numbers) / sizeof(*numbers); at++)
		json_field(&json, numbers[at].key,
			   number_json(numbers[at].value));
	output_json_as(&session->output, "summary", json);
}

/* ---- for people ---- */

static unsigned long long number(uint64_t value)
{
	return value;
}

/* `NAME in NAMESPACE, revision 5, probably` */
static void print_name(struct output *output,
		       const struct wb_finding_name *name, const char *more)
{
	output_text(output, "  name      ");
	output_plain_key(output, &name->key);
	if (name->revision)
		output_format(output, ", revision %llu",
			      number(name->revision));
	output_format(output, "%s%s\n", name->exact ? "" : ", probably", more);
}

static void print_range(struct session *session, const char *heading,
			uint64_t first, uint64_t last, const char *more)
{
	output_format(&session->output, "%-11s ", heading);
	if (last == UINT64_MAX)
		output_format(&session->output, "%llu and all after it",
			      number(first));
	else if (first == last)
		output_format(&session->output, "%llu", number(first));
	else
		output_format(&session->output, "%llu to %llu", number(first),
			      number(last));
	output_format(&session->output, "%s\n", more);
}

static void print_finding(struct session *session,
			  const struct wb_finding *finding)
{
	struct output *output = &session->output;
	bool fixed = finding->state == WB_FINDING_FIXED;

	output_format(output, "%s: ", fixed ? "fixed" : finding->severity);
	if (*finding->file) {
		output_plain(output, finding->file);
		output_format(output,
			      ", offset %llu: ", number(finding->offset));
	}
	output_format(output, "%s", finding->text);
	if (*finding->what) {
		output_text(output, ": ");
		output_sentence(output, finding->what);
	}
	output_text(output, "\n");
	if (finding->revision_first)
		print_range(session, "  revision", finding->revision_first,
			    finding->revision_last, "");
	for (size_t at = 0; at < finding->name_count; at++)
		print_name(output, &finding->names[at], "");
	if (finding->revision_first && finding->name_count == 0 &&
	    finding->more_names == 0 && !fixed)
		output_text(output, "  names     not known\n");
	if (finding->more_names)
		output_format(output, "  and       %llu more changes%s\n",
			      number(finding->more_names),
			      finding->name_count ? "" : " of unknown names");
	if (!fixed && finding->state != WB_FINDING_NOTED)
		output_format(output, "  to do     %s\n", finding->advice);
}

static void print_summary(struct session *session,
			  const struct wb_fsck_summary *summary)
{
	struct output *output = &session->output;

	output_format(output, "%llu found, %llu fixed, %llu left",
		      number(summary->found), number(summary->fixed),
		      number(summary->left));
	if (summary->notes)
		output_format(output, ", %llu note%s", number(summary->notes),
			      summary->notes == 1 ? "" : "s");
	if (summary->untold)
		output_format(output, "; %llu of them not told",
			      number(summary->untold));
	if (summary->revisions_affected)
		output_format(output, "; %llu revision%s affected",
			      number(summary->revisions_affected),
			      summary->revisions_affected == 1 ? "" : "s");
	output_format(output,
		      "\n%llu commit%s in %llu segment%s, whole up to revision "
		      "%llu\n",
		      number(summary->commits),
		      summary->commits == 1 ? "" : "s",
		      number(summary->segments),
		      summary->segments == 1 ? "" : "s",
		      number(summary->revision));
}

/* ---- visitors ---- */

static void take_finding(void *context, const struct wb_finding *finding)
{
	struct session *session = context;

	if (session->json) {
		finding_json(session, finding);
		return;
	}
	if (!session->quiet) {
		print_finding(session, finding);
		return;
	}
	for (size_t at = 0; at < finding->name_count; at++) {
		struct wb_bytes name = finding->names[at].key.name;

		if (session->line_end == '\0')
			output_bytes(&session->output, name.data, name.size);
		else
			output_plain_bytes(&session->output, name);
		output_bytes(&session->output, &session->line_end, 1);
	}
}

/* With --salvage -q the names that are lost are of interest. */
static void take_finding_of_ruin(void *context,
				 const struct wb_finding *finding)
{
	struct session *session = context;

	if (!session->quiet)
		take_finding(context, finding);
}

static void take_lost(void *context, uint64_t first, uint64_t last)
{
	struct session *session = context;

	if (session->json)
		output_json_as(&session->output, "lost",
			       range_json(first, last));
	else if (!session->quiet)
		print_range(session, "lost", first, last, "");
}

static void take_moved(void *context, const struct wb_salvage_move *move)
{
	struct session *session = context;
	char more[40];

	if (session->json) {
		json_t *json = range_json(move->first, move->last);

		json_field(&json, "to", number_json(move->to));
		output_json_as(&session->output, "moved", json);
		return;
	}
	snprintf(more, sizeof(more), ", from %llu on now", number(move->to));
	if (!session->quiet)
		print_range(session, "moved", move->first, move->last, more);
}

static const struct {
	const char *name, *text;
} nows[] = {
	[WB_SALVAGE_CURRENT] = {"current", ": a later change survived"},
	[WB_SALVAGE_OLDER] = {"older", ": the new store has what was before"},
	[WB_SALVAGE_ABSENT] = {"absent", ": the new store has it not"},
};

static void take_summary(void *context, const struct wb_fsck_summary *summary)
{
	struct session *session = context;

	if (session->json)
		summary_json(session, summary);
	else if (!session->quiet)
		print_summary(session, summary);
}

static void take_name(void *context, const struct wb_salvage_name *name)
{
	struct wb_finding_name plain = {name->key, name->revision, name->exact};
	struct wb_finding finding = {.names = &plain, .name_count = 1};
	struct session *session = context;

	if (session->json) {
		json_t *json = name_json(&plain);

		json_field(&json, "now", json_string(nows[name->now].name));
		output_json_as(&session->output, "name", json);
	} else if (session->quiet) {
		take_finding(context, &finding);
	} else {
		print_name(&session->output, &plain, nows[name->now].text);
	}
}

/* ---- salvage ---- */

static void salvaged_json(struct session *session,
			  const struct wb_salvage_summary *summary)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"commits", summary->commits},
		{"revision", summary->revision},
		{"unchanged", summary->unchanged},
		{"revisions_lost", summary->revisions_lost},
		{"names_exact", summary->names_exact},
		{"names_probable", summary->names_probable},
		{"names_unknown", summary->names_unknown},
		{"revisions_nameless", summary->revisions_nameless},
		{"unknown_from", summary->unknown_from},
	};
	json_t *json = json_object();

	json_field(&json, "status", json_integer(summary->status));
	json_field(&json, "uuid",
		   hex_json(summary->uuid, sizeof(summary->uuid)));
	json_field(&json, "epoch", word_json(summary->epoch));
	for (size_t at = 0; at < sizeof(numbers) / sizeof(*numbers); at++)
		json_field(&json, numbers[at].key,
			   number_json(numbers[at].value));
	output_json_as(&session->output, "salvage", json);
}

static void print_salvaged(struct session *session, const char *to,
			   const struct wb_salvage_summary *summary)
{
	struct output *output = &session->output;

	output_format(output, "%llu commit%s in ", number(summary->commits),
		      summary->commits == 1 ? " is" : "s are");
	output_plain(output, to);
	if (summary->unknown_from == 0)
		output_format(output, " now, lost: %llu",
			      number(summary->revisions_lost));
	else if (summary->revisions_lost > 0)
		output_format(output, " now, lost: at least %llu",
			      number(summary->revisions_lost));
	else
		output_text(output, " now, lost: not known");
	output_text(output, "; a mark there keeps garbage collection off\n");
	if (summary->unchanged)
		output_format(output,
			      "up to revision %llu the history is what it "
			      "was\n",
			      number(summary->unchanged));
	if (summary->unknown_from == 1)
		output_text(output,
			    "how many commits there were cannot be told\n");
	else if (summary->unknown_from)
		output_format(output,
			      "how many commits there were after revision %llu "
			      "cannot be told\n",
			      number(summary->unknown_from - 1));
	if (summary->revisions_lost == 0 && summary->unknown_from == 0)
		return;
	output_format(output,
		      "lost changes whose names are known: %llu, probably: "
		      "%llu; see ",
		      number(summary->names_exact),
		      number(summary->names_probable));
	output_plain(output, to);
	output_format(output, "/%s\n", WB_SALVAGE_LIST);
	if (summary->names_unknown)
		output_format(output, "of unknown names, at least: %llu\n",
			      number(summary->names_unknown));
	if (summary->revisions_nameless)
		output_format(
			output,
			"lost revisions of which no name is known: %llu\n",
			number(summary->revisions_nameless));
}

static bool is_interrupted(void *context)
{
	(void)context;
	return interrupt_seen();
}

static enum wb_error salvage(struct session *session,
			     const struct wb_fsck_options *options,
			     struct wb_text *inner)
{
	const char *to = session_option(session, OPTION_SALVAGE)->text;
	struct wb_salvage_visitor visitor = {
		.size = sizeof(visitor),
		.finding = take_finding_of_ruin,
		.lost = take_lost,
		.moved = take_moved,
		.name = take_name,
		.checked = take_summary,
		.context = session,
	};
	struct wb_salvage_summary summary = {.size = sizeof(summary)};
	enum wb_error error;

	interrupt_hold();
	error = wb_salvage(session->address.path, to, options, &visitor,
			   &summary, inner);
	interrupt_release(!error);
	if (error)
		return error;
	session->status = (int)summary.status;
	if (session->json)
		salvaged_json(session, &summary);
	else if (!session->quiet)
		print_salvaged(session, to, &summary);
	return WB_OK;
}

/* ---- check ---- */

/* Is what was said about the directory of --salvage? */
static bool is_about_target(const struct session *session,
			    const struct wb_text *inner)
{
	const struct option_value *to = session_option(session, OPTION_SALVAGE);
	size_t size = to->given ? strlen(to->text) : 0;

	return size > 0 && strncmp(inner->text, to->text, size) == 0 &&
	       inner->text[size] == ':';
}

/* What the library said, with the store's name before it. */
static enum wb_error explain(struct session *session, enum wb_error error,
			     const struct wb_text *inner)
{
	if (error == WB_CANCELLED)
		return fail(&session->text, error, "%s",
			    session_option(session, OPTION_SALVAGE)->given
				    ? "interrupted, no new store was made"
				    : inner->text);
	if (error == WB_LOCKED)
		return fail(&session->text, error,
			    "dir:%s: %s; when that process has ended it can "
			    "be checked",
			    session->address.path, inner->text);
	if (is_about_target(session, inner))
		return fail(&session->text, error, "%s", inner->text);
	return session_explain(session, ACCESS_READ, error, inner);
}

static enum wb_error check(struct session *session,
			   const struct wb_fsck_options *options,
			   struct wb_text *inner)
{
	struct wb_fsck_summary summary = {.size = sizeof(summary)};
	bool repair = options->flags & WB_FSCK_REPAIR;
	enum wb_error error;

	if (repair)
		interrupt_hold();
	error = wb_fsck(session->address.path, options, take_finding, session,
			&summary, inner);
	if (repair)
		interrupt_release(summary.fixed > 0);
	/* A repair that failed comes with what was found all the same. */
	if (error && !(summary.status & WB_FSCK_OPERATIONAL))
		return error;
	session->status = (int)summary.status;
	take_summary(session, &summary);
	if (error) {
		(void)explain(session, error, inner);
		complain_error(&session->complainer,
			       &(struct complaint){
				       .error = error,
				       .message = session->text.text,
			       });
	}
	return WB_OK;
}

static enum wb_error run_fsck(struct session *session)
{
	bool repair = session_option(session, OPTION_REPAIR)->given;
	bool to_new = session_option(session, OPTION_SALVAGE)->given;
	struct wb_fsck_options options = {
		.size = sizeof(options),
		.flags = repair ? WB_FSCK_REPAIR : 0,
		.threads = 2,
		.report = complain_report,
		.report_context = &session->complainer,
		.stop = is_interrupted,
		.progress = progress_take,
	};
	struct wb_text inner = {""};
	enum wb_error error;

	interrupt_as_fsck();
	if (repair && to_new)
		return fail(&session->text, WB_USAGE,
			    "-p and --salvage exclude each other: one works in "
			    "place, the other on a copy");
	if (to_new && !*session_option(session, OPTION_SALVAGE)->text)
		return fail(&session->text, WB_USAGE,
			    "--salvage needs the name of a directory");
	if (session->address.kind == ADDRESS_SOCKET)
		return fail(&session->text, WB_USAGE,
			    "fsck reads a directory: --store dir:PATH");
	if (session_option(session, OPTION_ANY_FILESYSTEM)->given)
		options.flags |= WB_FSCK_ANY_FILESYSTEM;
	error = to_new ? salvage(session, &options, &inner)
		       : check(session, &options, &inner);
	return error ? explain(session, error, &inner) : WB_OK;
}

static int fsck_status_of(enum wb_error error)
{
	switch (error) {
	case WB_OK:
		return WB_FSCK_CLEAN;
	case WB_USAGE:
	case WB_BAD_INPUT: /* a namespace that cannot be one */
		return WB_FSCK_USAGE;
	case WB_CANCELLED:
		return WB_FSCK_CANCELLED;
	default:
		return WB_FSCK_OPERATIONAL;
	}
}

static const struct status_meaning fsck_meanings[] = {
	{WB_FSCK_CLEAN, "nothing is wrong; notes do not count"},
	{WB_FSCK_CORRECTED, "something was corrected; with --salvage: all of "
			    "it is in the new store"},
	{WB_FSCK_LEFT, "something is wrong and left; with --salvage: something "
		       "is lost"},
	{WB_FSCK_OPERATIONAL, "something could not be read or done; a newer "
			      "version wrote it"},
	{WB_FSCK_USAGE, "wrong option or argument"},
	{WB_FSCK_CANCELLED, "interrupted"},
};
static const struct status_list fsck_statuses = {
	"Exit status, the sum of", fsck_meanings,
	sizeof(fsck_meanings) / sizeof(fsck_meanings[0])};

const struct command command_fsck = {
	.name = "fsck",
	.operands = "",
	.summary = "Check a store's files; repair them, or salvage the rest",
	.details =
		"Every rule of the format is checked, also in a store that "
		"cannot be opened, by\na reader that shares no code with the "
		"store. Each finding names file, offset,\nrevisions and names "
		"(\"probably\" where only a damaged frame says so), and what\n"
		"can be done. Only a directory (dir:PATH) can be checked, and "
		"nobody may write\nto it meanwhile.\n"
		"\n"
		"Without -p and --salvage nothing is changed. Nothing "
		"acknowledged is ever\nrepaired in place or dropped: what does "
		"not verify stays as it is, and --salvage\nmakes a new store "
		"beside it. Commits before the first loss keep their "
		"revisions,\nlater ones move up; the list of what is lost is "
		"NEWDIR/salvage.jsonl. Where\nnothing proves the end of the "
		"log, it is said that nobody can tell how many more\nthere "
		"were. A mark in the new store keeps garbage collection off "
		"until a person\nsays otherwise.\n"
		"\n"
		"--json prints one object a line: {\"finding\":…} each, then "
		"{\"summary\":…};\nwith --salvage {\"lost\":…}, "
		"{\"moved\":…} and {\"name\":…} between them, and\n"
		"{\"salvage\":…} at the end. -q prints the affected names, "
		"with --salvage the\nlost ones.",
	.operands_min = 0,
	.operands_max = 0,
	.options = {"Options of fsck", fsck_items,
		    sizeof(fsck_items) / sizeof(fsck_items[0])},
	.status_of = fsck_status_of,
	.statuses = &fsck_statuses,
	.long_work = true,
	.without_names = true,
	.run = run_fsck,
};
