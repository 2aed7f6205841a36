/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/output.h"

#include "tests/support/suite.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int ends[2];
static struct output output;

static void begin(void)
{
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	signal(SIGPIPE, SIG_IGN);
	output_init(&output, ends[1]);
}

static void end(void)
{
	output_release(&output);
	close(ends[0]);
	close(ends[1]);
}

static const char *arrived(void)
{
	static char bytes[256];
	ssize_t size = read(ends[0], bytes, sizeof(bytes) - 1);

	bytes[size > 0 ? size : 0] = '\0';
	return bytes;
}

START_TEST(nothing_leaves_before_the_end)
{
	output_text(&output, "one ");
	output_format(&output, "%d ", 2);
	output_bytes(&output, "three!", 5);
	ck_assert_str_eq(arrived(), "");
	ck_ok(output_finish(&output, NULL));
	ck_assert_str_eq(arrived(), "one 2 three");
}
END_TEST

START_TEST(more_than_the_bound_leaves_at_once)
{
	static char piece[1 << 20];
	int null = open("/dev/null", O_WRONLY);

	output.fd = null;
	for (size_t i = 0; i < 3u * OUTPUT_HELD_BYTES / sizeof(piece); i++) {
		output_bytes(&output, piece, sizeof(piece));
		ck_assert_uint_le(output.size,
				  OUTPUT_HELD_BYTES + sizeof(piece));
	}
	ck_ok(output_finish(&output, NULL));
	close(null);
}
END_TEST

START_TEST(a_reader_that_went_away_is_no_error)
{
	close(ends[0]);
	output_text(&output, "x");
	ck_ok(output_finish(&output, NULL));
	ends[0] = open("/dev/null", O_RDONLY);
}
END_TEST

START_TEST(a_write_that_fails_is_told_at_the_end)
{
	struct wb_text text = {""};
	int full = open("/dev/full", O_WRONLY);

	output.fd = full;
	output_text(&output, "x");
	ck_error(output_finish(&output, &text), WB_NO_SPACE);
	ck_assert_str_eq(text.text, "standard output: No space left on device");
	close(full);
	output.error_number = 0;
	output.fd = -1;
	output_text(&output, "x");
	ck_error(output_finish(&output, NULL), WB_IO);
}
END_TEST

START_TEST(a_pipe_that_does_not_block_is_waited_for)
{
	static char bytes[1 << 20];
	pid_t child;
	ssize_t all = 0;
	ssize_t size;

	ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, 0), 0);
	child = check_fork();
	if (child == 0) {
		output_bytes(&output, bytes, sizeof(bytes));
		_exit(output_finish(&output, NULL) != WB_OK);
	}
	close(ends[1]);
	while ((size = read(ends[0], bytes, sizeof(bytes))) > 0)
		all += size;
	ck_assert_int_eq(all, sizeof(bytes));
	check_waitpid_and_exit(child);
}
END_TEST

static const struct {
	const char *text;
	const char *plain;
	size_t columns;
	const char *sentence; /* NULL: the same */
} shown[] = {
	{"", "", 0, NULL},
	{"plain", "plain", 5, NULL},
	{"caf\xc3\xa9 \xe2\x98\x83", "caf\xc3\xa9 \xe2\x98\x83", 6, NULL},
	{"a\nb\tc\x1b[31m\x7f", "a\\x0ab\\x09c\\x1b[31m\\x7f", 23, NULL},
	{"\xc2\x9b", "\\xc2\\x9b", 8, NULL}, /* C1 */
	{"\xff\xc3", "\\xff\\xc3", 8, NULL},
	/* a right-to-left override, a zero-width space, a soft hyphen */
	{"a\xe2\x80\xae"
	 "b",
	 "a\\xe2\\x80\\xae"
	 "b",
	 14, NULL},
	{"\xe2\x80\x8b", "\\xe2\\x80\\x8b", 12, NULL},
	{"\xc2\xad", "\\xc2\\xad", 8, NULL},
	/* what only looks like one */
	{"a\\x0a", "a\\\\x0a", 6, "a\\x0a"},
	{"\\", "\\\\", 2, "\\"},
	/* of no column, and of two */
	{"e\xcc\x81", "e\xcc\x81", 1, NULL},
	{"\xe6\xbc\xa2", "\xe6\xbc\xa2", 2, NULL},
};

START_TEST(what_is_no_glyph_is_shown_in_hexadecimal)
{
	const char *sentence =
		shown[_i].sentence ? shown[_i].sentence : shown[_i].plain;

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	output_plain(&output, shown[_i].text);
	ck_ok(output_finish(&output, NULL));
	ck_assert_str_eq(arrived(), shown[_i].plain);
	output_sentence(&output, shown[_i].text);
	ck_ok(output_finish(&output, NULL));
	ck_assert_str_eq(arrived(), sentence);
	ck_assert_uint_eq(output_plain_columns(shown[_i].text),
			  shown[_i].columns);
}
END_TEST

START_TEST(a_string_of_json_is_one_whatever_it_holds)
{
	static const struct {
		const char *text;
		const char *json;
	} table[] = {
		{"", "\"\""},
		{"a \"b\" \\c", "\"a \\\"b\\\" \\\\c\""},
		{"a\nb\x1b", "\"a\\u000ab\\u001b\""},
		{"\xe2\x98\x83\x7f", "\"\xe2\x98\x83\x7f\""},
		{"\xff\xc3", "\"\\\\xff\\\\xc3\""},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		output_json_text(&output, table[i].text);
		ck_ok(output_finish(&output, NULL));
		ck_assert_str_eq(arrived(), table[i].json);
	}
}
END_TEST

START_TEST(what_is_fixed_has_the_callers_bytes_and_no_more)
{
	char bytes[16] = "";
	struct output fixed;

	output_init_fixed(&fixed, ends[1], bytes, 8);
	output_text(&fixed, "1234");
	output_format(&fixed, "%d", 567);
	ck_assert_mem_eq(bytes, "1234567", 7);
	ck_assert(!fixed.out_of_memory);
	output_text(&fixed, "89");
	ck_assert(fixed.out_of_memory);
	ck_assert_int_eq(bytes[8], 0);
	ck_error(output_finish(&fixed, NULL), WB_NO_MEMORY);
	ck_assert_str_eq(arrived(), "1234567");
	output_release(&fixed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("output");
	TCase *cases = tcase_create("output");

	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, nothing_leaves_before_the_end);
	tcase_add_test(cases, more_than_the_bound_leaves_at_once);
	tcase_add_test(cases, a_reader_that_went_away_is_no_error);
	tcase_add_test(cases, a_write_that_fails_is_told_at_the_end);
	tcase_add_test(cases, a_pipe_that_does_not_block_is_waited_for);
	tcase_add_loop_test(cases, what_is_no_glyph_is_shown_in_hexadecimal, 0,
			    sizeof(shown) / sizeof(shown[0]));
	tcase_add_test(cases, a_string_of_json_is_one_whatever_it_holds);
	tcase_add_test(cases, what_is_fixed_has_the_callers_bytes_and_no_more);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
