/* SPDX-License-Identifier: Apache-2.0
 *
 * Images of a simulated disk: what a power cut leaves, clones, hashes.
 *
 * A cut decides first, over all changes in the order in which they were made,
 * which are kept, and applies afterwards; so the same seed gives the same
 * image, and "the first n" means the first n of the whole disk.
 */
#include "tests/support/simdisk_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- deciding ---- */

const char *sim_keep_name(enum sim_keep keep)
{
	static const char *const names[] = {
#define SIM_KEEP_NAME(name, text) [SIM_KEEP_##name] = #name,
		SIM_KEEP_LIST(SIM_KEEP_NAME)
#undef SIM_KEEP_NAME
	};

	assert(keep < SIM_KEEP_COUNT);
	return names[keep];
}

struct sim_crash sim_crash_random(struct rng *rng)
{
	struct sim_crash crash;

	crash.keep = (enum sim_keep)rng_below(rng, SIM_KEEP_COUNT);
	crash.seed = rng_next(rng);
	return crash;
}

static bool is_write(const struct change *change)
{
	return change && change->kind == CHANGE_WRITE;
}

static bool is_in_file(const struct change *change)
{
	return change && change->kind <= CHANGE_ALLOCATE;
}

struct decision {
	struct sim_crash crash;
	size_t first;  /* not kept: this one and those after it */
	uint64_t odds; /* of 8 */
	struct rng rng;
};

static struct decision decision_begin(struct sim_crash crash, size_t count)
{
	static const uint64_t odds[] = {1, 4, 7};
	struct decision decision = {
		.crash = crash,
		.first = (size_t)(crash.seed % (count + 1)),
		.rng = rng_of(crash.seed),
	};

	decision.odds = odds[rng_below(&decision.rng, 3)];
	return decision;
}

/* Change number `i`, NULL for the disk's own name. True: it is kept, perhaps
 * only some of its sectors. */
static bool decide(struct decision *decision, size_t i,
		   const struct change *change, bool *ret_part)
{
	struct rng *rng = &decision->rng;

	*ret_part = false;
	switch (decision->crash.keep) {
	case SIM_KEEP_NOTHING:
		return false;
	case SIM_KEEP_ALL:
		return true;
	case SIM_KEEP_PREFIX:
		return i < decision->first;
	case SIM_KEEP_TORN:
		*ret_part = i == decision->first && is_write(change);
		return i < decision->first || *ret_part;
	case SIM_KEEP_MASK:
		return decision->crash.seed >> i % 64 & 1;
	case SIM_KEEP_RANDOM:
		return rng_chance(rng, decision->odds, 8);
	case SIM_KEEP_SECTORS:
		*ret_part = is_write(change) && rng_chance(rng, 1, 2);
		return rng_chance(rng, decision->odds, 8) || *ret_part;
	case SIM_KEEP_NAMES:
		return !is_in_file(change);
	case SIM_KEEP_DATA:
		return is_in_file(change);
	case SIM_KEEP_COUNT:
		break;
	}
	sim_die(__func__, "no such mode: %d", (int)decision->crash.keep);
}

static int compare_sequence(const void *a, const void *b)
{
	const struct change *const *left = a;
	const struct change *const *right = b;

	return ((*left)->sequence > (*right)->sequence) -
	       ((*left)->sequence < (*right)->sequence);
}

static size_t changes_count(const struct simdisk *disk, const struct node *only)
{
	size_t count = 0;

	for (const struct node *node = disk->nodes; node; node = node->next)
		for (struct change *change = node->changes; change;
		     change = change->next)
			count += !only || node == only;
	return count;
}

bool sim_crash_decide(struct simdisk *disk, const struct node *only,
		      struct sim_crash crash)
{
	size_t own_name = !only && !disk->own_name_durable;
	size_t count = changes_count(disk, only);
	struct change **changes = sim_alloc(count * sizeof(*changes));
	struct decision decision = decision_begin(crash, own_name + count);
	bool own_name_kept = true;
	bool part;
	size_t at = 0;

