/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated disk, which judges everything else, judged itself. Images are
 * compared with ones worked out by hand, and for every "may vanish" there is
 * an image in which it did and one in which it did not.
 */
#include "base/cursor.h"
#include "tests/support/contract.h"
#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"
#include "tests/support/simpages.h"
#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#define SYNC CONTROL_GROUP_SYNC

static struct simdisk *disk;
static struct dir *dir;

static void setup(void)
{
	disk = simdisk_new();
	dir = simdisk_dir(disk);
	ck_ok(dir_sync(dir, "..", SYNC));
}

static void teardown(void)
{
	dir_close(dir);
	simdisk_free(disk);
}

static struct file *create(const char *name)
{
	struct file *file;

	ck_ok(dir_open(dir, name, FILE_CREATE, &file));
	return file;
}

static void write_text(struct file *file, const char *text, uint64_t offset)
{
	ck_ok(file_write(file, text, strlen(text), offset));
}

/* A file, and all of it durable. */
static void put_synced(const char *name, const char *text)
{
	struct file *file = create(name);

	write_text(file, text, 0);
	ck_ok(file_sync(file, SYNC));
	file_close(file);
	ck_ok(dir_sync(dir, "", SYNC));
}

/* The text of a file that may be absent ("absent"), in a static buffer. */
static const char *text_of(struct simdisk *of, const char *path)
{
	static char text[64];
	uint64_t size;

	if (!simdisk_has(of, path))
		return "absent";
	size = simdisk_size(of, path);
	ck_assert_uint_lt(size, sizeof(text));
	memset(text, 0, sizeof(text));
	simdisk_get(of, path, text, size, 0);
	for (uint64_t i = 0; i < size; i++)
		if (text[i] == '\0')
			text[i] = '0';
	return text;
}

static struct simdisk *crash(enum sim_keep keep, uint64_t seed)
{
	return simdisk_crash(disk, (struct sim_crash){keep, seed});
}

#define expect_image(keep, seed, path, text)                   \
	do {                                                   \
		struct simdisk *image_ = crash(keep, seed);    \
                                                               \
		ck_assert_str_eq(text_of(image_, path), text); \
		simdisk_free(image_);                          \
	} while (0)

START_TEST(contract)
{
	printf("# %s\n", contract_cases[_i].name);
	contract_cases[_i].run(dir);
	ck_assert_uint_eq(simdisk_handles(disk), 1);
}
END_TEST

/* ---- files ---- */

START_TEST(unsynced_write_may_vanish)
{
	struct file *file;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "new!", 0);
	ck_assert_uint_eq(simdisk_pending(disk), 1);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "old");
	expect_image(SIM_KEEP_ALL, 0, "a", "new!");
	ck_assert_str_eq(text_of(disk, "a"), "new!");
	file_close(file);
	/* Closing is not syncing. */
	expect_image(SIM_KEEP_NOTHING, 0, "a", "old");
}
END_TEST

START_TEST(synced_write_stays)
{
	struct rng rng = rng_of(1);
	struct file *file;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "new!", 0);
	ck_ok(file_sync(file, SYNC));
	file_close(file);
	ck_assert_uint_eq(simdisk_pending(disk), 0);
	for (int i = 0; i < 100; i++) {
		struct sim_crash any = sim_crash_random(&rng);

		expect_image(any.keep, any.seed, "a", "new!");
	}
}
END_TEST

START_TEST(a_sync_is_of_one_file_through_any_handle)
{
	struct file *a = create("a");
	struct file *b = create("b");
	struct file *again;

	ck_ok(dir_sync(dir, "", SYNC));
	write_text(a, "aa", 0);
	write_text(b, "bb", 0);
	ck_ok(dir_open(dir, "a", FILE_READ, &again));
	ck_ok(file_sync(again, SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "aa");
	expect_image(SIM_KEEP_NOTHING, 0, "b", "");
	file_close(a);
	file_close(b);
	file_close(again);
}
END_TEST

START_TEST(writes_are_kept_in_any_subset)
{
	static const char *const images[8] = {
		/* 1: "A" at 0; 2: "B" at 512; 4: "C" at 1024 */
		"", "A", "0B", "AB", "00C", "A0C", "0BC", "ABC"};
	struct file *file = create("a");

	ck_ok(dir_sync(dir, "", SYNC));
	write_text(file, "A", 0);
	write_text(file, "B", 512);
	write_text(file, "C", 1024);
	for (uint64_t mask = 0; mask < 8; mask++) {
		struct simdisk *image = crash(SIM_KEEP_MASK, mask);
		size_t sectors = strlen(images[mask]);

		ck_assert_uint_eq(simdisk_size(image, "a"),
				  sectors ? (sectors - 1) * 512 + 1 : 0);
		for (size_t i = 0; i < sectors; i++) {
			char c;

			simdisk_get(image, "a", &c, 1, i * 512);
			ck_assert_int_eq(c ? c : '0', images[mask][i]);
		}
		simdisk_free(image);
	}
	file_close(file);
}
END_TEST

START_TEST(a_kept_sector_is_what_the_cache_held)
{
	struct simdisk *image;
	struct file *file = create("a");

	ck_ok(dir_sync(dir, "", SYNC));
	write_text(file, "AAAA", 0);
	write_text(file, "BB", 4);
	/* The second write alone: its sector had the first one's bytes. */
	expect_image(SIM_KEEP_MASK, 2, "a", "AAAABB");
	/* The first write alone: its sector had not yet the second's. */
	expect_image(SIM_KEEP_MASK, 1, "a", "AAAA");
	/* Bytes behind the size are never seen. */
	write_text(file, "c", 1);
	expect_image(SIM_KEEP_MASK, 4, "a", "Ac");
	image = crash(SIM_KEEP_MASK, 4);
	simdisk_resize(image, "a", 6);
	ck_assert_str_eq(text_of(image, "a"), "Ac0000");
	simdisk_free(image);
	file_close(file);
}
END_TEST

START_TEST(truncation_and_allocation_may_vanish)
{
	struct file *file;

	put_synced("a", "abcdef");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	ck_ok(file_truncate(file, 2));
	ck_ok(file_allocate(file, 4));
	ck_assert_uint_eq(simdisk_pending(disk), 2);
	expect_image(SIM_KEEP_MASK, 0, "a", "abcdef");
	expect_image(SIM_KEEP_MASK, 1, "a", "ab");
	expect_image(SIM_KEEP_MASK, 2, "a", "abcdef");
	expect_image(SIM_KEEP_MASK, 3, "a", "ab00");
	ck_ok(file_sync(file, SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "ab00");
	file_close(file);
	ck_ok(dir_open(dir, "a", FILE_TRUNCATE, &file));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "ab00");
	expect_image(SIM_KEEP_ALL, 0, "a", "");
	file_close(file);
}
END_TEST

/* 0 old, 1 new, of each of `count` sectors, as a number. */
static unsigned sectors_new(struct simdisk *image, unsigned count)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned char sector[512];

		simdisk_get(image, "a", sector, 512, i * 512);
		for (int j = 1; j < 512; j++)
			ck_assert_uint_eq(sector[j], sector[0]);
		ck_assert(sector[0] == 'o' || sector[0] == 'n');
		mask |= (unsigned)(sector[0] == 'n') << i;
	}
	return mask;
}

