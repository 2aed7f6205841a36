/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that are interrupted, fall short or fail.
 *
 * The functions below take the place of the C library's in this program.
 * They do the real call, except where a script says otherwise: the nth call
 * of a name fails with an errno, or transfers less than was asked.
 */
#include "base/posix.h"
#include "base/posix_private.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYNC CONTROL_GROUP_SYNC

enum call {
	PREAD,
	PWRITE,
	FDATASYNC,
	FSYNC,
	FTRUNCATE,
	FALLOCATE,
	FADVISE,
	FSTAT,
	FSTATFS,
	STATX,
	MADVISE,
	OPENAT,
	FLOCK,
	FCNTL,
	GETRANDOM,
	GETRLIMIT,
	FDOPENDIR,
	READDIR,
	FSTATAT,
	OPEN,
	CALL_COUNT,
};

enum { ALWAYS = -1 };

static struct {
	int number;   /* errno; 0: do it */
	size_t bytes; /* transfer at most these; 0: all */
	int at;	      /* the call it is about, from 1; ALWAYS: each */
	int calls;
} script[CALL_COUNT];

static void script_fail(enum call call, int at, int number)
{
	script[call].calls = 0;
	script[call].at = at;
	script[call].number = number;
	script[call].bytes = 0;
}

static void script_cut(enum call call, size_t bytes)
{
	script_fail(call, 0, 0);
	script[call].bytes = bytes;
}

/* Sanitizers call some of these before their own memory is ready, so nothing
 * in them is instrumented. */
#if defined(__clang__)
#define BARE                                              \
	__attribute__((disable_sanitizer_instrumentation, \
		       no_sanitize("address", "thread", "undefined")))
#else
#define BARE __attribute__((no_sanitize("address,thread,undefined")))
#endif

/* True: the call fails, with errno set. */
BARE static bool scripted(enum call call)
{
	int calls = ++script[call].calls;

	if (!script[call].number)
		return false;
	if (script[call].at != ALWAYS && script[call].at != calls)
		return false;
	errno = script[call].number;
	return true;
}

BARE static size_t scripted_size(enum call call, size_t size)
{
	size_t most = script[call].bytes;

	return most && most < size ? most : size;
}

/* ---- in the place of the C library's ---- */

BARE ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
	if (scripted(PREAD))
		return -1;
	return syscall(SYS_pread64, fd, buffer, scripted_size(PREAD, size),
		       offset);
}

BARE ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	if (scripted(PWRITE))
		/* A write of nothing is no errno. */
		return errno == ECANCELED ? 0 : -1;
	return syscall(SYS_pwrite64, fd, bytes, scripted_size(PWRITE, size),
		       offset);
}

