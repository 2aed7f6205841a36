/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"

#include <string.h>

enum { STEP_BYTES = 1 << 20, STEP_THINGS = 1000 };

static void tell(struct meter *meter)
{
	meter->next = meter->progress.done + meter->step;
	meter->tell(meter->context, &meter->progress);
}

void meter_begin(struct meter *meter, const char *phase, const char *unit,
		 uint64_t total)
{
	if (!meter || !meter->tell)
		return;
	meter->step = strcmp(unit, "bytes") == 0 ? STEP_BYTES : STEP_THINGS;
	meter->progress = (struct wb_progress){
		.size = sizeof(meter->progress),
		.phase = phase,
		.unit = unit,
		.total = total,
	};
	tell(meter);
}

void meter_at(struct meter *meter, uint64_t done)
{
	if (!meter || !meter->tell || done < meter->next)
		return;
	/* Files grow, and damage is searched more than once. */
	if (meter->progress.total > 0 && done > meter->progress.total)
		done = meter->progress.total;
	if (done < meter->progress.done + meter->step)
		return;
	meter->progress.done = done;
	tell(meter);
}

void meter_end(struct meter *meter)
{
	if (!meter || !meter->tell)
		return;
	if (meter->progress.total == 0)
		meter->progress.total = meter->progress.done;
	meter->progress.done = meter->progress.total;
	tell(meter);
}
