/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Columns without markup. With bars or tabs: lines that Markdown does not take for a table, because
 * no line of dashes is below the headings, or a page that was copied from a browser. With spaces,
 * as `pdftotext -layout` leaves them: a line of headings gives where the columns begin; below it a
 * text belongs to the column that it overlaps most, and a line without ports goes on with the row
 * above.
 */
#include "ends.h"
#include "page.h"
#include "ports.h"
#include "words.h"

/* ---------------------------------------------------------------- bars and tabs */

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

/* ---------------------------------------------------------------- spaces */

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
	size_t port, protocol, direction; /* columns; SIZE_MAX: none */
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

static bool is_underline(const char *text)
{
	return strspn(text, "-=_ +|") == strlen(text);
}

/* ---------------------------------------------------------------- headings */

static bool headings_read(struct aligned *a, const struct piece *pieces, size_t count)
{
	size_t known = 0;

	a->columns = count;
	a->port = a->protocol = a->direction = SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		enum column kind = column_of(pieces[i].text);

		if (strpbrk(pieces[i].text, "0123456789"))
			return false;
		known += kind != COLUMN_OTHER;
		if (kind == COLUMN_PORT && a->port == SIZE_MAX)
			a->port = i;
		if (kind == COLUMN_PROTOCOL && a->protocol == SIZE_MAX)
			a->protocol = i;
		if (kind == COLUMN_DIRECTION && a->direction == SIZE_MAX)
			a->direction = i;
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
	/* Below ports that end in a comma, only ports, or none of the protocol. */
	return a->grid->count > 1 && is_open(row->cells[a->port].text) &&
	       (!others ||
		(a->protocol != SIZE_MAX && a->protocol != a->port && !cells->texts[a->protocol]));
}

/* "In  Peers" below "123  UDP  Out  Servers": another row of the same ports. */
static bool is_other_way(const struct aligned *a, const struct line_cells *cells)
{
	const struct grid_row *row = &a->grid->rows[a->grid->count - 1];
	const char *way = a->direction == SIZE_MAX ? NULL : cells->texts[a->direction];

	return way && direction_of(way) && a->grid->count > 1 && !has_ports(a, cells) &&
	       direction_of(row->cells[a->direction].text);
}

static void way_append(struct aligned *a, struct line_cells *cells, uint32_t line)
{
	const struct grid_row *row = &a->grid->rows[a->grid->count - 1];

	cells->texts[a->port] = row->cells[a->port].text;
	if (a->protocol != SIZE_MAX)
		cells->texts[a->protocol] = row->cells[a->protocol].text;
	row_append(a, cells, line);
}

/* "Source  Destination" in the line above "Port  host  host": parts of the headings. */
static void headings_above(struct aligned *a, uint32_t heading)
{
	struct grid_row *row = &a->grid->rows[0];
	struct piece pieces[PAGE_COLUMNS_MAX];
	size_t count = heading > 1 && !a->page->taken[heading - 1]
			       ? pieces_of(a->page, heading - 1, pieces)
			       : 0;

	for (size_t i = 0; i < count; i++)
		if (columns_below(a, &pieces[i]) != 1 || strpbrk(pieces[i].text, "0123456789.:"))
			return;
	for (size_t i = 0; count > 1 && i < count; i++) {
		struct cell *cell = &row->cells[column_of_piece(a, &pieces[i])];

		cell->text = arena_printf(a->page->arena, "%s %s", pieces[i].text, cell->text);
		a->page->taken[heading - 1] = true;
	}
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
	if (!page->over)
		headings_above(a, heading);
	for (; line <= page->lines && !page->taken[line] && blanks <= BLANK_LINES && !page->over;
	     line++) {
		const char *raw = page_raw_line(page, line);

		if (!*raw || is_underline(raw)) {
			blanks += !*raw;
			continue;
		}
		if (!line_read(a, line, &cells) || (blanks && !has_ports(a, &cells)))
			break;
		if (is_other_way(a, &cells))
			way_append(a, &cells, line);
		else if (goes_on(a, &cells))
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
