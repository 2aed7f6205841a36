/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/simpages.h"

#include "base/cursor.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct page {
	atomic_uint refs;
	_Atomic uint64_t hash; /* 0: not known */
	unsigned char bytes[PAGE_BYTES];
};

struct simdata {
	atomic_uint refs;
	_Atomic uint64_t hash; /* 0: not known */
	uint64_t size;
	uint64_t used_pages;
	size_t page_count;
	struct page **pages;
};

/* Allocated, and zero. Never written, never freed. */
static struct page zero_page = {.refs = 1};

static void *uncleared_alloc(size_t size)
{
	void *memory;

	if (posix_memalign(&memory, alignof(max_align_t), size ? size : 1)) {
		fprintf(stderr, "simulated disk: out of memory\n");
		abort();
	}
	return memory;
}

void *sim_alloc(size_t size)
{
	return memset(uncleared_alloc(size), 0, size);
}

/* ---- pages ---- */

struct page *simpage_ref(struct page *page)
{
	if (page && page != &zero_page)
		atomic_fetch_add(&page->refs, 1);
	return page;
}

void simpage_unref(struct page *page)
{
	if (page && page != &zero_page && atomic_fetch_sub(&page->refs, 1) == 1)
		free(page);
}

static bool page_is_zero(const struct page *page)
{
	return !page || page == &zero_page;
}

static struct page *page_copy(const struct page *from)
{
	struct page *page = uncleared_alloc(sizeof(*page));

	if (!page) {
		perror("simulated disk");
		abort();
	}
	atomic_init(&page->refs, 1);
	atomic_init(&page->hash, 0);
	if (page_is_zero(from))
		memset(page->bytes, 0, PAGE_BYTES);
	else
		memcpy(page->bytes, from->bytes, PAGE_BYTES);
	return page;
}

/* Zero for a page of zeros. */
static uint64_t page_hash(struct page *page)
{
	uint64_t hash;

	if (page_is_zero(page))
		return 0;
	hash = atomic_load(&page->hash);
	if (hash == 0) {
		if (bytes_are_zero(page->bytes, PAGE_BYTES))
			return 0;
		hash = XXH3_64bits(page->bytes, PAGE_BYTES) | 1;
		atomic_store(&page->hash, hash);
	}
	return hash;
}

/* ---- contents ---- */

struct simdata *simdata_new(void)
{
	struct simdata *content = sim_alloc(sizeof(*content));

	atomic_init(&content->refs, 1);
	return content;
}

struct simdata *simdata_ref(struct simdata *content)
{
	atomic_fetch_add(&content->refs, 1);
	return content;
}

void simdata_unref(struct simdata *content)
{
	if (!content || atomic_fetch_sub(&content->refs, 1) != 1)
		return;
	for (size_t i = 0; i < content->page_count; i++)
		simpage_unref(content->pages[i]);
	free(content->pages);
	free(content);
}

/* Make it the caller's alone, about to be changed. */
static struct simdata *simdata_own(struct simdata **content)
{
	struct simdata *shared = *content;
	struct simdata *own;

	if (atomic_load(&shared->refs) == 1) {
		atomic_store(&shared->hash, 0);
		return shared;
	}
	own = simdata_new();
	own->size = shared->size;
	own->used_pages = shared->used_pages;
	own->page_count = shared->page_count;
	own->pages = sim_alloc(own->page_count * sizeof(struct page *));
	for (size_t i = 0; i < own->page_count; i++)
		own->pages[i] = simpage_ref(shared->pages[i]);
	simdata_unref(shared);
	*content = own;
	return own;
}

static void pages_reach(struct simdata *own, size_t count)
{
	size_t room = own->page_count ? own->page_count : 8;
	struct page **pages;

	if (count <= own->page_count)
		return;
	while (room < count)
		room *= 2;
	pages = sim_alloc(room * sizeof(struct page *));
	if (own->page_count)
		memcpy(pages, own->pages,
		       own->page_count * sizeof(struct page *));
	free(own->pages);
	own->pages = pages;
	own->page_count = room;
}

/* Takes the reference. */
static void page_set(struct simdata *own, size_t index, struct page *page)
{
	struct page *old;

	pages_reach(own, index + 1);
	old = own->pages[index];
	own->pages[index] = page;
	own->used_pages += (page != NULL);
	own->used_pages -= (old != NULL);
	simpage_unref(old);
}

/* A page of `own` that may be written in place. */
static struct page *page_own(struct simdata *own, size_t index)
{
	struct page *page;

