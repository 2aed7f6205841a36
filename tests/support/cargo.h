/* SPDX-License-Identifier: Apache-2.0
 *
 * A store with a past, made from a seed, with all that a dump can meet: images
 * with odd names, labels, annotations and times, in several namespaces; some of
 * a later version; other kinds, whose names and values are any bytes;
 * deletions, operation ids, reasons that are no text.
 */
#ifndef WAYBILL_TESTS_SUPPORT_CARGO_H
#define WAYBILL_TESTS_SUPPORT_CARGO_H

#include "tests/support/shelf.h"

struct cargo {
	struct rng rng;
	struct shelf shelf;
};

/* About so many commits. The store is left open. */
void cargo_make(struct cargo *cargo, uint64_t seed, unsigned commits);
void cargo_release(struct cargo *cargo);

/* One more commit. */
void cargo_commit(struct cargo *cargo);

#endif
