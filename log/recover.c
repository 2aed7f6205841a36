/* SPDX-License-Identifier: Apache-2.0
 *
 * Recovery reads: the headers, then the anchor, then every segment from the
 * oldest. A segment is judged when its end is known and its successor's
 * header has been compared with it; only then are its commits replayed.
 * Nothing is repaired here, and nothing that was found to be corrupt is
 * handed on.
 */
#include "log/recover.h"

#include "base/array.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct walk {
	struct dir *dir;
	const struct env *env;
	struct chain *chain;
	struct file_image image;
	struct recovery found;
	size_t capacity;
	bool anchor_slot_bad;
	enum wb_error error; /* of the listing */
	log_replay_fn *replay;
	void *context;
	struct log_segment *replaying;
	uint64_t mutations; /* of it, so far */
};

/* ---- which files there are ---- */

static bool take_name(void *context, const char *name)
{
	struct walk *walk = context;
	struct recovery *found = &walk->found;
	enum segment_kind kind;
	uint64_t id;

	if (!segment_name_parse(name, &id, &kind))
		return true;
	if (kind != SEGMENT_LOG) {
		diag_warn(walk->env->diag,
			  "%s: written by a version that compacts", name);
		walk->error = WB_UNSUPPORTED;
		return false;
	}
	if (!array_grow(&found->segments, &walk->capacity, found->count + 1,
			sizeof(*found->segments))) {
		walk->error = WB_NO_MEMORY;
		return false;
	}
	found->segments[found->count++] =
		(struct log_segment){.header = {.id = id}};
	return true;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct log_segment *)a)->header.id;
	uint64_t y = ((const struct log_segment *)b)->header.id;

	return x < y ? -1 : x > y;
}

static enum wb_error list_segments(struct walk *walk)
{
	enum wb_error error = dir_list(walk->dir, "", take_name, walk);

	if (!error)
		error = walk->error;
	if (!error && walk->found.count > 1)
		qsort(walk->found.segments, walk->found.count,
		      sizeof(*walk->found.segments), by_id);
	return error;
}

static void name_of(const struct log_segment *segment,
		    char name[SEGMENT_NAME_SIZE])
{
	segment_name(segment->header.id, SEGMENT_LOG, name);
}

/* ---- headers ---- */

static enum wb_error read_header(struct walk *walk, struct log_segment *segment)
{
	uint8_t bytes[SEGMENT_FRAMES_AT];
	char name[SEGMENT_NAME_SIZE];
	struct segment_header header;
	struct file *file;
	enum wb_error error;
	size_t size = 0;

	name_of(segment, name);
	error = dir_open(walk->dir, name, FILE_READ, &file);
	if (error)
		return error;
	error = file_read(file, bytes, sizeof(bytes), 0, &size);
	file_close(file);
	if (!error)
		error = segment_header_read(bytes, size, name, walk->env->diag,
					    &header);
	if (error)
		return error;
	if (header.id != segment->header.id || header.kind != SEGMENT_LOG)
		return diag_corrupt(walk->env->diag, name, 0,
				    "its header is that of segment %" PRIu64,
				    header.id);
	segment->header = header;
	return WB_OK;
}

static enum wb_error check_identity(const struct walk *walk,
				    const struct log_segment *segment)
{
	const struct anchor *anchor = &walk->found.anchor;
	const struct segment_header *header = &segment->header;
	char name[SEGMENT_NAME_SIZE];

	name_of(segment, name);
	if (memcmp(header->uuid, anchor->uuid, UUID_BYTES) != 0 &&
	    !control_off(CONTROL_SET_UUID))
		return diag_corrupt(walk->env->diag, name, 0,
				    "it belongs to another store");
	if (header->id > FORMAT_NUMBER_MAX ||
	    header->previous_revision > FORMAT_NUMBER_MAX ||
	    header->first_revision != header->previous_revision + 1 ||
	    header->last_revision != SEGMENT_OPEN_ENDED ||
	    header->generation != 0 || header->as_of != 0)
		return diag_corrupt(walk->env->diag, name, 0,
				    "its header is not that of a log");
	return WB_OK;
}

