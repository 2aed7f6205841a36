/* SPDX-License-Identifier: Apache-2.0
 *
 * From a directory to the history that it holds: docs/FORMAT.md, "Opening".
 * Reads only; what follows from the verdict is log.c's to do.
 */
#ifndef WAYBILL_LOG_RECOVER_H
#define WAYBILL_LOG_RECOVER_H

#include "base/env.h"
#include "log/anchor.h"
#include "log/pages.h"
#include "log/scan.h"
#include "log/stretches.h"

enum log_segment_state { LOG_ACTIVE, LOG_SEALED, LOG_CUT };

/* What is known of one segment file. */
struct log_segment {
	struct segment_header header;
	enum log_segment_state state;
	uint64_t end;  /* bytes that count */
	uint64_t head; /* newest revision in it or before it */
	int64_t time_min_ns, time_max_ns; /* of its commits */
	uint64_t footer_at; /* of a sealed one: where its footer stands */
	/* The file's, when it was opened; more than `end` in a cut one that
	 * could not be truncated yet. */
	uint64_t file_bytes;
	uint64_t debris_end; /* behind its last byte that is not zero */
	/* For look-ups. Of all: where the commits are. Of a sealed one: by
	 * key in the file. Of one without a footer: by key in memory, where
	 * it is `indexed`: always if it may be written to, else once
	 * somebody has asked. */
	struct stretches stretches;
	struct pages pages;
	struct entries entries;
	bool indexed;
};

/* Frees what it holds. */
void log_segment_release(struct log_segment *segment);

struct recovery {
	struct log_segment *segments; /* in order of their ranges */
	size_t count;
	struct anchor anchor;
	enum verdict verdict; /* of the newest segment */
	struct scan scan;     /* of the newest segment */
};

typedef enum wb_error log_replay_fn(void *context, const struct commit *commit);

/* Recover and hand every commit that counts to `replay`, oldest first.
 * WB_NOT_A_STORE: nothing, or a creation that did not finish. WB_CORRUPT
 * (reported), WB_UNSUPPORTED, and what files return. On failure nothing is
 * owed; on success recovery_release. */
enum wb_error recover(struct dir *dir, const struct env *env,
		      struct chain *chain, log_replay_fn *replay, void *context,
		      struct recovery *ret_recovery);
void recovery_release(struct recovery *recovery);

/* Remember where the mutations of a commit are. WB_NO_MEMORY. */
enum wb_error log_index_commit(struct entries *entries,
			       const struct commit *commit, uint64_t offset);

#endif
