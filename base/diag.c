/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"
#include "base/line.h"

#include <inttypes.h>
#include <stdio.h>

enum { DIAG_LINE_BYTES = 1024 };

static void report(const struct diag *diag, enum diag_severity severity,
		   const char *format, va_list arguments)
{
	char line[DIAG_LINE_BYTES];

	if (!diag || !diag->report)
		return;
	line_format(line, sizeof(line), format, arguments);
	diag->report(diag->context, severity, line);
}

__attribute__((format(printf, 3, 4))) static void report_line(
	const struct diag *diag, enum diag_severity severity,
	const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(diag, severity, format, arguments);
	va_end(arguments);
}

void diag_note(const struct diag *diag, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(diag, DIAG_NOTE, format, arguments);
	va_end(arguments);
}

void diag_warn(const struct diag *diag, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(diag, DIAG_WARNING, format, arguments);
	va_end(arguments);
}

enum wb_error diag_corrupt(const struct diag *diag, const char *file,
			   uint64_t offset, const char *format, ...)
{
	char what[DIAG_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	line_format(what, sizeof(what), format, arguments);
	va_end(arguments);
	report_line(diag, DIAG_DAMAGE, "%s: offset %" PRIu64 ": %s", file,
		    offset, what);
	return WB_CORRUPT;
}
