/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/contract.h"
#include "base/cursor.h"
#include "tests/support/suite.h"

#include <string.h>

/* A sync whose control the cases below never switch off. */
#define SYNC CONTROL_GROUP_SYNC

static void put(struct dir *dir, const char *name, const char *text)
{
	struct file *file;

	ck_ok(dir_open(dir, name, FILE_CREATE | FILE_TRUNCATE, &file));
	ck_ok(file_write(file, text, strlen(text), 0));
	file_close(file);
}

static void expect_handle(struct file *file, const char *text)
{
	char buffer[64] = "";
	size_t size;

	ck_ok(file_read(file, buffer, sizeof(buffer), 0, &size));
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_mem_eq(buffer, text, size);
}

static void expect(struct dir *dir, const char *name, const char *text)
{
	struct file *file;

	ck_ok(dir_open(dir, name, FILE_READ, &file));
	expect_handle(file, text);
	file_close(file);
}

static void expect_absent(struct dir *dir, const char *name)
{
	struct file *file;

	ck_error(dir_open(dir, name, FILE_READ, &file), WB_NOT_FOUND);
}

static bool count_entry(void *context, const char *entry)
{
	int *counts = context;

	ck_assert_uint_eq(strlen(entry), 1);
	ck_assert(*entry >= 'a' && *entry <= 'z');
	counts[*entry - 'a']++;
	return true;
}

static void what_is_not_there_is_not_found(struct dir *dir)
{
	struct file *file = NULL;
	int counts[26] = {0};

	ck_error(dir_open(dir, "a", FILE_READ, &file), WB_NOT_FOUND);
	ck_error(dir_open(dir, "a", FILE_WRITE, &file), WB_NOT_FOUND);
	ck_error(dir_open(dir, "tmp/a", FILE_CREATE, &file), WB_NOT_FOUND);
	ck_assert_ptr_null(file);
	ck_error(dir_remove(dir, "a"), WB_NOT_FOUND);
	ck_error(dir_remove(dir, "tmp/a"), WB_NOT_FOUND);
	ck_error(dir_rename(dir, "a", "b", SYNC), WB_NOT_FOUND);
	ck_error(dir_sync(dir, "tmp", SYNC), WB_NOT_FOUND);
	ck_error(dir_make(dir, "tmp/deeper"), WB_NOT_FOUND);
	ck_error(dir_list(dir, "tmp", count_entry, counts), WB_NOT_FOUND);
	put(dir, "a", "");
	ck_error(dir_rename(dir, "a", "tmp/a", SYNC), WB_NOT_FOUND);
	ck_error(dir_open(dir, "a/b", FILE_CREATE, &file), WB_NOT_FOUND);
}

static void create_makes_an_empty_file_once(struct dir *dir)
{
	unsigned exclusive = FILE_CREATE | FILE_EXCLUSIVE;
	struct file *file;
	uint64_t size = 1;

	ck_ok(dir_open(dir, "a", exclusive, &file));
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 0);
	ck_ok(file_write(file, "x", 1, 0));
	file_close(file);
	ck_error(dir_open(dir, "a", exclusive, &file), WB_EXISTS);
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	expect_handle(file, "x");
	file_close(file);
}

static void open_with_truncate_empties(struct dir *dir)
{
	struct file *file;

	put(dir, "a", "full");
	ck_ok(dir_open(dir, "a", FILE_WRITE | FILE_TRUNCATE, &file));
	expect_handle(file, "");
	file_close(file);
}

static void reads_end_where_the_file_ends(struct dir *dir)
{
	struct file *file;
	char buffer[8];
	size_t size;

	put(dir, "a", "0123456789");
	ck_ok(dir_open(dir, "a", FILE_READ, &file));
	ck_ok(file_read(file, buffer, 8, 4, &size));
	ck_assert_uint_eq(size, 6);
	ck_assert_mem_eq(buffer, "456789", 6);
	ck_ok(file_read(file, buffer, 4, 0, &size));
	ck_assert_uint_eq(size, 4);
	ck_ok(file_read(file, buffer, 0, 0, &size));
	ck_assert_uint_eq(size, 0);
	ck_ok(file_read(file, buffer, 8, 10, &size));
	ck_assert_uint_eq(size, 0);
	ck_ok(file_read(file, buffer, 8, UINT64_MAX, &size));
	ck_assert_uint_eq(size, 0);
	file_close(file);
}

