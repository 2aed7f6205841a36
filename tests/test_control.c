/* SPDX-License-Identifier: Apache-2.0 */
#include "base/control.h"
#include "base/file.h"
#include "tests/support/simdisk.h"
#include "tests/support/suite.h"

START_TEST(every_name_finds_its_id)
{
	enum control control = (enum control)_i;

	ck_assert_int_eq(control_find(control_name(control)), control);
}
END_TEST

START_TEST(other_names_find_nothing)
{
	ck_assert_int_eq(control_find(""), CONTROL_COUNT);
	ck_assert_int_eq(control_find("group_sync"), CONTROL_COUNT);
	ck_assert_int_eq(control_find("GROUP_SYNC "), CONTROL_COUNT);
}
END_TEST

START_TEST(nothing_is_off_unless_asked)
{
	unsetenv("WAYBILL_CONTROL");
	ck_assert(control_from_environment());
	setenv("WAYBILL_CONTROL", "", 1);
	ck_assert(control_from_environment());
	for (int i = 0; i < CONTROL_COUNT; i++)
		ck_assert(!control_off((enum control)i));
}
END_TEST

START_TEST(an_unknown_control_is_refused)
{
	setenv("WAYBILL_CONTROL", "GROUP_SINK", 1);
	ck_assert(!control_from_environment());
}
END_TEST

#ifdef WAYBILL_CONTROLS
START_TEST(the_one_asked_for_is_off_and_no_other)
{
	setenv("WAYBILL_CONTROL", control_name((enum control)_i), 1);
	ck_assert(control_from_environment());
	for (int i = 0; i < CONTROL_COUNT; i++)
		ck_assert_int_eq(control_off((enum control)i), i == _i);
}
END_TEST

START_TEST(a_step_that_is_off_says_ok_and_does_nothing)
{
	struct simdisk *disk = simdisk_new();
	struct dir *dir = simdisk_dir(disk);
	struct file *file;

	control_switched_off = CONTROL_ANCHOR_SYNC;
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_ok(file_write(file, "x", 1, 0));
	ck_assert_uint_eq(simdisk_pending(disk), 3);
	ck_ok(file_sync(file, CONTROL_ANCHOR_SYNC));
	ck_ok(dir_sync(dir, "", CONTROL_ANCHOR_SYNC));
	ck_ok(dir_rename(dir, "a", "b", CONTROL_ANCHOR_SYNC));
	ck_ok(file_drop_cache(file, 0, CONTROL_ANCHOR_SYNC));
	ck_assert_uint_eq(simdisk_pending(disk), 3);
	ck_assert_uint_eq(simdisk_count(disk, SIM_ANY), 2);
	ck_ok(file_sync(file, CONTROL_GROUP_SYNC));
	ck_assert_uint_eq(simdisk_pending(disk), 2);
	file_close(file);
	dir_close(dir);
	simdisk_free(disk);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("control");

	tcase_add_loop_test(tcase, every_name_finds_its_id, 0, CONTROL_COUNT);
	tcase_add_test(tcase, other_names_find_nothing);
	tcase_add_test(tcase, nothing_is_off_unless_asked);
	tcase_add_test(tcase, an_unknown_control_is_refused);
#ifdef WAYBILL_CONTROLS
	tcase_add_loop_test(tcase, the_one_asked_for_is_off_and_no_other, 0,
			    CONTROL_COUNT);
	tcase_add_test(tcase, a_step_that_is_off_says_ok_and_does_nothing);
#endif
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
