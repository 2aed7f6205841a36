/* SPDX-License-Identifier: Apache-2.0
 *
 * A commit: one transaction as the log carries it (record.proto).
 *
 * Decoding allocates nothing: everything points into the payload. A commit
 * that was decoded was checked whole, so walking its mutations cannot fail.
 */
#ifndef WAYBILL_LOG_COMMIT_H
#define WAYBILL_LOG_COMMIT_H

#include "base/cursor.h"

#include <waybill/store.h>

struct commit_actor {
	uint32_t uid;
	uint32_t gid;
	int32_t pid;
	struct wb_bytes command;
};

/* Everything but the mutations. */
struct commit_head {
	uint64_t revision;
	int64_t time_ns;
	struct commit_actor actor;
	struct wb_bytes reason;
	struct wb_bytes operation_ns;
	struct wb_bytes operation_id;
	uint64_t request_hash;
};

struct mutation {
	struct wb_key key;
	struct wb_bytes value;
	bool deleted;
	uint64_t previous_revision;
};

struct commit {
	struct commit_head head;
	uint32_t mutation_count;
	struct wb_bytes payload;
};

/* Bytes that commit_head_write writes, at most COMMIT_HEAD_BYTES_MAX. */
#define COMMIT_HEAD_BYTES_MAX 4608u
size_t commit_head_size(const struct commit_head *head);
void commit_head_write(struct writer *writer, const struct commit_head *head);

/* Bytes that mutation_write writes; the mutations follow the head. */
size_t mutation_size(const struct mutation *mutation);
void mutation_write(struct writer *writer, const struct mutation *mutation);

/* WB_CORRUPT, silently, where the bytes are no valid commit. */
enum wb_error commit_decode(const void *payload, size_t size,
			    struct commit *ret_commit);

/* Walk the mutations of a decoded commit: begin, then next until false. */
struct mutation_walk {
	struct reader reader;
};
struct mutation_walk mutation_walk_begin(const struct commit *commit);
bool mutation_walk_next(struct mutation_walk *walk,
			struct mutation *ret_mutation);

/* The low half of the XXH3 of the encoded key: the footer's hash. */
uint32_t mutation_hash(const struct wb_key *key);

#endif
