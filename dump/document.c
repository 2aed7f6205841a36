/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/document.h"

#include "base/control.h"
#include "base/diag.h"
#include "base/sized.h"
#include "images/image.h"

#include <stdlib.h>
#include <string.h>

/* Put the line of the last entry before what is in `text`. */
static enum wb_error at_line(const struct document *document,
			     enum wb_error error, struct wb_text *text)
{
	struct wb_text inner;

	if (!text)
		return error;
	inner = *text;
	return text_set(text, error, "line %llu: %s",
			(unsigned long long)document->lines.number, inner.text);
}

static enum wb_error bad(const struct document *document,
			 struct wb_text *ret_text, const char *what)
{
	return text_set(ret_text, WB_BAD_INPUT, "line %llu: %s",
			(unsigned long long)document->lines.number, what);
}

/* ---- one line ---- */

static enum wb_error read_entry(struct document *document,
				struct entry *ret_entry, bool *ret_last,
				struct wb_text *ret_text)
{
	struct line line;
	enum wb_error error = lines_next(&document->lines, &line, ret_text);

	if (error)
		return error;
	*ret_last = line.last;
	if (line.last && line.size <= END_BYTES_MAX) {
		memcpy(document->end, line.text, line.size);
		document->end_bytes = line.size;
	}
	error = entry_read(&document->reader, line.text, line.size, ret_entry,
			   ret_text);
	return error ? at_line(document, error, ret_text) : WB_OK;
}

enum wb_error document_open(struct document *document, wb_load_read_fn *read,
			    void *context, struct wb_text *ret_text)
{
	struct entry entry;
	enum wb_error error;
	bool last;

	*document = (struct document){.count = 0};
	error = lines_open(&document->lines, read, context);
	if (error)
		return text_set(ret_text, error, "%s", wb_error_text(error));
	error = read_entry(document, &entry, &last, ret_text);
	if (error)
		return error;
	if (entry.type != ENTRY_HEADER)
		return bad(document, ret_text, "not the first line of a dump");
	document->history = entry.history;
	memcpy(document->uuid, entry.uuid, ENTRY_UUID_BYTES);
	/* Then there is no end, which the next line will tell. */
	return WB_OK;
}

void document_release(struct document *document)
{
	lines_release(&document->lines);
	entry_reader_release(&document->reader);
}

/* ---- the rules between lines ---- */

