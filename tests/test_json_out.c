/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/json_out.h"

#include "images/unicode.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

static struct json_out out;

static void tear_down(void)
{
	json_out_release(&out);
}

static const char *written(void)
{
	static char text[256];

	ck_assert(!out.out_of_memory);
	ck_assert_uint_lt(out.size, sizeof(text));
	memcpy(text, out.bytes, out.size);
	text[out.size] = 0;
	out.size = 0;
	return text;
}

static const char *string(const char *text, size_t size)
{
	json_out_string(&out, (struct wb_bytes){text, size});
	return written();
}

START_TEST(a_string_has_one_form)
{
	static const struct {
		const char *text, *json;
	} table[] = {
		{"", "\"\""},
		{"plain / text", "\"plain / text\""},
		{"\"\\", "\"\\\"\\\\\""},
		{"\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\""},
		{"\x01\x0B\x1F", "\"\\u0001\\u000b\\u001f\""},
		{"a\x7F z", "\"a\\u007f z\""},
		{"Z\xC3\xBCrich", "\"Z\xC3\xBCrich\""},
		{"\xC2\x80\xC2\x9F\xC2\xA0", "\"\\u0080\\u009f\xC2\xA0\""},
		{"\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA",
		 "\"\xE2\x80\xA7\\u2028\\u2029\xE2\x80\xAA\""},
		{"\xF0\x9F\x90\xB3", "\"\xF0\x9F\x90\xB3\""},
	};

	for (size_t at = 0; at < sizeof(table) / sizeof(*table); at++)
		ck_assert_str_eq(string(table[at].text, strlen(table[at].text)),
				 table[at].json);
	ck_assert_str_eq(string("a\0b", 3), "\"a\\u0000b\"");
}
END_TEST

/* Whatever the character, another reader finds it again. */
START_TEST(every_character_is_read_as_itself)
{
	for (uint32_t character = 0; character <= UNICODE_LAST; character++) {
		char text[8] = "a";
		size_t size = 1 + unicode_put(character, text + 1);
		json_error_t error;
		json_t *json;

		if (character >= 0xD800 && character <= 0xDFFF)
			continue;
		if (character > 0x3000 && character % 97)
			continue;
		text[size++] = 'z';
		json_out_string(&out, (struct wb_bytes){text, size});
		json = json_loadb(out.bytes, out.size,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
		if (!json || json_string_length(json) != size ||
		    memcmp(json_string_value(json), text, size) != 0)
			ck_abort_msg("U+%04X", character);
		json_decref(json);
		out.size = 0;
	}
}
END_TEST

START_TEST(numbers_are_whole)
{
	static const int64_t table[] = {0,   1,		-1,	   9,	     10,
					-10, INT64_MAX, INT64_MIN, 123456789};

	for (size_t at = 0; at < sizeof(table) / sizeof(*table); at++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "%" PRId64, table[at]);
		json_out_number(&out, table[at]);
		ck_assert_str_eq(written(), expected);
	}
}
END_TEST

START_TEST(bytes_and_times_are_strings)
{
	json_out_base64(&out, (struct wb_bytes){"\xFF", 1});
	ck_assert_str_eq(written(), "\"/w==\"");
	json_out_base64(&out, (struct wb_bytes){NULL, 0});
	ck_assert_str_eq(written(), "\"\"");
	json_out_hex(&out, (const uint8_t *)"\x00\x1F\xA0", 3);
	ck_assert_str_eq(written(), "\"001fa0\"");
	json_out_time(&out, 1);
	ck_assert_str_eq(written(), "\"1970-01-01T00:00:00.000000001Z\"");
	json_out_literal(&out, "{}");
	json_out_raw(&out, "x", 1);
	ck_assert_str_eq(written(), "{}x");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_out");
	TCase *tcase = tcase_create("json_out");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, a_string_has_one_form);
	tcase_add_test(tcase, every_character_is_read_as_itself);
	tcase_add_test(tcase, numbers_are_whole);
	tcase_add_test(tcase, bytes_and_times_are_strings);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
