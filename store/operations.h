/* SPDX-License-Identifier: Apache-2.0
 *
 * Operation ids that were used, so that a retry has one effect.
 *
 * An id counts within (uid, namespace). It is remembered for the newest
 * 65,536 commits or one hour, whichever is more, from the moment its commit
 * is staged; recovery fills the table again from the log.
 *
 * Not thread-safe: the store's staged lock guards it.
 */
#ifndef WAYBILL_STORE_OPERATIONS_H
#define WAYBILL_STORE_OPERATIONS_H

#include <stdint.h>
#include <waybill/store.h>

#define OPERATIONS_COMMITS_KEPT 65536u
#define OPERATIONS_TIME_KEPT_NS (INT64_C(3600) * 1000000000)

struct operations;

struct operation_key {
	uint32_t uid;
	struct wb_bytes ns;
	struct wb_bytes id;
};

struct operation {
	uint64_t request_hash;
	uint64_t revision;
};

/* NULL: out of memory. */
struct operations *operations_new(void);
void operations_release(struct operations *operations);

bool operations_find(const struct operations *operations,
		     const struct operation_key *key,
		     struct operation *ret_operation);

/* Remember; of an id that is known already, the newer use. WB_NO_MEMORY. */
enum wb_error operations_add(struct operations *operations,
			     const struct operation_key *key,
			     const struct operation *operation,
			     int64_t time_ns);

/* Forget what is out of the window of a head at `revision`, `time_ns`. */
void operations_trim(struct operations *operations, uint64_t revision,
		     int64_t time_ns);

/* Forget what was staged after `revision` and is void now. */
void operations_cut(struct operations *operations, uint64_t revision);

/* Could an operation first tried at `time_ns` have been forgotten? */
bool operations_may_have_forgotten(const struct operations *operations,
				   int64_t time_ns);

size_t operations_count(const struct operations *operations);

#endif
