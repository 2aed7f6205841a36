/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/base64.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <openssl/evp.h>
#include <string.h>

/* RFC 4648, section 10. */
static const struct {
	const char *bytes, *text;
} vectors[] = {{"", ""},
	       {"f", "Zg=="},
	       {"fo", "Zm8="},
	       {"foo", "Zm9v"},
	       {"foob", "Zm9vYg=="},
	       {"fooba", "Zm9vYmE="},
	       {"foobar", "Zm9vYmFy"}};
enum { VECTORS = sizeof(vectors) / sizeof(*vectors) };

START_TEST(it_is_that_of_rfc_4648)
{
	for (size_t at = 0; at < VECTORS; at++) {
		const char *bytes = vectors[at].bytes;
		char text[16] = "", copy[16];
		size_t size = 99;

		base64_encode((const uint8_t *)bytes, strlen(bytes), text);
		ck_assert_str_eq(text, vectors[at].text);
		ck_assert_uint_eq(base64_size(strlen(bytes)), strlen(text));
		strcpy(copy, text);
		ck_assert(base64_decode(copy, strlen(text), &size));
		ck_assert_uint_eq(size, strlen(bytes));
		ck_assert_int_eq(memcmp(copy, bytes, size), 0);
	}
}
END_TEST

START_TEST(libcrypto_says_the_same)
{
	struct rng rng = rng_of(1);

	for (size_t size = 0; size < 300; size++) {
		uint8_t bytes[300];
		char ours[404] = "";
		unsigned char theirs[405] = "";
		size_t back = 0;

		rng_fill(&rng, bytes, size);
		base64_encode(bytes, size, ours);
		EVP_EncodeBlock(theirs, bytes, (int)size);
		ck_assert_str_eq(ours, (char *)theirs);
		ck_assert(base64_decode(ours, strlen(ours), &back));
		ck_assert_uint_eq(back, size);
		ck_assert_int_eq(memcmp(ours, bytes, size), 0);
	}
}
END_TEST

START_TEST(every_bytes_have_one_text)
{
	static const char *const table[] = {
		"=",	    "==",    "===",   "====", "A",	  "AA",
		"AAA",	    "AAAAA", "A===",  "=AAA", "A=AA",	  "AA=A",
		"Zg==Zg==", "Zg=Z",  "Zh==",  "Zm9=", "Zm9",	  "Zg",
		"Zg==\n",   " Zg==", "Zm 9v", "Zm-_", "Zm9v====", "Zm9\xC3",
	};

	for (size_t at = 0; at < sizeof(table) / sizeof(*table); at++) {
		char copy[16];
		size_t size = 4711;

		strcpy(copy, table[at]);
		ck_assert_msg(!base64_decode(copy, strlen(copy), &size), "%s",
			      table[at]);
		ck_assert_uint_eq(size, 4711);
	}
}
END_TEST

/* Whatever is accepted is what would be written. */
START_TEST(a_text_that_is_changed_means_something_else_or_nothing)
{
	uint8_t bytes[7] = {0, 255, 16, 131, 16, 81, 135};
	char text[13] = "";
	unsigned accepted = 0;

	base64_encode(bytes, sizeof(bytes), text);
	for (size_t at = 0; at < 12; at++) {
		for (int c = 0; c < 256; c++) {
			char copy[13], again[13] = "";
			size_t size;

			memcpy(copy, text, sizeof(copy));
			copy[at] = (char)c;
			if (!base64_decode(copy, 12, &size))
				continue;
			base64_encode((uint8_t *)copy, size, again);
			memcpy(copy, text, sizeof(copy));
			copy[at] = (char)c;
			ck_assert_str_eq(again, copy);
			accepted++;
		}
	}
	ck_assert_uint_gt(accepted, 9 * 64);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base64");
	TCase *tcase = tcase_create("base64");

	tcase_add_test(tcase, it_is_that_of_rfc_4648);
	tcase_add_test(tcase, libcrypto_says_the_same);
	tcase_add_test(tcase, every_bytes_have_one_text);
	tcase_add_test(tcase,
		       a_text_that_is_changed_means_something_else_or_nothing);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
