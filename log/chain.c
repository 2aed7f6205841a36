/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 through libcrypto's EVP, which uses the processor's instructions.
 * The digest is fetched once: EVP_sha256() looks it up at every use.
 */
#include "log/chain.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct chain {
	EVP_MD_CTX *context;
	EVP_MD *sha256;
};

struct chain *chain_new(void)
{
	struct chain *chain = calloc(1, sizeof(*chain));

	if (!chain)
		return NULL;
	chain->context = EVP_MD_CTX_new();
	chain->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (chain->context && chain->sha256)
		return chain;
	chain_free(chain);
	return NULL;
}

void chain_free(struct chain *chain)
{
	if (!chain)
		return;
	EVP_MD_CTX_free(chain->context);
	EVP_MD_free(chain->sha256);
	free(chain);
}

static enum wb_error hash_two(struct chain *chain, const void *a,
			      size_t a_bytes, const void *b, size_t b_bytes,
			      uint8_t ret_value[CHAIN_BYTES])
{
	uint8_t value[EVP_MAX_MD_SIZE];

	if (EVP_DigestInit_ex2(chain->context, chain->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(chain->context, a, a_bytes) != 1 ||
	    EVP_DigestUpdate(chain->context, b, b_bytes) != 1 ||
	    EVP_DigestFinal_ex(chain->context, value, NULL) != 1)
		return WB_NO_MEMORY;
	memcpy(ret_value, value, CHAIN_BYTES);
	return WB_OK;
}

enum wb_error chain_start(struct chain *chain, const uint8_t uuid[UUID_BYTES],
			  uint8_t ret_value[CHAIN_BYTES])
{
	return hash_two(chain, CHAIN_LABEL, strlen(CHAIN_LABEL), uuid,
			UUID_BYTES, ret_value);
}

enum wb_error chain_next(struct chain *chain, struct wb_bytes payload,
			 uint8_t value[CHAIN_BYTES])
{
	return hash_two(chain, value, CHAIN_BYTES, payload.data, payload.size,
			value);
}
