/* SPDX-License-Identifier: Apache-2.0
 *
 * Progress of long work, on standard error: a bar, objects of JSON, or only
 * the line that SIGUSR1 asks for. One of it, as a process has one standard
 * error and its signals come from anywhere.
 *
 * A bar is drawn with one write and is gone before anything else is said, by
 * whomever: output.c and leave.c see to that. The line that SIGUSR1 asks for
 * is made beforehand, so that it comes even where a disk does not answer.
 */
#ifndef WAYBILL_TOOLS_PROGRESS_H
#define WAYBILL_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <waybill/progress.h>

/* Once, early: from then on SIGUSR1 is answered by a line, with `json` by an
 * object. `command` (NULL: none) must last. */
void progress_init(const char *command, bool json);

/* Long work begins, to be shown as --progress says: "auto" (NULL, too), which
 * is a bar where standard error is a terminal and the work takes more than a
 * moment, unless `quiet`; "always", "never" or "jsonl". */
void progress_begin(const char *when, bool quiet);
/* A wb_progress_fn. */
void progress_take(void *unused, const struct wb_progress *progress);
/* The work is done and the answer follows. */
void progress_end(void);

/* The bar, if one is drawn, is gone; the next progress draws it again. May be
 * called in a signal handler. */
void progress_hide(void);

#endif
