/* SPDX-License-Identifier: Apache-2.0
 *
 * What others can check about a store: who changed what, and whether the
 * history is still the one that it was.
 *
 * chain(n) is SHA-256 over chain(n-1) and commit n (docs/FORMAT.md), so one
 * value stands for the whole history before it. Kept elsewhere, it shows any
 * later edit of that history; the store alone cannot show it, for whoever
 * rewrites a commit can compute every checksum and every chain value after it
 * anew.
 *
 * These functions read the directory with a reader of their own, which shares
 * no code with the store. They take the lock as a read-only open does, change
 * nothing, and do not stop at damage.
 */
#ifndef WAYBILL_AUDIT_H
#define WAYBILL_AUDIT_H

#include <waybill/progress.h>
#include <waybill/store.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WB_CHAIN_BYTES 32

/* Zero means the default for every field but `size`. */
struct wb_audit_options {
	size_t size;	      /* sizeof(struct wb_audit_options) */
	uint32_t flags;	      /* WB_OPEN_ANY_FILESYSTEM */
	uint32_t threads;     /* of wb_audit_verify. 0 and 1: the caller's
				 alone; 2: one more, which computes the chain
				 and is gone when the call returns. The answers
				 are the same. */
	wb_report_fn *report; /* of each thing that is wrong, as it is found;
				 by default standard error */
	void *report_context;
	wb_progress_fn *progress; /* one phase, "read", in bytes */
	void *progress_context;
};

/* What has become of a chain value that was kept. */
enum wb_audit_answer {
	WB_AUDIT_UNKNOWN, /* damage hides it */
	WB_AUDIT_HOLDS,	  /* up to there the history is what it was */
	WB_AUDIT_DIFFERS, /* it is another one */
	WB_AUDIT_BEYOND,  /* it ends before that revision: what came after was
			     taken away, or the directory put back */
};

/* A chain value that was kept, and the answer. Revision 0 is the beginning. */
struct wb_audit_expected {
	uint64_t revision;
	uint8_t chain[WB_CHAIN_BYTES];
	enum wb_audit_answer answer; /* set by the call */
};

struct wb_audit_verified {
	size_t size; /* sizeof(struct wb_audit_verified), by the caller */
	uint8_t uuid[16];
	uint64_t epoch;
	/* The head of the history, as far as nothing is missing before it. */
	uint64_t revision;
	uint8_t chain[WB_CHAIN_BYTES];
	uint64_t commits; /* that verify, behind damage too */
	uint64_t segments;
	uint64_t damages;  /* each was reported */
	uint64_t warnings; /* likewise; an open mends them, or goes on */
	/* The first commit that is not what it was is among these revisions;
	 * 0 and 0: none is known to be another. */
	uint64_t differs_first;
	uint64_t differs_last;
	uint64_t unreadable; /* of the damages: what the disk did not give */
	uint64_t newer;	     /* parts that a newer version wrote: reported, and
				what they say is not known */
};

/* Read all of the store in directory `path` and compute its chain. It is held
 * against the values that the store's own files record, and against `expected`,
 * whose `answer` it sets.
 *
 * Damage, parts that cannot be read and answers are no errors: look at them.
 * Where a newer version wrote a part, `*ret_verified` is filled as well, and
 * the error is WB_UNSUPPORTED. WB_NOT_A_STORE, WB_LOCKED
 * (`ret_text` names the holder), WB_BAD_INPUT (a filesystem
 * that is refused), WB_USAGE (a size), WB_PERMISSION, WB_IO, WB_NO_MEMORY. */
WB_API enum wb_error wb_audit_verify(const char *path,
				     const struct wb_audit_options *options,
				     struct wb_audit_expected *expected,
				     size_t count,
				     struct wb_audit_verified *ret_verified,
				     struct wb_text *ret_text);

/* ---- who changed what ---- */

/* NULL and 0 mean: no bound. */
struct wb_audit_filter {
	size_t size;   /* sizeof(struct wb_audit_filter) */
	uint32_t kind; /* 0: all, the store's own too */
	const struct wb_bytes *ns;
	const struct wb_bytes *name;
	const uint32_t *uid;
	const int64_t *since_ns; /* commits of this time or later */
	const int64_t *until_ns; /* or earlier; each by its own clock */
	uint64_t first_revision;
	uint64_t last_revision;
};

/* One change of one key. */
struct wb_audit_change {
	/* What it is now, who made it so, when and why. */
	struct wb_version version;
	/* What it was before. NULL: it did not exist; or, where
	 * version.previous_revision is not 0, damage hides it. */
	const struct wb_record *before;
	/* The chain value of its commit. NULL: damage lies before it, so it is
	 * not known. */
	const uint8_t *chain;
};

/* Returns false to stop. */
typedef bool wb_audit_fn(void *context, const struct wb_audit_change *change);

/* Visit the changes that `filter` (NULL: all) lets through, oldest first, and
 * of one commit in its order. The whole log is read and replayed, so memory is
 * that of the live records. What verifies behind damage is visited too;
 * WB_CORRUPT then is the answer after the last visit, or WB_IO where the disk
 * did not give a part of it, and `ret_text` names the first damage; likewise
 * WB_UNSUPPORTED where a newer version wrote a part. Else errors as
 * wb_audit_verify. */
WB_API enum wb_error wb_audit_log(const char *path,
				  const struct wb_audit_options *options,
				  const struct wb_audit_filter *filter,
				  wb_audit_fn *visit, void *context,
				  struct wb_text *ret_text);

#ifdef __cplusplus
}
#endif
#endif
