/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/images.h"

#include "tests/support/suite.h"

#include <string.h>

#define OPTIONS .size = sizeof(struct wb_list_options)

struct shown {
	char names[4096];
	size_t stop_after; /* 0: never */
	size_t count;
	uint64_t revision_max;
};

static bool show(void *context, const struct wb_image *image)
{
	struct shown *shown = context;

	ck_assert_uint_lt(strlen(shown->names) + strlen(image->name) + 2,
			  sizeof(shown->names));
	strcat(shown->names, image->name);
	strcat(shown->names, " ");
	if (image->revision > shown->revision_max)
		shown->revision_max = image->revision;
	return ++shown->count != shown->stop_after;
}

/* Ten images whose names are out of order. */
static void ten(void)
{
	static const char *const unordered[] = {"b",	"a/b", "a",  "a/c",
						"B",	"a.b", "b0", "\xC3\xA9",
						"a/b/", "a0"};

	const struct wb_labels odd = LABELS({"odd", "yes"}, {"x.y/z", "1"});
	const struct wb_labels three = LABELS({"note", "three"});

	for (size_t i = 0; i < 10; i++) {
		struct wb_image image = plain(unordered[i]);

		if (i % 2)
			image.labels = odd;
		if (i == 3)
			image.target.annotations = three;
		if (i > 7)
			image.target.digest = DIGEST_B;
		given_image(&image);
	}
}

#define ALL "B a a.b a/b a/b/ a/c a0 b b0 \xC3\xA9 "

static const struct {
	const char *prefix;
	const char *after;
	size_t limit;
	const char *names;
	bool more;
} ranges[] = {
	{NULL, NULL, 0, ALL, false},
	{"", "", SIZE_MAX, ALL, false},
	{"a", NULL, 0, "a a.b a/b a/b/ a/c a0 ", false},
	{"a/", NULL, 0, "a/b a/b/ a/c ", false},
	{"a/", "a/b", 0, "a/b/ a/c ", false},
	{"a/", "a/b", 1, "a/b/ ", true},
	{"a/", "a/b/", 1, "a/c ", false},
	{"c", NULL, 0, "", false},
	{NULL, "a/b", 3, "a/b/ a/c a0 ", true},
	{NULL, "a0", 3, "b b0 \xC3\xA9 ", false},
	{NULL, "a/a", 2, "a/b a/b/ ", true},
	{NULL, "\xC3\xA9", 3, "", false},
	{NULL, "zzz", 3, "\xC3\xA9 ", false},
	{NULL, NULL, 10, ALL, false},
	{NULL, NULL, 9, "B a a.b a/b a/b/ a/c a0 b b0 ", true},
};

START_TEST(a_list_is_in_order_and_within_bounds)
{
	struct wb_list_options options = {OPTIONS, .prefix = ranges[_i].prefix,
					  .after = ranges[_i].after,
					  .limit = ranges[_i].limit};
	struct shown shown = {.count = 0};
	struct wb_page page = {0, !ranges[_i].more};

	ten();
	ck_ok(images->ops->list(images, &call, &options, show, &shown, &page,
				NULL));
	ck_assert_str_eq(shown.names, ranges[_i].names);
	ck_assert(page.more == ranges[_i].more);
	ck_assert_uint_eq(page.revision, 10);
	ck_assert_uint_le(shown.revision_max, 10);
}
END_TEST

static const struct {
	size_t size;
	uint64_t later;
	enum wb_error error;
	const char *names; /* with a limit of one, where that is seen */
} sizes[] = {
	{sizeof(struct wb_list_options), 1, WB_OK, "B "},
	{offsetof(struct wb_list_options, limit), 1, WB_OK, ALL},
	{sizeof(struct wb_list_options) + 8, 0, WB_OK, "B "},
	{sizeof(struct wb_list_options) + 8, 1, WB_UNSUPPORTED, ""},
	{sizeof(struct wb_list_options) - 1, 0, WB_USAGE, ""},
	{0, 0, WB_USAGE, ""},
};