static void writes_land_where_they_should(struct dir *dir)
{
	unsigned char model[20000] = {0};
	unsigned char back[20000];
	struct file *file;
	uint64_t end = 0;
	size_t size;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	for (unsigned i = 0; i < 40; i++) {
		unsigned char bytes[700];
		uint64_t offset = (i * 7919u) % (sizeof(model) - 700);
		size_t part = 1 + (i * 131u) % 700;

		memset(bytes, (int)i, sizeof(bytes));
		memset(model + offset, (int)i, part);
		end = offset + part > end ? offset + part : end;
		ck_ok(file_write(file, bytes, part, offset));
	}
	ck_ok(file_write(file, "", 0, 0));
	ck_ok(file_read(file, back, sizeof(back), 0, &size));
	ck_assert_uint_eq(size, end);
	ck_assert_mem_eq(back, model, size);
	file_close(file);
}

static void a_gap_reads_as_zeros(struct dir *dir)
{
	unsigned char buffer[9001];
	struct file *file;
	size_t size;

	put(dir, "a", "x");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	ck_ok(file_write(file, "y", 1, 9000));
	ck_ok(file_read(file, buffer, sizeof(buffer), 0, &size));
	ck_assert_uint_eq(size, 9001);
	ck_assert_uint_eq(buffer[0], 'x');
	ck_assert(bytes_are_zero(buffer + 1, 8999));
	ck_assert_uint_eq(buffer[9000], 'y');
	file_close(file);
}

static void truncate_cuts_and_grows_with_zeros(struct dir *dir)
{
	unsigned char buffer[6000];
	struct file *file;
	size_t size;

	memset(buffer, 0xFF, sizeof(buffer));
	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_ok(file_write(file, buffer, 6000, 0));
	ck_ok(file_truncate(file, 100));
	ck_ok(file_truncate(file, 6000));
	ck_ok(file_read(file, buffer, sizeof(buffer), 0, &size));
	ck_assert_uint_eq(size, 6000);
	ck_assert_uint_eq(buffer[99], 0xFF);
	ck_assert(bytes_are_zero(buffer + 100, 5900));
	ck_ok(file_truncate(file, 0));
	expect_handle(file, "");
	file_close(file);
}

static void allocate_grows_and_never_cuts(struct dir *dir)
{
	struct file *file;
	uint64_t size;
	char buffer[3];
	size_t got;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_ok(file_allocate(file, 0));
	ck_ok(file_write(file, "abc", 3, 0));
	ck_ok(file_allocate(file, 10000));
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 10000);
	ck_ok(file_allocate(file, 5000));
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 10000);
	ck_ok(file_read(file, buffer, 3, 0, &got));
	ck_assert_mem_eq(buffer, "abc", 3);
	file_close(file);
}

static void absurd_sizes_have_no_space(struct dir *dir)
{
	struct file *file;
	uint64_t size = 1;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_error(file_write(file, "x", 1, UINT64_MAX), WB_NO_SPACE);
	ck_error(file_write(file, "x", 1, INT64_MAX), WB_NO_SPACE);
	ck_error(file_write(file, "x", 1, UINT64_C(1) << 62), WB_NO_SPACE);
	ck_error(file_truncate(file, UINT64_MAX), WB_NO_SPACE);
	ck_error(file_truncate(file, UINT64_C(1) << 62), WB_NO_SPACE);
	ck_error(file_allocate(file, UINT64_MAX), WB_NO_SPACE);
	ck_ok(file_size(file, &size));
	ck_assert_uint_eq(size, 0);
	file_close(file);
}

static void a_read_only_handle_only_reads(struct dir *dir)
{
	struct file *file;

	put(dir, "a", "x");
	ck_ok(dir_open(dir, "a", FILE_READ, &file));
	ck_error(file_write(file, "y", 1, 0), WB_IO);
	ck_error(file_truncate(file, 0), WB_IO);
	ck_error(file_allocate(file, 100), WB_IO);
	ck_ok(file_sync(file, SYNC));
	ck_ok(file_drop_cache(file, 0, SYNC));
	expect_handle(file, "x");
	file_close(file);
}

static void rename_replaces_and_handles_stay(struct dir *dir)
{
	struct file *old;
	struct file *new;

	put(dir, "a", "new");
	put(dir, "b", "old");
	ck_ok(dir_open(dir, "a", FILE_READ, &new));
	ck_ok(dir_open(dir, "b", FILE_READ, &old));
	ck_ok(dir_rename(dir, "a", "b", SYNC));
	expect_absent(dir, "a");
	expect(dir, "b", "new");
	expect_handle(new, "new");
	expect_handle(old, "old");
	ck_ok(dir_rename(dir, "b", "b", SYNC));
	expect(dir, "b", "new");
	file_close(old);
	file_close(new);
}

static void rename_crosses_directories(struct dir *dir)
{
	ck_ok(dir_make(dir, "tmp"));
	put(dir, "tmp/a", "text");
	ck_ok(dir_rename(dir, "tmp/a", "a", SYNC));
	expect_absent(dir, "tmp/a");
	expect(dir, "a", "text");
	ck_ok(dir_sync(dir, "", SYNC));
	ck_ok(dir_sync(dir, "tmp", SYNC));
	ck_ok(dir_sync(dir, "..", SYNC));
	expect(dir, "a", "text");
}

