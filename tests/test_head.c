/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/head.h"

#include "tests/support/suite.h"

#include <string.h>

#define HEX "000102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

static const struct {
	const char *text;
	bool ok;
	uint64_t revision;
} table[] = {
	{"0:" HEX, true, 0},
	{"42:" HEX, true, 42},
	{"18446744073709551615:" HEX, true, UINT64_MAX},
	{"18446744073709551616:" HEX, false, 0},
	{"", false, 0},
	{":", false, 0},
	{"42", false, 0},
	{"42:", false, 0},
	{":" HEX, false, 0},
	{HEX, false, 0},
	{"42" HEX, false, 0},
	{"42:" HEX "0", false, 0},
	{"42:" HEX " ", false, 0},
	{" 42:" HEX, false, 0},
	{"+42:" HEX, false, 0},
	{"-1:" HEX, false, 0},
	{"42: " HEX, false, 0},
	{"42::" HEX, false, 0},
	{"4x:" HEX, false, 0},
	{"42:00"
	 "0102030405060708090A0B0C0D0E0FF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF",
	 false, 0},
	{"42:g0"
	 "0102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	 false, 0},
	{"42:00"
	 "0102030405060708090a0b0c0d0e0ff0f1f2f3f4f5f6f7f8f9fafbfcfdfe:f",
	 false, 0},
	{"111111111111111111111111111111111111111111:" HEX, false, 0},
};

START_TEST(a_head_is_read_strictly)
{
	struct wb_audit_expected expected = {.revision = 7};

	ck_assert(head_parse(table[_i].text, &expected) == table[_i].ok);
	if (!table[_i].ok) {
		ck_assert_uint_eq(expected.revision, 7);
		return;
	}
	ck_assert_uint_eq(expected.revision, table[_i].revision);
	for (unsigned at = 0; at < WB_CHAIN_BYTES; at++)
		ck_assert_uint_eq(expected.chain[at], at < 16 ? at : 0xe0 + at);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	static const uint64_t revisions[] = {0, 1, 999, UINT64_MAX};
	struct wb_audit_expected expected;
	char text[HEAD_TEXT_BYTES];
	uint8_t chain[WB_CHAIN_BYTES];

	for (unsigned i = 0; i < sizeof(revisions) / sizeof(*revisions); i++) {
		for (unsigned at = 0; at < WB_CHAIN_BYTES; at++)
			chain[at] = (uint8_t)(37 * at + 11 * i);
		head_format(revisions[i], chain, text);
		ck_assert_uint_lt(strlen(text), sizeof(text));
		ck_assert(head_parse(text, &expected));
		ck_assert_uint_eq(expected.revision, revisions[i]);
		ck_assert_mem_eq(expected.chain, chain, sizeof(chain));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("head");
	TCase *tcase = tcase_create("core");

	tcase_add_loop_test(tcase, a_head_is_read_strictly, 0,
			    (int)(sizeof(table) / sizeof(*table)));
	tcase_add_test(tcase, what_is_written_is_read_back);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
