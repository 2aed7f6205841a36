/* SPDX-License-Identifier: Apache-2.0
 *
 * The second reader, one rule of docs/FORMAT.md at a time: a store is made by
 * the store, one thing is done to its files, and that thing is told.
 */
#include "audit/reader.h"
#include "audit/replay.h"
#include "tests/support/forge.h"
#include "tests/support/gauge.h"
#include "tests/support/volume.h"

#include <inttypes.h>

static struct shelf shelf;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
}

static void tear_down(void)
{
	shelf_release(&shelf);
}

/* ---- what is read ---- */

struct seen {
	struct audit_summary summary;
	uint64_t rules[AUDIT_RULE_COUNT];
	struct audit_finding last; /* not its file */
	char file[32];		   /* of that finding */
	char commits[512];	   /* "1:a=1 2:-a" */
	uint64_t beyond;	   /* commits behind damage */
	char words[400];	   /* all findings */
};

static void take_finding(void *context, const struct audit_finding *finding)
{
	struct seen *seen = context;
	size_t used = strlen(seen->words);

	seen->rules[finding->rule]++;
	seen->last = *finding;
	snprintf(seen->file, sizeof(seen->file), "%s", finding->file);
	snprintf(seen->words + used, sizeof(seen->words) - used,
		 "[%s %s:%" PRIu64 " %s]", audit_rule_code(finding->rule),
		 finding->file, finding->offset, finding->what);
}

static enum wb_error take_commit(void *context,
				 const struct audit_commit *commit,
				 const struct audit_place *place)
{
	struct seen *seen = context;

	seen->beyond += !place->whole;
	for (size_t at = 0; at < commit->mutation_count; at++) {
		const struct audit_mutation *mutation = &commit->mutations[at];
		size_t used = strlen(seen->commits);

		if (mutation->value.size > 9)
			continue;
		snprintf(seen->commits + used, sizeof(seen->commits) - used,
			 "%s%" PRIu64 ":%s%.*s%s%.*s", used ? " " : "",
			 commit->revision, mutation->deleted ? "-" : "",
			 (int)mutation->key.name.size,
			 (const char *)mutation->key.name.data,
			 mutation->deleted ? "" : "=",
			 (int)mutation->value.size,
			 (const char *)mutation->value.data);
	}
	return WB_OK;
}

static struct seen look(struct simdisk *disk)
{
	struct seen seen = {.beyond = 0};
	struct audit_visitor visitor = {.commit = take_commit,
					.finding = take_finding,
					.context = &seen};
	struct dir *dir = simdisk_dir(disk);

	ck_ok(audit_read(dir, AUDIT_READ_ENTRIES, &visitor, &seen.summary));
	dir_close(dir);
	return seen;
}

/* ---- whole stores ---- */

START_TEST(nothing_is_no_store)
{
	struct simdisk *disk = simdisk_new();
	struct seen seen = look(disk);

	ck_assert_int_eq(seen.summary.verdict, AUDIT_NO_STORE);
	simdisk_free(disk);
}
END_TEST

START_TEST(each_commit_is_told_in_order)
{
	struct seen seen;

	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "2");
	shelf_delete(&shelf, "a");
	shelf_put(&shelf, "a", "");
	seen = look(shelf.disk);
	ck_assert_str_eq(seen.commits, "1:a=1 2:b=2 3:-a 4:a=");
	ck_assert_str_eq(seen.words, "");
	ck_assert_int_eq(seen.summary.verdict, AUDIT_CLEAN);
	ck_assert_uint_eq(seen.summary.head, 4);
	ck_assert_uint_eq(seen.summary.commits, 4);
	ck_assert_uint_eq(seen.summary.segments, 1);
	ck_assert_uint_eq(seen.beyond, 0);
}
END_TEST

START_TEST(a_closed_store_is_told_from_a_killed_one)
{
	shelf_put(&shelf, "a", "1");
	ck_ok(shelf_close(&shelf));
	ck_assert_int_eq(look(shelf.disk).summary.verdict, AUDIT_CLOSED);
	ck_ok(shelf_open(&shelf));
	ck_assert_int_eq(look(shelf.disk).summary.verdict, AUDIT_CLOSED);
	shelf_put(&shelf, "a", "2");
	shelf_kill(&shelf);
	ck_assert_int_eq(look(shelf.disk).summary.verdict, AUDIT_CLEAN);
}
END_TEST

