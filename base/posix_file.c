/* SPDX-License-Identifier: Apache-2.0
 *
 * The file vtable on POSIX.
 *
 * Three rules. EINTR and short transfers end here. A failed fsync is never
 * tried again, not even after EINTR: the kernel reports a lost write once,
 * so a second answer of "fine" would be a lie. And no call may raise SIGXFSZ,
 * whose default action kills the process that embeds us: what would grow a
 * file past RLIMIT_FSIZE is refused before the kernel sees it. (Blocking the
 * signal around each write was the alternative: two system calls more, and
 * a pending signal to hunt down afterwards.)
 */
#include "base/posix_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct posix_file {
	struct file file;
	int fd;
	uint64_t allowed; /* writes up to here were found to be in bounds */
	char name[32];	  /* for posix_why */
};

#define ALLOWED_STEP (UINT64_C(1) << 20)

static int fd_of(const struct file *file)
{
	return ((const struct posix_file *)file)->fd;
}

static enum wb_error failed(const struct file *file, int number)
{
	return posix_failed(((const struct posix_file *)file)->name, number);
}

/* May a file grow to `end` bytes? */
static enum wb_error growth_allowed(const struct file *file, uint64_t end)
{
	struct rlimit limit;

	if (end > INT64_MAX)
		return failed(file, EFBIG);
	if (getrlimit(RLIMIT_FSIZE, &limit) != 0)
		return failed(file, errno);
	if (limit.rlim_cur != RLIM_INFINITY && end > limit.rlim_cur)
		return failed(file, EFBIG);
	return WB_OK;
}

/* The same for a write, without asking the kernel each time. A limit that is
 * lowered beneath an open file is not seen until the file has grown. */
static enum wb_error write_allowed(struct file *file, uint64_t end)
{
	struct posix_file *posix = (struct posix_file *)file;
	uint64_t ahead = end + ALLOWED_STEP;
	enum wb_error error;

	if (end <= posix->allowed)
		return WB_OK;
	if (growth_allowed(file, ahead) == WB_OK) {
		posix->allowed = ahead;
		return WB_OK;
	}
	error = growth_allowed(file, end);
	if (!error)
		posix->allowed = end;
	return error;
}

static enum wb_error posix_read(struct file *file, void *buffer, size_t size,
				uint64_t offset, size_t *ret_size)
{
	char *to = buffer;
	size_t done = 0;

	/* pread would call it an invalid argument; no file is that long. */
	if (offset > INT64_MAX) {
		*ret_size = 0;
		return WB_OK;
	}
	while (done < size) {
		ssize_t got = pread(fd_of(file), to + done, size - done,
				    (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(file, errno);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_size = done;
	return WB_OK;
}

static enum wb_error posix_write(struct file *file, const void *bytes,
				 size_t size, uint64_t offset)
{
	const char *from = bytes;
	size_t done = 0;
	enum wb_error error;

	if (size > INT64_MAX || offset > INT64_MAX - size)
		return failed(file, EFBIG);
	error = write_allowed(file, offset + size);
	if (error)
		return error;
	while (done < size) {
		ssize_t put = pwrite(fd_of(file), from + done, size - done,
				     (off_t)(offset + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return failed(file, errno);
		if (put == 0)
			return failed(file, EIO);
		done += (size_t)put;
	}
	return WB_OK;
}

static enum wb_error posix_sync(struct file *file)
{
	return fdatasync(fd_of(file)) == 0 ? WB_OK : failed(file, errno);
}

static enum wb_error posix_size(struct file *file, uint64_t *ret_size)
{
	struct stat stat;

	if (fstat(fd_of(file), &stat) != 0)
		return failed(file, errno);
	*ret_size = (uint64_t)stat.st_size;
	return WB_OK;
}

static enum wb_error posix_truncate(struct file *file, uint64_t size)
{
	enum wb_error error = growth_allowed(file, size);

	/* The limit is on growing: cutting a longer file is always allowed. */
	if (error) {
		uint64_t present;
		enum wb_error size_error = posix_size(file, &present);

		if (size_error)
			return size_error;
		if (size > present)
			return error;
	}
	while (ftruncate(fd_of(file), (off_t)size) != 0)
		if (errno != EINTR)
			return failed(file, errno);
	return WB_OK;
}

static enum wb_error posix_allocate(struct file *file, uint64_t size)
{
	uint64_t present;
	enum wb_error error = growth_allowed(file, size);

	if (error || size == 0)
		return error;
	while (fallocate(fd_of(file), 0, 0, (off_t)size) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EOPNOTSUPP && errno != ENOSYS)
			return failed(file, errno);
		/* No reservation here: at least the length. */
		error = posix_size(file, &present);
		if (error || present >= size)
			return error;
		return posix_truncate(file, size);
	}
	return WB_OK;
}

/* The largest unit in which Linux caches files: what one page of page table
 * entries, of eight bytes each, maps. 2 MiB where a page has 4 KiB. */
static uint64_t folio_bytes_max(void)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return page * (page / 8);
}

/* The kernel keeps a folio that the range covers in part. Each begins at a
 * multiple of its size. */
static enum wb_error posix_drop_cache(struct file *file, uint64_t from)
{
	uint64_t offset = from - from % folio_bytes_max();
	int number;

	/* Only clean pages can be dropped. */
	if (fsync(fd_of(file)) != 0)
		return failed(file, errno);
	number = posix_fadvise(fd_of(file), (off_t)offset, 0,
			       POSIX_FADV_DONTNEED);
	return number == 0 ? WB_OK : failed(file, number);
}

static void posix_close(struct file *file)
{
	/* Closing reports nothing that a sync has not reported. */
	(void)close(fd_of(file));
	free(file);
}

static const struct file_ops posix_file_ops = {
	.read = posix_read,
	.write = posix_write,
	.sync = posix_sync,
	.truncate = posix_truncate,
	.allocate = posix_allocate,
	.size = posix_size,
	.drop_cache = posix_drop_cache,
	.close = posix_close,
};

enum wb_error posix_file_from(int fd, const char *name, struct file **ret_file)
{
	struct posix_file *file = malloc(sizeof(*file));

	if (!file) {
		(void)close(fd);
		return WB_NO_MEMORY;
	}
	*file = (struct posix_file){.file.ops = &posix_file_ops, .fd = fd};
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	*ret_file = &file->file;
	return WB_OK;
}
