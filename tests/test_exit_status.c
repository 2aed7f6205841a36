/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/exit_status.h"

#include "tests/support/suite.h"

#include <stddef.h>

struct expectation {
	enum wb_error error;
	int status;
};

/* What CLI documentation promises, as bare numbers. EXIT_FAILED is written
 * out where it is meant: an error that nobody joined would get it too. */
static const struct expectation promised[] = {
	{WB_OK, 0},
	{WB_NOT_FOUND, 2},
	{WB_EXISTS, 3},
	{WB_PRECONDITION, 3},
	{WB_CONFLICT, 3},
	{WB_BAD_INPUT, 65},
	{WB_USAGE, 64},
	{WB_NESTED, 1},
	{WB_TOO_LARGE, 65},
	{WB_BUFFER, 1},
	{WB_ABORTED, 1},
	{WB_SNAPSHOT_TOO_OLD, 75},
	{WB_COMPACTED, 4},
	{WB_OUTCOME_UNKNOWN, 5},
	{WB_CORRUPT, 6},
	{WB_LOCKED, 7},
	{WB_UNSUPPORTED, 1},
	{WB_READ_ONLY, 77},
	{WB_STOPPED, 74},
	{WB_NO_SPACE, 73},
	{WB_IO, 74},
	{WB_PERMISSION, 77},
	{WB_NO_MEMORY, 75},
	{WB_AGAIN, 75},
	{WB_CANCELLED, 130},
	{WB_FORKED, 1},
	{WB_NOT_A_STORE, 2},
	{WB_UNAVAILABLE, 69},
	{WB_EPOCH_CHANGED, 4},
	{WB_LAGGED, 75},
};

START_TEST(every_error_has_the_status_that_is_promised)
{
	for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++)
		ck_assert_msg((int)exit_status_of(promised[i].error) ==
				      promised[i].status,
			      "error %d: %d", promised[i].error,
			      exit_status_of(promised[i].error));
}
END_TEST

START_TEST(no_error_of_the_library_is_missing_above)
{
	static const enum wb_error all[] = {
#define LIST_ERROR(name, number, code, text) WB_##name,
		WB_ERROR_LIST(LIST_ERROR)
#undef LIST_ERROR
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t found = 0;

		for (size_t j = 0; j < sizeof(promised) / sizeof(promised[0]);
		     j++)
			found += promised[j].error == all[i];
		ck_assert_msg(found == 1, "error %d", all[i]);
	}
}
END_TEST

START_TEST(only_success_is_zero_and_every_status_is_listed)
{
	static const int listed[] = {
#define LIST_STATUS(name, number, meaning) number,
		EXIT_LIST(LIST_STATUS)
#undef LIST_STATUS
	};

	/* Numbers that are no error (yet) count too. */
	for (int error = 0; error < 64; error++) {
		int status = (int)exit_status_of((enum wb_error)error);
		size_t found = 0;

		ck_assert_int_eq(status == 0, error == 0);
		for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
			found += listed[i] == status;
		ck_assert_msg(found == 1, "status %d", status);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exit_status");
	TCase *cases = tcase_create("exit_status");

	tcase_add_test(cases, every_error_has_the_status_that_is_promised);
	tcase_add_test(cases, no_error_of_the_library_is_missing_above);
	tcase_add_test(cases, only_success_is_zero_and_every_status_is_listed);
	suite_add_tcase(suite, cases);
	return suite_run(suite);
}
