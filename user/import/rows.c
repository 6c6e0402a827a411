/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the rows of a grid to the rows of a draft: who opens, to whom, on which ports. Every row of
 * the grid ends up as a row of the draft or among the unparsed texts.
 */
#include "prose.h"
#include "row.h"
#include "rows.h"

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

/* "(TCP and UDP)" in a cell beside that of the ports. */
static protocols transport_beside(const struct work *w, const char **cell)
{
	static const enum column kinds[] = {COLUMN_SERVICE, COLUMN_PURPOSE, COLUMN_OTHER,
					    COLUMN_DIRECTION};
	protocols found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !found; i++) {
		*cell = cells_of(w, kinds[i]);
		found = protocols_read(*cell) & PROTOCOLS_PORTS;
	}
	return found;
}

/* The transport when the cell of ports has none: the best evidence of the page. */
static protocols transport_of(struct work *w, struct drafted_row *row, protocols heading)
{
	const char *protocol = cells_of(w, COLUMN_PROTOCOL), *beside = "";
	protocols found = *protocol ? 0 : heading;

	if (!found && !*protocol && (found = transport_beside(w, &beside))) {
		row_note(w->s, row, "transport from the cell \"%s\"",
			 text_one_line(w->s->arena, beside));
		return found;
	}
	found = found ?: w->s->assumed;
	if (found && !*protocol) {
		row_note(w->s, row, "transport from the heading");
		return found;
	}
	found = protocols_usual(protocol);
	if (!found && *protocol && !text_is(protocol, "-|--|n/a|na|none|tbd|various|?")) {
		w->foreign = true;
		return 1;
	}
	found = found ?: protocols_usual(cells_of(w, COLUMN_PORT));
	found = found ?: protocols_usual(cells_of(w, COLUMN_SERVICE));
	if (found) {
		row_note(w->s, row, "transport not given: the usual one of the protocol");
		return found;
	}
	row_note(w->s, row, "transport not given: tcp assumed");
	return 1;
}

static bool is_every_protocol(const char *cell)
{
	return text_is(cell, "any|all|*|ip|any protocol|all protocols");
}

static void bare_append(struct work *w, struct drafted_row *row, protocols bare)
{
	for (unsigned bit = 0; protocols_name(bit); bit++)
		if (bare & (protocols)1 << bit)
			row_service(w->s, row,
				    arena_printf(w->s->arena, "any/%s", protocols_name(bit)));
}

static void ranges_append(struct work *w, struct drafted_row *row, struct port_reading *reading,
			  protocols heading)
{
	const char *cell = cells_of(w, COLUMN_PROTOCOL);
	protocols all = protocols_read(cell) & PROTOCOLS_PORTS, usual = 0;
	bool paired = reading->segments > 1 && segments_of(cell) == reading->segments;
	bool every = is_every_protocol(cell), portless = !all && protocols_read(cell);

	for (size_t i = 0; i < reading->count; i++) {
		struct port_range *range = &reading->ranges[i];
		bool any = range->first == 0 && range->last == 65535;

		/* Types of ICMP, "all" of a protocol that has no ports. */
		if (portless && !range->protocols)
			continue;
		/* "IP, 50" is the number of a protocol. */
		if (text_is(cell, "ip|ip protocol") && range->first == range->last &&
		    protocols_number(range->first) & ~(protocols)PROTOCOLS_PORTS) {
			bare_append(w, row, protocols_number(range->first));
			continue;
		}
		if (!range->protocols && paired)
			range->protocols =
				protocols_of_segment(cell, range->segment) & PROTOCOLS_PORTS;
		if (!range->protocols)
			range->protocols = all;
		if (!range->protocols && !*cell)
			range->protocols = heading;
		if (!range->protocols && every)
			range->protocols = 3;
		if (!range->protocols && !any) {
			usual = usual ?: transport_of(w, row, heading);
			range->protocols = usual;
		}
		if (every && any)
			range->protocols = 0;
		row_add_range(w->s, row, range);
	}
	if (paired && all && all != protocols_of_segment(cell, 0))
		row_note(w->s, row, "ports and protocols were paired line by line");
}

