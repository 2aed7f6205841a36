/* SPDX-License-Identifier: Apache-2.0
 *
 * The open store, as the files of this folder share it.
 *
 * Locks, in the order in which they may be taken:
 *
 *	turn	who may run an Update. Held by the transaction, across calls,
 *		never across I/O.
 *	leading	who writes to the log: one thread, across I/O.
 *	staged	overlay, operations, the gathering group, the round. Short.
 *	views	open views, old versions, the published revision. Held while a
 *		group is published.
 *	(index) its own.
 *
 * What a commit goes through:
 *
 *	open --stage--> staged --flush--> durable, published
 *	  |                |
 *	abort            void: its group could not be written; the round ends,
 *	                 and with it everything that was staged on top
 */
#ifndef WAYBILL_STORE_STATE_H
#define WAYBILL_STORE_STATE_H

#include "index/heap.h"
#include "index/index.h"
#include "log/log.h"
#include "store/keymap.h"
#include "store/operations.h"
#include "store/store.h"
#include "store/versions.h"

#include <pthread.h>
#include <stdatomic.h>

#define ROUNDS_KEPT 64

/* One transaction on its way to the disk: the records to publish. A
 * deletion is a record with RECORD_DELETED. */
struct staged_commit {
	struct staged_commit *next;
	uint64_t revision;
	size_t count;
	struct record **records; /* owned until published */
	uint64_t *hashes;
};

struct staged_list {
	struct staged_commit *first, *last;
	size_t mutations;
};

/* Why a round ended, and what of it had become durable before. */
struct round_end {
	uint64_t durable;
	enum wb_error error;
};

struct wb_store {
	struct dir *dir;
	struct env env;
	struct diag diag; /* env.diag points here */
	struct wb_open_options options;
	struct wb_text damage; /* the first one reported */
	bool read_only;
	struct wb_actor opener;	    /* this process, as it was then */
	const unsigned char *alive; /* zero in a forked child */

	struct log *log;
	struct heap *heap;
	struct index *index;

	_Atomic uint32_t turn;
	_Atomic uintptr_t turn_owner; /* a pthread_t */

	_Atomic uint32_t leading; /* somebody writes to the log */
	_Atomic uint32_t
		flushed; /* how often a group was; sleepers wait here */
	_Atomic uint32_t sleepers;
	size_t last_group; /* the leader's: commits in the last one */

	pthread_mutex_t staged;
	struct keymap overlay;
	struct operations *operations;
	struct log_group *gathering;
	struct log_group *spare_group; /* the leader's, as is `hashes` */
	uint64_t *hashes;
	size_t hash_capacity;
	struct staged_list list;
	_Atomic uint64_t round;
	struct round_end round_ends[ROUNDS_KEPT];

	pthread_mutex_t views;
	struct versions *versions;
	struct wb_view *oldest_view, *newest_view;
	size_t view_count;
	_Atomic uint64_t publishing; /* set before a group changes the index */
	_Atomic uint64_t published;  /* set when it has */

	_Atomic uint64_t commits;
};

struct wb_view {
	struct wb_store *store;
	uint64_t revision;
	atomic_bool too_old;
	struct wb_view *older, *newer;
};

struct wb_txn {
	struct wb_store *store;
	uint64_t revision; /* that it will have */
	uint64_t round;	   /* in which it began */
	uint64_t seen;	   /* the newest staged revision it depends on */
	int64_t time_ns;
	enum wb_error failed; /* of a mutation: it can only be aborted */
	size_t bytes_max;     /* of its mutations, encoded */

	struct commit_head head; /* points into `text` */
	char command[WB_COMMAND_BYTES_MAX];
	uint8_t *text;

	uint8_t *wire; /* mutations, encoded */
	size_t wire_bytes, wire_capacity;
	struct record **records;
	uint64_t *hashes;
	uint32_t *log_hashes;
	size_t count, capacity;
	size_t puts;
	struct keymap own;
};

/* ---- open.c ---- */

/* store_open_on; a store that it makes is this one (NULL: a new one). */
enum wb_error store_open_as(struct dir *dir, const struct env *env,
			    const struct wb_open_options *options,
			    const uint8_t *uuid, struct wb_store **ret_store,
			    struct wb_text *ret_text);

/* ---- of all ---- */

