// SPDX-License-Identifier: GPL-2.0-only
/*
 * YAML text to nodes. Takes a small and strict part of YAML: one document of plain maps, lists and
 * scalars. Anchors, aliases and tags are refused, so a document is never larger than its file.
 */
#include <errno.h>
#include <string.h>

#include "events.h"
#include "node.h"

struct builder {
	struct diags *d;
	struct arena *arena; /* of the nodes */
	struct arena *texts;
	struct doc_apart *how;
	bool handing; /* the value that comes is the list that is handed over */
	const struct source *source;
	struct events *events;
	size_t nodes; /* and keys */
	unsigned depth;
	const char *until; /* stop once the document's own map has this key; NULL: read it all */
	bool stopped;
};

static struct loc place(const struct builder *b, uint32_t line, uint32_t column)
{
	return (struct loc){.source = b->source, .line = line, .column = column, .length = 1};
}

static struct loc event_loc(const struct builder *b, const struct event *event)
{
	struct loc loc = place(b, event->line, event->column);

	if (event->line == event->end_line && event->end > event->start)
		loc.length = event->end - event->start;
	return loc;
}

/* What cannot be decoded has only a byte offset. */
static struct loc offset_loc(const struct builder *b, size_t offset)
{
	uint32_t line = 1, column = 1;
	size_t i;

	for (i = 0; i < offset && i < b->source->size; i++) {
		column += ((unsigned char)b->source->text[i] & 0xc0) != 0x80;
		if (b->source->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return place(b, line, column);
}

/* What stands there, or just before, and looks like a plain value but is none in YAML. */
static const char *hint_syntax(const struct builder *b, const struct loc *loc)
{
	const char *text = b->source->text;
	uint32_t line = 1, column = 1;
	size_t at = 0;

	while (at < b->source->size && (line < loc->line || column < loc->column)) {
		bool ended = text[at] == '\n';

		line += ended;
		column = ended ? 1 : column + (((unsigned char)text[at] & 0xc0) != 0x80);
		at++;
	}
	while (at < b->source->size && ((unsigned char)text[at] & 0xc0) == 0x80)
		at++;
	if (at && text[at - 1] == '*')
		return "a value that begins with '*' needs quotes: \"*.example.com\"";
	if (at < b->source->size && text[at] == ':')
		return "an address that begins with ':' needs quotes: \"::1\"";
	return NULL;
}

static int refuse_memory(struct builder *b)
{
	return diag_error(b->d, (struct loc){.source = b->source}, -ENOMEM, "yaml-syntax", NULL,
			  "not enough memory to parse the file");
}

static int refuse_syntax(struct builder *b)
{
	struct event_error error = events_error(b->events);
	struct loc loc = place(b, error.line, error.column);

	if (error.why == EVENT_NO_MEMORY)
		return refuse_memory(b);
	if (error.why == EVENT_NO_TEXT)
		return diag_error(b->d, offset_loc(b, error.offset), -EINVAL, "yaml-syntax",
				  strstr(error.problem, "control") ? "leave it out"
								   : "a policy is UTF-8 text",
				  "not text: %s", error.problem);
	if (error.context && error.context_line != error.line)
		return diag_error(b->d, loc, -EINVAL, "yaml-syntax", NULL,
				  "not YAML: %s, %s that begins in line %u", error.problem,
				  error.context, error.context_line);
	return diag_error(b->d, loc, -EINVAL, "yaml-syntax", hint_syntax(b, &loc), "not YAML: %s",
			  error.problem);
}

static int next_event(struct builder *b, struct event *event)
{
	return events_next(b->events, event) ? 0 : refuse_syntax(b);
}

static int count_value(struct builder *b, const struct event *event)
{
	if (++b->nodes <= DOC_NODES_MAX)
		return 0;
	return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-limit", NULL,
			  "more than %d values in one file", DOC_NODES_MAX);
}

static int node_new(struct builder *b, const struct event *event, enum node_kind kind,
		    struct node **out)
{
	int err = count_value(b, event);
	struct node *node;

	if (err)
		return err;
	node = arena_alloc(b->arena, sizeof(*node));
	node->kind = kind;
	node->loc = event_loc(b, event);
	*out = node;
	return 0;
}

static int refuse_extras(struct builder *b, const struct event *event)
{
	if (event->anchored || event->kind == EVENT_ALIAS)
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-alias",
				  "write the value out where it is used",
				  "anchors and aliases (& and *) are not allowed");
	if (event->tag)
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-tag", "leave it out",
				  "tags ('%s') are not allowed", event->tag);
	return 0;
}

static int build_node(struct builder *b, const struct event *event, struct node **out);

/* Values end up in messages and on terminals. */
static bool has_control(const char *value, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (((unsigned char)value[i] < ' ' && value[i] != '\n' && value[i] != '\t') ||
		    value[i] == 0x7f)
			return true;
	return false;
}