	for (struct node *node = disk->nodes; node; node = node->next)
		for (struct change *change = node->changes; change;
		     change = change->next)
			if (!only || node == only)
				changes[at++] = change;
	qsort(changes, count, sizeof(*changes), compare_sequence);
	if (own_name)
		own_name_kept = decide(&decision, 0, NULL, &part);
	for (size_t i = 0; i < count; i++) {
		struct change *change = changes[i];

		change->keep = decide(&decision, own_name + i, change, &part);
		change->keep_part = part;
		change->keep_seed = part ? rng_next(&decision.rng) : 0;
	}
	free(changes);
	return own_name_kept;
}

/* ---- applying ---- */

/* The sectors of page `i` of a write that it touches, as a mask. */
static unsigned sectors_touched(const struct change *change, size_t i)
{
	uint64_t start = (change->offset / PAGE_BYTES + i) * PAGE_BYTES;
	uint64_t end = change->offset + change->size;
	unsigned mask = 0;

	for (unsigned sector = 0; sector < PAGE_SECTORS; sector++) {
		uint64_t at = start + sector * SECTOR_BYTES;

		if (at < end && at + SECTOR_BYTES > change->offset)
			mask |= 1u << sector;
	}
	return mask;
}

static void settle_write(const struct change *change, struct simdata **content)
{
	struct rng rng = rng_of(change->keep_seed);
	uint64_t first = change->offset / PAGE_BYTES;
	uint64_t end = change->offset + change->size;
	/* The size may have reached the disk without the data. */
	bool grows = !change->keep_part || rng_chance(&rng, 1, 2);

	for (size_t i = 0; i < change->page_count; i++) {
		unsigned mask = sectors_touched(change, i);
		uint64_t reach;

		if (change->keep_part)
			mask &= (unsigned)rng_next(&rng);
		if (mask == 0)
			continue;
		simdata_put(content, first + i, change->pages[i], mask);
		reach = (first + i) * PAGE_BYTES;
		while (mask) {
			reach += SECTOR_BYTES;
			mask >>= 1;
		}
		simdata_grow(content, reach < end ? reach : end);
	}
	if (grows)
		simdata_grow(content, end);
}

void sim_changes_settle_content(const struct node *node,
				struct simdata **content)
{
	if (!node->changes)
		return;
	for (struct change *change = node->changes; change;
	     change = change->next) {
		if (!change->keep)
			continue;
		switch (change->kind) {
		case CHANGE_WRITE:
			settle_write(change, content);
			break;
		case CHANGE_TRUNCATE:
			simdata_resize(content, change->size);
			break;
		case CHANGE_ALLOCATE:
			simdata_allocate(content, change->size);
			break;
		case CHANGE_ADD:
		case CHANGE_REMOVE:
		case CHANGE_MOVE:
			sim_die(__func__, "a name in a file");
		}
	}
	/* Pages bring what their sectors held; the size cuts it. */
	simdata_resize(content, simdata_size(*content));
}

void sim_changes_settle_names(const struct node *node, struct entries *names)
{
	for (struct change *change = node->changes; change;
	     change = change->next) {
		if (!change->keep)
			continue;
		if (change->kind != CHANGE_ADD)
			sim_names_remove(names, change->from);
		if (change->kind != CHANGE_REMOVE)
			sim_names_put(names, change->to, change->node);
	}
}

/* ---- power cuts ---- */

static void names_copy(struct entries *to, const struct entries *from)
{
	for (size_t i = 0; i < from->count; i++)
		sim_names_put(to, from->list[i].name, from->list[i].node);
}

/* What is left of a node, in another disk; a reference of the caller's. */
static struct node *node_crash(struct simdisk *image, struct node *node)
{
	struct entries names = {.count = 0};
	struct node *copy;

	if (node->copy)
		return sim_node_ref(node->copy);
	copy = sim_node_new(image, node->is_dir);
	copy->lower = node->lower;
	node->copy = copy;
	if (!node->is_dir) {
		simdata_unref(copy->visible);
		simdata_unref(copy->durable);
		copy->durable = simdata_ref(node->durable);
		sim_changes_settle_content(node, &copy->durable);
		copy->visible = simdata_ref(copy->durable);
		return copy;
	}
	names_copy(&names, &node->durable_names);
	sim_changes_settle_names(node, &names);
	for (size_t i = 0; i < names.count; i++) {
		const struct entry *entry = &names.list[i];
		struct node *child = node_crash(image, entry->node);

		sim_names_put(&copy->visible_names, entry->name, child);
		sim_names_put(&copy->durable_names, entry->name, child);
		sim_node_unref(child);
	}
	sim_names_clear(&names);
	return copy;
}

