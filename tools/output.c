/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/output.h"

#include "images/unicode.h"
#include "tools/progress.h"
#include "tools/wording.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

void output_init(struct output *output, int fd)
{
	*output = (struct output){.fd = fd, .terminal = isatty(fd) == 1};
}

void output_init_fixed(struct output *output, int fd, char *bytes,
		       size_t capacity)
{
	output_init(output, fd);
	output->bytes = bytes;
	output->capacity = capacity;
	output->fixed = true;
}

void output_release(struct output *output)
{
	if (!output->fixed)
		free(output->bytes);
	*output = (struct output){.fd = -1};
}

static void write_held(struct output *output)
{
	size_t at = 0;

	progress_hide();
	while (at < output->size && output->error_number == 0) {
		ssize_t written = write(output->fd, output->bytes + at,
					output->size - at);

		if (written >= 0)
			at += (size_t)written;
		else if (errno == EAGAIN)
			poll(&(struct pollfd){output->fd, POLLOUT, 0}, 1, -1);
		else if (errno != EINTR)
			output->error_number = errno;
	}
	output->size = 0;
}

static bool make_room(struct output *output, size_t size)
{
	size_t capacity = output->capacity ? output->capacity : 4096;
	char *bytes;

	if (output->fixed)
		return output->capacity - output->size >= size;
	if (size > SIZE_MAX / 4)
		return false;
	while (capacity - output->size < size)
		capacity *= 2;
	if (capacity == output->capacity)
		return true;
	bytes = realloc(output->bytes, capacity);
	if (!bytes)
		return false;
	output->bytes = bytes;
	output->capacity = capacity;
	return true;
}

void output_bytes(struct output *output, const void *bytes, size_t size)
{
	if (size == 0)
		return;
	if (output->size >= OUTPUT_HELD_BYTES)
		write_held(output);
	if (output->out_of_memory || !make_room(output, size)) {
		output->out_of_memory = true;
		return;
	}
	memcpy(output->bytes + output->size, bytes, size);
	output->size += size;
}

void output_text(struct output *output, const char *text)
{
	output_bytes(output, text, strlen(text));
}

void output_format(struct output *output, const char *format, ...)
{
	va_list arguments;
	char near[512];
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(near, sizeof(near), format, arguments);
	va_end(arguments);
	if (length >= 0 && length < (int)sizeof(near)) {
		output_bytes(output, near, (size_t)length);
		return;
	}
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		output->out_of_memory = true;
		return;
	}
	output_bytes(output, text, (size_t)length);
	free(text);
}

/* The character at `text`, if it is shown as it is; else 0, and its first
 * byte is shown as \xNN. */
static size_t plain_character(const char *text, uint32_t *ret_code_point)
{
	size_t size = utf8_character(text, ret_code_point);

	return size > 0 && unicode_is_graphic(*ret_code_point) ? size : 0;
}

void output_sentence(struct output *output, const char *text)
{
	while (*text) {
		uint32_t code_point;
		size_t size = plain_character(text, &code_point);

		if (size == 0)
			output_format(output, "\\x%02x", (unsigned char)*text);
		else
			output_bytes(output, text, size);
		text += size ? size : 1;
	}
}

void output_plain(struct output *output, const char *text)
{
	char piece[8];

	while (*text) {
		uint32_t code_point;
		size_t size = plain_character(text, &code_point);

		size = size ? size : 1;
		memcpy(piece, text, size);
		piece[size] = '\0';
		output_sentence(output, *piece == '\\' ? "\\\\" : piece);
		text += size;
	}
}

size_t output_plain_columns(const char *text)
{
	size_t columns = 0;

	while (*text) {
		uint32_t code_point;
		size_t size = plain_character(text, &code_point);
		int width = size ? wcwidth((wchar_t)code_point) : 4;

		if (*text == '\\')
			width = 2;
		columns += width >= 0 ? (size_t)width : 1;
		text += size ? size : 1;
	}
	return columns;
}

void output_json_text(struct output *output, const char *text)
{
	output_text(output, "\"");
	while (*text) {
		unsigned char byte = (unsigned char)*text;
		size_t size = utf8_character(text, NULL);

		if (size == 0)
			output_format(output, "\\\\x%02x", byte);
		else if (byte < ' ')
			output_format(output, "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			output_format(output, "\\%c", byte);
		else
			output_bytes(output, text, size);
		text += size ? size : 1;
	}
	output_text(output, "\"");
}

enum wb_error output_finish(struct output *output, struct wb_text *ret_text)
{
	write_held(output);
	if (output->error_number == EPIPE)
		return WB_OK;
	if (output->error_number)
		return fail_errno(ret_text, output->error_number,
				  "standard output");
	if (output->out_of_memory)
		return fail(ret_text, WB_NO_MEMORY,
			    "standard output: out of memory");
	return WB_OK;
}
