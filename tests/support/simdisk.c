/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated disk: its tree, and the operations of base/file.h on it.
 *
 * Invariant: applying all changes of a node to its durable state gives its
 * visible state, except where `lies` is set; there, some bytes that are
 * visible are in neither. Images are made in simcrash.c.
 *
 * A change of a file does not keep the bytes that were written but the pages
 * as they were after it, shared until the next write. So a sector that is
 * kept is one that the page cache really held at some time; keeping a write
 * to a sector without an earlier one to the same sector, byte by byte, would
 * be a state that no disk can reach.
 */
#include "tests/support/simdisk_private.h"

#include <assert.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Larger files are WB_NO_SPACE, as on a filesystem of small blocks. */
static const uint64_t file_bytes_max = UINT64_C(4) << 30;

struct sim_file {
	struct file file;
	struct simdisk *disk;
	struct node *node;
	bool writable;
	char name[NAME_MAX + 1];
};

struct sim_dir {
	struct dir dir;
	struct simdisk *disk;
	bool shared;
};

void sim_die(const char *function, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", function);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

const char *sim_op_name(enum sim_op op)
{
	static const char *const names[] = {
#define SIM_OP_NAME(name, text) [SIM_##name] = #text,
		SIM_OP_LIST(SIM_OP_NAME)
#undef SIM_OP_NAME
			[SIM_ANY] = "any",
		[SIM_ANY_CHANGE] = "any change",
	};

	assert(op < SIM_KIND_COUNT);
	return names[op];
}

static void name_copy(char to[NAME_MAX + 1], const char *name)
{
	size_t length = strlen(name);

	SIM_REQUIRE(length <= NAME_MAX, "%s: too long", name);
	memcpy(to, name, length + 1);
}

/* ---- nodes, names, changes ---- */

struct node *sim_node_new(struct simdisk *disk, bool is_dir)
{
	struct node *node = sim_alloc(sizeof(*node));

	node->disk = disk;
	node->refs = 1;
	node->is_dir = is_dir;
	node->changes_end = &node->changes;
	if (!is_dir) {
		node->visible = simdata_new();
		node->durable = simdata_ref(node->visible);
	}
	node->next = disk->nodes;
	if (node->next)
		node->next->previous = node;
	disk->nodes = node;
	return node;
}

struct node *sim_node_ref(struct node *node)
{
	node->refs++;
	return node;
}

void sim_node_unref(struct node *node)
{
	if (!node || --node->refs > 0)
		return;
	if (node->next)
		node->next->previous = node->previous;
	if (node->previous)
		node->previous->next = node->next;
	else
		node->disk->nodes = node->next;
	sim_changes_clear(node);
	sim_names_clear(&node->visible_names);
	sim_names_clear(&node->durable_names);
	simdata_unref(node->visible);
	simdata_unref(node->durable);
	free(node);
}

static struct entry *entry_find(const struct entries *entries, const char *name)
{
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->list[i].name, name) == 0)
			return &entries->list[i];
	return NULL;
}

struct node *sim_names_find(const struct entries *entries, const char *name)
{
	struct entry *entry = entry_find(entries, name);

	return entry ? entry->node : NULL;
}

void sim_names_put(struct entries *entries, const char *name, struct node *node)
{
	struct entry *entry = entry_find(entries, name);

	sim_node_ref(node);
	if (entry) {
		sim_node_unref(entry->node);
		entry->node = node;
		return;
	}
	if (entries->count == entries->room) {
		size_t room = entries->room ? entries->room * 2 : 8;
		struct entry *list = sim_alloc(room * sizeof(*list));

		if (entries->count)
			memcpy(list, entries->list,
			       entries->count * sizeof(*list));
		free(entries->list);
		entries->list = list;
		entries->room = room;
	}
	entry = &entries->list[entries->count++];
	entry->node = node;
	name_copy(entry->name, name);
}

void sim_names_remove(struct entries *entries, const char *name)
{
	struct entry *entry = entry_find(entries, name);
	struct node *node;

	if (!entry)
		return;
	node = entry->node;
	*entry = entries->list[--entries->count];
	sim_node_unref(node);
}

