/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/nearest.h"

#include <stdint.h>
#include <string.h>

#define WORD_BYTES_MAX 40

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau's distance in its restricted form (no edit between two swapped
 * letters); for typing errors the difference does not matter. */
size_t edit_distance(const char *a, const char *b)
{
	size_t rows[WORD_BYTES_MAX][WORD_BYTES_MAX];
	size_t a_size = strlen(a);
	size_t b_size = strlen(b);

	if (a_size >= WORD_BYTES_MAX || b_size >= WORD_BYTES_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= a_size; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_size; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		for (size_t j = 1; j <= b_size; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;

			rows[i][j] = smaller(rows[i - 1][j - 1] + cost,
					     smaller(rows[i - 1][j],
						     rows[i][j - 1]) +
						     1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				rows[i][j] = smaller(rows[i][j],
						     rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_size][b_size];
}

void nearest_begin(struct nearest *nearest, const char *wrong)
{
	*nearest = (struct nearest){.wrong = wrong, .distance = SIZE_MAX};
}

void nearest_offer(struct nearest *nearest, const char *known)
{
	size_t wrong_size = strlen(nearest->wrong);
	size_t distance = edit_distance(nearest->wrong, known);

	/* A word that was begun (--op for --operation-id) is as good as a
	 * letter mistyped. */
	if (wrong_size >= 2 && strncmp(nearest->wrong, known, wrong_size) == 0)
		distance = smaller(distance, 1);
	if (distance > 1 + wrong_size / 5 || distance >= wrong_size)
		return;
	if (distance < nearest->distance) {
		nearest->best = known;
		nearest->distance = distance;
	}
}
