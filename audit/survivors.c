/* SPDX-License-Identifier: Apache-2.0
 *
 * Three steps. Each segment file is a source, with what its own header and its
 * successor's say of it. Of each the frames are listed that count: a commit
 * that was torn or cut off is not told from a durable one by its bytes alone,
 * but where it stands tells. Then, in the order of their revisions, the
 * commits that are left are read; of two with one revision the newer segment's
 * is right.
 *
 * Discarded: going by the walk of walk.c, which passes over a segment without
 * a header; most frames of such a one verify.
 */
#include "audit/survivors.h"

#include "audit/frames.h"
#include "audit/walk.h"
#include "base/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A segment file that is of this store. */
struct source {
	const char *name;
	uint64_t id; /* by its header, or else by its name */
	bool has_header, misnamed;
	uint64_t file_bytes;
	struct audit_header header;
	uint64_t salt;
	/* Where its successor says that it ends; UINT64_MAX: not known. */
	uint64_t limit;
};

struct candidate {
	uint64_t revision, offset;
	uint32_t source;
};

/* Bytes that are no frame. */
struct spot {
	uint64_t from, to;
};

/* What stands at the end of the newest source. */
struct ending {
	bool read;		/* the file could be opened, and has a salt */
	unsigned last_type;	/* of its frames; 0: there is none */
	bool zeros, other;	/* are behind that one */
	uint64_t unreadable_to; /* 0: all of it could be read */
};

struct survivors {
	struct dir *dir;
	const struct audit_survivors_visitor *visitor;
	struct audit_survivors found;
	struct audit_set set;
	const struct audit_slot *anchor; /* NULL: none that is of use */
	struct source *sources;		 /* in the order of their ids */
	size_t source_count;
	struct candidate *candidates;
	size_t count, capacity;
	struct ending ending;
	uint64_t bytes_before; /* of the sources that were listed */
	struct window window;
	struct audit_message message;
};

static void know(struct survivors *survivors, uint64_t revision)
{
	if (revision <= AUDIT_NUMBER_MAX && revision > survivors->found.head)
		survivors->found.head = revision;
}

/* ---- sources ---- */

static bool stop_at_once(void *context, const struct audit_piece *piece)
{
	(void)context;
	(void)piece;
	return false;
}

/* `*ret_is_one`: it can be read, and nothing says that it is of elsewhere. */
static enum wb_error look_at(struct survivors *survivors, const char *name,
			     uint64_t id, struct source *ret_source,
			     bool *ret_is_one)
{
	struct source source = {.name = name, .id = id, .limit = UINT64_MAX};
	struct audit_frames_head head;
	enum wb_error error =
		audit_frames(survivors->dir, name, &head, stop_at_once, NULL);

	*ret_is_one = false;
	if (error)
		return error == WB_NO_MEMORY ? error : WB_OK;
	source.salt = head.salt;
	source.file_bytes = head.file_bytes;
	source.has_header = head.has_header;
	if (head.has_header) {
		source.header = head.header;
		source.id = head.header.id;
		source.misnamed = source.id != id;
	}
	*ret_is_one = !head.has_header ||
		      (head.header.kind == AUDIT_LOG &&
		       (!survivors->found.has_uuid ||
			memcmp(head.header.uuid, survivors->found.uuid,
			       AUDIT_UUID_BYTES) == 0));
	*ret_source = source;
	return WB_OK;
}

static int by_id(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return y->misnamed - x->misnamed; /* the best one last */
}

/* An anchor that was put here from elsewhere says nothing. */
static void choose_anchor(struct survivors *survivors)
{
	const struct audit_slot *anchor = &survivors->set.anchor;
	bool headers = false, same = false;

	if (!survivors->set.anchor_usable ||
	    memcmp(anchor->uuid, survivors->found.uuid, AUDIT_UUID_BYTES) != 0)
		return;
	for (size_t at = 0; at < survivors->source_count; at++) {
		const struct source *source = &survivors->sources[at];

		headers = headers || source->has_header;
		same = same || (source->has_header &&
				source->header.epoch == anchor->epoch);
	}
	if (same || !headers)
		survivors->anchor = anchor;
}

