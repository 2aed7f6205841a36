/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit chain: SHA-256 over the chain value before and a commit's
 * payload (docs/FORMAT.md, "Chain").
 */
#ifndef WAYBILL_LOG_CHAIN_H
#define WAYBILL_LOG_CHAIN_H

#include "log/format.h"

#include <waybill/store.h>

struct chain;

/* NULL: out of memory. */
struct chain *chain_new(void);
void chain_free(struct chain *chain);

/* chain(0) of a store. WB_NO_MEMORY where libcrypto fails. */
enum wb_error chain_start(struct chain *chain, const uint8_t uuid[UUID_BYTES],
			  uint8_t ret_value[CHAIN_BYTES]);

/* Advance `value` over one payload. */
enum wb_error chain_next(struct chain *chain, struct wb_bytes payload,
			 uint8_t value[CHAIN_BYTES]);

#endif