void sim_names_clear(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		sim_node_unref(entries->list[i].node);
	free(entries->list);
	*entries = (struct entries){.count = 0};
}

struct change *sim_change_add(struct node *node, enum change_kind kind)
{
	struct change *change = sim_alloc(sizeof(*change));

	change->kind = kind;
	change->sequence = ++node->disk->sequence;
	*node->changes_end = change;
	node->changes_end = &change->next;
	return change;
}

void sim_change_free(struct change *change)
{
	for (size_t i = 0; i < change->page_count; i++)
		simpage_unref(change->pages[i]);
	free(change->pages);
	sim_node_unref(change->node);
	free(change);
}

void sim_changes_clear(struct node *node)
{
	struct change *change = node->changes;

	node->changes = NULL;
	node->changes_end = &node->changes;
	while (change) {
		struct change *next = change->next;

		sim_change_free(change);
		change = next;
	}
}

struct node *sim_path_parent(struct simdisk *disk, const char *path,
			     const char **ret_name)
{
	struct node *node = disk->root;

	for (;;) {
		const char *slash = strchr(path, '/');
		char name[NAME_MAX + 1];

		if (!slash) {
			*ret_name = path;
			return node;
		}
		if (slash - path > NAME_MAX)
			return NULL;
		memcpy(name, path, (size_t)(slash - path));
		name[slash - path] = '\0';
		node = sim_names_find(&node->visible_names, name);
		if (!node || !node->is_dir)
			return NULL;
		path = slash + 1;
	}
}

struct node *sim_path_node(struct simdisk *disk, const char *path)
{
	const char *name;
	struct node *parent;

	if (*path == '\0')
		return disk->root;
	parent = sim_path_parent(disk, path, &name);
	return parent ? sim_names_find(&parent->visible_names, name) : NULL;
}

/* ---- the frame around every operation ---- */

static bool is_change(enum sim_op op)
{
	return op != SIM_READ && op != SIM_SIZE && op != SIM_OPEN &&
	       op != SIM_LIST && op != SIM_DROP_CACHE;
}

static bool op_matches(enum sim_op kind, enum sim_op op)
{
	return kind == op || kind == SIM_ANY ||
	       (kind == SIM_ANY_CHANGE && is_change(op));
}

/* The error that is planned for this operation. */
static enum wb_error fault_meet(struct simdisk *disk, enum sim_op op,
				const char *name, bool *ret_partial)
{
	enum wb_error error = WB_OK;

	for (unsigned i = 0; i < disk->fault_count; i++) {
		const struct sim_fault *fault = &disk->faults[i];

		if (!op_matches(fault->kind, op))
			continue;
		if (fault->name && fnmatch(fault->name, name, 0) != 0)
			continue;
		disk->fault_seen[i]++;
		if (error || disk->fault_seen[i] < fault->nth ||
		    (disk->fault_seen[i] > fault->nth && !fault->forever))
			continue;
		disk->faults_fired++;
		error = fault->error;
		*ret_partial = fault->partial;
	}
	return error;
}

/* Begin an operation: takes the mutex. What it returns is to be given to
 * op_end by the caller; not WB_OK: without doing anything, except that with
 * `*ret_partial` a part of it is done. */
static enum wb_error op_begin(struct simdisk *disk, enum sim_op op,
			      const char *name, bool *ret_partial)
{
	bool partial = false;
	enum wb_error error;

	if (disk->hook && !simdisk_is_cut(disk) &&
	    op_matches(disk->hook_kind, op))
		disk->hook(disk->hook_context, op, name);
	pthread_mutex_lock(&disk->mutex);
	disk->counts[op]++;
	disk->counts[SIM_ANY]++;
	disk->counts[SIM_ANY_CHANGE] += is_change(op);
	if (disk->cut_countdown && op_matches(disk->cut_kind, op) &&
	    --disk->cut_countdown == 0)
		disk->cut = true;
	error = disk->cut ? WB_IO : fault_meet(disk, op, name, &partial);
	if (ret_partial)
		*ret_partial = partial;
	return error;
}

