/* SPDX-License-Identifier: Apache-2.0
 *
 * What the core asks of the outside besides files: the time, random numbers,
 * and someone to tell. All are passed in, so that a test decides them.
 */
#ifndef WAYBILL_BASE_ENV_H
#define WAYBILL_BASE_ENV_H

#include "base/diag.h"

#include <stddef.h>
#include <stdint.h>

struct clock {
	/* Wall time, ns since 1970; may jump either way. */
	int64_t (*wall_ns)(const struct clock *clock);
	/* Only ever grows; for intervals. */
	int64_t (*monotonic_ns)(const struct clock *clock);
};

struct random {
	void (*fill)(const struct random *random, void *buffer, size_t size);
};

struct env {
	const struct clock *clock;
	const struct random *random;
	const struct diag *diag;
};

static inline int64_t env_wall_ns(const struct env *env)
{
	return env->clock->wall_ns(env->clock);
}

static inline int64_t env_monotonic_ns(const struct env *env)
{
	return env->clock->monotonic_ns(env->clock);
}

/* A random number that is not zero. */
uint64_t env_random(const struct env *env);

#endif
