/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

bool array_grow(void *array, size_t *capacity, size_t needed, size_t each)
{
	size_t to = *capacity ? *capacity : 64;
	void *grown;

	if (needed <= *capacity)
		return true;
	while (to < needed)
		to *= 2;
	/* A copy of the pointer, for it is one to another type. */
	memcpy(&grown, array, sizeof(grown));
	grown = realloc(grown, to * each);
	if (!grown)
		return false;
	memcpy(array, &grown, sizeof(grown));
	*capacity = to;
	return true;
}
