/* SPDX-License-Identifier: Apache-2.0
 *
 * The blob is read and hashed before the name is registered: a layout whose
 * index points at a blob that was never finished, or that rotted, is told
 * here and not when somebody runs the image. What the blob refers to in its
 * turn is not followed; that is the content store's work.
 */
#include "tools/oci_layout.h"

#include "tools/input.h"
#include "tools/json.h"
#include "tools/wording.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REF_NAME	 "org.opencontainers.image.ref.name"
#define INDEX_BYTES_MAX	 (16u << 20)
#define LAYOUT_BYTES_MAX 4096u

static bool is_there(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0;
}

static enum wb_error check_directory(const char *directory,
				     struct wb_text *ret_text)
{
	struct stat status;
	int number = stat(directory, &status) == 0 ? 0 : errno;

	if (number == ENOENT)
		return fail(ret_text, WB_NOT_FOUND, "oci:%s: no such directory",
			    directory);
	if (number)
		return fail(ret_text, fail_errno(NULL, number, directory),
			    "oci:%s: %s", directory, strerror(number));
	if (!S_ISDIR(status.st_mode))
		return fail(ret_text, WB_BAD_INPUT, "oci:%s: not a directory",
			    directory);
	return WB_OK;
}

static enum wb_error split_place(struct scratch *scratch, const char *place,
				 const char **ret_directory,
				 const char **ret_tag, struct wb_text *ret_text)
{
	const char *colon = strrchr(place, ':');
	const char *directory = place;
	const char *tag = NULL;
	enum wb_error error;

	if (!is_there(place) && colon) {
		directory =
			scratch_copy(scratch, place, (size_t)(colon - place));
		tag = colon + 1;
		if (!directory)
			return fail(ret_text, WB_NO_MEMORY, "out of memory");
	}
	error = check_directory(directory, ret_text);
	if (error)
		return error;
	if (tag && !*tag)
		return fail(ret_text, WB_USAGE,
			    "oci:%s: a tag is missing after the colon", place);
	*ret_directory = directory;
	*ret_tag = tag;
	return WB_OK;
}

/* `error` about the file `name` of the layout. */
static enum wb_error fail_in(struct scratch *scratch, enum wb_error error,
			     const char *directory, const char *name,
			     struct wb_text *text)
{
	const char *where =
		scratch_format(scratch, "oci:%s: %s", directory, name);

	return fail_where(text, error, where ? where : name);
}

/* Reads the JSON object in `directory`/`name`. */
static enum wb_error read_object(struct scratch *scratch, const char *directory,
				 const char *name, size_t bytes_max,
				 const json_t **ret_object,
				 struct wb_text *ret_text)
{
	const char *path = scratch_format(scratch, "%s/%s", directory, name);
	struct stat status;
	char *bytes;
	size_t size;
	enum wb_error error;

	if (!path)
		return fail(ret_text, WB_NO_MEMORY, "out of memory");
	/* A FIFO in its place must not hang us. */
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return fail(ret_text, WB_BAD_INPUT,
			    "oci:%s: %s: not a regular file", directory, name);
	error = input_read(scratch, path, bytes_max, &bytes, &size, ret_text);
	if (error == WB_NOT_FOUND)
		return fail(ret_text, WB_BAD_INPUT,
			    "oci:%s: not an OCI image layout: it has no %s",
			    directory, name);
	if (error)
		return error;
	error = parse_object(scratch, bytes, size, ret_object, ret_text);
	return error ? fail_in(scratch, error, directory, name, ret_text)
		     : WB_OK;
}

static enum wb_error check_version(struct scratch *scratch,
				   const char *directory,
				   struct wb_text *ret_text)
{
	const json_t *layout;
	const char *version;
	enum wb_error error = read_object(scratch, directory, "oci-layout",
					  LAYOUT_BYTES_MAX, &layout, ret_text);

	if (error)
		return error;
	error = field_text(layout, "imageLayoutVersion", &version, ret_text);
	if (!error && (!version || strncmp(version, "1.", 2) != 0))
		error = fail(ret_text, WB_BAD_INPUT,
			     "imageLayoutVersion is not 1.x");
	return error ? fail_in(scratch, error, directory, "oci-layout",
			       ret_text)
		     : WB_OK;
}

/* Looks for the manifests tagged `tag`; NULL counts all. */
static size_t count_tagged(const json_t *manifests, const char *tag,
			   const json_t **ret_last)
{
	size_t found = 0;
	size_t index;
	json_t *manifest;

	json_array_foreach(manifests, index, manifest)
	{
		const char *name = json_string_value(json_object_get(
			json_object_get(manifest, "annotations"), REF_NAME));

		if (tag && (!name || strcmp(name, tag) != 0))
			continue;
		*ret_last = manifest;
		found++;
	}
	return found;
}

static enum wb_error choose_manifest(const json_t *manifests, const char *tag,
				     const char *directory,
				     const json_t **ret_manifest,
				     struct wb_text *ret_text)
{
	size_t found = count_tagged(manifests, tag, ret_manifest);

