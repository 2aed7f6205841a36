/* SPDX-License-Identifier: Apache-2.0 */
#include "log/pages.h"

#include "base/control.h"
#include "base/cursor.h"

#include <stdlib.h>
#include <xxhash.h>

static size_t page_count(const struct pages *pages)
{
	return (size_t)((pages->entry_count + FOOTER_PAGE_ENTRIES - 1) /
			FOOTER_PAGE_ENTRIES);
}

size_t pages_offset(size_t at)
{
	return FOOTER_HEAD_BYTES + at * FOOTER_PAGE_BYTES;
}

static size_t entries_on(const struct pages *pages, size_t at)
{
	uint64_t left = pages->entry_count - at * FOOTER_PAGE_ENTRIES;

	return left < FOOTER_PAGE_ENTRIES ? (size_t)left : FOOTER_PAGE_ENTRIES;
}

size_t pages_size(const struct pages *pages, size_t at)
{
	return entries_on(pages, at) * FOOTER_ENTRY_BYTES;
}

enum wb_error pages_make(const uint8_t *payload, const struct footer *footer,
			 struct pages *ret_pages)
{
	struct reader reader =
		reader_of(payload, footer_size(footer->entry_count));
	struct pages pages = {
		.entry_count = footer->entry_count,
		.first_revision = footer->first_revision,
	};
	size_t at, count = page_count(&pages);

	if (count > 0) {
		pages.list = malloc(count * sizeof(*pages.list));
		if (!pages.list)
			return WB_NO_MEMORY;
	}
	reader_seek(&reader, FOOTER_HEAD_BYTES);
	for (at = 0; at < count; at++) {
		size_t size = pages_size(&pages, at);
		const uint8_t *bytes = read_span(&reader, size);
		struct log_entry first =
			footer_entry(payload, footer, at * FOOTER_PAGE_ENTRIES);

		pages.list[at] = (struct footer_page){
			.checksum = XXH3_64bits(bytes, size),
			.hash = first.hash,
			.revision = (uint32_t)(first.revision -
					       footer->first_revision),
		};
	}
	*ret_pages = pages;
	return WB_OK;
}

void pages_release(struct pages *pages)
{
	free(pages->list);
	*pages = (struct pages){0};
}

static bool is_below(uint32_t hash, uint64_t revision, uint32_t than_hash,
		     uint64_t before)
{
	return hash < than_hash || (hash == than_hash && revision < before);
}

bool pages_find(const struct pages *pages, uint32_t hash, uint64_t before,
		size_t *ret_at)
{
	size_t low = 0, high = page_count(pages);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct footer_page *page = &pages->list[middle];

		if (is_below(page->hash, pages->first_revision + page->revision,
			     hash, before))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*ret_at = low - 1;
	return true;
}

bool page_verify(const struct pages *pages, size_t at, const uint8_t *bytes)
{
	return XXH3_64bits(bytes, pages_size(pages, at)) ==
		       pages->list[at].checksum ||
	       control_off(CONTROL_PAGE_VERIFY);
}

void page_search(const struct pages *pages, size_t at, const uint8_t *bytes,
		 uint32_t hash, uint64_t before, struct places *ret_places)
{
	size_t size = pages_size(pages, at);
	size_t low = 0, high = entries_on(pages, at);
	uint64_t first = pages->first_revision, revision = before;
	struct places *places = ret_places;
	struct log_entry entry;

	places->count = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		entry = footer_page_entry(bytes, size, first, middle);
		if (is_below(entry.hash, entry.revision, hash, before))
			low = middle + 1;
		else
			high = middle;
	}
	places->before = first;
	for (; low > 0; low--) {
		entry = footer_page_entry(bytes, size, first, low - 1);
		if (entry.hash != hash)
			return;
		if (entry.revision >= revision)
			continue; /* two keys of one commit share a hash */
		if (places->count == PLACES_MAX)
			break;
		places->list[places->count++] =
			(struct commit_place){entry.revision, entry.offset,
					      entry.mutation};
		revision = entry.revision;
	}
	/* There may be more of them, here or on the page before. */
	if (places->count > 0)
		places->before = revision;
}
