/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The meaning of each column of a grid: by its heading, else by its cells.
 */
#include "ends.h"
#include "layout.h"

const char *cell_text(const struct grid_row *row, size_t column)
{
	return column < row->count ? row->cells[column].text : "";
}

static bool has_digit(const char *text)
{
	return strpbrk(text, "0123456789");
}

/* Without a row that is marked as headings, the first may be one all the same. */
static bool row_reads_as_headings(const struct grid_row *row)
{
	size_t known = 0, port = 0, digits = 0;
	bool from = false, to = false;

	for (size_t i = 0; i < row->count; i++) {
		enum column kind = column_of(row->cells[i].text);

		known += kind != COLUMN_OTHER;
		port += kind == COLUMN_PORT || kind == COLUMN_PROTOCOL;
		from |= kind == COLUMN_FROM;
		to |= kind == COLUMN_TO;
		digits += has_digit(row->cells[i].text);
	}
	return known >= 2 && (port || (from && to && known >= 3)) && !digits;
}

/* Headings again, perhaps in another order: all of them are known. */
bool row_is_heading(const struct grid_row *row)
{
	size_t filled = 0, known = 0;

	for (size_t i = 0; i < row->count; i++) {
		filled += *row->cells[i].text != '\0';
		known += column_of(row->cells[i].text) != COLUMN_OTHER;
	}
	return row_reads_as_headings(row) && known == filled && known >= 3;
}

/* A title over the rows below it, in the cells of a heading. */
static bool row_is_one_text(const struct grid_row *row)
{
	for (size_t i = 1; i < row->count; i++)
		if (*row->cells[i].text && !str_equal(row->cells[i].text, row->cells[0].text))
			return false;
	return true;
}

static size_t headings_count(const struct grid *grid)
{
	size_t count = 0;

	while (count < grid->count && grid->rows[count].heading &&
	       !(count && row_is_one_text(&grid->rows[count])))
		count++;
	/* A title may come before them. */
	for (size_t i = 0; !count && i < grid->count && i < 5; i++)
		if (row_reads_as_headings(&grid->rows[i]))
			count = i + 1;
	/* Headings over headings. */
	while (count && !grid->rows[count - 1].heading && count < grid->count &&
	       row_reads_as_headings(&grid->rows[count]))
		count++;
	return count;
}

/* Headings over several columns and their parts are one text. */
static const char *heading_of(struct page *page, const struct grid *grid, size_t rows,
			      size_t column)
{
	const char *text = "";

	/* What is above headings that are not marked is a title. */
	for (size_t i = rows && !grid->rows[0].heading ? rows - 1 : 0; i < rows; i++) {
		const char *one = cell_text(&grid->rows[i], column);

		/* A title over the whole grid is no heading of a column. */
		if (rows > 1 && !i && grid->rows[0].count > 1 &&
		    str_equal(one, cell_text(&grid->rows[0], 0)) &&
		    str_equal(one, cell_text(&grid->rows[0], grid->rows[0].count - 1)))
			continue;
		if (!strstr(text, one))
			text = arena_printf(page->arena, "%.500s%s%.200s", text, *text ? " " : "",
					    one);
	}
	return text_one_line(page->arena, text);
}

struct vote {
	size_t tails;		 /* "B:443" */
	size_t pairs, sentences; /* "A to B", with known words for hosts */
	size_t filled, ports, strong, numbers, protocols, directions, actions, verdicts, allows,
		names, addresses, switches;
	bool several; /* not all cells are the same */
};

static bool is_address(const char *text)
{
	return strchr(text, '.') && strspn(text, "0123456789./-") == strlen(text);
}

static bool ends_with_port(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon && colon > text && colon[1] &&
	       strspn(colon + 1, "0123456789-") == strlen(colon + 1);
}

