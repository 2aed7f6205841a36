/* SPDX-License-Identifier: Apache-2.0
 *
 * The import goes through the store itself, onto a veil that keeps the anchor
 * under another name (store/veil.h). Names that are lost come from two
 * sources: a commit that survived and says that it replaced one that did not,
 * and what fsck makes of damaged frames and of footers.
 *
 * Discarded: one commit with the live state instead of the history. It keeps
 * every value and forgets who put it there, which is what a log is for; and
 * the chain of an exported head would end with it. Discarded, too: empty
 * commits in place of the lost ones, so that the others keep their revisions.
 * A commit that nobody made would then be told as history.
 */
#include "repair/salvage.h"

#include "audit/survivors.h"
#include "base/array.h"
#include "base/lock.h"
#include "base/posix.h"
#include "base/sized.h"
#include "log/chain.h"
#include "log/segment.h"
#include "repair/check.h"
#include "repair/list.h"
#include "store/import.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum {
	NAMES_MAX = 100000,	     /* of one finding */
	IMPORT_STEP_BYTES = 4 << 20, /* made durable at a time */
};

struct salvage {
	struct dir *from, *to;
	struct veil veil; /* of `to` */
	const struct env *env;
	const struct wb_fsck_options *options;
	const struct wb_salvage_visitor *visitor;
	struct meter meter;
	struct wb_text *text;
	struct wb_salvage_summary summary;
	struct wb_fsck_summary checked; /* `from` */
	struct losses losses;
	uint64_t head;	     /* newest revision of `from` that survived */
	bool denied;	     /* a file of `from` is for others to read */
	enum wb_error error; /* of a callback that returns none */

	/* ---- the import ---- */
	struct wb_store *store;
	struct store_change *changes;
	size_t change_capacity;
	struct store_ticket ticket; /* of the last commit */
	size_t step_bytes;
	uint64_t digest; /* of all that was brought over */
	struct chain *chain;
	uint8_t chain_value[CHAIN_BYTES]; /* at summary.unchanged */
};

/* ---- the target ---- */

static bool take_any(void *context, const char *entry)
{
	bool *empty = context;

	(void)entry;
	*empty = false;
	return false;
}

static bool take_entry(void *context, const char *entry)
{
	bool *empty = context;

	*empty = strcmp(entry, "lost+found") == 0 ||
		 strcmp(entry, "tmp") == 0 || strcmp(entry, "torn") == 0;
	return *empty;
}

enum wb_error salvage_check_target(struct dir *to)
{
	static const char *const folders[] = {"tmp", "torn"};
	bool empty = true;
	enum wb_error error = dir_list(to, "", take_entry, &empty);

	for (unsigned at = 0; at < 2 && !error && empty; at++) {
		error = dir_list(to, folders[at], take_any, &empty);
		if (error == WB_NOT_FOUND)
			error = WB_OK;
	}
	if (error)
		return error;
	return empty ? WB_OK : WB_EXISTS;
}

static void clean_up(struct dir *to)
{
	store_import_remove(to);
	(void)dir_remove(to, WB_SALVAGE_LIST);
	(void)dir_remove(to, "lock");
}

/* ---- the damaged store ---- */

static void take_finding(void *context, const struct audit_finding *finding,
			 const struct wb_finding_name *names, size_t count,
			 uint64_t more)
{
	struct salvage *salvage = context;

	check_tell(finding, check_state(finding), names, count, more,
		   salvage->visitor->finding, salvage->visitor->context);
	salvage->denied = salvage->denied || finding->remedy == AUDIT_ACCESS;
	for (size_t at = 0; at < count && !salvage->error; at++)
		salvage->error =
			losses_name(&salvage->losses, &names[at].key,
				    names[at].revision, names[at].exact);
	if (!salvage->error)
		salvage->error = losses_unknown(&salvage->losses,
						finding->revision_first,
						finding->revision_last, more);
}

static enum wb_error check_source(struct salvage *salvage)
{
	struct fsck_visitor visitor = {.finding = take_finding,
				       .context = salvage,
				       .names_max = NAMES_MAX,
				       .meter = &salvage->meter,
				       .stop = salvage->options->stop,
				       .stop_context =
					       salvage->options->stop_context,
				       .flags =
					       check_threads(salvage->options)};
	struct fsck_summary summary;
	bool unfinished = false;
	enum wb_error error = audit_fsck(salvage->from, &visitor, &summary);

