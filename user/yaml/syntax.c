/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libyaml reports where it stopped and which token it expected; mostly the mistake is one of a
 * dozen, and often before that place. The text around it shows which one.
 */
#include <ctype.h>

#include "broken_text.h"

/* ---------------------------------------------------------------- signs at the beginning */

/* "!10.0.0.1", "!443/tcp". */
static const char *negation_hint(struct arena *arena, const char *token)
{
	struct service service[2];
	struct prefix prefix;
	size_t count;

	if (prefix_parse(token + 1, &prefix) == NET_OK)
		return peer_advice(arena, token).hint;
	if (service_parse(token + 1, service, &count) == SERVICE_OK)
		return service_advice(arena, token).hint;
	return NULL;
}

struct syntax_fault sign_explain(struct arena *arena, const struct source *source, size_t at)
{
	const char *token = source_value(arena, source, at), *negation = NULL;
	bool named = isalnum((unsigned char)token[*token != '\0']);
	struct syntax_fault out = {.check = "yaml-syntax",
				   .hint = source_value_hint(arena, source, at)};

	switch (*token) {
	case '*':
		out.message = "'*' begins an alias in YAML, and aliases are not allowed";
		if (named)
			out.hint = source_quotes_hint(arena, source, at);
		break;
	case '&':
		out.message = "'&' begins an anchor in YAML, and anchors are not allowed";
		break;
	case '!':
		negation = negation_hint(arena, token);
		out.message = negation ? "'!' negates nothing: it begins a tag in YAML"
				       : "'!' begins a tag in YAML, and tags are not allowed";
		break;
	default:
		out.message = arena_printf(arena, "'%c' cannot begin a value in YAML", *token);
	}
	if (negation)
		out.hint = negation;
	return out;
}

struct syntax_fault key_explain(struct arena *arena, const struct source *source, size_t at)
{
	const char *text = source->text + at, *close = strchr(text, ']');
	struct syntax_fault out = {.loc = source_place(source, at, 1),
				   .check = "yaml-syntax",
				   .message = "a key must be a word, not a list or a map",
				   .hint = "a value that begins with '{' or '[' needs quotes"};

	if (str_starts(text, "{{") || (*text == '{' && at && text[-1] == '{')) {
		out.message = "a template that is not filled in";
		out.hint = "write the resulting policy";
	} else if (*text == '[' && close && close[1] == ':') {
		size_t size = (size_t)(close + 2 - text) + strspn(close + 2, "0123456789");
		struct advice advice = peer_advice(arena, arena_strndup(arena, text, size));

		if (!advice.message)
			return out;
		out.loc = source_place(source, at, size);
		out.message = arena_printf(arena, "'%.*s' is not an address or a prefix: %s",
					   (int)size, text, advice.message);
		out.hint = advice.hint;
	}
	return out;
}

static bool sign(const struct broken_text *t)
{
	size_t at = t->at;

	if (broken_in(t, "alias") || broken_in(t, "anchor") || broken_in(t, "tag"))
		at = broken_context(t);
	else if (broken_with(t, "directive"))
		at = source_line(t->source, at);
	else if (!broken_with(t, "cannot start any token") &&
		 !broken_with(t, "mapping keys are not allowed"))
		return false;
	if (at >= t->source->size || !strchr("*&!@%`?|>", t->text[at]))
		return false;
	if (at && t->text[at] == '%' && t->text[at - 1] == '{')
		return broken_fault(t, at - 1, 2, "a template that is not filled in",
				    "write the resulting policy");
	*t->out = sign_explain(t->arena, t->source, at);
	t->out->loc = source_place(t->source, at, strlen(source_value(t->arena, t->source, at)));
	return true;
}

/* ---------------------------------------------------------------- blanks of other kinds */

static bool tab(const struct broken_text *t)
{
	size_t at = t->at, begin = source_line(t->source, at);

	if (at >= t->source->size || t->text[at] != '\t') {
		at = begin + strspn(t->text + begin, " ");
		if (t->text[at] != '\t')
			return false;
	}
	return broken_fault(t, at, strspn(t->text + at, "\t"),
			    begin + strspn(t->text + begin, " ") == at
				    ? "a tab in the indentation; YAML is indented with spaces"
				    : "a tab where YAML takes spaces only",
			    arena_printf(t->arena, "sed -i 's/\\t/  /g' %s",
					 shell_word(t->arena, t->source->name)));
}

