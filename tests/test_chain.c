/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain against values that sha256sum(1) printed:
 *	(printf 'waybill-chain-1'; printf '\000\001…\017') | sha256sum
 *	(xxd -r -p of the value before; printf 'payload') | sha256sum
 */
#include "log/chain.h"

#include "tests/support/suite.h"

#include <string.h>

static const uint8_t uuid[UUID_BYTES] = {0, 1, 2,  3,  4,  5,  6,  7,
					 8, 9, 10, 11, 12, 13, 14, 15};

static void check_hex(const uint8_t value[CHAIN_BYTES], const char *expected)
{
	char hex[2 * CHAIN_BYTES + 1];

	for (unsigned at = 0; at < CHAIN_BYTES; at++)
		snprintf(hex + 2 * at, 3, "%02x", value[at]);
	ck_assert_str_eq(hex, expected);
}

START_TEST(values_are_those_of_sha256sum)
{
	struct chain *chain = chain_new();
	uint8_t value[CHAIN_BYTES];

	ck_assert_ptr_nonnull(chain);
	ck_ok(chain_start(chain, uuid, value));
	check_hex(value, "fce231008bb942e1b2acc79b911cf2e14f8fd8c07ca8f266a76d5"
			 "18ecc6c73e4");
	ck_ok(chain_next(chain, (struct wb_bytes){"payload", 7}, value));
	check_hex(value, "5f27e7ebe23118e3fa662b465b3671b8bd653d6be7b35009bada3"
			 "b86ab1b52f1");
	ck_ok(chain_next(chain, (struct wb_bytes){NULL, 0}, value));
	check_hex(value, "9a8b9884a326d1175d210ed90e639a786de773ec5a17bc1dff976"
			 "3cb44c6c7db");
	chain_free(chain);
}
END_TEST

START_TEST(each_payload_and_each_value_before_counts)
{
	struct chain *chain = chain_new();
	uint8_t a[CHAIN_BYTES], b[CHAIN_BYTES];

	ck_assert_ptr_nonnull(chain);
	ck_ok(chain_start(chain, uuid, a));
	memcpy(b, a, sizeof(b));
	ck_ok(chain_next(chain, (struct wb_bytes){"x", 1}, a));
	ck_ok(chain_next(chain, (struct wb_bytes){"y", 1}, b));
	ck_assert_mem_ne(a, b, sizeof(a));
	/* The same payload upon another value. */
	ck_ok(chain_next(chain, (struct wb_bytes){"z", 1}, a));
	ck_ok(chain_next(chain, (struct wb_bytes){"z", 1}, b));
	ck_assert_mem_ne(a, b, sizeof(a));
	chain_free(chain);
	chain_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chain");
	TCase *tests = tcase_create("chain");

	tcase_add_test(tests, values_are_those_of_sha256sum);
	tcase_add_test(tests, each_payload_and_each_value_before_counts);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
