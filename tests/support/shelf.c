/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/shelf.h"

const struct wb_precondition if_any = {.kind = WB_IF_ANY};

/* ---- life ---- */

/* What the store says is for the env's ear. */
static void listen(void *context, enum wb_severity severity, const char *line)
{
	struct shelf *shelf = context;

	shelf->env.diag.report(shelf->env.diag.context,
			       (enum diag_severity)severity, line);
}

void shelf_init(struct shelf *shelf, uint64_t seed)
{
	*shelf = (struct shelf){
		.disk = simdisk_new(),
		.options = {.size = sizeof(shelf->options),
			    .flags = WB_OPEN_CREATE,
			    .segment_bytes = 16u << 10,
			    .report = listen,
			    .report_context = shelf},
	};
	simenv_init(&shelf->env, seed);
}

void shelf_release(struct shelf *shelf)
{
	store_abandon(shelf->store);
	simenv_release(&shelf->env);
	simdisk_free(shelf->disk);
	*shelf = (struct shelf){0};
}

enum wb_error shelf_open(struct shelf *shelf)
{
	ck_assert_ptr_null(shelf->store);
	shelf->text.text[0] = 0;
	return store_open_on(simdisk_dir(shelf->disk), &shelf->env.env,
			     &shelf->options, &shelf->store, &shelf->text);
}

enum wb_error shelf_close(struct shelf *shelf)
{
	enum wb_error error = wb_store_close(shelf->store);

	if (error != WB_USAGE)
		shelf->store = NULL;
	return error;
}

void shelf_kill(struct shelf *shelf)
{
	store_abandon(shelf->store);
	shelf->store = NULL;
}

void shelf_cut(struct shelf *shelf, struct sim_crash crash)
{
	struct simdisk *after = simdisk_crash(shelf->disk, crash);

	shelf_kill(shelf);
	simdisk_free(shelf->disk);
	shelf->disk = after;
}

/* ---- words ---- */

struct wb_bytes text_of(const char *text)
{
	return (struct wb_bytes){text, strlen(text)};
}

struct wb_key named(const char *name)
{
	return (struct wb_key){WB_KIND_EMBEDDER_FIRST, text_of("n"),
			       text_of(name)};
}

struct wb_txn *shelf_begin(struct shelf *shelf)
{
	struct wb_txn *txn = NULL;

	ck_ok(wb_txn_begin(shelf->store, NULL, &txn, NULL));
	ck_assert_ptr_nonnull(txn);
	return txn;
}

enum wb_error txn_put(struct wb_txn *txn, const char *name, const char *value)
{
	struct wb_key key = named(name);

	return wb_txn_put(txn, &key, text_of(value), if_any);
}

enum wb_error txn_delete(struct wb_txn *txn, const char *name)
{
	struct wb_key key = named(name);

	return wb_txn_delete(txn, &key, if_any);
}

static struct wb_txn *begin_with(struct shelf *shelf, const char *name,
				 const char *value)
{
	struct wb_txn *txn = shelf_begin(shelf);

	ck_ok(value ? txn_put(txn, name, value) : txn_delete(txn, name));
	return txn;
}

static uint64_t change(struct shelf *shelf, const char *name, const char *value)
{
	struct wb_outcome outcome = {0};

	ck_ok(wb_txn_commit(begin_with(shelf, name, value), &outcome));
	ck_assert_uint_ne(outcome.revision, 0);
	return outcome.revision;
}

uint64_t shelf_put(struct shelf *shelf, const char *name, const char *value)
{
	return change(shelf, name, value);
}

uint64_t shelf_delete(struct shelf *shelf, const char *name)
{
	return change(shelf, name, NULL);
}

struct store_ticket stage_put(struct shelf *shelf, const char *name,
			      const char *value)
{
	struct store_ticket ticket = {0};

	ck_ok(store_stage(begin_with(shelf, name, value), &ticket));
	ck_assert_uint_ne(ticket.revision, 0);
	return ticket;
}

