/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment's frames are taken one behind the other. Where one does not
 * verify, what follows depends on the segment: in all but the newest, damage,
 * and the next frame that verifies is looked for, so that as much as possible
 * is seen; in the newest, the end, and the floor decides what it means.
 */
#include "audit/walk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- damage ---- */

/* Revisions head + 1 to `last` are not there. */
static void lose_until(struct walk *walk, uint64_t last)
{
	walk->whole = false;
	walk->lost = true;
	walk->resynced = true;
	if (last > walk->head) {
		walk->head = last;
		walk->chain_known = false;
	}
}

static uint64_t last_lost_before(const struct walk_frame *frame)
{
	return frame->frame.type == AUDIT_COMMIT ? frame->frame.revision - 1
						 : frame->frame.revision;
}

static void report_range(struct walk *walk, enum audit_rule rule, uint64_t end,
			 uint64_t last, const char *what)
{
	struct audit_finding finding =
		audit_finding_of(rule, walk->segment->name, walk->at);

	finding.bytes = end > walk->at ? end - walk->at : 0;
	if (last > walk->head) {
		finding.revision_first = walk->head + 1;
		finding.revision_last = last;
	}
	strncpy(finding.what, what, sizeof(finding.what) - 1);
	report_finding(walk->report, finding);
}

/* What a newer version's frame means to those behind it is not known: they are
 * not judged, and an open gets no further either. */
static enum wb_error stop_at_newer(struct walk *walk,
				   const struct walk_frame *frame)
{
	report_at(walk->report, AUDIT_RULE_FRAME_NEWER, walk->segment->name,
		  frame->at, "type %u, version %u", frame->frame.type,
		  frame->frame.version);
	walk->report->summary->end = walk->at;
	walk->whole = false;
	walk->newer = true;
	return WB_OK;
}

/* A frame whose checksum holds, and that cannot be taken. */
static void report_frame(struct walk *walk, const struct walk_frame *frame)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_FRAME_RULE, walk->segment->name,
				 frame->at);

	finding.bytes = frame->frame.frame_bytes;
	if (frame->frame.type == AUDIT_COMMIT) {
		finding.revision_first = frame->frame.revision;
		finding.revision_last = frame->frame.revision;
	}
	strncpy(finding.what, frame->why, sizeof(finding.what) - 1);
	report_finding(walk->report, finding);
}

static void pass_over(struct walk *walk, const struct walk_frame *frame)
{
	report_frame(walk, frame);
	walk->at = frame->at + (frame->frame.frame_bytes + 7) / 8 * 8;
	walk->last_type = frame->frame.type;
	walk->holds_frames = true;
	walk->chain_known = false;
	lose_until(walk, frame->frame.revision);
}

static void report_search(struct walk *walk)
{
	report_at(walk->report, AUDIT_RULE_SEARCH, walk->segment->name,
		  walk->at, "%d times the file were tried", WALK_SEARCH_TIMES);
}

/* In a segment that has a successor: the frame at walk->at does not verify.
 * `*ret_done`: there is none behind it. */
static enum wb_error skip_damage(struct walk *walk, bool *ret_done)
{
	bool known = walk->limit != UINT64_MAX;
	uint64_t budget = walk_search_budget(&walk->window);
	uint64_t end = known ? walk->limit : walk->window.file_bytes, last;
	struct walk_frame found;
	enum wb_error error =
		walk_find_frame(&walk->window, walk->segment->header.salt,
				walk->at + 8, end, &budget, &found);

	if (error)
		return error;
	if (budget == 0)
		report_search(walk);
	*ret_done = found.seen == AUDIT_FAILS;
	if (!*ret_done) {
		last = last_lost_before(&found);
		report_range(walk, AUDIT_RULE_FRAME, found.at, last,
			     "does not verify");
		walk->at = found.at;
		lose_until(walk, last);
		return WB_OK;
	}
	/* Its end is not known, and it may be here. */
	if (!known)
		return WB_OK;
	last = walk->next->header.previous_revision;
	report_range(walk, AUDIT_RULE_FRAME, end, last,
		     walk->limit > walk->window.file_bytes
			     ? "the file ends too early"
			     : "does not verify");
	walk->at = walk->limit;
	lose_until(walk, last);
	return WB_OK;
}

