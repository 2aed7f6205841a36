/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/commands.h"

#include <stddef.h>

const struct command *const commands[] = {
	&command_put,	       &command_get,
	&command_ls,	       &command_rm,
	&command_tag,	       &command_label,
	&command_apply,	       &command_log,
	&command_show,	       &command_diff,
	&command_undo,	       &command_stat,
	&command_dump,	       &command_load,
	&command_audit_log,    &command_audit_head,
	&command_audit_verify, &command_fsck,
	&command_frames,       NULL,
};
