/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the rows of a grid to the rows of a draft: who opens, to whom, on which ports. Every row of
 * the grid ends up as a row of the draft or among the unparsed texts.
 */
#include "layout.h"
#include "prose.h"
#include "rows.h"

struct work {
	struct sheet *s;
	const struct grid *grid;
	const struct layout *layout;
	const struct grid_row *row;
	const char *section; /* of a row that spans the grid, or NULL */
	const char *before;
	const char *from_above, *to_above; /* of the last row that has them */
	bool one;			   /* only one column of ports is meant: */
	size_t column;
};

/* The text of the columns of a kind, or "". */
static const char *cells_of(const struct work *w, enum column kind)
{
	struct arena *arena = w->s->arena;
	const char *text = "", *last = "";

	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *one = cell_text(w->row, i);

		if (w->layout->kinds[i] != kind || !*one || str_equal(last, one))
			continue;
		if (kind == COLUMN_PORT && w->one && i != w->column)
			continue;
		text = *text ? arena_printf(arena, "%s\n%s", text, one) : one;
		last = one;
	}
	return kind == COLUMN_PROTOCOL ? protocol_cell(text) : text;
}

static bool has_column(const struct work *w, enum column kind)
{
	for (size_t i = 0; i < w->layout->columns; i++)
		if (w->layout->kinds[i] == kind)
			return true;
	return false;
}

/* ---------------------------------------------------------------- ports */

static protocols protocols_of_segment(const char *cell, unsigned segment)
{
	char line[256];
	size_t length;

	while (segment && strchr(cell, '\n')) {
		cell = strchr(cell, '\n') + 1;
		segment--;
	}
	length = strcspn(cell, "\n");
	if (length >= sizeof(line))
		return 0;
	memcpy(line, cell, length);
	line[length] = '\0';
	return protocols_read(line);
}

static unsigned segments_of(const char *cell)
{
	unsigned count = 1;

	for (; *cell; cell++)
		count += *cell == '\n';
	return count;
}

/* The transport when the cell of ports has none: the best evidence of the page. */
static protocols transport_of(struct work *w, struct drafted_row *row, protocols heading)
{
	const char *protocol = cells_of(w, COLUMN_PROTOCOL);
	protocols found = heading ?: w->s->assumed;

	if (found && !*protocol) {
		row_note(w->s, row, "transport from the heading");
		return found;
	}
	found = protocols_usual(protocol) ?: protocols_usual(cells_of(w, COLUMN_PORT));
	found = found ?: protocols_usual(cells_of(w, COLUMN_SERVICE));
	if (found) {
		row_note(w->s, row, "transport not given: the usual one of the protocol");
		return found;
	}
	row_note(w->s, row, "transport not given: tcp assumed");
	return 1;
}

static void ranges_append(struct work *w, struct drafted_row *row, struct port_reading *reading,
			  protocols heading)
{
	const char *cell = cells_of(w, COLUMN_PROTOCOL);
	protocols all = protocols_read(cell) & PROTOCOLS_PORTS, usual = 0;
	bool paired = reading->segments > 1 && segments_of(cell) == reading->segments;
	bool every = text_is(cell, "any|all|*|ip|any protocol|all protocols");

	for (size_t i = 0; i < reading->count; i++) {
		struct port_range *range = &reading->ranges[i];

		/* "All" ports of a protocol that has none. */
		if (!all && range->first == 0 && protocols_read(cell))
			continue;

		if (!range->protocols && paired)
			range->protocols =
				protocols_of_segment(cell, range->segment) & PROTOCOLS_PORTS;
		if (!range->protocols)
			range->protocols = all;
		if (!range->protocols && !*cell)
			range->protocols = heading;
		if (!range->protocols && every)
			range->protocols = 3;
		if (!range->protocols && !(range->first == 0 && range->last == 65535)) {
			usual = usual ?: transport_of(w, row, heading);
			range->protocols = usual;
		}
		if (every && range->first == 0 && range->last == 65535)
			range->protocols = 0;
		row_add_range(w->s, row, range);
	}
	if (paired && all && all != protocols_of_segment(cell, 0))
		row_note(w->s, row, "ports and protocols were paired line by line");
}

