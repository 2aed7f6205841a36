/* SPDX-License-Identifier: Apache-2.0
 *
 * Public structs that can grow: each begins with `size_t size`, the sizeof of
 * its writer's header. Fields are only ever added, at the end, and zero means
 * what it meant before there was such a field. So a program works with an
 * older library as long as it asks for nothing new, and with a newer one
 * always. The rule of openat2(2) and clone3(2). None may end in padding: a
 * field that is put there later would not change the size.
 *
 * A size is one that a struct can have: it reaches behind itself, is a
 * multiple of its own alignment, and is at most SIZED_BYTES_MAX. Any other is
 * WB_USAGE: it was not set, and nothing behind it is looked at.
 */
#ifndef WAYBILL_BASE_SIZED_H
#define WAYBILL_BASE_SIZED_H

#include <stddef.h>
#include <waybill/error.h>

enum { SIZED_BYTES_MAX = 4096 };

/* What the caller gives: `theirs` into `ours`, of `bytes` bytes. What a
 * shorter one does not have is zero. WB_UNSUPPORTED: a longer one has
 * something behind our end that is not zero. `ours->size` becomes ours. */
enum wb_error sized_take(void *ours, size_t bytes, const void *theirs);

/* What the caller gets: `ours` into `theirs`, as much as it has room for;
 * what a longer one has behind our end becomes zero. `theirs->size` stays. */
enum wb_error sized_give(void *theirs, const void *ours, size_t bytes);

/* What an error of these says of "struct x": "sets …", "is …". */
const char *sized_problem(enum wb_error error);

#endif
