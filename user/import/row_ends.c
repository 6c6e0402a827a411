/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ends of a row: from the words beside its ports, its cell of the direction, its cells of
 * source and destination, and the headings above, in this order.
 */
#include "row.h"

/* A column below "Outbound" says nothing of a row of those below "Inbound". */
static bool is_masked(const struct work *w, size_t column)
{
	const struct layout *l = w->layout;

	return w->one && l->directions_differ && l->directions[w->column] && l->ways[column] &&
	       l->ways[column] != l->directions[w->column];
}

/* The text of the columns of a kind, or "". */
const char *cells_of(const struct work *w, enum column kind)
{
	struct arena *arena = w->s->arena;
	const char *text = "", *last = "";

	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *one = cell_text(w->row, i);

		/* "TCP": "yes" */
		if (kind == COLUMN_PROTOCOL && w->layout->protocols[i] &&
		    text_is(one, "yes|y|x|true|\u2713|\u2714|\u2705|\u25cf|\u2022"))
			one = w->layout->headings[i];
		if (w->layout->kinds[i] != kind || !*one || str_equal(last, one) || is_masked(w, i))
			continue;
		if (kind == COLUMN_PORT && w->one && i != w->column)
			continue;
		text = *text ? arena_printf(arena, "%s\n%s", text, one) : one;
		last = one;
	}
	return kind == COLUMN_PROTOCOL ? protocol_cell(text) : text;
}

bool has_column(const struct work *w, enum column kind)
{
	for (size_t i = 0; i < w->layout->columns; i++)
		if (w->layout->kinds[i] == kind && !is_masked(w, i))
			return true;
	return false;
}

bool is_no_peer(const char *text)
{
	return text_is(text,
		       "|optional|required|mandatory|n/a|na|none|-|--|same as above|see note|tbd|"
		       "various|\"|...|yes|no");
}

static bool is_any_host(const char *text)
{
	return text_is(text, "any|all|*|anywhere|everywhere|everything|0.0.0.0/0|0.0.0.0|::/0");
}

/* "A:1024", "[fd00::12]:8128", "B:*": how much of the text is the name. */
static size_t name_length(const char *text, size_t length)
{
	size_t colon = length;

	while (colon && text[colon - 1] != ':')
		colon--;
	if (colon < 2 || colon == length ||
	    (memchr(text, ':', colon - 1) && text[colon - 2] != ']'))
		return length;
	if (strspn(text + colon, "0123456789-*") < length - colon &&
	    (length - colon != 3 || strncasecmp(text + colon, "any", 3)))
		return length;
	return colon - 1;
}

/* The names of a cell without the ports behind them, which its row has in a cell of their own, or
 * which are those of the opener. */
static const char *ends_without_ports(struct work *w, struct drafted_row *row, const char *cell)
{
	struct buffer names = {.arena = w->s->arena};
	bool found = false;

	for (const char *at = cell; *at;) {
		size_t length = strcspn(at, ",;\n"), name = name_length(at, length);
		bool address = name < length && *at == '[' && at[name - 1] == ']';

		buffer_add(&names, at + address, name - 2 * address);
		found |= name < length;
		at += length;
		length = strspn(at, ",; \n");
		buffer_add(&names, at, length);
		at += length;
	}
	if (found)
		row_note(w->s, row, "the cell of an end: \"%s\"", text_one_line(w->s->arena, cell));
	return found ? names.text : cell;
}

/* A cell as the title of a role: its first line, or all of them when they are short names. */
static const char *peer_title(struct work *w, struct drafted_row *row, const char *cell,
			      const char *placeholder)
{
	struct arena *arena = w->s->arena;
	const char *title, *line;
	size_t longest = 0, length;

	cell = ends_without_ports(w, row, cell);
	title = cell;
	if (is_no_peer(cell)) {
		if (*cell)
			row_note(w->s, row, "where %s should be, the document says \"%s\"",
				 placeholder, cell);
		return placeholder;
	}
	if (is_any_host(cell))
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

/* ---------------------------------------------------------------- the document's words */

/* Of the headings and the text above, where no cell says it. */
static enum direction direction_above(const struct work *w)
{
	const struct sheet *s = w->s;
	const char *places[] = {w->section, w->grid->caption};
	enum direction found = DIR_UNKNOWN;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++)
		found = places[i] ? direction_of(places[i]) : DIR_UNKNOWN;
	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0 && !found;)
		found = s->headings[i] ? direction_of(s->headings[i]) : DIR_UNKNOWN;
	if (!found && w->before)
		found = direction_of(w->before);
	return found;
}