static int scalar_text(struct builder *b, const struct event *event, const char **out)
{
	if (has_control(event->text, event->length))
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-syntax", NULL,
				  "control characters are not allowed in a value");
	*out = arena_strndup(b->texts, event->text, event->length);
	return 0;
}

static int build_scalar(struct builder *b, const struct event *event, struct node **out)
{
	struct node *node;
	const char *text;
	int err = scalar_text(b, event, &text);

	if (!err)
		err = node_new(b, event, NODE_SCALAR, &node);
	if (err)
		return err;
	node->text = text;
	node->plain = event->plain;
	*out = node;
	return 0;
}

/* The next node, or NULL at the end of a collection. */
static int build_next(struct builder *b, struct node **out)
{
	struct event event;
	int err = next_event(b, &event);

	if (err)
		return err;
	*out = NULL;
	return event.kind == EVENT_END ? 0 : build_node(b, &event, out);
}

static int build_items(struct builder *b, struct node **tail)
{
	for (;;) {
		int err = build_next(b, tail);

		if (err || !*tail)
			return err;
		tail = &(*tail)->next;
	}
}

/* As long as each is taken there is one item, always in the same memory. */
static int hand_items(struct builder *b, struct node **item)
{
	for (;;) {
		int err = build_next(b, item);

		if (err || !*item || !b->how->take(*item, b->how->context))
			return err;
		arena_reset(b->how->items);
	}
}

static int build_list(struct builder *b, struct node *list, bool handing)
{
	struct arena *arena = b->arena, *texts = b->texts;
	int err;

	if (!handing)
		return build_items(b, &list->first);
	b->arena = b->texts = b->how->items;
	err = hand_items(b, &list->first);
	b->arena = arena;
	b->texts = texts;
	return err || !list->first ? err : build_items(b, &list->first->next);
}

static int build_key(struct builder *b, const struct event *event, struct key **out)
{
	int err = refuse_extras(b, event);
	struct key *key;
	const char *text;

	if (!err && event->kind != EVENT_SCALAR)
		err = diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-syntax",
				 "quote a value that begins with '{' or '['",
				 "a key must be a word, not a list or a map");
	if (!err)
		err = count_value(b, event);
	if (!err)
		err = scalar_text(b, event, &text);
	if (err)
		return err;
	key = arena_alloc(b->arena, sizeof(*key));
	key->loc = event_loc(b, event);
	key->text = text;
	*out = key;
	return 0;
}

/* The next key of a map, or NULL at its end. */
static int build_next_key(struct builder *b, struct key **out)
{
	struct event event;
	int err = next_event(b, &event);

	if (err)
		return err;
	*out = NULL;
	return event.kind == EVENT_END ? 0 : build_key(b, &event, out);
}

/* The same key earlier in the map, or NULL. Small maps are walked; large ones are indexed. */
static const struct key *key_before(struct index *seen, const struct node *map, size_t count,
				    const struct key *key)
{
	const size_t walked = 16;
	const struct node *value;

	if (count < walked) {
		value = map_get(map, key->text);
		return value ? value->key : NULL;
	}
	if (count == walked)
		for_children(value, map) index_put(seen, value->key->text, value->key);
	return index_put(seen, key->text, key);
}

static void check_twice(struct builder *b, const struct key *before, const struct key *key)
{
	if (before)
		diag_error(b->d, key->loc, -EINVAL, "duplicate-key", NULL,
			   "key '%.80s' is already in line %u of the same map", key->text,
			   before->loc.line);
}

static int build_map(struct builder *b, struct node *map)
{
	struct index seen = {.arena = b->arena};
	struct node **tail = &map->first;
	size_t count;

	for (count = 0;; count++) {
		struct node *value;
		struct key *key;
		int err = build_next_key(b, &key);

		if (err || !key)
			return err;
		b->handing = b->depth == 1 && b->how && str_equal(key->text, b->how->key);
		err = build_next(b, &value);
		if (err)
			return err;
		check_twice(b, key_before(&seen, map, count, key), key);
		value->key = key;
		*tail = value;
		tail = &value->next;
		b->stopped = b->depth == 1 && b->until && str_equal(key->text, b->until);
		if (b->stopped)
			return 0;
	}
}

static int build_collection(struct builder *b, const struct event *event, struct node **out)
{
	bool is_map = event->kind == EVENT_MAP, handing = b->handing;
	struct node *node;
	int err;

	if (b->depth >= DOC_DEPTH_MAX)
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-limit", NULL,
				  "nested more than %d deep", DOC_DEPTH_MAX);
	err = node_new(b, event, is_map ? NODE_MAP : NODE_LIST, &node);
	if (err)
		return err;
	b->handing = false;
	b->depth++;
	err = is_map ? build_map(b, node) : build_list(b, node, handing);
	b->depth--;
	if (!err)
		*out = node;
	return err;
}

static int build_node(struct builder *b, const struct event *event, struct node **out)
{
	int err = refuse_extras(b, event);

	if (err)
		return err;
	if (event->kind == EVENT_SCALAR)
		return build_scalar(b, event, out);
	return build_collection(b, event, out);
}

