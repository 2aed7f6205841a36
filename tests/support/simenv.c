/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/simenv.h"
#include "tests/support/simpages.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct simenv_line {
	struct simenv_line *next;
	enum diag_severity severity;
	char text[];
};

static const int64_t wall_begin_ns = INT64_C(1704067200) * 1000000000;
static const int64_t monotonic_begin_ns = 1000000000;

/* The tables hand their own address to their functions. */
#define ENV_OF(member, pointer)                                         \
	((struct simenv *)((uintptr_t)(pointer)-offsetof(struct simenv, \
							 member)))

static int64_t sim_wall_ns(const struct clock *clock)
{
	struct simenv *env = ENV_OF(clock, clock);
	int64_t now;

	pthread_mutex_lock(&env->mutex);
	now = env->wall_ns;
	pthread_mutex_unlock(&env->mutex);
	return now;
}

static int64_t sim_monotonic_ns(const struct clock *clock)
{
	struct simenv *env = ENV_OF(clock, clock);
	int64_t now;

	pthread_mutex_lock(&env->mutex);
	now = env->monotonic_ns;
	pthread_mutex_unlock(&env->mutex);
	return now;
}

static void sim_fill(const struct random *random, void *buffer, size_t size)
{
	struct simenv *env = ENV_OF(random, random);

	pthread_mutex_lock(&env->mutex);
	rng_fill(&env->rng, buffer, size);
	pthread_mutex_unlock(&env->mutex);
}

static void sim_report(void *context, enum diag_severity severity,
		       const char *text)
{
	struct simenv *env = context;
	size_t size = strlen(text) + 1;
	struct simenv_line *line = sim_alloc(sizeof(*line) + size);

	line->severity = severity;
	memcpy(line->text, text, size);
	pthread_mutex_lock(&env->mutex);
	*env->lines_end = line;
	env->lines_end = &line->next;
	env->counts[severity]++;
	pthread_mutex_unlock(&env->mutex);
}

void simenv_init(struct simenv *env, uint64_t seed)
{
	memset(env, 0, sizeof(*env));
	env->clock.wall_ns = sim_wall_ns;
	env->clock.monotonic_ns = sim_monotonic_ns;
	env->random.fill = sim_fill;
	env->diag.report = sim_report;
	env->diag.context = env;
	env->env.clock = &env->clock;
	env->env.random = &env->random;
	env->env.diag = &env->diag;
	pthread_mutex_init(&env->mutex, NULL);
	env->rng = rng_of(seed);
	env->wall_ns = wall_begin_ns;
	env->monotonic_ns = monotonic_begin_ns;
	env->lines_end = &env->lines;
}

void simenv_release(struct simenv *env)
{
	simenv_forget(env);
	pthread_mutex_destroy(&env->mutex);
}

void simenv_set_wall(struct simenv *env, int64_t wall_ns)
{
	pthread_mutex_lock(&env->mutex);
	env->wall_ns = wall_ns;
	pthread_mutex_unlock(&env->mutex);
}

void simenv_advance(struct simenv *env, int64_t ns)
{
	assert(ns >= 0);
	pthread_mutex_lock(&env->mutex);
	env->wall_ns += ns;
	env->monotonic_ns += ns;
	pthread_mutex_unlock(&env->mutex);
}

size_t simenv_count(struct simenv *env, enum diag_severity severity)
{
	size_t count;

	pthread_mutex_lock(&env->mutex);
	count = env->counts[severity];
	pthread_mutex_unlock(&env->mutex);
	return count;
}

bool simenv_said(struct simenv *env, enum diag_severity severity,
		 const char *part)
{
	bool said = false;

	pthread_mutex_lock(&env->mutex);
	for (struct simenv_line *line = env->lines; line && !said;
	     line = line->next)
		said = line->severity == severity && strstr(line->text, part);
	pthread_mutex_unlock(&env->mutex);
	return said;
}

void simenv_print(struct simenv *env)
{
	static const char *const names[] = {"note", "warning", "damage"};

	pthread_mutex_lock(&env->mutex);
	for (struct simenv_line *line = env->lines; line; line = line->next)
		fprintf(stderr, "%s: %s\n", names[line->severity], line->text);
	pthread_mutex_unlock(&env->mutex);
}

void simenv_forget(struct simenv *env)
{
	struct simenv_line *line;

	pthread_mutex_lock(&env->mutex);
	line = env->lines;
	env->lines = NULL;
	env->lines_end = &env->lines;
	memset(env->counts, 0, sizeof(env->counts));
	pthread_mutex_unlock(&env->mutex);
	while (line) {
		struct simenv_line *next = line->next;

		free(line);
		line = next;
	}
}
