/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash of a request, which tells a retry from another request under the
 * same operation id.
 *
 * It stands in the log, so its form is durable: XXH3-64 over the kind of the
 * call and its arguments in order, numbers as 8 bytes little endian, strings
 * as length (plus one; 0 is "none") and bytes, maps as count, keys and values
 * in order without empty values. Timestamps, the reason and `dry_run` are no
 * part of it.
 */
#ifndef WAYBILL_IMAGES_REQUEST_H
#define WAYBILL_IMAGES_REQUEST_H

#include <waybill/images.h>

/* Durable. */
enum request_kind {
	REQUEST_PUT = 1,
	REQUEST_CREATE = 2,
	REQUEST_UPDATE = 3,
	REQUEST_REMOVE = 4,
	REQUEST_APPLY = 5,
	REQUEST_UNDO = 6,
	REQUEST_COPY = 7,
};

struct request {
	void *state; /* of XXH3 */
};

/* WB_NO_MEMORY. */
enum wb_error request_begin(struct request *request, enum request_kind kind);
void request_number(struct request *request, uint64_t number);
void request_string(struct request *request, const char *string);
/* A canonical image, or NULL. */
void request_image(struct request *request, const struct wb_image *image);
/* NULL is the same as WB_WHEN_ANY. */
void request_condition(struct request *request,
		       const struct wb_condition *condition);
/* The hash; ends the request. */
uint64_t request_end(struct request *request);

#endif
