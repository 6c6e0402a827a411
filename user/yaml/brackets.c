/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brackets and quotes that do not end, end too early or too often, and their contents.
 */
#include <ctype.h>

#include "broken_text.h"

/* ---------------------------------------------------------------- brackets and quotes */

/* The brackets that are open at a place. */
struct brackets {
	size_t open[DOC_DEPTH_MAX];
	unsigned count;
	size_t comma; /* behind the last ',' or bracket */
};

static size_t skip_quoted(const char *text, size_t at, size_t end)
{
	char quote = text[at++];

	while (at < end && text[at] != quote)
		at += text[at] == '\\' && quote == '"' ? 2 : 1;
	return at + 1;
}

static void brackets_find(const struct broken_text *t, size_t begin, struct brackets *out)
{
	const char *text = t->text;
	size_t at = begin;

	*out = (struct brackets){.count = 0};
	while (at < t->at) {
		bool opens = strchr("[{", text[at]), closes = strchr("]}", text[at]);
		bool value = at == begin || strchr(" ,[{:", text[at - 1]);

		if (strchr("\"'", text[at]) && value) {
			at = skip_quoted(text, at, t->at);
			continue;
		}
		if (text[at] == '#' && value) {
			at = source_line_end(t->source, at);
			continue;
		}
		if (opens && out->count < DOC_DEPTH_MAX)
			out->open[out->count++] = at;
		else if (closes && out->count)
			out->count--;
		if (opens || closes || text[at] == ',')
			out->comma = at + 1;
		at++;
	}
}

static bool not_closed(const struct broken_text *t, size_t open)
{
	bool list = t->text[open] == '[';
	const char *hint = list ? "write ']' where the list ends" : "write '}' where the map ends";
	size_t end = source_line_end(t->source, open);
	bool comment = memmem(t->text + open, end - open, " #", 2);

	if (comment)
		hint = list ? "write ']' before the comment" : "write '}' before the comment";
	return broken_fault(t, open, 1,
			    arena_printf(t->arena, "'%c' is not closed%s", t->text[open],
					 comment ? ": ' #' begins a comment in this line" : ""),
			    hint);
}

/* ---------------------------------------------------------------- quotes */

/* The begin of a text in quotes that ends right before `end`; SIZE_MAX: none. */
static size_t quote_begin(const struct broken_text *t, size_t end)
{
	const char *text = t->text;
	size_t at = source_line(t->source, end), first = at;

	while (at < end) {
		size_t begin = at;

		if (!strchr("\"'", text[at]) || (at > first && !strchr(" ,[{:", text[at - 1]))) {
			at++;
			continue;
		}
		at = skip_quoted(text, at, end);
		if (at == end)
			return begin;
	}
	return SIZE_MAX;
}

/* The intended end quote: one with none of its text behind it; 0: none. */
static size_t quote_meant(const struct broken_text *t, size_t from, char quote)
{
	size_t end = source_line_end(t->source, from);

	for (size_t at = from; at < end; at++) {
		size_t next = at + 1 + strspn(t->text + at + 1, " ");

		if (t->text[at] == quote && (next >= end || strchr(",]}#", t->text[next])))
			return at;
	}
	return 0;
}

/* 'it's', "a "b" c", "x" y */
static bool quote_inside(const struct broken_text *t)
{
	size_t end = t->at, begin, meant;
	const char *whole;
	char quote;

	while (end && t->text[end - 1] == ' ')
		end--;
	begin = quote_begin(t, end);
	if (begin == SIZE_MAX || (t->at > end && strchr("\"'", t->text[t->at])))
		return false;
	quote = t->text[begin];
	meant = quote_meant(t, t->at, quote);
	if (meant) {
		whole = broken_cut(t, begin + 1, meant);
		return broken_fault(t, end - 1, 1,
				    "this quote ends the text, but more text follows",
				    broken_yaml(text_in_quotes(t->arena, whole)));
	}
	whole = arena_printf(t->arena, "%s%s", broken_cut(t, begin + 1, end - 1),
			     arena_printf(t->arena, "%.*s%s", (int)(t->at - end), t->text + end,
					  source_value(t->arena, t->source, t->at)));
	return broken_fault(t, t->at, 1, "text follows the closing quote",
			    t->at > end ? broken_yaml(text_in_quotes(t->arena, whole)) : NULL);
}

