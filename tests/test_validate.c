/* SPDX-License-Identifier: Apache-2.0
 *
 * What the conformance suite does not ask: limits from both sides, digests,
 * and UTF-8 byte by byte.
 */
#include "images/validate.h"

#include "images/unicode.h"
#include "tests/support/suite.h"

#include <string.h>

#define HEX_64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FORMAT	    "invalid checksum digest format"
#define LENGTH	    "invalid checksum digest length"
#define UNSUPPORTED "unsupported digest algorithm"

static const struct {
	const char *digest;
	const char *problem;
} digests[] = {
	{"sha256:" HEX_64, NULL},
	{"sha512:" HEX_64 HEX_64, NULL},
	{"sha384:" HEX_64 "0123456789abcdef0123456789abcdef", NULL},
	{"", FORMAT},
	{"sha256", FORMAT},
	{"sha256:", FORMAT},
	{":" HEX_64, FORMAT},
	{"sha256:" HEX_64 "0", LENGTH},
	{"sha256:0", LENGTH},
	{"sha512:" HEX_64, LENGTH},
	{"sha256:A123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
	 "cdef",
	 FORMAT},
	{"sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
	 "cdef",
	 FORMAT},
	{"SHA256:" HEX_64, FORMAT},
	{"sha256 :" HEX_64, FORMAT},
	{"md5:0", UNSUPPORTED},
	{"a+b.c_d-e:Zz9=_-", UNSUPPORTED},
	{"a++b:0", FORMAT},
	{"-a:0", FORMAT},
	{"a-:0", FORMAT},
	{"md5:0:1", FORMAT},
	{"md5:\xC3\xA9", FORMAT},
};

START_TEST(digests_are_judged_like_this)
{
	const char *problem = digest_problem(digests[_i].digest);

	ck_assert_str_eq(problem ? problem : "fine",
			 digests[_i].problem ? digests[_i].problem : "fine");
}
END_TEST

static const struct {
	const char *bytes;
	size_t size;
	bool valid;
} texts[] = {
	{"", 0, true},
	{"a\0b", 3, true},
	{"\x7F", 1, true},
	{"\x80", 1, false},
	{"\xC2\x80", 2, true},
	{"\xC2", 1, false},
	{"\xC2\x41", 2, false},
	{"\xC1\xBF", 2, false}, /* overlong */
	{"\xC0\x80", 2, false},
	{"\xE0\xA0\x80", 3, true},
	{"\xE0\x9F\xBF", 3, false}, /* overlong */
	{"\xED\x9F\xBF", 3, true},
	{"\xED\xA0\x80", 3, false}, /* surrogates */
	{"\xED\xBF\xBF", 3, false},
	{"\xEE\x80\x80", 3, true},
	{"\xEF\xBF\xBF", 3, true},
	{"\xEF\xBF", 2, false},
	{"\xF0\x90\x80\x80", 4, true},
	{"\xF0\x8F\xBF\xBF", 4, false}, /* overlong */
	{"\xF4\x8F\xBF\xBF", 4, true},
	{"\xF4\x90\x80\x80", 4, false}, /* beyond the last */
	{"\xF8\x88\x80\x80\x80", 5, false},
	{"\xFF", 1, false},
};

START_TEST(utf8_is_read_strictly)
{
	/* Of exactly this size, so that asan sees the next byte. */
	char *copy = malloc(texts[_i].size + 1);
	char *bytes = copy + 1;
	size_t at = 0;

	memcpy(bytes, texts[_i].bytes, texts[_i].size);
	ck_assert(unicode_valid(bytes, texts[_i].size) == texts[_i].valid);
	if (texts[_i].size > 0 && texts[_i].size != 3 && !texts[_i].valid) {
		ck_assert_uint_eq(unicode_next(bytes, texts[_i].size, &at),
				  UNICODE_BAD);
		ck_assert_uint_eq(at, 1);
	}
	free(copy);
}
END_TEST

