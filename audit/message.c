/* SPDX-License-Identifier: Apache-2.0
 *
 * Protobuf, as far as a Commit needs it: varints, 64-bit and 32-bit numbers,
 * and bytes; a later occurrence of a field replaces an earlier one, `actor`
 * is merged, and unknown fields are passed over.
 *
 * A known field in another wire type, a group, and a number that is cut off
 * are no Commit.
 */
#include "audit/message.h"

#include "base/cursor.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct field {
	uint32_t number;
	enum wire wire;
	uint64_t value;	       /* of a number */
	struct wb_bytes bytes; /* of WIRE_BYTES */
};

static uint64_t read_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint64_t byte = read_u8(reader);

		if (shift == 63 && byte > 1)
			break;
		value |= (byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	reader->failed = true;
	return 0;
}

/* The next field; false at the end, and where reader->failed. */
static bool next_field(struct reader *reader, struct field *ret_field)
{
	struct field field = {0};
	uint64_t tag;

	if (reader_left(reader) == 0)
		return false;
	tag = read_varint(reader);
	field.number = (uint32_t)(tag >> 3);
	field.wire = tag & 7;
	if (tag >> 3 == 0 || tag >> 3 >= 1u << 29)
		reader->failed = true;
	switch (field.wire) {
	case WIRE_VARINT:
		field.value = read_varint(reader);
		break;
	case WIRE_64:
		field.value = read_u64(reader);
		break;
	case WIRE_32:
		field.value = read_u32(reader);
		break;
	case WIRE_BYTES:
		field.value = read_varint(reader);
		if (field.value > reader_left(reader)) {
			reader->failed = true;
			break;
		}
		field.bytes.size = (size_t)field.value;
		field.bytes.data = read_span(reader, field.bytes.size);
		break;
	default:
		reader->failed = true;
	}
	*ret_field = field;
	return !reader->failed;
}

static void take_actor(struct audit_commit *commit, struct reader *reader,
		       struct wb_bytes bytes)
{
	static const enum wire wires[] = {0, WIRE_VARINT, WIRE_VARINT,
					  WIRE_VARINT, WIRE_BYTES};
	struct reader inner = reader_of(bytes.data, bytes.size);
	struct field field;

	while (next_field(&inner, &field)) {
		if (field.number > 4)
			continue;
		if (field.wire != wires[field.number]) {
			inner.failed = true;
			break;
		}
		if (field.number == 1)
			commit->uid = (uint32_t)field.value;
		else if (field.number == 2)
			commit->gid = (uint32_t)field.value;
		else if (field.number == 3)
			commit->pid = (int32_t)(uint32_t)field.value;
		else
			commit->command = field.bytes;
	}
	if (inner.failed)
		reader->failed = true;
}

/* Which rule of a key is broken; NULL: none. */
static const char *key_rule_broken(const struct wb_key *key)
{
	if (key->kind < 1 || key->kind > 255)
		return "a kind out of bounds";
	if (key->ns.size > AUDIT_NAMESPACE_BYTES_MAX)
		return "a namespace that is too long";
	if (key->ns.size > 0 && memchr(key->ns.data, 0, key->ns.size))
		return "a namespace with a zero byte";
	if (key->name.size < 1)
		return "an empty name";
	if (key->name.size > AUDIT_NAME_BYTES_MAX)
		return "a name that is too long";
	return NULL;
}

static const char *read_mutation(struct wb_bytes bytes,
				 struct audit_mutation *ret_mutation)
{
	static const enum wire wires[] = {0,	      WIRE_VARINT, WIRE_BYTES,
					  WIRE_BYTES, WIRE_BYTES,  WIRE_VARINT,
					  WIRE_VARINT};
	struct reader reader = reader_of(bytes.data, bytes.size);
	struct audit_mutation mutation = {.deleted = false};
	struct field field;
	const char *broken;

