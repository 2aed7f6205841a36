/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/lab.h"

#include "log/segment.h"
#include "tests/support/simpages.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- histories ---- */

static void *grow(void *array, size_t *capacity, size_t needed, size_t each)
{
	if (needed <= *capacity)
		return array;
	*capacity = *capacity ? *capacity : 64;
	while (*capacity < needed)
		*capacity *= 2;
	array = realloc(array, *capacity * each);
	assert(array);
	return array;
}

void history_add(struct history *history, struct wb_bytes payload,
		 int64_t time_ns)
{
	history->commits = grow(history->commits, &history->capacity,
				history->count + 1, sizeof(*history->commits));
	history->bytes = grow(history->bytes, &history->bytes_capacity,
			      history->size + payload.size, 1);
	history->commits[history->count++] = (struct history_commit){
		.at = history->size,
		.size = payload.size,
		.time_ns = time_ns,
	};
	memcpy(history->bytes + history->size, payload.data, payload.size);
	history->size += payload.size;
}

void history_clear(struct history *history)
{
	history->count = 0;
	history->size = 0;
}

void history_release(struct history *history)
{
	free(history->commits);
	free(history->bytes);
	*history = (struct history){0};
}

size_t history_common(const struct history *a, const struct history *b)
{
	size_t least = a->count < b->count ? a->count : b->count;
	size_t at;

	for (at = 0; at < least; at++)
		if (a->commits[at].size != b->commits[at].size ||
		    a->commits[at].time_ns != b->commits[at].time_ns ||
		    memcmp(a->bytes + a->commits[at].at,
			   b->bytes + b->commits[at].at,
			   a->commits[at].size) != 0)
			break;
	return at;
}

bool history_equal(const struct history *a, const struct history *b)
{
	return a->count == b->count && history_common(a, b) == a->count;
}

enum wb_error history_replay(void *context, const struct commit *commit)
{
	struct history *history = context;

	if (commit->head.revision != history->count + 1)
		return WB_USAGE;
	history_add(history, commit->payload, commit->head.time_ns);
	return WB_OK;
}

/* ---- the lab ---- */

void lab_init(struct lab *lab, uint64_t seed)
{
	*lab = (struct lab){
		.disk = simdisk_new(),
		.options = {.segment_bytes = 16 << 10},
		.group = log_group_new(),
	};
	assert(lab->group);
	simenv_init(&lab->env, seed);
}

void lab_fork(struct lab *lab, const struct lab *from, struct simdisk *disk)
{
	size_t at;

	*lab = (struct lab){
		.disk = disk,
		.options = from->options,
		.group = log_group_new(),
	};
	assert(lab->group);
	simenv_init(&lab->env, simdisk_hash(disk));
	for (at = 0; at < from->truth.count; at++) {
		const struct history_commit *commit = &from->truth.commits[at];

		history_add(&lab->truth,
			    (struct wb_bytes){from->truth.bytes + commit->at,
					      commit->size},
			    commit->time_ns);
	}
}

void lab_release(struct lab *lab)
{
	lab_abandon(lab);
	log_group_free(lab->group);
	history_release(&lab->truth);
	history_release(&lab->staged);
	history_release(&lab->seen);
	simdisk_free(lab->disk);
	simenv_release(&lab->env);
}

enum wb_error lab_open(struct lab *lab)
{
	enum wb_error error;

	assert(!lab->log);
	history_clear(&lab->seen);
	history_clear(&lab->staged);
	log_group_clear(lab->group);
	lab->dir = simdisk_dir(lab->disk);
	error = log_open(lab->dir, &lab->env.env, &lab->options, history_replay,
			 &lab->seen, &lab->log);
	if (error) {
		dir_close(lab->dir);
		lab->dir = NULL;
	}
	return error;
}

enum wb_error lab_close(struct lab *lab)
{
	enum wb_error error = log_close(lab->log);

	lab->log = NULL;
	dir_close(lab->dir);
	lab->dir = NULL;
	return error;
}

