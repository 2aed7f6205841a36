/* SPDX-License-Identifier: Apache-2.0 */
#include "index/checksum.h"
#include "index/record.h"
#include "tests/support/keys.h"

#include <xxhash.h>

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

static const uint8_t long_name[WB_NAME_BYTES_MAX + 1] = {'n'};
static const char long_ns[WB_NAMESPACE_BYTES_MAX + 2] =
	"77_bytes_of_namespace_are_one_too_many_"
	"and_this_text_has_exactly_that_many_8";

static const struct {
	const char *what;
	struct wb_key from;
	enum wb_error error;
	struct wb_bytes encoded;
} encodings[] = {
	{"plain",
	 {1, BYTES("default"), BYTES("a/b:c")},
	 WB_OK,
	 BYTES("\1default\0a/b:c")},
	{"no namespace", {255, BYTES(""), BYTES("x")}, WB_OK, BYTES("\377\0x")},
	{"null namespace", {2, {NULL, 0}, BYTES("x")}, WB_OK, BYTES("\2\0x")},
	{"zero bytes in the name",
	 {1, BYTES("n"), BYTES("\0\0")},
	 WB_OK,
	 BYTES("\1n\0\0\0")},
	{"kind 0", {0, BYTES("n"), BYTES("x")}, WB_BAD_INPUT, {0}},
	{"kind 256", {256, BYTES("n"), BYTES("x")}, WB_BAD_INPUT, {0}},
	{"zero byte in the namespace",
	 {1, BYTES("a\0b"), BYTES("x")},
	 WB_BAD_INPUT,
	 {0}},
	{"empty name", {1, BYTES("n"), BYTES("")}, WB_BAD_INPUT, {0}},
	{"name too long",
	 {1, BYTES("n"), {long_name, WB_NAME_BYTES_MAX + 1}},
	 WB_BAD_INPUT,
	 {0}},
	{"namespace too long",
	 {1, {long_ns, WB_NAMESPACE_BYTES_MAX + 1}, BYTES("x")},
	 WB_BAD_INPUT,
	 {0}},
};

START_TEST(keys_are_encoded_as_the_table_says)
{
	struct key key = {.size = 99};
	enum wb_error error = key_encode(&encodings[_i].from, &key);

	ck_assert_msg(error == encodings[_i].error, "%s: %d",
		      encodings[_i].what, error);
	if (error) {
		ck_assert_uint_eq(key.size, 99);
		return;
	}
	ck_assert_uint_eq(key.size, encodings[_i].encoded.size);
	ck_assert_mem_eq(key.bytes, encodings[_i].encoded.data, key.size);
}
END_TEST

START_TEST(the_longest_key_is_encoded_and_decoded)
{
	struct wb_key from = {191,
			      {long_ns, WB_NAMESPACE_BYTES_MAX},
			      {long_name, WB_NAME_BYTES_MAX}},
		      to;
	struct key key;

	ck_assert_int_eq(key_encode(&from, &key), WB_OK);
	ck_assert_uint_eq(key.size, KEY_BYTES_MAX);
	ck_assert_int_eq(key_decode(key.bytes, key.size, &to), WB_OK);
	ck_assert_uint_eq(to.kind, 191);
	ck_assert_uint_eq(to.ns.size, from.ns.size);
	ck_assert_mem_eq(to.ns.data, from.ns.data, from.ns.size);
	ck_assert_uint_eq(to.name.size, from.name.size);
	ck_assert_mem_eq(to.name.data, from.name.data, from.name.size);
}
END_TEST

