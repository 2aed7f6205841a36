/* SPDX-License-Identifier: Apache-2.0
 *
 * A store of up to three segments, read by audit/, whatever its bytes are.
 * Checksums, links and the anchor can be made right, so that what lies behind
 * them is reached. The commits that are told as the history are 1, 2, 3, …,
 * fsck finds what the reader finds, the pieces of a file are all of it, and
 * reading changes nothing.
 *
 *	flags		u8
 *	slots		2 x 112	an anchor's bytes 8 to 120
 *	segments	1 to 3 x
 *	  header	176	a header's bytes 8 to 184
 *	  zeros		u8	zero bytes behind the frames, in 64
 *	  size		u16	of the frames
 *	  frames	size
 */
#include "audit/frames.h"
#include "audit/fsck.h"
#include "audit/replay.h"

#include "base/cursor.h"
#include "tests/support/memdir.h"

#include <openssl/sha.h>
#include <stdio.h>
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
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* ---- laying it out ---- */

struct segment {
	uint8_t *bytes; /* the whole file */
	size_t size;
	uint64_t end, head;
	uint8_t chain[AUDIT_CHAIN_BYTES];
};

struct layout {
	struct reader reader;
	unsigned flags;
	uint8_t slots[2][SLOT_FIELDS];
	struct segment segments[SEGMENTS_MAX];
	size_t count;
};

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

static void put_checksum(uint8_t *bytes, size_t size, uint64_t seed)
{
	set_u64(bytes, 0, XXH3_64bits_withSeed(bytes + 8, size - 8, seed));
}

static void chain(uint8_t value[AUDIT_CHAIN_BYTES], const void *bytes,
		  size_t size)
{
	uint8_t *both = malloc(AUDIT_CHAIN_BYTES + size);

	require(both);
	memcpy(both, value, AUDIT_CHAIN_BYTES);
	memcpy(both + AUDIT_CHAIN_BYTES, bytes, size);
	SHA256(both, AUDIT_CHAIN_BYTES + size, value);
	free(both);
}

static void chain_start(const uint8_t *uuid, uint8_t value[AUDIT_CHAIN_BYTES])
{
	uint8_t both[15 + AUDIT_UUID_BYTES];

	memcpy(both, "waybill-chain-1", 15);
	memcpy(both + 15, uuid, AUDIT_UUID_BYTES);
	SHA256(both, sizeof(both), value);
}

/* Unless it goes on with the group of the commit before it, a frame begins
 * one: what it says was durable is made so. */
