/* SPDX-License-Identifier: Apache-2.0
 *
 * How progress is said. Pure: no clock, no terminal.
 */
#ifndef WAYBILL_TOOLS_PROGRESS_TEXT_H
#define WAYBILL_TOOLS_PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <waybill/progress.h>

/* Room for each of these. */
enum { PROGRESS_TEXT_BYTES = 256 };

/* "check: 42%, 430 MiB of 1.0 GiB, 3 s left", as far as it is known. A phase
 * without a unit is its name. `elapsed_ms` is since the phase began. */
void progress_sentence(const struct wb_progress *progress, uint64_t elapsed_ms,
		       char to[PROGRESS_TEXT_BYTES]);

/* "[########            ] " and the sentence; without the brackets where the
 * total is not known or `columns` are few. Never as wide as `columns`. */
void progress_bar(const struct wb_progress *progress, uint64_t elapsed_ms,
		  unsigned columns, char to[PROGRESS_TEXT_BYTES]);

/* {"progress":{"phase":…,"unit":…,"done":…,"total":…}}; what is not known is
 * null. */
void progress_json(const struct wb_progress *progress,
		   char to[PROGRESS_TEXT_BYTES]);

#endif