/* An epoch ends at a segment's boundary, and the next header names both. What
 * is of neither was put here from elsewhere, and has the same uuid because
 * this store was made of that one, or that one of this. */
static void drop_other_epochs(struct survivors *survivors)
{
	bool known = survivors->anchor != NULL;
	uint64_t epoch = known ? survivors->anchor->epoch : 0;
	size_t kept = survivors->source_count;

	survivors->found.epoch = epoch;
	for (size_t at = survivors->source_count; at-- > 0;) {
		struct source *source = &survivors->sources[at];

		if (source->has_header && !known) {
			epoch = source->header.epoch;
			known = true;
		}
		if (survivors->found.epoch == 0)
			survivors->found.epoch = epoch;
		if (source->has_header && source->header.epoch != epoch)
			continue;
		if (source->has_header)
			epoch = source->header.previous_epoch;
		survivors->sources[--kept] = *source;
	}
	survivors->source_count -= kept;
	memmove(survivors->sources, survivors->sources + kept,
		survivors->source_count * sizeof(*survivors->sources));
}

static void set_limits(struct survivors *survivors)
{
	for (size_t at = 0; at < survivors->source_count; at++) {
		const struct source *next = &survivors->sources[at];

		if (!next->has_header)
			continue;
		know(survivors, next->header.previous_revision);
		for (size_t i = 0; i < survivors->source_count; i++) {
			struct source *source = &survivors->sources[i];

			if (source->id != next->header.previous_id ||
			    source->id >= next->id ||
			    source->limit <= next->header.previous_bytes)
				continue;
			source->limit = next->header.previous_bytes;
		}
	}
}

static enum wb_error find_sources(struct survivors *survivors)
{
	static const struct audit_visitor nobody = {.context = NULL};
	struct audit_summary summary = {.segments = 0};
	struct report report = {.visitor = &nobody,
				.summary = &summary,
				.past_errors = true};
	static const uint8_t none[AUDIT_UUID_BYTES];
	struct audit_set *set = &survivors->set;
	enum wb_error error;

	error = set_read(set, survivors->dir, &survivors->window, &report);
	if (error)
		return error;
	survivors->found.has_uuid =
		memcmp(summary.uuid, none, sizeof(none)) != 0;
	memcpy(survivors->found.uuid, summary.uuid, AUDIT_UUID_BYTES);
	survivors->sources = calloc(set->count + 1, sizeof(struct source));
	if (!survivors->sources)
		return WB_NO_MEMORY;
	for (size_t at = 0; at < set->count && !error; at++) {
		bool is_one = false;

		error = look_at(survivors, set->segments[at].name,
				set->segments[at].id,
				&survivors->sources[survivors->source_count],
				&is_one);
		survivors->source_count += is_one;
	}
	if (error)
		return error;
	if (survivors->source_count > 1)
		qsort(survivors->sources, survivors->source_count,
		      sizeof(*survivors->sources), by_id);
	choose_anchor(survivors);
	drop_other_epochs(survivors);
	set_limits(survivors);
	return WB_OK;
}

/* ---- candidates ---- */

/* One source is listed. */
struct listing {
	struct survivors *survivors;
	uint32_t source;
	uint64_t floor_bytes; /* all below it was durable */
	uint64_t least;	      /* revision that it can hold; UINT64_MAX: none */
	struct spot *spots;
	size_t spot_count, spot_capacity;
	enum wb_error error;
};

static bool is_commit(const struct audit_piece *piece)
{
	return piece->commit && piece->seen == AUDIT_HOLDS && !*piece->why &&
	       piece->commit->revision == piece->frame.revision &&
	       piece->frame.revision > 0 &&
	       piece->frame.revision <= AUDIT_NUMBER_MAX;
}

