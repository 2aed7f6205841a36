/* SPDX-License-Identifier: Apache-2.0
 *
 * Look-ups go from the newest segment to the oldest. The active one has its
 * entries in memory, a sealed one in its footer, a cut one is walked. The
 * lock is held to look at a segment, never while a file is read or a visitor
 * runs.
 *
 * An open does not hold the entries of a footer against the commits: that
 * takes the hash of every key once more. So each entry that is used is compared
 * with the mutation that it leads to, and where all versions are asked for each
 * mutation of each commit must have one. A version of a single key that is
 * missing, because its entry has another hash, is for those to see who know
 * the key.
 */
#include "log/lookup.h"

#include "log/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A list of candidates, grown as they are found. */
struct found {
	struct log_entry *entries;
	size_t count, capacity;
	const struct log_query *query;
	bool full; /* memory ran out */
};

static void found_add(struct found *found, const struct log_entry *entry)
{
	const struct log_query *query = found->query;

	if ((query->by_hash && entry->hash != query->hash) ||
	    (query->before && entry->revision >= query->before) ||
	    (query->upto && entry->revision > query->upto))
		return;
	if (found->count == found->capacity) {
		size_t capacity = found->capacity ? 2 * found->capacity : 64;
		struct log_entry *grown =
			realloc(found->entries, capacity * sizeof(*grown));

		if (!grown) {
			found->full = true;
			return;
		}
		found->entries = grown;
		found->capacity = capacity;
	}
	found->entries[found->count++] = *entry;
}

static int newest_first(const void *a, const void *b)
{
	const struct log_entry *x = a, *y = b;

	if (x->revision != y->revision)
		return x->revision > y->revision ? -1 : 1;
	return x->mutation < y->mutation ? -1 : x->mutation > y->mutation;
}

/* A segment as it was when the lock was held. */
struct snapshot {
	struct log_segment segment; /* its entries are not ours */
	char name[SEGMENT_NAME_SIZE];
};

