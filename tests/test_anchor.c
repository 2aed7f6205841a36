/* SPDX-License-Identifier: Apache-2.0
 *
 * The anchor against the table of docs/FORMAT.md, and the order in which its
 * slots are written.
 */
#include "log/anchor.h"

#include "base/cursor.h"
#include "tests/support/rng.h"
#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

static struct anchor draw_anchor(struct rng *rng)
{
	struct anchor anchor = {
		.sequence = rng_next(rng) | 1,
		.epoch = rng_next(rng),
		.active_id = rng_next(rng) | 1,
		.durable_revision = rng_next(rng),
		.durable_bytes = rng_next(rng),
		.written_ns = (int64_t)rng_next(rng),
	};

	rng_fill(rng, anchor.uuid, sizeof(anchor.uuid));
	rng_fill(rng, anchor.chain, sizeof(anchor.chain));
	return anchor;
}

static void put_checksum(uint8_t *bytes, unsigned slot)
{
	struct writer writer = writer_of(bytes, 8);

	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + 8, 4096 - 8, slot * 4096));
}

/* The table, offset by offset. */
static void put_anchor(const struct anchor *anchor, unsigned slot,
		       uint8_t bytes[4096])
{
	struct writer writer = writer_of(bytes, 4096);
	const struct {
		size_t offset;
		uint64_t value;
	} fields[] = {
		{24, anchor->sequence},
		{48, anchor->epoch},
		{56, anchor->active_id},
		{64, anchor->durable_revision},
		{72, anchor->durable_bytes},
		{112, (uint64_t)anchor->written_ns},
	};

	memset(bytes, 0, 4096);
	memcpy(bytes + 8, "WAYBANC1", 8);
	bytes[16] = 1;
	for (size_t at = 0; at < sizeof(fields) / sizeof(fields[0]); at++) {
		writer_seek(&writer, fields[at].offset);
		write_u64(&writer, fields[at].value);
	}
	memcpy(bytes + 32, anchor->uuid, 16);
	memcpy(bytes + 80, anchor->chain, 32);
	put_checksum(bytes, slot);
}

START_TEST(a_slot_has_the_bytes_of_the_table)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct rng rng = rng_of(seed);
		struct anchor back, anchor = draw_anchor(&rng);
		uint8_t expected[4096], bytes[4096], again[4096];

		for (unsigned slot = 0; slot < 2; slot++) {
			anchor.sequence = 2 * (anchor.sequence / 2) + slot;
			put_anchor(&anchor, slot, expected);
			anchor_encode(&anchor, slot, bytes);
			ck_assert_mem_eq(bytes, expected, sizeof(bytes));
			ck_ok(anchor_decode(bytes, slot, &back));
			put_anchor(&back, slot, again);
			ck_assert_mem_eq(again, expected, sizeof(again));
			ck_error(anchor_decode(bytes, !slot, &back),
				 WB_CORRUPT);
		}
	}
}
END_TEST

START_TEST(every_flipped_bit_of_a_slot_is_seen)
{
	struct rng rng = rng_of(5);
	struct anchor back, anchor = draw_anchor(&rng);
	uint8_t bytes[4096];

	anchor_encode(&anchor, 1, bytes);
	ck_ok(anchor_decode(bytes, 1, &back));
	for (unsigned bit = 0; bit < 4096 * 8; bit++) {
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
		ck_assert_msg(anchor_decode(bytes, 1, &back) == WB_CORRUPT,
			      "bit %u", bit);
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
	}
}
END_TEST

