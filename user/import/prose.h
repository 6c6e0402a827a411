/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports in sentences, as candidates.
 */
#ifndef IMPORT_PROSE_H
#define IMPORT_PROSE_H

#include "sheet.h"

/* Adds a candidate for each line that names ports; false when there is none. */
bool prose_rows(struct sheet *s, uint32_t line, const char *text);
/* Keeps a text that mentions ports or traffic among the unparsed ones. */
void prose_add_unparsed(struct sheet *s, uint32_t line, const char *text);

#endif
