/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reStructuredText: grid tables with spans, simple tables, list-table and csv-table; titles by
 * their underlines, paragraphs and lists. Includes, substitutions and conditions are not resolved:
 * each is reported. Grid and simple tables are read in Markdown and plain text as well.
 */
#include <stdlib.h>

#include "page.h"

static size_t indent_of(const char *text)
{
	return strspn(text, " ");
}

/* ---------------------------------------------------------------- inline markup */

/* ":role:`text <target>`", "`text <url>`_", "``code``", "|sub|", "[1]_" */
static char *inline_plain(struct arena *arena, const char *text)
{
	struct buffer out = {.arena = arena};
	bool quoted = false;

	for (; *text; text++) {
		size_t role = *text == ':' ? strcspn(text + 1, ":` \n") : 0;

		if (role && text[role + 1] == ':' && text[role + 2] == '`') {
			text += role + 1;
		} else if (*text == '`') {
			while (text[1] == '`')
				text++;
			quoted = !quoted;
			while (!quoted && text[1] == '_')
				text++;
		} else if (quoted && *text == '<' && strchr(text, '>')) {
			text = strchr(text, '>');
		} else if (text[0] == '*' && text[1] == '*') {
			text++;
		} else if (text[0] == '[' && strspn(text + 1, "0123456789#*") &&
			   str_starts(text + 1 + strspn(text + 1, "0123456789#*"), "]_")) {
			text += 2 + strspn(text + 1, "0123456789#*");
		} else if (text[0] == '\\' && text[1]) {
			text++;
			if (*text != ' ')
				buffer_add(&out, text, 1);
		} else {
			buffer_add(&out, text, 1);
		}
	}
	return out.text ?: arena_strdup(arena, "");
}

/* The lines of a cell: one text, unless they are a list or paragraphs. */
static char *cell_plain(struct arena *arena, const char *text)
{
	struct buffer out = {.arena = arena};

	while (*text) {
		size_t indent = indent_of(text), length = strcspn(text, "\n");
		const char *line = text + indent;
		bool item = strchr("-*+|", *line) && *line && (line[1] == ' ' || line[1] == '\n');

		if (item || indent >= length)
			buffer_puts(&out, "\n");
		if (item)
			line += 1;
		if (line < text + length)
			buffer_add(&out, line, (size_t)(text + length - line));
		buffer_puts(&out, " ");
		text += length + (text[length] == '\n');
	}
	return text_tidy(arena, inline_plain(arena, out.text ?: ""), false);
}

/* ---------------------------------------------------------------- grid tables */

/* Cells are areas between borders: one that is shared by columns, or reaches into rows below. */
struct area {
	struct buffer text;
	const char *plain; /* once it is closed */
};

struct grid_table {
	struct page *page;
	struct grid *grid;
	uint32_t first, last;
	size_t indent, columns;
	size_t bounds[PAGE_COLUMNS_MAX + 1];  /* of the columns, in characters */
	struct area *areas[PAGE_COLUMNS_MAX]; /* open ones */
	struct area ***placed;		      /* of each row of the grid: its areas by column */
	size_t capacity;
	uint32_t row_line; /* where the row being read begins */
};

/* Lines by characters: a border is above the same character of the text. */
struct runes {
	const char **at; /* count + 1 of them */
	size_t count;
};

static struct runes runes_of(struct arena *arena, const char *text)
{
	struct runes runes = {.at = arena_alloc(arena, (strlen(text) + 1) * sizeof(*runes.at))};

