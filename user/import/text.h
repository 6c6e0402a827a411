/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text of a document: a growing buffer, plain spaces and quotes, whole words.
 */
#ifndef IMPORT_TEXT_H
#define IMPORT_TEXT_H

#include "../base/base.h"

struct buffer {
	struct arena *arena;
	char *text; /* NUL terminated */
	size_t size, capacity;
};
void buffer_add(struct buffer *b, const char *text, size_t size);
void buffer_puts(struct buffer *b, const char *text);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The document as UTF-8 with \n at line ends and no control characters; the number of lines stays.
 */
int text_decode(const struct source *source, struct diags *d, struct buffer *out);
/* One cell or paragraph: plain spaces, hyphens and quotes for all of their kinds, no empty lines,
 * no space at the ends. `wide`: two spaces are a break of line, as converters leave them. */
char *text_tidy(struct arena *arena, const char *text, bool wide);
char *text_one_line(struct arena *arena, const char *text); /* lines joined by "; " */
bool text_is_word(char c);				    /* letters, digits, non-ASCII */
/* A kebab-case name of at most `most` bytes, without articles; "" when nothing is left. */
char *text_slug(struct arena *arena, const char *text, size_t most);
/* Whether one of the words, separated by '|', is in the text as a whole word; any case. */
bool text_has(const char *text, const char *words);
bool text_is(const char *text, const char *words); /* the whole text is one of these */

#endif