static void list_frame(struct listing *listing, const struct audit_piece *piece)
{
	struct survivors *survivors = listing->survivors;
	const struct audit_frame *frame = &piece->frame;

	if (piece->seen != AUDIT_HOLDS)
		return;
	if (frame->durable_bytes > listing->floor_bytes)
		listing->floor_bytes = frame->durable_bytes;
	know(survivors, frame->durable_revision);
	if (!is_commit(piece))
		return;
	if (!array_grow(&survivors->candidates, &survivors->capacity,
			survivors->count + 1, sizeof(*survivors->candidates))) {
		listing->error = WB_NO_MEMORY;
		return;
	}
	survivors->candidates[survivors->count++] =
		(struct candidate){frame->revision, piece->offset,
				   listing->source};
}

static void note_end(struct ending *ending, const struct audit_piece *piece)
{
	if (piece->kind == AUDIT_PIECE_FRAME && piece->seen == AUDIT_HOLDS) {
		ending->last_type = piece->frame.type;
		ending->zeros = ending->other = false;
	} else if (piece->kind == AUDIT_PIECE_ZEROS) {
		ending->zeros = true;
	} else {
		ending->other = true;
	}
	if (piece->kind == AUDIT_PIECE_UNREADABLE)
		ending->unreadable_to = piece->offset + piece->bytes;
}

static bool list_piece(void *context, const struct audit_piece *piece)
{
	struct listing *listing = context;
	struct survivors *survivors = listing->survivors;
	const struct source *source = &survivors->sources[listing->source];

	meter_at(survivors->visitor->meter,
		 survivors->bytes_before + piece->offset);
	if (piece->offset >= source->limit)
		return false;
	if (listing->source + 1 == survivors->source_count)
		note_end(&survivors->ending, piece);
	if (piece->kind == AUDIT_PIECE_FRAME) {
		if (piece->bytes <= source->limit - piece->offset)
			list_frame(listing, piece);
		return listing->error == WB_OK;
	}
	if (!array_grow(&listing->spots, &listing->spot_capacity,
			listing->spot_count + 1, sizeof(*listing->spots))) {
		listing->error = WB_NO_MEMORY;
		return false;
	}
	listing->spots[listing->spot_count++] =
		(struct spot){piece->offset, piece->offset + piece->bytes};
	return true;
}

/* Where a write did not finish, and so what is behind it never counted. */
static uint64_t torn_at(const struct listing *listing)
{
	for (size_t at = 0; at < listing->spot_count; at++) {
		const struct spot *spot = &listing->spots[at];

		if (spot->to > listing->floor_bytes)
			return spot->from > listing->floor_bytes
				       ? spot->from
				       : listing->floor_bytes;
	}
	return UINT64_MAX;
}

/* All candidates from `first` on are of this source. */
static void keep_what_counts(struct listing *listing, size_t first)
{
	struct survivors *survivors = listing->survivors;
	uint64_t torn = torn_at(listing);
	size_t kept = first;

	for (size_t at = first; at < survivors->count; at++) {
		struct candidate candidate = survivors->candidates[at];

		if (candidate.offset >= torn)
			continue;
		survivors->candidates[kept++] = candidate;
		know(survivors, candidate.revision);
	}
	survivors->count = kept;
}

static enum wb_error list_source(struct survivors *survivors, size_t at)
{
	const struct audit_slot *anchor = survivors->anchor;
	const struct source *source = &survivors->sources[at];
	struct listing listing = {
		.survivors = survivors,
		.source = (uint32_t)at,
	};
	struct audit_frames_head head;
	size_t first = survivors->count;
	enum wb_error error;

	if (source->limit != UINT64_MAX) {
		listing.floor_bytes = source->limit;
	} else if (anchor && anchor->active_id == source->id) {
		listing.floor_bytes = anchor->durable_bytes;
	}
	error = audit_frames(survivors->dir, source->name, &head, list_piece,
			     &listing);
	survivors->ending.read = !error && head.salt_from != AUDIT_SALT_UNKNOWN;
	/* Of a file that cannot be read now nothing is left. */
	if (error != WB_NO_MEMORY)
		error = listing.error;
	if (!error)
		keep_what_counts(&listing, first);
	free(listing.spots);
	return error;
}

