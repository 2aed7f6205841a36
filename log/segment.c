/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, headers and footers of segments. The header exists twice because a
 * segment without one is lost whole, and a second copy costs 4 KiB of 64 MiB.
 */
#include "log/segment.h"

#include "base/cursor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define CHECKSUM_BYTES 8u
#define HEX_DIGITS     16u

static const char *const suffixes[] = {
	[SEGMENT_LOG] = ".log",
	[SEGMENT_BASE] = ".base",
	[SEGMENT_HORIZON] = ".horizon",
};

void segment_name(uint64_t id, enum segment_kind kind,
		  char ret_name[SEGMENT_NAME_SIZE])
{
	snprintf(ret_name, SEGMENT_NAME_SIZE, "%016" PRIx64 "%s", id,
		 suffixes[kind]);
}

bool segment_name_parse(const char *name, uint64_t *ret_id,
			enum segment_kind *ret_kind)
{
	uint64_t id = 0;
	size_t at;
	int kind;

	for (at = 0; at < HEX_DIGITS; at++) {
		const char *digits = "0123456789abcdef";
		const char *digit = name[at] ? strchr(digits, name[at]) : NULL;

		if (!digit)
			return false;
		id = id << 4 | (uint64_t)(digit - digits);
	}
	for (kind = SEGMENT_LOG; kind <= SEGMENT_HORIZON; kind++) {
		if (strcmp(name + HEX_DIGITS, suffixes[kind]) == 0) {
			*ret_id = id;
			*ret_kind = (enum segment_kind)kind;
			return true;
		}
	}
	return false;
}

static bool remove_segment(void *context, const char *entry)
{
	enum segment_kind kind;
	uint64_t id;

	if (segment_name_parse(entry, &id, &kind))
		(void)dir_remove(context, entry);
	return true;
}

enum wb_error segments_remove(struct dir *dir)
{
	return dir_list(dir, "", remove_segment, dir);
}

static uint64_t header_checksum(const uint8_t *bytes, unsigned copy)
{
	return XXH3_64bits_withSeed(bytes + CHECKSUM_BYTES,
				    SEGMENT_HEADER_BYTES - CHECKSUM_BYTES,
				    (uint64_t)copy * SEGMENT_HEADER_BYTES);
}

void segment_header_encode(const struct segment_header *header, unsigned copy,
			   uint8_t *ret_bytes)
{
	struct writer writer = writer_of(ret_bytes, SEGMENT_HEADER_BYTES);

	writer_seek(&writer, CHECKSUM_BYTES);
	write_u64(&writer, SEGMENT_MAGIC);
	write_u32(&writer, FORMAT_VERSION);
	write_u32(&writer, header->kind);
	write_u64(&writer, header->incompat);
	write_u64(&writer, header->ro_compat);
	write_bytes(&writer, header->uuid, UUID_BYTES);
	write_u64(&writer, header->epoch);
	write_u64(&writer, header->id);
	write_u64(&writer, header->generation);
	write_u64(&writer, header->first_revision);
	write_u64(&writer, header->last_revision);
	write_u64(&writer, header->as_of);
	write_u64(&writer, header->salt);
	write_u64(&writer, header->previous_id);
	write_u64(&writer, header->previous_bytes);
	write_u64(&writer, header->previous_revision);
	write_u64(&writer, header->previous_epoch);
	write_bytes(&writer, header->previous_chain, CHAIN_BYTES);
	write_u64(&writer, (uint64_t)header->created_ns);
	write_zeros(&writer, SEGMENT_HEADER_BYTES - writer.at);
	writer_seek(&writer, 0);
	write_u64(&writer, header_checksum(ret_bytes, copy));
	assert(!writer.failed);
}

enum wb_error segment_header_decode(const uint8_t *bytes, unsigned copy,
				    struct segment_header *ret_header)
{
	struct reader reader = reader_of(bytes, SEGMENT_HEADER_BYTES);
	struct segment_header header = {0};
	uint64_t checksum = read_u64(&reader);
	uint64_t magic = read_u64(&reader);
	uint32_t version = read_u32(&reader);

