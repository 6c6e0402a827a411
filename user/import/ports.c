/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports and protocols of a cell, in either order: "443/tcp", "TCP 443", "tcp:443", "443
 * (TCP/UDP)", "139 or 445", "1024 and above". Nothing is guessed: a missing part stays 0.
 */
#include <stdlib.h>

#include "../net/net.h"
#include "tokens.h"

struct scan {
	struct token *tokens;
	size_t count;
	struct port_reading *out;
	bool leading;	   /* protocols come before their ports */
	protocols current; /* the protocol in force, where they lead */
	size_t group;	   /* spans from here on wait for a protocol, or got the last */
	bool settled;	   /* the last group has its protocol */
};

static const struct token nothing;

static const struct token *token_at(const struct scan *s, size_t at)
{
	return at < s->count ? &s->tokens[at] : &nothing;
}

/* ---------------------------------------------------------------- which numbers are ports */

/* "protocol number 4", "IP protocol 50": the protocol, not a port. */
static bool follows_protocol_word(const struct scan *s, size_t at)
{
	size_t back = at;

	while (back && at - back < 3 &&
	       (s->tokens[back - 1].kind == TOKEN_COLON ||
		token_is(&s->tokens[back - 1], "number|numbers|no|nr|id")))
		back--;
	return back && token_is(&s->tokens[back - 1], "protocol|proto") &&
	       s->tokens[at].value < 256;
}

/* "ESP (50)", "50/ESP": the number of the protocol beside it. TCP and UDP only in parentheses. */
static bool numbers_its_protocol(const struct scan *s, size_t at)
{
	protocols named = protocols_number(s->tokens[at].value);

	for (int side = -1; named && side <= 1; side += 2) {
		const struct token *sign = token_at(s, at + (size_t)side);
		bool parted = sign->kind == TOKEN_OPEN || sign->kind == TOKEN_CLOSE ||
			      (sign->kind == TOKEN_SEPARATOR && sign->text[0] == '/');
		const struct token *word = token_at(s, at + (size_t)(parted ? 2 * side : side));

		if (word->kind == TOKEN_PROTOCOL && word->protocols == named &&
		    (!(named & PROTOCOLS_PORTS) || sign->kind == TOKEN_OPEN))
			return true;
	}
	return false;
}

static void protocol_numbers_choose(struct scan *s)
{
	for (size_t at = 0; at < s->count; at++) {
		struct token *t = &s->tokens[at];

		if (t->kind != TOKEN_NUMBER)
			continue;
		if (numbers_its_protocol(s, at)) {
			t->kind = TOKEN_FILLER;
		} else if (follows_protocol_word(s, at)) {
			t->protocols = protocols_number(t->value);
			t->kind = t->protocols ? TOKEN_PROTOCOL : TOKEN_WORD;
		}
	}
}

/* A protocol beside the number says that it is a port: "443/tcp", "TCP 443", "443 (UDP)". */
static bool number_has_protocol(const struct scan *s, size_t at)
{
	size_t next = at + 1, back = at;

	next += token_at(s, next)->kind == TOKEN_OPEN ||
		(token_at(s, next)->kind == TOKEN_SEPARATOR && token_at(s, next)->text[0] == '/');
	if (token_at(s, next)->kind == TOKEN_PROTOCOL)
		return true;
	while (back && (s->tokens[back - 1].kind == TOKEN_FILLER ||
			s->tokens[back - 1].kind == TOKEN_COLON ||
			(s->tokens[back - 1].kind == TOKEN_SEPARATOR &&
			 s->tokens[back - 1].text[0] == '/')))
		back--;
	return back && s->tokens[back - 1].kind == TOKEN_PROTOCOL;
}

/* "MTU 1500", "since 2019": a word that names no service stands before the number. */
static bool is_behind_word(const struct scan *s, size_t at)
{
	const struct token *word = at ? &s->tokens[at - 1] : &nothing;

	return word->kind == TOKEN_WORD && word->segment == s->tokens[at].segment &&
	       !token_is(word, "also|additionally|optionally|alternatively|alternate|alternative|"
			       "secure|control|data|command|custom") &&
	       !token_usual(word);
}

