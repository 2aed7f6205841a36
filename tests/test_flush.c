/* SPDX-License-Identifier: Apache-2.0
 *
 * Leaders and followers, and what a leader does besides: spare and anchor,
 * a full disk, memory that does not suffice.
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

static void reopen_with(uint64_t segment_bytes)
{
	ck_ok(shelf_close(&shelf));
	shelf.options.segment_bytes = segment_bytes;
	ck_ok(shelf_open(&shelf));
}

/* ---- several committers ---- */

enum { COMMITTERS = 16 };

static struct committer {
	pthread_t thread;
	char name[4];
	enum wb_error error;
	uint64_t revision;
} committers[COMMITTERS];

static enum wb_error put_name(void *context, struct wb_txn *txn)
{
	struct committer *committer = context;

	return txn_put(txn, committer->name, "1");
}

static void *commit_one(void *context)
{
	struct committer *committer = context;
	struct wb_outcome outcome = {0};

	committer->error =
		wb_update(shelf.store, NULL, put_name, committer, &outcome);
	committer->revision = outcome.revision;
	return NULL;
}

/* The first one's first operation of a kind lasts until all have staged. */
static atomic_bool begun;

static void wait_for_all(void *context, enum sim_op op, const char *name)
{
	(void)context;
	(void)op;
	(void)name;
	if (atomic_exchange(&begun, true))
		return;
	while (log_staged_revision(shelf.store->log) < COMMITTERS)
		sched_yield();
}

static void commit_all(void)
{
	for (int i = 0; i < COMMITTERS; i++) {
		snprintf(committers[i].name, sizeof(committers[i].name), "%02d",
			 i);
		ck_assert(!pthread_create(&committers[i].thread, NULL,
					  commit_one, &committers[i]));
		while (!atomic_load(&begun))
			sched_yield();
	}
	for (int i = 0; i < COMMITTERS; i++)
		pthread_join(committers[i].thread, NULL);
}

START_TEST(one_sync_serves_all_who_came_during_the_one_before)
{
	uint64_t syncs = simdisk_count(shelf.disk, SIM_SYNC);
	uint64_t revisions = 0;

	simdisk_observe(shelf.disk, SIM_SYNC, wait_for_all, NULL);
	commit_all();
	for (int i = 0; i < COMMITTERS; i++) {
		ck_ok(committers[i].error);
		revisions += committers[i].revision;
	}
	ck_assert_uint_eq(revisions, COMMITTERS * (COMMITTERS + 1) / 2);
	ck_assert_uint_eq(shelf_stat(&shelf).commits, COMMITTERS);
	ck_assert_uint_eq(shelf_stat(&shelf).groups, 2);
	ck_assert_uint_eq(simdisk_count(shelf.disk, SIM_SYNC), syncs + 2);
	ck_assert_uint_eq(shelf_stat(&shelf).records, COMMITTERS);
}
END_TEST

/* ---- and all of them have much to say ---- */

enum { TALKERS = 8, TALK_BYTES = 8 << 20 };

static size_t gathered;

static enum wb_error put_much(void *context, struct wb_txn *txn)
{
	static const uint8_t much[TALK_BYTES];
	struct wb_bytes value = {much, sizeof(much)};
	struct wb_key key = named(context);

	return wb_txn_put(txn, &key, value, if_any);
}

static void *commit_much(void *context)
{
	struct committer *committer = context;

	committer->error =
		wb_update(shelf.store, NULL, put_much, committer->name, NULL);
	return NULL;
}

/* The first sync lasts until all others sleep, whatever they sleep for. */
static void wait_for_sleep(void *context, enum sim_op op, const char *name)
{
	struct wb_store *store = shelf.store;

	(void)context;
	(void)op;
	(void)name;
	if (atomic_exchange(&begun, true))
		return;
	while (store->sleepers < TALKERS - 1)
		sched_yield();
	pthread_mutex_lock(&store->staged);
	gathered = log_group_bytes(store->gathering);
	pthread_mutex_unlock(&store->staged);
}

/* A segment holds a group whole, and is read whole. */
START_TEST(a_group_is_bounded_however_many_wait_for_their_turn)
{
	simdisk_observe(shelf.disk, SIM_SYNC, wait_for_sleep, NULL);
	for (int i = 0; i < TALKERS; i++) {
		snprintf(committers[i].name, sizeof(committers[i].name), "%02d",
			 i);
		ck_assert(!pthread_create(&committers[i].thread, NULL,
					  commit_much, &committers[i]));
	}
	for (int i = 0; i < TALKERS; i++) {
		pthread_join(committers[i].thread, NULL);
		ck_ok(committers[i].error);
	}
	ck_assert_uint_gt(gathered, TALK_BYTES);
	ck_assert_uint_le(gathered, (32u << 20) + TALK_BYTES + 4096);
}
END_TEST

