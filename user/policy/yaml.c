// SPDX-License-Identifier: GPL-2.0-only
/*
 * YAML text to nodes, through libyaml's events; the only file that knows libyaml. Takes a small and
 * strict part of YAML: one document of plain maps, lists and scalars. Anchors, aliases and tags are
 * refused, so a document is never larger than its file.
 */
#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "node.h"

struct builder {
	struct diags *d;
	struct arena *arena; /* of the nodes */
	struct arena *texts;
	const struct doc_apart *how;
	bool handing; /* the value that comes is the list that is handed over */
	struct source *source;
	yaml_parser_t parser;
	size_t nodes; /* and keys */
	unsigned depth;
	const char *until; /* stop once the document's own map has this key; NULL: read it all */
	bool stopped;
};

static struct loc mark_loc(const struct builder *b, yaml_mark_t start, size_t length)
{
	return (struct loc){.source = b->source,
			    .line = (uint32_t)start.line + 1,
			    .column = (uint32_t)start.column + 1,
			    .length = length ? (uint32_t)length : 1};
}

static struct loc event_loc(const struct builder *b, const yaml_event_t *event)
{
	yaml_mark_t start = event->start_mark, end = event->end_mark;

	return mark_loc(b, start, start.line == end.line ? end.index - start.index : 1);
}

/* libyaml gives only a byte offset for what it cannot decode. */
static struct loc offset_loc(const struct builder *b, size_t offset)
{
	yaml_mark_t mark = {0};
	size_t i;

	for (i = 0; i < offset && i < b->source->size; i++) {
		mark.column++;
		if (b->source->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark_loc(b, mark, 1);
}

/* What stands at the mark, or just before it, and looks like a plain value but is none in YAML. */
static const char *hint_syntax(const struct builder *b, yaml_mark_t mark)
{
	const char *text = b->source->text;
	size_t at = 0, line = 0, column = 0;

	while (at < b->source->size && (line < mark.line || column < mark.column)) {
		bool ended = text[at] == '\n';

		line += ended;
		column = ended ? 0 : column + (((unsigned char)text[at] & 0xc0) != 0x80);
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

static int refuse_syntax(struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;
	const char *problem = parser->problem ? parser->problem : "cannot be read";

	if (parser->error == YAML_MEMORY_ERROR)
		return diag_error(b->d, (struct loc){.source = b->source}, -ENOMEM, "yaml-syntax",
				  NULL, "not enough memory to parse the file");
	if (parser->error == YAML_READER_ERROR)
		return diag_error(b->d, offset_loc(b, parser->problem_offset), -EINVAL,
				  "yaml-syntax", "a policy is UTF-8 text", "not text: %s", problem);
	if (parser->context && parser->context_mark.line != parser->problem_mark.line)
		return diag_error(b->d, mark_loc(b, parser->problem_mark, 1), -EINVAL,
				  "yaml-syntax", NULL, "not YAML: %s, %s that begins in line %zu",
				  problem, parser->context, parser->context_mark.line + 1);
	return diag_error(b->d, mark_loc(b, parser->problem_mark, 1), -EINVAL, "yaml-syntax",
			  hint_syntax(b, parser->problem_mark), "not YAML: %s", problem);
}

static int next_event(struct builder *b, yaml_event_t *event)
{
	return yaml_parser_parse(&b->parser, event) ? 0 : refuse_syntax(b);
}

static int count_value(struct builder *b, const yaml_event_t *event)
{
	if (++b->nodes <= DOC_NODES_MAX)
		return 0;
	return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-limit", NULL,
			  "more than %d values in one file", DOC_NODES_MAX);
}

static int node_new(struct builder *b, const yaml_event_t *event, enum node_kind kind,
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

static int refuse_extras(struct builder *b, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor || event->type == YAML_ALIAS_EVENT)
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-alias",
				  "write the value out where it is used",
				  "anchors and aliases (& and *) are not allowed");
	if (tag)
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-tag", "leave it out",
				  "tags ('%s') are not allowed", (const char *)tag);
	return 0;
}

static int build_node(struct builder *b, const yaml_event_t *event, struct node **out);

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

static int scalar_text(struct builder *b, const yaml_event_t *event, const char **out)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (has_control(value, length))
		return diag_error(b->d, event_loc(b, event), -EINVAL, "yaml-syntax", NULL,
				  "control characters are not allowed in a value");
	*out = arena_strndup(b->texts, value, length);
	return 0;
}

static int build_scalar(struct builder *b, const yaml_event_t *event, struct node **out)
{
	struct node *node;
	const char *text;
	int err = scalar_text(b, event, &text);

	if (!err)
		err = node_new(b, event, NODE_SCALAR, &node);
	if (err)
		return err;
	node->text = text;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	*out = node;
	return 0;
}

/* The next node of a collection, or NULL at its end. */
static int build_next(struct builder *b, yaml_event_type_t end, struct node **out)
{
	yaml_event_t event;
	int err = next_event(b, &event);

	if (err)
		return err;
	*out = NULL;
	if (event.type != end)
		err = build_node(b, &event, out);
	yaml_event_delete(&event);
	return err;
}

static int build_items(struct builder *b, struct node **tail)
{
	for (;;) {
		int err = build_next(b, YAML_SEQUENCE_END_EVENT, tail);

		if (err || !*tail)
			return err;
		tail = &(*tail)->next;
	}
}

