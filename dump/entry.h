/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of a dump (docs/DUMP.md), written and read.
 *
 *	{"format":"waybill-dump","version":1,"content":"state"}
 *	{"type":"image",…}	an image, in words
 *	{"type":"record",…}	any other record, its value as base64
 *	{"type":"deletion",…}	in a history
 *	{"type":"commit",…}	in a history, before its changes
 *	{"type":"end",…}
 */
#ifndef WAYBILL_DUMP_ENTRY_H
#define WAYBILL_DUMP_ENTRY_H

#include "dump/json_out.h"
#include "dump/sum.h"
#include "store/store.h"

#include <waybill/images.h>

#define ENTRY_UUID_BYTES 16

enum entry_type {
	ENTRY_HEADER,
	ENTRY_IMAGE,
	ENTRY_RECORD,
	ENTRY_DELETION,
	ENTRY_COMMIT,
	ENTRY_END,
};

/* Which fields mean something follows from the type. */
struct entry {
	enum entry_type type;
	/* HEADER */
	bool history;
	uint8_t uuid[ENTRY_UUID_BYTES]; /* of a history */
	/* IMAGE, RECORD, DELETION */
	struct wb_key key;
	struct wb_image image;
	struct wb_bytes value; /* RECORD */
	/* COMMIT */
	struct store_commit commit;
	/* END */
	uint64_t count;
	uint8_t sum[SUM_BYTES];
};

/* ---- writing: each is a whole line ---- */

void entry_put_header(struct json_out *out, const uint8_t *uuid);
/* As an image where it is one that entry_read would take as it is, and that
 * makes the same value again. WB_NO_MEMORY. WB_CORRUPT: it stands under an
 * image's key and is none, and is put all the same; a history may hold it. */
enum wb_error entry_put_record(struct json_out *out, const struct wb_key *key,
			       struct wb_bytes value);
void entry_put_deletion(struct json_out *out, const struct wb_key *key);
void entry_put_commit(struct json_out *out, const struct store_commit *commit);
void entry_put_end(struct json_out *out, uint64_t count,
		   const uint8_t sum[SUM_BYTES]);

/* ---- reading ---- */

/* Memory for what a line is made of. All zero: none. */
struct entry_reader {
	struct wb_label *labels;
	size_t count, capacity;
};
void entry_reader_release(struct entry_reader *reader);

/* Read a line, which is written over, and to which the entry points; it lasts
 * until the next one is read. Everything is checked that one line can show.
 * WB_BAD_INPUT, WB_UNSUPPORTED (a header of a later version), WB_NO_MEMORY. */
enum wb_error entry_read(struct entry_reader *reader, char *line, size_t size,
			 struct entry *ret_entry, struct wb_text *ret_text);

/* The value that an IMAGE or a RECORD puts into a store. Free `*ret_owned`,
 * which may be NULL. WB_NO_MEMORY. */
enum wb_error entry_value(const struct entry *entry, struct wb_bytes *ret_value,
			  void **ret_owned);

#endif
