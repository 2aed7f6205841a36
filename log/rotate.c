/* SPDX-License-Identifier: Apache-2.0
 *
 * New segment files: the first of a store, the next of a log, the spare that
 * waits for its turn, and what becomes of a torn tail.
 *
 * A segment appears whole: header written and synced under a temporary name,
 * renamed, the directory synced, the anchor naming it synced; only then may
 * it be written to. A crash in between leaves a file in tmp/, which the next
 * open removes, or an empty segment, which the next open uses.
 *
 * A segment's space is reserved when it is made (or when an open goes on in
 * it: append.c) and the next one's when it is half full. So a full disk is
 * noticed while there is room left, and that room is kept for deletes and for
 * compaction, which free space.
 */
#include "base/posix.h"
#include "log/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES_FIRST (UINT64_C(1) << 20)
#define SEGMENT_GROWTH	    4
#define TORN_BYTES_KEPT	    (UINT64_C(16) << 20)

/* 1, 4, 16, then 64 MiB, by how much there is: a small store stays small, and
 * a store that is often killed does not grow for it. */
uint64_t log_next_capacity(const struct log *log)
{
	uint64_t capacity = SEGMENT_BYTES_FIRST, written = 0;
	size_t at;

	/* More than half of the largest one makes no difference. */
	for (at = 0;
	     at < log->count && written < log->options.segment_bytes / 2; at++)
		written += log->segments[at].end - SEGMENT_FRAMES_AT;
	while (written >= capacity / 2 && capacity < log->options.segment_bytes)
		capacity *= SEGMENT_GROWTH;
	return capacity < log->options.segment_bytes
		       ? capacity
		       : log->options.segment_bytes;
}

static void header_of(struct log *log, const struct log_segment *after,
		      struct segment_header *header)
{
	*header = (struct segment_header){
		.kind = SEGMENT_LOG,
		.epoch = log->epoch,
		.id = after ? after->header.id + 1 : 1,
		.first_revision = after ? after->head + 1 : 1,
		.last_revision = SEGMENT_OPEN_ENDED,
		.salt = env_random(log->env),
		.previous_id = after ? after->header.id : 0,
		.previous_bytes = after ? after->end : 0,
		.previous_revision = after ? after->head : 0,
		.previous_epoch = after ? after->header.epoch : log->epoch,
		.created_ns = env_wall_ns(log->env),
	};
	if (control_off(CONTROL_SALT_FRESH))
		header->salt = 1;
	memcpy(header->uuid, log->anchor.uuid, UUID_BYTES);
	memcpy(header->previous_chain, log->durable_chain, CHAIN_BYTES);
}

/* A file of `wanted` bytes, or of `least` where there is no more: a segment
 * may be smaller than it should, so that an unclean restart or a delete needs
 * a few KiB on a full disk and not the usual 64 MiB. */
static enum wb_error make_file(struct log *log, uint64_t wanted, uint64_t least,
			       uint64_t *ret_bytes, struct file **ret_file)
{
	uint64_t bytes = wanted;
	struct file *file;
	enum wb_error error;

	error = dir_create_anew(log->dir, LOG_TMP_NAME, &file);
	if (error)
		return error;
	error = file_allocate(file, bytes);
	/* A full disk, or a limit on the size of files. */
	if (error == WB_NO_SPACE && least < wanted) {
		bytes = least;
		error = file_allocate(file, bytes);
	}
	if (error) {
		file_close(file);
		(void)dir_remove(log->dir, LOG_TMP_NAME);
		return error;
	}
	*ret_bytes = bytes;
	*ret_file = file;
	return WB_OK;
}

/* The spare where it holds the group, though a segment as large as it should
 * be might be larger: to pass it over is to keep a reserve that nothing uses.
 * Else a new file. */
static enum wb_error take_file(struct log *log, uint64_t bytes,
			       uint64_t *ret_capacity, struct file **ret_file,
			       const char **ret_name)
{
	uint64_t least = SEGMENT_FRAMES_AT + bytes;
	uint64_t wanted = log_next_capacity(log);

	if (least < SEGMENT_BYTES_MIN)
		least = SEGMENT_BYTES_MIN;
	if (wanted < least)
		wanted = least;
	if (log->spare && log->spare_bytes >= least) {
		*ret_capacity = log->spare_bytes;
		*ret_file = log->spare;
		*ret_name = LOG_SPARE_NAME;
		log->spare = NULL;
		return WB_OK;
	}
	*ret_name = LOG_TMP_NAME;
	return make_file(log, wanted, least, ret_capacity, ret_file);
}

