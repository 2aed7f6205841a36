/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes from outside on their way into protobuf-c.
 *
 * protobuf-c has no bound on depth and may take 56 times the memory of its
 * input, so nothing is unpacked that was not walked before, and unpacking
 * takes its memory from an arena with a budget.
 */
#ifndef WAYBILL_IMAGES_PRESCAN_H
#define WAYBILL_IMAGES_PRESCAN_H

#include <protobuf-c/protobuf-c.h>
#include <waybill/store.h>

#define PRESCAN_DEPTH_MAX 16u

/* Are these bytes a message of this kind, at most PRESCAN_DEPTH_MAX deep and
 * of at most `fields_max` fields, with no singular field twice? Fields that
 * the descriptor does not know are stepped over. */
bool prescan(const ProtobufCMessageDescriptor *descriptor,
	     struct wb_bytes bytes, size_t fields_max);

/* Memory for one unpacked message. Freed as a whole by arena_release; what
 * protobuf-c frees before is not reused. */
struct arena_block;
struct arena {
	ProtobufCAllocator allocator; /* for protobuf-c */
	size_t used;		      /* of `near` */
	size_t budget;		      /* bytes that may still be taken */
	bool out_of_memory;	      /* malloc failed, not the budget */
	struct arena_block *far;      /* what did not fit into `near` */
	_Alignas(16) uint8_t near[4096];
};

void arena_init(struct arena *arena, size_t budget);
void arena_release(struct arena *arena);

#endif
