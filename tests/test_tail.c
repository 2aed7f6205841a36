/* SPDX-License-Identifier: Apache-2.0
 *
 * The search behind the end of the newest segment: what is proof, what is not
 * even looked at, and what it costs where somebody's value is made of frames.
 */
#include "log/tail.h"

#include "base/cursor.h"
#include "tests/support/suite.h"

#include <string.h>

enum {
	SALT = 99,
	FILE_BYTES = 1 << 20,
	END = SEGMENT_FRAMES_AT + 1024,
	HEAD = 20,
	/* Of a torn commit. */
	TORN_BYTES = 600 << 10,
	FAKES_AT = END + 512,
};

static uint8_t *bytes; /* a whole file */
static struct tail tail;
static struct tail_proof proof;

static void set_up(void)
{
	bytes = calloc(1, FILE_BYTES);
	ck_assert_ptr_nonnull(bytes);
	tail = (struct tail){
		.bytes = bytes,
		.size = FILE_BYTES,
		.salt = SALT,
		.end = END,
		.head = HEAD,
		.debris_end = FILE_BYTES,
	};
}

static void tear_down(void)
{
	free(bytes);
}

static void run(void)
{
	ck_ok(tail_search(&tail, &proof));
	ck_assert_uint_le(proof.hashed, TAIL_HASH_TIMES * (uint64_t)FILE_BYTES);
}

static void expect_nothing(void)
{
	run();
	ck_assert_uint_eq(proof.durable_bytes, 0);
	ck_assert_uint_eq(proof.durable_revision, 0);
	ck_assert(!proof.unknown);
}

/* ---- frames ---- */

/* The second commit behind the end, which says that the first was durable. */
static const struct frame witness = {
	.type = FRAME_COMMIT,
	.frame_bytes = 512,
	.payload_bytes = 100,
	.revision = HEAD + 2,
	.durable_revision = HEAD + 1,
	.durable_bytes = END + 512,
};

static void put(const struct frame *frame, uint64_t at)
{
	frame_seal(bytes + at, frame, SALT, at);
}

/* ---- proof ---- */

START_TEST(a_frame_that_knew_of_more_is_proof_wherever_it_stands)
{
	for (uint64_t at = END + 512; at < END + 4096; at += FRAME_ALIGN) {
		put(&witness, at);
		run();
		ck_assert_uint_eq(proof.durable_bytes, END + 512);
		ck_assert_uint_eq(proof.durable_revision, HEAD + 1);
		ck_assert(!proof.unknown);
		ck_assert_uint_eq(proof.hashed, 512);
		memset(bytes + at, 0, FRAME_HEADER_BYTES);
	}
	expect_nothing();
}
END_TEST

START_TEST(a_mark_is_proof_without_a_revision_of_its_own)
{
	const struct frame mark = {
		.type = FRAME_MARK,
		.frame_bytes = 48,
		.revision = HEAD,
		.durable_revision = HEAD,
		.durable_bytes = END + 8,
	};

	put(&mark, END + 8);
	run();
	ck_assert_uint_eq(proof.durable_bytes, END + 8);
}
END_TEST

START_TEST(the_first_proof_is_enough)
{
	put(&witness, END + 4096);
	put(&witness, END + 8192);
	run();
	ck_assert_uint_eq(proof.hashed, 512);
	/* A frame that does not verify costs its own size and no more. */
	bytes[END + 4096 + 200] ^= 1;
	run();
	ck_assert_uint_eq(proof.durable_bytes, END + 512);
	ck_assert_uint_eq(proof.hashed, 1024);
}
END_TEST

START_TEST(nothing_is_looked_for_behind_the_last_byte)
{
	put(&witness, END + 4096);
	tail.debris_end = END + 4096;
	expect_nothing();
	ck_assert_uint_eq(proof.hashed, 0);
	tail.debris_end = tail.end;
	expect_nothing();
}
END_TEST

START_TEST(proof_by_a_newer_version_refuses)
{
	struct frame newer = witness;

	newer.type = FRAME_RECORDS + 1;
	put(&newer, END + 4096);
	ck_error(tail_search(&tail, &proof), WB_UNSUPPORTED);
}
END_TEST

/* ---- what is not even hashed ---- */

enum { AT = END + 4096, ROOM = 4096 / FRAME_HEADER_BYTES + 1 };

