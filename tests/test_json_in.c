/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/json_in.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

/* Exactly as long as the text, so that a byte too many is seen. */
static char *copy_of(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, size);
	return copy;
}

/* ---- strings ---- */

static const struct {
	const char *json, *text;
	size_t size;
} strings[] = {
	{"\"\"", "", 0},
	{"\"a\"", "a", 1},
	{" \t\r\n\"a\" ", "a", 1},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
	{"\"\\u0041\\u00e9\\u20AC\"", "A\xC3\xA9\xE2\x82\xAC", 6},
	{"\"\\ud83d\\udc33\"", "\xF0\x9F\x90\xB3", 4},
	{"\"a\\u0000b\"", "a\0b", 3},
	{"\"Z\xC3\xBCrich\x7F\"", "Z\xC3\xBCrich\x7F", 8},
	{"\"x\\ny\\nz\"", "x\ny\nz", 5},
};

START_TEST(a_string_is_decoded)
{
	for (size_t at = 0; at < sizeof(strings) / sizeof(*strings); at++) {
		const char *json = strings[at].json;
		char *copy = copy_of(json, strlen(json));
		struct json_in in = json_in_of(copy, strlen(json));
		struct wb_bytes text = json_in_string(&in);

		json_in_end(&in);
		ck_assert_msg(!in.problem, "%s: %s", json, in.problem);
		ck_assert_uint_eq(text.size, strings[at].size);
		ck_assert_mem_eq(text.data, strings[at].text, text.size + 1);
		free(copy);
	}
}
END_TEST

static const struct {
	const char *json;
	size_t at;
	const char *problem;
} bad_strings[] = {
	{"", 0, "a string is expected"},
	{"x", 0, "a string is expected"},
	{" {", 1, "a string is expected"},
	{"\"", 1, "a string without end"},
	{"\"ab", 3, "a string without end"},
	{"\"a\\\"", 4, "a string without end"},
	{"\"\n\"", 1, "a bare control character"},
	{"\"a\x1F\"", 2, "a bare control character"},
	{"\"\\x41\"", 1, "not an escape"},
	{"\"\\", 1, "not an escape"},
	{"\"\\u12\"", 1, "not an escape"},
	{"\"\\u12g4\"", 1, "not an escape"},
	{"\"\\ud83d\"", 1, "not an escape"},
	{"\"\\ud83d\\u0041\"", 1, "not an escape"},
	{"\"a\\udc33\"", 2, "not an escape"},
	{"\"\\ud83d\\ud83d\"", 1, "not an escape"},
	{"\"\xC3\"", 1, "not UTF-8"},
	{"\"a\xFF\"", 2, "not UTF-8"},
	{"\"\xC0\xAF\"", 1, "not UTF-8"},
	{"\"\xED\xA0\x80\"", 1, "not UTF-8"},
	{"\"\xF4\x90\x80\x80\"", 1, "not UTF-8"},
	{"\"a\" b", 4, "something follows the object"},
};

START_TEST(what_is_no_string_is_told_with_its_place)
{
	for (size_t i = 0; i < sizeof(bad_strings) / sizeof(*bad_strings);
	     i++) {
		const char *json = bad_strings[i].json;
		char *copy = copy_of(json, strlen(json));
		struct json_in in = json_in_of(copy, strlen(json));

		json_in_string(&in);
		json_in_end(&in);
		ck_assert_msg(in.problem, "%s", json);
		ck_assert_str_eq(in.problem, bad_strings[i].problem);
		ck_assert_msg(in.at == bad_strings[i].at, "%s: at %zu", json,
			      in.at);
		free(copy);
	}
}
END_TEST

