/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a directory a store's, may one be made in it, or is it somebody else's?
 * Told from names alone, and before the lock is taken: taking it makes a file,
 * and an open that is refused must not leave one.
 */
#ifndef WAYBILL_LOG_PLACE_H
#define WAYBILL_LOG_PLACE_H

#include "base/file.h"

enum place_kind {
	PLACE_STORE, /* an anchor or a segment is there: recovery decides */
	PLACE_FREE,  /* nothing, or only what may be there before a store is */
	PLACE_TAKEN, /* something else is there, and no store */
};

struct place {
	enum place_kind kind;
	/* PLACE_TAKEN: what that is; of several names the first in bytewise
	 * order. */
	char other[300];
};

/* Changes nothing. Errors as dir_list. */
enum wb_error place_look(struct dir *dir, struct place *ret_place);

#endif
