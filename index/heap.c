/* SPDX-License-Identifier: Apache-2.0
 *
 * A chunk is 2 MiB at an address that is a multiple of 2 MiB, so that one
 * huge page backs it and a block's address tells its chunk. It is cut into 32
 * spans of 64 KiB; a span in use holds blocks of one size class. Span and
 * block are found by division, nothing is stored beside a block, and a free
 * block's first bytes link it to the next one.
 *
 * Classes are 16 bytes apart up to 1 KiB, then an eighth of a power of two
 * up to 8 KiB. What is larger costs more to copy than to find, and malloc
 * serves it well.
 *
 * A span whose last block is freed returns to its chunk, a chunk whose last
 * span returns goes back to the system, except one that is kept against
 * mapping and unmapping at every turn. Discarded: a chunk a class (a small
 * store would touch 2 MiB for each of thirty sizes), and one arena with a
 * copying collector (addresses are in the table and the name order).
 */
#include "index/heap.h"

#include "base/poison.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_BYTES	((size_t)2 << 20)
#define SPAN_BYTES	((size_t)64 << 10)
#define SPAN_COUNT	(CHUNK_BYTES / SPAN_BYTES)
#define STEP_BYTES	((size_t)16)
#define FINE_BYTES_MAX	((size_t)1 << 10)
#define BLOCK_BYTES_MAX ((size_t)8 << 10)
#define FINE_CLASSES	(FINE_BYTES_MAX / STEP_BYTES)
#define CLASS_COUNT	(FINE_CLASSES + 3 * 8)

static_assert(SPAN_COUNT == 32, "free_spans is one bit a span");
static_assert(SPAN_BYTES / STEP_BYTES < UINT16_MAX, "a link is 16 bits");

struct span {
	struct span *next, *previous; /* spans of the class with a free block */
	uint8_t *blocks;
	uint32_t block_bytes;
	uint16_t room;	/* blocks it holds */
	uint16_t used;	/* of which handed out */
	uint16_t fresh; /* this and later ones were never handed out */
	uint16_t free;	/* 1 + number of the newest freed one; 0: none */
	uint16_t class;
};

struct chunk {
	struct chunk *next, *previous; /* open or full ones */
	uint32_t free_spans;
	struct span spans[SPAN_COUNT];
};

/* Before a block that malloc gave; a cache line, to keep it aligned. */
struct large {
	struct large *next, *previous;
} __attribute__((aligned(64)));

struct heap {
	pthread_mutex_t lock;
	struct span *spans[CLASS_COUNT]; /* with a free block */
	struct chunk *open;		 /* chunks with a free span */
	struct chunk *full;		 /* without */
	struct chunk *empty;		 /* the one kept, or NULL */
	struct large *large;
	uint64_t live_bytes_max;
	uint64_t live_bytes; /* these two are read without the lock */
	uint64_t held_bytes;
};

#define LIST_PUSH(list, item)                         \
	do {                                          \
		(item)->previous = NULL;              \
		(item)->next = *(list);               \
		if (*(list))                          \
			(*(list))->previous = (item); \
		*(list) = (item);                     \
	} while (0)

#define LIST_REMOVE(list, item)                                    \
	do {                                                       \
		if ((item)->next)                                  \
			(item)->next->previous = (item)->previous; \
		if ((item)->previous)                              \
			(item)->previous->next = (item)->next;     \
		else                                               \
			*(list) = (item)->next;                    \
	} while (0)

static unsigned class_of(size_t size)
{
	unsigned shift;

	if (size <= FINE_BYTES_MAX)
		return (unsigned)((size + !size - 1) / STEP_BYTES);
	shift = 60 - (unsigned)__builtin_clzll(size - 1);
	return (unsigned)(FINE_CLASSES + (shift - 8) * 8 +
			  ((size - 1) >> shift));
}

static size_t class_bytes(unsigned class)
{
	unsigned coarse = class - (unsigned)FINE_CLASSES;

	if (class < FINE_CLASSES)
		return (class + 1) * STEP_BYTES;
	return (size_t)(8 + coarse % 8 + 1) << (7 + coarse / 8);
}

/* The lock is held. */
static void counter_add(uint64_t *counter, uint64_t bytes)
{
	__atomic_store_n(counter, *counter + bytes, __ATOMIC_RELAXED);
}