/* A byte that differs from a good slot's, under a checksum that holds. */
static const struct {
	const char *what;
	size_t at;
	uint8_t value;
	enum wb_error expected;
} rules[] = {
	{"the magic", 15, '2', WB_CORRUPT},
	{"format version 2", 16, 2, WB_UNSUPPORTED},
	{"format version 0", 16, 0, WB_UNSUPPORTED},
	{"the zero bytes", 20, 1, WB_CORRUPT},
	{"the sequence of the other slot", 24, 4, WB_CORRUPT},
	{"another sequence", 24, 5, WB_OK},
	{"segment 0", 56, 0, WB_CORRUPT},
	{"the first zero byte of the rest", 120, 1, WB_CORRUPT},
	{"the last zero byte", 4095, 1, WB_CORRUPT},
};

START_TEST(rules_hold_where_the_checksum_does)
{
	struct anchor back, anchor = {.sequence = 3, .active_id = 1};
	uint8_t bytes[4096];

	for (size_t at = 0; at < sizeof(rules) / sizeof(rules[0]); at++) {
		anchor_encode(&anchor, 1, bytes);
		bytes[rules[at].at] = rules[at].value;
		put_checksum(bytes, 1);
		ck_assert_msg(anchor_decode(bytes, 1, &back) ==
				      rules[at].expected,
			      "%s", rules[at].what);
	}
}
END_TEST

/* ---- the file ---- */

static struct simdisk *disk;
static struct dir *dir;
static struct simenv env;
static struct anchor anchor;

static void set_up(void)
{
	disk = simdisk_new();
	dir = simdisk_dir(disk);
	simenv_init(&env, 1);
	anchor = (struct anchor){.sequence = 1, .active_id = 1};
	ck_ok(dir_make(dir, "tmp"));
	ck_ok(anchor_create(dir, &anchor));
}

static void tear_down(void)
{
	dir_close(dir);
	simdisk_free(disk);
	simenv_release(&env);
}

/* Reads the anchor of an image; its sequence, or 0 where both are bad. */
static uint64_t sequence_of(struct simdisk *image, bool *ret_slot_bad)
{
	struct dir *other = simdisk_dir(image);
	struct anchor found = {0};
	enum wb_error error;

	error = anchor_read(other, &env.diag, &found, ret_slot_bad);
	ck_assert(error == WB_OK || error == WB_CORRUPT);
	dir_close(other);
	return error ? 0 : found.sequence;
}

START_TEST(creation_writes_both_slots)
{
	bool bad = true;

	ck_assert_uint_eq(simdisk_size(disk, "anchor"), 8192);
	ck_assert_uint_eq(sequence_of(disk, &bad), 1);
	ck_assert(!bad);
	ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), 0);
	/* Durable with all that it needs: only the disk's own name is not. */
	ck_ok(dir_sync(dir, "..", CONTROL_CREATE_DIR_SYNC));
	ck_ok(dir_sync(dir, "tmp", CONTROL_CREATE_DIR_SYNC));
	ck_assert_uint_eq(simdisk_pending(disk), 0);
}
END_TEST

START_TEST(the_older_slot_is_written_and_the_newer_one_counts)
{
	struct file *file;
	bool bad = true;

	ck_ok(dir_open(dir, "anchor", FILE_WRITE, &file));
	for (unsigned turn = 2; turn < 8; turn++) {
		uint8_t before[2][4096], after[2][4096];

		simdisk_get(disk, "anchor", before, sizeof(before), 0);
		ck_ok(anchor_write(file, &anchor));
		simdisk_get(disk, "anchor", after, sizeof(after), 0);
		ck_assert_uint_eq(anchor.sequence, turn);
		ck_assert_uint_eq(sequence_of(disk, &bad), turn);
		ck_assert(!bad);
		ck_assert_mem_eq(before[!(turn % 2)], after[!(turn % 2)], 4096);
		ck_assert_mem_ne(before[turn % 2], after[turn % 2], 4096);
	}
	file_close(file);
}
END_TEST