START_TEST(sectors_of_a_write_are_kept_in_any_subset)
{
	char bytes[4 * 512];
	bool seen[16] = {false};
	struct file *file = create("a");
	int kinds = 0;

	memset(bytes, 'o', sizeof(bytes));
	ck_ok(file_write(file, bytes, sizeof(bytes), 0));
	ck_ok(file_sync(file, SYNC));
	ck_ok(dir_sync(dir, "", SYNC));
	memset(bytes, 'n', sizeof(bytes));
	ck_ok(file_write(file, bytes, sizeof(bytes), 0));
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct simdisk *image = crash(SIM_KEEP_SECTORS, seed);

		ck_assert_uint_eq(simdisk_size(image, "a"), sizeof(bytes));
		seen[sectors_new(image, 4)] = true;
		simdisk_free(image);
	}
	for (int i = 0; i < 16; i++)
		kinds += seen[i];
	ck_assert_int_eq(kinds, 16);
	file_close(file);
}
END_TEST

START_TEST(growth_may_come_without_its_data)
{
	char bytes[1024];
	struct file *file = create("a");
	bool zeros_at_end = false;
	bool short_file = false;
	bool hole = false;

	ck_ok(dir_sync(dir, "", SYNC));
	memset(bytes, 'n', sizeof(bytes));
	ck_ok(file_write(file, bytes, sizeof(bytes), 0));
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct simdisk *image = crash(SIM_KEEP_SECTORS, seed);
		uint64_t size = simdisk_size(image, "a");
		unsigned char back[1024];

		ck_assert(size == 0 || size == 512 || size == 1024);
		simdisk_get(image, "a", back, 1024, 0);
		zeros_at_end |= size == 1024 && back[0] && !back[512];
		short_file |= size == 512 && back[0] == 'n';
		hole |= size == 1024 && !back[0] && back[512];
		simdisk_free(image);
	}
	ck_assert(zeros_at_end);
	ck_assert(short_file);
	ck_assert(hole);
	file_close(file);
}
END_TEST

START_TEST(torn_keeps_what_was_before_and_some_of_the_next)
{
	char bytes[1024];
	struct file *file = create("a");
	bool torn = false;

	ck_ok(dir_sync(dir, "", SYNC));
	memset(bytes, 'o', sizeof(bytes));
	ck_ok(file_write(file, bytes, sizeof(bytes), 0));
	memset(bytes, 'n', sizeof(bytes));
	ck_ok(file_write(file, bytes, sizeof(bytes), 0));
	for (uint64_t seed = 1; seed < 400; seed += 3) {
		struct simdisk *image = crash(SIM_KEEP_TORN, seed);
		unsigned mask = sectors_new(image, 2);

		torn |= mask == 1 || mask == 2;
		simdisk_free(image);
	}
	ck_assert(torn);
	file_close(file);
}
END_TEST

/* ---- names ---- */

START_TEST(unsynced_name_may_vanish_though_file_synced)
{
	struct file *file = create("a");

	write_text(file, "text", 0);
	ck_ok(file_sync(file, SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "absent");
	expect_image(SIM_KEEP_ALL, 0, "a", "text");
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "text");
	file_close(file);
}
END_TEST

START_TEST(synced_name_does_not_sync_the_file)
{
	struct file *file = create("a");

	write_text(file, "text", 0);
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "");
	expect_image(SIM_KEEP_NAMES, 0, "a", "");
	expect_image(SIM_KEEP_DATA, 0, "a", "text");
	file_close(file);
}
END_TEST

START_TEST(rename_is_atomic_but_not_durable)
{
	put_synced("a", "new");
	put_synced("b", "old");
	ck_ok(dir_rename(dir, "a", "b", SYNC));
	ck_assert_uint_eq(simdisk_pending(disk), 1);
	ck_assert_str_eq(text_of(disk, "a"), "absent");
	ck_assert_str_eq(text_of(disk, "b"), "new");
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct simdisk *image = crash(SIM_KEEP_RANDOM, seed);
		bool done = !simdisk_has(image, "a");

		ck_assert_str_eq(text_of(image, "b"), done ? "new" : "old");
		simdisk_free(image);
	}
	expect_image(SIM_KEEP_NOTHING, 0, "a", "new");
	expect_image(SIM_KEEP_ALL, 0, "a", "absent");
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "absent");
	expect_image(SIM_KEEP_NOTHING, 0, "b", "new");
}
END_TEST

START_TEST(rename_across_directories_is_two_operations)
{
	static const char *const images[4][2] = {
		{"text", "absent"},   /* neither */
		{"text", "text"},     /* the new name */
		{"absent", "absent"}, /* the end of the old one: lost */
		{"absent", "text"},   /* both */
	};

	ck_ok(dir_make(dir, "tmp"));
	put_synced("tmp/a", "text");
	ck_ok(dir_sync(dir, "tmp", SYNC));
	ck_ok(dir_rename(dir, "tmp/a", "b", SYNC));
	ck_assert_uint_eq(simdisk_pending(disk), 2);
	for (uint64_t mask = 0; mask < 4; mask++) {
		expect_image(SIM_KEEP_MASK, mask, "tmp/a", images[mask][0]);
		expect_image(SIM_KEEP_MASK, mask, "b", images[mask][1]);
	}
	/* Each directory is synced for itself. */
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "tmp/a", "text");
	expect_image(SIM_KEEP_NOTHING, 0, "b", "text");
	ck_ok(dir_sync(dir, "tmp", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "tmp/a", "absent");
	expect_image(SIM_KEEP_NOTHING, 0, "b", "text");
}
END_TEST

START_TEST(two_names_of_one_file_stay_one_file)
{
	struct simdisk *image;
	struct dir *other;
	struct file *file;

	ck_ok(dir_make(dir, "tmp"));
	put_synced("tmp/a", "text");
	ck_ok(dir_sync(dir, "tmp", SYNC));
	ck_ok(dir_rename(dir, "tmp/a", "b", SYNC));
	ck_ok(dir_sync(dir, "", SYNC));
	image = crash(SIM_KEEP_NOTHING, 0);
	other = simdisk_dir(image);
	ck_ok(dir_open(other, "tmp/a", FILE_WRITE, &file));
	write_text(file, "T", 0);
	file_close(file);
	ck_assert_str_eq(text_of(image, "b"), "Text");
	/* POSIX: renaming one to the other does nothing. */
	ck_ok(dir_rename(other, "tmp/a", "b", SYNC));
	ck_assert_str_eq(text_of(image, "tmp/a"), "Text");
	ck_ok(dir_remove(other, "tmp/a"));
	ck_assert_str_eq(text_of(image, "b"), "Text");
	dir_close(other);
	simdisk_free(image);
}
END_TEST

START_TEST(unsynced_removal_may_be_undone)
{
	put_synced("a", "text");
	ck_ok(dir_remove(dir, "a"));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "text");
	expect_image(SIM_KEEP_ALL, 0, "a", "absent");
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "absent");
}
END_TEST

START_TEST(a_name_used_again_may_come_back_as_either_file)
{
	struct file *file;

	put_synced("a", "first");
	ck_ok(dir_remove(dir, "a"));
	file = create("a");
	write_text(file, "second", 0);
	ck_ok(file_sync(file, SYNC));
	file_close(file);
	expect_image(SIM_KEEP_MASK, 0, "a", "first");
	expect_image(SIM_KEEP_MASK, 1, "a", "absent");
	expect_image(SIM_KEEP_MASK, 2, "a", "second");
	expect_image(SIM_KEEP_MASK, 3, "a", "second");
}
END_TEST

