/* SPDX-License-Identifier: Apache-2.0
 *
 * Images for people.
 */
#ifndef WAYBILL_TOOLS_PRINT_H
#define WAYBILL_TOOLS_PRINT_H

#include "tools/changes.h"
#include "tools/output.h"

#include <waybill/images.h>

#define ACTOR_TEXT_BYTES 160

/* One field a line; what is empty is left out. */
void print_image(struct output *output, const struct wb_image *image);

/* As print_image, with who wrote it and why. */
void print_version(struct output *output,
		   const struct wb_image_version *version);

/* `- digest       sha256:…` for what was, `+ …` for what is, a line each. */
void print_change(struct output *output, const struct change *change);

/* One line, `heading` before the text. */
void print_field(struct output *output, const char *heading, const char *text);
void print_number(struct output *output, const char *heading, uint64_t number);
void print_time(struct output *output, const char *heading, int64_t time_ns);

/* `uid 0, pid 17, waybill` */
void actor_format(const struct wb_actor *actor,
		  char ret_text[ACTOR_TEXT_BYTES]);

#endif
