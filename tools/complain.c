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

static void print_line(const struct complainer *complainer, const char *kind,
		       const char *message)
{
	struct output output;
	struct wb_text ignored;

	output_init(&output, STDERR_FILENO);
	output_text(&output,
		    complainer->color ? RED "waybill: " PLAIN : "waybill: ");
	if (complainer->command)
		output_format(&output, "%s: ", complainer->command);
	output_text(&output, kind);
	output_plain(&output, message);
	output_text(&output, "\n");
	output_finish(&output, &ignored);
	output_release(&output);
}

static void print_object(const char *kind, json_t *inner)
{
	struct output output;
	struct wb_text ignored;
	json_t *outer = json_object();

	output_init(&output, STDERR_FILENO);
	json_field(&outer, kind, inner);
	output_json(&output, outer);
	output_finish(&output, &ignored);
	output_release(&output);
}

void complain_error(const struct complainer *complainer, enum wb_error error,
		    const char *message, struct wb_image *const *current)
{
	json_t *json;

	if (!complainer->json) {
		print_line(complainer, "", message);
		return;
	}
	json = json_object();
	json_field(&json, "code", json_string(wb_error_code(error)));
	json_field(&json, "message", text_json(message));
	json_field(&json, "status", json_integer(exit_status_of(error)));
	if (current)
		json_field(&json, "current",
			   *current ? image_json(*current) : json_null());
	print_object("error", json);
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
		json_t *json = json_object();

		json_field(&json, "message", text_json(line));
		print_object(words[severity], json);
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
