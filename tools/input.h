/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WAYBILL_TOOLS_INPUT_H
#define WAYBILL_TOOLS_INPUT_H

#include "tools/scratch.h"

#include <stddef.h>
#include <waybill/error.h>

/* Reads the file `path` ("-": standard input) whole; a NUL follows its
 * bytes. WB_NOT_FOUND, WB_PERMISSION, WB_IO, WB_NO_MEMORY, and WB_TOO_LARGE
 * for more than `bytes_max`, each with a sentence that names the file. */
enum wb_error input_read(struct scratch *scratch, const char *path,
			 size_t bytes_max, char **ret_bytes, size_t *ret_size,
			 struct wb_text *ret_text);

#endif