START_TEST(an_unsynced_directory_takes_all_with_it)
{
	struct file *file;

	ck_ok(dir_make(dir, "tmp"));
	file = create("tmp/a");
	write_text(file, "text", 0);
	ck_ok(file_sync(file, SYNC));
	file_close(file);
	ck_ok(dir_sync(dir, "tmp", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "tmp/a", "absent");
	expect_image(SIM_KEEP_ALL, 0, "tmp/a", "text");
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "tmp/a", "text");
}
END_TEST

START_TEST(an_unsynced_parent_takes_the_store_with_it)
{
	struct simdisk *fresh = simdisk_new();
	struct dir *root = simdisk_dir(fresh);
	struct simdisk *image;
	struct file *file;

	ck_ok(dir_open(root, "a", FILE_CREATE, &file));
	file_close(file);
	ck_ok(dir_sync(root, "", SYNC));
	ck_assert_uint_eq(simdisk_pending(fresh), 1);
	image = simdisk_crash(fresh, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_assert(!simdisk_has(image, "a"));
	ck_assert_uint_eq(simdisk_pending(image), 1);
	simdisk_free(image);
	image = simdisk_crash(fresh, (struct sim_crash){SIM_KEEP_ALL, 0});
	ck_assert(simdisk_has(image, "a"));
	ck_assert_uint_eq(simdisk_pending(image), 0);
	simdisk_free(image);
	ck_ok(dir_sync(root, "..", SYNC));
	image = simdisk_crash(fresh, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_assert(simdisk_has(image, "a"));
	simdisk_free(image);
	dir_close(root);
	simdisk_free(fresh);
}
END_TEST

START_TEST(a_prefix_is_of_the_whole_disk_in_order)
{
	struct file *a = create("a"); /* 1 */
	struct file *b = create("b"); /* 2 */

	write_text(b, "bb", 0);			/* 3 */
	write_text(a, "aa", 0);			/* 4 */
	ck_ok(dir_rename(dir, "b", "c", SYNC)); /* 5 */
	write_text(a, "AA", 2);			/* 6 */
	ck_assert_uint_eq(simdisk_pending(disk), 6);
	expect_image(SIM_KEEP_PREFIX, 0, "a", "absent");
	expect_image(SIM_KEEP_PREFIX, 1, "a", "");
	expect_image(SIM_KEEP_PREFIX, 1, "b", "absent");
	expect_image(SIM_KEEP_PREFIX, 2, "b", "");
	expect_image(SIM_KEEP_PREFIX, 3, "b", "bb");
	expect_image(SIM_KEEP_PREFIX, 3, "a", "");
	expect_image(SIM_KEEP_PREFIX, 4, "a", "aa");
	expect_image(SIM_KEEP_PREFIX, 4, "b", "bb");
	expect_image(SIM_KEEP_PREFIX, 5, "b", "absent");
	expect_image(SIM_KEEP_PREFIX, 5, "c", "bb");
	expect_image(SIM_KEEP_PREFIX, 5, "a", "aa");
	expect_image(SIM_KEEP_PREFIX, 6, "a", "aaAA");
	file_close(a);
	file_close(b);
}
END_TEST

/* ---- lies ---- */

START_TEST(failed_sync_leaves_cache_lying_until_dropped)
{
	struct file *file;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "new!", 0);
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(file_sync(file, SYNC), WB_IO);
	/* It said so once. */
	ck_ok(file_sync(file, SYNC));
	ck_assert_uint_eq(simdisk_pending(disk), 0);
	ck_assert_str_eq(text_of(disk, "a"), "new!");
	expect_image(SIM_KEEP_ALL, 0, "a", "old");
	ck_ok(file_drop_cache(file, 0, SYNC));
	ck_assert_str_eq(text_of(disk, "a"), "old");
	file_close(file);
}
END_TEST

START_TEST(only_pages_behind_a_place_are_dropped)
{
	struct file *file = create("a");
	char c;

	write_text(file, "old", 0);
	write_text(file, "old", 2 * PAGE_BYTES);
	ck_ok(file_sync(file, SYNC));
	write_text(file, "new!", 0);
	write_text(file, "new!", 2 * PAGE_BYTES);
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(file_sync(file, SYNC), WB_IO);
	/* The page that holds the place goes, and those behind it. */
	ck_ok(file_drop_cache(file, PAGE_BYTES + 1, SYNC));
	simdisk_get(disk, "a", &c, 1, 0);
	ck_assert_int_eq(c, 'n');
	simdisk_get(disk, "a", &c, 1, 2 * PAGE_BYTES);
	ck_assert_int_eq(c, 'o');
	ck_ok(file_drop_cache(file, 0, SYNC));
	simdisk_get(disk, "a", &c, 1, 0);
	ck_assert_int_eq(c, 'o');
	file_close(file);
}
END_TEST

START_TEST(the_lie_survives_the_process)
{
	struct file *file;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "new!", 0);
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(file_sync(file, SYNC), WB_IO);
	file_close(file);
	dir_close(dir);
	dir = simdisk_dir(disk);
	ck_ok(dir_open(dir, "a", FILE_READ, &file));
	ck_ok(file_sync(file, SYNC));
	ck_assert_str_eq(text_of(disk, "a"), "new!");
	ck_ok(file_drop_cache(file, 0, SYNC));
	ck_assert_str_eq(text_of(disk, "a"), "old");
	file_close(file);
}
END_TEST

START_TEST(writes_after_the_lie_are_kept_for_themselves)
{
	struct file *file;
	char c;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "lost", 0);
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(file_sync(file, SYNC), WB_IO);
	write_text(file, "x", 512);
	/* Dirty bytes are not dropped, and not yet durable. */
	ck_ok(file_drop_cache(file, 0, SYNC));
	simdisk_get(disk, "a", &c, 1, 512);
	ck_assert_int_eq(c, 'x');
	simdisk_get(disk, "a", &c, 1, 0);
	ck_assert_int_eq(c, 'o');
	expect_image(SIM_KEEP_NOTHING, 0, "a", "old");
	ck_ok(file_sync(file, SYNC));
	ck_assert(simdisk_get_durable(disk, "a", &c, 1, 512));
	ck_assert_int_eq(c, 'x');
	ck_assert(simdisk_get_durable(disk, "a", &c, 1, 0));
	ck_assert_int_eq(c, 'o');
	file_close(file);
}
END_TEST

START_TEST(a_later_sync_does_not_bring_back_what_was_lost)
{
	struct file *file;
	uint64_t hash;
	char c;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "lost", 0);
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(file_sync(file, SYNC), WB_IO);
	hash = simdisk_hash(disk);
	write_text(file, "x", 512);
	ck_assert_uint_ne(simdisk_hash(disk), hash);
	ck_ok(file_sync(file, SYNC));
	ck_assert(simdisk_get_durable(disk, "a", &c, 1, 512));
	ck_assert_int_eq(c, 'x');
	ck_assert(simdisk_get_durable(disk, "a", &c, 1, 0));
	ck_assert_int_eq(c, 'o');
	simdisk_get(disk, "a", &c, 1, 0);
	ck_assert_int_eq(c, 'l');
	file_close(file);
}
END_TEST

