/* SPDX-License-Identifier: Apache-2.0
 *
 * The local implementation of struct wb_images, as its files share it.
 *
 *	local.c          the table, reading one image
 *	local_txn.c      the Update around a call, conditions
 *	local_write.c    put, create, update, copy, remove
 *	local_apply.c    apply
 *	local_undo.c     undo
 *	local_list.c     list
 *	local_history.c  history
 */
#ifndef WAYBILL_IMAGES_LOCAL_H
#define WAYBILL_IMAGES_LOCAL_H

#include "images/request.h"

#include <waybill/images.h>

struct local {
	struct wb_images base;
	struct wb_store *store;
};

static inline struct local *local_of(struct wb_images *images)
{
	return (struct local *)images;
}

struct wb_key image_key(const char *ns, const char *name);

/* `error` of the store as a sentence about `name` (NULL: about nothing). */
enum wb_error store_answer(struct wb_text *ret_text, enum wb_error error,
			   const char *name);
/* `image "x": not found`. */
enum wb_error not_found(struct wb_text *ret_text, const char *name);

/* ---- reading one record ---- */

/* Where a record's value is copied to; most fit without an allocation. */
struct room {
	uint8_t near[2048];
	uint8_t *far;
	size_t far_size;
};

/* As wb_get, wb_view_get or wb_txn_get, of which `handle` decides. */
typedef enum wb_error read_fn(void *handle, const struct wb_key *key,
			      void *buffer, size_t size,
			      struct wb_record *ret_record);
enum wb_error read_store(void *store, const struct wb_key *key, void *buffer,
			 size_t size, struct wb_record *ret_record);
enum wb_error read_view(void *view, const struct wb_key *key, void *buffer,
			size_t size, struct wb_record *ret_record);
enum wb_error read_txn(void *txn, const struct wb_key *key, void *buffer,
		       size_t size, struct wb_record *ret_record);

/* Read with as much room as it takes. Begin with `*room` zero; release it
 * whatever this returns. WB_NOT_FOUND, WB_CORRUPT, WB_NO_MEMORY, … */
enum wb_error room_read(struct room *room, read_fn *read, void *handle,
			const struct wb_key *key, struct wb_record *ret_record);
void room_release(struct room *room);

/* Read and decode; `*ret_image` is NULL where there is none. */
enum wb_error image_read(read_fn *read, void *handle, const char *ns,
			 const char *name, struct wb_image **ret_image,
			 struct wb_text *ret_text);

/* What the commit of this revision made of the name, from the log. NULL: it
 * did not put it, or the log does not reach back so far or cannot be read. */
struct wb_image *image_of_revision(struct wb_store *store, const char *ns,
				   const char *name, uint64_t revision);

/* ---- an Update around one call ---- */

struct write {
	struct local *local;
	const struct wb_call *call;
	struct wb_text *text;
	struct wb_txn *txn; /* NULL: the operation was done before */
	struct wb_outcome outcome;
};

/* Begin the Update for `call`, whose request has the hash `hash`. Where
 * `write->txn` is NULL afterwards it is a replay, and nothing is open. */
enum wb_error write_begin(struct write *write, struct local *local,
			  const struct wb_call *call, uint64_t hash,
			  struct wb_text *ret_text);
/* Commit where `error` is WB_OK, else abort. Returns the error that the
 * caller must see: that of the store, where the answer it gave before may
 * not be final. */
enum wb_error write_end(struct write *write, enum wb_error error);
/* Abort what went well. */
enum wb_error write_abort(struct write *write);

/* Put a canonical image that image_check found fit over `current` (NULL:
 * there is none). `*ret_image` (NULL: not wanted) is what is stored, but for
 * its revision. */
enum wb_error write_image(struct write *write, struct wb_image *image,
			  const struct wb_image *current,
			  struct wb_image **ret_image);
enum wb_error write_delete(struct write *write, const char *name);

/* Is it one that can be checked? NULL is. WB_BAD_INPUT. */
enum wb_error condition_check(const struct wb_condition *condition,
			      struct wb_text *ret_text);
/* Does it hold for `current` (NULL: there is none)? WB_PRECONDITION. */
enum wb_error condition_hold(const struct wb_condition *condition,
			     const char *name, const struct wb_image *current,
			     struct wb_text *ret_text);

/* ---- operations of the table ---- */

enum wb_error local_put(struct wb_images *images, const struct wb_call *call,
			const struct wb_image *image,
			const struct wb_condition *condition,
			struct wb_outcome *ret_outcome,
			struct wb_image **ret_image, struct wb_text *ret_text);
enum wb_error local_create(struct wb_images *images, const struct wb_call *call,
			   const struct wb_image *image,
			   struct wb_outcome *ret_outcome,
			   struct wb_image **ret_image,
			   struct wb_text *ret_text);
enum wb_error local_update(struct wb_images *images, const struct wb_call *call,
			   const struct wb_image *image,
			   const char *const *paths, size_t path_count,
			   const struct wb_condition *condition,
			   struct wb_outcome *ret_outcome,
			   struct wb_image **ret_image,
			   struct wb_text *ret_text);
enum wb_error local_copy(struct wb_images *images, const struct wb_call *call,
			 const char *source, const char *name, bool replace,
			 const struct wb_condition *condition,
			 struct wb_outcome *ret_outcome,
			 struct wb_image **ret_image, struct wb_text *ret_text);
enum wb_error local_remove(struct wb_images *images, const struct wb_call *call,
			   const char *name, const char *target_digest,
			   const struct wb_condition *condition,
			   struct wb_outcome *ret_outcome,
			   struct wb_image **ret_image,
			   struct wb_text *ret_text);
enum wb_error local_apply(struct wb_images *images, const struct wb_call *call,
			  const struct wb_image_mutation *mutations,
			  size_t count, bool dry_run,
			  struct wb_outcome *ret_outcome, size_t *ret_failed,
			  struct wb_image **ret_image,
			  struct wb_text *ret_text);
enum wb_error local_undo(struct wb_images *images, const struct wb_call *call,
			 const char *name, const struct wb_condition *condition,
			 struct wb_outcome *ret_outcome,
			 struct wb_image **ret_image, struct wb_text *ret_text);
enum wb_error local_list(struct wb_images *images, const struct wb_call *call,
			 const struct wb_list_options *options,
			 wb_image_fn *visit, void *context,
			 struct wb_page *ret_page, struct wb_text *ret_text);
enum wb_error local_history(struct wb_images *images,
			    const struct wb_call *call, const char *name,
			    uint64_t before, size_t limit,
			    wb_image_version_fn *visit, void *context,
			    struct wb_text *ret_text);

#endif
