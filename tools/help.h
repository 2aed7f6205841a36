/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WAYBILL_TOOLS_HELP_H
#define WAYBILL_TOOLS_HELP_H

#include "tools/options.h"
#include "tools/output.h"

/* Of every command that has none of its own. */
extern const struct status_list statuses_of_all;

/* Paragraphs about all commands: how store and namespace are chosen, and where
 * answers go. */
extern const char help_surroundings[], help_answers[];

/* `waybill --help`: the commands, the options of all, the environment, the
 * exit statuses. */
void help_all(struct output *output, const struct command *const *commands);

/* `waybill GROUP --help`: the commands whose first word it is. */
void help_group(struct output *output, const struct command *const *commands,
		const char *group);

/* `waybill COMMAND --help`. */
void help_command(struct output *output, const struct command *command);

#endif