static protocols transport_alone(const char *cell)
{
	protocols named = protocols_read(cell) & PROTOCOLS_PORTS;

	return named & (named - 1) ? 0 : named;
}

static void port_column_read(struct work *w, struct drafted_row *row, size_t column)
{
	const char *cell = w->part ?: cell_text(w->row, column);
	struct port_reading reading;
	protocols named = protocols_read(cells_of(w, COLUMN_PROTOCOL));
	protocols heading = w->layout->protocols[column];
	bool portless = named && !(named & PROTOCOLS_PORTS);

	ports_read(cell, &reading);
	/* "8080/tcp or 80 if root" */
	if (!heading && w->part)
		heading = transport_alone(cell_text(w->row, column));
	ranges_append(w, row, &reading, heading);
	bare_append(w, row, reading.bare & ~(protocols)PROTOCOLS_PORTS);
	w->cut |= reading.cut;
	if (reading.leftover || (reading.vague && reading.count) || (portless && reading.count))
		row_note(w->s, row, "the cell of ports: \"%s\"", text_one_line(w->s->arena, cell));
}

/* All of ICMP, where the row names types: these alone. */
static void icmp_narrow(struct work *w, struct drafted_row *row, const struct icmp_reading *types)
{
	struct drafted_row narrow = {0};

	for (size_t i = 0; i < row->service_count; i++)
		if (!str_starts(row->services[i], "any/icmp"))
			row_service(w->s, &narrow, row->services[i]);
	for (size_t i = 0; i < types->count; i++) {
		const struct icmp_type *one = &types->list[i];
		const char *text = arena_printf(w->s->arena, "%s/%u", one->family, one->type);

		if (one->code >= 0)
			text = arena_printf(w->s->arena, "%s/%d", text, one->code);
		row_service(w->s, &narrow, text);
	}
	row->services = narrow.services;
	row->service_count = narrow.service_count;
	row->service_capacity = narrow.service_capacity;
}

/* A purpose counts where it is nothing but types; "ping" may be a use of all of ICMP. */
static void icmp_types(struct work *w, struct drafted_row *row)
{
	static const enum column kinds[] = {COLUMN_PORT, COLUMN_PROTOCOL, COLUMN_SERVICE,
					    COLUMN_PURPOSE, COLUMN_OTHER};
	struct icmp_reading types;
	protocols named = 0;

	for (size_t i = 0; i < row->service_count; i++)
		if (str_starts(row->services[i], "any/icmp"))
			named |= protocols_read(row->services[i] + 4);
	for (size_t i = 0; named && i < ARRAY_SIZE(kinds); i++) {
		bool port = kinds[i] == COLUMN_PORT;
		const char *text = port && w->part ? w->part : cells_of(w, kinds[i]);
		bool said = kinds[i] == COLUMN_PURPOSE || kinds[i] == COLUMN_OTHER;

		if (port && text_is(text, "any|all|*"))
			return;
		/* "8, 0" beside "ICMP"; "1" is its own number. */
		if (port && *text && strspn(text, "0123456789,;/ \n") == strlen(text) &&
		    !text_is(text, "1|58"))
			text = arena_printf(w->s->arena, "types %s", text);
		icmp_read(text, named, &types);
		if (!types.count || (said && (types.leftover || text_is(text, "ping|pings"))))
			continue;
		icmp_narrow(w, row, &types);
		return;
	}
}

/* "Type: Custom ICMP - IPv4", beside a cell of protocols that has none: "Echo Request". */
static protocols protocols_of_type(const struct work *w)
{
	protocols found = protocols_read(cells_of(w, COLUMN_SERVICE));

	for (size_t i = 0; i < w->layout->columns && !found; i++)
		if (w->layout->kinds[i] == COLUMN_OTHER && text_has(w->layout->headings[i], "type"))
			found = protocols_read(cell_text(w->row, i));
	return found & ~(protocols)PROTOCOLS_PORTS;
}

