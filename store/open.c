/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing a store: the lock, the log, and the index that replay
 * builds from it.
 */
#include "base/lock.h"
#include "base/posix.h"
#include "base/sized.h"
#include "log/place.h"
#include "store/load.h"
#include "store/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_FLAGS \
	(uint32_t)(WB_OPEN_CREATE | WB_OPEN_READ_ONLY | WB_OPEN_ANY_FILESYSTEM)

/* ---- telling ---- */

static void forward(void *context, enum diag_severity severity,
		    const char *line)
{
	static const char *const words[] = {
		[DIAG_NOTE] = "note",
		[DIAG_WARNING] = "warning",
		[DIAG_DAMAGE] = "damage",
	};
	const struct wb_open_options *options = context;

	if (options->report)
		options->report(options->report_context,
				(enum wb_severity)severity, line);
	else
		fprintf(stderr, "waybill: %s: %s\n", words[severity], line);
}

/* Forward, and keep the first damage for the error's text: of the open, when
 * there is no log yet. Later any thread may come upon damage. */
static void report(void *context, enum diag_severity severity, const char *line)
{
	struct wb_store *store = context;

	if (severity == DIAG_DAMAGE && !store->log && !store->damage.text[0])
		snprintf(store->damage.text, sizeof(store->damage.text), "%s",
			 line);
	forward(&store->options, severity, line);
}

/* ---- open ---- */

void store_free(struct wb_store *store)
{
	versions_release(store->versions);
	if (store->index)
		index_release(store->index);
	if (store->heap)
		heap_release(store->heap);
	keymap_release(&store->overlay);
	operations_release(store->operations);
	log_group_free(store->gathering);
	log_group_free(store->spare_group);
	free(store->hashes);
	dir_close(store->dir);
	posix_alive_free(store->alive);
	pthread_mutex_destroy(&store->staged);
	pthread_mutex_destroy(&store->views);
	free(store);
}

enum wb_error store_new(const struct env *env,
			const struct wb_open_options *options,
			struct wb_store **ret_store)
{
	struct wb_store *store = calloc(1, sizeof(*store));

	if (!store)
		return WB_NO_MEMORY;
	pthread_mutex_init(&store->staged, NULL);
	pthread_mutex_init(&store->views, NULL);
	store->env = *env;
	store->diag = (struct diag){report, store};
	store->env.diag = &store->diag;
	store->options = *options;
	store->opener = (struct wb_actor){getuid(), getgid(), getpid(), NULL};
	store->read_only = options->flags & WB_OPEN_READ_ONLY;
	store->alive = posix_alive_new();
	store->heap = heap_new();
	store->operations = operations_new();
	store->gathering = log_group_new();
	store->spare_group = log_group_new();
	if (store->heap) {
		store->versions = versions_new(store->heap);
		(void)index_new(store->heap, env_random(env), &store->index);
	}
	if (store->alive && store->heap && store->operations &&
	    store->gathering && store->spare_group && store->versions &&
	    store->index) {
		*ret_store = store;
		return WB_OK;
	}
	store_free(store);
	return WB_NO_MEMORY;
}

/* What failed, where that is known, and else only how. */
static enum wb_error tell_why(struct wb_text *text, enum wb_error error)
{
	const char *why = posix_why(error);

	/* Of a file of the store that is no answer to a caller. */
	if (error == WB_EXISTS || error == WB_NOT_FOUND)
		return text_set(text, WB_IO, "%s",
				*why ? why : wb_error_text(error));
	return text_set(text, error, "%s", *why ? why : wb_error_text(error));
}

/* Before the lock: see log/place.h. */
static enum wb_error check_place(struct wb_store *store, struct wb_text *text)
{
	bool create = store->options.flags & WB_OPEN_CREATE;
	struct place place;
	enum wb_error error = place_look(store->dir, &place);

	if (error)
		return tell_why(text, error);
	if (place.kind == PLACE_STORE)
		return WB_OK;
	if (!create || store->read_only)
		return text_set(text, WB_NOT_A_STORE, "no waybill store");
	if (place.kind == PLACE_FREE)
		return WB_OK;
	return text_set(text, WB_NOT_A_STORE,
			"no waybill store, and not empty (%s): a store is made "
			"in an empty or a new directory",
			place.other);
}

static enum wb_error open_log(struct wb_store *store,
			      const struct wb_open_options *options,
			      const uint8_t *uuid, struct wb_text *text)
{
	struct log_options log_options = {
		.create = options->flags & WB_OPEN_CREATE,
		.read_only = store->read_only,
		.segment_bytes = options->segment_bytes,
		.uuid = uuid,
	};
	struct loader loader = {.store = store};
	enum wb_error error, loaded;

	error = log_open(store->dir, &store->env, &log_options, load_commit,
			 &loader, &store->log);
	loaded = load_finish(&loader, error);
	if (loaded && !error)
		log_abandon(store->log);
	error = loaded;
	if (error == WB_CORRUPT)
		return text_set(text, error, "%s", store->damage.text);
	if (error == WB_NOT_A_STORE)
		return text_set(text, error, "no waybill store");
	if (error == WB_UNSUPPORTED)
		return text_set(text, error,
				"written by a newer version of waybill");
	return error ? tell_why(text, error) : WB_OK;
}

