/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulated disk from the outside: what is damage to the code under test.
 */
#include "tests/support/simdisk_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- every file ---- */

struct listing {
	char (*paths)[PATH_MAX];
	uint64_t *sizes;
	bool *dirs;
	size_t count;
};

static size_t nodes_count(const struct node *dir)
{
	size_t count = 0;

	for (size_t i = 0; i < dir->visible_names.count; i++) {
		const struct node *node = dir->visible_names.list[i].node;

		count += 1 + (node->is_dir ? nodes_count(node) : 0);
	}
	return count;
}

static void listing_add(struct listing *listing, const struct node *dir,
			const char *prefix)
{
	for (size_t i = 0; i < dir->visible_names.count; i++) {
		const struct entry *entry = &dir->visible_names.list[i];
		size_t at = listing->count++;
		char *path = listing->paths[at];
		int length =
			snprintf(path, PATH_MAX, "%s%s", prefix, entry->name);

		SIM_REQUIRE(length < PATH_MAX - 1, "%s: too deep", prefix);
		listing->dirs[at] = entry->node->is_dir;
		if (entry->node->is_dir) {
			path[length] = '/';
			path[length + 1] = '\0';
			listing_add(listing, entry->node, path);
		} else {
			listing->sizes[at] = simdata_size(entry->node->visible);
		}
	}
}

static struct listing listing_of(struct simdisk *disk)
{
	struct listing listing = {.count = 0};
	size_t room;

	pthread_mutex_lock(&disk->mutex);
	room = nodes_count(disk->root);
	listing.paths = sim_alloc(room * sizeof(*listing.paths));
	listing.sizes = sim_alloc(room * sizeof(*listing.sizes));
	listing.dirs = sim_alloc(room * sizeof(*listing.dirs));
	listing_add(&listing, disk->root, "");
	assert(listing.count == room);
	pthread_mutex_unlock(&disk->mutex);
	return listing;
}

static void listing_free(struct listing *listing)
{
	free(listing->paths);
	free(listing->sizes);
	free(listing->dirs);
}

/* The smallest path above `after`; NULL: there is none. */
static const char *listing_next(const struct listing *listing,
				const char *after, size_t *ret_at)
{
	const char *next = NULL;

	for (size_t i = 0; i < listing->count; i++) {
		const char *path = listing->paths[i];

		if (strcmp(path, after) > 0 &&
		    (!next || strcmp(path, next) < 0)) {
			next = path;
			*ret_at = i;
		}
	}
	return next;
}

void simdisk_each(struct simdisk *disk,
		  bool (*visit)(void *context, const char *path, uint64_t size),
		  void *context)
{
	struct listing listing = listing_of(disk);
	const char *path = "";
	size_t at;

	while ((path = listing_next(&listing, path, &at)))
		if (!listing.dirs[at] &&
		    !visit(context, path, listing.sizes[at]))
			break;
	listing_free(&listing);
}

/* ---- one file ---- */

/* Takes the mutex. */
static struct node *raw_begin(struct simdisk *disk, const char *path)
{
	struct node *node;

	pthread_mutex_lock(&disk->mutex);
	node = sim_path_node(disk, path);
	SIM_REQUIRE(node, "%s: not there", path);
	SIM_REQUIRE(!node->is_dir, "%s: a directory", path);
	return node;
}

/* For changing it. */
static struct node *raw_change(struct simdisk *disk, const char *path)
{
	struct node *node = raw_begin(disk, path);

	SIM_REQUIRE(!node->changes && !node->lies, "%s: not synced", path);
	return node;
}

static void raw_changed(struct simdisk *disk, struct node *node)
{
	simdata_unref(node->durable);
	node->durable = simdata_ref(node->visible);
	pthread_mutex_unlock(&disk->mutex);
}

bool simdisk_has(struct simdisk *disk, const char *path)
{
	struct node *node;
	bool has;

	pthread_mutex_lock(&disk->mutex);
	node = sim_path_node(disk, path);
	has = node && !node->is_dir;
	pthread_mutex_unlock(&disk->mutex);
	return has;
}

