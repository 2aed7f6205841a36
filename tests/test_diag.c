/* SPDX-License-Identifier: Apache-2.0
 *
 * diag.c and text.c: lines for people, made of what may be anybody's bytes.
 */
#include "base/diag.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"

START_TEST(lines_reach_the_reporter_with_their_severity)
{
	struct simenv env;

	simenv_init(&env, 1);
	diag_note(&env.diag, "%d files", 3);
	diag_warn(&env.diag, "tail of %s", "x.log");
	ck_assert_uint_eq(simenv_count(&env, DIAG_NOTE), 1);
	ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), 1);
	ck_assert_uint_eq(simenv_count(&env, DIAG_DAMAGE), 0);
	ck_assert(simenv_said(&env, DIAG_NOTE, "3 files"));
	ck_assert(simenv_said(&env, DIAG_WARNING, "tail of x.log"));
	ck_assert(!simenv_said(&env, DIAG_WARNING, "3 files"));
	simenv_release(&env);
}
END_TEST

START_TEST(corruption_names_file_and_offset)
{
	struct simenv env;

	simenv_init(&env, 1);
	ck_error(diag_corrupt(&env.diag, "a.log", UINT64_MAX, "bad %s", "sum"),
		 WB_CORRUPT);
	ck_assert(simenv_said(&env, DIAG_DAMAGE,
			      "a.log: offset 18446744073709551615: bad sum"));
	simenv_release(&env);
}
END_TEST

START_TEST(nobody_need_listen)
{
	struct diag deaf = {.report = NULL};

	diag_note(NULL, "%s", "x");
	diag_warn(&deaf, "%s", "x");
	ck_error(diag_corrupt(NULL, "a", 0, "x"), WB_CORRUPT);
	ck_error(text_set(NULL, WB_IO, "%s", "x"), WB_IO);
}
END_TEST

START_TEST(text_returns_the_error_it_explains)
{
	struct wb_text text;

	ck_error(text_set(&text, WB_LOCKED, "held by %d", 7), WB_LOCKED);
	ck_assert_str_eq(text.text, "held by 7");
}
END_TEST

START_TEST(control_characters_cannot_reach_a_terminal)
{
	struct wb_text text;

	text_set(&text, WB_IO, "a\nb\x1B[31mc\x7F\td\xC3\xA9");
	ck_assert_str_eq(text.text, "a?b?[31mc??d\xC3\xA9");
}
END_TEST

START_TEST(what_cannot_be_formatted_is_a_question_mark)
{
	struct wb_text text;

	/* Not in the character set of the "C" locale. */
	text_set(&text, WB_IO, "a%ls", L"\u00E9");
	ck_assert_str_eq(text.text, "?");
}
END_TEST

START_TEST(long_text_is_cut_between_characters)
{
	struct wb_text text;
	char long_text[800];
	size_t length;

	/* Two-byte characters, shifted by one byte or not. */
	memset(long_text, 0, sizeof(long_text));
	memset(long_text, 'x', (size_t)_i);
	while (strlen(long_text) < 700)
		strcat(long_text, "\xC3\xA9");
	text_set(&text, WB_IO, "%s", long_text);
	length = strlen(text.text);
	ck_assert_uint_lt(length, sizeof(text.text));
	ck_assert_uint_gt(length, sizeof(text.text) - 6);
	ck_assert_str_eq(text.text + length - 3, "...");
	ck_assert_mem_eq(text.text, long_text, length - 3);
	ck_assert_uint_eq((length - 3 - (size_t)_i) % 2, 0);
}
END_TEST

START_TEST(text_that_just_fits_is_whole)
{
	struct wb_text text;
	char exact[sizeof(text.text)];

	memset(exact, 'x', sizeof(exact));
	exact[sizeof(exact) - 1] = '\0';
	text_set(&text, WB_IO, "%s", exact);
	ck_assert_str_eq(text.text, exact);
	text_set(&text, WB_IO, "%sx", exact);
	ck_assert_str_eq(text.text + sizeof(exact) - 5, "x...");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("diag");
	TCase *tcase = tcase_create("diag");

	tcase_add_test(tcase, lines_reach_the_reporter_with_their_severity);
	tcase_add_test(tcase, corruption_names_file_and_offset);
	tcase_add_test(tcase, nobody_need_listen);
	tcase_add_test(tcase, text_returns_the_error_it_explains);
	tcase_add_test(tcase, control_characters_cannot_reach_a_terminal);
	tcase_add_test(tcase, what_cannot_be_formatted_is_a_question_mark);
	tcase_add_loop_test(tcase, long_text_is_cut_between_characters, 0, 2);
	tcase_add_test(tcase, text_that_just_fits_is_whole);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
