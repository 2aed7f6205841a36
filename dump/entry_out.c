/* SPDX-License-Identifier: Apache-2.0 */
#include "dump/entry.h"
#include "images/image.h"
#include "images/unicode.h"
#include "images/validate.h"

#include <stdlib.h>
#include <string.h>

/* A field whose bytes need not be text: "name", or where they are not UTF-8
 * "name64". `key` is a literal with the comma before it. */
static void put_bytes(struct json_out *out, const char *key, size_t size,
		      struct wb_bytes bytes)
{
	bool utf8 = unicode_valid(bytes.data, bytes.size);

	json_out_raw(out, key, size);
	if (!utf8)
		json_out_literal(out, "64");
	json_out_literal(out, "\":");
	if (utf8)
		json_out_string(out, bytes);
	else
		json_out_base64(out, bytes);
}
#define PUT_BYTES(out, name, bytes) \
	put_bytes(out, ",\"" name, sizeof(",\"" name) - 1, bytes)

#define PUT_FIELD(out, name) json_out_literal(out, ",\"" name "\":")

static struct wb_bytes bytes_of_text(const char *text)
{
	return (struct wb_bytes){text, strlen(text)};
}

void entry_put_header(struct json_out *out, const uint8_t *uuid)
{
	json_out_literal(out, "{\"format\":\"waybill-dump\",\"version\":1,"
			      "\"content\":");
	if (uuid) {
		json_out_literal(out, "\"history\"");
		PUT_FIELD(out, "uuid");
		json_out_hex(out, uuid, ENTRY_UUID_BYTES);
	} else {
		json_out_literal(out, "\"state\"");
	}
	json_out_literal(out, "}\n");
}

/* ---- images ---- */

static void put_labels(struct json_out *out, const struct wb_labels *labels)
{
	json_out_literal(out, "{");
	for (size_t i = 0; i < labels->count; i++) {
		if (i > 0)
			json_out_literal(out, ",");
		json_out_string(out, bytes_of_text(labels->items[i].key));
		json_out_literal(out, ":");
		json_out_string(out, bytes_of_text(labels->items[i].value));
	}
	json_out_literal(out, "}");
}

static void put_target(struct json_out *out, const struct wb_descriptor *target)
{
	json_out_literal(out, "{\"mediaType\":");
	json_out_string(out, bytes_of_text(target->media_type));
	PUT_FIELD(out, "digest");
	json_out_string(out, bytes_of_text(target->digest));
	PUT_FIELD(out, "size");
	json_out_number(out, target->size);
	if (target->annotations.count > 0) {
		PUT_FIELD(out, "annotations");
		put_labels(out, &target->annotations);
	}
	json_out_literal(out, "}");
}

static void put_image(struct json_out *out, struct wb_bytes ns,
		      const struct wb_image *image)
{
	json_out_literal(out, "{\"type\":\"image\",\"namespace\":");
	json_out_string(out, ns);
	PUT_FIELD(out, "name");
	json_out_string(out, bytes_of_text(image->name));
	PUT_FIELD(out, "target");
	put_target(out, &image->target);
	PUT_FIELD(out, "labels");
	put_labels(out, &image->labels);
	PUT_FIELD(out, "created_at");
	json_out_time(out, image->created_at_ns);
	PUT_FIELD(out, "updated_at");
	json_out_time(out, image->updated_at_ns);
	json_out_literal(out, "}\n");
}

static bool namespace_fits(struct wb_bytes ns)
{
	char text[WB_NAMESPACE_BYTES_MAX + 1];

	memcpy(text, ns.data, ns.size);
	text[ns.size] = 0;
	return !wb_namespace_validate(text, NULL);
}

/* A program may have put anything under an image's key, and a later version
 * what this one does not know. Such a value is not told in words: they would
 * not mean the same bytes again. */
static enum wb_error image_of(const struct wb_key *key, struct wb_bytes value,
			      struct wb_image **ret_image)
{
	struct wb_image *image = NULL;
	struct wb_bytes again = {NULL, 0};
	enum wb_error error;
	bool same = false;

	*ret_image = NULL;
	if (key->kind != WB_KIND_IMAGE)
		return WB_OK;
	error = image_decode(key->name, value, 0, &image);
	if (error)
		return error;
	if (namespace_fits(key->ns) && !image_check(image, NULL))
		error = image_encode(image, &again);
	if (!error && again.data)
		same = again.size == value.size &&
		       memcmp(again.data, value.data, value.size) == 0;
	free((void *)again.data);
	if (same)
		*ret_image = image;
	else
		wb_image_free(image);
	return error;
}

/* ---- records ---- */

static void put_key(struct json_out *out, const struct wb_key *key)
{
	PUT_FIELD(out, "kind");
	json_out_number(out, key->kind);
	PUT_BYTES(out, "namespace", key->ns);
	PUT_BYTES(out, "name", key->name);
}

enum wb_error entry_put_record(struct json_out *out, const struct wb_key *key,
			       struct wb_bytes value)
{
	struct wb_image *image;
	enum wb_error error = image_of(key, value, &image);

	if (error == WB_NO_MEMORY)
		return error;
	if (image) {
		put_image(out, key->ns, image);
		wb_image_free(image);
		return WB_OK;
	}
	json_out_literal(out, "{\"type\":\"record\"");
	put_key(out, key);
	PUT_FIELD(out, "value");
	json_out_base64(out, value);
	json_out_literal(out, "}\n");
	return error;
}

void entry_put_deletion(struct json_out *out, const struct wb_key *key)
{
	json_out_literal(out, "{\"type\":\"deletion\"");
	put_key(out, key);
	json_out_literal(out, "}\n");
}

/* ---- commits ---- */

static void put_actor(struct json_out *out, const struct store_commit *commit)
{
	json_out_literal(out, "{\"uid\":");
	json_out_number(out, commit->uid);
	PUT_FIELD(out, "gid");
	json_out_number(out, commit->gid);
	PUT_FIELD(out, "pid");
	json_out_number(out, commit->pid);
	if (commit->command.size > 0)
		PUT_BYTES(out, "command", commit->command);
	json_out_literal(out, "}");
}

void entry_put_commit(struct json_out *out, const struct store_commit *commit)
{
	json_out_literal(out, "{\"type\":\"commit\",\"revision\":");
	json_out_number(out, (int64_t)commit->revision);
	PUT_FIELD(out, "time");
	json_out_time(out, commit->time_ns);
	PUT_FIELD(out, "actor");
	put_actor(out, commit);
	if (commit->reason.size > 0)
		PUT_BYTES(out, "reason", commit->reason);
	if (commit->operation_ns.size > 0)
		PUT_BYTES(out, "operation_namespace", commit->operation_ns);
	if (commit->operation_id.size > 0)
		PUT_BYTES(out, "operation_id", commit->operation_id);
	if (commit->request_hash) {
		uint8_t bytes[8];

		for (unsigned i = 0; i < 8; i++)
			bytes[i] =
				(uint8_t)(commit->request_hash >> (56 - 8 * i));
		PUT_FIELD(out, "request_hash");
		json_out_hex(out, bytes, sizeof(bytes));
	}
	PUT_FIELD(out, "changes");
	json_out_number(out, (int64_t)commit->changes);
	json_out_literal(out, "}\n");
}

void entry_put_end(struct json_out *out, uint64_t count,
		   const uint8_t sum[SUM_BYTES])
{
	json_out_literal(out, "{\"type\":\"end\",\"count\":");
	json_out_number(out, (int64_t)count);
	PUT_FIELD(out, "sha256");
	json_out_hex(out, sum, SUM_BYTES);
	json_out_literal(out, "}\n");
}
