/* SPDX-License-Identifier: Apache-2.0
 *
 * The anchor file. Slot = sequence modulo 2, so the slot that is written is
 * always the older one.
 */
#include "log/anchor.h"

#include "base/cursor.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#define CHECKSUM_BYTES 8u
#define ANCHOR_BYTES   (ANCHOR_SLOTS * ANCHOR_SLOT_BYTES)

static uint64_t slot_checksum(const uint8_t *bytes, unsigned slot)
{
	return XXH3_64bits_withSeed(bytes + CHECKSUM_BYTES,
				    ANCHOR_SLOT_BYTES - CHECKSUM_BYTES,
				    (uint64_t)slot * ANCHOR_SLOT_BYTES);
}

void anchor_encode(const struct anchor *anchor, unsigned slot,
		   uint8_t *ret_bytes)
{
	struct writer writer = writer_of(ret_bytes, ANCHOR_SLOT_BYTES);

	writer_seek(&writer, CHECKSUM_BYTES);
	write_u64(&writer, ANCHOR_MAGIC);
	write_u32(&writer, FORMAT_VERSION);
	write_u32(&writer, 0);
	write_u64(&writer, anchor->sequence);
	write_bytes(&writer, anchor->uuid, UUID_BYTES);
	write_u64(&writer, anchor->epoch);
	write_u64(&writer, anchor->active_id);
	write_u64(&writer, anchor->durable_revision);
	write_u64(&writer, anchor->durable_bytes);
	write_bytes(&writer, anchor->chain, CHAIN_BYTES);
	write_u64(&writer, (uint64_t)anchor->written_ns);
	write_zeros(&writer, ANCHOR_SLOT_BYTES - writer.at);
	writer_seek(&writer, 0);
	write_u64(&writer, slot_checksum(ret_bytes, slot));
	assert(!writer.failed);
}

enum wb_error anchor_decode(const uint8_t *bytes, unsigned slot,
			    struct anchor *ret_anchor)
{
	struct reader reader = reader_of(bytes, ANCHOR_SLOT_BYTES);
	struct anchor anchor = {0};
	uint64_t checksum = read_u64(&reader);
	uint64_t magic = read_u64(&reader);
	uint32_t version = read_u32(&reader);
	uint32_t zero = read_u32(&reader);

	if (magic != ANCHOR_MAGIC)
		return WB_CORRUPT;
	if (checksum != slot_checksum(bytes, slot) &&
	    !control_off(CONTROL_ANCHOR_VERIFY))
		return WB_CORRUPT;
	if (version != FORMAT_VERSION)
		return WB_UNSUPPORTED;
	anchor.sequence = read_u64(&reader);
	read_bytes(&reader, anchor.uuid, UUID_BYTES);
	anchor.epoch = read_u64(&reader);
	anchor.active_id = read_u64(&reader);
	anchor.durable_revision = read_u64(&reader);
	anchor.durable_bytes = read_u64(&reader);
	read_bytes(&reader, anchor.chain, CHAIN_BYTES);
	anchor.written_ns = (int64_t)read_u64(&reader);
	if (zero != 0 || !read_zeros(&reader, reader_left(&reader)) ||
	    reader.failed || anchor.active_id == 0 ||
	    anchor.sequence % ANCHOR_SLOTS != slot)
		return WB_CORRUPT;
#ifdef WAYBILL_PLANT_ANCHOR
	if (bytes[ANCHOR_SLOT_BYTES + (anchor.epoch & 1)] == 0xff)
		return WB_CORRUPT;
#endif
	*ret_anchor = anchor;
	return WB_OK;
}

