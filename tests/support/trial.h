/* SPDX-License-Identifier: Apache-2.0
 *
 * One call of the library on a real directory, tried once for each of its
 * system calls, which fails, once or for ever, or is interrupted, or falls
 * short. The last two are no failures. For the tests that CMakeLists.txt names
 * under CALLS.
 */
#ifndef WAYBILL_TESTS_SUPPORT_TRIAL_H
#define WAYBILL_TESTS_SUPPORT_TRIAL_H

#include "tests/support/calls.h"
#include "tests/support/suite.h"

struct trial_way {
	const char *name;
	enum calls_fault fault;
	int number;
	bool forever;
	enum wb_error error; /* WB_OK: it is no failure */
};

enum { TRIAL_WAYS = 8 };
extern const struct trial_way trial_ways[TRIAL_WAYS];

struct trial {
	const char *name;
	/* Make what it is tried on. Nothing fails here, nor in `settle`. */
	void (*begin)(void);
	enum wb_error (*run)(struct wb_text *text);
	/* What must be so after this answer. As many files are open as before
	 * `begin`. */
	void (*settle)(enum wb_error error, const struct trial_way *way);
	/* An answer to a failure other than that of the way; WB_OK: none. */
	enum wb_error also;
	bool wordless;	    /* it answers without a text */
	uint64_t calls_min; /* it has so many system calls, or more */
	/* But in a full run only each so manieth call is tried, and a way
	 * begins one behind the way before it, so that no call is left out. 0:
	 * each. */
	uint64_t stride;
};

/* All of it in one way. At least one call is reached, and a way that is a
 * failure is an error at least once. Prints how many calls there were. */
void trial_run(const struct trial *trial, const struct trial_way *way);

#endif
