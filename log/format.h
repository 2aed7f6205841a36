/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/FORMAT.md as a table. Change neither without the other and without
 * tests/test_golden.c.
 */
#ifndef WAYBILL_LOG_FORMAT_H
#define WAYBILL_LOG_FORMAT_H

#include <stdint.h>

#define FORMAT_VERSION 1u
/* Ids and revisions go up by one; none is ever higher than this. */
#define FORMAT_NUMBER_MAX ((uint64_t)INT64_MAX)

/* Frames */
#define FRAME_MAGIC	   0x52464257u /* "WBFR" */
#define FRAME_VERSION	   1u
#define FRAME_HEADER_BYTES 48u
#define FRAME_ALIGN	   8u
#define FRAME_PADDING_MAX  520u /* exclusive */
#define FRAME_SEED_STEP	   UINT64_C(0x9E3779B97F4A7C15)
#define COMMIT_PAYLOAD_MAX ((16u << 20) + (64u << 10))
#define FOOTER_PAYLOAD_MAX (128u << 20)
#define GROUP_ALIGN	   512u

enum frame_type {
	FRAME_NONE = 0,
	FRAME_COMMIT = 1,
	FRAME_MARK = 2,
	FRAME_CLOSE = 3,
	FRAME_FOOTER = 4,
	FRAME_RECORDS = 5,
};

/* Segments */
#define SEGMENT_MAGIC	      UINT64_C(0x3147455342594157) /* "WAYBSEG1" */
#define SEGMENT_HEADER_BYTES  4096u
#define SEGMENT_HEADER_COPIES 2u
#define SEGMENT_FRAMES_AT     8192u
#define SEGMENT_OPEN_ENDED    UINT64_MAX

enum segment_kind {
	SEGMENT_LOG = 1,
	SEGMENT_BASE = 2,
	SEGMENT_HORIZON = 3,
};

#define FOOTER_HEAD_BYTES  80u
#define FOOTER_ENTRY_BYTES 16u

/* The anchor */
#define ANCHOR_MAGIC	  UINT64_C(0x31434E4142594157) /* "WAYBANC1" */
#define ANCHOR_SLOT_BYTES 4096u
#define ANCHOR_SLOTS	  2u

#define UUID_BYTES  16u
#define CHAIN_BYTES 32u
#define CHAIN_LABEL "waybill-chain-1"

/* Kinds of the store's own records. */
enum store_kind {
	STORE_KIND_FIRST = 192,
	STORE_KIND_BASE = 192,
	STORE_KIND_ATTESTATION = 193,
	STORE_KIND_GC_BLOCKED = 194, /* WB_KIND_GC_BLOCKED */
};

#endif