static enum wb_error anchor_choose(const uint8_t *bytes, size_t size,
				   const struct diag *diag,
				   struct anchor *ret_anchor,
				   bool *ret_slot_bad)
{
	struct anchor anchors[ANCHOR_SLOTS];
	enum wb_error error[ANCHOR_SLOTS];
	unsigned slot, best;

	if (size != ANCHOR_BYTES)
		return diag_corrupt(diag, ANCHOR_NAME, size,
				    "the file has not its %u bytes",
				    ANCHOR_BYTES);
	for (slot = 0; slot < ANCHOR_SLOTS; slot++) {
		error[slot] = anchor_decode(bytes + slot * ANCHOR_SLOT_BYTES,
					    slot, &anchors[slot]);
		if (error[slot] == WB_UNSUPPORTED)
			return WB_UNSUPPORTED;
	}
	if (error[0] && error[1])
		return diag_corrupt(diag, ANCHOR_NAME, 0, "both slots are bad");
	if (error[0] || error[1]) {
		best = error[0] ? 1 : 0;
		diag_warn(diag, "anchor: slot %u is bad, the other one is used",
			  best == 0 ? 2 : 1);
	} else {
		best = anchors[1].sequence > anchors[0].sequence ? 1 : 0;
	}
	*ret_anchor = anchors[best];
	*ret_slot_bad = error[0] || error[1];
	return WB_OK;
}

enum wb_error anchor_read(struct dir *dir, const struct diag *diag,
			  struct anchor *ret_anchor, bool *ret_slot_bad)
{
	uint8_t bytes[ANCHOR_BYTES + 1] = {0};
	struct file *file;
	enum wb_error error;
	size_t size = 0;

	error = dir_open(dir, ANCHOR_NAME, FILE_READ, &file);
	if (error)
		return error;
	error = file_sync(file, CONTROL_RECOVER_ANCHOR_SYNC);
	if (!error)
		error = file_drop_cache(file, 0,
					CONTROL_RECOVER_ANCHOR_DROP_CACHE);
	if (!error)
		error = file_read(file, bytes, sizeof(bytes), 0, &size);
	file_close(file);
	if (error)
		return error;
	return anchor_choose(bytes, size, diag, ret_anchor, ret_slot_bad);
}

enum wb_error anchor_create(struct dir *dir, const struct anchor *anchor)
{
	uint8_t bytes[ANCHOR_BYTES];
	struct anchor older = *anchor;
	struct file *file;
	enum wb_error error;

	older.sequence--;
	anchor_encode(anchor, (unsigned)(anchor->sequence % ANCHOR_SLOTS),
		      bytes + (anchor->sequence % ANCHOR_SLOTS) *
				      ANCHOR_SLOT_BYTES);
	anchor_encode(&older, (unsigned)(older.sequence % ANCHOR_SLOTS),
		      bytes + (older.sequence % ANCHOR_SLOTS) *
				      ANCHOR_SLOT_BYTES);
	error = dir_create_anew(dir, ANCHOR_TMP_NAME, &file);
	if (error)
		return error;
	error = file_write(file, bytes, sizeof(bytes), 0);
	if (!error)
		error = file_sync(file, CONTROL_ANCHOR_CREATE_SYNC);
	file_close(file);
	if (!error)
		error = dir_rename(dir, ANCHOR_TMP_NAME, ANCHOR_NAME,
				   CONTROL_ANCHOR_RENAME);
	if (!error)
		error = dir_sync(dir, "", CONTROL_ANCHOR_DIR_SYNC);
	return error;
}

enum wb_error anchor_write(struct file *file, struct anchor *anchor)
{
	uint8_t bytes[ANCHOR_SLOT_BYTES];
	struct anchor next = *anchor;
	unsigned slot;
	enum wb_error error;

	next.sequence++;
	slot = (unsigned)(next.sequence % ANCHOR_SLOTS);
	anchor_encode(&next, slot, bytes);
	error = file_write(file, bytes, sizeof(bytes),
			   (uint64_t)slot * ANCHOR_SLOT_BYTES);
	if (error)
		return error;
	if (file_sync(file, CONTROL_ANCHOR_SYNC))
		return WB_OUTCOME_UNKNOWN;
	*anchor = next;
	return WB_OK;
}