	while (next_field(&reader, &field)) {
		if (field.number > 6)
			continue;
		if (field.wire != wires[field.number]) {
			reader.failed = true;
			break;
		}
		if (field.number == 1)
			mutation.key.kind = (uint32_t)field.value;
		else if (field.number == 2)
			mutation.key.ns = field.bytes;
		else if (field.number == 3)
			mutation.key.name = field.bytes;
		else if (field.number == 4)
			mutation.value = field.bytes;
		else if (field.number == 5)
			mutation.deleted = field.value != 0;
		else
			mutation.previous_revision = field.value;
	}
	if (reader.failed)
		return "a mutation that is none";
	broken = key_rule_broken(&mutation.key);
	if (!broken && mutation.deleted && mutation.value.size > 0)
		broken = "a deletion with a value";
	if (broken)
		return broken;
	mutation.key_hash = audit_key_hash(&mutation.key);
	*ret_mutation = mutation;
	return NULL;
}

/* ---- room ---- */

void audit_message_release(struct audit_message *message)
{
	free(message->mutations);
	free(message->places);
	*message = (struct audit_message){0};
}

static enum wb_error make_room(struct audit_message *message)
{
	size_t capacity = message->capacity ? 2 * message->capacity : 16;
	void *mutations, *places;

	if (message->count < message->capacity)
		return WB_OK;
	mutations = realloc(message->mutations,
			    capacity * sizeof(*message->mutations));
	if (!mutations)
		return WB_NO_MEMORY;
	message->mutations = mutations;
	places = realloc(message->places,
			 2 * capacity * sizeof(*message->places));
	if (!places)
		return WB_NO_MEMORY;
	message->places = places;
	message->capacity = capacity;
	return WB_OK;
}

/* ---- a commit ---- */

static enum wb_error take_mutation(struct audit_message *message,
				   struct wb_bytes bytes, const char **ret_why)
{
	struct audit_mutation mutation;
	const char *broken = read_mutation(bytes, &mutation);
	enum wb_error error;

	if (!broken && message->count == AUDIT_MUTATIONS_MAX)
		broken = "too many mutations";
	if (broken) {
		*ret_why = broken;
		return WB_CORRUPT;
	}
	error = make_room(message);
	if (error)
		return error;
	message->mutations[message->count++] = mutation;
	return WB_OK;
}

static enum wb_error take_field(struct audit_message *message,
				struct reader *reader,
				const struct field *field, const char **ret_why)
{
	static const enum wire wires[] = {0,	      WIRE_VARINT, WIRE_64,
					  WIRE_BYTES, WIRE_BYTES,  WIRE_BYTES,
					  WIRE_BYTES, WIRE_64,	   WIRE_BYTES};
	struct audit_commit *commit = &message->commit;

	if (field->number > 8)
		return WB_OK;
	if (field->wire != wires[field->number]) {
		reader->failed = true;
		return WB_OK;
	}
	switch (field->number) {
	case 1:
		commit->revision = field->value;
		break;
	case 2:
		commit->time_ns = (int64_t)field->value;
		break;
	case 3:
		take_actor(commit, reader, field->bytes);
		break;
	case 4:
		commit->reason = field->bytes;
		break;
	case 5:
		commit->operation_ns = field->bytes;
		break;
	case 6:
		commit->operation_id = field->bytes;
		break;
	case 7:
		commit->request_hash = field->value;
		break;
	case 8:
		return take_mutation(message, field->bytes, ret_why);
	}
	return WB_OK;
}

/* ---- a key twice ---- */

static int by_key(const void *a, const void *b, void *context)
{
	const uint32_t *x = a, *y = b;
	const struct audit_mutation *mutations = context;

	return audit_key_compare(&mutations[*x].key, &mutations[*y].key);
}

static bool is_there_twice_by_order(struct audit_message *message)
{
	uint32_t *order = message->places;

	for (uint32_t at = 0; at < message->count; at++)
		order[at] = at;
	qsort_r(order, message->count, sizeof(*order), by_key,
		message->mutations);
	for (size_t at = 1; at < message->count; at++)
		if (by_key(&order[at - 1], &order[at], message->mutations) == 0)
			return true;
	return false;
}

