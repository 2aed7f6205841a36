/* SPDX-License-Identifier: Apache-2.0
 *
 * Characters: UTF-8 read strictly, and the two properties that error texts
 * and filters depend on.
 *
 * The properties are those of Unicode 13.0, the version that the containerd
 * of Debian 12 was compiled with, for a quoted name must look the same.
 */
#ifndef WAYBILL_IMAGES_UNICODE_H
#define WAYBILL_IMAGES_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_LAST	    0x10FFFFu
#define UNICODE_REPLACEMENT 0xFFFDu

/* What unicode_next returns for a byte that belongs to no character. */
#define UNICODE_BAD UINT32_MAX

/* The character at `*at` (which is below `size`); `*at` moves behind it.
 * Overlong forms, surrogates and what lies beyond U+10FFFF are ill-formed:
 * UNICODE_BAD, and `*at` moves by one byte. */
uint32_t unicode_next(const void *bytes, size_t size, size_t *at);

/* Writes `character` to `to` (4 bytes) and returns how many it took. What is
 * no character becomes U+FFFD. */
size_t unicode_put(uint32_t character, char *to);

/* Is all of it well-formed? */
bool unicode_valid(const void *bytes, size_t size);

/* Has it a glyph, or is it one of the spaces that separate words? (Letters,
 * marks, numbers, punctuation, symbols, Zs.) */
bool unicode_is_graphic(uint32_t character);

/* White_Space. */
bool unicode_is_space(uint32_t character);

/* The table behind unicode_is_graphic from U+0080 on: ranges, in order. */
struct unicode_range {
	uint32_t first;
	uint32_t last;
};
extern const struct unicode_range unicode_graphic[];
extern const size_t unicode_graphic_count;

#endif