START_TEST(options_may_be_an_older_programs_or_a_newer_ones)
{
	struct {
		struct wb_list_options known;
		uint64_t later;
	} options = {.known = {.size = sizes[_i].size, .limit = 1},
		     .later = sizes[_i].later};
	struct shown shown = {.count = 0};
	struct wb_text text = {""};

	ten();
	ck_error(images->ops->list(images, &call, &options.known, show, &shown,
				   NULL, &text),
		 sizes[_i].error);
	ck_assert_str_eq(shown.names, sizes[_i].names);
	ck_assert_int_eq(*text.text != 0, sizes[_i].error != WB_OK);
}
END_TEST

/* ---- filters ---- */

static const struct {
	const char *filters[4];
	const char *names;
} filters[] = {
	{{""}, ALL},
	{{"name"}, ALL},
	{{"name==a"}, "a "},
	{{"name==nope"}, ""},
	{{"name==a", "name==b", "name==a"}, "a b "},
	{{"name==b,labels.odd"}, ""},
	{{"name==a/b,labels.odd", "name==b"}, "a/b b "},
	{{"name==b", "name~=^a/"}, "a/b a/b/ a/c b "},
	{{"name==a", ""}, ALL},
	{{"name!=a"}, "B a.b a/b a/b/ a/c a0 b b0 \xC3\xA9 "},
	{{"name~=^a$"}, "a "},
	{{"name~=b"}, "a.b a/b a/b/ b b0 "},
	{{"name~=/^a\\/[bc]/"}, "a/b a/b/ a/c "},
	{{"name~=|/b$|"}, "a/b "},
	{{"name~=(?i)^b"}, "B b b0 "},
	{{"name~=["}, ""},
	{{"name~=(?=a)"}, ""},
	{{"labels.odd"}, "a.b a/b a/c a0 \xC3\xA9 "},
	{{"labels.odd==yes,name~=/^a\\//"}, "a/b a/c "},
	{{"labels.odd!=yes"}, "B a a/b/ b b0 "},
	{{"labels.\"x.y/z\"==1,name~=0"}, "a0 "},
	{{"labels"}, ""},
	{{"labels.nope~=/.*/,name==a"}, "a "},
	{{"annotations.note==three"}, "a/c "},
	{{"annotations.note"}, "a/c "},
	{{"target.digest==" DIGEST_B}, "a/b/ a0 "},
	{{"target.digest~=^sha256:b"}, "a/b/ a0 "},
	{{"target.mediatype==" MEDIA ",name==a"}, "a "},
	{{"target.mediatype"}, ALL},
	{{"target.size"}, ""},
	{{"target"}, ""},
	{{"nope"}, ""},
	{{"nope!=1"}, ALL},
	{{"name.b==a"}, "a "},
	{{"\"name\"==\"a\""}, "a "},
	{{"name==\"\\x00\""}, ""},
	{{"name==\"\""}, ""},
	{{"name==\xC3\xA9"}, "\xC3\xA9 "},
};

START_TEST(a_filter_shows_what_matches)
{
	struct wb_list_options options = {OPTIONS,
					  .filters = filters[_i].filters};
	struct shown shown = {.count = 0};
	struct wb_text text = {""};

	ten();
	while (options.filter_count < 4 &&
	       filters[_i].filters[options.filter_count])
		options.filter_count++;
	ck_assert_msg(!images->ops->list(images, &call, &options, show, &shown,
					 NULL, &text),
		      "%s", text.text);
	ck_assert_str_eq(shown.names, filters[_i].names);
}
END_TEST

#define TWICE ": invalid argument: invalid argument"

