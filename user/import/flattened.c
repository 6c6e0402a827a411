/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A table that lost its cells: a line for each, nothing between. The headings, a line each, give
 * the number of cells of a row and the position of its ports; a row begins where a line of ports
 * is at that distance. Lines beyond that number belong to the last cell.
 */
#include "page.h"
#include "ports.h"
#include "words.h"

enum { HEADING_LONGEST = 48 };

struct flat {
	struct page *page;
	uint32_t *lines; /* those that are not blank, in order */
	char **texts;
	size_t count;
	struct grid *grid;
	size_t columns, port, protocol; /* of the headings; protocol: SIZE_MAX without one */
	bool spaced;			/* blank lines between the cells */
};

static void lines_read(struct flat *f)
{
	struct page *page = f->page;

	f->lines = arena_alloc(page->arena, (page->lines + 1) * sizeof(*f->lines));
	f->texts = arena_alloc(page->arena, (page->lines + 1) * sizeof(*f->texts));
	for (uint32_t line = 1; line <= page->lines; line++) {
		char *text;

		if (page->taken[line])
			continue;
		text = page_line(page, line);
		if (!*text)
			continue;
		f->lines[f->count] = line;
		f->texts[f->count++] = text;
	}
}

static size_t words_in(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ' ';
	return count;
}

static enum column heading_kind(const struct flat *f, size_t at)
{
	const char *text = f->texts[at];
	size_t length = strlen(text);

	if (length > HEADING_LONGEST || words_in(text) > 5 || strchr(".:;?!,", text[length - 1]) ||
	    ports_only(text))
		return COLUMN_OTHER;
	return column_of(text);
}

/* Lines apart by more than `gap` do not belong to one run. */
static bool follows(const struct flat *f, size_t at, uint32_t gap)
{
	return at && at < f->count && f->lines[at] - f->lines[at - 1] <= gap;
}

/* A run of headings from `at` with ports among them; how many, or 0. */
static size_t headings_at(struct flat *f, size_t at)
{
	size_t count = 0, port = SIZE_MAX, protocol = SIZE_MAX, other = 0, ports = 0;

	while (at + count < f->count && count < PAGE_COLUMNS_MAX &&
	       (!count || follows(f, at + count, 2))) {
		enum column kind = heading_kind(f, at + count);

		/* One heading without a meaning may be between those with one. */
		if (kind == COLUMN_OTHER)
			break;
		ports += kind == COLUMN_PORT;
		if (kind == COLUMN_PORT && port == SIZE_MAX)
			port = count;
		else if (kind == COLUMN_PROTOCOL && protocol == SIZE_MAX)
			protocol = count;
		else
			other++;
		count++;
	}
	/* "Inbound" above "Port", "Protocol", … is of the table, not of a column. */
	if (at + 1 < f->count &&
	    text_is(f->texts[at], "inbound|outbound|ingress|egress|incoming|outgoing") &&
	    headings_at(f, at + 1))
		return 0;
	/* "Firewall ports of the cluster" above "Port", "Protocol", … is a title. */
	if (port == 0 && ports > 1 && words_in(f->texts[at]) > 2)
		return 0;
	if (port == SIZE_MAX || count < 2 || !(other || protocol != SIZE_MAX))
		return 0;
	f->columns = count;
	f->port = port;
	f->protocol = protocol;
	f->spaced = follows(f, at + 1, 2) && !follows(f, at + 1, 1);
	return count;
}

static bool is_port_line(const char *text)
{
	struct port_reading reading;

	if (strlen(text) > 120)
		return false;
	ports_read(text, &reading);
	return (reading.count && !reading.leftover) ||
	       (!reading.count &&
		(text_is(text, "any|all|*|n/a|-") || (reading.bare & ~(protocols)PROTOCOLS_PORTS)));
}

static bool is_protocol_line(const char *text)
{
	return text_is(text, "any|all|ip|n/a|-|*") ||
	       (strlen(text) < 40 && (protocols_read(text) || protocols_usual(text)));
}

/* Whether a row may begin at `at`: its ports, and its protocol, are in their places. */
static bool row_at(const struct flat *f, size_t at)
{
	if (at + f->port >= f->count || !is_port_line(f->texts[at + f->port]))
		return false;
	return f->protocol == SIZE_MAX ||
	       (at + f->protocol < f->count && is_protocol_line(f->texts[at + f->protocol]));
}

/* The first line behind `at` that is no part of its row. */
static size_t row_end(struct flat *f, size_t at, bool *last)
{
	size_t end = at + 1;
	struct flat ahead = *f;

	*last = false;
	for (; end < f->count; end++) {
		bool parted = !follows(f, end, f->spaced ? 2 : 1);
		size_t columns = end - at;

		if (parted || (columns >= f->columns && headings_at(&ahead, end)) ||
		    str_equal(f->texts[end], f->grid->rows[0].cells[0].text)) {
			*last = true;
			return end;
		}
		if (columns > f->port && (columns >= f->columns || f->port == 0) &&
		    (columns > 1 || f->columns < 3) && row_at(f, end) &&
		    !(columns < f->columns && row_at(f, at + f->columns)))
			return end;
	}
	*last = true;
	return end;
}

static void row_read(struct flat *f, size_t at, size_t end)
{
	struct grid_row *row = grid_add_row(f->page, f->grid, f->lines[at]);
	struct cell *cell = NULL;

	row->last = f->lines[end - 1];
	for (size_t i = at; i < end; i++) {
		f->page->taken[f->lines[i]] = true;
		if (row->count == f->columns && cell)
			cell->text =
				arena_printf(f->page->arena, "%s\n%s", cell->text, f->texts[i]);
		else
			cell = row_add_cell(f->page, row);
		if (cell && !*cell->text)
			cell->text = f->texts[i];
	}
	row->written = row->count;
}

