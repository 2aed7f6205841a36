/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

void table_begin(struct table *table, struct output *output,
		 const struct table_column *columns)
{
	*table = (struct table){.output = output, .columns = columns};
	while (columns[table->column_count].heading) {
		table->widths[table->column_count] =
			strlen(columns[table->column_count].heading);
		table->column_count++;
	}
	assert(table->column_count <= TABLE_COLUMNS_MAX);
}

static void print_cell(const struct table *table, size_t column,
		       const char *text)
{
	size_t width = table->widths[column];
	size_t columns = output_plain_columns(text);
	size_t fill = width > columns ? width - columns : 0;
	bool right = table->columns[column].right;
	bool last = column + 1 == table->column_count;

	if (right)
		output_format(table->output, "%*s", (int)fill, "");
	output_plain(table->output, text);
	if (!right && !last)
		output_format(table->output, "%*s", (int)fill, "");
	output_text(table->output, last ? "\n" : "  ");
}

static void print_headings(struct table *table)
{
	table->headed = true;
	if (table->output->color)
		output_text(table->output, BOLD);
	for (size_t c = 0; c < table->column_count; c++)
		print_cell(table, c, table->columns[c].heading);
	if (table->output->color)
		output_text(table->output, PLAIN);
}

static void flush_rows(struct table *table)
{
	if (!table->headed)
		print_headings(table);
	for (size_t r = 0; r < table->row_count; r++)
		for (size_t c = 0; c < table->column_count; c++) {
			char *cell = table->cells[r * table->column_count + c];

			print_cell(table, c, cell ? cell : "");
			free(cell);
		}
	table->row_count = 0;
}

void table_row(struct table *table, const char *const *cells)
{
	if (!table->cells)
		table->cells = calloc(TABLE_ROWS_HELD * table->column_count,
				      sizeof(*table->cells));
	if (!table->cells) {
		table->output->out_of_memory = true;
		return;
	}
	if (table->row_count == TABLE_ROWS_HELD)
		flush_rows(table);
	for (size_t c = 0; c < table->column_count; c++) {
		size_t columns = output_plain_columns(cells[c]);
		char *copy = strdup(cells[c]);

		if (!copy)
			table->output->out_of_memory = true;
		if (columns > table->widths[c])
			table->widths[c] = columns;
		table->cells[table->row_count * table->column_count + c] = copy;
	}
	table->row_count++;
}

void table_end(struct table *table)
{
	flush_rows(table);
	free(table->cells);
	table->cells = NULL;
}
