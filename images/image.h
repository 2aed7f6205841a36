/* SPDX-License-Identifier: Apache-2.0
 *
 * The durable form of an image (image.proto), and its form in memory: one
 * allocation that wb_image_free takes back.
 */
#ifndef WAYBILL_IMAGES_IMAGE_H
#define WAYBILL_IMAGES_IMAGE_H

#include <waybill/images.h>

/* Encode a canonical image that image_check found fit, without labels of
 * empty value. The caller frees `ret_value->data`. WB_NO_MEMORY. */
enum wb_error image_encode(const struct wb_image *image,
			   struct wb_bytes *ret_value);

/* Decode what the store holds under `name`. Both are hostile: WB_CORRUPT
 * where the value is not what image_encode makes, fields of a later version
 * aside, or the name is none. WB_NO_MEMORY. */
enum wb_error image_decode(struct wb_bytes name, struct wb_bytes value,
			   uint64_t revision, struct wb_image **ret_image);

#endif
