/* SPDX-License-Identifier: Apache-2.0
 *
 * The fixed parts of the format: segment headers, anchor slots, frames and
 * footers, each from a piece of memory. Written from docs/FORMAT.md alone; in
 * audit/ nothing is shared with those who write the bytes, so that a mistake
 * of theirs is not repeated here.
 *
 * Everything is pure: bytes in, a verdict and a struct out. A struct is
 * filled only where the verdict is AUDIT_HOLDS, or where it says otherwise.
 */
#ifndef WAYBILL_AUDIT_LAYOUT_H
#define WAYBILL_AUDIT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AUDIT_CHAIN_BYTES = 32,
	AUDIT_UUID_BYTES = 16,
	AUDIT_COPY_BYTES = 4096, /* of a header copy, of an anchor slot */
	AUDIT_FRAMES_AT = 8192,
	AUDIT_ANCHOR_BYTES = 8192,
	AUDIT_FRAME_ALIGN = 8,
	AUDIT_FRAME_HEADER_BYTES = 48,
	AUDIT_FRAME_PADDING_MAX = 519,
	AUDIT_FOOTER_HEAD_BYTES = 80,
	AUDIT_ENTRY_BYTES = 16,
	AUDIT_MUTATIONS_MAX = 65536,
	AUDIT_NAMESPACE_BYTES_MAX = 76,
	AUDIT_NAME_BYTES_MAX = 4096,
	AUDIT_REASON_BYTES_MAX = 4096,
	AUDIT_OPERATION_ID_BYTES_MAX = 128,
	AUDIT_COMMAND_BYTES_MAX = 64,
};
/* Of ids and revisions. */
#define AUDIT_NUMBER_MAX	((uint64_t)INT64_MAX)
#define AUDIT_SEGMENT_BYTES_MAX (UINT64_C(512) << 20)
#define AUDIT_PAYLOAD_BYTES_MAX ((16u << 20) + (64u << 10))
#define AUDIT_FOOTER_BYTES_MAX	(128u << 20)
/* No frame is longer than this. */
#define AUDIT_FRAME_BYTES_MAX                                \
	(AUDIT_FRAME_HEADER_BYTES + AUDIT_FOOTER_BYTES_MAX + \
	 AUDIT_FRAME_PADDING_MAX)

/* What bytes turned out to be. */
enum audit_seen {
	AUDIT_HOLDS,  /* they verify and keep every rule of their own */
	AUDIT_FAILS,  /* they do not verify: nothing is known of them */
	AUDIT_BREAKS, /* they verify, and break a rule: `ret_why` says which */
	AUDIT_NEWER,  /* they verify, and a newer version wrote them */
};

/* ---- segment header ---- */

enum audit_segment_kind { AUDIT_LOG = 1, AUDIT_BASE = 2, AUDIT_HORIZON = 3 };

/* Without padding, so that two can be compared as bytes. */
struct audit_header {
	uint64_t kind;
	uint64_t incompat, ro_compat;
	uint8_t uuid[AUDIT_UUID_BYTES];
	uint64_t epoch, id, generation;
	uint64_t first_revision, last_revision, as_of;
	uint64_t salt;
	uint64_t previous_id, previous_bytes, previous_revision, previous_epoch;
	uint8_t previous_chain[AUDIT_CHAIN_BYTES];
	uint64_t created_ns;
};

/* Copy 0 or 1, of AUDIT_COPY_BYTES. Which file it is in, and which follows
 * which, is not its own to know. */
enum audit_seen audit_header_read(const uint8_t *bytes, unsigned copy,
				  struct audit_header *ret_header,
				  const char **ret_why);

/* What such a copy says its salt is, whether it verifies or not. */
uint64_t audit_header_salt(const uint8_t *bytes);

/* ---- anchor slot ---- */

struct audit_slot {
	uint64_t sequence;
	uint8_t uuid[AUDIT_UUID_BYTES];
	uint64_t epoch, active_id;
	uint64_t durable_revision, durable_bytes;
	uint8_t chain[AUDIT_CHAIN_BYTES];
	uint64_t written_ns;
};

/* Slot 0 or 1, of AUDIT_COPY_BYTES. */
enum audit_seen audit_slot_read(const uint8_t *bytes, unsigned slot,
				struct audit_slot *ret_slot,
				const char **ret_why);

/* ---- frame ---- */

enum audit_frame_type {
	AUDIT_COMMIT = 1,
	AUDIT_MARK = 2,
	AUDIT_CLOSE = 3,
	AUDIT_FOOTER = 4,
	AUDIT_RECORDS = 5,
};

struct audit_frame {
	uint64_t checksum;
	uint8_t type, version;
	uint16_t zero;
	uint32_t frame_bytes, payload_bytes;
	uint64_t revision, durable_revision, durable_bytes;
};

/* The header of a frame, from AUDIT_FRAME_HEADER_BYTES, without a look at its
 * checksum. False where the magic is not there, or the sizes are out of
 * bounds: then there is no frame; `*ret_frame` is filled all the same. True:
 * the frame is `frame_bytes` long, if it is one. */
bool audit_frame_claims(const uint8_t *bytes, struct audit_frame *ret_frame);

/* The whole frame that those bytes claim, `frame->frame_bytes` of them, at
 * `offset` of a file with this salt. */
enum audit_seen audit_frame_verify(const uint8_t *bytes,
				   const struct audit_frame *frame,
				   uint64_t salt, uint64_t offset,
				   const char **ret_why);

/* "COMMIT", …; "type 9" is "unknown". */
const char *audit_frame_name(unsigned type);

/* ---- footer ---- */

struct audit_footer {
	uint64_t first_revision, last_revision, commits;
	int64_t time_min_ns, time_max_ns;
	uint8_t chain[AUDIT_CHAIN_BYTES];
	uint64_t entries;
};

struct audit_entry {
	uint32_t hash, frame, revision, mutation;
};

/* False where the payload's size is not that of a footer. */
bool audit_footer_read(const uint8_t *payload, size_t size,
		       struct audit_footer *ret_footer);
/* Entry number `at`, below `entries`. */
struct audit_entry audit_entry_read(const uint8_t *payload, size_t size,
				    uint64_t at);

#endif