static struct vote column_vote(struct arena *arena, const struct grid *grid, size_t first,
			       size_t column, const char *heading)
{
	struct vote vote = {0};
	const char *before = NULL;
	struct ends ends;

	for (size_t i = first; i < grid->count && i < first + 200; i++) {
		const char *text = cell_text(&grid->rows[i], column);
		struct port_reading reading;

		if (!*text || strlen(text) > 400 || text_is(text, "-|--|n/a|na|none"))
			continue;
		ports_read(text, &reading);
		vote.filled++;
		vote.numbers += reading.count && !reading.leftover;
		vote.ports += reading.count > 0;
		vote.strong += reading.count && reading.ranges[0].protocols && !reading.leftover;
		vote.protocols += !reading.count && reading.bare;
		vote.directions += ends_of_cell(arena, text, &ends);
		vote.pairs += ends.from && ends.to;
		vote.sentences += ends_of_sentence(arena, text, &ends);
		vote.actions += action_of(text) != ACTION_UNKNOWN;
		vote.verdicts += action_below(heading, text) != ACTION_UNKNOWN;
		vote.allows += text_is(text, "allow|allowed|permit|permitted|accept|accepted");
		vote.switches += text_is(text, "yes|no|y|n|x|true|false|optional|required|"
					       "mandatory|always|never");
		vote.addresses += is_address(text);
		vote.tails += ends_with_port(text);
		vote.several |= before && !str_equal(text, before);
		before = text;
		vote.names += !has_digit(text) && strlen(text) < 48 &&
			      !strchr(".:", text[strlen(text) - 1]);
	}
	return vote;
}

/* A heading can lie: "Protocol" over "TCP 443", "TCP" over "443". */
static void protocol_column_check(struct layout *layout, size_t column, const struct vote *vote)
{
	bool named = text_has(layout->headings[column], "tcp|udp");

	/* "TCP (6)" under "Protocol" is no port where another column has them. */
	if (layout->kinds[column] == COLUMN_PROTOCOL && vote->filled && (named || !layout->ports) &&
	    vote->numbers * 2 > vote->filled)
		layout->kinds[column] = COLUMN_PORT;
	if (layout->kinds[column] == COLUMN_OTHER && vote->filled &&
	    vote->protocols * 10 >= vote->filled * 8)
		layout->kinds[column] = COLUMN_PROTOCOL;
}

static bool layout_has(const struct layout *layout, enum column kind)
{
	for (size_t i = 0; i < layout->columns; i++)
		if (layout->kinds[i] == kind)
			return true;
	return false;
}

/* "Rule 1, 2, 3" */
static bool is_numbering(const char *heading)
{
	return text_is(heading, "#|no|no.|nr|nr.|number|rule|rules|rule #|rule no|rule no.|"
				"rule number|order|priority|seq|sequence|id|index|item|step|line|"
				"row|position|weight|metric");
}

/* Ports without a heading that says so: "443/tcp" all down, or numbers beside protocols. */
static void ports_by_content(struct layout *layout, const struct vote *votes)
{
	bool protocol = layout_has(layout, COLUMN_PROTOCOL);
	bool sides = layout_has(layout, COLUMN_FROM) && layout_has(layout, COLUMN_TO);

	for (size_t i = 0; i < layout->columns; i++) {
		const struct vote *vote = &votes[i];
		size_t fit = protocol ? vote->numbers : vote->strong;

		/* "HTTPS (443)", "All ICMP" beside both ends. */
		if (sides && !protocol)
			fit = vote->ports + vote->protocols;
		else if (sides && layout->kinds[i] == COLUMN_TO)
			fit = vote->tails;

		if (layout->kinds[i] != COLUMN_PROTOCOL && vote->filled && fit * 2 > vote->filled &&
		    !is_numbering(layout->headings[i])) {
			layout->ends_hold_ports =
				layout->kinds[i] == COLUMN_TO || layout->kinds[i] == COLUMN_PEER;
			layout->column = i;
			if (!layout->ends_hold_ports)
				layout->kinds[i] = COLUMN_PORT;
			return;
		}
	}
}

