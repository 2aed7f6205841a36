/* SPDX-License-Identifier: Apache-2.0
 *
 * Damage by the list: each fault is injected at random places of a store, and
 * the injector keeps account of what it hit. The account and what the second
 * reader finds must be the same: the files, the revisions that are gone, their
 * names; no more and no less. The store must refuse what the reader calls
 * damage, and open what it does not.
 *
 * WAYBILL_SEED chooses the first seed, WAYBILL_FULL=1 many more of them.
 */
#include "audit/fsck.h"
#include "tests/support/forge.h"
#include "tests/support/rng.h"
#include "tests/support/volume.h"

#include <inttypes.h>

enum {
	COMMITS_MAX = 200,
	NAMES_MAX = 4, /* of a commit */
	SECTOR = 512,
	FRAMES_AT = 8192,
};

static struct shelf shelf;

/* ---- what is there before ---- */

/* A commit, and where it is. */
struct place {
	uint64_t segment, offset, bytes;
	uint64_t revision;
	unsigned name_count;
	char names[NAMES_MAX][32];
};

static struct place places[COMMITS_MAX];
static size_t place_count;
static uint64_t newest, end; /* segment, and where its frames end */
static struct simdisk *intact;
static struct simdisk *earlier; /* after the first commit of the newest */
static struct simdisk *foreign; /* another store */
static struct rng rng;

static enum wb_error take_place(void *context,
				const struct audit_commit *commit,
				const struct audit_place *at)
{
	struct place *place = &places[place_count++];

	(void)context;
	ck_assert_uint_lt(place_count, COMMITS_MAX);
	*place = (struct place){
		.segment = at->segment_id,
		.offset = at->offset,
		.bytes = at->frame.frame_bytes,
		.revision = commit->revision,
		.name_count = (unsigned)commit->mutation_count,
	};
	ck_assert_uint_le(place->name_count, NAMES_MAX);
	for (unsigned at_name = 0; at_name < place->name_count; at_name++) {
		struct wb_bytes name = commit->mutations[at_name].key.name;

		snprintf(place->names[at_name], sizeof(place->names[0]), "%.*s",
			 (int)name.size, (const char *)name.data);
	}
	return WB_OK;
}

static void read_places(void)
{
	struct audit_visitor visitor = {.commit = take_place};
	struct audit_summary summary;
	struct dir *dir = simdisk_dir(shelf.disk);

	place_count = 0;
	ck_ok(audit_read(dir, 0, &visitor, &summary));
	dir_close(dir);
	ck_assert_int_eq(summary.verdict, AUDIT_CLEAN);
	newest = summary.active_id;
	end = summary.end;
}

/* Two sealed segments, one that was cut, and the newest, which ends with a
 * MARK. Returns its disk. */
static void make(uint64_t seed, struct simdisk **ret_earlier)
{
	shelf_init(&shelf, seed);
	ck_ok(shelf_open(&shelf));
	volume_fill(&shelf, 3);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "a", "1");
	*ret_earlier = simdisk_clone(shelf.disk);
	shelf_put(&shelf, "b", "1");
	shelf_put(&shelf, "big", "a value");
	shelf_put(&shelf, "c", "1");
	ck_ok(wb_store_mark(shelf.store));
	volume_settle(&shelf);
}

static void set_up(void)
{
	struct simdisk *unused;

	rng = rng_of(first_seed());
	make(2, &unused);
	simdisk_free(unused);
	foreign = simdisk_clone(shelf.disk);
	shelf_release(&shelf);
	make(1, &earlier);
	intact = simdisk_clone(shelf.disk);
	read_places();
	ck_assert_uint_eq(newest, 4);
}

static void tear_down(void)
{
	simdisk_free(intact);
	simdisk_free(earlier);
	simdisk_free(foreign);
	shelf_release(&shelf);
}

/* ---- the injector ---- */

static uint64_t below(uint64_t bound)
{
	return rng_below(&rng, bound);
}