/* Room for one more, so that adding it cannot fail when its file is there. */
static enum wb_error reserve_segment(struct log *log)
{
	struct log_segment *grown;

	pthread_rwlock_wrlock(&log->lock);
	grown = realloc(log->segments, (log->count + 1) * sizeof(*grown));
	if (grown)
		log->segments = grown;
	pthread_rwlock_unlock(&log->lock);
	return grown ? WB_OK : WB_NO_MEMORY;
}

static void add_segment(struct log *log, const struct segment_header *header)
{
	struct log_segment *segment = &log->segments[log->count];

	pthread_rwlock_wrlock(&log->lock);
	*segment = (struct log_segment){
		.header = *header,
		.state = LOG_ACTIVE,
		.end = SEGMENT_FRAMES_AT,
		.head = header->previous_revision,
		.time_min_ns = INT64_MAX,
		.time_max_ns = INT64_MIN,
		.indexed = true,
	};
	entries_begin(&segment->entries, header->first_revision);
	log->count++;
	pthread_rwlock_unlock(&log->lock);
}

/* A write that fails costs nothing: the file is only in tmp/. */
static enum wb_error prepare_file(struct log *log, struct file *file,
				  const char *name,
				  const struct segment_header *header)
{
	enum wb_error error = segment_header_write(file, header);

	if (!error && file_sync(file, CONTROL_HEADER_SYNC))
		error = log_fail(log, "syncing a new segment's header");
	if (error)
		(void)dir_remove(log->dir, name);
	return error;
}

enum wb_error log_start_segment(struct log *log,
				const struct log_segment *after, uint64_t bytes)
{
	struct segment_header header;
	char name[SEGMENT_NAME_SIZE];
	uint64_t capacity;
	const char *from;
	struct file *file;
	enum wb_error error;

	header_of(log, after, &header);
	error = reserve_segment(log); /* `after` may have moved */
	if (!error)
		error = take_file(log, bytes, &capacity, &file, &from);
	if (error)
		return error;
	error = prepare_file(log, file, from, &header);
	if (error) {
		file_close(file);
		return error;
	}
	segment_name(header.id, SEGMENT_LOG, name);
	if (dir_rename(log->dir, from, name, CONTROL_SEGMENT_RENAME) ||
	    dir_sync(log->dir, "", CONTROL_SEGMENT_DIR_SYNC)) {
		file_close(file);
		return log_fail(log, "putting a new segment in place");
	}
	add_segment(log, &header);
	file_close(log->active);
	log->active = file;
	log->capacity = capacity;
	log->reserved = capacity;
	log->zeroed = SEGMENT_FRAMES_AT;
	log->last_type = FRAME_NONE;
	if (!log->anchor_file || control_off(CONTROL_ANCHOR_ROTATE))
		return WB_OK; /* creation writes its anchor last of all */
	return log_write_anchor(log);
}

/* ---- creation ---- */

enum wb_error log_create(struct log *log)
{
	enum wb_error error;

	if (log->options.uuid)
		memcpy(log->anchor.uuid, log->options.uuid, UUID_BYTES);
	else
		log->env->random->fill(log->env->random, log->anchor.uuid,
				       UUID_BYTES);
	log->epoch = env_random(log->env);
	error = chain_start(log->chain, log->anchor.uuid, log->durable_chain);
	if (!error)
		error = dir_make(log->dir, "tmp");
	if (!error)
		error = dir_make(log->dir, "torn");
	if (!error) /* of a creation that did not finish */
		error = segments_remove(log->dir);
	if (!error)
		error = log_start_segment(log, NULL, 0);
	if (error)
		return error;
	log_unstage(log);
	log->anchor.sequence = 1;
	log->anchor.epoch = log->epoch;
	log->anchor.active_id = 1;
	log->anchor.durable_bytes = SEGMENT_FRAMES_AT;
	memcpy(log->anchor.chain, log->durable_chain, CHAIN_BYTES);
	log->anchor.written_ns = env_wall_ns(log->env);
	error = anchor_create(log->dir, &log->anchor);
	if (!error)
		error = dir_sync(log->dir, "..", CONTROL_CREATE_DIR_SYNC);
	if (!error)
		error = dir_open(log->dir, ANCHOR_NAME, FILE_WRITE,
				 &log->anchor_file);
	return error;
}

/* ---- the spare ---- */

/* Where it could not be made it is tried again and again, also without a
 * segment to write to: whoever waits for room waits for this. */