START_TEST(sealed_and_cut_segments_are_one_history)
{
	struct seen seen;

	volume_fill(&shelf, 3);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	shelf_put(&shelf, "last", "1");
	ck_ok(shelf_close(&shelf));
	seen = look(shelf.disk);
	ck_assert_str_eq(seen.words, "");
	ck_assert_uint_ge(seen.summary.segments, 4);
	ck_assert_uint_eq(seen.summary.commits, seen.summary.head);
	/* The anchor of a closed store has the chain's last value. */
	ck_assert_uint_eq(seen.summary.anchor.durable_revision,
			  seen.summary.head);
	ck_assert_mem_eq(seen.summary.anchor.chain, seen.summary.chain,
			 AUDIT_CHAIN_BYTES);
}
END_TEST

START_TEST(the_state_at_any_revision_is_replayed)
{
	static const char *const states[] = {"", "a=1", "a=1 b=2", "b=2",
					     "b=3"};
	struct wb_key keys[] = {named("a"), named("b")};

	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "2");
	shelf_delete(&shelf, "a");
	shelf_put(&shelf, "b", "3");
	for (uint64_t revision = 0; revision <= 4; revision++) {
		struct dir *dir = simdisk_dir(shelf.disk);
		struct audit_summary summary;
		struct replay *replay;
		char text[64] = "";

		ck_ok(replay_store(dir, revision, &summary, &replay));
		dir_close(dir);
		ck_assert_uint_eq(replay_revision(replay), revision);
		for (unsigned at = 0; at < 2; at++) {
			const struct replay_version *version =
				replay_find(replay, &keys[at]);
			size_t used = strlen(text);

			if (!version || version->deleted)
				continue;
			snprintf(text + used, sizeof(text) - used, "%s%c=%c",
				 used ? " " : "",
				 *(const char *)version->key.name.data,
				 *(const char *)version->value.data);
		}
		ck_assert_str_eq(text, states[revision]);
		replay_free(replay);
	}
}
END_TEST

START_TEST(nothing_is_changed_by_reading)
{
	uint64_t hash;

	volume_fill(&shelf, 2);
	volume_settle(&shelf);
	simdisk_flip(shelf.disk, volume_path(1), 8192 * 8);
	hash = simdisk_hash(shelf.disk);
	simdisk_fault(shelf.disk, (struct sim_fault){SIM_ANY_CHANGE, 1, WB_IO,
						     true, false, NULL});
	ck_assert_int_eq(look(shelf.disk).summary.verdict, AUDIT_CORRUPT);
	ck_assert_uint_eq(simdisk_faults_fired(shelf.disk), 0);
	ck_assert_uint_eq(simdisk_hash(shelf.disk), hash);
}
END_TEST

/* What cannot be read is told, and nothing else is the matter. */
START_TEST(fault_34_an_error_of_the_disk_is_told)
{
	static const enum sim_op ops[] = {SIM_OPEN, SIM_SIZE, SIM_READ};
	struct audit_visitor visitor = {.context = NULL};

	volume_fill(&shelf, 2);
	for (unsigned op = 0; op < 3; op++) {
		struct audit_summary summary;
		uint64_t nth = 1, fired, told;

		do {
			struct dir *dir = simdisk_dir(shelf.disk);

			simdisk_fault(shelf.disk,
				      (struct sim_fault){ops[op], nth, WB_IO,
							 false, false, NULL});
			ck_ok(audit_read(dir, AUDIT_READ_PAST_ERRORS, &visitor,
					 &summary));
			fired = simdisk_faults_fired(shelf.disk);
			told = summary.findings[AUDIT_WARNING] +
			       summary.findings[AUDIT_DAMAGE];
			ck_assert_uint_eq(told > 0, fired > 0);
			if (ops[op] == SIM_READ)
				ck_assert_uint_eq(
					summary.findings[AUDIT_DAMAGE], 0);
			simdisk_faults_clear(shelf.disk);
			dir_close(dir);
			nth++;
		} while (fired > 0);
		ck_assert_uint_gt(nth, 2);
	}
}
END_TEST

START_TEST(an_error_of_the_disk_is_one_where_nobody_asks_for_more)
{
	static const enum sim_op ops[] = {SIM_OPEN, SIM_SIZE, SIM_READ};
	struct audit_visitor visitor = {.context = NULL};

	volume_fill(&shelf, 2);
	for (unsigned op = 0; op < 3; op++) {
		uint64_t nth = 1, fired;

		do {
			struct dir *dir = simdisk_dir(shelf.disk);
			struct audit_summary summary = {.segments = 77};

			simdisk_fault(shelf.disk,
				      (struct sim_fault){ops[op], nth++, WB_IO,
							 false, false, NULL});
			ck_error(audit_read(dir, 0, &visitor, &summary),
				 simdisk_faults_fired(shelf.disk) ? WB_IO
								  : WB_OK);
			fired = simdisk_faults_fired(shelf.disk);
			ck_assert_int_eq(summary.segments == 77, fired > 0);
			simdisk_faults_clear(shelf.disk);
			dir_close(dir);
		} while (fired > 0);
		ck_assert_uint_gt(nth, 2);
	}
}
END_TEST

