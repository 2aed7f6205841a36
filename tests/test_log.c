/* SPDX-License-Identifier: Apache-2.0
 *
 * The log as a whole: what was acknowledged is served again, whatever way
 * the handle before ended and whatever the disk did.
 */
#include "log/log.h"

#include "base/cursor.h"
#include "log/segment.h"
#include "log/state.h"
#include "tests/support/lab.h"
#include "tests/support/simpages.h"
#include "tests/support/suite.h"

#define MIB (UINT64_C(1) << 20)

static struct lab lab;

static void set_up(void)
{
	lab_init(&lab, 1);
	lab.options.create = true;
	ck_ok(lab_open(&lab));
}

static void tear_down(void)
{
	lab_release(&lab);
}

static void start_again(uint64_t segment_bytes)
{
	lab_release(&lab);
	lab_init(&lab, 1);
	lab.options.create = true;
	lab.options.segment_bytes = segment_bytes;
	ck_ok(lab_open(&lab));
}

static void put_many(unsigned count, size_t value_bytes)
{
	for (unsigned at = 0; at < count; at++) {
		ck_ok(lab_put(&lab, value_bytes));
		simenv_advance(&lab.env, 1000);
		log_settle(lab.log);
	}
}

/* ---- what the log says of its files ---- */

struct files {
	struct wb_file_stat last; /* the newest segment */
	unsigned active, sealed, cut, spare;
};

static bool look_at_file(void *context, const struct wb_file_stat *file)
{
	struct files *files = context;

	files->spare += strcmp(file->kind, "spare") == 0;
	if (strcmp(file->kind, "log") != 0)
		return true;
	files->active += strcmp(file->state, "active") == 0;
	files->sealed += strcmp(file->state, "sealed") == 0;
	files->cut += strcmp(file->state, "cut") == 0;
	files->last = *file;
	return true;
}

static struct files files_now(void)
{
	struct files files = {0};

	ck_ok(log_files(lab.log, look_at_file, &files));
	files.last.name = lab_segment(files.last.id);
	return files;
}

/* ---- a life without trouble ---- */

START_TEST(a_new_log_is_empty_and_opens_again)
{
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab_segments(&lab), 1);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab_segments(&lab), 1);
}
END_TEST

