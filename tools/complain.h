/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard error: one line for each thing that went wrong, in one write, so
 * that lines of several processes do not mix.
 *
 *	waybill: put: image "a": already exists
 *
 * With --json each line is an object with one field, "error", "damage",
 * "warning" or "note", that holds "message" and, in an error, "code",
 * "status", where it is about a line of a plan "line", and where a
 * precondition did not hold "current".
 */
#ifndef WAYBILL_TOOLS_COMPLAIN_H
#define WAYBILL_TOOLS_COMPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <waybill/images.h>

struct complainer {
	const char *command; /* NULL: none is known yet */
	bool json;
	bool quiet; /* no notes */
	bool color;
	/* The command's own statuses; NULL: as exit_status_of. */
	int (*status_of)(enum wb_error error);
};

struct complaint {
	enum wb_error error;
	const char *message;
	/* NULL, or where the image is that a precondition was held against
	 * (which may be NULL in its turn: there is none). */
	struct wb_image *const *current;
	size_t line; /* of a plan, from 1; 0: it is about none */
};
void complain_error(const struct complainer *complainer,
		    const struct complaint *complaint);
/* The status that is told with it, and that the program is to exit with. */
int complain_status(const struct complainer *complainer, enum wb_error error);

/* A wb_report_fn; the context is the complainer. */
void complain_report(void *context, enum wb_severity severity,
		     const char *line);

__attribute__((format(printf, 3, 4))) void complain(
	const struct complainer *complainer, enum wb_severity severity,
	const char *format, ...);

#endif
