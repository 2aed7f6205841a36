/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded store: a directory that maps keys to values, keeps every
 * change, and survives a power cut.
 *
 * The promises:
 *  - a change whose commit returned WB_OK is on the disk: it was fsynced
 *    before the call returned, and no crash takes it away;
 *  - a transaction is whole or absent, never half;
 *  - a value that a read returns had its checksum verified by that read;
 *  - damage is an error that names its victim, never an empty answer.
 *
 * Threads: any number may use one store. The library starts none.
 * Processes: one opens a store for writing, or several read-only. Handles
 * belong to the process that made them: in its forked child every call with
 * one returns WB_FORKED, and frees nothing. A child that lives on does not
 * keep the store from being opened once its parent has closed it. Only where
 * the parent was killed before, the child is in the way until it ends or
 * execs.
 *
 * Structs that begin with `size`: set it to sizeof, and to zero what is not
 * wanted. Later versions add fields at the end, for which zero means what was
 * before. So a shorter struct, an older program's, counts as one whose missing
 * fields are zero; a longer one is WB_UNSUPPORTED only where it sets a field
 * that this version does not know. In one that a call fills, the caller gets
 * as many fields as it has room for, and zero in those that are not known. A
 * size that no struct can have, 0 for one, is WB_USAGE.
 *
 * Structs without `size` are part of the binary interface: their fields change
 * with the number behind libwaybill.so only.
 *
 * Callbacks run on the calling thread, before the call returns. One that
 * returns bool ends the visits with false, and the call returns WB_OK. Pointers
 * that it receives are valid until it returns.
 *
 * Errors: a call returns those that are said of it, and WB_FORKED; where it
 * allocates WB_NO_MEMORY, and WB_USAGE where what it is given breaks the rules.
 * Results are untouched on failure, unless it is said.
 *
 * Ownership: handles are freed by the call that ends them, whatever it returns;
 * NULL is allowed there. (wb_txn_commit of NULL is WB_USAGE: it commits
 * nothing.)
 */
#ifndef WAYBILL_STORE_H
#define WAYBILL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <waybill/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wb_store;
struct wb_view;
struct wb_txn;

/* Borrowed bytes; not NUL-terminated. */
struct wb_bytes {
	const void *data;
	size_t size;
};

/* Kinds of keys. Those below WB_KIND_EMBEDDER_FIRST are waybill's own: any
 * program may read them, but their values have forms that waybill relies on, so
 * they are written through <waybill/images.h> and its like. Those above
 * WB_KIND_EMBEDDER_LAST are the store's. */
enum wb_kind {
	WB_KIND_IMAGE = 1,
	WB_KIND_NAMESPACE = 2,
	WB_KIND_LEASE = 3,
	WB_KIND_BLOB = 4,
	WB_KIND_SNAPSHOT = 5,
	WB_KIND_EMBEDDER_FIRST = 64,
	WB_KIND_EMBEDDER_LAST = 191,
	/* While a record of it lives, in no namespace and named after what
	 * happened ("salvage"), no garbage is collected: names may have been
	 * lost. Its value tells a person why. */
	WB_KIND_GC_BLOCKED = 194,
	WB_KIND_LAST = 255,
};

#define WB_NAMESPACE_BYTES_MAX	  76
#define WB_NAME_BYTES_MAX	  4096
#define WB_TXN_MUTATIONS_MAX	  65536
#define WB_TXN_BYTES_MAX	  (16u << 20)
#define WB_REASON_BYTES_MAX	  4096
#define WB_OPERATION_ID_BYTES_MAX 128
#define WB_COMMAND_BYTES_MAX	  64

/* Keys are ordered by kind, then namespace, then name, bytewise. A namespace
 * holds no zero byte and may be empty; a name is 1 to 4,096 bytes. */
struct wb_key {
	uint32_t kind;
	struct wb_bytes ns;
	struct wb_bytes name;
};