START_TEST(a_directory_that_cannot_be_listed_is_an_error)
{
	struct audit_visitor visitor = {.context = NULL};
	struct audit_summary summary = {.segments = 77};
	struct dir *dir = simdisk_dir(shelf.disk);

	simdisk_fault(shelf.disk, (struct sim_fault){SIM_LIST, 1, WB_IO, false,
						     false, NULL});
	ck_error(audit_read(dir, 0, &visitor, &summary), WB_IO);
	ck_assert_uint_eq(summary.segments, 77);
	dir_close(dir);
}
END_TEST

/* ---- one thing wrong: in the store of volume_make ---- */

static const uint64_t one = 1, big = 77, all_ones = UINT64_MAX;
static const uint8_t odd = 0xa5;

static void header(uint64_t id, uint64_t at, const void *bytes, size_t size)
{
	forge_header(shelf.disk, volume_path(id), at, bytes, size);
}

static void frame(uint64_t id, unsigned number, uint64_t at, const void *bytes,
		  size_t size)
{
	forge_frame(shelf.disk, volume_path(id),
		    volume_frame(&shelf, id, number), at, bytes, size);
}

static void bytes_at(const char *path, uint64_t at)
{
	volume_spoil(&shelf, path, at);
}

static void case_header_copy(void)
{
	bytes_at(volume_path(1), 4096 + 500);
}
static void case_header(void)
{
	bytes_at(volume_path(2), 8);
	bytes_at(volume_path(2), 4096 + 8);
}
static void case_header_short(void)
{
	simdisk_resize(shelf.disk, volume_path(4), 8191);
}
static void case_header_zero(void)
{
	header(2, 4000, &odd, 1);
}
static void case_header_copies_differ(void)
{
	forge_copy(shelf.disk, volume_path(2), 1, 176, &one, 8);
}
static void case_header_newer(void)
{
	header(2, 16, &big, 4);
}
static void case_header_incompat(void)
{
	header(2, 24, &one, 8);
}
static void case_kind(void)
{
	const uint32_t base = AUDIT_BASE;

	header(2, 20, &base, 4);
}
static void case_base(void)
{
	simdisk_copy(shelf.disk, "0000000000000009.base", shelf.disk,
		     volume_path(1));
}
static void case_name(void)
{
	simdisk_copy(shelf.disk, volume_path(2), shelf.disk, volume_path(1));
}
static void case_size(void)
{
	simdisk_resize(shelf.disk, volume_path(2), (512u << 20) + 1);
}
static void case_uuid(void)
{
	header(2, 40, &odd, 1);
}
static void case_no_anchor(void)
{
	simdisk_delete(shelf.disk, "anchor");
}
static void case_slot(void)
{
	bytes_at("anchor", 100);
}
static void case_slots(void)
{
	bytes_at("anchor", 100);
	bytes_at("anchor", 4096 + 100);
}
static void case_anchor_size(void)
{
	simdisk_resize(shelf.disk, "anchor", 8193);
}
static void case_anchor_newer(void)
{
	forge_anchor(shelf.disk, 16, &big, 4);
}
static void case_anchor_uuid(void)
{
	forge_anchor(shelf.disk, 32, &odd, 1);
}
static void case_anchor_epoch(void)
{
	forge_anchor(shelf.disk, 48, &big, 8);
}
static void case_anchor_ahead(void)
{
	forge_anchor(shelf.disk, 56, &big, 8);
}
static void case_newest_missing(void)
{
	simdisk_delete(shelf.disk, volume_path(4));
}
static void case_anchor_old(void)
{
	const uint64_t three = 3;

	forge_anchor(shelf.disk, 56, &three, 8);
}
static void case_anchor_behind(void)
{
	const uint64_t at = 8192;

	forge_anchor(shelf.disk, 72, &at, 8);
}
static void case_anchor_chain(void)
{
	forge_anchor(shelf.disk, 80, &big, 8);
}
static void case_anchor_floor(void)
{
	uint64_t at = volume_frame(&shelf, 4, 3) + 1;

	forge_anchor(shelf.disk, 72, &at, 8);
}
static void case_anchor_revision(void)
{
	const uint64_t at = 8192;

	forge_anchor(shelf.disk, 64, &big, 8);
	forge_anchor(shelf.disk, 72, &at, 8);
}
static void case_beginning(void)
{
	simdisk_delete(shelf.disk, volume_path(1));
}
static void case_gap(void)
{
	simdisk_delete(shelf.disk, volume_path(2));
}
static void case_link_bytes(void)
{
	uint64_t at = volume_frame(&shelf, 3, 1);

	header(4, 120, &at, 8);
}
static void case_link_revision(void)
{
	/* One more than it is; segment 3 ends with revision 8. */
	const uint64_t previous = 9, first = 10;

	header(4, 80, &first, 8);
	header(4, 128, &previous, 8);
}
static void case_first_revision(void)
{
	header(4, 80, &big, 8);
}
static void case_link_chain(void)
{
	header(4, 144, &big, 8);
}
static void case_link_epoch(void)
{
	header(4, 136, &big, 8);
}
static void case_frame(void)
{
	bytes_at(volume_path(1), volume_frame(&shelf, 1, 1) + 60);
}
static void case_frame_short(void)
{
	simdisk_resize(shelf.disk, volume_path(2),
		       volume_footer(&shelf, 2) + 7);
}
static void case_frame_zero(void)
{
	frame(1, 1, 14, &odd, 1);
}
static void case_frame_newer(void)
{
	const uint8_t type = 9;

	frame(1, 1, 12, &type, 1);
}
static void case_frame_version(void)
{
	const uint8_t version = 2;

	frame(4, 1, 13, &version, 1);
}
static void case_type_zero(void)
{
	const uint8_t type = 0;

	frame(4, 0, 12, &type, 1);
}
static void case_group_bytes(void)
{
	const uint64_t at = 8192;

	frame(4, 2, 40, &at, 8);
}
static void case_group_revision(void)
{
	frame(4, 1, 32, &one, 8);
}
static void case_revision(void)
{
	frame(1, 1, 24, &big, 8);
}
static void case_mark_revision(void)
{
	frame(4, 2, 24, &big, 8);
}
static void case_commit(void)
{
	/* The tag of its first field: wire type 3, a group. */
	const uint8_t tag = 1 << 3 | 3;

	frame(4, 0, 48, &tag, 1);
}
static void case_footer(void)
{
	forge_frame(shelf.disk, volume_path(1), volume_footer(&shelf, 1),
		    48 + 16, &big, 8);
}
static void footer(uint64_t at, const void *bytes, size_t size)
{
	forge_frame(shelf.disk, volume_path(1), volume_footer(&shelf, 1), at,
		    bytes, size);
}
static void case_footer_low(void)
{
	footer(48 + 24, &one, 8);
}
static void case_footer_high(void)
{
	footer(48 + 32, &big, 8);
}
/* The last entry is not there, and in its place there is padding. */
static void case_footer_short(void)
{
	const uint8_t zeros[16] = {0};
	uint64_t entries = 0;
	uint32_t payload;

	simdisk_get(shelf.disk, volume_path(1), &payload, 4,
		    volume_footer(&shelf, 1) + 20);
	footer(48 + (uint64_t)payload - 16, zeros, 16);
	payload -= 16;
	footer(20, &payload, 4);
	entries = (payload - 80) / 16;
	footer(48 + 72, &entries, 8);
}
static void case_footer_size(void)
{
	forge_frame(shelf.disk, volume_path(1), volume_footer(&shelf, 1),
		    48 + 72, &all_ones, 8);
}
static void case_footer_index(void)
{
	forge_frame(shelf.disk, volume_path(1), volume_footer(&shelf, 1),
		    48 + 80, &big, 4);
}
static void case_sealed_tail(void)
{
	bytes_at(volume_path(1),
		 simdisk_size(shelf.disk, volume_path(1)) + 700);
}
static void case_floor(void)
{
	bytes_at(volume_path(4), volume_frame(&shelf, 4, 2) + 8);
}
static void case_torn(void)
{
	bytes_at(volume_path(4), volume_frame(&shelf, 4, 3) + 100);
}
static void case_end(void)
{
	case_floor();
	case_torn();
	case_no_anchor();
}
static void case_debris(void)
{
	bytes_at(volume_path(3),
		 simdisk_size(shelf.disk, volume_path(3)) + 700);
}

