/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bytes.h"

#include "tests/support/suite.h"

#include <string.h>
#include <unistd.h>

/* Bytes, for people, and in JSON. */
static const struct {
	const char *bytes;
	size_t size;
	const char *plain, *json;
} table[] = {
	{"", 0, "", "\"\""},
	{"redis:7", 7, "redis:7", "\"redis:7\""},
	{"a\0b", 3, "a\\x00b", "\"a\\u0000b\""},
	{"\0", 1, "\\x00", "\"\\u0000\""},
	{"\x1b[2J\n", 5, "\\x1b[2J\\x0a", "\"\\u001B[2J\\n\""},
	/* A control character of two bytes, which is text. */
	{"\xc2\x9b", 2, "\\xc2\\x9b", "\"\xc2\x9b\""},
	{"\xc3\xa4", 2, "\xc3\xa4", "\"\xc3\xa4\""},
	{"\xff", 1, "\\xff", "\"\\\\xff\""},
	/* A name of which such a text is a part. */
	{"a\\x00", 5, "a\\\\x00", "\"a\\\\x00\""},
	{"\0\0a", 3, "\\x00\\x00a", "\"\\u0000\\u0000a\""},
	/* A character that the end cuts off, and one that a zero does. */
	{"a\xe2\x82", 3, "a\\xe2\\x82", "\"a\\\\xe2\\\\x82\""},
	{"\xe2\0\x82", 3, "\\xe2\\x00\\x82", "\"\\\\xe2\\u0000\\\\x82\""},
};
enum { ROWS = sizeof(table) / sizeof(*table) };

static const char *printed(struct wb_bytes bytes)
{
	static char text[200];
	struct output output;
	int ends[2];
	ssize_t size;

	ck_assert_int_eq(pipe(ends), 0);
	output_init(&output, ends[1]);
	output_plain_bytes(&output, bytes);
	output_text(&output, "|");
	ck_ok(output_finish(&output, NULL));
	size = read(ends[0], text, sizeof(text) - 1);
	ck_assert_int_gt(size, 0);
	text[size - 1] = '\0';
	output_release(&output);
	close(ends[0]);
	close(ends[1]);
	return text;
}

START_TEST(bytes_move_no_cursor_and_forge_no_line)
{
	struct wb_bytes bytes = {table[_i].bytes, table[_i].size};

	ck_assert_str_eq(printed(bytes), table[_i].plain);
}
END_TEST

START_TEST(bytes_are_json_whatever_they_are)
{
	json_t *json =
		bytes_json((struct wb_bytes){table[_i].bytes, table[_i].size});
	char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, table[_i].json);
	free(text);
	json_decref(json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bytes");
	TCase *cases = tcase_create("bytes");

	tcase_add_loop_test(cases, bytes_move_no_cursor_and_forge_no_line, 0,
			    ROWS);
	tcase_add_loop_test(cases, bytes_are_json_whatever_they_are, 0, ROWS);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
