/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump in memory: written, read, changed, and made right again.
 */
#ifndef WAYBILL_TESTS_SUPPORT_PAPER_H
#define WAYBILL_TESTS_SUPPORT_PAPER_H

#include <waybill/dump.h>

/* All zero: empty. */
struct paper {
	char *bytes;
	size_t size, capacity;
};

void paper_release(struct paper *paper);
bool paper_same(const struct paper *a, const struct paper *b);

/* A wb_dump_write_fn and a wb_load_read_fn; the context is the paper. */
enum wb_error paper_write(void *paper, const void *bytes, size_t size);
enum wb_error paper_read(void *paper, void *buffer, size_t size,
			 uint64_t offset, size_t *ret_size);

/* Replace what is there by a dump; a failure ends the test. */
struct wb_dump_result paper_dump(struct paper *paper, struct wb_store *store,
				 const struct wb_dump_options *options);

/* Replace what is there by text. */
void paper_set(struct paper *paper, const char *bytes, size_t size);
void paper_text(struct paper *paper, const char *text);
/* Add an end that fits the lines that are there. */
void paper_end(struct paper *paper);

/* The line at `*at`, which moves behind it; its end is part of it. False:
 * there is none. */
bool paper_next(const struct paper *paper, size_t *at, const char **ret_line,
		size_t *ret_size);
size_t paper_lines(const struct paper *paper);
/* Where line `number` begins, from 1; one more than there are: the end. */
size_t paper_line(const struct paper *paper, size_t number);

#endif
