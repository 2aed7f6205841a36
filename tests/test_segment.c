/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment's name, header and footer against the tables of docs/FORMAT.md.
 */
#include "log/segment.h"

#include "base/cursor.h"
#include "log/frame.h"
#include "tests/support/rng.h"
#include "tests/support/simdisk.h"
#include "tests/support/simenv.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

/* ---- names ---- */

static const struct {
	const char *name;
	uint64_t id;
	enum segment_kind kind; /* 0: not a segment's name */
} names[] = {
	{"0000000000000001.log", 1, SEGMENT_LOG},
	{"00000000000000ff.base", 255, SEGMENT_BASE},
	{"ffffffffffffffff.horizon", UINT64_MAX, SEGMENT_HORIZON},
	{"0123456789abcdef.log", 0x0123456789abcdef, SEGMENT_LOG},
	{"0123456789ABCDEF.log", 0, 0},
	{"000000000000001.log", 0, 0},
	{"00000000000000001.log", 0, 0},
	{"0000000000000001", 0, 0},
	{"0000000000000001.", 0, 0},
	{"0000000000000001.lo", 0, 0},
	{"0000000000000001.log.bak", 0, 0},
	{"0000000000000001.torn", 0, 0},
	{" 000000000000001.log", 0, 0},
	{"-000000000000001.log", 0, 0},
	{"0x00000000000001.log", 0, 0},
	{"anchor", 0, 0},
	{"", 0, 0},
};

START_TEST(names_are_16_digits_and_a_kind)
{
	for (size_t at = 0; at < sizeof(names) / sizeof(names[0]); at++) {
		bool expected = names[at].kind != 0;
		char name[SEGMENT_NAME_SIZE];
		enum segment_kind kind = 0;
		uint64_t id = 0;

		ck_assert_msg(segment_name_parse(names[at].name, &id, &kind) ==
				      expected,
			      "%s", names[at].name);
		if (!expected)
			continue;
		ck_assert_uint_eq(id, names[at].id);
		ck_assert_int_eq(kind, names[at].kind);
		segment_name(id, kind, name);
		ck_assert_str_eq(name, names[at].name);
	}
}
END_TEST

/* ---- the header ---- */

static struct segment_header draw_header(struct rng *rng)
{
	struct segment_header header = {
		.kind = 1 + (uint32_t)rng_below(rng, 3),
		.ro_compat = rng_next(rng),
		.epoch = rng_next(rng),
		.id = rng_next(rng) | 1,
		.generation = rng_next(rng),
		.first_revision = rng_next(rng),
		.last_revision = rng_next(rng),
		.as_of = rng_next(rng),
		.salt = rng_next(rng),
		.previous_id = rng_next(rng),
		.previous_bytes = rng_next(rng),
		.previous_revision = rng_next(rng),
		.previous_epoch = rng_next(rng),
		.created_ns = (int64_t)rng_next(rng),
	};

	rng_fill(rng, header.uuid, sizeof(header.uuid));
	rng_fill(rng, header.previous_chain, sizeof(header.previous_chain));
	return header;
}

static void put_checksum(uint8_t *bytes, unsigned copy)
{
	struct writer writer = writer_of(bytes, 8);

	write_u64(&writer,
		  XXH3_64bits_withSeed(bytes + 8, 4096 - 8, copy * 4096));
}

/* The table, offset by offset. */
static void put_header(const struct segment_header *header, unsigned copy,
		       uint8_t bytes[4096])
{
	struct writer writer = writer_of(bytes, 4096);
	const struct {
		size_t offset;
		uint64_t value;
	} fields[] = {
		{24, header->incompat},
		{32, header->ro_compat},
		{56, header->epoch},
		{64, header->id},
		{72, header->generation},
		{80, header->first_revision},
		{88, header->last_revision},
		{96, header->as_of},
		{104, header->salt},
		{112, header->previous_id},
		{120, header->previous_bytes},
		{128, header->previous_revision},
		{136, header->previous_epoch},
		{176, (uint64_t)header->created_ns},
	};

	memset(bytes, 0, 4096);
	memcpy(bytes + 8, "WAYBSEG1", 8);
	writer_seek(&writer, 16);
	write_u32(&writer, 1);
	write_u32(&writer, header->kind);
	for (size_t at = 0; at < sizeof(fields) / sizeof(fields[0]); at++) {
		writer_seek(&writer, fields[at].offset);
		write_u64(&writer, fields[at].value);
	}
	memcpy(bytes + 40, header->uuid, 16);
	memcpy(bytes + 144, header->previous_chain, 32);
	put_checksum(bytes, copy);
}

