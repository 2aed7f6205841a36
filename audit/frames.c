/* SPDX-License-Identifier: Apache-2.0
 *
 * Between two frames that verify there is a stretch of something else. It is
 * told piece by piece: a frame's beginning whose sizes fit into the stretch is
 * a damaged frame, zeros are zeros, and the rest, up to the next of either, is
 * garbage.
 */
#include "audit/frames.h"

#include "audit/walk.h"

#include <string.h>

enum { HOLES_MAX = 64 };

/* What could not be read. Of more than HOLES_MAX the last one grows. */
struct hole {
	uint64_t from, to;
};

struct frames {
	struct window window;
	struct hole holes[HOLES_MAX];
	unsigned hole_count;
	struct audit_message message;
	struct audit_frames_head *head;
	uint64_t budget;
	audit_piece_fn *visit;
	void *context;
	bool stopped;
};

/* ---- what cannot be read ---- */

static void take_trouble(void *context, const struct window *window,
			 uint64_t offset, uint64_t bytes, bool again)
{
	struct frames *frames = context;
	struct hole *hole;

	(void)window;
	if (again)
		return;
	if (frames->hole_count < HOLES_MAX)
		frames->holes[frames->hole_count++] =
			(struct hole){offset, offset};
	hole = &frames->holes[frames->hole_count - 1];
	if (hole->from > offset)
		hole->from = offset;
	if (hole->to < offset + bytes)
		hole->to = offset + bytes;
}

static bool has_hole(const struct frames *frames, uint64_t from, uint64_t to)
{
	for (unsigned at = 0; at < frames->hole_count; at++)
		if (frames->holes[at].from < to && frames->holes[at].to > from)
			return true;
	return false;
}

/* ---- header and salt ---- */

static enum wb_error read_salt(struct frames *frames, unsigned copy,
			       uint64_t *ret_salt, bool *ret_found)
{
	const uint8_t *bytes;
	struct walk_frame frame;
	uint64_t budget = walk_search_budget(&frames->window);
	enum wb_error error =
		window_span(&frames->window, (uint64_t)copy * AUDIT_COPY_BYTES,
			    AUDIT_COPY_BYTES, &bytes);

	*ret_found = false;
	if (error || !bytes)
		return error;
	*ret_salt = audit_header_salt(bytes);
	error = walk_find_frame(&frames->window, *ret_salt, AUDIT_FRAMES_AT,
				frames->window.file_bytes, &budget, &frame);
	*ret_found = !error && frame.seen != AUDIT_FAILS;
	return error;
}

static enum wb_error guess_salt(struct frames *frames)
{
	struct audit_frames_head *head = frames->head;

	for (unsigned copy = 0; copy < 2; copy++) {
		bool found;
		enum wb_error error =
			read_salt(frames, copy, &head->salt, &found);

		if (error)
			return error;
		/* What verifies, but has other rules, keeps its salt there. */
		if (found || head->copies[copy] == AUDIT_NEWER) {
			head->salt_from = head->copies[copy] == AUDIT_FAILS
						  ? AUDIT_SALT_GUESSED
						  : AUDIT_SALT_HEADER;
			return WB_OK;
		}
	}
	head->salt_from = AUDIT_SALT_UNKNOWN;
	head->salt = 0;
	return WB_OK;
}

static enum wb_error read_head(struct frames *frames)
{
	struct audit_frames_head *head = frames->head;

	*head = (struct audit_frames_head){
		.file_bytes = frames->window.file_bytes,
		.copies = {AUDIT_FAILS, AUDIT_FAILS},
	};
	for (unsigned copy = 0; copy < 2; copy++) {
		struct audit_header header;
		const uint8_t *bytes;
		const char *why;
		enum wb_error error =
			window_span(&frames->window,
				    (uint64_t)copy * AUDIT_COPY_BYTES,
				    AUDIT_COPY_BYTES, &bytes);

		if (error)
			return error;
		if (!bytes)
			continue;
		head->copies[copy] =
			audit_header_read(bytes, copy, &header, &why);
		if (head->copies[copy] != AUDIT_HOLDS || head->has_header)
			continue;
		head->has_header = true;
		head->header = header;
		head->salt = header.salt;
	}
	return head->has_header ? WB_OK : guess_salt(frames);
}

/* ---- pieces ---- */

static void tell(struct frames *frames, const struct audit_piece *piece)
{
	if (piece->bytes > 0 && !frames->visit(frames->context, piece))
		frames->stopped = true;
}

static void tell_plain(struct frames *frames, enum audit_piece_kind kind,
		       uint64_t from, uint64_t to)
{
	struct audit_piece piece = {.kind = kind,
				    .offset = from,
				    .bytes = to - from,
				    .why = ""};

	if (has_hole(frames, from, to))
		piece.kind = AUDIT_PIECE_UNREADABLE;
	tell(frames, &piece);
}

