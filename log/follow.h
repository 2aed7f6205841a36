/* SPDX-License-Identifier: Apache-2.0
 *
 * The log read forwards, as it was written: what lookup.h finds from its end,
 * this tells from its beginning. Every frame that is handed out was read from
 * its file and verified. Any number of threads, beside appends.
 */
#ifndef WAYBILL_LOG_FOLLOW_H
#define WAYBILL_LOG_FOLLOW_H

#include "log/log.h"

/* Every commit up to revision `upto`, which must be durable, oldest first. An
 * error of `visit` ends it and is what it returns. WB_CORRUPT (reported),
 * WB_NO_MEMORY, WB_IO. */
enum wb_error log_follow(struct log *log, uint64_t upto, log_replay_fn *visit,
			 void *context);

#endif
