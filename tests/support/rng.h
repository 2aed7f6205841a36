/* SPDX-License-Identifier: Apache-2.0
 *
 * A small generator for tests: the same seed gives the same numbers on every
 * machine. xoshiro256** by Blackman and Vigna, seeded by splitmix64; both
 * are described at https://prng.di.unimi.it. Not for secrets.
 */
#ifndef WAYBILL_TESTS_SUPPORT_RNG_H
#define WAYBILL_TESTS_SUPPORT_RNG_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rng {
	uint64_t state[4];
};

static inline uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

static inline struct rng rng_of(uint64_t seed)
{
	struct rng rng;

	for (int i = 0; i < 4; i++)
		rng.state[i] = splitmix64(&seed);
	return rng;
}

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->state;
	uint64_t result = s[1] * 5;
	uint64_t t = s[1] << 17;

	result = (result << 7 | result >> 57) * 9;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return result;
}

/* From 0 to `bound` - 1; the bias of the remainder is far below what a test
 * could see. */
static inline uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	assert(bound > 0);
	return rng_next(rng) % bound;
}

/* True `part` times of `whole`. */
static inline bool rng_chance(struct rng *rng, uint64_t part, uint64_t whole)
{
	return rng_below(rng, whole) < part;
}

static inline void rng_fill(struct rng *rng, void *buffer, size_t size)
{
	unsigned char *at = buffer;

	while (size > 0) {
		uint64_t word = rng_next(rng);
		size_t step = size < sizeof(word) ? size : sizeof(word);

		memcpy(at, &word, step);
		at += step;
		size -= step;
	}
}

#endif
