/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of import share: the page as blocks in the order of its lines, what a cell with
 * ports says, and the rows that come of it. Not a door.
 */
#ifndef IMPORT_INTERNAL_H
#define IMPORT_INTERNAL_H

#include <string.h>

#include "import.h"

/* ---------------------------------------------------------------- text.c */

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
/* Whether one of the words, separated by '|', stands in the text as a whole word; any case. */
bool text_has(const char *text, const char *words);
bool text_is(const char *text, const char *words); /* the whole text is one of these */

/* ---------------------------------------------------------------- the page */

struct cell {
	const char *text; /* tidy; lines where the document breaks them */
	const char *link; /* the first link, or NULL */
};

struct grid_row {
	uint32_t line, last; /* of the document */
	bool heading;	     /* the document says that it is one */
	struct cell *cells;
	size_t count, capacity;
	size_t written; /* cells that the document has; fewer or more than the headings is told */
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
	unsigned level;	  /* of a heading, from 1; 0: no real one, a line that stands alone */
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
	bool *dropped;		 /* lines of nothing but template tags: they part nothing */
	struct block *blocks;
	size_t count, capacity;
	size_t rooms; /* cells so far: spans and short rows must not multiply without end */
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

/* Readers. Each takes what is its own, in this order. */
void liquid_read(struct page *page);	     /* liquid.c: conditions, blanks tags */
bool html_is_whole(const struct page *page); /* html.c */
void html_tables_read(struct page *page);
void html_rest_read(struct page *page);
char *html_plain(struct page *page, const char *html); /* the text of a piece of HTML */
/* markdown.c: the tables; then, once the others have read, headings and paragraphs. */
void markdown_read(struct page *page, bool tables_only);
void columns_read(struct page *page);	/* columns.c: lines with bars or tabs */
void flattened_read(struct page *page); /* flattened.c: a cell a line */

/* ---------------------------------------------------------------- words.c: headings of columns */

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

/* ---------------------------------------------------------------- ports.c */

/* Bits of protocols, those of protocols_name(). */
typedef uint32_t protocols;
enum { PROTOCOLS_PORTS = 0x1f };	  /* those that have ports */
const char *protocols_name(unsigned bit); /* NULL past the last */
protocols protocols_word(const char *word, size_t length);
protocols protocols_read(const char *text); /* every protocol that a cell names */
/* The name of a protocol for a cell that is its number alone, else the cell. */
const char *protocol_cell(const char *cell);
/* The transport of an application protocol, "https" → tcp; 0 when that is not settled. */
protocols protocols_usual(const char *text);

struct span {
	uint32_t first, last;
	protocols protocols; /* 0: not said */
	unsigned segment;    /* line of the cell, from 0 */
};

enum { READING_SPANS = 256 };

struct reading {
	struct span spans[READING_SPANS];
	size_t count;
	protocols bare;	   /* protocols named without ports */
	unsigned segments; /* lines of the cell */
	bool vague;	   /* "ephemeral", "dynamic": ports without a number */
	bool leftover;	   /* words that are no ports */
	bool cut;	   /* more than fit */
};
void ports_read(const char *cell, struct reading *out);
bool ports_only(const char *cell); /* nothing but ports, protocols and labels in parentheses */

/* ---------------------------------------------------------------- rows.c, prose.c, draft.c */

struct drafted_row {
	uint32_t line, last;
	const char *from, *to; /* titles, or one of the placeholders below */
	const char **services;
	size_t service_count, service_capacity;
	const char *id, *purpose, *section, *condition, *see;
	const char **notes; /* comments above the row */
	size_t note_count, note_capacity;
	bool candidate; /* of prose, a comment only */
};

/* Roles for what the document does not name; compared by their address. */
extern const char role_this_host[], role_inbound_peer[], role_outbound_peer[], role_peer[];

struct left { /* what no reader understood */
	uint32_t line;
	const char *why, *text;
};

struct sheet {
	struct page *page;
	struct arena *arena;
	struct drafted_row *rows;
	size_t count, capacity;
	struct left *left;
	size_t left_count, left_capacity;
	const char *title;	 /* the first heading, or NULL */
	const char *headings[8]; /* in force, by level */
	protocols assumed;	 /* what the headings say of a transport, or 0 */
};

struct drafted_row *sheet_row(struct sheet *s, uint32_t line);
void sheet_leave(struct sheet *s, uint32_t line, const char *why, const char *text);
void row_note(struct sheet *s, struct drafted_row *row, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void row_service(struct sheet *s, struct drafted_row *row, const char *service);
const char *sheet_section(const struct sheet *s); /* the innermost heading, or NULL */

/* layout.c: which column of a grid is what. */
struct layout {
	enum column kinds[PAGE_COLUMNS_MAX];
	const char *headings[PAGE_COLUMNS_MAX];
	protocols protocols[PAGE_COLUMNS_MAX]; /* what the heading says: "UDP port" */
	enum direction ways[PAGE_COLUMNS_MAX]; /* the same of a column of ports: "Inbound" */
	size_t columns, first;		       /* first: the row below the headings */
	bool ports;			       /* there is a column of ports */
	bool ways_differ;		       /* each column of ports is a row of its own */
};
void layout_find(struct page *page, const struct grid *grid, struct layout *out);
bool layout_repeats(const struct layout *layout, const struct grid_row *row);
/* Some heading says who opens, or by which protocol: what stands below matters. */
bool layout_speaks(const struct layout *layout);
const char *cell_text(const struct grid_row *row, size_t column);

/* `before`: the paragraph above the grid, or NULL. */
void grid_rows(struct sheet *s, const struct grid *grid, const char *before);
void span_services(struct sheet *s, struct drafted_row *row, const struct span *span);
/* Whether the text names ports; then they are candidates. */
bool prose_rows(struct sheet *s, uint32_t line, const char *text);
void prose_leave(struct sheet *s, uint32_t line, const char *text); /* when it speaks of them */
void draft_write(struct sheet *s, const struct import_options *options, struct draft *out);

#endif
