/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WAYBILL_TOOLS_HELP_H
#define WAYBILL_TOOLS_HELP_H

#include "tools/options.h"
#include "tools/output.h"

/* `waybill --help`: the commands, the options of all, the environment, the
 * exit statuses. */
void help_all(struct output *output, const struct command *const *commands);

/* `waybill GROUP --help`: the commands whose first word it is. */
void help_group(struct output *output, const struct command *const *commands,
		const char *group);

/* `waybill COMMAND --help`. */
void help_command(struct output *output, const struct command *command);

#endif
