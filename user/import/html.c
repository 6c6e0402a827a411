/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTML by libxml2: tables anywhere in a page, and the rest of a page that is HTML as a whole. Each
 * table is cut out of the source and parsed alone, so that lines are exact however long the page
 * is, and a table between Markdown paragraphs is one despite any text between its rows.
 */
#include <libxml/HTMLparser.h>
#include <strings.h>

#include "page.h"
#include "words.h"

enum {
	PARSE = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
		HTML_PARSE_IGNORE_ENC
};

struct html_table {
	struct page *page;
	struct grid *grid;
	uint32_t line; /* of the document, where the source begins */
	struct spans spans;
};

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !strcasecmp((const char *)node->name, name);
}

static bool is_among(const xmlNode *node, const char *names)
{
	return node->type == XML_ELEMENT_NODE && text_is((const char *)node->name, names);
}

static uint32_t line_of(const struct html_table *t, const xmlNode *node)
{
	long line = xmlGetLineNo((xmlNode *)node);
	uint32_t found = t->line + (line > 1 ? (uint32_t)line - 1 : 0);

	return found < t->page->lines ? found : t->page->lines;
}

/* ---------------------------------------------------------------- text */

static void collapsed_append(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		bool space = strchr(" \t\r\n", *text);

		if (!space)
			buffer_add(out, text, 1);
		else if (out->size && !strchr(" \n", out->text[out->size - 1]))
			buffer_puts(out, " ");
	}
}

/* By its own style, or by that of its row. */
static bool is_struck(const xmlNode *node)
{
	xmlChar *style = xmlGetProp((xmlNode *)node, (const xmlChar *)"style");
	bool struck = style && strcasestr((const char *)style, "line-through");

	xmlFree(style);
	if (!struck && is_among(node, "td|th") && node->parent)
		return is_struck(node->parent) || is_among(node->parent, "s|del|strike");
	return struck;
}

/* libxml2 bounds the depth to 256. */
static void append_text(struct page *page, struct buffer *out, const xmlNode *node,
			const char **link)
{
	const char *before = "", *behind = "";

	if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
		collapsed_append(out, (const char *)node->content);
	if (node->type != XML_ELEMENT_NODE || is_among(node, "script|style|noscript|svg|template"))
		return;
	if (is_element(node, "a") && link && !*link) {
		xmlChar *href = xmlGetProp((xmlNode *)node, (const xmlChar *)"href");

		*link = href && *href ? arena_strdup(page->arena, (char *)href) : NULL;
		xmlFree(href);
	}
	if (is_among(
		    node,
		    "p|div|li|ul|ol|br|tr|td|th|dt|dd|h1|h2|h3|h4|h5|h6|pre|table|section|caption")) {
		before = behind = "\n";
	} else if (is_element(node, "sup")) {
		before = " [^";
		behind = "]";
	}
	if (is_among(node, "s|del|strike") || is_struck(node))
		before = behind = "~~";
	buffer_puts(out, before);
	for (const xmlNode *child = node->children; child; child = child->next)
		append_text(page, out, child, link);
	buffer_puts(out, behind);
}

static char *node_text(struct page *page, const xmlNode *node, const char **link)
{
	struct buffer out = {.arena = page->arena};

	append_text(page, &out, node, link);
	return text_tidy(page->arena, out.text ?: "", false);
}

/* ---------------------------------------------------------------- a table */

static unsigned span_of(const xmlNode *node, const char *name, unsigned most)
{
	xmlChar *text = xmlGetProp((xmlNode *)node, (const xmlChar *)name);
	uint64_t value = 1;

	if (text && parse_u64((char *)text, 65535, &value))
		value = 1;
	xmlFree(text);
	if (value < 1)
		return 1;
	return value > most ? most : (unsigned)value;
}

static void cell_append(struct html_table *t, struct grid_row *row, const xmlNode *node)
{
	struct extent extent = {.columns = span_of(node, "colspan", PAGE_COLUMNS_MAX),
				.rows = span_of(node, "rowspan", 1000)};
	struct cell read = {0};

	read.text = node_text(t->page, node, &read.link);
	row_add_spanned(t->page, &t->spans, row, &read, extent);
}

