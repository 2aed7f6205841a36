/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image.h"

#include "images/image.pb-c.h"
#include "images/prescan.h"
#include "images/sentence.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>

/* An initializer. */
#define BYTES(...)                                             \
	{                                                      \
		(const uint8_t[]){__VA_ARGS__},                \
			sizeof((const uint8_t[]){__VA_ARGS__}) \
	}

/* labels a=b, target m d 1, annotations y=z, created 1, updated 2 */
static const uint8_t golden[] = {0x0A, 6,  0x0A, 1, 'a', 0x12, 1, 'b', /* */
				 0x12, 16, 0x0A, 1, 'm', 0x12, 1, 'd', 0x18,
				 1,					  /* */
				 0x22, 6,  0x0A, 1, 'y', 0x12, 1, 'z',	  /* */
				 0x19, 1,  0,	 0, 0,	 0,    0, 0,   0, /* */
				 0x21, 2,  0,	 0, 0,	 0,    0, 0,   0};

static const struct wb_image golden_image = {
	.name = "n",
	.labels = {(const struct wb_label[]){{"a", "b"}}, 1},
	.target = {"m", "d", 1, {(const struct wb_label[]){{"y", "z"}}, 1}},
	.created_at_ns = 1,
	.updated_at_ns = 2,
};

static bool same_labels(const struct wb_labels *a, const struct wb_labels *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].key, b->items[i].key) ||
		    strcmp(a->items[i].value, b->items[i].value))
			return false;
	return true;
}

static bool same_image(const struct wb_image *a, const struct wb_image *b)
{
	return !strcmp(a->name, b->name) &&
	       same_labels(&a->labels, &b->labels) &&
	       !strcmp(a->target.media_type, b->target.media_type) &&
	       !strcmp(a->target.digest, b->target.digest) &&
	       a->target.size == b->target.size &&
	       same_labels(&a->target.annotations, &b->target.annotations) &&
	       a->created_at_ns == b->created_at_ns &&
	       a->updated_at_ns == b->updated_at_ns;
}

START_TEST(an_image_is_these_bytes)
{
	struct wb_image *image = NULL;
	struct wb_bytes value;

	ck_ok(image_encode(&golden_image, &value));
	ck_assert_uint_eq(value.size, sizeof(golden));
	ck_assert_mem_eq(value.data, golden, sizeof(golden));
	ck_ok(image_decode(bytes_of("n"), value, 7, &image));
	ck_assert(same_image(image, &golden_image));
	ck_assert_uint_eq(image->revision, 7);
	wb_image_free(image);
	free((void *)value.data);
}
END_TEST

START_TEST(fields_of_a_later_version_are_stepped_over)
{
	/* In the image a varint and a message, in the target four bytes. */
	struct wb_bytes value =
		BYTES(0x12, 13, 0x0A, 1, 'm', 0x12, 1, 'd', 0x18, 1, 0x7D, 1, 2,
		      3, 4, 0xF8, 0x7F, 5, 0xFA, 0x7F, 2, 0x08, 1);
	struct wb_image *image = NULL;

	ck_ok(image_decode(bytes_of("n"), value, 1, &image));
	ck_assert_str_eq(image->target.digest, "d");
	ck_assert_uint_eq(image->labels.count, 0);
	wb_image_free(image);
}
END_TEST

#define TARGET 0x12, 8, 0x0A, 1, 'm', 0x12, 1, 'd', 0x18, 1

static const struct {
	const char *what;
	struct wb_bytes value;
} broken[] = {
	{"nothing", {"", 0}},
	{"no target", BYTES(0x19, 1, 0, 0, 0, 0, 0, 0, 0)},
	{"no media type", BYTES(0x12, 5, 0x12, 1, 'd', 0x18, 1)},
	{"no digest", BYTES(0x12, 5, 0x0A, 1, 'm', 0x18, 1)},
	{"no size", BYTES(0x12, 6, 0x0A, 1, 'm', 0x12, 1, 'd')},
	{"a negative size",
	 BYTES(0x12, 17, 0x0A, 1, 'm', 0x12, 1, 'd', 0x18, 0xFF, 0xFF, 0xFF,
	       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01)},
	{"an empty key", BYTES(TARGET, 0x0A, 3, 0x12, 1, 'b')},
	{"an empty value", BYTES(TARGET, 0x0A, 3, 0x0A, 1, 'a')},
	{"keys out of order", BYTES(TARGET, 0x0A, 6, 0x0A, 1, 'b', 0x12, 1, 'x',
				    0x0A, 6, 0x0A, 1, 'a', 0x12, 1, 'x')},
	{"a key twice", BYTES(TARGET, 0x0A, 6, 0x0A, 1, 'b', 0x12, 1, 'x', 0x0A,
			      6, 0x0A, 1, 'b', 0x12, 1, 'y')},
	{"a zero byte", BYTES(TARGET, 0x0A, 7, 0x0A, 2, 'a', 0, 0x12, 1, 'x')},
	{"no UTF-8", BYTES(TARGET, 0x0A, 6, 0x0A, 1, 0xFF, 0x12, 1, 'x')},
	{"a target twice", BYTES(TARGET, TARGET)},
	{"a digest twice",
	 BYTES(0x12, 11, 0x0A, 1, 'm', 0x12, 1, 'd', 0x12, 1, 'd', 0x18, 1)},
	{"a target that is a number", BYTES(0x10, 1)},
	{"a size that is a string",
	 BYTES(0x12, 9, 0x0A, 1, 'm', 0x12, 1, 'd', 0x1A, 1, 'x')},
	{"a group", BYTES(TARGET, 0x3B, 0x3C)},
	{"field zero", BYTES(TARGET, 0x02, 0)},
	{"a tag without a field", BYTES(TARGET, 0x3A)},
	{"a length beyond the end", BYTES(TARGET, 0x3A, 5, 'x')},
	{"a length beyond the message around it",
	 BYTES(0x12, 8, 0x0A, 9, 'm', 0x12, 1, 'd', 0x18, 1, 'x', 'x')},
	{"a length without end",
	 BYTES(TARGET, 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	       0xFF, 0xFF, 0x01)},
	{"a number cut short", BYTES(TARGET, 0x19, 1, 2, 3)},
};

