/* SPDX-License-Identifier: Apache-2.0
 *
 * The payload of a COMMIT frame: a `Commit` in protobuf's encoding.
 *
 * Decoded here by hand. Generated code was discarded: it allocates for each
 * part of a message on the word of bytes from a disk, and it would be one
 * more thing that both readers of the format have in common.
 */
#ifndef WAYBILL_AUDIT_MESSAGE_H
#define WAYBILL_AUDIT_MESSAGE_H

#include "audit/layout.h"

#include <waybill/store.h>

struct audit_mutation {
	struct wb_key key;
	uint64_t key_hash; /* audit_key_hash() of it */
	struct wb_bytes value;
	bool deleted;
	uint64_t previous_revision; /* of this key; 0: there was none */
};

/* All pointers go into the payload and the message that decoded it. */
struct audit_commit {
	uint64_t revision;
	int64_t time_ns;
	uint32_t uid, gid;
	int32_t pid;
	struct wb_bytes command, reason;
	struct wb_bytes operation_ns, operation_id;
	uint64_t request_hash;
	struct wb_bytes payload;
	const struct audit_mutation *mutations;
	size_t mutation_count;
};

/* Room for one commit at a time; all zero: empty. */
struct audit_message {
	struct audit_commit commit;
	struct audit_mutation *mutations;
	uint32_t *places; /* twice `capacity`: to find a key twice */
	size_t count, capacity;
};

void audit_message_release(struct audit_message *message);

/* Decode into message->commit. WB_CORRUPT: `*ret_why` says which rule the
 * payload breaks; what was decoded until then is there, so that one who looks
 * at damage may see it: each mutation in it has a valid key. WB_NO_MEMORY. */
enum wb_error audit_message_read(struct audit_message *message,
				 struct wb_bytes payload, const char **ret_why);

/* The XXH3 of the key's encoding. Its low half is what a footer knows it by. */
uint64_t audit_key_hash(const struct wb_key *key);

/* The encoding of a key, at most AUDIT_KEY_BYTES_MAX; returns its size. */
enum {
	AUDIT_KEY_BYTES_MAX =
		2 + AUDIT_NAMESPACE_BYTES_MAX + AUDIT_NAME_BYTES_MAX,
};
size_t audit_key_encode(const struct wb_key *key,
			uint8_t bytes[AUDIT_KEY_BYTES_MAX]);

/* The order of the encodings. */
int audit_key_compare(const struct wb_key *a, const struct wb_key *b);

#endif