uint64_t simdisk_size(struct simdisk *disk, const char *path)
{
	uint64_t size = simdata_size(raw_begin(disk, path)->visible);

	pthread_mutex_unlock(&disk->mutex);
	return size;
}

void simdisk_get(struct simdisk *disk, const char *path, void *buffer,
		 size_t size, uint64_t offset)
{
	simdata_read(raw_begin(disk, path)->visible, buffer, size, offset);
	pthread_mutex_unlock(&disk->mutex);
}

bool simdisk_get_durable(struct simdisk *disk, const char *path, void *buffer,
			 size_t size, uint64_t offset)
{
	struct simdisk *image =
		simdisk_crash(disk, (struct sim_crash){SIM_KEEP_NOTHING, 0});
	bool has = simdisk_has(image, path);

	if (has)
		simdisk_get(image, path, buffer, size, offset);
	simdisk_free(image);
	return has;
}

void simdisk_set(struct simdisk *disk, const char *path, const void *bytes,
		 size_t size, uint64_t offset)
{
	struct node *node = raw_change(disk, path);

	simdata_write(&node->visible, bytes, size, offset);
	raw_changed(disk, node);
}

void simdisk_flip(struct simdisk *disk, const char *path, uint64_t bit)
{
	struct node *node = raw_change(disk, path);
	unsigned char byte;

	SIM_REQUIRE(bit / 8 < simdata_size(node->visible),
		    "%s: bit %llu is beyond the end", path,
		    (unsigned long long)bit);
	simdata_read(node->visible, &byte, 1, bit / 8);
	byte = (unsigned char)(byte ^ 1u << bit % 8);
	simdata_write(&node->visible, &byte, 1, bit / 8);
	raw_changed(disk, node);
}

