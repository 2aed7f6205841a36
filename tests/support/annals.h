/* SPDX-License-Identifier: Apache-2.0
 *
 * A store with a past, made by the store itself from a seed: transactions of
 * all shapes, groups, marks, clean ends, kills and power cuts, over several
 * small segments. At each revision that a view shows, what it shows is kept
 * as one number, to be compared with what somebody else makes of the files.
 */
#ifndef WAYBILL_TESTS_SUPPORT_ANNALS_H
#define WAYBILL_TESTS_SUPPORT_ANNALS_H

#include "tests/support/shelf.h"

struct annals {
	uint64_t seed;
	struct rng rng;
	struct shelf shelf;
	/* By revision: what a view listed then; 0: no view was taken. */
	uint64_t *listings;
	size_t capacity;
	/* The disk as it was in the middle; settled. */
	struct simdisk *earlier;
};

/* About so many commits. The store is left open. */
void annals_make(struct annals *annals, uint64_t seed, unsigned commits);
void annals_release(struct annals *annals);

/* The revision of the open store. */
uint64_t annals_head(struct annals *annals);

/* End in one of many ways: closed, marked, killed, cut while something was on
 * its way; then the disk alone is left, all of it durable. Free it. */
struct simdisk *annals_end(struct annals *annals);

/* ---- a listing as a number ---- */

/* Start with 0; add all live records in the order of their keys. */
uint64_t listing_add(uint64_t listing, const struct wb_key *key,
		     struct wb_bytes value, uint64_t revision, int64_t time_ns);
/* Of all that a store holds in a view of its head. */
uint64_t listing_of(struct wb_store *store);

#endif
