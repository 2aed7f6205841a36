/* SPDX-License-Identifier: Apache-2.0
 *
 * Three steps. The log is read, its findings are kept and each change
 * is held against its key's version before. Where bytes are damaged, the file
 * is looked at piece by piece: damaged frames say names that nothing vouches
 * for, and a footer has a hash of each. The log is read again: a change that
 * names a lost revision as its key's previous one proves what was changed
 * there. Then all is told.
 *
 * Discarded: one reading that remembers all keys. Names are rarely needed,
 * and a store that is checked may be larger than the memory.
 */
#include "audit/fsck.h"

#include "audit/frames.h"
#include "audit/latest.h"
#include "audit/names.h"
#include "audit/set.h"
#include "base/array.h"
#include "base/posix.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { FILE_BYTES = 80, OPERATION_WINDOW = 65536 };

struct found {
	struct audit_finding finding; /* its `file` is below */
	char file[FILE_BYTES];
	struct names names;
};

/* Who did what: a hash of (uid, namespace, id). */
struct operation {
	XXH128_hash_t hash;
	uint64_t revision;
};

struct fsck {
	struct dir *dir;
	size_t names_max;
	struct meter *meter;
	unsigned flags; /* of all readings */
	const struct fsck_visitor *visitor;
	struct fsck_summary summary;
	struct found *found;
	size_t count, capacity;
	struct latest latest;
	struct operation *operations;
	size_t operation_count, operation_capacity;
	enum wb_error error; /* of a callback that returns none */
};

/* ---- findings ---- */

/* The same page is read for more than one purpose. */
static bool is_known(const struct fsck *fsck,
		     const struct audit_finding *finding)
{
	for (size_t at = fsck->count; at-- > 0;) {
		const struct found *found = &fsck->found[at];

		if (found->finding.rule == finding->rule &&
		    found->finding.severity >= finding->severity &&
		    strcmp(found->file, finding->file) == 0 &&
		    finding->offset >= found->finding.offset &&
		    finding->offset + finding->bytes <=
			    found->finding.offset + found->finding.bytes)
			return true;
	}
	return false;
}

static void take_finding(void *context, const struct audit_finding *finding)
{
	struct fsck *fsck = context;
	struct found *found;

	if (finding->rule == AUDIT_RULE_UNREADABLE) {
		if (is_known(fsck, finding))
			return;
		fsck->summary.unreadable++;
	}
	fsck->summary.findings[finding->severity]++;
	if (fsck->count == FSCK_FINDINGS_MAX) {
		fsck->summary.untold++;
		return;
	}
	if (!array_grow(&fsck->found, &fsck->capacity, fsck->count + 1,
			sizeof(*fsck->found))) {
		fsck->error = WB_NO_MEMORY;
		return;
	}
	found = &fsck->found[fsck->count++];
	*found = (struct found){.finding = *finding,
				.names.max = fsck->names_max};
	snprintf(found->file, sizeof(found->file), "%s", finding->file);
}

static void take_unreadable(struct fsck *fsck, const char *file,
			    enum wb_error error)
{
	struct audit_finding finding = audit_unreadable(file, error);

	take_finding(fsck, &finding);
}

/* ---- the commits ---- */

/* Is it to go on? For every commit that is read: it may be a large one. */
static enum wb_error ask(const struct fsck *fsck)
{
	const struct fsck_visitor *visitor = fsck->visitor;

	return visitor->stop && visitor->stop(visitor->stop_context)
		       ? WB_CANCELLED
		       : WB_OK;
}

