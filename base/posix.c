/* SPDX-License-Identifier: Apache-2.0 */
#include "base/posix.h"
#include "base/posix_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

enum wb_error posix_error(int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
		return WB_NOT_FOUND;
	case EEXIST:
		return WB_EXISTS;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return WB_NO_SPACE;
	case EACCES:
	case EPERM:
	case EROFS:
		return WB_PERMISSION;
	case ENOMEM:
		return WB_NO_MEMORY;
	case ENAMETOOLONG:
		return WB_USAGE;
	default:
		return WB_IO;
	}
}

/* Of the thread, as errno is: whoever asks is who failed. */
static _Thread_local struct {
	enum wb_error error;
	bool no_file;
	struct wb_text text;
} trouble;

enum wb_error posix_trouble(const char *name, enum wb_error error,
			    const char *why)
{
	trouble.error = error;
	trouble.no_file = false;
	return text_set(&trouble.text, error, "%s: %s", name, why);
}

enum wb_error posix_no_file(const char *name, const char *what)
{
	(void)posix_trouble(name, WB_IO, what);
	trouble.no_file = true;
	return WB_IO;
}

bool posix_is_no_file(enum wb_error error)
{
	return error && trouble.error == error && trouble.no_file;
}

enum wb_error posix_failed(const char *name, int number)
{
	return posix_trouble(name, posix_error(number),
			     strerrordesc_np(number));
}

const char *posix_why(enum wb_error error)
{
	return error && trouble.error == error ? trouble.text.text : "";
}

void posix_why_forget(void)
{
	trouble.error = WB_OK;
}

int posix_openat(int fd, const char *path, int flags)
{
	int opened;

	do
		opened = openat(fd, path, flags, 0600);
	while (opened < 0 && errno == EINTR);
	return opened;
}

/* madvise(2), MADV_WIPEONFORK: the kernel gives a child zeros instead. */
const unsigned char *posix_alive_new(void)
{
	unsigned char *page = mmap(NULL, 1, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, 1, MADV_WIPEONFORK) != 0) {
		(void)munmap(page, 1);
		return NULL;
	}
	*page = 1;
	return page;
}

void posix_alive_free(const unsigned char *alive)
{
	if (alive)
		(void)munmap((void *)(uintptr_t)alive, 1);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec now;

	if (clock_gettime(id, &now) != 0)
		abort(); /* only for a clock that does not exist */
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_ns(const struct clock *clock)
{
	(void)clock;
	return clock_ns(CLOCK_REALTIME);
}

static int64_t monotonic_ns(const struct clock *clock)
{
	(void)clock;
	return clock_ns(CLOCK_MONOTONIC);
}

const struct clock posix_clock = {
	.wall_ns = wall_ns,
	.monotonic_ns = monotonic_ns,
};

static void random_fill(const struct random *random, void *buffer, size_t size)
{
	unsigned char *at = buffer;

	(void)random;
	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort(); /* a kernel without getrandom */
		at += got;
		size -= (size_t)got;
	}
}

const struct random posix_random = {.fill = random_fill};
