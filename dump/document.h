/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump from its first line to its last, with all the rules that hold between
 * lines: the header first, keys in their order, revisions without a gap, as
 * many changes as a commit says, and an end that counts and sums up what was
 * before it.
 *
 *	document_open    header
 *	document_next …  entries, until there is none: only then all was right
 */
#ifndef WAYBILL_DUMP_DOCUMENT_H
#define WAYBILL_DUMP_DOCUMENT_H

#include "dump/entry.h"
#include "dump/lines.h"

/* More than an end takes. */
#define END_BYTES_MAX 160

struct document {
	struct lines lines;
	struct entry_reader reader;
	bool history;
	uint8_t uuid[ENTRY_UUID_BYTES]; /* of a history */
	uint64_t count;			/* lines so far, but for the header */
	uint64_t revision;		/* of a history: of the last commit */
	size_t changes_left;		/* likewise: of that commit */
	/* The last line as it stands: no sum covers it. */
	char end[END_BYTES_MAX];
	size_t end_bytes;
	/* Of a state: the key before. */
	uint8_t ns[WB_NAMESPACE_BYTES_MAX], name[WB_NAME_BYTES_MAX];
	struct wb_key last;
};

/* Every error has a text, with the number of the line. WB_BAD_INPUT,
 * WB_UNSUPPORTED, WB_NO_MEMORY, or what `read` returned. Release it in any
 * case. */
enum wb_error document_open(struct document *document, wb_load_read_fn *read,
			    void *context, struct wb_text *ret_text);
void document_release(struct document *document);

/* The next entry, which lasts until the one after it. `*ret_ended`: there is
 * none, and the dump is whole and right. */
enum wb_error document_next(struct document *document, struct entry *ret_entry,
			    bool *ret_ended, struct wb_text *ret_text);

#endif