	pages_reach(own, index + 1);
	page = own->pages[index];
	if (page_is_zero(page) || atomic_load(&page->refs) > 1)
		page_set(own, index, page_copy(page));
	page = own->pages[index];
	atomic_store(&page->hash, 0);
	return page;
}

uint64_t simdata_size(const struct simdata *content)
{
	return content->size;
}

uint64_t simdata_used(const struct simdata *content)
{
	return content->used_pages * PAGE_BYTES;
}

uint64_t simdata_hash(struct simdata *content)
{
	uint64_t hash = atomic_load(&content->hash);

	if (hash != 0)
		return hash;
	hash = content->size * 0x9E3779B97F4A7C15;
	for (size_t i = 0; i < content->page_count; i++) {
		uint64_t pair[2] = {i, page_hash(content->pages[i])};

		if (pair[1] != 0)
			hash += XXH3_64bits(pair, sizeof(pair));
	}
	hash |= 1;
	atomic_store(&content->hash, hash);
	return hash;
}

struct page *simdata_page(const struct simdata *content, uint64_t page)
{
	return page < content->page_count ? content->pages[page] : NULL;
}

bool simdata_is_hole(const struct simdata *content, uint64_t page)
{
	return !simdata_page(content, page);
}

void simdata_read(const struct simdata *content, void *buffer, size_t size,
		  uint64_t offset)
{
	unsigned char *to = buffer;

	while (size > 0) {
		size_t in_page = offset % PAGE_BYTES;
		size_t step = PAGE_BYTES - in_page;
		struct page *page = simdata_page(content, offset / PAGE_BYTES);

		if (step > size)
			step = size;
		if (page_is_zero(page))
			memset(to, 0, step);
		else
			memcpy(to, page->bytes + in_page, step);
		to += step;
		offset += step;
		size -= step;
	}
}

void simdata_write(struct simdata **content, const void *bytes, size_t size,
		   uint64_t offset)
{
	struct simdata *own = simdata_own(content);
	const unsigned char *from = bytes;

	while (size > 0) {
		size_t index = offset / PAGE_BYTES;
		size_t in_page = offset % PAGE_BYTES;
		size_t step = PAGE_BYTES - in_page;

		if (step > size)
			step = size;
		if (page_is_zero(simdata_page(own, index)) &&
		    bytes_are_zero(from, step))
			page_set(own, index, &zero_page);
		else
			memcpy(page_own(own, index)->bytes + in_page, from,
			       step);
		from += step;
		offset += step;
		size -= step;
		if (offset > own->size)
			own->size = offset;
	}
}

void simdata_resize(struct simdata **content, uint64_t size)
{
	struct simdata *own = simdata_own(content);
	size_t first = (size + PAGE_BYTES - 1) / PAGE_BYTES;
	size_t in_page = size % PAGE_BYTES;
	struct page *last = simdata_page(own, size / PAGE_BYTES);

	own->size = size;
	for (size_t i = first; i < own->page_count; i++)
		if (own->pages[i])
			page_set(own, i, NULL);
	if (in_page && !page_is_zero(last) &&
	    !bytes_are_zero(last->bytes + in_page, PAGE_BYTES - in_page)) {
		last = page_own(own, size / PAGE_BYTES);
		memset(last->bytes + in_page, 0, PAGE_BYTES - in_page);
	}
}

void simdata_allocate(struct simdata **content, uint64_t size)
{
	struct simdata *own = simdata_own(content);

	for (size_t i = 0; i < (size + PAGE_BYTES - 1) / PAGE_BYTES; i++)
		if (simdata_is_hole(own, i))
			page_set(own, i, &zero_page);
	if (size > own->size)
		own->size = size;
}

void simdata_put(struct simdata **content, uint64_t index, struct page *page,
		 unsigned mask)
{
	struct simdata *own = simdata_own(content);
	struct page *old = simdata_page(own, index);
	struct page *mixed;

	if (mask == 0 || page == old)
		return;
	if (mask == ALL_SECTORS || (page_is_zero(page) && page_is_zero(old))) {
		page_set(own, index, simpage_ref(page));
		return;
	}
	mixed = page_own(own, index);
	for (size_t i = 0; i < PAGE_SECTORS; i++) {
		unsigned char *to = mixed->bytes + i * SECTOR_BYTES;

		if (!(mask & 1u << i))
			continue;
		if (page_is_zero(page))
			memset(to, 0, SECTOR_BYTES);
		else
			memcpy(to, page->bytes + i * SECTOR_BYTES,
			       SECTOR_BYTES);
	}
}

void simdata_grow(struct simdata **content, uint64_t size)
{
	if (size > (*content)->size)
		simdata_own(content)->size = size;
}
