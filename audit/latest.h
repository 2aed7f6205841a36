/* SPDX-License-Identifier: Apache-2.0
 *
 * Of every key the revision of its newest version, which is what its next
 * change must name. Private to audit/.
 *
 * replay.h knows as much and holds the values, too: as much memory as a store
 * takes. This is for stores that need not fit into it.
 */
#ifndef WAYBILL_AUDIT_LATEST_H
#define WAYBILL_AUDIT_LATEST_H

#include "audit/message.h"

struct latest_slot;

/* All zero: no key. */
struct latest {
	struct latest_slot *slots;
	unsigned bits; /* there are 2^bits slots; 0: none */
	size_t used;
	/* Their encodings, one behind the other, each with its size. */
	uint8_t *keys;
	size_t key_bytes, key_capacity;
};

void latest_release(struct latest *latest);

/* Take the next commit. `*ret_wrong` is the first mutation that does not name
 * the version before; commit->mutation_count: all do. WB_NO_MEMORY. */
enum wb_error latest_take(struct latest *latest,
			  const struct audit_commit *commit, size_t *ret_wrong);

#endif
