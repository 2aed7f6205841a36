/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be wrong with a store's files: one list, and what is told of each
 * thing that is found.
 */
#ifndef WAYBILL_AUDIT_FINDING_H
#define WAYBILL_AUDIT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/error.h>

/* Ordered: the worst finding decides about the store. */
enum audit_severity {
	AUDIT_NOTE,    /* nothing is wrong */
	AUDIT_WARNING, /* an open mends it, or goes on beside it, and says so */
	AUDIT_UNSUPPORTED, /* a newer version wrote it: an open refuses */
	AUDIT_DAMAGE,	   /* an open refuses, wherever it looks */
};

enum audit_remedy {
	AUDIT_LEAVE,   /* nothing has to be done */
	AUDIT_OPEN,    /* the next open for writing sees to it */
	AUDIT_REPAIR,  /* another copy has all of it: safe to write again */
	AUDIT_REBUILD, /* the log proves all of it: safe to write again */
	AUDIT_RESTORE, /* put the right file back, or salvage without it */
	AUDIT_SALVAGE, /* keep what verifies, in a new store */
	AUDIT_AGAIN,   /* remove it all, and do it again */
	AUDIT_ACCESS,  /* read it as a user who may */
	AUDIT_UPGRADE, /* use a newer version */
	AUDIT_MOVE,    /* it is not the store's, and in its way */
};

/* Name, stable code, severity, remedy, what it means. */
/* clang-format off */
#define AUDIT_RULE_LIST(X)                                                    \
	/* files */                                                           \
	X(HEADER_COPY, "header-copy", WARNING, REPAIR,                        \
	  "one copy of a segment's header is bad")                            \
	X(HEADER, "header", DAMAGE, SALVAGE,                                  \
	  "a segment has no header: neither copy is good")                    \
	X(HEADER_COPIES_DIFFER, "header-copies-differ", DAMAGE, SALVAGE,      \
	  "the copies of a segment's header say different things")            \
	X(HEADER_NEWER, "header-newer", UNSUPPORTED, UPGRADE,                 \
	  "a newer version wrote this segment")                               \
	X(SEGMENT_KIND, "segment-kind", UNSUPPORTED, UPGRADE,                 \
	  "a base or horizon segment")                                        \
	X(SEGMENT_NAME, "segment-name", DAMAGE, RESTORE,                      \
	  "a segment's id or kind is not that of its name")                   \
	X(SEGMENT_SIZE, "segment-size", DAMAGE, RESTORE,                      \
	  "a file that is too long for a segment")                            \
	X(SEGMENT_STORE, "segment-store", DAMAGE, RESTORE,                    \
	  "a segment of another store")                                       \
	X(UNREADABLE, "unreadable", DAMAGE, RESTORE,                          \
	  "a file, or a part of it, cannot be read")                          \
	/* anchor */                                                          \
	X(CREATION, "creation", NOTE, OPEN,                                   \
	  "the creation of the store was not finished")                       \
	X(UNFINISHED, "salvage-unfinished", DAMAGE, AGAIN,                    \
	  "a salvage or a load into this directory did not finish")           \
	X(ANCHOR_MISSING, "anchor-missing", DAMAGE, SALVAGE,                  \
	  "there is a log, and no anchor")                                     \
	X(ANCHOR_SLOT, "anchor-slot", WARNING, REPAIR,                        \
	  "one slot of the anchor is bad")                                    \
	X(ANCHOR, "anchor", DAMAGE, SALVAGE,                                  \
	  "both slots of the anchor are bad")                                 \
	X(ANCHOR_SIZE, "anchor-size", DAMAGE, SALVAGE,                        \
	  "the anchor is not as long as two slots")                           \
	X(ANCHOR_NEWER, "anchor-newer", UNSUPPORTED, UPGRADE,                 \
	  "a newer version wrote the anchor")                                 \
	X(ANCHOR_STORE, "anchor-store", DAMAGE, RESTORE,                      \
	  "the anchor of another store")                                      \
	X(ANCHOR_AHEAD, "anchor-ahead", DAMAGE, RESTORE,                      \
	  "the anchor names a segment that is not there")                     \
	X(ANCHOR_OLD, "anchor-old", DAMAGE, SALVAGE,                          \
	  "the anchor is older than the log")                                 \
	X(ANCHOR_BEHIND, "anchor-behind", WARNING, OPEN,                      \
	  "the anchor is older than it could be: a crash, or an older copy")  \
	X(ANCHOR_CHAIN, "anchor-chain", DAMAGE, SALVAGE,                      \
	  "the history differs from what the anchor recorded")                \
	X(ANCHOR_DURABLE, "anchor-durable", DAMAGE, SALVAGE,                  \
	  "the anchor records more than the segment before the newest has")   \
	/* the set of segments */                                             \
	X(BEGINNING, "beginning", DAMAGE, RESTORE,                            \
	  "the oldest segment does not begin the history")                    \
	X(GAP, "gap", DAMAGE, RESTORE,                                        \
	  "a segment follows one that is not there, or not readable")           \
	X(LINK, "link", DAMAGE, SALVAGE,                                      \
	  "a segment says otherwise about the end of the one before it")      \
	/* frames */                                                          \
	X(FRAME, "frame", DAMAGE, SALVAGE,                                    \
	  "a frame that was durable does not verify")                         \
	X(FRAME_RULE, "frame-rule", DAMAGE, SALVAGE,                          \
	  "a frame verifies and breaks a rule")                               \
	X(FRAME_NEWER, "frame-newer", UNSUPPORTED, UPGRADE,                   \
	  "a newer version wrote this frame")                                 \
	X(GROUP, "group", DAMAGE, SALVAGE,                                    \
	  "a frame's durable revision or bytes contradict its place")         \
	X(REVISION, "revision", DAMAGE, SALVAGE,                              \
	  "revisions do not follow each other")                               \
	X(COMMIT, "commit", DAMAGE, SALVAGE,                                  \
	  "a frame verifies, and its commit breaks a rule")                   \
	X(PREVIOUS, "previous", DAMAGE, SALVAGE,                              \
	  "a change does not follow the key's version before")                \
	X(FOOTER_RULE, "footer", DAMAGE, SALVAGE,                             \
	  "a footer contradicts the frames before it")                        \
	X(FOOTER_INDEX, "footer-index", DAMAGE, SALVAGE,                      \
	  "a footer's entries are not those of its segment")                  \
	X(SEALED_TAIL, "sealed-tail", DAMAGE, SALVAGE,                        \
	  "bytes behind the footer of a sealed segment")                      \
	X(FLOOR, "floor", DAMAGE, SALVAGE,                                    \
	  "the log cannot be read up to its durable end")                     \
	X(END, "end", DAMAGE, SALVAGE,                                        \
	  "nothing proves where the log ended: there may have been more")     \
	X(SEARCH, "search", DAMAGE, SALVAGE,                                  \
	  "too much that looks like frames: they were not all tried")         \
	X(OPERATION, "operation", DAMAGE, SALVAGE,                            \
	  "an operation id has two effects within its window")                \
	/* the end of the log, and what is left over */                       \
	X(TORN, "torn", WARNING, OPEN,                                        \
	  "the last write did not finish")                                    \
	X(DEBRIS, "debris", NOTE, OPEN,                                       \
	  "a cut segment was not truncated yet")                              \
	X(TEMPORARY, "temporary", NOTE, LEAVE,                                \
	  "a file in the making, or a spare one")                             \
	X(KEPT, "kept", NOTE, LEAVE,                                          \
	  "what a recovery cut off, kept for people")                         \
	X(STRAY, "stray", WARNING, MOVE,                                      \
	  "something else is where a store has its own")
