/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON from outside, read strictly: one value and nothing after it, no key
 * twice, no zero byte in a string, integers that fit. Every field is asked
 * for by its type; an error says which one and what it should have been.
 *
 * Strings and objects point into the parsed value, which lives in the
 * scratch.
 */
#ifndef WAYBILL_TOOLS_JSON_H
#define WAYBILL_TOOLS_JSON_H

#include "tools/scratch.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <waybill/images.h>

/* The object that `bytes` are the text of. WB_BAD_INPUT. Where memory runs
 * out the program may end, with EXIT_AGAIN. */
enum wb_error parse_object(struct scratch *scratch, const char *bytes,
			   size_t size, const json_t **ret_object,
			   struct wb_text *ret_text);

/* Optional fields: where `key` is absent, `*ret_…` is NULL. Arrays and labels
 * may be null, which is how programs in Go write empty ones. */
enum wb_error field_text(const json_t *object, const char *key,
			 const char **ret_text_value, struct wb_text *ret_text);
enum wb_error field_object(const json_t *object, const char *key,
			   const json_t **ret_object, struct wb_text *ret_text);
enum wb_error field_array(const json_t *object, const char *key,
			  const json_t **ret_array, struct wb_text *ret_text);
/* An object of strings, as labels; where absent, none. */
enum wb_error field_labels(struct scratch *scratch, const json_t *object,
			   const char *key, struct wb_labels *ret_labels,
			   struct wb_text *ret_text);
/* A field that must be there. */
enum wb_error field_integer(const json_t *object, const char *key,
			    int64_t *ret_number, struct wb_text *ret_text);

/* An OCI descriptor. `mediaType`, `digest` and `size` must be there, what
 * they say is for wb_image_validate. Other fields (platform, urls, …) are
 * not kept: readers of the format must accept any. */
enum wb_error parse_descriptor(struct scratch *scratch, const json_t *object,
			       struct wb_descriptor *ret_descriptor,
			       struct wb_text *ret_text);

/* WB_BAD_INPUT where `object` has a key that is not in `known` (ended by
 * NULL), with the nearest one. */
enum wb_error fields_known(const json_t *object, const char *const *known,
			   struct wb_text *ret_text);

#endif
