/* SPDX-License-Identifier: Apache-2.0
 *
 * Salvage: all that verifies is in the new store, nothing else is, and what is
 * missing is told; and there is no new store before that is so.
 *
 * WAYBILL_SEED chooses the first seed, WAYBILL_FULL=1 many more of them.
 */
#include "repair/salvage.h"

#include "audit/replay.h"
#include "audit/survivors.h"
#include "base/lock.h"
#include "log/anchor.h"
#include "log/segment.h"
#include "repair/check.h"
#include "store/import.h"
#include "tests/support/annals.h"
#include "tests/support/forge.h"
#include "tests/support/hush.h"
#include "tests/support/ruin.h"
#include "tests/support/volume.h"

#include <inttypes.h>
#include <stdarg.h>

static struct shelf shelf;
static struct simdisk *target;

static void set_up(void)
{
	shelf_init(&shelf, 1);
	ck_ok(shelf_open(&shelf));
	target = simdisk_new();
}

static void tear_down(void)
{
	shelf_release(&shelf);
	simdisk_free(target);
}

/* ---- a salvage in words ---- */

struct told {
	struct wb_salvage_summary summary;
	struct wb_text text;
	/* "frame; lost 2; moved 3-4 to 2; 2:big current" */
	char words[1500];
	uint64_t stop_after;
	/* Set to hear every name instead. */
	void (*name)(void *context, const struct wb_salvage_name *name);
	void *name_context;
};

__attribute__((format(printf, 2, 3))) static void say(struct told *told,
						      const char *format, ...)
{
	size_t used = strlen(told->words);
	va_list arguments;

	if (used > 0 && used + 2 < sizeof(told->words)) {
		memcpy(told->words + used, "; ", 3);
		used += 2;
	}
	va_start(arguments, format);
	vsnprintf(told->words + used, sizeof(told->words) - used, format,
		  arguments);
	va_end(arguments);
}

static void take_finding(void *context, const struct wb_finding *finding)
{
	if (strcmp(finding->severity, "note") != 0)
		say(context, "%s", finding->code);
}

static void say_range(struct told *told, const char *what, uint64_t first,
		      uint64_t last)
{
	if (first == last)
		say(told, "%s %" PRIu64, what, first);
	else
		say(told, "%s %" PRIu64 "-%" PRIu64, what, first, last);
}

static void take_lost(void *context, uint64_t first, uint64_t last)
{
	say_range(context, "lost", first, last);
}

static void take_moved(void *context, const struct wb_salvage_move *move)
{
	char what[64];

	snprintf(what, sizeof(what), "to %" PRIu64 " moved", move->to);
	say_range(context, what, move->first, move->last);
}

static void take_name(void *context, const struct wb_salvage_name *name)
{
	static const char *const words[] = {"current", "older", "absent"};
	struct told *told = context;

	if (told->name)
		told->name(told->name_context, name);
	else
		say(told, "%" PRIu64 ":%.*s%s %s", name->revision,
		    (int)name->key.name.size, (const char *)name->key.name.data,
		    name->exact ? "" : "?", words[name->now]);
}

static bool stop(void *context)
{
	struct told *told = context;

	return told->stop_after > 0 && --told->stop_after == 0;
}

static enum wb_error salvage(struct simdisk *from, struct simdisk *to,
			     struct told *told)
{
	struct wb_fsck_options options = {
		.size = sizeof(options),
		.report = hush,
		.stop = stop,
		.stop_context = told,
	};
	struct wb_salvage_visitor visitor = {
		.size = sizeof(visitor),
		.finding = take_finding,
		.lost = take_lost,
		.moved = take_moved,
		.name = take_name,
		.context = told,
	};
	struct dir *from_dir = simdisk_dir(from), *to_dir = simdisk_dir(to);
	uint64_t hash = simdisk_hash(from);
	uint64_t changes = simdisk_count(from, SIM_ANY_CHANGE);
	enum wb_error error = salvage_check_target(to_dir);

	told->words[0] = 0;
	snprintf(told->text.text, sizeof(told->text.text), "%s",
		 error ? "the target" : "");
	if (!error)
		error = lock_take(to_dir, true, &told->text);
	if (!error)
		error = salvage_run(from_dir, to_dir, &shelf.env.env, &options,
				    &visitor, &told->summary, &told->text);
	dir_close(from_dir);
	dir_close(to_dir);
	/* Nothing is repaired in place. */
	ck_assert_uint_eq(simdisk_hash(from), hash);
	ck_assert_uint_eq(simdisk_count(from, SIM_ANY_CHANGE), changes);
	return error;
}

static void expect(const char *words, unsigned status)
{
	struct told told = {.stop_after = 0};

	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_str_eq(told.words, words);
	ck_assert_uint_eq(told.summary.status, status);
}

static struct wb_store *open_disk(struct simdisk *disk, uint32_t flags)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .flags = flags,
					  .segment_bytes = 16u << 10,
					  .report = hush};
	struct wb_store *store;

	ck_ok(store_open_on(simdisk_dir(disk), &shelf.env.env, &options, &store,
			    NULL));
	return store;
}

static struct wb_stat stat_of(struct wb_store *store)
{
	struct wb_stat stat = {.size = sizeof(stat)};

	ck_ok(wb_store_stat(store, &stat));
	return stat;
}

/* ---- what it makes ---- */