START_TEST(what_was_appended_is_there_after_close)
{
	put_many(10, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	put_many(3, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab_segments(&lab), 1);
	ck_assert_uint_eq(simenv_count(&lab.env, DIAG_WARNING), 0);
}
END_TEST

START_TEST(what_was_appended_is_there_after_a_kill)
{
	for (unsigned round = 0; round < 5; round++) {
		put_many(4, 100);
		lab_abandon(&lab);
		ck_ok(lab_reopen(&lab));
	}
	ck_assert_uint_eq(lab_segments(&lab), 6);
	ck_assert_uint_eq(simenv_count(&lab.env, DIAG_WARNING), 0);
}
END_TEST

START_TEST(full_segments_are_sealed_and_followed)
{
	struct files files;

	put_many(200, 300);
	files = files_now();
	ck_assert_uint_gt(files.sealed, 4);
	ck_assert_uint_eq(files.active, 1);
	ck_assert_uint_eq(files.cut, 0);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	put_many(100, 300);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(files_now().cut, 1);
}
END_TEST

START_TEST(a_group_of_many_commits_is_one_sync)
{
	uint64_t syncs = simdisk_count(lab.disk, SIM_SYNC);

	for (unsigned at = 1; at <= 20; at++)
		ck_ok(lab_stage(&lab, at, 10));
	ck_assert_uint_eq(log_group_commits(lab.group), 20);
	ck_ok(lab_append(&lab));
	ck_assert_uint_eq(simdisk_count(lab.disk, SIM_SYNC), syncs + 1);
	ck_assert_uint_eq(log_durable_revision(lab.log), 20);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
}
END_TEST

START_TEST(groups_end_at_sectors_unless_told_otherwise)
{
	put_many(1, 5);
	ck_assert_uint_eq(files_now().last.bytes % 512, 0);
	start_again(16 << 10);
	lab_abandon(&lab);
	lab.options.no_padding = true;
	ck_ok(lab_reopen(&lab));
	put_many(3, 5);
	ck_assert_uint_ne(files_now().last.bytes % 512, 0);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
}
END_TEST

START_TEST(segments_grow_from_1_to_64_mib)
{
	static const uint64_t sizes[] = {1, 4, 16, 64, 64};
	uint64_t id = 0;

	start_again(0);
	while (id < 5) {
		struct files files = files_now();

		if (files.last.id != id) {
			id = files.last.id;
			ck_assert_uint_eq(files.last.file_bytes,
					  sizes[id - 1] * MIB);
		}
		ck_ok(lab_put(&lab, id > 2 ? MIB : MIB / 8));
		log_settle(lab.log);
	}
}
END_TEST

START_TEST(a_transaction_larger_than_a_segment_has_one_of_its_size)
{
	ck_ok(lab_put(&lab, 16 * MIB));
	ck_ok(lab_put(&lab, 16 * MIB));
	ck_assert_uint_eq(lab_segments(&lab), 2);
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
}
END_TEST

START_TEST(a_transaction_beyond_the_limit_leaves_the_group_as_it_was)
{
	ck_ok(lab_stage(&lab, 1, 10));
	ck_error(lab_stage(&lab, 1, COMMIT_PAYLOAD_MAX), WB_TOO_LARGE);
	ck_ok(lab_stage(&lab, 1, 10));
	ck_ok(lab_append(&lab));
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(lab.truth.count, 2);
}
END_TEST

START_TEST(a_spare_waits_from_the_half_on_and_becomes_the_next_segment)
{
	start_again(64 << 10);
	put_many(1, 10);
	ck_assert_uint_eq(files_now().spare, 0);
	while (files_now().last.bytes < 32 << 10)
		ck_ok(lab_put(&lab, 1000));
	ck_assert_uint_eq(files_now().spare, 0);
	log_settle(lab.log);
	ck_assert_uint_eq(files_now().spare, 1);
	while (files_now().last.id == 1)
		ck_ok(lab_put(&lab, 1000));
	ck_assert_uint_eq(files_now().spare, 0);
	ck_assert(!simdisk_has(lab.disk, "tmp/segment"));
	put_many(24, 1000);
	ck_assert_uint_eq(files_now().spare, 1);
	ck_ok(lab_close(&lab));
	ck_assert(!simdisk_has(lab.disk, "tmp/spare"));
}
END_TEST

START_TEST(marks_and_closes_are_written_once)
{
	uint64_t end;

	ck_ok(log_mark(lab.log));
	ck_assert_uint_eq(files_now().last.bytes, SEGMENT_FRAMES_AT);
	put_many(1, 10);
	ck_ok(log_mark(lab.log));
	end = files_now().last.bytes;
	ck_ok(log_mark(lab.log));
	ck_assert_uint_eq(files_now().last.bytes, end);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	end = files_now().last.bytes;
	ck_ok(log_mark(lab.log));
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(files_now().last.bytes, end);
}
END_TEST

/* ---- the torn end ---- */

/* Kill the writer and leave these bytes behind its last frame. */
static void leave_debris(const void *bytes, size_t size)
{
	struct files files = files_now();

	lab_abandon(&lab);
	simdisk_set(lab.disk, files.last.name, bytes, size, files.last.bytes);
}

START_TEST(torn_tail_is_cut_and_kept)
{
	uint8_t debris[700], kept[701] = {0};
	struct log_stat stat;
	struct files files;
	char name[64];

	memset(debris, 0xab, sizeof(debris));
	put_many(3, 100);
	files = files_now();
	leave_debris(debris, sizeof(debris));
	ck_ok(lab_reopen(&lab));
	ck_assert(simenv_said(&lab.env, DIAG_WARNING, "did not finish"));
	ck_ok(log_stat(lab.log, &stat));
	ck_assert_uint_eq(stat.torn_bytes, sizeof(debris));
	ck_assert_uint_eq(simdisk_size(lab.disk, files.last.name),
			  files.last.bytes);
	snprintf(name, sizeof(name), "torn/%016llx-%010llx",
		 (unsigned long long)files.last.id,
		 (unsigned long long)files.last.bytes);
	ck_assert_uint_eq(simdisk_size(lab.disk, name), sizeof(debris));
	simdisk_get(lab.disk, name, kept, sizeof(kept), 0);
	ck_assert_mem_eq(kept, debris, sizeof(debris));
	put_many(2, 100);
	ck_ok(lab_close(&lab));
	simenv_forget(&lab.env);
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(simenv_count(&lab.env, DIAG_WARNING), 0);
}
END_TEST

START_TEST(an_intact_prefix_of_a_torn_group_is_kept)
{
	struct files before = files_now();
	struct history all = {0};
	size_t prefix;
	uint64_t end;

	for (unsigned at = 0; at < 5; at++)
		ck_ok(lab_stage(&lab, 1, 600));
	ck_ok(lab_append(&lab));
	end = files_now().last.bytes;
	lab_abandon(&lab);
	all = lab.truth;
	/* The sector in the middle never came to the disk. */
	simdisk_set(lab.disk, before.last.name, (uint8_t[512]){0}, 512,
		    (before.last.bytes + end) / 2 / 512 * 512);
	lab.truth = (struct history){0};
	ck_ok(lab_open(&lab));
	prefix = lab.seen.count;
	ck_assert_uint_gt(prefix, 0);
	ck_assert_uint_lt(prefix, 5);
	ck_assert_uint_eq(history_common(&all, &lab.seen), prefix);
	ck_assert(lab_versions_equal(&lab, &lab.seen));
	history_release(&all);
}
END_TEST

START_TEST(the_newest_16_mib_of_debris_are_kept)
{
	uint8_t *debris = sim_alloc(20 * MIB);
	uint64_t id;

	memset(debris, 0xab, 20 * MIB);
	for (id = 1; id <= 4; id++) {
		put_many(1, 10);
		leave_debris(debris, 6 * MIB);
		ck_ok(lab_reopen(&lab));
	}
	for (id = 1; id <= 4; id++) {
		char name[64];

		snprintf(name, sizeof(name), "torn/%016llx-%010llx",
			 (unsigned long long)id, 0x2200ULL);
		ck_assert_int_eq(simdisk_has(lab.disk, name), id > 2);
	}
	put_many(1, 10);
	leave_debris(debris, 20 * MIB);
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(simdisk_size(lab.disk,
				       "torn/0000000000000005-0000002200"),
			  16 * MIB);
	ck_assert(!simdisk_has(lab.disk, "torn/0000000000000004-0000002200"));
	free(debris);
}
END_TEST

START_TEST(debris_that_could_not_be_kept_stays_until_it_can)
{
	struct files files;

	put_many(1, 10);
	files = files_now();
	leave_debris("debris", 6);
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_CREATE,
						   .nth = 1,
						   .error = WB_NO_SPACE,
						   .name = "tmp/torn"});
	ck_ok(lab_reopen(&lab));
	ck_assert(simenv_said(&lab.env, DIAG_WARNING, "left in place"));
	ck_assert_uint_gt(simdisk_size(lab.disk, files.last.name),
			  files.last.bytes);
	put_many(1, 10);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	ck_assert_uint_eq(simdisk_size(lab.disk, files.last.name),
			  files.last.bytes);
	ck_assert_uint_eq(simdisk_size(lab.disk,
				       "torn/0000000000000001-0000002200"),
			  6);
}
END_TEST