BARE int fdatasync(int fd)
{
	return scripted(FDATASYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

BARE int fsync(int fd)
{
	return scripted(FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

BARE int ftruncate(int fd, off_t size)
{
	return scripted(FTRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

BARE int fallocate(int fd, int mode, off_t offset, off_t size)
{
	if (scripted(FALLOCATE))
		return -1;
	return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

BARE int posix_fadvise(int fd, off_t offset, off_t size, int advice)
{
	if (scripted(FADVISE))
		return errno;
	(void)fd, (void)offset, (void)size, (void)advice;
	return 0;
}

BARE int fstat(int fd, struct stat *stat)
{
	if (scripted(FSTAT))
		return -1;
	return (int)syscall(SYS_newfstatat, fd, "", stat, AT_EMPTY_PATH);
}

/* Every filesystem looks like this one; 0: like itself. */
static uint32_t magic;

BARE int fstatfs(int fd, struct statfs *stat)
{
	int result;

	if (scripted(FSTATFS))
		return -1;
	result = (int)syscall(SYS_fstatfs, fd, stat);
	if (magic)
		stat->f_type = (__typeof__(stat->f_type))magic;
	return result;
}

/* What is not known of a mount (STATX_MNT_ID), and what is known instead. */
static unsigned unknown;
static uint64_t mount_id;

BARE int statx(int fd, const char *restrict path, int flags, unsigned mask,
	       struct statx *restrict stat)
{
	int result;

	if (scripted(STATX))
		return -1;
	result = (int)syscall(SYS_statx, fd, path, flags, mask, stat);
	stat->stx_mask &= ~unknown;
	if (mount_id)
		stat->stx_mnt_id = mount_id;
	return result;
}

BARE int madvise(void *address, size_t size, int advice)
{
	if (scripted(MADVISE))
		return -1;
	return (int)syscall(SYS_madvise, address, size, advice);
}

BARE int openat(int fd, const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
	}
	if (scripted(OPENAT))
		return -1;
	return (int)syscall(SYS_openat, fd, path, flags, mode);
}

/* Called between the file's lock and the directory's. */
static void (*at_flock)(void);

BARE int flock(int fd, int how)
{
	if (at_flock)
		at_flock();
	return scripted(FLOCK) ? -1 : (int)syscall(SYS_flock, fd, how);
}

BARE int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *pointer;

	va_start(arguments, command);
	pointer = va_arg(arguments, void *);
	va_end(arguments);
	if (scripted(FCNTL))
		return -1;
	return (int)syscall(SYS_fcntl, fd, command, pointer);
}

BARE ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
	if (scripted(GETRANDOM))
		return -1;
	return syscall(SYS_getrandom, buffer, scripted_size(GETRANDOM, size),
		       flags);
}

BARE int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
	if (scripted(GETRLIMIT))
		return -1;
	return (int)syscall(SYS_prlimit64, 0, resource, NULL, limit);
}

BARE int fstatat(int fd, const char *restrict path, struct stat *restrict stat,
		 int flags)
{
	if (scripted(FSTATAT))
		return -1;
	return (int)syscall(SYS_newfstatat, fd, path, stat, flags);
}

BARE int open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
	}
	if (scripted(OPEN))
		return -1;
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

BARE DIR *fdopendir(int fd)
{
	DIR *(*real)(int fd);

	if (scripted(FDOPENDIR))
		return NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "fdopendir");
	return real(fd);
}

BARE struct dirent *readdir(DIR *stream)
{
	struct dirent *(*real)(DIR * stream);

	if (scripted(READDIR))
		return NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	return real(stream);
}

/* ---- cases ---- */

static char *temp;
static struct dir *dir;
static struct file *file;

static void setup(void)
{
	temp = tempdir_make();
	ck_ok(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &dir, NULL,
			     NULL));
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	memset(script, 0, sizeof(script));
}

static void teardown(void)
{
	memset(script, 0, sizeof(script));
	file_close(file);
	dir_close(dir);
	tempdir_remove(temp);
}

static void expect(const char *text)
{
	char buffer[64];
	size_t size;

	ck_ok(file_read(file, buffer, sizeof(buffer), 0, &size));
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_mem_eq(buffer, text, size);
}

START_TEST(fault_42_short_transfers_go_on_where_they_stopped)
{
	script_cut(PWRITE, 3);
	ck_ok(file_write(file, "0123456789", 10, 0));
	ck_assert_int_eq(script[PWRITE].calls, 4);
	script_cut(PREAD, 4);
	expect("0123456789");
	ck_assert_int_eq(script[PREAD].calls, 4);
}
END_TEST

static bool count_visit(void *context, const char *entry)
{
	(void)entry;
	++*(int *)context;
	return true;
}

START_TEST(fault_43_interrupted_transfers_are_tried_again)
{
	script_fail(PWRITE, 1, EINTR);
	ck_ok(file_write(file, "text", 4, 0));
	ck_assert_int_eq(script[PWRITE].calls, 2);
	script_fail(PREAD, 1, EINTR);
	expect("text");
	script_fail(FTRUNCATE, 1, EINTR);
	ck_ok(file_truncate(file, 2));
	ck_assert_int_eq(script[FTRUNCATE].calls, 2);
	expect("te");
	script_fail(FALLOCATE, 1, EINTR);
	ck_ok(file_allocate(file, 4));
	ck_assert_int_eq(script[FALLOCATE].calls, 2);
	file_close(file);
	script_fail(OPENAT, 1, EINTR);
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	ck_assert_int_eq(script[OPENAT].calls, 2);
}
END_TEST

