/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame codec against the byte table of docs/FORMAT.md, which is written
 * out here a second time.
 */
#include "log/frame.h"

#include "base/cursor.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <xxhash.h>

#define SALT   UINT64_C(0x1122334455667788)
#define OFFSET UINT64_C(8704)

/* One row of the table for each field. */
struct fields {
	uint32_t magic;
	uint8_t type, version;
	uint16_t zero;
	uint32_t frame_bytes, payload_bytes;
	uint64_t revision, durable_revision, durable_bytes;
};

static const struct fields good = {
	.magic = 0x52464257,
	.type = 1,
	.version = 1,
	.frame_bytes = 64,
	.payload_bytes = 11,
	.revision = 7,
	.durable_revision = 6,
	.durable_bytes = 8192,
};

/* The header, and the checksum over whatever payload stands there. */
static void put_fields(uint8_t *bytes, const struct fields *fields,
		       size_t checked_bytes)
{
	struct writer writer = writer_of(bytes, 48);
	uint64_t seed = SALT + OFFSET * UINT64_C(0x9E3779B97F4A7C15);

	write_u64(&writer, 0);
	write_u32(&writer, fields->magic);
	write_u8(&writer, fields->type);
	write_u8(&writer, fields->version);
	write_u16(&writer, fields->zero);
	write_u32(&writer, fields->frame_bytes);
	write_u32(&writer, fields->payload_bytes);
	write_u64(&writer, fields->revision);
	write_u64(&writer, fields->durable_revision);
	write_u64(&writer, fields->durable_bytes);
	ck_assert_uint_eq(writer.at, 48);
	writer_seek(&writer, 0);
	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + 8, checked_bytes - 8, seed));
}

static void put_good(uint8_t bytes[64])
{
	memset(bytes, 0, 64);
	memcpy(bytes + 48, "the payload", 11);
	put_fields(bytes, &good, 64);
}

static enum wb_error decode(const uint8_t *bytes, size_t size)
{
	struct frame frame;

	return frame_decode(bytes, size, SALT, OFFSET, &frame);
}

START_TEST(a_frame_has_the_bytes_of_the_table)
{
	uint8_t expected[64], bytes[64] = {0};
	struct frame frame = {
		.type = FRAME_COMMIT,
		.frame_bytes = 64,
		.payload_bytes = 11,
		.revision = 7,
		.durable_revision = 6,
		.durable_bytes = 8192,
	};

	put_good(expected);
	memcpy(bytes + 48, "the payload", 11);
	frame_seal(bytes, &frame, SALT, OFFSET);
	ck_assert_mem_eq(bytes, expected, 64);
}
END_TEST

START_TEST(what_was_sealed_is_decoded)
{
	uint8_t bytes[64];
	struct frame frame;

	put_good(bytes);
	ck_ok(frame_decode(bytes, 64, SALT, OFFSET, &frame));
	ck_assert_uint_eq(frame.type, FRAME_COMMIT);
	ck_assert_uint_eq(frame.frame_bytes, 64);
	ck_assert_uint_eq(frame.payload_bytes, 11);
	ck_assert_uint_eq(frame.revision, 7);
	ck_assert_uint_eq(frame.durable_revision, 6);
	ck_assert_uint_eq(frame.durable_bytes, 8192);
	ck_assert_ptr_eq(frame.payload, bytes + 48);
	ck_assert(frame_peek(bytes, 48, &frame));
	ck_assert_uint_eq(frame.frame_bytes, 64);
	ck_assert_uint_eq(frame.durable_bytes, 8192);
	ck_assert_ptr_null(frame.payload);
	ck_ok(frame_parse(bytes, 64, &frame));
	ck_assert_ptr_eq(frame.payload, bytes + 48);
}
END_TEST

START_TEST(a_frame_verifies_in_its_place_only)
{
	uint8_t bytes[64];
	struct frame frame;

	put_good(bytes);
	for (unsigned bit = 0; bit < 64; bit++)
		ck_error(frame_decode(bytes, 64, SALT ^ UINT64_C(1) << bit,
				      OFFSET, &frame),
			 WB_CORRUPT);
	for (uint64_t offset = 0; offset < 4 * OFFSET; offset += 8)
		ck_error(frame_decode(bytes, 64, SALT, offset, &frame),
			 offset == OFFSET ? WB_OK : WB_CORRUPT);
}
END_TEST

