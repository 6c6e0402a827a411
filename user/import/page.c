/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page: lines and blocks, and the grids in them. Bounded for any document.
 */
#include "page.h"

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
	if (row->count >= PAGE_COLUMNS_MAX || page->cell_count >= PAGE_CELLS_MAX)
		return NULL;
	page->cell_count++;
	row->cells = arena_grow(page->arena, row->cells, row->count, &row->capacity,
				sizeof(*row->cells));
	row->cells[row->count] = (struct cell){.text = ""};
	return &row->cells[row->count++];
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
