/* SPDX-License-Identifier: Apache-2.0
 *
 * One frame that verifies, in its place: groups, revisions, the chain.
 */
#include "audit/walk.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* ---- chain ---- */

bool walk_chain_is(struct walk *walk, const uint8_t *recorded,
		   enum control control)
{
	struct audit_summary *summary = walk->report->summary;
	bool same = memcmp(walk->chain, recorded, AUDIT_CHAIN_BYTES) == 0 ||
		    control_off(control);

	if (!walk->whole || summary->differs_last != 0)
		return same;
	if (same) {
		walk->recorded = walk->head;
	} else if (walk->head > walk->recorded) {
		/* Else it is the record that differs, not a commit. */
		summary->differs_first = walk->recorded + 1;
		summary->differs_last = walk->head;
	}
	return same;
}

void walk_check_anchor_chain(struct walk *walk)
{
	const struct audit_set *set = walk->set;

	if (set->anchor_usable && walk->chain_known &&
	    walk->head == set->anchor.durable_revision &&
	    !walk_chain_is(walk, set->anchor.chain, CONTROL_AUDIT_CHAIN_ANCHOR))
		report_at(walk->report, AUDIT_RULE_ANCHOR_CHAIN, "anchor", 80,
			  "at revision %" PRIu64, walk->head);
}

/* ---- groups ---- */

static void check_group(struct walk *walk, const struct walk_frame *frame)
{
	const struct audit_frame *f = &frame->frame;
	bool starts = f->durable_bytes == frame->at;
	const char *broken = NULL;

	if (walk->resynced) {
		/* Its group may have begun in what is missing. */
		if (f->durable_bytes > frame->at)
			broken = "durable_bytes is behind it";
	} else if (!starts && f->type == AUDIT_COMMIT &&
		   walk->last_type == AUDIT_COMMIT) {
		if (f->durable_bytes != walk->group_at)
			broken = "durable_bytes is not where its group begins";
		else if (f->durable_revision != walk->group_revision)
			broken = "durable_revision is not its group's";
	} else if (!starts) {
		broken = "durable_bytes is not where its group begins";
	} else if (f->durable_revision != walk->head) {
		broken = "durable_revision is not the one before its group";
	}
	walk->group_at = f->durable_bytes;
	walk->group_revision = f->durable_revision;
	walk->resynced = false;
	if (broken)
		report_at(walk->report, AUDIT_RULE_GROUP, walk->segment->name,
			  frame->at, "%s", broken);
}

/* ---- commits ---- */

static void count_commit(struct walk *walk, const struct audit_commit *commit)
{
	struct audit_summary *summary = walk->report->summary;

	if (walk->commits++ == 0) {
		walk->first_revision = walk->head;
		walk->time_min_ns = commit->time_ns;
		walk->time_max_ns = commit->time_ns;
	}
	if (commit->time_ns < walk->time_min_ns)
		walk->time_min_ns = commit->time_ns;
	if (commit->time_ns > walk->time_max_ns)
		walk->time_max_ns = commit->time_ns;
	summary->commits++;
	walk->mutations += commit->mutation_count;
	summary->mutations += commit->mutation_count;
	if (!walk->whole)
		return;
	summary->head = walk->head;
	memcpy(summary->chain, walk->chain, AUDIT_CHAIN_BYTES);
}

static void commit_is_bad(struct walk *walk, const struct walk_frame *frame,
			  enum audit_rule rule, const char *what)
{
	struct audit_finding finding =
		audit_finding_of(rule, walk->segment->name, frame->at);

	finding.bytes = frame->frame.frame_bytes;
	finding.revision_first = frame->frame.revision;
	finding.revision_last = frame->frame.revision;
	strncpy(finding.what, what, sizeof(finding.what) - 1);
	report_finding(walk->report, finding);
	walk->whole = false;
}

static enum wb_error visit_commit(struct walk *walk,
				  const struct walk_frame *frame)
{
	const struct audit_visitor *visitor = walk->report->visitor;
	struct audit_place place = {
		.file = walk->segment->name,
		.segment_id = walk->segment->id,
		.offset = frame->at,
		.frame = frame->frame,
		.chain = walk->chain,
		.whole = walk->whole,
	};

	if (!visitor->commit)
		return WB_OK;
	return visitor->commit(visitor->context, &walk->message.commit, &place);
}

static enum wb_error take_commit(struct walk *walk,
				 const struct walk_frame *frame)
{
	struct wb_bytes payload = {frame->payload, frame->frame.payload_bytes};
	struct audit_message *message = &walk->message;
	const char *why = "";
	enum wb_error error = audit_message_read(message, payload, &why);

	if (error == WB_CORRUPT) {
		commit_is_bad(walk, frame, AUDIT_RULE_COMMIT, why);
		walk->lost = true;
	} else if (error) {
		return error;
	} else if (message->commit.revision != frame->frame.revision) {
		commit_is_bad(walk, frame, AUDIT_RULE_COMMIT,
			      "its revision is not its frame's");
	}
#ifndef WAYBILL_PLANT_READER
	if (frame->frame.revision - 1 != walk->head)
		commit_is_bad(walk, frame, AUDIT_RULE_REVISION,
			      "not one more than the one before");
#endif
	if (frame->frame.revision > AUDIT_NUMBER_MAX)
		commit_is_bad(walk, frame, AUDIT_RULE_REVISION,
			      "out of bounds");
	walk->head = frame->frame.revision;
	if (!walk_chain_next(walk, payload))
		return WB_NO_MEMORY;
	walk_check_anchor_chain(walk);
	if (error)
		return WB_OK;
	count_commit(walk, &message->commit);
	error = walk_note_entries(walk, &message->commit, frame->at);
	return error ? error : visit_commit(walk, frame);
}

/* ---- frames ---- */

enum wb_error walk_take_frame(struct walk *walk, const struct walk_frame *frame)
{
	const struct audit_frame *f = &frame->frame;
	enum wb_error error = WB_OK;

	assert(frame->seen == AUDIT_HOLDS);
	if (walk->last_type == AUDIT_FOOTER)
		report_at(walk->report, AUDIT_RULE_FRAME_RULE,
			  walk->segment->name, frame->at,
			  "a frame behind the footer");
	if (f->type == AUDIT_RECORDS)
		report_at(walk->report, AUDIT_RULE_FRAME_RULE,
			  walk->segment->name, frame->at,
			  "a RECORDS frame in a log segment");
	check_group(walk, frame);
	if (f->type == AUDIT_COMMIT)
		error = take_commit(walk, frame);
	else if (f->revision != walk->head)
		report_at(walk->report, AUDIT_RULE_REVISION,
			  walk->segment->name, frame->at,
			  "%s has revision %" PRIu64 ", not %" PRIu64,
			  audit_frame_name(f->type), f->revision, walk->head);
	walk->at = frame->at + f->frame_bytes;
	walk->last_type = f->type;
	walk->holds_frames = true;
	if (f->type == AUDIT_MARK || f->type == AUDIT_CLOSE)
		walk->marked = walk->at;
	else if (f->type == AUDIT_FOOTER)
		walk_check_footer(walk, frame);
	return error;
}