static const struct {
	void (*damage)(void);
	enum audit_rule rule;
	uint64_t id;	 /* of the file; 0: the anchor */
	uint64_t offset; /* ~0: any */
} cases[] = {
	{case_header_copy, AUDIT_RULE_HEADER_COPY, 1, 4096},
	{case_header, AUDIT_RULE_HEADER, 2, 0},
	{case_header_short, AUDIT_RULE_HEADER, 4, 8191},
	{case_header_zero, AUDIT_RULE_HEADER, 2, 0},
	{case_header_copies_differ, AUDIT_RULE_HEADER_COPIES_DIFFER, 2, 0},
	{case_header_newer, AUDIT_RULE_HEADER_NEWER, 2, 0},
	{case_header_incompat, AUDIT_RULE_HEADER_NEWER, 2, 0},
	{case_kind, AUDIT_RULE_SEGMENT_NAME, 2, 20},
	{case_base, AUDIT_RULE_SEGMENT_KIND, 9, 0},
	{case_name, AUDIT_RULE_SEGMENT_NAME, 2, 64},
	{case_size, AUDIT_RULE_SEGMENT_SIZE, 2, 512u << 20},
	{case_uuid, AUDIT_RULE_SEGMENT_STORE, 2, 40},
	{case_no_anchor, AUDIT_RULE_ANCHOR_MISSING, 0, 0},
	{case_slot, AUDIT_RULE_ANCHOR_SLOT, 0, 0},
	{case_slots, AUDIT_RULE_ANCHOR, 0, 0},
	{case_anchor_size, AUDIT_RULE_ANCHOR_SIZE, 0, 8193},
	{case_anchor_newer, AUDIT_RULE_ANCHOR_NEWER, 0, 0},
	{case_anchor_uuid, AUDIT_RULE_ANCHOR_STORE, 0, 32},
	{case_anchor_epoch, AUDIT_RULE_ANCHOR_STORE, 0, 48},
	{case_anchor_ahead, AUDIT_RULE_ANCHOR_AHEAD, 0, 56},
	{case_newest_missing, AUDIT_RULE_ANCHOR_AHEAD, 0, 56},
	{case_anchor_old, AUDIT_RULE_ANCHOR_OLD, 0, 56},
	{case_anchor_behind, AUDIT_RULE_ANCHOR_BEHIND, 0, 72},
	{case_anchor_chain, AUDIT_RULE_ANCHOR_CHAIN, 0, 80},
	{case_anchor_floor, AUDIT_RULE_FLOOR, 4, UINT64_MAX},
	{case_anchor_revision, AUDIT_RULE_FLOOR, 4, UINT64_MAX},
	{case_beginning, AUDIT_RULE_BEGINNING, 2, 112},
	{case_gap, AUDIT_RULE_GAP, 3, 112},
	{case_link_bytes, AUDIT_RULE_LINK, 4, UINT64_MAX},
	{case_link_revision, AUDIT_RULE_LINK, 4, UINT64_MAX},
	{case_first_revision, AUDIT_RULE_LINK, 4, 80},
	{case_link_chain, AUDIT_RULE_LINK, 4, 144},
	{case_link_epoch, AUDIT_RULE_LINK, 4, 136},
	{case_frame, AUDIT_RULE_FRAME, 1, UINT64_MAX},
	{case_frame_short, AUDIT_RULE_FRAME, 2, UINT64_MAX},
	{case_frame_zero, AUDIT_RULE_FRAME_RULE, 1, UINT64_MAX},
	{case_frame_newer, AUDIT_RULE_FRAME_NEWER, 1, UINT64_MAX},
	{case_frame_version, AUDIT_RULE_FRAME_NEWER, 4, UINT64_MAX},
	{case_type_zero, AUDIT_RULE_FRAME_RULE, 4, 8192},
	{case_group_bytes, AUDIT_RULE_GROUP, 4, UINT64_MAX},
	{case_group_revision, AUDIT_RULE_GROUP, 4, UINT64_MAX},
	{case_revision, AUDIT_RULE_REVISION, 1, UINT64_MAX},
	{case_mark_revision, AUDIT_RULE_REVISION, 4, UINT64_MAX},
	{case_commit, AUDIT_RULE_COMMIT, 4, 8192},
	{case_footer, AUDIT_RULE_FOOTER_RULE, 1, UINT64_MAX},
	{case_footer_low, AUDIT_RULE_FOOTER_RULE, 1, UINT64_MAX},
	{case_footer_high, AUDIT_RULE_FOOTER_RULE, 1, UINT64_MAX},
	{case_footer_short, AUDIT_RULE_FOOTER_RULE, 1, UINT64_MAX},
	{case_footer_size, AUDIT_RULE_FOOTER_RULE, 1, UINT64_MAX},
	{case_footer_index, AUDIT_RULE_FOOTER_INDEX, 1, UINT64_MAX},
	{case_sealed_tail, AUDIT_RULE_SEALED_TAIL, 1, UINT64_MAX},
	{case_floor, AUDIT_RULE_FLOOR, 4, UINT64_MAX},
	{case_torn, AUDIT_RULE_TORN, 4, UINT64_MAX},
	{case_end, AUDIT_RULE_END, 4, UINT64_MAX},
	{case_debris, AUDIT_RULE_DEBRIS, 3, UINT64_MAX},
};
enum { CASES = sizeof(cases) / sizeof(*cases) };

