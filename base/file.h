/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and the store's directory, as the log sees them.
 *
 * Everything the core does to a disk goes through these two tables, so that
 * a test can put a disk under it that loses power, fails or lies. There are
 * three implementations: POSIX (posix.c), and in tests/support the simulated
 * disk and, where nothing is to fail, plain memory.
 *
 * All names are relative to the store's directory; "tmp/x" and "torn/x" are
 * in its two sub-directories. Nothing here retries a failed sync.
 *
 * Errors: WB_NOT_FOUND, WB_EXISTS, WB_NO_SPACE (ENOSPC, EDQUOT, EFBIG),
 * WB_PERMISSION (EACCES, EPERM, EROFS), WB_NO_MEMORY, WB_USAGE (ENAMETOOLONG),
 * else WB_IO.
 */
#ifndef WAYBILL_BASE_FILE_H
#define WAYBILL_BASE_FILE_H

#include "base/control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

struct file;
struct dir;

struct file_ops {
	enum wb_error (*read)(struct file *file, void *buffer, size_t size,
			      uint64_t offset, size_t *ret_size);
	enum wb_error (*write)(struct file *file, const void *bytes,
			       size_t size, uint64_t offset);
	enum wb_error (*sync)(struct file *file);
	enum wb_error (*truncate)(struct file *file, uint64_t size);
	enum wb_error (*allocate)(struct file *file, uint64_t size);
	enum wb_error (*size)(struct file *file, uint64_t *ret_size);
	enum wb_error (*drop_cache)(struct file *file, uint64_t from);
	void (*close)(struct file *file);
};
struct file {
	const struct file_ops *ops;
};

enum file_flags {
	FILE_READ = 0,
	FILE_WRITE = 1,	    /* and read */
	FILE_CREATE = 2,    /* if absent; implies FILE_WRITE */
	FILE_EXCLUSIVE = 4, /* with FILE_CREATE: WB_EXISTS if present */
	FILE_TRUNCATE = 8,  /* to nothing */
};

/* Whoever holds the lock, as far as its text tells; pid 0: unknown. */
struct lock_holder {
	int64_t pid;
	char command[64];
};

struct dir_ops {
	enum wb_error (*open)(struct dir *dir, const char *name, unsigned flags,
			      struct file **ret_file);
	enum wb_error (*make)(struct dir *dir, const char *name);
	enum wb_error (*rename)(struct dir *dir, const char *from,
				const char *to);
	enum wb_error (*remove)(struct dir *dir, const char *name);
	enum wb_error (*sync)(struct dir *dir, const char *name);
	enum wb_error (*list)(struct dir *dir, const char *name,
			      bool (*visit)(void *context, const char *entry),
			      void *context);
	enum wb_error (*lock)(struct dir *dir, bool exclusive,
			      struct lock_holder *ret_holder);
	void (*close)(struct dir *dir);
};
struct dir {
	const struct dir_ops *ops;
};

/* Read up to `size` bytes at `offset`; `*ret_size` is less only where the
 * file ends. EINTR and short reads are dealt with below. */
static inline enum wb_error file_read(struct file *file, void *buffer,
				      size_t size, uint64_t offset,
				      size_t *ret_size)
{
	return file->ops->read(file, buffer, size, offset, ret_size);
}

/* Write all of it, or fail; after a failure any part may be written. */
static inline enum wb_error file_write(struct file *file, const void *bytes,
				       size_t size, uint64_t offset)
{
	return file->ops->write(file, bytes, size, offset);
}

/* fdatasync: contents, and the size where it is needed to read them. */
static inline enum wb_error file_sync(struct file *file, enum control control)
{
	return control_off(control) ? WB_OK : file->ops->sync(file);
}

static inline enum wb_error file_truncate(struct file *file, uint64_t size)
{
	return file->ops->truncate(file, size);
}

/* Reserve the space for `size` bytes and make the file that long. WB_OK also
 * where the filesystem cannot reserve; then a write may meet WB_NO_SPACE. */
static inline enum wb_error file_allocate(struct file *file, uint64_t size)
{
	return file->ops->allocate(file, size);
}

static inline enum wb_error file_size(struct file *file, uint64_t *ret_size)
{
	return file->ops->size(file, ret_size);
}

/* Make the next reads at and behind `from` come from the disk: after a failed
 * fsync the page cache may hold what the disk does not. What stands before it
 * may be dropped, too. Meaningful on synced files only. */
static inline enum wb_error file_drop_cache(struct file *file, uint64_t from,
					    enum control control)
{
	return control_off(control) ? WB_OK : file->ops->drop_cache(file, from);
}

static inline void file_close(struct file *file)
{
	if (file)
		file->ops->close(file);
}

static inline enum wb_error dir_open(struct dir *dir, const char *name,
				     unsigned flags, struct file **ret_file)
{
	return dir->ops->open(dir, name, flags, ret_file);
}

/* Make a sub-directory; WB_OK where it exists. */
static inline enum wb_error dir_make(struct dir *dir, const char *name)
{
	return dir->ops->make(dir, name);
}

/* Replaces `to`. Durable only after dir_sync of the target's directory. */
static inline enum wb_error dir_rename(struct dir *dir, const char *from,
				       const char *to, enum control control)
{
	return control_off(control) ? WB_OK : dir->ops->rename(dir, from, to);
}

static inline enum wb_error dir_remove(struct dir *dir, const char *name)
{
	return dir->ops->remove(dir, name);
}

/* A new file under a name that may be taken. What is there loses the name and
 * is never truncated: after a crash in a rename from one directory to another
 * it may be a file that counts, under its older name. */
static inline enum wb_error dir_create_anew(struct dir *dir, const char *name,
					    struct file **ret_file)
{
	enum wb_error error = dir->ops->remove(dir, name);

	if (error && error != WB_NOT_FOUND)
		return error;
	return dir->ops->open(dir, name, FILE_CREATE | FILE_EXCLUSIVE,
			      ret_file);
}

/* fsync of the directory itself (name "") or of a sub-directory. "..": the
 * parent, which holds the store's own name. */
static inline enum wb_error dir_sync(struct dir *dir, const char *name,
				     enum control control)
{
	return control_off(control) ? WB_OK : dir->ops->sync(dir, name);
}

/* Every entry of the directory (name "") or of a sub-directory, in no order,
 * without "." and "..", until `visit` returns false. `visit` may remove what
 * it is shown. */
static inline enum wb_error dir_list(struct dir *dir, const char *name,
				     bool (*visit)(void *context,
						   const char *entry),
				     void *context)
{
	return dir->ops->list(dir, name, visit, context);
}

/* Has that directory an entry of this name? */
enum wb_error dir_has(struct dir *dir, const char *name, const char *entry,
		      bool *ret_has);

/* Take the store's lock without waiting: an OFD lock on the file `lock`, whose
 * text says who holds it, and flock on the directory. Where that file is
 * absent it is made if exclusive; if shared, flock alone is had. Released by
 * dir_close, or by the end of the process. A forked child cannot release it,
 * and does not keep it from being released by dir_close; where this process was
 * killed, it holds it until it execs (CLOEXEC) or ends. WB_LOCKED fills
 * `ret_holder`. */
static inline enum wb_error dir_lock(struct dir *dir, bool exclusive,
				     struct lock_holder *ret_holder)
{
	return dir->ops->lock(dir, exclusive, ret_holder);
}

static inline void dir_close(struct dir *dir)
{
	if (dir)
		dir->ops->close(dir);
}

#endif
