/* SPDX-License-Identifier: Apache-2.0
 *
 * The table. Rows are tried in order, the first that fits decides; ANY fits
 * everything. The last row fits all, so there always is a verdict.
 */
#include "log/verdict.h"

#include "base/control.h"

#include <stddef.h>

#define ANY (-1)

static const struct row {
	int successor;
	int below_floor;
	int floor_unknown;
	int end;
	int rest;
	enum verdict verdict;
} rows[] = {
	/* Something durable is gone. Nothing else matters. */
	{ANY, true, ANY, ANY, ANY, VERDICT_CORRUPT},
	/* Or may be gone. */
	{ANY, ANY, true, ANY, ANY, VERDICT_CORRUPT},
	{SEEN_MISMATCH, ANY, ANY, ANY, ANY, VERDICT_CORRUPT},
	/* Behind a footer there may be zeros, and never anything else: it was
	 * written after every group before it was durable. */
	{ANY, ANY, ANY, SEEN_FOOTER, SEEN_DEBRIS, VERDICT_CORRUPT},
	{ANY, ANY, ANY, SEEN_FOOTER, ANY, VERDICT_SEALED},
	/* The successor's header is this file's footer; what lies behind the
	 * cut was judged when that header was written. */
	{SEEN_MATCH, ANY, ANY, ANY, ANY, VERDICT_CUT},
	/* The newest segment. */
	{SEEN_NO_SUCCESSOR, ANY, ANY, ANY, SEEN_DEBRIS, VERDICT_TORN},
	{SEEN_NO_SUCCESSOR, ANY, ANY, SEEN_CLOSE, ANY, VERDICT_CLOSED},
	{SEEN_NO_SUCCESSOR, ANY, ANY, SEEN_OPEN, ANY, VERDICT_CLEAN},
	{ANY, ANY, ANY, ANY, ANY, VERDICT_CORRUPT},
};

static bool fits(int row, int seen)
{
	return row == ANY || row == seen;
}

enum verdict verdict_of(const struct seen *seen)
{
	bool below = seen->below_floor && !control_off(CONTROL_RECOVER_FLOOR);
	size_t at;

	for (at = 0; at + 1 < sizeof(rows) / sizeof(rows[0]); at++) {
		const struct row *row = &rows[at];

		if (fits(row->successor, (int)seen->successor) &&
		    fits(row->below_floor, below) &&
		    fits(row->floor_unknown, seen->floor_unknown) &&
		    fits(row->end, (int)seen->end) &&
		    fits(row->rest, (int)seen->rest))
			break;
	}
	return rows[at].verdict;
}

const char *verdict_text(enum verdict verdict)
{
	static const char *const texts[] = {
		[VERDICT_SEALED] = "sealed", [VERDICT_CUT] = "cut",
		[VERDICT_CLOSED] = "closed", [VERDICT_CLEAN] = "clean",
		[VERDICT_TORN] = "torn",     [VERDICT_CORRUPT] = "corrupt",
	};

	return texts[verdict];
}