/* clang-format on */

enum audit_rule {
#define AUDIT_RULE_ENUM(name, code, severity, remedy, text) AUDIT_RULE_##name,
	AUDIT_RULE_LIST(AUDIT_RULE_ENUM)
#undef AUDIT_RULE_ENUM
		AUDIT_RULE_COUNT,
};

struct audit_finding {
	enum audit_rule rule;
	enum audit_severity severity;
	enum audit_remedy remedy;
	const char *file;
	uint64_t offset;
	uint64_t bytes; /* from there on; 0: not said */
	/* The commits it affects; 0 and 0: none, or not known. A `last` of
	 * UINT64_MAX: all from the first on. */
	uint64_t revision_first, revision_last;
	char what[120]; /* this case: "checksum", "id is 3" */
};

/* "header-copy"; "one copy …"; "damage"; "salvage"; what a person can do. */
const char *audit_rule_code(enum audit_rule rule);
const char *audit_rule_text(enum audit_rule rule);
const char *audit_severity_name(enum audit_severity severity);
const char *audit_remedy_name(enum audit_remedy remedy);
const char *audit_remedy_text(enum audit_remedy remedy);

/* A finding with the severity and the remedy of its rule. */
struct audit_finding audit_finding_of(enum audit_rule rule, const char *file,
				      uint64_t offset);
/* A file that could not be read, for this reason. */
struct audit_finding audit_unreadable(const char *file, enum wb_error error);

/* Why `error` came of `file` just now: "not a regular file". */
const char *audit_why(const char *file, enum wb_error error);

#endif
