/* SPDX-License-Identifier: Apache-2.0
 *
 * One writer or several readers, in this process, in others, and through
 * fork, exec and kill.
 */
#include "base/posix.h"
#include "base/posix_private.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *temp;

static void setup(void)
{
	temp = tempdir_make();
}

static void teardown(void)
{
	tempdir_remove(temp);
}

static struct dir *open_dir(void)
{
	struct dir *dir;

	ck_ok(posix_dir_open(temp, POSIX_DIR_ANY_FILESYSTEM, NULL, &dir, NULL,
			     NULL));
	return dir;
}

static struct dir *open_locked(bool exclusive)
{
	struct dir *dir = open_dir();

	ck_ok(dir_lock(dir, exclusive, NULL));
	return dir;
}

/* Another opener gets `expected`; its answer about the holder. */
static struct lock_holder try_lock(bool exclusive, enum wb_error expected)
{
	struct lock_holder holder = {.pid = -1};
	struct dir *dir = open_dir();

	ck_error(dir_lock(dir, exclusive, &holder), expected);
	dir_close(dir);
	return holder;
}

/* ---- processes ---- */

/* A child that ran `body` and waits to be told to end, or to be killed. */
struct child {
	pid_t pid;
	int tell;
};

static struct child child_start(void (*body)(void *context), void *context)
{
	struct child child;
	int ready[2];
	int tell[2];
	char byte = 0;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(tell, O_CLOEXEC), 0);
	child.pid = fork();
	ck_assert_int_ge(child.pid, 0);
	if (child.pid == 0) {
		close(tell[1]);
		body(context);
		if (write(ready[1], &byte, 1) != 1 ||
		    read(tell[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(tell[0]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	child.tell = tell[1];
	return child;
}

static void child_end(struct child child)
{
	int status;

	close(child.tell);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(status, 0);
}

static void child_kill(struct child child)
{
	ck_assert_int_eq(kill(child.pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, 0), child.pid);
	close(child.tell);
}

static void lock_exclusively(void *context)
{
	(void)context;
	open_locked(true);
}

static void lock_shared(void *context)
{
	(void)context;
	open_locked(false);
}

static void do_nothing(void *context)
{
	(void)context;
}

static void close_dir(void *context)
{
	dir_close(context);
}

/* Readers are named where /proc/locks can be matched with their directory. */
static pid_t named(pid_t pid)
{
	return tempdir_locks_are_listed(temp) ? pid : 0;
}

/* ---- cases ---- */

START_TEST(fault_55_a_second_process_is_told_the_first_ones_pid_at_once)
{
	struct child child = child_start(lock_exclusively, NULL);
	struct timespec before;
	struct timespec after;
	struct lock_holder holder;

	for (int exclusive = 0; exclusive < 2; exclusive++) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		holder = try_lock(exclusive, WB_LOCKED);
		clock_gettime(CLOCK_MONOTONIC, &after);
		ck_assert_int_eq(holder.pid, child.pid);
		ck_assert_str_eq(holder.command, program_invocation_short_name);
		ck_assert_int_lt(after.tv_sec - before.tv_sec, 5);
	}
	child_end(child);
	try_lock(true, WB_OK);
}
END_TEST

START_TEST(a_second_handle_of_the_same_process_is_locked_out)
{
	struct dir *dir = open_locked(true);

	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, getpid());
	ck_assert_int_eq(try_lock(false, WB_LOCKED).pid, getpid());
	/* The attempts did not take the lock from its holder. */
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, getpid());
	dir_close(dir);
	try_lock(true, WB_OK);
}
END_TEST

START_TEST(readers_share_and_keep_writers_out)
{
	struct dir *one;
	struct dir *two;

	dir_close(open_locked(true));
	one = open_locked(false);
	two = open_locked(false);
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, named(getpid()));
	dir_close(one);
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, named(getpid()));
	try_lock(false, WB_OK);
	dir_close(two);
	try_lock(true, WB_OK);
}
END_TEST

/* The text is of a writer that has gone; it is the reader who is named. */
START_TEST(a_reader_in_another_process_keeps_writers_out)
{
	struct lock_holder holder;
	struct child child;

	dir_close(open_locked(true));
	child = child_start(lock_shared, NULL);
	holder = try_lock(true, WB_LOCKED);
	ck_assert_int_eq(holder.pid, named(child.pid));
	if (named(child.pid))
		ck_assert_str_eq(holder.command, program_invocation_short_name);
	else
		ck_assert_str_eq(holder.command, "");
	try_lock(false, WB_OK);
	child_end(child);
	try_lock(true, WB_OK);
}
END_TEST