START_TEST(broken_bytes_are_corrupt)
{
	struct wb_image *image = NULL;

	ck_assert_msg(image_decode(bytes_of("n"), broken[_i].value, 1,
				   &image) == WB_CORRUPT,
		      "%s", broken[_i].what);
	ck_assert_ptr_null(image);
}
END_TEST

START_TEST(a_name_that_is_none_is_corrupt)
{
	struct wb_bytes value = BYTES(TARGET);
	char name[4097];
	struct wb_image *image = NULL;

	memset(name, 'n', sizeof(name));
	ck_error(image_decode((struct wb_bytes){name, 0}, value, 1, &image),
		 WB_CORRUPT);
	ck_error(image_decode((struct wb_bytes){name, 4097}, value, 1, &image),
		 WB_CORRUPT);
	ck_error(image_decode((struct wb_bytes){"a\0b", 3}, value, 1, &image),
		 WB_CORRUPT);
	ck_error(image_decode((struct wb_bytes){"\x80", 1}, value, 1, &image),
		 WB_CORRUPT);
	ck_ok(image_decode((struct wb_bytes){name, 4096}, value, 1, &image));
	wb_image_free(image);
}
END_TEST

START_TEST(the_number_of_fields_is_bounded)
{
	const struct wb_bytes value = {golden, sizeof(golden)};

	/* labels 3, target 4 and annotation 3, two times */
	ck_assert(prescan(&waybill__images__image__descriptor, value, 12));
	ck_assert(!prescan(&waybill__images__image__descriptor, value, 11));
	ck_assert(!prescan(&waybill__images__image__descriptor, value, 0));
}
END_TEST

START_TEST(the_largest_image_makes_the_round_trip)
{
	enum { COUNT = (1 << 20) / 4 };
	struct wb_label *labels = calloc(COUNT, sizeof(*labels));
	char(*keys)[4] = calloc(COUNT, sizeof(*keys));
	struct wb_image image = golden_image;
	struct wb_image *decoded = NULL;
	struct wb_bytes value;

	for (size_t i = 0; i < COUNT; i++) {
		keys[i][0] = (char)('!' + i / 4096 % 64);
		keys[i][1] = (char)('!' + i / 64 % 64);
		keys[i][2] = (char)('!' + i % 64);
		labels[i] = (struct wb_label){keys[i], "v"};
	}
	image.labels = (struct wb_labels){labels, COUNT};
	image.target.annotations.count = 0;
	ck_ok(image_encode(&image, &value));
	ck_ok(image_decode(bytes_of("n"), value, 1, &decoded));
	ck_assert(same_image(decoded, &image));
	wb_image_free(decoded);
	free((void *)value.data);
	free(keys);
	free(labels);
}
END_TEST

/* What decodes is canonical: encoded again it decodes to the same. */
static void decode_and_encode(struct wb_bytes value, uint64_t seed)
{
	struct wb_image *image = NULL;
	struct wb_image *again = NULL;
	struct wb_bytes encoded;
	enum wb_error error = image_decode(bytes_of("n"), value, 1, &image);

	if (error) {
		ck_assert_msg(error == WB_CORRUPT, "seed %" PRIu64, seed);
		return;
	}
	ck_ok(image_encode(image, &encoded));
	ck_ok(image_decode(bytes_of("n"), encoded, 1, &again));
	ck_assert_msg(same_image(image, again), "seed %" PRIu64, seed);
	free((void *)encoded.data);
	wb_image_free(again);
	wb_image_free(image);
}

START_TEST(no_change_of_the_bytes_does_harm)
{
	uint8_t bytes[sizeof(golden)];

	for (size_t size = 0; size < sizeof(golden); size++) {
		/* Of exactly this size, so that asan sees the next byte. */
		uint8_t *cut = malloc(size + !size);

		memcpy(cut, golden, size);
		decode_and_encode((struct wb_bytes){cut, size}, size);
		free(cut);
	}
	for (uint64_t seed = 0; seed < 20000; seed++) {
		struct rng rng = rng_of(seed);

		memcpy(bytes, golden, sizeof(bytes));
		for (uint64_t n = 1 + rng_below(&rng, 3); n > 0; n--)
			bytes[rng_below(&rng, sizeof(bytes))] =
				(uint8_t)(rng_chance(&rng, 1, 2)
						  ? rng_below(&rng, 256)
						  : rng_below(&rng, 40));
		decode_and_encode((struct wb_bytes){bytes, sizeof(bytes)},
				  seed);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *tcase = tcase_create("image");

	tcase_add_test(tcase, an_image_is_these_bytes);
	tcase_add_test(tcase, fields_of_a_later_version_are_stepped_over);
	tcase_add_loop_test(tcase, broken_bytes_are_corrupt, 0,
			    (int)(sizeof(broken) / sizeof(*broken)));
	tcase_add_test(tcase, a_name_that_is_none_is_corrupt);
	tcase_add_test(tcase, the_number_of_fields_is_bounded);
	tcase_add_test(tcase, the_largest_image_makes_the_round_trip);
	tcase_add_test(tcase, no_change_of_the_bytes_does_harm);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
