/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/memdir.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 64, NAME_BYTES = 64 };

struct content {
	unsigned refs; /* its name, and each handle */
	uint8_t *bytes;
	size_t size, capacity;
};

struct memdir {
	struct dir dir;
	bool frozen;
	bool watched;
	struct memdir *before; /* the first change, while watched */
	size_t count;
	struct named {
		char name[NAME_BYTES];
		struct content *content;
	} files[FILES_MAX];
};

struct handle {
	struct file file;
	struct memdir *memdir;
	struct content *content;
};

static void *must(void *memory)
{
	if (!memory) {
		fputs("memdir: out of memory\n", stderr);
		abort();
	}
	return memory;
}

/* ---- contents ---- */

static struct content *content_new(void)
{
	struct content *content = must(calloc(1, sizeof(*content)));

	content->refs = 1;
	return content;
}

static void content_unref(struct content *content)
{
	if (--content->refs > 0)
		return;
	free(content->bytes);
	free(content);
}

static void content_resize(struct content *content, size_t size)
{
	if (size > content->capacity) {
		content->bytes = must(realloc(content->bytes, size));
		content->capacity = size;
	}
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

/* ---- files ---- */

static struct content *content_of(struct file *file)
{
	return ((struct handle *)file)->content;
}

static void about_to_change(struct memdir *memdir)
{
	assert(!memdir->frozen);
	if (memdir->watched && !memdir->before)
		memdir->before = memdir_clone(memdir);
}

static struct content *content_to_change(struct file *file)
{
	about_to_change(((struct handle *)file)->memdir);
	return content_of(file);
}

static enum wb_error mem_read(struct file *file, void *buffer, size_t size,
			      uint64_t offset, size_t *ret_size)
{
	const struct content *content = content_of(file);

	if (offset >= content->size)
		size = 0;
	else if (size > content->size - offset)
		size = content->size - (size_t)offset;
	if (size)
		memcpy(buffer, content->bytes + offset, size);
	*ret_size = size;
	return WB_OK;
}

static enum wb_error mem_write(struct file *file, const void *bytes,
			       size_t size, uint64_t offset)
{
	struct content *content = content_to_change(file);

	if (offset > (UINT64_C(1) << 30))
		return WB_NO_SPACE;
	if (offset + size > content->size)
		content_resize(content, (size_t)offset + size);
	memcpy(content->bytes + offset, bytes, size);
	return WB_OK;
}

static enum wb_error mem_sync(struct file *file)
{
	(void)file;
	return WB_OK;
}

static enum wb_error mem_truncate(struct file *file, uint64_t size)
{
	if (size > (UINT64_C(1) << 30))
		return WB_NO_SPACE;
	content_resize(content_to_change(file), (size_t)size);
	return WB_OK;
}

static enum wb_error mem_allocate(struct file *file, uint64_t size)
{
	struct content *content = content_to_change(file);

	return size > content->size ? mem_truncate(file, size) : WB_OK;
}

static enum wb_error mem_size(struct file *file, uint64_t *ret_size)
{
	*ret_size = content_of(file)->size;
	return WB_OK;
}

static void mem_close(struct file *file)
{
	content_unref(content_of(file));
	free(file);
}

static enum wb_error mem_drop_cache(struct file *file, uint64_t from)
{
	(void)from;
	return mem_sync(file);
}

static const struct file_ops mem_file_ops = {
	.read = mem_read,
	.write = mem_write,
	.sync = mem_sync,
	.truncate = mem_truncate,
	.allocate = mem_allocate,
	.size = mem_size,
	.drop_cache = mem_drop_cache,
	.close = mem_close,
};

/* ---- names ---- */

static struct named *find(struct memdir *memdir, const char *name)
{
	for (size_t at = 0; at < memdir->count; at++)
		if (strcmp(memdir->files[at].name, name) == 0)
			return &memdir->files[at];
	return NULL;
}

static struct named *add(struct memdir *memdir, const char *name,
			 struct content *content)
{
	struct named *named;

	assert(memdir->count < FILES_MAX && strlen(name) < NAME_BYTES);
	named = &memdir->files[memdir->count++];
	memcpy(named->name, name, strlen(name) + 1);
	named->content = content;
	return named;
}

static void forget(struct memdir *memdir, struct named *named)
{
	content_unref(named->content);
	*named = memdir->files[--memdir->count];
}

static enum wb_error mem_open(struct dir *dir, const char *name, unsigned flags,
			      struct file **ret_file)
{
	struct memdir *memdir = (struct memdir *)dir;
	struct named *named = find(memdir, name);
	struct handle *handle;

	if (!named && !(flags & FILE_CREATE))
		return WB_NOT_FOUND;
	if (named && (flags & FILE_EXCLUSIVE))
		return WB_EXISTS;
	if (!named || (flags & FILE_TRUNCATE))
		about_to_change(memdir);
	if (!named)
		named = add(memdir, name, content_new());
	if (flags & FILE_TRUNCATE)
		content_resize(named->content, 0);
	handle = must(malloc(sizeof(*handle)));
	handle->file.ops = &mem_file_ops;
	handle->memdir = memdir;
	handle->content = named->content;
	handle->content->refs++;
	*ret_file = &handle->file;
	return WB_OK;
}

static enum wb_error mem_make(struct dir *dir, const char *name)
{
	(void)dir;
	(void)name;
	return WB_OK;
}

static enum wb_error mem_rename(struct dir *dir, const char *from,
				const char *to)
{
	struct memdir *memdir = (struct memdir *)dir;
	struct named *named = find(memdir, from);
	struct content *content;

	if (!named)
		return WB_NOT_FOUND;
	about_to_change(memdir);
	content = named->content;
	content->refs++;
	forget(memdir, named);
	memdir_remove(memdir, to);
	add(memdir, to, content);
	return WB_OK;
}

static enum wb_error mem_remove(struct dir *dir, const char *name)
{
	struct memdir *memdir = (struct memdir *)dir;
	struct named *named = find(memdir, name);

	if (!named)
		return WB_NOT_FOUND;
	about_to_change(memdir);
	forget(memdir, named);
	return WB_OK;
}

static enum wb_error mem_dir_sync(struct dir *dir, const char *name)
{
	(void)dir;
	(void)name;
	return WB_OK;
}

static enum wb_error mem_list(struct dir *dir, const char *name,
			      bool (*visit)(void *context, const char *entry),
			      void *context)
{
	struct memdir *memdir = (struct memdir *)dir;
	size_t length = strlen(name);

	/* Backwards: what is removed is replaced by the last. */
	for (size_t at = memdir->count; at-- > 0;) {
		const char *entry = memdir->files[at].name;
		char copy[NAME_BYTES];

		if (length &&
		    (strncmp(entry, name, length) != 0 || entry[length] != '/'))
			continue;
		entry += length ? length + 1 : 0;
		if (strchr(entry, '/'))
			continue;
		memcpy(copy, entry, strlen(entry) + 1);
		if (!visit(context, copy))
			break;
	}
	return WB_OK;
}

static enum wb_error mem_lock(struct dir *dir, bool exclusive,
			      struct lock_holder *ret_holder)
{
	(void)dir;
	(void)exclusive;
	(void)ret_holder;
	return WB_OK;
}

static void mem_dir_close(struct dir *dir)
{
	(void)dir;
}

static const struct dir_ops mem_dir_ops = {
	.open = mem_open,
	.make = mem_make,
	.rename = mem_rename,
	.remove = mem_remove,
	.sync = mem_dir_sync,
	.list = mem_list,
	.lock = mem_lock,
	.close = mem_dir_close,
};

/* ---- from outside ---- */

struct memdir *memdir_new(void)
{
	struct memdir *memdir = must(calloc(1, sizeof(*memdir)));

	memdir->dir.ops = &mem_dir_ops;
	return memdir;
}

struct memdir *memdir_clone(const struct memdir *from)
{
	struct memdir *memdir = memdir_new();

	for (size_t at = 0; at < from->count; at++)
		memdir_put(memdir, from->files[at].name,
			   from->files[at].content->bytes,
			   from->files[at].content->size);
	return memdir;
}

static void clear(struct memdir *memdir)
{
	while (memdir->count > 0) {
		assert(memdir->files[0].content->refs == 1);
		forget(memdir, &memdir->files[0]);
	}
}

void memdir_free(struct memdir *memdir)
{
	if (!memdir)
		return;
	clear(memdir);
	memdir_free(memdir->before);
	free(memdir);
}

struct dir *memdir_dir(struct memdir *memdir)
{
	return &memdir->dir;
}

void memdir_freeze(struct memdir *memdir, bool frozen)
{
	memdir->frozen = frozen;
}

void memdir_watch(struct memdir *memdir)
{
	assert(!memdir->watched);
	memdir->watched = true;
}

bool memdir_undo(struct memdir *memdir)
{
	struct memdir *before = memdir->before;

	assert(memdir->watched);
	memdir->watched = false;
	memdir->before = NULL;
	if (!before)
		return false;
	clear(memdir);
	memcpy(memdir->files, before->files, sizeof(memdir->files));
	memdir->count = before->count;
	before->count = 0;
	memdir_free(before);
	return true;
}

size_t memdir_count(const struct memdir *memdir)
{
	return memdir->count;
}

const char *memdir_name(const struct memdir *memdir, size_t at)
{
	assert(at < memdir->count);
	return memdir->files[at].name;
}

uint8_t *memdir_bytes(struct memdir *memdir, const char *name, size_t *ret_size)
{
	struct named *named = find(memdir, name);

	if (!named)
		return NULL;
	*ret_size = named->content->size;
	return named->content->bytes;
}

void memdir_put(struct memdir *memdir, const char *name, const void *bytes,
		size_t size)
{
	struct content *content = content_new();

	content_resize(content, size);
	if (bytes && size)
		memcpy(content->bytes, bytes, size);
	memdir_remove(memdir, name);
	add(memdir, name, content);
}

void memdir_remove(struct memdir *memdir, const char *name)
{
	struct named *named = find(memdir, name);

	if (named)
		forget(memdir, named);
}

bool memdir_equal(struct memdir *a, struct memdir *b)
{
	if (a->count != b->count)
		return false;
	for (size_t at = 0; at < a->count; at++) {
		const struct content *x = a->files[at].content;
		const struct named *named = find(b, a->files[at].name);

		if (!named || named->content->size != x->size ||
		    (x->size &&
		     memcmp(named->content->bytes, x->bytes, x->size) != 0))
			return false;
	}
	return true;
}