static void fix_group(const struct segment *segment,
		      const struct audit_frame *frame,
		      struct audit_frame *before, size_t at)
{
	if (frame->type != AUDIT_COMMIT || before->type != AUDIT_COMMIT ||
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
	uint64_t salt = get_u64(segment->bytes, 104);
	size_t at = AUDIT_FRAMES_AT;
	struct audit_frame frame, before = {.type = 0};

	segment->head = get_u64(segment->bytes, 128);
	memcpy(segment->chain, segment->bytes + 144, AUDIT_CHAIN_BYTES);
	while (segment->size - at >= AUDIT_FRAME_HEADER_BYTES &&
	       audit_frame_claims(segment->bytes + at, &frame) &&
	       frame.frame_bytes <= segment->size - at) {
		uint8_t *bytes = segment->bytes + at;
		uint8_t *payload = bytes + AUDIT_FRAME_HEADER_BYTES;

		if ((layout->flags & FIX_LINKS) && frame.type == AUDIT_FOOTER &&
		    frame.payload_bytes >= AUDIT_FOOTER_HEAD_BYTES)
			memcpy(payload + 40, segment->chain, AUDIT_CHAIN_BYTES);
		if (layout->flags & FIX_LINKS)
			fix_group(segment, &frame, &before, at);
		if (layout->flags & FIX_FRAMES)
			put_checksum(bytes, frame.frame_bytes,
				     salt + at * UINT64_C(0x9E3779B97F4A7C15));
		at += frame.frame_bytes;
		if (frame.type != AUDIT_COMMIT)
			continue;
		segment->head = frame.revision;
		chain(segment->chain, payload, frame.payload_bytes);
	}
	segment->end = at;
}

/* What looks like a frame behind the end becomes one. */
static void fix_behind(const struct segment *segment)
{
	uint64_t salt = get_u64(segment->bytes, 104);
	size_t at = segment->end + 8;
	struct audit_frame frame;

	while (at + AUDIT_FRAME_HEADER_BYTES <= segment->size) {
		if (!audit_frame_claims(segment->bytes + at, &frame) ||
		    frame.frame_bytes > segment->size - at) {
			at += 8;
			continue;
		}
		put_checksum(segment->bytes + at, frame.frame_bytes,
			     salt + at * UINT64_C(0x9E3779B97F4A7C15));
		at += frame.frame_bytes;
	}
}

static void link_segment(struct segment *segment, const struct segment *before)
{
	uint8_t *header = segment->bytes;

	if (!before) {
		chain_start(header + 40, header + 144);
		set_u64(header, 136, get_u64(header, 56));
		return;
	}
	memcpy(header + 40, before->bytes + 40, AUDIT_UUID_BYTES);
	set_u64(header, 80, before->head + 1);
	set_u64(header, 112, get_u64(before->bytes, 64));
	set_u64(header, 120, before->end);
	set_u64(header, 128, before->head);
	set_u64(header, 136, get_u64(before->bytes, 56));
	memcpy(header + 144, before->chain, AUDIT_CHAIN_BYTES);
}

static void take_segment(struct layout *layout)
{
	struct reader *reader = &layout->reader;
	struct segment *segment = &layout->segments[layout->count];
	size_t zeros, size;

	segment->bytes = calloc(1, AUDIT_FRAMES_AT + 255 * 64 + UINT16_MAX);
	require(segment->bytes);
	read_bytes(reader, segment->bytes + 8, HEADER_FIELDS);
	zeros = (size_t)read_u8(reader) * 64;
	size = read_u16(reader);
	if (size > reader_left(reader))
		size = reader_left(reader);
	read_bytes(reader, segment->bytes + AUDIT_FRAMES_AT, size);
	segment->size = AUDIT_FRAMES_AT + size + zeros;
	if (layout->flags & FIX_LINKS)
		link_segment(segment, layout->count ? segment - 1 : NULL);
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
	uint8_t bytes[2][AUDIT_COPY_BYTES] = {{0}};

	for (unsigned slot = 0; slot < 2; slot++) {
		uint8_t *at = bytes[slot];

		memcpy(at + 8, layout->slots[slot], SLOT_FIELDS);
		if (layout->flags & FIX_ANCHOR) {
			memcpy(at + 32, last->bytes + 40, AUDIT_UUID_BYTES);
			set_u64(at, 48, get_u64(last->bytes, 56));
			set_u64(at, 56, get_u64(last->bytes, 64));
			set_u64(at, 64, last->head);
			set_u64(at, 72, last->end);
			memcpy(at + 80, last->chain, AUDIT_CHAIN_BYTES);
		}
		if (slot == 1 || !(layout->flags & BAD_SLOT))
			put_checksum(at, AUDIT_COPY_BYTES,
				     (uint64_t)slot * AUDIT_COPY_BYTES);
	}
	memdir_put(memdir, "anchor", bytes, sizeof(bytes));
}

static struct memdir *lay_out(const uint8_t *data, size_t size)
{
	struct memdir *memdir = memdir_new();
	struct layout layout = {.reader = reader_of(data, size)};

