/* SPDX-License-Identifier: Apache-2.0
 *
 * Every change of every key, oldest first, with what was there before.
 */
#include "audit/trail.h"
#include "tests/support/annals.h"
#include "tests/support/forge_history.h"
#include "tests/support/tempdir.h"
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

/* ---- a small history, as words ---- */

#define SECOND_NS INT64_C(1000000000)
static int64_t start_ns;

/* One change of namespace `ns`, by `uid`; NULL value: a deletion. */
static void change(const char *ns, const char *name, const char *value,
		   uint32_t uid, const char *reason)
{
	struct wb_actor actor = {uid, uid + 1, 42, "painter"};
	struct wb_key key = {64, text_of(ns), text_of(name)};
	struct wb_txn_options options = {.size = sizeof(options),
					 .actor = &actor,
					 .reason = text_of(reason)};
	struct wb_txn *txn;

	ck_ok(wb_txn_begin(shelf.store, &options, &txn, NULL));
	if (value)
		ck_ok(wb_txn_put(txn, &key, text_of(value), if_any));
	else
		ck_ok(wb_txn_delete(txn, &key, if_any));
	ck_ok(wb_txn_commit(txn, NULL));
	simenv_advance(&shelf.env, SECOND_NS);
}

/* Revision n is made n - 1 seconds after `start_ns`, but for 5, which a clock
 * that was set back made at 0. */
static void make_history(void)
{
	start_ns = shelf.env.wall_ns;
	change("n", "door", "red", 1, "");
	change("n", "wall", "blue", 2, "nicer");
	change("m", "door", "green", 1, "");
	change("n", "door", "white", 2, "");
	simenv_set_wall(&shelf.env, start_ns);
	change("n", "door", NULL, 1, "burnt");
	simenv_set_wall(&shelf.env, start_ns + 5 * SECOND_NS);
	change("n", "door", "steel", 1, "");
	volume_settle(&shelf);
}

/* "door:red>white@4 " and so on; "-": nothing, "?": hidden. */
static char words[2000];
static size_t stop_after;

static void add(struct wb_bytes bytes)
{
	size_t used = strlen(words);

	snprintf(words + used, sizeof(words) - used, "%.*s", (int)bytes.size,
		 bytes.size ? (const char *)bytes.data : "");
}

static bool add_change(void *context, const struct wb_audit_change *told)
{
	const struct wb_version *version = &told->version;
	char revision[40];

	(void)context;
	add(version->record.key.name);
	add(text_of(":"));
	if (told->before)
		add(told->before->value);
	else
		add(text_of(version->previous_revision ? "?" : "-"));
	add(text_of(">"));
	add(version->deleted ? text_of("-") : version->record.value);
	snprintf(revision, sizeof(revision), "@%" PRIu64 "%s ",
		 version->record.revision, told->chain ? "" : "!");
	add(text_of(revision));
	return stop_after == 0 || --stop_after > 0;
}

static struct audit_summary summary;

static enum wb_error tell(const struct wb_audit_filter *filter,
			  wb_audit_fn *visit, void *context)
{
	struct audit_visitor findings = {.commit = NULL};
	struct dir *dir = simdisk_dir(shelf.disk);
	enum wb_error error =
		audit_trail(dir, &findings, filter, visit, context, &summary);

	dir_close(dir);
	return error;
}

static const char *trail_of(struct wb_audit_filter filter)
{
	filter.size = sizeof(filter);
	*words = 0;
	ck_ok(tell(&filter, add_change, NULL));
	return words;
}

#define C1 "door:->red@1 "
#define C2 "wall:->blue@2 "
#define C3 "door:->green@3 "
#define C4 "door:red>white@4 "
#define C5 "door:white>-@5 "
#define C6 "door:->steel@6 "

START_TEST(changes_come_oldest_first_with_what_was_there)
{
	make_history();
	*words = 0;
	ck_ok(tell(NULL, add_change, NULL));
	ck_assert_str_eq(words, C1 C2 C3 C4 C5 C6);
	ck_assert_int_eq(summary.verdict, AUDIT_CLEAN);
	ck_assert_uint_eq(summary.head, 6);
}
END_TEST

