/* SPDX-License-Identifier: Apache-2.0
 *
 * The directory vtable on POSIX, and the door to it.
 *
 * Everything is relative to one descriptor, so that a directory that is
 * renamed, or replaced under its path, never mixes two stores. Nothing below
 * follows a symbolic link or opens what is not a regular file: a store holds
 * neither.
 */
#include "base/posix.h"
#include "base/posix_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct posix_dir {
	struct dir dir;
	int fd;
	bool locked;
	int lock_fd;		    /* -1: none */
	const unsigned char *alive; /* zero in a forked child */
};

static struct posix_dir *posix_dir_of(struct dir *dir)
{
	return (struct posix_dir *)dir;
}

static enum wb_error posix_open(struct dir *dir, const char *name,
				unsigned flags, struct file **ret_file)
{
	/* O_NONBLOCK: a FIFO in the way must not hang us. */
	int how = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	enum wb_error error = WB_OK;
	struct stat stat;
	int fd;

	assert(!(flags & FILE_EXCLUSIVE) || flags & FILE_CREATE);
	if (flags & (FILE_WRITE | FILE_CREATE | FILE_TRUNCATE))
		how |= O_RDWR;
	if (flags & FILE_CREATE)
		how |= O_CREAT;
	if (flags & FILE_EXCLUSIVE)
		how |= O_EXCL;
	if (flags & FILE_TRUNCATE)
		how |= O_TRUNC;
	fd = posix_openat(posix_dir_of(dir)->fd, name, how);
	if (fd < 0 && errno == ELOOP)
		return posix_no_file(name, "a symbolic link");
	/* A directory that is written to, a socket. */
	if (fd < 0 && (errno == EISDIR || errno == ENXIO))
		return posix_no_file(name, "not a regular file");
	if (fd < 0)
		return posix_failed(name, errno);
	if (fstat(fd, &stat) != 0)
		error = posix_failed(name, errno);
	else if (!S_ISREG(stat.st_mode))
		error = posix_no_file(name, "not a regular file");
	if (!error)
		return posix_file_from(fd, name, ret_file);
	(void)close(fd);
	return error;
}

static enum wb_error posix_make(struct dir *dir, const char *name)
{
	struct stat stat;
	int fd = posix_dir_of(dir)->fd;

