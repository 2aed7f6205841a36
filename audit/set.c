/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps 2, 3 and 8 of "Opening": headers, anchor, and whether they are of one
 * store.
 */
#include "audit/set.h"

#include "base/array.h"
#include "base/control.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char anchor_name[] = "anchor";
static const char unfinished_name[] = "anchor.unfinished";

/* ---- findings ---- */

void report_finding(const struct report *report, struct audit_finding finding)
{
	report->summary->findings[finding.severity]++;
	if (finding.rule == AUDIT_RULE_UNREADABLE &&
	    finding.severity == AUDIT_DAMAGE)
		report->summary->unreadable++;
	if (report->visitor->finding)
		report->visitor->finding(report->visitor->context, &finding);
}

void report_at(const struct report *report, enum audit_rule rule,
	       const char *file, uint64_t offset, const char *format, ...)
{
	struct audit_finding finding = audit_finding_of(rule, file, offset);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding.what, sizeof(finding.what), format, arguments);
	va_end(arguments);
	report_finding(report, finding);
}

enum wb_error report_unreadable(const struct report *report, const char *file,
				enum wb_error error)
{
	if (error == WB_NO_MEMORY || !report->past_errors)
		return error;
	report_finding(report, audit_unreadable(file, error));
	return WB_OK;
}

static void take_trouble(void *context, const struct window *window,
			 uint64_t offset, uint64_t bytes, bool again)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_UNREADABLE, window->name, offset);

	finding.bytes = bytes;
	if (again)
		finding.severity = AUDIT_WARNING;
	snprintf(finding.what, sizeof(finding.what), "%s",
		 again ? "it could be read at the second try"
		       : wb_error_text(WB_IO));
	report_finding(context, finding);
}

void report_trouble_of(const struct report *report, struct window *window)
{
	if (!report->past_errors)
		return;
	window->trouble = take_trouble;
	window->trouble_context = (void *)(uintptr_t)report;
}

/* ---- names ---- */

bool set_parse_name(const char *name, uint64_t *ret_id,
		    enum audit_segment_kind *ret_kind)
{
	static const char *const ends[] = {[AUDIT_LOG] = ".log",
					   [AUDIT_BASE] = ".base",
					   [AUDIT_HORIZON] = ".horizon"};
	uint64_t id = 0;
	unsigned kind = AUDIT_LOG;

