/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page: lines and blocks, and the grids in them. Bounded for any document.
 */
#include "page.h"
#include "ports.h"

struct block *page_add(struct page *page, enum block_kind kind, uint32_t line)
{
	struct block *block;

	page->blocks = arena_grow(page->arena, page->blocks, page->count, &page->capacity,
				  sizeof(*page->blocks));
	block = &page->blocks[page->count++];
	*block = (struct block){.kind = kind, .line = line};
	return block;
}

void page_prose(struct page *page, uint32_t line, const char *text)
{
	if (*text)
		page_add(page, BLOCK_PROSE, line)->text = text;
}

void page_item(struct page *page, uint32_t line, const char *text)
{
	if (*text)
		page_add(page, BLOCK_ITEM, line)->text = text;
}

void page_heading(struct page *page, uint32_t line, unsigned level, const char *text)
{
	struct block *block;

	if (!*text)
		return;
	block = page_add(page, BLOCK_HEADING, line);
	block->level = level;
	block->text = text;
}

struct grid_row *grid_add_row(struct page *page, struct grid *grid, uint32_t line)
{
	struct grid_row *row;

	grid->rows = arena_grow(page->arena, grid->rows, grid->count, &grid->capacity,
				sizeof(*grid->rows));
	row = &grid->rows[grid->count++];
	*row = (struct grid_row){.line = line, .last = line};
	return row;
}

struct cell *row_add_cell(struct page *page, struct grid_row *row)
{
	if (page->cell_count >= PAGE_CELLS_MAX)
		page->over = page->over ?: row->line;
	if (row->count >= PAGE_COLUMNS_MAX)
		page->wide = page->wide ?: row->line;
	if (row->count >= PAGE_COLUMNS_MAX || page->over)
		return NULL;
	page->cell_count++;
	row->cells = arena_grow(page->arena, row->cells, row->count, &row->capacity,
				sizeof(*row->cells));
	row->cells[row->count] = (struct cell){.text = ""};
	return &row->cells[row->count++];
}

void row_add_text(struct page *page, struct grid_row *row, const char *text)
{
	struct cell *cell = row_add_cell(page, row);

	row->written++;
	if (cell)
		cell->text = text;
}

void row_add_held(struct page *page, struct spans *spans, struct grid_row *row)
{
	while (row->count < PAGE_COLUMNS_MAX && spans->held[row->count].rows) {
		size_t at = row->count;
		struct cell *cell = row_add_cell(page, row);

		if (!cell)
			return;
		spans->held[at].rows--;
		*cell = spans->held[at].cell;
		row->written++;
	}
}

void row_add_spanned(struct page *page, struct spans *spans, struct grid_row *row,
		     const struct cell *cell, struct extent extent)
{
	row_add_held(page, spans, row);
	for (unsigned i = 0; i < extent.columns; i++) {
		size_t at = row->count;
		struct cell *added = row_add_cell(page, row);

		row->written++;
		if (!added)
			return;
		*added = *cell;
		spans->held[at].cell = *cell;
		spans->held[at].rows = extent.rows ? extent.rows - 1 : 0;
	}
}

void page_add_grid(struct page *page, uint32_t line, struct grid *grid)
{
	if (grid->count)
		page_add(page, BLOCK_GRID, line)->grid = grid;
}

void page_unresolved(struct page *page, uint32_t line, const char *why)
{
	struct block *block = page_add(page, BLOCK_UNRESOLVED, line);

	block->why = why;
	block->text = page_line(page, line);
}

char *page_raw_line(const struct page *page, uint32_t line)
{
	size_t from = page->start[line - 1], to = page->start[line];

	while (to > from && strchr(" \t\n", page->text[to - 1]))
		to--;
	return arena_strndup(page->arena, page->text + from, to - from);
}

/* The length of the mark of an item, "* ", "-- ", "1. ", "#. "; 0: it is none. */
static size_t item_mark(const char *text)
{
	size_t length = strspn(text, "*-."), digits;

	if (length && text[length] == ' ')
		return length + 1;
	digits = strspn(text, "0123456789#");
	return digits && digits < 4 && strchr(".)", text[digits]) && text[digits] &&
			       text[digits + 1] == ' '
		       ? digits + 2
		       : 0;
}

void paragraphs_read(struct page *page)
{
	struct block *block = NULL;

	for (uint32_t line = 1; line <= page->lines; line++) {
		const char *text = page->taken[line] ? "" : page_line(page, line);
		size_t mark = item_mark(text);

		if (!*text) {
			block = NULL;
		} else if (!block || mark || strstr(text, ":: ")) {
			bool item = mark || strstr(text, ":: ");

			block = page_add(page, item ? BLOCK_ITEM : BLOCK_PROSE, line);
			block->text = text + mark;
		} else {
			block->text = arena_printf(page->arena, "%s\n%s", block->text, text);
		}
	}
}

char *page_line(const struct page *page, uint32_t line)
{
	size_t from = page->start[line - 1], to = page->start[line];

	return text_tidy(page->arena, arena_strndup(page->arena, page->text + from, to - from),
			 false);
}

uint32_t page_line_at(const struct page *page, size_t offset)
{
	uint32_t low = 0, high = page->lines;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (page->start[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low + 1;
}

void page_hide(struct page *page, size_t from, size_t to)
{
	char *text = arena_strndup(page->arena, page->text + from, to - from);
	uint32_t line = 1, above = page->lines;

	while (line < above) {
		uint32_t middle = line + (above - line) / 2;

		if (page->start[middle] <= from)
			line = middle + 1;
		else
			above = middle;
	}
	if (strpbrk(text, "0123456789") &&
	    (protocols_read(text) || text_has(text, "port|ports|source|destination"))) {
		struct block *block = page_add(page, BLOCK_UNRESOLVED, line);

		block->why = "hidden by the document";
		block->text = text_tidy(page->arena, text, false);
	}
	for (size_t i = from; i < to; i++)
		if (page->text[i] != '\n')
			page->text[i] = ' ';
}

void page_hide_lines(struct page *page, uint32_t first, uint32_t last)
{
	page_hide(page, page->start[first - 1], page->start[last]);
}
