/* SPDX-License-Identifier: Apache-2.0
 *
 * Every commit of a store that verifies and counts, wherever it lies, also
 * where the store is so damaged that no open would take it; and which
 * revisions there were of which none is left.
 *
 * "Counts" is what docs/FORMAT.md says of a sound store: not what lies behind
 * a cut, not what stands behind a torn write, not what another store or
 * another epoch wrote. Nothing is guessed but a salt, and frames that verify
 * under it prove that one.
 *
 * The end is known where the anchor names the newest segment that is there, or
 * where the log proves its end itself. What stands behind the floor and does
 * not verify is a torn write then. Without either it may be anything.
 */
#ifndef WAYBILL_AUDIT_SURVIVORS_H
#define WAYBILL_AUDIT_SURVIVORS_H

#include "audit/message.h"
#include "base/file.h"
#include "base/meter.h"

/* What is pointed at lasts until the call returns; an error ends the reading
 * and is what it returns. */
struct audit_survivors_visitor {
	/* In the order of their revisions. */
	enum wb_error (*commit)(void *context,
				const struct audit_commit *commit);
	/* All of `first` to `last`, at least one; between the commits. */
	enum wb_error (*lost)(void *context, uint64_t first, uint64_t last);
	void *context;
	struct meter *meter; /* phases "search" and "copy"; NULL */
};

struct audit_survivors {
	bool has_uuid; /* a header or the anchor tells which store it is */
	uint8_t uuid[AUDIT_UUID_BYTES];
	uint64_t epoch; /* of the newest segment or the anchor; 0: not known */
	uint64_t commits;
	uint64_t revisions_lost;
	uint64_t head; /* the newest revision that anything tells of */
	/* From this revision, `head` + 1, on nothing tells how many commits
	 * there were. 0: the log's end is known, so there were none, or none
	 * that the anchor knew of. */
	uint64_t unknown_from;
};

/* Read what survives in `dir`. Memory: 24 bytes a commit. A file that cannot
 * be read is lost, as far as it cannot. WB_IO, WB_PERMISSION: the directory
 * cannot be listed. WB_NO_MEMORY. */
enum wb_error audit_survivors_read(
	struct dir *dir, const struct audit_survivors_visitor *visitor,
	struct audit_survivors *ret_survivors);

#endif
