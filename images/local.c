/* SPDX-License-Identifier: Apache-2.0 */
#include "images/local.h"
#include "images/image.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>

struct wb_key image_key(const char *ns, const char *name)
{
	return (struct wb_key){WB_KIND_IMAGE, bytes_of(ns), bytes_of(name)};
}

enum wb_error store_answer(struct wb_text *ret_text, enum wb_error error,
			   const char *name)
{
	if (name)
		return answer(ret_text, error, "image %q: %s", name,
			      wb_error_text(error));
	return answer(ret_text, error, "%s", wb_error_text(error));
}

enum wb_error not_found(struct wb_text *ret_text, const char *name)
{
	return store_answer(ret_text, WB_NOT_FOUND, name);
}

/* ---- reading one record ---- */

enum wb_error read_store(void *store, const struct wb_key *key, void *buffer,
			 size_t size, struct wb_record *ret_record)
{
	return wb_get(store, key, buffer, size, ret_record);
}

enum wb_error read_view(void *view, const struct wb_key *key, void *buffer,
			size_t size, struct wb_record *ret_record)
{
	return wb_view_get(view, key, buffer, size, ret_record);
}

enum wb_error read_txn(void *txn, const struct wb_key *key, void *buffer,
		       size_t size, struct wb_record *ret_record)
{
	return wb_txn_get(txn, key, buffer, size, ret_record);
}

enum wb_error room_read(struct room *room, read_fn *read, void *handle,
			const struct wb_key *key, struct wb_record *ret_record)
{
	struct wb_record record = {.revision = 0};
	enum wb_error error =
		read(handle, key, room->near, sizeof(room->near), &record);

	/* It may have grown once more since its size was told. */
	while (error == WB_BUFFER) {
		free(room->far);
		room->far_size = record.value.size;
		room->far = malloc(room->far_size);
		if (!room->far)
			return WB_NO_MEMORY;
		error = read(handle, key, room->far, room->far_size, &record);
	}
	if (!error)
		*ret_record = record;
	return error;
}

void room_release(struct room *room)
{
	free(room->far);
	room->far = NULL;
}

enum wb_error image_read(read_fn *read, void *handle, const char *ns,
			 const char *name, struct wb_image **ret_image,
			 struct wb_text *ret_text)
{
	struct wb_key key = image_key(ns, name);
	struct room room = {.far = NULL};
	struct wb_image *image = NULL;
	struct wb_record record;
	enum wb_error error = WB_NOT_FOUND;

	if (name_is_storable(name))
		error = room_read(&room, read, handle, &key, &record);
	if (!error)
		error = image_decode(key.name, record.value, record.revision,
				     &image);
	else if (error == WB_NOT_FOUND)
		error = WB_OK;
	room_release(&room);
	if (error)
		return store_answer(ret_text, error, name);
	*ret_image = image;
	return WB_OK;
}

/* ---- the table ---- */

static enum wb_error local_get(struct wb_images *images,
			       const struct wb_call *call, const char *name,
			       struct wb_image **ret_image,
			       struct wb_text *ret_text)
{
	struct local *local = local_of(images);
	struct wb_image *image = NULL;
	struct wb_call mine;
	enum wb_error error = call_take(call, &mine, ret_text);

	if (!error)
		error = image_read(read_store, local->store, mine.ns, name,
				   &image, ret_text);
	if (error)
		return error;
	if (!image)
		return not_found(ret_text, name);
	if (ret_image)
		*ret_image = image;
	else
		wb_image_free(image);
	return WB_OK;
}

static enum wb_error local_revision_at(struct wb_images *images,
				       int64_t time_ns, uint64_t *ret_revision,
				       struct wb_text *ret_text)
{
	enum wb_error error =
		wb_revision_at(local_of(images)->store, time_ns, ret_revision);

	return error ? store_answer(ret_text, error, NULL) : WB_OK;
}

static enum wb_error local_stat(struct wb_images *images,
				struct wb_stat *ret_stat,
				struct wb_text *ret_text)
{
	enum wb_error error = wb_store_stat(local_of(images)->store, ret_stat);

	return error ? store_answer(ret_text, error, NULL) : WB_OK;
}

static void local_close(struct wb_images *images)
{
	if (images)
		free(local_of(images));
}

static const struct wb_images_ops local_ops = {
	.size = sizeof(struct wb_images_ops),
	.get = local_get,
	.put = local_put,
	.create = local_create,
	.update = local_update,
	.copy = local_copy,
	.remove = local_remove,
	.apply = local_apply,
	.undo = local_undo,
	.list = local_list,
	.history = local_history,
	.revision_at = local_revision_at,
	.stat = local_stat,
	.close = local_close,
};

enum wb_error wb_images_local(struct wb_store *store,
			      struct wb_images **ret_images)
{
	struct local *local = malloc(sizeof(*local));

	if (!local)
		return WB_NO_MEMORY;
	local->base.ops = &local_ops;
	local->store = store;
	*ret_images = &local->base;
	return WB_OK;
}
