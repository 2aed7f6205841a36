/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory of a test's own, below TMPDIR or /tmp.
 */
#ifndef WAYBILL_TESTS_SUPPORT_TEMPDIR_H
#define WAYBILL_TESTS_SUPPORT_TEMPDIR_H

#include <stdbool.h>

/* Its path, for tempdir_remove. A failure ends the test program. */
char *tempdir_make(void);
/* PATH/NAME, valid until the next call. */
const char *tempdir_path(const char *path, const char *name);
/* Make the directory `path` and mount something on it that only this process
 * sees. False: that takes privileges, or a kernel, that are not there. */
bool tempdir_mount(const char *path, const char *type, const char *options);
/* Has the filesystem of `path` the device number in proc(5) that stat(2)
 * tells? Not everywhere: btrfs has one for each subvolume. */
bool tempdir_locks_are_listed(const char *path);
/* Remove it with all that is in it, and free the path. */
void tempdir_remove(char *path);

#endif