/* What an open says to such a finding. It does not look at the entries of a
 * footer: a look-up tries those that it uses. */
static enum wb_error store_says(enum audit_rule rule,
				enum audit_severity severity)
{
	if (rule == AUDIT_RULE_FOOTER_INDEX)
		return WB_OK;
	return severity == AUDIT_DAMAGE	       ? WB_CORRUPT
	       : severity == AUDIT_UNSUPPORTED ? WB_UNSUPPORTED
					       : WB_OK;
}

START_TEST(each_rule_is_told_where_it_is_broken)
{
	struct audit_finding of_rule = audit_finding_of(cases[_i].rule, "", 0);
	struct seen seen;
	enum wb_error error;

	volume_make(&shelf);
	ck_assert_str_eq(look(shelf.disk).words, "");
	cases[_i].damage();
	seen = look(shelf.disk);
	ck_assert_msg(seen.rules[cases[_i].rule] > 0, "case %d, %s: %s", _i,
		      audit_rule_code(cases[_i].rule), seen.words);
	ck_assert_uint_gt(seen.summary.findings[of_rule.severity], 0);
	/* It is the worst that is told. */
	for (unsigned worse = of_rule.severity + 1; worse <= AUDIT_DAMAGE;
	     worse++)
		ck_assert_msg(seen.summary.findings[worse] == 0, "case %d: %s",
			      _i, seen.words);
	if (seen.last.rule == cases[_i].rule) {
		ck_assert_str_eq(seen.file,
				 cases[_i].rule == AUDIT_RULE_SEGMENT_KIND &&
						 cases[_i].id == 9
					 ? "0000000000000009.base"
				 : cases[_i].id ? volume_path(cases[_i].id)
						: "anchor");
		if (cases[_i].offset != UINT64_MAX)
			ck_assert_uint_eq(seen.last.offset, cases[_i].offset);
	}
	shelf.options.flags = WB_OPEN_READ_ONLY;
	error = shelf_open(&shelf);
	ck_assert_msg(error == store_says(of_rule.rule, of_rule.severity),
		      "case %d: %s, but the store: %s %s", _i, seen.words,
		      wb_error_code(error), shelf.text.text);
}
END_TEST