	layout.flags = read_u8(&layout.reader);
	read_bytes(&layout.reader, layout.slots, sizeof(layout.slots));
	while (layout.count < SEGMENTS_MAX && reader_left(&layout.reader) > 0)
		take_segment(&layout);
	if (layout.count > 0 && !(layout.flags & NO_ANCHOR))
		put_anchor(&layout, memdir);
	for (size_t at = 0; at < layout.count; at++) {
		size_t other = at ^ ((layout.flags & SWAP_NAMES) && at < 2 &&
				     layout.count > 1);
		char name[32];

		snprintf(name, sizeof(name), "%016llx.log",
			 (unsigned long long)
				 get_u64(layout.segments[other].bytes, 64));
		memdir_put(memdir, name, layout.segments[at].bytes,
			   layout.segments[at].size);
	}
	for (size_t at = 0; at < layout.count; at++)
		free(layout.segments[at].bytes);
	return memdir;
}

/* ---- reading it ---- */

struct read {
	struct replay *replay;
	uint64_t findings;
};

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct read *read = context;
	size_t mutation;
	enum wb_error error;

	require(commit->mutation_count > 0);
	if (!place->whole)
		return WB_OK;
	require(commit->revision == replay_revision(read->replay) + 1);
	require(place->frame.revision == commit->revision);
	error = replay_apply(read->replay, commit, &mutation);
	require(error == WB_OK ||
		(error == WB_CORRUPT && mutation < commit->mutation_count));
	return WB_OK;
}

static void take_finding(void *context, const struct audit_finding *finding)
{
	struct read *read = context;

	require(finding->rule < AUDIT_RULE_COUNT);
	require(memchr(finding->what, 0, sizeof(finding->what)));
	require(finding->revision_first <= finding->revision_last);
	read->findings++;
}

/* ---- fsck and frames ---- */

static void take_named(void *context, const struct audit_finding *finding,
		       const struct wb_finding_name *names, size_t count,
		       uint64_t more)
{
	(void)context;
	(void)more;
	require(count <= FSCK_NAMES_MAX);
	for (size_t at = 0; at < count; at++)
		require(names[at].key.name.size > 0);
	require(count == 0 || finding->severity >= AUDIT_UNSUPPORTED);
}

static bool take_piece(void *context, const struct audit_piece *piece)
{
	uint64_t *at = context;

	require(piece->bytes > 0 && piece->offset == *at);
	*at += piece->bytes;
	return true;
}

static void check_pieces(struct memdir *memdir, const char *name)
{
	struct audit_frames_head head;
	uint64_t at = AUDIT_FRAMES_AT;

	require(audit_frames(memdir_dir(memdir), name, &head, take_piece,
			     &at) == WB_OK);
	require(at == head.file_bytes || head.file_bytes < AUDIT_FRAMES_AT);
}

static void check_fsck(struct memdir *memdir,
		       const struct audit_summary *summary)
{
	struct fsck_visitor visitor = {.finding = take_named};
	struct fsck_summary checked;

	require(audit_fsck(memdir_dir(memdir), &visitor, &checked) == WB_OK);
	require(checked.log.verdict == summary->verdict);
	for (unsigned at = 0; at <= AUDIT_DAMAGE; at++)
		require(checked.findings[at] >= summary->findings[at]);
	for (size_t at = 0; at < memdir_count(memdir); at++)
		check_pieces(memdir, memdir_name(memdir, at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memdir *memdir = lay_out(data, size);
	struct read read = {.replay = replay_new()};
	struct audit_visitor visitor = {.commit = take_commit,
					.finding = take_finding,
					.context = &read};
	struct audit_summary summary;
	uint64_t counted = 0;

	require(read.replay);
	memdir_freeze(memdir, true);
	require(audit_read(memdir_dir(memdir), AUDIT_READ_ENTRIES, &visitor,
			   &summary) == WB_OK);
	require(summary.head == replay_revision(read.replay));
	require(summary.commits >= summary.head);
	for (unsigned at = 0; at <= AUDIT_DAMAGE; at++)
		counted += summary.findings[at];
	require(counted == read.findings);
	check_fsck(memdir, &summary);
	replay_free(read.replay);
	memdir_free(memdir);
	return 0;
}
