/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory of a store for one who only reads its files: opened, with the
 * lock that keeps a writer out. And how findings are told. Private to audit/.
 */
#ifndef WAYBILL_AUDIT_OPEN_H
#define WAYBILL_AUDIT_OPEN_H

#include "audit/reader.h"

#include <waybill/audit.h>

struct teller {
	wb_report_fn *report; /* NULL: standard error */
	void *context;
	struct meter meter;
	struct wb_text first; /* damage that was told first */
	unsigned flags;	      /* for audit_read: the threads */
};

/* An audit_visitor's `finding`, whose context is a teller: one line, `FILE:
 * offset N: text: what`, for all but notes. */
void teller_finding(void *teller, const struct audit_finding *finding);

/* Open `path` and share its lock; the caller closes `*ret_dir`. `*teller`, of
 * zeros before, tells as the options say. WB_NOT_A_STORE, WB_UNSUPPORTED,
 * WB_LOCKED, WB_BAD_INPUT, WB_USAGE, WB_PERMISSION, WB_IO, WB_NO_MEMORY. */
enum wb_error audit_open(const char *path,
			 const struct wb_audit_options *options,
			 struct teller *teller, struct dir **ret_dir,
			 struct wb_text *ret_text);

/* What a reading that succeeded says of the store as a whole: WB_OK, damaged
 * or not, WB_NOT_A_STORE, or WB_UNSUPPORTED. */
enum wb_error audit_conclude(const struct audit_summary *summary,
			     const struct teller *teller,
			     struct wb_text *ret_text);

#endif
