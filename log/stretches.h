/* SPDX-License-Identifier: Apache-2.0
 *
 * A segment cut up for reading backwards: frames can only be walked forwards,
 * so it is remembered where a walk may begin, every STRETCH_BYTES or so. To
 * read the newest commits, or those before a revision or a time, is to read a
 * stretch and then the one before it. A stretch without a time early enough
 * need not be read.
 *
 * 16 bytes for each are kept of every segment, 32 KiB for one of 64 MiB.
 */
#ifndef WAYBILL_LOG_STRETCHES_H
#define WAYBILL_LOG_STRETCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

/* All frames of a stretch but its last begin in so many bytes, and a larger
 * frame is alone in its stretch. */
#define STRETCH_BYTES (32u << 10)

struct stretch {
	uint32_t frame;	   /* the first one's offset / FRAME_ALIGN */
	uint32_t revision; /* its, less the segment's first */
	int64_t time_min_ns;
};

struct stretches {
	struct stretch *list;
	size_t count, capacity;
};

/* Room for `commits` more. WB_NO_MEMORY. */
enum wb_error stretches_reserve(struct stretches *stretches, size_t commits);
/* The next commit of the segment; its revision less the segment's first.
 * There must be room. */
void stretches_add(struct stretches *stretches, uint64_t offset,
		   size_t frame_bytes, uint64_t revision, int64_t time_ns);
void stretches_release(struct stretches *stretches);

/* The newest stretch with revisions below `before` (less the segment's first)
 * and a time that is not later than `until_ns`. False: there is none. It ends
 * where the next one begins. */
bool stretches_find(const struct stretches *stretches, uint64_t before,
		    int64_t until_ns, size_t *ret_at);
uint64_t stretches_offset(const struct stretches *stretches, size_t at);

#endif