START_TEST(a_partial_sync_keeps_some_and_lies_about_the_rest)
{
	int kept = 0;
	int lost = 0;

	for (int i = 0; i < 40; i++) {
		struct file *file = create("a");

		write_text(file, "x", 0);
		simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
						       .nth = 1,
						       .error = WB_NO_SPACE,
						       .partial = true});
		ck_error(file_sync(file, SYNC), WB_NO_SPACE);
		ck_ok(file_sync(file, SYNC));
		ck_assert_str_eq(text_of(disk, "a"), "x");
		ck_ok(file_drop_cache(file, 0, SYNC));
		kept += strcmp(text_of(disk, "a"), "x") == 0;
		lost += strcmp(text_of(disk, "a"), "x") != 0;
		simdisk_faults_clear(disk);
		file_close(file);
		ck_ok(dir_remove(dir, "a"));
	}
	ck_assert_int_gt(kept, 0);
	ck_assert_int_gt(lost, 0);
}
END_TEST

START_TEST(dropping_the_cache_writes_nothing)
{
	struct file *file;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "new!", 0);
	ck_ok(file_drop_cache(file, 0, SYNC));
	ck_assert_str_eq(text_of(disk, "a"), "new!");
	expect_image(SIM_KEEP_NOTHING, 0, "a", "old");
	file_close(file);
}
END_TEST

START_TEST(a_failed_directory_sync_may_be_tried_again)
{
	file_close(create("a"));
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_DIR_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(dir_sync(dir, "", SYNC), WB_IO);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "absent");
	ck_ok(dir_sync(dir, "", SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "");
}
END_TEST

/* ---- faults ---- */

static bool see_nothing(void *context, const char *entry)
{
	(void)context;
	(void)entry;
	return true;
}

struct work {
	struct dir *dir;
	struct file *file;
};

static enum wb_error do_read(struct work *work)
{
	char buffer[8];
	size_t size;

	return file_read(work->file, buffer, 8, 0, &size);
}

static enum wb_error do_write(struct work *work)
{
	return file_write(work->file, "12345678", 8, 0);
}

static enum wb_error do_sync(struct work *work)
{
	return file_sync(work->file, SYNC);
}

static enum wb_error do_truncate(struct work *work)
{
	return file_truncate(work->file, 5);
}

static enum wb_error do_allocate(struct work *work)
{
	return file_allocate(work->file, 6);
}

static enum wb_error do_size(struct work *work)
{
	uint64_t size;

	return file_size(work->file, &size);
}

static enum wb_error do_drop_cache(struct work *work)
{
	return file_drop_cache(work->file, 0, SYNC);
}

static enum wb_error do_open(struct work *work)
{
	return dir_open(work->dir, "a", FILE_WRITE, &work->file);
}

static enum wb_error do_create(struct work *work)
{
	struct file *file;
	enum wb_error error = dir_open(work->dir, "b", FILE_CREATE, &file);

	if (!error)
		file_close(file);
	return error;
}

static enum wb_error do_make(struct work *work)
{
	return dir_make(work->dir, "tmp");
}

static enum wb_error do_rename(struct work *work)
{
	return dir_rename(work->dir, "b", "c", SYNC);
}

static enum wb_error do_remove(struct work *work)
{
	return dir_remove(work->dir, "c");
}

static enum wb_error do_dir_sync(struct work *work)
{
	return dir_sync(work->dir, "", SYNC);
}

static enum wb_error do_list(struct work *work)
{
	return dir_list(work->dir, "", see_nothing, NULL);
}

static enum wb_error do_lock(struct work *work)
{
	struct dir *other = simdisk_dir(disk);
	enum wb_error error = dir_lock(other, true, NULL);

	(void)work;
	dir_close(other);
	return error;
}

static const struct {
	enum sim_op op;
	enum wb_error (*run)(struct work *work);
} steps[] = {
	{SIM_OPEN, do_open},	     {SIM_READ, do_read},
	{SIM_WRITE, do_write},	     {SIM_SYNC, do_sync},
	{SIM_TRUNCATE, do_truncate}, {SIM_ALLOCATE, do_allocate},
	{SIM_SIZE, do_size},	     {SIM_DROP_CACHE, do_drop_cache},
	{SIM_CREATE, do_create},     {SIM_MAKE, do_make},
	{SIM_RENAME, do_rename},     {SIM_REMOVE, do_remove},
	{SIM_DIR_SYNC, do_dir_sync}, {SIM_LIST, do_list},
	{SIM_LOCK, do_lock},
};
enum { STEP_COUNT = sizeof(steps) / sizeof(*steps) };

/* One operation of every kind on a disk that has the file "a"; stops at the
 * first that fails and tells which. */
static enum wb_error workload(enum sim_op *ret_failed)
{
	struct work work = {.dir = dir};
	enum wb_error error = WB_OK;

	for (size_t i = 0; i < STEP_COUNT && !error; i++) {
		error = steps[i].run(&work);
		if (error)
			*ret_failed = steps[i].op;
	}
	file_close(work.file);
	return error;
}

START_TEST(every_operation_can_fail_by_its_kind)
{
	enum sim_op kind = (enum sim_op)_i;
	enum sim_op failed = SIM_ANY;

	put_synced("a", "text");
	simdisk_fault(disk, (struct sim_fault){.kind = kind,
					       .nth = 1,
					       .error = WB_NO_MEMORY});
	ck_error(workload(&failed), WB_NO_MEMORY);
	ck_assert_str_eq(sim_op_name(failed), sim_op_name(kind));
	ck_assert_uint_eq(simdisk_faults_fired(disk), 1);
	/* Once: the next time all goes well. */
	ck_ok(workload(&failed));
}
END_TEST

START_TEST(the_nth_operation_fails_for_every_n)
{
	enum sim_op failed = SIM_ANY;
	uint64_t n = 0;
	enum wb_error error;

	do {
		teardown();
		setup();
		put_synced("a", "text");
		simdisk_fault(disk, (struct sim_fault){.kind = SIM_ANY,
						       .nth = ++n,
						       .error = WB_IO});
		error = workload(&failed);
		ck_assert_uint_eq(simdisk_faults_fired(disk), error != WB_OK);
	} while (error);
	/* All kinds, and then nothing fires any more. */
	ck_assert_uint_eq(n, SIM_OP_COUNT + 1);
	ck_assert_int_eq(STEP_COUNT, SIM_OP_COUNT);
}
END_TEST

START_TEST(bad_bytes_fail_the_reads_that_touch_them)
{
	struct file *file = create("a");
	char bytes[100];
	size_t size;

	write_text(file, "0123456789", 0);
	simdisk_bad(disk, "a", 4, 2);
	ck_ok(file_read(file, bytes, 4, 0, &size));
	ck_error(file_read(file, bytes, 5, 0, &size), WB_IO);
	ck_error(file_read(file, bytes, 1, 5, &size), WB_IO);
	ck_ok(file_read(file, bytes, 4, 6, &size));
	ck_assert_mem_eq(bytes, "6789", 4);
	ck_assert_uint_eq(simdisk_faults_fired(disk), 2);
	simdisk_faults_clear(disk);
	ck_ok(file_read(file, bytes, 10, 0, &size));
	file_close(file);
}
END_TEST

START_TEST(rot_is_on_the_disk_and_not_in_the_cache)
{
	struct simdisk *image;
	struct file *file = create("a");
	char bytes[4];
	size_t size;

	write_text(file, "abc", 0);
	ck_ok(file_sync(file, SYNC));
	ck_ok(dir_sync(dir, "", SYNC));
	simdisk_rot(disk, "a", 8);
	ck_ok(file_read(file, bytes, 3, 0, &size));
	ck_assert_mem_eq(bytes, "abc", 3);
	image = simdisk_crash(disk, (struct sim_crash){SIM_KEEP_ALL, 0});
	simdisk_get(image, "a", bytes, 3, 0);
	ck_assert_mem_eq(bytes, "acc", 3);
	simdisk_free(image);
	ck_ok(file_drop_cache(file, 0, CONTROL_RECOVER_DROP_CACHE));
	ck_ok(file_read(file, bytes, 3, 0, &size));
	ck_assert_mem_eq(bytes, "acc", 3);
	file_close(file);
}
END_TEST

