/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/changes.h"

#include "tests/support/suite.h"

#include <string.h>

#define LABELS(...)                                                      \
	{                                                                \
		(const struct wb_label[]){__VA_ARGS__},                  \
			sizeof((const struct wb_label[]){__VA_ARGS__}) / \
				sizeof(struct wb_label)                  \
	}

static const struct wb_image plain = {
	.name = "a",
	.target = {.media_type = "m", .digest = "d", .size = 1},
	.created_at_ns = 1,
	.updated_at_ns = 2,
	.revision = 3,
};
/* Another name, other times: nothing that counts. */
static const struct wb_image later = {
	.name = "b",
	.target = {.media_type = "m", .digest = "d", .size = 1},
	.created_at_ns = 4,
	.updated_at_ns = 5,
	.revision = 6,
};
static const struct wb_image moved = {
	.name = "a",
	.target = {.media_type = "n", .digest = "e", .size = 1000000000000},
};
static const struct wb_image labelled = {
	.name = "a",
	.labels = LABELS({"b", "1"}, {"d", "2"}, {"e", "3"}),
	.target = {.media_type = "m",
		   .digest = "d",
		   .size = 1,
		   .annotations = LABELS({"b", "x"})},
};
static const struct wb_image relabelled = {
	.name = "a",
	.labels = LABELS({"a", "0"}, {"b", "1"}, {"d", "4"}, {"f", "5"}),
	.target = {.media_type = "m",
		   .digest = "d",
		   .size = 1,
		   .annotations = LABELS({"b", "x"}, {"c", "y"})},
};

static const struct {
	const struct wb_image *before, *after;
	size_t count;
	const char *words;
} table[] = {
	{NULL, NULL, 0, ""},
	{&plain, &plain, 0, ""},
	{&plain, &later, 0, ""},
	{&labelled, &labelled, 0, ""},
	{&plain, &moved, 3,
	 "target.digest:d>e target.mediaType:m>n "
	 "target.size#:1>1000000000000 "},
	{NULL, &plain, 3,
	 "target.digest:->d target.mediaType:->m target.size#:->1 "},
	{&plain, NULL, 3,
	 "target.digest:d>- target.mediaType:m>- target.size#:1>- "},
	{&plain, &labelled, 4,
	 "target.annotations[b]:->x labels[b]:->1 labels[d]:->2 "
	 "labels[e]:->3 "},
	{&labelled, &relabelled, 5,
	 "target.annotations[c]:->y labels[a]:->0 labels[d]:2>4 labels[e]:3>- "
	 "labels[f]:->5 "},
	{&relabelled, &labelled, 5,
	 "target.annotations[c]:y>- labels[a]:0>- labels[d]:4>2 labels[e]:->3 "
	 "labels[f]:5>- "},
};

static void add(void *context, const struct change *change)
{
	char *words = context;
	size_t used = strlen(words);

	ck_assert_ptr_nonnull(change->heading);
	snprintf(words + used, 1000 - used, "%s%s%s%s%s:%s>%s ", change->field,
		 change->key ? "[" : "", change->key ? change->key : "",
		 change->key ? "]" : "", change->is_number ? "#" : "",
		 change->before ? change->before : "-",
		 change->after ? change->after : "-");
}

START_TEST(what_differs_is_told_in_order_and_once)
{
	char words[1000] = "";

	ck_assert_uint_eq(changes_between(table[_i].before, table[_i].after,
					  add, words),
			  table[_i].count);
	ck_assert_str_eq(words, table[_i].words);
	ck_assert_uint_eq(changes_between(table[_i].before, table[_i].after,
					  NULL, NULL),
			  table[_i].count);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("changes");
	TCase *tcase = tcase_create("core");

	tcase_add_loop_test(tcase, what_differs_is_told_in_order_and_once, 0,
			    (int)(sizeof(table) / sizeof(*table)));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
