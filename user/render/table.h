/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables for people. Columns are as wide as their content; on a narrower terminal long cells are
 * shortened in their middle, and then whole columns are left out, which the last line reports.
 * Rows are held back in batches, so that a million of them need the memory of a thousand; a later
 * batch may widen a column. Internal to render.
 */
#ifndef RENDER_TABLE_H
#define RENDER_TABLE_H

#include "print.h"

enum { COLUMNS_MOST = 20 };

struct column {
	const char *title;
	uint8_t order; /* the highest is left out first; 0: never */
	uint8_t least; /* shortened to this many characters if need be; 0: never */
	uint8_t start; /* width before the content is known */
	bool right;
	bool wide; /* of --wide alone */
};

struct table_cell {
	uint32_t at, length, width; /* bytes of table.text; characters */
	enum colour colour;
};

/* A line below a row, in the place of its cells. */
enum { NOTE_CELL = COLOUR_BOLD + 1 };

struct table {
	FILE *out;
	const struct column *columns;
	size_t count, at; /* `at`: the column of the next cell */
	bool colour, wide, headed;
	unsigned limit; /* width of the terminal; 0: none */
	size_t batch;	/* rows that are held back */
	unsigned content[COLUMNS_MOST], width[COLUMNS_MOST];
	bool left_out[COLUMNS_MOST];
	size_t last; /* column that is not left out */
	struct table_cell *cells;
	size_t cell_count, cell_capacity, rows;
	char *text;
	size_t used, text_capacity;
	struct out_line line;
};

void table_begin(struct table *table, const struct render *r, const struct column *columns,
		 size_t count);
/* One cell after the other, for every column; NULL or "": "-". */
void table_cell(struct table *table, enum colour colour, const char *text);
/* A sentence below the row that was just completed. NULL: none. */
void table_note(struct table *table, const char *text);
/* Prints the rest, with the heading when there was no row, and frees. */
void table_end(struct table *table);

/* The cells PROCESS, UID, PARENT and STARTED. words.c */
void print_process(struct table *table, const struct process_view *process);

#endif
