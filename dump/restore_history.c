/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading the dump of a history: checked whole first, then made again commit
 * by commit, behind a veil (store/import.h), so that a crash leaves no store
 * that lacks the last commits. What only the commits themselves can show (a key
 * is changed twice in one) is found on the way, as is a full disk; then what
 * was made is removed again.
 *
 * Discarded: a store beside the directory, renamed when it is whole. It would
 * take the directory's owner and mode with it, and a place that the caller did
 * not name.
 */
#include "dump/restore.h"

#include "base/lock.h"
#include "base/meter.h"
#include "base/posix.h"
#include "base/sized.h"
#include "dump/batch.h"
#include "dump/document.h"
#include "store/import.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_CHANGES 1024u

struct filling {
	struct wb_store *store;
	const struct wb_load_options *options;
	struct document document;
	struct wb_text *text;
	struct meter meter;

	/* The commit at hand: its facts, its line, its changes. */
	struct store_commit commit;
	uint64_t line;
	uint64_t unasked; /* changes since `stop` was asked */
	char *facts;	  /* what the commit points at */
	size_t facts_capacity;
	struct batch batch;
	struct store_change *changes;
	size_t capacity;

	struct store_ticket ticket; /* of the last one that was staged */
};

static enum wb_error plain(struct wb_text *ret_text, enum wb_error error)
{
	const char *why = posix_why(error); /* "… File too large" */

	return text_set(ret_text, error, "%s",
			error == WB_NO_SPACE && *why ? why
						     : wb_error_text(error));
}

/* ---- the facts of a commit ---- */

static struct wb_bytes keep(char **to, struct wb_bytes bytes)
{
	struct wb_bytes kept = {*to, bytes.size};

	if (bytes.size > 0)
		memcpy(*to, bytes.data, bytes.size);
	*to += bytes.size;
	return kept;
}

/* The line it stands in is gone when its changes are read. */
static enum wb_error keep_commit(struct filling *filling,
				 const struct store_commit *commit)
{
	size_t size = commit->command.size + commit->reason.size +
		      commit->operation_ns.size + commit->operation_id.size + 1;
	char *to;

	if (size > filling->facts_capacity) {
		char *grown = realloc(filling->facts, size);

		if (!grown)
			return plain(filling->text, WB_NO_MEMORY);
		filling->facts = grown;
		filling->facts_capacity = size;
	}
	to = filling->facts;
	filling->commit = *commit;
	filling->commit.command = keep(&to, commit->command);
	filling->commit.reason = keep(&to, commit->reason);
	filling->commit.operation_ns = keep(&to, commit->operation_ns);
	filling->commit.operation_id = keep(&to, commit->operation_id);
	filling->line = filling->document.lines.number;
	batch_clear(&filling->batch);
	return WB_OK;
}

/* ---- commits ---- */

/* Is it to go on? */
static enum wb_error ask(struct filling *filling)
{
	const struct wb_load_options *options = filling->options;

	filling->unasked += filling->commit.changes;
	if (!options->stop || filling->unasked < ASK_CHANGES)
		return WB_OK;
	filling->unasked = 0;
	if (!options->stop(options->stop_context))
		return WB_OK;
	return plain(filling->text, WB_CANCELLED);
}

/* The batch as an array; nothing is copied. */
static enum wb_error list_changes(struct filling *filling)
{
	size_t count = filling->batch.count;

	if (count > filling->capacity) {
		struct store_change *grown =
			realloc(filling->changes, count * sizeof(*grown));

		if (!grown)
			return plain(filling->text, WB_NO_MEMORY);
		filling->changes = grown;
		filling->capacity = count;
	}
	for (size_t at = 0; at < count; at++)
		filling->changes[at] = batch_change(&filling->batch, at);
	return WB_OK;
}

/* Why the store would not take it. `failed`: which change; SIZE_MAX: none. */
static enum wb_error refused(const struct filling *filling, enum wb_error error,
			     size_t failed)
{
	uint64_t line = filling->line;
	const char *what = wb_error_text(error);

	if (failed != SIZE_MAX)
		line = batch_line(&filling->batch, failed);
	switch (error) {
	case WB_USAGE:
		what = "the key is changed twice in one commit";
		break;
	case WB_BAD_INPUT:
	case WB_TOO_LARGE:
		break;
	default:
		return plain(filling->text, error);
	}
	return text_set(filling->text, WB_BAD_INPUT, "line %llu: %s",
			(unsigned long long)line, what);
}