/* Cells of a row, also those within elements that no HTML knows. */
static void cells_append(struct html_table *t, struct grid_row *row, const xmlNode *node,
			 bool *heads, bool *any)
{
	for (const xmlNode *child = node->children; child; child = child->next) {
		if (child->type != XML_ELEMENT_NODE || is_among(child, "table|tr"))
			continue;
		if (!is_among(child, "td|th")) {
			cells_append(t, row, child, heads, any);
			continue;
		}
		cell_append(t, row, child);
		*any = true;
		*heads &= is_element(child, "th");
		row->last = line_of(t, child);
	}
}

static void row_append(struct html_table *t, const xmlNode *node)
{
	struct grid_row *row = grid_add_row(t->page, t->grid, line_of(t, node));
	bool heads = true, any = false;

	cells_append(t, row, node, &heads, &any);
	row_add_held(t->page, &t->spans, row);
	row->heading = any && (heads || is_element(node->parent, "thead"));
	if (!any)
		t->grid->count--;
}

static bool has_table(const xmlNode *node)
{
	for (const xmlNode *child = node->children; child; child = child->next)
		if (is_element(child, "table") || has_table(child))
			return true;
	return false;
}

/* The text of a heading; a protocol alone is data. */
static enum column heading_kind(struct page *page, const xmlNode *cell)
{
	const char *text = text_one_line(page->arena, node_text(page, cell, NULL));

	if (text_is(text, "tcp|udp|sctp|icmp|tcp/udp|udp/tcp"))
		return COLUMN_OTHER;
	return column_of(text);
}

/* Whether the rows of a table itself begin with headings that a table of ports would have. */
static void headings_count(struct page *page, const xmlNode *table, unsigned *rows, unsigned *known,
			   unsigned *ports)
{
	for (const xmlNode *child = table->children; child && *rows < 2; child = child->next) {
		if (is_among(child, "thead|tbody"))
			headings_count(page, child, rows, known, ports);
		if (!is_element(child, "tr"))
			continue;
		(*rows)++;
		for (const xmlNode *cell = child->children; cell; cell = cell->next) {
			enum column kind = COLUMN_OTHER;

			if (is_among(cell, "td|th") && !has_table(cell))
				kind = heading_kind(page, cell);
			*known += kind != COLUMN_OTHER;
			*ports += kind == COLUMN_PORT || kind == COLUMN_PROTOCOL;
		}
	}
}

static bool has_headings(struct page *page, const xmlNode *table)
{
	unsigned rows = 0, known = 0, ports = 0;

	headings_count(page, table, &rows, &known, &ports);
	return known >= 2 && ports;
}

static bool holds_headings(struct page *page, const xmlNode *node)
{
	for (const xmlNode *child = node->children; child; child = child->next)
		if ((is_element(child, "table") && has_headings(page, child)) ||
		    holds_headings(page, child))
			return true;
	return false;
}

/* Data, although a cell of it may hold a table again: a list of ports, say. */
static bool is_grid(struct page *page, const xmlNode *table)
{
	return !has_table(table) || (has_headings(page, table) && !holds_headings(page, table));
}

static void rows_append(struct html_table *t, const xmlNode *node)
{
	for (const xmlNode *child = node->children; child; child = child->next) {
		if (child->type != XML_ELEMENT_NODE || is_element(child, "table"))
			continue;
		if (is_element(child, "tr"))
			row_append(t, child);
		else if (is_element(child, "caption"))
			t->grid->caption =
				text_one_line(t->page->arena, node_text(t->page, child, NULL));
		else
			rows_append(t, child);
	}
}

static void table_append(struct page *page, const xmlNode *node, uint32_t line)
{
	struct html_table *t = arena_alloc(page->arena, sizeof(*t));
	struct grid *grid = arena_alloc(page->arena, sizeof(*grid));

	*t = (struct html_table){.page = page, .grid = grid, .line = line};
	rows_append(t, node);
	if (grid->count)
		page_add_grid(page, grid->rows[0].line, grid);
}

