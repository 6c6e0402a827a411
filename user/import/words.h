/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headings of columns, directions and peers, by their words.
 */
#ifndef IMPORT_WORDS_H
#define IMPORT_WORDS_H

#include "../base/base.h"

enum column {
	COLUMN_OTHER,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_LOCAL, /* this end */
	COLUMN_PEER,  /* the other end, whichever that is */
	COLUMN_PORT,
	COLUMN_SOURCE_PORT,
	COLUMN_PROTOCOL,
	COLUMN_DIRECTION,
	COLUMN_SERVICE,
	COLUMN_PURPOSE,
};
enum column column_of(const char *heading);

enum direction { DIR_UNKNOWN, DIR_IN, DIR_OUT, DIR_BOTH };
enum direction direction_of(const char *text);
/* "From A to B", "A -> B", "Source: A": parts that are not there stay NULL. */
void peers_of(struct arena *arena, const char *text, const char **from, const char **to);

#endif
