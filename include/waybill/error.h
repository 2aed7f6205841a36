/* SPDX-License-Identifier: Apache-2.0
 *
 * Every way in which a call of libwaybill can fail.
 *
 * One list: name, number, stable code (what --json prints), text. Zero is
 * success and nothing else carries failure; the end of an iteration is not
 * an error. Numbers and codes are never reused and never renumbered: they go
 * on wires and into scripts.
 */
#ifndef WAYBILL_ERROR_H
#define WAYBILL_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WB_API __attribute__((visibility("default")))
#else
#define WB_API
#endif

/* clang-format off */
#define WB_ERROR_LIST(X)                                                      \
	X(OK, 0, "ok", "success")                                             \
	X(NOT_FOUND, 1, "not_found", "not found")                             \
	X(EXISTS, 2, "exists", "already exists")                              \
	X(PRECONDITION, 3, "precondition_failed", "precondition failed")      \
	X(CONFLICT, 4, "operation_conflict",                                  \
	  "the operation id was used for another request")                    \
	X(BAD_INPUT, 5, "bad_input", "invalid argument")                      \
	X(USAGE, 6, "usage", "the call breaks the interface's rules")         \
	X(NESTED, 7, "nested_update", "an Update inside an Update")           \
	X(TOO_LARGE, 8, "too_large", "larger than the limit")                 \
	X(BUFFER, 9, "buffer_too_small", "the caller's buffer is too small")  \
	X(ABORTED, 10, "aborted", "the transaction was aborted")              \
	X(SNAPSHOT_TOO_OLD, 11, "snapshot_too_old",                           \
	  "the view was given up to bound the memory of old versions")        \
	X(COMPACTED, 12, "compacted", "that history has been compacted away") \
	X(OUTCOME_UNKNOWN, 13, "outcome_unknown",                             \
	  "it is not known whether the change became durable")                \
	X(CORRUPT, 14, "corrupt", "bytes on disk contradict the format")      \
	X(LOCKED, 15, "locked", "another process holds the store")            \
	X(UNSUPPORTED, 16, "unsupported",                                     \
	  "a format, filesystem or option that is not supported")             \
	X(READ_ONLY, 17, "read_only", "the store is open for reading only")   \
	X(STOPPED, 18, "stopped",                                             \
	  "a failed sync has stopped writing; open the store again")          \
	X(NO_SPACE, 19, "no_space", "no space left")                          \
	X(IO, 20, "io", "input/output error")                                 \
	X(PERMISSION, 21, "permission", "permission denied")                  \
	X(NO_MEMORY, 22, "no_memory", "out of memory")                        \
	X(AGAIN, 23, "try_again", "busy, try again")                          \
	X(CANCELLED, 24, "cancelled", "cancelled")                            \
	X(FORKED, 25, "forked", "the handle belongs to the parent process")   \
	X(NOT_A_STORE, 26, "not_a_store", "no waybill store is here")         \
	X(UNAVAILABLE, 27, "unavailable", "the daemon does not answer")       \
	X(EPOCH_CHANGED, 28, "epoch_changed", "the store began a new epoch")  \
	X(LAGGED, 29, "lagged", "the watcher was too slow")
/* clang-format on */

enum wb_error {
#define WB_ERROR_ENUM(name, number, code, text) WB_##name = (number),
	WB_ERROR_LIST(WB_ERROR_ENUM)
#undef WB_ERROR_ENUM
};

/* A sentence a person can act on, filled in beside an error code. A call
 * that succeeds leaves it untouched; every function takes NULL instead. */
struct wb_text {
	char text[512];
};

/* The stable code of `error` ("not_found"); never NULL. */
WB_API const char *wb_error_code(enum wb_error error);

/* The text of `error` ("not found"); never NULL. */
WB_API const char *wb_error_text(enum wb_error error);

#ifdef __cplusplus
}
#endif
#endif