START_TEST(a_failed_sync_is_unknown_to_all_who_wait)
{
	simdisk_observe(shelf.disk, SIM_SYNC, wait_for_all, NULL);
	simdisk_fault(shelf.disk, (struct sim_fault){.kind = SIM_SYNC,
						     .nth = 1,
						     .error = WB_IO});
	commit_all();
	for (int i = 0; i < COMMITTERS; i++)
		ck_error(committers[i].error, WB_OUTCOME_UNKNOWN);
	ck_text(shelf_listing(&shelf), "");
	simdisk_faults_clear(shelf.disk);
}
END_TEST

START_TEST(a_full_disk_is_told_to_all_who_wait_and_passes)
{
	simdisk_observe(shelf.disk, SIM_WRITE, wait_for_all, NULL);
	/* The first write is that of zeros, which does no harm. */
	simdisk_fault(shelf.disk, (struct sim_fault){.kind = SIM_WRITE,
						     .nth = 1,
						     .error = WB_NO_SPACE});
	simdisk_fault(shelf.disk, (struct sim_fault){.kind = SIM_WRITE,
						     .nth = 2,
						     .error = WB_NO_SPACE});
	commit_all();
	ck_assert_uint_eq(simdisk_faults_fired(shelf.disk), 2);
	for (int i = 0; i < COMMITTERS; i++)
		ck_error(committers[i].error, WB_NO_SPACE);
	simdisk_faults_clear(shelf.disk);
	commit_all();
	for (int i = 0; i < COMMITTERS; i++)
		ck_ok(committers[i].error);
	ck_assert_uint_eq(shelf_stat(&shelf).revision, COMMITTERS);
}
END_TEST

/* Committers that wait, flushers of their own, and marks, all at once. */
static void *commit_many(void *context)
{
	struct committer *committer = context;
	struct store_ticket ticket;
	enum wb_error error;
	char value[8];

	for (int i = 0; i < 200; i++) {
		snprintf(value, sizeof(value), "%d", i);
		ticket = stage_put(&shelf, committer->name, value);
		if (i % 3 == 0) {
			ck_ok(store_flush(shelf.store));
			ck_assert(store_poll(shelf.store, &ticket, &error));
			ck_ok(error);
		} else {
			ck_ok(store_wait(shelf.store, &ticket));
		}
		if (i % 7 == 0)
			ck_ok(wb_store_mark(shelf.store));
		if (i % 5 == 0)
			store_settle(shelf.store);
		simenv_advance(&shelf.env, 10000000);
	}
	committer->error = WB_OK;
	return NULL;
}

START_TEST(who_flushes_and_who_waits_may_meet)
{
	for (int i = 0; i < 6; i++) {
		snprintf(committers[i].name, sizeof(committers[i].name), "%d",
			 i);
		ck_assert(!pthread_create(&committers[i].thread, NULL,
					  commit_many, &committers[i]));
	}
	for (int i = 0; i < 6; i++)
		pthread_join(committers[i].thread, NULL);
	ck_text(shelf_listing(&shelf), "0=199 1=199 2=199 3=199 4=199 5=199");
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "0=199 1=199 2=199 3=199 4=199 5=199");
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 6 * 200);
}
END_TEST

/* ---- what a leader does besides ---- */

