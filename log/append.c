/* SPDX-License-Identifier: Apache-2.0
 *
 * Making groups durable: one write, one fdatasync. The commit point of
 * everything in Waybill is the marked line in group_sync.
 *
 * Zero bytes are written ahead of the frames in steps, so that most appends
 * change neither the file's size nor its extents and the fdatasync needs no
 * journal commit. A group too big to gain by that skips it. Discarded:
 * filling whole segments at once (200 ms for 64 MiB), in whose shadow a
 * rotation stalls every writer.
 */
#include "log/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ZERO_STEP   (256u << 10)
#define ZERO_BYPASS (128u << 10)

/* ---- a group ---- */

static void pad_group(struct log *log, struct log_group *group, uint64_t offset)
{
	size_t end = (offset + group->size) % GROUP_ALIGN;
	size_t padding = end ? GROUP_ALIGN - end : 0;

	if (log->options.no_padding)
		return;
	assert(group->size + padding <= group->capacity);
	memset(group->bytes + group->size, 0, padding);
	group->size += padding;
}

static void seal_frames(struct log *log, struct log_group *group,
			uint64_t offset)
{
	uint64_t salt = log_newest(log)->header.salt;
	uint64_t durable = log->durable_revision;
	size_t at;

	for (at = 0; at < group->frame_count; at++) {
		const struct group_frame *from = &group->frames[at];
		size_t end = at + 1 < group->frame_count
				     ? group->frames[at + 1].at
				     : group->size;
		struct frame frame = {
			.type = (uint8_t)from->type,
			.frame_bytes = (uint32_t)(end - from->at),
			.payload_bytes = from->payload_bytes,
			.revision = from->revision,
			.durable_revision = durable,
			.durable_bytes = offset,
		};

		frame_seal(group->bytes + from->at, &frame, salt,
			   offset + from->at);
	}
}

/* Best effort: without it the append is slower and as durable. */
static void zero_ahead(struct log *log, uint64_t end, size_t group_bytes)
{
	static const uint8_t zeros[32u << 10];
	uint64_t from = end > log->zeroed ? end : log->zeroed;
	uint64_t to = from + ZERO_STEP;

	if (end <= log->zeroed || group_bytes > ZERO_BYPASS)
		return;
	if (to > log->reserved)
		to = log->reserved;
	while (from < to) {
		size_t size = sizeof(zeros);

		if (size > to - from)
			size = to - from;
		if (file_write(log->active, zeros, size, from))
			return;
		from += size;
	}
	log->zeroed = to;
}

/* Take back what a failed write may have left. If that cannot be made
 * durable, frames of commits that were refused could come back. */
static enum wb_error undo_write(struct log *log, uint64_t offset,
				enum wb_error error)
{
	if (file_truncate(log->active, offset) ||
	    file_sync(log->active, CONTROL_ABORT_SYNC))
		return log_fail(log, "taking back an unfinished write");
	log->zeroed = offset;
	/* The space stays ours: a delete on a full disk needs it. */
	if (file_allocate(log->active, log->reserved))
		log->reserved = offset;
	return error;
}

static enum wb_error group_sync(struct log *log)
{
	/* The commit point. */
	if (file_sync(log->active, CONTROL_GROUP_SYNC))
		return log_fail(log, "fdatasync of the log");
	return WB_OK;
}

/* Where the group's commits are. Room was reserved. */
static void note_places(struct log_segment *newest,
			const struct log_group *group, uint64_t offset)
{
	uint64_t first = newest->header.first_revision;
	size_t at;

	entries_add(&newest->entries, group->entries, group->entry_count,
		    offset);
	for (at = 0; at < group->frame_count; at++) {
		const struct group_frame *frame = &group->frames[at];

		if (frame->type == FRAME_COMMIT)
			stretches_add(&newest->stretches, offset + frame->at,
				      FRAME_HEADER_BYTES + frame->payload_bytes,
				      frame->revision - first, frame->time_ns);
	}
}

static void note_durable(struct log *log, struct log_group *group,
			 uint64_t offset)
{
	struct log_segment *newest = log_newest(log);

	pthread_rwlock_wrlock(&log->lock);
	note_places(newest, group, offset);
	newest->end = offset + group->size;
	if (group->last_revision) {
		newest->head = group->last_revision;
		if (group->time_min_ns < newest->time_min_ns)
			newest->time_min_ns = group->time_min_ns;
		if (group->time_max_ns > newest->time_max_ns)
			newest->time_max_ns = group->time_max_ns;
	}
	pthread_rwlock_unlock(&log->lock);
	if (newest->end > log->zeroed)
		log->zeroed = newest->end;
	log->last_type = group->frames[group->frame_count - 1].type;
	if (group->last_revision) {
		memcpy(log->durable_chain, group->chain, CHAIN_BYTES);
		log->durable_revision = group->last_revision;
	}
}

