/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels and annotations: maps in canonical form.
 *
 * A canonical map is in bytewise order of its keys and holds each once. The
 * strings stay the caller's; only the array is owned.
 */
#ifndef WAYBILL_IMAGES_LABELS_H
#define WAYBILL_IMAGES_LABELS_H

#include <waybill/images.h>

/* The canonical form of `from`; of equal keys the last wins, and NULL is the
 * empty string. Labels with an empty value stay (they count when sizes are
 * checked). Free with labels_release. WB_NO_MEMORY. */
enum wb_error labels_canonical(const struct wb_labels *from,
			       struct wb_labels *ret_labels);
void labels_release(struct wb_labels *labels);

/* Take out the labels with an empty value: to set one is to remove it. */
void labels_drop_empty(struct wb_labels *labels);

/* The value of `key` in a canonical map; NULL where it has none. The key
 * need not end in a zero byte. */
const char *labels_find(const struct wb_labels *labels, struct wb_bytes key);

#endif
