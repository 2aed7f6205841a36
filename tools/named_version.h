/* SPDX-License-Identifier: Apache-2.0
 *
 * One version of a name, as a person asks for it: `NAME@{POINT}`.
 */
#ifndef WAYBILL_TOOLS_NAMED_VERSION_H
#define WAYBILL_TOOLS_NAMED_VERSION_H

#include "tools/session.h"
#include "tools/timepoint.h"

struct named_version {
	const char *name;
	struct timepoint point;
};

/* What POINT may be, for --help. */
#define VERSION_POINTS                                                    \
	"POINT is one of\n"                                               \
	"  N                       N versions ago; 0 is the newest\n"     \
	"  rN                      as of revision N\n"                    \
	"  2026-08-01T12:00:00Z    as of that time (RFC 3339)\n"          \
	"  2026-08-01              as of 00:00 UTC that day\n"            \
	"  yesterday, 3 days ago   24 hours ago, 72 hours ago; seconds, " \
	"minutes,\n"                                                      \
	"                          hours and weeks too\n"                 \
	"  now                     as of this moment\n"                   \
	"A number alone counts versions here; to dump --at it is a "      \
	"revision.\n"

/* The wall clock, ns since 1970: what "yesterday" is counted from. */
int64_t now_ns(void);

/* Splits NAME@{POINT}; without a point it is the newest version. `point`
 * (NULL: none) is one that was given in another way. With --raw all of it is
 * the name. WB_USAGE, WB_BAD_INPUT. */
enum wb_error named_version_read(struct session *session, const char *operand,
				 const char *point,
				 struct named_version *ret_query);

/* Visits it, perhaps a deletion. WB_NOT_FOUND with a sentence: there is no
 * such version; nothing was visited. */
enum wb_error named_version_find(struct session *session,
				 const struct wb_call *call,
				 const struct named_version *query,
				 wb_image_version_fn *visit, void *context);

/* A copy that lives in `scratch`. NULL: out of memory. */
const struct wb_image_version *version_copy(
	struct scratch *scratch, const struct wb_image_version *version);

#endif