/* In a table of their hashes. Whoever made the names may have made many that
 * meet in one place of it: then they are put in order instead. */
static bool key_is_there_twice(struct audit_message *message)
{
	const struct audit_mutation *all = message->mutations;
	size_t steps = 8 * message->count + 64, size = 1;

	if (message->count < 2)
		return false;
	while (size < 2 * message->count)
		size *= 2;
	memset(message->places, 0, size * sizeof(*message->places));
	for (size_t mine = 0; mine < message->count; mine++) {
		size_t at = (size_t)all[mine].key_hash & (size - 1);

		/* A place holds a mutation's number and one. */
		for (; message->places[at]; at = (at + 1) & (size - 1)) {
			size_t other = message->places[at] - 1;

			if (all[other].key_hash == all[mine].key_hash &&
			    audit_key_compare(&all[other].key,
					      &all[mine].key) == 0)
				return true;
			if (--steps == 0)
				return is_there_twice_by_order(message);
		}
		message->places[at] = (uint32_t)mine + 1;
	}
	return false;
}

/* ---- the whole ---- */

/* Which bound of a commit's own texts is not kept; NULL: all are. */
static const char *bound_broken(const struct audit_commit *commit)
{
	if (commit->reason.size > AUDIT_REASON_BYTES_MAX)
		return "a reason that is too long";
	if (commit->operation_ns.size > AUDIT_NAMESPACE_BYTES_MAX)
		return "an operation's namespace that is too long";
	if (commit->operation_id.size > AUDIT_OPERATION_ID_BYTES_MAX)
		return "an operation id that is too long";
	if (commit->command.size > AUDIT_COMMAND_BYTES_MAX)
		return "a command that is too long";
	return NULL;
}

enum wb_error audit_message_read(struct audit_message *message,
				 struct wb_bytes payload, const char **ret_why)
{
	struct reader reader = reader_of(payload.data, payload.size);
	enum wb_error error = WB_OK;
	struct field field;
	const char *broken;

	message->count = 0;
	message->commit = (struct audit_commit){.payload = payload};
	while (!error && next_field(&reader, &field))
		error = take_field(message, &reader, &field, ret_why);
	message->commit.mutations = message->mutations;
	message->commit.mutation_count = message->count;
	if (error)
		return error;
	broken = bound_broken(&message->commit);
	if (reader.failed)
		*ret_why = "a payload that is no Commit";
	else if (broken)
		*ret_why = broken;
	else if (message->count == 0)
		*ret_why = "a commit without a mutation";
	else if (key_is_there_twice(message))
		*ret_why = "a commit that changes one key twice";
	else
		return WB_OK;
	return WB_CORRUPT;
}

/* ---- keys ---- */

size_t audit_key_encode(const struct wb_key *key,
			uint8_t bytes[AUDIT_KEY_BYTES_MAX])
{
	struct writer writer = writer_of(bytes, AUDIT_KEY_BYTES_MAX);

	write_u8(&writer, (uint8_t)key->kind);
	write_bytes(&writer, key->ns.data, key->ns.size);
	write_u8(&writer, 0);
	write_bytes(&writer, key->name.data, key->name.size);
	return writer.at;
}

uint64_t audit_key_hash(const struct wb_key *key)
{
	uint8_t bytes[AUDIT_KEY_BYTES_MAX];
	size_t size = audit_key_encode(key, bytes);

	return XXH3_64bits(bytes, size);
}

static int compare_bytes(struct wb_bytes a, struct wb_bytes b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* A namespace holds no zero byte, so the one behind it sorts a shorter one
 * first, as comparing the parts does. */
int audit_key_compare(const struct wb_key *a, const struct wb_key *b)
{
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (!order)
		order = compare_bytes(a->ns, b->ns);
	return order ? order : compare_bytes(a->name, b->name);
}
