/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's lock, for whoever opens its directory: one way to take it, one
 * sentence when somebody else has it.
 */
#ifndef WAYBILL_BASE_LOCK_H
#define WAYBILL_BASE_LOCK_H

#include "base/file.h"

/* dir_lock. WB_LOCKED: `ret_text` (NULL is allowed) names who holds it, as far
 * as is known. */
enum wb_error lock_take(struct dir *dir, bool exclusive,
			struct wb_text *ret_text);

#endif
