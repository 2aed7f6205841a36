/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing the log: recovery's verdict becomes the segment that
 * is appended to. An open that does not find CLOSE starts a new segment,
 * whose header says where the old one ends; so the old file need not change
 * before that is durable, and an open that is cut short changes nothing.
 * Discarded: truncating the torn tail in place, which destroys the evidence
 * before anything else holds it.
 */
#include "log/state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES_DEFAULT (UINT64_C(64) << 20)
#define SEGMENT_BYTES_MAX     (UINT64_C(256) << 20)
#define ANCHOR_INTERVAL_NS    INT64_C(1000000000)

enum wb_error log_fail(struct log *log, const char *what)
{
	if (!log->failed)
		diag_warn(log->env->diag,
			  "%s failed: no further change is taken until the "
			  "store is opened again",
			  what);
	log->failed = true;
	return WB_OUTCOME_UNKNOWN;
}

/* ---- tmp/ ---- */

struct sweep {
	struct dir *dir;
	const struct diag *diag;
};

static bool sweep_one(void *context, const char *entry)
{
	struct sweep *sweep = context;
	char name[300];
	enum wb_error error;

	snprintf(name, sizeof(name), "tmp/%s", entry);
	error = dir_remove(sweep->dir, name);
	if (error && error != WB_NOT_FOUND)
		diag_warn(sweep->diag, "%s: left over, and cannot be removed",
			  name);
	return true;
}

/* What an earlier process was making and did not finish. */
static enum wb_error sweep_tmp(struct log *log)
{
	struct sweep sweep = {log->dir, log->env->diag};
	enum wb_error error = dir_list(log->dir, "tmp", sweep_one, &sweep);

	return error == WB_NOT_FOUND ? WB_OK : error;
}

/* ---- open ---- */

static enum wb_error open_for_append(struct log *log)
{
	struct log_segment *newest = log_newest(log);
	char name[SEGMENT_NAME_SIZE];
	enum wb_error error;

	segment_name(newest->header.id, SEGMENT_LOG, name);
	error = dir_open(log->dir, name, FILE_WRITE, &log->active);
	if (!error)
		error = file_size(log->active, &log->capacity);
	/* Space behind the end may be reserved and not zero-filled, or not
	 * even that: a copied file has holes. */
	log->zeroed = newest->end;
	log->reserved = newest->end;
	newest->state = LOG_ACTIVE;
	assert(newest->indexed); /* its footer will have all entries */
	return error;
}

static enum wb_error continue_segment(struct log *log)
{
	if (log->anchor.active_id == log_newest(log)->header.id)
		return WB_OK;
	return log_write_anchor(log);
}

/* The newest segment ends for good where recovery says; a new one follows.
 * Only when its header is durable and anchored is the old file changed. */
static enum wb_error follow_segment(struct log *log,
				    const struct recovery *found)
{
	struct log_segment *old = log_newest(log);
	enum wb_error error;

	/* An anchor may be one segment behind, never two. */
	if (log->anchor.active_id != old->header.id &&
	    !control_off(CONTROL_ANCHOR_CATCH_UP)) {
		error = log_write_anchor(log);
		if (error)
			return error;
	}
	if (control_off(CONTROL_CUT_ORDER) && found->verdict != VERDICT_SEALED)
		log_cut_debris(log, old);
	old->state = found->verdict == VERDICT_SEALED ? LOG_SEALED : LOG_CUT;
	return log_start_segment(log, old, 0);
}

/* Of the segment that was cut just now, and of earlier ones where the process
 * ended before this was done. */
static void cut_debris(struct log *log)
{
	size_t at;

	for (at = 0; at < log->count; at++) {
		const struct log_segment *segment = &log->segments[at];

		if (segment->state == LOG_CUT &&
		    segment->file_bytes > segment->end)
			log_cut_debris(log, segment);
	}
}

static void report_tail(struct log *log, const struct recovery *found)
{
	const struct scan *scan = &found->scan;

	if (found->verdict != VERDICT_TORN)
		return;
	log->torn_bytes = scan->debris_end - scan->end;
	diag_warn(log->env->diag,
		  "%016" PRIx64 ".log: offset %" PRIu64 ": a write of %" PRIu64
		  " bytes after revision %" PRIu64
		  " did not finish and was never acknowledged%s",
		  log_newest(log)->header.id, scan->end, log->torn_bytes,
		  scan->head,
		  log->options.read_only ? "" : "; cut, and kept in torn/");
}

