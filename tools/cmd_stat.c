/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"
#include "tools/head.h"
#include "tools/image_json.h"
#include "tools/print.h"
#include "tools/session.h"

#include <stddef.h>
#include <string.h>

/* What is shown, and where it stands in struct wb_stat. What only a process
 * that stays (the daemon) can tell is left out. */
static const struct {
	const char *key;
	const char *heading;
	size_t offset;
} rows[] = {
	{"revision", "revision", offsetof(struct wb_stat, revision)},
	{"oldest_revision", "oldest",
	 offsetof(struct wb_stat, oldest_revision)},
	{"records", "records", offsetof(struct wb_stat, records)},
	{"record_bytes", "record bytes",
	 offsetof(struct wb_stat, record_bytes)},
	{"segments", "segments", offsetof(struct wb_stat, segments)},
	{"log_bytes", "log bytes", offsetof(struct wb_stat, log_bytes)},
	{"file_bytes", "file bytes", offsetof(struct wb_stat, file_bytes)},
	{"torn_bytes", "torn bytes", offsetof(struct wb_stat, torn_bytes)},
};

static uint64_t value_of(const struct wb_stat *stat, size_t row)
{
	uint64_t value;

	__builtin_memcpy(&value, (const char *)stat + rows[row].offset,
			 sizeof(value));
	return value;
}

struct reasons {
	char text[2000];
	size_t size;
};

static bool take_mark(void *context, const struct wb_record *record)
{
	struct reasons *reasons = context;
	size_t room = sizeof(reasons->text) - reasons->size;
	size_t size = record->value.size;

	if (reasons->size > 0 && room > 2) {
		memcpy(reasons->text + reasons->size, "; ", 2);
		reasons->size += 2;
		room -= 2;
	}
	size = size < room ? size : room;
	if (size > 0)
		memcpy(reasons->text + reasons->size, record->value.data, size);
	reasons->size += size;
	return true;
}

/* Why garbage collection is off, by each mark; NULL: it is not, or out of
 * memory. */
static const char *gc_blocked(struct session *session,
			      const struct wb_stat *stat)
{
	const struct wb_bytes none = {"", 0};
	struct reasons reasons = {.size = 0};
	struct wb_view *view;

	if (!stat->gc_blocked)
		return NULL;
	if (wb_view_begin(session->store, &view) == WB_OK) {
		(void)wb_view_list(view, WB_KIND_GC_BLOCKED, none, none, none,
				   take_mark, &reasons);
		wb_view_end(view);
	}
	if (reasons.size == 0)
		return "a mark without a word";
	return scratch_copy(&session->scratch, reasons.text, reasons.size);
}

static void tell_stat(struct session *session, const struct wb_stat *stat)
{
	const char *blocked = gc_blocked(session, stat);
	struct output *output = &session->output;

	if (session->json) {
		json_t *json = json_object();

		json_field(&json, "uuid",
			   hex_json(stat->uuid, sizeof(stat->uuid)));
		json_field(&json, "epoch", word_json(stat->epoch));
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			json_field(&json, rows[i].key,
				   number_json(value_of(stat, i)));
		json_field(&json, "gc_blocked",
			   blocked ? text_json(blocked) : json_null());
		output_json(output, json);
		return;
	}
	if (session->quiet) {
		output_format(output, "%llu%c",
			      (unsigned long long)stat->revision,
			      session->line_end);
		return;
	}
	print_hex(output, "uuid", stat->uuid, sizeof(stat->uuid));
	print_word(output, "epoch", stat->epoch);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		print_number(output, rows[i].heading, value_of(stat, i));
	if (blocked)
		print_field(output, "gc blocked", blocked);
}

static enum wb_error run_stat(struct session *session)
{
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error error = session_open(session, ACCESS_READ);

	if (!error)
		error = session->images->ops->stat(session->images, &stat,
						   &session->text);
	if (!error)
		tell_stat(session, &stat);
	return error;
}

const struct command command_stat = {
	.name = "stat",
	.operands = "",
	.summary = "Print the store's revision, counts and sizes",
	.details =
		"Records of all namespaces and kinds count. -q prints the "
		"revision only. Where\na salvage has been, \"gc blocked\" says "
		"why no garbage is collected.",
	.operands_min = 0,
	.operands_max = 0,
	.run = run_stat,
};
