/* SPDX-License-Identifier: Apache-2.0
 *
 * From the oldest segment to the newest. Where a segment's frames end is read
 * under the lock; below that the file never changes, so the lock is not held
 * while frames are read or the visitor runs. A look-up reads one frame here
 * and there; this reads them all, so it reads many at once.
 */
#include "log/follow.h"

#include "log/readback.h"
#include "log/state.h"

#include <assert.h>
#include <inttypes.h>

#define WINDOW_BYTES (256u << 10)

struct follower {
	struct log *log;
	uint64_t upto, next; /* revisions */
	struct readback readback;
};

/* The oldest segment with an id above `above`. */
static bool next_segment(struct log *log, uint64_t above, struct spot *ret_spot)
{
	bool found = false;
	size_t at;

	pthread_rwlock_rdlock(&log->lock);
	for (at = 0; at < log->count && !found; at++) {
		const struct log_segment *segment = &log->segments[at];

		found = segment->header.id > above;
		if (found)
			*ret_spot = (struct spot){
				.id = segment->header.id,
				.salt = segment->header.salt,
				.end = segment->end,
			};
	}
	pthread_rwlock_unlock(&log->lock);
	return found;
}

static enum wb_error hand_out(struct follower *follower, uint64_t offset,
			      const struct frame *frame, log_replay_fn *visit,
			      void *context)
{
	struct commit commit;

	if (commit_decode(frame->payload, frame->payload_bytes, &commit) ||
	    commit.head.revision != follower->next)
		return diag_corrupt(follower->log->env->diag,
				    follower->readback.name, offset,
				    "not the commit of revision %" PRIu64,
				    follower->next);
	follower->next++;
	return visit(context, &commit);
}

static enum wb_error follow_segment(struct follower *follower,
				    log_replay_fn *visit, void *context)
{
	uint64_t offset = SEGMENT_FRAMES_AT;
	enum wb_error error = WB_OK;
	struct frame frame;

	while (!error && offset < follower->readback.spot.end &&
	       follower->next <= follower->upto) {
		error = readback_frame(&follower->readback, offset, offset,
				       WINDOW_BYTES, &frame);
		if (!error && frame.type == FRAME_COMMIT)
			error = hand_out(follower, offset, &frame, visit,
					 context);
		if (!error)
			offset += frame.frame_bytes;
	}
	return error;
}

enum wb_error log_follow(struct log *log, uint64_t upto, log_replay_fn *visit,
			 void *context)
{
	struct follower follower = {.log = log, .upto = upto, .next = 1};
	enum wb_error error = WB_OK;
	struct spot spot = {.id = 0};

	assert(upto <= log->durable_revision);
	readback_init(&follower.readback, log->dir, log->env->diag);
	while (!error && follower.next <= upto &&
	       next_segment(log, spot.id, &spot)) {
		error = readback_open(&follower.readback, &spot);
		if (!error)
			error = follow_segment(&follower, visit, context);
	}
	if (!error && follower.next <= upto)
		error = diag_corrupt(log->env->diag, follower.readback.name,
				     spot.end, "no commit of revision %" PRIu64,
				     follower.next);
	readback_release(&follower.readback);
	return error;
}
