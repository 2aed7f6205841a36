/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as text: RFC 3339, to the nanosecond. A time is ns since 1970, UTC;
 * the years 1678 to 2261 fit whole.
 */
#ifndef WAYBILL_BASE_CALENDAR_H
#define WAYBILL_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define TIME_TEXT_BYTES 32

/* RFC 3339 in UTC: `2026-08-01T12:00:00.000000001Z`, without its fraction
 * where that is zero or `whole_seconds` drops it (rounding down). */
void time_format(int64_t time_ns, bool whole_seconds,
		 char ret_text[TIME_TEXT_BYTES]);

/* A date, which is its first moment (2026-08-01), or a time as RFC 3339 has
 * it, with any offset (2026-08-01T12:00:00.5+02:00); a leap second is the
 * first of the next minute. False: neither, or out of range. */
bool time_parse(const char *text, int64_t *ret_time_ns);

#endif