/* Of other directories there may be locks as well. */
START_TEST(a_reader_of_something_else_is_not_named)
{
	struct child child;
	struct dir *other;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	ck_assert_int_eq(mkdir(tempdir_path(temp, "d"), 0700), 0);
	ck_ok(posix_dir_open(tempdir_path(temp, "d"), POSIX_DIR_ANY_FILESYSTEM,
			     NULL, &other, NULL, NULL));
	ck_ok(dir_lock(other, true, NULL));
	/* By the file alone, which the list does not tell apart by pid. */
	child = child_start(do_nothing, NULL);
	fd = open(tempdir_path(temp, "lock"), O_RDWR | O_CREAT | O_CLOEXEC,
		  0600);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, 0);
	close(fd);
	child_end(child);
	dir_close(other);
}
END_TEST

/* As where a backup left it out. */
START_TEST(a_reader_needs_no_lock_file_and_makes_none)
{
	struct dir *reader = open_locked(false);
	struct child child;

	ck_assert_int_eq(access(tempdir_path(temp, "lock"), F_OK), -1);
	try_lock(false, WB_OK);
	try_lock(true, WB_LOCKED);
	/* That attempt made one; with it or without it readers share. */
	try_lock(false, WB_OK);
	try_lock(true, WB_LOCKED);
	dir_close(reader);
	try_lock(true, WB_OK);

	child = child_start(lock_exclusively, NULL);
	ck_assert_int_eq(unlink(tempdir_path(temp, "lock")), 0);
	try_lock(false, WB_LOCKED);
	child_end(child);
}
END_TEST

START_TEST(nobody_need_ask_who_it_was)
{
	struct dir *dir = open_locked(true);
	struct dir *other = open_dir();

	ck_error(dir_lock(other, true, NULL), WB_LOCKED);
	dir_close(other);
	dir_close(dir);
}
END_TEST

START_TEST(a_killed_holder_lets_go)
{
	struct child child = child_start(lock_exclusively, NULL);

	try_lock(true, WB_LOCKED);
	child_kill(child);
	try_lock(true, WB_OK);
}
END_TEST

START_TEST(a_killed_writers_text_is_not_shown)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	child_kill(child_start(lock_exclusively, NULL));
	/* Its text is still there, and another writer's lock is held that
	 * has not said who it is. */
	fd = open(tempdir_path(temp, "lock"), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(lseek(fd, 0, SEEK_END), 0);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, 0);
	close(fd);
}
END_TEST

START_TEST(fault_57_a_deleted_lock_file_lets_nobody_in)
{
	struct dir *writer = open_locked(true);

	ck_assert_int_eq(unlink(tempdir_path(temp, "lock")), 0);
	try_lock(true, WB_LOCKED);
	/* That attempt made a new file; it locks nobody out for ever. */
	try_lock(false, WB_LOCKED);
	dir_close(writer);
	try_lock(true, WB_OK);
}
END_TEST

START_TEST(a_forked_child_that_lives_on_keeps_nobody_out)
{
	struct dir *dir;
	struct child child;

	if (_i < 2)
		dir_close(open_locked(true)); /* and leaves the file */
	dir = open_locked(_i == 1);
	child = child_start(do_nothing, NULL);
	try_lock(true, WB_LOCKED);
	dir_close(dir);
	try_lock(true, WB_OK);
	child_end(child);
}
END_TEST

START_TEST(a_forked_child_that_closes_takes_nothing_away)
{
	struct dir *dir = open_locked(true);

	child_end(child_start(close_dir, dir));
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, getpid());
	dir_close(dir);
	try_lock(true, WB_OK);
}
END_TEST

/* The first process of a new pid namespace locks; its child is the first of
 * another, closes what it inherited, and the lock must still be there. The
 * exit status is the line that was not reached. */
static void close_as_the_same_pid(void)
{
	struct dir *dir = open_locked(true);
	struct dir *other = open_dir();
	pid_t pid;
	int status;

	if (getpid() != 1 || unshare(CLONE_NEWPID) != 0)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		if (getpid() != 1)
			_exit(1);
		dir_close(dir);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(2);
	if (dir_lock(other, true, NULL) != WB_LOCKED)
		_exit(3);
	dir_close(dir);
	if (dir_lock(other, true, NULL) != WB_OK)
		_exit(4);
	_exit(0);
}

enum { NO_NAMESPACE = 100 };

