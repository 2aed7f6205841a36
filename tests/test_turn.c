/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates take turns, and whoever waits gets his.
 */
#include "store/state.h"

#include "tests/support/shelf.h"

#include <pthread.h>

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

START_TEST(a_second_begin_in_one_thread_is_nested)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	struct wb_txn *second = NULL;

	ck_error(wb_txn_begin(shelf.store, NULL, &second, NULL), WB_NESTED);
	ck_assert_ptr_null(second);
	/* The first one goes on. */
	ck_ok(txn_put(txn, "a", "1"));
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

static enum wb_error put_a(void *context, struct wb_txn *txn)
{
	(void)context;
	return txn_put(txn, "a", "1");
}

static enum wb_error update_inside(void *context, struct wb_txn *txn)
{
	struct wb_outcome outcome = {.revision = 77};

	ck_error(wb_update(shelf.store, NULL, put_a, NULL, &outcome),
		 WB_NESTED);
	ck_assert_uint_eq(outcome.revision, 77);
	return put_a(context, txn);
}

START_TEST(an_update_inside_an_update_is_nested_and_the_outer_one_goes_on)
{
	struct wb_outcome outcome = {0};

	ck_ok(wb_update(shelf.store, NULL, update_inside, NULL, &outcome));
	ck_assert_uint_eq(outcome.revision, 1);
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

START_TEST(the_turn_is_free_after_every_end)
{
	struct store_ticket ticket;
	struct wb_txn *txn;

	ck_ok(wb_txn_abort(shelf_begin(&shelf)));
	ck_assert(!turn_is_taken(shelf.store));
	ck_ok(wb_txn_commit(shelf_begin(&shelf), NULL));
	ck_assert(!turn_is_taken(shelf.store));
	ck_ok(store_stage(shelf_begin(&shelf), &ticket));
	ck_assert(!turn_is_taken(shelf.store));
	txn = shelf_begin(&shelf);
	ck_assert(turn_is_taken(shelf.store));
	ck_ok(wb_txn_abort(txn));
}
END_TEST

/* ---- several threads ---- */

static void *end_it(void *txn)
{
	ck_ok(txn_put(txn, "a", "other thread"));
	ck_ok(wb_txn_commit(txn, NULL));
	return NULL;
}

START_TEST(another_thread_may_end_what_one_began)
{
	pthread_t thread;

	ck_assert(!pthread_create(&thread, NULL, end_it, shelf_begin(&shelf)));
	pthread_join(thread, NULL);
	ck_text(shelf_listing(&shelf), "a=other thread");
	/* And the first one is not taken to hold the turn. */
	ck_ok(wb_txn_abort(shelf_begin(&shelf)));
}
END_TEST

/* The turn alone, without a disk: a counter that only it protects. */
enum { THREADS = 8 };

static struct wb_store *store;
static uint64_t counter;
static uint64_t turns_each;

static void *take_turns(void *unused)
{
	for (uint64_t i = 0; i < turns_each; i++) {
		ck_assert(turn_take(store) == WB_OK);
		counter++;
		turn_give(store);
	}
	return unused;
}

START_TEST(one_at_a_time_and_nobody_is_forgotten)
{
	const char *full = getenv("WAYBILL_FULL");
	pthread_t threads[THREADS];

	store = shelf.store;
	turns_each = full && *full == '1' ? 1000000 : 50000;
	for (int i = 0; i < THREADS; i++)
		ck_assert(!pthread_create(&threads[i], NULL, take_turns, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(counter, THREADS * turns_each);
	ck_assert(!turn_is_taken(store));
}
END_TEST

/* Those who wait sleep until the turn is given, and then all of them get it:
 * each puts a key of its own. */
static void *put_own(void *name)
{
	ck_assert_uint_ne(shelf_put(&shelf, name, "done"), 0);
	return NULL;
}

START_TEST(those_who_wait_while_it_is_held_get_it_afterwards)
{
	static char names[THREADS][2] = {"0", "1", "2", "3",
					 "4", "5", "6", "7"};
	struct wb_txn *txn = shelf_begin(&shelf);
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert(
			!pthread_create(&threads[i], NULL, put_own, names[i]));
	/* 2: taken, and somebody sleeps. */
	while (shelf.store->turn != 2)
		sched_yield();
	ck_ok(txn_put(txn, "first", "done"));
	ck_ok(wb_txn_commit(txn, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_text(shelf_listing(&shelf),
		"0=done 1=done 2=done 3=done 4=done 5=done 6=done 7=done "
		"first=done");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("turn");
	TCase *tcase = tcase_create("turn");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_second_begin_in_one_thread_is_nested);
	tcase_add_test(
		tcase,
		an_update_inside_an_update_is_nested_and_the_outer_one_goes_on);
	tcase_add_test(tcase, the_turn_is_free_after_every_end);
	tcase_add_test(tcase, another_thread_may_end_what_one_began);
	tcase_add_test(tcase, one_at_a_time_and_nobody_is_forgotten);
	tcase_add_test(tcase,
		       those_who_wait_while_it_is_held_get_it_afterwards);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
