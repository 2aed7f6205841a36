/* SPDX-License-Identifier: Apache-2.0
 *
 * env.c, the real clock and randomness, and the simulated ones.
 */
#include "base/env.h"
#include "base/posix.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

START_TEST(the_same_seed_gives_the_same_numbers)
{
	struct simenv one;
	struct simenv two;
	struct simenv other;
	uint64_t number;

	simenv_init(&one, 5);
	simenv_init(&two, 5);
	simenv_init(&other, 6);
	for (int i = 0; i < 100; i++) {
		number = env_random(&one.env);
		ck_assert_uint_eq(number, env_random(&two.env));
		ck_assert_uint_ne(number, env_random(&other.env));
	}
	simenv_release(&one);
	simenv_release(&two);
	simenv_release(&other);
}
END_TEST

static int zeros_left;

static void fill_zeros_first(const struct random *random, void *buffer,
			     size_t size)
{
	(void)random;
	memset(buffer, zeros_left-- > 0 ? 0 : 1, size);
}

START_TEST(a_random_number_is_never_zero)
{
	struct random random = {.fill = fill_zeros_first};
	struct env env = {.random = &random};

	zeros_left = 3;
	ck_assert_uint_eq(env_random(&env), 0x0101010101010101);
}
END_TEST

START_TEST(the_test_decides_the_time)
{
	struct simenv env;

	simenv_init(&env, 1);
	ck_assert_int_eq(env_wall_ns(&env.env),
			 INT64_C(1704067200) * 1000000000);
	ck_assert_int_eq(env_monotonic_ns(&env.env), 1000000000);
	simenv_advance(&env, 7);
	ck_assert_int_eq(env_monotonic_ns(&env.env), 1000000007);
	simenv_set_wall(&env, -5);
	ck_assert_int_eq(env_wall_ns(&env.env), -5);
	ck_assert_int_eq(env_monotonic_ns(&env.env), 1000000007);
	simenv_release(&env);
}
END_TEST

START_TEST(the_real_clock_is_the_kernels)
{
	struct env env = {.clock = &posix_clock};
	int64_t before = time(NULL);
	int64_t wall = env_wall_ns(&env);
	int64_t first = env_monotonic_ns(&env);
	int64_t second = env_monotonic_ns(&env);

	/* time() may lag behind the clock by a tick. */
	ck_assert_int_ge(wall / 1000000000, before);
	ck_assert_int_le(wall / 1000000000, time(NULL) + 1);
	ck_assert_int_gt(first, 0);
	ck_assert_int_ge(second, first);
}
END_TEST

START_TEST(real_random_numbers_fill_all_they_should)
{
	struct env env = {.random = &posix_random};
	unsigned char buffer[1026];
	unsigned char seen[1024] = {0};

	ck_assert_uint_ne(env_random(&env), env_random(&env));
	/* Above 256 bytes getrandom may answer in parts. */
	for (int round = 0; round < 20; round++) {
		memset(buffer, 0, sizeof(buffer));
		posix_random.fill(&posix_random, buffer + 1, 1024);
		ck_assert_uint_eq(buffer[0], 0);
		ck_assert_uint_eq(buffer[1025], 0);
		for (int i = 0; i < 1024; i++)
			seen[i] |= buffer[i + 1];
	}
	for (int i = 0; i < 1024; i++)
		ck_assert_uint_ne(seen[i], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("env");
	TCase *tcase = tcase_create("env");

	tcase_add_test(tcase, the_same_seed_gives_the_same_numbers);
	tcase_add_test(tcase, a_random_number_is_never_zero);
	tcase_add_test(tcase, the_test_decides_the_time);
	tcase_add_test(tcase, the_real_clock_is_the_kernels);
	tcase_add_test(tcase, real_random_numbers_fill_all_they_should);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
