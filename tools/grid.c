/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/grid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

void grid_begin(struct grid *grid, struct output *output,
		const struct grid_column *columns)
{
	*grid = (struct grid){.output = output, .columns = columns};
	while (columns[grid->column_count].heading) {
		grid->widths[grid->column_count] =
			strlen(columns[grid->column_count].heading);
		grid->column_count++;
	}
	assert(grid->column_count <= GRID_COLUMNS_MAX);
}

/* `last`: nothing follows on this line, so nothing is padded. */
static void print_cell(const struct grid *grid, size_t column, const char *text,
		       bool last)
{
	size_t width = grid->widths[column];
	size_t columns = output_plain_columns(text);
	size_t fill = width > columns ? width - columns : 0;
	bool right = grid->columns[column].right;

	if (right)
		output_format(grid->output, "%*s", (int)fill, "");
	if (grid->columns[column].sentence)
		output_sentence(grid->output, text);
	else
		output_plain(grid->output, text);
	if (!right && !last)
		output_format(grid->output, "%*s", (int)fill, "");
	output_text(grid->output, last ? "\n" : "  ");
}

static void print_headings(struct grid *grid)
{
	grid->headed = true;
	if (grid->output->color)
		output_text(grid->output, BOLD);
	for (size_t c = 0; c < grid->column_count; c++)
		print_cell(grid, c, grid->columns[c].heading,
			   c + 1 == grid->column_count);
	if (grid->output->color)
		output_text(grid->output, PLAIN);
}

static void print_row(struct grid *grid, char **cells)
{
	size_t count = grid->column_count;

	/* The rest of the line is empty. */
	while (count > 1 && (!cells[count - 1] || !*cells[count - 1]))
		count--;
	for (size_t c = 0; c < count; c++)
		print_cell(grid, c, cells[c] ? cells[c] : "", c + 1 == count);
	for (size_t c = 0; c < grid->column_count; c++)
		free(cells[c]);
}

static void flush_rows(struct grid *grid)
{
	if (!grid->headed)
		print_headings(grid);
	for (size_t r = 0; r < grid->row_count; r++)
		print_row(grid, grid->cells + r * grid->column_count);
	grid->row_count = 0;
}

void grid_row(struct grid *grid, const char *const *cells)
{
	if (!grid->cells)
		grid->cells = calloc(GRID_ROWS_HELD * grid->column_count,
				     sizeof(*grid->cells));
	if (!grid->cells) {
		grid->output->out_of_memory = true;
		return;
	}
	if (grid->row_count == GRID_ROWS_HELD)
		flush_rows(grid);
	for (size_t c = 0; c < grid->column_count; c++) {
		size_t columns = output_plain_columns(cells[c]);
		char *copy = strdup(cells[c]);

		if (!copy)
			grid->output->out_of_memory = true;
		if (columns > grid->widths[c] && columns <= GRID_WIDTH_MAX)
			grid->widths[c] = columns;
		grid->cells[grid->row_count * grid->column_count + c] = copy;
	}
	grid->row_count++;
}

void grid_end(struct grid *grid)
{
	flush_rows(grid);
	free(grid->cells);
	grid->cells = NULL;
}