/* Ports below "Inbound" and "Outbound", or "Inbound ports": the heading is a direction. */
static void ports_by_direction(struct layout *layout, const struct vote *votes)
{
	bool ports = layout_has(layout, COLUMN_PORT);

	for (size_t i = 0; i < layout->columns; i++) {
		enum direction way = direction_of(layout->headings[i]);
		bool numbers = votes[i].numbers && votes[i].numbers * 2 >= votes[i].filled;

		if (way != DIR_IN && way != DIR_OUT)
			continue;
		layout->ways[i] = way;
		if (layout->kinds[i] == COLUMN_PORT ||
		    (!ports && layout->kinds[i] == COLUMN_DIRECTION && numbers)) {
			layout->kinds[i] = COLUMN_PORT;
			layout->directions[i] = way;
			layout->directions_differ = true;
		}
	}
}

/* Words for directions or actions all down, under any heading. */
static void columns_by_words(struct layout *layout, const struct vote *votes)
{
	bool direction = layout_has(layout, COLUMN_DIRECTION),
	     action = layout_has(layout, COLUMN_ACTION);

	for (size_t i = 0; i < layout->columns; i++) {
		const struct vote *vote = &votes[i];

		/* "Access: read" is no action. */
		if (layout->kinds[i] == COLUMN_ACTION && !vote->verdicts)
			layout->kinds[i] = COLUMN_OTHER;
		if (!vote->filled ||
		    (layout->kinds[i] != COLUMN_OTHER && layout->kinds[i] != COLUMN_SERVICE))
			continue;
		/* Where one cell says "Allow", another that says something else does not. */
		if (!action && (vote->allows || vote->actions == vote->filled)) {
			layout->kinds[i] = COLUMN_ACTION;
			action = true;
		} else if (!direction && vote->directions == vote->filled) {
			layout->kinds[i] = COLUMN_DIRECTION;
			direction = true;
		}
	}
}

/* Without headings: two columns of names before the ports are source and destination. */
static void sides_by_order(struct layout *layout, const struct vote *votes)
{
	size_t names[2], count = 0;

	if (layout->first || layout_has(layout, COLUMN_DIRECTION))
		return;
	for (size_t i = 0; i < layout->columns && layout->kinds[i] != COLUMN_PORT &&
			   layout->kinds[i] != COLUMN_PROTOCOL;
	     i++) {
		if (layout->kinds[i] != COLUMN_OTHER || !votes[i].filled ||
		    votes[i].names < votes[i].filled)
			continue;
		if (count < 2)
			names[count] = i;
		count++;
	}
	if (count != 2)
		return;
	layout->kinds[names[0]] = COLUMN_FROM;
	layout->kinds[names[1]] = COLUMN_TO;
}

/* "Used by" is the peer where the row has a direction; else it may be anything. */
static void peers_check(struct layout *layout)
{
	for (size_t i = 0; i < layout->columns; i++)
		if (layout->kinds[i] == COLUMN_PEER && !layout_has(layout, COLUMN_DIRECTION) &&
		    text_has(layout->headings[i], "used by|required by|needed by"))
			layout->kinds[i] = COLUMN_PURPOSE;
}

/* "Component" beside "Connects to" opens. */
static bool opens_by_heading(const struct layout *layout, size_t column)
{
	static const char verbs[] = "connects to|connect to|talks to|speaks to|contacts|calls";

	if (!text_is(layout->headings[column],
		     "component|components|node|role|module|system|host|machine|product|name"))
		return false;
	for (size_t i = 0; i < layout->columns; i++)
		if (layout->kinds[i] == COLUMN_TO && text_has(layout->headings[i], verbs))
			return true;
	return false;
}

/* Two words that only together are source and destination. */
static void sides_by_pair(struct layout *layout)
{
	static const char *const pairs[][2] = {
		{"consumer|consumers|service consumer", "provider|providers|service provider"},
		{"initiator", "responder"},
		{"client|clients", "server|servers"},
		{"sender", "recipient|receiver"},
		{"subscriber|subscribers", "publisher|publishers"},
		{"requester|requestor|requesting host", "responder|responding host"},
		{"opener|opening host|opened from", "opened to"},
	};

	for (size_t pair = 0; pair < ARRAY_SIZE(pairs); pair++) {
		size_t side[2] = {SIZE_MAX, SIZE_MAX};

		for (size_t i = 0; i < layout->columns; i++)
			for (size_t k = 0; k < 2; k++)
				if (text_is(layout->headings[i], pairs[pair][k]))
					side[k] = i;
		if (side[0] == SIZE_MAX || side[1] == SIZE_MAX)
			continue;
		layout->kinds[side[0]] = COLUMN_FROM;
		layout->kinds[side[1]] = COLUMN_TO;
		return;
	}
}