/* Does the bracket end further below, before a line that is indented no further than it? */
static bool closes_below(const struct broken_text *t, size_t open)
{
	size_t line = source_line(t->source, open), indent = strspn(t->text + line, " "), begins;
	unsigned depth = 1;

	for (size_t at = t->at; at < t->source->size; at++) {
		depth += strchr("[{", t->text[at]) && t->text[at];
		if (strchr("]}", t->text[at]) && t->text[at] && --depth == 0)
			return true;
		if (t->text[at] != '\n')
			continue;
		begins = strspn(t->text + at + 1, " ");
		if (begins <= indent && !strchr("]}", t->text[at + 1 + begins]))
			return false;
	}
	return false;
}

static bool comma_before_key(const struct broken_text *t, size_t value, size_t key)
{
	const char *word = broken_cut(t, key, t->at);
	bool below = source_line(t->source, key) != source_line(t->source, value);

	return broken_fault(
		t, key, t->at - key, arena_printf(t->arena, "',' is missing before '%s'", word),
		below ? "write ',' at the end of the line above"
		      : arena_printf(t->arena, "%s, %s:", broken_cut(t, value, key), word));
}

/* A ':' where a value goes on: a forgotten ',' or a text without quotes. */
static bool colon_inside(const struct broken_text *t, size_t from)
{
	size_t begin = from + strspn(t->text + from, " \r\n"), colon = t->at, last, value;
	const char *found;

	if (colon < begin)
		return false;
	if (memchr(t->text + begin, ';', colon - begin))
		return broken_fault(t, begin + strcspn(t->text + begin, ";"), 1,
				    "';' between keys; they are separated by ','",
				    "write ',' for ';'");
	found = memmem(t->text + begin, colon - begin, ": ", 2);
	if (!found)
		return false;
	value = (size_t)(found - t->text) + 2;
	for (last = colon; last > value && (isalnum((unsigned char)t->text[last - 1]) ||
					    strchr("-_", t->text[last - 1]));)
		last--;
	if (last > value && strchr(" \n", t->text[last - 1]) &&
	    (key_is_known(broken_cut(t, last, colon)) ||
	     source_line(t->source, last) != source_line(t->source, value)))
		return comma_before_key(t, value, last);
	return broken_fault(
		t, colon, 1, "': ' inside a value without quotes",
		broken_yaml(arena_printf(
			t->arena, "%s%s", arena_strndup(t->arena, t->text + begin, value - begin),
			text_in_quotes(t->arena, source_value(t->arena, t->source, value)))));
}

/* ---------------------------------------------------------------- values in brackets */

/* The counterpart of a bracket; the end of the line when it is not in the line. */
static size_t bracket_end(const struct broken_text *t, size_t open)
{
	size_t end = source_line_end(t->source, open);
	unsigned depth = 0;

	for (size_t at = open; at < end; at++) {
		depth += strchr("[{", t->text[at]) != NULL;
		if (strchr("]}", t->text[at]) && --depth == 0)
			return at + 1;
	}
	return end;
}

/* "peer: [10.0.0.1" and a line that begins with a key or an item of those around it. */
static bool ends_above(const struct broken_text *t, size_t open)
{
	size_t line = source_line(t->source, t->at), above = source_line(t->source, open);
	size_t begin = line + strspn(t->text + line, " "), key = source_content(t->source, line);
	size_t behind = open + 1 + strspn(t->text + open + 1, " ");

	if (line <= above || strchr("\r\n#", t->text[behind]) ||
	    begin - line > strspn(t->text + above, " "))
		return false;
	return key > begin || t->text[key + key_size(t->text + key)] == ':';
}

/* Does a key begin its line where reading stopped, at it or behind it? */
static bool begins_line(const struct broken_text *t)
{
	size_t key = source_content(t->source, source_line(t->source, t->at));

	return t->at == key || t->at == key + key_size(t->text + key);
}

