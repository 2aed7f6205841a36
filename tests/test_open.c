/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing: what is there, who holds it, what is said, and what a
 * forked child may do with it (nothing). On a real directory where the kernel
 * matters, on a simulated disk where its bytes do.
 */
#include "log/format.h"
#include "tests/support/shelf.h"
#include "tests/support/tempdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct shelf shelf;
static char *temp;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	temp = tempdir_make();
}

static void tear_down(void)
{
	shelf_release(&shelf);
	tempdir_remove(temp);
}

static enum wb_error open_at(const char *path, uint32_t flags,
			     struct wb_store **ret_store,
			     struct wb_text *ret_text)
{
	struct wb_open_options options = {
		.size = sizeof(options),
		.flags = flags | WB_OPEN_ANY_FILESYSTEM,
	};

	return wb_store_open(path, &options, ret_store, ret_text);
}

static struct wb_store *open_temp(uint32_t flags)
{
	struct wb_store *store = NULL;

	ck_ok(open_at(temp, flags, &store, NULL));
	ck_assert_ptr_nonnull(store);
	return store;
}

static void put(struct wb_store *store, const char *name, const char *value)
{
	struct wb_key key = named(name);
	struct wb_txn *txn;

	ck_ok(wb_txn_begin(store, NULL, &txn, NULL));
	ck_ok(wb_txn_put(txn, &key, text_of(value), if_any));
	ck_ok(wb_txn_commit(txn, NULL));
}

static enum wb_error get(struct wb_store *store, const char *name)
{
	struct wb_key key = named(name);
	struct wb_record record;
	char value[64];

	return wb_get(store, &key, value, sizeof(value), &record);
}

/* ---- what is there ---- */

START_TEST(a_store_is_made_where_that_is_asked_for)
{
	char *path = strdup(tempdir_path(temp, "new"));
	struct wb_store *store = NULL;

	ck_ok(open_at(path, WB_OPEN_CREATE, &store, NULL));
	put(store, "a", "1");
	ck_ok(wb_store_close(store));
	ck_ok(open_at(path, 0, &store, NULL));
	ck_ok(get(store, "a"));
	ck_ok(wb_store_close(store));
	/* WB_OPEN_CREATE does no harm to one that is there. */
	ck_ok(open_at(path, WB_OPEN_CREATE, &store, NULL));
	ck_ok(get(store, "a"));
	ck_ok(wb_store_close(store));
	free(path);
}
END_TEST

/* What is in a directory, sizes and times of change too. */
static void census(const char *path, char *ret_census, size_t size)
{
	struct stat stat_of;
	struct dirent *entry;
	DIR *stream = opendir(path);
	size_t at = 0;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, "..") == 0)
			continue;
		ck_assert_int_eq(fstatat(dirfd(stream), entry->d_name, &stat_of,
					 0),
				 0);
		at += (size_t)snprintf(ret_census + at, size - at,
				       "%s %lld %lld.%09ld\n", entry->d_name,
				       (long long)stat_of.st_size,
				       (long long)stat_of.st_ctim.tv_sec,
				       stat_of.st_ctim.tv_nsec);
		ck_assert_uint_lt(at, size);
	}
	closedir(stream);
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static const uint32_t all_flags[] = {0, WB_OPEN_CREATE, WB_OPEN_READ_ONLY,
				     WB_OPEN_READ_ONLY | WB_OPEN_CREATE};

START_TEST(a_directory_of_other_things_is_left_as_it_is)
{
	char before[1000], after[1000];
	struct wb_store *store = NULL;
	struct wb_text text = {""};

	touch(tempdir_path(temp, "lock"));
	touch(tempdir_path(temp, "passwd"));
	census(temp, before, sizeof(before));
	ck_error(open_at(temp, all_flags[_i], &store, &text), WB_NOT_A_STORE);
	ck_assert_int_eq(strstr(text.text, "passwd") != NULL,
			 all_flags[_i] == WB_OPEN_CREATE);
	ck_assert_ptr_null(store);
	census(temp, after, sizeof(after));
	ck_assert_str_eq(after, before);
}
END_TEST

