/* SPDX-License-Identifier: Apache-2.0
 *
 * Gathering commits. A group's buffer is laid out as it will stand in the
 * file, so that appending it is one write; only the frames' headers wait,
 * because where they will stand and what will be durable then is not known
 * yet. The chain is advanced here, while the group before is being synced.
 */
#include "log/state.h"

#include "base/array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_KEEP_BYTES (1u << 20) /* a larger buffer is given back */

struct log_group *log_group_new(void)
{
	struct log_group *group = calloc(1, sizeof(*group));

	if (group)
		log_group_clear(group);
	return group;
}

void log_group_free(struct log_group *group)
{
	if (!group)
		return;
	free(group->bytes);
	free(group->frames);
	free(group->entries);
	free(group);
}

size_t log_group_bytes(const struct log_group *group)
{
	return group->size;
}

size_t log_group_commits(const struct log_group *group)
{
	return group->frame_count;
}

void log_group_clear(struct log_group *group)
{
	if (group->capacity > GROUP_KEEP_BYTES) {
		free(group->bytes);
		free(group->entries);
		group->bytes = NULL;
		group->entries = NULL;
		group->capacity = 0;
		group->entry_capacity = 0;
	}
	group->size = 0;
	group->frame_count = 0;
	group->entry_count = 0;
	group->last_revision = 0;
	group->time_min_ns = INT64_MAX;
	group->time_max_ns = INT64_MIN;
}

/* Room for one more frame of `bytes` (its group's padding included) with
 * `entries` versions; the bytes are zero. */
static bool make_room(struct log_group *group, size_t bytes, size_t entries)
{
	if (!array_grow(&group->bytes, &group->capacity,
			group->size + bytes + GROUP_ALIGN, 1) ||
	    !array_grow(&group->frames, &group->frame_capacity,
			group->frame_count + 1, sizeof(*group->frames)) ||
	    !array_grow(&group->entries, &group->entry_capacity,
			group->entry_count + entries, sizeof(*group->entries)))
		return false;
	memset(group->bytes + group->size, 0, FRAME_HEADER_BYTES);
	return true;
}

static void add_frame(struct log_group *group, enum frame_type type,
		      uint64_t revision, int64_t time_ns,
		      uint32_t payload_bytes)
{
	size_t used = FRAME_HEADER_BYTES + payload_bytes;
	uint32_t bytes = frame_size(payload_bytes);

	memset(group->bytes + group->size + used, 0, bytes - used);
	group->frames[group->frame_count++] = (struct group_frame){
		.at = group->size,
		.payload_bytes = payload_bytes,
		.revision = revision,
		.time_ns = time_ns,
		.type = type,
	};
	group->size += bytes;
}

enum wb_error group_add_plain(struct log_group *group, enum frame_type type,
			      uint64_t revision)
{
	if (!make_room(group, FRAME_HEADER_BYTES, 0))
		return WB_NO_MEMORY;
	add_frame(group, type, revision, 0, 0);
	return WB_OK;
}

enum wb_error log_stage(struct log *log, struct log_group *group,
			const struct commit_head *head,
			struct wb_bytes mutations, const uint32_t *hashes,
			uint32_t mutation_count)
{
	size_t head_bytes = commit_head_size(head);
	size_t payload_bytes = head_bytes + mutations.size;
	uint8_t chain[CHAIN_BYTES];
	struct writer writer;
	uint8_t *payload;
	uint32_t at;

	assert(head->revision == log->staged_revision + 1);
	if (payload_bytes > COMMIT_PAYLOAD_MAX)
		return WB_TOO_LARGE;
	if (!make_room(group, frame_size((uint32_t)payload_bytes),
		       mutation_count))
		return WB_NO_MEMORY;
	payload = group->bytes + group->size + FRAME_HEADER_BYTES;
	writer = writer_of(payload, payload_bytes);
	commit_head_write(&writer, head);
	assert(writer.at == head_bytes);
	write_bytes(&writer, mutations.data, mutations.size);
	assert(!writer.failed);
	memcpy(chain, log->staged_chain, CHAIN_BYTES);
	if (chain_next(log->chain, (struct wb_bytes){payload, payload_bytes},
		       chain))
		return WB_NO_MEMORY;
	memcpy(log->staged_chain, chain, CHAIN_BYTES);
	memcpy(group->chain, chain, CHAIN_BYTES);
	for (at = 0; at < mutation_count; at++)
		group->entries[group->entry_count++] = (struct log_entry){
			.hash = hashes[at],
			.mutation = at,
			.revision = head->revision,
			.offset = group->size,
		};
	add_frame(group, FRAME_COMMIT, head->revision, head->time_ns,
		  (uint32_t)payload_bytes);
	group->last_revision = head->revision;
	if (head->time_ns < group->time_min_ns)
		group->time_min_ns = head->time_ns;
	if (head->time_ns > group->time_max_ns)
		group->time_max_ns = head->time_ns;
	log->staged_revision = head->revision;
	return WB_OK;
}

void log_unstage(struct log *log)
{
	log->staged_revision = log->durable_revision;
	memcpy(log->staged_chain, log->durable_chain, CHAIN_BYTES);
}
