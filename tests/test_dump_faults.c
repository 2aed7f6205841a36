/* SPDX-License-Identifier: Apache-2.0
 *
 * Every file operation of a dump and of a load fails, once and for ever, with
 * what a disk says; so does each piece that is written of a dump, and each
 * that is read of one. Interrupted and short calls are below the table of
 * files: test_dump_calls has those.
 */
#include "tests/support/haul.h"

#include <inttypes.h>

static struct haul haul;

/* ---- the disk ---- */

static const struct way {
	const char *name;
	enum sim_op kind;
	enum wb_error error;
	bool partial;
	bool forever;
} ways[] = {
	{"EIO", SIM_ANY, WB_IO, false, false},
	{"EIO for ever", SIM_ANY, WB_IO, false, true},
	{"EIO, half is done", SIM_ANY_CHANGE, WB_IO, true, false},
	{"ENOSPC", SIM_ANY_CHANGE, WB_NO_SPACE, false, false},
	{"ENOSPC for ever", SIM_ANY_CHANGE, WB_NO_SPACE, false, true},
	{"short writes", SIM_WRITE, WB_NO_SPACE, true, false},
	{"short writes for ever", SIM_WRITE, WB_NO_SPACE, true, true},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

struct tally {
	uint64_t fired, refused, in_doubt;
};

/* Of a sync that failed nobody knows what became of the commit; of a store in
 * the making there is nothing then, and it is WB_IO whatever the disk said. */
static bool is_expected(const struct way *way, enum wb_error error)
{
	return !error || error == way->error ||
	       error == (haul.kind == HAUL_LOAD_HISTORY ? WB_IO
							: WB_OUTCOME_UNKNOWN);
}

/* False: it was not reached. */
static bool run_once(const struct way *way, uint64_t nth, enum haul_next next,
		     struct tally *tally)
{
	struct simdisk *disk;
	enum wb_error error;
	bool fired;

	haul_begin(&haul);
	disk = haul.shelf.disk;
	simdisk_fault(disk, (struct sim_fault){.kind = way->kind,
					       .nth = nth,
					       .error = way->error,
					       .forever = way->forever,
					       .partial = way->partial});
	error = haul_run(&haul);
	fired = simdisk_faults_fired(disk) > 0;
	simdisk_faults_clear(disk);
	ck_assert_msg(is_expected(way, error) && (fired || !error),
		      "%s, %s, operation %" PRIu64 ": %s: %s", haul.name,
		      way->name, nth, wb_error_code(error), haul.text.text);
	tally->fired += fired;
	tally->refused += error != WB_OK;
	tally->in_doubt += error == WB_OUTCOME_UNKNOWN;
	haul_settle(&haul, error, way->forever, next, nth);
	return fired;
}

/* A state is dumped from memory, but for the files' sizes, and a load that is
 * only tried needs no file; neither changes one. */
static void check_tally(const struct way *way, const struct tally *tally)
{
	bool dumps = haul.kind <= HAUL_DUMP_HISTORY;
	bool tries = haul.kind == HAUL_LOAD_DRY;
	bool reached = !tries && (!dumps || way->kind == SIM_ANY);

	ck_assert_int_eq(tally->fired > 0, reached);
	ck_assert_int_eq(tally->refused > 0, reached && haul.kind != HAUL_DUMP);
}

START_TEST(fault_38_to_52_every_operation_of_a_dump_and_a_load_may_fail)
{
	enum haul_kind kind = (enum haul_kind)(_i / WAYS);
	const struct way *way = &ways[_i % WAYS];
	struct tally tally = {0};
	uint64_t nth = 1;
	bool more = true;

	haul_make(&haul, kind, 40);
	for (; more; nth++) {
		for (unsigned at = 0; full_run() && at < HAUL_NEXT_COUNT; at++)
			(void)run_once(way, nth, (enum haul_next)at, &tally);
		(void)run_once(way, nth, HAUL_LOSES_POWER, &tally);
		more = run_once(way, nth,
				(enum haul_next)(nth % HAUL_NEXT_COUNT),
				&tally);
	}
	check_tally(way, &tally);
	if (tally.fired == 0) {
		haul_release(&haul);
		return;
	}
	printf("count: %s, operations that failed %" PRIu64 "\n", haul.name,
	       tally.fired);
	printf("count: %s, calls refused by the disk %" PRIu64 "\n", haul.name,
	       tally.refused);
	printf("count: %s, calls in doubt %" PRIu64 "\n", haul.name,
	       tally.in_doubt);
	haul_release(&haul);
}
END_TEST

/* ---- what is read of a dump ---- */

/* One reading is broken: it fails, or is as if there were no more. */
static struct {
	uint64_t pass, at;   /* the at-th time of reading through it so often */
	enum wb_error error; /* WB_OK: it ends */
	uint64_t limit;	     /* where it ends, then */
	/* ---- so far ---- */
	uint64_t passes, reads;
} broken;

static enum wb_error read_broken(void *context, void *buffer, size_t size,
				 uint64_t offset, size_t *ret_size)
{
	enum wb_error error;

	if (offset == 0) {
		broken.passes++;
		broken.reads = 0;
	}
	broken.reads++;
	if (broken.passes == broken.pass && broken.error &&
	    broken.reads == broken.at)
		return broken.error;
	error = haul_read(context, buffer, size, offset, ret_size);
	if (broken.passes == broken.pass && !broken.error) {
		uint64_t left =
			offset < broken.limit ? broken.limit - offset : 0;

		if (*ret_size > left)
			*ret_size = (size_t)left;
	}
	return error;
}

static enum wb_error run_broken(uint64_t number)
{
	enum wb_error error;

	haul_begin(&haul);
	haul.read = read_broken;
	broken.passes = broken.reads = 0;
	error = haul_run(&haul);
	ck_assert_msg(error != WB_OK || broken.passes == 2, "read %u times",
		      (unsigned)broken.passes);
	haul_settle(&haul, error, false,
		    (enum haul_next)(number % HAUL_NEXT_COUNT), number);
	return error;
}

/* Of several pieces: values of 90,000 bytes. */
static void large_goods(struct paper *goods, bool history)
{
	static char value[120001];
	char line[400];

	memset(value, 'A', sizeof(value) - 1);
	paper_text(goods, "{\"format\":\"waybill-dump\",\"version\":1,"
			  "\"content\":");
	paper_write(goods, history ? "\"history\",\"uuid\":" : "\"state\"}\n",
		    history ? 17 : 9);
	if (history)
		paper_write(goods, "\"00112233445566778899aabbccddeeff\"}\n",
			    36);
	for (unsigned at = 1; at <= 9; at++) {
		snprintf(line, sizeof(line),
			 "{\"type\":\"commit\",\"revision\":%u,\"time\":"
			 "\"2026-01-01T00:00:00Z\",\"actor\":{\"uid\":1,"
			 "\"gid\":1,\"pid\":1},\"changes\":1}\n",
			 at);
		if (history)
			paper_write(goods, line, strlen(line));
		snprintf(line, sizeof(line),
			 "{\"type\":\"record\",\"kind\":64,\"namespace\":"
			 "\"n\",\"name\":\"n%u\",\"value\":\"",
			 at);
		paper_write(goods, line, strlen(line));
		paper_write(goods, value, sizeof(value) - 1);
		paper_write(goods, "\"}\n", 3);
	}
	paper_end(goods);
}

static const enum haul_kind read_kinds[] = {HAUL_LOAD, HAUL_LOAD_HISTORY};

START_TEST(a_reading_that_fails_anywhere_loads_nothing)
{
	static const enum wb_error errors[] = {WB_IO, WB_PERMISSION};
	struct paper goods = {.size = 0};
	uint64_t reads, number = 0;

	large_goods(&goods, read_kinds[_i] == HAUL_LOAD_HISTORY);
	haul_make_of(&haul, read_kinds[_i], &goods);
	memset(&broken, 0, sizeof(broken));
	ck_ok(run_broken(0));
	reads = broken.reads;
	ck_assert_uint_gt(reads, 4);
	for (broken.pass = 1; broken.pass <= 2; broken.pass++)
		for (broken.at = 1; broken.at <= reads; broken.at++)
			for (unsigned at = 0; at < 2; at++) {
				broken.error = errors[at];
				ck_error(run_broken(number++), errors[at]);
				/* It is not tried again. */
				ck_assert_uint_eq(broken.passes, broken.pass);
				ck_assert_uint_eq(broken.reads, broken.at);
			}
	printf("count: %s, readings that failed %" PRIu64 "\n", haul.name,
	       number);
	haul_release(&haul);
	paper_release(&goods);
}
END_TEST

/* Whoever checked it has seen all of it; then it is shorter. */
START_TEST(a_dump_that_ends_anywhere_when_it_is_read_again_loads_nothing)
{
	uint64_t number = 0, step = full_run() ? 1 : 41;

	haul_make(&haul, read_kinds[_i], 5);
	memset(&broken, 0, sizeof(broken));
	broken.pass = 2;
	for (; broken.limit < haul.goods.size; broken.limit += step)
		ck_error(run_broken(number++), WB_BAD_INPUT);
	ck_assert_uint_gt(number, 50);
	broken.limit = haul.goods.size;
	ck_ok(run_broken(number));
	printf("count: %s, dumps that were cut %" PRIu64 "\n", haul.name,
	       number);
	haul_release(&haul);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dump_faults");
	TCase *tcase = tcase_create("dump_faults");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(
		tcase,
		fault_38_to_52_every_operation_of_a_dump_and_a_load_may_fail, 0,
		WAYS * HAUL_COUNT);
	tcase_add_loop_test(tcase, a_reading_that_fails_anywhere_loads_nothing,
			    0, 2);
	tcase_add_loop_test(
		tcase,
		a_dump_that_ends_anywhere_when_it_is_read_again_loads_nothing,
		0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
