/* SPDX-License-Identifier: Apache-2.0
 *
 * Every command, in the order of --help. Each is defined in a cmd_*.c.
 */
#ifndef WAYBILL_TOOLS_COMMANDS_H
#define WAYBILL_TOOLS_COMMANDS_H

#include "tools/options.h"

extern const struct command command_put;
extern const struct command command_get;
extern const struct command command_ls;
extern const struct command command_rm;
extern const struct command command_tag;
extern const struct command command_label;
extern const struct command command_apply;
extern const struct command command_log;
extern const struct command command_show;
extern const struct command command_diff;
extern const struct command command_undo;
extern const struct command command_stat;
extern const struct command command_dump;
extern const struct command command_load;
extern const struct command command_audit_log;
extern const struct command command_audit_head;
extern const struct command command_audit_verify;
extern const struct command command_fsck;
extern const struct command command_frames;

/* Ended by NULL. */
extern const struct command *const commands[];

#endif