static void bare_append(struct work *w, struct drafted_row *row, protocols bare)
{
	for (unsigned bit = 0; protocols_name(bit); bit++)
		if (bare & (protocols)1 << bit)
			row_service(w->s, row,
				    arena_printf(w->s->arena, "any/%s", protocols_name(bit)));
}

static void port_column_read(struct work *w, struct drafted_row *row, size_t column)
{
	const char *cell = cell_text(w->row, column);
	struct port_reading reading;

	ports_read(cell, &reading);
	ranges_append(w, row, &reading, w->layout->protocols[column]);
	bare_append(w, row, reading.bare & ~(protocols)PROTOCOLS_PORTS);
	if (reading.leftover || reading.cut || (reading.vague && reading.count))
		row_note(w->s, row, "the cell of ports: \"%s\"", text_one_line(w->s->arena, cell));
}

static void ports_read_row(struct work *w, struct drafted_row *row)
{
	const char *protocol = cells_of(w, COLUMN_PROTOCOL), *port = cells_of(w, COLUMN_PORT);
	protocols named = protocols_read(protocol);

	for (size_t i = 0; i < w->layout->columns; i++)
		if (w->layout->kinds[i] == COLUMN_PORT && (!w->one || i == w->column))
			port_column_read(w, row, i);
	bare_append(w, row, named & ~(protocols)PROTOCOLS_PORTS);
	if (!row->service_count && text_is(port, "|-|n/a|na") &&
	    text_is(protocol, "any|all|*|ip|any protocol|all protocols"))
		row_service(w->s, row, "any");
}

/* ---------------------------------------------------------------- peers */

static bool is_no_peer(const char *text)
{
	return text_is(text,
		       "|optional|required|mandatory|n/a|na|none|-|--|same as above|see note|tbd|"
		       "various|\"|...|yes|no");
}

/* A cell as the title of a role: its first line, or all of them when they are short names. */
static const char *peer_title(struct work *w, struct drafted_row *row, const char *cell,
			      const char *placeholder)
{
	struct arena *arena = w->s->arena;
	const char *title = cell, *line;
	size_t longest = 0, length;

	if (is_no_peer(cell)) {
		if (*cell)
			row_note(w->s, row, "where %s should be, the document says \"%s\"",
				 placeholder, cell);
		return placeholder;
	}
	if (text_is(cell, "any|all|*|anywhere|everywhere|everything|0.0.0.0/0|0.0.0.0|::/0"))
		return "any host";
	for (line = cell; *line; line += length + (line[length] == '\n')) {
		length = strcspn(line, "\n");
		longest = length > longest ? length : longest;
	}
	/* A sentence below a name is no name. */
	if (strchr(cell, '\n') && strchr(".!", cell[strlen(cell) - 1]))
		longest = SIZE_MAX;
	if (longest > 40)
		title = arena_strndup(arena, cell, strcspn(cell, "\n"));
	title = text_one_line(arena, title);
	line = strstr(title, ". ");
	if (line && line - title > 3)
		title = arena_strndup(arena, title, (size_t)(line - title));
	if (strlen(title) > 100)
		title = arena_printf(arena, "%.97s...", title);
	if (strlen(title) < strlen(cell) && longest > 40)
		row_note(w->s, row, "%s: %s", title, text_one_line(arena, cell));
	return *text_slug(arena, title, 60) ? title : placeholder;
}

static enum direction direction_find(const struct work *w)
{
	const struct sheet *s = w->s;
	const char *places[] = {w->section, w->grid->caption, w->before};
	enum direction found = direction_of(cells_of(w, COLUMN_DIRECTION));

	if (w->one && w->layout->directions[w->column])
		return w->layout->directions[w->column];
	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++)
		found = places[i] ? direction_of(places[i]) : DIR_UNKNOWN;
	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0 && !found;)
		found = s->headings[i] ? direction_of(s->headings[i]) : DIR_UNKNOWN;
	return found;
}

/* "From A to B" above the rows, where no column says it. */
static bool peers_above(const struct work *w, const char **from, const char **to)
{
	const char *places[] = {w->section, w->grid->caption, sheet_section(w->s)};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i])
			peers_of(w->s->arena, places[i], from, to);
		if (*from || *to)
			return true;
	}
	return false;
}

