/* SPDX-License-Identifier: Apache-2.0
 *
 * Aligned columns for people. Nothing is ever cut: a digest or a name that
 * lost its end is of no use.
 *
 * Widths are those of the widest cell among the TABLE_ROWS_HELD rows that
 * are held back, and only grow from one such page to the next: memory stays
 * bounded for a list of any length.
 */
#ifndef WAYBILL_TOOLS_TABLE_H
#define WAYBILL_TOOLS_TABLE_H

#include "tools/output.h"

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 8
#define TABLE_ROWS_HELD	  1000

struct table_column {
	const char *heading;
	bool right; /* numbers */
};

struct table {
	struct output *output;
	const struct table_column *columns;
	size_t column_count;
	size_t widths[TABLE_COLUMNS_MAX];
	char **cells; /* row by row */
	size_t row_count;
	bool headed;
};

/* Columns that end in {NULL} and outlive the table. */
void table_begin(struct table *table, struct output *output,
		 const struct table_column *columns);
/* Adds a row of copies of `cells`, one a column. */
void table_row(struct table *table, const char *const *cells);
/* Prints what is held, the headings at least, and frees it. */
void table_end(struct table *table);

#endif
