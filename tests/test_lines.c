/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/lines.h"

#include "tests/support/paper.h"
#include "tests/support/suite.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static struct paper paper;
static struct lines lines;
static struct wb_text text;

/* A reader that gives a little at a time, or fails. */
struct trickle {
	size_t most;
	uint64_t calls, fails_at;
};
static struct trickle trickle;

static enum wb_error read_little(void *context, void *buffer, size_t size,
				 uint64_t offset, size_t *ret_size)
{
	ck_assert_ptr_eq(context, &trickle);
	if (++trickle.calls == trickle.fails_at)
		return WB_IO;
	return paper_read(&paper, buffer,
			  size < trickle.most ? size : trickle.most, offset,
			  ret_size);
}

static void set_up(void)
{
	text = (struct wb_text){""};
	trickle = (struct trickle){.most = SIZE_MAX};
	ck_ok(lines_open(&lines, read_little, &trickle));
}

static void tear_down(void)
{
	lines_release(&lines);
	paper_release(&paper);
}

static void begin_again(void)
{
	lines_release(&lines);
	ck_ok(lines_open(&lines, read_little, &trickle));
}

START_TEST(lines_come_one_by_one_however_they_are_read)
{
	static const char content[] = "first\n\nthird line\n\n\nlast\n";
	static const char *const expected[] = {"first", "", "third line",
					       "",	"", "last"};
	uint8_t sum[SUM_BYTES], should[SUM_BYTES];

	paper_text(&paper, content);
	SHA256((const uint8_t *)content, strlen(content) - strlen("last\n"),
	       should);
	for (trickle.most = 1; trickle.most < 40; trickle.most++) {
		struct line line;

		begin_again();
		for (size_t at = 0; at < 6; at++) {
			ck_ok(lines_next(&lines, &line, &text));
			ck_assert_uint_eq(line.size, strlen(expected[at]));
			ck_assert_int_eq(memcmp(line.text, expected[at],
						line.size),
					 0);
			ck_assert_uint_eq(line.last, at == 5);
			ck_assert_uint_eq(lines.number, at + 1);
			/* It is ours to write over. */
			memset(line.text, 'x', line.size + 1);
		}
		ck_ok(lines_sum(&lines, sum));
		ck_assert_mem_eq(sum, should, SUM_BYTES);
	}
}
END_TEST

START_TEST(a_line_without_an_end_is_told)
{
	static const struct {
		const char *content, *says;
		unsigned whole;
	} table[] = {
		{"", "line 1: is missing: the dump was cut short", 0},
		{"a", "line 1: is cut short", 0},
		{"a\n", "line 2: is missing: the dump was cut short", 1},
		{"a\nb", "line 2: is cut short", 1},
	};

	for (size_t at = 0; at < 4; at++) {
		struct line line;

		paper_text(&paper, table[at].content);
		begin_again();
		for (unsigned left = table[at].whole; left > 0; left--)
			ck_ok(lines_next(&lines, &line, &text));
		ck_error(lines_next(&lines, &line, &text), WB_BAD_INPUT);
		ck_assert_str_eq(text.text, table[at].says);
	}
}
END_TEST

/* Longer than what is read at once, and than what is taken. */
START_TEST(a_line_may_be_long_but_not_endless)
{
	static const size_t sizes[] = {0,      100,	262143,	       262144,
				       262145, 1 << 20, LINE_BYTES_MAX};
	struct line line;

	for (size_t at = 0; at < 7; at++) {
		char *content = malloc(sizes[at] + 3);

		ck_assert_ptr_nonnull(content);
		memset(content, 'x', sizes[at]);
		memcpy(content + sizes[at], "\ny\n", 3);
		paper_set(&paper, content, sizes[at] + 3);
		free(content);
		begin_again();
		ck_ok(lines_next(&lines, &line, &text));
		ck_assert_uint_eq(line.size, sizes[at]);
		ck_ok(lines_next(&lines, &line, &text));
		ck_assert_uint_eq(line.size, 1);
	}
	while (paper.size < 2 * (size_t)LINE_BYTES_MAX)
		paper_write(&paper, paper.bytes, 1 << 20);
	memset(paper.bytes, 'x', paper.size);
	begin_again();
	ck_error(lines_next(&lines, &line, &text), WB_BAD_INPUT);
	ck_assert_str_eq(text.text, "line 1: is too long");
}
END_TEST

START_TEST(an_error_of_the_reader_is_what_is_returned)
{
	paper_text(&paper, "one\ntwo\nthree\n");
	trickle.most = 3;
	for (uint64_t at = 1; at <= 6; at++) {
		enum wb_error error = WB_OK;
		struct line line;

		trickle.calls = 0;
		trickle.fails_at = at;
		begin_again();
		for (unsigned left = 3; left > 0 && !error; left--)
			error = lines_next(&lines, &line, &text);
		ck_error(error, WB_IO);
		ck_assert_str_eq(text.text,
				 "reading the dump: input/output error");
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lines");
	TCase *tcase = tcase_create("lines");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, lines_come_one_by_one_however_they_are_read);
	tcase_add_test(tcase, a_line_without_an_end_is_told);
	tcase_add_test(tcase, a_line_may_be_long_but_not_endless);
	tcase_add_test(tcase, an_error_of_the_reader_is_what_is_returned);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