static enum wb_error make_commit(struct filling *filling)
{
	size_t failed = SIZE_MAX;
	struct store_ticket ticket;
	enum wb_error error = list_changes(filling);

	if (error)
		return error;
	error = store_import(filling->store, &filling->commit, filling->changes,
			     &ticket, &failed);
	if (error)
		return refused(filling, error, failed);
	error = store_import_follow(filling->store, &filling->ticket, &ticket);
	if (error)
		return plain(filling->text, error);
	meter_at(&filling->meter, ticket.revision);
	return ask(filling);
}

static enum wb_error take_change(struct filling *filling,
				 const struct entry *entry)
{
	struct store_change change = {
		.key = entry->key,
		.deleted = entry->type == ENTRY_DELETION,
	};
	enum wb_error error = WB_OK;
	void *owned = NULL;

	if (!change.deleted)
		error = entry_value(entry, &change.value, &owned);
	if (!error)
		error = batch_add(&filling->batch, &change,
				  filling->document.lines.number);
	free(owned);
	if (error)
		return plain(filling->text, error);
	return filling->batch.count == filling->commit.changes
		       ? make_commit(filling)
		       : WB_OK;
}

static enum wb_error fill(struct filling *filling)
{
	struct entry entry;
	enum wb_error error = WB_OK;
	bool ended = false;

	while (!error) {
		error = document_next(&filling->document, &entry, &ended,
				      filling->text);
		if (error || ended)
			break;
		error = entry.type == ENTRY_COMMIT
				? keep_commit(filling, &entry.commit)
				: take_change(filling, &entry);
	}
	if (error)
		return error;
	error = store_wait(filling->store, &filling->ticket);
	return error ? plain(filling->text, error) : WB_OK;
}

static void filling_release(struct filling *filling)
{
	document_release(&filling->document);
	batch_release(&filling->batch);
	free(filling->changes);
	free(filling->facts);
}

/* ---- the store ---- */

static enum wb_error make_store(struct filling *filling, struct veil *veil,
				const struct env *env,
				const struct wb_open_options *open)
{
	enum wb_error error, closed;

	error = store_import_open(&veil->dir, env, open, filling->document.uuid,
				  &filling->store, filling->text);
	if (error)
		return error;
	error = fill(filling);
	closed = wb_store_close(filling->store);
	return error || !closed ? error : plain(filling->text, closed);
}

/* All of it, or nothing. */
static enum wb_error make_all(struct filling *filling, struct dir *dir,
			      const struct env *env,
			      const struct wb_open_options *open)
{
	enum wb_error error, certain;
	struct veil veil;

	store_import_veil(&veil, dir);
	error = make_store(filling, &veil, env, open);
	if (!error) {
		error = store_import_finish(dir);
		if (error)
			error = plain(filling->text, error);
	}
	if (!error)
		return WB_OK;
	store_import_remove(dir);
	certain = store_import_without_doubt(error);
	return certain == error
		       ? error
		       : text_set(filling->text, certain, "a sync failed: %s",
				  wb_error_text(certain));
}

enum wb_error restore_history_on(struct dir *dir, const struct env *env,
				 const struct wb_open_options *open,
				 wb_load_read_fn *read, void *context,
				 const struct wb_load_options *options,
				 uint64_t commits, struct wb_text *ret_text)
{
	struct filling filling = {
		.options = options,
		.text = ret_text,
		.meter = {.tell = options->progress,
			  .context = options->progress_context},
	};
	enum wb_error error = store_import_check(dir, ret_text);

	if (!error)
		error = lock_take(dir, true, ret_text);
	if (!error) /* once more: nobody else is there now */
		error = store_import_check(dir, ret_text);
	if (!error)
		error = document_open(&filling.document, read, context,
				      ret_text);
	meter_begin(&filling.meter, "load", "commits", commits);
	if (!error)
		error = make_all(&filling, dir, env, open);
	if (!error)
		meter_end(&filling.meter);
	filling_release(&filling);
	dir_close(dir);
	return error;
}

/* ---- the call ---- */