/* A header of a frame which claims `left` bytes, and that all in front of it
 * was durable. */
static void put_fake(uint8_t *to, uint64_t revision, uint64_t at, uint32_t left)
{
	struct writer writer = writer_of(to, FRAME_HEADER_BYTES);

	write_u64(&writer, 0);
	write_u32(&writer, FRAME_MAGIC);
	write_u8(&writer, FRAME_COMMIT);
	write_u8(&writer, FRAME_VERSION);
	write_u16(&writer, 0);
	write_u32(&writer, left);
	write_u32(&writer, left - FRAME_HEADER_BYTES);
	write_u64(&writer, revision);
	write_u64(&writer, revision - 1);
	write_u64(&writer, at);
}

/* Append a commit whose value is full of them. Returns the bytes it takes. */
static uint64_t put_hostile(uint64_t end)
{
	enum { SIZE = 300 << 10 };
	static uint8_t value[SIZE], bytes[SIZE + 64];
	struct commit_head head = {.revision =
					   log_durable_revision(lab.log) + 1};
	struct mutation mutation = {
		.key = {.kind = 64, .name = {"n", 1}},
		.value = {value, SIZE},
	};
	uint64_t value_at = end + FRAME_HEADER_BYTES + commit_head_size(&head) +
			    mutation_size(&mutation) - SIZE;
	uint32_t hash = mutation_hash(&mutation.key);
	struct writer writer = writer_of(bytes, sizeof(bytes));
	uint64_t hashed = 0;

	for (uint64_t at = (value_at + 7) & ~UINT64_C(7);
	     at + FRAME_HEADER_BYTES < value_at + SIZE;
	     at += FRAME_HEADER_BYTES) {
		uint32_t left = (uint32_t)(value_at + SIZE - at) & ~7u;

		put_fake(value + (at - value_at), head.revision, at, left);
		hashed += left;
	}
	/* To hash all of them is much more than to read the file. */
	ck_assert_uint_gt(hashed, 500 * MIB);
	mutation_write(&writer, &mutation);
	ck_ok(log_stage(lab.log, lab.group, &head,
			(struct wb_bytes){bytes, writer.at}, &hash, 1));
	ck_ok(log_append(lab.log, lab.group));
	return files_now().last.bytes - end;
}

/* Whoever writes values does not decide whether the store opens. */
START_TEST(a_torn_value_full_of_frames_is_cut_and_kept)
{
	static const uint8_t zeros[512];
	struct files before;
	uint64_t bytes;

	start_again(0);
	put_many(3, 100);
	before = files_now();
	bytes = put_hostile(before.last.bytes);
	lab_abandon(&lab);
	/* Any sector but the first. */
	for (uint64_t at = 512; at < bytes; at += bytes / 512 / 8 * 512) {
		struct simdisk *image = simdisk_clone(lab.disk);
		struct lab other;

		simdisk_set(image, before.last.name, zeros, sizeof(zeros),
			    before.last.bytes + at);
		lab_fork(&other, &lab, image);
		ck_ok(lab_reopen(&other));
		ck_assert(simenv_said(&other.env, DIAG_WARNING,
				      "did not finish"));
		ck_assert_uint_eq(simdisk_size(image, before.last.name),
				  before.last.bytes);
		ck_assert_uint_gt(
			simdisk_size(image, "torn/0000000000000001-0000002600"),
			bytes / 2);
		lab_release(&other);
	}
}
END_TEST

/* Without its first sector nothing says what it is. It may be durable commits
 * behind a bad sector, so it is not cut. */
START_TEST(frames_without_end_behind_a_hole_are_refused)
{
	static const uint8_t zeros[512];
	struct files before;
	uint64_t hash;

	start_again(0);
	put_many(3, 100);
	before = files_now();
	(void)put_hostile(before.last.bytes);
	lab_abandon(&lab);
	simdisk_set(lab.disk, before.last.name, zeros, sizeof(zeros),
		    before.last.bytes);
	hash = simdisk_hash(lab.disk);
	ck_error(lab_open(&lab), WB_CORRUPT);
	ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, "looks like frames"));
	ck_assert(hash == simdisk_hash(lab.disk));
}
END_TEST

