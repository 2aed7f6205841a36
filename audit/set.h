/* SPDX-License-Identifier: Apache-2.0
 *
 * Which segments there are, their headers, and the anchor. Private to audit/.
 */
#ifndef WAYBILL_AUDIT_SET_H
#define WAYBILL_AUDIT_SET_H

#include "audit/reader.h"
#include "audit/window.h"

enum { AUDIT_FILE_NAME_BYTES = 21 }; /* 16 digits, ".log", NUL */

/* Where findings go, and are counted. */
struct report {
	const struct audit_visitor *visitor;
	struct audit_summary *summary;
	bool past_errors; /* AUDIT_READ_PAST_ERRORS */
};
void report_finding(const struct report *report, struct audit_finding finding);
/* `file` could not be opened: told, and WB_OK. The error comes back where it
 * is WB_NO_MEMORY, or errors are not to be read past. */
enum wb_error report_unreadable(const struct report *report, const char *file,
				enum wb_error error);
/* Whatever `window` cannot read is told, where errors are read past. */
void report_trouble_of(const struct report *report, struct window *window);
__attribute__((format(printf, 5, 6))) void report_at(
	const struct report *report, enum audit_rule rule, const char *file,
	uint64_t offset, const char *format, ...);

struct audit_segment {
	char name[AUDIT_FILE_NAME_BYTES];
	uint64_t id; /* by its name */
	bool usable; /* there is a header, and it is this file's */
	bool newer;  /* there is one, of a newer version */
	bool denied; /* the file is for others to read */
	struct audit_header header;
	uint64_t file_bytes;
};

struct audit_set {
	struct audit_segment *segments; /* logs, in the order of their ids */
	size_t count, capacity;
	bool anchor_exists;
	bool salvage_exists; /* an anchor that has not its name yet */
	bool unfinished;     /* no store, or not yet: no need to go on */
	bool anchor_usable;
	bool anchor_denied; /* it is for others to read */
	bool anchor_misfit; /* it has another size: an open refuses it */
	bool slot_is_bad;   /* one of its two */
	struct audit_slot anchor;
};

/* List `dir` and read all headers and the anchor. */
enum wb_error set_read(struct audit_set *set, struct dir *dir,
		       struct window *window, const struct report *report);
void set_release(struct audit_set *set);

/* 16 digits and ".log", ".base" or ".horizon". */
bool set_parse_name(const char *name, uint64_t *ret_id,
		    enum audit_segment_kind *ret_kind);

/* Does the anchor name the right segment? `holds_frames`: the newest segment
 * has a frame. */
void set_check_anchor(const struct audit_set *set, bool holds_frames,
		      const struct report *report);

#endif