/* A commit of the newest segment, or of the others. */
static const struct place *draw_place(bool of_newest)
{
	const struct place *place;

	do
		place = &places[below(place_count)];
	while ((place->segment == newest) != of_newest);
	return place;
}

static void flip_in(const struct place *place)
{
	simdisk_flip(shelf.disk, volume_path(place->segment),
		     place->offset * 8 + below(place->bytes * 8));
}

static void bit_in_a_complete_segment(void)
{
	flip_in(draw_place(false));
}

static void bit_before_the_durable_point(void)
{
	const struct place *place;

	do
		place = draw_place(true);
	while (place == &places[place_count - 1]);
	flip_in(place);
}

static void bit_in_the_last_commit(void)
{
	flip_in(&places[place_count - 1]);
}

static void bits_in_a_length(void)
{
	const struct place *place = &places[below(place_count)];
	uint8_t bytes[8];

	rng_fill(&rng, bytes, sizeof(bytes));
	simdisk_set(shelf.disk, volume_path(place->segment), bytes,
		    sizeof(bytes), place->offset + 16);
}

/* A sector that a commit is in. */
static uint64_t draw_sector(const struct place *place)
{
	return (place->offset + below(place->bytes)) / SECTOR * SECTOR;
}

static void sector_zeroed(void)
{
	const struct place *place = &places[below(place_count)];

	simdisk_set(shelf.disk, volume_path(place->segment),
		    (uint8_t[SECTOR]){0}, SECTOR, draw_sector(place));
}

static void sector_of_garbage(void)
{
	const struct place *place = &places[below(place_count)];
	uint8_t bytes[SECTOR];

	memset(bytes, 0xff, sizeof(bytes));
	if (below(2))
		rng_fill(&rng, bytes, sizeof(bytes));
	simdisk_set(shelf.disk, volume_path(place->segment), bytes, SECTOR,
		    draw_sector(place));
}

static void sectors_swapped(void)
{
	const struct place *place[2];
	uint8_t bytes[2][SECTOR];
	uint64_t at[2];

	do {
		for (unsigned i = 0; i < 2; i++) {
			place[i] = &places[below(place_count)];
			at[i] = draw_sector(place[i]);
			simdisk_get(shelf.disk, volume_path(place[i]->segment),
				    bytes[i], SECTOR, at[i]);
		}
	} while (memcmp(bytes[0], bytes[1], SECTOR) == 0);
	for (unsigned i = 0; i < 2; i++)
		simdisk_set(shelf.disk, volume_path(place[i]->segment),
			    bytes[1 - i], SECTOR, at[i]);
}

static void frame_duplicated(void)
{
	const struct place *from = &places[below(place_count)], *to;
	uint8_t bytes[4096];

	do
		to = &places[below(place_count)];
	while (to == from);
	ck_assert_uint_le(from->bytes, sizeof(bytes));
	simdisk_get(shelf.disk, volume_path(from->segment), bytes, from->bytes,
		    from->offset);
	simdisk_set(shelf.disk, volume_path(to->segment), bytes,
		    from->bytes < to->bytes ? from->bytes : to->bytes,
		    to->offset);
}

static void segment_duplicated(void)
{
	simdisk_copy(shelf.disk, volume_path(newest + 1 + below(3)), shelf.disk,
		     volume_path(1 + below(newest)));
}

static void segment_of_another_store(void)
{
	uint64_t id = 1 + below(newest);

	simdisk_copy(shelf.disk, volume_path(id), foreign, volume_path(id));
}

static void older_copy(void)
{
	simdisk_copy(shelf.disk, volume_path(newest), earlier,
		     volume_path(newest));
}

static void segment_missing(void)
{
	simdisk_delete(shelf.disk, volume_path(1 + below(newest - 1)));
}

static void newest_missing(void)
{
	simdisk_delete(shelf.disk, volume_path(newest));
}

static void complete_segment_truncated(void)
{
	const struct place *place = draw_place(false);

	simdisk_resize(shelf.disk, volume_path(place->segment),
		       place->offset + below(place->bytes));
}

