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
#include <stdlib.h>

#define WINDOW_BYTES (256u << 10)

struct follower {
	struct log *log;
	uint64_t upto, next; /* revisions */

	/* ---- the segment at hand ---- */
	struct spot spot;
	char name[SEGMENT_NAME_SIZE];
	struct file *file;

	/* Bytes of it, from `at` on. */
	uint8_t *window;
	size_t capacity, size;
	uint64_t at;
};

/* The oldest segment with an id above `above`. */
static bool next_segment(struct follower *follower, uint64_t above)
{
	struct log *log = follower->log;
	bool found = false;
	size_t at;

	pthread_rwlock_rdlock(&log->lock);
	for (at = 0; at < log->count && !found; at++) {
		const struct log_segment *segment = &log->segments[at];

		found = segment->header.id > above;
		if (found)
			follower->spot = (struct spot){
				.id = segment->header.id,
				.salt = segment->header.salt,
				.end = segment->end,
			};
	}
	pthread_rwlock_unlock(&log->lock);
	return found;
}

/* Have `size` bytes from `offset` on in the window, or what there is. */
static enum wb_error fill(struct follower *follower, uint64_t offset,
			  size_t size)
{
	uint64_t left = follower->spot.end - offset;
	uint8_t *grown;

	if (size > left)
		size = (size_t)left;
	if (size > follower->capacity) {
		grown = realloc(follower->window, size);
		if (!grown)
			return WB_NO_MEMORY;
		follower->window = grown;
		follower->capacity = size;
	}
	follower->at = offset;
	return file_read(follower->file, follower->window, size, offset,
			 &follower->size);
}

static enum wb_error try_frame(const struct follower *follower, uint64_t offset,
			       struct frame *ret_frame)
{
	size_t skip = (size_t)(offset - follower->at);

	return frame_decode(follower->window + skip, follower->size - skip,
			    follower->spot.salt, offset, ret_frame);
}

/* The frame at `offset`, verified. One that is not whole in the window is
 * looked for again with the window moved there, and if its header says that
 * it is longer, with all of it. */
static enum wb_error read_frame(struct follower *follower, uint64_t offset,
				struct frame *ret_frame)
{
	bool inside = offset >= follower->at &&
		      offset < follower->at + follower->size;
	struct frame claimed;
	enum wb_error error;

	if (inside && !try_frame(follower, offset, ret_frame))
		return WB_OK;
	error = fill(follower, offset, WINDOW_BYTES);
	if (error)
		return error;
	if (!try_frame(follower, offset, ret_frame))
		return WB_OK;
	if (frame_peek(follower->window, follower->size, &claimed) &&
	    claimed.frame_bytes > follower->size) {
		error = fill(follower, offset, claimed.frame_bytes);
		if (error)
			return error;
		if (!try_frame(follower, offset, ret_frame))
			return WB_OK;
	}
	return diag_corrupt(follower->log->env->diag, follower->name, offset,
			    "a frame that was durable does not verify");
}

static enum wb_error hand_out(struct follower *follower, uint64_t offset,
			      const struct frame *frame, log_replay_fn *visit,
			      void *context)
{
	struct commit commit;

	if (commit_decode(frame->payload, frame->payload_bytes, &commit) ||
	    commit.head.revision != follower->next)
		return diag_corrupt(follower->log->env->diag, follower->name,
				    offset,
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

	follower->size = 0;
	while (!error && offset < follower->spot.end &&
	       follower->next <= follower->upto) {
		error = read_frame(follower, offset, &frame);
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
	uint64_t above = 0;

	assert(upto <= log->durable_revision);
	while (!error && follower.next <= upto &&
	       next_segment(&follower, above)) {
		above = follower.spot.id;
		segment_name(above, SEGMENT_LOG, follower.name);
		error = dir_open(log->dir, follower.name, FILE_READ,
				 &follower.file);
		if (error)
			break;
		error = follow_segment(&follower, visit, context);
		file_close(follower.file);
	}
	if (!error && follower.next <= upto)
		error = diag_corrupt(log->env->diag, follower.name,
				     follower.spot.end,
				     "no commit of revision %" PRIu64,
				     follower.next);
	free(follower.window);
	return error;
}
