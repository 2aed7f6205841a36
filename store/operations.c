/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue of uses in the order of their commits, and a chained hash table over
 * it. Entries leave at either end: at the old one when the window moves, at
 * the new one when staged commits become void.
 *
 * Clocks are set wrong, and set right again. A use whose time is still to come
 * when enough commits have passed steps aside into a queue of its own, so that
 * one commit from 2038 does not keep all that follow it.
 */
#include "store/operations.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BUCKETS_MIN 256u

struct use {
	struct use *next; /* in its bucket */
	struct use *older, *newer;
	uint64_t hash;
	struct operation operation;
	int64_t time_ns;
	uint32_t uid;
	uint16_t ns_bytes, id_bytes;
	uint8_t bytes[];
};

struct queue {
	struct use *oldest, *newest;
};

struct operations {
	struct use **buckets;
	size_t bucket_count;
	size_t count;
	struct queue recent;
	struct queue ahead;   /* all older than `recent`, by revision */
	int64_t forgotten_ns; /* newest time that was trimmed away */
};

struct operations *operations_new(void)
{
	struct operations *operations = calloc(1, sizeof(*operations));

	if (!operations)
		return NULL;
	operations->forgotten_ns = INT64_MIN;
	operations->bucket_count = BUCKETS_MIN;
	operations->buckets = calloc(BUCKETS_MIN, sizeof(*operations->buckets));
	if (operations->buckets)
		return operations;
	free(operations);
	return NULL;
}

static void queue_release(struct queue *queue)
{
	struct use *use, *newer;

	for (use = queue->oldest; use; use = newer) {
		newer = use->newer;
		free(use);
	}
}

static void queue_push(struct queue *queue, struct use *use)
{
	use->older = queue->newest;
	use->newer = NULL;
	if (queue->newest)
		queue->newest->newer = use;
	else
		queue->oldest = use;
	queue->newest = use;
}

static void queue_remove(struct queue *queue, struct use *use)
{
	if (use->older)
		use->older->newer = use->newer;
	else
		queue->oldest = use->newer;
	if (use->newer)
		use->newer->older = use->older;
	else
		queue->newest = use->older;
}

void operations_release(struct operations *operations)
{
	if (!operations)
		return;
	queue_release(&operations->recent);
	queue_release(&operations->ahead);
	free(operations->buckets);
	free(operations);
}

static uint64_t hash_of(const struct operation_key *key)
{
	uint64_t seed =
		XXH3_64bits_withSeed(key->ns.data, key->ns.size, key->uid);

	return XXH3_64bits_withSeed(key->id.data, key->id.size, seed);
}

static bool is_use_of(const struct use *use, uint64_t hash,
		      const struct operation_key *key)
{
	return use->hash == hash && use->uid == key->uid &&
	       use->ns_bytes == key->ns.size && use->id_bytes == key->id.size &&
	       (key->ns.size == 0 ||
		memcmp(use->bytes, key->ns.data, key->ns.size) == 0) &&
	       memcmp(use->bytes + use->ns_bytes, key->id.data, key->id.size) ==
		       0;
}

static struct use **bucket_of(const struct operations *operations,
			      uint64_t hash)
{
	return &operations->buckets[hash & (operations->bucket_count - 1)];
}

/* The newest use: uses are put in front of their bucket. */
bool operations_find(const struct operations *operations,
		     const struct operation_key *key,
		     struct operation *ret_operation)
{
	uint64_t hash = hash_of(key);
	const struct use *use;

	for (use = *bucket_of(operations, hash); use; use = use->next) {
		if (is_use_of(use, hash, key)) {
			*ret_operation = use->operation;
			return true;
		}
	}
	return false;
}

static void put_in_bucket(struct operations *operations, struct use *use)
{
	struct use **bucket = bucket_of(operations, use->hash);

	use->next = *bucket;
	*bucket = use;
}

/* A table that cannot grow only gets slower. */
static void grow_buckets(struct operations *operations)
{
	size_t count = 2 * operations->bucket_count;
	struct use **buckets;
	struct use *use;

	if (operations->count < operations->bucket_count)
		return;
	buckets = calloc(count, sizeof(*buckets));
	if (!buckets)
		return;
	free(operations->buckets);
	operations->buckets = buckets;
	operations->bucket_count = count;
	for (use = operations->ahead.oldest; use; use = use->newer)
		put_in_bucket(operations, use);
	for (use = operations->recent.oldest; use; use = use->newer)
		put_in_bucket(operations, use);
}

enum wb_error operations_add(struct operations *operations,
			     const struct operation_key *key,
			     const struct operation *operation, int64_t time_ns)
{
	struct use *use = malloc(sizeof(*use) + key->ns.size + key->id.size);

	if (!use)
		return WB_NO_MEMORY;
	*use = (struct use){
		.hash = hash_of(key),
		.operation = *operation,
		.time_ns = time_ns,
		.uid = key->uid,
		.ns_bytes = (uint16_t)key->ns.size,
		.id_bytes = (uint16_t)key->id.size,
	};
	if (key->ns.size)
		memcpy(use->bytes, key->ns.data, key->ns.size);
	memcpy(use->bytes + key->ns.size, key->id.data, key->id.size);
	grow_buckets(operations);
	put_in_bucket(operations, use);
	queue_push(&operations->recent, use);
	operations->count++;
	return WB_OK;
}

static void take_out(struct operations *operations, struct queue *queue,
		     struct use *use)
{
	struct use **link = bucket_of(operations, use->hash);

	while (*link != use)
		link = &(*link)->next;
	*link = use->next;
	queue_remove(queue, use);
	operations->count--;
	free(use);
}

static void forget(struct operations *operations, struct queue *queue)
{
	struct use *use = queue->oldest;

	if (use->time_ns > operations->forgotten_ns)
		operations->forgotten_ns = use->time_ns;
	take_out(operations, queue, use);
}

static bool is_long_ago(const struct use *use, int64_t now_ns)
{
	int64_t age_ns;

	if (__builtin_sub_overflow(now_ns, use->time_ns, &age_ns))
		return now_ns > use->time_ns;
	return age_ns > OPERATIONS_TIME_KEPT_NS;
}

/* What is staged is newer than `revision`, and stays. */
void operations_trim(struct operations *operations, uint64_t revision,
		     int64_t time_ns)
{
	struct queue *recent = &operations->recent;
	struct queue *ahead = &operations->ahead;
	struct use *use;

	while ((use = recent->oldest) &&
	       use->operation.revision + OPERATIONS_COMMITS_KEPT <= revision) {
		if (is_long_ago(use, time_ns)) {
			forget(operations, recent);
		} else if (use->time_ns > time_ns) {
			queue_remove(recent, use);
			queue_push(ahead, use);
		} else {
			break;
		}
	}
	while (ahead->oldest && is_long_ago(ahead->oldest, time_ns))
		forget(operations, ahead);
}

void operations_cut(struct operations *operations, uint64_t revision)
{
	struct queue *recent = &operations->recent;

	while (recent->newest && recent->newest->operation.revision > revision)
		take_out(operations, recent, recent->newest);
}

bool operations_may_have_forgotten(const struct operations *operations,
				   int64_t time_ns)
{
	return time_ns <= operations->forgotten_ns;
}

size_t operations_count(const struct operations *operations)
{
	return operations->count;
}
