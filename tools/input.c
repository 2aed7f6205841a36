/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/input.h"

#include "tools/wording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct buffer {
	char *bytes;
	size_t size;
	size_t capacity;
};

static enum wb_error read_all(int fd, const char *name, size_t bytes_max,
			      struct buffer *buffer, struct wb_text *ret_text)
{
	for (;;) {
		ssize_t count;

		/* One byte is kept for the NUL. */
		if (buffer->capacity - buffer->size < 2) {
			size_t capacity =
				buffer->capacity ? 2 * buffer->capacity : 8192;
			char *bytes = realloc(buffer->bytes, capacity);

			if (!bytes)
				return fail(ret_text, WB_NO_MEMORY,
					    "%s: out of memory", name);
			buffer->bytes = bytes;
			buffer->capacity = capacity;
		}
		count = read(fd, buffer->bytes + buffer->size,
			     buffer->capacity - buffer->size - 1);
		if (count < 0 && errno != EINTR)
			return fail_errno(ret_text, errno, name);
		if (count == 0)
			break;
		if (count > 0)
			buffer->size += (size_t)count;
		if (buffer->size > bytes_max)
			return fail(ret_text, WB_TOO_LARGE,
				    "%s: more than %zu bytes", name, bytes_max);
	}
	buffer->bytes[buffer->size] = '\0';
	return WB_OK;
}

enum wb_error input_read(struct scratch *scratch, const char *path,
			 size_t bytes_max, char **ret_bytes, size_t *ret_size,
			 struct wb_text *ret_text)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct buffer buffer = {0};
	enum wb_error error;

	if (fd < 0)
		return fail_errno(ret_text, errno, name);
	error = read_all(fd, name, bytes_max, &buffer, ret_text);
	if (!standard)
		close(fd);
	if (error) {
		free(buffer.bytes);
		return error;
	}
	if (!scratch_adopt(scratch, buffer.bytes, free))
		return fail(ret_text, WB_NO_MEMORY, "%s: out of memory", name);
	*ret_bytes = buffer.bytes;
	*ret_size = buffer.size;
	return WB_OK;
}
