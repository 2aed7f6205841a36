/* SPDX-License-Identifier: Apache-2.0
 *
 * A read costs about as much as copying a page does, so the first one of a
 * commit takes a page, whatever its length, and where the next commit that is
 * wanted is no farther away than that, it comes with it: what is read is
 * twice the answer at most, counted in pages.
 */
#include "log/readback.h"

#include <inttypes.h>
#include <stdlib.h>

#define GUESS_BYTES  4096u
#define WINDOW_BYTES (64u << 10)

void readback_init(struct readback *readback, struct dir *dir,
		   const struct diag *diag)
{
	*readback = (struct readback){
		.dir = dir,
		.diag = diag,
		.guess = GUESS_BYTES,
	};
}

void readback_release(struct readback *readback)
{
	file_close(readback->file);
	free(readback->bytes);
	*readback = (struct readback){0};
}

enum wb_error readback_open(struct readback *readback, const struct spot *spot)
{
	struct file *file;
	enum wb_error error;

	if (readback->spot.id != spot->id) {
		segment_name(spot->id, SEGMENT_LOG, readback->name);
		error = dir_open(readback->dir, readback->name, FILE_READ,
				 &file);
		if (error)
			return error;
		file_close(readback->file);
		readback->file = file;
		readback->size = 0;
	}
	readback->spot = *spot;
	return WB_OK;
}

static enum wb_error does_not_verify(const struct readback *readback,
				     uint64_t offset)
{
	return diag_corrupt(readback->diag, readback->name, offset,
			    "a frame that was durable does not verify");
}

/* ---- bytes ---- */

/* Less than asked for where the file has been cut short. */
static enum wb_error load(struct readback *readback, uint64_t from, uint64_t to)
{
	size_t size = (size_t)(to - from);
	uint8_t *grown;

	readback->size = 0;
	if (size > readback->capacity) {
		grown = realloc(readback->bytes, size);
		if (!grown)
			return WB_NO_MEMORY;
		readback->bytes = grown;
		readback->capacity = size;
	}
	readback->at = from;
	return file_read(readback->file, readback->bytes, size, from,
			 &readback->size);
}

/* How many bytes are there from `offset` on. */
static size_t loaded_from(const struct readback *readback, uint64_t offset)
{
	if (offset < readback->at || offset - readback->at > readback->size)
		return 0;
	return readback->size - (size_t)(offset - readback->at);
}

static const uint8_t *loaded(const struct readback *readback, uint64_t offset)
{
	return readback->bytes + (offset - readback->at);
}

static bool decode(const struct readback *readback, uint64_t offset,
		   struct frame *ret_frame)
{
	size_t size = loaded_from(readback, offset);

	return size > 0 &&
	       frame_decode(loaded(readback, offset), size, readback->spot.salt,
			    offset, ret_frame) == WB_OK;
}

static bool decode_commit(const struct frame *frame, uint64_t revision,
			  struct commit *ret_commit)
{
	struct commit commit;

	if (frame->type != FRAME_COMMIT || frame->revision != revision ||
	    commit_decode(frame->payload, frame->payload_bytes, &commit) ||
	    commit.head.revision != revision)
		return false;
	*ret_commit = commit;
	return true;
}

/* ---- a frame ---- */

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

enum wb_error readback_frame(struct readback *readback, uint64_t begin,
			     uint64_t offset, size_t guess,
			     struct frame *ret_frame)
{
	uint64_t end = readback->spot.end;
	struct frame claimed;
	enum wb_error error;
	size_t size;

	if (decode(readback, offset, ret_frame))
		return WB_OK;
	if (offset >= end)
		return does_not_verify(readback, offset);
	error = load(readback, begin, at_most(end, offset + guess));
	if (error)
		return error;
	if (decode(readback, offset, ret_frame))
		return WB_OK;
	size = loaded_from(readback, offset);
	if (size == 0 ||
	    !frame_peek(loaded(readback, offset), size, &claimed) ||
	    claimed.frame_bytes <= size)
		return does_not_verify(readback, offset);
	error = load(readback, begin,
		     at_most(end, offset + claimed.frame_bytes));
	if (error)
		return error;
	return decode(readback, offset, ret_frame)
		       ? WB_OK
		       : does_not_verify(readback, offset);
}

/* ---- one commit ---- */

/* Where to begin, so that those that follow are read as well. */
static uint64_t begin_of(const struct readback *readback,
			 const struct places *places, size_t at)
{
	uint64_t begin = places->list[at].offset;
	uint64_t end = begin + readback->guess;

	for (at++; at < places->count; at++) {
		uint64_t next = places->list[at].offset;

		if (next >= begin || begin - next > readback->guess ||
		    end - next > WINDOW_BYTES)
			break;
		begin = next;
	}
	return begin;
}

enum wb_error readback_commit(struct readback *readback,
			      const struct places *places, size_t at,
			      struct commit *ret_commit)
{
	const struct commit_place *place = &places->list[at];
	struct frame frame;
	enum wb_error error =
		readback_frame(readback, begin_of(readback, places, at),
			       place->offset, readback->guess, &frame);

	if (error)
		return error;
	readback->guess = GUESS_BYTES;
	if (frame.frame_bytes > GUESS_BYTES)
		readback->guess =
			(size_t)at_most(frame.frame_bytes, WINDOW_BYTES);
	if (!decode_commit(&frame, place->revision, ret_commit))
		return diag_corrupt(readback->diag, readback->name,
				    place->offset,
				    "no commit is where the index says");
	return WB_OK;
}

/* ---- a stretch ---- */

enum wb_error readback_stretch(struct readback *readback, uint64_t from,
			       uint64_t to, struct stretch_commits *ret_commits)
{
	struct frame frame;
	uint64_t at = from;
	enum wb_error error = load(readback, from, to);

	if (error)
		return error;
	ret_commits->count = 0;
	for (; at < to; at += frame.frame_bytes) {
		if (!decode(readback, at, &frame))
			return does_not_verify(readback, at);
		if (frame.type != FRAME_COMMIT)
			continue;
		if (ret_commits->count == STRETCH_COMMITS_MAX)
			return does_not_verify(readback, at);
		ret_commits->frames[ret_commits->count++] =
			(uint32_t)(at - from);
	}
	return WB_OK;
}

enum wb_error readback_stretch_commit(struct readback *readback,
				      const struct stretch_commits *commits,
				      size_t at, uint64_t revision,
				      struct commit *ret_commit)
{
	uint64_t offset = readback->at + commits->frames[at];
	struct frame frame;

	if (frame_parse(loaded(readback, offset), loaded_from(readback, offset),
			&frame) ||
	    !decode_commit(&frame, revision, ret_commit))
		return diag_corrupt(readback->diag, readback->name, offset,
				    "it is not the commit of revision %" PRIu64,
				    revision);
	return WB_OK;
}

/* ---- a page of the footer ---- */

enum wb_error readback_page(struct readback *readback,
			    const struct pages *pages, size_t at,
			    const uint8_t **ret_bytes)
{
	uint64_t offset = readback->spot.footer_at + FRAME_HEADER_BYTES +
			  pages_offset(at);
	size_t size = pages_size(pages, at);
	enum wb_error error = load(readback, offset, offset + size);

	if (error)
		return error;
	if (readback->size < size || !page_verify(pages, at, readback->bytes))
		return diag_corrupt(readback->diag, readback->name, offset,
				    "the footer is not what it was");
	*ret_bytes = readback->bytes;
	return WB_OK;
}
