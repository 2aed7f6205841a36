/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stage.h"

#include "tests/support/simpages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char check_loud[] = "damage is an error that changes nothing";
const char check_whole[] = "what loses nothing is no error";

const struct scenario scenarios[] = {
#define SCENARIO_ENTRY(name) {#name, name},
	SCENARIO_LIST(SCENARIO_ENTRY)
#undef SCENARIO_ENTRY
		{NULL, NULL},
};

const struct scenario *scenario_find(const char *name)
{
	const struct scenario *scenario = scenarios;

	while (scenario->name && strcmp(scenario->name, name) != 0)
		scenario++;
	return scenario->name ? scenario : NULL;
}

/* ---- a store ---- */

struct workload *stage_begin(uint64_t seed)
{
	struct workload *work = sim_alloc(sizeof(*work));

	workload_begin(work, crash_shared_new(1u << 12), seed);
	work->context.nesting = NEST_NONE;
	return work;
}

bool stage_end(struct workload *work, struct complaint *complaint)
{
	bool good = work_ok(work);

	*complaint = work->context.complaint;
	crash_shared_free(work->context.shared);
	workload_end(work);
	free(work);
	return good;
}

static bool count_segment(void *context, const char *path, uint64_t size)
{
	unsigned *count = context;

	(void)size;
	*count += strchr(path, '/') == NULL && strstr(path, ".log") != NULL;
	return true;
}

static unsigned segment_count(struct workload *work)
{
	unsigned count = 0;

	simdisk_each(work->disk, count_segment, &count);
	return count;
}

bool stage_fill(struct workload *work, unsigned segments)
{
	while (segment_count(work) < segments)
		if (!work_commit(work, 1, 1500))
			return false;
	return true;
}

/* They are numbered from 1. */
uint64_t stage_newest(struct workload *work)
{
	return segment_count(work);
}

const char *stage_path(uint64_t id)
{
	static char names[2][SEGMENT_NAME_SIZE];
	static unsigned turn;
	char *name = names[turn++ % 2];

	segment_name(id, SEGMENT_LOG, name);
	return name;
}

void stage_kill(struct workload *work)
{
	store_abandon(work->store);
	work->store = NULL;
}

bool stage_is_loud(struct workload *work, const char *what)
{
	uint64_t hash = simdisk_hash(work->disk);
	enum wb_error error = work_open(work, 0);

	if (error != WB_CORRUPT)
		return complain_of(&work->context.complaint, check_loud,
				   "%s: opening: %s", what,
				   wb_error_text(error));
	if (simdisk_hash(work->disk) != hash)
		return complain_of(&work->context.complaint, check_loud,
				   "%s: the refused open changed the disk",
				   what);
	return true;
}

bool stage_is_whole(struct workload *work, const char *what)
{
	enum wb_error error = work_open(work, 0);

	if (error)
		return complain_of(&work->context.complaint, check_whole,
				   "%s: opening: %s (%s)", what,
				   wb_error_text(error), work->text.text);
	return work_check(work);
}

void stage_settle(struct workload *work)
{
	const struct sim_crash all = {SIM_KEEP_ALL, 0};
	struct simdisk *settled;

	store_abandon(work->store);
	work->store = NULL;
	settled = simdisk_crash(work->disk, all);
	simdisk_free(work->disk);
	work->disk = settled;
}

/* ---- frames ---- */

static uint64_t salt_of(struct workload *work, uint64_t id)
{
	uint8_t bytes[SEGMENT_FRAMES_AT];
	struct segment_header header = {0};

	simdisk_get(work->disk, stage_path(id), bytes, sizeof(bytes), 0);
	for (unsigned copy = 0; copy < SEGMENT_HEADER_COPIES; copy++)
		if (segment_header_decode(bytes + copy * SEGMENT_HEADER_BYTES,
					  copy, &header) == WB_OK)
			break;
	return header.salt;
}

size_t stage_frames(struct workload *work, uint64_t id,
		    struct frame_place places[FRAMES_MAX])
{
	uint64_t salt = salt_of(work, id);
	uint64_t size = simdisk_size(work->disk, stage_path(id));
	uint8_t *bytes = sim_alloc(size);
	uint64_t at = SEGMENT_FRAMES_AT;
	size_t count = 0;

	simdisk_get(work->disk, stage_path(id), bytes, size, 0);
	while (count < FRAMES_MAX &&
	       frame_decode(bytes + at, size - at, salt, at,
			    &places[count].frame) == WB_OK) {
		places[count].at = at;
		places[count].frame.payload = NULL;
		at += places[count].frame.frame_bytes;
		count++;
	}
	free(bytes);
	return count;
}

const struct frame_place *stage_last_commit(const struct frame_place *places,
					    size_t count)
{
	while (count > 0 && places[count - 1].frame.type != FRAME_COMMIT)
		count--;
	assert(count > 0);
	return &places[count - 1];
}

void stage_reseal(struct workload *work, uint64_t id,
		  const struct frame_place *place, uint8_t *bytes)
{
	frame_seal(bytes, &place->frame, salt_of(work, id), place->at);
	simdisk_set(work->disk, stage_path(id), bytes, place->frame.frame_bytes,
		    place->at);
}
