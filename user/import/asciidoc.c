/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AsciiDoc: tables with cells on a line or one a line, their columns, spans and headings; titles,
 * lists and paragraphs. Includes, attributes and conditionals are not resolved: each is reported.
 */
#include <stdlib.h>

#include "page.h"
#include "words.h"

struct table_options {
	size_t columns; /* 0: not given */
	bool header, no_header, footer;
	char separator, format; /* format: 'p' for cells behind bars, 'c', 't', 'd' */
	const char *title;
};

struct cell_spec {
	unsigned columns, rows, copies;
	char style; /* 'h': a heading, 'a': blocks of its own */
};

struct reader {
	struct page *page;
	struct table_options options;
	struct grid *grid;
	struct grid_row *row;
	struct spans spans;
	uint32_t first, last; /* lines of the content */
	bool heads;	      /* every cell of the row is a heading */
};

static const char *line_at(const struct page *page, uint32_t line)
{
	return page->text + page->start[line - 1];
}

/* ---------------------------------------------------------------- inline markup */

static size_t macro_length(const char *text)
{
	static const char *const macros[] = {"link:",	"xref:", "footnote:", "pass:", "image:",
					     "anchor:", "kbd:",	 "menu:",     "btn:",  "icon:"};

	for (size_t i = 0; i < ARRAY_SIZE(macros); i++)
		if (str_starts(text, macros[i])) {
			size_t length = strcspn(text, "[ \n");

			return text[length] == '[' ? length : 0;
		}
	if (str_starts(text, "http://") || str_starts(text, "https://")) {
		size_t length = strcspn(text, "[ \n");

		return text[length] == '[' ? length : 0;
	}
	return 0;
}

/* "<<anchor,text>>": its text. */
static size_t reference_append(struct buffer *out, const char *text)
{
	const char *end = strstr(text, ">>"), *comma = strchr(text, ',');

	if (!str_starts(text, "<<") || !end)
		return 0;
	if (comma && comma < end)
		buffer_add(out, comma + 1, (size_t)(end - comma - 1));
	else
		buffer_add(out, text + 2, (size_t)(end - text - 2));
	return (size_t)(end - text) + 2;
}

static size_t entity_append(struct buffer *out, const char *text)
{
	static const struct {
		const char *name, *text;
	} entities[] = {{"{nbsp}", " "},   {"{empty}", ""},	{"{sp}", " "},	  {"{plus}", "+"},
			{"{vbar}", "|"},   {"{asterisk}", "*"}, {"&nbsp;", " "},  {"&#8209;", "-"},
			{"&#160;", " "},   {"&ndash;", "-"},	{"&mdash;", "-"}, {"&rarr;", "->"},
			{"&larr;", "<-"},  {"&harr;", "<->"},	{"&amp;", "&"},	  {"&gt;", ">"},
			{"&lt;", "<"},	   {"{startsb}", "["},	{"{endsb}", "]"}, {"{zwsp}", ""},
			{"&#8211;", "-"},  {"&#8212;", "-"},	{"&#8203;", ""},  {"&#45;", "-"},
			{"&#x2013;", "-"}, {"&#44;", ","},	{"&#43;", "+"},	  {"&#124;", "|"}};

	for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
		if (str_starts(text, entities[i].name)) {
			buffer_puts(out, entities[i].text);
			return strlen(entities[i].name);
		}
	return 0;
}

/* "+449/tcp+": a pair that stands around a text. */
static bool is_passed(const char *start, const char *at)
{
	const char *line = at, *other;
	bool opens = (at == start || !text_is_word(at[-1])) && at[1] && !strchr(" \n", at[1]);

	if (opens) {
		other = strpbrk(at + 1, "+\n");
		return other && *other == '+' && other[-1] != ' ' && !text_is_word(other[1]);
	}
	if (at == start || at[-1] == ' ' || text_is_word(at[1]))
		return false;
	while (line > start && line[-1] != '\n' && line[-1] != '+')
		line--;
	return line > start && line[-1] == '+' && !strchr(" \n", *line) &&
	       (line - 1 == start || !text_is_word(line[-2]));
}

/* "444^1^", "443 <1>": a note's number, no part of the text; its length. */
static size_t note_mark_length(const char *text)
{
	char sign = *text == '^' ? '^' : '>';
	size_t length;

	if (*text != '^' && *text != '<')
		return 0;
	length = 1 + strspn(text + 1, "0123456789.*,abc");
	return length > 1 && length <= 5 && text[length] == sign ? length + 1 : 0;
}

