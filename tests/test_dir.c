/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "tests/support/simdisk.h"
#include "tests/support/suite.h"

static bool has(struct dir *dir, const char *folder, const char *entry)
{
	bool found;

	ck_ok(dir_has(dir, folder, entry, &found));
	return found;
}

static void make(struct dir *dir, const char *name)
{
	struct file *file;

	ck_ok(dir_create_anew(dir, name, &file));
	file_close(file);
}

START_TEST(a_name_is_looked_for_whole_and_in_its_folder)
{
	struct simdisk *disk = simdisk_new();
	struct dir *dir = simdisk_dir(disk);
	bool found = true;

	ck_ok(dir_make(dir, "tmp"));
	make(dir, "anchor");
	make(dir, "tmp/spare");
	ck_assert(has(dir, "", "anchor"));
	ck_assert(!has(dir, "", "anch"));
	ck_assert(!has(dir, "", "anchor.unfinished"));
	ck_assert(!has(dir, "", "spare"));
	ck_assert(has(dir, "tmp", "spare"));
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_LIST,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(dir_has(dir, "", "none", &found), WB_IO);
	ck_assert(found);
	dir_close(dir);
	simdisk_free(disk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dir");
	TCase *tcase = tcase_create("dir");

	tcase_add_test(tcase, a_name_is_looked_for_whole_and_in_its_folder);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