	for (; *text; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			runes.at[runes.count++] = text;
	runes.at[runes.count] = text;
	return runes;
}

static bool is_border(const char *text)
{
	text += indent_of(text);
	return text[0] == '+' && strchr("-=+", text[1]) && strspn(text, "+-=: ") == strlen(text) &&
	       strlen(text) > 2;
}

static void bounds_add(struct grid_table *t, size_t at)
{
	size_t i = t->columns;

	for (size_t k = 0; k < t->columns; k++)
		if (t->bounds[k] == at)
			return;
	if (t->columns > PAGE_COLUMNS_MAX)
		return;
	for (; i && t->bounds[i - 1] > at; i--)
		t->bounds[i] = t->bounds[i - 1];
	t->bounds[i] = at;
	t->columns++;
}

static void bounds_find(struct grid_table *t)
{
	for (uint32_t line = t->first; line <= t->last; line++) {
		struct runes runes = runes_of(t->page->arena, page_raw_line(t->page, line));

		for (size_t i = t->indent; i < runes.count; i++) {
			bool beside = i && strchr("-=", *runes.at[i - 1]);

			if (*runes.at[i] == '+' &&
			    (beside || (i + 1 < runes.count && strchr("-=", *runes.at[i + 1]))))
				bounds_add(t, i);
		}
	}
	t->columns -= t->columns > 0;
}

static char rune_at(const struct runes *runes, size_t at)
{
	return at < runes->count ? *runes->at[at] : ' ';
}

/* Whether the column's cell ends at this line. */
static bool column_closes(const struct grid_table *t, const struct runes *runes, size_t column)
{
	for (size_t i = t->bounds[column] + 1; i < t->bounds[column + 1]; i++)
		if (!strchr("-=", rune_at(runes, i)))
			return false;
	return t->bounds[column] + 1 < t->bounds[column + 1];
}

/* A row of the grid for what is above a border; cells that the border does not close go on. */
static void row_place(struct grid_table *t, uint32_t line)
{
	struct page *page = t->page;
	struct area **areas = arena_alloc(page->arena, t->columns * sizeof(struct area *));
	struct grid_row *row = grid_add_row(page, t->grid, t->row_line);

	memcpy(areas, t->areas, t->columns * sizeof(struct area *));
	t->placed = arena_grow(page->arena, t->placed, t->grid->count - 1, &t->capacity,
			       sizeof(*t->placed));
	t->placed[t->grid->count - 1] = areas;
	row->last = line - 1;
	for (size_t i = 0; i < t->columns; i++)
		row_add_text(page, row, "");
}

static void border_read(struct grid_table *t, const struct runes *runes, uint32_t line)
{
	bool any = false, heading = memchr(runes->at[0], '=', strlen(runes->at[0]));

	for (size_t i = 0; i < t->columns; i++)
		any |= t->areas[i] != NULL;
	if (any)
		row_place(t, line);
	for (size_t i = 0; i < t->grid->count && heading; i++)
		t->grid->rows[i].heading = true;
	for (size_t i = 0; i < t->columns; i++)
		if (column_closes(t, runes, i))
			t->areas[i] = NULL;
	t->row_line = line + 1;
}

/* The text between two bars, for all the columns that it spans. */
static void text_append(struct grid_table *t, const struct runes *runes, size_t from, size_t to)
{
	struct arena *arena = t->page->arena;
	size_t begin = t->bounds[from] + 1, end = t->bounds[to];
	struct area *area = t->areas[from];

	if (!area)
		area = arena_alloc(arena, sizeof(*area));
	area->text.arena = arena;
	for (size_t i = from; i < to; i++)
		t->areas[i] = area;
	begin = begin < runes->count ? begin : runes->count;
	end = end < runes->count ? end : runes->count;
	buffer_add(&area->text, runes->at[begin], (size_t)(runes->at[end] - runes->at[begin]));
	buffer_puts(&area->text, "\n");
}

static void text_line_read(struct grid_table *t, const struct runes *runes)
{
	size_t from = 0;

	for (size_t i = 1; i <= t->columns; i++) {
		bool parted = strchr("|+", rune_at(runes, t->bounds[i]));

		if (!parted && i < t->columns)
			continue;
		/* A border of other columns beside a cell that goes on. */
		if (i - from > 1 || !column_closes(t, runes, from))
			text_append(t, runes, from, i);
		from = i;
	}
}

static void areas_fill(struct grid_table *t)
{
	for (size_t i = 0; i < t->grid->count; i++) {
		struct grid_row *row = &t->grid->rows[i];

		for (size_t column = 0; column < row->count; column++) {
			struct area *area = t->placed[i][column];

			if (area && !area->plain)
				area->plain = cell_plain(t->page->arena, area->text.text ?: "");
			row->cells[column].text = area ? area->plain : "";
		}
	}
}

static bool is_grid_line(const struct page *page, uint32_t line, size_t indent)
{
	const char *text = page_raw_line(page, line);

	return !page->taken[line] && indent_of(text) == indent && strchr("+|", text[indent]) &&
	       text[indent];
}

static uint32_t grid_table_read(struct page *page, uint32_t first)
{
	struct grid_table *t = arena_alloc(page->arena, sizeof(*t));

	t->page = page;
	t->first = t->last = first;
	t->indent = indent_of(page_raw_line(page, first));
	while (t->last < page->lines && is_grid_line(page, t->last + 1, t->indent))
		t->last++;
	bounds_find(t);
	if (t->last < first + 2 || t->columns < 2)
		return first;
	t->grid = arena_alloc(page->arena, sizeof(*t->grid));
	for (uint32_t line = first; line <= t->last; line++) {
		const char *text = page_raw_line(page, line);
		struct runes runes = runes_of(page->arena, text);
		bool border = false;

		for (size_t i = 0; i < t->columns; i++)
			border |= column_closes(t, &runes, i);
		if (border)
			border_read(t, &runes, line);
		if (!is_border(text))
			text_line_read(t, &runes);
		page->taken[line] = true;
	}
	if (t->row_line <= t->last)
		row_place(t, t->last + 1);
	areas_fill(t);
	page_add_grid(page, first, t->grid);
	return t->last;
}

/* ---------------------------------------------------------------- simple tables */

/* Groups of one sign, parted by blanks: at least two. Gives where each begins. */
static size_t groups_of(const char *text, char sign, size_t *begins)
{
	size_t count = 0;

	for (const char *at = text; *at;) {
		size_t blanks = strspn(at, " "), length = 0;

		at += blanks;
		while (at[length] == sign)
			length++;
		if (!*at)
			break;
		if (!length || count == PAGE_COLUMNS_MAX)
			return 0;
		begins[count++] = (size_t)(at - text);
		at += length;
	}
	return count > 1 ? count : 0;
}

/* The text of the characters [from, to) of a line, the last column to its end. */
static const char *slice(struct arena *arena, const struct runes *runes, size_t from, size_t to)
{
	from = from < runes->count ? from : runes->count;
	to = to < runes->count ? to : runes->count;
	return text_tidy(
		arena,
		arena_strndup(arena, runes->at[from], (size_t)(runes->at[to] - runes->at[from])),
		false);
}

/* Text over the blank between two columns is of a cell that spans both. */
static size_t column_end(const struct runes *runes, const size_t *begins, size_t columns, size_t i)
{
	while (i + 1 < columns && begins[i + 1] <= runes->count && begins[i + 1] &&
	       rune_at(runes, begins[i + 1] - 1) != ' ')
		i++;
	return i + 1;
}

static void simple_line_read(struct page *page, struct grid *grid, const size_t *begins,
			     size_t columns, uint32_t line)
{
	struct runes runes = runes_of(page->arena, page_raw_line(page, line));
	bool goes_on = grid->count && !*slice(page->arena, &runes, begins[0], begins[1]);
	struct grid_row *row =
		goes_on ? &grid->rows[grid->count - 1] : grid_add_row(page, grid, line);

	row->last = line;
	for (size_t i = 0; i < columns;) {
		size_t end = column_end(&runes, begins, columns, i);
		const char *text = slice(page->arena, &runes, begins[i],
					 end < columns ? begins[end] : SIZE_MAX);

		text = text_tidy(page->arena, inline_plain(page->arena, text), false);
		text = text_is(text, "..|\\") ? "" : text;
		for (; i < end; i++) {
			if (!goes_on)
				row_add_text(page, row, text);
			else if (*text && i < row->count)
				row->cells[i].text =
					arena_printf(page->arena, "%s%s%s", row->cells[i].text,
						     *row->cells[i].text ? " " : "", text);
		}
	}
}

static bool is_blank(const struct page *page, uint32_t line)
{
	return line > page->lines || !*page_raw_line(page, line);
}

/* The border that ends a simple table is the one with a blank line below it; 0: there is none. */
static uint32_t simple_table_end(const struct page *page, uint32_t first, uint32_t *heading)
{
	size_t begins[PAGE_COLUMNS_MAX];

	*heading = 0;
	for (uint32_t line = first + 1; line <= page->lines && !page->taken[line]; line++) {
		if (!groups_of(page_raw_line(page, line), '=', begins))
			continue;
		if (*heading || is_blank(page, line + 1))
			return line;
		*heading = line;
	}
	return 0;
}

static uint32_t simple_table_read(struct page *page, uint32_t first)
{
	size_t begins[PAGE_COLUMNS_MAX], other[PAGE_COLUMNS_MAX];
	size_t columns = groups_of(page_raw_line(page, first), '=', begins);
	uint32_t heading, end = simple_table_end(page, first, &heading);
	struct grid *grid = arena_alloc(page->arena, sizeof(*grid));

	if (!end)
		return first;
	page->taken[first] = true;
	for (uint32_t line = first + 1; line <= end; line++) {
		const char *text = page_raw_line(page, line);

		page->taken[line] = true;
		if (!*text || groups_of(text, '=', other) || strspn(text, "- ") == strlen(text))
			continue;
		simple_line_read(page, grid, begins, columns, line);
	}
	for (size_t i = 0; i < grid->count && heading; i++)
		grid->rows[i].heading = grid->rows[i].line < heading;
	page_add_grid(page, first, grid);
	return end;
}

/* ---------------------------------------------------------------- directives */

struct directive {
	struct page *page;
	uint32_t line, first, last; /* of the directive, of its content */
	size_t indent;		    /* of the content */
	const char *title, *header;
	size_t headings;
	char delimiter;
};

static void option_read(struct directive *d, const char *text)
{
	struct arena *arena = d->page->arena;

	if (str_starts(text, ":header-rows:"))
		d->headings = (size_t)atoi(text + strlen(":header-rows:"));
	else if (str_starts(text, ":header:"))
		d->header = arena_strdup(arena, text + strlen(":header:") +
							strspn(text + strlen(":header:"), " "));
	else if (str_starts(text, ":delim:") && text[8])
		d->delimiter = str_equal(text + 8, "tab") ? '\t' : text[8];
}

/* Options come first; an option may go on in the lines below it. */
static void directive_open(struct directive *d)
{
	struct page *page = d->page;
	size_t outer = indent_of(page_raw_line(page, d->line));
	uint32_t line = d->line + 1;
	bool header = false;

	for (; line <= page->lines; line++) {
		const char *raw = page_raw_line(page, line), *text = raw + indent_of(raw);

		if (!*text || indent_of(raw) <= outer)
			break;
		if (*text == ':')
			option_read(d, text);
		else if (header)
			d->header = arena_printf(page->arena, "%s %s", d->header, text);
		header = *text == ':' ? str_starts(text, ":header:") : header;
	}
	while (line <= page->lines && !*page_raw_line(page, line))
		line++;
	d->first = line;
	d->last = line - 1;
	for (; line <= page->lines; line++) {
		const char *raw = page_raw_line(page, line);

		if (*raw && indent_of(raw) <= outer)
			break;
		if (*raw)
			d->last = line;
	}
	d->indent = d->first <= d->last ? indent_of(page_raw_line(page, d->first)) : 0;
	for (line = d->line; line <= d->last; line++)
		page->taken[line] = true;
}

static const char *content_line(const struct directive *d, uint32_t line)
{
	const char *text = page_raw_line(d->page, line);
	size_t indent = indent_of(text);

	return text + (indent < d->indent ? indent : d->indent);
}

static struct grid *directive_grid(const struct directive *d)
{
	struct grid *grid = arena_alloc(d->page->arena, sizeof(*grid));

