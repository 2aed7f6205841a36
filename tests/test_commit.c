/* SPDX-License-Identifier: Apache-2.0
 *
 * Commits against the code that protoc-c generates from record.proto: what
 * one writes the other reads, and on broken bytes they agree as far as both
 * must. Where this decoder is stricter, the reason is one of those below.
 */
#include "log/commit.h"

#include "log/record.pb-c.h"
#include "log/wire.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

typedef Waybill__Log__Commit Message;

/* ---- random commits ---- */

struct source {
	struct rng rng;
	uint8_t pool[1 << 14];
};

static struct wb_bytes draw_bytes(struct source *source, size_t least,
				  size_t most)
{
	size_t size = least;

	if (rng_chance(&source->rng, 3, 4))
		size += rng_below(&source->rng,
				  rng_chance(&source->rng, 1, 20)
					  ? most - least + 1
					  : (most - least) / 100 + 2);
	if (size > most)
		size = most;
	return (struct wb_bytes){source->pool +
					 rng_below(&source->rng,
						   sizeof(source->pool) - size),
				 size};
}

static uint64_t draw_number(struct source *source)
{
	return rng_next(&source->rng) >> rng_below(&source->rng, 64);
}

static struct commit_head draw_head(struct source *source)
{
	struct commit_head head = {
		.revision = draw_number(source) | 1,
		.time_ns = (int64_t)draw_number(source),
		.actor = {.uid = (uint32_t)draw_number(source),
			  .gid = (uint32_t)draw_number(source),
			  .pid = (int32_t)(uint32_t)rng_next(&source->rng),
			  .command = draw_bytes(source, 0, 64)},
		.reason = draw_bytes(source, 0, 4096),
		.operation_ns = draw_bytes(source, 0, 76),
		.operation_id = draw_bytes(source, 0, 128),
		.request_hash = draw_number(source),
	};

	if (rng_chance(&source->rng, 1, 8))
		head.time_ns = -head.time_ns;
	if (rng_chance(&source->rng, 1, 8))
		head.actor = (struct commit_actor){0};
	return head;
}

static struct mutation draw_mutation(struct source *source)
{
	struct mutation mutation = {
		.key = {.kind = 1 + (uint32_t)rng_below(&source->rng, 255),
			.ns = draw_bytes(source, 0, 76),
			.name = draw_bytes(source, 1, 4096)},
		.value = draw_bytes(source, 0, 5000),
		.deleted = rng_chance(&source->rng, 1, 4),
		.previous_revision = draw_number(source),
	};

	if (mutation.deleted)
		mutation.value.size = 0;
	return mutation;
}

enum { MUTATIONS_MAX = 6 };

struct drawn {
	struct commit_head head;
	struct mutation mutations[MUTATIONS_MAX];
	uint32_t count;
	uint8_t *bytes;
	size_t size;
};

static void draw(struct source *source, struct drawn *drawn)
{
	struct writer writer;
	size_t size;

	/* No zero byte may be in a namespace. */
	for (size_t at = 0; at < sizeof(source->pool); at++)
		source->pool[at] = (uint8_t)(1 + rng_below(&source->rng, 255));
	drawn->head = draw_head(source);
	drawn->count = 1 + (uint32_t)rng_below(&source->rng, MUTATIONS_MAX);
	size = commit_head_size(&drawn->head);
	ck_assert_uint_le(size, COMMIT_HEAD_BYTES_MAX);
	for (uint32_t at = 0; at < drawn->count; at++) {
		drawn->mutations[at] = draw_mutation(source);
		size += mutation_size(&drawn->mutations[at]);
	}
	drawn->bytes = malloc(size);
	ck_assert_ptr_nonnull(drawn->bytes);
	drawn->size = size;
	writer = writer_of(drawn->bytes, size);
	commit_head_write(&writer, &drawn->head);
	ck_assert_uint_eq(writer.at, commit_head_size(&drawn->head));
	for (uint32_t at = 0; at < drawn->count; at++)
		mutation_write(&writer, &drawn->mutations[at]);
	ck_assert(!writer.failed);
	ck_assert_uint_eq(writer.at, size);
}

/* ---- comparing ---- */

