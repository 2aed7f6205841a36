/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk in memory that loses power, fails, fills up and lies.
 *
 * It stands behind the file and directory tables of base/file.h and promises
 * no more than POSIX does, which is less than real filesystems give:
 *
 *  - What is written is visible at once, and durable after a sync of that
 *    file. Until then a power cut keeps any subset of the writes, and of the
 *    512-byte sectors of a write; a sector that is kept holds what the page
 *    cache held after that write. The file's growth is part of the write.
 *  - A name that is made, moved or removed is durable after a sync of its
 *    directory, whatever was synced of the file. A move within a directory
 *    happens as one; a move between directories is two: the new name and
 *    the end of the old one, each of which may be lost alone.
 *  - The disk's own directory is new: its name is durable after a sync of
 *    ".." and until then everything may be gone.
 *  - A sync that fails loses what it should have made durable, and says so
 *    once. The lost bytes are still read, and a second sync says OK; only
 *    drop_cache shows what the disk has. (As ext4, xfs and btrfs do.)
 *    drop_cache is stricter here than on Linux: it does not write first.
 *    A directory sync that fails changes nothing, and may be tried again.
 *
 * Errors, faults and cuts are chosen by the test, by number: the nth
 * operation of a kind. Every choice follows from a seed.
 *
 * Thread-safe: one mutex a disk. Out of memory and wrong use end the test
 * program. Symbolic links, permissions and times do not exist here.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SIMDISK_H
#define WAYBILL_TESTS_SUPPORT_SIMDISK_H

#include "base/file.h"
#include "tests/support/rng.h"

#include <stdio.h>

struct simdisk;

/* ---- life ---- */

/* An empty disk, as after mkdir. */
struct simdisk *simdisk_new(void);
/* The same state, cache and unsynced changes included; no locks, handles,
 * faults, counts or limits. Cheap. */
struct simdisk *simdisk_clone(struct simdisk *disk);
/* NULL is allowed. All handles must be closed. */
void simdisk_free(struct simdisk *disk);

/* A handle on the disk, closed by dir_close. */
struct dir *simdisk_dir(struct simdisk *disk);
/* Files and directories that are open. */
unsigned simdisk_handles(struct simdisk *disk);

/* From now on the disk is an overlay, and every file that is there is of its
 * lower layer: the first open for writing copies it up. The copy's contents
 * are durable; its name is as any new one, and until the directory is synced
 * a power cut may bring the lower file back. Nothing may be pending. (Seen on
 * ext4 below overlayfs: fdatasync of the copy leaves its name to the next
 * commit of the journal.) */
void simdisk_lower(struct simdisk *disk);

/* ---- operations and faults ---- */

/* clang-format off */
#define SIM_OP_LIST(X)                                                        \
	X(READ, read) X(WRITE, write) X(SYNC, sync) X(TRUNCATE, truncate)     \
	X(ALLOCATE, allocate) X(SIZE, size) X(DROP_CACHE, drop_cache)         \
	X(OPEN, open) X(CREATE, create) X(MAKE, make) X(RENAME, rename)       \
	X(REMOVE, remove) X(DIR_SYNC, dir_sync) X(LIST, list) X(LOCK, lock)

/* Every operation is one of these. CREATE is an open that may create or
 * truncate. */
enum sim_op {
#define SIM_OP_ENUM(name, text) SIM_##name,
	SIM_OP_LIST(SIM_OP_ENUM)
#undef SIM_OP_ENUM
	SIM_OP_COUNT,
	SIM_ANY = SIM_OP_COUNT, /* of every kind */
	SIM_ANY_CHANGE, /* all but READ, SIZE, OPEN, LIST, DROP_CACHE */
	SIM_KIND_COUNT,
};
/* clang-format on */

/* "read", …, "any", "any change". */
const char *sim_op_name(enum sim_op op);

/* How many operations of a kind began so far, failed ones included. Closing
 * is not an operation. */
uint64_t simdisk_count(struct simdisk *disk, enum sim_op kind);
/* How many bytes all reads gave. */
uint64_t simdisk_bytes_read(struct simdisk *disk);

struct sim_fault {
	enum sim_op kind;
	uint64_t nth;	     /* 1: the next one of this kind */
	enum wb_error error; /* what it returns */
	bool forever;	     /* that one and all after it, else that one */
	/* A write: its first half is written all the same. A sync: a random
	 * part of what was unsynced reaches the disk, else none of it. */
	bool partial;
	/* Only files opened under, or names that match, this fnmatch(3)
	 * pattern; they alone are counted. NULL: all. Borrowed. */
	const char *name;
};

enum { SIM_FAULTS_MAX = 8 };

/* Add a fault; at most SIM_FAULTS_MAX at a time. */
void simdisk_fault(struct simdisk *disk, struct sim_fault fault);
/* From now on no read of the file opened as `name` (borrowed) gives any of
 * these bytes: a read that touches them is WB_IO, and a fault that fired. At
 * most SIM_FAULTS_MAX such places, until the faults are cleared. */
void simdisk_bad(struct simdisk *disk, const char *name, uint64_t offset,
		 uint64_t bytes);
