/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports in sentences: "over TCP port 443", "ports 80 and 443", "9092/tcp". A person has to read
 * who opens to whom, so these become candidates: comments of the draft.
 */
#include "prose.h"
#include "ends.h"
#include "tokens.h"
#include "words.h"

struct prose {
	struct token *tokens;
	size_t count;
	bool listed; /* an item of a list of ports */
};

/* One for all the texts of a page. */
static struct token *tokens_of(struct sheet *s)
{
	if (!s->tokens)
		s->tokens = arena_alloc(s->arena, TOKENS_MAX * sizeof(*s->tokens));
	return s->tokens;
}

static bool is_between(const struct token *t)
{
	return t->kind == TOKEN_SEPARATOR || t->kind == TOKEN_NUMBER || t->kind == TOKEN_DASH ||
	       t->kind == TOKEN_OPEN || t->kind == TOKEN_CLOSE || t->kind == TOKEN_COLON ||
	       t->kind == TOKEN_FILLER || t->kind == TOKEN_PROTOCOL;
}

/* Whether "port" or a protocol comes before the number, with nothing but its like between. */
static bool named_before(const struct prose *p, size_t at, protocols *found)
{
	bool named = false;

	while (at-- > 0 && is_between(&p->tokens[at])) {
		const struct token *t = &p->tokens[at];

		if (t->kind == TOKEN_PROTOCOL && named && *found &&
		    !(p->tokens[at + 1].kind == TOKEN_SEPARATOR))
			break;
		if (t->kind == TOKEN_PROTOCOL) {
			*found |= t->protocols & PROTOCOLS_PORTS;
			named = true;
		} else if (t->kind == TOKEN_FILLER && token_is(t, "port|ports")) {
			named = true;
		} else if (t->kind == TOKEN_NUMBER && *found) {
			break;
		}
	}
	return named;
}

/* "443/tcp", "443 (TCP)", "443 TCP". */
static bool named_behind(const struct prose *p, size_t at, protocols *found)
{
	size_t next = at + 1;

	/* "80, 443 (TCP)" in a list of ports. */
	while (p->listed && next + 1 < p->count && p->tokens[next].kind == TOKEN_SEPARATOR &&
	       p->tokens[next + 1].kind == TOKEN_NUMBER)
		next += 2;
	if (next < p->count &&
	    (p->tokens[next].kind == TOKEN_OPEN ||
	     (p->tokens[next].kind == TOKEN_SEPARATOR && p->tokens[next].text[0] == '/')))
		next++;
	if (next >= p->count || p->tokens[next].kind != TOKEN_PROTOCOL)
		return false;
	for (; next < p->count &&
	       (p->tokens[next].kind == TOKEN_PROTOCOL || strchr("/-+&", p->tokens[next].text[0]) ||
		token_is(&p->tokens[next], "and|or"));
	     next++)
		*found |= p->tokens[next].protocols & PROTOCOLS_PORTS;
	return *found;
}

/* A number by its place in an item: first, behind a colon, or in parentheses alone. */
static bool named_by_place(const struct prose *p, size_t at)
{
	size_t back = at;

	if (!p->listed)
		return false;
	while (back &&
	       (p->tokens[back - 1].kind == TOKEN_NUMBER ||
		p->tokens[back - 1].kind == TOKEN_SEPARATOR ||
		p->tokens[back - 1].kind == TOKEN_DASH ||
		p->tokens[back - 1].kind == TOKEN_FILLER ||
		p->tokens[back - 1].kind == TOKEN_VAGUE ||
		p->tokens[back - 1].kind == TOKEN_PROTOCOL) &&
	       p->tokens[back - 1].segment == p->tokens[at].segment)
		back--;
	return !back || p->tokens[back - 1].kind == TOKEN_COLON ||
	       p->tokens[back - 1].kind == TOKEN_OPEN ||
	       p->tokens[back - 1].segment != p->tokens[at].segment;
}

