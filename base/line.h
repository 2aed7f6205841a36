/* SPDX-License-Identifier: Apache-2.0
 *
 * One line for a person, private to base/.
 */
#ifndef WAYBILL_BASE_LINE_H
#define WAYBILL_BASE_LINE_H

#include <stdarg.h>
#include <stddef.h>

/* Format into `line` of `size` >= 8 bytes, NUL included. What is too long is
 * cut between two UTF-8 characters and ends in "...". File names and other
 * people's bytes come through here on their way to a terminal, so control
 * characters become '?'. */
__attribute__((format(printf, 3, 0))) void line_format(char *line, size_t size,
						       const char *format,
						       va_list arguments);

#endif