START_TEST(every_character_makes_the_round_trip)
{
	for (uint32_t character = 0; character <= UNICODE_LAST; character++) {
		char text[4];
		size_t size = unicode_put(character, text);
		size_t at = 0;
		bool surrogate = character >= 0xD800 && character <= 0xDFFF;

		if (unicode_next(text, size, &at) !=
			    (surrogate ? UNICODE_REPLACEMENT : character) ||
		    at != size)
			ck_abort_msg("U+%04X", character);
	}
}
END_TEST

START_TEST(a_name_has_one_to_4096_bytes)
{
	char name[4098];

	memset(name, 'n', sizeof(name));
	name[4097] = 0;
	ck_assert(!name_is_storable(name));
	name[4096] = 0;
	ck_assert(name_is_storable(name));
	ck_assert(name_is_storable("n"));
	ck_assert(!name_is_storable(""));
	ck_assert(!name_is_storable("n\xFF"));
}
END_TEST

START_TEST(a_label_has_4096_bytes_and_an_annotation_more)
{
	char value[5001];
	struct wb_label label = {"four", value};
	struct wb_image image = {
		.name = "n", .target = {"m", "sha256:" HEX_64, 1, {NULL, 0}}};
	struct wb_text text = {""};

	memset(value, 'v', sizeof(value));
	value[4093] = 0;
	image.labels = (struct wb_labels){&label, 1};
	ck_error(wb_image_validate(&image, &text), WB_BAD_INPUT);
	ck_assert_str_eq(text.text,
			 "image.Labels: label key and value greater than "
			 "maximum size (4096 bytes), key: four: "
			 "invalid argument");
	value[4092] = 0;
	ck_ok(wb_image_validate(&image, &text));
	value[4092] = 'v';
	value[5000] = 0;
	image.labels.count = 0;
	image.target.annotations = (struct wb_labels){&label, 1};
	ck_ok(wb_image_validate(&image, &text));
}
END_TEST

START_TEST(a_text_is_utf8_though_a_key_is_cut_in_a_character)
{
	char value[5001];
	struct wb_label label = {"123456789\xC3\xA9", value};
	struct wb_image image = {.name = "n", .labels = {&label, 1}};
	struct wb_text text = {""};

	memset(value, 'v', sizeof(value));
	value[5000] = 0;
	ck_error(wb_image_validate(&image, &text), WB_BAD_INPUT);
	ck_assert_str_eq(text.text,
			 "image.Labels: label key and value greater than "
			 "maximum size (4096 bytes), key: 123456789\xEF\xBF\xBD"
			 ": invalid argument");
}
END_TEST

START_TEST(a_long_name_is_cut_in_the_text)
{
	char name[3000];
	struct wb_image image = {
		.name = name, .target = {"m", "sha256:" HEX_64, 1, {NULL, 0}}};
	struct wb_text text = {""};

	memset(name, 'n', sizeof(name));
	strcpy(name + 2990, "\xFF");
	ck_error(wb_image_validate(&image, &text), WB_BAD_INPUT);
	ck_assert(!strncmp(text.text, "Image.Name \"nnnn", 16));
	ck_assert_uint_eq(strlen(text.text), sizeof(text.text) - 1);
	ck_assert_str_eq(text.text + strlen(text.text) - 4, "n...");
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
	Suite *suite = suite_create("validate");
	TCase *tcase = tcase_create("validate");

	tcase_add_loop_test(tcase, digests_are_judged_like_this, 0,
			    COUNT(digests));
	tcase_add_loop_test(tcase, utf8_is_read_strictly, 0, COUNT(texts));
	tcase_add_test(tcase, every_character_makes_the_round_trip);
	tcase_add_test(tcase, a_name_has_one_to_4096_bytes);
	tcase_add_test(tcase, a_label_has_4096_bytes_and_an_annotation_more);
	tcase_add_test(tcase,
		       a_text_is_utf8_though_a_key_is_cut_in_a_character);
	tcase_add_test(tcase, a_long_name_is_cut_in_the_text);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