/* Made of pieces that matter; a library that many trust decides. */
START_TEST(jansson_takes_and_refuses_the_same_strings)
{
	static const char *const pieces[] = {"a",
					     "\"",
					     "\\",
					     "\\\\",
					     "\\\"",
					     "\\u",
					     "0041",
					     "\\ud83d",
					     "\\udc33",
					     "\\u00",
					     "\xC3\xA9",
					     "\xC3",
					     "\xF0\x9F\x90\xB3",
					     "\x01",
					     "\x7F",
					     " ",
					     "\\n",
					     "\\/",
					     "e9"};
	struct rng rng = rng_of(1);
	unsigned taken = 0;

	for (unsigned times = 0; times < 60000; times++) {
		char text[80] = "\"", *copy;
		struct wb_bytes ours;
		struct json_in in;
		json_error_t error;
		json_t *theirs;
		size_t size;

		for (uint64_t left = rng_below(&rng, 7); left > 0; left--)
			strcat(text, pieces[rng_below(&rng, 19)]);
		strcat(text, "\"");
		size = strlen(text);
		theirs = json_loadb(text, size,
				    JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
		copy = copy_of(text, size);
		in = json_in_of(copy, size);
		ours = json_in_string(&in);
		json_in_end(&in);
		if (!theirs != !!in.problem)
			ck_abort_msg("%s: %s", text,
				     in.problem ? in.problem : error.text);
		if (theirs && (json_string_length(theirs) != ours.size ||
			       memcmp(json_string_value(theirs), ours.data,
				      ours.size) != 0))
			ck_abort_msg("%s", text);
		taken += theirs != NULL;
		json_decref(theirs);
		free(copy);
	}
	ck_assert_uint_gt(taken, 5000);
	ck_assert_uint_lt(taken, 50000);
}
END_TEST

/* ---- numbers ---- */

START_TEST(a_number_is_whole_and_has_64_bits)
{
	static const struct {
		const char *json;
		int64_t number;
		const char *problem;
	} table[] = {
		{"0", 0, NULL},
		{"-0", 0, NULL},
		{" 12 ", 12, NULL},
		{"-12", -12, NULL},
		{"9223372036854775807", INT64_MAX, NULL},
		{"-9223372036854775808", INT64_MIN, NULL},
		{"9223372036854775808", 0, "a number beyond 64 bits"},
		{"-9223372036854775809", 0, "a number beyond 64 bits"},
		{"99999999999999999999999", 0, "a number beyond 64 bits"},
		{"01", 0, "a number that begins with 0"},
		{"-00", 0, "a number that begins with 0"},
		{"1.0", 0, "a whole number is expected"},
		{"1e3", 0, "a whole number is expected"},
		{"1E3", 0, "a whole number is expected"},
		{"", 0, "a whole number is expected"},
		{"-", 0, "a whole number is expected"},
		{"+1", 0, "a whole number is expected"},
		{"\"1\"", 0, "a whole number is expected"},
		{"null", 0, "a whole number is expected"},
	};

	for (size_t at = 0; at < sizeof(table) / sizeof(*table); at++) {
		const char *json = table[at].json;
		char *copy = copy_of(json, strlen(json));
		struct json_in in = json_in_of(copy, strlen(json));

		ck_assert_int_eq(json_in_number(&in), table[at].number);
		json_in_end(&in);
		if (table[at].problem)
			ck_assert_str_eq(in.problem, table[at].problem);
		else
			ck_assert_msg(!in.problem, "%s: %s", json, in.problem);
		free(copy);
	}
}
END_TEST

/* ---- objects ---- */

/* An object of strings and of such objects, as words: a=b c{d=e}. */
static void walk(struct json_in *in, char *to)
{
	struct wb_bytes key;

	json_in_object(in);
	while (json_in_key(in, &key)) {
		strcat(to, key.data);
		if (*(const char *)key.data == '{') {
			walk(in, strcat(to, "("));
			strcat(to, ") ");
		} else {
			struct wb_bytes value = json_in_string(in);

			strcat(strcat(strcat(to, "="), value.data), " ");
		}
	}
}

START_TEST(an_object_is_read_key_by_key)
{
	static const struct {
		const char *json, *words, *problem;
	} table[] = {
		{"{}", "", NULL},
		{" { } ", "", NULL},
		{"{\"a\":\"1\"}", "a=1 ", NULL},
		{"{ \"a\" : \"1\" , \"b\" : \"2\" }", "a=1 b=2 ", NULL},
		{"{\"{\":{\"b\":\"2\"},\"c\":\"3\"}", "{(b=2 ) c=3 ", NULL},
		{"{\"{\":{},\"{\":{\"{\":{}}}", "{() {({() ) ", NULL},
		{"", NULL, "an object is expected"},
		{"[]", NULL, "an object is expected"},
		{"\"a\"", NULL, "an object is expected"},
		{"{", NULL, "a key is expected"},
		{"{,", NULL, "a key is expected"},
		{"{\"a\"", NULL, "a colon is expected"},
		{"{\"a\"}", NULL, "a colon is expected"},
		{"{\"a\":}", NULL, "a string is expected"},
		{"{\"a\":\"1\"", NULL, "a comma or } is expected"},
		{"{\"a\":\"1\",", NULL, "a key is expected"},
		{"{\"a\":\"1\",}", NULL, "a key is expected"},
		{"{\"a\":\"1\" \"b\":\"2\"}", NULL, "a comma or } is expected"},
		{"{\"a\":\"1\",,\"b\":\"2\"}", NULL, "a key is expected"},
		{"{a:\"1\"}", NULL, "a key is expected"},
		{"{\"{\":{\"b\":\"2\"}", NULL, "a comma or } is expected"},
		{"{}}", NULL, "something follows the object"},
		{"{}{}", NULL, "something follows the object"},
	};

	for (size_t at = 0; at < sizeof(table) / sizeof(*table); at++) {
		const char *json = table[at].json;
		char *copy = copy_of(json, strlen(json));
		struct json_in in = json_in_of(copy, strlen(json));
		char words[200] = "";

		walk(&in, words);
		json_in_end(&in);
		if (table[at].problem) {
			ck_assert_msg(in.problem, "%s", json);
			ck_assert_str_eq(in.problem, table[at].problem);
		} else {
			ck_assert_msg(!in.problem, "%s: %s", json, in.problem);
			ck_assert_str_eq(words, table[at].words);
		}
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_in");
	TCase *tcase = tcase_create("json_in");

	tcase_add_test(tcase, a_string_is_decoded);
	tcase_add_test(tcase, what_is_no_string_is_told_with_its_place);
	tcase_add_test(tcase, jansson_takes_and_refuses_the_same_strings);
	tcase_add_test(tcase, a_number_is_whole_and_has_64_bits);
	tcase_add_test(tcase, an_object_is_read_key_by_key);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
