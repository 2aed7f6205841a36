/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame at a place, and the next frame behind damage.
 */
#include "audit/walk.h"

#include <string.h>

enum { MAGIC_AT = 8, CHUNK_BYTES = 64 << 10 };

enum wb_error walk_read_frame(struct window *window, uint64_t salt, uint64_t at,
			      struct walk_frame *ret_frame)
{
	struct walk_frame found = {.at = at, .seen = AUDIT_FAILS, .why = ""};
	const uint8_t *bytes;
	enum wb_error error =
		window_span(window, at, AUDIT_FRAME_HEADER_BYTES, &bytes);

	if (!error && bytes && audit_frame_claims(bytes, &found.frame)) {
		error = window_span(window, at, found.frame.frame_bytes,
				    &bytes);
		if (!error && bytes) {
			found.seen = audit_frame_verify(bytes, &found.frame,
							salt, at, &found.why);
			found.payload = bytes + AUDIT_FRAME_HEADER_BYTES;
		}
	}
	if (!error)
		*ret_frame = found;
	return error;
}

enum wb_error walk_find_magic(struct window *window, uint64_t from,
			      uint64_t end, uint64_t *ret_at)
{
	static const uint8_t magic[4] = {'W', 'B', 'F', 'R'};

	while (from < end) {
		uint64_t left = window->file_bytes - from;
		size_t size = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
		const uint8_t *bytes;
		enum wb_error error;
		size_t at = 0;

		if (size < AUDIT_FRAME_HEADER_BYTES)
			break;
		error = window_span(window, from, size, &bytes);
		if (error)
			return error;
		if (!bytes)
			break;
		while (at + AUDIT_FRAME_HEADER_BYTES <= size &&
		       from + at < end &&
		       memcmp(bytes + at + MAGIC_AT, magic, 4) != 0)
			at += 8;
		from += at;
		if (at + AUDIT_FRAME_HEADER_BYTES <= size) {
			*ret_at = from;
			return WB_OK;
		}
	}
	*ret_at = end;
	return WB_OK;
}

uint64_t walk_search_budget(const struct window *window)
{
	return window->file_bytes * WALK_SEARCH_TIMES + 1;
}

enum wb_error walk_find_frame(struct window *window, uint64_t salt,
			      uint64_t from, uint64_t end, uint64_t *budget,
			      struct walk_frame *ret_frame)
{
	struct walk_frame found = {.at = end, .seen = AUDIT_FAILS, .why = ""};

	if (end > window->file_bytes)
		end = window->file_bytes;
	from = (from + 7) / 8 * 8;
	while (*budget > 0) {
		uint64_t cost;
		enum wb_error error = walk_find_magic(window, from, end, &from);

		if (error)
			return error;
		if (from >= end)
			break;
		error = walk_read_frame(window, salt, from, &found);
		if (error)
			return error;
		if (found.seen != AUDIT_FAILS)
			break;
		cost = found.payload ? found.frame.frame_bytes : 8;
		*budget -= *budget < cost ? *budget : cost;
		from += 8;
	}
	*ret_frame = found;
	return WB_OK;
}
