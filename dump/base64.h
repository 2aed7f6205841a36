/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as text: base64 of RFC 4648, section 4, with its padding. Strict, so
 * that no two texts mean the same bytes.
 */
#ifndef WAYBILL_DUMP_BASE64_H
#define WAYBILL_DUMP_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t base64_size(size_t size)
{
	return (size + 2) / 3 * 4;
}

/* Writes base64_size(size) characters to `to`. */
void base64_encode(const uint8_t *bytes, size_t size, char *to);

/* Turns `size` characters into the bytes they mean, in place. False: they are
 * not what base64_encode writes; then `text` is spoilt. */
bool base64_decode(char *text, size_t size, size_t *ret_size);

#endif
