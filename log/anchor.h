/* SPDX-License-Identifier: Apache-2.0
 *
 * The anchor: where the durable end was when it was last written down
 * (docs/FORMAT.md, "Anchor").
 *
 * It says what must be there; it never says what is there. The rule it
 * keeps: a slot is written only while the other one is known durable, so a
 * crash can spoil at most one.
 */
#ifndef WAYBILL_LOG_ANCHOR_H
#define WAYBILL_LOG_ANCHOR_H

#include "base/diag.h"
#include "base/file.h"
#include "log/format.h"

#define ANCHOR_NAME "anchor"
/* Of a store that a salvage or a load is making: it is none yet. */
#define ANCHOR_UNFINISHED_NAME "anchor.unfinished"
#define ANCHOR_TMP_NAME	       "tmp/anchor" /* while it is made */

struct anchor {
	uint64_t sequence;
	uint8_t uuid[UUID_BYTES];
	uint64_t epoch;
	uint64_t active_id;
	uint64_t durable_revision;
	uint64_t durable_bytes;
	uint8_t chain[CHAIN_BYTES];
	int64_t written_ns;
};

void anchor_encode(const struct anchor *anchor, unsigned slot,
		   uint8_t *ret_bytes);
/* Silent. WB_CORRUPT, WB_UNSUPPORTED. */
enum wb_error anchor_decode(const uint8_t *bytes, unsigned slot,
			    struct anchor *ret_anchor);

/* Read the anchor from the disk, not from the page cache. `ret_slot_bad`
 * tells whether one slot had to be passed over. WB_NOT_FOUND: no file.
 * WB_CORRUPT (reported): both slots are bad. */
enum wb_error anchor_read(struct dir *dir, const struct diag *diag,
			  struct anchor *ret_anchor, bool *ret_slot_bad);

/* Write both slots under a temporary name, sync, rename, sync the
 * directory: the last step of a store's creation. */
enum wb_error anchor_create(struct dir *dir, const struct anchor *anchor);

/* Write the next slot and sync it; advances anchor->sequence.
 * WB_OUTCOME_UNKNOWN: the sync failed, never do it again. Any other error:
 * the slot that counts is untouched, and the same one can be tried again. */
enum wb_error anchor_write(struct file *file, struct anchor *anchor);

#endif
