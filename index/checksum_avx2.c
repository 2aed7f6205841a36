/* SPDX-License-Identifier: Apache-2.0
 *
 * This file alone is compiled for AVX2; checksum.c sees that it is called
 * where there is AVX2.
 */
#include "index/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), \
			     apply_to = function)
#else
#pragma GCC target("avx2")
#endif

#define XXH_INLINE_ALL
#define XXH_VECTOR XXH_AVX2
#include <xxhash.h>

uint64_t checksum_avx2(const void *bytes, size_t size)
{
	return XXH3_64bits(bytes, size);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
