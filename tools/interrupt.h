/* SPDX-License-Identifier: Apache-2.0
 *
 * Ctrl-C, SIGTERM and SIGHUP.
 *
 *   reading --interrupt_hold()--> changing --interrupt_release()--> reading
 *      |                              |
 *   signal: exit 130              signal: noted; the change is made or
 *                                 given up as a whole, the store closed
 *                                 second signal: exit 5, outcome unknown
 *
 * So 130 always means that nothing was changed. A signal that was ignored
 * when the process began stays ignored (nohup, a shell's background job).
 */
#ifndef WAYBILL_TOOLS_INTERRUPT_H
#define WAYBILL_TOOLS_INTERRUPT_H

#include <stdbool.h>

/* Once, early. `json`: what a signal says on standard error is JSON. */
void interrupt_init(bool json);

void interrupt_hold(void);
void interrupt_release(void);

/* Has a signal come since interrupt_hold()? */
bool interrupt_seen(void);

#endif
