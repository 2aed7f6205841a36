/* SPDX-License-Identifier: Apache-2.0
 *
 * The damage loop: a store of several segments, each file of it damaged in
 * every way that a disk or a person can, one at a time; each damaged image is
 * opened, and all that is served is compared with the truth. Whatever happens
 * is one of
 *
 *   detected  WB_CORRUPT, said, and not a byte was changed
 *   healed    reported, and everything is there
 *   torn      reported as an unfinished write, or gone without a trace at the
 *             end of the log: everything that MARK, CLOSE or the anchor cover
 *             is there
 *   unused    nobody noticed, everything is there, and docs/FORMAT.md lists
 *             the bytes under "Bytes that mean nothing"
 *
 * or the test fails with the file, the offset and what was done to it.
 *
 * The first ground is damaged in every bit. The others differ in how the
 * log ends: there the newest segment and the anchor are damaged, in every bit
 * of the frames and one of each other byte.
 */
#include "log/log.h"

#include "log/anchor.h"
#include "log/segment.h"
#include "store/store.h"
#include "tests/support/hush.h"
#include "tests/support/lab.h"
#include "tests/support/memdir.h"
#include "tests/support/simpages.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

enum {
	SECTOR = 512,
	FILES_MAX = 16,
	FRAMES_MAX = 400,
	WORKERS = 2,
	OLDER_MAX = 200
};

/* Sanitizers and builds without optimisation take ten times as long: there
 * one bit of a quarter of the bytes has to do. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	!defined(__OPTIMIZE__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

static bool full; /* WAYBILL_FULL=1 */

/* ---- the truth ---- */

struct ground {
	const char *name;
	struct memdir *memdir;
	struct history truth;
	uint64_t covered; /* revisions that no single damage may cost */
	size_t count;
	struct ground_file {
		char name[64];
		size_t size;
		uint64_t end; /* of what means something; 0: none does */
		bool newest;
		bool cut;
	} files[FILES_MAX];
	size_t frame_count;
	struct frame_place {
		const struct ground_file *file;
		size_t at, size;
		uint64_t durable_bytes;
	} frames[FRAMES_MAX];
	uint64_t said_words; /* when it is opened as it is */
	uint64_t marked;     /* where the last MARK or CLOSE ends */
	/* The files as they were earlier. */
	struct memdir *older[OLDER_MAX];
	size_t older_count;
};

static const struct ground_file *ground_file(const struct ground *ground,
					     const char *name)
{
	for (size_t at = 0; at < ground->count; at++)
		if (strcmp(ground->files[at].name, name) == 0)
			return &ground->files[at];
	return NULL;
}

/* ---- a world that costs nothing ---- */

static size_t said[3];
static bool said_torn;
static uint64_t said_words; /* a hash of all lines */
static char said_last[512];

static void hear(void *context, enum diag_severity severity, const char *line)
{
	(void)context;
	said[severity]++;
	said_words = XXH3_64bits_withSeed(line, strlen(line), said_words);
	if (strstr(line, "did not finish"))
		said_torn = true;
	snprintf(said_last, sizeof(said_last), "%s", line);
}

static void forget(void)
{
	memset(said, 0, sizeof(said));
	said_torn = false;
	said_words = 0;
	said_last[0] = '\0';
}

static int64_t fixed_time(const struct clock *clock)
{
	(void)clock;
	return 1;
}

static void fixed_fill(const struct random *random, void *buffer, size_t size)
{
	(void)random;
	memset(buffer, 0x6b, size);
}

static const struct clock fixed_clock = {fixed_time, fixed_time};
static const struct random fixed_random = {fixed_fill};
static const struct diag fixed_diag = {hear, NULL};
static const struct env fixed_env = {&fixed_clock, &fixed_random, &fixed_diag};

/* ---- building a ground ---- */

static bool copy_file(void *context, const char *path, uint64_t size)
{
	struct {
		struct simdisk *disk;
		struct memdir *memdir;
	} *copy = context;
	uint8_t *bytes = sim_alloc((size_t)size + 1);

	simdisk_get(copy->disk, path, bytes, (size_t)size, 0);
	memdir_put(copy->memdir, path, bytes, (size_t)size);
	free(bytes);
	return true;
}

static struct memdir *memdir_of(struct simdisk *disk)
{
	struct {
		struct simdisk *disk;
		struct memdir *memdir;
	} copy = {disk, memdir_new()};

	simdisk_each(disk, copy_file, &copy);
	return copy.memdir;
}

static void put(struct lab *lab, struct ground *ground, unsigned commits,
		size_t value_bytes)
{
	for (unsigned at = 0; at < commits; at++)
		ck_ok(lab_stage(lab, 1 + (unsigned)lab->truth.count % 3,
				value_bytes));
	ck_ok(lab_append(lab));
	simenv_advance(&lab->env, 1000000);
	ck_assert_uint_lt(ground->older_count, OLDER_MAX);
	ground->older[ground->older_count++] = memdir_of(lab->disk);
}

static struct wb_file_stat newest_now(struct lab *lab);