START_TEST(a_mark_is_written_where_something_is_new)
{
	uint64_t syncs;

	shelf_put(&shelf, "a", "1");
	syncs = simdisk_count(shelf.disk, SIM_SYNC);
	ck_ok(wb_store_mark(shelf.store));
	ck_assert_uint_gt(simdisk_count(shelf.disk, SIM_SYNC), syncs);
	syncs = simdisk_count(shelf.disk, SIM_SYNC);
	ck_ok(wb_store_mark(shelf.store));
	ck_assert_uint_eq(simdisk_count(shelf.disk, SIM_SYNC), syncs);
	/* What is only staged is none of its business. */
	stage_put(&shelf, "b", "1");
	ck_ok(wb_store_mark(shelf.store));
	ck_assert_uint_eq(simdisk_count(shelf.disk, SIM_SYNC), syncs);
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

static uint64_t anchor_syncs;

static void count_anchor(void *context, enum sim_op op, const char *name)
{
	(void)context;
	(void)op;
	anchor_syncs += strstr(name, "anchor") != NULL;
}

START_TEST(the_anchor_follows_within_a_second_of_commits)
{
	struct store_ticket ticket;

	simdisk_observe(shelf.disk, SIM_SYNC, count_anchor, NULL);
	shelf_put(&shelf, "a", "1");
	ck_assert_uint_eq(anchor_syncs, 0);
	simenv_advance(&shelf.env, 1000000000);
	shelf_put(&shelf, "a", "2");
	ck_assert_uint_eq(anchor_syncs, 1);
	/* And where somebody else flushes, when he settles. */
	simenv_advance(&shelf.env, 1000000000);
	ticket = stage_put(&shelf, "a", "3");
	ck_ok(store_flush(shelf.store));
	ck_assert_uint_eq(anchor_syncs, 1);
	store_settle(shelf.store);
	ck_assert_uint_eq(anchor_syncs, 2);
	ck_ok(store_wait(shelf.store, &ticket));
	store_settle(shelf.store);
	ck_assert_uint_eq(anchor_syncs, 2);
}
END_TEST

static bool see_spare(void *context, const struct wb_file_stat *file)
{
	*(unsigned *)context += strcmp(file->kind, "spare") == 0;
	return true;
}

static unsigned spares(void)
{
	unsigned count = 0;

	ck_ok(wb_store_files(shelf.store, see_spare, &count));
	return count;
}

START_TEST(a_spare_is_there_before_the_segment_is_full)
{
	static char value[6000];

	memset(value, 'x', sizeof(value) - 1);
	ck_assert_uint_eq(spares(), 0);
	shelf_put(&shelf, "a", value);
	ck_assert_uint_eq(spares(), 1);
	reopen_with(16u << 10);
	stage_put(&shelf, "a", value);
	ck_ok(store_flush(shelf.store));
	ck_assert_uint_eq(spares(), 0);
	store_settle(shelf.store);
	ck_assert_uint_eq(spares(), 1);
}
END_TEST

START_TEST(a_group_that_grows_too_large_holds_the_next_update_back)
{
	size_t size = 15u << 20;
	char *value = calloc(1, size);
	struct wb_key key = named("a");
	struct store_ticket ticket;
	struct wb_txn *txn;

	ck_assert_ptr_nonnull(value);
	for (int i = 0; i < 3; i++) {
		txn = shelf_begin(&shelf);
		ck_ok(wb_txn_put(txn, &key, (struct wb_bytes){value, size},
				 if_any));
		ck_ok(store_stage(txn, &ticket));
		ck_assert_uint_eq(shelf_stat(&shelf).groups, 0);
	}
	ck_ok(wb_txn_abort(shelf_begin(&shelf)));
	ck_assert_uint_eq(shelf_stat(&shelf).groups, 1);
	ck_assert_uint_eq(shelf_stat(&shelf).revision, 3);
	free(value);
}
END_TEST

/* ---- a full disk ---- */

static enum wb_error try_put(const char *name, const char *value)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(txn_put(txn, name, value));
	return wb_txn_commit(txn, NULL);
}

static enum wb_error try_delete(const char *name)
{
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(txn_delete(txn, name));
	return wb_txn_commit(txn, NULL);
}

/* Put until the disk is full; how many there are. */
static unsigned fill_up(uint64_t capacity)
{
	char name[16], value[401];
	unsigned count = 0;
	enum wb_error error;

	memset(value, 'x', 400);
	value[400] = 0;
	simdisk_capacity(shelf.disk, capacity);
	do {
		snprintf(name, sizeof(name), "%04u", count);
		error = try_put(name, value);
		count += !error;
	} while (!error);
	ck_error(error, WB_NO_SPACE);
	return count;
}

START_TEST(on_a_full_disk_deletes_are_taken_and_puts_are_not)
{
	unsigned count = fill_up(UINT64_C(100) << 10);
	char name[16];

	ck_assert_uint_gt(count, 20);
	ck_assert(simenv_said(&shelf.env, DIAG_WARNING, "no room"));
	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%04u", i);
		ck_ok(try_delete(name));
		ck_error(try_put(name, "again"), WB_NO_SPACE);
	}
	ck_assert_uint_eq(shelf_stat(&shelf).records, count - 10);
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).records, count - 10);
}
END_TEST

/* One thread: whoever holds the turn at an operation holds it across that. */
static unsigned operations, in_turn;

static void see_turn(void *context, enum sim_op op, const char *name)
{
	(void)context;
	(void)op;
	(void)name;
	operations++;
	in_turn += turn_is_taken(shelf.store);
}

START_TEST(the_turn_is_held_across_no_operation_of_the_disk)
{
	simdisk_observe(shelf.disk, SIM_ANY, see_turn, NULL);
	fill_up(UINT64_C(100) << 10);
	operations = 0;
	ck_error(try_put("a", "1"), WB_NO_SPACE); /* it looks for room */
	ck_assert_uint_gt(operations, 0);
	ck_ok(try_delete("0000"));
	simdisk_capacity(shelf.disk, 0);
	ck_ok(try_put("a", "1"));
	ck_assert_uint_eq(in_turn, 0);
}
END_TEST

