/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes what a meter tells, and sees that it is told often enough: a bar that
 * stands still and then jumps to its end says nothing.
 */
#ifndef WAYBILL_TESTS_SUPPORT_GAUGE_H
#define WAYBILL_TESTS_SUPPORT_GAUGE_H

#include "base/meter.h"
#include "tests/support/suite.h"

#include <string.h>

struct gauge {
	struct wb_progress last;
	uint64_t step_max; /* between two that were told of a phase */
	unsigned told;	   /* of the last phase, how often */
	char words[200];   /* "check/bytes names/bytes" */
};

static inline void gauge_take(void *context, const struct wb_progress *progress)
{
	struct gauge *gauge = context;
	size_t used = strlen(gauge->words);
	uint64_t step = progress->done - gauge->last.done;

	gauge->told = progress->done == 0 ? 1 : gauge->told + 1;
	if (progress->done == 0) {
		snprintf(gauge->words + used, sizeof(gauge->words) - used,
			 "%s%s/%s", used ? " " : "", progress->phase,
			 progress->unit);
	} else {
		ck_assert_uint_ge(progress->done, gauge->last.done);
		if (step > gauge->step_max)
			gauge->step_max = step;
	}
	gauge->last = *progress;
}

static inline struct meter gauge_meter(struct gauge *gauge)
{
	*gauge = (struct gauge){.step_max = 0};
	return (struct meter){.tell = gauge_take, .context = gauge};
}

#endif