static void peers_default(struct work *w, struct drafted_row *row, enum direction dir)
{
	static const char *const strangers[] = {
		[DIR_UNKNOWN] = role_peer,
		[DIR_IN] = role_inbound_peer,
		[DIR_OUT] = role_outbound_peer,
		[DIR_BOTH] = role_inbound_peer,
	};
	const char *from = NULL, *to = NULL, *peer = cells_of(w, COLUMN_PEER);
	const char *stranger = strangers[dir];
	const char *here = has_column(w, COLUMN_LOCAL)
				   ? peer_title(w, row, cells_of(w, COLUMN_LOCAL), role_this_host)
				   : role_this_host;

	if (!*peer && peers_above(w, &from, &to)) {
		row->from = from ?: here;
		row->to = to ?: here;
		return;
	}
	if (*peer)
		stranger = peer_title(w, row, peer, stranger);
	row->from = dir == DIR_OUT ? here : stranger;
	row->to = dir == DIR_OUT ? stranger : here;
	if (!dir)
		row_note(w->s, row, "no direction given: taken as opened by the peer");
}

/* An empty cell below a filled one means the same, as a rule. */
static const char *side_cell(struct work *w, struct drafted_row *row, enum column kind)
{
	const char **above = kind == COLUMN_FROM ? &w->from_above : &w->to_above;
	const char *cell = cells_of(w, kind);

	if (*cell) {
		*above = cell;
		return cell;
	}
	if (!*above)
		return cell;
	row_note(w->s, row, "the cell of %s is empty: taken from the row above",
		 kind == COLUMN_FROM ? "the source" : "the destination");
	return *above;
}

static void peers_set(struct work *w, struct drafted_row *row, enum direction dir)
{
	bool from = has_column(w, COLUMN_FROM), to = has_column(w, COLUMN_TO);

	if (!from && !to) {
		peers_default(w, row, dir);
		return;
	}
	row->from = dir == DIR_IN ? role_inbound_peer : role_this_host;
	row->to = dir == DIR_OUT ? role_outbound_peer : role_this_host;
	if (from)
		row->from = peer_title(w, row, side_cell(w, row, COLUMN_FROM), role_inbound_peer);
	if (to)
		row->to = peer_title(w, row, side_cell(w, row, COLUMN_TO), role_outbound_peer);
}

/* ---------------------------------------------------------------- the rest of a row */

static void words_set(struct work *w, struct drafted_row *row)
{
	struct arena *arena = w->s->arena;
	const char *service = text_one_line(arena, cells_of(w, COLUMN_SERVICE));
	const char *purpose = text_one_line(arena, cells_of(w, COLUMN_PURPOSE));

	row->purpose = *service ? service : purpose;
	row->id = *row->purpose ? row->purpose : row->to;
	if (*service && *purpose)
		row->purpose = arena_printf(arena, "%s: %s", service, purpose);
	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i), *heading = w->layout->headings[i];
		enum column kind = w->layout->kinds[i];

		if (*text && (kind == COLUMN_OTHER || kind == COLUMN_SOURCE_PORT))
			row_note(w->s, row, "%s%s%s", heading, *heading ? ": " : "",
				 text_one_line(arena, text));
		if (*text && kind == COLUMN_PROTOCOL && !protocols_read(protocol_cell(text)))
			row_note(w->s, row, "%s: %s", heading, text_one_line(arena, text));
	}
	if (w->layout->first && w->row->written < w->layout->columns)
		row_note(w->s, row, "the row has %zu cells, the headings are %zu", w->row->written,
			 w->layout->columns);
	else if (w->row->written > w->row->count)
		row_note(w->s, row, "the row has more cells than are read");
	if (w->section)
		row->section = sheet_section(w->s) ? arena_printf(arena, "%.200s: %.200s",
								  sheet_section(w->s), w->section)
						   : w->section;
}

static const char *row_words(const struct work *w)
{
	const char *text = "";

	for (size_t i = 0; i < w->row->count; i++)
		text = arena_printf(w->s->arena, "%s%s%s", text, i ? " | " : "",
				    text_one_line(w->s->arena, w->row->cells[i].text));
	return text;
}

static const char *row_link(const struct grid_row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->cells[i].link)
			return row->cells[i].link;
	return NULL;
}

static bool row_is_empty(const struct grid_row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (*row->cells[i].text)
			return false;
	return true;
}

