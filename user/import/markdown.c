/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Markdown by cmark-gfm: pipe tables, headings, paragraphs. Lines that hold nothing but template
 * tags are left out before it reads, so that a condition between two rows does not part a table; a
 * map gives the line of the document back.
 */
#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>
#include <strings.h>

#include "page.h"

/* More cells than a row of any table of ports has. */
enum { ROW_BARS_MAX = 4096 };

struct markdown {
	struct page *page;
	struct buffer text;
	uint32_t *lines; /* of the document, by line of the text from 1 */
	uint32_t count;
	uint32_t too_wide; /* a line of a table, and no table is read; or 0 */
	bool tables;	   /* only these, or only the rest */
};

static void extensions_register(void)
{
	static bool done;

	if (!done)
		cmark_gfm_core_extensions_ensure_registered();
	done = true;
}

/* "---", keys, "---" at the very beginning is metadata of the page. */
static uint32_t front_matter(const struct page *page)
{
	bool toml = str_equal(page_line(page, 1), "+++");

	if (!toml && !str_equal(page_line(page, 1), "---"))
		return 0;
	for (uint32_t line = 2; line <= page->lines && line < 200; line++)
		if (text_is(page_line(page, line), toml ? "+++" : "---|..."))
			return line;
	return 0;
}

/* "title: Ports", "title = 'Ports'". */
static void title_read(struct page *page)
{
	uint32_t last = front_matter(page);

	for (uint32_t line = 2; line < last && !page->title; line++) {
		const char *text = page_line(page, line);
		size_t length = 5 + strspn(text + (str_starts(text, "title") ? 5 : 0), " ");

		if (!str_starts(text, "title") || !strchr(":=", text[length]))
			continue;
		text += length + 1 + strspn(text + length + 1, " ");
		length = strlen(text);
		if (length > 1 && strchr("\"'", *text) && text[length - 1] == *text)
			text = arena_strndup(page->arena, text + 1, length - 2);
		page->title = *text ? text : NULL;
	}
}

/* Columns of a line of dashes below headings; 0 when it is none. */
static size_t rule_columns(const struct page *page, uint32_t line)
{
	const char *text = page->text + page->start[line - 1],
		   *end = page->text + page->start[line];
	size_t bars = 0;

	for (; text < end; text++) {
		if (!strchr("|-: \t>\n", *text))
			return 0;
		bars += *text == '|';
	}
	return bars;
}

static size_t bars_of(const struct page *page, uint32_t line)
{
	size_t bars = 0;

	for (size_t at = page->start[line - 1]; at < page->start[line]; at++)
		bars += page->text[at] == '|';
	return bars;
}

/* Every row gets as many cells as the headings have, written or not: that must not be too many. The
 * cells of one row cost the parser their square. */
static uint32_t tables_too_wide(const struct page *page)
{
	for (uint32_t line = 1; line <= page->lines; line++)
		if (rule_columns(page, line) * page->lines > 4 * PAGE_CELLS_MAX ||
		    bars_of(page, line) > ROW_BARS_MAX)
			return line;
	return 0;
}

/* Headings with a line of dashes below them: a table of its own, whatever is above it. */
static bool table_begins(const struct page *page, uint32_t line)
{
	while (line < page->lines && page->dropped[line])
		line++;
	return line < page->lines && rule_columns(page, line + 1) && !rule_columns(page, line);
}

/* A line of "~" as long as the line above it is no fence, but underlines a title as other markup
 * has it. */
static bool underlines_title(const struct page *page, uint32_t line)
{
	const char *text = page_line(page, line), *above;
	size_t length = strlen(text), title;

	if (length < 4 || strspn(text, "~") != length || line < 2)
		return false;
	above = page_line(page, line - 1);
	title = strlen(above);
	return title && title <= length + 2 && length <= title + 2 && text_is_word(*above) &&
	       (line == 2 || !*page_line(page, line - 2));
}

static void lines_collect(struct markdown *m)
{
	struct page *page = m->page;

	m->text.arena = page->arena;
	m->lines = arena_alloc(page->arena, (page->lines + 2) * sizeof(*m->lines));
	for (uint32_t line = front_matter(page) + 1; line <= page->lines; line++) {
		if (page->dropped[line] && m->tables && !table_begins(page, line + 1))
			continue;
		if (underlines_title(page, line)) {
			buffer_puts(&m->text, "---\n");
			m->lines[++m->count] = line;
			continue;
		}
		/* Lines of another reader only separate paragraphs. */
		if (page->taken[line] || (m->too_wide && rule_columns(page, line)))
			buffer_puts(&m->text, "\n");
		else
			buffer_add(&m->text, page->text + page->start[line - 1],
				   page->start[line] - page->start[line - 1]);
		m->lines[++m->count] = line;
	}
}

