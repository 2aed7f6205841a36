/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump or a load during which something fails, and what must be true then:
 * what there is of a dump is refused by whoever reads it; of a load all is
 * there, or nothing; the next open and fsck find nothing wrong; and to do it
 * again does it.
 *
 *	haul_make, then for each failure:
 *		haul_begin -> the failure is set -> haul_run -> and taken back
 *		-> haul_settle
 *
 * Whatever is not as it must be ends the test.
 */
#ifndef WAYBILL_TESTS_SUPPORT_HAUL_H
#define WAYBILL_TESTS_SUPPORT_HAUL_H

#include "tests/support/paper.h"
#include "tests/support/shelf.h"

/* clang-format off */
#define HAUL_LIST(X)                                                          \
	X(DUMP, "dump") X(DUMP_AT, "dump --at")                               \
	X(DUMP_HISTORY, "dump --history") X(LOAD, "load")                     \
	X(LOAD_SKIPPING, "load --skip-existing")                              \
	X(LOAD_DRY, "load --dry-run") X(LOAD_HISTORY, "load --history")
/* clang-format on */

enum haul_kind {
#define HAUL_ENUM(name, text) HAUL_##name,
	HAUL_LIST(HAUL_ENUM)
#undef HAUL_ENUM
		HAUL_COUNT,
};

struct haul {
	enum haul_kind kind;
	const char *name;
	struct simdisk *start; /* what each run finds; all of it durable */
	struct paper goods;    /* what must be dumped, or is loaded */
	/* Of a load, how goods are read; the context is the haul. */
	wb_load_read_fn *read;
	/* Of a load, what the store holds before it and after, dumped. */
	struct paper before, after;
	unsigned fillers; /* changes of no effect that are made first */

	/* ---- of one run ---- */
	struct shelf shelf;
	struct paper paper; /* what was dumped */
	struct wb_load_result result;
	struct wb_text text;
};

/* `commits`: about how many are dumped, or were where the dump was made. */
void haul_make(struct haul *haul, enum haul_kind kind, unsigned commits);
/* A load of these `goods`, which are as a dump writes them. */
void haul_make_of(struct haul *haul, enum haul_kind kind,
		  const struct paper *goods);
void haul_release(struct haul *haul);

/* The store as it is before; it is open, but for that which a history is to
 * become. Loading what it lacks goes over the end of a segment. */
void haul_begin(struct haul *haul);
/* The call. The store stays open, if it was. It allocates nothing itself. */
enum wb_error haul_run(struct haul *haul);

/* How it goes on. */
enum haul_next {
	HAUL_GOES_ON, /* in the same process */
	HAUL_CLOSES,
	HAUL_IS_KILLED,
	HAUL_LOSES_POWER, /* and all that was not synced */
	HAUL_LOSES_SOME,  /* and some of it; `seed` says what */
	HAUL_NEXT_COUNT,
};

/* A wb_load_read_fn: all of it. */
enum wb_error haul_read(void *haul, void *buffer, size_t size, uint64_t offset,
			size_t *ret_size);

/* Hold what is there against what `error` says, and do it again. Nothing fails
 * any more. `lasting`: it did not end with the call's first failure, so that
 * what a history became could not be removed either. */
void haul_settle(struct haul *haul, enum wb_error error, bool lasting,
		 enum haul_next next, uint64_t seed);

#endif
