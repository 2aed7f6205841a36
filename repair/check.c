/* SPDX-License-Identifier: Apache-2.0
 *
 * Check; if asked to, repair, and check again: what the second check does not
 * find any more was fixed. So "fixed" is never the word of the one who did it.
 */
#include "repair/check.h"

#include "base/lock.h"
#include "base/posix.h"
#include "base/sized.h"
#include "log/anchor.h"
#include "log/segment.h"
#include "repair/repair.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

/* ---- in the public words ---- */

enum wb_finding_state check_state(const struct audit_finding *finding)
{
	return finding->severity == AUDIT_NOTE ? WB_FINDING_NOTED
					       : WB_FINDING_LEFT;
}

void check_tell(const struct audit_finding *finding,
		enum wb_finding_state state,
		const struct wb_finding_name *names, size_t count,
		uint64_t more, check_visit_fn *visit, void *context)
{
	struct wb_finding told = {
		.code = audit_rule_code(finding->rule),
		.severity = audit_severity_name(finding->severity),
		.state = state,
		.file = finding->file,
		.offset = finding->offset,
		.bytes = finding->bytes,
		.revision_first = finding->revision_first,
		.revision_last = finding->revision_last,
		.text = audit_rule_text(finding->rule),
		.what = finding->what,
		.remedy = audit_remedy_name(finding->remedy),
		.advice = audit_remedy_text(finding->remedy),
		.names = names,
		.name_count = count,
		.more_names = more,
	};

	if (visit)
		visit(context, &told);
}

void check_sum_up(const struct fsck_summary *from,
		  struct wb_fsck_summary *ret_summary)
{
	uint64_t left = from->findings[AUDIT_WARNING] +
			from->findings[AUDIT_UNSUPPORTED] +
			from->findings[AUDIT_DAMAGE];
	unsigned status = WB_FSCK_CLEAN;

	if (from->findings[AUDIT_WARNING] + from->findings[AUDIT_DAMAGE] > 0)
		status |= WB_FSCK_LEFT;
	/* Of what a newer version wrote, this one cannot say how it stands. */
	if (from->unreadable > 0 || from->findings[AUDIT_UNSUPPORTED] > 0)
		status |= WB_FSCK_OPERATIONAL;
	*ret_summary = (struct wb_fsck_summary){
		.size = sizeof(*ret_summary),
		.status = status,
		.found = left,
		.left = left,
		.notes = from->findings[AUDIT_NOTE],
		.unreadable = from->unreadable,
		.untold = from->untold,
		.revisions_affected = from->revisions_lost,
		.names_exact = from->names_exact,
		.names_probable = from->names_probable,
		.epoch = from->log.epoch,
		.segments = from->log.segments,
		.commits = from->log.commits,
		.mutations = from->log.mutations,
		.file_bytes = from->log.file_bytes,
		.revision = from->log.head,
	};
	memcpy(ret_summary->uuid, from->log.uuid, sizeof(ret_summary->uuid));
	memcpy(ret_summary->chain, from->log.chain, sizeof(ret_summary->chain));
}

const char *check_why(enum wb_error error)
{
	const char *why = posix_why(error);

	return *why ? why : wb_error_text(error);
}

/* ---- the lock ---- */

static bool is_of_a_store(void *context, const char *entry)
{
	bool *found = context;
	enum segment_kind kind;
	uint64_t id;

	*found = strcmp(entry, ANCHOR_NAME) == 0 ||
		 segment_name_parse(entry, &id, &kind);
	return !*found;
}

enum wb_error check_lock(struct dir *dir, bool exclusive,
			 struct wb_text *ret_text)
{
	bool found = false;
	enum wb_error error = dir_list(dir, "", is_of_a_store, &found);

	if (error)
		return text_set(ret_text, error, "the directory: %s",
				check_why(error));
	if (!found)
		return text_set(ret_text, WB_NOT_A_STORE, "no waybill store");
	error = lock_take(dir, exclusive, ret_text);
	return error == WB_NOT_A_STORE ? WB_OK : error;
}

/* ---- checking ---- */

