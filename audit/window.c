/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/window.h"

#include "base/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_BYTES = 2 << 20, PAGE_BYTES = 4096 };

void window_pass_over(void *context, const struct window *window,
		      uint64_t offset, uint64_t bytes, bool again)
{
	(void)context;
	(void)window;
	(void)offset;
	(void)bytes;
	(void)again;
}

enum wb_error window_open(struct window *window, struct dir *dir,
			  const char *name)
{
	enum wb_error error;

	window_close(window);
	snprintf(window->name, sizeof(window->name), "%s", name);
	error = dir_open(dir, name, FILE_READ, &window->file);
	if (error) {
		window->file = NULL;
		return error;
	}
	error = file_size(window->file, &window->file_bytes);
	if (error)
		window_close(window);
	return error;
}

void window_close(struct window *window)
{
	file_close(window->file);
	window->file = NULL;
	window->file_bytes = 0;
	window->size = window->next_size = 0;
}

void window_release(struct window *window)
{
	window_close(window);
	free(window->buffer);
	free(window->next_buffer);
	*window = (struct window){0};
}

static enum wb_error make_room(uint8_t **buffer, size_t *capacity, size_t size)
{
	uint8_t *larger;

	if (size <= *capacity)
		return WB_OK;
	larger = realloc(*buffer, size);
	if (!larger)
		return WB_NO_MEMORY;
	*buffer = larger;
	*capacity = size;
	return WB_OK;
}

static void tell_trouble(const struct window *window, uint64_t from,
			 uint64_t to, bool again)
{
	if (from < to)
		window->trouble(window->trouble_context, window, from,
				to - from, again);
}

/* The disk failed to read `size` bytes at `at`: page by page then, with zeros
 * for those that it does not give. */
static enum wb_error read_pages(struct window *window, uint8_t *to, size_t size,
				uint64_t at)
{
	uint64_t start = at, end = at + size;
	uint64_t bad_from = at, bad_to = at; /* not told yet */
	bool again = true;

	while (at < end) {
		uint64_t next = (at / PAGE_BYTES + 1) * PAGE_BYTES;
		size_t page = (size_t)((next < end ? next : end) - at);
		size_t got = 0;
		enum wb_error error =
			file_read(window->file, to, page, at, &got);

		if (error && error != WB_IO)
			return error;
		if (error) {
			got = 0;
			again = false;
			if (bad_to != at) {
				tell_trouble(window, bad_from, bad_to, false);
				bad_from = at;
			}
			bad_to = at + page;
		}
		memset(to + got, 0, page - got);
		to += page;
		at += page;
	}
	tell_trouble(window, again ? start : bad_from, again ? end : bad_to,
		     again);
	return WB_OK;
}

static enum wb_error read_into(struct window *window, uint8_t *to, size_t size,
			       uint64_t at, size_t *ret_got)
{
	enum wb_error error = file_read(window->file, to, size, at, ret_got);

	if (error != WB_IO || !window->trouble)
		return error;
	*ret_got = size;
	return read_pages(window, to, size, at);
}

static size_t step_at(const struct window *window, uint64_t offset, size_t size)
{
	size_t wanted = size > STEP_BYTES ? size : STEP_BYTES;
	uint64_t left = window->file_bytes - offset;

	return wanted < left ? wanted : (size_t)left;
}

/* How many bytes of the buffer are from `offset` on. */
static size_t known_from(const struct window *window, uint64_t offset)
{
	if (offset < window->at || offset - window->at >= window->size)
		return 0;
	return window->size - (size_t)(offset - window->at);
}

/* What is asked for and as much behind it as fits; what the buffer has of it
 * is not read again. */
