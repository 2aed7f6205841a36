/* SPDX-License-Identifier: Apache-2.0
 *
 * Every allocation of the second reader fails, once, and with all after it, on
 * a store in which much is wrong: WB_NO_MEMORY, or all that is told without.
 */
#include "audit/frames.h"
#include "audit/fsck.h"
#include "audit/replay.h"
#include "tests/support/allocations.h"
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

static void commit_with_id(const char *name)
{
	struct wb_txn_options options = {
		.size = sizeof(options),
		.operation_ns = text_of("n"),
		.operation_id = text_of(name),
	};
	struct wb_outcome replayed;
	struct wb_txn *txn;

	ck_ok(wb_txn_begin(shelf.store, &options, &txn, &replayed));
	ck_ok(txn_put(txn, name, "1"));
	ck_ok(txn_put(txn, "big", "2"));
	ck_ok(wb_txn_commit(txn, NULL));
}

/* Something of everything: names that are proven, probable and unknown,
 * operation ids, notes, a missing segment, a torn end. */
static void make_ruin(void)
{
	commit_with_id("one");
	commit_with_id("two");
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	volume_spoil(&shelf, volume_path(2), volume_frame(&shelf, 2, 0) + 60);
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 1) + 510);
	simdisk_delete(shelf.disk, volume_path(3));
	simdisk_copy(shelf.disk, "tmp/x", shelf.disk, "anchor");
}

/* Each gives a number that stands for all that was told. */

static void add(uint64_t *told, const void *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++)
		*told = (*told ^ ((const uint8_t *)bytes)[at]) *
			UINT64_C(0x100000001B3);
}

static void take_finding(void *context, const struct audit_finding *finding,
			 const struct wb_finding_name *names, size_t count,
			 uint64_t more)
{
	add(context, finding->file, strlen(finding->file));
	add(context, &finding->offset, 8);
	add(context, &more, 8);
	for (size_t at = 0; at < count; at++)
		add(context, names[at].key.name.data, names[at].key.name.size);
}

static enum wb_error fsck_with(struct dir *dir, unsigned flags, uint64_t *told)
{
	struct fsck_visitor visitor = {.finding = take_finding,
				       .context = told,
				       .flags = flags};
	struct fsck_summary summary;

	return audit_fsck(dir, &visitor, &summary);
}

static enum wb_error run_fsck(struct dir *dir, uint64_t *told)
{
	return fsck_with(dir, 0, told);
}

static enum wb_error run_fsck_by_two(struct dir *dir, uint64_t *told)
{
	return fsck_with(dir, AUDIT_READ_TWO_THREADS, told);
}

static bool take_piece(void *context, const struct audit_piece *piece)
{
	add(context, &piece->offset, 8);
	add(context, &piece->kind, sizeof(piece->kind));
	if (piece->commit)
		add(context, &piece->commit->mutation_count, 8);
	return true;
}

static enum wb_error run_frames(struct dir *dir, uint64_t *told)
{
	struct audit_frames_head head;

	return audit_frames(dir, volume_path(1), &head, take_piece, told);
}

static bool take_version(void *context, const struct replay_version *version)
{
	add(context, version->key.name.data, version->key.name.size);
	add(context, &version->revision, 8);
	return true;
}

static enum wb_error run_replay(struct dir *dir, uint64_t *told)
{
	struct audit_summary summary;
	struct replay *replay;
	enum wb_error error = replay_store(dir, UINT64_MAX, &summary, &replay);

	if (error)
		return error;
	error = replay_each(replay, take_version, told);
	replay_free(replay);
	return error;
}

static const struct reading {
	const char *name;
	enum wb_error (*run)(struct dir *dir, uint64_t *told);
} readings[] = {
	{"fsck", run_fsck},
	{"fsck by two threads", run_fsck_by_two},
	{"frames", run_frames},
	{"replay", run_replay},
};

enum { READINGS = sizeof(readings) / sizeof(readings[0]) };

START_TEST(every_allocation_may_fail)
{
	const struct reading *reading = &readings[_i / 2];
	bool forever = _i % 2;
	uint64_t sound = 0, nth = 1, refused = 0;
	struct dir *dir;

	make_ruin();
	dir = simdisk_dir(shelf.disk);
	ck_ok(reading->run(dir, &sound));
	for (;; nth++) {
		uint64_t told = 0, failed;
		enum wb_error error;

		allocations_fail(nth, forever);
		error = reading->run(dir, &told);
		failed = allocations_stop();
		ck_assert_msg(!error || (error == WB_NO_MEMORY && failed),
			      "%s, allocation %" PRIu64 ": %s", reading->name,
			      nth, wb_error_code(error));
		ck_assert_msg(error || told == sound,
			      "%s, allocation %" PRIu64 ": told otherwise",
			      reading->name, nth);
		refused += error == WB_NO_MEMORY;
		if (!failed)
			break;
	}
	dir_close(dir);
	/* Nothing of the reader's does without memory. */
	ck_assert_uint_gt(refused, 2);
	printf("count: %s, allocations that failed%s %" PRIu64 "\n",
	       reading->name, forever ? " for ever" : "", nth - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_memory");
	TCase *tcase = tcase_create("core");

	if (!allocations_begin())
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, every_allocation_may_fail, 0, 2 * READINGS);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