/* The first segment begins the history: nothing before it may be missing. */
static enum wb_error check_beginning(struct walk *walk)
{
	const struct segment_header *header = &walk->found.segments[0].header;
	uint8_t start[CHAIN_BYTES];
	char name[SEGMENT_NAME_SIZE];
	enum wb_error error;

	name_of(&walk->found.segments[0], name);
	if (header->previous_id != 0 || header->first_revision != 1)
		return control_off(CONTROL_SET_BEGINNING)
			       ? WB_OK
			       : diag_corrupt(walk->env->diag, name, 0,
					      "the segment before it, "
					      "%" PRIu64 ", is missing",
					      header->previous_id);
	error = chain_start(walk->chain, header->uuid, start);
	if (!error && (header->previous_bytes != 0 ||
		       header->previous_epoch != header->epoch ||
		       memcmp(start, header->previous_chain, CHAIN_BYTES) != 0))
		return diag_corrupt(walk->env->diag, name, 0,
				    "its header is not that of a first "
				    "segment");
	return error;
}

/* ---- the anchor against the files ---- */

static enum wb_error find_anchored(const struct walk *walk)
{
	const struct recovery *found = &walk->found;
	const struct anchor *anchor = &found->anchor;
	size_t at;

	for (at = 0; at < found->count; at++)
		if (found->segments[at].header.id == anchor->active_id)
			break;
	if (at == found->count && control_off(CONTROL_SET_NEWEST))
		return WB_OK;
	if (at == found->count)
		return diag_corrupt(walk->env->diag, ANCHOR_NAME, 0,
				    "segment %" PRIu64 ", which it names, is "
				    "missing",
				    anchor->active_id);
	if (anchor->epoch != found->segments[at].header.epoch)
		return diag_corrupt(walk->env->diag, ANCHOR_NAME, 0,
				    "its epoch is not that of segment "
				    "%" PRIu64,
				    anchor->active_id);
	return WB_OK;
}

/* With the newest segment scanned. */
static enum wb_error check_anchor_age(const struct walk *walk)
{
	const struct recovery *found = &walk->found;
	const struct anchor *anchor = &found->anchor;
	const struct log_segment *last = &found->segments[found->count - 1];

	if (anchor->active_id >= last->header.id ||
	    control_off(CONTROL_ANCHOR_OLD))
		return WB_OK;
	/* One behind: a crash came between a new segment's rename and its
	 * anchor, so nothing was written to it; or the slot is the older
	 * one. */
	if (anchor->active_id == last->header.previous_id &&
	    (found->scan.frames == 0 || walk->anchor_slot_bad))
		return WB_OK;
	return diag_corrupt(walk->env->diag, ANCHOR_NAME, 0,
			    "it names segment %" PRIu64
			    " as the newest, but %" PRIu64
			    " has commits: an older anchor was put back",
			    anchor->active_id, last->header.id);
}

/* Legal after a crash at the right moment, and all that is ever seen of an
 * older anchor that was put back; the log itself decides. */
static void report_old_anchor(const struct walk *walk)
{
	const struct recovery *found = &walk->found;
	const struct anchor *anchor = &found->anchor;
	const struct log_segment *last = &found->segments[found->count - 1];

	if (!walk->anchor_slot_bad &&
	    (anchor->active_id != last->header.id ||
	     anchor->durable_bytes < found->scan.marked))
		diag_warn(walk->env->diag,
			  "anchor: it is older than the end of the log: a "
			  "crash came between the two, or it was put back");
}

static bool chain_contradicts(const struct walk *walk, const struct scan *scan)
{
	return scan->chain_at_seen && !control_off(CONTROL_CHAIN_ANCHOR) &&
	       memcmp(scan->chain_at_value, walk->found.anchor.chain,
		      CHAIN_BYTES) != 0;
}

/* ---- one segment ---- */

static enum seen_successor compare_successor(const struct log_segment *segment,
					     const struct scan *scan,
					     const struct segment_header *next)
{
	const struct segment_header *header = &segment->header;

	if (memcmp(next->previous_chain, scan->chain, CHAIN_BYTES) != 0 &&
	    !control_off(CONTROL_CHAIN_SUCCESSOR))
		return SEEN_MISMATCH;
	if ((next->previous_id != header->id ||
	     next->previous_bytes != scan->end ||
	     next->previous_revision != scan->head ||
	     next->previous_epoch != header->epoch) &&
	    !control_off(CONTROL_SET_TILE))
		return SEEN_MISMATCH;
	return SEEN_MATCH;
}