static bool is_end_column(const struct layout *layout, const struct vote *vote, size_t column)
{
	return layout->kinds[column] == COLUMN_OTHER && vote->filled &&
	       vote->names + vote->addresses == vote->filled && vote->switches * 2 < vote->filled &&
	       !is_numbering(layout->headings[column]);
}

/* Two columns of names that no heading explains. */
static void ends_unknown_find(struct layout *layout, const struct vote *votes)
{
	size_t count = 0;

	for (size_t i = 0; i < layout->columns; i++) {
		if (layout->kinds[i] == COLUMN_FROM || layout->kinds[i] == COLUMN_TO ||
		    layout->kinds[i] == COLUMN_PEER)
			return;
		if (!is_end_column(layout, &votes[i], i))
			continue;
		if (count < ARRAY_SIZE(layout->names))
			layout->names[count] = i;
		count++;
	}
	layout->ends_unknown = count == 2;
}

/* "Host: Master", "Agent", each with its own directions: the host that a row is about. */
static void hosts_find(struct layout *layout, const struct vote *votes)
{
	if (!layout->directions_differ && !layout_has(layout, COLUMN_DIRECTION))
		return;
	if (layout_has(layout, COLUMN_LOCAL))
		return;
	for (size_t i = 0; i < layout->columns; i++)
		if ((layout->kinds[i] == COLUMN_FROM || layout->kinds[i] == COLUMN_TO) &&
		    !layout->ways[i])
			return;
	for (size_t i = 0; i < layout->columns; i++)
		if (layout->kinds[i] == COLUMN_SERVICE && votes[i].several &&
		    votes[i].names == votes[i].filled &&
		    text_is(layout->headings[i],
			    "host|node|component|system|server|machine|device|role|vm|instance|"
			    "host name|hostname|node type|host type|server role|node role|appliance")) {
			layout->kinds[i] = COLUMN_LOCAL;
			return;
		}
}

static void sides_complete(struct layout *layout, const struct vote *votes)
{
	bool from = layout_has(layout, COLUMN_FROM), to = layout_has(layout, COLUMN_TO);
	bool peer = from || to || layout_has(layout, COLUMN_PEER);
	bool directed = layout->directions_differ || layout_has(layout, COLUMN_DIRECTION);

	for (size_t i = 0; i < layout->columns; i++) {
		enum column *kind = &layout->kinds[i];

		if (from && !to && *kind == COLUMN_SERVICE &&
		    text_is(layout->headings[i], "server|servers|service|host"))
			*kind = COLUMN_TO, to = true;
		if (to && !from && *kind == COLUMN_SERVICE && opens_by_heading(layout, i))
			*kind = COLUMN_FROM, from = true;
		/* Names without a heading, beside "Inbound" and "Outbound". */
		if (layout->first && directed && !peer && *kind == COLUMN_OTHER &&
		    !*layout->headings[i] && votes[i].filled && votes[i].names == votes[i].filled)
			*kind = COLUMN_PEER, peer = true;
	}
}