static enum wb_error list_sources(struct survivors *survivors)
{
	struct meter *meter = survivors->visitor->meter;
	uint64_t file_bytes = 0;
	enum wb_error error = WB_OK;

	for (size_t at = 0; at < survivors->source_count; at++)
		file_bytes += survivors->sources[at].file_bytes;
	meter_begin(meter, "search", "bytes", file_bytes);
	for (size_t at = 0; at < survivors->source_count && !error; at++) {
		error = list_source(survivors, at);
		survivors->bytes_before += survivors->sources[at].file_bytes;
	}
	if (error)
		return error;
	meter_end(meter);
	if (survivors->anchor)
		know(survivors, survivors->anchor->durable_revision);
	return error;
}

/* ---- the end ---- */

struct cut {
	char prefix[24];
	bool found;
};

static bool take_torn(void *context, const char *entry)
{
	struct cut *cut = context;

	cut->found = strncmp(entry, cut->prefix, strlen(cut->prefix)) == 0;
	return !cut->found;
}

/* "An anchor from the log" of docs/FORMAT.md. `*ret_proven`: the newest source
 * has no successor, and nothing was being written. */
static enum wb_error prove_end(const struct survivors *survivors,
			       const struct source *newest, bool *ret_proven)
{
	const struct ending *ending = &survivors->ending;
	struct cut cut = {.found = false};
	enum wb_error error;

	*ret_proven = (ending->last_type == AUDIT_MARK ||
		       ending->last_type == AUDIT_CLOSE) &&
		      ending->zeros && !ending->other;
	if (!*ret_proven)
		return WB_OK;
	snprintf(cut.prefix, sizeof(cut.prefix), "%016" PRIx64 "-", newest->id);
	error = dir_list(survivors->dir, "torn", take_torn, &cut);
	*ret_proven = !cut.found;
	return error == WB_NO_MEMORY ? error : WB_OK;
}

/* Does the anchor know this segment: then what stands behind its
 * durable_bytes is all there was, or was not acknowledged. */
static bool anchor_knows(const struct survivors *survivors,
			 const struct source *newest)
{
	const struct ending *ending = &survivors->ending;
	const struct audit_slot *anchor = survivors->anchor;

	if (!anchor || survivors->set.anchor_misfit)
		return false;
	if (anchor->active_id == newest->id)
		return ending->read &&
		       newest->file_bytes >= anchor->durable_bytes &&
		       ending->unreadable_to <= anchor->durable_bytes;
	/* "Opening" 8: it may be one behind where no frame was written, or
	 * where the slot that knew is bad; but of what is torn there it
	 * does not tell. */
	return newest->has_header && ending->read &&
	       newest->header.previous_id == anchor->active_id &&
	       ending->unreadable_to == 0 && !ending->other &&
	       (survivors->set.slot_is_bad || ending->last_type == 0);
}

/* A creation that was not finished: the anchor is the last that is made. */
static bool never_began(const struct survivors *survivors,
			const struct source *newest)
{
	return survivors->set.unfinished && newest->has_header &&
	       newest->file_bytes > AUDIT_FRAMES_AT;
}

static enum wb_error judge_end(struct survivors *survivors)
{
	const struct source *newest =
		survivors->source_count
			? &survivors->sources[survivors->source_count - 1]
			: NULL;
	bool proven = false;
	enum wb_error error = WB_OK;

	/* An anchor that names a newer one says that the newest is gone. */
	if (newest && (!survivors->anchor ||
		       survivors->anchor->active_id <= newest->id)) {
		error = prove_end(survivors, newest, &proven);
		proven = proven || anchor_knows(survivors, newest) ||
			 never_began(survivors, newest);
	}
	if (!error && !proven)
		survivors->found.unknown_from = survivors->found.head + 1;
	return error;
}

/* ---- reading ---- */

