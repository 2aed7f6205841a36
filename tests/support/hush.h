/* SPDX-License-Identifier: Apache-2.0
 *
 * A wb_report_fn for those who look at answers alone.
 */
#ifndef WAYBILL_TESTS_SUPPORT_HUSH_H
#define WAYBILL_TESTS_SUPPORT_HUSH_H

#include <waybill/store.h>

static inline void hush(void *context, enum wb_severity severity,
			const char *line)
{
	(void)context;
	(void)severity;
	(void)line;
}

#endif