START_TEST(a_fault_for_ever_does_not_go_away)
{
	struct file *file = create("a");
	struct file *other = create("b");

	simdisk_fault(disk, (struct sim_fault){.kind = SIM_WRITE,
					       .nth = 2,
					       .error = WB_IO,
					       .forever = true,
					       .name = "a*"});
	for (int i = 0; i < 3; i++)
		ck_ok(file_write(other, "x", 1, 0));
	ck_ok(file_write(file, "x", 1, 0));
	for (int i = 0; i < 3; i++)
		ck_error(file_write(file, "y", 1, 0), WB_IO);
	ck_ok(file_write(other, "x", 1, 0));
	ck_assert_uint_eq(simdisk_faults_fired(disk), 3);
	ck_assert_str_eq(text_of(disk, "a"), "x");
	simdisk_faults_clear(disk);
	ck_assert_uint_eq(simdisk_faults_fired(disk), 0);
	ck_ok(file_write(file, "y", 1, 0));
	file_close(file);
	file_close(other);
}
END_TEST

START_TEST(faults_add_up)
{
	struct file *file = create("a");

	for (uint64_t nth = 1; nth < 4; nth++)
		simdisk_fault(disk,
			      (struct sim_fault){.kind = SIM_WRITE,
						 .nth = nth,
						 .error = nth == 2 ? WB_NO_SPACE
								   : WB_IO});
	ck_error(file_write(file, "x", 1, 0), WB_IO);
	ck_error(file_write(file, "x", 1, 0), WB_NO_SPACE);
	ck_error(file_write(file, "x", 1, 0), WB_IO);
	ck_ok(file_write(file, "x", 1, 0));
	file_close(file);
}
END_TEST

START_TEST(a_failed_write_writes_nothing_or_its_half)
{
	struct file *file = create("a");

	simdisk_fault(disk, (struct sim_fault){.kind = SIM_WRITE,
					       .nth = 1,
					       .error = WB_IO});
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_WRITE,
					       .nth = 2,
					       .error = WB_NO_SPACE,
					       .partial = true});
	ck_error(file_write(file, "abcd", 4, 0), WB_IO);
	ck_assert_str_eq(text_of(disk, "a"), "");
	ck_error(file_write(file, "abcd", 4, 0), WB_NO_SPACE);
	ck_assert_str_eq(text_of(disk, "a"), "ab");
	file_close(file);
}
END_TEST

START_TEST(operations_are_counted)
{
	enum sim_op failed;
	uint64_t any;
	uint64_t changes;

	put_synced("a", "text");
	any = simdisk_count(disk, SIM_ANY);
	changes = simdisk_count(disk, SIM_ANY_CHANGE);
	ck_ok(workload(&failed));
	ck_assert_uint_eq(simdisk_count(disk, SIM_ANY) - any, 15);
	ck_assert_uint_eq(simdisk_count(disk, SIM_ANY_CHANGE) - changes, 10);
	ck_assert_uint_eq(simdisk_count(disk, SIM_READ), 1);
	ck_assert_uint_eq(simdisk_count(disk, SIM_WRITE), 2);
}
END_TEST

START_TEST(bytes_that_are_read_are_counted)
{
	struct file *file = create("a");
	char buffer[16];
	size_t size;

	ck_ok(file_write(file, "text", 4, 0));
	ck_ok(file_read(file, buffer, 3, 0, &size));
	ck_ok(file_read(file, buffer, sizeof(buffer), 2, &size));
	ck_ok(file_read(file, buffer, sizeof(buffer), 4, &size));
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_READ,
					       .nth = 1,
					       .error = WB_IO});
	ck_error(file_read(file, buffer, 4, 0, &size), WB_IO);
	file_close(file);
	ck_assert_uint_eq(simdisk_bytes_read(disk), 3 + 2);
}
END_TEST

START_TEST(a_full_disk_takes_what_fits)
{
	static char bytes[20000];
	struct file *file = create("a");
	struct file *other = create("b");
	uint64_t size;

	memset(bytes, 'x', sizeof(bytes));
	simdisk_capacity(disk, 4 * 4096);
	ck_ok(file_write(other, bytes, 1, 0));
	ck_assert_uint_eq(simdisk_used(disk), 4096);
	ck_error(file_write(file, bytes, sizeof(bytes), 0), WB_NO_SPACE);
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 3 * 4096);
	ck_assert_uint_eq(simdisk_used(disk), 4 * 4096);
	/* What is allocated may be written; more may not. */
	ck_ok(file_write(other, bytes, 4096, 0));
	ck_error(file_write(other, bytes, 1, 4096), WB_NO_SPACE);
	ck_error(file_allocate(other, 4097), WB_NO_SPACE);
	ck_ok(file_truncate(other, 100000));
	ck_error(file_write(other, bytes, 1, 50000), WB_NO_SPACE);
	ck_ok(file_truncate(file, 0));
	ck_ok(file_write(other, bytes, 1, 50000));
	ck_ok(file_allocate(file, 8192));
	ck_ok(file_write(file, bytes, 8192, 0));
	ck_error(file_write(other, bytes, 1, 70000), WB_NO_SPACE);
	/* A removed file gives its room back when it is closed. */
	ck_ok(dir_remove(dir, "a"));
	ck_error(file_write(other, bytes, 1, 70000), WB_NO_SPACE);
	file_close(file);
	ck_ok(dir_sync(dir, "", SYNC));
	ck_ok(file_write(other, bytes, 1, 70000));
	simdisk_capacity(disk, 0);
	ck_ok(file_write(other, bytes, sizeof(bytes), 80000));
	file_close(other);
}
END_TEST

/* ---- cuts ---- */

START_TEST(after_the_cut_nothing_happens)
{
	enum sim_op failed = SIM_ANY;
	uint64_t hash;

	put_synced("a", "text");
	simdisk_cut_at(disk, SIM_WRITE, 1);
	ck_assert(!simdisk_is_cut(disk));
	hash = simdisk_hash(disk);
	ck_error(workload(&failed), WB_IO);
	ck_assert_str_eq(sim_op_name(failed), "write");
	ck_assert(simdisk_is_cut(disk));
	for (int i = 0; i < 3; i++)
		ck_error(workload(&failed), WB_IO);
	ck_error(dir_sync(dir, "", SYNC), WB_IO);
	ck_error(dir_make(dir, "x"), WB_IO);
	ck_assert_uint_eq(simdisk_hash(disk), hash);
	ck_assert_uint_eq(simdisk_pending(disk), 0);
	/* The process was killed: the next one finds the disk as it was. */
	simdisk_revive(disk);
	ck_ok(workload(&failed));
	ck_assert_uint_ne(simdisk_hash(disk), hash);
}
END_TEST

START_TEST(a_killed_process_leaves_the_cache_unsynced)
{
	struct file *file;

	put_synced("a", "old");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	write_text(file, "new!", 0);
	simdisk_cut_at(disk, SIM_ANY_CHANGE, 1);
	ck_error(file_sync(file, SYNC), WB_IO);
	file_close(file);
	simdisk_revive(disk);
	/* No lie here: it can still be synced. */
	ck_assert_str_eq(text_of(disk, "a"), "new!");
	expect_image(SIM_KEEP_NOTHING, 0, "a", "old");
	ck_ok(dir_open(dir, "a", FILE_READ, &file));
	ck_ok(file_sync(file, SYNC));
	expect_image(SIM_KEEP_NOTHING, 0, "a", "new!");
	file_close(file);
}
END_TEST

