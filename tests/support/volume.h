/* SPDX-License-Identifier: Apache-2.0
 *
 * Words about the segments of a shelf's store: where things are in its files.
 */
#ifndef WAYBILL_TESTS_SUPPORT_VOLUME_H
#define WAYBILL_TESTS_SUPPORT_VOLUME_H

#include "tests/support/shelf.h"

/* "0000000000000001.log"; valid until the next call but three. */
const char *volume_path(uint64_t id);
bool volume_exists(struct shelf *shelf, uint64_t id);
/* Commits of keys "big" and "large" until segment `id` is there; then "big"
 * becomes "small" in it. */
void volume_fill(struct shelf *shelf, uint64_t id);
/* Eight commits in as many segments of about a mebibyte. Settled. */
void volume_fill_eight(struct shelf *shelf);
/* The process ends, and all that it wrote reaches the disk. */
void volume_settle(struct shelf *shelf);
/* Where frame `number` of a segment begins, from 0. */
uint64_t volume_frame(struct shelf *shelf, uint64_t id, unsigned number);
/* Where the FOOTER of a sealed one does. */
uint64_t volume_footer(struct shelf *shelf, uint64_t id);
/* Make that byte 0xa5, or 0x5a where it is that already. */
void volume_spoil(struct shelf *shelf, const char *path, uint64_t at);

/* Segments 1 and 2 are sealed, 3 was cut, 4 is the newest; it holds the
 * commits of "a" and "b" and a MARK. Settled. */
void volume_make(struct shelf *shelf);
/* After that: one commit more, in segment 5, and a write that was torn. */
void volume_tear(struct shelf *shelf);

#endif