static enum wb_error reserve_places(struct log *log,
				    const struct log_group *group)
{
	struct log_segment *newest = log_newest(log);
	enum wb_error error;

	pthread_rwlock_wrlock(&log->lock);
	error = entries_reserve(&newest->entries, group->entry_count);
	if (!error)
		error = stretches_reserve(&newest->stretches,
					  group->frame_count);
	pthread_rwlock_unlock(&log->lock);
	return error;
}

static enum wb_error write_group(struct log *log, struct log_group *group)
{
	uint64_t offset = log_newest(log)->end;
	enum wb_error error;

	error = reserve_places(log, group);
	if (error)
		return error;
	pad_group(log, group, offset);
	seal_frames(log, group, offset);
	zero_ahead(log, offset + group->size, group->size);
	error = file_write(log->active, group->bytes, group->size, offset);
	if (error)
		return undo_write(log, offset, error);
	error = group_sync(log);
	if (error)
		return error;
	note_durable(log, group, offset);
	return WB_OK;
}

/* ---- sealing ---- */

/* A footer's frame in memory, to be freed, and its pages. Readers may look
 * at the segment meanwhile: nothing of it is changed. */
static enum wb_error make_footer(struct log *log,
				 const struct log_segment *segment,
				 size_t payload_bytes, struct pages *ret_pages,
				 uint8_t **ret_bytes)
{
	bool commits = segment->head >= segment->header.first_revision;
	struct footer footer = {
		.first_revision = commits ? segment->header.first_revision : 0,
		.last_revision = commits ? segment->head : 0,
		.time_min_ns = commits ? segment->time_min_ns : 0,
		.time_max_ns = commits ? segment->time_max_ns : 0,
		.entry_count = segment->entries.count,
	};
	struct frame frame = {
		.type = FRAME_FOOTER,
		.frame_bytes = frame_size((uint32_t)payload_bytes),
		.payload_bytes = (uint32_t)payload_bytes,
		.revision = segment->head,
		.durable_revision = log->durable_revision,
		.durable_bytes = segment->end,
	};
	uint8_t *bytes = calloc(1, frame.frame_bytes);
	enum wb_error error;

	if (!bytes)
		return WB_NO_MEMORY;
	if (commits)
		footer.commits =
			footer.last_revision - footer.first_revision + 1;
	memcpy(footer.chain, log->durable_chain, CHAIN_BYTES);
	error = footer_encode(&footer, &segment->entries,
			      bytes + FRAME_HEADER_BYTES);
	if (!error)
		error = pages_make(bytes + FRAME_HEADER_BYTES, &footer,
				   ret_pages);
	if (error) {
		free(bytes);
		return error;
	}
	frame_seal(bytes, &frame, segment->header.salt, segment->end);
	*ret_bytes = bytes;
	return WB_OK;
}

static enum wb_error write_footer(struct log *log, const uint8_t *bytes,
				  size_t frame_bytes)
{
	uint64_t end = log_newest(log)->end;
	enum wb_error error = file_write(log->active, bytes, frame_bytes, end);

	if (error)
		return undo_write(log, end, error);
	if (file_sync(log->active, CONTROL_SEAL_SYNC))
		return log_fail(log, "fdatasync of a footer");
	return WB_OK;
}

static void note_sealed(struct log *log, size_t frame_bytes,
			const struct pages *pages)
{
	struct log_segment *segment = log_newest(log);

	pthread_rwlock_wrlock(&log->lock);
	segment->footer_at = segment->end;
	segment->end += frame_bytes;
	segment->state = LOG_SEALED;
	segment->pages = *pages;
	entries_release(&segment->entries);
	segment->indexed = false;
	pthread_rwlock_unlock(&log->lock);
}

/* Footer, sync, truncate: from here on the file never changes. */
static enum wb_error seal_active(struct log *log)
{
	struct log_segment *segment = log_newest(log);
	size_t payload_bytes = footer_size(segment->entries.count);
	size_t frame_bytes = frame_size((uint32_t)payload_bytes);
	struct pages pages;
	enum wb_error error;
	uint8_t *bytes;

	error = make_footer(log, segment, payload_bytes, &pages, &bytes);
	if (error)
		return error;
	error = write_footer(log, bytes, frame_bytes);
	free(bytes);
	if (error) {
		pages_release(&pages);
		return error;
	}
	/* Only space is at stake: a footer followed by zeros is sealed. */
	(void)file_truncate(log->active, segment->end + frame_bytes);
	note_sealed(log, frame_bytes, &pages);
	file_close(log->active);
	log->active = NULL;
	log->last_type = FRAME_FOOTER;
	return WB_OK;
}