static const struct {
	const char *sign, *name, *instead;
} odd_signs[] = {
	{"\u00a0", "a no-break space (U+00A0)", " "},
	{"\u3000", "an ideographic space (U+3000)", " "},
	{"\u2002", "an en space (U+2002)", " "},
	{"\u2003", "an em space (U+2003)", " "},
	{"\u2007", "a figure space (U+2007)", " "},
	{"\u2009", "a thin space (U+2009)", " "},
	{"\u202f", "a narrow no-break space (U+202F)", " "},
	{"\u200b", "a zero width space (U+200B)", ""},
	{"\ufeff", "a byte order mark (U+FEFF)", ""},
	{"\uff1a", "a fullwidth colon (U+FF1A)", ": "},
	{"\ufe55", "a small colon (U+FE55)", ": "},
	{"\u2236", "a ratio sign (U+2236)", ": "},
};

/* In prose such a colon is right; it is not where a key has its own. */
static bool in_place(const struct broken_text *t, size_t sign, size_t at)
{
	size_t key = source_content(t->source, source_line(t->source, at));

	return odd_signs[sign].instead[0] != ':' || key + key_size(t->text + key) == at;
}

static bool odd_sign(const struct broken_text *t)
{
	size_t end = source_line_end(t->source, t->at), begin = source_line(t->source, t->at);
	size_t above = source_line_above(t->source, t->at);

	if (above != SIZE_MAX)
		begin = above;
	for (size_t i = 0; i < ARRAY_SIZE(odd_signs); i++) {
		const char *sign = odd_signs[i].sign;
		const char *found = memmem(t->text + begin, end - begin, sign, strlen(sign));
		char bytes[16] = "";

		if (!found || !in_place(t, i, (size_t)(found - t->text)))
			continue;
		for (size_t k = 0; sign[k]; k++)
			sprintf(bytes + 4 * k, "\\x%02x", (unsigned char)sign[k]);
		return broken_fault(
			t, (size_t)(found - t->text), strlen(sign),
			arena_printf(t->arena, "%s, which is not a %s in YAML", odd_signs[i].name,
				     *odd_signs[i].instead == ':' ? "':'" : "blank"),
			arena_printf(t->arena, "sed -i 's/%s/%s/g' %s", bytes, odd_signs[i].instead,
				     shell_word(t->arena, t->source->name)));
	}
	return false;
}

/* ---------------------------------------------------------------- keys and colons */

/* "id:r" or "-id: r" in a line: a blank is missing. */
static bool blank_missing(const struct broken_text *t, size_t begin)
{
	size_t at = source_content(t->source, begin), end = source_line_end(t->source, at), size;

	if (t->text[at] == '-' && isalnum((unsigned char)t->text[at + 1]))
		return broken_fault(
			t, at, 1, "a space is missing after '-'",
			arena_printf(t->arena, "write '- %s'", broken_cut(t, at + 1, end)));
	size = key_size(t->text + at);
	if (!size || t->text[at + size] != ':' || strchr(" \r\n", t->text[at + size + 1]) ||
	    memmem(t->text + at, end - at, ": ", 2))
		return false;
	return broken_fault(t, at + size, 1, "a space is missing after ':'",
			    arena_printf(t->arena, "write '%.*s: %s'", (int)size, t->text + at,
					 broken_cut(t, at + size + 1, end)));
}

static const char *bullet_at(const char *text)
{
	static const char *const bullets[] = {"* ",	 "+ ",	    "-- ",     "\u2022 ", "\u2013 ",
					      "\u2014 ", "\u2212 ", "\u00b7 ", "\u25aa "};

	for (size_t i = 0; i < ARRAY_SIZE(bullets); i++)
		if (str_starts(text, bullets[i]))
			return bullets[i];
	return NULL;
}

/* May an item begin in this line: below a key without a value, or another item? */
static bool list_goes_on(const struct broken_text *t, size_t line)
{
	size_t above = source_line_above(t->source, line), end, begin;

	if (above == SIZE_MAX)
		return false;
	end = source_line_end(t->source, above);
	while (t->text[end - 1] == ' ')
		end--;
	begin = above + strspn(t->text + above, " ");
	return t->text[end - 1] == ':' || source_content(t->source, above) > begin ||
	       bullet_at(t->text + begin);
}

