/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of a repair and of a salvage fails, once, and with all
 * after it: an error, nothing is worse, and no half store.
 */
#include "base/lock.h"
#include "repair/check.h"
#include "repair/salvage.h"
#include "store/store.h"
#include "tests/support/allocations.h"
#include "tests/support/annals.h"
#include "tests/support/hush.h"
#include "tests/support/volume.h"

#include <inttypes.h>

static struct shelf shelf;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

static enum wb_error open_disk(struct simdisk *disk, uint64_t *ret_listing)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .report = hush};
	struct wb_store *store;
	enum wb_error error = store_open_on(simdisk_dir(disk), &shelf.env.env,
					    &options, &store, NULL);

	if (error)
		return error;
	*ret_listing = listing_of(store);
	store_abandon(store);
	return WB_OK;
}

static enum wb_error fsck(struct simdisk *disk, uint32_t flags,
			  struct wb_fsck_summary *ret_summary)
{
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = flags,
					  .report = hush};
	struct dir *dir = simdisk_dir(disk);
	enum wb_error error;

	error = check_directory(dir, &shelf.env.env, &options, NULL, NULL,
				ret_summary, NULL);
	dir_close(dir);
	return error;
}

/* A torn tail, a bad slot, a bad header copy, and a file in the making. */
static void make_mess(void)
{
	volume_make(&shelf);
	volume_tear(&shelf);
	volume_spoil(&shelf, "anchor", 40);
	volume_spoil(&shelf, volume_path(1), 40);
	simdisk_copy(shelf.disk, "tmp/x", shelf.disk, "anchor");
}

START_TEST(every_allocation_of_a_repair_may_fail)
{
	uint64_t truth = 0, refused = 0, failed = 1;
	struct simdisk *copy;

	make_mess();
	copy = simdisk_clone(shelf.disk);
	ck_ok(open_disk(copy, &truth));
	simdisk_free(copy);
	for (uint64_t nth = 1; failed; nth++) {
		struct wb_fsck_summary summary = {.status = 0};
		struct simdisk *disk = simdisk_clone(shelf.disk);
		uint64_t listing = 0;
		enum wb_error error;

		allocations_fail(nth, _i == 1);
		error = fsck(disk, WB_FSCK_REPAIR, &summary);
		failed = allocations_stop();
		ck_assert_msg(!error || (error == WB_NO_MEMORY && failed),
			      "allocation %" PRIu64 ": %s", nth,
			      wb_error_code(error));
		refused += error == WB_NO_MEMORY;
		/* What is left can be done. */
		ck_ok(fsck(disk, WB_FSCK_REPAIR, &summary));
		ck_assert_uint_eq(summary.left, 0);
		ck_ok(open_disk(disk, &listing));
		ck_assert_uint_eq(listing, truth);
		simdisk_free(disk);
	}
	ck_assert_uint_gt(refused, 20);
	printf("count: repair, allocations that failed%s %" PRIu64 "\n",
	       _i == 1 ? " for ever" : "", refused);
}
END_TEST

static bool take_file(void *context, const char *path, uint64_t size)
{
	(void)context;
	(void)size;
	ck_abort_msg("%s is left", path);
	return true;
}

static enum wb_error salvage(struct simdisk *to)
{
	static const struct wb_salvage_visitor nobody;
	struct wb_fsck_options options = {.size = sizeof(options),
					  .report = hush};
	struct dir *from_dir = simdisk_dir(shelf.disk);
	struct dir *to_dir = simdisk_dir(to);
	struct wb_salvage_summary summary;
	enum wb_error error = lock_take(to_dir, true, NULL);

	if (!error)
		error = salvage_run(from_dir, to_dir, &shelf.env.env, &options,
				    &nobody, &summary, NULL);
	dir_close(from_dir);
	dir_close(to_dir);
	return error;
}

START_TEST(every_allocation_of_a_salvage_may_fail)
{
	uint64_t truth = 0, refused = 0, failed = 1;
	struct simdisk *to = simdisk_new();

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	simdisk_delete(shelf.disk, volume_path(2));
	ck_ok(salvage(to));
	ck_ok(open_disk(to, &truth));
	simdisk_free(to);
	for (uint64_t nth = 1; failed; nth++) {
		uint64_t listing = 0;
		enum wb_error error;

		to = simdisk_new();
		allocations_fail(nth, _i == 1);
		error = salvage(to);
		failed = allocations_stop();
		ck_assert_msg(!error || (error == WB_NO_MEMORY && failed),
			      "allocation %" PRIu64 ": %s", nth,
			      wb_error_code(error));
		refused += error == WB_NO_MEMORY;
		if (error) {
			simdisk_each(to, take_file, NULL);
		} else {
			ck_ok(open_disk(to, &listing));
			ck_assert_uint_eq(listing, truth);
		}
		simdisk_free(to);
	}
	ck_assert_uint_gt(refused, 50);
	printf("count: salvage, allocations that failed%s %" PRIu64 "\n",
	       _i == 1 ? " for ever" : "", refused);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair_memory");
	TCase *tcase = tcase_create("core");

	if (!allocations_begin())
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, every_allocation_of_a_repair_may_fail, 0, 2);
	tcase_add_loop_test(tcase, every_allocation_of_a_salvage_may_fail, 0,
			    2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
