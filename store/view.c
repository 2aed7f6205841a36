/* SPDX-License-Identifier: Apache-2.0
 *
 * Views: the durable state at one revision, while commits go on.
 *
 * A view is a number. The index tells the newest version of a key; where
 * that is newer than the view, the version it may see was moved to
 * `versions` by the commit that replaced it. Publishing holds the views
 * lock from its first change of the index to its last, so whoever finds the
 * index changed and then takes the lock finds the old version too.
 *
 * Old versions are bounded. When they take more, the oldest view is given
 * up: it answers SNAPSHOT_TOO_OLD from then on, which is checked after
 * anything was read on its behalf, so it never answers wrongly. They all are
 * given up where a replaced record does not verify: under which name and
 * revision views would look for it, it cannot tell.
 */
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

#define VIEW_BYTES_MAX_LEAST (UINT64_C(64) << 20)

/* ---- what publishing does ---- */

static uint64_t oldest_needed(const struct wb_store *store)
{
	return store->oldest_view ? store->oldest_view->revision : UINT64_MAX;
}

static void unlink_view(struct wb_store *store, struct wb_view *view)
{
	if (view->older)
		view->older->newer = view->newer;
	else
		store->oldest_view = view->newer;
	if (view->newer)
		view->newer->older = view->older;
	else
		store->newest_view = view->older;
}

static void give_up_oldest(struct wb_store *store)
{
	struct wb_view *view = store->oldest_view;

	view->too_old = true;
	unlink_view(store, view);
	versions_reclaim(store->versions, oldest_needed(store));
}

static void give_up_all(struct wb_store *store)
{
	while (store->oldest_view)
		give_up_oldest(store);
}

void views_superseded(struct wb_store *store, struct record *old,
		      uint64_t revision)
{
	if (store->newest_view && !record_verifies(old)) {
		(void)record_rotten_alone(
			store,
			"open views are given up, for what was replaced was "
			"damaged:",
			old);
		give_up_all(store);
	}
	/* A view sees it if it began after it and before this commit. */
	if (store->newest_view &&
	    store->newest_view->revision >= old->revision) {
		if (versions_pin(store->versions, old, revision))
			return;
		give_up_all(store);
	}
	record_free(store->heap, old);
}

void views_keep_bound(struct wb_store *store)
{
	uint64_t max = store->options.view_bytes_max;

	if (max == 0) {
		max = index_record_bytes(store->index) / 4;
		if (max < VIEW_BYTES_MAX_LEAST)
			max = VIEW_BYTES_MAX_LEAST;
	}
	while (store->oldest_view && versions_bytes(store->versions) > max)
		give_up_oldest(store);
}

/* ---- begin and end ---- */

enum wb_error wb_view_begin(struct wb_store *store, struct wb_view **ret_view)
{
	enum wb_error error = store_check(store);
	struct wb_view *view;

	if (error)
		return error;
	view = calloc(1, sizeof(*view));
	if (!view)
		return WB_NO_MEMORY;
	view->store = store;
	pthread_mutex_lock(&store->views);
	view->revision = store->published;
	view->older = store->newest_view;
	if (view->older)
		view->older->newer = view;
	else
		store->oldest_view = view;
	store->newest_view = view;
	store->view_count++;
	pthread_mutex_unlock(&store->views);
	*ret_view = view;
	return WB_OK;
}

void wb_view_end(struct wb_view *view)
{
	struct wb_store *store;

	if (!view)
		return;
	store = view->store;
	if (store_check(store))
		return;
	pthread_mutex_lock(&store->views);
	if (!view->too_old)
		unlink_view(store, view);
	store->view_count--;
	versions_reclaim(store->versions, oldest_needed(store));
	pthread_mutex_unlock(&store->views);
	free(view);
}

uint64_t wb_view_revision(const struct wb_view *view)
{
	return view->revision;
}

enum wb_error wb_view(struct wb_store *store,
		      enum wb_error (*callback)(void *context,
						struct wb_view *view),
		      void *context)
{
	struct wb_view *view;
	enum wb_error error = wb_view_begin(store, &view);

	if (error)
		return error;
	error = callback(context, view);
	wb_view_end(view);
	return error;
}

/* ---- reading ---- */

/* Has nothing been published, nor begun to be, since the view began? Then
 * the index is the view. */
static bool is_newest(const struct wb_view *view)
{
	return view->store->publishing == view->revision;
}

static enum wb_error get_old(struct wb_view *view, const struct key *encoded,
			     const struct wb_key *key, void *buffer,
			     size_t size, struct wb_record *ret_record)
{
	struct wb_store *store = view->store;
	const struct record *record;
	enum wb_error error = WB_NOT_FOUND;
	bool damaged = false;

	pthread_mutex_lock(&store->views);
	record = versions_find(store->versions, encoded->bytes, encoded->size,
			       view->revision, &damaged);
	if (view->too_old)
		error = WB_SNAPSHOT_TOO_OLD;
	else if (damaged)
		error = record_rotten(store, RECORD_ROTTEN, key);
	else if (record)
		error = record_copy(store, record, key, buffer, size,
				    ret_record);
	pthread_mutex_unlock(&store->views);
	return error;
}