/* Fill up to `bytes` of the segment, in groups of one and two. */
static void fill(struct lab *lab, struct ground *ground, uint64_t id,
		 uint64_t bytes)
{
	while (newest_now(lab).id <= id &&
	       (newest_now(lab).id < id || newest_now(lab).bytes < bytes))
		put(lab, ground, 1 + (unsigned)lab->truth.count % 2,
		    20 + lab->truth.count * 37 % 700);
}

static bool take_newest(void *context, const struct wb_file_stat *file)
{
	if (strcmp(file->kind, "log") == 0)
		*(struct wb_file_stat *)context = *file;
	return true;
}

static struct wb_file_stat newest_now(struct lab *lab)
{
	struct wb_file_stat file = {0};

	ck_ok(log_files(lab->log, take_newest, &file));
	return file;
}

static bool take_extent(void *context, const struct wb_file_stat *stat)
{
	struct ground *ground = context;
	struct ground_file *file =
		(struct ground_file *)ground_file(ground, stat->name);

	ck_assert_ptr_nonnull(file);
	file->end = stat->bytes;
	file->cut = strcmp(stat->state, "cut") == 0;
	return true;
}

/* What of each file means something, as an open finds it. */
static void look_at_files(struct ground *ground)
{
	struct log_options options = {.read_only = true};
	struct history seen = {0};
	struct log *log;

	for (size_t at = 0; at < memdir_count(ground->memdir); at++) {
		struct ground_file *file = &ground->files[ground->count++];

		snprintf(file->name, sizeof(file->name), "%s",
			 memdir_name(ground->memdir, at));
		(void)memdir_bytes(ground->memdir, file->name, &file->size);
		if (strcmp(file->name, "anchor") == 0)
			file->end = file->size;
	}
	forget();
	ck_ok(log_open(memdir_dir(ground->memdir), &fixed_env, &options,
		       history_replay, &seen, &log));
	ck_assert_uint_eq(said[DIAG_DAMAGE], 0);
	ground->said_words = said_words;
	ck_assert(history_equal(&seen, &ground->truth));
	ck_ok(log_files(log, take_extent, ground));
	ck_ok(log_close(log));
	history_release(&seen);
}

static void list_frames(struct ground *ground)
{
	for (size_t i = 0; i < ground->count; i++) {
		const struct ground_file *file = &ground->files[i];
		size_t size, at = SEGMENT_FRAMES_AT;
		const uint8_t *bytes =
			memdir_bytes(ground->memdir, file->name, &size);
		struct frame frame;

		if (strstr(file->name, ".log") == NULL)
			continue;
		for (; at < file->end; at += frame.frame_bytes) {
			ck_ok(frame_parse(bytes + at, size - at, &frame));
			ck_assert_uint_lt(ground->frame_count, FRAMES_MAX);
			ground->frames[ground->frame_count++] =
				(struct frame_place){file, at,
						     frame.frame_bytes,
						     frame.durable_bytes};
			if (frame.type == FRAME_MARK ||
			    frame.type == FRAME_CLOSE)
				ground->marked = at + frame.frame_bytes;
		}
	}
}

enum ending { END_CLOSE, END_MARK, END_COMMIT, END_UNANCHORED, ENDINGS };

static struct anchor newest_slot(const uint8_t *bytes)
{
	struct anchor newest = {0}, anchor;

	for (unsigned slot = 0; slot < ANCHOR_SLOTS; slot++)
		if (!anchor_decode(bytes + slot * ANCHOR_SLOT_BYTES, slot,
				   &anchor) &&
		    anchor.sequence >= newest.sequence)
			newest = anchor;
	return newest;
}

/* The end of the log: a MARK, three groups, and then MARK, CLOSE, or nothing.
 * Or an anchor that has no room from the MARK on, and one group: then the
 * MARK stands alone against damage to itself. */
static void write_end(struct lab *lab, struct ground *ground,
		      enum ending ending)
{
	if (ending == END_UNANCHORED)
		simdisk_fault(lab->disk,
			      (struct sim_fault){.kind = SIM_WRITE,
						 .nth = 1,
						 .error = WB_NO_SPACE,
						 .forever = true,
						 .name = "anchor"});
	(void)log_mark(lab->log);
	put(lab, ground, 1, 60);
	if (ending != END_UNANCHORED) {
		put(lab, ground, 2, 60);
		put(lab, ground, 2, 60);
	}
	if (ending == END_MARK)
		ck_ok(log_mark(lab->log));
	if (ending == END_CLOSE)
		ck_ok(lab_close(lab));
	else
		lab_abandon(lab);
}

static void take_disk(struct ground *ground, struct lab *lab)
{
	struct simdisk *image =
		simdisk_crash(lab->disk, (struct sim_crash){SIM_KEEP_ALL, 0});
	size_t size;

	ground->memdir = memdir_of(image);
	memdir_put(ground->memdir, "tmp/spare", "spare", 5);
	memdir_put(ground->memdir, "lock", "1 text\n", 7);
	memdir_put(ground->memdir, "torn/x", "torn", 4);
	memdir_put(ground->memdir, "tmp/x", "tmp", 3);
	simdisk_free(image);
	ground->truth = lab->truth;
	lab->truth = (struct history){0};
	look_at_files(ground);
	list_frames(ground);
	ground->covered =
		newest_slot(memdir_bytes(ground->memdir, "anchor", &size))
			.durable_revision;
}

