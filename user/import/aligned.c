/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Columns of spaces, as `pdftotext -layout` leaves them. A line of headings gives where the columns
 * begin; below it a text belongs to the column that it overlaps most. A line without ports goes on
 * with the row above it.
 */
#include "page.h"
#include "ports.h"
#include "words.h"

enum { PIECE_GAP = 2, BLANK_LINES = 2 };

struct piece {
	size_t from, to; /* characters of the line */
	const char *text;
};

struct aligned {
	struct page *page;
	struct grid *grid;
	size_t begins[PAGE_COLUMNS_MAX], ends[PAGE_COLUMNS_MAX];
	size_t columns;
	size_t port, protocol; /* columns; SIZE_MAX: none */
};

static size_t characters(const char *text, const char *end)
{
	size_t count = 0;

	for (; text < end; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* The texts of a line that are parted by two blanks or more. */
static size_t pieces_of(const struct page *page, uint32_t line, struct piece *out)
{
	const char *text = page_raw_line(page, line), *at = text;
	size_t count = 0;

	while (*at && count < PAGE_COLUMNS_MAX) {
		const char *end;

		at += strspn(at, " \t\f");
		if (!*at)
			break;
		for (end = at; *end && strncmp(end, "  ", PIECE_GAP); end++)
			continue;
		out[count++] = (struct piece){
			characters(text, at), characters(text, end),
			text_tidy(page->arena, arena_strndup(page->arena, at, (size_t)(end - at)),
				  false)};
		at = end;
	}
	return count;
}

static bool is_rule(const char *text)
{
	return strspn(text, "-=_ +|") == strlen(text);
}

/* ---------------------------------------------------------------- headings */

static bool headings_read(struct aligned *a, const struct piece *pieces, size_t count)
{
	size_t known = 0;

	a->columns = count;
	a->port = a->protocol = SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		enum column kind = column_of(pieces[i].text);

		if (strpbrk(pieces[i].text, "0123456789"))
			return false;
		known += kind != COLUMN_OTHER;
		if (kind == COLUMN_PORT && a->port == SIZE_MAX)
			a->port = i;
		if (kind == COLUMN_PROTOCOL && a->protocol == SIZE_MAX)
			a->protocol = i;
		a->begins[i] = pieces[i].from;
		a->ends[i] = pieces[i].to;
	}
	if (a->port == SIZE_MAX)
		a->port = a->protocol;
	return count >= 2 && known >= 2 && a->port != SIZE_MAX;
}

/* ---------------------------------------------------------------- rows */

/* The column that a text overlaps most, or begins in. */
static size_t column_of_piece(const struct aligned *a, const struct piece *piece)
{
	size_t best = 0, most = 0, column = 0;

	for (size_t i = 0; i < a->columns; i++) {
		size_t from = piece->from > a->begins[i] ? piece->from : a->begins[i];
		size_t to = piece->to < a->ends[i] ? piece->to : a->ends[i];

		if (to > from && to - from > most) {
			most = to - from;
			best = i;
		}
		column = a->begins[i] <= piece->from + 1 ? i : column;
	}
	return most ? best : column;
}

/* How many headings a text is below. */
static size_t columns_below(const struct aligned *a, const struct piece *piece)
{
	size_t count = 0;

	for (size_t i = 0; i < a->columns; i++)
		count += piece->from < a->ends[i] && piece->to > a->begins[i];
	return count;
}

struct line_cells {
	const char *texts[PAGE_COLUMNS_MAX];
	size_t filled;
};

/* False: a text reaches over a whole column and into the next; no row has that. */
static bool line_read(const struct aligned *a, uint32_t line, struct line_cells *out)
{
	bool fits = true;

	struct piece pieces[PAGE_COLUMNS_MAX];
	size_t count = pieces_of(a->page, line, pieces);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < count; i++) {
		size_t column = column_of_piece(a, &pieces[i]);
		const char **cell = &out->texts[column];

		fits &= columns_below(a, &pieces[i]) <= 1 &&
			(column + 1 >= a->columns || pieces[i].to <= a->begins[column + 1] + 1);
		out->filled += !*cell;
		*cell = *cell ? arena_printf(a->page->arena, "%s %s", *cell, pieces[i].text)
			      : pieces[i].text;
	}
	return fits;
}