static protocols named_anywhere(const struct prose *p)
{
	protocols found = 0;

	for (size_t i = 0; i < p->count; i++)
		found |= p->tokens[i].protocols & PROTOCOLS_PORTS;
	return found;
}

/* ---------------------------------------------------------------- who opens */

static const char *segment_of(struct arena *arena, const char *text, unsigned segment)
{
	while (segment-- && strchr(text, '\n'))
		text = strchr(text, '\n') + 1;
	return arena_strndup(arena, text, strcspn(text, "\n"));
}

/* Beside the ports: "TCP 443 from A", "to A: 443/tcp"; else what the sentence says. */
static bool ends_of_line(struct arena *arena, const char *text, struct ends *out)
{
	struct port_reading reading;
	const char *before, *behind;

	ports_read(text, &reading);
	before = arena_strndup(arena, text, reading.begin);
	before = text_tidy(arena, arena_strndup(arena, before, strcspn(before, ":(")), false);
	behind = text + reading.end + strcspn(text + reading.end, " ,;:()-");
	if (ends_of_phrase(arena, behind, out) || ends_of_phrase(arena, before, out) ||
	    ends_of_sentence(arena, before, out) || ends_of_parts(arena, text, out)) {
		if (direction_of(text) == DIR_BOTH)
			out->direction = DIR_BOTH;
		return true;
	}
	*out = (struct ends){.direction = direction_of(text)};
	return out->direction;
}

/* Who opens: by the line, by a line of nothing but a direction above it, by what stands above. */
static void ends_of_text(struct sheet *s, const char *text, unsigned segment, struct ends *out)
{
	if (ends_of_line(s->arena, segment_of(s->arena, text, segment), out))
		return;
	*out = (struct ends){0};
	while (segment-- > 0 && !out->direction) {
		const char *line = segment_of(s->arena, text, segment);

		if (!strpbrk(line, "0123456789"))
			out->direction = direction_of(line);
	}
	if (!out->direction && s->lead)
		out->direction = direction_of(s->lead);
	for (size_t i = ARRAY_SIZE(s->headings); i-- > 0 && !out->direction;)
		out->direction = s->headings[i] ? direction_of(s->headings[i]) : DIR_UNKNOWN;
}

static void candidate_ends(struct drafted_row *row, const struct ends *ends)
{
	bool outward = ends->direction == DIR_OUT || (ends->to && !ends->from);

	row->from = outward ? role_this_host : role_inbound_peer;
	row->to = outward ? role_outbound_peer : role_this_host;
	if (!ends->direction && !outward)
		row->from = role_peer;
	row->from = ends->from ?: row->from;
	row->to = ends->to ?: row->to;
}

/* A candidate for each line of a paragraph that names ports. */
static struct drafted_row *candidate_on(struct sheet *s, uint32_t line, const char *text,
					unsigned segment)
{
	struct drafted_row *row = s->count ? &s->rows[s->count - 1] : NULL;
	struct ends ends;

	if (row && row->candidate && row->line == line && s->spoken == text)
		return row;
	s->spoken = text;
	row = sheet_row(s, line);
	row->candidate = true;
	ends_of_text(s, text, segment, &ends);
	candidate_ends(row, &ends);
	row->both_ways = ends.direction == DIR_BOTH;
	row->section = sheet_section(s);
	row->condition = line <= s->page->lines ? s->page->conditions[line] : NULL;
	row->undirected = true;
	row->purpose = row->text = text_one_line(s->arena, text);
	if (text_says_optional(row->purpose)) {
		row->optional = true;
		row->remark = row->purpose;
	}
	return row;
}

/* Whether the number at `at` is one of ports; `last`: the end of its range. */
static bool number_is_named(const struct prose *p, size_t at, size_t last, protocols *found)
{
	return number_is_port(p->tokens, p->count, at) && p->tokens[at].value &&
	       (named_behind(p, last, found) || named_before(p, at, found) ||
		named_by_place(p, at));
}

