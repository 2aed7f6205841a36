/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of a dump and of a load fails, once, and with all after it:
 * WB_NO_MEMORY or success, nothing half, and to do it again does it.
 */
#include "tests/support/allocations.h"
#include "tests/support/haul.h"

#include <inttypes.h>

static struct haul haul;

/* ---- the nth ---- */

/* False: there is no nth allocation. */
static bool run_once(uint64_t nth, bool forever, enum haul_next next,
		     uint64_t *refused)
{
	enum wb_error error;
	uint64_t failed;

	haul_begin(&haul);
	allocations_fail(nth, forever);
	error = haul_run(&haul);
	failed = allocations_stop();
	ck_assert_msg(!error || (error == WB_NO_MEMORY && failed),
		      "%s, allocation %" PRIu64 "%s: %s: %s", haul.name, nth,
		      forever ? " and all after it" : "", wb_error_code(error),
		      haul.text.text);
	*refused += error == WB_NO_MEMORY;
	haul_settle(&haul, error, false, next, nth);
	return failed > 0;
}

START_TEST(fault_51_every_allocation_of_a_dump_and_a_load_may_fail)
{
	enum haul_kind kind = (enum haul_kind)(_i / 2);
	bool forever = _i % 2;
	uint64_t refused = 0, nth = 1;
	bool more = true;

	haul_make(&haul, kind, kind == HAUL_LOAD_HISTORY ? 20 : 40);
	for (; more; nth++) {
		unsigned ways = full_run() ? HAUL_NEXT_COUNT : 1;

		for (unsigned way = 0; way < ways; way++)
			more = run_once(nth, forever,
					(enum haul_next)((nth + way) %
							 HAUL_NEXT_COUNT),
					&refused);
	}
	/* None of them does without memory. */
	ck_assert_uint_gt(refused, 9);
	printf("count: %s, allocations that failed%s %" PRIu64 "\n", haul.name,
	       forever ? " for ever" : "", nth - 2);
	printf("count: %s, calls refused for memory %" PRIu64 "\n", haul.name,
	       refused);
	haul_release(&haul);
}
END_TEST

/* ---- large ones ---- */

static struct shelf shelf;
static struct paper paper;
static struct wb_load_options options;
static struct wb_load_result result;
static struct wb_text text;

/* What fails, once it comes to that. */
static struct {
	uint64_t nth;
	bool forever, armed;
} later;

static void arm(void)
{
	if (!later.armed && later.nth > 0)
		allocations_fail(later.nth, later.forever);
	later.armed = true;
}

static void begin_large(uint64_t nth, bool forever)
{
	later.nth = nth;
	later.forever = forever;
	later.armed = false;
	allocations_fail(0, false);
	result = (struct wb_load_result){.size = sizeof(result)};
	text = (struct wb_text){""};
	shelf_init(&shelf, 1);
	shelf.options.segment_bytes = 64u << 20;
	ck_ok(shelf_open(&shelf));
}

/* `count` records of so many zeros. */
static void large_records(unsigned count, size_t bytes)
{
	size_t digits = (bytes + 2) / 3 * 4;
	char *value = malloc(digits + 1), head[200];

	ck_assert_ptr_nonnull(value);
	memset(value, 'A', digits);
	memset(value + digits - (3 - bytes % 3) % 3, '=', (3 - bytes % 3) % 3);
	paper_text(&paper, "{\"format\":\"waybill-dump\",\"version\":1,"
			   "\"content\":\"state\"}\n");
	for (unsigned at = 0; at < count; at++) {
		snprintf(head, sizeof(head),
			 "{\"type\":\"record\",\"kind\":64,\"namespace\":"
			 "\"n\",\"name\":\"n%u\",\"value\":\"",
			 at);
		paper_write(&paper, head, strlen(head));
		paper_write(&paper, value, digits);
		paper_write(&paper, "\"}\n", 3);
	}
	free(value);
	paper_end(&paper);
}

