/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be done about a store in its place, and provably loses nothing:
 *
 *  - a bad copy of a segment's header is written again from the good one, and
 *    a bad slot of the anchor from what the log says;
 *  - an anchor that is missing, or bad as a whole, is made anew where nothing
 *    else is wrong and the log proves its own end: its last frame is a MARK or
 *    CLOSE, and behind it the segment's reserved space goes on with zeros, so
 *    that it was neither cut nor sealed and has no successor;
 *  - what the next open for writing would do is done by one: a torn,
 *    unacknowledged tail is cut and kept in torn/;
 *  - files that were being made are removed from tmp/.
 *
 * Where acknowledged data is damaged only the first of these is done, for
 * headers: the rest is for a salvage, and the files are its evidence.
 */
#ifndef WAYBILL_REPAIR_REPAIR_H
#define WAYBILL_REPAIR_REPAIR_H

#include "audit/fsck.h"
#include "base/env.h"

enum { FOUND_FILE_BYTES = 80 };

/* What fsck found, without names. */
struct found_item {
	enum audit_rule rule;
	enum audit_severity severity;
	enum audit_remedy remedy;
	uint64_t offset;
	char file[FOUND_FILE_BYTES];
};

/* All zero: nothing yet. */
struct found_list {
	struct found_item *items;
	size_t count, capacity;
	enum wb_error error; /* of an addition */
};

void found_add(struct found_list *list, const struct audit_finding *finding);
void found_release(struct found_list *list);
/* One with this rule and place; NULL: none. */
const struct found_item *found_find(const struct found_list *list,
				    const struct found_item *item);

/* Does `found` hold anything that repair_run would see to? */
bool repair_is_of_use(const struct found_list *found);

/* See to it. The exclusive lock of `dir` is held; `found` is what fsck said
 * under that lock. Of `options` there are `report`, which hears what an open
 * says, and `stop`, which is asked before each step: what was begun is always
 * finished (WB_CANCELLED).
 *
 * An error stops all that was not done yet; nothing is worse than before.
 * What is left is for another fsck to say. */
enum wb_error repair_run(struct dir *dir, const struct env *env,
			 const struct found_list *found,
			 const struct wb_fsck_options *options);

#endif