struct moments {
	uint64_t hashes[64];
	int count;
};

static void take_moment(void *context, enum sim_op op, const char *name)
{
	struct moments *moments = context;
	struct simdisk *image = crash(SIM_KEEP_ALL, 0);

	(void)op;
	(void)name;
	moments->hashes[moments->count++] = simdisk_hash(image);
	simdisk_free(image);
}

START_TEST(watching_one_run_sees_what_cutting_every_run_does)
{
	struct moments moments = {.count = 0};
	enum sim_op failed;
	int cuts = 0;

	put_synced("a", "text");
	simdisk_observe(disk, SIM_ANY_CHANGE, take_moment, &moments);
	ck_ok(workload(&failed));
	ck_assert_int_eq(moments.count, 10);
	for (;; cuts++) {
		teardown();
		setup();
		put_synced("a", "text");
		simdisk_cut_at(disk, SIM_ANY_CHANGE, (uint64_t)cuts + 1);
		if (workload(&failed) == WB_OK)
			break;
		ck_assert_uint_eq(simdisk_hash(disk), moments.hashes[cuts]);
	}
	ck_assert_int_eq(cuts, moments.count);
}
END_TEST

/* ---- seeds, hashes, clones ---- */

/* Random changes, a part of them synced. */
static void scramble(struct dir *at, uint64_t seed)
{
	static const char *const names[] = {"a", "b", "tmp/a", "tmp/b"};
	struct rng rng = rng_of(seed);
	char bytes[5000];

	ck_ok(dir_make(at, "tmp"));
	for (int i = 0; i < 40; i++) {
		const char *name = names[rng_below(&rng, 4)];
		const char *other = names[rng_below(&rng, 4)];
		struct file *file;

		ck_ok(dir_open(at, name, FILE_CREATE, &file));
		rng_fill(&rng, bytes, sizeof(bytes));
		ck_ok(file_write(file, bytes, 1 + rng_below(&rng, 5000),
				 rng_below(&rng, 20000)));
		if (rng_chance(&rng, 1, 4))
			ck_ok(file_truncate(file, rng_below(&rng, 9000)));
		if (rng_chance(&rng, 1, 4))
			ck_ok(file_sync(file, SYNC));
		file_close(file);
		if (rng_chance(&rng, 1, 6))
			ck_ok(dir_rename(at, name, other, SYNC));
		if (rng_chance(&rng, 1, 9))
			ck_ok(dir_sync(at, "tmp", SYNC));
		if (rng_chance(&rng, 1, 9))
			ck_ok(dir_sync(at, "", SYNC));
	}
}

START_TEST(same_seed_same_crash)
{
	struct rng rng = rng_of((uint64_t)_i);
	struct simdisk *twin = simdisk_new();
	struct dir *twin_dir = simdisk_dir(twin);
	uint64_t first = 0;
	int different = 0;

	ck_ok(dir_sync(twin_dir, "..", SYNC));
	scramble(dir, (uint64_t)_i);
	scramble(twin_dir, (uint64_t)_i);
	ck_assert_uint_eq(simdisk_hash(disk), simdisk_hash(twin));
	ck_assert_uint_eq(simdisk_pending(disk), simdisk_pending(twin));
	for (int i = 0; i < 50; i++) {
		struct sim_crash any = sim_crash_random(&rng);
		struct simdisk *one = simdisk_crash(disk, any);
		struct simdisk *two = simdisk_crash(twin, any);
		uint64_t hash = simdisk_hash(one);

		ck_assert_msg(hash == simdisk_hash(two), "%s, seed %" PRIu64,
			      sim_keep_name(any.keep), any.seed);
		different += hash != first;
		first = hash;
		simdisk_free(one);
		simdisk_free(two);
	}
	ck_assert_int_gt(different, 10);
	dir_close(twin_dir);
	simdisk_free(twin);
}
END_TEST

START_TEST(a_crash_leaves_its_disk_alone)
{
	uint64_t hash;
	size_t pending;

	scramble(dir, 1);
	hash = simdisk_hash(disk);
	pending = simdisk_pending(disk);
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct simdisk *image = crash(SIM_KEEP_SECTORS, seed);
		struct dir *image_dir = simdisk_dir(image);

		ck_assert_uint_eq(simdisk_pending(image), 0);
		scramble(image_dir, seed + 7);
		ck_assert_uint_eq(simdisk_hash(disk), hash);
		ck_assert_uint_eq(simdisk_pending(disk), pending);
		dir_close(image_dir);
		simdisk_free(image);
	}
}
END_TEST

/* `of` is freed. */
static void expect_copy_up(struct simdisk *of, const char *path)
{
	struct dir *of_dir = simdisk_dir(of);
	struct file *file;

	ck_assert_uint_eq(simdisk_pending(of), 0);
	ck_ok(dir_open(of_dir, path, FILE_CREATE, &file));
	ck_assert_uint_eq(simdisk_pending(of), 1);
	file_close(file);
	dir_close(of_dir);
	simdisk_free(of);
}

START_TEST(an_overlays_copy_may_lose_its_name_and_then_the_lower_file_is_back)
{
	struct file *file;

	put_synced("a", "lower");
	simdisk_lower(disk);
	expect_copy_up(simdisk_clone(disk), "a");
	ck_ok(dir_open(dir, "a", FILE_READ, &file));
	ck_assert_uint_eq(simdisk_pending(disk), 0); /* not for a reader */
	file_close(file);
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	ck_assert_uint_eq(simdisk_pending(disk), 1);
	write_text(file, "upper", 0);
	ck_ok(file_sync(file, SYNC));
	file_close(file);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "lower");
	expect_image(SIM_KEEP_NAMES, 0, "a", "upper");
	expect_copy_up(crash(SIM_KEEP_NOTHING, 0), "a");
	/* Its name is durable as any is, and it is copied once. */
	ck_ok(dir_sync(dir, "", SYNC));
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	ck_assert_uint_eq(simdisk_pending(disk), 0);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "upper");
	file_close(file);
}
END_TEST

START_TEST(a_clone_has_the_same_future)
{
	struct simdisk *clone;
	struct dir *clone_dir;

	scramble(dir, (uint64_t)_i);
	simdisk_fault(disk, (struct sim_fault){.kind = SIM_SYNC,
					       .nth = 1,
					       .error = WB_IO});
	for (uint64_t step = 0; step < 3; step++) {
		struct file *file;

		clone = simdisk_clone(disk);
		ck_assert_uint_eq(simdisk_hash(clone), simdisk_hash(disk));
		ck_assert_uint_eq(simdisk_pending(clone),
				  simdisk_pending(disk));
		for (uint64_t seed = 0; seed < 20; seed++) {
			struct sim_crash how = {SIM_KEEP_SECTORS, seed};
			struct simdisk *one = simdisk_crash(disk, how);
			struct simdisk *two = simdisk_crash(clone, how);

			ck_assert_uint_eq(simdisk_hash(one), simdisk_hash(two));
			simdisk_free(one);
			simdisk_free(two);
		}
		/* The lie is cloned as well. */
		clone_dir = simdisk_dir(clone);
		ck_ok(dir_open(clone_dir, "b", FILE_CREATE, &file));
		ck_ok(file_drop_cache(file, 0, SYNC));
		file_close(file);
		ck_ok(dir_open(dir, "b", FILE_CREATE, &file));
		if (step == 1)
			ck_assert_uint_ne(simdisk_hash(clone),
					  simdisk_hash(disk));
		ck_ok(file_drop_cache(file, 0, SYNC));
		ck_assert_uint_eq(simdisk_hash(clone), simdisk_hash(disk));
		write_text(file, "lost", 100 * step);
		(void)file_sync(file, SYNC);
		file_close(file);
		dir_close(clone_dir);
		simdisk_free(clone);
	}
}
END_TEST