enum wb_error store_open_as(struct dir *dir, const struct env *env,
			    const struct wb_open_options *options,
			    const uint8_t *uuid, struct wb_store **ret_store,
			    struct wb_text *ret_text)
{
	struct wb_store *store;
	enum wb_error error = store_new(env, options, &store);

	if (error) {
		dir_close(dir);
		return text_set(ret_text, error, "%s", wb_error_text(error));
	}
	store->dir = dir;
	posix_why_forget();
	error = check_place(store, ret_text);
	if (!error)
		error = lock_take(dir, !store->read_only, ret_text);
	if (!error)
		error = open_log(store, options, uuid, ret_text);
	if (error) {
		store_free(store);
		return error;
	}
	store->published = log_durable_revision(store->log);
	store->publishing = store->published;
	*ret_store = store;
	return WB_OK;
}

enum wb_error store_open_on(struct dir *dir, const struct env *env,
			    const struct wb_open_options *options,
			    struct wb_store **ret_store,
			    struct wb_text *ret_text)
{
	return store_open_as(dir, env, options, NULL, ret_store, ret_text);
}

enum wb_error store_open_options(const struct wb_open_options *options,
				 struct wb_open_options *ret_options,
				 struct wb_text *ret_text)
{
	struct wb_open_options mine = {.size = sizeof(mine)};
	enum wb_error error = WB_OK;

	if (options)
		error = sized_take(&mine, sizeof(mine), options);
	if (error)
		return text_set(ret_text, error, "struct wb_open_options %s",
				sized_problem(error));
	if (mine.flags & ~OPEN_FLAGS)
		return text_set(ret_text, WB_UNSUPPORTED,
				"an open flag that this version of the library "
				"does not know");
	*ret_options = mine;
	return WB_OK;
}

enum wb_error store_dir_open(const char *path,
			     const struct wb_open_options *options,
			     struct dir **ret_dir, bool *ret_created,
			     struct wb_text *ret_text)
{
	struct diag diag = {forward, (void *)(uintptr_t)options};
	unsigned flags = 0;

	if ((options->flags & WB_OPEN_CREATE) &&
	    !(options->flags & WB_OPEN_READ_ONLY))
		flags |= POSIX_DIR_CREATE;
	if (options->flags & WB_OPEN_ANY_FILESYSTEM)
		flags |= POSIX_DIR_ANY_FILESYSTEM;
	if (options->flags & WB_OPEN_READ_ONLY)
		flags |= POSIX_DIR_READ_ONLY;
	return posix_dir_open(path, flags, &diag, ret_dir, ret_created,
			      ret_text);
}

enum wb_error wb_store_open(const char *path,
			    const struct wb_open_options *options,
			    struct wb_store **ret_store,
			    struct wb_text *ret_text)
{
	struct env env = {&posix_clock, &posix_random, NULL};
	struct wb_open_options mine;
	struct dir *dir;
	enum wb_error error = store_open_options(options, &mine, ret_text);

	if (error)
		return error;
	error = store_dir_open(path, &mine, &dir, NULL, ret_text);
	if (error == WB_NOT_FOUND)
		return WB_NOT_A_STORE; /* the text says what is missing */
	if (error)
		return error;
	return store_open_on(dir, &env, &mine, ret_store, ret_text);
}

/* ---- close ---- */

void store_abandon(struct wb_store *store)
{
	if (!store)
		return;
	staged_void(store, WB_OUTCOME_UNKNOWN);
	log_abandon(store->log);
	store_free(store);
}

static enum wb_error flush_all(struct wb_store *store)
{
	struct store_ticket ticket;

	pthread_mutex_lock(&store->staged);
	ticket = (struct store_ticket){log_staged_revision(store->log),
				       store->round};
	pthread_mutex_unlock(&store->staged);
	return store_wait(store, &ticket);
}

enum wb_error wb_store_close(struct wb_store *store)
{
	enum wb_error error, closed;
	bool in_use;

	if (!store)
		return WB_OK;
	error = store_check(store);
	if (error)
		return error;
	pthread_mutex_lock(&store->views);
	in_use = store->view_count > 0;
	pthread_mutex_unlock(&store->views);
	if (in_use || turn_is_taken(store))
		return WB_USAGE;
	error = flush_all(store);
	flush_lead(store);
	if (!error && log_has_failed(store->log))
		error = WB_STOPPED;
	closed = log_close(store->log);
	store_free(store);
	return error ? error : closed;
}
