/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/haul.h"

#include "audit/fsck.h"
#include "dump/restore.h"
#include "tests/support/cargo.h"
#include "tests/support/volume.h"

static const char *const names[] = {
#define HAUL_NAME(name, text) text,
	HAUL_LIST(HAUL_NAME)
#undef HAUL_NAME
};

static const struct wb_dump_options whole = {.size = sizeof(whole),
					     .history = true};

/* ---- what there is ---- */

static bool is_dump(const struct haul *haul)
{
	return haul->kind <= HAUL_DUMP_HISTORY;
}

static bool is_of_history(const struct haul *haul)
{
	return haul->kind == HAUL_LOAD_HISTORY;
}

/* Every second record of `from`, as a dump of its own. */
static void take_half(struct paper *half, const struct paper *from)
{
	size_t lines = paper_lines(from), number = 0, size;
	const char *line;

	for (size_t at = 0; paper_next(from, &at, &line, &size); number++)
		if (number % 2 == 0 && number + 1 < lines)
			paper_write(half, line, size);
	paper_end(half);
}

static struct wb_dump_options dump_options(const struct haul *haul)
{
	return (struct wb_dump_options){
		.size = sizeof(struct wb_dump_options),
		.past = haul->kind == HAUL_DUMP_AT,
		.history = haul->kind == HAUL_DUMP_HISTORY ||
			   haul->kind == HAUL_LOAD_HISTORY,
		.revision = haul->kind == HAUL_DUMP_AT ? 20 : 0,
	};
}

/* A store, empty or with half of what will be loaded. */
static void make_start(struct haul *haul)
{
	bool empty = haul->kind == HAUL_LOAD;
	struct shelf shelf;
	struct paper half = {.size = 0};

	shelf_init(&shelf, 2);
	ck_ok(shelf_open(&shelf));
	take_half(&half, &haul->goods);
	if (!empty)
		ck_ok(wb_load(shelf.store, paper_read, &half, NULL, NULL,
			      NULL));
	paper_dump(&haul->before, shelf.store, NULL);
	volume_settle(&shelf);
	haul->start = simdisk_clone(shelf.disk);
	shelf_release(&shelf);
	paper_release(&half);
}

/* Does a run take a segment more? */
static bool rotates(struct haul *haul)
{
	uint64_t before, after;

	haul_begin(haul);
	before = shelf_stat(&haul->shelf).segments;
	ck_ok(haul_run(haul));
	after = shelf_stat(&haul->shelf).segments;
	shelf_release(&haul->shelf);
	return after > before;
}

static void haul_init(struct haul *haul, enum haul_kind kind)
{
	*haul = (struct haul){.kind = kind,
			      .name = names[kind],
			      .read = haul_read};
}

void haul_make_of(struct haul *haul, enum haul_kind kind,
		  const struct paper *goods)
{
	const struct paper *after;

	haul_init(haul, kind);
	paper_set(&haul->goods, goods->bytes, goods->size);
	if (is_of_history(haul))
		haul->start = simdisk_new();
	else
		make_start(haul);
	after = kind == HAUL_LOAD_DRY ? &haul->before : goods;
	paper_set(&haul->after, after->bytes, after->size);
	while (kind == HAUL_LOAD_SKIPPING && !rotates(haul))
		ck_assert_uint_lt(++haul->fillers, 100);
}

void haul_make(struct haul *haul, enum haul_kind kind, unsigned commits)
{
	struct paper goods = {.size = 0};
	struct wb_dump_options options;
	struct cargo cargo;

	haul_init(haul, kind);
	options = dump_options(haul);
	cargo_make(&cargo, 7, commits);
	paper_dump(&goods, cargo.shelf.store, &options);
	if (is_dump(haul)) {
		volume_settle(&cargo.shelf);
		haul->start = simdisk_clone(cargo.shelf.disk);
		paper_set(&haul->goods, goods.bytes, goods.size);
		/* Room for all that a run writes. */
		paper_set(&haul->paper, goods.bytes, goods.size);
	} else {
		haul_make_of(haul, kind, &goods);
	}
	paper_release(&goods);
	cargo_release(&cargo);
}