static void newest_too_short(void)
{
	const struct place *place = draw_place(true);

	simdisk_resize(shelf.disk, volume_path(newest),
		       place->offset + below(place->bytes));
}

/* What was at that place of an older file, as where blocks are used again. */
static void stale_bytes_behind_the_end(void)
{
	uint8_t bytes[4096];
	uint64_t from = FRAMES_AT + below(2000) / 8 * 8;

	simdisk_get(shelf.disk, volume_path(1 + below(newest - 1)), bytes,
		    sizeof(bytes), from);
	simdisk_set(shelf.disk, volume_path(newest), bytes, sizeof(bytes),
		    end + below(100) * 8);
}

static void one_anchor_slot(void)
{
	simdisk_flip(shelf.disk, "anchor", below(2) * 4096 * 8 + below(512));
}

static void both_anchor_slots(void)
{
	simdisk_flip(shelf.disk, "anchor", below(512));
	simdisk_flip(shelf.disk, "anchor", 4096 * 8 + below(512));
}

/* ---- the account ---- */

static bool is_hit(const struct place *place)
{
	const char *path = volume_path(place->segment);
	uint8_t before[4096], after[4096];

	if (!simdisk_has(shelf.disk, path) ||
	    simdisk_size(shelf.disk, path) < place->offset + place->bytes)
		return true;
	ck_assert_uint_le(place->bytes, sizeof(before));
	simdisk_get(intact, path, before, place->bytes, place->offset);
	simdisk_get(shelf.disk, path, after, place->bytes, place->offset);
	return memcmp(before, after, place->bytes) != 0;
}

static const struct place *place_of(uint64_t revision)
{
	ck_assert_uint_ge(revision, 1);
	ck_assert_uint_le(revision, place_count);
	ck_assert_uint_eq(places[revision - 1].revision, revision);
	return &places[revision - 1];
}

static bool is_named(const struct place *place, struct wb_bytes name)
{
	for (unsigned at = 0; at < place->name_count; at++)
		if (strlen(place->names[at]) == name.size &&
		    memcmp(place->names[at], name.data, name.size) == 0)
			return true;
	return false;
}

/* ---- what the second reader says ---- */

struct seen {
	bool told[COMMITS_MAX + 1];	 /* by revision */
	unsigned named[COMMITS_MAX + 1]; /* its names that were told */
	char words[2000];
	struct fsck_summary summary;
};

static void take(void *context, const struct audit_finding *finding,
		 const struct wb_finding_name *names, size_t count,
		 uint64_t more)
{
	struct seen *seen = context;
	size_t used = strlen(seen->words);

	(void)more;
	if (finding->severity == AUDIT_NOTE)
		return;
	snprintf(seen->words + used, sizeof(seen->words) - used,
		 "[%s %s:%" PRIu64 " %" PRIu64 " to %" PRIu64 "]",
		 audit_rule_code(finding->rule), finding->file, finding->offset,
		 finding->revision_first, finding->revision_last);
	if (finding->severity != AUDIT_DAMAGE)
		return;
	if (finding->revision_first > 0)
		for (uint64_t revision = finding->revision_first;
		     revision <= finding->revision_last; revision++) {
			place_of(revision);
			seen->told[revision] = true;
		}
	for (size_t at = 0; at < count; at++) {
		const struct place *place;
		bool right;

		if (names[at].revision == 0)
			continue;
		place = place_of(names[at].revision);
		/* The bit may be in a name that nothing else tells. */
		right = is_named(place, names[at].key.name);
		ck_assert_msg(right || !names[at].exact, "%s", seen->words);
		seen->named[place->revision] += right;
	}
}

struct account {
	uint64_t hits, named; /* commits, and those whose names were told */
};

enum must { LOUD, HEALED, QUIET };

