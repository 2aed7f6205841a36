/* SPDX-License-Identifier: Apache-2.0
 *
 * Commits that were made elsewhere or earlier: for a salvage, and for the
 * loader of histories.
 *
 * A commit keeps its time, actor, reason and operation id; its revision is the
 * store's next one, and what its changes replace is what is there. So a history
 * from 1 on that is brought whole is the same to the byte, its chain included
 * if the store has the same uuid; behind a gap the same commits have other
 * revisions.
 *
 * A store that lacks the last commits looks like any other. So one is filled
 * behind a veil, and the last step is the commit point:
 *
 *	lock the directory -> store_import_veil -> store_import_open on the veil
 *	-> store_import, store_wait -> wb_store_close -> store_import_finish
 *
 * What a crash before it leaves has segments and no anchor, and every open
 * refuses it; the anchor is there under another name, by which fsck knows what
 * this is.
 */
#ifndef WAYBILL_STORE_IMPORT_H
#define WAYBILL_STORE_IMPORT_H

#include "store/store.h"
#include "store/veil.h"

/* May a store be made in `dir`? WB_EXISTS: there is one. WB_NOT_A_STORE:
 * something else is there. */
enum wb_error store_import_check(struct dir *dir, struct wb_text *ret_text);

/* Is there what an unfinished one left, and no store? */
enum wb_error store_import_unfinished(struct dir *dir, bool *ret_unfinished);

/* `dir` is the caller's, who has locked it. */
void store_import_veil(struct veil *veil, struct dir *dir);

/* store_open_on with WB_OPEN_CREATE. `uuid`, 16 bytes, is the new store's;
 * NULL: a random one. Its epoch is new in any case. */
enum wb_error store_import_open(struct dir *dir, const struct env *env,
				const struct wb_open_options *options,
				const uint8_t *uuid,
				struct wb_store **ret_store,
				struct wb_text *ret_text);

/* Stage `commit->changes` changes of any keys, the store's own too, and
 * deletions also of what is not there; the commit's revision is not looked at.
 * store_wait for the ticket makes it durable, with all before it.
 * Its operation id is remembered, and not looked for: a history may have it
 * twice. Every commit that keeps the rules of docs/FORMAT.md can be imported;
 * another one is WB_BAD_INPUT, WB_TOO_LARGE or WB_USAGE (no changes, or a key
 * twice), and where one change is the reason `*ret_change` (NULL is allowed) is
 * its number. WB_NO_SPACE, WB_NO_MEMORY, WB_STOPPED. Nothing is staged then. */
enum wb_error store_import(struct wb_store *store,
			   const struct store_commit *commit,
			   const struct store_change *changes,
			   struct store_ticket *ret_ticket, size_t *ret_change);

/* For whoever brings many in a row, after each: does it follow the one before?
 * Then its ticket becomes `*last`, which begins as {0}. If not, the one before
 * has become void meanwhile, and its error is the answer. */
enum wb_error store_import_follow(struct wb_store *store,
				  struct store_ticket *last,
				  const struct store_ticket *ticket);

/* What `error` of a store in the making is for who asked for the store, once
 * that is removed: no outcome is unknown then, and there is no store that could
 * be opened again. */
enum wb_error store_import_without_doubt(enum wb_error error);

/* The anchor gets its name. Behind the veil the store is closed. */
enum wb_error store_import_finish(struct dir *dir);

/* Remove what was made in `dir`, as far as that goes. */
void store_import_remove(struct dir *dir);

/* The key of the mark that a salvage leaves: kind 194, no namespace,
 * "salvage". Of a second one, in a store that has it, it is "salvage 2". */
extern const struct wb_key store_gc_blocked_key;

#endif
