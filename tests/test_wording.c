/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/wording.h"

#include "tests/support/suite.h"

#include <errno.h>
#include <string.h>

/* Check has a macro of this name. */
#undef fail

START_TEST(utf8_is_rfc_3629)
{
	static const struct {
		const char *text;
		size_t size; /* of the first character; 0: none */
		uint32_t code_point;
	} table[] = {
		{"", 0, 0},
		{"a", 1, 'a'},
		{"\x7f", 1, 0x7f},
		{"\xc2\x80", 2, 0x80},
		{"\xdf\xbf", 2, 0x7ff},
		{"\xe0\xa0\x80", 3, 0x800},
		{"\xed\x9f\xbf", 3, 0xd7ff},
		{"\xee\x80\x80", 3, 0xe000},
		{"\xef\xbf\xbf", 3, 0xffff},
		{"\xf0\x90\x80\x80", 4, 0x10000},
		{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
		{"\x80", 0, 0},	    /* a tail alone */
		{"\xc0\x80", 0, 0}, /* long forms */
		{"\xc1\xbf", 0, 0},
		{"\xe0\x9f\xbf", 0, 0},
		{"\xf0\x8f\xbf\xbf", 0, 0},
		{"\xed\xa0\x80", 0, 0}, /* surrogates */
		{"\xed\xbf\xbf", 0, 0},
		{"\xf4\x90\x80\x80", 0, 0}, /* beyond U+10FFFF */
		{"\xf8\x88\x80\x80\x80", 0, 0},
		{"\xff", 0, 0},
		{"\xc2", 0, 0}, /* cut */
		{"\xe2\x98", 0, 0},
		{"\xf0\x9f\x98", 0, 0},
		{"\xc2"
		 "a",
		 0, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t code_point = 0;

		ck_assert_msg(utf8_character(table[i].text, &code_point) ==
				      table[i].size,
			      "row %zu", i);
		ck_assert_uint_eq(code_point, table[i].code_point);
		ck_assert_int_eq(utf8_valid(table[i].text),
				 table[i].size > 0 || !*table[i].text);
	}
	ck_assert(utf8_valid("a\xe2\x98\x83z"));
	ck_assert(!utf8_valid("a\xe2\x98\x83\xffz"));
}
END_TEST

/* Whatever the sentence, what is left of it is UTF-8 and as long as can be. */
START_TEST(a_long_sentence_is_cut_between_characters)
{
	static const char *const units[] = {"a", "\xc3\xa9", "\xe2\x98\x83",
					    "\xf0\x9f\x98\x80"};

	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		char sentence[2000] = "";
		size_t unit = strlen(units[u]);

		for (size_t lead = 0; lead < 5; lead++) {
			struct wb_text text;
			size_t size;

			memset(sentence, 'x', lead);
			sentence[lead] = '\0';
			while (strlen(sentence) < 1500)
				strcat(sentence, units[u]);
			ck_error(fail(&text, WB_IO, "%s", sentence), WB_IO);
			size = strlen(text.text);
			ck_assert(utf8_valid(text.text));
			ck_assert_uint_lt(size, sizeof(text.text));
			ck_assert_uint_gt(size + unit, sizeof(text.text) - 1);
			ck_assert_int_eq(strncmp(text.text, sentence, size), 0);
		}
	}
}
END_TEST

START_TEST(a_short_sentence_stays_as_it_is)
{
	struct wb_text text;

	ck_error(fail(&text, WB_BAD_INPUT, "%s %d", "\xff", 7), WB_BAD_INPUT);
	ck_assert_str_eq(text.text, "\xff 7");
	ck_error(fail_where(&text, WB_BAD_INPUT, "line 3"), WB_BAD_INPUT);
	ck_assert_str_eq(text.text, "line 3: \xff 7");
	ck_error(fail(NULL, WB_IO, "%d", 7), WB_IO);
}
END_TEST

START_TEST(an_errno_becomes_an_error_with_its_text)
{
	static const struct {
		int error_number;
		enum wb_error error;
	} table[] = {{ENOENT, WB_NOT_FOUND}, {EACCES, WB_PERMISSION},
		     {EPERM, WB_PERMISSION}, {EROFS, WB_PERMISSION},
		     {ENOSPC, WB_NO_SPACE},  {EDQUOT, WB_NO_SPACE},
		     {ENOMEM, WB_NO_MEMORY}, {EIO, WB_IO},
		     {EBADF, WB_IO},	     {EISDIR, WB_BAD_INPUT}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct wb_text text;
		char wanted[128];

		snprintf(wanted, sizeof(wanted), "it: %s",
			 strerror(table[i].error_number));
		ck_error(fail_errno(&text, table[i].error_number, "it"),
			 table[i].error);
		ck_assert_str_eq(text.text, wanted);
	}
}
END_TEST

START_TEST(decimals_have_digits_only)
{
	static const char *const wrong[] = {"",
					    " 1",
					    "1 ",
					    "+1",
					    "-1",
					    "0x1",
					    "1.0",
					    "a",
					    "18446744073709551616",
					    "99999999999999999999999"};
	uint64_t number = 7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!parse_decimal(wrong[i], &number), "%s",
			      wrong[i]);
	ck_assert_uint_eq(number, 7);
	ck_assert(parse_decimal("0", &number));
	ck_assert_uint_eq(number, 0);
	ck_assert(parse_decimal("18446744073709551615", &number));
	ck_assert_uint_eq(number, UINT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wording");
	TCase *cases = tcase_create("wording");

	tcase_add_test(cases, utf8_is_rfc_3629);
	tcase_add_test(cases, a_long_sentence_is_cut_between_characters);
	tcase_add_test(cases, a_short_sentence_stays_as_it_is);
	tcase_add_test(cases, an_errno_becomes_an_error_with_its_text);
	tcase_add_test(cases, decimals_have_digits_only);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