static bool same_header(const struct segment_header *a,
			const struct segment_header *b)
{
	uint8_t x[4096], y[4096];

	put_header(a, 0, x);
	put_header(b, 0, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

START_TEST(a_header_has_the_bytes_of_the_table)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct rng rng = rng_of(seed);
		struct segment_header back, header = draw_header(&rng);
		uint8_t expected[4096], bytes[4096];

		for (unsigned copy = 0; copy < 2; copy++) {
			put_header(&header, copy, expected);
			segment_header_encode(&header, copy, bytes);
			ck_assert_mem_eq(bytes, expected, sizeof(bytes));
			ck_ok(segment_header_decode(bytes, copy, &back));
			ck_assert_msg(same_header(&back, &header),
				      "seed %" PRIu64, seed);
			ck_error(segment_header_decode(bytes, !copy, &back),
				 WB_CORRUPT);
		}
	}
}
END_TEST

START_TEST(every_flipped_bit_of_a_header_is_seen)
{
	struct rng rng = rng_of(5);
	struct segment_header back, header = draw_header(&rng);
	uint8_t bytes[4096];

	segment_header_encode(&header, 1, bytes);
	for (unsigned bit = 0; bit < 4096 * 8; bit++) {
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
		ck_assert_msg(segment_header_decode(bytes, 1, &back) ==
				      WB_CORRUPT,
			      "bit %u", bit);
		bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ 1u << bit % 8);
	}
}
END_TEST

/* A byte that differs from a good header's, under a checksum that holds. */
static const struct {
	const char *what;
	size_t at;
	uint8_t value;
	enum wb_error expected;
} header_rules[] = {
	{"the magic", 15, '2', WB_CORRUPT},
	{"format version 2", 16, 2, WB_UNSUPPORTED},
	{"format version 257", 17, 1, WB_UNSUPPORTED},
	{"kind 0", 20, 0, WB_CORRUPT},
	{"kind 2", 20, 2, WB_OK},
	{"kind 3", 20, 3, WB_OK},
	{"kind 4", 20, 4, WB_CORRUPT},
	{"an incompat bit", 24, 1, WB_UNSUPPORTED},
	{"a high incompat bit", 31, 128, WB_UNSUPPORTED},
	{"a ro_compat bit", 32, 1, WB_OK},
	{"id 0", 64, 0, WB_CORRUPT},
	{"the first zero byte", 184, 1, WB_CORRUPT},
	{"the last zero byte", 4095, 1, WB_CORRUPT},
};

START_TEST(rules_of_the_header_hold_where_the_checksum_does)
{
	struct segment_header back, header = {.kind = 1, .id = 1};
	uint8_t bytes[4096];

	for (size_t at = 0; at < sizeof(header_rules) / sizeof(header_rules[0]);
	     at++) {
		segment_header_encode(&header, 0, bytes);
		bytes[header_rules[at].at] = header_rules[at].value;
		put_checksum(bytes, 0);
		ck_assert_msg(segment_header_decode(bytes, 0, &back) ==
				      header_rules[at].expected,
			      "%s", header_rules[at].what);
	}
}
END_TEST

START_TEST(one_good_copy_of_the_header_is_enough)
{
	struct segment_header back, header = {.kind = 1, .id = 7};
	uint8_t bytes[8192], whole[8192];
	struct simenv env;

	for (unsigned copy = 0; copy < 2; copy++)
		segment_header_encode(&header, copy, whole + copy * 4096);
	simenv_init(&env, 1);
	ck_ok(segment_header_read(whole, 8192, "name", &env.diag, &back));
	ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), 0);
	for (unsigned bad = 1; bad < 4; bad++) {
		memcpy(bytes, whole, sizeof(bytes));
		bytes[100] = bad & 1;
		bytes[4196] = (uint8_t)(bad >> 1);
		simenv_forget(&env);
		ck_error(segment_header_read(bytes, 8192, "name", &env.diag,
					     &back),
			 bad == 3 ? WB_CORRUPT : WB_OK);
		ck_assert_uint_eq(simenv_count(&env, DIAG_WARNING), bad != 3);
		ck_assert_uint_eq(simenv_count(&env, DIAG_DAMAGE), bad == 3);
		ck_assert_uint_eq(back.id, 7);
	}
	ck_error(segment_header_read(whole, 8191, "name", &env.diag, &back),
		 WB_CORRUPT);
	/* Two good copies that differ are not those of one write. */
	header.id = 8;
	segment_header_encode(&header, 1, whole + 4096);
	ck_error(segment_header_read(whole, 8192, "name", &env.diag, &back),
		 WB_CORRUPT);
	simenv_release(&env);
}
END_TEST

