/* SPDX-License-Identifier: Apache-2.0
 *
 * Diagnostics: what the core says while it works. (`log_` always means the
 * durable log.)
 */
#ifndef WAYBILL_BASE_DIAG_H
#define WAYBILL_BASE_DIAG_H

#include <stdint.h>
#include <waybill/error.h>

enum diag_severity { DIAG_NOTE, DIAG_WARNING, DIAG_DAMAGE };

/* `report` gets one line without newline. NULL: say nothing. */
struct diag {
	void (*report)(void *context, enum diag_severity severity,
		       const char *line);
	void *context;
};

__attribute__((format(printf, 2, 3))) void diag_note(const struct diag *diag,
						     const char *format, ...);
__attribute__((format(printf, 2, 3))) void diag_warn(const struct diag *diag,
						     const char *format, ...);

/* Every corruption that is found goes through here: one breakpoint, one
 * wording, `FILE: offset N: what`. Returns WB_CORRUPT, always. */
__attribute__((format(printf, 4, 5))) enum wb_error diag_corrupt(
	const struct diag *diag, const char *file, uint64_t offset,
	const char *format, ...);

/* Fill a wb_text; NULL is allowed. Returns `error`, so that
 * `return text_set(text, WB_X, "…")` is one line. */
__attribute__((format(printf, 3, 4))) enum wb_error text_set(
	struct wb_text *text, enum wb_error error, const char *format, ...);

#endif