START_TEST(what_is_behind_damage_is_read_and_marked)
{
	struct seen seen;

	volume_make(&shelf);
	ck_assert_str_eq(look(shelf.disk).words, "");
	case_frame();
	seen = look(shelf.disk);
	ck_assert_uint_eq(seen.rules[AUDIT_RULE_FRAME], 1);
	ck_assert_uint_eq(seen.last.revision_first, 2);
	ck_assert_uint_eq(seen.last.revision_last, 2);
	ck_assert_uint_eq(seen.last.offset, volume_frame(&shelf, 1, 1));
	ck_assert_uint_eq(seen.last.bytes, volume_frame(&shelf, 1, 2) -
						   volume_frame(&shelf, 1, 1));
	ck_assert_uint_eq(seen.summary.head, 1);
	ck_assert_uint_gt(seen.beyond, 5);
	ck_assert_uint_eq(seen.summary.commits, 1 + seen.beyond);
}
END_TEST

START_TEST(what_is_behind_a_newer_version_is_not_judged)
{
	const uint8_t newer = 9;
	const uint64_t wrong = 8192;
	struct seen seen;

	volume_make(&shelf);
	ck_assert_str_eq(look(shelf.disk).words, "");
	frame(4, 1, 12, &newer, 1);
	frame(4, 2, 40, &wrong, 8);
	seen = look(shelf.disk);
	ck_assert_uint_eq(seen.rules[AUDIT_RULE_FRAME_NEWER], 1);
	ck_assert_uint_eq(seen.summary.findings[AUDIT_DAMAGE], 0);
	ck_assert_int_eq(seen.summary.verdict, AUDIT_REFUSED);
	ck_assert_uint_eq(seen.summary.end, volume_frame(&shelf, 4, 1));
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_assert_int_eq(shelf_open(&shelf), WB_UNSUPPORTED);
}
END_TEST

START_TEST(damage_before_a_newer_version_is_damage)
{
	const uint8_t newer = 9;

	volume_make(&shelf);
	case_frame();
	frame(4, 1, 12, &newer, 1);
	ck_assert_int_eq(look(shelf.disk).summary.verdict, AUDIT_CORRUPT);
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_assert_int_eq(shelf_open(&shelf), WB_CORRUPT);
}
END_TEST