static uint32_t line_of(const struct markdown *m, cmark_node *node)
{
	int line = cmark_node_get_start_line(node);

	if (line < 1)
		return 1;
	return (uint32_t)line > m->count ? m->page->lines : m->lines[line];
}

/* ---------------------------------------------------------------- text of a node */

static bool tag_is(const char *text, const char *tag)
{
	size_t length = strlen(tag);

	text += text[0] == '<';
	text += text[0] == '/';
	return !strncasecmp(text, tag, length) && !text_is_word(text[length]);
}

static bool tag_is_known(const char *tag)
{
	static const char *const known[] = {
		"a",	"b",	 "i",	   "u",	      "em",	    "strong",  "code",
		"span", "ul",	 "ol",	   "sub",     "kbd",	    "small",   "font",
		"img",	"table", "tr",	   "td",      "th",	    "thead",   "tbody",
		"pre",	"h1",	 "h2",	   "h3",      "h4",	    "h5",      "h6",
		"dl",	"dt",	 "dd",	   "details", "summary",    "hr",      "center",
		"ins",	"mark",	 "abbr",   "samp",    "var",	    "section", "article",
		"body", "html",	 "head",   "figure",  "blockquote", "input",   "label",
		"nav",	"main",	 "script", "style"};

	if (tag[1] == '!' || tag[1] == '?')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (tag_is(tag, known[i]))
			return true;
	return false;
}

static void tag_text(struct buffer *out, const char *tag)
{
	if (tag_is(tag, "br") || tag_is(tag, "p") || tag_is(tag, "li") || tag_is(tag, "div"))
		buffer_puts(out, "\n");
	else if (tag_is(tag, "sup"))
		buffer_puts(out, tag[1] == '/' ? "]" : " [^");
	else if (tag_is(tag, "s") || tag_is(tag, "del") || tag_is(tag, "strike"))
		buffer_puts(out, "~~");
	else if (!tag_is_known(tag))
		buffer_puts(out, tag); /* <region>: a placeholder */
}

/* `prose` keeps the document's lines, a cell has only the breaks that it asks for. */
static void leaf_text(struct buffer *out, cmark_node *node, bool prose)
{
	const char *literal = cmark_node_get_literal(node);

	switch (cmark_node_get_type(node)) {
	case CMARK_NODE_TEXT:
	case CMARK_NODE_CODE:
	case CMARK_NODE_CODE_BLOCK:
		buffer_puts(out, literal ?: "");
		break;
	case CMARK_NODE_SOFTBREAK:
		buffer_puts(out, prose ? "\n" : " ");
		break;
	case CMARK_NODE_LINEBREAK:
		buffer_puts(out, "\n");
		break;
	case CMARK_NODE_HTML_INLINE:
		tag_text(out, literal ?: "");
		break;
	default:
		break;
	}
}

static bool skipped(cmark_node *node)
{
	cmark_node_type type = cmark_node_get_type(node);

	return type == CMARK_NODE_IMAGE || type == CMARK_NODE_FOOTNOTE_REFERENCE;
}

static char *node_text(const struct markdown *m, cmark_node *top, bool prose, const char **link)
{
	cmark_iter *iter = cmark_iter_new(top);
	struct buffer out = {.arena = m->page->arena};
	cmark_event_type event;
	unsigned silent = 0;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);

		if (skipped(node) && cmark_node_first_child(node))
			silent += event == CMARK_EVENT_ENTER ? 1 : -1u;
		if (cmark_node_get_type(node) == CMARK_NODE_LINK && link && !*link &&
		    cmark_node_get_url(node))
			*link = arena_strdup(m->page->arena, cmark_node_get_url(node));
		if (event == CMARK_EVENT_ENTER && !silent)
			leaf_text(&out, node, prose);
	}
	cmark_iter_free(iter);
	return text_tidy(m->page->arena, out.text ?: "", !prose);
}

/* ---------------------------------------------------------------- blocks */

/* Cells as the line has them: bars that are not escaped, the outer ones apart. */
static size_t cells_written(const struct page *page, uint32_t line)
{
	const char *text = page_line(page, line), *end = text + strlen(text);
	size_t count = 1;

	text += *text == '|';
	if (end > text && end[-1] == '|' && (end - 1 == text || end[-2] != '\\'))
		end--;
	for (; text < end; text++) {
		if (*text == '\\' && text + 1 < end)
			text++;
		else
			count += *text == '|';
	}
	return count;
}

static void table_row(struct markdown *m, struct grid *grid, cmark_node *node)
{
	uint32_t line = line_of(m, node);
	struct grid_row *row = grid_add_row(m->page, grid, line);

	row->heading = cmark_gfm_extensions_get_table_row_is_header(node);
	row->written = cells_written(m->page, line);
	for (cmark_node *child = cmark_node_first_child(node); child;
	     child = cmark_node_next(child)) {
		struct cell *cell = row_add_cell(m->page, row);

		if (cell)
			cell->text = node_text(m, child, false, &cell->link);
	}
	m->page->taken[line] = true;
}

