/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/spool.h"

#include "tools/wording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that nobody can name, and that is gone when it is closed. -1 and
 * errno. */
static int open_nameless(const char *folder)
{
	char name[4096];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* A filesystem may not know of such. */
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (strlen(folder) > sizeof(name) - 32) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcat(strcpy(name, folder), "/waybill.XXXXXX");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(name);
	return fd;
}

static enum wb_error write_whole(int fd, const char *bytes, size_t size,
				 const char *folder, struct wb_text *ret_text)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno != EINTR)
			return fail_errno(ret_text, errno, folder);
		if (written > 0) {
			bytes += written;
			size -= (size_t)written;
		}
	}
	return WB_OK;
}

static enum wb_error copy_all(int from, const char *name, int to,
			      const char *folder, struct wb_text *ret_text)
{
	static char bytes[64u << 10];

	for (;;) {
		ssize_t size = read(from, bytes, sizeof(bytes));
		enum wb_error error = WB_OK;

		if (size < 0 && errno != EINTR)
			return fail_errno(ret_text, errno, name);
		if (size == 0)
			return WB_OK;
		if (size > 0)
			error = write_whole(to, bytes, (size_t)size, folder,
					    ret_text);
		if (error)
			return error;
	}
}

/* The input goes to a file of ours. */
static enum wb_error copy_input(struct spool *spool, const char *name,
				struct wb_text *ret_text)
{
	const char *folder = getenv("TMPDIR");
	enum wb_error error;
	int to;

	if (!folder || !*folder)
		folder = "/var/tmp";
	to = open_nameless(folder);
	if (to < 0)
		return fail_errno(ret_text, errno, folder);
	error = copy_all(spool->fd, name, to, folder, ret_text);
	spool_close(spool);
	*spool = (struct spool){.fd = to, .owned = true};
	if (error)
		spool_close(spool);
	return error;
}

enum wb_error spool_open(struct spool *spool, const char *path,
			 struct wb_text *ret_text)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	struct stat stat;
	off_t start = -1;

	*spool = (struct spool){
		.fd = standard ? STDIN_FILENO
			       : open(path, O_RDONLY | O_CLOEXEC),
		.owned = !standard,
	};
	if (spool->fd < 0)
		return fail_errno(ret_text, errno, name);
	if (fstat(spool->fd, &stat) == 0 && S_ISREG(stat.st_mode))
		start = lseek(spool->fd, 0, SEEK_CUR);
	if (start >= 0) {
		spool->start = (uint64_t)start;
		return WB_OK;
	}
	return copy_input(spool, name, ret_text);
}

void spool_close(struct spool *spool)
{
	if (spool->fd >= 0 && spool->owned)
		(void)close(spool->fd);
	spool->fd = -1;
}

enum wb_error spool_read(void *context, void *buffer, size_t size,
			 uint64_t offset, size_t *ret_size)
{
	const struct spool *spool = context;
	uint64_t at = spool->start + offset;
	size_t got = 0;

	while (got < size) {
		ssize_t more = pread(spool->fd, (char *)buffer + got,
				     size - got, (off_t)(at + got));

		if (more < 0 && errno != EINTR)
			return fail_errno(NULL, errno, "");
		if (more == 0)
			break;
		got += more > 0 ? (size_t)more : 0;
	}
	*ret_size = got;
	return WB_OK;
}