/* The newest version of a key. */
struct wb_record {
	struct wb_key key;
	struct wb_bytes value;
	uint64_t revision; /* of the commit that wrote it */
	int64_t time_ns;   /* of that commit, since 1970, UTC */
};

/* Who commits. `command` is information, the numbers come from the kernel. */
struct wb_actor {
	uint32_t uid;
	uint32_t gid;
	int32_t pid;
	const char *command; /* NULL: none; cut at 64 bytes */
};

/* One version of a key, or its deletion, with what is known of it. */
struct wb_version {
	struct wb_record record;    /* .value is empty where deleted */
	uint64_t previous_revision; /* of this key; 0: it did not exist */
	bool deleted;
	struct wb_actor actor;
	struct wb_bytes reason;
	struct wb_bytes operation_id;
};

/* ---- open and close ---- */

/* Any other is WB_UNSUPPORTED. */
enum wb_open_flags {
	/* Make the store if absent, and its directory (mode 0700), but not the
	 * one above.
	 * A directory that exists must be empty, but for lost+found, for
	 * blobs, ingests and snapshots, and for what an unfinished creation
	 * left. */
	WB_OPEN_CREATE = 1,
	WB_OPEN_READ_ONLY = 2, /* change nothing, not even a torn tail */
	/* Accept every filesystem. Otherwise those on which fsync or locks do
	 * not mean what they say are refused: NFS, 9p, SMB, AFS, an overlay
	 * that is mounted `volatile` or whose options cannot be read. With this
	 * flag there is a warning instead. It silences the warning before a
	 * change on FUSE, which depends on its program, and on any other
	 * overlay: that syncs as it should, but a container's own layer ends
	 * with the container. */
	WB_OPEN_ANY_FILESYSTEM = 4,
};

/* What the store says of itself while it works, one line without newline. It
 * may be called on any thread that uses the store, by several at a time, and
 * must not call into the store. */
enum wb_severity { WB_NOTE, WB_WARNING, WB_DAMAGE };
typedef void wb_report_fn(void *context, enum wb_severity severity,
			  const char *line);

/* Zero means the default for every field but `size`. */
struct wb_open_options {
	size_t size; /* sizeof(struct wb_open_options) */
	uint32_t flags;
	uint64_t segment_bytes;	 /* 64 MiB, the first ones are smaller; held
				    between 16 KiB and 256 MiB */
	uint64_t view_bytes_max; /* old versions that views may pin:
				    max(64 MiB, 25 % of live) */
	wb_report_fn *report;	 /* standard error */
	void *report_context;
};

/* Open the store in directory `path`. `options` may be NULL: no flags. So may
 * `ret_text`, which says what failed and why.
 *
 * A torn, unacknowledged tail is cut (and kept aside) and reported; that is
 * no error. WB_NOT_A_STORE: nothing is there, or an unfinished creation, and
 * WB_OPEN_CREATE was not given; or it was, and other things are there, or the
 * directory cannot be made: nothing was written. WB_LOCKED: `ret_text` names
 * the holder. WB_CORRUPT: acknowledged data does not verify; nothing was
 * changed. WB_UNSUPPORTED: a newer version wrote it, a filesystem that is
 * refused, or an option that is not known. WB_USAGE: the options' size, or a
 * path that is too long. WB_TOO_LARGE: a limit on the size of files.
 * WB_PERMISSION, WB_NO_SPACE, WB_IO, WB_NO_MEMORY as they say. */
WB_API enum wb_error wb_store_open(const char *path,
				   const struct wb_open_options *options,
				   struct wb_store **ret_store,
				   struct wb_text *ret_text);

/* Flush what is staged, write the mark of a clean end, free the handle. Open
 * views and transactions must have ended (WB_USAGE, and nothing is freed).
 * Any other error leaves the store as a crash would: the next open recovers.
 * WB_STOPPED: as after any failed sync.
 */
WB_API enum wb_error wb_store_close(struct wb_store *store);