void lab_abandon(struct lab *lab)
{
	log_abandon(lab->log);
	lab->log = NULL;
	dir_close(lab->dir);
	lab->dir = NULL;
}

/* Versions come newest first, a commit's next to each other. */
struct comparing {
	const struct history *history;
	uint64_t revision; /* of the commit before */
	uint32_t left;	   /* of its mutations */
	bool equal;
};

static bool compare_version(void *context, const struct commit *commit,
			    const struct mutation *mutation)
{
	struct comparing *comparing = context;
	const struct history *history = comparing->history;
	const struct history_commit *commits = history->commits;
	uint64_t revision = commit->head.revision;
	const uint8_t *name = mutation->key.name.data;

	if (revision != comparing->revision) {
		comparing->equal =
			comparing->left == 0 &&
			revision == comparing->revision - 1 &&
			commit->payload.size == commits[revision - 1].size &&
			memcmp(commit->payload.data,
			       history->bytes + commits[revision - 1].at,
			       commit->payload.size) == 0;
		comparing->revision = revision;
		comparing->left = commit->mutation_count;
	}
	/* The mutations of a commit are served in its order. */
	if (comparing->left == 0 ||
	    name < (const uint8_t *)commit->payload.data ||
	    name > (const uint8_t *)commit->payload.data + commit->payload.size)
		comparing->equal = false;
	comparing->left--;
	return comparing->equal;
}

bool history_is_served(const struct history *history, size_t count,
		       struct log *log)
{
	struct comparing comparing = {
		.history = history,
		.revision = count + 1,
		.equal = true,
	};
	struct log_query query = {.by_hash = false};

	if (log_versions(log, &query, compare_version, &comparing))
		return false;
	return comparing.equal && comparing.left == 0 &&
	       comparing.revision == 1;
}

bool lab_versions_equal(struct lab *lab, const struct history *history)
{
	return history_is_served(history, history->count, lab->log);
}

enum wb_error lab_reopen(struct lab *lab)
{
	enum wb_error error = lab_open(lab);

	if (error)
		return error;
	if (!history_equal(&lab->seen, &lab->truth) ||
	    log_durable_revision(lab->log) != lab->truth.count ||
	    !lab_versions_equal(lab, &lab->truth)) {
		fprintf(stderr,
			"%zu commits are served, %zu are true, "
			"%zu are common\n",
			lab->seen.count, lab->truth.count,
			history_common(&lab->seen, &lab->truth));
		simenv_print(&lab->env);
		abort();
	}
	return WB_OK;
}

/* ---- writing ---- */

static struct wb_bytes text_bytes(const char *text)
{
	return (struct wb_bytes){text, strlen(text)};
}

/* Keys come again after so many revisions. */
enum { LAB_ROUND = 23 };

/* Commit `revision`, acknowledged or staged. */
static bool find_commit(const struct lab *lab, uint64_t revision,
			struct commit *ret_commit)
{
	const struct history *history = &lab->truth;
	uint64_t at = revision - 1;

	if (at >= history->count) {
		at -= history->count;
		history = &lab->staged;
	}
	return at < history->count &&
	       !commit_decode(history->bytes + history->commits[at].at,
			      history->commits[at].size, ret_commit);
}

/* What mutation `number` of `revision` replaces: the revision of its key's
 * version before, where that is no deletion; else 0. */
static uint64_t previous_revision(const struct lab *lab, uint64_t revision,
				  unsigned number)
{
	while (revision > LAB_ROUND) {
		struct mutation mutation;
		struct mutation_walk walk;
		struct commit commit;
		unsigned at = 0;

		revision -= LAB_ROUND;
		if (!find_commit(lab, revision, &commit) ||
		    commit.mutation_count <= number)
			continue;
		walk = mutation_walk_begin(&commit);
		while (mutation_walk_next(&walk, &mutation) && at < number)
			at++;
		return mutation.deleted ? 0 : revision;
	}
	return 0;
}

