/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CSV and TSV by libcsv: a file of it, or the content of a table in other markup. A file is fed
 * line by line, so that each row knows its own.
 */
#include <csv.h>
#include <errno.h>

#include "page.h"
#include "words.h"

/* Of libcsv's state, which it does not name: within a field. */
enum { FIELD_BEGUN = 2 };

struct csv_rows {
	struct page *page;
	struct grid *grid;
	struct grid_row *row; /* being read, or NULL */
	uint32_t first, line; /* of the row, of the text now */
};

static void on_field(void *text, size_t size, void *data)
{
	struct csv_rows *c = data;
	struct arena *arena = c->page->arena;

	if (!c->row)
		c->row = grid_add_row(c->page, c->grid, c->first);
	row_add_text(c->page, c->row,
		     text_tidy(arena, size ? arena_strndup(arena, text, size) : "", true));
}

static void on_row(int end, void *data)
{
	struct csv_rows *c = data;

	(void)end;
	if (c->row)
		c->row->last = c->line;
	c->row = NULL;
	c->first = c->line + 1;
}

static void lines_feed(struct csv_rows *c, struct csv_parser *parser, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		length += text[length] == '\n';
		/* Blank lines before a row are none of it. */
		if (!c->row && strspn(text, " \t\n") >= length && c->first == c->line)
			c->first++;
		csv_parse(parser, text, length, on_field, on_row, c);
		text += length;
		c->line++;
	}
	if (c->line > c->first)
		c->line--;
}

int csv_rows_read(struct page *page, struct grid *grid, const char *text, char delimiter,
		  uint32_t first)
{
	struct csv_rows c = {.page = page, .grid = grid, .first = first, .line = first};
	struct csv_parser parser;
	uint32_t row;
	bool open;

	if (csv_init(&parser, 0))
		return -ENOMEM;
	csv_set_delim(&parser, (unsigned char)delimiter);
	lines_feed(&c, &parser, text);
	row = c.first;
	open = parser.quoted && parser.pstate == FIELD_BEGUN;
	csv_fini(&parser, on_field, on_row, &c);
	csv_free(&parser);
	if (!open)
		return 0;
	return diag_error(page->d, (struct loc){.source = page->source, .line = row, .column = 1},
			  -EINVAL, "bad-csv", "close the quotes; double those within",
			  "quotes that begin in the row of this line never close");
}

/* ---------------------------------------------------------------- a whole file */

static const char delimiters[] = ",;\t|";

/* Delimiters of a line outside quotes. */
static size_t delimiters_in(const char *line, char delimiter)
{
	size_t count = 0;
	bool quoted = false;

	for (; *line && *line != '\n'; line++) {
		quoted ^= *line == '"';
		count += *line == delimiter && !quoted;
	}
	return count;
}

/* Lines, of the first few, that have as many delimiters as the fullest; at least one. */
static size_t lines_alike(const struct page *page, char delimiter, size_t *most)
{
	size_t alike = 0;

	*most = 0;
	for (uint32_t line = 1; line <= page->lines && line <= 20; line++) {
		size_t count = delimiters_in(page->text + page->start[line - 1], delimiter);

		if (count > *most) {
			*most = count;
			alike = 0;
		}
		alike += count && count == *most;
	}
	return alike;
}

static char delimiter_find(const struct page *page)
{
	size_t best = 0, most;
	char found = ',';

	for (const char *delimiter = delimiters; *delimiter; delimiter++) {
		size_t alike = lines_alike(page, *delimiter, &most);

		if (alike * most > best) {
			best = alike * most;
			found = *delimiter;
		}
	}
	return found;
}

static bool name_ends(const struct page *page, const char *ending)
{
	const char *name = page->source->name;
	size_t length = strlen(name), tail = strlen(ending);

	return length > tail && text_is(name + length - tail, ending);
}

/* Its first line is a line of headings, and the next one has as many cells. */
static bool reads_as_csv(const struct page *page, char delimiter)
{
	const char *second = page->lines > 1 ? page->text + page->start[1] : "";
	size_t count = delimiters_in(page->text, delimiter), known = 0, ports = 0;
	const char *at = page->text;

	if (count < 2 || delimiters_in(second, delimiter) != count ||
	    strcspn(page->text, "\n") > 1000)
		return false;
	for (size_t i = 0; i <= count; i++) {
		const char end[] = {delimiter, '\n', '\0'};
		size_t length = strcspn(at, end);
		enum column kind = column_of(arena_strndup(page->arena, at, length));

		known += kind != COLUMN_OTHER;
		ports += kind == COLUMN_PORT || kind == COLUMN_PROTOCOL;
		at += length + 1;
	}
	return known >= 2 && ports;
}

bool csv_is_whole(const struct page *page)
{
	return name_ends(page, ".csv") || name_ends(page, ".tsv") || reads_as_csv(page, ',') ||
	       reads_as_csv(page, ';');
}

int csv_read(struct page *page)
{
	struct grid *grid = arena_alloc(page->arena, sizeof(*grid));
	char delimiter = name_ends(page, ".tsv") ? '\t' : delimiter_find(page);
	uint32_t first = 1;
	int err;

	/* A spreadsheet's own first line. */
	if (!strncmp(page->text, "sep=", 4) && page->lines > 1) {
		delimiter = page->text[4] == '\n' ? delimiter : page->text[4];
		first = 2;
	}
	err = csv_rows_read(page, grid, page->text + page->start[first - 1], delimiter, first);
	if (err)
		return err;
	page_add_grid(page, first, grid);
	return 0;
}