static enum wb_error check(wb_load_read_fn *read, void *context,
			   const struct wb_load_options *options,
			   struct wb_dump_summary *ret_summary,
			   struct wb_text *ret_text)
{
	enum wb_error error;

	if (options->skip_existing || options->actor || options->reason)
		return text_set(ret_text, WB_USAGE,
				"a history has its own actors and reasons, and "
				"goes where nothing exists");
	error = wb_dump_check(read, context, ret_summary, ret_text);
	if (!error && !ret_summary->history)
		error = text_set(ret_text, WB_BAD_INPUT,
				 "line 1: not of a history");
	return error;
}

/* Could it be made, where it is absent, and written to? */
static enum wb_error try_access(const char *path, bool absent,
				struct wb_text *ret_text)
{
	char *copy = strdup(path), *place = NULL;
	int number = 0;

	/* A directory, "/." says. */
	if (!copy ||
	    asprintf(&place, "%s/.", absent ? dirname(copy) : copy) < 0) {
		free(copy);
		return plain(ret_text, WB_NO_MEMORY);
	}
	if (absent && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		number = ENOTDIR;
	else if (faccessat(AT_FDCWD, place, W_OK | X_OK, AT_EACCESS) != 0)
		number = errno;
	free(place);
	free(copy);
	if (number == 0)
		return WB_OK;
	return text_set(ret_text, posix_error(number),
			"%s: cannot %s the directory: %s", path,
			absent ? "make" : "write to", strerrordesc_np(number));
}

/* Would it be made? */
static enum wb_error try_directory(const char *path,
				   const struct wb_open_options *open,
				   struct wb_text *ret_text)
{
	struct wb_open_options looking = *open;
	enum wb_error error;
	struct dir *dir;

	looking.flags &= ~(uint32_t)WB_OPEN_CREATE;
	error = store_dir_open(path, &looking, &dir, NULL, ret_text);
	if (error == WB_NOT_FOUND)
		return try_access(path, true, ret_text);
	if (error)
		return error;
	error = store_import_check(dir, ret_text);
	dir_close(dir);
	return error ? error : try_access(path, false, ret_text);
}

/* That this call made, and what an abandoned import leaves in it. */
static void remove_directory(const char *path)
{
	static const char *const folders[] = {"tmp", "torn"};
	char name[4096];

	for (size_t at = 0; at < 2; at++) {
		snprintf(name, sizeof(name), "%s/%s", path, folders[at]);
		(void)rmdir(name);
	}
	snprintf(name, sizeof(name), "%s/lock", path);
	(void)unlink(name);
	(void)rmdir(path);
}

static enum wb_error make(const char *path, const struct wb_open_options *open,
			  wb_load_read_fn *read, void *context,
			  const struct wb_load_options *options,
			  uint64_t commits, struct wb_text *ret_text)
{
	const struct env env = {&posix_clock, &posix_random, NULL};
	struct wb_open_options creating = *open;
	bool created = false;
	enum wb_error error;
	struct dir *dir;

	creating.flags &= ~(uint32_t)WB_OPEN_READ_ONLY;
	creating.flags |= WB_OPEN_CREATE;
	error = store_dir_open(path, &creating, &dir, &created, ret_text);
	if (error)
		return error;
	error = restore_history_on(dir, &env, &creating, read, context, options,
				   commits, ret_text);
	if (error && created)
		remove_directory(path);
	return error;
}

enum wb_error wb_load_history(const char *path,
			      const struct wb_open_options *open,
			      wb_load_read_fn *read, void *context,
			      const struct wb_load_options *options,
			      struct wb_load_result *ret_result,
			      struct wb_text *ret_text)
{
	struct wb_dump_summary summary = {.size = sizeof(summary)};
	struct wb_load_result result = {.size = sizeof(result)};
	struct wb_load_options mine;
	struct wb_open_options opening;
	enum wb_error error =
		restore_begin(options, &mine, ret_result, ret_text);

	if (!error)
		error = store_open_options(open, &opening, ret_text);
	if (!error)
		error = check(read, context, &mine, &summary, ret_text);
	if (!error)
		error = mine.dry_run ? try_directory(path, &opening, ret_text)
				     : make(path, &opening, read, context,
					    &mine, summary.commits, ret_text);
	result.commits = result.revision = summary.commits;
	if (!error && ret_result)
		(void)sized_give(ret_result, &result, sizeof(result));
	return error;
}
