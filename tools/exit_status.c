/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/exit_status.h"

#include <stddef.h>

/* clang-format off: error, status */
#define JOIN_LIST(X)                        \
	X(OK, OK)                           \
	X(NOT_FOUND, NOT_FOUND)             \
	X(EXISTS, PRECONDITION)             \
	X(PRECONDITION, PRECONDITION)       \
	X(CONFLICT, PRECONDITION)           \
	X(BAD_INPUT, BAD_INPUT)             \
	X(USAGE, USAGE)                     \
	X(NESTED, FAILED)                   \
	X(TOO_LARGE, BAD_INPUT)             \
	X(BUFFER, FAILED)                   \
	X(ABORTED, FAILED)                  \
	X(SNAPSHOT_TOO_OLD, AGAIN)          \
	X(COMPACTED, COMPACTED)             \
	X(OUTCOME_UNKNOWN, OUTCOME_UNKNOWN) \
	X(CORRUPT, CORRUPT)                 \
	X(LOCKED, LOCKED)                   \
	X(UNSUPPORTED, FAILED)              \
	X(READ_ONLY, PERMISSION)            \
	X(STOPPED, IO)                      \
	X(NO_SPACE, NO_SPACE)               \
	X(IO, IO)                           \
	X(PERMISSION, PERMISSION)           \
	X(NO_MEMORY, AGAIN)                 \
	X(AGAIN, AGAIN)                     \
	X(CANCELLED, INTERRUPTED)           \
	X(FORKED, FAILED)                   \
	X(NOT_A_STORE, NOT_FOUND)           \
	X(UNAVAILABLE, UNAVAILABLE)         \
	X(EPOCH_CHANGED, COMPACTED)         \
	X(LAGGED, AGAIN)
/* clang-format on */

static const struct {
	enum wb_error error;
	enum exit_status status;
} joined[] = {
#define JOIN_ROW(error_name, status_name) {WB_##error_name, EXIT_##status_name},
	JOIN_LIST(JOIN_ROW)
#undef JOIN_ROW
};

enum exit_status exit_status_of(enum wb_error error)
{
	for (size_t i = 0; i < sizeof(joined) / sizeof(joined[0]); i++)
		if (joined[i].error == error)
			return joined[i].status;
	return EXIT_FAILED;
}
