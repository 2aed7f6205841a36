/* SPDX-License-Identifier: Apache-2.0
 *
 * What the second reader verifies, one thing each. It must tell of that one by
 * its own rule: the rules stand beside each other, and another one that happens
 * to notice would hide that this one is gone.
 */
#include "audit/fsck.h"
#include "audit/layout.h"
#include "audit/verify.h"
#include "tests/support/forge.h"
#include "tests/support/stage.h"

#include <inttypes.h>

static const char check_told[] = "the second reader tells of it";

/* Segment 1 is sealed, 2 the newest. */
static struct workload *begin(uint64_t seed)
{
	struct workload *work = stage_begin(seed);

	if (work_create(work) && stage_fill(work, 2))
		stage_settle(work);
	return work;
}

static uint64_t footer_at(struct workload *work)
{
	struct frame_place places[FRAMES_MAX];
	size_t count = stage_frames(work, 1, places);

	assert(count > 0 && places[count - 1].frame.type == FRAME_FOOTER);
	return places[count - 1].at;
}

struct looking {
	enum audit_rule rule;
	unsigned told;
};

static void take(void *context, const struct audit_finding *finding,
		 const struct wb_finding_name *names, size_t count,
		 uint64_t more)
{
	struct looking *looking = context;

	(void)names;
	(void)count;
	(void)more;
	looking->told += finding->rule == looking->rule;
}

/* Ends the workload. */
static bool is_told(struct workload *work, enum audit_rule rule,
		    struct complaint *complaint)
{
	struct looking looking = {.rule = rule};
	struct fsck_visitor visitor = {.finding = take, .context = &looking};
	struct fsck_summary summary;
	struct dir *dir;
	enum wb_error error;

	if (!work_ok(work))
		return stage_end(work, complaint);
	dir = simdisk_dir(work->disk);
	error = audit_fsck(dir, &visitor, &summary);
	dir_close(dir);
	if (error)
		(void)work_trouble(work, "fsck", error);
	else if (looking.told == 0)
		(void)complain_of(&work->context.complaint, check_told,
				  "not a word of %s", audit_rule_code(rule));
	return stage_end(work, complaint);
}

/* ---- headers, and what names them ---- */

static const uint8_t other[AUDIT_CHAIN_BYTES] = {1, 2, 3};

/* A time, which no rule binds. */
static void let_copies_differ(struct workload *work)
{
	forge_copy(work->disk, stage_path(1), 1, 176, other, 8);
}

bool a_header_copy_that_differs_is_loud(struct complaint *complaint)
{
	struct workload *work = begin(80);

	if (work_ok(work)) {
		let_copies_differ(work);
		(void)stage_is_loud(work, "two headers that verify");
	}
	return stage_end(work, complaint);
}

bool the_second_reader_compares_header_copies(struct complaint *complaint)
{
	struct workload *work = begin(81);

	let_copies_differ(work);
	return is_told(work, AUDIT_RULE_HEADER_COPIES_DIFFER, complaint);
}

bool the_second_reader_verifies_headers(struct complaint *complaint)
{
	struct workload *work = begin(82);

	simdisk_flip(work->disk, stage_path(1), 8 * UINT64_C(176));
	return is_told(work, AUDIT_RULE_HEADER_COPY, complaint);
}

bool the_second_reader_verifies_anchor_slots(struct complaint *complaint)
{
	struct workload *work = begin(83);

	/* The time it was written. */
	simdisk_flip(work->disk, "anchor", 8 * UINT64_C(112));
	return is_told(work, AUDIT_RULE_ANCHOR_SLOT, complaint);
}

bool the_second_reader_knows_another_stores_segments(
	struct complaint *complaint)
{
	struct workload *work = begin(84);

	forge_header(work->disk, stage_path(2), 40, other, AUDIT_UUID_BYTES);
	return is_told(work, AUDIT_RULE_SEGMENT_STORE, complaint);
}

/* ---- frames ---- */

bool the_second_reader_verifies_frames(struct complaint *complaint)
{
	struct frame_place places[FRAMES_MAX];
	struct workload *work = begin(85);

	if (work_ok(work)) {
		(void)stage_frames(work, 1, places);
		simdisk_flip(work->disk, stage_path(1),
			     8 * (places[0].at + FRAME_HEADER_BYTES +
				  places[0].frame.payload_bytes - 1));
	}
	return is_told(work, AUDIT_RULE_FRAME, complaint);
}

bool the_second_reader_holds_footers_against_commits(
	struct complaint *complaint)
{
	struct workload *work = begin(86);

	if (work_ok(work))
		forge_frame(work->disk, stage_path(1), footer_at(work),
			    AUDIT_FRAME_HEADER_BYTES + AUDIT_FOOTER_HEAD_BYTES,
			    other, 4);
	return is_told(work, AUDIT_RULE_FOOTER_INDEX, complaint);
}

/* ---- the chain ---- */

bool the_second_reader_knows_the_first_chain_value(struct complaint *complaint)
{
	struct workload *work = begin(87);

	forge_header(work->disk, stage_path(1), 144, other, sizeof(other));
	return is_told(work, AUDIT_RULE_BEGINNING, complaint);
}

bool the_second_reader_holds_the_chain_against_successors(
	struct complaint *complaint)
{
	struct workload *work = begin(88);

	forge_header(work->disk, stage_path(2), 144, other, sizeof(other));
	return is_told(work, AUDIT_RULE_LINK, complaint);
}

bool the_second_reader_holds_the_chain_against_footers(
	struct complaint *complaint)
{
	struct workload *work = begin(89);

	if (work_ok(work))
		forge_frame(work->disk, stage_path(1), footer_at(work),
			    AUDIT_FRAME_HEADER_BYTES + 40, other,
			    sizeof(other));
	return is_told(work, AUDIT_RULE_FOOTER_RULE, complaint);
}

bool the_second_reader_holds_the_chain_against_the_anchor(
	struct complaint *complaint)
{
	struct workload *work = begin(90);

	forge_anchor(work->disk, 80, other, sizeof(other));
	return is_told(work, AUDIT_RULE_ANCHOR_CHAIN, complaint);
}

bool an_edited_history_is_not_what_was_exported(struct complaint *complaint)
{
	struct wb_audit_verified verified = {.size = sizeof(verified)};
	struct wb_audit_expected expected = {.revision = 1};
	struct audit_visitor nobody = {.commit = NULL};
	struct workload *work = begin(91);
	struct audit_summary summary;
	enum wb_error error;
	struct dir *dir;

	if (!work_ok(work))
		return stage_end(work, complaint);
	/* No history gives that value. */
	memcpy(expected.chain, other, sizeof(other));
	dir = simdisk_dir(work->disk);
	error = audit_verify(dir, 0, &nobody, &expected, 1, &summary,
			     &verified);
	dir_close(dir);
	if (error)
		(void)work_trouble(work, "verifying", error);
	else if (expected.answer != WB_AUDIT_DIFFERS)
		(void)complain_of(&work->context.complaint, check_told,
				  "another head is taken for this one's");
	return stage_end(work, complaint);
}
