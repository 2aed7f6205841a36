/* SPDX-License-Identifier: Apache-2.0
 *
 * The model test's truth: every version of every key, in SQLite.
 *
 * One row a version; the state as of a revision is a query. Keys are blobs
 * (kind, namespace, zero byte, name), which SQLite compares as the store
 * must. An SQL error ends the test program.
 */
#ifndef WAYBILL_TESTS_SUPPORT_LEDGER_H
#define WAYBILL_TESTS_SUPPORT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <waybill/store.h>

struct ledger;

/* Empty, in memory. */
struct ledger *ledger_open(void);
void ledger_close(struct ledger *ledger);
/* Forget everything but the keys. */
void ledger_clear(struct ledger *ledger);

#define LEDGER_KEY_BYTES_MAX 64
struct ledger_key {
	uint8_t bytes[LEDGER_KEY_BYTES_MAX];
	size_t size;
};
/* Name may be empty: what all keys of a namespace begin with. */
struct ledger_key ledger_key(uint32_t kind, struct wb_bytes ns,
			     struct wb_bytes name);

/* A key that may be used from now on. */
void ledger_add_key(struct ledger *ledger, const struct ledger_key *key);

struct ledger_version {
	uint64_t revision;
	uint64_t previous; /* revision that it replaced; 0: none */
	int64_t time_ns;
	struct wb_bytes key;   /* of the cursor, or the last look-up */
	struct wb_bytes value; /* as well */
	uint32_t ordinal;      /* within its commit */
	bool deleted;
};

/* One more version; nothing of it is borrowed afterwards. */
void ledger_add(struct ledger *ledger, const struct ledger_key *key,
		const struct ledger_version *version);
/* Versions and operations above `revision` never were. */
void ledger_cut(struct ledger *ledger, uint64_t revision);

/* The newest version of a key up to `revision`, a deletion too. Valid until
 * the next look-up. */
bool ledger_find(struct ledger *ledger, const struct ledger_key *key,
		 uint64_t revision, struct ledger_version *ret_version);

/* Cursors; one of each kind at a time. Begin, then next until false. */

/* What lives as of `revision`, in key order. */
void ledger_list(struct ledger *ledger, uint64_t revision,
		 const struct ledger_key *prefix,
		 const struct ledger_key *after);
bool ledger_list_next(struct ledger *ledger,
		      struct ledger_version *ret_version);

/* Versions up to `revision`, newest first. `key` NULL: of all keys; `before`
 * 0: all. */
void ledger_history(struct ledger *ledger, uint64_t revision,
		    const struct ledger_key *key, uint64_t before);
bool ledger_history_next(struct ledger *ledger,
			 struct ledger_version *ret_version);

/* The highest revision up to `revision` whose time is not later. */
uint64_t ledger_revision_at(struct ledger *ledger, uint64_t revision,
			    int64_t time_ns);
/* The newest version up to `revision` of any key with this prefix that is
 * newer than `above`; 0: none. */
uint64_t ledger_newest(struct ledger *ledger, uint64_t revision, uint64_t above,
		       const struct ledger_key *prefix);

/* Operation ids; `id` is a number here. */
void ledger_add_operation(struct ledger *ledger, uint32_t uid, unsigned id,
			  uint64_t hash, uint64_t revision);
bool ledger_find_operation(struct ledger *ledger, uint32_t uid, unsigned id,
			   uint64_t *ret_hash, uint64_t *ret_revision);

#endif
