/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A document as blocks in the order of its lines, and its readers.
 */
#ifndef IMPORT_PAGE_H
#define IMPORT_PAGE_H

#include <string.h>

#include "text.h"

enum { PAGE_CELLS_MAX = 1 << 18, PAGE_COLUMNS_MAX = 64 };

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
	bool footer;	     /* the last row is no data */
	struct grid_row *rows;
	size_t count, capacity;
};

enum block_kind {
	BLOCK_HEADING,
	BLOCK_PROSE,
	BLOCK_ITEM, /* of a list */
	BLOCK_GRID,
	BLOCK_UNRESOLVED, /* an include, a substitution, a condition of the markup */
};

struct block {
	enum block_kind kind;
	uint32_t line;
	unsigned level;	  /* of a heading, from 1; 0: no real one, but a line alone */
	const char *text; /* heading, prose, item; of the unresolved: the line */
	const char *why;  /* of the unresolved */
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
	const char *title;	 /* of its metadata, or NULL */
	const char **conditions; /* of the template, of each line; or NULL */
	bool *taken;		 /* lines that a reader has understood */
	uint32_t over;		 /* the line where there were too many cells, or 0 */
	uint32_t wide;		 /* the first line of more than PAGE_COLUMNS_MAX cells, or 0 */
	bool *dropped;		 /* lines of nothing but template tags: they separate nothing */
	struct block *blocks;
	size_t count, capacity;
	size_t cell_count; /* limited: row spans and column spans must not multiply without end */
};

struct block *page_add(struct page *page, enum block_kind kind, uint32_t line);
void page_prose(struct page *page, uint32_t line, const char *text);
void page_item(struct page *page, uint32_t line, const char *text);
void page_heading(struct page *page, uint32_t line, unsigned level, const char *text);
struct grid_row *grid_add_row(struct page *page, struct grid *grid, uint32_t line);
struct cell *row_add_cell(struct page *page, struct grid_row *row);
void row_add_text(struct page *page, struct grid_row *row, const char *text);
/* Cells that span rows and columns, as as many cells: those that reach down from rows above. */
struct spans {
	struct {
		struct cell cell;
		unsigned rows;
	} held[PAGE_COLUMNS_MAX];
};
void row_add_held(struct page *page, struct spans *spans, struct grid_row *row);
struct extent {
	unsigned columns, rows;
};
void row_add_spanned(struct page *page, struct spans *spans, struct grid_row *row,
		     const struct cell *cell, struct extent extent);
void page_add_grid(struct page *page, uint32_t line, struct grid *grid); /* unless it is empty */
void page_unresolved(struct page *page, uint32_t line, const char *why);
/* The rest of a page of markup: paragraphs and the items of lists. */
void paragraphs_read(struct page *page);
/* The line as it is, without its end. */
char *page_raw_line(const struct page *page, uint32_t line);
/* The line of the document's text, NUL terminated and tidy. */
char *page_line(const struct page *page, uint32_t line);
uint32_t page_line_at(const struct page *page, size_t offset);

/* Readers. Each takes its own lines, in this order. */
void liquid_read(struct page *page);	     /* conditions.c: template tags */
void tabs_read(struct page *page);	     /* the same of tabs and unknown elements */
bool html_is_whole(const struct page *page); /* html.c */
void html_tables_read(struct page *page);
void html_rest_read(struct page *page);
char *html_plain(struct page *page, const char *html); /* the text of a piece of HTML */
bool csv_is_whole(const struct page *page);	       /* csv.c */
int csv_read(struct page *page);
/* Rows of a piece of CSV, a line of which is the `first` of the document. */
int csv_rows_read(struct page *page, struct grid *grid, const char *text, char delimiter,
		  uint32_t first);
bool asciidoc_is_whole(const struct page *page); /* asciidoc.c */
int asciidoc_tables_read(struct page *page);
void asciidoc_rest_read(struct page *page);
bool rst_is_whole(const struct page *page); /* rst.c */
int rst_tables_read(struct page *page);
void rst_rest_read(struct page *page);
/* markdown.c: the tables; then, once the others have read, headings and paragraphs. */
void markdown_read(struct page *page, bool tables_only);
void columns_read(struct page *page);	/* columns.c: lines with bars or tabs */
void aligned_read(struct page *page);	/* columns.c: columns of spaces */
void flattened_read(struct page *page); /* flattened.c: a cell a line */

/* What the source hides or comments out gives nothing but a comment of the draft. */
void page_hide(struct page *page, size_t from, size_t to);
void page_hide_lines(struct page *page, uint32_t first, uint32_t last);
void html_hide(struct page *page);
void asciidoc_hide(struct page *page);
void rst_hide(struct page *page);

#endif
