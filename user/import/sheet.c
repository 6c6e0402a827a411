/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rows of a draft, and the text that no reader understood, in the order of the document.
 */
#include "sheet.h"
#include "words.h"

const char role_this_host[] = "this-host", role_inbound_peer[] = "inbound-peer",
	   role_outbound_peer[] = "outbound-peer", role_peer[] = "peer";

bool role_is_placeholder(const char *role)
{
	return role == role_this_host || role == role_inbound_peer || role == role_outbound_peer ||
	       role == role_peer;
}

struct drafted_row *sheet_row(struct sheet *s, uint32_t line)
{
	struct drafted_row *row;

	s->rows = arena_grow(s->arena, s->rows, s->count, &s->capacity, sizeof(*s->rows));
	row = &s->rows[s->count++];
	*row = (struct drafted_row){.line = line, .last = line};
	return row;
}

void sheet_add_unparsed(struct sheet *s, uint32_t line, const char *why, const char *text)
{
	s->unparsed = arena_grow(s->arena, s->unparsed, s->unparsed_count, &s->unparsed_capacity,
				 sizeof(*s->unparsed));
	s->unparsed[s->unparsed_count++] =
		(struct unparsed){.line = line, .why = why, .text = text_one_line(s->arena, text)};
}

void row_note(struct sheet *s, struct drafted_row *row, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(s->arena, format, args);
	va_end(args);
	row->notes = arena_grow(s->arena, row->notes, row->note_count, &row->note_capacity,
				sizeof(*row->notes));
	row->notes[row->note_count++] = text_one_line(s->arena, text);
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

void row_add_range(struct sheet *s, struct drafted_row *row, const struct port_range *range)
{
	bool any = range->first == 0 && range->last == 65535;

	if (!range->protocols)
		row_service(s, row, any ? "any" : NULL);
	for (unsigned bit = 0; protocols_name(bit); bit++) {
		if (!(range->protocols & (protocols)1 << bit))
			continue;
		if (any)
			row_service(s, row, arena_printf(s->arena, "any/%s", protocols_name(bit)));
		else if (range->first == range->last)
			row_service(
				s, row,
				arena_printf(s->arena, "%u/%s", range->first, protocols_name(bit)));
		else
			row_service(s, row,
				    arena_printf(s->arena, "%u-%u/%s", range->first, range->last,
						 protocols_name(bit)));
	}
}

void row_reverse(struct sheet *s, const struct drafted_row *row)
{
	struct drafted_row copy = *row, *back;

	if (str_equal(row->from, row->to))
		return;
	back = sheet_row(s, row->line);
	*back = copy;
	back->from = copy.to == role_inbound_peer ? role_outbound_peer : copy.to;
	back->to = copy.from == role_inbound_peer ? role_outbound_peer : copy.from;
	back->notes = NULL;
	back->note_count = back->note_capacity = 0;
	row_note(s, back, "the reverse of the row above: the document names both directions");
}

/* An outer heading refuses by a few words: "Blocked ports", not "How to avoid blocked traffic". */
static bool outer_refuses(const char *heading)
{
	return strlen(heading) < 32 && heading_refuses(heading) &&
	       (!strchr(heading, ' ') ||
		text_has(heading, "port|ports|traffic|rule|rules|connections|flows|services"));
}

/* An inner heading that allows comes before an outer one that refuses. */
bool sheet_refuses(const struct sheet *s)
{
	const char *inner = sheet_section(s);

	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0;) {
		const char *heading = s->headings[i];

		if (!heading)
			continue;
		if (heading == inner ? heading_refuses(heading) : outer_refuses(heading))
			return true;
		if (text_has(heading, "allow|allowed|permit|permitted|accept|accepted|open|"
				      "required|opened"))
			return false;
	}
	return false;
}