	if (!error)
		error = salvage->error;
	if (!error)
		error = store_import_unfinished(salvage->from, &unfinished);
	if (error)
		return text_set(salvage->text, error, "the damaged store: %s",
				check_why(error));
	check_sum_up(&summary, &salvage->checked);
	/* What it was made of has all of it. */
	if (unfinished)
		return text_set(salvage->text, WB_CORRUPT,
				"a salvage or a load into it did not finish: "
				"remove the directory, and do it again");
	if (summary.findings[AUDIT_UNSUPPORTED] > 0)
		return text_set(salvage->text, WB_UNSUPPORTED,
				"a newer version wrote it, and may have "
				"written what this one does not see");
	/* What only another user can read is not lost. */
	if (salvage->denied)
		return text_set(salvage->text, WB_PERMISSION,
				"a file of it may not be read by this user");
	return WB_OK;
}

/* ---- a number for a commit ---- */

static uint64_t add_bytes(uint64_t digest, struct wb_bytes bytes)
{
	digest = XXH3_64bits_withSeed(&bytes.size, sizeof(bytes.size), digest);
	return bytes.size ? XXH3_64bits_withSeed(bytes.data, bytes.size, digest)
			  : digest;
}

/* All that an import keeps: not the revision, and not what was replaced. */
static uint64_t digest_of(uint64_t digest, const struct audit_commit *commit)
{
	uint64_t numbers[] = {(uint64_t)commit->time_ns,
			      commit->uid,
			      commit->gid,
			      (uint32_t)commit->pid,
			      commit->request_hash,
			      commit->mutation_count};

	digest = XXH3_64bits_withSeed(numbers, sizeof(numbers), digest);
	digest = add_bytes(digest, commit->command);
	digest = add_bytes(digest, commit->reason);
	digest = add_bytes(digest, commit->operation_ns);
	digest = add_bytes(digest, commit->operation_id);
	for (size_t at = 0; at < commit->mutation_count; at++) {
		const struct audit_mutation *mutation = &commit->mutations[at];
		uint64_t what[] = {mutation->key.kind, mutation->deleted};

		digest = XXH3_64bits_withSeed(what, sizeof(what), digest);
		digest = add_bytes(digest, mutation->key.ns);
		digest = add_bytes(digest, mutation->key.name);
		if (!mutation->deleted)
			digest = add_bytes(digest, mutation->value);
	}
	return digest;
}

/* ---- import ---- */

static enum wb_error wait_for_step(struct salvage *salvage)
{
	salvage->step_bytes = 0;
	return store_wait(salvage->store, &salvage->ticket);
}

/* Staged as the next revision. */
static enum wb_error import(struct salvage *salvage,
			    const struct store_commit *commit,
			    const struct store_change *changes)
{
	struct store_ticket ticket;
	enum wb_error error =
		store_import(salvage->store, commit, changes, &ticket, NULL);

	if (!error)
		error = store_import_follow(salvage->store, &salvage->ticket,
					    &ticket);
	return error;
}

static enum wb_error import_survivor(struct salvage *salvage,
				     const struct audit_commit *commit)
{
	const struct store_commit as = {
		.time_ns = commit->time_ns,
		.uid = commit->uid,
		.gid = commit->gid,
		.pid = commit->pid,
		.command = commit->command,
		.reason = commit->reason,
		.operation_ns = commit->operation_ns,
		.operation_id = commit->operation_id,
		.request_hash = commit->request_hash,
		.changes = commit->mutation_count,
	};

	if (!array_grow(&salvage->changes, &salvage->change_capacity,
			commit->mutation_count, sizeof(*salvage->changes)))
		return WB_NO_MEMORY;
	for (size_t at = 0; at < commit->mutation_count; at++)
		salvage->changes[at] = (struct store_change){
			.key = commit->mutations[at].key,
			.value = commit->mutations[at].value,
			.deleted = commit->mutations[at].deleted,
		};
	return import(salvage, &as, salvage->changes);
}

/* What it says that it replaced, and that did not survive. */
static enum wb_error note_lost_names(struct salvage *salvage,
				     const struct audit_commit *commit)
{
	enum wb_error error = WB_OK;

	for (size_t at = 0; at < commit->mutation_count && !error; at++) {
		const struct audit_mutation *mutation = &commit->mutations[at];

		if (mutation->previous_revision > 0 &&
		    losses_is_lost(&salvage->losses,
				   mutation->previous_revision))
			error = losses_name(&salvage->losses, &mutation->key,
					    mutation->previous_revision, true);
	}
	return error;
}

