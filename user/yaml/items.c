/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fast path for the items of a long list in their usual form: maps of words and of lists of
 * words, in braces on a line or key by key. It costs a tenth of a full YAML parser. Any other
 * form, or any character with a meaning in YAML, is left to libyaml: this parser never reports an
 * error.
 */
#include "yaml.h"

enum { KEY_LONGEST = 128 };

struct item_reader {
	struct yaml_reader *opts;
	size_t indent; /* of items */
	size_t begin, end;
	uint32_t line;
	char *text, *stop, *at; /* a copy of the line: words end in it with NUL */
	char sign;		/* where the last word or list ended, at `at` */
};

/* Characters that mean only themselves after the first one of a word without quotes: all
 * printable ones but # , : ? [ ] { } and the blank. */
static const bool plain[256] = {
	['!' ... '"'] = true, ['$' ... '+'] = true, ['-' ... '9'] = true,
	[';' ... '>'] = true, ['@' ... 'Z'] = true, ['\\'] = true,
	['^' ... 'z'] = true, ['|'] = true,	    ['~'] = true,
};

static bool is_plain(char sign)
{
	return plain[(unsigned char)sign];
}

static bool is_letter(char sign)
{
	return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') ||
	       (sign >= '0' && sign <= '9');
}

static size_t blanks(const char *text)
{
	size_t count = 0;

	while (text[count] == ' ')
		count++;
	return count;
}