static size_t number_read(struct sheet *s, const struct prose *p, size_t at, uint32_t line,
			  const char *text)
{
	const struct token *t = &p->tokens[at];
	struct port_range range = {.first = t->value, .last = t->value};
	bool is_range = at + 2 < p->count && p->tokens[at + 1].kind == TOKEN_DASH &&
			p->tokens[at + 2].kind == TOKEN_NUMBER &&
			p->tokens[at + 2].value > t->value;
	size_t last = is_range ? at + 2 : at;
	struct drafted_row *row;
	protocols found = 0;

	range.last = p->tokens[last].value;
	if (!number_is_named(p, at, last, &found))
		return last + 1;
	row = candidate_on(s, line + t->segment, text, t->segment);
	range.protocols = found ?: named_anywhere(p);
	if (!range.protocols)
		range.protocols = s->assumed;
	if (!range.protocols) {
		range.protocols = 1;
		if (!row->note_count)
			row_note(s, row, "transport not given: tcp assumed");
	}
	row_add_range(s, row, &range);
	return last + 1;
}

static bool speaks_of_ports(const char *text)
{
	return text_has(text, "port|ports|traffic|unblocked|inbound|outbound|icmp|dport|dports|"
			      "iptables|nft|firewall-cmd|ufw") ||
	       (protocols_read(text) && strpbrk(text, "0123456789")) || strstr(text, "{{") ||
	       strstr(text, "{%");
}

void prose_add_unparsed(struct sheet *s, uint32_t line, const char *text)
{
	if (speaks_of_ports(text))
		sheet_add_unparsed(s, line, "text", text);
}

bool prose_names_ports(struct sheet *s, const char *text)
{
	struct prose prose = {.tokens = tokens_of(s)}, *p = &prose;
	protocols found = 0;
	bool cut;

	p->count = tokens_read(text, p->tokens, TOKENS_MAX, &cut);
	for (size_t at = 0; at < p->count; at++)
		if (p->tokens[at].kind == TOKEN_NUMBER && number_is_named(p, at, at, &found))
			return true;
	return false;
}

static bool text_read(struct sheet *s, uint32_t line, const char *text, bool listed)
{
	struct prose prose = {.tokens = tokens_of(s)}, *p = &prose;
	size_t before = s->count;
	bool cut;

	/* A port that a page closes is never offered as a row. */
	if ((text_refuses(text) || text_says_loopback(text)) && strpbrk(text, "0123456789")) {
		sheet_add_unparsed(s, line, "refused, or on loopback", text);
		return true;
	}
	p->listed = listed;
	p->count = tokens_read(text, p->tokens, TOKENS_MAX, &cut);
	for (size_t at = 0; at < p->count;) {
		if (p->tokens[at].kind == TOKEN_NUMBER)
			at = number_read(s, p, at, line, text);
		else
			at++;
	}
	if (cut)
		sheet_add_unparsed(s, line, "a paragraph too long to be read to its end", text);
	for (size_t i = before, count = s->count; i < count; i++)
		if (s->rows[i].both_ways)
			row_reverse(s, &s->rows[i]);
	return s->count > before;
}

bool prose_rows(struct sheet *s, uint32_t line, const char *text)
{
	return text_read(s, line, text, false);
}

bool prose_item(struct sheet *s, uint32_t line, const char *text, const char *lead)
{
	static const char words[] = "port|ports|firewall|unblock|listen|listens|listening|"
				    "ingress|egress|inbound|outbound";
	bool listed = s->listed || (lead && text_has(lead, words));

	for (size_t i = 0; i < ARRAY_SIZE(s->headings); i++)
		listed |= s->headings[i] && text_has(s->headings[i], words);
	if (strpbrk(text, "0123456789") &&
	    (sheet_refuses(s) || (lead && paragraph_refuses(lead)))) {
		sheet_add_unparsed(s, line, "refused by the text above", text);
		return true;
	}
	return text_read(s, line, text, listed);
}