/* Of the directory, of the lock, and of the directory to be listed. */
START_TEST(fault_43_interrupted_opens_are_tried_again)
{
	struct dir *other;
	int visits = 0;

	script_fail(OPENAT, 1, EINTR);
	ck_ok(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &other, NULL,
			     NULL));
	ck_assert_int_eq(script[OPENAT].calls, 2);
	script_fail(OPENAT, 1, EINTR);
	ck_ok(dir_lock(other, true, NULL));
	ck_assert_int_eq(script[OPENAT].calls, 2);
	script_fail(OPENAT, 1, EINTR);
	ck_ok(dir_list(other, "", count_visit, &visits));
	ck_assert_int_eq(script[OPENAT].calls, 2);
	dir_close(other);
}
END_TEST

START_TEST(a_transfer_that_fails_half_way_fails)
{
	script_cut(PWRITE, 3);
	script[PWRITE].at = 2;
	script[PWRITE].number = ENOSPC;
	ck_error(file_write(file, "0123456789", 10, 0), WB_NO_SPACE);
	expect("012");
	script_cut(PREAD, 2);
	script[PREAD].at = 2;
	script[PREAD].number = EIO;
	ck_error(file_read(file, (char[3]){0}, 3, 0, &(size_t){0}), WB_IO);
}
END_TEST

START_TEST(a_write_of_nothing_is_no_endless_loop)
{
	script_fail(PWRITE, 1, ECANCELED);
	ck_error(file_write(file, "text", 4, 0), WB_IO);
	ck_assert_int_eq(script[PWRITE].calls, 1);
}
END_TEST

START_TEST(fault_38_a_failed_sync_is_never_tried_again)
{
	static const int numbers[] = {EIO, EINTR, ENOSPC, EDQUOT, EAGAIN};

	script_fail(FDATASYNC, 1, numbers[_i]);
	ck_error(file_sync(file, SYNC), posix_error(numbers[_i]));
	ck_assert_int_eq(script[FDATASYNC].calls, 1);
	script_fail(FSYNC, 1, numbers[_i]);
	ck_error(file_drop_cache(file, 0, SYNC), posix_error(numbers[_i]));
	ck_assert_int_eq(script[FSYNC].calls, 1);
	ck_assert_int_eq(script[FADVISE].calls, 0);
	script_fail(FSYNC, 1, numbers[_i]);
	ck_error(dir_sync(dir, "", SYNC), posix_error(numbers[_i]));
	ck_assert_int_eq(script[FSYNC].calls, 1);
}
END_TEST

START_TEST(a_sync_is_one_system_call_of_its_kind)
{
	ck_ok(file_sync(file, SYNC));
	ck_assert_int_eq(script[FDATASYNC].calls, 1);
	ck_ok(dir_sync(dir, "", SYNC));
	ck_ok(dir_sync(dir, "..", SYNC));
	ck_assert_int_eq(script[FSYNC].calls, 2);
	ck_ok(file_drop_cache(file, 0, SYNC));
	ck_assert_int_eq(script[FSYNC].calls, 3);
	ck_assert_int_eq(script[FADVISE].calls, 1);
	script_fail(FADVISE, 1, ENOSYS);
	ck_error(file_drop_cache(file, 0, SYNC), WB_IO);
}
END_TEST

