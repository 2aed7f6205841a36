/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks a store's files: every rule of docs/FORMAT.md, and of the invariants
 * of ARCHITECTURE.md those that files can show: 1, 3, 6, 7 and 8 by the floor
 * and the frames, 9 and 10 by the headers and the anchor, 14 by each change's
 * previous revision, 15 by the chain, 17 by the operation ids, 18 by all of
 * it. Reads only; repairs nothing.
 */
#ifndef WAYBILL_AUDIT_FSCK_H
#define WAYBILL_AUDIT_FSCK_H

#include "audit/reader.h"

#include <waybill/fsck.h>

enum { FSCK_NAMES_MAX = 1000, FSCK_FINDINGS_MAX = 10000 };

struct fsck_visitor {
	/* In the order of the files and offsets; what is pointed at lasts
	 * until the call returns. A name is exact where something that
	 * verifies says the same: a footer's hash, a later change of that key,
	 * the frame itself. Names in the order of revisions and keys;
	 * of more than names_max the rest is counted in `more`. */
	void (*finding)(void *context, const struct audit_finding *finding,
			const struct wb_finding_name *names, size_t count,
			uint64_t more);
	void *context;
	size_t names_max;    /* of one finding; 0: FSCK_NAMES_MAX */
	struct meter *meter; /* phases "check" and "names"; NULL */
	unsigned flags;	     /* AUDIT_READ_TWO_THREADS, or 0 */
	/* Asked now and then: true ends it, WB_CANCELLED. NULL: nobody is. */
	bool (*stop)(void *context);
	void *stop_context;
};

struct fsck_summary {
	struct audit_summary log;
	/* Of each severity, with what the reader does not see. */
	uint64_t findings[AUDIT_DAMAGE + 1];
	uint64_t untold;     /* beyond FSCK_FINDINGS_MAX: counted only */
	uint64_t unreadable; /* of them, those of AUDIT_RULE_UNREADABLE */
	uint64_t revisions_lost;
	uint64_t names_exact, names_probable;
};

/* Check the store in `dir`. Damage is no error, and a file that cannot be read
 * is a finding. WB_IO, WB_PERMISSION, WB_NO_MEMORY: nothing could be checked;
 * WB_CANCELLED; then `*ret_summary` is untouched. */
enum wb_error audit_fsck(struct dir *dir, const struct fsck_visitor *visitor,
			 struct fsck_summary *ret_summary);

#endif
