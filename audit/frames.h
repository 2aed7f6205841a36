/* SPDX-License-Identifier: Apache-2.0
 *
 * Every piece of one segment file, also of a damaged one, of a newer version's
 * and of one that belongs to no store: what verifies, what looks as if it once
 * did, and what lies between.
 */
#ifndef WAYBILL_AUDIT_FRAMES_H
#define WAYBILL_AUDIT_FRAMES_H

#include "audit/message.h"
#include "base/file.h"

/* Where the salt is from, without which no frame verifies. */
enum audit_salt {
	AUDIT_SALT_HEADER,  /* a copy of the header that verifies */
	AUDIT_SALT_GUESSED, /* a bad copy; but there are frames that verify */
	AUDIT_SALT_UNKNOWN, /* neither: no frame can be verified */
};

struct audit_frames_head {
	uint64_t file_bytes;
	enum audit_seen copies[2];
	/* Of a copy that holds; meaningful where has_header. */
	bool has_header;
	struct audit_header header;
	enum audit_salt salt_from;
	uint64_t salt;
};

enum audit_piece_kind {
	AUDIT_PIECE_FRAME,   /* its checksum holds */
	AUDIT_PIECE_DAMAGED, /* a frame's beginning; its checksum fails */
	AUDIT_PIECE_GARBAGE, /* neither a frame nor zeros */
	AUDIT_PIECE_ZEROS,
	AUDIT_PIECE_UNREADABLE, /* zeros or garbage, some of it not read */
};

struct audit_piece {
	enum audit_piece_kind kind;
	uint64_t offset, bytes;
	/* The rest is of FRAME and DAMAGED; of the latter it is what the bytes
	 * say, and nothing vouches for it. */
	struct audit_frame frame;
	enum audit_seen seen;
	struct wb_bytes payload;
	/* Of a COMMIT, as far as its payload can be decoded; else NULL. */
	const struct audit_commit *commit;
	/* Which rule it breaks, its payload included; "": none. */
	const char *why;
};

/* The slots of an anchor, whatever its size. */
struct audit_anchor_look {
	uint64_t file_bytes;
	enum audit_seen seen[2];    /* AUDIT_FAILS also where it is too short */
	struct audit_slot slots[2]; /* where AUDIT_HOLDS */
	const char *why[2];
};
/* Errors as audit_frames; what cannot be read fails. */
enum wb_error audit_anchor_look(struct dir *dir, const char *name,
				struct audit_anchor_look *ret_look);

/* Everything that is pointed at lasts until the call returns. False: stop. */
typedef bool audit_piece_fn(void *context, const struct audit_piece *piece);

/* Visit all pieces of the file `name` of `dir`, from its first frame's place
 * to its end, without a gap. `*ret_head` is filled before the first visit.
 * WB_IO, WB_NOT_FOUND, WB_PERMISSION: it cannot be opened. WB_NO_MEMORY. A file
 * that is no segment is no error, and what cannot be read of it a piece. */
enum wb_error audit_frames(struct dir *dir, const char *name,
			   struct audit_frames_head *ret_head,
			   audit_piece_fn *visit, void *context);

#endif
