/* SPDX-License-Identifier: Apache-2.0
 *
 * A Commit's payload, built byte by byte: what is one, and what is not.
 */
#include "audit/message.h"
#include "base/cursor.h"
#include "tests/support/suite.h"

#include <string.h>

static uint8_t bytes[8 << 20];
static struct writer out;
static struct audit_message message;
static const char *why;

static void set_up(void)
{
	out = writer_of(bytes, sizeof(bytes));
	why = "";
}

static void tear_down(void)
{
	audit_message_release(&message);
}

static void varint(uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		write_u8(&out, (uint8_t)(value | 0x80));
	write_u8(&out, (uint8_t)value);
}

static void number(unsigned field, uint64_t value)
{
	varint((uint64_t)field << 3);
	varint(value);
}

static void text(unsigned field, const char *value, size_t size)
{
	varint((uint64_t)field << 3 | 2);
	varint(size);
	write_bytes(&out, value, size);
}

static void fixed(unsigned field, uint64_t value)
{
	varint((uint64_t)field << 3 | 1);
	write_u64(&out, value);
}

/* A put of kind 1, namespace "ns" and this name, of value "v". */
static void put(const char *name, size_t name_bytes)
{
	varint(8 << 3 | 2);
	/* kind 2, ns 4, name 2 or 3 and its bytes, value 3 */
	varint(2 + 4 + (name_bytes > 127 ? 3u : 2u) + name_bytes + 3);
	number(1, 1);
	text(2, "ns", 2);
	text(3, name, name_bytes);
	text(4, "v", 1);
}

static enum wb_error read_it(void)
{
	ck_assert(!out.failed);
	return audit_message_read(&message, (struct wb_bytes){bytes, out.at},
				  &why);
}

static bool is(struct wb_bytes have, const char *expected)
{
	return have.size == strlen(expected) &&
	       memcmp(have.data, expected, have.size) == 0;
}

START_TEST(every_field_is_read)
{
	const struct audit_commit *commit = &message.commit;

	number(1, 300);
	fixed(2, (uint64_t)-5);
	text(3, "\x08\xe8\x07\x10\x05\x18\x2a\x22\x02me", 11);
	text(4, "why", 3);
	text(5, "ns", 2);
	text(6, "id", 2);
	fixed(7, 99);
	put("a", 1);
	ck_ok(read_it());
	ck_assert_uint_eq(commit->revision, 300);
	ck_assert_int_eq(commit->time_ns, -5);
	ck_assert_uint_eq(commit->uid, 1000);
	ck_assert_uint_eq(commit->gid, 5);
	ck_assert_int_eq(commit->pid, 42);
	ck_assert(is(commit->command, "me"));
	ck_assert(is(commit->reason, "why"));
	ck_assert(is(commit->operation_ns, "ns"));
	ck_assert(is(commit->operation_id, "id"));
	ck_assert_uint_eq(commit->request_hash, 99);
	ck_assert_uint_eq(commit->mutation_count, 1);
	ck_assert_uint_eq(commit->mutations[0].key.kind, 1);
	ck_assert(is(commit->mutations[0].key.ns, "ns"));
	ck_assert(is(commit->mutations[0].key.name, "a"));
	ck_assert(is(commit->mutations[0].value, "v"));
	ck_assert(!commit->mutations[0].deleted);
}
END_TEST

START_TEST(unknown_fields_are_passed_over)
{
	number(1, 7);
	number(99, 5);
	fixed(98, 1);
	text(97, "later", 5);
	put("a", 1);
	ck_ok(read_it());
	ck_assert_uint_eq(message.commit.revision, 7);
}
END_TEST

START_TEST(a_later_field_replaces_an_earlier_one)
{
	number(1, 7);
	number(1, 8);
	text(3, "\x08\x05", 2);
	text(3, "\x10\x06", 2);
	put("a", 1);
	ck_ok(read_it());
	ck_assert_uint_eq(message.commit.revision, 8);
	/* A message is merged. */
	ck_assert_uint_eq(message.commit.uid, 5);
	ck_assert_uint_eq(message.commit.gid, 6);
}
END_TEST

