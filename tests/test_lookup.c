/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions come newest first, from active, sealed and cut segments alike;
 * a time finds the highest revision that is not later, however the clock
 * jumped.
 */
#include "log/lookup.h"

#include "log/segment.h"
#include "log/state.h"
#include "tests/support/forge.h"
#include "tests/support/lab.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <sched.h>
#include <xxhash.h>

static struct lab lab;

static void set_up(void)
{
	lab_init(&lab, 1);
	lab.options.create = true;
	ck_ok(lab_open(&lab));
}

static void tear_down(void)
{
	lab_release(&lab);
}

/* Sealed segments, a cut one, and an active one, with commits of one to four
 * mutations. */
static void fill(void)
{
	for (unsigned at = 0; at < 120; at++) {
		ck_ok(lab_stage(&lab, 1 + at % 4, 100 + at));
		if (at % 3 == 0)
			ck_ok(lab_append(&lab));
		simenv_advance(&lab.env, 1000);
		if (at == 80) {
			ck_ok(lab_append(&lab));
			lab_abandon(&lab);
			ck_ok(lab_reopen(&lab));
		}
	}
	ck_ok(lab_append(&lab));
}

/* ---- versions ---- */

/* What log_versions should say, from the truth: the revisions in which
 * `name` was written, newest first, and how many there are. */
static size_t versions_expected(const struct log_query *query,
				struct wb_bytes name, uint64_t *revisions)
{
	size_t count = 0;

	for (uint64_t revision = lab.truth.count; revision > 0; revision--) {
		const struct history_commit *at =
			&lab.truth.commits[revision - 1];
		struct mutation_walk walk;
		struct mutation mutation;
		struct commit commit;

		if ((query->before && revision >= query->before) ||
		    (query->upto && revision > query->upto))
			continue;
		ck_ok(commit_decode(lab.truth.bytes + at->at, at->size,
				    &commit));
		walk = mutation_walk_begin(&commit);
		while (mutation_walk_next(&walk, &mutation))
			if (!name.size ||
			    (mutation.key.name.size == name.size &&
			     memcmp(mutation.key.name.data, name.data,
				    name.size) == 0))
				revisions[count++] = revision;
	}
	return count;
}

struct collected {
	struct wb_bytes name; /* empty: all */
	uint64_t revisions[1000];
	size_t count;
	size_t stop_at;
};

static bool collect(void *context, const struct commit *commit,
		    const struct mutation *mutation)
{
	struct collected *collected = context;

	if (collected->name.size &&
	    (mutation->key.name.size != collected->name.size ||
	     memcmp(mutation->key.name.data, collected->name.data,
		    collected->name.size) != 0))
		return true;
	collected->revisions[collected->count++] = commit->head.revision;
	return collected->count != collected->stop_at;
}

static void check_query(struct log_query query, struct wb_bytes name)
{
	struct collected collected = {.name = name};
	uint64_t expected[1000];
	size_t count = versions_expected(&query, name, expected);

	ck_ok(log_versions(lab.log, &query, collect, &collected));
	ck_assert_uint_eq(collected.count, count);
	for (size_t at = 0; at < count; at++)
		ck_assert_uint_eq(collected.revisions[at], expected[at]);
}

START_TEST(versions_of_a_key_come_newest_first)
{
	unsigned found = 0;

	fill();
	for (unsigned which = 0; which < 4 * 23; which++) {
		char text[32];
		struct wb_key key = {.kind = 64, .ns = {"default", 7}};
		struct log_query query = {.by_hash = true};

		snprintf(text, sizeof(text), "key-%u-%u", which / 23,
			 which % 23);
		key.name = (struct wb_bytes){text, strlen(text)};
		query.hash = mutation_hash(&key);
		check_query(query, key.name);
		for (unsigned bound = 1; bound <= 122; bound += 11) {
			query.before = bound;
			query.upto = 0;
			check_query(query, key.name);
			query.before = 0;
			query.upto = bound;
			check_query(query, key.name);
		}
		found++;
	}
	ck_assert_uint_eq(found, 92);
}
END_TEST

