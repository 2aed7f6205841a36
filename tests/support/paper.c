/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/paper.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void paper_release(struct paper *paper)
{
	free(paper->bytes);
	*paper = (struct paper){.size = 0};
}

bool paper_same(const struct paper *a, const struct paper *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

enum wb_error paper_write(void *context, const void *bytes, size_t size)
{
	struct paper *paper = context;

	if (paper->capacity - paper->size < size) {
		paper->capacity = 2 * (paper->capacity + size) + 1;
		paper->bytes = realloc(paper->bytes, paper->capacity);
		assert(paper->bytes);
	}
	if (size > 0)
		memcpy(paper->bytes + paper->size, bytes, size);
	paper->size += size;
	return WB_OK;
}

enum wb_error paper_read(void *context, void *buffer, size_t size,
			 uint64_t offset, size_t *ret_size)
{
	const struct paper *paper = context;
	size_t left = offset < paper->size ? paper->size - offset : 0;

	*ret_size = size < left ? size : left;
	if (*ret_size > 0)
		memcpy(buffer, paper->bytes + offset, *ret_size);
	return WB_OK;
}

struct wb_dump_result paper_dump(struct paper *paper, struct wb_store *store,
				 const struct wb_dump_options *options)
{
	struct wb_dump_result result = {.size = sizeof(result)};
	struct wb_text text = {""};
	enum wb_error error;

	paper->size = 0;
	error = wb_dump(store, options, paper_write, paper, &result, &text);
	if (error) {
		fprintf(stderr, "%s: %s\n", wb_error_code(error), text.text);
		abort();
	}
	assert(result.bytes == paper->size);
	return result;
}

void paper_set(struct paper *paper, const char *bytes, size_t size)
{
	paper->size = 0;
	paper_write(paper, bytes, size);
}

void paper_text(struct paper *paper, const char *text)
{
	paper_set(paper, text, strlen(text));
}

size_t paper_lines(const struct paper *paper)
{
	size_t lines = 0;

	for (size_t at = 0; at < paper->size; at++)
		lines += paper->bytes[at] == '\n';
	return lines;
}

size_t paper_line(const struct paper *paper, size_t number)
{
	const char *line;
	size_t size, at = 0;

	while (--number > 0)
		if (!paper_next(paper, &at, &line, &size))
			abort();
	return at;
}

bool paper_next(const struct paper *paper, size_t *at, const char **ret_line,
		size_t *ret_size)
{
	const char *line = paper->bytes + *at, *newline;

	if (*at == paper->size)
		return false;
	newline = memchr(line, '\n', paper->size - *at);
	*ret_line = line;
	*ret_size = newline ? (size_t)(newline - line) + 1 : paper->size - *at;
	*at += *ret_size;
	return true;
}

void paper_end(struct paper *paper)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	size_t lines = paper_lines(paper);
	char text[200];
	int used;

	SHA256((const unsigned char *)paper->bytes, paper->size, sum);
	used = snprintf(text, sizeof(text),
			"{\"type\":\"end\",\"count\":%zu,\"sha256\":\"",
			lines > 0 ? lines - 1 : 0);
	for (unsigned at = 0; at < sizeof(sum); at++)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
				 "%02x", sum[at]);
	used += snprintf(text + used, sizeof(text) - (size_t)used, "\"}\n");
	paper_write(paper, text, (size_t)used);
}
