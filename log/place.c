/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be in a directory before a store is made in it:
 *  - what an unfinished creation of ours leaves (log_create): the lock, tmp/
 *    with files of our names, an empty torn/. Opening a store empties tmp/,
 *    so a tmp/ with anything else in it is somebody's, and is left to him;
 *  - lost+found, which mkfs makes: a store may have a filesystem to itself;
 *  - blobs, ingests and snapshots, the store's own once it keeps content:
 *    each may be a mount point, and then it comes first.
 *
 * Discarded: making a store beside anything. It works, as no name of another
 * is touched, but a path with a slip in it then puts segments into somebody's
 * home, and the store that was meant looks empty.
 */
#include "log/place.h"

#include "log/anchor.h"
#include "log/segment.h"
#include "log/state.h"

#include <stdio.h>
#include <string.h>

struct look {
	struct place place;
	bool tmp, torn;
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t at = 0; at < count; at++)
		if (strcmp(name, names[at]) == 0)
			return true;
	return false;
}

static void take(struct look *look, const char *in, const char *name)
{
	struct place *place = &look->place;
	char other[sizeof(place->other)];

	snprintf(other, sizeof(other), "%s%s", in, name);
	if (place->kind == PLACE_FREE || strcmp(other, place->other) < 0)
		memcpy(place->other, other, sizeof(other));
	place->kind = PLACE_TAKEN;
}

static bool see(void *context, const char *name)
{
	static const char *const ours[] = {"lock", "lost+found", "blobs",
					   "ingests", "snapshots"};
	struct look *look = context;
	enum segment_kind kind;
	uint64_t id;

	if (strcmp(name, ANCHOR_NAME) == 0 ||
	    segment_name_parse(name, &id, &kind)) {
		look->place.kind = PLACE_STORE;
		return false;
	}
	if (strcmp(name, "tmp") == 0)
		look->tmp = true;
	else if (strcmp(name, "torn") == 0)
		look->torn = true;
	else if (!is_one_of(name, ours, sizeof(ours) / sizeof(ours[0])))
		take(look, "", name);
	return true;
}

static bool see_in_tmp(void *context, const char *name)
{
	static const char *const ours[] = {LOG_TMP_NAME, LOG_SPARE_NAME,
					   LOG_TMP_TORN_NAME, ANCHOR_TMP_NAME};
	char path[300];

	snprintf(path, sizeof(path), "tmp/%s", name);
	if (!is_one_of(path, ours, sizeof(ours) / sizeof(ours[0])))
		take(context, "tmp/", name);
	return true;
}

static bool see_in_torn(void *context, const char *name)
{
	take(context, "torn/", name);
	return true;
}

static enum wb_error look_into(struct dir *dir, const char *name,
			       bool (*visit)(void *context, const char *entry),
			       struct look *look)
{
	enum wb_error error = dir_list(dir, name, visit, look);

	if (error != WB_NOT_FOUND)
		return error;
	take(look, "", name); /* it is there, and no directory */
	return WB_OK;
}

enum wb_error place_look(struct dir *dir, struct place *ret_place)
{
	struct look look = {.place.kind = PLACE_FREE};
	enum wb_error error = dir_list(dir, "", see, &look);

	if (!error && look.tmp && look.place.kind != PLACE_STORE)
		error = look_into(dir, "tmp", see_in_tmp, &look);
	if (!error && look.torn && look.place.kind != PLACE_STORE)
		error = look_into(dir, "torn", see_in_torn, &look);
	if (!error)
		*ret_place = look.place;
	return error;
}