/* Each differs from the witness in what its name says. */
static const struct {
	const char *name;
	struct frame frame;
	bool looked_at;
} rows[] = {
	{"good", {1, 512, 100, 22, 21, END + 512, NULL}, true},
	{"of its own group", {1, 512, 100, 22, 21, AT, NULL}, true},
	{"later", {1, 512, 100, HEAD + ROOM, 21, AT, NULL}, true},
	{"by revision alone", {1, 512, 100, 22, 21, 8192, NULL}, true},
	{"close", {3, 512, 0, 22, 22, AT, NULL}, true},
	{"no proof", {1, 512, 100, 22, HEAD, END, NULL}, false},
	{"records", {5, 512, 100, 22, 21, END + 512, NULL}, false},
	{"durable behind it", {1, 512, 100, 22, 21, AT + 8, NULL}, false},
	{"durable in the header", {1, 512, 100, 22, 21, 8184, NULL}, false},
	{"durable in between", {1, 512, 100, 22, 21, END + 4, NULL}, false},
	{"an old revision", {1, 512, 100, HEAD, HEAD - 1, AT, NULL}, false},
	{"an old mark", {2, 512, 0, HEAD - 1, HEAD - 1, AT, NULL}, false},
	{"too late", {1, 512, 100, HEAD + ROOM + 1, 21, AT, NULL}, false},
	{"far too late", {1, 512, 100, UINT64_MAX, 21, AT, NULL}, false},
	{"durable itself", {1, 512, 100, 22, 22, AT, NULL}, false},
	{"a mark before its time", {2, 512, 0, 22, 23, AT, NULL}, false},
};

START_TEST(only_what_could_be_proof_is_hashed)
{
	put(&rows[_i].frame, AT);
	run();
	ck_assert_msg(proof.hashed == (rows[_i].looked_at ? 512 : 0), "%s",
		      rows[_i].name);
	ck_assert_msg((proof.durable_bytes > 0) == rows[_i].looked_at, "%s",
		      rows[_i].name);
	ck_assert(!proof.unknown);
}
END_TEST

START_TEST(a_frame_must_end_inside_the_file)
{
	put(&witness, FILE_BYTES - 512);
	run();
	ck_assert_uint_gt(proof.durable_bytes, 0);
	tail.size = FILE_BYTES - 8;
	tail.debris_end = tail.size;
	expect_nothing();
	ck_assert_uint_eq(proof.hashed, 0);
}
END_TEST

/* ---- a value that is made of frames ---- */

/* A frame's header alone: its checksum is wrong. */
static void put_header(const struct frame *frame, uint64_t at)
{
	struct writer writer = writer_of(bytes + at, FRAME_HEADER_BYTES);

	write_u64(&writer, 0);
	write_u32(&writer, FRAME_MAGIC);
	write_u8(&writer, frame->type);
	write_u8(&writer, FRAME_VERSION);
	write_u16(&writer, 0);
	write_u32(&writer, frame->frame_bytes);
	write_u32(&writer, frame->payload_bytes);
	write_u64(&writer, frame->revision);
	write_u64(&writer, frame->durable_revision);
	write_u64(&writer, frame->durable_bytes);
	ck_assert(!writer.failed);
}

/* As many headers as fit, each of which claims all up to `to`, and to be
 * proof. They are some thousand times as many bytes as the file has. */
static void put_fakes(uint64_t from, uint64_t to)
{
	uint64_t claimed = 0;

	for (uint64_t at = from; at + FRAME_HEADER_BYTES <= to;
	     at += FRAME_HEADER_BYTES) {
		struct frame fake = witness;

		fake.frame_bytes = (uint32_t)(to - at);
		fake.payload_bytes = fake.frame_bytes - FRAME_HEADER_BYTES;
		fake.durable_bytes = at;
		put_header(&fake, at);
		claimed += fake.frame_bytes;
	}
	ck_assert_uint_gt(claimed, 1000 * (uint64_t)FILE_BYTES);
}

/* The commit at `end`, which was not written to its end. */
static const struct frame torn = {
	.type = FRAME_COMMIT,
	.frame_bytes = TORN_BYTES,
	.payload_bytes = TORN_BYTES - FRAME_HEADER_BYTES,
	.revision = HEAD + 1,
	.durable_revision = HEAD,
	.durable_bytes = END,
};

START_TEST(a_torn_commit_may_be_full_of_frames)
{
	put_fakes(FAKES_AT, END + TORN_BYTES);
	put_header(&torn, END);
	expect_nothing();
	/* They were tried, as far as the bound allows. */
	ck_assert_uint_gt(proof.hashed, FILE_BYTES);
}
END_TEST

/* The file was to become longer, and did not. */
START_TEST(a_torn_commit_may_reach_beyond_the_file)
{
	put_fakes(FAKES_AT, END + TORN_BYTES);
	put_header(&torn, END);
	tail.size = END + TORN_BYTES - 100000;
	tail.debris_end = tail.size;
	put_fakes(FAKES_AT, tail.size);
	expect_nothing();
}
END_TEST

/* Its first sector is not there, so nothing says that they are inside. */
START_TEST(frames_without_end_that_nothing_explains_are_unknown)
{
	put_fakes(FAKES_AT, END + TORN_BYTES);
	run();
	ck_assert(proof.unknown);
	ck_assert_uint_eq(proof.durable_bytes, 0);
	ck_assert_uint_gt(proof.hashed, FILE_BYTES);
}
END_TEST

