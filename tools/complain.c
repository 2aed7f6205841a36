/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/complain.h"

#include "tools/exit_status.h"
#include "tools/image_json.h"
#include "tools/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define RED   "\033[31m"
#define PLAIN "\033[0m"

/* Longer than any line: a report has at most 1,023 bytes, of which each may
 * be shown as \xNN. Nothing here allocates, for memory may be what ran out. */
#define LINE_BYTES_MAX 8192

static void print_line(const struct complainer *complainer, const char *kind,
		       const char *message)
{
	char line[LINE_BYTES_MAX];
	struct output output;
	struct wb_text ignored;

	output_init_fixed(&output, STDERR_FILENO, line, sizeof(line));
	output_text(&output,
		    complainer->color ? RED "waybill: " PLAIN : "waybill: ");
	if (complainer->command)
		output_format(&output, "%s: ", complainer->command);
	output_text(&output, kind);
	output_sentence(&output, message);
	output_text(&output, "\n");
	output_finish(&output, &ignored);
}

int complain_status(const struct complainer *complainer, enum wb_error error)
{
	return complainer->status_of ? complainer->status_of(error)
				     : (int)exit_status_of(error);
}

/* {"KIND":{"code":…,"message":…,"status":…,"line":…; all but the message are
 * an error's. */
static void begin_object(struct output *output,
			 const struct complainer *complainer, const char *kind,
			 const struct complaint *complaint)
{
	enum wb_error error = complaint->error;

	output_format(output, "{\"%s\":{", kind);
	if (error)
		output_format(output, "\"code\":\"%s\",", wb_error_code(error));
	output_text(output, "\"message\":");
	output_json_text(output, complaint->message);
	if (error)
		output_format(output, ",\"status\":%d",
			      complain_status(complainer, error));
	if (complaint->line)
		output_format(output, ",\"line\":%zu", complaint->line);
}

static void print_object(const struct complainer *complainer, const char *kind,
			 const struct complaint *complaint)
{
	char line[LINE_BYTES_MAX];
	struct output output;
	struct wb_text ignored;

	output_init_fixed(&output, STDERR_FILENO, line, sizeof(line));
	begin_object(&output, complainer, kind, complaint);
	output_text(&output, "}}\n");
	output_finish(&output, &ignored);
}

/* With the image that a condition was held against, which may be of any
 * size. False: there is no memory for it. */
static bool print_with_current(const struct complainer *complainer,
			       const struct complaint *complaint)
{
	const struct wb_image *current = *complaint->current;
	struct output output;
	struct wb_text ignored;
	bool printed;

	output_init(&output, STDERR_FILENO);
	begin_object(&output, complainer, "error", complaint);
	output_text(&output, ",\"current\":");
	output_json_value(&output, current ? image_json(current) : json_null());
	output_text(&output, "}}\n");
	printed = !output.out_of_memory;
	if (printed)
		output_finish(&output, &ignored);
	output_release(&output);
	return printed;
}

void complain_error(const struct complainer *complainer,
		    const struct complaint *complaint)
{
	if (!complainer->json)
		print_line(complainer, "", complaint->message);
	else if (!complaint->current ||
		 !print_with_current(complainer, complaint))
		print_object(complainer, "error", complaint);
}

void complain_report(void *context, enum wb_severity severity, const char *line)
{
	static const char *const words[] = {
		[WB_NOTE] = "note",
		[WB_WARNING] = "warning",
		[WB_DAMAGE] = "damage",
	};
	const struct complainer *complainer = context;
	char kind[16];

	if (complainer->quiet && severity == WB_NOTE)
		return;
	if (complainer->json) {
		print_object(complainer, words[severity],
			     &(struct complaint){.message = line});
		return;
	}
	snprintf(kind, sizeof(kind), "%s: ", words[severity]);
	print_line(complainer, kind, line);
}

void complain(const struct complainer *complainer, enum wb_severity severity,
	      const char *format, ...)
{
	struct complainer copy = *complainer;
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	complain_report(&copy, severity, line);
}