START_TEST(a_clone_goes_on_in_order)
{
	struct simdisk *clone;
	struct dir *clone_dir;

	scramble(dir, 5);
	clone = simdisk_clone(disk);
	clone_dir = simdisk_dir(clone);
	scramble(dir, 6);
	scramble(clone_dir, 6);
	for (uint64_t seed = 0; seed < simdisk_pending(disk); seed++) {
		struct sim_crash how = {SIM_KEEP_PREFIX, seed};
		struct simdisk *one = simdisk_crash(disk, how);
		struct simdisk *two = simdisk_crash(clone, how);

		ck_assert_uint_eq(simdisk_hash(one), simdisk_hash(two));
		simdisk_free(one);
		simdisk_free(two);
	}
	dir_close(clone_dir);
	simdisk_free(clone);
}
END_TEST

START_TEST(the_hash_is_of_names_and_contents_alone)
{
	struct simdisk *other = simdisk_new();
	struct dir *other_dir = simdisk_dir(other);
	uint64_t hash = simdisk_hash(disk);
	struct file *file;

	ck_assert_uint_eq(hash, simdisk_hash(other));
	/* The same by another way, and in another order. */
	put_synced("a", "text");
	ck_assert_uint_ne(simdisk_hash(disk), hash);
	put_synced("b", "more");
	ck_ok(dir_open(other_dir, "c", FILE_CREATE, &file));
	ck_ok(file_write(file, "more and more", 13, 0));
	ck_ok(file_truncate(file, 4));
	file_close(file);
	ck_ok(dir_rename(other_dir, "c", "b", SYNC));
	ck_ok(dir_open(other_dir, "a", FILE_CREATE, &file));
	ck_ok(file_write(file, "xt", 2, 2));
	ck_ok(file_write(file, "te", 2, 0));
	ck_assert_uint_eq(simdisk_hash(disk), simdisk_hash(other));
	/* Holes, allocated zeros and written zeros are the same zeros. */
	ck_ok(file_truncate(file, 100000));
	hash = simdisk_hash(other);
	ck_ok(file_allocate(file, 100000));
	ck_assert_uint_eq(simdisk_hash(other), hash);
	ck_ok(file_write(file, (char[1000]){0}, 1000, 50000));
	ck_assert_uint_eq(simdisk_hash(other), hash);
	ck_ok(file_write(file, "x", 1, 50000));
	ck_assert_uint_ne(simdisk_hash(other), hash);
	ck_ok(file_write(file, "", 1, 50000));
	ck_assert_uint_eq(simdisk_hash(other), hash);
	/* Also a page that nobody else refers to. */
	ck_ok(file_write(file, "x", 1, 50000));
	simdisk_fault(other, (struct sim_fault){.kind = SIM_SYNC,
						.nth = 1,
						.error = WB_IO});
	ck_error(file_sync(file, SYNC), WB_IO);
	hash = simdisk_hash(other);
	ck_ok(file_write(file, "y", 1, 50000));
	ck_assert_uint_ne(simdisk_hash(other), hash);
	hash = simdisk_hash(other);
	/* One bit, one byte of length, one letter of a name matter. */
	ck_ok(file_truncate(file, 100001));
	ck_assert_uint_ne(simdisk_hash(other), hash);
	ck_ok(file_truncate(file, 100000));
	ck_ok(dir_rename(other_dir, "a", "A", SYNC));
	ck_assert_uint_ne(simdisk_hash(other), hash);
	ck_ok(dir_rename(other_dir, "A", "b", SYNC));
	ck_assert_uint_ne(simdisk_hash(other), hash);
	file_close(file);
	dir_close(other_dir);
	simdisk_free(other);
}
END_TEST

START_TEST(random_crashes_agree_with_a_model)
{
	/* Ten single-sector writes, two to each sector, a sync between some
	 * of them: a sector holds one of the values it had since the sync. */
	struct rng rng = rng_of((uint64_t)_i);
	char history[5][11];
	char bytes[512];
	struct file *file = create("a");
	size_t lengths[5] = {0};

	ck_ok(dir_sync(dir, "", SYNC));
	for (int i = 0; i < 5; i++)
		history[i][lengths[i]++] = 0;
	for (char value = 'a'; value < 'k'; value++) {
		uint64_t sector = rng_below(&rng, 5);

		memset(bytes, value, sizeof(bytes));
		ck_ok(file_write(file, bytes, 512, sector * 512));
		history[sector][lengths[sector]++] = value;
		if (!rng_chance(&rng, 1, 4))
			continue;
		ck_ok(file_sync(file, SYNC));
		for (int i = 0; i < 5; i++) {
			history[i][0] = history[i][lengths[i] - 1];
			lengths[i] = 1;
		}
	}
	for (int i = 0; i < 100; i++) {
		struct sim_crash any = sim_crash_random(&rng);
		struct simdisk *image = simdisk_crash(disk, any);

		for (uint64_t sector = 0; sector < 5; sector++) {
			simdisk_get(image, "a", bytes, 512, sector * 512);
			ck_assert_msg(memchr(history[sector], bytes[0],
					     lengths[sector]) != NULL,
				      "%s, seed %" PRIu64 ": sector %" PRIu64,
				      sim_keep_name(any.keep), any.seed,
				      sector);
			ck_assert_int_eq(memcmp(bytes, bytes + 1, 511), 0);
		}
		simdisk_free(image);
	}
	file_close(file);
}
END_TEST

/* ---- locks, threads ---- */

START_TEST(the_lock_is_one_writers_or_several_readers)
{
	struct dir *one = simdisk_dir(disk);
	struct dir *two = simdisk_dir(disk);
	struct lock_holder holder = {.pid = -1};

	ck_ok(dir_lock(one, true, &holder));
	ck_assert_int_eq(holder.pid, -1);
	ck_error(dir_lock(two, true, &holder), WB_LOCKED);
	ck_assert_int_eq(holder.pid, getpid());
	ck_error(dir_lock(two, false, NULL), WB_LOCKED);
	/* Another handle that closes releases nothing. */
	dir_close(simdisk_dir(disk));
	ck_error(dir_lock(two, false, NULL), WB_LOCKED);
	dir_close(one);
	ck_ok(dir_lock(two, false, &holder));
	/* A reader needs no file, and makes none. */
	ck_ok(dir_remove(dir, "lock"));
	ck_ok(dir_lock(dir, false, &holder));
	ck_error(dir_remove(dir, "lock"), WB_NOT_FOUND);
	one = simdisk_dir(disk);
	ck_error(dir_lock(one, true, &holder), WB_LOCKED);
	ck_assert_int_eq(holder.pid, 0);
	dir_close(two);
	ck_error(dir_lock(one, true, &holder), WB_LOCKED);
	dir_close(dir);
	ck_ok(dir_lock(one, true, &holder));
	dir_close(one);
	dir = simdisk_dir(disk);
}
END_TEST