/* ---- the last acknowledged frame ---- */

static void flip_last_commit(uint64_t offset)
{
	const char *name = files_now().last.name;

	lab_abandon(&lab);
	simdisk_flip(lab.disk, name, (offset + 60) * 8);
}

START_TEST(damage_to_the_last_commit_is_loud_behind_a_mark)
{
	uint64_t last;

	put_many(3, 100);
	last = files_now().last.bytes;
	put_many(1, 100);
	ck_ok(log_mark(lab.log));
	flip_last_commit(last);
	ck_error(lab_open(&lab), WB_CORRUPT);
	ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, "acknowledged data"));
}
END_TEST

START_TEST(damage_to_the_last_commit_is_a_torn_write_without_a_mark)
{
	uint64_t last;

	put_many(3, 100);
	last = files_now().last.bytes;
	put_many(1, 100);
	flip_last_commit(last);
	ck_ok(lab_open(&lab));
	ck_assert_uint_eq(lab.seen.count, 3);
	ck_assert(simenv_said(&lab.env, DIAG_WARNING, "did not finish"));
}
END_TEST

START_TEST(the_anchor_covers_the_last_commit_after_a_second)
{
	uint64_t last;

	put_many(3, 100);
	last = files_now().last.bytes;
	simenv_advance(&lab.env, 1000000000);
	put_many(1, 100);
	flip_last_commit(last);
	ck_error(lab_open(&lab), WB_CORRUPT);
}
END_TEST

/* ---- the anchor ---- */

static void grow_anchored(unsigned segments)
{
	while (lab_segments(&lab) < segments)
		put_many(1, 1000);
	put_many(1, 1000);
}

START_TEST(an_older_anchor_put_back_is_corruption)
{
	struct simdisk *older;

	grow_anchored(2);
	older = simdisk_clone(lab.disk);
	grow_anchored(4);
	ck_ok(lab_close(&lab));
	simdisk_copy(lab.disk, "anchor", older, "anchor");
	ck_error(lab_open(&lab), WB_CORRUPT);
	ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, "put back"));
	simdisk_free(older);
}
END_TEST

START_TEST(an_older_anchor_of_the_same_segment_is_reported)
{
	struct simdisk *older;

	put_many(1, 100);
	ck_ok(log_mark(lab.log));
	older = simdisk_clone(lab.disk);
	put_many(1, 100);
	ck_ok(lab_close(&lab));
	simdisk_copy(lab.disk, "anchor", older, "anchor");
	ck_ok(lab_reopen(&lab));
	ck_assert(simenv_said(&lab.env, DIAG_WARNING, "anchor: it is older"));
	simdisk_free(older);
}
END_TEST

START_TEST(one_bad_anchor_slot_is_reported_and_loses_nothing)
{
	for (unsigned slot = 0; slot < 2; slot++) {
		start_again(16 << 10);
		grow_anchored(3);
		ck_ok(lab_close(&lab));
		simdisk_flip(lab.disk, "anchor", slot * 4096 * 8 + 1000);
		ck_ok(lab_reopen(&lab));
		ck_assert(simenv_said(&lab.env, DIAG_WARNING, "slot"));
		put_many(3, 100);
		ck_ok(lab_close(&lab));
		simenv_forget(&lab.env);
		ck_ok(lab_reopen(&lab));
		ck_ok(log_mark(lab.log));
	}
}
END_TEST

/* The anchor is one behind and its newer slot is bad: only the older one is
 * left, which names the segment before. */
START_TEST(a_bad_slot_right_after_a_rotation_loses_nothing)
{
	uint8_t slots[2][4096];

	while (lab_segments(&lab) < 3)
		put_many(1, 1000);
	lab_abandon(&lab);
	simdisk_get(lab.disk, "anchor", slots, sizeof(slots), 0);
	for (unsigned slot = 0; slot < 2; slot++) {
		struct simdisk *image = simdisk_clone(lab.disk);
		struct lab other;

		simdisk_flip(image, "anchor", slot * 4096 * 8 + 1000);
		lab_fork(&other, &lab, image);
		ck_ok(lab_reopen(&other));
		lab_release(&other);
	}
}
END_TEST

START_TEST(without_anchor_slots_the_log_refuses)
{
	struct simdisk *whole;

	put_many(1, 100);
	ck_ok(lab_close(&lab));
	whole = simdisk_clone(lab.disk);
	simdisk_flip(lab.disk, "anchor", 1000);
	simdisk_flip(lab.disk, "anchor", 4096 * 8 + 1000);
	ck_error(lab_open(&lab), WB_CORRUPT);
	simdisk_copy(lab.disk, "anchor", whole, "anchor");
	simdisk_resize(lab.disk, "anchor", 4096);
	ck_error(lab_open(&lab), WB_CORRUPT);
	simdisk_delete(lab.disk, "anchor");
	ck_error(lab_open(&lab), WB_CORRUPT);
	ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, "missing"));
	simdisk_copy(lab.disk, "anchor", whole, "anchor");
	ck_ok(lab_reopen(&lab));
	simdisk_free(whole);
}
END_TEST