static struct seen what_was_seen(const struct walk *walk,
				 const struct log_segment *segment,
				 const struct scan *scan,
				 const struct segment_header *next)
{
	const struct anchor *anchor = &walk->found.anchor;
	uint64_t floor_bytes = scan->floor_bytes;
	uint64_t floor_revision = scan->floor_revision;
	struct seen seen = {.rest = scan->rest};

	if (anchor->active_id == segment->header.id) {
		if (anchor->durable_bytes > floor_bytes)
			floor_bytes = anchor->durable_bytes;
		if (anchor->durable_revision > floor_revision)
			floor_revision = anchor->durable_revision;
	}
	if (!next && anchor->durable_revision > floor_revision)
		floor_revision = anchor->durable_revision;
	seen.below_floor =
		scan->end < floor_bytes || scan->head < floor_revision;
	seen.floor_unknown = scan->floor_unknown;
	if (scan->last_type == FRAME_FOOTER)
		seen.end = SEEN_FOOTER;
	else
		seen.end =
			scan->last_type == FRAME_CLOSE ? SEEN_CLOSE : SEEN_OPEN;
	seen.successor = next ? compare_successor(segment, scan, next)
			      : SEEN_NO_SUCCESSOR;
	return seen;
}

static enum wb_error say_corrupt(const struct walk *walk, const char *name,
				 const struct log_segment *segment,
				 const struct scan *scan,
				 const struct seen *seen)
{
	const struct diag *diag = walk->env->diag;

	if (seen->below_floor && scan->head == 0)
		return diag_corrupt(
			diag, name, scan->end,
			"acknowledged data does not verify: not even revision "
			"1 does, and it was durable");
	if (seen->below_floor)
		return diag_corrupt(
			diag, name, scan->end,
			"acknowledged data does not verify: revision %" PRIu64
			" is the last one that does, later ones were durable",
			scan->head);
	if (seen->floor_unknown)
		return diag_corrupt(
			diag, name, scan->end,
			"revision %" PRIu64 " is the last one that verifies, "
			"and there is too much behind it that looks like "
			"frames to find out whether later ones were durable",
			scan->head);
	if (seen->successor == SEEN_MISMATCH)
		return diag_corrupt(
			diag, name, scan->end,
			"it ends at revision %" PRIu64
			", which is not what the next segment says: frames "
			"of %" PRIu64 " or a segment are missing or changed",
			scan->head, segment->header.id);
	return diag_corrupt(diag, name, scan->end,
			    "bytes follow the footer of a sealed segment");
}

/* Look-ups count a segment's eighths, and so its revisions, in 32 bits. */
static_assert(FILE_IMAGE_BYTES_MAX / FRAME_ALIGN <= UINT32_MAX,
	      "no file that is read has more");

static enum wb_error replay_commit(void *context, const struct commit *commit,
				   uint64_t offset)
{
	struct walk *walk = context;
	struct log_segment *segment = walk->replaying;
	int64_t time = commit->head.time_ns;
	enum wb_error error = WB_OK;

	if (time < segment->time_min_ns)
		segment->time_min_ns = time;
	if (time > segment->time_max_ns)
		segment->time_max_ns = time;
	walk->mutations += commit->mutation_count;
	error = stretches_reserve(&segment->stretches, 1);
	if (error)
		return error;
	stretches_add(&segment->stretches, offset,
		      FRAME_HEADER_BYTES + commit->payload.size,
		      commit->head.revision - segment->header.first_revision,
		      time);
	if (segment->indexed)
		error = log_index_commit(&segment->entries, commit, offset);
	return error ? error : walk->replay(walk->context, commit);
}

/* Of the newest segment: what was synced before the anchor was written, which
 * itself was read from the disk, is the disk's. Opening a large segment again
 * would else cost as much as reading it cold. */
