/* SPDX-License-Identifier: Apache-2.0
 *
 * From RE2's syntax to PCRE2's.
 */
#ifndef WAYBILL_IMAGES_REGEXP_SYNTAX_H
#define WAYBILL_IMAGES_REGEXP_SYNTAX_H

#include <stdbool.h>
#include <waybill/store.h>

/* Options that the result must be compiled with: UTF, ALT_CIRCUMFLEX,
 * newline LF.
 *
 * WB_BAD_INPUT: not an expression of RE2. WB_TOO_LARGE: nests deeper than
 * 250, or becomes longer than 256 KiB. WB_NO_MEMORY. The caller frees
 * `ret_pattern->data`. */
enum wb_error regexp_translate(struct wb_bytes expression,
			       struct wb_bytes *ret_pattern);

#endif
