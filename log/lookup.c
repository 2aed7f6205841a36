/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups go from the newest commit to the oldest: what was told is said by
 * one number, the revision below which it goes on, so a segment may be sealed
 * or a new one begun between two steps. Each step looks at the segments under
 * the lock, for as long as a short search takes, and then reads and tells
 * without it.
 *
 * Everybody's versions are read a stretch of frames at a time (stretches.h).
 * A key's are found one by one: by the entries of the segment that is
 * written to, in memory (entries.h), by a page of the footer of a sealed one
 * (pages.h).
 * A cut segment has neither. Who first looks for a key in it reads it once,
 * and makes its entries; they are kept for those who come later, as long as
 * all of them together stay within LOG_INDEXED_BYTES_MAX. To make them at open
 * would be to make everybody pay.
 *
 * Either way what is read is what is told, and not the log.
 *
 * No version is left out because of damage. A stretch must be frames from end
 * to end, and have as many commits as it has revisions. An open does not hold
 * the entries of a footer against the commits: that takes the hash of every key
 * once more. So each entry that is used is compared with the mutation that it
 * leads to. A version of a single key that is missing, because its entry has
 * another hash, is for those to see who know the key.
 */
#include "log/lookup.h"

#include "log/readback.h"
#include "log/state.h"

#include <inttypes.h>

struct lookup {
	struct log *log;
	const struct log_query *query;
	log_version_fn *visit;
	void *context;
	int64_t until_ns; /* only commits that are not later */
	uint64_t before;  /* all of this revision and above were told */
	bool stopped;
	struct readback readback;
	/* Entries that there was no room to keep, of segment `own_id`. */
	struct entries own;
	uint64_t own_id;
	struct places places;
	struct stretch_commits commits;
};

/* A stretch: where it is, and its revisions. */
struct span {
	uint64_t from, to;
	uint64_t first, behind;
};

/* Where to look next. What it points to is not changed nor freed while the log
 * is open. */
struct step {
	struct spot spot;
	enum log_segment_state state;
	uint64_t first_revision, head;
	bool indexed;		    /* the places are found already */
	struct span span;	    /* of everybody's */
	struct pages pages;	    /* of a sealed segment */
	struct stretches stretches; /* of one that is not indexed */
};

static void lookup_begin(struct lookup *lookup, struct log *log,
			 const struct log_query *query, log_version_fn *visit,
			 void *context)
{
	*lookup = (struct lookup){
		.log = log,
		.query = query,
		.visit = visit,
		.context = context,
		.until_ns = INT64_MAX,
		.before = query->before ? query->before : UINT64_MAX,
	};
	if (query->upto && query->upto < lookup->before)
		lookup->before = query->upto + 1;
	readback_init(&lookup->readback, log->dir, log->env->diag);
}

static void lookup_end(struct lookup *lookup)
{
	entries_release(&lookup->own);
	readback_release(&lookup->readback);
}

/* ---- under the lock ---- */