static void a_removed_file_lives_while_it_is_open(struct dir *dir)
{
	struct file *file;

	put(dir, "a", "text");
	ck_ok(dir_open(dir, "a", FILE_WRITE, &file));
	ck_ok(dir_remove(dir, "a"));
	expect_absent(dir, "a");
	ck_ok(file_write(file, "T", 1, 0));
	ck_ok(file_sync(file, SYNC));
	expect_handle(file, "Text");
	put(dir, "a", "other");
	expect_handle(file, "Text");
	file_close(file);
	expect(dir, "a", "other");
}

static void directories_and_files_are_not_mixed_up(struct dir *dir)
{
	struct file *file;

	ck_ok(dir_make(dir, "tmp"));
	ck_ok(dir_make(dir, "tmp"));
	put(dir, "tmp/a", "kept");
	ck_ok(dir_make(dir, "tmp"));
	expect(dir, "tmp/a", "kept");
	put(dir, "a", "text");
	ck_error(dir_make(dir, "a"), WB_EXISTS);
	ck_error(dir_open(dir, "tmp", FILE_READ, &file), WB_IO);
	ck_error(dir_open(dir, "tmp", FILE_WRITE, &file), WB_IO);
	ck_error(dir_remove(dir, "tmp"), WB_IO);
	ck_error(dir_rename(dir, "a", "tmp", SYNC), WB_IO);
	expect(dir, "a", "text");
}

static bool first_entry(void *context, const char *entry)
{
	(void)entry;
	++*(int *)context;
	return false;
}

static bool remove_entry(void *context, const char *entry)
{
	ck_ok(dir_remove(context, entry));
	return true;
}

static void list_shows_every_name_once(struct dir *dir)
{
	int counts[26] = {0};
	int visits = 0;

	ck_ok(dir_make(dir, "d"));
	put(dir, "a", "");
	put(dir, "b", "");
	put(dir, "c", "");
	put(dir, "d/e", "");
	put(dir, "d/f", "");
	ck_ok(dir_rename(dir, "b", "x", SYNC));
	ck_ok(dir_list(dir, "", count_entry, counts));
	for (int i = 0; i < 26; i++)
		ck_assert_int_eq(counts[i], strchr("acdx", 'a' + i) != NULL);
	memset(counts, 0, sizeof(counts));
	ck_ok(dir_list(dir, "d", count_entry, counts));
	for (int i = 0; i < 26; i++)
		ck_assert_int_eq(counts[i], strchr("ef", 'a' + i) != NULL);
	ck_ok(dir_list(dir, "", first_entry, &visits));
	ck_assert_int_eq(visits, 1);
}

static void what_list_shows_may_be_removed(struct dir *dir)
{
	int counts[26] = {0};

	for (char name[2] = "a"; *name <= 'z'; ++*name)
		put(dir, name, "");
	ck_ok(dir_list(dir, "", remove_entry, dir));
	ck_ok(dir_list(dir, "", count_entry, counts));
	for (int i = 0; i < 26; i++)
		ck_assert_int_eq(counts[i], 0);
}

static void dropping_the_cache_loses_nothing_synced(struct dir *dir)
{
	struct file *file;

	ck_ok(dir_open(dir, "a", FILE_CREATE, &file));
	ck_ok(file_write(file, "text", 4, 0));
	ck_ok(file_sync(file, SYNC));
	ck_ok(file_drop_cache(file, 0, SYNC));
	expect_handle(file, "text");
	file_close(file);
}

const struct contract_case contract_cases[] = {
#define CASE(name)          \
	{                   \
#name, name \
	}
	CASE(what_is_not_there_is_not_found),
	CASE(create_makes_an_empty_file_once),
	CASE(open_with_truncate_empties),
	CASE(reads_end_where_the_file_ends),
	CASE(writes_land_where_they_should),
	CASE(a_gap_reads_as_zeros),
	CASE(truncate_cuts_and_grows_with_zeros),
	CASE(allocate_grows_and_never_cuts),
	CASE(absurd_sizes_have_no_space),
	CASE(a_read_only_handle_only_reads),
	CASE(rename_replaces_and_handles_stay),
	CASE(rename_crosses_directories),
	CASE(a_removed_file_lives_while_it_is_open),
	CASE(directories_and_files_are_not_mixed_up),
	CASE(list_shows_every_name_once),
	CASE(what_list_shows_may_be_removed),
	CASE(dropping_the_cache_loses_nothing_synced),
#undef CASE
};
const int contract_case_count =
	sizeof(contract_cases) / sizeof(*contract_cases);
