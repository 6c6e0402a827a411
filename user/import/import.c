/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A document to a draft: the order of the readers, then the blocks of the page, in the order of
 * the document, to the rows of a sheet, with the headings above them.
 */
#include <errno.h>
#include <stdlib.h>

#include "ends.h"
#include "import.h"
#include "prose.h"
#include "rows.h"
#include "table_draft.h"
#include "words.h"

static void page_lines(struct page *page)
{
	size_t count = 1, at = 0;

	for (size_t i = 0; i < page->size; i++)
		count += page->text[i] == '\n';
	page->lines = (uint32_t)count;
	page->start = arena_alloc(page->arena, (count + 1) * sizeof(*page->start));
	for (size_t i = 0; i < page->size; i++)
		if (page->text[i] == '\n')
			page->start[++at] = i + 1;
	page->start[count] = page->size;
	page->conditions = arena_alloc(page->arena, (count + 2) * sizeof(*page->conditions));
	page->taken = arena_alloc(page->arena, count + 2);
	page->dropped = arena_alloc(page->arena, count + 2);
}

/* Each reader takes the lines that it understands; the last one takes the rest. */
static int page_read(struct page *page)
{
	bool html = html_is_whole(page), asciidoc = !html && asciidoc_is_whole(page);
	bool rst = !html && !asciidoc && rst_is_whole(page);
	int err;

	if (!html && csv_is_whole(page))
		return csv_read(page);
	html_hide(page);
	if (asciidoc)
		asciidoc_hide(page);
	if (rst)
		rst_hide(page);
	liquid_read(page);
	tabs_read(page);
	html_tables_read(page);
	if (html) {
		html_rest_read(page);
		return 0;
	}
	err = asciidoc_tables_read(page);
	if (!err)
		err = rst_tables_read(page);
	if (err)
		return err;
	if (asciidoc) {
		asciidoc_rest_read(page);
		return 0;
	}
	if (rst) {
		rst_rest_read(page);
		return 0;
	}
	markdown_read(page, true);
	columns_read(page);
	aligned_read(page);
	flattened_read(page);
	markdown_read(page, false);
	return 0;
}

/* ---------------------------------------------------------------- headings */

static bool is_one_bit(protocols p)
{
	return p && !(p & (p - 1));
}

/* "TCP ports of …" applies to the rows below it that name no transport. */
static void assumed_find(struct sheet *s)
{
	s->assumed = 0;
	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0 && !s->assumed;) {
		protocols named =
			s->headings[i] ? protocols_read(s->headings[i]) & PROTOCOLS_PORTS : 0;

		s->assumed = is_one_bit(named) ? named : 0;
	}
}

static void heading_enter(struct sheet *s, unsigned level, const char *text)
{
	size_t at = level < ARRAY_SIZE(s->headings) ? level : ARRAY_SIZE(s->headings) - 1;

	for (size_t i = at; i < ARRAY_SIZE(s->headings); i++)
		s->headings[i] = NULL;
	s->headings[at] = text;
	s->lead = NULL;
	s->first = s->first ?: text;
	assumed_find(s);
}

/* In a page without headings, a short line alone that is no sentence. */
static bool reads_as_heading(const char *text)
{
	size_t length = strlen(text);
	char last = length ? text[length - 1] : '.';

	return length > 3 && length < 120 && !strchr(text, '\n') &&
	       (text_is_word(last) || strchr(")?", last)) && text_is_word(text[0]) &&
	       (unsigned char)text[0] < 0x80 && !strstr(text, "{{");
}

static bool has_headings(const struct page *page)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->blocks[i].kind == BLOCK_HEADING)
			return true;
	return false;
}

/* ---------------------------------------------------------------- order */

struct block_order {
	const struct block *block;
	size_t at;
};

