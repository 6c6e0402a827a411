/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of a draft from a grid.
 */
#ifndef IMPORT_ROWS_H
#define IMPORT_ROWS_H

#include "sheet.h"

/* `before`: the paragraph above the grid, or NULL. */
void grid_rows(struct sheet *s, const struct grid *grid, const char *before);

#endif