static int compare_bytes(struct wb_bytes a, struct wb_bytes b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

/* The order of the encoded keys: a namespace holds no zero byte. */
static int compare_keys(const struct wb_key *a, const struct wb_key *b)
{
	int order = a->kind < b->kind ? -1 : a->kind > b->kind;

	if (order == 0)
		order = compare_bytes(a->ns, b->ns);
	return order ? order : compare_bytes(a->name, b->name);
}

static void keep_key(struct document *document, const struct wb_key *key)
{
	if (key->ns.size > 0)
		memcpy(document->ns, key->ns.data, key->ns.size);
	memcpy(document->name, key->name.data, key->name.size);
	document->last = (struct wb_key){key->kind,
					 {document->ns, key->ns.size},
					 {document->name, key->name.size}};
}

/* An image that another version wrote; nothing else has a place under its key,
 * for every list would come upon it. (In the past anything may have been.) */
static enum wb_error check_value(const struct document *document,
				 const struct entry *entry,
				 struct wb_text *ret_text)
{
	struct wb_image *image;
	enum wb_error error;

	if (entry->type != ENTRY_RECORD || entry->key.kind != WB_KIND_IMAGE)
		return WB_OK;
	error = image_decode(entry->key.name, entry->value, 0, &image);
	if (error == WB_NO_MEMORY)
		return text_set(ret_text, error, "%s", wb_error_text(error));
	if (error)
		return bad(document, ret_text,
			   "\"value\" is no image, as its \"kind\" says");
	wb_image_free(image);
	return WB_OK;
}

static enum wb_error check_of_state(struct document *document,
				    const struct entry *entry,
				    struct wb_text *ret_text)
{
	enum wb_error error;
	int order;

	if (entry->type != ENTRY_IMAGE && entry->type != ENTRY_RECORD)
		return bad(document, ret_text,
			   "has no place in the dump of a state");
	if (entry->key.kind > WB_KIND_EMBEDDER_LAST)
		return bad(document, ret_text,
			   "\"kind\" is one of a store's own records");
	error = check_value(document, entry, ret_text);
	if (error)
		return error;
	order = document->count > 1 ? compare_keys(&document->last, &entry->key)
				    : -1;
	if (order == 0)
		return bad(document, ret_text, "the same key as before");
	if (order > 0)
		return bad(document, ret_text, "the key is out of order");
	keep_key(document, &entry->key);
	return WB_OK;
}

static enum wb_error check_of_history(struct document *document,
				      const struct entry *entry,
				      struct wb_text *ret_text)
{
	if (entry->type == ENTRY_HEADER)
		return bad(document, ret_text,
			   "has no place in the dump of a history");
	if (entry->type != ENTRY_COMMIT) {
		if (document->changes_left == 0)
			return bad(document, ret_text,
				   "a change that is of no commit");
		document->changes_left--;
		return WB_OK;
	}
	if (document->changes_left > 0)
		return bad(document, ret_text,
			   "a commit, where the one before lacks a change");
	if (entry->commit.revision != document->revision + 1)
		return bad(document, ret_text,
			   "the revision does not follow the one before");
	document->revision = entry->commit.revision;
	document->changes_left = entry->commit.changes;
	return WB_OK;
}

/* No sum covers the end itself, so it has one form. */
static enum wb_error check_form_of_end(const struct document *document,
				       const struct entry *entry,
				       struct wb_text *ret_text)
{
	struct json_out out = {.size = 0};
	bool same, out_of_memory;

	entry_put_end(&out, entry->count, entry->sum);
	out_of_memory = out.out_of_memory;
	same = !out_of_memory && document->end_bytes + 1 == out.size &&
	       memcmp(document->end, out.bytes, out.size - 1) == 0;
	json_out_release(&out);
	if (out_of_memory)
		return text_set(ret_text, WB_NO_MEMORY, "out of memory");
	return same ? WB_OK
		    : bad(document, ret_text,
			  "the end is not as a dump writes it");
}

static enum wb_error check_end(struct document *document,
			       const struct entry *entry, bool last,
			       struct wb_text *ret_text)
{
	uint8_t sum[SUM_BYTES];
	enum wb_error error;

	if (!last)
		return bad(document, ret_text, "more follows the end");
	if (document->changes_left > 0)
		return bad(document, ret_text,
			   "the end, where the last commit lacks a change");
	if (entry->count != document->count && !control_off(CONTROL_DUMP_COUNT))
		return bad(document, ret_text,
			   "\"count\" is not how many lines there are");
	error = lines_sum(&document->lines, sum);
	if (error)
		return text_set(ret_text, error, "%s", wb_error_text(error));
	if (memcmp(sum, entry->sum, SUM_BYTES) != 0 &&
	    !control_off(CONTROL_DUMP_SUM))
		return bad(document, ret_text,
			   "\"sha256\" is not that of the lines before: the "
			   "dump was changed");
	return check_form_of_end(document, entry, ret_text);
}

enum wb_error document_next(struct document *document, struct entry *ret_entry,
			    bool *ret_ended, struct wb_text *ret_text)
{
	struct entry entry;
	bool last = false;
	enum wb_error error = read_entry(document, &entry, &last, ret_text);

	if (error)
		return error;
	if (entry.type == ENTRY_END) {
		error = check_end(document, &entry, last, ret_text);
		if (!error)
			*ret_ended = true;
		return error;
	}
	if (last)
		return bad(document, ret_text,
			   "the dump has no end: it was cut short");
	document->count++;
	error = document->history ? check_of_history(document, &entry, ret_text)
				  : check_of_state(document, &entry, ret_text);
	if (error)
		return error;
	*ret_entry = entry;
	*ret_ended = false;
	return WB_OK;
}

/* ---- the whole of it ---- */

enum wb_error wb_dump_check(wb_load_read_fn *read, void *context,
			    struct wb_dump_summary *ret_summary,
			    struct wb_text *ret_text)
{
	struct wb_dump_summary summary = {.size = sizeof(summary)};
	struct document document;
	struct entry entry;
	bool ended = false;
	enum wb_error error = document_open(&document, read, context, ret_text);

	while (!error) {
		error = document_next(&document, &entry, &ended, ret_text);
		if (error || ended)
			break;
		summary.commits += entry.type == ENTRY_COMMIT;
	}
	summary.history = document.history;
	summary.count = document.count;
	summary.records = document.history ? 0 : document.count;
	document_release(&document);
	if (!error && ret_summary)
		error = sized_give(ret_summary, &summary, sizeof(summary));
	return error;
}
