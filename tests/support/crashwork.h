/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the crash loop: a store at work on a simulated disk, beside an
 * oracle, whose every operation can be made a moment of power cuts.
 */
#ifndef WAYBILL_TESTS_SUPPORT_CRASHWORK_H
#define WAYBILL_TESTS_SUPPORT_CRASHWORK_H

#include "tests/support/crashloop.h"
#include "tests/support/simenv.h"

#include <stdatomic.h>

/* ---- what all processes of a loop share ---- */

/* Numbers that were seen. */
struct seen_set {
	_Atomic uint64_t *slots;
	uint64_t capacity; /* a power of two */
};

/* True: it was not there. */
bool seen_set_add(struct seen_set *set, uint64_t number);

struct crash_shared {
	_Atomic uint64_t counts[CRASH_COUNT_COUNT];
	_Atomic bool stop;
	struct seen_set images;	  /* hashes of disks */
	struct seen_set examined; /* the same, with what was expected */
};

struct crash_shared *crash_shared_new(uint64_t images_max);
void crash_shared_free(struct crash_shared *shared);

/* ---- one image ---- */

/* Which images are cut again while they are opened, and those of that open
 * once more. */
enum nesting { NEST_SOME, NEST_OFTEN, NEST_NONE, NEST_ALL };

struct crash_context {
	struct crash_shared *shared;
	enum nesting nesting;
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

enum image_kind {
	IMAGE_CUT,    /* power was cut: all that is there is durable */
	IMAGE_KILLED, /* the process died: the page cache lives on */
};

/* Open `disk` and hold it against the promise; nested cuts for some. Takes
 * the disk. False: there is a complaint. */
bool image_examine(struct crash_context *context, struct simdisk *disk,
		   const struct promise *promise, enum image_kind kind);

static inline void crash_count(struct crash_context *context,
			       enum crash_count what)
{
	atomic_fetch_add(&context->shared->counts[what], 1);
}

/* ---- a store at work ---- */

/* What is done at a moment. */
enum watching {
	WATCH_ALL,  /* cut power in many ways; sometimes kill */
	WATCH_CUT,  /* cut power, in one way */
	WATCH_KILL, /* kill the process */
};

struct workload {
	struct crash_context context;
	struct simdisk *disk;
	struct simenv env;
	struct oracle oracle;
	struct wb_store *store; /* NULL: it is not open */
	struct wb_text text;	/* of the last failed open */
	struct rng rng;
	uint64_t segment_bytes; /* 0: small ones */
	bool created;		/* acknowledged */
	bool refused; /* the last group was, and nothing was synced since */
	enum watching watching;
	enum sim_keep keep; /* for WATCH_CUT */
};

/* An empty disk, nothing is opened. */
void workload_begin(struct workload *work, struct crash_shared *shared,
		    uint64_t seed);
void workload_end(struct workload *work);

/* From here on every operation that changes the disk is a moment. */
void workload_watch(struct workload *work, enum watching watching,
		    enum sim_keep keep);
void workload_look_away(struct workload *work);
/* Now is one; `next` is the operation to come. */
void workload_moment(struct workload *work, enum sim_op next);

/* All of these return false where there is a complaint, also an old one. */
bool work_ok(const struct workload *work);
bool work_trouble(struct workload *work, const char *doing,
		  enum wb_error error);
enum wb_error work_open(struct workload *work, uint32_t flags);
bool work_create(struct workload *work);
/* So many commits in one group; where it fails, those before the failing one
 * are staged, and the ticket is theirs. */
enum wb_error work_stage(struct workload *work, size_t commits,
			 size_t value_bytes_max,
			 struct store_ticket *ret_ticket);
bool work_commit(struct workload *work, size_t commits, size_t value_bytes_max);
/* Open the disk as it is; what is found is what there is from now on. */
bool work_reopen(struct workload *work);
/* The process dies; its successor opens. */
bool work_kill(struct workload *work);
/* A clean end; then it is opened again. */
bool work_close(struct workload *work);
/* Is the open store what was acknowledged? */
bool work_check(struct workload *work);

/* A random workload, as long as nothing fails. */
void workload_run(struct workload *work);

#endif
