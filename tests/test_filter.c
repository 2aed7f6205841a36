/* SPDX-License-Identifier: Apache-2.0
 *
 * The language by example; test_filter_cases.c holds it against containerd.
 */
#include "images/filter.h"

#include "tests/support/suite.h"

#include <string.h>

/* One object whose field a.b is "x", "é" is "y", and n is "". */
static bool field_of(const void *object, const struct wb_bytes *path,
		     size_t count, struct wb_bytes *ret_value)
{
	char joined[64] = "";
	size_t size = 0;

	(void)object;
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_lt(size + path[i].size + 1, sizeof(joined));
		if (i > 0)
			joined[size++] = '.';
		memcpy(joined + size, path[i].data, path[i].size);
		size += path[i].size;
	}
	joined[size] = 0;
	if (!strcmp(joined, "a.b"))
		*ret_value = bytes_of("x");
	else if (!strcmp(joined, "\xC3\xA9"))
		*ret_value = bytes_of("y");
	else if (!strcmp(joined, "n"))
		*ret_value = bytes_of("");
	else
		return false;
	return true;
}

static const struct {
	const char *filter;
	bool matches;
} matches[] = {
	{"", true},
	{"a.b", true},
	{"a", false},
	{"a.b.c", false},
	{"a.b==x", true},
	{"a.b==y", false},
	{"a.b!=y", true},
	{"a.b!=x", false},
	{"a.b==x,a.b!=y", true},
	{"a.b==x,a.b==y", false},
	{"n", true},
	{"n==\"\"", true},
	{"a.b==\"\"", false},
	{"nope", false},
	{"nope==\"\"", false}, /* absent is not empty */
	{"nope!=x", true},
	{"nope!=\"\"", false}, /* …but here it is */
	{"nope~=/^$/", true},
	{"a.b~=/^x$/", true},
	{"a.b~=x", true},
	{"a.b~=(", false},
	{"\"a\".\"b\"", true},
	{"\"a.b\"", true},
	{"\"\\x61.\\142\"==\"\\u0078\"", true},
	{"\"\xC3\xA9\"==y", true},
	{"\"\\xc3\\xa9\"", true},
	{"\"\\u00e9\"", true},
	{"a.b == x", true},
	{"a . b", false}, /* an error, not a path; see below */
};

START_TEST(an_object_matches_like_this)
{
	struct sentence text = {.size = 0};
	struct filter *filter = NULL;
	bool is = !matches[_i].matches;

	if (filter_parse(bytes_of(matches[_i].filter), &filter, &text)) {
		ck_assert_str_eq(matches[_i].filter, "a . b");
		return;
	}
	ck_ok(filter_match(filter, field_of, NULL, &is));
	ck_assert(is == matches[_i].matches);
	filter_free(filter);
}
END_TEST

#define PARSE "filters: parse error: "

static const struct {
	const char *filter;
	size_t size; /* 0: up to the zero byte */
	const char *text;
} bad[] = {
	{"a . b", 0,
	 PARSE "[a  >|.|<  b]: expected an operator (\"==\"|\"!=\"|\"~=\")"},
	{"a==", 0, PARSE "[a==]: expected value or quoted"},
	{"a==,", 0, PARSE "[a== >|,|< ]: expected value or quoted"},
	{"==a", 0, PARSE "[ >|=|< =a]: expected field or quoted"},
	{"a=!b", 0, PARSE "[a >|=|< !b]: unsupported operator \"=!\""},
	{"a\0b", 3, PARSE "[a >|?|< b]: unexpected null"},
	{"\"a\nb\"", 0, PARSE "[ >|\"|< a?b\"]: quoted literal not terminated"},
	{"\"\\q\"", 0, PARSE "[ >|\"|< \\q\"]: illegal escape sequence"},
	{"\"\\x4\"", 0,
	 PARSE "[ >|\"|< \\x4\"]: illegal numeric escape sequence"},
	{"\"\\400\"", 0,
	 PARSE "[ >|\"|< \\400\"]: unquoting failed: quote syntax error"},
	{"a\xFF", 0, PARSE "[a >|\xEF\xBF\xBD|< ]: rune error"},
	{"a\xEF\xBF\xBD", 0,
	 PARSE "[a >|\xEF\xBF\xBD|< \xEF\xBF\xBD\xEF\xBF\xBD]: rune error"},
	{"/a/", 0, PARSE "[ >|/|< a/]: invalid quote encountered"},
	{"a==/b/", 0, PARSE "[a== >|/|< b/]: invalid quote encountered"},
	{"a\t", 0, PARSE "[a?]: expected an operator (\"==\"|\"!=\"|\"~=\")"},
};

