/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table with linear probing; a version is one piece of memory, with
 * its key and its value behind it. Order is made when it is asked for.
 */
#include "audit/replay.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	uint64_t hash;
	struct replay_version *version; /* NULL: free */
};

struct replay {
	uint64_t revision, live;
	struct slot *slots;
	size_t capacity; /* a power of two */
	size_t used;
};

struct replay *replay_new(void)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return NULL;
	replay->capacity = 64;
	replay->slots = calloc(replay->capacity, sizeof(*replay->slots));
	if (!replay->slots) {
		free(replay);
		return NULL;
	}
	return replay;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	for (size_t at = 0; at < replay->capacity; at++)
		free(replay->slots[at].version);
	free(replay->slots);
	free(replay);
}

uint64_t replay_revision(const struct replay *replay)
{
	return replay->revision;
}

uint64_t replay_count(const struct replay *replay)
{
	return replay->live;
}

/* The slot of the key, or the free one where it would be. */
static struct slot *probe(const struct replay *replay, const struct wb_key *key,
			  uint64_t hash)
{
	size_t at = (size_t)hash & (replay->capacity - 1);

	for (;; at = (at + 1) & (replay->capacity - 1)) {
		struct slot *slot = &replay->slots[at];

		if (!slot->version ||
		    (slot->hash == hash &&
		     audit_key_compare(&slot->version->key, key) == 0))
			return slot;
	}
}

const struct replay_version *replay_find(const struct replay *replay,
					 const struct wb_key *key)
{
	return probe(replay, key, audit_key_hash(key))->version;
}

static enum wb_error grow(struct replay *replay)
{
	struct slot *old = replay->slots, *slots;
	size_t capacity = replay->capacity;

	if (replay->used < capacity / 2)
		return WB_OK;
	slots = calloc(2 * capacity, sizeof(*slots));
	if (!slots)
		return WB_NO_MEMORY;
	replay->slots = slots;
	replay->capacity = 2 * capacity;
	for (size_t at = 0; at < capacity; at++)
		if (old[at].version)
			*probe(replay, &old[at].version->key, old[at].hash) =
				old[at];
	free(old);
	return WB_OK;
}

static struct wb_bytes copy_bytes(uint8_t **to, struct wb_bytes bytes)
{
	struct wb_bytes copy = {*to, bytes.size};

	if (bytes.size > 0)
		memcpy(*to, bytes.data, bytes.size);
	*to += bytes.size;
	return copy;
}

static struct replay_version *version_new(const struct audit_commit *commit,
					  const struct audit_mutation *mutation)
{
	struct wb_bytes value = mutation->value;
	struct replay_version *version;
	uint8_t *to;

	if (mutation->deleted)
		value.size = 0;
	version = malloc(sizeof(*version) + mutation->key.ns.size +
			 mutation->key.name.size + value.size);
	if (!version)
		return NULL;
	to = (uint8_t *)(version + 1);
	version->key.kind = mutation->key.kind;
	version->key.ns = copy_bytes(&to, mutation->key.ns);
	version->key.name = copy_bytes(&to, mutation->key.name);
	version->value = copy_bytes(&to, value);
	version->revision = commit->revision;
	version->time_ns = commit->time_ns;
	version->previous_revision = mutation->previous_revision;
	version->deleted = mutation->deleted;
	return version;
}

/* `*ret_follows`: the version before is the one that it names. */
static enum wb_error apply_mutation(struct replay *replay,
				    const struct audit_commit *commit,
				    const struct audit_mutation *mutation,
				    bool *ret_follows)
{
	uint64_t hash = mutation->key_hash, previous = 0;
	struct replay_version *version;
	struct slot *slot;

	if (grow(replay))
		return WB_NO_MEMORY;
	slot = probe(replay, &mutation->key, hash);
	/* A key that was deleted has no version before. */
	if (slot->version && !slot->version->deleted)
		previous = slot->version->revision;
	*ret_follows = mutation->previous_revision == previous;
	version = version_new(commit, mutation);
	if (!version)
		return WB_NO_MEMORY;
	if (!slot->version)
		replay->used++;
	else if (!slot->version->deleted)
		replay->live--;
	if (!mutation->deleted)
		replay->live++;
	free(slot->version);
	*slot = (struct slot){hash, version};
	return WB_OK;
}

enum wb_error replay_apply(struct replay *replay,
			   const struct audit_commit *commit,
			   size_t *ret_mutation)
{
	size_t wrong = commit->mutation_count;

	if (commit->revision != replay->revision + 1) {
		*ret_mutation = wrong;
		return WB_CORRUPT;
	}
	replay->revision = commit->revision;
	for (size_t at = 0; at < commit->mutation_count; at++) {
		bool follows;
		enum wb_error error =
			apply_mutation(replay, commit, &commit->mutations[at],
				       &follows);

		if (error)
			return error;
		if (!follows && wrong == commit->mutation_count)
			wrong = at;
	}
	if (wrong == commit->mutation_count)
		return WB_OK;
	*ret_mutation = wrong;
	return WB_CORRUPT;
}

static int in_order(const void *a, const void *b)
{
	const struct replay_version *const *x = a, *const *y = b;

	return audit_key_compare(&(*x)->key, &(*y)->key);
}

enum wb_error replay_each(const struct replay *replay,
			  bool (*visit)(void *context,
					const struct replay_version *version),
			  void *context)
{
	const struct replay_version **order;
	size_t count = 0;

	if (replay->live == 0)
		return WB_OK;
	order = malloc((size_t)replay->live * sizeof(*order));
	if (!order)
		return WB_NO_MEMORY;
	for (size_t at = 0; at < replay->capacity; at++) {
		const struct replay_version *version =
			replay->slots[at].version;

		if (version && !version->deleted)
			order[count++] = version;
	}
	qsort(order, count, sizeof(*order), in_order);
	for (size_t at = 0; at < count; at++)
		if (!visit(context, order[at]))
			break;
	free(order);
	return WB_OK;
}

/* ---- a store ---- */

struct replaying {
	struct replay *replay;
	uint64_t revision;
};

static enum wb_error take(void *context, const struct audit_commit *commit,
			  const struct audit_place *place)
{
	struct replaying *replaying = context;
	size_t mutation;
	enum wb_error error;

	if (!place->whole || commit->revision > replaying->revision)
		return WB_OK;
	error = replay_apply(replaying->replay, commit, &mutation);
	/* It is applied all the same, and fsck tells of it. */
	return error == WB_CORRUPT ? WB_OK : error;
}

enum wb_error replay_store(struct dir *dir, uint64_t revision,
			   struct audit_summary *ret_summary,
			   struct replay **ret_replay)
{
	struct replaying replaying = {replay_new(), revision};
	struct audit_visitor visitor = {.commit = take, .context = &replaying};
	enum wb_error error = WB_NO_MEMORY;

	if (replaying.replay)
		error = audit_read(dir, 0, &visitor, ret_summary);
	if (error) {
		replay_free(replaying.replay);
		return error;
	}
	*ret_replay = replaying.replay;
	return WB_OK;
}
