/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "tests/support/allocations.h"
#include "tests/support/suite.h"

#include <string.h>

START_TEST(what_is_there_stays_while_it_grows)
{
	uint32_t *array = NULL;
	size_t capacity = 0;

	for (uint32_t at = 0; at < 10000; at++) {
		ck_assert(
			array_grow(&array, &capacity, at + 1, sizeof(*array)));
		ck_assert_uint_gt(capacity, at);
		array[at] = at;
	}
	for (uint32_t at = 0; at < 10000; at++)
		ck_assert_uint_eq(array[at], at);
	free(array);
}
END_TEST

START_TEST(where_there_is_room_nothing_moves)
{
	uint8_t bytes[8];
	uint8_t *array = bytes;
	size_t capacity = 8;

	ck_assert(array_grow(&array, &capacity, 8, 1));
	ck_assert_ptr_eq(array, bytes);
	ck_assert_uint_eq(capacity, 8);
}
END_TEST

START_TEST(any_size_is_reached_at_once)
{
	uint8_t *array = NULL;
	size_t capacity = 0;

	ck_assert(array_grow(&array, &capacity, 100000, 1));
	ck_assert_uint_ge(capacity, 100000);
	memset(array, 7, 100000);
	free(array);
}
END_TEST

START_TEST(without_memory_the_array_is_as_it_was)
{
	uint8_t *array = malloc(4);
	uint8_t *before = array;
	size_t capacity = 4;

	ck_assert_ptr_nonnull(array);
	memcpy(array, "abc", 4);
	allocations_fail(1, false);
	ck_assert(!array_grow(&array, &capacity, 5, 1));
	ck_assert_uint_eq(allocations_stop(), 1);
	ck_assert_ptr_eq(array, before);
	ck_assert_uint_eq(capacity, 4);
	ck_assert_str_eq((const char *)array, "abc");
	free(array);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("array");
	TCase *tcase = tcase_create("array");

	tcase_add_test(tcase, what_is_there_stays_while_it_grows);
	tcase_add_test(tcase, where_there_is_room_nothing_moves);
	tcase_add_test(tcase, any_size_is_reached_at_once);
	tcase_add_test(tcase, without_memory_the_array_is_as_it_was);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
