/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a call has come that may take long.
 */
#ifndef WAYBILL_PROGRESS_H
#define WAYBILL_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Valid until the callback returns. */
struct wb_progress {
	size_t size;	   /* sizeof(struct wb_progress), of the library */
	const char *phase; /* what is being done, stable: "check" */
	const char *unit;  /* of what is counted, stable: "bytes" */
	uint64_t done;	   /* never less than before, within a phase */
	uint64_t total;	   /* of the phase; 0: not known */
};

/* Told when a phase begins (`done` is 0), when it has ended (`done` is
 * `total`), and in between each time that a mebibyte or a thousand of what is
 * counted went by. On the thread of the call; it must not call into the
 * library. */
typedef void wb_progress_fn(void *context, const struct wb_progress *progress);

#ifdef __cplusplus
}
#endif
#endif