/* "From A to B" above the rows. */
static void ends_above(const struct work *w, struct ends *out)
{
	const char *places[] = {w->section, w->grid->caption, sheet_section(w->s)};

	for (size_t i = 0; i < ARRAY_SIZE(places) && !out->from && !out->to; i++)
		if (places[i])
			ends_of_heading(w->s->arena, places[i], out);
}

/* "Inbound: yes", "Outbound: no", each in a column of its own. */
static bool direction_of_switches(const struct work *w, enum direction *out)
{
	bool in = false, both = false, any = false;

	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i);
		enum direction heading = direction_of(w->layout->headings[i]);
		bool on = text_is(text, "yes|y|x|true|\u2713|\u2714|\u2705");

		if (w->layout->kinds[i] != COLUMN_DIRECTION)
			continue;
		if ((heading != DIR_IN && heading != DIR_OUT) ||
		    (!on && !text_is(text, "|no|n|-|false|\u2717|\u2718|\u274c")))
			return false;
		both |= on && any && in != (heading == DIR_IN);
		in = on ? heading == DIR_IN : in;
		any |= on;
	}
	if (!any)
		return false;
	*out = in ? DIR_IN : DIR_OUT;
	*out = both ? DIR_BOTH : *out;
	return true;
}

/* What the row itself says. False: it says something that is not understood. */
static bool ends_of_row(struct work *w, struct drafted_row *row, struct ends *out)
{
	const char *cell = cells_of(w, COLUMN_DIRECTION);

	*out = w->spoken;
	if (out->direction || out->from || out->to)
		return true;
	if (w->one && w->layout->directions[w->column]) {
		out->direction = w->layout->directions[w->column];
		return true;
	}
	if (direction_of_switches(w, &out->direction) ||
	    text_is(cell, "|-|--|n/a|na|none|not applicable"))
		return true;
	if (ends_of_cell(w->s->arena, cell, out)) {
		/* "Server listens": its name is for a person. */
		if ((out->direction == DIR_IN || out->direction == DIR_OUT) && !out->from &&
		    !out->to && strchr(cell, ' ') && !heading_is_direction(cell))
			row_note(w->s, row, "the direction is that of \"%s\"",
				 text_one_line(w->s->arena, cell));
		return true;
	}
	row_note(w->s, row, "the direction was not understood: \"%s\"",
		 text_one_line(w->s->arena, cell));
	return false;
}

/* "Incoming connections from A" in a description, where nothing else says who opens. False: it
 * may say so, in words that are not known. */
static bool ends_of_words(struct work *w, struct drafted_row *row, struct ends *out)
{
	bool known = true;

	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = text_one_line(w->s->arena, cell_text(w->row, i));
		enum column kind = w->layout->kinds[i];

		if (kind != COLUMN_PURPOSE && kind != COLUMN_SERVICE && kind != COLUMN_OTHER)
			continue;
		if (ends_of_sentence(w->s->arena, text, out) ||
		    (w->layout->pairs[i] && ends_of_cell(w->s->arena, text, out))) {
			row_note(w->s, row, "the direction is that of \"%s\"", text);
			return true;
		}
		if (!may_be_ends(w->s->arena, text))
			continue;
		row_note(w->s, row, "who opens may be said by \"%s\"", text);
		known = false;
	}
	return known;
}

/* The host that the section is about, or this-host. */
static const char *subject_find(const struct work *w)
{
	const struct sheet *s = w->s;
	const char *inner = sheet_section(s), *subject;
	size_t level = ARRAY_SIZE(s->headings);

	if (!inner)
		return role_this_host;
	while (level-- > 0 && !s->headings[level])
		continue;
	if (!heading_is_direction(inner)) {
		subject = subject_of_heading(s->arena, inner, s->subjects[level]);
		if (!subject || (!s->subjects[level] && (level < 2 || inner == s->first)))
			return role_this_host;
		return subject;
	}
	while (level-- > 2)
		if (s->headings[level])
			return heading_can_be_subject(s->headings[level]) ? s->headings[level]
									  : role_this_host;
	return role_this_host;
}

/* ---------------------------------------------------------------- both ends */

static const char *here_of(struct work *w, struct drafted_row *row)
{
	const char *subject = subject_find(w), *local = cells_of(w, COLUMN_LOCAL);

	return *local && !is_any_host(local) ? peer_title(w, row, local, subject) : subject;
}