static bool same_bytes(struct wb_bytes a, ProtobufCBinaryData b)
{
	return a.size == b.len &&
	       (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_bytes_twice(struct wb_bytes a, struct wb_bytes b)
{
	return same_bytes(a,
			  (ProtobufCBinaryData){b.size,
						(uint8_t *)(uintptr_t)b.data});
}

static bool same_head(const struct commit_head *head, const Message *message)
{
	static const Waybill__Log__Actor nobody = WAYBILL__LOG__ACTOR__INIT;
	const Waybill__Log__Actor *actor =
		message->actor ? message->actor : &nobody;

	return head->revision == message->revision &&
	       head->time_ns == message->time_ns &&
	       head->actor.uid == actor->uid && head->actor.gid == actor->gid &&
	       head->actor.pid == actor->pid &&
	       same_bytes(head->actor.command, actor->command) &&
	       same_bytes(head->reason, message->reason) &&
	       same_bytes(head->operation_ns, message->operation_ns) &&
	       same_bytes(head->operation_id, message->operation_id) &&
	       head->request_hash == message->request_hash;
}

static bool same_mutation(const struct mutation *mutation,
			  const Waybill__Log__Mutation *message)
{
	return mutation->key.kind == message->kind &&
	       same_bytes(mutation->key.ns, message->ns) &&
	       same_bytes(mutation->key.name, message->name) &&
	       same_bytes(mutation->value, message->value) &&
	       mutation->deleted == (message->deleted != 0) &&
	       mutation->previous_revision == message->previous_revision;
}

static bool same_commit(const struct commit *commit, const Message *message)
{
	struct mutation_walk walk = mutation_walk_begin(commit);
	struct mutation mutation;
	size_t at = 0;

	if (!same_head(&commit->head, message) ||
	    commit->mutation_count != message->n_mutations)
		return false;
	while (mutation_walk_next(&walk, &mutation))
		if (at >= message->n_mutations ||
		    !same_mutation(&mutation, message->mutations[at++]))
			return false;
	return at == message->n_mutations;
}

/* The rules of docs/FORMAT.md that protobuf does not know. */
static bool obeys_rules(const Message *message)
{
	if (message->revision == 0 || message->n_mutations < 1 ||
	    message->n_mutations > 65536 || message->reason.len > 4096 ||
	    message->operation_ns.len > 76 || message->operation_id.len > 128 ||
	    (message->actor && message->actor->command.len > 64))
		return false;
	for (size_t at = 0; at < message->n_mutations; at++) {
		const Waybill__Log__Mutation *one = message->mutations[at];

		if (one->kind < 1 || one->kind > 255 || one->ns.len > 76 ||
		    one->name.len < 1 || one->name.len > 4096 ||
		    (one->deleted && one->value.len > 0) ||
		    (one->ns.len && memchr(one->ns.data, 0, one->ns.len)))
			return false;
	}
	return true;
}

/* ---- valid commits ---- */

START_TEST(what_one_writes_the_other_reads)
{
	static struct source source;

	for (uint64_t seed = 1; seed <= 1500; seed++) {
		struct drawn drawn = {0};
		struct commit commit;
		Message *message;
		uint8_t *packed;

		source.rng = rng_of(seed);
		draw(&source, &drawn);
		ck_assert_msg(commit_decode(drawn.bytes, drawn.size, &commit) ==
				      WB_OK,
			      "seed %" PRIu64, seed);
		message = waybill__log__commit__unpack(NULL, drawn.size,
						       drawn.bytes);
		ck_assert_msg(message && obeys_rules(message) &&
				      same_commit(&commit, message),
			      "seed %" PRIu64, seed);
		ck_assert_msg(commit.payload.data == drawn.bytes &&
				      commit.payload.size == drawn.size,
			      "seed %" PRIu64, seed);
		/* And it would have written the same bytes. */
		ck_assert_msg(waybill__log__commit__get_packed_size(message) ==
				      drawn.size,
			      "seed %" PRIu64, seed);
		packed = malloc(drawn.size);
		ck_assert_ptr_nonnull(packed);
		waybill__log__commit__pack(message, packed);
		ck_assert_msg(memcmp(packed, drawn.bytes, drawn.size) == 0,
			      "seed %" PRIu64, seed);
		waybill__log__commit__free_unpacked(message, NULL);
		free(packed);
		free(drawn.bytes);
	}
}
END_TEST

START_TEST(a_decoded_commit_is_what_was_written)
{
	static struct source source;

	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct drawn drawn = {0};
		struct mutation_walk walk;
		struct mutation mutation;
		struct commit commit;
		uint32_t at = 0;

		source.rng = rng_of(seed);
		draw(&source, &drawn);
		ck_ok(commit_decode(drawn.bytes, drawn.size, &commit));
		ck_assert_uint_eq(commit.mutation_count, drawn.count);
		ck_assert_uint_eq(commit.head.revision, drawn.head.revision);
		ck_assert_int_eq(commit.head.time_ns, drawn.head.time_ns);
		ck_assert_int_eq(commit.head.actor.pid, drawn.head.actor.pid);
		walk = mutation_walk_begin(&commit);
		while (mutation_walk_next(&walk, &mutation)) {
			const struct mutation *other = &drawn.mutations[at++];

			ck_assert(same_bytes_twice(mutation.key.name,
						   other->key.name));
			ck_assert(
				same_bytes_twice(mutation.value, other->value));
			ck_assert_int_eq(mutation.deleted, other->deleted);
		}
		ck_assert_uint_eq(at, drawn.count);
		free(drawn.bytes);
	}
}
END_TEST

/* ---- broken bytes ---- */

/* protobuf-c reads past three things that this decoder refuses: a field
 * number of zero or above 2^29 - 1, a varint that overflows 64 bits, and a
 * bool (field 5 of a mutation) of any wire type. Looks into messages like the
 * schema does; true where there is one. */
static bool is_lax(struct wb_bytes bytes, unsigned depth)
{
	const uint8_t *at = bytes.data;
	const uint8_t *end = at + bytes.size;

	while (at < end) {
		uint64_t numbers[2] = {0};
		unsigned wire, part, shift;

		for (part = 0; part < 2; part++) {
			for (shift = 0; at < end; shift += 7) {
				if (shift == 63 && *at > 1)
					return true;
				if (shift < 64)
					numbers[part] |= (uint64_t)(*at & 0x7f)
							 << shift;
				if (!(*at++ & 0x80))
					break;
			}
			wire = (unsigned)(numbers[0] & 7);
			if (part == 0 &&
			    (numbers[0] >> 3 == 0 ||
			     numbers[0] >> 3 > UINT64_C(0x1fffffff)))
				return true;
			if (wire != 0 && wire != 2)
				break;
		}
		if (depth == 1 && numbers[0] >> 3 == 5 && wire != 0)
			return true;
		if (wire == 1)
			at += 8;
		else if (wire == 5)
			at += 4;
		else if (wire == 2) {
			uint64_t number = numbers[0] >> 3;

			if (numbers[1] > (uint64_t)(end - at))
				return false;
			if (depth == 0 && (number == 3 || number == 8) &&
			    is_lax((struct wb_bytes){at, numbers[1]}, 1))
				return true;
			at += numbers[1];
		} else if (wire != 0) {
			return false;
		}
	}
	return false;
}

static void mutate(struct rng *rng, struct drawn *drawn)
{
	uint64_t changes = 1 + rng_below(rng, 4);

	while (changes-- > 0 && drawn->size > 0) {
		size_t at = rng_below(rng, drawn->size);

		switch (rng_below(rng, 6)) {
		case 0:
			drawn->bytes[at] = (uint8_t)rng_next(rng);
			break;
		case 1:
			drawn->bytes[at] = (uint8_t)(drawn->bytes[at] ^
						     1u << rng_below(rng, 8));
			break;
		case 2: /* keys of fields are near the beginning */
			at = rng_below(rng,
				       drawn->size < 40 ? drawn->size : 40);
			drawn->bytes[at] = (uint8_t)rng_below(rng, 100);
			break;
		case 3:
			drawn->size = at;
			break;
		case 4: /* a field twice, or in another place */
			memmove(drawn->bytes + at,
				drawn->bytes + rng_below(rng, at + 1),
				rng_below(rng, drawn->size - at));
			break;
		default:
			drawn->bytes[at] = 0;
		}
	}
}

static void agree(const struct drawn *drawn, uint64_t seed, unsigned *accepted,
		  unsigned *refused)
{
	struct commit commit;
	enum wb_error error = commit_decode(drawn->bytes, drawn->size, &commit);
	Message *message =
		waybill__log__commit__unpack(NULL, drawn->size, drawn->bytes);

	if (error == WB_OK) {
		ck_assert_msg(message && obeys_rules(message) &&
				      same_commit(&commit, message),
			      "seed %" PRIu64 ": accepted alone", seed);
		++*accepted;
	} else {
		ck_assert_msg(error == WB_CORRUPT, "seed %" PRIu64, seed);
		ck_assert_msg(!message || !obeys_rules(message) ||
				      is_lax((struct wb_bytes){drawn->bytes,
							       drawn->size},
					     0),
			      "seed %" PRIu64 ": refused alone", seed);
		++*refused;
	}
	if (message)
		waybill__log__commit__free_unpacked(message, NULL);
}

START_TEST(both_agree_on_broken_bytes)
{
	static struct source source;
	unsigned accepted = 0, refused = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct drawn drawn = {0};
		uint8_t *whole;
		size_t size;

		source.rng = rng_of(seed);
		draw(&source, &drawn);
		size = drawn.size;
		whole = malloc(size);
		ck_assert_ptr_nonnull(whole);
		memcpy(whole, drawn.bytes, size);
		for (unsigned round = 0; round < 60; round++) {
			mutate(&source.rng, &drawn);
			agree(&drawn, seed, &accepted, &refused);
			memcpy(drawn.bytes, whole, size);
			drawn.size = size;
		}
		free(whole);
		free(drawn.bytes);
	}
	/* Both ways were tried, a good number of times. */
	ck_assert_uint_gt(accepted, 1000);
	ck_assert_uint_gt(refused, 1000);
}
END_TEST