	for (unsigned digit = 0; digit < 16; digit++) {
		char c = name[digit];

		if (c >= '0' && c <= '9')
			id = id << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			id = id << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	while (kind <= AUDIT_HORIZON && strcmp(name + 16, ends[kind]) != 0)
		kind++;
	if (kind > AUDIT_HORIZON)
		return false;
	*ret_id = id;
	*ret_kind = kind;
	return true;
}

struct listing {
	struct audit_set *set;
	const struct report *report;
	enum wb_error error;
};

static bool take_name(void *context, const char *entry)
{
	struct listing *listing = context;
	struct audit_set *set = listing->set;
	struct audit_segment segment = {.usable = false};
	enum audit_segment_kind kind;

	if (strcmp(entry, anchor_name) == 0)
		set->anchor_exists = true;
	if (strcmp(entry, unfinished_name) == 0)
		set->salvage_exists = true;
	if (!set_parse_name(entry, &segment.id, &kind))
		return true;
	if (kind != AUDIT_LOG) {
		report_at(listing->report, AUDIT_RULE_SEGMENT_KIND, entry, 0,
			  "by its name");
		return true;
	}
	if (!array_grow(&set->segments, &set->capacity, set->count + 1,
			sizeof(*set->segments))) {
		listing->error = WB_NO_MEMORY;
		return false;
	}
	snprintf(segment.name, sizeof(segment.name), "%s", entry);
	set->segments[set->count++] = segment;
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct audit_segment *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* ---- headers ---- */

static void take_header(struct audit_segment *segment,
			const enum audit_seen seen[2],
			const struct audit_header headers[2],
			const char *const why[2], const struct report *report)
{
	bool first = seen[0] == AUDIT_HOLDS, second = seen[1] == AUDIT_HOLDS;

	if (seen[0] == AUDIT_NEWER || seen[1] == AUDIT_NEWER) {
		segment->newer = true;
		report_at(report, AUDIT_RULE_HEADER_NEWER, segment->name, 0,
			  "format version or incompat flags");
		return;
	}
	if (segment->file_bytes < AUDIT_FRAMES_AT) {
		report_at(report, AUDIT_RULE_HEADER, segment->name,
			  segment->file_bytes, "the file ends in its header");
		return;
	}
	if (segment->file_bytes > AUDIT_SEGMENT_BYTES_MAX) {
		report_at(report, AUDIT_RULE_SEGMENT_SIZE, segment->name,
			  AUDIT_SEGMENT_BYTES_MAX, "%llu bytes",
			  (unsigned long long)segment->file_bytes);
		return;
	}
	if (!first && !second) {
		report_at(report, AUDIT_RULE_HEADER, segment->name, 0, "%s",
			  seen[0] == AUDIT_BREAKS   ? why[0]
			  : seen[1] == AUDIT_BREAKS ? why[1]
						    : "checksum");
		return;
	}
	if (!first || !second) {
		unsigned bad = first ? 1 : 0;

		report_at(report, AUDIT_RULE_HEADER_COPY, segment->name,
			  (uint64_t)bad * AUDIT_COPY_BYTES, "%s",
			  seen[bad] == AUDIT_BREAKS ? why[bad] : "checksum");
	} else if (memcmp(&headers[0], &headers[1], sizeof(headers[0])) != 0 &&
		   !control_off(CONTROL_AUDIT_HEADER_COPIES)) {
		report_at(report, AUDIT_RULE_HEADER_COPIES_DIFFER,
			  segment->name, 0, "both verify");
		return;
	}
	segment->header = headers[first ? 0 : 1];
	if (segment->header.kind != AUDIT_LOG)
		report_at(report, AUDIT_RULE_SEGMENT_NAME, segment->name, 20,
			  "its kind is %u", (unsigned)segment->header.kind);
	else if (segment->header.id != segment->id)
		report_at(report, AUDIT_RULE_SEGMENT_NAME, segment->name, 64,
			  "id is %016llx",
			  (unsigned long long)segment->header.id);
	else
		segment->usable = true;
}

static enum wb_error read_header(struct audit_segment *segment, struct dir *dir,
				 struct window *window,
				 const struct report *report)
{
	enum audit_seen seen[2] = {AUDIT_FAILS, AUDIT_FAILS};
	const char *why[2] = {"", ""};
	struct audit_header headers[2];
	enum wb_error error = window_open(window, dir, segment->name);

	segment->denied = error == WB_PERMISSION;
	if (error)
		return report_unreadable(report, segment->name, error);
	segment->file_bytes = window->file_bytes;
	report->summary->file_bytes += window->file_bytes;
	for (unsigned copy = 0; copy < 2; copy++) {
		const uint8_t *bytes;

		error = window_span(window, (uint64_t)copy * AUDIT_COPY_BYTES,
				    AUDIT_COPY_BYTES, &bytes);
		if (error)
			return error;
		if (bytes)
			seen[copy] =
				audit_header_read(bytes, copy, &headers[copy],
						  &why[copy]);
	}
	take_header(segment, seen, headers, why, report);
	return WB_OK;
}

/* ---- anchor ---- */

static void take_slots(struct audit_set *set, const enum audit_seen seen[2],
		       const struct audit_slot slots[2],
		       const char *const why[2], const struct report *report)
{
	bool first = seen[0] == AUDIT_HOLDS, second = seen[1] == AUDIT_HOLDS;
	unsigned best = 0;

	if (seen[0] == AUDIT_NEWER || seen[1] == AUDIT_NEWER) {
		report_at(report, AUDIT_RULE_ANCHOR_NEWER, anchor_name, 0,
			  "format version");
		return;
	}
	if (!first && !second) {
		report_at(report, AUDIT_RULE_ANCHOR, anchor_name, 0, "%s",
			  seen[0] == AUDIT_BREAKS   ? why[0]
			  : seen[1] == AUDIT_BREAKS ? why[1]
						    : "checksum");
		return;
	}
	if (!first || !second) {
		unsigned bad = first ? 1 : 0;

		best = 1 - bad;
		set->slot_is_bad = true;
		report_at(report, AUDIT_RULE_ANCHOR_SLOT, anchor_name,
			  (uint64_t)bad * AUDIT_COPY_BYTES, "%s",
			  seen[bad] == AUDIT_BREAKS ? why[bad] : "checksum");
	} else if (slots[1].sequence > slots[0].sequence) {
		best = 1;
	}
	set->anchor = slots[best];
	set->anchor_usable = true;
	report->summary->has_anchor = true;
	report->summary->anchor = slots[best];
}

static enum wb_error read_anchor(struct audit_set *set, struct dir *dir,
				 struct window *window,
				 const struct report *report)
{
	enum audit_seen seen[2] = {AUDIT_FAILS, AUDIT_FAILS};
	const char *why[2] = {"", ""};
	struct audit_slot slots[2] = {{.sequence = 0}};
	enum wb_error error = window_open(window, dir, anchor_name);

	set->anchor_denied = error == WB_PERMISSION;
	if (error)
		return report_unreadable(report, anchor_name, error);
	set->anchor_misfit = window->file_bytes != AUDIT_ANCHOR_BYTES;
	if (set->anchor_misfit)
		report_at(report, AUDIT_RULE_ANCHOR_SIZE, anchor_name,
			  window->file_bytes, "it is not %d bytes",
			  AUDIT_ANCHOR_BYTES);
	for (unsigned slot = 0; slot < 2; slot++) {
		const uint8_t *bytes;

		error = window_span(window, (uint64_t)slot * AUDIT_COPY_BYTES,
				    AUDIT_COPY_BYTES, &bytes);
		if (error)
			return error;
		if (bytes)
			seen[slot] = audit_slot_read(bytes, slot, &slots[slot],
						     &why[slot]);
	}
	take_slots(set, seen, slots, why, report);
	return WB_OK;
}

/* ---- of one store? ---- */

static bool of_anchor(const struct audit_set *set, size_t at)
{
	return memcmp(set->segments[at].header.uuid, set->anchor.uuid,
		      AUDIT_UUID_BYTES) == 0;
}

/* The anchor says which store this is, unless it stands alone. */
static void check_uuid(struct audit_set *set, const struct report *report)
{
	const uint8_t *uuid = NULL;
	bool anchor_stands_alone = true;

	for (size_t at = 0; at < set->count; at++) {
		if (!set->segments[at].usable)
			continue;
		if (!uuid)
			uuid = set->segments[at].header.uuid;
		if (set->anchor_usable && of_anchor(set, at))
			anchor_stands_alone = false;
	}
	if (set->anchor_usable && (!uuid || !anchor_stands_alone)) {
		uuid = set->anchor.uuid;
		/* Until a segment says its own. */
		report->summary->epoch = set->anchor.epoch;
	} else if (set->anchor_usable) {
		report_at(report, AUDIT_RULE_ANCHOR_STORE, anchor_name, 32,
			  "uuid");
	}
	if (!uuid)
		return;
	memcpy(report->summary->uuid, uuid, AUDIT_UUID_BYTES);
	for (size_t at = 0; at < set->count; at++) {
		struct audit_segment *segment = &set->segments[at];

		if (!segment->usable ||
		    memcmp(segment->header.uuid, report->summary->uuid,
			   AUDIT_UUID_BYTES) == 0 ||
		    control_off(CONTROL_AUDIT_SET_UUID))
			continue;
		report_at(report, AUDIT_RULE_SEGMENT_STORE, segment->name, 40,
			  "uuid");
		segment->usable = false;
	}
}

/* ---- the set ---- */

/* Is there anything behind the header of any segment? Then a frame was
 * written, whether it verifies or not. */
static enum wb_error find_frames(const struct audit_set *set, struct dir *dir,
				 struct window *window, bool past_errors,
				 bool *ret_found)
{
	*ret_found = false;
	for (size_t at = 0; at < set->count && !*ret_found; at++) {
		uint64_t data = UINT64_MAX;
		enum wb_error error =
			window_open(window, dir, set->segments[at].name);

		if (!error)
			error = window_find_data(window, AUDIT_FRAMES_AT,
						 UINT64_MAX, &data);
		if (error == WB_NO_MEMORY || (error && !past_errors))
			return error;
		/* What cannot be read was told of, and may be a frame. */
		*ret_found = error || data != UINT64_MAX;
	}
	return WB_OK;
}

static enum wb_error check_creation(struct audit_set *set, struct dir *dir,
				    struct window *window,
				    const struct report *report)
{
	bool found = false;
	enum wb_error error =
		find_frames(set, dir, window, report->past_errors, &found);

	if (error)
		return error;
	/* A creation makes segment 1, writes no frame, and then the anchor. */
	if (set->count > 1 || set->segments[0].id != 1)
		found = true;
	set->unfinished = !found;
	if (!found)
		report_at(report, AUDIT_RULE_CREATION, anchor_name, 0,
			  "it is not there");
	else if (set->salvage_exists)
		report_at(report, AUDIT_RULE_UNFINISHED, unfinished_name, 0,
			  "its anchor has not its name yet");
	else
		report_at(report, AUDIT_RULE_ANCHOR_MISSING, anchor_name, 0,
			  "it is not there");
	return WB_OK;
}

enum wb_error set_read(struct audit_set *set, struct dir *dir,
		       struct window *window, const struct report *report)
{
	struct listing listing = {.set = set, .report = report};
	enum wb_error error = dir_list(dir, "", take_name, &listing);

	if (!error)
		error = listing.error;
	if (set->count > 1)
		qsort(set->segments, set->count, sizeof(*set->segments), by_id);
	for (size_t at = 0; at < set->count && !error; at++)
		error = read_header(&set->segments[at], dir, window, report);
	if (!error && set->anchor_exists)
		error = read_anchor(set, dir, window, report);
	else if (!error && set->count > 0)
		error = check_creation(set, dir, window, report);
	else
		set->unfinished = true;
	if (!error)
		check_uuid(set, report);
	return error;
}

void set_release(struct audit_set *set)
{
	free(set->segments);
	*set = (struct audit_set){0};
}

/* Where there are other segments, the newest of them is below the floor, and
 * that finding has the revisions. */
static void report_ahead(const struct audit_set *set,
			 const struct report *report)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_ANCHOR_AHEAD, anchor_name, 56);

