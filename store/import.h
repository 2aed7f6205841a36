/* SPDX-License-Identifier: Apache-2.0
 *
 * Commits that were made elsewhere or earlier: for a salvage, and for whatever
 * else brings a history into a new store.
 *
 * A commit keeps its time, actor, reason and operation id; its revision is the
 * store's next one, and what its changes replace is what is there. So a history
 * from 1 on that is brought whole is the same to the byte, its chain included
 * if the store has the same uuid; behind a gap the same commits have other
 * revisions.
 */
#ifndef WAYBILL_STORE_IMPORT_H
#define WAYBILL_STORE_IMPORT_H

#include "store/store.h"

struct import_change {
	struct wb_key key; /* of any kind, the store's own too */
	struct wb_bytes value;
	bool deleted; /* also of what is not there */
};

/* All is borrowed until store_import returns. */
struct import_commit {
	int64_t time_ns;
	uint32_t uid, gid;
	int32_t pid;
	struct wb_bytes command, reason, operation_ns, operation_id;
	uint64_t request_hash;
	const struct import_change *changes;
	size_t count;
};

/* store_open_on with WB_OPEN_CREATE. `uuid`, 16 bytes, is the new store's;
 * NULL: a random one. Its epoch is new in any case. */
enum wb_error store_import_open(struct dir *dir, const struct env *env,
				const struct wb_open_options *options,
				const uint8_t *uuid,
				struct wb_store **ret_store,
				struct wb_text *ret_text);

/* Stage it; store_wait for the ticket makes it durable, with all before it.
 * Its operation id is remembered, and not looked for: a history may have it
 * twice. Every commit that keeps the rules of docs/FORMAT.md can be imported;
 * another one is WB_BAD_INPUT, WB_TOO_LARGE or WB_USAGE. WB_NO_SPACE,
 * WB_NO_MEMORY, WB_STOPPED. Nothing is staged then.
 *
 * Whoever brings many in a row looks at the ticket's revision: where it is not
 * one more than the one before, that one has become void meanwhile, and
 * store_wait for its ticket says why. */
enum wb_error store_import(struct wb_store *store,
			   const struct import_commit *commit,
			   struct store_ticket *ret_ticket);

/* The key of the mark that a salvage leaves: kind 194, no namespace,
 * "salvage". */
extern const struct wb_key store_gc_blocked_key;

#endif