START_TEST(nothing_newer_stands_behind_a_footer)
{
	struct forged_frame newer = {
		.type = 9,
		.version = 1,
		.frame_bytes = 48,
		.revision = 1000,
	};
	uint64_t end;

	volume_make(&shelf);
	end = simdisk_size(shelf.disk, volume_path(1));
	simdisk_resize(shelf.disk, volume_path(1), end + 48);
	forge_new_frame(shelf.disk, volume_path(1), end, &newer);
	ck_assert_int_eq(look(shelf.disk).summary.verdict, AUDIT_CORRUPT);
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_assert_int_eq(shelf_open(&shelf), WB_CORRUPT);
}
END_TEST

/* A value may hold anything, also what looks like frames without end: each
 * claims all that is left, and that it is proof. From `from` on, 1 MiB. */
static void put_fakes(uint64_t from, uint64_t revision)
{
	enum { SIZE = 1 << 20, HEADER = 48 };
	const char *path = volume_path(4);

	simdisk_resize(shelf.disk, path, from + SIZE);
	for (uint64_t at = from; at < from + SIZE; at += HEADER) {
		struct forged_frame fake = {
			.type = AUDIT_COMMIT,
			.version = 1,
			.revision = revision,
			.durable_revision = revision - 1,
			.durable_bytes = at,
		};

		fake.frame_bytes = (uint32_t)(from + SIZE - at) / 8 * 8;
		fake.payload_bytes = fake.frame_bytes - HEADER;
		if (fake.frame_bytes >= HEADER)
			forge_fake_frame(shelf.disk, path, at, &fake);
	}
}

START_TEST(a_search_without_end_is_given_up)
{
	struct forged_frame torn = {
		.type = AUDIT_COMMIT,
		.version = 1,
		.frame_bytes = 512 + (1 << 20),
		.payload_bytes = 464 + (1 << 20),
	};
	uint64_t end, head;
	struct seen seen;

	volume_make(&shelf);
	seen = look(shelf.disk);
	end = seen.summary.end;
	head = seen.summary.head;
	put_fakes(end + 512, head + 1);
	seen = look(shelf.disk);
	ck_assert_uint_eq(seen.rules[AUDIT_RULE_SEARCH], 1);
	ck_assert_uint_eq(seen.last.offset, end);
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_error(shelf_open(&shelf), WB_CORRUPT);
	/* Inside a torn commit it does not matter what they are. */
	torn.revision = head + 1;
	torn.durable_revision = head;
	torn.durable_bytes = end;
	forge_fake_frame(shelf.disk, volume_path(4), end, &torn);
	seen = look(shelf.disk);
	ck_assert_uint_eq(seen.rules[AUDIT_RULE_SEARCH], 0);
	ck_assert_int_eq(seen.summary.verdict, AUDIT_TORN);
	ck_ok(shelf_open(&shelf));
	ck_assert_uint_eq(shelf_stat(&shelf).revision, head);
}
END_TEST

/* Segment 1 as it was when it had been sealed and had no successor yet. */
static void leave_sealed(void)
{
	const uint64_t id = 1, revision = 3;
	uint64_t end = volume_footer(&shelf, 1);

	for (uint64_t at = 2; at <= 4; at++)
		simdisk_delete(shelf.disk, volume_path(at));
	forge_anchor(shelf.disk, 56, &id, 8);
	forge_anchor(shelf.disk, 64, &revision, 8);
	forge_anchor(shelf.disk, 72, &end, 8);
}

START_TEST(nothing_follows_a_footer)
{
	struct forged_frame mark = {AUDIT_MARK, 1, 64, 0, 3, 3, 0};
	uint8_t chain[AUDIT_CHAIN_BYTES];
	struct seen seen;
	uint64_t footer, end;

	volume_make(&shelf);
	footer = volume_footer(&shelf, 1);
	simdisk_get(shelf.disk, volume_path(1), chain, sizeof(chain),
		    footer + 48 + 40);
	forge_anchor(shelf.disk, 80, chain, sizeof(chain));
	leave_sealed();
	seen = look(shelf.disk);
	ck_assert_str_eq(seen.words, "");
	ck_assert_int_eq(seen.summary.verdict, AUDIT_CLEAN);
	end = simdisk_size(shelf.disk, volume_path(1));
	simdisk_resize(shelf.disk, volume_path(1), end + 512);
	mark.durable_bytes = end;
	forge_new_frame(shelf.disk, volume_path(1), end, &mark);
	ck_assert_uint_eq(look(shelf.disk).rules[AUDIT_RULE_FRAME_RULE], 1);
	/* Zeros may follow it, and nothing else. */
	simdisk_resize(shelf.disk, volume_path(1), end);
	simdisk_resize(shelf.disk, volume_path(1), end + 512);
	ck_assert_str_eq(look(shelf.disk).words, "");
	volume_spoil(&shelf, volume_path(1), end + 300);
	ck_assert_uint_eq(look(shelf.disk).rules[AUDIT_RULE_SEALED_TAIL], 1);
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_error(shelf_open(&shelf), WB_CORRUPT);
}
END_TEST