static void ports_read_row(struct work *w, struct drafted_row *row)
{
	const char *protocol = cells_of(w, COLUMN_PROTOCOL), *port = cells_of(w, COLUMN_PORT);
	protocols named = protocols_read(protocol);

	for (size_t i = 0; i < w->layout->columns; i++)
		if (w->layout->kinds[i] == COLUMN_PORT && (!w->one || i == w->column))
			port_column_read(w, row, i);
	bare_append(w, row, named & ~(protocols)PROTOCOLS_PORTS);
	if (!row->service_count && !named && text_is(port, "|-|n/a|na|all|any"))
		bare_append(w, row, protocols_of_type(w));
	icmp_types(w, row);
	if (!row->service_count && text_is(port, "|-|n/a|na") && is_every_protocol(protocol))
		row_service(w->s, row, "any");
}

/* ---------------------------------------------------------------- the rest of a row */

static void words_set(struct work *w, struct drafted_row *row)
{
	struct arena *arena = w->s->arena;
	const char *service = text_one_line(arena, cells_of(w, COLUMN_SERVICE));
	const char *purpose = text_one_line(arena, cells_of(w, COLUMN_PURPOSE));

	row->purpose = *service ? service : purpose;
	if (*service && *purpose)
		row->purpose = arena_printf(arena, "%s: %s", service, purpose);
	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i), *heading = w->layout->headings[i];
		enum column kind = w->layout->kinds[i];

		if (*text &&
		    (kind == COLUMN_OTHER || kind == COLUMN_SOURCE_PORT ||
		     kind == COLUMN_REFUSED) &&
		    !text_is(heading, "#|no|no.|nr|nr."))
			row_note(w->s, row, "%s%s%s", heading, *heading ? ": " : "",
				 text_one_line(arena, text));
		if (*text && kind == COLUMN_PROTOCOL && !protocols_read(protocol_cell(text)))
			row_note(w->s, row, "%s: %s", heading, text_one_line(arena, text));
	}
	if (w->layout->first && w->row->written < w->layout->columns)
		row_note(w->s, row, "the row has %zu cells, the headings are %zu", w->row->written,
			 w->layout->columns);
	else if (w->row->written > w->row->count)
		row_note(w->s, row, "the row has more cells than the headings: %s",
			 page_line(w->s->page, w->row->line));
	if (w->section)
		row->section = sheet_section(w->s) ? arena_printf(arena, "%.200s: %.200s",
								  sheet_section(w->s), w->section)
						   : w->section;
}

static const char *row_words(const struct work *w)
{
	struct buffer text = {.arena = w->s->arena};

	buffer_puts(&text, "");
	for (size_t i = 0; i < w->row->count; i++)
		buffer_printf(&text, "%s%s", i ? " | " : "",
			      text_one_line(w->s->arena, w->row->cells[i].text));
	return text.text;
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
	/* "The rows below are for 2024." */
	if (reading.count && !(reading.leftover && w->layout->columns > 2 && strchr(text, ' ')))
		return NULL;
	return text_one_line(w->s->arena, text);
}

/* ---------------------------------------------------------------- a row */

static void row_set_optional(struct work *w, struct drafted_row *row)
{
	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = cell_text(w->row, i), *heading = w->layout->headings[i];
		enum column kind = w->layout->kinds[i];
		enum optional said = OPTIONAL_UNKNOWN;
		bool port = kind == COLUMN_PORT;

		if (!*text || (port && w->one && i != w->column))
			continue;
		if (kind == COLUMN_OPTIONAL)
			said = optional_cell(heading, text);
		else if ((port && ports_conditional(w->part ?: text)) ||
			 (!port && text_says_optional(text) && strlen(text) < 2000))
			said = OPTIONAL_YES;
		if (kind == COLUMN_OPTIONAL && said == OPTIONAL_UNKNOWN && !is_no_peer(text))
			row_note(w->s, row, "%s: %s", heading, text_one_line(w->s->arena, text));
		if (said != OPTIONAL_YES)
			continue;
		row->optional = true;
		if (kind == COLUMN_OPTIONAL)
			text = arena_printf(w->s->arena, "%s: %s", heading, text);
		row->remark = row->remark ?: text_one_line(w->s->arena, text);
	}
}

