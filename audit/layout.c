/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of docs/FORMAT.md, one function, its fields in the page's order.
 */
#include "audit/layout.h"

#include "base/control.h"
#include "base/cursor.h"

#include <string.h>
#include <xxhash.h>

enum { CHECKSUM_BYTES = 8 };

static const uint8_t segment_magic[8] = {'W', 'A', 'Y', 'B',
					 'S', 'E', 'G', '1'};
static const uint8_t anchor_magic[8] = {'W', 'A', 'Y', 'B', 'A', 'N', 'C', '1'};
static const uint8_t frame_magic[4] = {'W', 'B', 'F', 'R'};

static bool checksum_holds(const uint8_t *bytes, size_t size, uint64_t seed,
			   enum control control)
{
	struct reader reader = reader_of(bytes, size);

	return read_u64(&reader) == XXH3_64bits_withSeed(bytes + CHECKSUM_BYTES,
							 size - CHECKSUM_BYTES,
							 seed) ||
	       control_off(control);
}

static enum audit_seen breaks(const char **ret_why, const char *why)
{
	*ret_why = why;
	return AUDIT_BREAKS;
}

/* ---- segment header ---- */

static const char *header_rule_broken(const struct audit_header *header)
{
	if (header->kind < AUDIT_LOG || header->kind > AUDIT_HORIZON)
		return "unknown kind of segment";
	if (header->id == 0 || header->id > AUDIT_NUMBER_MAX)
		return "id is out of bounds";
	if (header->kind != AUDIT_LOG)
		return NULL;
	if (header->generation != 0)
		return "a log segment with a generation";
	if (header->last_revision != UINT64_MAX)
		return "a log segment with a last_revision";
	if (header->as_of != 0)
		return "a log segment with an as_of";
	return NULL;
}

enum audit_seen audit_header_read(const uint8_t *bytes, unsigned copy,
				  struct audit_header *ret_header,
				  const char **ret_why)
{
	struct reader reader = reader_of(bytes, AUDIT_COPY_BYTES);
	struct audit_header header;
	const char *broken;

	if (!checksum_holds(bytes, AUDIT_COPY_BYTES,
			    (uint64_t)copy * AUDIT_COPY_BYTES,
			    CONTROL_AUDIT_HEADER_VERIFY))
		return AUDIT_FAILS;
	reader_seek(&reader, CHECKSUM_BYTES);
	if (memcmp(read_span(&reader, 8), segment_magic, 8) != 0)
		return breaks(ret_why, "no segment header");
	if (read_u32(&reader) != 1)
		return AUDIT_NEWER;
	header.kind = read_u32(&reader);
	header.incompat = read_u64(&reader);
	header.ro_compat = read_u64(&reader);
	read_bytes(&reader, header.uuid, AUDIT_UUID_BYTES);
	header.epoch = read_u64(&reader);
	header.id = read_u64(&reader);
	header.generation = read_u64(&reader);
	header.first_revision = read_u64(&reader);
	header.last_revision = read_u64(&reader);
	header.as_of = read_u64(&reader);
	header.salt = read_u64(&reader);
	header.previous_id = read_u64(&reader);
	header.previous_bytes = read_u64(&reader);
	header.previous_revision = read_u64(&reader);
	header.previous_epoch = read_u64(&reader);
	read_bytes(&reader, header.previous_chain, AUDIT_CHAIN_BYTES);
	header.created_ns = read_u64(&reader);
	/* Behind an unknown bit, any field may mean something else. */
	if (header.incompat != 0)
		return AUDIT_NEWER;
	if (!read_zeros(&reader, reader_left(&reader)))
		return breaks(ret_why, "bytes that must be zero are not");
	broken = header_rule_broken(&header);
	if (broken)
		return breaks(ret_why, broken);
	*ret_header = header;
	return AUDIT_HOLDS;
}

uint64_t audit_header_salt(const uint8_t *bytes)
{
	struct reader reader = reader_of(bytes, AUDIT_COPY_BYTES);

	reader_seek(&reader, 104);
	return read_u64(&reader);
}

/* ---- anchor slot ---- */

enum audit_seen audit_slot_read(const uint8_t *bytes, unsigned slot,
				struct audit_slot *ret_slot,
				const char **ret_why)
{
	struct reader reader = reader_of(bytes, AUDIT_COPY_BYTES);
	struct audit_slot read;

	if (!checksum_holds(bytes, AUDIT_COPY_BYTES,
			    (uint64_t)slot * AUDIT_COPY_BYTES,
			    CONTROL_AUDIT_ANCHOR_VERIFY))
		return AUDIT_FAILS;
	reader_seek(&reader, CHECKSUM_BYTES);
	if (memcmp(read_span(&reader, 8), anchor_magic, 8) != 0)
		return breaks(ret_why, "no anchor slot");
	if (read_u32(&reader) != 1)
		return AUDIT_NEWER;
	if (read_u32(&reader) != 0)
		return breaks(ret_why, "bytes that must be zero are not");
	read.sequence = read_u64(&reader);
	if (read.sequence % 2 != slot)
		return breaks(ret_why, "a sequence of the other slot");
	read_bytes(&reader, read.uuid, AUDIT_UUID_BYTES);
	read.epoch = read_u64(&reader);
	read.active_id = read_u64(&reader);
	read.durable_revision = read_u64(&reader);
	read.durable_bytes = read_u64(&reader);
	read_bytes(&reader, read.chain, AUDIT_CHAIN_BYTES);
	read.written_ns = read_u64(&reader);
	if (!read_zeros(&reader, reader_left(&reader)))
		return breaks(ret_why, "bytes that must be zero are not");
	*ret_slot = read;
	return AUDIT_HOLDS;
}