static enum wb_error note_operation(struct fsck *fsck,
				    const struct audit_commit *commit)
{
	struct operation operation = {.revision = commit->revision};
	uint64_t numbers[] = {commit->uid, commit->operation_ns.size};

	if (commit->operation_id.size == 0)
		return WB_OK;
	if (!array_grow(&fsck->operations, &fsck->operation_capacity,
			fsck->operation_count + 1, sizeof(*fsck->operations)))
		return WB_NO_MEMORY;
	operation.hash = XXH3_128bits(numbers, sizeof(numbers));
	operation.hash = XXH3_128bits_withSeed(
		commit->operation_ns.size ? commit->operation_ns.data : "",
		commit->operation_ns.size,
		operation.hash.low64 ^ operation.hash.high64);
	operation.hash = XXH3_128bits_withSeed(commit->operation_id.data,
					       commit->operation_id.size,
					       operation.hash.low64 ^
						       operation.hash.high64);
	fsck->operations[fsck->operation_count++] = operation;
	return WB_OK;
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct fsck *fsck = context;
	struct audit_finding finding;
	enum wb_error error = ask(fsck);
	size_t wrong;

	if (!error)
		error = note_operation(fsck, commit);

	if (error || !place->whole)
		return error;
	error = latest_take(&fsck->latest, commit, &wrong);
	if (error || wrong == commit->mutation_count)
		return error;
	finding = audit_misfit(commit, place, wrong);
	take_finding(fsck, &finding);
	return fsck->error;
}

static int by_operation(const void *a, const void *b)
{
	const struct operation *x = a, *y = b;
	int order = XXH128_cmp(&x->hash, &y->hash);

	return order ? order
		     : (x->revision > y->revision) -
			       (x->revision < y->revision);
}

static void check_operations(struct fsck *fsck)
{
	const struct operation *all = fsck->operations;

	if (fsck->operation_count < 2)
		return;
	qsort(fsck->operations, fsck->operation_count,
	      sizeof(*fsck->operations), by_operation);
	for (size_t at = 1; at < fsck->operation_count; at++) {
		struct audit_finding finding;

		if (!XXH128_isEqual(all[at - 1].hash, all[at].hash) ||
		    all[at].revision - all[at - 1].revision >= OPERATION_WINDOW)
			continue;
		finding = audit_finding_of(AUDIT_RULE_OPERATION, "", 0);
		finding.revision_first = all[at - 1].revision;
		finding.revision_last = all[at].revision;
		snprintf(finding.what, sizeof(finding.what), "the ends of it");
		take_finding(fsck, &finding);
	}
}

/* ---- what lies beside the log ---- */

struct aside {
	struct fsck *fsck;
	const char *folder;
	enum audit_rule rule;
};

static void take_stray(struct fsck *fsck, const char *path, const char *what)
{
	struct audit_finding finding =
		audit_finding_of(AUDIT_RULE_STRAY, path, 0);

	snprintf(finding.what, sizeof(finding.what), "%s", what);
	take_finding(fsck, &finding);
}

static bool take_aside(void *context, const char *entry)
{
	struct aside *aside = context;
	char path[FILE_BYTES];
	struct audit_finding finding;
	struct file *file;
	enum wb_error error;
	int length =
		snprintf(path, sizeof(path), "%s/%s", aside->folder, entry);

	/* No file of ours has such a name. */
	if (length < 0 || (size_t)length >= sizeof(path))
		return true;
	finding = audit_finding_of(aside->rule, path, 0);
	/* Of interest is its size, if it has one. */
	error = dir_open(aside->fsck->dir, path, FILE_READ, &file);
	if (error == WB_OK) {
		if (file_size(file, &finding.bytes) != WB_OK)
			finding.bytes = 0;
		file_close(file);
	}
	if (posix_is_no_file(error))
		take_stray(aside->fsck, path, audit_why(path, error));
	else
		take_finding(aside->fsck, &finding);
	return aside->fsck->error == WB_OK;
}

/* Where no folder is, nothing must be. */
static void look_at_absent(struct fsck *fsck, const char *folder)
{
	struct file *file;
	enum wb_error error = dir_open(fsck->dir, folder, FILE_READ, &file);

	if (error == WB_OK)
		file_close(file);
	if (error == WB_OK || posix_is_no_file(error))
		take_stray(fsck, folder, "not a directory");
}

static enum wb_error look_aside(struct fsck *fsck)
{
	struct aside asides[] = {{fsck, "tmp", AUDIT_RULE_TEMPORARY},
				 {fsck, "torn", AUDIT_RULE_KEPT}};

