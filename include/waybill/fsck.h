/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking a store's files, repairing what can be repaired in place, and
 * salvaging the rest: what `waybill fsck` does.
 *
 * The files are read by a second reader that shares no code with the store,
 * so they work on a store that wb_store_open refuses. They take the store's
 * lock: WB_LOCKED where somebody else writes, and `ret_text` names him.
 */
#ifndef WAYBILL_FSCK_H
#define WAYBILL_FSCK_H

#include <waybill/progress.h>
#include <waybill/store.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wb_fsck_flags {
	WB_FSCK_REPAIR = 1, /* do what is provably safe, see wb_fsck */
	/* As WB_OPEN_ANY_FILESYSTEM. */
	WB_FSCK_ANY_FILESYSTEM = 4,
};

/* The bits of fsck(8). */
enum wb_fsck_status {
	WB_FSCK_CLEAN = 0,
	WB_FSCK_CORRECTED = 1,
	WB_FSCK_LEFT = 4,	 /* something is wrong and was not corrected */
	WB_FSCK_OPERATIONAL = 8, /* something could not be read or done */
	WB_FSCK_USAGE = 16,
	WB_FSCK_CANCELLED = 32,
};

/* Zero means the default for every field but `size`. */
struct wb_fsck_options {
	size_t size;	  /* sizeof(struct wb_fsck_options) */
	uint32_t flags;	  /* enum wb_fsck_flags; an unknown one: UNSUPPORTED */
	uint32_t threads; /* that check. 0 and 1: the caller's alone; 2: one
			     more, which computes the chain and is gone when
			     the call returns. The answers are the same. */
	wb_report_fn *report; /* standard error */
	void *report_context;
	/* Asked now and then while a check or a salvage works, and between the
	 * steps of a repair: true ends it. */
	bool (*stop)(void *context);
	void *stop_context;
	/* Phases: "check", and "names" where some may be lost, in bytes that
	 * are read; with a repair "repair", of which no total is known, and
	 * then both again. A salvage: after them "search", "copy" (in commits)
	 * and "verify". */
	wb_progress_fn *progress;
	void *progress_context;
};

/* ---- check and repair ---- */

enum wb_finding_state {
	WB_FINDING_NOTED, /* nothing is wrong */
	WB_FINDING_LEFT,
	WB_FINDING_FIXED,
};

/* A name that a finding affects. */
struct wb_finding_name {
	struct wb_key key;
	uint64_t revision; /* of the change; 0: not known */
	bool exact;	   /* another copy says so; else: probably */
};

/* All pointers are valid until the callback returns. */
struct wb_finding {
	const char *code;     /* what rule is broken, stable: "frame" */
	const char *severity; /* "note", "warning", "unsupported", "damage" */
	enum wb_finding_state state;
	const char *file; /* relative to the store's directory; "": none */
	uint64_t offset;
	uint64_t bytes; /* from there on; 0: not said */
	/* The revisions that it affects; 0 and 0: none, or not known. */
	uint64_t revision_first, revision_last;
	const char *text;   /* what that means */
	const char *what;   /* this case */
	const char *remedy; /* stable: "leave", "open", "repair", "rebuild",
			       "restore", "salvage", "again", "access",
			       "upgrade", "move" */
	const char *advice; /* the same for people */
	const struct wb_finding_name *names; /* by revision and key */
	size_t name_count;
	uint64_t more_names; /* that are not told, or not known */
};

struct wb_fsck_summary {
	size_t size;	 /* sizeof(struct wb_fsck_summary), set by the caller */
	unsigned status; /* bits of enum wb_fsck_status */
	/* Findings of at least a warning. */
	uint64_t found, fixed, left;
	uint64_t notes;
	uint64_t unreadable; /* of them, places that cannot be read */
	uint64_t untold;     /* of them, too many to be told one by one */
	/* By damage: lost, or behind it, where an open does not reach. What a
	 * salvage cannot keep is mostly less. */
	uint64_t revisions_affected;
	uint64_t names_exact, names_probable;
	uint8_t uuid[16];
	uint64_t epoch;
	uint64_t segments, commits, mutations, file_bytes;
	/* The history as far as it is whole, and its chain value. */
	uint64_t revision;
	uint8_t chain[32];
};

