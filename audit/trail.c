/* SPDX-License-Identifier: Apache-2.0
 *
 * The log is replayed while it is read, so that the version before each change
 * is at hand. Discarded: newest first, by looking each version's predecessor up
 * in the log. That reads little for one name and the whole log once for each
 * change of all names, and an audit wants all.
 */
#include "audit/trail.h"

#include "audit/open.h"
#include "audit/replay.h"

#include "base/diag.h"
#include "base/sized.h"

#include <string.h>

struct trail {
	const struct audit_visitor *findings;
	const struct wb_audit_filter *filter;
	wb_audit_fn *visit;
	void *context;
	struct replay *replay;
	uint64_t contradictions; /* that the replay found */
	bool stopped;
};

static bool same(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool commit_is_wanted(const struct wb_audit_filter *filter,
			     const struct audit_commit *commit)
{
	return !(filter->uid && commit->uid != *filter->uid) &&
	       !(filter->since_ns && commit->time_ns < *filter->since_ns) &&
	       !(filter->until_ns && commit->time_ns > *filter->until_ns) &&
	       commit->revision >= filter->first_revision &&
	       !(filter->last_revision &&
		 commit->revision > filter->last_revision);
}

static bool key_is_wanted(const struct wb_audit_filter *filter,
			  const struct wb_key *key)
{
	return !(filter->kind && key->kind != filter->kind) &&
	       !(filter->ns && !same(key->ns, *filter->ns)) &&
	       !(filter->name && !same(key->name, *filter->name));
}

/* The version that the change names as the one before, if it is known. */
static bool find_before(const struct trail *trail,
			const struct audit_mutation *mutation,
			struct wb_record *ret_before)
{
	const struct replay_version *version =
		replay_find(trail->replay, &mutation->key);

	if (mutation->previous_revision == 0 || !version || version->deleted ||
	    version->revision != mutation->previous_revision)
		return false;
	*ret_before = (struct wb_record){.key = version->key,
					 .value = version->value,
					 .revision = version->revision,
					 .time_ns = version->time_ns};
	return true;
}

static bool tell(const struct trail *trail, const struct audit_commit *commit,
		 const struct audit_mutation *mutation,
		 const struct audit_place *place)
{
	char command[WB_COMMAND_BYTES_MAX + 1] = "";
	struct wb_record before;
	struct wb_audit_change change = {
		.version = {.record = {.key = mutation->key,
				       .value = mutation->value,
				       .revision = commit->revision,
				       .time_ns = commit->time_ns},
			    .previous_revision = mutation->previous_revision,
			    .deleted = mutation->deleted,
			    .actor = {.uid = commit->uid,
				      .gid = commit->gid,
				      .pid = commit->pid},
			    .reason = commit->reason,
			    .operation_id = commit->operation_id},
		.chain = place->whole ? place->chain : NULL,
	};
	size_t size = commit->command.size;

	if (size > 0 && size <= WB_COMMAND_BYTES_MAX) {
		memcpy(command, commit->command.data, size);
		change.version.actor.command = command;
	}
	if (mutation->deleted)
		change.version.record.value = (struct wb_bytes){NULL, 0};
	if (find_before(trail, mutation, &before))
		change.before = &before;
	return trail->visit(trail->context, &change);
}

static void pass_finding(void *context, const struct audit_finding *finding)
{
	struct trail *trail = context;

	if (trail->findings->finding)
		trail->findings->finding(trail->findings->context, finding);
}

/* A change that does not follow its key's version, but was applied. */
static void tell_contradiction(struct trail *trail,
			       const struct audit_commit *commit,
			       const struct audit_place *place, size_t mutation)
{
	struct audit_finding finding = audit_misfit(commit, place, mutation);

	trail->contradictions++;
	pass_finding(trail, &finding);
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct trail *trail = context;
	enum wb_error error;
	size_t mutation;

	if (commit_is_wanted(trail->filter, commit))
		for (size_t at = 0; at < commit->mutation_count; at++) {
			if (!key_is_wanted(trail->filter,
					   &commit->mutations[at].key))
				continue;
			if (!tell(trail, commit, &commit->mutations[at],
				  place)) {
				trail->stopped = true;
				return WB_CANCELLED;
			}
		}
	if (!place->whole)
		return WB_OK;
	error = replay_apply(trail->replay, commit, &mutation);
	if (error != WB_CORRUPT)
		return error;
	tell_contradiction(trail, commit, place, mutation);
	return WB_OK;
}

enum wb_error audit_trail(struct dir *dir, const struct audit_visitor *findings,
			  const struct wb_audit_filter *filter,
			  wb_audit_fn *visit, void *context,
			  struct audit_summary *ret_summary)
{
	static const struct wb_audit_filter all = {.size = sizeof(all)};
	struct trail trail = {
		.findings = findings,
		.filter = filter ? filter : &all,
		.visit = visit,
		.context = context,
		.replay = replay_new(),
	};
	struct audit_visitor visitor = {
		.commit = take_commit,
		.finding = pass_finding,
		.context = &trail,
		.meter = findings->meter,
		.phase = "read",
	};
	struct audit_summary summary = {.findings = {0}};
	enum wb_error error = WB_NO_MEMORY;

	if (trail.replay)
		error = audit_read(dir, AUDIT_READ_PAST_ERRORS, &visitor,
				   &summary);
	replay_free(trail.replay);
	if (trail.stopped) {
		summary.verdict = AUDIT_CLEAN;
		error = WB_OK;
	}
	summary.findings[AUDIT_DAMAGE] += trail.contradictions;
	if (trail.contradictions > 0)
		summary.verdict = AUDIT_CORRUPT;
	if (!error)
		*ret_summary = summary;
	return error;
}

enum wb_error wb_audit_log(const char *path,
			   const struct wb_audit_options *options,
			   const struct wb_audit_filter *filter,
			   wb_audit_fn *visit, void *context,
			   struct wb_text *ret_text)
{
	struct wb_audit_filter mine = {.size = sizeof(mine)};
	struct teller teller = {.report = NULL};
	struct audit_visitor findings = {
		.finding = teller_finding,
		.context = &teller,
		.meter = &teller.meter,
	};
	struct audit_summary summary;
	struct dir *dir;
	enum wb_error error = WB_OK;

	if (filter)
		error = sized_take(&mine, sizeof(mine), filter);
	if (error)
		return text_set(ret_text, error, "struct wb_audit_filter %s",
				sized_problem(error));
	error = audit_open(path, options, &teller, &dir, ret_text);
	if (error)
		return error;
	error = audit_trail(dir, &findings, &mine, visit, context, &summary);
	dir_close(dir);
	if (error)
		return text_set(ret_text, error, "%s", wb_error_text(error));
	if (summary.findings[AUDIT_DAMAGE] > 0)
		return text_set(ret_text,
				summary.unreadable ? WB_IO : WB_CORRUPT, "%s",
				teller.first.text);
	return audit_conclude(&summary, &teller, ret_text);
}