START_TEST(every_flipped_bit_is_seen)
{
	uint8_t bytes[64];
	unsigned bit;

	put_good(bytes);
	for (bit = 0; bit < 64 * 8; bit++) {
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
		ck_assert_msg(decode(bytes, 64) == WB_CORRUPT, "bit %u", bit);
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
	}
	ck_ok(decode(bytes, 64));
}
END_TEST

START_TEST(every_truncation_is_seen)
{
	struct frame frame;
	uint8_t bytes[64];
	size_t size;

	put_good(bytes);
	for (size = 0; size < 64; size++) {
		/* Of exactly that size, for the address sanitizer. */
		uint8_t *part = malloc(size ? size : 1);

		ck_assert_ptr_nonnull(part);
		memcpy(part, bytes, size);
		ck_assert_msg(decode(part, size) == WB_CORRUPT, "%zu", size);
		ck_assert_int_eq(frame_peek(part, size, &frame), size >= 48);
		free(part);
	}
}
END_TEST

/* Each differs from a good frame in what its name says, and its checksum
 * holds. */
static const struct {
	const char *name;
	uint8_t type, version;
	uint16_t zero;
	uint32_t frame_bytes, payload_bytes;
	enum wb_error expected;
} rules[] = {
	{"commit", 1, 1, 0, 64, 11, WB_OK},
	{"empty commit", 1, 1, 0, 48, 0, WB_OK},
	{"mark", 2, 1, 0, 48, 0, WB_OK},
	{"padded mark", 2, 1, 0, 512, 0, WB_OK},
	{"mark with payload", 2, 1, 0, 56, 1, WB_CORRUPT},
	{"close", 3, 1, 0, 48, 0, WB_OK},
	{"close with payload", 3, 1, 0, 56, 8, WB_CORRUPT},
	{"footer", 4, 1, 0, 128, 80, WB_OK},
	{"records", 5, 1, 0, 64, 16, WB_OK},
	{"type zero", 0, 1, 0, 64, 11, WB_CORRUPT},
	{"next type", 6, 1, 0, 64, 11, WB_UNSUPPORTED},
	{"highest type", 255, 1, 0, 64, 11, WB_UNSUPPORTED},
	{"next version", 1, 2, 0, 64, 11, WB_UNSUPPORTED},
	{"version zero", 1, 0, 0, 64, 11, WB_UNSUPPORTED},
	{"type and version unknown", 9, 9, 0, 64, 11, WB_UNSUPPORTED},
	{"reserved bytes", 1, 1, 1, 64, 11, WB_CORRUPT},
	{"reserved bytes, high", 1, 1, 0x8000, 64, 11, WB_CORRUPT},
	{"not a multiple of 8", 1, 1, 0, 60, 11, WB_CORRUPT},
	{"padding of 519", 1, 1, 0, 568, 1, WB_OK},
	{"padding of 520", 1, 1, 0, 568, 0, WB_CORRUPT},
	{"padding of 527", 1, 1, 0, 576, 1, WB_CORRUPT},
	{"payload one too long", 1, 1, 0, 64, 17, WB_CORRUPT},
	{"payload of all there is", 1, 1, 0, 64, 64, WB_CORRUPT},
	{"payload wraps", 1, 1, 0, 40, 0xfffffff8, WB_CORRUPT},
	{"frame shorter than its header", 1, 1, 0, 40, 0, WB_CORRUPT},
	{"frame of nothing", 1, 1, 0, 0, 0, WB_CORRUPT},
	{"longer than what is there", 1, 1, 0, 1032, 976, WB_CORRUPT},
};

START_TEST(rules_hold_where_the_checksum_does)
{
	struct fields fields = good;
	uint8_t bytes[1024];
	size_t checked;

	for (size_t at = 0; at < sizeof(rules) / sizeof(rules[0]); at++) {
		fields.type = rules[at].type;
		fields.version = rules[at].version;
		fields.zero = rules[at].zero;
		fields.frame_bytes = rules[at].frame_bytes;
		fields.payload_bytes = rules[at].payload_bytes;
		checked = fields.frame_bytes;
		if (checked < 48)
			checked = 48;
		if (checked > sizeof(bytes))
			checked = sizeof(bytes);
		memset(bytes, 0, sizeof(bytes));
		put_fields(bytes, &fields, checked);
		ck_assert_msg(decode(bytes, sizeof(bytes)) ==
				      rules[at].expected,
			      "%s: %s", rules[at].name,
			      wb_error_code(decode(bytes, sizeof(bytes))));
	}
}
END_TEST