static enum wb_error op_end(struct simdisk *disk, enum sim_op op,
			    const char *name, enum wb_error error)
{
	if (disk->trace)
		fprintf(disk->trace, "#%" PRIu64 " %s \"%s\": %s%s\n",
			disk->counts[SIM_ANY], sim_op_name(op), name,
			wb_error_code(error), disk->cut ? " (cut)" : "");
	pthread_mutex_unlock(&disk->mutex);
	return error;
}

static struct sim_file *sim_file_of(struct file *file)
{
	return (struct sim_file *)file;
}

static struct simdisk *disk_of(struct dir *dir)
{
	return ((struct sim_dir *)dir)->disk;
}

/* ---- files ---- */

/* Does a read touch a place that was made bad? */
static enum wb_error meet_bad(struct simdisk *disk, const char *name,
			      uint64_t offset, size_t size)
{
	for (unsigned i = 0; i < disk->bad_count; i++) {
		const struct sim_bad *bad = &disk->bad[i];

		if (strcmp(bad->name, name) == 0 && offset < bad->end &&
		    bad->offset < offset + size) {
			disk->faults_fired++;
			return WB_IO;
		}
	}
	return WB_OK;
}

static enum wb_error sim_read(struct file *file, void *buffer, size_t size,
			      uint64_t offset, size_t *ret_size)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	enum wb_error error = op_begin(disk, SIM_READ, self->name, NULL);

	if (!error)
		error = meet_bad(disk, self->name, offset, size);
	if (!error) {
		uint64_t end = simdata_size(self->node->visible);

		if (offset >= end)
			size = 0;
		else if (size > end - offset)
			size = (size_t)(end - offset);
		simdata_read(self->node->visible, buffer, size, offset);
		disk->bytes_read += size;
		*ret_size = size;
	}
	return op_end(disk, SIM_READ, self->name, error);
}

static uint64_t disk_used(const struct simdisk *disk)
{
	uint64_t used = 0;

	for (struct node *node = disk->nodes; node; node = node->next)
		if (!node->is_dir)
			used += simdata_used(node->visible);
	return used;
}

/* How many of these bytes there is room for. */
static size_t room_for(const struct simdisk *disk, const struct node *node,
		       size_t size, uint64_t offset)
{
	uint64_t used;
	uint64_t at = offset;

	if (disk->capacity == 0)
		return size;
	used = disk_used(disk);
	while (at < offset + size) {
		if (simdata_is_hole(node->visible, at / PAGE_BYTES)) {
			used += PAGE_BYTES;
			if (used > disk->capacity)
				break;
		}
		at = (at / PAGE_BYTES + 1) * PAGE_BYTES;
	}
	return at < offset + size ? (size_t)(at - offset) : size;
}

static void node_write(struct node *node, const void *bytes, size_t size,
		       uint64_t offset)
{
	uint64_t first = offset / PAGE_BYTES;
	struct change *change;

	if (size == 0)
		return;
	simdata_write(&node->visible, bytes, size, offset);
	change = sim_change_add(node, CHANGE_WRITE);
	change->offset = offset;
	change->size = size;
	change->page_count =
		(size_t)((offset + size - 1) / PAGE_BYTES - first + 1);
	change->pages = sim_alloc(change->page_count * sizeof(struct page *));
	for (size_t i = 0; i < change->page_count; i++)
		change->pages[i] =
			simpage_ref(simdata_page(node->visible, first + i));
}

static enum wb_error sim_write(struct file *file, const void *bytes,
			       size_t size, uint64_t offset)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	bool partial;
	enum wb_error error = op_begin(disk, SIM_WRITE, self->name, &partial);

	if (!error && !self->writable)
		error = WB_IO;
	else if (!error &&
		 (offset > file_bytes_max || size > file_bytes_max - offset))
		error = WB_NO_SPACE;
	else if (partial && self->writable)
		node_write(self->node, bytes, size / 2, offset);
	if (!error) {
		size_t fits = room_for(disk, self->node, size, offset);

		node_write(self->node, bytes, fits, offset);
		if (fits < size)
			error = WB_NO_SPACE;
	}
	return op_end(disk, SIM_WRITE, self->name, error);
}

