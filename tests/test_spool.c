/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/spool.h"

#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;
static struct wb_text text;
static struct spool spool;

static void set_up(void)
{
	directory = tempdir_make();
	setenv("TMPDIR", directory, 1);
	text = (struct wb_text){""};
}

static void tear_down(void)
{
	unsetenv("TMPDIR");
	tempdir_remove(directory);
}

static const char *make_file(const char *content)
{
	const char *path = tempdir_path(directory, "file");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)),
			 (ssize_t)strlen(content));
	close(fd);
	return path;
}

static const char *read_at(uint64_t offset, size_t size)
{
	static char bytes[64];
	size_t got = 99;

	ck_assert_uint_lt(size, sizeof(bytes));
	ck_ok(spool_read(&spool, bytes, size, offset, &got));
	ck_assert_uint_le(got, size);
	bytes[got] = 0;
	return bytes;
}

static void check_content(void)
{
	for (unsigned times = 0; times < 2; times++) {
		ck_assert_str_eq(read_at(0, 10), "0123456789");
		ck_assert_str_eq(read_at(3, 4), "3456");
		ck_assert_str_eq(read_at(8, 10), "89");
		ck_assert_str_eq(read_at(10, 10), "");
		ck_assert_str_eq(read_at(1000, 10), "");
	}
}

START_TEST(a_file_is_read_at_any_offset_more_than_once)
{
	ck_ok(spool_open(&spool, make_file("0123456789"), &text));
	check_content();
	spool_close(&spool);
	spool_close(&spool);
}
END_TEST

/* Makes `fd` standard input. */
static void use_as_input(int fd)
{
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	close(fd);
}

START_TEST(a_pipe_too)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "0123456789", 10), 10);
	close(ends[1]);
	use_as_input(ends[0]);
	ck_ok(spool_open(&spool, "-", &text));
	check_content();
	spool_close(&spool);
	/* Of the copy nothing has a name. */
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(mkdir(directory, 0700), 0);
}
END_TEST

START_TEST(standard_input_is_read_from_where_it_stands)
{
	int fd = open(make_file("header\n0123456789"), O_RDONLY);

	ck_assert_int_eq(lseek(fd, 7, SEEK_SET), 7);
	use_as_input(fd);
	ck_ok(spool_open(&spool, "-", &text));
	check_content();
	spool_close(&spool);
	/* It is not ours to close. */
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), 0);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
	ck_error(spool_open(&spool, "/nowhere/file", &text), WB_NOT_FOUND);
	ck_assert_str_eq(text.text, "/nowhere/file: No such file or directory");
	ck_error(spool_open(&spool, directory, &text), WB_BAD_INPUT);
	ck_assert_ptr_nonnull(strstr(text.text, directory));
	setenv("TMPDIR", "/nowhere", 1);
	ck_error(spool_open(&spool, "/dev/null", &text), WB_NOT_FOUND);
	ck_assert_str_eq(text.text, "/nowhere: No such file or directory");
	ck_ok(spool_open(&spool, make_file(""), &text));
	spool_close(&spool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spool");
	TCase *tcase = tcase_create("spool");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_file_is_read_at_any_offset_more_than_once);
	tcase_add_test(tcase, a_pipe_too);
	tcase_add_test(tcase, standard_input_is_read_from_where_it_stands);
	tcase_add_test(tcase, what_cannot_be_read_is_named);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
