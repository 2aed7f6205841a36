/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment file's own parts: its name, its header (two copies), its footer.
 * docs/FORMAT.md, "Segment".
 */
#ifndef WAYBILL_LOG_SEGMENT_H
#define WAYBILL_LOG_SEGMENT_H

#include "base/diag.h"
#include "base/file.h"
#include "log/entries.h"
#include "log/format.h"

#include <waybill/store.h>

struct segment_header {
	uint32_t kind; /* enum segment_kind */
	uint64_t incompat;
	uint64_t ro_compat;
	uint8_t uuid[UUID_BYTES];
	uint64_t epoch;
	uint64_t id;
	uint64_t generation;
	uint64_t first_revision;
	uint64_t last_revision;
	uint64_t as_of;
	uint64_t salt;
	uint64_t previous_id;
	uint64_t previous_bytes;
	uint64_t previous_revision;
	uint64_t previous_epoch;
	uint8_t previous_chain[CHAIN_BYTES];
	int64_t created_ns;
};

/* "0000000000000001.log" */
#define SEGMENT_NAME_SIZE 32
void segment_name(uint64_t id, enum segment_kind kind,
		  char ret_name[SEGMENT_NAME_SIZE]);
bool segment_name_parse(const char *name, uint64_t *ret_id,
			enum segment_kind *ret_kind);

/* Every segment of the folder goes, as far as that is possible. */
enum wb_error segments_remove(struct dir *dir);

/* Copy 0 or 1 of the header, SEGMENT_HEADER_BYTES. */
void segment_header_encode(const struct segment_header *header, unsigned copy,
			   uint8_t *ret_bytes);
/* Silent. WB_CORRUPT; WB_UNSUPPORTED: a newer format version, or an unknown
 * incompat bit. */
enum wb_error segment_header_decode(const uint8_t *bytes, unsigned copy,
				    struct segment_header *ret_header);

/* Write both copies at the head of `file`. */
enum wb_error segment_header_write(struct file *file,
				   const struct segment_header *header);

/* Read the header of `name` from its first SEGMENT_FRAMES_AT bytes: the
 * first copy that is good; a bad one is reported. */
enum wb_error segment_header_read(const uint8_t *bytes, size_t size,
				  const char *name, const struct diag *diag,
				  struct segment_header *ret_header);

struct footer {
	uint64_t first_revision;
	uint64_t last_revision;
	uint64_t commits;
	int64_t time_min_ns;
	int64_t time_max_ns;
	uint8_t chain[CHAIN_BYTES];
	uint64_t entry_count;
};

/* Encode, the entries in order. `ret_bytes` has footer_size(entry_count)
 * bytes, `entry_count` is theirs. WB_NO_MEMORY. */
size_t footer_size(uint64_t entry_count);
enum wb_error footer_encode(const struct footer *footer,
			    const struct entries *entries, uint8_t *ret_bytes);
/* Decode head and check that the size fits and the entries are in order and
 * in range. Silent WB_CORRUPT. */
enum wb_error footer_decode(const uint8_t *payload, size_t size,
			    struct footer *ret_footer);
/* Entry number `at` of a decoded footer. */
struct log_entry footer_entry(const uint8_t *payload,
			      const struct footer *footer, uint64_t at);
/* Entry number `at` of those that stand in `bytes`, by themselves. */
struct log_entry footer_page_entry(const uint8_t *bytes, size_t size,
				   uint64_t first_revision, size_t at);

#endif