START_TEST(a_header_is_written_twice)
{
	struct segment_header back, header = {.kind = 1, .id = 7};
	struct simdisk *disk = simdisk_new();
	struct dir *dir = simdisk_dir(disk);
	uint8_t bytes[8192];
	struct file *file;

	ck_ok(dir_open(dir, "x", FILE_CREATE, &file));
	ck_ok(segment_header_write(file, &header));
	file_close(file);
	ck_assert_uint_eq(simdisk_size(disk, "x"), 8192);
	simdisk_get(disk, "x", bytes, sizeof(bytes), 0);
	ck_ok(segment_header_decode(bytes, 0, &back));
	ck_ok(segment_header_decode(bytes + 4096, 1, &back));
	dir_close(dir);
	simdisk_free(disk);
}
END_TEST

/* ---- the footer ---- */

static const struct log_entry entries_good[] = {
	{.hash = 5, .mutation = 0, .revision = 11, .offset = 8192},
	{.hash = 5, .mutation = 1, .revision = 11, .offset = 8192},
	{.hash = 5, .mutation = 0, .revision = 12, .offset = 8704},
	{.hash = 9, .mutation = 2, .revision = 10, .offset = 8200},
};

static const struct footer footer_good = {
	.first_revision = 10,
	.last_revision = 12,
	.commits = 3,
	.time_min_ns = -5,
	.time_max_ns = 77,
	.chain = {1, 2, 3},
	.entry_count = 4,
};

#define FOOTER_BYTES (80 + 4 * 16)

/* The table, offset by offset. */
static void put_footer(uint8_t bytes[FOOTER_BYTES], const struct footer *footer,
		       const struct log_entry *entries)
{
	struct writer writer = writer_of(bytes, FOOTER_BYTES);

	write_u64(&writer, footer->first_revision);
	write_u64(&writer, footer->last_revision);
	write_u64(&writer, footer->commits);
	write_u64(&writer, (uint64_t)footer->time_min_ns);
	write_u64(&writer, (uint64_t)footer->time_max_ns);
	write_bytes(&writer, footer->chain, 32);
	ck_assert_uint_eq(writer.at, 72);
	write_u64(&writer, footer->entry_count);
	for (size_t at = 0; at < 4; at++) {
		write_u32(&writer, entries[at].hash);
		write_u32(&writer, (uint32_t)(entries[at].offset / 8));
		write_u32(&writer, (uint32_t)(entries[at].revision -
					      footer->first_revision));
		write_u32(&writer, entries[at].mutation);
	}
	ck_assert(!writer.failed);
}

/* The same in the order of the log. */
static const unsigned committed[] = {3, 0, 1, 2};

START_TEST(a_footer_has_the_bytes_of_the_table_and_is_sorted)
{
	uint8_t expected[FOOTER_BYTES], bytes[FOOTER_BYTES];
	struct entries entries;
	struct footer back;

	put_footer(expected, &footer_good, entries_good);
	entries_begin(&entries, footer_good.first_revision);
	ck_ok(entries_reserve(&entries, 4));
	for (unsigned at = 0; at < 4; at++)
		entries_add(&entries, &entries_good[committed[at]], 1, 0);
	ck_assert_uint_eq(footer_size(4), FOOTER_BYTES);
	ck_ok(footer_encode(&footer_good, &entries, bytes));
	ck_assert_mem_eq(bytes, expected, FOOTER_BYTES);
	entries_release(&entries);
	ck_ok(footer_decode(bytes, FOOTER_BYTES, &back));
	ck_assert_uint_eq(back.first_revision, 10);
	ck_assert_uint_eq(back.last_revision, 12);
	ck_assert_uint_eq(back.commits, 3);
	ck_assert_int_eq(back.time_min_ns, -5);
	ck_assert_int_eq(back.time_max_ns, 77);
	ck_assert_mem_eq(back.chain, footer_good.chain, 32);
	ck_assert_uint_eq(back.entry_count, 4);
	for (unsigned at = 0; at < 4; at++) {
		struct log_entry entry = footer_entry(bytes, &back, at);

		ck_assert_uint_eq(entry.hash, entries_good[at].hash);
		ck_assert_uint_eq(entry.offset, entries_good[at].offset);
		ck_assert_uint_eq(entry.revision, entries_good[at].revision);
		ck_assert_uint_eq(entry.mutation, entries_good[at].mutation);
	}
}
END_TEST

