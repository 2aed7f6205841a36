/* SPDX-License-Identifier: Apache-2.0 */
#include "images/sentence.h"

#include "images/unicode.h"
#include "tests/support/suite.h"

#include <string.h>

static const struct {
	const char *bytes;
	size_t size;
	const char *quoted;
} quotes[] = {
	{"", 0, "\"\""},
	{"a b", 3, "\"a b\""},
	{"\"\\'", 3, "\"\\\"\\\\'\""},
	{"\a\b\f\n\r\t\v", 7, "\"\\a\\b\\f\\n\\r\\t\\v\""},
	{"\0\x1F\x7F", 3, "\"\\x00\\x1f\\x7f\""},
	{"\xC3\xA9\xE5\x90\x8D", 5, "\"\xC3\xA9\xE5\x90\x8D\""},
	{"\xC2\x80\xC2\xA0", 4, "\"\\u0080\\u00a0\""},
	{"\xF3\xA0\x80\x81", 4, "\"\\U000e0001\""},
	{"\xEF\xBF\xBD", 3, "\"\xEF\xBF\xBD\""},
	{"\xFF\xC3", 2, "\"\\xff\\xc3\""},
	{"\xED\xA0\x80", 3, "\"\\xed\\xa0\\x80\""},
};

START_TEST(text_is_quoted_as_in_go)
{
	struct sentence sentence = {.size = 0};

	sentence_quote(&sentence,
		       (struct wb_bytes){quotes[_i].bytes, quotes[_i].size});
	ck_assert_str_eq(sentence.text, quotes[_i].quoted);
}
END_TEST

START_TEST(a_sentence_is_put_together)
{
	struct wb_text text = {""};

	ck_error(answer(&text, WB_EXISTS, "%q: %s, %d %%", "a\n", "b\xFF",
			(long long)-7),
		 WB_EXISTS);
	ck_assert_str_eq(text.text, "\"a\\n\": b\xEF\xBF\xBD, -7 %");
	ck_error(answer(NULL, WB_EXISTS, "%s", "x"), WB_EXISTS);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_whole)
{
	for (size_t size = 1015; size < 1030; size++) {
		struct sentence sentence = {.size = 0};
		char *long_text = calloc(1, size + 1);

		memset(long_text, 'x', size);
		sentence_add(&sentence, long_text);
		sentence_add(&sentence, "\xE5\x90\x8D");
		sentence_quote(&sentence, bytes_of("\n\xFF"));
		sentence_add(&sentence, "end");
		ck_assert_uint_lt(strlen(sentence.text), sizeof(sentence.text));
		ck_assert(unicode_valid(sentence.text, strlen(sentence.text)));
		ck_assert_uint_ge(strlen(sentence.text), 1014);
		free(long_text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sentence");
	TCase *tcase = tcase_create("sentence");

	tcase_add_loop_test(tcase, text_is_quoted_as_in_go, 0,
			    (int)(sizeof(quotes) / sizeof(*quotes)));
	tcase_add_test(tcase, a_sentence_is_put_together);
	tcase_add_test(tcase, what_does_not_fit_is_left_out_whole);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
