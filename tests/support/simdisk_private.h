/* SPDX-License-Identifier: Apache-2.0
 *
 * What simdisk.c (operations) and simcrash.c (images) share.
 *
 * A node is a file or a directory, apart from its names. It has two states:
 * what is visible and what is durable, and the changes that lead from one to
 * the other, in order. Names, handles and changes hold references to nodes.
 */
#ifndef WAYBILL_TESTS_SUPPORT_SIMDISK_PRIVATE_H
#define WAYBILL_TESTS_SUPPORT_SIMDISK_PRIVATE_H

#include "tests/support/simdisk.h"
#include "tests/support/simpages.h"

#include <limits.h>
#include <pthread.h>

/* Assert, and say where in the test's own words. */
#define SIM_REQUIRE(condition, ...)                     \
	do {                                            \
		if (!(condition))                       \
			sim_die(__func__, __VA_ARGS__); \
	} while (0)
__attribute__((noreturn, format(printf, 2, 3))) void sim_die(
	const char *function, const char *format, ...);

struct node;

struct entry {
	struct node *node;
	char name[NAME_MAX + 1];
};

struct entries {
	struct entry *list;
	size_t count;
	size_t room;
};

enum change_kind {
	CHANGE_WRITE,
	CHANGE_TRUNCATE,
	CHANGE_ALLOCATE,
	CHANGE_ADD,    /* `to` is now `node` */
	CHANGE_REMOVE, /* `from` is no more */
	CHANGE_MOVE,   /* both at once */
};

struct change {
	struct change *next;
	uint64_t sequence; /* over the whole disk */
	enum change_kind kind;
	/* Of a power cut in progress. */
	bool keep;
	bool keep_part;
	uint64_t keep_seed;
	/* Files: the range, or the new size; the pages after the write. */
	uint64_t offset;
	uint64_t size;
	size_t page_count;
	struct page **pages;
	/* Directories. */
	struct node *node;
	char from[NAME_MAX + 1];
	char to[NAME_MAX + 1];
};

struct node {
	struct node *next; /* of all nodes of the disk */
	struct node *previous;
	struct simdisk *disk;
	unsigned refs;
	bool is_dir;
	/* Some visible bytes were lost by a failed sync. */
	bool lies;
	bool lower; /* an overlay copies it before it is written to */
	struct simdata *visible;
	struct simdata *durable;
	struct entries visible_names;
	struct entries durable_names;
	struct change *changes;
	struct change **changes_end;
	struct node *copy; /* while the disk is being copied */
};

struct simdisk {
	pthread_mutex_t mutex;
	struct node *nodes;
	struct node *root;
	bool own_name_durable;
	uint64_t sequence;
	uint64_t seed; /* of partial syncs */
	unsigned handles;
	struct sim_dir *exclusive;
	unsigned shared;
	uint64_t capacity;
	uint64_t counts[SIM_KIND_COUNT];
	uint64_t bytes_read;
	enum sim_op cut_kind;
	uint64_t cut_countdown; /* 0: no cut is planned */
	bool cut;
	struct sim_fault faults[SIM_FAULTS_MAX];
	uint64_t fault_seen[SIM_FAULTS_MAX];
	unsigned fault_count;
	struct sim_bad {
		const char *name;
		uint64_t offset, end;
	} bad[SIM_FAULTS_MAX];
	unsigned bad_count;
	uint64_t faults_fired;
	enum sim_op hook_kind;
	simdisk_hook *hook;
	void *hook_context;
	FILE *trace;
};

/* All of these with the mutex held. */

struct node *sim_node_new(struct simdisk *disk, bool is_dir);
struct node *sim_node_ref(struct node *node);
void sim_node_unref(struct node *node);

/* NULL: no such name. */
struct node *sim_names_find(const struct entries *entries, const char *name);
void sim_names_put(struct entries *entries, const char *name,
		   struct node *node);
void sim_names_remove(struct entries *entries, const char *name);
void sim_names_clear(struct entries *entries);

struct change *sim_change_add(struct node *node, enum change_kind kind);
void sim_change_free(struct change *change);
void sim_changes_clear(struct node *node);
/* Those that are kept, applied to contents or to names. */
void sim_changes_settle_content(const struct node *node,
				struct simdata **content);
void sim_changes_settle_names(const struct node *node, struct entries *names);

/* The directory of `path` and the last component; NULL: it is not there. */
struct node *sim_path_parent(struct simdisk *disk, const char *path,
			     const char **ret_name);
struct node *sim_path_node(struct simdisk *disk, const char *path);

/* Everything that `crash` keeps of the changes of `only` (NULL: of all nodes)
 * is marked so. Returns whether the disk's own name is kept. */
bool sim_crash_decide(struct simdisk *disk, const struct node *only,
		      struct sim_crash crash);

#endif
