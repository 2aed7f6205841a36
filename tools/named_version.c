/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/named_version.h"

#include "tools/wording.h"

#include <string.h>
#include <time.h>

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum wb_error named_version_read(struct session *session, const char *operand,
				 const char *point,
				 struct named_version *ret_query)
{
	struct named_version query = {
		.point = {.kind = TIMEPOINT_VERSIONS_BACK},
	};
	const char *at = session->raw ? NULL : timepoint_find(operand);
	const char *whole = operand;
	enum wb_error error = WB_OK;

	if (at && point)
		return fail(&session->text, WB_USAGE,
			    "--at and @{…} exclude each other");
	if (at) {
		operand = scratch_copy(&session->scratch, operand,
				       (size_t)(at - operand));
		point = scratch_copy(&session->scratch, at + 2,
				     strlen(at + 2) - 1);
		if (!operand || !point)
			return fail(&session->text, WB_NO_MEMORY,
				    "out of memory");
	}
	if (point)
		error = timepoint_parse(point, now_ns(), &query.point,
					&session->text);
	if (!error && !session->raw && timepoint_find(operand))
		error = fail(&session->text, WB_BAD_INPUT,
			     "%s: more than one @{…}: of a name there is one "
			     "version at a time",
			     whole);
	if (!error)
		error = session_name(session, operand, &query.name);
	if (!error)
		*ret_query = query;
	return error;
}

/* ---- finding it ---- */

/* Which version is looked for: the `skip`th of those before `before`. */
struct search {
	uint64_t before;
	uint64_t skip;
	uint64_t seen;
	bool found;
	wb_image_version_fn *visit;
	void *context;
};

/* The revision that a point in time means, or the point is itself. */
static enum wb_error as_of(struct session *session,
			   const struct timepoint *point,
			   uint64_t *ret_revision)
{
	struct wb_images *images = session->images;
	struct wb_stat stat = {.size = sizeof(stat)};
	enum wb_error error;

	if (point->kind == TIMEPOINT_TIME)
		return images->ops->revision_at(images, point->time_ns,
						ret_revision, &session->text);
	error = images->ops->stat(images, &stat, &session->text);
	if (!error && point->number > stat.revision)
		error = fail(&session->text, WB_NOT_FOUND,
			     "revision %llu is not there yet; the newest is "
			     "%llu",
			     (unsigned long long)point->number,
			     (unsigned long long)stat.revision);
	if (!error)
		*ret_revision = point->number;
	return error;
}

static bool visit_version(void *context, const struct wb_image_version *version)
{
	struct search *search = context;

	if (search->seen++ < search->skip)
		return true;
	search->found = true;
	search->visit(search->context, version);
	return false;
}

static enum wb_error not_found(struct session *session,
			       const struct named_version *query,
			       const struct search *search)
{
	if (query->point.kind != TIMEPOINT_VERSIONS_BACK)
		return fail(&session->text, WB_NOT_FOUND,
			    "image \"%s\": did not exist then", query->name);
	if (search->seen == 0)
		return fail(&session->text, WB_NOT_FOUND,
			    "image \"%s\": not found", query->name);
	return fail(
		&session->text, WB_NOT_FOUND,
		"image \"%s\": has %llu version%s, so the oldest is @{%llu}",
		query->name, (unsigned long long)search->seen,
		search->seen == 1 ? "" : "s",
		(unsigned long long)search->seen - 1);
}

enum wb_error named_version_find(struct session *session,
				 const struct wb_call *call,
				 const struct named_version *query,
				 wb_image_version_fn *visit, void *context)
{
	struct search search = {.visit = visit, .context = context};
	uint64_t revision = 0;
	enum wb_error error = WB_OK;

	if (query->point.kind == TIMEPOINT_VERSIONS_BACK) {
		search.skip = query->point.number;
	} else {
		error = as_of(session, &query->point, &revision);
		if (!error && revision == 0)
			error = not_found(session, query, &search);
		search.before = revision + 1;
	}
	if (error)
		return error;
	error = session->images->ops->history(
		session->images, call, query->name, search.before,
		search.skip < SIZE_MAX ? (size_t)search.skip + 1 : SIZE_MAX,
		visit_version, &search, &session->text);
	if (search.found)
		return WB_OK;
	return error ? error : not_found(session, query, &search);
}

/* ---- a copy ---- */

/* Out of memory is remembered, so that one look at the end is enough. */
struct keeper {
	struct scratch *scratch;
	bool failed;
};

static void *room(struct keeper *keeper, size_t count, size_t size)
{
	void *memory = scratch_array(keeper->scratch, count, size);

	keeper->failed = keeper->failed || !memory;
	return memory;
}

static const char *text(struct keeper *keeper, const char *string)
{
	const char *copy =
		scratch_copy(keeper->scratch, string, strlen(string));

	keeper->failed = keeper->failed || !copy;
	return copy;
}

static struct wb_labels labels(struct keeper *keeper,
			       const struct wb_labels *from)
{
	struct wb_label *items;

	if (from->count == 0)
		return (struct wb_labels){NULL, 0};
	items = room(keeper, from->count, sizeof(*items));
	for (size_t i = 0; items && i < from->count; i++)
		items[i] =
			(struct wb_label){text(keeper, from->items[i].key),
					  text(keeper, from->items[i].value)};
	return (struct wb_labels){items, from->count};
}

static const struct wb_image *image(struct keeper *keeper,
				    const struct wb_image *from)
{
	struct wb_image *copy = room(keeper, 1, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *from;
	copy->name = text(keeper, from->name);
	copy->labels = labels(keeper, &from->labels);
	copy->target.media_type = text(keeper, from->target.media_type);
	copy->target.digest = text(keeper, from->target.digest);
	copy->target.annotations = labels(keeper, &from->target.annotations);
	return copy;
}

const struct wb_image_version *version_copy(
	struct scratch *scratch, const struct wb_image_version *version)
{
	struct keeper keeper = {.scratch = scratch};
	struct wb_image_version *copy = room(&keeper, 1, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *version;
	copy->name = text(&keeper, version->name);
	copy->reason = text(&keeper, version->reason);
	copy->operation_id = text(&keeper, version->operation_id);
	if (version->actor.command)
		copy->actor.command = text(&keeper, version->actor.command);
	if (version->image)
		copy->image = image(&keeper, version->image);
	return keeper.failed ? NULL : copy;
}