START_TEST(a_filter_lets_through_what_it_says)
{
	const struct wb_bytes n = text_of("n"), door = text_of("door"),
			      do_ = text_of("do"), none = text_of("");
	const uint32_t one = 1, nobody = 77;
	int64_t second, third;

	make_history();
	second = start_ns + 2 * SECOND_NS;
	third = start_ns + 3 * SECOND_NS;
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.ns = &n}),
			 C1 C2 C4 C5 C6);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.name = &door}),
			 C1 C3 C4 C5 C6);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.ns = &n,
							   .name = &door}),
			 C1 C4 C5 C6);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.name = &do_}), "");
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.ns = &none}), "");
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.uid = &one}),
			 C1 C3 C5 C6);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.uid = &nobody}),
			 "");
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.kind = 64}),
			 C1 C2 C3 C4 C5 C6);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.kind = 65}), "");
	/* A time is that of the commit itself, whatever its revision. */
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.since_ns = &third}),
			 C4 C6);
	ck_assert_str_eq(trail_of(
				 (struct wb_audit_filter){.until_ns = &second}),
			 C1 C2 C3 C5);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.since_ns = &second,
							   .until_ns = &third}),
			 C3 C4);
	ck_assert_str_eq(trail_of(
				 (struct wb_audit_filter){.first_revision = 5}),
			 C5 C6);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.last_revision = 2}),
			 C1 C2);
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.first_revision = 4,
							   .last_revision = 4}),
			 C4);
	ck_assert_str_eq(trail_of(
				 (struct wb_audit_filter){.first_revision = 7}),
			 "");
	/* All of them at once. */
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.kind = 64,
							   .ns = &n,
							   .name = &door,
							   .uid = &one,
							   .since_ns = &third,
							   .first_revision = 2,
							   .last_revision = 6}),
			 C6);
}
END_TEST

static bool check_actor(void *context, const struct wb_audit_change *told)
{
	const struct wb_version *version = &told->version;

	(void)context;
	ck_assert_uint_eq(version->actor.uid, 2);
	ck_assert_uint_eq(version->actor.gid, 3);
	ck_assert_int_eq(version->actor.pid, 42);
	ck_assert_str_eq(version->actor.command, "painter");
	ck_assert_uint_eq(version->reason.size, 5);
	ck_assert_mem_eq(version->reason.data, "nicer", 5);
	ck_assert_int_eq(version->record.time_ns, start_ns + SECOND_NS);
	ck_assert_uint_eq(version->operation_id.size, 0);
	return true;
}

START_TEST(a_change_tells_who_when_and_why)
{
	struct wb_audit_filter second = {.size = sizeof(second),
					 .first_revision = 2,
					 .last_revision = 2};

	make_history();
	ck_ok(tell(&second, check_actor, NULL));
}
END_TEST

START_TEST(a_visitor_may_stop)
{
	make_history();
	stop_after = 2;
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.kind = 0}), C1 C2);
	ck_assert_int_eq(summary.verdict, AUDIT_CLEAN);
	ck_assert_uint_eq(stop_after, 0);
}
END_TEST

/* ---- chain ---- */

static bool check_chain(void *context, const struct wb_audit_change *told)
{
	const struct forged_chain *chain = context;

	ck_assert_mem_eq(told->chain, chain->at[told->version.record.revision],
			 WB_CHAIN_BYTES);
	return true;
}

START_TEST(each_change_has_the_chain_value_of_its_commit)
{
	static struct forged_chain chain;

	volume_make(&shelf);
	forge_chain(shelf.disk, &chain);
	ck_assert_uint_gt(chain.head, 8);
	ck_ok(tell(NULL, check_chain, &chain));
	ck_assert_mem_eq(summary.chain, chain.at[chain.head], WB_CHAIN_BYTES);
}
END_TEST

/* ---- damage ---- */

START_TEST(what_verifies_behind_damage_is_told_without_what_it_hides)
{
	make_history();
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 3) + 60);
	/* Revision 5 replaced 4, which is gone; 6 replaced nothing. */
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.kind = 0}),
			 C1 C2 C3 "door:?>-@5! door:->steel@6! ");
	ck_assert_int_eq(summary.verdict, AUDIT_CORRUPT);
}
END_TEST

