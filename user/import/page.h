/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A document as blocks in the order of its lines, and its readers.
 */
#ifndef IMPORT_PAGE_H
#define IMPORT_PAGE_H

#include <string.h>

#include "text.h"

struct cell {
	const char *text; /* tidy; lines where the document breaks them */
	const char *link; /* the first link, or NULL */
};

struct grid_row {
	uint32_t line, last; /* of the document */
	bool heading;	     /* the document says that it is one */
	struct cell *cells;
	size_t count, capacity;
	size_t written; /* cells of the document; reported when they differ from the headings */
};

struct grid {
	const char *caption; /* or NULL */
	struct grid_row *rows;
	size_t count, capacity;
};

enum block_kind { BLOCK_HEADING, BLOCK_PROSE, BLOCK_GRID };

struct block {
	enum block_kind kind;
	uint32_t line;
	unsigned level;	  /* of a heading, from 1; 0: no real one, but a line alone */
	const char *text; /* heading, prose */
	struct grid *grid;
};

struct page {
	struct arena *arena;
	struct diags *d;
	const struct source *source;
	char *text; /* template tags and HTML tables are blanked as they are taken */
	size_t size;
	uint32_t lines;
	size_t *start;		 /* of each line in text; lines + 1 of them, line n at n - 1 */
	const char **conditions; /* of the template, of each line; or NULL */
	bool *taken;		 /* lines that a reader has understood */
	bool *dropped;		 /* lines of nothing but template tags: they separate nothing */
	struct block *blocks;
	size_t count, capacity;
	size_t cell_count; /* limited: row spans and column spans must not multiply without end */
};

enum { PAGE_CELLS_MAX = 1 << 18, PAGE_COLUMNS_MAX = 64 };

struct block *page_add(struct page *page, enum block_kind kind, uint32_t line);
void page_prose(struct page *page, uint32_t line, const char *text);
void page_heading(struct page *page, uint32_t line, unsigned level, const char *text);
struct grid_row *grid_add_row(struct page *page, struct grid *grid, uint32_t line);
struct cell *row_add_cell(struct page *page, struct grid_row *row);
/* The line of the document's text, NUL terminated and tidy. */
char *page_line(const struct page *page, uint32_t line);
uint32_t page_line_at(const struct page *page, size_t offset);

/* Readers. Each takes its own lines, in this order. */
void liquid_read(struct page *page);	     /* liquid.c: conditions, blanks tags */
bool html_is_whole(const struct page *page); /* html.c */
void html_tables_read(struct page *page);
void html_rest_read(struct page *page);
char *html_plain(struct page *page, const char *html); /* the text of a piece of HTML */
/* markdown.c: the tables; then, once the others have read, headings and paragraphs. */
void markdown_read(struct page *page, bool tables_only);
void columns_read(struct page *page);	/* columns.c: lines with bars or tabs */
void flattened_read(struct page *page); /* flattened.c: a cell a line */

#endif