bool log_spare_is_due(const struct log *log)
{
	const struct log_segment *newest = &log->segments[log->count - 1];

	if (log->spare)
		return false;
	return log->reserve_error ||
	       (log->active && newest->end >= log->capacity / 2);
}

void log_make_spare(struct log *log)
{
	uint64_t capacity = log_next_capacity(log);
	enum wb_error error;
	const char *why;

	error = dir_create_anew(log->dir, LOG_SPARE_NAME, &log->spare);
	if (!error)
		error = file_allocate(log->spare, capacity);
	log->spare_bytes = capacity;
	if (error) {
		why = posix_why(error); /* of full and too large, which */
		file_close(log->spare);
		log->spare = NULL;
		(void)dir_remove(log->dir, LOG_SPARE_NAME);
		if (!log->reserve_error)
			diag_warn(log->env->diag,
				  "no room for the next segment (%s): only "
				  "deletes are taken until there is",
				  *why ? why : wb_error_text(error));
	}
	log->reserve_error = error;
}

/* ---- a torn tail ---- */

struct torn {
	struct dir *dir;
	char oldest[128];
	uint64_t bytes;
};

static bool look_at_torn(void *context, const char *entry)
{
	struct torn *torn = context;
	struct file *file;
	char name[300];
	uint64_t size = 0;

	snprintf(name, sizeof(name), "torn/%s", entry);
	if (dir_open(torn->dir, name, FILE_READ, &file))
		return true;
	(void)file_size(file, &size);
	file_close(file);
	torn->bytes += size;
	if (strlen(name) < sizeof(torn->oldest) &&
	    (!torn->oldest[0] || strcmp(name, torn->oldest) < 0))
		memcpy(torn->oldest, name, strlen(name) + 1);
	return true;
}

/* Keep the newest: names begin with the segment's id, so they sort. */
static void prune_torn(struct log *log)
{
	for (;;) {
		struct torn torn = {.dir = log->dir};

		if (dir_list(log->dir, "torn", look_at_torn, &torn) ||
		    torn.bytes <= TORN_BYTES_KEPT || !torn.oldest[0] ||
		    dir_remove(log->dir, torn.oldest))
			return;
	}
}

static enum wb_error copy_bytes(struct file *from, struct file *to,
				uint64_t offset, uint64_t end)
{
	uint8_t bytes[16u << 10];
	enum wb_error error = WB_OK;
	uint64_t at = offset;
	size_t size;

	while (!error && at < end) {
		size = end - at < sizeof(bytes) ? end - at : sizeof(bytes);
		error = file_read(from, bytes, size, at, &size);
		if (!error && size == 0)
			break;
		if (!error)
			error = file_write(to, bytes, size, at - offset);
		at += size;
	}
	return error;
}

static enum wb_error keep_debris(struct log *log, struct file *file,
				 const struct log_segment *segment)
{
	uint64_t debris_end = segment->debris_end;
	char name[64];
	struct file *kept;
	enum wb_error error;

	snprintf(name, sizeof(name), "torn/%016" PRIx64 "-%010" PRIx64,
		 segment->header.id, segment->end);
	if (debris_end - segment->end > TORN_BYTES_KEPT)
		debris_end = segment->end + TORN_BYTES_KEPT;
	error = dir_create_anew(log->dir, LOG_TMP_TORN_NAME, &kept);
	if (error)
		return error;
	error = copy_bytes(file, kept, segment->end, debris_end);
	if (!error)
		error = file_sync(kept, CONTROL_TORN_SYNC);
	file_close(kept);
	if (!error)
		error = dir_rename(log->dir, LOG_TMP_TORN_NAME, name,
				   CONTROL_TORN_RENAME);
	if (!error)
		error = dir_sync(log->dir, "torn", CONTROL_TORN_DIR_SYNC);
	return error;
}

void log_cut_debris(struct log *log, const struct log_segment *segment)
{
	char name[SEGMENT_NAME_SIZE];
	struct file *file = NULL;
	enum wb_error error;

	segment_name(segment->header.id, SEGMENT_LOG, name);
	error = dir_open(log->dir, name, FILE_WRITE, &file);
	if (!error && segment->debris_end > segment->end)
		error = keep_debris(log, file, segment);
	if (!error)
		error = file_truncate(file, segment->end);
	if (error)
		diag_warn(log->env->diag,
			  "%s: the bytes behind offset %" PRIu64
			  " were left in place: %s",
			  name, segment->end, wb_error_text(error));
	file_close(file);
	prune_torn(log);
}