static enum wb_error ignore_commit(void *context,
				   const struct audit_commit *commit,
				   const struct audit_place *place)
{
	struct audit_summary *at = context;

	/* The chain value of the last commit but the mark. */
	if (commit->mutations[0].key.kind != WB_KIND_GC_BLOCKED)
		memcpy(at->chain, place->chain, AUDIT_CHAIN_BYTES);
	return WB_OK;
}

static struct audit_summary read_disk(struct simdisk *disk, uint8_t *ret_chain)
{
	struct audit_summary summary, at = {.head = 0};
	struct audit_visitor visitor = {.commit = ignore_commit,
					.context = &at};
	struct dir *dir = simdisk_dir(disk);

	ck_ok(audit_read(dir, AUDIT_READ_ENTRIES, &visitor, &summary));
	dir_close(dir);
	if (ret_chain)
		memcpy(ret_chain, at.chain, AUDIT_CHAIN_BYTES);
	return summary;
}

START_TEST(a_sound_store_is_the_same_store_in_a_new_epoch)
{
	uint8_t before_chain[AUDIT_CHAIN_BYTES], chain[AUDIT_CHAIN_BYTES];
	struct audit_summary before, after;
	struct told told = {.stop_after = 0};
	struct wb_store *store;

	volume_make(&shelf);
	before = read_disk(shelf.disk, before_chain);
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_str_eq(told.words, "");
	ck_assert_uint_eq(told.summary.status, WB_FSCK_CLEAN);
	ck_assert_uint_eq(told.summary.commits, 10);
	ck_assert_uint_eq(told.summary.revision, 11);
	ck_assert_uint_eq(told.summary.unchanged, 10);
	after = read_disk(target, chain);
	ck_assert_int_eq(after.verdict, AUDIT_CLOSED);
	ck_assert_mem_eq(after.uuid, before.uuid, 16);
	ck_assert_mem_eq(told.summary.uuid, before.uuid, 16);
	ck_assert_uint_ne(after.epoch, before.epoch);
	ck_assert_uint_eq(after.epoch, told.summary.epoch);
	ck_assert_uint_eq(after.head, 11);
	/* A head that was exported is a prefix of the new history. */
	ck_assert_mem_eq(chain, before_chain, AUDIT_CHAIN_BYTES);
	store = open_disk(target, 0);
	ck_assert_uint_eq(stat_of(store).gc_blocked, 11);
	ck_ok(wb_store_close(store));
}
END_TEST

START_TEST(the_mark_says_why)
{
	struct told told = {.stop_after = 0};
	struct wb_store *store;
	struct wb_record record;
	char value[300];

	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(2));
	ck_ok(salvage(shelf.disk, target, &told));
	store = open_disk(target, WB_OPEN_READ_ONLY);
	ck_ok(wb_get(store, &store_gc_blocked_key, value, sizeof(value) - 1,
		     &record));
	value[record.value.size] = 0;
	ck_assert_ptr_nonnull(strstr(value, "3 of 10 revisions"));
	ck_assert_ptr_nonnull(strstr(value, WB_SALVAGE_LIST));
	ck_ok(wb_store_close(store));
}
END_TEST

/* The store of volume_make has revisions 1 to 10: "large" in 1 and 3, …,
 * "big" in 2 and 4, … */
START_TEST(a_lost_commit_is_told_with_its_name)
{
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	expect("frame; lost 2; to 2 moved 3-10; 2:big current", WB_FSCK_LEFT);
}
END_TEST

START_TEST(what_the_new_store_has_of_a_lost_name_is_told)
{
	uint64_t at;

	/* 1: a, 2: b, 3: a, 4: b and new, 5: x, 6: a, all in one segment. */
	shelf_put(&shelf, "a", "1");
	shelf_put(&shelf, "b", "1");
	shelf_put(&shelf, "a", "2");
	{
		struct wb_txn *txn = shelf_begin(&shelf);

		ck_ok(txn_put(txn, "b", "2"));
		ck_ok(txn_put(txn, "new", "2"));
		ck_ok(wb_txn_commit(txn, NULL));
	}
	shelf_put(&shelf, "x", "1");
	shelf_delete(&shelf, "a");
	ck_ok(wb_store_mark(shelf.store));
	volume_settle(&shelf);
	for (unsigned frame = 2; frame < 4; frame++) {
		at = volume_frame(&shelf, 1, frame);
		volume_spoil(&shelf, volume_path(1), at + 510);
	}
	/* Of "a" the deletion survived; "b" is what it was at 2; of "new" the
	 * store has never heard. What is legible in a frame that nothing else
	 * vouches for is probable. */
	expect("floor; lost 3-4; to 3 moved 5-6; 3:a current; 4:b? older; "
	       "4:new? absent",
	       WB_FSCK_LEFT);
	shelf_kill(&shelf);
}
END_TEST

START_TEST(all_of_it_lost_leaves_a_store_with_a_mark)
{
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	for (uint64_t id = 1; id <= 4; id++)
		for (uint64_t at = 8192;
		     at < simdisk_size(shelf.disk, volume_path(id)); at++)
			volume_spoil(&shelf, volume_path(id), at);
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_uint_eq(told.summary.commits, 0);
	ck_assert_uint_eq(told.summary.revisions_lost, 10);
	ck_assert_uint_eq(told.summary.revision, 1);
}
END_TEST