	if (!tag && found == 0)
		return fail(ret_text, WB_NOT_FOUND, "oci:%s: holds no image",
			    directory);
	if (!tag && found > 1) {
		size_t all = found;

		tag = "latest";
		found = count_tagged(manifests, tag, ret_manifest);
		if (found == 0)
			return fail(ret_text, WB_NOT_FOUND,
				    "oci:%s: holds %zu images and none is "
				    "tagged latest; say which: oci:%s:TAG",
				    directory, all, directory);
	}
	if (found == 0)
		return fail(ret_text, WB_NOT_FOUND,
			    "oci:%s: no image is tagged %s", directory, tag);
	if (found > 1)
		return fail(ret_text, WB_BAD_INPUT,
			    "oci:%s: %zu images are tagged %s", directory,
			    found, tag);
	return WB_OK;
}

/* Hashes what `fd` holds and compares it with `hex`. */
static enum wb_error check_hash(int fd, const EVP_MD *algorithm,
				const char *hex, const char *path,
				struct wb_text *ret_text)
{
	unsigned char piece[65536];
	unsigned char hash[EVP_MAX_MD_SIZE];
	char found[2 * EVP_MAX_MD_SIZE + 1];
	unsigned hash_size = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool fine = context && EVP_DigestInit_ex(context, algorithm, NULL);
	ssize_t count = 1;

	while (fine && count > 0) {
		do
			count = read(fd, piece, sizeof(piece));
		while (count < 0 && errno == EINTR);
		if (count > 0)
			fine = EVP_DigestUpdate(context, piece, (size_t)count);
	}
	fine = fine && EVP_DigestFinal_ex(context, hash, &hash_size);
	EVP_MD_CTX_free(context);
	if (count < 0)
		return fail_errno(ret_text, errno, path);
	if (!fine)
		return fail(ret_text, WB_NO_MEMORY, "%s: hashing failed", path);
	for (unsigned i = 0; i < hash_size; i++)
		snprintf(found + (size_t)2 * i, 3, "%02x", hash[i]);
	if (strcmp(found, hex) != 0)
		return fail(ret_text, WB_BAD_INPUT,
			    "%s: its content has the digest %s, not the one "
			    "it is named by",
			    path, found);
	return WB_OK;
}

static enum wb_error check_blob(struct scratch *scratch, const char *directory,
				const struct wb_descriptor *target,
				struct wb_text *ret_text)
{
	const char *hex = strchr(target->digest, ':') + 1;
	size_t name_size = (size_t)(hex - 1 - target->digest);
	char name[16];
	const EVP_MD *algorithm;
	const char *path;
	struct stat status;
	enum wb_error error;
	int fd;

	snprintf(name, sizeof(name), "%.*s", (int)name_size, target->digest);
	algorithm = EVP_get_digestbyname(name);
	path = scratch_format(scratch, "%s/blobs/%s/%s", directory, name, hex);
	if (!algorithm || !path)
		return fail(ret_text, WB_NO_MEMORY, "%s: cannot be computed",
			    target->digest);
	/* A FIFO in a blob's place must not hang us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return fail(ret_text, WB_BAD_INPUT,
			    "oci:%s: the blob %s is missing", directory,
			    target->digest);
	if (fd < 0)
		return fail_errno(ret_text, errno, path);
	if (fstat(fd, &status) != 0)
		error = fail_errno(ret_text, errno, path);
	else if (!S_ISREG(status.st_mode))
		error = fail(ret_text, WB_BAD_INPUT, "%s: not a regular file",
			     path);
	else if (status.st_size != target->size)
		error = fail(ret_text, WB_BAD_INPUT,
			     "%s: has %lld bytes, index.json says %lld", path,
			     (long long)status.st_size,
			     (long long)target->size);
	else
		error = check_hash(fd, algorithm, hex, path, ret_text);
	close(fd);
	return error;
}

static enum wb_error read_manifests(struct scratch *scratch,
				    const json_t *index, const char *directory,
				    const json_t **ret_manifests,
				    struct wb_text *ret_text)
{
	enum wb_error error =
		field_array(index, "manifests", ret_manifests, ret_text);

	if (!error && !json_object_get(index, "manifests"))
		error = fail(ret_text, WB_BAD_INPUT, "no \"manifests\"");
	return error ? fail_in(scratch, error, directory, "index.json",
			       ret_text)
		     : WB_OK;
}

enum wb_error oci_layout_find(struct scratch *scratch, const char *place,
			      struct wb_descriptor *ret_target,
			      struct wb_text *ret_text)
{
	struct wb_image probe = {.name = "probe"};
	const char *directory = NULL;
	const char *tag = NULL;
	const json_t *index = NULL;
	const json_t *manifests = NULL;
	const json_t *manifest = NULL;
	enum wb_error error =
		split_place(scratch, place, &directory, &tag, ret_text);

	if (!error)
		error = check_version(scratch, directory, ret_text);
	if (!error)
		error = read_object(scratch, directory, "index.json",
				    INDEX_BYTES_MAX, &index, ret_text);
	if (!error)
		error = read_manifests(scratch, index, directory, &manifests,
				       ret_text);
	if (!error)
		error = choose_manifest(manifests, tag, directory, &manifest,
					ret_text);
	if (error)
		return error;
	if (!json_is_object(manifest))
		return fail(ret_text, WB_BAD_INPUT,
			    "oci:%s: a manifest in index.json is no object",
			    directory);
	error = parse_descriptor(scratch, manifest, &probe.target, ret_text);
	/* Before its digest becomes a path. */
	if (!error)
		error = wb_image_validate(&probe, ret_text);
	if (error)
		return fail_in(scratch, error, directory, "index.json",
			       ret_text);
	error = check_blob(scratch, directory, &probe.target, ret_text);
	if (!error)
		*ret_target = probe.target;
	return error;
}