START_TEST(without_reservation_the_file_is_that_long_all_the_same)
{
	static const int numbers[] = {EOPNOTSUPP, ENOSYS};
	uint64_t size;

	script_fail(FALLOCATE, 1, numbers[_i]);
	ck_ok(file_allocate(file, 5000));
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 5000);
	script_fail(FALLOCATE, 1, numbers[_i]);
	ck_ok(file_allocate(file, 100));
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 5000);
	script_fail(FALLOCATE, 1, numbers[_i]);
	script_fail(FTRUNCATE, 1, ENOSPC);
	ck_error(file_allocate(file, 6000), WB_NO_SPACE);
	script_fail(FALLOCATE, 1, numbers[_i]);
	script_fail(FSTAT, 1, EIO);
	ck_error(file_allocate(file, 6000), WB_IO);
}
END_TEST

START_TEST(errors_of_the_kernel_reach_the_caller)
{
	struct file *other = NULL;
	uint64_t size = 42;

	script_fail(FTRUNCATE, 1, EIO);
	ck_error(file_truncate(file, 1), WB_IO);
	script_fail(FALLOCATE, 1, EDQUOT);
	ck_error(file_allocate(file, 1), WB_NO_SPACE);
	script_fail(FSTAT, 1, EIO);
	ck_error(file_size(file, &size), WB_IO);
	ck_assert_uint_eq(size, 42);
	script_fail(GETRLIMIT, ALWAYS, EPERM);
	ck_error(file_write(file, "x", 1, 0), WB_PERMISSION);
	script_fail(FSTAT, 1, EIO);
	ck_error(file_truncate(file, 1), WB_IO);
	script_fail(GETRLIMIT, 0, 0);
	script_fail(OPENAT, 1, EMFILE);
	ck_error(dir_open(dir, "a", FILE_READ, &other), WB_IO);
	script_fail(OPENAT, 1, EACCES);
	ck_error(dir_sync(dir, "torn", SYNC), WB_PERMISSION);
	/* The directory itself is open: no descriptor is needed. */
	script_fail(OPENAT, ALWAYS, EMFILE);
	ck_ok(dir_sync(dir, "", SYNC));
	script_fail(OPENAT, 1, EMFILE);
	ck_error(dir_sync(dir, "..", SYNC), WB_IO);
	script_fail(FSTAT, 1, EIO);
	ck_error(dir_open(dir, "a", FILE_READ, &other), WB_IO);
	ck_assert_ptr_null(other);
	expect("");
}
END_TEST

START_TEST(a_list_that_cannot_be_had_is_an_error)
{
	int visits = 0;

	script_fail(OPENAT, 1, EMFILE);
	ck_error(dir_list(dir, "", count_visit, &visits), WB_IO);
	script_fail(FDOPENDIR, 1, ENOMEM);
	ck_error(dir_list(dir, "", count_visit, &visits), WB_NO_MEMORY);
	ck_assert_int_eq(visits, 0);
	/* At the end of the list: it would look complete. */
	script_fail(READDIR, 4, EIO);
	ck_error(dir_list(dir, "", count_visit, &visits), WB_IO);
	ck_assert_int_eq(visits, 1);
	script_fail(FSTATAT, 1, EIO);
	ck_error(dir_make(dir, "a"), WB_IO);
}
END_TEST

START_TEST(a_write_rarely_asks_for_the_limit)
{
	ck_ok(file_write(file, "x", 1, 0));
	ck_ok(file_write(file, "x", 1, 1));
	ck_ok(file_write(file, "x", 1, 1 << 20));
	ck_assert_int_eq(script[GETRLIMIT].calls, 1);
	ck_ok(file_write(file, "x", 1, (1 << 20) + 1));
	ck_assert_int_eq(script[GETRLIMIT].calls, 2);
}
END_TEST

START_TEST(a_lock_that_cannot_be_had_is_not_locked)
{
	struct lock_holder holder = {.pid = 42};

	script_fail(FCNTL, 1, ENOLCK);
	ck_error(dir_lock(dir, true, &holder), WB_IO);
	script_fail(FLOCK, 1, ENOLCK);
	ck_error(dir_lock(dir, true, &holder), WB_IO);
	script_fail(OPENAT, 1, ENOSPC);
	ck_error(dir_lock(dir, true, &holder), WB_NO_SPACE);
	ck_assert_int_eq(holder.pid, 42);
	script_fail(FLOCK, 1, EINTR);
	ck_ok(dir_lock(dir, true, &holder));
	ck_assert_int_eq(script[FLOCK].calls, 2);
}
END_TEST