START_TEST(one_bad_slot_is_passed_over_and_two_are_corruption)
{
	for (unsigned mask = 1; mask < 4; mask++) {
		struct simdisk *image;
		bool bad = false;
		uint64_t expected = mask == 1 ? 1 : 0;

		ck_ok(dir_sync(dir, "..", CONTROL_CREATE_DIR_SYNC));
		image = simdisk_clone(disk);
		for (unsigned slot = 0; slot < 2; slot++)
			if (mask & 1u << slot)
				simdisk_flip(image, "anchor",
					     slot * 4096 * 8 + 300);
		simenv_forget(&env);
		ck_assert_uint_eq(sequence_of(image, &bad), expected);
		ck_assert_int_eq(bad, mask != 3);
		ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), mask != 3);
		ck_assert_uint_eq(simenv_count(&env, DIAG_DAMAGE), mask == 3);
		simdisk_free(image);
	}
}
END_TEST

START_TEST(a_torn_slot_leaves_the_other_one)
{
	struct file *file;
	struct simdisk *before = simdisk_clone(disk);
	uint8_t slot[4096];
	bool bad;

	ck_ok(dir_open(dir, "anchor", FILE_WRITE, &file));
	ck_ok(anchor_write(file, &anchor));
	file_close(file);
	simdisk_get(disk, "anchor", slot, sizeof(slot), 0);
	/* Each subset of the sectors of the write. */
	for (unsigned mask = 0; mask < 256; mask++) {
		struct simdisk *image = simdisk_clone(before);
		uint64_t sequence;

		for (unsigned at = 0; at < 8; at++)
			if (mask & 1u << at)
				simdisk_set(image, "anchor", slot + 512 * at,
					    512, 512 * at);
		sequence = sequence_of(image, &bad);
		/* All that is not zero is in the first sector. */
		ck_assert_uint_eq(sequence, mask & 1 ? 2 : 1);
		ck_assert(!bad);
		simdisk_free(image);
	}
	simdisk_free(before);
}
END_TEST

START_TEST(a_file_of_another_size_is_corruption)
{
	static const uint64_t sizes[] = {0,    1,    4095,  4096,
					 8191, 8193, 12288, 1 << 20};
	struct anchor found;
	bool bad;

	for (size_t at = 0; at < sizeof(sizes) / sizeof(sizes[0]); at++) {
		simdisk_resize(disk, "anchor", sizes[at]);
		ck_error(anchor_read(dir, &env.diag, &found, &bad), WB_CORRUPT);
	}
	simdisk_delete(disk, "anchor");
	ck_error(anchor_read(dir, &env.diag, &found, &bad), WB_NOT_FOUND);
}
END_TEST

START_TEST(reading_sees_the_disk_and_not_the_cache)
{
	struct anchor found;
	struct file *file;
	bool bad;

	ck_ok(dir_open(dir, "anchor", FILE_WRITE, &file));
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(anchor_write(file, &anchor), WB_OUTCOME_UNKNOWN);
	ck_assert_uint_eq(anchor.sequence, 1);
	file_close(file);
	ck_ok(anchor_read(dir, &env.diag, &found, &bad));
	ck_assert_uint_eq(found.sequence, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("anchor");
	TCase *codec = tcase_create("codec");
	TCase *files = tcase_create("file");

	tcase_add_test(codec, a_slot_has_the_bytes_of_the_table);
	tcase_add_test(codec, every_flipped_bit_of_a_slot_is_seen);
	tcase_add_test(codec, rules_hold_where_the_checksum_does);
	suite_add_tcase(suite, codec);
	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, creation_writes_both_slots);
	tcase_add_test(files,
		       the_older_slot_is_written_and_the_newer_one_counts);
	tcase_add_test(files,
		       one_bad_slot_is_passed_over_and_two_are_corruption);
	tcase_add_test(files, a_torn_slot_leaves_the_other_one);
	tcase_add_test(files, a_file_of_another_size_is_corruption);
	tcase_add_test(files, reading_sees_the_disk_and_not_the_cache);
	suite_add_tcase(suite, files);
	return suite_run(suite);
}
