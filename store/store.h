/* SPDX-License-Identifier: Apache-2.0
 *
 * Where log and index meet, for those inside Waybill: everything public is in
 * <waybill/store.h>; this adds the two halves of a commit, and opening on a
 * directory and an environment of the caller's (a simulated disk, a test's
 * clock).
 *
 * The one rule of this folder: log first, index after. What is staged is an
 * overlay that Updates see; it reaches the index, and so every other reader,
 * only when it is durable.
 *
 *	wb_txn_begin .. store_stage     turn held; overlay, revision, encoding
 *	store_flush                     one write, one fdatasync, then the index
 *	store_wait                      stage's blocking other half: whoever
 *	                                comes first flushes for all (a leader),
 *	                                the others wait for it (followers)
 */
#ifndef WAYBILL_STORE_STORE_H
#define WAYBILL_STORE_STORE_H

#include "base/env.h"
#include "base/file.h"

#include <waybill/store.h>

/* wb_store_open on a directory that is open already. `dir` is taken over,
 * also on failure; `env` is copied, what it points at must outlive the store.
 */
enum wb_error store_open_on(struct dir *dir, const struct env *env,
			    const struct wb_open_options *options,
			    struct wb_store **ret_store,
			    struct wb_text *ret_text);

/* The newest revision that is durable and visible. */
uint64_t store_revision(struct wb_store *store);

/* May the key have a version, a deletion too, above `revision`, staged or
 * durable? For an Update that builds on the key's history, which was read
 * before its turn, when the newest revision was this one. Never false where
 * there is such a version; where it is true, to look again costs little. Reads
 * no file. */
bool store_changed_after(struct wb_txn *txn, const struct wb_key *key,
			 uint64_t revision);

/* wb_txn_put and wb_txn_delete for the parts of Waybill: under its own kinds
 * too. Whoever writes there answers for the value's form. */
enum wb_error store_txn_put(struct wb_txn *txn, const struct wb_key *key,
			    struct wb_bytes value,
			    struct wb_precondition precondition);
enum wb_error store_txn_delete(struct wb_txn *txn, const struct wb_key *key,
			       struct wb_precondition precondition);

/* What a staged transaction waits for. */
struct store_ticket {
	uint64_t revision; /* 0: nothing to wait for */
	uint64_t round;
};

/* End an Update by staging it: checked, encoded, its revision assigned, seen
 * by later Updates; not durable yet. Frees the transaction and gives the turn
 * away, whatever it returns. An error means that nothing was staged, but the
 * ticket still names what the answer depends on: it is final only when
 * store_wait for it returned WB_OK. */
enum wb_error store_stage(struct wb_txn *txn, struct store_ticket *ret_ticket);

/* Make durable and publish what is staged, in one group; WB_OK if there was
 * nothing. For callers with a flusher of their own; it waits for any other
 * thread that writes to the log. An error is the group's, and every staged
 * transaction is void. */
enum wb_error store_flush(struct wb_store *store);

/* What those who wait for a flush need not wait for: space for the next
 * segment, the anchor. store_wait sees to it; after store_flush its caller
 * does, when he has told those who waited. */
void store_settle(struct wb_store *store);

/* Is what the ticket stands for decided, and how? False: not yet. */
bool store_poll(struct wb_store *store, const struct store_ticket *ticket,
		enum wb_error *ret_error);

/* Wait until it is decided, flushing as leader or following one. */
enum wb_error store_wait(struct wb_store *store,
			 const struct store_ticket *ticket);

/* Free a store as a crash would leave it: nothing is written. For tests. */
void store_abandon(struct wb_store *store);

#endif