START_TEST(a_mount_point_of_its_own_becomes_a_store)
{
	struct wb_store *store;

	ck_assert_int_eq(mkdir(tempdir_path(temp, "lost+found"), 0700), 0);
	ck_assert_int_eq(mkdir(tempdir_path(temp, "blobs"), 0700), 0);
	store = open_temp(WB_OPEN_CREATE);
	put(store, "a", "1");
	ck_ok(wb_store_close(store));
	/* What comes later is none of the store's business. */
	touch(tempdir_path(temp, "notes"));
	store = open_temp(WB_OPEN_CREATE);
	ck_ok(get(store, "a"));
	ck_ok(wb_store_close(store));
}
END_TEST

static const uint32_t not_creating[] = {0, WB_OPEN_READ_ONLY,
					WB_OPEN_READ_ONLY | WB_OPEN_CREATE};

START_TEST(where_nothing_is_nothing_is_made_unless_asked)
{
	char *path = strdup(tempdir_path(temp, "new"));
	struct wb_store *store = NULL;
	struct wb_text text = {""};

	/* No directory; an empty one. */
	ck_error(open_at(path, not_creating[_i], &store, &text),
		 WB_NOT_A_STORE);
	ck_assert_str_ne(text.text, "");
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	text.text[0] = 0;
	ck_error(open_at(path, not_creating[_i], &store, &text),
		 WB_NOT_A_STORE);
	ck_assert_str_ne(text.text, "");
	ck_assert_int_eq(rmdir(path), 0); /* nothing was put there */
	ck_assert_ptr_null(store);
	free(path);
}
END_TEST

/* Options of this version, and of one that has a field more. */
struct later_options {
	struct wb_open_options known;
	uint64_t later;
};

/* Does a view of this store outlive a change, or is its bound one byte? */
static bool view_outlives(struct wb_store *store)
{
	struct wb_key a = named("a");
	struct wb_record record;
	struct wb_view *view;
	enum wb_error error;
	char value[64];

	put(store, "a", "1");
	ck_ok(wb_view_begin(store, &view));
	put(store, "a", "2");
	error = wb_view_get(view, &a, value, sizeof(value), &record);
	wb_view_end(view);
	ck_assert(error == WB_OK || error == WB_SNAPSHOT_TOO_OLD);
	return error == WB_OK;
}

static const struct {
	size_t size;
	uint64_t later;
	enum wb_error error;
	bool bounded; /* by what view_bytes_max says */
	const char *text;
} open_sizes[] = {
	{sizeof(struct wb_open_options), 1, WB_OK, true, ""},
	{offsetof(struct wb_open_options, view_bytes_max), 1, WB_OK, false, ""},
	{sizeof(struct later_options), 0, WB_OK, true, ""},
	{sizeof(struct later_options), 1, WB_UNSUPPORTED, false,
	 "struct wb_open_options sets a field that this version of the library "
	 "does not know"},
	{sizeof(struct wb_open_options) - 1, 0, WB_USAGE, false,
	 "struct wb_open_options is of a size that it cannot have"},
	{0, 0, WB_USAGE, false,
	 "struct wb_open_options is of a size that it cannot have"},
};

START_TEST(options_may_be_an_older_programs_or_a_newer_ones)
{
	struct later_options options = {
		.known = {.size = open_sizes[_i].size,
			  .flags = WB_OPEN_CREATE | WB_OPEN_ANY_FILESYSTEM,
			  .view_bytes_max = 1},
		.later = open_sizes[_i].later,
	};
	struct wb_store *store = NULL;
	struct wb_text text = {""};

	ck_error(wb_store_open(temp, &options.known, &store, &text),
		 open_sizes[_i].error);
	ck_assert_str_eq(text.text, open_sizes[_i].text);
	ck_assert_int_eq(store == NULL, open_sizes[_i].error != WB_OK);
	if (!store) {
		ck_assert_int_ne(access(tempdir_path(temp, "lock"), F_OK), 0);
		return;
	}
	ck_assert_int_eq(view_outlives(store), !open_sizes[_i].bounded);
	ck_ok(wb_store_close(store));
}
END_TEST