static bool is_printable(const char *text, const char *end)
{
	for (; text < end; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* ---------------------------------------------------------------- lines */

/* Finds the next line with content; *end is its end. SIZE_MAX: none, or one for libyaml. */
static size_t line_find(struct item_reader *r, size_t *spaces)
{
	const char *text = r->opts->source->text;

	while (r->begin < r->end) {
		const char *line = text + r->begin;
		const char *end = memchr(line, '\n', r->end - r->begin);

		*spaces = blanks(line);
		if (!end || (line[*spaces] != '\n' && line[*spaces] != '#'))
			return end ? (size_t)(end - text) : SIZE_MAX;
		if (!is_printable(line, end))
			return SIZE_MAX;
		r->begin = (size_t)(end - text) + 1;
		r->line++;
	}
	return SIZE_MAX;
}

/* Moves past so many bytes of the line that was found. */
static void line_begin(struct item_reader *r, size_t end, size_t behind)
{
	const char *text = r->opts->source->text + r->begin;
	size_t length = end - r->begin;

	r->text = arena_strndup(r->opts->items, text, length);
	r->stop = r->text + length;
	r->at = r->text + behind;
	r->begin = end + 1;
	r->line++;
}

static bool line_is_item(const struct item_reader *r, size_t spaces)
{
	const char *text = r->opts->source->text + r->begin + spaces;

	return text[0] == '-' && text[1] == ' ';
}

/* ---------------------------------------------------------------- words and lists of them */

/* The character after a word or a list, past blanks; a comment counts as the end of the line. */
static void sign_find(struct item_reader *r)
{
	size_t count = blanks(r->at);

	r->at += count;
	if (count && *r->at == '#' && is_printable(r->at, r->stop))
		r->at = r->stop;
	r->sign = *r->at;
}

static char *quoted_end(char *at)
{
	char quote = *at++;

	while (*at != quote && *at >= ' ' && *at <= '~' && *at != '\\')
		at++;
	return *at == quote ? at : NULL;
}

/* Blanks and colons are part of a word if more of it follows. */
static char *plain_end(char *at)
{
	for (;;) {
		char *next;

		while (is_plain(*at))
			at++;
		next = at + blanks(at);
		if (*next == ':' && next == at && at[1] != ' ' && at[1])
			next++;
		else if (!is_plain(*next))
			return at;
		if (*next != ':' && !is_plain(*next))
			return NULL;
		at = *next == ':' ? next : next + 1;
	}
}

static bool word_read(struct item_reader *r, struct node *node)
{
	char *begin = r->at, *end;
	bool quoted = *begin == '"' || *begin == '\'';

	end = is_letter(*begin) ? plain_end(begin) : NULL;
	if (quoted)
		end = quoted_end(begin);
	if (!end)
		return false;
	r->at = end + quoted;
	node->kind = NODE_SCALAR;
	node->plain = !quoted;
	node->text = begin + quoted;
	node->loc = (struct loc){.source = r->opts->source,
				 .line = r->line,
				 .column = (uint32_t)(begin - r->text) + 1,
				 .length = (uint32_t)(r->at - begin)};
	sign_find(r);
	*end = '\0';
	r->opts->values++;
	return true;
}

static struct node *node_new(struct item_reader *r, struct node ***tail)
{
	struct node *node = arena_alloc(r->opts->items, sizeof(*node));

	**tail = node;
	*tail = &node->next;
	return node;
}

static void collection_begin(struct item_reader *r, enum node_kind kind, struct node *node)
{
	node->kind = kind;
	node->loc = (struct loc){.source = r->opts->source,
				 .line = r->line,
				 .column = (uint32_t)(r->at - r->text) + 1,
				 .length = 1};
	r->opts->values++;
}

/* Behind the bracket. */
static bool words_read(struct item_reader *r, struct node *list)
{
	struct node **tail = &list->first;

	collection_begin(r, NODE_LIST, list);
	do {
		r->at++;
		r->at += blanks(r->at);
		if (!word_read(r, node_new(r, &tail)))
			return false;
	} while (r->sign == ',');
	if (r->sign != ']')
		return false;
	r->at++;
	sign_find(r);
	return true;
}

/* A word on each line, behind a dash. */
static bool lines_read(struct item_reader *r, struct node *list)
{
	struct node **tail = &list->first;
	size_t spaces, first, end;

	for (end = line_find(r, &first), spaces = first; end != SIZE_MAX && spaces == first;
	     end = line_find(r, &spaces)) {
		if (spaces < r->indent + 2 || !line_is_item(r, spaces))
			break;
		line_begin(r, end, spaces);
		if (tail == &list->first)
			collection_begin(r, NODE_LIST, list);
		r->at += 2;
		if (!word_read(r, node_new(r, &tail)) || r->at != r->stop)
			return false;
	}
	return list->first;
}

/* ---------------------------------------------------------------- maps */

static bool key_read(struct item_reader *r, const struct node *map, struct key **out)
{
	struct node word;
	struct key *key;

	if (!word_read(r, &word) || r->sign != ':' || word.loc.length > KEY_LONGEST ||
	    map_get(map, word.text))
		return false;
	r->at++;
	if (*r->at != ' ' && r->at != r->stop)
		return false;
	r->at += blanks(r->at);
	key = arena_alloc(r->opts->items, sizeof(*key));
	key->loc = word.loc;
	key->text = word.text;
	*out = key;
	return true;
}

static bool pair_read(struct item_reader *r, struct node *map, struct node ***tail)
{
	struct node *value;
	struct key *key;
	bool good;

	if (!key_read(r, map, &key))
		return false;
	value = arena_alloc(r->opts->items, sizeof(*value));
	value->key = key;
	if (r->at == r->stop)
		good = lines_read(r, value);
	else
		good = *r->at == '[' ? words_read(r, value) : word_read(r, value);
	**tail = value;
	*tail = &value->next;
	return good;
}

static bool braces_read(struct item_reader *r, struct node *map)
{
	struct node **tail = &map->first;

	do {
		r->at++;
		r->at += blanks(r->at);
		if (!pair_read(r, map, &tail))
			return false;
	} while (r->sign == ',');
	if (r->sign != '}')
		return false;
	r->at++;
	sign_find(r);
	return r->at == r->stop;
}

static bool keys_read(struct item_reader *r, struct node *map)
{
	struct node **tail = &map->first;
	size_t spaces, end;

	for (;;) {
		if (!pair_read(r, map, &tail) || r->at != r->stop)
			return false;
		end = line_find(r, &spaces);
		if (end == SIZE_MAX || spaces != r->indent + 2)
			return true;
		line_begin(r, end, spaces);
	}
}

/* ---------------------------------------------------------------- items */

static bool item_read(struct item_reader *r, size_t end, struct node *item)
{
	line_begin(r, end, r->indent + 2);
	collection_begin(r, NODE_MAP, item);
	return *r->at == '{' ? braces_read(r, item) : keys_read(r, item);
}

bool yaml_read_items(struct yaml_reader *opts, size_t indent)
{
	struct item_reader r = {
		.opts = opts, .indent = indent, .begin = opts->begin, .end = opts->end};
	size_t spaces, end;

	for (const char *line = opts->before; line && *line; line++)
		r.line += *line == '\n';
	while ((end = line_find(&r, &spaces)) != SIZE_MAX) {
		struct node item = {0};

		if (spaces != indent || !line_is_item(&r, spaces) || !item_read(&r, end, &item) ||
		    !opts->on_item(&item, opts->context))
			return false;
		arena_reset(opts->items);
	}
	opts->lines = r.line;
	return r.begin == r.end;
}
