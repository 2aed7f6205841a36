/* SPDX-License-Identifier: Apache-2.0
 *
 * What a salvage could not bring over: revisions, and the names that were
 * changed in them, as far as anything tells; and where the commits behind a
 * gap have gone.
 */
#ifndef WAYBILL_REPAIR_LOSSES_H
#define WAYBILL_REPAIR_LOSSES_H

#include <waybill/fsck.h>

struct lost_range {
	uint64_t first, last;
};

struct losses {
	struct lost_range *ranges; /* ascending, not touching */
	size_t range_count, range_capacity;
	struct wb_salvage_name *names;
	size_t name_count, name_capacity;
	struct lost_names {
		struct lost_range within;
		uint64_t count;
	} * unknown;
	size_t unknown_count, unknown_capacity;
	/* Changes of which nobody knows the name; once settled. */
	uint64_t names_unknown;
	/* Not 0: from here on nobody knows which revisions there were, and so
	 * which are lost. */
	uint64_t unknown_from;
	/* Lost revisions of which no name is known; once settled. */
	uint64_t revisions_nameless;
};

void losses_release(struct losses *losses);

/* In ascending order. WB_NO_MEMORY, here and below. */
enum wb_error losses_range(struct losses *losses, uint64_t first,
			   uint64_t last);
/* A name that was changed in `revision` (0: nobody knows in which), perhaps
 * one that is not lost. The key is copied. */
enum wb_error losses_name(struct losses *losses, const struct wb_key *key,
			  uint64_t revision, bool exact);

/* So many more, somewhere in these revisions. */
enum wb_error losses_unknown(struct losses *losses, uint64_t first,
			     uint64_t last, uint64_t count);

/* When all is added: names of revisions that cannot be lost are forgotten, the
 * others put in the order of revisions and keys, each once. */
void losses_settle(struct losses *losses);

bool losses_is_lost(const struct losses *losses, uint64_t revision);
/* How many revisions below this one are lost; all: UINT64_MAX. */
uint64_t losses_below(const struct losses *losses, uint64_t revision);
/* Which revision of the damaged store a revision of the new one was. */
uint64_t losses_old_revision(const struct losses *losses, uint64_t revision);

/* The runs of commits that have another revision now: from *at = 0 until
 * false. `last` of the last one is `head`. */
bool losses_next_move(const struct losses *losses, uint64_t head, size_t *at,
		      struct wb_salvage_move *ret_move);

#endif
