/* SPDX-License-Identifier: Apache-2.0
 *
 * Commits to and from protobuf bytes. The fields are those of record.proto;
 * unknown ones are skipped, of a repeated scalar the last counts.
 */
#include "log/commit.h"

#include "log/format.h"
#include "log/wire.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

enum actor_field { ACTOR_UID = 1, ACTOR_GID, ACTOR_PID, ACTOR_COMMAND };
enum mutation_field {
	MUTATION_KIND = 1,
	MUTATION_NS,
	MUTATION_NAME,
	MUTATION_VALUE,
	MUTATION_DELETED,
	MUTATION_PREVIOUS,
};
enum commit_field {
	COMMIT_REVISION = 1,
	COMMIT_TIME,
	COMMIT_ACTOR,
	COMMIT_REASON,
	COMMIT_OPERATION_NS,
	COMMIT_OPERATION_ID,
	COMMIT_REQUEST_HASH,
	COMMIT_MUTATIONS,
};

/* An int32 goes on the wire sign-extended to 64 bits. */
static uint64_t wire_pid(int32_t pid)
{
	return (uint64_t)(int64_t)pid;
}

static size_t actor_size(const struct commit_actor *actor)
{
	return wire_varint_field_size(ACTOR_UID, actor->uid) +
	       wire_varint_field_size(ACTOR_GID, actor->gid) +
	       wire_varint_field_size(ACTOR_PID, wire_pid(actor->pid)) +
	       wire_bytes_field_size(ACTOR_COMMAND, actor->command.size);
}

size_t commit_head_size(const struct commit_head *head)
{
	size_t fixed = 9;

	return wire_varint_field_size(COMMIT_REVISION, head->revision) +
	       (head->time_ns ? fixed : 0) + 1 +
	       wire_varint_size(actor_size(&head->actor)) +
	       actor_size(&head->actor) +
	       wire_bytes_field_size(COMMIT_REASON, head->reason.size) +
	       wire_bytes_field_size(COMMIT_OPERATION_NS,
				     head->operation_ns.size) +
	       wire_bytes_field_size(COMMIT_OPERATION_ID,
				     head->operation_id.size) +
	       (head->request_hash ? fixed : 0);
}

void commit_head_write(struct writer *writer, const struct commit_head *head)
{
	const struct commit_actor *actor = &head->actor;

	wire_put_varint(writer, COMMIT_REVISION, head->revision);
	wire_put_fixed64(writer, COMMIT_TIME, (uint64_t)head->time_ns);
	wire_put_head(writer, COMMIT_ACTOR, actor_size(actor));
	wire_put_varint(writer, ACTOR_UID, actor->uid);
	wire_put_varint(writer, ACTOR_GID, actor->gid);
	wire_put_varint(writer, ACTOR_PID, wire_pid(actor->pid));
	wire_put_bytes(writer, ACTOR_COMMAND, actor->command);
	wire_put_bytes(writer, COMMIT_REASON, head->reason);
	wire_put_bytes(writer, COMMIT_OPERATION_NS, head->operation_ns);
	wire_put_bytes(writer, COMMIT_OPERATION_ID, head->operation_id);
	wire_put_fixed64(writer, COMMIT_REQUEST_HASH, head->request_hash);
}

static size_t mutation_body_size(const struct mutation *mutation)
{
	return wire_varint_field_size(MUTATION_KIND, mutation->key.kind) +
	       wire_bytes_field_size(MUTATION_NS, mutation->key.ns.size) +
	       wire_bytes_field_size(MUTATION_NAME, mutation->key.name.size) +
	       wire_bytes_field_size(MUTATION_VALUE, mutation->value.size) +
	       wire_varint_field_size(MUTATION_DELETED, mutation->deleted) +
	       wire_varint_field_size(MUTATION_PREVIOUS,
				      mutation->previous_revision);
}

size_t mutation_size(const struct mutation *mutation)
{
	size_t body = mutation_body_size(mutation);

	return 1 + wire_varint_size(body) + body;
}

void mutation_write(struct writer *writer, const struct mutation *mutation)
{
	wire_put_head(writer, COMMIT_MUTATIONS, mutation_body_size(mutation));
	wire_put_varint(writer, MUTATION_KIND, mutation->key.kind);
	wire_put_bytes(writer, MUTATION_NS, mutation->key.ns);
	wire_put_bytes(writer, MUTATION_NAME, mutation->key.name);
	wire_put_bytes(writer, MUTATION_VALUE, mutation->value);
	wire_put_varint(writer, MUTATION_DELETED, mutation->deleted);
	wire_put_varint(writer, MUTATION_PREVIOUS, mutation->previous_revision);
}

/* Where a field of record.proto has another wire type, the message is not
 * ours. */
static bool take_varint(const struct wire_field *field, uint64_t *ret_value)
{
	if (field->type != WIRE_VARINT)
		return false;
	*ret_value = field->value;
	return true;
}

static bool take_fixed64(const struct wire_field *field, uint64_t *ret_value)
{
	if (field->type != WIRE_FIXED64)
		return false;
	*ret_value = field->value;
	return true;
}

static bool take_bytes(const struct wire_field *field, struct wb_bytes *ret)
{
	if (field->type != WIRE_BYTES)
		return false;
	*ret = field->bytes;
	return true;
}

