/* SPDX-License-Identifier: Apache-2.0 */
#include "images/labels.h"

#include "images/sentence.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

/* k=v pairs; NULL ends. */
static const struct {
	struct wb_label from[6];
	size_t count;
	const char *canonical; /* "k=v " of each */
	const char *dropped;   /* without those of empty value */
} cases[] = {
	{{{NULL, NULL}}, 0, "", ""},
	{{{"a", "1"}}, 1, "a=1 ", "a=1 "},
	{{{"b", "1"}, {"a", "2"}}, 2, "a=2 b=1 ", "a=2 b=1 "},
	{{{"a", "1"}, {"a", "2"}, {"a", "3"}}, 3, "a=3 ", "a=3 "},
	{{{"a", "1"}, {"b", "2"}, {"a", ""}}, 3, "a= b=2 ", "b=2 "},
	{{{"a", ""}, {"a", "1"}}, 2, "a=1 ", "a=1 "},
	{{{"", "x"}, {"a", "1"}}, 2, "=x a=1 ", "=x a=1 "},
	{{{NULL, "x"}, {"a", NULL}}, 2, "=x a= ", "=x "},
	{{{"b", "1"}, {"a.b", "2"}, {"a", "3"}, {"a/b", "4"}, {"B", "5"}},
	 5,
	 "B=5 a=3 a.b=2 a/b=4 b=1 ",
	 "B=5 a=3 a.b=2 a/b=4 b=1 "},
	{{{"\xC3\xA9", "1"}, {"z", "2"}, {"\x7F", "3"}},
	 3,
	 "z=2 \x7F=3 \xC3\xA9=1 ",
	 "z=2 \x7F=3 \xC3\xA9=1 "},
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

START_TEST(a_map_is_sorted_and_its_last_values_win)
{
	struct wb_labels from = {cases[_i].from, cases[_i].count};
	struct wb_labels labels;

	ck_ok(labels_canonical(&from, &labels));
	ck_assert_str_eq(shape(&labels), cases[_i].canonical);
	labels_drop_empty(&labels);
	ck_assert_str_eq(shape(&labels), cases[_i].dropped);
	labels_release(&labels);
	ck_assert_uint_eq(labels.count, 0);
	ck_assert_ptr_null(labels.items);
}
END_TEST

START_TEST(every_key_is_found_and_no_other)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct rng rng = rng_of(seed);
		struct wb_label items[40];
		char keys[40][4];
		size_t count = rng_below(&rng, 41);
		struct wb_labels labels;

		for (size_t i = 0; i < count; i++) {
			snprintf(keys[i], sizeof(keys[i]), "%u",
				 (unsigned)rng_below(&rng, 60));
			items[i] = (struct wb_label){keys[i], keys[i]};
		}
		ck_ok(labels_canonical(&(struct wb_labels){items, count},
				       &labels));
		for (unsigned wanted = 0; wanted < 60; wanted++) {
			char key[4];
			const char *value;
			bool there = false;

			snprintf(key, sizeof(key), "%u", wanted);
			for (size_t i = 0; i < count; i++)
				there |= !strcmp(keys[i], key);
			value = labels_find(&labels, bytes_of(key));
			ck_assert_msg((value && !strcmp(value, key)) == there,
				      "seed %" PRIu64 ": %s", seed, key);
		}
		labels_release(&labels);
	}
}
END_TEST

START_TEST(a_key_that_is_sought_need_not_end)
{
	const struct wb_label items[] = {{"ab", "1"}, {"abc", "2"}};
	const struct wb_labels labels = {items, 2};

	ck_assert_str_eq(labels_find(&labels, (struct wb_bytes){"abcd", 3}),
			 "2");
	ck_assert_str_eq(labels_find(&labels, (struct wb_bytes){"abcd", 2}),
			 "1");
	ck_assert_ptr_null(labels_find(&labels, (struct wb_bytes){"abcd", 4}));
	ck_assert_ptr_null(labels_find(&labels, (struct wb_bytes){"ab\0", 3}));
	ck_assert_ptr_null(labels_find(&labels, (struct wb_bytes){NULL, 0}));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("labels");
	TCase *tcase = tcase_create("labels");

	tcase_add_loop_test(tcase, a_map_is_sorted_and_its_last_values_win, 0,
			    (int)(sizeof(cases) / sizeof(*cases)));
	tcase_add_test(tcase, every_key_is_found_and_no_other);
	tcase_add_test(tcase, a_key_that_is_sought_need_not_end);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