static enum wb_error tell_frame(struct frames *frames,
				const struct walk_frame *frame, uint64_t bytes)
{
	struct audit_piece piece = {
		.kind = frame->seen == AUDIT_FAILS ? AUDIT_PIECE_DAMAGED
						   : AUDIT_PIECE_FRAME,
		.offset = frame->at,
		.bytes = bytes,
		.frame = frame->frame,
		.seen = frame->seen,
		.payload = {frame->payload, frame->frame.payload_bytes},
		.why = frame->why,
	};

	if (frame->frame.type == AUDIT_COMMIT && frame->seen != AUDIT_NEWER) {
		const char *why = "";
		enum wb_error error = audit_message_read(&frames->message,
							 piece.payload, &why);

		if (error == WB_NO_MEMORY)
			return error;
		piece.commit = &frames->message.commit;
		if (error && frame->seen == AUDIT_HOLDS)
			piece.why = why;
	}
	tell(frames, &piece);
	return WB_OK;
}

static uint64_t end_of(const struct walk_frame *frame)
{
	return frame->at + ((uint64_t)frame->frame.frame_bytes + 7) / 8 * 8;
}

/* Where the next damaged frame begins, from `at` to before `end`; else `end`.
 * It is one if its sizes fit. */
static enum wb_error find_damaged(struct frames *frames, uint64_t at,
				  uint64_t end, struct walk_frame *ret_frame)
{
	for (; at < end; at += 8) {
		enum wb_error error =
			walk_find_magic(&frames->window, at, end, &at);

		if (error)
			return error;
		if (at >= end)
			break;
		error = walk_read_frame(&frames->window, frames->head->salt, at,
					ret_frame);
		if (error)
			return error;
		if (ret_frame->payload && end_of(ret_frame) <= end)
			return WB_OK;
	}
	ret_frame->at = end;
	return WB_OK;
}

/* From `at` to `end` nothing but zeros and garbage. */
static enum wb_error tell_debris(struct frames *frames, uint64_t at,
				 uint64_t end)
{
	while (at < end && !frames->stopped) {
		uint64_t data, zeros;
		enum wb_error error =
			window_find_data(&frames->window, at, end, &data);

		if (error)
			return error;
		if (data > end)
			data = end;
		/* A few zeros within garbage are part of it. */
		if (data == end || data - at >= AUDIT_FRAME_HEADER_BYTES) {
			tell_plain(frames, AUDIT_PIECE_ZEROS, at, data);
			at = data;
			continue;
		}
		error = window_find_zeros(&frames->window, data, end,
					  AUDIT_FRAME_HEADER_BYTES, &zeros);
		if (error)
			return error;
		tell_plain(frames, AUDIT_PIECE_GARBAGE, at, zeros);
		at = zeros;
	}
	return WB_OK;
}

static enum wb_error tell_stretch(struct frames *frames, uint64_t at,
				  uint64_t end)
{
	while (at < end && !frames->stopped) {
		struct walk_frame damaged = {.why = ""};
		enum wb_error error = find_damaged(frames, at, end, &damaged);

		if (!error)
			error = tell_debris(frames, at, damaged.at);
		if (error || damaged.at == end || frames->stopped)
			return error;
		/* What it points at may have moved. */
		error = walk_read_frame(&frames->window, frames->head->salt,
					damaged.at, &damaged);
		if (!error)
			error = tell_frame(frames, &damaged,
					   end_of(&damaged) - damaged.at);
		if (error)
			return error;
		at = end_of(&damaged);
	}
	return WB_OK;
}

static enum wb_error tell_all(struct frames *frames)
{
	uint64_t size = frames->window.file_bytes, at = AUDIT_FRAMES_AT;
	enum wb_error error = WB_OK;

	while (at < size && !error && !frames->stopped) {
		struct walk_frame frame;
		uint64_t end;

		error = walk_find_frame(&frames->window, frames->head->salt, at,
					size, &frames->budget, &frame);
		if (error)
			break;
		end = frame.seen == AUDIT_FAILS ? size : frame.at;
		if (at < end) {
			error = tell_stretch(frames, at, end);
			at = end;
			continue;
		}
		at = end_of(&frame) < size ? end_of(&frame) : size;
		error = tell_frame(frames, &frame, at - frame.at);
	}
	return error;
}

enum wb_error audit_anchor_look(struct dir *dir, const char *name,
				struct audit_anchor_look *ret_look)
{
	struct audit_anchor_look look = {.seen = {AUDIT_FAILS, AUDIT_FAILS},
					 .why = {"", ""}};
	struct window window = {.trouble = window_pass_over};
	enum wb_error error = window_open(&window, dir, name);

	look.file_bytes = window.file_bytes;
	for (unsigned slot = 0; slot < 2 && !error; slot++) {
		const uint8_t *bytes;

		error = window_span(&window, (uint64_t)slot * AUDIT_COPY_BYTES,
				    AUDIT_COPY_BYTES, &bytes);
		if (!error && bytes)
			look.seen[slot] =
				audit_slot_read(bytes, slot, &look.slots[slot],
						&look.why[slot]);
	}
	window_release(&window);
	if (!error)
		*ret_look = look;
	return error;
}

enum wb_error audit_frames(struct dir *dir, const char *name,
			   struct audit_frames_head *ret_head,
			   audit_piece_fn *visit, void *context)
{
	struct frames frames = {.head = ret_head,
				.visit = visit,
				.context = context};
	enum wb_error error;

	frames.window.trouble = take_trouble;
	frames.window.trouble_context = &frames;
	error = window_open(&frames.window, dir, name);
	if (!error)
		error = read_head(&frames);
	frames.budget = walk_search_budget(&frames.window);
	if (!error)
		error = tell_all(&frames);
	audit_message_release(&frames.message);
	window_release(&frames.window);
	return error;
}