void haul_release(struct haul *haul)
{
	simdisk_free(haul->start);
	paper_release(&haul->goods);
	paper_release(&haul->before);
	paper_release(&haul->after);
	paper_release(&haul->paper);
}

/* ---- a run ---- */

enum wb_error haul_read(void *context, void *buffer, size_t size,
			uint64_t offset, size_t *ret_size)
{
	struct haul *haul = context;

	return paper_read(&haul->goods, buffer, size, offset, ret_size);
}

void haul_begin(struct haul *haul)
{
	struct shelf *shelf = &haul->shelf;
	char filler[500];

	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = 0;
	shelf_init(shelf, 3);
	simdisk_free(shelf->disk);
	shelf->disk = simdisk_clone(haul->start);
	if (!is_of_history(haul))
		ck_ok(shelf_open(shelf));
	for (unsigned at = 0; at < haul->fillers; at++) {
		shelf_put(shelf, "filler", filler);
		shelf_delete(shelf, "filler");
	}
}

static enum wb_error restore(struct haul *haul)
{
	const struct wb_load_options options = {.size = sizeof(options)};
	struct wb_dump_summary summary = {.size = sizeof(summary)};
	struct shelf *shelf = &haul->shelf;
	enum wb_error error =
		wb_dump_check(haul->read, haul, &summary, &haul->text);

	return error ? error
		     : restore_history_on(simdisk_dir(shelf->disk),
					  &shelf->env.env, &shelf->options,
					  haul->read, haul, &options,
					  summary.commits, &haul->text);
}

static enum wb_error load(struct haul *haul, bool skip_existing)
{
	const struct wb_load_options options = {
		.size = sizeof(options),
		.skip_existing = skip_existing,
		.dry_run = haul->kind == HAUL_LOAD_DRY,
	};

	haul->result = (struct wb_load_result){.size = sizeof(haul->result)};
	return wb_load(haul->shelf.store, haul->read, haul, &options,
		       &haul->result, &haul->text);
}

enum wb_error haul_run(struct haul *haul)
{
	struct wb_dump_options options = dump_options(haul);

	haul->text = (struct wb_text){""};
	if (is_of_history(haul))
		return restore(haul);
	if (!is_dump(haul))
		return load(haul, haul->kind != HAUL_LOAD);
	haul->paper.size = 0;
	return wb_dump(haul->shelf.store, &options, paper_write, &haul->paper,
		       NULL, &haul->text);
}

/* ---- what must be true of all of them ---- */

static void check_fsck(struct simdisk *disk)
{
	const struct fsck_visitor visitor = {.finding = NULL};
	struct dir *dir = simdisk_dir(disk);
	struct fsck_summary summary;

	ck_ok(audit_fsck(dir, &visitor, &summary));
	ck_assert_uint_eq(summary.findings[AUDIT_WARNING], 0);
	ck_assert_uint_eq(summary.findings[AUDIT_UNSUPPORTED], 0);
	ck_assert_uint_eq(summary.findings[AUDIT_DAMAGE], 0);
	dir_close(dir);
}

/* It is closed as if nothing had been. */
static void finish(struct haul *haul)
{
	ck_ok(shelf_close(&haul->shelf));
	ck_assert_uint_eq(simdisk_handles(haul->shelf.disk), 0);
	check_fsck(haul->shelf.disk);
	shelf_release(&haul->shelf);
}

/* ---- a dump ---- */

static void settle_dump(struct haul *haul, enum wb_error error)
{
	struct wb_text text = {""};

	if (error)
		ck_error(wb_dump_check(paper_read, &haul->paper, NULL, &text),
			 WB_BAD_INPUT);
	else
		ck_assert(paper_same(&haul->paper, &haul->goods));
	ck_ok(haul_run(haul));
	ck_assert(paper_same(&haul->paper, &haul->goods));
	shelf_put(&haul->shelf, "then", "1");
	finish(haul);
}

/* ---- a load ---- */

static bool holds(struct haul *haul, const struct paper *expected)
{
	paper_dump(&haul->paper, haul->shelf.store, NULL);
	return paper_same(&haul->paper, expected);
}

