/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling the index and the operation ids from the log, at open.
 */
#ifndef WAYBILL_STORE_LOAD_H
#define WAYBILL_STORE_LOAD_H

#include "store/state.h"

#define LOAD_AHEAD 16 /* a power of two */

/* Begin with only `store` set. */
struct loader {
	struct wb_store *store;
	struct load_slot {
		uint64_t hash;
		struct record *record;
	} slots[LOAD_AHEAD];
	size_t first, count;
};

/* A log_replay_fn; `context` is the loader. WB_NO_MEMORY. */
enum wb_error load_commit(void *context, const struct commit *commit);

/* Put what is still on its way, or after an error free it. */
enum wb_error load_finish(struct loader *loader, enum wb_error error);

#endif
