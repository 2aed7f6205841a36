/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that lives until the command ends. A command builds up some strings
 * and lists, answers, and exits; one owner for all of them leaves no path on
 * which one could be forgotten.
 */
#ifndef WAYBILL_TOOLS_SCRATCH_H
#define WAYBILL_TOOLS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

struct scratch_item;

/* All zero is empty and ready. */
struct scratch {
	struct scratch_item *items;
};

typedef void scratch_free_fn(void *pointer);

/* `count` things of `size` bytes, all zero; NULL: out of memory. */
void *scratch_array(struct scratch *scratch, size_t count, size_t size);
/* The first `size` bytes of `text`, and a NUL. */
char *scratch_copy(struct scratch *scratch, const char *text, size_t size);
__attribute__((format(printf, 2, 3))) char *scratch_format(
	struct scratch *scratch, const char *format, ...);

/* From now on `pointer` is freed with the rest. On false (out of memory) it
 * has been freed already. NULL is allowed, and false. */
bool scratch_adopt(struct scratch *scratch, void *pointer,
		   scratch_free_fn *free_fn);

/* Frees all, newest first; the scratch is empty again. */
void scratch_release(struct scratch *scratch);

#endif
