/* SPDX-License-Identifier: Apache-2.0
 *
 * The store that is measured, in a directory of its own. What fails ends the
 * benchmark.
 */
#ifndef WAYBILL_BENCH_STAND_H
#define WAYBILL_BENCH_STAND_H

#include "bench/measure.h"

#include <waybill/waybill.h>

/* A benchmark's arguments: [--records N] [--rounds N] DIRECTORY, which is
 * returned. What is not given stays as it is. */
const char *stand_arguments(int count, char **arguments, size_t *records,
			    size_t *rounds);

struct stand {
	char path[4096];
	struct wb_store *store; /* while it is open */
};

#define STAND_KIND WB_KIND_EMBEDDER_FIRST
extern const struct wb_bytes stand_ns;

void stand_init(struct stand *stand, const char *directory);
/* Made if it is not there. */
void stand_open(struct stand *stand);
void stand_close(struct stand *stand);
/* Whatever is there is removed. */
void stand_remove(struct stand *stand);
/* An empty one, open. */
void stand_fresh(struct stand *stand);

/* Records `from` to before `to` of measure.h, in one commit. */
void stand_put(struct stand *stand, uint64_t from, uint64_t to);

void stand_check(enum wb_error error, const char *what);

#endif
