/* SPDX-License-Identifier: Apache-2.0
 *
 * The report is the answer, also where it is a bad one: it goes to standard
 * output, and what is damaged to standard error, a line each.
 */
#include "tools/commands.h"
#include "tools/head.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"
#include "tools/wording.h"

#include <stdio.h>

static const struct option verify_items[] = {
	{OPTION_EXPECT, 0, "expect", OPTION_IS_LIST, "REVISION:CHAIN",
	 "what `audit head` printed once; may be given\n"
	 "several times"},
};

static const char *const answers[] = {
	[WB_AUDIT_UNKNOWN] = "unknown",
	[WB_AUDIT_HOLDS] = "holds",
	[WB_AUDIT_DIFFERS] = "differs",
	[WB_AUDIT_BEYOND] = "beyond",
};
static const char *const explained[] = {
	[WB_AUDIT_UNKNOWN] = "not known: damage hides it",
	[WB_AUDIT_HOLDS] = "holds",
	[WB_AUDIT_DIFFERS] = "differs: the history was changed",
	[WB_AUDIT_BEYOND] = "beyond the end: later commits are gone",
};

struct report {
	const struct wb_audit_verified *verified;
	const struct wb_audit_expected *expected;
	size_t count;
	const char *result;
};

/* Damage comes first: of what is damaged nothing else is sure. */
static enum wb_error judge(struct report *report)
{
	report->result = "unreadable";
	if (report->verified->unreadable > 0)
		return WB_IO;
	report->result = "damaged";
	if (report->verified->damages > 0)
		return WB_CORRUPT;
	report->result = "newer";
	if (report->verified->newer > 0)
		return WB_UNSUPPORTED;
	report->result = "contradicted";
	for (size_t at = 0; at < report->count; at++)
		if (report->expected[at].answer != WB_AUDIT_HOLDS)
			return WB_NOT_FOUND;
	report->result = "holds";
	return WB_OK;
}

static json_t *expected_json(const struct report *report)
{
	json_t *array = json_array();

	for (size_t at = 0; at < report->count; at++) {
		const struct wb_audit_expected *expected =
			&report->expected[at];
		json_t *json = json_object();

		json_field(&json, "revision", number_json(expected->revision));
		json_field(&json, "chain",
			   hex_json(expected->chain, WB_CHAIN_BYTES));
		json_field(&json, "answer",
			   json_string(answers[expected->answer]));
		json_item(&array, json);
	}
	return array;
}

static json_t *range_json(const struct wb_audit_verified *verified)
{
	json_t *json;

	if (verified->differs_last == 0)
		return json_null();
	json = json_object();
	json_field(&json, "first", number_json(verified->differs_first));
	json_field(&json, "last", number_json(verified->differs_last));
	return json;
}

static void tell_json(struct output *output, const struct report *report)
{
	const struct wb_audit_verified *verified = report->verified;
	json_t *json = json_object();

	head_json(&json, verified);
	json_field(&json, "segments", number_json(verified->segments));
	json_field(&json, "commits", number_json(verified->commits));
	json_field(&json, "damages", number_json(verified->damages));
	json_field(&json, "warnings", number_json(verified->warnings));
	json_field(&json, "expected", expected_json(report));
	json_field(&json, "differs", range_json(verified));
	json_field(&json, "result", json_string(report->result));
	output_json(output, json);
}

static void tell_range(struct output *output,
		       const struct wb_audit_verified *verified)
{
	char text[80];

	if (verified->differs_last == 0)
		return;
	if (verified->differs_first == verified->differs_last)
		snprintf(text, sizeof(text), "revision %llu",
			 (unsigned long long)verified->differs_first);
	else
		snprintf(text, sizeof(text), "one of revisions %llu to %llu",
			 (unsigned long long)verified->differs_first,
			 (unsigned long long)verified->differs_last);
	print_field(output, "first change", text);
}

