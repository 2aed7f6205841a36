/* SPDX-License-Identifier: Apache-2.0 */
#include "images/request.h"
#include "base/cursor.h"

#include <string.h>
#include <xxhash.h>

enum wb_error request_begin(struct request *request, enum request_kind kind)
{
	request->state = XXH3_createState();
	if (!request->state)
		return WB_NO_MEMORY;
	XXH3_64bits_reset(request->state);
	request_number(request, kind);
	return WB_OK;
}

void request_number(struct request *request, uint64_t number)
{
	uint8_t bytes[8];
	struct writer writer = writer_of(bytes, sizeof(bytes));

	write_u64(&writer, number);
	XXH3_64bits_update(request->state, bytes, sizeof(bytes));
}

void request_string(struct request *request, const char *string)
{
	size_t size = string ? strlen(string) : 0;

	request_number(request, string ? size + 1 : 0);
	if (size > 0)
		XXH3_64bits_update(request->state, string, size);
}

static void request_labels(struct request *request,
			   const struct wb_labels *labels)
{
	uint64_t count = 0;

	for (size_t i = 0; i < labels->count; i++)
		count += *labels->items[i].value != 0;
	request_number(request, count);
	for (size_t i = 0; i < labels->count; i++) {
		if (!*labels->items[i].value)
			continue;
		request_string(request, labels->items[i].key);
		request_string(request, labels->items[i].value);
	}
}

void request_image(struct request *request, const struct wb_image *image)
{
	request_number(request, image != NULL);
	if (!image)
		return;
	request_string(request, image->name);
	request_labels(request, &image->labels);
	request_string(request, image->target.media_type);
	request_string(request, image->target.digest);
	request_number(request, (uint64_t)image->target.size);
	request_labels(request, &image->target.annotations);
}

void request_condition(struct request *request,
		       const struct wb_condition *condition)
{
	enum wb_condition_kind kind = condition ? condition->kind : WB_WHEN_ANY;

	request_number(request, kind);
	if (kind == WB_WHEN_REVISION)
		request_number(request, condition->revision);
	if (kind == WB_WHEN_DIGEST)
		request_string(request, condition->digest);
}

uint64_t request_end(struct request *request)
{
	uint64_t hash = XXH3_64bits_digest(request->state);

	XXH3_freeState(request->state);
	request->state = NULL;
	return hash;
}
