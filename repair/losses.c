/* SPDX-License-Identifier: Apache-2.0 */
#include "repair/losses.h"

#include "audit/message.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

void losses_release(struct losses *losses)
{
	for (size_t at = 0; at < losses->name_count; at++)
		free((void *)(uintptr_t)losses->names[at].key.name.data);
	free(losses->names);
	free(losses->ranges);
	free(losses->unknown);
	*losses = (struct losses){.ranges = NULL};
}

enum wb_error losses_range(struct losses *losses, uint64_t first, uint64_t last)
{
	struct lost_range *before =
		losses->range_count ? &losses->ranges[losses->range_count - 1]
				    : NULL;

	if (before && before->last + 1 >= first) {
		before->last = last;
		return WB_OK;
	}
	if (!array_grow(&losses->ranges, &losses->range_capacity,
			losses->range_count + 1, sizeof(*losses->ranges)))
		return WB_NO_MEMORY;
	losses->ranges[losses->range_count++] =
		(struct lost_range){first, last};
	return WB_OK;
}

/* Name and namespace in one piece, which begins with the name. */
static bool copy_key(const struct wb_key *key, struct wb_key *ret_copy)
{
	uint8_t *bytes = malloc(key->name.size + key->ns.size + 1);

	if (!bytes)
		return false;
	if (key->name.size > 0)
		memcpy(bytes, key->name.data, key->name.size);
	if (key->ns.size > 0)
		memcpy(bytes + key->name.size, key->ns.data, key->ns.size);
	*ret_copy = (struct wb_key){
		.kind = key->kind,
		.ns = {bytes + key->name.size, key->ns.size},
		.name = {bytes, key->name.size},
	};
	return true;
}

enum wb_error losses_name(struct losses *losses, const struct wb_key *key,
			  uint64_t revision, bool exact)
{
	struct wb_salvage_name name = {.revision = revision, .exact = exact};

	if (!array_grow(&losses->names, &losses->name_capacity,
			losses->name_count + 1, sizeof(*losses->names)) ||
	    !copy_key(key, &name.key))
		return WB_NO_MEMORY;
	losses->names[losses->name_count++] = name;
	return WB_OK;
}

enum wb_error losses_unknown(struct losses *losses, uint64_t first,
			     uint64_t last, uint64_t count)
{
	if (count == 0)
		return WB_OK;
	if (!array_grow(&losses->unknown, &losses->unknown_capacity,
			losses->unknown_count + 1, sizeof(*losses->unknown)))
		return WB_NO_MEMORY;
	losses->unknown[losses->unknown_count++] =
		(struct lost_names){{first, last}, count};
	return WB_OK;
}

static int compare_names(const struct wb_salvage_name *a,
			 const struct wb_salvage_name *b)
{
	if (a->revision != b->revision)
		return a->revision < b->revision ? -1 : 1;
	return audit_key_compare(&a->key, &b->key);
}

/* Of two that are the same, the one that is exact first. */
static int in_order(const void *a, const void *b)
{
	const struct wb_salvage_name *x = a, *y = b;
	int order = compare_names(x, y);

	return order ? order : y->exact - x->exact;
}

/* Is it lost, or may it be? */
static bool may_be_lost(const struct losses *losses, uint64_t revision)
{
	return losses_is_lost(losses, revision) ||
	       (losses->unknown_from > 0 && revision >= losses->unknown_from);
}

/* The names are in the order of revisions by now, and none of them is there. */
static uint64_t count_nameless(const struct losses *losses)
{
	uint64_t nameless = losses_below(losses, UINT64_MAX);
	uint64_t before = 0;

	for (size_t at = 0; at < losses->name_count; at++) {
		uint64_t revision = losses->names[at].revision;

		nameless -=
			revision != before && losses_is_lost(losses, revision);
		before = revision;
	}
	return nameless;
}

void losses_settle(struct losses *losses)
{
	size_t kept = 0;

	if (losses->name_count > 1)
		qsort(losses->names, losses->name_count, sizeof(*losses->names),
		      in_order);
	for (size_t at = 0; at < losses->name_count; at++) {
		struct wb_salvage_name *name = &losses->names[at];
		bool again = kept > 0 &&
			     compare_names(&losses->names[kept - 1], name) == 0;

		if (again || (name->revision > 0 &&
			      !may_be_lost(losses, name->revision)))
			free((void *)(uintptr_t)name->key.name.data);
		else
			losses->names[kept++] = *name;
	}
	losses->name_count = kept;
	losses->revisions_nameless = count_nameless(losses);
	for (size_t at = 0; at < losses->unknown_count; at++) {
		const struct lost_names *unknown = &losses->unknown[at];
		uint64_t end = unknown->within.last;

		if (losses_below(losses, end < UINT64_MAX ? end + 1 : end) >
		    losses_below(losses, unknown->within.first))
			losses->names_unknown += unknown->count;
	}
}

bool losses_is_lost(const struct losses *losses, uint64_t revision)
{
	size_t low = 0, high = losses->range_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (losses->ranges[middle].last < revision)
			low = middle + 1;
		else
			high = middle;
	}
	return low < losses->range_count &&
	       losses->ranges[low].first <= revision;
}

uint64_t losses_below(const struct losses *losses, uint64_t revision)
{
	uint64_t lost = 0;

	for (size_t at = 0; at < losses->range_count; at++) {
		const struct lost_range *range = &losses->ranges[at];

		if (range->first >= revision)
			break;
		lost += (range->last < revision ? range->last + 1 : revision) -
			range->first;
	}
	return lost;
}

uint64_t losses_old_revision(const struct losses *losses, uint64_t revision)
{
	for (size_t at = 0; at < losses->range_count; at++) {
		const struct lost_range *range = &losses->ranges[at];

		if (range->first > revision)
			break;
		revision += range->last - range->first + 1;
	}
	return revision;
}

bool losses_next_move(const struct losses *losses, uint64_t head, size_t *at,
		      struct wb_salvage_move *ret_move)
{
	while (*at < losses->range_count) {
		size_t number = (*at)++;
		uint64_t first = losses->ranges[number].last + 1;
		uint64_t last = number + 1 < losses->range_count
					? losses->ranges[number + 1].first - 1
					: head;

		if (first > last)
			continue;
		*ret_move = (struct wb_salvage_move){
			first, last, first - losses_below(losses, first)};
		return true;
	}
	return false;
}
