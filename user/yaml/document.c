/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * YAML text to nodes. Takes a small and strict part of YAML: one document of plain maps, lists and
 * scalars. Anchors, aliases and tags are refused, so a document is never larger than its file.
 */
#include <errno.h>
#include <string.h>

#include "yaml.h"
#include "syntax.h"

struct builder {
	struct diags *d;
	struct arena *arena; /* of the nodes */
	struct arena *texts;
	struct yaml_reader *reader;
	bool streaming; /* the next value is the list to stream */
	const struct source *source;
	struct events *events;
	size_t nodes; /* and keys */
	unsigned depth;
	const char *until; /* stop once the document's own map has this key; NULL: read it all */
	bool stopped;
	size_t characters, bytes; /* one place of which both are known */
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

static int refuse_fault(struct builder *b, const struct syntax_fault *fault)
{
	return diag_error(b->d, fault->loc, -EINVAL, fault->check, fault->hint, "%s",
			  fault->message);
}

static int refuse_memory(struct builder *b)
{
	return diag_error(b->d, (struct loc){.source = b->source}, -ENOMEM, "yaml-syntax", NULL,
			  "not enough memory to parse the file");
}

static int refuse_syntax(struct builder *b)
{
	struct event_error error = events_error(b->events);
	struct syntax_fault fault;

	if (error.why == EVENT_NO_MEMORY)
		return refuse_memory(b);
	fault = syntax_explain(b->d->arena, b->source, &error);
	return refuse_fault(b, &fault);
}

static int next_event(struct builder *b, struct event *event)
{
	return events_next(b->events, event) ? 0 : refuse_syntax(b);
}

static int count_value(struct builder *b, const struct event *event)
{
	size_t most = source_nodes_max(b->source);

	if (++b->nodes <= most)
		return 0;
	return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-limit", NULL,
			  "more than %zu values in one file", most);
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

/* Places come in order, so that many of them are found in one walk. */
static size_t event_offset(struct builder *b, const struct event *event)
{
	const struct source *source = b->source;

	while (b->characters < event->start && b->bytes < source->size) {
		b->bytes++;
		while (b->bytes < source->size &&
		       ((unsigned char)source->text[b->bytes] & 0xc0) == 0x80)
			b->bytes++;
		b->characters++;
	}
	return b->bytes;
}

/* Aliases, anchors and tags are no part of the language. The rest of the file is read all the same.
 */
static void refuse_extras(struct builder *b, const struct event *event)
{
	size_t at = event_offset(b, event);
	struct syntax_fault fault;
	bool alias = event->anchored || event->kind == EVENT_ALIAS;

	if (diags_full(b->d)) {
		b->d->errors++;
		return;
	}
	fault = sign_explain(b->d->arena, b->source, at);
	fault.check = alias ? "yaml-alias" : "yaml-tag";
	if (event->anchored)
		fault.hint = "leave it out, and write the value wherever it is used";
	else if (alias)
		fault.hint =
			arena_printf(b->d->arena, "write the value out; as a text %s", fault.hint);
	else if (event->length || event->kind != EVENT_SCALAR)
		fault.hint = "leave it out; put text in quotes";
	fault.loc = event_loc(b, event);
	refuse_fault(b, &fault);
}

static bool has_extras(const struct event *event)
{
	return event->anchored || event->tag || event->kind == EVENT_ALIAS;
}

static int build_node(struct builder *b, const struct event *event, struct node **out);

/* Values end up in messages and on terminals. */
static bool has_control(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++)
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

