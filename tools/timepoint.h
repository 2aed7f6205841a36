/* SPDX-License-Identifier: Apache-2.0
 *
 * Points in a name's history, as a person writes them: `NAME@{3}`,
 * `NAME@{r17}`, `NAME@{2026-08-01T12:00:00Z}`, `NAME@{yesterday}`.
 *
 * Pure: the clock is an argument. Times are ns since 1970, UTC; the years
 * 1678 to 2261 fit whole.
 */
#ifndef WAYBILL_TOOLS_TIMEPOINT_H
#define WAYBILL_TOOLS_TIMEPOINT_H

#include "base/calendar.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

enum timepoint_kind {
	TIMEPOINT_VERSIONS_BACK, /* 0: the newest */
	TIMEPOINT_REVISION,	 /* as of this revision */
	TIMEPOINT_TIME,		 /* as of this time */
};

struct timepoint {
	enum timepoint_kind kind;
	uint64_t number; /* versions or revision */
	int64_t time_ns;
};

/* Would it be a time, but for its year? */
bool timepoint_out_of_range(const char *text);
/* "out of range, which is …" */
extern const char timepoint_range[];

/* Where `NAME@{POINT}` has its "@{": the last one, if the text ends in "}".
 * NULL: it is a name alone. */
const char *timepoint_find(const char *argument);

/* Reads what stands between the braces:
 *   N            N versions back
 *   rN           revision N
 *   DATE         2026-08-01, its first moment
 *   TIME         RFC 3339, 2026-08-01T12:00:00.5+02:00; a leap second is the
 *                first of the next minute
 *   now, yesterday (24 hours ago)
 *   N UNIT ago   second, minute, hour, day (24 hours), week, with or without
 *                s; dots do for spaces
 * WB_BAD_INPUT with a sentence. */
enum wb_error timepoint_parse(const char *text, int64_t now_ns,
			      struct timepoint *ret_point,
			      struct wb_text *ret_text);

#endif