/* All changes reach the disk. */
static void node_sync(struct node *node)
{
	if (!node->changes)
		return;
	for (struct change *change = node->changes; change;
	     change = change->next) {
		change->keep = true;
		change->keep_part = false;
	}
	if (node->lies) {
		sim_changes_settle_content(node, &node->durable);
	} else {
		/* The same, without copying: the two are equal now. */
		simdata_unref(node->durable);
		node->durable = simdata_ref(node->visible);
	}
	sim_changes_clear(node);
}

static enum wb_error sim_sync(struct file *file)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	struct node *node = self->node;
	bool partial;
	enum wb_error error = op_begin(disk, SIM_SYNC, self->name, &partial);

	if (!error) {
		node_sync(node);
	} else if (!disk->cut && node->changes) {
		struct sim_crash crash = {SIM_KEEP_SECTORS, ++disk->seed};

		if (partial) {
			(void)sim_crash_decide(disk, node, crash);
			sim_changes_settle_content(node, &node->durable);
		}
		sim_changes_clear(node);
		node->lies = true;
	}
	return op_end(disk, SIM_SYNC, self->name, error);
}

static enum wb_error sim_truncate(struct file *file, uint64_t size)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	enum wb_error error = op_begin(disk, SIM_TRUNCATE, self->name, NULL);

	if (!error && !self->writable)
		error = WB_IO;
	else if (!error && size > file_bytes_max)
		error = WB_NO_SPACE;
	else if (!error && size != simdata_size(self->node->visible)) {
		simdata_resize(&self->node->visible, size);
		sim_change_add(self->node, CHANGE_TRUNCATE)->size = size;
	}
	return op_end(disk, SIM_TRUNCATE, self->name, error);
}

static enum wb_error sim_allocate(struct file *file, uint64_t size)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	struct node *node = self->node;
	enum wb_error error = op_begin(disk, SIM_ALLOCATE, self->name, NULL);

	if (!error && !self->writable)
		error = WB_IO;
	else if (!error && size > file_bytes_max)
		error = WB_NO_SPACE;
	else if (!error && room_for(disk, node, size, 0) < size)
		error = WB_NO_SPACE;
	else if (!error && size > 0) {
		simdata_allocate(&node->visible, size);
		sim_change_add(node, CHANGE_ALLOCATE)->size = size;
	}
	return op_end(disk, SIM_ALLOCATE, self->name, error);
}

static enum wb_error sim_size(struct file *file, uint64_t *ret_size)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	enum wb_error error = op_begin(disk, SIM_SIZE, self->name, NULL);

	if (!error)
		*ret_size = simdata_size(self->node->visible);
	return op_end(disk, SIM_SIZE, self->name, error);
}

/* The pages before `from` stay as they are seen. */
static void pages_keep(struct node *node, struct simdata *seen, uint64_t from)
{
	unsigned char bytes[PAGE_BYTES];
	uint64_t at;

	for (at = 0; at + PAGE_BYTES <= from && at < simdata_size(seen);
	     at += PAGE_BYTES) {
		uint64_t size = simdata_size(seen) - at;

		if (size > sizeof(bytes))
			size = sizeof(bytes);
		simdata_read(seen, bytes, size, at);
		simdata_write(&node->visible, bytes, size, at);
	}
	node->lies = at > 0;
}

static enum wb_error sim_drop_cache(struct file *file, uint64_t from)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;
	struct node *node = self->node;
	enum wb_error error = op_begin(disk, SIM_DROP_CACHE, self->name, NULL);

	if (!error && node->lies) {
		struct simdata *seen = node->visible;

		/* What is dirty stays; what only seemed clean goes. */
		node->visible = simdata_ref(node->durable);
		for (struct change *change = node->changes; change;
		     change = change->next) {
			change->keep = true;
			change->keep_part = false;
		}
		sim_changes_settle_content(node, &node->visible);
		pages_keep(node, seen, from);
		simdata_unref(seen);
	}
	return op_end(disk, SIM_DROP_CACHE, self->name, error);
}

