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

/* The options of a caller as this version has them; NULL: the usual ones.
 * WB_USAGE, WB_UNSUPPORTED. */
enum wb_error store_open_options(const struct wb_open_options *options,
				 struct wb_open_options *ret_options,
				 struct wb_text *ret_text);

/* The directory that wb_store_open opens, made where such options say so;
 * `*ret_created` (NULL is allowed) tells. WB_NOT_FOUND: there is none. Else as
 * wb_store_open. */
enum wb_error store_dir_open(const char *path,
			     const struct wb_open_options *options,
			     struct dir **ret_dir, bool *ret_created,
			     struct wb_text *ret_text);

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

/* ---- the past as a whole ---- */

/* All that a commit says of itself. */
struct store_commit {
	uint64_t revision;
	int64_t time_ns;
	uint32_t uid, gid;
	int32_t pid;
	struct wb_bytes command; /* any bytes, though a store writes text */
	struct wb_bytes reason, operation_ns, operation_id;
	uint64_t request_hash;
	size_t changes;
};

struct store_change {
	struct wb_key key;
	struct wb_bytes value;
	bool deleted;
};

/* Everything that is pointed at lasts until the call returns. An error ends
 * the telling and is what it returns. */
struct store_listener {
	enum wb_error (*commit)(void *context,
				const struct store_commit *commit);
	/* Each change of the commit that was told last, in its order, the
	 * store's own kinds too. */
	enum wb_error (*change)(void *context,
				const struct store_change *change);
	void *context;
};

/* Tell every commit up to revision `upto`, oldest first. The log is read from
 * disk and verified. WB_NOT_FOUND: there is no such revision yet. */
enum wb_error store_follow(struct wb_store *store, uint64_t upto,
			   const struct store_listener *listener);

/* The state as of a revision that has been (0: nothing), made from the log in
 * memory of its own: a store for wb_get and views, and for nothing else.
 * Independent of `store` from then on. WB_NOT_FOUND as above, WB_CORRUPT,
 * WB_IO, WB_NO_MEMORY. */
enum wb_error store_past(struct wb_store *store, uint64_t revision,
			 struct wb_store **ret_past);
/* Its views must have ended. NULL is allowed. */
void store_past_free(struct wb_store *past);

#endif