START_TEST(a_flag_that_is_not_known_is_refused)
{
	const uint32_t known =
		WB_OPEN_CREATE | WB_OPEN_READ_ONLY | WB_OPEN_ANY_FILESYSTEM;

	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t flag = UINT32_C(1) << bit;
		struct wb_store *store = NULL;
		struct wb_text text = {""};

		if (flag & known)
			continue;
		ck_error(open_at(temp, WB_OPEN_CREATE | flag, &store, &text),
			 WB_UNSUPPORTED);
		ck_assert_str_ne(text.text, "");
		ck_assert_ptr_null(store);
	}
	/* Nothing was made. */
	ck_assert_int_ne(access(tempdir_path(temp, "lock"), F_OK), 0);
}
END_TEST

START_TEST(no_options_are_the_defaults)
{
	struct wb_store *store = NULL;

	ck_error(wb_store_open(tempdir_path(temp, "none"), NULL, &store, NULL),
		 WB_NOT_A_STORE);
	ck_assert_ptr_null(store);
	ck_assert_int_ne(access(tempdir_path(temp, "none"), F_OK), 0);
}
END_TEST

START_TEST(what_was_put_is_there_after_every_kind_of_end)
{
	struct wb_stat first, stat;

	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	first = shelf_stat(&shelf);
	ck_ok(shelf_close(&shelf));
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "b", "2");
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_delete(&shelf, "a");
	shelf_put(&shelf, "c", "3");
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "b=2 c=3");
	stat = shelf_stat(&shelf);
	ck_assert_mem_eq(stat.uuid, first.uuid, sizeof(stat.uuid));
	ck_assert_uint_eq(stat.epoch, first.epoch);
	ck_assert_uint_eq(stat.revision, 4);
}
END_TEST

/* ---- who holds it ---- */

START_TEST(one_writer_or_several_readers)
{
	struct wb_store *writer, *other = NULL, *readers[3];
	struct wb_text text = {""};
	char pid[24];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	writer = open_temp(WB_OPEN_CREATE);
	put(writer, "a", "1");
	ck_error(open_at(temp, 0, &other, &text), WB_LOCKED);
	ck_assert_ptr_nonnull(strstr(text.text, pid));
	text.text[0] = 0;
	ck_error(open_at(temp, WB_OPEN_READ_ONLY, &other, &text), WB_LOCKED);
	ck_assert_ptr_nonnull(strstr(text.text, pid));
	ck_ok(wb_store_close(writer));
	for (int i = 0; i < 3; i++)
		readers[i] = open_temp(WB_OPEN_READ_ONLY);
	ck_error(open_at(temp, 0, &other, &text), WB_LOCKED);
	for (int i = 0; i < 3; i++) {
		ck_ok(get(readers[i], "a"));
		ck_ok(wb_store_close(readers[i]));
	}
	writer = open_temp(0);
	put(writer, "b", "1");
	ck_ok(wb_store_close(writer));
	ck_assert_ptr_null(other);
}
END_TEST

START_TEST(a_failed_open_holds_nothing)
{
	struct wb_store *store = NULL;

	ck_error(open_at(temp, 0, &store, NULL), WB_NOT_A_STORE);
	store = open_temp(WB_OPEN_CREATE);
	ck_ok(wb_store_close(store));
}
END_TEST

/* ---- for reading only ---- */

/* A disk on which the last group was not synced, after "a=1". */
static void lose_power_in_a_group(void)
{
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	for (int i = 0; i < 20; i++)
		stage_put(&shelf, "b", "a value that takes a few bytes");
	simdisk_cut_at(shelf.disk, SIM_SYNC, 1);
	ck_error(store_flush(shelf.store), WB_OUTCOME_UNKNOWN);
	shelf_kill(&shelf);
}