static void headings_read(struct flat *f, size_t at)
{
	struct grid_row *row = grid_add_row(f->page, f->grid, f->lines[at]);

	row->heading = true;
	for (size_t i = at; i < at + f->columns; i++) {
		struct cell *cell = row_add_cell(f->page, row);

		f->page->taken[f->lines[i]] = true;
		if (cell)
			cell->text = f->texts[i];
	}
	row->written = row->count;
}

/* The last row ends where the cells do when blank lines say nothing. */
static size_t last_row_end(const struct flat *f, size_t at, size_t end)
{
	return f->spaced && end > at + f->columns ? at + f->columns : end;
}

/* ---------------------------------------------------------------- cells that span rows
 *
 * Where a cell spans rows, those below have a line less. The lines of protocol and port are found
 * wherever they are; those between two of them are the rest of one row and the beginning of the
 * next, which may lack its first cells.
 */

static size_t anchor_width(const struct flat *f)
{
	if (f->protocol == SIZE_MAX)
		return 1;
	return f->protocol + 1 == f->port || f->port + 1 == f->protocol ? 2 : 0;
}

static size_t lead_of(const struct flat *f)
{
	return f->protocol < f->port ? f->protocol : f->port;
}

static bool anchor_at(const struct flat *f, size_t at)
{
	size_t lead = lead_of(f);

	if (at + anchor_width(f) > f->count || !is_port_line(f->texts[at + f->port - lead]))
		return false;
	return f->protocol == SIZE_MAX || is_protocol_line(f->texts[at + f->protocol - lead]);
}

/* The first line behind the table: that of other headings, or after a blank line. */
static size_t anchored_end(const struct flat *f, size_t from)
{
	struct flat ahead = *f;

	for (size_t at = from; at < f->count; at++)
		if (headings_at(&ahead, at) || !follows(f, at, f->spaced ? 2 : 1))
			return at;
	return f->count;
}

static size_t anchor_next(const struct flat *f, size_t at, size_t end)
{
	while (at < end && !(anchor_at(f, at) && at + anchor_width(f) <= end))
		at++;
	return at;
}

static void anchored_row(struct flat *f, size_t begin, size_t anchor, size_t end)
{
	struct grid_row *row = grid_add_row(f->page, f->grid, f->lines[begin]);
	size_t lead = lead_of(f), missing = lead - (anchor - begin);

	row->last = f->lines[end - 1];
	for (size_t i = 0; i < missing; i++)
		row_add_text(f->page, row, "");
	for (size_t i = begin; i < end; i++) {
		f->page->taken[f->lines[i]] = true;
		if (row->count < f->columns || !row->count)
			row_add_text(f->page, row, f->texts[i]);
		else
			row->cells[row->count - 1].text =
				arena_printf(f->page->arena, "%s\n%s",
					     row->cells[row->count - 1].text, f->texts[i]);
	}
	while (row->count < f->columns && row->count)
		row_add_text(f->page, row, "");
}

/* Of `gap` lines between two anchors, how many begin the next row. */
static size_t lead_lines(const struct flat *f, size_t next, size_t gap)
{
	size_t lead = lead_of(f), trail = f->columns - lead - anchor_width(f), count = 0;
	size_t most = gap > trail ? gap - trail : 0;

	most = most > lead ? lead : most;
	/* Sentences are no names. */
	while (count < most &&
	       !strchr(".!", f->texts[next - 1 - count][strlen(f->texts[next - 1 - count]) - 1]))
		count++;
	return count;
}

/* The table whose headings are at `at`; what is behind it, or 0: it is not of this kind. */
static size_t anchored_read(struct flat *f, size_t at)
{
	size_t width = anchor_width(f), lead = lead_of(f), from = at + lead + width, last, next;
	size_t end = width ? anchored_end(f, from) : from, anchor = anchor_next(f, from, end),
	       begin;

	/* Names of hosts may read as headings: the first ports tell where those end. */
	if (!width || !f->spaced || anchor >= end || anchor < from + lead ||
	    anchor - lead - at > f->columns)
		return 0;
	begin = anchor - lead;
	f->columns = begin - at;
	f->grid = arena_alloc(f->page->arena, sizeof(*f->grid));
	headings_read(f, at);
	for (; anchor < end; anchor = next) {
		next = anchor_next(f, anchor + width, end);
		last = anchor + f->columns - lead;
		if (next < end)
			last = next - lead_lines(f, next, next - anchor - width);
		last = last < end ? last : end;
		anchored_row(f, begin, anchor, last);
		begin = last;
	}
	page_add_grid(f->page, f->lines[at], f->grid);
	return begin;
}

static size_t table_read(struct flat *f, size_t at)
{
	size_t from = at + f->columns, end = anchored_read(f, at);
	bool last = false;

	if (end)
		return end;
	if (!row_at(f, from))
		return at + 1;
	f->grid = arena_alloc(f->page->arena, sizeof(*f->grid));
	headings_read(f, at);
	while (from < f->count && !last) {
		end = row_end(f, from, &last);
		end = last ? last_row_end(f, from, end) : end;
		row_read(f, from, end);
		from = end;
		/* After a blank line the table may go on. */
		last = last && !(from < f->count && !f->spaced && follows(f, from, 2) &&
				 row_at(f, from) && f->grid->count > 1);
	}
	page_add(f->page, BLOCK_GRID, f->lines[at])->grid = f->grid;
	return from;
}

void flattened_read(struct page *page)
{
	struct flat f = {.page = page};

	lines_read(&f);
	for (size_t at = 0; at < f.count;)
		at = headings_at(&f, at) ? table_read(&f, at) : at + 1;
}