/* As long as nothing is lost, the old store's chain value. */
static enum wb_error follow_chain(struct salvage *salvage,
				  const struct audit_commit *commit)
{
	if (!salvage->chain || salvage->losses.range_count > 0)
		return WB_OK;
	salvage->summary.unchanged = commit->revision;
	return chain_next(salvage->chain, commit->payload,
			  salvage->chain_value);
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit)
{
	struct salvage *salvage = context;
	enum wb_error error = check_stop(salvage->options);

	if (!error)
		error = note_lost_names(salvage, commit);
	if (!error)
		error = import_survivor(salvage, commit);
	if (error)
		return error;
	salvage->head = commit->revision;
	salvage->summary.commits++;
	salvage->digest = digest_of(salvage->digest, commit);
	error = follow_chain(salvage, commit);
	salvage->step_bytes += commit->payload.size;
	if (error || salvage->step_bytes < IMPORT_STEP_BYTES)
		return error;
	return wait_for_step(salvage);
}

static enum wb_error take_lost(void *context, uint64_t first, uint64_t last)
{
	struct salvage *salvage = context;

	return losses_range(&salvage->losses, first, last);
}

static void say_what_is_lost(const struct salvage *salvage, char *to,
			     size_t room)
{
	const struct wb_salvage_summary *summary = &salvage->summary;
	char unknown[120] = "";

	/* First, for it is the worse news. */
	if (summary->unknown_from > 0)
		snprintf(unknown, sizeof(unknown),
			 "how many revisions there were after %" PRIu64
			 " cannot be told; up to there ",
			 summary->unknown_from - 1);
	snprintf(to, room,
		 "salvage: %s%" PRIu64 " of %" PRIu64
		 " revisions of epoch %016" PRIx64 " are lost, see %s",
		 unknown, summary->revisions_lost,
		 summary->revisions_lost + summary->commits,
		 salvage->checked.epoch, WB_SALVAGE_LIST);
}

/* A mark that was brought over stays: what was lost then still is. */
static enum wb_error choose_mark(struct salvage *salvage, char *to, size_t room)
{
	struct wb_key key = store_gc_blocked_key;
	enum wb_error error = WB_OK;

	if (salvage->summary.commits > 0)
		error = wait_for_step(salvage);
	if (error)
		return error;
	for (unsigned number = 1; !error || error == WB_BUFFER; number++) {
		struct wb_record record;
		int size =
			snprintf(to, room, "%.*s",
				 (int)store_gc_blocked_key.name.size,
				 (const char *)store_gc_blocked_key.name.data);

		if (number > 1)
			snprintf(to + size, room - (size_t)size, " %u", number);
		key.name = (struct wb_bytes){to, strlen(to)};
		error = wb_get(salvage->store, &key, NULL, 0, &record);
	}
	return error == WB_NOT_FOUND ? WB_OK : error;
}

/* The last commit, by whoever salvages. */
static enum wb_error import_mark(struct salvage *salvage)
{
	struct store_change change = {.key = store_gc_blocked_key};
	struct store_commit commit = {
		.time_ns = env_wall_ns(salvage->env),
		.uid = getuid(),
		.gid = getgid(),
		.pid = getpid(),
		.changes = 1,
	};
	char reason[300], name[32];
	enum wb_error error = choose_mark(salvage, name, sizeof(name));

	if (error)
		return error;
	change.key.name = (struct wb_bytes){name, strlen(name)};
	say_what_is_lost(salvage, reason, sizeof(reason));
	commit.reason = (struct wb_bytes){reason, strlen(reason)};
	commit.command = (struct wb_bytes){"salvage", 7};
	change.value = commit.reason;
	error = import(salvage, &commit, &change);
	return error ? error : wait_for_step(salvage);
}

/* ---- what became of the names ---- */

struct newest {
	uint64_t revision; /* 0: there is no version */
};

static bool take_newest(void *context, const struct wb_version *version)
{
	struct newest *newest = context;

	newest->revision = version->record.revision;
	return false;
}

static enum wb_error look_up_names(struct salvage *salvage)
{
	enum wb_error error = WB_OK;

