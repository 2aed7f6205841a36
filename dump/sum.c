/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/sum.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct sum {
	EVP_MD_CTX *context;
};

struct sum *sum_new(void)
{
	struct sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->context = EVP_MD_CTX_new();
	if (sum->context &&
	    EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) == 1)
		return sum;
	sum_free(sum);
	return NULL;
}

void sum_free(struct sum *sum)
{
	if (!sum)
		return;
	EVP_MD_CTX_free(sum->context);
	free(sum);
}

enum wb_error sum_add(struct sum *sum, const void *bytes, size_t size)
{
	return EVP_DigestUpdate(sum->context, bytes, size) == 1 ? WB_OK
								: WB_NO_MEMORY;
}

enum wb_error sum_end(struct sum *sum, uint8_t ret_hash[SUM_BYTES])
{
	uint8_t hash[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(sum->context, hash, NULL) != 1)
		return WB_NO_MEMORY;
	memcpy(ret_hash, hash, SUM_BYTES);
	return WB_OK;
}
