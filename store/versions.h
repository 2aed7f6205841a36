/* SPDX-License-Identifier: Apache-2.0
 *
 * Old versions that open views still see.
 *
 * The index holds the newest durable version of a key only. When a commit
 * replaces or removes one while a view is open that sees it, the old record
 * moves here, ordered by (key, revision), until the last such view ends or
 * is given up. Most of the time this is empty.
 *
 * Not thread-safe: the store's view lock guards it.
 */
#ifndef WAYBILL_STORE_VERSIONS_H
#define WAYBILL_STORE_VERSIONS_H

#include "index/record.h"

struct versions;

/* NULL: out of memory. */
struct versions *versions_new(struct heap *heap);
void versions_release(struct versions *versions);

/* Take over `record`, which verifies and which a commit at `superseded_at`
 * replaced. False: no memory; the record is still the caller's. */
bool versions_pin(struct versions *versions, struct record *record,
		  uint64_t superseded_at);

/* The version of `key` that was current at `revision`, if it is here. What
 * these two return verifies. Where the answer would stand on a record that
 * does not, it is NULL and `*ret_damaged` is set, which is else untouched. */
const struct record *versions_find(const struct versions *versions,
				   const void *key, size_t key_bytes,
				   uint64_t revision, bool *ret_damaged);

/* The first version that was current at `revision`, whose key starts with
 * `prefix` and is greater than `after`; NULL: none. */
const struct record *versions_next(const struct versions *versions,
				   struct wb_bytes prefix,
				   struct wb_bytes after, uint64_t revision,
				   bool *ret_damaged);

/* Free what no view at `oldest` or later can see (UINT64_MAX: everything).
 */
void versions_reclaim(struct versions *versions, uint64_t oldest);

size_t versions_count(const struct versions *versions);
/* What they take, with what finds them. */
uint64_t versions_bytes(const struct versions *versions);

#endif