/* In a child of the test: once the first process of its namespace has ended,
 * whoever asked for that can fork no more, and the leak check at the end of a
 * test wants to. */
static void enter_namespace(void)
{
	pid_t pid;
	int status;

	if (unshare(CLONE_NEWPID) != 0)
		_exit(NO_NAMESPACE);
	pid = fork();
	if (pid == 0)
		close_as_the_same_pid();
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		_exit(5);
	_exit(WEXITSTATUS(status));
}

START_TEST(a_forked_child_with_its_parents_pid_takes_nothing_away)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		enter_namespace();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE)
		suite_skip("a_forked_child_with_its_parents_pid_takes_nothing_"
			   "away",
			   "a pid namespace needs root");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* Writes the pid of a child of its own that waits, then waits itself. */
static void lock_and_fork(void *context)
{
	const int *to = context;
	pid_t pid;

	open_locked(true);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	if (write(to[1], &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
}

/* The limit: nobody is left who could unlock. */
START_TEST(a_killed_parents_child_holds_the_lock_until_it_ends)
{
	struct child child;
	int from[2];
	pid_t orphan;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	child = child_start(lock_and_fork, from);
	ck_assert_int_eq(read(from[0], &orphan, sizeof(orphan)),
			 sizeof(orphan));
	child_kill(child);
	try_lock(true, WB_LOCKED);
	ck_assert_int_eq(kill(orphan, SIGKILL), 0);
	ck_assert_int_eq(waitpid(orphan, NULL, 0), orphan);
	try_lock(true, WB_OK);
	close(from[0]);
	close(from[1]);
}
END_TEST

START_TEST(fault_58_a_program_that_a_child_runs_does_not_hold_the_lock)
{
	struct dir *dir = open_locked(true);
	struct file *file;
	char line[8] = "";
	int out[2];
	int in[2];
	pid_t pid;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl("/bin/sh", "sh", "-c",
		      "ls -l /proc/$$/fd | grep -c \"$0\"; read x", temp,
		      (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	close(in[0]);
	/* It runs now, and counts what it has open of the directory. */
	ck_assert_int_gt(read(out[0], line, sizeof(line) - 1), 0);
	ck_assert_str_eq(line, "0\n");
	file_close(file);
	dir_close(dir);
	try_lock(true, WB_OK);
	close(in[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(out[0]);
}
END_TEST

START_TEST(a_program_with_a_strange_name_can_lock)
{
	char long_name[200];
	struct dir *dir;

	memset(long_name, 'n', sizeof(long_name));
	long_name[199] = '\0';
	program_invocation_short_name = long_name;
	dir = open_locked(true);
	ck_assert_uint_eq(strlen(try_lock(true, WB_LOCKED).command), 63);
	dir_close(dir);
	program_invocation_short_name = (char[]){""};
	dir = open_locked(true);
	ck_assert_str_eq(try_lock(true, WB_LOCKED).command, "?");
	dir_close(dir);
	program_invocation_short_name = (char[]){"a\nb c\xC3\xA9"};
	dir = open_locked(true);
	ck_assert_str_eq(try_lock(true, WB_LOCKED).command, "a?b c??");
	dir_close(dir);
}
END_TEST

/* ---- the text ---- */

static void text_overwrite(const char *text, size_t size)
{
	int fd = open(tempdir_path(temp, "lock"), O_WRONLY | O_TRUNC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	close(fd);
}

START_TEST(a_text_that_cannot_be_trusted_is_not_shown)
{
	const char *foreign = "1 00000000-0000-0000-0000-000000000000 sh\n";
	struct dir *dir = open_locked(true);
	pid_t self = named(getpid()); /* by the kernel, if by anybody */
	char boot_id[37] = "";
	char dead[100];
	struct child child = child_start(do_nothing, NULL);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY);

	ck_assert_int_eq(read(fd, boot_id, 36), 36);
	close(fd);
	/* Another boot; a process that has gone; nothing; garbage. */
	text_overwrite(foreign, strlen(foreign));
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, self);
	child_end(child);
	snprintf(dead, sizeof(dead), "%d %s sh\n", child.pid, boot_id);
	text_overwrite(dead, strlen(dead));
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, self);
	text_overwrite("", 0);
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, self);
	text_overwrite("\0\xFF 1 -", 6);
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, self);
	/* And the control: the same line with a process that lives. */
	snprintf(dead, sizeof(dead), "%d %s sh\n", getppid(), boot_id);
	text_overwrite(dead, strlen(dead));
	ck_assert_int_eq(try_lock(true, WB_LOCKED).pid, getppid());
	dir_close(dir);
}
END_TEST

#define B   "01234567-89ab-cdef-0123-456789abcdef"
#define N63 "123456789012345678901234567890123456789012345678901234567890123"

START_TEST(only_a_whole_text_is_decoded)
{
	static const struct {
		const char *text;
		int64_t pid; /* 0: not a text */
	} table[] = {
		{"1 " B " sh\n", 1},
		{"2147483647 " B " two words\n", 2147483647},
		{"7 - sh\n   ", 7},
		{"007 - sh\n", 7},
		{"1 " B " " N63 "\n", 1},
		{"1 " B " " N63 "4\n", 0},
		{"1 " B "0 sh\n", 0},
		{"2147483648 " B " sh\n", 0},
		{"999999999999999 " B " sh\n", 0},
		{"9999999999999999 " B " sh\n", 0},
		{"0 " B " sh\n", 0},
		{"-1 " B " sh\n", 0},
		{"1x " B " sh\n", 0},
		{"1 " B " sh", 0},
		{"1 " B " \n", 0},
		{"1  sh\n", 0},
		{" 1 - sh\n", 0},
		{"1 - s\th\n", 0},
		{"1 - s\x7Fh\n", 0},
		{"1 - s\xC3\xA9\n", 0},
		{"1\n", 0},
		{"", 0},
		{" ", 0},
		{"\n", 0},
	};
	struct lock_text text = {.pid = 42};
	bool decoded;

	decoded =
		lock_text_decode(table[_i].text, strlen(table[_i].text), &text);
	ck_assert_int_eq(decoded, table[_i].pid != 0);
	ck_assert_int_eq(text.pid, decoded ? table[_i].pid : 42);
}
END_TEST
enum { TEXT_COUNT = 24 };

START_TEST(what_is_encoded_is_decoded)
{
	struct rng rng = rng_of((uint64_t)_i);
	struct lock_text text = {.pid = 1 + (int64_t)rng_below(&rng, INT32_MAX),
				 .boot_id = B};
	struct lock_text back;
	char bytes[LOCK_TEXT_BYTES];
	size_t length = 1 + rng_below(&rng, sizeof(text.command) - 1);

	for (size_t i = 0; i < length; i++)
		text.command[i] = (char)(0x21 + rng_below(&rng, 0x7F - 0x21));
	lock_text_encode(&text, bytes);
	ck_assert_msg(lock_text_decode(bytes, sizeof(bytes), &back), "seed %d",
		      _i);
	ck_assert_int_eq(back.pid, text.pid);
	ck_assert_str_eq(back.boot_id, text.boot_id);
	ck_assert_str_eq(back.command, text.command);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("posix_lock");
	TCase *tcase = tcase_create("lock");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(
		tcase,
		fault_55_a_second_process_is_told_the_first_ones_pid_at_once);
	tcase_add_test(tcase,
		       a_second_handle_of_the_same_process_is_locked_out);
	tcase_add_test(tcase, readers_share_and_keep_writers_out);
	tcase_add_test(tcase, a_reader_in_another_process_keeps_writers_out);
	tcase_add_test(tcase, a_reader_of_something_else_is_not_named);
	tcase_add_test(tcase, a_reader_needs_no_lock_file_and_makes_none);
	tcase_add_test(tcase, nobody_need_ask_who_it_was);
	tcase_add_test(tcase, a_killed_holder_lets_go);
	tcase_add_test(tcase, a_killed_writers_text_is_not_shown);
	tcase_add_test(tcase, fault_57_a_deleted_lock_file_lets_nobody_in);
	tcase_add_loop_test(tcase,
			    a_forked_child_that_lives_on_keeps_nobody_out, 0,
			    3);
	tcase_add_test(tcase, a_forked_child_that_closes_takes_nothing_away);
	tcase_add_test(tcase,
		       a_forked_child_with_its_parents_pid_takes_nothing_away);
	tcase_add_test(tcase,
		       a_killed_parents_child_holds_the_lock_until_it_ends);
	tcase_add_test(
		tcase,
		fault_58_a_program_that_a_child_runs_does_not_hold_the_lock);
	tcase_add_test(tcase, a_program_with_a_strange_name_can_lock);
	tcase_add_test(tcase, a_text_that_cannot_be_trusted_is_not_shown);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("text");
	tcase_add_loop_test(tcase, only_a_whole_text_is_decoded, 0, TEXT_COUNT);
	tcase_add_loop_test(tcase, what_is_encoded_is_decoded, 0, 100);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
