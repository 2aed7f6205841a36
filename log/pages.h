/* SPDX-License-Identifier: Apache-2.0
 *
 * The entries of a footer, cut up into pages, so that a look-up reads one page
 * and not the footer. A footer has one checksum for all of it, and a missing
 * entry is a missing version that nobody would notice; so when its bytes are
 * verified as a whole (at open) or made (when a segment is sealed), a checksum
 * of each page is taken and kept in memory. What is read later is held
 * against that, every time.
 *
 * Discarded: to keep whole footers in memory, 16 bytes a version (a page
 * costs 16 bytes for 256 of them) with a bound that a look through all
 * segments would thrash; and to believe what was verified once, which serves
 * rot that comes later.
 */
#ifndef WAYBILL_LOG_PAGES_H
#define WAYBILL_LOG_PAGES_H

#include "log/entries.h"
#include "log/segment.h"

#define FOOTER_PAGE_ENTRIES 256u
#define FOOTER_PAGE_BYTES   (FOOTER_PAGE_ENTRIES * FOOTER_ENTRY_BYTES)

struct footer_page {
	uint64_t checksum;
	uint32_t hash; /* of its first entry */
	uint32_t revision;
};

struct pages {
	struct footer_page *list;
	uint64_t entry_count;
	uint64_t first_revision;
};

/* Of the payload of a decoded footer. WB_NO_MEMORY. */
enum wb_error pages_make(const uint8_t *payload, const struct footer *footer,
			 struct pages *ret_pages);
void pages_release(struct pages *pages);

/* Which page the newest entry of `hash` below `before` is on, if there is
 * one. False: there is none. */
bool pages_find(const struct pages *pages, uint32_t hash, uint64_t before,
		size_t *ret_at);
/* Where page `at` is in the payload, and its size. */
size_t pages_offset(size_t at);
size_t pages_size(const struct pages *pages, size_t at);
/* Are these the bytes that it had? */
bool page_verify(const struct pages *pages, size_t at, const uint8_t *bytes);
/* As entries_find, from a verified page. */
void page_search(const struct pages *pages, size_t at, const uint8_t *bytes,
		 uint32_t hash, uint64_t before, struct places *ret_places);

#endif