/* Behind a port, a number behind a word of another kind is none, and none that it is joined to:
 * "TCP 443, Windows 2016 and 2019". "Console 443, API 8443" are two ports. */
static void strangers_drop(struct scan *s)
{
	bool port = false, dropped = false;

	for (size_t at = 0; at < s->count; at++) {
		struct token *t = &s->tokens[at];
		bool joined = at && (s->tokens[at - 1].kind == TOKEN_SEPARATOR ||
				     s->tokens[at - 1].kind == TOKEN_DASH);

		/* A version, a year. */
		if (t->kind == TOKEN_WORD && t->text[0] >= '0' && t->text[0] <= '9')
			dropped = true;
		if (t->kind != TOKEN_NUMBER)
			continue;
		dropped = port && !number_has_protocol(s, at) &&
			  ((dropped && joined && s->tokens[at - 1].text[0] != '\n') ||
			   is_behind_word(s, at));
		if (dropped)
			t->kind = TOKEN_WORD;
		else
			port |= !is_behind_word(s, at) || number_has_protocol(s, at);
	}
}

/* In parentheses numbers count only where the line has none outside: "HTTPS (443)". */
static void numbers_choose(struct scan *s)
{
	for (size_t at = 0; at < s->count; at++)
		if (s->tokens[at].kind == TOKEN_NUMBER && !number_is_port(s->tokens, s->count, at))
			s->tokens[at].kind = TOKEN_WORD;
	strangers_drop(s);
	for (size_t at = 0; at < s->count; at++) {
		const struct token *t = &s->tokens[at];
		size_t first = at;
		bool outside = false;

		while (first && s->tokens[first - 1].segment == t->segment)
			first--;
		if (t->kind != TOKEN_NUMBER || !t->depth)
			continue;
		for (size_t i = first; i < s->count && s->tokens[i].segment == t->segment; i++)
			outside |= s->tokens[i].kind == TOKEN_NUMBER && !s->tokens[i].depth;
		if (outside && !(at && s->tokens[at - 1].kind == TOKEN_DASH))
			s->tokens[at].kind = TOKEN_WORD;
	}
}

/* "23-*", "2[3-5]": ports by a pattern. */
static bool is_pattern(const struct scan *s)
{
	for (size_t at = 1; at < s->count; at++) {
		const struct token *before = &s->tokens[at - 1], *t = &s->tokens[at];
		bool star = t->kind == TOKEN_ANY || before->kind == TOKEN_ANY;

		/* "6800-" waits for more; "9000 plus 2" is a sum. */
		if (t->kind == TOKEN_DASH && t->length == 1 && before->kind == TOKEN_NUMBER &&
		    (at + 1 == s->count || t[1].segment != t->segment))
			return true;
		if (token_is(t, "plus") && at + 1 < s->count && before->kind == TOKEN_NUMBER &&
		    (t[1].kind == TOKEN_WORD || (t[1].kind == TOKEN_NUMBER && t[1].value < 20)))
			return true;
		if (t->kind == TOKEN_OPEN && t->text[0] == '[' && before->kind == TOKEN_NUMBER &&
		    t->text == before->text + before->length && t->text[1] != '^')
			return true;
		if (star && (t->kind == TOKEN_DASH || before->kind == TOKEN_DASH))
			return true;
	}
	return false;
}

/* "any" is every port only where there is no number; else it is a word. */
static void any_choose(struct scan *s)
{
	bool number = false;

	for (size_t at = 0; at < s->count; at++)
		number |= s->tokens[at].kind == TOKEN_NUMBER;
	for (size_t at = 0; number && at < s->count; at++)
		if (s->tokens[at].kind == TOKEN_ANY)
			s->tokens[at].kind =
				s->tokens[at].text[0] == '*' ? TOKEN_FILLER : TOKEN_WORD;
}

/* ---------------------------------------------------------------- thousands */

