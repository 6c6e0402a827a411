// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the blocks of a page to the rows of a draft, in the order of the document, with the headings
 * that they stand under.
 */
#include <stdlib.h>

#include "sheet.h"

struct drafted_row *sheet_row(struct sheet *s, uint32_t line)
{
	struct drafted_row *row;

	s->rows = arena_grow(s->arena, s->rows, s->count, &s->capacity, sizeof(*s->rows));
	row = &s->rows[s->count++];
	*row = (struct drafted_row){.line = line, .last = line};
	return row;
}

void sheet_leave(struct sheet *s, uint32_t line, const char *why, const char *text)
{
	s->left = arena_grow(s->arena, s->left, s->left_count, &s->left_capacity, sizeof(*s->left));
	s->left[s->left_count++] =
		(struct left){.line = line, .why = why, .text = text_one_line(s->arena, text)};
}

void row_note(struct sheet *s, struct drafted_row *row, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	row->notes = arena_grow(s->arena, row->notes, row->note_count, &row->note_capacity,
				sizeof(*row->notes));
	row->notes[row->note_count++] = text_one_line(s->arena, text);
	free_ptr(&text);
}

void row_service(struct sheet *s, struct drafted_row *row, const char *service)
{
	for (size_t i = 0; i < row->service_count; i++)
		if (str_equal(row->services[i], service))
			return;
	if (!service)
		return;
	row->services = arena_grow(s->arena, row->services, row->service_count,
				   &row->service_capacity, sizeof(*row->services));
	row->services[row->service_count++] = service;
}

const char *sheet_section(const struct sheet *s)
{
	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0;)
		if (s->headings[i])
			return s->headings[i];
	return NULL;
}

/* ---------------------------------------------------------------- headings */

static bool is_one_bit(protocols p)
{
	return p && !(p & (p - 1));
}

/* "TCP ports of …" goes for the rows below it that say nothing of a transport. */
static void assumed_find(struct sheet *s)
{
	s->assumed = 0;
	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0 && !s->assumed;) {
		protocols named =
			s->headings[i] ? protocols_read(s->headings[i]) & PROTOCOLS_PORTS : 0;

		s->assumed = is_one_bit(named) ? named : 0;
	}
}

static void heading_take(struct sheet *s, unsigned level, const char *text)
{
	size_t at = level < ARRAY_SIZE(s->headings) ? level : ARRAY_SIZE(s->headings) - 1;

	for (size_t i = at; i < ARRAY_SIZE(s->headings); i++)
		s->headings[i] = NULL;
	s->headings[at] = text;
	s->title = s->title ?: text;
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

struct place {
	const struct block *block;
	size_t at;
};

static int place_compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

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

static void block_take(struct sheet *s, const struct block *block, const struct block *before,
		       bool headings)
{
	const char *above = before && before->kind == BLOCK_PROSE ? before->text : NULL;

	bool alone;

	switch (block->kind) {
	case BLOCK_HEADING:
		heading_take(s, block->level, block->text);
		prose_rows(s, block->line, block->text);
		break;
	case BLOCK_PROSE:
		alone = !headings && reads_as_heading(block->text);
		if (alone)
			heading_take(s, ARRAY_SIZE(s->headings) - 1, block->text);
		if (!prose_rows(s, block->line, without_bullet(block->text)) && !alone)
			prose_leave(s, block->line, without_bullet(block->text));
		break;
	case BLOCK_GRID:
		grid_rows(s, block->grid, above);
		break;
	}
}

void sheet_fill(struct sheet *s)
{
	struct page *page = s->page;
	struct place *places = arena_alloc(s->arena, (page->count + 1) * sizeof(*places));
	bool headings = has_headings(page);

	for (size_t i = 0; i < page->count; i++)
		places[i] = (struct place){&page->blocks[i], i};
	qsort(places, page->count, sizeof(*places), place_compare);
	for (size_t i = 0; i < page->count; i++)
		block_take(s, places[i].block, i ? places[i - 1].block : NULL, headings);
}