/* Tables that lay out a page hold the others; all else in them is prose. */
static void tables_append(struct page *page, const xmlNode *node, uint32_t line)
{
	struct html_table at = {.page = page, .line = line};

	for (const xmlNode *child = node->children; child; child = child->next) {
		if (child->type != XML_ELEMENT_NODE)
			continue;
		if (is_element(child, "table") && is_grid(page, child))
			table_append(page, child, line);
		else if (has_table(child))
			tables_append(page, child, line);
		else if (is_among(child, "h1|h2|h3|h4|h5|h6"))
			page_heading(page, line_of(&at, child), (unsigned)child->name[1] - '0',
				     text_one_line(page->arena, node_text(page, child, NULL)));
		else if (is_among(child, "p|td|th|li|div|ul|ol|caption"))
			page_prose(page, line_of(&at, child), node_text(page, child, NULL));
		else
			tables_append(page, child, line);
	}
}

static htmlDocPtr parse(struct page *page, const char *text, size_t size, uint32_t line)
{
	htmlParserCtxtPtr parser = htmlNewParserCtxt();
	struct loc loc = {.source = page->source, .line = line, .column = 1};
	htmlDocPtr document = NULL;
	const xmlError *error;

	if (parser)
		document = htmlCtxtReadMemory(parser, text, (int)size, NULL, "UTF-8", PARSE);
	error = parser ? xmlCtxtGetLastError(parser) : NULL;
	if (!document) {
		diag_warning(page->d, loc, "bad-html", NULL,
			     "HTML that cannot be parsed from here on");
	} else if (error && error->message && strstr(error->message, "depth")) {
		loc.line += error->line > 0 ? (uint32_t)error->line - 1 : 0;
		loc.line = loc.line < page->lines ? loc.line : page->lines;
		diag_warning(
			page->d, loc, "too-deep", "cut out the part with the ports",
			"the page has elements within more than 256 others: the inner ones are not read");
		page_unresolved(page, loc.line, "elements too deep in others, not read");
	}
	if (parser)
		htmlFreeParserCtxt(parser);
	return document;
}

char *html_plain(struct page *page, const char *html)
{
	htmlDocPtr document = htmlReadMemory(html, (int)strlen(html), NULL, "UTF-8", PARSE);
	char *text = NULL;

	if (document && xmlDocGetRootElement(document))
		text = node_text(page, xmlDocGetRootElement(document), NULL);
	if (document)
		xmlFreeDoc(document);
	return text ?: arena_strdup(page->arena, "");
}

/* ---------------------------------------------------------------- cutting tables out */

static bool tag_at(const char *text, const char *tag)
{
	return !strncasecmp(text, tag, strlen(tag)) && !text_is_word(text[strlen(tag)]);
}

/* The end of the table at `at`, with inner tables; the end of the page when it has none. */
static size_t table_end(const struct page *page, size_t at)
{
	const char *text = page->text, *next;
	unsigned depth = 0;

	while ((next = strchr(text + at, '<'))) {
		at = (size_t)(next - text);
		depth += tag_at(next, "<table");
		if (tag_at(next, "</table") && --depth == 0) {
			next = strchr(next, '>');
			return next ? (size_t)(next - text) + 1 : page->size;
		}
		at++;
	}
	return page->size;
}

static size_t past(const struct page *page, size_t at, const char *end)
{
	const char *found = strcasestr(page->text + at, end);

	return found ? (size_t)(found - page->text) + strlen(end) : page->size;
}

/* The source without tags that only say how a text looks: unclosed, one of them would hold all the
 * rows that follow. Lines stay. */
