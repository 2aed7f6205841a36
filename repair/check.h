/* SPDX-License-Identifier: Apache-2.0
 *
 * wb_fsck on a directory that is open, and what it shares with a salvage.
 */
#ifndef WAYBILL_REPAIR_CHECK_H
#define WAYBILL_REPAIR_CHECK_H

#include "audit/fsck.h"
#include "base/env.h"

#include <waybill/fsck.h>

typedef void check_visit_fn(void *context, const struct wb_finding *finding);

/* wb_fsck; `dir` stays the caller's, and may be locked by this. `env` has the
 * clock and the random numbers of a repair. */
enum wb_error check_directory(struct dir *dir, const struct env *env,
			      const struct wb_fsck_options *options,
			      check_visit_fn *visit, void *context,
			      struct wb_fsck_summary *ret_summary,
			      struct wb_text *ret_text);

/* The lock, shared unless `exclusive`. A directory without anchor and segment
 * is WB_NOT_A_STORE, and no file is made in it. One without a lock file is
 * read without: a writer would have made it. */
enum wb_error check_lock(struct dir *dir, bool exclusive,
			 struct wb_text *ret_text);

/* Tell one finding in the public words. `names` has room for `count`. */
void check_tell(const struct audit_finding *finding,
		enum wb_finding_state state,
		const struct wb_finding_name *names, size_t count,
		uint64_t more, check_visit_fn *visit, void *context);

/* What a caller gave, NULL too, as ours. WB_USAGE, WB_UNSUPPORTED. */
enum wb_error check_options(const struct wb_fsck_options *theirs,
			    struct wb_fsck_options *ret_ours,
			    struct wb_text *ret_text);

/* The flags of audit_read that they ask for. */
unsigned check_threads(const struct wb_fsck_options *options);

/* Is it to go on? WB_CANCELLED: not. */
enum wb_error check_stop(const struct wb_fsck_options *options);

/* Open `path` as the flags say; POSIX_DIR_CREATE and the like are `how`. */
enum wb_error check_open(const char *path, unsigned how,
			 const struct wb_fsck_options *options,
			 struct dir **ret_dir, bool *ret_created,
			 struct wb_text *ret_text);

/* What failed, where that is known, and else only how. */
const char *check_why(enum wb_error error);

/* What tells the caller how far it is. */
struct meter check_meter(const struct wb_fsck_options *options);

/* A diag's report, whose context is a struct wb_fsck_options. */
void check_say(void *context, enum diag_severity severity, const char *line);

/* The state of what was found and not fixed. */
enum wb_finding_state check_state(const struct audit_finding *finding);

/* What fsck summed up, in the public words; `fixed` is the caller's. */
void check_sum_up(const struct fsck_summary *from,
		  struct wb_fsck_summary *ret_summary);

#endif
