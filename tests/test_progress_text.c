/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/progress_text.h"

#include "tests/support/suite.h"

#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static char text[PROGRESS_TEXT_BYTES];

static const struct {
	const char *phase, *unit;
	uint64_t done, total, elapsed_ms;
	const char *sentence;
} said[] = {
	{"start", NULL, 0, 0, 0, "start"},
	{"repair", "bytes", 0, 0, 9000, "repair"},
	{"x", "bytes", 0, 999, 0, "x: 0%, 0 bytes of 999 bytes"},
	{"x", "bytes", 512, 1000, 0, "x: 51%, 512 bytes of 1.0 KiB"},
	{"x", "bytes", 5 * MIB, 0, 9000, "x: 5.0 MiB"},
	{"x", "bytes", 430 * MIB, GIB, 0, "x: 41%, 430 MiB of 1.0 GiB"},
	{"x", "bytes", 999 * MIB, 2048 * GIB, 0, "x: 0%, 999 MiB of 2.0 TiB"},
	{"x", "commits", 12, 3000, 0, "x: 0%, 12 of 3000 commits"},
	{"x", "commits", 12, 0, 0, "x: 12 commits"},
	{"x", "commits", 3000, 3000, 9000, "x: 100%, 3000 of 3000 commits"},
	/* A quarter took so long: three more of it are left. */
	{"x", "y", 1, 4, 999, "x: 25%, 1 of 4 y"},
	{"x", "y", 1, 4, 1000, "x: 25%, 1 of 4 y, 4 s left"},
	{"x", "y", 1, 4, 39000, "x: 25%, 1 of 4 y, 118 s left"},
	{"x", "y", 1, 4, 40000, "x: 25%, 1 of 4 y, 2 min left"},
	{"x", "y", 1, 4, 2399000, "x: 25%, 1 of 4 y, 119 min left"},
	{"x", "y", 1, 4, 2400000, "x: 25%, 1 of 4 y, 2 h left"},
	/* Nothing overflows. */
	{"x", "bytes", UINT64_MAX / 100, UINT64_MAX / 50, 0,
	 "x: 50%, 167772 TiB of 335544 TiB"},
};

START_TEST(what_is_known_is_said)
{
	struct wb_progress progress = {
		.phase = said[_i].phase,
		.unit = said[_i].unit,
		.done = said[_i].done,
		.total = said[_i].total,
	};

	progress_sentence(&progress, said[_i].elapsed_ms, text);
	ck_assert_str_eq(text, said[_i].sentence);
}
END_TEST

static const struct {
	uint64_t done, total;
	unsigned columns;
	const char *bar;
} drawn[] = {
	{0, 200, 80, "[                    ] x: 0%, 0 of 200 y"},
	{9, 200, 80, "[                    ] x: 4%, 9 of 200 y"},
	{10, 200, 80, "[#                   ] x: 5%, 10 of 200 y"},
	{199, 200, 80, "[################### ] x: 99%, 199 of 200 y"},
	{200, 200, 80, "[####################] x: 100%, 200 of 200 y"},
	{10, 200, 60, "[#                   ] x: 5%, 10 of 200 y"},
	{10, 200, 59, "x: 5%, 10 of 200 y"},
	{10, 0, 80, "x: 10 y"},
	/* The last column stays free: a cursor behind it would be a line on. */
	{10, 200, 19, "x: 5%, 10 of 200 y"},
	{10, 200, 18, "x: 5%, 10 of 200 "},
	{10, 200, 1, ""},
};

START_TEST(a_bar_fits_its_terminal)
{
	struct wb_progress progress = {
		.phase = "x",
		.unit = "y",
		.done = drawn[_i].done,
		.total = drawn[_i].total,
	};

	progress_bar(&progress, 0, drawn[_i].columns, text);
	ck_assert_str_eq(text, drawn[_i].bar);
	ck_assert_uint_lt(strlen(text), drawn[_i].columns);
}
END_TEST

START_TEST(an_object_has_null_for_what_is_not_known)
{
	progress_json(&(struct wb_progress){.phase = "x",
					    .unit = "bytes",
					    .done = 1,
					    .total = 2},
		      text);
	ck_assert_str_eq(text, "{\"progress\":{\"phase\":\"x\",\"unit\":"
			       "\"bytes\",\"done\":1,\"total\":2}}");
	progress_json(&(struct wb_progress){.phase = "x"}, text);
	ck_assert_str_eq(text, "{\"progress\":{\"phase\":\"x\",\"unit\":null,"
			       "\"done\":0,\"total\":null}}");
}
END_TEST

START_TEST(the_longest_texts_are_cut)
{
	char phase[2 * PROGRESS_TEXT_BYTES];
	struct wb_progress progress = {.phase = phase,
				       .unit = "bytes",
				       .done = 1,
				       .total = 2};

	memset(phase, 'x', sizeof(phase) - 1);
	phase[sizeof(phase) - 1] = '\0';
	progress_sentence(&progress, 5000, text);
	ck_assert_uint_eq(strlen(text), PROGRESS_TEXT_BYTES - 1);
	progress_bar(&progress, 5000, 1000, text);
	ck_assert_uint_eq(strlen(text), PROGRESS_TEXT_BYTES - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("progress_text");
	TCase *cases = tcase_create("progress_text");

	tcase_add_loop_test(cases, what_is_known_is_said, 0,
			    sizeof(said) / sizeof(said[0]));
	tcase_add_loop_test(cases, a_bar_fits_its_terminal, 0,
			    sizeof(drawn) / sizeof(drawn[0]));
	tcase_add_test(cases, an_object_has_null_for_what_is_not_known);
	tcase_add_test(cases, the_longest_texts_are_cut);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