static char *without_looks(struct page *page, size_t from, size_t to)
{
	static const char *const tags[] = {"b",	 "i",	"u",	 "em",	 "strong", "font",
					   "tt", "big", "small", "span", "center", "nobr"};
	struct buffer out = {.arena = page->arena};
	const char *text = page->text + from, *end = page->text + to;

	while (text < end) {
		bool looks = false;

		for (size_t i = 0; *text == '<' && i < ARRAY_SIZE(tags) && !looks; i++)
			looks = tag_at(text + 1 + (text[1] == '/'), tags[i]);
		for (; looks && text < end && *text != '>'; text++)
			if (*text == '\n')
				buffer_puts(&out, "\n");
		if (!looks)
			buffer_add(&out, text, 1);
		text++;
	}
	return out.text ?: arena_strdup(page->arena, "");
}

static void table_cut(struct page *page, size_t from, size_t to)
{
	uint32_t line = page_line_at(page, from), last = page_line_at(page, to - 1);
	const char *source = without_looks(page, from, to);
	htmlDocPtr document = parse(page, source, strlen(source), line);

	if (!document)
		return;
	tables_append(page, (xmlNode *)document, line);
	xmlFreeDoc(document);
	for (size_t i = from; i < to; i++)
		page->text[i] = page->text[i] == '\n' ? '\n' : ' ';
	for (; line <= last; line++)
		page->taken[line] = true;
}

void html_tables_read(struct page *page)
{
	size_t at = 0, end;
	const char *next;

	while (at < page->size && (next = strchr(page->text + at, '<'))) {
		at = (size_t)(next - page->text);
		if (!strncmp(next, "<!--", 4))
			end = past(page, at, "-->");
		else if (tag_at(next, "<script"))
			end = past(page, at, "</script>");
		else if (tag_at(next, "<table"))
			end = table_end(page, at);
		else
			end = 0;
		if (end && tag_at(next, "<table"))
			table_cut(page, at, end);
		at = end ?: at + 1;
	}
}

/* ---------------------------------------------------------------- a whole page */

/* A piece of a page: it begins with an element, and nothing in it is Markdown. */
static bool is_piece(const struct page *page, const char *text)
{
	static const char *const tags[] = {"<h1",   "<h2",    "<h3",	  "<h4",
					   "<p",    "<table", "<section", "<article",
					   "<main", "<ul",    "<center",  "<dl"};
	bool begins = false;

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		begins |= tag_at(text, tags[i]);
	for (uint32_t line = 1; begins && line <= page->lines; line++)
		if (strchr("|#", page->text[page->start[line - 1]]) &&
		    page->text[page->start[line - 1]])
			return false;
	return begins;
}

bool html_is_whole(const struct page *page)
{
	const char *text = page->text + strspn(page->text, " \t\n");

	while (!strncmp(text, "<!--", 4) || !strncmp(text, "<?xml", 5)) {
		const char *end = strchr(text, '>');

		if (text[1] == '!')
			end = strstr(text, "-->") ? strstr(text, "-->") + 2 : NULL;
		if (!end)
			return false;
		text = end + 1 + strspn(end + 1, " \t\n");
	}
	return tag_at(text, "<!doctype") || tag_at(text, "<html") || tag_at(text, "<head") ||
	       tag_at(text, "<body") || tag_at(text, "<div") || strcasestr(page->text, "<body") ||
	       is_piece(page, text);
}

static bool holds_blocks(const xmlNode *node)
{
	for (const xmlNode *child = node->children; child; child = child->next)
		if (is_among(
			    child,
			    "p|div|ul|ol|dl|h1|h2|h3|h4|h5|h6|section|article|main|table|pre|aside") ||
		    (child->children && holds_blocks(child)))
			return true;
	return false;
}

/* Each line of what is shown as it is. */
static void lines_append(struct page *page, uint32_t line, const xmlNode *node)
{
	xmlChar *content = xmlNodeGetContent(node);
	const char *text = content ? (const char *)content : "";

	for (; *text; line++) {
		size_t size = strcspn(text, "\n");

		page_prose(page, line < page->lines ? line : page->lines,
			   text_tidy(page->arena, arena_strndup(page->arena, text, size), false));
		text += size + (text[size] == '\n');
	}
	xmlFree(content);
}

