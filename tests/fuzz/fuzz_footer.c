/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a footer's payload. What decodes has entries that can all be had,
 * by number and by a search on their page, and encodes to the same bytes.
 */
#include "log/pages.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int by_place(const void *a, const void *b)
{
	const struct log_entry *x = a, *y = b;

	if (x->revision != y->revision)
		return x->revision < y->revision ? -1 : 1;
	return x->mutation < y->mutation ? -1 : x->mutation > y->mutation;
}

/* As a segment hands them over; there no two are at one place. */
static void encode_again(const uint8_t *data, size_t size,
			 const struct footer *footer, struct log_entry *list)
{
	size_t at, count = (size_t)footer->entry_count;
	struct entries entries;
	uint8_t *again = malloc(size);

	for (at = 0; at < count; at++)
		list[at] = footer_entry(data, footer, at);
	qsort(list, count, sizeof(*list), by_place);
	entries_begin(&entries, footer->first_revision);
	require(again && entries_reserve(&entries, count) == WB_OK);
	for (at = 0; at < count; at++) {
		if (at > 0 && by_place(&list[at - 1], &list[at]) == 0)
			break;
		entries_add(&entries, &list[at], 1, 0);
	}
	if (at == count) {
		require(footer_encode(footer, &entries, again) == WB_OK);
		require(memcmp(again, data, size) == 0);
	}
	entries_release(&entries);
	free(again);
}

static void find_all(const uint8_t *data, const struct footer *footer)
{
	struct places places;
	struct pages pages;
	size_t at;

	require(pages_make(data, footer, &pages) == WB_OK);
	for (at = 0; at < footer->entry_count; at++) {
		struct log_entry entry = footer_entry(data, footer, at);
		uint64_t before = entry.revision + 1;
		const uint8_t *bytes;
		size_t page;

		if (before == 0)
			continue;
		require(pages_find(&pages, entry.hash, before, &page));
		bytes = data + pages_offset(page);
		require(page_verify(&pages, page, bytes));
		page_search(&pages, page, bytes, entry.hash, before, &places);
		require(places.count > 0 &&
			places.list[0].revision == entry.revision &&
			places.before < before);
	}
	pages_release(&pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_entry *list;
	struct footer footer;

	if (footer_decode(data, size, &footer) != WB_OK)
		return 0;
	list = calloc((size_t)footer.entry_count + 1, sizeof(*list));
	require(list);
	encode_again(data, size, &footer, list);
	find_all(data, &footer);
	free(list);
	return 0;
}
