/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a whole store: an anchor and up to three segments, laid out from
 * parts (struct part), with checksums, links between segments and the anchor
 * made right as the first byte wishes. Opening it is an error, or gives a log
 * that is consistent: the same read-only and read-write, with dense
 * revisions, the same versions, and open to one more commit.
 *
 *	flags		u8	see enum
 *	slots		2 x 112	an anchor's bytes 8 to 120
 *	segments	1 to 3 x
 *	  header	176	a header's bytes 8 to 184
 *	  zeros		u8	zero bytes behind the frames, in 64
 *	  size		u16	of the frames
 *	  frames	size
 */
#include "log/log.h"
#include "log/lookup.h"

#include "log/chain.h"
#include "log/segment.h"
#include "tests/support/memdir.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum flags {
	FIX_FRAMES = 1,	  /* the checksums of frames */
	FIX_LINKS = 2,	  /* what a header says of the segment before, and a
			   * frame of what was durable */
	FIX_ANCHOR = 4,	  /* what the anchor says of the last segment */
	BAD_SLOT = 8,	  /* the first slot's checksum stays wrong */
	BAD_HEADERS = 16, /* so does that of each first header copy */
	NO_ANCHOR = 32,
	SWAP_NAMES = 64,  /* of the first two segments */
	FIX_BEHIND = 128, /* the checksums of frames behind the last one, too */
};