static void check_bounds(void)
{
	ck_assert(lab_versions_equal(&lab, &lab.truth));
	for (unsigned bound = 1; bound <= 122; bound++) {
		check_query((struct log_query){.before = bound},
			    (struct wb_bytes){NULL, 0});
		check_query((struct log_query){.upto = bound},
			    (struct wb_bytes){NULL, 0});
		check_query((struct log_query){.upto = bound, .before = 60},
			    (struct wb_bytes){NULL, 0});
	}
}

START_TEST(all_versions_come_newest_first)
{
	fill();
	check_bounds();
}
END_TEST

START_TEST(a_visitor_may_stop)
{
	fill();
	for (size_t stop = 1; stop < 250; stop += 7) {
		struct collected collected = {.stop_at = stop};
		struct log_query query = {.by_hash = false};

		ck_ok(log_versions(lab.log, &query, collect, &collected));
		ck_assert_uint_eq(collected.count, stop);
	}
}
END_TEST

START_TEST(the_lookup_is_the_same_after_opening_again)
{
	fill();
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab));
	check_bounds();
}
END_TEST

/* Rot that comes after the open is an error of the read. */
static void *put_one(void *context)
{
	*(enum wb_error *)context = lab_put(&lab, 10);
	return NULL;
}

/* Where readers come first, enough of them keep a commit waiting for ever. */
START_TEST(readers_stand_behind_a_commit_that_waits)
{
	pthread_rwlock_t *lock = &lab.log->lock;
	enum wb_error error = WB_NOT_FOUND;
	pthread_t thread;

	ck_assert_int_eq(pthread_rwlock_rdlock(lock), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, put_one, &error), 0);
	while (pthread_rwlock_tryrdlock(lock) == 0) {
		pthread_rwlock_unlock(lock);
		sched_yield();
	}
	pthread_rwlock_unlock(lock);
	pthread_join(thread, NULL);
	ck_ok(error);
}
END_TEST

START_TEST(every_frame_that_is_read_is_verified)
{
	struct log_query query = {.by_hash = false};
	uint64_t segments;

	fill();
	segments = lab_segments(&lab);
	ck_assert_uint_gt(segments, 3);
	for (uint64_t id = 1; id <= segments; id++) {
		struct collected collected = {.name = {NULL, 0}};
		const char *name = lab_segment(id);
		uint64_t bit = (SEGMENT_FRAMES_AT + 60) * 8;

		ck_ok(lab_sync_segment(&lab, name));
		simdisk_flip(lab.disk, name, bit);
		simenv_forget(&lab.env);
		ck_error(log_versions(lab.log, &query, collect, &collected),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, name));
		simdisk_flip(lab.disk, name, bit);
	}
	ck_assert(lab_versions_equal(&lab, &lab.truth));
}
END_TEST

static struct log_query query_of(const char *name)
{
	struct wb_key key = {.kind = 64,
			     .ns = {"default", 7},
			     .name = {name, strlen(name)}};

	return (struct log_query){.by_hash = true, .hash = mutation_hash(&key)};
}

/* Its entries are on one page here. Whatever bit of it changes, no version is
 * left out silently, neither of a key that the bit is about nor of others. */
START_TEST(a_footer_that_rots_is_an_error_of_the_lookup)
{
	struct log_query query = query_of("key-0-1");
	const struct log_segment *first;
	const char *name = lab_segment(1);
	uint64_t from, to;
	char said[64];

	fill();
	first = &lab.log->segments[0];
	from = first->footer_at + FRAME_HEADER_BYTES + FOOTER_HEAD_BYTES;
	to = from + first->pages.entry_count * FOOTER_ENTRY_BYTES;
	ck_assert_uint_gt(first->pages.entry_count, 10);
	snprintf(said, sizeof(said), "%s: offset %" PRIu64, name, from);
	ck_ok(lab_sync_segment(&lab, name));
	for (uint64_t bit = from * 8; bit < to * 8; bit++) {
		struct collected collected = {.name = {NULL, 0}};

		simdisk_flip(lab.disk, name, bit);
		simenv_forget(&lab.env);
		ck_error(log_versions(lab.log, &query, collect, &collected),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, said));
		simdisk_flip(lab.disk, name, bit);
	}
	check_query(query, (struct wb_bytes){"key-0-1", 7});
}
END_TEST

/* Asks for the hash of the first entry of segment 1. */
static enum wb_error ask_first(uint64_t entry_at)
{
	struct collected collected = {.name = {NULL, 0}};
	struct log_query query = {.by_hash = true};