/* ---- missing files ---- */

START_TEST(no_segment_may_be_missing)
{
	uint64_t id, count;

	grow_anchored(5);
	ck_ok(lab_close(&lab));
	count = lab_segments(&lab);
	for (id = 1; id <= count; id++) {
		struct simdisk *image = simdisk_clone(lab.disk);
		struct lab other;

		simdisk_delete(image, lab_segment(id));
		lab_fork(&other, &lab, image);
		ck_error(lab_open(&other), WB_CORRUPT);
		ck_assert(simenv_said(&other.env, DIAG_DAMAGE, "missing"));
		lab_release(&other);
	}
}
END_TEST

START_TEST(a_log_in_an_empty_directory_is_not_a_store)
{
	struct lab empty;

	lab_init(&empty, 3);
	ck_error(lab_open(&empty), WB_NOT_A_STORE);
	empty.options.create = true;
	empty.options.read_only = true;
	ck_error(lab_open(&empty), WB_NOT_A_STORE);
	lab_release(&empty);
}
END_TEST

START_TEST(what_a_newer_version_wrote_is_refused)
{
	struct segment_header header;
	uint8_t bytes[SEGMENT_FRAMES_AT];
	struct simdisk *whole;

	put_many(1, 10);
	ck_ok(lab_close(&lab));
	whole = simdisk_clone(lab.disk);
	simdisk_copy(lab.disk, "0000000000000002.base", whole, lab_segment(1));
	ck_error(lab_open(&lab), WB_UNSUPPORTED);
	simdisk_delete(lab.disk, "0000000000000002.base");
	simdisk_get(whole, lab_segment(1), bytes, sizeof(bytes), 0);
	ck_ok(segment_header_decode(bytes, 0, &header));
	for (unsigned bit = 0; bit < 2; bit++) {
		header.incompat = bit == 0;
		header.ro_compat = bit == 1;
		segment_header_encode(&header, 0, bytes);
		segment_header_encode(&header, 1, bytes + 4096);
		simdisk_set(lab.disk, lab_segment(1), bytes, sizeof(bytes), 0);
		lab.options.read_only = false;
		ck_error(lab_open(&lab), WB_UNSUPPORTED);
		lab.options.read_only = true;
		if (bit == 0) {
			ck_error(lab_open(&lab), WB_UNSUPPORTED);
			continue;
		}
		ck_ok(lab_reopen(&lab));
		ck_error(lab_put(&lab, 10), WB_READ_ONLY);
		ck_error(log_mark(lab.log), WB_READ_ONLY);
	}
	simdisk_free(whole);
}
END_TEST

/* ---- reading only ---- */

START_TEST(a_read_only_open_changes_not_a_byte)
{
	static const char *const ends[] = {"close", "kill", "torn", "rotate"};

	for (size_t end = 0; end < 4; end++) {
		uint64_t hash;

		start_again(16 << 10);
		put_many(20, 300);
		if (end == 0)
			ck_ok(lab_close(&lab));
		else if (end == 2)
			leave_debris("debris", 6);
		else if (end == 3)
			while (files_now().last.bytes > SEGMENT_FRAMES_AT + 512)
				put_many(1, 300);
		lab_abandon(&lab);
		hash = simdisk_hash(lab.disk);
		lab.options.read_only = true;
		ck_ok(lab_reopen(&lab));
		ck_assert_msg(simenv_said(&lab.env, DIAG_WARNING,
					  "did not finish") == (end == 2),
			      "%s", ends[end]);
		log_settle(lab.log);
		ck_ok(lab_close(&lab));
		ck_assert_msg(simdisk_hash(lab.disk) == hash, "%s", ends[end]);
	}
}
END_TEST

/* ---- a disk that fails ---- */

START_TEST(an_append_without_space_is_undone)
{
	uint64_t end;

	put_many(3, 100);
	end = files_now().last.bytes;
	/* The first write is that of zeros ahead: best effort. */
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_WRITE,
						   .nth = 1,
						   .error = WB_NO_SPACE,
						   .partial = true,
						   .name = "tmp/s*"});
	ck_error(lab_put(&lab, 4000), WB_NO_SPACE);
	ck_assert_uint_eq(simdisk_faults_fired(lab.disk), 1);
	ck_assert_uint_eq(files_now().last.bytes, end);
	ck_assert(!log_has_failed(lab.log));
	put_many(3, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
}
END_TEST

START_TEST(a_refused_commit_does_not_come_back)
{
	put_many(3, 100);
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_WRITE,
						   .nth = 1,
						   .error = WB_IO,
						   .partial = true,
						   .name = "tmp/s*"});
	ck_ok(lab_stage(&lab, 1, 10));
	ck_ok(lab_stage(&lab, 1, 10));
	ck_error(lab_append(&lab), WB_IO);
	for (unsigned keep = 0; keep < SIM_KEEP_COUNT; keep++) {
		struct sim_crash crash = {(enum sim_keep)keep, 77};
		struct lab other;

		lab_fork(&other, &lab, simdisk_crash(lab.disk, crash));
		ck_ok(lab_reopen(&other));
		lab_release(&other);
	}
}
END_TEST

