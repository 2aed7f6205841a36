/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment's footer against the commits that were walked in it.
 */
#include "audit/walk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum wb_error walk_note_entries(struct walk *walk,
				const struct audit_commit *commit, uint64_t at)
{
	if (!(walk->flags & AUDIT_READ_ENTRIES))
		return WB_OK;
	if (walk->entry_capacity - walk->entry_count < commit->mutation_count) {
		size_t capacity =
			2 * walk->entry_capacity + commit->mutation_count + 256;
		void *entries = realloc(walk->entries,
					capacity * sizeof(*walk->entries));

		if (!entries)
			return WB_NO_MEMORY;
		walk->entries = entries;
		walk->entry_capacity = capacity;
	}
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

static void check_entries(struct walk *walk, const struct walk_frame *frame,
			  const struct audit_footer *footer)
{
	size_t size = frame->frame.payload_bytes;
	uint64_t at = 0;

	if (walk->entry_count > 0)
		qsort(walk->entries, walk->entry_count, sizeof(*walk->entries),
		      by_hash);
	while (at < walk->entry_count) {
		struct audit_entry entry =
			audit_entry_read(frame->payload, size, at);
		const struct audit_entry *ours = &walk->entries[at];

		if (by_hash(&entry, ours) != 0 || entry.frame != ours->frame)
			break;
		at++;
	}
	if (at == walk->entry_count)
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
	if (walk->chain_known && !walk_chain_is(walk, footer->chain))
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
