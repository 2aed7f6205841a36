/* SPDX-License-Identifier: Apache-2.0
 *
 * The names that a finding affects, and how well they are known. Private to
 * audit/.
 *
 * There are three sources: damaged frames (a name that nothing vouches for),
 * a footer (a hash of each name, and its place), and later changes of a key
 * that name their previous revision (a proof).
 */
#ifndef WAYBILL_AUDIT_NAMES_H
#define WAYBILL_AUDIT_NAMES_H

#include "audit/fsck.h"

/* A change: which commit, where its frame is, and which one in it. */
struct name_place {
	uint64_t revision, offset;
	uint32_t mutation;
};

struct name;
struct name_hint;

/* All zero but `max`: none. */
struct names {
	struct name *all;
	size_t count, capacity;
	struct name_hint *hints; /* hashes whose names are not known */
	size_t hint_count, hint_capacity;
	uint64_t hint_filter; /* which values of 6 bits their hashes have */
	uint64_t more;
	size_t max; /* of names, and of hashes */
};

void names_release(struct names *names);

/* A frame says so; `exact`: it verifies. WB_NO_MEMORY, here and below. */
enum wb_error names_add(struct names *names, const struct wb_key *key,
			struct name_place place, bool exact);
/* A footer says that the change at this place has this hash. */
enum wb_error names_hash(struct names *names, uint32_t hash,
			 struct name_place place);
/* A later change of the key says that this revision changed it. */
enum wb_error names_prove(struct names *names, const struct wb_key *key,
			  uint64_t revision);
/* A key that is somewhere in the log: is one of the hashes its own? */
enum wb_error names_guess(struct names *names, const struct wb_key *key);

/* In the order of revisions and keys; borrowed. Returns how many, which is
 * names->count. */
size_t names_told(struct names *names, struct wb_finding_name *told,
		  uint64_t *ret_more);

#endif
