/* SPDX-License-Identifier: Apache-2.0
 *
 * A skip list (Pugh, 1990) ordered by key and then by revision, and beside it
 * a queue in the order of being superseded, which is the order in which they
 * can go. Discarded: a chain of versions hanging off each record, which
 * costs 8 bytes in every record for what is nearly always empty.
 */
#include "store/versions.h"

#include "index/heap.h"

#include <stdlib.h>
#include <string.h>

#define LEVELS 16

struct node {
	struct record *record;
	uint64_t superseded_at;
	size_t bytes;	      /* that it takes, with its record */
	struct node *younger; /* the queue */
	int levels;
	struct node *next[];
};

struct versions {
	struct heap *heap;
	struct node *head; /* of all levels, without a record */
	struct node *oldest, *youngest;
	size_t count;
	uint64_t bytes;
	uint64_t dice;
};

static size_t node_bytes(int levels)
{
	return sizeof(struct node) + (size_t)levels * sizeof(struct node *);
}

struct versions *versions_new(struct heap *heap)
{
	struct versions *versions = calloc(1, sizeof(*versions));

	if (!versions)
		return NULL;
	versions->heap = heap;
	versions->dice = UINT64_C(0x9E3779B97F4A7C15);
	versions->head = calloc(1, node_bytes(LEVELS));
	if (versions->head)
		return versions;
	free(versions);
	return NULL;
}

void versions_release(struct versions *versions)
{
	if (!versions)
		return;
	versions_reclaim(versions, UINT64_MAX);
	free(versions->head);
	free(versions);
}

/* Does the node stand before (key, revision)? Damaged sizes are not followed,
 * for they may lead out of the record; stands_on_damage finds it out. */
static bool is_before(const struct node *node, const void *key,
		      size_t key_bytes, uint64_t revision)
{
	const struct record *record = node->record;
	int order;

	if (!record_sizes_hold(record))
		return true;
	order = key_compare(record->bytes, record->key_bytes, key, key_bytes);
	return order < 0 || (order == 0 && record->revision < revision);
}

/* The last node before (key, revision) on each level. */
static void find_before(const struct versions *versions, const void *key,
			size_t key_bytes, uint64_t revision,
			struct node *ret_before[LEVELS])
{
	const struct node *node = versions->head;
	int level;

	for (level = LEVELS - 1; level >= 0; level--) {
		while (node->next[level] &&
		       is_before(node->next[level], key, key_bytes, revision))
			node = node->next[level];
		ret_before[level] = (struct node *)node;
	}
}

/* One more level with a chance of one in four; xorshift64. */
static int draw_levels(struct versions *versions)
{
	uint64_t dice = versions->dice;
	int levels = 1;

	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	versions->dice = dice;
	for (; levels < LEVELS && (dice & 3) == 0; dice >>= 2)
		levels++;
	return levels;
}

bool versions_pin(struct versions *versions, struct record *record,
		  uint64_t superseded_at)
{
	int level, levels = draw_levels(versions);
	struct node *node = malloc(node_bytes(levels));
	struct node *before[LEVELS];

	if (!node)
		return false;
	*node = (struct node){
		.record = record,
		.superseded_at = superseded_at,
		.bytes = node_bytes(levels) + record_size(record),
		.levels = levels,
	};
	find_before(versions, record->bytes, record->key_bytes,
		    record->revision, before);
	for (level = 0; level < levels; level++) {
		node->next[level] = before[level]->next[level];
		before[level]->next[level] = node;
	}
	if (versions->youngest)
		versions->youngest->younger = node;
	else
		versions->oldest = node;
	versions->youngest = node;
	versions->count++;
	versions->bytes += node->bytes;
	return true;
}

static bool was_current(const struct node *node, uint64_t revision)
{
	return node->record->revision <= revision &&
	       node->superseded_at > revision;
}

/* A search goes wrong where a key on its way is damaged, and then ends next to
 * that key: behind it if the damage made it less, before it if greater. */
static bool stands_on_damage(const struct versions *versions,
			     const struct node *before)
{
	const struct node *next = before->next[0];

	return (before != versions->head && !record_verifies(before->record)) ||
	       (next && !record_verifies(next->record));
}

const struct record *versions_find(const struct versions *versions,
				   const void *key, size_t key_bytes,
				   uint64_t revision, bool *ret_damaged)
{
	struct node *before[LEVELS];
	const struct node *node;

	if (versions->count == 0)
		return NULL;
	find_before(versions, key, key_bytes, revision + 1, before);
	node = before[0];
	if (stands_on_damage(versions, node))
		*ret_damaged = true;
	else if (node != versions->head && was_current(node, revision) &&
		 key_compare(node->record->bytes, node->record->key_bytes, key,
			     key_bytes) == 0)
		return node->record;
	return NULL;
}

const struct record *versions_next(const struct versions *versions,
				   struct wb_bytes prefix,
				   struct wb_bytes after, uint64_t revision,
				   bool *ret_damaged)
{
	bool from_after =
		after.size && key_compare(after.data, after.size, prefix.data,
					  prefix.size) >= 0;
	struct wb_bytes from = from_after ? after : prefix;
	struct node *before[LEVELS];
	const struct node *node;

	if (versions->count == 0)
		return NULL;
	/* Behind all versions of `after`, or at the first of `prefix`. */
	find_before(versions, from.data, from.size, from_after ? UINT64_MAX : 0,
		    before);
	if (stands_on_damage(versions, before[0])) {
		*ret_damaged = true;
		return NULL;
	}
	for (node = before[0]->next[0]; node; node = node->next[0]) {
		const struct record *record = node->record;

		if (!record_verifies(record)) {
			*ret_damaged = true;
			return NULL;
		}
		if (record->key_bytes < prefix.size ||
		    memcmp(record->bytes, prefix.data, prefix.size) != 0)
			return NULL;
		if (was_current(node, revision))
			return record;
	}
	return NULL;
}

/* Where a damaged key hides the way there, every node is looked at. */
static void unlink_node(struct versions *versions, struct node *node)
{
	const struct record *record = node->record;
	struct node *before[LEVELS];
	bool found = record_sizes_hold(record);
	int level;

	if (found)
		find_before(versions, record->bytes, record->key_bytes,
			    record->revision, before);
	for (level = 0; level < node->levels; level++) {
		struct node *at = found ? before[level] : versions->head;

		if (at->next[level] != node)
			at = versions->head;
		while (at->next[level] != node)
			at = at->next[level];
		at->next[level] = node->next[level];
	}
}

void versions_reclaim(struct versions *versions, uint64_t oldest)
{
	struct node *node;

	while ((node = versions->oldest) && node->superseded_at <= oldest) {
		versions->oldest = node->younger;
		if (!versions->oldest)
			versions->youngest = NULL;
		unlink_node(versions, node);
		versions->count--;
		versions->bytes -= node->bytes;
		record_free(versions->heap, node->record);
		free(node);
	}
}

size_t versions_count(const struct versions *versions)
{
	return versions->count;
}

uint64_t versions_bytes(const struct versions *versions)
{
	return versions->bytes;
}