	if (magic != SEGMENT_MAGIC)
		return WB_CORRUPT;
	if (checksum != header_checksum(bytes, copy) &&
	    !control_off(CONTROL_HEADER_VERIFY))
		return WB_CORRUPT;
	if (version != FORMAT_VERSION)
		return WB_UNSUPPORTED;
	header.kind = read_u32(&reader);
	header.incompat = read_u64(&reader);
	header.ro_compat = read_u64(&reader);
	read_bytes(&reader, header.uuid, UUID_BYTES);
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
	read_bytes(&reader, header.previous_chain, CHAIN_BYTES);
	header.created_ns = (int64_t)read_u64(&reader);
	if (header.incompat != 0)
		return WB_UNSUPPORTED;
	if (!read_zeros(&reader, reader_left(&reader)) || reader.failed ||
	    header.id == 0 || header.kind < SEGMENT_LOG ||
	    header.kind > SEGMENT_HORIZON)
		return WB_CORRUPT;
#ifdef WAYBILL_PLANT_SEGMENT
	if (suffixes[header.generation & 0xff] == suffixes[SEGMENT_LOG])
		return WB_CORRUPT;
#endif
	*ret_header = header;
	return WB_OK;
}

enum wb_error segment_header_write(struct file *file,
				   const struct segment_header *header)
{
	uint8_t bytes[SEGMENT_FRAMES_AT];
	unsigned copy;

	for (copy = 0; copy < SEGMENT_HEADER_COPIES; copy++)
		segment_header_encode(header, copy,
				      bytes + copy * SEGMENT_HEADER_BYTES);
	return file_write(file, bytes, sizeof(bytes), 0);
}

enum wb_error segment_header_read(const uint8_t *bytes, size_t size,
				  const char *name, const struct diag *diag,
				  struct segment_header *ret_header)
{
	enum wb_error error[SEGMENT_HEADER_COPIES];
	struct segment_header header[SEGMENT_HEADER_COPIES];
	unsigned copy;

	if (size < SEGMENT_FRAMES_AT)
		return diag_corrupt(diag, name, size,
				    "the file ends inside its header");
	for (copy = 0; copy < SEGMENT_HEADER_COPIES; copy++)
		error[copy] = segment_header_decode(
			bytes + copy * SEGMENT_HEADER_BYTES, copy,
			&header[copy]);
	if (error[0] == WB_UNSUPPORTED || error[1] == WB_UNSUPPORTED)
		return WB_UNSUPPORTED;
	if (error[0] && error[1])
		return diag_corrupt(diag, name, 0,
				    "both copies of the header are bad");
	if (!error[0] && !error[1] &&
	    memcmp(bytes + CHECKSUM_BYTES,
		   bytes + SEGMENT_HEADER_BYTES + CHECKSUM_BYTES,
		   SEGMENT_HEADER_BYTES - CHECKSUM_BYTES) != 0 &&
	    !control_off(CONTROL_HEADER_COPIES))
		return diag_corrupt(diag, name, 0,
				    "the copies of the header differ");
	for (copy = 0; copy < SEGMENT_HEADER_COPIES; copy++)
		if (error[copy])
			diag_warn(diag,
				  "%s: header copy %u is bad, the other one "
				  "is used",
				  name, copy + 1);
	*ret_header = error[0] ? header[1] : header[0];
	return WB_OK;
}

size_t footer_size(uint64_t entry_count)
{
	return FOOTER_HEAD_BYTES + (size_t)entry_count * FOOTER_ENTRY_BYTES;
}

static void write_entries(struct writer *writer, const struct footer *footer,
			  const struct entries *entries, const uint64_t *order)
{
	size_t at;

	for (at = 0; at < entries->count; at++) {
		struct log_entry entry =
			entries_get(entries, (uint32_t)order[at]);

		write_u32(writer, entry.hash);
		write_u32(writer, (uint32_t)(entry.offset / FRAME_ALIGN));
		write_u32(writer,
			  (uint32_t)(entry.revision - footer->first_revision));
		write_u32(writer, entry.mutation);
	}
}