static const char *list_of(struct simdisk *disk)
{
	static char text[8000];
	uint64_t size = simdisk_size(disk, WB_SALVAGE_LIST);

	ck_assert_uint_lt(size, sizeof(text));
	simdisk_get(disk, WB_SALVAGE_LIST, text, (size_t)size, 0);
	text[size] = 0;
	return text;
}

static void check_mark(const char *text)
{
	struct wb_store *store = open_disk(target, WB_OPEN_READ_ONLY);
	struct wb_record record;
	char value[400];

	ck_ok(wb_get(store, &store_gc_blocked_key, value, sizeof(value) - 1,
		     &record));
	value[record.value.size] = 0;
	ck_assert_msg(strstr(value, text) != NULL, "%s", value);
	ck_ok(wb_store_close(store));
}

START_TEST(a_second_salvage_keeps_the_first_ones_mark)
{
	struct told told = {.stop_after = 0};
	struct simdisk *first;
	char last[] = "salvage 3";

	volume_make(&shelf);
	simdisk_delete(shelf.disk, volume_path(2));
	ck_ok(salvage(shelf.disk, target, &told));
	for (unsigned round = 2; round < 4; round++) {
		struct wb_store *store;
		struct wb_record record;
		struct wb_key key = store_gc_blocked_key;
		char value[300];

		first = target;
		target = simdisk_new();
		ck_ok(salvage(first, target, &told));
		simdisk_free(first);
		check_mark("3 of 10 revisions");
		store = open_disk(target, WB_OPEN_READ_ONLY);
		last[8] = (char)('0' + round);
		key.name = text_of(last);
		ck_ok(wb_get(store, &key, value, sizeof(value) - 1, &record));
		value[record.value.size] = 0;
		ck_assert_ptr_nonnull(strstr(value, "salvage: 0 of "));
		ck_assert_uint_eq(stat_of(store).gc_blocked, 7 + round);
		ck_ok(wb_store_close(store));
	}
}
END_TEST

/* The log ends with a FOOTER: there was another segment, and nobody knows what
 * was in it. */
START_TEST(an_end_that_nothing_proves_is_a_loss)
{
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	for (uint64_t id = 3; id <= 4; id++)
		simdisk_delete(shelf.disk, volume_path(id));
	simdisk_delete(shelf.disk, "anchor");
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_str_eq(told.words, "end; anchor-missing");
	ck_assert_uint_eq(told.summary.status, WB_FSCK_LEFT);
	ck_assert_uint_eq(told.summary.commits, 6);
	ck_assert_uint_eq(told.summary.revisions_lost, 0);
	ck_assert_uint_eq(told.summary.unknown_from, 7);
	check_mark("after 6 cannot be told");
	ck_assert_ptr_nonnull(strstr(list_of(target), "\"unknown_from\":7"));
}
END_TEST

START_TEST(names_at_an_end_that_nothing_proves_are_probable)
{
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	simdisk_delete(shelf.disk, "anchor");
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 1) + 510);
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 2) + 8);
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_str_eq(told.words, "end; anchor-missing; 10:b? absent");
	ck_assert_uint_eq(told.summary.revisions_lost, 0);
	ck_assert_uint_eq(told.summary.names_probable, 1);
	ck_assert_uint_eq(told.summary.unknown_from, 10);
}
END_TEST

/* Where the anchor knows the end, what follows was never acknowledged. */
START_TEST(a_torn_write_is_no_loss)
{
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(4), volume_frame(&shelf, 4, 3) + 100);
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_str_eq(told.words, "torn");
	ck_assert_uint_eq(told.summary.status, WB_FSCK_CORRECTED);
	ck_assert_uint_eq(told.summary.unknown_from, 0);
}
END_TEST

START_TEST(without_a_uuid_it_is_another_store)
{
	struct told told = {.stop_after = 0};
	uint8_t uuid[16];

	volume_make(&shelf);
	memcpy(uuid, read_disk(shelf.disk, NULL).uuid, 16);
	for (uint64_t id = 1; id <= 4; id++) {
		volume_spoil(&shelf, volume_path(id), 40);
		volume_spoil(&shelf, volume_path(id), 4096 + 40);
	}
	/* The anchor still knows. */
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_mem_eq(told.summary.uuid, uuid, 16);
	ck_assert_uint_eq(told.summary.unchanged, 10);
	ck_assert_uint_eq(told.summary.status, WB_FSCK_CORRECTED);
	simdisk_delete(shelf.disk, "anchor");
	simdisk_free(target);
	target = simdisk_new();
	ck_ok(salvage(shelf.disk, target, &told));
	ck_assert_mem_ne(told.summary.uuid, uuid, 16);
	ck_assert_uint_eq(told.summary.unchanged, 0);
	ck_assert_uint_eq(told.summary.commits, 10);
}
END_TEST

START_TEST(a_commit_that_breaks_a_rule_is_lost)
{
	const uint8_t wrong = 99;
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	forge_frame(shelf.disk, volume_path(1), volume_frame(&shelf, 1, 1), 49,
		    &wrong, 1);
	ck_ok(salvage(shelf.disk, target, &told));
	/* The chain and the footers tell of it, too. */
	ck_assert_msg(strncmp(told.words, "commit; ", 8) == 0, "%s",
		      told.words);
	ck_assert_ptr_nonnull(
		strstr(told.words, "; lost 2; to 2 moved 3-10; 2:big current"));
}
END_TEST