START_TEST(so_many_mutations_and_no_more)
{
	char name[8];

	for (unsigned at = 0; at < 65536; at++) {
		snprintf(name, sizeof(name), "%05x", at);
		put(name, 5);
	}
	ck_ok(read_it());
	ck_assert_uint_eq(message.commit.mutation_count, 65536);
	put("x", 1);
	ck_error(read_it(), WB_CORRUPT);
	ck_assert_str_eq(why, "too many mutations");
}
END_TEST

START_TEST(a_name_of_4096_bytes_and_no_longer)
{
	static char name[4097];

	memset(name, 'n', sizeof(name));
	put(name, 4096);
	ck_ok(read_it());
	set_up();
	put(name, 4097);
	ck_error(read_it(), WB_CORRUPT);
	ck_assert_str_eq(why, "a name that is too long");
}
END_TEST

START_TEST(the_texts_of_a_commit_are_bounded)
{
	static const struct {
		unsigned field;
		size_t most;
		const char *why;
	} bounds[] = {
		{4, 4096, "a reason that is too long"},
		{5, 76, "an operation's namespace that is too long"},
		{6, 128, "an operation id that is too long"},
	};
	static char longest[4098];
	char command[67] = "\x22\x40";

	memset(longest, 't', sizeof(longest));
	for (size_t at = 0; at < sizeof(bounds) / sizeof(*bounds); at++) {
		set_up();
		put("a", 1);
		text(bounds[at].field, longest, bounds[at].most);
		ck_ok(read_it());
		text(bounds[at].field, longest, bounds[at].most + 1);
		ck_error(read_it(), WB_CORRUPT);
		ck_assert_str_eq(why, bounds[at].why);
	}
	/* The command is field 4 of the actor: 64 bytes, and one more. */
	memset(command + 2, 'c', 65);
	set_up();
	put("a", 1);
	text(3, command, 2 + 64);
	ck_ok(read_it());
	command[1]++;
	text(3, command, 2 + 65);
	ck_error(read_it(), WB_CORRUPT);
	ck_assert_str_eq(why, "a command that is too long");
}
END_TEST

START_TEST(a_cut_off_payload_is_no_commit)
{
	size_t whole;

	number(1, 300);
	fixed(2, 5);
	put("a", 1);
	whole = out.at;
	ck_ok(read_it());
	for (size_t size = 0; size < whole; size++) {
		out.at = size;
		ck_error(read_it(), WB_CORRUPT);
	}
}
END_TEST