/* From `at` to the end of the file. */
static void report_tail(struct walk *walk, enum audit_rule rule, uint64_t at)
{
	struct audit_finding finding =
		audit_finding_of(rule, walk->segment->name, at);

	finding.bytes = walk->window.file_bytes - at;
	report_finding(walk->report, finding);
}

/* ---- the newest segment ---- */

static void raise_floor(struct walk *walk, const struct audit_frame *frame)
{
	if (frame->durable_bytes > walk->floor_bytes)
		walk->floor_bytes = frame->durable_bytes;
	if (frame->durable_revision > walk->floor_revision)
		walk->floor_revision = frame->durable_revision;
}

static enum wb_error take_lost(struct walk *walk,
			       const struct walk_frame *frame)
{
	if (frame->seen != AUDIT_HOLDS)
		return WB_OK;
	if (frame->at != walk->at)
		lose_until(walk, last_lost_before(frame));
	return walk_take_frame(walk, frame);
}

/* From here on an open reaches nothing, whether it verifies or not. */
static struct audit_finding loss_here(const struct walk *walk, uint64_t end)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_FLOOR, walk->segment->name,
				 walk->at);

	finding.bytes = end > walk->at ? end - walk->at : 0;
	if (walk->floor_revision > walk->head) {
		finding.revision_first = walk->head + 1;
		finding.revision_last = walk->floor_revision;
	}
	snprintf(finding.what, sizeof(finding.what), "%s",
		 walk->at < walk->floor_bytes
			 ? "a frame that was durable does not verify"
			 : "commits are missing");
	return finding;
}

/* `commits`: of so many behind it that verify. */
static void report_loss(const struct walk *walk, struct audit_finding *finding,
			uint64_t commits)
{
	size_t used = strlen(finding->what);

	if (commits > 0)
		snprintf(finding->what + used, sizeof(finding->what) - used,
			 ": an open gets no further, but %" PRIu64
			 " commit%s behind it verif%s",
			 commits, commits == 1 ? "" : "s",
			 commits == 1 ? "ies" : "y");
	report_finding(walk->report, *finding);
}

/* Something durable is gone: tell of it, and take all that is left. */
static enum wb_error take_what_is_left(struct walk *walk)
{
	uint64_t budget = walk_search_budget(&walk->window);
	uint64_t from = walk->at + 8, commits = walk->commits;
	struct audit_finding loss = loss_here(walk, walk->floor_bytes);
	bool first = true;

	for (;; first = false) {
		struct walk_frame found;
		enum wb_error error =
			walk_find_frame(&walk->window,
					walk->segment->header.salt, from,
					walk->window.file_bytes, &budget,
					&found);
		bool there = !error && found.seen != AUDIT_FAILS;

		if (there && first)
			loss.bytes = found.at - loss.offset;
		if (there)
			error = take_lost(walk, &found);
		if (error)
			return error;
		if (!there)
			break;
		from = found.at + found.frame.frame_bytes;
	}
	report_loss(walk, &loss, walk->commits - commits);
	if (budget == 0)
		report_search(walk);
	return walk_prove_end(walk);
}

/* Raise the floor by what a frame behind the end says. Behind a footer there
 * is nothing to be found. */
static enum wb_error weigh(struct walk *walk)
{
	struct walk_frame proof;
	bool unknown;
	enum wb_error error;

	if (walk->last_type == AUDIT_FOOTER)
		return WB_OK;
	error = walk_find_proof(walk, &proof, &unknown);
	if (error)
		return error;
	if (unknown)
		report_search(walk);
	if (proof.seen == AUDIT_NEWER)
		return stop_at_newer(walk, &proof);
	if (proof.seen == AUDIT_HOLDS)
		raise_floor(walk, &proof.frame);
	return WB_OK;
}

