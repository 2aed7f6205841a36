/* SPDX-License-Identifier: Apache-2.0
 *
 * Torn or corrupt? The decision that every log-structured store must take at
 * its tail, as a table. Pure: it is given what was seen and says what it
 * means; tests/test_verdict.c asks it about every combination.
 *
 * Discarded: guessing from the bytes. Neither "an all-zero sector" nor "the
 * last byte is zero" proves that a write was torn. What proves damage is that
 * something known to be durable does not verify: the floor. Where it could not
 * be found out how high that is, the answer is corrupt as well: that changes
 * nothing on the disk, while torn would cut what may have been acknowledged.
 */
#ifndef WAYBILL_LOG_VERDICT_H
#define WAYBILL_LOG_VERDICT_H

#include <stdbool.h>

/* What the verifying frames end with. */
enum seen_end { SEEN_OPEN, SEEN_CLOSE, SEEN_FOOTER, SEEN_ENDS };

/* What follows them. */
enum seen_rest { SEEN_NOTHING, SEEN_ZEROS, SEEN_DEBRIS, SEEN_RESTS };

/* What the next segment's header says of this one. */
enum seen_successor {
	SEEN_NO_SUCCESSOR,
	SEEN_MATCH,
	SEEN_MISMATCH,
	SEEN_SUCCESSORS,
};

struct seen {
	enum seen_end end;
	enum seen_rest rest;
	enum seen_successor successor;
	bool below_floor;   /* something durable does not verify */
	bool floor_unknown; /* and whether so could not be found out */
};

enum verdict {
	VERDICT_SEALED, /* complete, immutable */
	VERDICT_CUT,	/* ends where its successor's header says */
	VERDICT_CLOSED, /* a clean end: append behind it */
	VERDICT_CLEAN,	/* all there is verifies, but nobody said goodbye */
	VERDICT_TORN,	/* an unacknowledged write did not finish */
	VERDICT_CORRUPT,
};

enum verdict verdict_of(const struct seen *seen);

/* "sealed", "torn", …, for people. */
const char *verdict_text(enum verdict verdict);

#endif