enum {
	SLOT_FIELDS = 112,
	HEADER_FIELDS = 176,
	SEGMENTS_MAX = 3,
	COMMITS_MAX = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* ---- a world ---- */

static int64_t now(const struct clock *clock)
{
	(void)clock;
	return 1;
}

static void fill(const struct random *random, void *buffer, size_t size)
{
	(void)random;
	memset(buffer, 0x5a, size);
}

static const struct clock fuzz_clock = {now, now};
static const struct random fuzz_random = {fill};
static const struct env fuzz_env = {&fuzz_clock, &fuzz_random, NULL};

/* ---- laying it out ---- */

struct segment {
	uint8_t *bytes; /* the whole file */
	size_t size;
	uint64_t id, end, head;
	uint8_t chain[CHAIN_BYTES];
};

struct layout {
	struct reader reader;
	unsigned flags;
	struct chain *chain;
	uint8_t slots[2][SLOT_FIELDS];
	struct segment segments[SEGMENTS_MAX];
	size_t count;
};

static void put_checksum(uint8_t *bytes, size_t size, uint64_t seed)
{
	struct writer writer = writer_of(bytes, 8);

	write_u64(&writer, XXH3_64bits_withSeed(bytes + 8, size - 8, seed));
}

static uint64_t get_u64(const uint8_t *bytes, size_t at)
{
	struct reader reader = reader_of(bytes + at, 8);

	return read_u64(&reader);
}

static void set_u64(uint8_t *bytes, size_t at, uint64_t value)
{
	struct writer writer = writer_of(bytes + at, 8);

	write_u64(&writer, value);
}

/* Unless it goes on with the group of the commit before it, a frame begins
 * one: what it says was durable is made so. */
static void fix_group(const struct segment *segment, const struct frame *frame,
		      struct frame *before, size_t at)
{
	if (frame->type != FRAME_COMMIT || before->type != FRAME_COMMIT ||
	    frame->durable_bytes != before->durable_bytes ||
	    frame->durable_revision != before->durable_revision) {
		set_u64(segment->bytes, at + 32, segment->head);
		set_u64(segment->bytes, at + 40, at);
	}
	*before = *frame;
	before->durable_revision = get_u64(segment->bytes, at + 32);
	before->durable_bytes = get_u64(segment->bytes, at + 40);
}

/* Walk the frames as they say they are; remember where they end. */
static void walk_frames(struct layout *layout, struct segment *segment)
{
	uint64_t salt = get_u64(segment->bytes, 104), at = SEGMENT_FRAMES_AT;
	struct frame frame, before = {.type = FRAME_NONE};

	segment->head = get_u64(segment->bytes, 128);
	memcpy(segment->chain, segment->bytes + 144, CHAIN_BYTES);
	while (frame_parse(segment->bytes + at, segment->size - at, &frame) ==
	       WB_OK) {
		uint8_t *bytes = segment->bytes + at;

		if ((layout->flags & FIX_LINKS) && frame.type == FRAME_FOOTER &&
		    frame.payload_bytes >= FOOTER_HEAD_BYTES)
			memcpy(bytes + FRAME_HEADER_BYTES + 40, segment->chain,
			       CHAIN_BYTES);
		if (layout->flags & FIX_LINKS)
			fix_group(segment, &frame, &before, at);
		if (layout->flags & FIX_FRAMES)
			put_checksum(bytes, frame.frame_bytes,
				     salt + at * FRAME_SEED_STEP);
		at += frame.frame_bytes;
		if (frame.type != FRAME_COMMIT)
			continue;
		segment->head = frame.revision;
		require(!chain_next(layout->chain,
				    (struct wb_bytes){frame.payload,
						      frame.payload_bytes},
				    segment->chain));
	}
	segment->end = at;
}

/* What looks like a frame behind the end becomes one. */
static void fix_behind(const struct segment *segment)
{
	uint64_t salt = get_u64(segment->bytes, 104), at = segment->end + 8;
	struct frame frame;

	while (at < segment->size) {
		if (frame_parse(segment->bytes + at, segment->size - at,
				&frame)) {
			at += 8;
			continue;
		}
		put_checksum(segment->bytes + at, frame.frame_bytes,
			     salt + at * FRAME_SEED_STEP);
		at += frame.frame_bytes;
	}
}

static void link_segment(struct layout *layout, struct segment *segment,
			 const struct segment *before)
{
	uint8_t *header = segment->bytes;

	if (!before) {
		require(!chain_start(layout->chain, header + 40, header + 144));
		set_u64(header, 136, get_u64(header, 56));
		return;
	}
	memcpy(header + 40, before->bytes + 40, UUID_BYTES);
	set_u64(header, 80, before->head + 1);
	set_u64(header, 112, before->id);
	set_u64(header, 120, before->end);
	set_u64(header, 128, before->head);
	set_u64(header, 136, get_u64(before->bytes, 56));
	memcpy(header + 144, before->chain, CHAIN_BYTES);
}

static void take_segment(struct layout *layout)
{
	struct reader *reader = &layout->reader;
	struct segment *segment = &layout->segments[layout->count];
	size_t zeros, size;

	segment->size = SEGMENT_FRAMES_AT;
	segment->bytes = calloc(1, SEGMENT_FRAMES_AT + 255 * 64 + UINT16_MAX);
	require(segment->bytes);
	read_bytes(reader, segment->bytes + 8, HEADER_FIELDS);
	zeros = (size_t)read_u8(reader) * 64;
	size = read_u16(reader);
	if (size > reader_left(reader))
		size = reader_left(reader);
	read_bytes(reader, segment->bytes + SEGMENT_FRAMES_AT, size);
	segment->size += size + zeros;
	segment->id = get_u64(segment->bytes, 64);
	if (layout->flags & FIX_LINKS)
		link_segment(layout, segment,
			     layout->count
				     ? &layout->segments[layout->count - 1]
				     : NULL);
	walk_frames(layout, segment);
	if (layout->flags & FIX_BEHIND)
		fix_behind(segment);
	memcpy(segment->bytes + 4096, segment->bytes, 4096);
	put_checksum(segment->bytes, 4096, 0);
	put_checksum(segment->bytes + 4096, 4096, 4096);
	if (layout->flags & BAD_HEADERS)
		segment->bytes[0] ^= 1;
	layout->count++;
}

static void put_anchor(struct layout *layout, struct memdir *memdir)
{
	const struct segment *last = &layout->segments[layout->count - 1];
	uint8_t bytes[2][ANCHOR_SLOT_BYTES] = {{0}};

	for (unsigned slot = 0; slot < 2; slot++) {
		uint8_t *at = bytes[slot];

		memcpy(at + 8, layout->slots[slot], SLOT_FIELDS);
		if (layout->flags & FIX_ANCHOR) {
			memcpy(at + 32, last->bytes + 40, UUID_BYTES);
			set_u64(at, 48, get_u64(last->bytes, 56));
			set_u64(at, 56, last->id);
			set_u64(at, 64, last->head);
			set_u64(at, 72, last->end);
			memcpy(at + 80, last->chain, CHAIN_BYTES);
		}
		if (slot == 1 || !(layout->flags & BAD_SLOT))
			put_checksum(at, ANCHOR_SLOT_BYTES,
				     slot * ANCHOR_SLOT_BYTES);
	}
	memdir_put(memdir, ANCHOR_NAME, bytes, sizeof(bytes));
}

static struct memdir *lay_out(const uint8_t *data, size_t size)
{
	struct memdir *memdir = memdir_new();
	struct layout layout = {
		.reader = reader_of(data, size),
		.chain = chain_new(),
	};

