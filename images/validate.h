/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be stored, and the exact words when it may not.
 *
 * The order is name, labels, digest, size, media type, annotations, and what
 * all of it weighs; the texts are those of containerd 1.6, and our own where
 * it has no such rule: valid UTF-8, keys that are not empty, and the limits
 * below.
 */
#ifndef WAYBILL_IMAGES_VALIDATE_H
#define WAYBILL_IMAGES_VALIDATE_H

#include <waybill/images.h>

#define LABEL_BYTES_MAX	     4096u	/* key and value of one label */
#define LABELS_BYTES_MAX     (1u << 20) /* labels and annotations, an image */
#define MEDIA_TYPE_BYTES_MAX 4096u

/* `from` in canonical form: strings are not NULL, maps are sorted and hold
 * each key once. The strings stay the caller's. WB_NO_MEMORY. */
enum wb_error image_canonical(const struct wb_image *from,
			      struct wb_image *ret_image);
/* Frees what image_canonical allocated. */
void image_canonical_release(struct wb_image *image);

/* Is this canonical image fit to be stored? WB_BAD_INPUT. */
enum wb_error image_check(const struct wb_image *image,
			  struct wb_text *ret_text);

/* Is `digest` what https://github.com/opencontainers/go-digest calls valid?
 * NULL where it is, else its words for why not. */
const char *digest_problem(const char *digest);

/* May a name be stored at all? (One that may not is never found.) */
bool name_is_storable(const char *name);

/* Who calls, why, and under which operation id. WB_USAGE, WB_UNSUPPORTED
 * (base/sized.h), WB_BAD_INPUT, and WB_PRECONDITION where there is no
 * namespace. `*ret_call` points to what `call` points to. */
enum wb_error call_take(const struct wb_call *call, struct wb_call *ret_call,
			struct wb_text *ret_text);

#endif
