/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines whose cells are parted by bars or tabs and that Markdown does not take for a table: no line
 * of dashes below the headings, or a page that was copied from a browser.
 */
#include "page.h"
#include "words.h"

enum { LEAST_LINES = 2 };

static size_t separators(const char *text, const char *end, char separator)
{
	size_t count = 0;

	for (; text < end; text++)
		count += *text == separator;
	return count;
}

/* A bar between blanks, as in a table without bars in front. */
static bool is_bar_inside(const char *text, const char *end)
{
	for (; text + 2 < end; text++)
		if (!strncmp(text, " | ", 3))
			return true;
	return text + 1 < end && !strncmp(text, " |", 2);
}

static bool line_has_cells(const struct page *page, uint32_t line, char separator)
{
	const char *text = page->text + page->start[line - 1],
		   *end = page->text + page->start[line];

	while (end > text && strchr(" \n", end[-1]))
		end--;
	while (text < end && *text == ' ')
		text++;
	if (separator == '|' && text < end && *text != '|')
		return is_bar_inside(text, end);
	if (separator == '|')
		return text < end && separators(text, end, separator) >= 3;
	return separators(text, end, separator) >= 1 && text < end;
}

static bool is_rule(const char *text)
{
	return strspn(text, "|+-=: \t") == strlen(text);
}

/* The next separator without a backslash; an escaped one loses its backslash. */
static char *separator_find(char *text, char separator)
{
	char *to = text;

	for (; *text && *text != separator; text++) {
		if (*text == '\\' && text[1] == separator)
			text++;
		*to++ = *text;
	}
	memset(to, ' ', (size_t)(text - to));
	return *text ? text : NULL;
}

static void cells_append(struct page *page, struct grid_row *row, char separator)
{
	char *text = arena_strndup(page->arena, page->text + page->start[row->line - 1],
				   page->start[row->line] - page->start[row->line - 1]);
	char *at = text + strspn(text, " "), *end;

	at += separator == '|' && *at == '|';
	do {
		struct cell *cell;

		end = separator_find(at, separator);
		if (end)
			*end = '\0';
		/* The last bar closes the row. */
		if (!end && separator == '|' && strspn(at, " \n") == strlen(at))
			break;
		row->written++;
		cell = row_add_cell(page, row);
		if (cell)
			cell->text = text_tidy(page->arena, at, true);
		at = end ? end + 1 : NULL;
	} while (end);
}

/* Bars within sentences make no table: without one in front, the first line is its headings. */
static bool run_begins(const struct page *page, uint32_t line, char separator)
{
	const char *text = page_line(page, line), *at = text;
	size_t known = 0, ports = 0;

	if (separator != '|' || *text == '|')
		return true;
	while (*at) {
		size_t length = strcspn(at, "|");
		enum column kind = column_of(
			text_tidy(page->arena, arena_strndup(page->arena, at, length), false));

		known += kind != COLUMN_OTHER;
		ports += kind == COLUMN_PORT || kind == COLUMN_PROTOCOL;
		at += length + (at[length] == '|');
	}
	return known >= 2 && ports;
}

static uint32_t run_read(struct page *page, uint32_t first, char separator)
{
	struct grid *grid;
	uint32_t line = first, found = 0;

	while (line <= page->lines && !page->taken[line] && !page->dropped[line] &&
	       line_has_cells(page, line, separator))
		line++, found++;
	if (found < LEAST_LINES || !run_begins(page, first, separator))
		return first + 1;
	grid = arena_alloc(page->arena, sizeof(*grid));
	for (uint32_t at = first; at < line; at++) {
		page->taken[at] = true;
		if (!is_rule(page_line(page, at)))
			cells_append(page, grid_add_row(page, grid, at), separator);
	}
	if (grid->count)
		page_add(page, BLOCK_GRID, first)->grid = grid;
	return line;
}

static void separator_read(struct page *page, char separator)
{
	for (uint32_t line = 1; line <= page->lines;) {
		if (page->taken[line])
			line++;
		else
			line = run_read(page, line, separator);
	}
}

void columns_read(struct page *page)
{
	if (strchr(page->text, '|'))
		separator_read(page, '|');
	if (strchr(page->text, '\t'))
		separator_read(page, '\t');
}