static bool is_thousands(const struct scan *s, size_t at)
{
	const struct token *t = &s->tokens[at], *rest = token_at(s, at + 2);

	return t->kind == TOKEN_NUMBER && t->length <= 2 &&
	       token_at(s, at + 1)->text == t->text + t->length &&
	       s->tokens[at + 1].text[0] == ',' && rest->text == t->text + t->length + 1 &&
	       rest->length == 3 && strspn(rest->text, "0123456789") == 3;
}

/*
 * "10,000-10,100" is a range; "22,443" is two ports. Only where some part of a cell begins with a
 * zero, as no port does, are all of its like read as one number.
 */
static void thousands_join(struct scan *s)
{
	bool sure = false;
	size_t kept = 0;

	for (size_t at = 0; at < s->count; at++)
		sure |= is_thousands(s, at) && s->tokens[at + 2].text[0] == '0';
	for (size_t at = 0; sure && at < s->count; at++) {
		struct token *t = &s->tokens[kept++];
		bool join = is_thousands(s, at);
		uint32_t low = join ? (uint32_t)strtoul(s->tokens[at + 2].text, NULL, 10) : 0;

		*t = s->tokens[at];
		if (!join)
			continue;
		t->value = t->value * 1000 + low;
		t->length += 4;
		t->kind = t->value <= 65535 ? TOKEN_NUMBER : TOKEN_WORD;
		at += 2;
	}
	s->count = sure ? kept : s->count;
}

/* ---------------------------------------------------------------- spans */

static void span_add(struct scan *s, uint32_t first, uint32_t last, unsigned segment)
{
	struct port_reading *out = s->out;

	if (s->settled) {
		s->group = out->count;
		s->settled = false;
	}
	if (out->count == READING_RANGES) {
		out->cut = true;
		return;
	}
	out->ranges[out->count++] = (struct port_range){.first = first,
							.last = last,
							.protocols = s->leading ? s->current : 0,
							.segment = segment};
}

/* "and above", "or higher", "+": how many tokens behind `at` say it; 0 when none. */
static size_t above_behind(const struct scan *s, size_t at)
{
	size_t skip = token_at(s, at)->kind == TOKEN_SEPARATOR &&
		      token_at(s, at)->text[0] != '\n' && token_at(s, at)->text[0] != ',';

	return token_at(s, at + skip)->kind == TOKEN_ABOVE ? skip + 1 : 0;
}

static bool above_before(const struct scan *s, size_t at, uint32_t *first)
{
	size_t back = at;

	while (back && s->tokens[back - 1].kind == TOKEN_FILLER)
		back--;
	if (!back || s->tokens[back - 1].kind != TOKEN_ABOVE ||
	    s->tokens[back - 1].segment != s->tokens[at].segment)
		return false;
	if (back > 1 && s->tokens[back - 2].kind == TOKEN_NUMBER)
		return false;
	/* Greater than 1023 begins at 1024; ">= 1024" at 1024. */
	*first += s->tokens[back - 1].text[1] != '=' && *first < 65535;
	return true;
}

/* The number at `at`, as a range where it begins one; gives its number of tokens. */
static size_t number_read(struct scan *s, size_t at)
{
	const struct token *t = &s->tokens[at], *next = token_at(s, at + 1),
			   *end = token_at(s, at + 2), *last = token_at(s, at + 4);
	uint32_t first = t->value;
	size_t above;

	if (next->kind == TOKEN_DASH && end->kind == TOKEN_NUMBER && end->value >= first) {
		span_add(s, first, end->value, t->segment);
		return 3;
	}
	/* "9000:9100" and "between 9000 and 9100" are ranges. */
	if (end->kind == TOKEN_NUMBER && end->value > first &&
	    (next->kind == TOKEN_COLON ||
	     (next->kind == TOKEN_SEPARATOR && token_is(next, "and|&") && at &&
	      token_is(&s->tokens[at - 1], "between")))) {
		span_add(s, first, end->value, t->segment);
		return 3;
	}
	/* "9000/tcp-9100/tcp" is one as well. */
	if (end->kind == TOKEN_PROTOCOL && next->text[0] == '/' && last->kind == TOKEN_NUMBER &&
	    token_at(s, at + 3)->kind == TOKEN_DASH && last->value > first) {
		span_add(s, first, last->value, t->segment);
		s->tokens[at + 3].kind = TOKEN_FILLER;
		s->tokens[at + 4].kind = TOKEN_FILLER;
		return 1;
	}
	if (next->kind == TOKEN_DASH && (end->kind == TOKEN_NUMBER || end->kind == TOKEN_ANY))
		s->out->odd = true;
	above = above_behind(s, at + 1);
	if (above || above_before(s, at, &first)) {
		span_add(s, first, 65535, t->segment);
		return 1 + above;
	}
	if (!first) {
		s->out->leftover = true;
		return 1;
	}
	span_add(s, first, first, t->segment);
	return 1;
}