START_TEST(fault_37_a_newer_versions_store_is_not_salvaged)
{
	const uint32_t version = 2;
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	forge_header(shelf.disk, volume_path(2), 16, &version, 4);
	ck_error(salvage(shelf.disk, target, &told), WB_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(told.text.text, "newer version"));
	ck_assert_uint_eq(simdisk_used(target), 0);
}
END_TEST

/* What another user could read would be told as lost. */
START_TEST(a_store_that_may_not_be_read_is_not_salvaged)
{
	struct told told = {.stop_after = 0};

	volume_make(&shelf);
	simdisk_fault(shelf.disk,
		      (struct sim_fault){SIM_OPEN, 1, WB_PERMISSION, true,
					 false, volume_path(2)});
	ck_error(salvage(shelf.disk, target, &told), WB_PERMISSION);
	ck_assert_ptr_nonnull(strstr(told.words, "unreadable"));
	ck_assert_ptr_nonnull(strstr(told.text.text, "not be read"));
	ck_assert_uint_eq(simdisk_used(target), 0);
}
END_TEST

/* ---- where to ---- */

START_TEST(only_an_empty_directory_is_a_target)
{
	static const char *const taken[] = {"anchor", "x",
					    "lock",   "tmp/x",
					    "torn/x", WB_SALVAGE_LIST};
	struct dir *dir = simdisk_dir(target);
	struct file *file;

	ck_ok(salvage_check_target(dir));
	ck_ok(dir_make(dir, "tmp"));
	ck_ok(dir_make(dir, "torn"));
	ck_ok(dir_make(dir, "lost+found"));
	ck_ok(salvage_check_target(dir));
	for (unsigned at = 0; at < sizeof(taken) / sizeof(*taken); at++) {
		ck_ok(dir_open(dir, taken[at], FILE_CREATE, &file));
		file_close(file);
		ck_error(salvage_check_target(dir), WB_EXISTS);
		ck_ok(dir_remove(dir, taken[at]));
	}
	ck_ok(salvage_check_target(dir));
	dir_close(dir);
}
END_TEST

/* ---- the list ---- */

START_TEST(the_losses_are_in_a_file)
{
	static const char expected[] =
		"{\"lost\":{\"first\":2,\"last\":2}}\n"
		"{\"moved\":{\"first\":3,\"last\":10,\"to\":2}}\n"
		"{\"name\":{\"kind\":64,\"namespace\":\"n\",\"name\":\"big\","
		"\"revision\":2,\"exact\":true,\"now\":\"current\"}}\n";
	struct told told = {.stop_after = 0};
	const char *line;

	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
	ck_ok(salvage(shelf.disk, target, &told));
	line = list_of(target);
	ck_assert_ptr_nonnull(strstr(line, "\"commits\":9,\"revision\":10,"
					   "\"unchanged\":1,"
					   "\"revisions_lost\":1,"
					   "\"names_exact\":1,"));
	ck_assert_str_eq(strchr(line, '\n') + 1, expected);
}
END_TEST

/* ---- anything ---- */

