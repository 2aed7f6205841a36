/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory in plain memory: it fails never and forgets nothing. Where a
 * test opens a log a million times, or a fuzzer does, the simulated disk's
 * care for what is durable is only in the way.
 *
 * Not thread-safe. Out of memory ends the program.
 */
#ifndef WAYBILL_TESTS_SUPPORT_MEMDIR_H
#define WAYBILL_TESTS_SUPPORT_MEMDIR_H

#include "base/file.h"

struct memdir;

/* Empty. */
struct memdir *memdir_new(void);
/* With the same files, copied. */
struct memdir *memdir_clone(const struct memdir *from);
/* NULL is allowed. All files must be closed. */
void memdir_free(struct memdir *memdir);

/* Borrowed; dir_close does nothing to it. */
struct dir *memdir_dir(struct memdir *memdir);

/* While frozen, whatever would change a file or a name ends the program. */
void memdir_freeze(struct memdir *memdir, bool frozen);

/* From memdir_watch to memdir_undo the state before the first change is kept
 * and put back. memdir_undo returns whether there was a change; all files
 * must be closed. */
void memdir_watch(struct memdir *memdir);
bool memdir_undo(struct memdir *memdir);

/* How many files there are, and the name of number `at`, in no order. */
size_t memdir_count(const struct memdir *memdir);
const char *memdir_name(const struct memdir *memdir, size_t at);
/* A file's bytes, to look at and to change; NULL: no such file. */
uint8_t *memdir_bytes(struct memdir *memdir, const char *name,
		      size_t *ret_size);
/* Make or replace a file; `bytes` NULL: zeros. */
void memdir_put(struct memdir *memdir, const char *name, const void *bytes,
		size_t size);
void memdir_remove(struct memdir *memdir, const char *name);
/* The same names with the same bytes? */
bool memdir_equal(struct memdir *a, struct memdir *b);

#endif
