/* SPDX-License-Identifier: Apache-2.0
 *
 * The real directory: the contract, opening, names, and disks that are full
 * or limited. Locks are in test_posix_lock.c, filesystems that are not to be
 * trusted in test_posix_filesystem.c, failing system calls in
 * test_posix_file.c.
 */
#include "base/posix.h"
#include "base/posix_private.h"
#include "tests/support/contract.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHED_BYTES (8u << 20)

static char *temp;
static struct simenv env;

static void setup(void)
{
	temp = tempdir_make();
	simenv_init(&env, 1);
}

static void teardown(void)
{
	simenv_release(&env);
	tempdir_remove(temp);
}

/* Tests may run where / is an overlay. */
static struct dir *open_dir(const char *path)
{
	struct dir *dir;
	struct wb_text text = {""};

	ck_assert_msg(posix_dir_open(path, POSIX_DIR_ANY_FILESYSTEM, NULL, &dir,
				     NULL, &text) == WB_OK,
		      "%s", text.text);
	return dir;
}

static enum wb_error try_open(const char *path, unsigned flags,
			      struct wb_text *text)
{
	struct dir *dir = NULL;
	enum wb_error error =
		posix_dir_open(path, flags, &env.diag, &dir, NULL, text);

	dir_close(dir);
	return error;
}

START_TEST(contract)
{
	struct dir *dir = open_dir(temp);

	printf("# %s\n", contract_cases[_i].name);
	contract_cases[_i].run(dir);
	dir_close(dir);
}
END_TEST

/* ---- opening ---- */

START_TEST(a_missing_directory_is_not_found)
{
	struct wb_text text;
	const char *path = tempdir_path(temp, "none");

	ck_error(try_open(path, 0, &text), WB_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(text.text, path));
	ck_assert_ptr_nonnull(strstr(text.text, strerror(ENOENT)));
	ck_error(try_open("", 0, NULL), WB_NOT_FOUND);
}
END_TEST

START_TEST(a_file_is_no_directory)
{
	struct wb_text text;
	struct dir *dir = open_dir(temp);
	const char *path = tempdir_path(temp, "a");
	struct file *file;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	file_close(file);
	dir_close(dir);
	ck_error(try_open(path, 0, &text), WB_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(text.text, strerror(ENOTDIR)));
	ck_error(try_open(path, POSIX_DIR_CREATE, &text), WB_NOT_FOUND);
}
END_TEST

START_TEST(create_makes_one_private_level)
{
	unsigned flags = POSIX_DIR_CREATE | POSIX_DIR_ANY_FILESYSTEM;
	const char *path = tempdir_path(temp, "new");
	struct wb_text text;
	struct stat stat_of;
	struct dir *dir;
	bool created = false;

	umask(0);
	ck_ok(posix_dir_open(path, flags, NULL, &dir, &created, NULL));
	ck_assert(created);
	dir_close(dir);
	ck_assert_int_eq(stat(path, &stat_of), 0);
	ck_assert_uint_eq(stat_of.st_mode & 07777, 0700);
	ck_ok(posix_dir_open(path, flags, NULL, &dir, &created, NULL));
	ck_assert(!created);
	dir_close(dir);
	path = tempdir_path(temp, "none/deeper");
	ck_error(try_open(path, flags, &text), WB_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(text.text, path));
}
END_TEST

START_TEST(files_are_private)
{
	struct dir *dir = open_dir(temp);
	struct stat stat_of;
	struct file *file;

	umask(0);
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_ok(dir_make(dir, "tmp"));
	ck_assert_int_eq(stat(tempdir_path(temp, "a"), &stat_of), 0);
	ck_assert_uint_eq(stat_of.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(tempdir_path(temp, "tmp"), &stat_of), 0);
	ck_assert_uint_eq(stat_of.st_mode & 07777, 0700);
	file_close(file);
	dir_close(dir);
}
END_TEST