enum wb_error wb_view_get(struct wb_view *view, const struct wb_key *key,
			  void *buffer, size_t size,
			  struct wb_record *ret_record)
{
	struct wb_store *store = view->store;
	struct key encoded;
	enum wb_error error = store_check(store);

	if (!error)
		error = key_encode(key, &encoded);
	if (error)
		return error;
	if (view->too_old)
		return WB_SNAPSHOT_TOO_OLD;
	error = index_copy(
		store, index_hash(store->index, encoded.bytes, encoded.size),
		&encoded, view->revision, key, buffer, size, ret_record);
	if (error == WB_AGAIN || (error == WB_NOT_FOUND && !is_newest(view)))
		return get_old(view, &encoded, key, buffer, size, ret_record);
	return error;
}

/* What a listing of a view lays over the index: a copy of the next old
 * version, since the view may be given up while the caller looks at it. */
struct old_versions {
	struct wb_view *view;
	struct record *copy;
	size_t capacity;
};

static enum wb_error copy_old(struct old_versions *old,
			      const struct record *record)
{
	struct record *grown;

	if (record_size(record) > old->capacity) {
		grown = realloc(old->copy, record_size(record));
		if (!grown)
			return WB_NO_MEMORY;
		old->copy = grown;
		old->capacity = record_size(record);
	}
	memcpy(old->copy, record, record_size(record));
	return WB_OK;
}

static enum wb_error next_old(struct merge *merge, struct wb_bytes after,
			      const struct record **ret_record)
{
	struct old_versions *old = merge->context;
	struct wb_bytes prefix = {merge->prefix.bytes, merge->prefix.size};
	struct wb_view *view = old->view;
	struct wb_store *store = view->store;
	const struct record *record = NULL;
	enum wb_error error = WB_OK;
	bool damaged = false;

	*ret_record = NULL;
	if (!view->too_old && is_newest(view))
		return WB_OK;
	pthread_mutex_lock(&store->views);
	if (view->too_old)
		error = WB_SNAPSHOT_TOO_OLD;
	else
		record = versions_next(store->versions, prefix, after,
				       view->revision, &damaged);
	if (record)
		error = copy_old(old, record);
	if (damaged)
		error = merge_rotten(merge);
	pthread_mutex_unlock(&store->views);
	if (record && !error)
		*ret_record = old->copy;
	return error;
}

static enum wb_error list(struct wb_view *view, struct merge *merge)
{
	struct old_versions old = {.view = view};
	enum wb_error error;

	merge->store = view->store;
	merge->revision_max = view->revision;
	merge->next_extra = next_old;
	merge->context = &old;
	error = merge_run(merge);
	free(old.copy);
	return error;
}

enum wb_error wb_view_list(struct wb_view *view, uint32_t kind,
			   struct wb_bytes ns, struct wb_bytes prefix,
			   struct wb_bytes after, wb_record_fn *visit,
			   void *context)
{
	struct merge merge = {.visit = visit, .visit_context = context};
	enum wb_error error = store_check(view->store);

	if (!error)
		error = merge_bounds(&merge, kind, ns, prefix, after);
	if (!error && view->too_old)
		error = WB_SNAPSHOT_TOO_OLD;
	return error ? error : list(view, &merge);
}

/* ---- namespaces ---- */

struct first_ns {
	uint8_t bytes[WB_NAMESPACE_BYTES_MAX];
	size_t size;
	bool found;
};

static bool take_ns(void *context, const struct wb_record *record)
{
	struct first_ns *first = context;

	first->found = true;
	first->size = record->key.ns.size;
	if (first->size)
		memcpy(first->bytes, record->key.ns.data, first->size);
	return false;
}

/* From one namespace to the next: the first record behind all that the last
 * one can hold, which end before its name with a 1 in place of the 0. */
enum wb_error wb_view_namespaces(struct wb_view *view, uint32_t kind,
				 bool (*visit)(void *context,
					       struct wb_bytes ns),
				 void *context)
{
	struct merge merge = {.visit = take_ns};
	struct first_ns first;
	enum wb_error error = store_check(view->store);
	bool more = true;

	if (!error && (kind < 1 || kind > WB_KIND_LAST))
		error = WB_BAD_INPUT;
	merge.prefix.bytes[0] = (uint8_t)kind;
	merge.prefix.size = 1;
	merge.after.size = 0;
	merge.visit_context = &first;
	while (!error && more) {
		first = (struct first_ns){0};
		error = list(view, &merge);
		if (error || !first.found)
			break;
		more = visit(context,
			     (struct wb_bytes){first.bytes, first.size});
		merge.after.bytes[0] = (uint8_t)kind;
		if (first.size)
			memcpy(merge.after.bytes + 1, first.bytes, first.size);
		merge.after.bytes[1 + first.size] = 1;
		merge.after.size = 2 + first.size;
	}
	return error;
}