START_TEST(a_reader_changes_nothing_not_even_a_torn_tail)
{
	struct simdisk *lost;
	unsigned torn = 0;
	uint64_t hash;

	lose_power_in_a_group();
	lost = shelf.disk;
	shelf.options.flags = WB_OPEN_READ_ONLY;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct sim_crash crash = {SIM_KEEP_TORN, seed};

		shelf.disk = simdisk_crash(lost, crash);
		hash = simdisk_hash(shelf.disk);
		ck_ok(shelf_open(&shelf));
		ck_text(shelf_text(&shelf, "a"), "1");
		if (shelf_stat(&shelf).torn_bytes) {
			torn++;
			ck_assert(simenv_said(&shelf.env, DIAG_WARNING,
					      "never acknowledged"));
		}
		ck_ok(shelf_close(&shelf));
		ck_assert_uint_eq(simdisk_hash(shelf.disk), hash);
		simenv_forget(&shelf.env);
		simdisk_free(shelf.disk);
	}
	shelf.disk = lost;
	ck_assert_uint_gt(torn, 0);
}
END_TEST

START_TEST(a_writer_cuts_a_torn_tail_and_says_so)
{
	struct simdisk *lost;
	unsigned torn = 0;

	lose_power_in_a_group();
	lost = shelf.disk;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct sim_crash crash = {SIM_KEEP_TORN, seed};

		shelf.disk = simdisk_crash(lost, crash);
		ck_ok(shelf_open(&shelf));
		torn += shelf_stat(&shelf).torn_bytes > 0;
		ck_assert_int_eq(shelf_stat(&shelf).torn_bytes > 0,
				 simenv_said(&shelf.env, DIAG_WARNING,
					     "kept in torn/"));
		ck_ok(shelf_close(&shelf));
		simenv_forget(&shelf.env);
		/* Cut is cut. */
		ck_ok(shelf_open(&shelf));
		ck_text(shelf_text(&shelf, "a"), "1");
		ck_assert_uint_eq(shelf_stat(&shelf).torn_bytes, 0);
		ck_ok(shelf_close(&shelf));
		ck_assert_uint_eq(simenv_count(&shelf.env, DIAG_WARNING), 0);
		simdisk_free(shelf.disk);
	}
	shelf.disk = lost;
	ck_assert_uint_gt(torn, 0);
}
END_TEST

/* ---- damage ---- */

static bool take_log(void *context, const char *path, uint64_t size)
{
	(void)size;
	if (strstr(path, ".log"))
		snprintf(context, 64, "%s", path);
	return true;
}

START_TEST(damage_is_refused_named_and_left_as_it_is)
{
	struct store_ticket ticket;
	char name[64] = "";
	uint64_t hash;

	ck_ok(shelf_open(&shelf));
	ticket = stage_put(&shelf, "a", "acknowledged");
	ck_ok(store_wait(shelf.store, &ticket));
	ck_ok(shelf_close(&shelf));
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_ALL, 0});
	simdisk_each(shelf.disk, take_log, name);
	/* In its first commit. */
	simdisk_flip(shelf.disk, name,
		     8 * (SEGMENT_FRAMES_AT + FRAME_HEADER_BYTES));
	hash = simdisk_hash(shelf.disk);
	for (unsigned mode = 0; mode < 2; mode++) {
		shelf.options.flags = mode ? WB_OPEN_READ_ONLY : WB_OPEN_CREATE;
		ck_error(shelf_open(&shelf), WB_CORRUPT);
		ck_assert_ptr_nonnull(strstr(shelf.text.text, name));
		ck_assert(simenv_said(&shelf.env, DIAG_DAMAGE, name));
	}
	ck_assert_uint_eq(simdisk_hash(shelf.disk), hash);
}
END_TEST

/* ---- on an overlay ---- */