static struct chunk *chunk_map(struct heap *heap)
{
	uint8_t *mapped = mmap(NULL, 2 * CHUNK_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct chunk *chunk;
	size_t before;

	if (mapped == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)mapped & (CHUNK_BYTES - 1);
	if (before)
		munmap(mapped, before);
	munmap(mapped + before + CHUNK_BYTES, CHUNK_BYTES - before);
	chunk = (struct chunk *)(mapped + before);
	madvise(chunk, CHUNK_BYTES, MADV_HUGEPAGE); /* else smaller pages */
	chunk->free_spans = UINT32_MAX;
	counter_add(&heap->held_bytes, CHUNK_BYTES);
	return chunk;
}

static void chunk_unmap(struct heap *heap, struct chunk *chunk)
{
	ASAN_UNPOISON_MEMORY_REGION(chunk, CHUNK_BYTES);
	munmap(chunk, CHUNK_BYTES);
	counter_add(&heap->held_bytes, -(uint64_t)CHUNK_BYTES);
}

static struct chunk *chunk_of(void *block)
{
	return (struct chunk *)((uintptr_t)block & ~(CHUNK_BYTES - 1));
}

/* The first span holds the chunk's own header before its blocks. */
static void span_begin(struct span *span, struct chunk *chunk, unsigned number,
		       unsigned class)
{
	size_t block_bytes = class_bytes(class);
	size_t from = number * SPAN_BYTES;
	size_t to = from + SPAN_BYTES;

	if (number == 0)
		from = (sizeof(*chunk) + 63) & ~(size_t)63;
	*span = (struct span){
		.blocks = (uint8_t *)chunk + from,
		.block_bytes = (uint32_t)block_bytes,
		.room = (uint16_t)((to - from) / block_bytes),
		.class = (uint16_t) class,
	};
	ASAN_POISON_MEMORY_REGION(span->blocks, to - from);
}

/* A span with a free block for `class`, at the head of its list. */
static struct span *span_find(struct heap *heap, unsigned class)
{
	struct span *span = heap->spans[class];
	struct chunk *chunk = heap->open;
	unsigned number;

	if (span)
		return span;
	if (!chunk) {
		chunk = heap->empty ? heap->empty : chunk_map(heap);
		if (!chunk)
			return NULL;
		heap->empty = NULL;
		LIST_PUSH(&heap->open, chunk);
	}
	number = (unsigned)__builtin_ctz(chunk->free_spans);
	chunk->free_spans &= ~(1u << number);
	if (!chunk->free_spans) {
		LIST_REMOVE(&heap->open, chunk);
		LIST_PUSH(&heap->full, chunk);
	}
	span = &chunk->spans[number];
	span_begin(span, chunk, number, class);
	LIST_PUSH(&heap->spans[class], span);
	return span;
}

/* The span holds no block any more. */
static void span_end(struct heap *heap, struct span *span)
{
	struct chunk *chunk = chunk_of(span);
	uint32_t free_spans = chunk->free_spans;

	LIST_REMOVE(&heap->spans[span->class], span);
	chunk->free_spans |= 1u << (unsigned)(span - chunk->spans);
	if (!free_spans) {
		LIST_REMOVE(&heap->full, chunk);
		LIST_PUSH(&heap->open, chunk);
	}
	if (chunk->free_spans != UINT32_MAX)
		return;
	LIST_REMOVE(&heap->open, chunk);
	if (heap->empty)
		chunk_unmap(heap, heap->empty);
	chunk->next = NULL;
	heap->empty = chunk;
}

static void *span_take(struct heap *heap, struct span *span)
{
	unsigned number = span->free ? span->free - 1u : span->fresh;
	uint8_t *block = span->blocks + (size_t)number * span->block_bytes;

	ASAN_UNPOISON_MEMORY_REGION(block, span->block_bytes);
	if (span->free)
		span->free = *(uint16_t *)(void *)block;
	else
		span->fresh++;
	if (++span->used == span->room)
		LIST_REMOVE(&heap->spans[span->class], span);
	return block;
}

static void span_give(struct heap *heap, struct span *span, uint8_t *block)
{
	size_t number = (size_t)(block - span->blocks) / span->block_bytes;

	assert(number < span->fresh);
	assert(span->blocks + number * span->block_bytes == block);
	assert(span->used);
	*(uint16_t *)(void *)block = span->free;
	ASAN_POISON_MEMORY_REGION(block, span->block_bytes);
	span->free = (uint16_t)(number + 1);
	if (span->used-- == span->room)
		LIST_PUSH(&heap->spans[span->class], span);
	if (!span->used)
		span_end(heap, span);
}

struct heap *heap_new(void)
{
	struct heap *heap = calloc(1, sizeof(*heap));