static const struct {
	const char *what;
	struct wb_bytes bytes;
	enum wb_error error;
	struct wb_key key;
} decodings[] = {
	{"plain", BYTES("\1ns\0name"), WB_OK, {1, BYTES("ns"), BYTES("name")}},
	{"no namespace", BYTES("\7\0n"), WB_OK, {7, BYTES(""), BYTES("n")}},
	{"zero in the name",
	 BYTES("\1a\0b\0c"),
	 WB_OK,
	 {1, BYTES("a"), BYTES("b\0c")}},
	{"nothing", BYTES(""), WB_CORRUPT, {0}},
	{"a kind only", BYTES("\1"), WB_CORRUPT, {0}},
	{"kind 0", BYTES("\0ns\0name"), WB_CORRUPT, {0}},
	{"no zero byte", BYTES("\1name"), WB_CORRUPT, {0}},
	{"no name", BYTES("\1ns\0"), WB_CORRUPT, {0}},
	{"no namespace and no name", BYTES("\1\0"), WB_CORRUPT, {0}},
};

START_TEST(keys_are_decoded_as_the_table_says)
{
	struct wb_key key = {.kind = 99};
	enum wb_error error = key_decode(decodings[_i].bytes.data,
					 decodings[_i].bytes.size, &key);

	ck_assert_msg(error == decodings[_i].error, "%s: %d",
		      decodings[_i].what, error);
	if (error) {
		ck_assert_uint_eq(key.kind, 99);
		return;
	}
	ck_assert_uint_eq(key.kind, decodings[_i].key.kind);
	ck_assert_uint_eq(key.ns.size, decodings[_i].key.ns.size);
	ck_assert(memcmp(key.ns.data, decodings[_i].key.ns.data, key.ns.size) ==
		  0);
	ck_assert_uint_eq(key.name.size, decodings[_i].key.name.size);
	ck_assert_mem_eq(key.name.data, decodings[_i].key.name.data,
			 key.name.size);
}
END_TEST

START_TEST(overlong_parts_are_corrupt)
{
	uint8_t bytes[KEY_BYTES_MAX + 2];
	struct wb_key key;

	memset(bytes, 'n', sizeof(bytes));
	bytes[0] = 1;
	bytes[1] = 0;
	ck_assert_int_eq(key_decode(bytes, 2 + WB_NAME_BYTES_MAX, &key), WB_OK);
	ck_assert_int_eq(key_decode(bytes, 3 + WB_NAME_BYTES_MAX, &key),
			 WB_CORRUPT);
	bytes[1] = 'n';
	bytes[1 + WB_NAMESPACE_BYTES_MAX] = 0;
	ck_assert_int_eq(key_decode(bytes, 100, &key), WB_OK);
	bytes[1 + WB_NAMESPACE_BYTES_MAX] = 'n';
	bytes[2 + WB_NAMESPACE_BYTES_MAX] = 0;
	ck_assert_int_eq(key_decode(bytes, 100, &key), WB_CORRUPT);
}
END_TEST

