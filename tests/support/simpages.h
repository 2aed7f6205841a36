/* SPDX-License-Identifier: Apache-2.0
 *
 * What a simulated file holds: a size and sparse pages, both shared until
 * somebody changes them.
 *
 * A crash loop makes hundreds of thousands of disks that differ in a few
 * sectors. So pages and whole contents are counted references, a hole costs
 * a null pointer, a page of zeros is one and the same page, and hashes are
 * kept beside what they are of.
 *
 * Bytes beyond the size are always zero. There is no error: out of memory
 * ends the test program.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SIMPAGES_H
#define WAYBILL_TESTS_SUPPORT_SIMPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PAGE_BYTES = 4096,
	SECTOR_BYTES = 512,
	PAGE_SECTORS = PAGE_BYTES / SECTOR_BYTES,
	ALL_SECTORS = (1 << PAGE_SECTORS) - 1,
};

struct page;
struct simdata;

/* Zeroed memory; never NULL. Not through malloc, so that a test in which
 * malloc fails spares the disk. Freed with free(). */
void *sim_alloc(size_t size);

struct page *simpage_ref(struct page *page); /* NULL gives NULL */
void simpage_unref(struct page *page);

struct simdata *simdata_new(void);
struct simdata *simdata_ref(struct simdata *content);
void simdata_unref(struct simdata *content);

uint64_t simdata_size(const struct simdata *content);
/* Bytes of the pages that are not holes. */
uint64_t simdata_used(const struct simdata *content);
/* Of the bytes and the size; a hole and zeros are the same. */
uint64_t simdata_hash(struct simdata *content);
/* Beyond the size: zeros. */
void simdata_read(const struct simdata *content, void *buffer, size_t size,
		  uint64_t offset);
bool simdata_is_hole(const struct simdata *content, uint64_t page);
/* Borrowed; NULL for a hole. */
struct page *simdata_page(const struct simdata *content, uint64_t page);

/* Each of these makes `*content` the caller's own first. */
void simdata_write(struct simdata **content, const void *bytes, size_t size,
		   uint64_t offset);
void simdata_resize(struct simdata **content, uint64_t size);
/* Make it at least `size` long, without holes up to there. */
void simdata_allocate(struct simdata **content, uint64_t size);
/* Put (a reference to) a page, or the sectors of it that `mask` names, in
 * place; the size follows by simdata_grow or simdata_resize. */
void simdata_put(struct simdata **content, uint64_t index, struct page *page,
		 unsigned mask);
void simdata_grow(struct simdata **content, uint64_t size);

#endif