/* "{interfaces [eth0]}" */
static bool colon_before_bracket(const struct broken_text *t, size_t open)
{
	size_t end = t->at, size = 0;
	const char *key;

	while (end && t->text[end - 1] == ' ')
		end--;
	while (end > size && (isalnum((unsigned char)t->text[end - size - 1]) ||
			      strchr("-_", t->text[end - size - 1])))
		size++;
	if (t->text[open] != '{' || !size ||
	    !strchr("{,", source_sign_before(t->source, end - size)))
		return false;
	key = arena_strndup(t->arena, t->text + end - size, size);
	return broken_fault(
		t, end - size, size, arena_printf(t->arena, "':' is missing after '%s'", key),
		broken_write(t, arena_printf(t->arena, "%s: %s", key,
					     broken_cut(t, t->at, bracket_end(t, t->at)))));
}

/* "peer: [any] ports: [443/tcp]" */
static bool comma_missing(const struct broken_text *t)
{
	const char *value = source_value(t->arena, t->source, t->at);
	size_t size = key_size(value) ?: 1;

	if (!strchr("]}\"'", source_sign_before(t->source, t->at)) || !*value)
		return false;
	return broken_fault(
		t, t->at, size,
		arena_printf(t->arena, "',' is missing before '%.*s'", (int)size, value),
		"write ',' between the two");
}

static bool closes_nothing(const struct broken_text *t, char sign)
{
	return broken_fault(t, t->at, 1,
			    sign == ']' ? "']' closes nothing here" : "'}' closes nothing here",
			    "leave it out");
}

/* "[a}" */
static bool closed_by_another(const struct broken_text *t, size_t open)
{
	char wanted = t->text[open] == '[' ? ']' : '}';
	size_t behind = t->at + 1, end = source_line_end(t->source, t->at);

	if (t->text[t->at] == wanted ||
	    (behind < end && memchr(t->text + behind, wanted, end - behind)))
		return false;
	return broken_fault(
		t, t->at, 1,
		arena_printf(t->arena, "'%c' does not close '%c'", t->text[t->at], t->text[open]),
		arena_printf(t->arena, "write '%c'", wanted));
}

/* "[a,,b]", "[,a]", "[- a]" */
static bool item_missing(const struct broken_text *t)
{
	char sign = t->at < t->source->size ? t->text[t->at] : '\0';

	if (!broken_with(t, "expected node content") || !broken_in(t, "flow node"))
		return false;
	if (sign == ',')
		return broken_fault(t, t->at, 1, "nothing is written before this ','",
				    "leave the ',' out");
	if (sign != '-')
		return false;
	if (t->at ==
	    source_line(t->source, t->at) + strspn(t->text + source_line(t->source, t->at), " "))
		return broken_fault(t, t->at, 1, "items in lines of their own have no brackets",
				    "leave out the bracket above");
	return broken_fault(t, t->at, 1, "items in brackets have no '-'", "leave it out");
}

/* "{interfaces:[eth0]}", "[fd00::]" */
static bool colon_unexpected(const struct broken_text *t)
{
	size_t begin, size;
	char next, before;

	if (!broken_with(t, "unexpected ':'") || t->at >= t->source->size)
		return false;
	begin = broken_context(t);
	size = begin < t->at ? t->at - begin : 0;
	next = t->text[t->at + 1];
	before = source_sign_before(t->source, begin);
	if (key_size(t->text + begin) != size || !strchr("{,", before) || !strchr("[{}", next))
		return broken_fault(t, begin, size + 1, "a value that ends with ':'",
				    source_value_hint(t->arena, t->source, begin));
	if (next == '}')
		return broken_fault(t, t->at, 1, "nothing is written after ':'",
				    key_example(broken_cut(t, begin, t->at)));
	return broken_fault(
		t, t->at, 1, "a space is missing after ':'",
		broken_write(t, arena_printf(t->arena, "%s: %s", broken_cut(t, begin, t->at),
					     broken_cut(t, t->at + 1, bracket_end(t, t->at + 1)))));
}

static bool template_in(const struct broken_text *t)
{
	size_t size = strcspn(t->text + t->at, "}") + 2;

	return broken_fault(t, t->at - 1, size, "'{' inside a value without quotes",
			    arena_printf(t->arena, "\"%.*s\"", (int)size, t->text + t->at - 1));
}