static enum wb_error check_flags(struct log *log)
{
	size_t at;

	for (at = 0; at < log->count; at++)
		if (log->segments[at].header.ro_compat != 0 &&
		    !log->options.read_only) {
			diag_warn(log->env->diag,
				  "a newer version wrote this store; it can "
				  "be opened for reading only");
			return WB_UNSUPPORTED;
		}
	return WB_OK;
}

/* A process that was killed between a rename and the directory's sync left
 * names that are seen and may still be lost. What is acknowledged from now on
 * stands on them. It comes after the files were opened for writing: on an
 * overlay that makes names, where the store was a lower layer's. */
static enum wb_error names_made_durable(struct log *log)
{
	enum wb_error error = dir_sync(log->dir, "", CONTROL_RECOVER_DIR_SYNC);

	if (!error)
		error = dir_sync(log->dir, "..", CONTROL_RECOVER_PARENT_SYNC);
	return error;
}

static enum wb_error open_existing(struct log *log,
				   const struct recovery *found)
{
	enum wb_error error;
	bool continues;

	log->segments = found->segments;
	log->count = found->count;
	log->anchor = found->anchor;
	log->epoch = log_newest(log)->header.epoch;
	error = check_flags(log);
	if (error)
		return error;
	log->last_type = found->scan.last_type;
	memcpy(log->durable_chain, found->scan.chain, CHAIN_BYTES);
	log->durable_revision = found->scan.head;
	report_tail(log, found);
	log_unstage(log);
	if (log->options.read_only)
		return WB_OK;
	error = dir_make(log->dir, "tmp");
	if (!error)
		error = dir_make(log->dir, "torn");
	if (!error)
		error = sweep_tmp(log);
	if (!error)
		error = dir_open(log->dir, ANCHOR_NAME, FILE_WRITE,
				 &log->anchor_file);
	if (error)
		return error;
	continues =
		found->verdict == VERDICT_CLOSED ||
		(found->verdict == VERDICT_CLEAN && found->scan.frames == 0);
	if (continues)
		error = open_for_append(log);
	if (!error)
		error = names_made_durable(log);
	if (!error)
		error = continues ? continue_segment(log)
				  : follow_segment(log, found);
	if (!error)
		cut_debris(log);
	return error;
}

static enum wb_error open_log(struct log *log, log_replay_fn *replay,
			      void *context)
{
	struct recovery found = {0};
	enum wb_error error;

	error = recover(log->dir, log->env, log->chain, replay, context,
			&found);
	if (error == WB_NOT_A_STORE && log->options.create &&
	    !log->options.read_only) {
		error = sweep_tmp(log);
		return error ? error : log_create(log);
	}
	if (error)
		return error;
	return open_existing(log, &found);
}

static uint64_t clamp_segment_bytes(uint64_t bytes)
{
	if (bytes == 0)
		return SEGMENT_BYTES_DEFAULT;
	if (bytes < SEGMENT_BYTES_MIN)
		return SEGMENT_BYTES_MIN;
	return bytes > SEGMENT_BYTES_MAX ? SEGMENT_BYTES_MAX : bytes;
}

/* A commit must not wait until nobody looks back any more. No reader takes it
 * twice. */