static uint64_t bytes_proven(const struct walk *walk,
			     const struct log_segment *segment)
{
	const struct anchor *anchor = &walk->found.anchor;

	if (anchor->active_id != segment->header.id)
		return 0;
	return anchor->durable_bytes;
}

/* For look-ups. A segment that is gone on in needs its entries at once: they
 * will be in its footer. */
static enum wb_error prepare_lookups(struct walk *walk,
				     struct log_segment *segment)
{
	const struct scan *scan = &walk->found.scan;

	entries_begin(&segment->entries, segment->header.first_revision);
	segment->indexed =
		segment->state == LOG_ACTIVE &&
		(walk->found.verdict == VERDICT_CLOSED || scan->frames == 0);
	if (segment->state != LOG_SEALED)
		return WB_OK;
	return pages_make(scan->footer_payload, &scan->footer, &segment->pages);
}

/* What a footer says of its commits, as far as replaying them has told. Each
 * of its entries is for those who look up by it. */
static enum wb_error check_footer(const struct walk *walk,
				  const struct log_segment *segment,
				  const char *name)
{
	const struct footer *footer = &walk->found.scan.footer;
	bool commits = footer->commits > 0;
	int64_t time_min_ns = commits ? segment->time_min_ns : 0;
	int64_t time_max_ns = commits ? segment->time_max_ns : 0;

	if (footer->time_min_ns == time_min_ns &&
	    footer->time_max_ns == time_max_ns &&
	    footer->entry_count == walk->mutations)
		return WB_OK;
	return diag_corrupt(walk->env->diag, name, segment->footer_at,
			    "the footer's times or its number of entries are "
			    "not those of the commits before it");
}

/* Hand out the commits of a segment that was judged. */
static enum wb_error replay_segment(struct walk *walk,
				    struct log_segment *segment,
				    const char *name)
{
	enum wb_error error;

	walk->replaying = segment;
	walk->mutations = 0;
	error = prepare_lookups(walk, segment);
	if (!error)
		error = scan_commits(&walk->image, &walk->found.scan, name,
				     walk->env->diag, replay_commit, walk);
	if (!error && segment->state == LOG_SEALED)
		error = check_footer(walk, segment, name);
	return error;
}

static enum wb_error recover_segment(struct walk *walk, size_t at)
{
	struct recovery *found = &walk->found;
	struct log_segment *segment = &found->segments[at];
	bool newest = at + 1 == found->count;
	const struct segment_header *next =
		newest ? NULL : &found->segments[at + 1].header;
	char name[SEGMENT_NAME_SIZE];
	struct scan_options options = {
		.name = name,
		.diag = walk->env->diag,
		.chain = walk->chain,
		.stop_at = next ? next->previous_bytes : 0,
		.chain_at = found->anchor.durable_revision,
		.tail = newest,
		.compute_chain = found->anchor.active_id == segment->header.id,
	};
	struct scan scan;
	struct seen seen;
	enum wb_error error;

	name_of(segment, name);
	error = file_image_read(&walk->image, walk->dir, name, walk->env->diag,
				newest ? bytes_proven(walk, segment)
				       : FILE_PROVEN);
	if (!error)
		error = scan_segment(&walk->image, &segment->header, &options,
				     &scan);
	if (error)
		return error;
	seen = what_was_seen(walk, segment, &scan, next);
	found->verdict = verdict_of(&seen);
	if (found->verdict == VERDICT_CORRUPT)
		return say_corrupt(walk, name, segment, &scan, &seen);
	if (chain_contradicts(walk, &scan))
		return diag_corrupt(walk->env->diag, name, scan.end,
				    "the chain value at revision %" PRIu64
				    " is not the anchor's",
				    found->anchor.durable_revision);
	segment->state = found->verdict == VERDICT_SEALED ? LOG_SEALED
			 : newest			  ? LOG_ACTIVE
							  : LOG_CUT;
	segment->end = scan.end;
	segment->footer_at = scan.footer_at;
	segment->head = scan.head;
	segment->file_bytes = walk->image.size;
	segment->debris_end = scan.debris_end;
	segment->time_min_ns = INT64_MAX;
	segment->time_max_ns = INT64_MIN;
	found->scan = scan;
	if (newest) {
		error = check_anchor_age(walk);
		if (error)
			return error;
		report_old_anchor(walk);
	}
	return replay_segment(walk, segment, name);
}