	if (!heap)
		return NULL;
	if (pthread_mutex_init(&heap->lock, NULL)) {
		free(heap);
		return NULL;
	}
	heap->live_bytes_max = UINT64_MAX;
	return heap;
}

static void chunks_unmap(struct heap *heap, struct chunk *chunk)
{
	while (chunk) {
		struct chunk *next = chunk->next;

		chunk_unmap(heap, chunk);
		chunk = next;
	}
}

void heap_release(struct heap *heap)
{
	if (!heap)
		return;
	chunks_unmap(heap, heap->open);
	chunks_unmap(heap, heap->full);
	chunks_unmap(heap, heap->empty);
	while (heap->large) {
		struct large *large = heap->large;

		heap->large = large->next;
		free(large);
	}
	pthread_mutex_destroy(&heap->lock);
	free(heap);
}

static void *small_alloc(struct heap *heap, size_t size)
{
	struct span *span = span_find(heap, class_of(size));

	return span ? span_take(heap, span) : NULL;
}

static void small_free(struct heap *heap, void *block, size_t size)
{
	struct chunk *chunk = chunk_of(block);
	size_t at = (size_t)((uint8_t *)block - (uint8_t *)chunk);
	struct span *span = &chunk->spans[at / SPAN_BYTES];

	assert(span->class == class_of(size));
	span_give(heap, span, block);
}

static size_t large_bytes(size_t size)
{
	return sizeof(struct large) + ((size + 63) & ~(size_t)63);
}

static void *large_alloc(struct heap *heap, size_t size)
{
	struct large *large = NULL;

	if (size <= SIZE_MAX / 2)
		large = aligned_alloc(sizeof(*large), large_bytes(size));
	if (!large)
		return NULL;
	LIST_PUSH(&heap->large, large);
	counter_add(&heap->held_bytes, large_bytes(size));
	return large + 1;
}

static void large_free(struct heap *heap, void *block, size_t size)
{
	struct large *large = (struct large *)block - 1;

	LIST_REMOVE(&heap->large, large);
	counter_add(&heap->held_bytes, -(uint64_t)large_bytes(size));
	free(large);
}

void *heap_alloc(struct heap *heap, size_t size)
{
	void *block = NULL;

	pthread_mutex_lock(&heap->lock);
	if (size <= heap->live_bytes_max &&
	    heap->live_bytes <= heap->live_bytes_max - size)
		block = size > BLOCK_BYTES_MAX ? large_alloc(heap, size)
					       : small_alloc(heap, size);
	if (block)
		counter_add(&heap->live_bytes, size);
	pthread_mutex_unlock(&heap->lock);
	return block;
}

void heap_free(struct heap *heap, void *block, size_t size)
{
	if (!block)
		return;
	pthread_mutex_lock(&heap->lock);
	if (size > BLOCK_BYTES_MAX)
		large_free(heap, block, size);
	else
		small_free(heap, block, size);
	counter_add(&heap->live_bytes, -(uint64_t)size);
	pthread_mutex_unlock(&heap->lock);
}

void heap_limit(struct heap *heap, uint64_t live_bytes_max)
{
	pthread_mutex_lock(&heap->lock);
	heap->live_bytes_max = live_bytes_max;
	pthread_mutex_unlock(&heap->lock);
}

uint64_t heap_live_bytes(const struct heap *heap)
{
	return __atomic_load_n(&heap->live_bytes, __ATOMIC_RELAXED);
}

uint64_t heap_held_bytes(const struct heap *heap)
{
	return __atomic_load_n(&heap->held_bytes, __ATOMIC_RELAXED);
}