	for (size_t at = 0; at < salvage->losses.name_count && !error; at++) {
		struct wb_salvage_name *name = &salvage->losses.names[at];
		struct newest newest = {0};

		error = wb_history(salvage->store, &name->key, 0, 1,
				   take_newest, &newest);
		if (newest.revision == 0)
			name->now = WB_SALVAGE_ABSENT;
		else if (name->revision > 0 &&
			 losses_old_revision(&salvage->losses,
					     newest.revision) > name->revision)
			name->now = WB_SALVAGE_CURRENT;
		else
			name->now = WB_SALVAGE_OLDER;
		salvage->summary.names_exact += name->exact;
		salvage->summary.names_probable += !name->exact;
	}
	return error;
}

static void count_losses(struct salvage *salvage)
{
	struct losses *losses = &salvage->losses;
	struct wb_salvage_summary *summary = &salvage->summary;

	losses->unknown_from = summary->unknown_from;
	losses_settle(losses);
	summary->revisions_lost = losses_below(losses, UINT64_MAX);
	summary->names_unknown = losses->names_unknown;
	summary->revisions_nameless = losses->revisions_nameless;
}

static enum wb_error fill_store(struct salvage *salvage)
{
	struct audit_survivors_visitor visitor = {
		.commit = take_commit,
		.lost = take_lost,
		.context = salvage,
		.meter = &salvage->meter,
	};
	struct audit_survivors survivors;
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error error;

	error = audit_survivors_read(salvage->from, &visitor, &survivors);
	if (error)
		return error;
	salvage->summary.unknown_from = survivors.unknown_from;
	count_losses(salvage);
	error = import_mark(salvage);
	if (!error)
		error = look_up_names(salvage);
	if (!error)
		error = wb_store_stat(salvage->store, &stat);
	memcpy(salvage->summary.uuid, stat.uuid, sizeof(stat.uuid));
	salvage->summary.epoch = stat.epoch;
	salvage->summary.revision = stat.revision;
	return error;
}

/* Where no header and no anchor says which store it was, it is a new one. */
static enum wb_error choose_uuid(struct salvage *salvage,
				 const uint8_t **ret_uuid)
{
	static const uint8_t none[UUID_BYTES];
	const uint8_t *uuid = salvage->checked.uuid;

	*ret_uuid = NULL;
	if (memcmp(uuid, none, sizeof(none)) == 0)
		return WB_OK;
	*ret_uuid = uuid;
	salvage->chain = chain_new();
	return salvage->chain
		       ? chain_start(salvage->chain, uuid, salvage->chain_value)
		       : WB_NO_MEMORY;
}

/* A store of what survives, without its anchor's name. */
static enum wb_error make_store(struct salvage *salvage)
{
	const uint8_t *uuid;
	struct wb_open_options options = {
		.size = sizeof(options),
		.report = salvage->options->report,
		.report_context = salvage->options->report_context,
	};
	struct wb_text inner = {""};
	enum wb_error error, closed;

	store_import_veil(&salvage->veil, salvage->to);
	error = choose_uuid(salvage, &uuid);
	if (error)
		return text_set(salvage->text, error, "%s",
				wb_error_text(error));
	error = store_import_open(&salvage->veil.dir, salvage->env, &options,
				  uuid, &salvage->store, &inner);
	if (error)
		return text_set(salvage->text, error, "the new store: %s",
				*inner.text ? inner.text : check_why(error));
	error = fill_store(salvage);
	closed = wb_store_close(salvage->store);
	salvage->store = NULL;
	error = store_import_without_doubt(error ? error : closed);
	return error ? text_set(salvage->text, error, "the new store: %s",
				check_why(error))
		     : WB_OK;
}

/* ---- reading back ---- */

struct reading {
	const struct salvage *salvage;
	uint64_t commits, digest;
	bool same_chain; /* at summary.unchanged */
};

static enum wb_error read_back(void *context, const struct audit_commit *commit,
			       const struct audit_place *place)
{
	struct reading *reading = context;
	const struct salvage *salvage = reading->salvage;

	if (commit->revision == salvage->summary.unchanged &&
	    memcmp(place->chain, salvage->chain_value, CHAIN_BYTES) == 0)
		reading->same_chain = true;
	/* The last one is the mark. */
	if (reading->commits++ < salvage->summary.commits)
		reading->digest = digest_of(reading->digest, commit);
	return WB_OK;
}

struct dropping {
	struct dir *dir;
	enum wb_error error;
};

