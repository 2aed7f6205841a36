/* SPDX-License-Identifier: Apache-2.0
 *
 * From the first frame of the oldest segment to the last of the newest:
 * steps 5, 6 and 7 of "Opening". Private to audit/.
 */
#ifndef WAYBILL_AUDIT_WALK_H
#define WAYBILL_AUDIT_WALK_H

#include "audit/chain.h"
#include "audit/links.h"
#include "audit/set.h"
#include "base/control.h"

/* A frame with its bytes, which last until the next one is read. */
struct walk_frame {
	uint64_t at;
	enum audit_seen seen;
	const char *why; /* AUDIT_BREAKS */
	struct audit_frame frame;
	const uint8_t *payload;
};

struct walk {
	struct dir *dir;
	const struct report *report;
	unsigned flags;
	const struct audit_set *set;
	struct window window;
	struct audit_message message;
	struct audit_chain sha;

	/* ---- the log so far ---- */
	uint64_t head;
	uint8_t chain[AUDIT_CHAIN_BYTES];
	bool chain_known;
	bool whole;	   /* nothing is missing so far */
	bool newer;	   /* it ended at a newer version's frame */
	uint64_t recorded; /* the newest revision whose chain value is that
			      on record */

	/* ---- the segment at hand ---- */
	const struct audit_segment *segment;
	const struct audit_segment *next; /* that follows it; NULL: newest */
	uint64_t at;			  /* of the next frame */
	uint64_t bytes_before;		  /* of all segments before it */
	unsigned last_type;		  /* 0: there is no frame yet */
	bool lost;			  /* frames of it are missing */
	bool resynced;			  /* those before the next one are */
	uint64_t group_at, group_revision;
	uint64_t marked; /* end of the newest MARK or CLOSE; 0: none */
	uint64_t limit;	 /* where it ends, by `next`; UINT64_MAX: not known */
	uint64_t first_revision, commits, mutations;
	int64_t time_min_ns, time_max_ns;
	struct audit_entry *entries; /* what its footer should say */
	size_t entry_count, entry_capacity;

	/* ---- the frames in the window, see ahead.c ---- */
	struct links *links; /* NULL: one thread does it all */
	unsigned piece;	     /* of the links: what is in the window */
	uint64_t moves;	     /* of the window, when they were asked for */
	uint64_t ahead_end;  /* where its last whole frame ends */

	/* ---- the end of the log ---- */
	uint64_t floor_bytes, floor_revision;
	uint64_t end_before; /* of the segment before the newest; 0: unknown */
	bool holds_frames;   /* the newest segment does */
	bool torn;
};

/* Bytes of one segment that may be hashed in search of frames, as a multiple
 * of its size: without a bound, a value made of frame headers that each claim
 * 16 MiB would keep us for hours. */
enum { WALK_SEARCH_TIMES = 16 };

/* Walk all segments of the set. */
enum wb_error walk_all(struct walk *walk);
/* Free what it took. */
void walk_release(struct walk *walk);

/* The frame at `at` of the window's file. AUDIT_FAILS where there is none. */
enum wb_error walk_read_frame(struct window *window, uint64_t salt, uint64_t at,
			      struct walk_frame *ret_frame);
/* The next place where a frame's magic is, at a multiple of 8 from `from`;
 * `end`: nowhere before it. */
enum wb_error walk_find_magic(struct window *window, uint64_t from,
			      uint64_t end, uint64_t *ret_at);
/* The first frame whose checksum holds, at a multiple of 8 from `from` to
 * before `end`. `ret_frame->seen` is AUDIT_FAILS: there is none. `*budget` is
 * how many bytes may be hashed; at 0 the search was given up. */
enum wb_error walk_find_frame(struct window *window, uint64_t salt,
			      uint64_t from, uint64_t end, uint64_t *budget,
			      struct walk_frame *ret_frame);
uint64_t walk_search_budget(const struct window *window);

/* Behind walk->at, in the newest segment: a frame which proves that something
 * durable is gone. `ret_frame->seen` is AUDIT_HOLDS, or AUDIT_NEWER; or
 * AUDIT_FAILS: there is none, or, `*ret_unknown`, there may be one. */
enum wb_error walk_find_proof(struct walk *walk, struct walk_frame *ret_frame,
			      bool *ret_unknown);

/* Take the next frame, which holds. */
enum wb_error walk_take_frame(struct walk *walk,
			      const struct walk_frame *frame);

/* Hold a footer against what was walked. */
void walk_check_footer(struct walk *walk, const struct walk_frame *frame);
/* Remember the entries that a commit makes. */
enum wb_error walk_note_entries(struct walk *walk,
				const struct audit_commit *commit, uint64_t at);

/* Before the frame at walk->at is read: see to it that the window begins there
 * or has all of it, and that what follows is on the way. */
enum wb_error walk_look_ahead(struct walk *walk);
/* walk->chain(n) from walk->chain(n-1). False: no memory. */
bool walk_chain_next(struct walk *walk, struct wb_bytes payload);
/* Is this the chain value here, as a header, a footer or the anchor has it?
 * Notes how far they agree, and where they part. */
bool walk_chain_is(struct walk *walk, const uint8_t *recorded,
		   enum control control);
/* All segments were walked: does anything say where the log ended? Without an
 * anchor it is the log itself that proves it, or nothing does. */
void walk_check_end(struct walk *walk);
/* There is an anchor that says what was durable, and an open takes it. */
bool walk_has_floor(const struct walk *walk);
/* In the newest segment, from walk->at on: is its end proven? */
enum wb_error walk_prove_end(struct walk *walk);

/* Where the anchor's revision is reached: is this its chain value? */
void walk_check_anchor_chain(struct walk *walk);

#endif
