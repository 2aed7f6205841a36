/* SPDX-License-Identifier: Apache-2.0
 *
 * Every file operation of a store's whole life fails once, and the same for
 * ever after, with each errno that a disk has. What must be seen: an error
 * that says so; nothing half; reads that go on; after a failed sync nothing
 * that is written; and the next open right, although the page cache lied.
 */
#include "tests/support/session.h"
#include "tests/support/suite.h"

#include <inttypes.h>

struct way {
	const char *name;
	enum sim_op kind;
	enum wb_error error;
	bool partial;
	bool forever;
};

static const struct way ways[] = {
	{"EIO", SIM_ANY, WB_IO, false, false},
	{"EIO for ever", SIM_ANY, WB_IO, false, true},
	{"EIO, half is done", SIM_ANY, WB_IO, true, false},
	{"ENOSPC", SIM_ANY_CHANGE, WB_NO_SPACE, false, false},
	{"ENOSPC for ever", SIM_ANY_CHANGE, WB_NO_SPACE, false, true},
	{"ENOSPC, half is done", SIM_ANY_CHANGE, WB_NO_SPACE, true, false},
	{"short writes", SIM_WRITE, WB_NO_SPACE, true, false},
	{"short writes for ever", SIM_WRITE, WB_NO_SPACE, true, true},
	{"failed syncs", SIM_SYNC, WB_IO, true, false},
	{"failed syncs for ever", SIM_SYNC, WB_IO, true, true},
	{"ENOSPC at syncs", SIM_SYNC, WB_NO_SPACE, true, false},
	{"failed directory syncs", SIM_DIR_SYNC, WB_IO, false, false},
	{"failed directory syncs for ever", SIM_DIR_SYNC, WB_IO, false, true},
	{"failed renames", SIM_RENAME, WB_IO, false, false},
	{"failed removals for ever", SIM_REMOVE, WB_IO, false, true},
	{"EROFS for ever", SIM_ANY_CHANGE, WB_PERMISSION, false, true},
};

enum { WAY_COUNT = sizeof(ways) / sizeof(ways[0]) };

struct tally {
	uint64_t runs, fired, refused, in_doubt;
};

static void begin(struct session *session, struct crash_shared *shared,
		  uint64_t seed)
{
	*session = (struct session){.refused = 0};
	workload_begin(&session->work, shared, seed);
	session->work.context.nesting = NEST_NONE;
}

/* False: it was not reached. */
static bool run_once(const struct way *way, uint64_t nth,
		     struct crash_shared *shared, struct tally *tally)
{
	struct session session;
	struct complaint *complaint = &session.work.context.complaint;
	uint64_t fired;

	begin(&session, shared, 1 + nth % 3);
	/* What a disk says in the middle of a creation or an open is WB_IO. */
	session.expected[0] = way->error;
	session.expected[1] = WB_IO;
	simdisk_fault(session.work.disk, (struct sim_fault){
						 .kind = way->kind,
						 .nth = nth,
						 .error = way->error,
						 .forever = way->forever,
						 .partial = way->partial,
					 });
	session_run(&session);
	fired = simdisk_faults_fired(session.work.disk);
	simdisk_faults_clear(session.work.disk);
	if (!session_settle(&session))
		ck_abort_msg("%s, operation %" PRIu64 ": %s: %s", way->name,
			     nth, complaint->check, complaint->text);
	tally->runs++;
	tally->fired += fired;
	tally->refused += session.refused;
	tally->in_doubt += session.in_doubt;
	workload_end(&session.work);
	return fired > 0;
}

START_TEST(fault_38_to_52_every_operation_may_fail)
{
	struct crash_shared *shared = crash_shared_new(1024);
	const struct way *way = &ways[_i];
	struct tally tally = {0};
	uint64_t nth = 1;

	while (run_once(way, nth, shared, &tally))
		nth++;
	crash_shared_free(shared);
	ck_assert_uint_gt(tally.fired, 0);
	printf("count: faults, %s %" PRIu64 "\n", way->name, tally.runs);
	printf("count: faults, calls refused %" PRIu64 "\n", tally.refused);
	printf("count: faults, calls in doubt %" PRIu64 "\n", tally.in_doubt);
}
END_TEST

START_TEST(nothing_fails_without_a_fault)
{
	struct crash_shared *shared = crash_shared_new(1024);

	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct session session;
		struct complaint *complaint = &session.work.context.complaint;

		begin(&session, shared, seed);
		session_run(&session);
		ck_assert_uint_eq(session.refused, 0);
		ck_assert_msg(session_settle(&session), "%s: %s",
			      complaint->check, complaint->text);
		workload_end(&session.work);
	}
	crash_shared_free(shared);
}
END_TEST

/* ---- a full disk ---- */

/* True where the key is there. */
static bool holds(const struct workload *work, unsigned key)
{
	return oracle_has(&work->oracle, key, work->oracle.acked);
}

static enum wb_error run(struct workload *work,
			 const struct oracle_commit *plan)
{
	struct store_ticket ticket = {0};
	enum wb_error error;

	error = oracle_stage(&work->oracle, work->store, plan, &ticket);
	if (!error)
		error = store_wait(work->store, &ticket);
	if (error)
		oracle_void(&work->oracle);
	else
		oracle_ack(&work->oracle);
	return error;
}

