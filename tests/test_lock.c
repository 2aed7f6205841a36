/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include "tests/support/simdisk.h"
#include "tests/support/suite.h"

#include <unistd.h>

static struct simdisk *disk;
static struct dir *one, *other;
static struct wb_text text;

static void set_up(void)
{
	disk = simdisk_new();
	one = simdisk_dir(disk);
	other = simdisk_dir(disk);
	text = (struct wb_text){"untouched"};
}

static void tear_down(void)
{
	dir_close(one);
	dir_close(other);
	simdisk_free(disk);
}

START_TEST(whoever_is_locked_out_learns_by_whom)
{
	char expected[80];

	ck_ok(lock_take(one, true, &text));
	ck_assert_str_eq(text.text, "untouched");
	snprintf(expected, sizeof(expected), "held by process %ld (simulated)",
		 (long)getpid());
	for (int exclusive = 0; exclusive <= 1; exclusive++) {
		text.text[0] = 0;
		ck_error(lock_take(other, exclusive, &text), WB_LOCKED);
		ck_assert_str_eq(text.text, expected);
	}
	ck_error(lock_take(other, true, NULL), WB_LOCKED);
}
END_TEST

/* Of many readers none is known. */
START_TEST(readers_share_it_and_keep_a_writer_out)
{
	ck_ok(lock_take(one, true, NULL));
	dir_close(one);
	one = simdisk_dir(disk);
	ck_ok(lock_take(one, false, NULL));
	ck_error(lock_take(other, true, &text), WB_LOCKED);
	ck_assert_str_eq(text.text, "held by another process");
	ck_ok(lock_take(other, false, NULL));
}
END_TEST

/* The directory's own lock is enough for a reader. */
START_TEST(a_reader_needs_no_lock_file)
{
	ck_ok(lock_take(one, false, &text));
	ck_assert(!simdisk_has(disk, "lock"));
}
END_TEST

START_TEST(an_error_of_the_disk_is_said_to_be_about_the_lock)
{
	simdisk_fault(disk, (struct sim_fault){SIM_LOCK, 1, WB_IO, false, false,
					       NULL});
	ck_error(lock_take(one, true, &text), WB_IO);
	ck_assert_str_eq(text.text, "the lock: input/output error");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lock");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, whoever_is_locked_out_learns_by_whom);
	tcase_add_test(tcase, readers_share_it_and_keep_a_writer_out);
	tcase_add_test(tcase, a_reader_needs_no_lock_file);
	tcase_add_test(tcase,
		       an_error_of_the_disk_is_said_to_be_about_the_lock);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