/* ---- frame ---- */

static uint32_t payload_bytes_max(unsigned type)
{
	switch (type) {
	case AUDIT_MARK:
	case AUDIT_CLOSE:
		return 0;
	case AUDIT_FOOTER:
		return AUDIT_FOOTER_BYTES_MAX;
	default:
		return AUDIT_PAYLOAD_BYTES_MAX;
	}
}

bool audit_frame_claims(const uint8_t *bytes, struct audit_frame *ret_frame)
{
	struct reader reader = reader_of(bytes, AUDIT_FRAME_HEADER_BYTES);
	struct audit_frame frame;
	bool magic;
	uint64_t rest;

	frame.checksum = read_u64(&reader);
	magic = memcmp(read_span(&reader, 4), frame_magic, 4) == 0;
	frame.type = read_u8(&reader);
	frame.version = read_u8(&reader);
	frame.zero = read_u16(&reader);
	frame.frame_bytes = read_u32(&reader);
	frame.payload_bytes = read_u32(&reader);
	frame.revision = read_u64(&reader);
	frame.durable_revision = read_u64(&reader);
	frame.durable_bytes = read_u64(&reader);
	*ret_frame = frame;
	if (!magic || frame.payload_bytes > payload_bytes_max(frame.type) ||
	    frame.frame_bytes % AUDIT_FRAME_ALIGN != 0)
		return false;
	rest = (uint64_t)frame.payload_bytes + AUDIT_FRAME_HEADER_BYTES;
	return frame.frame_bytes >= rest &&
	       frame.frame_bytes - rest <= AUDIT_FRAME_PADDING_MAX;
}

enum audit_seen audit_frame_verify(const uint8_t *bytes,
				   const struct audit_frame *frame,
				   uint64_t salt, uint64_t offset,
				   const char **ret_why)
{
	uint64_t seed = salt + offset * UINT64_C(0x9E3779B97F4A7C15);
	struct reader reader = reader_of(bytes, frame->frame_bytes);

	if (!checksum_holds(bytes, frame->frame_bytes, seed,
			    CONTROL_AUDIT_FRAME_VERIFY))
		return AUDIT_FAILS;
	if (frame->type == 0)
		return breaks(ret_why, "a frame of type zero");
	if (frame->type > AUDIT_RECORDS || frame->version != 1)
		return AUDIT_NEWER;
	reader_seek(&reader,
		    AUDIT_FRAME_HEADER_BYTES + (size_t)frame->payload_bytes);
	if (frame->zero != 0 || !read_zeros(&reader, reader_left(&reader)))
		return breaks(ret_why, "bytes that must be zero are not");
	return AUDIT_HOLDS;
}

const char *audit_frame_name(unsigned type)
{
	static const char *const names[] = {
		[AUDIT_COMMIT] = "COMMIT",   [AUDIT_MARK] = "MARK",
		[AUDIT_CLOSE] = "CLOSE",     [AUDIT_FOOTER] = "FOOTER",
		[AUDIT_RECORDS] = "RECORDS",
	};

	if (type >= sizeof(names) / sizeof(*names) || !names[type])
		return "unknown";
	return names[type];
}

/* ---- footer ---- */

bool audit_footer_read(const uint8_t *payload, size_t size,
		       struct audit_footer *ret_footer)
{
	struct reader reader = reader_of(payload, size);
	struct audit_footer footer;

	footer.first_revision = read_u64(&reader);
	footer.last_revision = read_u64(&reader);
	footer.commits = read_u64(&reader);
	footer.time_min_ns = (int64_t)read_u64(&reader);
	footer.time_max_ns = (int64_t)read_u64(&reader);
	read_bytes(&reader, footer.chain, AUDIT_CHAIN_BYTES);
	footer.entries = read_u64(&reader);
	if (reader.failed || reader_left(&reader) % AUDIT_ENTRY_BYTES != 0 ||
	    footer.entries != reader_left(&reader) / AUDIT_ENTRY_BYTES)
		return false;
	*ret_footer = footer;
	return true;
}

struct audit_entry audit_entry_read(const uint8_t *payload, size_t size,
				    uint64_t at)
{
	struct reader reader = reader_of(payload, size);
	struct audit_entry entry;

	reader_seek(&reader,
		    AUDIT_FOOTER_HEAD_BYTES + (size_t)at * AUDIT_ENTRY_BYTES);
	entry.hash = read_u32(&reader);
	entry.frame = read_u32(&reader);
	entry.revision = read_u32(&reader);
	entry.mutation = read_u32(&reader);
	return entry;
}
