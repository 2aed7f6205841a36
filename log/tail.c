/* SPDX-License-Identifier: Apache-2.0
 *
 * A torn write and damage to what was acknowledged look alike where the
 * frames end. What tells them apart is a later frame: it was written when
 * what is missing was durable. It may stand anywhere, so every place is
 * looked at.
 *
 * A value may hold anything, frames that are none included, each claiming to
 * be megabytes long: to hash them all is quadratic, and hours for a value of
 * 16 MiB. So only a frame that could be proof, and that could have been
 * written at its place, is hashed at all; one that verifies is enough; and
 * there is a bound. What it means to meet the bound is the point:
 *
 *  - in the torn group, as far as the headers of its frames are there: nothing.
 *    No frame begins inside another, so this is the inside of values. It is
 *    searched all the same, and last, because a header without its checksum is
 *    only very probably right.
 *  - anywhere else: nobody knows. That must not be called torn, because then
 *    it would be cut.
 *
 * Discarded: believing that header outright, which costs acknowledged commits
 * if it is one of an earlier write to the same place. Refusing wherever the
 * bound is met, with which whoever writes a value decides whether the store
 * opens after a power cut.
 */
#include "log/tail.h"

#include "base/control.h"

static bool is_proof(const struct tail *tail, const struct frame *frame)
{
	return (frame->durable_bytes > tail->end &&
		!control_off(CONTROL_FLOOR_BYTES)) ||
	       frame->durable_revision > tail->head;
}

/* Could a writer have put a frame with this header at `at`? */
static bool is_plausible(const struct tail *tail, const struct frame *frame,
			 uint64_t at)
{
	/* As many revisions as frames without a payload fit in between. */
	uint64_t revisions = (at - tail->end) / FRAME_HEADER_BYTES + 1;
	bool commit = frame->type == FRAME_COMMIT;

	if (frame->type == FRAME_NONE || frame->type == FRAME_RECORDS)
		return false;
	if (frame->durable_bytes < SEGMENT_FRAMES_AT ||
	    frame->durable_bytes > at || frame->durable_bytes % FRAME_ALIGN)
		return false;
	if (frame->revision < tail->head + commit ||
	    frame->revision - tail->head > revisions)
		return false;
	return frame->durable_revision <= frame->revision - commit;
}

/* The sizes that a writer gives a frame: rounded up, or, of the last one of a
 * group, padded to the end of a sector. */
static bool sizes_are_usual(const struct frame *frame, uint64_t at)
{
	return frame->frame_bytes == frame_size(frame->payload_bytes) ||
	       (at + frame->frame_bytes) % GROUP_ALIGN == 0;
}

/* Where the group ends whose frame at tail->end does not verify, as far as
 * the headers of its commits are there. */
static uint64_t torn_group_end(const struct tail *tail)
{
	uint64_t group_bytes = tail->group_bytes;
	uint64_t group_revision = tail->group_revision;
	uint64_t at = tail->end, revision = tail->head;
	bool in_group = tail->in_group;
	struct frame frame;

	while (at < tail->size &&
	       frame_peek(tail->bytes + at, tail->size - at, &frame)) {
		bool begins = at == tail->end && frame.durable_bytes == at &&
			      frame.durable_revision == tail->head;
		bool goes_on = in_group && frame.durable_bytes == group_bytes &&
			       frame.durable_revision == group_revision;

		if (frame.type != FRAME_COMMIT ||
		    frame.revision != revision + 1 || !(begins || goes_on) ||
		    !sizes_are_usual(&frame, at))
			break;
		in_group = true;
		group_bytes = frame.durable_bytes;
		group_revision = frame.durable_revision;
		revision = frame.revision;
		at += frame.frame_bytes;
	}
	return at < tail->size ? at : tail->size;
}

/* From `from` to before `to`, until there is proof. `*ret_spent`: the bound
 * was met. */
static enum wb_error search(const struct tail *tail, uint64_t from, uint64_t to,
			    struct tail_proof *proof, bool *ret_spent)
{
	uint64_t bytes_max = TAIL_HASH_TIMES * (uint64_t)tail->size;
	struct frame frame;
	enum wb_error error;
	uint64_t at;

	*ret_spent = false;
	for (at = from; at < to; at += FRAME_ALIGN) {
		const uint8_t *bytes = tail->bytes + at;
		size_t size = tail->size - at;

		if (!frame_peek(bytes, size, &frame) ||
		    frame.frame_bytes > size || !is_proof(tail, &frame) ||
		    !is_plausible(tail, &frame, at))
			continue;
		if (frame.frame_bytes > bytes_max - proof->hashed) {
			*ret_spent = true;
			return WB_OK;
		}
		proof->hashed += frame.frame_bytes;
		error = frame_decode(bytes, size, tail->salt, at, &frame);
		if (error == WB_CORRUPT)
			continue;
		if (error)
			return error;
		proof->durable_bytes = frame.durable_bytes;
		proof->durable_revision = frame.durable_revision;
		return WB_OK;
	}
	return WB_OK;
}

enum wb_error tail_search(const struct tail *tail, struct tail_proof *ret_proof)
{
	uint64_t behind = torn_group_end(tail);
	uint64_t first = tail->end + FRAME_ALIGN;
	struct tail_proof proof = {0};
	enum wb_error error;
	bool spent;

	error = search(tail, behind > first ? behind : first, tail->debris_end,
		       &proof, &spent);
	proof.unknown = spent;
	if (!error && !spent && !proof.durable_bytes)
		error = search(tail, first,
			       behind < tail->debris_end ? behind
							 : tail->debris_end,
			       &proof, &spent);
	if (!error)
		*ret_proof = proof;
	return error;
}
