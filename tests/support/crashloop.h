/* SPDX-License-Identifier: Apache-2.0
 *
 * The crash loop: a workload drawn from a seed runs on the simulated disk,
 * and before each of its operations power is cut, in many ways. Every image
 * of the disk is opened and compared with what was promised by then.
 *
 *	image -> open -> is it the state after some prefix of the commits that
 *	                 has all acknowledged ones? whole history? can it be
 *	                 written again, and is that kept?
 *	  during that open, power is cut again before each operation (nested),
 *	  and once more during the opens of those images
 *	clone -> the process is killed there instead: the page cache lives on;
 *	         the next process commits, and then power is cut
 *
 * One run of a workload serves all of its moments: the images are taken by a
 * hook, from inside. Images are counted by the hash of the disk, and an image
 * that was examined with the same expectation before is not examined again.
 * Recoveries draw their randomness from one and the same seed, so that a
 * fresh salt does not make an image look like a new one.
 */
#ifndef WAYBILL_TESTS_SUPPORT_CRASHLOOP_H
#define WAYBILL_TESTS_SUPPORT_CRASHLOOP_H

#include "tests/support/oracle.h"
#include "tests/support/simdisk.h"

/* What was counted: name, text. */
/* clang-format off */
#define CRASH_COUNT_LIST(X)                                                   \
	X(IMAGES, "distinct images")                                          \
	X(EXAMINED, "images opened")                                          \
	X(MOMENTS, "moments of a power cut")                                  \
	X(WORKLOADS, "workloads")                                             \
	X(CLEAN, "nothing was on its way")                                    \
	X(TORN, "torn, cut")                                                  \
	X(ABSENT, "unacknowledged, absent")                                   \
	X(PARTLY, "unacknowledged, a prefix kept")                            \
	X(KEPT, "unacknowledged, all kept")                                   \
	X(UNFINISHED, "creation not finished")                                \
	X(NESTED, "cut again during recovery")                                \
	X(NESTED_TWICE, "cut a third time during that recovery")              \
	X(KILLED, "killed, written again, then cut")                          \
	X(READ_ONLY, "opened for reading only")                               \
	X(ROTATED, "cut with a segment that is still empty")                  \
	X(REFUSED, "cut after a group was refused")

enum crash_count {
#define CRASH_COUNT_ENUM(name, text) CRASH_##name,
	CRASH_COUNT_LIST(CRASH_COUNT_ENUM)
#undef CRASH_COUNT_ENUM
	CRASH_COUNT_COUNT,
};
/* clang-format on */

struct crashloop_options {
	uint64_t seed; /* of the first workload; the next has one more */
	uint64_t workloads_max; /* 0: any number */
	uint64_t images_min;	/* stop at so many distinct ones; 0: never */
	unsigned processes;
};

struct crashloop_report {
	uint64_t counts[CRASH_COUNT_COUNT];
	struct complaint complaint;
	uint64_t seed; /* of the workload that failed */
};

/* Stops at the first complaint, and returns false then. */
bool crashloop_run(const struct crashloop_options *options,
		   struct crashloop_report *ret_report);

/* Print `count: crash …` for each. */
void crashloop_print(const struct crashloop_report *report);

/* Options for every store of the loop, with `flags`: small segments. */
struct wb_open_options crash_open_options(uint32_t flags);

/* What was to be counted and never happened; NULL: everything did. */
const char *crashloop_never(const struct crashloop_report *report);

/* WAYBILL_SEED, else `seed`. `ret_given` tells which. */
uint64_t seed_from_environment(uint64_t seed, bool *ret_given);

/* ---- names of its checks, besides the oracle's ---- */
extern const char check_opens[];     /* every image can be opened */
extern const char check_writable[];  /* and written again, durably */
extern const char check_creation[];  /* a created store stays */
extern const char check_converges[]; /* a recovery cut short, then repeated */
extern const char check_debris[];    /* what is cut is kept in torn/ */
extern const char check_cut_order[]; /* and cut only when that is durable */
extern const char check_read_only[]; /* changes nothing, sees the same */
extern const char check_workload[];  /* no error without a fault */

#endif