START_TEST(a_write_that_cannot_be_undone_stops_the_log)
{
	put_many(3, 100);
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_WRITE,
						   .nth = 1,
						   .error = WB_NO_SPACE,
						   .name = "tmp/s*"});
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_TRUNCATE,
						   .nth = 1,
						   .error = WB_IO});
	ck_error(lab_put(&lab, 100), WB_OUTCOME_UNKNOWN);
	ck_assert(log_has_failed(lab.log));
	ck_error(lab_put(&lab, 100), WB_STOPPED);
}
END_TEST

START_TEST(a_failed_sync_stops_the_log_for_good)
{
	uint64_t changes;

	put_many(3, 100);
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_SYNC,
						   .nth = 1,
						   .error = WB_IO,
						   .name = "tmp/s*"});
	ck_error(lab_put(&lab, 100), WB_OUTCOME_UNKNOWN);
	changes = simdisk_count(lab.disk, SIM_ANY_CHANGE);
	ck_assert(log_has_failed(lab.log));
	ck_error(lab_put(&lab, 100), WB_STOPPED);
	ck_error(log_mark(lab.log), WB_STOPPED);
	log_settle(lab.log);
	ck_ok(lab_close(&lab));
	ck_assert_uint_eq(simdisk_count(lab.disk, SIM_ANY_CHANGE), changes);
	ck_ok(lab_reopen(&lab));
	put_many(3, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
}
END_TEST

START_TEST(a_failed_sync_of_a_rotation_stops_the_log)
{
	static const struct {
		const char *name;
		uint64_t nth;
		const char *what;
	} syncs[] = {
		{"tmp/s*", 1, "footer"},
		{"tmp/s*", 2, "header"},
		{"anchor", 1, "anchor"},
	};

	for (size_t at = 0; at < 3; at++) {
		start_again(16 << 10);
		while (files_now().last.bytes < 14 << 10)
			ck_ok(lab_put(&lab, 1000));
		simdisk_fault(lab.disk,
			      (struct sim_fault){.kind = SIM_SYNC,
						 .nth = syncs[at].nth,
						 .error = WB_IO,
						 .name = syncs[at].name});
		ck_error(lab_put(&lab, 3000), WB_OUTCOME_UNKNOWN);
		ck_assert(simenv_said(&lab.env, DIAG_WARNING, syncs[at].what));
		ck_error(lab_put(&lab, 10), WB_STOPPED);
		ck_ok(lab_close(&lab));
		ck_ok(lab_reopen(&lab));
	}
}
END_TEST

/* ---- a full disk ---- */

START_TEST(without_room_for_a_spare_there_is_no_reserve)
{
	enum wb_error error = WB_OK;
	uint64_t id;

	start_again(64 << 10);
	put_many(1, 100);
	simdisk_capacity(lab.disk, simdisk_used(lab.disk) + 4096);
	while (files_now().last.bytes < 32 << 10)
		ck_ok(lab_put(&lab, 100));
	ck_assert(log_has_reserve(lab.log));
	log_settle(lab.log);
	ck_assert(!log_has_reserve(lab.log));
	/* What is reserved can still be used, the footer included; then there
	 * is nothing. */
	while (!error)
		error = lab_put(&lab, 100);
	ck_error(error, WB_NO_SPACE);
	ck_assert_uint_eq(files_now().active, 0);
	ck_assert_uint_eq(files_now().sealed, 1);
	ck_error(lab_put(&lab, 100), WB_NO_SPACE);
	ck_ok(log_mark(lab.log));
	simdisk_capacity(lab.disk, 0);
	ck_ok(lab_put(&lab, 100));
	id = files_now().last.id;
	ck_assert_uint_eq(id, 2);
	log_settle(lab.log);
	ck_assert(log_has_reserve(lab.log));
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
}
END_TEST

