/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	enum calls_fault fault;
	uint64_t countdown; /* 0: none */
	bool forever;
	int number;
	uint64_t broken;
} plan;

void calls_break(enum calls_fault fault, uint64_t nth, bool forever, int number)
{
	plan.fault = fault;
	plan.countdown = nth;
	plan.forever = forever;
	plan.number = fault == CALLS_INTERRUPT ? EINTR : number;
	plan.broken = 0;
}

uint64_t calls_mend(void)
{
	plan.countdown = 0;
	return plan.broken;
}

static bool is_next(void)
{
	if (plan.countdown == 0 || --plan.countdown > 0)
		return false;
	if (plan.forever)
		plan.countdown = plan.fault == CALLS_INTERRUPT ? 2 : 1;
	plan.broken++;
	return true;
}

/* True: it fails, with errno set. */
static bool fails(void)
{
	if (plan.fault != CALLS_FAIL || !is_next())
		return false;
	errno = plan.number;
	return true;
}

static bool fails_or_is_interrupted(void)
{
	if (plan.fault == CALLS_SHORT || !is_next())
		return false;
	errno = plan.number;
	return true;
}

static size_t half_of(size_t size)
{
	return plan.fault == CALLS_SHORT && size > 1 && is_next() ? size / 2
								  : size;
}

/* ---- in the place of the C library's ---- */

ssize_t __real_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __real_fallocate(int fd, int mode, off_t offset, off_t size);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t size);
int __real_fstat(int fd, struct stat *stat);
int __wrap_fstat(int fd, struct stat *stat);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __real_mkdirat(int fd, const char *path, mode_t mode);
int __wrap_mkdirat(int fd, const char *path, mode_t mode);
int __real_renameat(int from_fd, const char *from, int fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int fd, const char *to);
int __real_unlinkat(int fd, const char *path, int flags);
int __wrap_unlinkat(int fd, const char *path, int flags);
int __real_fcntl(int fd, int command, void *argument);
int __wrap_fcntl(int fd, int command, void *argument);
int __wrap_posix_fadvise(int fd, off_t offset, off_t size, int advice);
DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
struct dirent *__real_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream);
int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
	if (fails_or_is_interrupted())
		return -1;
	return __real_pread(fd, buffer, half_of(size), offset);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	if (fails_or_is_interrupted())
		return -1;
	return __real_pwrite(fd, bytes, half_of(size), offset);
}

int __wrap_fdatasync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int __wrap_ftruncate(int fd, off_t size)
{
	return fails_or_is_interrupted() ? -1 : __real_ftruncate(fd, size);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size)
{
	return fails_or_is_interrupted()
		       ? -1
		       : __real_fallocate(fd, mode, offset, size);
}

int __wrap_fstat(int fd, struct stat *stat)
{
	return fails() ? -1 : __real_fstat(fd, stat);
}

static mode_t mode_of(int flags, va_list arguments)
{
	return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return fails_or_is_interrupted() ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int fd, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = mode_of(flags, arguments);
	va_end(arguments);
	return fails_or_is_interrupted() ? -1
					 : __real_openat(fd, path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return fails() ? -1 : __real_mkdir(path, mode);
}

int __wrap_mkdirat(int fd, const char *path, mode_t mode)
{
	return fails() ? -1 : __real_mkdirat(fd, path, mode);
}

int __wrap_renameat(int from_fd, const char *from, int fd, const char *to)
{
	return fails() ? -1 : __real_renameat(from_fd, from, fd, to);
}

int __wrap_unlinkat(int fd, const char *path, int flags)
{
	return fails() ? -1 : __real_unlinkat(fd, path, flags);
}

int __wrap_flock(int fd, int how)
{
	return fails_or_is_interrupted() ? -1 : __real_flock(fd, how);
}

/* Ours pass a pointer, always. */
int __wrap_fcntl(int fd, int command, void *argument)
{
	return fails() ? -1 : __real_fcntl(fd, command, argument);
}

/* What it would drop is not on the disk. */
int __wrap_posix_fadvise(int fd, off_t offset, off_t size, int advice)
{
	(void)fd;
	(void)offset;
	(void)size;
	(void)advice;
	return fails() ? errno : 0;
}

DIR *__wrap_fdopendir(int fd)
{
	return fails() ? NULL : __real_fdopendir(fd);
}

struct dirent *__wrap_readdir(DIR *stream)
{
	return fails() ? NULL : __real_readdir(stream);
}
