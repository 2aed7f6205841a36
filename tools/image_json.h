/* SPDX-License-Identifier: Apache-2.0
 *
 * What --json prints. Names and shapes are stable; times are RFC 3339 in
 * UTC, to the nanosecond; a target is an OCI descriptor, so that
 * `waybill get --json A | jq .target | waybill put B -` copies.
 *
 * Each returns NULL when out of memory. What is not UTF-8 (a store refuses
 * it, damage may not) is shown with \xNN in its place.
 */
#ifndef WAYBILL_TOOLS_IMAGE_JSON_H
#define WAYBILL_TOOLS_IMAGE_JSON_H

#include "tools/output.h"

#include <jansson.h>
#include <waybill/images.h>

/* {"name", "target", "labels", "created_at", "updated_at", "revision"} */
json_t *image_json(const struct wb_image *image);

/* {"name", "revision", "previous_revision", "deleted", "time", "actor",
 *  "reason", "operation_id", "image"}; "image" is null where deleted. */
json_t *version_json(const struct wb_image_version *version);

/* {"uid", "gid", "pid", "command"} */
json_t *actor_json(const struct wb_actor *actor);

json_t *text_json(const char *text); /* as bytes_json */
json_t *number_json(uint64_t number);
json_t *time_json(int64_t time_ns);

/* Adds a field; where `value` is NULL, `*object` is freed and made NULL. */
void json_field(json_t **object, const char *key, json_t *value);
/* Likewise, an item of an array. */
void json_item(json_t **array, json_t *value);

/* Prints `json` and frees it; NULL is remembered as out of memory. */
void output_json_value(struct output *output, json_t *json);
/* Likewise, on a line of its own. */
void output_json(struct output *output, json_t *json);
/* Likewise, as {"KIND":…}. */
void output_json_as(struct output *output, const char *kind, json_t *json);

#endif
