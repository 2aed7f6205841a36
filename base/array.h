/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays that grow.
 */
#ifndef WAYBILL_BASE_ARRAY_H
#define WAYBILL_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* Room for `needed` elements of `each` bytes in the array to which the pointer
 * at `array` points (`&names->all`, whatever its type), which has it for
 * `*capacity` and is the caller's to free; NULL and 0: none yet. It doubles,
 * so that a long array is not copied too often. False: there is no memory, and
 * the array is as it was. */
bool array_grow(void *array, size_t *capacity, size_t needed, size_t each);

#endif