/* Two sealed segments, a cut one with debris behind the cut, a sealed one, and
 * the newest, which ends in one of four ways. */
static void ground_build(struct ground *ground, enum ending ending,
			 uint64_t seed)
{
	static const char *const names[] = {"closed", "marked", "not ended",
					    "not anchored"};
	/* How many acknowledged commits nothing but later ones covers. */
	static const uint64_t open[] = {0, 0, 5, 1};
	struct lab lab;
	uint64_t end;

	*ground = (struct ground){.name = names[ending]};
	lab_init(&lab, seed);
	lab.options.create = true;
	ck_ok(lab_open(&lab));
	fill(&lab, ground, 2, 13 << 10);
	end = newest_now(&lab).bytes;
	lab_abandon(&lab);
	simdisk_set(lab.disk, lab_segment(2), "debris of a torn write", 22,
		    end + 40);
	/* It can neither be kept nor cut while we build. */
	simdisk_fault(lab.disk, (struct sim_fault){.kind = SIM_CREATE,
						   .nth = 1,
						   .error = WB_IO,
						   .forever = true,
						   .name = "tmp/torn"});
	ck_ok(lab_reopen(&lab));
	fill(&lab, ground, 4, 12 << 10);
	write_end(&lab, ground, ending);
	take_disk(ground, &lab);
	lab_release(&lab);
	for (size_t at = 0; at < ground->count; at++)
		ground->files[at].newest =
			strcmp(ground->files[at].name, lab_segment(4)) == 0;
	ck_assert(ground_file(ground, lab_segment(2))->cut);
	ck_assert(!ground_file(ground, lab_segment(5)));
	ck_assert_uint_gt(ground->marked, SEGMENT_FRAMES_AT);
	if (ending == END_UNANCHORED)
		ck_assert_uint_lt(ground->covered, ground->truth.count - 1);
	else
		ck_assert_uint_eq(ground->covered + open[ending],
				  ground->truth.count);
}

static void ground_release(struct ground *ground)
{
	for (size_t at = 0; at < ground->older_count; at++)
		memdir_free(ground->older[at]);
	memdir_free(ground->memdir);
	history_release(&ground->truth);
}

/* ---- judging an image ---- */

enum outcome { DETECTED, HEALED, TORN, UNUSED, OUTCOMES };

static const char *const outcome_names[] = {"detected", "healed", "torn",
					    "unused"};

/* clang-format off */
#define KIND_LIST(X)                                        \
	X(FLIPPED_BIT, "flipped bit")                               \
	X(TRUNCATION, "truncation")                                 \
	X(EXTENSION, "extension")                                   \
	X(OVERWRITTEN_SECTOR, "overwritten sector")                 \
	X(SECTORS_SWAPPED, "sectors swapped")                       \
	X(SECTOR_DUPLICATED, "sector duplicated over another")      \
	X(FRAME_DUPLICATED, "frame duplicated")                     \
	X(FRAME_MOVED, "frame moved")                               \
	X(MISSING_FILE, "missing file")                             \
	X(FOREIGN_FILE, "file of another store")                    \
	X(FILE_TWICE, "file twice")                                 \
	X(OLDER_COPY, "older copy")

enum kind {
#define KIND_ENUM(name, text) name,
	KIND_LIST(KIND_ENUM)
#undef KIND_ENUM
	KINDS,
};
/* clang-format on */
static const char *const kind_names[KINDS] = {
#define KIND_NAME(name, text) [name] = text,
	KIND_LIST(KIND_NAME)
#undef KIND_NAME
};

struct damage {
	const struct ground *ground;
	struct memdir *image;
	uint64_t images;
	uint64_t outcomes[OUTCOMES];
	uint64_t kinds[KINDS];
	unsigned worker; /* this one of WORKERS */
	/* What is being done now, for a failure's last words. */
	enum kind kind;
	char what[160];
};

static void give_up(const struct damage *damage, const char *why)
{
	fprintf(stderr, "%s, %s: %s: %s (last said: %s)\n",
		damage->ground->name, kind_names[damage->kind], damage->what,
		why, said_last);
	fflush(stderr);
	_exit(1);
}

/* Replay is held against the truth as it comes. */
struct following {
	const struct history *truth;
	uint64_t count;
};

static enum wb_error follow(void *context, const struct commit *commit)
{
	struct following *following = context;
	const struct history *truth = following->truth;
	const struct history_commit *at = &truth->commits[following->count];

	if (following->count >= truth->count ||
	    commit->head.revision != following->count + 1 ||
	    commit->payload.size != at->size ||
	    memcmp(commit->payload.data, truth->bytes + at->at, at->size) != 0)
		return WB_USAGE;
	following->count++;
	return WB_OK;
}

/* A MARK or CLOSE knows better than this older copy of the anchor. */
static bool is_contradicted(const struct ground *ground, const uint8_t *bytes)
{
	struct anchor anchor = newest_slot(bytes);

	return anchor.active_id != 4 || anchor.durable_bytes < ground->marked;
}