	for (unsigned at = 0; at < 2; at++) {
		enum wb_error error = dir_list(fsck->dir, asides[at].folder,
					       take_aside, &asides[at]);

		if (error == WB_NO_MEMORY)
			return error;
		if (error == WB_NOT_FOUND)
			look_at_absent(fsck, asides[at].folder);
		else if (error)
			take_unreadable(fsck, asides[at].folder, error);
	}
	return fsck->error;
}

/* ---- names ---- */

static bool has_names(const struct found *found)
{
	return found->finding.severity >= AUDIT_UNSUPPORTED &&
	       found->finding.revision_first > 0;
}

/* The finding whose lost revisions this is one of; NULL: none. */
static struct found *find_lost(struct fsck *fsck, uint64_t revision)
{
	for (size_t at = 0; at < fsck->count; at++) {
		struct found *found = &fsck->found[at];

		if (has_names(found) &&
		    revision >= found->finding.revision_first &&
		    revision <= found->finding.revision_last)
			return found;
	}
	return NULL;
}

/* The finding that this place of a file lies in, or else its revision. */
static struct found *find_place(struct fsck *fsck, const char *file,
				uint64_t offset, uint64_t revision)
{
	for (size_t at = 0; at < fsck->count; at++) {
		struct found *found = &fsck->found[at];

		if (has_names(found) && strcmp(found->file, file) == 0 &&
		    offset >= found->finding.offset &&
		    offset - found->finding.offset < found->finding.bytes)
			return found;
	}
	return find_lost(fsck, revision);
}

struct looking {
	struct fsck *fsck;
	const char *file;
};

/* All changes of a frame that is damaged, or lies in a segment that cannot be
 * walked. Behind an end that nothing proves, one that verifies may be of a
 * write that was not acknowledged. */
static bool take_frame(struct looking *looking, const struct audit_piece *piece)
{
	struct fsck *fsck = looking->fsck;
	const struct audit_commit *commit = piece->commit;
	struct found *found = find_place(fsck, looking->file, piece->offset,
					 piece->frame.revision);

	uint64_t revision = piece->frame.revision;

	if (!found || !commit)
		return true;
	/* What a damaged frame says it is, only as far as it can be. */
	if (revision < found->finding.revision_first ||
	    revision > found->finding.revision_last)
		revision = 0;
	for (size_t at = 0; at < commit->mutation_count && !fsck->error; at++)
		fsck->error =
			names_add(&found->names, &commit->mutations[at].key,
				  (struct name_place){revision, piece->offset,
						      (uint32_t)at},
				  piece->seen == AUDIT_HOLDS &&
					  found->finding.rule !=
						  AUDIT_RULE_END);
	return fsck->error == WB_OK;
}

/* A footer that verifies knows each change of its segment by its hash. */
static bool take_footer(struct looking *looking,
			const struct audit_piece *piece)
{
	struct fsck *fsck = looking->fsck;
	struct audit_footer footer;

	if (!audit_footer_read(piece->payload.data, piece->payload.size,
			       &footer))
		return true;
	for (uint64_t at = 0; at < footer.entries && !fsck->error; at++) {
		struct audit_entry entry =
			audit_entry_read(piece->payload.data,
					 piece->payload.size, at);
		struct name_place place = {footer.first_revision +
						   entry.revision,
					   (uint64_t)entry.frame * 8,
					   entry.mutation};
		struct found *found = find_place(fsck, looking->file,
						 place.offset, place.revision);

		if (found)
			fsck->error =
				names_hash(&found->names, entry.hash, place);
	}
	return fsck->error == WB_OK;
}

static bool take_piece(void *context, const struct audit_piece *piece)
{
	if (piece->kind == AUDIT_PIECE_FRAME &&
	    piece->frame.type == AUDIT_FOOTER && piece->seen == AUDIT_HOLDS)
		return take_footer(context, piece);
	return take_frame(context, piece);
}

static enum wb_error look_into(struct fsck *fsck, const char *file)
{
	struct looking looking = {fsck, file};
	struct audit_frames_head head;
	enum wb_error error =
		audit_frames(fsck->dir, file, &head, take_piece, &looking);