START_TEST(behind_a_page_that_cannot_be_read_it_goes_on)
{
	const struct wb_bytes b = text_of("b");

	volume_make(&shelf);
	simdisk_bad(shelf.disk, volume_path(1), volume_frame(&shelf, 1, 1), 1);
	trail_of((struct wb_audit_filter){.name = &b});
	ck_assert_uint_gt(summary.unreadable, 0);
	ck_assert_msg(strncmp(words, "b:", 2) == 0, "%s", words);
	ck_assert_uint_eq(summary.head, 0);
}
END_TEST

/* Revision 4 put "door" over revision 1; now it says that it was over 2. */
START_TEST(a_change_that_follows_another_version_is_damage)
{
	make_history();
	ck_assert(forge_history(shelf.disk, 4, "\x30\x01", "\x30\x02"));
	ck_assert_str_eq(trail_of((struct wb_audit_filter){.kind = 0}),
			 C1 C2 C3 "door:?>white@4 " C5 C6);
	ck_assert_uint_eq(summary.findings[AUDIT_DAMAGE], 1);
	ck_assert_int_eq(summary.verdict, AUDIT_CORRUPT);
}
END_TEST

/* ---- beside the store's own history ---- */

enum { CHANGES_MAX = 6000 };

struct told {
	uint64_t revision, previous, before;
	uint64_t value; /* a hash of key, value and actor */
	uint64_t before_value;
};

struct list {
	struct told all[CHANGES_MAX];
	size_t count;
};

static uint64_t hash_of(const struct wb_version *version)
{
	uint64_t hash =
		listing_add(version->deleted, &version->record.key,
			    version->record.value, version->record.revision,
			    version->record.time_ns);
	struct wb_key who = {version->actor.uid ^ (uint32_t)version->actor.pid
							  << 8,
			     version->reason, version->operation_id};

	return listing_add(hash, &who,
			   text_of(version->actor.command
					   ? version->actor.command
					   : ""),
			   version->actor.gid, 0);
}

static bool list_change(void *context, const struct wb_audit_change *told)
{
	const struct wb_version *version = &told->version;
	struct list *list = context;
	struct told *to = &list->all[list->count++];

	ck_assert_uint_lt(list->count, CHANGES_MAX);
	*to = (struct told){.revision = version->record.revision,
			    .previous = version->previous_revision,
			    .value = hash_of(version)};
	if (told->before) {
		to->before = told->before->revision;
		to->before_value =
			listing_add(0, &told->before->key, told->before->value,
				    told->before->revision,
				    told->before->time_ns);
	}
	return true;
}

/* The version before, by the store's index of the log. */
static bool take_predecessor(void *context, const struct wb_version *version)
{
	struct told *to = context;
	const struct wb_record *record = &version->record;

	if (!version->deleted) {
		to->before = record->revision;
		to->before_value =
			listing_add(0, &record->key, record->value,
				    record->revision, record->time_ns);
	}
	return false;
}

static struct wb_store *asked;

static bool list_version(void *context, const struct wb_version *version)
{
	struct list *list = context;
	struct told *to = &list->all[list->count++];

	ck_assert_uint_lt(list->count, CHANGES_MAX);
	*to = (struct told){.revision = version->record.revision,
			    .previous = version->previous_revision,
			    .value = hash_of(version)};
	ck_ok(wb_history(asked, &version->record.key, version->record.revision,
			 1, take_predecessor, to));
	return true;
}

/* Newest first, of one commit in its order: turned into oldest first. */
static void turn(struct list *list)
{
	static struct told turned[CHANGES_MAX];
	size_t to = 0;

	for (size_t end = list->count; end > 0;) {
		size_t first = end - 1;

		while (first > 0 && list->all[first - 1].revision ==
					    list->all[first].revision)
			first--;
		for (size_t at = first; at < end; at++)
			turned[to++] = list->all[at];
		end = first;
	}
	memcpy(list->all, turned, to * sizeof(*turned));
}

