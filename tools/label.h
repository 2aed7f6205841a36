/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels as arguments: `KEY=VALUE` sets, `KEY-` removes.
 */
#ifndef WAYBILL_TOOLS_LABEL_H
#define WAYBILL_TOOLS_LABEL_H

#include "tools/scratch.h"

#include <waybill/images.h>

/* Splits at the first =. `KEY-`, and `KEY=` (an empty value is no value),
 * give a NULL value. WB_BAD_INPUT. */
enum wb_error label_parse(struct scratch *scratch, const char *argument,
			  struct wb_label *ret_label, struct wb_text *ret_text);

/* WB_BAD_INPUT where a key is there twice. */
enum wb_error label_unique(const struct wb_labels *labels,
			   struct wb_text *ret_text);

#endif
