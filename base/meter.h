/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts how far long work has come, and tells it now and then. Whoever works
 * takes a meter, or NULL: nobody asks.
 */
#ifndef WAYBILL_BASE_METER_H
#define WAYBILL_BASE_METER_H

#include <waybill/progress.h>

struct meter {
	wb_progress_fn *tell; /* NULL: nobody asks */
	void *context;
	struct wb_progress progress;
	uint64_t step, next; /* told when `next` is reached */
};

/* "bytes" are told by the mebibyte, anything else by the thousand. `total` is
 * 0 where it is not known. */
void meter_begin(struct meter *meter, const char *phase, const char *unit,
		 uint64_t total);
/* It is `done` now; a smaller number than before is no news. */
void meter_at(struct meter *meter, uint64_t done);
/* All of the phase is done. */
void meter_end(struct meter *meter);

#endif