/* One text over the whole width: a title among the rows. */
static const char *row_title(const struct work *w)
{
	const char *text = NULL;
	struct port_reading reading;

	for (size_t i = 0; i < w->row->count; i++) {
		const char *one = w->row->cells[i].text;

		if (*one && text && !str_equal(one, text))
			return NULL;
		text = *one ? one : text;
	}
	if (!text || w->layout->columns < 2 || (w->row->written > 1 && !*cell_text(w->row, 0)))
		return NULL;
	ports_read(text, &reading);
	return reading.count ? NULL : text_one_line(w->s->arena, text);
}

/* A row both ways is two rows, unless both ends are the same role. */
static void row_reverse(struct sheet *s, const struct drafted_row *row)
{
	struct drafted_row copy = *row, *back;

	if (str_equal(row->from, row->to))
		return;
	back = sheet_row(s, row->line);
	*back = copy;
	back->from = copy.to == role_this_host || copy.to != role_inbound_peer ? copy.to
									       : role_outbound_peer;
	back->to = copy.from == role_inbound_peer ? role_outbound_peer : copy.from;
	back->id = arena_printf(s->arena, "%s back", text_slug(s->arena, copy.id, 40));
	back->notes = NULL;
	back->note_count = back->note_capacity = 0;
	row_note(s, back, "the reverse of the row above: the document names both directions");
}

static void row_read(struct work *w)
{
	struct sheet *s = w->s;
	struct drafted_row row = {
		.line = w->row->line, .last = w->row->last, .section = sheet_section(s)};
	enum direction dir = direction_find(w);
	struct port_reading reading;

	ports_read_row(w, &row);
	ports_read(cells_of(w, COLUMN_PORT), &reading);
	if (!row.service_count && !reading.vague && row_link(w->row))
		row.see = row_link(w->row);
	if (!row.service_count && !row.see) {
		sheet_add_unparsed(s, row.line,
				   reading.vague ? "ports without a number" : "a row without ports",
				   row_words(w));
		return;
	}
	peers_set(w, &row, dir);
	words_set(w, &row);
	for (uint32_t line = row.line; line <= row.last && line <= s->page->lines && !row.condition;
	     line++)
		row.condition = s->page->conditions[line];
	*sheet_row(s, row.line) = row;
	if (dir == DIR_BOTH)
		row_reverse(s, &s->rows[s->count - 1]);
}

/* "Inbound: 80, outbound: 443" in one row of the document are two of ours. */
static void row_read_directions(struct work *w)
{
	bool any = false;

	for (size_t i = 0; i < w->layout->columns; i++) {
		if (w->layout->kinds[i] != COLUMN_PORT ||
		    text_is(cell_text(w->row, i), "|-|--|n/a|na|none|no"))
			continue;
		w->one = any = true;
		w->column = i;
		row_read(w);
	}
	w->one = false;
	if (!any)
		row_read(w);
}

static void grid_add_unparsed(struct sheet *s, const struct grid *grid, bool whole)
{
	for (size_t i = 0; i < grid->count; i++) {
		struct work w = {.s = s, .row = &grid->rows[i]};

		if (row_is_empty(w.row) || prose_rows(s, w.row->line, row_words(&w)))
			continue;
		if (i && whole && strpbrk(row_words(&w), "0123456789"))
			sheet_add_unparsed(s, w.row->line, "a row of it", row_words(&w));
		else if (i)
			prose_add_unparsed(s, w.row->line, row_words(&w));
		else
			sheet_add_unparsed(s, w.row->line, "a table without a column of ports",
					   row_words(&w));
	}
}

void grid_rows(struct sheet *s, const struct grid *grid, const char *before)
{
	struct layout layout;
	struct work w = {.s = s, .grid = grid, .layout = &layout, .before = before};

	layout_find(s->page, grid, &layout);
	if (!layout.ports) {
		grid_add_unparsed(s, grid, layout_speaks(&layout));
		return;
	}
	for (size_t i = layout.first; i < grid->count; i++) {
		const char *title;

		w.row = &grid->rows[i];
		if (row_is_empty(w.row) || layout_repeats(&layout, w.row))
			continue;
		title = row_title(&w);
		if (title)
			w.section = title;
		else if (layout.directions_differ)
			row_read_directions(&w);
		else
			row_read(&w);
	}
}