	if (error == WB_NO_MEMORY)
		return error;
	if (error)
		take_unreadable(fsck, file, error);
	return fsck->error;
}

static enum wb_error read_names(void *context,
				const struct audit_commit *commit,
				const struct audit_place *place)
{
	struct fsck *fsck = context;
	enum wb_error error = ask(fsck);

	(void)place;
	for (size_t at = 0; !error && at < commit->mutation_count; at++) {
		const struct audit_mutation *mutation = &commit->mutations[at];
		struct found *found =
			mutation->previous_revision
				? find_lost(fsck, mutation->previous_revision)
				: NULL;

		if (found)
			error = names_prove(&found->names, &mutation->key,
					    mutation->previous_revision);
		for (size_t i = 0; i < fsck->count && !error; i++)
			error = names_guess(&fsck->found[i].names,
					    &mutation->key);
	}
	return error;
}

/* All else that is wrong was found when it was checked. */
static void take_unreadable_only(void *context,
				 const struct audit_finding *finding)
{
	if (finding->rule == AUDIT_RULE_UNREADABLE)
		take_finding(context, finding);
}

/* Each segment is looked into once. */
static enum wb_error find_names(struct fsck *fsck)
{
	struct audit_visitor visitor = {
		.commit = read_names,
		.finding = take_unreadable_only,
		.context = fsck,
		.meter = fsck->meter,
		.phase = "names",
	};
	struct audit_summary again;
	bool needed = false;

	for (size_t at = 0; at < fsck->count; at++) {
		const char *file = fsck->found[at].file;
		uint64_t id;
		enum audit_segment_kind kind;
		size_t before = 0;

		if (fsck->found[at].finding.severity < AUDIT_UNSUPPORTED)
			continue;
		needed = needed || has_names(&fsck->found[at]);
		while (before < at &&
		       (fsck->found[before].finding.severity <
				AUDIT_UNSUPPORTED ||
			strcmp(fsck->found[before].file, file) != 0))
			before++;
		if (before == at && set_parse_name(file, &id, &kind) &&
		    kind == AUDIT_LOG) {
			enum wb_error error = look_into(fsck, file);

			if (error)
				return error;
		}
	}
	return needed ? audit_read(fsck->dir, fsck->flags, &visitor, &again)
		      : WB_OK;
}

/* ---- the end ---- */

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order)
		return order;
	return (x->finding.offset > y->finding.offset) -
	       (x->finding.offset < y->finding.offset);
}

/* Commits that are not there, or not as they were. */
static uint64_t lost_by(const struct audit_finding *finding)
{
	switch (finding->rule) {
	case AUDIT_RULE_FRAME:
	case AUDIT_RULE_FRAME_RULE:
	case AUDIT_RULE_BEGINNING:
	case AUDIT_RULE_GAP:
	case AUDIT_RULE_FLOOR:
	case AUDIT_RULE_COMMIT:
	case AUDIT_RULE_ANCHOR_AHEAD:
		return finding->revision_first
			       ? finding->revision_last -
					 finding->revision_first + 1
			       : 0;
	default:
		return 0;
	}
}

/* Where nothing is wrong but the anchor, and the log proves its own end, the
 * log has all that the anchor had. */
static void look_at_anchor(struct fsck *fsck)
{
	uint64_t others = fsck->summary.findings[AUDIT_DAMAGE] +
			  fsck->summary.findings[AUDIT_UNSUPPORTED];

	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t at = 0; at < fsck->count; at++) {
			struct audit_finding *finding =
				&fsck->found[at].finding;

			if (finding->rule != AUDIT_RULE_ANCHOR_MISSING &&
			    finding->rule != AUDIT_RULE_ANCHOR_SIZE &&
			    finding->rule != AUDIT_RULE_ANCHOR)
				continue;
			if (pass == 0)
				others--;
			else if (others == 0 && fsck->summary.log.end_proven)
				finding->remedy = AUDIT_REBUILD;
		}
}