/* Write a MARK: from here on, damage to the last commit is told from a torn
 * write. Call it when the store has been idle for a moment. Does nothing
 * where the last frame is a MARK already. WB_READ_ONLY. WB_STOPPED,
 * WB_NO_SPACE, WB_IO, WB_OUTCOME_UNKNOWN: as for a commit. */
WB_API enum wb_error wb_store_mark(struct wb_store *store);

/* ---- read ---- */

/* Copy the newest durable version of `key` into `buffer`. The pointers in
 * `ret_record` point into `buffer` (value) and at the caller's own key.
 * One hash look-up, one checksum, one copy; no system call, no allocation.
 * WB_NOT_FOUND. WB_BUFFER: `ret_record->value.size` tells what is needed.
 * WB_CORRUPT: the record in memory no longer verifies; the next open reads it
 * from the disk again. */
WB_API enum wb_error wb_get(struct wb_store *store, const struct wb_key *key,
			    void *buffer, size_t size,
			    struct wb_record *ret_record);

/* A view is the durable state at one revision; nothing disturbs it. It pins
 * old versions in memory: end it soon. WB_SNAPSHOT_TOO_OLD from a read: the
 * bound on that memory was reached, or a version that it may need was damaged
 * in memory (reported) and replaced since. A view may be used by one thread at
 * a time, and ended by any. wb_view_begin fails for want of memory only; the
 * errors of wb_view_get are those of wb_get. */
WB_API enum wb_error wb_view_begin(struct wb_store *store,
				   struct wb_view **ret_view);
WB_API void wb_view_end(struct wb_view *view);
WB_API uint64_t wb_view_revision(const struct wb_view *view);
WB_API enum wb_error wb_view_get(struct wb_view *view, const struct wb_key *key,
				 void *buffer, size_t size,
				 struct wb_record *ret_record);

/* Called in key order; returns false to stop. Must not call back into the
 * store with the same view or transaction. */
typedef bool wb_record_fn(void *context, const struct wb_record *record);

/* Visit, in bytewise order of their names, the records of one kind and one
 * namespace whose name starts with `prefix` (empty: all) and is greater than
 * `after` (empty: from the start). WB_BAD_INPUT: one of these is out of bounds.
 * WB_CORRUPT and WB_SNAPSHOT_TOO_OLD may come after some visits. */
WB_API enum wb_error wb_view_list(struct wb_view *view, uint32_t kind,
				  struct wb_bytes ns, struct wb_bytes prefix,
				  struct wb_bytes after, wb_record_fn *visit,
				  void *context);

/* The namespaces that hold at least one record of `kind`, in order. Errors as
 * wb_view_list. */
WB_API enum wb_error wb_view_namespaces(struct wb_view *view, uint32_t kind,
					bool (*visit)(void *context,
						      struct wb_bytes ns),
					void *context);

/* Run `callback` in a view; returns what it returns, or why there is none
 * (wb_view_begin). */
WB_API enum wb_error wb_view(struct wb_store *store,
			     enum wb_error (*callback)(void *context,
						       struct wb_view *view),
			     void *context);

/* ---- write ---- */

enum wb_precondition_kind {
	WB_IF_ANY = 0,
	WB_IF_ABSENT = 1,
	WB_IF_PRESENT = 2,
	WB_IF_REVISION = 3, /* the key's newest version has this revision */
};
struct wb_precondition {
	enum wb_precondition_kind kind;
	uint64_t revision;
};

struct wb_txn_options {
	size_t size;		      /* sizeof(struct wb_txn_options) */
	const struct wb_actor *actor; /* NULL: who opened the store */
	struct wb_bytes reason;
	/* Empty: none. Scope: (actor's uid, namespace, id). A second commit
	 * with an id in its window changes nothing and returns the first
	 * one's revision with `replayed`; with another request_hash it is
	 * WB_CONFLICT. */
	struct wb_bytes operation_ns;
	struct wb_bytes operation_id;
	uint64_t request_hash;
	/* Not 0: the caller retries what it first tried at this time. Where
	 * that is before the window: WB_OUTCOME_UNKNOWN. */
	int64_t retry_since_ns;
};

