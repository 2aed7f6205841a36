/* SPDX-License-Identifier: Apache-2.0
 *
 * The open log, as the sources of this folder that work on it share it. Nobody
 * else but a test includes this.
 */
#ifndef WAYBILL_LOG_STATE_H
#define WAYBILL_LOG_STATE_H

#include "log/log.h"

#include <pthread.h>
#include <stdatomic.h>

/* A frame of a group: where it stands in it. */
struct group_frame {
	size_t at;
	uint32_t payload_bytes;
	uint64_t revision;
	int64_t time_ns; /* of a commit */
	enum frame_type type;
};

struct log_group {
	uint8_t *bytes; /* frames, headers still to be filled in */
	size_t size, capacity;
	struct group_frame *frames;
	size_t frame_count, frame_capacity;
	struct log_entry *entries; /* offsets relative to the group */
	size_t entry_count, entry_capacity;
	uint64_t last_revision; /* 0: no commit in it */
	int64_t time_min_ns, time_max_ns;
	uint8_t chain[CHAIN_BYTES]; /* after its last commit */
};

/* Add a frame without payload. WB_NO_MEMORY. */
enum wb_error group_add_plain(struct log_group *group, enum frame_type type,
			      uint64_t revision);

/* No segment is smaller. */
#define SEGMENT_BYTES_MIN (UINT64_C(16) << 10)

/* What look-ups may keep in memory of segments that were cut. */
#define LOG_INDEXED_BYTES_MAX ((size_t)16 << 20)

#define LOG_TMP_NAME	  "tmp/segment"
#define LOG_SPARE_NAME	  "tmp/spare"
#define LOG_TMP_TORN_NAME "tmp/torn"

struct log {
	struct dir *dir;
	const struct env *env;
	struct log_options options;
	struct chain *chain; /* the opener's, then the stager's */
	uint64_t epoch;
	uint8_t uuid[UUID_BYTES]; /* the anchor's changes beside readers */

	/* Readers take it to look at segments; the appender to change them. */
	pthread_rwlock_t lock;
	struct log_segment *segments;
	size_t count;
	size_t indexed_bytes_left; /* for entries of cut segments */

	/* The appender's. */
	struct file *active; /* NULL: the newest segment is sealed */
	uint64_t capacity;   /* it is full when these bytes are used */
	uint64_t reserved;   /* its bytes for which there is space */
	uint64_t zeroed;     /* zero bytes were written up to here */
	enum frame_type last_type;
	uint8_t durable_chain[CHAIN_BYTES];
	struct file *spare;
	uint64_t spare_bytes;
	struct file *anchor_file;
	struct anchor anchor;
	int64_t anchor_due_ns; /* monotonic */
	struct log_group *own; /* for MARK and CLOSE */
	uint64_t torn_bytes;

	/* The stager's. */
	uint8_t staged_chain[CHAIN_BYTES];

	_Atomic uint64_t durable_revision;
	_Atomic uint64_t staged_revision;
	_Atomic uint64_t groups;
	_Atomic enum wb_error reserve_error; /* why there is no spare */
	_Atomic bool failed;
};

static inline struct log_segment *log_newest(struct log *log)
{
	return &log->segments[log->count - 1];
}

/* After a failed sync: nothing is written again. Returns WB_OUTCOME_UNKNOWN.
 */
enum wb_error log_fail(struct log *log, const char *what);

/* Start the segment that follows `after` (NULL: the first), big enough for
 * `bytes` behind its header; on success it is durable, named by the anchor, and
 * active. */
enum wb_error log_start_segment(struct log *log,
				const struct log_segment *after,
				uint64_t bytes);

/* Write the anchor for the durable end. A failed sync fails the log; after a
 * failed write it is only due again. */
enum wb_error log_write_anchor(struct log *log);

/* The first segment and the anchor of a new store. */
enum wb_error log_create(struct log *log);

/* Reserve a spare for the segment after the next rotation. */
void log_make_spare(struct log *log);
bool log_spare_is_due(const struct log *log);

/* How big the next segment is to be. */
uint64_t log_next_capacity(const struct log *log);

/* Copy what lies behind the end of a cut segment to torn/, then truncate it.
 * Its end is durable in its successor's header. Where the debris cannot be
 * kept it is left in place, and said: that costs space, not truth. */
void log_cut_debris(struct log *log, const struct log_segment *segment);

#endif
