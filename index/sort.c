/* SPDX-License-Identifier: Apache-2.0
 *
 * Quicksort over strings, eight bytes at a time (Bentley and Sedgewick, "Fast
 * algorithms for sorting and searching strings", 1997, with words for
 * letters).
 *
 * Names share long beginnings, and a comparison that starts at byte 0 of two
 * records costs two cache misses to learn nothing. Here each item carries the
 * eight bytes of its key at the current depth; partitioning reads items only,
 * and the keys are read once a word, in one pass with prefetch.
 *
 * The pivot is drawn by chance: names come from users, and a fixed rule would
 * let them choose the worst case.
 */
#include "index/sort.h"

#include <string.h>

#define FEW		  12u
#define WORD_BYTES	  8u
#define PREFETCH_DISTANCE 12u

static uint64_t word_at(const struct record *record, size_t depth)
{
	size_t left = record->key_bytes - depth;
	uint64_t word = 0;

	memcpy(&word, record->bytes + depth,
	       left < WORD_BYTES ? left : WORD_BYTES);
	return __builtin_bswap64(word);
}

static void load_words(struct sort_item *items, size_t count, size_t depth)
{
	for (size_t i = 0; i < count; i++) {
		if (i + PREFETCH_DISTANCE < count) {
			const struct record *next =
				items[i + PREFETCH_DISTANCE].record;

			__builtin_prefetch(next);
			__builtin_prefetch(next->bytes + depth);
		}
		items[i].word = word_at(items[i].record, depth);
	}
}

static void swap(struct sort_item *a, struct sort_item *b)
{
	struct sort_item kept = *a;

	*a = *b;
	*b = kept;
}

static bool is_less(const struct sort_item *a, const struct sort_item *b,
		    size_t depth)
{
	if (a->word != b->word)
		return a->word < b->word;
	return key_compare(a->record->bytes + depth,
			   a->record->key_bytes - depth,
			   b->record->bytes + depth,
			   b->record->key_bytes - depth) < 0;
}

static void sort_few(struct sort_item *items, size_t count, size_t depth)
{
	for (size_t i = 1; i < count; i++) {
		struct sort_item item = items[i];
		size_t at = i;

		for (; at > 0 && is_less(&item, &items[at - 1], depth); at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

/* Words are equal. Move the keys that end in theirs to the front, in order;
 * keys differ, so these are nine at most. Returns how many. */
static size_t take_ended(struct sort_item *items, size_t count, size_t depth)
{
	size_t ended = 0;

	for (size_t i = 0; i < count; i++)
		if (items[i].record->key_bytes <= depth + WORD_BYTES)
			swap(&items[i], &items[ended++]);
	sort_few(items, ended, depth);
	return ended;
}

/* Three ways by the word of a random item: [0, *low) is less, [*high, count)
 * is greater. */
static void partition(struct sort_item *items, size_t count, uint64_t *chance,
		      size_t *ret_low, size_t *ret_high)
{
	size_t low = 0, at = 0, high = count;
	uint64_t pivot;

	*chance = *chance * 6364136223846793005u + 1442695040888963407u;
	pivot = items[(size_t)((*chance >> 32) * count >> 32)].word;
	while (at < high) {
		if (items[at].word < pivot)
			swap(&items[at++], &items[low++]);
		else if (items[at].word > pivot)
			swap(&items[at], &items[--high]);
		else
			at++;
	}
	*ret_low = low;
	*ret_high = high;
}

struct part {
	struct sort_item *items;
	size_t count;
	size_t depth;
};

/* Words are loaded. Recurs into the two smaller parts of three and goes on
 * with the largest, so that the stack stays small. */
static void sort_part(struct part part, uint64_t *chance)
{
	while (part.count > FEW) {
		struct part parts[3];
		size_t low, high, ended, largest = 0;

		partition(part.items, part.count, chance, &low, &high);
		ended = take_ended(part.items + low, high - low, part.depth);
		parts[0] = (struct part){part.items, low, part.depth};
		parts[1] = (struct part){part.items + low + ended,
					 high - low - ended,
					 part.depth + WORD_BYTES};
		parts[2] = (struct part){part.items + high, part.count - high,
					 part.depth};
		load_words(parts[1].items, parts[1].count, parts[1].depth);
		for (size_t i = 1; i < 3; i++)
			if (parts[i].count > parts[largest].count)
				largest = i;
		for (size_t i = 0; i < 3; i++)
			if (i != largest)
				sort_part(parts[i], chance);
		part = parts[largest];
	}
	sort_few(part.items, part.count, part.depth);
}

void sort_by_key(struct sort_item *items, size_t count)
{
	uint64_t chance = (uintptr_t)items ^ (uintptr_t)&count;

	load_words(items, count, 0);
	sort_part((struct part){items, count, 0}, &chance);
}
