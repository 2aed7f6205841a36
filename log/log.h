/* SPDX-License-Identifier: Apache-2.0
 *
 * The durable log: an append-only sequence of commits in segment files.
 *
 *	log_stage  ... log_stage   many commits into one group, in memory
 *	log_append                 the group: written, fdatasync
 *	log_settle                 what can wait until the callers have theirs
 *
 * The caller serialises: one thread stages at a time, and one thread at a
 * time appends, settles, marks or closes; staging a group while another one
 * is appended is what the two halves are for. Reading versions back
 * (lookup.h) may happen at any time.
 *
 * The rules it keeps: a commit is durable when log_append returned WB_OK; a
 * group's headers are written after the sync before it returned, so they
 * know what is durable; after a failed sync nothing is ever written again.
 *
 *	       log_append: full            sealed
 *	  ACTIVE ----------> sealing ----------------> NONE
 *	    ^                   |  footer, sync          |
 *	    |                   |  fails                 | header, sync,
 *	    |                   v                        | rename, dir sync,
 *	    |                 FAILED <------------------ | anchor, sync
 *	    +--------------------------------------------+
 *	NONE: the last segment is sealed and the next one could not be made
 *	(no space): the next append tries again. FAILED: for good.
 */
#ifndef WAYBILL_LOG_LOG_H
#define WAYBILL_LOG_LOG_H

#include "base/env.h"
#include "base/file.h"
#include "log/commit.h"
#include "log/recover.h"

struct log;

struct log_options {
	bool create;
	bool read_only;
	uint64_t segment_bytes; /* of a full-grown segment; 0: 64 MiB */
	bool no_padding;	/* do not pad groups to 512 bytes */
	/* Of a store that is created, UUID_BYTES; NULL: a random one. Read
	 * before log_open returns. */
	const uint8_t *uuid;
};

/* Open the log in `dir`, which the caller has locked, and hand each commit
 * to `replay`. `dir` and `env` stay the caller's and must outlive the log.
 * Errors as recover() and the files. */
enum wb_error log_open(struct dir *dir, const struct env *env,
		       const struct log_options *options, log_replay_fn *replay,
		       void *context, struct log **ret_log);

/* End with CLOSE, unless the log failed, is read-only, or ends with CLOSE
 * already. Always frees. */
enum wb_error log_close(struct log *log);
/* Free, and leave the files as a crash would. */
void log_abandon(struct log *log);

/* Commits on their way to the disk together. */
struct log_group;
struct log_group *log_group_new(void);
void log_group_free(struct log_group *group);
/* Bytes and commits gathered so far. */
size_t log_group_bytes(const struct log_group *group);
size_t log_group_commits(const struct log_group *group);
void log_group_clear(struct log_group *group);

/* Encode a commit into `group`: `head` (its revision must be the next one)
 * and the mutations as mutation_write wrote them. `hashes` holds their
 * mutation_hash. WB_TOO_LARGE, WB_NO_MEMORY: the group is as before. */
enum wb_error log_stage(struct log *log, struct log_group *group,
			const struct commit_head *head,
			struct wb_bytes mutations, const uint32_t *hashes,
			uint32_t mutation_count);

/* Make the group durable, and clear it.
 * WB_STOPPED: the log failed before; nothing was written.
 * WB_OUTCOME_UNKNOWN: a sync failed; nobody can say; the log has failed.
 * Any other error: nothing of the group is in the log. After every error the
 * staged commits of this and of later groups are void: log_unstage. */
enum wb_error log_append(struct log *log, struct log_group *group);

/* Forget what was staged and not appended: the next commit follows the
 * durable head again. */
void log_unstage(struct log *log);

/* Spare segment and anchor, when they are due. A failure is the log's
 * (FAILED) or shows in log_has_reserve. */
void log_settle(struct log *log);
bool log_settle_is_due(const struct log *log);

/* A MARK frame, synced, and the anchor. WB_OK without writing where the last
 * frame is a MARK or CLOSE already. */
enum wb_error log_mark(struct log *log);

/* False while the disk has no room for the next segment: only what frees
 * space should commit. */
bool log_has_reserve(const struct log *log);
/* Why: mostly WB_NO_SPACE. WB_OK: there is room. */
enum wb_error log_reserve_error(const struct log *log);
bool log_has_failed(const struct log *log);

uint64_t log_durable_revision(const struct log *log);
uint64_t log_staged_revision(const struct log *log);
const uint8_t *log_uuid(const struct log *log);
uint64_t log_epoch(const struct log *log);

struct log_stat {
	uint64_t segments;
	uint64_t log_bytes;
	uint64_t file_bytes;
	uint64_t torn_bytes;
	uint64_t groups; /* appended by this handle */
};
enum wb_error log_stat(struct log *log, struct log_stat *ret_stat);

/* Each segment, oldest first, and the spare. */
enum wb_error log_files(struct log *log,
			bool (*visit)(void *context,
				      const struct wb_file_stat *file),
			void *context);

#endif