	simdisk_get(lab.disk, lab_segment(1), &query.hash, 4, entry_at);
	return log_versions(lab.log, &query, collect, &collected);
}

/* A footer whose checksums hold, and which lies: what it leads to says so. */
START_TEST(an_entry_that_leads_to_another_commit_is_an_error)
{
	static const struct {
		unsigned field, change;
	} rows[] = {
		{0, 1}, /* the hash: below the next one's, or none of these */
		{4, 1}, /* the frame */
		{4, 64}, {8, 1}, /* the revision */
		{12, 1},	 /* the place in the commit */
	};
	struct footer_page *page;
	uint64_t at;

	fill();
	ck_ok(lab_sync_segment(&lab, lab_segment(1)));
	page = &lab.log->segments[0].pages.list[0];
	at = lab.log->segments[0].footer_at + FRAME_HEADER_BYTES +
	     FOOTER_HEAD_BYTES;
	ck_ok(ask_first(at));
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		size_t size = pages_size(&lab.log->segments[0].pages, 0);
		uint8_t bytes[FOOTER_PAGE_BYTES], lie[FOOTER_PAGE_BYTES];
		struct footer_page truth = *page;

		simdisk_get(lab.disk, lab_segment(1), bytes, size, at);
		memcpy(lie, bytes, size);
		lie[rows[row].field] ^= (uint8_t)rows[row].change;
		simdisk_set(lab.disk, lab_segment(1), lie, size, at);
		page->checksum = XXH3_64bits(lie, size);
		page->hash = page->revision = 0;
		simenv_forget(&lab.env);
		ck_error(ask_first(at), WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, lab_segment(1)));
		simdisk_set(lab.disk, lab_segment(1), bytes, size, at);
		*page = truth;
	}
	ck_ok(ask_first(at));
}
END_TEST

/* ---- segments that were cut ---- */

/* Reads all of it once; for good, where there is room in memory. */
static void check_cut(size_t left, bool kept)
{
	struct log_query query;
	struct wb_bytes name;
	uint64_t read[2];
	char text[32];

	lab_release(&lab);
	set_up();
	while (lab_segments(&lab) < 2)
		ck_ok(lab_put(&lab, 50));
	for (unsigned at = 0; at < 8; at++)
		ck_ok(lab_put(&lab, 50));
	lab_abandon(&lab);
	ck_ok(lab_reopen(&lab));
	ck_ok(lab_put(&lab, 50));
	ck_assert_int_eq(lab.log->segments[1].state, LOG_CUT);
	snprintf(text, sizeof(text), "key-0-%u",
		 (unsigned)lab.log->segments[1].head % 23);
	name = (struct wb_bytes){text, strlen(text)};
	query = query_of(text);
	lab.log->indexed_bytes_left = left;
	for (unsigned look = 0; look < 2; look++) {
		read[look] = simdisk_bytes_read(lab.disk);
		check_query(query, name);
		read[look] = simdisk_bytes_read(lab.disk) - read[look];
	}
	ck_assert_uint_gt(read[0],
			  lab.log->segments[1].end - SEGMENT_FRAMES_AT);
	ck_assert_int_eq(lab.log->segments[1].indexed, kept);
	if (kept)
		ck_assert_uint_lt(read[1], read[0]);
	else
		ck_assert_uint_eq(read[1], read[0]);
	/* From its end, its middle, and above it. */
	for (query.before = 1; query.before < lab.truth.count + 2;
	     query.before++)
		check_query(query, name);
}

START_TEST(a_cut_segment_is_indexed_by_the_first_who_asks)
{
	check_cut(LOG_INDEXED_BYTES_MAX, true);
}
END_TEST

START_TEST(a_cut_segment_that_takes_too_much_is_indexed_each_time)
{
	check_cut(0, false);
}
END_TEST

/* The newest segment of a killed process, as a reader finds it. */
START_TEST(a_reader_finds_the_versions_of_a_segment_that_was_not_closed)
{
	for (unsigned at = 0; at < 60; at++)
		ck_ok(lab_put(&lab, 50));
	lab_abandon(&lab);
	lab.options.create = false;
	lab.options.read_only = true;
	ck_ok(lab_open(&lab));
	ck_assert(!log_newest(lab.log)->indexed);
	check_query(query_of("key-0-5"), (struct wb_bytes){"key-0-5", 7});
	ck_assert(log_newest(lab.log)->indexed);
	check_query(query_of("key-0-5"), (struct wb_bytes){"key-0-5", 7});
	check_query(query_of("no such key"),
		    (struct wb_bytes){"no such key", 11});
	ck_assert(lab_versions_equal(&lab, &lab.truth));
}
END_TEST

