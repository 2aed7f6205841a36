/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean …?": the known word that is nearest to a wrong one.
 */
#ifndef WAYBILL_TOOLS_NEAREST_H
#define WAYBILL_TOOLS_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *wrong;
	const char *best; /* NULL: none is near enough */
	size_t distance;
};

void nearest_begin(struct nearest *nearest, const char *wrong);

/* Consider `known`, which must outlive `nearest`. Of two that are equally
 * near the first one stays. */
void nearest_offer(struct nearest *nearest, const char *known);

/* Insertions, deletions, replacements and swaps of neighbours that turn `a`
 * into `b`; pure. Words of 40 bytes and more are not compared: SIZE_MAX. */
size_t edit_distance(const char *a, const char *b);

#endif