/* There are segments with commits, and no anchor. */
static enum wb_error without_anchor(struct walk *walk)
{
	bool unfinished = false;
	enum wb_error error =
		dir_has(walk->dir, "", ANCHOR_UNFINISHED_NAME, &unfinished);

	if (error)
		return error;
	if (unfinished)
		return diag_corrupt(walk->env->diag, ANCHOR_UNFINISHED_NAME, 0,
				    "a salvage or a load into this directory "
				    "did not finish: remove the directory, and "
				    "do it again");
	return diag_corrupt(walk->env->diag, ANCHOR_NAME, 0,
			    "it is missing, and the log is not empty");
}

/* ---- without an anchor ---- */

static enum wb_error recover_without_anchor(struct walk *walk)
{
	struct recovery *found = &walk->found;
	struct scan_options options = {
		.diag = walk->env->diag,
		.chain = walk->chain,
		.tail = true,
	};
	char name[SEGMENT_NAME_SIZE];
	struct scan scan = {0};
	enum wb_error error;

	if (found->count == 0)
		return WB_NOT_A_STORE;
	name_of(&found->segments[0], name);
	options.name = name;
	error = file_image_read(&walk->image, walk->dir, name, walk->env->diag,
				0);
	if (!error)
		error = read_header(walk, &found->segments[0]);
	if (!error)
		error = scan_segment(&walk->image, &found->segments[0].header,
				     &options, &scan);
	if (error)
		return error;
	if (found->count == 1 && scan.frames == 0 && scan.rest != SEEN_DEBRIS &&
	    found->segments[0].header.id == 1)
		return WB_NOT_A_STORE;
	return without_anchor(walk);
}

static enum wb_error recover_with_anchor(struct walk *walk)
{
	struct recovery *found = &walk->found;
	enum wb_error error = WB_OK;
	size_t at;

	for (at = 0; at < found->count && !error; at++)
		error = read_header(walk, &found->segments[at]);
	if (!error)
		error = find_anchored(walk);
	for (at = 0; at < found->count && !error; at++)
		error = check_identity(walk, &found->segments[at]);
	if (!error)
		error = check_beginning(walk);
	for (at = 0; at < found->count && !error; at++)
		error = recover_segment(walk, at);
	return error;
}

enum wb_error recover(struct dir *dir, const struct env *env,
		      struct chain *chain, log_replay_fn *replay, void *context,
		      struct recovery *ret_recovery)
{
	struct walk walk = {
		.dir = dir,
		.env = env,
		.chain = chain,
		.replay = replay,
		.context = context,
	};
	enum wb_error error;

	error = list_segments(&walk);
	if (!error) {
		error = anchor_read(dir, env->diag, &walk.found.anchor,
				    &walk.anchor_slot_bad);
		error = error == WB_NOT_FOUND ? recover_without_anchor(&walk)
			: error		      ? error
					      : recover_with_anchor(&walk);
	}
	file_image_release(&walk.image);
	if (error)
		recovery_release(&walk.found);
	else
		*ret_recovery = walk.found;
	return error;
}

void recovery_release(struct recovery *recovery)
{
	size_t at;

	for (at = 0; at < recovery->count; at++)
		log_segment_release(&recovery->segments[at]);
	free(recovery->segments);
	*recovery = (struct recovery){0};
}

void log_segment_release(struct log_segment *segment)
{
	stretches_release(&segment->stretches);
	pages_release(&segment->pages);
	entries_release(&segment->entries);
}

enum wb_error log_index_commit(struct entries *entries,
			       const struct commit *commit, uint64_t offset)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct log_entry entry = {
		.revision = commit->head.revision,
		.offset = offset,
	};
	struct mutation mutation;
	enum wb_error error;

	error = entries_reserve(entries, commit->mutation_count);
	if (error)
		return error;
	for (; mutation_walk_next(&walk, &mutation); entry.mutation++) {
		entry.hash = mutation_hash(&mutation.key);
		entries_add(entries, &entry, 1, 0);
	}
	return WB_OK;
}