/* ---- beside appends ---- */

enum { APPENDS = 600, READERS = 2 };

struct watch {
	uint64_t last;	/* that was told, 0: none yet */
	uint64_t least; /* that the first one may be */
	uint64_t step;	/* from one to the next */
};

static bool watch_version(void *context, const struct commit *commit,
			  const struct mutation *mutation)
{
	struct watch *watch = context;
	uint64_t revision = commit->head.revision;

	(void)mutation;
	ck_assert(watch->last ? revision == watch->last - watch->step
			      : revision >= watch->least);
	watch->last = revision;
	return true;
}

static void *read_beside(void *context)
{
	struct log_query all = {.by_hash = false};
	struct log_query one = query_of("key-0-7");
	_Atomic bool *done = context;
	uint64_t head, revision;
	bool last;

	do {
		struct watch watch = {.step = 1};

		last = *done;
		head = watch.least = log_durable_revision(lab.log);
		ck_ok(log_versions(lab.log, &all, watch_version, &watch));
		ck_assert_uint_eq(watch.last, head > 0 || watch.last ? 1 : 0);
		/* Revision 7, 30, 53, ... */
		watch = (struct watch){.step = 23};
		watch.least = head < 7 ? 7 : head - (head - 7) % 23;
		ck_ok(log_versions(lab.log, &one, watch_version, &watch));
		ck_assert(watch.last == 7 || (head < 7 && watch.last == 0));
		ck_ok(log_revision_at(lab.log, INT64_MAX, 0, &revision));
		ck_assert_uint_ge(revision, head);
	} while (!last);
	return NULL;
}

/* Groups become durable, segments are sealed and begun, and whoever looks
 * sees every version there was when it began. */
START_TEST(lookups_run_beside_appends_and_rotations)
{
	_Atomic bool done = false;
	pthread_t readers[READERS];

	for (unsigned at = 0; at < READERS; at++)
		ck_assert_int_eq(pthread_create(&readers[at], NULL, read_beside,
						&done),
				 0);
	for (unsigned at = 0; at < APPENDS; at++)
		ck_ok(lab_put(&lab, 50));
	done = true;
	for (unsigned at = 0; at < READERS; at++)
		pthread_join(readers[at], NULL);
	ck_assert_uint_gt(lab_segments(&lab), 10);
}
END_TEST

/* ---- an index that is wrong, and whose checksum holds ---- */

enum { ENTRIES_AT = 48 + 80, ENTRY = 16, HASH_AT = 0, REVISION_AT = 8 };

static uint64_t footer_of(const char *name)
{
	uint64_t at = SEGMENT_FRAMES_AT;
	uint8_t type = 0;

	while (type != FRAME_FOOTER) {
		simdisk_get(lab.disk, name, &type, 1, at + 12);
		if (type != FRAME_FOOTER)
			at = forge_next(lab.disk, name, at);
	}
	return at;
}

static uint32_t entry_of(const char *name, uint64_t at)
{
	uint32_t value;

	simdisk_get(lab.disk, name, &value, 4, at);
	return value;
}

static enum wb_error ask(struct log_query query)
{
	struct collected collected = {.name = {NULL, 0}};

	return log_versions(lab.log, &query, collect, &collected);
}

static void open_again(void)
{
	ck_ok(lab_close(&lab));
	ck_ok(lab_reopen(&lab)); /* all versions are compared */
	simenv_forget(&lab.env);
}

/* Each field of the last entry in turn, so that their order stays right. An
 * open does not notice, nor does who asks for all. */