	if (set->count == 0 && set->anchor.durable_revision > 0) {
		finding.revision_first = 1;
		finding.revision_last = set->anchor.durable_revision;
	}
	snprintf(finding.what, sizeof(finding.what), "it names %016llx",
		 (unsigned long long)set->anchor.active_id);
	report_finding(report, finding);
}

void set_check_anchor(const struct audit_set *set, bool holds_frames,
		      const struct report *report)
{
	uint64_t id = set->anchor.active_id;
	const struct audit_segment *newest, *named;

	if (!set->anchor_usable)
		return;
	newest = set->count ? &set->segments[set->count - 1] : NULL;
	if (!newest || id > newest->id) {
		report_ahead(set, report);
		return;
	}
	named = newest;
	if (id != newest->id) {
		named = set->count > 1 ? newest - 1 : NULL;
		if (!named || named->id != id ||
		    (holds_frames && !set->slot_is_bad)) {
			report_at(report, AUDIT_RULE_ANCHOR_OLD, anchor_name,
				  56, "it names %016llx",
				  (unsigned long long)id);
			return;
		}
		report_at(report, AUDIT_RULE_ANCHOR_BEHIND, anchor_name, 56,
			  "it names the segment before the newest");
	}
	if (named->usable && named->header.epoch != set->anchor.epoch)
		report_at(report, AUDIT_RULE_ANCHOR_STORE, anchor_name, 48,
			  "epoch");
}
