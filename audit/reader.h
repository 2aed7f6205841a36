/* SPDX-License-Identifier: Apache-2.0
 *
 * The second reader: a store's directory, read by the rules of docs/FORMAT.md
 * and by nothing else. It shares no code with the store, so that where the
 * two agree, the page is right and both follow it.
 *
 * It only reads: it takes no lock, syncs nothing and drops no cache, so it
 * tells what the files say now. It never stops at damage: what is behind it
 * is read as well, and marked. Whoever reads a store that is written at the
 * same time may see the last write as torn.
 */
#ifndef WAYBILL_AUDIT_READER_H
#define WAYBILL_AUDIT_READER_H

#include "audit/finding.h"
#include "audit/message.h"
#include "base/file.h"
#include "base/meter.h"

/* What an open would say; the worst finding decides. */
enum audit_verdict {
	AUDIT_NO_STORE, /* nothing is there, or an unfinished creation */
	AUDIT_CLOSED,	/* the log ends with CLOSE */
	AUDIT_CLEAN,	/* it ends with a frame and zeros */
	AUDIT_TORN,	/* its last write did not finish, and is not needed */
	AUDIT_REFUSED,	/* a newer version wrote it */
	AUDIT_CORRUPT,
};

/* Where a commit is. */
struct audit_place {
	const char *file;
	uint64_t segment_id, offset;
	struct audit_frame frame;
	/* The chain value at this commit; meaningful where `whole`. */
	const uint8_t *chain;
	/* All before it is there and verifies. The commits of which this is
	 * true are the history: 1, 2, 3, … False: it lies behind damage. */
	bool whole;
};

/* Everything that is pointed at lasts until the call returns. */
struct audit_visitor {
	/* Each commit that verifies, in the order of the log. An error ends
	 * the reading and is what it returns. NULL: not of interest. */
	enum wb_error (*commit)(void *context,
				const struct audit_commit *commit,
				const struct audit_place *place);
	/* Each thing that is wrong; NULL: only the summary is wanted. */
	void (*finding)(void *context, const struct audit_finding *finding);
	void *context;
	/* How far the reading is, in bytes, as this phase; NULL. */
	struct meter *meter;
	const char *phase;
};

enum audit_read_flags {
	/* Hold the entries of footers against the commits, too. */
	AUDIT_READ_ENTRIES = 1,
	/* A file that cannot be read is a finding, and so is a part of one,
	 * which counts as zeros. Else it is an error. */
	AUDIT_READ_PAST_ERRORS = 2,
	/* Let a second thread compute the chain, if one can be had. Files are
	 * read and the visitor is called by the caller's thread alone, and
	 * what it is told is the same. */
	AUDIT_READ_TWO_THREADS = 4,
};

struct audit_summary {
	enum audit_verdict verdict;
	uint64_t findings[AUDIT_DAMAGE + 1]; /* of each severity */
	uint64_t unreadable; /* of the damages, those that the disk hides */
	uint8_t uuid[AUDIT_UUID_BYTES];
	uint64_t epoch; /* of the newest segment */
	uint64_t segments, commits, mutations;
	uint64_t file_bytes; /* of all segments */
	/* The history as far as it is whole; at its beginning the chain is
	 * chain(0). */
	uint64_t head;
	uint8_t chain[AUDIT_CHAIN_BYTES];
	uint8_t chain_start[AUDIT_CHAIN_BYTES];
	/* Headers, footers and the anchor record the chain. The first commit
	 * that is not the one they record is among these; 0 and 0: none. */
	uint64_t differs_first, differs_last;
	/* Of the newest segment: its id, and where its frames end. */
	uint64_t active_id, end;
	uint64_t torn_bytes; /* from there to the end of the file, if torn */
	/* The newest segment's last frame is a MARK or CLOSE, and behind it
	 * the file goes on with zeros: it was neither cut nor sealed, so it has
	 * no successor, and nothing was being written. So also where something
	 * before that frame is damaged. */
	bool end_proven;
	bool has_anchor;
	struct audit_slot anchor; /* the slot that counts */
};

/* Change number `at` of this commit names a version before it that is not the
 * one that there was: AUDIT_RULE_PREVIOUS. */
struct audit_finding audit_misfit(const struct audit_commit *commit,
				  const struct audit_place *place, size_t at);

/* Read the store in `dir`. Damage is no error: `ret_summary` and the visitor
 * tell of it. WB_IO, WB_PERMISSION: it cannot be read. WB_NO_MEMORY, or what
 * the visitor returns. What the visitor was told until then holds, and
 * `*ret_summary` is untouched. */
enum wb_error audit_read(struct dir *dir, unsigned flags,
			 const struct audit_visitor *visitor,
			 struct audit_summary *ret_summary);

#endif