struct store_ticket stage_delete(struct shelf *shelf, const char *name)
{
	struct store_ticket ticket = {0};

	ck_ok(store_stage(begin_with(shelf, name, NULL), &ticket));
	return ticket;
}

/* ---- reading ---- */

enum { TEXTS = 8, TEXT_BYTES = 4096 };

static char *next_text(void)
{
	static char texts[TEXTS][TEXT_BYTES];
	static unsigned next;

	return texts[next++ % TEXTS];
}

static const char *finish(enum wb_error error, char *text,
			  const struct wb_record *record)
{
	if (error == WB_NOT_FOUND)
		return "";
	ck_ok(error);
	ck_assert_uint_lt(record->value.size, TEXT_BYTES);
	text[record->value.size] = 0;
	return text;
}

const char *shelf_text(struct shelf *shelf, const char *name)
{
	struct wb_key key = named(name);
	char *text = next_text();
	struct wb_record record;

	return finish(wb_get(shelf->store, &key, text, TEXT_BYTES - 1, &record),
		      text, &record);
}

const char *view_text(struct wb_view *view, const char *name)
{
	struct wb_key key = named(name);
	char *text = next_text();
	struct wb_record record;

	return finish(wb_view_get(view, &key, text, TEXT_BYTES - 1, &record),
		      text, &record);
}

const char *txn_text(struct wb_txn *txn, const char *name)
{
	struct wb_key key = named(name);
	char *text = next_text();
	struct wb_record record;

	return finish(wb_txn_get(txn, &key, text, TEXT_BYTES - 1, &record),
		      text, &record);
}

static char listing[64 << 10];

static bool add_to_listing(void *context, const struct wb_record *record)
{
	size_t *used = context;
	size_t needed = record->key.name.size + record->value.size + 3;

	ck_assert_uint_eq(record->key.kind, WB_KIND_EMBEDDER_FIRST);
	ck_assert_uint_eq(record->key.ns.size, 1);
	ck_assert_uint_lt(*used + needed, sizeof(listing));
	*used += (size_t)snprintf(listing + *used, needed + 1, "%s%.*s=%.*s",
				  *used ? " " : "", (int)record->key.name.size,
				  (const char *)record->key.name.data,
				  (int)record->value.size,
				  (const char *)record->value.data);
	return true;
}

const char *view_listing(struct wb_view *view, const char *prefix,
			 const char *after)
{
	size_t used = 0;

	listing[0] = 0;
	ck_ok(wb_view_list(view, WB_KIND_EMBEDDER_FIRST, text_of("n"),
			   text_of(prefix), text_of(after), add_to_listing,
			   &used));
	return listing;
}

const char *txn_listing(struct wb_txn *txn, const char *prefix,
			const char *after)
{
	size_t used = 0;

	listing[0] = 0;
	ck_ok(wb_txn_list(txn, WB_KIND_EMBEDDER_FIRST, text_of("n"),
			  text_of(prefix), text_of(after), add_to_listing,
			  &used));
	return listing;
}

const char *shelf_listing(struct shelf *shelf)
{
	struct wb_view *view;

	ck_ok(wb_view_begin(shelf->store, &view));
	(void)view_listing(view, "", "");
	wb_view_end(view);
	return listing;
}

struct wb_stat shelf_stat(struct shelf *shelf)
{
	struct wb_stat stat = {.size = sizeof(stat)};

	ck_ok(wb_store_stat(shelf->store, &stat));
	return stat;
}

static bool count_file(void *context, const char *path, uint64_t size)
{
	(void)size;
	*(unsigned *)context += strcmp(path, "lock") != 0;
	return true;
}

unsigned shelf_files(struct simdisk *disk)
{
	unsigned files = 0;

	simdisk_each(disk, count_file, &files);
	return files;
}
