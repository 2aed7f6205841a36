/* SPDX-License-Identifier: Apache-2.0
 *
 * What an open puts into the index is what was there before, in whichever
 * order keys come and go within the loader's queue.
 */
#include "store/load.h"

#include "tests/support/rng.h"
#include "tests/support/shelf.h"

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

/* A listing lives in one place; this one is kept. */
static void reopen_and_compare(uint64_t seed)
{
	static char before[8192];
	struct wb_stat then = shelf_stat(&shelf), stat;

	snprintf(before, sizeof(before), "%s", shelf_listing(&shelf));
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_assert_msg(strcmp(shelf_listing(&shelf), before) == 0,
		      "seed %" PRIu64 ": %s", seed, before);
	stat = shelf_stat(&shelf);
	ck_assert_uint_eq(stat.records, then.records);
	ck_assert_uint_eq(stat.record_bytes, then.record_bytes);
	ck_assert_uint_eq(stat.revision, then.revision);
}

/* As many keys as the queue holds, and one more or less. */
START_TEST(a_queue_that_is_not_full_is_emptied_in_the_end)
{
	unsigned count = (unsigned)_i;
	struct wb_txn *txn = shelf_begin(&shelf);
	char name[16];

	for (unsigned at = 0; at < count; at++) {
		snprintf(name, sizeof(name), "%02u", at);
		ck_ok(txn_put(txn, name, name));
	}
	ck_ok(wb_txn_commit(txn, NULL));
	reopen_and_compare(0);
	ck_assert_uint_eq(shelf_stat(&shelf).records, count);
}
END_TEST

START_TEST(a_deletion_follows_what_is_still_in_the_queue)
{
	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "1");
	shelf_delete(&shelf, "a");
	shelf_put(&shelf, "c", "1");
	reopen_and_compare(0);
	ck_text(shelf_listing(&shelf), "b=1 c=1");
	shelf_put(&shelf, "a", "2");
	shelf_put(&shelf, "a", "3");
	shelf_delete(&shelf, "c");
	reopen_and_compare(0);
	ck_text(shelf_listing(&shelf), "a=3 b=1");
}
END_TEST

START_TEST(any_order_of_puts_and_deletes_loads_as_it_was)
{
	uint64_t seed = (uint64_t)_i;
	struct rng rng = rng_of(seed);
	unsigned keys = 1 + (unsigned)rng_below(&rng, 2 * LOAD_AHEAD);
	char name[16], value[24];

	for (unsigned step = 0; step < 200; step++) {
		snprintf(name, sizeof(name), "%02u",
			 (unsigned)rng_below(&rng, keys));
		snprintf(value, sizeof(value), "%u", step);
		if (shelf_text(&shelf, name)[0] && rng_chance(&rng, 1, 3))
			stage_delete(&shelf, name);
		else
			stage_put(&shelf, name, value);
		ck_ok(store_flush(shelf.store));
		if (rng_chance(&rng, 1, 30))
			reopen_and_compare(seed);
	}
	reopen_and_compare(seed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase,
			    a_queue_that_is_not_full_is_emptied_in_the_end, 1,
			    2 * LOAD_AHEAD + 2);
	tcase_add_test(tcase, a_deletion_follows_what_is_still_in_the_queue);
	tcase_add_loop_test(tcase,
			    any_order_of_puts_and_deletes_loads_as_it_was, 1,
			    21);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