enum wb_error lab_stage(struct lab *lab, unsigned count, size_t value_bytes)
{
	uint64_t revision = log_staged_revision(lab->log) + 1;
	struct commit_head head = {
		.revision = revision,
		.time_ns = env_wall_ns(&lab->env.env),
		.actor = {.uid = 7, .pid = -1, .command = text_bytes("lab")},
		.reason = text_bytes(revision % 2 ? "odd" : ""),
		.request_hash = revision,
	};
	size_t room = count * (value_bytes + 64), head_bytes;
	uint8_t *bytes = sim_alloc(room + COMMIT_HEAD_BYTES_MAX);
	uint8_t *value = sim_alloc(value_bytes + 1);
	uint32_t *hashes = sim_alloc((count + 1) * sizeof(*hashes));
	struct writer writer = writer_of(bytes, room);
	struct wb_bytes mutations;
	enum wb_error error;
	unsigned at;

	memset(value, (int)(revision * 37 & 0xff), value_bytes);
	for (at = 0; at < count; at++) {
		char name[32];
		struct mutation mutation = {
			.key = {.kind = 64, .ns = text_bytes("default")},
			.value = {value, value_bytes},
			.deleted = (revision + at) % 9 == 4,
			.previous_revision =
				previous_revision(lab, revision, at),
		};

		if (mutation.deleted)
			mutation.value.size = 0;

		snprintf(name, sizeof(name), "key-%u-%llu", at,
			 (unsigned long long)revision % LAB_ROUND);
		mutation.key.name = text_bytes(name);
		mutation_write(&writer, &mutation);
		hashes[at] = mutation_hash(&mutation.key);
	}
	assert(!writer.failed);
	mutations = (struct wb_bytes){bytes, writer.at};
	error = log_stage(lab->log, lab->group, &head, mutations, hashes,
			  count);
	if (!error) {
		uint8_t *payload = sim_alloc(COMMIT_HEAD_BYTES_MAX + writer.at);
		struct writer whole =
			writer_of(payload, COMMIT_HEAD_BYTES_MAX + writer.at);

		commit_head_write(&whole, &head);
		head_bytes = whole.at;
		write_bytes(&whole, bytes, writer.at);
		history_add(&lab->staged,
			    (struct wb_bytes){payload, head_bytes + writer.at},
			    head.time_ns);
		free(payload);
	}
	free(bytes);
	free(value);
	free(hashes);
	return error;
}

enum wb_error lab_append(struct lab *lab)
{
	enum wb_error error = log_append(lab->log, lab->group);
	size_t at;

	if (error)
		log_unstage(lab->log);
	for (at = 0; !error && at < lab->staged.count; at++) {
		const struct history_commit *commit = &lab->staged.commits[at];

		history_add(&lab->truth,
			    (struct wb_bytes){lab->staged.bytes + commit->at,
					      commit->size},
			    commit->time_ns);
	}
	history_clear(&lab->staged);
	return error;
}

enum wb_error lab_put(struct lab *lab, size_t value_bytes)
{
	enum wb_error error = lab_stage(lab, 1, value_bytes);

	return error ? error : lab_append(lab);
}

/* ---- files ---- */

const char *lab_segment(uint64_t id)
{
	static char names[4][SEGMENT_NAME_SIZE];
	static unsigned next;
	char *name = names[next++ % 4];

	segment_name(id, SEGMENT_LOG, name);
	return name;
}

static bool count_segment(void *context, const char *path, uint64_t size)
{
	unsigned *count = context;
	enum segment_kind kind;
	uint64_t id;

	(void)size;
	*count += segment_name_parse(path, &id, &kind);
	return true;
}

unsigned lab_segments(struct lab *lab)
{
	unsigned count = 0;

	simdisk_each(lab->disk, count_segment, &count);
	return count;
}

enum wb_error lab_sync_segment(struct lab *lab, const char *name)
{
	struct file *file;
	enum wb_error error = dir_open(lab->dir, name, FILE_READ, &file);

	if (error)
		return error;
	error = file_sync(file, CONTROL_SEAL_SYNC);
	file_close(file);
	return error;
}
