/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lock.h"

#include "base/diag.h"
#include "base/posix.h"

enum wb_error lock_take(struct dir *dir, bool exclusive,
			struct wb_text *ret_text)
{
	struct lock_holder holder = {0};
	const char *why;
	enum wb_error error = dir_lock(dir, exclusive, &holder);

	if (error == WB_LOCKED && holder.pid > 0)
		return text_set(ret_text, error, "held by process %lld%s%s%s",
				(long long)holder.pid,
				holder.command[0] ? " (" : "", holder.command,
				holder.command[0] ? ")" : "");
	if (error == WB_LOCKED)
		return text_set(ret_text, error, "held by another process");
	why = posix_why(error);
	if (error && *why)
		return text_set(ret_text, error, "%s", why);
	return error ? text_set(ret_text, error, "the lock: %s",
				wb_error_text(error))
		     : WB_OK;
}