static void row_set_condition(struct work *w, struct drafted_row *row)
{
	const struct sheet *s = w->s;
	const char *cell = cells_of(w, COLUMN_CONDITION);

	for (uint32_t line = row->line;
	     line <= row->last && line <= s->page->lines && !row->condition; line++)
		row->condition = s->page->conditions[line];
	if (!*cell || text_is(cell, "-|always|all|any|n/a|none|*"))
		return;
	cell = text_one_line(s->arena, cell);
	row->condition =
		row->condition ? arena_printf(s->arena, "%s and %s", row->condition, cell) : cell;
}

/* "Connects to: etcd: 2379/TCP" */
static bool end_has_ports(const struct work *w)
{
	static const enum column kinds[] = {COLUMN_FROM, COLUMN_TO, COLUMN_PEER};
	struct port_reading reading;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		ports_read(cells_of(w, kinds[i]), &reading);
		for (size_t k = 0; k < reading.count; k++)
			if (reading.ranges[k].protocols & PROTOCOLS_PORTS)
				return true;
	}
	return false;
}

static void row_read_part(struct work *w)
{
	struct sheet *s = w->s;
	struct drafted_row row = {
		.line = w->row->line, .last = w->row->last, .section = sheet_section(s)};
	enum direction dir;
	struct port_reading reading;

	w->foreign = w->cut = false;
	ports_read_row(w, &row);
	if (w->cut) {
		diag_warning(s->page->d,
			     (struct loc){.source = s->page->source, .line = row.line, .column = 1},
			     "too-many-ports", "part the cell into several rows",
			     "more than %d ports in a cell: the row is a comment", READING_RANGES);
		sheet_add_unparsed(s, row.line, "too many ports in a cell", row_words(w));
		return;
	}
	if (w->foreign) {
		sheet_add_unparsed(s, row.line, "a protocol that is not understood", row_words(w));
		return;
	}
	ports_read(cells_of(w, COLUMN_PORT), &reading);
	if (!row.service_count && !reading.vague && row_link(w->row))
		row.see = row_link(w->row);
	if (!row.service_count && !row.see) {
		sheet_add_unparsed(s, row.line,
				   reading.vague ? "ports without a number" : "a row without ports",
				   row_words(w));
		return;
	}
	row.candidate = !row_ends_set(w, &row, &dir);
	if (!row.candidate && end_has_ports(w)) {
		row.candidate = true;
		row_note(s, &row, "the cell of an end has ports of its own");
	}
	row.of = w->row;
	row.text = row_words(w);
	words_set(w, &row);
	row_set_optional(w, &row);
	row_set_condition(w, &row);
	*sheet_row(s, row.line) = row;
	if (dir == DIR_BOTH)
		row_reverse(s, &s->rows[s->count - 1]);
}

/* ---------------------------------------------------------------- "443 to A, 80 from B" */

enum side { SIDE_NONE, SIDE_BEFORE, SIDE_BEHIND };

/* Ends beside the ports of a text, and on which side of them. */
static enum side ends_beside(const struct work *w, const char *text, struct ends *out)
{
	struct port_reading reading;
	struct arena *arena = w->s->arena;

	ports_read(text, &reading);
	if (!reading.count && !reading.bare)
		return SIDE_NONE;
	if (ends_of_phrase(arena, text + reading.end, out))
		return SIDE_BEHIND;
	if (reading.begin && ends_of_phrase(arena, arena_strndup(arena, text, reading.begin), out))
		return SIDE_BEFORE;
	return SIDE_NONE;
}

/* Of what may part two statements about ports: a line, a sign, "and"; 0: it is none. */
static size_t separator_length(const char *cell, const char *at)
{
	if (*at && strchr("\n;,", *at))
		return 1;
	if (at > cell && at[-1] == ' ' && !strncmp(at, "/ ", 2))
		return 2;
	return at > cell && at[-1] == ' ' && !strncmp(at, "and ", 4) ? 4 : 0;
}

/* The same between ports under a condition and others: "8080 or 80 if root". */
static size_t alternative_length(const char *cell, const char *at)
{
	if (*at && strchr("\n;(", *at))
		return 1;
	return at > cell && at[-1] == ' ' && !strncmp(at, "or ", 3) ? 3 : 0;
}

static bool has_ports(const struct work *w, const char *text, const char *end)
{
	struct port_reading reading;

	ports_read(arena_strndup(w->s->arena, text, (size_t)(end - text)), &reading);
	return reading.count || reading.bare;
}

