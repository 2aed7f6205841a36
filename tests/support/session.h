/* SPDX-License-Identifier: Apache-2.0
 *
 * A store's life with everything in it, during which things may fail: made,
 * written, rotated, marked, read in every way, closed, killed, opened. After
 * each failure the session goes on as a program would, and what it may still
 * rely on is checked.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SESSION_H
#define WAYBILL_TESTS_SUPPORT_SESSION_H

#include "tests/support/crashwork.h"

struct session {
	struct workload work;
	/* Of the failures that are caused; no other error may come of them.
	 * WB_OUTCOME_UNKNOWN and, behind it, WB_STOPPED may always. */
	enum wb_error expected[3];
	unsigned refused;  /* calls that failed */
	unsigned in_doubt; /* of them, with WB_OUTCOME_UNKNOWN */
};

/* Everything once. Ends with the store closed, or what is left of it. */
void session_run(struct session *session);

/* Nothing fails any more: the store is opened; all that was acknowledged is
 * there, and nothing that was refused; it can be written; and all of that
 * stays when power is cut at the end. */
bool session_settle(struct session *session);

#endif