START_TEST(it_says_what_the_store_says)
{
	static struct list ours, stores;
	struct audit_visitor findings = {.commit = NULL};
	struct annals annals;
	struct simdisk *disk;
	struct dir *dir;

	ours.count = stores.count = 0;
	annals_make(&annals, (uint64_t)_i, 150);
	asked = annals.shelf.store;
	ck_ok(wb_log(asked, 0, NULL, 0, 0, list_version, &stores));
	turn(&stores);
	ck_ok(shelf_close(&annals.shelf));
	disk = annals.shelf.disk;
	dir = simdisk_dir(disk);
	ck_ok(audit_trail(dir, &findings, NULL, list_change, &ours, &summary));
	dir_close(dir);
	ck_assert_int_eq(summary.verdict, AUDIT_CLOSED);
	ck_assert_msg(ours.count == stores.count, "seed %d: %zu, not %zu", _i,
		      ours.count, stores.count);
	ck_assert_uint_gt(ours.count, 200);
	for (size_t at = 0; at < ours.count; at++)
		ck_assert_msg(memcmp(&ours.all[at], &stores.all[at],
				     sizeof(struct told)) == 0,
			      "seed %d: change %zu, of revision %" PRIu64, _i,
			      at, ours.all[at].revision);
	annals_release(&annals);
}
END_TEST

/* ---- on a real directory ---- */

static void hear(void *context, enum wb_severity severity, const char *line)
{
	(void)severity;
	snprintf(context, 300, "%s", line);
}

START_TEST(a_directory_is_told_and_its_lock_respected)
{
	char said[300] = "";
	struct wb_audit_options options = {.size = sizeof(options),
					   .flags = WB_OPEN_ANY_FILESYSTEM,
					   .report = hear,
					   .report_context = said};
	struct wb_open_options opening = {.size = sizeof(opening),
					  .flags = WB_OPEN_ANY_FILESYSTEM,
					  .report = hear,
					  .report_context = said};
	struct wb_audit_filter wrong = {.size = 1};
	char *directory = tempdir_make();
	struct wb_store *store;
	struct wb_text text = {""};

	make_history();
	*words = 0;
	ck_error(wb_audit_log(directory, &options, NULL, add_change, NULL,
			      NULL),
		 WB_NOT_A_STORE);
	simdisk_export(shelf.disk, directory);
	ck_error(wb_audit_log(directory, &options, &wrong, add_change, NULL,
			      NULL),
		 WB_USAGE);
	ck_ok(wb_store_open(directory, &opening, &store, NULL));
	ck_error(wb_audit_log(directory, &options, NULL, add_change, NULL,
			      &text),
		 WB_LOCKED);
	ck_assert_msg(strstr(text.text, "held by process"), "%s", text.text);
	ck_ok(wb_store_close(store));
	ck_assert_str_eq(words, "");
	ck_ok(wb_audit_log(directory, &options, NULL, add_change, NULL, NULL));
	ck_assert_str_eq(words, C1 C2 C3 C4 C5 C6);

	tempdir_remove(directory);
}
END_TEST

START_TEST(damage_is_the_answer_after_the_last_visit)
{
	char said[300] = "";
	struct wb_audit_options options = {.size = sizeof(options),
					   .flags = WB_OPEN_ANY_FILESYSTEM,
					   .report = hear,
					   .report_context = said};
	char *directory = tempdir_make();
	struct wb_text text = {""};

	make_history();
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 3) + 60);
	simdisk_export(shelf.disk, directory);
	*words = 0;
	ck_error(wb_audit_log(directory, &options, NULL, add_change, NULL,
			      &text),
		 WB_CORRUPT);
	ck_assert_str_eq(words, C1 C2 C3 "door:?>-@5! door:->steel@6! ");
	ck_assert_str_eq(text.text, said);
	tempdir_remove(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trail");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, changes_come_oldest_first_with_what_was_there);
	tcase_add_test(tcase, a_filter_lets_through_what_it_says);
	tcase_add_test(tcase, a_change_tells_who_when_and_why);
	tcase_add_test(tcase, a_visitor_may_stop);
	tcase_add_test(tcase, each_change_has_the_chain_value_of_its_commit);
	tcase_add_test(
		tcase,
		what_verifies_behind_damage_is_told_without_what_it_hides);
	tcase_add_test(tcase, behind_a_page_that_cannot_be_read_it_goes_on);
	tcase_add_test(tcase, a_change_that_follows_another_version_is_damage);
	tcase_add_loop_test(tcase, it_says_what_the_store_says, 1, 9);
	tcase_add_test(tcase, a_directory_is_told_and_its_lock_respected);
	tcase_add_test(tcase, damage_is_the_answer_after_the_last_visit);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