static enum wb_error arm_at_the_end(void *context, void *buffer, size_t size,
				    uint64_t offset, size_t *ret_size)
{
	if (offset + size >= paper.size)
		arm();
	return paper_read(context, buffer, size, offset, ret_size);
}

/* A record that no transaction holds is found by trying; where there was no
 * memory for that it is not known, and nobody says that all is well. */
START_TEST(a_trial_that_runs_out_of_memory_settles_nothing)
{
	uint64_t refused = 0, failed = 1;

	large_records(1, WB_TXN_BYTES_MAX);
	options = (struct wb_load_options){.size = sizeof(options),
					   .dry_run = true};
	for (uint64_t nth = 1; failed; nth++) {
		enum wb_error error;

		begin_large(nth, false);
		error = wb_load(shelf.store, arm_at_the_end, &paper, &options,
				&result, &text);
		failed = allocations_stop();
		ck_assert(later.armed);
		if (error != WB_NO_MEMORY || !failed)
			ck_error(error, WB_TOO_LARGE);
		ck_assert(*text.text);
		refused += error == WB_NO_MEMORY;
		shelf_release(&shelf);
	}
	ck_assert_uint_gt(refused, 0);
	printf("count: load, trials that ran out of memory %" PRIu64 "\n",
	       refused);
	paper_release(&paper);
}
END_TEST

/* While the first commit is synced. */
static void arm_in_a_sync(void *context, enum sim_op op, const char *name)
{
	(void)context;
	(void)op;
	(void)name;
	arm();
}

/* False: there is no nth allocation behind the first commit. */
static bool break_off(uint64_t nth, bool forever, uint64_t *refused)
{
	enum wb_error error;
	bool failed;

	begin_large(nth, forever);
	simdisk_observe(shelf.disk, SIM_SYNC, arm_in_a_sync, NULL);
	options = (struct wb_load_options){.size = sizeof(options)};
	error = wb_load(shelf.store, paper_read, &paper, &options, &result,
			&text);
	failed = allocations_stop() > 0;
	ck_assert(!error || (error == WB_NO_MEMORY && failed));
	ck_assert_uint_eq(result.loaded, error ? 1 : 2);
	ck_assert_uint_eq(result.commits, error ? 1 : 2);
	if (error)
		ck_assert(strstr(text.text,
				 "out of memory; 1 of 2 records are loaded, up "
				 "to revision 1: skip those that exist"));
	*refused += error == WB_NO_MEMORY;
	if (nth % 2) {
		shelf_kill(&shelf);
		ck_ok(shelf_open(&shelf));
	}
	ck_assert_uint_eq(shelf_stat(&shelf).records, error ? 1 : 2);
	options.skip_existing = true;
	ck_ok(wb_load(shelf.store, paper_read, &paper, &options, &result,
		      &text));
	ck_assert_uint_eq(result.skipped, error ? 1 : 2);
	ck_assert_uint_eq(shelf_stat(&shelf).records, 2);
	shelf_release(&shelf);
	return failed;
}

START_TEST(a_load_that_runs_out_of_memory_between_two_commits_can_go_on)
{
	uint64_t step = full_run() ? 1 : 15, nth = 1, refused = 0;

	large_records(2, 9000000);
	while (break_off(nth, _i == 1, &refused))
		nth += step;
	ck_assert_uint_gt(refused, 0);
	printf("count: load, broken off for memory%s %" PRIu64 "\n",
	       _i == 1 ? " for ever" : "", refused);
	paper_release(&paper);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump_memory");
	TCase *tcase = tcase_create("dump_memory");

	if (!allocations_begin())
		return EXIT_FAILURE;
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(
		tcase, fault_51_every_allocation_of_a_dump_and_a_load_may_fail,
		0, 2 * HAUL_COUNT);
	tcase_add_test(tcase, a_trial_that_runs_out_of_memory_settles_nothing);
	tcase_add_loop_test(
		tcase,
		a_load_that_runs_out_of_memory_between_two_commits_can_go_on, 0,
		2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
