/* SPDX-License-Identifier: Apache-2.0
 *
 * A file seen through a window that moves: any piece of it in memory, and
 * never more of it than the piece or a step of two mebibytes, and the step
 * behind it. The whole file is not loaded because its size is the word of a
 * disk; it is not mapped because then an input error would be a signal.
 */
#ifndef WAYBILL_AUDIT_WINDOW_H
#define WAYBILL_AUDIT_WINDOW_H

#include "base/file.h"

struct window;

/* The disk cannot read `bytes` bytes at `offset` of the window's file, or
 * (`again`) it could at the second try. */
typedef void window_trouble_fn(void *context, const struct window *window,
			       uint64_t offset, uint64_t bytes, bool again);

/* One that says nothing: what cannot be read counts as zeros. */
window_trouble_fn window_pass_over;

enum { WINDOW_NAME_BYTES = 32 };

struct window {
	/* NULL: what cannot be read is an error. Else it is told, a page at a
	 * time counts as zeros, and reading goes on. The caller's to set. */
	window_trouble_fn *trouble;
	void *trouble_context;
	char name[WINDOW_NAME_BYTES]; /* of the file, as far as it fits */
	struct file *file;	      /* NULL: closed */
	uint64_t file_bytes;
	uint8_t *buffer;
	size_t capacity;
	uint64_t at; /* of the buffer's first byte */
	size_t size; /* bytes in the buffer */
	/* What was read ahead, in the same words. */
	uint8_t *next_buffer;
	size_t next_capacity;
	uint64_t next_at;
	size_t next_size;
	uint64_t moves; /* how often it was not what was read ahead */
};

/* Open `name` of `dir` for reading. All zero is a closed window, which can be
 * opened; its memory is used again. That it cannot be opened is an error,
 * whatever `trouble` is. */
enum wb_error window_open(struct window *window, struct dir *dir,
			  const char *name);
void window_close(struct window *window);
/* Closes it, and frees the memory. */
void window_release(struct window *window);

/* The bytes from `offset` on, `size` of them, until the next call. NULL in
 * `*ret_bytes`: the file is not that long. WB_IO, WB_NO_MEMORY. */
enum wb_error window_span(struct window *window, uint64_t offset, size_t size,
			  const uint8_t **ret_bytes);

/* A step, as far as the file goes, from `offset` on, beside what is in the
 * buffer; that stays as it is. */
enum wb_error window_read_ahead(struct window *window, uint64_t offset);
/* Make `offset`, which is in the file, the buffer's first byte.
 * `*ret_was_ahead`: it is the one that was read ahead, and its place is now
 * free for the next. Else it was read, as window_span does. */
enum wb_error window_turn(struct window *window, uint64_t offset,
			  bool *ret_was_ahead);

/* Where the first byte is that is not zero, from `offset` up to `end` or the
 * file's end, whichever comes first; UINT64_MAX: all are zero. */
enum wb_error window_find_data(struct window *window, uint64_t offset,
			       uint64_t end, uint64_t *ret_offset);

/* Where the first `run` zero bytes in a row begin, from `offset` on; `end`, or
 * the file's end: nowhere before it. */
enum wb_error window_find_zeros(struct window *window, uint64_t offset,
				uint64_t end, size_t run, uint64_t *ret_offset);

#endif