START_TEST(without_permission_nothing_is_made)
{
	unsigned flags = POSIX_DIR_CREATE | POSIX_DIR_ANY_FILESYSTEM;
	char *path = strdup(tempdir_path(temp, "new"));
	struct wb_text text;
	struct dir *dir = open_dir(temp);
	struct file *file;
	struct file *old;

	ck_ok(dir_open(dir, "old", FILE_CREATE, &old));
	ck_assert_int_eq(chmod(temp, 0555), 0);
	/* Root may do everything. */
	if (geteuid() == 0) {
		ck_assert_int_eq(setgroups(0, NULL), 0);
		ck_assert_int_eq(setegid(65534), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ck_error(try_open(path, flags, &text), WB_PERMISSION);
	ck_assert_ptr_nonnull(strstr(text.text, path));
	ck_assert_ptr_nonnull(strstr(text.text, strerror(EACCES)));
	ck_error(dir_open(dir, "a", FILE_CREATE, &file), WB_PERMISSION);
	ck_error(dir_make(dir, "tmp"), WB_PERMISSION);
	ck_error(dir_remove(dir, "old"), WB_PERMISSION);
	ck_error(dir_rename(dir, "old", "a", CONTROL_ANCHOR_RENAME),
		 WB_PERMISSION);
	if (getuid() == 0) {
		ck_error(dir_open(dir, "old", FILE_READ, &file), WB_PERMISSION);
		ck_assert_int_eq(seteuid(0), 0);
		ck_assert_int_eq(setegid(0), 0);
	}
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(chmod(temp, 0700), 0);
	file_close(old);
	dir_close(dir);
	free(path);
}
END_TEST

START_TEST(fault_64_a_renamed_directory_stays_the_same_store)
{
	unsigned flags = POSIX_DIR_CREATE | POSIX_DIR_ANY_FILESYSTEM;
	char *from = strdup(tempdir_path(temp, "from"));
	char *to = strdup(tempdir_path(temp, "to"));
	struct file *file;
	struct dir *other;
	struct dir *dir;

	ck_ok(posix_dir_open(from, flags, NULL, &dir, NULL, NULL));
	ck_assert_int_eq(rename(from, to), 0);
	ck_ok(posix_dir_open(from, flags, NULL, &other, NULL, NULL));
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	file_close(file);
	ck_error(dir_open(other, "a", FILE_READ, &file), WB_NOT_FOUND);
	dir_close(dir);
	dir_close(other);
	dir = open_dir(to);
	ck_ok(dir_open(dir, "a", FILE_READ, &file));
	file_close(file);
	dir_close(dir);
	free(from);
	free(to);
}
END_TEST

static bool see_nothing(void *context, const char *entry)
{
	(void)context;
	(void)entry;
	return true;
}

START_TEST(what_is_no_file_is_not_opened)
{
	struct dir *dir = open_dir(temp);
	struct file *file = NULL;

	ck_assert_int_eq(mkfifo(tempdir_path(temp, "fifo"), 0600), 0);
	ck_assert_int_eq(symlink("real", tempdir_path(temp, "link")), 0);
	ck_assert_int_eq(symlink(".", tempdir_path(temp, "dots")), 0);
	ck_error(dir_open(dir, "fifo", FILE_READ, &file), WB_IO);
	ck_error(dir_open(dir, "fifo", FILE_WRITE, &file), WB_IO);
	ck_error(dir_open(dir, "link", FILE_READ, &file), WB_IO);
	/* Neither made through the link, nor opened once it is there. */
	ck_error(dir_open(dir, "link", FILE_CREATE, &file), WB_IO);
	ck_assert_int_eq(access(tempdir_path(temp, "real"), F_OK), -1);
	ck_ok(dir_open(dir, "real", FILE_CREATE, &file));
	file_close(file);
	file = NULL;
	ck_error(dir_open(dir, "link", FILE_WRITE, &file), WB_IO);
	ck_error(dir_make(dir, "dots"), WB_EXISTS);
	ck_error(dir_sync(dir, "dots", CONTROL_TORN_DIR_SYNC), WB_NOT_FOUND);
	ck_assert_ptr_null(file);
	dir_close(dir);
}
END_TEST

START_TEST(a_failure_tells_what_it_was_about)
{
	struct dir *dir = open_dir(temp);
	struct file *file = NULL;
	struct rlimit old, none;
	enum wb_error error;

	posix_why_forget();
	ck_assert_str_eq(posix_why(WB_IO), "");
	ck_assert_int_eq(mkdir(tempdir_path(temp, "d"), 0700), 0);
	ck_assert_int_eq(mkfifo(tempdir_path(temp, "fifo"), 0600), 0);
	ck_assert_int_eq(symlink("d", tempdir_path(temp, "link")), 0);
	ck_error(dir_open(dir, "d", FILE_READ, &file), WB_IO);
	ck_assert_str_eq(posix_why(WB_IO), "d: not a regular file");
	ck_error(dir_open(dir, "d", FILE_WRITE, &file), WB_IO);
	ck_assert_str_eq(posix_why(WB_IO), "d: not a regular file");
	ck_error(dir_open(dir, "fifo", FILE_READ, &file), WB_IO);
	ck_assert_str_eq(posix_why(WB_IO), "fifo: not a regular file");
	ck_error(dir_open(dir, "link", FILE_READ, &file), WB_IO);
	ck_assert_str_eq(posix_why(WB_IO), "link: a symbolic link");
	ck_assert(posix_is_no_file(WB_IO));
	ck_assert(!posix_is_no_file(WB_EXISTS));
	ck_error(dir_make(dir, "fifo"), WB_EXISTS);
	ck_assert_str_eq(posix_why(WB_EXISTS), "fifo: not a directory");
	ck_assert_str_eq(posix_why(WB_IO), "");
	ck_assert_str_eq(posix_why(WB_OK), "");

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){10, old.rlim_max};
	/* Check itself writes to files; there is no room for it meanwhile. */
	setrlimit(RLIMIT_FSIZE, &none);
	error = file_write(file, "too much", 8, 10);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_error(error, WB_NO_SPACE);
	ck_assert_str_eq(posix_why(WB_NO_SPACE), "a: File too large");
	file_close(file);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){3, old.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_error(dir_list(dir, "", see_nothing, NULL), WB_IO);
	ck_assert_str_eq(posix_why(WB_IO),
			 "the directory: Too many open files");
	ck_error(dir_open(dir, "a", FILE_READ, &file), WB_IO);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	ck_assert_str_eq(posix_why(WB_IO), "a: Too many open files");
	posix_why_forget();
	ck_assert_str_eq(posix_why(WB_IO), "");
	dir_close(dir);
}
END_TEST

/* As another user where this is root, whom nothing stops. */
START_TEST(a_parent_that_cannot_be_read_or_synced_is_none_of_our_business)
{
	const char *path = tempdir_path(temp, "store");
	bool root = geteuid() == 0;
	struct dir *dir;

	ck_assert_int_eq(mkdir(path, 0777), 0);
	dir = open_dir(path);
	ck_assert_int_eq(chmod(temp, root ? 0711 : 0311), 0);
	if (root)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(open(temp, O_RDONLY | O_DIRECTORY), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_ok(dir_sync(dir, "..", CONTROL_TORN_DIR_SYNC));
	if (root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(temp, 0700), 0);
	dir_close(dir);
	dir = open_dir("/proc/self");
	ck_error(dir_sync(dir, "", CONTROL_TORN_DIR_SYNC), WB_IO);
	ck_ok(dir_sync(dir, "..", CONTROL_TORN_DIR_SYNC));
	dir_close(dir);
}
END_TEST

START_TEST(nothing_is_left_open)
{
	struct dir *dir = open_dir(temp);
	struct file *file;
	int before = dup(0);
	int after;

	close(before);
	for (int i = 0; i < 50; i++) {
		ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
		file_close(file);
		ck_ok(dir_make(dir, "tmp"));
		ck_error(dir_open(dir, "tmp", FILE_READ, &file), WB_IO);
		ck_ok(dir_sync(dir, "", CONTROL_TORN_DIR_SYNC));
		ck_ok(dir_sync(dir, "..", CONTROL_TORN_DIR_SYNC));
		ck_error(try_open(tempdir_path(temp, "a"), 0, NULL),
			 WB_NOT_FOUND);
	}
	file_close(NULL);
	dir_close(NULL);
	after = dup(0);
	close(after);
	ck_assert_int_eq(before, after);
	dir_close(dir);
}
END_TEST

/* ---- limits ---- */

START_TEST(fault_48_the_file_size_limit_is_an_error_and_no_signal)
{
	struct rlimit limit = {.rlim_cur = 8192, .rlim_max = RLIM_INFINITY};
	char bytes[4096] = {1};
	struct dir *dir = open_dir(temp);
	struct file *file;
	uint64_t size;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_ok(file_truncate(file, 16384));
	/* SIGXFSZ would end this process. */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_ok(file_write(file, bytes, 4096, 4096));
	ck_error(file_write(file, bytes, 4096, 4097), WB_NO_SPACE);
	ck_error(file_write(file, bytes, 1, 8192), WB_NO_SPACE);
	ck_error(file_truncate(file, 20000), WB_NO_SPACE);
	ck_error(file_allocate(file, 20000), WB_NO_SPACE);
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 16384);
	/* Cutting is not growing. */
	ck_ok(file_truncate(file, 12000));
	ck_ok(file_truncate(file, 8192));
	ck_ok(file_allocate(file, 8192));
	ck_ok(file_sync(file, CONTROL_GROUP_SYNC));
	file_close(file);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	dir_close(dir);
}
END_TEST

START_TEST(fault_44_a_full_disk_is_no_space)
{
	static char bytes[70000];
	char *path = strdup(tempdir_path(temp, "mount"));
	struct dir *dir;
	struct file *file;
	uint64_t size;

	if (!tempdir_mount(path, "tmpfs", "size=64k,nr_inodes=5")) {
		suite_skip("fault_44_a_full_disk_is_no_space",
			   "mounting needs root");
		free(path);
		return;
	}
	memset(bytes, 'x', sizeof(bytes));
	dir = open_dir(path);
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_error(file_write(file, bytes, sizeof(bytes), 0), WB_NO_SPACE);
	/* A short write came first. */
	ck_ok(file_size(file, &size));
	ck_assert_uint_gt(size, 4096);
	ck_ok(file_truncate(file, 0));
	ck_error(file_allocate(file, 1 << 20), WB_NO_SPACE);
	ck_ok(file_allocate(file, 4096));
	ck_ok(file_write(file, bytes, 4096, 0));
	file_close(file);
	/* Inodes run out as well. */
	for (char name[2] = "b"; *name < 'e'; ++*name) {
		ck_ok(dir_open(dir, name, FILE_CREATE, &file));
		file_close(file);
	}
	ck_error(dir_open(dir, "e", FILE_CREATE, &file), WB_NO_SPACE);
	ck_error(dir_make(dir, "tmp"), WB_NO_SPACE);
	ck_ok(dir_remove(dir, "b"));
	ck_ok(dir_make(dir, "tmp"));
	dir_close(dir);
	ck_assert_int_eq(umount(path), 0);
	free(path);
}
END_TEST

START_TEST(fault_50_a_read_only_mount_is_no_permission)
{
	char *path = strdup(tempdir_path(temp, "mount"));
	unsigned long again = MS_REMOUNT | MS_RDONLY;
	struct lock_holder holder;
	struct file *file;
	struct dir *dir;

	if (!tempdir_mount(path, "tmpfs", "size=64k")) {
		suite_skip("fault_50_a_read_only_mount_is_no_permission",
			   "mounting needs root");
		free(path);
		return;
	}
	dir = open_dir(path);
	ck_ok(dir_lock(dir, true, &holder));
	dir_close(dir);
	ck_assert_int_eq(mount(NULL, path, NULL, again, NULL), 0);
	dir = open_dir(path);
	ck_error(dir_open(dir, "a", FILE_CREATE, &file), WB_PERMISSION);
	ck_error(dir_make(dir, "tmp"), WB_PERMISSION);
	ck_error(dir_remove(dir, "lock"), WB_PERMISSION);
	ck_error(dir_lock(dir, true, &holder), WB_PERMISSION);
	ck_ok(dir_lock(dir, false, &holder));
	dir_close(dir);
	ck_assert_int_eq(umount(path), 0);
	free(path);
}
END_TEST

/* ---- errors ---- */

START_TEST(errno_becomes_what_the_contract_says)
{
	static const struct {
		int number;
		enum wb_error error;
	} table[] = {
		{ENOENT, WB_NOT_FOUND},	  {ENOTDIR, WB_NOT_FOUND},
		{EEXIST, WB_EXISTS},	  {ENOSPC, WB_NO_SPACE},
		{EDQUOT, WB_NO_SPACE},	  {EFBIG, WB_NO_SPACE},
		{EACCES, WB_PERMISSION},  {EPERM, WB_PERMISSION},
		{EROFS, WB_PERMISSION},	  {ENOMEM, WB_NO_MEMORY},
		{ENAMETOOLONG, WB_USAGE}, {EIO, WB_IO},
		{EINTR, WB_IO},		  {EMFILE, WB_IO},
		{EINVAL, WB_IO},	  {EISDIR, WB_IO},
		{ELOOP, WB_IO},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		ck_error(posix_error(table[i].number), table[i].error);
}
END_TEST

/* Pages of the file from `from` on that are in the page cache. */
static size_t pages_cached(const char *path, size_t from, size_t size)
{
	unsigned char pages[CACHED_BYTES / 4096];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	size_t count = 0;
	void *map;

	ck_assert_int_ge(fd, 0);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert(map != MAP_FAILED);
	ck_assert_int_eq(mincore(map, size, pages), 0);
	for (size_t page = from / 4096; page < size / 4096; page++)
		count += pages[page] & 1;
	munmap(map, size);
	close(fd);
	return count;
}

/* However large the folios are in which the kernel caches the file. */
START_TEST(no_page_behind_the_place_stays_in_the_cache)
{
	static const size_t places[] = {
		0, 1, 4096, 3u << 20, (5u << 20) + 100, CACHED_BYTES - 1};
	static unsigned char bytes[CACHED_BYTES];
	struct dir *dir = open_dir(temp);
	size_t from = places[_i], size;
	char path[PATH_MAX];
	struct file *file;

	memset(bytes, 'x', sizeof(bytes));
	snprintf(path, sizeof(path), "%s/cached", temp);
	ck_ok(dir_open(dir, "cached", FILE_CREATE, &file));
	ck_ok(file_write(file, bytes, sizeof(bytes), 0));
	ck_ok(file_sync(file, CONTROL_GROUP_SYNC));
	ck_ok(file_read(file, bytes, sizeof(bytes), 0, &size));
	ck_assert_uint_gt(pages_cached(path, from, CACHED_BYTES), 0);
	ck_ok(file_drop_cache(file, from, CONTROL_GROUP_SYNC));
	ck_assert_uint_eq(pages_cached(path, from, CACHED_BYTES), 0);
	file_close(file);
	dir_close(dir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("posix");
	TCase *tcase = tcase_create("posix");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, contract, 0, contract_case_count);
	tcase_add_test(tcase, a_missing_directory_is_not_found);
	tcase_add_test(tcase, a_file_is_no_directory);
	tcase_add_test(tcase, create_makes_one_private_level);
	tcase_add_test(tcase, files_are_private);
	tcase_add_test(tcase, without_permission_nothing_is_made);
	tcase_add_test(tcase,
		       fault_64_a_renamed_directory_stays_the_same_store);
	tcase_add_test(tcase, what_is_no_file_is_not_opened);
	tcase_add_test(tcase, a_failure_tells_what_it_was_about);
	tcase_add_test(
		tcase,
		a_parent_that_cannot_be_read_or_synced_is_none_of_our_business);
	tcase_add_test(tcase, nothing_is_left_open);
	tcase_add_test(tcase,
		       fault_48_the_file_size_limit_is_an_error_and_no_signal);
	tcase_add_test(tcase, fault_44_a_full_disk_is_no_space);
	tcase_add_test(tcase, fault_50_a_read_only_mount_is_no_permission);
	tcase_add_test(tcase, errno_becomes_what_the_contract_says);
	tcase_add_loop_test(tcase, no_page_behind_the_place_stays_in_the_cache,
			    0, 6);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
