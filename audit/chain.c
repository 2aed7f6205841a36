/* SPDX-License-Identifier: Apache-2.0
 *
 * The digest is looked up once: with small commits that costs as much as they
 * do. And it is used once, for the first use takes memory.
 */
#include "audit/chain.h"

#include <openssl/evp.h>

bool audit_chain_init(struct audit_chain *chain)
{
	chain->context = EVP_MD_CTX_new();
	chain->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (chain->context && chain->sha256 &&
	    EVP_DigestInit_ex(chain->context, chain->sha256, NULL) == 1)
		return true;
	audit_chain_release(chain);
	return false;
}

void audit_chain_release(struct audit_chain *chain)
{
	EVP_MD_CTX_free(chain->context);
	EVP_MD_free(chain->sha256);
	*chain = (struct audit_chain){NULL, NULL};
}

static bool digest(struct audit_chain *chain, struct wb_bytes a,
		   struct wb_bytes b, uint8_t value[AUDIT_CHAIN_BYTES])
{
	EVP_MD_CTX *context = chain->context;

	return EVP_DigestInit_ex(context, chain->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(context, a.data, a.size) == 1 &&
	       EVP_DigestUpdate(context, b.data, b.size) == 1 &&
	       EVP_DigestFinal_ex(context, value, NULL) == 1;
}

bool audit_chain_start(struct audit_chain *chain, const uint8_t *uuid,
		       uint8_t value[AUDIT_CHAIN_BYTES])
{
	static const char start[] = "waybill-chain-1";

	return digest(chain, (struct wb_bytes){start, sizeof(start) - 1},
		      (struct wb_bytes){uuid, AUDIT_UUID_BYTES}, value);
}

bool audit_chain_next(struct audit_chain *chain, struct wb_bytes payload,
		      uint8_t value[AUDIT_CHAIN_BYTES])
{
	return digest(chain, (struct wb_bytes){value, AUDIT_CHAIN_BYTES},
		      payload, value);
}
