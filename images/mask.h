/* SPDX-License-Identifier: Apache-2.0
 *
 * What an update changes: paths of fields, as containerd has them.
 */
#ifndef WAYBILL_IMAGES_MASK_H
#define WAYBILL_IMAGES_MASK_H

#include <waybill/images.h>

/* `current` with the fields at `paths` taken from `request` (canonical), one
 * after the other:
 *
 *	labels, annotations                all of them
 *	labels.<key>, annotations.<key>    one; without value it is removed
 *	target                             with its annotations
 *
 * No path: all of `request`. The result is canonical, its strings are those
 * of the arguments; end it with image_canonical_release. WB_BAD_INPUT: no
 * such path. WB_NO_MEMORY. */
enum wb_error mask_apply(const struct wb_image *current,
			 const struct wb_image *request,
			 const char *const *paths, size_t path_count,
			 struct wb_image *ret_image, struct wb_text *ret_text);

#endif