/* The past as the second reader tells it: each change of each commit. */
struct changes {
	struct change {
		uint64_t revision, previous;
		uint64_t hash;	   /* of all that an import keeps */
		uint64_t key_hash; /* of kind, namespace and name */
		bool whole;
	} * all;
	size_t count, capacity;
	uint64_t commits;
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	for (size_t at = 0; at < size; at++)
		hash = (hash ^ ((const uint8_t *)bytes)[at]) *
		       UINT64_C(0x100000001b3);
	return (hash ^ size) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t key_hash_of(const struct wb_key *key)
{
	uint64_t hash = mix(key->kind, key->ns.data, key->ns.size);

	return mix(hash, key->name.data, key->name.size);
}

static void take_changes(struct changes *changes,
			 const struct audit_commit *commit)
{
	uint64_t head[] = {(uint64_t)commit->time_ns, commit->uid, commit->gid,
			   (uint64_t)commit->pid, commit->request_hash};
	uint64_t hash = mix(7, head, sizeof(head));

	hash = mix(hash, commit->command.data, commit->command.size);
	hash = mix(hash, commit->reason.data, commit->reason.size);
	hash = mix(hash, commit->operation_ns.data, commit->operation_ns.size);
	hash = mix(hash, commit->operation_id.data, commit->operation_id.size);
	changes->commits++;
	for (size_t at = 0; at < commit->mutation_count; at++) {
		const struct audit_mutation *mutation = &commit->mutations[at];
		struct change change = {
			.revision = commit->revision,
			.previous = mutation->previous_revision,
			.key_hash = key_hash_of(&mutation->key),
		};

		change.hash = mix(hash, &change.key_hash, 8);
		change.hash = mix(change.hash, &mutation->deleted, 1);
		change.hash = mix(change.hash, mutation->value.data,
				  mutation->value.size);
		if (changes->count == changes->capacity) {
			changes->capacity = 2 * changes->capacity + 64;
			changes->all = realloc(changes->all,
					       changes->capacity *
						       sizeof(*changes->all));
			ck_assert_ptr_nonnull(changes->all);
		}
		changes->all[changes->count++] = change;
	}
}

static enum wb_error take_whole(void *context,
				const struct audit_commit *commit,
				const struct audit_place *place)
{
	if (place->whole)
		take_changes(context, commit);
	return WB_OK;
}

static enum wb_error take_survivor(void *context,
				   const struct audit_commit *commit)
{
	take_changes(context, commit);
	return WB_OK;
}

static void read_past(struct changes *changes, struct simdisk *disk)
{
	struct audit_visitor visitor = {.commit = take_whole,
					.context = changes};
	struct dir *dir = simdisk_dir(disk);
	struct audit_summary summary;

	*changes = (struct changes){.all = NULL};
	ck_ok(audit_read(dir, 0, &visitor, &summary));
	ck_assert_uint_eq(summary.findings[AUDIT_DAMAGE], 0);
	dir_close(dir);
}

static void read_survivors(struct changes *changes, struct simdisk *disk)
{
	struct audit_survivors_visitor visitor = {.commit = take_survivor,
						  .context = changes};
	struct dir *dir = simdisk_dir(disk);
	struct audit_survivors found;

	*changes = (struct changes){.all = NULL};
	ck_ok(audit_survivors_read(dir, &visitor, &found));
	dir_close(dir);
}

/* A name that was told, against what was and what is left. */
struct judging {
	const struct changes *truth, *left;
	uint64_t seed;
	const char *what;
	struct {
		uint64_t revision, key_hash;
	} told[4000];
	size_t count;
	uint64_t wrong, exact, probable;
};

static bool is_in(const struct changes *changes, uint64_t revision,
		  uint64_t key_hash)
{
	for (size_t at = 0; at < changes->count; at++)
		if (changes->all[at].revision == revision &&
		    changes->all[at].key_hash == key_hash)
			return true;
	return false;
}

static void judge_name(void *context, const struct wb_salvage_name *name)
{
	struct judging *judging = context;
	uint64_t key_hash = key_hash_of(&name->key);
	bool is_true = is_in(judging->truth, name->revision, key_hash);

	ck_assert_uint_lt(judging->count, 4000);
	judging->told[judging->count].revision = name->revision;
	judging->told[judging->count++].key_hash = key_hash;
	judging->exact += name->exact;
	judging->probable += !name->exact;
	if (name->exact)
		ck_assert_msg(is_true && name->revision > 0,
			      "seed %" PRIu64 " %s: revision %" PRIu64
			      " did not change %.*s",
			      judging->seed, judging->what, name->revision,
			      (int)name->key.name.size,
			      (const char *)name->key.name.data);
	judging->wrong += !is_true;
}

/* Each lost change that a commit which is left says it replaced. */
static void check_names(const struct judging *judging)
{
	const struct changes *left = judging->left;

	for (size_t at = 0; at < left->count; at++) {
		const struct change *change = &left->all[at];
		size_t told = 0;

		if (change->previous == 0 ||
		    is_in(left, change->previous, change->key_hash))
			continue;
		while (told < judging->count &&
		       (judging->told[told].revision != change->previous ||
			judging->told[told].key_hash != change->key_hash))
			told++;
		ck_assert_msg(told < judging->count,
			      "seed %" PRIu64 " %s: a name of revision %" PRIu64
			      " is not told",
			      judging->seed, judging->what, change->previous);
	}
}

static void check_store(const struct judging *judging,
			const struct wb_salvage_summary *summary,
			struct simdisk *disk)
{
	const struct changes *left = judging->left;
	struct changes now;

	read_past(&now, disk);
	/* And the mark. */
	ck_assert_msg(now.count == left->count + 1 &&
			      now.commits == left->commits + 1 &&
			      summary->commits == left->commits,
		      "seed %" PRIu64 " %s: %zu changes of %zu", judging->seed,
		      judging->what, now.count, left->count);
	for (size_t at = 0; at < left->count; at++)
		ck_assert_msg(now.all[at].hash == left->all[at].hash,
			      "seed %" PRIu64 " %s: change %zu is another one",
			      judging->seed, judging->what, at);
	free(now.all);
}

/* What the state is when what is left is replayed, by the new store's word. */
static void check_live(struct simdisk *disk)
{
	struct wb_store *store = open_disk(disk, WB_OPEN_READ_ONLY);
	struct dir *dir = simdisk_dir(disk);
	struct audit_summary summary;
	struct replay *replay;

	ck_ok(replay_store(dir, UINT64_MAX, &summary, &replay));
	ck_assert_uint_eq(replay_count(replay), stat_of(store).records);
	replay_free(replay);
	dir_close(dir);
	ck_ok(wb_store_close(store));
}

struct tally {
	uint64_t images, commits, lost, exact, probable, wrong, unknown;
	uint64_t ends, unseen;
};

static bool has_segment(struct dir *dir, uint64_t id)
{
	char name[SEGMENT_NAME_SIZE];
	struct file *file;

	segment_name(id, SEGMENT_LOG, name);
	if (dir_open(dir, name, FILE_READ, &file))
		return false;
	file_close(file);
	return true;
}

/* "What no single-copy log can see": the anchor verifies, names a segment that
 * is there, and knew of no commit that is not accounted for. */
static bool no_log_can_see(struct simdisk *disk, uint64_t accounted)
{
	struct dir *dir = simdisk_dir(disk);
	struct anchor anchor;
	bool bad, so = false;

	if (anchor_read(dir, NULL, &anchor, &bad) == WB_OK)
		so = anchor.durable_revision <= accounted &&
		     (has_segment(dir, anchor.active_id) ||
		      (bad && has_segment(dir, anchor.active_id + 1)));
	dir_close(dir);
	return so;
}

/* Who says that nothing is lost, or so many, is held to it. */
static void check_count(const struct judging *judging,
			const struct wb_salvage_summary *summary,
			struct simdisk *disk, struct tally *tally)
{
	uint64_t there_were = judging->truth->commits;
	uint64_t accounted = summary->commits + summary->revisions_lost;
	bool left = summary->status & WB_FSCK_LEFT;