START_TEST(proof_behind_the_torn_commit_is_found_first)
{
	put_fakes(FAKES_AT, END + TORN_BYTES);
	put_header(&torn, END);
	put(&witness, END + TORN_BYTES);
	run();
	ck_assert_uint_eq(proof.durable_bytes, END + 512);
	ck_assert_uint_eq(proof.hashed, 512);
}
END_TEST

/* The header may be one of an earlier, longer write to the same place. */
START_TEST(proof_inside_the_torn_commit_is_found_too)
{
	put_header(&torn, END);
	put(&witness, END + TORN_BYTES / 2);
	run();
	ck_assert_uint_eq(proof.durable_bytes, END + 512);
}
END_TEST

START_TEST(what_is_behind_the_torn_commit_is_not_excused_by_it)
{
	put_header(&torn, END);
	put_fakes(END + TORN_BYTES, FILE_BYTES);
	run();
	ck_assert(proof.unknown);
}
END_TEST

/* ---- which header is believed ---- */

static void expect_unknown(const struct frame *frame, const char *what)
{
	put_header(frame, END);
	run();
	ck_assert_msg(proof.unknown, "%s", what);
}

START_TEST(a_header_that_is_not_the_next_ones_explains_nothing)
{
	struct frame frame = torn;

	put_fakes(FAKES_AT, END + TORN_BYTES);
	frame.type = FRAME_FOOTER;
	expect_unknown(&frame, "type");
	frame = torn;
	frame.revision++;
	expect_unknown(&frame, "revision");
	frame = torn;
	frame.durable_revision--;
	expect_unknown(&frame, "durable revision");
	frame = torn;
	frame.durable_bytes -= 512;
	expect_unknown(&frame, "durable bytes");
	frame = torn;
	frame.payload_bytes -= 8;
	frame.frame_bytes += 8;
	expect_unknown(&frame, "sizes");
	put_header(&torn, END);
	expect_nothing();
}
END_TEST

/* The sizes that only the last commit of a group has. */
START_TEST(the_padding_of_a_group_is_part_of_it)
{
	struct frame frame = torn;

	put_fakes(FAKES_AT, END + TORN_BYTES);
	frame.payload_bytes -= 400;
	put_header(&frame, END);
	expect_nothing();
	frame.frame_bytes -= 8;
	expect_unknown(&frame, "no end of a sector");
}
END_TEST

START_TEST(a_torn_group_is_followed_over_its_commits)
{
	struct frame first = torn, second = torn;

	first.frame_bytes = 1024;
	first.payload_bytes = 1024 - FRAME_HEADER_BYTES;
	second.frame_bytes -= 1024;
	second.payload_bytes -= 1024;
	second.revision++;
	/* It began in front of the end; or there, and has two commits. */
	for (unsigned before = 0; before < 2; before++) {
		uint64_t group = before ? END - 512 : END;

		tail.in_group = before;
		tail.group_bytes = group;
		tail.group_revision = before ? HEAD - 1 : HEAD;
		first.durable_bytes = second.durable_bytes = group;
		first.durable_revision = second.durable_revision =
			tail.group_revision;
		put_fakes(END + 1536, END + TORN_BYTES);
		put_header(&first, END);
		put_header(&second, END + 1024);
		expect_nothing();
		/* A commit of another group would be proof. */
		second.durable_bytes += 512;
		put_header(&second, END + 1024);
		run();
		ck_assert(proof.unknown);
	}
	/* Without that group, the first is not the next one. */
	second.durable_bytes = first.durable_bytes;
	put_header(&second, END + 1024);
	expect_nothing();
	tail.in_group = false;
	run();
	ck_assert(proof.unknown);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_frame_that_knew_of_more_is_proof_wherever_it_stands,
		a_mark_is_proof_without_a_revision_of_its_own,
		the_first_proof_is_enough,
		nothing_is_looked_for_behind_the_last_byte,
		proof_by_a_newer_version_refuses,
		a_frame_must_end_inside_the_file,
		a_torn_commit_may_be_full_of_frames,
		a_torn_commit_may_reach_beyond_the_file,
		frames_without_end_that_nothing_explains_are_unknown,
		proof_behind_the_torn_commit_is_found_first,
		proof_inside_the_torn_commit_is_found_too,
		what_is_behind_the_torn_commit_is_not_excused_by_it,
		a_header_that_is_not_the_next_ones_explains_nothing,
		the_padding_of_a_group_is_part_of_it,
		a_torn_group_is_followed_over_its_commits,
	};
	Suite *suite = suite_create("tail");
	TCase *group = tcase_create("tail");

	tcase_add_checked_fixture(group, set_up, tear_down);
	for (size_t at = 0; at < sizeof(tests) / sizeof(tests[0]); at++)
		tcase_add_test(group, tests[at]);
	tcase_add_loop_test(group, only_what_could_be_proof_is_hashed, 0,
			    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, group);
	return suite_run(suite);
}
