/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between dump.c, which prints, and its two sources: class_prefixes.c (addresses of a class) and
 * columns.c (services of a column). Internal to compile/.
 */
#ifndef COMPILE_DUMP_H
#define COMPILE_DUMP_H

#include "compilation.h"

enum { DUMP_LIST_MAX = 8, DUMP_ROWS_MAX = 1000 };

/* The addresses of every row of a direction, in words: "10.20.0.0/24, all other IPv6". */
const char **class_prefixes_text(const struct ruleset *rs, const struct image *image, uint8_t dir,
				 struct arena *arena);

/* The services of every column, in words: "2049/tcp", "all other tcp"; NULL for a column that
 * nothing is asked about: fragment columns and padding. */
const char **columns_text(const struct image *image, uint8_t dir, struct arena *arena);

/* A list with a limit: adds ", text", and past DUMP_LIST_MAX counts the rest. */
struct phrase {
	char *text;
	size_t size, capacity;
	uint32_t count;
};
void phrase_add(struct arena *arena, struct phrase *words, const char *text);
const char *phrase_end(struct arena *arena, const struct phrase *words);

#endif