START_TEST(padding_is_zero)
{
	uint8_t bytes[64];

	for (size_t at = 48 + 11; at < 64; at++) {
		put_good(bytes);
		bytes[at] = 1;
		put_fields(bytes, &good, 64);
		ck_error(decode(bytes, 64), WB_CORRUPT);
	}
}
END_TEST

START_TEST(payloads_are_bounded)
{
	static const struct {
		uint8_t type;
		uint32_t payload_bytes;
		enum wb_error expected;
	} bounds[] = {
		{1, (16u << 20) + (64u << 10), WB_OK},
		{1, (16u << 20) + (64u << 10) + 1, WB_CORRUPT},
		{5, (16u << 20) + (64u << 10), WB_OK},
		{5, (16u << 20) + (64u << 10) + 1, WB_CORRUPT},
		{200, (16u << 20) + (64u << 10), WB_UNSUPPORTED},
		{200, (16u << 20) + (64u << 10) + 1, WB_CORRUPT},
		{4, 128u << 20, WB_OK},
		{4, (128u << 20) + 1, WB_CORRUPT},
	};
	size_t capacity = 48 + (128u << 20) + 8;
	uint8_t *bytes = calloc(1, capacity);
	struct fields fields = good;
	struct frame frame;

	ck_assert_ptr_nonnull(bytes);
	for (size_t at = 0; at < sizeof(bounds) / sizeof(bounds[0]); at++) {
		fields.type = bounds[at].type;
		fields.payload_bytes = bounds[at].payload_bytes;
		fields.frame_bytes = (fields.payload_bytes + 48 + 7) & ~7u;
		put_fields(bytes, &fields, fields.frame_bytes);
		ck_assert_msg(decode(bytes, capacity) == bounds[at].expected,
			      "row %zu", at);
		if (bounds[at].expected == WB_CORRUPT)
			ck_assert(!frame_peek(bytes, 48, &frame));
	}
	free(bytes);
}
END_TEST

START_TEST(random_frames_come_back)
{
	for (uint64_t seed = 1; seed <= 2000; seed++) {
		struct rng rng = rng_of(seed);
		uint32_t payload_bytes = 1 + (uint32_t)rng_below(&rng, 3000);
		uint32_t padding = (uint32_t)rng_below(&rng, 64) * 8;
		uint64_t offset = rng_below(&rng, 1 << 20) * 8;
		uint64_t salt = rng_next(&rng);
		struct frame back,
			frame = {
				.type = FRAME_COMMIT,
				.frame_bytes =
					frame_size(payload_bytes) + padding,
				.payload_bytes = payload_bytes,
				.revision = rng_next(&rng),
				.durable_revision = rng_next(&rng),
				.durable_bytes = rng_next(&rng),
			};
		uint8_t *bytes = calloc(1, frame.frame_bytes);

		ck_assert_ptr_nonnull(bytes);
		rng_fill(&rng, bytes + 48, payload_bytes);
		frame_seal(bytes, &frame, salt, offset);
		ck_assert_msg(frame_decode(bytes, frame.frame_bytes, salt,
					   offset, &back) == WB_OK,
			      "seed %" PRIu64, seed);
		frame.payload = bytes + 48;
		ck_assert_msg(back.frame_bytes == frame.frame_bytes &&
				      back.payload_bytes == payload_bytes &&
				      back.revision == frame.revision &&
				      back.durable_revision ==
					      frame.durable_revision &&
				      back.durable_bytes ==
					      frame.durable_bytes &&
				      back.payload == frame.payload,
			      "seed %" PRIu64, seed);
		free(bytes);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tests = tcase_create("frame");

	tcase_add_test(tests, a_frame_has_the_bytes_of_the_table);
	tcase_add_test(tests, what_was_sealed_is_decoded);
	tcase_add_test(tests, a_frame_verifies_in_its_place_only);
	tcase_add_test(tests, every_flipped_bit_is_seen);
	tcase_add_test(tests, every_truncation_is_seen);
	tcase_add_test(tests, rules_hold_where_the_checksum_does);
	tcase_add_test(tests, padding_is_zero);
	tcase_add_test(tests, payloads_are_bounded);
	tcase_add_test(tests, random_frames_come_back);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
