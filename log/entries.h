/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions of one segment in memory, in the order of the log, 16 bytes
 * each. Any revision is found at once, and from there down those of a key by
 * looking at all: some thousand at a time, so that a lock is not held for
 * long. It costs a fraction of a millisecond for a segment of 64 MiB, and no
 * other one is looked at that way.
 *
 * Discarded: links from each version to the one before it in its bucket. A
 * commit of a thousand would wait for as many cache misses and more, to save
 * that.
 *
 * Adding needs room that was reserved, and cannot fail. Whoever adds keeps
 * others from looking.
 */
#ifndef WAYBILL_LOG_ENTRIES_H
#define WAYBILL_LOG_ENTRIES_H

#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

/* A version of a key, for finding it again. */
struct log_entry {
	uint32_t hash;
	uint32_t mutation; /* its place in the commit */
	uint64_t revision;
	uint64_t offset; /* of the frame */
};

struct entry; /* the same, packed */

struct entries {
	struct entry *list;
	size_t count, capacity;
	uint64_t first_revision;
};

/* Takes no memory yet. */
void entries_begin(struct entries *entries, uint64_t first_revision);
void entries_release(struct entries *entries);
/* Room for `count` more. WB_NO_MEMORY. */
enum wb_error entries_reserve(struct entries *entries, size_t count);
/* `count` of them, whose offsets are less by `offset`. Revisions and, within
 * one, mutations ascend; asserted. */
void entries_add(struct entries *entries, const struct log_entry *list,
		 size_t count, uint64_t offset);
/* Number `at`, from 0, in the order in which they were added. */
struct log_entry entries_get(const struct entries *entries, size_t at);
/* What they take. */
size_t entries_bytes(const struct entries *entries);

/* Where a commit stands that holds a version. */
struct commit_place {
	uint64_t revision;
	uint64_t offset;
	uint32_t mutation; /* the version's; of several, the last one's */
};

#define PLACES_MAX 64

/* Some commits that hold a version of a key with some hash, newest first. */
struct places {
	struct commit_place list[PLACES_MAX];
	size_t count;
	/* All of this revision and above are among them; the segment's first:
	 * there are no more. */
	uint64_t before;
};

/* So many entries are looked at at a time, and the rest of a commit. */
#define ENTRIES_LOOK_MAX 4096u

/* Of revisions below `before`. May stop before there are PLACES_MAX, also
 * without any. */
void entries_find(const struct entries *entries, uint32_t hash, uint64_t before,
		  struct places *ret_places);

/* Numbers of all entries in the order of a footer: by hash, then by place in
 * the log. The low halves of `ret_order` are the numbers. */
void entries_sort(const struct entries *entries, uint64_t *ret_order);

#endif
