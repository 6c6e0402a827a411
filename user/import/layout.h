/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The meaning of each column of a grid.
 */
#ifndef IMPORT_LAYOUT_H
#define IMPORT_LAYOUT_H

#include "ends.h"
#include "page.h"
#include "ports.h"
#include "words.h"

struct layout {
	enum column kinds[PAGE_COLUMNS_MAX];
	const char *headings[PAGE_COLUMNS_MAX];
	protocols protocols[PAGE_COLUMNS_MAX];	     /* from the heading: "UDP port" */
	enum direction directions[PAGE_COLUMNS_MAX]; /* the same of a column of ports: "Inbound" */
	size_t columns, first;			     /* first: the row below the headings */
	bool ports;				     /* there is a column of ports */
	bool directions_differ;			     /* each column of ports is a row of its own */
	enum direction ways[PAGE_COLUMNS_MAX];	     /* then: of each column, or unknown */
	bool ends_hold_ports;			     /* "B:443/tcp" below "To", in this column: */
	size_t column;
	bool pairs[PAGE_COLUMNS_MAX]; /* all cells of a description are "A to B" */
	bool ends_unknown;	      /* two columns of names may be the ends, these: */
	size_t names[2];
};
void layout_find(struct page *page, const struct grid *grid, struct layout *out);
/* "From \\ To" above names, with ports where a row and a column meet: the same as rows of three
 * cells. False: the grid is no such thing. */
bool matrix_unfold(struct page *page, const struct grid *grid, struct grid *out);
bool row_is_heading(const struct grid_row *row);
bool layout_repeats(const struct layout *layout, const struct grid_row *row);
/* Some heading gives the opener or the protocol: the cells below matter. */
bool layout_speaks(const struct layout *layout);
const char *cell_text(const struct grid_row *row, size_t column);

#endif
