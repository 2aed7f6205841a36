/* SPDX-License-Identifier: Apache-2.0
 *
 * A second thread that computes the chain ahead of the walk. Private to
 * audit/.
 *
 * Most of the time of a check is SHA-256, and each value needs the one before
 * it. So one thread follows the chain alone, through pieces of a segment that
 * are in memory; the other reads the files, verifies, decodes and tells. What
 * the second one says is a link: this payload, behind that value, gives this
 * value. The walk takes a link where its own value and payload are those, and
 * else computes. So what is found, and in which order, does not depend on the
 * second thread; and it touches no file, no callback and no memory that it
 * would have to be given.
 */
#ifndef WAYBILL_AUDIT_LINKS_H
#define WAYBILL_AUDIT_LINKS_H

#include "audit/layout.h"

#include <waybill/store.h>

/* Pieces that are known at a time, and frames of one. */
enum { LINKS_PIECES = 2, LINKS_FRAMES_MAX = 4096 };

struct links;

/* NULL: there can be no second thread, and the first has to do without. */
struct links *links_new(void);
void links_free(struct links *links);

/* Follow the chain through the frames in these bytes: whole ones, one behind
 * the other, at most LINKS_FRAMES_MAX, as they claim to be. `before` is the
 * value in front of them; NULL: that at the end of the piece that was asked
 * for last. The bytes must stay until links_wait(piece). */
void links_ask(struct links *links, unsigned piece, struct wb_bytes bytes,
	       const uint8_t *before);
/* Until it is done. At once where it was not asked for. */
void links_wait(struct links *links, unsigned piece);

/* The value behind `before` and the commit whose payload this is, of a piece
 * that was waited for; NULL: not known. Asked for in the order of the bytes. */
const uint8_t *links_find(struct links *links, unsigned piece,
			  struct wb_bytes payload, const uint8_t *before);

/* Where the last whole frame in these bytes ends, as they claim to be, of the
 * first LINKS_FRAMES_MAX. */
size_t links_frames(struct wb_bytes bytes);

#endif
