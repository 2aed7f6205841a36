/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cursor.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

static const uint8_t counted[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

START_TEST(integers_are_little_endian)
{
	struct reader reader = reader_of(counted, sizeof(counted));

	ck_assert_uint_eq(read_u8(&reader), 0x01);
	ck_assert_uint_eq(read_u16(&reader), 0x0302);
	ck_assert_uint_eq(read_u64(&reader), 0x0B0A090807060504);
	ck_assert_uint_eq(reader_left(&reader), 1);
	reader_seek(&reader, 2);
	ck_assert_uint_eq(read_u32(&reader), 0x06050403);
	ck_assert(!reader.failed);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
	struct rng rng = rng_of((uint64_t)_i);
	uint8_t buffer[64];
	struct writer writer = writer_of(buffer, sizeof(buffer));
	struct reader reader = reader_of(buffer, sizeof(buffer));
	uint64_t value = rng_next(&rng);
	uint8_t back[5];

	memset(buffer, 0xFF, sizeof(buffer));
	write_u64(&writer, value);
	write_u32(&writer, (uint32_t)value);
	write_u16(&writer, (uint16_t)value);
	write_u8(&writer, (uint8_t)value);
	write_bytes(&writer, counted, 5);
	write_zeros(&writer, 7);
	writer_seek(&writer, 60);
	write_u32(&writer, 0xDDCCBBAA);
	ck_assert(!writer.failed);
	ck_assert_uint_eq(writer.at, 64);

	ck_assert_uint_eq(read_u64(&reader), value);
	ck_assert_uint_eq(read_u32(&reader), (uint32_t)value);
	ck_assert_uint_eq(read_u16(&reader), (uint16_t)value);
	ck_assert_uint_eq(read_u8(&reader), (uint8_t)value);
	read_bytes(&reader, back, sizeof(back));
	ck_assert_mem_eq(back, counted, sizeof(back));
	ck_assert(read_zeros(&reader, 7));
	ck_assert_uint_eq(read_u8(&reader), 0xFF);
	reader_seek(&reader, 60);
	ck_assert_mem_eq(read_span(&reader, 4), "\xAA\xBB\xCC\xDD", 4);
	ck_assert(!reader.failed);
}
END_TEST

/* One read of every kind. */
static void read_kind(struct reader *reader, int kind)
{
	uint8_t bytes[8] = {9, 9, 9, 9, 9, 9, 9, 9};

	switch (kind) {
	case 0:
		ck_assert_uint_eq(read_u8(reader), 0);
		break;
	case 1:
		ck_assert_uint_eq(read_u16(reader), 0);
		break;
	case 2:
		ck_assert_uint_eq(read_u32(reader), 0);
		break;
	case 3:
		ck_assert_uint_eq(read_u64(reader), 0);
		break;
	case 4:
		read_bytes(reader, bytes, sizeof(bytes));
		ck_assert(bytes_are_zero(bytes, sizeof(bytes)));
		break;
	case 5:
		ck_assert_ptr_null(read_span(reader, 8));
		break;
	case 6:
		ck_assert(!read_zeros(reader, 8));
		break;
	default:
		reader_seek(reader, 13);
	}
}
enum { READ_KINDS = 8 };

START_TEST(a_read_past_the_end_fails_for_good)
{
	/* Bytes left by which each kind of read is short by one. */
	static const size_t left[READ_KINDS] = {0, 1, 3, 7, 7, 7, 7, 7};
	struct reader reader = reader_of(counted, sizeof(counted));

	reader_seek(&reader, sizeof(counted) - left[_i]);
	ck_assert_uint_eq(reader_left(&reader), left[_i]);
	read_kind(&reader, _i);
	ck_assert(reader.failed);
	ck_assert_uint_eq(reader_left(&reader), 0);
	/* Sticky: what would fit now fails as well. */
	reader_seek(&reader, 0);
	for (int kind = 0; kind < READ_KINDS; kind++)
		read_kind(&reader, kind);
	ck_assert_ptr_null(read_span(&reader, 0));
	ck_assert(reader.failed);
}
END_TEST

START_TEST(sizes_that_would_wrap_do_not)
{
	struct reader reader = reader_of(counted, sizeof(counted));

	reader_seek(&reader, 4);
	ck_assert_ptr_null(read_span(&reader, SIZE_MAX));
	ck_assert(reader.failed);
	reader = reader_of(counted, sizeof(counted));
	reader_seek(&reader, 4);
	ck_assert_ptr_null(read_span(&reader, SIZE_MAX - 3));
	reader = reader_of(counted, sizeof(counted));
	reader_seek(&reader, SIZE_MAX);
	ck_assert(reader.failed);
}
END_TEST

START_TEST(nothing_can_be_read_from_nothing)
{
	struct reader reader = reader_of(NULL, 0);

	ck_assert_ptr_nonnull(read_span(&reader, 0));
	ck_assert(read_zeros(&reader, 0));
	read_bytes(&reader, NULL, 0);
	reader_seek(&reader, 0);
	ck_assert(!reader.failed);
	ck_assert_uint_eq(read_u8(&reader), 0);
	ck_assert(reader.failed);
}
END_TEST

START_TEST(zeros_are_consumed_also_when_they_are_not)
{
	const uint8_t bytes[] = {0, 0, 1, 2};
	struct reader reader = reader_of(bytes, sizeof(bytes));

	ck_assert(read_zeros(&reader, 2));
	ck_assert(!read_zeros(&reader, 1));
	ck_assert(!reader.failed);
	ck_assert_uint_eq(read_u8(&reader), 2);
}
END_TEST

static void write_kind(struct writer *writer, int kind)
{
	switch (kind) {
	case 0:
		write_u8(writer, 0xFF);
		break;
	case 1:
		write_u16(writer, 0xFFFF);
		break;
	case 2:
		write_u32(writer, UINT32_MAX);
		break;
	case 3:
		write_u64(writer, UINT64_MAX);
		break;
	case 4:
		write_bytes(writer, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
		break;
	case 5:
		write_zeros(writer, 8);
		break;
	default:
		writer_seek(writer, 13);
	}
}
enum { WRITE_KINDS = 7 };

START_TEST(a_write_past_the_end_changes_nothing_for_good)
{
	static const size_t left[WRITE_KINDS] = {0, 1, 3, 7, 7, 7, 7};
	uint8_t buffer[13];
	uint8_t before[13];
	struct writer writer = writer_of(buffer, 12);

	memset(buffer, 0x55, sizeof(buffer));
	memcpy(before, buffer, sizeof(buffer));
	writer_seek(&writer, 12 - left[_i]);
	ck_assert(!writer.failed);
	write_kind(&writer, _i);
	ck_assert(writer.failed);
	writer_seek(&writer, 0);
	for (int kind = 0; kind < WRITE_KINDS; kind++)
		write_kind(&writer, kind);
	ck_assert(writer.failed);
	ck_assert_mem_eq(buffer, before, sizeof(buffer));
}
END_TEST

START_TEST(nothing_can_be_written_nowhere)
{
	struct writer writer = writer_of(NULL, 0);

	write_bytes(&writer, NULL, 0);
	write_zeros(&writer, 0);
	ck_assert(!writer.failed);
	write_u8(&writer, 1);
	ck_assert(writer.failed);
}
END_TEST

START_TEST(one_byte_anywhere_is_not_zero)
{
	uint8_t bytes[200] = {0};
	size_t size = (size_t)_i;

	ck_assert(bytes_are_zero(bytes, size));
	bytes[size] = 1; /* just outside */
	ck_assert(bytes_are_zero(bytes, size));
	bytes[size] = 0;
	for (size_t i = 0; i < size; i++) {
		bytes[i] = 0x80;
		ck_assert(!bytes_are_zero(bytes, size));
		bytes[i] = 0;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tcase = tcase_create("cursor");

	tcase_add_test(tcase, integers_are_little_endian);
	tcase_add_loop_test(tcase, what_is_written_is_read_back, 0, 100);
	tcase_add_loop_test(tcase, a_read_past_the_end_fails_for_good, 0,
			    READ_KINDS);
	tcase_add_test(tcase, sizes_that_would_wrap_do_not);
	tcase_add_test(tcase, nothing_can_be_read_from_nothing);
	tcase_add_test(tcase, zeros_are_consumed_also_when_they_are_not);
	tcase_add_loop_test(tcase,
			    a_write_past_the_end_changes_nothing_for_good, 0,
			    WRITE_KINDS);
	tcase_add_test(tcase, nothing_can_be_written_nowhere);
	tcase_add_loop_test(tcase, one_byte_anywhere_is_not_zero, 0, 199);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