/* How a store ended that was put into an image, and what it holds. */
static const struct {
	bool commit, close;
	const char *holds, *and_more;
} images[] = {
	{true, true, "a=1", "a=1 b=2"},
	{true, false, "a=1", "a=1 b=2"},
	{false, true, "", "b=2"},
	{false, false, "", "b=2"},
};
enum { IMAGES = sizeof(images) / sizeof(images[0]) };

static bool commit_b(void)
{
	struct wb_key b = named("b");
	struct wb_txn *txn;

	if (wb_txn_begin(shelf.store, NULL, &txn, NULL) != WB_OK)
		return false;
	ck_ok(wb_txn_put(txn, &b, text_of("2"), if_any));
	return wb_txn_commit(txn, NULL) == WB_OK;
}

/* The disk of the shelf has lost its power. */
static void expect_in_each_image(unsigned row, bool acknowledged)
{
	struct simdisk *lost = shelf.disk;

	for (unsigned keep = 0; keep < SIM_KEEP_COUNT; keep++) {
		const char *listing;

		shelf.disk = simdisk_crash(
			lost, (struct sim_crash){(enum sim_keep)keep, keep});
		ck_ok(shelf_open(&shelf));
		listing = shelf_listing(&shelf);
		if (acknowledged || strcmp(listing, images[row].holds) != 0)
			ck_text(listing, images[row].and_more);
		shelf_kill(&shelf);
		simdisk_free(shelf.disk);
	}
	shelf.disk = lost;
}

/* Its files are copied when they are opened for writing, and then their names
 * are new: fdatasync alone does not make them durable. */
START_TEST(what_is_acknowledged_on_an_overlay_is_in_its_upper_layer)
{
	unsigned cuts = 0, acknowledged = 0;
	struct simdisk *lower;
	bool cut = true;

	ck_ok(shelf_open(&shelf));
	if (images[_i].commit)
		shelf_put(&shelf, "a", "1");
	if (images[_i].close)
		ck_ok(shelf_close(&shelf));
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_ALL, 0});
	simdisk_lower(shelf.disk);
	lower = shelf.disk;
	for (uint64_t nth = 1; cut; nth++) {
		bool done = false;

		shelf.disk = simdisk_clone(lower);
		simdisk_cut_at(shelf.disk, SIM_ANY, nth);
		if (shelf_open(&shelf) == WB_OK) {
			done = commit_b();
			(void)shelf_close(&shelf);
		}
		cut = simdisk_is_cut(shelf.disk);
		cuts += cut;
		acknowledged += done;
		expect_in_each_image((unsigned)_i, done);
		simdisk_free(shelf.disk);
	}
	shelf.disk = lower;
	ck_assert_uint_gt(acknowledged, 3);
	ck_assert_uint_gt(cuts, acknowledged);
}
END_TEST

/* ---- close ---- */

START_TEST(close_with_an_open_view_is_refused_and_frees_nothing)
{
	struct wb_view *view;

	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	ck_ok(wb_view_begin(shelf.store, &view));
	ck_error(shelf_close(&shelf), WB_USAGE);
	ck_text(view_text(view, "a"), "1");
	shelf_put(&shelf, "a", "2");
	wb_view_end(view);
	ck_ok(shelf_close(&shelf));
}
END_TEST

START_TEST(close_with_a_view_that_was_given_up_is_refused_too)
{
	struct wb_view *view;

	shelf.options.view_bytes_max = 1;
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	ck_ok(wb_view_begin(shelf.store, &view));
	shelf_put(&shelf, "a", "2");
	ck_error(shelf_close(&shelf), WB_USAGE);
	wb_view_end(view);
	ck_ok(shelf_close(&shelf));
}
END_TEST

START_TEST(close_with_an_open_update_is_refused_and_frees_nothing)
{
	struct wb_txn *txn;

	ck_ok(shelf_open(&shelf));
	txn = shelf_begin(&shelf);
	ck_ok(txn_put(txn, "a", "1"));
	ck_error(shelf_close(&shelf), WB_USAGE);
	ck_ok(wb_txn_commit(txn, NULL));
	ck_ok(shelf_close(&shelf));
	ck_ok(wb_store_close(NULL));
}
END_TEST

