/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers a script sees. They are published and never change.
 *
 * Two lists exist on purpose: the library's errors say what happened, an
 * exit status says what a script should do about it, and several errors may
 * ask for the same. One table (exit_status.c) joins them; a test walks the
 * library's list and finds each error in it.
 */
#ifndef WAYBILL_TOOLS_EXIT_STATUS_H
#define WAYBILL_TOOLS_EXIT_STATUS_H

#include <waybill/error.h>

/* clang-format off: name, number, meaning in --help */
#define EXIT_LIST(X)                                                         \
	X(OK, 0, "done")                                                     \
	X(FAILED, 1, "failed for another reason")                            \
	X(NOT_FOUND, 2, "not found, or the answer is no")                    \
	X(PRECONDITION, 3, "a precondition does not hold, or it exists")     \
	X(COMPACTED, 4, "that history has been compacted away")              \
	X(OUTCOME_UNKNOWN, 5, "it is not known whether the change was made") \
	X(CORRUPT, 6, "the store is damaged")                                \
	X(LOCKED, 7, "another process holds the store")                      \
	X(USAGE, 64, "wrong option or argument")                             \
	X(BAD_INPUT, 65,                                                     \
	  "bad name, digest, size, label, filter, plan or dump")             \
	X(UNAVAILABLE, 69, "the daemon does not answer")                     \
	X(NO_SPACE, 73, "no space left")                                     \
	X(IO, 74, "input or output failed")                                  \
	X(AGAIN, 75, "busy or short of memory, try again")                   \
	X(PERMISSION, 77, "permission denied")                               \
	X(INTERRUPTED, 130,                                                  \
	  "interrupted, nothing was changed, or it is said what was")
/* clang-format on */

enum exit_status {
#define EXIT_ENUM(name, number, meaning) EXIT_##name = (number),
	EXIT_LIST(EXIT_ENUM)
#undef EXIT_ENUM
};

/* The status that stands for `error`. A number that is no error at all is
 * EXIT_FAILED. */
enum exit_status exit_status_of(enum wb_error error);

#endif