/* How many segments have an id below `below` (0: all); they ascend. */
static size_t count_below(const struct log *log, uint64_t below)
{
	size_t low = 0, high = log->count;

	while (below && low < high) {
		size_t middle = low + (high - low) / 2;

		if (log->segments[middle].header.id < below)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

/* The newest segment with an id below `below` (0: of all). Takes the
 * entries of an active one into `found`. */
static bool snapshot_take(struct log *log, uint64_t below, struct found *found,
			  struct snapshot *ret_snapshot)
{
	const struct log_segment *segment;
	size_t at, entry;

	pthread_rwlock_rdlock(&log->lock);
	at = count_below(log, below);
	if (at > 0) {
		segment = &log->segments[at - 1];
		ret_snapshot->segment = *segment;
		if (found && segment->state == LOG_ACTIVE)
			for (entry = 0; entry < segment->entry_count; entry++)
				found_add(found, &segment->entries[entry]);
	}
	pthread_rwlock_unlock(&log->lock);
	if (at == 0)
		return false;
	ret_snapshot->segment.entries = NULL;
	segment_name(ret_snapshot->segment.header.id, SEGMENT_LOG,
		     ret_snapshot->name);
	return true;
}

/* ---- reading frames ---- */

struct frame_reader {
	struct log *log;
	const struct snapshot *snapshot;
	struct file *file;
	uint8_t *bytes;
	size_t capacity;
	uint64_t offset; /* of the frame in `bytes`; 0: none */
	struct commit commit;
};

static enum wb_error frame_fill(struct frame_reader *reader, uint64_t offset,
				size_t size, size_t *ret_size)
{
	uint8_t *grown;

	if (size > reader->capacity) {
		grown = realloc(reader->bytes, size);
		if (!grown)
			return WB_NO_MEMORY;
		reader->bytes = grown;
		reader->capacity = size;
	}
	return file_read(reader->file, reader->bytes, size, offset, ret_size);
}

/* The frame at `offset`, verified. */
static enum wb_error frame_load(struct frame_reader *reader, uint64_t offset,
				struct frame *ret_frame)
{
	const struct log_segment *segment = &reader->snapshot->segment;
	size_t guess = 4096, size = 0;
	struct frame frame;
	enum wb_error error;
	int attempt;

	for (attempt = 0; attempt < 2; attempt++) {
		if (guess > segment->end - offset)
			guess = (size_t)(segment->end - offset);
		error = frame_fill(reader, offset, guess, &size);
		if (error)
			return error;
		if (!frame_decode(reader->bytes, size, segment->header.salt,
				  offset, &frame)) {
			*ret_frame = frame;
			return WB_OK;
		}
		if (!frame_peek(reader->bytes, size, &frame) ||
		    frame.frame_bytes <= size)
			break;
		guess = frame.frame_bytes;
	}
	return diag_corrupt(reader->log->env->diag, reader->snapshot->name,
			    offset, "a frame that was durable does not verify");
}

static enum wb_error commit_load(struct frame_reader *reader, uint64_t offset)
{
	struct frame frame = {0};
	enum wb_error error;

	if (reader->offset == offset)
		return WB_OK;
	reader->offset = 0;
	error = frame_load(reader, offset, &frame);
	if (error)
		return error;
	if (frame.type != FRAME_COMMIT ||
	    commit_decode(frame.payload, frame.payload_bytes, &reader->commit))
		return diag_corrupt(reader->log->env->diag,
				    reader->snapshot->name, offset,
				    "no commit is where the index says");
	reader->offset = offset;
	return WB_OK;
}

static enum wb_error reader_open(struct frame_reader *reader, struct log *log,
				 const struct snapshot *snapshot)
{
	*reader = (struct frame_reader){.log = log, .snapshot = snapshot};
	return dir_open(log->dir, snapshot->name, FILE_READ, &reader->file);
}

static void reader_close(struct frame_reader *reader)
{
	file_close(reader->file);
	free(reader->bytes);
}

/* ---- candidates of a segment that is not active ---- */

static enum wb_error find_in_footer(struct frame_reader *reader,
				    struct found *found)
{
	const struct log_segment *segment = &reader->snapshot->segment;
	struct log_entry entry;
	struct footer footer;
	struct frame frame;
	uint64_t low = 0, high, middle;
	enum wb_error error;

	error = frame_load(reader, segment->footer_at, &frame);
	if (error)
		return error;
	if (frame.type != FRAME_FOOTER ||
	    footer_decode(frame.payload, frame.payload_bytes, &footer))
		return diag_corrupt(reader->log->env->diag,
				    reader->snapshot->name, segment->footer_at,
				    "the footer is not one");
	high = footer.entry_count;
	while (found->query->by_hash && low < high) {
		middle = low + (high - low) / 2;
		entry = footer_entry(frame.payload, &footer, middle);
		if (entry.hash < found->query->hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < footer.entry_count; low++) {
		entry = footer_entry(frame.payload, &footer, low);
		if (found->query->by_hash && entry.hash != found->query->hash)
			break;
		found_add(found, &entry);
	}
	return WB_OK;
}

/* Visit the commits of a segment in order, each verified. */
static enum wb_error walk_commits(struct frame_reader *reader,
				  void (*visit)(void *context,
						const struct commit *commit,
						uint64_t offset),
				  void *context)
{
	const struct log_segment *segment = &reader->snapshot->segment;
	uint64_t at = SEGMENT_FRAMES_AT;
	struct frame frame;
	enum wb_error error;

	while (at < segment->end) {
		error = frame_load(reader, at, &frame);
		if (error)
			return error;
		if (frame.type == FRAME_COMMIT) {
			reader->offset = 0;
			error = commit_load(reader, at);
			if (error)
				return error;
			visit(context, &reader->commit, at);
		}
		at += frame.frame_bytes;
	}
	return WB_OK;
}

static void find_in_commit(void *context, const struct commit *commit,
			   uint64_t offset)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct log_entry entry = {
		.revision = commit->head.revision,
		.offset = offset,
	};
	struct mutation mutation;

	for (; mutation_walk_next(&walk, &mutation); entry.mutation++) {
		entry.hash = mutation_hash(&mutation.key);
		found_add(context, &entry);
	}
}

/* ---- handing them out ---- */

/* Which version comes next, where all of a segment's are asked for. */
struct due {
	bool all; /* else any may */
	uint64_t revision, last_revision;
	uint32_t mutation;
};

static struct due due_begin(const struct log_segment *segment,
			    const struct log_query *query)
{
	struct due due = {
		.all = !query->by_hash,
		.revision = segment->head,
		.last_revision = segment->header.first_revision,
	};

	if (query->upto && query->upto < due.revision)
		due.revision = query->upto;
	if (query->before && query->before - 1 < due.revision)
		due.revision = query->before - 1;
	return due;
}

static bool due_is(const struct due *due, const struct log_entry *entry)
{
	return !due->all || (due->revision >= due->last_revision &&
			     entry->revision == due->revision &&
			     entry->mutation == due->mutation);
}

static void due_next(struct due *due, const struct commit *commit)
{
	if (++due->mutation == commit->mutation_count) {
		due->mutation = 0;
		due->revision--;
	}
}

static bool due_ended(const struct due *due)
{
	return !due->all || due->revision < due->last_revision;
}

/* The mutation that an entry leads to, from where `walk` is; `*next` counts.
 * False: it leads to none, or to another one. */
static bool find_mutation(const struct commit *commit,
			  const struct log_entry *entry,
			  struct mutation_walk *walk, uint32_t *next,
			  struct mutation *ret_mutation)
{
	do {
		if (!mutation_walk_next(walk, ret_mutation))
			return false;
	} while ((*next)++ < entry->mutation);
	return commit->head.revision == entry->revision &&
	       mutation_hash(&ret_mutation->key) == entry->hash;
}

static enum wb_error index_is_wrong(const struct frame_reader *reader,
				    uint64_t revision)
{
	return diag_corrupt(reader->log->env->diag, reader->snapshot->name,
			    reader->snapshot->segment.footer_at,
			    "the index of its versions is not that of its "
			    "commits, at revision %" PRIu64,
			    revision);
}

/* The mutations of one commit stand next to each other among the
 * candidates, in order: one walk serves them all. */
static enum wb_error hand_out(struct frame_reader *reader,
			      const struct found *found, log_version_fn *visit,
			      void *context, bool *ret_stopped)
{
	struct due due = due_begin(&reader->snapshot->segment, found->query);
	struct mutation_walk walk = {0};
	struct mutation mutation;
	uint64_t offset = 0;
	uint32_t next = 0;
	enum wb_error error;
	size_t at;

	for (at = 0; at < found->count; at++) {
		const struct log_entry *entry = &found->entries[at];

		if (!due_is(&due, entry))
			return index_is_wrong(reader, due.revision);
		error = commit_load(reader, entry->offset);
		if (error)
			return error;
		if (offset != entry->offset) {
			walk = mutation_walk_begin(&reader->commit);
			offset = entry->offset;
			next = 0;
		}
		if (!find_mutation(&reader->commit, entry, &walk, &next,
				   &mutation))
			return index_is_wrong(reader, entry->revision);
		due_next(&due, &reader->commit);
		if (!visit(context, &reader->commit, &mutation)) {
			*ret_stopped = true;
			return WB_OK;
		}
	}
	return due_ended(&due) ? WB_OK : index_is_wrong(reader, due.revision);
}

static enum wb_error visit_segment(struct log *log,
				   const struct snapshot *snapshot,
				   struct found *found, log_version_fn *visit,
				   void *context, bool *ret_stopped)
{
	enum log_segment_state state = snapshot->segment.state;
	struct frame_reader reader;
	enum wb_error error;

	error = reader_open(&reader, log, snapshot);
	if (error)
		return error;
	if (state == LOG_SEALED)
		error = find_in_footer(&reader, found);
	else if (state == LOG_CUT)
		error = walk_commits(&reader, find_in_commit, found);
	if (!error && found->full)
		error = WB_NO_MEMORY;
	if (!error && found->count > 1)
		qsort(found->entries, found->count, sizeof(*found->entries),
		      newest_first);
	reader.offset = 0;
	if (!error)
		error = hand_out(&reader, found, visit, context, ret_stopped);
	reader_close(&reader);
	return error;
}

enum wb_error log_versions(struct log *log, const struct log_query *query,
			   log_version_fn *visit, void *context)
{
	struct found found = {.query = query};
	enum wb_error error = WB_OK;
	struct snapshot snapshot;
	bool stopped = false;
	uint64_t below = 0;

	while (!error && !stopped &&
	       snapshot_take(log, below, &found, &snapshot)) {
		const struct segment_header *header = &snapshot.segment.header;
		bool commits = snapshot.segment.head >= header->first_revision;

		below = header->id;
		if (commits &&
		    (!query->before ||
		     header->first_revision < query->before) &&
		    (!query->upto || header->first_revision <= query->upto))
			error = visit_segment(log, &snapshot, &found, visit,
					      context, &stopped);
		found.count = 0;
	}
	free(found.entries);
	return error;
}

/* All of them: while a footer is written they are in the order of hashes. */
static bool has_entry_above(const struct log_segment *active, uint32_t hash,
			    uint64_t revision)
{
	for (size_t at = 0; at < active->entry_count; at++)
		if (active->entries[at].hash == hash &&
		    active->entries[at].revision > revision)
			return true;
	return false;
}

bool log_may_have_changed(struct log *log, uint32_t hash, uint64_t revision)
{
	const struct log_segment *newest;
	bool changed = false;

	pthread_rwlock_rdlock(&log->lock);
	newest = log_newest(log);
	if (newest->head > revision)
		changed = newest->state != LOG_ACTIVE ||
			  newest->header.first_revision > revision + 1 ||
			  has_entry_above(newest, hash, revision);
	pthread_rwlock_unlock(&log->lock);
	return changed;
}

/* ---- by time ---- */

struct by_time {
	int64_t time_ns;
	uint64_t revision;
};

static void take_by_time(void *context, const struct commit *commit,
			 uint64_t offset)
{
	struct by_time *by_time = context;

	(void)offset;
	if (commit->head.time_ns <= by_time->time_ns)
		by_time->revision = commit->head.revision;
}

enum wb_error log_revision_at(struct log *log, int64_t time_ns,
			      uint64_t *ret_revision)
{
	struct by_time by_time = {.time_ns = time_ns};
	enum wb_error error = WB_OK;
	struct frame_reader reader;
	struct snapshot snapshot;
	uint64_t below = 0;

	while (!error && by_time.revision == 0 &&
	       snapshot_take(log, below, NULL, &snapshot)) {
		const struct log_segment *segment = &snapshot.segment;

		below = segment->header.id;
		if (segment->head < segment->header.first_revision ||
		    segment->time_min_ns > time_ns)
			continue;
		if (segment->time_max_ns <= time_ns) {
			by_time.revision = segment->head;
			break;
		}
		error = reader_open(&reader, log, &snapshot);
		if (!error) {
			error = walk_commits(&reader, take_by_time, &by_time);
			reader_close(&reader);
		}
	}
	if (!error)
		*ret_revision = by_time.revision;
	return error;
}
