/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of the program from where nothing can be relied on: in a signal
 * handler, or where memory ran out in the middle of foreign code. One write of
 * a text that stands ready, and _exit.
 */
#ifndef WAYBILL_TOOLS_LEAVE_H
#define WAYBILL_TOOLS_LEAVE_H

#include <stdbool.h>

/* Once, early. `json`: which of the two texts it is. */
void leave_init(bool json);

_Noreturn void leave(const char *for_people, const char *in_json, int status);

#endif
