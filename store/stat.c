/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers about the store.
 */
#include "base/sized.h"
#include "store/import.h"
#include "store/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The newest of kind WB_KIND_GC_BLOCKED, whatever its name. */
static enum wb_error find_any_mark(struct wb_store *store,
				   uint64_t *ret_revision)
{
	static const uint8_t kind = WB_KIND_GC_BLOCKED;
	struct scan_batch batch = {.size = 4096, .more = true};
	struct key after = {.size = 0};
	uint64_t newest = 0;
	enum wb_error error = WB_OK;

	batch.bytes = malloc(batch.size);
	while (batch.bytes && !error && batch.more) {
		const struct record *record;
		uint8_t *grown;
		size_t at = 0;

		error = index_scan(store->index, (struct wb_bytes){&kind, 1},
				   (struct wb_bytes){after.bytes, after.size},
				   &batch);
		if (error == WB_BUFFER) {
			grown = realloc(batch.bytes, batch.needed);
			error = grown ? WB_OK : WB_NO_MEMORY;
			batch.bytes = grown ? grown : batch.bytes;
			batch.size = batch.needed;
			batch.more = true;
			continue;
		}
		while (!error && (record = scan_batch_next(&batch, &at))) {
			if (record->revision > newest)
				newest = record->revision;
			after.size = record->key_bytes;
			memcpy(after.bytes, record->bytes, after.size);
		}
	}
	if (!batch.bytes)
		error = WB_NO_MEMORY;
	free(batch.bytes);
	if (!error)
		*ret_revision = newest;
	return error == WB_CORRUPT ? record_rotten(store, RECORD_ROTTEN,
						   &store_gc_blocked_key)
				   : error;
}

static enum wb_error find_gc_blocked(struct wb_store *store,
				     uint64_t *ret_revision)
{
	struct key key;
	enum wb_error error = key_encode(&store_gc_blocked_key, &key);

	assert(!error);
	error = index_revision(store->index,
			       index_hash(store->index, key.bytes, key.size),
			       key.bytes, key.size, ret_revision);
	if (error)
		return record_rotten(store, RECORD_ROTTEN,
				     &store_gc_blocked_key);
	return index_marks(store->index) == (*ret_revision > 0)
		       ? WB_OK
		       : find_any_mark(store, ret_revision);
}

enum wb_error wb_store_stat(struct wb_store *store, struct wb_stat *ret_stat)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error error = store_check(store);
	struct log_stat log;

	if (!error)
		error = log_stat(store->log, &log);
	if (!error)
		error = find_gc_blocked(store, &stat.gc_blocked);
	if (error)
		return error;
	memcpy(stat.uuid, log_uuid(store->log), sizeof(stat.uuid));
	stat.epoch = log_epoch(store->log);
	stat.segments = log.segments;
	stat.log_bytes = log.log_bytes;
	stat.file_bytes = log.file_bytes;
	stat.torn_bytes = log.torn_bytes;
	stat.groups = log.groups;
#ifdef WAYBILL_PLANT_RACE
	/* A planted fault for the thread sanitizer: a look without the lock. */
	(void)*(volatile size_t *)&store->view_count;
#endif
	/* What publishing changes is changed under this lock. */
	pthread_mutex_lock(&store->views);
	stat.revision = store->published;
	stat.oldest_revision = stat.revision ? 1 : 0;
	stat.commits = store->commits;
	stat.records = index_count(store->index);
	stat.record_bytes = index_record_bytes(store->index);
	stat.pinned_bytes = versions_bytes(store->versions);
	stat.views = store->view_count;
	pthread_mutex_unlock(&store->views);
	return sized_give(ret_stat, &stat, sizeof(stat));
}

enum wb_error wb_store_files(struct wb_store *store,
			     bool (*visit)(void *context,
					   const struct wb_file_stat *file),
			     void *context)
{
	enum wb_error error = store_check(store);

	return error ? error : log_files(store->log, visit, context);
}