static enum wb_error finish_newest(struct walk *walk)
{
	struct audit_summary *summary = walk->report->summary;
	enum wb_error error = weigh(walk);
	uint64_t data;

	if (error || walk->newer)
		return error;
	summary->end = walk->at;
	if (walk->at < walk->floor_bytes || walk->head < walk->floor_revision)
		return take_what_is_left(walk);
	error = walk_prove_end(walk);
	if (!error)
		error = window_find_data(&walk->window, walk->at, UINT64_MAX,
					 &data);
	if (error || data == UINT64_MAX)
		return error;
	if (walk->last_type == AUDIT_FOOTER) {
		report_tail(walk, AUDIT_RULE_SEALED_TAIL, data);
		return WB_OK;
	}
	walk->torn = true;
	summary->torn_bytes = walk->window.file_bytes - walk->at;
	/* Without a floor it is walk_check_end that tells of it. */
	if (walk_has_floor(walk))
		report_tail(walk, AUDIT_RULE_TORN, walk->at);
	return WB_OK;
}

/* ---- a segment ---- */

static enum wb_error finish_older(struct walk *walk)
{
	bool sealed = walk->last_type == AUDIT_FOOTER;
	uint64_t data;
	enum wb_error error;

	walk->end_before = walk->at;
	if (walk->limit == UINT64_MAX)
		return WB_OK;
	if (walk->limit < AUDIT_FRAMES_AT)
		report_at(walk->report, AUDIT_RULE_LINK, walk->next->name, 120,
			  "previous_bytes is %" PRIu64, walk->limit);
	error = window_find_data(&walk->window, walk->at, UINT64_MAX, &data);
	if (error || data == UINT64_MAX)
		return error;
	if (sealed)
		report_tail(walk, AUDIT_RULE_SEALED_TAIL, data);
	else
		report_tail(walk, AUDIT_RULE_DEBRIS, walk->at);
	return WB_OK;
}

static enum wb_error walk_frames(struct walk *walk, bool newest)
{
	bool done = false;

	while (!done && walk->at < walk->limit) {
		struct walk_frame frame;
		enum wb_error error = walk_look_ahead(walk);

		if (!error)
			error = walk_read_frame(&walk->window,
						walk->segment->header.salt,
						walk->at, &frame);
		if (error)
			return error;
		meter_at(walk->report->visitor->meter,
			 walk->bytes_before + walk->at);
		if (frame.seen == AUDIT_NEWER) {
			if (walk->last_type != AUDIT_FOOTER)
				return stop_at_newer(walk, &frame);
			/* Nothing is taken that stands behind a footer. */
			return newest ? finish_newest(walk)
				      : finish_older(walk);
		}
		if (frame.seen == AUDIT_FAILS) {
			if (newest)
				return finish_newest(walk);
			error = skip_damage(walk, &done);
		} else if (frame.seen != AUDIT_HOLDS) {
			pass_over(walk, &frame);
		} else if (frame.frame.frame_bytes > walk->limit - walk->at) {
			report_at(walk->report, AUDIT_RULE_LINK,
				  walk->next->name, 120,
				  "a frame reaches beyond previous_bytes");
			done = true;
		} else {
			if (newest)
				raise_floor(walk, &frame.frame);
			error = walk_take_frame(walk, &frame);
		}
		if (error)
			return error;
	}
	return finish_older(walk);
}

/* ---- the segments ---- */

static void start_from_header(struct walk *walk)
{
	const struct audit_header *header = &walk->segment->header;

	walk->whole = false;
	walk->head = header->previous_revision;
	memcpy(walk->chain, header->previous_chain, AUDIT_CHAIN_BYTES);
	walk->chain_known = true;
}

static void report_beginning(struct walk *walk)
{
	const struct audit_header *header = &walk->segment->header;
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_BEGINNING, walk->segment->name,
				 112);

	if (header->previous_revision > 0) {
		finding.revision_first = 1;
		finding.revision_last = header->previous_revision;
	}
	snprintf(finding.what, sizeof(finding.what),
		 "it follows %016" PRIx64 " and revision %" PRIu64,
		 header->previous_id, header->previous_revision);
	report_finding(walk->report, finding);
}