/* Between brackets, at a sign that cannot follow there. */
static bool inside(const struct broken_text *t, const struct brackets *brackets)
{
	size_t top = brackets->open[brackets->count - 1];
	char sign = t->at < t->source->size ? t->text[t->at] : '\0';
	char before = source_sign_before(t->source, t->at);

	for (unsigned i = 0; i < brackets->count; i++)
		if (ends_above(t, brackets->open[i]))
			return not_closed(t, top);
	if (begins_line(t) && !closes_below(t, top))
		return not_closed(t, top);
	if (sign == ':')
		return colon_inside(t, brackets->comma) || not_closed(t, top);
	if (sign == '{' && t->at && t->text[t->at - 1] == '$')
		return template_in(t);
	if (sign == ']' || sign == '}') {
		for (unsigned i = 0; i + 1 < brackets->count; i++)
			if (t->text[brackets->open[i]] == (sign == ']' ? '[' : '{'))
				return not_closed(t, top);
		return closed_by_another(t, top) || closes_nothing(t, sign);
	}
	if (sign && strchr("[{", sign) && isalnum((unsigned char)before))
		return colon_before_bracket(t, top) ||
		       broken_fault(t, t->at, 1,
				    "neither ',' nor ':' is written before this bracket", NULL);
	if (source_line(t->source, t->at) != source_line(t->source, top))
		return not_closed(t, top);
	if (strchr("\"'", before) && t->text[t->at + key_size(t->text + t->at)] != ':' &&
	    quote_inside(t))
		return true;
	return comma_missing(t) || not_closed(t, top);
}

static bool flow(const struct broken_text *t)
{
	struct brackets brackets;
	size_t begin;

	if (!broken_in(t, "flow") && !broken_with(t, "expected ','"))
		return false;
	begin = source_line(t->source, broken_context(t));
	brackets_find(t, begin, &brackets);
	begin = brackets.count ? SIZE_MAX : source_line_above(t->source, begin);
	if (begin != SIZE_MAX)
		brackets_find(t, begin, &brackets);
	return brackets.count && inside(t, &brackets);
}

/* "[a] [b]" is one list; NULL when it is none. */
static const char *lists_joined(const struct broken_text *t)
{
	size_t line = source_content(t->source, source_line(t->source, t->at));
	size_t open = line + strcspn(t->text + line, "["), close = t->at;
	const char *list;

	while (close > open && t->text[close] != ']')
		close--;
	if (t->text[t->at] != '[' || close <= open)
		return NULL;
	list = arena_printf(t->arena, "%.*s, %s", (int)(close - open), t->text + open,
			    broken_cut(t, t->at + 1, bracket_end(t, t->at)));
	return broken_write(t, list);
}

/* "[a]]", "[a] [b]", "[a]x", "[a],": behind a value that has ended, in a line. */
static bool behind_value(const struct broken_text *t)
{
	char before = source_sign_before(t->source, t->at);
	char sign = t->at < t->source->size ? t->text[t->at] : '\0';

	if (!broken_with(t, "expected key") && !broken_with(t, "'-' indicator") &&
	    !broken_with(t, "<document start>"))
		return false;
	if (sign == ']' || sign == '}')
		return closes_nothing(t, sign);
	if (!sign || !before || !strchr("]}\"'", before))
		return false;
	if (sign == ',')
		return broken_fault(t, t->at, 1, "',' belongs between items in brackets",
				    "leave it out");
	if (strchr("\"'", before) && quote_inside(t))
		return true;
	if (strchr("[{\"'", sign))
		return broken_fault(t, t->at, 1, "a second value after the first", lists_joined(t));
	return broken_fault(t, t->at, strlen(source_value(t->arena, t->source, t->at)),
			    arena_printf(t->arena, "text after '%c'", before),
			    "leave it out; a comment begins with ' #'");
}

bool brackets_explain(const struct broken_text *t)
{
	return item_missing(t) || flow(t) || colon_unexpected(t) || behind_value(t);
}

/* ---------------------------------------------------------------- quotes that do not end */

bool quotes_explain(const struct broken_text *t)
{
	size_t begin, size;

	if (!broken_in(t, "quoted scalar") || !broken_with(t, "end of stream"))
		return false;
	begin = broken_context(t);
	if (begin >= t->source->size)
		return false;
	size = strcspn(t->text + begin + 1, ",]}\n\"'");
	return broken_fault(t, begin, 1, "the quote is not closed",
			    arena_printf(t->arena, "%c%.*s%c", t->text[begin], (int)size,
					 t->text + begin + 1, t->text[begin]));
}