/* Many small versions, whose footer is a third of the segment. */
START_TEST(a_spare_takes_over_on_a_full_disk)
{
	put_many(2, 100);
	ck_assert_uint_eq(files_now().spare, 1);
	simdisk_capacity(lab.disk, simdisk_used(lab.disk));
	while (files_now().last.id == 1) {
		ck_ok(lab_stage(&lab, 10, 0));
		ck_ok(lab_append(&lab));
	}
	ck_assert_uint_eq(files_now().sealed, 1);
	put_many(2, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
}
END_TEST

/* A large group has made the next segment's size another one since. */
START_TEST(a_spare_that_is_smaller_than_usual_takes_over_on_a_full_disk)
{
	start_again(64 * MIB);
	put_many(1, 600 << 10);
	ck_assert_uint_eq(files_now().spare, 1);
	put_many(1, 14 << 20);
	ck_assert_uint_eq(files_now().spare, 1);
	simdisk_capacity(lab.disk, simdisk_used(lab.disk));
	ck_assert(log_has_reserve(lab.log));
	ck_ok(lab_put(&lab, 100));
	ck_assert_uint_eq(files_now().last.id, 3);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
}
END_TEST

/* Refused before a byte is written. */
static void check_refused(void)
{
	struct files before = files_now();
	uint64_t writes = simdisk_count(lab.disk, SIM_WRITE);

	ck_error(lab_append(&lab), WB_NO_SPACE);
	ck_assert_uint_eq(simdisk_count(lab.disk, SIM_WRITE), writes);
	ck_assert_uint_eq(files_now().last.id, before.last.id);
	ck_assert_uint_eq(files_now().last.bytes, before.last.bytes);
	ck_assert(!log_has_failed(lab.log));
}

/* In an empty segment, new or found, a group may be of any size. */
START_TEST(an_empty_segment_takes_no_group_whose_footer_has_no_room)
{
	for (unsigned found = 0; found < 2; found++) {
		uint64_t more;

		start_again(64 << 10);
		if (found) {
			lab_abandon(&lab);
			ck_ok(lab_reopen(&lab));
		}
		ck_ok(lab_stage(&lab, 3000, 0));
		/* The footer has 16 bytes for each of them. */
		more = SEGMENT_FRAMES_AT + log_group_bytes(lab.group) + 512 -
		       files_now().last.file_bytes + 16 * 1024;
		simdisk_capacity(lab.disk, simdisk_used(lab.disk) + more);
		check_refused();
		simdisk_capacity(lab.disk,
				 simdisk_used(lab.disk) + more + 36 * 1024);
		ck_ok(lab_stage(&lab, 3000, 0));
		ck_ok(lab_append(&lab));
		simdisk_capacity(lab.disk, simdisk_used(lab.disk));
		ck_error(lab_put(&lab, 100), WB_NO_SPACE);
		ck_assert_uint_eq(files_now().sealed, 1);
		ck_assert_uint_eq(files_now().active, 0);
		simdisk_capacity(lab.disk, 0);
		ck_ok(lab_close(&lab));
		ck_ok(lab_reopen(&lab));
	}
}
END_TEST

/* As a file has them that was copied. */
START_TEST(holes_behind_the_end_are_filled_before_a_group_is_written)
{
	enum wb_error error = WB_OK;
	struct files files;
	uint64_t used;

	start_again(64 << 10);
	put_many(4, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	files = files_now();
	lab_abandon(&lab);
	simdisk_resize(lab.disk, files.last.name, files.last.bytes);
	simdisk_resize(lab.disk, files.last.name, 64 << 10);
	ck_ok(lab_reopen(&lab));
	used = simdisk_used(lab.disk);
	simdisk_capacity(lab.disk, used);
	ck_ok(lab_stage(&lab, 1, 5000));
	check_refused();
	/* Not for all of the segment, and for a part of it. */
	simdisk_capacity(lab.disk, used + 24 * 1024);
	ck_ok(lab_put(&lab, 5000));
	while (!error)
		error = lab_put(&lab, 100);
	ck_error(error, WB_NO_SPACE);
	simdisk_capacity(lab.disk, 0);
	put_many(3, 100);
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
}
END_TEST

/* ---- every operation may be the last ---- */

/* The image opens, and holds what was acknowledged or one commit more. */
static void check_image(struct simdisk *image, const char *what, uint64_t n)
{
	struct lab other;
	size_t common;

	lab_fork(&other, &lab, image);
	other.options.create = true;
	ck_assert_msg(lab_open(&other) == WB_OK, "%s %llu", what,
		      (unsigned long long)n);
	common = history_common(&other.seen, &lab.truth);
	ck_assert_msg(common == lab.truth.count &&
			      other.seen.count <= common + 1,
		      "%s %llu: %zu of %zu commits", what,
		      (unsigned long long)n, common, lab.truth.count);
	ck_assert_msg(lab_versions_equal(&other, &other.seen), "%s %llu", what,
		      (unsigned long long)n);
	lab_release(&other);
}

static void check_cut(const char *what, uint64_t n)
{
	for (unsigned keep = 0; keep < SIM_KEEP_COUNT; keep++)
		check_image(simdisk_crash(
				    lab.disk,
				    (struct sim_crash){(enum sim_keep)keep, n}),
			    what, n);
	/* Killed, opened, written to; and then the power goes. */
	lab_abandon(&lab);
	simdisk_revive(lab.disk);
	lab.options.create = true;
	ck_assert_msg(lab_open(&lab) == WB_OK, "%s %llu", what,
		      (unsigned long long)n);
	history_release(&lab.truth);
	lab.truth = lab.seen;
	lab.seen = (struct history){0};
	ck_ok(lab_put(&lab, 100));
	for (unsigned keep = 0; keep < SIM_KEEP_COUNT; keep++)
		check_image(simdisk_crash(
				    lab.disk,
				    (struct sim_crash){(enum sim_keep)keep, n}),
			    what, n);
}

START_TEST(a_creation_may_end_at_every_operation)
{
	bool cut = true;
	uint64_t n;

	for (n = 1; cut; n++) {
		lab_release(&lab);
		lab_init(&lab, n);
		lab.options.create = true;
		simdisk_cut_at(lab.disk, SIM_ANY_CHANGE, n);
		ck_assert((lab_open(&lab) != WB_OK) ==
			  simdisk_is_cut(lab.disk));
		cut = simdisk_is_cut(lab.disk);
		if (cut)
			check_cut("creation", n);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(a_rotation_may_end_at_every_operation)
{
	bool cut = true;
	uint64_t n;

	for (n = 1; cut; n++) {
		start_again(16 << 10);
		/* One more does not fit. */
		while (files_now().last.bytes < 14 << 10)
			put_many(1, 1000);
		simdisk_cut_at(lab.disk, SIM_ANY_CHANGE, n);
		(void)lab_put(&lab, 3000);
		ck_assert(simdisk_is_cut(lab.disk) || lab_segments(&lab) == 2);
		cut = simdisk_is_cut(lab.disk);
		if (cut)
			check_cut("rotation", n);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

START_TEST(a_recovery_may_end_at_every_operation)
{
	bool cut = true;
	uint64_t n;

	for (n = 1; cut; n++) {
		start_again(16 << 10);
		put_many(3, 1000);
		leave_debris("debris", 6);
		simdisk_cut_at(lab.disk, SIM_ANY_CHANGE, n);
		(void)lab_open(&lab);
		cut = simdisk_is_cut(lab.disk);
		if (cut)
			check_cut("recovery", n);
	}
	ck_assert_uint_gt(n, 10);
}
END_TEST

/* After a cut in the rename of a spare its older name may be there again,
 * beside the segment's; and then it cannot be removed. */
START_TEST(a_file_that_counts_is_not_truncated_by_its_older_name)
{
	struct sim_fault fault = {.kind = SIM_REMOVE,
				  .nth = 1,
				  .forever = true,
				  .error = WB_IO,
				  .name = LOG_SPARE_NAME};
	unsigned images = 0;

	while (lab_segments(&lab) < 3) {
		put_many(1, 1000);
		log_settle(lab.log);
	}
	lab_abandon(&lab);
	for (uint64_t id = 1; id <= 3; id++, images++) {
		struct simdisk *image =
			simdisk_crash(lab.disk,
				      (struct sim_crash){SIM_KEEP_ALL, 0});
		struct lab other;

		simdisk_link(image, LOG_SPARE_NAME, lab_segment(id));
		lab_fork(&other, &lab, image);
		simdisk_fault(other.disk, fault);
		ck_ok(lab_reopen(&other));
		for (int n = 0; n < 20; n++) {
			(void)lab_put(&other, 1000);
			log_settle(other.log);
		}
		simdisk_faults_clear(other.disk);
		lab_abandon(&other);
		ck_ok(lab_reopen(&other));
		lab_release(&other);
	}
	ck_assert_uint_eq(images, 3);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_new_log_is_empty_and_opens_again,
		what_was_appended_is_there_after_close,
		what_was_appended_is_there_after_a_kill,
		full_segments_are_sealed_and_followed,
		a_group_of_many_commits_is_one_sync,
		groups_end_at_sectors_unless_told_otherwise,
		segments_grow_from_1_to_64_mib,
		a_transaction_larger_than_a_segment_has_one_of_its_size,
		a_transaction_beyond_the_limit_leaves_the_group_as_it_was,
		a_spare_waits_from_the_half_on_and_becomes_the_next_segment,
		marks_and_closes_are_written_once,
		torn_tail_is_cut_and_kept,
		an_intact_prefix_of_a_torn_group_is_kept,
		the_newest_16_mib_of_debris_are_kept,
		debris_that_could_not_be_kept_stays_until_it_can,
		a_torn_value_full_of_frames_is_cut_and_kept,
		frames_without_end_behind_a_hole_are_refused,
		damage_to_the_last_commit_is_loud_behind_a_mark,
		damage_to_the_last_commit_is_a_torn_write_without_a_mark,
		the_anchor_covers_the_last_commit_after_a_second,
		an_older_anchor_put_back_is_corruption,
		an_older_anchor_of_the_same_segment_is_reported,
		one_bad_anchor_slot_is_reported_and_loses_nothing,
		a_bad_slot_right_after_a_rotation_loses_nothing,
		without_anchor_slots_the_log_refuses,
		no_segment_may_be_missing,
		a_log_in_an_empty_directory_is_not_a_store,
		what_a_newer_version_wrote_is_refused,
		a_read_only_open_changes_not_a_byte,
		an_append_without_space_is_undone,
		a_refused_commit_does_not_come_back,
		a_write_that_cannot_be_undone_stops_the_log,
		a_failed_sync_stops_the_log_for_good,
		a_failed_sync_of_a_rotation_stops_the_log,
		without_room_for_a_spare_there_is_no_reserve,
		an_empty_segment_takes_no_group_whose_footer_has_no_room,
		holes_behind_the_end_are_filled_before_a_group_is_written,
		a_spare_takes_over_on_a_full_disk,
		a_spare_that_is_smaller_than_usual_takes_over_on_a_full_disk,
		a_creation_may_end_at_every_operation,
		a_rotation_may_end_at_every_operation,
		a_recovery_may_end_at_every_operation,
		a_file_that_counts_is_not_truncated_by_its_older_name,
	};
	Suite *suite = suite_create("log");
	TCase *group = tcase_create("log");

	tcase_add_checked_fixture(group, set_up, tear_down);
	for (size_t at = 0; at < sizeof(tests) / sizeof(tests[0]); at++)
		tcase_add_test(group, tests[at]);
	suite_add_tcase(suite, group);
	return suite_run(suite);
}
