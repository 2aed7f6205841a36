/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes on their way into a store, as many as one transaction holds. They
 * are gathered before it begins, so that no Update waits for somebody's file.
 */
#ifndef WAYBILL_DUMP_BATCH_H
#define WAYBILL_DUMP_BATCH_H

#include "store/store.h"

struct batch_item;

/* All zero: empty. */
struct batch {
	struct batch_item *items;
	size_t count, capacity;
	uint8_t *bytes; /* their keys and values */
	size_t size, bytes_capacity;
};

void batch_release(struct batch *batch);
void batch_clear(struct batch *batch);

/* Would it still be one transaction, with this change? An empty one takes
 * any; whether that is too large is for the store to say. */
bool batch_has_room(const struct batch *batch,
		    const struct store_change *change);

/* Is it certain that it fits a transaction of its own? */
bool batch_fits_alone(const struct store_change *change);

/* Copies it; `line` is where it is from. WB_NO_MEMORY: nothing is done. */
enum wb_error batch_add(struct batch *batch, const struct store_change *change,
			uint64_t line);

/* Number `at`; points into the batch until the next batch_add. */
struct store_change batch_change(const struct batch *batch, size_t at);
uint64_t batch_line(const struct batch *batch, size_t at);

#endif
