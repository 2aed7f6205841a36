/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding versions again: the log read backwards. Every frame that is
 * handed out was read from its file and verified. What is read is what is
 * told: a read or so for each version of a key and one for each sealed segment
 * on the way, or the frames from the newest to the last one that is told. Any
 * number of threads, beside appends; no lock is held while a file is read or a
 * visitor runs.
 */
#ifndef WAYBILL_LOG_LOOKUP_H
#define WAYBILL_LOG_LOOKUP_H

#include "log/log.h"

struct log_query {
	bool by_hash; /* only keys with this mutation_hash */
	uint32_t hash;
	uint64_t before; /* only revisions below; 0: all */
	uint64_t upto;	 /* only revisions up to; 0: all */
};

/* Returns false to stop. */
typedef bool log_version_fn(void *context, const struct commit *commit,
			    const struct mutation *mutation);

/* Newest first; within a commit in its order. A hash is shared by several
 * keys: the visitor compares. Without a hash, no version is left out; with
 * one, those are that the index of a segment has under another hash: the
 * visitor sees it by their previous revisions. WB_CORRUPT (reported),
 * WB_NO_MEMORY, WB_IO. */
enum wb_error log_versions(struct log *log, const struct log_query *query,
			   log_version_fn *visit, void *context);

/* May a durable commit above `revision` have changed a key with this
 * mutation_hash? Never false where one has; true also where another key has
 * the hash, and where only a file would tell, for none is read: a segment was
 * sealed since. */
bool log_may_have_changed(struct log *log, uint32_t hash, uint64_t revision);

/* The highest revision up to `upto` (0: of all) whose time is not later; 0 if
 * there is none. */
enum wb_error log_revision_at(struct log *log, int64_t time_ns, uint64_t upto,
			      uint64_t *ret_revision);

#endif