static bool actor_decode(struct wb_bytes bytes, struct commit_actor *actor)
{
	struct reader reader = reader_of(bytes.data, bytes.size);
	struct wire_field field;
	uint64_t value = 0;
	bool good = true;

	while (good && wire_next(&reader, &field)) {
		switch (field.number) {
		case ACTOR_UID:
			good = take_varint(&field, &value);
			actor->uid = (uint32_t)value;
			break;
		case ACTOR_GID:
			good = take_varint(&field, &value);
			actor->gid = (uint32_t)value;
			break;
		case ACTOR_PID:
			good = take_varint(&field, &value);
			actor->pid = (int32_t)(uint32_t)value;
			break;
		case ACTOR_COMMAND:
			good = take_bytes(&field, &actor->command);
			break;
		}
	}
	return good && !reader.failed;
}

static bool mutation_is_valid(const struct mutation *mutation)
{
	const struct wb_key *key = &mutation->key;

	return key->kind >= 1 && key->kind <= WB_KIND_LAST &&
	       key->ns.size <= WB_NAMESPACE_BYTES_MAX &&
	       (key->ns.size == 0 || !memchr(key->ns.data, 0, key->ns.size)) &&
	       key->name.size >= 1 && key->name.size <= WB_NAME_BYTES_MAX &&
	       !(mutation->deleted && mutation->value.size > 0);
}

static bool mutation_decode(struct wb_bytes bytes, struct mutation *mutation)
{
	struct reader reader = reader_of(bytes.data, bytes.size);
	struct wire_field field;
	uint64_t kind = 0, deleted = 0;
	bool good = true;

	*mutation = (struct mutation){0};
	while (good && wire_next(&reader, &field)) {
		switch (field.number) {
		case MUTATION_KIND:
			good = take_varint(&field, &kind);
			break;
		case MUTATION_NS:
			good = take_bytes(&field, &mutation->key.ns);
			break;
		case MUTATION_NAME:
			good = take_bytes(&field, &mutation->key.name);
			break;
		case MUTATION_VALUE:
			good = take_bytes(&field, &mutation->value);
			break;
		case MUTATION_DELETED:
			good = take_varint(&field, &deleted);
			break;
		case MUTATION_PREVIOUS:
			good = take_varint(&field,
					   &mutation->previous_revision);
			break;
		}
	}
	mutation->key.kind = (uint32_t)kind;
	mutation->deleted = deleted != 0;
	return good && !reader.failed && mutation_is_valid(mutation);
}

static bool head_field(const struct wire_field *field, struct commit_head *head)
{
	uint64_t value = 0;
	bool good = true;

	switch (field->number) {
	case COMMIT_REVISION:
		return take_varint(field, &head->revision);
	case COMMIT_TIME:
		good = take_fixed64(field, &value);
		head->time_ns = (int64_t)value;
		return good;
	case COMMIT_ACTOR:
		return field->type == WIRE_BYTES &&
		       actor_decode(field->bytes, &head->actor);
	case COMMIT_REASON:
		return take_bytes(field, &head->reason);
	case COMMIT_OPERATION_NS:
		return take_bytes(field, &head->operation_ns);
	case COMMIT_OPERATION_ID:
		return take_bytes(field, &head->operation_id);
	case COMMIT_REQUEST_HASH:
		return take_fixed64(field, &head->request_hash);
	}
	return true;
}

static bool head_is_valid(const struct commit_head *head)
{
	return head->revision > 0 &&
	       head->actor.command.size <= WB_COMMAND_BYTES_MAX &&
	       head->reason.size <= WB_REASON_BYTES_MAX &&
	       head->operation_ns.size <= WB_NAMESPACE_BYTES_MAX &&
	       head->operation_id.size <= WB_OPERATION_ID_BYTES_MAX;
}

enum wb_error commit_decode(const void *payload, size_t size,
			    struct commit *ret_commit)
{
	struct commit commit = {.payload = {payload, size}};
	struct reader reader = reader_of(payload, size);
	struct mutation mutation;
	struct wire_field field;
	bool good = true;

	while (good && wire_next(&reader, &field)) {
		if (field.number != COMMIT_MUTATIONS) {
			good = head_field(&field, &commit.head);
			continue;
		}
		good = field.type == WIRE_BYTES &&
		       mutation_decode(field.bytes, &mutation) &&
		       ++commit.mutation_count <= WB_TXN_MUTATIONS_MAX;
	}
#ifdef WAYBILL_PLANT_COMMIT
	/* A planted fault for the fuzzer: the last byte is trusted. */
	if (good && commit.mutation_count > 1 &&
	    ((const volatile uint8_t *)payload)[size] == 0x5a)
		good = false;
#endif
	if (!good || reader.failed || commit.mutation_count == 0 ||
	    !head_is_valid(&commit.head))
		return WB_CORRUPT;
	*ret_commit = commit;
	return WB_OK;
}

struct mutation_walk mutation_walk_begin(const struct commit *commit)
{
	return (struct mutation_walk){
		reader_of(commit->payload.data, commit->payload.size)};
}

bool mutation_walk_next(struct mutation_walk *walk,
			struct mutation *ret_mutation)
{
	struct wire_field field;

	while (wire_next(&walk->reader, &field)) {
		if (field.number != COMMIT_MUTATIONS)
			continue;
		return mutation_decode(field.bytes, ret_mutation);
	}
	return false;
}

uint32_t mutation_hash(const struct wb_key *key)
{
	uint8_t bytes[1 + WB_NAMESPACE_BYTES_MAX + 1 + WB_NAME_BYTES_MAX];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	write_u8(&writer, (uint8_t)key->kind);
	write_bytes(&writer, key->ns.data, key->ns.size);
	write_u8(&writer, 0);
	write_bytes(&writer, key->name.data, key->name.size);
	assert(!writer.failed);
	return (uint32_t)XXH3_64bits(bytes, writer.at);
}