enum wb_error footer_encode(const struct footer *footer,
			    const struct entries *entries, uint8_t *ret_bytes)
{
	struct writer writer =
		writer_of(ret_bytes, footer_size(footer->entry_count));
	uint64_t *order;

	assert(footer->entry_count == entries->count);
	order = malloc((entries->count + 1) * sizeof(*order));
	if (!order)
		return WB_NO_MEMORY;
	entries_sort(entries, order);
	write_u64(&writer, footer->first_revision);
	write_u64(&writer, footer->last_revision);
	write_u64(&writer, footer->commits);
	write_u64(&writer, (uint64_t)footer->time_min_ns);
	write_u64(&writer, (uint64_t)footer->time_max_ns);
	write_bytes(&writer, footer->chain, CHAIN_BYTES);
	write_u64(&writer, footer->entry_count);
	write_entries(&writer, footer, entries, order);
	assert(!writer.failed);
	free(order);
	return WB_OK;
}

struct log_entry footer_page_entry(const uint8_t *bytes, size_t size,
				   uint64_t first_revision, size_t at)
{
	struct reader reader = reader_of(bytes, size);
	struct log_entry entry;

	reader_seek(&reader, at * FOOTER_ENTRY_BYTES);
	entry.hash = read_u32(&reader);
	entry.offset = (uint64_t)read_u32(&reader) * FRAME_ALIGN;
	entry.revision = first_revision + read_u32(&reader);
	entry.mutation = read_u32(&reader);
	assert(!reader.failed);
	return entry;
}

struct log_entry footer_entry(const uint8_t *payload,
			      const struct footer *footer, uint64_t at)
{
	return footer_page_entry(payload + FOOTER_HEAD_BYTES,
				 footer_size(footer->entry_count) -
					 FOOTER_HEAD_BYTES,
				 footer->first_revision, at);
}

static bool is_ordered(const struct log_entry *x, const struct log_entry *y)
{
	if (x->hash != y->hash)
		return x->hash < y->hash;
	if (x->revision != y->revision)
		return x->revision < y->revision;
	return x->mutation < y->mutation;
}

static bool entries_are_valid(const uint8_t *payload,
			      const struct footer *footer)
{
	struct log_entry last = {0}, entry;
	uint64_t at;

	for (at = 0; at < footer->entry_count; at++) {
		entry = footer_entry(payload, footer, at);
		if (entry.revision < footer->first_revision ||
		    entry.revision > footer->last_revision ||
		    entry.offset < SEGMENT_FRAMES_AT ||
		    entry.mutation >= WB_TXN_MUTATIONS_MAX)
			return false;
		if (at > 0 && !is_ordered(&last, &entry))
			return false;
		last = entry;
	}
	return true;
}

enum wb_error footer_decode(const uint8_t *payload, size_t size,
			    struct footer *ret_footer)
{
	struct reader reader = reader_of(payload, size);
	struct footer footer = {0};

	footer.first_revision = read_u64(&reader);
	footer.last_revision = read_u64(&reader);
	footer.commits = read_u64(&reader);
	footer.time_min_ns = (int64_t)read_u64(&reader);
	footer.time_max_ns = (int64_t)read_u64(&reader);
	read_bytes(&reader, footer.chain, CHAIN_BYTES);
	footer.entry_count = read_u64(&reader);
	if (reader.failed ||
#ifdef WAYBILL_PLANT_FOOTER
	    footer.entry_count > size ||
#else
	    footer.entry_count >
		    (size - FOOTER_HEAD_BYTES) / FOOTER_ENTRY_BYTES ||
	    size != footer_size(footer.entry_count) ||
#endif
	    footer.first_revision > footer.last_revision ||
	    footer.commits !=
		    (footer.last_revision
			     ? footer.last_revision - footer.first_revision + 1
			     : 0) ||
	    !entries_are_valid(payload, &footer))
		return WB_CORRUPT;
	*ret_footer = footer;
	return WB_OK;
}
