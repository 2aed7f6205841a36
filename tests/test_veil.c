/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory through another one's handle.
 */
#include "store/veil.h"

#include "store/store.h"
#include "tests/support/shelf.h"

static struct shelf shelf;
static struct dir *real;
static struct veil veil;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	real = simdisk_dir(shelf.disk);
	ck_ok(dir_make(real, "tmp"));
	ck_ok(dir_make(real, "torn"));
}

static void tear_down(void)
{
	dir_close(real);
	shelf_release(&shelf);
}

static enum wb_error open_on(struct dir *dir)
{
	return store_open_on(dir, &shelf.env.env, &shelf.options, &shelf.store,
			     &shelf.text);
}

START_TEST(a_store_opens_under_a_lock_that_is_held)
{
	ck_ok(dir_lock(real, true, NULL));
	ck_error(open_on(simdisk_dir(shelf.disk)), WB_LOCKED);
	veil_init(&veil, real, NULL);
	ck_ok(open_on(&veil.dir));
	shelf_put(&shelf, "a", "1");
	ck_ok(shelf_close(&shelf));
	/* It still is. */
	ck_error(open_on(simdisk_dir(shelf.disk)), WB_LOCKED);
	ck_ok(open_on(&veil.dir));
	ck_text(shelf_listing(&shelf), "a=1");
	ck_ok(shelf_close(&shelf));
	ck_assert(simdisk_has(shelf.disk, "anchor"));
}
END_TEST

START_TEST(behind_a_veil_the_anchor_has_another_name)
{
	veil_init(&veil, real, "hidden");
	ck_ok(open_on(&veil.dir));
	shelf_put(&shelf, "a", "1");
	ck_ok(wb_store_mark(shelf.store));
	ck_ok(shelf_close(&shelf));
	ck_assert(!simdisk_has(shelf.disk, "anchor"));
	ck_assert(simdisk_has(shelf.disk, "hidden"));
	ck_error(open_on(simdisk_dir(shelf.disk)), WB_CORRUPT);
	ck_ok(open_on(&veil.dir));
	ck_text(shelf_listing(&shelf), "a=1");
	ck_ok(shelf_close(&shelf));
	/* One move makes it a store. */
	ck_ok(dir_rename(real, "hidden", "anchor", CONTROL_IMPORT_RENAME));
	ck_ok(open_on(simdisk_dir(shelf.disk)));
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

struct names {
	char words[200];
};

static bool take(void *context, const char *entry)
{
	struct names *names = context;
	size_t used = strlen(names->words);

	snprintf(names->words + used, sizeof(names->words) - used, "%s ",
		 entry);
	return true;
}

static void put_file(const char *name)
{
	struct file *file;

	ck_ok(dir_open(real, name, FILE_CREATE, &file));
	file_close(file);
}

START_TEST(a_listing_shows_the_names_that_open)
{
	struct names names = {.words = ""};

	veil_init(&veil, real, "hidden");
	put_file("hidden");
	put_file("tmp/hidden");
	ck_ok(dir_list(&veil.dir, "", take, &names));
	ck_assert_ptr_nonnull(strstr(names.words, "anchor "));
	ck_assert_ptr_null(strstr(names.words, "hidden"));
	/* Another anchor is not to be seen. */
	put_file("anchor");
	ck_ok(dir_remove(&veil.dir, "anchor"));
	ck_assert(simdisk_has(shelf.disk, "anchor"));
	ck_assert(!simdisk_has(shelf.disk, "hidden"));
	names.words[0] = 0;
	ck_ok(dir_list(&veil.dir, "", take, &names));
	ck_assert_ptr_null(strstr(names.words, "anchor"));
	/* Folders are as they are. */
	names.words[0] = 0;
	ck_ok(dir_list(&veil.dir, "tmp", take, &names));
	ck_assert_str_eq(names.words, "hidden ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("veil");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_store_opens_under_a_lock_that_is_held);
	tcase_add_test(tcase, behind_a_veil_the_anchor_has_another_name);
	tcase_add_test(tcase, a_listing_shows_the_names_that_open);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