/* As long as each is taken there is one item, always in the same memory. */
static int hand_items(struct builder *b, struct node **item)
{
	for (;;) {
		int err = build_next(b, YAML_SEQUENCE_END_EVENT, item);

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

static int build_key(struct builder *b, const yaml_event_t *event, struct key **out)
{
	int err = refuse_extras(b, event);
	struct key *key;
	const char *text;

	if (!err && event->type != YAML_SCALAR_EVENT)
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
	yaml_event_t event;
	int err = next_event(b, &event);

	if (err)
		return err;
	*out = NULL;
	if (event.type != YAML_MAPPING_END_EVENT)
		err = build_key(b, &event, out);
	yaml_event_delete(&event);
	return err;
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
		err = build_next(b, YAML_NO_EVENT, &value);
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

static int build_collection(struct builder *b, const yaml_event_t *event, struct node **out)
{
	bool is_map = event->type == YAML_MAPPING_START_EVENT, handing = b->handing;
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

static int build_node(struct builder *b, const yaml_event_t *event, struct node **out)
{
	int err = refuse_extras(b, event);

	if (err)
		return err;
	if (event->type == YAML_SCALAR_EVENT)
		return build_scalar(b, event, out);
	return build_collection(b, event, out);
}

static int skip_event(struct builder *b, yaml_event_type_t *type, struct loc *loc)
{
	yaml_event_t event;
	int err = next_event(b, &event);

	if (err)
		return err;
	*type = event.type;
	*loc = event_loc(b, &event);
	yaml_event_delete(&event);
	return 0;
}

/* Nothing but the end of the text may follow the document. */
static int finish_document(struct builder *b)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	struct loc loc;
	int err = skip_event(b, &type, &loc); /* document end */

	if (!err)
		err = skip_event(b, &type, &loc);
	if (!err && type != YAML_STREAM_END_EVENT)
		return diag_error(b->d, loc, -EINVAL, "yaml-documents", "split the file",
				  "a second document begins here; a file holds one");
	return err;
}

static int build_document(struct builder *b, struct node **out)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	struct node *root = NULL;
	struct loc loc;
	int err;

	err = skip_event(b, &type, &loc); /* stream start */
	if (!err)
		err = skip_event(b, &type, &loc);
	if (err)
		return err;
	if (type == YAML_STREAM_END_EVENT)
		return diag_error(b->d, (struct loc){.source = b->source}, -EINVAL, "empty-file",
				  "a policy begins with 'apiVersion: flowreeve/v1'",
				  "the file says nothing");
	err = build_next(b, YAML_NO_EVENT, &root);
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

static int doc_parse(struct builder *b, struct node **out)
{
	int err;

	/* What some editors put first is no part of the text, nor of its columns. */
	if (str_starts(b->source->text, "\xef\xbb\xbf")) {
		b->source->text += 3;
		b->source->size -= 3;
	}
	if (!yaml_parser_initialize(&b->parser))
		return diag_error(b->d, (struct loc){.source = b->source}, -ENOMEM, "yaml-syntax",
				  NULL, "not enough memory to parse the file");
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->source->text,
				     b->source->size);
	err = build_document(b, out);
	yaml_parser_delete(&b->parser);
	return err;
}

static int doc_read(const char *path, const char *until, struct diags *d, struct node **out)
{
	struct builder b = {.d = d, .arena = d->arena, .texts = d->arena, .until = until};
	int err = source_read(d->arena, path, DOC_BYTES_MAX, &b.source);

	return err ? refuse_file(d, path, err) : doc_parse(&b, out);
}

int doc_load(const char *path, struct diags *d, struct node **out)
{
	return doc_read(path, NULL, d, out);
}

int doc_load_apart(const char *path, const struct doc_apart *how, struct diags *d,
		   struct node **out)
{
	struct builder b = {.d = d, .arena = how->nodes, .texts = d->arena, .how = how};
	int err = 0;

	if (how->instead) {
		b.source = arena_alloc(d->arena, sizeof(*b.source));
		*b.source = *how->instead;
	} else {
		err = source_read(d->arena, path, DOC_BYTES_MAX, &b.source);
	}
	return err ? refuse_file(d, path, err) : doc_parse(&b, out);
}

int doc_load_until(const char *path, const char *key, struct diags *d, struct node **out)
{
	return doc_read(path, key, d, out);
}

/* ---------------------------------------------------------------- events alone */

static bool event_words(const yaml_event_t *event, struct doc_event *out)
{
	*out = (struct doc_event){.start = event->start_mark.index,
				  .end = event->end_mark.index,
				  .line = (uint32_t)event->start_mark.line + 1,
				  .column = (uint32_t)event->start_mark.column + 1};
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		out->what = DOC_SCALAR;
		out->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		out->text = (const char *)event->data.scalar.value;
		return true;
	case YAML_SEQUENCE_START_EVENT:
		out->what = DOC_LIST;
		out->flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		return true;
	case YAML_MAPPING_START_EVENT:
		out->what = DOC_MAP;
		out->flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		return true;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		out->what = DOC_END;
		return true;
	default:
		return false;
	}
}

static bool walk_events(yaml_parser_t *parser, bool (*visit)(const struct doc_event *, void *),
			void *context)
{
	bool whole = false, good = true;

	while (good && !whole) {
		struct doc_event words;
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return false;
		whole = event.type == YAML_STREAM_END_EVENT;
		if (event_words(&event, &words))
			good = visit(&words, context);
		yaml_event_delete(&event);
	}
	return good;
}

bool doc_walk(const char *text, size_t size, bool (*visit)(const struct doc_event *, void *),
	      void *context)
{
	yaml_parser_t parser;
	bool good;

	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	good = walk_events(&parser, visit, context);
	yaml_parser_delete(&parser);
	return good;
}