static const struct {
	const char *filter;
	const char *text;
} bad_filters[] = {
	{"name=a", "filters: parse error: [name >|=|< a]: unsupported operator "
		   "\"=\"" TWICE},
	{"name===a",
	 "filters: parse error: [name >|=|< ==a]: unsupported operator "
	 "\"===\"" TWICE},
	{"name==", "filters: parse error: [name==]: expected value or "
		   "quoted" TWICE},
	{"name==a b",
	 "filters: parse error: [name==a >| |< b]: unexpected input:  " TWICE},
	{"name==a,",
	 "filters: parse error: [name==a,]: expected field or quoted" TWICE},
	{"name~=.*",
	 "filters: parse error: [name~= >|.|< *]: expected value or "
	 "quoted" TWICE},
	{"labels.x.y/z==1",
	 "filters: parse error: [labels.x.y >|/|< z==1]: quoted literal not "
	 "terminated" TWICE},
	{"labels.|a|==1",
	 "filters: parse error: [labels. >|||< a|==1]: invalid quote "
	 "encountered" TWICE},
	{" ", "filters: parse error: [ ]: expected field or quoted" TWICE},
	{"\xC3\xA9",
	 "filters: parse error: [ >|\xEF\xBF\xBD|< \xEF\xBF\xBD]: expected "
	 "field or quoted" TWICE},
};

START_TEST(a_filter_that_is_none_is_refused_in_these_words)
{
	const char *both[] = {"name", bad_filters[_i].filter};
	struct wb_list_options options = {OPTIONS, .filters = both,
					  .filter_count = 2};
	struct shown shown = {.count = 0};
	struct wb_text text = {""};
	enum wb_error error;

	ten();
	error = images->ops->list(images, &call, &options, show, &shown, NULL,
				  &text);
	ck_answer(error, WB_BAD_INPUT, text, bad_filters[_i].text);
	ck_assert_uint_eq(shown.count, 0);
}
END_TEST

START_TEST(filters_have_limits)
{
	char one[4200] = "name==";
	const char *many[33];
	struct wb_list_options options = {OPTIONS, .filters = many,
					  .filter_count = 32};
	struct shown shown = {.count = 0};
	struct wb_text text = {""};
	enum wb_error error;

	for (size_t i = 0; i < 33; i++)
		many[i] = "name";
	ck_ok(images->ops->list(images, &call, &options, show, &shown, NULL,
				NULL));
	options.filter_count = 33;
	error = images->ops->list(images, &call, &options, show, &shown, NULL,
				  &text);
	ck_answer(error, WB_BAD_INPUT, text,
		  "filters: more than 32: invalid argument");
	memset(one + 6, 'n', 4091);
	many[0] = one;
	options.filter_count = 1;
	error = images->ops->list(images, &call, &options, show, &shown, NULL,
				  &text);
	ck_answer(error, WB_BAD_INPUT, text,
		  "filters: greater than maximum size (4096 bytes): "
		  "invalid argument");
	one[4096] = 0;
	ck_ok(images->ops->list(images, &call, &options, show, &shown, NULL,
				NULL));
	one[4095] = '=';
	ck_ok(images->ops->list(images, &call, &options, show, &shown, NULL,
				NULL));
}
END_TEST

START_TEST(limit_counts_what_matches)
{
	const char *filter[] = {"labels.odd"};
	struct wb_list_options options = {OPTIONS, .filters = filter,
					  .filter_count = 1, .limit = 2};
	struct shown shown = {.count = 0};
	struct wb_page page = {0, false};

	ten();
	ck_ok(images->ops->list(images, &call, &options, show, &shown, &page,
				NULL));
	ck_assert_str_eq(shown.names, "a.b a/b ");
	ck_assert(page.more);
	options.after = "a/b";
	options.limit = 3;
	ck_ok(images->ops->list(images, &call, &options, show, &shown, &page,
				NULL));
	ck_assert_str_eq(shown.names, "a.b a/b a/c a0 \xC3\xA9 ");
	ck_assert(!page.more);
}
END_TEST

START_TEST(bounds_hold_for_names_that_a_filter_asks_for)
{
	const char *filter[] = {"name==a0", "name==a", "name==a/b"};
	struct wb_list_options options = {OPTIONS, .filters = filter,
					  .filter_count = 3, .limit = 2};
	struct shown shown = {.count = 0};
	struct wb_page page = {0, false};

	ten();
	ck_ok(images->ops->list(images, &call, &options, show, &shown, &page,
				NULL));
	ck_assert_str_eq(shown.names, "a a/b ");
	ck_assert(page.more);
	options.after = "a";
	options.prefix = "a/";
	ck_ok(images->ops->list(images, &call, &options, show, &shown, &page,
				NULL));
	ck_assert_str_eq(shown.names, "a a/b a/b ");
	ck_assert(!page.more);
}
END_TEST

