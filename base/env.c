/* SPDX-License-Identifier: Apache-2.0 */
#include "base/env.h"

#include <assert.h>

uint64_t env_random(const struct env *env)
{
	uint64_t number = 0;

	/* Eight zeros in a row are a broken source, not bad luck. */
	for (int i = 0; i < 8 && number == 0; i++)
		env->random->fill(env->random, &number, sizeof(number));
	assert(number != 0);
	return number;
}
