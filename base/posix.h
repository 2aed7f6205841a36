/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, directory, clock and randomness of the machine we run on.
 */
#ifndef WAYBILL_BASE_POSIX_H
#define WAYBILL_BASE_POSIX_H

#include "base/env.h"
#include "base/file.h"

/* Open the directory `path`; with `create`, make it first (one level, mode
 * 0700) and set `*ret_created`. Network and stacked filesystems, on which
 * locks or fsync do not mean what they say, are refused (NFS, 9p, overlay)
 * or reported through `diag` (FUSE). WB_NOT_FOUND: no such directory.
 * `ret_text` receives path and reason on failure. */
enum wb_error posix_dir_open(const char *path, bool create,
			     const struct diag *diag, struct dir **ret_dir,
			     bool *ret_created, struct wb_text *ret_text);

/* The real clock and getrandom(2). Never fails. */
extern const struct clock posix_clock;
extern const struct random posix_random;

#endif