/* Check the store in directory `path`: every rule of docs/FORMAT.md. `visit`
 * is told each finding; those that were fixed come last. Damage is no error:
 * `ret_summary` says how it stands.
 *
 * With WB_FSCK_REPAIR: a bad header copy or anchor slot is written again, an
 * anchor rebuilt where the log proves it, an unacknowledged torn tail cut and
 * kept in torn/, tmp/ swept. Nothing else is changed, and nothing of this can
 * lose what was acknowledged. An error of a repair comes back when all was
 * told, and is in `ret_summary`, too. Where `stop` ends it (WB_CANCELLED) what
 * was begun is finished, and nothing is told; another repair does the rest.
 *
 * WB_NOT_A_STORE, WB_LOCKED; WB_IO, WB_PERMISSION: the directory cannot be
 * read; WB_BAD_INPUT, WB_USAGE, WB_NO_MEMORY as wb_store_open. */
WB_API enum wb_error wb_fsck(const char *path,
			     const struct wb_fsck_options *options,
			     void (*visit)(void *context,
					   const struct wb_finding *finding),
			     void *context, struct wb_fsck_summary *ret_summary,
			     struct wb_text *ret_text);

/* ---- salvage ---- */

enum wb_salvage_now {
	WB_SALVAGE_CURRENT, /* a later change of it survived */
	WB_SALVAGE_OLDER,   /* the new store has what was before */
	WB_SALVAGE_ABSENT,  /* the new store has never heard of it */
};

/* A change that is lost. */
struct wb_salvage_name {
	struct wb_key key;
	uint64_t revision; /* 0: not known */
	bool exact;	   /* another copy says so; else: probably */
	enum wb_salvage_now now;
};

/* Commits first to last of the damaged store have revisions from `to` on in
 * the new one, because others before them are lost. */
struct wb_salvage_move {
	uint64_t first, last, to;
};

/* What is told, in this order. NULL: not of interest. */
struct wb_salvage_visitor {
	size_t size; /* sizeof(struct wb_salvage_visitor) */
	void (*finding)(void *context, const struct wb_finding *finding);
	void (*lost)(void *context, uint64_t first, uint64_t last);
	void (*moved)(void *context, const struct wb_salvage_move *move);
	void (*name)(void *context, const struct wb_salvage_name *name);
	void (*checked)(void *context, const struct wb_fsck_summary *summary);
	void *context;
};

struct wb_salvage_summary {
	size_t size; /* sizeof(struct wb_salvage_summary), set by the caller */
	unsigned status; /* bits of enum wb_fsck_status */
	uint8_t uuid[16];
	uint64_t epoch;	  /* of the new store */
	uint64_t commits; /* that were brought over */
	/* The new store's: one more, the commit of the mark. */
	uint64_t revision;
	/* Up to here a revision, and its chain value, is what it was. */
	uint64_t unchanged;
	uint64_t revisions_lost; /* provably */
	uint64_t names_exact, names_probable;
	uint64_t names_unknown;	     /* changes whose names nobody knows */
	uint64_t revisions_nameless; /* lost, and none of their names known */
	/* How many commits there were from this revision on cannot be told:
	 * nothing proves where the log ended, and WB_FSCK_LEFT is said. Not
	 * counted as lost; names from there on are "probably". 0: what is lost
	 * is what was counted. */
	uint64_t unknown_from;
};

#define WB_SALVAGE_LIST "salvage.jsonl"

/* Make a store in directory `to`, which must be empty or not exist, of all
 * that verifies in the one in `from`, which is not changed.
 *
 * It is the same store (uuid) in a new epoch. Each commit that is left is
 * there, with its time, actor, reason and operation id. Those before the first
 * loss have their revisions and chain values, so that a head that was exported
 * then still verifies; those behind a gap move up, as revisions are dense.
 * Nothing stands in for what is lost: it is told, and listed in the file
 * WB_SALVAGE_LIST of `to`, one JSON object a line. The last commit is a mark
 * (WB_KIND_GC_BLOCKED): no garbage is collected until a person says so.
 *
 * The new store is read back and compared before it is one; an error, a full
 * disk or a power cut before that leaves none. WB_EXISTS: `to` is not empty.
 * WB_NOT_FOUND: there is no directory to make it in. WB_USAGE: `to` is `from`,
 * or in it. WB_PERMISSION: a file of `from` may not be read, too.
 * WB_UNSUPPORTED: a newer version wrote `from`. WB_CANCELLED: `stop` said so.
 * WB_CORRUPT: what was read back is not what was written; or `from` is what a
 * salvage or a load left that did not finish. Else as wb_fsck. */
WB_API enum wb_error wb_salvage(const char *from, const char *to,
				const struct wb_fsck_options *options,
				const struct wb_salvage_visitor *visitor,
				struct wb_salvage_summary *ret_summary,
				struct wb_text *ret_text);

#ifdef __cplusplus
}
#endif
#endif