static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(
		&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

enum wb_error log_open(struct dir *dir, const struct env *env,
		       const struct log_options *options, log_replay_fn *replay,
		       void *context, struct log **ret_log)
{
	struct log *log = calloc(1, sizeof(*log));
	enum wb_error error;

	if (!log)
		return WB_NO_MEMORY;
	log->dir = dir;
	log->env = env;
	log->options = *options;
	log->options.segment_bytes =
		clamp_segment_bytes(options->segment_bytes);
	log->indexed_bytes_left = LOG_INDEXED_BYTES_MAX;
	lock_init(&log->lock);
	log->chain = chain_new();
	log->own = log_group_new();
	log->anchor_due_ns = env_monotonic_ns(env) + ANCHOR_INTERVAL_NS;
	error = log->chain && log->own ? open_log(log, replay, context)
				       : WB_NO_MEMORY;
	if (error) {
		log_abandon(log);
	} else {
		memcpy(log->uuid, log->anchor.uuid, UUID_BYTES);
		log->options.uuid = NULL;
		*ret_log = log;
	}
	/* A sync that failed while opening: no commit is in doubt. */
	return error == WB_OUTCOME_UNKNOWN ? WB_IO : error;
}

/* ---- close ---- */

void log_abandon(struct log *log)
{
	size_t at;

	if (!log)
		return;
	for (at = 0; at < log->count; at++)
		log_segment_release(&log->segments[at]);
	free(log->segments);
	file_close(log->active);
	file_close(log->spare);
	file_close(log->anchor_file);
	log_group_free(log->own);
	chain_free(log->chain);
	pthread_rwlock_destroy(&log->lock);
	free(log);
}

/* ---- what it knows ---- */

enum wb_error log_write_anchor(struct log *log)
{
	struct log_segment *newest = log_newest(log);
	struct anchor next = log->anchor;
	enum wb_error error;

	next.active_id = newest->header.id;
	next.epoch = newest->header.epoch;
	next.durable_revision = log->durable_revision;
	next.durable_bytes = newest->end;
	memcpy(next.chain, log->durable_chain, CHAIN_BYTES);
	next.written_ns = env_wall_ns(log->env);
	log->anchor_due_ns = env_monotonic_ns(log->env) + ANCHOR_INTERVAL_NS;
	error = anchor_write(log->anchor_file, &next);
	if (error == WB_OUTCOME_UNKNOWN)
		return log_fail(log, "syncing the anchor");
	if (!error)
		log->anchor = next;
	return error;
}

bool log_has_reserve(const struct log *log)
{
	return log->reserve_error == WB_OK;
}

enum wb_error log_reserve_error(const struct log *log)
{
	return log->reserve_error;
}

bool log_has_failed(const struct log *log)
{
	return log->failed;
}

uint64_t log_durable_revision(const struct log *log)
{
	return log->durable_revision;
}

uint64_t log_staged_revision(const struct log *log)
{
	return log->staged_revision;
}

const uint8_t *log_uuid(const struct log *log)
{
	return log->uuid;
}

uint64_t log_epoch(const struct log *log)
{
	return log->epoch;
}

static uint64_t size_of_file(struct log *log, const char *name)
{
	struct file *file;
	uint64_t size = 0;

	if (dir_open(log->dir, name, FILE_READ, &file))
		return 0;
	(void)file_size(file, &size);
	file_close(file);
	return size;
}

enum wb_error log_files(struct log *log,
			bool (*visit)(void *context,
				      const struct wb_file_stat *file),
			void *context)
{
	static const char *const states[] = {
		[LOG_ACTIVE] = "active",
		[LOG_SEALED] = "sealed",
		[LOG_CUT] = "cut",
	};
	bool more = true, wanted = true;
	char name[SEGMENT_NAME_SIZE];
	struct wb_file_stat file;
	size_t at;

	for (at = 0; wanted; at++) {
		pthread_rwlock_rdlock(&log->lock);
		more = at < log->count;
		if (more) {
			const struct log_segment *segment = &log->segments[at];

			segment_name(segment->header.id, SEGMENT_LOG, name);
			file = (struct wb_file_stat){
				.name = name,
				.kind = "log",
				.state = states[segment->state],
				.id = segment->header.id,
				.first_revision =
					segment->header.first_revision,
				.last_revision = segment->head,
				.bytes = segment->end,
			};
		}
		pthread_rwlock_unlock(&log->lock);
		if (!more)
			break;
		file.file_bytes = size_of_file(log, name);
		wanted = visit(context, &file);
	}
	if (!more && size_of_file(log, LOG_SPARE_NAME) > 0)
		visit(context,
		      &(struct wb_file_stat){
			      .name = LOG_SPARE_NAME,
			      .kind = "spare",
			      .state = "ready",
			      .file_bytes = size_of_file(log, LOG_SPARE_NAME)});
	return WB_OK;
}

static bool add_file(void *context, const struct wb_file_stat *file)
{
	struct log_stat *stat = context;

	stat->segments += file->id != 0;
	stat->log_bytes += file->bytes;
	stat->file_bytes += file->file_bytes;
	return true;
}

enum wb_error log_stat(struct log *log, struct log_stat *ret_stat)
{
	struct log_stat stat = {
		.torn_bytes = log->torn_bytes,
		.groups = log->groups,
	};
	enum wb_error error = log_files(log, add_file, &stat);

	if (!error)
		*ret_stat = stat;
	return error;
}
