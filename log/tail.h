/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows the last frame of the newest segment: is there proof in it
 * that something durable is gone? docs/FORMAT.md, "Behind the end".
 */
#ifndef WAYBILL_LOG_TAIL_H
#define WAYBILL_LOG_TAIL_H

#include "log/frame.h"

/* How many bytes a search hashes at most, as a multiple of the file's size. */
#define TAIL_HASH_TIMES 16u

struct tail {
	const uint8_t *bytes; /* the whole file */
	size_t size;
	uint64_t salt;
	uint64_t end;	     /* where the verifying frames end */
	uint64_t head;	     /* the newest revision there */
	uint64_t debris_end; /* from there on all is zero */
	/* The last frame in front of `end` is a COMMIT: of this group. */
	bool in_group;
	uint64_t group_bytes, group_revision; /* its durable_… */
};

struct tail_proof {
	/* What the frame that was found says; at least one is above `end` or
	 * `head`. 0 and 0: there is none. */
	uint64_t durable_bytes, durable_revision;
	/* The search was given up: there may be one. */
	bool unknown;
	uint64_t hashed; /* bytes */
};

/* WB_UNSUPPORTED: there is proof, and a newer version wrote it. */
enum wb_error tail_search(const struct tail *tail,
			  struct tail_proof *ret_proof);

#endif