/* How often a fault fired since the last clear. */
uint64_t simdisk_faults_fired(struct simdisk *disk);
void simdisk_faults_clear(struct simdisk *disk);

/* The nth operation of `kind` from now (1: the next) and all that follow
 * return WB_IO and change nothing, so that the code under test unwinds.
 * 0: never. Then either take crash images (the power was cut), or go on with
 * simdisk_revive (the process was killed; the page cache lives). */
void simdisk_cut_at(struct simdisk *disk, enum sim_op kind, uint64_t nth);
bool simdisk_is_cut(struct simdisk *disk);
void simdisk_revive(struct simdisk *disk);

/* Room for `bytes` in all files together, in pages of 4096; a write takes
 * what fits and returns WB_NO_SPACE. 0: unlimited. */
void simdisk_capacity(struct simdisk *disk, uint64_t bytes);
uint64_t simdisk_used(struct simdisk *disk);

/* Called before every operation of `kind` that the code under test begins
 * before the cut, on its thread, without the mutex: the hook may take crash
 * images, so that one run of a workload gives those of all its moments. */
typedef void simdisk_hook(void *context, enum sim_op op, const char *name);
void simdisk_observe(struct simdisk *disk, enum sim_op kind, simdisk_hook *hook,
		     void *context);

/* Print every operation, numbered, with its result. NULL: do not. */
void simdisk_trace(struct simdisk *disk, FILE *to);

/* ---- power cuts ---- */

/* What is kept of the changes that no sync made durable. */
/* clang-format off */
#define SIM_KEEP_LIST(X)                                                      \
	X(NOTHING, "nothing")                                                 \
	X(ALL, "everything")                                                  \
	X(PREFIX, "the first seed % (pending + 1)")                           \
	X(TORN, "as prefix, and some sectors of the next write")              \
	X(MASK, "change i where bit i % 64 of the seed is set")               \
	X(RANDOM, "a random subset")                                          \
	X(SECTORS, "a random subset, and of each write some sectors")         \
	X(NAMES, "names, and nothing that is in files")                       \
	X(DATA, "what is in files, and no names")

enum sim_keep {
#define SIM_KEEP_ENUM(name, text) SIM_KEEP_##name,
	SIM_KEEP_LIST(SIM_KEEP_ENUM)
#undef SIM_KEEP_ENUM
	SIM_KEEP_COUNT,
};
/* clang-format on */
const char *sim_keep_name(enum sim_keep keep);

struct sim_crash {
	enum sim_keep keep;
	uint64_t seed;
};

/* Any mode and any seed. */
struct sim_crash sim_crash_random(struct rng *rng);

/* Unsynced changes of files and names, the disk's own name included. */
size_t simdisk_pending(struct simdisk *disk);

/* The disk as it is found when power returns; `disk` stays as it is. */
struct simdisk *simdisk_crash(struct simdisk *disk, struct sim_crash crash);

/* Of all visible names and contents. Equal disks have equal hashes. */
uint64_t simdisk_hash(struct simdisk *disk);

/* ---- raw access: not counted, durable at once, cache and disk alike ----
 *
 * `path` is a file as in base/file.h. That it is there, and has no unsynced
 * changes where it is changed, is asserted. */

/* Every file, in the order of their paths, until `visit` returns false. */
void simdisk_each(struct simdisk *disk,
		  bool (*visit)(void *context, const char *path, uint64_t size),
		  void *context);
bool simdisk_has(struct simdisk *disk, const char *path);
uint64_t simdisk_size(struct simdisk *disk, const char *path);
/* Zeros beyond the end. */
void simdisk_get(struct simdisk *disk, const char *path, void *buffer,
		 size_t size, uint64_t offset);
/* What the disk has, whatever the cache shows. False: no durable name. */
bool simdisk_get_durable(struct simdisk *disk, const char *path, void *buffer,
			 size_t size, uint64_t offset);
/* May make the file longer. */
void simdisk_set(struct simdisk *disk, const char *path, const void *bytes,
		 size_t size, uint64_t offset);
void simdisk_flip(struct simdisk *disk, const char *path, uint64_t bit);
/* On the disk alone: the page cache shows what was written until it is
 * dropped. The file may have unsynced changes. */
void simdisk_rot(struct simdisk *disk, const char *path, uint64_t bit);
void simdisk_resize(struct simdisk *disk, const char *path, uint64_t size);
void simdisk_delete(struct simdisk *disk, const char *path);
/* `path`, new or replaced, becomes another name of the file `to`. */
void simdisk_link(struct simdisk *disk, const char *path, const char *to);
/* The file `from_path` of `from` as `path`, new or replaced. The directory
 * it goes to must exist. Contents are shared until one changes. */
void simdisk_copy(struct simdisk *disk, const char *path, struct simdisk *from,
		  const char *from_path);

/* Between a disk and a real directory, which must exist; all synced. Wrong
 * use, or a failing system call, ends the test program. */
struct simdisk *simdisk_import(const char *directory);
void simdisk_export(struct simdisk *disk, const char *directory);

#endif
