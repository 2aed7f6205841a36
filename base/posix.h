/* SPDX-License-Identifier: Apache-2.0
 *
 * Files, directory, clock and randomness of the machine we run on.
 */
#ifndef WAYBILL_BASE_POSIX_H
#define WAYBILL_BASE_POSIX_H

#include "base/env.h"
#include "base/file.h"

enum posix_dir_flags {
	POSIX_DIR_CREATE = 1, /* make it if absent: one level, mode 0700 */
	/* Warn of a filesystem that is refused otherwise, and do not warn of
	 * one that is accepted. */
	POSIX_DIR_ANY_FILESYSTEM = 2,
	/* Nothing will be written: warn of nothing that is accepted. */
	POSIX_DIR_READ_ONLY = 4,
};

/* Open the directory `path`. `*ret_created`: this call made it (it is not
 * synced: that is dir_sync ".."). NULL is allowed for it.
 *
 * Filesystems on which locks or fsync do not mean what they say are refused
 * (NFS, 9p, SMB, AFS; an overlay that is mounted `volatile`, or may be) or
 * warned of through `diag` (FUSE; any other overlay, as it may be a
 * container's and end with it).
 *
 * WB_NOT_FOUND: no such directory. WB_UNSUPPORTED: such a filesystem. Else as
 * in file.h. `ret_text` receives path and reason on failure.
 *
 * The handle holds a descriptor of the directory, not its name: a directory
 * renamed while it is open stays the same store. */
enum wb_error posix_dir_open(const char *path, unsigned flags,
			     const struct diag *diag, struct dir **ret_dir,
			     bool *ret_created, struct wb_text *ret_text);

/* Why the last operation on a file or directory failed that this thread did,
 * if it was with this `error`: "0000000000000002.log: Is a directory". Empty:
 * it was not, or not since posix_why_forget. Valid until the next one fails. */
const char *posix_why(enum wb_error error);
void posix_why_forget(void);
/* And was that because something else than a file is there? */
bool posix_is_no_file(enum wb_error error);

/* What file.h promises for an errno. */
enum wb_error posix_error(int number);

/* A byte that is 1 in the process that asked for it, and 0 in each of its
 * forked children, by whatever call and in whatever pid namespace: reading it
 * tells them apart without a system call. NULL: no memory. */
const unsigned char *posix_alive_new(void);
/* NULL is allowed. */
void posix_alive_free(const unsigned char *alive);

/* The real clock and getrandom(2). Never fails. */
extern const struct clock posix_clock;
extern const struct random posix_random;

#endif