/* A crash between the rename of a new segment and its anchor. */
START_TEST(an_anchor_one_behind_an_empty_segment_is_a_warning)
{
	const uint64_t three = 3;
	uint64_t end;
	struct seen seen;

	volume_fill(&shelf, 3);
	shelf_kill(&shelf);
	ck_ok(shelf_open(&shelf));
	volume_settle(&shelf);
	/* previous_bytes, in the header of the new segment */
	simdisk_get(shelf.disk, volume_path(4), &end, 8, 120);
	forge_anchor(shelf.disk, 56, &three, 8);
	forge_anchor(shelf.disk, 72, &end, 8);
	seen = look(shelf.disk);
	ck_assert_uint_eq(seen.rules[AUDIT_RULE_ANCHOR_BEHIND], 1);
	ck_assert_uint_eq(seen.summary.findings[AUDIT_DAMAGE], 0);
	/* It may know less of that segment than there is, and not more. */
	end += 512;
	forge_anchor(shelf.disk, 72, &end, 8);
	ck_assert_uint_eq(look(shelf.disk).rules[AUDIT_RULE_ANCHOR_DURABLE], 1);
	shelf.options.flags = WB_OPEN_READ_ONLY;
	ck_error(shelf_open(&shelf), WB_CORRUPT);
}
END_TEST

START_TEST(how_far_it_is_grows_from_segment_to_segment)
{
	struct gauge gauge;
	struct meter meter = gauge_meter(&gauge);
	struct audit_visitor visitor = {.meter = &meter, .phase = "x"};
	struct audit_summary summary;
	struct dir *dir;

	volume_fill_eight(&shelf);
	dir = simdisk_dir(shelf.disk);
	ck_ok(audit_read(dir, 0, &visitor, &summary));
	dir_close(dir);
	ck_assert_uint_ge(summary.segments, 5);
	ck_assert_str_eq(gauge.words, "x/bytes");
	ck_assert_uint_eq(gauge.last.done, summary.file_bytes);
	ck_assert_uint_eq(gauge.last.total, summary.file_bytes);
	ck_assert_uint_le(gauge.step_max, summary.file_bytes / 3);
}
END_TEST

START_TEST(an_unfinished_creation_is_no_store)
{
	struct seen seen;

	volume_settle(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	seen = look(shelf.disk);
	ck_assert_int_eq(seen.summary.verdict, AUDIT_NO_STORE);
	ck_assert_uint_eq(seen.rules[AUDIT_RULE_CREATION], 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reader");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, nothing_is_no_store);
	tcase_add_test(tcase, each_commit_is_told_in_order);
	tcase_add_test(tcase, a_closed_store_is_told_from_a_killed_one);
	tcase_add_test(tcase, sealed_and_cut_segments_are_one_history);
	tcase_add_test(tcase, the_state_at_any_revision_is_replayed);
	tcase_add_test(tcase, nothing_is_changed_by_reading);
	tcase_add_test(tcase, fault_34_an_error_of_the_disk_is_told);
	tcase_add_test(tcase,
		       an_error_of_the_disk_is_one_where_nobody_asks_for_more);
	tcase_add_test(tcase, a_directory_that_cannot_be_listed_is_an_error);
	tcase_add_loop_test(tcase, each_rule_is_told_where_it_is_broken, 0,
			    CASES);
	tcase_add_test(tcase, what_is_behind_damage_is_read_and_marked);
	tcase_add_test(tcase, what_is_behind_a_newer_version_is_not_judged);
	tcase_add_test(tcase, damage_before_a_newer_version_is_damage);
	tcase_add_test(tcase, nothing_newer_stands_behind_a_footer);
	tcase_add_test(tcase, a_search_without_end_is_given_up);
	tcase_add_test(tcase, nothing_follows_a_footer);
	tcase_add_test(tcase,
		       an_anchor_one_behind_an_empty_segment_is_a_warning);
	tcase_add_test(tcase, an_unfinished_creation_is_no_store);
	tcase_add_test(tcase, how_far_it_is_grows_from_segment_to_segment);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
