/* SPDX-License-Identifier: Apache-2.0
 *
 * The values that were kept are sorted by revision and looked up as the log
 * goes by. Where one differs, so do all behind it, and none before it: the
 * chain makes the first edit visible in every later value. So of several kept
 * values the last that holds and the first that differs enclose the edit.
 */
#include "audit/verify.h"

#include "audit/open.h"
#include "base/control.h"
#include "base/diag.h"
#include "base/sized.h"

#include <stdlib.h>
#include <string.h>

struct verify {
	const struct audit_visitor *findings;
	struct wb_audit_expected **in_order; /* by their revisions */
	size_t count, at;
};

static void hold_against(struct wb_audit_expected *expected,
			 const uint8_t *chain)
{
	expected->answer =
		memcmp(expected->chain, chain, WB_CHAIN_BYTES) == 0 ||
				control_off(CONTROL_AUDIT_EXPECTED)
			? WB_AUDIT_HOLDS
			: WB_AUDIT_DIFFERS;
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct verify *verify = context;

	if (!place->whole)
		return WB_OK;
	for (; verify->at < verify->count; verify->at++) {
		struct wb_audit_expected *expected =
			verify->in_order[verify->at];

		if (expected->revision > commit->revision)
			break;
		if (expected->revision == commit->revision)
			hold_against(expected, place->chain);
	}
	return WB_OK;
}

static void pass_finding(void *context, const struct audit_finding *finding)
{
	struct verify *verify = context;

	if (verify->findings->finding)
		verify->findings->finding(verify->findings->context, finding);
}

static int by_revision(const void *a, const void *b)
{
	const struct wb_audit_expected *const *x = a, *const *y = b;

	return ((*x)->revision > (*y)->revision) -
	       ((*x)->revision < (*y)->revision);
}

/* What no commit answered: the beginning, and what lies behind the end. */
static void answer_rest(const struct verify *verify,
			const struct audit_summary *summary)
{
	bool damaged = summary->findings[AUDIT_DAMAGE] > 0;

	for (size_t at = 0; at < verify->count; at++) {
		struct wb_audit_expected *expected = verify->in_order[at];

		if (expected->revision == 0 && summary->segments > 0)
			hold_against(expected, summary->chain_start);
		else if (expected->revision > summary->head)
			expected->answer =
				damaged ? WB_AUDIT_UNKNOWN : WB_AUDIT_BEYOND;
	}
}

/* Where the log's own records part from its commits is known already. A kept
 * value that holds clears all before it: there it is the record that is wrong.
 * One that differs and lies before one that holds was never a value of this
 * history, and tells of no edit. */
static void enclose(const struct verify *verify,
		    struct wb_audit_verified *verified)
{
	uint64_t held = 0;

	for (size_t at = 0; at < verify->count; at++)
		if (verify->in_order[at]->answer == WB_AUDIT_HOLDS)
			held = verify->in_order[at]->revision;
	if (verified->differs_last <= held)
		verified->differs_first = verified->differs_last = 0;
	else if (verified->differs_first <= held)
		verified->differs_first = held + 1;
	for (size_t at = 0; at < verify->count; at++) {
		const struct wb_audit_expected *expected = verify->in_order[at];

		if (expected->answer != WB_AUDIT_DIFFERS ||
		    expected->revision <= held)
			continue;
		verified->differs_first = held + 1;
		if (verified->differs_last == 0 ||
		    verified->differs_last > expected->revision)
			verified->differs_last = expected->revision;
		return;
	}
}

static void fill(const struct audit_summary *summary,
		 struct wb_audit_verified *verified)
{
	*verified = (struct wb_audit_verified){
		.size = sizeof(*verified),
		.epoch = summary->epoch,
		.revision = summary->head,
		.commits = summary->commits,
		.segments = summary->segments,
		.damages = summary->findings[AUDIT_DAMAGE],
		.newer = summary->findings[AUDIT_UNSUPPORTED],
		.unreadable = summary->unreadable,
		.warnings = summary->findings[AUDIT_WARNING],
		.differs_first = summary->differs_first,
		.differs_last = summary->differs_last,
	};
	memcpy(verified->uuid, summary->uuid, sizeof(verified->uuid));
	memcpy(verified->chain, summary->chain, sizeof(verified->chain));
}

enum wb_error audit_verify(struct dir *dir, unsigned flags,
			   const struct audit_visitor *findings,
			   struct wb_audit_expected *expected, size_t count,
			   struct audit_summary *ret_summary,
			   struct wb_audit_verified *ret_verified)
{
	struct verify verify = {.findings = findings, .count = count};
	struct audit_visitor visitor = {
		.commit = take_commit,
		.finding = pass_finding,
		.context = &verify,
		.meter = findings->meter,
		.phase = "read",
	};
	struct audit_summary summary;
	enum wb_error error;

	verify.in_order = calloc(count + 1, sizeof(*verify.in_order));
	if (!verify.in_order)
		return WB_NO_MEMORY;
	for (size_t at = 0; at < count; at++) {
		expected[at].answer = WB_AUDIT_UNKNOWN;
		verify.in_order[at] = &expected[at];
	}
	if (count > 1)
		qsort(verify.in_order, count, sizeof(*verify.in_order),
		      by_revision);
	error = audit_read(dir, flags | AUDIT_READ_PAST_ERRORS, &visitor,
			   &summary);
	if (!error) {
		fill(&summary, ret_verified);
		answer_rest(&verify, &summary);
		enclose(&verify, ret_verified);
		*ret_summary = summary;
	}
	free(verify.in_order);
	return error;
}

enum wb_error wb_audit_verify(const char *path,
			      const struct wb_audit_options *options,
			      struct wb_audit_expected *expected, size_t count,
			      struct wb_audit_verified *ret_verified,
			      struct wb_text *ret_text)
{
	struct teller teller = {.report = NULL};
	struct audit_visitor findings = {
		.finding = teller_finding,
		.context = &teller,
		.meter = &teller.meter,
	};
	struct wb_audit_verified verified;
	struct audit_summary summary;
	struct dir *dir;
	enum wb_error error, concluded;

	error = audit_open(path, options, &teller, &dir, ret_text);
	if (error)
		return error;
	error = audit_verify(dir, teller.flags, &findings, expected, count,
			     &summary, &verified);
	dir_close(dir);
	if (error)
		return text_set(ret_text, error, "%s", wb_error_text(error));
	concluded = audit_conclude(&summary, &teller, ret_text);
	if (concluded == WB_NOT_A_STORE)
		return concluded;
	error = sized_give(ret_verified, &verified, sizeof(verified));
	return error ? text_set(ret_text, error, "struct wb_audit_verified %s",
				sized_problem(error))
		     : concluded;
}