static void copies_forget(struct simdisk *disk)
{
	for (struct node *node = disk->nodes; node; node = node->next)
		node->copy = NULL;
}

struct simdisk *simdisk_crash(struct simdisk *disk, struct sim_crash crash)
{
	struct simdisk *image = simdisk_new();

	image->seed = crash.seed;
	pthread_mutex_lock(&disk->mutex);
	if (sim_crash_decide(disk, NULL, crash)) {
		sim_node_unref(image->root);
		image->own_name_durable = true;
		image->root = node_crash(image, disk->root);
		copies_forget(disk);
	}
	pthread_mutex_unlock(&disk->mutex);
	return image;
}

size_t simdisk_pending(struct simdisk *disk)
{
	size_t count;

	pthread_mutex_lock(&disk->mutex);
	count = changes_count(disk, NULL) + !disk->own_name_durable;
	pthread_mutex_unlock(&disk->mutex);
	return count;
}

/* ---- clones ---- */

static struct node *node_clone(struct simdisk *clone, struct node *node);

static void names_clone(struct simdisk *clone, struct entries *to,
			const struct entries *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct node *child = node_clone(clone, from->list[i].node);

		sim_names_put(to, from->list[i].name, child);
		sim_node_unref(child);
	}
}

static void change_clone(struct simdisk *clone, struct node *to,
			 const struct change *change)
{
	struct change *copy = sim_change_add(to, change->kind);

	copy->sequence = change->sequence;
	copy->offset = change->offset;
	copy->size = change->size;
	copy->page_count = change->page_count;
	if (copy->page_count)
		copy->pages =
			sim_alloc(copy->page_count * sizeof(*copy->pages));
	for (size_t i = 0; i < copy->page_count; i++)
		copy->pages[i] = simpage_ref(change->pages[i]);
	if (change->node)
		copy->node = node_clone(clone, change->node);
	memcpy(copy->from, change->from, sizeof(copy->from));
	memcpy(copy->to, change->to, sizeof(copy->to));
}

static struct node *node_clone(struct simdisk *clone, struct node *node)
{
	struct node *copy;

	if (node->copy)
		return sim_node_ref(node->copy);
	copy = sim_node_new(clone, node->is_dir);
	node->copy = copy;
	copy->lies = node->lies;
	copy->lower = node->lower;
	if (!node->is_dir) {
		simdata_unref(copy->visible);
		simdata_unref(copy->durable);
		copy->visible = simdata_ref(node->visible);
		copy->durable = simdata_ref(node->durable);
	}
	names_clone(clone, &copy->visible_names, &node->visible_names);
	names_clone(clone, &copy->durable_names, &node->durable_names);
	for (struct change *change = node->changes; change;
	     change = change->next)
		change_clone(clone, copy, change);
	return copy;
}

struct simdisk *simdisk_clone(struct simdisk *disk)
{
	struct simdisk *clone = simdisk_new();

	pthread_mutex_lock(&disk->mutex);
	sim_node_unref(clone->root);
	clone->root = node_clone(clone, disk->root);
	clone->own_name_durable = disk->own_name_durable;
	clone->sequence = disk->sequence;
	clone->seed = disk->seed;
	copies_forget(disk);
	pthread_mutex_unlock(&disk->mutex);
	return clone;
}

/* ---- hashes ---- */

/* A sum, so that the order of names does not matter. */
static uint64_t names_hash(const struct node *dir, uint64_t seed)
{
	uint64_t sum = seed;

	for (size_t i = 0; i < dir->visible_names.count; i++) {
		const struct entry *entry = &dir->visible_names.list[i];
		uint64_t name = XXH3_64bits_withSeed(entry->name,
						     strlen(entry->name), seed);
		uint64_t pair[2] = {name, 0};

		if (entry->node->is_dir)
			pair[1] = names_hash(entry->node, name | 1);
		else
			pair[1] = simdata_hash(entry->node->visible);
		sum += XXH3_64bits(pair, sizeof(pair));
	}
	return sum;
}

uint64_t simdisk_hash(struct simdisk *disk)
{
	uint64_t hash;

	pthread_mutex_lock(&disk->mutex);
	hash = names_hash(disk->root, 0);
	pthread_mutex_unlock(&disk->mutex);
	return hash;
}