static bool check_beginning(struct walk *walk)
{
	struct audit_summary *summary = walk->report->summary;
	const struct audit_header *header = &walk->segment->header;

	if (!audit_chain_start(&walk->sha, header->uuid, walk->chain))
		return false;
	walk->chain_known = true;
	memcpy(summary->chain_start, walk->chain, AUDIT_CHAIN_BYTES);
	memcpy(summary->chain, walk->chain, AUDIT_CHAIN_BYTES);
	if (header->previous_id == 0 && header->previous_bytes == 0 &&
	    header->previous_revision == 0 &&
	    header->previous_epoch == header->epoch &&
	    walk_chain_is(walk, header->previous_chain,
			  CONTROL_AUDIT_CHAIN_BEGINNING))
		return true;
	report_beginning(walk);
	start_from_header(walk);
	return true;
}

static void report_gap(struct walk *walk)
{
	const struct audit_header *header = &walk->segment->header;
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_GAP, walk->segment->name, 112);

	if (header->previous_revision > walk->head) {
		finding.revision_first = walk->head + 1;
		finding.revision_last = header->previous_revision;
	}
	report_finding(walk->report, finding);
}

/* Where it is about another revision the values differ, and tell nothing of
 * commits. */
static bool is_chain_before(struct walk *walk,
			    const struct audit_header *header)
{
	if (header->previous_revision == walk->head)
		return walk_chain_is(walk, header->previous_chain,
				     CONTROL_AUDIT_CHAIN_SUCCESSOR);
	return memcmp(header->previous_chain, walk->chain, AUDIT_CHAIN_BYTES) ==
		       0 ||
	       control_off(CONTROL_AUDIT_CHAIN_SUCCESSOR);
}

static void check_link(struct walk *walk, const struct audit_segment *before)
{
	const struct audit_header *header = &walk->segment->header;
	const char *file = walk->segment->name;

	if (header->previous_id != before->id || !before->usable) {
		/* What another user may read is not missing. */
		if (!before->newer &&
		    !(before->denied && header->previous_id == before->id))
			report_gap(walk);
		start_from_header(walk);
		return;
	}
	if (header->previous_epoch != before->header.epoch)
		report_at(walk->report, AUDIT_RULE_LINK, file, 136, "epoch");
	if (header->previous_revision != walk->head)
		report_at(walk->report, AUDIT_RULE_LINK, file, 128,
			  "it says revision %" PRIu64
			  ", and frames go to %" PRIu64,
			  header->previous_revision, walk->head);
	if (walk->chain_known && !is_chain_before(walk, header))
		report_at(walk->report, AUDIT_RULE_LINK, file, 144,
			  "chain value");
	if (!walk->chain_known || header->previous_revision != walk->head)
		start_from_header(walk);
}

/* What the segment after this one says of its end, or the anchor. */
static void set_limit(struct walk *walk, const struct audit_segment *next)
{
	const struct audit_slot *anchor = &walk->set->anchor;

	walk->next = next;
	walk->limit = UINT64_MAX;
	if (next && next->usable &&
	    next->header.previous_id == walk->segment->id)
		walk->limit = next->header.previous_bytes;
	if (next || !walk->set->anchor_usable)
		return;
	walk->floor_revision = anchor->durable_revision;
	if (anchor->active_id == walk->segment->id)
		walk->floor_bytes = anchor->durable_bytes;
}

/* Its frames cannot be read. What it held is told by its successor's header,
 * or, of the newest one, by the anchor. */
static void lose_segment(struct walk *walk, bool newest)
{
	const struct audit_set *set = walk->set;

	walk->whole = walk->chain_known = false;
	walk->end_before = 0;
	if (newest && !walk->segment->newer && !walk->segment->denied &&
	    set->anchor_usable && set->anchor.durable_revision > walk->head)
		report_range(walk, AUDIT_RULE_FLOOR, 0,
			     set->anchor.durable_revision,
			     "the newest segment cannot be read");
}