struct meter check_meter(const struct wb_fsck_options *options)
{
	return (struct meter){.tell = options->progress,
			      .context = options->progress_context};
}

unsigned check_threads(const struct wb_fsck_options *options)
{
	return options->threads > 1 ? AUDIT_READ_TWO_THREADS : 0;
}

enum wb_error check_stop(const struct wb_fsck_options *options)
{
	return options->stop && options->stop(options->stop_context)
		       ? WB_CANCELLED
		       : WB_OK;
}

struct checking {
	const struct wb_fsck_options *options;
	struct meter meter;
	check_visit_fn *visit;
	void *context;
	/* With a repair: what was there before, and what is there after it. */
	struct found_list before, after;
	bool telling;
	bool repairing; /* a step of it may have been done */
};

static void take_finding(void *context, const struct audit_finding *finding,
			 const struct wb_finding_name *names, size_t count,
			 uint64_t more)
{
	struct checking *checking = context;

	if (checking->telling)
		check_tell(finding, check_state(finding), names, count, more,
			   checking->visit, checking->context);
	if (checking->options->flags & WB_FSCK_REPAIR)
		found_add(checking->telling ? &checking->after
					    : &checking->before,
			  finding);
}

static enum wb_error cancelled(const struct checking *checking,
			       struct wb_text *ret_text)
{
	return text_set(
		ret_text, WB_CANCELLED, "%s",
		checking->repairing
			? "interrupted: what was begun is finished, and "
			  "another repair does the rest"
			: "interrupted, nothing was changed");
}

static enum wb_error check(struct checking *checking, struct dir *dir,
			   bool telling, struct wb_fsck_summary *ret_summary,
			   struct wb_text *ret_text)
{
	struct fsck_visitor visitor = {
		.finding = take_finding,
		.context = checking,
		.meter = &checking->meter,
		.flags = check_threads(checking->options),
		.stop = checking->options->stop,
		.stop_context = checking->options->stop_context,
	};
	struct fsck_summary summary;
	enum wb_error error;

	checking->telling = telling;
	error = audit_fsck(dir, &visitor, &summary);
	if (error == WB_CANCELLED)
		return cancelled(checking, ret_text);
	if (!error)
		error = checking->before.error ? checking->before.error
					       : checking->after.error;
	if (error)
		return text_set(ret_text, error, "the directory: %s",
				check_why(error));
	check_sum_up(&summary, ret_summary);
	return WB_OK;
}

/* What was there before the repair and is not there any more. */
static uint64_t tell_fixed(struct checking *checking)
{
	uint64_t fixed = 0;

	for (size_t at = 0; at < checking->before.count; at++) {
		const struct found_item *item = &checking->before.items[at];
		struct audit_finding finding;

		if (found_find(&checking->after, item))
			continue;
		finding =
			audit_finding_of(item->rule, item->file, item->offset);
		finding.severity = item->severity;
		finding.remedy = AUDIT_LEAVE;
		fixed += item->severity > AUDIT_NOTE;
		check_tell(&finding, WB_FINDING_FIXED, NULL, 0, 0,
			   checking->visit, checking->context);
	}
	return fixed;
}

static enum wb_error check_and_repair(struct checking *checking,
				      struct dir *dir, const struct env *env,
				      struct wb_fsck_summary *summary,
				      struct wb_text *ret_text)
{
	const struct wb_fsck_options *options = checking->options;
	enum wb_error error, repaired = WB_OK;

	error = check(checking, dir, false, summary, ret_text);
	if (error)
		return error;
	if (repair_is_of_use(&checking->before)) {
		meter_begin(&checking->meter, "repair", "bytes", 0);
		checking->repairing = true;
		repaired = repair_run(dir, env, &checking->before, options);
		if (repaired == WB_CANCELLED)
			return cancelled(checking, ret_text);
		meter_end(&checking->meter);
	}
	error = check(checking, dir, true, summary, ret_text);
	if (error)
		return error;
	summary->fixed = tell_fixed(checking);
	summary->found += summary->fixed;
	if (summary->fixed > 0)
		summary->status |= WB_FSCK_CORRECTED;
	if (repaired)
		summary->status |= WB_FSCK_OPERATIONAL;
	return repaired ? text_set(ret_text, repaired, "the repair: %s",
				   check_why(repaired))
			: WB_OK;
}

