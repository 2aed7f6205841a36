/* SPDX-License-Identifier: Apache-2.0
 *
 * What is well-formed, in long texts; single characters are tested where they
 * are quoted (test_sentence).
 */
#include "images/unicode.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <string.h>

/* By the definition: every character, one after the other. */
static bool valid_by_steps(const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;)
		if (unicode_next(bytes, size, &at) == UNICODE_BAD)
			return false;
	return true;
}

START_TEST(one_bad_byte_spoils_a_text_wherever_it_is)
{
	char text[64];

	for (size_t size = 0; size <= sizeof(text); size++) {
		memset(text, 'a', size);
		ck_assert(unicode_valid(text, size));
		for (size_t at = 0; at < size; at++) {
			static const char bad[] = "\x80\xBF\xC3\xFF\xF0";

			for (size_t which = 0; which < 5; which++) {
				text[at] = bad[which];
				ck_assert(!unicode_valid(text, size));
			}
			text[at] = 'a';
		}
	}
}
END_TEST

START_TEST(a_text_is_as_good_as_its_characters)
{
	static const char *const pieces[] = {
		"a",	 "plain text",	     "Z\xC3\xBCrich", "\xE2\x82\xAC",
		"\xC3",	 "\xF0\x9F\x90\xB3", "\xED\xA0\x80",  "\x7F",
		"\x00x", "12345678"};
	struct rng rng = rng_of(1);
	unsigned valid = 0;

	for (unsigned times = 0; times < 30000; times++) {
		char text[120] = "";
		size_t size;

		for (uint64_t left = rng_below(&rng, 8); left > 0; left--)
			strcat(text, pieces[rng_below(&rng, 10)]);
		/* Cut anywhere, from anywhere. */
		size = strlen(text);
		if (size > 0) {
			size_t from = (size_t)rng_below(&rng, size);

			size -= from + (size_t)rng_below(&rng, size - from);
			memmove(text, text + from, size);
		}
		if (unicode_valid(text, size) != valid_by_steps(text, size))
			ck_abort_msg("%.*s", (int)size, text);
		valid += unicode_valid(text, size);
	}
	ck_assert_uint_gt(valid, 5000);
	ck_assert_uint_lt(valid, 25000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unicode");
	TCase *tcase = tcase_create("unicode");

	tcase_add_test(tcase, one_bad_byte_spoils_a_text_wherever_it_is);
	tcase_add_test(tcase, a_text_is_as_good_as_its_characters);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
