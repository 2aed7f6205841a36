/* SPDX-License-Identifier: Apache-2.0
 *
 * What a store must hold: a list of commits, applied one after the other to
 * a small set of keys. It is told what was staged, acknowledged and refused,
 * and compares a store with the state after any prefix of the commits.
 *
 * Deliberately simple: arrays, no hashing, no sharing of code with what it
 * judges. Values are slices of one pool of random bytes, so a value is two
 * numbers and comparing it one memcmp.
 */
#ifndef WAYBILL_TESTS_SUPPORT_ORACLE_H
#define WAYBILL_TESTS_SUPPORT_ORACLE_H

#include "store/store.h"
#include "tests/support/rng.h"

enum {
	ORACLE_KEYS = 24,
	ORACLE_CHANGES_MAX = 12, /* of one commit */
	ORACLE_VALUE_BYTES_MAX = 200 << 10,
};

/* What a check found. `check` is a name, NULL: nothing. */
struct complaint {
	const char *check;
	char text[400];
};

/* The first complaint stays. Returns false, always. */
__attribute__((format(printf, 3, 4))) bool complain_of(
	struct complaint *complaint, const char *check, const char *format,
	...);

struct oracle_change {
	unsigned key;
	bool deleted;
	size_t value_at;
	size_t value_bytes;
	uint64_t previous_revision;
};

struct oracle_commit {
	uint64_t revision; /* its place in the list, from 1 */
	int64_t time_ns;
	char operation_id[16]; /* "": none */
	size_t change_count;
	struct oracle_change changes[ORACLE_CHANGES_MAX];
	/* Afterwards: the commit that wrote each key's value; 0: it is not
	 * there. */
	uint32_t state[ORACLE_KEYS];
};

struct oracle {
	struct oracle_commit *commits;
	size_t room;
	uint64_t acked;	 /* commits up to here were acknowledged */
	uint64_t staged; /* and up to here they are on their way */
};

void oracle_init(struct oracle *oracle);
void oracle_release(struct oracle *oracle);

/* Key number `number`; in the order of the store. Borrowed, for ever. */
struct wb_key oracle_key(unsigned number);
struct wb_bytes oracle_value(const struct oracle_change *change);
/* Is the key there after the commits up to `revision`? */
bool oracle_has(const struct oracle *oracle, unsigned key, uint64_t revision);

/* A transaction that is possible now: 1 to `changes_max` changes, values of
 * at most `value_bytes_max` bytes. */
struct oracle_commit oracle_plan(const struct oracle *oracle, struct rng *rng,
				 size_t changes_max, size_t value_bytes_max);

/* Run it as an Update, up to store_stage. WB_OK: it is staged, here too. */
enum wb_error oracle_stage(struct oracle *oracle, struct wb_store *store,
			   const struct oracle_commit *plan,
			   struct store_ticket *ret_ticket);

/* All that was staged is durable; is void. */
void oracle_ack(struct oracle *oracle);
void oracle_void(struct oracle *oracle);
/* A store was opened that holds the commits up to `revision`. */
void oracle_cut(struct oracle *oracle, uint64_t revision);

/* The names of the checks. */
extern const char check_holds_prefix[];	 /* values as after that prefix */
extern const char check_history[];	 /* every version, nothing else */
extern const char check_acknowledged[];	 /* nothing acknowledged is missing */
extern const char check_nothing_extra[]; /* nothing that was refused is there */

/* How many commits does `store` hold? From `min` to `max` it should be. */
bool oracle_revision(struct wb_store *store, uint64_t min, uint64_t max,
		     struct complaint *complaint, uint64_t *ret_revision);

/* Does `store` hold exactly the commits up to `revision`, by listing, by its
 * log, and by value and history of a key that `rng` chooses? With `probed`, the
 * log ends with one commit more, of oracle_probe. */
bool oracle_check(const struct oracle *oracle, struct wb_store *store,
		  uint64_t revision, bool probed, struct rng *rng,
		  struct complaint *complaint);

/* The same; an error of the store is returned and no complaint. */
enum wb_error oracle_compare(const struct oracle *oracle,
			     struct wb_store *store, uint64_t revision,
			     bool probed, struct rng *rng,
			     struct complaint *complaint);

/* Commit a key that is none of the oracle's, to see that it is kept. */
enum wb_error oracle_probe(struct wb_store *store);

#endif
