/* SPDX-License-Identifier: Apache-2.0
 *
 * An input that is read at any offset, and more than once. A regular file is
 * that already; what comes through a pipe is copied to a file without a name
 * first, in $TMPDIR or /var/tmp.
 */
#ifndef WAYBILL_TOOLS_SPOOL_H
#define WAYBILL_TOOLS_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

struct spool {
	int fd;
	bool owned;	/* fd is not standard input */
	uint64_t start; /* the input's first byte in it */
};

/* The file `path`, or standard input ("-"). The sentence names it.
 * WB_NOT_FOUND, WB_PERMISSION, WB_BAD_INPUT (a directory), WB_NO_SPACE,
 * WB_IO. */
enum wb_error spool_open(struct spool *spool, const char *path,
			 struct wb_text *ret_text);
void spool_close(struct spool *spool);

/* A wb_load_read_fn. */
enum wb_error spool_read(void *spool, void *buffer, size_t size,
			 uint64_t offset, size_t *ret_size);

#endif
