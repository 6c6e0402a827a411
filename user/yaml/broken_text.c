/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines, keys and values of a text that could not be parsed, and corrections of them.
 */
#include <ctype.h>

#include "broken_text.h"

enum { TOKEN_SHOWN = 200 };

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

size_t source_line(const struct source *source, size_t at)
{
	while (at && source->text[at - 1] != '\n')
		at--;
	return at;
}

size_t source_line_end(const struct source *source, size_t at)
{
	const char *stop = memchr(source->text + at, '\n', source->size - at);
	size_t end = stop ? (size_t)(stop - source->text) : source->size;

	return end > at && source->text[end - 1] == '\r' ? end - 1 : end;
}

struct loc source_place(const struct source *source, size_t offset, size_t size)
{
	size_t begin = source_line(source, offset);
	uint32_t line = 1;

	for (size_t i = 0; i < begin; i++)
		line += source->text[i] == '\n';
	return (struct loc){.source = source,
			    .line = line,
			    .column = characters(source->text + begin, offset - begin) + 1,
			    .length = characters(source->text + offset, size) ?: 1};
}

bool broken_fault(const struct broken_text *t, size_t at, size_t size, const char *message,
		  const char *hint)
{
	*t->out = (struct syntax_fault){.loc = source_place(t->source, at, size),
					.check = "yaml-syntax",
					.message = message,
					.hint = hint};
	return true;
}

const char *broken_cut(const struct broken_text *t, size_t begin, size_t end)
{
	while (end > begin && strchr(" \t\r", t->text[end - 1]))
		end--;
	return arena_strndup(t->arena, t->text + begin, end > begin ? end - begin : 0);
}

bool broken_with(const struct broken_text *t, const char *words)
{
	return t->error->problem && strstr(t->error->problem, words);
}

bool broken_in(const struct broken_text *t, const char *words)
{
	return t->error->context && strstr(t->error->context, words);
}

size_t broken_context(const struct broken_text *t)
{
	return source_offset(t->source, t->error->context_line, t->error->context_column);
}

/* ---------------------------------------------------------------- lines */

size_t source_content(const struct source *source, size_t at)
{
	const char *text = source->text;

	at += strspn(text + at, " ");
	while (text[at] == '-' && text[at + 1] == ' ') {
		at++;
		at += strspn(text + at, " ");
	}
	return at;
}

size_t source_line_above(const struct source *source, size_t at)
{
	size_t begin = source_line(source, at);

	while (begin) {
		size_t content;

		begin = source_line(source, begin - 1);
		content = begin + strspn(source->text + begin, " \r");
		if (content < source->size && !strchr("#\n", source->text[content]))
			return begin;
	}
	return SIZE_MAX;
}

size_t key_size(const char *text)
{
	size_t size = 0;

	while (isalnum((unsigned char)text[size]) ||
	       (size && strchr("-_.", text[size]) && text[size]))
		size++;
	return size;
}

bool key_is_known(const char *word)
{
	static const char *const more[] = {"description", "describe", "purpose", "comment",
					   "interfaces",  "guests",   "cgroups", "with",
					   "without",	  "egress",   "ingress", "format"};

	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (str_equal(word, more[i]))
			return true;
	return key_example(word) != NULL;
}

char source_sign_before(const struct source *source, size_t at)
{
	while (at && strchr(" \t", source->text[at - 1]))
		at--;
	return at ? source->text[at - 1] : '\n';
}

/* ---------------------------------------------------------------- corrections */

/* Is the text YAML by itself? */
static bool reads(const char *text)
{
	struct events *events = events_open(NULL, text, strlen(text));
	struct event event = {.kind = EVENT_STREAM};
	bool good = events != NULL;

	while (good && event.kind != EVENT_STREAM_END)
		good = events_next(events, &event);
	events_close(events);
	return good;
}

const char *broken_yaml(const char *text)
{
	return reads(text) ? text : NULL;
}