/* A mark of bold, italics, code or a superscript that is no part of a word or a number. */
static bool is_mark(const char *start, const char *at)
{
	if (*at == '`')
		return true;
	if (*at == '+')
		return is_passed(start, at);
	if (*at != '*' && *at != '_' && *at != '#')
		return false;
	if (*at == '*' && (at == start || strchr(" \n", at[-1])) && strchr(" \n", at[1]))
		return false; /* "any": a star alone */
	return at == start || !text_is_word(at[-1]) || !text_is_word(at[1]);
}

static char *inline_plain(struct arena *arena, const char *text)
{
	struct buffer out = {.arena = arena};
	const char *start = text;
	unsigned depth = 0;
	bool struck = false;

	while (*text) {
		size_t macro = macro_length(text), length = 0;

		if (macro) {
			bool note = str_starts(text, "footnote:");

			text += macro + 1;
			if (note)
				text += strcspn(text, "]") + (strchr(text, ']') != NULL);
			else
				depth++;
			continue;
		}
		length = entity_append(&out, text);
		length = length ?: reference_append(&out, text);
		length = length ?: note_mark_length(text);
		if (length) {
			text += length;
			continue;
		}
		if (str_starts(text, "[.line-through]#") || (*text == '#' && struck)) {
			buffer_puts(&out, "~~");
			text += *text == '[' ? strlen("[.line-through]#") : 1;
			struck = !struck;
			continue;
		}
		if (*text == ']' && depth)
			depth--;
		else if (!is_mark(start, text))
			buffer_add(&out, text, 1);
		text++;
	}
	return out.text ?: arena_strdup(arena, "");
}

/* The lines of a cell: joined within a paragraph, kept where it breaks them. */
static char *cell_plain(struct arena *arena, const char *text)
{
	struct buffer out = {.arena = arena};

	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), size = length;
		const char *next = line + length + (line[length] == '\n');
		size_t mark = strspn(line, " ");
		bool item = strspn(line + mark, "*-.") &&
			    line[mark + strspn(line + mark, "*-.")] == ' ';
		bool hard = length > 1 && line[length - 1] == '+' && line[length - 2] == ' ';

		if (strspn(line, " \t") >= length || item)
			buffer_puts(&out, "\n");
		if (item)
			line += mark + strspn(line + mark, "*-.");
		size = (size_t)(next - line) - (next > line && next[-1] == '\n') - hard;
		buffer_add(&out, line, size);
		buffer_puts(&out, hard || length == 1 ? "\n" : " ");
		line = next;
	}
	return text_tidy(arena, inline_plain(arena, out.text ?: ""), false);
}

/* ---------------------------------------------------------------- attributes of a table */

/* cols="1,2a,3*": their number. */
static size_t columns_count(const char *text, size_t length)
{
	size_t count = 0;
	const char *end = text + length;

	while (text < end) {
		size_t copies = 1, digits;

		text += strspn(text, " ");
		digits = strspn(text, "0123456789");
		if (digits && digits < 4 && text[digits] == '*')
			copies = (size_t)atoi(text);
		count += copies;
		text += strcspn(text, ",;\"");
		text += text < end;
	}
	return count;
}

static const char *attribute_value(const char *line, const char *name, size_t *length)
{
	const char *at = strstr(line, name);

	if (!at)
		return NULL;
	at += strlen(name);
	at += strspn(at, " ");
	if (*at++ != '=')
		return NULL;
	at += strspn(at, " ");
	if (*at == '"' || *at == '\'') {
		*length = strcspn(at + 1, *at == '"' ? "\"" : "'");
		return at + 1;
	}
	*length = strcspn(at, ",]");
	return at;
}

static void attributes_read(struct table_options *out, const char *line)
{
	size_t length = 0;
	const char *value = attribute_value(line, "cols", &length);

	if (value)
		out->columns = columns_count(value, length);
	else if (line[1] >= '1' && line[1] <= '9')
		out->columns = columns_count(line + 1, strcspn(line + 1, "]"));
	out->footer |= strstr(line, "footer") != NULL;
	out->no_header |= strstr(line, "noheader") != NULL;
	out->header |= !out->no_header && strstr(line, "header") != NULL;
	value = attribute_value(line, "separator", &length);
	if (value && length == 1)
		out->separator = *value;
	value = attribute_value(line, "format", &length);
	if (value && length)
		out->format = *value;
}

/* ---------------------------------------------------------------- cells */

