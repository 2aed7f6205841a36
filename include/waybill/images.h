/* SPDX-License-Identifier: Apache-2.0
 *
 * Images: a name that points at a content root, described by an OCI
 * descriptor. `struct wb_images` is one interface with two implementations:
 * the local one over a store (here) and the remote one over a socket. What a
 * call answers, down to the text of an error, is the same on both.
 *
 * Texts and order of checks follow containerd 1.6's image service.
 */
#ifndef WAYBILL_IMAGES_H
#define WAYBILL_IMAGES_H

#include <waybill/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Strings are UTF-8 and NUL-terminated throughout. */
struct wb_label {
	const char *key;
	const char *value;
};

/* In bytewise order of the keys, each once, where the library returns it;
 * in any order where a caller passes it (of equal keys the last wins). */
struct wb_labels {
	const struct wb_label *items;
	size_t count;
};

/* https://github.com/opencontainers/image-spec/blob/v1.0.2/descriptor.md */
struct wb_descriptor {
	const char *media_type;
	const char *digest; /* "sha256:" and 64 lower-case hex digits, … */
	int64_t size;	    /* bytes */
	struct wb_labels annotations;
};

struct wb_image {
	const char *name;
	struct wb_labels labels;
	struct wb_descriptor target;
	int64_t created_at_ns; /* set by the store; ignored on write */
	int64_t updated_at_ns; /* likewise; strictly later at each write */
	uint64_t revision;     /* likewise */
};

/* Frees an image that a call returned, with all it points at. */
WB_API void wb_image_free(struct wb_image *image);

/* One version of a name. `image` is NULL where it was deleted. */
struct wb_image_version {
	const char *name;
	uint64_t revision;
	uint64_t previous_revision;
	bool deleted;
	int64_t time_ns;
	struct wb_actor actor;
	const char *reason;	  /* "" if none */
	const char *operation_id; /* "" if none */
	const struct wb_image *image;
};

/* What every call carries. NULL actor: this process (the remote side learns
 * it from the kernel and ignores this one). */
struct wb_call {
	size_t size;	/* sizeof(struct wb_call) */
	const char *ns; /* namespace */
	const struct wb_actor *actor;
	const char *reason;	  /* NULL: none */
	const char *operation_id; /* NULL: none */
	int64_t retry_since_ns;	  /* see struct wb_txn_options */
};

enum wb_condition_kind {
	WB_WHEN_ANY = 0,
	WB_WHEN_ABSENT = 1,
	WB_WHEN_PRESENT = 2,
	WB_WHEN_REVISION = 3,
	WB_WHEN_DIGEST = 4, /* exists, and its target has this digest */
};
struct wb_condition {
	enum wb_condition_kind kind;
	uint64_t revision;
	const char *digest;
};

/* Either puts `put`, or deletes `remove` (exactly one is not NULL). */
struct wb_image_mutation {
	const struct wb_image *put;
	const char *remove;
	struct wb_condition condition;
};

struct wb_list_options {
	size_t size;		    /* sizeof(struct wb_list_options) */
	const char *const *filters; /* containerd's language; any may match */
	size_t filter_count;
	const char *prefix; /* of the name; NULL: all */
	const char *after;  /* exclusive; NULL: from the start */
	size_t limit;	    /* 0: 1,000, the page; SIZE_MAX: no limit */
};

struct wb_page {
	uint64_t revision; /* the answer is the state at this revision */
	/* The limit cut it: ask again after the last name. False where it was
	 * the visitor that stopped. */
	bool more;
};

/* False stops the visits, and the operation returns WB_OK. What is visited
 * lasts until the visitor returns, which must not call into the same images:
 * collect first. */
typedef bool wb_image_fn(void *context, const struct wb_image *image);
typedef bool wb_image_version_fn(void *context,
				 const struct wb_image_version *version);

struct wb_images;