static void sim_close(struct file *file)
{
	struct sim_file *self = sim_file_of(file);
	struct simdisk *disk = self->disk;

	pthread_mutex_lock(&disk->mutex);
	assert(disk->handles > 0);
	disk->handles--;
	sim_node_unref(self->node);
	pthread_mutex_unlock(&disk->mutex);
	free(self);
}

static const struct file_ops sim_file_ops = {
	.read = sim_read,
	.write = sim_write,
	.sync = sim_sync,
	.truncate = sim_truncate,
	.allocate = sim_allocate,
	.size = sim_size,
	.drop_cache = sim_drop_cache,
	.close = sim_close,
};

/* ---- the directory ---- */

static void names_add(struct node *parent, const char *name, struct node *node)
{
	struct change *change = sim_change_add(parent, CHANGE_ADD);

	name_copy(change->to, name);
	change->node = sim_node_ref(node);
	sim_names_put(&parent->visible_names, name, node);
}

static void names_remove(struct node *parent, const char *name)
{
	name_copy(sim_change_add(parent, CHANGE_REMOVE)->from, name);
	sim_names_remove(&parent->visible_names, name);
}

/* A file of the lower layer becomes one of the upper, under the same name. */
static struct node *copy_up(struct node *parent, const char *name,
			    const struct node *lower)
{
	struct node *node = sim_node_new(lower->disk, false);

	simdata_unref(node->visible);
	simdata_unref(node->durable);
	node->visible = simdata_ref(lower->visible);
	node->durable = simdata_ref(lower->visible);
	names_add(parent, name, node);
	sim_node_unref(node);
	return node;
}

/* The file `path`, made if the flags say so, without a reference. */
static enum wb_error file_find(struct simdisk *disk, const char *path,
			       unsigned flags, struct node **ret_node)
{
	const char *name;
	struct node *parent = sim_path_parent(disk, path, &name);
	struct node *node;

	if (!parent)
		return WB_NOT_FOUND;
	if (*name == '\0' || strlen(name) > NAME_MAX)
		return WB_IO;
	node = sim_names_find(&parent->visible_names, name);
	if (!node && !(flags & FILE_CREATE))
		return WB_NOT_FOUND;
	if (node && flags & FILE_EXCLUSIVE)
		return WB_EXISTS;
	if (node && node->is_dir)
		return WB_IO;
	if (!node) {
		node = sim_node_new(disk, false);
		names_add(parent, name, node);
		sim_node_unref(node);
	}
	if (node->lower && flags & (FILE_WRITE | FILE_CREATE | FILE_TRUNCATE))
		node = copy_up(parent, name, node);
	*ret_node = node;
	return WB_OK;
}

static enum wb_error sim_open(struct dir *dir, const char *name, unsigned flags,
			      struct file **ret_file)
{
	struct simdisk *disk = disk_of(dir);
	unsigned change = flags & (FILE_CREATE | FILE_TRUNCATE);
	enum sim_op op = change ? SIM_CREATE : SIM_OPEN;
	enum wb_error error = op_begin(disk, op, name, NULL);
	struct sim_file *file;
	struct node *node;

	assert(!(flags & FILE_EXCLUSIVE) || flags & FILE_CREATE);
	if (!error)
		error = file_find(disk, name, flags, &node);
	if (error)
		return op_end(disk, op, name, error);
	if (flags & FILE_TRUNCATE && simdata_size(node->visible) > 0) {
		simdata_resize(&node->visible, 0);
		sim_change_add(node, CHANGE_TRUNCATE)->size = 0;
	}
	file = sim_alloc(sizeof(*file));
	file->file.ops = &sim_file_ops;
	file->disk = disk;
	file->node = sim_node_ref(node);
	file->writable = change || flags & FILE_WRITE;
	snprintf(file->name, sizeof(file->name), "%s", name);
	disk->handles++;
	*ret_file = &file->file;
	return op_end(disk, op, name, WB_OK);
}

