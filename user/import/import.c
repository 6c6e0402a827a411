// SPDX-License-Identifier: GPL-2.0-only
/*
 * The door: a document to a draft. Which reader sees what, and in which order.
 */
#include <errno.h>

#include "sheet.h"

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

static void page_read(struct page *page)
{
	bool whole = html_is_whole(page);

	liquid_read(page);
	html_tables_read(page);
	if (whole) {
		html_rest_read(page);
		return;
	}
	markdown_read(page, true);
	columns_read(page);
	flattened_read(page);
	markdown_read(page, false);
}

int import_draft(const struct source *source, const struct import_options *options, struct diags *d,
		 struct draft *out)
{
	struct page page = {.arena = d->arena, .d = d, .source = source};
	struct sheet sheet = {.page = &page, .arena = d->arena};
	struct buffer text = {.arena = d->arena};
	int err;

	if (source->size > IMPORT_SIZE_MAX)
		return diag_error(d, (struct loc){.source = source}, -EFBIG, "file-too-big", NULL,
				  "over %d bytes: no table of ports is that long", IMPORT_SIZE_MAX);
	err = text_decode(source, d, &text);
	if (err)
		return err;
	page.text = text.text;
	page.size = text.size;
	page_lines(&page);
	page_read(&page);
	if (page.rooms >= PAGE_CELLS_MAX)
		diag_warning(d, (struct loc){.source = source}, "too-many-cells", NULL,
			     "more than %d cells: what comes after is left out", PAGE_CELLS_MAX);
	sheet_fill(&sheet);
	draft_write(&sheet, options, out);
	return 0;
}
