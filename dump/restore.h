/* SPDX-License-Identifier: Apache-2.0
 *
 * What restore.c and restore_history.c share, and loading a history into a
 * directory that is open already. The rest is in <waybill/dump.h>.
 */
#ifndef WAYBILL_DUMP_RESTORE_H
#define WAYBILL_DUMP_RESTORE_H

#include "base/env.h"
#include "base/file.h"

#include <waybill/dump.h>

/* The options of a caller as this version has them (NULL: the usual ones); and
 * his result, where he wants one, as that of nothing done: a wrong size is
 * told before anything is. WB_USAGE, WB_UNSUPPORTED. */
enum wb_error restore_begin(const struct wb_load_options *options,
			    struct wb_load_options *ret_options,
			    struct wb_load_result *ret_result,
			    struct wb_text *ret_text);

/* The second half of wb_load_history, of a dump that wb_dump_check found right
 * and of `commits` commits, on a directory that is open already. `dir` is
 * taken over; after an error nothing of it is in there but the lock. */
enum wb_error restore_history_on(struct dir *dir, const struct env *env,
				 const struct wb_open_options *open,
				 wb_load_read_fn *read, void *context,
				 const struct wb_load_options *options,
				 uint64_t commits, struct wb_text *ret_text);

#endif
