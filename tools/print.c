/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/print.h"

#include "tools/timepoint.h"

#include <stdio.h>

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static void print_value(struct output *output, char mark, const char *color,
			const struct change *change, const char *value)
{
	if (!value)
		return;
	output_format(output, "%s%c %-12s ", output->color ? color : "", mark,
		      change->heading);
	if (change->key) {
		output_plain(output, change->key);
		output_text(output, "=");
	}
	output_plain(output, value);
	output_format(output, "%s\n", output->color ? PLAIN : "");
}

void print_change(struct output *output, const struct change *change)
{
	print_value(output, '-', RED, change, change->before);
	print_value(output, '+', GREEN, change, change->after);
}

void print_field(struct output *output, const char *heading, const char *text)
{
	output_format(output, "%-12s ", heading);
	output_plain(output, text);
	output_text(output, "\n");
}

void print_number(struct output *output, const char *heading, uint64_t number)
{
	output_format(output, "%-12s %llu\n", heading,
		      (unsigned long long)number);
}

void print_time(struct output *output, const char *heading, int64_t time_ns)
{
	char text[TIME_TEXT_BYTES];

	time_format(time_ns, false, text);
	print_field(output, heading, text);
}

static void print_labels(struct output *output, const char *heading,
			 const struct wb_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++) {
		output_format(output, "%-12s ", heading);
		output_plain(output, labels->items[i].key);
		output_text(output, "=");
		output_plain(output, labels->items[i].value);
		output_text(output, "\n");
	}
}

static void print_content(struct output *output, const struct wb_image *image)
{
	print_field(output, "digest", image->target.digest);
	print_field(output, "media type", image->target.media_type);
	output_format(output, "%-12s %lld\n", "size",
		      (long long)image->target.size);
	print_labels(output, "annotation", &image->target.annotations);
	print_labels(output, "label", &image->labels);
	print_time(output, "created", image->created_at_ns);
	print_time(output, "updated", image->updated_at_ns);
}

void print_image(struct output *output, const struct wb_image *image)
{
	print_field(output, "name", image->name);
	print_content(output, image);
	print_number(output, "revision", image->revision);
}

void actor_format(const struct wb_actor *actor, char ret_text[ACTOR_TEXT_BYTES])
{
	snprintf(ret_text, ACTOR_TEXT_BYTES, "uid %u, pid %d%s%s", actor->uid,
		 actor->pid, actor->command && *actor->command ? ", " : "",
		 actor->command ? actor->command : "");
}

void print_version(struct output *output,
		   const struct wb_image_version *version)
{
	char actor[ACTOR_TEXT_BYTES];

	print_field(output, "name", version->name);
	if (version->image)
		print_content(output, version->image);
	else
		print_field(output, "deleted", "yes");
	print_number(output, "revision", version->revision);
	if (version->previous_revision)
		print_number(output, "previous", version->previous_revision);
	print_time(output, "written", version->time_ns);
	actor_format(&version->actor, actor);
	print_field(output, "by", actor);
	if (*version->reason)
		print_field(output, "reason", version->reason);
	if (*version->operation_id)
		print_field(output, "operation", version->operation_id);
}
