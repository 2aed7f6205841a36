/* SPDX-License-Identifier: Apache-2.0
 *
 * Examining one image of a disk; private to the crash loop.
 */
#ifndef WAYBILL_TESTS_SUPPORT_CRASHIMAGE_H
#define WAYBILL_TESTS_SUPPORT_CRASHIMAGE_H

#include "tests/support/crashloop.h"
#include "tests/support/simenv.h"

#include <stdatomic.h>

/* Numbers that were seen, in memory that forked processes share. */
struct seen_set {
	_Atomic uint64_t *slots;
	uint64_t capacity; /* a power of two */
};

struct seen_set seen_set_new(uint64_t numbers_max);
void seen_set_free(struct seen_set *set);
/* True: it was not there. */
bool seen_set_add(struct seen_set *set, uint64_t number);

/* What all processes of a loop share. */
struct crash_shared {
	_Atomic uint64_t counts[CRASH_COUNT_COUNT];
	_Atomic bool stop;
};

/* One workload's view of the loop. */
struct crash_context {
	struct crash_shared *shared;
	struct seen_set *images;   /* hashes of disks */
	struct seen_set *examined; /* the same, with what was expected */
	uint64_t seed;
	struct rng rng;
	const struct oracle *oracle;
	struct complaint complaint;
};

/* What a disk must hold. */
struct promise {
	uint64_t min, max; /* commits */
	bool maybe_absent; /* the store's creation was not acknowledged */
};

static inline void crash_count(struct crash_context *context,
			       enum crash_count what)
{
	atomic_fetch_add(&context->shared->counts[what], 1);
}

enum image_kind {
	IMAGE_CUT,    /* power was cut: all that is there is durable */
	IMAGE_KILLED, /* the process died: the page cache lives on */
};

/* Open `disk` and hold it against the promise; nested cuts for some. Takes
 * the disk. False: there is a complaint. */
bool image_examine(struct crash_context *context, struct simdisk *disk,
		   const struct promise *promise, enum image_kind kind);

/* Options for every store of the loop, with `flags`. */
struct wb_open_options crash_open_options(uint32_t flags);

#endif
