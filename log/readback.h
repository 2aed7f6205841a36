/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a segment's file back, a piece at a time: a frame, a commit, a
 * stretch of commits, a page of the footer. Each piece that is handed out was
 * verified by that read; what does not verify was durable once, so it is
 * WB_CORRUPT, reported with file and offset. One thread's.
 */
#ifndef WAYBILL_LOG_READBACK_H
#define WAYBILL_LOG_READBACK_H

#include "base/diag.h"
#include "base/file.h"
#include "log/commit.h"
#include "log/frame.h"
#include "log/pages.h"
#include "log/stretches.h"

/* What there is to know of a segment, as it was when somebody looked. */
struct spot {
	uint64_t id;
	uint64_t salt;
	uint64_t end;	    /* of its frames but the footer */
	uint64_t footer_at; /* of a sealed one */
};

struct readback {
	struct dir *dir;
	const struct diag *diag;
	struct spot spot; /* id 0: none is open */
	char name[SEGMENT_NAME_SIZE];
	struct file *file;
	/* What of the file is in memory. */
	uint8_t *bytes;
	size_t capacity, size;
	uint64_t at;
	size_t guess; /* how long the next commit's frame may be */
};

void readback_init(struct readback *readback, struct dir *dir,
		   const struct diag *diag);
void readback_release(struct readback *readback);

/* Go on with this segment. */
enum wb_error readback_open(struct readback *readback, const struct spot *spot);

/* The frame at `offset`, in `readback`'s memory until the next read. One that
 * is not there yet is read, together with what is before it from `begin` on:
 * up to `guess` bytes of it at first, and more if its header says so. */
enum wb_error readback_frame(struct readback *readback, uint64_t begin,
			     uint64_t offset, size_t guess,
			     struct frame *ret_frame);

/* Number `at` of some places. Those that follow it are read together with
 * it, if they are near. It points into the readback's memory, until the next
 * read. */
enum wb_error readback_commit(struct readback *readback,
			      const struct places *places, size_t at,
			      struct commit *ret_commit);

/* All commits between two offsets; each is there, or it is an error. */
#define STRETCH_COMMITS_MAX (STRETCH_BYTES / FRAME_HEADER_BYTES + 1)
struct stretch_commits {
	size_t count;
	uint32_t frames[STRETCH_COMMITS_MAX]; /* oldest first */
};
enum wb_error readback_stretch(struct readback *readback, uint64_t from,
			       uint64_t to,
			       struct stretch_commits *ret_commits);
/* Number `at` of them, which is to have that revision. */
enum wb_error readback_stretch_commit(struct readback *readback,
				      const struct stretch_commits *commits,
				      size_t at, uint64_t revision,
				      struct commit *ret_commit);

/* The bytes of a page, until the next read. */
enum wb_error readback_page(struct readback *readback,
			    const struct pages *pages, size_t at,
			    const uint8_t **ret_bytes);

#endif