	require(layout.chain);
	layout.flags = read_u8(&layout.reader);
	read_bytes(&layout.reader, layout.slots, sizeof(layout.slots));
	while (layout.count < SEGMENTS_MAX && reader_left(&layout.reader) > 0)
		take_segment(&layout);
	if (layout.count > 0 && !(layout.flags & NO_ANCHOR))
		put_anchor(&layout, memdir);
	for (size_t at = 0; at < layout.count; at++) {
		size_t other = at ^ ((layout.flags & SWAP_NAMES) && at < 2 &&
				     layout.count > 1);
		char name[SEGMENT_NAME_SIZE];

		segment_name(layout.segments[other].id, SEGMENT_LOG, name);
		memdir_put(memdir, name, layout.segments[at].bytes,
			   layout.segments[at].size);
	}
	for (size_t at = 0; at < layout.count; at++)
		free(layout.segments[at].bytes);
	chain_free(layout.chain);
	return memdir;
}

/* ---- opening it ---- */

struct replayed {
	uint64_t count;
	uint64_t hash; /* of all payloads, in order */
};

static enum wb_error replay(void *context, const struct commit *commit)
{
	struct replayed *replayed = context;

	require(commit->head.revision == ++replayed->count);
	replayed->hash =
		XXH3_64bits_withSeed(commit->payload.data, commit->payload.size,
				     replayed->hash);
	return WB_OK;
}

struct versions {
	uint64_t revision, commits;
	uint32_t hash; /* of the last key */
};

static bool take_version(void *context, const struct commit *commit,
			 const struct mutation *mutation)
{
	struct versions *versions = context;

	require(mutation->key.name.size > 0);
	require(commit->head.revision <= versions->revision);
	versions->commits += commit->head.revision != versions->revision;
	versions->revision = commit->head.revision;
	versions->hash = mutation_hash(&mutation->key);
	return true;
}

/* The entries of a footer are believed until they are used, so those that were
 * made up may be an error for a key; of all keys there is never a version less.
 */
static void check_versions(struct log *log, const struct replayed *replayed)
{
	struct versions versions = {.revision = UINT64_MAX};
	struct log_query query = {.by_hash = false};
	uint64_t revision;
	enum wb_error error;

	require(log_durable_revision(log) == replayed->count);
	error = log_versions(log, &query, take_version, &versions);
	require(error == WB_OK && versions.commits == replayed->count);
	query = (struct log_query){.by_hash = true, .hash = versions.hash};
	versions = (struct versions){.revision = UINT64_MAX};
	error = log_versions(log, &query, take_version, &versions);
	require(error == WB_CORRUPT ||
		(error == WB_OK && versions.commits <= replayed->count));
	require(versions.commits == 0 || versions.hash == query.hash);
	require(log_revision_at(log, 5, 0, &revision) == WB_OK);
	require(revision <= replayed->count);
}

static void append_one(struct log *log)
{
	struct commit_head head = {
		.revision = log_durable_revision(log) + 1,
		.time_ns = 1,
	};
	struct mutation mutation = {.key = {.kind = 1, .name = {"n", 1}}};
	uint32_t hash = mutation_hash(&mutation.key);
	struct log_group *group = log_group_new();
	uint8_t bytes[16];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	require(group);
	mutation_write(&writer, &mutation);
	require(!log_stage(log, group, &head,
			   (struct wb_bytes){bytes, writer.at}, &hash, 1));
	require(!log_append(log, group));
	log_settle(log);
	log_group_free(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_options reading = {.read_only = true};
	struct log_options writing = {.segment_bytes = 16 << 10,
				      .create = true};
	struct memdir *memdir = lay_out(data, size);
	struct dir *dir = memdir_dir(memdir);
	struct replayed read = {0}, written = {0}, again = {0};
	struct log *log;
	enum wb_error error, error_read;

	memdir_freeze(memdir, true);
	error_read = log_open(dir, &fuzz_env, &reading, replay, &read, &log);
	if (!error_read) {
		check_versions(log, &read);
		require(!log_close(log));
	}
	memdir_freeze(memdir, false);
	error = log_open(dir, &fuzz_env, &writing, replay, &written, &log);
	if (!error) {
		require(!error_read || error_read == WB_NOT_A_STORE);
		require(error_read || (read.count == written.count &&
				       read.hash == written.hash));
		append_one(log);
		check_versions(log, &(struct replayed){written.count + 1, 0});
		require(!log_close(log));
		require(!log_open(dir, &fuzz_env, &reading, replay, &again,
				  &log));
		require(again.count == written.count + 1);
		require(!log_close(log));
	} else {
		require(error == error_read || error == WB_UNSUPPORTED);
	}
	memdir_free(memdir);
	return 0;
}