/* Is what changed listed under "Bytes that mean nothing"? */
static bool means_nothing(struct damage *damage, const char *name)
{
	const struct ground_file *file = ground_file(damage->ground, name);
	size_t before_size = 0, after_size = 0, size;
	const uint8_t *before, *after;

	before = memdir_bytes(damage->ground->memdir, name, &before_size);
	after = memdir_bytes(damage->image, name, &after_size);
	if (before && after && before_size == after_size &&
	    memcmp(before, after, before_size) == 0)
		return true;
	if (strcmp(name, "lock") == 0 || strncmp(name, "tmp/", 4) == 0 ||
	    strncmp(name, "torn/", 5) == 0)
		return true;
	if (!file || !before || !after)
		return false;
	if (strcmp(name, "anchor") == 0)
		return damage->kind == OLDER_COPY &&
		       !is_contradicted(damage->ground, after);
	size = before_size < after_size ? before_size : after_size;
	if (size < file->end || memcmp(before, after, file->end) != 0)
		return false;
	if (file->cut)
		return true;
	/* Behind the last frame: how many zeros there are. */
	return bytes_are_zero(before + file->end, before_size - file->end) &&
	       bytes_are_zero(after + file->end, after_size - file->end);
}

static bool nothing_meant_changed(struct damage *damage)
{
	for (size_t at = 0; at < damage->ground->count; at++)
		if (!means_nothing(damage, damage->ground->files[at].name))
			return false;
	for (size_t at = 0; at < memdir_count(damage->image); at++)
		if (!means_nothing(damage, memdir_name(damage->image, at)))
			return false;
	return true;
}

static bool newest_end(void *context, const struct wb_file_stat *file)
{
	if (strcmp(file->kind, "log") == 0)
		*(uint64_t *)context = file->bytes;
	return true;
}

/* The honest limit: what is not covered may be lost, if no frame is left that
 * was written when it was durable. */
static bool is_told_of_loss(struct damage *damage, struct log *log)
{
	const struct ground *ground = damage->ground;
	uint64_t end = 0;

	if (log_files(log, newest_end, &end))
		return true;
	for (size_t at = 0; at < ground->frame_count; at++) {
		const struct frame_place *frame = &ground->frames[at];
		const char *name = frame->file->name;
		const uint8_t *before, *after;
		size_t size = 0;

		before = memdir_bytes(ground->memdir, name, &size);
		after = memdir_bytes(damage->image, name, &size);
		if (frame->file->newest && frame->durable_bytes > end &&
		    after && frame->at + frame->size <= size &&
		    memcmp(before + frame->at, after + frame->at,
			   frame->size) == 0)
			return true;
	}
	return false;
}

static enum outcome classify(struct damage *damage, uint64_t count,
			     struct log *log)
{
	const struct ground *ground = damage->ground;

	if (count < ground->covered)
		give_up(damage, "acknowledged commits are gone, silently");
	if (count < ground->truth.count && is_told_of_loss(damage, log))
		give_up(damage, "an intact frame tells that more was durable");
	if (said[DIAG_DAMAGE])
		give_up(damage, "damage was reported, and all the same served");
	if (count < ground->truth.count)
		return TORN;
	if (said_torn)
		return TORN;
	if (said_words != ground->said_words)
		return HEALED;
	if (!nothing_meant_changed(damage))
		give_up(damage, "nobody noticed");
	return UNUSED;
}

/* The store on top of it: every key, and the history of each. */
static void judge_store(struct damage *damage, uint64_t count);

/* Appending goes on behind what is served. */
static void judge_append(struct damage *damage, struct log *log,
			 struct following following)
{
	struct log_options options = {.read_only = true};
	struct mutation mutation = {.key = {.kind = 64, .name = {"new", 3}}};
	uint32_t hash = mutation_hash(&mutation.key);
	struct log_group *group = log_group_new();
	struct commit_head head = {.revision = following.count + 1};
	struct following again = {following.truth, 0};
	uint8_t bytes[32];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	mutation_write(&writer, &mutation);
	if (!group || log_stage(log, group, &head,
				(struct wb_bytes){bytes, writer.at}, &hash, 1))
		give_up(damage, "cannot stage");
	if (log_append(log, group) || log_close(log))
		give_up(damage, "cannot append");
	log_group_free(group);
	/* The new commit is not in the truth: replay stops there. */
	if (log_open(memdir_dir(damage->image), &fixed_env, &options, follow,
		     &again, &log) != WB_USAGE ||
	    again.count != following.count)
		give_up(damage, "what was served is not there after an append");
}

/* Flips of one byte differ in nothing but the bit: in all eight the image is
 * opened and its state compared, in one (in all with WAYBILL_FULL=1) it is
 * read and written in every way. Whatever else was done, always. */
static bool is_thorough(const struct damage *damage)
{
	return full || damage->images % 8 == 0 || damage->kind != FLIPPED_BIT;
}

