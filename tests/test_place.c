/* SPDX-License-Identifier: Apache-2.0
 *
 * A store's directory, a free one, or somebody else's.
 */
#include "log/place.h"

#include "tests/support/simdisk.h"
#include "tests/support/suite.h"

#include <string.h>

static struct simdisk *disk;

static void set_up(void)
{
	disk = simdisk_new();
}

static void tear_down(void)
{
	simdisk_free(disk);
}

/* "a", "b/", "b/c": files, and directories with a slash behind them. */
static void fill(const char *const *names)
{
	struct dir *dir = simdisk_dir(disk);
	struct file *file;
	char name[300];

	for (; *names; names++) {
		size_t length = strlen(*names);

		snprintf(name, sizeof(name), "%s", *names);
		if (name[length - 1] == '/') {
			name[length - 1] = '\0';
			ck_ok(dir_make(dir, name));
			continue;
		}
		ck_ok(dir_open(dir, name, FILE_CREATE, &file));
		file_close(file);
	}
	dir_close(dir);
}

static struct place look(void)
{
	struct place place = {.kind = PLACE_TAKEN, .other = "untouched"};
	struct dir *dir = simdisk_dir(disk);
	uint64_t hash = simdisk_hash(disk);

	ck_ok(place_look(dir, &place));
	ck_assert_uint_eq(simdisk_hash(disk), hash);
	dir_close(dir);
	return place;
}

#define LONGEST                                                               \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static const struct {
	enum place_kind kind;
	const char *other; /* where it is taken */
	const char *names[8];
} table[] = {
	/* New, or with a filesystem to itself, or with others for content. */
	{PLACE_FREE, "", {0}},
	{PLACE_FREE, "", {"lost+found/"}},
	{PLACE_FREE, "", {"blobs/", "ingests/", "snapshots/"}},
	/* Each moment of a creation that was cut short, in its order; and
	 * with names that the disk lost. */
	{PLACE_FREE, "", {"lock"}},
	{PLACE_FREE, "", {"lock", "tmp/"}},
	{PLACE_FREE, "", {"lock", "tmp/", "torn/"}},
	{PLACE_FREE, "", {"lock", "tmp/", "torn/", "tmp/segment"}},
	{PLACE_FREE, "", {"tmp/", "tmp/segment", "tmp/anchor"}},
	{PLACE_FREE, "", {"tmp/", "tmp/spare", "tmp/torn", "lost+found/"}},
	{PLACE_FREE, "", {"torn/"}},
	{PLACE_STORE, "", {"lock", "tmp/", "torn/", "0000000000000001.log"}},
	/* A store, whole or not; whatever lies beside it. */
	{PLACE_STORE, "", {"anchor"}},
	{PLACE_STORE, "", {"000000000000002a.log"}},
	{PLACE_STORE, "", {"000000000000002a.base"}},
	{PLACE_STORE, "", {"000000000000002a.horizon"}},
	{PLACE_STORE, "", {"anchor", "README", "zebra/"}},
	{PLACE_STORE, "", {"README", "zebra/", "anchor"}},
	{PLACE_STORE, "", {"tmp/", "tmp/x", "torn/", "torn/x", "anchor"}},
	/* Somebody else's. */
	{PLACE_TAKEN, "README", {"README"}},
	{PLACE_TAKEN, "src", {"src/"}},
	{PLACE_TAKEN, ".git", {".git/", "lost+found/"}},
	{PLACE_TAKEN, "a", {"c", "a", "b"}},
	{PLACE_TAKEN, "a", {"b", "c", "a"}},
	{PLACE_TAKEN, "lock-frontend", {"lock", "status", "lock-frontend"}},
	{PLACE_TAKEN, "ingest", {"blobs/", "ingest/"}},
	{PLACE_TAKEN, "index.json", {"oci-layout", "index.json", "blobs/"}},
	{PLACE_TAKEN, "1.log", {"1.log"}},
	{PLACE_TAKEN, "anchors", {"anchors"}},
	{PLACE_TAKEN, LONGEST, {LONGEST}},
	/* Also in what opening a store would empty. */
	{PLACE_TAKEN, "tmp/thesis", {"lock", "tmp/", "tmp/thesis"}},
	{PLACE_TAKEN, "tmp/a", {"tmp/", "tmp/segment", "tmp/b", "tmp/a"}},
	{PLACE_TAKEN, "tmp/" LONGEST, {"tmp/", "tmp/" LONGEST}},
	{PLACE_TAKEN, "src", {"tmp/", "tmp/a", "src/"}},
	{PLACE_TAKEN, "torn/x", {"lock", "tmp/", "torn/", "torn/x"}},
	{PLACE_TAKEN, "tmp", {"tmp"}},
	{PLACE_TAKEN, "torn", {"torn"}},
};
enum { TABLE_COUNT = sizeof(table) / sizeof(table[0]) };

START_TEST(a_place_is_told_by_its_names)
{
	struct place place;

	fill(table[_i].names);
	place = look();
	ck_assert_msg(place.kind == table[_i].kind, "row %d: %d (%s)", _i,
		      place.kind, place.other);
	if (place.kind == PLACE_TAKEN)
		ck_assert_str_eq(place.other, table[_i].other);
}
END_TEST

START_TEST(a_directory_that_cannot_be_read_is_an_error)
{
	static const char *const names[] = {"lock", "tmp/", "torn/", NULL};
	struct place place = {.kind = PLACE_TAKEN};
	struct dir *dir = simdisk_dir(disk);

	fill(names);
	/* The directory, its tmp/, its torn/. */
	for (uint64_t nth = 1; nth <= 3; nth++) {
		simdisk_fault(disk, (struct sim_fault){.kind = SIM_LIST,
						       .nth = nth,
						       .error = WB_IO});
		ck_error(place_look(dir, &place), WB_IO);
		ck_assert_uint_eq(simdisk_faults_fired(disk), 1);
		simdisk_faults_clear(disk);
	}
	ck_assert_int_eq(place.kind, PLACE_TAKEN); /* untouched */
	dir_close(dir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("place");
	TCase *tcase = tcase_create("place");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_place_is_told_by_its_names, 0,
			    TABLE_COUNT);
	tcase_add_test(tcase, a_directory_that_cannot_be_read_is_an_error);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
