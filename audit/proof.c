/* SPDX-License-Identifier: Apache-2.0
 *
 * "Behind the end" of docs/FORMAT.md: a frame that proves that something
 * durable is gone from the end of the newest segment.
 */
#include "audit/walk.h"

enum { HASH_TIMES = 16, ALIGN = AUDIT_FRAME_ALIGN, SECTOR = 512 };

struct search {
	struct walk *walk;
	uint64_t end, head;
	uint64_t left; /* bytes that may still be hashed */
};

static bool is_of_interest(const struct search *search, uint64_t at,
			   const struct audit_frame *frame)
{
	uint64_t fit = 1 + (at - search->end) / AUDIT_FRAME_HEADER_BYTES;
	uint64_t lowest = search->head, highest = search->head + fit;

	if (frame->durable_bytes <= search->end &&
	    frame->durable_revision <= search->head)
		return false;
	if (frame->type == 0 || frame->type == AUDIT_RECORDS)
		return false;
	if (frame->durable_bytes < AUDIT_FRAMES_AT ||
	    frame->durable_bytes > at || frame->durable_bytes % ALIGN != 0)
		return false;
	if (frame->type == AUDIT_COMMIT)
		lowest++;
	if (frame->revision < lowest || frame->revision > highest)
		return false;
	return frame->type == AUDIT_COMMIT
		       ? frame->durable_revision < frame->revision
		       : frame->durable_revision <= frame->revision;
}

/* The header at `at`, if there is one. */
static enum wb_error peek(struct search *search, uint64_t at,
			  struct audit_frame *ret_frame, bool *ret_there)
{
	const uint8_t *bytes;
	enum wb_error error = window_span(&search->walk->window, at,
					  AUDIT_FRAME_HEADER_BYTES, &bytes);

	*ret_there = !error && bytes && audit_frame_claims(bytes, ret_frame);
	return error;
}

static bool is_as_long_as_written(const struct audit_frame *frame, uint64_t at)
{
	uint64_t used = AUDIT_FRAME_HEADER_BYTES + frame->payload_bytes;

	return frame->frame_bytes == (used + ALIGN - 1) / ALIGN * ALIGN ||
	       (at + frame->frame_bytes) % SECTOR == 0;
}

static enum wb_error find_group_end(struct search *search, uint64_t *ret_end)
{
	const struct walk *walk = search->walk;
	bool open = walk->last_type == AUDIT_COMMIT;
	uint64_t group_bytes = walk->group_at;
	uint64_t group_revision = walk->group_revision;
	uint64_t at = search->end, revision = search->head;

	for (;;) {
		struct audit_frame frame;
		bool there, first, same;
		enum wb_error error = peek(search, at, &frame, &there);

		*ret_end = at;
		if (error || !there)
			return error;
		first = at == search->end && frame.durable_bytes == at &&
			frame.durable_revision == search->head;
		same = open && frame.durable_bytes == group_bytes &&
		       frame.durable_revision == group_revision;
		if (frame.type != AUDIT_COMMIT ||
		    frame.revision != revision + 1 || !(first || same) ||
		    !is_as_long_as_written(&frame, at))
			return WB_OK;
		open = true;
		group_bytes = frame.durable_bytes;
		group_revision = frame.durable_revision;
		revision++;
		at += frame.frame_bytes;
	}
}

static enum wb_error look(struct search *search, uint64_t from, uint64_t to,
			  struct walk_frame *found, bool *ret_gave_up)
{
	struct window *window = &search->walk->window;
	uint64_t salt = search->walk->segment->header.salt;

	*ret_gave_up = false;
	for (;; from += ALIGN) {
		struct audit_frame frame;
		bool there;
		enum wb_error error = walk_find_magic(window, from, to, &from);

		if (error || from >= to)
			return error;
		error = peek(search, from, &frame, &there);
		if (error)
			return error;
		if (!there || frame.frame_bytes > window->file_bytes - from ||
		    !is_of_interest(search, from, &frame))
			continue;
		if (frame.frame_bytes > search->left) {
			*ret_gave_up = true;
			return WB_OK;
		}
		search->left -= frame.frame_bytes;
		error = walk_read_frame(window, salt, from, found);
		if (error || found->seen == AUDIT_HOLDS ||
		    found->seen == AUDIT_NEWER)
			return error;
		found->seen = AUDIT_FAILS;
	}
}

enum wb_error walk_find_proof(struct walk *walk, struct walk_frame *ret_frame,
			      bool *ret_unknown)
{
	uint64_t file_bytes = walk->window.file_bytes;
	struct search search = {walk, walk->at, walk->head,
				HASH_TIMES * file_bytes};
	struct walk_frame found = {.seen = AUDIT_FAILS};
	uint64_t group_end, first = walk->at + ALIGN;
	bool gave_up = false;
	enum wb_error error = find_group_end(&search, &group_end);

	if (!error)
		error = look(&search, group_end > first ? group_end : first,
			     file_bytes, &found, &gave_up);
	*ret_unknown = gave_up;
	if (!error && !gave_up && found.seen == AUDIT_FAILS)
		error = look(&search, first,
			     group_end < file_bytes ? group_end : file_bytes,
			     &found, &gave_up);
	if (!error)
		*ret_frame = found;
	return error;
}
