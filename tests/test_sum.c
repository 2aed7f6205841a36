/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/sum.h"

#include "tests/support/suite.h"

#include <string.h>

/* FIPS 180-4's examples, as `sha256sum` prints them. */
static const struct {
	const char *text, *sum;
} vectors[] = {
	{"",
	 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc",
	 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};

START_TEST(it_is_sha_256_however_it_is_cut)
{
	for (size_t vector = 0; vector < 3; vector++) {
		const char *text = vectors[vector].text;
		size_t size = strlen(text);

		for (size_t cut = 0; cut <= size; cut++) {
			struct sum *sum = sum_new();
			uint8_t hash[SUM_BYTES];
			char hex[2 * SUM_BYTES + 1];

			ck_assert_ptr_nonnull(sum);
			ck_ok(sum_add(sum, text, cut));
			ck_ok(sum_add(sum, text + cut, size - cut));
			ck_ok(sum_end(sum, hash));
			sum_free(sum);
			for (size_t at = 0; at < SUM_BYTES; at++)
				snprintf(hex + 2 * at, 3, "%02x", hash[at]);
			ck_assert_str_eq(hex, vectors[vector].sum);
		}
	}
	sum_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sum");
	TCase *tcase = tcase_create("sum");

	tcase_add_test(tcase, it_is_sha_256_however_it_is_cut);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