enum wb_error check_directory(struct dir *dir, const struct env *env,
			      const struct wb_fsck_options *options,
			      check_visit_fn *visit, void *context,
			      struct wb_fsck_summary *ret_summary,
			      struct wb_text *ret_text)
{
	bool repair = options->flags & WB_FSCK_REPAIR;
	struct checking checking = {.options = options,
				    .meter = check_meter(options),
				    .visit = visit,
				    .context = context};
	struct wb_fsck_summary summary = {.size = 0};
	enum wb_error error = check_lock(dir, repair, ret_text);

	if (!error && repair)
		error = check_and_repair(&checking, dir, env, &summary,
					 ret_text);
	else if (!error)
		error = check(&checking, dir, true, &summary, ret_text);
	/* An error of the repair comes with a summary. */
	if (summary.size > 0)
		*ret_summary = summary;
	found_release(&checking.before);
	found_release(&checking.after);
	return error;
}

/* ---- the door ---- */

void check_say(void *context, enum diag_severity severity, const char *line)
{
	const struct wb_fsck_options *options = context;
	static const char *const words[] = {"note", "warning", "damage"};

	if (options->report)
		options->report(options->report_context,
				(enum wb_severity)severity, line);
	else
		fprintf(stderr, "waybill: %s: %s\n", words[severity], line);
}

enum wb_error check_options(const struct wb_fsck_options *theirs,
			    struct wb_fsck_options *ret_ours,
			    struct wb_text *ret_text)
{
	enum wb_error error = WB_OK;

	*ret_ours = (struct wb_fsck_options){.size = sizeof(*ret_ours)};
	if (theirs)
		error = sized_take(ret_ours, sizeof(*ret_ours), theirs);
	if (error)
		return text_set(ret_text, error, "struct wb_fsck_options %s",
				sized_problem(error));
	if (ret_ours->flags &
	    ~(unsigned)(WB_FSCK_REPAIR | WB_FSCK_ANY_FILESYSTEM))
		return text_set(ret_text, WB_UNSUPPORTED,
				"a flag that this version of the library does "
				"not know");
	return WB_OK;
}

enum wb_error check_open(const char *path, unsigned how,
			 const struct wb_fsck_options *options,
			 struct dir **ret_dir, bool *ret_created,
			 struct wb_text *ret_text)
{
	struct diag diag = {check_say, (void *)(uintptr_t)options};
	enum wb_error error;

	if (options->flags & WB_FSCK_ANY_FILESYSTEM)
		how |= POSIX_DIR_ANY_FILESYSTEM;
	error = posix_dir_open(path, how, &diag, ret_dir, ret_created,
			       ret_text);
	/* The text says what is missing. */
	return error == WB_NOT_FOUND ? WB_NOT_A_STORE : error;
}

enum wb_error wb_fsck(const char *path, const struct wb_fsck_options *options,
		      void (*visit)(void *context,
				    const struct wb_finding *finding),
		      void *context, struct wb_fsck_summary *ret_summary,
		      struct wb_text *ret_text)
{
	struct wb_fsck_options mine;
	struct wb_fsck_summary summary = {.size = sizeof(summary)};
	struct diag diag = {check_say, &mine};
	struct env env = {&posix_clock, &posix_random, &diag};
	enum wb_error error, given;
	struct dir *dir;

	error = sized_give(ret_summary, &summary, sizeof(summary));
	if (error)
		return text_set(ret_text, error, "struct wb_fsck_summary %s",
				sized_problem(error));
	posix_why_forget();
	error = check_options(options, &mine, ret_text);
	if (!error)
		error = check_open(path,
				   mine.flags & WB_FSCK_REPAIR
					   ? 0
					   : POSIX_DIR_READ_ONLY,
				   &mine, &dir, NULL, ret_text);
	if (error)
		return error;
	error = check_directory(dir, &env, &mine, visit, context, &summary,
				ret_text);
	dir_close(dir);
	given = sized_give(ret_summary, &summary, sizeof(summary));
	return error ? error : given;
}