/* The worst that an open refuses, and that nothing in place mends. */
static const struct audit_finding *find_obstacle(const struct fsck *fsck)
{
	const struct audit_finding *worst = NULL;

	for (size_t at = 0; at < fsck->count; at++) {
		const struct audit_finding *finding = &fsck->found[at].finding;

		if (finding->severity >= AUDIT_UNSUPPORTED &&
		    finding->remedy != AUDIT_REBUILD &&
		    (!worst || finding->severity > worst->severity))
			worst = finding;
	}
	return worst;
}

/* Where an open refuses it cuts nothing and moves no anchor on, and a repair
 * writes no slot: what is true of the worst is true of these. */
static void look_at_remedies(struct fsck *fsck)
{
	const struct audit_finding *obstacle = find_obstacle(fsck);

	for (size_t at = 0; at < fsck->count && obstacle; at++) {
		struct audit_finding *finding = &fsck->found[at].finding;

		if (finding->remedy == AUDIT_OPEN ||
		    finding->rule == AUDIT_RULE_ANCHOR_SLOT)
			finding->remedy = obstacle->remedy;
	}
}

/* Room for the names of the finding that has the most. */
static enum wb_error make_told(const struct fsck *fsck,
			       struct wb_finding_name **ret_told)
{
	size_t most = 1;

	for (size_t at = 0; at < fsck->count; at++)
		if (fsck->found[at].names.count > most)
			most = fsck->found[at].names.count;
	*ret_told = malloc(most * sizeof(**ret_told));
	return *ret_told ? WB_OK : WB_NO_MEMORY;
}

static void tell(struct fsck *fsck, const struct fsck_visitor *visitor,
		 struct wb_finding_name *names)
{
	struct fsck_summary *summary = &fsck->summary;

	if (fsck->count > 0)
		qsort(fsck->found, fsck->count, sizeof(*fsck->found), by_place);
	for (size_t at = 0; at < fsck->count; at++) {
		struct found *found = &fsck->found[at];
		size_t count;
		uint64_t more;

		found->finding.file = found->file;
		summary->revisions_lost += lost_by(&found->finding);
		count = names_told(&found->names, names, &more);
		for (size_t i = 0; i < count; i++) {
			summary->names_exact += names[i].exact;
			summary->names_probable += !names[i].exact;
		}
		if (visitor->finding)
			visitor->finding(visitor->context, &found->finding,
					 names, count, more);
	}
}

static enum wb_error check(struct fsck *fsck)
{
	struct audit_visitor visitor = {
		.commit = take_commit,
		.finding = take_finding,
		.context = fsck,
		.meter = fsck->meter,
		.phase = "check",
	};
	enum wb_error error =
		audit_read(fsck->dir, fsck->flags | AUDIT_READ_ENTRIES,
			   &visitor, &fsck->summary.log);

	if (error || fsck->error)
		return error ? error : fsck->error;
	check_operations(fsck);
	/* Not needed any more, and it may be large. */
	latest_release(&fsck->latest);
	error = look_aside(fsck);
	return error ? error : find_names(fsck);
}

enum wb_error audit_fsck(struct dir *dir, const struct fsck_visitor *visitor,
			 struct fsck_summary *ret_summary)
{
	struct fsck fsck = {.dir = dir,
			    .meter = visitor->meter,
			    .flags = visitor->flags | AUDIT_READ_PAST_ERRORS,
			    .visitor = visitor,
			    .names_max = visitor->names_max ? visitor->names_max
							    : FSCK_NAMES_MAX};
	struct wb_finding_name *told = NULL;
	enum wb_error error = check(&fsck);

	if (!error)
		error = make_told(&fsck, &told);
	if (!error) {
		look_at_anchor(&fsck);
		look_at_remedies(&fsck);
		tell(&fsck, visitor, told);
		*ret_summary = fsck.summary;
	}
	free(told);
	for (size_t at = 0; at < fsck.count; at++)
		names_release(&fsck.found[at].names);
	free(fsck.found);
	free(fsck.operations);
	latest_release(&fsck.latest);
	return error;
}
