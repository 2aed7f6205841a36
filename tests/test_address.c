/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/address.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *existing;

static bool exists(const char *path)
{
	return existing && strcmp(path, existing) == 0;
}

START_TEST(an_address_is_a_directory_or_a_socket)
{
	struct address address;

	ck_assert_int_eq(address_parse("dir:a:b c", &address, NULL), WB_OK);
	ck_assert_int_eq(address.kind, ADDRESS_DIRECTORY);
	ck_assert_str_eq(address.path, "a:b c");
	ck_assert(!address.is_default);
	ck_assert_int_eq(address_parse("unix:/run/x", &address, NULL), WB_OK);
	ck_assert_int_eq(address.kind, ADDRESS_SOCKET);
	ck_assert_str_eq(address.path, "/run/x");
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const table[] = {"",	     "/tmp/x", "dir",
					    "dir:",  "unix:",  "DIR:/x",
					    "tcp:x", " dir:x"};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct address address = {.path = "untouched"};
		struct wb_text text;

		ck_assert_msg(address_parse(table[i], &address, &text) ==
				      WB_USAGE,
			      "%s", table[i]);
		ck_assert_str_eq(address.path, "untouched");
	}
}
END_TEST

#define ROOT_SOCKET "/run/waybill/waybill.sock"

/* The order: given, variable, socket if something is there, directory. */
static const struct {
	const char *given;
	struct surroundings surroundings;
	const char *existing;
	enum wb_error error;
	enum address_kind kind;
	const char *path;
} defaults[] = {
	{"dir:g",
	 {true, "dir:v", "/r", "/s", "/h", exists},
	 ROOT_SOCKET,
	 WB_OK,
	 ADDRESS_DIRECTORY,
	 "g"},
	{NULL,
	 {true, "dir:v", "/r", "/s", "/h", exists},
	 ROOT_SOCKET,
	 WB_OK,
	 ADDRESS_DIRECTORY,
	 "v"},
	{NULL,
	 {true, NULL, "/r", "/s", "/h", exists},
	 ROOT_SOCKET,
	 WB_OK,
	 ADDRESS_SOCKET,
	 ROOT_SOCKET},
	{NULL,
	 {true, NULL, "/r", "/s", "/h", exists},
	 "/r/waybill/waybill.sock",
	 WB_OK,
	 ADDRESS_DIRECTORY,
	 "/var/lib/waybill"},
	{NULL,
	 {false, NULL, "/r", "/s", "/h", exists},
	 "/r/waybill/waybill.sock",
	 WB_OK,
	 ADDRESS_SOCKET,
	 "/r/waybill/waybill.sock"},
	{NULL,
	 {false, NULL, "/r", "/s", "/h", exists},
	 ROOT_SOCKET,
	 WB_OK,
	 ADDRESS_DIRECTORY,
	 "/s/waybill"},
	{NULL,
	 {false, NULL, NULL, NULL, "/h", exists},
	 NULL,
	 WB_OK,
	 ADDRESS_DIRECTORY,
	 "/h/.local/state/waybill"},
	/* Relative ones count as unset, says XDG. */
	{NULL,
	 {false, NULL, "r", "s", "/h", exists},
	 "r/waybill/waybill.sock",
	 WB_OK,
	 ADDRESS_DIRECTORY,
	 "/h/.local/state/waybill"},
	{NULL,
	 {false, NULL, NULL, NULL, NULL, exists},
	 NULL,
	 WB_USAGE,
	 0,
	 NULL},
	{NULL,
	 {false, "nonsense", NULL, "/s", NULL, exists},
	 NULL,
	 WB_USAGE,
	 0,
	 NULL},
};

START_TEST(the_default_follows_the_documented_order)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
		struct scratch scratch = {0};
		struct address address = {0};
		struct wb_text text;

		existing = defaults[i].existing;
		ck_assert_msg(address_choose(defaults[i].given,
					     &defaults[i].surroundings,
					     &scratch, &address,
					     &text) == defaults[i].error,
			      "row %zu", i);
		if (defaults[i].path) {
			ck_assert_msg(strcmp(address.path, defaults[i].path) ==
					      0,
				      "row %zu: %s", i, address.path);
			ck_assert_int_eq(address.kind, defaults[i].kind);
			ck_assert_int_eq(address.is_default, i >= 2);
		}
		scratch_release(&scratch);
	}
}
END_TEST

/* Binds a socket in a directory of its own. */
static int bind_socket(char *directory, char *path, size_t size)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, size, "%s/s", directory);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

START_TEST(only_a_socket_with_a_listener_answers)
{
	char directory[] = "/tmp/test_address.XXXXXX";
	char path[64];
	struct wb_text text;
	int fd = bind_socket(directory, path, sizeof(path));

	ck_assert_int_eq(address_probe(path, &text), WB_UNAVAILABLE);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(address_probe(path, &text), WB_OK);
	close(fd);
	ck_assert_int_eq(address_probe(path, &text), WB_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(text.text, path));
	unlink(path);
	ck_assert_int_eq(address_probe(path, &text), WB_UNAVAILABLE);
	ck_assert_int_eq(address_probe(directory, &text), WB_UNAVAILABLE);
	rmdir(directory);
}
END_TEST

START_TEST(a_full_backlog_is_an_answer_at_once)
{
	char directory[] = "/tmp/test_address.XXXXXX";
	char path[64];
	struct wb_text text;
	int fd = bind_socket(directory, path, sizeof(path));
	enum wb_error error = WB_OK;

	ck_assert_int_eq(listen(fd, 0), 0);
	/* Nobody accepts; the connections that we close stay queued. */
	for (int i = 0; i < 8 && error == WB_OK; i++)
		error = address_probe(path, &text);
	ck_assert_int_eq(error, WB_UNAVAILABLE);
	close(fd);
	unlink(path);
	rmdir(directory);
}
END_TEST

START_TEST(a_path_that_no_socket_can_have_is_wrong_usage)
{
	char path[200];
	struct wb_text text;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(address_probe(path, &text), WB_USAGE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *cases = tcase_create("address");

	tcase_add_test(cases, an_address_is_a_directory_or_a_socket);
	tcase_add_test(cases, anything_else_is_refused);
	tcase_add_test(cases, the_default_follows_the_documented_order);
	tcase_add_test(cases, only_a_socket_with_a_listener_answers);
	tcase_add_test(cases, a_full_backlog_is_an_answer_at_once);
	tcase_add_test(cases, a_path_that_no_socket_can_have_is_wrong_usage);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
