/* SPDX-License-Identifier: Apache-2.0
 *
 * One writer, or several readers, of a store's directory.
 *
 * Two locks are taken, in this order, and none is waited for:
 *  - an OFD lock on the file `lock`: it belongs to the open file, so that
 *    another thread's or library's close() of the same file does not release
 *    it, as it would a classic POSIX lock;
 *  - flock on the directory itself: it still holds when somebody deletes
 *    `lock` and the next opener makes a new one; and a reader, who makes no
 *    file, has it alone where that file is missing (from a backup, say, that
 *    left locks out).
 * Neither can be waited for by mistake and both end with the process.
 *
 * Both belong to the open file description, which a forked child shares: a
 * close() in the parent alone would leave them with a child that lives on.
 * So the locker unlocks, and a child never does: it would unlock its parent.
 * Which of the two is asking is read from a page (posix_alive_new), not from
 * a pid: in a new pid namespace parent and child may both be 1. That leaves a
 * parent that is killed; its child holds the lock until it ends or execs.
 *
 * Neither says who holds it (F_OFD_GETLK answers pid -1), so the writer says
 * it in the file's text. That text is information only: it is never synced,
 * its write may fail, and a killed writer leaves it behind. It is shown only
 * while a write lock is really held, by a process of this boot that exists.
 * Readers say nothing; of them the kernel's list of locks names one.
 */
#include "base/cursor.h"
#include "base/posix_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- the text ---- */

static bool is_printable(uint8_t c)
{
	return c >= 0x20 && c < 0x7F;
}

/* Up to, and without, the next `end`; at most `size` - 1 bytes. */
static bool read_word(struct reader *reader, uint8_t end, char *word,
		      size_t size)
{
	size_t length = 0;

	for (;;) {
		uint8_t c = read_u8(reader);

		if (reader->failed)
			return false;
		if (c == end)
			break;
#ifdef WAYBILL_PLANT_LOCK_TEXT
		if (!is_printable(c) || length > size)
			return false;
#else
		if (!is_printable(c) || length + 1 >= size)
			return false;
#endif
		word[length++] = (char)c;
	}
	word[length] = '\0';
	return length > 0;
}

bool lock_text_decode(const void *bytes, size_t size,
		      struct lock_text *ret_text)
{
	struct reader reader = reader_of(bytes, size);
	struct lock_text text = {.pid = 0};
	char digits[16];

	if (!read_word(&reader, ' ', digits, sizeof(digits)) ||
	    !read_word(&reader, ' ', text.boot_id, sizeof(text.boot_id)) ||
	    !read_word(&reader, '\n', text.command, sizeof(text.command)))
		return false;
	for (const char *c = digits; *c; c++) {
		if (*c < '0' || *c > '9')
			return false;
		text.pid = text.pid * 10 + (*c - '0');
	}
	/* pid_t is an int; zero and less mean groups of processes to kill(). */
	if (text.pid <= 0 || text.pid > INT32_MAX)
		return false;
	*ret_text = text;
	return true;
}

void lock_text_encode(const struct lock_text *text, char bytes[LOCK_TEXT_BYTES])
{
	char line[LOCK_TEXT_BYTES + 1];
	int length = snprintf(line, sizeof(line), "%" PRId64 " %s %s",
			      text->pid, text->boot_id, text->command);

	assert(length > 0);
	assert(length < LOCK_TEXT_BYTES);
	for (int i = 0; i < length; i++)
		if (!is_printable((uint8_t)line[i]))
			line[i] = '?';
	line[length++] = '\n';
	memset(bytes, ' ', LOCK_TEXT_BYTES);
	memcpy(bytes, line, (size_t)length);
}

/* 36 characters and NUL; "-" where the kernel does not say. */
static void boot_id_get(char boot_id[37])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, boot_id, 36);

	if (fd >= 0)
		(void)close(fd);
	if (got == 36)
		boot_id[36] = '\0';
	else
		strcpy(boot_id, "-");
}

/* ---- who ---- */

/* A write lock is held by somebody else: by whom? */
static void holder_read(int fd, struct lock_holder *ret_holder)
{
	char bytes[LOCK_TEXT_BYTES];
	char boot_id[37];
	struct lock_text text;
	ssize_t got = pread(fd, bytes, sizeof(bytes), 0);

	if (got <= 0 || !lock_text_decode(bytes, (size_t)got, &text))
		return;
	boot_id_get(boot_id);
	if (strcmp(boot_id, text.boot_id) != 0)
		return;
	if (kill((pid_t)text.pid, 0) != 0 && errno != EPERM)
		return;
	ret_holder->pid = text.pid;
	memcpy(ret_holder->command, text.command, sizeof(text.command));
}