struct wb_outcome {
	uint64_t revision; /* 0: the transaction held no mutation */
	bool replayed;
};

/* Begin an Update. Updates run one at a time; this waits for its turn, and
 * returns WB_NESTED where this thread holds the turn already. The transaction
 * may be used by one thread at a time and ended by any; until it is, the turn
 * is that of the thread which began it. `options` may
 * be NULL. Where `ret_replayed` says so the operation was done before:
 * `*ret_txn` is NULL, `*ret_replayed` its outcome, and nothing is open. It may
 * be NULL where there is no operation id (else WB_USAGE). WB_BAD_INPUT: an
 * option is out of bounds. WB_UNSUPPORTED: one is not known. WB_READ_ONLY.
 * WB_STOPPED: a sync failed before. After every error nothing is open. */
WB_API enum wb_error wb_txn_begin(struct wb_store *store,
				  const struct wb_txn_options *options,
				  struct wb_txn **ret_txn,
				  struct wb_outcome *ret_replayed);

/* Reads inside an Update see what earlier Updates staged, and its own
 * changes. Such answers are final only once wb_txn_commit or wb_txn_abort
 * has returned WB_OK: both wait until all that was seen is durable. Errors as
 * wb_get and wb_view_list, without WB_SNAPSHOT_TOO_OLD. */
WB_API enum wb_error wb_txn_get(struct wb_txn *txn, const struct wb_key *key,
				void *buffer, size_t size,
				struct wb_record *ret_record);
WB_API enum wb_error wb_txn_list(struct wb_txn *txn, uint32_t kind,
				 struct wb_bytes ns, struct wb_bytes prefix,
				 struct wb_bytes after, wb_record_fn *visit,
				 void *context);

/* The wall time that this commit will carry, in ns since 1970. */
WB_API int64_t wb_txn_time(const struct wb_txn *txn);

/* Add a mutation. The bytes are copied. WB_PRECONDITION: it does not hold,
 * the transaction can now only be aborted (a commit returns this error too);
 * wb_txn_get still tells the current record. WB_USAGE: the key was changed
 * in this transaction before, or its kind is the store's own. WB_BAD_INPUT:
 * the key is out of bounds, or its kind is waybill's own. WB_TOO_LARGE: the
 * value is, or the transaction. WB_CORRUPT: the key's record in memory no
 * longer verifies, so what comes after it cannot be told; that, too, can only
 * be aborted. Deleting a key that does not exist is WB_NOT_FOUND. All but
 * WB_PRECONDITION and WB_CORRUPT leave the transaction usable. */
WB_API enum wb_error wb_txn_put(struct wb_txn *txn, const struct wb_key *key,
				struct wb_bytes value,
				struct wb_precondition precondition);
WB_API enum wb_error wb_txn_delete(struct wb_txn *txn, const struct wb_key *key,
				   struct wb_precondition precondition);

/* End the Update. Commit returns WB_OK when the commit is durable and
 * visible. WB_OUTCOME_UNKNOWN: a sync failed, nobody can say, and the store
 * takes no further change (WB_STOPPED) until it is opened again. WB_NO_SPACE,
 * WB_TOO_LARGE (a limit on the size of files), WB_IO, WB_PERMISSION,
 * WB_NO_MEMORY, WB_STOPPED, and what a mutation said before: nothing happened.
 * `ret_outcome` may be NULL. While the disk has no room for the log to go on
 * in, an Update that puts anything is WB_NO_SPACE; one that only deletes is
 * taken. Whether there is room again is looked at when an Update begins. Both
 * free the transaction. */
WB_API enum wb_error wb_txn_commit(struct wb_txn *txn,
				   struct wb_outcome *ret_outcome);
WB_API enum wb_error wb_txn_abort(struct wb_txn *txn);