START_TEST(close_makes_what_is_staged_durable)
{
	ck_ok(shelf_open(&shelf));
	stage_put(&shelf, "a", "1");
	stage_put(&shelf, "b", "1");
	ck_ok(shelf_close(&shelf));
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "a=1 b=1");
}
END_TEST

static const struct {
	enum sim_op kind;
	enum wb_error fault, error;
} close_faults[] = {
	{SIM_WRITE, WB_NO_SPACE, WB_NO_SPACE},
	{SIM_SYNC, WB_IO, WB_OUTCOME_UNKNOWN},
};

START_TEST(a_close_that_fails_says_so_and_ends_the_handle)
{
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	stage_put(&shelf, "b", "1");
	simdisk_fault(shelf.disk,
		      (struct sim_fault){.kind = close_faults[_i].kind,
					 .nth = 1,
					 .error = close_faults[_i].fault,
					 .forever = true});
	ck_error(shelf_close(&shelf), close_faults[_i].error);
	ck_assert_uint_eq(simdisk_handles(shelf.disk), 0);
	simdisk_faults_clear(shelf.disk);
	shelf_cut(&shelf, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_ok(shelf_open(&shelf));
	ck_text(shelf_listing(&shelf), "a=1");
}
END_TEST

/* ---- a forked child ---- */

static bool count_file(void *context, const struct wb_file_stat *file)
{
	(void)context;
	(void)file;
	return true;
}

static bool stop_listing(void *context, const struct wb_record *record)
{
	(void)context;
	(void)record;
	return false;
}

static bool stop_history(void *context, const struct wb_version *version)
{
	(void)context;
	(void)version;
	return false;
}

static bool stop_namespaces(void *context, struct wb_bytes ns)
{
	(void)context;
	(void)ns;
	return false;
}

static enum wb_error never(void *context, struct wb_txn *txn)
{
	(void)context;
	(void)txn;
	abort();
}

static enum wb_error never_view(void *context, struct wb_view *view)
{
	(void)context;
	(void)view;
	abort();
}

/* Every call with one of the parent's handles: how many did not refuse. */
static int use_handles(struct wb_store *store, struct wb_view *view,
		       struct wb_txn *txn)
{
	struct wb_bytes none = {NULL, 0}, ns = {"n", 1};
	struct wb_stat stat = {.size = sizeof(stat)};
	struct wb_key a = named("a"), b = named("b");
	struct store_ticket ticket = {1, 0};
	struct wb_record record;
	struct wb_view *new_view;
	struct wb_txn *new_txn;
	uint64_t revision;
	char value[8];
	const enum wb_error errors[] = {
		wb_get(store, &a, value, 8, &record),
		wb_view_begin(store, &new_view),
		wb_view_get(view, &a, value, 8, &record),
		wb_view_list(view, 64, ns, none, none, stop_listing, NULL),
		wb_view_namespaces(view, 64, stop_namespaces, NULL),
		wb_view_namespaces(view, 0, stop_namespaces, NULL),
		wb_view(store, never_view, NULL),
		wb_txn_begin(store, NULL, &new_txn, NULL),
		wb_txn_get(txn, &a, value, 8, &record),
		wb_txn_list(txn, 64, ns, none, none, stop_listing, NULL),
		wb_txn_put(txn, &b, none, if_any),
		wb_txn_delete(txn, &a, if_any),
		wb_update(store, NULL, never, NULL, NULL),
		wb_history(store, &a, 0, 0, stop_history, NULL),
		wb_log(store, 0, NULL, 0, 0, stop_history, NULL),
		wb_revision_at(store, 0, &revision),
		wb_store_stat(store, &stat),
		wb_store_files(store, count_file, NULL),
		wb_store_mark(store),
		store_flush(store),
		store_wait(store, &ticket),
		store_stage(txn, &ticket),
		wb_txn_abort(txn),
		wb_txn_commit(txn, NULL),
		wb_store_close(store),
	};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i] != WB_FORKED)
			fprintf(stderr, "call %zu: %s\n", i,
				wb_error_text(errors[i]));
		wrong += errors[i] != WB_FORKED;
	}
	store_settle(store);
	wb_view_end(view);
	return wrong;
}