/* Of those who hold the directory's flock the first that proc(5) lists with a
 * pid that is one here. Some filesystems have there another device number than
 * stat(2) tells; then nobody is found. */
static void holder_find(int dir_fd, struct lock_holder *ret_holder)
{
	FILE *locks = fopen("/proc/locks", "re");
	unsigned major_number, minor_number;
	unsigned long inode;
	struct stat stat;
	char line[256];
	int pid;

	if (!locks)
		return;
	if (fstat(dir_fd, &stat) != 0)
		stat.st_ino = 0;
	while (ret_holder->pid == 0 && fgets(line, sizeof(line), locks))
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid,
			   &major_number, &minor_number, &inode) == 4 &&
		    inode == stat.st_ino && pid > 0 &&
		    makedev(major_number, minor_number) == stat.st_dev)
			ret_holder->pid = pid;
	(void)fclose(locks);
	if (ret_holder->pid == 0)
		return;
	(void)snprintf(line, sizeof(line), "/proc/%d/comm", pid);
	locks = fopen(line, "re");
	if (!locks)
		return;
	if (fgets(line, sizeof(line), locks)) {
		line[strcspn(line, "\n")] = '\0';
		for (char *c = line; *c; c++)
			if (!is_printable((uint8_t)*c))
				*c = '?';
		(void)snprintf(ret_holder->command, sizeof(ret_holder->command),
			       "%.63s", line);
	}
	(void)fclose(locks);
}

static void holder_write(int fd)
{
	char bytes[LOCK_TEXT_BYTES];
	struct lock_text text = {.pid = getpid()};

	boot_id_get(text.boot_id);
	(void)snprintf(text.command, sizeof(text.command), "%s",
		       *program_invocation_short_name
			       ? program_invocation_short_name
			       : "?");
	lock_text_encode(&text, bytes);
	/* Informational: without it the next opener reads "pid unknown", and
	 * a full disk must not keep a store from opening. */
	if (pwrite(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		(void)ftruncate(fd, 0);
}

/* ---- the locks ---- */

static enum wb_error lock_file(int fd, bool exclusive,
			       struct lock_holder *ret_holder)
{
	struct flock wanted = {
		.l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};

	if (fcntl(fd, F_OFD_SETLK, &wanted) == 0)
		return WB_OK;
	if (errno != EAGAIN && errno != EACCES)
		return posix_failed("lock", errno);
	/* Readers write no text: what it says is of an earlier writer. */
	if (fcntl(fd, F_OFD_GETLK, &wanted) == 0 && wanted.l_type == F_WRLCK)
		holder_read(fd, ret_holder);
	return WB_LOCKED;
}

/* Neither unlocking can fail on a descriptor that is open. */
static void unlock_file(int fd)
{
	struct flock none = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

	(void)fcntl(fd, F_OFD_SETLK, &none);
}

static enum wb_error lock_directory(int dir_fd, bool exclusive)
{
	int how = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;

	while (flock(dir_fd, how) != 0) {
		if (errno == EWOULDBLOCK)
			return WB_LOCKED;
		if (errno != EINTR)
			return posix_failed("lock", errno);
	}
	return WB_OK;
}

static enum wb_error lock_both(int dir_fd, bool exclusive, int *ret_fd,
			       struct lock_holder *ret_holder)
{
	int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	enum wb_error error;
	int fd;

	flags |= exclusive ? O_RDWR | O_CREAT : O_RDONLY;
	fd = posix_openat(dir_fd, "lock", flags);
	if (fd < 0 && errno == ENOENT && !exclusive) {
		*ret_fd = -1;
		return lock_directory(dir_fd, exclusive);
	}
	if (fd < 0)
		return posix_failed("lock", errno);
	error = lock_file(fd, exclusive, ret_holder);
	if (!error) {
		error = lock_directory(dir_fd, exclusive);
		if (error)
			unlock_file(fd);
	}
	if (error) {
		(void)close(fd);
		return error;
	}
	if (exclusive)
		holder_write(fd);
	*ret_fd = fd;
	return WB_OK;
}

enum wb_error posix_lock(int dir_fd, bool exclusive, int *ret_fd,
			 struct lock_holder *ret_holder)
{
	struct lock_holder holder = {.pid = 0};
	enum wb_error error = lock_both(dir_fd, exclusive, ret_fd, &holder);

	if (error != WB_LOCKED || !ret_holder)
		return error;
	if (holder.pid == 0)
		holder_find(dir_fd, &holder);
	*ret_holder = holder;
	return error;
}

void posix_unlock(int dir_fd, int fd)
{
	/* The directory goes first, so that whoever gets the file's lock finds
	 * the directory's free as well. */
	(void)flock(dir_fd, LOCK_UN);
	if (fd >= 0)
		unlock_file(fd);
}
