/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory for records and for what finds them: size classes in chunks backed
 * by huge pages, one list of free blocks a class. A chunk that becomes empty
 * goes back to the system. Thread-safe.
 */
#ifndef WAYBILL_INDEX_HEAP_H
#define WAYBILL_INDEX_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap;

/* NULL: out of memory. Release frees every block that is left. */
struct heap *heap_new(void);
void heap_release(struct heap *heap);

/* 16-byte aligned, and 64-byte aligned where `size` is a multiple of 64.
 * NULL: out of memory. `size` must be the same at free; NULL is freed too. */
void *heap_alloc(struct heap *heap, size_t size);
void heap_free(struct heap *heap, void *block, size_t size);

/* Refuse what would bring the live bytes above this; as if out of memory. */
void heap_limit(struct heap *heap, uint64_t live_bytes_max);

/* Bytes in live blocks, and bytes taken from the system. */
uint64_t heap_live_bytes(const struct heap *heap);
uint64_t heap_held_bytes(const struct heap *heap);

#endif
