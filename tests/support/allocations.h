/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations that fail, by number. For the tests that CMakeLists.txt names
 * under ALLOCATIONS: there the linker sends malloc, calloc, realloc,
 * aligned_alloc and mmap of our own objects here, and allocations_begin sends
 * libcrypto's after them. The simulated disk and the oracle do not use these.
 */
#ifndef WAYBILL_TESTS_SUPPORT_ALLOCATIONS_H
#define WAYBILL_TESTS_SUPPORT_ALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Once, before libcrypto allocates for the first time. False: too late. */
bool allocations_begin(void);

/* From now on the nth allocation fails (1: the next), alone or with all after
 * it; forgets how many failed. */
void allocations_fail(uint64_t nth, bool forever);
/* None fails any more. Returns how many did. */
uint64_t allocations_stop(void);
/* How many failed since allocations_fail. */
uint64_t allocations_failed(void);

#endif
