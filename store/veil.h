/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory seen through the handle of another one, for those who hold its
 * lock already: a store that is opened on the veil takes no lock and, when it
 * closes, closes nothing. So what is found and what is done about it are one
 * piece to everybody else.
 *
 * It may also keep the anchor under another name. A store without an anchor
 * is refused by every open, so one that is being made can be complete in every
 * other way, and be read, before it is one.
 */
#ifndef WAYBILL_STORE_VEIL_H
#define WAYBILL_STORE_VEIL_H

#include "base/file.h"

struct veil {
	struct dir dir; /* give this one away */
	struct dir *real;
	const char *anchor;
};

/* `real` stays the caller's and outlives it; `anchor`: what the anchor is
 * called there, NULL for "anchor". There is nothing to release. */
void veil_init(struct veil *veil, struct dir *real, const char *anchor);

#endif