static unsigned factor_read(const char **at, const char *end)
{
	unsigned value = 0;

	while (*at < end && **at >= '0' && **at <= '9' && value < 1000)
		value = value * 10 + (unsigned)(*(*at)++ - '0');
	return value < 1000 ? value : 1000;
}

/* "2+", ".3+", "3*", "^.>s", "a", "h": all of [at, end) or it is text. */
static bool spec_read(const char *at, const char *end, struct cell_spec *out)
{
	unsigned columns, rows = 0;

	*out = (struct cell_spec){1, 1, 1, 0};
	columns = factor_read(&at, end);
	if (at < end && *at == '.' && at[1] >= '0' && at[1] <= '9') {
		at++;
		rows = factor_read(&at, end);
	}
	if (at < end && *at == '*' && columns) {
		out->copies = columns;
		at++;
	} else if (at < end && *at == '+' && (columns || rows)) {
		out->columns = columns ?: 1;
		out->rows = rows ?: 1;
		at++;
	} else if (columns || rows) {
		return false;
	}
	while (at < end && strchr("<^>.", *at))
		at++;
	if (at < end && strchr("adehlmsv", *at))
		out->style = *at++;
	return at == end;
}

/* Where the specification before the separator at `at` begins; `at` when there is none. */
static const char *spec_begin(const char *from, const char *at, struct cell_spec *out)
{
	const char *begin = at;

	while (begin > from && !strchr(" \t\n", begin[-1]) && at - begin < 12)
		begin--;
	if (begin < at && spec_read(begin, at, out))
		return begin;
	*out = (struct cell_spec){1, 1, 1, 0};
	return at;
}

static void cell_append(struct reader *r, const char *text, const struct cell_spec *spec,
			uint32_t line)
{
	struct cell cell = {.text = cell_plain(r->page->arena, text)};

	for (unsigned copy = 0; copy < spec->copies && copy < PAGE_COLUMNS_MAX; copy++) {
		if (!r->row) {
			r->row = grid_add_row(r->page, r->grid, line);
			r->heads = true;
		}
		r->heads &= spec->style == 'h';
		r->row->last = line;
		row_add_spanned(r->page, &r->spans, r->row, &cell,
				(struct extent){spec->columns, spec->rows});
		row_add_held(r->page, &r->spans, r->row);
		if (r->row->written < r->options.columns && r->row->count < PAGE_COLUMNS_MAX)
			continue;
		r->row->heading = r->heads;
		r->row = NULL;
	}
}

static const char *separator_next(const char *at, const char *end, char separator)
{
	for (; at < end; at++)
		if (*at == separator && (at[-1] != '\\'))
			return at;
	return NULL;
}

static void cells_read(struct reader *r, const char *from, const char *end)
{
	const char *at = separator_next(from, end, r->options.separator), *next;
	struct cell_spec spec, after;

	if (at)
		spec_begin(from, at, &spec);
	for (; at; at = next, spec = after) {
		const char *stop = end;

		next = separator_next(at + 1, end, r->options.separator);
		if (next)
			stop = spec_begin(at + 1, next, &after);
		cell_append(r, arena_strndup(r->page->arena, at + 1, (size_t)(stop - at - 1)),
			    &spec, page_line_at(r->page, (size_t)(at - r->page->text)));
	}
	if (r->row)
		r->row->heading = r->heads;
}

static size_t separators_until(const char *from, const char *end, char separator, bool blank)
{
	size_t count = 0;
	struct cell_spec spec;

	for (const char *at = from; at < end; at++) {
		bool stops = *at == '\n' && (!blank || at + 1 >= end || at[1] == '\n');

		if (*at == separator && at[-1] != '\\') {
			spec_begin(from, at, &spec);
			count += (size_t)spec.columns * spec.copies;
		}
		if (stops && count)
			break;
	}
	return count;
}

/* Without cols, those of the first line; where it has one, those before the first blank line. */
static size_t columns_guess(const struct reader *r, const char *from, const char *end)
{
	size_t count = separators_until(from, end, r->options.separator, false);

	if (count < 2)
		count = separators_until(from, end, r->options.separator, true);
	return count < 2 ? 2 : count;
}

/* The first row is headings where a blank line follows it at once, and none comes before it. */
static bool header_implied(const struct reader *r)
{
	const struct page *page = r->page;

	return r->first < r->last && *page_line(page, r->first) &&
	       !*page_line(page, r->first + 1) && !r->options.no_header;
}