static enum wb_error sim_make(struct dir *dir, const char *path)
{
	struct simdisk *disk = disk_of(dir);
	enum wb_error error = op_begin(disk, SIM_MAKE, path, NULL);
	const char *name;
	struct node *parent = sim_path_parent(disk, path, &name);
	struct node *node;

	if (!error && !parent)
		error = WB_NOT_FOUND;
	if (!error) {
		node = sim_names_find(&parent->visible_names, name);
		if (node && !node->is_dir)
			error = WB_EXISTS;
		if (!node) {
			node = sim_node_new(disk, true);
			names_add(parent, name, node);
			sim_node_unref(node);
		}
	}
	return op_end(disk, SIM_MAKE, path, error);
}

static enum wb_error names_move(struct simdisk *disk, const char *from_path,
				const char *to_path)
{
	const char *from;
	const char *to;
	struct node *source = sim_path_parent(disk, from_path, &from);
	struct node *target = sim_path_parent(disk, to_path, &to);
	struct node *node;
	struct node *old;
	struct change *change;

	node = source ? sim_names_find(&source->visible_names, from) : NULL;
	if (!node || !target)
		return WB_NOT_FOUND;
	old = sim_names_find(&target->visible_names, to);
	/* Two names of one file: POSIX keeps both. */
	if (old == node)
		return WB_OK;
	if ((old && old->is_dir) || node->is_dir)
		return WB_IO;
	if (source != target) {
		names_add(target, to, node);
		names_remove(source, from);
		return WB_OK;
	}
	change = sim_change_add(source, CHANGE_MOVE);
	name_copy(change->from, from);
	name_copy(change->to, to);
	change->node = sim_node_ref(node);
	sim_names_put(&source->visible_names, to, node);
	sim_names_remove(&source->visible_names, from);
	return WB_OK;
}

static enum wb_error sim_rename(struct dir *dir, const char *from,
				const char *to)
{
	struct simdisk *disk = disk_of(dir);
	enum wb_error error = op_begin(disk, SIM_RENAME, from, NULL);

	if (!error)
		error = names_move(disk, from, to);
	return op_end(disk, SIM_RENAME, from, error);
}

static enum wb_error sim_remove(struct dir *dir, const char *path)
{
	struct simdisk *disk = disk_of(dir);
	enum wb_error error = op_begin(disk, SIM_REMOVE, path, NULL);
	const char *name;
	struct node *parent;
	struct node *node;

	if (!error) {
		parent = sim_path_parent(disk, path, &name);
		node = parent ? sim_names_find(&parent->visible_names, name)
			      : NULL;
		if (!node)
			error = WB_NOT_FOUND;
		else if (node->is_dir)
			error = WB_IO;
		else
			names_remove(parent, name);
	}
	return op_end(disk, SIM_REMOVE, path, error);
}

static enum wb_error sim_dir_sync(struct dir *dir, const char *name)
{
	struct simdisk *disk = disk_of(dir);
	enum wb_error error = op_begin(disk, SIM_DIR_SYNC, name, NULL);
	struct node *node;

	if (!error && strcmp(name, "..") == 0) {
		disk->own_name_durable = true;
	} else if (!error) {
		node = sim_path_node(disk, name);
		if (!node || !node->is_dir) {
			error = WB_NOT_FOUND;
		} else if (node->changes) {
			const struct entries *visible = &node->visible_names;

			sim_names_clear(&node->durable_names);
			for (size_t i = 0; i < visible->count; i++)
				sim_names_put(&node->durable_names,
					      visible->list[i].name,
					      visible->list[i].node);
			sim_changes_clear(node);
		}
	}
	return op_end(disk, SIM_DIR_SYNC, name, error);
}

