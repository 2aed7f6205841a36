/* SPDX-License-Identifier: Apache-2.0
 *
 * What bounds a regular expression; that it matches as in Go is asked by
 * test_filter_cases.c.
 */
#include "images/regexp.h"

#include "images/regexp_syntax.h"
#include "images/sentence.h"
#include "tests/support/suite.h"

#include <string.h>

/* Expressions on which backtracking alone would take longer than the world
 * lasts, and texts that make it. */
static const struct {
	const char *expression;
	size_t size; /* of the text, all "a" */
	bool matches;
} hard[] = {
	{"(a+)+[bc]", 60, false},	   {"(a+)+$", 4096, true},
	{"(a|a)*[bc]", 60, false},	   {"(a|aa)+[cd]", 60, false},
	{"(.*)*[xy]", 60, false},	   {"(a*)*(a*)*[bc]", 200, false},
	{"^(\\w+\\s?)*$", 4096, true},	   {"(?:(?:a*)*)*[bc]", 60, false},
	{"^(([a-z])+.)+[A-Z]", 40, false}, {"(x+x+)+y|(a+)+[bc]", 60, false},
};

START_TEST(a_hard_question_is_answered)
{
	char text[4097];
	struct regexp *regexp;
	bool matches = !hard[_i].matches;

	memset(text, 'a', sizeof(text));
	ck_ok(regexp_compile(bytes_of(hard[_i].expression), &regexp));
	ck_ok(regexp_match(regexp, (struct wb_bytes){text, hard[_i].size},
			   &matches));
	ck_assert(matches == hard[_i].matches);
	regexp_free(regexp);
}
END_TEST

START_TEST(the_work_for_one_expression_is_bounded)
{
	char text[4096];
	struct regexp *regexp;
	bool matches;
	enum wb_error error = WB_OK;
	int answered = 0;

	memset(text, 'a', sizeof(text));
	ck_ok(regexp_compile(bytes_of("(a|a)*[bc]"), &regexp));
	while (!error && answered < 100000) {
		error = regexp_match(regexp,
				     (struct wb_bytes){text, sizeof(text)},
				     &matches);
		answered += !error;
	}
	ck_error(error, WB_TOO_LARGE);
	ck_assert_int_gt(answered, 10);
	/* What is easy is answered still. */
	ck_ok(regexp_match(regexp, bytes_of("aab"), &matches));
	ck_assert(matches);
	regexp_free(regexp);
}
END_TEST

static const struct {
	const char *prefix, *middle, *suffix;
	size_t times; /* of prefix and suffix */
	enum wb_error error;
} nests[] = {
	{"(", "a", ")", 250, WB_OK},
	{"(", "a", ")", 251, WB_TOO_LARGE},
	{"((?i)", "a", "*)", 250, WB_OK},
	{"(?:", "a", ")", 1000, WB_TOO_LARGE},
	{"", "a", "{0,1000}|b", 2, WB_OK},
	{"", "a|", "(abcdefgh){1000}", 2, WB_OK},
	{"", "a|", "(abcdefgh){1000}", 4, WB_TOO_LARGE},
};

START_TEST(an_expression_may_be_so_large_and_no_larger)
{
	char *expression = calloc(1, 8000);
	struct regexp *regexp = NULL;
	char *to = expression;
	bool matches;
	enum wb_error error;

	for (size_t i = 0; i < nests[_i].times; i++)
		to = stpcpy(to, nests[_i].prefix);
	to = stpcpy(to, nests[_i].middle);
	for (size_t i = 0; i < nests[_i].times; i++)
		to = stpcpy(to, nests[_i].suffix);
	error = regexp_compile(bytes_of(expression), &regexp);
	ck_error(error, nests[_i].error);
	if (!error) {
		ck_ok(regexp_match(regexp, bytes_of("a"), &matches));
		ck_assert(matches);
	}
	regexp_free(regexp);
	free(expression);
}
END_TEST

static const struct {
	const char *expression;
	const char *pattern; /* NULL: it is none */
} translations[] = {
	{"", "(?:)"},
	{"a.b", "(?:a[^\\x{a}]b)"},
	{"^a$", "(?:(?:\\A)a(?:\\z))"},
	{"(?m)^a$", "(?:(?m:^)a(?m:$))"},
	{"(?s).", "(?:(?s:.))"},
	{"(?i)a(?-i)b", "(?:(?i)a(?-i)b)"},
	{"(?i:a)b", "(?:(?:(?i)a)b)"},
	{"a|(?i)b", "(?:a|(?i)b)"},
	{"(?P<x>a)", "(?:(?:a))"},
	{"a+?", "(?:aa*)"},
	{"(a)+", "(?:(?:a){1,})"},
	{"a{2,3}?", "(?:a{2,3})"},
	{"a{,3}", "(?:a\\x{7b}\\x{2c}3\\x{7d})"},
	{"a*(?m)*", "(?:(?:a{0,}){0,})"},
	{"\\d", "(?:[\\x{30}-\\x{39}])"},
	{"[^\\D]", "(?:[^\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}])"},
	{"[\\x{d800}]", "(?:[^\\x{0}-\\x{10ffff}])"},
	{"[^\\x{d800}]", "(?:[\\x{0}-\\x{10ffff}])"},
	{"\\p{Greek}\\PL", "(?:\\p{sc:Greek}\\P{L})"},
	{"\\Q.*\\E", "(?:\\x{2e}\\x{2a})"},
	{"(?=a)", NULL},
	{"a++", NULL},
	{"\\1", NULL},
	{"(?<n>a)", NULL},
	{"[b-a]", NULL},
};

START_TEST(an_expression_is_written_anew)
{
	struct wb_bytes pattern = {NULL, 0};
	enum wb_error error =
		regexp_translate(bytes_of(translations[_i].expression),
				 &pattern);

	if (!translations[_i].pattern) {
		ck_error(error, WB_BAD_INPUT);
		return;
	}
	ck_ok(error);
	ck_assert_uint_eq(pattern.size, strlen(translations[_i].pattern));
	ck_assert_mem_eq(pattern.data, translations[_i].pattern, pattern.size);
	free((void *)pattern.data);
}
END_TEST

/* strchr finds the zero byte at the end of any list. */
START_TEST(a_zero_byte_is_no_letter_of_a_property)
{
	static const struct wb_bytes expressions[] = {
		{"\\p{L\0}", 6},
		{"\\p{\0}", 5},
		{"\\p{\0u}", 6},
		{"\\p\0", 3},
	};
	struct wb_bytes pattern = {NULL, 0};

	ck_error(regexp_translate(expressions[_i], &pattern), WB_BAD_INPUT);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("regexp");
	TCase *tcase = tcase_create("regexp");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, a_hard_question_is_answered, 0, COUNT(hard));
	tcase_add_test(tcase, the_work_for_one_expression_is_bounded);
	tcase_add_loop_test(tcase, an_expression_may_be_so_large_and_no_larger,
			    0, COUNT(nests));
	tcase_add_loop_test(tcase, an_expression_is_written_anew, 0,
			    COUNT(translations));
	tcase_add_loop_test(tcase, a_zero_byte_is_no_letter_of_a_property, 0,
			    4);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
