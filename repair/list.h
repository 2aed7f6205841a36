/* SPDX-License-Identifier: Apache-2.0
 *
 * The file in which a salvage says what it could not bring over: JSON Lines,
 * first a summary, then revisions, moves and names. Who must fetch images
 * again reads it by a program.
 *
 *	{"salvage":{"uuid":"…","epoch":"…","commits":7,…}}
 *	{"lost":{"first":4,"last":6}}
 *	{"moved":{"first":7,"last":9,"to":4}}
 *	{"name":{"kind":1,"namespace":"default","name":"a","revision":5,
 *	         "exact":true,"now":"older"}}
 *
 * `unknown_from` in the summary, where it is not 0: from that revision on
 * nobody can tell how many commits there were; a name with such a revision is
 * that of one that may be lost. `revisions_lost` counts what is provably gone.
 *
 * A name is not always text: a byte that is not UTF-8 stands as \xNN.
 */
#ifndef WAYBILL_REPAIR_LIST_H
#define WAYBILL_REPAIR_LIST_H

#include "base/file.h"
#include "repair/losses.h"

/* "current", "older", "absent". */
const char *salvage_now_name(enum wb_salvage_now now);

/* Write it aside, sync it, move it to WB_SALVAGE_LIST in `dir`, sync the
 * directory. WB_NO_MEMORY, or what files return. */
enum wb_error list_write(struct dir *dir, const struct losses *losses,
			 uint64_t head,
			 const struct wb_salvage_summary *summary);

#endif