static int content_read(struct reader *r)
{
	struct page *page = r->page;
	const char *from = line_at(page, r->first),
		   *end = line_at(page, r->last) + strlen(page_raw_line(page, r->last));

	if (r->options.format != 'p')
		return csv_rows_read(page, r->grid,
				     arena_strndup(page->arena, from, (size_t)(end - from)),
				     r->options.separator, r->first);
	if (!r->options.columns || r->options.columns > PAGE_COLUMNS_MAX)
		r->options.columns = columns_guess(r, from, end);
	cells_read(r, from, end);
	return 0;
}

/* ---------------------------------------------------------------- tables */

/* The sign of a line that begins and ends a table, or 0. */
static char table_fence(const struct page *page, uint32_t line)
{
	const char *text = line_at(page, line);
	size_t length = 1 + strspn(text + 1, "=");

	if (!*text || !strchr("|,:!", *text) || length < 4 || !strchr(" \t\n", text[length]))
		return 0;
	return text_is(page_raw_line(page, line) + 1, "===|====|=====|======") ? *text : 0;
}

static uint32_t fence_close(const struct page *page, uint32_t open, char fence)
{
	for (uint32_t line = open + 1; line <= page->lines; line++)
		if (table_fence(page, line) == fence)
			return line;
	return page->lines + 1;
}

/* The attributes and the title above a table. */
static void options_read(struct reader *r, uint32_t open, char fence)
{
	struct page *page = r->page;

	r->options.format = 'p';
	for (uint32_t line = open; line-- > 1 && open - line < 6;) {
		const char *text = page_raw_line(page, line);
		bool title = text[0] == '.' && text[1] && !strchr(". ", text[1]);

		if (text[0] != '[' && !title)
			break;
		if (title)
			r->options.title = cell_plain(page->arena, text + 1);
		else
			attributes_read(&r->options, text);
		page->taken[line] = true;
	}
	if (fence == ',' || r->options.format == 'c')
		r->options.format = 'c';
	else if (fence == ':' || r->options.format == 'd')
		r->options.format = 'd';
	else if (r->options.format == 't')
		r->options.separator = r->options.separator ?: '\t';
	else
		r->options.format = 'p';
	if (!r->options.separator && r->options.format == 'c')
		r->options.separator = ',';
	if (!r->options.separator)
		r->options.separator = r->options.format == 'd' ? ':' : fence;
}

static void unresolved_find(struct page *page, uint32_t line);

static int table_read(struct page *page, uint32_t open, uint32_t close, char fence);

/* Tables within the cells of a table, behind "!===": read as tables of their own. */
static int nested_read(struct page *page, uint32_t open, uint32_t close)
{
	for (uint32_t line = open + 1; line < close; line++) {
		uint32_t end, first = line;
		int err;

		if (table_fence(page, line) != '!')
			continue;
		end = fence_close(page, line, '!');
		end = end < close ? end : close - 1;
		err = table_read(page, line, end, '!');
		if (err)
			return err;
		if (first > open + 1 && page_raw_line(page, first - 1)[0] == '[')
			first--;
		for (char *at = page->text + page->start[first - 1];
		     at < page->text + page->start[end]; at++)
			*at = *at == '\n' ? '\n' : ' ';
		line = end;
	}
	return 0;
}

static int table_read(struct page *page, uint32_t open, uint32_t close, char fence)
{
	struct reader *r = arena_alloc(page->arena, sizeof(*r));
	int err = fence == '!' ? 0 : nested_read(page, open, close);

	if (err)
		return err;

	*r = (struct reader){.page = page, .first = open + 1, .last = close - 1};
	r->grid = arena_alloc(page->arena, sizeof(*r->grid));
	options_read(r, open, fence);
	r->grid->caption = r->options.title;
	r->grid->footer = r->options.footer;
	for (uint32_t line = open; line <= close && line <= page->lines; line++) {
		unresolved_find(page, line);
		page->taken[line] = true;
	}
	if (r->first > r->last)
		return 0;
	err = content_read(r);
	if (err)
		return err;
	if (r->grid->count && (r->options.header || header_implied(r)))
		r->grid->rows[0].heading = true;
	page_add_grid(page, open, r->grid);
	return 0;
}