static void *thread_main(void *context)
{
	const char *name = context;
	uint64_t offset = 0;

	for (int i = 0; i < 200; i++) {
		struct file *file;

		ck_ok(dir_open(dir, name, FILE_CREATE, &file));
		ck_ok(file_write(file, name, 1, offset++));
		ck_ok(file_sync(file, SYNC));
		simdisk_free(crash(SIM_KEEP_RANDOM, offset));
		(void)simdisk_hash(disk);
		file_close(file);
	}
	return NULL;
}

START_TEST(threads_may_share_a_disk)
{
	char *names[] = {(char[]){"a"}, (char[]){"b"}, (char[]){"c"}};
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_main,
						names[i]),
				 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(simdisk_size(disk, names[i]), 200);
	ck_assert_uint_eq(simdisk_count(disk, SIM_WRITE), 600);
}
END_TEST

/* ---- raw access ---- */

static bool join_paths(void *context, const char *path, uint64_t size)
{
	char *paths = context;

	sprintf(paths + strlen(paths), "%s:%" PRIu64 " ", path, size);
	return true;
}

START_TEST(damage_is_visible_and_durable)
{
	struct simdisk *clone;
	char paths[100] = "";

	put_synced("a", "text");
	put_synced("b", "more text");
	clone = simdisk_clone(disk);
	simdisk_flip(disk, "a", 8);
	ck_assert_str_eq(text_of(disk, "a"), "tdxt");
	expect_image(SIM_KEEP_NOTHING, 0, "a", "tdxt");
	ck_assert_str_eq(text_of(clone, "a"), "text");
	simdisk_flip(disk, "a", 8);
	ck_assert_uint_eq(simdisk_hash(disk), simdisk_hash(clone));
	simdisk_set(disk, "a", "XY", 2, 3);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "texXY");
	simdisk_resize(disk, "a", 2);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "te");
	simdisk_resize(disk, "a", 3);
	expect_image(SIM_KEEP_NOTHING, 0, "a", "te0");
	simdisk_delete(disk, "a");
	expect_image(SIM_KEEP_ALL, 0, "a", "absent");
	simdisk_copy(disk, "c", disk, "b");
	simdisk_copy(disk, "b", clone, "a");
	expect_image(SIM_KEEP_NOTHING, 0, "c", "more text");
	expect_image(SIM_KEEP_NOTHING, 0, "b", "text");
	simdisk_each(disk, join_paths, paths);
	ck_assert_str_eq(paths, "b:4 c:9 ");
	ck_assert_str_eq(text_of(clone, "b"), "more text");
	simdisk_free(clone);
}
END_TEST

START_TEST(a_disk_survives_a_real_directory)
{
	char *temp = tempdir_make();
	struct simdisk *back;
	char paths[100] = "";

	scramble(dir, 3);
	simdisk_export(disk, temp);
	back = simdisk_import(temp);
	ck_assert_uint_eq(simdisk_hash(back), simdisk_hash(disk));
	ck_assert_uint_eq(simdisk_pending(back), 0);
	simdisk_each(back, join_paths, paths);
	ck_assert_ptr_nonnull(strstr(paths, "tmp/"));
	simdisk_free(back);
	tempdir_remove(temp);
}
END_TEST

START_TEST(a_trace_tells_what_happened)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	struct file *file;

	simdisk_trace(disk, stream);
	file = create("a");
	simdisk_cut_at(disk, SIM_SYNC, 1);
	ck_error(file_sync(file, SYNC), WB_IO);
	simdisk_trace(disk, NULL);
	file_close(file);
	ck_assert_int_eq(fclose(stream), 0);
	ck_assert_str_eq(text, "#2 create \"a\": ok\n"
			       "#3 sync \"a\": io (cut)\n");
	free(text);
}
END_TEST

static void add_cases(Suite *suite, const char *name, const TTest *const *cases,
		      size_t count)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, cases[i]);
	suite_add_tcase(suite, tcase);
}
#define ADD_CASES(suite, name, ...)                          \
	do {                                                 \
		const TTest *const cases_[] = {__VA_ARGS__}; \
                                                             \
		add_cases(suite, name, cases_,               \
			  sizeof(cases_) / sizeof(*cases_)); \
	} while (0)

int main(void)
{
	Suite *suite = suite_create("simdisk");
	TCase *loops = tcase_create("loops");

	ADD_CASES(suite, "files", unsynced_write_may_vanish, synced_write_stays,
		  a_sync_is_of_one_file_through_any_handle,
		  writes_are_kept_in_any_subset,
		  a_kept_sector_is_what_the_cache_held,
		  truncation_and_allocation_may_vanish,
		  sectors_of_a_write_are_kept_in_any_subset,
		  growth_may_come_without_its_data,
		  torn_keeps_what_was_before_and_some_of_the_next);
	ADD_CASES(suite, "names", unsynced_name_may_vanish_though_file_synced,
		  synced_name_does_not_sync_the_file,
		  rename_is_atomic_but_not_durable,
		  rename_across_directories_is_two_operations,
		  two_names_of_one_file_stay_one_file,
		  unsynced_removal_may_be_undone,
		  a_name_used_again_may_come_back_as_either_file,
		  an_unsynced_directory_takes_all_with_it,
		  an_unsynced_parent_takes_the_store_with_it,
		  a_prefix_is_of_the_whole_disk_in_order);
	ADD_CASES(suite, "lies", failed_sync_leaves_cache_lying_until_dropped,
		  only_pages_behind_a_place_are_dropped,
		  the_lie_survives_the_process,
		  writes_after_the_lie_are_kept_for_themselves,
		  a_later_sync_does_not_bring_back_what_was_lost,
		  a_partial_sync_keeps_some_and_lies_about_the_rest,
		  dropping_the_cache_writes_nothing,
		  a_failed_directory_sync_may_be_tried_again);
	ADD_CASES(suite, "faults", the_nth_operation_fails_for_every_n,
		  a_fault_for_ever_does_not_go_away, faults_add_up,
		  bad_bytes_fail_the_reads_that_touch_them,
		  rot_is_on_the_disk_and_not_in_the_cache,
		  a_failed_write_writes_nothing_or_its_half,
		  operations_are_counted, bytes_that_are_read_are_counted,
		  a_full_disk_takes_what_fits, after_the_cut_nothing_happens,
		  a_killed_process_leaves_the_cache_unsynced,
		  watching_one_run_sees_what_cutting_every_run_does);
	ADD_CASES(suite, "rest", a_crash_leaves_its_disk_alone,
		  a_clone_goes_on_in_order,
		  the_hash_is_of_names_and_contents_alone,
		  the_lock_is_one_writers_or_several_readers,
		  threads_may_share_a_disk, damage_is_visible_and_durable,
		  a_disk_survives_a_real_directory,
		  a_trace_tells_what_happened);
	tcase_add_checked_fixture(loops, setup, teardown);
	tcase_add_loop_test(loops, contract, 0, contract_case_count);
	tcase_add_loop_test(loops, every_operation_can_fail_by_its_kind, 0,
			    SIM_OP_COUNT);
	tcase_add_loop_test(loops, same_seed_same_crash, 0, 20);
	tcase_add_test(
		loops,
		an_overlays_copy_may_lose_its_name_and_then_the_lower_file_is_back);
	tcase_add_loop_test(loops, a_clone_has_the_same_future, 0, 10);
	tcase_add_loop_test(loops, random_crashes_agree_with_a_model, 0,
			    (int)rounds(50, 50));
	suite_add_tcase(suite, loops);
	return suite_run(suite);
}
