/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH3 handles up to 240 bytes in general registers. Beyond, it works on
 * stripes of 64 bytes, where AVX2 takes half the time of the SSE2 that every
 * x86-64 has; records are verified on every read, so that is a quarter of a
 * scan. libxxhash has a dispatcher of its own, but its static library may be
 * built without.
 */
#include "index/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t checksum(const void *bytes, size_t size)
{
#if defined(__x86_64__)
	if (size > XXH3_MIDSIZE_MAX && __builtin_cpu_supports("avx2"))
		return checksum_avx2(bytes, size);
#endif
	return XXH3_64bits(bytes, size);
}