static void judge_writing(struct damage *damage, enum wb_error expected,
			  uint64_t count)
{
	struct log_options writing = {.segment_bytes = 16 << 10};
	struct following written = {&damage->ground->truth, 0};
	enum wb_error error;
	struct log *log;
	bool changed;

	memdir_watch(damage->image);
	error = log_open(memdir_dir(damage->image), &fixed_env, &writing,
			 follow, &written, &log);
	if (error != expected || (!error && written.count != count))
		give_up(damage, "read-write is not as read-only");
	if (!error && damage->images % 16 == 0)
		judge_append(damage, log, written);
	else if (!error)
		log_abandon(log);
	changed = memdir_undo(damage->image);
	if (error && changed)
		give_up(damage, "an open that refused changed the files");
}

static void judge(struct damage *damage)
{
	struct log_options reading = {.read_only = true};
	struct following read = {&damage->ground->truth, 0};
	enum outcome outcome = DETECTED;
	enum wb_error error;
	struct log *log;

	damage->images++;
	damage->kinds[damage->kind]++;
	forget();
	memdir_freeze(damage->image, true);
	error = log_open(memdir_dir(damage->image), &fixed_env, &reading,
			 follow, &read, &log);
	if (!error) {
		outcome = classify(damage, read.count, log);
		if (is_thorough(damage) &&
		    !history_is_served(read.truth, read.count, log))
			give_up(damage, "the versions are not the truth");
		if (log_close(log))
			give_up(damage, "cannot close");
	} else if (error != WB_CORRUPT || !said[DIAG_DAMAGE]) {
		give_up(damage, wb_error_code(error));
	}
	memdir_freeze(damage->image, false);
	if (is_thorough(damage))
		judge_writing(damage, error, read.count);
	if (!error && damage->images % 509 == 0)
		judge_store(damage, read.count);
	damage->outcomes[outcome]++;
}

/* ---- the store ---- */

struct expected {
	struct wb_bytes value;
	uint64_t revision;
	bool deleted;
};

struct counting {
	struct damage *damage;
	const struct history *truth;
	uint64_t revision; /* of the version before */
	uint64_t versions;
	struct wb_key key;
};

/* The mutation of a key in a commit of the truth, if there is one. */
static bool truth_find(const struct history *truth, uint64_t revision,
		       const struct wb_key *key, struct expected *ret_expected)
{
	const struct history_commit *at = &truth->commits[revision - 1];
	struct mutation_walk walk;
	struct mutation mutation;
	struct commit commit;

	ck_ok(commit_decode(truth->bytes + at->at, at->size, &commit));
	walk = mutation_walk_begin(&commit);
	while (mutation_walk_next(&walk, &mutation))
		if (mutation.key.name.size == key->name.size &&
		    memcmp(mutation.key.name.data, key->name.data,
			   key->name.size) == 0) {
			*ret_expected =
				(struct expected){mutation.value, revision,
						  mutation.deleted};
			return true;
		}
	return false;
}

static bool check_version(void *context, const struct wb_version *version)
{
	struct counting *counting = context;
	uint64_t revision = version->record.revision;
	struct expected expected;

	if (revision >= counting->revision ||
	    !truth_find(counting->truth, revision, &counting->key, &expected) ||
	    version->deleted != expected.deleted ||
	    version->record.value.size != expected.value.size ||
	    (expected.value.size &&
	     memcmp(version->record.value.data, expected.value.data,
		    expected.value.size) != 0))
		give_up(counting->damage, "a version is not the truth");
	counting->revision = revision;
	counting->versions++;
	return true;
}

static void judge_key(struct damage *damage, struct wb_store *store,
		      const struct wb_key *key, uint64_t count)
{
	const struct history *truth = &damage->ground->truth;
	struct counting counting = {damage, truth, UINT64_MAX, 0, *key};
	struct expected newest = {.deleted = true}, expected;
	struct wb_record record;
	uint64_t revision, versions = 0;
	uint8_t buffer[2048];
	enum wb_error error;

	for (revision = 1; revision <= count; revision++)
		if (truth_find(truth, revision, key, &expected)) {
			newest = expected;
			versions++;
		}
	error = wb_get(store, key, buffer, sizeof(buffer), &record);
	if (error != (newest.deleted ? WB_NOT_FOUND : WB_OK))
		give_up(damage, "a key is there or not, against the truth");
	if (!error && (record.revision != newest.revision ||
		       record.value.size != newest.value.size ||
		       memcmp(record.value.data, newest.value.data,
			      newest.value.size) != 0))
		give_up(damage, "a value is not the truth");
	if (wb_history(store, key, 0, 0, check_version, &counting) ||
	    counting.versions != versions)
		give_up(damage, "a history is not the truth");
}

static void judge_store(struct damage *damage, uint64_t count)
{
	struct wb_open_options options = {
		.size = sizeof(options),
		.flags = WB_OPEN_READ_ONLY,
		.report = hush,
	};
	struct wb_store *store;
	unsigned which;

	memdir_freeze(damage->image, true);
	if (store_open_on(memdir_dir(damage->image), &fixed_env, &options,
			  &store, NULL))
		give_up(damage, "the store does not open");
	for (which = 0; which < 3 * 23; which++) {
		struct wb_key key = {.kind = 64, .ns = {"default", 7}};
		char name[32];

		snprintf(name, sizeof(name), "key-%u-%u", which / 23,
			 which % 23);
		key.name = (struct wb_bytes){name, strlen(name)};
		judge_key(damage, store, &key, count);
	}
	if (wb_store_close(store))
		give_up(damage, "the store does not close");
	memdir_freeze(damage->image, false);
}

