/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One row of a grid while it is read. Internal to rows.c, row_ends.c and row_refused.c.
 */
#ifndef IMPORT_ROW_H
#define IMPORT_ROW_H

#include "ends.h"
#include "layout.h"
#include "sheet.h"

struct work {
	struct sheet *s;
	const struct grid *grid;
	const struct layout *layout;
	const struct grid_row *row;
	const char *section;		   /* of a row that spans the grid, or NULL */
	const char *before;		   /* the paragraph above the grid, or NULL */
	const char *from_above, *to_above; /* of the last row that has them */
	bool refused_above;		   /* by the last action that is not empty */
	bool one;			   /* only one column of ports is meant: */
	size_t column;
	const char *part;   /* of that column's cell, or NULL: all of it */
	struct ends spoken; /* beside the ports of that part */
	bool cut;	    /* there are more ports than a row can have */
	bool foreign;	    /* the protocol is given and not understood */
};

const char *cells_of(const struct work *w, enum column kind);
bool has_column(const struct work *w, enum column kind);
/* Sets from and to; the direction, for the reverse of a row both ways. False: a direction of the
 * document was not understood, so that the row is for a person to finish. */
bool row_ends_set(struct work *w, struct drafted_row *row, enum direction *direction);
bool is_no_peer(const char *text);
/* Why a row of the document is no rule; NULL: it is one. */
const char *row_refusal(struct work *w);

#endif