START_TEST(fault_58_a_forked_child_is_refused_and_the_parent_goes_on)
{
	struct wb_store *store = open_temp(WB_OPEN_CREATE);
	struct wb_key c = named("c");
	struct wb_view *view;
	struct wb_txn *txn;
	pid_t child;
	int status;

	put(store, "a", "1");
	ck_ok(wb_view_begin(store, &view));
	ck_ok(wb_txn_begin(store, NULL, &txn, NULL));
	ck_ok(wb_txn_put(txn, &c, text_of("1"), if_any));
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(use_handles(store, view, txn));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_ok(wb_txn_commit(txn, NULL));
	wb_view_end(view);
	ck_ok(get(store, "c"));
	ck_error(get(store, "b"), WB_NOT_FOUND);
	ck_ok(wb_store_close(store));
	store = open_temp(0);
	ck_ok(get(store, "c"));
	ck_ok(wb_store_close(store));
}
END_TEST

/* Runs in a child that lives on until `ended` is closed, and tells in `said`
 * what the child's own close answered. */
static pid_t fork_with(struct wb_store *store, int ended[2], int said[2])
{
	pid_t child = fork();
	enum wb_error error;
	char byte;

	if (child != 0)
		return child;
	close(ended[1]);
	error = wb_store_close(store);
	if (write(said[1], &error, sizeof(error)) != sizeof(error) ||
	    read(ended[0], &byte, 1) != 0)
		_exit(1);
	_exit(0);
}