/* Both sides name ports: "80 (if root)" is one part. */
static bool is_alternative(const struct work *w, const char *cell, const char *at)
{
	const char *rest = at + alternative_length(cell, at), *end = rest;

	while (*end && !alternative_length(rest, end))
		end++;
	return rest > at && has_ports(w, rest, end) && has_ports(w, cell, at);
}

/* The end of the first part of a cell whose ports have ends or conditions of their own, or of the
 * cell. */
static const char *part_end(const struct work *w, const char *cell, bool conditional)
{
	struct ends ends;

	for (const char *at = cell; *at; at++) {
		const char *rest = at + separator_length(cell, at);
		enum side side;

		if (conditional && is_alternative(w, cell, at))
			return at;
		if (rest == at)
			continue;
		side = ends_beside(w, arena_strndup(w->s->arena, cell, (size_t)(at - cell)), &ends);
		if (side == SIDE_BEHIND ||
		    (side == SIDE_BEFORE && ends_beside(w, rest, &ends) == SIDE_BEFORE))
			return at;
	}
	return cell + strlen(cell);
}

static size_t part_gap(const char *cell, const char *at)
{
	return separator_length(cell, at) ?: alternative_length(cell, at);
}

/* Where the next statement of a cell about directions begins: "from A, outbound to B". */
static const char *way_next(const char *cell)
{
	const char *pair = strcasestr(cell, " to ");

	for (const char *at = cell; *at; at++) {
		size_t length = separator_length(cell, at);
		const char *rest;

		if (!length && at > cell && at[-1] == ' ' && !strncmp(at, "or ", 3))
			length = 3;
		rest = at + length + strspn(at + length, " ");
		if (length &&
		    (direction_begins(rest) || (pair && pair < at && strcasestr(rest, " to "))))
			return rest;
	}
	return NULL;
}

/* "Inbound from A; outbound to B": a row each. */
static void row_read_ways(struct work *w)
{
	const char *cell = cells_of(w, COLUMN_DIRECTION), *next;
	size_t count = 0, named = 0;
	struct ends ends[8];

	for (const char *at = cell; at && *at && count < ARRAY_SIZE(ends); at = next, count++) {
		size_t length;

		next = way_next(at);
		length = next ? (size_t)(next - at) : strlen(at);
		while (next && length && strchr(" ,;/\n", at[length - 1]))
			length--;
		if (next && length > 4 && !strncmp(at + length - 4, " and", 4))
			length -= 4;
		if (next && length > 3 && !strncmp(at + length - 3, " or", 3))
			length -= 3;
		if (!ends_of_cell(w->s->arena, arena_strndup(w->s->arena, at, length),
				  &ends[count]))
			break;
		named += ends[count].from || ends[count].to;
	}
	if (count < 2 || !named) {
		row_read_part(w);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		w->spoken = ends[i];
		row_read_part(w);
	}
	w->spoken = (struct ends){0};
}

static void row_read_parts(struct work *w, size_t column)
{
	const char *cell = cell_text(w->row, column), *end;
	bool one = w->one;
	bool conditional = ports_conditional(cell) && !way_next(cells_of(w, COLUMN_DIRECTION));

	if (strlen(cell) > 1000 ||
	    !(conditional || text_has(cell, "to|from|inbound|outbound|ingress|egress|incoming|"
					    "outgoing|between|in|out|bidirectional|>|<"))) {
		row_read_ways(w);
		return;
	}
	w->one = true;
	w->column = column;
	for (const char *begin = cell; *cell; cell = end + part_gap(begin, end)) {
		end = part_end(w, cell, conditional);
		w->part = text_tidy(w->s->arena,
				    arena_strndup(w->s->arena, cell, (size_t)(end - cell)), false);
		w->spoken = (struct ends){0};
		ends_beside(w, w->part, &w->spoken);
		if (*w->part)
			row_read_part(w);
	}
	w->one = one;
	w->part = NULL;
	w->spoken = (struct ends){0};
}