/* ---------------------------------------------------------------- protocols */

/* A protocol written right behind a port, "443/udp" or "443 (UDP)". */
static bool protocol_attached(const struct scan *s, size_t at)
{
	const struct token *before = at ? &s->tokens[at - 1] : &nothing;

	if (before->kind == TOKEN_OPEN ||
	    (before->kind == TOKEN_SEPARATOR && before->text[0] == '/'))
		return at > 1 && s->tokens[at - 2].kind == TOKEN_NUMBER;
	return false;
}

/* "ICMP 8, 0": numbers right behind a protocol that has no ports. */
static bool protocol_has_types(const struct scan *s, size_t at)
{
	at += 1 + (token_at(s, at + 1)->kind == TOKEN_COLON ||
		   token_at(s, at + 1)->text == s->tokens[at].text + s->tokens[at].length);
	return token_at(s, at)->kind == TOKEN_NUMBER || token_at(s, at)->kind == TOKEN_WORD ||
	       token_at(s, at)->kind == TOKEN_FILLER || token_at(s, at)->kind == TOKEN_ANY;
}

static bool protocol_follows_protocol(const struct scan *s, size_t at)
{
	while (at) {
		const struct token *t = &s->tokens[--at];

		if (t->kind == TOKEN_PROTOCOL)
			return true;
		if (t->kind != TOKEN_SEPARATOR && t->kind != TOKEN_OPEN && t->kind != TOKEN_CLOSE &&
		    t->kind != TOKEN_DASH && t->text[0] != '+')
			return false;
	}
	return false;
}

/* The protocols of a range beside a protocol, `more` of which follow. */
static protocols protocols_joined(const struct scan *s, protocols had, protocols named, bool more)
{
	if (more && s->settled)
		return had | named;
	return s->leading || !had ? named : had;
}

static void protocol_read(struct scan *s, size_t at)
{
	struct port_reading *out = s->out;
	protocols named = s->tokens[at].protocols;
	bool more = protocol_follows_protocol(s, at);

	/* "500, ESP": no port is one of ESP; "8/ICMP" is a type. */
	if (!(named & PROTOCOLS_PORTS) &&
	    !((named & protocols_read("icmp, icmpv6")) && protocol_attached(s, at)) &&
	    !(at && s->tokens[at - 1].kind == TOKEN_ANY) && !protocol_has_types(s, at)) {
		out->bare |= named;
		return;
	}
	if (out->count > s->group &&
	    (!s->leading || protocol_attached(s, at) || (more && s->settled))) {
		size_t from = s->leading && !more ? out->count - 1 : s->group;

		for (size_t i = from; i < out->count; i++)
			out->ranges[i].protocols =
				protocols_joined(s, out->ranges[i].protocols, named, more);
		if (s->leading)
			s->group = from;
		s->settled = true;
		return;
	}
	if (s->leading)
		s->current = more ? s->current | named : named;
	out->bare |= named;
	if (s->leading) {
		s->group = out->count;
		s->settled = false;
	}
}

static bool protocols_lead(const struct scan *s)
{
	for (size_t at = 0; at < s->count; at++) {
		if (s->tokens[at].kind == TOKEN_NUMBER || s->tokens[at].kind == TOKEN_ANY)
			return false;
		if (s->tokens[at].kind == TOKEN_PROTOCOL)
			return true;
	}
	return false;
}

