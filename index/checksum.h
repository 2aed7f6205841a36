/* SPDX-License-Identifier: Apache-2.0
 *
 * XXH3-64, with the widest instructions that this processor has.
 */
#ifndef WAYBILL_INDEX_CHECKSUM_H
#define WAYBILL_INDEX_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* XXH3_64bits of the bytes, on every processor. */
uint64_t checksum(const void *bytes, size_t size);

#if defined(__x86_64__)
/* The same, on a processor that has AVX2. For checksum() alone. */
uint64_t checksum_avx2(const void *bytes, size_t size);
#endif

#endif