START_TEST(a_put_is_taken_again_when_there_is_room_again)
{
	unsigned count = fill_up(UINT64_C(100) << 10);

	ck_error(try_put("a", "1"), WB_NO_SPACE);
	simdisk_capacity(shelf.disk, 0);
	ck_ok(try_put("a", "1"));
	ck_ok(try_put("b", "1"));
	ck_assert_uint_eq(shelf_stat(&shelf).records, count + 2);
}
END_TEST

/* Deletes until even they do not fit: the last segment is sealed then, and
 * there is none after it. */
START_TEST(a_put_is_taken_again_after_not_even_deletes_were)
{
	unsigned count = fill_up(UINT64_C(100) << 10), deleted = 0;
	enum wb_error error = WB_OK;
	char name[16];

	while (!error && deleted < count) {
		snprintf(name, sizeof(name), "%04u", deleted);
		error = try_delete(name);
		deleted += !error;
	}
	ck_error(error, WB_NO_SPACE);
	ck_error(try_put("a", "1"), WB_NO_SPACE);
	simdisk_capacity(shelf.disk, 0);
	ck_ok(try_put("a", "1"));
	ck_assert_uint_eq(shelf_stat(&shelf).records, count - deleted + 1);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).records, count - deleted + 1);
}
END_TEST

/* ---- memory ---- */

START_TEST(an_index_without_memory_voids_the_group_before_it_is_written)
{
	struct heap *heap = shelf.store->heap;
	char name[16];
	struct store_ticket ticket = {0};
	uint64_t writes;
	enum wb_error error;

	/* So many that a shard must grow; the records themselves fit. */
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ticket = stage_put(&shelf, name, "1");
	}
	heap_limit(heap, heap_live_bytes(heap));
	writes = simdisk_count(shelf.disk, SIM_WRITE);
	ck_error(store_flush(shelf.store), WB_NO_MEMORY);
	ck_assert_uint_eq(simdisk_count(shelf.disk, SIM_WRITE), writes);
	ck_assert(store_poll(shelf.store, &ticket, &error));
	ck_error(error, WB_NO_MEMORY);
	heap_limit(heap, UINT64_MAX);
	ck_assert_uint_eq(shelf_put(&shelf, "a", "1"), 1);
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

START_TEST(a_put_without_memory_leaves_the_transaction_usable)
{
	struct heap *heap = shelf.store->heap;
	struct wb_txn *txn = shelf_begin(&shelf);

	ck_ok(txn_put(txn, "a", "1"));
	heap_limit(heap, heap_live_bytes(heap));
	ck_error(txn_put(txn, "b", "1"), WB_NO_MEMORY);
	heap_limit(heap, UINT64_MAX);
	ck_ok(txn_put(txn, "c", "1"));
	ck_ok(wb_txn_commit(txn, NULL));
	ck_text(shelf_listing(&shelf), "a=1 c=1");
}
END_TEST

START_TEST(a_large_overlay_is_given_back)
{
	struct wb_txn *txn = shelf_begin(&shelf);
	char name[16];

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		ck_ok(txn_put(txn, name, "1"));
	}
	ck_ok(wb_txn_commit(txn, NULL));
	ck_assert_uint_eq(shelf.store->overlay.count, 0);
	ck_assert_uint_eq(shelf.store->overlay.capacity, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flush");
	TCase *tcase = tcase_create("flush");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase,
		       one_sync_serves_all_who_came_during_the_one_before);
	tcase_add_test(tcase,
		       a_group_is_bounded_however_many_wait_for_their_turn);
	tcase_add_test(tcase, a_failed_sync_is_unknown_to_all_who_wait);
	tcase_add_test(tcase, a_full_disk_is_told_to_all_who_wait_and_passes);
	tcase_add_test(tcase, who_flushes_and_who_waits_may_meet);
	tcase_add_test(tcase, a_mark_is_written_where_something_is_new);
	tcase_add_test(tcase, the_anchor_follows_within_a_second_of_commits);
	tcase_add_test(tcase, a_spare_is_there_before_the_segment_is_full);
	tcase_add_test(tcase,
		       a_group_that_grows_too_large_holds_the_next_update_back);
	tcase_add_test(tcase,
		       on_a_full_disk_deletes_are_taken_and_puts_are_not);
	tcase_add_test(tcase, the_turn_is_held_across_no_operation_of_the_disk);
	tcase_add_test(tcase, a_put_is_taken_again_when_there_is_room_again);
	tcase_add_test(tcase, a_put_is_taken_again_after_not_even_deletes_were);
	tcase_add_test(
		tcase,
		an_index_without_memory_voids_the_group_before_it_is_written);
	tcase_add_test(tcase,
		       a_put_without_memory_leaves_the_transaction_usable);
	tcase_add_test(tcase, a_large_overlay_is_given_back);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