/* A 64-bit or 32-bit field that differs from a good footer's. */
static const struct {
	const char *what;
	size_t at, size;
	uint64_t value;
} footer_rules[] = {
	{"a first revision of its own", 0, 8, 9},
	{"first above last", 0, 8, 13},
	{"last above the commits", 8, 8, 13},
	{"too many commits", 16, 8, 4},
	{"no commits", 16, 8, 0},
	{"too many entries", 72, 8, 5},
	{"too few entries", 72, 8, 3},
	{"no entries", 72, 8, 0},
	{"entries that wrap", 72, 8, UINT64_MAX / 16 + 5},
	{"all the entries there can be", 72, 8, UINT64_MAX},
	{"a frame in the header", 84, 4, 1023},
	{"a revision behind the last", 88, 4, 3},
	{"a mutation that no commit has", 92, 4, 65536},
	{"hashes out of order", 80, 4, 6},
	{"revisions out of order", 88, 4, 2},
	{"mutations out of order", 92, 4, 2},
	{"an entry twice", 92, 4, 1},
};

START_TEST(rules_of_the_footer_hold)
{
	uint8_t bytes[FOOTER_BYTES];
	struct footer back;

	for (size_t at = 0; at < sizeof(footer_rules) / sizeof(footer_rules[0]);
	     at++) {
		struct writer writer = writer_of(bytes, sizeof(bytes));

		put_footer(bytes, &footer_good, entries_good);
		writer_seek(&writer, footer_rules[at].at);
		if (footer_rules[at].size == 8)
			write_u64(&writer, footer_rules[at].value);
		else
			write_u32(&writer, (uint32_t)footer_rules[at].value);
		ck_assert_msg(footer_decode(bytes, sizeof(bytes), &back) ==
				      WB_CORRUPT,
			      "%s", footer_rules[at].what);
	}
}
END_TEST

/* Counted from the first one, they must not begin again at 0. */
START_TEST(the_revisions_of_a_footer_do_not_wrap)
{
	struct footer back, footer = footer_good;
	struct log_entry entries[4];
	uint8_t bytes[FOOTER_BYTES];

	footer.first_revision = UINT64_MAX - 2;
	footer.last_revision = UINT64_MAX;
	for (uint64_t off = 2; off < 4; off++) {
		memcpy(entries, entries_good, sizeof(entries));
		for (unsigned at = 0; at < 4; at++)
			entries[at].revision += footer.first_revision - 10;
		entries[3].revision = footer.first_revision + off;
		put_footer(bytes, &footer, entries);
		ck_error(footer_decode(bytes, FOOTER_BYTES, &back),
			 off == 2 ? WB_OK : WB_CORRUPT);
	}
}
END_TEST

START_TEST(a_footer_of_any_other_size_is_refused)
{
	uint8_t whole[FOOTER_BYTES + 16] = {0};
	struct footer back;

	put_footer(whole, &footer_good, entries_good);
	for (size_t size = 0; size <= sizeof(whole); size++) {
		uint8_t *bytes = malloc(size ? size : 1);

		ck_assert_ptr_nonnull(bytes);
		memcpy(bytes, whole, size);
		ck_assert_msg((footer_decode(bytes, size, &back) == WB_OK) ==
				      (size == FOOTER_BYTES),
			      "%zu", size);
		free(bytes);
	}
}
END_TEST

START_TEST(a_footer_without_commits_is_all_zero_but_its_chain)
{
	const struct entries none = {.count = 0};
	struct footer back, footer = {.chain = {9}};
	uint8_t bytes[80], expected[80] = {0};

	expected[40] = 9;
	ck_ok(footer_encode(&footer, &none, bytes));
	ck_assert_mem_eq(bytes, expected, sizeof(bytes));
	ck_ok(footer_decode(bytes, sizeof(bytes), &back));
	ck_assert_uint_eq(back.commits, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("segment");
	TCase *tests = tcase_create("segment");

	tcase_add_test(tests, names_are_16_digits_and_a_kind);
	tcase_add_test(tests, a_header_has_the_bytes_of_the_table);
	tcase_add_test(tests, every_flipped_bit_of_a_header_is_seen);
	tcase_add_test(tests, rules_of_the_header_hold_where_the_checksum_does);
	tcase_add_test(tests, one_good_copy_of_the_header_is_enough);
	tcase_add_test(tests, a_header_is_written_twice);
	tcase_add_test(tests,
		       a_footer_has_the_bytes_of_the_table_and_is_sorted);
	tcase_add_test(tests, rules_of_the_footer_hold);
	tcase_add_test(tests, the_revisions_of_a_footer_do_not_wrap);
	tcase_add_test(tests, a_footer_of_any_other_size_is_refused);
	tcase_add_test(tests,
		       a_footer_without_commits_is_all_zero_but_its_chain);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
