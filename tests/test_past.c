/* SPDX-License-Identifier: Apache-2.0
 *
 * A state that was, against what a view showed when it was.
 */
#include "log/format.h"
#include "tests/support/annals.h"

#include <inttypes.h>

/* Over sealed, cut and active segments, through kills and power cuts. */
START_TEST(each_revision_is_as_a_view_saw_it)
{
	uint64_t compared = 0;

	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct annals annals;
		uint64_t head;

		annals_make(&annals, seed, 50);
		head = annals_head(&annals);
		for (uint64_t revision = 0; revision <= head; revision++) {
			struct wb_store *past = NULL;

			if (annals.listings[revision] == 0 && revision > 0)
				continue;
			ck_ok(store_past(annals.shelf.store, revision, &past));
			ck_assert_msg(listing_of(past) ==
					      annals.listings[revision],
				      "seed %" PRIu64 ": revision %" PRIu64,
				      seed, revision);
			store_past_free(past);
			compared++;
		}
		annals_release(&annals);
	}
	ck_assert_uint_gt(compared, 300);
	printf("count: past states compared %" PRIu64 "\n", compared);
}
END_TEST

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

static const char *text_in(struct wb_store *past, const char *name)
{
	static char value[100];
	struct wb_key key = named(name);
	struct wb_record record;
	enum wb_error error = wb_get(past, &key, value, 99, &record);

	if (error == WB_NOT_FOUND)
		return "";
	ck_ok(error);
	value[record.value.size] = 0;
	return value;
}

START_TEST(it_lives_on_when_the_store_is_closed)
{
	struct wb_store *past = NULL;
	struct wb_view *view;

	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "2");
	shelf_put(&shelf, "a", "3");
	shelf_delete(&shelf, "b");
	ck_ok(store_past(shelf.store, 2, &past));
	shelf_put(&shelf, "a", "5");
	ck_ok(shelf_close(&shelf));
	ck_text(text_in(past, "a"), "1");
	ck_text(text_in(past, "b"), "2");
	ck_text(text_in(past, "c"), "");
	ck_ok(wb_view_begin(past, &view));
	ck_assert_uint_eq(wb_view_revision(view), 2);
	ck_text(view_listing(view, "", ""), "a=1 b=2");
	wb_view_end(view);
	store_past_free(past);
}
END_TEST

START_TEST(nothing_was_before_the_first_revision)
{
	struct wb_store *past = NULL;
	struct wb_view *view;

	shelf_put(&shelf, "a", "1");
	ck_ok(store_past(shelf.store, 0, &past));
	ck_ok(wb_view_begin(past, &view));
	ck_text(view_listing(view, "", ""), "");
	wb_view_end(view);
	store_past_free(past);
	store_past_free(NULL);
}
END_TEST

START_TEST(what_is_not_durable_yet_was_not)
{
	struct wb_store *past = NULL;

	shelf_put(&shelf, "a", "1");
	stage_put(&shelf, "a", "2");
	ck_error(store_past(shelf.store, 2, &past), WB_NOT_FOUND);
	ck_error(store_past(shelf.store, UINT64_MAX, &past), WB_NOT_FOUND);
	ck_assert_ptr_null(past);
}
END_TEST

/* The index of the open store knows better, and is not asked. */
START_TEST(a_past_that_rotted_is_corrupt_not_smaller)
{
	struct wb_store *past = NULL;

	shelf_put(&shelf, "a", "1");
	while (shelf_stat(&shelf).segments < 3)
		shelf_put(&shelf, "b", "another value that takes some room");
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_ALL, 0});
	ck_ok(shelf_open(&shelf));
	simdisk_flip(shelf.disk, "0000000000000001.log",
		     8 * (SEGMENT_FRAMES_AT + FRAME_HEADER_BYTES));
	ck_error(store_past(shelf.store, 2, &past), WB_CORRUPT);
	ck_assert_ptr_null(past);
	ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE, "000001.log"));
	ck_text(shelf_text(&shelf, "a"), "1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("past");
	TCase *tcase = tcase_create("past");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, each_revision_is_as_a_view_saw_it);
	tcase_add_test(tcase, it_lives_on_when_the_store_is_closed);
	tcase_add_test(tcase, nothing_was_before_the_first_revision);
	tcase_add_test(tcase, what_is_not_durable_yet_was_not);
	tcase_add_test(tcase, a_past_that_rotted_is_corrupt_not_smaller);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