/* ---- kinds of damage, in place ---- */

static uint8_t *bytes_of(struct damage *damage, const struct ground_file *file)
{
	size_t size;
	uint8_t *bytes = memdir_bytes(damage->image, file->name, &size);

	ck_assert(bytes && size == file->size);
	return bytes;
}

/* Which files a loop goes through: all, or those in which the endings
 * differ. */
static bool is_chosen(const struct ground_file *file, bool all)
{
	return all || file->newest || strcmp(file->name, "anchor") == 0;
}

static bool is_frame(const struct ground_file *file, size_t offset)
{
	return file->newest && offset >= SEGMENT_FRAMES_AT;
}

/* All of the first ground's; of the others one a byte, and in a long run all
 * of their frames'. */
static bool is_bit_chosen(const struct ground_file *file, size_t offset,
			  unsigned bit, bool all)
{
	size_t number = offset / WORKERS;

	if (SLOW)
		return bit == number % 8 && number / 8 % 4 == 0;
	return all || bit == number % 8 || (full && is_frame(file, offset));
}

static void flip_bits(struct damage *damage, bool all)
{
	damage->kind = FLIPPED_BIT;
	for (size_t at = 0; at < damage->ground->count; at++) {
		const struct ground_file *file = &damage->ground->files[at];

		if (!is_chosen(file, all))
			continue;
		for (size_t offset = damage->worker; offset < file->size;
		     offset += WORKERS)
			for (unsigned bit = 0; bit < 8; bit++) {
				uint8_t mask = (uint8_t)(1u << bit);

				if (!is_bit_chosen(file, offset, bit, all))
					continue;
				snprintf(damage->what, sizeof(damage->what),
					 "%s offset %zu bit %u", file->name,
					 offset, bit);
				bytes_of(damage, file)[offset] ^= mask;
				judge(damage);
				bytes_of(damage, file)[offset] ^= mask;
			}
	}
}

/* ---- kinds of damage, on a copy ---- */

/* Judge a copy of the ground, if it differs; frees it. */
static void judge_copy(struct damage *damage, struct memdir *copy)
{
	struct memdir *image = damage->image;

	if (!memdir_equal(copy, damage->ground->memdir)) {
		damage->image = copy;
		judge(damage);
		damage->image = image;
	}
	memdir_free(copy);
}

/* Work is dealt out by this number. */
static bool is_mine(const struct damage *damage, size_t number)
{
	return number % WORKERS == damage->worker;
}

static void extend_file(struct damage *damage, const struct ground_file *file,
			const uint8_t *whole)
{
	damage->kind = EXTENSION;
	for (size_t at = 0; at < 40; at++) {
		size_t more = 1 + at * at * 7;
		uint8_t *longer = sim_alloc(file->size + more);

		/* By zeros, and by what is none. */
		memcpy(longer, whole, file->size);
		if (at % 2)
			memset(longer + file->size, 0xab, more);
		snprintf(damage->what, sizeof(damage->what), "%s by %zu bytes",
			 file->name, more);
		memdir_put(damage->image, file->name, longer,
			   file->size + more);
		if (is_mine(damage, at / 2))
			judge(damage);
		free(longer);
	}
}

static void truncate_files(struct damage *damage, bool all)
{
	for (size_t at = 0; at < damage->ground->count; at++) {
		const struct ground_file *file = &damage->ground->files[at];
		uint8_t *whole;

		if (!is_chosen(file, all))
			continue;
		damage->kind = TRUNCATION;
		whole = sim_alloc(file->size + 1);
		memcpy(whole, bytes_of(damage, file), file->size);
		for (size_t size = damage->worker; size < file->size;
		     size += SLOW ? 8 * WORKERS - 1 : WORKERS) {
			snprintf(damage->what, sizeof(damage->what),
				 "%s to %zu bytes", file->name, size);
			memdir_put(damage->image, file->name, whole, size);
			judge(damage);
		}
		extend_file(damage, file, whole);
		memdir_put(damage->image, file->name, whole, file->size);
		free(whole);
	}
}

/* ---- sectors ---- */

struct sector {
	const struct ground_file *file;
	size_t offset, size;
};

static size_t list_sectors(const struct ground *ground, struct sector **ret)
{
	struct sector *sectors = sim_alloc(1024 * sizeof(*sectors));
	size_t count = 0;

	for (size_t at = 0; at < ground->count; at++) {
		const struct ground_file *file = &ground->files[at];

		for (size_t offset = 0; offset + SECTOR <= file->size;
		     offset += SECTOR) {
			ck_assert_uint_lt(count, 1024);
			sectors[count++] =
				(struct sector){file, offset, SECTOR};
		}
	}
	*ret = sectors;
	return count;
}

