/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image.h"
#include "images/local.h"
#include "images/sentence.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>

/* The strings of a version, each with a zero byte behind it. */
struct telling {
	wb_image_version_fn *visit;
	void *context;
	enum wb_error error;
	struct wb_text *text;

	char name[WB_NAME_BYTES_MAX + 1];
	char reason[WB_REASON_BYTES_MAX + 1];
	char operation_id[WB_OPERATION_ID_BYTES_MAX + 1];
};

static bool string_of(struct wb_bytes bytes, char *to, size_t room)
{
	if (bytes.size >= room)
		return false;
	if (bytes.size > 0)
		memcpy(to, bytes.data, bytes.size);
	to[bytes.size] = 0;
	return true;
}

static bool fail(struct telling *telling, enum wb_error error,
		 const struct wb_version *version)
{
	struct sentence sentence = {.size = 0};

	sentence_add(&sentence, "image ");
	sentence_quote(&sentence, version->record.key.name);
	sentence_format(&sentence, ": revision %d: %s",
			(long long)version->record.revision,
			wb_error_text(error));
	telling->error = sentence_answer(&sentence, telling->text, error);
	return false;
}

static bool tell(void *context, const struct wb_version *version)
{
	struct telling *telling = context;
	const struct wb_record *record = &version->record;
	struct wb_image *image = NULL;
	struct wb_image_version told;
	enum wb_error error = WB_OK;
	bool go_on;

	if (!string_of(record->key.name, telling->name,
		       sizeof(telling->name)) ||
	    !string_of(version->reason, telling->reason,
		       sizeof(telling->reason)) ||
	    !string_of(version->operation_id, telling->operation_id,
		       sizeof(telling->operation_id)))
		return fail(telling, WB_CORRUPT, version);
	if (!version->deleted)
		error = image_decode(record->key.name, record->value,
				     record->revision, &image);
	if (error)
		return fail(telling, error, version);
	told = (struct wb_image_version){
		.name = telling->name,
		.revision = record->revision,
		.previous_revision = version->previous_revision,
		.deleted = version->deleted,
		.time_ns = record->time_ns,
		.actor = version->actor,
		.reason = telling->reason,
		.operation_id = telling->operation_id,
		.image = image,
	};
	go_on = telling->visit(telling->context, &told);
	wb_image_free(image);
	return go_on;
}

static enum wb_error read_log(struct wb_store *store, const char *ns,
			      const char *name, uint64_t before, size_t limit,
			      struct telling *telling)
{
	struct wb_bytes space = bytes_of(ns);
	struct wb_key key;

	if (!name)
		return wb_log(store, WB_KIND_IMAGE, &space, before, limit, tell,
			      telling);
	if (!name_is_storable(name))
		return WB_OK; /* it never had a version */
	key = image_key(ns, name);
	return wb_history(store, &key, before, limit, tell, telling);
}

enum wb_error local_history(struct wb_images *images,
			    const struct wb_call *call, const char *name,
			    uint64_t before, size_t limit,
			    wb_image_version_fn *visit, void *context,
			    struct wb_text *ret_text)
{
	struct telling *telling;
	struct wb_call mine;
	enum wb_error error = call_take(call, &mine, ret_text);

	if (error)
		return error;
	telling = calloc(1, sizeof(*telling));
	if (!telling)
		return store_answer(ret_text, WB_NO_MEMORY, name);
	telling->visit = visit;
	telling->context = context;
	telling->text = ret_text;
	error = read_log(local_of(images)->store, mine.ns, name, before, limit,
			 telling);
	if (telling->error)
		error = telling->error;
	else if (error)
		store_answer(ret_text, error, name);
	free(telling);
	return error;
}
