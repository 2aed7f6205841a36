/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a point in time. A calendar time that is accepted is written back
 * as a text that means the same moment, and begins with the same date where
 * it was given in UTC.
 */
#include "tools/timepoint.h"

#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1785585600000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char given[64] = "";
	char written[TIME_TEXT_BYTES];
	struct timepoint point;
	struct timepoint again;

	if (size >= sizeof(given))
		return 0;
	memcpy(given, data, size);
	if (timepoint_parse(given, NOW, &point, NULL) != WB_OK ||
	    point.kind != TIMEPOINT_TIME)
		return 0;
	time_format(point.time_ns, false, written);
	if (timepoint_parse(written, NOW, &again, NULL) != WB_OK ||
	    again.kind != TIMEPOINT_TIME || again.time_ns != point.time_ns)
		abort();
	/* A date alone, which has no leap second and no offset. */
	if (strlen(given) == 10 && given[4] == '-' && given[7] == '-' &&
	    strncmp(given, written, 10) != 0)
		abort();
	return 0;
}