static size_t port_columns(const struct work *w, size_t *last)
{
	size_t count = 0;

	for (size_t i = 0; i < w->layout->columns; i++) {
		if (w->layout->kinds[i] != COLUMN_PORT)
			continue;
		*last = i;
		count++;
	}
	return count;
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
		row_read_part(w);
	}
	w->one = false;
	if (!any)
		row_read_part(w);
}

/* "Local port" and "Remote port": the listener's is that of the side which does not open. */
static bool row_read_listener(struct work *w)
{
	enum direction way = direction_of(cells_of(w, COLUMN_DIRECTION));
	size_t local = SIZE_MAX, remote = SIZE_MAX;

	for (size_t i = 0; i < w->layout->columns; i++) {
		if (text_is(w->layout->headings[i], "local port|local ports"))
			local = i;
		if (text_is(w->layout->headings[i], "remote port|remote ports"))
			remote = i;
	}
	if (local == SIZE_MAX || remote == SIZE_MAX)
		return false;
	if (way != DIR_IN && way != DIR_OUT) {
		sheet_add_unparsed(w->s, w->row->line, "local and remote ports without a direction",
				   row_words(w));
		return true;
	}
	w->one = true;
	w->column = way == DIR_IN ? local : remote;
	row_read_part(w);
	w->one = false;
	return true;
}

static void row_read(struct work *w)
{
	const char *why = row_refusal(w);
	size_t column = 0;

	if (why)
		sheet_add_unparsed(w->s, w->row->line, why, row_words(w));
	else if (w->layout->directions_differ)
		row_read_directions(w);
	else if (port_columns(w, &column) == 1)
		row_read_parts(w, column);
	else if (!row_read_listener(w))
		row_read_part(w);
}

/* ---------------------------------------------------------------- cells that moved */

static bool reads_as_protocol(const char *text)
{
	return strlen(text) < 40 &&
	       (protocols_read(text) || protocols_usual(text) || is_every_protocol(text));
}

static bool fits_at(const struct work *w, size_t shift)
{
	bool port = false;

	for (size_t i = 0; i < w->layout->columns; i++) {
		const char *text = i < shift ? "" : cell_text(w->row, i - shift);

		if (w->layout->kinds[i] == COLUMN_PORT)
			port |= ports_only(text);
		else if (w->layout->kinds[i] == COLUMN_PROTOCOL && !reads_as_protocol(text))
			return false;
	}
	return port;
}

/* Where cells above span rows, a converter leaves the row without them: its cells moved left. */
static void row_align(struct work *w, struct grid_row *row)
{
	size_t empty = 0;

	if (fits_at(w, 0) || !row->count ||
	    (w->layout->first && row->written >= w->layout->columns &&
	     !has_column(w, COLUMN_PROTOCOL)))
		return;
	while (empty < w->layout->columns && !*cell_text(w->row, w->layout->columns - 1 - empty))
		empty++;
	for (size_t shift = 1; shift <= empty && shift < w->layout->columns; shift++) {
		if (!fits_at(w, shift))
			continue;
		while (row->count < w->layout->columns && row_add_cell(w->s->page, row))
			continue;
		if (row->count < w->layout->columns)
			return;
		memmove(row->cells + shift, row->cells, (row->count - shift) * sizeof(*row->cells));
		for (size_t i = 0; i < shift; i++)
			row->cells[i] = (struct cell){.text = ""};
		row->written = row->count;
		return;
	}
}