static const struct {
	const char *what;
	void (*inject)(void);
	enum must must;
	bool hits; /* commits, that is */
} faults[] = {
	{"fault_18", bit_in_a_complete_segment, LOUD, true},
	{"fault_19", bit_before_the_durable_point, LOUD, true},
	{"fault_20", bit_in_the_last_commit, LOUD, true},
	{"fault_21", bits_in_a_length, LOUD, true},
	{"fault_22", sector_zeroed, LOUD, true},
	{"fault_23", sector_of_garbage, LOUD, true},
	{"fault_24", sectors_swapped, LOUD, true},
	{"fault_25 frame", frame_duplicated, LOUD, true},
	{"fault_25 segment", segment_duplicated, LOUD, false},
	{"fault_26", segment_of_another_store, LOUD, true},
	{"fault_27", older_copy, LOUD, true},
	{"fault_28", segment_missing, LOUD, true},
	{"fault_29", newest_missing, LOUD, true},
	{"fault_30", complete_segment_truncated, LOUD, true},
	{"fault_31", newest_too_short, LOUD, true},
	{"fault_32", stale_bytes_behind_the_end, QUIET, false},
	{"fault_33 one slot", one_anchor_slot, HEALED, false},
	{"fault_33 both slots", both_anchor_slots, LOUD, false},
};

static void look(struct seen *seen)
{
	struct fsck_visitor visitor = {.finding = take, .context = seen};
	struct dir *dir = simdisk_dir(shelf.disk);

	ck_ok(audit_fsck(dir, &visitor, &seen->summary));
	dir_close(dir);
}

/* The account and the findings, commit by commit. What lies behind damage to
 * the newest segment is told as well: no open gets there. */
static void compare(const struct seen *seen, int fault, uint64_t round,
		    struct account *account)
{
	bool behind = false;

	for (size_t at = 0; at < place_count; at++) {
		const struct place *place = &places[at];
		bool hit = is_hit(place), told = seen->told[place->revision];

		behind |= hit && place->segment == newest;
		account->hits += hit;
		account->named += hit && seen->named[place->revision] ==
						 place->name_count;
		ck_assert_msg(told == (hit || behind),
			      "%s, round %" PRIu64 ": revision %" PRIu64
			      " was %shit: %s",
			      faults[fault].what, round, place->revision,
			      hit ? "" : "not ", seen->words);
	}
}

static void judge(const struct seen *seen, int fault, uint64_t round)
{
	const uint64_t *findings = seen->summary.findings;
	enum must must = faults[fault].must;
	enum wb_error error;

	ck_assert_msg((findings[AUDIT_DAMAGE] > 0) == (must == LOUD) &&
			      (must != HEALED || findings[AUDIT_WARNING] > 0),
		      "%s, round %" PRIu64 ": %s", faults[fault].what, round,
		      seen->words);
	shelf.options.flags = WB_OPEN_READ_ONLY;
	error = shelf_open(&shelf);
	ck_assert_msg(error == (must == LOUD ? WB_CORRUPT : WB_OK),
		      "%s, round %" PRIu64 ": %s, and the store: %s %s",
		      faults[fault].what, round, seen->words,
		      wb_error_code(error), shelf.text.text);
	if (error) {
		ck_assert(strstr(shelf.text.text, ".log") ||
			  strstr(shelf.text.text, "anchor"));
		return;
	}
	ck_assert_uint_eq(shelf_stat(&shelf).revision, place_count);
	shelf_kill(&shelf);
}

START_TEST(the_second_reader_finds_what_was_injected)
{
	uint64_t count = rounds(40, 2000);
	struct account account = {0, 0};

	for (uint64_t round = 0; round < count; round++) {
		struct seen seen = {.words = ""};

		simdisk_free(shelf.disk);
		shelf.disk = simdisk_clone(intact);
		faults[_i].inject();
		look(&seen);
		compare(&seen, _i, round, &account);
		judge(&seen, _i, round);
	}
	printf("count: injected %s, commits hit %" PRIu64 "\n", faults[_i].what,
	       account.hits);
	printf("count: injected %s, with their names %" PRIu64 "\n",
	       faults[_i].what, account.named);
	ck_assert((account.hits > 0) == faults[_i].hits);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("injected");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, the_second_reader_finds_what_was_injected, 0,
			    sizeof(faults) / sizeof(*faults));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
