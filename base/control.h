/* SPDX-License-Identifier: Apache-2.0
 *
 * Negative controls: one id for every step that a promise stands on.
 *
 * A harness that passes proves nothing until it has been seen to fail. Each
 * sync, directory sync, rename, verification and ordering step names its id.
 * Of a sync, a dropped cache and a rename the type asks for it; a verification
 * names it by convention. The test build can switch one off, and
 * the test named beside it must then fail. In any other build control_off() is
 * a constant and costs nothing.
 */
#ifndef WAYBILL_BASE_CONTROL_H
#define WAYBILL_BASE_CONTROL_H

#include <stdbool.h>

/* Id, what it protects. */
/* clang-format off */
#define CONTROL_LIST(X)                                                       \
	X(GROUP_SYNC, "fdatasync of a group before it is acknowledged")       \
	X(ABORT_SYNC, "sync after an unwritten group was truncated away")     \
	X(HEADER_SYNC, "sync of a new segment's header before its rename")    \
	X(SEGMENT_RENAME, "rename of a new segment into place")               \
	X(SEGMENT_DIR_SYNC, "directory sync after that rename")               \
	X(SEAL_SYNC, "sync of the footer before a successor exists")          \
	X(ANCHOR_SYNC, "sync of an anchor slot")                              \
	X(ANCHOR_CREATE_SYNC, "sync of the first anchor before its rename")   \
	X(ANCHOR_ROTATE, "anchor written before a new segment's first ack")   \
	X(ANCHOR_CATCH_UP, "anchor at most one segment behind, in an open too") \
	X(ANCHOR_RENAME, "rename of the first anchor into place")             \
	X(ANCHOR_DIR_SYNC, "directory sync after that rename")                \
	X(RECOVER_SYNC, "fsync of the newest segment, before reading it")     \
	X(RECOVER_DROP_CACHE, "reading the disk, not the page cache")         \
	X(RECOVER_ANCHOR_SYNC, "the same for the anchor: fsync")              \
	X(RECOVER_ANCHOR_DROP_CACHE, "and reading the disk")                  \
	X(RECOVER_DIR_SYNC, "directory sync before building on its names")    \
	X(RECOVER_PARENT_SYNC, "the same for the store's own name")           \
	X(RECOVER_FLOOR, "comparing what was recovered with the floor")       \
	X(FLOOR_BYTES, "what a frame behind a tear says of the bytes before")  \
	X(CUT_ORDER, "the cut is durable before the old tail is changed")     \
	X(TORN_SYNC, "sync of the debris that is kept")                       \
	X(TORN_RENAME, "rename of the debris into torn/")                     \
	X(TORN_DIR_SYNC, "directory sync after that rename")                  \
	X(CREATE_DIR_SYNC, "sync of the parent directory at creation")        \
	X(FRAME_VERIFY, "checksum of a frame read from disk")                 \
	X(FRAME_SEED, "salt and offset in a frame's checksum")                \
	X(PAGE_VERIFY, "checksum of a page of a footer, read back")           \
	X(HEADER_VERIFY, "checksum of a segment header")                      \
	X(ANCHOR_VERIFY, "checksum of an anchor slot")                        \
	X(RECORD_VERIFY, "checksum of a record read from memory")             \
	X(HEADER_COPIES, "both copies of a header say the same")              \
	X(AUDIT_HEADER_VERIFY, "fsck: checksum of a segment header")          \
	X(AUDIT_ANCHOR_VERIFY, "fsck: checksum of an anchor slot")            \
	X(AUDIT_FRAME_VERIFY, "fsck: checksum of a frame")                    \
	X(AUDIT_HEADER_COPIES, "fsck: both copies of a header say the same")  \
	X(AUDIT_CHAIN_BEGINNING, "fsck: chain value of the first segment")    \
	X(AUDIT_CHAIN_SUCCESSOR, "fsck: chain value against the successor")   \
	X(AUDIT_CHAIN_FOOTER, "fsck: chain value against the footer")         \
	X(AUDIT_CHAIN_ANCHOR, "fsck: chain value against the anchor")         \
	X(AUDIT_FOOTER_INDEX, "fsck: entries of a footer against commits")    \
	X(AUDIT_SET_UUID, "fsck: every segment is of this store")             \
	X(AUDIT_EXPECTED, "chain values against those that were exported")    \
	X(DUMP_SUM, "SHA-256 of the lines of a dump")                         \
	X(DUMP_COUNT, "number of the lines of a dump")                        \
	X(CHAIN_SUCCESSOR, "chain value of a segment against its successor")  \
	X(CHAIN_FOOTER, "chain value of the commits against the footer")      \
	X(CHAIN_ANCHOR, "chain value of the commits against the anchor")      \
	X(REVISION_DENSE, "revisions follow each other without a gap")        \
	X(SET_UUID, "every segment is of this store")                         \
	X(SET_BEGINNING, "the first segment begins the history")              \
	X(SET_TILE, "each segment follows the one before without a gap")      \
	X(SET_NEWEST, "the segment that the anchor names is there")           \
	X(ANCHOR_OLD, "the anchor is not older than its log")                 \
	X(SALT_FRESH, "a salt of its own for every segment")                  \
	X(PUBLISH_ORDER, "publish after the sync, never before")              \
	X(STAGED_WAIT, "answers from staged state wait until it is durable")  \
	X(POISON, "no write after a failed sync")                             \
	X(REPAIR_HEADER_SYNC, "sync of a header copy written again")          \
	X(REPAIR_PROOF, "an anchor is rebuilt only on a log that ends")       \
	X(REPAIR_DIR_SYNC, "directory sync before an anchor names a segment") \
	X(REPAIR_LOG_SYNC, "fsync of that log before its anchor")             \
	X(REPAIR_LOG_DROP_CACHE, "and reading it from the disk")              \
	X(IMPORT_VEIL, "a store in the making has no anchor")                \
	X(SALVAGE_DROP_CACHE, "reading back what the disk has")               \
	X(SALVAGE_VERIFY, "comparing what was read back")                     \
	X(SALVAGE_LIST_SYNC, "sync of the list of losses")                    \
	X(SALVAGE_LIST_RENAME, "rename of that list into place")              \
	X(SALVAGE_LIST_DIR_SYNC, "directory sync before there is a store")    \
	X(IMPORT_RENAME, "the anchor of an imported store gets its name")     \
	X(IMPORT_DIR_SYNC, "directory sync after that rename")

enum control {
#define CONTROL_ENUM(name, what) CONTROL_##name,
	CONTROL_LIST(CONTROL_ENUM)
#undef CONTROL_ENUM
	CONTROL_COUNT,
};
/* clang-format on */

#ifdef WAYBILL_CONTROLS
/* The test build: which id is switched off (CONTROL_COUNT: none). */
extern enum control control_switched_off;
static inline bool control_off(enum control control)
{
	return control_switched_off == control;
}
#else
static inline bool control_off(enum control control)
{
	(void)control;
	return false;
}
#endif

/* The name of an id ("GROUP_SYNC"), and the id of a name (CONTROL_COUNT if
 * there is none). */
const char *control_name(enum control control);
enum control control_find(const char *name);

/* For the mains of tests: switch off what the environment's WAYBILL_CONTROL
 * names. False where there is no such id, or this build cannot switch any
 * off: a control that was not in force must not look like one that passed. */
bool control_from_environment(void);

#endif