/* Up to `count` keys in one commit. */
static enum wb_error delete_some(struct workload *work, unsigned count)
{
	struct oracle_commit plan = {.change_count = 0};

	for (unsigned key = 0; key < ORACLE_KEYS && plan.change_count < count;
	     key++)
		if (holds(work, key))
			plan.changes[plan.change_count++] =
				(struct oracle_change){.key = key,
						       .deleted = true};
	return plan.change_count ? run(work, &plan) : WB_NOT_FOUND;
}

static enum wb_error put_one(struct workload *work)
{
	struct oracle_commit plan = {
		.change_count = 1,
		.changes = {{.key = (unsigned)rng_below(&work->rng,
							ORACLE_KEYS),
			     .value_bytes = 600}},
	};

	return run(work, &plan);
}

static void fill_disk(struct workload *work, uint64_t capacity)
{
	unsigned deletes = 0;
	enum wb_error error;

	simdisk_capacity(work->disk, capacity);
	do
		error = put_one(work);
	while (!error);
	ck_error(error, WB_NO_SPACE);
	ck_error(put_one(work), WB_NO_SPACE);
	ck_assert(work_check(work));
	for (; (error = delete_some(work, 4)) == WB_OK; deletes++)
		ck_assert(work_check(work));
	ck_error(error, WB_NOT_FOUND);
	ck_assert_uint_gt(deletes, 0);
}

/* The next process finds the disk full. With room for the smallest segment
 * it opens, whatever the usual size, and takes deletes. */
static void restart(struct workload *work)
{
	enum wb_error error;

	store_abandon(work->store);
	work->store = NULL;
	error = work_open(work, 0);
	if (error) {
		ck_error(error, WB_NO_SPACE);
		simdisk_capacity(work->disk,
				 simdisk_used(work->disk) + 5 * 4096);
		ck_ok(work_open(work, 0));
	}
	ck_assert(work_check(work));
	ck_ok(delete_some(work, 12));
	ck_assert(work_check(work));
}

static void run_on_full_disk(struct crash_shared *shared,
			     uint64_t segment_bytes, uint64_t capacity)
{
	struct workload work;

	workload_begin(&work, shared, capacity >> 12);
	work.segment_bytes = segment_bytes;
	ck_assert(work_create(&work));
	fill_disk(&work, capacity);
	simdisk_capacity(work.disk, 0);
	ck_ok(put_one(&work));
	ck_assert(work_check(&work));
	simdisk_capacity(work.disk, simdisk_used(work.disk) + 40960);
	while (put_one(&work) == WB_OK)
		;
	restart(&work);
	simdisk_capacity(work.disk, 0);
	ck_ok(put_one(&work));
	ck_assert(work_check(&work));
	ck_assert(work_kill(&work) && work_check(&work));
	workload_end(&work);
}

START_TEST(a_full_disk_takes_deletes_and_recovers)
{
	struct crash_shared *shared = crash_shared_new(1024);
	unsigned capacities = 0;
	uint64_t kib;

	/* From a few segments up, wherever the last page falls. */
	for (kib = 96; kib <= 256; kib += 4, capacities++)
		run_on_full_disk(shared, 16 << 10, kib << 10);
	for (kib = 600; kib <= 1200; kib += 20, capacities++)
		run_on_full_disk(shared, 256 << 10, kib << 10);
	crash_shared_free(shared);
	printf("count: faults, capacities of a full disk %u\n", capacities);
}
END_TEST

/* ---- the anchor ---- */

/* Overwriting what is there needs space on some filesystems. Commits go on in
 * the segment; the next one waits until the anchor can name it. */
START_TEST(an_anchor_that_cannot_be_written_stops_nothing)
{
	static const struct sim_fault no_space = {.kind = SIM_WRITE,
						  .nth = 1,
						  .error = WB_NO_SPACE,
						  .partial = true,
						  .forever = true,
						  .name = "anchor"};
	struct crash_shared *shared = crash_shared_new(1u << 12);
	enum wb_error error = WB_OK;
	struct workload work;
	int commits = 0;

	workload_begin(&work, shared, 1);
	ck_assert(work_create(&work));
	workload_watch(&work, WATCH_ALL, SIM_KEEP_ALL);
	simdisk_fault(work.disk, no_space);
	while (!error && commits < 1000) {
		error = put_one(&work);
		simenv_advance(&work.env, INT64_C(2000000000));
		commits += !error;
	}
	ck_error(error, WB_NO_SPACE);
	ck_assert_int_gt(commits, 3);
	ck_error(put_one(&work), WB_NO_SPACE);
	ck_assert(work_check(&work));
	simdisk_faults_clear(work.disk);
	ck_ok(put_one(&work));
	ck_assert(work_kill(&work));
	ck_assert_msg(work_check(&work), "%s: %s", work.context.complaint.check,
		      work.context.complaint.text);
	workload_end(&work);
	crash_shared_free(shared);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tcase = tcase_create("faults");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, nothing_fails_without_a_fault);
	tcase_add_loop_test(tcase, fault_38_to_52_every_operation_may_fail, 0,
			    WAY_COUNT);
	tcase_add_test(tcase, a_full_disk_takes_deletes_and_recovers);
	tcase_add_test(tcase, an_anchor_that_cannot_be_written_stops_nothing);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
