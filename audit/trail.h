/* SPDX-License-Identifier: Apache-2.0
 *
 * The log as a list of changes: who, when, why, and what was there before.
 */
#ifndef WAYBILL_AUDIT_TRAIL_H
#define WAYBILL_AUDIT_TRAIL_H

#include "audit/reader.h"

#include <waybill/audit.h>

/* wb_audit_log for one who has the directory; `findings` as for audit_verify.
 * Damage is no error: `ret_summary` tells of it; where the visitor stopped it
 * tells of nothing, and its verdict is AUDIT_CLEAN. WB_IO, WB_PERMISSION,
 * WB_NO_MEMORY. */
enum wb_error audit_trail(struct dir *dir, const struct audit_visitor *findings,
			  const struct wb_audit_filter *filter,
			  wb_audit_fn *visit, void *context,
			  struct audit_summary *ret_summary);

#endif