void simdisk_rot(struct simdisk *disk, const char *path, uint64_t bit)
{
	struct node *node;
	unsigned char byte;

	pthread_mutex_lock(&disk->mutex);
	node = sim_path_node(disk, path);
	SIM_REQUIRE(node && !node->is_dir, "%s: no such file", path);
	SIM_REQUIRE(bit / 8 < simdata_size(node->durable),
		    "%s: bit %llu is beyond the end", path,
		    (unsigned long long)bit);
	simdata_read(node->durable, &byte, 1, bit / 8);
	byte = (unsigned char)(byte ^ 1u << bit % 8);
	simdata_write(&node->durable, &byte, 1, bit / 8);
	node->lies = true;
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_resize(struct simdisk *disk, const char *path, uint64_t size)
{
	struct node *node = raw_change(disk, path);

	simdata_resize(&node->visible, size);
	raw_changed(disk, node);
}

/* The directory of `path`, with the mutex. */
static struct node *raw_parent(struct simdisk *disk, const char *path,
			       const char **ret_name)
{
	struct node *parent;

	pthread_mutex_lock(&disk->mutex);
	parent = sim_path_parent(disk, path, ret_name);
	SIM_REQUIRE(parent, "%s: no such directory", path);
	SIM_REQUIRE(!parent->changes, "%s: the directory is not synced", path);
	return parent;
}

void simdisk_delete(struct simdisk *disk, const char *path)
{
	const char *name;
	struct node *parent = raw_parent(disk, path, &name);

	SIM_REQUIRE(sim_names_find(&parent->visible_names, name),
		    "%s: not there", path);
	sim_names_remove(&parent->visible_names, name);
	sim_names_remove(&parent->durable_names, name);
	pthread_mutex_unlock(&disk->mutex);
}

static void raw_put(struct simdisk *disk, const char *path,
		    struct simdata *content)
{
	const char *name;
	struct node *parent = raw_parent(disk, path, &name);
	struct node *node = sim_node_new(disk, content == NULL);

	if (content) {
		simdata_unref(node->visible);
		simdata_unref(node->durable);
		node->visible = simdata_ref(content);
		node->durable = simdata_ref(content);
	}
	sim_names_put(&parent->visible_names, name, node);
	sim_names_put(&parent->durable_names, name, node);
	sim_node_unref(node);
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_link(struct simdisk *disk, const char *path, const char *to)
{
	const char *name;
	struct node *parent = raw_parent(disk, path, &name);
	struct node *node = sim_path_node(disk, to);

	SIM_REQUIRE(node && !node->is_dir, "%s: not there", to);
	sim_names_put(&parent->visible_names, name, node);
	sim_names_put(&parent->durable_names, name, node);
	pthread_mutex_unlock(&disk->mutex);
}

void simdisk_copy(struct simdisk *disk, const char *path, struct simdisk *from,
		  const char *from_path)
{
	struct simdata *content =
		simdata_ref(raw_begin(from, from_path)->visible);

	pthread_mutex_unlock(&from->mutex);
	raw_put(disk, path, content);
	simdata_unref(content);
}

/* ---- real directories ---- */

static void import_file(struct simdisk *disk, int dir_fd, const char *name,
			const char *path)
{
	struct simdata *content = simdata_new();
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	char buffer[65536];
	uint64_t at = 0;
	ssize_t got;

	SIM_REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		simdata_write(&content, buffer, (size_t)got, at);
		at += (uint64_t)got;
	}
	SIM_REQUIRE(got == 0, "%s: %s", path, strerror(errno));
	close(fd);
	raw_put(disk, path, content);
	simdata_unref(content);
}

/* Takes `dir_fd`. `prefix` is empty or ends in a slash. */
static void import_directory(struct simdisk *disk, int dir_fd,
			     const char *prefix)
{
	DIR *stream = fdopendir(dir_fd);
	struct dirent *entry;

	SIM_REQUIRE(stream, "%s: %s", prefix, strerror(errno));
	while ((entry = readdir(stream))) {
		char path[PATH_MAX];
		struct stat stat;
		int length;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		length = snprintf(path, sizeof(path) - 1, "%s%s", prefix,
				  entry->d_name);
		SIM_REQUIRE(length < PATH_MAX - 1, "%s: too deep", prefix);
		SIM_REQUIRE(fstatat(dir_fd, entry->d_name, &stat,
				    AT_SYMLINK_NOFOLLOW) == 0,
			    "%s: %s", path, strerror(errno));
		if (S_ISREG(stat.st_mode)) {
			import_file(disk, dir_fd, entry->d_name, path);
		} else if (S_ISDIR(stat.st_mode)) {
			int fd = openat(dir_fd, entry->d_name,
					O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			SIM_REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
			raw_put(disk, path, NULL);
			strcat(path, "/");
			import_directory(disk, fd, path);
		}
	}
	closedir(stream);
}

struct simdisk *simdisk_import(const char *directory)
{
	struct simdisk *disk = simdisk_new();
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	SIM_REQUIRE(fd >= 0, "%s: %s", directory, strerror(errno));
	import_directory(disk, fd, "");
	disk->own_name_durable = true;
	return disk;
}

static void export_file(struct simdisk *disk, int dir_fd, const char *path,
			uint64_t size)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);
	char buffer[PAGE_BYTES];

	SIM_REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	for (uint64_t at = 0; at < size; at += sizeof(buffer)) {
		size_t step = sizeof(buffer);

		if (step > size - at)
			step = (size_t)(size - at);
		simdisk_get(disk, path, buffer, step, at);
		SIM_REQUIRE(write(fd, buffer, step) == (ssize_t)step, "%s: %s",
			    path, strerror(errno));
	}
	SIM_REQUIRE(fsync(fd) == 0, "%s: %s", path, strerror(errno));
	close(fd);
}

void simdisk_export(struct simdisk *disk, const char *directory)
{
	struct listing listing = listing_of(disk);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *path = "";
	size_t at;

	SIM_REQUIRE(fd >= 0, "%s: %s", directory, strerror(errno));
	/* In this order, a directory comes before what is in it. */
	while ((path = listing_next(&listing, path, &at))) {
		if (listing.dirs[at])
			SIM_REQUIRE(mkdirat(fd, path, 0700) == 0, "%s: %s",
				    path, strerror(errno));
		else
			export_file(disk, fd, path, listing.sizes[at]);
	}
	SIM_REQUIRE(fsync(fd) == 0, "%s: %s", directory, strerror(errno));
	close(fd);
	listing_free(&listing);
}
