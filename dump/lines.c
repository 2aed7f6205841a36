/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/lines.h"

#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (256u << 10)

enum wb_error lines_open(struct lines *lines, wb_load_read_fn *read,
			 void *context)
{
	*lines = (struct lines){.read = read,
				.context = context,
				.sum = sum_new()};
	return lines->sum ? WB_OK : WB_NO_MEMORY;
}

void lines_release(struct lines *lines)
{
	sum_free(lines->sum);
	free(lines->buffer);
	*lines = (struct lines){.read = NULL};
}

static enum wb_error problem(const struct lines *lines,
			     struct wb_text *ret_text, const char *what)
{
	return text_set(ret_text, WB_BAD_INPUT, "line %llu: %s",
			(unsigned long long)lines->number, what);
}

/* Have more in the buffer, or find the end. */
static enum wb_error read_more(struct lines *lines, struct wb_text *ret_text)
{
	size_t held = lines->end - lines->at, size = 0;
	enum wb_error error;

	if (held > 0 && lines->at > 0)
		memmove(lines->buffer, lines->buffer + lines->at, held);
	lines->at = 0;
	lines->end = held;
	if (lines->capacity - held < PIECE_BYTES) {
		size_t capacity = 2 * lines->capacity + PIECE_BYTES;
		char *grown = realloc(lines->buffer, capacity);

		if (!grown)
			return text_set(ret_text, WB_NO_MEMORY,
					"out of memory");
		lines->buffer = grown;
		lines->capacity = capacity;
	}
	error = lines->read(lines->context, lines->buffer + held, PIECE_BYTES,
			    lines->offset, &size);
	if (error)
		return text_set(ret_text, error, "reading the dump: %s",
				wb_error_text(error));
	lines->offset += size;
	lines->end += size;
	lines->ended = size == 0;
	return WB_OK;
}

/* The bytes up to and with the next newline. */
static enum wb_error find_end(struct lines *lines, size_t *ret_size,
			      struct wb_text *ret_text)
{
	size_t looked_at = 0;
	enum wb_error error;

	for (;;) {
		size_t held = lines->end - lines->at;
		const char *from = held ? lines->buffer + lines->at : NULL;
		const char *newline = held > looked_at
					      ? memchr(from + looked_at, '\n',
						       held - looked_at)
					      : NULL;

		if (newline) {
			*ret_size = (size_t)(newline - from) + 1;
			return WB_OK;
		}
		if (lines->ended)
			return problem(lines, ret_text,
				       held ? "is cut short"
					    : "is missing: the dump was cut "
					      "short");
		if (held > LINE_BYTES_MAX)
			return problem(lines, ret_text, "is too long");
		looked_at = held;
		error = read_more(lines, ret_text);
		if (error)
			return error;
	}
}

enum wb_error lines_next(struct lines *lines, struct line *ret_line,
			 struct wb_text *ret_text)
{
	size_t size = 0;
	enum wb_error error;

	lines->number++;
	error = find_end(lines, &size, ret_text);
	/* Is there anything behind it? */
	while (!error && !lines->ended && lines->end - lines->at == size)
		error = read_more(lines, ret_text);
	if (error)
		return error;
	ret_line->text = lines->buffer + lines->at;
	ret_line->size = size - 1;
	ret_line->last = lines->end - lines->at == size;
	lines->at += size;
	if (!ret_line->last && sum_add(lines->sum, ret_line->text, size))
		return text_set(ret_text, WB_NO_MEMORY, "out of memory");
	return WB_OK;
}

enum wb_error lines_sum(struct lines *lines, uint8_t ret_sum[SUM_BYTES])
{
	return sum_end(lines->sum, ret_sum);
}