START_TEST(an_entry_that_leads_astray_is_an_error)
{
	const char *name = lab_segment(1);
	uint64_t footer, entry, entries;
	struct simdisk *whole;
	uint32_t hash;

	fill();
	ck_ok(lab_sync_segment(&lab, name));
	whole = simdisk_clone(lab.disk);
	footer = footer_of(name);
	simdisk_get(lab.disk, name, &entries, 8, footer + 48 + 72);
	entry = ENTRIES_AT + (entries - 1) * ENTRY;
	hash = entry_of(name, footer + entry);
	ck_ok(ask((struct log_query){.by_hash = true, .hash = hash}));
	for (uint64_t field = 0; field < ENTRY; field += 4) {
		/* 8192 is where the first commit is. */
		uint32_t wrong = field == HASH_AT	? UINT32_MAX
				 : field == REVISION_AT ? 0
				 : field == 4		? 8192 / 8
							: 7;

		ck_assert_uint_ne(entry_of(name, footer + entry + field),
				  wrong);
		forge_frame(lab.disk, name, footer, entry + field, &wrong, 4);
		open_again();
		ck_error(ask((struct log_query){.by_hash = true,
						.hash = field ? hash
							      : UINT32_MAX}),
			 WB_CORRUPT);
		ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, "the index"));
		/* It is nothing to those who do not come by. */
		ck_ok(ask(
			(struct log_query){.by_hash = true, .hash = hash ^ 1}));
		simdisk_copy(lab.disk, name, whole, name);
	}
	open_again();
	ck_ok(ask((struct log_query){.by_hash = true, .hash = hash}));
	simdisk_free(whole);
}
END_TEST

/* One entry less: no accident, and none is found wrong. Who opened the log
 * before sees that the page is another one; an open counts. */
START_TEST(a_version_without_an_entry_is_missed)
{
	const char *name = lab_segment(1);
	uint64_t footer, entries;
	uint32_t payload, hash;

	fill();
	ck_ok(lab_sync_segment(&lab, name));
	footer = footer_of(name);
	for (unsigned less = 0; less < 3; less++) {
		const uint8_t zeros[ENTRY] = {0};

		simdisk_get(lab.disk, name, &entries, 8, footer + 48 + 72);
		entries--;
		hash = entry_of(name, footer + ENTRIES_AT + entries * ENTRY);
		forge_frame(lab.disk, name, footer,
			    ENTRIES_AT + entries * ENTRY, zeros, ENTRY);
		forge_frame(lab.disk, name, footer, 48 + 72, &entries, 8);
		payload = (uint32_t)(80 + entries * ENTRY);
		forge_frame(lab.disk, name, footer, 20, &payload, 4);
		ck_error(ask((struct log_query){.by_hash = true, .hash = hash}),
			 WB_CORRUPT);
		ck_assert(lab_versions_equal(&lab, &lab.truth));
	}
	lab_abandon(&lab);
	simenv_forget(&lab.env);
	ck_error(lab_open(&lab), WB_CORRUPT);
	ck_assert(simenv_said(&lab.env, DIAG_DAMAGE, "number of entries"));
}
END_TEST

/* Each commit of a segment turned into a mark, or into that of another
 * revision, by bytes that verify. */
START_TEST(a_commit_that_is_no_longer_one_is_missed)
{
	const uint8_t mark = FRAME_MARK;
	const char *name = lab_segment(1);
	uint64_t at = SEGMENT_FRAMES_AT, footer;
	struct simdisk *whole;
	unsigned commits = 0;

	fill();
	ck_ok(lab_sync_segment(&lab, name));
	whole = simdisk_clone(lab.disk);
	footer = footer_of(name);
	for (; at < footer; at = forge_next(lab.disk, name, at)) {
		const uint64_t revision_at = FRAME_HEADER_BYTES + 1;
		uint8_t type, revision;

		simdisk_get(lab.disk, name, &type, 1, at + 12);
		if (type != FRAME_COMMIT)
			continue;
		simdisk_get(lab.disk, name, &revision, 1, at + revision_at);
		ck_assert_uint_lt(revision, 127); /* a varint of one byte */
		revision++;
		forge_frame(lab.disk, name, at, revision_at, &revision, 1);
		ck_error(ask((struct log_query){.by_hash = false}), WB_CORRUPT);
		simdisk_copy(lab.disk, name, whole, name);
		forge_frame(lab.disk, name, at, 12, &mark, 1);
		ck_error(ask((struct log_query){.by_hash = false}), WB_CORRUPT);
		ck_error(ask((struct log_query){.before = 8}), WB_CORRUPT);
		simdisk_copy(lab.disk, name, whole, name);
		commits++;
	}
	ck_assert_uint_gt(commits, 3);
	ck_ok(ask((struct log_query){.by_hash = false}));
	simdisk_free(whole);
}
END_TEST

