/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical form of what mask_apply makes; what each path does is in the
 * conformance suite.
 */
#include "images/mask.h"

#include "images/validate.h"
#include "tests/support/suite.h"

#include <string.h>

#define LABELS(...)                                                      \
	{                                                                \
		(const struct wb_label[]){__VA_ARGS__},                  \
			sizeof((const struct wb_label[]){__VA_ARGS__}) / \
				sizeof(struct wb_label)                  \
	}

static const struct wb_image current = {
	.name = "i",
	.labels = LABELS({"a", "1"}, {"c", "3"}),
	.target = {"m", "d", 7, LABELS({"p", "1"})},
	.created_at_ns = 5,
};

static const struct wb_image request = {
	.name = "i",
	.labels = LABELS({"a", "9"}, {"b", "8"}),
	.target = {"n", "e", 8, LABELS({"q", "2"})},
};

/* Labels with an empty value are there until they are dropped. */
static const struct {
	const char *path;
	const char *labels;
	const char *annotations;
} masks[] = {
	{"labels.a", "a=9 c=3 ", "p=1 "},
	{"labels.b", "a=1 b=8 c=3 ", "p=1 "},
	{"labels.c", "a=1 c= ", "p=1 "},
	{"labels.", "= a=1 c=3 ", "p=1 "},
	{"labels.x.y", "a=1 c=3 x.y= ", "p=1 "},
	{"labels", "a=9 b=8 ", "p=1 "},
	{"annotations.p", "a=1 c=3 ", "p= "},
	{"annotations.q", "a=1 c=3 ", "p=1 q=2 "},
	{"annotations", "a=1 c=3 ", "q=2 "},
	{"target", "a=1 c=3 ", "q=2 "},
};

static const char *shape(const struct wb_labels *labels)
{
	static char text[256];
	size_t size = 0;

	*text = 0;
	for (size_t i = 0; i < labels->count; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size,
					 "%s=%s ", labels->items[i].key,
					 labels->items[i].value);
	return text;
}

START_TEST(a_path_changes_this_and_no_more)
{
	bool target = !strcmp(masks[_i].path, "target");
	struct wb_image merged;

	ck_ok(mask_apply(&current, &request, &masks[_i].path, 1, &merged,
			 NULL));
	ck_assert_str_eq(shape(&merged.labels), masks[_i].labels);
	ck_assert_str_eq(shape(&merged.target.annotations),
			 masks[_i].annotations);
	ck_assert_str_eq(merged.target.media_type, target ? "n" : "m");
	ck_assert_str_eq(merged.target.digest, target ? "e" : "d");
	ck_assert_int_eq(merged.target.size, target ? 8 : 7);
	image_canonical_release(&merged);
}
END_TEST

START_TEST(no_path_is_all_of_the_request)
{
	struct wb_image merged;

	ck_ok(mask_apply(&current, &request, NULL, 0, &merged, NULL));
	ck_assert_str_eq(shape(&merged.labels), "a=9 b=8 ");
	ck_assert_str_eq(merged.target.digest, "e");
	ck_assert_str_eq(shape(&merged.target.annotations), "q=2 ");
	image_canonical_release(&merged);
}
END_TEST

START_TEST(paths_work_one_after_the_other)
{
	static const char *const paths[] = {"labels.c", "labels",
					    "labels.c", "annotations.p",
					    "target",	"annotations.z"};
	struct wb_image merged;

	ck_ok(mask_apply(&current, &request, paths, 6, &merged, NULL));
	ck_assert_str_eq(shape(&merged.labels), "a=9 b=8 c= ");
	ck_assert_str_eq(shape(&merged.target.annotations), "q=2 z= ");
	image_canonical_release(&merged);
}
END_TEST

START_TEST(a_path_may_be_named_often)
{
	const char *paths[1000];
	struct wb_image merged;

	for (size_t i = 0; i < 1000; i++)
		paths[i] = i % 3 ? "labels.b" : "labels";
	ck_ok(mask_apply(&current, &request, paths, 1000, &merged, NULL));
	ck_assert_str_eq(shape(&merged.labels), "a=9 b=8 ");
	image_canonical_release(&merged);
}
END_TEST

START_TEST(other_paths_are_refused)
{
	static const char *const others[] = {"name",	    "",
					     "label",	    "labelsx",
					     "target.size", "created_at",
					     "annotation",  "TARGET"};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		const char *paths[] = {"labels", others[i]};
		struct wb_text text = {""};
		struct wb_image merged;
		char expected[128];

		snprintf(expected, sizeof(expected),
			 "cannot update \"%s\" field on image \"i\": "
			 "invalid argument",
			 others[i]);
		ck_error(mask_apply(&current, &request, paths, 2, &merged,
				    &text),
			 WB_BAD_INPUT);
		ck_assert_str_eq(text.text, expected);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mask");
	TCase *tcase = tcase_create("mask");

	tcase_add_loop_test(tcase, a_path_changes_this_and_no_more, 0,
			    (int)(sizeof(masks) / sizeof(*masks)));
	tcase_add_test(tcase, no_path_is_all_of_the_request);
	tcase_add_test(tcase, paths_work_one_after_the_other);
	tcase_add_test(tcase, a_path_may_be_named_often);
	tcase_add_test(tcase, other_paths_are_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