static void table_read(struct markdown *m, cmark_node *node)
{
	struct block *block = page_add(m->page, BLOCK_GRID, line_of(m, node));
	struct grid *grid = arena_alloc(m->page->arena, sizeof(*grid));

	block->grid = grid;
	for (cmark_node *row = cmark_node_first_child(node); row; row = cmark_node_next(row))
		table_row(m, grid, row);
	/* The line of dashes below the headings. */
	if (block->line < m->page->lines)
		m->page->taken[block->line + 1] = true;
}

/* "Heading {#anchor}" as some generators write it. */
static const char *heading_text(struct arena *arena, const char *text)
{
	const char *anchor = strstr(text, " {#");

	return text_one_line(arena,
			     anchor ? arena_strndup(arena, text, (size_t)(anchor - text)) : text);
}

/* Each line of code is a text of its own, at its own line; that of a fence is not content. */
static void code_read(struct markdown *m, cmark_node *node, uint32_t line)
{
	const char *text = cmark_node_get_literal(node) ?: "";
	int length, offset;
	char sign;

	line += cmark_node_get_fenced(node, &length, &offset, &sign) != 0;
	for (; *text; line++) {
		size_t size = strcspn(text, "\n");

		page_prose(m->page, line < m->page->lines ? line : m->page->lines,
			   text_tidy(m->page->arena, arena_strndup(m->page->arena, text, size),
				     false));
		text += size + (text[size] == '\n');
	}
}

static void block_read(struct markdown *m, cmark_node *node)
{
	uint32_t line = line_of(m, node);
	cmark_node_type type = cmark_node_get_type(node);
	const char *text;

	if (type == CMARK_NODE_HEADING) {
		page_heading(m->page, line, (unsigned)cmark_node_get_heading_level(node),
			     heading_text(m->page->arena, node_text(m, node, true, NULL)));
		return;
	}
	if (type == CMARK_NODE_CODE_BLOCK) {
		code_read(m, node, line);
		return;
	}
	text = node_text(m, node, true, NULL);
	if (type == CMARK_NODE_PARAGRAPH &&
	    cmark_node_get_type(cmark_node_parent(node)) == CMARK_NODE_ITEM) {
		page_item(m->page, line, text);
		return;
	}
	if (type == CMARK_NODE_HTML_BLOCK)
		text = text_one_line(m->page->arena,
				     html_plain(m->page, cmark_node_get_literal(node) ?: ""));
	if (type == CMARK_NODE_HTML_BLOCK && cmark_node_get_literal(node) &&
	    !strncasecmp(cmark_node_get_literal(node), "<h", 2) &&
	    strchr("123456", cmark_node_get_literal(node)[2])) {
		page_heading(m->page, line, (unsigned)cmark_node_get_literal(node)[2] - '0', text);
		return;
	}
	page_prose(m->page, line, text);
}

static bool is_leaf_block(cmark_node_type type)
{
	return type == CMARK_NODE_HEADING || type == CMARK_NODE_PARAGRAPH ||
	       type == CMARK_NODE_HTML_BLOCK || type == CMARK_NODE_CODE_BLOCK;
}

static void blocks_read(struct markdown *m, cmark_node *document)
{
	cmark_iter *iter = cmark_iter_new(document);
	cmark_event_type event;

	while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		cmark_node_type type = cmark_node_get_type(node);
		bool table = str_equal(cmark_node_get_type_string(node), "table");

		if (event != CMARK_EVENT_ENTER || (!table && !is_leaf_block(type)))
			continue;
		if (table && m->tables)
			table_read(m, node);
		else if (!table && !m->tables)
			block_read(m, node);
		if (cmark_node_first_child(node))
			cmark_iter_reset(iter, node, CMARK_EVENT_EXIT);
	}
	cmark_iter_free(iter);
}

void markdown_read(struct page *page, bool tables_only)
{
	struct markdown m = {.page = page, .tables = tables_only};
	cmark_syntax_extension *tables;
	cmark_parser *parser;
	cmark_node *document;

	extensions_register();
	title_read(page);
	m.too_wide = tables_too_wide(page);
	if (m.too_wide && tables_only)
		diag_warning(page->d,
			     (struct loc){.source = page->source, .line = m.too_wide, .column = 1},
			     "too-many-cells", NULL,
			     "tables of so many columns that they are not read as Markdown");
	lines_collect(&m);
	if (!m.text.size)
		return;
	tables = cmark_find_syntax_extension("table");
	parser = cmark_parser_new(CMARK_OPT_FOOTNOTES);
	if (tables)
		cmark_parser_attach_syntax_extension(parser, tables);
	cmark_parser_feed(parser, m.text.text, m.text.size);
	document = cmark_parser_finish(parser);
	blocks_read(&m, document);
	cmark_node_free(document);
	cmark_parser_free(parser);
}