START_TEST(an_error_of_the_disk_is_one_of_the_lookup)
{
	static const enum sim_op kinds[] = {SIM_OPEN, SIM_READ};
	struct log_query query = {.by_hash = false};

	fill();
	for (size_t kind = 0; kind < 2; kind++) {
		uint64_t before = simdisk_count(lab.disk, kinds[kind]);
		uint64_t count;

		ck_assert(lab_versions_equal(&lab, &lab.truth));
		count = simdisk_count(lab.disk, kinds[kind]) - before;
		ck_assert_uint_gt(count, 3);
		for (uint64_t nth = 1; nth <= count; nth++) {
			struct collected collected = {.name = {NULL, 0}};

			simdisk_fault(lab.disk,
				      (struct sim_fault){.kind = kinds[kind],
							 .nth = nth,
							 .error = WB_IO});
			ck_error(log_versions(lab.log, &query, collect,
					      &collected),
				 WB_IO);
			simdisk_faults_clear(lab.disk);
		}
	}
}
END_TEST

/* ---- times ---- */

static void check_times(void)
{
	for (size_t at = 0; at < lab.truth.count; at++) {
		for (int64_t off = -1; off <= 1; off++) {
			int64_t time = lab.truth.commits[at].time_ns + off;
			uint64_t expected = 0, among = 0, revision;
			uint64_t upto = 1 + at * 7 % lab.truth.count;

			for (size_t i = 0; i < lab.truth.count; i++)
				if (lab.truth.commits[i].time_ns <= time)
					expected = i + 1;
			for (size_t i = 0; i < upto; i++)
				if (lab.truth.commits[i].time_ns <= time)
					among = i + 1;
			ck_ok(log_revision_at(lab.log, time, 0, &revision));
			ck_assert_uint_eq(revision, expected);
			ck_ok(log_revision_at(lab.log, time, upto, &revision));
			ck_assert_uint_eq(revision, among);
		}
	}
}

START_TEST(a_time_finds_the_highest_revision_that_is_not_later)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct rng rng = rng_of(seed);
		int64_t now = 1000000;

		lab_release(&lab);
		set_up();
		for (unsigned at = 0; at < 150; at++) {
			/* Forward, and now and then far back or ahead. */
			now += (int64_t)rng_below(&rng, 100);
			if (rng_chance(&rng, 1, 15))
				now = (int64_t)rng_below(&rng, 2000000) -
				      (int64_t)rng_below(&rng, 1000000);
			simenv_set_wall(&lab.env, now);
			ck_ok(lab_put(&lab, 200));
			if (at == 70) {
				lab_abandon(&lab);
				ck_ok(lab_reopen(&lab));
			}
		}
		ck_assert_uint_gt(lab_segments(&lab), 4);
		check_times();
		ck_ok(lab_close(&lab));
		ck_ok(lab_reopen(&lab));
		check_times();
	}
}
END_TEST

START_TEST(before_the_first_commit_there_is_no_revision)
{
	uint64_t revision = 99;

	ck_ok(log_revision_at(lab.log, INT64_MAX, 0, &revision));
	ck_assert_uint_eq(revision, 0);
	simenv_set_wall(&lab.env, INT64_MAX);
	ck_ok(lab_put(&lab, 10));
	ck_ok(log_revision_at(lab.log, INT64_MAX - 1, 0, &revision));
	ck_assert_uint_eq(revision, 0);
	ck_ok(log_revision_at(lab.log, INT64_MAX, 0, &revision));
	ck_assert_uint_eq(revision, 1);
	ck_ok(log_revision_at(lab.log, INT64_MIN, 0, &revision));
	ck_assert_uint_eq(revision, 0);
}
END_TEST

/* ---- what changed since ---- */

static uint32_t hash_of(const char *name)
{
	struct wb_key key = {64, {"default", 7}, {name, strlen(name)}};

	return mutation_hash(&key);
}

/* The newest revision of the truth that changed the name. */
static uint64_t newest_version(const char *name)
{
	uint64_t revisions[1000];
	struct log_query query = {.before = 0};

	return versions_expected(&query, (struct wb_bytes){name, strlen(name)},
				 revisions)
		       ? revisions[0]
		       : 0;
}