/* Run `callback` in an Update: commit if it returns WB_OK, else abort and
 * return its error. It is not called for a replayed operation. Errors of
 * wb_txn_begin, of the callback, and of wb_txn_commit. `ret_outcome` may be
 * NULL, also with an operation id. */
WB_API enum wb_error wb_update(struct wb_store *store,
			       const struct wb_txn_options *options,
			       enum wb_error (*callback)(void *context,
							 struct wb_txn *txn),
			       void *context, struct wb_outcome *ret_outcome);

/* ---- history ---- */

/* Must not close the store. */
typedef bool wb_version_fn(void *context, const struct wb_version *version);

/* The versions of `key`, newest first, deletions included, of revisions
 * below `before` (0: all), at most `limit` (0: all). The log is read from
 * disk and verified; WB_CORRUPT, perhaps after some visits: a version is
 * damaged or missing; so may WB_IO. WB_COMPACTED after the last visit: older
 * ones are gone. No version at all is WB_OK without a visit. WB_BAD_INPUT: the
 * key is out of bounds. */
WB_API enum wb_error wb_history(struct wb_store *store,
				const struct wb_key *key, uint64_t before,
				size_t limit, wb_version_fn *visit,
				void *context);

/* Every mutation of every commit, newest first and within a commit in its
 * order, else as wb_history. `ns` NULL: all namespaces; `kind` 0: all kinds
 * but the store's own. Those of other kinds and namespaces are read, too, and
 * passed over. The last commit is visited whole, also where that is more than
 * `limit`: what follows is below its revision, so that `before` pages through
 * all. */
WB_API enum wb_error wb_log(struct wb_store *store, uint32_t kind,
			    const struct wb_bytes *ns, uint64_t before,
			    size_t limit, wb_version_fn *visit, void *context);

/* The highest visible revision whose time is not later than `time_ns`; 0 if
 * none. The log may be read for it: WB_CORRUPT, WB_IO. */
WB_API enum wb_error wb_revision_at(struct wb_store *store, int64_t time_ns,
				    uint64_t *ret_revision);

/* ---- statistics ---- */

struct wb_stat {
	size_t size; /* sizeof(struct wb_stat), set by the caller */
	uint8_t uuid[16];
	uint64_t epoch;
	uint64_t revision;	  /* newest durable */
	uint64_t oldest_revision; /* that history reaches back to */
	uint64_t records;
	uint64_t record_bytes; /* keys and values of the live records */
	uint64_t segments;
	uint64_t log_bytes;  /* written frames and headers */
	uint64_t file_bytes; /* as allocated, zero-filled space included */
	uint64_t torn_bytes; /* cut by this open, or seen by a read-only one */
	uint64_t pinned_bytes; /* old versions that views hold */
	uint64_t views;
	uint64_t commits; /* by this handle */
	uint64_t groups;  /* fdatasyncs that made them durable */
	/* The revision of the newest mark (WB_KIND_GC_BLOCKED) that lives, in
	 * whatever namespace and of whatever name; 0: there is none. */
	uint64_t gc_blocked;
};
/* Revision, commits and records are those of one moment. WB_CORRUPT: whether
 * there is a mark cannot be told from a record in memory that rotted.
 * WB_NO_MEMORY: there are several marks. */
WB_API enum wb_error wb_store_stat(struct wb_store *store,
				   struct wb_stat *ret_stat);

struct wb_file_stat {
	const char *name;  /* relative to the store's directory */
	const char *kind;  /* "log", "base", "horizon", "spare" */
	const char *state; /* "active", "sealed", "cut", "ready" */
	uint64_t id, first_revision, last_revision, bytes, file_bytes;
};
/* Each segment, oldest first, and the spare. No errors of its own. */
WB_API enum wb_error wb_store_files(
	struct wb_store *store,
	bool (*visit)(void *context, const struct wb_file_stat *file),
	void *context);

#ifdef __cplusplus
}
#endif
#endif