/* WB_FORKED in a child of the process that opened the store. */
static inline enum wb_error store_check(const struct wb_store *store)
{
	return *store->alive ? WB_OK : WB_FORKED;
}

/* ---- open.c ---- */

/* A store without a log. It copies `env` and `options`. WB_NO_MEMORY. */
enum wb_error store_new(const struct env *env,
			const struct wb_open_options *options,
			struct wb_store **ret_store);
void store_free(struct wb_store *store);

/* ---- turn.c ---- */
enum wb_error turn_take(struct wb_store *store);
void turn_give(struct wb_store *store);
bool turn_is_taken(struct wb_store *store);

/* ---- stage.c ---- */

/* The newest staged version of a key, a deletion too, or what may be it and is
 * damaged, as keymap_find; NULL: none is staged. The staged lock is held. */
struct record *overlay_find(struct wb_store *store, uint64_t hash,
			    const struct key *key);
void staged_commit_free(struct wb_store *store, struct staged_commit *commit);
/* End the round: everything staged is void. */
void staged_void(struct wb_store *store, enum wb_error error);

/* ---- flush.c ---- */

/* Be the only one who writes to the log, until released. */
void flush_lead(struct wb_store *store);
void flush_release(struct wb_store *store);

/* ---- view.c ---- */

/* The index changed: pin or free what was replaced. Views lock held. */
void views_superseded(struct wb_store *store, struct record *old,
		      uint64_t revision);
/* Give up the oldest views while old versions take too much. Likewise. */
void views_keep_bound(struct wb_store *store);

/* ---- txn.c ---- */

/* Add a change of any key, the store's own too, whatever is there; a deletion
 * of what is not there as well. It is given its previous_revision. WB_USAGE:
 * the key was changed in this transaction before. WB_BAD_INPUT, WB_TOO_LARGE,
 * WB_NO_MEMORY: nothing is added. */
enum wb_error txn_import(struct wb_txn *txn, struct mutation *mutation);

/* Free what a transaction holds; the turn is not touched. */
void txn_free(struct wb_txn *txn);

/* ---- read.c ---- */

/* Report that something of `key` is damaged. WB_CORRUPT, always. */
enum wb_error key_damaged(const struct wb_store *store, const char *where,
			  const char *what, const struct wb_key *key);
/* The same of a record in memory. */
#define RECORD_ROTTEN "the record no longer verifies:"
enum wb_error record_rotten(const struct wb_store *store, const char *what,
			    const struct wb_key *key);

/* The same of a record that tells its key itself, as far as it still can. */
enum wb_error record_rotten_alone(const struct wb_store *store,
				  const char *what,
				  const struct record *record);

/* index_get, for a caller: `encoded` is `key`. WB_AGAIN passes through. */
enum wb_error index_copy(struct wb_store *store, uint64_t hash,
			 const struct key *encoded, uint64_t revision_max,
			 const struct wb_key *key, void *buffer, size_t size,
			 struct wb_record *ret_record);

/* Copy out a record after its checksum was verified. */
enum wb_error record_copy(const struct wb_store *store,
			  const struct record *record, const struct wb_key *key,
			  void *buffer, size_t size,
			  struct wb_record *ret_record);

/* A listing: the index's records in key order, with others laid over them
 * (old versions for a view, staged ones for an Update). */
struct merge {
	struct wb_store *store;
	struct key prefix; /* encoded */
	struct key after;  /* encoded; size 0: none */
	/* Records of the index above this revision are not seen. */
	uint64_t revision_max;
	/* Where both have a key the other one wins, whatever its revision. */
	bool extra_wins;
	/* The next other record behind `after`, or NULL; it verifies, and is
	 * valid until the next call. A deletion hides the index's record. */
	enum wb_error (*next_extra)(struct merge *merge, struct wb_bytes after,
				    const struct record **ret_record);
	void *context;
	wb_record_fn *visit;
	void *visit_context;
};

/* Encode the bounds of a listing. WB_BAD_INPUT. */
enum wb_error merge_bounds(struct merge *merge, uint32_t kind,
			   struct wb_bytes ns, struct wb_bytes prefix,
			   struct wb_bytes after);
enum wb_error merge_run(struct merge *merge);
/* Report a damaged record that a listing came upon. WB_CORRUPT, always. */
enum wb_error merge_rotten(const struct merge *merge);

void key_set(struct key *key, const void *bytes, size_t size);

#endif