/* Bytes in place of a sector's; WB_OK images are undone by the caller. */
static void judge_sector(struct damage *damage, const struct sector *sector,
			 const uint8_t bytes[SECTOR])
{
	uint8_t before[SECTOR];
	uint8_t *at = bytes_of(damage, sector->file) + sector->offset;

	if (memcmp(at, bytes, SECTOR) == 0)
		return;
	memcpy(before, at, SECTOR);
	memcpy(at, bytes, SECTOR);
	judge(damage);
	memcpy(bytes_of(damage, sector->file) + sector->offset, before, SECTOR);
}

static void overwrite_sectors(struct damage *damage, bool all)
{
	struct sector *sectors;
	size_t count = list_sectors(damage->ground, &sectors);
	struct rng rng = rng_of(99);
	uint8_t bytes[SECTOR];

	damage->kind = OVERWRITTEN_SECTOR;
	for (size_t at = 0; at < count; at++) {
		for (unsigned how = 0; how < 6; how++) {
			if (how == 0)
				memset(bytes, 0, SECTOR);
			else if (how == 1)
				memset(bytes, 0xff, SECTOR);
			else
				rng_fill(&rng, bytes, SECTOR);
			if (!is_chosen(sectors[at].file, all) ||
			    !is_mine(damage, at))
				continue;
			snprintf(damage->what, sizeof(damage->what),
				 "%s offset %zu with %s",
				 sectors[at].file->name, sectors[at].offset,
				 how == 0   ? "zeros"
				 : how == 1 ? "0xff"
					    : "garbage of seed 99");
			judge_sector(damage, &sectors[at], bytes);
		}
	}
	free(sectors);
}

static void judge_swap(struct damage *damage, const struct sector *a,
		       const struct sector *b)
{
	uint8_t x[SECTOR], y[SECTOR];

	memcpy(x, bytes_of(damage, a->file) + a->offset, SECTOR);
	memcpy(y, bytes_of(damage, b->file) + b->offset, SECTOR);
	if (memcmp(x, y, SECTOR) == 0)
		return;
	memcpy(bytes_of(damage, a->file) + a->offset, y, SECTOR);
	judge_sector(damage, b, x);
	memcpy(bytes_of(damage, a->file) + a->offset, x, SECTOR);
}

static void exchange_sectors(struct damage *damage, bool all)
{
	struct sector *sectors;
	size_t count = list_sectors(damage->ground, &sectors);
	uint8_t bytes[SECTOR];

	for (size_t a = 0; a < count; a++)
		for (size_t b = 0; b < count; b++) {
			if (a == b || !is_mine(damage, a + b) ||
			    (!is_chosen(sectors[a].file, all) &&
			     !is_chosen(sectors[b].file, all)) ||
			    (SLOW && (a * count + b) % 9))
				continue;
			snprintf(damage->what, sizeof(damage->what),
				 "%s offset %zu and %s offset %zu",
				 sectors[a].file->name, sectors[a].offset,
				 sectors[b].file->name, sectors[b].offset);
			damage->kind = SECTORS_SWAPPED;
			if (a < b)
				judge_swap(damage, &sectors[a], &sectors[b]);
			damage->kind = SECTOR_DUPLICATED;
			memcpy(bytes,
			       bytes_of(damage, sectors[a].file) +
				       sectors[a].offset,
			       SECTOR);
			judge_sector(damage, &sectors[b], bytes);
		}
	free(sectors);
}

/* ---- frames ---- */

/* Put frame `a` where frame `b` stands, as far as the file goes. */
static void copy_frame(struct damage *damage, const struct frame_place *a,
		       const struct frame_place *b, bool move)
{
	struct memdir *copy = memdir_clone(damage->ground->memdir);
	const uint8_t *from = bytes_of(damage, a->file) + a->at;
	size_t size, room;
	uint8_t *to = memdir_bytes(copy, b->file->name, &size);

	room = size - b->at < a->size ? size - b->at : a->size;
	memcpy(to + b->at, from, room);
	if (move)
		memset(memdir_bytes(copy, a->file->name, &size) + a->at, 0,
		       a->size);
	judge_copy(damage, copy);
}

static void move_frames(struct damage *damage, bool all)
{
	const struct frame_place *places = damage->ground->frames;
	size_t count = damage->ground->frame_count;

	for (size_t a = 0; a < count; a++)
		for (size_t b = 0; b < count; b++) {
			if (a == b || !is_mine(damage, a + b) ||
			    (!is_chosen(places[a].file, all) &&
			     !is_chosen(places[b].file, all)) ||
			    (SLOW && (a * count + b) % 9))
				continue;
			snprintf(damage->what, sizeof(damage->what),
				 "%s frame at %zu to %s at %zu",
				 places[a].file->name, places[a].at,
				 places[b].file->name, places[b].at);
			damage->kind = FRAME_DUPLICATED;
			copy_frame(damage, &places[a], &places[b], false);
			damage->kind = FRAME_MOVED;
			copy_frame(damage, &places[a], &places[b], true);
		}
}

/* ---- whole files ---- */