/* The process, or the machine, is another one then. */
static void leave(struct haul *haul, enum haul_next next, uint64_t seed)
{
	struct shelf *shelf = &haul->shelf;

	if (next == HAUL_CLOSES)
		(void)shelf_close(shelf); /* a stopped store says so */
	else if (next == HAUL_IS_KILLED)
		shelf_kill(shelf);
	else if (next == HAUL_LOSES_POWER)
		shelf_cut(shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	else
		shelf_cut(shelf, (struct sim_crash){SIM_KEEP_SECTORS, seed});
	ck_assert_uint_eq(simdisk_handles(shelf->disk), 0);
	ck_ok(shelf_open(shelf));
}

static void settle_load(struct haul *haul, enum wb_error error,
			enum haul_next next, uint64_t seed)
{
	bool in_doubt = error == WB_OUTCOME_UNKNOWN;
	const struct paper *expected = error ? &haul->before : &haul->after;

	ck_assert_uint_eq(haul->result.commits,
			  !error && haul->kind != HAUL_LOAD_DRY);
	if (!in_doubt)
		ck_assert(holds(haul, expected));
	else if (next == HAUL_GOES_ON)
		next = HAUL_CLOSES; /* it has stopped */
	if (next != HAUL_GOES_ON) {
		leave(haul, next, seed);
		ck_assert(holds(haul, expected) ||
			  (in_doubt && holds(haul, &haul->after)));
	}
	ck_ok(load(haul, true));
	ck_assert(holds(haul, &haul->after));
	finish(haul);
}

/* ---- a load of a history ---- */

static enum wb_error open_what_is_there(struct haul *haul)
{
	enum wb_error error;

	haul->shelf.options.flags = 0;
	error = shelf_open(&haul->shelf);
	haul->shelf.options.flags = WB_OPEN_CREATE;
	return error;
}

/* All of it, or no store. */
static bool is_store(struct haul *haul)
{
	enum wb_error error = open_what_is_there(haul);

	if (error) {
		ck_assert(error == WB_NOT_A_STORE || error == WB_CORRUPT);
		return false;
	}
	paper_dump(&haul->paper, haul->shelf.store, &whole);
	ck_assert(paper_same(&haul->paper, &haul->goods));
	return true;
}

static bool remove_file(void *context, const char *path, uint64_t size)
{
	(void)size;
	return dir_remove(context, path) == WB_OK;
}

/* What was not finished is in the way until somebody removes it, where it is
 * more than a creation would remove. */
static void restore_again(struct haul *haul)
{
	struct simdisk *disk = haul->shelf.disk;
	enum wb_error error = haul_run(haul);
	struct dir *dir;

	if (shelf_files(disk) > 0 &&
	    (error == WB_EXISTS || error == WB_NOT_A_STORE)) {
		dir = simdisk_dir(disk);
		while (shelf_files(disk) > 0)
			simdisk_each(disk, remove_file, dir);
		dir_close(dir);
		error = haul_run(haul);
	}
	ck_ok(error);
}

static void settle_history(struct haul *haul, enum wb_error error, bool lasting,
			   enum haul_next next, uint64_t seed)
{
	struct shelf *shelf = &haul->shelf;
	bool there;

	ck_assert_uint_eq(simdisk_handles(shelf->disk), 0);
	if (error && !lasting)
		ck_assert_uint_eq(shelf_files(shelf->disk), 0);
	if (next == HAUL_LOSES_POWER)
		shelf_cut(shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	if (next == HAUL_LOSES_SOME)
		shelf_cut(shelf, (struct sim_crash){SIM_KEEP_SECTORS, seed});
	there = is_store(haul);
	ck_assert(error || there);
	if (!there) {
		restore_again(haul);
		ck_assert(is_store(haul));
	}
	finish(haul);
}

/* ---- all of them ---- */

void haul_settle(struct haul *haul, enum wb_error error, bool lasting,
		 enum haul_next next, uint64_t seed)
{
	ck_assert_msg(!error || *haul->text.text, "%s, and no word why",
		      wb_error_code(error));
	haul->read = haul_read;
	if (is_dump(haul))
		settle_dump(haul, error);
	else if (is_of_history(haul))
		settle_history(haul, error, lasting, next, seed);
	else
		settle_load(haul, error, next, seed);
}