static enum wb_error sim_list(struct dir *dir, const char *name,
			      bool (*visit)(void *context, const char *entry),
			      void *context)
{
	struct simdisk *disk = disk_of(dir);
	enum wb_error error = op_begin(disk, SIM_LIST, name, NULL);
	char(*names)[NAME_MAX + 1] = NULL;
	size_t count = 0;
	struct node *node;

	if (!error) {
		node = sim_path_node(disk, name);
		if (!node || !node->is_dir)
			error = WB_NOT_FOUND;
	}
	if (!error) {
		count = node->visible_names.count;
		names = sim_alloc(count * sizeof(*names));
		for (size_t i = 0; i < count; i++)
			name_copy(names[i], node->visible_names.list[i].name);
	}
	error = op_end(disk, SIM_LIST, name, error);
	for (size_t i = 0; i < count; i++)
		if (!visit(context, names[i]))
			break;
	free(names);
	return error;
}

static enum wb_error lock_take(struct sim_dir *self, bool exclusive)
{
	struct simdisk *disk = self->disk;
	struct node *file = sim_names_find(&disk->root->visible_names, "lock");

	assert(disk->exclusive != self);
	assert(!self->shared);
	if (!file && exclusive) {
		file = sim_node_new(disk, false);
		names_add(disk->root, "lock", file);
		sim_node_unref(file);
	}
	if (disk->exclusive || (exclusive && disk->shared > 0))
		return WB_LOCKED;
	if (exclusive) {
		disk->exclusive = self;
	} else {
		disk->shared++;
		self->shared = true;
	}
	return WB_OK;
}

static enum wb_error sim_lock(struct dir *dir, bool exclusive,
			      struct lock_holder *ret_holder)
{
	struct simdisk *disk = disk_of(dir);
	enum wb_error error = op_begin(disk, SIM_LOCK, "lock", NULL);

	if (!error)
		error = lock_take((struct sim_dir *)dir, exclusive);
	if (error == WB_LOCKED && ret_holder) {
		*ret_holder = (struct lock_holder){.pid = 0};
		if (disk->exclusive) {
			ret_holder->pid = getpid();
			strcpy(ret_holder->command, "simulated");
		}
	}
	return op_end(disk, SIM_LOCK, "lock", error);
}

static void sim_dir_close(struct dir *dir)
{
	struct sim_dir *self = (struct sim_dir *)dir;
	struct simdisk *disk = self->disk;

	pthread_mutex_lock(&disk->mutex);
	assert(disk->handles > 0);
	disk->handles--;
	if (disk->exclusive == self)
		disk->exclusive = NULL;
	if (self->shared)
		disk->shared--;
	pthread_mutex_unlock(&disk->mutex);
	free(self);
}

static const struct dir_ops sim_dir_ops = {
	.open = sim_open,
	.make = sim_make,
	.rename = sim_rename,
	.remove = sim_remove,
	.sync = sim_dir_sync,
	.list = sim_list,
	.lock = sim_lock,
	.close = sim_dir_close,
};

/* ---- life and plans ---- */

struct simdisk *simdisk_new(void)
{
	struct simdisk *disk = sim_alloc(sizeof(*disk));

	pthread_mutex_init(&disk->mutex, NULL);
	disk->root = sim_node_new(disk, true);
	return disk;
}

void simdisk_free(struct simdisk *disk)
{
	if (!disk)
		return;
	SIM_REQUIRE(disk->handles == 0, "%u handles are still open",
		    disk->handles);
	sim_node_unref(disk->root);
	assert(!disk->nodes);
	pthread_mutex_destroy(&disk->mutex);
	free(disk);
}

struct dir *simdisk_dir(struct simdisk *disk)
{
	struct sim_dir *dir = sim_alloc(sizeof(*dir));

	dir->dir.ops = &sim_dir_ops;
	dir->disk = disk;
	pthread_mutex_lock(&disk->mutex);
	disk->handles++;
	pthread_mutex_unlock(&disk->mutex);
	return &dir->dir;
}

void simdisk_lower(struct simdisk *disk)
{
	pthread_mutex_lock(&disk->mutex);
	SIM_REQUIRE(disk->own_name_durable, "the disk's name is pending");
	for (struct node *node = disk->nodes; node; node = node->next) {
		SIM_REQUIRE(!node->changes, "changes are pending");
		node->lower = !node->is_dir;
	}
	pthread_mutex_unlock(&disk->mutex);
}