static void ends_without_columns(struct work *w, struct drafted_row *row, const struct ends *said)
{
	static const char *const strangers[] = {
		[DIR_UNKNOWN] = role_peer,
		[DIR_IN] = role_inbound_peer,
		[DIR_OUT] = role_outbound_peer,
		[DIR_BOTH] = role_inbound_peer,
	};
	const char *peer = cells_of(w, COLUMN_PEER), *stranger = strangers[said->direction];
	const char *here = here_of(w, row);
	enum direction dir = said->direction;

	if (said->from || said->to) {
		row->from = said->from ? peer_title(w, row, said->from, role_inbound_peer) : here;
		row->to = said->to ? peer_title(w, row, said->to, role_outbound_peer) : here;
		return;
	}
	if (*peer)
		stranger = peer_title(w, row, peer, stranger);
	row->from = dir == DIR_OUT ? here : stranger;
	row->to = dir == DIR_OUT ? stranger : here;
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

/* "M <-> M", "A <-" in the cell of an end: the name or both names; false: not understood. */
static bool arrows_take(struct ends *said, enum column kind, const char **cell, const char **other,
			struct arena *arena)
{
	struct ends ends;
	bool named;

	if (!strpbrk(*cell, "<>") || !ends_of_cell(arena, *cell, &ends))
		return !strpbrk(*cell, "<>");
	named = ends.from && ends.to;
	if (named && **other && !is_no_peer(*other))
		return false;
	if (!ends.from && !ends.to)
		return false;
	if (ends.direction == DIR_BOTH)
		said->direction = DIR_BOTH;
	if (named) {
		*cell = kind == COLUMN_FROM ? ends.from : ends.to;
		*other = kind == COLUMN_FROM ? ends.to : ends.from;
		return true;
	}
	if (ends.direction != DIR_BOTH)
		said->swapped ^= kind == COLUMN_FROM ? ends.to != NULL : ends.from != NULL;
	*cell = ends.from ?: ends.to;
	return true;
}

/* Where the cells of both ends hold arrows; false: they are for a person. */
static bool ends_of_arrows(struct work *w, struct drafted_row *row, struct ends *said)
{
	const char *from = cells_of(w, COLUMN_FROM), *to = cells_of(w, COLUMN_TO);

	if (!strpbrk(from, "<>") && !strpbrk(to, "<>"))
		return false;
	if (!arrows_take(said, COLUMN_FROM, &from, &to, w->s->arena) ||
	    !arrows_take(said, COLUMN_TO, &to, &from, w->s->arena)) {
		row_note(w->s, row, "the ends were not understood: \"%s\", \"%s\"",
			 text_one_line(w->s->arena, from), text_one_line(w->s->arena, to));
		row->candidate = true;
	}
	row->from = peer_title(w, row, from, role_inbound_peer);
	row->to = peer_title(w, row, to, role_outbound_peer);
	return true;
}

static void ends_of_columns(struct work *w, struct drafted_row *row, struct ends *said)
{
	bool from = has_column(w, COLUMN_FROM), to = has_column(w, COLUMN_TO);
	const char *here = from && to ? role_this_host : here_of(w, row);

	row->from = said->direction == DIR_IN ? role_inbound_peer : here;
	row->to = said->direction == DIR_OUT ? role_outbound_peer : here;
	if (!from && said->from)
		row->from = peer_title(w, row, said->from, role_inbound_peer);
	if (!to && said->to)
		row->to = peer_title(w, row, said->to, role_outbound_peer);
	if (!(from && to && ends_of_arrows(w, row, said))) {
		if (from)
			row->from = peer_title(w, row, side_cell(w, row, COLUMN_FROM),
					       role_inbound_peer);
		if (to)
			row->to = peer_title(w, row, side_cell(w, row, COLUMN_TO),
					     role_outbound_peer);
	}
	if (from && to && said->swapped) {
		const char *source = row->from;

		row->from = row->to;
		row->to = source;
	}
}

bool row_ends_set(struct work *w, struct drafted_row *row, enum direction *direction)
{
	bool columns = has_column(w, COLUMN_FROM) || has_column(w, COLUMN_TO), understood;
	struct ends said;

	understood = ends_of_row(w, row, &said);
	if (understood && !said.direction && !said.from && !said.to) {
		if (!columns && !*cells_of(w, COLUMN_PEER))
			ends_above(w, &said);
		if (!said.from && !said.to)
			said.direction = direction_above(w);
		if (!said.direction && !said.from && !said.to && !columns)
			understood = ends_of_words(w, row, &said);
	}
	*direction = said.direction;
	if (columns) {
		ends_of_columns(w, row, &said);
		*direction = said.direction;
		return !row->candidate;
	}
	ends_without_columns(w, row, &said);
	row->undirected = !said.direction && !said.from && !said.to;
	if (row->undirected && w->layout->ends_unknown) {
		row_note(w->s, row, "which of the names opens is not said by their headings");
		row->from = peer_title(w, row, cell_text(w->row, w->layout->names[0]), role_peer);
		row->to =
			peer_title(w, row, cell_text(w->row, w->layout->names[1]), role_this_host);
		return false;
	}
	if (understood && row->undirected)
		row_note(w->s, row, "no direction given: taken as opened by the peer");
	return understood;
}
