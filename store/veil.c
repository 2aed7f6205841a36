/* SPDX-License-Identifier: Apache-2.0 */
#include "store/veil.h"

#include "log/anchor.h"

#include <string.h>

static struct veil *veil_of(struct dir *dir)
{
	return (struct veil *)dir;
}

static const char *real_name(struct dir *dir, const char *name)
{
	const struct veil *veil = veil_of(dir);

	return veil->anchor && strcmp(name, ANCHOR_NAME) == 0 ? veil->anchor
							      : name;
}

static enum wb_error veil_open(struct dir *dir, const char *name,
			       unsigned flags, struct file **ret_file)
{
	struct dir *real = veil_of(dir)->real;

	return real->ops->open(real, real_name(dir, name), flags, ret_file);
}

static enum wb_error veil_make(struct dir *dir, const char *name)
{
	struct dir *real = veil_of(dir)->real;

	return real->ops->make(real, name);
}

static enum wb_error veil_rename(struct dir *dir, const char *from,
				 const char *to)
{
	struct dir *real = veil_of(dir)->real;

	return real->ops->rename(real, real_name(dir, from),
				 real_name(dir, to));
}

static enum wb_error veil_remove(struct dir *dir, const char *name)
{
	struct dir *real = veil_of(dir)->real;

	return real->ops->remove(real, real_name(dir, name));
}

static enum wb_error veil_sync(struct dir *dir, const char *name)
{
	struct dir *real = veil_of(dir)->real;

	return real->ops->sync(real, name);
}

struct listing {
	const struct veil *veil;
	bool (*visit)(void *context, const char *entry);
	void *context;
};

static bool show(void *context, const char *entry)
{
	struct listing *listing = context;
	const char *hidden = listing->veil->anchor;

	if (hidden && strcmp(entry, ANCHOR_NAME) == 0)
		return true;
	if (hidden && strcmp(entry, hidden) == 0)
		entry = ANCHOR_NAME;
	return listing->visit(listing->context, entry);
}

static enum wb_error veil_list(struct dir *dir, const char *name,
			       bool (*visit)(void *context, const char *entry),
			       void *context)
{
	struct dir *real = veil_of(dir)->real;
	struct listing listing = {veil_of(dir), visit, context};

	if (*name)
		return real->ops->list(real, name, visit, context);
	return real->ops->list(real, name, show, &listing);
}

static enum wb_error veil_lock(struct dir *dir, bool exclusive,
			       struct lock_holder *ret_holder)
{
	(void)dir;
	(void)exclusive;
	(void)ret_holder;
	return WB_OK;
}

static void veil_close(struct dir *dir)
{
	(void)dir;
}

static const struct dir_ops veil_ops = {
	.open = veil_open,
	.make = veil_make,
	.rename = veil_rename,
	.remove = veil_remove,
	.sync = veil_sync,
	.list = veil_list,
	.lock = veil_lock,
	.close = veil_close,
};

void veil_init(struct veil *veil, struct dir *real, const char *anchor)
{
	*veil = (struct veil){.dir.ops = &veil_ops,
			      .real = real,
			      .anchor = anchor};
}
