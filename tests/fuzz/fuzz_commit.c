/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes as a commit. What decodes can be walked, keeps the limits, and
 * encodes to a commit that decodes to the same.
 */
#include "log/commit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool same(struct wb_bytes a, struct wb_bytes b)
{
	return a.size == b.size &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_head(const struct commit_head *a, const struct commit_head *b)
{
	return a->revision == b->revision && a->time_ns == b->time_ns &&
	       a->actor.uid == b->actor.uid && a->actor.gid == b->actor.gid &&
	       a->actor.pid == b->actor.pid &&
	       same(a->actor.command, b->actor.command) &&
	       same(a->reason, b->reason) &&
	       same(a->operation_ns, b->operation_ns) &&
	       same(a->operation_id, b->operation_id) &&
	       a->request_hash == b->request_hash;
}

static bool same_mutation(const struct mutation *a, const struct mutation *b)
{
	return a->key.kind == b->key.kind && same(a->key.ns, b->key.ns) &&
	       same(a->key.name, b->key.name) && same(a->value, b->value) &&
	       a->deleted == b->deleted &&
	       a->previous_revision == b->previous_revision;
}

static size_t size_of(const struct commit *commit)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	size_t size = commit_head_size(&commit->head);
	struct mutation mutation;
	uint32_t count = 0;

	require(size <= COMMIT_HEAD_BYTES_MAX);
	for (; mutation_walk_next(&walk, &mutation); count++) {
		require(mutation.key.kind >= 1 && mutation.key.kind <= 255);
		require(mutation.key.name.size >= 1);
		(void)mutation_hash(&mutation.key);
		size += mutation_size(&mutation);
	}
	require(count == commit->mutation_count);
	return size;
}

static void check(const struct commit *commit)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct mutation_walk walk_again;
	struct mutation mutation, again;
	size_t size = size_of(commit);
	uint8_t *bytes = malloc(size);
	struct writer writer = writer_of(bytes, size);
	struct commit decoded;

	if (!bytes)
		return;
	commit_head_write(&writer, &commit->head);
	while (mutation_walk_next(&walk, &mutation))
		mutation_write(&writer, &mutation);
	require(!writer.failed && writer.at == size);
	require(commit_decode(bytes, size, &decoded) == WB_OK);
	require(same_head(&decoded.head, &commit->head));
	walk = mutation_walk_begin(commit);
	walk_again = mutation_walk_begin(&decoded);
	while (mutation_walk_next(&walk, &mutation)) {
		require(mutation_walk_next(&walk_again, &again));
		require(same_mutation(&mutation, &again));
	}
	require(!mutation_walk_next(&walk_again, &again));
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct commit commit;

	if (commit_decode(data, size, &commit) == WB_OK)
		check(&commit);
	return 0;
}