/* The best first: of the newest segment, in the file that has its name. */
static int by_revision(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->revision != y->revision)
		return x->revision < y->revision ? -1 : 1;
	if (x->source != y->source)
		return x->source > y->source ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Only opened anew where it is another file. */
static enum wb_error open_source(struct survivors *survivors, uint32_t at,
				 uint32_t *opened)
{
	enum wb_error error;

	if (survivors->window.file && *opened == at)
		return WB_OK;
	*opened = at;
	error = window_open(&survivors->window, survivors->dir,
			    survivors->sources[at].name);
	return error == WB_NO_MEMORY ? error : WB_OK;
}

/* NULL in `*ret_commit`: it cannot be read any more. */
static enum wb_error read_commit(struct survivors *survivors,
				 const struct candidate *candidate,
				 uint32_t *opened,
				 const struct audit_commit **ret_commit)
{
	const struct source *source = &survivors->sources[candidate->source];
	struct walk_frame frame = {.seen = AUDIT_FAILS};
	const char *why;
	enum wb_error error = open_source(survivors, candidate->source, opened);

	*ret_commit = NULL;
	if (error || !survivors->window.file)
		return error;
	error = walk_read_frame(&survivors->window, source->salt,
				candidate->offset, &frame);
	if (!error && frame.seen == AUDIT_HOLDS &&
	    frame.frame.type == AUDIT_COMMIT &&
	    frame.frame.revision == candidate->revision)
		error = audit_message_read(
			&survivors->message,
			(struct wb_bytes){frame.payload,
					  frame.frame.payload_bytes},
			&why);
	else
		return error == WB_NO_MEMORY ? error : WB_OK;
	if (!error && survivors->message.commit.revision == candidate->revision)
		*ret_commit = &survivors->message.commit;
	return error == WB_NO_MEMORY ? error : WB_OK;
}

static enum wb_error lose(struct survivors *survivors, uint64_t first,
			  uint64_t end)
{
	const struct audit_survivors_visitor *visitor = survivors->visitor;

	if (first >= end)
		return WB_OK;
	survivors->found.revisions_lost += end - first;
	return visitor->lost ? visitor->lost(visitor->context, first, end - 1)
			     : WB_OK;
}

static enum wb_error read_all(struct survivors *survivors)
{
	const struct audit_survivors_visitor *visitor = survivors->visitor;
	uint64_t next = 1; /* revision that was not told yet */
	uint32_t opened = UINT32_MAX;
	enum wb_error error = WB_OK;

	if (survivors->count > 1)
		qsort(survivors->candidates, survivors->count,
		      sizeof(*survivors->candidates), by_revision);
	meter_begin(visitor->meter, "copy", "commits", survivors->count);
	for (size_t at = 0; at < survivors->count && !error; at++) {
		const struct candidate *candidate = &survivors->candidates[at];
		const struct audit_commit *commit;

		meter_at(visitor->meter, at);
		if (candidate->revision < next)
			continue; /* another copy */
		error = read_commit(survivors, candidate, &opened, &commit);
		if (error || !commit)
			continue;
		error = lose(survivors, next, candidate->revision);
		survivors->found.commits++;
		next = candidate->revision + 1;
		if (!error && visitor->commit)
			error = visitor->commit(visitor->context, commit);
	}
	if (error)
		return error;
	meter_end(visitor->meter);
	return lose(survivors, next, survivors->found.head + 1);
}

enum wb_error audit_survivors_read(
	struct dir *dir, const struct audit_survivors_visitor *visitor,
	struct audit_survivors *ret_survivors)
{
	struct survivors survivors = {.dir = dir,
				      .visitor = visitor,
				      .window.trouble = window_pass_over};
	enum wb_error error = find_sources(&survivors);

	if (!error)
		error = list_sources(&survivors);
	if (!error)
		error = judge_end(&survivors);
	if (!error)
		error = read_all(&survivors);
	if (!error)
		*ret_survivors = survivors.found;
	window_release(&survivors.window);
	audit_message_release(&survivors.message);
	set_release(&survivors.set);
	free(survivors.sources);
	free(survivors.candidates);
	return error;
}