unsigned simdisk_handles(struct simdisk *disk)
{
	unsigned handles;

	pthread_mutex_lock(&disk->mutex);
	handles = disk->handles;
	pthread_mutex_unlock(&disk->mutex);
	return handles;
}

uint64_t simdisk_count(struct simdisk *disk, enum sim_op kind)
{
	uint64_t count;

	assert(kind < SIM_KIND_COUNT);
	pthread_mutex_lock(&disk->mutex);
	count = disk->counts[kind];
	pthread_mutex_unlock(&disk->mutex);
	return count;
}

uint64_t simdisk_bytes_read(struct simdisk *disk)
{
	uint64_t bytes;

	pthread_mutex_lock(&disk->mutex);
	bytes = disk->bytes_read;
	pthread_mutex_unlock(&disk->mutex);
	return bytes;
}

void simdisk_fault(struct simdisk *disk, struct sim_fault fault)
{
	SIM_REQUIRE(fault.error != WB_OK, "a fault without an error");
	SIM_REQUIRE(fault.nth > 0, "a fault at operation 0 never fires");
	pthread_mutex_lock(&disk->mutex);
	SIM_REQUIRE(disk->fault_count < SIM_FAULTS_MAX, "too many faults");
	disk->fault_seen[disk->fault_count] = 0;
	disk->faults[disk->fault_count++] = fault;
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_bad(struct simdisk *disk, const char *name, uint64_t offset,
		 uint64_t bytes)
{
	pthread_mutex_lock(&disk->mutex);
	SIM_REQUIRE(disk->bad_count < SIM_FAULTS_MAX, "too many bad places");
	disk->bad[disk->bad_count++] =
		(struct sim_bad){name, offset, offset + bytes};
	pthread_mutex_unlock(&disk->mutex);
}

uint64_t simdisk_faults_fired(struct simdisk *disk)
{
	uint64_t fired;

	pthread_mutex_lock(&disk->mutex);
	fired = disk->faults_fired;
	pthread_mutex_unlock(&disk->mutex);
	return fired;
}

void simdisk_faults_clear(struct simdisk *disk)
{
	pthread_mutex_lock(&disk->mutex);
	disk->fault_count = 0;
	disk->bad_count = 0;
	disk->faults_fired = 0;
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_cut_at(struct simdisk *disk, enum sim_op kind, uint64_t nth)
{
	pthread_mutex_lock(&disk->mutex);
	disk->cut_kind = kind;
	disk->cut_countdown = nth;
	pthread_mutex_unlock(&disk->mutex);
}

bool simdisk_is_cut(struct simdisk *disk)
{
	bool cut;

	pthread_mutex_lock(&disk->mutex);
	cut = disk->cut;
	pthread_mutex_unlock(&disk->mutex);
	return cut;
}

void simdisk_revive(struct simdisk *disk)
{
	pthread_mutex_lock(&disk->mutex);
	disk->cut = false;
	disk->cut_countdown = 0;
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_capacity(struct simdisk *disk, uint64_t bytes)
{
	pthread_mutex_lock(&disk->mutex);
	disk->capacity = bytes;
	pthread_mutex_unlock(&disk->mutex);
}

uint64_t simdisk_used(struct simdisk *disk)
{
	uint64_t used;

	pthread_mutex_lock(&disk->mutex);
	used = disk_used(disk);
	pthread_mutex_unlock(&disk->mutex);
	return used;
}

void simdisk_observe(struct simdisk *disk, enum sim_op kind, simdisk_hook *hook,
		     void *context)
{
	pthread_mutex_lock(&disk->mutex);
	disk->hook_kind = kind;
	disk->hook = hook;
	disk->hook_context = context;
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_trace(struct simdisk *disk, FILE *to)
{
	pthread_mutex_lock(&disk->mutex);
	disk->trace = to;
	pthread_mutex_unlock(&disk->mutex);
}