	if (mkdirat(fd, name, 0700) == 0)
		return WB_OK;
	if (errno != EEXIST)
		return posix_failed(name, errno);
	if (fstatat(fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
		return posix_failed(name, errno);
	return S_ISDIR(stat.st_mode)
		       ? WB_OK
		       : posix_trouble(name, WB_EXISTS, "not a directory");
}

static enum wb_error posix_rename(struct dir *dir, const char *from,
				  const char *to)
{
	int fd = posix_dir_of(dir)->fd;

	return renameat(fd, from, fd, to) == 0 ? WB_OK
					       : posix_failed(to, errno);
}

static enum wb_error posix_remove(struct dir *dir, const char *name)
{
	int fd = posix_dir_of(dir)->fd;

	return unlinkat(fd, name, 0) == 0 ? WB_OK : posix_failed(name, errno);
}

/* A descriptor of its own for "", "..", or a sub-directory; -1 and errno. */
static int open_directory(struct dir *dir, const char *name)
{
	return posix_openat(posix_dir_of(dir)->fd, *name ? name : ".",
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static enum wb_error directory_failed(const char *name, int number)
{
	return posix_failed(*name ? name : "the directory", number);
}

/* The parent is not ours: it may be one that we may pass and not read, or of
 * a filesystem that nobody writes to and that knows no fsync, beneath the
 * mount that is the store. */
static enum wb_error sync_parent(struct dir *dir)
{
	enum wb_error error;
	int fd = open_directory(dir, "..");

	if (fd < 0 && errno != EACCES)
		return posix_failed("..", errno);
	if (fd < 0) /* it costs more, and reaches the same name */
		return syncfs(posix_dir_of(dir)->fd) == 0
			       ? WB_OK
			       : posix_failed("..", errno);
	error = fsync(fd) == 0 || errno == EINVAL ? WB_OK
						  : posix_failed("..", errno);
	(void)close(fd);
	return error;
}

static enum wb_error posix_sync(struct dir *dir, const char *name)
{
	enum wb_error error;
	int fd;

	if (strcmp(name, "..") == 0)
		return sync_parent(dir);
	/* Ours is open: no descriptor is needed that may not be had. */
	if (!*name)
		return fsync(posix_dir_of(dir)->fd) == 0 ? WB_OK
							 : posix_error(errno);
	fd = open_directory(dir, name);
	if (fd < 0)
		return directory_failed(name, errno);
	error = fsync(fd) == 0 ? WB_OK : directory_failed(name, errno);
	(void)close(fd);
	return error;
}

static enum wb_error posix_list(struct dir *dir, const char *name,
				bool (*visit)(void *context, const char *entry),
				void *context)
{
	enum wb_error error = WB_OK;
	struct dirent *entry;
	DIR *stream;
	int fd = open_directory(dir, name);

	if (fd < 0)
		return directory_failed(name, errno);
	stream = fdopendir(fd);
	if (!stream) {
		error = directory_failed(name, errno);
		(void)close(fd);
		return error;
	}
	for (;;) {
		errno = 0;
		entry = readdir(stream);
		if (!entry) {
			if (errno)
				error = directory_failed(name, errno);
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (!visit(context, entry->d_name))
			break;
	}
	(void)closedir(stream);
	return error;
}

static enum wb_error posix_dir_lock(struct dir *dir, bool exclusive,
				    struct lock_holder *ret_holder)
{
	struct posix_dir *self = posix_dir_of(dir);
	enum wb_error error;

	assert(!self->locked);
	error = posix_lock(self->fd, exclusive, &self->lock_fd, ret_holder);
	self->locked = !error;
	return error;
}

static void posix_dir_close(struct dir *dir)
{
	struct posix_dir *self = posix_dir_of(dir);

	if (self->locked && *self->alive)
		posix_unlock(self->fd, self->lock_fd);
	if (self->lock_fd >= 0)
		(void)close(self->lock_fd);
	(void)close(self->fd);
	posix_alive_free(self->alive);
	free(self);
}

static const struct dir_ops posix_dir_ops = {
	.open = posix_open,
	.make = posix_make,
	.rename = posix_rename,
	.remove = posix_remove,
	.sync = posix_sync,
	.list = posix_list,
	.lock = posix_dir_lock,
	.close = posix_dir_close,
};

/* ---- the door ---- */

/* NULL: no memory. `fd` is taken on success only. */
static struct posix_dir *posix_dir_new(int fd)
{
	struct posix_dir *dir = malloc(sizeof(*dir));
	const unsigned char *alive = posix_alive_new();

	if (!dir || !alive) {
		posix_alive_free(alive);
		free(dir);
		return NULL;
	}
	*dir = (struct posix_dir){
		.dir.ops = &posix_dir_ops,
		.fd = fd,
		.lock_fd = -1,
		.alive = alive,
	};
	return dir;
}

enum wb_error posix_dir_open(const char *path, unsigned flags,
			     const struct diag *diag, struct dir **ret_dir,
			     bool *ret_created, struct wb_text *ret_text)
{
	struct posix_dir *dir;
	enum wb_error error;
	bool created = false;
	int fd;

	if (flags & POSIX_DIR_CREATE) {
		created = mkdir(path, 0700) == 0;
		if (!created && errno != EEXIST)
			return text_set(ret_text, posix_error(errno),
					"%s: cannot make the directory: %s",
					path, strerrordesc_np(errno));
	}
	fd = posix_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		error = text_set(ret_text, posix_error(errno), "%s: %s", path,
				 strerrordesc_np(errno));
	else
		error = filesystem_check(fd, path, flags, diag, ret_text);
	dir = error ? NULL : posix_dir_new(fd);
	if (!error && !dir)
		error = text_set(ret_text, WB_NO_MEMORY, "%s: %s", path,
				 wb_error_text(WB_NO_MEMORY));
	if (error) {
		if (fd >= 0)
			(void)close(fd);
		if (created)
			(void)rmdir(path);
		return error;
	}
	*ret_dir = &dir->dir;
	if (ret_created)
		*ret_created = created;
	return WB_OK;
}