/* Protocols that found their ports are not bare; numbers of a protocol without ports are none. */
static void bare_settle(struct port_reading *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct port_range range = out->ranges[i];
		bool portless = range.protocols && !(range.protocols & PROTOCOLS_PORTS);

		out->bare |= range.protocols & ~(protocols)PROTOCOLS_PORTS;
		range.protocols &= PROTOCOLS_PORTS;
		out->bare &= ~range.protocols;
		if (!portless)
			out->ranges[kept++] = range;
	}
	out->count = kept;
}

/* "All day", "all of the above": other words make "all" something else than every port. */
static void any_settle(struct port_reading *out)
{
	bool any = out->count == 1 && out->ranges[0].first == 0 && out->ranges[0].last == 65535;

	if (!any || !out->leftover)
		return;
	out->count = 0;
	out->vague = true;
}

/* Where the ports and protocols of the cell begin and end: around them is who speaks to whom. */
static void extent_find(const struct scan *s, const char *cell)
{
	struct port_reading *out = s->out;
	bool any = false;

	for (size_t at = 0; at < s->count; at++) {
		const struct token *t = &s->tokens[at];

		if (t->kind != TOKEN_NUMBER && t->kind != TOKEN_PROTOCOL && t->kind != TOKEN_ANY)
			continue;
		out->begin = any ? out->begin : (size_t)(t->text - cell);
		out->end = (size_t)(t->text - cell) + t->length;
		any = true;
	}
}

void ports_read(const char *cell, struct port_reading *out)
{
	struct token tokens[TOKENS_MAX];
	struct scan s = {.tokens = tokens, .out = out};

	memset(out, 0, sizeof(*out));
	s.count = tokens_read(cell, tokens, TOKENS_MAX, &out->cut);
	thousands_join(&s);
	protocol_numbers_choose(&s);
	numbers_choose(&s);
	out->odd = is_pattern(&s);
	any_choose(&s);
	s.leading = protocols_lead(&s);
	extent_find(&s, cell);
	for (size_t at = 0; at < s.count;) {
		const struct token *t = &s.tokens[at];

		out->segments = t->segment + 1;
		switch (t->kind) {
		case TOKEN_NUMBER:
			at += number_read(&s, at);
			continue;
		case TOKEN_PROTOCOL:
			protocol_read(&s, at);
			break;
		case TOKEN_ANY:
			span_add(&s, 0, 65535, t->segment);
			break;
		case TOKEN_VAGUE:
			out->vague = true;
			break;
		case TOKEN_WORD:
			out->leftover |= !t->depth || t->text[0] <= '9';
			break;
		default:
			break;
		}
		at++;
	}
	bare_settle(out);
	any_settle(out);
}

/* "10000 + n", "9000 + 1 per core": no number of the page is the port. "1024+ TCP" is. */
static bool is_sum(const char *cell, const char *plus)
{
	const char *left = plus, *right = plus + 1 + strspn(plus + 1, " ");
	size_t digits = strspn(right, "0123456789");

	while (left > cell && left[-1] == ' ')
		left--;
	if (left == cell || !strchr("0123456789", left[-1]) || !text_is_word(*right))
		return false;
	if (left == plus && right > plus + 1 && !digits)
		return false;
	return !(digits && right[digits] == '/');
}

static bool sign_excepts(const char *cell, const char *at)
{
	const char *next = at + 1 + strspn(at + 1, " ");

	if (*at == '+')
		return is_sum(cell, at);
	if (*at == '!')
		return text_is_word(*next);
	if (*at == '<')
		return strchr("0123456789=", *next) && *next;
	return !strncmp(at, "\u2260", 3) || !strncmp(at, "\u2264", 3) || !strncmp(at, "\u00ac", 2);
}

/* "702 (not required)" and "8443 if not root" are conditions. */
static bool says_not(const char *cell)
{
	for (const char *at = strcasestr(cell, "not"); at; at = strcasestr(at + 3, "not")) {
		bool word = (at == cell || !text_is_word(at[-1])) && !text_is_word(at[3]);
		bool tested = at > cell + 2 && !strncasecmp(at - 3, "if ", 3);

		if (word && !tested && strncasecmp(at, "not required", 12) &&
		    strncasecmp(at, "not mandatory", 13))
			return true;
	}
	return false;
}