/* So that it is the disk that is read. All of it was synced. */
static bool drop_segment(void *context, const char *entry)
{
	struct dropping *dropping = context;
	enum segment_kind kind;
	struct file *file;
	uint64_t id;

	if (!segment_name_parse(entry, &id, &kind))
		return true;
	dropping->error = dir_open(dropping->dir, entry, FILE_READ, &file);
	if (dropping->error)
		return false;
	dropping->error = file_drop_cache(file, 0, CONTROL_SALVAGE_DROP_CACHE);
	file_close(file);
	return dropping->error == WB_OK;
}

static enum wb_error verify(struct salvage *salvage)
{
	struct reading reading = {.salvage = salvage};
	struct audit_visitor visitor = {
		.commit = read_back,
		.context = &reading,
		.meter = &salvage->meter,
		.phase = "verify",
	};
	struct dropping dropping = {.dir = salvage->to};
	struct audit_summary summary;
	enum wb_error error =
		dir_list(salvage->to, "", drop_segment, &dropping);

	if (!error)
		error = dropping.error;
	if (!error)
		error = audit_read(&salvage->veil.dir,
				   AUDIT_READ_ENTRIES |
					   check_threads(salvage->options),
				   &visitor, &summary);
	if (error)
		return text_set(salvage->text, error, "reading it back: %s",
				check_why(error));
	if (!reading.same_chain)
		salvage->summary.unchanged = 0;
	if (summary.verdict == AUDIT_CLOSED &&
	    summary.findings[AUDIT_WARNING] == 0 &&
	    reading.commits == salvage->summary.commits + 1 &&
	    reading.digest == salvage->digest)
		return WB_OK;
	if (control_off(CONTROL_SALVAGE_VERIFY))
		return WB_OK;
	return text_set(salvage->text, WB_CORRUPT,
			"the new store reads back otherwise than it was "
			"written: do not trust that disk");
}

/* ---- telling ---- */

static void tell(const struct salvage *salvage)
{
	const struct wb_salvage_visitor *visitor = salvage->visitor;
	const struct losses *losses = &salvage->losses;
	struct wb_salvage_move move;
	size_t at = 0;

	for (size_t i = 0; i < losses->range_count && visitor->lost; i++)
		visitor->lost(visitor->context, losses->ranges[i].first,
			      losses->ranges[i].last);
	while (visitor->moved &&
	       losses_next_move(losses, salvage->head, &at, &move))
		visitor->moved(visitor->context, &move);
	for (size_t i = 0; i < losses->name_count && visitor->name; i++)
		visitor->name(visitor->context, &losses->names[i]);
	if (visitor->checked)
		visitor->checked(visitor->context, &salvage->checked);
}

static void set_status(struct wb_salvage_summary *summary,
		       const struct wb_fsck_summary *checked)
{
	summary->status = checked->status & WB_FSCK_OPERATIONAL;
	if (summary->revisions_lost > 0 || summary->unknown_from > 0)
		summary->status |= WB_FSCK_LEFT;
	else if (checked->left > 0)
		summary->status |= WB_FSCK_CORRECTED;
}

/* The list, and then the commit point. */
static enum wb_error finish(struct salvage *salvage)
{
	enum wb_error error = list_write(salvage->to, &salvage->losses,
					 salvage->head, &salvage->summary);

	if (!error)
		error = store_import_finish(salvage->to);
	return error ? text_set(salvage->text, error, "the new store: %s",
				check_why(error))
		     : WB_OK;
}

enum wb_error salvage_run(struct dir *from, struct dir *to,
			  const struct env *env,
			  const struct wb_fsck_options *options,
			  const struct wb_salvage_visitor *visitor,
			  struct wb_salvage_summary *ret_summary,
			  struct wb_text *ret_text)
{
	struct salvage salvage = {
		.from = from,
		.to = to,
		.env = env,
		.options = options,
		.visitor = visitor,
		.meter = check_meter(options),
		.text = ret_text,
		.summary = {.size = sizeof(salvage.summary)},
	};
	enum wb_error error = check_source(&salvage);

	if (!error)
		error = make_store(&salvage);
	if (!error)
		error = verify(&salvage);
	if (!error)
		error = finish(&salvage);
	if (error) {
		clean_up(to);
	} else {
		set_status(&salvage.summary, &salvage.checked);
		tell(&salvage);
		*ret_summary = salvage.summary;
	}
	chain_free(salvage.chain);
	losses_release(&salvage.losses);
	free(salvage.changes);
	return error;
}

/* ---- the door ---- */

struct doors {
	struct dir *from, *to;
	bool created;
};

