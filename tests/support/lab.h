/* SPDX-License-Identifier: Apache-2.0
 *
 * A log on a simulated disk, and beside it the truth: every commit that was
 * acknowledged, as the bytes of its payload. Whatever the log hands out is
 * compared with that.
 */
#ifndef WAYBILL_TESTS_SUPPORT_LAB_H
#define WAYBILL_TESTS_SUPPORT_LAB_H

#include "log/log.h"
#include "log/lookup.h"
#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"

/* Commits 1, 2, …, one behind the other. */
struct history {
	struct history_commit {
		size_t at, size; /* of its payload in `bytes` */
		int64_t time_ns;
	} * commits;
	size_t count, capacity;
	uint8_t *bytes;
	size_t size, bytes_capacity;
};

void history_add(struct history *history, struct wb_bytes payload,
		 int64_t time_ns);
void history_clear(struct history *history);
void history_release(struct history *history);
/* How many commits both begin with. */
size_t history_common(const struct history *a, const struct history *b);
bool history_equal(const struct history *a, const struct history *b);
/* A log_replay_fn whose context is a history: WB_USAGE where a commit is not
 * the next one. */
enum wb_error history_replay(void *history, const struct commit *commit);

struct lab {
	struct simdisk *disk;
	struct simenv env;
	struct log_options options;
	struct dir *dir;
	struct log *log;
	struct log_group *group;
	struct history truth;  /* acknowledged */
	struct history staged; /* and what waits behind it */
	struct history seen;   /* what the last open replayed */
};

/* Nothing is opened. options: segments of 16 KiB. */
void lab_init(struct lab *lab, uint64_t seed);
/* The same disk state in a world of its own, nothing opened. */
void lab_fork(struct lab *lab, const struct lab *from, struct simdisk *disk);
void lab_release(struct lab *lab);

/* Open; `options.create` and `.read_only` are the caller's. */
enum wb_error lab_open(struct lab *lab);
/* With CLOSE; without, as after kill -9. */
enum wb_error lab_close(struct lab *lab);
void lab_abandon(struct lab *lab);
/* Open, and compare all that is served with the truth, both ways of reading
 * included: replay, and every version by log_versions. */
enum wb_error lab_reopen(struct lab *lab);
/* True where log_versions serves exactly the first `count` commits of
 * `history`; or all of it. */
bool history_is_served(const struct history *history, size_t count,
		       struct log *log);
bool lab_versions_equal(struct lab *lab, const struct history *history);

/* Stage one commit of `count` mutations; keys and values follow from the
 * revision, now and then it is a deletion. WB_TOO_LARGE, WB_NO_MEMORY. */
enum wb_error lab_stage(struct lab *lab, unsigned count, size_t value_bytes);
/* Append what is staged; moves it to the truth, or unstages it. */
enum wb_error lab_append(struct lab *lab);
/* Both, for one mutation. */
enum wb_error lab_put(struct lab *lab, size_t value_bytes);

/* "0000000000000001.log", valid until the next call but three. */
const char *lab_segment(uint64_t id);
/* How many segment files there are. */
unsigned lab_segments(struct lab *lab);
/* The truncation of a sealed file is not synced; damage needs still files. */
enum wb_error lab_sync_segment(struct lab *lab, const char *name);

#endif
