/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports in sentences, as candidates.
 */
#ifndef IMPORT_PROSE_H
#define IMPORT_PROSE_H

#include "sheet.h"

/* Adds a candidate for each line that names ports; false when there is none. */
bool prose_rows(struct sheet *s, uint32_t line, const char *text);
bool prose_names_ports(struct sheet *s, const char *text);
/* The same of an item of a list; where `lead`, the text above the list, or a heading speaks of
 * ports, also of numbers that are none but by their place: "4369: peers", "API (Default 4646)". */
bool prose_item(struct sheet *s, uint32_t line, const char *text, const char *lead);
/* Keeps a text that mentions ports or traffic among the unparsed ones. */
void prose_add_unparsed(struct sheet *s, uint32_t line, const char *text);

#endif
