/* SPDX-License-Identifier: Apache-2.0
 *
 * Ctrl-C, SIGTERM and SIGHUP.
 *
 *      interrupt_hold()      interrupt_release(changed)
 *   calm ------------> held ----------------------------> done
 *     ^                  |  interrupt_release(!changed)
 *     +------------------+
 *
 *   calm   a signal ends the process: exit 130
 *   held   it is noted; the change is made or given up as a whole, and the
 *          store closed. A second one ends the process: exit 5
 *   done   it ends the process, which has only to print: exit 0
 *
 * So 130 means that nothing was changed, but for a long load, which says what
 * was. A signal that was ignored
 * when the process began stays ignored (nohup, a shell's background job).
 */
#ifndef WAYBILL_TOOLS_INTERRUPT_H
#define WAYBILL_TOOLS_INTERRUPT_H

#include <stdbool.h>

/* Once, early, after leave_init. */
void interrupt_init(void);

/* For a command with the statuses of fsck(8): 32 in place of 130, 5 and 0. */
void interrupt_as_fsck(void);

void interrupt_hold(void);
void interrupt_release(bool changed);

/* Has a signal come since interrupt_hold()? */
bool interrupt_seen(void);

#endif