int asciidoc_tables_read(struct page *page)
{
	for (uint32_t line = 1; line <= page->lines; line++) {
		char fence = page->taken[line] ? 0 : table_fence(page, line);
		uint32_t close = fence ? fence_close(page, line, fence) : 0;
		int err;

		if (!fence)
			continue;
		if (close > page->lines)
			diag_warning(
				page->d,
				(struct loc){.source = page->source, .line = line, .column = 1},
				"bad-asciidoc", NULL, "a table that never ends");
		err = table_read(page, line, close, fence);
		if (err)
			return err;
		line = close;
	}
	return 0;
}

/* ---------------------------------------------------------------- the rest */

/* "{name}" of an attribute that a document may set. */
static bool has_attribute(const char *text)
{
	for (; (text = strchr(text, '{')); text++) {
		size_t length =
			strspn(text + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789_-");

		if (length && text[length + 1] == '}' && strncmp(text, "{nbsp}", 6) &&
		    strncmp(text, "{empty}", 7) && strncmp(text, "{plus}", 6))
			return true;
	}
	return false;
}

static void unresolved_find(struct page *page, uint32_t line)
{
	const char *text = page_raw_line(page, line);

	if (str_starts(text, "include::"))
		page_unresolved(page, line, "an include, which is not resolved");
	else if (str_starts(text, "ifdef::") || str_starts(text, "ifndef::") ||
		 str_starts(text, "ifeval::") || str_starts(text, "endif::"))
		page_unresolved(page, line, "a condition, which is not resolved");
	else if (has_attribute(text))
		page_unresolved(page, line, "an attribute, which is not resolved");
}

static unsigned title_level(const char *text)
{
	size_t level = strspn(text, "=");

	return level && level < 7 && text[level] == ' ' ? (unsigned)level : 0;
}

/* Lines that are no text: attributes, comments, block marks. */
static bool is_markup(const char *text)
{
	size_t length = strlen(text);

	if (text[0] == ':' && strchr(text + 1, ':') && text[1] != ':')
		return true;
	if (str_starts(text, "//") || (text[0] == '[' && length && text[length - 1] == ']'))
		return true;
	return (length > 3 && strspn(text, "-=*_.+/") == length) || str_equal(text, "--") ||
	       str_equal(text, "+") || str_equal(text, "'''");
}

/* A line that is no part of a paragraph; true when it is read. */
static bool rest_line_read(struct page *page, uint32_t line)
{
	const char *text = page_raw_line(page, line);
	unsigned level = title_level(text);

	if (level) {
		page_heading(page, line, level, cell_plain(page->arena, text + level + 1));
		return true;
	}
	if (str_starts(text, "include::") || str_starts(text, "ifdef::") ||
	    str_starts(text, "ifndef::") || str_starts(text, "ifeval::") ||
	    str_starts(text, "endif::")) {
		unresolved_find(page, line);
		return true;
	}
	if (is_markup(text))
		return true;
	unresolved_find(page, line);
	return false;
}

/* The last line of the comment that begins at a line; 0: none does. */
static uint32_t comment_end(const struct page *page, uint32_t line)
{
	const char *text = page_raw_line(page, line);
	uint32_t last = line;
	bool block = str_equal(text, "////");

	if (!block && str_starts(text, "//") && text[2] != '/')
		return line;
	if (!block && !str_starts(text, "[comment"))
		return 0;
	if (!block && line < page->lines && str_equal(page_raw_line(page, line + 1), "--"))
		last++, block = true;
	text = page_raw_line(page, last);
	while (++last < page->lines &&
	       !(block ? str_equal(page_raw_line(page, last), text) : !*page_raw_line(page, last)))
		continue;
	return last < page->lines ? last : page->lines;
}

void asciidoc_hide(struct page *page)
{
	for (uint32_t line = 1; line <= page->lines; line++) {
		uint32_t last = comment_end(page, line);

		if (!last)
			continue;
		page_hide_lines(page, line, last);
		line = last;
	}
}

void asciidoc_rest_read(struct page *page)
{
	for (uint32_t line = 1; line <= page->lines; line++)
		if (!page->taken[line])
			page->taken[line] = rest_line_read(page, line);
	paragraphs_read(page);
}

static bool name_is_asciidoc(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && text_is(dot, ".adoc|.asciidoc|.asc|.ad");
}

bool asciidoc_is_whole(const struct page *page)
{
	unsigned titles = 0;

	if (name_is_asciidoc(page->source->name))
		return true;
	for (uint32_t line = 1; line <= page->lines; line++) {
		if (table_fence(page, line) == '|')
			return true;
		titles += title_level(page_raw_line(page, line)) > 0;
	}
	return titles > 1 && title_level(page->text + strspn(page->text, "\n"));
}