static bool is_block(const xmlNode *node)
{
	return is_among(node,
			"p|div|ul|ol|dl|h1|h2|h3|h4|h5|h6|section|article|main|table|pre|aside|"
			"li|dt|dd|nav|head|body|html|header|footer") ||
	       holds_blocks(node);
}

/* A row without a table: nothing but short pieces, in elements of their own. */
static bool is_row_of_pieces(struct page *page, const xmlNode *node)
{
	size_t count = 0;

	for (const xmlNode *child = node->children; child; child = child->next) {
		if (child->type == XML_TEXT_NODE && xmlIsBlankNode(child))
			continue;
		if (!is_among(child, "div|span") || holds_blocks(child) ||
		    strlen(node_text(page, child, NULL)) > 60)
			return false;
		count++;
	}
	return count > 1;
}

static void pieces_append(struct page *page, struct grid *grid, const xmlNode *node, uint32_t line)
{
	struct grid_row *row = grid_add_row(page, grid, line);

	for (const xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE)
			row_add_text(page, row, node_text(page, child, NULL));
}

static bool pieces_are_headings(const struct grid_row *row)
{
	unsigned known = 0, ports = 0;

	for (size_t i = 0; i < row->count; i++) {
		enum column kind = column_of(row->cells[i].text);

		known += kind != COLUMN_OTHER;
		ports += kind == COLUMN_PORT || kind == COLUMN_PROTOCOL;
	}
	return known >= 2 && ports;
}

/* Without headings, a comment where it has a number. */
static void pieces_keep(struct page *page, const struct grid_row *row)
{
	struct buffer text = {.arena = page->arena};
	struct block *block;

	for (size_t i = 0; i < row->count; i++)
		buffer_printf(&text, "%s%s", i ? " | " : "", row->cells[i].text);
	if (!text.text || !strpbrk(text.text, "0123456789"))
		return;
	block = page_add(page, BLOCK_UNRESOLVED, row->line);
	block->why = "pieces without headings";
	block->text = text.text;
}

/* Rows of pieces, one below the other; behind the last of them. */
static const xmlNode *rows_of_pieces(struct page *page, const xmlNode *node)
{
	struct html_table whole = {.page = page, .line = 1};
	struct grid *grid = arena_alloc(page->arena, sizeof(*grid));
	const xmlNode *last = node;

	for (; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (!is_element(node, "div") || !is_row_of_pieces(page, node))
			break;
		pieces_append(page, grid, node, line_of(&whole, node));
		last = node;
	}
	if (pieces_are_headings(&grid->rows[0]))
		page_add_grid(page, grid->rows[0].line, grid);
	for (size_t i = 0; !pieces_are_headings(&grid->rows[0]) && i < grid->count; i++)
		pieces_keep(page, &grid->rows[i]);
	return last;
}

static void rest_append(struct page *page, const xmlNode *node);

static void block_append(struct page *page, const xmlNode *node, uint32_t line)
{
	if (is_among(node, "h1|h2|h3|h4|h5|h6"))
		page_heading(page, line, (unsigned)node->name[1] - '0',
			     text_one_line(page->arena, node_text(page, node, NULL)));
	else if (is_element(node, "title") || is_among(node, "head|nav"))
		return;
	else if (holds_blocks(node) || is_among(node, "html|body|ul|ol|dl"))
		rest_append(page, node);
	else if (is_element(node, "pre"))
		lines_append(page, line, node);
	else if (is_among(node, "li|dt"))
		page_item(page, line, node_text(page, node, NULL));
	else
		page_prose(page, line, node_text(page, node, NULL));
}

/* The text of an element before and between the blocks within it. */
static void mixed_append(struct page *page, const xmlNode *node, struct buffer *text, uint32_t line)
{
	const char *tidy = text_tidy(page->arena, text->text ?: "", false);

	if (is_among(node, "li|dt"))
		page_item(page, line, tidy);
	else
		page_prose(page, line, tidy);
	*text = (struct buffer){.arena = page->arena};
}

