/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory in the OCI image layout: which image it holds under a tag.
 * https://github.com/opencontainers/image-spec/blob/v1.0.2/image-layout.md
 */
#ifndef WAYBILL_TOOLS_OCI_LAYOUT_H
#define WAYBILL_TOOLS_OCI_LAYOUT_H

#include "tools/scratch.h"

#include <waybill/images.h>

/* `place` is DIR or DIR:TAG, split at the last colon unless a directory has
 * the whole as its name. Without TAG: the only manifest, or the one tagged
 * `latest`. The descriptor is returned only if its blob is there with the
 * size and the digest that it says; its strings live in `scratch`.
 *
 * WB_NOT_FOUND: no such directory or tag. WB_BAD_INPUT: not a layout, an
 * ambiguous tag, a blob that is missing or another. WB_PERMISSION, WB_IO. */
enum wb_error oci_layout_find(struct scratch *scratch, const char *place,
			      struct wb_descriptor *ret_target,
			      struct wb_text *ret_text);

#endif
