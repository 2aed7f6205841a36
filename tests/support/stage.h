/* SPDX-License-Identifier: Apache-2.0
 *
 * What the scenarios stand on.
 */
#ifndef WAYBILL_TESTS_SUPPORT_STAGE_H
#define WAYBILL_TESTS_SUPPORT_STAGE_H

#include "log/frame.h"
#include "log/segment.h"
#include "tests/support/crashwork.h"
#include "tests/support/scenario.h"

/* A new store, nobody watches, nothing is nested. */
struct workload *stage_begin(uint64_t seed);
/* Ends it; moves its complaint. */
bool stage_end(struct workload *work, struct complaint *complaint);

/* Commits of one group each until there are `segments` segment files. */
bool stage_fill(struct workload *work, unsigned segments);
/* The id of the newest segment. */
uint64_t stage_newest(struct workload *work);
const char *stage_path(uint64_t id); /* valid until the next call but one */

/* The process ends without CLOSE. */
void stage_kill(struct workload *work);
/* And all that it wrote reaches the disk: so raw access wants it. */
void stage_settle(struct workload *work);

/* The store must not open: WB_CORRUPT, and nothing is changed. */
bool stage_is_loud(struct workload *work, const char *what);
/* It must open and hold all that was acknowledged. */
bool stage_is_whole(struct workload *work, const char *what);

/* Where the frames of a segment stand. */
struct frame_place {
	uint64_t at;
	struct frame frame; /* without its payload */
};
enum { FRAMES_MAX = 256 };
size_t stage_frames(struct workload *work, uint64_t id,
		    struct frame_place places[FRAMES_MAX]);
/* The last COMMIT among them. */
const struct frame_place *stage_last_commit(const struct frame_place *places,
					    size_t count);
/* Put a frame in the place of another, checksum and all; `bytes` has room for
 * its header. */
void stage_reseal(struct workload *work, uint64_t id,
		  const struct frame_place *place, uint8_t *bytes);

extern const char check_loud[];	 /* damage is an error */
extern const char check_whole[]; /* what is no damage is none */

#endif
