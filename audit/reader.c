/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the set of files, walks the log, and sums up. The rules are in set.c
 * (steps 2, 3 and 8 of the page's "Opening"), walk.c (4 to 7), take.c (frames
 * in their places) and footer.c.
 *
 * Discarded: ending at the first damage, as an open does. Then a second
 * reader would be of no use on a bad day.
 */
#include "audit/reader.h"

#include "audit/walk.h"

#include <inttypes.h>
#include <stdio.h>

struct audit_finding audit_misfit(const struct audit_commit *commit,
				  const struct audit_place *place, size_t at)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_PREVIOUS, place->file,
				 place->offset);

	finding.bytes = place->frame.frame_bytes;
	finding.revision_first = finding.revision_last = commit->revision;
	snprintf(finding.what, sizeof(finding.what),
		 "change %zu names revision %" PRIu64, at,
		 commit->mutations[at].previous_revision);
	return finding;
}

static enum audit_verdict verdict_of(const struct audit_summary *summary,
				     const struct walk *walk, bool unfinished)
{
	if (summary->findings[AUDIT_DAMAGE] > 0)
		return AUDIT_CORRUPT;
	if (summary->findings[AUDIT_UNSUPPORTED] > 0)
		return AUDIT_REFUSED;
	if (unfinished)
		return AUDIT_NO_STORE;
	if (walk->torn)
		return AUDIT_TORN;
	return walk->last_type == AUDIT_CLOSE ? AUDIT_CLOSED : AUDIT_CLEAN;
}

enum wb_error audit_read(struct dir *dir, unsigned flags,
			 const struct audit_visitor *visitor,
			 struct audit_summary *ret_summary)
{
	struct audit_summary summary = {.verdict = AUDIT_NO_STORE};
	struct report report = {
		.visitor = visitor,
		.summary = &summary,
		.past_errors = flags & AUDIT_READ_PAST_ERRORS,
	};
	struct audit_set set = {.count = 0};
	struct walk walk = {.dir = dir,
			    .report = &report,
			    .flags = flags,
			    .set = &set};
	enum wb_error error;

	report_trouble_of(&report, &walk.window);
	error = set_read(&set, dir, &walk.window, &report);
	if (!error) {
		meter_begin(visitor->meter, visitor->phase, "bytes",
			    summary.file_bytes);
		if (!set.unfinished)
			error = walk_all(&walk);
	}
	if (!error) {
		meter_end(visitor->meter);
		summary.verdict = verdict_of(&summary, &walk, set.unfinished);
		*ret_summary = summary;
	}
	walk_release(&walk);
	set_release(&set);
	return error;
}