/* ---- rules ---- */

static enum wb_error decode_message(const Message *message)
{
	size_t size = waybill__log__commit__get_packed_size(message);
	uint8_t *bytes = malloc(size + 1);
	struct commit commit;
	enum wb_error error;

	ck_assert_ptr_nonnull(bytes);
	waybill__log__commit__pack(message, bytes);
	error = commit_decode(bytes, size, &commit);
	free(bytes);
	return error;
}

static uint8_t many[5000];

static const struct {
	const char *what;
	uint32_t kind;
	size_t ns, name, value;
	int deleted;
	size_t reason, command, operation_ns, operation_id;
	uint64_t revision;
	enum wb_error expected;
} rules[] = {
	{"all at their limits", 255, 76, 4096, 5000, 0, 4096, 64, 76, 128, 1,
	 WB_OK},
	{"all at their least", 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, WB_OK},
	{"a deletion", 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, WB_OK},
	{"a deletion with a value", 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, WB_CORRUPT},
	{"kind 0", 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, WB_CORRUPT},
	{"kind 256", 256, 1, 1, 1, 0, 0, 0, 0, 0, 1, WB_CORRUPT},
	{"no name", 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, WB_CORRUPT},
	{"a long name", 1, 1, 4097, 1, 0, 0, 0, 0, 0, 1, WB_CORRUPT},
	{"a long namespace", 1, 77, 1, 1, 0, 0, 0, 0, 0, 1, WB_CORRUPT},
	{"a long reason", 1, 1, 1, 1, 0, 4097, 0, 0, 0, 1, WB_CORRUPT},
	{"a long command", 1, 1, 1, 1, 0, 0, 65, 0, 0, 1, WB_CORRUPT},
	{"a long scope", 1, 1, 1, 1, 0, 0, 0, 77, 0, 1, WB_CORRUPT},
	{"a long operation id", 1, 1, 1, 1, 0, 0, 0, 0, 129, 1, WB_CORRUPT},
	{"revision 0", 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, WB_CORRUPT},
};

