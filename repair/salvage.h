/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ruined store to a new one: see <waybill/fsck.h>, wb_salvage.
 *
 *	check, list what survives -> import -> mark -> close -> read back ->
 *	list of losses, synced -> the anchor gets its name, synced
 *
 * The last step is the commit point. What a crash before it leaves has
 * segments and no anchor, and every open refuses it (store/import.h).
 */
#ifndef WAYBILL_REPAIR_SALVAGE_H
#define WAYBILL_REPAIR_SALVAGE_H

#include "base/env.h"
#include "base/file.h"

#include <waybill/fsck.h>

/* Is this directory one that a salvage may use: nothing in it, but perhaps
 * lost+found, and empty tmp/ and torn/? WB_EXISTS: it is not. */
enum wb_error salvage_check_target(struct dir *to);

/* wb_salvage on directories that are open and locked by the caller: `from` is
 * a store, and `to` passed the check above. On failure what was made in `to`
 * is removed again, as far as that goes. */
enum wb_error salvage_run(struct dir *from, struct dir *to,
			  const struct env *env,
			  const struct wb_fsck_options *options,
			  const struct wb_salvage_visitor *visitor,
			  struct wb_salvage_summary *ret_summary,
			  struct wb_text *ret_text);

#endif
