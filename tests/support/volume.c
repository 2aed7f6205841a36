/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/volume.h"

#include "tests/support/forge.h"

#include <inttypes.h>

enum { FRAMES_AT = 8192, TYPE_AT = 12, FOOTER = 4, SPOILT = 0xa5 };

const char *volume_path(uint64_t id)
{
	static char paths[4][32];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%016" PRIx64 ".log", id);
	return path;
}

bool volume_exists(struct shelf *shelf, uint64_t id)
{
	return simdisk_has(shelf->disk, volume_path(id));
}

void volume_fill(struct shelf *shelf, uint64_t id)
{
	char value[2000];

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = 0;
	for (unsigned at = 0; at < 1000 && !volume_exists(shelf, id); at++)
		shelf_put(shelf, at % 2 ? "big" : "large", value);
	ck_assert(volume_exists(shelf, id));
	shelf_put(shelf, "big", "small");
}

void volume_fill_eight(struct shelf *shelf)
{
	enum { VALUE_BYTES = 700000 };
	char *value = calloc(1, VALUE_BYTES + 1);

	ck_assert_ptr_nonnull(value);
	memset(value, 'v', VALUE_BYTES);
	for (unsigned at = 0; at < 8; at++)
		shelf_put(shelf, "big", value);
	free(value);
	volume_settle(shelf);
}

void volume_settle(struct shelf *shelf)
{
	shelf_cut(shelf, (struct sim_crash){SIM_KEEP_ALL, 0});
}

uint64_t volume_frame(struct shelf *shelf, uint64_t id, unsigned number)
{
	uint64_t at = FRAMES_AT;

	while (number-- > 0)
		at = forge_next(shelf->disk, volume_path(id), at);
	return at;
}

uint64_t volume_footer(struct shelf *shelf, uint64_t id)
{
	uint64_t at = FRAMES_AT;
	uint8_t type;

	for (;;) {
		simdisk_get(shelf->disk, volume_path(id), &type, 1,
			    at + TYPE_AT);
		if (type == FOOTER)
			return at;
		at = forge_next(shelf->disk, volume_path(id), at);
	}
}

void volume_spoil(struct shelf *shelf, const char *path, uint64_t at)
{
	uint8_t byte = 0;

	if (at < simdisk_size(shelf->disk, path))
		simdisk_get(shelf->disk, path, &byte, 1, at);
	byte = byte == SPOILT ? (uint8_t)~SPOILT : SPOILT;
	simdisk_set(shelf->disk, path, &byte, 1, at);
}

void volume_make(struct shelf *shelf)
{
	volume_fill(shelf, 3);
	shelf_kill(shelf);
	ck_ok(shelf_open(shelf));
	shelf_put(shelf, "a", "1");
	shelf_put(shelf, "b", "1");
	ck_ok(wb_store_mark(shelf->store));
	volume_settle(shelf);
	ck_assert(volume_exists(shelf, 4) && !volume_exists(shelf, 5));
}

void volume_tear(struct shelf *shelf)
{
	uint64_t end;

	ck_ok(shelf_open(shelf));
	shelf_put(shelf, "c", "1");
	volume_settle(shelf);
	end = volume_frame(shelf, 5, 1);
	simdisk_set(shelf->disk, volume_path(5), "torn", 4, end + 100);
}
