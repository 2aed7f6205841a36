/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers and codes are written down here a second time, by hand: they
 * are on wires and in scripts, and may be added to but never changed.
 */
#include "tests/support/suite.h"

static const struct {
	int number;
	const char *code;
} pinned[] = {
	{0, "ok"},
	{1, "not_found"},
	{2, "exists"},
	{3, "precondition_failed"},
	{4, "operation_conflict"},
	{5, "bad_input"},
	{6, "usage"},
	{7, "nested_update"},
	{8, "too_large"},
	{9, "buffer_too_small"},
	{10, "aborted"},
	{11, "snapshot_too_old"},
	{12, "compacted"},
	{13, "outcome_unknown"},
	{14, "corrupt"},
	{15, "locked"},
	{16, "unsupported"},
	{17, "read_only"},
	{18, "stopped"},
	{19, "no_space"},
	{20, "io"},
	{21, "permission"},
	{22, "no_memory"},
	{23, "try_again"},
	{24, "cancelled"},
	{25, "forked"},
	{26, "not_a_store"},
	{27, "unavailable"},
	{28, "epoch_changed"},
	{29, "lagged"},
};
enum { PINNED_COUNT = sizeof(pinned) / sizeof(*pinned) };

START_TEST(number_and_code_never_change)
{
	ck_assert_int_eq(pinned[_i].number, _i);
	ck_assert_str_eq(wb_error_code((enum wb_error)_i), pinned[_i].code);
}
END_TEST

START_TEST(texts_are_sentences_of_their_own)
{
	const char *text = wb_error_text((enum wb_error)_i);

	ck_assert_uint_gt(strlen(text), 3);
	ck_assert_ptr_null(strchr(text, '\n'));
	ck_assert_str_ne(text, "unknown error");
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(text, wb_error_text((enum wb_error)i));
}
END_TEST

START_TEST(every_error_of_the_list_is_pinned)
{
	int count = 0;
#define COUNT(name, number, code, text) count += (number) == count;
	WB_ERROR_LIST(COUNT)
#undef COUNT
	ck_assert_int_eq(count, PINNED_COUNT);
	ck_assert_int_eq(WB_LAGGED, PINNED_COUNT - 1);
}
END_TEST

START_TEST(what_is_no_error_has_a_name_all_the_same)
{
	ck_assert_str_eq(wb_error_code((enum wb_error)9999), "unknown");
	ck_assert_str_eq(wb_error_text((enum wb_error)9999), "unknown error");
	ck_assert_str_eq(wb_error_code((enum wb_error)PINNED_COUNT), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");

	tcase_add_loop_test(tcase, number_and_code_never_change, 0,
			    PINNED_COUNT);
	tcase_add_loop_test(tcase, texts_are_sentences_of_their_own, 0,
			    PINNED_COUNT);
	tcase_add_test(tcase, every_error_of_the_list_is_pinned);
	tcase_add_test(tcase, what_is_no_error_has_a_name_all_the_same);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