/* "* id: web": the bullet of other formats. */
static bool bullet_in(const struct broken_text *t, size_t line)
{
	size_t at = line + strspn(t->text + line, " ");
	const char *found = bullet_at(t->text + at), *rest;

	if (!found)
		return false;
	rest = broken_cut(t, at + strlen(found), source_line_end(t->source, at));
	if (list_goes_on(t, line))
		return broken_fault(t, at, strlen(found) - 1, "an item of a list begins with '- '",
				    arena_printf(t->arena, "write '- %s'", rest));
	return broken_fault(t, at, strlen(found) - 1, "a key has no sign before it",
			    broken_write(t, rest));
}

static bool bullet(const struct broken_text *t)
{
	size_t above = source_line_above(t->source, t->at);

	if (!broken_in(t, "alias") && !broken_with(t, "mapping values are not allowed"))
		return false;
	return bullet_in(t, source_line(t->source, t->at)) ||
	       (above != SIZE_MAX && bullet_in(t, above));
}

/* "mode audit", "mode :audit", "mode -> audit" */
static bool no_colon(const struct broken_text *t, size_t key, size_t size)
{
	size_t at = key + size + strspn(t->text + key + size, " ");
	const char *name = broken_cut(t, key, key + size), *value;
	const char *message = "a space is missing after ':'";
	bool blank = t->text[at] == ':';

	if (!blank)
		message = arena_printf(t->arena, "':' is missing after '%s'", name);
	if (blank)
		at++;
	else if (str_starts(t->text + at, "->") || str_starts(t->text + at, "=>"))
		at += 2 + strspn(t->text + at + 2, " ");
	value = broken_cut(t, at, source_line_end(t->source, key));
	return broken_fault(
		t, key, size, message,
		broken_write(t, arena_printf(t->arena, *value ? "%s: %s" : "%s:", name, value)));
}

/* "id web": a key that we know, and no ':' in its line. */
static bool key_alone(const struct broken_text *t, size_t line)
{
	size_t at = source_content(t->source, line), end = source_line_end(t->source, line);
	size_t size = key_size(t->text + at);

	return t->text[at + size] == ' ' && !memchr(t->text + at, ':', end - at) &&
	       key_is_known(arena_strndup(t->arena, t->text + at, size)) && no_colon(t, at, size);
}

/* "rules;", "mode; audit", "mode, audit" */
static bool wrong_sign(const struct broken_text *t, size_t line)
{
	size_t at = source_content(t->source, line), end = source_line_end(t->source, line);
	size_t size = key_size(t->text + at);
	size_t sign = at + size + strspn(t->text + at + size, " ");
	const char *value, *hint;

	if (!size || sign >= end || !strchr(";,=|>", t->text[sign]) ||
	    str_starts(t->text + sign, "=>") || memchr(t->text + at, ':', end - at))
		return false;
	value = broken_cut(t, sign + strspn(t->text + sign, ";,=|> "), end);
	hint = arena_printf(t->arena, *value ? "%.*s: %s" : "%.*s:", (int)size, t->text + at,
			    value);
	return broken_fault(t, sign, 1,
			    arena_printf(t->arena, "'%c' where ':' is expected", t->text[sign]),
			    broken_write(t, hint));
}

/* "interfaces: [eth0]" below `attach` is a map, or the item of a list of them; else it is text. */
static const char *value_whole(const struct broken_text *t, const char *key, const char *value)
{
	const char *example = key_example(key), *whole = NULL;

	if (example && strstr(example, ": {"))
		whole = arena_printf(t->arena, "%s: {%s}", key, value);
	else if (example && strstr(example, ": [{"))
		whole = arena_printf(t->arena, "%s: [{%s}]", key, value);
	if (!whole || !broken_write(t, whole))
		whole = arena_printf(t->arena, "%s: %s", key, text_in_quotes(t->arena, value));
	return whole;
}

/* "id: web direction: egress" */
static bool line_missing(const struct broken_text *t, size_t key, size_t value)
{
	static const char *const texts[] = {"comment",	"purpose", "description",
					    "describe", "title",   "note"};
	size_t at = t->at;
	const char *outer = broken_cut(t, key, key + key_size(t->text + key)), *inner;

	while (at > value && isalnum((unsigned char)t->text[at - 1]))
		at--;
	inner = broken_cut(t, at, t->at);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (str_equal(outer, texts[i]))
			return false;
	if (at <= value || t->text[at - 1] != ' ' || !key_is_known(inner))
		return false;
	return broken_fault(t, at, t->at - at,
			    arena_printf(t->arena, "'%s' is a key of its own", inner),
			    arena_printf(t->arena, "write it in a line of its own, in column %u",
					 source_place(t->source, key, 1).column));
}

