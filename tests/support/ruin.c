/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ruin.h"

#include "tests/support/suite.h"

#include <string.h>

enum { PATHS_MAX = 64, PATH_BYTES = 64, SECTOR_BYTES = 512 };

/* The anchor and the segments. */
struct paths {
	size_t count;
	char paths[PATHS_MAX][PATH_BYTES];
};

static bool take_path(void *context, const char *path, uint64_t size)
{
	struct paths *paths = context;

	if (size > 0 && !strchr(path, '/') && strcmp(path, "lock") != 0) {
		ck_assert_uint_lt(paths->count, PATHS_MAX);
		snprintf(paths->paths[paths->count++], PATH_BYTES, "%s", path);
	}
	return true;
}

/* The anchor or a segment; valid until the next call. */
static const char *any_path(struct simdisk *disk, struct rng *rng)
{
	static struct paths paths;

	paths.count = 0;
	simdisk_each(disk, take_path, &paths);
	return paths.paths[rng_below(rng, paths.count)];
}

/* Mostly where the file is in use: near a byte that is not zero. */
static uint64_t any_place(struct simdisk *disk, const char *path,
			  struct rng *rng)
{
	uint64_t size = simdisk_size(disk, path), at = 0;

	for (unsigned tries = 0; tries < 20; tries++) {
		uint8_t byte = 0;

		at = rng_below(rng, size);
		simdisk_get(disk, path, &byte, 1, at);
		if (byte != 0)
			break;
	}
	return at;
}

static void flip(struct simdisk *disk, struct rng *rng, const char *path)
{
	simdisk_flip(disk, path,
		     any_place(disk, path, rng) * 8 + rng_below(rng, 8));
}

static void flip_some(struct simdisk *disk, struct rng *rng, const char *path)
{
	(void)path;
	for (uint64_t left = 2 + rng_below(rng, 6); left > 0; left--)
		flip(disk, rng, any_path(disk, rng));
}

static uint64_t any_sector(struct simdisk *disk, const char *path,
			   struct rng *rng)
{
	uint64_t at = any_place(disk, path, rng) / SECTOR_BYTES * SECTOR_BYTES;

	return simdisk_size(disk, path) < at + SECTOR_BYTES ? 0 : at;
}

static void fill_sector(struct simdisk *disk, struct rng *rng, const char *path)
{
	uint8_t bytes[SECTOR_BYTES] = {0};

	if (rng_chance(rng, 1, 3))
		memset(bytes, 0xff, sizeof(bytes));
	else if (rng_chance(rng, 1, 2))
		rng_fill(rng, bytes, sizeof(bytes));
	simdisk_set(disk, path, bytes, sizeof(bytes),
		    any_sector(disk, path, rng));
}

static void swap_sectors(struct simdisk *disk, struct rng *rng,
			 const char *path)
{
	uint64_t one = any_sector(disk, path, rng);
	uint64_t two = any_sector(disk, path, rng);
	uint8_t a[SECTOR_BYTES], b[SECTOR_BYTES];

	simdisk_get(disk, path, a, sizeof(a), one);
	simdisk_get(disk, path, b, sizeof(b), two);
	simdisk_set(disk, path, a, sizeof(a), two);
	simdisk_set(disk, path, b, sizeof(b), one);
}

/* A piece of one file over another place of it, or of another file. */
static void copy_piece(struct simdisk *disk, struct rng *rng, const char *path)
{
	uint8_t bytes[4096] = {0};
	size_t size = 8 * (size_t)(1 + rng_below(rng, sizeof(bytes) / 8));
	char from[PATH_BYTES];

	snprintf(from, sizeof(from), "%s", path);
	simdisk_get(disk, from, bytes, size,
		    any_place(disk, from, rng) / 8 * 8);
	path = any_path(disk, rng);
	simdisk_set(disk, path, bytes, size,
		    any_place(disk, path, rng) / 8 * 8);
}

static void truncate_any(struct simdisk *disk, struct rng *rng,
			 const char *path)
{
	simdisk_resize(disk, path, any_place(disk, path, rng));
}

static void delete_any(struct simdisk *disk, struct rng *rng, const char *path)
{
	(void)rng;
	simdisk_delete(disk, path);
}

static void copy_file(struct simdisk *disk, struct rng *rng, const char *path)
{
	struct simdisk *same = simdisk_clone(disk);
	char from[PATH_BYTES];

	snprintf(from, sizeof(from), "%s", path);
	simdisk_copy(disk, any_path(same, rng), same, from);
	simdisk_free(same);
}

typedef void damage_fn(struct simdisk *disk, struct rng *rng, const char *path);

static const struct {
	const char *name;
	damage_fn *run;
	unsigned weight;
} damages[] = {
	{"flip", flip, 12},
	{"flip some", flip_some, 3},
	{"fill sector", fill_sector, 4},
	{"swap sectors", swap_sectors, 3},
	{"copy piece", copy_piece, 3},
	{"truncate", truncate_any, 3},
	{"delete", delete_any, 2},
	{"copy file", copy_file, 2},
	{"older file", NULL, 3},
};
enum { DAMAGES = sizeof(damages) / sizeof(*damages) };

static void older_file(struct simdisk *disk, struct simdisk *earlier,
		       struct rng *rng)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s", any_path(earlier, rng));
	simdisk_copy(disk, path, earlier, path);
}

static unsigned draw_damage(struct rng *rng)
{
	uint64_t whole = 0, drawn;
	unsigned at = 0;

	for (unsigned i = 0; i < DAMAGES; i++)
		whole += damages[i].weight;
	drawn = rng_below(rng, whole);
	while (drawn >= damages[at].weight)
		drawn -= damages[at++].weight;
	return at;
}

const char *ruin_some(struct simdisk *disk, struct simdisk *earlier,
		      struct rng *rng)
{
	unsigned what = draw_damage(rng);

	if (damages[what].run)
		damages[what].run(disk, rng, any_path(disk, rng));
	else
		older_file(disk, earlier, rng);
	return damages[what].name;
}
