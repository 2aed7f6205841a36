/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a string, as a line, or as a whole dump; the first one chooses.
 *
 *	0  a string of JSON: jansson takes and refuses the same ones
 *	1  a line: what is taken is JSON for jansson too, and means the same
 *	   when it is written and read again
 *	2  the lines of a dump, to which an end is added that fits: what is
 *	   taken can be loaded, or says why not, and is dumped the same way
 *	3  a whole dump as it is
 */
#include "dump/document.h"
#include "dump/json_in.h"
#include "dump/restore.h"
#include "tests/support/hush.h"
#include "tests/support/memdir.h"
#include "tests/support/paper.h"
#include "tests/support/simenv.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of exactly that size, and to be written over. */
static char *copy_of(const void *bytes, size_t size)
{
	char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, size);
	return copy;
}

/* ---- a string ---- */

static void try_string(const uint8_t *data, size_t size)
{
	char *copy = copy_of(data, size);
	struct json_in in = json_in_of(copy, size);
	struct wb_bytes ours = json_in_string(&in);
	json_error_t error;
	json_t *theirs = json_loadb((const char *)data, size,
				    JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	json_in_end(&in);
	if (json_is_string(theirs) != !in.problem)
		abort();
	if (!in.problem &&
	    (ours.size != json_string_length(theirs) ||
	     memcmp(ours.data, json_string_value(theirs), ours.size) != 0))
		abort();
	json_decref(theirs);
	free(copy);
}

/* ---- a line ---- */

static void put(struct json_out *out, const struct entry *entry)
{
	struct wb_bytes value;
	void *owned;

	switch (entry->type) {
	case ENTRY_HEADER:
		entry_put_header(out, entry->history ? entry->uuid : NULL);
		break;
	case ENTRY_IMAGE:
	case ENTRY_RECORD:
		if (entry_value(entry, &value, &owned) ||
		    entry_put_record(out, &entry->key, value) == WB_NO_MEMORY)
			abort();
		free(owned);
		break;
	case ENTRY_DELETION:
		entry_put_deletion(out, &entry->key);
		break;
	case ENTRY_COMMIT:
		entry_put_commit(out, &entry->commit);
		break;
	case ENTRY_END:
		entry_put_end(out, entry->count, entry->sum);
	}
}

static void must_be_json(const uint8_t *data, size_t size)
{
	json_error_t error;
	json_t *json =
		json_loadb((const char *)data, size,
			   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	if (!json)
		abort();
	json_decref(json);
}

static void try_line(const uint8_t *data, size_t size)
{
	struct entry_reader reader = {.labels = NULL};
	struct json_out first = {.size = 0}, second = {.size = 0};
	struct wb_text text = {""};
	struct entry entry;
	char *copy = copy_of(data, size), *again;

	if (entry_read(&reader, copy, size, &entry, &text)) {
		if (!*text.text)
			abort();
	} else {
		must_be_json(data, size);
		put(&first, &entry);
		again = copy_of(first.bytes, first.size - 1);
		if (entry_read(&reader, again, first.size - 1, &entry, &text))
			abort();
		put(&second, &entry);
		if (first.size != second.size ||
		    memcmp(first.bytes, second.bytes, first.size) != 0)
			abort();
		free(again);
	}
	json_out_release(&first);
	json_out_release(&second);
	entry_reader_release(&reader);
	free(copy);
}

/* ---- a dump ---- */

struct world {
	struct memdir *memdir;
	struct simenv env;
	struct wb_open_options options;
};

static void world_begin(struct world *world)
{
	*world = (struct world){.memdir = memdir_new(),
				.options = {.size = sizeof(world->options),
					    .flags = WB_OPEN_CREATE,
					    .segment_bytes = 16u << 10,
					    .report = hush}};
	simenv_init(&world->env, 1);
}

static void world_end(struct world *world)
{
	simenv_release(&world->env);
	memdir_free(world->memdir);
}

/* Dump what `store` holds: it must be right, and of as many lines. */
static void dump_again(struct wb_store *store, bool history, uint64_t count)
{
	const struct wb_dump_options options = {.size = sizeof(options),
						.history = history};
	struct wb_dump_summary summary = {.size = sizeof(summary)};
	struct paper paper = {.size = 0};

	if (wb_dump(store, &options, paper_write, &paper, NULL, NULL) ||
	    wb_dump_check(paper_read, &paper, &summary, NULL) ||
	    summary.count != count || summary.history != history)
		abort();
	paper_release(&paper);
}

static void load_state(struct world *world, struct paper *paper, uint64_t count)
{
	struct wb_load_result result = {.size = sizeof(result)};
	struct wb_store *store;

	if (store_open_on(memdir_dir(world->memdir), &world->env.env,
			  &world->options, &store, NULL) ||
	    wb_load(store, paper_read, paper, NULL, &result, NULL) ||
	    result.loaded != count)
		abort();
	dump_again(store, false, count);
	if (wb_store_close(store))
		abort();
}

static void load_history(struct world *world, struct paper *paper,
			 const struct wb_dump_summary *summary)
{
	const struct wb_load_options options = {.size = sizeof(options)};
	struct wb_text text = {""};
	struct wb_store *store;
	enum wb_error error =
		restore_history_on(memdir_dir(world->memdir), &world->env.env,
				   &world->options, paper_read, paper, &options,
				   summary->commits, &text);

	world->options.flags = 0;
	if (error) {
		if (error != WB_BAD_INPUT || !*text.text)
			abort();
		if (store_open_on(memdir_dir(world->memdir), &world->env.env,
				  &world->options, &store,
				  NULL) != WB_NOT_A_STORE)
			abort();
		return;
	}
	if (store_open_on(memdir_dir(world->memdir), &world->env.env,
			  &world->options, &store, NULL))
		abort();
	dump_again(store, true, summary->count);
	if (wb_store_close(store))
		abort();
}

static void try_dump(const uint8_t *data, size_t size, bool with_end)
{
	struct wb_dump_summary summary = {.size = sizeof(summary)};
	struct wb_text text = {""};
	struct paper paper = {.size = 0};
	struct world world;
	enum wb_error error;

	paper_set(&paper, (const char *)data, size);
	if (with_end)
		paper_end(&paper);
	error = wb_dump_check(paper_read, &paper, &summary, &text);
	if (error && !*text.text)
		abort();
	if (!error) {
		world_begin(&world);
		if (summary.history)
			load_history(&world, &paper, &summary);
		else
			load_state(&world, &paper, summary.count);
		world_end(&world);
	}
	paper_release(&paper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		try_string(data + 1, size - 1);
		break;
	case 1:
		try_line(data + 1, size - 1);
		break;
	default:
		try_dump(data + 1, size - 1, (data[0] & 3) == 2);
	}
	return 0;
}