/* A key where none can be: `a: b: c`, or below a value that is whole already. */
static bool colon(const struct broken_text *t)
{
	size_t begin = source_line(t->source, t->at), above = source_line_above(t->source, t->at);
	size_t key = source_content(t->source, begin), size = key_size(t->text + key), value;

	if (!broken_with(t, "mapping values are not allowed"))
		return false;
	if (key < t->at && memmem(t->text + key, t->at - key, ": ", 2)) {
		value = key + size + 1;
		value += strspn(t->text + value, " ");
		if (!size || t->text[key + size] != ':')
			return broken_fault(t, t->at, 1, "': ' inside a value without quotes",
					    NULL);
		if (line_missing(t, key, value))
			return true;
		return broken_fault(
			t, t->at, 1, "': ' inside a value without quotes",
			value_whole(t, broken_cut(t, key, key + size),
				    broken_cut(t, value, source_line_end(t->source, t->at))));
	}
	if (above == SIZE_MAX)
		return false;
	if (blank_missing(t, above) || wrong_sign(t, above) || key_alone(t, above))
		return true;
	return broken_fault(
		t, key, size,
		"this line is indented further than the line above, which has its value",
		arena_printf(t->arena, "begin it in column %u, like the line above",
			     source_place(t->source, source_content(t->source, above), 1).column));
}

/* "\"mode: audit\"" */
static bool key_in_quotes(const struct broken_text *t, size_t begin)
{
	size_t end = source_line_end(t->source, begin), close = begin + 1;
	const char *inner, *value;

	while (close < end && t->text[close] != t->text[begin])
		close++;
	if (close >= end || !strchr("\"'", t->text[begin]))
		return false;
	inner = broken_cut(t, begin + 1, close);
	if (inner[key_size(inner)] == ':')
		return broken_fault(t, begin, close + 1 - begin,
				    "in quotes, a key and its value are one text",
				    broken_write(t, inner));
	value = broken_cut(t, close + 1 + strspn(t->text + close + 1, " "), end);
	return broken_fault(
		t, begin, close + 1 - begin,
		arena_printf(t->arena, "':' is missing after '%s'", inner),
		broken_write(t, arena_printf(t->arena, *value ? "%s: %s" : "%s:", inner, value)));
}

static bool colon_missing(const struct broken_text *t)
{
	size_t begin, line, size;

	if (!broken_with(t, "could not find expected ':'"))
		return false;
	begin = broken_context(t);
	line = source_line(t->source, begin);
	if (blank_missing(t, line) || wrong_sign(t, line) || key_in_quotes(t, begin))
		return true;
	size = key_size(t->text + begin);
	return size && no_colon(t, begin, size);
}

static bool list_behind_colon(const struct broken_text *t)
{
	size_t key = source_content(t->source, source_line(t->source, t->at));
	size_t begin = t->at + 1 + strspn(t->text + t->at + 1, " ");
	const char *item = broken_cut(t, begin, source_line_end(t->source, t->at));
	const char *name = broken_cut(t, key, key + key_size(t->text + key)), *hint;

	if (!broken_with(t, "block sequence entries are not allowed"))
		return false;
	hint = arena_printf(t->arena, "[%s]", item);
	if (*item && item[key_size(item)] == ':')
		hint = arena_printf(t->arena, "%s, or begin a new line before '-'",
				    value_whole(t, name, item));
	else if (*item && broken_yaml(hint))
		hint = arena_printf(t->arena, "write '%s', or begin a new line before '-'", hint);
	else
		hint = "begin a new line before '-'";
	return broken_fault(t, t->at, 1, "a list with '- ' begins in a line of its own", hint);
}

/* ---------------------------------------------------------------- indentation */

/* The line above whose key is nearest to a column. */
static size_t nearest_key(const struct source *source, size_t at, size_t column)
{
	size_t best = SIZE_MAX, least = SIZE_MAX, line = at;

	for (int looked = 0; looked < 100 && (line = source_line_above(source, line)) != SIZE_MAX;
	     looked++) {
		size_t key = source_content(source, line), away;
		size_t found = key - line;

		away = found > column ? found - column : column - found;
		if (away < least || (away == least && found > best - source_line(source, best))) {
			least = away;
			best = key;
		}
	}
	return best;
}