static Message message_of(Waybill__Log__Mutation **mutations, size_t count)
{
	Message message = WAYBILL__LOG__COMMIT__INIT;

	message.revision = 1;
	message.n_mutations = count;
	message.mutations = mutations;
	return message;
}

START_TEST(limits_hold)
{
	memset(many, 'x', sizeof(many));
	for (size_t at = 0; at < sizeof(rules) / sizeof(rules[0]); at++) {
		Waybill__Log__Mutation one = WAYBILL__LOG__MUTATION__INIT;
		Waybill__Log__Mutation *list[] = {&one};
		Waybill__Log__Actor actor = WAYBILL__LOG__ACTOR__INIT;
		Message message = message_of(list, 1);

		one.kind = rules[at].kind;
		one.ns = (ProtobufCBinaryData){rules[at].ns, many};
		one.name = (ProtobufCBinaryData){rules[at].name, many};
		one.value = (ProtobufCBinaryData){rules[at].value, many};
		one.deleted = rules[at].deleted;
		actor.command = (ProtobufCBinaryData){rules[at].command, many};
		message.actor = &actor;
		message.reason = (ProtobufCBinaryData){rules[at].reason, many};
		message.operation_ns =
			(ProtobufCBinaryData){rules[at].operation_ns, many};
		message.operation_id =
			(ProtobufCBinaryData){rules[at].operation_id, many};
		message.revision = rules[at].revision;
		ck_assert_msg(decode_message(&message) == rules[at].expected,
			      "%s", rules[at].what);
	}
}
END_TEST