/* Bytes that the group takes in a segment of `entries` versions: its frames,
 * padding, and the segment's footer afterwards, for which room is kept so
 * that a segment can be sealed on a full disk. */
static uint64_t room_needed(const struct log_group *group, size_t entries)
{
	return group->size + GROUP_ALIGN + FRAME_HEADER_BYTES + FRAME_ALIGN +
	       footer_size(entries + group->entry_count);
}

static bool is_full(struct log *log, const struct log_group *group)
{
	const struct log_segment *newest = log_newest(log);
	size_t entries = newest->entries.count + group->entry_count;

	return newest->end > SEGMENT_FRAMES_AT &&
	       (footer_size(entries) > FOOTER_PAYLOAD_MAX ||
		newest->end + room_needed(group, newest->entries.count) >
			log->capacity);
}

/* Space for the group and for the footer after it, before a byte is written:
 * a segment that was found has none for certain, and one that is empty takes a
 * group of any size. All of the segment's where there is so much. */
static enum wb_error reserve_room(struct log *log,
				  const struct log_group *group)
{
	const struct log_segment *newest = log_newest(log);
	uint64_t least =
		newest->end + room_needed(group, newest->entries.count);
	uint64_t bytes = log->capacity > least ? log->capacity : least;
	enum wb_error error;

	if (least <= log->reserved)
		return WB_OK;
	error = file_allocate(log->active, bytes);
	if (error == WB_NO_SPACE && least < bytes) {
		bytes = least;
		error = file_allocate(log->active, bytes);
	}
	if (error)
		return error;
	log->reserved = bytes;
	if (log->capacity < bytes)
		log->capacity = bytes;
	return WB_OK;
}

/* Make sure that there is an active segment with room for the group. */
static enum wb_error make_active(struct log *log, const struct log_group *group)
{
	enum wb_error error;

	if (log->active && is_full(log, group)) {
		error = seal_active(log);
		if (error)
			return error;
	}
	if (!log->active)
		return log_start_segment(log, log_newest(log),
					 room_needed(group, 0));
	error = reserve_room(log, group);
	if (error)
		return error;
	/* It could not be anchored when it was made. */
	if (log->anchor.active_id != log_newest(log)->header.id &&
	    !control_off(CONTROL_ANCHOR_ROTATE))
		return log_write_anchor(log);
	return WB_OK;
}

enum wb_error log_append(struct log *log, struct log_group *group)
{
	enum wb_error error;

	if (log->options.read_only)
		return WB_READ_ONLY;
	if (log->failed && !control_off(CONTROL_POISON))
		return WB_STOPPED;
	if (group->frame_count == 0)
		return WB_OK;
	error = make_active(log, group);
	if (!error)
		error = write_group(log, group);
	if (!error && group->last_revision)
		log->groups++;
	log_group_clear(group);
	return error;
}

/* ---- marks and ends ---- */

static enum wb_error append_plain(struct log *log, enum frame_type type)
{
	enum wb_error error;

	log_group_clear(log->own);
	error = group_add_plain(log->own, type, log->durable_revision);
	if (!error)
		error = log_append(log, log->own);
	if (!error)
		error = log_write_anchor(log);
	return error;
}

/* Where no frame is due (nothing was committed since the last one, or the
 * next segment could not be made), the anchor still may be. */
static enum wb_error end_with(struct log *log, enum frame_type type)
{
	bool due = log->last_type == FRAME_COMMIT ||
		   (type == FRAME_CLOSE && log->last_type == FRAME_MARK);

	if (log->failed)
		return WB_STOPPED;
	if (due)
		return append_plain(log, type);
	if (log->anchor.durable_revision != log->durable_revision)
		return log_write_anchor(log);
	return WB_OK;
}

enum wb_error log_mark(struct log *log)
{
	if (log->options.read_only)
		return WB_READ_ONLY;
	return end_with(log, FRAME_MARK);
}

enum wb_error log_close(struct log *log)
{
	enum wb_error error = WB_OK;

	if (!log->options.read_only && !log->failed)
		error = end_with(log, FRAME_CLOSE);
	if (log->spare && !log->failed)
		(void)dir_remove(log->dir, LOG_SPARE_NAME);
	log_abandon(log);
	return error;
}

static bool anchor_is_due(const struct log *log)
{
	return log->anchor.durable_revision != log->durable_revision &&
	       env_monotonic_ns(log->env) >= log->anchor_due_ns;
}

bool log_settle_is_due(const struct log *log)
{
	return !log->failed && !log->options.read_only &&
	       (log_spare_is_due(log) || anchor_is_due(log));
}

void log_settle(struct log *log)
{
	if (log->failed || log->options.read_only)
		return;
	if (log_spare_is_due(log))
		log_make_spare(log);
	if (anchor_is_due(log))
		(void)log_write_anchor(log);
}