START_TEST(what_may_have_changed_is_never_denied)
{
	uint64_t head, first, denied = 0;

	fill();
	head = lab.truth.count;
	first = log_newest(lab.log)->header.first_revision;
	ck_assert_uint_gt(first, 2);
	ck_assert_uint_lt(first, head);
	for (unsigned which = 0; which < 4 * 23; which++) {
		char name[32];
		uint64_t newest;

		snprintf(name, sizeof(name), "key-%u-%u", which / 23,
			 which % 23);
		newest = newest_version(name);
		for (uint64_t since = 0; since <= head; since++) {
			bool may = log_may_have_changed(lab.log, hash_of(name),
							since);

			if (newest > since)
				ck_assert(may);
			/* Here all of it is in memory, and exact. */
			if (since + 1 >= first)
				ck_assert(may == (newest > since));
			denied += !may;
		}
	}
	/* Each of the 92 names at the head, at least. */
	ck_assert_uint_gt(denied, 92);
}
END_TEST

START_TEST(where_only_a_file_would_tell_it_may_have_changed)
{
	uint64_t first;

	fill();
	first = log_newest(lab.log)->header.first_revision;
	ck_assert(log_may_have_changed(lab.log, hash_of("never"), first - 2));
	ck_assert(!log_may_have_changed(lab.log, hash_of("never"), first - 1));
}
END_TEST

/* Versions of another key in front of it, more than are looked at at once. */
START_TEST(a_change_is_found_behind_any_number_of_others)
{
	enum { HASH = 7, OTHER = 8, HEAD = 3 * ENTRIES_LOOK_MAX };
	struct log_entry entry = {.hash = HASH,
				  .revision = 1,
				  .offset = SEGMENT_FRAMES_AT};
	struct log_segment *newest = log_newest(lab.log);

	ck_ok(entries_reserve(&newest->entries, HEAD));
	entries_add(&newest->entries, &entry, 1, 0);
	entry.hash = OTHER;
	for (entry.revision = 2; entry.revision <= HEAD; entry.revision++)
		entries_add(&newest->entries, &entry, 1, 0);
	newest->head = HEAD;
	ck_assert(log_may_have_changed(lab.log, HASH, 0));
	ck_assert(!log_may_have_changed(lab.log, HASH, 1));
	ck_assert(!log_may_have_changed(lab.log, HASH + OTHER, 0));
	ck_assert(log_may_have_changed(lab.log, OTHER, HEAD - 1));
	ck_assert(!log_may_have_changed(lab.log, OTHER, HEAD));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *tests = tcase_create("lookup");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, versions_of_a_key_come_newest_first);
	tcase_add_test(tests, all_versions_come_newest_first);
	tcase_add_test(tests, a_visitor_may_stop);
	tcase_add_test(tests, the_lookup_is_the_same_after_opening_again);
	tcase_add_test(tests, readers_stand_behind_a_commit_that_waits);
	tcase_add_test(tests, every_frame_that_is_read_is_verified);
	tcase_add_test(tests, a_footer_that_rots_is_an_error_of_the_lookup);
	tcase_add_test(tests,
		       an_entry_that_leads_to_another_commit_is_an_error);
	tcase_add_test(tests, an_entry_that_leads_astray_is_an_error);
	tcase_add_test(tests, a_version_without_an_entry_is_missed);
	tcase_add_test(tests, a_commit_that_is_no_longer_one_is_missed);
	tcase_add_test(tests, a_cut_segment_is_indexed_by_the_first_who_asks);
	tcase_add_test(tests,
		       a_cut_segment_that_takes_too_much_is_indexed_each_time);
	tcase_add_test(
		tests,
		a_reader_finds_the_versions_of_a_segment_that_was_not_closed);
	tcase_add_test(tests, lookups_run_beside_appends_and_rotations);
	tcase_add_test(tests, an_error_of_the_disk_is_one_of_the_lookup);
	tcase_add_test(tests,
		       a_time_finds_the_highest_revision_that_is_not_later);
	tcase_add_test(tests, before_the_first_commit_there_is_no_revision);
	tcase_add_test(tests, what_may_have_changed_is_never_denied);
	tcase_add_test(tests, where_only_a_file_would_tell_it_may_have_changed);
	tcase_add_test(tests, a_change_is_found_behind_any_number_of_others);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