START_TEST(a_namespace_has_no_zero_byte)
{
	Waybill__Log__Mutation one = WAYBILL__LOG__MUTATION__INIT;
	Waybill__Log__Mutation *list[] = {&one};
	Message message = message_of(list, 1);
	uint8_t zero[] = "a\0b";

	one.kind = 1;
	one.name = (ProtobufCBinaryData){3, zero};
	ck_ok(decode_message(&message));
	one.ns = (ProtobufCBinaryData){3, zero};
	ck_error(decode_message(&message), WB_CORRUPT);
}
END_TEST

START_TEST(a_commit_has_1_to_65536_mutations)
{
	static Waybill__Log__Mutation *list[65537];
	Waybill__Log__Mutation one = WAYBILL__LOG__MUTATION__INIT;
	uint8_t name[] = "n";
	Message message;

	one.kind = 1;
	one.name = (ProtobufCBinaryData){1, name};
	for (size_t at = 0; at < 65537; at++)
		list[at] = &one;
	message = message_of(list, 65536);
	ck_ok(decode_message(&message));
	message = message_of(list, 65537);
	ck_error(decode_message(&message), WB_CORRUPT);
	message = message_of(list, 0);
	ck_error(decode_message(&message), WB_CORRUPT);
}
END_TEST

START_TEST(fields_of_later_versions_are_passed_over)
{
	/* revision 1; field 99, a varint; one mutation with a field 50. */
	static const uint8_t bytes[] = {0x08, 1,   0x98, 0x06, 5,
					0x42, 8,   0x08, 1,    0x1a,
					1,    'n', 0x90, 0x03, 7};
	struct mutation_walk walk;
	struct mutation mutation;
	struct commit commit;

	ck_ok(commit_decode(bytes, sizeof(bytes), &commit));
	ck_assert_uint_eq(commit.mutation_count, 1);
	walk = mutation_walk_begin(&commit);
	ck_assert(mutation_walk_next(&walk, &mutation));
	ck_assert_uint_eq(mutation.key.kind, 1);
	ck_assert(!mutation_walk_next(&walk, &mutation));
}
END_TEST

START_TEST(the_hash_is_that_of_the_encoded_key)
{
	static const char encoded[] = "\x01"
				      "default\0docker.io/library/busybox";
	struct wb_key key = {
		.kind = 1,
		.ns = {"default", 7},
		.name = {"docker.io/library/busybox", 25},
	};

	ck_assert_uint_eq(mutation_hash(&key),
			  (uint32_t)XXH3_64bits(encoded, sizeof(encoded) - 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commit");
	TCase *tests = tcase_create("commit");

	tcase_add_test(tests, what_one_writes_the_other_reads);
	tcase_add_test(tests, a_decoded_commit_is_what_was_written);
	tcase_add_test(tests, both_agree_on_broken_bytes);
	tcase_add_test(tests, limits_hold);
	tcase_add_test(tests, a_namespace_has_no_zero_byte);
	tcase_add_test(tests, a_commit_has_1_to_65536_mutations);
	tcase_add_test(tests, fields_of_later_versions_are_passed_over);
	tcase_add_test(tests, the_hash_is_that_of_the_encoded_key);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