/* An old kernel: a child would take its parent's lock for its own. */
START_TEST(a_directory_that_cannot_know_its_process_is_not_opened)
{
	struct dir *other = NULL;
	struct wb_text text;
	int before = dup(0);
	int after;

	close(before);
	script_fail(MADVISE, 1, EINVAL);
	ck_error(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &other,
				NULL, &text),
		 WB_NO_MEMORY);
	ck_assert_int_eq(script[MADVISE].calls, 1);
	ck_assert_ptr_nonnull(strstr(text.text, temp));
	ck_assert_ptr_null(other);
	after = dup(0);
	close(after);
	ck_assert_int_eq(before, after);
}
END_TEST

START_TEST(a_directory_that_was_made_and_cannot_be_opened_is_removed)
{
	const unsigned flags = POSIX_DIR_ANY_FILESYSTEM | POSIX_DIR_CREATE;
	const char *path = tempdir_path(temp, "new");
	struct dir *other;
	struct stat stat;

	script_fail(OPENAT, 1, EMFILE);
	ck_error(posix_dir_open(path, flags, NULL, &other, NULL, NULL), WB_IO);
	ck_assert_int_ne(lstat(path, &stat), 0);
	/* One that was there is not. */
	script_fail(OPENAT, 1, EMFILE);
	ck_error(posix_dir_open(temp, flags, NULL, &other, NULL, NULL), WB_IO);
	ck_assert_int_eq(lstat(temp, &stat), 0);
}
END_TEST

static pid_t bystander;

static void fork_bystander(void)
{
	at_flock = NULL;
	bystander = fork();
	if (bystander == 0)
		for (;;)
			pause();
}

START_TEST(a_lock_that_is_had_by_half_is_given_back)
{
	struct dir *other;

	script_fail(FLOCK, 1, ENOLCK);
	at_flock = fork_bystander;
	ck_error(dir_lock(dir, true, NULL), WB_IO);
	ck_assert_int_gt(bystander, 0);
	ck_ok(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &other, NULL,
			     NULL));
	ck_ok(dir_lock(other, true, NULL));
	dir_close(other);
	ck_assert_int_eq(kill(bystander, SIGKILL), 0);
	ck_assert_int_eq(waitpid(bystander, NULL, 0), bystander);
}
END_TEST

START_TEST(a_full_disk_keeps_nobody_from_locking)
{
	struct lock_holder holder;
	struct dir *other;

	script_fail(PWRITE, 1, ENOSPC);
	ck_ok(dir_lock(dir, true, &holder));
	ck_assert_int_eq(script[PWRITE].calls, 1);
	ck_ok(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &other, NULL,
			     NULL));
	/* It could not write who it is; the kernel may know. */
	ck_error(dir_lock(other, true, &holder), WB_LOCKED);
	ck_assert_int_eq(holder.pid,
			 tempdir_locks_are_listed(temp) ? getpid() : 0);
	dir_close(other);
}
END_TEST

START_TEST(without_a_boot_id_a_lock_still_names_its_holder)
{
	struct lock_holder holder;
	struct dir *other;

	ck_ok(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &other, NULL,
			     NULL));
	script_fail(OPEN, ALWAYS, ENOENT);
	ck_ok(dir_lock(dir, true, NULL));
	ck_error(dir_lock(other, true, &holder), WB_LOCKED);
	ck_assert_int_eq(holder.pid, getpid());
	ck_assert_str_eq(holder.command, program_invocation_short_name);
	/* Of another boot: the kernel may know. */
	script_fail(OPEN, 0, 0);
	ck_error(dir_lock(other, true, &holder), WB_LOCKED);
	ck_assert_int_eq(holder.pid,
			 tempdir_locks_are_listed(temp) ? getpid() : 0);
	dir_close(other);
}
END_TEST