const char *broken_write(const struct broken_text *t, const char *text)
{
	return reads(text) ? arena_printf(t->arena, "write '%s'", text) : NULL;
}

const char *source_value(struct arena *arena, const struct source *source, size_t at)
{
	size_t end = source_line_end(source, at), size = strcspn(source->text + at, ",]}\n");

	if (size < end - at)
		end = at + size;
	while (end > at + 1 && strchr(" \t", source->text[end - 1]))
		end--;
	return arena_strndup(arena, source->text + at, end - at);
}

const char *text_in_quotes(struct arena *arena, const char *text)
{
	char *quoted, *end;

	if (!strpbrk(text, "\"\\"))
		return arena_printf(arena, "\"%s\"", text);
	end = quoted = arena_alloc(arena, 2 * strlen(text) + 3);
	*end++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			*end++ = '\'';
		*end++ = *text;
	}
	*end = '\'';
	return quoted;
}

/* The key whose value, or the item of whose list, begins here; "" when that is not plain. */
static const char *key_of(struct arena *arena, const struct source *source, size_t at)
{
	const char *text = source->text;
	size_t line = source_line(source, at), end, size = 0;

	for (end = at; end > line && (text[end] != ':' || !strchr(" [", text[end + 1]));)
		end--;
	while (text[end] != ':' && text[line + strspn(text + line, " ")] == '-') {
		line = source_line_above(source, line);
		if (line == SIZE_MAX)
			return "";
		end = source_line_end(source, line);
		while (end > line && strchr(": ", text[end - 1]))
			end--;
		if (text[end] == ':')
			break;
	}
	while (end > size + line &&
	       (isalnum((unsigned char)text[end - size - 1]) || strchr("-_", text[end - size - 1])))
		size++;
	return text[end] == ':' ? arena_strndup(arena, text + end - size, size) : "";
}

/* A port or a peer that is wrong in quotes as well. */
static const char *meant_hint(struct arena *arena, const char *key, const char *token)
{
	struct service service[2];
	struct prefix prefix;
	size_t count, size = strlen(token);

	if (str_equal(token, "any") || str_starts(token, "local-subnet") ||
	    str_starts(token, "prefixes/"))
		return NULL;
	if (size && token[size - 1] == ':' &&
	    service_parse(arena_strndup(arena, token, size - 1), service, &count) == SERVICE_OK)
		return arena_printf(arena, "write '%.*s'", (int)size - 1, token);
	if (str_equal(key, "ports") && service_parse(token, service, &count) != SERVICE_OK)
		return service_advice(arena, token).hint;
	if (!str_equal(key, "peer") || prefix_parse(token, &prefix) == NET_OK)
		return NULL;
	if (strchr(token, '.') && name_is_dns(token))
		return "write its addresses, or a prefix set: prefixes/NAME";
	return peer_advice(arena, token).hint
		       ?: "an address (10.0.0.1), a prefix (10.0.0.0/24), prefixes/NAME or "
			  "local-subnet";
}

/* Without the characters that an editor or a document put around it. */
static const char *bare_value(struct arena *arena, const struct source *source, size_t at)
{
	const char *token = source_value(arena, source, at);
	size_t size = strlen(token);

	if (size > 2 && *token == '`' && token[size - 1] == '`')
		return arena_strndup(arena, token + 1, size - 2);
	return token;
}

const char *source_quotes_hint(struct arena *arena, const struct source *source, size_t at)
{
	const char *token = bare_value(arena, source, at);

	if (strlen(token) > TOKEN_SHOWN)
		return "the value needs quotes";
	return arena_printf(arena, "the value needs quotes: %s", text_in_quotes(arena, token));
}

const char *source_value_hint(struct arena *arena, const struct source *source, size_t at)
{
	const char *token = bare_value(arena, source, at);

	return meant_hint(arena, key_of(arena, source, at), token)
		       ?: source_quotes_hint(arena, source, at);
}