static void rest_append(struct page *page, const xmlNode *node)
{
	struct html_table whole = {.page = page, .line = 1};
	struct buffer text = {.arena = page->arena};
	uint32_t line = line_of(&whole, node);

	for (const xmlNode *child = node->children; child; child = child->next) {
		if (is_among(child, "script|style|svg|template"))
			continue;
		if (!is_block(child)) {
			if (!text.size && child->type == XML_ELEMENT_NODE)
				line = line_of(&whole, child);
			append_text(page, &text, child, NULL);
			continue;
		}
		mixed_append(page, node, &text, line);
		if (is_element(child, "div") && is_row_of_pieces(page, child))
			child = rows_of_pieces(page, child);
		else
			block_append(page, child, line_of(&whole, child));
		line = line_of(&whole, child);
	}
	mixed_append(page, node, &text, line);
}

void html_rest_read(struct page *page)
{
	htmlDocPtr document = parse(page, page->text, page->size, 1);

	if (!document)
		return;
	rest_append(page, (xmlNode *)document);
	xmlFreeDoc(document);
}

/* ---------------------------------------------------------------- hidden elements and comments */

/* "<tr hidden>", "<div style="display: none">"; the panel of a tab is shown by a click. */
static bool tag_hides(struct arena *arena, const char *tag, size_t length)
{
	const char *text;

	/* Most tags hide nothing, and need no copy. */
	if (!memmem(tag, length, "hid", 3) && !memmem(tag, length, "none", 4) &&
	    !str_starts(tag, "<template"))
		return false;
	text = arena_strndup(arena, tag, length);
	if (strcasestr(text, "tabpanel") || strcasestr(text, "tab-pan") ||
	    strcasestr(text, "tab-content"))
		return false;
	return str_starts(text, "<template") || strcasestr(text, " hidden>") ||
	       strcasestr(text, " hidden ") || strcasestr(text, " hidden=") ||
	       strcasestr(text, "display:none") || strcasestr(text, "display: none") ||
	       strcasestr(text, "visibility:hidden") || strcasestr(text, "visibility: hidden");
}

/* Behind the tag that closes the one at `tag`, or NULL; `inner`: before it. */
static const char *element_end(const char *tag, const char **inner)
{
	size_t name = strcspn(tag + 1, " \t\n/>"), depth = 0;

	for (const char *at = tag; (at = strchr(at, '<')); at++) {
		bool closes = at[1] == '/';
		const char *begin = at + 1 + closes;

		if (strncasecmp(begin, tag + 1, name) || text_is_word(begin[name]))
			continue;
		depth += closes ? (size_t)-1 : 1;
		*inner = at;
		if (!depth)
			return at + strcspn(at, ">") + 1;
	}
	return NULL;
}

enum { TAG_MAX = 1000, UNCLOSED_MAX = 16 };

static bool opens_hidden(struct page *page, const char *at)
{
	const char *end = memchr(at, '>', strnlen(at, TAG_MAX));

	return str_starts(at, "<!--") ||
	       (text_is_word(at[1]) && end && tag_hides(page->arena, at, (size_t)(end - at) + 1));
}

/* Behind it, where it closes; a cell stays, without its text. */
static const char *hidden_end(const char *at, const char **begin)
{
	const char *inner, *end;

	*begin = at;
	if (str_starts(at, "<!--")) {
		end = strstr(at, "-->");
		return end ? end + 3 : NULL;
	}
	end = element_end(at, &inner);
	if (end && (!strncasecmp(at, "<td", 3) || !strncasecmp(at, "<th", 3))) {
		*begin = strchr(at, '>') + 1;
		return inner;
	}
	return end;
}

void html_hide(struct page *page)
{
	const char *begin, *end;
	unsigned unclosed = 0;

	for (const char *at = page->text; (at = strchr(at, '<')) && unclosed < UNCLOSED_MAX; at++) {
		if (!opens_hidden(page, at))
			continue;
		end = hidden_end(at, &begin);
		unclosed += !end;
		if (!end || end <= begin)
			continue;
		page_hide(page, (size_t)(begin - page->text), (size_t)(end - page->text));
		at = end - 1;
	}
}