static int bytes_order(struct wb_bytes a, struct wb_bytes b)
{
	struct key x = {.size = a.size}, y = {.size = b.size};

	memcpy(x.bytes, a.data, a.size);
	memcpy(y.bytes, b.data, b.size);
	return key_order(&x, &y);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

/* A key whose parts come from few letters, so that many parts are equal. */
static struct wb_key draw_parts(struct rng *rng, uint8_t *ns, uint8_t *name)
{
	struct wb_key key = {.kind = 1 + (uint32_t)rng_below(rng, 3),
			     .ns = {ns, rng_below(rng, 4)},
			     .name = {name, 1 + rng_below(rng, 4)}};

	for (size_t i = 0; i < key.ns.size; i++)
		ns[i] = (uint8_t)("\1a\xff"[rng_below(rng, 3)]);
	for (size_t i = 0; i < key.name.size; i++)
		name[i] = (uint8_t)("\0\1a\xff"[rng_below(rng, 4)]);
	return key;
}

START_TEST(the_order_of_encoded_keys_is_that_of_kind_namespace_name)
{
	for (uint64_t seed = 1; seed <= rounds(20000, 2000000); seed++) {
		struct rng rng = rng_of(seed);
		uint8_t bytes[4][4];
		struct wb_key a = draw_parts(&rng, bytes[0], bytes[1]);
		struct wb_key b = draw_parts(&rng, bytes[2], bytes[3]);
		int order = (a.kind > b.kind) - (a.kind < b.kind);
		struct key x, y;

		if (!order)
			order = bytes_order(a.ns, b.ns);
		if (!order)
			order = bytes_order(a.name, b.name);
		HOLDS(seed, key_encode(&a, &x) == WB_OK);
		HOLDS(seed, key_encode(&b, &y) == WB_OK);
		HOLDS(seed, sign(key_compare(x.bytes, x.size, y.bytes,
					     y.size)) == order);
	}
}
END_TEST

START_TEST(a_record_holds_what_it_was_made_of)
{
	struct heap *heap = heap_new();
	struct record *record =
		record_new(heap, "\1n\0key", 6, (struct wb_bytes)BYTES("value"),
			   7, -8, RECORD_DELETED);

	ck_assert_uint_eq(record->revision, 7);
	ck_assert_int_eq(record->time_ns, -8);
	ck_assert_uint_eq(record->flags, RECORD_DELETED);
	ck_assert_uint_eq(record->key_bytes, 6);
	ck_assert_uint_eq(record->value_bytes, 5);
	ck_assert_mem_eq(record->bytes, "\1n\0key", 6);
	ck_assert_mem_eq(record_value(record), "value", 5);
	ck_assert_uint_eq(record_size(record), 32 + 6 + 5);
	ck_assert(record_verifies(record));
	record_free(heap, record);
	record_free(heap, NULL);
	ck_assert_uint_eq(heap_live_bytes(heap), 0);
	heap_release(heap);
}
END_TEST

START_TEST(without_memory_there_is_no_record)
{
	struct heap *heap = heap_new();

	heap_limit(heap, 40);
	ck_assert_ptr_null(record_new(heap, "\1n\0key", 6,
				      (struct wb_bytes)BYTES("value"), 1, 1,
				      0));
	heap_release(heap);
}
END_TEST

/* Each copy has memory of exactly its size, so that asan sees a read past
 * it, even where a size has grown by a flip. */
static void expect_every_flip_is_found(size_t key_bytes, size_t value_bytes)
{
	static const uint8_t zeros[4096];
	struct heap *heap = heap_new();
	struct record *record =
		record_new(heap, zeros, key_bytes,
			   (struct wb_bytes){zeros, value_bytes}, 5, 6, 0);
	size_t size = record_size(record);
	uint8_t *copy = malloc(size);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, record, size);
	ck_assert(record_verifies((struct record *)(void *)copy));
	for (size_t bit = 0; bit < size * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_msg(!record_verifies((struct record *)(void *)copy),
			      "bit %zu of %zu bytes", bit, size);
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(copy);
	heap_release(heap);
}

START_TEST(every_flipped_bit_is_found)
{
	expect_every_flip_is_found(60, 190);
	expect_every_flip_is_found(1, 0);
	expect_every_flip_is_found(4, 1500);
}
END_TEST

START_TEST(the_checksum_is_xxh3_at_every_size)
{
	uint8_t bytes[3000];
	struct rng rng = rng_of(1);

	rng_fill(&rng, bytes, sizeof(bytes));
	for (size_t size = 0; size <= sizeof(bytes); size++)
		ck_assert_uint_eq(checksum(bytes, size),
				  XXH3_64bits(bytes, size));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *all = tcase_create("record");

	tcase_add_loop_test(all, keys_are_encoded_as_the_table_says, 0,
			    sizeof(encodings) / sizeof(*encodings));
	tcase_add_test(all, the_longest_key_is_encoded_and_decoded);
	tcase_add_loop_test(all, keys_are_decoded_as_the_table_says, 0,
			    sizeof(decodings) / sizeof(*decodings));
	tcase_add_test(all, overlong_parts_are_corrupt);
	tcase_add_test(
		all, the_order_of_encoded_keys_is_that_of_kind_namespace_name);
	tcase_add_test(all, a_record_holds_what_it_was_made_of);
	tcase_add_test(all, without_memory_there_is_no_record);
	tcase_add_test(all, every_flipped_bit_is_found);
	tcase_add_test(all, the_checksum_is_xxh3_at_every_size);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
