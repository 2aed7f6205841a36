/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment's footer against the commits that were walked in it.
 */
#include "audit/walk.h"

#include "base/array.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Of a hash, four digits. */
enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, PASSES = 32 / DIGIT_BITS };

static_assert(PASSES % 2 == 0, "the last pass ends where the first began");

enum wb_error walk_note_entries(struct walk *walk,
				const struct audit_commit *commit, uint64_t at)
{
	if (!(walk->flags & AUDIT_READ_ENTRIES))
		return WB_OK;
	if (!array_grow(&walk->entries, &walk->entry_capacity,
			walk->entry_count + commit->mutation_count,
			sizeof(*walk->entries)))
		return WB_NO_MEMORY;
	for (size_t number = 0; number < commit->mutation_count; number++) {
		struct audit_entry *entry = &walk->entries[walk->entry_count++];

		entry->hash = (uint32_t)commit->mutations[number].key_hash;
		entry->frame = (uint32_t)(at / 8);
		entry->revision =
			(uint32_t)(commit->revision - walk->first_revision);
		entry->mutation = (uint32_t)number;
	}
	return WB_OK;
}

static int by_hash(const void *a, const void *b)
{
	const struct audit_entry *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->revision != y->revision)
		return x->revision < y->revision ? -1 : 1;
	return (x->mutation > y->mutation) - (x->mutation < y->mutation);
}

static unsigned digit_of(const struct audit_entry *entry, unsigned pass)
{
	return entry->hash >> (pass * DIGIT_BITS) & (DIGITS - 1);
}

/* By the digits of the hash, the lowest first; entries that share a hash stay
 * as they are, in the order of the commits. */
static void sort_by_digits(struct audit_entry *entries,
			   struct audit_entry *spare, size_t count)
{
	for (unsigned pass = 0; pass < PASSES; pass++) {
		struct audit_entry *from = pass % 2 ? spare : entries;
		struct audit_entry *to = pass % 2 ? entries : spare;
		size_t before[DIGITS + 1] = {0};

		for (size_t at = 0; at < count; at++)
			before[digit_of(&from[at], pass) + 1]++;
		for (size_t digit = 1; digit < DIGITS; digit++)
			before[digit] += before[digit - 1];
		for (size_t at = 0; at < count; at++)
			to[before[digit_of(&from[at], pass)]++] = from[at];
	}
}

static void sort_entries(struct walk *walk)
{
	size_t count = walk->entry_count, at = 1;
	struct audit_entry *entries = walk->entries, *spare = NULL;

	if (count > DIGITS)
		spare = malloc(count * sizeof(*spare));
	if (spare) {
		sort_by_digits(entries, spare, count);
		free(spare);
	}
	while (at < count && by_hash(&entries[at - 1], &entries[at]) <= 0)
		at++;
	/* A short one, no memory, or revisions that go back. */
	if (at < count)
		qsort(entries, count, sizeof(*entries), by_hash);
}

static void check_entries(struct walk *walk, const struct walk_frame *frame,
			  const struct audit_footer *footer)
{
	size_t size = frame->frame.payload_bytes;
	uint64_t at = 0;

	sort_entries(walk);
	while (at < walk->entry_count) {
		struct audit_entry entry =
			audit_entry_read(frame->payload, size, at);
		const struct audit_entry *ours = &walk->entries[at];

		if (by_hash(&entry, ours) != 0 || entry.frame != ours->frame)
			break;
		at++;
	}
	if (at == walk->entry_count || control_off(CONTROL_AUDIT_FOOTER_INDEX))
		return;
	report_at(walk->report, AUDIT_RULE_FOOTER_INDEX, walk->segment->name,
		  frame->at + AUDIT_FRAME_HEADER_BYTES +
			  AUDIT_FOOTER_HEAD_BYTES + at * AUDIT_ENTRY_BYTES,
		  "entry %" PRIu64 " of %" PRIu64, at, footer->entries);
}

/* Which field is not what was walked; NULL: none. */
static const char *field_that_differs(struct walk *walk,
				      const struct audit_footer *footer)
{
	bool empty = walk->commits == 0;

	if (footer->first_revision != (empty ? 0 : walk->first_revision))
		return "first_revision";
	if (footer->last_revision != (empty ? 0 : walk->head))
		return "last_revision";
	if (footer->commits != walk->commits)
		return "number of commits";
	if (footer->time_min_ns != (empty ? 0 : walk->time_min_ns))
		return "lowest commit time";
	if (footer->time_max_ns != (empty ? 0 : walk->time_max_ns))
		return "highest commit time";
	if (footer->entries != walk->mutations)
		return "number of entries";
	if (walk->chain_known &&
	    !walk_chain_is(walk, footer->chain, CONTROL_AUDIT_CHAIN_FOOTER))
		return "chain value";
	return NULL;
}

void walk_check_footer(struct walk *walk, const struct walk_frame *frame)
{
	struct audit_footer footer;
	const char *differs;

	if (!audit_footer_read(frame->payload, frame->frame.payload_bytes,
			       &footer)) {
		report_at(walk->report, AUDIT_RULE_FOOTER_RULE,
			  walk->segment->name, frame->at, "its size");
		return;
	}
	/* Frames are missing: it cannot be held against them. */
	if (walk->lost)
		return;
	differs = field_that_differs(walk, &footer);
	if (differs)
		report_at(walk->report, AUDIT_RULE_FOOTER_RULE,
			  walk->segment->name, frame->at, "%s", differs);
	if (walk->flags & AUDIT_READ_ENTRIES &&
	    footer.entries == walk->entry_count)
		check_entries(walk, frame, &footer);
}
