/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filling a sheet, for import.c. Not a door.
 */
#ifndef IMPORT_SHEET_H
#define IMPORT_SHEET_H

#include "internal.h"

void sheet_fill(struct sheet *s);

#endif
