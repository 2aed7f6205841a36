/* SPDX-License-Identifier: Apache-2.0
 *
 * A world for the code under test: a clock that the test sets, random numbers
 * from a seed, and an ear for what is said. Thread-safe.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SIMENV_H
#define WAYBILL_TESTS_SUPPORT_SIMENV_H

#include "base/env.h"
#include "tests/support/rng.h"

#include <pthread.h>
#include <stdbool.h>

struct simenv_line;

struct simenv {
	struct env env; /* give this one to the code under test */
	struct clock clock;
	struct random random;
	struct diag diag;
	pthread_mutex_t mutex;
	struct rng rng;
	int64_t wall_ns;
	int64_t monotonic_ns;
	struct simenv_line *lines;
	struct simenv_line **lines_end;
	size_t counts[DIAG_DAMAGE + 1];
};

/* 2024-01-01 00:00:00 UTC, monotonic time 1 s. */
void simenv_init(struct simenv *env, uint64_t seed);
void simenv_release(struct simenv *env);

/* The wall clock may be set to anything; the monotonic one only advances. */
void simenv_set_wall(struct simenv *env, int64_t wall_ns);
void simenv_advance(struct simenv *env, int64_t ns);

/* What was said since the beginning, or since simenv_forget. */
size_t simenv_count(struct simenv *env, enum diag_severity severity);
/* Was there a line of this severity with `part` in it? */
bool simenv_said(struct simenv *env, enum diag_severity severity,
		 const char *part);
/* Print all lines to standard error, for a test that is about to fail. */
void simenv_print(struct simenv *env);
void simenv_forget(struct simenv *env);

#endif