/* Nothing but the end of the text may follow the document. */
static int finish_document(struct builder *b)
{
	struct event event;
	int err = next_event(b, &event);
	bool ended = !err && !event.plain;

	if (!err)
		err = next_event(b, &event);
	if (!err && event.kind != EVENT_STREAM_END)
		return diag_error(b->d, event_loc(b, &event), -EINVAL, "yaml-documents",
				  "split the file",
				  "a second document begins here; a file holds one");
	if (!err && b->how) {
		b->how->lines = event.line - 1;
		b->how->ended = ended;
	}
	return err;
}

static int build_document(struct builder *b, struct node **out)
{
	struct node *root = NULL;
	struct event event;
	int err;

	err = next_event(b, &event); /* the stream */
	if (!err)
		err = next_event(b, &event);
	if (err)
		return err;
	if (event.kind == EVENT_STREAM_END)
		return diag_error(b->d, (struct loc){.source = b->source}, -EINVAL, "empty-file",
				  "a policy begins with 'apiVersion: flowreeve/v1'",
				  "the file says nothing");
	err = build_next(b, &root);
	if (!err && !b->stopped)
		err = finish_document(b);
	if (!err)
		*out = root;
	return err;
}

static int refuse_file(struct diags *d, const char *path, int err)
{
	struct source *source = arena_alloc(d->arena, sizeof(*source));

	source->name = arena_strdup(d->arena, path);
	source->text = "";
	if (err == -EFBIG)
		return diag_error(d, (struct loc){.source = source}, err, "file-too-big", NULL,
				  "the file is larger than %d MB", DOC_BYTES_MAX >> 20);
	if (err == -EINVAL)
		return diag_error(d, (struct loc){.source = source}, err, "file-unreadable", NULL,
				  "not a regular file");
	return diag_error(d, (struct loc){.source = source}, err, "file-unreadable", NULL,
			  "cannot be read: %s", error_text(err));
}

/* What some editors put first is no part of the text, nor of its columns. */
const struct source *doc_plain(struct arena *arena, const struct source *source)
{
	struct source *plain;

	if (!str_starts(source->text, "\xef\xbb\xbf"))
		return source;
	plain = arena_alloc(arena, sizeof(*plain));
	*plain = *source;
	plain->text += 3;
	plain->size -= 3;
	return plain;
}

int doc_source(const char *path, struct diags *d, const struct source **out)
{
	struct source *source;
	int err = source_read(d->arena, path, DOC_BYTES_MAX, &source);

	if (err)
		return refuse_file(d, path, err);
	*out = doc_plain(d->arena, source);
	return 0;
}

/* What ends a line for YAML and for no editor: behind it could be what no reader of a comment sees.
 */
static const char *odd_break(const char *text)
{
	if (*text == '\r')
		return text[1] == '\n' ? NULL : "a carriage return alone";
	if (str_starts(text, "\xc2\x85"))
		return "U+0085";
	if (str_starts(text, "\xe2\x80\xa8"))
		return "U+2028";
	return str_starts(text, "\xe2\x80\xa9") ? "U+2029" : NULL;
}

static int breaks_check(struct builder *b, size_t begin, size_t end)
{
	const char *text = b->source->text, *odd;
	size_t at;

	for (at = begin; at < end; at++) {
		at += strcspn(text + at, "\r\xc2\xe2");
		odd = at < end ? odd_break(text + at) : NULL;
		if (odd)
			return diag_error(b->d, offset_loc(b, at), -EINVAL, "yaml-syntax",
					  "leave it out, or write it as an escape in double quotes",
					  "%s ends a line in YAML and nowhere else", odd);
	}
	return 0;
}

static int doc_parse(struct builder *b, size_t begin, size_t end, struct node **out)
{
	const char *before = b->how ? b->how->before : NULL;
	int err;

	b->events = events_open(before, b->source->text + begin, end - begin);
	if (!b->events)
		return refuse_memory(b);
	err = build_document(b, out);
	events_close(b->events);
	return err;
}

int doc_load(const char *path, struct diags *d, struct node **out)
{
	struct doc_apart how = {.nodes = d->arena};
	int err = doc_source(path, d, &how.source);

	return err ? err : doc_load_apart(&how, d, out);
}

int doc_load_apart(struct doc_apart *how, struct diags *d, struct node **out)
{
	struct builder b = {
		.d = d, .arena = how->nodes, .texts = d->arena, .how = how, .source = how->source};
	size_t end = how->end ? how->end : b.source->size;
	int err = breaks_check(&b, how->begin, end);

	if (!err)
		err = doc_parse(&b, how->begin, end, out);
	how->values = b.nodes;
	return err;
}

int doc_load_until(const struct source *source, const char *key, struct diags *d, struct node **out)
{
	struct builder b = {
		.d = d, .arena = d->arena, .texts = d->arena, .source = source, .until = key};

	return doc_parse(&b, 0, source->size, out);
}