static enum wb_error move_to(struct window *window, uint64_t offset,
			     size_t size)
{
	size_t wanted = step_at(window, offset, size), got = 0;
	size_t kept = known_from(window, offset);
	enum wb_error error =
		make_room(&window->buffer, &window->capacity, wanted);

	if (error)
		return error;
	if (kept > 0)
		memmove(window->buffer, window->buffer + window->size - kept,
			kept);
	window->moves++;
	window->at = offset;
	window->size = kept;
	if (kept >= wanted)
		return WB_OK;
	error = read_into(window, window->buffer + kept, wanted - kept,
			  offset + kept, &got);
	if (!error)
		window->size = kept + got;
	return error;
}

enum wb_error window_span(struct window *window, uint64_t offset, size_t size,
			  const uint8_t **ret_bytes)
{
	*ret_bytes = NULL;
	if (offset > window->file_bytes || size > window->file_bytes - offset)
		return WB_OK;
	if (offset < window->at || offset - window->at > window->size ||
	    size > window->size - (size_t)(offset - window->at)) {
		enum wb_error error = move_to(window, offset, size);

		if (error)
			return error;
		/* Somebody has made the file shorter. */
		if (size > window->size)
			return WB_OK;
	}
	*ret_bytes = window->buffer + (size_t)(offset - window->at);
	return WB_OK;
}

enum wb_error window_read_ahead(struct window *window, uint64_t offset)
{
	size_t kept = known_from(window, offset), wanted, got = 0;
	enum wb_error error;

	window->next_at = offset;
	window->next_size = 0;
	if (offset >= window->file_bytes)
		return WB_OK;
	wanted = step_at(window, offset, 0);
	if (kept > wanted)
		kept = wanted;
	error = make_room(&window->next_buffer, &window->next_capacity, wanted);
	if (error)
		return error;
	if (kept > 0)
		memcpy(window->next_buffer,
		       window->buffer + (size_t)(offset - window->at), kept);
	if (kept < wanted)
		error = read_into(window, window->next_buffer + kept,
				  wanted - kept, offset + kept, &got);
	if (!error)
		window->next_size = kept + got;
	return error;
}

enum wb_error window_turn(struct window *window, uint64_t offset,
			  bool *ret_was_ahead)
{
	uint8_t *buffer = window->buffer;
	size_t capacity = window->capacity;

	*ret_was_ahead = window->next_at == offset && window->next_size > 0;
	if (!*ret_was_ahead)
		return move_to(window, offset, 0);
	window->buffer = window->next_buffer;
	window->capacity = window->next_capacity;
	window->at = window->next_at;
	window->size = window->next_size;
	window->next_buffer = buffer;
	window->next_capacity = capacity;
	window->next_size = 0;
	return WB_OK;
}

enum wb_error window_find_data(struct window *window, uint64_t offset,
			       uint64_t end, uint64_t *ret_offset)
{
	if (end > window->file_bytes)
		end = window->file_bytes;
	while (offset < end) {
		size_t size =
			end - offset > 4096 ? 4096 : (size_t)(end - offset);
		const uint8_t *bytes;
		enum wb_error error = window_span(window, offset, size, &bytes);

		if (error)
			return error;
		if (!bytes)
			break;
		if (!bytes_are_zero(bytes, size)) {
			while (*bytes == 0) {
				bytes++;
				offset++;
			}
			*ret_offset = offset;
			return WB_OK;
		}
		offset += size;
	}
	*ret_offset = UINT64_MAX;
	return WB_OK;
}

enum wb_error window_find_zeros(struct window *window, uint64_t offset,
				uint64_t end, size_t run, uint64_t *ret_offset)
{
	uint64_t begun = offset;

	if (end > window->file_bytes)
		end = window->file_bytes;
	while (offset < end && offset - begun < run) {
		const uint8_t *bytes;
		size_t size =
			end - offset > 4096 ? 4096 : (size_t)(end - offset);
		enum wb_error error = window_span(window, offset, size, &bytes);

		if (error)
			return error;
		if (!bytes)
			break;
		for (size_t at = 0; at < size && offset - begun < run; at++) {
			offset++;
			if (bytes[at] != 0)
				begun = offset;
		}
	}
	*ret_offset = offset - begun >= run ? begun : end;
	return WB_OK;
}