void layout_find(struct page *page, const struct grid *grid, struct layout *out)
{
	struct vote votes[PAGE_COLUMNS_MAX];

	memset(out, 0, sizeof(*out));
	out->first = headings_count(grid);
	for (size_t i = 0; i < grid->count; i++)
		out->columns =
			grid->rows[i].count > out->columns ? grid->rows[i].count : out->columns;
	for (size_t i = 0; i < out->columns; i++) {
		out->headings[i] = heading_of(page, grid, out->first, i);
		out->kinds[i] = column_of(out->headings[i]);
		out->protocols[i] = protocols_read(out->headings[i]) & PROTOCOLS_PORTS;
		votes[i] = column_vote(page->arena, grid, out->first, i, out->headings[i]);
	}
	sides_by_pair(out);
	out->ports = layout_has(out, COLUMN_PORT);
	for (size_t i = 0; i < out->columns; i++) {
		protocol_column_check(out, i, &votes[i]);
		out->pairs[i] = votes[i].pairs > 2 && votes[i].pairs == votes[i].filled &&
				votes[i].sentences * 2 > votes[i].filled;
	}
	ports_by_direction(out, votes);
	if (!layout_has(out, COLUMN_PORT) && !layout_has(out, COLUMN_REFUSED))
		ports_by_content(out, votes);
	/* "Source port" alone, beside nothing else, is the port. */
	for (size_t i = 0; i < out->columns && !layout_has(out, COLUMN_PORT); i++)
		if (out->kinds[i] == COLUMN_SOURCE_PORT)
			out->kinds[i] = COLUMN_PORT;
	columns_by_words(out, votes);
	peers_check(out);
	sides_complete(out, votes);
	sides_by_order(out, votes);
	hosts_find(out, votes);
	ends_unknown_find(out, votes);
	out->ports = layout_has(out, COLUMN_PORT) || layout_has(out, COLUMN_REFUSED) ||
		     out->ends_hold_ports;
}

/* "From \\ To", "Source / Destination": the first names the rows, the second the columns. */
static bool is_matrix(const struct grid *grid, bool *turned)
{
	static const char from[] = "from|source|src", to[] = "to|destination|dest|dst|target";
	const struct grid_row *head = grid->rows;
	const char *corner = grid->count > 1 ? cell_text(head, 0) : "";
	size_t length = strcspn(corner, "\\/>|");
	struct port_reading reading;
	bool ports = false;
	char first[32];

	if (!corner[length] || length >= sizeof(first) || head->count < 3)
		return false;
	snprintf(first, sizeof(first), "%.*s", (int)length, corner);
	*turned = text_has(first, to) && text_has(corner + length, from);
	if (!*turned && !(text_has(first, from) && text_has(corner + length, to)))
		return false;
	for (size_t i = 1; i < head->count; i++)
		if (column_of(head->cells[i].text) != COLUMN_OTHER || !*head->cells[i].text)
			return false;
	for (size_t i = 1; i < grid->count; i++)
		for (size_t k = 1; k < grid->rows[i].count; k++) {
			ports_read(grid->rows[i].cells[k].text, &reading);
			ports |= reading.count > 0;
		}
	return ports;
}

static void matrix_add(struct page *page, struct grid *out, const struct grid_row *row,
		       const char *const ends[2], const char *port)
{
	struct grid_row *new = grid_add_row(page, out, row->line);

	new->last = row->last;
	row_add_text(page, new, ends[0]);
	row_add_text(page, new, ends[1]);
	row_add_text(page, new, port);
}

bool matrix_unfold(struct page *page, const struct grid *grid, struct grid *out)
{
	const char *ends[2] = {"From", "To"};
	bool turned;

	if (!is_matrix(grid, &turned))
		return false;
	*out = (struct grid){.caption = grid->caption};
	matrix_add(page, out, grid->rows, ends, "Port");
	for (size_t i = 1; i < grid->count; i++) {
		const struct grid_row *row = &grid->rows[i];

		for (size_t k = 1; k < row->count; k++) {
			const char *ports = cell_text(row, k);

			ends[turned] = cell_text(row, 0);
			ends[!turned] = cell_text(grid->rows, k);
			if (!text_is(ports, "|-|--|n/a|na|none|no|x"))
				matrix_add(page, out, row, ends, ports);
		}
	}
	return true;
}

bool layout_speaks(const struct layout *layout)
{
	for (size_t i = 0; i < layout->columns; i++)
		if ((layout->kinds[i] >= COLUMN_FROM && layout->kinds[i] <= COLUMN_DIRECTION) ||
		    text_has(layout->headings[i], "from|to|source|destination|inbound|outbound"))
			return true;
	return false;
}

bool layout_repeats(const struct layout *layout, const struct grid_row *row)
{
	size_t same = 0, filled = 0;

	for (size_t i = 0; i < row->count; i++) {
		if (!*row->cells[i].text)
			continue;
		filled++;
		same += str_equal(row->cells[i].text, layout->headings[i]);
	}
	return filled > 1 && same == filled;
}
