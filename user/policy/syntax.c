// SPDX-License-Identifier: GPL-2.0-only
/*
 * libyaml says where it stopped and what token it would have liked; mostly the mistake is one of a
 * dozen, and often before that place. They are told apart by the text around it.
 */
#include <ctype.h>
#include <string.h>

#include "model.h"
#include "syntax.h"

enum { TOKEN_SHOWN = 200 };

struct trouble {
	struct arena *arena;
	const struct source *source;
	const struct event_error *error;
	const char *text;
	size_t at; /* where libyaml stopped */
	struct syntax_fault *out;
};

size_t source_offset(const struct source *source, uint32_t line, uint32_t column)
{
	const char *text = source->text;
	uint32_t at_line = 1, at_column = 1;
	size_t at = 0;

	while (at < source->size && (at_line < line || (at_line == line && at_column < column))) {
		bool ended = text[at++] == '\n';

		while (at < source->size && ((unsigned char)text[at] & 0xc0) == 0x80)
			at++;
		at_line += ended;
		at_column = ended ? 1 : at_column + 1;
	}
	return at;
}

static uint32_t characters(const char *text, size_t size)
{
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static size_t line_begin(const struct source *source, size_t at)
{
	while (at && source->text[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const struct source *source, size_t at)
{
	const char *stop = memchr(source->text + at, '\n', source->size - at);
	size_t end = stop ? (size_t)(stop - source->text) : source->size;

	return end > at && source->text[end - 1] == '\r' ? end - 1 : end;
}

struct loc source_place(const struct source *source, size_t offset, size_t size)
{
	size_t begin = line_begin(source, offset);
	uint32_t line = 1;

	for (size_t i = 0; i < begin; i++)
		line += source->text[i] == '\n';
	return (struct loc){.source = source,
			    .line = line,
			    .column = characters(source->text + begin, offset - begin) + 1,
			    .length = characters(source->text + offset, size) ?: 1};
}

static bool fault(const struct trouble *t, size_t at, size_t size, const char *message,
		  const char *hint)
{
	*t->out = (struct syntax_fault){.loc = source_place(t->source, at, size),
					.check = "yaml-syntax",
					.message = message,
					.hint = hint};
	return true;
}

static const char *cut(const struct trouble *t, size_t begin, size_t end)
{
	while (end > begin && strchr(" \t\r", t->text[end - 1]))
		end--;
	return arena_strndup(t->arena, t->text + begin, end - begin);
}

static bool stopped_with(const struct trouble *t, const char *words)
{
	return t->error->problem && strstr(t->error->problem, words);
}

static bool stopped_in(const struct trouble *t, const char *words)
{
	return t->error->context && strstr(t->error->context, words);
}

static size_t context_offset(const struct trouble *t)
{
	return source_offset(t->source, t->error->context_line, t->error->context_column);
}

/* ---------------------------------------------------------------- lines */

/* Behind blanks, and behind the dashes of items. */
static size_t content_begin(const struct source *source, size_t at)
{
	const char *text = source->text;

	at += strspn(text + at, " ");
	while (text[at] == '-' && text[at + 1] == ' ') {
		at++;
		at += strspn(text + at, " ");
	}
	return at;
}

/* The last line before this one that says something; SIZE_MAX: none. */
static size_t line_above(const struct source *source, size_t at)
{
	size_t begin = line_begin(source, at);

	while (begin) {
		size_t content;

		begin = line_begin(source, begin - 1);
		content = begin + strspn(source->text + begin, " \r");
		if (content < source->size && !strchr("#\n", source->text[content]))
			return begin;
	}
	return SIZE_MAX;
}

static size_t word_size(const char *text)
{
	size_t size = 0;

	while (isalnum((unsigned char)text[size]) ||
	       (size && strchr("-_.", text[size]) && text[size]))
		size++;
	return size;
}

/* ---------------------------------------------------------------- signs at the beginning */

/* As far as a value goes: to what ends one in brackets, or to the end of the line. */
static const char *value_token(struct arena *arena, const struct source *source, size_t at)
{
	size_t end = line_end(source, at), size = strcspn(source->text + at, ",]}\n");

	if (size < end - at)
		end = at + size;
	while (end > at + 1 && strchr(" \t", source->text[end - 1]))
		end--;
	return arena_strndup(arena, source->text + at, end - at);
}

static const char *needs_quotes(struct arena *arena, const char *token)
{
	size_t size = strlen(token);

	if (size > TOKEN_SHOWN)
		return "the value needs quotes";
	if (size > 2 && *token == '`' && token[size - 1] == '`')
		token = arena_strndup(arena, token + 1, size - 2);
	return arena_printf(arena, "the value needs quotes: \"%s\"", token);
}

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
	const char *token = value_token(arena, source, at), *negation = NULL;
	struct syntax_fault out = {.check = "yaml-syntax", .hint = needs_quotes(arena, token)};

	switch (*token) {
	case '*':
		out.message = "'*' begins an alias in YAML, and aliases are not allowed";
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
		out.hint = "write the policy that comes of it";
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

static bool sign(const struct trouble *t)
{
	size_t at = t->at;

	if (stopped_in(t, "alias") || stopped_in(t, "anchor") || stopped_in(t, "tag"))
		at = context_offset(t);
	else if (stopped_with(t, "directive"))
		at = line_begin(t->source, at);
	else if (!stopped_with(t, "cannot start any token") &&
		 !stopped_with(t, "mapping keys are not allowed"))
		return false;
	if (at >= t->source->size || !strchr("*&!@%`?", t->text[at]))
		return false;
	if (at && t->text[at] == '%' && t->text[at - 1] == '{')
		return fault(t, at - 1, 2, "a template that is not filled in",
			     "write the policy that comes of it");
	*t->out = sign_explain(t->arena, t->source, at);
	t->out->loc = source_place(t->source, at, strlen(value_token(t->arena, t->source, at)));
	return true;
}

/* ---------------------------------------------------------------- blanks of other kinds */

static bool tab(const struct trouble *t)
{
	size_t at = t->at, begin = line_begin(t->source, at);

	if (at >= t->source->size || t->text[at] != '\t') {
		at = begin + strspn(t->text + begin, " ");
		if (t->text[at] != '\t')
			return false;
	}
	return fault(t, at, strspn(t->text + at, "\t"),
		     begin + strspn(t->text + begin, " ") == at
			     ? "a tab in the indentation; YAML is indented with spaces"
			     : "a tab where YAML takes spaces only",
		     arena_printf(t->arena, "sed -i 's/\\t/  /g' %s",
				  shell_word(t->arena, t->source->name)));
}

static bool odd_blank(const struct trouble *t)
{
	size_t end = line_end(t->source, t->at), begin = line_begin(t->source, t->at);
	size_t above = line_above(t->source, t->at);
	const char *found;

	if (above != SIZE_MAX)
		begin = above;
	found = memmem(t->text + begin, end - begin, "\u00a0", strlen("\u00a0"));
	if (!found)
		return false;
	return fault(t, (size_t)(found - t->text), strlen("\u00a0"),
		     "a no-break space (U+00A0), which is no blank in YAML",
		     arena_printf(t->arena, "sed -i 's/\\xc2\\xa0/ /g' %s",
				  shell_word(t->arena, t->source->name)));
}

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

static void brackets_find(const struct trouble *t, size_t begin, struct brackets *out)
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
			at = line_end(t->source, at);
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

static bool not_closed(const struct trouble *t, size_t open)
{
	bool list = t->text[open] == '[';
	size_t end = line_end(t->source, open);
	const char *comment = memmem(t->text + open, end - open, " #", 2);

	if (comment)
		return fault(t, open, 1,
			     list ? "'[' is not closed: ' #' begins a comment in this line"
				  : "'{' is not closed: ' #' begins a comment in this line",
			     list ? "write ']' before the comment"
				  : "write '}' before the comment");
	return fault(t, open, 1, list ? "'[' is not closed" : "'{' is not closed",
		     list ? "write ']' where the list ends" : "write '}' where the map ends");
}

/* A ':' where a value goes on: a forgotten ',' or a text without quotes. */
static bool colon_inside(const struct trouble *t, size_t from)
{
	size_t begin = from + strspn(t->text + from, " \n"), colon = t->at, last;
	const char *value, *rest;

	if (colon < begin)
		return false;
	value = memmem(t->text + begin, colon - begin, ": ", 2);
	if (memchr(t->text + begin, ';', colon - begin))
		return fault(t, begin + strcspn(t->text + begin, ";"), 1,
			     "';' between keys; they are separated by ','", "write ',' for ';'");
	if (!value)
		return false;
	value += 2;
	for (last = colon; last && isalnum((unsigned char)t->text[last - 1]);)
		last--;
	rest = cut(t, last, colon);
	if (t->text[last - 1] == ' ' && t->text + last > value && key_example(rest))
		return fault(t, last, colon - last,
			     arena_printf(t->arena, "',' is missing before '%s'", rest),
			     arena_printf(t->arena, "%s, %s:",
					  cut(t, (size_t)(value - t->text), last), rest));
	return fault(t, colon, 1, "': ' inside a value without quotes",
		     arena_printf(t->arena, "%s\"%s\"",
				  arena_strndup(t->arena, t->text + begin,
						(size_t)(value - t->text) - begin),
				  value_token(t->arena, t->source, (size_t)(value - t->text))));
}

static bool flow(const struct trouble *t)
{
	struct brackets brackets;
	size_t top, begin;
	char sign = t->at < t->source->size ? t->text[t->at] : '\0';

	if (!stopped_in(t, "flow") && !stopped_with(t, "expected ','"))
		return false;
	begin = line_begin(t->source, context_offset(t));
	brackets_find(t, begin, &brackets);
	begin = brackets.count ? SIZE_MAX : line_above(t->source, begin);
	if (begin != SIZE_MAX)
		brackets_find(t, begin, &brackets);
	if (!brackets.count)
		return false;
	top = brackets.open[brackets.count - 1];
	if (sign == ':' && colon_inside(t, brackets.comma))
		return true;
	if (sign == '{' && t->at && t->text[t->at - 1] == '$')
		return fault(t, t->at - 1, strcspn(t->text + t->at, "}") + 2,
			     "'{' inside a value without quotes",
			     arena_printf(t->arena, "\"%.*s\"",
					  (int)strcspn(t->text + t->at, "}") + 2,
					  t->text + t->at - 1));
	if (sign == ']' || sign == '}') {
		for (unsigned i = 0; i + 1 < brackets.count; i++)
			if (t->text[brackets.open[i]] == (sign == ']' ? '[' : '{'))
				return not_closed(t, top);
		return fault(t, t->at, 1,
			     sign == ']' ? "']' closes nothing here" : "'}' closes nothing here",
			     "leave it out");
	}
	return not_closed(t, top);
}

static bool quote(const struct trouble *t)
{
	size_t begin, size;

	if (!stopped_in(t, "quoted scalar") || !stopped_with(t, "end of stream"))
		return false;
	begin = context_offset(t);
	size = strcspn(t->text + begin + 1, ",]}\n\"'");
	return fault(t, begin, 1, "the quote is not closed",
		     arena_printf(t->arena, "%c%.*s%c", t->text[begin], (int)size,
				  t->text + begin + 1, t->text[begin]));
}

/* ---------------------------------------------------------------- keys and colons */

/* "id:r" or "-id: r" in a line: a blank is missing. */
static bool blank_missing(const struct trouble *t, size_t begin)
{
	size_t at = content_begin(t->source, begin), end = line_end(t->source, at), size;

	if (t->text[at] == '-' && isalnum((unsigned char)t->text[at + 1]))
		return fault(t, at, 1, "a blank is missing behind '-'",
			     arena_printf(t->arena, "write '- %s'", cut(t, at + 1, end)));
	size = word_size(t->text + at);
	if (!size || t->text[at + size] != ':' || strchr(" \r\n", t->text[at + size + 1]) ||
	    memmem(t->text + at, end - at, ": ", 2))
		return false;
	return fault(t, at + size, 1, "a blank is missing behind ':'",
		     arena_printf(t->arena, "write '%.*s: %s'", (int)size, t->text + at,
				  cut(t, at + size + 1, end)));
}

/* A key where none can be: `a: b: c`, or below a value that is whole already. */
static bool colon(const struct trouble *t)
{
	size_t begin = line_begin(t->source, t->at), above = line_above(t->source, t->at);
	size_t key = content_begin(t->source, begin);

	if (!stopped_with(t, "mapping values are not allowed"))
		return false;
	if (key < t->at && memmem(t->text + key, t->at - key, ": ", 2)) {
		struct trouble line = *t;
		size_t end = line_end(t->source, t->at);
		size_t value = key + word_size(t->text + key) + 1;

		value += strspn(t->text + value, " ");
		return fault(&line, t->at, 1, "': ' inside a value without quotes",
			     arena_printf(t->arena, "%.*s: \"%s\"", (int)word_size(t->text + key),
					  t->text + key, cut(t, value, end)));
	}
	if (above == SIZE_MAX)
		return false;
	if (blank_missing(t, above))
		return true;
	return fault(
		t, key, word_size(t->text + key),
		"this line is indented further than the line above, which has its value",
		arena_printf(t->arena, "begin it in column %u, like the line above",
			     source_place(t->source, content_begin(t->source, above), 1).column));
}

static bool colon_missing(const struct trouble *t)
{
	size_t begin, end, size;

	if (!stopped_with(t, "could not find expected ':'"))
		return false;
	begin = context_offset(t);
	end = line_end(t->source, begin);
	size = word_size(t->text + begin);
	if (!size)
		return false;
	if (blank_missing(t, line_begin(t->source, begin)))
		return true;
	return fault(
		t, begin, size,
		arena_printf(t->arena, "':' is missing behind '%.*s'", (int)size, t->text + begin),
		end > begin + size
			? arena_printf(
				  t->arena, "write '%.*s: %s'", (int)size, t->text + begin,
				  cut(t, begin + size + strspn(t->text + begin + size, " "), end))
			: arena_printf(t->arena, "write '%.*s:'", (int)size, t->text + begin));
}

static bool list_behind_colon(const struct trouble *t)
{
	size_t end = line_end(t->source, t->at);

	if (!stopped_with(t, "block sequence entries are not allowed"))
		return false;
	return fault(t, t->at, 1, "a list with '- ' begins in a line of its own",
		     arena_printf(t->arena, "write '[%s]', or begin a new line before '-'",
				  cut(t, t->at + 1 + strspn(t->text + t->at + 1, " "), end)));
}

/* ---------------------------------------------------------------- indentation */

/* The line above whose key is nearest to a column. */
static size_t nearest_key(const struct source *source, size_t at, size_t column)
{
	size_t best = SIZE_MAX, least = SIZE_MAX, line = at;

	for (int looked = 0; looked < 100 && (line = line_above(source, line)) != SIZE_MAX;
	     looked++) {
		size_t key = content_begin(source, line), away;
		size_t found = key - line;

		away = found > column ? found - column : column - found;
		if (away < least || (away == least && found > best - line_begin(source, best))) {
			least = away;
			best = key;
		}
	}
	return best;
}

static bool indentation(const struct trouble *t)
{
	size_t begin = line_begin(t->source, t->at), key;
	struct loc place;

	if ((!stopped_with(t, "expected key") && !stopped_with(t, "'-' indicator")) ||
	    begin + strspn(t->text + begin, " ") != t->at)
		return false;
	key = nearest_key(t->source, t->at, t->at - begin);
	if (key == SIZE_MAX)
		return false;
	place = source_place(t->source, key, 1);
	return fault(t, t->at, word_size(t->text + t->at),
		     "this line is indented like none above that it could belong to",
		     arena_printf(t->arena, "begin it in column %u, like '%.*s' in line %u",
				  place.column, (int)word_size(t->text + key), t->text + key,
				  place.line));
}

static bool lone_colon(const struct trouble *t)
{
	const char *token;

	if (t->at >= t->source->size || t->text[t->at] != ':' ||
	    !stopped_with(t, "expected node content"))
		return false;
	token = value_token(t->arena, t->source, t->at);
	return fault(t, t->at, strlen(token), "a value cannot begin with ':'",
		     needs_quotes(t->arena, token));
}

/* ---------------------------------------------------------------- all of them */

static bool no_text(const struct trouble *t)
{
	bool control = stopped_with(t, "control");
	size_t at = t->error->offset;
	unsigned char byte;

	if (t->error->why != EVENT_NO_TEXT)
		return false;
	/* What follows the odd byte is no part of its character. */
	while (stopped_with(t, "trailing") && at && t->error->offset - at < 3 &&
	       ((unsigned char)t->text[at] & 0xc0) != 0xc0)
		at--;
	byte = (unsigned char)t->text[at];
	if (control)
		return fault(t, at, 1,
			     arena_printf(t->arena, "not text: the control character U+%04X", byte),
			     "leave it out");
	return fault(
		t, at, 1, arena_printf(t->arena, "not text: byte 0x%02x is not UTF-8", byte),
		arena_printf(t->arena,
			     "a policy is UTF-8 text: iconv -f ISO-8859-1 -t UTF-8 %s > utf-8.yaml",
			     shell_word(t->arena, t->source->name)));
}

/* "| text", "> text": what follows has to be in the lines below. */
static bool text_block(const struct trouble *t)
{
	size_t at;

	if (!stopped_in(t, "block scalar"))
		return false;
	at = context_offset(t);
	return fault(t, at, 1,
		     arena_printf(t->arena, "'%c' begins a text in the lines below", t->text[at]),
		     needs_quotes(t->arena, value_token(t->arena, t->source, at)));
}

static void as_libyaml_says(const struct trouble *t)
{
	const struct event_error *error = t->error;
	bool context = error->context && error->context_line != error->line;

	fault(t, t->at, 1,
	      context ? arena_printf(t->arena, "not YAML: %s, %s that begins in line %u",
				     error->problem, error->context, error->context_line)
		      : arena_printf(t->arena, "not YAML: %s", error->problem),
	      NULL);
}

struct syntax_fault syntax_explain(struct arena *arena, const struct source *source,
				   const struct event_error *error)
{
	static bool (*const tries[])(const struct trouble *) = {
		no_text,    tab,   sign,	  odd_blank, lone_colon,	flow,
		text_block, quote, colon_missing, colon,     list_behind_colon, indentation};
	struct syntax_fault out = {.check = NULL};
	struct trouble t = {.arena = arena,
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