bool ports_except(const char *cell)
{
	for (const char *at = cell; *at; at++)
		if (sign_excepts(cell, at))
			return true;
	if (text_is(cell, "not applicable|not specified|not required|not used"))
		return false;
	return says_not(cell) ||
	       text_has(cell,
			"except|excepting|excluding|exclude|excluded|excludes|but not|all but|"
			"any but|everything but|other than|apart from|never|without|instead of|"
			"rather than|minus|less than|lower than|below|under|non|no udp|no tcp");
}

bool ports_only(const char *cell)
{
	struct port_reading reading;

	ports_read(cell, &reading);
	return reading.count && !reading.leftover && !reading.cut;
}

protocols protocols_read(const char *text)
{
	struct token tokens[64];
	protocols found = 0;
	size_t count;
	bool cut;

	count = tokens_read(text, tokens, ARRAY_SIZE(tokens), &cut);
	for (size_t i = 0; i < count; i++)
		if ((!i || !token_is(&tokens[i - 1], "no|not|without|never")) &&
		    (tokens[i].text == text || tokens[i].text[-1] != '!'))
			found |= tokens[i].protocols;
	return found;
}

bool protocols_except(const char *cell)
{
	return ports_except(cell) && !protocols_read(cell);
}

/* ---------------------------------------------------------------- types of ICMP */

/* The families are those of the row. */
struct types {
	const struct token *tokens;
	size_t count;
	protocols families;
	struct icmp_reading *out;
};

static const char *const families[] = {"icmp", "icmpv6"};

static void type_add(struct types *t, size_t family, unsigned type, int code)
{
	struct icmp_reading *out = t->out;
	struct icmp_type new = {.family = families[family], .type = type, .code = code};

	if (!(t->families & protocols_word(families[family], strlen(families[family]))))
		return;
	if (out->count == ARRAY_SIZE(out->list))
		out->leftover = true;
	else
		out->list[out->count++] = new;
}

/* Where a row has both families, ICMPv6 has the numbers from 128. */
static void type_number(struct types *t, uint32_t type, int code)
{
	bool both = t->families == protocols_read("icmp, icmpv6");
	size_t family = t->families != protocols_read("icmp");

	if (type > 255 || code > 255)
		t->out->leftover = true;
	else
		type_add(t, both ? type >= 128 : family, type, code);
}

static const struct token *type_token(const struct types *t, size_t at)
{
	return at < t->count ? &t->tokens[at] : &nothing;
}

static bool is_sign(const struct token *t, char sign)
{
	return t->text && t->length == 1 && *t->text == sign;
}

/* "/0", ", code 0" behind a type; the number of tokens. */
static size_t code_read(const struct types *t, size_t at, bool several, int *code)
{
	size_t skip =
		type_token(t, at)->kind == TOKEN_SEPARATOR || type_token(t, at)->kind == TOKEN_OPEN;
	bool said = token_is(type_token(t, at + skip), "code");

	/* "8/0/3" are three types. */
	if (!said && (is_sign(type_token(t, at + 2), '/') ||
		      (at > 1 && is_sign(type_token(t, at - 2), '/'))))
		return 0;
	if (!said && (several || !is_sign(type_token(t, at), '/')))
		return 0;
	skip += said;
	if (type_token(t, at + skip)->kind != TOKEN_NUMBER)
		return 0;
	*code = (int)type_token(t, at + skip)->value;
	return skip + 1;
}

/* "ICMP 8, 0": numbers behind the protocol; "ICMP (1)" is its own. */
static bool types_follow(const struct types *t, size_t at)
{
	size_t next = at + 1 +
		      (type_token(t, at + 1)->kind == TOKEN_OPEN ||
		       type_token(t, at + 1)->kind == TOKEN_COLON);
	const struct token *number = type_token(t, next);

	return t->tokens[at].protocols && !(t->tokens[at].protocols & ~t->families) &&
	       number->kind == TOKEN_NUMBER &&
	       protocols_number(number->value) != t->tokens[at].protocols;
}