/* Any number of threads may use one. In a forked child every operation is
 * WB_FORKED, but `close`, which frees the child's copy and touches nothing.
 *
 * An operation is an Update or a view of its own: inside a wb_txn of the same
 * thread those that change anything are WB_NESTED. There is no way to change an
 * image and an own record in one commit.
 *
 * Every operation returns WB_OK or an error with its text; what is said of the
 * store's calls it may return as well (WB_CORRUPT, WB_IO, WB_NO_SPACE,
 * WB_STOPPED, WB_OUTCOME_UNKNOWN, WB_READ_ONLY, WB_NO_MEMORY, …), and of a bad
 * call or image WB_BAD_INPUT, WB_TOO_LARGE, WB_CONFLICT. Where only the effect
 * matters `ret_outcome`, `ret_image`, `ret_page`, `ret_failed` and `ret_text`
 * may be NULL. `ret_image` receives an image to be freed with wb_image_free.
 * Where a condition does not hold
 * (WB_PRECONDITION), `*ret_image` is the current image, or NULL where there
 * is none; after every other error it is untouched. A replayed operation
 * answers with the image of the first time, or with NULL where the history
 * does not reach back to it. A call without a namespace is WB_PRECONDITION
 * too, with NULL. */
struct wb_images_ops {
	/* Of this struct, as whoever made it knows it. Operations are added at
	 * the end: ask wb_images_has for one that is younger than `close`. */
	size_t size;
	/* WB_NOT_FOUND `image "x": not found`. */
	enum wb_error (*get)(struct wb_images *images,
			     const struct wb_call *call, const char *name,
			     struct wb_image **ret_image,
			     struct wb_text *ret_text);
	/* Create or replace; created_at of an existing name is kept.
	 * `condition` may be NULL. */
	enum wb_error (*put)(struct wb_images *images,
			     const struct wb_call *call,
			     const struct wb_image *image,
			     const struct wb_condition *condition,
			     struct wb_outcome *ret_outcome,
			     struct wb_image **ret_image,
			     struct wb_text *ret_text);
	/* WB_EXISTS `image "a": already exists`. */
	enum wb_error (*create)(struct wb_images *images,
				const struct wb_call *call,
				const struct wb_image *image,
				struct wb_outcome *ret_outcome,
				struct wb_image **ret_image,
				struct wb_text *ret_text);
	/* Mask paths: labels, labels.<key>, target, annotations,
	 * annotations.<key>; none: replace all. WB_NOT_FOUND. `condition`
	 * may be NULL. */
	enum wb_error (*update)(struct wb_images *images,
				const struct wb_call *call,
				const struct wb_image *image,
				const char *const *paths, size_t path_count,
				const struct wb_condition *condition,
				struct wb_outcome *ret_outcome,
				struct wb_image **ret_image,
				struct wb_text *ret_text);
	/* Make `name` what `source` is: its target, labels and annotations,
	 * read and written in one commit. WB_NOT_FOUND: there is no `source`.
	 * WB_EXISTS: there is a `name`, and not `replace`. `condition` is held
	 * against `name` and may be NULL. A replay answers as the first time,
	 * whatever became of `source`. */
	enum wb_error (*copy)(struct wb_images *images,
			      const struct wb_call *call, const char *source,
			      const char *name, bool replace,
			      const struct wb_condition *condition,
			      struct wb_outcome *ret_outcome,
			      struct wb_image **ret_image,
			      struct wb_text *ret_text);
	/* `target_digest` not NULL: only while it points there, else
	 * WB_NOT_FOUND. `condition` may be NULL. `*ret_image` is what was
	 * removed. */
	enum wb_error (*remove)(struct wb_images *images,
				const struct wb_call *call, const char *name,
				const char *target_digest,
				const struct wb_condition *condition,
				struct wb_outcome *ret_outcome,
				struct wb_image **ret_image,
				struct wb_text *ret_text);
	/* All mutations in one commit, or none; a name twice is
	 * WB_BAD_INPUT. With `dry_run` everything is checked and nothing is
	 * written (revision 0). `ret_failed` receives the number of the
	 * mutation that an error is about, and is untouched where it is about
	 * none. `*ret_image` is NULL but where a condition does not hold. */
	enum wb_error (*apply)(struct wb_images *images,
			       const struct wb_call *call,
			       const struct wb_image_mutation *mutations,
			       size_t count, bool dry_run,
			       struct wb_outcome *ret_outcome,
			       size_t *ret_failed, struct wb_image **ret_image,
			       struct wb_text *ret_text);
	/* Make the version before the newest one current again, as a new
	 * version: its target, labels and annotations. Where the newest one is
	 * a deletion, what was deleted comes back; where the name did not exist
	 * before it, the name is removed. So a second undo undoes the first.
	 *
	 * created_at is that of the version that comes back, updated_at is new.
	 * Without a reason in `call` it is `undo of revision N`. A condition is
	 * held against the newest version: WB_WHEN_REVISION against a deletion
	 * too. Where another writer changes the name between the look at its
	 * history and the change, it is WB_PRECONDITION as well: nobody else's
	 * change is ever undone. `*ret_image` is what is current afterwards,
	 * NULL where the name was removed.
	 *
	 * WB_NOT_FOUND: the name has no version. WB_COMPACTED: the version
	 * before is gone. WB_AGAIN: so much is written that the history could
	 * not be held still. */
	enum wb_error (*undo)(struct wb_images *images,
			      const struct wb_call *call, const char *name,
			      const struct wb_condition *condition,
			      struct wb_outcome *ret_outcome,
			      struct wb_image **ret_image,
			      struct wb_text *ret_text);
	/* In bytewise order of the names. At most 32 filters of 4,096 bytes;
	 * WB_BAD_INPUT tells where one is wrong, or that its regular
	 * expression takes too long. `options` may be NULL: all names, the
	 * first page. */
	enum wb_error (*list)(struct wb_images *images,
			      const struct wb_call *call,
			      const struct wb_list_options *options,
			      wb_image_fn *visit, void *context,
			      struct wb_page *ret_page,
			      struct wb_text *ret_text);
	/* Newest first; `name` NULL: every name of the namespace. `before`
	 * and `limit` as for wb_history and, of every name, wb_log. A name that
	 * never was is WB_OK without a visit. */
	enum wb_error (*history)(struct wb_images *images,
				 const struct wb_call *call, const char *name,
				 uint64_t before, size_t limit,
				 wb_image_version_fn *visit, void *context,
				 struct wb_text *ret_text);
	/* As wb_revision_at. */
	enum wb_error (*revision_at)(struct wb_images *images, int64_t time_ns,
				     uint64_t *ret_revision,
				     struct wb_text *ret_text);
	/* As wb_store_stat, of all namespaces and kinds. */
	enum wb_error (*stat)(struct wb_images *images,
			      struct wb_stat *ret_stat,
			      struct wb_text *ret_text);
	/* Ends and frees it; NULL is allowed. What it stands on stays. */
	void (*close)(struct wb_images *images);
};
struct wb_images {
	const struct wb_images_ops *ops;
};

/* Has this implementation the operation `op`? */
#define wb_images_has(images, op) \
	((images)->ops->size >=   \
	 offsetof(struct wb_images_ops, op) + sizeof((images)->ops->op))

/* The local implementation over `store`, which must outlive it. End it with
 * `ops->close`. Any number may stand on one store. Fails for want of memory
 * only. */
WB_API enum wb_error wb_images_local(struct wb_store *store,
				     struct wb_images **ret_images);

/* ---- the rules, for callers that want to check before they ask ---- */

/* In this order: name, labels, digest, size, media type. WB_BAD_INPUT. */
WB_API enum wb_error wb_image_validate(const struct wb_image *image,
				       struct wb_text *ret_text);
/* WB_PRECONDITION: none. WB_BAD_INPUT: not one. */
WB_API enum wb_error wb_namespace_validate(const char *ns,
					   struct wb_text *ret_text);

/* A reference as the ecosystem writes it, in full: `redis` becomes
 * `docker.io/library/redis:latest`. WB_BAD_INPUT where it is none. The
 * caller frees `*ret_name` with free(). */
WB_API enum wb_error wb_reference_normalise(const char *reference,
					    char **ret_name,
					    struct wb_text *ret_text);

#ifdef __cplusplus
}
#endif
#endif
