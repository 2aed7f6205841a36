/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain: SHA-256 over the value before and a commit's payload. Private to
 * audit/.
 */
#ifndef WAYBILL_AUDIT_CHAIN_H
#define WAYBILL_AUDIT_CHAIN_H

#include "audit/layout.h"

#include <waybill/store.h>

struct evp_md_ctx_st;
struct evp_md_st;

/* For one thread at a time. All zero can be released. */
struct audit_chain {
	struct evp_md_ctx_st *context; /* an EVP_MD_CTX */
	struct evp_md_st *sha256;      /* an EVP_MD */
};

/* False: no memory. */
bool audit_chain_init(struct audit_chain *chain);
void audit_chain_release(struct audit_chain *chain);

/* chain(0), and chain(n) from chain(n-1) in `value`. False: no memory. */
bool audit_chain_start(struct audit_chain *chain, const uint8_t *uuid,
		       uint8_t value[AUDIT_CHAIN_BYTES]);
bool audit_chain_next(struct audit_chain *chain, struct wb_bytes payload,
		      uint8_t value[AUDIT_CHAIN_BYTES]);

#endif
