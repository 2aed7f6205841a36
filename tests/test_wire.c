/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire format against examples from its documentation and against bytes
 * written by hand.
 */
#include "log/wire.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <string.h>

static const struct {
	uint64_t value;
	const char *bytes;
	size_t size;
} varints[] = {
	{1, "\x01", 1},
	{127, "\x7f", 1},
	{128, "\x80\x01", 2},
	{150, "\x96\x01", 2},
	{16383, "\xff\x7f", 2},
	{16384, "\x80\x80\x01", 3},
	{UINT32_MAX, "\xff\xff\xff\xff\x0f", 5},
	{INT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
	{UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
};

START_TEST(varints_are_those_of_the_specification)
{
	for (size_t at = 0; at < sizeof(varints) / sizeof(varints[0]); at++) {
		uint8_t bytes[16];
		struct writer writer = writer_of(bytes, sizeof(bytes));
		struct wire_field field;
		struct reader reader;

		wire_put_varint(&writer, 1, varints[at].value);
		ck_assert_uint_eq(writer.at, 1 + varints[at].size);
		ck_assert_uint_eq(bytes[0], 0x08);
		ck_assert_mem_eq(bytes + 1, varints[at].bytes,
				 varints[at].size);
		ck_assert_uint_eq(wire_varint_size(varints[at].value),
				  varints[at].size);
		ck_assert_uint_eq(wire_varint_field_size(1, varints[at].value),
				  writer.at);
		reader = reader_of(bytes, writer.at);
		ck_assert(wire_next(&reader, &field));
		ck_assert_uint_eq(field.number, 1);
		ck_assert_int_eq(field.type, WIRE_VARINT);
		ck_assert_uint_eq(field.value, varints[at].value);
		ck_assert(!wire_next(&reader, &field));
		ck_assert(!reader.failed);
	}
}
END_TEST

START_TEST(every_type_is_written_as_specified)
{
	/* 2: "testing" is the specification's example. */
	static const char expected[] =
		"\x12\x07testing\x19\x08\x07\x06\x05\x04\x03\x02\x01\x22\x00"
		"\x82\x01\x01x";
	uint8_t bytes[64];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	wire_put_bytes(&writer, 2, (struct wb_bytes){"testing", 7});
	wire_put_fixed64(&writer, 3, UINT64_C(0x0102030405060708));
	wire_put_head(&writer, 4, 0);
	wire_put_bytes(&writer, 16, (struct wb_bytes){"x", 1});
	ck_assert_uint_eq(writer.at, sizeof(expected) - 1);
	ck_assert_mem_eq(bytes, expected, sizeof(expected) - 1);
	ck_assert_uint_eq(wire_bytes_field_size(2, 7), 9);
	ck_assert_uint_eq(wire_bytes_field_size(16, 1), 4);
}
END_TEST

START_TEST(defaults_are_not_written)
{
	uint8_t bytes[8];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	wire_put_varint(&writer, 1, 0);
	wire_put_fixed64(&writer, 1, 0);
	wire_put_bytes(&writer, 1, (struct wb_bytes){NULL, 0});
	ck_assert_uint_eq(writer.at, 0);
	ck_assert_uint_eq(wire_varint_field_size(1, 0), 0);
	ck_assert_uint_eq(wire_bytes_field_size(1, 0), 0);
}
END_TEST

/* One field each; what is wrong with it. */
static const struct {
	const char *what;
	const char *bytes;
	size_t size;
	bool good;
} fields[] = {
	{"fixed32", "\x0d\x01\x02\x03\x04", 5, true},
	{"an overlong varint is one", "\x08\x81\x80\x00", 4, true},
	{"the highest number", "\xf8\xff\xff\xff\x0f\x01", 6, true},
	{"number zero", "\x00\x01", 2, false},
	{"a number too high", "\x80\x80\x80\x80\x10\x01", 6, false},
	{"no value", "\x08", 1, false},
	{"a varint that does not end", "\x08\x80", 2, false},
	{"a varint of 11 bytes",
	 "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, false},
	{"a varint of 65 bits", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
	 11, false},
	{"a short fixed64", "\x09\x01\x02\x03\x04\x05\x06\x07", 8, false},
	{"a short fixed32", "\x0d\x01\x02\x03", 4, false},
	{"bytes that are not there", "\x0a\x02x", 3, false},
	{"more bytes than can be",
	 "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, false},
	{"a group", "\x0b", 1, false},
	{"the end of a group", "\x0c", 1, false},
	{"type 6", "\x0e", 1, false},
	{"type 7", "\x0f", 1, false},
};

START_TEST(broken_fields_end_the_reading)
{
	for (size_t at = 0; at < sizeof(fields) / sizeof(fields[0]); at++) {
		struct reader reader =
			reader_of(fields[at].bytes, fields[at].size);
		struct wire_field field;

		ck_assert_msg(wire_next(&reader, &field) == fields[at].good,
			      "%s", fields[at].what);
		ck_assert_msg(reader.failed == !fields[at].good, "%s",
			      fields[at].what);
		ck_assert_msg(!wire_next(&reader, &field), "%s",
			      fields[at].what);
	}
}
END_TEST

START_TEST(random_bytes_end)
{
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct rng rng = rng_of(seed);
		size_t size = rng_below(&rng, 64), steps = 0;
		uint8_t *bytes = malloc(size + 1);
		struct reader reader;
		struct wire_field field;

		ck_assert_ptr_nonnull(bytes);
		rng_fill(&rng, bytes, size);
		reader = reader_of(bytes, size);
		while (wire_next(&reader, &field))
			steps++;
		ck_assert_uint_le(steps, size);
		ck_assert(reader.failed || reader.at == size);
		free(bytes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tests = tcase_create("wire");

	tcase_add_test(tests, varints_are_those_of_the_specification);
	tcase_add_test(tests, every_type_is_written_as_specified);
	tcase_add_test(tests, defaults_are_not_written);
	tcase_add_test(tests, broken_fields_end_the_reading);
	tcase_add_test(tests, random_bytes_end);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