static int block_compare(const void *a, const void *b)
{
	const struct block_order *x = a, *y = b;

	if (x->block->line != y->block->line)
		return x->block->line < y->block->line ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static const char *without_bullet(const char *text)
{
	static const char *const bullets[] = {"\u2022", "\u00b7", "\u25cf", "\u25aa",
					      "\u25e6", "-",	  "*"};

	for (size_t i = 0; i < ARRAY_SIZE(bullets); i++)
		if (str_starts(text, bullets[i]))
			text += strlen(bullets[i]);
	return text + strspn(text, " ");
}

static void block_read(struct sheet *s, const struct block *block, const struct block *before,
		       bool headings)
{
	const char *above = before && before->kind == BLOCK_PROSE ? before->text : NULL;
	bool alone;

	switch (block->kind) {
	case BLOCK_HEADING:
		heading_enter(s, block->level, block->text);
		prose_rows(s, block->line, block->text);
		break;
	case BLOCK_PROSE:
		s->lead = block->text;
		alone = !headings && reads_as_heading(block->text);
		if (alone)
			heading_enter(s, ARRAY_SIZE(s->headings) - 1, block->text);
		if (!prose_rows(s, block->line, without_bullet(block->text)) && !alone &&
		    !heading_is_direction(block->text))
			prose_add_unparsed(s, block->line, without_bullet(block->text));
		break;
	case BLOCK_ITEM:
		/* "- Inbound:" above items of its own. */
		if (!strpbrk(block->text, "0123456789") &&
		    (direction_of(block->text) || paragraph_refuses(block->text)))
			s->lead = block->text;
		if (!prose_item(s, block->line, block->text, s->lead))
			prose_add_unparsed(s, block->line, block->text);
		break;
	case BLOCK_UNRESOLVED:
		sheet_add_unparsed(s, block->line, block->why, block->text);
		break;
	case BLOCK_GRID:
		grid_rows(s, block->grid, above);
		break;
	}
}

/* An item that names ports says what the numbers of the others are. */
static bool list_names_ports(struct sheet *s, const struct block_order *places, size_t count)
{
	for (size_t i = 0; i < count && places[i].block->kind == BLOCK_ITEM; i++)
		if (prose_names_ports(s, places[i].block->text))
			return true;
	return false;
}

/* Levels at which more than one heading names a host: each is what its section is about. */
static void subjects_find(struct sheet *s)
{
	const char *first[ARRAY_SIZE(s->subjects)] = {0};

	for (size_t i = 0; i < s->page->count; i++) {
		const struct block *block = &s->page->blocks[i];
		size_t level = block->level < ARRAY_SIZE(first) ? block->level : 0;

		if (block->kind != BLOCK_HEADING || !level ||
		    !subject_of_heading(s->arena, block->text, true))
			continue;
		s->subjects[level] |= first[level] && !str_equal(first[level], block->text);
		first[level] = block->text;
	}
}

static void sheet_fill(struct sheet *s)
{
	struct page *page = s->page;
	struct block_order *places = arena_alloc(s->arena, (page->count + 1) * sizeof(*places));
	bool headings = has_headings(page);

	for (size_t i = 0; i < page->count; i++)
		places[i] = (struct block_order){&page->blocks[i], i};
	subjects_find(s);
	qsort(places, page->count, sizeof(*places), block_compare);
	for (size_t i = 0; i < page->count; i++) {
		if (places[i].block->kind == BLOCK_ITEM &&
		    (!i || places[i - 1].block->kind != BLOCK_ITEM))
			s->listed = list_names_ports(s, &places[i], page->count - i);
		block_read(s, places[i].block, i ? places[i - 1].block : NULL, headings);
	}
}

/* ---------------------------------------------------------------- the whole */

static int sheet_read(const struct source *source, struct page *page, struct sheet *sheet)
{
	struct diags *d = page->d;
	struct buffer text = {.arena = d->arena};
	int err;

	if (source->size > IMPORT_SIZE_MAX)
		return diag_error(d, (struct loc){.source = source}, -EFBIG, "file-too-big", NULL,
				  "over %d bytes: no table of ports is that long", IMPORT_SIZE_MAX);
	err = text_decode(source, d, &text);
	if (err)
		return err;
	page->text = text.text;
	page->size = text.size;
	page_lines(page);
	err = page_read(page);
	if (err)
		return err;
	if (page->over)
		return diag_error(d,
				  (struct loc){.source = source, .line = page->over, .column = 1},
				  -EFBIG, "too-many-cells", "cut out the part with the ports",
				  "more than %d cells in tables, from here on", PAGE_CELLS_MAX);
	sheet_fill(sheet);
	if (page->wide) {
		diag_warning(d, (struct loc){.source = source, .line = page->wide, .column = 1},
			     "too-many-cells", "part the table into narrower ones",
			     "a row of more than %d cells: those beyond are not read",
			     PAGE_COLUMNS_MAX);
		sheet_add_unparsed(sheet, page->wide, "cells beyond those that are read",
				   page_line(page, page->wide));
	}
	return 0;
}

int import_draft(const struct source *source, const struct import_options *options, struct diags *d,
		 struct table_draft *out)
{
	struct page page = {.arena = d->arena, .d = d, .source = source};
	struct sheet sheet = {.page = &page, .arena = d->arena};
	int err = sheet_read(source, &page, &sheet);

	if (!err)
		table_draft_write(&sheet, options, out);
	return err;
}

/* An end that the page does not name has a placeholder's name in the draft. */
static const char *named_end(const char *role)
{
	return role_is_placeholder(role) ? NULL : role;
}

static struct page_row page_row_of(const struct drafted_row *row)
{
	return (struct page_row){
		.line = row->line,
		.from = named_end(row->from),
		.to = named_end(row->to),
		.from_here = row->from == role_this_host,
		.to_here = row->to == role_this_host,
		.undirected = row->undirected,
		.in_text = !row->of,
		.ports = {.list = row->services, .count = row->service_count},
		.purpose = row->purpose,
		.see = row->see,
		.text = row->text,
	};
}

int import_page(const struct source *source, struct diags *d, struct page_view *out)
{
	struct page page = {.arena = d->arena, .d = d, .source = source};
	struct sheet sheet = {.page = &page, .arena = d->arena};
	struct page_row *rows;
	struct page_text *texts;
	int err = sheet_read(source, &page, &sheet);

	if (err)
		return err;
	rows = arena_alloc(d->arena, (sheet.count + 1) * sizeof(*rows));
	texts = arena_alloc(d->arena, (sheet.unparsed_count + 1) * sizeof(*texts));
	for (size_t i = 0; i < sheet.count; i++) {
		const void *of = sheet.rows[i].of;
		bool again = i && of && of == sheet.rows[i - 1].of;

		rows[i] = page_row_of(&sheet.rows[i]);
		rows[i].group = again ? rows[i - 1].group : i;
	}
	for (size_t i = 0; i < sheet.unparsed_count; i++)
		texts[i] = (struct page_text){sheet.unparsed[i].line, sheet.unparsed[i].text};
	*out = (struct page_view){.name = source->name,
				  .source = source,
				  .rows = rows,
				  .texts = texts,
				  .row_count = sheet.count,
				  .text_count = sheet.unparsed_count};
	return 0;
}