START_TEST(a_page_has_a_thousand)
{
	enum { MANY = 1001 };
	static struct wb_image some[MANY];
	static struct wb_image_mutation batch[MANY];
	static char name[MANY][8];
	struct shown *shown = calloc(1, sizeof(*shown));
	struct wb_page page = {0, false};
	struct wb_list_options options = {OPTIONS, .limit = SIZE_MAX};

	for (size_t i = 0; i < MANY; i++) {
		snprintf(name[i], sizeof(name[i]), "%zx", i);
		some[i] = plain(name[i]);
		batch[i] = (struct wb_image_mutation){.put = &some[i]};
	}
	ck_ok(images->ops->apply(images, &call, batch, MANY, false, NULL, NULL,
				 NULL, NULL));
	ck_ok(images->ops->list(images, &call, NULL, show, shown, &page, NULL));
	ck_assert_uint_eq(shown->count, 1000);
	ck_assert(page.more);
	*shown = (struct shown){.count = 0};
	ck_ok(images->ops->list(images, &call, &options, show, shown, &page,
				NULL));
	ck_assert_uint_eq(shown->count, MANY);
	ck_assert(!page.more);
	free(shown);
}
END_TEST

START_TEST(a_visitor_ends_the_list)
{
	struct shown shown = {.stop_after = 3};
	struct wb_page page = {0, true};

	ten();
	ck_ok(images->ops->list(images, &call, NULL, show, &shown, &page,
				NULL));
	ck_assert_str_eq(shown.names, "B a a.b ");
	ck_assert(!page.more);
}
END_TEST

START_TEST(a_hostile_expression_is_cut_short)
{
	static const char *const hostile[] = {
		"name~=/(a+)+[bc]/", "name~=/(a|a)*(a|a)*(a|a)*[bc]/",
		"name~=/(.{0,9}.{0,9}){0,20}[!?]/",
		"name~=/(a?b?c?d?e?f?g?h?i?){100}[YZ]/",
		"name~=/((a{0,30}){0,30})[cd]/"};
	char name[4001];
	struct wb_list_options options = {OPTIONS, .filters = hostile + _i,
					  .filter_count = 1};
	struct shown shown = {.count = 0};
	struct wb_text text = {""};
	enum wb_error error;

	/* tcase_set_timeout is the other half of this test. */
	memset(name, 'a', sizeof(name));
	name[4000] = 0;
	given(name);
	for (int i = 0; i < 100; i++) {
		name[80] = 0;
		name[79] = (char)('A' + i % 26);
		name[78] = (char)('A' + i / 26);
		given(name);
	}
	error = images->ops->list(images, &call, &options, show, &shown, NULL,
				  &text);
	ck_assert_uint_eq(shown.count, 0);
	if (error)
		ck_answer(error, WB_BAD_INPUT, text,
			  "filters: regular expression takes too long: "
			  "invalid argument");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

TCase *conformance_list(void)
{
	TCase *tcase = tcase_create("list");

	tcase_add_loop_test(tcase, a_list_is_in_order_and_within_bounds, 0,
			    COUNT(ranges));
	tcase_add_loop_test(tcase,
			    options_may_be_an_older_programs_or_a_newer_ones, 0,
			    COUNT(sizes));
	tcase_add_loop_test(tcase, a_filter_shows_what_matches, 0,
			    COUNT(filters));
	tcase_add_loop_test(tcase,
			    a_filter_that_is_none_is_refused_in_these_words, 0,
			    COUNT(bad_filters));
	tcase_add_test(tcase, filters_have_limits);
	tcase_add_test(tcase, limit_counts_what_matches);
	tcase_add_test(tcase, bounds_hold_for_names_that_a_filter_asks_for);
	tcase_add_test(tcase, a_page_has_a_thousand);
	tcase_add_test(tcase, a_visitor_ends_the_list);
	tcase_add_loop_test(tcase, a_hostile_expression_is_cut_short, 0, 5);
	return tcase;
}
