/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of filters: the language of Go's regexp (RE2), run by
 * PCRE2.
 *
 * An expression is read by a grammar of RE2's and written anew for PCRE2, so
 * that what RE2 refuses (look-around, back-references, possessive or nested
 * repetition, more than 1,000 repeats) is refused here, and what both know
 * under one name means what it means in RE2 (\s, \z, $, classes under (?i),
 * (?U)). Only the question "is there a match anywhere" is asked. What is
 * left of the difference:
 *  - the tables are of Unicode 14, not 13;
 *  - under (?i), \p{Lu} and its like do not fold case;
 *  - groups nest 250 deep, not 1,000; what PCRE2 cannot hold is too large.
 *
 * A hostile expression cannot stall its caller. PCRE2's backtracking is cut
 * short after few steps, which is enough for expressions as people write
 * them; then the same question is put to its other engine, which follows all
 * alternatives at once and so takes time in proportion to the text. That one
 * has a budget for the life of the compiled expression.
 */
#ifndef WAYBILL_IMAGES_REGEXP_H
#define WAYBILL_IMAGES_REGEXP_H

#include <stdbool.h>
#include <waybill/store.h>

struct regexp;

/* An expression that is none compiles too and matches nothing, as in
 * containerd. WB_TOO_LARGE: RE2 might hold it, PCRE2 does not. WB_NO_MEMORY.
 */
enum wb_error regexp_compile(struct wb_bytes expression,
			     struct regexp **ret_regexp);
void regexp_free(struct regexp *regexp);

/* Is there a match anywhere in `text`? For one thread at a time.
 * WB_TOO_LARGE: the budget is spent, or the expression has too many
 * alternatives at once. WB_NO_MEMORY. */
enum wb_error regexp_match(struct regexp *regexp, struct wb_bytes text,
			   bool *ret_matches);

/* The same by the second engine alone; tests hold it against the first. */
enum wb_error regexp_match_wide(struct regexp *regexp, struct wb_bytes text,
				bool *ret_matches);

#endif