	if (err)
		return err;
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

/* While items are accepted there is one at a time, always in the same memory. */
static int stream_items(struct builder *b, struct node **item)
{
	for (;;) {
		int err = build_next(b, item);

		if (err || !*item || !b->reader->on_item(*item, b->reader->context))
			return err;
		arena_reset(b->reader->items);
	}
}

static int build_list(struct builder *b, struct node *list, bool streaming)
{
	struct arena *arena = b->arena, *texts = b->texts;
	int err;

	if (!streaming)
		return build_items(b, &list->first);
	b->arena = b->texts = b->reader->items;
	err = stream_items(b, &list->first);
	b->arena = arena;
	b->texts = texts;
	return err || !list->first ? err : build_items(b, &list->first->next);
}

static int refuse_key(struct builder *b, const struct event *event)
{
	size_t at = source_offset(b->source, event->line, event->column);
	struct syntax_fault fault = key_explain(b->d->arena, b->source, at);

	return refuse_fault(b, &fault);
}

static int build_key(struct builder *b, const struct event *event, struct key **out)
{
	struct key *key;
	const char *text;
	int err;

	if (has_extras(event))
		refuse_extras(b, event);
	if (event->kind != EVENT_SCALAR)
		return refuse_key(b, event);
	err = count_value(b, event);
	if (err)
		return err;
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
		for_children(value, map) index_insert(seen, value->key->text, value->key);
	return index_insert(seen, key->text, key);
}

static void check_twice(struct builder *b, const struct key *before, const struct key *key)
{
	if (before)
		diag_error(b->d, key->loc, -EINVAL, "duplicate-key", "leave one of the two out",
			   "key '%.80s' is already in line %u of the same map", key->text,
			   before->loc.line);
}

/* In braces `id:r`, `id r` and `id=r` are keys of those names without a value. */
static void split_key(struct builder *b, struct key *key, struct node *value)
{
	const char *word, *rest;
	size_t size;

	if (value->kind != NODE_SCALAR || !value->plain || *value->text)
		return;
	size = strcspn(key->text, ":= ");
	word = arena_strndup(b->texts, key->text, size);
	rest = key->text + size + strspn(key->text + size, ":= ");
	if (!size || !*rest || (key->text[size] != ':' && !key_example(word)))
		return;
	diag_error(b->d, key->loc, -EINVAL, "yaml-syntax",
		   arena_printf(b->d->arena, "write '%s: %s'", word, rest),
		   key->text[size] == ':' ? "a space is missing after ':'"
					  : "':' is missing after '%s'",
		   word);
	size = strlen(rest);
	if (size > 2 && strchr("\"'", *rest) && rest[size - 1] == *rest)
		rest = arena_strndup(b->texts, rest + 1, size - 2);
	value->text = rest;
	value->loc = key->loc;
	key->text = word;
}

static int build_map(struct builder *b, struct node *map)
{
	struct index seen = {.arena = b->arena};
	struct node **tail = &map->first;

	for (size_t count = 0;; count++) {
		struct node *value;
		struct key *key;
		int err = build_next_key(b, &key);

		if (err || !key)
			return err;
		b->streaming =
			b->depth == 1 && b->reader && str_equal(key->text, b->reader->list_key);
		err = build_next(b, &value);
		if (err)
			return err;
		split_key(b, key, value);
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
	bool is_map = event->kind == EVENT_MAP, streaming = b->streaming;
	struct node *node;
	int err;

	if (b->depth >= DOC_DEPTH_MAX)
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-limit", NULL,
				  "nested more than %d deep", DOC_DEPTH_MAX);
	err = node_new(b, event, is_map ? NODE_MAP : NODE_LIST, &node);
	if (err)
		return err;
	b->streaming = false;
	b->depth++;
	err = is_map ? build_map(b, node) : build_list(b, node, streaming);
	b->depth--;
	if (err)
		return err;
	*out = node;
	return 0;
}

/* An alias has no value, and neither has `!10.0.0.1`, which is a tag of nothing. */
static bool has_value(const struct event *event)
{
	return event->kind != EVENT_ALIAS &&
	       (!event->tag || event->kind != EVENT_SCALAR || event->length);
}

static int build_node(struct builder *b, const struct event *event, struct node **out)
{
	bool extras = has_extras(event);
	struct syntax_fault fault;

	if (extras && !b->depth && foreign_explain(b->d->arena, b->source, &fault))
		return refuse_fault(b, &fault);
	if (extras)
		refuse_extras(b, event);
	if (extras && !has_value(event))
		return node_new(b, event, NODE_BROKEN, out);
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

	if (err)
		return err;
	err = next_event(b, &event);
	if (err)
		return err;
	if (event.kind != EVENT_STREAM_END)
		return diag_error(b->d, event_loc(b, &event), -EINVAL, "yaml-documents",
				  "move the part below to a file of its own",
				  "a second document begins here; a file holds one");
	if (b->reader) {
		b->reader->lines = event.line - 1;
		b->reader->ended = ended;
	}
	return err;
}

static int refuse_empty(struct builder *b)
{
	const char *text = b->source->text;
	bool comments = text[strspn(text, " \t\r\n")];

	return diag_error(b->d, (struct loc){.source = b->source}, -EINVAL, "empty-file",
			  "a document begins with: apiVersion: flowreeve/v1",
			  comments ? "there is nothing but comments in the file"
				   : "the file is empty");
}

static int build_document(struct builder *b, struct node **out)
{
	struct node *root = NULL;
	struct event event;
	int err;

	err = next_event(b, &event); /* the stream */
	if (err)
		return err;
	err = next_event(b, &event);
	if (err)
		return err;
	if (event.kind == EVENT_STREAM_END)
		return refuse_empty(b);
	err = build_next(b, &root);
	if (err)
		return err;
	if (!b->stopped)
		err = finish_document(b);
	if (err)
		return err;
	if (node_is_null(root) && !*root->text)
		return refuse_empty(b);
	*out = root;
	return 0;
}

bool source_is_resolved(const struct source *source)
{
	return str_starts(source->text, RESOLVED_HEAD);
}

size_t source_nodes_max(const struct source *source)
{
	return source_is_resolved(source) ? RESOLVED_NODES_MAX : DOC_NODES_MAX;
}

static int refuse_file(struct diags *d, const char *path, int err)
{
	struct source *source = arena_alloc(d->arena, sizeof(*source));
	struct loc loc = {.source = source};

	source->name = arena_strdup(d->arena, path);
	source->text = "";
	switch (-err) {
	case EFBIG:
		return diag_error(d, loc, err, "file-too-big",
				  "long lists of addresses belong in files of 'prefixes'",
				  "the file is larger than %d MB", DOC_BYTES_MAX >> 20);
	case EINVAL:
		return diag_error(d, loc, err, "file-unreadable",
				  "write its content to a file first",
				  "not a regular file, but a pipe, a socket or a device");
	case EISDIR:
		return diag_error(d, loc, err, "file-unreadable",
				  arena_printf(d->arena, "name the files in it: %s/*.yaml",
					       shell_word(d->arena, path)),
				  "this is a directory; a file is expected");
	case ETXTBSY:
		return diag_error(d, loc, err, "file-unreadable",
				  "write it under another name, then rename it",
				  "the file changed while it was read");
	default:
		return diag_error(d, loc, err, "file-unreadable", NULL, "cannot be read: %s",
				  error_text(err));
	}
}

/* A byte order mark is not part of the text, nor of its columns. */
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

static int source_refused(const struct source *source)
{
	if (source->size > DOC_BYTES_MAX && !source_is_resolved(source))
		return -EFBIG;
	return source->unsettled ? -ETXTBSY : 0;
}

int doc_source(const char *path, struct diags *d, const struct source **out)
{
	struct source *source;
	int err = str_equal(path, "-") ? source_stdin(d->arena, RESOLVED_SIZE_MAX, &source)
				       : source_read(d->arena, path, RESOLVED_SIZE_MAX, &source);

	err = err ? err : source_refused(source);
	if (err)
		return refuse_file(d, path, err);
	*out = doc_plain(d->arena, source);
	return 0;
}

/* Line breaks that YAML honours and editors do not show could hide text after a comment. */
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

static int refuse_break(struct builder *b, size_t at, const char *odd)
{
	const struct source *source = b->source;
	const char *hint = "leave it out, or write it as an escape in double quotes";
	struct syntax_fault fault;

	if (foreign_explain(b->d->arena, source, &fault))
		return refuse_fault(b, &fault);
	if (source->text[at] == '\r' && !memchr(source->text, '\n', source->size))
		hint = arena_printf(b->d->arena, "sed -i 's/\\r/\\n/g' %s",
				    shell_word(b->d->arena, source->name));
	return diag_error(b->d, source_place(source, at, 1), -EINVAL, "yaml-syntax", hint,
			  "%s ends a line in YAML only", odd);
}

static int breaks_check(struct builder *b, size_t begin, size_t end)
{
	const char *text = b->source->text, *odd;

	for (size_t at = begin; at < end; at++) {
		at += strcspn(text + at, "\r\xc2\xe2");
		odd = at < end ? odd_break(text + at) : NULL;
		if (odd)
			return refuse_break(b, at, odd);
	}
	return 0;
}

static int doc_parse(struct builder *b, size_t begin, size_t end, struct node **out)
{
	const char *before = b->reader ? b->reader->before : NULL;
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
	struct yaml_reader reader = {.nodes = d->arena};
	int err = doc_source(path, d, &reader.source);

	return err ? err : yaml_read(&reader, d, out);
}

int yaml_read(struct yaml_reader *reader, struct diags *d, struct node **out)
{
	struct builder b = {.d = d,
			    .arena = reader->nodes,
			    .texts = d->arena,
			    .reader = reader,
			    .source = reader->source};
	size_t end = reader->end ? reader->end : b.source->size;
	int err = breaks_check(&b, reader->begin, end);

	if (!err)
		err = doc_parse(&b, reader->begin, end, out);
	reader->values = b.nodes;
	return err;
}

int doc_load_until(const struct source *source, const char *key, struct diags *d, struct node **out)
{
	struct builder b = {
		.d = d, .arena = d->arena, .texts = d->arena, .source = source, .until = key};

	return doc_parse(&b, 0, source->size, out);
}