/* How many segments begin below; they ascend. */
static size_t count_below(const struct log *log, uint64_t before)
{
	size_t low = 0, high = log->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (log->segments[middle].header.first_revision < before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_commits(const struct log_segment *segment)
{
	return segment->head >= segment->header.first_revision;
}

static uint64_t frames_end(const struct log_segment *segment)
{
	return segment->state == LOG_SEALED ? segment->footer_at : segment->end;
}

static struct step step_at(const struct log_segment *segment)
{
	return (struct step){
		.spot = {.id = segment->header.id,
			 .salt = segment->header.salt,
			 .end = frames_end(segment),
			 .footer_at = segment->footer_at},
		.state = segment->state,
		.first_revision = segment->header.first_revision,
		.head = segment->head,
		.indexed = segment->indexed,
	};
}

static struct span span_at(const struct step *step,
			   const struct stretches *stretches, size_t at)
{
	const struct stretch *stretch = &stretches->list[at];
	bool last = at + 1 == stretches->count;

	return (struct span){
		.from = stretches_offset(stretches, at),
		.to = last ? step->spot.end
			   : stretches_offset(stretches, at + 1),
		.first = step->first_revision + stretch->revision,
		.behind = last ? step->head + 1
			       : step->first_revision + stretch[1].revision,
	};
}

/* The newest stretch that may have something to tell. */
static bool next_stretch(struct lookup *lookup, struct step *ret_step)
{
	const struct log *log = lookup->log;
	size_t at, number = 0;

	for (at = count_below(log, lookup->before); at > 0; at--) {
		const struct log_segment *segment = &log->segments[at - 1];
		uint64_t first = segment->header.first_revision;

		if (!has_commits(segment) ||
		    segment->time_min_ns > lookup->until_ns ||
		    !stretches_find(&segment->stretches, lookup->before - first,
				    lookup->until_ns, &number))
			continue;
		*ret_step = step_at(segment);
		ret_step->span = span_at(ret_step, &segment->stretches, number);
		return true;
	}
	return false;
}

/* The newest segment that may have versions of the key; and some of them,
 * where its entries are in memory. */
static bool next_places(struct lookup *lookup, struct step *ret_step)
{
	struct log *log = lookup->log;
	size_t at = count_below(log, lookup->before);
	struct log_segment *segment;

	while (at > 0 && !has_commits(&log->segments[at - 1]))
		at--;
	if (at == 0)
		return false;
	segment = &log->segments[at - 1];
	*ret_step = step_at(segment);
	ret_step->pages = segment->pages;
	ret_step->stretches = segment->stretches;
	if (segment->indexed)
		entries_find(&segment->entries, lookup->query->hash,
			     lookup->before, &lookup->places);
	return true;
}

static bool look(struct lookup *lookup,
		 bool (*next)(struct lookup *lookup, struct step *ret_step),
		 struct step *ret_step)
{
	bool found;

	if (lookup->stopped)
		return false;
	pthread_rwlock_rdlock(&lookup->log->lock);
	found = next(lookup, ret_step);
	pthread_rwlock_unlock(&lookup->log->lock);
	return found;
}

/* ---- telling ---- */

static void tell(struct lookup *lookup, const struct commit *commit)
{
	const struct log_query *query = lookup->query;
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct mutation mutation;

	while (!lookup->stopped && mutation_walk_next(&walk, &mutation)) {
		if (query->by_hash &&
		    mutation_hash(&mutation.key) != query->hash)
			continue;
		lookup->stopped =
			!lookup->visit(lookup->context, commit, &mutation);
	}
}

/* ---- everybody's ---- */

static enum wb_error load_span(struct lookup *lookup, const struct span *span)
{
	struct readback *readback = &lookup->readback;
	enum wb_error error = readback_stretch(readback, span->from, span->to,
					       &lookup->commits);

	if (!error && lookup->commits.count != span->behind - span->first)
		error = diag_corrupt(readback->diag, readback->name, span->to,
				     "a commit before revision %" PRIu64
				     " is missing",
				     span->behind);
	return error;
}

static enum wb_error tell_stretch(struct lookup *lookup,
				  const struct step *step)
{
	struct readback *readback = &lookup->readback;
	const struct span *span = &step->span;
	struct commit commit;
	enum wb_error error;
	size_t at;

	error = readback_open(readback, &step->spot);
	if (!error)
		error = load_span(lookup, span);
	if (error)
		return error;
	for (at = lookup->commits.count; at > 0 && !lookup->stopped; at--) {
		uint64_t revision = span->first + at - 1;

		if (revision >= lookup->before)
			continue;
		error = readback_stretch_commit(readback, &lookup->commits,
						at - 1, revision, &commit);
		if (error)
			return error;
		if (commit.head.time_ns <= lookup->until_ns)
			tell(lookup, &commit);
	}
	lookup->before = span->first;
	return WB_OK;
}

/* ---- one key's ---- */

/* They are complete, so whoever comes next may use them. */
static void offer_entries(struct lookup *lookup)
{
	struct log *log = lookup->log;
	size_t bytes = entries_bytes(&lookup->own), at;

	pthread_rwlock_wrlock(&log->lock);
	at = count_below(log, lookup->own.first_revision + 1);
	while (at > 0 && log->segments[at - 1].header.id != lookup->own_id)
		at--;
	if (at > 0 && !log->segments[at - 1].indexed &&
	    bytes <= log->indexed_bytes_left) {
		log->segments[at - 1].entries = lookup->own;
		log->segments[at - 1].indexed = true;
		log->indexed_bytes_left -= bytes;
		lookup->own = (struct entries){0};
		lookup->own_id = 0;
	}
	pthread_rwlock_unlock(&log->lock);
}

static enum wb_error index_span(struct lookup *lookup, const struct span *span)
{
	struct readback *readback = &lookup->readback;
	struct commit commit;
	enum wb_error error;
	size_t at;

	error = load_span(lookup, span);
	for (at = 0; !error && at < lookup->commits.count; at++) {
		error = readback_stretch_commit(readback, &lookup->commits, at,
						span->first + at, &commit);
		if (!error)
			error = log_index_commit(
				&lookup->own, &commit,
				span->from + lookup->commits.frames[at]);
	}
	return error;
}

static enum wb_error make_entries(struct lookup *lookup,
				  const struct step *step)
{
	const struct stretches *stretches = &step->stretches;
	enum wb_error error;
	size_t at;

	entries_release(&lookup->own);
	entries_begin(&lookup->own, step->first_revision);
	lookup->own_id = 0;
	error = readback_open(&lookup->readback, &step->spot);
	for (at = 0; !error && at < stretches->count; at++) {
		struct span span = span_at(step, stretches, at);

		error = index_span(lookup, &span);
	}
	if (!error)
		lookup->own_id = step->spot.id;
	return error;
}

static enum wb_error find_on_page(struct lookup *lookup,
				  const struct step *step)
{
	struct places *places = &lookup->places;
	uint32_t hash = lookup->query->hash;
	const uint8_t *bytes;
	enum wb_error error;
	size_t at;

	if (!pages_find(&step->pages, hash, lookup->before, &at)) {
		places->count = 0;
		places->before = step->first_revision;
		return WB_OK;
	}
	error = readback_open(&lookup->readback, &step->spot);
	if (!error)
		error = readback_page(&lookup->readback, &step->pages, at,
				      &bytes);
	if (!error)
		page_search(&step->pages, at, bytes, hash, lookup->before,
			    places);
	return error;
}

static enum wb_error find_places(struct lookup *lookup, const struct step *step)
{
	bool known = lookup->own_id == step->spot.id;
	enum wb_error error = WB_OK;

	if (step->indexed)
		return WB_OK; /* they were found under the lock */
	if (step->state == LOG_SEALED)
		return find_on_page(lookup, step);
	if (!known)
		error = make_entries(lookup, step);
	if (error)
		return error;
	entries_find(&lookup->own, lookup->query->hash, lookup->before,
		     &lookup->places);
	if (!known)
		offer_entries(lookup);
	return WB_OK;
}

/* What an entry leads to must be what it says. */
static bool has_version(const struct commit *commit, uint32_t number,
			uint32_t hash)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct mutation mutation;

	do {
		if (!mutation_walk_next(&walk, &mutation))
			return false;
	} while (number-- > 0);
	return mutation_hash(&mutation.key) == hash;
}

static enum wb_error tell_places(struct lookup *lookup, const struct step *step)
{
	const struct places *places = &lookup->places;
	struct readback *readback = &lookup->readback;
	enum wb_error error = WB_OK;
	struct commit commit;
	size_t at;

	if (places->count > 0)
		error = readback_open(readback, &step->spot);
	for (at = 0; !error && at < places->count && !lookup->stopped; at++) {
		const struct commit_place *place = &places->list[at];

		error = readback_commit(readback, places, at, &commit);
		if (!error &&
		    !has_version(&commit, place->mutation, lookup->query->hash))
			error = diag_corrupt(
				readback->diag, readback->name, place->offset,
				"the commit of revision %" PRIu64
				" has no such key where the index says",
				place->revision);
		if (!error)
			tell(lookup, &commit);
	}
	lookup->before = places->before;
	return error;
}

enum wb_error log_versions(struct log *log, const struct log_query *query,
			   log_version_fn *visit, void *context)
{
	enum wb_error error = WB_OK;
	struct lookup lookup;
	struct step step;

	lookup_begin(&lookup, log, query, visit, context);
	if (!query->by_hash)
		while (!error && look(&lookup, next_stretch, &step))
			error = tell_stretch(&lookup, &step);
	else
		while (!error && look(&lookup, next_places, &step)) {
			error = find_places(&lookup, &step);
			if (!error)
				error = tell_places(&lookup, &step);
		}
	lookup_end(&lookup);
	return error;
}

/* ---- what changed ---- */

/* Is there an entry of `hash` above? Looks at some, newest first, below
 * `*before`, which then is above those that are left. */
static bool has_entry_above(const struct log_segment *active, uint32_t hash,
			    uint64_t revision, uint64_t *before)
{
	struct places places;

	entries_find(&active->entries, hash, *before, &places);
	*before = places.before;
	return places.count > 0 && places.list[0].revision > revision;
}

/* What becomes durable meanwhile is not asked for, so it is no matter that the
 * lock is given back in between. */
bool log_may_have_changed(struct log *log, uint32_t hash, uint64_t revision)
{
	const struct log_segment *newest;
	uint64_t before = UINT64_MAX;
	bool changed, above;

	do {
		changed = false;
		pthread_rwlock_rdlock(&log->lock);
		newest = log_newest(log);
		above = newest->head > revision;
		if (above)
			changed =
				!newest->indexed ||
				newest->header.first_revision > revision + 1 ||
				has_entry_above(newest, hash, revision,
						&before);
		pthread_rwlock_unlock(&log->lock);
	} while (above && !changed && before > revision + 1);
	return changed;
}

/* ---- by time ---- */

static bool take_revision(void *context, const struct commit *commit,
			  const struct mutation *mutation)
{
	uint64_t *revision = context;

	(void)mutation;
	*revision = commit->head.revision;
	return false;
}

enum wb_error log_revision_at(struct log *log, int64_t time_ns, uint64_t upto,
			      uint64_t *ret_revision)
{
	struct log_query query = {.upto = upto};
	enum wb_error error = WB_OK;
	uint64_t revision = 0;
	struct lookup lookup;
	struct step step;

	lookup_begin(&lookup, log, &query, take_revision, &revision);
	lookup.until_ns = time_ns;
	while (!error && look(&lookup, next_stretch, &step))
		error = tell_stretch(&lookup, &step);
	lookup_end(&lookup);
	if (!error)
		*ret_revision = revision;
	return error;
}