static bool indentation(const struct broken_text *t)
{
	size_t begin = source_line(t->source, t->at), key, item;
	struct loc place;

	if ((!broken_with(t, "expected key") && !broken_with(t, "'-' indicator")) ||
	    begin + strspn(t->text + begin, " ") != t->at)
		return false;
	if (source_line_above(t->source, begin) != SIZE_MAX &&
	    key_in_quotes(t, source_content(t->source, source_line_above(t->source, begin))))
		return true;
	key = nearest_key(t->source, t->at, t->at - begin);
	if (key == SIZE_MAX)
		return false;
	place = source_place(t->source, key, 1);
	item = source_content(t->source, begin);
	if (place.column == t->at - begin + 1 && t->text[t->at] == '-' && item == t->at)
		return broken_fault(t, t->at, 1, "an item of a list among keys", "leave it out");
	if (place.column == t->at - begin + 1 && item > t->at)
		return broken_fault(
			t, t->at, 1, "an item of a list among keys",
			arena_printf(t->arena, "write '%s'",
				     broken_cut(t, item, source_line_end(t->source, item))));
	if (place.column == t->at - begin + 1)
		return false;
	return broken_fault(t, t->at, key_size(t->text + t->at),
			    "the indentation of this line matches no line above that it could "
			    "belong to",
			    arena_printf(t->arena, "begin it in column %u, like '%.*s' in line %u",
					 place.column, (int)key_size(t->text + key), t->text + key,
					 place.line));
}

static bool lone_colon(const struct broken_text *t)
{
	const char *token;

	if (t->at >= t->source->size || t->text[t->at] != ':')
		return false;
	if (broken_with(t, "expected key"))
		return broken_fault(t, t->at, 1, "no key is written before this ':'", NULL);
	if (!broken_with(t, "expected node content"))
		return false;
	token = source_value(t->arena, t->source, t->at);
	return broken_fault(t, t->at, strlen(token), "a value cannot begin with ':'",
			    source_value_hint(t->arena, t->source, t->at));
}

/* ---------------------------------------------------------------- all of them */

static bool no_text(const struct broken_text *t)
{
	bool control = broken_with(t, "control");
	size_t at = t->error->offset;
	unsigned char byte;

	if (t->error->why != EVENT_NO_TEXT)
		return false;
	/* The bytes after the wrong one are not part of its character. */
	while (broken_with(t, "trailing") && at && t->error->offset - at < 3 &&
	       ((unsigned char)t->text[at] & 0xc0) != 0xc0)
		at--;
	byte = (unsigned char)t->text[at];
	if (control)
		return broken_fault(
			t, at, 1,
			arena_printf(t->arena, "not text: the control character U+%04X", byte),
			"leave it out");
	return broken_fault(
		t, at, 1, arena_printf(t->arena, "not text: byte 0x%02x is not UTF-8", byte),
		arena_printf(t->arena,
			     "a policy is UTF-8 text: iconv -f ISO-8859-1 -t UTF-8 %s > utf-8.yaml",
			     shell_word(t->arena, t->source->name)));
}

/* "| text", "> text": the text has to be in the lines below. */
static bool text_block(const struct broken_text *t)
{
	size_t at;

	if (!broken_in(t, "block scalar"))
		return false;
	at = broken_context(t);
	return broken_fault(
		t, at, 1,
		arena_printf(t->arena, "'%c' begins a text in the lines below", t->text[at]),
		source_value_hint(t->arena, t->source, at));
}

static void as_libyaml_says(const struct broken_text *t)
{
	const struct event_error *error = t->error;
	bool context = error->context && error->context_line != error->line;

	broken_fault(t, t->at, 1,
		     context ? arena_printf(t->arena, "not YAML: %s, %s that begins in line %u",
					    error->problem, error->context, error->context_line)
			     : arena_printf(t->arena, "not YAML: %s", error->problem),
		     NULL);
}

struct syntax_fault syntax_explain(struct arena *arena, const struct source *source,
				   const struct event_error *error)
{
	static bool (*const tries[])(const struct broken_text *) = {no_text,
								    tab,
								    bullet,
								    sign,
								    odd_sign,
								    lone_colon,
								    brackets_explain,
								    text_block,
								    quotes_explain,
								    colon_missing,
								    colon,
								    list_behind_colon,
								    indentation};
	struct syntax_fault out = {.check = NULL};
	struct broken_text t = {.arena = arena,
				.source = source,
				.error = error,
				.text = source->text,
				.out = &out};

	if (foreign_explain(arena, source, &out))
		return out;
	t.at = error->why == EVENT_NO_TEXT ? error->offset
					   : source_offset(source, error->line, error->column);
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
		if (tries[i](&t))
			return out;
	as_libyaml_says(&t);
	return out;
}
