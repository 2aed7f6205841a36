/* SPDX-License-Identifier: Apache-2.0
 *
 * The state that a log means: its commits, applied one after the other, from
 * nothing. A table from key to newest version, deletions included.
 */
#ifndef WAYBILL_AUDIT_REPLAY_H
#define WAYBILL_AUDIT_REPLAY_H

#include "audit/reader.h"

struct replay;

/* A key's newest version. */
struct replay_version {
	struct wb_key key;
	struct wb_bytes value;
	uint64_t revision;
	int64_t time_ns; /* of its commit */
	uint64_t previous_revision;
	bool deleted;
};

/* Empty, at revision 0. NULL: no memory. */
struct replay *replay_new(void);
/* NULL is allowed. */
void replay_free(struct replay *replay);

/* Apply the next commit; copies what it needs. WB_CORRUPT: it does not follow
 * the one before (nothing is done, `*ret_mutation` is the mutation count), or
 * a mutation does not follow the version of its key that it names (all is
 * applied, `*ret_mutation` is the first such one). WB_NO_MEMORY. */
enum wb_error replay_apply(struct replay *replay,
			   const struct audit_commit *commit,
			   size_t *ret_mutation);

uint64_t replay_revision(const struct replay *replay);
/* Of the live records. */
uint64_t replay_count(const struct replay *replay);

/* The newest version of a key, perhaps a deletion; NULL: there never was one.
 * Borrowed, until the next replay_apply. */
const struct replay_version *replay_find(const struct replay *replay,
					 const struct wb_key *key);

/* Visit the live records in the order of their keys, until `visit` returns
 * false. WB_NO_MEMORY. */
enum wb_error replay_each(const struct replay *replay,
			  bool (*visit)(void *context,
					const struct replay_version *version),
			  void *context);

/* Read the store in `dir` and apply its history up to `revision`, as far as
 * it is whole: replay_revision tells how far that was. As audit_read; damage
 * is told by `ret_summary`. */
enum wb_error replay_store(struct dir *dir, uint64_t revision,
			   struct audit_summary *ret_summary,
			   struct replay **ret_replay);

#endif
