/* SPDX-License-Identifier: Apache-2.0
 *
 * The lines of a text that is read in pieces, and the SHA-256 of all of them
 * but the last.
 */
#ifndef WAYBILL_DUMP_LINES_H
#define WAYBILL_DUMP_LINES_H

#include "dump/sum.h"

#include <stdbool.h>
#include <waybill/dump.h>

/* A record of 16 MiB as base64, and room for a long name. */
#define LINE_BYTES_MAX (32u << 20)

struct lines {
	wb_load_read_fn *read;
	void *context;
	uint64_t offset; /* of what is read next */
	bool ended;	 /* there is no more to read */
	char *buffer;
	size_t capacity, at, end; /* what is there and was not handed out */
	uint64_t number;	  /* of the line handed out last, from 1 */
	struct sum *sum;
};

/* WB_NO_MEMORY. */
enum wb_error lines_open(struct lines *lines, wb_load_read_fn *read,
			 void *context);
void lines_release(struct lines *lines);

struct line {
	char *text; /* without its end; valid, and yours, until the next one */
	size_t size;
	bool last;
};

/* The next line. WB_BAD_INPUT: there is none, it has no end, or is too long.
 * Else as `read`. */
enum wb_error lines_next(struct lines *lines, struct line *ret_line,
			 struct wb_text *ret_text);

/* Of all lines before the last, which must have been read. */
enum wb_error lines_sum(struct lines *lines, uint8_t ret_sum[SUM_BYTES]);

#endif