	grid->caption = *d->title ? inline_plain(d->page->arena, d->title) : NULL;
	return grid;
}

/* "* - first", "  - next", deeper lines go on. */
static void list_table_read(struct directive *d)
{
	struct page *page = d->page;
	struct grid *grid = directive_grid(d);
	struct grid_row *row = NULL;
	struct buffer *text = NULL;

	for (uint32_t line = d->first; line <= d->last + 1; line++) {
		const char *raw = line <= d->last ? content_line(d, line) : "* -";
		bool first =
			str_starts(raw, "* -") || str_starts(raw, "- -") || str_starts(raw, "* *");
		bool next = str_starts(raw, "  -") || str_starts(raw, "  *");

		if ((first || (next && row)) && text) {
			row_add_text(page, row, cell_plain(page->arena, text->text ?: ""));
			row->last = line - 1;
		}
		if (first && line <= d->last)
			row = grid_add_row(page, grid, line);
		if (row && (first || next)) {
			text = arena_alloc(page->arena, sizeof(*text));
			text->arena = page->arena;
			raw += 3;
		}
		if (text) {
			buffer_puts(text, raw + strspn(raw, " "));
			buffer_puts(text, "\n");
		}
	}
	for (size_t i = 0; i < grid->count && i < d->headings; i++)
		grid->rows[i].heading = true;
	page_add_grid(page, d->line, grid);
}

static void cells_clean(struct arena *arena, struct grid *grid)
{
	for (size_t i = 0; i < grid->count; i++)
		for (size_t k = 0; k < grid->rows[i].count; k++)
			grid->rows[i].cells[k].text = text_tidy(
				arena, inline_plain(arena, grid->rows[i].cells[k].text), false);
}

static int csv_table_read(struct directive *d)
{
	struct page *page = d->page;
	struct grid *grid = directive_grid(d);
	struct buffer text = {.arena = page->arena};
	size_t headings = d->headings + (d->header != NULL);
	int err = 0;

	for (uint32_t line = d->first; line <= d->last; line++)
		buffer_printf(&text, "%s\n", content_line(d, line));
	if (d->header)
		err = csv_rows_read(page, grid, d->header, d->delimiter, d->line);
	if (!err)
		err = csv_rows_read(page, grid, text.text ?: "", d->delimiter, d->first);
	if (err)
		return err;
	for (size_t i = 0; i < grid->count && i < headings; i++)
		grid->rows[i].heading = true;
	cells_clean(page->arena, grid);
	page_add_grid(page, d->line, grid);
	return 0;
}

static const char *directive_is(const char *text, const char *name)
{
	text += indent_of(text);
	if (!str_starts(text, ".. "))
		return NULL;
	text += 3;
	return str_starts(text, name) ? text + strlen(name) + strspn(text + strlen(name), " ")
				      : NULL;
}

static int directive_read(struct page *page, uint32_t line)
{
	const char *text = page_raw_line(page, line);
	const char *list = directive_is(text, "list-table::"),
		   *csv = directive_is(text, "csv-table::");
	struct directive d = {.page = page, .line = line, .delimiter = ','};

	if (!list && !csv)
		return 0;
	d.title = list ?: csv;
	directive_open(&d);
	if (d.first > d.last)
		return 0;
	if (list) {
		list_table_read(&d);
		return 0;
	}
	return csv_table_read(&d);
}

int rst_tables_read(struct page *page)
{
	size_t begins[PAGE_COLUMNS_MAX];
	int err;

	for (uint32_t line = 1; line <= page->lines; line++) {
		const char *text = page->taken[line] ? "" : page_raw_line(page, line);

		if (is_border(text))
			line = grid_table_read(page, line);
		else if (groups_of(text, '=', begins))
			line = simple_table_read(page, line);
		else if ((err = directive_read(page, line)))
			return err;
	}
	return 0;
}

/* ---------------------------------------------------------------- the rest */

/* A line of one sign that may stand below a title. */
static char underline_of(const char *text)
{
	size_t length = strlen(text);

	if (length < 3 || !strchr("=-~^\"'`#*+:.<>_", *text))
		return 0;
	for (size_t i = 1; i < length; i++)
		if (text[i] != *text)
			return 0;
	return *text;
}

/* Levels are in the order in which a page first uses their signs. */
struct levels {
	char signs[16];
	size_t count;
};

static unsigned level_of(struct levels *levels, char sign, bool over)
{
	char key = over ? (char)(sign | 0x80) : sign;

	for (size_t i = 0; i < levels->count; i++)
		if (levels->signs[i] == key)
			return (unsigned)i + 1;
	if (levels->count < sizeof(levels->signs))
		levels->signs[levels->count++] = key;
	return (unsigned)levels->count;
}

static void titles_read(struct page *page)
{
	struct levels levels = {0};

	for (uint32_t line = 2; line <= page->lines; line++) {
		const char *above = page->taken[line - 1] ? "" : page_raw_line(page, line - 1);
		char sign = page->taken[line] ? 0 : underline_of(page_raw_line(page, line));
		bool over = line > 2 && underline_of(page_raw_line(page, line - 2)) == sign &&
			    !page->taken[line - 2];

		if (!sign || !*above || underline_of(above) || *above == ' ')
			continue;
		page_heading(page, line - 1, level_of(&levels, sign, over),
			     text_tidy(page->arena, inline_plain(page->arena, above), false));
		page->taken[line] = page->taken[line - 1] = true;
		if (over)
			page->taken[line - 2] = true;
	}
}

/* "|name|" that the page takes from elsewhere. */
static bool has_substitution(const char *text)
{
	const char *end;

	for (; (text = strchr(text, '|')); text++) {
		end = text[1] && text_is_word(text[1]) ? strchr(text + 1, '|') : NULL;
		if (end && end - text < 40 && text_is_word(end[-1]))
			return true;
	}
	return false;
}

static void unresolved_read(struct page *page, uint32_t line)
{
	const char *text = page_raw_line(page, line);

	if (directive_is(text, "include::"))
		page_unresolved(page, line, "an include, which is not resolved");
	else if (directive_is(text, "only::") || directive_is(text, "ifconfig::"))
		page_unresolved(page, line, "a condition, which is not resolved");
	else if (text[indent_of(text)] != '|' && text[indent_of(text)] != '+' &&
		 has_substitution(text))
		page_unresolved(page, line, "a substitution, which is not resolved");
}

static bool is_markup(const char *text)
{
	text += indent_of(text);
	return (str_starts(text, ".. ") && !strstr(text, "note::") && !strstr(text, "warning::")) ||
	       (*text == ':' && strchr(text + 1, ':')) || underline_of(text);
}

void rst_rest_read(struct page *page)
{
	for (uint32_t line = 1; line <= page->lines; line++)
		unresolved_read(page, line);
	titles_read(page);
	for (uint32_t line = 1; line <= page->lines; line++)
		if (!page->taken[line])
			page->taken[line] = is_markup(page_raw_line(page, line));
	paragraphs_read(page);
}

bool rst_is_whole(const struct page *page)
{
	const char *dot = strrchr(page->source->name, '.');

	if (dot && text_is(dot, ".rst|.rest"))
		return true;
	for (uint32_t line = 1; line <= page->lines; line++) {
		const char *text = page_raw_line(page, line);

		if (directive_is(text, "list-table::") || directive_is(text, "csv-table::"))
			return true;
	}
	return false;
}

/* ".. text" that is no directive, target, footnote or substitution. */
static bool is_comment(const struct page *page, uint32_t line)
{
	const char *text = page_raw_line(page, line);
	size_t name;

	text += strspn(text, " ");
	if (strncmp(text, "..", 2) || (text[2] && text[2] != ' '))
		return false;
	text += 2 + strspn(text + 2, " ");
	if (!*text)
		return line < page->lines && *page_raw_line(page, line + 1);
	name = strcspn(text, " :");
	return !strchr("_[|", *text) && !(name && strstr(text, "::"));
}

void rst_hide(struct page *page)
{
	for (uint32_t line = 1; line <= page->lines; line++) {
		size_t indent = strspn(page_raw_line(page, line), " ");
		size_t begins[PAGE_COLUMNS_MAX];
		uint32_t last = line, heading;

		/* In a simple table, ".." is an empty cell. */
		if (groups_of(page_raw_line(page, line), '=', begins))
			last = simple_table_end(page, line, &heading) ?: line;
		if (last > line) {
			line = last;
			continue;
		}
		if (!is_comment(page, line))
			continue;
		while (last < page->lines && (!*page_raw_line(page, last + 1) ||
					      strspn(page_raw_line(page, last + 1), " ") > indent))
			last++;
		page_hide_lines(page, line, last);
		line = last;
	}
}