/* "type 8", "types 0, 8 and 11", "type 3, code 4"; the number of tokens. */
static size_t types_numbered(struct types *t, size_t at)
{
	bool several = token_is(type_token(t, at), "types");
	size_t used = 1 + (type_token(t, at + 1)->kind == TOKEN_COLON ||
			   type_token(t, at + 1)->kind == TOKEN_OPEN);

	while (type_token(t, at + used)->kind == TOKEN_NUMBER) {
		uint32_t type = type_token(t, at + used)->value;
		int code = -1;

		used++;
		used += code_read(t, at + used, several, &code);
		type_number(t, type, code);
		if (type_token(t, at + used)->kind == TOKEN_SEPARATOR &&
		    type_token(t, at + used + 1)->kind == TOKEN_NUMBER)
			used++;
	}
	return used;
}

/* The words from `at` on, in the notation of policies. */
static bool type_words(const struct types *t, size_t at, size_t count, char word[32])
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		const struct token *part = type_token(t, at + i);

		if (part->kind != TOKEN_WORD || length + part->length + 2 > 32)
			return false;
		length += (size_t)snprintf(word + length, 32 - length, "%s%.*s", i ? "-" : "",
					   (int)part->length, part->text);
	}
	if (text_is(word, "reply|replies|response|responses|echo-replies|echo-response|"
			  "echo-responses|echo-reply"))
		snprintf(word, 32, "echo-reply");
	if (text_is(word, "echo|echos|echoes|ping|pings|echo-requests"))
		snprintf(word, 32, "echo-request");
	return true;
}

/* "Echo Request (8)", "destination-unreachable"; the number of tokens, 0 where it is none. */
static size_t type_named(struct types *t, size_t at)
{
	size_t before = t->out->count;
	char word[32];

	for (size_t count = 3; count; count--) {
		size_t end = at + count;

		if (!type_words(t, at, count, word))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
			uint8_t type, proto = i ? PROTO_ICMP6 : PROTO_ICMP;
			int code;

			if (!icmp_type_parse(proto, word, &type, &code))
				type_add(t, i, type, -1);
		}
		if (t->out->count == before)
			continue;
		if (type_token(t, end)->kind == TOKEN_OPEN &&
		    type_token(t, end + 1)->kind == TOKEN_NUMBER &&
		    type_token(t, end + 1)->value == t->out->list[before].type)
			end += 2;
		return end - at;
	}
	return 0;
}

/* "8/ICMP", "icmp/8" */
static bool type_attached(const struct types *t, size_t at)
{
	for (int side = -1; side <= 1; side += 2) {
		const struct token *word = type_token(t, at + (size_t)(2 * side));

		if (is_sign(type_token(t, at + (size_t)side), '/') && word->protocols &&
		    !(word->protocols & ~t->families) &&
		    protocols_number(t->tokens[at].value) != word->protocols)
			return true;
	}
	return false;
}

static size_t type_read(struct types *t, size_t at)
{
	const struct token *token = &t->tokens[at];
	size_t used = 0;

	if (token_is(token, "type|types") || types_follow(t, at))
		return types_numbered(t, at);
	if (token_is(token, "ping"))
		type_number(t, t->families == protocols_read("icmpv6") ? 128 : 8, -1);
	else if (token->kind == TOKEN_NUMBER && type_attached(t, at))
		type_number(t, token->value, -1);
	else if (token->kind == TOKEN_WORD)
		used = type_named(t, at);
	if (!used && (token->kind == TOKEN_WORD || token->kind == TOKEN_ANY))
		t->out->leftover = true;
	return used ?: 1;
}

void icmp_read(const char *text, protocols named, struct icmp_reading *out)
{
	struct token tokens[256];
	struct types t = {.tokens = tokens, .families = named, .out = out};
	bool cut;

	t.count = tokens_read(text, tokens, ARRAY_SIZE(tokens), &cut);
	*out = (struct icmp_reading){.leftover = cut};
	for (size_t at = 0; at < t.count;)
		at += type_read(&t, at);
}