static enum wb_error open_source(const char *path,
				 const struct wb_fsck_options *options,
				 struct doors *doors, struct wb_text *ret_text)
{
	enum wb_error error = check_open(path, POSIX_DIR_READ_ONLY, options,
					 &doors->from, NULL, ret_text);

	return error ? error : check_lock(doors->from, false, ret_text);
}

/* `path`, or where it is to be made: as far as it exists, without links. */
static char *real_path(const char *path)
{
	char *real = realpath(path, NULL), *copy;

	if (real || errno != ENOENT)
		return real;
	copy = strdup(path);
	real = copy ? realpath(dirname(copy), NULL) : NULL;
	free(copy);
	return real;
}

/* What is salvaged is not changed, nor does it get a store inside. */
static bool is_inside(const char *path, const char *folder)
{
	char *real = real_path(path), *real_folder = realpath(folder, NULL);
	size_t size = real_folder ? strlen(real_folder) : 0;
	bool inside = real && real_folder &&
		      strncmp(real, real_folder, size) == 0 &&
		      (real[size] == '/' || real[size] == '\0');

	free(real);
	free(real_folder);
	return inside;
}

static enum wb_error open_target(const char *path, const char *from,
				 const struct wb_fsck_options *options,
				 struct doors *doors, struct wb_text *ret_text)
{
	enum wb_error error;

	if (is_inside(path, from))
		return text_set(ret_text, WB_USAGE,
				"%s: it is in the store that is salvaged, "
				"which stays as it is",
				path);
	error = check_open(path, POSIX_DIR_CREATE, options, &doors->to,
			   &doors->created, ret_text);
	/* That is for where a store should be. */
	if (error)
		return error == WB_NOT_A_STORE ? WB_NOT_FOUND : error;
	error = salvage_check_target(doors->to);
	if (error)
		return text_set(ret_text, error,
				"%s: %s: a store is salvaged into an empty or "
				"a new directory",
				path, wb_error_text(error));
	return lock_take(doors->to, true, ret_text);
}

/* What a failed salvage made is gone, but for directories. */
static void remove_target(const char *path)
{
	static const char *const folders[] = {"tmp", "torn"};
	char name[4096];

	for (unsigned at = 0; at < 2; at++) {
		snprintf(name, sizeof(name), "%s/%s", path, folders[at]);
		(void)rmdir(name);
	}
	/* Of a lock that could not be had. */
	snprintf(name, sizeof(name), "%s/lock", path);
	(void)unlink(name);
	(void)rmdir(path);
}

static enum wb_error take_structs(const struct wb_fsck_options *options,
				  const struct wb_salvage_visitor *visitor,
				  struct wb_salvage_summary *summary,
				  struct wb_fsck_options *ret_options,
				  struct wb_salvage_visitor *ret_visitor,
				  struct wb_text *ret_text)
{
	static const struct wb_salvage_summary none;
	enum wb_error error = sized_give(summary, &none, sizeof(none));

	if (error)
		return text_set(ret_text, error, "struct wb_salvage_summary %s",
				sized_problem(error));
	error = sized_take(ret_visitor, sizeof(*ret_visitor), visitor);
	if (error)
		return text_set(ret_text, error, "struct wb_salvage_visitor %s",
				sized_problem(error));
	return check_options(options, ret_options, ret_text);
}

enum wb_error wb_salvage(const char *from, const char *to,
			 const struct wb_fsck_options *options,
			 const struct wb_salvage_visitor *visitor,
			 struct wb_salvage_summary *ret_summary,
			 struct wb_text *ret_text)
{
	struct wb_salvage_summary summary;
	struct wb_salvage_visitor telling;
	struct wb_fsck_options mine;
	struct diag diag = {check_say, &mine};
	struct env env = {&posix_clock, &posix_random, &diag};
	struct doors doors = {.from = NULL};
	enum wb_error error = take_structs(options, visitor, ret_summary, &mine,
					   &telling, ret_text);

	posix_why_forget();
	if (!error)
		error = open_source(from, &mine, &doors, ret_text);
	if (!error)
		error = open_target(to, from, &mine, &doors, ret_text);
	if (!error)
		error = salvage_run(doors.from, doors.to, &env, &mine, &telling,
				    &summary, ret_text);
	dir_close(doors.from);
	dir_close(doors.to);
	if (error && error != WB_LOCKED && doors.created)
		remove_target(to);
	return error ? error
		     : sized_give(ret_summary, &summary, sizeof(summary));
}
