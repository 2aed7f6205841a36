/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of a store's history, computed anew, against what its own files
 * record and against values that were kept elsewhere.
 */
#ifndef WAYBILL_AUDIT_VERIFY_H
#define WAYBILL_AUDIT_VERIFY_H

#include "audit/reader.h"

#include <waybill/audit.h>

/* wb_audit_verify for one who has the directory: `findings` is told of each
 * finding (its `commit` is not called). Beside a store that is written the last
 * write may look torn. `flags`: AUDIT_READ_TWO_THREADS, or 0. WB_IO,
 * WB_PERMISSION, WB_NO_MEMORY; then nothing was answered. */
enum wb_error audit_verify(struct dir *dir, unsigned flags,
			   const struct audit_visitor *findings,
			   struct wb_audit_expected *expected, size_t count,
			   struct audit_summary *ret_summary,
			   struct wb_audit_verified *ret_verified);

#endif
