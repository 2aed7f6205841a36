/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: JSON Lines, one change a line, all of them one commit.
 *
 *	{"op":"put","name":N,"target":DESCRIPTOR,"labels":{…},"if":CONDITION}
 *	{"op":"delete","name":N,"if":CONDITION}
 *
 * CONDITION is one of {"absent":true}, {"present":true}, {"revision":7},
 * {"digest":"sha256:…"}. `labels` and `if` may be absent. Empty lines count
 * but say nothing.
 */
#ifndef WAYBILL_TOOLS_PLAN_H
#define WAYBILL_TOOLS_PLAN_H

#include "tools/scratch.h"

#include <stdbool.h>
#include <stddef.h>
#include <waybill/images.h>

struct plan {
	struct wb_image_mutation *mutations;
	size_t *lines; /* of each mutation, from 1 */
	size_t count;
};

/* `raw`: names are taken as they stand. `condition` is for lines without an
 * "if". Everything is checked that can be without a store; WB_BAD_INPUT or
 * WB_TOO_LARGE with `line N: …`, and N in `ret_line`. */
enum wb_error plan_read(struct scratch *scratch, const char *bytes, size_t size,
			bool raw, const struct wb_condition *condition,
			struct plan *ret_plan, size_t *ret_line,
			struct wb_text *ret_text);

/* Can it succeed where there is no store yet? */
bool plan_fits_empty_store(const struct plan *plan);

#endif
