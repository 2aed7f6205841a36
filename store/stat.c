/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers about the store.
 */
#include "base/sized.h"
#include "store/import.h"
#include "store/state.h"

#include <assert.h>
#include <string.h>

static enum wb_error find_gc_blocked(struct wb_store *store,
				     uint64_t *ret_revision)
{
	struct key key;
	enum wb_error error = key_encode(&store_gc_blocked_key, &key);

	assert(!error);
	error = index_revision(store->index,
			       index_hash(store->index, key.bytes, key.size),
			       key.bytes, key.size, ret_revision);
	return error ? record_rotten(store, RECORD_ROTTEN,
				     &store_gc_blocked_key)
		     : WB_OK;
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
