/* SPDX-License-Identifier: Apache-2.0
 *
 * What the posix_*.c files share; nobody else but their tests.
 */
#ifndef WAYBILL_BASE_POSIX_PRIVATE_H
#define WAYBILL_BASE_POSIX_PRIVATE_H

#include "base/diag.h"
#include "base/file.h"
#include "base/posix.h"

#include <stdint.h>

/* Keeps for posix_why that `name` failed, and why. Returns `error`. */
enum wb_error posix_trouble(const char *name, enum wb_error error,
			    const char *why);
/* Likewise: it is `what`, and no file (WB_IO). */
enum wb_error posix_no_file(const char *name, const char *what);
/* Likewise, with an errno. */
enum wb_error posix_failed(const char *name, int number);

/* openat(2), again where it was interrupted: a filesystem that a process serves
 * (FUSE), or a server, lets an open wait. -1 and errno. */
int posix_openat(int fd, const char *path, int flags);

/* Takes `fd`, a regular file, also on failure. `name` is copied, and cut. */
enum wb_error posix_file_from(int fd, const char *name, struct file **ret_file);

/* ---- the lock ---- */

enum { LOCK_TEXT_BYTES = 128 };

/* "PID BOOT-ID COMMAND\n", padded with spaces to LOCK_TEXT_BYTES so that it is
 * written over its predecessor in place, also on a full disk. */
struct lock_text {
	int64_t pid;
	char boot_id[37];
	char command[64];
};

/* False where the bytes are not such a text; `*ret_text` is then untouched. */
bool lock_text_decode(const void *bytes, size_t size,
		      struct lock_text *ret_text);
/* Fills all of `bytes`. What is not printable becomes '?'. */
void lock_text_encode(const struct lock_text *text,
		      char bytes[LOCK_TEXT_BYTES]);

/* Lock `dir_fd` and the file `lock` in it. `*ret_fd` must stay open for as
 * long as the lock is wanted; it is -1 where there is no such file, and
 * `dir_fd` alone is locked. Errors as dir_lock. */
enum wb_error posix_lock(int dir_fd, bool exclusive, int *ret_fd,
			 struct lock_holder *ret_holder);
/* End it for everybody who shares these descriptors: for the process that
 * locked, never for its forked child. Closes nothing. */
void posix_unlock(int dir_fd, int fd);

/* ---- filesystems that need a word ---- */

struct filesystem {
	uint32_t magic; /* statfs(2), f_type */
	bool refuse;	/* else warn */
	const char *name;
	const char *reason;
};

/* NULL: nothing is known against it. */
const struct filesystem *filesystem_find(uint32_t magic);

/* The options of the filesystem itself (not of the mount point) in a line of
 * /proc/PID/mountinfo, up to its end; false: of another mount, or no such
 * line. See proc(5). */
bool mountinfo_options(const char *line, uint64_t mount_id,
		       const char **ret_options);
/* Do an overlay's options, up to a newline, say that it does not sync?
 * "volatile", which newer kernels show as "fsync=volatile". */
bool mount_options_volatile(const char *options);

/* Refuse or warn, as posix_dir_open says. */
enum wb_error filesystem_check(int fd, const char *path, unsigned flags,
			       const struct diag *diag,
			       struct wb_text *ret_text);

#endif