static void tell_lines(struct output *output, const struct report *report)
{
	const struct wb_audit_verified *verified = report->verified;

	head_print(output, verified);
	print_number(output, "segments", verified->segments);
	print_number(output, "commits", verified->commits);
	print_number(output, "damages", verified->damages);
	print_number(output, "warnings", verified->warnings);
	for (size_t at = 0; at < report->count; at++) {
		const struct wb_audit_expected *expected =
			&report->expected[at];
		char head[HEAD_TEXT_BYTES];
		char text[HEAD_TEXT_BYTES + 80];

		head_format(expected->revision, expected->chain, head);
		snprintf(text, sizeof(text), "%s %s", head,
			 explained[expected->answer]);
		print_field(output, "expect", text);
	}
	tell_range(output, verified);
	print_field(output, "result", report->result);
}

static enum wb_error read_expected(struct session *session,
				   struct wb_audit_expected **ret_expected)
{
	const struct option_value *value =
		session_option(session, OPTION_EXPECT);
	struct wb_audit_expected *expected =
		scratch_array(&session->scratch, value->count + 1,
			      sizeof(*expected));

	if (!expected)
		return fail(&session->text, WB_NO_MEMORY, "out of memory");
	for (size_t at = 0; at < value->count; at++)
		if (!head_parse(value->list[at], &expected[at]))
			return fail(&session->text, WB_BAD_INPUT,
				    "--expect %s: not REVISION:CHAIN, a number "
				    "and 64 hex digits as `waybill audit head "
				    "-q` prints them",
				    value->list[at]);
	*ret_expected = expected;
	return WB_OK;
}

static enum wb_error run_audit_verify(struct session *session)
{
	struct wb_audit_verified verified = {.size = sizeof(verified)};
	struct report report = {.verified = &verified};
	struct wb_audit_expected *expected = NULL;
	struct wb_audit_options options;
	struct wb_text inner = {""};
	const char *path;
	enum wb_error error = read_expected(session, &expected);

	if (!error)
		error = session_directory(session, &path, &options);
	if (error)
		return error;
	report.expected = expected;
	report.count = session_option(session, OPTION_EXPECT)->count;
	/* Each damage is told; no error follows that would say it again. */
	options.report = complain_report;
	options.report_context = &session->complainer;
	error = wb_audit_verify(path, &options, expected, report.count,
				&verified, &inner);
	if (error && verified.newer == 0)
		return session_explain(session, ACCESS_READ, error, &inner);
	error = judge(&report);
	session->answered_no = error != WB_OK;
	if (session->json)
		tell_json(&session->output, &report);
	else if (!session->quiet)
		tell_lines(&session->output, &report);
	return error;
}

const struct command command_audit_verify = {
	.name = "audit verify",
	.operands = "",
	.summary = "Check that the history is still the one it was",
	.details = "Every commit is read and the SHA-256 chain over all of "
		   "them computed anew, by a\nreader that shares no code with "
		   "the store.\n\nWithout --expect this shows only that the "
		   "log agrees with itself. It is no proof\nagainst somebody "
		   "who can write the directory: whoever edits a commit can "
		   "compute\nevery checksum and the whole chain after it anew, "
		   "and such a history verifies.\nOnly a value that was kept "
		   "where they cannot write shows it. So export one now\nand "
		   "then, with `waybill audit head -q`, and give it to "
		   "--expect: it holds as\nlong as the history before it is "
		   "what it was.\n\nOf several values the last that holds and "
		   "the first that differs enclose the\nfirst change; it is "
		   "named by its revision where that can be known.\n\nThe exit "
		   "status is 0 where all holds; 2 where a value is "
		   "contradicted, be it\nthat the history differs or that it "
		   "ends before that revision; 6 where the log\nis damaged, 74 "
		   "where the disk does not give a part of it, whatever else "
		   "is true;\n1 where a newer version wrote a part. -q prints "
		   "nothing.",
	.operands_min = 0,
	.operands_max = 0,
	.options = {"Options of audit verify", verify_items, 1},
	.long_work = true,
	.without_names = true,
	.run = run_audit_verify,
};