static const struct {
	const char *payload;
	size_t size;
	const char *why;
} broken[] = {
#define BROKEN(payload, why)                      \
	{                                         \
		payload, sizeof(payload) - 1, why \
	}
	BROKEN("", "a commit without a mutation"),
	BROKEN("\x08\x01", "a commit without a mutation"),
	/* a group; field 0; a varint of eleven bytes; a wrong wire type */
	BROKEN("\x0b", "a payload that is no Commit"),
	BROKEN("\x00\x01", "a payload that is no Commit"),
	BROKEN("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	       "a payload that is no Commit"),
	BROKEN("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
	       "a payload that is no Commit"),
	BROKEN("\x0a\x01x", "a payload that is no Commit"),
	BROKEN("\x1a\x02\x0a\x01", "a payload that is no Commit"),
	/* mutations: none of it; kind 0; kind 256; no name */
	BROKEN("\x42\x02\x0a\x05", "a mutation that is none"),
	BROKEN("\x42\x03\x1a\x01n", "a kind out of bounds"),
	BROKEN("\x42\x06\x08\x80\x02\x1a\x01n", "a kind out of bounds"),
	BROKEN("\x42\x02\x08\x01", "an empty name"),
	BROKEN("\x42\x08\x08\x01\x12\x01\x00\x1a\x01n",
	       "a namespace with a zero byte"),
	BROKEN("\x42\x0a\x08\x01\x1a\x01n\x22\x01v\x28\x01",
	       "a deletion with a value"),
	BROKEN("\x42\x05\x08\x01\x1a\x01n\x42\x05\x08\x01\x1a\x01n",
	       "a commit that changes one key twice"),
#undef BROKEN
};
enum { BROKENS = sizeof(broken) / sizeof(*broken) };

START_TEST(what_breaks_a_rule_says_which)
{
	write_bytes(&out, broken[_i].payload, broken[_i].size);
	ck_error(read_it(), WB_CORRUPT);
	ck_assert_str_eq(why, broken[_i].why);
}
END_TEST

/* Whoever makes names may make them so that they meet in one place of a table
 * of `count` keys. */
START_TEST(keys_that_meet_in_one_place_are_told_apart)
{
	enum { COUNT = 64, PLACES = 2 * COUNT };
	char first[16] = "";
	unsigned count = 0;

	for (unsigned at = 0; count < COUNT - 1; at++) {
		char name[16];
		struct wb_key key = {1, {"ns", 2}, {name, 0}};

		key.name.size = (size_t)snprintf(name, sizeof(name), "%u", at);
		if (audit_key_hash(&key) % PLACES != 0)
			continue;
		if (count++ == 0)
			memcpy(first, name, sizeof(first));
		put(name, key.name.size);
	}
	ck_ok(read_it());
	ck_assert_uint_eq(message.count, COUNT - 1);
	put(first, strlen(first));
	ck_error(read_it(), WB_CORRUPT);
	ck_assert_str_eq(why, "a commit that changes one key twice");
}
END_TEST

START_TEST(keys_are_ordered_as_their_encodings)
{
	static const struct wb_key keys[] = {
		{1, {"", 0}, {"z", 1}},	     {1, {"a", 1}, {"b", 1}},
		{1, {"a", 1}, {"ba", 2}},    {1, {"a", 1}, {"c\0", 2}},
		{1, {"a\x01", 2}, {"a", 1}}, {1, {"ab", 2}, {"a", 1}},
		{2, {"", 0}, {"\0", 1}},     {255, {"", 0}, {"a", 1}},
	};
	enum { KEYS = sizeof(keys) / sizeof(*keys) };

	for (unsigned a = 0; a < KEYS; a++) {
		for (unsigned b = 0; b < KEYS; b++) {
			uint8_t x[AUDIT_KEY_BYTES_MAX], y[AUDIT_KEY_BYTES_MAX];
			size_t xs = audit_key_encode(&keys[a], x);
			size_t ys = audit_key_encode(&keys[b], y);
			int order = memcmp(x, y, xs < ys ? xs : ys);
			int ours = audit_key_compare(&keys[a], &keys[b]);

			if (order == 0)
				order = (xs > ys) - (xs < ys);
			ck_assert_int_eq((ours > 0) - (ours < 0),
					 (order > 0) - (order < 0));
			ck_assert_int_eq((ours > 0) - (ours < 0),
					 (a > b) - (a < b));
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("message");
	TCase *tcase = tcase_create("core");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, every_field_is_read);
	tcase_add_test(tcase, unknown_fields_are_passed_over);
	tcase_add_test(tcase, a_later_field_replaces_an_earlier_one);
	tcase_add_test(tcase, so_many_mutations_and_no_more);
	tcase_add_test(tcase, a_name_of_4096_bytes_and_no_longer);
	tcase_add_test(tcase, the_texts_of_a_commit_are_bounded);
	tcase_add_test(tcase, a_cut_off_payload_is_no_commit);
	tcase_add_loop_test(tcase, what_breaks_a_rule_says_which, 0, BROKENS);
	tcase_add_test(tcase, keys_that_meet_in_one_place_are_told_apart);
	tcase_add_test(tcase, keys_are_ordered_as_their_encodings);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
