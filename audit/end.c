/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the log ended. An anchor that is there says what was durable, and a
 * torn write is told from a lost commit by it ("Opening" 6 of
 * docs/FORMAT.md). Without one the log may prove its own end ("An anchor from
 * the log"); where it does not, any number of commits may be gone, and the
 * damaged bytes at the end are not called a write that did not finish.
 */
#include "audit/walk.h"

#include <inttypes.h>
#include <stdio.h>

enum wb_error walk_prove_end(struct walk *walk)
{
	uint64_t data;
	enum wb_error error =
		window_find_data(&walk->window, walk->at, UINT64_MAX, &data);

	if (!error)
		walk->report->summary->end_proven =
			data == UINT64_MAX &&
			walk->at < walk->window.file_bytes &&
			(walk->last_type == AUDIT_MARK ||
			 walk->last_type == AUDIT_CLOSE);
	return error;
}

bool walk_has_floor(const struct walk *walk)
{
	return walk->set->anchor_usable && !walk->set->anchor_misfit;
}

void walk_check_end(struct walk *walk)
{
	const struct audit_set *set = walk->set;
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_END, "anchor", 0);

	/* What another user or a newer version can read, and what is no store,
	 * is not judged. */
	if (walk->report->summary->findings[AUDIT_UNSUPPORTED] > 0 ||
	    walk_has_floor(walk) || set->anchor_denied ||
	    (set->count > 0 && walk->segment->denied) ||
	    (set->salvage_exists && !set->anchor_exists) ||
	    walk->report->summary->end_proven)
		return;
	if (set->count > 0) {
		finding.file = walk->segment->name;
		finding.offset = walk->at;
		if (walk->segment->file_bytes > walk->at)
			finding.bytes = walk->segment->file_bytes - walk->at;
	}
	finding.revision_first = walk->head + 1;
	finding.revision_last = UINT64_MAX;
	if (walk->head == 0)
		snprintf(finding.what, sizeof(finding.what),
			 "no commit is known");
	else
		snprintf(finding.what, sizeof(finding.what),
			 "revision %" PRIu64 " is the last one that is known",
			 walk->head);
	report_finding(walk->report, finding);
}
