/* SPDX-License-Identifier: Apache-2.0
 *
 * Dumps: what a store holds as text, one JSON object a line, for other
 * machines, other programs and later versions. docs/DUMP.md says what the
 * lines look like.
 *
 * Two kinds. The dump of a *state* has one line for each live record, without
 * revisions and without the store's identity: it can be loaded into any store,
 * and the same records make the same bytes. The dump of the *history* has
 * every commit with all its facts, and becomes a store of its own.
 *
 * The last line has the number of lines and the SHA-256 of all that is before
 * it. What was cut short or changed is refused before anything is written.
 */
#ifndef WAYBILL_DUMP_H
#define WAYBILL_DUMP_H

#include <waybill/progress.h>
#include <waybill/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- dump ---- */

/* Takes the next piece of the dump. An error ends it and is what the dump
 * returns. */
typedef enum wb_error wb_dump_write_fn(void *context, const void *bytes,
				       size_t size);

struct wb_dump_options {
	size_t size;	    /* sizeof(struct wb_dump_options) */
	const char *ns;	    /* only of this namespace; NULL: of all */
	const char *prefix; /* only names that begin so; NULL: all */
	bool past;	    /* the state as of `revision` (0: none yet) */
	/* Every commit, not the state; without the three above. */
	bool history;
	uint64_t revision;
	/* Asked now and then: true ends it, WB_CANCELLED. */
	bool (*stop)(void *context);
	void *stop_context;
	wb_progress_fn *progress; /* "dump", in records or commits */
	void *progress_context;
};

struct wb_dump_result {
	size_t size;	   /* sizeof(struct wb_dump_result), by the caller */
	uint64_t revision; /* as of which it is */
	uint64_t count;	   /* lines between its first and its last */
	uint64_t bytes;
};

/* Dump what `store` holds; `options` may be NULL. The store's own records
 * (kinds above WB_KIND_EMBEDDER_LAST) are about its files and are left out of
 * a state.
 *
 * Others may go on writing: it is the state in one view, or the history up to
 * the newest commit at the beginning. WB_NOT_FOUND: the revision is not there
 * yet. WB_USAGE: options that exclude each other, or a size that is none.
 * WB_SNAPSHOT_TOO_OLD: too much was written meanwhile. WB_CORRUPT: also where
 * a state holds under an image's key what is none, and no load takes. WB_IO,
 * WB_NO_MEMORY. After an error what was written is no dump. */
WB_API enum wb_error wb_dump(struct wb_store *store,
			     const struct wb_dump_options *options,
			     wb_dump_write_fn *write, void *context,
			     struct wb_dump_result *ret_result,
			     struct wb_text *ret_text);

/* ---- load ---- */

/* Reads up to `size` bytes of the dump at `offset`; less only at its end. A
 * dump is read more than once: to check it, then to load it. An error ends
 * the load and is what it returns. */
typedef enum wb_error wb_load_read_fn(void *context, void *buffer, size_t size,
				      uint64_t offset, size_t *ret_size);

struct wb_dump_summary {
	size_t size; /* sizeof(struct wb_dump_summary), by the caller */
	bool history;
	uint64_t count;	  /* lines between its first and its last */
	uint64_t records; /* of a state */
	uint64_t commits; /* of a history */
};

/* Is it a whole and well-formed dump? WB_BAD_INPUT: no, and `ret_text` says
 * in which line and why. WB_UNSUPPORTED: of a later version. */
WB_API enum wb_error wb_dump_check(wb_load_read_fn *read, void *context,
				   struct wb_dump_summary *ret_summary,
				   struct wb_text *ret_text);

struct wb_load_options {
	size_t size; /* sizeof(struct wb_load_options) */
	/* Records whose key exists stay as they are; else one is WB_EXISTS. */
	bool skip_existing;
	bool dry_run;		      /* check everything, write nothing */
	const struct wb_actor *actor; /* NULL: who opened the store */
	const char *reason;	      /* NULL: none */
	/* Asked now and then: true ends it, WB_CANCELLED. */
	bool (*stop)(void *context);
	void *stop_context;
	/* "check", of which no total is known, then "load", which is at 0 until
	 * something was committed; in records, or commits. */
	wb_progress_fn *progress;
	void *progress_context;
};

struct wb_load_result {
	size_t size;	   /* sizeof(struct wb_load_result), by the caller */
	uint64_t records;  /* of a state: in the dump */
	uint64_t loaded;   /* of them; with dry_run: that would be */
	uint64_t skipped;  /* of them, because they exist */
	uint64_t commits;  /* that were made */
	uint64_t revision; /* of the last one; 0: none was made */
};

/* Load the dump of a state. It is checked whole first: a bad one, or a record
 * that exists, is refused before anything is written.
 *
 * All of it is one commit as far as one holds it (16 MiB, 65,536 records).
 * A longer one takes several, and may end between two: because of the disk,
 * or because another writer made one of its records meanwhile. Then
 * `*ret_result`, which is filled also where it fails, and `ret_text` say how
 * far it came, and to load it again with `skip_existing` goes on from there.
 *
 * WB_BAD_INPUT, WB_UNSUPPORTED: as wb_dump_check; or it is of a history.
 * WB_EXISTS: `ret_text` names the first. Else as wb_txn_commit. */
WB_API enum wb_error wb_load(struct wb_store *store, wb_load_read_fn *read,
			     void *context,
			     const struct wb_load_options *options,
			     struct wb_load_result *ret_result,
			     struct wb_text *ret_text);

/* Make the store of a history in directory `path`, which is made if absent,
 * and must be a place for a store (WB_OPEN_CREATE says what that is).
 * WB_EXISTS: there is one. WB_NOT_A_STORE: something else is there. Each commit
 * has the revision, the time, the actor, the reason and the operation id that
 * it had; the store has the uuid that it had, so that its history can be
 * verified against what was known of the other one, and a new epoch. `open` may
 * be NULL. Of `options`, `skip_existing`, `actor` and `reason` must not be
 * given (WB_USAGE).
 *
 * Where it fails the directory is left as it was, but for a file `lock` and
 * empty folders. What a crash leaves is no store, and no place for one: every
 * open refuses it, fsck names it; remove it, and load again. */
WB_API enum wb_error wb_load_history(const char *path,
				     const struct wb_open_options *open,
				     wb_load_read_fn *read, void *context,
				     const struct wb_load_options *options,
				     struct wb_load_result *ret_result,
				     struct wb_text *ret_text);

#ifdef __cplusplus
}
#endif
#endif