START_TEST(what_is_no_filter_is_refused_in_these_words)
{
	size_t size = bad[_i].size ? bad[_i].size : strlen(bad[_i].filter);
	struct wb_bytes expression = {bad[_i].filter, size};
	struct sentence text = {.size = 0};
	struct wb_text shown = {""};
	struct filter *filter = NULL;

	ck_error(filter_parse(expression, &filter, &text), WB_BAD_INPUT);
	ck_assert_ptr_null(filter);
	sentence_answer(&text, &shown, WB_BAD_INPUT);
	ck_assert_str_eq(shown.text, bad[_i].text);
}
END_TEST

static const struct {
	const char *filter;
	const char *name; /* NULL: any */
} required[] = {
	{"", NULL},
	{"name", NULL},
	{"name==a", "a"},
	{"labels.x,name==a", "a"},
	{"\"name\"==\"\\x61\"", "a"},
	{"name!=a", NULL},
	{"name~=a", NULL},
	{"name.x==a", NULL},
	{"names==a", NULL},
	{"name==a,name==b", "a"},
};

START_TEST(a_filter_tells_the_name_it_requires)
{
	struct sentence text = {.size = 0};
	struct filter *filter;
	struct wb_bytes name;
	bool has;

	ck_ok(filter_parse(bytes_of(required[_i].filter), &filter, &text));
	has = filter_requires(filter, "name", &name);
	ck_assert(has == (required[_i].name != NULL));
	if (has) {
		ck_assert_uint_eq(name.size, strlen(required[_i].name));
		ck_assert_mem_eq(name.data, required[_i].name, name.size);
	}
	filter_free(filter);
}
END_TEST

START_TEST(one_filter_of_several_is_enough)
{
	static const char *const expressions[] = {"nope", "a.b==x", "n"};
	struct filters filters;
	bool is = false;

	ck_ok(filters_parse(expressions, 3, &filters, NULL));
	ck_ok(filters_match(&filters, field_of, NULL, &is));
	ck_assert(is);
	filters_release(&filters);
	ck_ok(filters_parse(expressions, 1, &filters, NULL));
	ck_ok(filters_match(&filters, field_of, NULL, &is));
	ck_assert(!is);
	filters_release(&filters);
	ck_ok(filters_parse(NULL, 0, &filters, NULL));
	ck_ok(filters_match(&filters, field_of, NULL, &is));
	ck_assert(is);
	filters_release(&filters);
}
END_TEST

START_TEST(a_fault_among_several_is_told_twice_over)
{
	static const char *const expressions[] = {"n", "a="};
	struct filters filters;
	struct wb_text text = {""};

	ck_error(filters_parse(expressions, 2, &filters, &text), WB_BAD_INPUT);
	ck_assert_str_eq(text.text,
			 "filters: parse error: [a >|=|< ]: unsupported "
			 "operator \"=\": invalid argument: invalid argument");
}
END_TEST

START_TEST(a_filter_holds_as_much_as_its_length_allows)
{
	/* 1,366 selectors of two fields, and one of 2,048 fields */
	char expression[4097] = "";
	struct sentence text = {.size = 0};
	struct filter *filter;
	bool is;

	for (size_t i = 0; i + 4 < sizeof(expression); i += 4)
		memcpy(expression + i, i ? ",a.b" : "\"\".b", 4);
	ck_ok(filter_parse(bytes_of(expression), &filter, &text));
	ck_ok(filter_match(filter, field_of, NULL, &is));
	ck_assert(!is);
	filter_free(filter);
	for (size_t i = 0; i < 4095; i++)
		expression[i] = i % 2 ? '.' : '1';
	expression[4095] = 0;
	ck_ok(filter_parse(bytes_of(expression), &filter, &text));
	filter_free(filter);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("filter");
	TCase *tcase = tcase_create("filter");

	tcase_add_loop_test(tcase, an_object_matches_like_this, 0,
			    COUNT(matches));
	tcase_add_loop_test(tcase, what_is_no_filter_is_refused_in_these_words,
			    0, COUNT(bad));
	tcase_add_loop_test(tcase, a_filter_tells_the_name_it_requires, 0,
			    COUNT(required));
	tcase_add_test(tcase, one_filter_of_several_is_enough);
	tcase_add_test(tcase, a_fault_among_several_is_told_twice_over);
	tcase_add_test(tcase, a_filter_holds_as_much_as_its_length_allows);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
