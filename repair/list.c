/* SPDX-License-Identifier: Apache-2.0 */
#include "repair/list.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_TMP_NAME "tmp/salvage"

const char *salvage_now_name(enum wb_salvage_now now)
{
	static const char *const names[] = {
		[WB_SALVAGE_CURRENT] = "current",
		[WB_SALVAGE_OLDER] = "older",
		[WB_SALVAGE_ABSENT] = "absent",
	};

	assert(now <= WB_SALVAGE_ABSENT);
	return names[now];
}

/* ---- text ---- */

struct text {
	char *bytes;
	size_t size, capacity;
	bool failed;
};

static bool make_room(struct text *text, size_t size)
{
	size_t capacity = text->capacity ? text->capacity : 4096;
	void *more;

	while (capacity - text->size < size)
		capacity *= 2;
	if (text->failed || capacity == text->capacity)
		return !text->failed;
	more = realloc(text->bytes, capacity);
	if (!more) {
		text->failed = true;
		return false;
	}
	text->bytes = more;
	text->capacity = capacity;
	return true;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *text,
						      const char *format, ...)
{
	va_list arguments;
	int length;

	if (!make_room(text, 512))
		return;
	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->size, 512, format, arguments);
	va_end(arguments);
	assert(length >= 0 && length < 512);
	text->size += (size_t)length;
}

/* The size of the UTF-8 character (RFC 3629) at `bytes`, of which `left` are
 * there; 0: it is none. */
static size_t character_at(const uint8_t *bytes, size_t left)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = bytes[0];
	size_t size = first < 0x80   ? 1
		      : first < 0xC2 ? 0
		      : first < 0xE0 ? 2
		      : first < 0xF0 ? 3
		      : first < 0xF5 ? 4
				     : 0;
	uint32_t point = first & (0x7Fu >> size);

	if (size == 1)
		return 1;
	if (size == 0 || size > left)
		return 0;
	for (size_t at = 1; at < size; at++) {
		if ((bytes[at] & 0xC0) != 0x80)
			return 0;
		point = point << 6 | (bytes[at] & 0x3Fu);
	}
	return point < smallest[size] || point > 0x10FFFF ||
			       (point >= 0xD800 && point <= 0xDFFF)
		       ? 0
		       : size;
}

static void add_string(struct text *text, struct wb_bytes string)
{
	const uint8_t *bytes = string.data;

	add(text, "\"");
	for (size_t at = 0; at < string.size;) {
		size_t size = character_at(bytes + at, string.size - at);

		if (size == 0)
			add(text, "\\\\x%02x", bytes[at]);
		else if (bytes[at] < 0x20 || bytes[at] == 0x7F)
			add(text, "\\u%04x", bytes[at]);
		else if (bytes[at] == '"' || bytes[at] == '\\')
			add(text, "\\%c", bytes[at]);
		else
			add(text, "%.*s", (int)size, (const char *)bytes + at);
		at += size ? size : 1;
	}
	add(text, "\"");
}

/* ---- the list ---- */

static void add_summary(struct text *text,
			const struct wb_salvage_summary *summary)
{
	add(text, "{\"salvage\":{\"uuid\":\"");
	for (size_t at = 0; at < sizeof(summary->uuid); at++)
		add(text, "%02x", summary->uuid[at]);
	add(text,
	    "\",\"epoch\":\"%016" PRIx64 "\",\"commits\":%" PRIu64
	    ",\"revision\":%" PRIu64 ",\"unchanged\":%" PRIu64
	    ",\"revisions_lost\":%" PRIu64,
	    summary->epoch, summary->commits, summary->revision,
	    summary->unchanged, summary->revisions_lost);
	add(text,
	    ",\"names_exact\":%" PRIu64 ",\"names_probable\":%" PRIu64
	    ",\"names_unknown\":%" PRIu64 ",\"revisions_nameless\":%" PRIu64
	    ",\"unknown_from\":%" PRIu64 "}}\n",
	    summary->names_exact, summary->names_probable,
	    summary->names_unknown, summary->revisions_nameless,
	    summary->unknown_from);
}

static void add_name(struct text *text, const struct wb_salvage_name *name)
{
	add(text,
	    "{\"name\":{\"kind\":%" PRIu32 ",\"namespace\":", name->key.kind);
	add_string(text, name->key.ns);
	add(text, ",\"name\":");
	add_string(text, name->key.name);
	add(text, ",\"revision\":%" PRIu64 ",\"exact\":%s,\"now\":\"%s\"}}\n",
	    name->revision, name->exact ? "true" : "false",
	    salvage_now_name(name->now));
}

static void add_all(struct text *text, const struct losses *losses,
		    uint64_t head, const struct wb_salvage_summary *summary)
{
	struct wb_salvage_move move;
	size_t at = 0;

	add_summary(text, summary);
	for (size_t i = 0; i < losses->range_count; i++)
		add(text,
		    "{\"lost\":{\"first\":%" PRIu64 ",\"last\":%" PRIu64 "}}\n",
		    losses->ranges[i].first, losses->ranges[i].last);
	while (losses_next_move(losses, head, &at, &move))
		add(text,
		    "{\"moved\":{\"first\":%" PRIu64 ",\"last\":%" PRIu64
		    ",\"to\":%" PRIu64 "}}\n",
		    move.first, move.last, move.to);
	for (size_t i = 0; i < losses->name_count; i++)
		add_name(text, &losses->names[i]);
}

enum wb_error list_write(struct dir *dir, const struct losses *losses,
			 uint64_t head,
			 const struct wb_salvage_summary *summary)
{
	struct text text = {.bytes = NULL};
	struct file *file = NULL;
	enum wb_error error;

	add_all(&text, losses, head, summary);
	error = text.failed ? WB_NO_MEMORY
			    : dir_create_anew(dir, LIST_TMP_NAME, &file);
	if (!error)
		error = file_write(file, text.bytes, text.size, 0);
	if (!error)
		error = file_sync(file, CONTROL_SALVAGE_LIST_SYNC);
	file_close(file);
	if (!error)
		error = dir_rename(dir, LIST_TMP_NAME, WB_SALVAGE_LIST,
				   CONTROL_SALVAGE_LIST_RENAME);
	if (!error)
		error = dir_sync(dir, "", CONTROL_SALVAGE_LIST_DIR_SYNC);
	free(text.bytes);
	return error;
}