START_TEST(a_child_that_lives_on_neither_frees_nor_keeps_the_store)
{
	struct wb_store *store = open_temp(WB_OPEN_CREATE), *second = NULL;
	int ended[2], said[2], status;
	enum wb_error error;
	pid_t child;

	put(store, "a", "1");
	ck_assert_int_eq(pipe2(ended, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(said, O_CLOEXEC), 0);
	child = fork_with(store, ended, said);
	ck_assert_int_gt(child, 0);
	ck_assert_int_eq(read(said[0], &error, sizeof(error)), sizeof(error));
	ck_error(error, WB_FORKED);
	ck_error(open_at(temp, 0, &second, NULL), WB_LOCKED);
	ck_ok(wb_store_close(store));
	second = open_temp(0);
	ck_ok(get(second, "a"));
	ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0); /* it lives */
	/* Its end, after all, is nothing to the second either. */
	close(ended[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_error(open_at(temp, 0, &store, NULL), WB_LOCKED);
	ck_ok(wb_store_close(second));
	close(ended[0]);
	close(said[0]);
	close(said[1]);
}
END_TEST

START_TEST(a_child_that_closes_and_ends_leaves_its_parent_the_lock)
{
	struct wb_store *store = open_temp(WB_OPEN_CREATE), *second = NULL;
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) /* by exit(3), as a program ends that knows no better */
		exit(wb_store_close(store) == WB_FORKED ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_error(open_at(temp, 0, &second, NULL), WB_LOCKED);
	put(store, "a", "1");
	ck_ok(wb_store_close(store));
}
END_TEST

/* What a child opens itself is its own. */
START_TEST(a_forked_child_may_open_another_store)
{
	struct wb_store *store = open_temp(WB_OPEN_CREATE);
	char *path = strdup(tempdir_path(temp, "child"));
	pid_t child;
	int status;

	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct wb_store *own = NULL;

		if (open_at(path, WB_OPEN_CREATE, &own, NULL))
			_exit(1);
		put(own, "a", "1");
		_exit((int)wb_store_close(own));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_ok(wb_store_close(store));
	free(path);
}
END_TEST

/* ---- what it says ---- */

static void take_line(void *context, enum wb_severity severity,
		      const char *line)
{
	ck_assert_int_eq(severity, WB_WARNING);
	ck_assert_ptr_null(strchr(line, '\n'));
	snprintf(context, 100, "%s", line);
}

/* Without a `report` it is standard error. */
static void catch_stderr(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(dup2(fd, 2), 0);
	close(fd);
}

START_TEST(reports_go_where_the_options_say_else_to_standard_error)
{
	char *path = strdup(tempdir_path(temp, "stderr"));
	char line[100] = "", caught[200] = "";
	FILE *file;

	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	shelf_kill(&shelf);
	for (unsigned round = 0; round < 2; round++) {
		shelf.options.report = round ? NULL : take_line;
		shelf.options.report_context = line;
		if (round)
			catch_stderr(path);
		ck_ok(shelf_open(&shelf));
		simdisk_fault(shelf.disk, (struct sim_fault){.kind = SIM_SYNC,
							     .nth = 1,
							     .error = WB_IO});
		stage_put(&shelf, "a", "2");
		ck_error(store_flush(shelf.store), WB_OUTCOME_UNKNOWN);
		simdisk_faults_clear(shelf.disk);
		shelf_kill(&shelf);
	}
	ck_assert_str_ne(line, "");
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(caught, sizeof(caught), file));
	fclose(file);
	ck_assert_ptr_nonnull(strstr(caught, line));
	ck_assert_int_eq(strncmp(caught, "waybill: warning: ", 18), 0);
	free(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("open");
	TCase *tcase = tcase_create("open");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_store_is_made_where_that_is_asked_for);
	tcase_add_loop_test(tcase,
			    where_nothing_is_nothing_is_made_unless_asked, 0,
			    3);
	tcase_add_loop_test(tcase, a_directory_of_other_things_is_left_as_it_is,
			    0, 4);
	tcase_add_test(tcase, a_mount_point_of_its_own_becomes_a_store);
	tcase_add_loop_test(tcase,
			    options_may_be_an_older_programs_or_a_newer_ones, 0,
			    sizeof(open_sizes) / sizeof(open_sizes[0]));
	tcase_add_test(tcase, a_flag_that_is_not_known_is_refused);
	tcase_add_test(tcase, no_options_are_the_defaults);
	tcase_add_test(tcase, what_was_put_is_there_after_every_kind_of_end);
	tcase_add_test(tcase, one_writer_or_several_readers);
	tcase_add_test(tcase, a_failed_open_holds_nothing);
	tcase_add_test(tcase, a_reader_changes_nothing_not_even_a_torn_tail);
	tcase_add_test(tcase, a_writer_cuts_a_torn_tail_and_says_so);
	tcase_add_test(tcase, damage_is_refused_named_and_left_as_it_is);
	tcase_add_loop_test(
		tcase, what_is_acknowledged_on_an_overlay_is_in_its_upper_layer,
		0, IMAGES);
	tcase_add_test(tcase,
		       close_with_an_open_view_is_refused_and_frees_nothing);
	tcase_add_test(tcase,
		       close_with_a_view_that_was_given_up_is_refused_too);
	tcase_add_test(tcase,
		       close_with_an_open_update_is_refused_and_frees_nothing);
	tcase_add_test(tcase, close_makes_what_is_staged_durable);
	tcase_add_loop_test(tcase,
			    a_close_that_fails_says_so_and_ends_the_handle, 0,
			    sizeof(close_faults) / sizeof(*close_faults));
	tcase_add_test(
		tcase,
		fault_58_a_forked_child_is_refused_and_the_parent_goes_on);
	tcase_add_test(tcase,
		       a_child_that_lives_on_neither_frees_nor_keeps_the_store);
	tcase_add_test(tcase,
		       a_child_that_closes_and_ends_leaves_its_parent_the_lock);
	tcase_add_test(tcase, a_forked_child_may_open_another_store);
	tcase_add_test(tcase,
		       reports_go_where_the_options_say_else_to_standard_error);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