static void put_from(struct damage *damage, struct memdir *from,
		     const char *from_name, const char *name)
{
	struct memdir *copy = memdir_clone(damage->ground->memdir);
	size_t size = 0;
	const uint8_t *bytes = memdir_bytes(from, from_name, &size);

	snprintf(damage->what, sizeof(damage->what), "%s in place of %s",
		 from_name, name);
	if (bytes)
		memdir_put(copy, name, bytes, size);
	else
		memdir_remove(copy, name);
	judge_copy(damage, copy);
}

/* Files of another store, of this one under another name, and as they were
 * after each commit. */
static void exchange_files(struct damage *damage, const struct ground *other)
{
	const struct ground *ground = damage->ground;

	for (size_t a = 0; a < ground->count; a++) {
		const char *name = ground->files[a].name;

		if (!is_mine(damage, a))
			continue;
		damage->kind = MISSING_FILE;
		put_from(damage, ground->memdir, "nothing", name);
		damage->kind = FOREIGN_FILE;
		put_from(damage, other->memdir, name, name);
		damage->kind = FILE_TWICE;
		put_from(damage, ground->memdir, name, lab_segment(9));
		for (size_t b = 0; b < ground->count; b++)
			put_from(damage, ground->memdir, ground->files[b].name,
				 name);
		damage->kind = OLDER_COPY;
		for (size_t at = 0; at < ground->older_count; at++) {
			size_t size;

			if (memdir_bytes(ground->older[at], name, &size))
				put_from(damage, ground->older[at], name, name);
		}
	}
}

/* ---- running ---- */

static void damage_everything(struct damage *damage, const struct ground *other,
			      bool all)
{
	flip_bits(damage, all);
	truncate_files(damage, all);
	overwrite_sectors(damage, all);
	exchange_sectors(damage, all);
	move_frames(damage, all);
	exchange_files(damage, other);
}

static void add_up(struct damage *total, int from)
{
	struct damage part;

	ck_assert_int_eq(read(from, &part, sizeof(part)), sizeof(part));
	total->images += part.images;
	for (unsigned at = 0; at < OUTCOMES; at++)
		total->outcomes[at] += part.outcomes[at];
	for (unsigned at = 0; at < KINDS; at++)
		total->kinds[at] += part.kinds[at];
}

static void run(const struct ground *ground, const struct ground *other,
		bool all, struct damage *total)
{
	int pipes[WORKERS][2], status;
	pid_t pids[WORKERS];

	for (unsigned worker = 0; worker < WORKERS; worker++) {
		struct damage damage = {.ground = ground, .worker = worker};

		ck_assert_int_eq(pipe(pipes[worker]), 0);
		fflush(stdout);
		pids[worker] = fork();
		ck_assert_int_ge(pids[worker], 0);
		if (pids[worker] > 0)
			continue;
		damage.image = memdir_clone(ground->memdir);
		damage_everything(&damage, other, all);
		memdir_free(damage.image);
		_exit(write(pipes[worker][1], &damage, sizeof(damage)) !=
		      sizeof(damage));
	}
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		ck_assert_int_eq(waitpid(pids[worker], &status, 0),
				 pids[worker]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
			      "see above");
		add_up(total, pipes[worker][0]);
		close(pipes[worker][0]);
		close(pipes[worker][1]);
	}
}

static void print_counts(const struct damage *total)
{
	uint64_t sum = 0;

	printf("count: damage images %" PRIu64 "\n", total->images);
	for (unsigned at = 0; at < OUTCOMES; at++) {
		printf("count: damage %s %" PRIu64 "\n", outcome_names[at],
		       total->outcomes[at]);
		sum += total->outcomes[at];
		ck_assert_uint_gt(total->outcomes[at], 0);
	}
	ck_assert_uint_eq(sum, total->images);
	for (unsigned at = 0; at < KINDS; at++) {
		printf("count: damage, %s %" PRIu64 "\n", kind_names[at],
		       total->kinds[at]);
		ck_assert_uint_gt(total->kinds[at], 0);
	}
}

START_TEST(no_damage_is_silent)
{
	static struct ground grounds[ENDINGS], other;
	struct damage total = {0};
	uint64_t bytes = 0;

	full = getenv("WAYBILL_FULL") && *getenv("WAYBILL_FULL") == '1';
	ground_build(&other, END_CLOSE, 1000);
	for (unsigned at = 0; at < ENDINGS; at++)
		ground_build(&grounds[at], (enum ending)at, at + 1);
	for (size_t at = 0; at < grounds[0].count; at++)
		bytes += grounds[0].files[at].size;
	ck_assert_uint_ge(bytes, 64 << 10);
	run(&grounds[0], &other, true, &total);
	printf("count: damage bytes of the store %" PRIu64 "\n", bytes);
	if (!SLOW) {
		ck_assert_uint_eq(total.kinds[FLIPPED_BIT], 8 * bytes);
		ck_assert_uint_eq(total.kinds[TRUNCATION], bytes);
	}
	for (unsigned at = 1; at < ENDINGS; at++)
		run(&grounds[at], &other, false, &total);
	print_counts(&total);
	for (unsigned at = 0; at < ENDINGS; at++)
		ground_release(&grounds[at]);
	ground_release(&other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("damage");
	TCase *tests = tcase_create("damage");

	tcase_set_timeout(tests, 500);
	tcase_add_test(tests, no_damage_is_silent);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