static bool has_ports(const struct aligned *a, const struct line_cells *cells)
{
	const char *text = cells->texts[a->port];
	const char *protocol = a->protocol == SIZE_MAX ? NULL : cells->texts[a->protocol];
	struct port_reading reading;

	if (!text)
		return protocol && protocols_read(protocol);
	ports_read(text, &reading);
	return reading.count || reading.bare || reading.vague ||
	       text_is(text, "any|all|*|n/a|-|none") || (protocol && protocols_read(protocol));
}

static void row_append(struct aligned *a, const struct line_cells *cells, uint32_t line)
{
	struct grid_row *row = grid_add_row(a->page, a->grid, line);

	for (size_t i = 0; i < a->columns; i++)
		row_add_text(a->page, row, cells->texts[i] ?: "");
}

static bool is_open(const char *text)
{
	size_t length = strlen(text);

	return length && strchr(",-/(", text[length - 1]);
}

/* A line that goes on with the cells above: text of a name is one text, ports are one more. */
static void row_extend(struct aligned *a, const struct line_cells *cells, uint32_t line)
{
	struct grid_row *row = &a->grid->rows[a->grid->count - 1];

	row->last = line;
	for (size_t i = 0; i < row->count; i++) {
		struct cell *cell = &row->cells[i];

		if (cells->texts[i])
			cell->text = arena_printf(a->page->arena, "%s%s%s", cell->text,
						  *cell->text ? " " : "", cells->texts[i]);
	}
}

/* Whether a line goes on with the row above: it has no ports of its own, or the row waits for more.
 */
static bool goes_on(const struct aligned *a, const struct line_cells *cells)
{
	const struct grid_row *row = &a->grid->rows[a->grid->count - 1];
	size_t others = cells->filled - (cells->texts[a->port] != NULL);

	if (!has_ports(a, cells))
		return true;
	/* Only ports, below ports that end in a comma. */
	return !others && a->grid->count > 1 && is_open(row->cells[a->port].text);
}

static uint32_t table_read(struct aligned *a, uint32_t heading)
{
	struct page *page = a->page;
	size_t blanks = 0;
	uint32_t line = heading + 1, last = heading;
	struct line_cells cells;

	a->grid = arena_alloc(page->arena, sizeof(*a->grid));
	line_read(a, heading, &cells);
	row_append(a, &cells, heading);
	a->grid->rows[0].heading = true;
	for (; line <= page->lines && !page->taken[line] && blanks <= BLANK_LINES; line++) {
		const char *raw = page_raw_line(page, line);

		if (!*raw || is_rule(raw)) {
			blanks += !*raw;
			continue;
		}
		if (!line_read(a, line, &cells) || (blanks && !has_ports(a, &cells)))
			break;
		if (goes_on(a, &cells))
			row_extend(a, &cells, line);
		else
			row_append(a, &cells, line);
		blanks = 0;
		last = line;
	}
	if (a->grid->count < 2)
		return heading;
	for (line = heading; line <= last; line++)
		page->taken[line] = true;
	page_add_grid(page, heading, a->grid);
	return last;
}

void aligned_read(struct page *page)
{
	struct aligned a = {.page = page};
	struct piece pieces[PAGE_COLUMNS_MAX];

	for (uint32_t line = 1; line <= page->lines; line++) {
		size_t count = page->taken[line] ? 0 : pieces_of(page, line, pieces);

		if (count >= 2 && headings_read(&a, pieces, count))
			line = table_read(&a, line);
	}
}