/* "6800-" above "7300": a range that the page broke into two rows. */
static bool row_joins(const struct layout *layout, struct work *w, struct grid_row *next)
{
	struct arena *arena = w->s->arena;
	bool open = false;

	for (size_t i = 0; i < layout->columns; i++) {
		const char *text = cell_text(w->row, i), *more = cell_text(next, i);
		enum column kind = layout->kinds[i];

		if (kind == COLUMN_PORT)
			open |= text[0] >= '0' && text[0] <= '9' && text[strlen(text) - 1] == '-' &&
				*more >= '0' && *more <= '9';
		else if (*more && kind >= COLUMN_FROM && kind <= COLUMN_DIRECTION)
			return false;
	}
	for (size_t i = 0; i < layout->columns && i < next->count && open; i++) {
		const char *text = cell_text(w->row, i);
		const char *gap = layout->kinds[i] == COLUMN_PORT || !*text ? "" : " ";

		next->cells[i].text = arena_printf(arena, "%s%s%s", text, gap, next->cells[i].text);
	}
	next->line = open ? w->row->line : next->line;
	return open;
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

/* "B:443/tcp", "B (TCP 443)": the name of the end; its ports. */
static const char *end_split(struct arena *arena, const char *cell, const char **ports)
{
	static const char noise[] = " :(,;-@[\n";
	const char *colon = strrchr(cell, ':');
	struct port_reading reading;
	char *name;
	size_t length;

	*ports = "";
	ports_read(cell, &reading);
	if (colon && colon > cell && colon[1] >= '0' && colon[1] <= '9' &&
	    (memchr(cell, ':', (size_t)(colon - cell)) == NULL || colon[-1] == ']')) {
		*ports = colon + 1;
		return text_tidy(arena, arena_strndup(arena, cell, (size_t)(colon - cell)), false);
	}
	if (!reading.count && !reading.bare)
		return cell;
	*ports = arena_strndup(arena, cell + reading.begin, strlen(cell + reading.begin));
	name = arena_strndup(arena, cell, reading.begin);
	for (bool more = true; more;) {
		more = false;
		for (length = strlen(name); length && strchr(noise, name[length - 1]);)
			name[--length] = '\0';
		static const char *const words[] = {" on",  " port", " ports",
						    " via", " over", " at"};
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			size_t size = strlen(words[i]);

			if (length > size && !strcasecmp(name + length - size, words[i])) {
				name[length - size] = '\0';
				more = true;
			}
		}
	}
	if (!*name)
		*ports = "";
	return *name ? name : cell;
}

/* The ports of the cells of an end, into a column of their own. */
static void ends_part(struct sheet *s, const struct grid *grid, const struct layout *layout)
{
	for (size_t i = 0; i < grid->count; i++) {
		struct grid_row *row = &grid->rows[i];
		const char *ports = "Port";
		struct cell *cell;

		while (row->count < layout->columns && row_add_cell(s->page, row))
			continue;
		if (i >= layout->first && layout->column < row->count) {
			cell = &row->cells[layout->column];
			cell->text = end_split(s->arena, cell->text, &ports);
		}
		cell = row_add_cell(s->page, row);
		if (cell)
			cell->text = ports;
		row->written = row->count;
	}
}

static void part_rows(struct sheet *s, const struct grid *grid, const char *before)
{
	struct layout layout;
	struct work w = {.s = s, .grid = grid, .layout = &layout, .before = before};

	layout_find(s->page, grid, &layout);
	if (layout.ends_hold_ports && layout.columns < PAGE_COLUMNS_MAX) {
		ends_part(s, grid, &layout);
		layout_find(s->page, grid, &layout);
	}
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
		if (title) {
			w.section = title;
			if (!prose_rows(s, w.row->line, title))
				prose_add_unparsed(s, w.row->line, title);
			continue;
		}
		if (grid->footer && i + 1 == grid->count) {
			sheet_add_unparsed(s, w.row->line, "the foot of a table", row_words(&w));
			continue;
		}
		if (i + 1 < grid->count && row_joins(&layout, &w, &grid->rows[i + 1]))
			continue;
		row_align(&w, &grid->rows[i]);
		row_read(&w);
	}
}

/* A table goes on below a second row of headings as another one. */
void grid_rows(struct sheet *s, const struct grid *grid, const char *before)
{
	struct grid part = *grid, unfolded;
	bool below = false;

	if (matrix_unfold(s->page, grid, &unfolded)) {
		part_rows(s, &unfolded, before);
		return;
	}
	for (size_t i = 0, from = 0; i < grid->count; i++) {
		bool last = i + 1 == grid->count;

		for (size_t k = 0; k < grid->rows[i].count && !grid->rows[i].heading; k++)
			below |= strpbrk(grid->rows[i].cells[k].text, "0123456789") != NULL;
		if (!last && !(below && row_is_heading(&grid->rows[i + 1])))
			continue;
		part.rows = grid->rows + from;
		part.count = i + 1 - from;
		part.footer = grid->footer && last;
		part_rows(s, &part, before);
		from = i + 1;
		below = false;
	}
}