/* It could be opened a moment ago, and cannot now. */
static enum wb_error lose_file(struct walk *walk, enum wb_error error)
{
	error = report_unreadable(walk->report, walk->segment->name, error);
	if (error || walk->limit == UINT64_MAX) {
		lose_segment(walk, !walk->next);
		return error;
	}
	report_range(walk, AUDIT_RULE_FRAME, walk->limit,
		     walk->next->header.previous_revision, "cannot be read");
	lose_until(walk, walk->next->header.previous_revision);
	walk->end_before = 0;
	return WB_OK;
}

static enum wb_error walk_segment(struct walk *walk, size_t at)
{
	const struct audit_set *set = walk->set;
	enum wb_error error;

	if (at > 0)
		walk->bytes_before += walk->segment->file_bytes;
	walk->segment = &set->segments[at];
	walk->at = AUDIT_FRAMES_AT;
	walk->ahead_end = 0;
	walk->last_type = 0;
	walk->lost = walk->resynced = walk->holds_frames = false;
	walk->group_at = walk->group_revision = walk->marked = 0;
	walk->first_revision = walk->commits = walk->mutations = 0;
	walk->entry_count = 0;
	if (!walk->segment->usable) {
		lose_segment(walk, at + 1 == set->count);
		return WB_OK;
	}
	if (walk->segment->header.first_revision !=
	    walk->segment->header.previous_revision + 1)
		report_at(walk->report, AUDIT_RULE_LINK, walk->segment->name,
			  80, "first_revision is %" PRIu64,
			  walk->segment->header.first_revision);
	if (at == 0 && !check_beginning(walk))
		return WB_NO_MEMORY;
	if (at > 0)
		check_link(walk, &set->segments[at - 1]);
	if (at == 0)
		walk_check_anchor_chain(walk);
	walk->report->summary->epoch = walk->segment->header.epoch;
	set_limit(walk, at + 1 < set->count ? &set->segments[at + 1] : NULL);
	error = window_open(&walk->window, walk->dir, walk->segment->name);
	return error ? lose_file(walk, error) : walk_frames(walk, !walk->next);
}

/* The newest segment was the last to be walked. */
static void check_anchor(struct walk *walk)
{
	const struct audit_slot *anchor = &walk->set->anchor;
	size_t count = walk->set->count;

	set_check_anchor(walk->set, walk->holds_frames, walk->report);
	if (!walk->set->anchor_usable || count == 0)
		return;
	if (anchor->active_id == walk->set->segments[count - 1].id &&
	    anchor->durable_bytes < walk->marked)
		report_at(walk->report, AUDIT_RULE_ANCHOR_BEHIND, "anchor", 72,
			  "it does not know of a MARK or CLOSE");
	if (count > 1 && walk->end_before > 0 &&
	    anchor->active_id == walk->set->segments[count - 2].id &&
	    anchor->durable_bytes > walk->end_before)
		report_at(walk->report, AUDIT_RULE_ANCHOR_DURABLE, "anchor", 72,
			  "durable_bytes is %" PRIu64, anchor->durable_bytes);
}

enum wb_error walk_all(struct walk *walk)
{
	struct audit_summary *summary = walk->report->summary;
	size_t count = walk->set->count;
	enum wb_error error = WB_OK;

	if (!audit_chain_init(&walk->sha))
		return WB_NO_MEMORY;
	if (walk->flags & AUDIT_READ_TWO_THREADS && count > 0)
		walk->links = links_new();
	walk->whole = true;
	for (size_t at = 0; at < count && !error && !walk->newer; at++)
		error = walk_segment(walk, at);
	if (error)
		return error;
	summary->segments = count;
	if (count > 0)
		summary->active_id = walk->set->segments[count - 1].id;
	if (walk->newer)
		return WB_OK;
	check_anchor(walk);
	walk_check_end(walk);
	return WB_OK;
}

void walk_release(struct walk *walk)
{
	/* It looks into the window. */
	links_free(walk->links);
	window_release(&walk->window);
	audit_message_release(&walk->message);
	audit_chain_release(&walk->sha);
	free(walk->entries);
}