START_TEST(a_filesystem_that_cannot_be_asked_is_not_opened)
{
	struct wb_text text;
	struct dir *other = NULL;

	script_fail(FSTATFS, 1, EIO);
	ck_error(posix_dir_open(temp, 0, NULL, &other, NULL, &text), WB_IO);
	ck_assert_ptr_nonnull(strstr(text.text, temp));
	ck_assert_ptr_nonnull(strstr(text.text, strerror(EIO)));
	ck_assert_ptr_null(other);
}
END_TEST

/* What looks like an overlay here is none, and its options are read as they
 * are: nothing volatile. */
START_TEST(an_overlay_whose_options_cannot_be_known_is_not_opened)
{
	struct wb_text text;
	struct dir *other = NULL;

	magic = 0x794C7630;
	ck_ok(posix_dir_open(temp, 0, NULL, &other, NULL, NULL));
	dir_close(other);
	other = NULL;
	for (int way = 0; way < 3; way++) {
		script_fail(STATX, 1, way == 0 ? ENOSYS : 0);
		unknown = way == 1 ? STATX_MNT_ID : 0;
		mount_id = way == 2 ? UINT64_MAX - 1 : 0;
		ck_error(posix_dir_open(temp, 0, NULL, &other, NULL, &text),
			 WB_UNSUPPORTED);
		ck_assert_ptr_nonnull(strstr(text.text, "cannot be read"));
		ck_assert_ptr_null(other);
	}
	magic = 0;
}
END_TEST

START_TEST(random_numbers_come_in_parts)
{
	unsigned char buffer[100];
	int zeros = 0;

	memset(buffer, 0, sizeof(buffer));
	script_cut(GETRANDOM, 7);
	script[GETRANDOM].at = 3;
	script[GETRANDOM].number = EINTR;
	posix_random.fill(&posix_random, buffer, sizeof(buffer));
	ck_assert_int_eq(script[GETRANDOM].calls, 16);
	for (size_t i = 0; i < sizeof(buffer); i++)
		zeros += buffer[i] == 0;
	ck_assert_int_lt(zeros, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("posix_file");
	TCase *tcase = tcase_create("calls");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase,
		       fault_42_short_transfers_go_on_where_they_stopped);
	tcase_add_test(tcase, fault_43_interrupted_transfers_are_tried_again);
	tcase_add_test(tcase, fault_43_interrupted_opens_are_tried_again);
	tcase_add_test(tcase, a_transfer_that_fails_half_way_fails);
	tcase_add_test(tcase, a_write_of_nothing_is_no_endless_loop);
	tcase_add_loop_test(tcase, fault_38_a_failed_sync_is_never_tried_again,
			    0, 5);
	tcase_add_test(tcase, a_sync_is_one_system_call_of_its_kind);
	tcase_add_loop_test(
		tcase, without_reservation_the_file_is_that_long_all_the_same,
		0, 2);
	tcase_add_test(tcase, errors_of_the_kernel_reach_the_caller);
	tcase_add_test(tcase, a_list_that_cannot_be_had_is_an_error);
	tcase_add_test(tcase, a_write_rarely_asks_for_the_limit);
	tcase_add_test(tcase, a_lock_that_cannot_be_had_is_not_locked);
	tcase_add_test(tcase,
		       a_directory_that_cannot_know_its_process_is_not_opened);
	tcase_add_test(
		tcase,
		a_directory_that_was_made_and_cannot_be_opened_is_removed);
	tcase_add_test(tcase, a_lock_that_is_had_by_half_is_given_back);
	tcase_add_test(tcase, a_full_disk_keeps_nobody_from_locking);
	tcase_add_test(tcase, without_a_boot_id_a_lock_still_names_its_holder);
	tcase_add_test(tcase, a_filesystem_that_cannot_be_asked_is_not_opened);
	tcase_add_test(tcase,
		       an_overlay_whose_options_cannot_be_known_is_not_opened);
	tcase_add_test(tcase, random_numbers_come_in_parts);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
