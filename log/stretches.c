/* SPDX-License-Identifier: Apache-2.0 */
#include "log/stretches.h"

#include "log/format.h"

#include <assert.h>
#include <stdlib.h>

enum wb_error stretches_reserve(struct stretches *stretches, size_t commits)
{
	size_t needed = stretches->count + commits;
	size_t capacity = stretches->capacity;
	struct stretch *grown;

	if (needed <= capacity)
		return WB_OK;
	while (capacity < needed)
		capacity = capacity ? capacity + capacity / 2 : 8;
	grown = realloc(stretches->list, capacity * sizeof(*grown));
	if (!grown)
		return WB_NO_MEMORY;
	stretches->list = grown;
	stretches->capacity = capacity;
	return WB_OK;
}

void stretches_release(struct stretches *stretches)
{
	free(stretches->list);
	*stretches = (struct stretches){0};
}

uint64_t stretches_offset(const struct stretches *stretches, size_t at)
{
	return (uint64_t)stretches->list[at].frame * FRAME_ALIGN;
}

void stretches_add(struct stretches *stretches, uint64_t offset,
		   size_t frame_bytes, uint64_t revision, int64_t time_ns)
{
	struct stretch *last = NULL;

	if (stretches->count > 0)
		last = &stretches->list[stretches->count - 1];
	if (last && frame_bytes <= STRETCH_BYTES &&
	    offset - stretches_offset(stretches, stretches->count - 1) <
		    STRETCH_BYTES) {
		if (time_ns < last->time_min_ns)
			last->time_min_ns = time_ns;
		return;
	}
	assert(stretches->count < stretches->capacity);
	assert(offset / FRAME_ALIGN <= UINT32_MAX);
	assert(revision <= UINT32_MAX);
	stretches->list[stretches->count++] = (struct stretch){
		.frame = (uint32_t)(offset / FRAME_ALIGN),
		.revision = (uint32_t)revision,
		.time_min_ns = time_ns,
	};
}

bool stretches_find(const struct stretches *stretches, uint64_t before,
		    int64_t until_ns, size_t *ret_at)
{
	size_t low = 0, high = stretches->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stretches->list[middle].revision < before)
			low = middle + 1;
		else
			high = middle;
	}
	while (low > 0 && stretches->list[low - 1].time_min_ns > until_ns)
		low--;
	if (low == 0)
		return false;
	*ret_at = low - 1;
	return true;
}
