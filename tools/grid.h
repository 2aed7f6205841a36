/* SPDX-License-Identifier: Apache-2.0
 *
 * Aligned columns for people. Nothing is ever cut: a digest or a name that
 * lost its end is of no use. A cell of more than GRID_WIDTH_MAX columns is out
 * of line instead, so that one of 4 KiB does not widen every row.
 *
 * Widths are those of the widest cell among the GRID_ROWS_HELD rows that
 * are held back, and only grow from one such page to the next: memory stays
 * bounded for a list of any length.
 */
#ifndef WAYBILL_TOOLS_GRID_H
#define WAYBILL_TOOLS_GRID_H

#include "tools/output.h"

#include <stdbool.h>
#include <stddef.h>

#define GRID_COLUMNS_MAX 8
#define GRID_ROWS_HELD	 1000
#define GRID_WIDTH_MAX	 256

struct grid_column {
	const char *heading;
	bool right; /* numbers */
	/* As output_sentence, not as output_plain; only for the last column. */
	bool sentence;
};

struct grid {
	struct output *output;
	const struct grid_column *columns;
	size_t column_count;
	size_t widths[GRID_COLUMNS_MAX];
	char **cells; /* row by row */
	size_t row_count;
	bool headed;
};

/* Columns that end in {NULL} and outlive the grid. */
void grid_begin(struct grid *grid, struct output *output,
		const struct grid_column *columns);
/* Adds a row of copies of `cells`, one a column. */
void grid_row(struct grid *grid, const char *const *cells);
/* Prints what is held, the headings at least, and frees it. */
void grid_end(struct grid *grid);

#endif
