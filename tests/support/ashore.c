/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ashore.h"

#include "tests/support/suite.h"
#include "tests/support/tempdir.h"

#include <string.h>
#include <sys/stat.h>

bool ashore_exists(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0;
}

void ashore_remove(const char *path)
{
	if (ashore_exists(path))
		tempdir_remove(strdup(path));
}

struct laying {
	struct simdisk *disk;
	const char *path;
	bool same;
};

static uint8_t *bytes_of(struct simdisk *disk, const char *name, uint64_t size)
{
	uint8_t *bytes = malloc(size + 1);

	ck_assert_ptr_nonnull(bytes);
	simdisk_get(disk, name, bytes, size, 0);
	return bytes;
}

static bool lay_file(void *context, const char *name, uint64_t size)
{
	const struct laying *laying = context;
	uint8_t *bytes = bytes_of(laying->disk, name, size);
	FILE *file = fopen(tempdir_path(laying->path, name), "wxe");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
	free(bytes);
	return true;
}

void ashore_lay(struct simdisk *disk, const char *path)
{
	struct laying laying = {.disk = disk, .path = path};

	ashore_remove(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(mkdir(tempdir_path(path, "tmp"), 0700), 0);
	ck_assert_int_eq(mkdir(tempdir_path(path, "torn"), 0700), 0);
	simdisk_each(disk, lay_file, &laying);
}

static bool compare_file(void *context, const char *name, uint64_t size)
{
	struct laying *laying = context;
	uint8_t *bytes = bytes_of(laying->disk, name, size);
	uint8_t *there = malloc(size + 1);
	FILE *file = fopen(tempdir_path(laying->path, name), "re");

	ck_assert_ptr_nonnull(there);
	laying->same = file && fread(there, 1, size + 1, file) == size &&
		       memcmp(bytes, there, size) == 0;
	if (file)
		(void)fclose(file);
	free(bytes);
	free(there);
	return laying->same;
}

bool ashore_is(struct simdisk *disk, const char *path)
{
	struct laying laying = {.disk = disk, .path = path, .same = true};

	simdisk_each(disk, compare_file, &laying);
	return laying.same;
}