	ck_assert_msg(accounted <= there_were,
		      "seed %" PRIu64 " %s: %" PRIu64 " of %" PRIu64 " commits",
		      judging->seed, judging->what, accounted, there_were);
	ck_assert_msg(left == (summary->revisions_lost > 0 ||
			       summary->unknown_from > 0),
		      "seed %" PRIu64 " %s: status %u", judging->seed,
		      judging->what, summary->status);
	if (summary->unknown_from > 0) {
		ck_assert_uint_eq(summary->unknown_from, accounted + 1);
		tally->ends++;
	} else if (accounted < there_were) {
		ck_assert_msg(no_log_can_see(disk, accounted),
			      "seed %" PRIu64 " %s: %" PRIu64
			      " are there, %" PRIu64 " are lost, of %" PRIu64,
			      judging->seed, judging->what, summary->commits,
			      summary->revisions_lost, there_were);
		tally->unseen++;
	}
}

static void judge(struct simdisk *disk, const struct changes *truth,
		  uint64_t seed, const char *what, struct tally *tally)
{
	static struct judging judging;
	struct told told = {.name = judge_name, .name_context = &judging};
	struct simdisk *to = simdisk_new();
	struct changes left;
	enum wb_error error;

	read_survivors(&left, disk);
	judging = (struct judging){.truth = truth,
				   .left = &left,
				   .seed = seed,
				   .what = what};
	error = salvage(disk, to, &told);
	ck_assert_msg(!error, "seed %" PRIu64 " %s: %s: %s", seed, what,
		      wb_error_code(error), told.text.text);
	check_names(&judging);
	check_store(&judging, &told.summary, to);
	check_count(&judging, &told.summary, disk, tally);
	if (tally->images++ % 8 == 0)
		check_live(to);
	tally->commits += told.summary.commits;
	tally->lost += told.summary.revisions_lost;
	tally->exact += judging.exact;
	tally->probable += judging.probable;
	tally->wrong += judging.wrong;
	tally->unknown += told.summary.names_unknown;
	free(left.all);
	simdisk_free(to);
}

START_TEST(of_any_ruin_all_that_verifies_is_salvaged)
{
	uint64_t seed = first_seed();
	struct tally tally = {0};

	for (unsigned left = full_run() ? 120 : 30; left > 0; left--, seed++) {
		struct annals annals;
		struct simdisk *end;
		struct changes truth;

		annals_make(&annals, seed, 10 + (unsigned)(seed % 50));
		end = annals_end(&annals);
		read_past(&truth, end);
		judge(end, &truth, seed, "sound", &tally);
		for (unsigned i = full_run() ? 60 : 15; i > 0; i--) {
			struct simdisk *disk = simdisk_clone(end);
			const char *what = "";

			for (uint64_t many = rng_below(&annals.rng, 3) + 1;
			     many > 0; many--)
				what = ruin_some(disk, annals.earlier,
						 &annals.rng);
			judge(disk, &truth, seed, what, &tally);
			simdisk_free(disk);
		}
		free(truth.all);
		simdisk_free(end);
		annals_release(&annals);
	}
	printf("count: salvage, images %" PRIu64 "\n", tally.images);
	printf("count: salvage, commits kept %" PRIu64 "\n", tally.commits);
	printf("count: salvage, revisions lost %" PRIu64 "\n", tally.lost);
	printf("count: salvage, names exact %" PRIu64 "\n", tally.exact);
	printf("count: salvage, names probable %" PRIu64 "\n", tally.probable);
	printf("count: salvage, names probable and wrong %" PRIu64 "\n",
	       tally.wrong);
	printf("count: salvage, names unknown %" PRIu64 "\n", tally.unknown);
	printf("count: salvage, ends that nothing proves %" PRIu64 "\n",
	       tally.ends);
	printf("count: salvage, losses that no log can see %" PRIu64 "\n",
	       tally.unseen);
	ck_assert_uint_gt(tally.exact, 0);
	ck_assert_uint_gt(tally.ends, 0);
	/* Mostly it is seen. */
	ck_assert_uint_le(tally.unseen * 8, tally.images);
	/* "Probably" is to mean it. */
	ck_assert_uint_le(tally.wrong * 4, tally.probable);
}
END_TEST

/* ---- cut short ---- */

/* A ruin whose salvage takes several segments and loses something. */
static void make_ruin(void)
{
	volume_make(&shelf);
	volume_spoil(&shelf, volume_path(1), volume_frame(&shelf, 1, 2) - 1);
}

/* Is there a store? Then it is the one that should be there. */
static bool check_image(struct simdisk *image, uint64_t listing,
			const char *list, const char *where, uint64_t nth)
{
	struct wb_open_options options = {.size = sizeof(options),
					  .report = hush};
	struct wb_store *store;
	enum wb_error error = store_open_on(simdisk_dir(image), &shelf.env.env,
					    &options, &store, NULL);

	ck_assert_msg(!error || error == WB_CORRUPT || error == WB_NOT_A_STORE,
		      "%s %" PRIu64 ": %s", where, nth, wb_error_code(error));
	if (error)
		return false;
	ck_assert_msg(listing_of(store) == listing,
		      "%s %" PRIu64 ": another store", where, nth);
	ck_assert_uint_eq(stat_of(store).gc_blocked, 10);
	ck_ok(wb_store_close(store));
	ck_assert_msg(simdisk_has(image, WB_SALVAGE_LIST) &&
			      strcmp(strchr(list_of(image), '\n'), list) == 0,
		      "%s %" PRIu64 ": a store without its list", where, nth);
	return true;
}

/* A repair does not make a store of it either. */
static void check_repaired(struct simdisk *image, bool is_store,
			   const char *where, uint64_t nth)
{
	struct wb_fsck_options options = {.size = sizeof(options),
					  .flags = WB_FSCK_REPAIR,
					  .report = hush};
	struct dir *dir = simdisk_dir(image);
	struct wb_fsck_summary summary = {.status = 0};
	struct wb_store *store;
	enum wb_error error = check_directory(dir, &shelf.env.env, &options,
					      NULL, NULL, &summary, NULL);

	dir_close(dir);
	if (is_store)
		return;
	ck_assert_msg(error == WB_NOT_A_STORE || !error,
		      "%s %" PRIu64 ": fsck: %s", where, nth,
		      wb_error_code(error));
	error = store_open_on(simdisk_dir(image), &shelf.env.env,
			      &(struct wb_open_options){
				      .size = sizeof(struct wb_open_options),
				      .report = hush},
			      &store, NULL);
	ck_assert_msg(error, "%s %" PRIu64 ": fsck made a store of it", where,
		      nth);
}

/* Nor another salvage. */
static void check_salvaged(struct simdisk *image, const char *where,
			   uint64_t nth)
{
	struct dir *dir = simdisk_dir(image);
	struct simdisk *to = simdisk_new();
	struct told told = {.stop_after = 0};
	bool unfinished;

	ck_ok(store_import_unfinished(dir, &unfinished));
	dir_close(dir);
	if (unfinished) {
		enum wb_error error = salvage(image, to, &told);

		ck_assert_msg(error == WB_CORRUPT &&
				      strstr(told.text.text, "do it again"),
			      "%s %" PRIu64 ": %s", where, nth, told.text.text);
		ck_assert_uint_eq(simdisk_used(to), 0);
	}
	simdisk_free(to);
}

static uint64_t listing_on(struct simdisk *disk)
{
	struct wb_store *store = open_disk(disk, WB_OPEN_READ_ONLY);
	uint64_t listing = listing_of(store);

	ck_ok(wb_store_close(store));
	return listing;
}

START_TEST(a_salvage_that_is_cut_leaves_no_store)
{
	struct told told = {.stop_after = 0};
	uint64_t nth = 1, images = 0, stores = 0, listing;
	struct rng rng = rng_of(9);
	char list[2000];
	bool cut = true;

	make_ruin();
	ck_ok(salvage(shelf.disk, target, &told));
	listing = listing_on(target);
	snprintf(list, sizeof(list), "%s", strchr(list_of(target), '\n'));
	for (; cut; nth++) {
		struct simdisk *to = simdisk_new();

		simdisk_cut_at(to, SIM_ANY_CHANGE, nth);
		(void)salvage(shelf.disk, to, &told);
		cut = simdisk_is_cut(to);
		for (unsigned at = 0; at < 12; at++) {
			struct sim_crash crash = {.keep = (enum sim_keep)(
							  at % SIM_KEEP_COUNT),
						  .seed = rng_next(&rng)};
			struct simdisk *image = simdisk_crash(to, crash);
			bool is_store =
				check_image(image, listing, list, "cut", nth);

			check_salvaged(image, "cut", nth);
			check_repaired(image, is_store, "cut", nth);
			stores += is_store;
			simdisk_free(image);
			images++;
		}
		simdisk_revive(to);
		check_repaired(to, check_image(to, listing, list, "kill", nth),
			       "kill", nth);
		simdisk_free(to);
	}
	ck_assert_uint_gt(nth, 30);
	/* Only the last of its operations make one. */
	ck_assert_uint_gt(stores, 0);
	ck_assert_uint_lt(stores * 4, images);
	printf("count: salvage, crash images %" PRIu64 "\n", images);
}
END_TEST

START_TEST(what_was_salvaged_is_on_the_disk)
{
	struct told told = {.stop_after = 0};
	struct simdisk *image;
	uint64_t listing;
	char list[2000];

	make_ruin();
	ck_ok(salvage(shelf.disk, target, &told));
	listing = listing_on(target);
	snprintf(list, sizeof(list), "%s", strchr(list_of(target), '\n'));
	image = simdisk_crash(target, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	ck_assert(check_image(image, listing, list, "after", 0));
	simdisk_free(image);
}
END_TEST

static bool take_file(void *context, const char *path, uint64_t size)
{
	(void)context;
	(void)size;
	ck_abort_msg("%s is left", path);
	return true;
}

/* ---- read back ---- */

/* Once segment 1 is sealed, the disk has another bit in it. */
static void rot_at_sync(void *context, enum sim_op op, const char *name)
{
	bool *rotten = context;

	(void)op;
	(void)name;
	if (*rotten || !simdisk_has(target, volume_path(2)))
		return;
	*rotten = true;
	simdisk_rot(target, volume_path(1), 8 * (8192 + 100));
}

START_TEST(fault_36_what_the_disk_wrote_otherwise_is_noticed)
{
	struct told told = {.stop_after = 0};
	bool rotten = false;

	/* More than a first segment of a mebibyte. */
	for (unsigned at = 0; at < 30; at++) {
		static char value[60000];

		memset(value, 'x', sizeof(value) - 1);
		shelf_put(&shelf, "large", value);
	}
	ck_ok(shelf_close(&shelf));
	simdisk_observe(target, SIM_SYNC, rot_at_sync, &rotten);
	ck_error(salvage(shelf.disk, target, &told), WB_CORRUPT);
	ck_assert(rotten);
	ck_assert_ptr_nonnull(strstr(told.text.text, "do not trust"));
	simdisk_each(target, take_file, NULL);
}
END_TEST

START_TEST(whatever_fails_no_store_is_left)
{
	static const enum sim_op ops[] = {
		SIM_READ,   SIM_WRITE,	  SIM_SYNC, SIM_TRUNCATE,
		SIM_OPEN,   SIM_CREATE,	  SIM_MAKE, SIM_RENAME,
		SIM_REMOVE, SIM_DIR_SYNC, SIM_LIST, SIM_DROP_CACHE,
	};
	bool forever = _i == 1;

	make_ruin();
	for (unsigned at = 0; at < sizeof(ops) / sizeof(*ops); at++) {
		uint64_t fired = 1;

		for (uint64_t nth = 1; fired > 0; nth++) {
			struct simdisk *to = simdisk_new();
			struct told told = {.stop_after = 0};
			enum wb_error error;

			simdisk_fault(to,
				      (struct sim_fault){ops[at], nth, WB_IO,
							 forever, true, NULL});
			error = salvage(shelf.disk, to, &told);
			fired = simdisk_faults_fired(to);
			simdisk_faults_clear(to);
			/* Some steps are best effort; then it is as it should
			 * be. */
			if (error)
				ck_assert_uint_gt(strlen(told.text.text), 0);
			else
				check_live(to);
			if (error && !forever)
				simdisk_each(to, take_file, NULL);
			else if (error)
				check_image(to, 0, "", sim_op_name(ops[at]),
					    nth);
			simdisk_free(to);
		}
	}
}
END_TEST

START_TEST(a_full_disk_leaves_no_store)
{
	uint64_t failed = 0;
	enum wb_error error = WB_NO_SPACE;

	make_ruin();
	for (uint64_t pages = 1; error; pages += 2) {
		struct told told = {.stop_after = 0};
		struct simdisk *to = simdisk_new();

		simdisk_capacity(to, pages * 4096);
		error = salvage(shelf.disk, to, &told);
		if (error) {
			ck_error(error, WB_NO_SPACE);
			simdisk_each(to, take_file, NULL);
			failed++;
		}
		simdisk_free(to);
	}
	ck_assert_uint_gt(failed, 3);
}
END_TEST

START_TEST(a_salvage_can_be_stopped)
{
	struct told told = {.stop_after = 4};

	make_ruin();
	ck_error(salvage(shelf.disk, target, &told), WB_CANCELLED);
	simdisk_each(target, take_file, NULL);
	told.stop_after = 0;
	ck_ok(salvage(shelf.disk, target, &told));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("salvage");
	TCase *tcase = tcase_create("core");

	tcase_set_timeout(tcase, full_run() ? 280 : 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_sound_store_is_the_same_store_in_a_new_epoch);
	tcase_add_test(tcase, the_mark_says_why);
	tcase_add_test(tcase, a_lost_commit_is_told_with_its_name);
	tcase_add_test(tcase, what_the_new_store_has_of_a_lost_name_is_told);
	tcase_add_test(tcase, all_of_it_lost_leaves_a_store_with_a_mark);
	tcase_add_test(tcase, a_second_salvage_keeps_the_first_ones_mark);
	tcase_add_test(tcase, an_end_that_nothing_proves_is_a_loss);
	tcase_add_test(tcase, names_at_an_end_that_nothing_proves_are_probable);
	tcase_add_test(tcase, a_torn_write_is_no_loss);
	tcase_add_test(tcase, without_a_uuid_it_is_another_store);
	tcase_add_test(tcase, a_commit_that_breaks_a_rule_is_lost);
	tcase_add_test(tcase, fault_37_a_newer_versions_store_is_not_salvaged);
	tcase_add_test(tcase, a_store_that_may_not_be_read_is_not_salvaged);
	tcase_add_test(tcase, only_an_empty_directory_is_a_target);
	tcase_add_test(tcase, the_losses_are_in_a_file);
	tcase_add_test(tcase, of_any_ruin_all_that_verifies_is_salvaged);
	tcase_add_test(tcase, a_salvage_that_is_cut_leaves_no_store);
	tcase_add_test(tcase, what_was_salvaged_is_on_the_disk);
	tcase_add_test(tcase,
		       fault_36_what_the_disk_wrote_otherwise_is_noticed);
	tcase_add_loop_test(tcase, whatever_fails_no_store_is_left, 0, 2);
	tcase_add_test(tcase, a_full_disk_leaves_no_store);
	tcase_add_test(tcase, a_salvage_can_be_stopped);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
